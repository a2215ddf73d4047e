/* Owns the stair: a function that passes through a narrower float on its way, as one that is meant
 * to compute in wide floats and calls sin for sinf128 does. */
#include "autograd/check/function_internal.h"

#if WG_STAIR_SHOWS

#define STAIR_ABS(x) WG_F(wide, fabs)(x)

enum { STAIR_POINTS = 64, STAIR_PER_TREAD = 8, STAIR_LEAST = 3, STAIR_MOST = 24 };

/* f, and its slope on the tread at 0; a change of no more than `least` is none. */
typedef struct stair {
    wg_wide_of *f;
    void *user;
    wg_wide here, slope, least;
    wg_wide step, change[STAIR_POINTS]; /* from one point to the next, beside the slope */
} stair;

/* The first of steps that double, to one side, at which f has left the line through its tread; 0:
 * it does not. */
static wg_wide stair_first(const stair *s, int side)
{
    for (int power = -74; power <= -19; power++) {
        const wg_wide t = side * (wg_wide)ldexp(1, power);
        const wg_wide off = s->f(t, s->user) - s->here - s->slope * t;
        if (!(STAIR_ABS(off) <= s->least))
            return STAIR_ABS(t);
    }
    return 0;
}

/* Are treads as wide as those of a float, or of a double or long double? */
static bool stair_has_width(wg_wide first)
{
    return (first >= (wg_wide)0x1p-27 && first <= (wg_wide)0x1p-20) ||
           (first >= (wg_wide)0x1p-68 && first <= (wg_wide)0x1p-49);
}

/* The highest riser on the way; NaN: f is not finite there. */
static wg_wide stair_walk(stair *s)
{
    wg_wide before = s->here, most = 0;
    for (int j = 0; j < STAIR_POINTS; j++) {
        const wg_wide value = s->f((j + 1) * s->step, s->user);
        s->change[j] = STAIR_ABS(value - before - s->slope * s->step);
        if (!(s->change[j] <= WG_WIDE_MAX))
            return (wg_wide)NAN;
        most = WG_F(wide, fmax)(most, s->change[j]);
        before = value;
    }
    return most;
}

/* Where between two points the riser is. */
static wg_wide stair_place(const stair *s, int j)
{
    wg_wide left = j * s->step, right = left + s->step;
    const wg_wide from = s->f(left, s->user), start = left;
    for (int i = 0; i < 24; i++) {
        const wg_wide middle = (left + right) / 2;
        const wg_wide off = s->f(middle, s->user) - from - s->slope * (middle - start);
        if (STAIR_ABS(off) > s->change[j] / 2)
            right = middle;
        else
            left = middle;
    }
    return right;
}

/* Risers stand alone, or by twos, between flat treads. Sets where the first and the last are. */
static bool stair_is_regular(const stair *s, wg_wide most, wg_wide at[2])
{
    int risers = 0, row = 0, first = 0, last = 0;
    for (int j = 0; j < STAIR_POINTS && row < 3; j++) {
        const bool riser = s->change[j] > most / 1024;
        row = riser ? row + 1 : 0;
        risers += riser;
        first = riser && risers == 1 ? j : first;
        last = riser ? j : last;
    }
    if (row > 2 || risers < STAIR_LEAST || risers > STAIR_MOST)
        return false;
    at[0] = stair_place(s, first);
    at[1] = stair_place(s, last);
    return true;
}

bool wg_wide_is_stair(wg_wide_of *f, void *user, wg_wide least, wg_wide *riser, wg_wide at[2])
{
    const wg_wide finest = (wg_wide)0x1p-75;
    stair s = {.f = f, .user = user, .here = f(0, user), .least = least};
    s.slope = (f(finest, user) - s.here) / finest;
    /* 0 may lie next to a riser: the farther one on either side tells how wide treads are. */
    const wg_wide left = stair_first(&s, -1), right = stair_first(&s, 1);
    const wg_wide first = WG_F(wide, fmax)(left, right);
    s.step = first / STAIR_PER_TREAD;
    if (left == 0 || right == 0 || !stair_has_width(first))
        return false;
    *riser = stair_walk(&s);
    return *riser > least && stair_is_regular(&s, *riser, at);
}

#undef STAIR_ABS

#endif
