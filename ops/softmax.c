/* softmax.c: softmax, log_softmax and logsumexp: what is made of exp(x_i) along axes. */
#include "ops/softmax_internal.h"

#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/softmax.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"

static int64_t softmax_chunks(const wg_tensor *y)
{
    return wg_axes_operand_rows(y).n_rows;
}

/* Rows are computed in the workspace, whatever their layout. */
static size_t softmax_workspace(const wg_tensor *y)
{
    const wgk_rows rows = wg_axes_operand_rows(y);
    return wgk_softmax_workspace(&rows, wg_kernel_type(y), 1);
}

static size_t softmax_workspace_two(const wg_tensor *y)
{
    return 2 * softmax_workspace(y);
}

/* The descriptor: name, number of operands, formula, its shape rule, and what else differs. */
#define SOFTMAX(op, operands, text, rule, ...)                                                     \
    WG_AXES_OP(op, operands, text, .flags = WG_OP_WIDE, .shape = rule, .forward = op##_forward,    \
               .vjp = op##_vjp, __VA_ARGS__)

#define SOFTMAX_FORWARD(op)                                                                        \
    static void op##_forward(const wg_tensor *y, const wg_piece *piece)                            \
    {                                                                                              \
        const wgk_rows rows = wg_axes_operand_rows(y);                                             \
        wgk_##op(&rows, wg_kernel_type(y), y->operand[0]->data, piece->begin, piece->end, y->data, \
                 piece->workspace);                                                                \
    }

#define SOFTMAX_SOURCE                                                                             \
    "Blanchard, Higham, Higham 2021, Accurately computing the log-sum-exp and softmax functions"

static wg_tensor *softmax_record(const wg_op *op, wg_tensor *a, wg_tensor *b, uint32_t axes)
{
    return wg_apply(op, (wg_tensor *[]){a, b}, op->arity, &(wg_axes_attrs){axes, 0});
}

/* ---- log_softmax_jvp, log_softmax_vjp: C u and C' v ------------------------------------------ */

/* With p = softmax(x), J = diag(p) - p p' is softmax's Jacobian, C = 1 - 1 p' that of log_softmax:
 * J u = p * C u. Rules through C u, which is made at once, keep the tails of a row whose largest p
 * is nearly 1. */

static bool softmax_pair_shape(wg_tensor *y)
{
    const wg_tensor *u = y->operand[0], *x = y->operand[1];
    return wg_axes_same_floats(y) &&
           ((u->dtype == x->dtype && wg_shape_same(&u->shape, &x->shape)) ||
            wg_op_fail(y, WG_E_SHAPE, "operands of one shape and dtype wanted"));
}

/* -(sum a) J b, the cotangent of the logits x of C u (a = dy, b = u) and of C' v (a = v, b =
 * dy). */
static wg_tensor *softmax_pair_logits(wg_tensor *a, wg_tensor *b, wg_tensor *x, uint32_t axes)
{
    wg_tensor *total = wg_sum_bits(a, axes, true);
    return wg_neg(wg_mul(total, wg_softmax_times(x, b, axes)));
}

/* x without the rows along the axes in which v is 0: what they hold, even NaN, is ignored. */
static wg_tensor *softmax_used(wg_tensor *x, wg_tensor *v, uint32_t axes)
{
    wg_tensor *used = wg_sum_bits(wg_abs(v), axes, true);
    return wg_where(used, x, wg_full(x->tape, x->dtype, WG_SCALAR, 0));
}

static wg_tensor *log_softmax_transposed(wg_tensor *v, wg_tensor *x, uint32_t axes);

static void log_softmax_jvp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_log_softmax_jvp(&rows, wg_kernel_type(y), y->operand[0]->data, y->operand[1]->data,
                        piece->begin, piece->end, y->data, piece->workspace);
}

static wg_tensor *log_softmax_jvp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *u = y->operand[0], *x = y->operand[1];
    return i == 0 ? log_softmax_transposed(dy, x, wg_axes_of(y))
                  : softmax_pair_logits(dy, u, x, wg_axes_of(y));
}

SOFTMAX(log_softmax_jvp, 2, "y_i = u_i - sum_j softmax(x)_j u_j", softmax_pair_shape,
        .chunks = softmax_chunks, .workspace = softmax_workspace_two,
        .write_c = WG_WRITES_C(wg_log_softmax_jvp_write_c))

