/* Metrics of classes: accuracy, confusion matrices, precision, recall and F1. */
#include "models/metrics/metrics.h"

#include "models/metrics/metrics_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

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
static int64_t classes_rank(const wg_tensor *scores, int64_t row, int64_t own)
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
            hits += classes_rank(scores, i, wg_metric_label(truth, i)) < k;
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
