/* Estimators: known optima, saved and loaded to the same bits, damaged files, errors. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The optima of mean loss + penalty at C = 1 (scikit-learn's, to 1e-10). ------------------ */

static const struct {
    const char *file, *model;
    bool raw;
    double log_loss, objective, accuracy;
} optima[] = {
    {"examples/data/breast_cancer.csv", "logistic", false, 0.053391857501945, 0.066360186224738,
     0.987698},
    {"examples/data/two_class_300.csv", "logistic", true, 0.180279389010658, 0.200237109232505,
     0.93},
    {"examples/data/iris.csv", "softmax", false, 0.129542268095830, 0.209191788405310, 0.973333},
};

/* The tolerance of the gradient is 1e-11 and its curvature at least 1/n: losses are off by less
 * than n * 1e-22 * (number of weights), the log loss alone by about |w| * n * 1e-11. */
START_TEST(test_optima)
{
    wg_table *data = wg_csv_read(tape, optima[_i].file, NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    wg_estimator *e = wg_estimator_fit(
        &(wg_dataset){.X = X, .y = y},
        &(wg_estimator_options){.model = optima[_i].model, .raw = optima[_i].raw});
    expect_ok(tape);
    wgt_assert_close(e->fit.best_loss, optima[_i].objective, 0, 1e-10);
    wgt_assert_close(wg_log_loss(wg_estimator_predict_proba(e, &(wg_dataset){.X = X}), y),
                     optima[_i].log_loss, 0, 1e-7);
    wgt_assert_close(wg_estimator_score(e, &(wg_dataset){.X = X, .y = y}), optima[_i].accuracy, 0,
                     1e-6);
    expect_ok(tape);
}
END_TEST

/* Logits of two methods, of raw columns with a curvature of 1e-4 and less along some directions:
 * both are at the optimum to 1e-6, not only where the gradient is small. */
START_TEST(test_logits_at_the_optimum)
{
    const wg_table *data = wg_csv_read(tape, "examples/data/breast_cancer.csv", NULL);
    const wg_dataset rows = {.X = wg_table_features(data), .y = wg_table_classes(data)};
    wg_tensor *Z[2];
    for (int k = 0; k < 2; k++) {
        const char *const optimizer = k == 0 ? "lbfgs" : "newton";
        wg_estimator *e = wg_estimator_fit(
            &rows, &(wg_estimator_options){.raw = true, .optimizer = optimizer});
        Z[k] = wg_estimator_outputs(e, &rows);
        expect_ok(tape);
    }
    wgt_assert_all_close(wg_data_f64(Z[0]), wg_data_f64(Z[1]), wg_size(Z[0]), 0, 1e-6);
}
END_TEST

static void expect_same(const wg_tensor *x, const wg_tensor *want)
{
    expect_ok(tape);
    ck_assert_int_eq(wg_size(x), wg_size(want));
    for (int64_t i = 0; i < wg_size(x); i++)
        wgt_assert_same_bits(wg_at(x, i), wg_at(want, i));
}

/* Rows of a file that are read when they are wanted: the same model, and the same predictions, of
 * all rows, of some, and of some of these. */
START_TEST(test_streamed_rows)
{
    const wg_table *data = wg_csv_read(tape, "examples/data/digits.csv", NULL);
    wg_tensor *X = wg_cast(wg_table_features(data), _i % 2 ? WG_F64 : WG_F32);
    wg_tensor *y = wg_table_classes(data);
    wg_npy_write(X, path);
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_DTYPE_DEFAULT);
    int64_t row[1000], some[300];
    for (int64_t i = 0; i < 1000; i++)
        row[i] = i + i / 5 * (_i < 2);
    for (int64_t i = 0; i < 300; i++)
        some[i] = 7 + 2 * i;
    wg_dataset of[2][3] = {{{.X = X, .y = y}}, {{.X = wg_npy_stream_rows(s, 0, WG_END), .y = y}}};
    const wg_estimator *e[2];
    for (int k = 0; k < 2; k++) {
        of[k][1] = wg_dataset_take(&of[k][0], wg_constant(tape, WG_I64, WG_SHAPE(1000), row));
        of[k][2] = wg_dataset_take(&of[k][1], wg_constant(tape, WG_I64, WG_SHAPE(300), some));
        e[k] = wg_estimator_fit(
            &of[k][1], &(wg_estimator_options){
                           .optimizer = _i / 2 ? "newton" : NULL, .raw = _i == 1, .fit.epochs = 6});
    }
    expect_ok(tape);
    for (int i = 0; i < 2; i++)
        expect_same(e[1]->mlp->params->param[i], e[0]->mlp->params->param[i]);
    for (int i = 0; i < 3; i++)
        expect_same(wg_estimator_predict_proba(e[1], &of[1][i]),
                    wg_estimator_predict_proba(e[0], &of[0][i]));
    wg_npy_stream_close(s);
    wg_estimator_predict(e[1], &of[1][2]);
    wgt_assert_status(tape, WG_E_IO, "the file is closed");
}
END_TEST

