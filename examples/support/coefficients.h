#ifndef EXAMPLES_COEFFICIENTS_H
#define EXAMPLES_COEFFICIENTS_H

#include <wengert.h>

/* A linear model's weights, by the names of the columns that they weigh. */
typedef struct coefficients {
    int64_t columns, outputs; /* 0: a model with hidden layers, or columns without names */
    const char *const *name;  /* [columns]; strings are "colour=red" */
    const wg_tensor *W, *b;   /* [outputs, columns], [outputs] */
    int64_t *order;           /* [columns], the largest weights first */
} coefficients;

/* coefficients_of: on the estimator's tape. coefficients_print: the largest, with the intercepts.
 * coefficients_output: what output j is: a class, or the label. */
coefficients coefficients_of(wg_tape *t, const wg_estimator *e);
void coefficients_print(const coefficients *c, const wg_estimator *e);
const char *coefficients_output(const coefficients *c, const wg_estimator *e, int64_t j);

#endif
