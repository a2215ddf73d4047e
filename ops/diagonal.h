#ifndef WG_OPS_DIAGONAL_H
#define WG_OPS_DIAGONAL_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Both: f32, f64, i64; copies.   Errors: WG_E_SHAPE, WG_E_NULL, WG_E_STALE, WG_E_NOMEM, on the
 * tape. */

/* wg_diagonal: y[..., i] = x[..., i, i]: the main diagonal of the last two axes, as many as the
 * shorter of them has.
 * Shape: x [..., n, m] -> y [..., min(n, m)].   Derivative: dx = diagonal_embed(dy). */
wg_tensor *wg_diagonal(wg_tensor *x);

/* wg_diagonal_embed: y[..., i, i] = x[..., i], else 0; k must be min(n, m).
 * Shape: x [..., k] -> y [..., n, m].   Derivative: dx = diagonal(dy). */
wg_tensor *wg_diagonal_embed(wg_tensor *x, int64_t n, int64_t m);

#ifdef __cplusplus
}
#endif
#endif
