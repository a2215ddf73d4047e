/* vector_math.c: exp, log, tanh and the like on contiguous elements, vectorized where libm can. */
#include "ops/kernels/vector_math.h"

#include <math.h>
#include <string.h>

#ifdef WGK_LIBMVEC

#include "ops/kernels/isa_avx2.inc"

#define TILE_BYTES     32
#define TILE_SET(f)    tile_avx2_##f
#define TILE_F64(f)    _ZGVdN4v_##f
#define TILE_F32(name) _ZGVdN8v_##name##f
#include "ops/kernels/vector_math_body.inc"

#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define TILE_BYTES     64
#define TILE_SET(f)    tile_avx512_##f
#define TILE_F64(f)    _ZGVeN8v_##f
#define TILE_F32(name) _ZGVeN16v_##name##f
#include "ops/kernels/vector_math_body.inc"

#include "ops/kernels/isa_end.inc"

#define TILE_WIDE(f, n, x)                                                                         \
    switch (wg_cpu_isa()) {                                                                        \
    case WG_ISA_AVX512: tile_avx512_##f(n, x); return;                                             \
    case WG_ISA_AVX2: tile_avx2_##f(n, x); return;                                                 \
    default: break;                                                                                \
    }
#else
#define TILE_WIDE(f, n, x)
#endif

#define TILE(function)                                                                             \
    void wgk_tile_##function##_f32(int64_t n, float *x)                                            \
    {                                                                                              \
        TILE_WIDE(function##_f32, n, x)                                                            \
        for (int64_t i = 0; i < n; i++)                                                            \
            x[i] = function##f(x[i]);                                                              \
    }                                                                                              \
    void wgk_tile_##function##_f64(int64_t n, double *x)                                           \
    {                                                                                              \
        TILE_WIDE(function##_f64, n, x)                                                            \
        for (int64_t i = 0; i < n; i++)                                                            \
            x[i] = function(x[i]);                                                                 \
    }

WGK_TILE_FUNCTIONS(TILE)

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
#undef TILE_WIDE
