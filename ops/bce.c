/* bce.c: binary cross-entropy on logits: shapes, the rules' helpers, builders; rows in bce.inc. */
#include "autograd/tape_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/kernels/loss.h"
#include "ops/loss_internal.h"

#include <inttypes.h>

static bool bce_shape(wg_tensor *l)
{
    const wg_tensor *z = l->operand[0], *t = l->operand[1];
    char text[WG_SHAPE_TEXT];
    if (!wg_shape_same(&z->shape, &t->shape))
        return wg_op_fail(l, WG_E_SHAPE, "losses do not broadcast: %s the targets %s %s",
                          z->size == t->size ? "reshape" : "make",
                          z->size == t->size ? "to" : "of shape",
                          wg_shape_text(&z->shape, text, sizeof text));
    return wg_elementwise_shape(l);
}

/* dl/dt = w softplus(-z) - softplus(z), which is -z for w = 1. */
static wg_tensor *bce_by_target(wg_tensor *z, double w)
{
    if (w == 1)
        return wg_neg(z);
    wg_tensor *plus = wg_softplus(z);
    wg_tensor *minus = wg_scale(wg_softplus(wg_neg(z)), w);
    return wg_sub(minus, plus);
}

/* With g = (1 - t) p - w t q, p = sigmoid(z), q = sigmoid(-z): dg/dz = (1 + (w - 1) t) p q, where
 * p q comes from z: p (1 - p) would lose its tail. Times u. */
static wg_tensor *bce_grad_by_logit(wg_tensor *u, wg_tensor *z, wg_tensor *t, double w)
{
    wg_tensor *g = wg_sigmoid_grad(u, z);
    return w == 1 ? g : wg_mul(g, wg_shift(wg_scale(t, w - 1), 1));
}

/* dg/dt = -p - w q = (w - 1) p - w. Times u. */
static wg_tensor *bce_grad_by_target(wg_tensor *u, wg_tensor *z, double w)
{
    return w == 1 ? wg_neg(u) : wg_mul(u, wg_shift(wg_scale(wg_sigmoid(z), w - 1), -w));
}

/* May one of n floats be outside [0, 1]? t (1 - t) has a sign then, else only where t is -0 or NaN.
 * Signs are collected bit by bit, which compilers do in vectors. */
#define BCE_DOUBTS(name, T, integer)                                                               \
    static bool name(const T *t, int64_t n)                                                        \
    {                                                                                              \
        integer signs = 0;                                                                         \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const union {                                                                          \
                T value;                                                                           \
                integer bits;                                                                      \
            } u = {t[i] * (1 - t[i])};                                                             \
            signs |= u.bits;                                                                       \
        }                                                                                          \
        return signs < 0;                                                                          \
    }
BCE_DOUBTS(bce_doubts_f32, float, int32_t)
BCE_DOUBTS(bce_doubts_f64, double, int64_t)
#undef BCE_DOUBTS

static bool bce_targets_fit(wg_tape *tape, const wg_tensor *t)
{
    if (!(t->dtype == WG_F32   ? bce_doubts_f32(t->data, t->size)
          : t->dtype == WG_F64 ? bce_doubts_f64(t->data, t->size)
                               : false))
        return true;
    for (int64_t i = 0; i < t->size; i++) {
        const double value = wg_element(t, i);
        if (value < 0 || value > 1) {
            wg_fail(tape, WG_E_VALUE,
                    "bce_with_logits: target %.17g at %" PRId64 " is outside [0, 1]: %s", value, i,
                    wg_tensor_text(t).s);
            return false;
        }
    }
    return true;
}

/* Labels of -1 and 1 would have losses without a lower bound: those that are known are looked at,
 * constants once. What is computed may leave the interval by a rounding, a parameter as differences
 * do. */
static bool bce_check_input(const wg_tensor *l)
{
    const wg_tensor *t = l->operand[l->n_operands - 1];
    return wg_view_root(t)->op != &wg_op_input || bce_targets_fit(l->tape, t);
}

#include "ops/elementwise_rows.inc"

#include "ops/bce.inc"

wg_tensor *wg_bce_with_logits(wg_tensor *z, wg_tensor *y)
{
    return wg_bce_with_logits_opt(z, y, NULL);
}

wg_tensor *wg_bce_with_logits_opt(wg_tensor *z, wg_tensor *y, const wg_bce_options *options)
{
    const wg_bce_options defaults = {WG_MEAN, 0};
    const wg_bce_options *o = options != NULL ? options : &defaults;
    const double weight = o->positive_weight == 0 ? 1 : o->positive_weight;
    if (!(weight > 0))
        return wg_loss_fail(z, y, "bce_with_logits", "positive_weight must be > 0");
    if (!wg_is_inert(y) && wg_view_root(y)->op == &wg_op_constant)
        bce_targets_fit(y->tape, y);
    wg_tensor *l = wg_apply(&wg_op_bce_with_logits, (wg_tensor *[]){z, y}, 2, &weight);
    return wg_loss_reduce(l, o->reduction, "bce_with_logits");
}

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_bce[] = {
#include "ops/bce.inc"
    NULL,
};
