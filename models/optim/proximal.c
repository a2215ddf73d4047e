/* Proximal gradient, accelerated, for L1 and elastic net. */
#include "models/optim/minimize_internal.h"

#include <math.h>
#include <string.h>

/* A descent's x and gradient are where the last step led; `from` is where the next one starts. */
typedef struct proximal_work {
    double *from, *gradient; /* [n]: beyond x, in the direction of the last step */
    double value;            /* of the smooth part there: f + sum l2 x^2 / 2 */
    double *move;            /* [n]: trial - from */
    double numbers[2];       /* BEND, MOMENTUM; see the enum */
} proximal_work;

/* The Lipschitz constant of the gradient, as far as it is known; Nesterov's t, 0 before the first
 * step. */
enum { PROXIMAL_BEND, PROXIMAL_MOMENTUM };

/* The smooth part: what a descent sees as the objective. */
static double proximal_smooth(const double x[], double g[], void *user)
{
    const wg_minimizer *m = user;
    double value = m->given.value_and_gradient(x, g, m->given.user);
    for (int64_t i = 0; m->o.l2 > 0 && i < m->f.n; i++) {
        const double l2 = m->o.l2 * m->o.penalized[i];
        value += l2 / 2 * x[i] * x[i];
        g[i] += l2 * x[i];
    }
    return value;
}

/* The largest |element| of the subgradient that is nearest to 0. */
static double proximal_residual(const wg_minimizer *m)
{
    double largest = 0;
    for (int64_t i = 0; i < m->f.n; i++) {
        const double g = m->descent.gradient[i], x = m->descent.x[i];
        const double l1 = m->o.l1 * m->o.penalized[i];
        const double r = x != 0 ? fabs(g + copysign(l1, x)) : fabs(g) - l1;
        if (!(r <= largest))
            largest = r;
    }
    return largest;
}

/* An accelerated step rises now and then, long before the minimum. Without acceleration the value
 * falls by bend / 2 |move|^2 or more (Beck, Teboulle 2009, lemma 2.3). */
static double proximal_gain(const wg_minimizer *m)
{
    const proximal_work *w = m->work;
    return w->numbers[PROXIMAL_BEND] / 2 * wg_vector_dot(m->f.n, w->move, w->move);
}

/* trial = prox(from - gradient / bend): towards 0 by l1 / bend, and not past it. */
static void proximal_shrink(wg_minimizer *m)
{
    const proximal_work *w = m->work;
    const double bend = w->numbers[PROXIMAL_BEND];
    double *trial = m->descent.trial;
    for (int64_t i = 0; i < m->f.n; i++) {
        const double z = w->from[i] - w->gradient[i] / bend;
        const double size = fabs(z) - m->o.l1 * m->o.penalized[i] / bend;
        trial[i] = size > 0 ? copysign(size, z) : z - z; /* a NaN stays */
        w->move[i] = trial[i] - w->from[i];
    }
}

/* Does the parabola at `from` lie above the function at the trial? By the values, or, where
 * round-off hides that, by the derivatives: for convex f, f(to) - f(from) - f'(from) m <= (f'(to) -
 * f'(from)) m. */
static bool proximal_bends_enough(const wg_minimizer *m, double value)
{
    const proximal_work *w = m->work;
    const int64_t n = m->f.n;
    const double square = w->numbers[PROXIMAL_BEND] / 2 * wg_vector_dot(n, w->move, w->move);
    const double before = wg_vector_dot(n, w->gradient, w->move);
    const double after = wg_vector_dot(n, m->descent.trial_gradient, w->move);
    return value <= w->value + before + square || after - before <= square;
}

/* The next `from`, beyond the trial in the direction of the step from x; the trial itself where
 * that went uphill. */
static void proximal_extrapolate(wg_minimizer *m)
{
    proximal_work *w = m->work;
    const wg_descent *d = &m->descent;
    const double t = w->numbers[PROXIMAL_MOMENTUM];
    double uphill = 0;
    for (int64_t i = 0; i < m->f.n; i++)
        uphill -= w->move[i] * (d->trial[i] - d->x[i]);
    const double next = uphill > 0 ? 1 : (1 + sqrt(1 + 4 * t * t)) / 2;
    const double share = uphill > 0 ? 0 : (t - 1) / next;
    for (int64_t i = 0; i < m->f.n; i++)
        w->from[i] = d->trial[i] + share * (d->trial[i] - d->x[i]);
    w->numbers[PROXIMAL_MOMENTUM] = next;
}

