/* activations.c: the rules' helpers; the rows are in activations.inc. */
#include "ops/activations.h"

#include "ops/elementwise_internal.h"

/* dy u c e^x where x <= 0, otherwise 0: elu's derivative less that of the identity on x > 0. */
static wg_tensor *elu_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x, double c)
{
    wg_tensor *g = wg_mul(dy, u);
    wg_tensor *derivative = wg_elu_grad(g, x, c);
    return wg_sub(derivative, wg_relu_grad(g, x));
}

#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946

/* dy where 0 < x < 6, or where x is NaN. */
static wg_tensor *relu6_derivative(wg_tensor *dy, wg_tensor *x)
{
    wg_tensor *room = wg_affine(x, -1, 6);
    return wg_relu_grad(wg_relu_grad(dy, x), room);
}

/* dy / (1 + |x|)^2, without the square, which overflows first. */
static wg_tensor *softsign_derivative(wg_tensor *dy, wg_tensor *x)
{
    wg_tensor *size = wg_shift(wg_abs(x), 1);
    return wg_div(wg_div(dy, size), size);
}

#define ONE_SIXTH 0.166666666666666666666666666666666667

/* dy (2 x + 3)/6 where -3 <= x <= 3, dy above; relu6: the second derivative is 0 at both. A third
 * is no double: near -3/2, where the derivative vanishes, its rounding would be seen. */
static wg_tensor *hardswish_derivative(wg_tensor *dy, wg_tensor *x)
{
    wg_tensor *six = wg_affine(wg_relu6(wg_shift(x, 3)), 2, -3);
    wg_tensor *between = wg_mul(wg_clamp_grad(dy, x, -3, 3), six);
    return wg_add(WG_TIMES(between, ONE_SIXTH), wg_relu_grad(dy, wg_shift(x, -3)));
}

/* Second derivatives of x times a distribution function are a density times a polynomial, or nearly
 * so. x is bounded where the density is 0 beyond the bound in every type: 0 times a finite number
 * is 0, times an infinite one it would be NaN. */

/* (x p)'' = p q (2 + x (q - p)), times dy u */
static wg_tensor *silu_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x)
{
    wg_tensor *bounded = wg_clamp(x, -20000, 20000);
    wg_tensor *swing = wg_mul(bounded, wg_tanh(wg_scale(bounded, 0.5)));
    wg_tensor *factor = wg_shift(wg_neg(swing), 2);
    return wg_mul(wg_sigmoid_grad(wg_mul(dy, u), x), factor);
}

#define DENSITY_AT_0 0.398942280401432677939946059934381868 /* 1 / sqrt(2 pi) */

/* (x F(x))'' = f(x) (2 - x^2), f the normal density */
static wg_tensor *gelu_curvature(wg_tensor *x)
{
    wg_tensor *square = wg_square(wg_clamp(x, -200, 200));
    wg_tensor *density = WG_TIMES(wg_exp(wg_scale(square, -0.5)), DENSITY_AT_0);
    return wg_mul(density, wg_shift(wg_neg(square), 2));
}

#define TANH_S  1.59576912160573071175978423973752747 /* s = 2 sqrt(2 / pi) */
#define TANH_2S 3.19153824321146142351956847947505494
#define TANH_K  0.044715
#define TANH_3K 0.134145
#define TANH_6K 0.26829

/* y = x P(v(x)) with v = s (x + k x^3), P the sigmoid: y'' =
 * P'(v) (2 v' + x v'' - x v'^2 tanh(v/2)) with v' = s (1 + 3k x^2), x v'' = 6sk x^2. Times dy u. */
static wg_tensor *gelu_tanh_curvature(wg_tensor *dy, wg_tensor *u, wg_tensor *x)
{
    wg_tensor *b = wg_clamp(x, -100, 100), *square = wg_square(b);
    wg_tensor *v = WG_TIMES(wg_mul(b, wg_shift(WG_TIMES(square, TANH_K), 1)), TANH_S);
    wg_tensor *dv = WG_TIMES(wg_shift(WG_TIMES(square, TANH_3K), 1), TANH_S);
    /* 2 v' + x v'' */
    wg_tensor *bent = WG_TIMES(wg_shift(WG_TIMES(square, TANH_6K), 1), TANH_2S);
    wg_tensor *pull = wg_product(wg_square(dv), b, wg_tanh(wg_scale(v, 0.5)));
    wg_tensor *factor = wg_sub(bent, pull);
    return wg_mul(wg_sigmoid_grad(wg_mul(dy, u), v), factor);
}

/* y = x tanh(s(x)), s the softplus: y' = tanh(s) + x p / cosh(s)^2. */
static wg_tensor *mish_derivative(wg_tensor *dy, wg_tensor *x)
{
    wg_tensor *s = wg_softplus(x);
    wg_tensor *outer = wg_mul(dy, wg_tanh(s));
    wg_tensor *steep = wg_tanh_grad(wg_mul(dy, wg_clamp(x, -20000, 20000)), s);
    wg_tensor *inner = wg_mul(steep, wg_sigmoid(x));
    return wg_add(outer, inner);
}

#include "ops/elementwise_rows.inc"

static const wg_join sigmoid_grad_joins[] = {JOIN(mul, sigmoid_grad, 1, mul_sigmoid_grad),
                                             {.inner = NULL}};

#include "ops/activations.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_activations[] = {
#include "ops/activations.inc"
    NULL,
};
