/* The check of a recorded gradient: what it says of gradients and rules that are wrong, or cannot
 * be judged. */
#include "autograd/check/audit.h"
#include "autograd/check/gradcheck.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/check/gradcheck_support.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

/* ---- Verdicts -------------------------------------------------------------------------------- */

START_TEST(all_zero_is_vacuous)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(4)),
              *none = wg_param(t, "none", WG_F64, WG_SHAPE(0));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_floor(x)), &x, NULL, 1, NULL, &report),
                     WG_CHECK_VACUOUS);
    ck_assert_uint_eq(report.agree, 4);
    ck_assert_ptr_null(report.blame);
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_exp(none)), &none, NULL, 1, NULL, NULL),
                     WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_gradcheck_second(wg_sum(x), &x, 1, NULL, NULL), WG_CHECK_VACUOUS);
    wg_tape_free(t);
}
END_TEST

/* x log x at 0 by an unguarded where: the value is right, the gradient is 0 times infinity; so is
 * that of a root at 0, where no gradient was given that could be wrong. */
START_TEST(nan_is_refused)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0, 1.5});
    wg_tensor *zero = wg_scalar(t, WG_F64, 0), *taken = wg_greater(x, zero);
    wg_tensor *y = wg_sum(wg_where(taken, wg_mul(x, wg_log(x)), zero));
    wg_tensor *pole = wg_sum(wg_reciprocal(x));
    wg_tensor *root = wg_sum(wg_sqrt(wg_abs(wg_mul(x, wg_square(x)))));
    wg_check_report report;
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_uint_eq(report.disagree, 1);
    ck_assert_uint_eq(report.worst.index, 0);
    ck_assert_double_nan(report.worst.claimed);
    ck_assert_int_eq(wg_gradcheck(root, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_ptr_null(report.blame);
    wgt_assert_contains(report.note, "but the gradient is NaN");
    ck_assert_int_eq(wg_gradcheck(pole, &x, NULL, 1, NULL, &report), WG_CHECK_NOT_FINITE);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* Nothing can be moved from infinity: that is told, and no op is blamed. */
START_TEST(infinite_entries_accuse_no_op)
{
    static const char *const ops[] = {"tanh", "relu", "exp", "sigmoid", "amax"};
    const double inf = (double)INFINITY;
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++)
        for (int mode = 0; mode < 5; mode++) {
            wg_tape *t = wgt_strict_tape();
            wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){-inf, 1, -1});
            wg_tensor *y = k == 4 ? wg_amax(x) : wg_sum(wg_apply(wg_op_find(ops[k]), &x, 1, NULL));
            const wg_gradcheck_options o = {.directions = mode == 1 ? 2 : 0,
                                            .nearby = mode == 2 ? 2 : 0};
            wg_check_report r = {0};
            wg_check_verdict v = mode < 3    ? wg_gradcheck(y, &x, NULL, 1, &o, &r)
                                 : mode == 3 ? wg_gradcheck_second(y, &x, 1, &o, &r)
                                             : wg_gradcheck_taylor(y, x, 2, NULL, NULL);
            ck_assert_msg(v == WG_CHECK_UNRESOLVED, "%s, mode %d: %s", ops[k], mode,
                          wg_check_verdict_name(v));
            ck_assert_ptr_null(r.blame);
            ck_assert_msg(mode == 4 ||
                              (r.note != NULL && strstr(r.note, "x is not finite") != NULL),
                          "%s, mode %d: %s", ops[k], mode, r.note != NULL ? r.note : "no note");
            wg_tape_free(t);
        }
}
END_TEST

