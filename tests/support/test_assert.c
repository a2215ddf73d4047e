/* The asserts themselves: that they pass where they should, and that they can fail. */
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double nan_ = (double)NAN, inf_ = (double)INFINITY;

START_TEST(test_close_boundary)
{
    ck_assert(wgt_close(1.5, 1.0, 0.5, 0));
    ck_assert(!wgt_close(nextafter(1.5, 2), 1.0, 0.5, 0));
    ck_assert(wgt_close(0.5, 1.0, 0, 0.5));
    ck_assert(!wgt_close(1 - nextafter(0.5, 1), 1.0, 0, 0.5));
    ck_assert(wgt_close(3, 2, 0.5, 0.25)); /* the larger of the two tolerances holds */
    ck_assert(wgt_close(3, 2, 0.25, 1));
    ck_assert(!wgt_close(3, 2, 0.25, 0.75)); /* and not their sum */
}
END_TEST

START_TEST(test_close_exact)
{
    ck_assert(wgt_close(0.1, 0.1, 0, 0));
    ck_assert(wgt_close(-0.0, 0.0, 0, 0));
    ck_assert(!wgt_close(nextafter(0.1, 1), 0.1, 0, 0));
    ck_assert(!wgt_close(-0.1, 0.1, 1e-3, 1e-3));
    ck_assert(wgt_close(0, 5e-324, 1, 0)); /* rel = 1 admits zero, for it is of want */
    ck_assert(!wgt_close(5e-324, 0, 1, 0));
    ck_assert(!wgt_close(DBL_MAX, -DBL_MAX, 1, 0));
}
END_TEST

START_TEST(test_close_special)
{
    ck_assert(wgt_close(nan_, nan_, 0, 0));
    ck_assert(wgt_close(inf_, inf_, 0, 0));
    ck_assert(wgt_close(-inf_, -inf_, 0, 0));
    const double values[] = {nan_, inf_, -inf_, 0.0, DBL_MAX};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 3; j++) {
            if (i != j)
                ck_assert(!wgt_close(values[i], values[j], 0.5, DBL_MAX));
            if (i != j)
                ck_assert(!wgt_close(values[j], values[i], 0.5, DBL_MAX));
        }
    }
}
END_TEST

START_TEST(test_close_bad_tolerance)
{
    ck_assert(!wgt_close(1, 1, -1e-9, 0));
    ck_assert(!wgt_close(1, 1, 0, -1e-9));
    ck_assert(!wgt_close(1, 1, nan_, 0));
    ck_assert(!wgt_close(1, 1, 0, nan_));
}
END_TEST

START_TEST(test_worst)
{
    const double want[] = {1, 10, 0, 1000};
    const double got[] = {1.02, 10.5, 0, 1001};
    ck_assert_uint_eq(wgt_worst(got, want, 4, 0.1, 0), 4);
    ck_assert_uint_eq(wgt_worst(got, want, 4, 0.01, 0), 1); /* 5 tolerances away, [0] only 2 */
    ck_assert_uint_eq(wgt_worst(got, want, 4, 0, 0.01), 3);
    const double broken[] = {1.02, 1e300, nan_, 1001};
    ck_assert_uint_eq(wgt_worst(broken, want, 4, 0.01, 0.01), 2);
    ck_assert_uint_eq(wgt_worst(got, want, 0, 0, 0), 0); /* nothing to compare: n */
}
END_TEST

