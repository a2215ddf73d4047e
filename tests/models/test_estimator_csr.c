/* Sparse rows: trained as dense ones are, from an svmlight file to a saved model and back. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 90, COLUMNS = 30 };

static char model[WGT_PATH];

/* Rows with about five of 30 features, of three classes that the features show; no row has the last
 * one. */
static void write_rows(const char *file)
{
    FILE *f = fopen(file, "w");
    ck_assert_ptr_nonnull(f);
    for (int i = 0; i < ROWS; i++) {
        fprintf(f, "%d", i % 3);
        for (int j = 1 + i % 4; j < COLUMNS; j += 3 + (i + j) % 7)
            fprintf(f, " %d:%.3f", j,
                    wg_random_normal(1, (uint64_t)i, (uint64_t)j) + (j % 3 == i % 3));
        fprintf(f, "\n");
    }
    fclose(f);
}

static void setup(void)
{
    wgt_file_setup();
    wgt_file_new(model);
    write_rows(path);
}

static void teardown(void)
{
    wgt_file_remove(model);
    wgt_file_teardown();
}

static const int64_t hidden[] = {6};

static wg_estimator_options kind(int i)
{
    wg_estimator_options o = {
        .model = (const char *[]){"softmax", "one_vs_rest", "logistic", "mlp"}[i]};
    if (i == 3)
        o = (wg_estimator_options){.model = "mlp",
                                   .hidden = hidden,
                                   .n_hidden = 1,
                                   .activation = "tanh",
                                   .layer_norm = true,
                                   .C = 1,
                                   .fit.epochs = 60};
    return o;
}

static wg_tensor *labels(const wg_table *table, int i)
{
    wg_tensor *y = wg_table_classes(table), *one = wg_full(tape, WG_I64, WG_SCALAR, 1);
    return i == 2 ? wg_cast(wg_equal(y, one), WG_I64) : y;
}

/* ---- As dense rows. -------------------------------------------------------------------------- */

/* Convex: the same optimum, up to what the tolerance of the gradient leaves (1e-8 / curvature
 * 1/n). */
START_TEST(test_as_dense)
{
    wg_csr *A;
    bool f32 = _i >= 3;
    const wg_svmlight_options o = {.columns = COLUMNS, .f32 = f32};
    const wg_table *table = wg_svmlight_read(tape, path, &o, &A);
    wg_tensor *y = labels(table, _i % 3), *X = wg_csr_dense(A);
    wg_estimator_options options = kind(_i % 3);
    double values[ROWS];
    for (int i = 0; i < ROWS; i++)
        values[i] = 1 + i % 5;
    options.fit.balanced = true;
    options.fit.sample_weights = wg_constant(tape, WG_F64, WG_SHAPE(ROWS), values);
    wg_estimator *sparse = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &options);
    expect_ok(tape);
    options.raw = true;
    wg_estimator *dense = wg_estimator_fit(&(wg_dataset){.X = X, .y = y}, &options);
    expect_ok(tape);
    ck_assert_int_eq(sparse->columns, COLUMNS);
    ck_assert_int_eq(sparse->fit.stop, WG_FIT_CONVERGED);
    double e = f32 ? 1e-6 : 1e-13;
    wgt_assert_close(sparse->fit.best_loss, dense->fit.best_loss, 0, e);
    const wg_tensor *P = wg_estimator_predict_proba(sparse, &(wg_dataset){.sparse = A});
    const wg_tensor *Q = wg_estimator_predict_proba(dense, &(wg_dataset){.X = X});
    ck_assert_int_eq(wg_size(P), wg_size(Q));
    for (int64_t i = 0; i < wg_size(P); i++)
        wgt_assert_close(wg_at(P, i), wg_at(Q, i), 0, f32 ? 1e-3 : 1e-5);
    wgt_assert_that(wg_estimator_score(sparse, &(wg_dataset){.sparse = A, .y = y}), ==,
                    wg_estimator_score(dense, &(wg_dataset){.X = X, .y = y}));
    wgt_assert_that(wg_estimator_score(sparse, &(wg_dataset){.sparse = A, .y = y}), >, 0.6);
    expect_ok(tape);
}
END_TEST

