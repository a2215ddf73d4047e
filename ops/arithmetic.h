#ifndef WG_OPS_ARITHMETIC_H
#define WG_OPS_ARITHMETIC_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Arithmetic, rounding and extremes; shapes, dtypes and errors as in ops/elementwise.h. */

/* wg_add, wg_sub, wg_mul: y = a + b, a - b, a b. Also i64 (wraps around).
 * Derivatives: 1 and 1; 1 and -1; b and a. */
wg_tensor *wg_add(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_sub(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_mul(wg_tensor *a, wg_tensor *b);

/* wg_div: y = a / b.   Derivatives: 1/b and -y/b.   Edges: IEEE 754: a/0 is infinite, 0/0 NaN. */
wg_tensor *wg_div(wg_tensor *a, wg_tensor *b);

/* wg_div_or_zero: y = a / b, and 0 where b is 0, whatever a is.
 * Derivatives: 1/b and -y/b, both 0 where b is 0.
 * For a ratio that has a convention at 0/0: the gradient of a norm at the origin, a mean by weights
 * that are all zero. */
wg_tensor *wg_div_or_zero(wg_tensor *a, wg_tensor *b);

/* wg_weigh: y = c x, and 0 where c is 0, whatever x is, NaN even: losses by weights.
 * Derivatives: x and c. */
wg_tensor *wg_weigh(wg_tensor *c, wg_tensor *x);

/* wg_neg: y = -x.   wg_scale: y = c x.   wg_shift: y = x + c.   c is rounded to x's dtype.
 * Derivatives: -1, c, 1. */
wg_tensor *wg_neg(wg_tensor *x);
wg_tensor *wg_scale(wg_tensor *x, double c);
wg_tensor *wg_shift(wg_tensor *x, double c);

/* wg_affine: y = a x + b, with a and b rounded to x's dtype.   Derivative: a. */
wg_tensor *wg_affine(wg_tensor *x, double a, double b);

/* wg_square: y = x^2.   Derivative: 2x.   wg_reciprocal: y = 1/x.   Derivative: -y^2. */
wg_tensor *wg_square(wg_tensor *x);
wg_tensor *wg_reciprocal(wg_tensor *x);

/* wg_abs: y = |x|.   Derivative: sign(x), 0 at 0. */
wg_tensor *wg_abs(wg_tensor *x);

/* wg_sign: y = -1, 0, 1, as x is below, at or above 0.   Derivative: 0, declared. */
wg_tensor *wg_sign(wg_tensor *x);

/* wg_floor, wg_ceil, wg_round: the integer below, above, nearest (halves to even).
 * Derivative: 0, declared. */
wg_tensor *wg_floor(wg_tensor *x);
wg_tensor *wg_ceil(wg_tensor *x);
wg_tensor *wg_round(wg_tensor *x);

/* wg_maximum, wg_minimum: the larger, the smaller of a and b.
 * Derivatives: 1 for the one taken, 0 for the other, 1/2 and 1/2 where they are equal.
 * Edges:  NaN where either is NaN; the cotangent then passes to both. */
wg_tensor *wg_maximum(wg_tensor *a, wg_tensor *b);
wg_tensor *wg_minimum(wg_tensor *a, wg_tensor *b);

/* wg_clamp: y = x moved into [low, high]; both are rounded to x's dtype and may be infinite.
 * Derivative:  1 inside and at the bounds, 0 outside and at NaN.
 * Errors: WG_E_VALUE where low <= high does not hold. */
wg_tensor *wg_clamp(wg_tensor *x, double low, double high);

#ifdef __cplusplus
}
#endif
#endif
