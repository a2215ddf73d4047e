/* The linear models, the optimizer and mini-batches: golden runs, conventions, errors, memory. */
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

/* The status after a mistake, whose mark is then rewound. */
#define expect_error(expression, status, part)                                                     \
    do {                                                                                           \
        const wg_mark mark = wg_tape_mark(tape);                                                   \
        (void)(expression);                                                                        \
        wgt_assert_status(tape, status, part);                                                     \
        wg_tape_rewind(tape, mark);                                                                \
    } while (0)

START_TEST(test_model_errors)
{
    wg_tensor *X = points_on(tape), *y = targets_on(tape), *c = labels_on(tape);
    wg_tensor *flat = wg_reshape(y, WG_SHAPE(3)), *f32 = wg_cast(y, WG_F32);
    expect_error(wg_logistic_new(X, flat, NULL), WG_E_SHAPE, "(3,)");
    expect_error(wg_logistic_new(X, f32, NULL), WG_E_DTYPE, "f32");
    expect_error(wg_logistic_new(X, NULL, NULL), WG_E_NULL, "");
    expect_error(wg_logistic_new(flat, y, NULL), WG_E_SHAPE, "");
    expect_error(wg_logistic_new(X, y, &(wg_linear_model_options){.C = -1}), WG_E_VALUE, "C = -1");
    expect_error(wg_logistic_new(X, y, &(wg_linear_model_options){.C = (double)NAN}), WG_E_VALUE,
                 "C");
    expect_error(wg_logistic_new(X, y, &(wg_linear_model_options){.C = 1, .n = -1}), WG_E_VALUE,
                 "n = -1");
    expect_error(wg_softmax_regression_new(X, c, 2, NULL), WG_E_INDEX, "");
    expect_error(wg_softmax_regression_new(X, c, -1, NULL), WG_E_VALUE, "k = -1");
    wg_linear_model m = wg_logistic_new(X, y, NULL);
    expect_error(wg_linear_model_predict(&m, flat), WG_E_SHAPE, "");
    expect_error(wg_linear_model_score(&m, X, flat), WG_E_DTYPE, "accuracy: ");
    expect_error(wg_accuracy(c, y), WG_E_SHAPE, "accuracy: ");
    expect_error(wg_accuracy(f32, y), WG_E_DTYPE, "f32");
    expect_error(wg_accuracy(y, NULL), WG_E_NULL, "");
    ck_assert_double_nan(wg_accuracy(NULL, NULL));
    ck_assert_double_nan(wg_item(wg_logistic_new(NULL, NULL, NULL).loss));
    wg_tensor *before = wg_linear_model_predict(&m, X);
    wg_fill_uniform(m.W, 1, 1, 0);
    expect_error(wg_accuracy(before, y), WG_E_STALE, "accuracy: ");
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
    expect_error(wg_sgd_new(&twice, 1, NULL), WG_E_VALUE, "sgd: tensor 0 is no parameter");
    expect_error(wg_sgd_new((wg_tensor *[]){p, NULL}, 2, NULL), WG_E_NULL, "sgd: parameter 1");
    expect_error(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = -1}), WG_E_VALUE, "rate is -1");
    expect_error(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = (double)NAN}), WG_E_VALUE, "rate");
    wg_optimizer *sgd = wg_sgd_new(&p, 1, NULL);
    wg_tensor *wrong = wg_full(tape, WG_F64, WG_SHAPE(1, 2), 1), *none = NULL;
    wg_tensor *f32 = wg_full(tape, WG_F32, WG_SHAPE(2), 1);
    expect_error(wg_optimizer_step(sgd, &wrong), WG_E_SHAPE, "parameter p (2,) with gradient");
    expect_error(wg_optimizer_step(sgd, &f32), WG_E_DTYPE, "parameter p");
    expect_error(wg_optimizer_step(sgd, &none), WG_E_NULL, "gradient 0");
    expect_error(wg_optimizer_set_rate(sgd, HUGE_VAL), WG_E_VALUE, "rate of inf");
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_that(wg_optimizer_steps(sgd), ==, 0);
    ck_assert_int_eq(wg_optimizer_step(sgd, &g), WG_OK);
    expect_error(wg_optimizer_step(sgd, &g), WG_E_STALE, "replay first");
    ck_assert_int_eq(wg_optimizer_steps(sgd), 1);
    wg_tape *other = wg_tape_new(NULL);
    wg_tensor *q = wg_param(other, "q", WG_F64, WG_SHAPE(2));
    expect_error(wg_sgd_new((wg_tensor *[]){p, q}, 2, NULL), WG_E_TAPE, "two tapes");
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
    expect_error(wg_optimizer_step(sgd, g), WG_E_SHAPE, "parameter q");
    wgt_assert_same_bits(wg_item(p), 0);
}
END_TEST

