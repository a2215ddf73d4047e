#ifndef WG_OPS_LOSS_H
#define WG_OPS_LOSS_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Losses. Each can be given as the mean, the sum, or one by one; wg_bce_with_logits and
 * wg_cross_entropy are short for the mean with no other options.
 * Losses never broadcast targets: logits (n, 1) with labels (n) is an error, not an (n, n) loss.
 * Errors of all: WG_E_SHAPE, WG_E_DTYPE (floats of one dtype, labels i64 where said), WG_E_VALUE
 * (an option out of its range), WG_E_INDEX (a label that is no class), WG_E_NULL, WG_E_STALE,
 * WG_E_NOMEM, on the tape. NULL options are the defaults. A mean over nothing is NaN. */

/* What becomes of the losses of elements or rows. */
typedef enum wg_reduction {
    WG_MEAN, /* default */
    WG_SUM,
    WG_NONE /* each element's, or each row's, loss */
} wg_reduction;

/* ---- Classification, from logits ------------------------------------------------------------- */

typedef struct wg_bce_options {
    wg_reduction reduction; /* default WG_MEAN */
    double positive_weight; /* w+, factor of the loss of positives; > 0; default 0 stands for 1 */
} wg_bce_options;

/* wg_bce_with_logits: binary cross-entropy of p = sigmoid(z) against targets y in [0, 1]:
 *     l = (1 - y)*softplus(z) + w*y*softplus(-z)
 * Shape:   z any, y the same -> () or, unreduced, as z.
 * Derivative:   dz = (1 - y)*sigmoid(z) - w*y*sigmoid(-z) (which is sigmoid(z) - y for w = 1,
 *          without its cancellation); dy = w*softplus(-z) - softplus(z).
 * Edges:   z = ±1e4 is exact; a zero coefficient contributes 0 even at z = ±inf, so z = inf with
 *          y = 1 has loss 0 and derivative 0, z = inf with y = 0 has loss inf and derivative 1.
 * Errors:  WG_E_VALUE: a target outside [0, 1], -1 for a class say, in a y that is a constant, an
 *          input, or a view of one; replays and programs look at inputs again, with what is bound
 *          to them now, but not in bodies (wg_scan) and programs written as C.
 * Source:  Murphy 2022, "Probabilistic Machine Learning: An Introduction", sec. 10.2.3. */
wg_tensor *wg_bce_with_logits(wg_tensor *z, wg_tensor *y);

/* wg_bce_with_logits_opt: the same with options. */
wg_tensor *wg_bce_with_logits_opt(wg_tensor *z, wg_tensor *y, const wg_bce_options *options);

typedef struct wg_cross_entropy_options {
    wg_reduction reduction; /* default WG_MEAN */
    wg_tensor *weights;     /* [c], a factor w_k of class k's loss; default NULL: all 1 */
    double smoothing;       /* e in [0, 1]: targets t become (1 - e)*t + e/c; default 0 */
    bool ignore; /* default false; true: rows with the label below have loss and derivative 0 ... */
    int64_t ignored_label; /* ... whether it is a class or not; index labels only */
} wg_cross_entropy_options;

/* wg_cross_entropy: softmax cross-entropy over the last axis of the logits:
 *     l = -sum_k q_k * log_softmax(z)_k,    q_k = w_k * ((1 - e)*t_k + e/c)
 * Shape:   z (..., c); targets are class indices, i64 (...), with t their one-hot rows, or soft
 *          labels t, floats (..., c) -> () or, unreduced, (...).
 * Mean:    index labels: the sum divided by the sum of w_label over the rows that are not ignored;
 *          soft labels: divided by the number of rows. As PyTorch.
 * Derivative:   dz = (sum_k q_k)*softmax(z) - q; dt and dw as the formula says.
 * Edges:   logits of ±1e4 are exact, and so are tiny losses and derivatives of rows nearly
 *          certain; q_k = 0 contributes 0 even at z_k = -inf; infinite logits are as in wg_softmax;
 *          rows that are ignored, or whose q_k are all 0, may hold NaN: they have loss 0, and
 *          derivatives 0 of any order.
 * Source:  Bishop 2006, "Pattern Recognition and Machine Learning", eq. 4.108 and 4.109;
 *          smoothing: Szegedy et al. 2016, "Rethinking the Inception architecture", sec. 7. */
wg_tensor *wg_cross_entropy(wg_tensor *z, wg_tensor *targets);

/* wg_cross_entropy_opt: the same with options. */
wg_tensor *wg_cross_entropy_opt(wg_tensor *z, wg_tensor *targets,
                                const wg_cross_entropy_options *options);

/* wg_nll: negative log-likelihood: wg_cross_entropy for rows that are log-probabilities already:
 * l = -sum_k q_k * log_p_k, with the same targets and options. */
wg_tensor *wg_nll(wg_tensor *log_p, wg_tensor *targets, const wg_cross_entropy_options *options);

/* wg_hinge: l = max(0, 1 - y*z) for targets y of -1 and 1 (floats).
 * Shape: z any, y the same -> () or as z.   Derivative: -y where y*z < 1, 0 at the kink and above.
 * Source: Cortes, Vapnik 1995, "Support-vector networks". */
wg_tensor *wg_hinge(wg_tensor *z, wg_tensor *y, wg_reduction reduction);

/* wg_kl_divergence: KL(t || p) = sum_k t_k * (log(t_k) - log_p_k) over the last axis, from
 * log-probabilities log_p and probabilities t >= 0.
 * Shape: both (..., c) -> () or (...). The mean is over rows (PyTorch calls that batchmean).
 * Derivative: in log_p: -t.   Edges: t_k = 0 contributes 0, even at log_p_k = -inf. */
wg_tensor *wg_kl_divergence(wg_tensor *log_p, wg_tensor *t, wg_reduction reduction);

/* ---- Regression: x any, y the same -> () or as x; the mean is over elements. ----------------- */

/* wg_mse: l = (x - y)^2.   Derivative: 2 (x - y). */
wg_tensor *wg_mse(wg_tensor *x, wg_tensor *y, wg_reduction reduction);

/* wg_mae: l = |x - y|.   Derivative: the sign of x - y, 0 at 0. */
wg_tensor *wg_mae(wg_tensor *x, wg_tensor *y, wg_reduction reduction);

/* wg_huber: l = r^2/2 for |r| <= delta, else delta*(|r| - delta/2), with r = x - y; delta > 0,
 * usually 1.
 * Derivative: r, held within ±delta.
 * Source: Huber 1964, "Robust estimation of a location parameter". */
wg_tensor *wg_huber(wg_tensor *x, wg_tensor *y, double delta, wg_reduction reduction);

#ifdef __cplusplus
}
#endif
#endif
