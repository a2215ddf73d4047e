/* The linear models and the optimizer: golden runs, conventions, errors, memory. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Golden runs: plain gradient descent from zero, rate 0.1, all rows, f64. ----------------- */

/* Losses at steps 0, every, 2 * every, ... (as printed with four digits) on the way to `steps`. */
static wg_linear_model descend(const char *file, int steps, int every, const char *const losses[])
{
    wg_table *data = wg_csv_read(tape, file, NULL);
    wg_linear_model m = wg_logistic_new(wg_table_features(data), wg_table_labels(data), NULL);
    wg_tensor *wrt[] = {m.W, m.b}, *g[2];
    wg_grad(m.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step < steps; step++) {
        char text[32];
        snprintf(text, sizeof text, "%.4f", wg_item(m.loss));
        if (losses != NULL && step % every == 0)
            ck_assert_str_eq(text, losses[step / every]);
        wg_optimizer_step(sgd, g);
        wg_replay(tape);
    }
    ck_assert_int_eq(wg_optimizer_steps(sgd), steps);
    expect_ok(tape);
    return m;
}

START_TEST(test_linear_1000)
{
    static const char *const losses[] = {"0.6931", "0.5710", "0.4932", "0.4403", "0.4019",
                                         "0.3726", "0.3495", "0.3305", "0.3147", "0.3013"};
    const wg_linear_model m = descend("examples/data/linear_1000.csv", 100, 10, losses);
    wgt_assert_close(wg_at(m.W, 0), 1.05673617, 0, 5.1e-9);
    wgt_assert_close(wg_at(m.W, 1), -1.50856125, 0, 5.1e-9);
    wgt_assert_close(wg_item(m.b), 0.32159730, 0, 5.1e-9);
}
END_TEST

START_TEST(test_toy_5)
{
    static const char *const losses[] = {"0.6931", "0.5222", "0.4892", "0.4786", "0.4744"};
    descend("examples/data/toy_5.csv", 100, 20, losses);
}
END_TEST

START_TEST(test_two_class_300)
{
    const wg_linear_model m = descend("examples/data/two_class_300.csv", 500, 500, NULL);
    wgt_assert_close(wg_at(m.W, 0), 0.34224863, 0, 5.1e-9);
    wgt_assert_close(wg_at(m.W, 1), 3.17089155, 0, 5.1e-9);
    wgt_assert_close(wg_item(m.b), -0.11621907, 0, 5.1e-9);
    wgt_assert_close(wg_linear_model_score(&m, m.X, m.y), 277.0 / 300, 0, 0);
}
END_TEST

/* ---- Models. --------------------------------------------------------------------------------- */

static const double points[] = {1, 2, -1, 0.5, 0, -3}; /* [3, 2] */
static const double targets[] = {1, 0, 1};
static const int64_t labels[] = {2, 0, 1};

static wg_tensor *points_on(wg_tape *t)
{
    return wg_constant(t, WG_F64, WG_SHAPE(3, 2), points);
}

static wg_tensor *targets_on(wg_tape *t)
{
    return wg_constant(t, WG_F64, WG_SHAPE(3, 1), targets);
}

static wg_tensor *labels_on(wg_tape *t)
{
    return wg_constant(t, WG_I64, WG_SHAPE(3), labels);
}

/* ||w||^2 / (2 n C), and w / (n C) in the gradient of w, and nothing in that of b. */
START_TEST(test_penalty)
{
    const double w[] = {3, -4}, C = 0.25;
    wg_linear_model plain = wg_logistic_new(points_on(tape), targets_on(tape), NULL);
    wg_linear_model m = wg_logistic_new(
        plain.X, plain.y, &(wg_linear_model_options){.C = C, .W = plain.W, .b = plain.b});
    wg_linear_model batch = wg_logistic_new(
        plain.X, plain.y, &(wg_linear_model_options){.C = C, .n = 30, .W = plain.W, .b = plain.b});
    ck_assert_ptr_eq(m.W, plain.W);
    ck_assert_ptr_null(plain.penalty);
    wg_tensor *wrt[] = {plain.W, plain.b}, *g[2], *g_plain[2];
    wg_grad(m.loss, wrt, 2, g);
    wg_grad(plain.loss, wrt, 2, g_plain);
    wg_write(plain.W, w, sizeof w);
    wg_replay(tape);
    expect_ok(tape);
    wgt_assert_close(wg_item(m.penalty), 25 / (2 * 3 * C), 3e-16, 0);
    wgt_assert_close(wg_item(batch.penalty), 25 / (2 * 30 * C), 3e-16, 0);
    wgt_assert_close(wg_item(m.loss), wg_item(plain.loss) + 25 / (6 * C), 3e-16, 0);
    for (int i = 0; i < 2; i++)
        wgt_assert_close(wg_at(g[0], i), wg_at(g_plain[0], i) + w[i] / (3 * C), 5e-16, 0);
    wgt_assert_same_bits(wg_item(g[1]), wg_item(g_plain[1]));
    wg_linear_model infinite = wg_logistic_new(plain.X, plain.y,
                                               &(wg_linear_model_options){.C = HUGE_VAL});
    ck_assert_ptr_null(infinite.penalty);
}
END_TEST

