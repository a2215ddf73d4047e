/* The training loop: what it computes, stops by and keeps; errors. Checkpoints:
 * test_fit_checkpoint.c. */
#include "models/wengert.h"
#include "tests/models/fit_iris.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- What it computes. ----------------------------------------------------------------------- */

typedef struct means {
    double loss, accuracy;
} means;

/* 150 rows in batches of 64, 64 and 22: as a loop by hand, replayed, with the same batches and
 * optimizer. */
static means by_hand(const problem *p, int epochs)
{
    wg_batches *b = wg_batches_new((wg_tensor *[]){p->X, p->y}, 2,
                                   &(wg_batches_options){.size = 64, .seed = 3});
    wg_tensor *loss[2], *right[2], *g[2][PARAMS], *outputs[PARAMS + 2];
    for (int k = 0; k < 2; k++) {
        wg_tensor *X = k == 0 ? wg_batches_input(b, 0) : wg_batches_short_input(b, 0);
        wg_tensor *y = k == 0 ? wg_batches_input(b, 1) : wg_batches_short_input(b, 1);
        wg_tensor *Z = wg_mlp_forward(p->mlp, X, true);
        loss[k] = wg_cross_entropy(Z, y);
        right[k] = wg_sum(wg_cast(wg_equal(wg_argmax_over(Z, 1, false), y), WG_F64));
        wg_grad(loss[k], p->model.params, PARAMS, g[k]);
    }
    wg_optimizer *adam = wg_adam_new(p->model.params, PARAMS, NULL);
    means last = {0, 0};
    for (int epoch = 1; epoch <= epochs; epoch++) {
        int64_t rows;
        last.loss = last.accuracy = 0;
        for (wg_batches_start(b, epoch); (rows = wg_batches_next(b)) > 0;) {
            int k = rows == 64 ? 0 : 1;
            ck_assert(rows == 64 || rows == 22);
            wg_mlp_set_step(p->mlp, wg_optimizer_steps(adam));
            outputs[0] = loss[k];
            memcpy(outputs + 1, g[k], sizeof g[k]);
            outputs[PARAMS + 1] = right[k];
            wg_replay_to(outputs, PARAMS + 2);
            last.loss += wg_item(loss[k]) * (double)rows;
            last.accuracy += wg_item(right[k]);
            wg_optimizer_step(adam, g[k]);
        }
    }
    return (means){last.loss / 150, last.accuracy / 150};
}

START_TEST(test_as_by_hand_with_a_short_batch)
{
    static float one[MOST], two[MOST];
    problem p = iris(tape, 0.25);
    int64_t size = wg_tape_size(tape);
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y},
                             &(wg_fit_options){.epochs = 4, .batch = 64, .seed = 3});
    expect_ok(tape);
    ck_assert_int_eq(r.stop, WG_FIT_EPOCHS);
    ck_assert_str_eq(wg_fit_stop_name(r.stop), "epochs");
    ck_assert_str_eq(wg_fit_stop_name(WG_FIT_ERROR), "error");
    ck_assert_int_eq(r.epochs, 4);
    ck_assert_int_eq(wg_size(r.loss), 4);
    ck_assert_ptr_null(r.validation_loss);
    ck_assert_int_eq(wg_tape_size(tape), size + 4); /* the history */
    for (int i = 0; i < 4; i++)
        wgt_assert_that(wg_at(r.rate, i), ==, 1e-3); /* Adam's */
    int n = weights(&p, one);

    wg_tape *other = wg_tape_new(NULL);
    problem q = iris(other, 0.25);
    means last = by_hand(&q, 4);
    ck_assert_int_eq(weights(&q, two), n);
    ck_assert_mem_eq(one, two, (size_t)n * sizeof *one);
    wgt_assert_that(last.loss, ==, wg_at(r.loss, 3));
    wgt_assert_that(last.accuracy, >, 0);
    wgt_assert_that(last.accuracy, <, 1);
    ck_assert_double_eq(last.accuracy, wg_at(r.accuracy, 3));
    wg_tape_free(other);
}
END_TEST

