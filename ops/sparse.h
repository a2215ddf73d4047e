#ifndef WG_OPS_SPARSE_H
#define WG_OPS_SPARSE_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A matrix [rows, columns] of which only some entries are stored, in compressed sparse rows (CSR):
 * three constants on the tape. Entries that are not stored are zero, and take no part in products.
 * Rows larger than memory have value and column streamed (wg_svmlight_cache_open): wg_fit_minimize
 * and estimators take them, products do not.
 * It belongs to the tape. That of a failed builder has tensors that are NULL and sizes of 0; to
 * give it to another builder is safe, and gives the inert tensor. */
typedef struct wg_csr {
    wg_tensor *value;  /* [entries], f32 or f64, row by row */
    wg_tensor *start;  /* [rows + 1], i64: row r has the entries start[r] to start[r + 1] - 1 */
    wg_tensor *column; /* [entries], i64: rises within a row, no column twice */
    int64_t rows, columns;
} wg_csr;

/* wg_csr_new: a sparse matrix of f32 or f64 with copies of start [rows + 1], column [entries] and
 * value [entries], which are as above; entries is start[rows].
 * Never NULL. Errors, on the tape: WG_E_INDEX (start or column is not as above), WG_E_VALUE
 *   (negative sizes), WG_E_DTYPE, WG_E_NULL, WG_E_NOMEM. */
wg_csr *wg_csr_new(wg_tape *t, wg_dtype dtype, int64_t rows, int64_t columns, const int64_t *start,
                   const int64_t *column, const void *value);

/* wg_csr_none: the matrix that a failed builder returns. */
wg_csr *wg_csr_none(void);

/* wg_csr_take_rows: a new matrix of n rows, those of a that `row` [n] names, in that order,
 * repeated or not: part of a data set.   Errors: as wg_csr_new; WG_E_INDEX: there is no such
 * row. */
wg_csr *wg_csr_take_rows(const wg_csr *a, const int64_t *row, int64_t n);

/* wg_csr_load_rows: a new matrix, in memory, of n rows of a from row `first` on, read where they
 * are streamed.   Errors: as wg_csr_new; WG_E_INDEX: there are no such rows; WG_E_IO. */
wg_csr *wg_csr_load_rows(const wg_csr *a, int64_t first, int64_t n);

/* wg_csr_dense: the matrix with its zeros, a constant [rows, columns].   Errors: as wg_csr_new. */
wg_tensor *wg_csr_dense(const wg_csr *a);

/* wg_csr_matmul: y = A b, or, with transpose, y = A^T b; b is dense and of A's dtype.
 * Shape:  A (m, n) x (n, k) -> (m, k); transposed: A (m, n) x (m, k) -> (n, k).
 * Derivative:  db = A^T dy; transposed: db = A dy. The entries' values have one, too: dA[r, c] =
 * dy[r] . b[c].
 * Edges:  a row without entries gives zeros, even where b is infinite; a stored 0 times infinity is
 * NaN.
 *         Sums are compensated: their error does not grow with the number of entries.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_INDEX, WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM, on the
 * tape. */
wg_tensor *wg_csr_matmul(const wg_csr *a, bool transpose, wg_tensor *b);

#ifdef __cplusplus
}
#endif
#endif
