#ifndef WG_OPS_INDEX_H
#define WG_OPS_INDEX_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ops that take and put elements by index. Values are f32, f64 or i64; indices are i64, count from
 * 0 (negative ones are errors), and are checked whenever the op is run, in a replay, too.
 * Derivatives do not pass through indices.
 *
 * Errors of all, on the tape: WG_E_INDEX (the message says where and what was found), WG_E_VALUE
 * (no such axis), WG_E_SHAPE, WG_E_DTYPE, WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_NOMEM. The tape
 * owns every result.
 * Sums are made in a fixed order and compensated (f32: in double): the same bits always, and an
 * error that does not grow with the number of terms. i64 sums wrap. */

/* wg_gather_rows: y[i, ...] = x[index[i], ...]: rows looked up in a table (an embedding).
 * Shape: x [r, ...] of ndim >= 1, index of any shape -> y index's shape, then x's without its
 * first.
 * Derivative: dx = scatter_add_rows(dy). */
wg_tensor *wg_gather_rows(wg_tensor *x, wg_tensor *index);

/* wg_scatter_add_rows: y[r, ...] = sum of x[i, ...] over the i with index[i] = r; 0 where there is
 * none.
 * Shape: x index's shape, then others -> y [rows, others].   Derivative: dx = gather_rows(dy). */
wg_tensor *wg_scatter_add_rows(wg_tensor *x, wg_tensor *index, int64_t rows);

/* wg_gather: y[.., i, ..] = x[.., index[.., i, ..], ..], i and the index standing on the axis
 * given; as PyTorch's gather.
 * Shape: index has x's ndim, and no more than x's size on each other axis -> y index's shape.
 * Derivative: dx = scatter_add of dy into zeros. */
wg_tensor *wg_gather(wg_tensor *x, int axis, wg_tensor *index);

/* wg_scatter_add: y = x, and to y[.., index[.., i, ..], ..] is added source[.., i, ..]; as
 * PyTorch's.
 * Shape: index has x's ndim, and no more than x's size on each other axis; source has index's shape
 *   -> y x's shape.
 * Derivative: dx = dy, dsource = gather(dy).   Note: recorded as a sum of x and what is
 * scattered. */
wg_tensor *wg_scatter_add(wg_tensor *x, int axis, wg_tensor *index, wg_tensor *source);

/* wg_one_hot: y[.., c] = 1 where labels[..] = c, else 0, for 0 <= c < classes.
 * Shape: labels (i64) of any shape -> y labels' shape, then classes; of the dtype given.  
 * Derivative: none. */
wg_tensor *wg_one_hot(wg_tensor *labels, int64_t classes, wg_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
