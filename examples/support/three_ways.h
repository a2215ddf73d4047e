#ifndef EXAMPLES_THREE_WAYS_H
#define EXAMPLES_THREE_WAYS_H

#include <wengert.h>

/* What logistic and softmax regression have in common; logistic regression has one column of weights. */
typedef struct job {
    wg_tensor *X, *classes; /* training rows: [n, d], i64 [n] */
    wg_tensor *param[2];    /* weights [d, k], biases [k] */
    wg_tensor *loss, *gradient[2];
} job;

/* check_three_ways: prints the gradient at the parameters' present values as the tape has it, by the closed
 * form X^T (P - Y) / n in long double, and by differences of the replayed loss, side by side for some
 * entries, and the largest differences over all of them. */
void check_three_ways(job *j);

#endif
