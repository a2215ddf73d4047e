/* soft_cross_entropy.c: softmax cross-entropy by rows, against soft labels, and its gradient, which
 * is an op itself. */
#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/cross_entropy_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/softmax.h"
#include "ops/softmax_internal.h"

static wg_tensor *soft_cross_entropy_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *q);

/* ---- soft_cross_entropy: a row of target weights q for each row of logits -------------------- */

/* Operands first and first + 1 are logits and their target weights. */
static bool soft_cross_entropy_fits(const wg_tensor *l, int first)
{
    const wg_tensor *z = l->operand[first], *q = l->operand[first + 1];
    if (!wg_logits_fit(l, first))
        return false;
    if (q->dtype != z->dtype)
        return wg_op_fail(l, WG_E_DTYPE,
                          "targets are class indices (i64), or soft labels of the "
                          "logits' dtype (wg_cast converts)");
    if (!wg_shape_same(&z->shape, &q->shape))
        return wg_op_fail(l, WG_E_SHAPE,
                          "soft labels must have the logits' shape (class indices "
                          "are i64: wg_cast)");
    return true;
}

static bool soft_cross_entropy_shape(wg_tensor *l)
{
    if (!soft_cross_entropy_fits(l, 0))
        return false;
    l->dtype = l->operand[0]->dtype;
    l->shape = wg_logits_rows(l->operand[0]);
    return true;
}

static size_t soft_cross_entropy_workspace(const wg_tensor *l)
{
    return wg_logits_workspace(l->operand[0], 3);
}

static void soft_cross_entropy_forward(const wg_tensor *l, const wg_piece *piece)
{
    const wg_tensor *z = l->operand[0], *q = l->operand[1];
    const wgk_rows rows = wg_logits_lines(z);
    wgk_soft_cross_entropy(&rows, wg_kernel_type(z), z->data, q->data, piece->begin, piece->end,
                           l->data, piece->workspace);
}

static wg_tensor *soft_cross_entropy_vjp(wg_tensor *l, wg_tensor *dl, int i)
{
    wg_tensor *z = l->operand[0];
    if (i == 0)
        return soft_cross_entropy_grad(dl, z, l->operand[1]);
    wg_tensor *weight = wg_logits_column(dl);
    return wg_neg(wg_mul(weight, wg_log_softmax(z, -1)));
}

static void soft_cross_entropy_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *z = y->operand[0];
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &z->shape, 1u << (z->shape.ndim - 1));
    wg_c_open(c, &rows);
    const wg_text shift = wg_softmax_write_top(c, z, &rows, &along);
    wg_c_line(c, "%T sum = 0;");
    wg_c_line(c, "rest = log1p%F(rest);");
    wg_c_open_one(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0);
    wg_c_line(c, "if (%b != 0)", at.s);
    wg_c_line(c, "    sum += %b * (rest - %s(%a, most));", at.s, shift.s, at.s);
    wg_c_close_one(c, &along);
    wg_c_line(c, "%y = sum;", wg_c_at(&rows, NULL, 1).s);
    wg_c_close(c, &rows);
}

static const wg_op wg_op_soft_cross_entropy = {
    .name = "soft_cross_entropy",
    .formula = WG_OP_TEXT("l = -sum_k q_k log_softmax(z)_k"),
    .source = WG_OP_TEXT("Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.108"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .shape = soft_cross_entropy_shape,
    .forward = soft_cross_entropy_forward,
    .vjp = soft_cross_entropy_vjp,
    .chunks = wg_size,
    .workspace = soft_cross_entropy_workspace,
    .write_c = WG_WRITES_C(soft_cross_entropy_write_c),
};

/* ---- soft_cross_entropy_grad(dl, z, q) ------------------------------------------------------- */

static bool soft_cross_entropy_grad_shape(wg_tensor *g)
{
    return soft_cross_entropy_fits(g, 1) && wg_logits_grad_fits(g);
}

static size_t soft_cross_entropy_grad_workspace(const wg_tensor *g)
{
    return wg_logits_workspace(g, 2);
}

static void soft_cross_entropy_grad_forward(const wg_tensor *g, const wg_piece *piece)
{
    const wg_tensor *dl = g->operand[0], *z = g->operand[1], *q = g->operand[2];
    const wgk_rows rows = wg_logits_lines(z);
    wgk_soft_cross_entropy_grad(&rows, wg_kernel_type(z), dl->data, z->data, q->data, piece->begin,
                                piece->end, g->data, piece->workspace);
}

/* g = dl*(Q*p - q) with p = softmax(z), Q = sum_k q_k, so for a cotangent u of g:
 * ddl = sum(u*(Q*p - q)),  dz = dl*Q*p*(u - sum(u*p)),  dq = dl*(sum(u*p) - u). */
static wg_tensor *soft_cross_entropy_grad_vjp(wg_tensor *g, wg_tensor *u, int i)
{
    wg_tensor *dl = g->operand[0], *z = g->operand[1], *q = g->operand[2];
    if (i == 0)
        return wg_logits_sum(wg_mul(u, soft_cross_entropy_grad(wg_ones_like(dl), z, q)), false);
    wg_tensor *weight = wg_logits_column(dl);
    z = wg_logits_used(z, wg_logits_sum(wg_abs(q), true));
    if (i == 1) {
        weight = wg_mul(weight, wg_logits_sum(q, true));
        return wg_mul(wg_logits_softmax_times(z, u), weight);
    }
    return wg_neg(wg_mul(weight, wg_log_softmax_jvp(u, z, 1u << (z->shape.ndim - 1))));
}

static void soft_cross_entropy_grad_write_c(wg_c_writer *c, const wg_tensor *y,
                                            const wg_c_nest *row)
{
    const wg_tensor *z = y->operand[1];
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &z->shape, 1u << (z->shape.ndim - 1));
    wg_c_open(c, &rows);
    wg_c_line(c, "const %T scale = %a;", wg_c_at(&rows, NULL, 1).s);
    wg_softmax_write_soft(c, z, y->operand[2], &rows, &along, "scale * ");
    wg_c_close(c, &rows);
}

static const wg_op wg_op_soft_cross_entropy_grad = {
    .name = "soft_cross_entropy_grad",
    .formula = WG_OP_TEXT("dz = dl (sum_k q_k softmax(z) - q)"),
    .source = WG_OP_TEXT("Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.109"),
    .arity = 3,
    .flags = WG_OP_WIDE,
    .shape = soft_cross_entropy_grad_shape,
    .forward = soft_cross_entropy_grad_forward,
    .vjp = soft_cross_entropy_grad_vjp,
    .chunks = wg_logits_grad_chunks,
    .workspace = soft_cross_entropy_grad_workspace,
    .write_c = WG_WRITES_C(soft_cross_entropy_grad_write_c),
};

static wg_tensor *soft_cross_entropy_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *q)
{
    return wg_apply(&wg_op_soft_cross_entropy_grad, (wg_tensor *[]){dl, z, q}, 3, NULL);
}

wg_tensor *wg_soft_cross_entropy_rows(wg_tensor *z, wg_tensor *q)
{
    return wg_apply(&wg_op_soft_cross_entropy, (wg_tensor *[]){z, q}, 2, NULL);
}

const wg_op *const wg_ops_soft_cross_entropy[] = {
    &wg_op_soft_cross_entropy,
    &wg_op_soft_cross_entropy_grad,
    NULL,
};