/* Columns of strings that would be 20 MB of numbers are encoded as they are read: the model of those
 * numbers, in a third of the memory. */
START_TEST(test_strings_streamed)
{
    enum { ROWS = 12000, KINDS = 60 };
    static wgt_memory memory;
    wg_tape_free(tape);
    tape = wgt_tape(&memory);
    const wg_estimator_options o = {.fit.epochs = 4, .raw = true};
    FILE *file = fopen(path, "w");
    fputs("a,b,c,d,x,y\n", file);
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "k%d,k%d,k%d,k%d,%d,%d\n", i % KINDS, i / 3 % KINDS, i * 7 / 5 % KINDS,
                i * 11 / 13 % KINDS, i % 17, i * 5 / 7 % 2);
    fclose(file);
    const wg_dataset texts = {.table = wg_csv_read(tape, path, NULL)};
    const wg_estimator *streamed = wg_estimator_fit(&texts, &o);
    expect_ok(tape);
    ck_assert_uint_le(memory.peak, 12 << 20);
    const wg_dataset dense = {.X = wg_pipeline_apply(streamed->pipeline,
                                                     wg_table_features(texts.table),
                                                     texts.table->strings),
                              .y = wg_table_classes(texts.table)};
    const wg_estimator *held = wg_estimator_fit(&dense, &o);
    ck_assert_uint_ge(memory.peak, 20 << 20);
    for (int i = 0; i < 2; i++)
        expect_same(streamed->mlp->params->param[i], held->mlp->params->param[i]);
}
END_TEST

START_TEST(test_streamed_rows_refused)
{
    wg_npy_write(wg_full(tape, WG_F64, WG_SHAPE(6, 2), 1), path);
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_DTYPE_DEFAULT);
    const wg_dataset d = {.X = wg_npy_stream_rows(s, 0, WG_END),
                          .y = wg_constant(tape, WG_I64, WG_SHAPE(6), (int64_t[6]){1, 0, 1})};
    const wg_pipeline_step square = {.kind = WG_STEP_POLYNOMIAL, .polynomial.degree = 2};
    const wg_mark mark = wg_tape_mark(tape);
    wg_estimator_fit(&d, &(wg_estimator_options){.pipeline = {&square, 1, {0}}});
    wgt_assert_status(tape, WG_E_VALUE, "no polynomial features of streamed rows");
    wg_tape_rewind(tape, mark);
    wg_estimator_fit(&d, &(wg_estimator_options){.optimizer = "sgd"});
    wgt_assert_status(tape, WG_E_VALUE, "streamed rows are trained all at once");
    wg_tape_rewind(tape, mark);
    wg_dataset_take(&d, wg_constant(tape, WG_I64, WG_SHAPE(1), (int64_t[1]){6}));
    wgt_assert_status(tape, WG_E_INDEX, "no row 6");
    wg_npy_stream_close(s);
}
END_TEST

