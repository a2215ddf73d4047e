/* Heads: regression, a head of one's own from training to a file and back, and what training says
 * of bad rows. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Regression. ----------------------------------------------------------------------------- */

enum { ROWS = 40 };

/* y = 3 + 2 x1 - x2 and a residual that is orthogonal to 1, x1 and x2: least squares finds 3, 2,
 * -1. */
static wg_dataset line(wg_dtype dtype)
{
    static double x[2 * ROWS], y[ROWS];
    for (int i = 0; i < ROWS; i++) {
        double s1 = i & 1 ? 1 : -1, s2 = i & 2 ? 1 : -1, s3 = i & 4 ? 1 : -1;
        x[2 * i] = s1;
        x[2 * i + 1] = s2;
        y[i] = 3 + 2 * s1 - s2 + 0.5 * s3;
    }
    return (wg_dataset){.X = wg_cast(wg_constant(tape, WG_F64, WG_SHAPE(ROWS, 2), x), dtype),
                        .y = wg_cast(wg_constant(tape, WG_F64, WG_SHAPE(ROWS), y), dtype)};
}

START_TEST(test_regression)
{
    const wg_dtype dtype = _i == 0 ? WG_F64 : WG_F32;
    const double bound = _i == 0 ? 1e-7 : 1e-3;
    wg_dataset data = line(dtype);
    const wg_estimator_options o = {.model = "regression", .C = HUGE_VAL, .raw = true};
    wg_estimator *e = wg_estimator_fit(&data, &o);
    expect_ok(tape);
    const wg_mlp *mlp = e->mlp;
    wgt_assert_close(wg_item(wg_params_get(mlp->params, "fc1.bias")), 3, 0, bound);
    wgt_assert_close(wg_at(wg_params_get(mlp->params, "fc1.weight"), 0), 2, 0, bound);
    wgt_assert_close(wg_at(wg_params_get(mlp->params, "fc1.weight"), 1), -1, 0, bound);
    /* residuals +-1/2; y varies by 4 + 1 + 1/4 */
    wgt_assert_close(e->fit.best_loss, 0.25, 0, bound);
    wgt_assert_close(wg_estimator_score(e, &data), 1 - 0.25 / 5.25, 0, bound);
    wgt_assert_close(wg_rmse(wg_estimator_predict(e, &data), wg_estimator_targets(e, &data)), 0.5,
                     0, bound);
    ck_assert_int_eq(e->class_count, 0);
    ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
    wg_estimator *l = wg_estimator_load(tape, path, NULL);
    expect_ok(tape);
    wgt_assert_same_bits(wg_estimator_score(l, &data), wg_estimator_score(e, &data));
    ck_assert(wg_is_inert(wg_estimator_predict_proba(l, &data)));
    wgt_assert_status(tape, WG_E_VALUE, "'regression' has no probabilities");
}
END_TEST

/* By mini-batches, with validation rows and weights; two numbers a row. */
START_TEST(test_regression_by_batches)
{
    wg_dataset data = line(WG_F64);
    wg_tensor *y = wg_reshape(data.y, WG_SHAPE(ROWS, 1));
    data.y = wg_concat((wg_tensor *[]){y, wg_neg(y)}, 2, 1);
    const wg_estimator_options o = {
        .model = "regression",
        .optimizer = "adam",
        .rate = 0.05,
        .C = HUGE_VAL,
        .fit = {.epochs = 400,
                .validation = 0.2,
                .patience = 60,
                .sample_weights = wg_full(tape, WG_F64, WG_SHAPE(ROWS), 2)}};
    wg_estimator *e = wg_estimator_fit(&data, &o);
    expect_ok(tape);
    wg_fit_result r = e->fit;
    ck_assert_double_nan(wg_at(r.accuracy, 0)); /* there are no classes */
    wgt_assert_that(wg_at(r.validation_score, r.best_epoch - 1), >, 0.9);
    wgt_assert_that(wg_estimator_score(e, &data), >, 0.94);
    ck_assert_int_eq(wg_dim(wg_estimator_predict(e, &data), 1), 2);
    wg_mark mark = wg_tape_mark(tape);
    wg_estimator_fit(&data, &(wg_estimator_options){.model = "regression", .fit.balanced = true});
    wgt_assert_status(tape, WG_E_VALUE, "are for classes");
    wg_tape_rewind(tape, mark);
    data.y = wg_full(tape, WG_F32, WG_SHAPE(ROWS), 2);
    wg_estimator_fit(&data, &(wg_estimator_options){.model = "regression"});
    wgt_assert_status(tape, WG_E_DTYPE, "dtype of the rows");
}
END_TEST

