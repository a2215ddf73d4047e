/* vector_math.c: exp, log, tanh and the like on contiguous elements, vectorized where libm can. */
#include "ops/kernels/vector_math.h"

#include "autograd/cpu_internal.h"

#include <math.h>
#include <string.h>

/* libmvec has all of these since glibc 2.35, within 4 ULP; it comes with libm. gcc calls it of its
 * own accord only under -ffast-math, so it is called here by its symbols. Elsewhere each element is
 * a call of libm. */
#if defined(WG_ISA_X86) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define TILE_LIBMVEC
#endif
#endif

#ifdef TILE_LIBMVEC

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
#undef TILE_LIBMVEC
