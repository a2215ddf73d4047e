#include "ops/functions.h"

#include "ops/elementwise_internal.h"

/* clang-format off */

WG_UNARY(exp, x, "y = e^x", wg_mul(dy, y), WG_SMOOTH)
/* Not y + 1, which cancels far below 0. */
WG_UNARY(expm1, x, "y = e^x - 1", wg_mul(dy, wg_exp(x)), WG_SMOOTH)
WG_UNARY(log, x, "y = log x", wg_div(dy, x), WG_SMOOTH, .domain = {{0.1, 3}})
WG_UNARY(log1p, x, "y = log(1 + x)", wg_div(dy, wg_shift(x, 1)), WG_SMOOTH,
         .domain = {{-0.9, 2}})
WG_UNARY(sqrt, x, "y = x^(1/2)", wg_scale(wg_div(dy, y), 0.5), WG_SMOOTH, .domain = {{0.1, 3}})
WG_UNARY(rsqrt, x, "y = x^(-1/2)", wg_scale(wg_mul(dy, wg_div(y, x)), -0.5), WG_SMOOTH,
         .domain = {{0.1, 3}})

/* ---- Powers -------------------------------------------------------------------------------------
 * The derivative b a^(b-1) is one op, scaled_pow, so that b = 0 gives 0 also where a^(b-1) is infinite,
 * and derivatives of every order in a stay right: x^2 at 0 has 0, 2, 0, 0, ... */

/* a, and 1 where a = 0 and b >= 0: there a^b log a stands for its limit, 0. */
static wg_tensor *pow_base(wg_tensor *a, wg_tensor *b)
{
    wg_tensor *zero = wg_scalar(a->tape, a->dtype, 0), *one = wg_scalar(a->tape, a->dtype, 1);
    wg_tensor *at_zero = wg_equal(a, zero);
    wg_tensor *has_limit = wg_mul(at_zero, wg_greater_equal(b, zero));
    return wg_where(has_limit, one, a);
}

/* c b a^(b-1) */
static wg_tensor *scaled_pow_derivative(wg_tensor *c, wg_tensor *a, wg_tensor *b)
{
    wg_tensor *cb = wg_mul(c, b);
    return wg_scaled_pow(cb, a, wg_shift(b, -1));
}

WG_BINARY(pow, a, b, "y = a^b", wg_mul(dy, wg_scaled_pow(b, a, wg_shift(b, -1))),
          wg_product(dy, y, wg_log(pow_base(a, b))), WG_SMOOTH, .domain = {{0.5, 2}})

/* xlogy, not y log a: y is 0 where c is 0, also where a^b is infinite. */
WG_TERNARY(scaled_pow, c, a, b, "y = c a^b, 0 where c = 0", wg_mul(dy, wg_pow(a, b)),
           wg_mul(dy, scaled_pow_derivative(c, a, b)), wg_mul(dy, wg_xlogy(y, pow_base(a, b))),
           WG_SMOOTH, .domain = {[1] = {0.5, 2}})

WG_UNARY_C(pow_scalar, x, "y = x^c",
           WG_C(y) == 0 ? NULL : wg_scale(wg_mul(dy, wg_pow_scalar(x, WG_C(y) - 1)), WG_C(y)), WG_SMOOTH,
           .domain = {{0.5, 2}})

/* ---- Trigonometric and hyperbolic ------------------------------------------------------------ */

WG_UNARY(sin, x, "y = sin x", wg_mul(dy, wg_cos(x)), WG_SMOOTH)
WG_UNARY(cos, x, "y = cos x", wg_neg(wg_mul(dy, wg_sin(x))), WG_SMOOTH)
WG_UNARY(tan, x, "y = tan x", wg_mul(dy, wg_shift(wg_square(y), 1)), WG_SMOOTH,
         .domain = {{-1.2, 1.2}})

/* (1 - x^2)^(-1/2) as ((1 - x)(1 + x))^(-1/2): near 1 the rounding of x^2 would be all
 * that is left. */
static wg_tensor *asin_derivative(wg_tensor *x)
{
    wg_tensor *below = wg_shift(wg_neg(x), 1), *above = wg_shift(x, 1);
    return wg_rsqrt(wg_mul(below, above));
}

WG_UNARY(asin, x, "y = arcsin x", wg_mul(dy, asin_derivative(x)), WG_SMOOTH, .domain = {{-0.9, 0.9}})
WG_UNARY(acos, x, "y = arccos x", wg_neg(wg_mul(dy, asin_derivative(x))), WG_SMOOTH,
         .domain = {{-0.9, 0.9}})