wg_tensor *wg_log_softmax_jvp(wg_tensor *u, wg_tensor *x, uint32_t axes)
{
    return softmax_record(&wg_op_log_softmax_jvp, u, x, axes);
}

static void log_softmax_vjp_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = wg_axes_operand_rows(y);
    wgk_soft_cross_entropy_grad(&rows, wg_kernel_type(y), NULL, y->operand[1]->data,
                                y->operand[0]->data, piece->begin, piece->end, y->data,
                                piece->workspace);
}

static wg_tensor *log_softmax_vjp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *v = y->operand[0], *x = y->operand[1];
    if (i == 0)
        return wg_log_softmax_jvp(dy, x, wg_axes_of(y));
    x = softmax_used(x, v, wg_axes_of(y));
    return softmax_pair_logits(v, dy, x, wg_axes_of(y));
}

SOFTMAX(log_softmax_vjp, 2, "y_i = v_i - softmax(x)_i sum_j v_j", softmax_pair_shape,
        .chunks = softmax_chunks, .workspace = softmax_workspace_two,
        .write_c = WG_WRITES_C(wg_log_softmax_vjp_write_c))

static wg_tensor *log_softmax_transposed(wg_tensor *v, wg_tensor *x, uint32_t axes)
{
    return softmax_record(&wg_op_log_softmax_vjp, v, x, axes);
}

/* ---- softmax, log_softmax, logsumexp --------------------------------------------------------- */

SOFTMAX_FORWARD(softmax)
SOFTMAX_FORWARD(log_softmax)
SOFTMAX_FORWARD(logsumexp)

static wg_tensor *softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(y, wg_log_softmax_jvp(dy, y->operand[i], wg_axes_of(y)));
}

SOFTMAX(softmax, 1, "y_i = exp(x_i) / sum_j exp(x_j)", wg_axes_same_floats,
        .chunks = softmax_chunks, .workspace = softmax_workspace,
        .source = WG_OP_TEXT(SOFTMAX_SOURCE), .write_c = WG_WRITES_C(wg_softmax_write_c))

wg_tensor *wg_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_softmax, x, 1, &axis, false);
}

wg_tensor *wg_softmax_times(wg_tensor *x, wg_tensor *u, uint32_t axes)
{
    wg_tensor *p = softmax_record(&wg_op_softmax, x, NULL, axes);
    return wg_mul(p, wg_log_softmax_jvp(u, x, axes));
}

static wg_tensor *log_softmax_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return log_softmax_transposed(dy, y->operand[i], wg_axes_of(y));
}

SOFTMAX(log_softmax, 1, "y_i = x_i - log(sum_j exp(x_j))", wg_axes_same_floats,
        .chunks = softmax_chunks, .workspace = softmax_workspace_two,
        .source = WG_OP_TEXT(SOFTMAX_SOURCE), .write_c = WG_WRITES_C(wg_softmax_write_c))

wg_tensor *wg_log_softmax(wg_tensor *x, int axis)
{
    return wg_axes_record(&wg_op_log_softmax, x, 1, &axis, false);
}

static wg_tensor *logsumexp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    wg_tensor *p = softmax_record(&wg_op_softmax, x, NULL, wg_axes_of(y));
    return wg_mul(wg_spread_over(dy, x, wg_axes_of(y)), p);
}

SOFTMAX(logsumexp, 1, "y = log(sum_i exp(x_i))", wg_axes_reduced_floats, .chunks = wg_size,
        .workspace = softmax_workspace, .source = WG_OP_TEXT(SOFTMAX_SOURCE),
        .write_c = WG_WRITES_C(wg_logsumexp_write_c))

wg_tensor *wg_logsumexp(wg_tensor *x)
{
    return wg_axes_record_all(&wg_op_logsumexp, x);
}

wg_tensor *wg_logsumexp_over(wg_tensor *x, int n_axes, const int *axes, bool keep)
{
    return wg_axes_record(&wg_op_logsumexp, x, n_axes, axes, keep);
}

#undef SOFTMAX
#undef SOFTMAX_FORWARD
#undef SOFTMAX_SOURCE

const wg_op *const wg_ops_softmax[] = {
    &wg_op_softmax,         &wg_op_log_softmax, &wg_op_log_softmax_jvp,
    &wg_op_log_softmax_vjp, &wg_op_logsumexp,   NULL,
};
