#ifndef EXAMPLES_ROWS_H
#define EXAMPLES_ROWS_H

#include <wengert.h>

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

/* rows_read: of a CSV file a table, or, by the file's ending (.svm, .svmlight, .libsvm), of an svmlight
 * file sparse rows, and a table of their labels. They belong to the tape; errors are there, too.
 * rows_are_sparse: by that ending, or by its first lines; options label, no_label, categories, separator, no_header and
 * drop_missing are then without meaning. */
wg_dataset rows_read(wg_tape *t, const char *path, const rows_options *options);
bool rows_are_sparse(const char *path);

#endif
