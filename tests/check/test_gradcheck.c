/* The check of a recorded gradient: that it leaves the tape as it was, what it holds still, what it
 * refuses, what it prints. Its verdicts are in test_gradcheck_verdicts.c; that it catches bugs and
 * accuses nobody else is in test_planted.c. */
#include "autograd/check/gradcheck.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/check/gradcheck_support.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- A right gradient ------------------------------------------------------------------------ */

START_TEST(a_model_passes)
{
    wg_tape *t = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F64, 6, 4, 5);
    static const wg_gradcheck_options three = {.check.points = 3}, some = {.directions = 7};
    const wg_gradcheck_options *options[] = {NULL, &three, &some};
    wg_check_report reports[4];
    wgt_snapshot before = wgt_snapshot_take(t);
    for (int k = 0; k < 3; k++)
        for (int given = 0; given < 2; given++) {
            wg_check_verdict verdict = wg_gradcheck(m.loss, m.xs, given ? m.gs : NULL, 4,
                                                    options[k], reports);
            ck_assert_int_eq(verdict, WG_CHECK_PASSED);
            for (int i = 0; i < 4; i++) {
                size_t entries = k == 2 ? 7 : (size_t)wg_size(m.xs[i]);
                ck_assert_str_eq(reports[i].name, m.xs[i]->name);
                ck_assert_ptr_null(reports[i].blame);
                ck_assert_uint_eq(reports[i].entries, entries);
                ck_assert_uint_eq(reports[i].agree, entries);
                ck_assert_uint_le(reports[i].evaluations, (k == 1 ? 3 : 5) * entries + 1);
                ck_assert_double_eq(reports[i].value, wg_item(m.loss));
            }
        }
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, NULL, NULL), WG_CHECK_PASSED);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

START_TEST(every_mode_leaves_the_tape)
{
    wg_tape *t = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F64, 6, 4, 5);
    wg_check_taylor_report taylor;
    wg_check_sweep_row rows[8];
    wg_backward(m.loss);
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck_second(m.loss, m.xs, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 2, NULL, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[0], 3, NULL, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(m.loss, m.xs[0], 3, 0.1, 1e-9, rows, 8), WG_OK);
    wgt_snapshot_compare(&before, t);
    ck_assert_ptr_nonnull(wg_grad_of(m.xs[0]));
    wg_tape_free(t);
}
END_TEST

/* A model of f32 has errors of 1e-7 in its loss: only its f64 copy can agree to 1e-7. */
START_TEST(f32_is_checked_through_its_copy)
{
    wg_tape *t = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F32, 6, 4, 5);
    wg_check_report reports[4];
    wg_check_taylor_report taylor;
    wg_check_sweep_row rows[8];
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, m.gs, 4, NULL, reports), WG_CHECK_PASSED);
    ck_assert_uint_eq(reports[0].agree, 20);
    ck_assert_double_gt(reports[0].single, 0);
    ck_assert_double_lt(reports[0].single, 1e-6);
    ck_assert_str_eq(reports[0].name, "W1");
    wgt_assert_that(reports[0].value, !=, wg_item(m.loss));
    wgt_assert_close(reports[0].value, wg_item(m.loss), 1e-6, 0);
    ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(m.loss, m.xs, 4, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_taylor(m.loss, m.xs[2], 3, NULL, &taylor), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_sweep(m.loss, m.xs[0], 3, 0.1, 1e-9, rows, 8), WG_OK);
    ck_assert_double_lt(rows[3].error5, 1e-9);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static void coarse_product(int64_t n, void *y, const void *const x[], const int64_t stride[],
                           const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((float *)y)[i] = 1.005f * ((const float *)x[0])[i * stride[0]] *
                          ((const float *)x[1])[i * stride[1]];
}

