/* Owns the checker of plain functions: how one derivative is judged, and the verdict on all. */
#include "autograd/check/function.h"

#include "autograd/check/function_internal.h"
#include "autograd/rng.h"

#include <float.h>
#include <math.h>

#define CHECK_MANTISSA 0x3a47 /* key of the random numbers */

/* ---- one line -------------------------------------------------------------------------------- */

static double check_size(double a, double b)
{
    return fmax(fabs(a), fabs(b));
}

static double check_excess(double gap, double slack)
{
    return gap == 0.0 ? 0.0 : gap / slack;
}

/* Agreement that needs no estimate of the truncation, and so gains nothing from a large one: off by
 * no more than round-off explains, where round-off could not hide a quarter of the resolution. */
static bool check_is_clear(const wg_check_state *c, wg_check_entry *e)
{
    const wg_check_options *o = &c->options;
    const wg_difference *d = &e->numeric;
    const double size = check_size(e->claimed, d->value);
    const double roundoff = o->bars * d->roundoff, slack = roundoff + o->rtol * size;
    const double gap = fabs(e->claimed - d->value);
    if (!d->finite || !(gap <= slack))
        return false;
    e->outcome = WG_ENTRY_AGREES;
    e->excess = check_excess(gap, slack);
    return (size == 0.0 && d->flat && c->report.value == 0.0) ||
           roundoff <= 0.25 * o->resolution * size ||
           fmax(roundoff, size) <= o->negligible * c->report.largest;
}

/* A step larger than |x| sees little of a function that lives at the scale of |x| (a log, a ratio).
 * Then the step that suits |x| must not contradict what agrees. */
static bool check_hides_derivative(wg_check_state *c, const wg_check_entry *e)
{
    const wg_check_options *o = &c->options;
    const double x = wg_line_small_scale(&c->line);
    if (x == 0.0 || x >= e->numeric.step)
        return false;
    const wg_difference d = wg_difference_five(&c->line, x * 0x1p-10);
    const double slack = o->bars * (d.truncation + d.roundoff) +
                         o->rtol * check_size(e->claimed, d.value);
    return !(fabs(e->claimed - d.value) <= slack);
}

/* The cheap stages: three points if so asked, five points, five points at a better step (truncation
 * grows with the step, round-off falls). */
static bool check_quickly(wg_check_state *c, wg_check_entry *e)
{
    const double scale = wg_line_scale(&c->line);
    double step = scale * c->options.step;
    wg_difference *d = &e->numeric;
    if (c->options.points == 3) {
        *d = wg_difference_three(&c->line, step);
        if (check_is_clear(c, e))
            return !check_hides_derivative(c, e);
        step = scale * 0x1p-10;
    }
    *d = wg_difference_five(&c->line, step);
    if (check_is_clear(c, e))
        return !check_hides_derivative(c, e);
    if (!d->finite || d->flat)
        return false;
    *d = wg_difference_five(&c->line, d->truncation > d->roundoff ? 0.125 * step : 8.0 * step);
    return check_is_clear(c, e) && !check_hides_derivative(c, e);
}

/* How coarse f is along other lines: four that are spread over x and the one of the largest claim.
 * An f that never moves along an entry may be too coarse for its derivative, which only others can
 * show. */
static double check_lump_elsewhere(wg_check_state *c)
{
    if (c->lump_known || c->line.direction)
        return c->lump;
    c->lump_known = true;
    wg_line *line = &c->line;
    const size_t entry = line->entry, stride = line->n / 4 + 1;
    for (size_t i = stride / 2; i < line->n + stride; i += stride) {
        line->entry = i < line->n ? i : c->largest_entry;
        c->lump = fmax(c->lump, wg_line_lump(line));
    }
    line->entry = entry;
    return c->lump;
}

