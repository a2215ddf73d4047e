/* Checks of a recorded gradient beyond its entries: second order, Taylor remainders and sweeps. */
#include "autograd/check/gradcheck.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/check/gradcheck_support.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

/* ---- Second order ---------------------------------------------------------------------------- */

/* The first derivative is right, but its own is lost. */
static wg_tensor *detached_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_detach(y->operand[i])), 2);
}

START_TEST(a_detach_inside_a_rule_is_found)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.name = "detaches";
    op.vjp = detached_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3));
    wg_tensor *y = wg_sum(wg_exp(wg_apply(&op, (wg_tensor *[]){wg_sin(x)}, 1, NULL)));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_str_eq(report.blame, "detaches");                           /* whose rule it is */
    wg_tensor *held = wg_sum(wg_mul(wg_square(x), wg_detach(wg_exp(x)))); /* the user's own */
    ck_assert_int_eq(wg_gradcheck_second(held, &x, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* sin's rule by an op that is cosine in value, with a rule of its own that is wrong. */
static wg_op wrong_cosine;

static wg_tensor *wrong_cosine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_sin(y->operand[i])); /* the sign */
}

static wg_tensor *sine_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_apply(&wrong_cosine, &y->operand[i], 1, NULL));
}

START_TEST(a_wrong_rule_of_a_rule_is_blamed)
{
    static wg_op sine;
    sine = *wg_op_find("sin");
    sine.vjp = sine_vjp;
    wrong_cosine = *wg_op_find("cos");
    wrong_cosine.name = "wrong_cosine";
    wrong_cosine.vjp = wrong_cosine_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3)),
                       wgt_normal(t, "z", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_sum(wg_mul(wg_apply(&sine, xs, 1, NULL), wg_square(xs[1])));
    wg_check_report reports[2];
    wg_check_taylor_report taylor;
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(y, xs[0], 2, NULL, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(y, xs[0], 3, NULL, &taylor), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, reports), WG_CHECK_FAILED);
    ck_assert_str_eq(reports[0].blame, "wrong_cosine");
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_PASSED); /* d2/dzdx has no cosine's derivative */
    wg_tape_free(t);
}
END_TEST

/* One rule that is made of ops without a rule: there is a first derivative, and no second one. */
static wg_tensor *once_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *derivative = wg_neg(wg_square(y)), *again = wgt_reciprocal(wgt_reciprocal(dy));
    return wg_mul(again, derivative);
}

START_TEST(first_order_modes_need_no_second_derivative)
{
    static wg_op op;
    op = *wg_op_find("reciprocal");
    op.vjp = once_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1, 2});
    wg_tensor *y = wg_sum(wg_square(wg_apply(&op, &x, 1, NULL)));
    wg_check_taylor_report taylor;
    wg_check_sweep_row row;
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, NULL, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 0, 1e-3, 1e-3, &row, 1), WG_OK);
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 3, NULL, &taylor), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_INVALID);
    wg_tape_free(t);
}
END_TEST

/* Blocks that are zero are no errors where gradients are strict. */
START_TEST(second_order_of_what_is_linear)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *xs[] = {wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3)),
                       wgt_normal(t, "z", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_add(wg_sum(wg_exp(xs[0])), wg_sum(xs[1]));
    wg_check_report reports[2];
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, reports), WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_VACUOUS);
    wg_tape_free(t);
}
END_TEST

/* Inputs of one shape get tangents of their own: with equal ones, two exchanged
 * blocks would agree. */
static void squares_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                        const void *attrs)
{
    const double *a = x[0], *b = x[1];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * a[i * stride[0]] +
                           b[i * stride[1]] * b[i * stride[1]];
}

/* 2a for a, as it should be, but with b in a's place when it is differentiated. */
static wg_tensor *exchanged_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *mine = wg_detach(y->operand[i]), *other = y->operand[1 - i];
    wg_tensor *derivative = wg_add(mine, wg_sub(other, wg_detach(other)));
    return wg_scale(wg_mul(dy, derivative), 2);
}

