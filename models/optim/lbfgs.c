/* L-BFGS: directions from the last changes of the gradient. */
#include "models/optim/lbfgs.h"

#include "models/optim/minimize_internal.h"

#include <inttypes.h>
#include <math.h>

struct wg_lbfgs {
    wg_objective f; /* tape NULL: inert */
    wg_lbfgs_options options;
    wg_descent descent;
    double *s, *y;    /* [history, n]: pair k stands in row k % history */
    double *alpha;    /* [history]: work */
    int64_t pairs[2]; /* pairs begin ... end - 1 are in use */
};

static const wg_lbfgs lbfgs_inert = {.f = {.tape = NULL}};

static wg_lbfgs *lbfgs_none(void)
{
    return (wg_lbfgs *)(uintptr_t)&lbfgs_inert;
}

static bool lbfgs_is_inert(const wg_lbfgs *l)
{
    return l == NULL || l->f.tape == NULL;
}

/* ---- The direction. ----------------------------------------------------------------------------- */

static double *lbfgs_row(const wg_lbfgs *l, double *matrix, int64_t pair)
{
    return matrix + (pair % l->options.history) * l->f.n;
}

/* d = -H g (Nocedal, Wright 2006, alg. 7.4), H beginning as (s'y / y'y) I of the newest pair. */
static void lbfgs_direction(wg_lbfgs *l)
{
    const int64_t n = l->f.n, begin = l->pairs[0], end = l->pairs[1];
    double *d = l->descent.direction;
    for (int64_t i = 0; i < n; i++)
        d[i] = -l->descent.gradient[i];
    for (int64_t k = end - 1; k >= begin; k--) {
        const double *s = lbfgs_row(l, l->s, k), *y = lbfgs_row(l, l->y, k);
        const double a = wg_vector_dot(n, s, d) / wg_vector_dot(n, s, y);
        l->alpha[k % l->options.history] = a;
        wg_vector_add(n, -a, y, d);
    }
    if (end > begin) {
        const double *s = lbfgs_row(l, l->s, end - 1), *y = lbfgs_row(l, l->y, end - 1);
        const double scale = wg_vector_dot(n, s, y) / wg_vector_dot(n, y, y);
        for (int64_t i = 0; i < n; i++)
            d[i] *= scale;
    }
    for (int64_t k = begin; k < end; k++) {
        const double *s = lbfgs_row(l, l->s, k), *y = lbfgs_row(l, l->y, k);
        const double b = wg_vector_dot(n, y, d) / wg_vector_dot(n, s, y);
        wg_vector_add(n, l->alpha[k % l->options.history] - b, s, d);
    }
}

/* Notes the pair of the step from x to trial, unless the derivative does not rise along it: then H would not
 * be positive. */
static void lbfgs_learn(wg_lbfgs *l)
{
    const wg_descent *d = &l->descent;
    const int64_t n = l->f.n;
    double *s = lbfgs_row(l, l->s, l->pairs[1]), *y = lbfgs_row(l, l->y, l->pairs[1]);
    /* The row is that of the oldest pair where the history is full. */
    if (l->pairs[1] - l->pairs[0] == l->options.history)
        l->pairs[0]++;
    for (int64_t i = 0; i < n; i++) {
        s[i] = d->trial[i] - d->x[i];
        y[i] = d->trial_gradient[i] - d->gradient[i];
    }
    if (wg_vector_dot(n, s, y) > 0x1p-52 * wg_vector_dot(n, y, y))
        l->pairs[1]++;
}

static void lbfgs_forget(wg_lbfgs *l)
{
    l->pairs[0] = l->pairs[1] = 0;
}

/* ---- Running. --------------------------------------------------------------------------------- */

/* One step; false where there is none, not even along the gradient. */
static bool lbfgs_step(wg_lbfgs *l, double *fall)
{
    wg_descent *d = &l->descent;
    double value;
    for (;;) {
        const bool knows = l->pairs[1] > l->pairs[0];
        lbfgs_direction(l);
        /* Without a scale of its own the first step is of length 1 at most. */
        const double length = sqrt(wg_vector_dot(l->f.n, d->direction, d->direction));
        if (wg_line_search(d, knows || length <= 1 ? 1 : 1 / length, &value))
            break;
        if (!knows || wg_tape_status(l->f.tape) != WG_OK)
            return false;
        lbfgs_forget(l);
    }
    *fall = d->value - value;
    lbfgs_learn(l);
    wg_descent_move(d, value);
    return true;
}

/* A restored state may hold anything. */
static bool lbfgs_pairs_fit(const wg_lbfgs *l)
{
    const int64_t begin = l->pairs[0], end = l->pairs[1];
    if (begin >= 0 && end >= begin && end - begin <= l->options.history && end < INT64_MAX)
        return true;
    wg_fail(l->f.tape, WG_E_VALUE, "lbfgs: a state with pairs %" PRId64 " to %" PRId64, begin, end);
    return false;
}