/* ---- Mini-batches. --------------------------------------------------------------------------- */

/* Ten rows: X[i] = (i, -i), y[i] = i. */
static void ten_rows(wg_tensor **X, wg_tensor **y)
{
    double x[20];
    int64_t c[10];
    for (int i = 0; i < 10; i++)
        x[2 * i] = i, x[2 * i + 1] = -i, c[i] = i;
    *X = wg_constant(tape, WG_F64, WG_SHAPE(10, 2), x);
    *y = wg_constant(tape, WG_I64, WG_SHAPE(10), c);
}

/* One epoch's rows in their order; the two inputs hold the same rows. */
static int64_t collect(wg_batches *batches, int64_t epoch, int64_t order[10])
{
    int64_t rows, total = 0;
    for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0;) {
        const bool full = rows == wg_dim(wg_batches_input(batches, 0), 0);
        const wg_tensor *X = full ? wg_batches_input(batches, 0)
                                  : wg_batches_short_input(batches, 0);
        const wg_tensor *y = full ? wg_batches_input(batches, 1)
                                  : wg_batches_short_input(batches, 1);
        ck_assert_int_eq(wg_dim(X, 0), rows);
        for (int64_t i = 0; i < rows; i++) {
            order[total + i] = wg_data_i64(y)[i];
            wgt_assert_that(wg_at(X, 2 * i), ==, (double)wg_data_i64(y)[i]);
            wgt_assert_that(wg_at(X, 2 * i + 1), ==, -(double)wg_data_i64(y)[i]);
        }
        total += rows;
    }
    ck_assert_int_eq(wg_batches_next(batches), 0);
    return total;
}

START_TEST(test_batches)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *batches = wg_batches_new((wg_tensor *[]){X, y}, 2,
                                         &(wg_batches_options){.size = 4, .seed = 5});
    ck_assert_int_eq(wg_dim(wg_batches_input(batches, 0), 0), 4);
    ck_assert_int_eq(wg_dim(wg_batches_short_input(batches, 0), 0), 2);
    ck_assert_int_eq(wg_batches_next(batches), 0); /* no epoch was begun */
    int64_t first[10], second[10], again[10], seen = 0;
    ck_assert_int_eq(collect(batches, 0, first), 10);
    ck_assert_int_eq(collect(batches, 1, second), 10);
    ck_assert_int_eq(collect(batches, 0, again), 10);
    for (int i = 0; i < 10; i++)
        seen |= 1 << first[i];
    ck_assert_int_eq(seen, 1023);
    wgt_assert_same_bytes(first, again, sizeof first);
    ck_assert(memcmp(first, second, sizeof first) != 0);
    expect_ok(tape);
}
END_TEST