START_TEST(test_metrics)
{
    const double truth[] = {1, 2, 3, 6}, guess[] = {2, 2, 2, 4};
    wg_tensor *y = wg_constant(tape, WG_F64, WG_SHAPE(4), truth);
    wg_tensor *p = wg_constant(tape, WG_F64, WG_SHAPE(4), guess);
    wgt_assert_close(wg_rmse(p, y), sqrt(6.0 / 4), 1e-15, 0);
    wgt_assert_close(wg_r2(p, y), 1 - 6.0 / 14, 1e-15, 0);
    /* by column, and the mean of the columns: (1, 3) by (2, 2), and (2, 6) by (2, 4) */
    wgt_assert_close(wg_r2(wg_reshape(p, WG_SHAPE(2, 2)), wg_reshape(y, WG_SHAPE(2, 2))),
                     (1 - 2.0 / 2 + 1 - 4.0 / 8) / 2, 1e-15, 0);
    wg_tensor *tenth = wg_full(tape, WG_F64, WG_SHAPE(3), 0.1);
    wgt_assert_that(wg_r2(tenth, tenth), ==, 1);
    wg_tensor *one = wg_full(tape, WG_F64, WG_SHAPE(1), 3),
              *none = wg_full(tape, WG_F64, WG_SHAPE(0), 0);
    wgt_assert_that(wg_r2(one, one), ==, 1);
    ck_assert_double_nan(wg_r2(none, none));
    wgt_assert_that(wg_r2(wg_full(tape, WG_F64, WG_SHAPE(3), 0.2), tenth), ==, 0);
    ck_assert_double_nan(wg_rmse(wg_full(tape, WG_F64, WG_SHAPE(3), (double)NAN), tenth));
    expect_ok(tape);
    wg_mark mark = wg_tape_mark(tape);
    ck_assert_double_nan(wg_r2(p, tenth));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_SHAPE);
    wg_tape_rewind(tape, mark);
    ck_assert_double_nan(wg_rmse(wg_cast(p, WG_I64), wg_cast(y, WG_I64)));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_DTYPE);
}
END_TEST

/* ---- A head of one's own. -------------------------------------------------------------------- */

static wg_tensor *poisson_loss(wg_tensor *Z, wg_tensor *y, wg_tensor *weights, wg_reduction how)
{
    wg_tensor *l = wg_sum_over(wg_sub(wg_exp(Z), wg_mul(y, Z)), WG_AXES(1), false);
    if (weights != NULL)
        l = wg_mul(l, weights);
    return how == WG_SUM ? wg_sum(l) : wg_mean(l);
}

static const wg_head poisson = {
    .name = "poisson", .kind = WG_HEAD_NUMBERS, .loss = poisson_loss, .predict = wg_exp};

static wg_dataset counts(void)
{
    static double x[2 * ROWS];
    int64_t y[ROWS];
    for (int i = 0; i < ROWS; i++) {
        x[2 * i] = (i % 5) / 2.0 - 1;
        x[2 * i + 1] = (i % 7) / 3.0 - 1;
        y[i] = (i * i + i % 5 * 3) % 7;
    }
    return (wg_dataset){.X = wg_constant(tape, WG_F64, WG_SHAPE(ROWS, 2), x),
                        .y = wg_constant(tape, WG_I64, WG_SHAPE(ROWS), y)};
}

/* All rows at once and by batches arrive at the same; stopped and resumed at the same bits. */
START_TEST(test_own_head_trains)
{
    wg_dataset data = counts();
    wg_estimator_options o = {.head = &poisson, .C = HUGE_VAL};
    wg_estimator *e = wg_estimator_fit(&data, &o);
    expect_ok(tape);
    const wg_tensor *mean = wg_estimator_predict(e, &data), *y = wg_estimator_targets(e, &data);
    double sum = 0;
    for (int i = 0; i < ROWS; i++) /* the gradient by the bias is 0 at the optimum */
        sum += wg_at(mean, i) - wg_at(y, i);
    wgt_assert_close(sum / ROWS, 0, 0, 1e-7);
    o.optimizer = "adam";
    o.rate = 0.05;
    o.fit = (wg_fit_options){.epochs = 300, .batch = ROWS};
    wg_fit_result r = wg_estimator_fit(&data, &o)->fit;
    wgt_assert_close(r.best_loss, e->fit.best_loss, 0, 1e-3);

    o.fit = (wg_fit_options){.epochs = 12, .validation = 0.25, .patience = 9, .seed = 1};
    wg_estimator *whole = wg_estimator_fit(&data, &o);
    o.fit.checkpoint = path;
    o.fit.epochs = 5;
    wg_estimator_fit(&data, &o);
    o.fit.epochs = 12;
    o.fit.resume = true;
    wg_estimator *resumed = wg_estimator_fit(&data, &o);
    expect_ok(tape);
    const wg_tensor *a = wg_estimator_outputs(whole, &data);
    wgt_assert_same_bytes(wg_data_f64(a), wg_data_f64(wg_estimator_outputs(resumed, &data)),
                          ROWS * sizeof(double));
    /* the same graph under another head is another training */
    o.head = &wg_head_regression;
    wg_estimator_fit(&data, &o);
    wgt_assert_status(tape, WG_E_FORMAT, "or its head");
}
END_TEST