/* A table's labels, given as y, stay the table's, also of some rows. */
START_TEST(test_labels_given_as_y)
{
    const wg_table *iris = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    const wg_dataset all = {.table = iris, .y = wg_table_classes(iris)};
    const int64_t rows[] = {0, 1, 51, 52, 100, 101};
    const wg_dataset some = wg_dataset_take(&all, wg_constant(tape, WG_I64, WG_SHAPE(6), rows));
    const wg_estimator *e = wg_estimator_fit(_i == 0 ? &all : &some, NULL);
    ck_assert_int_eq(e->class_count, 3);
    ck_assert_str_eq(e->class_names[2], "virginica");
    ck_assert_str_eq(e->label_name, "species");
    ck_assert(!e->csv->no_label);
    expect_ok(tape);
}
END_TEST

/* Newton's method in f32 finds the model of L-BFGS in f64: the loss but for a value's rounding, and
 * biases that have not moved along their common shift, which nothing holds. */
START_TEST(test_newton_f32)
{
    const double C[] = {0.01, 1, 100};
    const wg_estimator *e[2];
    double largest[2] = {0};
    for (int k = 0; k < 2; k++) {
        const wg_estimator_options o = {
            .optimizer = k == 0 ? "lbfgs" : "newton", .C = C[_i / 2], .raw = _i % 2 == 1};
        const wg_csv_options read = {.f32 = k == 1};
        e[k] = wg_estimator_fit(
            &(wg_dataset){.table = wg_csv_read(tape, "examples/data/iris.csv", &read)}, &o);
        for (int i = 0; i < 3; i++)
            largest[k] = fmax(largest[k], fabs(wg_at(e[k]->mlp->params->param[1], i)));
    }
    expect_ok(tape);
    wgt_assert_close(e[1]->fit.best_loss, e[0]->fit.best_loss, 0x1p-17, 0);
    wgt_assert_close(largest[1], largest[0], 0.1, 0);
    ck_assert_int_le(e[1]->fit.epochs, 40);
}
END_TEST

/* Each optimizer by its name and with its own rate, on rows of f32 and f64. */
START_TEST(test_every_optimizer)
{
    static const char *const names[] = {"sgd",  "momentum", "rmsprop",  "adagrad",
                                        "adam", "adamw",    "proximal", "newton"};
    const wg_table *data = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    const wg_dataset table = {.table = data};
    ck_assert_int_eq(wg_dataset_columns(&table), 4);
    wg_tensor *X = wg_cast(wg_table_features(data), _i % 2 == 0 ? WG_F64 : WG_F32);
    const wg_dataset rows = {.X = X, .y = wg_table_classes(data)};
    ck_assert_int_eq(wg_dataset_columns(&rows), 4);
    wg_estimator *e = wg_estimator_fit(
        &rows, &(wg_estimator_options){.optimizer = names[_i / 2], .fit.epochs = 40});
    expect_ok(tape);
    wgt_assert_that(wg_estimator_score(e, &rows), >, 0.8);
}
END_TEST

START_TEST(test_one_vs_rest)
{
    wg_table *data = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.X = X, .y = y},
                                       &(wg_estimator_options){.model = "one_vs_rest"});
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.X = X, .y = y}), >, 0.9);
    wg_tensor *P = wg_estimator_predict_proba(e, &(wg_dataset){.X = X}),
              *Z = wg_estimator_outputs(e, &(wg_dataset){.X = X});
    /* the columns' objectives are separate: class 0 alone, as a logistic regression, has the same
     * logits */
    wg_tensor *first = wg_cast(wg_equal(y, wg_full(tape, WG_I64, WG_SCALAR, 0)), WG_I64);
    wg_estimator *one = wg_estimator_fit(&(wg_dataset){.X = X, .y = first},
                                         &(wg_estimator_options){.model = "logistic"});
    wg_tensor *z = wg_estimator_outputs(one, &(wg_dataset){.X = X});
    for (int64_t i = 0; i < 150; i++) {
        wgt_assert_close(wg_at(P, 3 * i) + wg_at(P, 3 * i + 1) + wg_at(P, 3 * i + 2), 1, 0, 1e-15);
        wgt_assert_close(wg_at(Z, 3 * i), wg_at(z, i), 0, 1e-4);
    }
    expect_ok(tape);
}
END_TEST

