/* functions.c: the functions of analysis: the rules' helpers; the rows are in functions.inc. */
#include "ops/functions.h"

#include "ops/elementwise_internal.h"

#define TWO_OVER_SQRT_PI 1.12837916709551257389615890312154517
#define LOG2_E           1.44269504088896340735992468100189214
#define LOG10_E          0.434294481903251827651128918916605082

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

/* exp(-x^2); beyond the bound it is 0 in every type, and inf * 0 stays out of its derivatives. */
static wg_tensor *erf_bell(wg_tensor *x)
{
    return wg_exp(wg_neg(wg_square(wg_clamp(x, -200, 200))));
}

/* dy (x^2 - 1)^(-1/2) as dy (x - 1)^(-1/2) (x + 1)^(-1/2): nothing cancels, nothing overflows. */
static wg_tensor *acosh_derivative(wg_tensor *dy, wg_tensor *x)
{
    wg_tensor *below = wg_rsqrt(wg_shift(x, -1)), *above = wg_rsqrt(wg_shift(x, 1));
    return wg_product(dy, below, above);
}

/* g / (a^2 + b^2), one root after the other: the square would overflow and underflow first. */
static wg_tensor *over_square_norm(wg_tensor *g, wg_tensor *a, wg_tensor *b)
{
    wg_tensor *norm = wg_hypot(a, b);
    return wg_div(wg_div(g, norm), norm);
}

/* b, and 1 where a = 0 and b <= 0: log 1 = 0 and 0/1 = 0 are the derivatives there. */
static wg_tensor *xlogy_argument(wg_tensor *a, wg_tensor *b)
{
    wg_tensor *zero = wg_scalar(b->tape, b->dtype, 0), *one = wg_scalar(b->tape, b->dtype, 1);
    wg_tensor *at_zero = wg_equal(a, zero);
    wg_tensor *by_convention = wg_mul(at_zero, wg_less_equal(b, zero));
    return wg_where(by_convention, one, b);
}

#include "ops/elementwise_rows.inc"

static const wg_join tanh_grad_joins[] = {JOIN(mul, tanh_grad, 1, mul_tanh_grad), {.inner = NULL}};

#include "ops/functions.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_functions[] = {
#include "ops/functions.inc"
    NULL,
};
