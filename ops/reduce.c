/* reduce.c: sums, means, extremes and norms over some axes, each an op of its own. */
#include "ops/reduce.h"

#include <string.h>

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/reduce.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"

/* ---- What all reductions share --------------------------------------------------------------- */

static const wg_axes_attrs *reduce_attrs(const wg_tensor *y)
{
    return y->attrs;
}

static wgk_rows reduce_rows(const wg_tensor *y)
{
    return wg_axes_rows(y->operand[0], reduce_attrs(y)->axes);
}

static bool reduce_shape_float(wg_tensor *y)
{
    return wg_axes_floats(y) && wg_axes_reduced(y);
}

/* For what has no value where there is nothing. */
static bool reduce_shape_some(wg_tensor *y)
{
    if (!wg_axes_reduced(y))
        return false;
    return reduce_rows(y).row_size > 0 ||
           wg_op_fail(y, WG_E_SHAPE, "there is no extreme of nothing");
}

/* ---- sum, mean ------------------------------------------------------------------------------- */

static void sum_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    if (x->size == 1) { /* whatever the axes: small graphs are full of it */
        memcpy(y->data, x->data, wg_dtype_size(x->dtype));
        return;
    }
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_sum(&rows, wg_kernel_type(x), x->data, 1, piece->begin, piece->end, y->data);
}

static wg_tensor *sum_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wg_spread_over(dy, y->operand[0], reduce_attrs(y)->axes);
}

static const wg_op wg_op_sum = {
    .name = "sum",
    .formula = "y = sum_i x_i",
    .source = "Knuth, TAOCP 2, sec. 4.2.2, theorem B",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = wg_axes_reduced,
    .forward = sum_forward,
    .vjp = sum_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_sum(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_sum, x);
}

wg_tensor *wg_sum_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_sum, x, n_axes, axes, keep);
}

wg_tensor *wg_sum_bits(wg_tensor *x, uint32_t axes, bool keep)
{
    wg_axes_attrs attrs = {axes, keep};
    return wg_apply(&wg_op_sum, &x, 1, &attrs);
}

static void mean_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_sum(&rows, wg_kernel_type(x), x->data, (double)rows.row_size, piece->begin,
                   piece->end, y->data);
}

/* 1/n is applied to dy while it is small. */
static wg_tensor *mean_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    dy = wg_scale(dy, 1 / (double)reduce_rows(y).row_size);
    return wg_spread_over(dy, y->operand[0], reduce_attrs(y)->axes);
}

static const wg_op wg_op_mean = {
    .name = "mean",
    .formula = "y = sum_i x_i / n",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = reduce_shape_float,
    .forward = mean_forward,
    .vjp = mean_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_mean(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_mean, x);
}

wg_tensor *wg_mean_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_mean, x, n_axes, axes, keep);
}

/* ---- amax, amin ------------------------------------------------------------------------------ */

static void amax_run(const wg_tensor *y, const wg_piece *piece, int sign)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_amax(&rows, wg_kernel_type(x), x->data, sign, piece->begin, piece->end, y->data);
}

static void amax_forward(const wg_tensor *y, const wg_piece *piece)
{
    amax_run(y, piece, 1);
}

static void amin_forward(const wg_tensor *y, const wg_piece *piece)
{
    amax_run(y, piece, -1);
}

static bool tie_share_shape(wg_tensor *y)
{
    const wg_tensor *extremes = y->operand[1];
    if (!wg_axes_floats(y) || !wg_axes_same(y))
        return false;
    return (extremes->dtype == y->dtype && extremes->size == reduce_rows(y).n_rows) ||
           wg_op_fail(y, WG_E_SHAPE, "an extreme for each row wanted");
}

static void tie_share_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_ties(&rows, wg_kernel_type(x), x->data, y->operand[1]->data, piece->begin,
                    piece->end, y->data);
}

static int64_t tie_share_chunks(const wg_tensor *y)
{
    return y->operand[1]->size;
}

/* tie_share(x, y): 1/k at the k entries of x that equal the reduced y, 0 elsewhere. */
static const wg_op wg_op_tie_share = {
    .name = "tie_share",
    .formula = "s_i = [x_i = y] / (number of j with x_j = y)",
    .arity = 2,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = tie_share_shape,
    .forward = tie_share_forward,
    .chunks = tie_share_chunks,
};

