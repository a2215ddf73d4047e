#ifndef WG_OPS_ELEMENTWISE_H
#define WG_OPS_ELEMENTWISE_H

/* All elementwise ops, by subject. What holds for every one of them:
 *
 * Shape:  operands broadcast together by NumPy's rule; y has the common shape. Empty and
 *         zero-dimensional operands are allowed.
 * Dtype:  operands have one dtype, which y takes; f32 is computed in f32. i64 where it is said.
 * NaN:    a NaN that comes in goes out, except where it is said.
 * Errors: on the tape: WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM of wg_apply; WG_E_SHAPE where
 *         shapes do not broadcast; WG_E_DTYPE where dtypes differ, or where the op is not for them.
 * Owner:  the tape, as of every tensor. */
#include "autograd/op.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- An elementwise op of your own. -------------------------------------------------------------
 *
 * Without attributes it is one row, as the library's own ops are: name, operands, formula, and for
 * each operand its cotangent: ops on dy, y and the operands; NULL is zero.
 *
 *     WG_UNARY_OP(cube, x, x * x * x, wg_mul(dy, wg_scale(wg_square(x), 3)));
 *     WG_BINARY_OP(length, a, b, hypot(a, b), wg_mul(dy, wg_div(a, y)), wg_mul(dy, wg_div(b, y)));
 *
 * make the functions cube(x) and length(a, b), which record the ops cube_op and length_op, all
 * static in the file. They are computed in f32, f64 and, by checks, in wide floats, joined by
 * programs, printed and written as C by their formula. Operands broadcast; each cotangent is summed
 * to its operand's shape.
 *
 * The formula is one C expression in the operands, numbers, which are double in every type, and the
 * functions of WG_WIDE_FUNCTIONS in autograd/wide.h (exp, log1p, fabs, pow ...), which are those of
 * the type. Another one does not compile: a check would take the rounding of its doubles for a
 * derivative. The macros are C; C++ writes the op out, as does one with attributes or other
 * functions:
 *
 *     static void cube_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
 *                          const void *attrs)
 *     {
 *         (void)attrs;
 *         for (int64_t i = 0; i < n; i++) {
 *             double v = ((const double *)x[0])[i * stride[0]];
 *             ((double *)y)[i] = v * v * v;
 *         }
 *     }
 *
 *     static wg_tensor *cube_vjp(wg_tensor *y, wg_tensor *dy, int i)
 *     {
 *         return wg_mul(dy, wg_scale(wg_square(y->operand[i]), 3));
 *     }
 *
 *     static const wg_op cube_op = {.name = "cube", .arity = 1, .flags = WG_OP_ELEMENTWISE,
 *                                   .shape = wg_elementwise_shape,
 *                                   .forward = wg_elementwise_forward,
 *                                   .map = {[WG_F64] = cube_f64},
 *                                   .vjp = cube_vjp};
 *     ...
 *     wg_tensor *y = wg_apply(&cube_op, &x, 1, NULL);
 *
 * An elementwise op needs these fields (vjp, to be differentiated); a dtype without a map is
 * WG_E_DTYPE. With .part = wg_elementwise_part programs join it to other ops; with .formula it can
 * be written as C. It has at most WG_ELEMENTWISE_OPERANDS operands. */
