#ifndef WG_MODELS_LOGISTIC_H
#define WG_MODELS_LOGISTIC_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_logistic_options {
    double C;  /* L2 penalty ||w||^2 / (2 n C), as scikit-learn's C; > 0; default 0, and
                               infinity: no penalty. b is never penalized. */
    int64_t n; /* rows of the whole training set, where X is a batch of it; default 0: the
                               rows of X */
    double positive_weight; /* factor of the loss of rows with y = 1; > 0; default 0 stands for 1 */
    wg_tensor *w, *b; /* parameters [d, 1] and [1] shared with another model; default NULL: new
                               ones, zero, named "w" and "b" */
} wg_logistic_options;

/* Binary logistic regression as a piece of the tape: p = sigmoid(X w + b). Nothing here is to be freed. */
typedef struct wg_logistic {
    wg_tensor *X, *y;     /* [n, d], [n, 1] */
    wg_tensor *w, *b;     /* [d, 1], [1] */
    wg_tensor *logits;    /* [n, 1]: X w + b */
    wg_tensor *mean_loss; /* (): mean of -y log p - (1 - y) log(1 - p) */
    wg_tensor *penalty;   /* (); NULL: none */
    wg_tensor *loss;      /* (): mean_loss + penalty */
} wg_logistic;

/* wg_logistic_new: records the model on the tape of X. y holds 0 and 1 (or probabilities) in X's dtype.
 * Derivatives: d loss / dw = X^T (p - y) / n + w / (n C),   d loss / db = sum (p - y) / n.
 * Errors: on the tape, those of wg_matmul and wg_bce_with_logits (WG_E_SHAPE where y is not [n, 1]) and
 *   WG_E_VALUE (C < 0, n < 0); the tensors are then inert.
 * Source: Bishop 2006, "Pattern Recognition and Machine Learning", sec. 4.3.2. */
wg_logistic wg_logistic_new(wg_tensor *X, wg_tensor *y, const wg_logistic_options *options);

/* wg_logistic_logits, _probabilities, _predict: the model on other rows, recorded on the tape:
 * X w + b, its sigmoid, and the class: 1 where the logit is above 0, else 0 (NaN stays NaN).
 * Shape: X [m, d] -> [m, 1], in X's dtype. */
wg_tensor *wg_logistic_logits(const wg_logistic *model, wg_tensor *X);
wg_tensor *wg_logistic_probabilities(const wg_logistic *model, wg_tensor *X);
wg_tensor *wg_logistic_predict(const wg_logistic *model, wg_tensor *X);

/* wg_logistic_accuracy: the share of rows of X [m, d] whose class is predicted as y [m, 1] says, with the
 * parameters as they are now. Leaves nothing on the tape. Errors: those of predict and wg_accuracy; NaN. */
double wg_logistic_accuracy(const wg_logistic *model, wg_tensor *X, const wg_tensor *y);

#ifdef __cplusplus
}
#endif
#endif
