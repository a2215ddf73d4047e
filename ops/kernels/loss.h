/* loss.h: classification losses from logits, and their gradients, in double. */
#ifndef WGK_LOSS_H
#define WGK_LOSS_H

#include <stdint.h>

/* ---- Elementwise, n elements. A zero coefficient contributes 0 even where its factor is infinite. The
 * result is written while operands are read, so it must not overlap them. --------------------------- */

/* l = (1 - y)*softplus(z) + w*y*softplus(-z) */
void wgk_bce(int64_t n, const double *z, const double *y, double w, double *l);

/* dz = dl * ((1 - y)*sigmoid(z) - w*y*sigmoid(-z)) */
void wgk_bce_grad(int64_t n, const double *dl, const double *z, const double *y, double w,
                  double *dz);

/* v = c*x, and 0 where c = 0 and x is infinite */
void wgk_weigh(int64_t n, const double *c, const double *x, double *v);

/* ---- One row of n logits z, which is overwritten. -------------------------------------------------- */

/* logsumexp(z) - z[label] */
double wgk_cross_entropy(int64_t n, double *z, int64_t label);

/* z becomes dl * (softmax(z) - onehot(label)) */
void wgk_cross_entropy_grad(int64_t n, double *z, int64_t label, double dl);

/* The same for WGK_LOSS_ROWS rows at once, 0 < n <= WGK_LOSS_CLASSES: entry k of row r is
 * z[k * WGK_LOSS_ROWS + r], so that every step is one over neighbours. A row's result does not depend
 * on the others, nor on its place. */
enum { WGK_LOSS_ROWS = 16, WGK_LOSS_CLASSES = 64 };
void wgk_cross_entropy_group(int64_t n, double *z, const int64_t *label, double *l);
void wgk_cross_entropy_grad_group(int64_t n, double *z, const int64_t *label, const double *dl);

/* sum_k q_k * (logsumexp(z) - z_k); terms: workspace of n doubles. */
double wgk_soft_cross_entropy(int64_t n, double *z, const double *q, double *terms);

/* z becomes dl * (sum_k q_k * softmax(z) - q) for q >= 0 */
void wgk_soft_cross_entropy_grad(int64_t n, double *z, const double *q, double dl);

#endif
