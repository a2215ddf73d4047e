#include "ops/activations.h"

#include "ops/elementwise_internal.h"

/* clang-format off */

/* p = sigmoid(x), q = sigmoid(-x), p' = p q, and (p q)' = p q (q - p) = -p q tanh(x/2): tanh,
 * because q - p cancels near 0. The derivative is computed from x: in y = p it would be y (1 - y), and
 * for large x the last digits of y are all that is left of 1 - y. */
WG_UNARY(sigmoid, x, "y = 1 / (1 + e^-x)", wg_sigmoid_grad(dy, x), WG_SMOOTH)
WG_BINARY(sigmoid_grad, u, x, "y = u sigmoid(x) sigmoid(-x)", wg_sigmoid_grad(dy, x),
          wg_neg(wg_product(dy, y, wg_tanh(wg_scale(x, 0.5)))), WG_SMOOTH)

WG_UNARY(softplus, x, "y = log(1 + e^x)", wg_mul(dy, wg_sigmoid(x)), WG_SMOOTH,
         .source = "Maechler 2012, Accurately computing log(1 - exp(-|a|)), sec. 2")
WG_UNARY(log_sigmoid, x, "y = -log(1 + e^-x)", wg_mul(dy, wg_sigmoid(wg_neg(x))), WG_SMOOTH)

/* ---- Rectifiers: at 0 the derivative is that of the left side. ------------------------------------ */

WG_UNARY(relu, x, "y = max(x, 0)", wg_relu_grad(dy, x), WG_KINKED)
WG_BINARY(relu_grad, u, x, "y = u, 0 where x <= 0", wg_relu_grad(dy, x), NULL, WG_KINKED)

WG_UNARY_C(leaky_relu, x, "y = x where x > 0, c x elsewhere", wg_leaky_relu_grad(dy, x, WG_C(y)),
           WG_KINKED)
WG_BINARY_C(leaky_relu_grad, u, x, "y = u where x > 0, c u elsewhere",
            wg_leaky_relu_grad(dy, x, WG_C(y)), NULL, WG_KINKED)

/* dy u c e^x where x <= 0, otherwise 0: elu's derivative less that of the identity on x > 0. */
static wg_tensor *elu_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x, double c)
{
    wg_tensor *g = wg_mul(dy, u);
    wg_tensor *derivative = wg_elu_grad(g, x, c);
    return wg_sub(derivative, wg_relu_grad(g, x));
}

WG_UNARY_C(elu, x, "y = x where x > 0, c (e^x - 1) elsewhere", wg_elu_grad(dy, x, WG_C(y)),
           WG_KINKED, .source = "Clevert, Unterthiner, Hochreiter 2016, eq. 14")
WG_BINARY_C(elu_grad, u, x, "y = u where x > 0, u c e^x elsewhere", wg_elu_grad(dy, x, WG_C(y)),
            elu_curvature(dy, u, x, WG_C(y)), WG_KINKED)

/* ---- x times a distribution function ------------------------------------------------------------
 * Their second derivatives are a density times a polynomial or nearly so. Where x is bounded below,
 * the density is 0 beyond the bound: 0 times a finite number is 0, times an infinite one it would
 * be NaN. */

/* (x p)'' = p q (2 + x (q - p)), times dy u */
static wg_tensor *silu_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x)
{
    wg_tensor *bounded = wg_clamp(x, -1000, 1000);
    wg_tensor *swing = wg_mul(bounded, wg_tanh(wg_scale(bounded, 0.5)));
    wg_tensor *factor = wg_shift(wg_neg(swing), 2);
    return wg_mul(wg_sigmoid_grad(wg_mul(dy, u), x), factor);
}

WG_UNARY(silu, x, "y = x sigmoid(x)", wg_silu_grad(dy, x), WG_SMOOTH,
         .source = "Elfwing, Uchibe, Doya 2018, eq. 8")
WG_BINARY(silu_grad, u, x, "y = u p (1 + x q), p = sigmoid(x), q = sigmoid(-x)",
          wg_silu_grad(dy, x), silu_curvature(dy, u, x), WG_SMOOTH)

#define DENSITY_AT_0 0.39894228040143267794 /* 1 / sqrt(2 pi) */

/* (x F(x))'' = f(x) (2 - x^2), f the normal density */
static wg_tensor *gelu_curvature(wg_tensor *x)
{
    wg_tensor *square = wg_square(wg_clamp(x, -50, 50));
    wg_tensor *density = wg_scale(wg_exp(wg_scale(square, -0.5)), DENSITY_AT_0);
    return wg_mul(density, wg_shift(wg_neg(square), 2));
}

WG_UNARY(gelu, x, "y = x F(x), F the normal distribution function", wg_gelu_grad(dy, x), WG_SMOOTH,
         .source = "Hendrycks, Gimpel 2016, sec. 2")
WG_BINARY(gelu_grad, u, x, "y = u (F(x) + x f(x)), f the normal density", wg_gelu_grad(dy, x),
          wg_product(dy, u, gelu_curvature(x)), WG_SMOOTH)

#undef DENSITY_AT_0

/* y = x P(v(x)) with v = s (x + k x^3), P the sigmoid: y'' =
 * P'(v) (2 v' + x v'' - x v'^2 tanh(v/2)) with v' = s (1 + 3k x^2), x v'' = 6sk x^2. Times dy u. */
static wg_tensor *gelu_tanh_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x)
{
    const double s = 1.59576912160573071176, k = 0.044715; /* s = 2 sqrt(2 / pi) */
    wg_tensor *b = wg_clamp(x, -100, 100), *square = wg_square(b);
    wg_tensor *v = wg_mul(b, wg_shift(wg_scale(square, s * k), s));
    wg_tensor *dv = wg_shift(wg_scale(square, 3 * s * k), s);
    wg_tensor *bent = wg_shift(wg_scale(square, 12 * s * k), 2 * s); /* 2 v' + x v'' */
    wg_tensor *pull = wg_product(wg_square(dv), b, wg_tanh(wg_scale(v, 0.5)));
    wg_tensor *factor = wg_sub(bent, pull);
    return wg_mul(wg_sigmoid_grad(wg_mul(dy, u), v), factor);
}

WG_UNARY(gelu_tanh, x, "y = x (1 + tanh((2/pi)^(1/2) (x + 0.044715 x^3))) / 2",
         wg_gelu_tanh_grad(dy, x), WG_SMOOTH, .source = "Hendrycks, Gimpel 2016, sec. 2")
WG_BINARY(gelu_tanh_grad, u, x, "y = u (P + x P Q v'), P = sigmoid(v), Q = sigmoid(-v)",
          wg_gelu_tanh_grad(dy, x), gelu_tanh_curvature(dy, u, x), WG_SMOOTH)

/* clang-format on */

const wg_op *const wg_ops_activations[] = {
    &wg_op_sigmoid, &wg_op_sigmoid_grad, &wg_op_softplus,   &wg_op_log_sigmoid,
    &wg_op_relu,    &wg_op_relu_grad,    &wg_op_leaky_relu, &wg_op_leaky_relu_grad,
    &wg_op_elu,     &wg_op_elu_grad,     &wg_op_silu,       &wg_op_silu_grad,
    &wg_op_gelu,    &wg_op_gelu_grad,    &wg_op_gelu_tanh,  &wg_op_gelu_tanh_grad,
    NULL,
};
