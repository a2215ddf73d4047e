#ifndef WG_OPS_SLICE_INTERNAL_H
#define WG_OPS_SLICE_INTERNAL_H

#include "ops/slice.h"

/* wg_slice_box: the elements begin[i] to begin[i] + size[i] of every axis i, which x has; a view
 * where they are one piece of x's memory. */
wg_tensor *wg_slice_box(wg_tensor *x, const int64_t *begin, const int64_t *size);

/* wg_slice_at: y[..] = x[.., index, ..]: the axis, which has that index, is left out. */
wg_tensor *wg_slice_at(wg_tensor *x, int axis, int64_t index);

#endif
