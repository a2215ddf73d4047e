#ifndef WG_MODELS_LINEAR_MODEL_H
#define WG_MODELS_LINEAR_MODEL_H

#include "models/heads.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_linear_model_options {
    double C; /* L2 penalty ||W||^2 / (2 n C), as scikit-learn's C; > 0; default 0, and infinity: no
                  penalty. b is never penalized. */
    int64_t n; /* rows of the whole training set, where X is a batch of it; default 0: X's rows */
    wg_tensor *weights; /* [n], factors of the rows' losses; default NULL: all 1 */
    wg_tensor *W, *b;   /* parameters shared with another model; default NULL: new ones, zero, named
                           "W" and "b" */
} wg_linear_model_options;

/* A linear model as a piece of the tape: Z = X W^T + b, read by a head: logistic, softmax or linear
 * regression, and others. It is an MLP without hidden layers, with the same layout: W (out, in).
 * Nothing here is to be freed. */
typedef struct wg_linear_model {
    const wg_head *head;
    wg_tensor *X, *y;
    wg_tensor *W, *b;     /* [c, d], [c]: c = k columns, or 1 of two classes by one logit */
    wg_tensor *logits;    /* Z [n, c] */
    wg_tensor *mean_loss; /* (): mean of the rows' losses */
    wg_tensor *penalty;   /* (); NULL: none */
    wg_tensor *loss;      /* (): mean_loss + penalty */
} wg_linear_model;

/* wg_linear_model_new: records the model for k classes, or k numbers a row, on the tape of
 * X [n, d].
 * y: classes, i64 [n], or numbers, [n] or [n, k], as the head says; or, of classes, probabilities
 *   as the head's loss takes them, in X's dtype: [n, 1] of class 1 (sigmoid), [n, k] (softmax).
 * Derivatives: of softmax and sigmoid: d loss / dW = (P - Y)^T X / n + W / (n C), with Y the
 *   one-hot rows of y; d loss / db = the sum over rows of (P - Y) / n.
 * Errors, on the tape: those of wg_head_targets, wg_linear and the head's loss; WG_E_VALUE (C < 0,
 *   n < 0, a k that the head cannot have), WG_E_SHAPE (weights that are not [n]); the
 *   tensors are then inert.
 * Source: Bishop 2006, "Pattern Recognition and Machine Learning", sec. 4.3.2 and 4.3.4. */
wg_linear_model wg_linear_model_new(wg_tensor *X, wg_tensor *y, int64_t k, const wg_head *head,
                                    const wg_linear_model_options *options);

/* wg_logistic_new: of two classes by one logit, wg_head_sigmoid: p = sigmoid(X w + b). */
wg_linear_model wg_logistic_new(wg_tensor *X, wg_tensor *y, const wg_linear_model_options *options);

/* wg_softmax_regression_new: of k classes, wg_head_softmax: P = softmax(X W^T + b) by rows. */
wg_linear_model wg_softmax_regression_new(wg_tensor *X, wg_tensor *y, int64_t k,
                                          const wg_linear_model_options *options);

/* wg_linear_model_logits: Z of other rows X [m, d], recorded on the tape; wg_head_probabilities
 * makes P [m, k] of it. */
wg_tensor *wg_linear_model_logits(const wg_linear_model *model, wg_tensor *X);

/* wg_linear_model_predict: their classes, i64 [m], -1 for a row with NaN, or numbers [m, k]; see
 * models/train/head.h. */
wg_tensor *wg_linear_model_predict(const wg_linear_model *model, wg_tensor *X);

/* wg_linear_model_score: the head's first metric of rows X [m, d] against y, i64 [m] or numbers
 * [m, k] (two classes: also 0 and 1 in X's dtype, [m, 1]),
 * with the parameters as they are now: accuracy, or R2. Leaves nothing on the tape. Errors: those
 * of predict and of the metric; NaN. */
double wg_linear_model_score(const wg_linear_model *model, wg_tensor *X, const wg_tensor *y);

#ifdef __cplusplus
}
#endif
#endif
