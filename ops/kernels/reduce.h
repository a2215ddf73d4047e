/* reduce.h: reductions of rows (see rows.h). x and y are doubles, or floats where f32 is true; f32
 * is computed in double. All compute rows [begin, end), y[row] from row `row` of x, and give the
 * same bits however the rows are divided among calls. x and y do not overlap. */
#ifndef WG_OPS_KERNELS_REDUCE_H
#define WG_OPS_KERNELS_REDUCE_H

#include "ops/kernels/rows.h"

/* The sum of n doubles in eight compensated lanes. With S the sum of magnitudes, the error is at
 * most eps*|sum| + (n*eps)^2*S (Ogita, Rump, Oishi 2005, "Accurate sum and dot product", prop.
 * 4.5): for every n in reach it does not grow. */
double wgk_sum(int64_t n, const double *x);

/* y = sum / divisor; empty rows have the sum 0. */
void wgk_reduce_sum(const wgk_rows *rows, bool f32, const void *x, double divisor, int64_t begin,
                    int64_t end, void *y);
void wgk_reduce_sum_i64(const wgk_rows *rows, const int64_t *x, int64_t begin, int64_t end,
                        int64_t *y);

/* y = the index in its row of the first largest entry (sign = 1) or smallest (sign = -1), or of the
 * first NaN where there is one. Rows are not empty. */
void wgk_reduce_argmax(const wgk_rows *rows, bool f32, const void *x, int sign, int64_t begin,
                       int64_t end, int64_t *y);
void wgk_reduce_argmax_i64(const wgk_rows *rows, const int64_t *x, int sign, int64_t begin,
                           int64_t end, int64_t *y);

/* y = that entry itself. */
void wgk_reduce_amax(const wgk_rows *rows, bool f32, const void *x, int sign, int64_t begin,
                     int64_t end, void *y);
void wgk_reduce_amax_i64(const wgk_rows *rows, const int64_t *x, int sign, int64_t begin,
                         int64_t end, int64_t *y);

/* y = 1/k where x is one of the k entries of its row that equal `extreme` (one a row; NaN equals
 * NaN), else 0. Writes the rows [begin, end) of y, which has the shape of x. */
void wgk_reduce_ties(const wgk_rows *rows, bool f32, const void *x, const void *extreme,
                     int64_t begin, int64_t end, void *y);

/* y = sqrt(sum of squares), scaled by a power of two where squares could overflow or underflow. */
void wgk_reduce_norm(const wgk_rows *rows, bool f32, const void *x, int64_t begin, int64_t end,
                     void *y);

/* y = log(sum of exp); -inf for an empty row. */
void wgk_reduce_logsumexp(const wgk_rows *rows, bool f32, const void *x, int64_t begin, int64_t end,
                          void *y);

#endif