START_TEST(test_ulps)
{
    ck_assert_uint_eq(wgt_ulps(1, 1), 0);
    ck_assert_uint_eq(wgt_ulps(-0.0, 0.0), 0);
    ck_assert_uint_eq(wgt_ulps(1, nextafter(1, 2)), 1);
    ck_assert_uint_eq(wgt_ulps(nextafter(1, 0), nextafter(1, 2)), 2);
    ck_assert_uint_eq(wgt_ulps(5e-324, -5e-324), 2);
    ck_assert_uint_eq(wgt_ulps(DBL_MAX, inf_), 1);
    ck_assert(wgt_ulps(-inf_, inf_) > UINT64_MAX / 4);
    ck_assert_uint_eq(wgt_ulps(nan_, nan_), 0);
    ck_assert(wgt_ulps(nan_, 1) == UINT64_MAX);
    ck_assert_uint_eq(wgt_ulps_f32(1, nextafterf(1, 2)), 1);
    ck_assert_uint_eq(wgt_ulps_f32(1e-45f, -1e-45f), 2);
    ck_assert_uint_eq(wgt_ulps_f32(-FLT_MAX, FLT_MAX), 2 * UINT64_C(0x7f7fffff));
}
END_TEST

START_TEST(test_same_bits)
{
    ck_assert(wgt_same_bits(0.1, 0.1));
    ck_assert(wgt_same_bits(nan_, nan_));
    ck_assert(!wgt_same_bits(0.0, -0.0));
    ck_assert(!wgt_same_bits(0.1, nextafter(0.1, 1)));
    ck_assert(!wgt_same_bits(nan_, copysign(nan_, -1)));
    const float a[] = {1, 2, 3}, b[] = {1, 2, nextafterf(3, 4)};
    ck_assert_uint_eq(wgt_first_difference(a, a, sizeof a), sizeof a);
    ck_assert_uint_ge(wgt_first_difference(a, b, sizeof a), 2 * sizeof(float));
    ck_assert_uint_lt(wgt_first_difference(a, b, sizeof a), sizeof a);
}
END_TEST

START_TEST(test_contains)
{
    ck_assert(wgt_contains("matmul: inner sizes differ", "inner"));
    ck_assert(wgt_contains("anything", ""));
    ck_assert(!wgt_contains("matmul", "inner"));
    ck_assert(!wgt_contains(NULL, ""));
}
END_TEST

/* From here on a failing assert counts and keeps its message instead of ending the test. */
static int failures;
static char message[2 * WGT_TEXT];
#undef ck_abort_msg
#define ck_abort_msg(...) (failures++, snprintf(message, sizeof message, __VA_ARGS__))

START_TEST(test_macros_pass)
{
    const double a[] = {1, 2, 3};
    wgt_assert_close(a[0], 1, 0, 0);
    wgt_assert_all_close(a, a, 3, 0, 0);
    wgt_assert_ulps(nextafter(1, 2), 1, 1);
    wgt_assert_ulps_f32(nextafterf(1, 2), 1, 1);
    wgt_assert_same_bits(a[1], 2);
    wgt_assert_same_bytes(a, a, sizeof a);
    ck_assert_int_eq(failures, 0);
}
END_TEST

START_TEST(test_macros_fail)
{
    const double a[] = {1, 2, 3}, b[] = {1, 2.5, 2.75};
    int calls = 0;
    wgt_assert_close((calls++, a[1]), 2.5, 0.1, 0);
    ck_assert_int_eq(failures, 1);
    ck_assert_int_eq(calls, 1); /* an operand is evaluated once */
    ck_assert_ptr_nonnull(strstr(message, "got 2, want 2.5, difference -0.5"));
    wgt_assert_all_close(a, b, 3, 1e-9, 0);
    ck_assert_int_eq(failures, 2);
    ck_assert_ptr_nonnull(strstr(message, "worst at [1] of 3: got 2, want 2.5"));
    wgt_assert_ulps(nextafter(1, 2), nextafter(1, 0), 1);
    ck_assert_int_eq(failures, 3);
    ck_assert_ptr_nonnull(strstr(message, "2 ulps"));
    wgt_assert_ulps_f32(nextafterf(1, 2), 1, 0);
    ck_assert_int_eq(failures, 4);
    wgt_assert_same_bits(0.0, -0.0);
    ck_assert_int_eq(failures, 5);
    ck_assert_ptr_nonnull(strstr(message, "got 0, want -0"));
    wgt_assert_same_bytes(a, b, sizeof a);
    ck_assert_int_eq(failures, 6);
    wgt_assert_that(++calls, <, 2); /* an operand is evaluated once */
    ck_assert_int_eq(failures, 7);
    ck_assert_ptr_nonnull(strstr(message, "++calls < 2: 2 < 2"));
    wgt_assert_contains("matmul", "inner");
    ck_assert_int_eq(failures, 8);
    ck_assert_ptr_nonnull(strstr(message, "\"matmul\" lacks \"inner\""));
    wgt_assert_lacks("matmul", "mat");
    ck_assert_int_eq(failures, 9);
}
END_TEST

