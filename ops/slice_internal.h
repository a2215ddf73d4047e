#ifndef WG_OPS_SLICE_INTERNAL_H
#define WG_OPS_SLICE_INTERNAL_H

#include "ops/slice.h"

/* wg_slice_box: the elements begin[i] to begin[i] + size[i] of every axis i, which x has; a view
 * where they are one piece of x's memory. */
wg_tensor *wg_slice_box(wg_tensor *x, const int64_t *begin, const int64_t *size);

/* wg_slice_at: y[..] = x[.., index, ..]: the axis, which has that index, is left out. */
wg_tensor *wg_slice_at(wg_tensor *x, int axis, int64_t index);

/* What assemble computes, for its descriptor: the operands are places [n, ndim], constants of i64,
 * and n parts of floats; the attributes are wg_sizes. wg_assemble_place: where operand k begins. */
bool wg_assemble_shape(wg_tensor *y);
bool wg_assemble_check(const wg_tensor *y);
size_t wg_assemble_workspace(const wg_tensor *y);
void wg_assemble_forward(const wg_tensor *y, const wg_piece *piece);
void wg_assemble_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
const int64_t *wg_assemble_place(const wg_tensor *y, int k);

#endif
