#ifndef WG_OPS_REDUCE_INTERNAL_H
#define WG_OPS_REDUCE_INTERNAL_H

#include "ops/reduce.h"

/* wg_sum_rows_write_c: y = the sum of operand 0, of this shape, over the axes, through a divisor,
 * as C. */
void wg_sum_rows_write_c(wg_c_writer *c, const wg_shape *shape, uint32_t axes, int64_t divisor);

/* wg_sum_bits: wg_sum_over, with bit i of `axes` for axis i.   wg_norm2_over: wg_norm_over of order
 * 2. */
wg_tensor *wg_sum_bits(wg_tensor *x, uint32_t axes, bool keep);
wg_tensor *wg_norm2_over(wg_tensor *x, int n_axes, const int *axes, bool keep);

/* How reductions are written as C: the four extremes alike. */
void wg_sum_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_mean_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_extreme_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_tie_share_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
void wg_norm2_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);

#endif
