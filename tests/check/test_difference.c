/* The numerical derivative: exact where it can be, honest where it cannot. */
#include "autograd/check/difference_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef double scalar_function(double);

static double call_scalar(const double *x, void *user)
{
    scalar_function *const *f = user;
    return (*f)(x[0]);
}

static wg_difference differentiate(scalar_function *f, double x, double claimed)
{
    double at = x;
    wg_line line = {.f = call_scalar, .user = &f, .x = &at, .n = 1};
    ck_assert(wg_line_begin(&line));
    const wg_difference d = wg_difference_examine(&line, 0, claimed);
    ck_assert_mem_eq(&at, &x, sizeof x);
    return d;
}

static double reciprocal(double x)
{
    return 1.0 / x;
}
static double line_three(double x)
{
    return 3.0 * x + 1.0;
}
static double constant(double x)
{
    (void)x;
    return 42.0;
}
static double cube(double x)
{
    return x * x * x;
}
static double fast_sine(double x)
{
    return sin(1e5 * x);
}
static double relu(double x)
{
    return x > 0.0 ? x : 0.0;
}
static double narrow_softplus(double x)
{
    return 1.0 + 1e-7 * log1p(exp(1e7 * x));
}
static double cancelling(double x)
{
    return (1e9 + 3.7 * x) - 1e9;
}
static double in_single(double x)
{
    return (double)(float)sin(x);
}
static double edge(double x)
{
    return x * sqrt(x);
}
static double hidden_wave(double x)
{
    return x + 1e-9 * sin(1e6 * x);
}

/* The value is right to within four bars, and the bar is at most `most` of it,
 * whatever the claim. */
static void assert_derivative(scalar_function *f, double x, double exact, double most)
{
    const double claims[] = {(double)NAN, exact, 1.001 * exact};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        const wg_difference d = differentiate(f, x, claims[i]);
        const double bar = d.truncation + d.roundoff;
        ck_assert_msg(d.finite && !d.kink, "x = %g, claim %g", x, claims[i]);
        ck_assert_msg(fabs(d.value - exact) <= 4.0 * bar + 1e-12 * fabs(exact),
                      "x = %g, claim %g: %.17g +- %g, not %.17g", x, claims[i], d.value, bar,
                      exact);
        ck_assert_msg(bar <= most * fabs(exact), "x = %g: bar %g", x, bar);
    }
}

START_TEST(smooth_functions)
{
    assert_derivative(sin, 0.7, cos(0.7), 1e-6);
    assert_derivative(exp, 30.0, exp(30.0), 1e-6);
    assert_derivative(tanh, 0.0, 1.0, 1e-6);
    assert_derivative(cube, 1e8, 3e16, 1e-6);
    assert_derivative(cube, -1e-3, 3e-6, 1e-6);
    assert_derivative(line_three, -1e300, 3.0, 1e-6);
    assert_derivative(line_three, 5e-324, 3.0, 1e-6);
    assert_derivative(line_three, 0.0, 3.0, 1e-6);
}
END_TEST

/* Step lengths that suit x = 1 suit none of these. */
START_TEST(small_domains)
{
    assert_derivative(log, 1e-8, 1e8, 1e-6);
    assert_derivative(log, 1e-300, 1e300, 1e-6);
    assert_derivative(log, 1e300, 1e-300, 1e-6);
    assert_derivative(reciprocal, 1e-8, -1e16, 1e-5);
    assert_derivative(reciprocal, 1e-100, -1e200, 1e-1); /* 300 decades of steps to choose from */
    assert_derivative(reciprocal, -1e8, -1e-16, 1e-6);
    assert_derivative(sqrt, 1e-12, 0.5e6, 1e-6);
    assert_derivative(fast_sine, 0.3, 1e5 * cos(3e4), 1e-6);
    assert_derivative(sin, 1e8, cos(1e8), 1e-5);
}
END_TEST

