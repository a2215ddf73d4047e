/* Owns the ladder: stencils at steps from large to small, of which the best is found. */
#include "autograd/check/difference_internal.h"

#include <float.h>
#include <math.h>

enum { LADDER_RUNGS = 24 };

typedef struct ladder_rung {
    wg_stencil stencil;
    double value; /* D5, or a one-sided derivative where only one side is finite */
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
    ladder_rung rung[LADDER_RUNGS];
} ladder;

/* The least step worth taking: some 2^12 units in the last place of x, since f may round what it
 * makes of x; where x is 0, 2^-48 of the scale. */
static double ladder_least_step(const wg_line *line)
{
    const double x = line->direction ? 1.0 : fabs(line->x[line->entry]);
    if (x < DBL_MIN)
        return wg_line_scale(line) * 0x1p-48;
    return fmax(wg_power_of_two_below(x) * 0x1p-40, 0x1p-1000);
}

/* The step at which the rounding of f amounts to an eighth of the derivative in question: how far
 * the claimed derivative is from the numeric ones at both scales of x, or the larger of these. */
static double ladder_lowest_step(const ladder *l, wg_line *line)
{
    const double scales[2] = {wg_line_scale(line), wg_line_small_scale(line)};
    const double reference = isfinite(l->claimed) ? l->claimed : 0.0;
    double derivative = fabs(reference);
    for (int i = 0; i < 2 && scales[i] > 0.0; i++) {
        const double here = wg_stencil_at(line, scales[i] * 0x1p-10).five;
        if (isfinite(here))
            derivative = fmax(derivative, fabs(reference - here));
    }
    const double step = derivative > 0.0 ? 8.0 * wg_line_rounding(fabs(line->value)) / derivative
                                         : 0.0;
    return fmax(step, ladder_least_step(line));
}

/* A sixteenth of the scale; of |x|, if that is smaller and f has no room for the other. */
static double ladder_top_step(wg_line *line)
{
    const double top = wg_line_scale(line) * 0x1p-4;
    const double small = wg_line_small_scale(line) * 0x1p-4;
    return small == 0.0 || isfinite(wg_stencil_at(line, top).five) ? top : small;
}

static void ladder_evaluate(ladder *l, wg_line *line, double top)
{
    const double lowest = fmin(ladder_lowest_step(l, line), top * 0x1p-12);
    const double octaves = log2(top / lowest);
    l->stride = (int)fmax(3.0, ceil(octaves / (LADDER_RUNGS - 1)));
    l->count = (int)(octaves / l->stride) + 1;
    for (int j = 0; j < l->count; j++)
        l->rung[j].stencil = wg_stencil_at(line, ldexp(top, -l->stride * j));
}

/* Every rung has at least the noise of the rungs below it, where the smooth part of f cancels. Some
 * noise does not show in differences, where all errors fit together by chance or because the steps
 * are powers of two: so it is also at least half the spacing of f's values along the line, and at
 * least what one rounding of x makes, since f may scale x first. */
static void ladder_measure_noise(ladder *l, wg_line *line)
{
    const double x = line->direction ? 1.0 : fabs(line->x[line->entry]);
    double noise = 0.5 * wg_line_lump(line), side_noise = noise;
    for (int j = l->count - 1; j >= 0; j--) {
        const wg_stencil *s = &l->rung[j].stencil;
        const double derivative = isfinite(s->five) ? fabs(s->five) : 0.0;
        const double rounding = wg_line_rounding(fmax(s->magnitude, derivative * x));
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
        const int inner = s->right_finite ? WG_RIGHT : WG_LEFT;
        r->value = s->right_finite ? s->right : s->left;
        r->truncation = fabs(r->value - s->change[inner] / s->moved[inner]);
        r->noise = 3.0 * r->side_noise; /* (4, -1, -3)/2 times errors of size s makes 2.5 s/k */
    }
}

/* Two bounds on the truncation of each rung, and the smaller holds: the formula of lower order on
 * the same values, and the same formula at the next larger step. */
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

/* The rung with the least bar; a two-sided one if there is any. */
static const ladder_rung *ladder_best(const ladder *l)
{
    const ladder_rung *best = &l->rung[0];
    bool best_two_sided = false;
    for (int j = 0; j < l->count; j++) {
        const ladder_rung *r = &l->rung[j];
        const bool two_sided = r->stencil.left_finite && r->stencil.right_finite;
        if (isinf(r->bar) || two_sided < best_two_sided)
            continue;
        if (two_sided > best_two_sided || r->bar < best->bar || isinf(best->bar)) {
            best = r;
            best_two_sided = two_sided;
        }
    }
    return best;
}

