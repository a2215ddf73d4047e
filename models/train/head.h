#ifndef WG_MODELS_TRAIN_HEAD_H
#define WG_MODELS_TRAIN_HEAD_H

#include "ops/loss.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A head: what turns a model's outputs Z (logits) into a loss and into predictions. Training,
 * estimators and saved models take any head; those of models/heads.h have no privileges. A head of
 * one's own is a constant:
 *
 *     static const wg_head poisson = {.name = "poisson", .kind = WG_HEAD_NUMBERS,
 *                                     .loss = poisson_loss, .predict = wg_exp};
 */
typedef enum wg_head_kind {
    WG_HEAD_CLASSES,     /* y: classes 0 to k - 1, k >= 2; Z [n, k] */
    WG_HEAD_TWO_CLASSES, /* y: classes 0 and 1; Z [n, 1] */
    WG_HEAD_NUMBERS      /* y: k >= 1 numbers a row; Z [n, k] */
} wg_head_kind;

/* A number that tells how good predictions are. */
typedef struct wg_head_metric {
    const char *name; /* "accuracy" */
    /* Of what `predict` and `probabilities` give (P: NULL where the head has none, and where a
     * training asks the first one about validation rows), and of the truth in the shape of
     * `predicted`. Leaves nothing on the tape but errors. */
    double (*value)(const wg_tensor *predicted, const wg_tensor *P, const wg_tensor *truth);
} wg_head_metric;

typedef struct wg_head {
    const char *name; /* required; what a saved model knows the head by */
    wg_head_kind kind;

    /* y as the loss takes it. y has been checked: i64 [n] with classes below k, or [n, k] numbers
     * of that dtype. NULL: classes as they are; two classes as 0 and 1 [n, 1]; numbers as they
     * are. */
    wg_tensor *(*targets)(wg_tensor *y, int64_t k, wg_dtype dtype);

    /* Required: of the rows' losses l_i the mean (WG_MEAN) of w_i l_i, or their sum (WG_SUM), which
     * row blocks add up. weights: [n] of Z's dtype, or NULL for all 1. */
    wg_tensor *(*loss)(wg_tensor *Z, wg_tensor *targets, wg_tensor *weights, wg_reduction how);

    /* Classes, i64 [n], or numbers [n, k]; required but for numbers, where NULL stands for Z
     * itself. */
    wg_tensor *(*predict)(wg_tensor *Z);

    wg_tensor *(*probabilities)(wg_tensor *Z); /* [n, k]; NULL: there are none */

    /* [n_metrics]; the first is the score that training reports of validation rows. */
    const wg_head_metric *metrics;
    int n_metrics;
} wg_head;

/* wg_head_k: the k of wg_head_kind, given the columns of Z; 0 where the head cannot have that
 * number. */
int64_t wg_head_k(const wg_head *head, int64_t columns);

/* wg_head_targets: y as the head's loss takes it.
 * Shape:  classes: y [n], i64.   numbers: y [n, k], or [n] for k = 1; i64 becomes the dtype.
 * Errors: WG_E_DTYPE, WG_E_SHAPE, WG_E_STALE, WG_E_INDEX (a label that is no class), on the
 *   tape. */
wg_tensor *wg_head_targets(const wg_head *head, wg_tensor *y, int64_t k, wg_dtype dtype);

/* wg_head_predict: recorded on the tape. The class of a row whose outputs hold a NaN is -1, which
 * is no class. Errors: those of the head's function. */
wg_tensor *wg_head_predict(const wg_head *head, wg_tensor *Z);

/* wg_head_probabilities: recorded on the tape. Errors: those of the head's function; WG_E_VALUE: a
 * head without probabilities. */
wg_tensor *wg_head_probabilities(const wg_head *head, wg_tensor *Z);

/* wg_l2_penalty: l2/2 * (sum of the squares of all parameters of two or more dimensions): weights,
 * not biases. scikit-learn's C is l2 = 1/(n C). (); NULL, and no error, where there is none: l2 =
 * 0.
 * Errors: WG_E_VALUE (l2 < 0, infinite or NaN), on the tape. */
wg_tensor *wg_l2_penalty(wg_tensor *const params[], int n, double l2);

#ifdef __cplusplus
}
#endif
#endif
