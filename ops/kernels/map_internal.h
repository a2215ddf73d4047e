#ifndef WG_OPS_KERNELS_MAP_INTERNAL_H
#define WG_OPS_KERNELS_MAP_INTERNAL_H

#include "autograd/cpu_internal.h"
#include "autograd/run_internal.h"
#include "ops/kernels/elementwise.h"
#include "ops/kernels/vector_math.h"

#include <math.h>

/* How a kernel is written: one row with its name, names for its operands, a function, what that is
 * taken of, and a formula in which e is the result.
 *
 *     WGK_MAP1_VIA(sigmoid, x, exp, -WGK_LIBM(fabs, x), (x < 0 ? e : 1) / (1 + e))
 *
 * defines wgk_sigmoid_f32 and wgk_sigmoid_f64. In the formula, T is float or double, the operands
 * are values of type T, WGK_C(k) is constant k of attrs, and WGK_LIBM(f, x) is f of libm in T's
 * precision. A constant that is no integer is written (T)0.5, so that f32 stays f32.
 *
 * Formulas select with ?: between values that are there anyway: a product or quotient inside a
 * branch could raise a flag of IEEE 754, and then compilers do not vectorize the loop. */

#define WGK_C(k)              ((T)((const double *)attrs)[k])
#define WGK_LIBM(function, x) _Generic((x), float : function##f, double : function)(x)

/* x moved into [low, high]; NaN stays. */
#define WGK_NOT_BELOW(x, low)    ((x) < (low) ? (low) : (x))
#define WGK_NOT_ABOVE(x, high)   ((x) > (high) ? (high) : (x))
#define WGK_WITHIN(x, low, high) WGK_NOT_ABOVE(WGK_NOT_BELOW(x, low), high)

/* ---- Loops over elements [begin, end): one a pattern of strides, so that each vectorizes --- */

#define WGK_LOOP(begin, end, declaration, statement)                                               \
    for (int64_t i = begin; i < (end); i++) {                                                      \
        declaration;                                                                               \
        statement;                                                                                 \
    }

/* One loop for all patterns. */
#define WGK_ANY1(begin, end, x, statement)                                                         \
    WGK_LOOP(begin, end, const T x = p[i * stride[0]]; (void)x, statement)
#define WGK_ANY2(begin, end, a, b, statement)                                                      \
    WGK_LOOP(begin, end, const T a = p[i * stride[0]]; const T b = q[i * stride[1]]; (void)a;      \
             (void)b, statement)
#define WGK_ANY3(begin, end, a, b, c, statement)                                                   \
    WGK_LOOP(begin, end, const T a = p[i * stride[0]]; const T b = q[i * stride[1]];               \
             const T c = r[i * stride[2]], statement)

/* For operands that all have as many elements as y. */
#define WGK_ALL1(begin, end, a, statement)                                                         \
    WGK_LOOP(begin, end, const T a = p[i]; (void)stride, statement)
#define WGK_ALL2(begin, end, a, b, statement)                                                      \
    WGK_LOOP(begin, end, const T a = p[i]; const T b = q[i]; (void)a; (void)b;                     \
             (void)stride, statement)
#define WGK_ALL3(begin, end, a, b, c, statement)                                                   \
    WGK_ALL2(begin, end, a, b, const T c = r[i]; (void)c; statement)
#define WGK_ALL4(begin, end, a, b, c, d, statement)                                                \
    WGK_ALL3(begin, end, a, b, c, const T d = s[i]; (void)d; statement)

#ifdef __OPTIMIZE_SIZE__ /* compiled for size, nothing vectorizes */
#define WGK_EACH1 WGK_ANY1
#define WGK_EACH2 WGK_ANY2
#define WGK_EACH3 WGK_ANY3
#else
#define WGK_EACH1(begin, end, x, statement)                                                        \
    if (stride[0] != 0)                                                                            \
        WGK_LOOP(begin, end, const T x = p[i]; (void)x, statement)                                 \
    else                                                                                           \
        WGK_LOOP(begin, end, const T x = p[0]; (void)x, statement)

