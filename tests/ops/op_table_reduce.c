/* Rows of the ops that work along axes, and of the matrix product: naive loops. */
#include "tests/ops/op_table.h"

#include "ops/axes_internal.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/softmax.h"
#include "tests/support/support.h"

#include <math.h>

/* ---- Along axes: a[0] holds the axes as bits, a[1] says whether they are kept ---------------- */

enum { ALONG_MOST = 2048 };

/* The entries that share entry i's place on all axes but those of the mask, in order: how many. */
static int64_t along(const wgt_array *x, uint32_t mask, const int64_t *place, long double *row,
                     int64_t *number)
{
    int64_t own[WG_MAX_DIMS], n = 0;
    for (int64_t i = 0; i < x->size; i++) {
        bool same = true;
        wgt_place_of(&x->shape, i, own);
        for (int axis = 0; axis < x->shape.ndim; axis++)
            same = same && ((mask >> axis & 1u) || own[axis] == place[axis]);
        if (same) {
            number[n] = i;
            row[n++] = x->value[i];
        }
    }
    return n;
}

/* What a reduction makes of a row; *terms is the size of what it adds up. */
typedef long double along_value(const long double *row, int64_t n, long double *terms);

static void along_reduce(const wgt_array *x, const int64_t *a, along_value *value, wgt_array *y)
{
    static _Thread_local long double row[ALONG_MOST];
    static _Thread_local int64_t number[ALONG_MOST];
    uint32_t mask = (uint32_t)a[0];
    wg_shape left = x->shape, shape = {0}; /* left: the axes reduced have size 1 */
    int64_t place[WG_MAX_DIMS];
    for (int axis = 0; axis < left.ndim; axis++) {
        bool reduced = mask >> axis & 1u;
        left.dim[axis] = reduced ? 1 : left.dim[axis];
        if (!reduced || a[1])
            shape.dim[shape.ndim++] = left.dim[axis];
    }
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&left, i, place);
        y->value[i] = value(row, along(x, mask, place, row, number), &y->terms[i]);
    }
}

/* The same for ops whose result has x's shape: entry k of what they make of a row. */
typedef long double along_entry(const long double *row, int64_t n, int64_t k);

static void along_replace(const wgt_array *x, uint32_t mask, along_entry *entry, wgt_array *y)
{
    static _Thread_local long double row[ALONG_MOST];
    static _Thread_local int64_t number[ALONG_MOST];
    int64_t place[WG_MAX_DIMS];
    wgt_shape_set(y, &x->shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&x->shape, i, place);
        int64_t n = along(x, mask, place, row, number), k = 0;
        while (number[k] != i)
            k++;
        y->value[i] = entry(row, n, k);
    }
}

/* The op of that name over the axes. */
static wg_tensor *record_along(const char *op, wg_tensor *const x[], const int64_t *a)
{
    wg_axes_attrs attrs = {(uint32_t)a[0], (uint32_t)a[1]};
    const wg_op *found = wg_op_find(op);
    return wg_apply(found, x, found->arity, &attrs);
}

static long double sum_value(const long double *row, int64_t n, long double *terms)
{
    wgt_sum sum = {0};
    (void)terms;
    for (int64_t i = 0; i < n; i++)
        wgt_sum_add(&sum, row[i]);
    return wgt_sum_value(&sum);
}

static long double mean_value(const long double *row, int64_t n, long double *terms)
{
    return sum_value(row, n, terms) / (long double)n;
}

static long double amax_value(const long double *row, int64_t n, long double *terms)
{
    long double largest = row[0];
    (void)terms;
    for (int64_t i = 1; i < n; i++)
        largest = row[i] > largest ? row[i] : largest;
    return largest;
}

static long double amin_value(const long double *row, int64_t n, long double *terms)
{
    long double smallest = row[0];
    (void)terms;
    for (int64_t i = 1; i < n; i++)
        smallest = row[i] < smallest ? row[i] : smallest;
    return smallest;
}

static long double place_of(const long double *row, long double value)
{
    int64_t i = 0;
    while (row[i] != value)
        i++;
    return (long double)i;
}

static long double argmax_value(const long double *row, int64_t n, long double *terms)
{
    return place_of(row, amax_value(row, n, terms));
}

static long double argmin_value(const long double *row, int64_t n, long double *terms)
{
    return place_of(row, amin_value(row, n, terms));
}

static long double norm2_value(const long double *row, int64_t n, long double *terms)
{
    long double sum = 0;
    (void)terms;
    for (int64_t i = 0; i < n; i++)
        sum += row[i] * row[i];
    return sqrtl(sum);
}

/* The result is a maximum plus a logarithm, which may cancel. */
static long double logsumexp_value(const long double *row, int64_t n, long double *terms)
{
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += expl(row[i]);
    *terms = n > 0 ? fabsl(amax_value(row, n, terms)) + 1 : 0;
    return logl(sum);
}

