#ifndef WG_OPS_KERNELS_VECTOR_MATH_H
#define WG_OPS_KERNELS_VECTOR_MATH_H

#include "autograd/cpu_internal.h"

#include <stdint.h>

/* libmvec has all of these since glibc 2.35, within 4 ULP; it comes with libm. gcc calls it of its
 * own accord only under -ffast-math, so it is called by its symbols. Elsewhere each element is a
 * call of libm. */
#if defined(WG_ISA_X86) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define WGK_LIBMVEC
#endif
#endif

/* wgk_tile_<f>_f32, _f64: x[i] = f(x[i]) for 0 <= i < n, in place. The value of an element does not
 * depend on its place. Every transcendental function of one variable that a kernel needs is called
 * here, so that a vector version of it has one place to go. */
/* clang-format off */
#define WGK_TILE_FUNCTIONS(X)                                                                      \
    X(exp) X(expm1) X(log) X(log1p) X(log2) X(log10) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan)  \
    X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(erf) X(erfc)
/* clang-format on */

#define WGK_TILE(f)                                                                                \
    void wgk_tile_##f##_f32(int64_t n, float *x), wgk_tile_##f##_f64(int64_t n, double *x);

WGK_TILE_FUNCTIONS(WGK_TILE)
WGK_TILE(log1p_exp) /* log(1 + exp(x)), for x <= 0, where it is accurate */

#undef WGK_TILE

#endif
