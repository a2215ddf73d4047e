/* arithmetic.c: arithmetic, rounding and extremes: the rules' helpers; rows in
 * arithmetic.inc. */
#include "ops/arithmetic.h"

#include "ops/elementwise_internal.h"

static bool clamp_shape(wg_tensor *y)
{
    const double *bound = y->attrs;
    if (!(bound[0] <= bound[1]))
        return wg_op_fail(y, WG_E_VALUE, "low = %g is not below high = %g", bound[0], bound[1]);
    return wg_elementwise_shape(y);
}

#define CLAMPED SHAPED(WG_OP_KINKS, clamp_shape)

#include "ops/elementwise_rows.inc"

#include "ops/arithmetic.inc"

#include "ops/elementwise_list.inc"

const wg_op *const wg_ops_arithmetic[] = {
#include "ops/arithmetic.inc"
    NULL,
};