/* Values at `from`; x takes its place in the first step, and where extrapolation has left f's
 * domain. */
static void proximal_begin(wg_minimizer *m)
{
    proximal_work *w = m->work;
    const wg_descent *d = &m->descent;
    const size_t bytes = (size_t)m->f.n * sizeof(double);
    if (w->numbers[PROXIMAL_MOMENTUM] > 0) {
        w->value = m->f.value_and_gradient(w->from, w->gradient, m->f.user);
        m->descent.evaluations++;
        if (isfinite(w->value))
            return;
    } else {
        w->numbers[PROXIMAL_MOMENTUM] = 1;
    }
    memcpy(w->from, d->x, bytes);
    memcpy(w->gradient, d->gradient, bytes);
    w->value = d->value;
}

/* A restored state may hold anything. */
static bool proximal_state_fits(const wg_minimizer *m)
{
    const proximal_work *w = m->work;
    const double bend = w->numbers[PROXIMAL_BEND], momentum = w->numbers[PROXIMAL_MOMENTUM];
    bool fits = bend > 0 && isfinite(bend) && isfinite(momentum) &&
                (momentum == 0 || momentum >= 1);
    for (int64_t i = 0; fits && momentum > 0 && i < m->f.n; i++)
        fits = isfinite(w->from[i]);
    if (!fits)
        wg_fail(
            m->f.tape, WG_E_VALUE,
            "proximal: a state with bend %g and momentum %g, or with numbers that are not finite",
            bend, momentum);
    return fits;
}

static bool proximal_step(wg_minimizer *m)
{
    proximal_work *w = m->work;
    wg_descent *d = &m->descent;
    if (!proximal_state_fits(m))
        return false;
    proximal_begin(m);
    for (; isfinite(w->numbers[PROXIMAL_BEND]); w->numbers[PROXIMAL_BEND] *= 2) {
        proximal_shrink(m);
        const double value = m->f.value_and_gradient(d->trial, d->trial_gradient, m->f.user);
        d->evaluations++;
        if (wg_tape_status(m->f.tape) != WG_OK)
            return false;
        if (isfinite(value) && proximal_bends_enough(m, value)) {
            proximal_extrapolate(m);
            wg_descent_move(d, value);
            return true;
        }
    }
    return false;
}

/* ---- The rule. ------------------------------------------------------------------------------- */

/* A copy of the penalties' factors, or ones. */
static double *proximal_penalized(const wg_minimizer *m)
{
    double *factor = wg_vector_new(m->f.tape, m->f.n);
    for (int64_t i = 0; factor != NULL && i < m->f.n; i++) {
        factor[i] = m->o.penalized != NULL ? m->o.penalized[i] : 1;
        if (!(factor[i] >= 0 && isfinite(factor[i])))
            wg_fail(m->f.tape, WG_E_VALUE, "proximal: a penalty factor is %g", factor[i]);
    }
    return factor;
}

static bool proximal_take(wg_minimizer *m)
{
    wg_tape *t = m->f.tape;
    proximal_work *w = m->work = wg_tape_take(t, sizeof *w);
    m->o.penalized = proximal_penalized(m);
    m->f.value_and_gradient = proximal_smooth;
    m->f.user = m;
    if (w == NULL)
        return false;
    w->from = wg_vector_new(t, m->f.n);
    w->gradient = wg_vector_new(t, m->f.n);
    w->move = wg_vector_new(t, m->f.n);
    /* A bend that is small: a step too long costs an evaluation, one too short many. */
    w->numbers[PROXIMAL_BEND] = 0x1p-10;
    return wg_tape_status(t) == WG_OK;
}

static bool proximal_state(wg_minimizer *m, int64_t i, wg_state_entry *entry)
{
    proximal_work *w = m->work;
    const wg_shape two = {.ndim = 1, .dim = {2}}, all = {.ndim = 1, .dim = {m->f.n}};
    if (i > 1)
        return false;
    *entry = i == 0 ? (wg_state_entry){"proximal.numbers", WG_F64, two, w->numbers}
                    : (wg_state_entry){"proximal.from", WG_F64, all, w->from};
    return true;
}

const wg_minimizer_rule wg_proximal_rule = {.name = "proximal",
                                            .iterations = 10000,
                                            .take = proximal_take,
                                            .step = proximal_step,
                                            .residual = proximal_residual,
                                            .gain = proximal_gain,
                                            .state = proximal_state};
