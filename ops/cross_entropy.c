/* cross_entropy.c: softmax cross-entropy by rows, against labels, and its gradient, which is an op
 * itself. */
#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/cross_entropy_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/loss.h"
#include "ops/kernels/softmax.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/softmax_internal.h"

#include <stdio.h>

static wg_tensor *cross_entropy_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *labels,
                                     const wg_ignored_label *ignored);

/* ---- Rows ------------------------------------------------------------------------------------ */

int64_t wg_logits_classes(const wg_tensor *z)
{
    return z->shape.dim[z->shape.ndim - 1];
}

wg_shape wg_logits_rows(const wg_tensor *z)
{
    wg_shape rows = z->shape;
    rows.dim[--rows.ndim] = 0;
    return rows;
}

wg_tensor *wg_logits_sum(wg_tensor *x, bool keep)
{
    return wg_sum_over(x, WG_AXES(-1), keep);
}

wgk_rows wg_logits_lines(const wg_tensor *z)
{
    return wg_axes_rows(z, 1u << (z->shape.ndim - 1));
}

wg_tensor *wg_logits_column(wg_tensor *x)
{
    return wg_expand_dims(x, WG_AXES(-1));
}

bool wg_logits_fit(const wg_tensor *y, int i)
{
    const wg_tensor *z = y->operand[i];
    if (z->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "logits of f32 or f64 wanted (wg_cast converts)");
    if (z->shape.ndim == 0)
        return wg_op_fail(y, WG_E_SHAPE, "logits need an axis of classes");
    return true;
}

/* Labels of shape [...] that belong to logits [..., c]. */
static bool rows_labels_fit(const wg_tensor *y, const wg_tensor *z, const wg_tensor *labels)
{
    char text[WG_SHAPE_TEXT];
    wg_shape outer = wg_logits_rows(z);
    if (wg_shape_same(&labels->shape, &outer))
        return true;
    return wg_op_fail(y, WG_E_SHAPE, "one label for each row wanted, %s %s",
                      labels->size == wg_shape_size(&outer) ? "reshape the labels to"
                                                            : "labels of shape",
                      wg_shape_text(&outer, text, sizeof text));
}

bool wg_logits_grad_fits(wg_tensor *g)
{
    const wg_tensor *dl = g->operand[0], *z = g->operand[1];
    g->dtype = z->dtype;
    g->shape = z->shape;
    return rows_labels_fit(g, z, dl) &&
           (dl->dtype == z->dtype || wg_op_fail(g, WG_E_DTYPE, "dtypes do not fit"));
}

int64_t wg_logits_grad_chunks(const wg_tensor *g)
{
    return g->operand[0]->size;
}

size_t wg_logits_workspace(const wg_tensor *z, int count)
{
    const wgk_rows rows = wg_logits_lines(z);
    return wgk_softmax_workspace(&rows, wg_kernel_type(z), count);
}

wg_tensor *wg_logits_softmax_times(wg_tensor *z, wg_tensor *u)
{
    return wg_softmax_times(z, u, 1u << (z->shape.ndim - 1));
}

wg_tensor *wg_logits_used(wg_tensor *z, wg_tensor *used)
{
    return wg_where(used, z, wg_full(z->tape, z->dtype, WG_SCALAR, 0));
}

/* ---- cross_entropy: class indices ------------------------------------------------------------ */

static bool cross_entropy_shape(wg_tensor *l)
{
    const wg_tensor *z = l->operand[0], *labels = l->operand[1];
    if (!wg_logits_fit(l, 0))
        return false;
    if (labels->dtype != WG_I64)
        return wg_op_fail(l, WG_E_DTYPE, "class indices of i64 wanted (wg_cast converts)");
    if (!rows_labels_fit(l, z, labels))
        return false;
    l->dtype = z->dtype;
    l->shape = wg_logits_rows(z);
    return true;
}

static bool cross_entropy_check(const wg_tensor *l)
{
    const wg_tensor *z = l->operand[0];
    return wg_labels_check(l, l->operand[1], wg_logits_classes(z), l->attrs);
}

/* Few classes: rows are computed in groups, in their own type. Which way it is depends on the
 * number of classes alone. */
static bool cross_entropy_few(const wg_tensor *z)
{
    const int64_t classes = wg_logits_classes(z);
    return z->dtype != WG_WIDE && classes > 0 && classes <= WGK_LOSS_CLASSES;
}

static size_t cross_entropy_workspace(const wg_tensor *l)
{
    return cross_entropy_few(l->operand[0]) ? 0 : wg_logits_workspace(l->operand[0], 1);
}

/* Elements from i on, of an array that is not empty: there are rows, and classes. */
#define ROWS_AT(T, x, i) ((T *)(x)->data + (i))

static const int64_t *rows_ignored(const wg_ignored_label *ignored)
{
    return ignored->ignore ? &ignored->label : NULL;
}

