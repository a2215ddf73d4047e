/* softmax.c: softmax and log_softmax of one row. */
#include "ops/kernels/softmax.h"

#include <math.h>

#include "ops/kernels/reduce.h"
#include "ops/kernels/vector_math.h"

/* The index of the first largest entry, or of the first NaN; -1 for n = 0. */
static int64_t softmax_top(int64_t n, const double *x)
{
    int64_t index = n > 0 ? 0 : -1;
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return i;
        if (x[i] > x[index])
            index = i;
    }
    return index;
}

wgk_softmax_sum wgk_softmax_shift(int64_t n, double *x)
{
    wgk_softmax_sum sum = {0, 0, 1, softmax_top(n, x)};
    if (n == 0)
        return sum;
    sum.largest = x[sum.index];
    if (sum.largest == HUGE_VAL) /* inf - inf would be NaN */
        for (int64_t i = 0; i < n; i++)
            x[i] = x[i] == HUGE_VAL ? 0 : -HUGE_VAL;
    else if (sum.largest != -HUGE_VAL)
        for (int64_t i = 0; i < n; i++)
            x[i] -= sum.largest;
    return sum;
}

void wgk_softmax_exp(wgk_softmax_sum *sum, int64_t n, double *x)
{
    if (n == 0)
        return;
    wgk_tile_exp_f64(n, x);
    double top = x[sum->index]; /* 1; 0 where all are -inf; or NaN */
    x[sum->index] = 0;
    sum->rest = wgk_sum(n, x);
    x[sum->index] = top;
    sum->total = isnan(top) ? top : 1 + sum->rest;
}

wgk_softmax_sum wgk_softmax_terms(int64_t n, double *x)
{
    wgk_softmax_sum sum = wgk_softmax_shift(n, x);
    wgk_softmax_exp(&sum, n, x);
    return sum;
}

void wgk_softmax(int64_t n, double *x)
{
    wgk_softmax_sum sum = wgk_softmax_terms(n, x);
    for (int64_t i = 0; i < n; i++)
        x[i] /= sum.total;
}

void wgk_log_softmax(int64_t n, double *x, double *terms)
{
    wgk_softmax_sum sum = wgk_softmax_shift(n, x);
    for (int64_t i = 0; i < n; i++)
        terms[i] = x[i];
    wgk_softmax_exp(&sum, n, terms);
    double log_total = log1p(sum.rest); /* NaN where rest is */
    for (int64_t i = 0; i < n; i++)
        x[i] -= log_total;
}
