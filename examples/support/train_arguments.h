#ifndef EXAMPLES_TRAIN_ARGUMENTS_H
#define EXAMPLES_TRAIN_ARGUMENTS_H

#include <wengert.h>

#include "options.h"
#include "rows.h"

/* The command line of train. */
typedef struct train_arguments {
    const char *data, *test_file;
    rows_options rows;
    const char *save, *plot, *confusion, *curve, *report; /* files to write; NULL: none */
    double test;                                          /* share of the rows */
    int64_t degree, threads, folds, memory;
    int64_t room; /* bytes that all rows' probabilities may take; by memory and the files */
    const char *missing;
    bool ignore_unknown, indicate, raw, quiet;
    bool fitting; /* the rows are read and split: what fails now is a fit */
    bool page;    /* there will be a report, of this rank or of another: all must train alike */
    option_list hidden, categories, columns, drop, missing_texts, C;
    wg_pipeline_step steps[4];
    wg_estimator_options e; /* of the data: nothing yet */
} train_arguments;

/* train_arguments_read: returns -1 to go on, or the exit status. What *a holds points into itself and argv. */
int train_arguments_read(int argc, char **argv, train_arguments *a);

#endif