/* Of logits so low that no sigmoid of them is a float, too, they are shares. */
START_TEST(test_one_vs_rest_of_low_logits)
{
    const double z[] = {-800, -801, -2000, -1e300, -1e300, -1e300, 900, 0, -900};
    const double p[] = {1 / (1 + exp(-1)),
                        exp(-1) / (1 + exp(-1)),
                        0,
                        1. / 3,
                        1. / 3,
                        1. / 3,
                        1 / 1.5,
                        0.5 / 1.5,
                        0};
    wg_tensor *Z = wg_constant(tape, WG_F64, WG_SHAPE(3, 3), z);
    const wg_tensor *P = wg_head_probabilities(&wg_head_one_vs_rest, Z);
    expect_ok(tape);
    for (int i = 0; i < 9; i++)
        wgt_assert_close(wg_at(P, i), p[i], 1e-12, 1e-300);
}
END_TEST

/* ---- Files. ---------------------------------------------------------------------------------- */

static const int64_t hidden[] = {8, 5};
static const char *const names[] = {"setosa", "versicolor", "a \"third\"\n"};
static const wg_pipeline_step steps[] = {{.kind = WG_STEP_STANDARDIZE},
                                         {.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = 2}}};

static wg_estimator_options kind(int i)
{
    wg_estimator_options o = {.class_names = names, .label_name = "species", .seed = 1u << 31};
    o.fit.epochs = 3;
    o.model = (const char *[]){"softmax", "one_vs_rest", "mlp", "logistic"}[i];
    if (i == 1 || i == 2)
        o.pipeline = (wg_pipeline_options){.steps = steps, .n_steps = 2};
    if (i == 2) {
        o.hidden = hidden;
        o.n_hidden = 2;
        o.activation = "tanh";
        o.dropout = 0.1;
        o.layer_norm = true;
    }
    return o;
}

static wg_estimator *fitted(int i, bool f32, wg_tensor **X)
{
    wg_table *data = wg_csv_read(tape, "examples/data/iris.csv", &(wg_csv_options){.f32 = f32});
    *X = wg_table_features(data);
    wg_tensor *y = wg_table_classes(data);
    wg_estimator_options o = kind(i);
    if (i == 3)
        y = wg_cast(wg_equal(y, wg_full(tape, WG_I64, WG_SCALAR, 1)), WG_I64);
    return wg_estimator_fit(&(wg_dataset){.X = *X, .y = y}, &o);
}

START_TEST(test_loaded_predicts_the_same_bits)
{
    wg_tensor *X;
    bool f32 = _i >= 4;
    wg_estimator *e = fitted(_i % 4, f32, &X);
    int64_t size = wg_tape_size(tape);
    ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
    expect_ok(tape);
    ck_assert_int_eq(wg_tape_size(tape), size);
    wg_tape *t = wg_tape_new(NULL);
    wg_estimator *l = wg_estimator_load(t, path, NULL);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    size_t item = f32 ? 4 : 8;
    wg_tensor *Xl = wg_constant(t, f32 ? WG_F32 : WG_F64, WG_SHAPE(150, 4), X->data);
    wg_tensor *P = wg_estimator_predict_proba(e, &(wg_dataset){.X = X}),
              *Pl = wg_estimator_predict_proba(l, &(wg_dataset){.X = Xl});
    wg_tensor *c = wg_estimator_predict(e, &(wg_dataset){.X = X}),
              *cl = wg_estimator_predict(l, &(wg_dataset){.X = Xl});
    ck_assert_int_eq(wg_size(P), 150 * (_i % 4 == 3 ? 2 : 3));
    ck_assert_int_eq(wg_size(Pl), wg_size(P));
    ck_assert_mem_eq(P->data, Pl->data, (size_t)wg_size(P) * item);
    ck_assert_mem_eq(c->data, cl->data, 150 * sizeof(int64_t));
    ck_assert_int_eq(l->class_count, e->class_count);
    for (int64_t k = 0; k < l->class_count; k++)
        ck_assert_str_eq(l->class_names[k], names[k]);
    ck_assert_str_eq(l->label_name, "species");
    ck_assert_str_eq(l->model, e->model);
    ck_assert_int_eq(l->columns, 4);
    wg_tape_free(t);
}
END_TEST

