/* Probabilities against classes: log loss and the Brier score. */
#include "models/metrics/metrics.h"
#include "models/metrics/metrics_internal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>

/* p and its labels, binary or by class. */
typedef struct probability_data {
    const wg_tensor *p, *truth;
    int64_t rows, classes; /* classes = 1: binary, p is that of class 1 */
    double epsilon;
} probability_data;

static double probability_sum(const probability_data *d, int64_t row, double low, double high)
{
    double sum = 0;
    for (int64_t j = 0; j < d->classes; j++)
        sum += fmin(fmax(wg_element(d->p, row * d->classes + j), low), high);
    return sum;
}

static bool probability_rows_sum_to_one(const char *metric, const probability_data *d)
{
    for (int64_t i = 0; d->classes > 1 && i < d->rows; i++) {
        double sum = probability_sum(d, i, 0, 1);
        if (fabs(sum - 1) <= sqrt(d->epsilon))
            continue;
        wg_fail(d->p->tape, WG_E_VALUE, "%s: the probabilities of row %" PRId64 " sum to %g",
                metric, i, sum);
        return false;
    }
    return true;
}

static bool probability_fit(const char *metric, const wg_tensor *p, const wg_tensor *truth,
                            probability_data *d)
{
    if (!wg_metric_readable(metric, p, truth))
        return false;
    bool binary = wg_shape_same(&p->shape, &truth->shape);
    bool classes = p->shape.ndim == 2 && truth->shape.ndim == 1 && p->shape.dim[0] == truth->size;
    if (!binary && (!classes || p->shape.dim[1] < 2)) {
        wg_metric_fail(metric, WG_E_SHAPE, p, truth);
        return false;
    }
    *d = (probability_data){.p = p,
                            .truth = truth,
                            .rows = truth->size,
                            .classes = binary ? 1 : p->shape.dim[1],
                            .epsilon = p->dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON};
    return wg_metric_numbers(metric, p, 0, 1) &&
           wg_metric_labels(metric, truth, binary ? 2 : d->classes) &&
           probability_rows_sum_to_one(metric, d);
}

/* -log of the row's own probability, brought into [low, high] and divided by the row's sum. */
static double probability_log(const probability_data *d, int64_t row)
{
    double low = d->epsilon, high = 1 - d->epsilon;
    int64_t label = wg_metric_label(d->truth, row);
    if (d->classes == 1) {
        double p = fmin(fmax(wg_element(d->p, row), low), high);
        return -log(label == 1 ? p : 1 - p);
    }
    double p = fmin(fmax(wg_element(d->p, row * d->classes + label), low), high);
    return -log(p / probability_sum(d, row, low, high));
}

static double probability_square(const probability_data *d, int64_t row)
{
    int64_t label = wg_metric_label(d->truth, row);
    if (d->classes == 1) {
        double r = wg_element(d->p, row) - (double)label;
        return r * r;
    }
    double sum = 0;
    for (int64_t j = 0; j < d->classes; j++) {
        double r = wg_element(d->p, row * d->classes + j) - (j == label);
        sum += r * r;
    }
    return sum;
}

static double probability_mean(const char *metric, const wg_tensor *p, const wg_tensor *truth,
                               double (*loss)(const probability_data *d, int64_t row))
{
    probability_data d;
    if (!probability_fit(metric, p, truth, &d))
        return (double)NAN;
    double sum = 0;
    for (int64_t i = 0; i < d.rows; i++)
        sum += loss(&d, i);
    return sum / (double)d.rows;
}

double wg_log_loss(const wg_tensor *p, const wg_tensor *truth)
{
    return probability_mean("log_loss", p, truth, probability_log);
}

double wg_brier(const wg_tensor *p, const wg_tensor *truth)
{
    return probability_mean("brier", p, truth, probability_square);
}
