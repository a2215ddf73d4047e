/* Owns the wide verdict: a claimed derivative against differences in floats so wide that rounding,
 * kinks nearby and periods play no part. */
#include "autograd/check/function_internal.h"

#include "autograd/rng.h"

#if WG_HAS_WIDE

#define WIDE_ABS(x)    WG_F(wide, fabs)(x)
#define WIDE_MAX(a, b) WG_F(wide, fmax)(a, b)

/* Steps relative to |x|, powers of the wide epsilon, from large to small: 6e-12 to 3e-23 where it
 * is 2e-34. The first sees little of f's curvature; those after the third are for an f that changes
 * within 1e-12 of x. Larger ones are for a derivative that is next to nothing beside f's inner
 * values; the largest two may see another f than there is at x: they confirm, and accuse no one. */
static const double wide_power[] = {1 / 3., 1 / 2.4, 1 / 2., 0.58,    2 / 3.,
                                    1 / 7., 1 / 5.,  1 / 4., 1 / 16., 1 / 10.};
enum { WIDE_STEPS = sizeof wide_power / sizeof *wide_power, WIDE_LARGE = 5, WIDE_LARGEST = 8 };

/* What the values at -h, 0 and h tell. */
typedef struct wide_step {
    wg_wide h, left, right; /* one-sided derivatives; NaN where f is not finite there */
    wg_wide value;          /* the central difference, or the one side that exists */
    wg_wide noise;          /* what rounding makes of it */
} wide_step;

static bool wide_is_finite(wg_wide x)
{
    return WIDE_ABS(x) <= WG_WIDE_MAX;
}

static wg_wide wide_move(wg_wide_line *line, wg_wide t, wg_wide *moved)
{
    wg_wide value;
    *moved = t;
    if (line->direction == NULL) {
        wg_wide *x = &line->x[line->entry], here = *x;
        *x = here + t;
        *moved = *x - here;
        value = line->f(line->x, line->user);
        *x = here;
    } else {
        for (size_t i = 0; i < line->n; i++)
            line->x[i] = line->origin[i] + t * (wg_wide)line->direction[i];
        value = line->f(line->x, line->user);
        for (size_t i = 0; i < line->n; i++)
            line->x[i] = line->origin[i];
    }
    line->evaluations++;
    return value;
}

/* Can x be moved along the line? */
static bool wide_can_move(const wg_wide_line *line)
{
    bool finite = line->direction != NULL || wide_is_finite(line->x[line->entry]);
    for (size_t i = 0; i < line->n && line->direction != NULL && finite; i++)
        finite = wide_is_finite(line->origin[i]) && isfinite(line->direction[i]);
    return finite;
}

bool wg_wide_line_begin(wg_wide_line *line, wg_wide value)
{
    line->value = value;
    line->evaluations = 1;
    line->unit = 0;
    for (size_t i = 0; i < line->n; i++)
        if (isfinite((double)line->x[i]))
            line->unit = WIDE_MAX(line->unit, WIDE_ABS(line->x[i]));
    if (line->unit == 0)
        line->unit = 1;
    return WIDE_ABS(line->value) <= WG_WIDE_MAX;
}

/* Mantissas are full, differ from entry to entry and from step to step, and are no power of two:
 * nothing that f repeats can hide between the values. */
static wg_wide wide_step_size(const wg_wide_line *line, wg_wide scale, int s)
{
    const uint64_t key = (uint64_t)line->entry * 2 * WIDE_STEPS + 2 * (uint64_t)s;
    const double high = wg_random_uniform(line->seed, 0x51de, key);
    const double low = wg_random_uniform(line->seed, 0x51de, key + 1);
    const wg_wide mantissa = 1 + (wg_wide)high * 3 / 4 + (wg_wide)(low * 0x1p-53);
    return WG_F(wide, pow)(WG_WIDE_EPSILON, (wg_wide)wide_power[s]) * mantissa * scale;
}

