#include "ops/kernels/map_internal.h"

/* clang-format off */

#define FUNCTION(f) WGK_MAP1_VIA(f, x, f, x, e)

FUNCTION(exp)
FUNCTION(expm1)
FUNCTION(log)
FUNCTION(log1p)
FUNCTION(sin)
FUNCTION(cos)
FUNCTION(tan)
FUNCTION(asin)
FUNCTION(acos)
FUNCTION(atan)
FUNCTION(sinh)
FUNCTION(cosh)
FUNCTION(tanh)
FUNCTION(erf)

#undef FUNCTION

WGK_MAP1(sqrt, x, WGK_F(sqrt, x))
WGK_MAP1(rsqrt, x, 1 / WGK_F(sqrt, x))

WGK_MAP2(pow, a, b, WGK_F2(pow, a, b))
WGK_MAP1(pow_scalar, x, WGK_F2(pow, x, WGK_C(0)))
WGK_MAP3(scaled_pow, c, a, b, c == 0 ? 0 : c * WGK_F2(pow, a, b))
WGK_MAP2(hypot, a, b, WGK_F2(hypot, a, b))

/* 1/cosh(x)^2 from e = exp(-2|x|), which cannot overflow: cosh(x) = (1 + e) / (2 sqrt(e)). The form
 * (1 - y)(1 + y) in y = tanh x would save the exp, but y is off by half a unit in its last place,
 * and 1 - y = 2e/(1 + e) then by about eps/(4e) of itself: 12 digits are left at x = 5, none at x =
 * 19. */
WGK_MAP2_VIA(tanh_grad, dy, x, exp, -2 * WGK_F(fabs, x), dy * (4 * e / ((1 + e) * (1 + e))))

/* a = b is asked first because inf - inf is NaN. */
#define MINUS_DISTANCE(a, b)      (a == b ? 0 : -WGK_F(fabs, a - b))
#define BOTH_MINUS_INFINITY(a, b) ((a == b) & (a == (T)-INFINITY))

WGK_MAP2_VIA(logaddexp, a, b, log1p_exp, MINUS_DISTANCE(a, b), (a > b ? a : b) + e)
WGK_MAP2_VIA(logaddexp_grad, a, b, exp, MINUS_DISTANCE(a, b),
             (BOTH_MINUS_INFINITY(a, b) ? 0 : a < b ? e : 1) / (1 + e))

#undef BOTH_MINUS_INFINITY
#undef MINUS_DISTANCE

WGK_MAP2_VIA(xlogy, a, b, log, b, ((a == 0) & (b == b)) ? 0 : a * e)
