/* Layers, first values, descriptions, and the multilayer perceptron. */
#include "models/files/archive_internal.h"
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
#include <unistd.h>

/* ---- Layers. --------------------------------------------------------------------------------- */

START_TEST(test_linear)
{
    const double x[] = {1, 2, 3, 4}, w[] = {1, 10, 2, 20, 3, 30}, b[] = {0.5, 0, -1};
    const double want[] = {21.5, 42, 62, 43.5, 86, 128};
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(2, 2), x);
    wg_tensor *W = wgt_param(tape, "W", WG_SHAPE(3, 2), w);
    wg_tensor *B = wgt_param(tape, "b", WG_SHAPE(3), b);
    wg_tensor *y = wg_linear(X, W, B), *plain = wg_linear(X, W, NULL);
    expect_ok(tape);
    wgt_assert_all_close(wg_data_f64(y), want, 6, 0, 0);
    wgt_assert_close(wg_at(plain, 0), 21, 0, 0);
    wg_mark mark = wg_tape_mark(tape);
    wg_linear(X, B, NULL);
    expect_error(mark, WG_E_SHAPE, "linear: a weight (out, in) wanted: b (3,)");
    wg_linear(X, W, W);
    expect_error(mark, WG_E_SHAPE, "linear: a bias (out) wanted: W (3, 2)");
    wg_linear(X, W, wg_scalar(tape, WG_F64, 1));
    expect_error(mark, WG_E_SHAPE, "linear: a bias (out) wanted: constant#");
}
END_TEST

START_TEST(test_activations)
{
    wg_tensor *x = wg_param(tape, "x", WG_F64, WG_SHAPE(7));
    wg_fill_normal(x, 0, 2, 1);
    wg_tensor *want[] = {x,
                         wg_relu(x),
                         wg_leaky_relu(x, 0.01),
                         wg_elu(x, 1),
                         wg_gelu(x),
                         wg_gelu_tanh(x),
                         wg_silu(x),
                         wg_sigmoid(x),
                         wg_tanh(x),
                         wg_softplus(x),
                         wg_mish(x),
                         wg_selu(x),
                         wg_relu6(x),
                         wg_hardswish(x),
                         wg_softsign(x)};
    static const char *const names[] = {"identity",  "relu", "leaky_relu", "elu",       "gelu",
                                        "gelu_tanh", "silu", "sigmoid",    "tanh",      "softplus",
                                        "mish",      "selu", "relu6",      "hardswish", "softsign"};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        ck_assert(wg_activation_known(names[i]));
        wgt_assert_same_bytes(wg_data_f64(wg_activation(names[i], x)), wg_data_f64(want[i]),
                              7 * sizeof(double));
    }
    ck_assert(!wg_activation_known("Relu"));
    ck_assert(!wg_activation_known(NULL));
    ck_assert(wg_is_inert(wg_activation("swish", x)));
    wgt_assert_status(tape, WG_E_VALUE, "activation: there is no 'swish'");
}
END_TEST

/* Of N = 200 * 300 draws, the mean square is the variance to 6 standard deviations, which are at
 * most (2 / N)^(1/2) of it (normal draws; uniform ones vary less). A bound is kept, and nearly
 * reached. */
START_TEST(test_initialize)
{
    enum { OUT = 200, IN = 300, N = OUT * IN };
    const struct {
        const char *name;
        double variance, bound;
    } rules[] = {
        {"zeros", 0, 0},
        {"xavier_uniform", 2.0 / (IN + OUT), sqrt(6.0 / (IN + OUT))},
        {"xavier_normal", 2.0 / (IN + OUT), HUGE_VAL},
        {"he_uniform", 2.0 / IN, sqrt(6.0 / IN)},
        {"he_normal", 2.0 / IN, HUGE_VAL},
        {"torch", 1.0 / (3 * IN), 1 / sqrt(IN)},
    };
    wg_tensor *W = wg_param(tape, "W", WG_F64, WG_SHAPE(OUT, IN));
    wg_tensor *b = wg_param(tape, "b", WG_F64, WG_SHAPE(OUT));
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        ck_assert_int_eq(wg_initialize_weight(W, rules[i].name, 5), WG_OK);
        ck_assert_int_eq(wg_initialize_bias(b, rules[i].name, IN, 6), WG_OK);
        double sum = 0, square = 0, largest = 0, bias = 0;
        for (int64_t k = 0; k < N; k++) {
            double w = wg_at(W, k);
            sum += w;
            square += w * w / N;
            largest = fmax(largest, fabs(w));
            bias = k < OUT ? fmax(bias, fabs(wg_at(b, k))) : bias;
        }
        wgt_assert_close(sum / N, 0, 0, 6 * sqrt(rules[i].variance / N));
        wgt_assert_close(square, rules[i].variance, 6 * sqrt(2.0 / N), 0);
        wgt_assert_that(largest, <=, rules[i].bound);
        ck_assert(isinf(rules[i].bound) || largest >= 0.999 * rules[i].bound);
        if (strcmp(rules[i].name, "torch") == 0) {
            wgt_assert_that(bias, <=, rules[i].bound);
            wgt_assert_that(bias, >, 0.9 * rules[i].bound);
        } else
            wgt_assert_that(bias, ==, 0);
    }
}
END_TEST

