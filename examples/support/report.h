#ifndef EXAMPLES_REPORT_H
#define EXAMPLES_REPORT_H

#include <wengert.h>

#include "coefficients.h"
#include "summary.h"
#include "train_arguments.h"

/* A training and its results as one HTML page that needs no network. */
typedef struct report {
    const train_arguments *arguments;
    const wg_estimator *estimator;
    const wg_dataset *data; /* all rows */
    const judged *trained;
    const judged *tested; /* NULL: none */
    const coefficients *weights;
} report;

/* report_write: returns whether the file was written; prints why not. */
bool report_write(const char *path, const report *r);

#endif
