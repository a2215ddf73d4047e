/* Newton's method with the whole Hessian and with products, and the solver for singular systems. */
#include "autograd/rng.h"
#include "models/optim/minimize_internal.h"
#include "models/wengert.h"
#include "tests/models/optima.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static const wg_minimizer_options newton = {.method = WG_NEWTON};

static wg_optimum newton_run(const wg_objective *f, double x[], const wg_minimizer_options *o)
{
    return wg_minimizer_run(wg_minimizer_new(f, o), x);
}

/* ---- Optima. --------------------------------------------------------------------------------- */

static const double tolerances[] = {1e-10, 1e-14};

START_TEST(test_newton_optima)
{
    const wgt_model m = wgt_model_new(tape, _i / 4);
    const wg_minimizer_options options = {.method = _i % 2 == 0 ? WG_NEWTON : WG_NEWTON_EXACT,
                                          .tolerance = tolerances[_i / 2 % 2]};
    const int64_t size = wg_tape_size(tape);
    const wg_optimum found = wg_minimize(m.loss, m.param, 2, &options);
    ck_assert_int_eq(wg_tape_size(tape), size);
    wgt_assert_optimum(&m, &found, options.tolerance);
    /* As many products as CG in exact arithmetic takes for each iteration, at most 31, and no
     * more. */
    wgt_assert_that(found.iterations, <=, 12);
    wgt_assert_that(found.products, <=, 120);
}
END_TEST

/* The biases of a softmax model were never moved along their common shift: their mean is still
 * 0. */
START_TEST(test_newton_leaves_shifts_alone)
{
    const wgt_model m = wgt_model_new(tape, 2);
    const wg_minimizer_method method = _i == 0 ? WG_NEWTON : WG_NEWTON_EXACT;
    wg_minimize(m.loss, m.param, 2, &(wg_minimizer_options){.method = method});
    double sum = 0, largest = 0;
    for (int i = 0; i < 3; i++) {
        sum += wg_at(m.param[1], i);
        largest = fmax(largest, fabs(wg_at(m.param[1], i)));
    }
    wgt_assert_that(largest, >, 1);
    wgt_assert_close(sum, 0, 0, 1e-9);
}
END_TEST

/* Asked for a gradient that rounding lets it not reach: biases stay where they belong, and it ends where the
 * gradient is round-off. Along the common shift a step is at most that, some 2^-24, by 2^-17 of the
 * curvature of a bias, some 0.1. */
static wg_linear_model softmax_of_iris(bool f32, bool raw, double C)
{
    wg_table *data = wg_csv_read(tape, "examples/data/iris.csv", &(wg_csv_options){.f32 = f32});
    wg_tensor *X = wg_table_features(data);
    return wg_softmax_regression_new(raw ? X : wg_standardize(X), wg_table_classes(data), 3,
                                     &(wg_linear_model_options){.C = C});
}

START_TEST(test_newton_ends_in_round_off)
{
    const wg_minimizer_method method = _i % 2 == 0 ? WG_NEWTON : WG_NEWTON_EXACT;
    const bool f32 = _i >= 2;
    const double C[] = {0.01, 1, 100};
    for (int k = 0; k < 6; k++) {
        const wg_linear_model l = softmax_of_iris(f32, k % 2 == 1, C[k / 2]);
        const wg_linear_model wide = softmax_of_iris(false, k % 2 == 1, C[k / 2]);
        const wg_optimum least = wg_minimize(wide.loss, (wg_tensor *[]){wide.W, wide.b}, 2,
                                             &(wg_minimizer_options){.tolerance = 1e-11});
        const wg_optimum found = wg_minimize(
            l.loss, (wg_tensor *[]){l.W, l.b}, 2,
            &(wg_minimizer_options){.method = method, .tolerance = 1e-300});
        expect_ok(tape);
        ck_assert_int_eq(found.stop, WG_STOP_LINE_SEARCH);
        wgt_assert_close(found.value, least.value, f32 ? 0x1p-17 : 1e-12, 0);
        wgt_assert_close(wg_at(l.b, 0) + wg_at(l.b, 1) + wg_at(l.b, 2), 0, 0, f32 ? 0.1 : 1e-9);
    }
}
END_TEST

