/* Metrics of classes and of numbers, and what all metrics check and read. */
#include "models/metrics/metrics.h"

#include "models/metrics/metrics_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

bool wg_metric_fail(const char *metric, wg_status status, const wg_tensor *a, const wg_tensor *b)
{
    wg_fail(a->tape, status, "%s: %s: %s %s, %s %s", metric, wg_status_text(status),
            wg_tensor_text(a).s, wg_dtype_name(a->dtype), wg_tensor_text(b).s,
            wg_dtype_name(b->dtype));
    return false;
}

bool wg_metric_readable(const char *metric, const wg_tensor *a, const wg_tensor *b)
{
    if (wg_is_inert(a) || wg_is_inert(b)) {
        const wg_tensor *one = wg_is_inert(a) ? b : a;
        wg_fail(one != NULL ? one->tape : NULL, WG_E_NULL, "%s: of an inert tensor", metric);
        return false;
    }
    if (a->tape != b->tape)
        return wg_metric_fail(metric, WG_E_TAPE, a, b);
    if (a->data == NULL || b->data == NULL)
        return wg_metric_fail(metric, WG_E_NULL, a, b);
    if (wg_is_stale(a) || wg_is_stale(b))
        return wg_metric_fail(metric, WG_E_STALE, a, b);
    return true;
}

int64_t wg_metric_label(const wg_tensor *y, int64_t i)
{
    return y->dtype == WG_I64 ? ((const int64_t *)y->data)[i] : (int64_t)wg_element(y, i);
}

bool wg_metric_labels(const char *metric, const wg_tensor *y, int64_t below)
{
    for (int64_t i = 0; i < y->size; i++) {
        double value = wg_element(y, i);
        bool in_range = value >= 0 && value < 0x1p63 && value == floor(value);
        if (in_range && wg_metric_label(y, i) < below)
            continue;
        wg_fail(y->tape, WG_E_INDEX, "%s: label %g at place %" PRId64 ", but %" PRId64 " classes",
                metric, value, i, below);
        return false;
    }
    return true;
}

bool wg_metric_numbers(const char *metric, const wg_tensor *x, double low, double high)
{
    if (x->dtype == WG_I64) {
        wg_fail(x->tape, WG_E_DTYPE, "%s: f32 or f64 wanted: %s is i64", metric,
                wg_tensor_text(x).s);
        return false;
    }
    for (int64_t i = 0; i < x->size; i++) {
        double value = wg_element(x, i);
        if (value >= low && value <= high)
            continue;
        wg_fail(x->tape, WG_E_VALUE, "%s: %g at place %" PRId64 " of %s", metric, value, i,
                wg_tensor_text(x).s);
        return false;
    }
    return true;
}

/* ---- Classes. -------------------------------------------------------------------------------- */

double wg_accuracy(const wg_tensor *predicted, const wg_tensor *truth)
{
    if (!wg_metric_readable("accuracy", predicted, truth))
        return (double)NAN;
    if (!wg_shape_same(&predicted->shape, &truth->shape) || predicted->dtype != truth->dtype) {
        bool same = wg_shape_same(&predicted->shape, &truth->shape);
        wg_metric_fail("accuracy", same ? WG_E_DTYPE : WG_E_SHAPE, predicted, truth);
        return (double)NAN;
    }
    int64_t hits = 0;
    for (int64_t i = 0; i < predicted->size; i++)
        hits += predicted->dtype == WG_I64
                    ? ((const int64_t *)predicted->data)[i] == ((const int64_t *)truth->data)[i]
                    : wg_element(predicted, i) == wg_element(truth, i);
    return (double)hits / (double)predicted->size;
}

/* How many of the c scores stand before that of class `own`. */
static int64_t metrics_rank(const wg_tensor *scores, int64_t row, int64_t own)
{
    int64_t c = scores->shape.dim[1], before = 0;
    double score = wg_element(scores, row * c + own);
    for (int64_t j = 0; j < c; j++) {
        double other = wg_element(scores, row * c + j);
        before += other > score || (other == score && j > own);
    }
    return before;
}

double wg_top_k_accuracy(const wg_tensor *scores, const wg_tensor *truth, int64_t k)
{
    const char *metric = "top_k_accuracy";
    if (!wg_metric_readable(metric, scores, truth))
        return (double)NAN;
    if (scores->shape.ndim != 2 || truth->shape.ndim != 1 || scores->shape.dim[0] != truth->size)
        wg_metric_fail(metric, WG_E_SHAPE, scores, truth);
    else if (k < 1)
        wg_fail(scores->tape, WG_E_VALUE, "%s: k is %" PRId64, metric, k);
    else if (wg_metric_numbers(metric, scores, -HUGE_VAL, HUGE_VAL) &&
             wg_metric_labels(metric, truth, scores->shape.dim[1])) {
        int64_t hits = 0;
        for (int64_t i = 0; i < truth->size; i++)
            hits += metrics_rank(scores, i, wg_metric_label(truth, i)) < k;
        return (double)hits / (double)truth->size;
    }
    return (double)NAN;
}

static const wg_scores classes_nothing = {(double)NAN, (double)NAN, (double)NAN, 0};

static bool classes_fit(const char *metric, const wg_tensor *predicted, const wg_tensor *truth,
                        int64_t below)
{
    if (!wg_metric_readable(metric, predicted, truth))
        return false;
    if (!wg_shape_same(&predicted->shape, &truth->shape))
        return wg_metric_fail(metric, WG_E_SHAPE, predicted, truth);
    return wg_metric_labels(metric, predicted, below) && wg_metric_labels(metric, truth, below);
}

