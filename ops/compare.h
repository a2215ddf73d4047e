#ifndef WG_OPS_COMPARE_H
#define WG_OPS_COMPARE_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Comparisons, selection and conversion; shapes and errors as in ops/elementwise.h. */

/* wg_equal, wg_not_equal, wg_less, wg_less_equal, wg_greater, wg_greater_equal: y = 1 where the
 * relation holds, otherwise 0, in the operands' dtype (f32, f64, i64).   Derivative: 0, declared.
 * Edges: as C compares: with a NaN every relation fails but not_equal, which holds. */
wg_tensor *wg_equal(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_not_equal(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_less(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_less_equal(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_greater(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_greater_equal(wg_tensor *a, wg_tensor *b);

/* wg_where: y = a where c is not 0 (NaN is not 0), b elsewhere; a and b of one dtype (f32, f64,
 * i64), c of any. All three broadcast.
 * Derivatives: a and b each receive the cotangent where they are taken and 0 elsewhere: selected,
 *   never multiplied. c receives none. A branch that is not taken still has its own gradient, and 0
 *   times the infinite derivative of log at 0 is NaN: guard the argument, log(where(c, x, 1)). */
wg_tensor *wg_where(wg_tensor *c, wg_tensor *a, wg_tensor *b);

/* wg_cast: y = x in another dtype; x itself where it has that dtype already.
 * Derivative:  1 between f32 and f64; an i64 has no cotangent, on either side.
 * Edges:  f64 -> f32 rounds, and overflows to +-inf; float -> i64 drops the fraction.
 * Errors: WG_E_VALUE where a float is NaN or does not fit an i64; WG_E_DTYPE where `to` is no
 *         dtype. */
wg_tensor *wg_cast(wg_tensor *x, wg_dtype to);

#ifdef __cplusplus
}
#endif
#endif
