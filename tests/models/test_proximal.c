/* L1 and elastic net against scikit-learn's optima, and against the conditions of optimality. */
#include "models/wengert.h"
#include "tests/models/optima.h"
#include "tests/models/optimizer_golden.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *path;
    bool regression;
    int columns;
} cases[] = {
    {"lasso", "examples/data/breast_cancer.csv", true, 30},
    {"regression", "examples/data/breast_cancer.csv", true, 30},
    {"logistic_l1", "examples/data/two_class_300.csv", false, 2},
    {"logistic", "examples/data/breast_cancer.csv", false, 30},
};
enum { CASES = sizeof cases / sizeof cases[0], MOST = 31 };

/* The objective is the same to the digits that scikit-learn's own stopping leaves; a coefficient is
 * 0 where its is, and exactly so. */
START_TEST(test_proximal_as_scikit_learn)
{
    double golden[4 + MOST];
    char words[64];
    const int columns = cases[_i].columns;
    snprintf(words, sizeof words, "elastic %s", cases[_i].name);
    wgt_golden(words, (size_t)columns + 5, golden);
    wg_table *data = wg_csv_read(tape, cases[_i].path, NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_labels(data);
    wg_linear_model m = wg_logistic_new(X, y, NULL);
    wg_tensor *params[] = {m.W, m.b};
    wg_tensor *loss = cases[_i].regression ? wg_scale(wg_mse(m.logits, y, WG_MEAN), 0.5) : m.loss;
    const wg_optimum found = wg_minimize(
        loss, params, 2,
        &(wg_minimizer_options){
            .method = WG_PROXIMAL, .l1 = golden[0], .l2 = golden[1], .tolerance = 1e-10});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_that(found.iterations, <, 700); /* without new starts 900 and more */
    wgt_assert_that(found.gradient_norm, <=, 1e-10);
    wgt_assert_close(found.value, golden[2], 1e-12, 0);
    wgt_assert_that(found.value, <=, golden[2] * (1 + 1e-15));
    int zeros = 0;
    for (int i = 0; i < columns; i++) {
        wgt_assert_close(wg_at(m.W, i), golden[4 + i], 0, 1e-5);
        ck_assert_int_eq(wg_at(m.W, i) == 0, golden[4 + i] == 0);
        zeros += wg_at(m.W, i) == 0;
    }
    wgt_assert_close(wg_item(m.b), golden[4 + columns], 0, 1e-5);
    wgt_assert_that(zeros, >, 0);
}
END_TEST

/* Without penalties it is gradient descent, to the same optimum as the others. */
START_TEST(test_proximal_without_penalty)
{
    wg_table *data = wg_csv_read(tape, "examples/data/two_class_300.csv", NULL);
    wg_linear_model m = wg_logistic_new(wg_table_features(data), wg_table_labels(data), NULL);
    wg_tensor *params[] = {m.W, m.b};
    wg_optimum found = wg_minimize(
        m.loss, params, 2, &(wg_minimizer_options){.method = WG_PROXIMAL, .tolerance = 1e-10});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(found.value, 0.175952013976479, 0, 1e-15);
    wgt_assert_that(wg_item(m.loss), ==, found.value);
    /* l2 in place of the model's own penalty */
    found = wg_minimize(
        m.loss, params, 2,
        &(wg_minimizer_options){.method = WG_PROXIMAL, .l2 = 1.0 / 300, .tolerance = 1e-10});
    wgt_assert_close(found.value, 0.200237109232505, 0, 1e-15);
}
END_TEST

/* A penalty as large as the largest derivative at 0 keeps all at 0, one a little smaller does not;
 * biases are penalized where that is asked for. */
START_TEST(test_proximal_threshold)
{
    const double start[] = {0.5, -0.25};
    wg_tensor *p = wgt_param(tape, "p", WG_SHAPE(2), start);
    const double target[] = {1, -2};
    wg_tensor *c = wg_constant(tape, WG_F64, WG_SHAPE(2), target);
    wg_tensor *loss = wg_scale(wg_sum(wg_square(wg_sub(p, c))), 0.5);
    const double all[] = {1, 1};
    wg_minimizer_options o = {.method = WG_PROXIMAL, .l1 = 2, .penalized = all};
    wg_optimum found = wg_minimize(loss, &p, 1, &o);
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_that(wg_at(p, 1), ==, 0);
    wgt_assert_that(found.value, ==, 2.5);
    o.l1 = 1.5;
    found = wg_minimize(loss, &p, 1, &o);
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_close(wg_at(p, 1), -0.5, 1e-8, 0);
    o.penalized = NULL; /* a parameter of one dimension is a bias */
    found = wg_minimize(loss, &p, 1, &o);
    wgt_assert_close(wg_at(p, 0), 1, 1e-8, 0);
    o.iterations = 1;
    loss = wg_scale(loss, 0.35); /* no power of two: one step is not enough */
    wg_write(p, start, sizeof start);
    wg_replay(tape);
    ck_assert_int_eq(wg_minimize(loss, &p, 1, &o).stop, WG_STOP_ITERATIONS);
}
END_TEST

/* Single iterations, moved to a new object each time through the state, are the bits of one run. */
START_TEST(test_proximal_resumes)
{
    wg_table *data = wg_csv_read(tape, "examples/data/two_class_300.csv", NULL);
    wg_linear_model m = wg_logistic_new(wg_table_features(data), wg_table_labels(data), NULL);
    const wg_objective f = wg_objective_new(m.loss, (wg_tensor *[]){m.W, m.b}, 2, false);
    wg_minimizer_options o = {.method = WG_PROXIMAL, .l1 = 0.01, .l2 = 0.01, .iterations = 23};
    double x[3] = {0}, y[3] = {0};
    wg_minimizer_run(wg_minimizer_new(&f, &o), x);
    o.iterations = 1;
    wg_minimizer *last = wg_minimizer_new(&f, &o);
    wg_minimizer_run(last, y);
    for (int k = 1; k < 23; k++) {
        wg_minimizer *next = wg_minimizer_new(&f, &o);
        wg_state_entry from, to;
        int64_t i = 0;
        for (; wg_minimizer_state(last, i, &from); i++) {
            ck_assert(wg_minimizer_state(next, i, &to));
            memcpy(to.data, from.data, (size_t)wg_shape_size(&from.shape) * 8);
        }
        ck_assert_int_eq(i, 2);
        wg_minimizer_run(next, y);
        last = next;
    }
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    wgt_assert_same_bytes(y, x, sizeof x);
}
END_TEST

/* A least squares whose columns are nearly alike, on which accelerated steps rise now and then: it
 * is not over there. */
START_TEST(test_proximal_value_tolerance)
{
    enum { ROWS = 60, COLUMNS = 20 };
    static double x[ROWS * COLUMNS], y[ROWS];
    double value[2];
    for (uint64_t i = 0; i < ROWS; i++) {
        const double base = 3 * wg_random_uniform(3, 0, i);
        double *row = x + i * COLUMNS;
        for (uint64_t j = 0; j < COLUMNS; j++)
            row[j] = base + wg_random_uniform(3, 1, i * COLUMNS + j) * (j % 3 ? 0.3 : 1);
        y[i] = row[0] * 2 - row[1] * 3 + row[4] + wg_random_uniform(3, 2, i);
    }
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(ROWS, COLUMNS), x);
    wg_tensor *Y = wg_constant(tape, WG_F64, WG_SHAPE(ROWS, 1), y);
    for (int k = 0; k < 2; k++) {
        const wg_linear_model m = wg_linear_model_new(X, Y, 1, &wg_head_regression, NULL);
        const wg_minimizer_options o = {.method = WG_PROXIMAL,
                                        .value_tolerance = k == 0 ? 0 : 1e-10,
                                        .l1 = _i == 0 ? 0 : 0.01,
                                        .iterations = 200000};
        const wg_optimum found = wg_minimize(m.loss, (wg_tensor *[]){m.W, m.b}, 2, &o);
        ck_assert_int_eq(found.stop, k == 0 ? WG_STOP_GRADIENT : WG_STOP_VALUE);
        value[k] = found.value;
    }
    /* Where steps gain 1e-10 and less, some 1000 of them are left. */
    wgt_assert_close(value[1], value[0], 0, 1e-6);
}
END_TEST

