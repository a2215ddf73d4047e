#ifndef WG_MODELS_METRICS_H
#define WG_MODELS_METRICS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_accuracy: the share of entries in which `predicted` equals `truth`, in [0, 1].
 * Shape:  both the same, and of the same dtype.
 * Edges:  NaN equals nothing; the accuracy of nothing is NaN.
 * Errors: WG_E_SHAPE, WG_E_DTYPE, WG_E_STALE, WG_E_TAPE, WG_E_NULL, on the tape; the result is then NaN. */
double wg_accuracy(const wg_tensor *predicted, const wg_tensor *truth);

#ifdef __cplusplus
}
#endif
#endif
