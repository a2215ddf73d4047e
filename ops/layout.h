#ifndef WG_OPS_LAYOUT_H
#define WG_OPS_LAYOUT_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of axes as two arguments, how many and which: wg_permute(x, WG_AXES(1, 0)). Negative axes
 * count from the last. No axis at all is WG_NO_AXES. */
#ifdef __cplusplus
#define WG_AXES(...) WG_CXX_LIST(int, __VA_ARGS__)
#else
#define WG_AXES(...)                                                                               \
    (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)), (const int[])                         \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#endif
#define WG_NO_AXES 0, NULL

/* Ops that move, repeat or add up elements by their index. All take f32, f64 and i64.
 *
 * Errors of all, on the tape: WG_E_NULL (an operand, or a list that is not empty), WG_E_SHAPE,
 * WG_E_VALUE (no such axis, or one given twice), WG_E_STALE, WG_E_NOMEM. The tape owns every
 * result. A "view" shares its operand's memory and costs nothing. */

/* wg_reshape: the same elements, in row-major order, with another shape; a view. One size may be
 * -1: it is what the others leave (WG_E_SHAPE where that is not one number, as when another size is
 * 0).
 * Derivative: dx = dy, reshaped back. */
wg_tensor *wg_reshape(wg_tensor *x, int ndim, const int64_t *dim);

/* wg_squeeze: leaves out the axes given, which must have size 1; a view, recorded as wg_reshape. */
wg_tensor *wg_squeeze(wg_tensor *x, int n_axes, const int *axes);

/* wg_expand_dims: puts in axes of size 1, which are the axes given of the result; a view, recorded
 * as wg_reshape. */
wg_tensor *wg_expand_dims(wg_tensor *x, int n_axes, const int *axes);

/* wg_permute: axis i of y is axis axes[i] of x; every axis is given once. A copy.
 * Derivative: dx = dy, permuted back. */
wg_tensor *wg_permute(wg_tensor *x, int n_axes, const int *axes);

/* wg_transpose: two axes change places, as wg_permute. */
wg_tensor *wg_transpose(wg_tensor *x, int axis, int other);

/* wg_t: the transpose of a matrix, as wg_permute; WG_E_SHAPE for another ndim.
 * Note: wg_matmul_t has flags for this, which copy nothing. */
wg_tensor *wg_t(wg_tensor *x);

/* wg_broadcast_to: x repeated to the shape given, by NumPy's rule: shapes are aligned at the last
 * axis, and axes of x that are missing or of size 1 are repeated (0 times, too). x itself where the
 * shape is already x's (PyTorch's expand).
 * Derivative: dx = sum_to(dy, x). */
wg_tensor *wg_broadcast_to(wg_tensor *x, int ndim, const int64_t *dim);

/* wg_sum_to: the reverse of broadcasting, for derivative rules: the sums of x over the axes along
 * which a tensor of like's shape is repeated when it is broadcast to x's. Only like's shape is
 * read; x itself where the shapes are the same.
 * Derivative: dx = broadcast_to(dy).
 * Sums are compensated (f32: made in double): the error does not grow with the number of terms; a
 * sum of nothing is 0; i64 wraps. */
wg_tensor *wg_sum_to(wg_tensor *x, const wg_tensor *like);

/* wg_detach: x's values, cut off from derivatives: the gradient is declared to be zero. A copy.
 * A detached value is computed anew by a replay; a gradient check holds it where it is. */
wg_tensor *wg_detach(wg_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