/* One model: its logits and its gradients are those of dense rows. */
START_TEST(test_mlp)
{
    wg_csr *A;
    const wg_svmlight_options o = {.columns = COLUMNS};
    wg_svmlight_read(tape, path, &o, &A);
    wg_mlp *mlp = wg_mlp_new(tape, &(wg_mlp_options){.sizes = (int64_t[]){COLUMNS, 5, 4, 2},
                                                     .n_sizes = 4,
                                                     .activation = "tanh",
                                                     .layer_norm = true,
                                                     .dropout = 0.3,
                                                     .dtype = WG_F64});
    const wg_fit_model fit = wg_mlp_fit_model(mlp, &wg_head_softmax);
    int n = mlp->params->n;
    for (int training = 0; training < 2; training++) {
        wg_tensor *y[2] = {wg_mlp_forward(mlp, wg_csr_dense(A), training == 1),
                           fit.outputs(mlp, &(wg_dataset){.sparse = A}, training == 1)};
        wg_tensor *g[2][10];
        for (int64_t i = 0; i < 2 * ROWS; i++)
            wgt_assert_close(wg_at(y[0], i), wg_at(y[1], i), 0, 1e-13);
        ck_assert_int_le(n, 10);
        for (int k = 0; k < 2; k++)
            wg_grad(wg_sum(wg_square(y[k])), mlp->params->param, n, g[k]);
        for (int p = 0; p < n; p++)
            for (int64_t i = 0; i < wg_size(g[0][p]); i++)
                wgt_assert_close(wg_at(g[0][p], i), wg_at(g[1][p], i), 1e-11, 1e-11);
    }
    expect_ok(tape);
}
END_TEST

START_TEST(test_validation_and_checkpoint)
{
    wg_csr *A;
    const wg_table *table = wg_svmlight_read(tape, path, NULL, &A);
    wg_tensor *y = wg_table_classes(table);
    wg_estimator_options o = kind(3);
    o.fit = (wg_fit_options){.epochs = 12, .validation = 0.3, .checkpoint = model};
    wg_estimator *whole = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &o);
    ck_assert_int_eq(wg_size(whole->fit.validation_loss), 12);
    o.fit.epochs = 5;
    wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &o);
    o.fit.epochs = 12;
    o.fit.resume = true;
    wg_estimator *resumed = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &o);
    expect_ok(tape);
    const wg_tensor *P = wg_estimator_predict_proba(whole, &(wg_dataset){.sparse = A});
    wgt_assert_same_bytes(
        wg_data_f64(P),
        wg_data_f64(wg_estimator_predict_proba(resumed, &(wg_dataset){.sparse = A})),
        3 * ROWS * sizeof(double));
}
END_TEST

/* ---- Files. ---------------------------------------------------------------------------------- */

START_TEST(test_loaded_predicts_the_same_bits)
{
    wg_csr *A, *B, *C;
    const wg_table *table = wg_svmlight_read(tape, path, NULL, &A);
    wg_estimator_options o = kind(_i);
    o.class_names = table->class_names;
    ck_assert_str_eq(o.class_names[2], "2");
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = labels(table, _i)}, &o);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    wg_estimator *l = wg_estimator_load(tape, model, NULL);
    expect_ok(tape);
    int64_t k = _i == 2 ? 2 : 3;
    const wg_tensor *P = wg_estimator_predict_proba(e, &(wg_dataset){.sparse = A});
    wgt_assert_same_bytes(wg_data_f64(P),
                          wg_data_f64(wg_estimator_predict_proba(l, &(wg_dataset){.sparse = A})),
                          (size_t)(k * ROWS) * sizeof(double));
    wgt_assert_same_bytes(wg_data_i64(wg_estimator_predict(e, &(wg_dataset){.sparse = A})),
                          wg_data_i64(wg_estimator_predict(l, &(wg_dataset){.sparse = A})),
                          ROWS * sizeof(int64_t));
    /* a file without the last features, as it is, and read as wide as the model: the same rows */
    const char *few = "1 1:0.5 3:2\n0 2:-1\n1\n";
    wgt_file_put(path, few, strlen(few));
    wg_svmlight_read(tape, path, NULL, &B);
    const wg_svmlight_options wide = {.columns = l->columns};
    const wg_table *truth = wg_svmlight_read(tape, path, &wide, &C);
    ck_assert_int_eq(B->columns, 3);
    wg_tensor *narrow_logits = wg_estimator_outputs(l, &(wg_dataset){.sparse = B});
    wgt_assert_same_bytes(wg_data_f64(narrow_logits),
                          wg_data_f64(wg_estimator_outputs(l, &(wg_dataset){.sparse = C})),
                          (size_t)wg_size(narrow_logits) * sizeof(double));
    const wg_tensor *dense = wg_estimator_outputs(l, &(wg_dataset){.X = wg_csr_dense(C)});
    for (int64_t i = 0; i < wg_size(dense); i++)
        wgt_assert_close(wg_at(dense, i), wg_at(narrow_logits, i), 0, 1e-13);
    wg_tensor *y = wg_estimator_targets(l, &(wg_dataset){.table = truth});
    ck_assert_int_eq(wg_data_i64(y)[0], 1);
    wgt_assert_that(wg_estimator_score(l, &(wg_dataset){.sparse = C, .y = y}), >=, 0);
    expect_ok(tape);
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