/* Only what y is computed from needs a wide form; where it has none, the report says so. */
START_TEST(ops_beside_y_need_no_wide_form)
{
    static wg_op narrow;
    narrow = *wg_op_find("sin");
    narrow.name = "narrow";
    narrow.map[WG_WIDE] = NULL;
    narrow.flags &= ~(unsigned)WG_OP_WIDE;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3)), *g, *ys[2];
    wg_tensor *beside = wg_apply(&narrow, &x, 1, NULL);
    ys[0] = wg_sum(wg_exp(x));
    wg_grad(ys[0], &x, 1, &g);
    ys[1] = wg_sum(beside);
    wg_apply(&narrow, &x, 1, NULL);
    const wg_gradcheck_options o = {.precision = WG_CHECK_WIDE};
    wg_tensor *twice = wg_scale(g, 1);
    wg_tensor *const given[] = {NULL, g, twice};
    wg_check_report r;
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(wg_gradcheck(ys[0], &x, k > 0 ? &given[k] : NULL, 1, &o, &r),
                         WG_CHECK_PASSED);
        ck_assert_uint_eq(r.wide, WG_HAS_WIDE ? 3 : 0);
    }
    ck_assert_int_eq(wg_gradcheck(ys[1], &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_uint_eq(r.wide, 0);
    ck_assert(strstr(r.note, "no wide form") != NULL);
    wg_audit_row row;
    ck_assert_uint_eq(wg_audit(ys, 1, &row, 1, NULL), WG_HAS_WIDE ? 1 : 0);
    ck_assert_uint_eq(wg_audit(ys + 1, 1, &row, 1, NULL), 0);
    wg_tape_free(t);
}
END_TEST

static wg_tensor *f32_negates(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(dy, wg_scale(wg_cos(y->operand[i]), y->dtype == WG_F32 ? -1 : 1));
}

/* The copy in f64 says nothing of a rule that is another in f32. */
START_TEST(a_rule_that_is_wrong_in_f32_alone)
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "negated";
    op.vjp = f32_negates;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F32, 1, WG_SHAPE(5));
    wg_tensor *big = wg_sum(wg_shift(wg_shift(x, 1e7), -1e7));
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_apply(&op, &x, 1, NULL)), &x, NULL, 1, NULL, &r),
                     WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "negated");
    ck_assert(strstr(r.note, "f32 rule") != NULL);
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_square(wg_exp(big))), &x, NULL, 1, NULL, &r),
                     WG_CHECK_PASSED);
    ck_assert(strstr(r.note, "f32 loses digits") != NULL);
    wg_tape_free(t);
}
END_TEST

#if WG_HAS_WIDE
static _Thread_local double coarseness;

static void coarse_sine(int64_t n, void *y, const void *const x[], const int64_t stride[],
                        const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = sin((1 + coarseness) * ((const double *)x[0])[i * stride[0]]);
}

/* Its digits are lost on the way. */
static void blurred_sine(int64_t n, void *y, const void *const x[], const int64_t stride[],
                         const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++) {
        volatile double far = sin(((const double *)x[0])[i * stride[0]]) + 1e10;
        ((double *)y)[i] = far - 1e10;
    }
}

static void sine_fails(wg_map *kernel, bool fails)
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "a_sine";
    op.map[WG_F64] = kernel;
    for (int wide = 0; wide < 2; wide++) {
        wg_tape *t = wgt_strict_tape();
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.5, 1.25});
        const wg_gradcheck_options o = {.precision = wide ? WG_CHECK_WIDE : WG_CHECK_AUTO};
        wg_check_report r;
        const wg_check_verdict verdict = wg_gradcheck(wg_sum(wg_apply(&op, &x, 1, NULL)), &x, NULL,
                                                      1, &o, &r);
        ck_assert_int_eq(verdict == WG_CHECK_FAILED, fails);
        if (fails)
            ck_assert_str_eq(r.blame, "a_sine");
        wg_tape_free(t);
    }
}

/* Wide floats decide, and a kernel of f64 that is wrong must not hide behind the wide one; one that
 * loses digits is not wrong, but for the audit. */
START_TEST(a_wrong_f64_kernel_is_noticed)
{
    static const double by[] = {1e-2, 1e-4, 1e-6, 1e-7};
    coarseness = by[_i];
    sine_fails(coarse_sine, true);
    sine_fails(blurred_sine, false);
}
END_TEST

/* Its derivative is an op that is made for the call, off in f64. */
static _Thread_local wg_op made[64];
static _Thread_local int n_made;

static void coarse_cosine(int64_t n, void *y, const void *const x[], const int64_t stride[],
                          const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = (1 + coarseness) * cos(((const double *)x[0])[i * stride[0]]);
}
static wg_tensor *made_anew(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_op *op = &made[n_made++ % 64];
    *op = *wg_op_find("cos");
    op->name = "a_cosine";
    op->map[WG_F64] = coarse_cosine;
    return wg_mul(dy, wg_apply(op, &y->operand[i], 1, NULL));
}

START_TEST(a_wrong_f64_kernel_of_a_rule_is_noticed)
{
    static const double by[] = {1e-2, 1e-4, 1e-6, 1e-7};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0.5, 1.25});
    static _Thread_local wg_op op;
    op = *wg_op_find("sin");
    op.vjp = made_anew;
    coarseness = by[_i];
    for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++) {
        const wg_gradcheck_options o = {.precision = (wg_check_precision)precision};
        wg_check_report r;
        const wg_check_verdict v = wg_gradcheck(wg_sum(wg_apply(&op, &x, 1, NULL)), &x, NULL, 1, &o,
                                                &r);
        if (precision == WG_CHECK_DOUBLE && _i == 3) /* below what double tells apart */
            continue;
        ck_assert_int_eq(v, WG_CHECK_FAILED);
        ck_assert_str_eq(r.blame, "a_cosine");
    }
    wg_tape_free(t);
}
END_TEST

