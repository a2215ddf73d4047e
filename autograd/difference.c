#include "autograd/difference.h"

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
    line->branch_here = line->branch ? line->branch(line->user) : 0;
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

double wg_power_of_two_below(double x)
{
    int exponent;
    frexp(x, &exponent);
    return ldexp(1.0, exponent - 1);
}

double wg_line_scale(const wg_line *line)
{
    if (line->direction)
        return 1.0;
    const double unit = line->unit > 0.0 ? line->unit : 1.0;
    return wg_power_of_two_below(fmax(unit, fabs(line->x[line->entry])));
}

double wg_line_small_scale(const wg_line *line)
{
    const double x = line->direction ? 0.0 : fabs(line->x[line->entry]);
    return x >= DBL_MIN && x < wg_line_scale(line) ? wg_power_of_two_below(x) : 0.0;
}

/* The least step worth taking: some 2^12 units in the last place of x, since f may round what it makes
 * of x; where x is 0, 2^-48 of the scale. */
static double line_least_step(const wg_line *line)
{
    const double x = line->direction ? 1.0 : fabs(line->x[line->entry]);
    if (x < DBL_MIN)
        return wg_line_scale(line) * 0x1p-48;
    return fmax(wg_power_of_two_below(x) * 0x1p-40, 0x1p-1000);
}

static double line_change(wg_line *line, double t)
{
    const double value = wg_line_at(line, t, NULL);
    return isnan(value) ? 0.0 : fabs(value - line->value);
}

/* The first move of f on one side: steps shrink eightfold until f stands still, then the step at which
 * it moves is bisected. Where f comes in lumps, the change there is one lump, and not much less than
 * eight times the step away. Where f is continuous it falls by far more. */
static double line_lump_towards(wg_line *line, double moves)
{
    double still = moves, before = 0.0;
    while (fabs(still) > line_least_step(line)) {
        const double change = line_change(line, still);
        if (change == 0.0)
            break;
        moves = still;
        before = change;
        still *= 0.125;
    }
    double lump = before;
    for (int i = 0; i < 40 && before > 0.0; i++) {
        const double middle = 0.5 * (still + moves), change = line_change(line, middle);
        if (change == 0.0) {
            still = middle;
        } else {
            moves = middle;
            lump = change;
        }
    }
    return lump > before / 32.0 ? lump : 0.0;
}

double wg_line_lump(wg_line *line)
{
    const double step = wg_line_scale(line) * 0x1p-3;
    const double right = line_lump_towards(line, step);
    return right > 0.0 ? right : line_lump_towards(line, -step);
}

/* ---- one stencil ----------------------------------------------------------------------------- */

enum { OUTER_LEFT, LEFT, RIGHT, OUTER_RIGHT };

static void stencil_evaluate(wg_line *line, wg_stencil *s)
{
    static const double at[4] = {-2.0, -1.0, 1.0, 2.0};
    bool finite[4];
    s->magnitude = fabs(line->value);
    s->flat = true;
    s->crossed = false;
    for (int j = 0; j < 4; j++) {
        const double value = wg_line_at(line, at[j] * s->step, &s->moved[j]);
        s->change[j] = value - line->value;
        finite[j] = isfinite(s->change[j]) && s->moved[j] != 0.0;
        if (finite[j])
            s->magnitude = fmax(s->magnitude, fabs(value));
        s->flat = s->flat && value == line->value;
        if (line->branch && line->branch(line->user) != line->branch_here)
            s->crossed = true;
    }
    s->left_finite = finite[OUTER_LEFT] && finite[LEFT];
    s->right_finite = finite[RIGHT] && finite[OUTER_RIGHT];
}

