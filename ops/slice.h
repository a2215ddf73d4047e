#ifndef WG_OPS_SLICE_H
#define WG_OPS_SLICE_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ops that take tensors apart and put them together. All take f32, f64 and i64; axes that are
 * negative count from the last.
 *
 * Errors of all, on the tape: WG_E_NULL, WG_E_VALUE (no such axis), WG_E_SHAPE, WG_E_DTYPE
 * (operands of two dtypes), WG_E_TAPE, WG_E_STALE, WG_E_NOMEM. The tape owns every result. */

#define WG_END INT64_MAX /* "to the end" of an axis */

/* wg_slice: elements [begin, end) of an axis, as Python slices: a negative index counts from the
 * end, an index outside is brought to the nearest end, and begin >= end gives size 0.
 * Shape: x (.., n, ..) -> y (.., end - begin, ..).   Derivative: dx = dy, padded with zeros.
 *   Slices of one x cost their own size: their cotangents meet in one tensor of x's size.
 * Memory: on the leading axis (or behind axes of size 1) a view of x's memory, which follows x to
 *   other memory when it is bound; on another axis a copy. */
wg_tensor *wg_slice(wg_tensor *x, int axis, int64_t begin, int64_t end);

/* wg_pad: x with before[i] elements of `value` before and after[i] behind it on axis i:
 * wg_pad(x, WG_SHAPE(1, 0), WG_SHAPE(1, 0), 0.0) for a matrix x.
 * Derivative: dx = the part of dy where x stands.
 * Errors: WG_E_VALUE for a negative count, or a value that x's dtype cannot hold (i64: truncated);
 *   WG_E_SHAPE where the lists do not have one count for each axis. */
wg_tensor *wg_pad(wg_tensor *x, int n_before, const int64_t *before, int n_after,
                  const int64_t *after, double value);

/* wg_concat: n >= 1 tensors one behind the other along an axis; their other sizes are the same.
 * Derivative: dx_i = the part of dy where x_i stands. A tensor may be given twice.
 * Errors: as for the whole file; n < 1 names no tape to record one on, and gives an inert
 *   tensor. */
wg_tensor *wg_concat(wg_tensor *const xs[], int n, int axis);

/* wg_stack: n >= 1 tensors of one shape along a new axis, which is that axis of the result.
 * Derivative, errors: as wg_concat. */
wg_tensor *wg_stack(wg_tensor *const xs[], int n, int axis);

/* wg_split: parts[i] = the next sizes[i] elements along an axis, n >= 1 slices that together are x;
 * with sizes NULL, n parts of equal size.
 * Derivative: dx = the cotangents of the parts, one behind the other.
 * Returns the tape's status; on an error every part is inert. Errors: WG_E_SHAPE where the sizes
 * are not x's size, or cannot be equal; WG_E_VALUE where n < 1. */
wg_status wg_split(wg_tensor *x, int axis, int n, const int64_t *sizes, wg_tensor *parts[]);

/* wg_unstack: parts[i] = x[.., i, ..], n >= 1 slices without the axis, whose size is n.
 * Derivative: dx = the cotangents of the parts, stacked.   Returns, errors: as wg_split; WG_E_SHAPE
 * where the axis has another size. */
wg_status wg_unstack(wg_tensor *x, int axis, int n, wg_tensor *parts[]);

#ifdef __cplusplus
}
#endif
#endif
