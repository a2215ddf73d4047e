/* map_join.c: kernels of two operations, or of three: what is in between stays in a register. */
#include "ops/kernels/map_internal.h"

/* The names: a b, then c, or c d. _from: what is left of c. Sums and products do not mind which of
 * their operands is which, but for the sign of a NaN. */

#define KERNEL(operands, name, type, suffix, ...)                                                  \
    WGK_VECTORIZED(, wgk_##name##_##suffix,                                                        \
                   WGK_HEAD##operands(type) WGK_ALL##operands(0, 1, __VA_ARGS__),                  \
                   WGK_HEAD##operands(type) WGK_ALL##operands(0, n, __VA_ARGS__))

#define ROW1(name, statement) ROW(1, name, a, statement)
#define ROW2(name, statement) ROW(2, name, a, b, statement)
#define ROW3(name, statement) ROW(3, name, a, b, c, statement)
#define ROW4(name, statement) ROW(4, name, a, b, c, d, statement)
#define ROW(operands, name, ...)                                                                   \
    KERNEL(operands, name, float, f32, __VA_ARGS__)                                                \
    KERNEL(operands, name, double, f64, __VA_ARGS__)

/* clang-format off */
ROW3(mul_add,   const T e = a * b; y[i] = e + c)
ROW3(mul_sub,   const T e = a * b; y[i] = e - c)
ROW3(mul_from,  const T e = a * b; y[i] = c - e)
ROW3(mul_mul,   const T e = a * b; y[i] = e * c)
ROW2(mul_scale, const T e = a * b; y[i] = WGK_C(0) * e)

ROW4(mul_add_mul, const T e = a * b; const T f = c * d; y[i] = e + f)
ROW4(mul_sub_mul, const T e = a * b; const T f = c * d; y[i] = e - f)

ROW3(add_add,  const T e = a + b; y[i] = e + c)
ROW3(add_sub,  const T e = a + b; y[i] = e - c)
ROW3(add_from, const T e = a + b; y[i] = c - e)
ROW3(add_mul,  const T e = a + b; y[i] = e * c)

ROW3(sub_add,  const T e = a - b; y[i] = e + c)
ROW3(sub_sub,  const T e = a - b; y[i] = e - c)
ROW3(sub_from, const T e = a - b; y[i] = c - e)
ROW3(sub_mul,  const T e = a - b; y[i] = e * c)

ROW1(neg_scale,  const T e = -a; y[i] = WGK_C(0) * e)

ROW2(scale_add,  const T e = WGK_C(0) * a; y[i] = e + b)
ROW2(scale_sub,  const T e = WGK_C(0) * a; y[i] = e - b)
ROW2(scale_from, const T e = WGK_C(0) * a; y[i] = b - e)
/* clang-format on */

#undef ROW
#undef ROW4
#undef ROW3
#undef ROW2
#undef ROW1
#undef KERNEL