/* The f64 kernel and the rule are right: differences in f64 cannot see what f32 makes of them. */
START_TEST(a_wrong_f32_kernel_is_noticed)
{
    static wg_op wrong;
    wrong = wgt_op_product;
    wrong.map[WG_F32] = coarse_product;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F32, 1, WG_SHAPE(4)), *e = wg_exp(x), *g;
    wg_tensor *y = wg_sum(wg_apply(
        &wrong, (wg_tensor *[]){e, wg_apply(&wrong, (wg_tensor *[]){e, e}, 2, NULL)}, 2, NULL));
    wg_check_report report;
    wg_grad(y, &x, 1, &g);
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_str_eq(report.blame, "product");
    ck_assert_double_gt(report.single, 0.001);
    ck_assert_uint_eq(report.agree, 4);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, NULL), WG_CHECK_FAILED);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* asin(-1) is a number, asin(-1 - 2^-23) is none: no reason to accuse asin. */
START_TEST(f32_at_the_end_of_a_domain)
{
    wg_tape *t = wgt_strict_tape();
    const float values[] = {-0.5f, 0.25f};
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2));
    wg_write(x, values, sizeof values);
    wg_tensor *y = wg_sum(wg_add(x, wg_asin(wg_floor(x))));
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* y is f64, and so may x be, but f32 lies between them: that is compared with its copy. */
START_TEST(f32_in_the_middle)
{
    wg_tape *t = wgt_strict_tape();
    wg_check_report report;
    for (int f64 = 0; f64 < 2; f64++) {
        wg_tensor *x = wgt_normal(t, "x", f64 ? WG_F64 : WG_F32, 1, WG_SHAPE(5));
        wg_tensor *y = wg_sum(wg_cast(wg_exp(wg_cast(x, WG_F32)), WG_F64));
        ck_assert_int_eq(wg_dtype_of(y), WG_F64);
        ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &report), WG_CHECK_PASSED);
        ck_assert_double_gt(report.single, 0);
    }
    wg_tape_free(t);
}
END_TEST

/* A draw has fewer digits in f32. */
START_TEST(f32_at_random)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F32, 1, WG_SHAPE(2));
    wg_tensor *at = wg_constant(t, WG_I64, WG_SHAPE(1), (int64_t[]){3});
    wg_tensor *draws = wg_uniform(WG_F32, WG_SHAPE(4000), 1, 2, at);
    ck_assert_int_eq(wg_gradcheck(wg_mul(wg_sum(draws), wg_sum(x)), &x, NULL, 1, NULL, NULL),
                     WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* The sum of a softmax is 1, whatever its rule is: only a random cotangent sees a wrong one. */
static wg_tensor *swapped_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    wg_tensor *mean = wg_sum_over(wg_mul(dy, y), WG_AXES(-1), true);
    return wg_mul(wg_square(y), wg_sub(dy, mean)); /* y^2 for y */
}

START_TEST(a_y_of_many_elements_gets_a_random_cotangent)
{
    static wg_op wrong;
    wrong = *wg_op_find("softmax");
    wrong.name = "wrong_softmax";
    wrong.vjp = swapped_vjp;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(3, 4)), *good = wg_softmax(x, -1);
    wg_tensor *bad = wg_apply(&wrong, &x, 1, good->attrs), *g;
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck(good, &x, NULL, 1, NULL, &report), WG_CHECK_PASSED);
    ck_assert_uint_eq(report.agree, 12);
    ck_assert_int_eq(wg_gradcheck(bad, &x, NULL, 1, NULL, &report), WG_CHECK_FAILED);
    ck_assert_str_eq(report.blame, "wrong_softmax");
    ck_assert_int_ne(wg_gradcheck(wg_sum(good), &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_ne(wg_gradcheck(wg_sum(good), &x, NULL, 1, NULL, NULL), WG_CHECK_FAILED);
    wg_grad(wg_sum(good), &x, 1, &g);
    ck_assert_int_eq(wg_gradcheck(good, &x, &g, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "a gradient is given, but y has not one element");
    wg_tape_free(t);
}
END_TEST

/* ---- What x may be --------------------------------------------------------------------------- */

START_TEST(an_x_may_be_anything_older)
{
    static const double data[] = {0.5, -1.25, 2}; /* cannot be written */
    wg_tape *t = wgt_strict_tape();
    wg_tensor *input = wg_input(t, "input", WG_F64, WG_SHAPE(3), data);
    wg_tensor *constant = wg_constant(t, WG_F64, WG_SHAPE(3), data);
    wg_tensor *folded = wg_exp(constant), *moved = wg_sin(input);
    wg_tensor *view = wg_reshape(moved, WG_SHAPE(3, 1)), *tail = wg_slice(view, 0, 1, WG_END);
    wg_tensor *y = wg_mul(wg_mul(folded, moved), wg_square(input));
    y = wg_mul(wg_sum(wg_mul(y, constant)), wg_add(wg_sum(wg_exp(view)), wg_prod(tail)));
    wg_tensor *xs[] = {input, constant, folded, moved, view, tail, input, y};
    wg_check_report reports[8];
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 8, NULL, reports), WG_CHECK_PASSED);
    for (int i = 0; i < 8; i++)
        ck_assert_uint_eq(reports[i].agree, (size_t)wg_size(xs[i]));
    ck_assert_str_eq(reports[6].name, "input");
    ck_assert_ptr_null(reports[1].name);
    ck_assert_int_eq(wg_gradcheck_second(y, xs, 7, NULL, reports), WG_CHECK_PASSED);
    wgt_snapshot_compare(&before, t);
    ck_assert_ptr_eq(wg_data_f64(input), data);
    wg_tape_free(t);
}
END_TEST