/* A restored state may hold anything. */
START_TEST(test_proximal_bad_state)
{
    static const double bad[][3] = {{0, 1, 0},  {-1, 1, 0},  {(double)NAN, 1, 0}, {HUGE_VAL, 1, 0},
                                    {1, -1, 0}, {1, 0.5, 0}, {1, (double)NAN, 0}, {1, 1, HUGE_VAL}};
    const double start[] = {0.5, -0.25};
    wg_tensor *p = wgt_param(tape, "p", WG_SHAPE(2), start), *loss = wg_sum(wg_square(p));
    const wg_objective f = wg_objective_new(loss, &p, 1, false);
    double x[] = {0.5, -0.25};
    wg_minimizer *m = wg_minimizer_new(&f, &(wg_minimizer_options){.method = WG_PROXIMAL});
    wg_state_entry numbers, from;
    ck_assert(wg_minimizer_state(m, 0, &numbers));
    ck_assert(wg_minimizer_state(m, 1, &from));
    memcpy(numbers.data, bad[_i], 2 * sizeof(double));
    *(double *)from.data = bad[_i][2];
    ck_assert_int_eq(wg_minimizer_run(m, x).stop, WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "proximal: a state with");
    wgt_assert_same_bytes(x, start, sizeof start);
}
END_TEST

/* An estimator with an L1 penalty ends where scikit-learn's does; with Newton's method where L-BFGS
 * does. */
