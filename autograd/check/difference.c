/* Owns the line through x and the stencils on it: a few values of f, and what they tell. */
#include "autograd/check/difference_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- the line -------------------------------------------------------------------------------- */

static double line_evaluate(wg_line *line)
{
    line->evaluations++;
    return line->f(line->x, line->user);
}

bool wg_line_begin(wg_line *line)
{
    line->evaluations = 0;
    line->value = line_evaluate(line);
    return isfinite(line->value);
}

static double line_at_entry(wg_line *line, double t, double *moved)
{
    double *x = &line->x[line->entry];
    const double here = *x, there = here + t;
    *moved = there - here;
    if (!isfinite(there))
        return (double)NAN;
    *x = there;
    const double value = line_evaluate(line);
    *x = here;
    return value;
}

static double line_at_direction(wg_line *line, double t, double *moved)
{
    *moved = t;
    bool finite = true;
    for (size_t i = 0; i < line->n; i++) {
        line->x[i] = line->origin[i] + t * line->direction[i];
        finite = finite && isfinite(line->x[i]);
    }
    const double value = finite ? line_evaluate(line) : (double)NAN;
    memcpy(line->x, line->origin, line->n * sizeof *line->x);
    return value;
}

double wg_line_at(wg_line *line, double t, double *moved)
{
    double ignored;
    if (!moved)
        moved = &ignored;
    return line->direction ? line_at_direction(line, t, moved) : line_at_entry(line, t, moved);
}

bool wg_line_is_finite(const wg_line *line)
{
    bool finite = line->direction || isfinite(line->x[line->entry]);
    for (size_t i = 0; i < line->n && line->direction && finite; i++)
        finite = isfinite(line->origin[i]) && isfinite(line->direction[i]);
    return finite;
}

double wg_power_of_two_below(double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp(1.0, exponent - 1);
}

double wg_line_scale(const wg_line *line)
{
    const double mantissa = line->mantissa > 0.0 ? line->mantissa : 1.0;
    if (line->direction)
        return mantissa;
    const double unit = line->unit > 0.0 ? line->unit : 1.0;
    return mantissa * wg_power_of_two_below(fmax(unit, fabs(line->x[line->entry])));
}

double wg_line_small_scale(const wg_line *line)
{
    const double x = line->direction ? 0.0 : fabs(line->x[line->entry]);
    return x >= DBL_MIN && 2.0 * x < wg_line_scale(line) ? wg_power_of_two_below(x) : 0.0;
}

enum { LINE_LUMP_OCTAVES = 90 }; /* down to where no step moves an ordinary x */

static double line_change(wg_line *line, double t)
{
    const double value = wg_line_at(line, t, NULL);
    return isnan(value) ? 0.0 : fabs(value - line->value);
}

/* The first move of f on one side: steps shrink eightfold until f stands still, then the step at
 * which it moves is bisected. If f comes in lumps, the change there stays one lump; if f is
 * continuous, it falls with the interval, 2^-40 in the end. */
static double line_lump_towards(wg_line *line, double moves)
{
    double still = moves, change = 0.0;
    for (int i = 0; i < LINE_LUMP_OCTAVES / 3; i++) {
        const double here = line_change(line, still);
        if (here == 0.0)
            break;
        moves = still;
        change = here;
        still *= 0.125;
    }
    if (line_change(line, still) > 0.0)
        return 0.0;
    const double first = change;
    for (int i = 0; i < 40 && change > 0.0; i++) {
        const double middle = 0.5 * (still + moves), here = line_change(line, middle);
        if (here == 0.0) {
            still = middle;
        } else {
            moves = middle;
            change = here;
        }
    }
    return change > first * 0x1p-16 ? change : 0.0;
}

double wg_line_lump(wg_line *line)
{
    const double step = wg_line_scale(line) * 0x1p-3;
    const double right = line_lump_towards(line, step);
    return right > 0.0 ? right : line_lump_towards(line, -step);
}

/* ---- one stencil ----------------------------------------------------------------------------- */

