#ifndef WG_MODELS_FILES_TABLE_H
#define WG_MODELS_FILES_TABLE_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a file may ask for; more is an error that names the limit. A few bytes of a stranger's file
 * can ask for gigabytes: `1 1000000000:1` for a billion weights, a column of ids for as many
 * classes. */
typedef struct wg_limits {
    int64_t columns; /* of sparse rows and of a CSV, >= 0; default 0: 2^17 or a fifth of the file's
                        bytes, whichever is more */
    int64_t classes; /* that wg_table_classes gives, >= 0; default 0: 1024 or a thousandth of the
                        file's bytes, whichever is more */
} wg_limits;

/* A data set in memory: rows of numbers and of strings (categories), and a label to each row.
 * Readers (wg_csv_read) make it. It and everything it holds belongs to the tape it was read on, and
 * goes with it. The members are to be read; the four tensors by the functions below, which say what
 * is wrong where there is none.
 *
 * After an error a reader returns an inert table: counts are 0, names "", lists empty or NULL. */
typedef struct wg_table {
    wg_tape *tape;
    const char *path;
    int64_t rows, columns, string_columns; /* columns: of numbers, without the label */
    const char *const *column_names;       /* [columns], and NULL behind the last */
    const char *const *string_names;       /* [string_columns], and NULL behind the last */
    const char *const *strings;            /* [rows, string_columns], row by row; NULL: none */

    /* How many values of a column were missing in the file, in rows that are here and in rows that
     * were left out; NULL: none. How many rows were left out. */
    const int64_t *missing, *string_missing; /* [columns], [string_columns] */
    int64_t dropped;

    /* How many values of the columns are integers beyond 2^53 that f64 rounded: of two ids of 19
     * digits it may make one. */
    int64_t rounded;

    /* How the file was read, so that others can be read alike: as wg_csv_read was asked to, but for
     * the columns and the label, which are above and below; NULL: no CSV file. */
    const struct wg_csv_options *csv;
    bool zero_based; /* of svmlight */
    char separator;  /* of CSV, as the file has it; 0: no CSV file */

    /* Where the header stands in the file (0, 0 where there is none), and behind it each row, where
     * wg_csv_options.places asked for it; NULL: nobody did, or only some rows were taken. */
    const struct wg_csv_place *places; /* [1 + rows] */

    /* Classes are the different labels in rising order; a name is the label as it first stands in
     * the file. Without a label column there are none, and the label's name is "". */
    const char *label_name;
    int64_t class_count, class_limit;
    const char *const *class_names; /* [class_count], and NULL behind the last */

    wg_tensor *features, *labels, *targets, *classes;
} wg_table;

/* wg_table_features: the columns of numbers that are not the label, a constant [rows, columns],
 * row-major, f64 (or f32 where the reader was asked for it). */
wg_tensor *wg_table_features(const wg_table *table);

/* wg_table_labels: the labels for a model with one output, a constant [rows, 1] of the features'
 * dtype. Two classes are 0 and 1 (-1 and 1, 2 and 4, "no" and "yes": the index of the class, whose
 * name is in class_names); numbers of any other count of classes are what they are.
 * Errors: WG_E_VALUE, on the tape: no label column; strings of more classes than two (these are for
 *   wg_table_classes). */
wg_tensor *wg_table_labels(const wg_table *table);

/* wg_table_targets: the labels as the numbers that stand in the file, for regression; a constant
 * [rows, 1] of the features' dtype.
 * Errors: WG_E_VALUE: no label column, or one that does not hold numbers alone. */
wg_tensor *wg_table_targets(const wg_table *table);

/* wg_table_classes: the index of each row's class, a constant [rows], i64, from 0 to
 * class_count - 1. Classes are the different labels in rising order: of their values if all are
 * numbers ("1" and "1.0" are one class; from 2^53 on, where doubles are not all integers, only the
 * same digits are), else of their bytes; scikit-learn sorts them so, too.
 * Errors: WG_E_VALUE, on the tape: no label column; more classes than the reader's limit. */
wg_tensor *wg_table_classes(const wg_table *table);

/* wg_class_find: which of these classes [n] is called `name`, or else is the same number, as
 * wg_table_classes tells them apart ("1" and "1.0" are one class); -1: none. */
int64_t wg_class_find(const char *const classes[], int64_t n, const char *name);

/* wg_table_of: a table of arrays, those of NPY or IDX files, say: X [n, ...] as columns x1, x2, ...
 * (i64 becomes f64; NaN is a missing value), and to each row a label y, [n] or [n, 1] of any dtype;
 * NULL: none. `name` stands for the file in messages; label_name may be NULL. Never NULL: after an
 * error (on the tape: WG_E_SHAPE, WG_E_NULL, WG_E_VALUE, a label that is not finite, WG_E_NOMEM)
 * the result is an inert table. */
wg_table *wg_table_of(const char *name, wg_tensor *X, const wg_tensor *y, const char *label_name);

/* wg_table_take: a table of the rows [m], i64, that `rows` names, in that order, repeated or not:
 * training and test rows of wg_train_test_split. Names, classes and counts of missing values are
 * those of the whole table, also where no row of a class was taken. Numbers are copied, unless the
 * rows follow one another; strings and names are shared.
 * Never NULL: after an error (on the tape: WG_E_INDEX, no such row; WG_E_SHAPE, WG_E_DTYPE,
 *   WG_E_STALE, WG_E_TAPE, WG_E_NULL, WG_E_NOMEM) the result is an inert table. */
wg_table *wg_table_take(const wg_table *table, const wg_tensor *rows);

#ifdef __cplusplus
}
#endif
#endif
