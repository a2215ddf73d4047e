#include "ops/softmax.h"

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/softmax.h"

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
    if (y->operand[0]->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted (wg_cast converts)");
    y->dtype = y->operand[0]->dtype;
    y->shape = y->operand[0]->shape;
    return true;
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
    wg_tensor *mean = wg_axes_sum(wg_mul(dy, y), softmax_attrs(y)->axes, true);
    return wg_mul(y, wg_sub(dy, mean));
}

/* dx = dy - exp(y)*sum(dy) */
static wg_tensor *log_softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *total = wg_axes_sum(dy, softmax_attrs(y)->axes, true);
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

static wg_tensor *softmax_along(const wg_op *op, wg_tensor *x, int axis)
{
    wg_axes_attrs attrs = {0, 0};
    if (!wg_is_inert(x))
        wg_axes_mask(x, op->name, 1, &axis, &attrs.axes); /* on failure wg_apply is inert */
    return wg_apply(op, &x, 1, &attrs);
}

wg_tensor *wg_softmax(wg_tensor *x, int axis)
{
    return softmax_along(&wg_op_softmax, x, axis);
}

wg_tensor *wg_log_softmax(wg_tensor *x, int axis)
{
    return softmax_along(&wg_op_log_softmax, x, axis);
}

wg_tensor *wg_axes_softmax(wg_tensor *x, uint32_t axes)
{
    wg_axes_attrs attrs = {axes, 0};
    return wg_apply(&wg_op_softmax, &x, 1, &attrs);
}

const wg_op *const wg_ops_softmax[] = {&wg_op_softmax, &wg_op_log_softmax, NULL};
