/* real.h: element types of kernels, and what bodies that serve several types are written in.
 *
 * A body is a file name_body.inc that is included once for each type, with REAL, the name of the
 * type that it computes in, defined: f64, i64 or wide. f32 is loaded into doubles, and computed as
 * f64. */
#ifndef WG_OPS_KERNELS_REAL_H
#define WG_OPS_KERNELS_REAL_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "autograd/wide.h"
#include "ops/kernels/vector_math.h"

#if FLT_EVAL_METHOD == 2
#error "the x87 rounds to 64 bits, which breaks compensated sums: compile with -msse2 -mfpmath=sse"
#endif

/* The element types, by the numbers of wg_dtype. */
typedef enum wgk_type { WGK_F32 = 1, WGK_F64, WGK_I64, WGK_WIDE } wgk_type;

/* Bytes of an element, and of a number of the type that it is computed in. */
static inline size_t wgk_size(wgk_type type)
{
    return type == WGK_F32 ? 4 : type == WGK_WIDE ? WG_WIDE_SIZE : 8;
}

static inline size_t wgk_real_size(wgk_type type)
{
    return type == WGK_WIDE ? WG_WIDE_SIZE : 8;
}

/* WGK_RUN(f, type, ...): f_f64(...) or f_wide(...), whichever floats of this type are computed by;
 * WGK_RUN_ALL(f, type, ...): f_i64(...), too. WGK_RUN_OWN, WGK_RUN_OWN_ALL: the same with
 * f_f32(...) for f32. Statements. */
#define WGK_RUN_ALL(f, type, ...)                                                                  \
    if ((type) == WGK_I64)                                                                         \
        f##_i64(__VA_ARGS__);                                                                      \
    else                                                                                           \
        WGK_RUN(f, type, __VA_ARGS__)
#define WGK_RUN_OWN(f, type, ...)                                                                  \
    if ((type) == WGK_F32)                                                                         \
        f##_f32(__VA_ARGS__);                                                                      \
    else                                                                                           \
        WGK_RUN(f, type, __VA_ARGS__)
#define WGK_RUN_OWN_ALL(f, type, ...)                                                              \
    if ((type) == WGK_I64)                                                                         \
        f##_i64(__VA_ARGS__);                                                                      \
    else                                                                                           \
        WGK_RUN_OWN(f, type, __VA_ARGS__)
#if WG_HAS_WIDE
#define WGK_RUN(f, type, ...)                                                                      \
    if ((type) == WGK_WIDE)                                                                        \
        f##_wide(__VA_ARGS__);                                                                     \
    else                                                                                           \
        f##_f64(__VA_ARGS__)
#else
#define WGK_RUN(f, type, ...) f##_f64(__VA_ARGS__)
#endif

/* The type REAL names, a name that ends with it, and the function of libm of that type. */
#define WGK_REAL(real)       WGK_PASTE(WGK_REAL, real)
#define WGK_NAME(name, real) WGK_PASTE(name, real)
#define WGK_F(real, f)       WG_F(real, f)
#define WGK_PASTE(a, b)      a##_##b
#define WGK_REAL_f32         float
#define WGK_REAL_f64         double
#define WGK_REAL_i64         int64_t
#define WGK_REAL_wide        wg_wide

/* ---- One number ------------------------------------------------------------------------------ */

/* wgk_get: element i of an array of that type.   wgk_put: makes it `value`.
 * wgk_two_sum: *sum + x exactly is the new *sum and what is added to *lost (Knuth, TAOCP 2, sec.
 * 4.2.2, theorem B); integers lose nothing, and wrap.
 * wgk_total: both together; an infinity makes `lost` NaN, but stays itself. */
#define WGK_ELEMENT(real)                                                                          \
    static inline WGK_REAL_##real wgk_get_##real(wgk_type type, const void *x, int64_t i)          \
    {                                                                                              \
        return type == WGK_F32 ? (WGK_REAL_##real)((const float *)x)[i]                            \
                               : ((const WGK_REAL_##real *)x)[i];                                  \
    }                                                                                              \
    static inline void wgk_put_##real(wgk_type type, void *y, int64_t i, WGK_REAL_##real value)    \
    {                                                                                              \
        if (type == WGK_F32)                                                                       \
            ((float *)y)[i] = (float)value;                                                        \
        else                                                                                       \
            ((WGK_REAL_##real *)y)[i] = value;                                                     \
    }

#define WGK_FLOAT(real)                                                                            \
    WGK_ELEMENT(real)                                                                              \
    static inline int wgk_is_nan_##real(WGK_REAL_##real x)                                         \
    {                                                                                              \
        return x != x;                                                                             \
    }                                                                                              \
    static inline void wgk_two_sum_##real(WGK_REAL_##real x, WGK_REAL_##real *sum,                 \
                                          WGK_REAL_##real *lost)                                   \
    {                                                                                              \
        const WGK_REAL_##real s = *sum + x, part = s - *sum;                                       \
        *lost += (*sum - (s - part)) + (x - part);                                                 \
        *sum = s;                                                                                  \
    }                                                                                              \
    static inline WGK_REAL_##real wgk_total_##real(WGK_REAL_##real sum, WGK_REAL_##real lost)      \
    {                                                                                              \
        return lost != lost ? sum : sum + lost;                                                    \
    }

WGK_FLOAT(f64)
WGK_ELEMENT(i64)

static inline int wgk_is_nan_i64(int64_t x)
{
    (void)x;
    return 0;
}

static inline void wgk_two_sum_i64(int64_t x, int64_t *sum, int64_t *lost)
{
    (void)lost;
    *sum = (int64_t)((uint64_t)*sum + (uint64_t)x);
}

static inline int64_t wgk_total_i64(int64_t sum, int64_t lost)
{
    (void)lost;
    return sum;
}

/* ---- Several numbers at once ----------------------------------------------------------------- */

/* wgk_sum: the sum of n numbers; wgk_sum_f64 stands in reduce.h. */
double wgk_sum_f64(int64_t n, const double *x);

static inline void wgk_exp_row_f64(int64_t n, double *x)
{
    wgk_tile_exp_f64(n, x);
}

#if WG_HAS_WIDE
WGK_FLOAT(wide)

static inline wg_wide wgk_sum_wide(int64_t n, const wg_wide *x)
{
    wg_wide sum = 0, lost = 0;
    for (int64_t i = 0; i < n; i++)
        wgk_two_sum_wide(x[i], &sum, &lost);
    return wgk_total_wide(sum, lost);
}

static inline void wgk_exp_row_wide(int64_t n, wg_wide *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = WG_F_wide(exp)(x[i]);
}
#endif

#undef WGK_FLOAT
#undef WGK_ELEMENT

#endif
