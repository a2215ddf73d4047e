#ifndef WG_MODELS_LINK_H
#define WG_MODELS_LINK_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a classifier's logits Z are read as classes 0 to k - 1. */
typedef enum wg_link {
    WG_LINK_SOFTMAX, /* Z [n, k]: P = softmax by rows; loss: cross-entropy */
    WG_LINK_SIGMOID, /* Z [n, 1], k = 2: P_1 = sigmoid(Z); loss: binary cross-entropy */
    WG_LINK_ONE_VS_REST /* Z [n, k]: P_j = sigmoid(Z_j), divided by their sum over the row; loss: the sum over
                           j of the binary cross-entropies "class j or another" */
} wg_link;

/* wg_link_classes_of: k for so many columns of logits; 0 where the link cannot have so many. */
int64_t wg_link_classes_of(wg_link link, int64_t columns);

/* wg_link_targets: labels [n], i64, as wg_link_loss takes them: as they are (softmax), or 0 and 1 in `dtype`,
 * [n, 1] (sigmoid) or [n, k] (one-vs-rest).
 * Errors: WG_E_DTYPE, WG_E_SHAPE, WG_E_INDEX (a label that is no class), on the tape. */
wg_tensor *wg_link_targets(wg_link link, wg_tensor *labels, int64_t k, wg_dtype dtype);

/* wg_link_loss: the mean over rows of w_i * l_i, recorded on the tape; weights [n], or NULL for all 1.
 * wg_link_loss_sum: their sum, for row blocks (autograd/compile/blocks.h).
 * Errors: those of wg_cross_entropy and wg_bce_with_logits. */
wg_tensor *wg_link_loss(wg_link link, wg_tensor *Z, wg_tensor *targets, wg_tensor *weights);
wg_tensor *wg_link_loss_sum(wg_link link, wg_tensor *Z, wg_tensor *targets, wg_tensor *weights);

/* wg_link_probabilities: P [n, k].  wg_link_predict: the class with the largest logit, the first of equal
 * ones; sigmoid: 1 where the logit is above 0. i64 [n]. Recorded on the tape. */
wg_tensor *wg_link_probabilities(wg_link link, wg_tensor *Z);
wg_tensor *wg_link_predict(wg_link link, wg_tensor *Z);

#ifdef __cplusplus
}
#endif
#endif