START_TEST(test_learns)
{
    problem p = iris(tape, 0);
    wg_optimizer *adam = wg_adam_new(p.model.params, PARAMS, &(wg_adam_options){.rate = 0.02});
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y},
                             &(wg_fit_options){.epochs = 60, .optimizer = adam, .validation = 0.2});
    expect_ok(tape);
    wgt_assert_that(wg_at(r.loss, 59), <, 0.1);
    wgt_assert_that(wg_at(r.accuracy, 59), >, 0.95);
    wgt_assert_that(wg_at(r.validation_score, 59), >, 0.9);
    ck_assert_int_eq(wg_optimizer_steps(adam), 60 * 4); /* 120 rows, 32 at a time */
}
END_TEST

/* ---- Early stopping. ------------------------------------------------------------------------- */

START_TEST(test_best_weights_are_restored)
{
    static float after[MOST];
    problem p = iris(tape, 0);
    watch w = {.p = &p};
    wg_optimizer *sgd = wg_sgd_new(p.model.params, PARAMS, &(wg_sgd_options){.rate = 1.5});
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y},
                             &(wg_fit_options){.epochs = 500,
                                               .optimizer = sgd,
                                               .validation = 0.3,
                                               .patience = 5,
                                               .on_epoch = watching,
                                               .on_epoch_user = &w});
    expect_ok(tape);
    ck_assert_int_eq(r.stop, WG_FIT_PATIENCE);
    ck_assert_int_eq(r.epochs, r.best_epoch + 5);
    ck_assert_int_eq(r.best_epoch, w.best_epoch);
    wgt_assert_that(wg_at(r.validation_loss, r.best_epoch - 1), ==, r.best_loss);
    for (int64_t i = 0; i < r.epochs; i++)
        wgt_assert_that(wg_at(r.validation_loss, i), >=, r.best_loss);
    int n = weights(&p, after);
    ck_assert_mem_eq(after, w.best, (size_t)n * sizeof *after);
}
END_TEST

START_TEST(test_callback_stops)
{
    problem p = iris(tape, 0);
    watch w = {.p = &p, .stop_at = 3};
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y},
                             &(wg_fit_options){.on_epoch = watching, .on_epoch_user = &w});
    ck_assert_int_eq(r.stop, WG_FIT_CALLBACK);
    ck_assert_int_eq(r.epochs, 3);
    ck_assert_int_eq(wg_size(r.loss), 3);
}
END_TEST

/* ---- Weights of rows. ------------------------------------------------------------------------ */

/* Softmax regression on one batch of all rows, no step: rate 0. */
static double first_loss(const wg_fit_options *given)
{
    problem p = iris(tape, 0);
    wg_fit_options o = *given;
    o.optimizer = wg_sgd_new(p.model.params, PARAMS, &(wg_sgd_options){.rate = 1e-300});
    o.epochs = 1;
    o.batch = 150;
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o);
    return r.loss != NULL ? wg_at(r.loss, 0) : (double)NAN;
}

START_TEST(test_weights)
{
    double plain = first_loss(&(wg_fit_options){.epochs = 1});
    ck_assert_double_finite(plain);
    /* iris has 50 rows of each class: balanced weights are all 1, and so are equal ones */
    wgt_assert_close(first_loss(&(wg_fit_options){.balanced = true}), plain, 0, 1e-6);
    wgt_assert_close(first_loss(&(wg_fit_options){.class_weights = (double[]){4, 4, 4}}), plain, 0,
                     1e-6);
    /* one class at a time: the mean of the three is the plain mean */
    double sum = 0;
    for (int c = 0; c < 3; c++) {
        double only[3] = {0, 0, 0};
        only[c] = 1;
        double one = first_loss(&(wg_fit_options){.class_weights = only});
        wgt_assert_that(fabs(one - plain), >, 1e-3);
        sum += one;
    }
    wgt_assert_close(sum / 3, plain, 0, 1e-6);
    double values[150] = {0};
    for (int i = 0; i < 50; i++)
        values[i] = 3;
    wg_tensor *w = wg_constant(tape, WG_F64, WG_SHAPE(150), values);
    wgt_assert_close(first_loss(&(wg_fit_options){.sample_weights = w}),
                     first_loss(&(wg_fit_options){.class_weights = (double[]){1, 0, 0}}), 0, 0);
    expect_ok(tape);
}
END_TEST

