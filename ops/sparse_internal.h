#ifndef WG_OPS_SPARSE_INTERNAL_H
#define WG_OPS_SPARSE_INTERNAL_H

#include "ops/sparse.h"

/* wg_sparse_wrong: why start [rows + 1] and column [entries] are no pattern, and at which index of
 * which; NULL where they are one. */
const char *wg_sparse_wrong(int64_t rows, int64_t columns, int64_t entries, const int64_t *start,
                            const int64_t *column, int64_t *at);

/* wg_sparse_matmul: y = A b, or A' b, with A of `columns` columns. */
wg_tensor *wg_sparse_matmul(wg_tensor *value, wg_tensor *start, wg_tensor *column, int64_t columns,
                            bool transpose, wg_tensor *b);

#endif