WG_UNARY_OP(versine, x, 1 - cos(x), wg_mul(dy, wg_sin(x)));
WG_UNARY_OP(slope_of_tanh, x, 1 - tanh(x) * tanh(x),
            wg_scale(wg_mul(dy, wg_mul(y, wg_tanh(x))), -2));
WG_UNARY_OP(log_of_more, x, log(1 + x), wg_div(dy, wg_shift(x, 1)));

/* Of 1e-19 doubles see nothing beside 1: these are right, and the audit tells what is lost. */
START_TEST(right_kernels_that_lose_all_digits)
{
    wg_tensor *(*const f[])(wg_tensor *) = {versine, slope_of_tanh, log_of_more};
    const double at[][2] = {{1e-9, -3e-10}, {21, -23}, {1e-17, -2e-12}};
    for (int f64 = 0; f64 < 2; f64++) {
        wg_tape *t = wgt_strict_tape();
        wg_tensor *x = wg_param(t, "x", f64 ? WG_F64 : WG_F32, WG_SHAPE(2));
        for (int64_t i = 0; i < 2; i++)
            wg_set_element(x, i, at[_i][i]);
        wg_check_report r;
        const wg_check_verdict v = wg_gradcheck(wg_sum(wg_exp(f[_i](x))), &x, NULL, 1, NULL, &r);
        const bool below = WG_WIDE_BITS < 113 && v == WG_CHECK_VACUOUS; /* 64 bits see nothing */
        ck_assert_msg(v == WG_CHECK_PASSED || below, "%s: %s", wg_check_verdict_name(v), r.note);
        wg_tape_free(t);
    }
}
END_TEST

static _Thread_local int wrong_entry;

static wg_tensor *nearly_cosine(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = wg_op_find("sin")->vjp(y, dy, i), *error = wg_ones_like(g);
    wg_set_element(error, wrong_entry, 1 + 1e-10);
    return wg_mul(g, error);
}

/* What the double pass cannot see, one wide direction of 113 bits does, in any single entry. */
START_TEST(a_tiny_error_in_one_entry_is_noticed)
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "a_sine";
    op.vjp = nearly_cosine;
    for (wrong_entry = 0; wrong_entry < 9 && WG_WIDE_BITS > 100; wrong_entry++) {
        wg_tape *t = wgt_strict_tape();
        wg_tensor *x = wgt_param(t, "x", WG_SHAPE(9),
                                 (double[]){0.5, 1.25, 1.5, 1e-3, -0.3, 2, -2, 0.1, 7});
        wg_check_report r;
        ck_assert_int_eq(wg_gradcheck(wg_sum(wg_apply(&op, &x, 1, NULL)), &x, NULL, 1, NULL, &r),
                         WG_CHECK_FAILED);
        ck_assert_str_eq(r.blame, "a_sine");
        wg_tape_free(t);
    }
}
END_TEST
#endif

/* x log |x|, whose derivative at 0, said to be 0, has no bound: as steps shrink it grows, by as much
 * from each to the next. */
static void x_log_x_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
                        const void *attrs)
{
    const double *a = x[0];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] == 0 ? 0
                                                 : a[i * stride[0]] * log(fabs(a[i * stride[0]]));
}
static wg_tensor *x_log_x_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *zero = wg_zeros_like(x), *none = wg_equal(x, zero);
    wg_tensor *size = wg_where(none, wg_ones_like(x), wg_abs(x));
    return wg_mul(dy, wg_where(none, zero, wg_shift(wg_log(size), 1)));
}

START_TEST(no_accusation_where_an_op_is_rough)
{
    wg_op op = *wg_op_find("sin");
    op.name = "x_log_x";
    op.vjp = x_log_x_vjp;
    memset(op.map, 0, sizeof op.map);
    op.map[WG_F64] = x_log_x_f64;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){0, 1});
    wg_tensor *y = wg_sum(wg_add(wg_sin(x), wg_scale(wg_apply(&op, &x, 1, NULL), 1e-3)));
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &r), WG_CHECK_UNRESOLVED);
    ck_assert_uint_eq(r.unresolved, 1);
    ck_assert_int_eq(r.worst.outcome, WG_ENTRY_UNRESOLVED);
    ck_assert_str_eq(r.worst.op, "x_log_x");
    wg_tape_free(t);
}
END_TEST

/* Points beside x where f is not finite are no errors of the tape. */
START_TEST(near_the_edge_of_a_domain)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.check_finite = true});
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){1e-8, 1e-3, 2});
    wg_tensor *y = wg_sum(wg_add(wg_log(x), wg_sqrt(x)));
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_PASSED);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static bool positive_check(const wg_tensor *y)
{
    for (int64_t i = 0; i < y->size; i++)
        if (!(((const double *)y->operand[0]->data)[i] > 0))
            return wg_op_fail(y, WG_E_VALUE, "not above 0");
    return true;
}