static void stencil_evaluate(wg_line *line, wg_stencil *s)
{
    static const double at[4] = {-2.0, -1.0, 1.0, 2.0};
    bool finite[4];
    s->magnitude = fabs(line->value);
    s->flat = true;
    for (int j = 0; j < 4; j++) {
        const double value = wg_line_at(line, at[j] * s->step, &s->moved[j]);
        s->change[j] = value - line->value;
        finite[j] = isfinite(s->change[j]) && s->moved[j] != 0.0;
        if (finite[j])
            s->magnitude = fmax(s->magnitude, fabs(value));
        s->flat = s->flat && value == line->value;
    }
    s->left_finite = finite[WG_FAR_LEFT] && finite[WG_LEFT];
    s->right_finite = finite[WG_RIGHT] && finite[WG_FAR_RIGHT];
}

/* The derivative at 0 of the parabola through 0 and two values on one side, the outer
 * twice as far. */
static double stencil_one_sided(double inner, double outer, double k_inner, double k_outer)
{
    return 2.0 * (inner / k_inner) - outer / k_outer;
}

wg_stencil wg_stencil_at(wg_line *line, double step)
{
    const double none = (double)NAN;
    wg_stencil s = {
        .step = step, .forward = none, .three = none, .five = none, .left = none, .right = none};
    stencil_evaluate(line, &s);
    const double *d = s.change, *t = s.moved;
    const double right_curve = d[WG_FAR_RIGHT] - 2.0 * d[WG_RIGHT];
    const double left_curve = d[WG_FAR_LEFT] - 2.0 * d[WG_LEFT];
    if (s.right_finite) {
        s.forward = d[WG_RIGHT] / t[WG_RIGHT];
        s.right = stencil_one_sided(d[WG_RIGHT], d[WG_FAR_RIGHT], t[WG_RIGHT], t[WG_FAR_RIGHT]);
        s.side_noise = fabs(right_curve) / sqrt(6.0);
    }
    if (s.left_finite) {
        s.left = stencil_one_sided(d[WG_LEFT], d[WG_FAR_LEFT], t[WG_LEFT], t[WG_FAR_LEFT]);
        s.side_noise = fmax(s.side_noise, fabs(left_curve) / sqrt(6.0));
    }
    if (s.right_finite && s.left_finite) {
        const double outer = (d[WG_FAR_RIGHT] - d[WG_FAR_LEFT]) /
                             (t[WG_FAR_RIGHT] - t[WG_FAR_LEFT]);
        s.three = (d[WG_RIGHT] - d[WG_LEFT]) / (t[WG_RIGHT] - t[WG_LEFT]);
        s.five = s.three + (s.three - outer) / 3.0;
        s.noise = fabs(right_curve - 2.0 * d[WG_RIGHT] + left_curve - 2.0 * d[WG_LEFT]) /
                  sqrt(70.0);
    }
    return s;
}

double wg_line_rounding(double magnitude)
{
    return fmax(DBL_EPSILON * magnitude, DBL_TRUE_MIN);
}

wg_difference wg_difference_three(wg_line *line, double step)
{
    double right, left;
    const double up = wg_line_at(line, step, &right);
    const double down = wg_line_at(line, -step, &left);
    wg_difference d = {
        .step = step, .left = (down - line->value) / left, .right = (up - line->value) / right};
    d.value = (up - down) / (right - left);
    d.finite = isfinite(d.value) && isfinite(d.left) && isfinite(d.right);
    d.flat = up == line->value && down == line->value;
    d.noise = wg_line_rounding(fmax(fabs(line->value), fmax(fabs(up), fabs(down))));
    d.roundoff = d.noise / step;
    return d;
}

/* Independent errors of size s in the values make an error of 0.95 s/k in D5(k). */
wg_difference wg_difference_five(wg_line *line, double step)
{
    const wg_stencil s = wg_stencil_at(line, step);
    wg_difference d = {.value = s.five, .step = step, .left = s.left, .right = s.right};
    d.finite = isfinite(s.five);
    d.flat = s.flat;
    d.truncation = fabs(s.five - s.three);
    d.noise = fmax(s.noise, wg_line_rounding(s.magnitude));
    d.roundoff = d.noise / step;
    return d;
}
