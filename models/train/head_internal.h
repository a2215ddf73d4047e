#ifndef WG_MODELS_TRAIN_HEAD_INTERNAL_H
#define WG_MODELS_TRAIN_HEAD_INTERNAL_H

#include "models/train/head.h"

/* wg_head_k: the k of wg_head_kind for so many columns of Z; 0 where the head cannot have so many. */
int64_t wg_head_k(const wg_head *head, int64_t columns);

/* wg_head_predict: recorded on the tape. The class of a row whose outputs hold a NaN is -1, which is
 * no class. Errors: those of the head's function. */
wg_tensor *wg_head_predict(const wg_head *head, wg_tensor *Z);

/* wg_head_probabilities: recorded on the tape. Errors: those of the head's function; WG_E_VALUE: a
 * head without probabilities. */
wg_tensor *wg_head_probabilities(const wg_head *head, wg_tensor *Z);

#endif
