#include "tests/check/planted.h"

#include "models/wengert.h"
#include "ops/random.h"
#include "tests/support/assert.h"

#include <math.h>
#include <string.h>

/* The bug that is being recorded, and the op it copies. */
static _Thread_local const wgt_planted *planted_bug;
static _Thread_local wg_op planted_op;

static wg_tensor *right_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_op_find(planted_bug->op)->vjp(y, dy, i);
}

/* ---- Ways to spoil any rule ------------------------------------------------------------------ */

/* g is what the right rule gives. */
#define SPOIL(name, expression)                                                                    \
    static wg_tensor *name(wg_tensor *y, wg_tensor *dy, int i)                                     \
    {                                                                                              \
        wg_tensor *g = right_rule(y, dy, i);                                                       \
        return g == NULL ? NULL : (expression);                                                    \
    }

static wg_tensor *rolled(wg_tensor *g)
{
    int64_t n = wg_dim(g, -1);
    wg_tensor *parts[] = {wg_slice(g, -1, n - 1, n), wg_slice(g, -1, 0, n - 1)};
    return wg_concat(parts, 2, -1);
}

/* Zero where g is below a ten-thousandth of its largest entry. */
static wg_tensor *without_small(wg_tensor *g)
{
    wg_tensor *size = wg_abs(g), *zero = wg_zeros_like(g);
    wg_tensor *bound = wg_scale(wg_amax(size), 1e-4);
    return wg_where(wg_greater(size, bound), g, zero);
}

static wg_tensor *without_last(wg_tensor *g)
{
    wg_tensor *mask = wg_ones_like(g);
    ((double *)mask->data)[wg_size(g) - 1] = 0;
    return wg_mul(g, mask);
}

SPOIL(sign, wg_neg(g))
SPOIL(scale, wg_scale(g, 1.001))
SPOIL(half, wg_scale(g, 0.5))
SPOIL(first_only, i == 0 ? g : NULL)
SPOIL(second_only, i == 1 ? g : NULL)
SPOIL(second_sign, i == 1 ? wg_neg(g) : g)
SPOIL(shifted, rolled(g))
SPOIL(transposed, wg_t(g))
SPOIL(small_is_zero, without_small(g))
SPOIL(last_is_zero, without_last(g))
SPOIL(offset, wg_shift(g, 1e-3))
SPOIL(met_once, y->operand[0] == y->operand[1] && i == 1 ? NULL : g)
SPOIL(detached, wg_detach(g))

static wg_tensor *swapped(wg_tensor *y, wg_tensor *dy, int i)
{
    return right_rule(y, dy, 1 - i);
}

static wg_tensor *passed_on(wg_tensor *y, wg_tensor *dy, int i)
{
    return i < 2 && y->operand[i]->dtype == WG_F64 ? dy : NULL;
}

/* The second derivative: the op that the right rule recorded last, copied with a spoiled rule of
 * its own. */
static _Thread_local const wg_op *inner_op;

static wg_tensor *inner_sign(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = inner_op->vjp(y, dy, i);
    return g == NULL || i == 0 ? g : wg_neg(g);
}

static wg_tensor *inner_zero(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? inner_op->vjp(y, dy, i) : NULL;
}

static wg_tensor *inner_scale(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = inner_op->vjp(y, dy, i);
    return g == NULL ? NULL : wg_scale(g, 1.001);
}

static wg_tensor *spoil_inner(wg_tensor *y, wg_tensor *dy, int i,
                              wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int))
{
    static _Thread_local wg_op inner;
    wg_tensor *g = right_rule(y, dy, i);
    if (g == NULL)
        return NULL;
    if (g->op != &inner)
        inner_op = g->op;
    inner = *inner_op;
    inner.name = "planted";
    inner.vjp = rule;
    inner.vjp_parts = NULL;
    return wg_apply(&inner, g->operand, g->n_operands, g->attrs);
}

static wg_tensor *second_order_sign(wg_tensor *y, wg_tensor *dy, int i)
{
    return spoil_inner(y, dy, i, inner_sign);
}

static wg_tensor *second_order_zero(wg_tensor *y, wg_tensor *dy, int i)
{
    return spoil_inner(y, dy, i, inner_zero);
}

static wg_tensor *second_order_scale(wg_tensor *y, wg_tensor *dy, int i)
{
    return spoil_inner(y, dy, i, inner_scale);
}

/* ---- Rules with a mistake of their own ------------------------------------------------------- */

