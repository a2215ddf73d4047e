/* reduce.h: reductions of rows (see rows.h), of every element type; f32 is computed in double. All
 * compute rows [begin, end), y[row] from row `row` of x, and give the same bits however the rows
 * are divided among calls. x and y do not overlap. */
#ifndef WG_OPS_KERNELS_REDUCE_H
#define WG_OPS_KERNELS_REDUCE_H

#include "ops/kernels/rows.h"

/* wgk_sum_f64 (real.h) sums n doubles in eight compensated lanes. With S the sum of magnitudes, the
 * error is at most eps*|sum| + (n*eps)^2*S (Ogita, Rump, Oishi 2005, "Accurate sum and dot
 * product", prop. 4.5): for every n in reach it does not grow. So it is with all sums here. */

/* y = sum / divisor; empty rows have the sum 0. Integers wrap. */
void wgk_reduce_sum(const wgk_rows *rows, wgk_type type, const void *x, double divisor,
                    int64_t begin, int64_t end, void *y);

/* The sum of one row of floats, in parts of a multiple of 8 numbers but for the last: the bits are
 * those of wgk_reduce_sum. Lanes begin as zeros; the end is the total. */
enum { WGK_SUM_LANES = 8 };
typedef struct wgk_sum_lanes {
    double s[WGK_SUM_LANES], c[WGK_SUM_LANES];
} wgk_sum_lanes;

void wgk_sum_add(wgk_sum_lanes *lanes, wgk_type type, int64_t n, const void *x);
void wgk_sum_end(const wgk_sum_lanes *lanes, wgk_type type, double divisor, void *y);

/* y = the index in its row of the first largest entry (sign = 1) or smallest (sign = -1), or of the
 * first NaN where there is one. Rows are not empty.   amax: that entry itself. */
void wgk_reduce_argmax(const wgk_rows *rows, wgk_type type, const void *x, int sign, int64_t begin,
                       int64_t end, int64_t *y);
void wgk_reduce_amax(const wgk_rows *rows, wgk_type type, const void *x, int sign, int64_t begin,
                     int64_t end, void *y);

/* y = 1/k where x is one of the k entries of its row that equal the row's extreme (NaN equals NaN),
 * else 0. Writes the rows [begin, end) of y, which has the shape of x. Floats. */
void wgk_reduce_ties(const wgk_rows *rows, wgk_type type, const void *x, const void *extremes,
                     int64_t begin, int64_t end, void *y);

/* y = sqrt(sum of squares), scaled by a power of two where squares could overflow or underflow;
 * floats. */
void wgk_reduce_norm(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                     void *y);

#endif
