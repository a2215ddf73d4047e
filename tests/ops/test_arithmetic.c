/* Arithmetic, rounding and extremes: values, derivatives, broadcasting, i64, kinks, errors. */
#include "autograd/tape_internal.h"
#include "ops/reduce.h"
#include "tests/ops/elementwise.h"
#include "tests/support/suites.h"

#include <float.h>
#include <string.h>

static wg_tensor *vector(wg_tape *t, const char *name, int64_t n, const double *values)
{
    return wg_rename(wg_constant(t, WG_F64, WG_SHAPE(n), values), name);
}

/* value, d/da, d/db, d2/da2, d2/db2, d2/dadb of f at (a, b); what comes first is exact. */
static const struct {
    wgt_binary *f;
    double a, b, want[6];
} binary[] = {
    {wg_add, 3, 4, {7, 1, 1, 0, 0, 0}},
    {wg_sub, 3, 4, {-1, 1, -1, 0, 0, 0}},
    {wg_mul, 3, 4, {12, 4, 3, 0, 0, 1}},
    {wg_div, 3, 4, {0.75, 0.25, -0.1875, 0, 0.09375, -0.0625}},
    {wg_div_or_zero, 3, 4, {0.75, 0.25, -0.1875, 0, 0.09375, -0.0625}},
    {wg_div_or_zero, 3, 0, {0, 0, 0, 0, 0, 0}},
    {wg_div_or_zero, 0, 0, {0, 0, 0, 0, 0, 0}},
    {wg_maximum, 3, 4, {4, 0, 1, 0, 0, 0}},
    {wg_maximum, 4, 3, {4, 1, 0, 0, 0, 0}},
    {wg_maximum, 2, 2, {2, 0.5, 0.5, 0, 0, 0}},
    {wg_minimum, 3, 4, {3, 1, 0, 0, 0, 0}},
    {wg_minimum, 4, 3, {3, 0, 1, 0, 0, 0}},
    {wg_minimum, 2, 2, {2, 0.5, 0.5, 0, 0, 0}},
};

START_TEST(two_operands)
{
    double d[7];
    wgt_binary_at(binary[_i].f, binary[_i].a, binary[_i].b, d);
    for (int k = 0; k < 6; k++)
        ck_assert_msg(d[k] == binary[_i].want[k], "derivative %d is %g, not %g", k, d[k],
                      binary[_i].want[k]);
    wgt_assert_that(d[6], ==, d[5]);
    float s[3];
    wgt_binary_f32_at(binary[_i].f, (float)binary[_i].a, (float)binary[_i].b, s);
    for (int k = 0; k < 3; k++)
        wgt_assert_that((double)s[k], ==, binary[_i].want[k]);
}
END_TEST

static wg_tensor *scale_by_3(wg_tensor *x)
{
    return wg_scale(x, 3);
}
static wg_tensor *shift_by_3(wg_tensor *x)
{
    return wg_shift(x, 3);
}
static wg_tensor *clamp_to_1_2(wg_tensor *x)
{
    return wg_clamp(x, 1, 2);
}
static wg_tensor *times_itself(wg_tensor *x)
{
    return wg_mul(x, x);
}
static wg_tensor *over_itself(wg_tensor *x)
{
    return wg_div(x, x);
}
static wg_tensor *maximum_with_itself(wg_tensor *x)
{
    return wg_maximum(x, x);
}

static const struct {
    wgt_unary *f;
    double x, value, derivative, second;
} unary[] = {
    {wg_neg, 2, -2, -1, 0},
    {scale_by_3, 2, 6, 3, 0},
    {shift_by_3, 2, 5, 1, 0},
    {wg_square, 3, 9, 6, 2},
    {wg_reciprocal, 4, 0.25, -0.0625, 0.03125},
    {wg_reciprocal, 1e-200, 1e200, -INF, INF},
    {wg_abs, -2, 2, -1, 0},
    {wg_abs, 0, 0, 0, 0},
    {wg_abs, 2, 2, 1, 0},
    {wg_sign, -2, -1, 0, 0},
    {wg_sign, 0, 0, 0, 0},
    {wg_sign, INF, 1, 0, 0},
    {wg_floor, -1.5, -2, 0, 0},
    {wg_ceil, -1.5, -1, 0, 0},
    {wg_round, 0.5, 0, 0, 0},
    {wg_round, 1.5, 2, 0, 0},
    {wg_round, 2.5, 2, 0, 0},
    {wg_round, -0.75, -1, 0, 0},
    {wg_round, 4503599627370497, 4503599627370497, 0, 0},
    {clamp_to_1_2, 0.5, 1, 0, 0},
    {clamp_to_1_2, 1, 1, 1, 0},
    {clamp_to_1_2, 1.5, 1.5, 1, 0},
    {clamp_to_1_2, 2, 2, 1, 0},
    {clamp_to_1_2, INF, 2, 0, 0},
    {times_itself, 3, 9, 6, 2},
    {over_itself, 4, 1, 0, 0},
    {maximum_with_itself, 3, 3, 1, 0},
};