#define WGK_EACH2(begin, end, a, b, statement)                                                     \
    if (stride[0] != 0 && stride[1] != 0)                                                          \
        WGK_LOOP(begin, end, const T a = p[i]; const T b = q[i]; (void)a; (void)b, statement)      \
    else if (stride[0] != 0)                                                                       \
        WGK_LOOP(begin, end, const T a = p[i]; const T b = q[0]; (void)a; (void)b, statement)      \
    else if (stride[1] != 0)                                                                       \
        WGK_LOOP(begin, end, const T a = p[0]; const T b = q[i]; (void)a; (void)b, statement)      \
    else                                                                                           \
        WGK_LOOP(begin, end, const T a = p[0]; const T b = q[0]; (void)a; (void)b, statement)

/* Three operands: only the patterns of gradients and of selection are worth loops of their own. */
#define WGK_EACH3(begin, end, a, b, c, statement)                                                  \
    if (stride[0] != 0 && stride[1] != 0 && stride[2] != 0)                                        \
        WGK_LOOP(begin, end, const T a = p[i]; const T b = q[i]; const T c = r[i], statement)      \
    else if (stride[0] != 0 && stride[1] != 0)                                                     \
        WGK_LOOP(begin, end, const T a = p[i]; const T b = q[i]; const T c = r[0], statement)      \
    else                                                                                           \
        WGK_ANY3(begin, end, a, b, c, statement)
#endif

/* ---- A kernel for one type. ------------------------------------------------------------------ */

#define WGK_PARAMETERS                                                                             \
    int64_t n, void *out, const void *const operand[], const int64_t stride[], const void *attrs

/* WGK_KERNEL(linkage, name, one, body): a kernel, which does `one` where n is 1, and for each
 * call of a run (autograd/run_internal.h); in both T is the type, y the result, and p, q, r are the
 * operands.  WGK_VECTORIZED: the same, compiled for wider vectors, too, which many elements are
 * worth. Nothing contracts, so the bits are the same. */