#define RULE(name, expression)                                                                     \
    static wg_tensor *name(wg_tensor *y, wg_tensor *dy, int i)                                     \
    {                                                                                              \
        wg_tensor *x = y->operand[i];                                                              \
        (void)x;                                                                                   \
        return (expression);                                                                       \
    }

static wg_tensor *dot_rows(wg_tensor *a, wg_tensor *b, int axis)
{
    return wg_sum_over(wg_mul(a, b), WG_AXES(axis), true);
}

/* The pad of a slice, one place too late. */
static wg_tensor *padded_late(wg_tensor *dy, int64_t before, int64_t after)
{
    return wg_pad(dy, WG_SHAPE(0, before), WG_SHAPE(0, after), 0);
}

RULE(exp_of_dy, wg_mul(wg_exp(dy), y))
RULE(exp_by_x, wg_mul(dy, x))
RULE(log_by_y, wg_div(dy, y))
RULE(sqrt_no_half, wg_div(dy, y))
RULE(cos_no_sign, wg_mul(dy, wg_sin(x)))
RULE(tanh_no_square, wg_mul(dy, wg_shift(wg_neg(y), 1)))
RULE(tanh_of_output, wg_mul(dy, wg_shift(wg_neg(wg_square(wg_tanh(y))), 1)))
RULE(square_of_output, wg_scale(wg_mul(dy, y), 2))
RULE(reciprocal_once, wg_neg(wg_mul(dy, y)))
RULE(atan_no_square, wg_div(dy, wg_shift(wg_abs(x), 1)))
RULE(silu_dropped_term, wg_mul(dy, wg_sigmoid(x)))
RULE(gelu_dropped_term, wg_mul(dy, wg_div(y, x)))
RULE(abs_no_sign, wg_mul(dy, wg_sign(wg_abs(x))))
RULE(pow_scalar_no_factor, wg_mul(dy, wg_pow_scalar(x, 2)))
RULE(mul_by_itself, wg_mul(dy, x))
RULE(div_no_output, i == 0 ? wg_div(dy, y->operand[1]) : wg_neg(wg_div(dy, y->operand[1])))
RULE(row_not_summed, i == 0 ? dy : wg_slice(dy, 0, 0, 1))
RULE(column_not_summed, i == 0 ? dy : wg_slice(dy, 1, 0, 1))
RULE(row_averaged, i == 0 ? dy : wg_mean_over(dy, WG_AXES(0), true))
RULE(matmul_a_transposed, i == 0 ? wg_matmul(dy, y->operand[1]) : right_rule(y, dy, i))
RULE(matmul_b_transposed, i == 1 ? wg_matmul(y->operand[0], dy) : right_rule(y, dy, i))
RULE(matmul_dy_transposed,
     i == 1 ? wg_matmul_t(y->operand[0], true, dy, true) : right_rule(y, dy, i))
RULE(matmul_order, i == 0 ? wg_matmul_t(y->operand[1], true, dy, false) : right_rule(y, dy, i))
RULE(sum_other_axis, wg_broadcast_to(wg_reshape(dy, WG_SHAPE(4, 1)), WG_SHAPE(4, 4)))
RULE(mean_no_n, wg_broadcast_to(dy, WG_SHAPE(4, 4)))
RULE(mean_all_n, wg_broadcast_to(wg_scale(dy, 1.0 / 16), WG_SHAPE(4, 4)))
RULE(amax_to_all, wg_broadcast_to(dy, WG_SHAPE(4, 4)))
RULE(logsumexp_unnormalised, wg_mul(wg_exp(x), dy))
RULE(norm_not_divided, wg_mul(x, dy))
RULE(softmax_no_mean, wg_mul(y, dy))
RULE(softmax_other_axis, wg_mul(y, wg_sub(dy, dot_rows(dy, y, 0))))
RULE(softmax_mean_of_dy, wg_mul(y, wg_sub(dy, wg_mean_over(dy, WG_AXES(-1), true))))
RULE(log_softmax_no_sum, wg_sub(dy, wg_exp(y)))
RULE(log_softmax_no_exp, wg_sub(dy, wg_mul(y, wg_sum_over(dy, WG_AXES(-1), true))))
RULE(cumsum_forward, wg_cumsum(dy, 1, false))
RULE(cumsum_other_axis, wg_cumsum(dy, 0, true))
RULE(permute_again,
     wg_reshape(wg_permute(wg_reshape(dy, WG_SHAPE(2, 2, 4)), WG_AXES(1, 0, 2)), WG_SHAPE(4, 4)))
