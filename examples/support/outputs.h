#ifndef EXAMPLES_OUTPUTS_H
#define EXAMPLES_OUTPUTS_H

#include <wengert.h>

/* outputs_finite: are these finite, a model's outputs of rows from `first` on? If not, the error is on the tape and
 * names the file, the row (not where first < 0: rows that are not numbered as the file's) and what was found; of the
 * part of the file's rows that `part` names ("test"), if it is not NULL. */
bool outputs_finite(const wg_tensor *Z, const char *file, const char *part, int64_t first);

/* outputs_part: rows `first` to first + n - 1, as a part of the whole, for as long as the tape is not rewound. */
wg_dataset outputs_part(wg_tape *t, const wg_dataset *rows, int64_t first, int64_t n);

/* outputs_rows: how many rows are a block: of what is computed of them, some MB. outputs_put: puts the rows y where they
 * stand among all, from `first` on. */
int64_t outputs_rows(const wg_estimator *e, const wg_dataset *rows);
void outputs_put(const wg_tensor *all, int64_t first, const wg_tensor *y);

/* outputs_of: the model's outputs of all rows of the file, finite, as a constant: block of rows by block of rows, so that
 * memory is for the layers of one block, and for the outputs. After an error, which is on the tape, inert. */
wg_tensor *outputs_of(const wg_estimator *e, const wg_dataset *rows, const char *file);

#endif
