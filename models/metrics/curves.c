/* Binary scores against classes as the threshold moves: ROC, precision and recall. */
#include "models/metrics/curves.h"

#include "models/metrics/metrics_internal.h"

#include <math.h>
#include <stdlib.h>

/* Rows with at least this score, by class. */
typedef struct curves_point {
    double score;
    int64_t positive, negative;
} curves_point;

/* The different scores, falling. In the last point, all rows are counted. */
typedef struct curves_counts {
    wg_tape *t;
    curves_point *point; /* [n], temporary */
    int64_t n;
    double positives, negatives;
} curves_counts;

static int curves_falling(const void *a, const void *b)
{
    double p = ((const curves_point *)a)->score, q = ((const curves_point *)b)->score;
    return (p < q) - (p > q);
}

static bool curves_fit(const char *metric, const wg_tensor *scores, const wg_tensor *truth)
{
    if (!wg_metric_readable(metric, scores, truth))
        return false;
    if (!wg_shape_same(&scores->shape, &truth->shape))
        return wg_metric_fail(metric, WG_E_SHAPE, scores, truth);
    return wg_metric_numbers(metric, scores, -HUGE_VAL, HUGE_VAL) &&
           wg_metric_labels(metric, truth, 2);
}

/* Adds up points that are sorted, and lets points of one score be one. Returns how
 * many are left. */
static int64_t curves_merge(curves_point *point, int64_t rows)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows; i++) {
        curves_point next = point[i];
        if (i > 0) {
            next.positive += point[n - 1].positive;
            next.negative += point[n - 1].negative;
            n -= next.score == point[n - 1].score;
        }
        point[n++] = next;
    }
    return n;
}

/* After true, the caller frees counts->point; there is at least one row. */
static bool curves_count(const char *metric, const wg_tensor *scores, const wg_tensor *truth,
                         curves_counts *counts)
{
    if (!curves_fit(metric, scores, truth) || truth->size == 0)
        return false;
    int64_t rows = truth->size;
    curves_point *point = wg_temporary(scores->tape, rows, sizeof *point);
    if (point == NULL)
        return false;
    for (int64_t i = 0; i < rows; i++) {
        int64_t label = wg_metric_label(truth, i);
        point[i] = (curves_point){wg_element(scores, i), label, 1 - label};
    }
    qsort(point, (size_t)rows, sizeof *point, curves_falling);
    *counts = (curves_counts){.t = scores->tape, .point = point, .n = curves_merge(point, rows)};
    counts->positives = (double)point[counts->n - 1].positive;
    counts->negatives = (double)point[counts->n - 1].negative;
    return true;
}

/* Records the error of a curve that could not be made. */
static wg_tensor *curves_none(const char *metric, const wg_tensor *scores, const wg_tensor *truth)
{
    const wg_tensor *x = wg_is_inert(scores) ? truth : scores;
    return wg_fail(x != NULL ? x->tape : NULL, WG_E_SHAPE, "%s: of no rows", metric);
}

/* ---- ROC. ------------------------------------------------------------------------------------ */

static int curves_numbers_falling(const void *a, const void *b)
{
    const double p = *(const double *)a, q = *(const double *)b;
    return (p < q) - (p > q);
}

/* Twice the pairs won, exact up to 2^53; scores of both classes falling. */
static double curves_pairs(const double *positive, int64_t n_positive, const double *negative,
                           int64_t n_negative)
{
    double twice = 0;
    for (int64_t i = 0, above = 0, end; i < n_negative; i = end) {
        const double score = negative[i];
        for (end = i + 1; end < n_negative && negative[end] == score;)
            end++;
        while (above < n_positive && positive[above] > score)
            above++;
        int64_t equal = above;
        while (equal < n_positive && positive[equal] == score)
            equal++;
        twice += (double)(end - i) * (double)(above + equal);
        above = equal;
    }
    return twice;
}

/* Of the scores alone: 8 bytes a row. */
double wg_roc_auc(const wg_tensor *scores, const wg_tensor *truth)
{
    double *score = NULL;
    if (!curves_fit("roc_auc", scores, truth) || truth->size == 0 ||
        (score = wg_temporary(scores->tape, truth->size, sizeof *score)) == NULL)
        return (double)NAN;
    int64_t n = 0, rest = truth->size; /* positives from the front on, negatives from the end */
    for (int64_t i = 0; i < truth->size; i++)
        score[wg_metric_label(truth, i) == 1 ? n++ : --rest] = wg_element(scores, i);
    qsort(score, (size_t)n, sizeof *score, curves_numbers_falling);
    qsort(score + n, (size_t)(truth->size - n), sizeof *score, curves_numbers_falling);
    const double twice = curves_pairs(score, n, score + n, truth->size - n);
    wg_temporary_free(scores->tape, score);
    return twice / (2 * (double)n * (double)(truth->size - n));
}