START_TEST(test_estimator_methods)
{
    double golden[7];
    wgt_golden("elastic logistic_l1", 7, golden);
    wg_table *data = wg_csv_read(tape, "examples/data/two_class_300.csv", NULL);
    const wg_dataset rows = {.table = data};
    wg_estimator_options o = {.model = "logistic", .C = 0.05, .penalty = "l1"};
    o.fit.epochs = 10000;
    const wg_estimator *e = wg_estimator_fit(&rows, &o);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(e->fit.stop, WG_FIT_CONVERGED);
    const wg_tensor *w = wg_params_get(e->mlp->params, "fc1.weight");
    wgt_assert_close(e->fit.optimum.value, golden[2], 1e-9, 0);
    for (int i = 0; i < 2; i++) {
        wgt_assert_close(wg_at(w, i), golden[4 + i], 0, 1e-5);
        ck_assert_int_eq(wg_at(w, i) == 0, golden[4 + i] == 0);
    }
    o.penalty = NULL;
    const wg_estimator *lbfgs = wg_estimator_fit(&rows, &o);
    o.optimizer = "newton";
    const wg_fit_result r = wg_estimator_fit(&rows, &o)->fit;
    wgt_assert_close(r.optimum.value, lbfgs->fit.optimum.value, 1e-13, 0);
    wgt_assert_that(r.epochs, <, 12);
    wgt_assert_that(r.optimum.products, >, 0);
    o.penalty = "l1"; /* not smooth */
    wg_estimator_fit(&rows, &o);
    wgt_assert_status(tape, WG_E_VALUE, "newton: l1 and l2 are penalties of WG_PROXIMAL");
}
END_TEST

START_TEST(test_proximal_errors)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1), *loss = wg_square(p);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_int_eq(
        wg_minimize(loss, &p, 1, &(wg_minimizer_options){.method = WG_PROXIMAL, .l1 = -1}).stop,
        WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "l1 = -1");
    wg_tape_rewind(tape, mark);
    const double wrong = -1;
    wg_minimizer_options o = {.method = WG_PROXIMAL, .penalized = &wrong};
    ck_assert_int_eq(wg_minimize(loss, &p, 1, &o).stop, WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "a penalty factor is -1");
    wg_tape_rewind(tape, mark);
    o = (wg_minimizer_options){.l1 = 1};
    ck_assert_int_eq(wg_minimize(loss, &p, 1, &o).stop, WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "lbfgs: l1 and l2 are penalties of WG_PROXIMAL");
    wg_tape_rewind(tape, mark);
    o = (wg_minimizer_options){.method = WG_PROXIMAL};
    ck_assert_int_eq(wg_minimize(NULL, &p, 1, &o).stop, WG_STOP_ERROR);
    wg_write(p, &(double){(double)NAN}, sizeof(double));
    wg_replay(tape);
    ck_assert_int_eq(wg_minimize(loss, &p, 1, &o).stop, WG_STOP_NOT_FINITE);
}
END_TEST

/* Finite at the start alone. */
static double island(const double x[], double g[], void *user)
{
    (void)user;
    g[0] = 1;
    return x[0] == 0 ? 1 : (double)NAN;
}

/* An error at the second point. */
static double breaks(const double x[], double g[], void *user)
{
    g[0] = 1;
    if (x[0] != 0)
        wg_scalar(user, WG_I64, 1e30);
    return 1;
}

START_TEST(test_proximal_without_a_step)
{
    const wg_objective f = {.tape = tape, .n = 1, .value_and_gradient = island};
    const wg_minimizer_options o = {.method = WG_PROXIMAL};
    double x = 0;
    const wg_optimum found = wg_minimizer_run(wg_minimizer_new(&f, &o), &x);
    ck_assert_int_eq(found.stop, WG_STOP_LINE_SEARCH);
    ck_assert_int_eq(found.iterations, 0);
    ck_assert_double_eq(x, 0);
    const wg_objective g = {.tape = tape, .n = 1, .value_and_gradient = breaks, .user = tape};
    const wg_minimizer_options value = {.method = WG_PROXIMAL, .value_tolerance = 1};
    ck_assert_int_eq(wg_minimizer_run(wg_minimizer_new(&g, &value), &x).stop, WG_STOP_ERROR);
}
END_TEST

static wg_optimum minimize(wg_tensor *loss, wg_tensor *const params[], int n)
{
    return wg_minimize(loss, params, n, &(wg_minimizer_options){.method = WG_PROXIMAL, .l2 = 1});
}

START_TEST(test_proximal_memory)
{
    wgt_assert_survives_no_memory(minimize);
}
END_TEST

Suite *suite_proximal(void)
{
    Suite *suite = suite_create("proximal");
    TCase *tests = tcase_create("proximal");
    tcase_add_checked_fixture(tests, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_loop_test(tests, test_proximal_as_scikit_learn, 0, CASES);
    tcase_add_test(tests, test_proximal_without_penalty);
    tcase_add_test(tests, test_proximal_threshold);
    tcase_add_test(tests, test_proximal_resumes);
    tcase_add_loop_test(tests, test_proximal_value_tolerance, 0, 2);
    tcase_add_loop_test(tests, test_proximal_bad_state, 0, 8);
    tcase_add_test(tests, test_estimator_methods);
    tcase_add_test(tests, test_proximal_errors);
    tcase_add_test(tests, test_proximal_without_a_step);
    tcase_add_test(tests, test_proximal_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
