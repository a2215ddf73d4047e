/* map_vector.c: kernels of formulas with one function of vector_math.h, vector by vector. */
#include "ops/kernels/map_internal.h"

#include <string.h>

/* ---- For operands of any kind: tile by tile -------------------------------------------------- */

#ifdef WGK_LIBMVEC
#define ROW(name, kernels, ...)                                                                    \
    __attribute__((noinline)) static wgk_map wgk_any_##name##_f32, wgk_any_##name##_f64;           \
    kernels(any_##name, __VA_ARGS__)
#else
#define ROW(name, kernels, ...) kernels(name, __VA_ARGS__)
#endif

#define MINUS_ABS(x)       (-WGK_LIBM(fabs, x))
#define SELECT(when, a, b) ((when) ? (a) : (b))
#define ROW1(name, ...)    ROW(name, WGK_MAP1_VIA, __VA_ARGS__)
#define ROW2(name, ...)    ROW(name, WGK_MAP2_VIA, __VA_ARGS__)
#define ROW3(name, ...)    ROW(name, WGK_MAP3_VIA, __VA_ARGS__)

#include "ops/kernels/map_vector_rows.inc"

#undef ROW3
#undef ROW2
#undef ROW1
#undef ROW
#undef SELECT
#undef MINUS_ABS

/* ---- For those that have all elements: vector by vector -------------------------------------- */

#ifdef WGK_LIBMVEC

#include "ops/kernels/isa_avx2.inc"

#define VECTOR_BYTES     32
#define VECTOR_SET(f)    map_avx2_##f
#define VECTOR_F64(f)    _ZGVdN4v_##f
#define VECTOR_F32(name) _ZGVdN8v_##name##f
#include "ops/kernels/map_vector_body.inc"

#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define VECTOR_BYTES     64
#define VECTOR_SET(f)    map_avx512_##f
#define VECTOR_F64(f)    _ZGVeN8v_##f
#define VECTOR_F32(name) _ZGVeN16v_##name##f
#include "ops/kernels/map_vector_body.inc"

#include "ops/kernels/isa_end.inc"

/* Fewer than a vector's are a tile, so that each goes through the same function. Joins, of three
 * operands, do not look at strides. */
#define KERNEL(operands, name, type, suffix)                                                       \
    void wgk_##name##_##suffix(WGK_PARAMETERS)                                                     \
    {                                                                                              \
        const wg_isa isa = n < 32 / (int64_t)sizeof(type) ? WG_ISA_BASELINE : wg_cpu_isa();        \
        const int64_t lanes = (isa == WG_ISA_AVX512 ? 64 : 32) / (int64_t)sizeof(type);            \
        if (isa == WG_ISA_BASELINE || n < lanes || (operands < 3 && stride[0] == 0) ||             \
            (operands == 2 && stride[1] == 0))                                                     \
            wgk_any_##name##_##suffix(n, out, operand, stride, attrs);                             \
        else if (isa == WG_ISA_AVX512)                                                             \
            map_avx512_##name##_##suffix(n, out, operand);                                         \
        else                                                                                       \
            map_avx2_##name##_##suffix(n, out, operand);                                           \
    }
#define ROW(operands, name)                                                                        \
    KERNEL(operands, name, float, f32)                                                             \
    KERNEL(operands, name, double, f64)
#define ROW1(name, ...) ROW(1, name)
#define ROW2(name, ...) ROW(2, name)
#define ROW3(name, ...) ROW(3, name)

#include "ops/kernels/map_vector_rows.inc"

#undef ROW3
#undef ROW2
#undef ROW1
#undef ROW
#undef KERNEL

#endif
