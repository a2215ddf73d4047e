/* loss.h: classification losses from logits, and their gradients. */
#ifndef WG_OPS_KERNELS_LOSS_H
#define WG_OPS_KERNELS_LOSS_H

#include "ops/kernels/elementwise.h"

/* Errors below are in units of the type's epsilon, relative to the result in exact arithmetic,
 * from operands and w as the type has them, where exp(-|z|), terms and results are normal numbers.
 * Derived to first order in u = epsilon/2, one for each rounding, from E for exp and G for log1p:
 * for float E = 1.5, G = 3 (loss.c) or, for logarithms of sums, 8; for double, E = G = 8. (libmvec:
 * 4 ULP, each 2 u at most; libm is closer.) */

/* ---- Binary cross-entropy: maps (elementwise.h); attrs is the weight w. A zero coefficient
 * contributes 0 even where its factor is infinite. The loss is within 4 (double: 10). dz is within
 * 4 (double: 7) where y is 0 or 1; elsewhere it is within 5 (double: 8) of the sum of its two
 * terms' magnitudes.
 *   Loss: log1p(exp(-|z|)) has H = E + G, since log1p makes no relative error larger; for float H
 * is less than 4, tried with all of them. Then softplus, 1 - y or w*y, their product, and the sum:
 * H + 4 u.
 *   dz: e = exp(-|z|) has E, 1 + e, 1/(1 + e) and e/(1 + e) one each: E + 3; then the product with
 * y's coefficient and that with dl: E + 5. Where y is neither 0 nor 1, its coefficient and the
 * difference are rounded, too: E + 7. */

/* z, y: l = (1 - y)*softplus(z) + w*y*softplus(-z) */
extern wgk_map wgk_bce_with_logits_f32, wgk_bce_with_logits_f64;

/* dl, z, y: dz = dl * ((1 - y)*sigmoid(z) - w*y*sigmoid(-z)) */
extern wgk_map wgk_bce_grad_f32, wgk_bce_grad_f64;

/* ---- Rows of 0 < classes <= WGK_LOSS_CLASSES logits, z [rows, classes]. `ignored` is NULL, or a
 * label whose rows have the loss and the derivatives 0. A row's result depends neither on the
 * others nor on where it stands; losses and derivatives are within 8 (double: 12).
 *   A term exp(z - largest) has T = E + 1 (what z - largest loses is made good, with one rounding);
 * rest, the sum of the others than the largest's, which is 1, T + 1 (compensated).
 *   Loss: log1p(rest) has T + 1 + G; z[label] - largest and the sum of both, whose signs are alike,
 * one each: T + G + 2 at most.
 *   Derivatives: the terms' errors in p = term/total cancel but for those of the term itself
 * against the others', (1 - p) 2T; and rest, 1 + rest, its inverse, dl and the product are rounded:
 * 2T + 5.
 *   At the label: with N the terms of all others, those errors are (1 - N/total) 2T, at most T,
 * because N has the largest's 1 in it, or is rest, and the 1 exact. N is rounded four times (rest,
 * 1 + rest, which is at most twice N, and N), the factor dl/total four times, as above, their
 * product once: T + 9. */
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

#endif
