#ifndef WG_OPS_ELEMENTWISE_INTERNAL_H
#define WG_OPS_ELEMENTWISE_INTERNAL_H

#include "autograd/op.h"
#include "ops/describe_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/elementwise.h"
#include "ops/layout.h"

/* An elementwise op is one row: name, operands, formula, the cotangent of each operand, and what
 * the descriptor says besides.
 *
 *     WG_UNARY(log, x, "y = log x", wg_div(dy, x), WG_SMOOTH, .domain = {{0.1, 3}})
 *
 * defines the rule log_vjp, the descriptor wg_op_log (with the kernels wgk_log_f32 and wgk_log_f64)
 * and the builder wg_log. A cotangent is an expression in the operands, y and dy; it has y's shape,
 * and is summed to the operand's here; NULL is zero. Of the arguments of one call in it, one at
 * most records an op, because C leaves their order open; what needs more is a function above the
 * row. clang-format takes rows for declarations, so it is switched off for them. */

#define WG_SMOOTH .flags = WG_OP_ELEMENTWISE
#define WG_KINKED .flags = WG_OP_ELEMENTWISE | WG_OP_KINKS
#define WG_FLAT   .flags = WG_OP_ELEMENTWISE | WG_OP_KINKS | WG_OP_ZERO_GRADIENT

#define WG_FLOATS(op)                                                                              \
    {                                                                                              \
        [WG_F32] = wgk_##op##_f32, [WG_F64] = wgk_##op##_f64                                       \
    }
#define WG_NUMBERS(op)                                                                             \
    {                                                                                              \
        [WG_F32] = wgk_##op##_f32, [WG_F64] = wgk_##op##_f64, [WG_I64] = wgk_##op##_i64            \
    }

/* The descriptor; `kernels` is one of the two above, and flags and other fields follow. */
#define WG_DESCRIPTOR(op, operands, text, rule, kernels, ...)                                      \
    static const wg_op wg_op_##op = {.name = #op,                                                  \
                                     .formula = text,                                              \
                                     .arity = operands,                                            \
                                     .shape = wg_elementwise_shape,                                \
                                     .forward = wg_elementwise_forward,                            \
                                     .vjp = rule,                                                  \
                                     .chunks = wg_elementwise_chunks,                              \
                                     .map = kernels(op),                                           \
                                     __VA_ARGS__};

/* The cotangent, which has y's shape, in its operand's: that is y's, too, where both have as many
 * elements and axes. */
static inline wg_tensor *wg_elementwise_cotangent(const wg_tensor *y, wg_tensor *g, int i)
{
    const wg_tensor *x = y->operand[i];
    bool same = y->size > 0 && x->size == y->size && x->shape.ndim == y->shape.ndim;
    return same || g == NULL ? g : wg_sum_to(g, x);
}

#define WG_UNARY_RULE(op, x, gx)                                                                   \
    static wg_tensor *op##_vjp(wg_tensor *y, wg_tensor *dy, int i)                                 \
    {                                                                                              \
        wg_tensor *const x = y->operand[i];                                                        \
        (void)x;                                                                                   \
        return gx;                                                                                 \
    }

#define WG_BINARY_RULE(op, a, b, ga, gb)                                                           \
    static wg_tensor *op##_vjp(wg_tensor *y, wg_tensor *dy, int i)                                 \
    {                                                                                              \
        wg_tensor *const a = y->operand[0], *const b = y->operand[1];                              \
        (void)a, (void)b;                                                                          \
        return wg_elementwise_cotangent(y, i == 0 ? ga : gb, i);                                   \
    }

#define WG_TERNARY_RULE(op, a, b, c, ga, gb, gc)                                                   \
    static wg_tensor *op##_vjp(wg_tensor *y, wg_tensor *dy, int i)                                 \
    {                                                                                              \
        wg_tensor *const a = y->operand[0], *const b = y->operand[1], *const c = y->operand[2];    \
        (void)a, (void)b, (void)c;                                                                 \
        return wg_elementwise_cotangent(y, i == 0 ? ga : i == 1 ? gb : gc, i);                     \
    }

