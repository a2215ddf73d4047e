#ifndef WG_MODELS_METRICS_CURVES_H
#define WG_MODELS_METRICS_CURVES_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Binary scores against classes as the threshold moves: a row counts as positive where its score
 * is at least the threshold. Rows of equal score move together. Definitions are scikit-learn's.
 *
 * Shape:  scores (f32, f64; the higher, the more positive) and truth (0 and 1, any dtype) the same.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_VALUE (a score that is NaN), WG_E_INDEX (a label that is
 *         neither 0 nor 1), WG_E_STALE, WG_E_TAPE, WG_E_NULL, WG_E_NOMEM, on the tape; numbers are
 *         then NaN, tensors inert. Of no rows: numbers are NaN, curves WG_E_SHAPE. */

/* The receiver operating characteristic: a point for each threshold, from the highest on, after
 * (0, 0) at threshold +inf. Without negatives the false positive rate is NaN, without positives
 * the true one. */
typedef struct wg_roc {
    wg_tensor *false_positive_rate, *true_positive_rate, *threshold; /* f64 constants [points] */
} wg_roc;

/* wg_roc_curve: no point is left out (scikit-learn: drop_intermediate=False). */
wg_roc wg_roc_curve(const wg_tensor *scores, const wg_tensor *truth);

/* wg_roc_auc: the area under it: the probability that a positive row scores higher than a negative
 * one, equal scores counting one half. NaN, without an error, where one of the classes has no row.
 * Source: Hanley, McNeil 1982, "The meaning and use of the area under a ROC curve". */
double wg_roc_auc(const wg_tensor *scores, const wg_tensor *truth);

/* Precision and recall at each threshold, from the lowest on, and a last point (1, 0) that has
 * none. Without positives, recall is 1 at every threshold. */
typedef struct wg_precision_recall {
    wg_tensor *precision, *recall; /* f64 constants [points + 1] */
    wg_tensor *threshold;          /* [points] */
} wg_precision_recall;

/* wg_precision_recall_curve: no point is left out. */
wg_precision_recall wg_precision_recall_curve(const wg_tensor *scores, const wg_tensor *truth);

/* wg_average_precision: sum over thresholds of (R_i - R_(i-1)) P_i, recall rising: the area under
 * the steps of that curve. 0 without positives. */
double wg_average_precision(const wg_tensor *scores, const wg_tensor *truth);

/* The threshold at which F1 is best, the lowest of equally good ones. */
typedef struct wg_best_threshold {
    double threshold, precision, recall, f1;
} wg_best_threshold;

/* wg_best_f1: that threshold, with what is reached there; ties go to the lowest. */
wg_best_threshold wg_best_f1(const wg_tensor *scores, const wg_tensor *truth);

#ifdef __cplusplus
}
#endif
#endif
