#ifndef WG_AUTOGRAD_GRAD_H
#define WG_AUTOGRAD_GRAD_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_grad: gs[i] = dy/dxs[i] for a y of one element, recorded on the tape with the same ops as
 * everything else: a gradient can be printed, replayed, and differentiated again.
 * Shapes: gs[i] as xs[i]. An x may be a parameter, an input or any value older than y, and may be
 *   given twice. An x that y does not depend on gets zeros, or, on a tape with the option
 *   strict_grad, is WG_E_VALUE.
 * Cost: about that of computing y, once, from the xs on; what else is on the tape costs nothing.
 * Errors: WG_E_NULL, WG_E_TAPE, WG_E_SHAPE (y has not one element), WG_E_DTYPE (y or an x is i64),
 *   WG_E_STALE, WG_E_NO_RULE, WG_E_NOMEM; the gs are then inert. Returns the tape's status. */
wg_status wg_grad(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *gs[]);

/* wg_vjp: gs[i] = sum_j dy[j] * d y[j] / d xs[i]: the product of the cotangent dy (y's shape and
 * dtype) with the Jacobian of y. Otherwise as wg_grad, which is wg_vjp with a dy of ones. The list
 * gs must not overlap the others. */
wg_status wg_vjp(wg_tensor *y, wg_tensor *dy, wg_tensor *const xs[], int n, wg_tensor *gs[]);

/* wg_vjp_many: the same for m outputs: gs[i] = sum_k sum_j dys[k][j] * d ys[k][j] / d xs[i], in one
 * walk. m >= 1. Errors: as wg_vjp. */
wg_status wg_vjp_many(wg_tensor *const ys[], wg_tensor *const dys[], int m, wg_tensor *const xs[],
                      int n, wg_tensor *gs[]);

/* wg_backward: the gradient of y with respect to every parameter that is older than y, left beside
 * the parameter for wg_grad_of; it replaces what an earlier call left. Errors: as wg_grad; on an
 * error the parameters keep what they had. */
wg_status wg_backward(wg_tensor *y);

/* wg_grad_of: what the last wg_backward left beside a parameter; NULL if there is nothing. */
wg_tensor *wg_grad_of(const wg_tensor *param);

#ifdef __cplusplus
}
#endif
#endif