#define WG_UNARY_BUILDER(op)                                                                       \
    wg_tensor *wg_##op(wg_tensor *x)                                                               \
    {                                                                                              \
        return wg_apply(&wg_op_##op, &x, 1, NULL);                                                 \
    }

#define WG_BINARY_BUILDER(op)                                                                      \
    wg_tensor *wg_##op(wg_tensor *a, wg_tensor *b)                                                 \
    {                                                                                              \
        return wg_apply(&wg_op_##op, (wg_tensor *[]){a, b}, 2, NULL);                              \
    }

#define WG_TERNARY_BUILDER(op)                                                                     \
    wg_tensor *wg_##op(wg_tensor *a, wg_tensor *b, wg_tensor *c)                                   \
    {                                                                                              \
        return wg_apply(&wg_op_##op, (wg_tensor *[]){a, b, c}, 3, NULL);                           \
    }

/* ---- Rows ------------------------------------------------------------------------------------ */

#define WG_UNARY(op, x, text, gx, ...)                                                             \
    WG_UNARY_RULE(op, x, gx)                                                                       \
    WG_DESCRIPTOR(op, 1, text, op##_vjp, WG_FLOATS, __VA_ARGS__)                                   \
    WG_UNARY_BUILDER(op)

#define WG_UNARY_FLAT(op, text)                                                                    \
    WG_DESCRIPTOR(op, 1, text, NULL, WG_FLOATS, WG_FLAT)                                           \
    WG_UNARY_BUILDER(op)

#define WG_BINARY(op, a, b, text, ga, gb, ...)                                                     \
    WG_BINARY_RULE(op, a, b, ga, gb)                                                               \
    WG_DESCRIPTOR(op, 2, text, op##_vjp, WG_FLOATS, __VA_ARGS__)                                   \
    WG_BINARY_BUILDER(op)

#define WG_BINARY_NUMBERS(op, a, b, text, ga, gb, ...) /* i64, too */                              \
    WG_BINARY_RULE(op, a, b, ga, gb)                                                               \
    WG_DESCRIPTOR(op, 2, text, op##_vjp, WG_NUMBERS, __VA_ARGS__)                                  \
    WG_BINARY_BUILDER(op)

#define WG_BINARY_NUMBERS_FLAT(op, text)                                                           \
    WG_DESCRIPTOR(op, 2, text, NULL, WG_NUMBERS, WG_FLAT)                                          \
    WG_BINARY_BUILDER(op)

#define WG_TERNARY(op, a, b, c, text, ga, gb, gc, ...)                                             \
    WG_TERNARY_RULE(op, a, b, c, ga, gb, gc)                                                       \
    WG_DESCRIPTOR(op, 3, text, op##_vjp, WG_FLOATS, __VA_ARGS__)                                   \
    WG_TERNARY_BUILDER(op)

/* With a constant c, the op's one attribute: builders wg_<op>(x, c) and wg_<op>(a, b, c). */
#define WG_C(y)   (*(const double *)(y)->attrs)
#define WG_WITH_C .attr_size = sizeof(double), .describe = wg_describe_c

#define WG_UNARY_C(op, x, text, gx, ...)                                                           \
    WG_UNARY_RULE(op, x, gx)                                                                       \
    WG_DESCRIPTOR(op, 1, text, op##_vjp, WG_FLOATS, WG_WITH_C, __VA_ARGS__)                        \
    wg_tensor *wg_##op(wg_tensor *x, double c)                                                     \
    {                                                                                              \
        return wg_apply(&wg_op_##op, &x, 1, &c);                                                   \
    }

#define WG_BINARY_C(op, a, b, text, ga, gb, ...)                                                   \
    WG_BINARY_RULE(op, a, b, ga, gb)                                                               \
    WG_DESCRIPTOR(op, 2, text, op##_vjp, WG_FLOATS, WG_WITH_C, __VA_ARGS__)                        \
    wg_tensor *wg_##op(wg_tensor *a, wg_tensor *b, double c)                                       \
    {                                                                                              \
        return wg_apply(&wg_op_##op, (wg_tensor *[]){a, b}, 2, &c);                                \
    }

/* ---- For rules ------------------------------------------------------------------------------- */

/* a b c, from the left: dy stands first. */
static inline wg_tensor *wg_product(wg_tensor *a, wg_tensor *b, wg_tensor *c)
{
    return wg_mul(wg_mul(a, b), c);
}

/* The families, each ending with NULL. */
extern const wg_op *const wg_ops_arithmetic[],
    *const wg_ops_functions[], *const wg_ops_activations[], *const wg_ops_compare[];

#endif