START_TEST(one_operand)
{
    double d[3];
    wgt_unary_at(unary[_i].f, unary[_i].x, 2, d);
    ck_assert_msg(d[0] == unary[_i].value, "value %g, not %g", d[0], unary[_i].value);
    ck_assert_msg(d[1] == unary[_i].derivative, "derivative %g, not %g", d[1],
                  unary[_i].derivative);
    ck_assert_msg(d[2] == unary[_i].second, "second %g, not %g", d[2], unary[_i].second);
}
END_TEST

START_TEST(nan_goes_through)
{
    static wgt_unary *const one[] = {wg_neg,   wg_square, wg_reciprocal, wg_abs,      wg_sign,
                                     wg_floor, wg_ceil,   wg_round,      clamp_to_1_2};
    static wgt_binary *const two[] = {wg_add, wg_sub, wg_mul, wg_div, wg_maximum, wg_minimum};
    double d[7];
    for (int i = 0; i < 9; i++) {
        wgt_assert_unary(one[i], QNAN, 0, (double[]){QNAN});
    }
    for (int i = 0; i < 6; i++) {
        wgt_binary_at(two[i], QNAN, 1, d);
        ck_assert_double_nan(d[0]);
        wgt_binary_at(two[i], 1, QNAN, d);
        ck_assert_double_nan(d[0]);
    }
}
END_TEST

/* f32 constants: 0.1 is rounded to f32 first. */
START_TEST(constants_take_the_dtype)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_scalar(t, WG_F32, 3);
    wgt_assert_that((float)wg_item(wg_scale(x, 0.1)), ==, 3 * 0.1F);
    wgt_assert_that((float)wg_item(wg_shift(x, 0.1)), ==, 3 + 0.1F);
    wgt_assert_that((float)wg_item(wg_clamp(x, 0, 0.1)), ==, 0.1F);
    ck_assert_int_eq(wg_dtype_of(wg_scale(x, 0.1)), WG_F32);
    wg_tape_free(t);
}
END_TEST

/* (2, 1) with (3): both are summed back to their own shapes. */
START_TEST(broadcasting_and_back)
{
    const double a_at[] = {2, 3}, b_at[] = {10, 20, 30};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(2, 1)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(3));
    wg_write(a, a_at, sizeof a_at);
    wg_write(b, b_at, sizeof b_at);
    wg_tensor *y = wg_mul(a, b), *x[] = {a, b}, *g[2];
    const double want[] = {20, 40, 60, 30, 60, 90}, ga[] = {60, 60}, gb[] = {5, 5, 5};
    wgt_assert_all_close(wg_data_f64(y), want, 6, 0, 0);
    wg_vjp(y, wg_ones_like(y), x, 2, g);
    wgt_assert_that(wg_ndim(g[0]), ==, 2);
    wgt_assert_that(wg_dim(g[0], 0), ==, 2);
    wgt_assert_that(wg_ndim(g[1]), ==, 1);
    wgt_assert_all_close(wg_data_f64(g[0]), ga, 2, 0, 0);
    wgt_assert_all_close(wg_data_f64(g[1]), gb, 3, 0, 0);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

START_TEST(empty_operands)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *e = wg_param(t, "e", WG_F64, WG_SHAPE(0, 3)), *one = wg_scalar(t, WG_F64, 1);
    wg_tensor *y = wg_maximum(wg_add(e, one), e), *g;
    wgt_assert_that(wg_size(y), ==, 0);
    wgt_assert_that(wg_ndim(y), ==, 2);
    wg_vjp(y, wg_ones_like(y), &e, 1, &g);
    wgt_assert_that(wg_size(g), ==, 0);
    wgt_assert_that(wg_ndim(g), ==, 2);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

