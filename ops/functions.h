#ifndef WG_OPS_FUNCTIONS_H
#define WG_OPS_FUNCTIONS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The functions of analysis, f32 and f64; shapes and errors as in ops/elementwise.h. Outside its
 * domain a function is NaN, at a pole infinite; derivatives are what their formulas give there. */

/* wg_exp: y = e^x, derivative y.   wg_expm1: y = e^x - 1, accurate near 0; derivative e^x. */
wg_tensor *wg_exp(wg_tensor *x);
wg_tensor *wg_expm1(wg_tensor *x);

/* wg_log: y = log x, derivative 1/x.
 * wg_log1p: y = log(1 + x), accurate near 0; derivative 1/(1 + x). */
wg_tensor *wg_log(wg_tensor *x);
wg_tensor *wg_log1p(wg_tensor *x);

/* wg_log2, wg_log10: logarithms to base 2 and 10.   Derivatives: 1/(x log 2), 1/(x log 10). */
wg_tensor *wg_log2(wg_tensor *x);
wg_tensor *wg_log10(wg_tensor *x);

/* wg_sqrt: y = x^(1/2), derivative 1/(2y), infinite at 0.
 * wg_rsqrt: y = x^(-1/2), derivative -y/(2x). */
wg_tensor *wg_sqrt(wg_tensor *x);
wg_tensor *wg_rsqrt(wg_tensor *x);

/* wg_pow: y = a^b.
 * Derivatives: in a: b a^(b-1), 0 where b = 0.   In b: y log a; 0 where a = 0 and b >= 0;
 *         NaN where a < 0.
 * Edges:  C11's pow (annex F): a^0 = 1 also for a = NaN; NaN for a < 0 unless b is an integer.
 *         Second derivatives at a = 0 are finite where b is 0, 1 or at least 2. */
wg_tensor *wg_pow(wg_tensor *a, wg_tensor *b);

/* wg_pow_scalar: y = x^c, with c rounded to x's dtype.   Derivative: c x^(c-1), 0 where c = 0.
 * Edges: as wg_pow. */
wg_tensor *wg_pow_scalar(wg_tensor *x, double c);

/* wg_sin, wg_cos, wg_tan; derivatives cos x, -sin x, 1 + y^2.   Edges: NaN at +-inf. */
wg_tensor *wg_sin(wg_tensor *x);
wg_tensor *wg_cos(wg_tensor *x);
wg_tensor *wg_tan(wg_tensor *x);

/* wg_asin, wg_acos, wg_atan; derivatives (1 - x^2)^(-1/2), minus that, 1/(1 + x^2). */
wg_tensor *wg_asin(wg_tensor *x);
wg_tensor *wg_acos(wg_tensor *x);
wg_tensor *wg_atan(wg_tensor *x);

/* wg_sinh, wg_cosh, wg_tanh; derivatives cosh x, sinh x, 1/cosh(x)^2, accurate even where y
 * rounds to 1. */
wg_tensor *wg_sinh(wg_tensor *x);
wg_tensor *wg_cosh(wg_tensor *x);
wg_tensor *wg_tanh(wg_tensor *x);

/* wg_asinh, wg_acosh, wg_atanh; derivatives (x^2 + 1)^(-1/2), (x^2 - 1)^(-1/2), 1/(1 - x^2). */
wg_tensor *wg_asinh(wg_tensor *x);
wg_tensor *wg_acosh(wg_tensor *x);
wg_tensor *wg_atanh(wg_tensor *x);

/* wg_erf: y = 2 pi^(-1/2) int_0^x exp(-t^2) dt.   Derivative: 2 pi^(-1/2) exp(-x^2).
 * Edges: +-inf -> +-1, with derivative 0. */
wg_tensor *wg_erf(wg_tensor *x);

/* wg_erfc: y = 1 - erf(x), accurate where it is small.   Derivative: -2 pi^(-1/2) exp(-x^2). */
wg_tensor *wg_erfc(wg_tensor *x);

/* wg_hypot: y = (a^2 + b^2)^(1/2), without overflow or underflow on the way.
 * Derivatives: a/y and b/y, both 0 at the origin.
 * Edges:  +inf where either is infinite, even if the other is NaN (C11 annex F). */
wg_tensor *wg_hypot(wg_tensor *a, wg_tensor *b);

/* wg_atan2: y = the angle of the point (b, a), in [-pi, pi].
 * Derivatives: b/(a^2 + b^2) and -a/(a^2 + b^2), NaN at the origin. */
wg_tensor *wg_atan2(wg_tensor *a, wg_tensor *b);

/* wg_logaddexp: y = log(e^a + e^b); never overflows.
 * Derivatives: sigmoid(a - b) and sigmoid(b - a).
 * Edges:  both -inf -> -inf with derivatives 0; both +inf -> +inf with derivatives 1/2;
 *         one +inf -> +inf with derivatives 1 and 0.
 * Source: Maechler 2012, "Accurately computing log(1 - exp(-|a|))". */
wg_tensor *wg_logaddexp(wg_tensor *a, wg_tensor *b);

/* wg_xlogy: y = a log b, and 0 where a = 0, unless b is NaN.
 * Derivatives: log b and a/b, both 0 where a = 0 and b <= 0. */
wg_tensor *wg_xlogy(wg_tensor *a, wg_tensor *b);

#ifdef __cplusplus
}
#endif
#endif