static void cross_entropy_forward_few(const wg_tensor *l, const wg_piece *piece)
{
    const wg_tensor *z = l->operand[0];
    const int64_t i = piece->begin, rows = piece->end - i, classes = wg_logits_classes(z);
    const int64_t *label = ROWS_AT(int64_t, l->operand[1], i), *ignored = rows_ignored(l->attrs);
    if (z->dtype == WG_F32)
        wgk_cross_entropy_few_f32(rows, classes, ROWS_AT(float, z, i *classes), label, ignored,
                                  ROWS_AT(float, l, i));
    else
        wgk_cross_entropy_few_f64(rows, classes, ROWS_AT(double, z, i *classes), label, ignored,
                                  ROWS_AT(double, l, i));
}

static void cross_entropy_forward(const wg_tensor *l, const wg_piece *piece)
{
    const wg_tensor *z = l->operand[0];
    if (piece->begin == piece->end)
        return; /* NULL has no elements to point to */
    if (cross_entropy_few(z)) {
        cross_entropy_forward_few(l, piece);
        return;
    }
    const wgk_rows rows = wg_logits_lines(z);
    wgk_cross_entropy(&rows, wg_kernel_type(z), z->data, l->operand[1]->data,
                      rows_ignored(l->attrs), piece->begin, piece->end, l->data, piece->workspace);
}

static wg_tensor *cross_entropy_vjp(wg_tensor *l, wg_tensor *dl, int i)
{
    return i == 0 ? cross_entropy_grad(dl, l->operand[0], l->operand[1], l->attrs) : NULL;
}

/* Checks the labels and opens rows of z; in those of ignored labels y is 0, and no more is done. */
static void rows_write_open(wg_c_writer *c, const wg_tensor *z, const wg_tensor *labels,
                            const wg_ignored_label *ignored, wg_c_nest *rows, wg_c_nest *along)
{
    wg_c_check(c, labels, wg_logits_classes(z), rows_ignored(ignored));
    wg_c_rows(rows, along, &z->shape, 1u << (z->shape.ndim - 1));
    wg_c_open(c, rows);
    wg_c_line(c, "const %I label = %s;", wg_c_element(c, labels, wg_c_at(rows, NULL, 1).s).s);
    if (ignored->ignore)
        wg_c_line(c, "if (label != %i) {", ignored->label);
}

static void cross_entropy_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *z = y->operand[0];
    const wg_ignored_label *ignored = y->attrs;
    wg_c_nest rows, along;
    char at[600];
    (void)row;
    rows_write_open(c, z, y->operand[1], ignored, &rows, &along);
    if (z->size == 1) /* no index of z is named */
        wg_c_line(c, "(void)label;");
    const wg_text loss = wg_c_element(c, y, wg_c_at(&rows, NULL, 1).s);
    const wg_text shift = wg_softmax_write_top(c, z, &rows, &along);
    snprintf(at, sizeof at, "%s%slabel", rows.n_loops > 0 ? wg_c_at(&rows, NULL, 0).s : "",
             rows.n_loops > 0 ? " + " : "");
    wg_c_line(c, "%s = log1p%F(rest) - %s(%s, most);", loss.s, shift.s, wg_c_element(c, z, at).s);
    if (ignored->ignore) {
        wg_c_line(c, "} else {");
        wg_c_line(c, "%s = 0;", loss.s);
        wg_c_line(c, "}");
    }
    wg_c_close(c, &rows);
}

static const wg_op wg_op_cross_entropy = {
    .name = "cross_entropy",
    .formula = WG_OP_TEXT("l = log(sum_k exp(z_k)) - z_label"),
    .source = WG_OP_TEXT("Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.108"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_ignored_label),
    .describe = wg_label_describe,
    .shape = cross_entropy_shape,
    .check = cross_entropy_check,
    .forward = cross_entropy_forward,
    .vjp = cross_entropy_vjp,
    .chunks = wg_size,
    .workspace = cross_entropy_workspace,
    .write_c = WG_WRITES_C(cross_entropy_write_c),
};

/* ---- cross_entropy_grad(dl, z, labels) ------------------------------------------------------- */

static bool cross_entropy_grad_shape(wg_tensor *g)
{
    const wg_tensor *z = g->operand[1], *labels = g->operand[2];
    return wg_logits_fit(g, 1) &&
           (labels->dtype == WG_I64 || wg_op_fail(g, WG_E_DTYPE, "dtypes do not fit")) &&
           rows_labels_fit(g, z, labels) && wg_logits_grad_fits(g);
}

static bool cross_entropy_grad_check(const wg_tensor *g)
{
    const wg_tensor *z = g->operand[1];
    return wg_labels_check(g, g->operand[2], wg_logits_classes(z), g->attrs);
}

static size_t cross_entropy_grad_workspace(const wg_tensor *g)
{
    return cross_entropy_few(g) ? 0 : wg_logits_workspace(g, 1);
}

