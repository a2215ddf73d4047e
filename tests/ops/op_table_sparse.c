/* Rows of the products with a sparse matrix: the dense product, entry by entry. */
#include "tests/ops/op_table.h"

#include "ops/registry.h"

#include <math.h>

/* Operands draw floats at random; a pattern must be right. Numbers of a variant: the rows, the
 * columns, is A transposed. Entries stand in a fixed pattern, row by row: (r, c) is there where r
 * + 2c is no multiple of 3, nothing being there in row 1. */
static bool sparse_there(int64_t r, int64_t c)
{
    return r != 1 && (r + 2 * c) % 3 != 0;
}

static void sparse_pattern(wg_tape *t, const int64_t *a, wg_tensor **start, wg_tensor **column)
{
    int64_t starts[64] = {0}, columns[512], n = 0;
    for (int64_t r = 0; r < a[0]; r++) {
        for (int64_t c = 0; c < a[1]; c++)
            if (sparse_there(r, c))
                columns[n++] = c;
        starts[r + 1] = n;
    }
    *start = wg_constant(t, WG_I64, WG_SHAPE(a[0] + 1), starts);
    *column = wg_constant(t, WG_I64, WG_SHAPE(n), columns);
}

/* value, b -> A b or A^T b */
static wg_tensor *record_csr_matmul(wg_tensor *const x[], int n, const int64_t *a)
{
    struct {
        int64_t columns, transpose;
    } attrs = {a[1], a[2]};
    wg_tensor *start, *column;
    (void)n;
    sparse_pattern(x[0]->tape, a, &start, &column);
    return wg_apply(wg_op_find("csr_matmul"), (wg_tensor *[]){x[0], start, column, x[1]}, 4,
                    &attrs);
}

static void reference_csr_matmul(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t k = x[1].shape.dim[1], entry = 0;
    wg_shape shape = {2, {a[2] ? a[1] : a[0], k}};
    (void)n;
    wgt_shape_set(y, &shape);
    for (int64_t r = 0; r < a[0]; r++)
        for (int64_t c = 0; c < a[1]; c++)
            if (sparse_there(r, c)) {
                int64_t to = a[2] ? c : r, from = a[2] ? r : c;
                for (int64_t j = 0; j < k; j++) {
                    long double term = x[0].value[entry] * x[1].value[from * k + j];
                    y->value[to * k + j] += term;
                    y->terms[to * k + j] += fabsl(term);
                }
                entry++;
            }
}

/* u, v -> u[r] . v[c] at the entries */
static wg_tensor *record_csr_sampled(wg_tensor *const x[], int n, const int64_t *a)
{
    wg_tensor *start, *column;
    (void)n;
    sparse_pattern(x[0]->tape, a, &start, &column);
    return wg_apply(wg_op_find("csr_sampled"), (wg_tensor *[]){start, column, x[0], x[1]}, 4, NULL);
}

static void reference_csr_sampled(const wgt_array x[], int n, const int64_t *a, wgt_array *y)
{
    int64_t k = x[0].shape.dim[1], entry = 0;
    wg_shape shape = {1, {0}};
    (void)n;
    for (int64_t r = 0; r < a[0]; r++)
        for (int64_t c = 0; c < a[1]; c++)
            if (sparse_there(r, c)) {
                for (int64_t j = 0; j < k; j++) {
                    long double term = x[0].value[r * k + j] * x[1].value[c * k + j];
                    y->value[entry] += term;
                    y->terms[entry] += fabsl(term);
                }
                entry++;
            }
    shape.dim[0] = entry;
    wgt_shape_set(y, &shape);
}

/* clang-format off */
/* Sums are compensated: what is left is the rounding of the products.
 * The number of entries is that of the pattern: 3x4 has 5, 1x2 has 1, 20x20 has 253. */
const wgt_row wgt_rows_sparse[] = {
    WGT_ROW(csr_matmul, 1, false, {"5 4x2", {3, 4, 0}}, {"5 3x2", {3, 4, 1}}, {"0 0x2", {0, 0, 0}},
            {"5 4x0", {3, 4, 0}}, {"1 2x2", {1, 2, 0}}, {"253 20x9", {20, 20, 0}},
            {"253 20x9", {20, 20, 1}}),
    WGT_ROW(csr_sampled, 1, false, {"3x2 4x2", {3, 4}}, {"0x2 0x2", {0, 0}}, {"3x0 4x0", {3, 4}},
            {"20x9 20x9", {20, 20}}),
    {.op = NULL},
};
/* clang-format on */
