#ifndef WG_OPS_MATMUL_H
#define WG_OPS_MATMUL_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_matmul: y = a * b, the matrix product over the last two axes.
 * Shape:   (..., m, k) x (..., k, n) -> (..., m, n); the leading axes broadcast. As NumPy: an a of
 *          one axis is a row, a b of one axis is a column, and that axis is left out of y:
 *          (m, k) x (k) -> (m),  (k) x (k, n) -> (n),  (k) x (k) -> ().
 * Derivative:   da = dy * b^T, db = a^T * dy, summed over the batch axes that were broadcast.
 * Edges:   k = 0 gives zeros; NaN and infinities propagate (0 * inf is NaN).
 * Errors:  WG_E_SHAPE (ndim 0, inner sizes, batch axes), WG_E_DTYPE (f32 or f64, both the
 *          same), WG_E_NULL, WG_E_STALE, WG_E_NOMEM, on the tape. */
wg_tensor *wg_matmul(wg_tensor *a, wg_tensor *b);

/* wg_matmul_t: the same with a, b or both transposed in their last two axes; nothing is copied for
 * it. One axis transposed is itself. */
wg_tensor *wg_matmul_t(wg_tensor *a, bool transpose_a, wg_tensor *b, bool transpose_b);

/* wg_dot: y = sum_i a_i * b_i of two tensors of one axis: (k) x (k) -> ().
 * Errors: as wg_matmul, and WG_E_SHAPE for another ndim. */
wg_tensor *wg_dot(wg_tensor *a, wg_tensor *b);

/* wg_outer: y_ij = a_i * b_j: (m) x (n) -> (m, n).   Errors: as wg_dot. */
wg_tensor *wg_outer(wg_tensor *a, wg_tensor *b);

#ifdef __cplusplus
}
#endif
#endif
