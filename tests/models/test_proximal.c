/* L1 and elastic net against scikit-learn's optima, and against the conditions of optimality. */
#include "models/wengert.h"
#include "tests/models/optima.h"
#include "tests/models/optimizer_golden.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>

static wg_tape *tape;

static void setup(void)
{
    tape = wg_tape_new(NULL);
}

static void teardown(void)
{
    wg_tape_free(tape);
}

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

/* The objective is the same to the digits that scikit-learn's own stopping leaves; a coefficient is 0 where
 * its is, and exactly so. */
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
    wg_tensor *loss = cases[_i].regression ? wg_scale(wg_mse(m.logits, y), 0.5) : m.loss;
    const wg_optimum found = wg_proximal_minimize(
        loss, params, 2,
        &(wg_proximal_options){.l1 = golden[0], .l2 = golden[1], .tolerance = 1e-10});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_str_eq(wg_stop_name(found.stop), "WG_STOP_GRADIENT");
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
    wg_optimum found = wg_proximal_minimize(m.loss, params, 2,
                                            &(wg_proximal_options){.tolerance = 1e-10});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(found.value, 0.175952013976479, 0, 1e-15);
    wgt_assert_that(wg_item(m.loss), ==, found.value);
    /* l2 in place of the model's own penalty */
    found = wg_proximal_minimize(m.loss, params, 2,
                                 &(wg_proximal_options){.l2 = 1.0 / 300, .tolerance = 1e-10});
    wgt_assert_close(found.value, 0.200237109232505, 0, 1e-15);
}
END_TEST

/* A penalty as large as the largest derivative at 0 keeps all at 0, one a little smaller does not; biases are
 * penalized where that is asked for. */
START_TEST(test_proximal_threshold)
{
    const double start[] = {0.5, -0.25};
    wg_tensor *p = wgt_param(tape, "p", WG_SHAPE(2), start);
    const double target[] = {1, -2};
    wg_tensor *c = wg_constant(tape, WG_F64, WG_SHAPE(2), target);
    wg_tensor *loss = wg_scale(wg_sum(wg_square(wg_sub(p, c))), 0.5);
    wg_proximal_options o = {.l1 = 2, .penalize_all = true};
    wg_optimum found = wg_proximal_minimize(loss, &p, 1, &o);
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_that(wg_at(p, 1), ==, 0);
    wgt_assert_that(found.value, ==, 2.5);
    o.l1 = 1.5;
    found = wg_proximal_minimize(loss, &p, 1, &o);
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_close(wg_at(p, 1), -0.5, 1e-8, 0);
    o.penalize_all = false;
    found = wg_proximal_minimize(loss, &p, 1, &o);
    wgt_assert_close(wg_at(p, 0), 1, 1e-8, 0);
    o.iterations = 1;
    loss = wg_scale(loss, 0.35); /* no power of two: one step is not enough */
    wg_write(p, start, sizeof start);
    wg_replay(tape);
    ck_assert_int_eq(wg_proximal_minimize(loss, &p, 1, &o).stop, WG_STOP_ITERATIONS);
}
END_TEST

START_TEST(test_proximal_errors)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1), *loss = wg_square(p);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_int_eq(wg_proximal_minimize(loss, &p, 1, &(wg_proximal_options){.l1 = -1}).stop,
                     WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "l1 = -1");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_proximal_minimize(NULL, &p, 1, NULL).stop, WG_STOP_ERROR);
    wg_write(p, &(double){(double)NAN}, sizeof(double));
    wg_replay(tape);
    ck_assert_int_eq(wg_proximal_minimize(loss, &p, 1, NULL).stop, WG_STOP_NOT_FINITE);
}
END_TEST

static wg_optimum minimize(wg_tensor *loss, wg_tensor *const params[], int n)
{
    return wg_proximal_minimize(loss, params, n, &(wg_proximal_options){.l2 = 1});
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
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, test_proximal_as_scikit_learn, 0, CASES);
    tcase_add_test(tests, test_proximal_without_penalty);
    tcase_add_test(tests, test_proximal_threshold);
    tcase_add_test(tests, test_proximal_errors);
    tcase_add_test(tests, test_proximal_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
