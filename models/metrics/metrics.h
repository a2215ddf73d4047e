#ifndef WG_MODELS_METRICS_METRICS_H
#define WG_MODELS_METRICS_METRICS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How good predictions are, by scikit-learn's definitions. Metrics read the values of this moment
 * and leave nothing on the tape but errors (and the confusion matrix); they are no ops and have no
 * derivative.
 *
 * Labels are classes 0, 1, 2, ... as i64, or as floats that hold whole numbers (wg_table_labels
 * gives those).
 * Errors of all, on the tape: WG_E_SHAPE, WG_E_DTYPE, WG_E_INDEX (a label that is no class),
 * WG_E_STALE, WG_E_TAPE, WG_E_NULL, WG_E_NOMEM; the result is then NaN, or a struct of NaNs, or
 * inert. Of no rows at all, every number is NaN. */

/* wg_accuracy: the share of entries in which `predicted` equals `truth`, in [0, 1].
 * Shape:  both the same, and of the same dtype.
 * Edges:  NaN equals nothing. */
double wg_accuracy(const wg_tensor *predicted, const wg_tensor *truth);

/* wg_top_k_accuracy: the share of rows whose class is among the k with the highest scores.
 * Shape:  scores [n, c], f32 or f64; truth [n]; 1 <= k (WG_E_VALUE), and 1 where k >= c.
 * Edges:  of equal scores the later class counts as the higher one, as in scikit-learn (wg_argmax
 *         takes the first); a NaN is WG_E_VALUE. */
double wg_top_k_accuracy(const wg_tensor *scores, const wg_tensor *truth, int64_t k);

/* ---- Classes against classes. ---------------------------------------------------------------- */

/* wg_confusion_matrix: C_ij = how many rows of class i were predicted as j.
 * Shape:  predicted and truth the same -> [classes, classes], an i64 constant on the tape. Labels
 *         are below `classes`. */
wg_tensor *wg_confusion_matrix(const wg_tensor *predicted, const wg_tensor *truth, int64_t classes);

/* Of the rows predicted as a class, the share that is of it; of the rows of the class, the share
 * predicted so; the harmonic mean of the two. A ratio 0/0 is 0. */
typedef struct wg_scores {
    double precision, recall, f1;
    int64_t support; /* rows of the class in `truth`; of all classes in an average */
} wg_scores;

/* wg_class_scores: of one class against all others; 1 is the usual one in binary problems.
 * Shape:  predicted and truth the same. */
wg_scores wg_class_scores(const wg_tensor *predicted, const wg_tensor *truth, int64_t one_class);

typedef enum wg_average {
    WG_MACRO,   /* the mean over classes */
    WG_MICRO,   /* precision and recall of all classes' counts together: both are the accuracy */
    WG_WEIGHTED /* the mean over classes, weighted by their support */
} wg_average;

/* wg_average_scores: over the classes 0 to classes - 1, of which one that never occurs counts as
 * 0; with classes = 0 over the labels that occur in either (scikit-learn's default).
 * Shape:  predicted and truth the same. */
wg_scores wg_average_scores(const wg_tensor *predicted, const wg_tensor *truth, wg_average how,
                            int64_t classes);

/* ---- Probabilities against classes. ---------------------------------------------------------- */

/* wg_log_loss: the mean of -log p(class of the row), with p brought into [e, 1 - e], e the epsilon
 * of p's dtype, and rows divided by their sum after that.
 * Shape:  p [n, c] with truth [n]; or, binary, p of class 1 with truth 0 or 1 of the same shape.
 * Errors: WG_E_VALUE: a p outside [0, 1] or NaN; a row whose sum is not 1 to within e^(1/2). */
double wg_log_loss(const wg_tensor *p, const wg_tensor *truth);

/* wg_brier: binary: the mean of (p - y)^2; with classes: of sum_j (p_j - [j is the row's
 * class])^2, which for two classes is twice the former. Shapes and errors as wg_log_loss.
 * Source: Brier 1950, "Verification of forecasts expressed in terms of probability", eq. 2. */
double wg_brier(const wg_tensor *p, const wg_tensor *truth);

/* ---- Numbers against numbers. ----------------------------------------------------------------
 * Shape:  predicted and truth the same, f32 or f64.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE, WG_E_TAPE, WG_E_NULL, on the tape; the result is NaN.
 * Of no rows: NaN. A NaN comes out as NaN. */

/* wg_rmse: (mean of (predicted - truth)^2)^(1/2), over all entries. */
double wg_rmse(const wg_tensor *predicted, const wg_tensor *truth);

/* wg_r2: 1 - (sum of (predicted - truth)^2) / (sum of (truth - its mean)^2), by column, and the
 * mean over columns: 1 is perfect, 0 as good as the mean, negative worse. [n] is one column.
 * Edges:  a column of equal numbers: 1 where all are predicted exactly, else 0. */
double wg_r2(const wg_tensor *predicted, const wg_tensor *truth);

#ifdef __cplusplus
}
#endif
#endif