static wg_optimum lbfgs_result(wg_lbfgs *l, wg_stop stop, int64_t iterations)
{
    wg_descent *d = &l->descent;
    if (stop == WG_STOP_LINE_SEARCH)
        wg_descent_at(d, d->x); /* the last trial was another point */
    return (wg_optimum){.stop = stop,
                        .iterations = iterations,
                        .evaluations = d->evaluations,
                        .value = d->value,
                        .gradient_norm = wg_vector_largest(l->f.n, d->gradient)};
}

wg_optimum wg_lbfgs_run(wg_lbfgs *l, double x[])
{
    const wg_optimum none = {
        .stop = WG_STOP_ERROR, .value = (double)NAN, .gradient_norm = (double)NAN};
    if (lbfgs_is_inert(l) || wg_tape_status(l->f.tape) != WG_OK || !lbfgs_pairs_fit(l))
        return none;
    wg_descent *d = &l->descent;
    wg_stop stop;
    int64_t i = 0;
    d->evaluations = 0;
    wg_descent_at(d, x);
    for (; !wg_descent_stops(d, l->options.tolerance, i, l->options.iterations, &stop); i++) {
        double fall;
        if (!lbfgs_step(l, &fall))
            return lbfgs_result(
                l, wg_tape_status(l->f.tape) == WG_OK ? WG_STOP_LINE_SEARCH : WG_STOP_ERROR, i);
        if (l->options.value_tolerance > 0 &&
            fall <= l->options.value_tolerance * fmax(fabs(d->value), 1))
            return lbfgs_result(l, WG_STOP_VALUE, i + 1);
    }
    return lbfgs_result(l, stop, i);
}

/* ---- Making it. ------------------------------------------------------------------------------- */

static bool lbfgs_set_options(wg_lbfgs *l, const wg_lbfgs_options *options)
{
    wg_lbfgs_options *o = &l->options;
    if (options != NULL)
        *o = *options;
    if (o->history == 0)
        o->history = 10;
    if (o->iterations == 0)
        o->iterations = 1000;
    if (o->tolerance == 0)
        o->tolerance = 1e-8;
    if (o->history > 0 && o->iterations > 0 && o->tolerance > 0 && o->value_tolerance >= 0)
        return true;
    wg_fail(l->f.tape, WG_E_VALUE,
            "lbfgs: history %" PRId64 ", iterations %" PRId64 ", tolerances %g and %g", o->history,
            o->iterations, o->tolerance, o->value_tolerance);
    return false;
}

static bool lbfgs_take(wg_lbfgs *l)
{
    int64_t size;
    if (!wg_size_multiply(l->options.history, l->f.n, &size))
        size = -1;
    l->s = wg_vector_new(&l->f, size);
    l->y = wg_vector_new(&l->f, size);
    l->alpha = wg_vector_new(&l->f, l->options.history);
    return wg_tape_status(l->f.tape) == WG_OK;
}

wg_lbfgs *wg_lbfgs_new(const wg_objective *f, const wg_lbfgs_options *options)
{
    wg_lbfgs *l = wg_tape_take(f->tape, sizeof *l);
    if (l == NULL)
        return lbfgs_none();
    l->f = *f;
    return lbfgs_set_options(l, options) && wg_descent_new(&l->descent, &l->f) && lbfgs_take(l)
               ? l
               : lbfgs_none();
}

bool wg_lbfgs_state(wg_lbfgs *l, int64_t i, wg_state_entry *entry)
{
    if (lbfgs_is_inert(l) || i < 0 || i > 2)
        return false;
    const wg_shape two = {.ndim = 1, .dim = {2}};
    const wg_shape rows = {.ndim = 2, .dim = {l->options.history, l->f.n}};
    *entry = i == 0   ? (wg_state_entry){"lbfgs.pairs", WG_I64, two, l->pairs}
             : i == 1 ? (wg_state_entry){"lbfgs.s", WG_F64, rows, l->s}
                      : (wg_state_entry){"lbfgs.y", WG_F64, rows, l->y};
    return true;
}

wg_optimum wg_lbfgs_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                             const wg_lbfgs_options *options)
{
    const wg_mark mark = wg_tape_mark(loss != NULL ? loss->tape : NULL);
    const wg_objective f = wg_objective_new(loss, params, n, false);
    wg_lbfgs *l = wg_lbfgs_new(&f, options);
    double *x = wg_vector_new(&f, f.n);
    if (x != NULL)
        wg_params_to_vector(params, n, x);
    const wg_optimum minimum = wg_lbfgs_run(x != NULL ? l : NULL, x);
    if (minimum.stop != WG_STOP_ERROR) {
        wg_tape_rewind(f.tape, mark);
        wg_replay_to(&loss, 1);
    }
    return minimum;
}
