/* softmax.c: softmax, log_softmax and logsumexp: what is made of exp(x_i) along axes. */
#include "ops/softmax_internal.h"

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/softmax.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"

static wg_tensor *log_softmax_transposed(wg_tensor *v, wg_tensor *x, uint32_t axes);

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

/* Rows are computed in the workspace, whatever their layout. */
static size_t softmax_workspace(const wg_tensor *y)
{
    return (size_t)softmax_rows(y).row_size * wgk_real_size(wg_kernel_type(y));
}

static size_t softmax_workspace_two(const wg_tensor *y)
{
    return 2 * softmax_workspace(y);
}

static void softmax_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = softmax_rows(y);
    wgk_softmax(&rows, wg_kernel_type(y), y->operand[0]->data, piece->begin, piece->end, y->data,
                piece->workspace);
}

static void log_softmax_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = softmax_rows(y);
    wgk_log_softmax(&rows, wg_kernel_type(y), y->operand[0]->data, piece->begin, piece->end,
                    y->data, piece->workspace);
}

static wg_tensor *softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(y, wg_log_softmax_jvp(dy, y->operand[i], softmax_attrs(y)->axes));
}

static wg_tensor *log_softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return log_softmax_transposed(dy, y->operand[i], softmax_attrs(y)->axes);
}

static const wg_op wg_op_softmax = {
    .name = "softmax",
    .formula = "y_i = exp(x_i) / sum_j exp(x_j)",
    .source = "Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax "
              "functions",
    .arity = 1,
    .flags = WG_OP_WIDE,
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
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = softmax_shape,
    .forward = log_softmax_forward,
    .vjp = log_softmax_vjp,
    .chunks = softmax_chunks,
    .workspace = softmax_workspace_two,
};

wg_tensor *wg_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_softmax, x, 1, &axis, false);
}

wg_tensor *wg_log_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_log_softmax, x, 1, &axis, false);
}

/* ---- log_softmax_jvp, log_softmax_vjp: C u and C' v ------------------------------------------ */

/* With p = softmax(x), J = diag(p) - p p' is softmax's Jacobian, C = 1 - 1 p' that of log_softmax:
 * J u = p * C u. Rules through C u, which is made at once, keep the tails of a row whose largest p
 * is nearly 1. */
wg_tensor *wg_softmax_times(wg_tensor *x, wg_tensor *u, uint32_t axes)
{
    const wg_axes_attrs attrs = {axes, 0};
    wg_tensor *p = wg_apply(&wg_op_softmax, &x, 1, &attrs);
    return wg_mul(p, wg_log_softmax_jvp(u, x, axes));
}

/* x without the rows along the axes in which v is 0: what they hold, NaN even, is of no account. */
static wg_tensor *softmax_used(wg_tensor *x, wg_tensor *v, uint32_t axes)
{
    wg_tensor *used = wg_sum_bits(wg_abs(v), axes, true);
    return wg_where(used, x, wg_full(x->tape, x->dtype, WG_SCALAR, 0));
}

static bool softmax_pair_shape(wg_tensor *y)
{
    const wg_tensor *u = y->operand[0], *x = y->operand[1];
    if (!softmax_shape(y))
        return false;
    return (u->dtype == x->dtype && wg_shape_same(&u->shape, &x->shape)) ||
           wg_op_fail(y, WG_E_SHAPE, "operands of one shape and dtype wanted");
}

static void log_softmax_jvp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = softmax_rows(y);
    wgk_log_softmax_jvp(&rows, wg_kernel_type(y), y->operand[0]->data, y->operand[1]->data,
                        piece->begin, piece->end, y->data, piece->workspace);
}

/* y = C u:  du = C' dy,  dx = -(sum dy) J u */
static wg_tensor *log_softmax_jvp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const uint32_t axes = softmax_attrs(y)->axes;
    wg_tensor *u = y->operand[0], *x = y->operand[1];
    if (i == 0)
        return log_softmax_transposed(dy, x, axes);
    wg_tensor *total = wg_sum_bits(dy, axes, true);
    return wg_neg(wg_mul(total, wg_softmax_times(x, u, axes)));
}

static const wg_op wg_op_log_softmax_jvp = {
    .name = "log_softmax_jvp",
    .formula = "y_i = u_i - sum_j softmax(x)_j u_j",
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = softmax_pair_shape,
    .forward = log_softmax_jvp_forward,
    .vjp = log_softmax_jvp_vjp,
    .chunks = softmax_chunks,
    .workspace = softmax_workspace_two,
};

wg_tensor *wg_log_softmax_jvp(wg_tensor *u, wg_tensor *x, uint32_t axes)
{
    const wg_axes_attrs attrs = {axes, 0};
    return wg_apply(&wg_op_log_softmax_jvp, (wg_tensor *[]){u, x}, 2, &attrs);
}

static void log_softmax_vjp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = softmax_rows(y);
    wgk_soft_cross_entropy_grad(&rows, wg_kernel_type(y), NULL, y->operand[1]->data,
                                y->operand[0]->data, piece->begin, piece->end, y->data,
                                piece->workspace);
}

/* y = C' v:  dv = C dy,  dx = -(sum v) J dy */
static wg_tensor *log_softmax_vjp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const uint32_t axes = softmax_attrs(y)->axes;
    wg_tensor *v = y->operand[0], *x = y->operand[1];
    if (i == 0)
        return wg_log_softmax_jvp(dy, x, axes);
    wg_tensor *total = wg_sum_bits(v, axes, true);
    x = softmax_used(x, v, axes);
    return wg_neg(wg_mul(total, wg_softmax_times(x, dy, axes)));
}

static const wg_op wg_op_log_softmax_vjp = {
    .name = "log_softmax_vjp",
    .formula = "y_i = v_i - softmax(x)_i sum_j v_j",
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = softmax_pair_shape,
    .forward = log_softmax_vjp_forward,
    .vjp = log_softmax_vjp_vjp,
    .chunks = softmax_chunks,
    .workspace = softmax_workspace_two,
};

static wg_tensor *log_softmax_transposed(wg_tensor *v, wg_tensor *x, uint32_t axes)
{
    const wg_axes_attrs attrs = {axes, 0};
    return wg_apply(&wg_op_log_softmax_vjp, (wg_tensor *[]){v, x}, 2, &attrs);
}

/* ---- logsumexp ------------------------------------------------------------------------------- */

static bool logsumexp_shape(wg_tensor *y)
{
    return wg_axes_floats(y) && wg_axes_reduced(y);
}

static void logsumexp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = softmax_rows(y);
    wgk_logsumexp(&rows, wg_kernel_type(y), y->operand[0]->data, piece->begin, piece->end, y->data,
                  piece->workspace);
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
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_axes_attrs),
    .describe = wg_axes_describe,
    .shape = logsumexp_shape,
    .forward = logsumexp_forward,
    .vjp = logsumexp_vjp,
    .chunks = wg_size,
    .workspace = softmax_workspace,
};

wg_tensor *wg_logsumexp(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_logsumexp, x);
}

wg_tensor *wg_logsumexp_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_logsumexp, x, n_axes, axes, keep);
}

const wg_op *const wg_ops_softmax[] = {
    &wg_op_softmax,         &wg_op_log_softmax, &wg_op_log_softmax_jvp,
    &wg_op_log_softmax_vjp, &wg_op_logsumexp,   NULL,
};
