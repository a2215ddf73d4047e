/* Proximal gradient, accelerated, for L1 and elastic net. */
#include "models/optim/proximal.h"

#include "models/optim/minimize_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* A point with the smooth part there: f + sum l2 x^2 / 2. */
typedef struct proximal_point {
    double *x, *gradient; /* [n] */
    double value;
} proximal_point;

typedef struct proximal_work {
    const wg_objective *f;
    const double *l1, *l2;
    wg_proximal_options options;
    proximal_point from, to; /* of a proximal step: the extrapolated point, and where it leads */
    double *x;               /* the best so far: where the last step led */
    double *move;            /* to - from */
    double bend;             /* the Lipschitz constant of the gradient, as far as it is known */
    int64_t evaluations;
} proximal_work;

static void proximal_evaluate(proximal_work *w, proximal_point *p)
{
    w->evaluations++;
    p->value = w->f->value_and_gradient(p->x, p->gradient, w->f->user);
    for (int64_t i = 0; i < w->f->n; i++) {
        p->value += w->l2[i] / 2 * p->x[i] * p->x[i];
        p->gradient[i] += w->l2[i] * p->x[i];
    }
}

/* The largest |element| of the subgradient that is nearest to 0. */
static double proximal_residual(const proximal_work *w, const proximal_point *p)
{
    double largest = 0;
    for (int64_t i = 0; i < w->f->n; i++) {
        const double g = p->gradient[i], x = p->x[i];
        const double r = x != 0 ? fabs(g + copysign(w->l1[i], x)) : fabs(g) - w->l1[i];
        if (!(r <= largest))
            largest = r;
    }
    return largest;
}

/* to = prox(from - gradient / bend): towards 0 by l1 / bend, and not past it. */
static void proximal_shrink(proximal_work *w)
{
    for (int64_t i = 0; i < w->f->n; i++) {
        const double z = w->from.x[i] - w->from.gradient[i] / w->bend;
        const double size = fabs(z) - w->l1[i] / w->bend;
        w->to.x[i] = size > 0 ? copysign(size, z) : z - z; /* a NaN stays */
        w->move[i] = w->to.x[i] - w->from.x[i];
    }
}

/* Does the parabola at `from` lie above the function at `to`? By the values, or, where round-off hides that,
 * by the derivatives: for convex f, f(to) - f(from) - f'(from) m <= (f'(to) - f'(from)) m. */
static bool proximal_bends_enough(const proximal_work *w)
{
    const int64_t n = w->f->n;
    const double square = w->bend / 2 * wg_vector_dot(n, w->move, w->move);
    const double before = wg_vector_dot(n, w->from.gradient, w->move);
    const double after = wg_vector_dot(n, w->to.gradient, w->move);
    return w->to.value <= w->from.value + before + square || after - before <= square;
}

/* One step from `from`. False: no bend is enough, or an error. */
static bool proximal_step(proximal_work *w)
{
    for (; isfinite(w->bend); w->bend *= 2) {
        proximal_shrink(w);
        proximal_evaluate(w, &w->to);
        if (wg_tape_status(w->f->tape) != WG_OK)
            return false;
        if (isfinite(w->to.value) && proximal_bends_enough(w))
            return true;
    }
    return false;
}

/* The next `from`, beyond `to` in the direction of the last step; `to` itself where that went uphill. */
static double proximal_extrapolate(proximal_work *w, double t)
{
    const int64_t n = w->f->n;
    double uphill = 0;
    for (int64_t i = 0; i < n; i++)
        uphill -= w->move[i] * (w->to.x[i] - w->x[i]);
    const double next = uphill > 0 ? 1 : (1 + sqrt(1 + 4 * t * t)) / 2;
    const double share = uphill > 0 ? 0 : (t - 1) / next;
    for (int64_t i = 0; i < n; i++)
        w->from.x[i] = w->to.x[i] + share * (w->to.x[i] - w->x[i]);
    memcpy(w->x, w->to.x, (size_t)n * sizeof *w->x);
    return next;
}

/* Where extrapolation has left the function's domain: from = to. */
static void proximal_stay(proximal_work *w)
{
    const size_t bytes = (size_t)w->f->n * sizeof(double);
    memcpy(w->from.x, w->to.x, bytes);
    memcpy(w->from.gradient, w->to.gradient, bytes);
    w->from.value = w->to.value;
}