static bool rung_differs(const ladder_rung *a, const ladder_rung *b)
{
    return fabs(a->value - b->value) > 4.0 * (a->bar + b->bar);
}

/* A derivative is what happens at small steps: as long as two neighbouring finer rungs contradict
 * the best one and not each other, f has a feature that the best one missed; take the best of
 * those. (One alone may be noise that was underestimated.) */
static const ladder_rung *ladder_appeal(const ladder *l, const ladder_rung *best)
{
    for (;;) {
        const ladder_rung *finer = NULL;
        for (const ladder_rung *r = best + 1; r + 1 < l->rung + l->count; r++) {
            const bool feature = rung_differs(r, best) && rung_differs(r + 1, best) &&
                                 !rung_differs(r, r + 1);
            if (feature && (!finer || r->bar < finer->bar))
                finer = r;
        }
        if (!finer)
            return best;
        best = finer;
    }
}

/* The derivatives left and right of 0 from two neighbouring rungs; they are a kink if their
 * difference stays the same, within a tenth, while the step shrinks eight times or more (that of a
 * smooth f falls 64 times) and it is more than noise. Returns the error bar of the derivatives, inf
 * if no kink. */
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

/* Does the kink at the steps of rung `at` tell more about x than the best smooth derivative? It
 * must be seen at finer steps, or have the narrower bar and not be contradicted by the smooth
 * derivative: that may have got between the kink and x. */
static bool kink_overrules(const wg_difference *kink, const ladder_rung *at,
                           const ladder_rung *best)
{
    const double bar = kink->truncation + kink->roundoff;
    const double slack = 4.0 * (bar + best->bar);
    if (!isfinite(bar))
        return false;
    if (at > best)
        return true;
    return bar < best->bar && best->value >= fmin(kink->left, kink->right) - slack &&
           best->value <= fmax(kink->left, kink->right) + slack;
}

/* Looks for a kink and takes that with the least bar, unless finer rungs show a different one. */
static bool ladder_find_kink(const ladder *l, const ladder_rung *best, wg_difference *kink)
{
    *kink = (wg_difference){.kink = false};
    for (int j = 1; j < l->count; j++) {
        const wg_difference d = ladder_kink_at(l, j);
        if (!kink_overrules(&d, &l->rung[j], best))
            continue;
        if (!kink->kink || d.truncation + d.roundoff < kink->truncation + kink->roundoff ||
            kink_differs(&d, kink))
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

static double rung_change(const ladder_rung *r)
{
    double change = 0;
    for (int j = 0; j < 4; j++)
        change = fmax(change, fabs(r->stencil.change[j]));
    return change;
}

/* At the finest steps values jump about far more than rounding makes them, and at no step are they
 * on a curve (what they jump about is little beside what they change by) while finer steps change
 * them by less. */
static bool ladder_is_rough(const ladder *l)
{
    const ladder_rung *r = &l->rung[l->count - 1];
    double finer = rung_change(r);
    if (!(r->stencil.noise > 0x1p10 * wg_line_rounding(r->stencil.magnitude)))
        return false;
    for (int j = l->count - 2; j >= 0; j--) {
        r = &l->rung[j];
        const double change = rung_change(r);
        if (r->stencil.noise <= change / 16 && finer <= change / 4)
            return false;
        finer = fmax(finer, change);
    }
    return true;
}

wg_difference wg_difference_examine(wg_line *line, double top, double claimed)
{
    ladder l = {.claimed = claimed};
    ladder_evaluate(&l, line, top > 0 ? top : ladder_top_step(line));
    ladder_measure_noise(&l, line);
    ladder_differentiate(&l);
    const ladder_rung *r = ladder_appeal(&l, ladder_best(&l));
    wg_difference kink;
    if (isfinite(r->bar) && ladder_find_kink(&l, r, &kink))
        return kink;
    return (wg_difference){.value = r->value,
                           .truncation = ladder_is_rough(&l) ? (double)INFINITY : r->truncation,
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
    return wg_difference_examine(line, 0, (double)NAN);
}