/* Numbers as a file holds them, whatever the machine's byte order. */
static void little(const double x[3], unsigned char bytes[24])
{
    for (int i = 0; i < 3; i++) {
        uint64_t bits;
        memcpy(&bits, x + i, sizeof bits);
        for (int k = 0; k < 8; k++)
            bytes[8 * i + k] = (unsigned char)(bits >> 8 * k);
    }
}

/* Neither is a model saved that holds a number that is none, nor is one loaded. */
START_TEST(test_weights_are_finite)
{
    wg_tensor *X;
    const wg_estimator *e = fitted(0, false, &X);
    wg_tensor *bias = e->mlp->params->param[1];
    double was[3], values[3] = {1, 0, 2};
    unsigned char held[24];
    memcpy(was, wg_data_f64(bias), sizeof was);
    values[1] = _i == 0 ? (double)NAN : (double)-INFINITY;
    ck_assert_int_eq(wg_write(bias, was, sizeof was), WG_OK);
    ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
    size_t size;
    char *bytes = wgt_file_get(path, &size), *at = bytes;
    ck_assert_ptr_nonnull(bytes);
    little(was, held);
    while (at < bytes + size - sizeof held && memcmp(at, held, sizeof held) != 0)
        at++;
    ck_assert_mem_eq(at, held, sizeof held);
    little(values, (unsigned char *)at);
    wgt_file_put(path, bytes, size);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_ptr_null(wg_estimator_load(tape, path, NULL)->tape);
    wgt_assert_status(tape, WG_E_FORMAT,
                      _i == 0 ? "estimator: 'fc1.bias' holds nan at place 1"
                              : "estimator: 'fc1.bias' holds -inf at place 1");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_write(bias, values, sizeof values), WG_OK);
    wgt_file_put(path, "old", 3);
    ck_assert_int_eq(wg_estimator_save(e, path), WG_E_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(tape), "estimator: 'fc1.bias' holds "));
    free(bytes);
    bytes = wgt_file_get(path, &size);
    ck_assert_uint_eq(size, 3);
    free(bytes);
}
END_TEST

static bool load(wg_tape *t, const char *file)
{
    return wg_estimator_load(t, file, NULL)->columns > 0;
}

/* The file with one text in place of another of the same length. */
static void replaced(const char *what, const char *by, wg_status status)
{
    size_t size, length = strlen(what);
    char *bytes = wgt_file_get(path, &size);
    bool found = false;
    for (size_t i = 0; !found && i + length < size; i++)
        if (memcmp(bytes + i, what, length) == 0) {
            memcpy(bytes + i, by, length);
            found = true;
        }
    ck_assert_msg(found, "%s", what);
    char other[WGT_PATH];
    wgt_file_new(other);
    wgt_file_put(other, bytes, size);
    wg_tape *t = wg_tape_new(NULL);
    ck_assert_msg(!load(t, other), "%s", by);
    ck_assert_msg(wg_tape_status(t) == status, "%s: %s", by, wg_tape_message(t));
    wg_tape_free(t);
    wgt_file_remove(other);
    free(bytes);
}

