/* loss.c: losses that are recorded as other ops, and what all losses share. */
#include "ops/loss.h"

#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss_internal.h"
#include "ops/reduce.h"

/* ---- What all losses share ------------------------------------------------------------------- */

wg_tensor *wg_loss_fail(const wg_tensor *x, const wg_tensor *y, const char *op, const char *what)
{
    const wg_tensor *some = x != NULL ? x : y;
    return wg_fail(some != NULL ? some->tape : NULL, WG_E_VALUE, "%s: %s", op, what);
}

wg_tensor *wg_loss_reduce(wg_tensor *l, wg_reduction reduction, const char *op)
{
    switch (reduction) {
    case WG_MEAN: return wg_mean(l);
    case WG_SUM: return wg_sum(l);
    case WG_NONE: return l;
    }
    return wg_loss_fail(l, NULL, op, "the reduction is none of WG_MEAN, WG_SUM, WG_NONE");
}

bool wg_loss_pair_fits(const wg_tensor *x, const wg_tensor *y, const char *op)
{
    if (wg_is_inert(x) || wg_is_inert(y) || wg_shape_same(&x->shape, &y->shape))
        return true;
    wg_fail(x->tape, WG_E_SHAPE, "%s: losses do not broadcast: give both one shape%s: %s x %s", op,
            x->size == y->size ? " (wg_reshape)" : "", wg_tensor_text(x).s, wg_tensor_text(y).s);
    return false;
}

/* ---- Losses that are recorded as other ops --------------------------------------------------- */

/* x - y, or inert where the shapes differ: wg_sub records nothing once the tape has an error. */
static wg_tensor *loss_difference(wg_tensor *x, wg_tensor *y, const char *op)
{
    wg_loss_pair_fits(x, y, op);
    return wg_sub(x, y);
}

wg_tensor *wg_mse(wg_tensor *x, wg_tensor *y, wg_reduction reduction)
{
    return wg_loss_reduce(wg_square(loss_difference(x, y, "mse")), reduction, "mse");
}

wg_tensor *wg_mae(wg_tensor *x, wg_tensor *y, wg_reduction reduction)
{
    return wg_loss_reduce(wg_abs(loss_difference(x, y, "mae")), reduction, "mae");
}

/* With m = r held within ±delta, both branches are m*(r - m/2), whose derivative is m. */
wg_tensor *wg_huber(wg_tensor *x, wg_tensor *y, double delta, wg_reduction reduction)
{
    if (!(delta > 0))
        return wg_loss_fail(x, y, "huber", "delta must be > 0");
    wg_tensor *r = loss_difference(x, y, "huber");
    wg_tensor *m = wg_clamp(r, -delta, delta);
    wg_tensor *l = wg_mul(m, wg_sub(r, wg_scale(m, 0.5)));
    return wg_loss_reduce(l, reduction, "huber");
}

wg_tensor *wg_hinge(wg_tensor *z, wg_tensor *y, wg_reduction reduction)
{
    wg_loss_pair_fits(z, y, "hinge");
    wg_tensor *l = wg_relu(wg_affine(wg_mul(y, z), -1, 1));
    return wg_loss_reduce(l, reduction, "hinge");
}

wg_tensor *wg_kl_divergence(wg_tensor *log_p, wg_tensor *t, wg_reduction reduction)
{
    wg_loss_pair_fits(log_p, t, "kl_divergence");
    wg_tensor *entropy = wg_xlogy(t, t);
    wg_tensor *cross = wg_weigh(t, log_p);
    wg_tensor *l = wg_sum_over(wg_sub(entropy, cross), WG_AXES(-1), false);
    return wg_loss_reduce(l, reduction, "kl_divergence");
}