/* The cotangent is selected: an infinite one must not make NaN where the share is 0. */
static wg_tensor *amax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *x = y->operand[0];
    wg_tensor *share = wg_apply(&wg_op_tie_share, (wg_tensor *[]){x, y}, 2, y->attrs);
    wg_tensor *spread = wg_spread_over(dy, x, reduce_attrs(y)->axes);
    wg_tensor *part = wg_mul(share, spread);
    wg_tensor *zero = wg_full(y->tape, x->dtype, WG_SCALAR, 0);
    return wg_where(share, part, zero);
}

static const wg_op wg_op_amax = {
    .name = "amax",
    .formula = "y = max_i x_i",
    .arity = 1,
    .flags = WG_OP_KINKS | WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = reduce_shape_some,
    .forward = amax_forward,
    .vjp = amax_vjp,
    .chunks = wg_size,
};

static const wg_op wg_op_amin = {
    .name = "amin",
    .formula = "y = min_i x_i",
    .arity = 1,
    .flags = WG_OP_KINKS | WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = reduce_shape_some,
    .forward = amin_forward,
    .vjp = amax_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_amax(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_amax, x);
}

wg_tensor *wg_amax_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_amax, x, n_axes, axes, keep);
}

wg_tensor *wg_amin(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_amin, x);
}

wg_tensor *wg_amin_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_amin, x, n_axes, axes, keep);
}

/* ---- argmax, argmin: the result is i64, which has no cotangent ------------------------------- */

static bool argmax_shape(wg_tensor *y)
{
    bool fits = reduce_shape_some(y);
    y->dtype = WG_I64;
    return fits;
}

static void argmax_run(const wg_tensor *y, const wg_piece *piece, int sign)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_argmax(&rows, wg_kernel_type(x), x->data, sign, piece->begin, piece->end, y->data);
}

static void argmax_forward(const wg_tensor *y, const wg_piece *piece)
{
    argmax_run(y, piece, 1);
}

static void argmin_forward(const wg_tensor *y, const wg_piece *piece)
{
    argmax_run(y, piece, -1);
}

static const wg_op wg_op_argmax = {
    .name = "argmax",
    .formula = "y = the first i with x_i = max_j x_j",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = argmax_shape,
    .forward = argmax_forward,
    .chunks = wg_size,
};

static const wg_op wg_op_argmin = {
    .name = "argmin",
    .formula = "y = the first i with x_i = min_j x_j",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = argmax_shape,
    .forward = argmin_forward,
    .chunks = wg_size,
};

wg_tensor *wg_argmax(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_argmax, x);
}

wg_tensor *wg_argmax_over(wg_tensor *x, int axis, bool keep)
{
    return wg_axes_record(&wg_op_argmax, x, 1, &axis, keep);
}

wg_tensor *wg_argmin(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_argmin, x);
}

wg_tensor *wg_argmin_over(wg_tensor *x, int axis, bool keep)
{
    return wg_axes_record(&wg_op_argmin, x, 1, &axis, keep);
}

/* ---- norm2 ----------------------------------------------------------------------------------- */

static void norm2_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = reduce_rows(y);
    wgk_reduce_norm(&rows, wg_kernel_type(x), x->data, piece->begin, piece->end, y->data);
}

static wg_tensor *norm2_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *x = y->operand[0];
    wg_tensor *length = wg_spread_over(y, x, reduce_attrs(y)->axes);
    wg_tensor *direction = wg_div_or_zero(x, length);
    wg_tensor *spread = wg_spread_over(dy, x, reduce_attrs(y)->axes);
    return wg_mul(spread, direction);
}

static const wg_op wg_op_norm2 = {
    .name = "norm2",
    .formula = "y = sqrt(sum_i x_i^2)",
    .source = "Blue 1978, A portable Fortran program to find the Euclidean norm of a vector",
    .arity = 1,
    .flags = WG_OP_KINKS | WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = reduce_shape_float,
    .forward = norm2_forward,
    .vjp = norm2_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_norm2_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_norm2, x, n_axes, axes, keep);
}

const wg_op *const wg_ops_reduce[] = {
    &wg_op_sum,    &wg_op_mean,  &wg_op_amax,      &wg_op_amin, &wg_op_argmax,
    &wg_op_argmin, &wg_op_norm2, &wg_op_tie_share, NULL,
};
