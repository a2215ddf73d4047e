#ifndef WG_MODELS_OPTIM_CLIP_H
#define WG_MODELS_OPTIM_CLIP_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_global_norm: (sum of the squares of all elements of the n tensors)^(1/2), in double. To clip
 * by it, see wg_optimizer_set_clip.
 * Edges:  squares that overflow a double give infinity; NaN stays NaN; NULL tensors count as
 *         nothing; a NULL list of n > 0 tensors gives NaN.
 * Errors: an inert, stale, abstract or i64 tensor: NaN, and WG_E_NULL, WG_E_STALE or WG_E_DTYPE, on
 *         its tape. */
double wg_global_norm(wg_tensor *const xs[], int n);

#ifdef __cplusplus
}
#endif
#endif