RULE(concat_exchanged, wg_slice(dy, 1, i == 0 ? 4 : 0, i == 0 ? 8 : 4))
RULE(slice_late, padded_late(dy, 0, 2))
RULE(gather_next_row, i == 0 ? wg_slice(wg_scatter_add_rows(dy, y->operand[1], 5), 0, 1, 5) : NULL)
RULE(diagonal_full, wg_broadcast_to(dy, WG_SHAPE(4, 4)))
RULE(where_exchanged, i == 0 ? NULL : right_rule(y, dy, 3 - i))
RULE(bce_no_label, i == 0 ? wg_mul(dy, wg_sigmoid(x)) : right_rule(y, dy, i))
RULE(dropout_everything, i == 0 ? wg_scale(dy, 2) : NULL)

/* The label is taken to be the class after it. */
static wg_tensor *cross_entropy_next_class(wg_tensor *y, wg_tensor *dy, int i)
{
    if (i != 0)
        return NULL;
    wg_tensor *p = wg_softmax(y->operand[0], -1), *hot = wg_one_hot(y->operand[1], 4, WG_F64);
    return wg_mul(wg_sub(p, rolled(hot)), wg_reshape(dy, WG_SHAPE(4, 1)));
}

/* ---- Recording the ops ----------------------------------------------------------------------- */

#define BUILD(name, expression)                                                                    \
    static wg_tensor *build_##name(wg_tensor *a, wg_tensor *b)                                     \
    {                                                                                              \
        (void)b;                                                                                   \
        return (expression);                                                                       \
    }

static const int64_t four_labels[] = {2, 0, 2, 1};

static wg_tensor *labels(wg_tensor *like)
{
    return wg_constant(like->tape, WG_I64, WG_SHAPE(4), four_labels);
}

static wg_tensor *steps(wg_tensor *like)
{
    return wg_full(like->tape, WG_I64, WG_SHAPE(1), 3);
}

#define UNARY(op)  BUILD(op, wg_##op(a))
#define BINARY(op) BUILD(op, wg_##op(a, b))

UNARY(exp)
UNARY(log)
UNARY(sqrt)
UNARY(sin)
UNARY(cos)
UNARY(tanh)
UNARY(atan)
UNARY(erf)
UNARY(square)
UNARY(reciprocal)
UNARY(abs)
UNARY(sigmoid)
UNARY(softplus)
UNARY(relu)
UNARY(silu)
UNARY(gelu)
UNARY(gelu_tanh)
UNARY(diagonal)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(maximum)
BINARY(hypot)
BINARY(logaddexp)
BINARY(pow)
BINARY(matmul)
BUILD(elu, wg_elu(a, 1))
BUILD(saturated, wg_sigmoid(wg_mul(a, wg_square(wg_scale(a, 2)))))
BUILD(mul_twice, wg_mul(a, a))
BUILD(add_row, wg_add(a, wg_slice(b, 0, 1, 2)))
BUILD(add_column, wg_add(a, wg_slice(b, 1, 1, 2)))
BUILD(clamp, wg_clamp(a, -1, 0.5))
BUILD(pow_scalar, wg_pow_scalar(a, 3))
BUILD(sum, wg_sum_over(a, WG_AXES(0), false))
BUILD(mean, wg_mean_over(a, WG_AXES(0), true))
BUILD(amax, wg_amax_over(a, WG_AXES(1), true))
BUILD(logsumexp, wg_logsumexp_over(a, WG_AXES(0), true))
BUILD(norm2, wg_norm_over(a, 2, WG_AXES(1), true))
BUILD(softmax, wg_softmax(a, -1))
BUILD(log_softmax, wg_log_softmax(a, -1))
BUILD(cumsum, wg_cumsum(a, 1, false))
BUILD(reshape, wg_reshape(a, WG_SHAPE(2, 8)))
BUILD(permute, wg_permute(a, WG_AXES(1, 0)))
BUILD(concat, wg_concat(((wg_tensor *[]){a, b}), 2, 1))
BUILD(slice, wg_slice(a, 1, 1, 3))
BUILD(gather_rows, wg_gather_rows(a, labels(a)))
BUILD(where, wg_where(wg_greater(a, b), a, b))
BUILD(bce, wg_bce_with_logits_opt(a, wg_sigmoid(b), &(wg_bce_options){.reduction = WG_NONE}))
BUILD(cross_entropy,
      wg_cross_entropy_opt(a, labels(a), &(wg_cross_entropy_options){.reduction = WG_NONE}))