static void check_judge(const wg_check_state *c, wg_check_entry *e)
{
    const wg_check_options *o = &c->options;
    const wg_difference *d = &e->numeric;
    /* At a kink every value between the one-sided derivatives is admissible, elsewhere one value
     * is. */
    const double low = d->kink ? fmin(d->left, d->right) : d->value;
    const double high = d->kink ? fmax(d->left, d->right) : d->value;
    const double gap = fmax(fmax(low - e->claimed, e->claimed - high), 0.0);
    const double size = fmax(check_size(low, high), fabs(e->claimed));
    const double bar = d->truncation + d->roundoff, slack = o->bars * bar + o->rtol * size;
    /* Zero on both sides, to the last bit of f: there is nothing to resolve it against. */
    const bool zero = e->claimed == 0.0 && d->value == 0.0 && !d->kink &&
                      d->noise <= 2.0 * wg_line_rounding(fabs(c->report.value));
    const bool resolved = zero || bar <= o->resolution * size ||
                          fmax(bar, size) <= o->negligible * c->report.largest;
    e->excess = check_excess(gap, slack);
    if (!d->finite)
        e->outcome = WG_ENTRY_UNRESOLVED;
    else if (!(gap <=
               (resolved ? slack : 8.0 * slack))) /* a vague bar accuses only if far exceeded */
        e->outcome = WG_ENTRY_DISAGREES;
    else if (!resolved)
        e->outcome = WG_ENTRY_UNRESOLVED;
    else
        e->outcome = d->kink ? WG_ENTRY_KINK : WG_ENTRY_AGREES;
}

static void check_examine_from(wg_check_state *c, double top, wg_check_entry *e)
{
    wg_difference *d = &e->numeric;
    *d = wg_difference_examine(&c->line, top, e->claimed);
    if (d->flat && e->claimed != 0.0) {
        d->noise = fmax(d->noise, 0.5 * check_lump_elsewhere(c));
        d->roundoff = d->noise / d->step;
    }
    check_judge(c, e);
}

/* Steps larger than |x| may see another f than there is at x: they accuse no one by themselves. */
static void check_examine(wg_check_state *c, wg_check_entry *e)
{
    const double x = wg_line_small_scale(&c->line);
    check_examine_from(c, 0, e);
    if (e->outcome == WG_ENTRY_DISAGREES && x > 0)
        check_examine_from(c, x * 0x1p-4, e);
}

void wg_check_count(wg_check_state *c, const wg_check_entry *e)
{
    wg_check_report *r = &c->report;
    const wg_check_entry *w = &r->worst;
    if (r->entries == 0 || e->outcome > w->outcome ||
        (e->outcome == w->outcome && e->excess > w->excess))
        r->worst = *e;
    r->entries++;
    r->agree += e->outcome == WG_ENTRY_AGREES;
    r->kink += e->outcome == WG_ENTRY_KINK;
    r->unresolved += e->outcome == WG_ENTRY_UNRESOLVED;
    r->disagree += e->outcome == WG_ENTRY_DISAGREES;
    r->wide += e->wide;
    r->rules += e->rules;
    r->meet += e->meet;
    const bool below = e->wide && e->numeric.flat;
    c->claims = c->claims || (e->claimed != 0.0 && !below);
    c->below = c->below || (e->claimed != 0.0 && below);
    if (e->outcome != WG_ENTRY_UNRESOLVED && isfinite(e->numeric.value))
        r->largest = fmax(r->largest, fabs(e->numeric.value));
    if (c->options.listen)
        c->options.listen(e, r, c->options.listener);
}

/* Does f climb ever more steeply the nearer it comes to x, towards a derivative of the claimed
 * infinity, on each side where it is finite? Derivatives that converge grow by less at each step;
 * those of sqrt at 0 double with every second halving. */
