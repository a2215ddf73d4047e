/* Descents: vectors, the place where a descent is, and the search along a direction for the
 * next. */
#include "models/optim/minimize_internal.h"

#include <math.h>
#include <string.h>

/* ---- Vectors. -------------------------------------------------------------------------------- */

double wg_vector_dot(int64_t n, const double x[], const double y[])
{
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += x[i + k] * y[i + k];
    for (; i < n; i++)
        sum[0] += x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void wg_vector_add(int64_t n, double a, const double x[], double y[])
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

double wg_vector_largest(int64_t n, const double x[])
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= largest))
            largest = fabs(x[i]);
    return largest;
}

/* ---- Descents. ------------------------------------------------------------------------------- */

bool wg_descent_new(wg_descent *d, const wg_objective *f)
{
    *d = (wg_descent){.f = f};
    if (f->n < 1 || f->value_and_gradient == NULL)
        wg_fail(f->tape, WG_E_VALUE, "minimizer: an objective without variables or value");
    d->gradient = wg_vector_new(f->tape, f->n);
    d->direction = wg_vector_new(f->tape, f->n);
    d->trial = wg_vector_new(f->tape, f->n);
    d->trial_gradient = wg_vector_new(f->tape, f->n);
    return wg_tape_status(f->tape) == WG_OK;
}

void wg_descent_at(wg_descent *d, double x[])
{
    d->x = x;
    d->value = d->f->value_and_gradient(x, d->gradient, d->f->user);
    d->evaluations++;
}

void wg_descent_move(wg_descent *d, double value)
{
    const size_t bytes = (size_t)d->f->n * sizeof(double);
    memcpy(d->x, d->trial, bytes);
    memcpy(d->gradient, d->trial_gradient, bytes);
    d->value = value;
}

/* ---- The line search. ------------------------------------------------------------------------
 *
 * A step along a direction of descent that satisfies the strong Wolfe conditions (Nocedal, Wright
 * 2006, "Numerical optimization", eq. 3.7, alg. 3.5 and 3.6). Near an optimum values differ by less
 * than their round-off, long before gradients do; there the first condition is asked of the
 * derivative (Hager, Zhang 2005, "A new conjugate gradient method with guaranteed descent", eq.
 * 4.1). */

/* Of the two conditions, f(t) <= f(0) + DECREASE t f'(0) and |f'(t)| <= CURVATURE |f'(0)|. */
static const double LINE_DECREASE = 1e-4, LINE_CURVATURE = 0.9;

enum { LINE_TRIALS = 40 };

/* f along the line, at a step. */
typedef struct line_point {
    double step, value, derivative;
} line_point;

typedef struct line_search {
    wg_descent *d;
    line_point start;
    line_point low;  /* the lowest point with enough decrease; its derivative leads to high */
    line_point high; /* the other end, once there is one */
    bool bracketed;
    double noise; /* values closer than this are equal */
} line_search;

static line_point line_at(const line_search *s, double step)
{
    wg_descent *d = s->d;
    const int64_t n = d->f->n;
    for (int64_t i = 0; i < n; i++)
        d->trial[i] = d->x[i] + step * d->direction[i];
    d->evaluations++;
    const double value = d->f->value_and_gradient(d->trial, d->trial_gradient, d->f->user);
    return (line_point){step, value, wg_vector_dot(n, d->trial_gradient, d->direction)};
}

static bool line_decreases(const line_search *s, const line_point *p)
{
    if (!isfinite(p->value) || !isfinite(p->derivative))
        return false;
    return p->value <= s->start.value + LINE_DECREASE * p->step * s->start.derivative ||
           (p->value <= s->start.value + s->noise &&
            p->derivative <= (2 * LINE_DECREASE - 1) * s->start.derivative);
}

/* The minimum of the cubic through both ends with their derivatives (Nocedal, Wright, eq. 3.59),
 * or, where their values are equal but for round-off, the zero of the line through the derivatives;
 * NaN if none. */
static double line_interpolate(const line_search *s)
{
    const line_point *a = &s->low, *b = &s->high;
    const double width = b->step - a->step;
    if (fabs(a->value - b->value) <= 8 * s->noise)
        return a->step - a->derivative * width / (b->derivative - a->derivative);
    const double d1 = a->derivative + b->derivative - 3 * (a->value - b->value) / -width;
    const double d2 = copysign(sqrt(d1 * d1 - a->derivative * b->derivative), width);
    return b->step - width * (b->derivative + d2 - d1) / (b->derivative - a->derivative + 2 * d2);
}

/* Between the ends, not too near to either; every third time the middle, so that the bracket
 * shrinks. */
static double line_between(const line_search *s, int trial)
{
    const double width = s->high.step - s->low.step, middle = s->low.step + width / 2;
    if (!isfinite(s->high.value) || !isfinite(s->high.derivative))
        return s->low.step + width / 8;
    double step = trial % 3 == 2 ? middle : line_interpolate(s);
    const double share = (step - s->low.step) / width;
    return share >= 0.05 && share <= 0.95 ? step : middle;
}

/* Takes p into the bracket. True: p satisfies both conditions. */
static bool line_takes(line_search *s, const line_point *p)
{
    if (!line_decreases(s, p) || p->value > s->low.value + s->noise) {
        s->high = *p;
        s->bracketed = true;
        return false;
    }
    if (fabs(p->derivative) <= -LINE_CURVATURE * s->start.derivative)
        return true;
    const double onward = s->bracketed ? s->high.step - s->low.step : 1;
    if (p->derivative * onward >= 0) {
        s->high = s->low;
        s->bracketed = true;
    }
    s->low = *p;
    return false;
}

bool wg_line_search(wg_descent *d, double first, double *value)
{
    const double derivative = wg_vector_dot(d->f->n, d->gradient, d->direction);
    line_search s = {
        .d = d, .start = {0, d->value, derivative}, .noise = d->f->noise * fabs(d->value)};
    s.low = s.start;
    if (!(derivative < 0))
        return false;
    double step = first;
    for (int trial = 0; trial < LINE_TRIALS; trial++) {
        const line_point p = line_at(&s, step);
        if (wg_tape_status(d->f->tape) != WG_OK)
            return false;
        if (line_takes(&s, &p)) {
            *value = p.value;
            return true;
        }
        step = s.bracketed ? line_between(&s, trial) : 4 * step;
        if (!isfinite(step) || step == s.low.step || step == s.high.step)
            break;
    }
    if (!(s.low.value < s.start.value))
        return false;
    *value = line_at(&s, s.low.step).value;
    return true;
}
