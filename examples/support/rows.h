#ifndef EXAMPLES_ROWS_H
#define EXAMPLES_ROWS_H

#include <wengert.h>

/* How a file of rows is read; zero: as it looks. Lists of names end with NULL; NULL: none are given. */
typedef struct rows_options {
    const char *format; /* csv, svmlight, idx, npy or npz; NULL: told from the file */
    bool no_label;
    bool f32, f64; /* f64: arrays of f32 are widened, too; neither: they are as stored */
    bool stream;   /* npy: rows are read when they are wanted, not held; see wg_npy_stream_open */
    const char *
        cache; /* csv: the file that they are then read from; see wg_csv_cache_open; NULL: they are held */
    const char *label;  /* csv: the column, default the last; npz: the array */
    const char *labels; /* idx, npy: the file of labels */

    /* Of csv alone: */
    const char *const *columns, *const *drop; /* the features to read; those to leave out */
    const char *const *categories;            /* columns of texts; NULL: told from the file */
    const char *const *missing_texts;         /* what is missing; NULL: as wg_csv_options says */
    wg_csv_missing missing;
    char separator; /* 0: told from the file */
    bool no_header; /* columns are x1, x2, ... */
    bool places;    /* the table says where its rows stand in the file */

    bool zero_based; /* svmlight: features count from 0 */
    int64_t width;   /* of sparse rows, others are left out; 0: as many as the file has */
} rows_options;

/* rows_read: a table, of svmlight files sparse rows and a table of their labels. They belong to the tape;
 * errors are there, too. */
wg_dataset rows_read(wg_tape *t, const char *path, const rows_options *options);

/* rows_streamed: are they read when they are wanted? */
bool rows_streamed(const rows_options *options);

/* rows_columns: both lists, which NULL ends, as one for option columns, so that others are left out; on the tape.
 * NULL where one is, or both are empty: the names are not known. */
const char *const *rows_columns(wg_tape *t, const char *const numbers[],
                                const char *const strings[]);

/* rows_sort_texts: so that they rise. rows_sort_column: the strings of a table's column, so, into text[rows].
 * rows_have_text: is it one of these, which rise? */
void rows_sort_texts(const char **text, size_t n);
void rows_sort_column(const wg_table *table, int64_t column, const char **text);
bool rows_have_text(const char *const *text, size_t n, const char *one);

/* rows_format: the option, or what the file looks like: "gzip" and "zip" are none that can be read. */
const char *rows_format(const char *path, const rows_options *options);

#endif
