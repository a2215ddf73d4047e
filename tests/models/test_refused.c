/* Mistakes with data and training that no other suite makes: each is refused in its own words, and
 * after a rewind the tape goes on. */
#include "models/wengert.h"
#include "tests/models/fit_iris.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

static wg_tensor *numbers(wg_dtype dtype, int ndim, const int64_t *dim)
{
    return wg_full(tape, dtype, ndim, dim, 1);
}

/* A value older than the leaf that it came from. */
static wg_tensor *stale(wg_dtype dtype, int ndim, const int64_t *dim)
{
    wg_tensor *leaf = wg_param(tape, NULL, WG_F64, ndim, dim);
    wg_tensor *x = dtype == WG_F64 ? wg_neg(leaf) : wg_cast(leaf, dtype);
    wg_edit(leaf);
    return x;
}

static const char text[] = "a,b,c\nred,1,0\nblue,2,1\nred,3,1\n";

static wg_table *colours(void)
{
    static const char *const strings[] = {"a", NULL};
    wgt_file_put(path, text, strlen(text));
    return wg_csv_read(tape, path, &(wg_csv_options){.strings = strings});
}

START_TEST(test_rows)
{
    wg_tape *other = wg_tape_new(NULL);
    wg_tensor *X = numbers(WG_F64, WG_SHAPE(3, 2)), *y = numbers(WG_I64, WG_SHAPE(3));
    wg_tensor *line = numbers(WG_F64, WG_SHAPE(3)), *whole = numbers(WG_I64, WG_SHAPE(3, 2));
    wg_tensor *old = stale(WG_F64, WG_SHAPE(3, 2)),
              *elsewhere = wg_full(other, WG_F64, WG_SHAPE(3, 2), 1);
    wg_tensor *nan = wg_full(tape, WG_F64, WG_SHAPE(3), (double)NAN);
    wg_imputer *filler = wg_imputer_fit(X, NULL);
    expect_error_of(wg_imputer_fit(line, NULL), WG_E_SHAPE, "imputer: (n, d) wanted");
    expect_error_of(wg_imputer_fit(whole, NULL), WG_E_DTYPE, "imputer: f32 or f64 wanted");
    expect_error_of(wg_imputer_fit(old, NULL), WG_E_STALE, "imputer: replay first");
    expect_error_of(wg_imputer_apply(NULL, X), WG_E_NULL, "imputer: an inert one");
    ck_assert_int_eq(wg_size(wg_imputer_apply(filler, X)), 6);
    expect_error_of(wg_batches_new((wg_tensor *[]){X, elsewhere}, 2, NULL), WG_E_TAPE,
                    "sources of two tapes");
    expect_error_of(wg_batches_new((wg_tensor *[]){X, old}, 2, NULL), WG_E_STALE,
                    "batches: replay first");
    expect_error_of(wg_table_of("t", wg_sum(X), NULL, NULL), WG_E_SHAPE, "t: rows wanted");
    expect_error_of(wg_table_of("t", X, nan, NULL), WG_E_VALUE, "t: the label of row 1 is");
    expect_error_of(wg_table_of(NULL, X, y, NULL), WG_E_NULL, "table: no rows");
    wg_table *of = wg_table_of("t", X, wg_scale(line, 0.5), "y");
    ck_assert_int_eq(wg_size(wg_table_targets(of)), 3);
    expect_error_of(wg_table_targets(wg_table_of("t", X, NULL, NULL)), WG_E_VALUE,
                    "without a label column");
    expect_error_of(wg_table_take(of, stale(WG_I64, WG_SHAPE(2))), WG_E_STALE,
                    "rows of a table: replay");
    expect_error_of(wg_table_take(of, NULL), WG_E_NULL, "rows of a table: NULL");
    const wg_csv_options header = {.header = (wg_csv_header)9};
    colours();
    expect_error_of(wg_csv_read(tape, path, &header), WG_E_VALUE, "none of its enumerators");
    wg_tape_free(other);
}
END_TEST

