#ifndef WG_OPS_CUMSUM_H
#define WG_OPS_CUMSUM_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_cumsum: y_i = x_0 + ... + x_i along an axis (negative: from the last); reverse: y_i = x_i +
 * ... + x_(n-1).
 * Derivative: dx = cumsum(dy) from the other end.
 * Shape: x any of ndim >= 1 -> y the same; f32, f64, i64 (which wraps).
 * Sums are compensated (f32: made in double): the error does not grow with n.
 * Errors:  WG_E_VALUE (no such axis), WG_E_NULL, WG_E_STALE, WG_E_NOMEM, on the tape. */
wg_tensor *wg_cumsum(wg_tensor *x, int axis, bool reverse);

#ifdef __cplusplus
}
#endif
#endif
