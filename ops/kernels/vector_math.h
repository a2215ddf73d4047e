#ifndef WG_OPS_KERNELS_VECTOR_MATH_H
#define WG_OPS_KERNELS_VECTOR_MATH_H

#include <stdint.h>

/* wgk_tile_<f>_f32, _f64: x[i] = f(x[i]) for 0 <= i < n, in place. The value of an element does not
 * depend on its index. Every transcendental function of one variable that a kernel needs is called
 * here, so that a vector version of it is put here alone. */
#define WGK_TILE(f)                                                                                \
    void wgk_tile_##f##_f32(int64_t n, float *x), wgk_tile_##f##_f64(int64_t n, double *x)

WGK_TILE(exp);
WGK_TILE(expm1);
WGK_TILE(log);
WGK_TILE(log1p);
WGK_TILE(sin);
WGK_TILE(cos);
WGK_TILE(tan);
WGK_TILE(asin);
WGK_TILE(acos);
WGK_TILE(atan);
WGK_TILE(sinh);
WGK_TILE(cosh);
WGK_TILE(tanh);
WGK_TILE(erf);
WGK_TILE(erfc);
WGK_TILE(log1p_exp); /* log(1 + exp(x)), for x <= 0, where it is accurate */

#undef WGK_TILE

#endif
