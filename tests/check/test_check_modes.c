/* The checker of functions: verdicts that are neither passed nor failed, its other modes, what it
 * prints. */
#include "autograd/check/function.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- verdicts that are neither passed nor failed --------------------------------------------- */

static double no_number(const double *x, void *user)
{
    (void)user;
    return x[0] > 0.0 ? (double)NAN : 1.0;
}

static double nothing(const double *x, void *user)
{
    (void)x;
    (void)user;
    return 3.0;
}

static double huge_noise(const double *x, void *user)
{
    (void)user;
    return (1e9 + 1e-4 * sin(x[0]) + 1e-4 * x[1]) - 1e9; /* lumps of 1.2e-7 */
}

static double sum_of_two(const double *x, void *user)
{
    (void)user;
    return x[0] + 5e-7 * x[1];
}

START_TEST(other_verdicts)
{
    double x[2] = {0.5, 0.25};
    const double zero[2] = {0.0, 0.0}, one[2] = {1.0, 1.0}, small[2] = {1.0, 0.0};
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(no_number, NULL, x, one, 2, NULL, &r), WG_CHECK_NOT_FINITE);
    ck_assert_double_nan(r.value);
    wgt_assert_that(r.entries, ==, 0);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, zero, 2, NULL, &r), WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 0, NULL, NULL), WG_CHECK_VACUOUS);
    ck_assert_int_eq(wg_check_function(sum_of_two, NULL, x, small, 2, NULL, &r), WG_CHECK_FAILED);
    ck_assert_uint_eq(r.worst.index, 1);
    ck_assert_double_eq_tol(r.worst.numeric.value, 5e-7, 1e-12);
    const double tiny[2] = {1e-4 * cos(0.5), 1e-4};
    ck_assert_int_eq(wg_check_function(huge_noise, NULL, x, tiny, 2, NULL, &r),
                     WG_CHECK_UNRESOLVED);
}
END_TEST