/* What each op says of a < b, a = b, a > b and of a NaN. */
static void check_order(wgt_number a, wgt_number b, const char *holding)
{
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
    for (int i = 0; i < 6; i++) {
        const bool want = strstr(holding, ops[i]) != NULL &&
                          (ops[i][1] != 0 || holding[0] == *ops[i]);
        ck_assert_msg(wgt_holds(a, ops[i], b) == want, "%s", ops[i]);
    }
}

START_TEST(test_holds)
{
    const char *const less = "< <= !=", *const same = "== <= >=", *const more = "> >= !=";
    check_order(WGT_NUMBER(-1), WGT_NUMBER(1U), less);
    check_order(WGT_NUMBER((int64_t)-1), WGT_NUMBER(SIZE_MAX), less);
    check_order(WGT_NUMBER(UINT64_MAX), WGT_NUMBER(UINT64_MAX), same);
    check_order(WGT_NUMBER(UINT64_MAX), WGT_NUMBER(UINT64_MAX - 1), more);
    check_order(WGT_NUMBER(INT64_MAX), WGT_NUMBER(INT64_MAX - 1), more);
    check_order(WGT_NUMBER((size_t)3), WGT_NUMBER(3), same);
    check_order(WGT_NUMBER(0.1F), WGT_NUMBER(0.1), more);
    check_order(WGT_NUMBER(0.1), WGT_NUMBER(0.1), same);
    check_order(WGT_NUMBER(-0.0), WGT_NUMBER(0), same);
    check_order(WGT_NUMBER(2.5), WGT_NUMBER(UINT64_MAX), less);
    check_order(WGT_NUMBER(inf_), WGT_NUMBER(INT64_MAX), more);
    check_order(WGT_NUMBER(nan_), WGT_NUMBER(nan_), "!=");
    check_order(WGT_NUMBER(1), WGT_NUMBER(nan_), "!=");
}
END_TEST

START_TEST(test_digits)
{
    char text[WGT_DIGITS];
    ck_assert_str_eq(wgt_digits(text, sizeof text, WGT_NUMBER(INT64_MIN)), "-9223372036854775808");
    ck_assert_str_eq(wgt_digits(text, sizeof text, WGT_NUMBER(UINT64_MAX)), "18446744073709551615");
    ck_assert_str_eq(wgt_digits(text, sizeof text, WGT_NUMBER(0.1)), "0.10000000000000001");
    ck_assert_str_eq(wgt_digits(text, sizeof text, WGT_NUMBER(nan_)), "nan");
}
END_TEST

Suite *suite_assert(void)
{
    Suite *suite = suite_create("assert");
    TCase *compare = tcase_create("comparisons");
    tcase_add_test(compare, test_close_boundary);
    tcase_add_test(compare, test_close_exact);
    tcase_add_test(compare, test_close_special);
    tcase_add_test(compare, test_close_bad_tolerance);
    tcase_add_test(compare, test_worst);
    tcase_add_test(compare, test_ulps);
    tcase_add_test(compare, test_same_bits);
    tcase_add_test(compare, test_contains);
    tcase_add_test(compare, test_holds);
    tcase_add_test(compare, test_digits);
    suite_add_tcase(suite, compare);
    TCase *macros = tcase_create("macros");
    tcase_add_test(macros, test_macros_pass);
    tcase_add_test(macros, test_macros_fail);
    suite_add_tcase(suite, macros);
    return suite;
}