START_TEST(test_initialize_errors)
{
    wg_tensor *W = wg_param(tape, "W", WG_F64, WG_SHAPE(2, 3));
    wg_tensor *b = wg_param(tape, "b", WG_F64, WG_SHAPE(2));
    wg_tensor *empty = wg_param(tape, "empty", WG_F64, WG_SHAPE(2, 0));
    wg_tensor *c = wg_zeros_like(W);
    ck_assert_int_eq(wg_initialize_weight(empty, "torch", 1), WG_OK);
    ck_assert_int_eq(wg_initialize_bias(b, "torch", 0, 1), WG_OK);
    wg_mark mark = wg_tape_mark(tape);
    wg_initialize_weight(W, "uniform", 1);
    expect_error(mark, WG_E_VALUE, "initialize: there is no 'uniform'");
    wg_initialize_weight(W, NULL, 1);
    expect_error(mark, WG_E_VALUE, "initialize: ");
    wg_initialize_weight(b, "torch", 1);
    expect_error(mark, WG_E_SHAPE, "initialize: a weight (out, in) wanted: b (2,)");
    wg_initialize_weight(c, "torch", 1);
    expect_error(mark, WG_E_VALUE, "");
    ck_assert_int_eq(wg_initialize_weight(NULL, "torch", 1), WG_E_NULL);
}
END_TEST

/* ---- The MLP. -------------------------------------------------------------------------------- */

static const int64_t sizes[] = {2, 5, 4, 3};

static wg_mlp *small(wg_mlp_options options)
{
    options.sizes = sizes;
    options.n_sizes = 4;
    options.dtype = WG_F64;
    return wg_mlp_new(tape, &options);
}

static wg_tensor *rows(int64_t n)
{
    wg_tensor *X = wg_param(tape, "X", WG_F64, WG_SHAPE(n, 2));
    wg_fill_normal(X, 0, 1, 99);
    return wg_constant(tape, WG_F64, WG_SHAPE(n, 2), wg_data_f64(X));
}

START_TEST(test_parameters)
{
    static const char *const names[] = {"fc1.weight", "fc1.bias", "norm1.weight", "norm1.bias",
                                        "fc2.weight", "fc2.bias", "norm2.weight", "norm2.bias",
                                        "fc3.weight", "fc3.bias"};
    wg_mlp *mlp = small((wg_mlp_options){.layer_norm = true});
    expect_ok(tape);
    ck_assert_int_eq(mlp->params->n, 10);
    for (int i = 0; i < 10; i++)
        ck_assert_ptr_eq(wg_params_get(mlp->params, names[i]), mlp->params->param[i]);
    ck_assert_int_eq(wg_dim(wg_params_get(mlp->params, "fc2.weight"), 0), 4);
    ck_assert_int_eq(wg_dim(wg_params_get(mlp->params, "fc2.weight"), 1), 5);
    wgt_assert_that(wg_at(wg_params_get(mlp->params, "norm2.weight"), 3), ==, 1);
    ck_assert_ptr_null(wg_params_get(mlp->params, "fc4.weight"));
    ck_assert_int_eq(mlp->options.sizes[1], 5);
    ck_assert_int_eq(mlp->options.n_sizes, 4);
    ck_assert_int_eq(small((wg_mlp_options){0})->params->n, 6);
}
END_TEST

/* The forward pass is the composition of its layers, in PyTorch's order; in training dropout is in
 * it. */