/* y does not depend on an x that is younger, or stands beside it, or is stale itself. */
START_TEST(an_x_that_y_does_not_depend_on_is_vacuous)
{
    wg_tape *t = wg_tape_new(&(wg_tape_options){.strict_grad = true});
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *z = wgt_scalar_param(t, "z", 3);
    wg_tensor *y = wg_square(x), *beside = wg_exp(z), *xs[] = {x, z, beside};
    wg_check_report reports[3];
    *(double *)wg_edit(z) = 4;
    ck_assert(wg_is_stale(beside));
    wgt_snapshot before = wgt_snapshot_take(t);
    ck_assert_int_eq(wg_gradcheck(y, xs, NULL, 3, NULL, reports), WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[0].verdict, WG_CHECK_PASSED);
    ck_assert_int_eq(reports[1].verdict, WG_CHECK_VACUOUS);
    ck_assert_int_eq(reports[2].verdict, WG_CHECK_VACUOUS);
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

static void hold_forward(const wg_tensor *y, const wg_piece *piece)
{
    (void)piece;
    memcpy(y->data, y->operand[0]->data, (size_t)y->size * wg_dtype_size(y->dtype));
}

static bool hold_shape(wg_tensor *y)
{
    y->dtype = y->operand[0]->dtype;
    y->shape = y->operand[0]->shape;
    return true;
}

static const wg_op op_hold = {.name = "hold",
                              .arity = 1,
                              .flags = WG_OP_ZERO_GRADIENT | WG_OP_DETACHED,
                              .shape = hold_shape,
                              .forward = hold_forward};

/* A detached view looks at memory that moves; it must not be seen to move, nor what looks at it. */
START_TEST(what_is_detached_is_held)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(2, 3)), *z = wg_exp(x), *ys[5];
    ys[0] = wg_mul(x, wg_detach(x));
    ys[1] = wg_mul(z, wg_detach(z));
    ys[2] = wg_mul(wg_reshape(z, WG_SHAPE(6)), wg_reshape(wg_detach(z), WG_SHAPE(6)));
    ys[3] = wg_mul(z, wg_apply(&op_hold, &z, 1, NULL));
    ys[4] = wg_mul(z, wg_sin(wg_slice(wg_detach(wg_reshape(z, WG_SHAPE(2, 3))), 0, 1, 2)));
    wgt_snapshot before = wgt_snapshot_take(t);
    for (int k = 0; k < 5; k++) {
        wg_check_report report;
        ck_assert_msg(wg_gradcheck(ys[k], &x, NULL, 1, NULL, &report) == WG_CHECK_PASSED, "%d", k);
        ck_assert_uint_eq(report.agree, 6);
    }
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* ---- What is refused ------------------------------------------------------------------------- */

