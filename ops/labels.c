/* labels.c: class indices as targets: which are ignored, and their one-hot rows, smoothed or
 * not. */
#include <inttypes.h>
#include <stddef.h>

#include "autograd/compile/c_writer.h"
#include "autograd/wide.h"
#include "ops/cross_entropy_internal.h"
#include "ops/describe_internal.h"
#include "ops/index.h"

static bool labels_ignored(const wg_ignored_label *ignored, int64_t label)
{
    return ignored->ignore && label == ignored->label;
}

void wg_label_describe(const wg_tensor *y, char *text, size_t size)
{
    const wg_ignored_label *ignored = y->attrs;
    if (ignored->ignore)
        wg_describe_add(text, size, "ignored label %" PRId64, ignored->label);
}

bool wg_labels_check(const wg_tensor *y, const wg_tensor *labels, int64_t classes,
                     const wg_ignored_label *ignored)
{
    const int64_t *label = labels->data;
    for (int64_t i = 0; i < labels->size; i++)
        if ((label[i] < 0 || label[i] >= classes) && !labels_ignored(ignored, label[i]))
            return wg_op_fail(y, WG_E_INDEX,
                              "label %" PRId64 " at %" PRId64 " is none of %" PRId64 " classes",
                              label[i], i, classes);
    return true;
}

/* ---- one_hot, and smooth_labels, which leaves something for the other classes ---------------- */

typedef struct label_rows_attrs {
    wg_ignored_label ignored;
    int64_t classes;
    double smoothing;
    wg_dtype dtype; /* of the result */
    int32_t unused; /* 0: attributes have no padding */
} label_rows_attrs;

static bool label_rows_shape(wg_tensor *t)
{
    const label_rows_attrs *attrs = t->attrs;
    if (t->operand[0]->dtype != WG_I64)
        return wg_op_fail(t, WG_E_DTYPE, "class indices of i64 wanted (wg_cast converts)");
    if (t->operand[0]->shape.ndim == WG_MAX_DIMS)
        return wg_op_fail(t, WG_E_SHAPE, "the result would have more than %d axes", WG_MAX_DIMS);
    if (attrs->classes < 0)
        return wg_op_fail(t, WG_E_VALUE, "%" PRId64 " classes", attrs->classes);
    if (attrs->dtype == WG_I64 && attrs->smoothing != 0)
        return wg_op_fail(t, WG_E_VALUE, "integers cannot be smoothed");
    t->dtype = attrs->dtype;
    t->shape = t->operand[0]->shape;
    t->shape.dim[t->shape.ndim++] = attrs->classes;
    return wg_dtype_asked(t->tape, t->op->name, &t->dtype);
}

static bool smooth_labels_shape(wg_tensor *t)
{
    return label_rows_shape(t) &&
           (t->dtype != WG_I64 || wg_op_fail(t, WG_E_DTYPE, "f32 or f64 wanted"));
}

static bool label_rows_check(const wg_tensor *t)
{
    const label_rows_attrs *attrs = t->attrs;
    return wg_labels_check(t, t->operand[0], attrs->classes, &attrs->ignored);
}

/* Rows of T, made in REAL; without smoothing they are 0 and 1. */
#define LABEL_ROWS(T, REAL)                                                                        \
    for (int64_t i = piece->begin; i < piece->end; i++) {                                          \
        const REAL low = (REAL)attrs->smoothing / (REAL)c,                                         \
                   high = 1 - (REAL)attrs->smoothing + low;                                        \
        const bool ignored = labels_ignored(&attrs->ignored, label[i]);                            \
        for (int64_t k = 0; k < c; k++)                                                            \
            ((T *)t->data)[i * c + k] = (T)(ignored ? 0 : k == label[i] ? high : low);             \
    }

