#ifndef WG_OPS_KERNELS_ELEMENTWISE_H
#define WG_OPS_KERNELS_ELEMENTWISE_H

#include <stdint.h>

/* Elementwise kernels: y[i] = f(x[0][i * stride[0]], x[1][i * stride[1]], ...) for 0 <= i < n.
 *
 * A stride is 1, or 0 for an operand that is one value. Memory of y does not overlap that of an
 * operand; operands may be the same. `attrs` is an array of double, the constants of the formula
 * below (c, or c[0] and c[1]), rounded to the kernel's type before use; NULL where the formula has
 * none. Element i depends on element i of the operands alone, never on its place or on n, so work
 * may be cut anywhere. Formulas stand beside the kernels, conventions in the headers of ops/. */
typedef void wgk_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                     const void *attrs);

#define WGK_FLOAT_MAP(name)  extern wgk_map wgk_##name##_f32, wgk_##name##_f64
#define WGK_NUMBER_MAP(name) extern wgk_map wgk_##name##_f32, wgk_##name##_f64, wgk_##name##_i64

/* map_arithmetic.c */
WGK_NUMBER_MAP(add);
WGK_NUMBER_MAP(sub);
WGK_NUMBER_MAP(mul);
WGK_FLOAT_MAP(div);
WGK_FLOAT_MAP(div_or_zero);
WGK_FLOAT_MAP(weigh);
WGK_FLOAT_MAP(neg);
WGK_FLOAT_MAP(scale);
WGK_FLOAT_MAP(shift);
WGK_FLOAT_MAP(square);
WGK_FLOAT_MAP(reciprocal);
WGK_FLOAT_MAP(abs);
WGK_FLOAT_MAP(sign);
WGK_FLOAT_MAP(floor);
WGK_FLOAT_MAP(ceil);
WGK_FLOAT_MAP(round);
WGK_FLOAT_MAP(maximum);
WGK_FLOAT_MAP(minimum);
WGK_FLOAT_MAP(maximum_grad);
WGK_FLOAT_MAP(clamp);
WGK_FLOAT_MAP(clamp_grad);

/* map_compare.c */
WGK_NUMBER_MAP(equal);
WGK_NUMBER_MAP(not_equal);
WGK_NUMBER_MAP(less);
WGK_NUMBER_MAP(less_equal);
WGK_NUMBER_MAP(greater);
WGK_NUMBER_MAP(greater_equal);
WGK_NUMBER_MAP(where);
WGK_NUMBER_MAP(cast_f32); /* wgk_cast_<from>_<to>; a float that no i64 holds gives INT64_MIN */
WGK_NUMBER_MAP(cast_f64);
WGK_NUMBER_MAP(cast_i64);

/* map_functions.c */
WGK_FLOAT_MAP(exp);
WGK_FLOAT_MAP(expm1);
WGK_FLOAT_MAP(log);
WGK_FLOAT_MAP(log1p);
WGK_FLOAT_MAP(sqrt);
WGK_FLOAT_MAP(rsqrt);
WGK_FLOAT_MAP(pow);
WGK_FLOAT_MAP(pow_scalar);
WGK_FLOAT_MAP(scaled_pow);
WGK_FLOAT_MAP(sin);
WGK_FLOAT_MAP(cos);
WGK_FLOAT_MAP(tan);
WGK_FLOAT_MAP(asin);
WGK_FLOAT_MAP(acos);
WGK_FLOAT_MAP(atan);
WGK_FLOAT_MAP(sinh);
WGK_FLOAT_MAP(cosh);
WGK_FLOAT_MAP(tanh);
WGK_FLOAT_MAP(tanh_grad);
WGK_FLOAT_MAP(erf);
WGK_FLOAT_MAP(hypot);
WGK_FLOAT_MAP(logaddexp);
WGK_FLOAT_MAP(logaddexp_grad);
WGK_FLOAT_MAP(xlogy);

/* map_activations.c */
WGK_FLOAT_MAP(sigmoid);
WGK_FLOAT_MAP(sigmoid_grad);
WGK_FLOAT_MAP(softplus);
WGK_FLOAT_MAP(log_sigmoid);
WGK_FLOAT_MAP(relu);
WGK_FLOAT_MAP(relu_grad);
WGK_FLOAT_MAP(leaky_relu);
WGK_FLOAT_MAP(leaky_relu_grad);
WGK_FLOAT_MAP(elu);
WGK_FLOAT_MAP(elu_grad);
WGK_FLOAT_MAP(gelu);
WGK_FLOAT_MAP(gelu_grad);
WGK_FLOAT_MAP(gelu_tanh);
WGK_FLOAT_MAP(gelu_tanh_grad);
WGK_FLOAT_MAP(silu);
WGK_FLOAT_MAP(silu_grad);

#undef WGK_FLOAT_MAP
#undef WGK_NUMBER_MAP

#endif