static void cross_entropy_grad_few(const wg_tensor *g, const wg_piece *piece)
{
    const wg_tensor *dl = g->operand[0], *z = g->operand[1];
    const int64_t i = piece->begin, rows = piece->end - i, classes = wg_logits_classes(z);
    const int64_t *label = ROWS_AT(int64_t, g->operand[2], i), *ignored = rows_ignored(g->attrs);
    if (z->dtype == WG_F32)
        wgk_cross_entropy_grad_few_f32(rows, classes, ROWS_AT(float, dl, i),
                                       ROWS_AT(float, z, i *classes), label, ignored,
                                       ROWS_AT(float, g, i *classes));
    else
        wgk_cross_entropy_grad_few_f64(rows, classes, ROWS_AT(double, dl, i),
                                       ROWS_AT(double, z, i *classes), label, ignored,
                                       ROWS_AT(double, g, i *classes));
}

static void cross_entropy_grad_forward(const wg_tensor *g, const wg_piece *piece)
{
    const wg_tensor *dl = g->operand[0], *z = g->operand[1];
    if (piece->begin == piece->end)
        return;
    if (cross_entropy_few(z)) {
        cross_entropy_grad_few(g, piece);
        return;
    }
    const wgk_rows rows = wg_logits_lines(z);
    wgk_cross_entropy_grad(&rows, wg_kernel_type(z), dl->data, z->data, g->operand[2]->data,
                           rows_ignored(g->attrs), piece->begin, piece->end, g->data,
                           piece->workspace);
}

/* g = dl*(softmax(z) - onehot); ignored rows are constant. */
static wg_tensor *cross_entropy_grad_vjp(wg_tensor *g, wg_tensor *dg, int i)
{
    wg_tensor *dl = g->operand[0], *z = g->operand[1], *labels = g->operand[2];
    const wg_ignored_label *ignored = g->attrs;
    if (i == 0)
        return wg_logits_sum(wg_mul(dg, cross_entropy_grad(wg_ones_like(dl), z, labels, ignored)),
                             false);
    if (i == 2)
        return NULL;
    wg_tensor *weight = wg_logits_column(dl);
    if (ignored->ignore) {
        wg_tensor *t = wg_smooth_labels(labels, z->dtype, wg_logits_classes(z), 0, ignored);
        wg_tensor *used = wg_logits_sum(t, true);
        weight = wg_mul(weight, used);
        z = wg_logits_used(z, used);
    }
    return wg_mul(wg_logits_softmax_times(z, dg), weight);
}

/* At the label the derivative is made of the others' terms: p - 1 would cancel. */
static void cross_entropy_grad_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *z = y->operand[1];
    const wg_ignored_label *ignored = y->attrs;
    wg_c_nest rows, along;
    (void)row;
    rows_write_open(c, z, y->operand[2], ignored, &rows, &along);
    const wg_text shift = wg_softmax_write_top(c, z, &rows, &along);
    wg_c_line(c, "const %T scale = %a;", wg_c_at(&rows, NULL, 1).s);
    wg_c_open(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0), number = wg_c_at(&along, NULL, 1);
    wg_c_line(c, "const %T term = exp%F(%s(%b, most));", shift.s, at.s);
    wg_c_line(c, "if (%s != label)", number.s);
    wg_c_line(c, "    %y = scale * (term / (1 + rest));", at.s);
    wg_c_line(c, "else");
    wg_c_line(
        c, "    %y = -scale * ((label == top ? rest + (1 - term) : 1 + rest - term) / (1 + rest));",
        at.s);
    wg_c_close(c, &along);
    if (ignored->ignore) {
        wg_c_line(c, "} else {");
        wg_c_open_one(c, &along);
        wg_c_line(c, "%y = 0;", at.s);
        wg_c_close_one(c, &along);
        wg_c_line(c, "}");
    }
    wg_c_close(c, &rows);
}

static const wg_op wg_op_cross_entropy_grad = {
    .name = "cross_entropy_grad",
    .formula = WG_OP_TEXT("dz = dl (softmax(z) - onehot(label))"),
    .notation = WG_OP_TEXT("cross_entropy_grad(u, z, l) = u * (softmax(z) - onehot(l))"),
    .source = WG_OP_TEXT("Bishop 2006, Pattern Recognition and Machine Learning, eq. 4.109"),
    .arity = 3,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_ignored_label),
    .describe = wg_label_describe,
    .shape = cross_entropy_grad_shape,
    .check = cross_entropy_grad_check,
    .forward = cross_entropy_grad_forward,
    .vjp = cross_entropy_grad_vjp,
    .chunks = wg_logits_grad_chunks,
    .workspace = cross_entropy_grad_workspace,
    .write_c = WG_WRITES_C(cross_entropy_grad_write_c),
};

static wg_tensor *cross_entropy_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *labels,
                                     const wg_ignored_label *ignored)
{
    return wg_apply(&wg_op_cross_entropy_grad, (wg_tensor *[]){dl, z, labels}, 3, ignored);
}

wg_tensor *wg_cross_entropy_rows(wg_tensor *z, wg_tensor *labels, const wg_ignored_label *ignored)
{
    return wg_apply(&wg_op_cross_entropy, (wg_tensor *[]){z, labels}, 2, ignored);
}

const wg_op *const wg_ops_cross_entropy[] = {&wg_op_cross_entropy, &wg_op_cross_entropy_grad, NULL};
