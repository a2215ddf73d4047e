/* What is told of a check: indices, kinks, every entry, CSV, rates, sweeps; and points nearby. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/wengert_check.h"

#include <stdio.h>
#include <string.h>

/* All that was written to the file, which is closed. */
static const char *told(FILE *file)
{
    static char text[4096];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static wg_tensor *matrix(wg_tape *t)
{
    return wgt_param(t, "W", WG_SHAPE(3, 3), (double[]){1, 2, 3, 4, -5, 6, 7, 8, 0});
}

START_TEST(indices_and_kinks)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *W = matrix(t), *y = wg_sum(wg_relu(W)), *g = wg_scale(W, 1);
    FILE *file = tmpfile();
    ck_assert_int_eq(wg_gradcheck_print(file, y, &W, NULL, 1, NULL), WG_CHECK_PASSED);
    const char *text = told(file);
    wgt_assert_contains(text, "[2, 2] is at a kink of relu: claimed 0, derivatives ");
    file = tmpfile();
    ck_assert_int_eq(wg_gradcheck_print(file, y, &W, &g, 1, NULL), WG_CHECK_FAILED);
    text = told(file);
    /* the worst, in units of its bar: that of 0 depends on the wide floats there are */
    if (strstr(text, "[2, 1] is wrong: claimed 8, numeric 1 ") == NULL)
        wgt_assert_contains(text, "[1, 1] is wrong: claimed -5, numeric 0 ");
    wgt_assert_contains(text, "the gradient given is wrong");
    file = tmpfile();
    const wg_gradcheck_options along = {.directions = 2};
    wg_gradcheck_print(file, y, &W, &g, 1, &along);
    wgt_assert_contains(told(file), "    direction ");
    wg_tape_free(t);
}
END_TEST

/* Every entry is told, one a line, with the op whose kink it is. */
START_TEST(entries_as_csv)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *W = matrix(t), *y = wg_sum(wg_relu(W));
    FILE *file = tmpfile();
    const wg_gradcheck_options o = {.check = {.listen = wg_check_entry_csv, .listener = file}};
    wg_check_entry_csv(NULL, NULL, file);
    ck_assert_int_eq(wg_gradcheck(y, &W, NULL, 1, &o, NULL), WG_CHECK_PASSED);
    const char *text = told(file);
    wgt_assert_contains(text, "input,entry,index,outcome,claimed,");
    wgt_assert_contains(text, "\nW,0,\"[0, 0]\",agrees,1,");
    wgt_assert_contains(text, "\nW,8,\"[2, 2]\",kink,0,");
    wgt_assert_contains(text, ",relu\n");
    int lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    ck_assert_int_eq(lines, 10);
    wg_tape_free(t);
}
END_TEST

/* A name is quoted where a reader of CSV would take it for more fields. */
START_TEST(names_in_csv)
{
    static wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    op = *wg_op_find("exp");
    op.name = "e, \"the\" exp";
    wg_tensor *x = wg_rename(wg_full(t, WG_F64, WG_SHAPE(1), 0.5), "a, b");
    wg_check_report r = {.name = "a, \"b\"", .shape = x->shape};
    FILE *file = tmpfile();
    wg_check_entry_csv(&(wg_check_entry){.op = "a\nb"}, &r, file);
    const char *text = told(file);
    wgt_assert_contains(text, "\"a, \"\"b\"\"\",0,\"[0]\",agrees,");
    wgt_assert_contains(text, ",0,\"a\nb\"\n");
    file = tmpfile();
    wg_audit_csv(file, &(wg_audit_row){.node = wg_apply(&op, &x, 1, NULL)}, 1);
    wgt_assert_contains(told(file), ",\"e, \"\"the\"\" exp\",0,0,");
    wg_tape_free(t);
}
END_TEST

static wg_tensor *no_first_operand(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? NULL : wg_mul(dy, y->operand[0]);
}

