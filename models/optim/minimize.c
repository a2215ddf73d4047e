/* Minimizers: options, the loop around a rule's steps, and what all rules share. */
#include "models/optim/minimize_internal.h"

#include <inttypes.h>
#include <math.h>

#define MINIMIZE_TEXT(code, text) text,
static const char *const minimize_texts[] = {WG_STOP_LIST(MINIMIZE_TEXT)};

#undef MINIMIZE_TEXT

const char *wg_stop_text(wg_stop stop)
{
    const bool known = (unsigned)stop < sizeof minimize_texts / sizeof *minimize_texts;
    return known ? minimize_texts[stop] : "?";
}

/* ---- A run. ---------------------------------------------------------------------------------- */

static const wg_minimizer minimize_inert = {.f = {.tape = NULL}};

static wg_minimizer *minimize_none(void)
{
    return (wg_minimizer *)(uintptr_t)&minimize_inert;
}

static bool minimize_is_inert(const wg_minimizer *m)
{
    return m == NULL || m->f.tape == NULL;
}

static double minimize_residual(const wg_minimizer *m)
{
    return m->rule->residual != NULL ? m->rule->residual(m)
                                     : wg_vector_largest(m->f.n, m->descent.gradient);
}

/* Is there a reason to end before iteration i, counted from 0? */
static bool minimize_stops(const wg_minimizer *m, int64_t i, wg_stop *stop)
{
    const double residual = minimize_residual(m);
    const bool error = wg_tape_status(m->f.tape) != WG_OK;
    /* Steps are chosen by the gradient's square, and with one that overflows none can be. */
    const double square = residual * residual * (double)m->f.n;
    const bool finite = isfinite(m->descent.value) && isfinite(square);
    if (!error && finite && residual > m->o.tolerance && i < m->o.iterations)
        return false;
    *stop = error                        ? WG_STOP_ERROR
            : !finite                    ? WG_STOP_NOT_FINITE
            : residual <= m->o.tolerance ? WG_STOP_GRADIENT
                                         : WG_STOP_ITERATIONS;
    return true;
}

/* The penalty that the objective of a descent leaves out. */
static double minimize_penalty(const wg_minimizer *m)
{
    double sum = 0;
    for (int64_t i = 0; m->o.l1 > 0 && i < m->f.n; i++)
        sum += m->o.penalized[i] * fabs(m->descent.x[i]);
    return m->o.l1 * sum;
}

static wg_optimum minimize_result(wg_minimizer *m, wg_stop stop, int64_t iterations, double start)
{
    wg_descent *d = &m->descent;
    if (stop == WG_STOP_LINE_SEARCH)
        wg_descent_at(d, d->x); /* the last trial was another point */
    return (wg_optimum){.stop = stop,
                        .iterations = iterations,
                        .evaluations = d->evaluations,
                        .products = m->products,
                        .start = start,
                        .value = d->value + minimize_penalty(m),
                        .gradient_norm = minimize_residual(m)};
}

static const wg_optimum minimize_error = {.stop = WG_STOP_ERROR,
                                          .start = (double)NAN,
                                          .value = (double)NAN,
                                          .gradient_norm = (double)NAN};

wg_optimum wg_minimizer_run(wg_minimizer *m, double x[])
{
    if (minimize_is_inert(m) || x == NULL || wg_tape_status(m->f.tape) != WG_OK)
        return minimize_error;
    wg_descent *d = &m->descent;
    wg_stop stop;
    int64_t i = 0;
    d->evaluations = m->products = 0;
    wg_descent_at(d, x);
    const double start = d->value + minimize_penalty(m);
    for (; !minimize_stops(m, i, &stop); i++) {
        const double before = d->value + minimize_penalty(m);
        if (!m->rule->step(m)) {
            const bool error = wg_tape_status(m->f.tape) != WG_OK;
            return minimize_result(m, error ? WG_STOP_ERROR : WG_STOP_LINE_SEARCH, i, start);
        }
        const double after = d->value + minimize_penalty(m);
        const double fall = fmax(before - after, m->rule->gain != NULL ? m->rule->gain(m) : 0);
        if (m->o.value_tolerance > 0 && fall <= m->o.value_tolerance * fmax(fabs(after), 1))
            return minimize_result(m, WG_STOP_VALUE, i + 1, start);
    }
    return minimize_result(m, stop, i, start);
}

bool wg_minimizer_state(wg_minimizer *m, int64_t i, wg_state_entry *entry)
{
    return !minimize_is_inert(m) && m->rule->state != NULL && i >= 0 && m->rule->state(m, i, entry);
}