/* The slope at 0 of the parabola through 0 and two values on one side, the outer twice as far. */
static double one_sided_slope(double inner, double outer, double k_inner, double k_outer)
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
    const double right_curve = d[OUTER_RIGHT] - 2.0 * d[RIGHT];
    const double left_curve = d[OUTER_LEFT] - 2.0 * d[LEFT];
    if (s.right_finite) {
        s.forward = d[RIGHT] / t[RIGHT];
        s.right = one_sided_slope(d[RIGHT], d[OUTER_RIGHT], t[RIGHT], t[OUTER_RIGHT]);
        s.side_noise = fabs(right_curve) / sqrt(6.0);
    }
    if (s.left_finite) {
        s.left = one_sided_slope(d[LEFT], d[OUTER_LEFT], t[LEFT], t[OUTER_LEFT]);
        s.side_noise = fmax(s.side_noise, fabs(left_curve) / sqrt(6.0));
    }
    if (s.right_finite && s.left_finite) {
        const double outer = (d[OUTER_RIGHT] - d[OUTER_LEFT]) / (t[OUTER_RIGHT] - t[OUTER_LEFT]);
        s.three = (d[RIGHT] - d[LEFT]) / (t[RIGHT] - t[LEFT]);
        s.five = s.three + (s.three - outer) / 3.0;
        s.noise = fabs(right_curve - 2.0 * d[RIGHT] + left_curve - 2.0 * d[LEFT]) / sqrt(70.0);
    }
    return s;
}

/* Rounding f to double costs up to half a unit in its last place; an f of several operations ends
 * with about one. What is more shows in the differences. */
static double rounding_of(double magnitude)
{
    return DBL_EPSILON * magnitude;
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
    d.noise = rounding_of(fmax(fabs(line->value), fmax(fabs(up), fabs(down))));
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
    d.noise = fmax(s.noise, rounding_of(s.magnitude));
    d.roundoff = d.noise / step;
    return d;
}

/* ---- a ladder of stencils -------------------------------------------------------------------- */

enum { RUNGS = 24 };

typedef struct ladder_rung {
    wg_stencil stencil;
    double value; /* D5, or a one-sided slope where only one side is finite */
    double truncation;
    double noise;
    double side_noise;
    double bar; /* truncation + round-off; inf where nothing is finite */
} ladder_rung;

/* rung[0] has the largest step; each next one is smaller by the same power of two. */
typedef struct ladder {
    double claimed; /* NaN if there is none */
    int count;
    int stride; /* log2 of the ratio between neighbouring steps */
    ladder_rung rung[RUNGS];
} ladder;

/* The step at which the rounding of f amounts to an eighth of the slope in question: how far the
 * claimed slope is from the numeric ones at both scales of x, or the larger of these. */
static double ladder_lowest_step(const ladder *l, wg_line *line)
{
    const double scales[2] = {wg_line_scale(line), wg_line_small_scale(line)};
    const double reference = isfinite(l->claimed) ? l->claimed : 0.0;
    double slope = fabs(reference);
    for (int i = 0; i < 2 && scales[i] > 0.0; i++) {
        const double here = wg_stencil_at(line, scales[i] * 0x1p-10).five;
        if (isfinite(here))
            slope = fmax(slope, fabs(reference - here));
    }
    const double step = slope > 0.0 ? 8.0 * rounding_of(fabs(line->value)) / slope : 0.0;
    return fmax(step, line_least_step(line));
}

/* A sixteenth of the scale; of |x|, if that is smaller and f has no room for the other. */
static double ladder_top_step(wg_line *line)
{
    const double top = wg_line_scale(line) * 0x1p-4;
    const double small = wg_line_small_scale(line) * 0x1p-4;
    return small == 0.0 || isfinite(wg_stencil_at(line, top).five) ? top : small;
}

static void ladder_evaluate(ladder *l, wg_line *line)
{
    const double top = ladder_top_step(line);
    const double lowest = fmin(ladder_lowest_step(l, line), top * 0x1p-12);
    const double octaves = log2(top / lowest);
    l->stride = (int)fmax(3.0, ceil(octaves / (RUNGS - 1)));
    l->count = (int)(octaves / l->stride) + 1;
    for (int j = 0; j < l->count; j++)
        l->rung[j].stencil = wg_stencil_at(line, ldexp(top, -l->stride * j));
}

static int ladder_lowest_rungs(const ladder *l)
{
    return l->stride == 3 ? l->count - 3 : l->count - 1;
}

/* Noise that hides from fourth and from one-sided second differences. Third differences, which do not
 * vanish where f is odd around x, of the lowest rungs, where the smooth part of f cancels even there;
 * and where f stands still at the lowest rung it may be coarse, by as much as its lumps are high. */