START_TEST(test_forward)
{
    wg_mlp *mlp = small((wg_mlp_options){.activation = "tanh", .layer_norm = true, .dropout = 0.5});
    wg_tensor *X = rows(6), *const *p = mlp->params->param;
    wg_tensor *h = wg_tanh(wg_layer_norm(wg_linear(X, p[0], p[1]), p[2], p[3], 1e-5));
    h = wg_tanh(wg_layer_norm(wg_linear(h, p[4], p[5]), p[6], p[7], 1e-5));
    wg_tensor *want = wg_linear(h, p[8], p[9]);
    wg_tensor *y = wg_mlp_forward(mlp, X, false), *training = wg_mlp_forward(mlp, X, true);
    expect_ok(tape);
    wgt_assert_same_bytes(wg_data_f64(y), wg_data_f64(want), 18 * sizeof(double));
    ck_assert(memcmp(wg_data_f64(training), wg_data_f64(want), 18 * sizeof(double)) != 0);
}
END_TEST

/* What is dropped follows the step, and comes back with it; the model for other rows does not
 * mind. */
START_TEST(test_dropout_steps)
{
    wg_mlp *mlp = small((wg_mlp_options){.dropout = 0.5, .seed = 3});
    wg_tensor *X = rows(8), *y = wg_mlp_forward(mlp, X, false), *z = wg_mlp_forward(mlp, X, true);
    double first[24], second[24];
    wg_read(z, first, sizeof first);
    ck_assert_int_eq(wg_mlp_set_step(mlp, 1), WG_OK);
    ck_assert(wg_is_stale(z));
    ck_assert(!wg_is_stale(y));
    wg_replay(tape);
    wg_read(z, second, sizeof second);
    ck_assert(memcmp(first, second, sizeof first) != 0);
    wg_mlp_set_step(mlp, 0);
    wg_replay(tape);
    wgt_assert_same_bytes(wg_data_f64(z), first, sizeof first);
    ck_assert_int_eq(wg_mlp_set_step(small((wg_mlp_options){0}), 1), WG_OK);
    ck_assert_int_eq(wg_mlp_set_step(NULL, 1), WG_E_NULL);
    expect_ok(tape);
}
END_TEST

/* A layer's first values depend on the seeds and its own place alone. */
START_TEST(test_seeds)
{
    const int64_t shorter[] = {2, 5, 4};
    wg_mlp *a = small((wg_mlp_options){.seed = 1}), *other = small((wg_mlp_options){.seed = 2});
    wg_mlp *b = wg_mlp_new(
        tape, &(wg_mlp_options){.sizes = shorter, .n_sizes = 3, .dtype = WG_F64, .seed = 1});
    expect_ok(tape);
    const double *w = wg_data_f64(wg_params_get(a->params, "fc2.weight"));
    wgt_assert_same_bytes(wg_data_f64(wg_params_get(b->params, "fc2.weight")), w, 20 * sizeof *w);
    ck_assert(memcmp(wg_data_f64(wg_params_get(other->params, "fc2.weight")), w, 20 * sizeof *w) !=
              0);
    ck_assert(memcmp(wg_data_f64(wg_params_get(a->params, "fc2.bias")), w, 4 * sizeof *w) != 0);
}
END_TEST

/* Every parameter's gradient, with everything that a layer can have. */
START_TEST(test_gradient)
{
    static const char *const activations[] = {"relu", "tanh", "gelu"};
    wg_mlp *mlp = small(
        (wg_mlp_options){.activation = activations[_i], .layer_norm = true, .dropout = 0.25});
    wg_tensor *y = wg_mlp_forward(mlp, rows(7), true);
    wg_check_report reports[10];
    const wg_check_verdict verdict = wg_gradcheck(y, mlp->params->param, NULL, mlp->params->n, NULL,
                                                  reports);
    expect_ok(tape);
    for (int i = 0; i < 10; i++)
        ck_assert_msg(reports[i].verdict == WG_CHECK_PASSED ||
                          reports[i].verdict == WG_CHECK_VACUOUS,
                      "%s: %s: %s", activations[_i], reports[i].name,
                      wg_check_verdict_name(reports[i].verdict));
    ck_assert_int_eq(verdict, WG_CHECK_PASSED);
}
END_TEST

