#ifndef WG_OPS_NORMALIZE_H
#define WG_OPS_NORMALIZE_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_layer_norm: along the last axis, y = gain * (x - mean) / sqrt(variance + epsilon) + bias, with
 * the variance divided by n. gain and bias may be NULL: then there is none.
 * Shape:   x (..., d), gain (d), bias (d) -> y as x; f32, f64.
 * Options: epsilon > 0; 1e-5 is what others take.
 * Edges:   a row of equal entries gives bias; NaN or infinity makes its row NaN.
 * Errors:  WG_E_VALUE (epsilon; x has no axis), WG_E_SHAPE (gain or bias), WG_E_DTYPE, WG_E_NULL,
 *          WG_E_TAPE, WG_E_STALE, WG_E_NOMEM, on the tape.
 * Note:    recorded as other ops; its derivatives are theirs.
 * Source:  Ba, Kiros, Hinton 2016, "Layer normalization", eq. 3 and 4. */
wg_tensor *wg_layer_norm(wg_tensor *x, wg_tensor *gain, wg_tensor *bias, double epsilon);

#ifdef __cplusplus
}
#endif
#endif
