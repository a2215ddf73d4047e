/* sparse.h: products with a matrix A [rows, columns] in compressed sparse rows (CSR). Values are
 * floats of any type. What an addition of a sum loses is kept and added at the
 * end, so that the error does not grow with the number of terms; f32 products and sums are made in
 * double. An entry that is not stored takes no part: it is no factor 0 to an infinity. Results do
 * not depend on how the work is cut. */
#ifndef WG_OPS_KERNELS_SPARSE_H
#define WG_OPS_KERNELS_SPARSE_H

#include "ops/kernels/real.h"

typedef struct wgk_csr {
    int64_t rows;
    const int64_t *start;  /* [rows + 1]: row r has the entries start[r] to start[r + 1] - 1 */
    const int64_t *column; /* [entries]; rises within a row */
    const void *value;     /* [entries] */
} wgk_csr;

/* Rows [begin, end) of y [rows, k] = A b, b [columns, k]. */
void wgk_csr_times(const wgk_csr *a, wgk_type type, int64_t k, const void *b, int64_t begin,
                   int64_t end, void *y);

/* Rows [begin, end) of y [columns, k] = A^T b, b [rows, k]. Workspace: 2 k (end - begin) numbers
 * of the type that is computed in (wgk_real_size). */
void wgk_csr_transposed_times(const wgk_csr *a, wgk_type type, int64_t k, const void *b,
                              int64_t begin, int64_t end, void *y, void *workspace);

/* y[p] = sum_j u[r, j] v[c, j] for each entry p, in row r of [begin, end) and column c. a->value is
 * not read. u [rows, k], v [columns, k]. */
void wgk_csr_sampled(const wgk_csr *a, wgk_type type, int64_t k, const void *u, const void *v,
                     int64_t begin, int64_t end, void *y);

#endif
