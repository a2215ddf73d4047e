/* An op of one's own: y = log(cosh(x)), a formula and its derivative rule, written in ops. The
 * checker looks at it, a second derivative and a training follow from the rule: robust regression,
 * where one row is wrong by 50. A second one, the length of (a, b), has two operands, which
 * broadcast, and shows what such a row stands for. By their formulas both are written as C.
 *
 * Run as build/06_own_op. Prints:
 *
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     x                       12        12         0          0         0          49  passed
 *     gradient check passed: 1 of 1 inputs passed
 *     f''(x[0]) = 0.632989096078, 1 / cosh^2(x[0]) = 0.632989096078
 *     squares         y =  6.167 x  -7.333
 *     log cosh        y =  2.154 x  +0.696
 *     input              entries     agree      kink unresolved  disagree evaluations  verdict
 *     x                       12        12         0          0         0          49  passed
 *     b                        4         4         0          0         0          17  passed
 *     gradient check passed: 2 of 2 inputs passed
 *                 const double length = hypot(x_i, model_b[j]);
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

/* y = log(cosh(x)), in a form that does not overflow; its cotangent is dy * tanh(x). */
WG_UNARY_OP(log_cosh, x, fabs(x) + log1p(exp(-2 * fabs(x))) - 0.69314718055994531,
            wg_mul(dy, wg_tanh(x)));

/* y = hypot(a, b), written out: n elements; strides in elements, 0 for an operand that is one
 * number. */
static void length_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
                       const void *attrs)
{
    (void)attrs;
    const double *a = x[0], *b = x[1];
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = hypot(a[i * stride[0]], b[i * stride[1]]);
}

/* The cotangent of operand i from that of y: dy * a / y, and dy * b / y, of the shape of y, and
 * summed to the operand's own. */
static wg_tensor *length_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_sum_to(wg_mul(dy, wg_div(y->operand[i], y)), y->operand[i]);
}

static const wg_op length = {
    .name = "length",
    .formula = "length(a, b) = hypot(a, b)",
    .arity = 2,
    .flags = WG_OP_ELEMENTWISE,
    .shape = wg_elementwise_shape,
    .forward = wg_elementwise_forward,
    .part = wg_elementwise_part,
    .vjp = length_vjp,
    .map = {[WG_F64] = length_f64},
};

/* Checked with a (3, 4) and b (4), and written as C, of which the line that computes y is shown. */
static void two_operands(wg_tape *t, wg_tensor *a)
{
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(4)), *both[] = {a, b};
    wg_fill_normal(b, 0, 2, 2);
    wg_tensor *y = wg_apply(&length, both, 2, NULL);
    wg_gradcheck_print(stdout, y, both, NULL, 2, NULL);
    wg_tensor *sums = wg_add(y, log_cosh(a));
    wg_c_file file;
    wg_program_to_c(wg_compile(&sums, 1, NULL), NULL, &file);
    const char *at = strstr(file.source, "hypot");
    while (at != NULL && at > file.source && at[-1] != '\n')
        at--;
    if (at != NULL)
        printf("%.*s\n", (int)strcspn(at, "\n"), at);
}

static wg_tensor *mean_log_cosh(wg_tensor *x)
{
    return wg_mean(log_cosh(x));
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
    wg_tensor *y = log_cosh(x), *H = wg_hessian(wg_sum(y), &x, 1);
    wg_gradcheck_print(stdout, y, &x, NULL, 1, NULL);
    printf("f''(x[0]) = %.12f, 1 / cosh^2(x[0]) = %.12f\n", wg_at(H, 0),
           1 / pow(cosh(wg_at(x, 0)), 2));
    fit(t, "squares", mean_square);
    fit(t, "log cosh", mean_log_cosh);
    two_operands(t, x);

    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