START_TEST(test_own_head_is_loaded)
{
    static const wg_head *const own[] = {&poisson, NULL};
    wg_dataset data = counts();
    wg_estimator *e = wg_estimator_fit(
        &data, &(wg_estimator_options){
                   .model = _i == 0 ? "linear" : "mlp", .head = &poisson, .fit.epochs = 3});
    ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
    wg_estimator *l = wg_estimator_load(tape, path, own);
    expect_ok(tape);
    ck_assert_ptr_eq(l->head, &poisson);
    const wg_tensor *p = wg_estimator_predict(e, &data);
    wgt_assert_same_bytes(wg_data_f64(p), wg_data_f64(wg_estimator_predict(l, &data)),
                          ROWS * sizeof(double));
    ck_assert_ptr_null(wg_estimator_load(tape, path, NULL)->head);
    wgt_assert_status(tape, WG_E_FORMAT, "the head 'poisson' is unknown");
}
END_TEST

/* Heads that lack something, or do not go with a model. */
START_TEST(test_refused_heads)
{
    static const wg_head nameless = {.kind = WG_HEAD_NUMBERS, .loss = poisson_loss};
    static const wg_head blind = {.name = "blind", .loss = poisson_loss};
    wg_dataset data = counts();
    const struct {
        wg_estimator_options o;
        wg_status status;
        const char *words;
    } cases[] = {
        {{.head = &nameless}, WG_E_NULL, "without name, loss or predict"},
        {{.head = &blind, .classes = 7}, WG_E_NULL, "without name, loss or predict"},
        {{.head = &poisson, .model = "softmax"}, WG_E_VALUE, "softmax has a head of its own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_mark mark = wg_tape_mark(tape);
        wg_estimator_fit(&data, &cases[i].o);
        wgt_assert_status(tape, cases[i].status, cases[i].words);
        wg_tape_rewind(tape, mark);
    }
    wg_fit_model model = {.head = NULL};
    ck_assert_int_eq(wg_fit(&model, &data, NULL).stop, WG_FIT_ERROR);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
}
END_TEST

/* ---- Rows that are not finite. --------------------------------------------------------------- */

START_TEST(test_bad_numbers_are_named)
{
    wg_table *table = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table}, NULL);
    expect_ok(tape);
    double row[] = {5, 3, (double)NAN, 1};
    wg_mark mark = wg_tape_mark(tape);
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(1, 4), row);
    ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.X = X})));
    wgt_assert_status(tape, WG_E_NOT_FINITE, "row 1, column 3 is");
    wg_tape_rewind(tape, mark);
    ((double *)wg_table_features(table)->data)[4 * 7 + 1] = HUGE_VAL;
    wg_estimator_fit(&(wg_dataset){.table = table}, NULL);
    wgt_assert_status(tape, WG_E_NOT_FINITE, "row 8, column 2 (sepal_width) is inf");
}
END_TEST

/* One validation row is NaN, which no comparison with the best loss would notice. */
START_TEST(test_validation_loss_that_is_no_number)
{
    wg_table *table = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    double x[600];
    memcpy(x, wg_data_f64(wg_table_features(table)), sizeof x);
    wg_tensor *y = wg_table_classes(table);
    const wg_train_test_options split = {.test = 0.3, .seed = 0, .stratify = y};
    int64_t victim = wg_data_i64(wg_train_test_split(tape, 150, &split).test)[4];
    x[4 * victim + 2] = (double)NAN;
    wg_mlp *mlp = wg_mlp_new(
        tape, &(wg_mlp_options){.sizes = (int64_t[]){4, 3}, .n_sizes = 2, .init = "zeros"});
    wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_softmax);
    const wg_dataset data = {.X = wg_constant(tape, WG_F64, WG_SHAPE(150, 4), x), .y = y};
    const wg_fit_options o = {.epochs = 20, .validation = 0.3, .patience = 3};
    ck_assert_int_eq(wg_fit(&model, &data, &o).stop, WG_FIT_ERROR);
    char words[64];
    snprintf(words, sizeof words, "in epoch 1: row %d of those given has the output",
             (int)victim + 1);
    wgt_assert_status(tape, WG_E_NOT_FINITE, words);
}
END_TEST

