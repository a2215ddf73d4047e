#ifndef WG_OPS_REDUCE_INTERNAL_H
#define WG_OPS_REDUCE_INTERNAL_H

#include "ops/reduce.h"

/* wg_sum_bits: wg_sum_over, with bit i of `axes` for axis i.   wg_norm2_over: wg_norm_over of order
 * 2. */
wg_tensor *wg_sum_bits(wg_tensor *x, uint32_t axes, bool keep);
wg_tensor *wg_norm2_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

#endif
