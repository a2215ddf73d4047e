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

/* clang-format off */
static const wg_join mul_joins[] = {
    JOIN(mul, add, 1, mul_add),   JOIN(mul, add, 2, mul_add),   JOIN(mul, add, 3, mul_add_mul),
    JOIN(mul, add_n, 1, mul_add), JOIN(mul, add_n, 2, mul_add), JOIN(mul, add_n, 3, mul_add_mul),
    JOIN(mul, sub, 1, mul_sub),   JOIN(mul, sub, 2, mul_from),  JOIN(mul, sub, 3, mul_sub_mul),
    JOIN(mul, mul, 1, mul_mul),   JOIN(mul, mul, 2, mul_mul),   JOIN(mul, scale, 1, mul_scale),
    {.inner = NULL}};

static const wg_join add_joins[] = {
    JOIN(add, add, 1, add_add),   JOIN(add, add, 2, add_add),
    JOIN(add, add_n, 1, add_add), JOIN(add, add_n, 2, add_add),
    JOIN(add, sub, 1, add_sub),   JOIN(add, sub, 2, add_from),
    JOIN(add, mul, 1, add_mul),   JOIN(add, mul, 2, add_mul),
    {.inner = NULL}};

static const wg_join sub_joins[] = {
    JOIN(sub, add, 1, sub_add),   JOIN(sub, add, 2, sub_add),
    JOIN(sub, add_n, 1, sub_add), JOIN(sub, add_n, 2, sub_add),
    JOIN(sub, sub, 1, sub_sub),   JOIN(sub, sub, 2, sub_from),
    JOIN(sub, mul, 1, sub_mul),   JOIN(sub, mul, 2, sub_mul),
    {.inner = NULL}};

static const wg_join neg_joins[] = {JOIN(neg, scale, 1, neg_scale), {.inner = NULL}};

static const wg_join scale_joins[] = {
    JOIN(scale, add, 1, scale_add),   JOIN(scale, add, 2, scale_add),
    JOIN(scale, add_n, 1, scale_add), JOIN(scale, add_n, 2, scale_add),
    JOIN(scale, sub, 1, scale_sub),   JOIN(scale, sub, 2, scale_from),
    {.inner = NULL}};
/* clang-format on */

#include "ops/arithmetic.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_arithmetic[] = {
#include "ops/arithmetic.inc"
    NULL,
};
