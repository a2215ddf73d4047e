#ifndef WG_AUTOGRAD_CHECK_GRADCHECK_H
#define WG_AUTOGRAD_CHECK_GRADCHECK_H

#include "autograd/check/function.h"
#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Is a recorded gradient right? The recorded computation is the function that function.h
 * checks: one entry of x is moved, and the nodes between x and y are replayed in double; a tape of
 * f32 is checked through its f64 copy, and compared with it. Whatever is random or detached keeps
 * what it holds. The tape is left bit for bit as it was found, and its status too: an error is a
 * verdict WG_CHECK_INVALID, with the reason in the report's `blame`. On a tape that has an error
 * already the reason is its message, as long as it has it. */

/* In which floats derivatives are decided. */
typedef enum wg_check_precision {
    /* a pass in double; wide floats decide what does not agree clearly there, and look at the rest
     * along one random direction (where the tape is small: 65,536 elements) */
    WG_CHECK_AUTO,
    WG_CHECK_WIDE,  /* wide floats decide every entry */
    WG_CHECK_DOUBLE /* double alone, by error bars */
} wg_check_precision;

/* Zero in a field means its default; so does a NULL pointer to the whole. */
typedef struct wg_gradcheck_options {
    wg_check_precision precision; /* default WG_CHECK_AUTO */
    wg_check_options check;       /* how each derivative is judged */
    size_t directions; /* 0 (default): every entry; else so many random directions an input: the
                        * adjoint identity <w, Jv> = <J'w, v>, with Jv by differences */
    size_t nearby; /* so many points around are checked, too: a gradient may be right only at the
                        * point given; default 0. The xs must be leaves then */
    double radius; /* ... where x_i is x_i + radius * max(unit, |x_i|) * a normal draw; default
                        * 0.1, > 0 */
    double single; /* share of the largest by which f32 values may be off those in f64; default 0:
                    * by any, but a note tells of more than 1e-2; >= 0 */
    bool no_blame; /* default false; true: the op that is wrong is not named, and not looked for
                    * where the gs are given; verdicts are the same */
} wg_gradcheck_options;

/* wg_gradcheck: the gradient of y with respect to the xs, against differences.
 * Shapes:  y has one element, or any: then <c, y> is checked, with a random cotangent c of normal
 *          draws (a plain sum hides bugs: the gradient of sum(softmax) is zero), and gs must be
 *          NULL. gs[i], the claimed gradient, as xs[i]; gs = NULL: the one that wg_vjp derives.
 * Returns: the severest verdict of the inputs; reports [n], one an input, may be NULL. In a report
 *          that has failed, `blame` names the op whose rule disagrees with its own forward kernel,
 *          checked alone at the values of the tape; or is NULL, and `note` says more.
 *          On a tape with f32 each kernel of f32 must give, for the values that its operands hold,
 *          what the one of f64 does, to a thousandth and rounding; and so must each rule, where
 *          the gradient's f32 values are off by more than 1e-3; or all have failed. The
 *          gradient's f32 values (gs, or what wg_vjp derives there) are compared with those of the
 *          copy: `single` tells how far they are off. More than the option's share of the largest,
 *          where that is given, is WG_CHECK_UNRESOLVED, and `blame` names the first op whose values
 *          differ as much: a cancellation that f32 is too coarse for, or a kink on whose other side
 *          it came out.
 *          Where wide floats decide, f64 kernels must give what the wide ones do, to 1e-8 and
 *          rounding, and f64 rules, to 1e-7, or be written in the same ops: digits that are lost
 *          inside make neither wrong. A derived gradient is derived again, from cotangents 2^30
 *          times as large and as small: a rule that is not linear in its cotangent, or gives
 *          something else when it is asked again, or in the gradient than alone, has failed.
 *          Where an op's wide kernel passes through a narrower float (sin for sinf128), wide steps
 *          see it stand still: double decides, and `narrow` names the op.
 *          Loops are looked into, step by step, the first 32.
 * Cost:    4 to 5 replays an entry (2 with check.points = 3) of what lies between x and y.
 * Edges:   y and the gs must not be stale. x may be any float tensor of y's tape; where y does not
 *          depend on it the verdict is WG_CHECK_VACUOUS. n >= 1. A tensor that the user detached
 *          keeps its value; a detach that a derivative rule records does not, because the rule
 *          would hide behind it. */
wg_check_verdict wg_gradcheck(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[], int n,
                              const wg_gradcheck_options *options, wg_check_report reports[]);

/* wg_gradcheck_print: the same, printed as a table to the stream. */
wg_check_verdict wg_gradcheck_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[],
                                    wg_tensor *const gs[], int n,
                                    const wg_gradcheck_options *options);

/* wg_gradcheck_second: the second derivatives: the gradient of <grad y, v>, with a random v,
 * against differences of that sum; and, where no x is computed from another, the symmetry <u, Hv> =
 * <v, Hu> to check.rtol of the terms. y has one element. Reports as for wg_gradcheck. Has failed
 * where the first derivatives do, along a direction: those of a wrong gradient are no Hessian. */
wg_check_verdict wg_gradcheck_second(wg_tensor *y, wg_tensor *const xs[], int n,
                                     const wg_gradcheck_options *options,
                                     wg_check_report reports[]);

/* wg_gradcheck_second_print: the same, printed as a table. */
wg_check_verdict wg_gradcheck_second_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[], int n,
                                           const wg_gradcheck_options *options);

/* wg_gradcheck_taylor: the Taylor remainders of y (one element) along a random direction in x,
 * scaled as x is: their rate is 2 with the gradient (order 2), 3 with the Hessian-vector product as
 * well (order 3). Where kinks or lost digits hide the rate, differences in wide floats decide, and
 * the report says so. Options as for wg_check_taylor, and `seed`; may be NULL; so may report. */
wg_check_verdict wg_gradcheck_taylor(wg_tensor *y, wg_tensor *x, int order,
                                     const wg_check_options *options,
                                     wg_check_taylor_report *report);

/* wg_gradcheck_sweep: the error of 2-, 3- and 5-point differences of y (one element) against the
 * recorded derivative by element `entry` of x, for `count` steps falling from `from` to `to`.
 * Errors: WG_E_INDEX (no such entry), WG_E_VALUE (what wg_gradcheck finds invalid); not on the
 *         tape. */
wg_status wg_gradcheck_sweep(wg_tensor *y, wg_tensor *x, int64_t entry, double from, double to,
                             wg_check_sweep_row *rows, size_t count);

/* wg_compare_closed_form: a gradient (or any tensor) against values from a formula, row-major
 * [size]. The difference is measured relative to `scale`, or to the largest finite |closed form|
 * where scale is 0. Returns the largest |g - closed| / scale, NaN if either holds a NaN or g is
 * inert; *worst, if not NULL, is its index. 0 where both are all zero; infinite where only the
 * closed form is; equal infinities do not differ. */
double wg_compare_closed_form(const wg_tensor *g, const double *closed, double scale,
                              int64_t *worst);

#ifdef __cplusplus
}
#endif
#endif