START_TEST(test_softmax_penalty)
{
    wg_linear_model m = wg_softmax_regression_new(points_on(tape), labels_on(tape), 3,
                                                  &(wg_linear_model_options){.C = 2});
    wg_tensor *wrt[] = {m.W, m.b}, *g[2];
    wg_grad(m.penalty, wrt, 2, g);
    wg_fill_uniform(m.W, 1, 1, 0);
    wg_replay(tape);
    wgt_assert_close(wg_item(m.penalty), 6.0 / 12, 3e-16, 0);
    wgt_assert_close(wg_at(g[0], 5), 1.0 / 6, 3e-16, 0);
    wgt_assert_same_bits(wg_at(g[1], 0), 0);
}
END_TEST

START_TEST(test_logistic_predict)
{
    const double w[] = {1, 1}, b = 1;
    wg_linear_model m = wg_logistic_new(points_on(tape), targets_on(tape), NULL);
    wg_write(m.W, w, sizeof w);
    wg_write(m.b, &b, sizeof b);
    wg_replay(tape);
    /* logits 4, 0.5, -2: the classes are 1, 1, 0, and the first alone is right */
    const double other[] = {0, -1, 0, (double)NAN, -5, 0};
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(3, 2), other);
    wgt_assert_close(wg_linear_model_score(&m, m.X, m.y), 1.0 / 3, 0, 0);
    wg_tensor *p = wg_head_probabilities(m.head, wg_linear_model_logits(&m, X)),
              *y = wg_linear_model_predict(&m, X);
    wgt_assert_close(wg_at(p, 1), 0.5, 0, 0);
    wgt_assert_close(wg_at(p, 5), 1 / (1 + exp(4)), 3e-16, 0);
    wgt_assert_close(wg_at(p, 4), 1 / (1 + exp(-4)), 3e-16, 0);
    wgt_assert_close(wg_at(y, 0), 0, 0, 0); /* a logit of 0 is class 0 */
    ck_assert_double_nan(wg_at(p, 3));
    wgt_assert_that(wg_at(y, 1), ==, -1); /* a row with NaN has no class */
    const int64_t size = wg_tape_size(tape);
    wg_linear_model_score(&m, m.X, m.y);
    ck_assert_int_eq(wg_tape_size(tape), size);
}
END_TEST

START_TEST(test_softmax_predict)
{
    wg_linear_model m = wg_softmax_regression_new(points_on(tape), labels_on(tape), 3, NULL);
    wgt_assert_close(wg_item(m.loss), log(3), 3e-16, 0);
    /* all logits are 0: the first class is predicted, which one row of three has */
    wgt_assert_close(wg_linear_model_score(&m, m.X, m.y), 1.0 / 3, 0, 0);
    const double b[] = {0, 1, 0};
    wg_write(m.b, b, sizeof b);
    wg_tensor *p = wg_head_probabilities(m.head, wg_linear_model_logits(&m, m.X));
    wgt_assert_close(wg_at(p, 1), exp(1) / (2 + exp(1)), 3e-16, 0);
    const wg_tensor *y = wg_linear_model_predict(&m, m.X);
    ck_assert_int_eq(wg_dtype_of(y), WG_I64);
    wgt_assert_that(wg_at(y, 0), ==, 1);
    wgt_assert_that(wg_at(y, 2), ==, 1);
    expect_ok(tape);
}
END_TEST

