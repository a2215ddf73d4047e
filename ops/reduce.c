/* reduce.c: sums, means, extremes and norms over some axes, each an op of its own. */
#include "ops/reduce.h"

#include <math.h>
#include <string.h>

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/reduce.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"
#include "ops/rules_internal.h"

/* ---- What all reductions share --------------------------------------------------------------- */

/* The descriptor: name, formula, the kinds of operand, its shape rule, and what else differs. */
#define REDUCTION(op, text, kinds, rule, ...)                                                      \
    WG_AXES_OP(op, 1, text, .flags = WG_OP_WIDE | (kinds), .shape = rule, .forward = op##_forward, \
               .chunks = wg_size, __VA_ARGS__)

/* The builders over every axis and over some. */
#define REDUCTION_BUILDERS(op)                                                                     \
    wg_tensor *wg_##op(wg_tensor *x)                                                               \
    {                                                                                              \
        return wg_axes_record_all(&wg_op_##op, x);                                                 \
    }                                                                                              \
    wg_tensor *wg_##op##_over(wg_tensor *x, int n_axes, const int *axes, bool keep)                \
    {                                                                                              \
        return wg_axes_record(&wg_op_##op, x, n_axes, axes, keep);                                 \
    }

static wg_tensor *reduce_spread(const wg_tensor *y, wg_tensor *g)
{
    return wg_spread_over(g, y->operand[0], wg_axes_of(y));
}

/* ---- sum, mean ------------------------------------------------------------------------------- */

static void sum_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    if (x->size == 1) { /* whatever the axes: small graphs are full of it */
        memcpy(y->data, x->data, wg_dtype_size(x->dtype));
        return;
    }
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_reduce_sum(&rows, wg_kernel_type(x), x->data, 1, piece->begin, piece->end, y->data);
}

_Static_assert(sizeof(wgk_sum_lanes) <= WG_FOLD_STATE, "the lanes are the state");

/* All of x, tile by tile. */
static void sum_fold_over(const wg_tensor *y, double divisor, int64_t begin, int64_t end,
                          const void *tile, void *state)
{
    const wg_tensor *x = y->operand[0];
    if (begin == 0)
        *(wgk_sum_lanes *)state = (wgk_sum_lanes){{0}, {0}};
    wgk_sum_add(state, wg_kernel_type(x), end - begin, tile);
    if (end == x->size)
        wgk_sum_end(state, wg_kernel_type(x), divisor, y->data);
}

static void sum_fold(const wg_tensor *y, int64_t begin, int64_t end, const void *tile, void *state)
{
    sum_fold_over(y, 1, begin, end, tile, state);
}

static wg_tensor *sum_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return reduce_spread(y, dy);
}

REDUCTION(sum, "y = sum_i x_i", 0, wg_axes_reduced, .fold = sum_fold, .vjp = sum_vjp,
          .write_c = WG_WRITES_C(wg_sum_write_c),
          .source = WG_OP_TEXT("Knuth, TAOCP 2, sec. 4.2.2, theorem B"))
REDUCTION_BUILDERS(sum)

wg_tensor *wg_sum_bits(wg_tensor *x, uint32_t axes, bool keep)
{
    return wg_apply(&wg_op_sum, &x, 1, &(wg_axes_attrs){axes, keep});
}

static void mean_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_reduce_sum(&rows, wg_kernel_type(x), x->data, (double)rows.row_size, piece->begin,
                   piece->end, y->data);
}

static void mean_fold(const wg_tensor *y, int64_t begin, int64_t end, const void *tile, void *state)
{
    sum_fold_over(y, (double)y->operand[0]->size, begin, end, tile, state);
}

/* 1/n is applied to dy while it is small. */
static wg_tensor *mean_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const double n = (double)wg_axes_operand_rows(y).row_size, high = 1 / n;
    (void)i;
    return reduce_spread(y, wg_times(dy, high, n > 0 ? fma(-high, n, 1) / n : 0));
}

REDUCTION(mean, "y = sum_i x_i / n", 0, wg_axes_reduced_floats, .fold = mean_fold, .vjp = mean_vjp,
          .write_c = WG_WRITES_C(wg_mean_write_c))
REDUCTION_BUILDERS(mean)

/* ---- amax, amin, and where they are ---------------------------------------------------------- */

/* Of nothing there is no extreme. */
static bool extreme_shape(wg_tensor *y)
{
    return wg_axes_reduced(y) && (wg_axes_operand_rows(y).row_size > 0 ||
                                  wg_op_fail(y, WG_E_SHAPE, "there is no extreme of nothing"));
}

