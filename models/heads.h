#ifndef WG_MODELS_HEADS_H
#define WG_MODELS_HEADS_H

#include "models/train/head.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The heads that come with the library. l is a row's loss, z its row of Z.
 *   softmax      classes: P = softmax(z); l = cross-entropy
 *   sigmoid      two classes: P_1 = sigmoid(z); l = binary cross-entropy
 *   one_vs_rest  classes: P_j = sigmoid(z_j), divided by their sum over the row; l = the sum over j
 *                of the binary cross-entropies "class j or another"
 *   regression   numbers: l = the mean over j of (z_j - y_j)^2
 * Metrics: accuracy and log loss; of regression R2 and RMSE. */
extern const wg_head wg_head_softmax, wg_head_sigmoid, wg_head_one_vs_rest, wg_head_regression;

/* wg_head_find: the head of that name among `own` (ended by NULL; NULL: none) and those above,
 * in this order; NULL where there is none. */
const wg_head *wg_head_find(const char *name, const wg_head *const own[]);

#ifdef __cplusplus
}
#endif
#endif