START_TEST(test_batches_options)
{
    wg_tensor *X, *y;
    int64_t order[10];
    ten_rows(&X, &y);
    wg_tensor *sources[] = {X, y};
    wg_batches *even = wg_batches_new(sources, 2,
                                      &(wg_batches_options){.size = 5, .in_order = true});
    ck_assert_ptr_eq(wg_batches_short_input(even, 0), wg_batches_input(even, 0));
    ck_assert_ptr_eq(wg_batches_short_input(even, 1), wg_batches_input(even, 1));
    collect(even, 3, order);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(order[i], i);
    wg_batches *dropped = wg_batches_new(sources, 2,
                                         &(wg_batches_options){.size = 4, .drop_short = true});
    ck_assert_int_eq(collect(dropped, 0, order), 8);
    wg_batches *all = wg_batches_new(sources, 2, NULL);
    ck_assert_int_eq(wg_dim(wg_batches_input(all, 0), 0), 10);
    ck_assert_int_eq(collect(all, 0, order), 10);
    expect_ok(tape);
}
END_TEST

/* The mean of the squares of X w - 1 over a batch. */
static wg_tensor *line_loss(wg_tensor *const batch[], void *w)
{
    return wg_mean(wg_square(wg_shift(wg_matmul(batch[0], w), -1)));
}

/* The losses and gradients of the batches, each by rows that are picked by hand; 4 leaves a short
 * batch, 5 does not. */
START_TEST(test_batches_record)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    const int64_t size = _i == 0 ? 4 : 5;
    wg_tensor *w = wgt_param(tape, "w", WG_SHAPE(2, 1), (double[]){0.5, 0.25}), *g;
    wg_batches *b = wg_batches_new(
        (wg_tensor *[]){X, y}, 2,
        &(wg_batches_options){
            .size = size, .loss = line_loss, .params = &w, .n_params = 1, .user = w});
    wg_optimizer *sgd = wg_sgd_new(&w, 1, NULL);
    int64_t rows, steps = 0;
    for (int epoch = 0; epoch < 2; epoch++)
        for (wg_batches_start(b, epoch); (rows = wg_batches_next(b)) > 0; steps++) {
            wg_tensor *taken = rows == size ? wg_batches_input(b, 1) : wg_batches_short_input(b, 1);
            wg_tensor *by_hand = wg_gather_rows(X, taken), *loss = line_loss(&by_hand, w);
            wg_grad(loss, &w, 1, &g);
            wgt_assert_same_bits(wg_item(wg_batches_loss(b)), wg_item(loss));
            wgt_assert_same_bits(wg_at(wg_batches_grads(b)[0], 1), wg_at(g, 1));
            wg_optimizer_step(sgd, wg_batches_grads(b));
        }
    ck_assert_int_eq(steps, _i == 0 ? 6 : 4);
    expect_ok(tape);
}
END_TEST

START_TEST(test_batches_without_a_loss)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *b = wg_batches_new(&X, 1, NULL);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_double_nan(wg_item(wg_batches_loss(b)));
    wgt_assert_status(tape, WG_E_VALUE, "no loss among their options");
    wg_tape_rewind(tape, mark);
    ck_assert_ptr_null(wg_batches_grads(b));
    ck_assert_int_eq(wg_tape_rewind(tape, mark), WG_E_VALUE);
    b = wg_batches_new(&X, 1, &(wg_batches_options){.loss = line_loss});
    wgt_assert_status(tape, WG_E_VALUE, "a loss without parameters");
    ck_assert_int_eq(wg_batches_next(b), 0);
    ck_assert_ptr_null(wg_batches_grads(NULL));
    ck_assert(wg_is_inert(wg_batches_loss(NULL)));
}
END_TEST

/* A batch makes stale what was computed from the one before. */
/* The loss that it is given, instead of one of the batch. */
static wg_tensor *given_loss(wg_tensor *const batch[], void *loss)
{
    (void)batch;
    return loss;
}

