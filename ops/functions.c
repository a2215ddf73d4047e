/* The functions of analysis: the rules' helpers; the rows are in functions.inc. */
#include "ops/functions.h"

#include "ops/elementwise_internal.h"

#define TWO_OVER_SQRT_PI 1.12837916709551257390

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

/* b, and 1 where a = 0 and b <= 0: log 1 = 0 and 0/1 = 0 are the derivatives there. */
static wg_tensor *xlogy_argument(wg_tensor *a, wg_tensor *b)
{
    wg_tensor *zero = wg_scalar(b->tape, b->dtype, 0), *one = wg_scalar(b->tape, b->dtype, 1);
    wg_tensor *at_zero = wg_equal(a, zero);
    wg_tensor *by_convention = wg_mul(at_zero, wg_less_equal(b, zero));
    return wg_where(by_convention, one, b);
}

#include "ops/elementwise_rows.inc"

#include "ops/functions.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_functions[] = {
#include "ops/functions.inc"
    NULL,
};
