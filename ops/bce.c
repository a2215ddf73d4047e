/* bce.c: binary cross-entropy on logits, and its gradient, as elementwise ops. */
#include "ops/describe_internal.h"
#include "ops/elementwise.h"
#include "ops/elementwise_internal.h"
#include "ops/kernels/loss.h"
#include "ops/layout.h"
#include "ops/loss_internal.h"

/* What the kernels want: one number. */
typedef struct bce_attrs {
    double positive_weight;
} bce_attrs;

static double bce_weight(const void *attrs)
{
    return ((const bce_attrs *)attrs)->positive_weight;
}

static wg_tensor *bce_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *y, const bce_attrs *attrs);

/* ---- bce_with_logits: the losses ------------------------------------------------------------- */

static bool bce_shape(wg_tensor *l)
{
    const wg_tensor *z = l->operand[0], *y = l->operand[1];
    char text[WG_SHAPE_TEXT];
    if (!wg_shape_same(&z->shape, &y->shape))
        return wg_op_fail(l, WG_E_SHAPE, "losses do not broadcast: %s the targets %s %s",
                          z->size == y->size ? "reshape" : "make",
                          z->size == y->size ? "to" : "of shape",
                          wg_shape_text(&z->shape, text, sizeof text));
    return wg_elementwise_shape(l);
}

/* dl/dz is a fused op; dl/dy = w*softplus(-z) - softplus(z), which is -z for w = 1. */
static wg_tensor *bce_vjp(wg_tensor *l, wg_tensor *dl, int i)
{
    wg_tensor *z = l->operand[0], *y = l->operand[1];
    double w = bce_weight(l->attrs);
    if (i == 0)
        return bce_grad(dl, z, y, l->attrs);
    if (w == 1)
        return wg_neg(wg_mul(dl, z));
    wg_tensor *plus = wg_softplus(z);
    wg_tensor *minus = wg_scale(wg_softplus(wg_neg(z)), w);
    return wg_mul(dl, wg_sub(minus, plus));
}

static void bce_describe(const wg_tensor *y, char *text, size_t size)
{
    if (bce_weight(y->attrs) != 1)
        wg_describe_add(text, size, "positive weight %g", bce_weight(y->attrs));
}

static const wg_op wg_op_bce_with_logits = {
    .name = "bce_with_logits",
    .formula = "l = (1 - y) softplus(z) + w y softplus(-z)",
    .source = "Murphy 2022, Probabilistic Machine Learning: An Introduction, sec. 10.2.3",
    .arity = 2,
    .flags = WG_OP_ELEMENTWISE,
    .attr_size = sizeof(bce_attrs),
    .describe = bce_describe,
    .shape = bce_shape,
    .forward = wg_elementwise_forward,
    .vjp = bce_vjp,
    .chunks = wg_elementwise_chunks,
    .map = WG_FLOATS(bce),
    .domain = {[1] = {0, 1}}, /* a target is a probability */
};

/* ---- bce_grad: the derivative in z, times dl ------------------------------------------------- */

/* With g = (1 - y)*p - w*y*q, p = sigmoid(z), q = sigmoid(-z):
 * dg/dz = (1 + (w - 1)*y)*p*q,  dg/dy = (w - 1)*p - w. */
static wg_tensor *bce_grad_vjp(wg_tensor *g, wg_tensor *dg, int i)
{
    wg_tensor *dl = g->operand[0], *z = g->operand[1], *y = g->operand[2];
    double w = bce_weight(g->attrs);
    if (i == 0)
        return wg_sum_to(bce_grad(dg, z, y, g->attrs), dl);
    wg_tensor *scaled = wg_mul(dg, dl);
    if (i == 1) {
        wg_tensor *dz = wg_sigmoid_grad(scaled, z);
        if (w != 1)
            dz = wg_mul(dz, wg_shift(wg_scale(y, w - 1), 1));
        return wg_sum_to(dz, z);
    }
    if (w == 1)
        return wg_sum_to(wg_neg(scaled), y);
    return wg_sum_to(wg_mul(scaled, wg_shift(wg_scale(wg_sigmoid(z), w - 1), -w)), y);
}

static const wg_op wg_op_bce_grad = {
    .name = "bce_grad",
    .formula = "dz = dl ((1 - y) sigmoid(z) - w y sigmoid(-z))",
    .arity = 3,
    .flags = WG_OP_ELEMENTWISE,
    .attr_size = sizeof(bce_attrs),
    .describe = bce_describe,
    .shape = wg_elementwise_shape,
    .forward = wg_elementwise_forward,
    .vjp = bce_grad_vjp,
    .chunks = wg_elementwise_chunks,
    .map = WG_FLOATS(bce_grad),
    .domain = {[2] = {0, 1}},
};

static wg_tensor *bce_grad(wg_tensor *dl, wg_tensor *z, wg_tensor *y, const bce_attrs *attrs)
{
    return wg_apply(&wg_op_bce_grad, (wg_tensor *[]){dl, z, y}, 3, attrs);
}

/* ---- Builders -------------------------------------------------------------------------------- */

wg_tensor *wg_bce_with_logits(wg_tensor *z, wg_tensor *y)
{
    return wg_bce_with_logits_opt(z, y, NULL);
}

wg_tensor *wg_bce_with_logits_opt(wg_tensor *z, wg_tensor *y, const wg_bce_options *options)
{
    const wg_bce_options defaults = {WG_MEAN, 0};
    const wg_bce_options *o = options != NULL ? options : &defaults;
    bce_attrs attrs = {o->positive_weight == 0 ? 1 : o->positive_weight};
    if (!(attrs.positive_weight > 0))
        return wg_loss_fail(z, y, "bce_with_logits", "positive_weight must be > 0");
    wg_tensor *l = wg_apply(&wg_op_bce_with_logits, (wg_tensor *[]){z, y}, 2, &attrs);
    return wg_loss_reduce(l, o->reduction, "bce_with_logits");
}

const wg_op *const wg_ops_bce[] = {&wg_op_bce_with_logits, &wg_op_bce_grad, NULL};
