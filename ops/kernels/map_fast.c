/* map_fast.c: kernels of formulas with functions of vector_math.h, called a tile at a time. */
#include "ops/kernels/map_internal.h"

/* clang-format off */

/* a = b is asked first because inf - inf is NaN. */
#define MINUS_DISTANCE(a, b)      (a == b ? 0 : -WGK_LIBM(fabs, a - b))
#define BOTH_MINUS_INFINITY(a, b) ((a == b) & (a == (T)-INFINITY))

WGK_MAP2_VIA(logaddexp, a, b, log1p_exp, MINUS_DISTANCE(a, b), (a > b ? a : b) + e)
WGK_MAP2_VIA(logaddexp_grad, a, b, exp, MINUS_DISTANCE(a, b),
             (BOTH_MINUS_INFINITY(a, b) ? 0 : a < b ? e : 1) / (1 + e))

#undef BOTH_MINUS_INFINITY
#undef MINUS_DISTANCE

WGK_MAP2_VIA(xlogy, a, b, log, b, ((a == 0) & (b == b)) ? 0 : a * e)

/* sigmoid(x) and sigmoid(-x) from e = exp(-|x|): e is at most 1, so nothing overflows, and each is
 * a quotient of sums of positive numbers, so nothing cancels. */
#define P(x) ((x < 0 ? e : 1) / (1 + e))
#define Q(x) ((x < 0 ? 1 : e) / (1 + e))

WGK_MAP1_VIA(softplus, x, log1p_exp, -WGK_LIBM(fabs, x), (x > 0 ? x : 0) + e)
WGK_MAP1_VIA(log_sigmoid, x, log1p_exp, -WGK_LIBM(fabs, x), (x < 0 ? x : 0) - e)

WGK_MAP1_VIA(elu, x, expm1, x > 0 ? 0 : x, (x > 0 ? x : 0) + WGK_C(0) * e)
WGK_MAP2_VIA(elu_grad, dy, x, exp, x > 0 ? 0 : x,
             (x > 0 ? dy : 0) + WGK_C(0) * (e * (x > 0 ? 0 : dy)))

/* Beyond FAR the factors e^-|x| and the like have long been 0 in either type: x itself is bounded
 * so that an infinite x gives the limit, and not inf * 0. */
#define FAR     ((T)1000)
#define NEAR(x) WGK_WITHIN(x, -FAR, FAR)

WGK_MAP1_VIA(silu, x, exp, -WGK_LIBM(fabs, x), WGK_NOT_BELOW(x, -FAR) * P(x))
WGK_MAP2_VIA(silu_grad, dy, x, exp, -WGK_LIBM(fabs, x),
             dy * (P(x) * (1 + NEAR(x) * Q(x))))

/* F(x) = erfc(-x / sqrt 2) / 2, the normal distribution function; 1 + erf would cancel for x <
 * 0. */
#define SQRT_HALF    ((T)0.70710678118654752440)
#define DENSITY_AT_0 ((T)0.39894228040143267794) /* 1 / sqrt(2 pi) */

WGK_MAP1_VIA(gelu, x, erfc, -SQRT_HALF * x, WGK_NOT_BELOW(x, -FAR) * ((T)0.5 * e))

/* Two functions: e = erfc(-x / sqrt 2) as above, then exp(-x^2/2) element by element. */
WGK_MAP2_VIA(gelu_grad, dy, x, erfc, -SQRT_HALF * x,
             dy * ((T)0.5 * e + NEAR(x) * (DENSITY_AT_0 * WGK_LIBM(exp, (T)-0.5 * x * x))))

/* (1 + tanh u) / 2 = sigmoid(2u) = sigmoid(v), v = SLOPE (x + CUBIC x^3), of the sign of x. */
#define SLOPE ((T)1.59576912160573071176) /* 2 sqrt(2 / pi) */
#define CUBIC ((T)0.044715)
#define V(x)  (SLOPE * x * (1 + CUBIC * x * x))
#define DV(x) (SLOPE * (1 + 3 * CUBIC * x * x))

WGK_MAP1_VIA(gelu_tanh, x, exp, -WGK_LIBM(fabs, V(x)), WGK_NOT_BELOW(x, -FAR) * P(x))
WGK_MAP2_VIA(gelu_tanh_grad, dy, x, exp, -WGK_LIBM(fabs, V(x)),
             dy * (P(x) * (1 + NEAR(x) * Q(x) * DV(NEAR(x)))))

#undef DV
#undef V
#undef CUBIC
#undef SLOPE
#undef DENSITY_AT_0
#undef SQRT_HALF
#undef NEAR
#undef FAR
#undef Q
#undef P
