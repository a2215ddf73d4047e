/* Rows of cross-entropy's ops: the formulas, row by row. */
#include "tests/ops/op_table.h"

#include "ops/cross_entropy_internal.h"
#include "ops/registry.h"

#include <math.h>

/* Numbers of a variant: is a label ignored, and which. */
static wg_ignored_label loss_ignored(const int64_t *a)
{
    return (wg_ignored_label){a[0], a[1]};
}

static bool loss_ignores(const int64_t *a, long double label)
{
    return a[0] && (int64_t)label == a[1];
}

static int64_t loss_classes(const wgt_array *z)
{
    return z->shape.dim[z->shape.ndim - 1];
}

static wg_shape loss_rows(const wgt_array *z)
{
    wg_shape rows = z->shape;
    rows.dim[--rows.ndim] = 0;
    return rows;
}

/* log(sum exp z) of a row; 1 + max |z| is the size of what may cancel. */
static long double loss_logsumexp(const long double *z, int64_t c, long double *terms)
{
    long double sum = 0;
    *terms = 1;
    for (int64_t k = 0; k < c; k++) {
        sum += expl(z[k]);
        *terms = fmaxl(*terms, 1 + fabsl(z[k]));
    }
    return logl(sum);
}

/* ---- Class indices --------------------------------------------------------------------------- */

static wg_tensor *record_cross_entropy(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_ignored_label ignored = loss_ignored(a);
    return wg_apply(wg_op_find("cross_entropy"), x, n, &ignored);
}

static void reference_cross_entropy(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape rows = loss_rows(&x[0]);
    int64_t c = loss_classes(&x[0]);
    (void)n;
    wgt_shape_set(y, &rows);
    for (int64_t i = 0; i < y->size; i++) {
        const long double *z = x[0].value + i * c;
        if (!loss_ignores(a, x[1].value[i]))
            y->value[i] = loss_logsumexp(z, c, &y->terms[i]) - z[(int64_t)x[1].value[i]];
    }
}

static wg_tensor *record_cross_entropy_grad(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_ignored_label ignored = loss_ignored(a);
    return wg_apply(wg_op_find("cross_entropy_grad"), x, n, &ignored);
}

/* dl (softmax(z) - onehot(label)), from dl, z, labels */
static void reference_cross_entropy_grad(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t c = loss_classes(&x[1]);
    long double terms;
    (void)n;
    wgt_shape_set(y, &x[1].shape);
    for (int64_t i = 0; i < y->size; i++) {
        int64_t row = i / c, label = (int64_t)x[2].value[row];
        long double whole = loss_logsumexp(x[1].value + row * c, c, &terms);
        if (!loss_ignores(a, x[2].value[row]))
            y->value[i] = x[0].value[row] * (expl(x[1].value[i] - whole) - (i % c == label));
        y->terms[i] = fabsl(x[0].value[row]);
    }
}

/* ---- Soft labels q --------------------------------------------------------------------------- */

static wg_tensor *record_soft_cross_entropy(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n, (void)a;
    return wg_soft_cross_entropy_rows(x[0], x[1]);
}

static void reference_soft_cross_entropy(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape rows = loss_rows(&x[0]);
    int64_t c = loss_classes(&x[0]);
    long double size;
    (void)n, (void)a;
    wgt_shape_set(y, &rows);
    for (int64_t i = 0; i < y->size * c; i++) {
        long double whole = loss_logsumexp(x[0].value + i / c * c, c, &size);
        y->value[i / c] += x[1].value[i] * (whole - x[0].value[i]);
        y->terms[i / c] += fabsl(x[1].value[i]) * size;
    }
}

static wg_tensor *record_soft_cross_entropy_grad(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)a;
    return wg_apply(wg_op_find("soft_cross_entropy_grad"), x, n, NULL);
}

/* dl ((sum_k q_k) softmax(z) - q), from dl, z, q */
static void reference_soft_cross_entropy_grad(const wgt_array x[], int n, const int64_t *a,
                                              wgt_array *y)
{
    int64_t c = loss_classes(&x[1]);
    long double terms;
    (void)n, (void)a;
    wgt_shape_set(y, &x[1].shape);
    for (int64_t i = 0; i < y->size; i++) {
        int64_t row = i / c;
        long double total = 0, size = 0;
        for (int64_t k = 0; k < c; k++) {
            total += x[2].value[row * c + k];
            size += fabsl(x[2].value[row * c + k]);
        }
        long double whole = loss_logsumexp(x[1].value + row * c, c, &terms);
        y->value[i] = x[0].value[row] * (total * expl(x[1].value[i] - whole) - x[2].value[i]);
        y->terms[i] = fabsl(x[0].value[row]) * size;
    }
}

/* ---- smooth_labels (ignored, which, classes, dtype, smoothing in percent) -------------------- */

static wg_tensor *record_smooth_labels(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_ignored_label ignored = loss_ignored(a);
    (void)n;
    return wg_smooth_labels(x[0], (wg_dtype)a[3], a[2], (double)a[4] / 100, &ignored);
}

static void reference_smooth_labels(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    wg_shape shape = x[0].shape;
    long double e = (long double)a[4] / 100;
    (void)n;
    shape.dim[shape.ndim++] = a[2];
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        long double label = x[0].value[i / a[2]];
        if (!loss_ignores(a, label))
            y->value[i] = (1 - e) * (i % a[2] == (int64_t)label) + e / (long double)a[2];
    }
}

/* clang-format off */
const wgt_row wgt_rows_loss[] = {
    WGT_ROW(cross_entropy, 8, false, {"3x4 <4:3", {0}}, {"2x2x3 <3:2x2", {0}}, {"4 <4:.", {0}},
            {"4x3 <3:4", {1, 1}}, {"3x1 <1:3", {0}}, {"0x3 <3:0", {0}}, {"60x9 <9:60", {0}}),
    WGT_ROW(cross_entropy_grad, 8, false, {"3 3x4 <4:3", {0}}, {"2x2 2x2x3 <3:2x2", {0}},
            {". 4 <4:.", {0}}, {"4 4x3 <3:4", {1, 1}}, {"0 0x3 <3:0", {0}}, {"60 60x9 <9:60", {0}}),
    WGT_ROW(soft_cross_entropy, 8, false, {"3x4 3x4", {0}}, {"2x2x3 2x2x3", {0}}, {"4 4", {0}},
            {"2x3 =", {0}}, {"0x3 0x3", {0}}, {"60x9 60x9", {0}}),
    WGT_ROW(soft_cross_entropy_grad, 8, false, {"3 3x4 3x4", {0}}, {"2x2 2x2x3 2x2x3", {0}},
            {". 4 4", {0}}, {"2 2x3 =", {0}}, {"0 0x3 0x3", {0}}, {"60 60x9 60x9", {0}}),
    WGT_ROW(smooth_labels, 1.5, false, {"<3:4", {0, 0, 3, WG_F64, 10}},
            {"<3:4", {0, 0, 3, WG_F32, 10}}, {"<3:2x3", {1, 1, 3, WG_F64, 0}},
            {"<3:.", {0, 0, 4, WG_F32, 100}}, {"<3:0", {0, 0, 3, WG_F64, 10}}),
    {.op = NULL},
};
/* clang-format on */
