/* An op of one's own: y = log(cosh(x)), with its derivative rule written in ops. The checker looks
 * at it, a second derivative and a training follow from the rule: robust regression, where one row
 * is wrong by 50.
 *
 * Run as build/06_own_op. Prints:
 *
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     x                       12        12         0          0         0          49  passed
 *     gradient check passed: 1 of 1 inputs passed
 *     f''(x[0]) = 0.632989096078, 1 / cosh^2(x[0]) = 0.632989096078
 *     squares         y =  6.167 x  -7.333
 *     log cosh        y =  2.154 x  +0.696
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

/* y = log(cosh(x)), n elements; strides in elements, 0 for an operand that is one number. */
static void log_cosh_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
                         const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(((const double *)x[0])[i * stride[0]]);
        ((double *)y)[i] = a + log1p(exp(-2 * a)) - 0.69314718055994531; /* does not overflow */
    }
}

/* The cotangent of operand i from that of y: dy * tanh(x). */
static wg_tensor *log_cosh_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_tanh(y->operand[i]));
}

static const wg_op log_cosh = {
    .name = "log_cosh",
    .formula = "y = log(cosh(x))",
    .arity = 1,
    .flags = WG_OP_ELEMENTWISE,
    .shape = wg_elementwise_shape,
    .forward = wg_elementwise_forward,
    .part = wg_elementwise_part,
    .vjp = log_cosh_vjp,
    .chunks = wg_size,
    .map = {[WG_F64] = log_cosh_f64},
};

static wg_tensor *mean_log_cosh(wg_tensor *x)
{
    return wg_mean(wg_apply(&log_cosh, &x, 1, NULL));
}

/* y = 2 x + 1, but for the last row. */
static void fit(wg_tape *t, const char *name, wg_tensor *(*loss_of)(wg_tensor *))
{
    const double x[] = {0, 1, 2, 3, 4, 5, 6, 7}, y[] = {1, 3, 5, 7, 9, 11, 13, 65};
    wg_tensor *slope = wg_param(t, "slope", WG_F64, WG_SHAPE(1));
    wg_tensor *offset = wg_param(t, "offset", WG_F64, WG_SHAPE(1));
    wg_tensor *line = wg_add(wg_mul(wg_constant(t, WG_F64, WG_SHAPE(8), x), slope), offset);
    wg_tensor *loss = loss_of(wg_sub(line, wg_constant(t, WG_F64, WG_SHAPE(8), y)));
    wg_minimize(loss, (wg_tensor *[]){slope, offset}, 2, NULL);
    printf("%-14s  y = %6.3f x %+7.3f\n", name, wg_item(slope), wg_item(offset));
}

static wg_tensor *mean_square(wg_tensor *x)
{
    return wg_mean(wg_square(x));
}

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3, 4));
    wg_fill_normal(x, 0, 2, 1); /* mean, deviation, which numbers */
    wg_tensor *y = wg_apply(&log_cosh, &x, 1, NULL), *H = wg_hessian(wg_sum(y), &x, 1);
    wg_gradcheck_print(stdout, y, &x, NULL, 1, NULL);
    printf("f''(x[0]) = %.12f, 1 / cosh^2(x[0]) = %.12f\n", wg_at(H, 0),
           1 / pow(cosh(wg_at(x, 0)), 2));
    fit(t, "squares", mean_square);
    fit(t, "log cosh", mean_log_cosh);

    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