static bool check_is_vertical(wg_check_state *c, double claimed)
{
    const double sign = claimed > 0.0 ? 1.0 : -1.0, scale = wg_line_scale(&c->line);
    double left = 0.0, right = 0.0;
    bool seen = false;
    for (double step = 0x1p-8; step >= 0x1p-40; step *= 0x1p-4) {
        const wg_stencil s = wg_stencil_at(&c->line, scale * step);
        const double here_left = -sign * s.change[1] / step, here_right = sign * s.change[2] / step;
        if ((s.left_finite && !(here_left > 1.05 * left)) ||
            (s.right_finite && !(here_right > 1.05 * right)))
            return false;
        seen = seen || s.left_finite || s.right_finite;
        left = here_left;
        right = here_right;
    }
    return seen;
}

/* In wide floats, too, a derivative near the noise says nothing, unless it is next to nothing
 * beside the largest. One below the noise is zero to the last wide digit of f. */
void wg_check_doubt(const wg_check_state *c, wg_check_entry *e)
{
    const wg_check_options *o = &c->options;
    const double size = check_size(e->claimed, e->numeric.value), noise = e->numeric.roundoff;
    if (!e->wide || e->outcome != WG_ENTRY_AGREES || noise <= o->resolution * size)
        return;
    e->numeric.flat = size <= noise;
    if (!e->numeric.flat && fmax(noise, size) > o->negligible * c->report.largest)
        e->outcome = WG_ENTRY_UNRESOLVED;
}

static bool check_appeal(const wg_check_state *c, size_t index, wg_check_entry *e)
{
    const wg_check_decide *decide = c->decide;
    return decide && decide->judge && decide->judge(index, e, decide->user);
}

void wg_check_line(wg_check_state *c, size_t index, double claimed)
{
    wg_check_entry e = {.index = index, .claimed = claimed};
    const wg_check_decide *decide = c->decide;
    if (decide)
        *decide->doubtful = false;
    c->line.mantissa = 1.0 + 0.75 * wg_random_uniform(c->options.seed, CHECK_MANTISSA, index);
    if (!wg_line_is_finite(&c->line) && (c->line.direction || !isnan(claimed))) {
        e.numeric.value = (double)NAN;
        e.outcome = WG_ENTRY_UNRESOLVED;
        c->infinite = true;
        wg_check_count(c, &e);
        return;
    }
    if (!isfinite(claimed)) {
        const bool vertical = isinf(claimed) && check_is_vertical(c, claimed);
        e.numeric = wg_difference_along(&c->line);
        e.outcome = vertical ? WG_ENTRY_UNRESOLVED : WG_ENTRY_DISAGREES;
        e.excess = (double)INFINITY;
    } else if (!(decide && decide->all && check_appeal(c, index, &e)) && !check_quickly(c, &e) &&
               !check_appeal(c, index, &e)) {
        check_examine(c, &e);
        if (decide && *decide->doubtful && e.outcome == WG_ENTRY_DISAGREES)
            e.outcome = WG_ENTRY_UNRESOLVED;
    }
    wg_check_doubt(c, &e);
    if (decide && decide->look)
        decide->look(&e, decide->user);
    wg_check_count(c, &e);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool check_read_option(double *field, double fallback, double least, double most)
{
    if (*field == 0.0)
        *field = fallback;
    return *field >= least && *field <= most;
}

static bool check_read_options(wg_check_options *o)
{
    if (o->points == 0)
        o->points = 5;
    if (o->seed == 0)
        o->seed = 1;
    if (o->points != 3 && o->points != 5)
        return false;
    if (!(o->largest >= 0.0 && o->largest <= DBL_MAX))
        return false;
    if (!check_read_option(&o->step, o->points == 5 ? 0x1p-10 : 0x1p-17, 0x1p-50, 0x1p-4))
        return false;
    o->step = wg_power_of_two_below(o->step);
    return check_read_option(&o->unit, 1.0, DBL_MIN, DBL_MAX) &&
           check_read_option(&o->bars, 4.0, 1.0, 1e3) &&
           check_read_option(&o->rtol, 1e-7, DBL_MIN, 1e-2) &&
           check_read_option(&o->resolution, 1e-3, DBL_MIN, 0.1) &&
           check_read_option(&o->negligible, 1e-9, DBL_MIN, 1e-3) &&
           check_read_option(&o->unresolved, 0.1, DBL_MIN, 1.0 - DBL_EPSILON);
}

static void check_survey_claims(wg_check_state *c, const double *claimed, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double size = fabs(claimed[i]);
        if (!(size > largest) || isinf(size))
            continue;
        largest = size;
        c->largest_entry = i;
    }
    c->report.largest = fmax(largest, c->options.largest);
}

