/* Metrics of numbers: root mean squared error, R^2. */
#include "models/metrics/metrics.h"

#include "models/metrics/metrics_internal.h"

#include <math.h>

static bool regression_fits(const char *metric, const wg_tensor *p, const wg_tensor *y)
{
    if (!wg_metric_readable(metric, p, y))
        return false;
    if (!wg_shape_same(&p->shape, &y->shape) || p->shape.ndim > 2)
        return wg_metric_fail(metric, WG_E_SHAPE, p, y);
    if (p->dtype == WG_I64 || y->dtype == WG_I64)
        return wg_metric_fail(metric, WG_E_DTYPE, p, y);
    return true;
}

/* The sum of (p - y)^2 over entries from `first` on, one in `stride`. */
static double regression_residual(const wg_tensor *p, const wg_tensor *y, int64_t first,
                                  int64_t stride)
{
    double sum = 0;
    for (int64_t i = first; i < y->size; i += stride) {
        double d = wg_element(p, i) - wg_element(y, i);
        sum += d * d;
    }
    return sum;
}

/* The sum of (y - mean)^2 of the same entries, in two passes. Shifted by the first one, so that
 * equal numbers give exactly 0. */
static double regression_spread(const wg_tensor *y, int64_t first, int64_t stride)
{
    double shift = wg_element(y, first), sum = 0, spread = 0;
    for (int64_t i = first; i < y->size; i += stride)
        sum += wg_element(y, i) - shift;
    const int64_t n = y->size / stride;
    double mean = sum / (double)n;
    for (int64_t i = first; i < y->size; i += stride) {
        double d = wg_element(y, i) - shift - mean;
        spread += d * d;
    }
    return spread;
}

double wg_rmse(const wg_tensor *predicted, const wg_tensor *truth)
{
    if (!regression_fits("rmse", predicted, truth))
        return (double)NAN;
    return sqrt(regression_residual(predicted, truth, 0, 1) / (double)truth->size);
}

double wg_r2(const wg_tensor *predicted, const wg_tensor *truth)
{
    if (!regression_fits("r2", predicted, truth) || truth->size == 0)
        return (double)NAN;
    int64_t columns = truth->shape.ndim == 2 ? truth->shape.dim[1] : 1;
    double sum = 0;
    for (int64_t j = 0; j < columns; j++) {
        double residual = regression_residual(predicted, truth, j, columns);
        double spread = regression_spread(truth, j, columns);
        double of_equal = residual > 0 ? 0 : 1 + residual; /* NaN stays NaN */
        sum += spread != 0 ? 1 - residual / spread : of_equal;
    }
    return sum / (double)columns;
}
