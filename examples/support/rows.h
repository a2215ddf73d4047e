#ifndef EXAMPLES_ROWS_H
#define EXAMPLES_ROWS_H

#include <wengert.h>

/* Rows of data as train and predict take them: of a CSV file, or, by its ending (.svm, .svmlight, .libsvm), of an
 * svmlight file, which stays sparse. They belong to a tape; errors are there, too. */
typedef struct rows {
    wg_table *table; /* labels; of a CSV file, features, too */
    wg_csr *sparse;  /* features; NULL: the table's */
} rows;

typedef struct rows_options {
    const char *label; /* its column; NULL: the last one */
    bool no_label;
    const char *const *categories; /* columns of texts, ended by NULL; NULL: none */
    char separator;                /* of fields; 0: a comma */
    bool no_header;                /* columns are x1, x2, ... */
    bool drop_missing;             /* leave out rows in which a value is missing */
    bool f32;
    int64_t columns; /* of sparse rows; 0: as many as the file has */
} rows_options;

/* rows_are_sparse: by the file's name; options label, no_label, categories, separator, no_header and drop_missing are
 * then without meaning. */
bool rows_are_sparse(const char *path);
rows rows_read(wg_tape *t, const char *path, const rows_options *options);

/* rows_take: those that `which` [m] names. */
rows rows_take(const rows *all, const wg_tensor *which);

int64_t rows_count(const rows *r);
int64_t rows_columns(const rows *r); /* of numbers, of texts and sparse ones */

/* rows_fit: an estimator of them. rows_predict, rows_probabilities: classes [n], i64, and P [n, k].
 * rows_classes: the labels, as the estimator numbers them; -1: one that it does not know. */
wg_estimator *rows_fit(const rows *r, const wg_estimator_options *options);
wg_tensor *rows_predict(const wg_estimator *e, const rows *r);
wg_tensor *rows_probabilities(const wg_estimator *e, const rows *r);
wg_tensor *rows_classes(const wg_estimator *e, const rows *r);

#endif
