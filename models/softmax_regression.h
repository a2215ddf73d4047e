#ifndef WG_MODELS_SOFTMAX_REGRESSION_H
#define WG_MODELS_SOFTMAX_REGRESSION_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_softmax_regression_options {
    double C;  /* L2 penalty ||W||^2 / (2 n C), as scikit-learn's C; > 0; default 0, and infinity:
                         no penalty. b is never penalized. */
    int64_t n; /* rows of the whole training set, where X is a batch of it; default 0: X's rows */
    wg_tensor *W,
        *b; /* parameters [d, k] and [k] shared with another model; default NULL: new ones,
                         zero, named "W" and "b" */
} wg_softmax_regression_options;

/* Softmax (multinomial logistic) regression as a piece of the tape: P = softmax(X W + b) by rows. */
typedef struct wg_softmax_regression {
    wg_tensor *X, *y;     /* [n, d]; [n], classes from 0 on, i64 (or [n, k], probabilities) */
    wg_tensor *W, *b;     /* [d, k], [k] */
    wg_tensor *logits;    /* [n, k]: X W + b */
    wg_tensor *mean_loss; /* (): mean of -log P[i, y_i] */
    wg_tensor *penalty;   /* (); NULL: none */
    wg_tensor *loss;      /* (): mean_loss + penalty */
} wg_softmax_regression;

/* wg_softmax_regression_new: records the model for k classes on the tape of X.
 * Derivatives: d loss / dW = X^T (P - Y) / n + W / (n C) with Y the one-hot rows of y,
 *         d loss / db = sum over rows of (P - Y) / n.
 * Errors: on the tape, those of wg_matmul and wg_cross_entropy (WG_E_INDEX where y holds a class that is
 *   not below k) and WG_E_VALUE (C < 0, n < 0); the tensors are then inert.
 * Source: Bishop 2006, "Pattern Recognition and Machine Learning", sec. 4.3.4. */
wg_softmax_regression wg_softmax_regression_new(wg_tensor *X, wg_tensor *y, int64_t k,
                                                const wg_softmax_regression_options *options);

/* wg_softmax_regression_logits, _probabilities: X W + b and its softmax for other rows, recorded on the
 * tape; [m, d] -> [m, k]. _predict: the class with the largest logit, the first of equal ones; i64 [m]. */
wg_tensor *wg_softmax_regression_logits(const wg_softmax_regression *model, wg_tensor *X);
wg_tensor *wg_softmax_regression_probabilities(const wg_softmax_regression *model, wg_tensor *X);
wg_tensor *wg_softmax_regression_predict(const wg_softmax_regression *model, wg_tensor *X);

/* wg_softmax_regression_accuracy: the share of rows of X [m, d] whose class is predicted as y [m], i64,
 * says, with the parameters as they are now. Leaves nothing on the tape. After an error: NaN. */
double wg_softmax_regression_accuracy(const wg_softmax_regression *model, wg_tensor *X,
                                      const wg_tensor *y);

#ifdef __cplusplus
}
#endif
#endif