START_TEST(test_refused)
{
    wg_csr *A;
    const wg_table *table = wg_svmlight_read(tape, path, NULL, &A);
    wg_tensor *y = wg_table_classes(table);
    static const wg_pipeline_step step = {.kind = WG_STEP_STANDARDIZE};
    const struct {
        wg_estimator_options o;
        const char *word;
    } bad[] = {
        {{.pipeline = {.steps = &step, .n_steps = 1}}, "pipeline"},
        {{.optimizer = "adam"}, "(lbfgs), not by 'adam'"},
        {{.model = "mlp", .optimizer = "sgd"}, "(lbfgs)"},
        {{.model = "mlp", .dropout = 0.5}, "dropout"},
        {{.fit.batch = 10}, "batch"},
        {{.rate = 0.1}, "rate"},
        {{.model = "logistic"}, "classes"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_mark mark = wg_tape_mark(tape);
        ck_assert_int_eq(wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &bad[i].o)->columns,
                         0);
        ck_assert_msg(wg_tape_status(tape) == WG_E_VALUE, "case %zu: %s", i, wg_tape_message(tape));
        ck_assert_msg(strstr(wg_tape_message(tape), bad[i].word) != NULL, "case %zu: %s", i,
                      wg_tape_message(tape));
        wg_tape_rewind(tape, mark);
    }
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, NULL),
                 *scaled = wg_estimator_fit(&(wg_dataset){.X = wg_csr_dense(A), .y = y}, NULL);
    expect_ok(tape);
    wg_mark mark = wg_tape_mark(tape);
    wg_csr *wide = wg_csr_new(tape, WG_F64, 1, 99, (int64_t[]){0, 1}, (int64_t[]){98},
                              (double[]){1});
    ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.sparse = wide})));
    wgt_assert_status(tape, WG_E_SHAPE, "99 columns, but");
    wg_tape_rewind(tape, mark);
    ck_assert_double_nan(wg_estimator_score(scaled, &(wg_dataset){.sparse = A, .y = y}));
    wgt_assert_status(tape, WG_E_SHAPE, "prepares its rows");
    wg_tape_rewind(tape, mark);
    const wg_svmlight_options f32 = {.f32 = true};
    wg_csr *single;
    wg_svmlight_read(tape, path, &f32, &single);
    ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.sparse = single})));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_DTYPE);
    wg_tape_rewind(tape, mark);
    wg_tensor *few = wg_full(tape, WG_I64, WG_SHAPE(3), 0);
    wg_estimator_fit(&(wg_dataset){.sparse = A, .y = few}, NULL);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_SHAPE);
    wg_tape_rewind(tape, mark);
    ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.sparse = NULL})));
    ck_assert(wg_is_inert(wg_estimator_predict(NULL, &(wg_dataset){.sparse = A})));
    wg_tape_rewind(tape, mark);
    wg_estimator_fit(&(wg_dataset){.sparse = NULL, .y = y}, NULL);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    wg_estimator_fit(&(wg_dataset){.sparse = wg_csr_none(), .y = y}, NULL);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    wg_csr *none = wg_csr_new(tape, WG_F64, 3, 0, (int64_t[]){0, 0, 0, 0}, NULL, NULL);
    wg_tensor *three = wg_constant(tape, WG_I64, WG_SHAPE(3), (int64_t[]){0, 1, 0});
    wg_estimator_fit(&(wg_dataset){.sparse = none, .y = three}, NULL);
    wgt_assert_status(tape, WG_E_SHAPE, "no columns");
    wg_tape_rewind(tape, mark);
    wg_csr *vast = wg_csr_new(tape, WG_F64, 3, INT64_MAX, (int64_t[]){0, 0, 0, 0}, NULL, NULL);
    three = wg_constant(tape, WG_I64, WG_SHAPE(3), (int64_t[]){0, 1, 0});
    wg_estimator_fit(&(wg_dataset){.sparse = vast, .y = three}, NULL);
    wgt_assert_status(tape, WG_E_SHAPE, "9223372036854775807 columns are too many");
    wg_tape_rewind(tape, mark);
    wg_fit_model plain = wg_mlp_fit_model(e->mlp, &wg_head_softmax);
    plain.takes_sparse = false;
    ck_assert_int_eq(wg_fit_minimize(&plain, &(wg_dataset){.sparse = A, .y = y}, NULL, NULL).stop,
                     WG_FIT_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "takes no sparse rows");
    wg_tape_rewind(tape, mark);
    plain.takes_sparse = true;
    ck_assert_int_eq(wg_fit(&plain, &(wg_dataset){.sparse = A, .y = y}, NULL).stop, WG_FIT_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "not by batches");
}
END_TEST