static double ladder_hidden_noise(const ladder *l, wg_line *line)
{
    double noise = l->rung[l->count - 1].stencil.flat ? 0.5 * wg_line_lump(line) : 0.0;
    for (int j = ladder_lowest_rungs(l); j < l->count; j++) {
        const double *d = l->rung[j].stencil.change;
        const double third = d[OUTER_RIGHT] - 2.0 * d[RIGHT] + 2.0 * d[LEFT] - d[OUTER_LEFT];
        if (isfinite(third))
            noise = fmax(noise, fabs(third) / sqrt(10.0));
    }
    return noise;
}

/* Every rung has at least the noise of the rungs below it (the lowest share theirs, since a difference
 * may vanish by chance), and at least what one rounding of x makes: f may scale x first, and steps
 * that are powers of two can hide that. */
static void ladder_measure_noise(ladder *l, wg_line *line)
{
    const double x = line->direction ? 1.0 : fabs(line->x[line->entry]);
    double side_noise = ladder_hidden_noise(l, line), noise = side_noise;
    for (int j = ladder_lowest_rungs(l); j < l->count; j++)
        noise = fmax(noise, l->rung[j].stencil.noise);
    for (int j = l->count - 1; j >= 0; j--) {
        const wg_stencil *s = &l->rung[j].stencil;
        const double slope = isfinite(s->five) ? fabs(s->five) : 0.0;
        const double rounding = rounding_of(fmax(s->magnitude, slope * x));
        noise = fmax(noise, s->noise);
        side_noise = fmax(side_noise, s->side_noise);
        l->rung[j].noise = fmax(noise, rounding);
        l->rung[j].side_noise = fmax(side_noise, rounding);
    }
}

static void rung_differentiate(ladder_rung *r)
{
    const wg_stencil *s = &r->stencil;
    if (s->right_finite && s->left_finite) {
        r->value = s->five;
        r->truncation = fabs(s->five - s->three);
    } else {
        const int inner = s->right_finite ? RIGHT : LEFT;
        r->value = s->right_finite ? s->right : s->left;
        r->truncation = fabs(r->value - s->change[inner] / s->moved[inner]);
        r->noise = 3.0 * r->side_noise; /* (4, -1, -3)/2 times errors of size s makes 2.5 s/k */
    }
}

/* Two bounds on the truncation of each rung, and the smaller holds: the formula of lower order on the
 * same values, and the same formula at the next larger step. */
static void ladder_differentiate(ladder *l)
{
    for (int j = 0; j < l->count; j++) {
        ladder_rung *r = &l->rung[j];
        rung_differentiate(r);
        if (j > 0 && isfinite(l->rung[j - 1].bar))
            r->truncation = fmin(r->truncation, fabs(r->value - l->rung[j - 1].value));
        r->bar = r->truncation + r->noise / r->stencil.step;
        if (!isfinite(r->bar) || !isfinite(r->value))
            r->bar = (double)INFINITY;
    }
}

static bool ladder_resolves(const ladder *l, const ladder_rung *r)
{
    const double size = fmax(fabs(r->value), isfinite(l->claimed) ? fabs(l->claimed) : 0.0);
    return r->bar <= 1e-3 * size;
}

/* The rung with the least bar; a two-sided one if there is any, and one that stays on f(0)'s branch
 * if any such resolves the slope. */
static const ladder_rung *ladder_best(const ladder *l)
{
    const ladder_rung *best = &l->rung[0];
    int best_rank = -1;
    for (int j = 0; j < l->count; j++) {
        const ladder_rung *r = &l->rung[j];
        const wg_stencil *s = &r->stencil;
        if (isinf(r->bar))
            continue;
        const bool two_sided = s->left_finite && s->right_finite;
        const int rank = 2 * two_sided + (!s->crossed && ladder_resolves(l, r));
        if (rank > best_rank || (rank == best_rank && r->bar < best->bar)) {
            best = r;
            best_rank = rank;
        }
    }
    return best;
}

/* A derivative is what happens at small steps: as long as there are finer rungs that contradict the
 * best one beyond both bars, f has a feature that the best one missed; take the best of those. */