/* Nobody asks for the best parameters: none are kept. */
START_TEST(test_no_copies_without_patience)
{
    int64_t peak[2];
    for (int k = 0; k < 2; k++) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        const int64_t wide = 1 << 17;
        wg_mlp *mlp = wg_mlp_new(
            t, &(wg_mlp_options){.sizes = (int64_t[]){wide, 3}, .n_sizes = 2, .init = "zeros"});
        wg_fit_model model = wg_mlp_fit_model(mlp, &wg_head_softmax);
        wg_dataset data = {.X = wg_full(t, WG_F64, WG_SHAPE(3, wide), 0),
                           .y = wg_constant(t, WG_I64, WG_SHAPE(3), (int64_t[]){0, 1, 2})};
        wg_optimizer *sgd = wg_sgd_new(model.params, 2, NULL);
        const wg_fit_options o = {.epochs = 2, .patience = k, .optimizer = sgd};
        wg_fit(&model, &data, &o);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        peak[k] = (int64_t)m.peak;
        wg_tape_free(t);
    }
    /* With a tiny arena 2,098,042: the peak without copies is then at another moment. */
    wgt_assert_that(peak[1] - peak[0], >=, (WGT_ARENA_TINY ? 2 : 3) * (1 << 17) * 8);
}
END_TEST

/* ---- Stopped, and checked while it runs. ----------------------------------------------------- */

static volatile sig_atomic_t stop;

static bool stop_at_three(const wg_fit_epoch *e, void *user)
{
    (void)user;
    stop = e->epoch == 3;
    return true;
}

/* An epoch that the stop cuts short is the last; the parameters are those of the best one. */
START_TEST(test_stop)
{
    problem p = iris(tape, 0);
    const wg_dataset data = {.X = p.X, .y = p.y};
    stop = 0;
    wg_fit_options o = {.epochs = 9, .batch = 50, .on_epoch = stop_at_three, .stop = &stop};
    wg_fit_result r = wg_fit(&p.model, &data, &o);
    expect_ok(tape);
    ck_assert_int_eq(r.stop, WG_FIT_STOPPED);
    ck_assert_int_eq(r.epochs, 3);
    stop = 1;
    o.on_epoch = NULL;
    r = wg_fit(&p.model, &data, &o);
    ck_assert_int_eq(r.stop, WG_FIT_STOPPED);
    ck_assert_int_eq(r.epochs, 1); /* of one batch */
    r = wg_fit_minimize(&p.model, &data, &(wg_fit_options){.stop = &stop}, NULL);
    ck_assert_int_eq(r.epochs, 1);
    ck_assert_int_eq(r.stop, WG_FIT_STOPPED);
    expect_ok(tape);
}
END_TEST