#define WG_UNARY_OP(name, x, text, dx)                                                             \
    WG_FORMULA_MAPS(name, text, WG_FORMULA_LOAD1, x)                                               \
    static wg_tensor *name##_vjp(wg_tensor *y, wg_tensor *dy, int i_)                              \
    {                                                                                              \
        wg_tensor *const x = y->operand[i_];                                                       \
        (void)x, (void)dy;                                                                         \
        return (dx);                                                                               \
    }                                                                                              \
    static const wg_op name##_op;                                                                  \
    __attribute__((unused)) static wg_tensor *name(wg_tensor *x)                                   \
    {                                                                                              \
        return wg_apply(&name##_op, &x, 1, NULL);                                                  \
    }                                                                                              \
    WG_FORMULA_OP(name, 1, #name "(" #x ") = " #text)

#define WG_BINARY_OP(name, a, b, text, da, db)                                                     \
    WG_FORMULA_MAPS(name, text, WG_FORMULA_LOAD2, a, b)                                            \
    static wg_tensor *name##_vjp(wg_tensor *y, wg_tensor *dy, int i_)                              \
    {                                                                                              \
        wg_tensor *const a = y->operand[0], *const b = y->operand[1];                              \
        (void)a, (void)b, (void)dy;                                                                \
        wg_tensor *const g_ = i_ == 0 ? (da) : (db);                                               \
        return g_ != NULL ? wg_sum_to(g_, y->operand[i_]) : NULL;                                  \
    }                                                                                              \
    static const wg_op name##_op;                                                                  \
    __attribute__((unused)) static wg_tensor *name(wg_tensor *a, wg_tensor *b)                     \
    {                                                                                              \
        wg_tensor *const operands_[] = {a, b};                                                     \
        return wg_apply(&name##_op, operands_, 2, NULL);                                           \
    }                                                                                              \
    WG_FORMULA_OP(name, 2, #name "(" #a ", " #b ") = " #text)

/* wg_elementwise_shape: operands of one dtype, which `map` serves, broadcast together. */
bool wg_elementwise_shape(wg_tensor *y);

/* wg_elementwise_forward: runs op->map over the broadcast operands. */
void wg_elementwise_forward(const wg_tensor *y, const wg_piece *piece);

/* wg_elementwise_part: the same for elements [begin, end), from tiles and to `out`: see wg_op. */
void wg_elementwise_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                         const void *const tile[]);

/* What the macros above are made of. In f32 and wide floats the type's own functions stand before
 * those of libm; that another one would convert a wide float to double is an error. */
/* clang-format off */
#define WG_FORMULA_F32_ONE(f)  float (*const f)(float) = WG_F(f32, f); (void)f;
#define WG_FORMULA_F32_TWO(f)  float (*const f)(float, float) = WG_F(f32, f); (void)f;
#define WG_FORMULA_WIDE_ONE(f) wg_wide (*const f)(wg_wide) = WG_F(wide, f); (void)f;
#define WG_FORMULA_WIDE_TWO(f) wg_wide (*const f)(wg_wide, wg_wide) = WG_F(wide, f); (void)f;
#define WG_FORMULA_LIBM(f)

#define WG_FORMULA_LOAD(T, x, k)  const T x = ((const T *)x_[k])[i_ * stride_[k]]; (void)x;
#define WG_FORMULA_LOAD1(T, a)    WG_FORMULA_LOAD(T, a, 0)
#define WG_FORMULA_LOAD2(T, a, b) WG_FORMULA_LOAD(T, a, 0) WG_FORMULA_LOAD(T, b, 1)
#define WG_FORMULA_MAP(function, T, ONE, TWO, expression, LOAD, ...)                               \
    static void function(int64_t n_, void *y_, const void *const x_[], const int64_t stride_[],    \
                         const void *attrs_)                                                       \
    {                                                                                              \
        (void)attrs_;                                                                              \
        WG_WIDE_FUNCTIONS(ONE, TWO)                                                                \
        for (int64_t i_ = 0; i_ < n_; i_++) {                                                      \
            LOAD(T, __VA_ARGS__)                                                                   \
            ((T *)y_)[i_] = (T)(expression);                                                       \
        }                                                                                          \
    }

#if WG_HAS_WIDE
#define WG_FORMULA_WIDE(...)                                                                       \
    _Pragma("GCC diagnostic error \"-Wconversion\"")                                               \
    _Pragma("GCC diagnostic error \"-Wfloat-conversion\"") WG_FORMULA_MAP(__VA_ARGS__)
#define WG_FORMULA_WIDE_FIELD(name) , [WG_WIDE] = name##_wide
#else
#define WG_FORMULA_WIDE(...)
#define WG_FORMULA_WIDE_FIELD(name)
#endif
#define WG_FORMULA_MAPS(name, ...)                                                                 \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")                  \
    _Pragma("GCC diagnostic ignored \"-Wconversion\"")                                             \
    _Pragma("GCC diagnostic ignored \"-Wfloat-conversion\"")                                       \
    _Pragma("GCC diagnostic ignored \"-Wdouble-promotion\"")                                       \
    WG_FORMULA_MAP(name##_f32, float, WG_FORMULA_F32_ONE, WG_FORMULA_F32_TWO, __VA_ARGS__)         \
    WG_FORMULA_MAP(name##_f64, double, WG_FORMULA_LIBM, WG_FORMULA_LIBM, __VA_ARGS__)              \
    WG_FORMULA_WIDE(name##_wide, wg_wide, WG_FORMULA_WIDE_ONE, WG_FORMULA_WIDE_TWO, __VA_ARGS__)   \
    _Pragma("GCC diagnostic pop")

#define WG_FORMULA_OP(op, operands, text)                                                          \
    static const wg_op op##_op = {                                                                 \
        .name = #op, .formula = text, .arity = operands, .flags = WG_OP_ELEMENTWISE,               \
        .shape = wg_elementwise_shape, .forward = wg_elementwise_forward,                          \
        .part = wg_elementwise_part, .vjp = op##_vjp,                                              \
        .map = {[WG_F32] = op##_f32, [WG_F64] = op##_f64 WG_FORMULA_WIDE_FIELD(op)}}
/* clang-format on */

#ifdef __cplusplus
}
#endif
#endif