static void assert_invalid(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const gs[], int n,
                           const wg_gradcheck_options *options, const char *why)
{
    wg_check_report reports[2];
    memset(reports, 0xff, sizeof reports);
    ck_assert_int_eq(wg_gradcheck(y, xs, gs, n, options, reports), WG_CHECK_INVALID);
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(reports[i].verdict, WG_CHECK_INVALID);
        ck_assert_str_eq(reports[i].blame, why);
    }
    ck_assert_int_eq(wg_gradcheck(y, xs, gs, n, options, NULL), WG_CHECK_INVALID);
}

START_TEST(arguments_that_cannot_be_checked)
{
    wg_tape *t = wgt_strict_tape(), *other = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(2)),
              *k = wg_full(t, WG_I64, WG_SCALAR, 1);
    wg_tensor *far = wgt_normal(other, "far", WG_F64, 1, WG_SHAPE(2)), *none = NULL, *g;
    wg_tensor *y = wg_sum(wg_square(x)), *abstract = wg_abstract(t, WG_F64, WG_SHAPE(2));
    wg_tensor *norule = wg_sum(wgt_reciprocal(x)), *inert = &t->inert;
    wg_grad(y, &x, 1, &g);
    wgt_snapshot before = wgt_snapshot_take(t);
    assert_invalid(NULL, &x, NULL, 1, NULL, "y is NULL");
    assert_invalid(inert, &x, NULL, 1, NULL, "y is what an earlier error returned");
    assert_invalid(k, &x, NULL, 1, NULL, "y is i64");
    assert_invalid(abstract, &x, NULL, 1, NULL, "y has no value");
    assert_invalid(y, &none, NULL, 1, NULL, "an x is NULL or inert");
    assert_invalid(y, &inert, NULL, 1, NULL, "an x is NULL or inert");
    assert_invalid(y, &far, NULL, 1, NULL, "an x is of another tape");
    assert_invalid(y, &k, NULL, 1, NULL, "an x is i64");
    assert_invalid(y, &abstract, NULL, 1, NULL, "an x has no value");
    assert_invalid(y, NULL, NULL, 1, NULL, "there is no x");
    assert_invalid(y, &x, NULL, 0, NULL, ""); /* no report to say why */
    assert_invalid(y, &x, NULL, -1, NULL, "");
    assert_invalid(norule, &x, NULL, 1, NULL, "no gradient can be derived");
    assert_invalid(y, &x, &none, 1, NULL, "a claimed gradient is NULL or inert");
    assert_invalid(y, &x, &far, 1, NULL, "a claimed gradient is of another tape");
    assert_invalid(y, &x, &k, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, &y, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, &abstract, 1, NULL, "a claimed gradient is not like its x");
    assert_invalid(y, &x, NULL, 1, &(wg_gradcheck_options){.check.points = 4},
                   "an option is out of its range");
    wg_check_report report;
    ck_assert_int_eq(wg_gradcheck_second(k, &x, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "y is i64");
    ck_assert_int_eq(wg_gradcheck_second(x, &x, 1, NULL, &report), WG_CHECK_INVALID);
    ck_assert_str_eq(report.blame, "no second derivative can be derived");
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

START_TEST(what_is_stale_is_refused)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(2)), *y = wg_sum(wg_square(x)), *g;
    wg_check_taylor_report taylor;
    wg_check_sweep_row row;
    wg_grad(y, &x, 1, &g);
    *(double *)wg_edit(x) = 3;
    assert_invalid(y, &x, NULL, 1, NULL, "y is out of date: replay first");
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, NULL, &taylor), WG_CHECK_INVALID);
    ck_assert_int_ne(wg_gradcheck_sweep(y, x, 0, 1, 1e-3, &row, 1), WG_OK);
    wg_replay_to(&y, 1);
    assert_invalid(y, &x, &g, 1, NULL, "a claimed gradient is out of date: replay first");
    ck_assert(wg_is_stale(g));
    wg_replay(t);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