static int errors_heard;

static void hear(wg_status status, const char *message, void *user)
{
    (void)status, (void)message, (void)user;
    errors_heard++;
}

START_TEST(an_op_may_refuse_a_point)
{
    static wg_op strict;
    strict = *wg_op_find("log");
    strict.name = "strict_log";
    strict.check = positive_check;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.on_error = hear});
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2), (double[]){1e-4, 2});
    wg_tensor *y = wg_sum(wg_apply(&strict, &x, 1, NULL));
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    wgt_snapshot_compare(&before, t);
    ck_assert_int_eq(errors_heard, 0);
    wg_tape_free(t);
}
END_TEST

/* Of a wrong rule every mode says so, and the tape is as it was. */
START_TEST(a_wrong_rule_fails)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(70)),
              *z = wgt_normal(t, "z", WG_F64, 2, WG_SHAPE(2));
    wg_tensor *y = wg_mean(wg_exp(wg_sin(wgt_claimed_square(wg_sin(x), -2)))), *xs[] = {z, x};
    y = wg_add(y, wg_sum(wg_square(z)));
    wg_check_report reports[2];
    wg_check_taylor_report taylor;
    wg_gradcheck_options some = {.directions = 3}, quiet = {.no_blame = true};
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, NULL, reports), WG_CHECK_FAILED);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_ptr_null(reports[0].blame);
    ck_assert_str_eq(reports[1].blame, "claimed_square"); /* of 70 entries: by directions */
    ck_assert_uint_eq(reports[1].disagree, 70);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, &quiet, reports), WG_CHECK_FAILED);
    ck_assert_ptr_null(reports[1].blame);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 2, &some, reports), WG_CHECK_FAILED);
    ck_assert_str_eq(reports[1].blame, "claimed_square");
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, NULL, &taylor), WG_CHECK_FAILED);
    wgt_assert_close(taylor.rate, 1, 0, 0.25);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* A gradient from elsewhere is nobody's rule. */
START_TEST(a_wrong_gradient_is_blamed_on_no_op)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3)), *y = wg_sum(wg_square(x));
    wg_tensor *g = wg_scale(x, 2.01), *handmade = wg_sum(wgt_reciprocal(x));
    wg_tensor *right = wg_neg(wg_reciprocal(wg_square(x)));
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_ptr_null(report.blame);
    wgt_assert_contains(report.note, "the gradient given is wrong");
    /* an op without a rule has made no claim */
    ck_assert_int_eq(wg_gradcheck(handmade, &x, &right, 1, NULL, &report), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck(handmade, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_ptr_null(report.blame);
    wgt_assert_contains(report.note, "the gradient given is wrong");
    wg_tape_free(t);
}
END_TEST

/* A rule that gives too little, met while somebody is to be blamed, is not read beyond its end. */
static wg_tensor *short_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wg_sum(wg_mul(dy, y));
}

START_TEST(a_rule_of_the_wrong_shape)
{
    static wg_op op;
    op = *wg_op_find("square");
    op.vjp = short_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3));
    wg_tensor *y = wg_sum(wg_apply(&op, &x, 1, NULL)), *g = wg_scale(x, 3);
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, &report), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

Suite *suite_gradcheck_verdicts(void)
{
    Suite *suite = suite_create("gradcheck_verdicts");
    TCase *verdicts = tcase_create("verdicts");
    tcase_add_test(verdicts, all_zero_is_vacuous);
    tcase_add_test(verdicts, nan_is_refused);
    tcase_add_test(verdicts, infinite_entries_accuse_no_op);
    tcase_add_test(verdicts, ops_beside_y_need_no_wide_form);
    tcase_add_test(verdicts, a_rule_that_is_wrong_in_f32_alone);
#if WG_HAS_WIDE
    tcase_add_loop_test(verdicts, a_wrong_f64_kernel_is_noticed, 0, 4);
    tcase_add_loop_test(verdicts, a_wrong_f64_kernel_of_a_rule_is_noticed, 0, 4);
    tcase_add_loop_test(verdicts, right_kernels_that_lose_all_digits, 0, 3);
    tcase_add_test(verdicts, a_tiny_error_in_one_entry_is_noticed);
#endif
    tcase_add_test(verdicts, no_accusation_where_an_op_is_rough);
    tcase_add_test(verdicts, near_the_edge_of_a_domain);
    tcase_add_test(verdicts, an_op_may_refuse_a_point);
    tcase_add_test(verdicts, a_wrong_rule_fails);
    tcase_add_test(verdicts, a_wrong_gradient_is_blamed_on_no_op);
    tcase_add_test(verdicts, a_rule_of_the_wrong_shape);
    suite_add_tcase(suite, verdicts);
    return suite;
}
