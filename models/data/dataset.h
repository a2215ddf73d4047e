#ifndef WG_MODELS_DATA_DATASET_H
#define WG_MODELS_DATA_DATASET_H

#include "models/files/table.h"
#include "ops/sparse.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rows, and what is to be predicted of them: what training and estimators take. Dense tensors,
 * sparse rows, or a table, whose columns and labels stand in for tensors that are NULL:
 *
 *     wg_fit(&model, &(wg_dataset){.X = X, .y = y}, NULL);
 *     wg_estimator_fit(&(wg_dataset){.table = wg_csv_read(t, "iris.csv", NULL)}, NULL);
 *     wg_estimator_fit(&(wg_dataset){.sparse = A, .table = labels}, NULL);    from wg_svmlight_read
 *
 * All on one tape. A dataset owns nothing. */
typedef struct wg_dataset {
    /* [n, ...], f32 or f64. Streamed rows (wg_streamed, wg_npy_stream_rows,
     * wg_csv_cache_open): wg_fit_minimize. */
    wg_tensor *X;
    wg_tensor *y; /* [n] classes, i64; or numbers [n], [n, k]; NULL: the table's labels, if any */
    const wg_csr *sparse; /* [n, d], instead of X */
    /* Names of columns; where X is NULL, its columns of numbers and strings; where y is NULL or one
     * of its tensors, its label and classes. */
    const wg_table *table;
} wg_dataset;

/* wg_dataset_rows: n; 0 for none. */
int64_t wg_dataset_rows(const wg_dataset *data);

/* wg_dataset_columns: d, columns of numbers and, of a table without X, of strings. */
int64_t wg_dataset_columns(const wg_dataset *data);

/* wg_dataset_take: the rows [m], i64, that `rows` names, in that order, repeated or not; those of a
 * wg_train_test_split, say. Errors: WG_E_INDEX (no such row), WG_E_DTYPE ..., on the tape; the
 * parts are then inert. */
wg_dataset wg_dataset_take(const wg_dataset *data, wg_tensor *rows);

#ifdef __cplusplus
}
#endif
#endif
