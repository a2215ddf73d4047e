#ifndef WG_OPS_KERNELS_ELEMENTWISE_H
#define WG_OPS_KERNELS_ELEMENTWISE_H

#include <stdint.h>

#include "ops/kernels/vector_math.h"

/* Elementwise kernels: y[i] = f(x[0][i * stride[0]], x[1][i * stride[1]], ...) for 0 <= i < n.
 *
 * A stride is 1, or 0 for an operand that is one value. Memory of y does not overlap that of an
 * operand; operands may be the same. `attrs` is an array of double, the constants of the formula
 * below (c, or c[0] and c[1]), rounded to the kernel's type before use; NULL where the formula has
 * none. Element i depends on element i of the operands alone, never on its place or on n, so work
 * may be cut anywhere. Formulas stand beside the kernels, conventions in the headers of ops/. */
typedef void wgk_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                     const void *attrs);

/* Kernels by the functions of vector_math.h, and of these alone. Formulas that need none are
 * compiled as they stand in the lists of ops/. */
/* clang-format off */
#define WGK_COMPOSED(X)                                                                            \
    X(sigmoid) X(sigmoid_grad) X(tanh_grad) X(softplus) X(log_sigmoid) X(elu) X(elu_grad) X(silu)  \
    X(silu_grad) X(gelu) X(gelu_grad) X(gelu_tanh) X(gelu_tanh_grad) X(logaddexp)                  \
    X(logaddexp_grad) X(xlogy)

/* Kernels of two operations, or of three, for operands that have all n elements: `stride` is not
 * read. What an inner operation gives is rounded to the type, as if it were stored. */
#define WGK_JOINED(X)                                                                              \
    X(mul_add) X(mul_sub) X(mul_from) X(mul_mul) X(mul_scale) X(mul_add_mul) X(mul_sub_mul)        \
    X(add_add) X(add_sub) X(add_from) X(add_mul) X(sub_add) X(sub_sub) X(sub_from) X(sub_mul)      \
    X(neg_scale) X(scale_add) X(scale_sub) X(scale_from) X(mul_sigmoid_grad) X(mul_tanh_grad)
/* clang-format on */

#define WGK_MAP(name) extern wgk_map wgk_##name##_f32, wgk_##name##_f64;

WGK_TILE_FUNCTIONS(WGK_MAP)
WGK_COMPOSED(WGK_MAP)
WGK_JOINED(WGK_MAP)

#undef WGK_MAP

#endif
