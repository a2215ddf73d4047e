/* Numerical derivatives along a line, each with an honest error bar.
 *
 * The line is t -> f(x + t e_i) for one entry i of x, or t -> f(x + t v) for a direction v. The
 * derivative at t = 0 comes from stencils of values at t = +-k and +-2k. A stencil tells more than
 * a derivative: its parts, compared with each other, tell how far it can be trusted.
 *
 *   D3(k) = (f(k) - f(-k)) / 2k               error k^2 f'''/6 and noise/k
 *   D5(k) = (4 D3(k) - D3(2k)) / 3            error k^4 f'''''/30 and noise/k
 *   |D5(k) - D3(k)|                           bounds the truncation (as in GSL's deriv_central)
 *   f(2k) - 4f(k) + 6f(0) - 4f(-k) + f(-2k)   k^4 f'''' where f is smooth, which is next to
 *   nothing;
 *                                             sqrt(70) times the noise of f where that is larger
 *                                             (Hamming; More and Wild 2011, "Estimating
 *                                             computational noise"); 2kJ at a kink of jump J
 *
 * Nothing here allocates. f is always called with the caller's own array x, moved in place and
 * restored bit for bit before the call returns, so f may know x by its address. */
#ifndef WG_AUTOGRAD_CHECK_DIFFERENCE_INTERNAL_H
#define WG_AUTOGRAD_CHECK_DIFFERENCE_INTERNAL_H

#include "autograd/check/function.h"

/* A line through x. Fill in the first group (zero the rest), call wg_line_begin, and change `entry`
 * or `direction` freely afterwards: f(x) is evaluated only once. */
typedef struct wg_line {
    wg_function *f;
    void *user;
    double *x; /* [n], moved in place and restored */
    size_t n;
    size_t entry;            /* the entry that moves, when direction is NULL */
    const double *direction; /* [n] or NULL */
    const double *origin;    /* [n], a copy of x; read only with a direction */
    double unit;             /* least length scale of an entry; 0 means 1 */
    double mantissa;         /* of all steps, in [1, 2); 0 means 1 */

    double value;       /* f(x) */
    size_t evaluations; /* of f, so far */
} wg_line;

/* wg_power_of_two_below: the largest power of two that is <= x, for finite x > 0. */
double wg_power_of_two_below(double x);

/* wg_line_begin: evaluates f(x). False if that is not finite: nothing can
 * be differentiated there. */
bool wg_line_begin(wg_line *line);

/* wg_line_is_finite: are x, where the line moves it, and the direction finite? */
bool wg_line_is_finite(const wg_line *line);

/* wg_line_at: f at distance t, NaN (without a call) if x + t overflows. *moved (if not NULL) is the
 * distance after rounding, fl(x + t) - x, which is what differences are divided by. */
double wg_line_at(wg_line *line, double t, double *moved);

/* wg_line_scale: the length that steps are relative to, max(unit, |x_i|) rounded down to a power of
 * two, times the mantissa; the mantissa alone for a direction, which carries its scale. */
double wg_line_scale(const wg_line *line);

/* wg_line_small_scale: |x_i| rounded down to a power of two where that is below the scale, which a
 * step of the usual size may overlook; 0 where there is no such second scale (also x_i = 0). */
double wg_line_small_scale(const wg_line *line);

/* wg_line_rounding: the noise to reckon with in values of this size: rounding to double costs up to
 * half a unit in the last place, and an f of several operations ends with about one. What is more
 * shows in the differences. */
double wg_line_rounding(double magnitude);

/* wg_line_lump: how coarse the values of f are: the jump by which f first moves away from f(x)
 * along the line; 0 if it never moves, or bends away continuously from a flat piece. About the
 * spacing of doubles near f(x) for most functions, far more for one that computes with a
 * cancellation or in single precision. Some 60 evaluations. */
double wg_line_lump(wg_line *line);

enum { WG_FAR_LEFT, WG_LEFT, WG_RIGHT, WG_FAR_RIGHT };

/* Everything that the values at -2k, -k, 0, k, 2k tell. Derivatives that need a value which is not
 * finite are NaN. */
typedef struct wg_stencil {
    double step;    /* k */
    double forward; /* (f(k) - f(0)) / k */
    double three;   /* D3(k) */
    double five;    /* D5(k) */
    double right;   /* one-sided derivatives of second order, from 0, k, 2k and 0, -k, -2k */
    double left;
    double noise; /* |fourth difference| / sqrt(70) */
    /* the larger |one-sided second difference| / sqrt(6): blind to a kink at 0 */
    double side_noise;
    double magnitude; /* max |f| over the finite values */
    double change[4]; /* f - f(0) at -2k, -k, k, 2k: WG_FAR_LEFT, ... */
    double moved[4];  /* these distances, as rounded */
    bool right_finite;
    bool left_finite;
    bool flat; /* all five values are the same bits */
} wg_stencil;

/* wg_stencil_at: four evaluations, with inner step k > 0. */
wg_stencil wg_stencil_at(wg_line *line, double step);

/* wg_difference_three, wg_difference_five: one stencil each, 2 and 4 evaluations, of inner step
 * `step` (absolute). The three-point form sees neither its truncation (reported as 0) nor noise
 * beyond eps |f|. The five-point form takes |D5 - D3| for its truncation. */
wg_difference wg_difference_three(wg_line *line, double step);
wg_difference wg_difference_five(wg_line *line, double step);

/* wg_difference_examine: the derivative from a ladder of up to 24 five-point stencils, four
 * evaluations each, from `top` (0: scale/16) down to where noise drowns the derivative, and some 60
 * more to see how coarse f is; slow and hard to fool.
 *   claimed   the value under suspicion, NaN if there is none. It only says how far down to look:
 *             to where noise amounts to an eighth of what it is off.
 * The value is that of the stencil with the narrowest bar, unless finer ones contradict it; a kink
 * is a difference between left and right derivatives that does not shrink with the step.
 * Where f jumps about at the finest steps no less than at others, the truncation is infinite: f
 * lives at a scale that no step of a double reaches (sin at 1e12).
 * Edges: values not finite at large steps are left out (log near 0); finite on one side only, at
 * every step: the one-sided derivative (x sqrt(x) at 0). */
wg_difference wg_difference_examine(wg_line *line, double top, double claimed);

/* wg_difference_along: five points first, the ladder if these leave doubt (bar > 1e-6 |value|). */
wg_difference wg_difference_along(wg_line *line);

#endif