START_TEST(test_bad_files)
{
    wg_tensor *X;
    ck_assert_int_eq(wg_estimator_save(fitted(0, false, &X), path), WG_OK);
    replaced("wengert estimator 2", "wengert estimator 1", WG_E_FORMAT);
    replaced("\"softmax\"", "\"softmix\"", WG_E_FORMAT);
    replaced("\"estimator.label\"", "\"estimator.lab.l\"", WG_E_FORMAT);
    replaced("\"estimator.outputs\":\"3\"", "\"estimator.outputs\":\"2\"", WG_E_FORMAT);
    replaced("\"estimator.outputs\":\"3\"", "\"estimator.outputs\":\"9\"", WG_E_FORMAT);
    replaced("\"mlp.sizes.0\":\"4\"", "\"mlp.sizes.0\":\"5\"", WG_E_FORMAT);
    wgt_check_unreadable(load);
    size_t size;
    char *bytes = wgt_file_get(path, &size), other[WGT_PATH];
    wgt_file_new(other);
    wgt_check_good(load, other, bytes, size);
    wgt_check_truncated(load, other, bytes, size);
    wgt_check_memory(load, other, bytes, size);
    wgt_file_remove(other);
    free(bytes);
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

START_TEST(test_errors)
{
    wg_table *data = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data);
    const wg_estimator_options bad[] = {
        {.model = "forest"},
        {.model = "logistic"},
        {.classes = 1},
        {.C = -1},
        {.optimizer = "gauss"},
        {.penalty = "l3"},
        {.penalty = "l1", .l1_ratio = 0.5},
        {.penalty = "l1", .optimizer = "lbfgs"},
        {.optimizer = "sgd", .rate = -1},
        {.hidden = hidden, .n_hidden = 2},
        {.model = "mlp", .activation = "none"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_mark mark = wg_tape_mark(tape);
        wg_estimator *e = wg_estimator_fit(&(wg_dataset){.X = X, .y = y}, &bad[i]);
        ck_assert_msg(wg_tape_status(tape) == WG_E_VALUE, "case %zu: %s", i, wg_tape_message(tape));
        ck_assert_int_eq(e->columns, 0);
        ck_assert_int_eq(wg_estimator_save(e, path), WG_E_NULL);
        ck_assert_double_nan(wg_estimator_score(e, &(wg_dataset){.X = X, .y = y}));
        wg_tape_rewind(tape, mark);
    }
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.X = X, .y = y}, NULL);
    expect_ok(tape);
    wg_estimator_predict(e, &(wg_dataset){.X = wg_full(tape, WG_F64, WG_SHAPE(2, 5), 0)});
    ck_assert_int_eq(wg_tape_status(tape), WG_E_SHAPE);
}
END_TEST

Suite *suite_estimator(void)
{
    Suite *s = suite_create("estimator");
    TCase *c = tcase_create("estimator");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, wgt_file_setup, wgt_file_teardown);
    tcase_add_loop_test(c, test_optima, 0, (int)(sizeof optima / sizeof *optima));
    tcase_add_test(c, test_logits_at_the_optimum);
    tcase_add_loop_test(c, test_every_optimizer, 0, 16);
    tcase_add_loop_test(c, test_streamed_rows, 0, 4);
    tcase_add_test(c, test_streamed_rows_refused);
    tcase_add_loop_test(c, test_labels_given_as_y, 0, 2);
    tcase_add_loop_test(c, test_newton_f32, 0, 6);
    tcase_add_test(c, test_strings_streamed);
    tcase_add_test(c, test_one_vs_rest);
    tcase_add_test(c, test_one_vs_rest_of_low_logits);
    tcase_add_loop_test(c, test_weights_are_finite, 0, 2);
    tcase_add_loop_test(c, test_loaded_predicts_the_same_bits, 0, 8);
    tcase_add_test(c, test_bad_files);
    tcase_add_test(c, test_errors);
    suite_add_tcase(s, c);
    return s;
}