WG_UNARY(atan, x, "y = arctan x", wg_div(dy, wg_shift(wg_square(x), 1)), WG_SMOOTH)

WG_UNARY(sinh, x, "y = sinh x", wg_mul(dy, wg_cosh(x)), WG_SMOOTH)
WG_UNARY(cosh, x, "y = cosh x", wg_mul(dy, wg_sinh(x)), WG_SMOOTH)

/* tanh' = 1/cosh^2 is computed from x, because 1 - y^2 cancels; (1/cosh^2)' = -2 tanh / cosh^2. */
WG_UNARY(tanh, x, "y = tanh x", wg_tanh_grad(dy, x), WG_SMOOTH)
WG_BINARY(tanh_grad, u, x, "y = u / cosh(x)^2", wg_tanh_grad(dy, x),
          wg_scale(wg_product(dy, y, wg_tanh(x)), -2), WG_SMOOTH)

/* ---- Erf ------------------------------------------------------------------------------------- */

#define TWO_OVER_SQRT_PI 1.12837916709551257390

/* exp(-x^2), which is 0 from |x| = 28 on; the bound keeps inf * 0 out of its own derivatives. */
static wg_tensor *erf_bell(wg_tensor *x)
{
    return wg_exp(wg_neg(wg_square(wg_clamp(x, -40, 40))));
}

WG_UNARY(erf, x, "y = 2 pi^(-1/2) int_0^x exp(-t^2) dt",
         wg_scale(wg_mul(dy, erf_bell(x)), TWO_OVER_SQRT_PI), WG_SMOOTH,
         .source = "Abramowitz, Stegun 1964, 7.1.1")

#undef TWO_OVER_SQRT_PI

/* ---- Of two variables ------------------------------------------------------------------------ */

/* A norm: its gradient at the origin is 0. */
WG_BINARY(hypot, a, b, "y = (a^2 + b^2)^(1/2)", wg_mul(dy, wg_div_or_zero(a, y)),
          wg_mul(dy, wg_div_or_zero(b, y)), WG_KINKED, .domain = {{0.5, 2}})

/* The derivatives p(a, b) and p(b, a) add up to 1, and dp/da = p(a, b) p(b, a), as of a sigmoid. */
WG_BINARY(logaddexp, a, b, "y = log(e^a + e^b)", wg_mul(dy, wg_logaddexp_grad(a, b)),
          wg_mul(dy, wg_logaddexp_grad(b, a)), WG_SMOOTH,
          .source = "Maechler 2012, Accurately computing log(1 - exp(-|a|))")
WG_BINARY(logaddexp_grad, a, b, "y = e^a / (e^a + e^b)",
          wg_product(dy, y, wg_logaddexp_grad(b, a)),
          wg_neg(wg_product(dy, y, wg_logaddexp_grad(b, a))), WG_SMOOTH)

/* b, and 1 where a = 0 and b <= 0: log 1 = 0 and 0/1 = 0 are the derivatives there. */
static wg_tensor *xlogy_argument(wg_tensor *a, wg_tensor *b)
{
    wg_tensor *zero = wg_scalar(b->tape, b->dtype, 0), *one = wg_scalar(b->tape, b->dtype, 1);
    wg_tensor *at_zero = wg_equal(a, zero);
    wg_tensor *by_convention = wg_mul(at_zero, wg_less_equal(b, zero));
    return wg_where(by_convention, one, b);
}

WG_BINARY(xlogy, a, b, "y = a log b, 0 where a = 0", wg_mul(dy, wg_log(xlogy_argument(a, b))),
          wg_mul(dy, wg_div(a, xlogy_argument(a, b))), WG_SMOOTH,
          .domain = {[1] = {0.1, 3}})

/* clang-format on */

const wg_op *const wg_ops_functions[] = {
    &wg_op_exp,
    &wg_op_expm1,
    &wg_op_log,
    &wg_op_log1p,
    &wg_op_sqrt,
    &wg_op_rsqrt,
    &wg_op_pow,
    &wg_op_pow_scalar,
    &wg_op_scaled_pow,
    &wg_op_sin,
    &wg_op_cos,
    &wg_op_tan,
    &wg_op_asin,
    &wg_op_acos,
    &wg_op_atan,
    &wg_op_sinh,
    &wg_op_cosh,
    &wg_op_tanh,
    &wg_op_tanh_grad,
    &wg_op_erf,
    &wg_op_hypot,
    &wg_op_logaddexp,
    &wg_op_logaddexp_grad,
    &wg_op_xlogy,
    NULL,
};
