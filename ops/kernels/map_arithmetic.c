#include "ops/kernels/map_internal.h"

/* clang-format off */

WGK_MAP2(add, a, b, a + b)
WGK_MAP2(sub, a, b, a - b)
WGK_MAP2(mul, a, b, a * b)
WGK_MAP2(div, a, b, a / b)

/* Integers wrap around, which C defines for unsigned ones only. */
WGK_MAP2_OF(add, int64_t, i64, a, b, (T)((uint64_t)a + (uint64_t)b))
WGK_MAP2_OF(sub, int64_t, i64, a, b, (T)((uint64_t)a - (uint64_t)b))
WGK_MAP2_OF(mul, int64_t, i64, a, b, (T)((uint64_t)a * (uint64_t)b))

/* 0 / 1 instead of a / 0. */
WGK_MAP2(div_or_zero, a, b, (b == 0 ? 0 : a) / (b == 0 ? 1 : b))

/* 0 * x is 0 even where x is infinite. */
WGK_MAP2(weigh, c, x, ((c == 0) & (x == x)) ? 0 : c * x)

WGK_MAP1(neg, x, -x)
WGK_MAP1(scale, x, WGK_C(0) * x)
WGK_MAP1(shift, x, x + WGK_C(0))
WGK_MAP1(square, x, x * x)
WGK_MAP1(reciprocal, x, 1 / x)

WGK_MAP1(abs, x, WGK_F(fabs, x))
WGK_MAP1(sign, x, x > 0 ? 1 : x < 0 ? -1 : x) /* keeps NaN and the zeros */
WGK_MAP1(floor, x, WGK_F(floor, x))
WGK_MAP1(ceil, x, WGK_F(ceil, x))
WGK_MAP1(round, x, WGK_F(nearbyint, x)) /* in the default rounding mode: halves to even */

/* a != a: a NaN in a is taken; one in b makes the comparison false, and b is taken. */
WGK_MAP2(maximum, a, b, ((a > b) | (a != a)) ? a : b)
WGK_MAP2(minimum, a, b, ((a < b) | (a != a)) ? a : b)
WGK_MAP3(maximum_grad, dy, a, b, (a < b ? 0 : dy) * (a == b ? (T)0.5 : 1))

WGK_MAP1(clamp, x, WGK_WITHIN(x, WGK_C(0), WGK_C(1)))
WGK_MAP2(clamp_grad, dy, x, ((x >= WGK_C(0)) & (x <= WGK_C(1))) ? dy : 0)