/* Every allocation of fitting and scoring fails in turn. */
START_TEST(test_memory)
{
    bool done = false;
    for (int64_t k = 1; !done; k += 2) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        wg_csr *A;
        wg_tensor *y = wg_table_classes(wg_svmlight_read(t, path, NULL, &A));
        expect_ok(t);
        m.fail_at = m.calls + k;
        const wg_estimator_options o = {.fit = {.epochs = 2, .validation = 0.2}};
        wg_estimator *e = wg_estimator_fit(&(wg_dataset){.sparse = A, .y = y}, &o);
        double score = wg_estimator_score(e, &(wg_dataset){.sparse = A, .y = y});
        done = m.failed == 0;
        ck_assert_int_eq(wg_tape_status(t), done ? WG_OK : WG_E_NOMEM);
        wgt_assert_that(isnan(score), ==, !done);
        wg_tape_free(t);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

/* One row that is full, first or last, among many of one entry. Blocks take room for their fullest; a short last
 * block of that row alone would make it that of every row. */
START_TEST(test_a_full_row_among_short_ones)
{
    enum { N = 1002, WIDE = 1000 }; /* a block would be N rows */
    static double value[N + WIDE];
    static int64_t column[N + WIDE], start[N + 2];
    static int64_t label[N + 1];
    const int64_t full = _i == 0 ? 0 : N;
    int64_t at = 0;
    for (int64_t i = 0; i <= N; i++) {
        start[i] = at;
        label[i] = i % 2;
        for (int64_t k = 0; k < (i == full ? WIDE : 1); k++, at++) {
            value[at] = 1;
            column[at] = i == full ? k : i % 7;
        }
    }
    start[N + 1] = at;
    wgt_memory m = {0};
    wg_tape *t = wgt_tape(&m);
    const wg_csr A = {.value = wg_constant(t, WG_F64, WG_SHAPE(at), value),
                      .column = wg_constant(t, WG_I64, WG_SHAPE(at), column),
                      .start = wg_constant(t, WG_I64, WG_SHAPE(N + 2), start),
                      .rows = N + 1,
                      .columns = WIDE};
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(N + 1), label);
    const size_t before = m.peak;
    wg_estimator_fit(&(wg_dataset){.sparse = &A, .y = y},
                     &(wg_estimator_options){.model = "logistic", .fit.epochs = 2});
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wgt_assert_that((double)(m.peak - before), <, 4e6);
    wg_tape_free(t);
}
END_TEST

Suite *suite_estimator_csr(void)
{
    Suite *s = suite_create("estimator_csr");
    TCase *c = tcase_create("estimator_csr");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, test_as_dense, 0, 6);
    tcase_add_test(c, test_mlp);
    tcase_add_test(c, test_validation_and_checkpoint);
    tcase_add_loop_test(c, test_loaded_predicts_the_same_bits, 0, 4);
    tcase_add_test(c, test_refused);
    tcase_add_test(c, test_memory);
    tcase_add_loop_test(c, test_a_full_row_among_short_ones, 0, 2);
    suite_add_tcase(s, c);
    return s;
}