/* Where a line fails (0.875), an MLP trained by hand with plain gradient descent does not. */
START_TEST(test_moons)
{
    const int64_t widths[] = {2, 32, 32, 2};
    wg_table *data = wg_csv_read(tape, "examples/data/moons_400.csv", NULL);
    wg_tensor *X = wg_standardize(wg_table_features(data)), *y = wg_table_classes(data);
    wg_mlp *mlp = wg_mlp_new(
        tape, &(wg_mlp_options){.sizes = widths, .n_sizes = 4, .dtype = WG_F64, .seed = 1});
    wg_tensor *logits = wg_mlp_forward(mlp, X, true), *loss = wg_cross_entropy(logits, y), *g[6];
    const int n = mlp->params->n;
    wg_grad(loss, mlp->params->param, n, g);
    wg_check_options ten_directions = {.seed = 1};
    ck_assert_int_eq(
        wg_gradcheck(loss, mlp->params->param, g, n,
                     &(wg_gradcheck_options){.check = ten_directions, .directions = 10}, NULL),
        WG_CHECK_PASSED);
    wg_optimizer *sgd = wg_sgd_new(mlp->params->param, n, &(wg_sgd_options){.rate = 0.5});
    for (int step = 0; step < 300; step++) {
        wg_optimizer_step(sgd, g);
        wg_replay(tape);
    }
    expect_ok(tape);
    double accuracy = wg_accuracy(wg_argmax_over(logits, 1, false), y);
    ck_assert_msg(accuracy >= 0.96, "accuracy %g, loss %g", accuracy, wg_item(loss));
}
END_TEST

START_TEST(test_restore)
{
    wg_mlp *mlp = small((wg_mlp_options){.activation = "gelu",
                                         .layer_norm = true,
                                         .dropout = 0.1,
                                         .seed = UINT64_C(0xFEDCBA9876543210)});
    wg_archive *a = wg_archive_new(tape);
    ck_assert_int_eq(wg_mlp_save(mlp, a), WG_OK);
    ck_assert_str_eq(wg_archive_string(a, "mlp.activation"), "gelu");
    ck_assert_str_eq(wg_archive_string(a, "mlp.sizes.1"), "5");
    ck_assert_int_eq(wg_archive_count(a), 10 + 11);
    wg_mlp *again = wg_mlp_load(a);
    expect_ok(tape);
    wg_tensor *X = rows(5);
    for (int training = 0; training < 2; training++) /* the same dropout, too */
        wgt_assert_same_bytes(wg_data_f64(wg_mlp_forward(again, X, training)),
                              wg_data_f64(wg_mlp_forward(mlp, X, training)), 15 * sizeof(double));
}
END_TEST

/* One file is enough to predict, on another tape. */
START_TEST(test_file)
{
    char file[WGT_PATH];
    wgt_file_new(file);
    wg_tensor *X = rows(5);
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_STANDARDIZE}};
    wg_pipeline *p = wg_pipeline_fit(X, NULL, 0,
                                     &(wg_pipeline_options){.steps = steps, .n_steps = 1});
    wg_mlp *mlp = small((wg_mlp_options){.layer_norm = true, .seed = 5});
    wg_tensor *y = wg_mlp_forward(mlp, wg_pipeline_apply(p, X, NULL), false);
    wg_archive *a = wg_archive_new(tape);
    wg_pipeline_save(p, a);
    wg_mlp_save(mlp, a);
    ck_assert_int_eq(wg_archive_save(a, file), WG_OK);
    wg_tape *t = wg_tape_new(NULL);
    wg_archive *read = wg_archive_load(t, file);
    wgt_file_remove(file);
    wg_pipeline *q = wg_pipeline_load(read);
    wg_tensor *there = wg_constant(t, WG_F64, WG_SHAPE(5, 2), wg_data_f64(X));
    wg_tensor *again = wg_mlp_forward(wg_mlp_load(read), wg_pipeline_apply(q, there, NULL), false);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wgt_assert_same_bytes(wg_data_f64(again), wg_data_f64(y), 15 * sizeof(double));
    ck_assert_int_eq(wg_archive_count(wg_archive_load(t, "/nonexistent/m.safetensors")), 0);
    wgt_assert_status(t, WG_E_IO, "/nonexistent/m.safetensors");
    ck_assert_int_eq(wg_archive_save(read, file), WG_E_IO);
    ck_assert_int_eq(wg_archive_save(NULL, file), WG_E_NULL);
    wg_tape_free(t);
}
END_TEST

/* Each text and each tensor is left out in turn, and some are made wrong. */
START_TEST(test_restore_wrong)
{
    wg_mlp *mlp = small((wg_mlp_options){.layer_norm = true});
    wg_archive *a = wg_archive_new(tape);
    wg_mlp_save(mlp, a);
    wg_mark mark = wg_tape_mark(tape);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        for (int k = 0; k < 3; k++) {
            static const char *const instead[] = {NULL, "999999999999", "x"};
            const bool seed = strncmp(e->name, "mlp.seed", 8) == 0;
            wg_tensor *x = e->string == NULL
                               ? wg_full(tape, k == 1 ? WG_F64 : WG_F32, WG_SHAPE(7, 7), 0)
                               : NULL;
            const wg_archive *wrong = wgt_archive_changed(a, e, k == 0 ? NULL : e->name,
                                                          x == NULL ? instead[k] : NULL, x);
            ck_assert_msg(wg_mlp_load(wrong)->params->n == 0, "%s, %d", e->name, k);
            expect_error(mark, WG_E_FORMAT, seed || x != NULL ? e->name : "mlp: '");
        }
    ck_assert_int_eq(wg_mlp_load(a)->params->n, 10);
    ck_assert_int_eq(wg_mlp_load(NULL)->params->n, 0);
    expect_ok(tape);
}
END_TEST

