/* softmax.h: softmax and its relatives, on rows (rows.h) of floats of every type; f32 is computed
 * in double. All compute the rows [begin, end), in workspace for as many rows as stands beside them
 * (wgk_softmax_workspace). Outputs do not overlap operands. */
#ifndef WG_OPS_KERNELS_SOFTMAX_H
#define WG_OPS_KERNELS_SOFTMAX_H

#include "ops/kernels/rows.h"

/* Bytes of workspace for `count` rows, as below; where rows are taken together, for as many of
 * them. */
size_t wgk_softmax_workspace(const wgk_rows *rows, wgk_type type, int count);

/* y = softmax(x), 1 row; y = log_softmax(x), 2 rows; y[row] = logsumexp(x), 1 row. */
void wgk_softmax(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                 void *y, void *workspace);
void wgk_log_softmax(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                     void *y, void *workspace);
void wgk_logsumexp(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                   void *y, void *workspace);

/* y = u - sum_j p_j u_j with p = softmax(x), accurate however certain the row is; 2 rows. */
void wgk_log_softmax_jvp(const wgk_rows *rows, wgk_type type, const void *u, const void *x,
                         int64_t begin, int64_t end, void *y, void *workspace);

/* ---- Softmax cross-entropy: z logits, one label and one loss a row --------------------------- */

/* l = logsumexp(z) - z[label]; dz = dl * (softmax(z) - onehot(label)); both 0 where the label is
 * *ignored (NULL: nowhere), whatever z is. 1 row. */
void wgk_cross_entropy(const wgk_rows *rows, wgk_type type, const void *z, const int64_t *label,
                       const int64_t *ignored, int64_t begin, int64_t end, void *l,
                       void *workspace);
void wgk_cross_entropy_grad(const wgk_rows *rows, wgk_type type, const void *dl, const void *z,
                            const int64_t *label, const int64_t *ignored, int64_t begin,
                            int64_t end, void *dz, void *workspace);

/* l = sum_k q_k * (logsumexp(z) - z_k), 3 rows; dz = dl * (sum_k q_k * softmax(z) - q), 2 rows,
 * with dl = -1 where that is NULL. Both 0 where all q_k are, whatever z is; and q_k = 0 contributes
 * 0 to l even where z_k is -inf. */
void wgk_soft_cross_entropy(const wgk_rows *rows, wgk_type type, const void *z, const void *q,
                            int64_t begin, int64_t end, void *l, void *workspace);
void wgk_soft_cross_entropy_grad(const wgk_rows *rows, wgk_type type, const void *dl, const void *z,
                                 const void *q, int64_t begin, int64_t end, void *dz,
                                 void *workspace);

#endif