#define ALONG(op)                                                                                  \
    static wg_tensor *record_##op(wg_tensor *const x[], int n, const int64_t *a)                   \
    {                                                                                              \
        (void)n;                                                                                   \
        return record_along(#op, x, a);                                                            \
    }
#define REDUCTION(op)                                                                              \
    ALONG(op)                                                                                      \
    static void reference_##op(const wgt_array x[], int n, const int64_t *a, wgt_array *y)         \
    {                                                                                              \
        (void)n;                                                                                   \
        along_reduce(x, a, op##_value, y);                                                         \
    }
#define REPLACEMENT(op)                                                                            \
    ALONG(op)                                                                                      \
    static void reference_##op(const wgt_array x[], int n, const int64_t *a, wgt_array *y)         \
    {                                                                                              \
        (void)n;                                                                                   \
        along_replace(x, (uint32_t)a[0], op##_entry, y);                                           \
    }

/* The sum of the exp(x_i) other than exp(x_k), over exp(x_k). */
static long double others(const long double *row, int64_t n, int64_t k)
{
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += i != k ? expl(row[i] - row[k]) : 0;
    return sum;
}

static long double softmax_entry(const long double *row, int64_t n, int64_t k)
{
    return 1 / (1 + others(row, n, k));
}

static long double log_softmax_entry(const long double *row, int64_t n, int64_t k)
{
    return -log1pl(others(row, n, k));
}

/* 1 at the largest entry, of which there is one. */
static long double tie_share_entry(const long double *row, int64_t n, int64_t k)
{
    long double terms;
    return row[k] == amax_value(row, n, &terms);
}

REDUCTION(sum)
REDUCTION(mean)
REDUCTION(amax)
REDUCTION(amin)
REDUCTION(argmax)
REDUCTION(argmin)
REDUCTION(norm2)
REDUCTION(logsumexp)
REPLACEMENT(softmax)
REPLACEMENT(log_softmax)

/* tie_share(x, amax(x)) */
static wg_tensor *record_tie_share(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return record_along("tie_share", (wg_tensor *[]){x[0], record_along("amax", x, a)}, a);
}

static void reference_tie_share(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    (void)n;
    along_replace(x, (uint32_t)a[0], tie_share_entry, y);
}

/* log_softmax_jvp: sum_j p_j (u_i - u_j);  log_softmax_vjp: v_i (1 - p_i) - p_i sum_(j != i)
 * v_j. */
static void along_pair(const wgt_array x[], const int64_t *a, bool transposed, wgt_array *y)
{
    static _Thread_local long double row[ALONG_MOST];
    static _Thread_local int64_t number[ALONG_MOST];
    int64_t place[WG_MAX_DIMS];
    wgt_shape_set(y, &x[1].shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&y->shape, i, place);
        int64_t n = along(&x[1], (uint32_t)a[0], place, row, number), k = 0;
        while (number[k] != i)
            k++;
        const long double u = x[0].value[i], p = softmax_entry(row, n, k);
        for (int64_t j = 0; j < n; j++) {
            const long double v = x[0].value[number[j]], pj = softmax_entry(row, n, j);
            const long double term = transposed ? (j == k ? 0 : u * pj - p * v) : pj * (u - v);
            y->value[i] += term;
            y->terms[i] += transposed ? fabsl(u * pj) + fabsl(p * v) : pj * (fabsl(u) + fabsl(v));
        }
    }
}

ALONG(log_softmax_jvp)
ALONG(log_softmax_vjp)

static void reference_log_softmax_jvp(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    (void)n;
    along_pair(x, a, false, y);
}

static void reference_log_softmax_vjp(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    (void)n;
    along_pair(x, a, true, y);
}

/* clang-format off */
#define PAIRS {"4 4", {1}}, {"2x3 2x3", {3}}, {"2x3 2x3", {1}}, {"2x3x2 2x3x2", {5}}, {". .", {0}}, \
              {"3 3", {0}}, {"2x0 2x0", {1}}, {"20x40 20x40", {2}}, {"130x3 130x3", {2}}, {"3x70 3x70", {1}}
#define SOME {"4", {1}}, {"2x3", {3}}, {"2x3", {1, 1}}, {"2x3", {2}}, {"2x3x2", {2, 1}},           \
             {"2x3x2", {5}}, {".", {0}}, {"3", {0}}, {"2x0", {1}}, {"0x3", {2, 1}},                \
             {"40x20", {1}}, {"20x40", {2}}, {"900", {1}}, {"130x3", {2}}, {"2x3x70", {2}}
#define MORE SOME, {"0", {1}}, {"0x3", {1, 1}}, {"2x0", {3}} /* these reduce nothing to something */

/* Sums are compensated, or made in double for f32: they are rounded once, and the division of a
 * mean once more. Softmax and the like are made from exp of differences (4, and 2 for the
 * difference), a sum and a quotient or a logarithm. */
const wgt_row wgt_rows_reduce[] = {
    WGT_ROW(sum, 0.5, true, MORE),
    WGT_ROW(mean, 1, false, SOME),
    WGT_ROW(amax, 0, true, SOME),
    WGT_ROW(amin, 0, true, SOME),
    WGT_ROW(argmax, 0, true, SOME),
    WGT_ROW(argmin, 0, true, SOME),
    WGT_ROW(norm2, 2, false, MORE),
    WGT_ROW(logsumexp, 8, false, MORE),
    WGT_ROW(tie_share, 0, false, SOME),
    WGT_ROW(softmax, 8, false, SOME),
    WGT_ROW(log_softmax, 8, false, SOME),
    WGT_ROW(log_softmax_jvp, 8, false, PAIRS),
    WGT_ROW(log_softmax_vjp, 8, false, PAIRS),
    {.op = NULL},
};
/* clang-format on */

/* ---- matmul (is the first, is the second transposed) ----------------------------------------- */

static wg_tensor *record_matmul(wg_tensor *const x[], int n, const int64_t *a)
{
    (void)n;
    return wg_matmul_t(x[0], a[0] != 0, x[1], a[1] != 0);
}

/* An operand of one axis as a matrix. */
static wgt_array matmul_matrix(const wgt_array *x, bool left)
{
    wgt_array m = *x;
    if (m.shape.ndim == 1)
        m.shape = (wg_shape){2, {left ? 1 : x->size, left ? x->size : 1}};
    return m;
}

/* Entry (i, j) of the operand's matrix that belongs to place `batch` of the result. */
static long double matmul_entry(const wgt_array *x, bool transposed, const int64_t *batch, int ndim,
                                int64_t i, int64_t j)
{
    int64_t place[WG_MAX_DIMS];
    int own = x->shape.ndim, missing = ndim - own;
    for (int axis = 0; axis < own - 2; axis++)
        place[axis] = x->shape.dim[axis] == 1 ? 0 : batch[axis + missing];
    place[own - 2] = transposed ? j : i;
    place[own - 1] = transposed ? i : j;
    return x->value[wgt_number_of(&x->shape, place)];
}

/* The result with both of its matrix axes; those of vectors are left out at the end. */
static wg_shape matmul_shape_of(const wgt_array *l, const wgt_array *r, bool tl, bool tr)
{
    wg_shape a = l->shape, b = r->shape, shape = {0};
    a.ndim -= 2;
    b.ndim -= 2;
    int64_t rows = a.dim[a.ndim + tl], columns = b.dim[b.ndim + !tr];
    for (int i = a.ndim; i < WG_MAX_DIMS; i++)
        a.dim[i] = 0;
    for (int i = b.ndim; i < WG_MAX_DIMS; i++)
        b.dim[i] = 0;
    wg_shape_broadcast(&a, &b, &shape);
    shape.dim[shape.ndim++] = rows;
    shape.dim[shape.ndim++] = columns;
    return shape;
}

static void reference_matmul(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    bool tl = a[0] != 0 && x[0].shape.ndim > 1, tr = a[1] != 0 && x[1].shape.ndim > 1;
    wgt_array l = matmul_matrix(&x[0], true), r = matmul_matrix(&x[1], false);
    wg_shape shape = matmul_shape_of(&l, &r, tl, tr), out = {0};
    int64_t place[WG_MAX_DIMS], inner = l.shape.dim[l.shape.ndim - 1 - tl];
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t i = 0; i < y->size; i++) {
        wgt_place_of(&shape, i, place);
        for (int64_t k = 0; k < inner; k++) {
            long double term = matmul_entry(&l, tl, place, shape.ndim, place[shape.ndim - 2], k) *
                               matmul_entry(&r, tr, place, shape.ndim, k, place[shape.ndim - 1]);
            y->value[i] += term;
            y->terms[i] += fabsl(term);
        }
    }
    for (int i = 0; i < shape.ndim; i++)
        if (!(i == shape.ndim - 2 && x[0].shape.ndim == 1) &&
            !(i == shape.ndim - 1 && x[1].shape.ndim == 1))
            out.dim[out.ndim++] = shape.dim[i];
    y->shape = out;
}

/* clang-format off */
/* A sum of k terms in any order: k units of 2^-53 for each of the terms' sizes; k is 40 at most
 * here. */
const wgt_row wgt_rows_matmul[] = {
    WGT_ROW(matmul, 20, false, {"2x3 3x2", {0, 0}}, {"3x2 3x2", {1, 0}}, {"2x3 2x3", {0, 1}},
            {"3x2 2x3", {1, 1}}, {"2x3 3", {0}}, {"3 3x2", {0}}, {"3 3", {0}}, {"3 =", {0}},
            {"2x2 =", {0}}, {"2x2 =", {1, 0}}, {"2x1x3 3x2", {0}}, {"2x2x2 2x2x2", {0}},
            {"2x1x2x2 2x2x1", {0}}, {"2x2x2 2", {0}}, {"2 2x2x2", {0}}, {"2x3x2 2x3", {1, 1}},
            {"2x2 2x3x2", {1, 1}}, {"0x3 3x2", {0}}, {"2x0 0x3", {0}}, {"2x3 3x0", {0}},
            {"0x2x2 2x2", {0}}, {"70x40 40x50", {0}}, {"40x70 50x40", {1, 1}},
            {"3x20x40 3x40x11", {0}}),
    {.op = NULL},
};
/* clang-format on */