static void label_rows_forward(const wg_tensor *t, const wg_piece *piece)
{
    const label_rows_attrs *attrs = t->attrs;
    const int64_t *label = t->operand[0]->data, c = attrs->classes;
    if (t->dtype == WG_F32)
        LABEL_ROWS(float, double)
    else if (t->dtype == WG_F64)
        LABEL_ROWS(double, double)
    else if (t->dtype == WG_I64)
        LABEL_ROWS(int64_t, double)
#if WG_HAS_WIDE
    else
        LABEL_ROWS(wg_wide, wg_wide)
#endif
}

#undef LABEL_ROWS

static int64_t label_rows_chunks(const wg_tensor *t)
{
    return t->operand[0]->size;
}

static void smooth_labels_describe(const wg_tensor *y, char *text, size_t size)
{
    const label_rows_attrs *attrs = y->attrs;
    wg_describe_add(text, size, "smoothing %g", attrs->smoothing);
    wg_label_describe(y, text, size);
}

static void label_rows_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const label_rows_attrs *attrs = y->attrs;
    const double low = attrs->smoothing / (double)attrs->classes, high = 1 - attrs->smoothing + low;
    wg_c_nest rows, along;
    (void)row;
    wg_c_check(c, y->operand[0], attrs->classes,
               attrs->ignored.ignore ? &attrs->ignored.label : NULL);
    wg_c_rows(&rows, &along, &y->shape, 1u << (y->shape.ndim - 1));
    wg_c_open(c, &rows);
    wg_c_line(c, "const %I label = %a;", wg_c_at(&rows, NULL, 1).s);
    wg_c_open_one(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0), number = wg_c_at(&along, NULL, 1);
    if (attrs->ignored.ignore)
        wg_c_line(c, "%y = label == %i ? 0 : label == %s ? %N : %N;", at.s, attrs->ignored.label,
                  number.s, high, low);
    else if (attrs->smoothing == 0)
        wg_c_line(c, "%y = label == %s ? 1 : 0;", at.s, number.s);
    else
        wg_c_line(c, "%y = label == %s ? %N : %N;", at.s, number.s, high, low);
    wg_c_close_one(c, &along);
    wg_c_close(c, &rows);
}

static const wg_op wg_op_smooth_labels = {
    .name = "smooth_labels",
    .formula = WG_OP_TEXT("t_k = (1 - e) [k = label] + e/c, and 0 in ignored rows"),
    .source = WG_OP_TEXT("Szegedy et al. 2016, Rethinking the Inception architecture, sec. 7"),
    .arity = 1,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_WIDE,
    .attr_size = sizeof(label_rows_attrs),
    .describe = smooth_labels_describe,
    .dtype_attr = 1 + offsetof(label_rows_attrs, dtype),
    .shape = smooth_labels_shape,
    .check = label_rows_check,
    .forward = label_rows_forward,
    .chunks = label_rows_chunks,
    .write_c = WG_WRITES_C(label_rows_write_c),
};

wg_tensor *wg_smooth_labels(wg_tensor *labels, wg_dtype dtype, int64_t classes, double smoothing,
                            const wg_ignored_label *ignored)
{
    label_rows_attrs attrs = {*ignored, classes, smoothing, dtype, 0};
    return wg_apply(&wg_op_smooth_labels, &labels, 1, &attrs);
}

static const wg_op wg_op_one_hot = {
    .name = "one_hot",
    .formula = WG_OP_TEXT("y[.., c] = 1 if label[..] = c, else 0"),
    .arity = 1,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_WIDE,
    .attr_size = sizeof(label_rows_attrs),
    .dtype_attr = 1 + offsetof(label_rows_attrs, dtype),
    .shape = label_rows_shape,
    .check = label_rows_check,
    .forward = label_rows_forward,
    .chunks = label_rows_chunks,
    .write_c = WG_WRITES_C(label_rows_write_c),
};

wg_tensor *wg_one_hot(wg_tensor *labels, int64_t classes, wg_dtype dtype)
{
    const label_rows_attrs attrs = {{0, 0}, classes, 0, dtype, 0};
    return wg_apply(&wg_op_one_hot, &labels, 1, &attrs);
}

const wg_op *const wg_ops_labels[] = {&wg_op_smooth_labels, &wg_op_one_hot, NULL};
