#include "ops/arithmetic.h"

#include "ops/elementwise_internal.h"

/* clang-format off */

WG_BINARY_NUMBERS(add, a, b, "y = a + b", dy, dy, WG_SMOOTH)
WG_BINARY_NUMBERS(sub, a, b, "y = a - b", dy, wg_neg(dy), WG_SMOOTH)
WG_BINARY_NUMBERS(mul, a, b, "y = a b", wg_mul(dy, b), wg_mul(dy, a), WG_SMOOTH)

/* -(dy / b) y rather than -dy a / b^2: b^2 overflows and underflows long before the derivative does. */
WG_BINARY(div, a, b, "y = a / b", wg_div(dy, b), wg_neg(wg_mul(wg_div(dy, b), y)),
          WG_SMOOTH, .domain = {[1] = {0.5, 2}})
WG_BINARY(div_or_zero, a, b, "y = a / b, 0 where b = 0",
          wg_div_or_zero(dy, b), wg_neg(wg_mul(wg_div_or_zero(dy, b), y)),
          WG_KINKED, .domain = {[1] = {0.5, 2}})

WG_UNARY(neg, x, "y = -x", wg_neg(dy), WG_SMOOTH)
WG_UNARY_C(scale, x, "y = c x", wg_scale(dy, WG_C(y)), WG_SMOOTH)
WG_UNARY_C(shift, x, "y = x + c", dy, WG_SMOOTH)
WG_UNARY(square, x, "y = x^2", wg_scale(wg_mul(dy, x), 2), WG_SMOOTH)

/* From the left: dy y y keeps its range where y^2 would not. */
WG_UNARY(reciprocal, x, "y = 1 / x", wg_neg(wg_product(dy, y, y)), WG_SMOOTH,
         .domain = {{0.5, 2}})

/* sign(0) = 0 is the convention abs'(0) = 0. */
WG_UNARY(abs, x, "y = |x|", wg_mul(dy, wg_sign(x)), WG_KINKED)
WG_UNARY_FLAT(sign, "y = (x > 0) - (x < 0)")
WG_UNARY_FLAT(floor, "y = the largest integer <= x")
WG_UNARY_FLAT(ceil, "y = the smallest integer >= x")
WG_UNARY_FLAT(round, "y = the integer nearest to x, halves to even")

/* a has its part in the cotangent where a is above b: of minimum, where b is above a. */
WG_BINARY(maximum, a, b, "y = max(a, b)",
          wg_maximum_grad(dy, a, b), wg_maximum_grad(dy, b, a), WG_KINKED)
WG_BINARY(minimum, a, b, "y = min(a, b)",
          wg_maximum_grad(dy, b, a), wg_maximum_grad(dy, a, b), WG_KINKED)
WG_TERNARY(maximum_grad, u, a, b, "y = u where a > b, u/2 where a = b, 0 where a < b",
           wg_maximum_grad(dy, a, b), NULL, NULL, WG_KINKED)

/* clang-format on */

/* ---- Clamp: two constants, which must be in order. ------------------------------------------- */

typedef struct clamp_bounds {
    double low, high;
} clamp_bounds;

static bool clamp_shape(wg_tensor *y)
{
    const clamp_bounds *bounds = y->attrs;
    if (!(bounds->low <= bounds->high))
        return wg_op_fail(y, WG_E_VALUE, "low = %g is not below high = %g", bounds->low,
                          bounds->high);
    return wg_elementwise_shape(y);
}

static wg_tensor *clamp_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const clamp_bounds *bounds = y->attrs;
    return wg_clamp_grad(dy, y->operand[i], bounds->low, bounds->high);
}

static wg_tensor *clamp_grad_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const clamp_bounds *bounds = y->attrs;
    if (i == 1)
        return NULL;
    return wg_sum_to(wg_clamp_grad(dy, y->operand[1], bounds->low, bounds->high), y->operand[0]);
}

static void clamp_describe(const wg_tensor *y, char *text, size_t size)
{
    const clamp_bounds *bounds = y->attrs;
    wg_describe_add(text, size, "low %g, high %g", bounds->low, bounds->high);
}

static const wg_op wg_op_clamp = {
    .name = "clamp",
    .formula = "y = min(max(x, low), high)",
    .arity = 1,
    .flags = WG_OP_ELEMENTWISE | WG_OP_KINKS,
    .attr_size = sizeof(clamp_bounds),
    .describe = clamp_describe,
    .shape = clamp_shape,
    .forward = wg_elementwise_forward,
    .vjp = clamp_vjp,
    .chunks = wg_elementwise_chunks,
    .map = WG_FLOATS(clamp),
};

static const wg_op wg_op_clamp_grad = {
    .name = "clamp_grad",
    .formula = "y = u where low <= x <= high, otherwise 0",
    .arity = 2,
    .flags = WG_OP_ELEMENTWISE | WG_OP_KINKS,
    .attr_size = sizeof(clamp_bounds),
    .describe = clamp_describe,
    .shape = clamp_shape,
    .forward = wg_elementwise_forward,
    .vjp = clamp_grad_vjp,
    .chunks = wg_elementwise_chunks,
    .map = WG_FLOATS(clamp_grad),
};

wg_tensor *wg_clamp(wg_tensor *x, double low, double high)
{
    const clamp_bounds bounds = {low, high};
    return wg_apply(&wg_op_clamp, &x, 1, &bounds);
}

wg_tensor *wg_clamp_grad(wg_tensor *dy, wg_tensor *x, double low, double high)
{
    const clamp_bounds bounds = {low, high};
    return wg_apply(&wg_op_clamp_grad, (wg_tensor *[]){dy, x}, 2, &bounds);
}

const wg_op *const wg_ops_arithmetic[] = {
    &wg_op_add,     &wg_op_sub,     &wg_op_mul,          &wg_op_div,    &wg_op_div_or_zero,
    &wg_op_neg,     &wg_op_scale,   &wg_op_shift,        &wg_op_square, &wg_op_reciprocal,
    &wg_op_abs,     &wg_op_sign,    &wg_op_floor,        &wg_op_ceil,   &wg_op_round,
    &wg_op_maximum, &wg_op_minimum, &wg_op_maximum_grad, &wg_op_clamp,  &wg_op_clamp_grad,
    NULL,
};
