#ifndef WG_MODELS_DATA_DATASET_INTERNAL_H
#define WG_MODELS_DATA_DATASET_INTERNAL_H

#include "models/data/dataset.h"

/* wg_dataset_numbers: the data with X from the table where it has no X and no sparse rows of its
 * own.
 * wg_dataset_with_y: and y: the table's classes, or (numbers) its labels as numbers. */
wg_dataset wg_dataset_numbers(const wg_dataset *data);
wg_dataset wg_dataset_with_y(const wg_dataset *data, bool numbers);

/* wg_dataset_values: the tensor that has the rows' numbers, their dtype and their tape, of X or
 * sparse rows; may be NULL or inert. wg_dataset_tape: of whatever there is; NULL: there is
 * nothing. */
wg_tensor *wg_dataset_values(const wg_dataset *data);
wg_tape *wg_dataset_tape(const wg_dataset *data);

/* wg_dataset_finite: is every number finite, or, with `missing`, NaN? False, and WG_E_NOT_FINITE,
 * "who: row 3, column 2 (width) is nan", where one is not. wg_dataset_piece_finite: the same of x,
 * the values from row `first` on (of sparse rows: from that entry). */
bool wg_dataset_finite(const wg_dataset *data, bool missing, const char *who);
bool wg_dataset_piece_finite(const wg_dataset *data, const wg_tensor *x, int64_t first,
                             bool missing, const char *who);

#endif