START_TEST(test_training)
{
    wg_tape *other = wg_tape_new(NULL);
    const problem p = iris(tape, 0);
    const wg_dataset data = {.X = p.X, .y = p.y};
    const int64_t n = wg_dim(p.X, 0);
    wg_tensor *one = numbers(WG_I64, WG_SHAPE(n)), *far = wg_full(other, WG_I64, WG_SHAPE(n), 1);
    const wg_table *table = colours();
    const wg_dataset strings = {
        .X = wg_table_features(table), .table = table, .y = wg_table_classes(table)};
    expect_error_of(wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = far}, NULL), WG_E_TAPE,
                    "two tapes");
    expect_error_of(wg_fit(&p.model, &(wg_dataset){.X = one, .y = one}, NULL), WG_E_DTYPE,
                    "X must be f32");
    expect_error_of(wg_fit(&p.model, &strings, NULL), WG_E_VALUE, "the table has string columns");
    expect_error_of(wg_fit(&p.model, &data, &(wg_fit_options){.l1_ratio = 2}), WG_E_VALUE,
                    "an l1_ratio of 2");
    expect_error_of(wg_fit(&p.model, &data, &(wg_fit_options){.sample_weights = one}), WG_E_DTYPE,
                    "sample weights must be f32");
    expect_error_of(wg_fit(&p.model, &data, &(wg_fit_options){.C = 5e-324}), WG_E_VALUE,
                    "so small that the penalty 1 / C is infinite");
    expect_error_of(
        wg_fit_minimize(&p.model, &data, NULL, &(wg_minimizer_options){.history = INT64_MAX / 2}),
        WG_E_VALUE, "minimizer: option history = 4611686018427387903 of ");
    const wg_linear_model_options small = {.C = 5e-324};
    expect_error_of(wg_softmax_regression_new(p.X, p.y, 3, &small).loss, WG_E_VALUE,
                    "penalty: C = 4.94066e-324");
    const wg_head *softmax = &wg_head_softmax, *line = &wg_head_regression;
    wg_tensor *square = numbers(WG_I64, WG_SHAPE(3, 2));
    expect_error_of(wg_head_targets(softmax, square, 2, WG_F64), WG_E_SHAPE, "labels must be [n]");
    expect_error_of(wg_head_targets(line, square, 3, WG_F64), WG_E_SHAPE, "as many numbers as");
    expect_error_of(wg_head_targets(softmax, stale(WG_I64, WG_SHAPE(3)), 2, WG_F64), WG_E_STALE,
                    "replay first");
    expect_error_of(wg_l2_penalty(p.model.params, 1, -1), WG_E_VALUE, "a penalty of l2 = -1");
    const wg_estimator_options classes = {.classes = 2};
    expect_error_of(wg_estimator_fit(&(wg_dataset){.X = p.X, .y = wg_cast(one, WG_F64)}, &classes),
                    WG_E_DTYPE, "y must be i64 [n]");
    wg_tape_free(other);
}
END_TEST

/* Of another tape, of fewer parameters, or of them in another order: gradients would go astray. */
START_TEST(test_optimizers_of_others)
{
    wg_tape *other = wg_tape_new(NULL);
    const problem p = iris(tape, 0), q = iris(other, 0);
    const wg_dataset data = {.X = p.X, .y = p.y};
    wg_tensor *turned[16];
    const int n = p.model.n_params;
    ck_assert_int_lt(n, 16);
    for (int i = 0; i < n; i++)
        turned[i] = p.model.params[n - 1 - i];
    wg_optimizer *const wrong[] = {wg_sgd_new(q.model.params, n, NULL), wg_sgd_new(turned, n, NULL),
                                   wg_sgd_new(p.model.params, n - 1, NULL)};
    for (int i = 0; i < 3; i++)
        expect_error_of(wg_fit(&p.model, &data, &(wg_fit_options){.optimizer = wrong[i]}),
                        WG_E_VALUE, "the optimizer is not made for the model's");
    wg_tape_free(other);
}
END_TEST

/* Rows beside a table with strings may be made of them. */
START_TEST(test_rows_beside_strings)
{
    const wg_table *table = colours();
    const problem p = iris(tape, 0);
    wg_tensor *X = wg_full(tape, WG_F32, WG_SHAPE(3, 4), 1);
    wg_fit(&p.model, &(wg_dataset){.X = X, .table = table}, &(wg_fit_options){.epochs = 1});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
}
END_TEST

