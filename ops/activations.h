#ifndef WG_OPS_ACTIVATIONS_H
#define WG_OPS_ACTIVATIONS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Activations, f32 and f64; shapes and errors as in ops/elementwise.h. Values and derivatives are
 * finite or exact limits for every x that is not NaN, +-inf included. (wg_leaky_relu and wg_elu:
 * for a finite c that is not 0.) Below, p = sigmoid(x) and q = sigmoid(-x). */

/* wg_sigmoid: y = 1 / (1 + exp(-x)), from exp(-|x|).   Derivative: p q, where q is computed,
 * because 1 - p would cancel. */
wg_tensor *wg_sigmoid(wg_tensor *x);

/* wg_softplus: y = log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).   Derivative: p.
 * Edges:  -inf -> 0, +inf -> +inf; never overflows.
 * Source: Maechler 2012, "Accurately computing log(1 - exp(-|a|))", sec. 2. */
wg_tensor *wg_softplus(wg_tensor *x);

/* wg_log_sigmoid: y = log p = min(x, 0) - log1p(exp(-|x|)).   Derivative: q.
 * Edges:  -inf -> -inf, +inf -> 0. */
wg_tensor *wg_log_sigmoid(wg_tensor *x);

/* wg_relu: y = max(x, 0).   Derivative: 1 where x > 0, 0 at 0 and below.
 * Edges:  NaN -> NaN, with derivative 1. */
wg_tensor *wg_relu(wg_tensor *x);

/* wg_leaky_relu: y = x where x > 0, c x elsewhere; usual c: 0.01.
 * Derivative:  1, and c at 0 and below. */
wg_tensor *wg_leaky_relu(wg_tensor *x, double c);

/* wg_elu: y = x where x > 0, c (exp(x) - 1) elsewhere; usual c: 1.
 * Derivative:  1, and c exp(x) at 0 and below.
 * Source: Clevert, Unterthiner, Hochreiter 2016, eq. 14. */
wg_tensor *wg_elu(wg_tensor *x, double c);

/* wg_relu6: y = min(max(x, 0), 6).   Derivative: 1 where 0 < x < 6, 0 at both and outside. */
wg_tensor *wg_relu6(wg_tensor *x);

/* wg_selu: y = s x where x > 0, s c (exp(x) - 1) elsewhere; s = 1.0507.., c = 1.6732.. keep the
 * mean 0 and the variance 1 of normal inputs.   Derivative: s, and s c exp(x) at 0 and below.
 * Source: Klambauer et al. 2017, "Self-normalizing neural networks", eq. 2. */
wg_tensor *wg_selu(wg_tensor *x);

/* wg_softsign: y = x / (1 + |x|).   Derivative: 1/(1 + |x|)^2.
 * Edges: +-inf -> +-1, derivative 0. */
wg_tensor *wg_softsign(wg_tensor *x);

/* wg_hardswish: y = x min(max(x + 3, 0), 6) / 6.   Derivative: 0 below -3, 1 above 3, x/3 + 1/2
 * between and at both.   Edges: -inf -> 0.
 * Source: Howard et al. 2019, "Searching for MobileNetV3", sec. 5.2. */
wg_tensor *wg_hardswish(wg_tensor *x);

/* wg_mish: y = x tanh(softplus(x)).   Derivative: tanh(s) + x p / cosh(s)^2, s = softplus(x).
 * Edges: as wg_silu.
 * Source: Misra 2019, "Mish: a self regularized non-monotonic activation", eq. 1. */
wg_tensor *wg_mish(wg_tensor *x);

/* wg_gelu: y = x F(x), F the normal distribution function, through erfc so that the lower tail
 * keeps its digits (relative error of the tail: x^2 round-offs).
 * Derivative:  F(x) + x f(x), f the normal density.
 * Edges: -inf -> -0, +inf -> +inf, derivatives 0 and 1.
 * Source: Hendrycks, Gimpel 2016, "Gaussian error linear units". */
wg_tensor *wg_gelu(wg_tensor *x);

/* wg_gelu_tanh: y = x (1 + tanh(u)) / 2 = x sigmoid(2u), u = (2/pi)^(1/2) (x + 0.044715 x^3): the
 * approximation of gelu in the same paper.   Edges: as wg_gelu. */
wg_tensor *wg_gelu_tanh(wg_tensor *x);

/* wg_silu: y = x p.   Derivative: p (1 + x q).
 * Edges: -inf -> -0, +inf -> +inf, derivatives 0 and 1. */
wg_tensor *wg_silu(wg_tensor *x);

#ifdef __cplusplus
}
#endif
#endif