START_TEST(integers_wrap)
{
    const int64_t a_at[] = {INT64_MAX, -7, 3}, b_at[] = {1, 5, INT64_MIN};
    const int64_t sum[] = {INT64_MIN, -2, INT64_MIN + 3},
                  difference[] = {INT64_MAX - 1, -12, INT64_MIN + 3};
    const int64_t product[] = {INT64_MAX, -35, INT64_MIN};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_constant(t, WG_I64, WG_SHAPE(3), a_at);
    wg_tensor *b = wg_constant(t, WG_I64, WG_SHAPE(3), b_at);
    wgt_assert_same_bytes(wg_data_i64(wg_add(a, b)), sum, sizeof sum);
    wgt_assert_same_bytes(wg_data_i64(wg_sub(a, b)), difference, sizeof difference);
    wgt_assert_same_bytes(wg_data_i64(wg_mul(a, b)), product, sizeof product);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_div(a, b);
    wgt_assert_status(t, WG_E_DTYPE, "div: ");
    wg_tape_free(t);
}
END_TEST

/* What a user can get wrong, and what the message names. */
START_TEST(errors)
{
    const double two[] = {1, 2}, three[] = {1, 2, 3};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = vector(t, "a", 2, two), *b = vector(t, "b", 3, three);
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_double_nan(wg_at(wg_add(a, b), 0));
    wgt_assert_status(t, WG_E_SHAPE, "add: ");
    wgt_assert_status(t, WG_E_SHAPE, "a (2,)");
    wgt_assert_status(t, WG_E_SHAPE, "b (3,)");
    wg_tape_rewind(t, mark);
    wg_mul(a, wg_rename(wg_scalar(t, WG_F32, 1), "c"));
    wgt_assert_status(t, WG_E_DTYPE, "mul: ");
    wg_tape_rewind(t, mark);
    wg_clamp(a, 2, 1);
    wgt_assert_status(t, WG_E_VALUE, "clamp: low = 2");
    wg_tape_rewind(t, mark);
    wg_clamp(a, QNAN, 1);
    wgt_assert_status(t, WG_E_VALUE, "clamp: ");
    wg_tape_rewind(t, mark);
    wg_sub(a, NULL);
    wgt_assert_status(t, WG_E_NULL, "sub: ");
    wg_tape_rewind(t, mark);
    ck_assert(wg_is_inert(wg_square(wg_scale(wg_add(a, b), 2))));
    wgt_assert_status(t, WG_E_SHAPE, "add: "); /* the first error stays */
    wg_tape_free(t);
}
END_TEST

/* Both operands' cotangents are made from dy / b: it is recorded once. */
START_TEST(quotients_share)
{
    wg_tape *t = wg_tape_new(NULL);
    const double two[] = {1, 2};
    wg_tensor *x[] = {vector(t, "a", 2, two), vector(t, "b", 2, two)}, *g[2];
    wg_grad(wg_sum(wg_div(x[0], x[1])), x, 2, g);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    int quotients = 0;
    for (int64_t i = 0; i < t->size; i++)
        quotients += strcmp(t->node[i]->op->name, "div") == 0;
    ck_assert_int_eq(quotients, 2);
    wg_tape_free(t);
}
END_TEST

Suite *suite_arithmetic(void)
{
    Suite *s = suite_create("arithmetic");
    TCase *c = tcase_create("arithmetic");
    tcase_add_loop_test(c, two_operands, 0, sizeof binary / sizeof binary[0]);
    tcase_add_loop_test(c, one_operand, 0, sizeof unary / sizeof unary[0]);
    tcase_add_test(c, nan_goes_through);
    tcase_add_test(c, constants_take_the_dtype);
    tcase_add_test(c, broadcasting_and_back);
    tcase_add_test(c, empty_operands);
    tcase_add_test(c, integers_wrap);
    tcase_add_test(c, errors);
    tcase_add_test(c, quotients_share);
    suite_add_tcase(s, c);
    return s;
}
