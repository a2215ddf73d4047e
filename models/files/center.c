/* Mean and median: what takes the place of a missing number. */
#include "models/files/center_internal.h"

#include <stdlib.h>

/* The second sum takes back what the first one lost to rounding. */
double wg_mean_of(const double *values, int64_t n)
{
    double mean = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += values[i] - mean;
        mean += sum / (double)n;
    }
    return mean;
}

static int center_order(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double wg_median_of(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof *values, center_order);
    return n % 2 == 1 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
}