/* At the optimum of a convex loss all norms are small, and the first are those of zero weights. */
START_TEST(test_gradient_norms)
{
    problem p = iris(tape, 0);
    wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y},
                             &(wg_fit_options){.epochs = 2, .batch = 150});
    wg_tensor *g[PARAMS];
    ck_assert_int_eq(wg_dim(r.gradient_norm, 0), 2);
    ck_assert_int_eq(wg_dim(r.gradient_norm, 1), PARAMS);
    problem fresh = iris(tape, 0);
    wg_grad(wg_cross_entropy(wg_mlp_forward(fresh.mlp, fresh.X, true), fresh.y), fresh.model.params,
            PARAMS, g);
    for (int i = 0; i < PARAMS; i++)
        wgt_assert_that(fabs(wg_at(r.gradient_norm, i) - sqrt(wg_item(wg_sum(wg_square(g[i]))))), <,
                        1e-6);
    r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &(wg_fit_options){.l2 = 0.1},
                        NULL);
    for (int i = 0; i < PARAMS; i++)
        wgt_assert_that(wg_at(r.gradient_norm, (r.epochs - 1) * PARAMS + i), <, 1e-3);
    expect_ok(tape);
}
END_TEST

static wg_tensor *wrong_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wg_mul(dy, y);
}

static void half_square_f32(int64_t n, void *y, const void *const x[], const int64_t stride[],
                            const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++) {
        float a = ((const float *)x[0])[i * stride[0]];
        ((float *)y)[i] = a * a / 2;
    }
}

static void half_square_f64(int64_t n, void *y, const void *const x[], const int64_t stride[],
                            const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++) {
        double a = ((const double *)x[0])[i * stride[0]];
        ((double *)y)[i] = a * a / 2;
    }
}

static const wg_op half_square = {.name = "half_square",
                                  .formula = "y = x^2 / 2",
                                  .arity = 1,
                                  .flags = WG_OP_ELEMENTWISE,
                                  .shape = wg_elementwise_shape,
                                  .forward = wg_elementwise_forward,
                                  .vjp = wrong_vjp,
                                  .part = wg_elementwise_part,
                                  .chunks = wg_size,
                                  .map = {[WG_F32] = half_square_f32, [WG_F64] = half_square_f64}};

static wg_tensor *wrong_outputs(void *user, const wg_dataset *rows, bool training)
{
    wg_tensor *Z = wg_mlp_forward(user, rows->X, training);
    return wg_apply(&half_square, &Z, 1, NULL);
}

START_TEST(test_check_every)
{
    problem p = iris(tape, 0.25);
    const wg_dataset data = {.X = p.X, .y = p.y};
    wg_fit_result r = wg_fit(&p.model, &data, &(wg_fit_options){.epochs = 3, .check_every = 2});
    expect_ok(tape);
    ck_assert_ptr_nonnull(r.first_check);
    ck_assert_ptr_nonnull(r.last_check);
    ck_assert_str_eq(r.last_check[0].name, "fc1.weight");
    for (int i = 0; i < PARAMS; i++) {
        ck_assert_int_eq(r.first_check[i].verdict, WG_CHECK_PASSED);
        ck_assert_int_eq(r.last_check[i].verdict, WG_CHECK_PASSED);
    }
    ck_assert(r.first_check[0].value != r.last_check[0].value);
    ck_assert_ptr_null(wg_fit(&p.model, &data, &(wg_fit_options){.epochs = 1}).first_check);
    problem plain = iris(tape, 0);
    plain.model.outputs = wrong_outputs;
    plain.model.user = plain.mlp;
    r = wg_fit(&plain.model, &data, &(wg_fit_options){.epochs = 3, .check_every = 2});
    ck_assert_int_eq(r.stop, WG_FIT_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "the gradient of fc1.weight is wrong after epoch 0: ");
    wgt_assert_status(tape, WG_E_VALUE, "half_square");
    ck_assert_ptr_null(strstr(wg_tape_message(tape), "other bits")); /* its rule, not its kernel */
}
END_TEST

