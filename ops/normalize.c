/* normalize.c: layer normalization, recorded as other ops. */
#include "ops/normalize.h"

#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/reduce.h"

/* Is p NULL, or one number for each index of x's last axis? */
static bool normalize_fits(const wg_tensor *x, const wg_tensor *p, const char *what)
{
    if (p == NULL || wg_is_inert(p) || x->shape.ndim == 0 ||
        (p->shape.ndim == 1 && p->shape.dim[0] == x->shape.dim[x->shape.ndim - 1]))
        return true;
    wg_fail(x->tape, WG_E_SHAPE, "layer_norm: the %s must be as long as the last axis: %s x %s",
            what, wg_tensor_text(x).s, wg_tensor_text(p).s);
    return false;
}

/* Once an error is recorded, what follows records nothing and gives the tape's inert tensor. */
wg_tensor *wg_layer_norm(wg_tensor *x, wg_tensor *gain, wg_tensor *bias, double epsilon)
{
    if (!wg_is_inert(x) && !(epsilon > 0))
        return wg_fail(x->tape, WG_E_VALUE, "layer_norm: epsilon is %g, but > 0 wanted", epsilon);
    if (!wg_is_inert(x) && normalize_fits(x, gain, "gain"))
        normalize_fits(x, bias, "bias");
    wg_tensor *mean = wg_mean_over(x, WG_AXES(-1), true);
    wg_tensor *deviation = wg_sub(x, mean);
    wg_tensor *variance = wg_mean_over(wg_square(deviation), WG_AXES(-1), true);
    wg_tensor *y = wg_mul(deviation, wg_rsqrt(wg_shift(variance, epsilon)));
    if (gain != NULL)
        y = wg_mul(y, gain);
    return bias != NULL ? wg_add(y, bias) : y;
}