/* A column of size 1 to 1e9 beside one of size 1: both are learned from. */
START_TEST(test_newton_scales)
{
    enum { ROWS = 200 };
    const wg_minimizer_method method = _i % 2 == 0 ? WG_NEWTON : WG_NEWTON_EXACT;
    const double scale = pow(10, 3 * (_i / 2));
    double x[2 * ROWS], value[2];
    int64_t y[ROWS];
    for (int k = 0; k < 2; k++) {
        for (uint64_t i = 0; i < ROWS; i++) {
            const double a = 2 * wg_random_uniform(3, 0, i) - 1;
            const double b = 2 * wg_random_uniform(3, 1, i) - 1;
            x[2 * i] = k == 0 ? a : scale * a;
            x[2 * i + 1] = b;
            y[i] = a + b + wg_random_uniform(3, 2, i) - 0.5 > 0;
        }
        const wg_linear_model l = wg_logistic_new(wg_constant(tape, WG_F64, WG_SHAPE(ROWS, 2), x),
                                                  wg_constant(tape, WG_I64, WG_SHAPE(ROWS), y),
                                                  &(wg_linear_model_options){.C = HUGE_VAL});
        value[k] = wg_minimize(l.loss, (wg_tensor *[]){l.W, l.b}, 2,
                               &(wg_minimizer_options){.method = method, .tolerance = 1e-10})
                       .value;
    }
    expect_ok(tape);
    wgt_assert_close(value[1], value[0], 1e-9, 0);
}
END_TEST

/* Rosenbrock's Hessian is indefinite on the way. */
START_TEST(test_newton_rosenbrock)
{
    static const int64_t sizes[] = {2, 3, 10, 16};
    const int64_t n = sizes[_i / 2];
    const wg_minimizer_method method = _i % 2 == 0 ? WG_NEWTON : WG_NEWTON_EXACT;
    const wg_objective f = wgt_rosenbrock(tape, n);
    double x[16];
    wgt_rosenbrock_start(n, x);
    const wg_optimum found = newton_run(
        &f, x, &(wg_minimizer_options){.method = method, .tolerance = 1e-10, .iterations = 400});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    if (found.value < 1)
        for (int64_t i = 0; i < n; i++)
            wgt_assert_close(x[i], 1, 0, 1e-9);
    else
        wgt_assert_close(x[0], -1, 0, 0.1);
}
END_TEST

/* A quadratic in one step, and (x^2 - 1)^2 from near its maximum, where the curvature is
 * negative. */
static double hump(const double x[], double g[], void *user)
{
    *(double *)user = x[0];
    g[0] = 4 * x[0] * (x[0] * x[0] - 1);
    return (x[0] * x[0] - 1) * (x[0] * x[0] - 1);
}

static void hump_hessian(double h[], void *user)
{
    const double x = *(double *)user;
    h[0] = 12 * x * x - 4;
}

static void hump_product(const double v[], double hv[], void *user)
{
    double h;
    hump_hessian(&h, user);
    hv[0] = h * v[0];
}

START_TEST(test_newton_negative_curvature)
{
    double x = 0.01, last;
    wg_objective f = {
        .tape = tape, .n = 1, .value_and_gradient = hump, .hessian = hump_hessian, .user = &last};
    wg_optimum found = newton_run(&f, &x, &(wg_minimizer_options){.method = WG_NEWTON_EXACT});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(fabs(x), 1, 1e-8, 0);
    f.hessian_product = hump_product;
    x = -0.01;
    found = newton_run(&f, &x, &(wg_minimizer_options){.method = WG_NEWTON});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(fabs(x), 1, 1e-8, 0);
    f.hessian_product = NULL;
    found = newton_run(&f, &x, &(wg_minimizer_options){.method = WG_NEWTON});
    ck_assert_int_eq(found.stop, WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "without second derivatives");
}
END_TEST