START_TEST(test_model_errors)
{
    wg_tensor *X = points_on(tape), *y = targets_on(tape), *c = labels_on(tape);
    wg_tensor *flat = wg_reshape(y, WG_SHAPE(3)), *f32 = wg_cast(y, WG_F32);
    expect_error_of(wg_logistic_new(X, flat, NULL), WG_E_SHAPE, "(3,)");
    expect_error_of(wg_logistic_new(X, f32, NULL), WG_E_DTYPE, "f32");
    expect_error_of(wg_logistic_new(X, NULL, NULL), WG_E_NULL, "");
    expect_error_of(wg_logistic_new(flat, y, NULL), WG_E_SHAPE, "");
    expect_error_of(wg_logistic_new(X, y, &(wg_linear_model_options){.C = -1}), WG_E_VALUE,
                    "C = -1");
    expect_error_of(wg_logistic_new(X, y, &(wg_linear_model_options){.C = (double)NAN}), WG_E_VALUE,
                    "C");
    expect_error_of(wg_logistic_new(X, y, &(wg_linear_model_options){.C = 1, .n = -1}), WG_E_VALUE,
                    "n = -1");
    expect_error_of(wg_softmax_regression_new(X, c, 2, NULL), WG_E_INDEX, "");
    expect_error_of(wg_softmax_regression_new(X, c, -1, NULL), WG_E_VALUE, "k = -1");
    wg_linear_model m = wg_logistic_new(X, y, NULL);
    expect_error_of(wg_linear_model_predict(&m, flat), WG_E_SHAPE, "");
    expect_error_of(wg_linear_model_score(&m, X, flat), WG_E_DTYPE, "accuracy: ");
    expect_error_of(wg_accuracy(c, y), WG_E_SHAPE, "accuracy: ");
    expect_error_of(wg_accuracy(f32, y), WG_E_DTYPE, "f32");
    expect_error_of(wg_accuracy(y, NULL), WG_E_NULL, "");
    ck_assert_double_nan(wg_accuracy(NULL, NULL));
    ck_assert_double_nan(wg_item(wg_logistic_new(NULL, NULL, NULL).loss));
    wg_tensor *before = wg_linear_model_predict(&m, X);
    wg_fill_uniform(m.W, 1, 1, 0);
    expect_error_of(wg_accuracy(before, y), WG_E_STALE, "accuracy: ");
}
END_TEST

/* ---- The optimizer. -------------------------------------------------------------------------- */

START_TEST(test_sgd_step)
{
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SHAPE(2));
    wg_tensor *q = wg_param(tape, "q", WG_F32, WG_SCALAR);
    const double gp[] = {1, -2};
    const float gq = 0.1f;
    wg_tensor *g[] = {wg_constant(tape, WG_F64, WG_SHAPE(2), gp),
                      wg_constant(tape, WG_F32, WG_SCALAR, &gq)};
    wg_optimizer *sgd = wg_sgd_new((wg_tensor *[]){p, q}, 2, NULL);
    wgt_assert_close(wg_optimizer_rate(sgd), 0.01, 0, 0);
    ck_assert_int_eq(wg_optimizer_set_rate(sgd, 0.5), WG_OK);
    ck_assert_int_eq(wg_optimizer_step(sgd, g), WG_OK);
    wgt_assert_that(wg_at(p, 0), ==, -0.5);
    wgt_assert_that(wg_at(p, 1), ==, 1);
    wgt_assert_ulps_f32(wg_data_f32(q)[0], -0.05f, 0);
    ck_assert_int_eq(wg_optimizer_steps(sgd), 1);
}
END_TEST

/* Without a list, the gradients that wg_backward left are taken; a parameter without any stays. */
START_TEST(test_step_after_backward)
{
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SCALAR);
    wg_tensor *loss = wg_square(wg_shift(p, -3));
    wg_backward(loss);
    wg_tensor *late = wg_param(tape, "late", WG_F64, WG_SCALAR);
    wg_optimizer *sgd = wg_sgd_new((wg_tensor *[]){p, late}, 2, &(wg_sgd_options){.rate = 0.25});
    ck_assert_int_eq(wg_optimizer_step(sgd, NULL), WG_OK);
    wgt_assert_close(wg_item(p), 1.5, 0, 0);
    wgt_assert_close(wg_item(late), 0, 0, 0);
    wg_optimizer *none = wg_sgd_new(&late, 1, NULL);
    ck_assert_int_eq(wg_optimizer_step(none, NULL), WG_E_VALUE);
    ck_assert(wgt_contains(wg_tape_message(tape), "sgd: no parameter has a gradient"));
    ck_assert_int_eq(wg_optimizer_steps(none), 0);
}
END_TEST