/* ---- Making one. ----------------------------------------------------------------------------- */

static const wg_minimizer_rule *minimize_rule(wg_minimizer_method method)
{
    static const wg_minimizer_rule *const rules[] = {[WG_LBFGS] = &wg_lbfgs_rule,
                                                     [WG_NEWTON] = &wg_newton_rule,
                                                     [WG_NEWTON_EXACT] = &wg_newton_exact_rule,
                                                     [WG_PROXIMAL] = &wg_proximal_rule};
    return (unsigned)method < sizeof rules / sizeof *rules ? rules[method] : NULL;
}

/* Pairs of n doubles each: ten, or as many as are 128 MB together, but three. */
static int64_t minimize_history(int64_t n)
{
    const int64_t fit = (INT64_C(1) << 27) / (2 * (int64_t)sizeof(double)) / (n > 0 ? n : 1);
    return fit > 10 ? 10 : fit > 3 ? fit : 3;
}

static bool minimize_options_fit(wg_minimizer *m)
{
    wg_minimizer_options *o = &m->o;
    wg_tape *t = m->f.tape;
    m->rule = minimize_rule(o->method);
    if (m->rule == NULL) {
        wg_fail(t, WG_E_VALUE, "minimizer: no method is %d", (int)o->method);
        return false;
    }
    o->iterations = o->iterations != 0 ? o->iterations : m->rule->iterations;
    o->tolerance = o->tolerance != 0 ? o->tolerance : 1e-8;
    o->history = o->history != 0 ? o->history : minimize_history(m->f.n);
    o->products = o->products != 0 ? o->products : m->f.n > 10 ? 10 * m->f.n : 100;
    if (!(o->iterations > 0 && o->tolerance > 0 && o->value_tolerance >= 0 && o->history > 0 &&
          o->products > 0 && isfinite(o->tolerance) && isfinite(o->value_tolerance)))
        wg_fail(t, WG_E_VALUE,
                "%s: iterations %" PRId64 ", tolerances %g and %g, history %" PRId64
                ", products %" PRId64,
                m->rule->name, o->iterations, o->tolerance, o->value_tolerance, o->history,
                o->products);
    else if (!(o->l1 >= 0 && o->l2 >= 0 && isfinite(o->l1) && isfinite(o->l2)))
        wg_fail(t, WG_E_VALUE, "%s: l1 = %g, l2 = %g", m->rule->name, o->l1, o->l2);
    else if ((o->l1 > 0 || o->l2 > 0) && o->method != WG_PROXIMAL)
        wg_fail(t, WG_E_VALUE, "%s: l1 and l2 are penalties of WG_PROXIMAL", m->rule->name);
    return wg_tape_status(t) == WG_OK;
}

wg_minimizer *wg_minimizer_new(const wg_objective *f, const wg_minimizer_options *options)
{
    wg_minimizer *m = wg_tape_take(f->tape, sizeof *m);
    if (m == NULL)
        return minimize_none();
    *m = (wg_minimizer){.f = *f, .given = *f};
    m->f.noise = f->noise != 0 ? f->noise : wg_objective_noise(WG_F64);
    if (options != NULL)
        m->o = *options;
    return minimize_options_fit(m) && wg_descent_new(&m->descent, &m->f) && m->rule->take(m)
               ? m
               : minimize_none();
}

wg_optimum wg_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                       const wg_minimizer_options *options)
{
    wg_minimizer_options o = {0};
    if (options != NULL)
        o = *options;
    if (loss != NULL && wg_is_stale(loss)) /* as an error that ended another minimization left it */
        wg_replay_to(&loss, 1);
    const wg_mark mark = wg_tape_mark(loss != NULL ? loss->tape : NULL);
    const wg_objective f = wg_objective_new(loss, params, n, o.method == WG_NEWTON);
    double *x = wg_vector_new(f.tape, f.n);
    if (x != NULL && o.method == WG_PROXIMAL && o.penalized == NULL)
        o.penalized = wg_params_penalized(f.tape, params, n);
    wg_minimizer *m = wg_minimizer_new(&f, &o);
    if (x != NULL)
        wg_params_to_vector(params, n, x);
    const wg_optimum minimum = wg_minimizer_run(m, x);
    if (minimum.stop != WG_STOP_ERROR) {
        wg_tape_rewind(f.tape, mark);
        wg_replay_to(&loss, 1);
    }
    return minimum;
}
