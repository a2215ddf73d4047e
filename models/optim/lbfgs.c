/* L-BFGS: directions from the last changes of the gradient. */
#include "models/optim/minimize_internal.h"

#include <inttypes.h>
#include <math.h>

typedef struct lbfgs_pairs {
    double *s, *y;    /* [history, n]: pair k stands in row k % history */
    double *alpha;    /* [history]: work */
    int64_t pairs[2]; /* pairs begin ... end - 1 are in use */
} lbfgs_pairs;

/* ---- The direction. -------------------------------------------------------------------------- */

static double *lbfgs_row(const wg_minimizer *m, double *matrix, int64_t pair)
{
    return matrix + (pair % m->o.history) * m->f.n;
}

/* d = -H g (Nocedal, Wright 2006, alg. 7.4), H beginning as (s'y / y'y) I of the newest pair. */
static void lbfgs_direction(wg_minimizer *m)
{
    lbfgs_pairs *l = m->work;
    const int64_t n = m->f.n, begin = l->pairs[0], end = l->pairs[1];
    double *d = m->descent.direction;
    for (int64_t i = 0; i < n; i++)
        d[i] = -m->descent.gradient[i];
    for (int64_t k = end - 1; k >= begin; k--) {
        const double *s = lbfgs_row(m, l->s, k), *y = lbfgs_row(m, l->y, k);
        const double a = wg_vector_dot(n, s, d) / wg_vector_dot(n, s, y);
        l->alpha[k % m->o.history] = a;
        wg_vector_add(n, -a, y, d);
    }
    if (end > begin) {
        const double *s = lbfgs_row(m, l->s, end - 1), *y = lbfgs_row(m, l->y, end - 1);
        const double scale = wg_vector_dot(n, s, y) / wg_vector_dot(n, y, y);
        for (int64_t i = 0; i < n; i++)
            d[i] *= scale;
    }
    for (int64_t k = begin; k < end; k++) {
        const double *s = lbfgs_row(m, l->s, k), *y = lbfgs_row(m, l->y, k);
        const double b = wg_vector_dot(n, y, d) / wg_vector_dot(n, s, y);
        wg_vector_add(n, l->alpha[k % m->o.history] - b, s, d);
    }
}

/* Notes the pair of the step from x to trial, unless the derivative does not rise along it: then H
 * would not be positive. s'y is held against what rounding makes of it, a part of the lengths'
 * product (Higham 2002, "Accuracy and stability of numerical algorithms", eq. 3.5), which is in the
 * units of f as s'y is: y'y alone is not, and would bound curvature. */
static void lbfgs_learn(wg_minimizer *m)
{
    lbfgs_pairs *l = m->work;
    const wg_descent *d = &m->descent;
    const int64_t n = m->f.n;
    double *s = lbfgs_row(m, l->s, l->pairs[1]), *y = lbfgs_row(m, l->y, l->pairs[1]);
    /* The row is that of the oldest pair where the history is full. */
    if (l->pairs[1] - l->pairs[0] == m->o.history)
        l->pairs[0]++;
    for (int64_t i = 0; i < n; i++) {
        s[i] = d->trial[i] - d->x[i];
        y[i] = d->trial_gradient[i] - d->gradient[i];
    }
    const double lengths = sqrt(wg_vector_dot(n, s, s)) * sqrt(wg_vector_dot(n, y, y));
    if (wg_vector_dot(n, s, y) > 0x1p-52 * lengths)
        l->pairs[1]++;
}

static void lbfgs_forget(lbfgs_pairs *l)
{
    l->pairs[0] = l->pairs[1] = 0;
}

/* ---- The rule. ------------------------------------------------------------------------------- */

/* A restored state may hold anything. */
static bool lbfgs_pairs_fit(const wg_minimizer *m)
{
    const lbfgs_pairs *l = m->work;
    const int64_t begin = l->pairs[0], end = l->pairs[1];
    if (begin >= 0 && end >= begin && end - begin <= m->o.history && end < INT64_MAX)
        return true;
    wg_fail(m->f.tape, WG_E_VALUE, "lbfgs: a state with pairs %" PRId64 " to %" PRId64, begin, end);
    return false;
}

/* One step; false where there is none, not even along the gradient. */
static bool lbfgs_step(wg_minimizer *m)
{
    lbfgs_pairs *l = m->work;
    wg_descent *d = &m->descent;
    double value;
    if (!lbfgs_pairs_fit(m))
        return false;
    for (;;) {
        const bool knows = l->pairs[1] > l->pairs[0];
        lbfgs_direction(m);
        /* Without a scale of its own the first step is of length 1 at most. */
        const double length = sqrt(wg_vector_dot(m->f.n, d->direction, d->direction));
        if (wg_line_search(d, knows || length <= 1 ? 1 : 1 / length, &value))
            break;
        if (!knows || wg_tape_status(m->f.tape) != WG_OK)
            return false;
        lbfgs_forget(l);
    }
    lbfgs_learn(m);
    wg_descent_move(d, value);
    return true;
}

static bool lbfgs_take(wg_minimizer *m)
{
    wg_tape *t = m->f.tape;
    int64_t size, bytes;
    if (!wg_size_multiply(m->o.history, m->f.n, &size) ||
        !wg_size_multiply(size, (int64_t)sizeof(double), &bytes))
        wg_fail(t, WG_E_VALUE,
                "minimizer: option history = %" PRId64 " of %" PRId64 " numbers each is too much",
                m->o.history, m->f.n);
    lbfgs_pairs *l = m->work = wg_tape_take(t, sizeof *l);
    if (l == NULL)
        return false;
    l->s = wg_vector_new(t, size);
    l->y = wg_vector_new(t, size);
    l->alpha = wg_vector_new(t, m->o.history);
    return wg_tape_status(t) == WG_OK;
}

static bool lbfgs_state(wg_minimizer *m, int64_t i, wg_state_entry *entry)
{
    lbfgs_pairs *l = m->work;
    const wg_shape two = {.ndim = 1, .dim = {2}};
    const wg_shape rows = {.ndim = 2, .dim = {m->o.history, m->f.n}};
    if (i > 2)
        return false;
    *entry = i == 0   ? (wg_state_entry){"lbfgs.pairs", WG_I64, two, l->pairs}
             : i == 1 ? (wg_state_entry){"lbfgs.s", WG_F64, rows, l->s}
                      : (wg_state_entry){"lbfgs.y", WG_F64, rows, l->y};
    return true;
}

const wg_minimizer_rule wg_lbfgs_rule = {.name = "lbfgs",
                                         .iterations = 1000,
                                         .take = lbfgs_take,
                                         .step = lbfgs_step,
                                         .state = lbfgs_state};