/* The loss alone overflows: no row's outputs are to blame. */
START_TEST(test_validation_loss_that_overflows)
{
    double x[100], y[100];
    for (int i = 0; i < 100; i++)
        x[i] = y[i] = i % 10;
    const wg_train_test_options split = {.test = 0.3, .seed = 0};
    y[wg_data_i64(wg_train_test_split(tape, 100, &split).test)[4]] = 1e200;
    wg_mlp *mlp = wg_mlp_new(
        tape, &(wg_mlp_options){.sizes = (int64_t[]){1, 1}, .n_sizes = 2, .init = "zeros"});
    wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_regression);
    const wg_dataset data = {.X = wg_constant(tape, WG_F64, WG_SHAPE(100, 1), x),
                             .y = wg_constant(tape, WG_F64, WG_SHAPE(100), y)};
    const wg_fit_options o = {.epochs = 2, .validation = 0.3};
    ck_assert_int_eq(wg_fit(&model, &data, &o).stop, WG_FIT_ERROR);
    wgt_assert_status(tape, WG_E_NOT_FINITE, "the validation loss is inf in epoch 1");
    ck_assert_ptr_null(strstr(wg_tape_message(tape), "row"));
}
END_TEST

/* ---- A start at the optimum. ----------------------------------------------------------------- */

static const struct {
    const char *text;
} optima[] = {{"a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"},
              {"a,y\n5,0\n5,1\n5,0\n5,1\n"},
              {"a,b,y\n1,2,n\n1,2,y\n3,4,n\n3,4,y\n"}};

START_TEST(test_start_at_the_optimum)
{
    char checkpoint[WGT_PATH];
    wgt_file_new(checkpoint);
    wgt_file_put(path, optima[_i].text, strlen(optima[_i].text));
    wg_dataset data = {.table = wg_csv_read(tape, path, NULL)};
    wg_estimator_options o = {.fit = {.checkpoint = checkpoint}};
    for (int again = 0; again < 2; again++) {
        wg_estimator *e = wg_estimator_fit(&data, &o);
        expect_ok(tape);
        wg_fit_result r = e->fit;
        ck_assert_int_eq(r.stop, WG_FIT_CONVERGED);
        ck_assert_int_eq(r.optimum.iterations, 0);
        ck_assert_int_eq(r.epochs, 1);
        ck_assert_int_eq(r.best_epoch, 1);
        wgt_assert_close(wg_at(r.loss, 0), log(2), 1e-15, 0);
        wgt_assert_that(wg_estimator_score(e, &data), ==, 0.5);
        ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
        o.fit.resume = true; /* from the checkpoint, which is there */
    }
    wgt_file_remove(checkpoint);
}
END_TEST

/* C is of the training rows: the penalty of 1 / (n C) with n = 120 of 150. */
START_TEST(test_penalty_counts_training_rows)
{
    wg_dataset data = {.table = wg_csv_read(tape, "examples/data/iris.csv", NULL)};
    wg_estimator_options o = {.C = 0.1, .fit = {.validation = 0.2}};
    double loss = wg_estimator_fit(&data, &o)->fit.optimum.value;
    wg_mlp *mlp = wg_mlp_new(
        tape, &(wg_mlp_options){.sizes = (int64_t[]){4, 3}, .n_sizes = 2, .init = "zeros"});
    wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_softmax);
    wg_dataset same = {.X = wg_standardize(wg_table_features(data.table)),
                       .y = wg_table_classes(data.table)};
    o.fit.l2 = 1 / (120 * 0.1);
    wgt_assert_close(wg_fit_minimize(&model, &same, &o.fit, NULL).optimum.value, loss, 0, 1e-13);
    expect_ok(tape);
    o.fit.C = 1;
    wg_fit_minimize(&model, &same, &o.fit, NULL);
    wgt_assert_status(tape, WG_E_VALUE, "no l2 wanted");
}
END_TEST

Suite *suite_head(void)
{
    Suite *s = suite_create("head");
    TCase *c = tcase_create("head");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, wgt_file_setup, wgt_file_teardown);
    tcase_add_loop_test(c, test_regression, 0, 2);
    tcase_add_test(c, test_regression_by_batches);
    tcase_add_test(c, test_metrics);
    tcase_add_test(c, test_own_head_trains);
    tcase_add_loop_test(c, test_own_head_is_loaded, 0, 2);
    tcase_add_test(c, test_refused_heads);
    tcase_add_test(c, test_bad_numbers_are_named);
    tcase_add_test(c, test_validation_loss_that_is_no_number);
    tcase_add_test(c, test_validation_loss_that_overflows);
    tcase_add_loop_test(c, test_start_at_the_optimum, 0, 3);
    tcase_add_test(c, test_penalty_counts_training_rows);
    suite_add_tcase(s, c);
    return s;
}