static const ladder_rung *ladder_appeal(const ladder *l, const ladder_rung *best)
{
    for (;;) {
        const ladder_rung *finer = NULL;
        for (const ladder_rung *r = best + 1; r < l->rung + l->count; r++) {
            const bool contradicts = fabs(r->value - best->value) > 4.0 * (r->bar + best->bar);
            if (contradicts && (!finer || r->bar < finer->bar))
                finer = r;
        }
        if (!finer)
            return best;
        best = finer;
    }
}

/* The slopes left and right of 0 from two neighbouring rungs; they are a kink if their difference
 * stays the same, within a tenth, while the step shrinks eight times or more (that of a smooth f
 * falls 64 times) and it is more than noise. Returns the error bar of the slopes, inf if no kink. */
static double kink_between(const ladder_rung *coarse, const ladder_rung *fine)
{
    const wg_stencil *c = &coarse->stencil, *f = &fine->stencil;
    const double jump = f->right - f->left, before = c->right - c->left;
    const double truncation = fmax(fabs(f->right - c->right), fabs(f->left - c->left));
    const double bar = truncation + 3.0 * fine->side_noise / f->step;
    const bool kink = fabs(jump) > 8.0 * bar && fabs(jump - before) <= 0.1 * fabs(jump);
    return kink ? bar : (double)INFINITY; /* not a kink if any of these is NaN */
}

/* One kink seen from another: is it a different one, beyond both bars? */
static bool kink_differs(const wg_difference *a, const wg_difference *b)
{
    const double gap = fmax(fabs(a->left - b->left), fabs(a->right - b->right));
    return gap > 4.0 * (a->truncation + a->roundoff + b->truncation + b->roundoff);
}

/* The kink at rung j; its truncation is infinite if there is none. */
static wg_difference ladder_kink_at(const ladder *l, int j)
{
    const ladder_rung *fine = &l->rung[j];
    wg_difference d = {.kink = true,
                       .finite = true,
                       .left = fine->stencil.left,
                       .right = fine->stencil.right,
                       .step = fine->stencil.step,
                       .noise = fine->side_noise};
    d.value = 0.5 * (d.left + d.right);
    d.roundoff = 3.0 * d.noise / d.step;
    d.truncation = kink_between(&l->rung[j - 1], fine) - d.roundoff;
    return d;
}

/* Looks for a kink and takes that with the least bar, unless finer rungs show a different one. It
 * overrules the best smooth derivative if its bar is the narrower, or if it is seen at finer steps. */
static bool ladder_find_kink(const ladder *l, const ladder_rung *best, wg_difference *kink)
{
    *kink = (wg_difference){.kink = false};
    for (int j = 1; j < l->count; j++) {
        const wg_difference d = ladder_kink_at(l, j);
        const double bar = d.truncation + d.roundoff;
        if (!isfinite(bar) || (bar >= best->bar && &l->rung[j] <= best))
            continue;
        if (!kink->kink || bar < kink->truncation + kink->roundoff || kink_differs(&d, kink))
            *kink = d;
    }
    return kink->kink;
}

static bool ladder_is_flat(const ladder *l)
{
    bool flat = true;
    for (int j = 0; j < l->count; j++)
        flat = flat && l->rung[j].stencil.flat;
    return flat;
}

wg_difference wg_difference_examine(wg_line *line, double claimed)
{
    ladder l = {.claimed = claimed};
    ladder_evaluate(&l, line);
    ladder_measure_noise(&l, line);
    ladder_differentiate(&l);
    const ladder_rung *r = ladder_appeal(&l, ladder_best(&l));
    wg_difference kink;
    if (isfinite(r->bar) && ladder_find_kink(&l, r, &kink))
        return kink;
    return (wg_difference){.value = r->value,
                           .truncation = r->truncation,
                           .roundoff = r->noise / r->stencil.step,
                           .step = r->stencil.step,
                           .noise = r->noise,
                           .left = r->stencil.left,
                           .right = r->stencil.right,
                           .finite = isfinite(r->bar),
                           .flat = ladder_is_flat(&l)};
}

wg_difference wg_difference_along(wg_line *line)
{
    const wg_difference d = wg_difference_five(line, wg_line_scale(line) * 0x1p-10);
    if (d.finite && d.truncation + d.roundoff <= 1e-6 * fabs(d.value))
        return d;
    return wg_difference_examine(line, (double)NAN);
}