START_TEST(test_numbers)
{
    const problem p = iris(tape, 0);
    const int64_t n = wg_dim(p.X, 0);
    const wg_dataset data = {.X = p.X, .y = p.y};
    wg_tensor *y = wg_full(tape, WG_F64, WG_SHAPE(n, 2), 1);
    ((double *)y->data)[5] = HUGE_VAL;
    wg_fit_model line = p.model;
    line.head = &wg_head_regression;
    expect_error_of(wg_fit(&line, &(wg_dataset){.X = p.X, .y = y}, NULL), WG_E_NOT_FINITE,
                    "fit: y: row 3, column 2 is inf");
    expect_error_of(wg_fit(&line, &(wg_dataset){.X = p.X, .y = stale(WG_F64, WG_SHAPE(n))}, NULL),
                    WG_E_STALE, "fit: y: replay first");
    expect_error_of(wg_fit(&p.model, &data, &(wg_fit_options){.min_delta = HUGE_VAL}), WG_E_VALUE,
                    "min_delta = inf");
    const wg_fit_options old = {.sample_weights = stale(WG_F64, WG_SHAPE(n))};
    expect_error_of(wg_fit(&p.model, &data, &old), WG_E_STALE, "sample weights: replay first");
    const wg_linear_model_options column = {.weights = wg_full(tape, WG_F64, WG_SHAPE(n, 1), 1)};
    expect_error_of(wg_softmax_regression_new(p.X, p.y, 3, &column).loss, WG_E_SHAPE,
                    "linear model: weights [150] wanted");
    const wg_dataset later = {.X = p.X, .y = wg_placeholder(tape, "y", WG_I64, WG_SHAPE(n))};
    expect_error_of(wg_estimator_fit(&later, NULL), WG_E_VALUE, "estimator: y has no value");
    wg_estimator *e = wg_estimator_fit(&data, NULL);
    expect_error_of(wg_estimator_targets(e, &(wg_dataset){.X = p.X}), WG_E_VALUE,
                    "estimator: the rows have no labels");
}
END_TEST

START_TEST(test_optimizers)
{
    wg_tensor *p = wg_param(tape, "p", WG_F32, WG_SHAPE(3)), *g = wg_ones_like(p);
    const wg_sgd_options damped = {.momentum = 0.5, .dampening = 0.5, .rate = 1};
    wg_optimizer *o = wg_sgd_new(&p, 1, &damped), *plain = wg_sgd_new(&p, 1, NULL);
    expect_error_of(wg_optimizer_record(plain, NULL), WG_E_NULL, "the list of gradients is NULL");
    expect_error_of(wg_optimizer_record(o, &g), WG_E_VALUE, "dampening is not recorded");
    wg_tensor *whole = numbers(WG_I64, WG_SHAPE(3)), *old = stale(WG_F32, WG_SHAPE(3));
    expect_error_of(wg_global_norm(&whole, 1), WG_E_DTYPE, "global norm: ");
    expect_error_of(wg_global_norm(&old, 1), WG_E_STALE, "global norm: ");
    /* The average in f32: between the last step and the first. */
    ck_assert_int_eq(wg_optimizer_set_average(plain, 0.5), WG_OK);
    ck_assert_int_eq(wg_optimizer_set_rate(plain, 1), WG_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(wg_optimizer_step(plain, &g), WG_OK);
    const double last = wg_at(p, 0);
    ck_assert_int_eq(wg_optimizer_swap_average(plain), WG_OK);
    wgt_assert_that(wg_at(p, 0), >, last);
    wgt_assert_that(wg_at(p, 0), <, 0);
    ck_assert_int_eq(wg_optimizer_swap_average(plain), WG_OK);
    wgt_assert_that(wg_at(p, 0), ==, last);
}
END_TEST

Suite *suite_refused(void)
{
    Suite *s = suite_create("refused");
    TCase *c = tcase_create("refused");
    tcase_add_checked_fixture(c, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(c, test_rows);
    tcase_add_test(c, test_training);
    tcase_add_test(c, test_optimizers_of_others);
    tcase_add_test(c, test_numbers);
    tcase_add_test(c, test_rows_beside_strings);
    tcase_add_test(c, test_optimizers);
    suite_add_tcase(s, c);
    return s;
}