static wg_stop proximal_descend(proximal_work *w, int64_t *iterations)
{
    const size_t bytes = (size_t)w->f->n * sizeof(double);
    double t = 1;
    memcpy(w->to.x, w->x, bytes);
    memcpy(w->from.x, w->x, bytes);
    proximal_evaluate(w, &w->to);
    for (*iterations = 0;; ++*iterations) {
        const double residual = proximal_residual(w, &w->to);
        if (wg_tape_status(w->f->tape) != WG_OK)
            return WG_STOP_ERROR;
        if (!isfinite(w->to.value) || !isfinite(residual))
            return WG_STOP_NOT_FINITE;
        if (residual <= w->options.tolerance)
            return WG_STOP_GRADIENT;
        if (*iterations == w->options.iterations)
            return WG_STOP_ITERATIONS;
        proximal_evaluate(w, &w->from);
        if (!isfinite(w->from.value))
            proximal_stay(w);
        if (!proximal_step(w))
            return wg_tape_status(w->f->tape) != WG_OK ? WG_STOP_ERROR : WG_STOP_LINE_SEARCH;
        t = proximal_extrapolate(w, t);
    }
}

/* ---- Running. --------------------------------------------------------------------------------- */

static bool proximal_set_options(proximal_work *w, const wg_proximal_options *options)
{
    wg_proximal_options *o = &w->options;
    if (options != NULL)
        *o = *options;
    if (o->iterations == 0)
        o->iterations = 10000;
    if (o->tolerance == 0)
        o->tolerance = 1e-8;
    if (o->iterations > 0 && o->tolerance > 0 && o->l1 >= 0 && o->l2 >= 0 && isfinite(o->l1) &&
        isfinite(o->l2))
        return true;
    wg_fail(w->f->tape, WG_E_VALUE,
            "proximal: l1 = %g, l2 = %g, iterations %" PRId64 ", tolerance %g", o->l1, o->l2,
            o->iterations, o->tolerance);
    return false;
}

static bool proximal_take(proximal_work *w)
{
    double **const vectors[] = {&w->from.x, &w->from.gradient, &w->to.x, &w->to.gradient, &w->move};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        *vectors[i] = wg_vector_new(w->f, w->f->n);
    if (w->f->n < 1 || w->f->value_and_gradient == NULL)
        wg_fail(w->f->tape, WG_E_VALUE, "proximal: an objective without variables or value");
    return wg_tape_status(w->f->tape) == WG_OK;
}

static wg_optimum proximal_result(proximal_work *w, wg_stop stop, int64_t iterations)
{
    double penalty = 0;
    for (int64_t i = 0; i < w->f->n; i++)
        penalty += w->l1[i] * fabs(w->x[i]);
    if (stop == WG_STOP_LINE_SEARCH) { /* the last evaluation was elsewhere */
        memcpy(w->to.x, w->x, (size_t)w->f->n * sizeof(double));
        proximal_evaluate(w, &w->to);
    }
    return (wg_optimum){.stop = stop,
                        .iterations = iterations,
                        .evaluations = w->evaluations,
                        .value = w->to.value + penalty,
                        .gradient_norm = proximal_residual(w, &w->to)};
}

wg_optimum wg_proximal_run(const wg_objective *f, double x[], const double l1[], const double l2[],
                           const wg_proximal_options *options)
{
    /* A bend to begin with that is small: a step too long costs an evaluation, one too short many. */
    proximal_work w = {.f = f, .l1 = l1, .l2 = l2, .x = x, .bend = 0x1p-10};
    int64_t iterations;
    if (wg_tape_status(f->tape) != WG_OK || !proximal_set_options(&w, options) ||
        !proximal_take(&w))
        return (wg_optimum){
            .stop = WG_STOP_ERROR, .value = (double)NAN, .gradient_norm = (double)NAN};
    const wg_stop stop = proximal_descend(&w, &iterations);
    return proximal_result(&w, stop, iterations);
}

/* The penalties of each variable: [2 n], l1 before l2. */
static double *proximal_factors(const wg_objective *f, wg_tensor *const params[], int n,
                                const wg_proximal_options *o)
{
    double *l1 = wg_vector_new(f, 2 * f->n), *l2 = l1 != NULL ? l1 + f->n : NULL;
    int64_t at = 0;
    for (int i = 0; l1 != NULL && i < n; i++)
        for (int64_t k = 0; k < params[i]->size; k++, at++) {
            const bool penalized = o->penalize_all || params[i]->shape.ndim >= 2;
            l1[at] = penalized ? o->l1 : 0;
            l2[at] = penalized ? o->l2 : 0;
        }
    return l1;
}

wg_optimum wg_proximal_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                                const wg_proximal_options *options)
{
    wg_proximal_options o = {0};
    if (options != NULL)
        o = *options;
    const wg_mark mark = wg_tape_mark(loss != NULL ? loss->tape : NULL);
    const wg_objective f = wg_objective_new(loss, params, n, false);
    double *x = wg_vector_new(&f, f.n), *l1 = proximal_factors(&f, params, n, &o);
    if (x != NULL)
        wg_params_to_vector(params, n, x);
    const wg_optimum minimum = wg_proximal_run(&f, x, l1, l1 != NULL ? l1 + f.n : NULL, &o);
    if (minimum.stop != WG_STOP_ERROR) {
        wg_tape_rewind(f.tape, mark);
        wg_replay_to(&loss, 1);
    }
    return minimum;
}