/* An MLP, whose Hessian is indefinite on the way: a minimum is found nevertheless. */
START_TEST(test_newton_mlp)
{
    const wg_minimizer_method method = _i == 0 ? WG_NEWTON : WG_NEWTON_EXACT;
    wg_table *data = wg_csv_read(tape, "examples/data/moons_400.csv", NULL);
    wg_tensor *W1 = wg_param(tape, "W1", WG_F64, WG_SHAPE(2, 4));
    wg_tensor *b1 = wg_param(tape, "b1", WG_F64, WG_SHAPE(4));
    wg_tensor *W2 = wg_param(tape, "W2", WG_F64, WG_SHAPE(4, 1));
    wg_tensor *b2 = wg_param(tape, "b2", WG_F64, WG_SHAPE(1));
    wg_fill_normal(W1, 0, 1, 1);
    wg_fill_normal(b1, 0, 1, 2);
    wg_fill_normal(W2, 0, 1, 3);
    wg_tensor *hidden = wg_tanh(wg_add(wg_matmul(wg_table_features(data), W1), b1));
    wg_tensor *z = wg_add(wg_matmul(hidden, W2), b2), *params[] = {W1, b1, W2, b2};
    wg_tensor *loss = wg_bce_with_logits(z, wg_table_labels(data));
    for (int i = 0; i < 4; i++) /* a penalty, so that there is a minimum */
        loss = wg_add(loss, wg_scale(wg_sum(wg_square(params[i])), 1e-3));
    const wg_optimum found = wg_minimize(
        loss, params, 4, &(wg_minimizer_options){.method = method, .tolerance = 1e-9});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_that(found.value, <, 0.31);
    double H[17 * 17], work[17];
    int64_t order[17];
    ck_assert_int_eq(wg_read(wg_hessian(loss, params, 4), H, sizeof H), WG_OK);
    ck_assert_int_eq(wg_semidefinite_factor(17, H, 0, order, work), 17); /* a minimum, no saddle */
}
END_TEST

START_TEST(test_newton_errors)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1), *loss = wg_square(p);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_int_eq(
        wg_minimize(loss, &p, 1, &(wg_minimizer_options){.method = WG_NEWTON, .iterations = -1})
            .stop,
        WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "iterations -1");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(
        wg_minimize(loss, &p, 1, &(wg_minimizer_options){.method = (wg_minimizer_method)7}).stop,
        WG_STOP_ERROR);
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_minimize(NULL, &p, 1, &newton).stop, WG_STOP_ERROR);
    ck_assert_int_eq(wg_minimize(loss, &p, 1, &newton).stop, WG_STOP_GRADIENT);
    wgt_assert_that(fabs(wg_item(p)), <, 1e-8);
    wgt_assert_that(wg_item(loss), <, 1e-16);
}
END_TEST

static wg_optimum minimize_cg(wg_tensor *loss, wg_tensor *const params[], int n)
{
    return wg_minimize(loss, params, n, &newton);
}

static wg_optimum minimize_exact(wg_tensor *loss, wg_tensor *const params[], int n)
{
    return wg_minimize(loss, params, n, &(wg_minimizer_options){.method = WG_NEWTON_EXACT});
}

START_TEST(test_newton_memory)
{
    wgt_assert_survives_no_memory(_i == 0 ? minimize_cg : minimize_exact);
}
END_TEST

/* ---- Singular systems. ----------------------------------------------------------------------- */

enum { MOST = 24 };

