#ifndef WG_MODELS_FILES_CENTER_INTERNAL_H
#define WG_MODELS_FILES_CENTER_INTERNAL_H

#include <stdint.h>

/* wg_mean_of, wg_median_of: of n >= 1 finite values, which the median sorts. */
double wg_mean_of(const double *values, int64_t n);
double wg_median_of(double *values, int64_t n);

#endif
