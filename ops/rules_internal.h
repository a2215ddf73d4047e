#ifndef WG_OPS_RULES_INTERNAL_H
#define WG_OPS_RULES_INTERNAL_H

#include "autograd/op.h"

/* Builders of the ops that derivative rules are written in. A derivative in one pass, y = dy f'(x),
 * is linear in dy and has a rule of its own, so that there are derivatives of every order; where
 * it has kinks the cotangent is selected, never multiplied. Shapes, dtypes and errors as in
 * ops/elementwise.h. */

/* ---- Of activations; p = sigmoid(x), q = sigmoid(-x) ----------------------------------------- */

/* wg_sigmoid_grad: y = dy p q.   Derivative in x: y (q - p) = -y tanh(x/2). */
wg_tensor *wg_sigmoid_grad(wg_tensor *dy, wg_tensor *x);

/* wg_relu_grad: dy, or 0 where x <= 0; the cotangent is selected, never multiplied.
 * Derivative in x: none. */
wg_tensor *wg_relu_grad(wg_tensor *dy, wg_tensor *x);

/* wg_leaky_relu_grad: dy where x > 0, c dy elsewhere.   Derivative in x: none. */
wg_tensor *wg_leaky_relu_grad(wg_tensor *dy, wg_tensor *x, double c);

/* wg_elu_grad: dy where x > 0, dy c exp(x) elsewhere.   Derivative in x: 0, and y. */
wg_tensor *wg_elu_grad(wg_tensor *dy, wg_tensor *x, double c);

/* wg_gelu_grad: y = dy (F(x) + x f(x)).   Derivative in x: dy f(x) (2 - x^2). */
wg_tensor *wg_gelu_grad(wg_tensor *dy, wg_tensor *x);

/* wg_gelu_tanh_grad: y = dy (P + x P Q v'), v = 2u, P = sigmoid(v), Q = sigmoid(-v).
 * Derivative in x: dy P Q (2 v' + x v'' - x v'^2 tanh(v/2)). */
wg_tensor *wg_gelu_tanh_grad(wg_tensor *dy, wg_tensor *x);

/* wg_silu_grad: y = dy p (1 + x q).   Derivative in x: dy p q (2 - x tanh(x/2)). */
wg_tensor *wg_silu_grad(wg_tensor *dy, wg_tensor *x);

/* ---- Of arithmetic --------------------------------------------------------------------------- */

/* wg_times: (high + low) x, with a constant that is no double: high is the nearest, low the rest,
 * which only wide floats see. WG_TIMES(x, 0.398942280401432677939946059934381868): the same, of a
 * literal with digits for every type.   Derivative: of the same form. */
wg_tensor *wg_times(wg_tensor *x, double high, double low);
#if WG_HAS_WIDE
#define WG_TIMES(x, c) wg_times(x, c, (double)(WG_K(wide, c) - (wg_wide)(c)))
#else
#define WG_TIMES(x, c) wg_times(x, c, 0)
#endif

/* wg_one_minus_square: y = 1 - x^2 as (1 - x)(1 + x), accurate near +-1.   Derivative: -2x. */
wg_tensor *wg_one_minus_square(wg_tensor *x);

/* wg_maximum_grad: a's part in the cotangent of maximum(a, b): dy where a > b, dy/2 where a = b, 0
 * where a < b. Derivative in dy: the same selection. b's part is wg_maximum_grad(dy, b, a), and
 * minimum's are these two exchanged. */
wg_tensor *wg_maximum_grad(wg_tensor *dy, wg_tensor *a, wg_tensor *b);

/* wg_clamp_grad: dy where low <= x <= high, otherwise 0. Derivative in dy: the same selection. */
wg_tensor *wg_clamp_grad(wg_tensor *dy, wg_tensor *x, double low, double high);

/* ---- Of functions ---------------------------------------------------------------------------- */

/* wg_tanh_grad: y = dy / cosh(x)^2.   Derivatives: 1/cosh(x)^2 and -2 y tanh x. */
wg_tensor *wg_tanh_grad(wg_tensor *dy, wg_tensor *x);

/* wg_scaled_pow: y = c a^b, and 0 where c = 0, also where a^b is infinite or NaN.
 * Derivatives: in c: a^b.   In a: (c b) a^(b-1), again 0 where c b = 0.   In b: as wg_pow, times c.
 * The derivatives of a^b of every order are of this form, and 0 a^-1 stays 0 at a = 0. */
wg_tensor *wg_scaled_pow(wg_tensor *c, wg_tensor *a, wg_tensor *b);

/* wg_logaddexp_grad: y = e^a / (e^a + e^b), which is 1/2 at (inf, inf) and 0 at (-inf, -inf).
 * Derivatives: y z and -y z, where z is the same of (b, a). */
wg_tensor *wg_logaddexp_grad(wg_tensor *a, wg_tensor *b);

/* ---- Of losses ------------------------------------------------------------------------------- */

/* wg_bce_grad: dz = u ((1 - t) sigmoid(z) - w t sigmoid(-z)), recorded by bce_with_logits' rule. */
wg_tensor *wg_bce_grad(wg_tensor *u, wg_tensor *z, wg_tensor *t, double w);

#endif