/* f may scale x first: what one rounding of that makes is noise, too. */
static wide_step wide_take(wg_wide_line *line, wg_wide scale, int s)
{
    wg_wide up, down;
    wide_step r = {.h = wide_step_size(line, scale, s)};
    const wg_wide right = wide_move(line, r.h, &up), left = wide_move(line, -r.h, &down);
    r.right = (right - line->value) / up;
    r.left = (left - line->value) / down;
    r.value = (right - left) / (up - down);
    wg_wide size = WIDE_MAX(WIDE_ABS(line->value), line->rounded);
    if (WIDE_ABS(r.value) <= WG_WIDE_MAX)
        size = WIDE_MAX(size, WIDE_MAX(WIDE_ABS(left), WIDE_ABS(right)));
    else
        r.value = WIDE_ABS(r.right) <= WG_WIDE_MAX ? r.right : r.left;
    const wg_wide x = line->direction != NULL ? scale : WIDE_ABS(line->x[line->entry]);
    const wg_wide inner = wide_is_finite(r.value) ? WIDE_ABS(r.value) * x : 0;
    r.noise = WG_WIDE_EPSILON * (64 * size + 8 * inner) / r.h;
    return r;
}

/* The relative error that no bar need explain: max(1e-12, eps^(3/5)). */
static wg_wide wide_tolerance(void)
{
    return WG_WIDE_BITS > 100 ? WG_K(wide, 1.0e-12) : WG_K(wide, 5.0e-12);
}

/* Do the one-sided derivatives differ, at two steps alike? Those of a smooth f
 * approach each other. */
static bool wide_is_kink(const wide_step *coarse, const wide_step *fine)
{
    const wg_wide jump = WIDE_ABS(fine->right - fine->left);
    const wg_wide size = WIDE_MAX(WIDE_ABS(fine->right), WIDE_ABS(fine->left));
    return jump > size / 1000000 && jump > 100 * fine->noise &&
           WIDE_ABS(fine->right - coarse->right) <= jump / 10 &&
           WIDE_ABS(fine->left - coarse->left) <= jump / 10;
}

/* Compares the claim with what two neighbouring steps say. */
static void wide_settle(wg_check_entry *e, const wide_step *coarse, const wide_step *fine,
                        wg_wide claimed)
{
    const bool kink = wide_is_kink(coarse, fine);
    const wg_wide low = kink ? WG_F(wide, fmin)(fine->left, fine->right) : coarse->value;
    const wg_wide high = kink ? WIDE_MAX(fine->left, fine->right) : coarse->value;
    const wg_wide bar = kink ? WIDE_MAX(WIDE_ABS(fine->right - coarse->right),
                                        WIDE_ABS(fine->left - coarse->left))
                             : WIDE_ABS(coarse->value - fine->value);
    const wg_wide size = WIDE_MAX(WIDE_MAX(WIDE_ABS(low), WIDE_ABS(high)), WIDE_ABS(claimed));
    const wg_wide slack = 2 * bar + coarse->noise + wide_tolerance() * size;
    const wg_wide gap = WIDE_MAX(WIDE_MAX(low - claimed, claimed - high), 0);
    e->numeric = (wg_difference){.value = (double)((low + high) / 2),
                                 .truncation = (double)bar,
                                 .roundoff = (double)coarse->noise,
                                 .step = (double)coarse->h,
                                 .left = (double)coarse->left,
                                 .right = (double)coarse->right,
                                 .kink = kink,
                                 .finite = true,
                                 .flat = low == 0 && high == 0};
    e->excess = gap > 0 ? (double)(gap / slack) : 0;
    e->outcome = !(gap <= slack) ? WG_ENTRY_DISAGREES : kink ? WG_ENTRY_KINK : WG_ENTRY_AGREES;
}

/* How far two neighbouring steps differ, as a share of the derivative; 0 where rounding explains
 * it. At a kink the one-sided derivatives are what must agree; from afar no kink is seen. Steps
 * that are tiny beside all of x resolve no zero. What the claim says plays no part: beside a large
 * one all that is small would agree. */
static wg_wide wide_difference(const wide_step *coarse, const wide_step *fine, wg_wide unit,
                               bool far)
{
    const wg_wide gap = WIDE_ABS(coarse->value - fine->value), size = WIDE_ABS(coarse->value);
    if (!wide_is_finite(gap)) /* infinite slopes agree on nothing */
        return 1;
    const bool nothing = gap <= fine->noise && size <= coarse->noise &&
                         coarse->h >= unit * WG_K(wide, 1.0e-20);
    if (wide_is_kink(coarse, fine))
        return far ? 1 : 0;
    return nothing ? 0 : WIDE_MAX(gap, coarse->noise) / WIDE_MAX(size, WG_WIDE_MIN);
}