START_TEST(exchanged_blocks_are_found)
{
    static wg_op op;
    op = *wg_op_find("add");
    op.name = "squares";
    op.vjp = exchanged_vjp;
    op.map[WG_F64] = squares_map;
    op.map[WG_WIDE] = NULL;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *xs[] = {wgt_normal(t, "a", WG_F64, 1, WG_SHAPE(3)),
                       wgt_normal(t, "b", WG_F64, 2, WG_SHAPE(3))};
    wg_tensor *y = wg_sum(wg_apply(&op, xs, 2, NULL));
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 2, NULL, NULL), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* The length of a unit vector is 1, wherever it points: of its second derivatives all digits are
 * lost, in wide floats, too. */
START_TEST(a_hessian_of_rounding_is_symmetric)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){7.8e-6, -2.7e-14, 3e-6});
    wg_tensor *y = wg_norm(wg_div(x, wg_norm(x, 2)), 2);
    ck_assert_int_ne(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* ---- Taylor and sweep ------------------------------------------------------------------------ */

START_TEST(taylor_rates)
{
    wg_tape *t = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F64, 6, 4, 5);
    wg_check_taylor_report report;
    for (int order = 2; order <= 3; order++) {
        ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], order, NULL, &report),
                         WG_CHECK_PASSED);
        ck_assert_int_eq(report.order, order);
        wgt_assert_close(report.rate, order, 0, 0.1);
        ck_assert_double_lt(report.rows[6].remainder, report.rows[0].remainder / pow(2, 5 * order));
    }
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 4, NULL, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(report.verdict, WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(m.gs[0], m.xs[0], 2, NULL, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(NULL, m.xs[0], 2, NULL, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, NULL, 2, NULL, &report), WG_CHECK_INVALID);
    wg_tape_free(t);
}
END_TEST

/* The best of each formula: eps^(1/2), eps^(2/3), eps^(4/5), as far as round-off goes. */
START_TEST(the_sweep_is_a_v)
{
    enum { ROWS = 40 };
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.3, 1.1});
    wg_tensor *y = wg_sum(wg_exp(wg_sin(x)));
    wg_check_sweep_row rows[ROWS];
    double best[3] = {1, 1, 1};
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 1, 0.5, 0.5e-12, rows, ROWS), WG_OK);
    for (int i = 0; i < ROWS; i++) {
        best[0] = fmin(best[0], rows[i].error2);
        best[1] = fmin(best[1], rows[i].error3);
        best[2] = fmin(best[2], rows[i].error5);
    }
    wgt_assert_close(rows[0].h, 0.5, 1e-12, 0);
    wgt_assert_close(rows[ROWS - 1].h, 0.5e-12, 1e-12, 0);
    wgt_assert_that(best[0], <, 1e-7);
    wgt_assert_that(best[1], <, 1e-9);
    wgt_assert_that(best[2], <, 1e-11);
    wgt_assert_that(best[2], <, best[1]);
    wgt_assert_that(best[1], <, best[0]);
    wgt_assert_that(rows[0].error3, >, 1e-2);
    wgt_assert_that(rows[ROWS - 1].error3, >, 1e-6);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 2, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, -1, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(y, NULL, 0, 1, 1e-3, rows, ROWS), WG_E_INDEX);
    ck_assert_int_eq(wg_gradcheck_sweep(NULL, x, 0, 1, 1e-3, rows, ROWS), WG_E_VALUE);
    ck_assert_int_eq(wg_gradcheck_sweep(x, x, 0, 1, 1e-3, rows, ROWS), WG_E_VALUE);
    wg_tape_free(t);
}
END_TEST

Suite *suite_gradcheck_second(void)
{
    Suite *suite = suite_create("gradcheck_second");
    TCase *second = tcase_create("second");
    tcase_add_test(second, a_detach_inside_a_rule_is_found);
    tcase_add_test(second, a_wrong_rule_of_a_rule_is_blamed);
    tcase_add_test(second, first_order_modes_need_no_second_derivative);
    tcase_add_test(second, second_order_of_what_is_linear);
    tcase_add_test(second, exchanged_blocks_are_found);
    tcase_add_test(second, a_hessian_of_rounding_is_symmetric);
    tcase_add_test(second, taylor_rates);
    tcase_add_test(second, the_sweep_is_a_v);
    suite_add_tcase(suite, second);
    return suite;
}
