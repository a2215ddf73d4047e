#include "ops/kernels/vector_math.h"

#include <math.h>

/* One call of libm for each element. */
#define TILE(function)                                                                             \
    void wgk_tile_##function##_f32(int64_t n, float *x)                                            \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            x[i] = function##f(x[i]);                                                              \
    }                                                                                              \
    void wgk_tile_##function##_f64(int64_t n, double *x)                                           \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            x[i] = function(x[i]);                                                                 \
    }

TILE(exp)
TILE(expm1)
TILE(log)
TILE(log1p)
TILE(sin)
TILE(cos)
TILE(tan)
TILE(asin)
TILE(acos)
TILE(atan)
TILE(sinh)
TILE(cosh)
TILE(tanh)
TILE(erf)
TILE(erfc)

void wgk_tile_log1p_exp_f32(int64_t n, float *x)
{
    wgk_tile_exp_f32(n, x);
    wgk_tile_log1p_f32(n, x);
}

void wgk_tile_log1p_exp_f64(int64_t n, double *x)
{
    wgk_tile_exp_f64(n, x);
    wgk_tile_log1p_f64(n, x);
}

#undef TILE