START_TEST(a_tape_with_an_error_is_refused)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_normal(t, "x", WG_F64, 1, WG_SHAPE(2)), *y = wg_sum(wg_square(x));
    wg_add(x, NULL);
    wgt_snapshot before = wgt_snapshot_take(t);
    assert_invalid(y, &x, NULL, 1, NULL, "add: operand 1 is NULL");
    assert_invalid(wg_sin(y), &x, NULL, 1, NULL, "add: operand 1 is NULL");
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* In an f32 tape, too, where a place on the copy stands for a tensor. */
START_TEST(f32_is_refused_like_f64)
{
    wg_tape *t = wgt_strict_tape(), *other = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F32, 3, 2, 2), n = wgt_model_mlp(other, WG_F32, 3, 2, 2);
    assert_invalid(m.loss, m.xs, n.gs, 2, NULL, "a claimed gradient is of another tape");
    assert_invalid(m.loss, m.xs, m.xs + 1, 2, NULL, "a claimed gradient is not like its x");
    ((float *)wg_edit(m.xs[0]))[0] = 3;
    wg_replay_to(&m.loss, 1);
    assert_invalid(m.loss, m.xs, m.gs, 2, NULL, "a claimed gradient is out of date: replay first");
    wg_tape_free(t);
    wg_tape_free(other);
}
END_TEST

/* The product of support.h with its f32 kernel alone; the user's callback does not hear of it. */
START_TEST(an_op_without_f64_is_refused)
{
    static wg_op narrow;
    narrow = wgt_op_product;
    narrow.map[WG_F64] = NULL;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2));
    wg_tensor *y = wg_sum(wg_apply(&narrow, (wg_tensor *[]){x, x}, 2, NULL));
    wgt_snapshot before = wgt_snapshot_take(t);
    assert_invalid(y, &x, NULL, 1, NULL, "an op of the tape has no f64");
    wgt_snapshot_compare(&before, t);
    wg_tape_free(t);
}
END_TEST

/* ---- Closed forms, printing, memory ---------------------------------------------------------- */

START_TEST(closed_forms_are_compared)
{
    static const double closed[] = {1, -4, 2, 0}, zeros[4] = {0}, nans[] = {1, -4, (double)NAN, 0};
    static const double infinite[] = {(double)INFINITY, 2, 3, 4};
    int64_t worst = -1;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *g = wgt_param(t, "g", WG_SHAPE(4), (double[]){1, -4.5, 2.25, 0});
    wg_tensor *same = wgt_param(t, "same", WG_SHAPE(4), closed);
    wg_tensor *pole = wgt_param(t, "pole", WG_SHAPE(4), (double[]){(double)INFINITY, 2, 3, 5});
    ck_assert_double_eq(wg_compare_closed_form(g, closed, 0, &worst), 0.125);
    ck_assert_int_eq(worst, 1);
    ck_assert_double_eq(wg_compare_closed_form(g, closed, 10, NULL), 0.05);
    ck_assert_double_eq(wg_compare_closed_form(same, closed, 0, &worst), 0);
    ck_assert_double_eq(wg_compare_closed_form(wg_zeros_like(g), zeros, 0, NULL), 0);
    ck_assert(isinf(wg_compare_closed_form(g, zeros, 0, NULL)));
    ck_assert_double_nan(wg_compare_closed_form(g, nans, 0, &worst));
    ck_assert_int_eq(worst, 2);
    ck_assert_double_nan(wg_compare_closed_form(NULL, closed, 0, NULL));
    ck_assert_double_nan(wg_compare_closed_form(&t->inert, closed, 0, NULL));
    ck_assert_double_eq(wg_compare_closed_form(pole, infinite, 0, &worst), 0.25);
    ck_assert_int_eq(worst, 3);
    ck_assert(isinf(wg_compare_closed_form(g, infinite, 0, &worst)));
    wg_tape_free(t);
}
END_TEST