START_TEST(noisy_functions)
{
    assert_derivative(in_single, 0.3, cos(0.3), 1e-3);
    const double derivative = 1.0 + 1e-3 * cos(3e5); /* and 1 at every step above 1e-6 */
    const wg_difference wave = differentiate(hidden_wave, 0.3, derivative);
    ck_assert_double_le(fabs(wave.value - derivative), 4.0 * (wave.truncation + wave.roundoff));
    ck_assert_double_lt(wave.truncation + wave.roundoff, 2e-4);
    const wg_difference noisy = differentiate(cancelling, 0.3, 3.7);
    ck_assert_double_le(fabs(noisy.value - 3.7), 4.0 * (noisy.truncation + noisy.roundoff));
    ck_assert_double_gt(noisy.noise, 1e-9); /* the lumps are 1.2e-7 wide */
    ck_assert_double_lt(noisy.truncation + noisy.roundoff, 1e-4);
    const wg_difference clean = differentiate(line_three, 0.3, 3.0);
    ck_assert_double_lt(clean.noise, 2e-15);
}
END_TEST

START_TEST(flat_function)
{
    const wg_difference d = differentiate(constant, 0.3, 1.0);
    ck_assert(d.flat);
    ck_assert(d.finite);
    ck_assert(!d.kink);
    ck_assert_double_eq(d.value, 0.0);
}
END_TEST

START_TEST(kinks)
{
    const wg_difference at = differentiate(relu, 0.0, 0.7);
    ck_assert(at.kink);
    ck_assert_double_eq(at.left, 0.0);
    ck_assert_double_eq(at.right, 1.0);
    ck_assert_double_eq(at.value, 0.5);
    ck_assert(differentiate(fabs, 0.0, (double)NAN).kink);
    for (double distance = 0.1; distance > 1e-12; distance *= 0.1) {
        assert_derivative(relu, distance, 1.0, 1e-3);
        const wg_difference below = differentiate(relu, -distance, 1.0);
        ck_assert(!below.kink);
        ck_assert_double_eq(below.value, 0.0);
        ck_assert_double_lt(4.0 * (below.truncation + below.roundoff), 0.5);
    }
}
END_TEST

/* Looks like a kink at every step above 1e-7, and is none. */
START_TEST(almost_kink)
{
    for (double x = -3e-7; x < 3e-7; x += 0.7e-7)
        assert_derivative(narrow_softplus, x, 1.0 / (1.0 + exp(-1e7 * x)), 1e-3);
}
END_TEST

START_TEST(edge_of_the_domain)
{
    const wg_difference d = differentiate(edge, 0.0, (double)NAN);
    ck_assert(d.finite);
    ck_assert_double_le(fabs(d.value), 4.0 * (d.truncation + d.roundoff));
    double x = -1.0;
    scalar_function *f = log;
    wg_line line = {.f = call_scalar, .user = &f, .x = &x, .n = 1};
    ck_assert(!wg_line_begin(&line));
    x = 0.0;
    f = sqrt;
    ck_assert(wg_line_begin(&line));
    const wg_difference root = wg_difference_examine(&line, 0, 1.0);
    ck_assert_double_gt(root.truncation,
                        1e-3 * fabs(root.value)); /* infinite derivative: no precision */
}
END_TEST

static double pair(const double *x, void *user)
{
    (void)user;
    return x[0] * x[0] + 3.0 * x[0] * x[1];
}

START_TEST(directions)
{
    double x[2] = {1.0, 1e-3};
    const double origin[2] = {1.0, 1e-3}, v[2] = {0.5, -2.0};
    wg_line line = {.f = pair, .x = x, .n = 2, .direction = v, .origin = origin};
    ck_assert(wg_line_begin(&line));
    const wg_difference d = wg_difference_along(&line);
    const double exact = 0.5 * (2.0 + 3e-3) - 2.0 * 3.0;
    ck_assert_double_le(fabs(d.value - exact), 4.0 * (d.truncation + d.roundoff));
    ck_assert_double_le(fabs(d.value - exact), 1e-10);
    ck_assert_mem_eq(x, origin, sizeof x);
    ck_assert_uint_eq(line.evaluations, 5);
}
END_TEST

Suite *suite_difference(void)
{
    Suite *suite = suite_create("difference");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, smooth_functions);
    tcase_add_test(tc, small_domains);
    tcase_add_test(tc, noisy_functions);
    tcase_add_test(tc, flat_function);
    tcase_add_test(tc, kinks);
    tcase_add_test(tc, almost_kink);
    tcase_add_test(tc, edge_of_the_domain);
    tcase_add_test(tc, directions);
    suite_add_tcase(suite, tc);
    return suite;
}