START_TEST(test_optimizer_errors)
{
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SHAPE(2)), *twice = wg_scale(p, 2), *g;
    wg_grad(wg_sum(wg_square(p)), &p, 1, &g);
    expect_error_of(wg_sgd_new(&twice, 1, NULL), WG_E_VALUE, "sgd: tensor 0 is no parameter");
    expect_error_of(wg_sgd_new((wg_tensor *[]){p, NULL}, 2, NULL), WG_E_NULL, "sgd: parameter 1");
    expect_error_of(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = -1}), WG_E_VALUE, "rate is -1");
    expect_error_of(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = (double)NAN}), WG_E_VALUE, "rate");
    wg_optimizer *sgd = wg_sgd_new(&p, 1, NULL);
    wg_tensor *wrong = wg_full(tape, WG_F64, WG_SHAPE(1, 2), 1), *none = NULL;
    wg_tensor *f32 = wg_full(tape, WG_F32, WG_SHAPE(2), 1);
    expect_error_of(wg_optimizer_step(sgd, &wrong), WG_E_SHAPE, "parameter p (2,) with gradient");
    expect_error_of(wg_optimizer_step(sgd, &f32), WG_E_DTYPE, "parameter p");
    expect_error_of(wg_optimizer_step(sgd, &none), WG_E_NULL, "gradient 0");
    expect_error_of(wg_optimizer_set_rate(sgd, HUGE_VAL), WG_E_VALUE, "rate of inf");
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_that(wg_optimizer_steps(sgd), ==, 0);
    ck_assert_int_eq(wg_optimizer_step(sgd, &g), WG_OK);
    expect_error_of(wg_optimizer_step(sgd, &g), WG_E_STALE, "replay first");
    ck_assert_int_eq(wg_optimizer_steps(sgd), 1);
    wg_tape *other = wg_tape_new(NULL);
    wg_tensor *q = wg_param(other, "q", WG_F64, WG_SHAPE(2));
    expect_error_of(wg_sgd_new((wg_tensor *[]){p, q}, 2, NULL), WG_E_TAPE, "two tapes");
    wg_tape_free(other);
    wg_optimizer *inert = wg_sgd_new(NULL, 0, NULL);
    ck_assert_ptr_nonnull(inert);
    ck_assert_int_eq(wg_optimizer_step(inert, NULL), WG_E_NULL);
    ck_assert_double_nan(wg_optimizer_rate(inert));
    ck_assert_double_nan(wg_optimizer_rate(NULL));
    ck_assert_int_eq(wg_optimizer_set_rate(NULL, 1), WG_E_NULL);
}
END_TEST

/* A step that is refused writes no parameter, also not those before the bad gradient. */
START_TEST(test_step_writes_all_or_none)
{
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SCALAR),
              *q = wg_param(tape, "q", WG_F64, WG_SCALAR);
    wg_tensor *g[] = {wg_scalar(tape, WG_F64, 1), wg_full(tape, WG_F64, WG_SHAPE(3), 1)};
    wg_optimizer *sgd = wg_sgd_new((wg_tensor *[]){p, q}, 2, NULL);
    expect_error_of(wg_optimizer_step(sgd, g), WG_E_SHAPE, "parameter q");
    wgt_assert_same_bits(wg_item(p), 0);
}
END_TEST

/* ---- Memory. --------------------------------------------------------------------------------- */

static wg_tensor *bias_loss(wg_tensor *const batch[], void *b)
{
    return wg_add(wg_mean(wg_square(b)), wg_mean(batch[0]));
}

