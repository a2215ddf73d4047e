/* loss.c: binary and softmax cross-entropy and their gradients; few classes in groups of rows. */
#include "ops/kernels/loss.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "autograd/cpu_internal.h"
#include "ops/kernels/vector_math.h"

/* ---- exp and log1p in float ------------------------------------------------------------------ */

/* libm's and libmvec's are calls, and slow where a result is subnormal; these are inlined, and
 * vectorize with their loops. In units of 2^-24 of the result, their errors are below 1.5 and 3,
 * and that of log1p(exp(x)) is below 4, where the results are normal numbers; else they are below
 * 2, in units of the smallest number. Compared with libm's in double for every float of their
 * domains: 1.483, 2.948, 3.827. */

static inline float loss_power_of_2(uint32_t exponent)
{
    const uint32_t bits = (exponent + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* exp(x) for x <= 0: 2^k exp(r) with k = x/log(2) rounded, |r| <= log(2)/2. ROUND + k has k as its
 * low bits; LOG2_HIGH has so few that k*LOG2_HIGH is exact, and so is x - k*LOG2_HIGH. The
 * polynomial stands for (exp(r) - 1 - r)/r^2, and leaves an error of 1.1e-8 of exp(r). 2^k is
 * multiplied in halves, because it may be subnormal where exp(r) is still to come; below FAR all is
 * 0. */
static inline float loss_exp(float x)
{
    const float FAR = -110.0f, ROUND = 0x1.8p23f, LOG2_HIGH = 0x1.62e4p-1f,
                LOG2_LOW = 0x1.7f7d1cp-20f;
    const float bounded = x < FAR ? FAR : x;
    const float shifted = bounded * 0x1.715476p+0f + ROUND, k = shifted - ROUND;
    const float r = (bounded - k * LOG2_HIGH) - k * LOG2_LOW;
    float p = 0x1.6d110ap-10f;
    p = p * r + 0x1.120b6ep-7f;
    p = p * r + 0x1.55551ap-5f;
    p = p * r + 0x1.5554dcp-3f;
    p = p * r + 0.5f;
    p = 1 + (r + r * r * p);
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    const uint32_t minus_k = 0x4b400000u - bits, half = minus_k >> 1;
    return p * loss_power_of_2(0u - half) * loss_power_of_2(half - minus_k);
}

/* log(1 + x) for 0 <= x <= 1: 2 atanh(s), s = x/(2 + x). The polynomial in s^2 stands for
 * (atanh(s)/s - 1)/s^2, and leaves an error of 1.6e-8. */
static inline float loss_log1p(float x)
{
    const float s = x / (2 + x), t = s * s;
    float p = 0x1.12f598p-3f;
    p = p * t + 0x1.21249ap-3f;
    p = p * t + 0x1.99ad6cp-3f;
    p = p * t + 0x1.55554cp-2f;
    return 2 * s + 2 * s * (t * p);
}

/* ---- The bodies ------------------------------------------------------------------------------ */

enum { LOSS_PART = 256, LOSS_ROWS = 16 };

#define LOSS_ABS(x) _Generic((x), float : fabsf, double : fabs)(x)
/* A loop that is unrolled is vectorized no more. */
#if defined(__GNUC__) && !defined(__clang__)
#define LOSS_FOR_ROWS(r) _Pragma("GCC unroll 1") for (int r = 0; r < LOSS_ROWS; r++)
#else
#define LOSS_FOR_ROWS(r) for (int r = 0; r < LOSS_ROWS; r++)
#endif
#define LOSS_EACH(n, x, f)                                                                         \
    for (int64_t i_ = 0; i_ < (n); i_++)                                                           \
    (x)[i_] = f((x)[i_])

#define LOSS_SET(name) loss_baseline_##name
#include "ops/kernels/loss_types.inc"

#ifdef WG_ISA_X86

#include "ops/kernels/isa_avx2.inc"

#define LOSS_SET(name) loss_avx2_##name
#include "ops/kernels/loss_types.inc"

#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define LOSS_SET(name) loss_avx512_##name
#include "ops/kernels/loss_types.inc"

#include "ops/kernels/isa_end.inc"

#define LOSS_RUN(call, ...)                                                                        \
    switch (wg_cpu_isa()) {                                                                        \
    case WG_ISA_AVX512: loss_avx512_##call(__VA_ARGS__); break;                                    \
    case WG_ISA_AVX2: loss_avx2_##call(__VA_ARGS__); break;                                        \
    default: loss_baseline_##call(__VA_ARGS__); break;                                             \
    }
#else
#define LOSS_RUN(call, ...) loss_baseline_##call(__VA_ARGS__);
#endif

/* ---- Binary cross-entropy, and rows of few classes, for one type ----------------------------- */

/* Elements [from, from + n) of an operand: where they are, or n times its one value in `part`. */
#define LOSS_OPERAND(T, suffix)                                                                    \
    static const T *loss_operand_##suffix(const void *x, int64_t stride, int64_t from, int64_t n,  \
                                          T *part)                                                 \
    {                                                                                              \
        if (stride != 0)                                                                           \
            return (const T *)x + from;                                                            \
        for (int64_t i = 0; i < n; i++)                                                            \
            part[i] = *(const T *)x;                                                               \
        return part;                                                                               \
    }

#define LOSS_BCE(T, suffix)                                                                        \
    void wgk_bce_with_logits_##suffix(int64_t n, void *l, const void *const x[],                   \
                                      const int64_t stride[], const void *attrs)                   \
    {                                                                                              \
        const T w = (T) * (const double *)attrs;                                                   \
        T part[2][LOSS_PART];                                                                      \
        for (int64_t at = 0; at < n; at += LOSS_PART) {                                            \
            const int64_t now = n - at < LOSS_PART ? n - at : LOSS_PART;                           \
            const T *z = loss_operand_##suffix(x[0], stride[0], at, now, part[0]);                 \
            const T *y = loss_operand_##suffix(x[1], stride[1], at, now, part[1]);                 \
            LOSS_RUN(bce_##suffix, now, z, y, w, (T *)l + at)                                      \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    void wgk_bce_grad_##suffix(int64_t n, void *dz, const void *const x[], const int64_t stride[], \
                               const void *attrs)                                                  \
    {                                                                                              \
        const T w = (T) * (const double *)attrs;                                                   \
        T part[3][LOSS_PART];                                                                      \
        for (int64_t at = 0; at < n; at += LOSS_PART) {                                            \
            const int64_t now = n - at < LOSS_PART ? n - at : LOSS_PART;                           \
            const T *dl = loss_operand_##suffix(x[0], stride[0], at, now, part[0]);                \
            const T *z = loss_operand_##suffix(x[1], stride[1], at, now, part[1]);                 \
            const T *y = loss_operand_##suffix(x[2], stride[2], at, now, part[2]);                 \
            LOSS_RUN(bce_grad_##suffix, now, dl, z, y, w, (T *)dz + at)                            \
        }                                                                                          \
    }

#define LOSS_FEW(T, suffix)                                                                        \
    void wgk_cross_entropy_few_##suffix(int64_t rows, int64_t classes, const T *z,                 \
                                        const int64_t *label, const int64_t *ignored, T *l)        \
    {                                                                                              \
        for (int64_t at = 0; at < rows; at += LOSS_ROWS) {                                         \
            const int64_t now = rows - at < LOSS_ROWS ? rows - at : LOSS_ROWS;                     \
            LOSS_RUN(cross_entropy_##suffix, now, classes, z + at * classes, label + at, ignored,  \
                     l + at)                                                                       \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    void wgk_cross_entropy_grad_few_##suffix(int64_t rows, int64_t classes, const T *dl,           \
                                             const T *z, const int64_t *label,                     \
                                             const int64_t *ignored, T *dz)                        \
    {                                                                                              \
        for (int64_t at = 0; at < rows; at += LOSS_ROWS) {                                         \
            const int64_t now = rows - at < LOSS_ROWS ? rows - at : LOSS_ROWS;                     \
            LOSS_RUN(cross_entropy_grad_##suffix, now, classes, dl + at, z + at * classes,         \
                     label + at, ignored, dz + at * classes)                                       \
        }                                                                                          \
    }

#define LOSS_ALL(T, suffix) LOSS_OPERAND(T, suffix) LOSS_BCE(T, suffix) LOSS_FEW(T, suffix)

LOSS_ALL(float, f32)
LOSS_ALL(double, f64)