/* One step says what is claimed, to the tolerance, and sees no kink. */
static bool wide_confirms(const wide_step *s, wg_wide claimed)
{
    const wg_wide size = WIDE_ABS(s->value), most = wide_tolerance() * size;
    return size > 0 && s->noise <= most && WIDE_ABS(s->value - claimed) <= most &&
           WIDE_ABS(s->right - s->left) <= size / 1000000;
}

/* Does the difference fall with the step, at least by its root? Then the derivative is 0, as that
 * of x^3 at 0 is, and no two steps agree on it to any share of itself. */
static bool wide_vanishes(const wide_step *coarse, const wide_step *fine)
{
    const wg_wide fall = WG_F(wide, pow)(fine->h / coarse->h, WG_K(wide, 0.45));
    return fine->value != 0 && WIDE_ABS(fine->value) <= fall * WIDE_ABS(coarse->value);
}

/* The search among neighbouring steps for those that agree. */
typedef struct wide_hunt {
    wg_wide claimed, scale, best;
    bool far; /* the scale is larger than |x| */
    bool found;
} wide_hunt;

/* Compares steps first, first + 1, ..., last; ends early where two agree to the tolerance. */
static void wide_compare(wide_hunt *hunt, wg_wide_line *line, int first, int last,
                         wg_check_entry *e)
{
    wide_step coarse = wide_take(line, hunt->scale, first);
    bool vanishes = true;
    if (wide_confirms(&coarse, hunt->claimed)) {
        wide_settle(e, &coarse, &coarse, hunt->claimed);
        hunt->found = true;
        return;
    }
    for (int s = first + 1; s <= last && !(hunt->found && hunt->best <= wide_tolerance()); s++) {
        const wide_step fine = wide_take(line, hunt->scale, s);
        /* Two that do not move at all where larger ones did are too small for f's inner values. */
        const bool still = s > first + 1 && coarse.value == 0 && fine.value == 0;
        const wg_wide off = wide_difference(&coarse, &fine, line->unit, hunt->far);
        if (off < hunt->best && !still) {
            hunt->best = off;
            hunt->found = true;
            wide_settle(e, &coarse, &fine, hunt->claimed);
        }
        vanishes = vanishes && wide_vanishes(&coarse, &fine);
        coarse = fine;
    }
    if (vanishes && !hunt->found) {
        const wide_step zero = {.h = coarse.h};
        wide_settle(e, &zero, &coarse, hunt->claimed);
        hunt->found = true;
    }
}

/* Is what was found far above the noise? */
static bool wide_is_loud(bool found, const wg_check_entry *e)
{
    return found && !(e->numeric.roundoff > 1e-3 * fmax(fabs(e->claimed), fabs(e->numeric.value)));
}

/* The first two neighbours that agree decide; where none do to the last, those that do best, to a
 * thousandth at least. */
static bool wide_search(wg_wide_line *line, wg_wide scale, bool far, wg_wide claimed,
                        wg_check_entry *e)
{
    const wide_hunt begin = {
        .claimed = claimed, .scale = scale, .far = far, .best = WG_K(wide, 0.001)};
    wide_hunt hunt = begin, large = begin, largest = begin;
    wg_check_entry other = *e;
    largest.far = true;
    wide_compare(&hunt, line, 0, WIDE_LARGE - 1, e);
    if (wide_is_loud(hunt.found, e))
        return true;
    wide_compare(&large, line, WIDE_LARGE, WIDE_LARGEST - 1, &other);
    if (large.found)
        *e = other;
    if (wide_is_loud(large.found, e))
        return true;
    wide_compare(&largest, line, WIDE_LARGEST, WIDE_STEPS - 1, &other);
    if (largest.found && other.outcome == WG_ENTRY_AGREES)
        *e = other;
    return hunt.found || large.found || (largest.found && other.outcome == WG_ENTRY_AGREES);
}

/* A scale larger than |x| may see another f than there is at x: it confirms, and accuses no one. */
static bool wide_search_far(wg_wide_line *line, wg_wide scale, wg_wide claimed, wg_check_entry *e)
{
    return wide_search(line, scale, true, claimed, e) && e->outcome != WG_ENTRY_DISAGREES;
}

/* A direction may move all of x by far more than its size, as where x is subnormal: where noise is
 * all that is found, steps relative to x are tried, too. */
