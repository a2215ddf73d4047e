#ifndef WG_MODELS_FILES_CSV_WRITE_H
#define WG_MODELS_FILES_CSV_WRITE_H

#include "models/files/table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Some columns of a file, side by side. */
typedef struct wg_csv_part {
    const wg_tensor *values;  /* [rows] or [rows, columns]; f32, f64 or i64 */
    const char *const *names; /* [columns]; NULL: x1, x2, ... by their place in the file */
    const char *const
        *strings; /* NULL: the numbers are written; else values (i64) are indices of these */
    int64_t n_strings;
} wg_csv_part;

typedef struct wg_csv_write_options {
    char separator; /* default 0: ','; not a quote, a line end or part of a number */
    bool no_header; /* default false: the first row holds the names */
} wg_csv_write_options;

/* wg_csv_write: n parts of the same number of rows as a file of comma-separated values, which
 * wg_csv_read reads. Options NULL: the defaults.
 *   Numbers are written with a point, whatever the locale, with as few digits as give the same bits
 *   back (f32: the same float); NaN as NaN, infinities as inf. Strings that hold separators, quotes, line
 *   ends or nothing, or that begin or end with a blank, are quoted. Lines end with LF.
 *   The file is written beside its destination and renamed: after an error, or a kill at any moment, it
 *   is what it was.
 * Returns the tape's status. Errors, on the tape: WG_E_IO, WG_E_NULL, WG_E_SHAPE (rows differ, ndim),
 *   WG_E_VALUE (options, n < 1), WG_E_DTYPE (strings wanted, but no i64), WG_E_INDEX (no such string),
 *   WG_E_STALE, WG_E_TAPE, WG_E_NOMEM.
 * Source: RFC 4180. */
wg_status wg_csv_write(wg_tape *t, const char *path, const wg_csv_part parts[], int n,
                       const wg_csv_write_options *options);

/* wg_csv_write_table: a table's columns of numbers, string columns and, in the last column, its labels.
 * Errors: as wg_csv_write. */
wg_status wg_csv_write_table(wg_tape *t, const char *path, const wg_table *table,
                             const wg_csv_write_options *options);

#ifdef __cplusplus
}
#endif
#endif
