/* softmax.c: softmax, log_softmax and logsumexp: what is made of exp(x_i) along axes. */
#include "ops/softmax.h"

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/reduce.h"
#include "ops/kernels/softmax.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"

static const wg_axes_attrs *softmax_attrs(const wg_tensor *y)
{
    return y->attrs;
}

static wgk_rows softmax_rows(const wg_tensor *y)
{
    return wg_axes_rows(y->operand[0], softmax_attrs(y)->axes);
}

static bool softmax_shape(wg_tensor *y)
{
    return wg_axes_floats(y) && wg_axes_same(y);
}

static int64_t softmax_chunks(const wg_tensor *y)
{
    return softmax_rows(y).n_rows;
}

/* Rows are computed in the workspace, in double, whatever their layout and dtype. */
static size_t softmax_workspace(const wg_tensor *y)
{
    return (size_t)softmax_rows(y).row_size * sizeof(double);
}

static size_t log_softmax_workspace(const wg_tensor *y)
{
    return 2 * softmax_workspace(y);
}

static void softmax_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = softmax_rows(y);
    bool f32 = x->dtype == WG_F32;
    double *row = piece->workspace;
    for (int64_t i = piece->begin; i < piece->end; i++) {
        wgk_rows_load(&rows, i, 0, rows.row_size, f32, x->data, row);
        wgk_softmax(rows.row_size, row);
        wgk_rows_store(&rows, i, 0, rows.row_size, f32, row, y->data);
    }
}

static void log_softmax_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = softmax_rows(y);
    bool f32 = x->dtype == WG_F32;
    double *row = piece->workspace, *terms = row + rows.row_size;
    for (int64_t i = piece->begin; i < piece->end; i++) {
        wgk_rows_load(&rows, i, 0, rows.row_size, f32, x->data, row);
        wgk_log_softmax(rows.row_size, row, terms);
        wgk_rows_store(&rows, i, 0, rows.row_size, f32, row, y->data);
    }
}

/* dx = y*(dy - sum(dy*y)) */
static wg_tensor *softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *mean = wg_sum_bits(wg_mul(dy, y), softmax_attrs(y)->axes, true);
    return wg_mul(y, wg_sub(dy, mean));
}

/* dx = dy - exp(y)*sum(dy) */
static wg_tensor *log_softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *total = wg_sum_bits(dy, softmax_attrs(y)->axes, true);
    wg_tensor *p = wg_exp(y);
    return wg_sub(dy, wg_mul(p, total));
}

static const wg_op wg_op_softmax = {
    .name = "softmax",
    .formula = "y_i = exp(x_i) / sum_j exp(x_j)",
    .source = "Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax "
              "functions",
    .arity = 1,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = softmax_shape,
    .forward = softmax_forward,
    .vjp = softmax_vjp,
    .chunks = softmax_chunks,
    .workspace = softmax_workspace,
};

static const wg_op wg_op_log_softmax = {
    .name = "log_softmax",
    .formula = "y_i = x_i - log(sum_j exp(x_j))",
    .source = "Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax "
              "functions",
    .arity = 1,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = softmax_shape,
    .forward = log_softmax_forward,
    .vjp = log_softmax_vjp,
    .chunks = softmax_chunks,
    .workspace = log_softmax_workspace,
};

wg_tensor *wg_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_softmax, x, 1, &axis, false);
}

wg_tensor *wg_log_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_log_softmax, x, 1, &axis, false);
}

/* ---- logsumexp ------------------------------------------------------------------------------- */

static bool logsumexp_shape(wg_tensor *y)
{
    return wg_axes_floats(y) && wg_axes_reduced(y);
}

static void logsumexp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    wgk_rows rows = softmax_rows(y);
    wgk_reduce_logsumexp(&rows, x->dtype == WG_F32, x->data, piece->begin, piece->end, y->data);
}

static wg_tensor *logsumexp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *x = y->operand[0];
    wg_tensor *p = wg_apply(&wg_op_softmax, &x, 1, &(wg_axes_attrs){softmax_attrs(y)->axes, 0});
    wg_tensor *spread = wg_spread_over(dy, x, softmax_attrs(y)->axes);
    return wg_mul(spread, p);
}

static const wg_op wg_op_logsumexp = {
    .name = "logsumexp",
    .formula = "y = log(sum_i exp(x_i))",
    .source = "Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax "
              "functions",
    .arity = 1,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = logsumexp_shape,
    .forward = logsumexp_forward,
    .vjp = logsumexp_vjp,
    .chunks = wg_elementwise_chunks,
};

wg_tensor *wg_logsumexp(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_logsumexp, x);
}

wg_tensor *wg_logsumexp_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_logsumexp, x, n_axes, axes, keep);
}

const wg_op *const wg_ops_softmax[] = {&wg_op_softmax, &wg_op_log_softmax, &wg_op_logsumexp, NULL};