/* sin(x + x w) at w = 0, where a rule that forgets the first x is right. */
START_TEST(points_nearby)
{
    static wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    op = *wg_op_find("mul");
    op.name = "half_mul";
    op.vjp = no_first_operand;
    wg_tensor *xs[] = {wgt_param(t, "x", WG_SHAPE(2), (double[]){0.5, -1.5}),
                       wgt_param(t, "w", WG_SHAPE(2), (double[]){0, 0})};
    wg_tensor *wrong = wg_sum(wg_sin(wg_add(xs[0], wg_apply(&op, xs, 2, NULL))));
    wg_tensor *right = wg_sum(wg_sin(wg_add(xs[0], wg_mul(xs[0], xs[1]))));
    wg_gradcheck_options o = {0};
    wg_check_report r[2];
    ck_assert_int_eq(wg_gradcheck(wrong, xs, NULL, 2, &o, r), WG_CHECK_PASSED);
    o.nearby = 2;
    ck_assert_int_eq(wg_gradcheck(wrong, xs, NULL, 2, &o, r), WG_CHECK_FAILED);
    ck_assert_str_eq(r[0].blame, "half_mul");
    ck_assert_str_eq(r[0].note, "at a point nearby");
    ck_assert_str_eq(r[0].name, "x");
    ck_assert_int_eq(wg_gradcheck(right, xs, NULL, 2, &o, r), WG_CHECK_PASSED);
    ck_assert_double_eq(wg_at(xs[1], 0), 0);
    wg_tensor *inner = wg_scale(xs[0], 2), *outer = wg_sum(wg_sin(inner));
    ck_assert_int_eq(wg_gradcheck(outer, &inner, NULL, 1, &o, r), WG_CHECK_INVALID);
    o.radius = -1;
    ck_assert_int_eq(wg_gradcheck(right, xs, NULL, 2, &o, r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* How far f32 may be off is for the user to say. */
START_TEST(the_threshold_of_f32)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(4));
    wg_fill_normal(x, 0, 1, 1);
    wg_tensor *y = wg_sum(wg_exp(x));
    wg_gradcheck_options o = {0};
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_double_gt(r.single, 0);
    o.single = r.single / 2;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_UNRESOLVED);
    wg_tape_free(t);
}
END_TEST

START_TEST(rates_and_sweeps)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *W = matrix(t), *y = wg_sum(wg_exp(wg_scale(W, 0.1)));
    wg_check_taylor_report taylor;
    wg_check_sweep_row rows[3];
    FILE *file = tmpfile();
    wg_gradcheck_taylor(y, W, 2, NULL, &taylor);
    wg_check_taylor_print(file, &taylor);
    wgt_assert_contains(told(file), ", 2 is right; noise ");
    ck_assert_int_eq(wg_gradcheck_sweep(y, W, 4, 1e-1, 1e-3, rows, 3), WG_OK);
    file = tmpfile();
    wg_tensor *none = wg_sum(wg_mul(wg_sqrt(wg_sub(W, W)), W)); /* 0 times infinity */
    ck_assert_int_eq(wg_gradcheck_taylor(none, W, 2, NULL, &taylor), WG_CHECK_FAILED);
    wg_check_taylor_print(file, &taylor);
    const char *claim = told(file);
    wgt_assert_contains(claim, "the claim is nan: failed");
    ck_assert_ptr_null(strstr(claim, "rate"));
    file = tmpfile();
    wg_check_sweep_print(file, rows, 3);
    wgt_assert_contains(told(file), "   1.000e-02 ");
    file = tmpfile();
    wg_check_sweep_csv(file, rows, 3);
    wgt_assert_contains(told(file), "step,error2,error3,error5\n0.1");
    file = tmpfile();
    ck_assert_int_eq(wg_gradcheck_second_print(file, y, &W, 1, NULL), WG_CHECK_PASSED);
    wgt_assert_contains(told(file), "gradient check passed: 1 of 1 inputs passed");
    wg_tape_free(t);
}
END_TEST

/* For users of Check: the verdict is the message. */
START_TEST(the_header_for_tests)
{
    char text[4096];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *W = matrix(t), *square = wg_sum(wg_square(W));
    ck_assert_gradient(square, &W, 1);
    ck_assert(wengert_check_gradient(square, &W, 1, text, sizeof text));
    wgt_assert_contains(text, "gradient check passed");
    ck_assert(!wengert_check_gradient(wg_sum(wg_detach(W)), &W, 1, text, sizeof text));
    wgt_assert_contains(text, "vacuous");
    ck_assert(!wengert_check_gradient(NULL, &W, 1, text, 8));
    ck_assert_uint_eq(strlen(text), 7);
    wg_tape_free(t);
}
END_TEST

Suite *suite_reports(void)
{
    Suite *suite = suite_create("reports");
    TCase *tc = tcase_create("reports");
    tcase_add_test(tc, indices_and_kinks);
    tcase_add_test(tc, entries_as_csv);
    tcase_add_test(tc, names_in_csv);
    tcase_add_test(tc, points_nearby);
    tcase_add_test(tc, the_threshold_of_f32);
    tcase_add_test(tc, rates_and_sweeps);
    tcase_add_test(tc, the_header_for_tests);
    suite_add_tcase(suite, tc);
    return suite;
}
