#ifndef WG_OPS_ELEMENTWISE_INTERNAL_H
#define WG_OPS_ELEMENTWISE_INTERNAL_H

#include "autograd/op.h"
#include "ops/describe_internal.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/rules_internal.h"

/* An elementwise op is one row in its family's list, an .inc file beside the family's .c:
 *
 *     UNARY(log2, FAST, x, log2(x), wg_scale(wg_div(dy, x), LOG2_E), SMOOTH, DOMAIN1(0.1, 3))
 *
 * name, types, operands, formula, the cotangent of each operand, and what the descriptor says
 * besides. elementwise_rows.inc says what the parts mean, and makes of a row the kernels, the rule
 * log2_vjp, the descriptor wg_op_log2 and the builder wg_log2; elementwise_list.inc makes the
 * family's list for the registry. */

/* Descriptors that lists of joins name. */
extern const wg_op wg_op_add, wg_op_sub, wg_op_mul, wg_op_neg, wg_op_scale, wg_op_sigmoid_grad,
    wg_op_tanh_grad;

/* The cotangent, which has y's shape, in its operand's: that is y's, too, where both have as many
 * elements and axes. */
static inline wg_tensor *wg_elementwise_cotangent(const wg_tensor *y, wg_tensor *g, int i)
{
    const wg_tensor *x = y->operand[i];
    bool same = y->size > 0 && x->size == y->size && x->shape.ndim == y->shape.ndim;
    return same || g == NULL ? g : wg_sum_to(g, x);
}

/* a b c, from the left: dy stands first. */
static inline wg_tensor *wg_product(wg_tensor *a, wg_tensor *b, wg_tensor *c)
{
    return wg_mul(wg_mul(a, b), c);
}

#endif