BUILD(dropout, wg_dropout(a, 0.5, 1, 2, steps(a)))

const wgt_planted wgt_planted_bugs[] = {
    {"exp", "sign", 1, build_exp, sign},
    {"exp", "the cotangent is exponentiated, too", 1, build_exp, exp_of_dy},
    {"exp", "x for y", 1, build_exp, exp_by_x},
    {"log", "y for x", 1, build_log, log_by_y},
    {"log", "scale by 1.001", 1, build_log, scale},
    {"sqrt", "missing factor 1/2", 1, build_sqrt, sqrt_no_half},
    {"sin", "off by one place", 1, build_sin, shifted},
    {"cos", "missing sign", 1, build_cos, cos_no_sign},
    {"tanh", "missing square", 1, build_tanh, tanh_no_square},
    {"tanh", "tanh twice", 1, build_tanh, tanh_of_output},
    {"tanh", "one entry is zero", 1, build_tanh, last_is_zero},
    {"atan", "|x| for x^2", 1, build_atan, atan_no_square},
    {"erf", "an offset of 0.001", 1, build_erf, offset},
    {"square", "y for x", 1, build_square, square_of_output},
    {"reciprocal", "y for y^2", 1, build_reciprocal, reciprocal_once},
    {"pow_scalar", "missing exponent", 1, build_pow_scalar, pow_scalar_no_factor},
    {"abs", "missing sign", 1, build_abs, abs_no_sign},
    {"sigmoid", "zero instead of small", 1, build_saturated, small_is_zero},
    {"sigmoid", "half", 1, build_sigmoid, half},
    {"softplus", "a zero gradient is declared", 1, build_softplus, NULL},
    {"relu", "missing mask", 1, build_relu, passed_on},
    {"clamp", "missing mask", 1, build_clamp, passed_on},
    {"silu", "dropped term", 1, build_silu, silu_dropped_term},
    {"gelu", "dropped term", 1, build_gelu, gelu_dropped_term},
    {"gelu_tanh", "scale by 1.001", 1, build_gelu_tanh, scale},
    {"elu", "missing derivative", 1, build_elu, passed_on},
    {"add", "missing reduction over rows", 1, build_add_row, row_not_summed},
    {"add", "missing reduction over columns", 1, build_add_column, column_not_summed},
    {"add", "mean for the sum over rows", 1, build_add_row, row_averaged},
    {"sub", "sign of the second", 1, build_sub, second_sign},
    {"mul", "by itself, not the other", 1, build_mul, mul_by_itself},
    {"mul", "missing accumulation of a tensor given twice", 1, build_mul_twice, met_once},
    {"div", "missing numerator", 1, build_div, div_no_output},
    {"div", "the second has none", 1, build_div, first_only},
    {"maximum", "operands exchanged", 1, build_maximum, swapped},
    {"hypot", "operands exchanged", 1, build_hypot, swapped},
    {"logaddexp", "passed on to both", 1, build_logaddexp, passed_on},
    {"pow", "the exponent has none", 1, build_pow, first_only},
    {"pow", "the base has none", 1, build_pow, second_only},
    {"where", "branches exchanged", 1, build_where, where_exchanged},
    {"matmul", "second operand not transposed", 1, build_matmul, matmul_a_transposed},
    {"matmul", "first operand not transposed", 1, build_matmul, matmul_b_transposed},
    {"matmul", "cotangent transposed", 1, build_matmul, matmul_dy_transposed},
    {"matmul", "factors exchanged", 1, build_matmul, matmul_order},
    {"matmul", "result transposed", 1, build_matmul, transposed},
    {"sum", "wrong axis", 1, build_sum, sum_other_axis},
    {"mean", "missing 1/n", 1, build_mean, mean_no_n},
    {"mean", "n of another axis, too", 1, build_mean, mean_all_n},
    {"amax", "passed on to all", 1, build_amax, amax_to_all},
    {"logsumexp", "not normalized", 1, build_logsumexp, logsumexp_unnormalised},
    {"norm2", "not divided by the norm", 1, build_norm2, norm_not_divided},
    {"softmax", "dropped term", 1, build_softmax, softmax_no_mean},
    {"softmax", "wrong axis", 1, build_softmax, softmax_other_axis},
    {"softmax", "the mean is not weighted", 1, build_softmax, softmax_mean_of_dy},
    {"log_softmax", "missing sum", 1, build_log_softmax, log_softmax_no_sum},
    {"log_softmax", "missing exp", 1, build_log_softmax, log_softmax_no_exp},
    {"cumsum", "not reversed", 1, build_cumsum, cumsum_forward},
    {"cumsum", "wrong axis", 1, build_cumsum, cumsum_other_axis},
    {"reshape", "columns are read as rows", 1, build_reshape, permute_again},
    {"permute", "not permuted back", 1, build_permute, passed_on},
    {"concat", "parts exchanged", 1, build_concat, concat_exchanged},
    {"slice", "off by one place", 1, build_slice, slice_late},
    {"gather_rows", "off by one row", 1, build_gather_rows, gather_next_row},
    {"diagonal", "not only the diagonal", 1, build_diagonal, diagonal_full},
    {"dropout", "nothing is dropped", 1, build_dropout, dropout_everything},
    {"bce_with_logits", "missing label", 1, build_bce, bce_no_label},
    {"cross_entropy", "the next class", 1, build_cross_entropy, cross_entropy_next_class},
    {"cross_entropy", "sign", 1, build_cross_entropy, sign},
    {"sigmoid", "second derivative: sign", 2, build_sigmoid, second_order_sign},
    {"tanh", "second derivative: none", 2, build_tanh, second_order_zero},
    {"silu", "second derivative: scale by 1.001", 2, build_silu, second_order_scale},
    {"gelu", "second derivative: sign", 2, build_gelu, second_order_sign},
    {"elu", "second derivative: none", 2, build_elu, second_order_zero},
    {"cross_entropy", "second derivative: none", 2, build_cross_entropy, second_order_zero},
    {"softmax", "a detach in the rule", 2, build_softmax, detached},
    {"exp", "a detach in the rule", 2, build_exp, detached},
    {NULL, NULL, 0, NULL, NULL},
};