bool wg_check_prepare(wg_check_state *c, const wg_check_options *options, bool complete, size_t n)
{
    *c = (wg_check_state){0};
    if (options)
        c->options = *options;
    const bool valid = check_read_options(&c->options) && complete;
    c->report.verdict = valid ? WG_CHECK_VACUOUS : WG_CHECK_INVALID;
    return valid && n > 0;
}

bool wg_check_begin(wg_check_state *c, wg_function *f, void *user, double *x, const double *claimed,
                    size_t n, const wg_check_options *options)
{
    if (!wg_check_prepare(c, options, f && (n == 0 || (x && claimed)), n))
        return false;
    c->line = (wg_line){.f = f, .user = user, .x = x, .n = n, .unit = c->options.unit};
    c->report.verdict = WG_CHECK_NOT_FINITE;
    const bool finite = wg_line_begin(&c->line);
    c->report.value = c->line.value;
    c->report.evaluations = c->line.evaluations;
    if (finite)
        check_survey_claims(c, claimed, n);
    return finite;
}

void wg_check_tell(wg_check_state *c, const wg_check_decide *decide, wg_shape shape)
{
    const bool own = decide && decide->shape.ndim > 0 && shape.ndim > 0;
    c->decide = decide;
    c->report.name = decide ? decide->name : NULL;
    c->report.shape = own ? decide->shape : shape;
}

wg_check_verdict wg_check_hand_over(const wg_check_state *c, wg_check_report *report)
{
    if (report)
        *report = c->report;
    return c->report.verdict;
}

wg_check_verdict wg_check_end(wg_check_state *c, wg_check_report *report)
{
    wg_check_report *r = &c->report;
    r->evaluations = c->line.evaluations;
    if (r->disagree > 0)
        r->verdict = WG_CHECK_FAILED;
    else if ((double)r->unresolved > c->options.unresolved * (double)r->entries)
        r->verdict = WG_CHECK_UNRESOLVED;
    else
        r->verdict = c->claims || r->kink > 0 ? WG_CHECK_PASSED : WG_CHECK_VACUOUS;
    if (r->meet > 0)
        r->note = "kinks meet: by convention of each op, which is right by itself and next to the "
                  "point, not y's derivative";
    else if (r->rules > 0)
        r->note = "digits are lost or kinks lie between the ops: each rule was checked by itself";
    if (r->verdict == WG_CHECK_VACUOUS && c->below)
        r->note = "all derivatives here are below the last digit of y";
    if (c->infinite)
        r->note = "where x is not finite nothing can be moved, and no derivative be checked";
    return wg_check_hand_over(c, report);
}

wg_check_verdict wg_check_function_by(wg_function *f, void *user, double *x, const double *claimed,
                                      size_t n, const wg_check_options *options,
                                      const wg_check_decide *decide, wg_check_report *report)
{
    wg_check_state c;
    if (!wg_check_begin(&c, f, user, x, claimed, n, options))
        return wg_check_hand_over(&c, report);
    wg_check_tell(&c, decide, (wg_shape){1, {(int64_t)n}});
    for (size_t i = 0; i < n; i++) {
        c.line.entry = i;
        wg_check_line(&c, i, claimed[i]);
    }
    return wg_check_end(&c, report);
}

wg_check_verdict wg_check_function(wg_function *f, void *user, double *x, const double *claimed,
                                   size_t n, const wg_check_options *options,
                                   wg_check_report *report)
{
    return wg_check_function_by(f, user, x, claimed, n, options, NULL, report);
}

#undef CHECK_MANTISSA
