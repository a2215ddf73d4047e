/* arithmetic.c: arithmetic, rounding and extremes: the rules' helpers; rows in
 * arithmetic.inc. */
#include "ops/arithmetic.h"

#include "autograd/tape_internal.h"
#include "ops/elementwise_internal.h"

static bool clamp_shape(wg_tensor *y)
{
    const double *bound = y->attrs;
    if (!(bound[0] <= bound[1]))
        return wg_op_fail(y, WG_E_VALUE, "low = %g is not below high = %g", bound[0], bound[1]);
    return wg_elementwise_shape(y);
}

#define CLAMPED SHAPED(WG_OP_KINKS, clamp_shape)

#define DIV_LATELY 5 /* nodes: what the rule of one operand records at most */

/* dy / b, which the other operand's rule may have recorded a moment ago. */
static wg_tensor *div_ratio(const wg_tensor *y, wg_tensor *dy)
{
    wg_tensor *const operand[] = {dy, y->operand[1]};
    const wg_tape *t = y->tape;
    for (int64_t i = t->size - 1; i >= 0 && i >= t->size - DIV_LATELY; i--) {
        wg_tensor *x = t->node[i];
        if (x->op == y->op && x->operand[0] == operand[0] && x->operand[1] == operand[1])
            return x;
    }
    return wg_apply(y->op, operand, 2, NULL);
}

wg_tensor *wg_times(wg_tensor *x, double high, double low)
{
    wg_tensor *y = wg_scale(x, high);
    return wg_is_inert(y) || y->dtype != WG_WIDE || low == 0 ? y : wg_add(y, wg_scale(x, low));
}

#include "ops/elementwise_rows.inc"

#include "ops/arithmetic.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_arithmetic[] = {
#include "ops/arithmetic.inc"
    NULL,
};