/* ---- The model ------------------------------------------------------------------------------- */

/* Values in the middle nine tenths of the op's domain. */
static wg_tensor *into_domain(wg_tensor *z, const wg_op *op, int operand)
{
    double low = op->domain[operand].low, high = op->domain[operand].high;
    if (low == 0 && high == 0)
        low = -2, high = 2;
    double width = high - low;
    return wg_shift(wg_scale(wg_sigmoid(z), 0.9 * width), low + 0.05 * width);
}

/* The node again, with the wrong op. */
static wg_tensor *planted_again(const wg_tensor *y)
{
    ck_assert_str_eq(y->op->name, planted_bug->op);
    planted_op = *y->op;
    planted_op.name = "planted";
    planted_op.vjp = planted_bug->rule;
    planted_op.vjp_parts = NULL;
    if (planted_bug->rule == NULL)
        planted_op.flags |= WG_OP_ZERO_GRADIENT;
    return wg_apply(&planted_op, y->operand, y->n_operands, y->attrs);
}

static wg_tensor *parameter(wg_tape *t, const char *name, uint64_t key, int ndim,
                            const int64_t *dim)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    wg_fill_normal(x, 0, 1, key);
    return x;
}

wg_tensor *wgt_planted_loss(wg_tape *t, const wgt_planted *bug, bool right, wg_tensor *xs[3])
{
    const wg_op *op = wg_op_find(bug->op);
    ck_assert_ptr_nonnull(op);
    planted_bug = bug;
    xs[0] = parameter(t, "x", 1, WG_SHAPE(4, 4));
    xs[1] = parameter(t, "w", 2, WG_SHAPE(4, 4));
    xs[2] = parameter(t, "v", 3, WG_SHAPE(4));
    wg_tensor *a = into_domain(wg_add(wg_matmul(xs[0], xs[1]), xs[2]), op, 0);
    wg_tensor *b = into_domain(wg_matmul_t(xs[1], false, wg_tanh(xs[0]), true), op, 1);
    wg_tensor *y = bug->build(a, b);
    if (!right)
        y = planted_again(y);
    wg_tensor *target = wg_full(t, WG_F64, y->shape.ndim, y->shape.dim, 0);
    for (int64_t i = 0; i < wg_size(y); i++)
        ((double *)target->data)[i] = wg_random_normal(9, 9, (uint64_t)i);
    wg_tensor *deviation = wg_sub(wg_mul(y, wg_shift(wg_sin(target), 2)), target);
    return wg_log1p(wg_mean(wg_square(deviation)));
}