static bool wide_search_direction(wg_wide_line *line, wg_wide claimed, wg_check_entry *e)
{
    const bool found = wide_search(line, 1, false, claimed, e);
    wg_check_entry near = *e;
    double most = 0;
    for (size_t i = 0; i < line->n; i++)
        most = fmax(most, fabs(line->direction[i]));
    const wg_wide scale = most > 0 ? line->unit / (wg_wide)most : 1;
    if (wide_is_loud(found, e) || scale > WG_K(wide, 0.001) ||
        !wide_is_loud(wide_search(line, scale, false, claimed, &near), &near))
        return found;
    *e = near;
    return true;
}

/* Steps relative to |x|; where these are too small for f's inner values, to all of x, and to 1.
 * Where x is 0 there is no other scale; a large one must not be alone. */
static bool wide_search_scales(wg_wide_line *line, wg_wide claimed, wg_check_entry *e)
{
    if (line->direction != NULL)
        return wide_search_direction(line, claimed, e);
    const wg_wide here = WIDE_ABS(line->x[line->entry]), unit = line->unit;
    if (wide_search(line, here > 0 ? here : unit, false, claimed, e) &&
        (here > 0 || unit <= 1 || e->outcome != WG_ENTRY_DISAGREES))
        return true;
    if (here == 0 && unit > 1)
        return wide_search(line, 1, false, claimed, e);
    return (here < unit && here > 0 && wide_search_far(line, unit, claimed, e)) ||
           (unit < 1 && wide_search_far(line, 1, claimed, e));
}

/* ---- Points around --------------------------------------------------------------------------- */

/* At a kink of several variables the derivatives along a line tell less than those at points around
 * x, which differ from one smooth piece of f to the next: every value among these is admissible
 * (the generalized gradient of Clarke 1983, "Optimization and Nonsmooth Analysis", ch. 2). So it is
 * where f jumps at x. The points are nearer to x than 45 units in the last place of a double. */
enum { WIDE_AROUND = 16 };

static wg_wide wide_nearness(void)
{
    return WG_F(wide, pow)(WG_WIDE_EPSILON, WG_K(wide, 0.42));
}

/* f at point k around x, and a step h on from it along the line. */
static wg_wide wide_at_point(wg_wide_line *line, int k, wg_wide h)
{
    const wg_wide near = wide_nearness();
    for (size_t i = 0; i < line->n; i++) {
        const wg_wide size = line->origin[i] == 0 ? line->unit : WIDE_ABS(line->origin[i]);
        const double draw = 2 * wg_random_uniform(line->seed, 0xa207d + (uint64_t)k, i) - 1;
        const wg_wide moves = line->direction != NULL ? (wg_wide)line->direction[i]
                                                      : (wg_wide)(i == line->entry);
        line->x[i] = line->origin[i] + near * (wg_wide)draw * size + h * moves;
    }
    const wg_wide value = line->f(line->x, line->user);
    for (size_t i = 0; i < line->n; i++)
        line->x[i] = line->origin[i];
    line->evaluations++;
    return value;
}

/* The derivative at point k; NaN where the point is at a kink itself. */
static wg_wide wide_slope_at_point(wg_wide_line *line, int k, wg_wide h, wg_wide *noise)
{
    const wg_wide here = wide_at_point(line, k, 0);
    const wg_wide right = (wide_at_point(line, k, h) - here) / h;
    const wg_wide left = (here - wide_at_point(line, k, -h)) / h;
    const wg_wide size = WIDE_MAX(WIDE_ABS(left), WIDE_ABS(right));
    *noise = 64 * WG_WIDE_EPSILON * WIDE_MAX(WIDE_ABS(here), line->rounded) / h;
    return WIDE_ABS(right - left) <= size / 100000 + *noise ? (left + right) / 2 : (wg_wide)NAN;
}

/* Is the claim, which the line itself does not confirm, among the derivatives around x? Those must
 * differ, or the line have found none: a smooth f has but one derivative. */