START_TEST(test_mlp_errors)
{
    const int64_t none[] = {2, 0, 1};
    const struct {
        wg_mlp_options options;
        wg_status status;
        const char *part;
    } cases[] = {
        {{.sizes = sizes, .n_sizes = 1}, WG_E_VALUE, "mlp: at least two sizes wanted"},
        {{.n_sizes = 3}, WG_E_VALUE, "mlp: at least two sizes wanted"},
        {{.sizes = none, .n_sizes = 3}, WG_E_VALUE, "mlp: size 1 is 0"},
        {{.sizes = sizes, .n_sizes = 4, .activation = "swish"}, WG_E_VALUE, "'swish'"},
        {{.sizes = sizes, .n_sizes = 4, .init = "normal"}, WG_E_VALUE, "'normal'"},
        {{.sizes = sizes, .n_sizes = 4, .dropout = 1}, WG_E_VALUE, "mlp: dropout is 1"},
        {{.sizes = sizes, .n_sizes = 4, .dropout = (double)NAN}, WG_E_VALUE, "mlp: dropout"},
        {{.sizes = sizes, .n_sizes = 4, .dtype = WG_I64}, WG_E_DTYPE, "mlp: f32 or f64"},
    };
    wg_tensor *X = rows(3);
    wg_mark mark = wg_tape_mark(tape);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_mlp *mlp = wg_mlp_new(tape, &cases[i].options);
        ck_assert_ptr_nonnull(mlp);
        ck_assert_int_eq(mlp->params->n, 0);
        expect_error(mark, cases[i].status, cases[i].part);
        ck_assert(wg_is_inert(wg_mlp_forward(mlp, X, true)));
        expect_error(mark, WG_E_NULL, "mlp: an inert model");
    }
    wg_mlp_forward(
        wg_mlp_new(tape, &(wg_mlp_options){.sizes = sizes, .n_sizes = 4, .dtype = WG_F32}), X,
        true);
    expect_error(mark, WG_E_DTYPE, "");
    ck_assert_int_eq(wg_mlp_new(NULL, &cases[0].options)->params->n, 0);
}
END_TEST

START_TEST(test_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        memory.fail_at = memory.calls + fail_at;
        const int64_t wide[] = {200, 300, 2};
        wg_mlp *mlp = wg_mlp_new(
            t, &(wg_mlp_options){.sizes = wide, .n_sizes = 3, .dtype = WG_F32, .dropout = 0.5});
        wg_archive *a = wg_archive_new(t);
        wg_mlp_save(mlp, a);
        wg_mlp *again = wg_mlp_load(a);
        if (memory.failed > 0) {
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
            ck_assert_int_eq(again->params->n, 0);
        } else
            ck_assert_int_eq(again->params->n, 4);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.failed == 0)
            break;
        ck_assert_int_lt(fail_at, 200);
    }
}
END_TEST

Suite *suite_layers(void)
{
    Suite *suite = suite_create("layers");
    TCase *layers = tcase_create("layers"), *mlp = tcase_create("mlp");
    tcase_add_checked_fixture(layers, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_checked_fixture(mlp, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(layers, test_linear);
    tcase_add_test(layers, test_activations);
    tcase_add_test(layers, test_initialize);
    tcase_add_test(layers, test_initialize_errors);
    tcase_add_test(mlp, test_parameters);
    tcase_add_test(mlp, test_forward);
    tcase_add_test(mlp, test_dropout_steps);
    tcase_add_test(mlp, test_seeds);
    tcase_add_loop_test(mlp, test_gradient, 0, 3);
    tcase_add_test(mlp, test_moons);
    tcase_add_test(mlp, test_restore);
    tcase_add_test(mlp, test_file);
    tcase_add_test(mlp, test_restore_wrong);
    tcase_add_test(mlp, test_mlp_errors);
    tcase_add_test(mlp, test_no_memory);
    suite_add_tcase(suite, layers);
    suite_add_tcase(suite, mlp);
    return suite;
}