START_TEST(test_batches_loss_of_none)
{
    wg_tensor *X, *y, *w = wg_param(tape, "w", WG_F64, WG_SCALAR);
    wg_tape *other = wg_tape_new(NULL);
    ten_rows(&X, &y);
    const wg_mark mark = wg_tape_mark(tape);
    wg_batches_options options = {.loss = given_loss, .params = &w, .n_params = 1};
    wg_batches_new(&X, 1, &options);
    wgt_assert_status(tape, WG_E_NULL, "batches: the loss is NULL");
    wg_tape_rewind(tape, mark);
    options.user = wg_scalar(other, WG_F64, 1);
    wg_batches_new(&X, 1, &options);
    wgt_assert_status(tape, WG_E_TAPE, "batches: the loss is of another tape");
    ck_assert_int_eq(wg_tape_status(other), WG_OK);
    wg_tape_free(other);
}
END_TEST

START_TEST(test_batches_stale)
{
    wg_tensor *X, *y;
    ten_rows(&X, &y);
    wg_batches *batches = wg_batches_new(&X, 1, &(wg_batches_options){.size = 4, .in_order = true});
    wg_tensor *sum = wg_sum_over(wg_batches_input(batches, 0), 1, (const int[]){0}, false);
    wg_tensor *rest = wg_sum_over(wg_batches_short_input(batches, 0), 1, (const int[]){0}, false);
    wgt_assert_close(wg_at(sum, 0), 6, 0, 0); /* the first rows, 0 to 3 */
    wg_batches_start(batches, 0);
    const double want[] = {6, 22};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wg_batches_next(batches), 4);
        ck_assert(wg_is_stale(sum));
        wg_replay(tape);
        wgt_assert_close(wg_at(sum, 0), want[i], 0, 0);
    }
    ck_assert_int_eq(wg_batches_next(batches), 2);
    ck_assert(wg_is_stale(rest));
    ck_assert(!wg_is_stale(sum));
    wg_replay(tape);
    wgt_assert_close(wg_at(rest, 0), 17, 0, 0);
    wgt_assert_close(wg_at(sum, 0), 22, 0, 0);
}
END_TEST

START_TEST(test_batches_errors)
{
    wg_tensor *X, *y, *scalar = wg_scalar(tape, WG_F64, 1);
    ten_rows(&X, &y);
    wg_tensor *fewer = wg_full(tape, WG_F64, WG_SHAPE(9), 1);
    wg_tensor *empty = wg_full(tape, WG_F64, WG_SHAPE(0, 2), 1);
    expect_error(wg_batches_new((wg_tensor *[]){X, fewer}, 2, NULL), WG_E_SHAPE, "10 rows");
    expect_error(wg_batches_new(&scalar, 1, NULL), WG_E_SHAPE, "batches");
    expect_error(wg_batches_new(&empty, 1, NULL), WG_E_SHAPE, "batches");
    expect_error(wg_batches_new((wg_tensor *[]){X, NULL}, 2, NULL), WG_E_NULL, "batches");
    expect_error(wg_batches_new(&X, 1, &(wg_batches_options){.size = -1}), WG_E_VALUE,
                 "size of -1");
    expect_error(wg_batches_input(wg_batches_new(&X, 1, NULL), 1), WG_E_VALUE, "no source 1");
    wg_batches *none = wg_batches_new(NULL, 0, NULL);
    ck_assert_ptr_nonnull(none);
    wg_batches_start(none, 0);
    ck_assert_int_eq(wg_batches_next(none), 0);
    ck_assert(wg_is_inert(wg_batches_input(none, 0)));
    ck_assert(wg_is_inert(wg_batches_short_input(NULL, 0)));
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
    TCase *optimizer = new_case(suite, "optimizer"), *batches = new_case(suite, "batches");
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
    tcase_add_test(batches, test_batches);
    tcase_add_test(batches, test_batches_options);
    tcase_add_test(batches, test_batches_loss_of_none);
    tcase_add_test(batches, test_batches_stale);
    tcase_add_loop_test(batches, test_batches_record, 0, 2);
    tcase_add_test(batches, test_batches_without_a_loss);
    tcase_add_test(batches, test_batches_errors);
    tcase_add_loop_test(memory, test_no_memory, 0, 2);
    tcase_add_test(memory, test_step_allocates_nothing);
    return suite;
}