START_TEST(bad_arguments)
{
    double x[1] = {0.5};
    const double one[1] = {1.0};
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(NULL, NULL, x, one, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_function(nothing, NULL, NULL, one, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_function(nothing, NULL, x, NULL, 1, NULL, &r), WG_CHECK_INVALID);
    ck_assert_int_eq(wg_check_directions(nothing, NULL, x, one, 1, 1, NULL, NULL, &r),
                     WG_CHECK_INVALID);
    const wg_check_options bad[] = {
        {.points = 4},         {.step = 1.0},     {.step = -1.0},
        {.rtol = (double)NAN}, {.bars = 0.5},     {.resolution = 1.0},
        {.unresolved = 1.0},   {.largest = -1.0}, {.unit = -1.0},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(wg_check_function(nothing, NULL, x, one, 1, &bad[i], &r),
                         WG_CHECK_INVALID);
}
END_TEST

/* ---- the other modes ------------------------------------------------------------------------- */

/* f = exp(x0) sin(x1), whose Hessian is known. */
static double product_of_two(const double *x, void *user)
{
    (void)user;
    return exp(x[0]) * sin(x[1]);
}

/* The largest entry is known, also where it is a claim and wrong. */
START_TEST(largest_entry)
{
    double x[2] = {0.3, 0.8};
    const double claimed[2] = {-100, exp(0.3) * cos(0.8)};
    wg_check_report r;
    ck_assert_int_eq(wg_check_function(product_of_two, NULL, x, claimed, 2, NULL, &r),
                     WG_CHECK_FAILED);
    ck_assert_double_eq(r.largest, 100);
    ck_assert_uint_eq(r.worst.index, 0);
}
END_TEST

START_TEST(taylor_remainders)
{
    double x[2] = {0.3, 0.8}, work[2];
    const double v[2] = {0.7, -0.4}, e = exp(0.3), s = sin(0.8), c = cos(0.8);
    const double g[2] = {e * s, e * c}, bad_g[2] = {e * s, 1.001 * e * c};
    const double hv[2] = {e * s * v[0] + e * c * v[1], e * c * v[0] - e * s * v[1]};
    const double bad_hv[2] = {hv[0], 1.01 * hv[1]};
    wg_check_taylor_report r;
    wg_check_taylor(product_of_two, NULL, x, g, v, NULL, 2, work, NULL, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_PASSED);
    ck_assert_double_eq_tol(r.rate, 2.0, 0.05);
    wg_check_taylor(product_of_two, NULL, x, g, v, hv, 2, work, NULL, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_PASSED);
    ck_assert_double_eq_tol(r.rate, 3.0, 0.1);
    wg_check_taylor(product_of_two, NULL, x, bad_g, v, NULL, 2, work, NULL, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    wg_check_taylor(product_of_two, NULL, x, g, v, bad_hv, 2, work, NULL, &r);
    ck_assert_int_eq(r.verdict, WG_CHECK_FAILED);
    const double line[2] = {1.0, 5e-7};
    ck_assert_int_eq(wg_check_taylor(sum_of_two, NULL, x, line, v, NULL, 2, work, NULL, &r),
                     WG_CHECK_PASSED);
    ck_assert_int_eq(wg_check_taylor(nothing, NULL, x, line, v, NULL, 2, work, NULL, &r),
                     WG_CHECK_FAILED);
}
END_TEST

static double squared(double x)
{
    return x * x;
}

static double entropy_from_0(double x)
{
    return x == 0 ? 0 : x * log(x);
}

static double steep(double x)
{
    return tanh(1e6 * x);
}

typedef struct vertical_case {
    double (*f)(double);
    double x, claimed;
    wg_check_verdict verdict;
} vertical_case;

static double vertical_value(const double *x, void *user)
{
    return ((const vertical_case *)user)->f(*x);
}

/* At the vertical ends of a curve a claim of infinity cannot be refuted; elsewhere it can. */
START_TEST(vertical_derivatives)
{
    const double inf = (double)INFINITY;
    vertical_case cases_[] = {
        {sqrt, 0, inf, WG_CHECK_UNRESOLVED},       {sqrt, 0, -inf, WG_CHECK_FAILED},
        {sqrt, 0, (double)NAN, WG_CHECK_FAILED},   {sqrt, 1, inf, WG_CHECK_FAILED},
        {asin, 1, inf, WG_CHECK_UNRESOLVED},       {asin, -1, inf, WG_CHECK_UNRESOLVED},
        {cbrt, 0, inf, WG_CHECK_UNRESOLVED},       {entropy_from_0, 0, -inf, WG_CHECK_UNRESOLVED},
        {entropy_from_0, 0, inf, WG_CHECK_FAILED}, {fabs, 0, inf, WG_CHECK_FAILED},
        {squared, 0, inf, WG_CHECK_FAILED},        {steep, 0, inf, WG_CHECK_FAILED},
    };
    for (size_t i = 0; i < sizeof cases_ / sizeof *cases_; i++) {
        double x = cases_[i].x;
        ck_assert_msg(wg_check_function(vertical_value, &cases_[i], &x, &cases_[i].claimed, 1, NULL,
                                        NULL) == cases_[i].verdict,
                      "case %zu", i);
        ck_assert_double_eq(x, cases_[i].x);
    }
}
END_TEST

/* Each curve falls with its order on the right, rises with 1/h on the left, and 5 points win. */
START_TEST(step_sweep)
{
    double x[2] = {0.3, 0.8}, least[3] = {1.0, 1.0, 1.0};
    wg_check_sweep_row rows_[40];
    const double exact = exp(0.3) * sin(0.8);
    const double value = wg_check_sweep(product_of_two, NULL, x, 2, 0, exact, 0.5, 1e-13, rows_,
                                        40);
    ck_assert_double_eq(value, product_of_two(x, NULL));
    for (size_t i = 0; i < 40; i++) {
        least[0] = fmin(least[0], rows_[i].error2);
        least[1] = fmin(least[1], rows_[i].error3);
        least[2] = fmin(least[2], rows_[i].error5);
    }
    ck_assert_double_eq(rows_[0].h, 0.5);
    ck_assert_double_eq_tol(rows_[39].h, 1e-13, 1e-16);
    ck_assert_double_lt(least[0], 1e-7);
    ck_assert_double_lt(least[1], 1e-9);
    ck_assert_double_lt(least[2], 1e-11);
    ck_assert_double_gt(rows_[39].error2, 1e-5);
    ck_assert_double_gt(rows_[39].error5, 1e-5);
    const double order2 = log(rows_[2].error2 / rows_[4].error2) / log(rows_[2].h / rows_[4].h);
    const double order5 = log(rows_[2].error5 / rows_[4].error5) / log(rows_[2].h / rows_[4].h);
    ck_assert_double_eq_tol(order2, 1.0, 0.2);
    ck_assert_double_eq_tol(order5, 4.0, 0.2);
    ck_assert_double_nan(wg_check_sweep(NULL, NULL, x, 2, 0, exact, 0.5, 1e-13, rows_, 40));
    ck_assert_double_nan(
        wg_check_sweep(product_of_two, NULL, x, 2, 2, exact, 0.5, 1e-13, rows_, 40));
    ck_assert_double_nan(
        wg_check_sweep(product_of_two, NULL, x, 2, 0, exact, 0.5, 1e-13, NULL, 40));
}
END_TEST

START_TEST(printed_report)
{
    double x[2] = {0.5, 0.25};
    const double wrong[2] = {1.0, 0.0}, right[2] = {1.0, 5e-7};
    wg_check_report r[2];
    wg_check_function(sum_of_two, NULL, x, right, 2, NULL, &r[0]);
    wg_check_function(sum_of_two, NULL, x, wrong, 2, NULL, &r[1]);
    r[0].name = "good";
    r[1].name = "bad";
    r[1].blame = "mul (node 3)";
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    wg_check_report_print(file, r, 2);
    rewind(file);
    char text[2000];
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    static const char *const expected[] = {"good",         "passed",       "bad",        "failed",
                                           "[1] is wrong", "mul (node 3)", "NOT PASSED", "1 of 2"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_msg(strstr(text, expected[i]) != NULL, "no '%s' in\n%s", expected[i], text);
}
END_TEST

Suite *suite_check_modes(void)
{
    Suite *suite = suite_create("check_modes");
    TCase *cases = tcase_create("check_modes");
    tcase_add_test(cases, other_verdicts);
    tcase_add_test(cases, bad_arguments);
    tcase_add_test(cases, largest_entry);
    tcase_add_test(cases, taylor_remainders);
    tcase_add_test(cases, vertical_derivatives);
    tcase_add_test(cases, step_sweep);
    tcase_add_test(cases, printed_report);
    suite_add_tcase(suite, cases);
    return suite;
}