#define WGK_KERNEL(linkage, name, one, ...)                                                        \
    static inline void name##_one(WGK_PARAMETERS)                                                  \
    {                                                                                              \
        (void)n;                                                                                   \
        one                                                                                        \
    }                                                                                              \
    WG_RUN(name##_run, name##_one)                                                                 \
    linkage void name(WGK_PARAMETERS)                                                              \
    {                                                                                              \
        if (n == 1) {                                                                              \
            name##_one(n, out, operand, stride, attrs);                                            \
            return;                                                                                \
        }                                                                                          \
        if (n < 0) {                                                                               \
            name##_run(n, operand, stride, attrs);                                                 \
            return;                                                                                \
        }                                                                                          \
        __VA_ARGS__                                                                                \
    }
#define WGK_HEAD1(type)                                                                            \
    typedef type T;                                                                                \
    T *restrict y = out;                                                                           \
    const T *p = operand[0];                                                                       \
    (void)attrs;
#define WGK_HEAD2(type)                                                                            \
    WGK_HEAD1(type)                                                                                \
    const T *q = operand[1];
#define WGK_HEAD3(type)                                                                            \
    WGK_HEAD2(type)                                                                                \
    const T *r = operand[2];

#define WGK_HEAD4(type)                                                                            \
    WGK_HEAD3(type)                                                                                \
    const T *s = operand[3];

#if defined(WG_ISA_X86) && !defined(__OPTIMIZE_SIZE__)
#define WGK_MANY 32
#define WGK_VECTORIZED(linkage, name, one, ...)                                                    \
    __attribute__((target("avx2"))) static void name##_avx2(WGK_PARAMETERS)                        \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }                                                                                              \
    static void name##_baseline(WGK_PARAMETERS)                                                    \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }                                                                                              \
    __attribute__((noinline)) static void name##_many(WGK_PARAMETERS)                              \
    {                                                                                              \
        (wg_cpu_isa() >= WG_ISA_AVX2 ? name##_avx2 : name##_baseline)(n, out, operand, stride,     \
                                                                      attrs);                      \
    }                                                                                              \
    WGK_KERNEL(linkage, name, one,                                                                 \
               if (n < WGK_MANY) name##_baseline(n, out, operand, stride, attrs);                  \
               else name##_many(n, out, operand, stride, attrs);)
#else
#define WGK_VECTORIZED WGK_KERNEL
#endif

/* A kernel through a function f of vector_math.h: e = f(inner), y = formula, which may use e. A
 * tile of y holds e in between, and stays in cache. */
#define WGK_TILE_SIZE 512

#define WGK_MAP1_VIA_OF(name, type, suffix, x, function, inner, formula)                           \
    WGK_VECTORIZED(                                                                                \
        , wgk_##name##_##suffix,                                                                   \
        WGK_HEAD1(type) WGK_ANY1(0, 1, x, y[i] = inner) wgk_tile_##function##_##suffix(1, y);      \
        WGK_ANY1(0, 1, x, const T e = y[i]; y[i] = formula),                                       \
        WGK_HEAD1(type) for (int64_t begin = 0; begin < n; begin += WGK_TILE_SIZE) {               \
            const int64_t end = n - begin < WGK_TILE_SIZE ? n : begin + WGK_TILE_SIZE;             \
            WGK_EACH1(begin, end, x, y[i] = inner)                                                 \
            wgk_tile_##function##_##suffix(end - begin, y + begin);                                \
            WGK_EACH1(begin, end, x, const T e = y[i]; y[i] = formula)                             \
        })

#define WGK_MAP2_VIA_OF(name, type, suffix, a, b, function, inner, formula)                        \
    WGK_VECTORIZED(                                                                                \
        , wgk_##name##_##suffix,                                                                   \
        WGK_HEAD2(type) WGK_ANY2(0, 1, a, b, y[i] = inner) wgk_tile_##function##_##suffix(1, y);   \
        WGK_ANY2(0, 1, a, b, const T e = y[i]; y[i] = formula),                                    \
        WGK_HEAD2(type) for (int64_t begin = 0; begin < n; begin += WGK_TILE_SIZE) {               \
            const int64_t end = n - begin < WGK_TILE_SIZE ? n : begin + WGK_TILE_SIZE;             \
            WGK_EACH2(begin, end, a, b, y[i] = inner)                                              \
            wgk_tile_##function##_##suffix(end - begin, y + begin);                                \
            WGK_EACH2(begin, end, a, b, const T e = y[i]; y[i] = formula)                          \
        })

/* The same of three operands that all have n elements. */
#define WGK_MAP3_VIA_OF(name, type, suffix, a, b, c, function, inner, formula)                     \
    WGK_VECTORIZED(                                                                                \
        , wgk_##name##_##suffix,                                                                   \
        WGK_HEAD3(type) WGK_ALL3(0, 1, a, b, c, y[i] = inner)                                      \
            wgk_tile_##function##_##suffix(1, y);                                                  \
        WGK_ALL3(0, 1, a, b, c, const T e = y[i]; y[i] = formula),                                 \
        WGK_HEAD3(type) for (int64_t begin = 0; begin < n; begin += WGK_TILE_SIZE) {               \
            const int64_t end = n - begin < WGK_TILE_SIZE ? n : begin + WGK_TILE_SIZE;             \
            WGK_ALL3(begin, end, a, b, c, y[i] = inner)                                            \
            wgk_tile_##function##_##suffix(end - begin, y + begin);                                \
            WGK_ALL3(begin, end, a, b, c, const T e = y[i]; y[i] = formula)                        \
        })

/* ---- Rows ------------------------------------------------------------------------------------ */

#define WGK_MAP1_VIA(name, x, function, inner, formula)                                            \
    WGK_MAP1_VIA_OF(name, float, f32, x, function, inner, formula)                                 \
    WGK_MAP1_VIA_OF(name, double, f64, x, function, inner, formula)

#define WGK_MAP2_VIA(name, a, b, function, inner, formula)                                         \
    WGK_MAP2_VIA_OF(name, float, f32, a, b, function, inner, formula)                              \
    WGK_MAP2_VIA_OF(name, double, f64, a, b, function, inner, formula)

#define WGK_MAP3_VIA(name, a, b, c, function, inner, formula)                                      \
    WGK_MAP3_VIA_OF(name, float, f32, a, b, c, function, inner, formula)                           \
    WGK_MAP3_VIA_OF(name, double, f64, a, b, c, function, inner, formula)

#endif
