/* softmax.h: softmax and its relatives on one row of n contiguous doubles, where they are. */
#ifndef WG_OPS_KERNELS_SOFTMAX_H
#define WG_OPS_KERNELS_SOFTMAX_H

#include <stdint.h>

/* What a row's terms exp(x - largest) come from. The sum of the terms is 1 + rest: `rest` leaves
 * out the term at `index`, so that 1 - softmax is accurate where one term is nearly all. */
typedef struct wgk_softmax_sum {
    double largest; /* NaN where the row has one */
    double rest;
    double total;  /* 1 + rest; 1 for a row of -inf alone, whose terms are all 0 */
    int64_t index; /* of the first largest entry; -1 where the row is empty */
} wgk_softmax_sum;

/* x[i] becomes x[i] - largest: 0 at +inf and -inf elsewhere where the largest is +inf; -inf where
 * all are -inf; NaN where one is NaN. Fills largest and index. */
wgk_softmax_sum wgk_softmax_shift(int64_t n, double *x);

/* x[i], already shifted, becomes exp(x[i]), between 0 and 1. Fills rest and total. */
void wgk_softmax_exp(wgk_softmax_sum *sum, int64_t n, double *x);

/* Both: x[i] becomes exp(x[i] - largest). */
wgk_softmax_sum wgk_softmax_terms(int64_t n, double *x);

/* x[i] becomes softmax(x)[i], log_softmax(x)[i]; terms is workspace of n doubles. */
void wgk_softmax(int64_t n, double *x);
void wgk_log_softmax(int64_t n, double *x, double *terms);

#endif