/* Everything that a training program does; the loss after three steps. */
static double small_training(wg_tape *t)
{
    wg_tensor *sources[] = {wg_standardize(points_on(t)), targets_on(t)};
    wg_batches *batches = wg_batches_new(sources, 2, &(wg_batches_options){.size = 3});
    wg_linear_model m = wg_logistic_new(wg_batches_input(batches, 0), wg_batches_input(batches, 1),
                                        &(wg_linear_model_options){.C = 1});
    wg_tensor *wrt[] = {m.W, m.b}, *g[2];
    wg_grad(m.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, &(wg_sgd_options){.rate = 0.1});
    for (int step = 0; step < 3; step++) {
        wg_batches_start(batches, step);
        wg_batches_next(batches);
        wg_replay(t);
        wg_optimizer_step(sgd, g);
    }
    wg_batches *compiled = wg_batches_new(
        sources, 1,
        &(wg_batches_options){
            .size = 3, .loss = bias_loss, .params = &m.b, .n_params = 1, .user = m.b});
    wg_batches_start(compiled, 0);
    wg_batches_next(compiled);
    wg_replay(t);
    return wg_item(m.loss) + 0 * wg_linear_model_score(&m, sources[0], sources[1]);
}

/* Whatever call for memory fails, once or from then on: NaN and WG_E_NOMEM, nothing leaked, and
 * after a rewind the same result as ever. */
START_TEST(test_no_memory)
{
    wg_tape *plenty = wg_tape_new(NULL);
    const double want = small_training(plenty);
    wgt_assert_that(wg_tape_status(plenty), ==, WG_OK);
    wgt_assert_that(want, >, 0.1);
    wgt_assert_that(want, <, 0.7);
    wg_tape_free(plenty);
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        const wg_mark mark = wg_tape_mark(t);
        memory.fail_at = memory.calls + fail_at;
        memory.from_then = _i == 1;
        double got = small_training(t);
        const bool failed = memory.failed > 0;
        if (failed) {
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
            ck_assert_double_nan(got);
            memory.fail_at = 0;
            wg_tape_rewind(t, mark);
            got = small_training(t);
        }
        wgt_assert_same_bits(got, want);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed)
            break;
    }
}
END_TEST

/* A step of training asks for no memory at all. */
START_TEST(test_step_allocates_nothing)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *sources[] = {points_on(t), labels_on(t)};
    wg_batches *batches = wg_batches_new(sources, 2, &(wg_batches_options){.size = 2});
    wg_linear_model m = wg_softmax_regression_new(wg_batches_input(batches, 0),
                                                  wg_batches_input(batches, 1), 3, NULL);
    wg_tensor *wrt[] = {m.W, m.b}, *g[2];
    wg_grad(m.loss, wrt, 2, g);
    wg_optimizer *sgd = wg_sgd_new(wrt, 2, NULL);
    wg_batches *compiled = wg_batches_new(
        sources, 2,
        &(wg_batches_options){
            .size = 2, .loss = bias_loss, .params = &m.b, .n_params = 1, .user = m.b});
    wg_optimizer *second = wg_sgd_new(&m.b, 1, NULL);
    const int64_t calls = memory.calls;
    for (int epoch = 0; epoch < 3; epoch++) {
        for (wg_batches_start(batches, epoch); wg_batches_next(batches) > 0;) {
            wg_replay(t);
            wg_optimizer_step(sgd, g);
        }
        for (wg_batches_start(compiled, epoch); wg_batches_next(compiled) > 0;)
            wg_optimizer_step(second, wg_batches_grads(compiled));
    }
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_int_eq(memory.calls, calls);
    wg_tape_free(t);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, wgt_tape_setup, wgt_tape_teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *suite_training(void)
{
    Suite *suite = suite_create("training");
    TCase *golden = new_case(suite, "golden"), *models = new_case(suite, "models");
    TCase *optimizer = new_case(suite, "optimizer");
    TCase *memory = new_case(suite, "memory");
    tcase_add_test(golden, test_linear_1000);
    tcase_add_test(golden, test_toy_5);
    tcase_add_test(golden, test_two_class_300);
    tcase_add_test(models, test_penalty);
    tcase_add_test(models, test_softmax_penalty);
    tcase_add_test(models, test_logistic_predict);
    tcase_add_test(models, test_softmax_predict);
    tcase_add_test(models, test_model_errors);
    tcase_add_test(optimizer, test_sgd_step);
    tcase_add_test(optimizer, test_step_after_backward);
    tcase_add_test(optimizer, test_optimizer_errors);
    tcase_add_test(optimizer, test_step_writes_all_or_none);
    tcase_add_loop_test(memory, test_no_memory, 0, 2);
    tcase_add_test(memory, test_step_allocates_nothing);
    return suite;
}