static bool wide_is_around(wg_wide_line *line, wg_wide claimed, bool found, wg_check_entry *e)
{
    const wg_wide x = line->direction != NULL ? 1 : WIDE_ABS(line->origin[line->entry]);
    const wg_wide h = WG_F(wide, pow)(WG_WIDE_EPSILON, WG_K(wide, 0.6)) * (x == 0 ? line->unit : x);
    wg_wide low = (wg_wide)INFINITY, high = -low, noise = 0;
    int seen = 0;
    for (int k = 0; k < WIDE_AROUND; k++) {
        wg_wide rounding;
        const wg_wide slope = wide_slope_at_point(line, k, h, &rounding);
        if (!wide_is_finite(slope))
            continue;
        seen++;
        low = WG_F(wide, fmin)(low, slope);
        high = WIDE_MAX(high, slope);
        noise = WIDE_MAX(noise, rounding);
    }
    const wg_wide size = WIDE_MAX(WIDE_ABS(low), WIDE_ABS(high));
    const wg_wide slack = noise + WIDE_MAX(10 * wide_tolerance(), 100 * wide_nearness()) * size;
    const bool zero = claimed == 0 && size <= noise;
    if (seen < WIDE_AROUND / 2 || (found && !(high - low > 100 * slack)) ||
        (noise > size / 1000 && !zero) || !(claimed >= low - slack && claimed <= high + slack))
        return false;
    e->numeric = (wg_difference){.value = (double)((low + high) / 2),
                                 .roundoff = (double)noise,
                                 .step = (double)h,
                                 .left = (double)low,
                                 .right = (double)high,
                                 .kink = true,
                                 .finite = true,
                                 .flat = low == 0 && high == 0};
    e->outcome = WG_ENTRY_KINK;
    e->excess = 0;
    return true;
}

void wg_wide_judge(wg_wide_line *line, size_t index, wg_wide claimed, wg_check_entry *e)
{
    const wg_check_entry begin = {.index = index, .claimed = (double)claimed, .wide = true};
    *e = begin;
    if (!wide_can_move(line)) {
        e->numeric.value = (double)NAN;
        e->outcome = WG_ENTRY_UNRESOLVED;
        return;
    }
    const bool found = wide_search_scales(line, claimed, e), finite = wide_is_finite(claimed);
    if (finite && ((found && e->outcome != WG_ENTRY_DISAGREES) ||
                   (line->origin != NULL && wide_is_around(line, claimed, found, e))))
        return;
    if (found && finite)
        return;
    if (!found) {
        *e = begin;
        e->numeric = (wg_difference){.value = (double)NAN};
    }
    /* An infinite derivative that no two steps agree on may be one (sqrt at 0). */
    const bool infinite = !found && claimed == claimed;
    e->outcome = infinite ? WG_ENTRY_UNRESOLVED : WG_ENTRY_DISAGREES;
    e->excess = (double)INFINITY;
}

/* At the root of epsilon truncation and rounding are both about as large as that; where f is large
 * beside the derivative its rounding is more. */
bool wg_wide_confirms(wg_wide_line *line, wg_wide claimed, bool *sharp)
{
    wg_wide moved;
    const wg_wide value = wide_move(line, wide_step_size(line, 1, 2), &moved);
    const wg_wide noise = WG_WIDE_EPSILON * WIDE_ABS(line->value) / moved;
    const wg_wide share = wide_tolerance() * WIDE_ABS(claimed), slack = share + 4 * noise;
    *sharp = 4 * noise <= share;
    return slack <= WIDE_ABS(claimed) / 1000 &&
           WIDE_ABS((value - line->value) / moved - claimed) <= slack;
}

wg_check_verdict wg_check_function_wide(wg_wide_function *f, void *user, wg_wide *x,
                                        const wg_wide *claimed, size_t n,
                                        const wg_check_options *options, wg_check_report *report)
{
    wg_check_state c = {0};
    wg_wide_line line = {.f = f, .user = user, .x = x, .n = n};
    if (wg_check_prepare(&c, options, f != NULL && (n == 0 || (x != NULL && claimed != NULL)), n)) {
        line.seed = c.options.seed;
        c.report.verdict = WG_CHECK_NOT_FINITE;
        if (wg_wide_line_begin(&line, f(x, user))) {
            c.report.verdict = WG_CHECK_PASSED;
            wg_check_tell(&c, NULL, (wg_shape){1, {(int64_t)n}});
            for (size_t i = 0; i < n; i++) {
                wg_check_entry e;
                line.entry = i;
                wg_wide_judge(&line, i, claimed[i], &e);
                wg_check_doubt(&c, &e);
                wg_check_count(&c, &e);
            }
        }
        c.report.value = (double)line.value;
    }
    c.line.evaluations = line.evaluations;
    return c.report.verdict == WG_CHECK_PASSED ? wg_check_end(&c, report)
                                               : wg_check_hand_over(&c, report);
}

#undef WIDE_ABS
#undef WIDE_MAX

#endif