wg_tensor *wg_confusion_matrix(const wg_tensor *predicted, const wg_tensor *truth, int64_t classes)
{
    const char *metric = "confusion_matrix";
    if (!classes_fit(metric, predicted, truth, classes))
        return wg_fail(wg_is_inert(predicted) ? NULL : predicted->tape, WG_E_NULL, "%s", metric);
    wg_tape *t = predicted->tape;
    int64_t size;
    if (classes < 0 || !wg_size_multiply(classes, classes, &size))
        return wg_fail(t, WG_E_VALUE, "%s: %" PRId64 " classes", metric, classes);
    int64_t *count = wg_temporary(t, size, sizeof *count);
    if (count == NULL)
        return wg_fail(t, WG_E_NOMEM, "%s", metric);
    memset(count, 0, (size_t)size * sizeof *count);
    for (int64_t i = 0; i < truth->size; i++)
        count[wg_metric_label(truth, i) * classes + wg_metric_label(predicted, i)]++;
    wg_tensor *matrix = wg_constant(t, WG_I64, WG_SHAPE(classes, classes), count);
    wg_temporary_free(t, count);
    return matrix;
}

/* What precision and recall are made of. */
typedef struct classes_count {
    int64_t hits, predicted, truth;
} classes_count;

static double classes_ratio(double a, double b)
{
    return b != 0 ? a / b : 0;
}

/* 2 / (1/precision + 1/recall) = 2 hits / (predicted + truth). */
static wg_scores classes_scores(classes_count c)
{
    double hits = (double)c.hits, predicted = (double)c.predicted, truth = (double)c.truth;
    return (wg_scores){.precision = classes_ratio(hits, predicted),
                       .recall = classes_ratio(hits, truth),
                       .f1 = classes_ratio(2 * hits, predicted + truth),
                       .support = c.truth};
}

wg_scores wg_class_scores(const wg_tensor *predicted, const wg_tensor *truth, int64_t one_class)
{
    if (!classes_fit("class_scores", predicted, truth, INT64_MAX) || truth->size == 0)
        return classes_nothing;
    classes_count count = {0, 0, 0};
    for (int64_t i = 0; i < truth->size; i++) {
        bool is_predicted = wg_metric_label(predicted, i) == one_class;
        bool is_true = wg_metric_label(truth, i) == one_class;
        count.hits += is_predicted && is_true;
        count.predicted += is_predicted;
        count.truth += is_true;
    }
    return classes_scores(count);
}

static int64_t classes_largest(const wg_tensor *y)
{
    int64_t largest = 0;
    for (int64_t i = 0; i < y->size; i++)
        if (wg_metric_label(y, i) > largest)
            largest = wg_metric_label(y, i);
    return largest;
}

static void classes_tally(const wg_tensor *predicted, const wg_tensor *truth, int64_t k,
                          classes_count *count)
{
    memset(count, 0, (size_t)k * sizeof *count);
    for (int64_t i = 0; i < truth->size; i++) {
        int64_t p = wg_metric_label(predicted, i), y = wg_metric_label(truth, i);
        count[p].predicted++;
        count[y].truth++;
        count[y].hits += p == y;
    }
}

static wg_scores classes_micro(const classes_count *count, int64_t k)
{
    classes_count all = {0, 0, 0};
    for (int64_t c = 0; c < k; c++) {
        all.hits += count[c].hits;
        all.predicted += count[c].predicted;
        all.truth += count[c].truth;
    }
    return classes_scores(all);
}

/* The mean over all k classes, or over those that occur, each with weight 1 or its support. */
static wg_scores classes_mean(const classes_count *count, int64_t k, bool weighted, bool occurring)
{
    wg_scores sum = {0, 0, 0, 0};
    double total = 0;
    for (int64_t c = 0; c < k; c++) {
        if (occurring && count[c].predicted == 0 && count[c].truth == 0)
            continue;
        wg_scores one = classes_scores(count[c]);
        double weight = weighted ? (double)one.support : 1;
        sum.precision += weight * one.precision;
        sum.recall += weight * one.recall;
        sum.f1 += weight * one.f1;
        sum.support += one.support;
        total += weight;
    }
    return (wg_scores){sum.precision / total, sum.recall / total, sum.f1 / total, sum.support};
}

wg_scores wg_average_scores(const wg_tensor *predicted, const wg_tensor *truth, wg_average how,
                            int64_t classes)
{
    if (!classes_fit("average_scores", predicted, truth, classes != 0 ? classes : INT64_MAX) ||
        truth->size == 0)
        return classes_nothing;
    wg_tape *t = predicted->tape;
    int64_t k = classes;
    if (k == 0) {
        int64_t a = classes_largest(predicted), b = classes_largest(truth);
        k = (a > b ? a : b) + 1;
    }
    classes_count *count = wg_temporary(t, k, sizeof *count);
    if (count == NULL)
        return classes_nothing;
    classes_tally(predicted, truth, k, count);
    wg_scores scores = how == WG_MICRO ? classes_micro(count, k)
                                       : classes_mean(count, k, how == WG_WEIGHTED, classes == 0);
    wg_temporary_free(t, count);
    return scores;
}

/* ---- Numbers. -------------------------------------------------------------------------------- */

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
    double mean = sum / (double)(y->size / stride);
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