/* A = B B' for a random B [n, ndim]; x in the range of A, b = A x: the solution is x itself. */
START_TEST(test_semidefinite_solve)
{
    static double A[MOST * MOST], L[MOST * MOST], work[MOST * (MOST + 2)];
    double x[MOST], b[MOST], got[MOST], B[MOST * MOST];
    int64_t order[MOST];
    const int64_t n = 1 + _i % MOST, ndim = (n * (_i / MOST + 1) + 3) / 4;
    for (int64_t i = 0; i < n * ndim; i++)
        B[i] = wg_random_normal(7, (uint64_t)_i, (uint64_t)i);
    for (int64_t i = 0; i < n; i++) {
        x[i] = 0;
        for (int64_t k = 0; k < ndim; k++)
            x[i] += B[i * ndim + k] * wg_random_uniform(8, (uint64_t)_i, (uint64_t)k);
        for (int64_t j = 0; j < n; j++) {
            A[i * n + j] = 0;
            for (int64_t k = 0; k < ndim; k++)
                A[i * n + j] += B[i * ndim + k] * B[j * ndim + k];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        b[i] = 0;
        for (int64_t j = 0; j < n; j++)
            b[i] += A[i * n + j] * x[j];
    }
    memcpy(L, A, sizeof L);
    ck_assert_int_eq(wg_semidefinite_factor(n, L, 0, order, work), ndim);
    wg_semidefinite_solve(n, ndim, L, order, b, got, work);
    /* Square random matrices have condition numbers of some (4 n)^2, squared again in A. */
    wgt_assert_all_close(got, x, n, 0, 1e-6);
}
END_TEST

/* The same rank and solution where variables have units that are far apart, which are powers of two,
 * so that nothing is rounded otherwise; where there is a null space, any solution but for it. */
START_TEST(test_semidefinite_scales)
{
    static double A[MOST * MOST], L[MOST * MOST], work[MOST * (MOST + 2)];
    double x[MOST], b[MOST], got[MOST], B[MOST * MOST], unit[MOST];
    int64_t order[MOST];
    const int64_t n = 2 + _i % 7, rank = n - _i % 2;
    for (int64_t i = 0; i < n; i++) {
        unit[i] = ldexp(1, (int)(61 * i % 7) * 10 - 30);
        x[i] = wg_random_normal(8, (uint64_t)_i, (uint64_t)i) / unit[i];
        for (int64_t k = 0; k < rank; k++)
            B[i * rank + k] = unit[i] * wg_random_normal(7, (uint64_t)_i, (uint64_t)(i * n + k));
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            A[i * n + j] = 0;
            for (int64_t k = 0; k < rank; k++)
                A[i * n + j] += B[i * rank + k] * B[j * rank + k];
        }
    for (int64_t i = 0; i < n; i++) {
        b[i] = 0;
        for (int64_t j = 0; j < n; j++)
            b[i] += A[i * n + j] * x[j];
    }
    memcpy(L, A, sizeof L);
    ck_assert_int_eq(wg_semidefinite_factor(n, L, 0, order, work), rank);
    wg_semidefinite_solve(n, rank, L, order, b, got, work);
    for (int64_t i = 0; i < n; i++) {
        double back = 0, size = 0;
        for (int64_t j = 0; j < n; j++) {
            back += A[i * n + j] * got[j];
            size += fabs(A[i * n + j] * x[j]);
        }
        wgt_assert_close(back, b[i], 0, 1e-6 * size);
    }
}
END_TEST

START_TEST(test_semidefinite_refuses)
{
    int64_t order[2];
    double saddle[] = {0, 1, 1, 0}, negative[] = {-1, 0, 0, 1}, bad[] = {1, 0, (double)NAN, 1};
    double zero[] = {0, 0, 0, 0}, ones[] = {1, 1, 1, 1}, x[2], work[8];
    double tiny[] = {5e-324, 0, 0, 1e300};
    const double b[] = {1, 1};
    ck_assert_int_eq(wg_semidefinite_factor(2, saddle, 0, order, work), -1);
    ck_assert_int_eq(wg_semidefinite_factor(2, negative, 0, order, work), -1);
    ck_assert_int_eq(wg_semidefinite_factor(2, bad, 0, order, work), -1);
    ck_assert_int_eq(wg_semidefinite_factor(2, zero, 0, order, work), 0);
    ck_assert_int_eq(wg_semidefinite_factor(2, tiny, 0, order, work), 2);
    ck_assert_int_eq(wg_semidefinite_factor(2, ones, 0, order, work), 1);
    wg_semidefinite_solve(2, 1, ones, order, b, x, work);
    wgt_assert_close(x[0], 0.5, 1e-15, 0); /* (1, 0) would do, too; this is the shortest */
    wgt_assert_close(x[1], 0.5, 1e-15, 0);
}
END_TEST

Suite *suite_newton(void)
{
    Suite *suite = suite_create("newton");
    TCase *tests = tcase_create("newton");
    tcase_add_checked_fixture(tests, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_loop_test(tests, test_newton_optima, 0, 4 * WGT_OPTIMA);
    tcase_add_loop_test(tests, test_newton_leaves_shifts_alone, 0, 2);
    tcase_add_loop_test(tests, test_newton_ends_in_round_off, 0, 4);
    tcase_add_loop_test(tests, test_newton_scales, 0, 8);
    tcase_add_loop_test(tests, test_newton_rosenbrock, 0, 8);
    tcase_add_test(tests, test_newton_negative_curvature);
    tcase_add_loop_test(tests, test_newton_mlp, 0, 2);
    tcase_add_test(tests, test_newton_errors);
    tcase_add_loop_test(tests, test_newton_memory, 0, 2);
    tcase_add_loop_test(tests, test_semidefinite_solve, 0, 4 * MOST);
    tcase_add_loop_test(tests, test_semidefinite_scales, 0, 14);
    tcase_add_test(tests, test_semidefinite_refuses);
    suite_add_tcase(suite, tests);
    return suite;
}