START_TEST(test_errors)
{
    problem p = iris(tape, 0);
    wg_tensor *bad = wg_full(tape, WG_I64, WG_SHAPE(150), 3);
    wg_tensor *short_y = wg_full(tape, WG_I64, WG_SHAPE(149), 0);
    wg_tensor *negative = wg_full(tape, WG_F64, WG_SHAPE(150), -1);
    wg_tensor *huge = wg_scale(p.X, 1e30);
    struct {
        wg_tensor *X, *y;
        wg_fit_options o;
        wg_status status;
    } cases[] = {
        {p.X, bad, {.epochs = 1}, WG_E_INDEX},
        {p.X, short_y, {.epochs = 1}, WG_E_SHAPE},
        {p.X, p.X, {.epochs = 1}, WG_E_DTYPE},
        {p.X, p.y, {.epochs = -1}, WG_E_VALUE},
        {p.X, p.y, {.batch = -1}, WG_E_VALUE},
        {p.X, p.y, {.l2 = -1}, WG_E_VALUE},
        {p.X, p.y, {.l2 = 0.1, .l1_ratio = 0.5}, WG_E_VALUE},
        {p.X, p.y, {.validation = 1}, WG_E_VALUE},
        {p.X, p.y, {.patience = -1}, WG_E_VALUE},
        {p.X, p.y, {.patience = 2, .min_delta = (double)INFINITY}, WG_E_VALUE},
        {p.X, p.y, {.check_every = -1}, WG_E_VALUE},
        {p.X, p.y, {.resume = true}, WG_E_VALUE},
        {p.X, p.y, {.sample_weights = negative}, WG_E_VALUE},
        {p.X, p.y, {.sample_weights = p.X}, WG_E_SHAPE},
        {p.X, p.y, {.class_weights = (double[]){0, 0, 0}}, WG_E_VALUE},
        {wg_mul(huge, huge), p.y, {.epochs = 1}, WG_E_NOT_FINITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_mark mark = wg_tape_mark(tape);
        expect_ok(tape);
        wg_fit_result r = wg_fit(&p.model, &(wg_dataset){.X = cases[i].X, .y = cases[i].y},
                                 &cases[i].o);
        ck_assert_int_eq(r.stop, WG_FIT_ERROR);
        ck_assert_ptr_null(r.loss);
        ck_assert_msg(wg_tape_status(tape) == cases[i].status, "case %zu: %s", i,
                      wg_tape_message(tape));
        wg_tape_rewind(tape, mark);
    }
    ck_assert_int_eq(wg_fit(NULL, &(wg_dataset){.X = p.X, .y = p.y}, NULL).stop, WG_FIT_ERROR);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
}
END_TEST

/* Every allocation fails in turn: an error, nothing leaked, and no history. */
START_TEST(test_memory)
{
    char file[WGT_PATH];
    wgt_file_new(file);
    bool done = false;
    for (int64_t k = 1; !done; k += 3) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        problem p = iris(t, 0.3);
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        m.fail_at = m.calls + k;
        wg_fit_result r = wg_fit(
            &p.model, &(wg_dataset){.X = p.X, .y = p.y},
            &(wg_fit_options){
                .epochs = 2, .batch = 64, .validation = 0.2, .balanced = true, .checkpoint = file});
        done = m.failed == 0;
        ck_assert_int_eq(r.stop, done ? WG_FIT_EPOCHS : WG_FIT_ERROR);
        ck_assert_int_eq(wg_tape_status(t), done ? WG_OK : WG_E_NOMEM);
        wg_tape_free(t);
        ck_assert_int_eq(m.blocks, 0);
    }
    wgt_file_remove(file);
}
END_TEST

Suite *suite_fit(void)
{
    Suite *s = suite_create("fit");
    TCase *c = tcase_create("fit");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(c, test_as_by_hand_with_a_short_batch);
    tcase_add_test(c, test_learns);
    tcase_add_test(c, test_best_weights_are_restored);
    tcase_add_test(c, test_callback_stops);
    tcase_add_test(c, test_weights);
    tcase_add_test(c, test_no_copies_without_patience);
    tcase_add_test(c, test_stop);
    tcase_add_test(c, test_gradient_norms);
    tcase_add_test(c, test_check_every);
    tcase_add_test(c, test_errors);
    tcase_add_test(c, test_memory);
    suite_add_tcase(s, c);
    return s;
}