static const char *printed(wg_tensor *y, wg_tensor *const xs[], int n, wg_check_verdict verdict)
{
    static char text[4096];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(wg_gradcheck_print(file, y, xs, NULL, n, NULL), verdict);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

START_TEST(the_table)
{
    wg_tape *t = wgt_strict_tape();
    wgt_model m = wgt_model_mlp(t, WG_F64, 6, 4, 5);
    wg_tensor *wrong = wg_sum(wgt_claimed_square(m.xs[1], 1));
    const char *text = printed(m.loss, m.xs, 4, WG_CHECK_PASSED);
    wgt_assert_contains(text, "W2 ");
    wgt_assert_contains(text, "gradient check passed: 4 of 4");
    text = printed(wrong, m.xs + 1, 1, WG_CHECK_FAILED);
    wgt_assert_contains(text, "enters at claimed_square");
    wgt_assert_contains(text, "NOT PASSED: 0 of 1");
    text = printed(m.loss, m.xs, 0, WG_CHECK_INVALID);
    wgt_assert_contains(text, "there is no x");
    wgt_assert_contains(text, "NOT PASSED");
    text = printed(NULL, m.xs, 1, WG_CHECK_INVALID);
    wgt_assert_contains(text, "y is NULL");
    wgt_assert_contains(text, "NOT PASSED");
    wg_tape_free(t);
}
END_TEST

/* Every allocation fails once: the verdict is right or there is none, and the tape is as it was. */
START_TEST(out_of_memory)
{
    for (int64_t at = 1;; at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        wgt_model m = wgt_model_mlp(t, _i == 0 ? WG_F64 : WG_F32, 3, 4, 1500);
        wg_check_report reports[4];
        wgt_snapshot before = wgt_snapshot_take(t);
        wg_gradcheck_options some = {.directions = 1};
        memory.fail_at = memory.calls + at;
        wg_check_verdict verdict = wg_gradcheck(m.loss, m.xs, NULL, 4, &some, reports);
        bool failed = memory.failed > 0;
        bool said = false; /* one input may have failed alone */
        for (int i = 0; i < 4; i++)
            said = said || (reports[i].verdict == WG_CHECK_INVALID &&
                            strcmp(reports[i].blame, "out of memory") == 0);
        ck_assert_int_eq(said, failed);
        ck_assert_int_eq(verdict, failed ? WG_CHECK_INVALID : WG_CHECK_PASSED);
        memory.fail_at = 0;
        ck_assert_int_eq(wg_gradcheck(m.loss, m.xs, NULL, 4, &some, reports), WG_CHECK_PASSED);
        wgt_snapshot_compare(&before, t);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed) {
            ck_assert_int_gt(at, 2);
            break;
        }
        ck_assert_int_lt(at, 1000);
    }
}
END_TEST

Suite *suite_gradcheck(void)
{
    Suite *suite = suite_create("gradcheck");
    TCase *right = tcase_create("right");
    tcase_add_test(right, a_model_passes);
    tcase_add_test(right, every_mode_leaves_the_tape);
    tcase_add_test(right, f32_is_checked_through_its_copy);
    tcase_add_test(right, a_wrong_f32_kernel_is_noticed);
    tcase_add_test(right, f32_at_the_end_of_a_domain);
    tcase_add_test(right, f32_in_the_middle);
    tcase_add_test(right, f32_at_random);
    tcase_add_test(right, a_y_of_many_elements_gets_a_random_cotangent);
    suite_add_tcase(suite, right);
    TCase *inputs = tcase_create("inputs");
    tcase_add_test(inputs, an_x_may_be_anything_older);
    tcase_add_test(inputs, an_x_that_y_does_not_depend_on_is_vacuous);
    tcase_add_test(inputs, what_is_detached_is_held);
    suite_add_tcase(suite, inputs);
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, arguments_that_cannot_be_checked);
    tcase_add_test(refused, what_is_stale_is_refused);
    tcase_add_test(refused, a_tape_with_an_error_is_refused);
    tcase_add_test(refused, f32_is_refused_like_f64);
    tcase_add_test(refused, an_op_without_f64_is_refused);
    suite_add_tcase(suite, refused);
    TCase *rest = tcase_create("rest");
    tcase_add_test(rest, closed_forms_are_compared);
    tcase_add_test(rest, the_table);
    tcase_add_loop_test(rest, out_of_memory, 0, 2);
    suite_add_tcase(suite, rest);
    return suite;
}