wg_roc wg_roc_curve(const wg_tensor *scores, const wg_tensor *truth)
{
    curves_counts c;
    wg_tensor *none;
    if (!curves_count("roc_curve", scores, truth, &c)) {
        none = curves_none("roc_curve", scores, truth);
        return (wg_roc){none, none, none};
    }
    int64_t n = c.n + 1;
    double *memory = n <= INT64_MAX / 3 ? wg_temporary(c.t, 3 * n, sizeof *memory) : NULL;
    if (memory == NULL) {
        wg_temporary_free(c.t, c.point);
        none = wg_fail(c.t, WG_E_NOMEM, "roc_curve");
        return (wg_roc){none, none, none};
    }
    double *fpr = memory, *tpr = memory + n, *threshold = memory + 2 * n;
    for (int64_t i = 0; i < n; i++) {
        curves_point at = i > 0 ? c.point[i - 1] : (curves_point){HUGE_VAL, 0, 0};
        fpr[i] = (double)at.negative / c.negatives;
        tpr[i] = (double)at.positive / c.positives;
        threshold[i] = at.score;
    }
    wg_roc roc = {wg_constant(c.t, WG_F64, WG_SHAPE(n), fpr),
                  wg_constant(c.t, WG_F64, WG_SHAPE(n), tpr),
                  wg_constant(c.t, WG_F64, WG_SHAPE(n), threshold)};
    wg_temporary_free(c.t, memory);
    wg_temporary_free(c.t, c.point);
    return roc;
}

/* ---- Precision and recall. ------------------------------------------------------------------- */

static double curves_precision(const curves_counts *c, int64_t i)
{
    return (double)c->point[i].positive / (double)(c->point[i].positive + c->point[i].negative);
}

static double curves_recall(const curves_counts *c, int64_t i)
{
    return c->positives > 0 ? (double)c->point[i].positive / c->positives : 1;
}

wg_precision_recall wg_precision_recall_curve(const wg_tensor *scores, const wg_tensor *truth)
{
    curves_counts c;
    wg_tensor *none;
    if (!curves_count("precision_recall_curve", scores, truth, &c)) {
        none = curves_none("precision_recall_curve", scores, truth);
        return (wg_precision_recall){none, none, none};
    }
    int64_t n = c.n + 1;
    double *memory = n <= INT64_MAX / 3 ? wg_temporary(c.t, 3 * n, sizeof *memory) : NULL;
    if (memory == NULL) {
        wg_temporary_free(c.t, c.point);
        none = wg_fail(c.t, WG_E_NOMEM, "precision_recall_curve");
        return (wg_precision_recall){none, none, none};
    }
    double *precision = memory, *recall = memory + n, *threshold = memory + 2 * n;
    for (int64_t i = 0; i < c.n; i++) {
        precision[i] = curves_precision(&c, c.n - 1 - i);
        recall[i] = curves_recall(&c, c.n - 1 - i);
        threshold[i] = c.point[c.n - 1 - i].score;
    }
    precision[c.n] = 1;
    recall[c.n] = 0;
    wg_precision_recall curve = {wg_constant(c.t, WG_F64, WG_SHAPE(n), precision),
                                 wg_constant(c.t, WG_F64, WG_SHAPE(n), recall),
                                 wg_constant(c.t, WG_F64, WG_SHAPE(c.n), threshold)};
    wg_temporary_free(c.t, memory);
    wg_temporary_free(c.t, c.point);
    return curve;
}

double wg_average_precision(const wg_tensor *scores, const wg_tensor *truth)
{
    curves_counts c;
    if (!curves_count("average_precision", scores, truth, &c))
        return (double)NAN;
    double sum = 0;
    for (int64_t i = 0; i < c.n; i++) {
        int64_t gained = c.point[i].positive - (i > 0 ? c.point[i - 1].positive : 0);
        if (gained > 0)
            sum += (double)gained / c.positives * curves_precision(&c, i);
    }
    wg_temporary_free(c.t, c.point);
    return sum;
}

/* F1 = 2 hits / (predicted + positives), which is 0 at 0 hits even without positives. */
wg_best_threshold wg_best_f1(const wg_tensor *scores, const wg_tensor *truth)
{
    curves_counts c;
    double nan = (double)NAN;
    if (!curves_count("best_f1", scores, truth, &c))
        return (wg_best_threshold){nan, nan, nan, nan};
    wg_best_threshold best = {.f1 = -1};
    for (int64_t i = 0; i < c.n; i++) {
        double hits = (double)c.point[i].positive, others = (double)c.point[i].negative;
        double f1 = 2 * hits / (hits + others + c.positives);
        if (f1 >= best.f1)
            best = (wg_best_threshold){c.point[i].score, curves_precision(&c, i),
                                       curves_recall(&c, i), f1};
    }
    wg_temporary_free(c.t, c.point);
    return best;
}
