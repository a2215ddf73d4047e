/* loss.h: classification losses from logits, and their gradients. */
#ifndef WGK_LOSS_H
#define WGK_LOSS_H

#include "ops/kernels/elementwise.h"

/* ---- Binary cross-entropy: maps (elementwise.h); attrs is the weight w. A zero coefficient contributes
 * 0 even where its factor is infinite. In units of the type's epsilon, loss and dz are within 4 (double: 10,
 * because libmvec's exp and log1p are within 4 each) of themselves where y is 0 or 1; elsewhere dz is of
 * the sum of its two terms' magnitudes. ------------------------------------------------------------------ */

/* z, y: l = (1 - y)*softplus(z) + w*y*softplus(-z) */
extern wgk_map wgk_bce_f32, wgk_bce_f64;

/* dl, z, y: dz = dl * ((1 - y)*sigmoid(z) - w*y*sigmoid(-z)) */
extern wgk_map wgk_bce_grad_f32, wgk_bce_grad_f64;

/* ---- Rows of 0 < classes <= WGK_LOSS_CLASSES logits, z [rows, classes]. `ignored` is NULL, or a label
 * whose rows have the loss and the slopes 0. A row's result depends neither on the others nor on its place;
 * losses and slopes are within 8 epsilons (double: 12) of themselves. -------------------------------------- */
enum { WGK_LOSS_CLASSES = 64 };

/* l = logsumexp(z) - z[label] */
void wgk_cross_entropy_few_f32(int64_t rows, int64_t classes, const float *z, const int64_t *label,
                               const int64_t *ignored, float *l);
void wgk_cross_entropy_few_f64(int64_t rows, int64_t classes, const double *z, const int64_t *label,
                               const int64_t *ignored, double *l);

/* dz = dl * (softmax(z) - onehot(label)) */
void wgk_cross_entropy_grad_few_f32(int64_t rows, int64_t classes, const float *dl, const float *z,
                                    const int64_t *label, const int64_t *ignored, float *dz);
void wgk_cross_entropy_grad_few_f64(int64_t rows, int64_t classes, const double *dl,
                                    const double *z, const int64_t *label, const int64_t *ignored,
                                    double *dz);

/* ---- One row of n logits z in double, which is overwritten. --------------------------------------------- */

/* logsumexp(z) - z[label] */
double wgk_cross_entropy(int64_t n, double *z, int64_t label);

/* z becomes dl * (softmax(z) - onehot(label)) */
void wgk_cross_entropy_grad(int64_t n, double *z, int64_t label, double dl);

/* sum_k q_k * (logsumexp(z) - z_k); terms: workspace of n doubles. */
double wgk_soft_cross_entropy(int64_t n, double *z, const double *q, double *terms);

/* z becomes dl * (sum_k q_k * softmax(z) - q) for q >= 0 */
void wgk_soft_cross_entropy_grad(int64_t n, double *z, const double *q, double dl);

#endif