#define EXTREME_FORWARD(op, kernel, sign)                                                          \
    static void op##_forward(const wg_tensor *y, const wg_piece *piece)                            \
    {                                                                                              \
        const wg_tensor *x = y->operand[0];                                                        \
        const wgk_rows rows = wg_axes_operand_rows(y);                                             \
        kernel(&rows, wg_kernel_type(x), x->data, sign, piece->begin, piece->end, y->data);        \
    }

EXTREME_FORWARD(amax, wgk_reduce_amax, 1)
EXTREME_FORWARD(amin, wgk_reduce_amax, -1)
EXTREME_FORWARD(argmax, wgk_reduce_argmax, 1)
EXTREME_FORWARD(argmin, wgk_reduce_argmax, -1)

static bool tie_share_shape(wg_tensor *y)
{
    const wg_tensor *extremes = y->operand[1];
    if (!wg_axes_same_floats(y))
        return false;
    return (extremes->dtype == y->dtype && extremes->size == wg_axes_operand_rows(y).n_rows) ||
           wg_op_fail(y, WG_E_SHAPE, "an extreme for each row wanted");
}

static void tie_share_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_reduce_ties(&rows, wg_kernel_type(x), x->data, y->operand[1]->data, piece->begin,
                    piece->end, y->data);
}

static int64_t tie_share_chunks(const wg_tensor *y)
{
    return y->operand[1]->size;
}

/* tie_share(x, y): 1/k at the k entries of x that equal the reduced y, 0 elsewhere. */
WG_AXES_OP(tie_share, 2, "s_i = [x_i = y] / (number of j with x_j = y)",
           .flags = WG_OP_ZERO_GRADIENT | WG_OP_WIDE, .shape = tie_share_shape,
           .forward = tie_share_forward, .chunks = tie_share_chunks,
           .write_c = WG_WRITES_C(wg_tie_share_write_c))

/* The cotangent is selected: an infinite one must not make NaN where the share is 0. */
static wg_tensor *extreme_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *x = y->operand[0];
    wg_tensor *share = wg_apply(&wg_op_tie_share, (wg_tensor *[]){x, y}, 2, y->attrs);
    return wg_weigh(share, reduce_spread(y, dy));
}

REDUCTION(amax, "y = max_i x_i", WG_OP_KINKS, extreme_shape, .vjp = extreme_vjp,
          .write_c = WG_WRITES_C(wg_extreme_write_c))
REDUCTION_BUILDERS(amax)
REDUCTION(amin, "y = min_i x_i", WG_OP_KINKS, extreme_shape, .vjp = extreme_vjp,
          .write_c = WG_WRITES_C(wg_extreme_write_c))
REDUCTION_BUILDERS(amin)

/* An index is i64, which has no cotangent. */
static bool argmax_shape(wg_tensor *y)
{
    const bool fits = extreme_shape(y);
    y->dtype = WG_I64;
    return fits;
}

REDUCTION(argmax, "y = the first i with x_i = max_j x_j", 0, argmax_shape,
          .write_c = WG_WRITES_C(wg_extreme_write_c))
REDUCTION(argmin, "y = the first i with x_i = min_j x_j", 0, argmax_shape,
          .write_c = WG_WRITES_C(wg_extreme_write_c))

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
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_reduce_norm(&rows, wg_kernel_type(x), x->data, piece->begin, piece->end, y->data);
}

static wg_tensor *norm2_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *direction = wg_div_or_zero(y->operand[0], reduce_spread(y, y));
    return wg_mul(reduce_spread(y, dy), direction);
}

REDUCTION(norm2, "y = sqrt(sum_i x_i^2)", WG_OP_KINKS, wg_axes_reduced_floats, .vjp = norm2_vjp,
          .write_c = WG_WRITES_C(wg_norm2_write_c),
          .source = WG_OP_TEXT(
              "Blue 1978, A portable Fortran program to find the Euclidean norm of a vector"))

wg_tensor *wg_norm2_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_norm2, x, n_axes, axes, keep);
}

#undef REDUCTION
#undef REDUCTION_BUILDERS
#undef EXTREME_FORWARD

const wg_op *const wg_ops_reduce[] = {
    &wg_op_sum,    &wg_op_mean,  &wg_op_amax,      &wg_op_amin, &wg_op_argmax,
    &wg_op_argmin, &wg_op_norm2, &wg_op_tie_share, NULL,
};
