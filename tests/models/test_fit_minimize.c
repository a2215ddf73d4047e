/* Training by all rows at once: its optimum, when it stops, what it resumes from and refuses. */
#include "autograd/op.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Iris, standardized: a linear model, or with hidden units and tanh. */
typedef struct problem {
    wg_tensor *X, *y;
    wg_mlp *mlp;
    wg_fit_model model;
} problem;

static problem iris_as(wg_tape *t, bool f32, const wg_head *head, int64_t hidden, double dropout)
{
    wg_table *data = wg_csv_read(t, "examples/data/iris.csv", &(wg_csv_options){.f32 = f32});
    problem p = {.X = wg_standardize(wg_table_features(data)), .y = wg_table_classes(data)};
    if (head == &wg_head_sigmoid)
        p.y = wg_cast(wg_equal(p.y, wg_full(t, WG_I64, WG_SCALAR, 1)), WG_I64);
    int64_t sizes[] = {4, hidden, 3};
    if (hidden == 0)
        sizes[1] = head == &wg_head_sigmoid ? 1 : 3;
    p.mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = sizes,
                                            .n_sizes = hidden == 0 ? 2 : 3,
                                            .activation = "tanh",
                                            .init = hidden == 0 ? "zeros" : NULL,
                                            .dropout = dropout,
                                            .dtype = f32 ? WG_F32 : WG_F64});
    p.model = wg_mlp_fit_model(p.mlp, head);
    return p;
}

static problem iris(wg_tape *t)
{
    return iris_as(t, false, &wg_head_softmax, 0, 0);
}

/* ---- The optimum. ---------------------------------------------------------------------------- */

/* The recorded loss, minimized: mean of w_i l_i, weights scaled to a mean of 1, and the penalty. */
static double optimum_of(const problem *p, wg_tensor *weights, double l2)
{
    wg_tensor *w = wg_params_get(p->mlp->params, "fc1.weight");
    wg_tensor *Z = wg_mlp_forward(p->mlp, p->X, true);
    wg_tensor *targets = wg_head_targets(p->model.head, p->y, 3, WG_F64);
    wg_tensor *loss = wg_add(p->model.head->loss(Z, targets, weights, WG_MEAN),
                             wg_scale(wg_sum(wg_square(w)), l2 / 2));
    return wg_minimize(loss, p->model.params, 2, NULL).value;
}

START_TEST(test_optimum)
{
    const wg_head *head = (const wg_head *[]){&wg_head_softmax, &wg_head_sigmoid,
                                              &wg_head_one_vs_rest}[_i / 2];
    problem p = iris_as(tape, false, head, 0, 0);
    double values[150], sum = 0;
    for (int i = 0; i < 150; i++)
        sum += values[i] = 1 + i % 4;
    wg_fit_options o = {.l2 = 0.01};
    if (_i % 2 == 1)
        o.sample_weights = wg_constant(tape, WG_F64, WG_SHAPE(150), values);
    int64_t size = wg_tape_size(tape);
    wg_fit_result r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    expect_ok(tape);
    ck_assert_int_eq(wg_tape_size(tape), size + 4); /* the history */
    ck_assert_int_eq(r.stop, WG_FIT_CONVERGED);
    ck_assert_int_eq(r.optimum.stop, WG_STOP_GRADIENT);
    wgt_assert_that(r.optimum.gradient_norm, <=, 1e-8);
    ck_assert_int_eq(wg_size(r.loss), r.epochs);
    ck_assert_int_eq(r.epochs, r.optimum.iterations);
    /* no evaluation twice: one at the start, about one an iteration */
    ck_assert_int_le(r.optimum.evaluations, 1 + r.epochs + r.epochs / 3);
    for (int64_t i = 1; i < r.epochs; i++)
        wgt_assert_that(wg_at(r.loss, i), <=, wg_at(r.loss, i - 1) + 1e-12);
    wgt_assert_that(wg_at(r.loss, r.epochs - 1), ==, r.optimum.value);
    if (head != &wg_head_one_vs_rest) /* from weights of zero */
        wgt_assert_close(r.optimum.start, log(head == &wg_head_softmax ? 3 : 2), 0, 1e-15);
    problem q = iris_as(tape, false, head, 0, 0);
    for (int i = 0; i < 150; i++)
        values[i] *= 150 / sum;
    wg_tensor *w = _i % 2 == 1 ? wg_constant(tape, WG_F64, WG_SHAPE(150), values) : NULL;
    wgt_assert_close(r.best_loss, optimum_of(&q, w, 0.01), 0, 1e-13);
    /* once more: it is there already, which is an epoch of no iteration */
    wg_fit_result again = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    ck_assert_int_eq(again.stop, WG_FIT_CONVERGED);
    ck_assert_int_eq(again.optimum.iterations, 0);
    ck_assert_int_eq(again.epochs, 1);
    ck_assert_int_eq(again.best_epoch, 1);
    ck_assert_int_eq(wg_size(again.loss), 1);
    wgt_assert_close(again.best_loss, r.best_loss, 0, 1e-15);
    expect_ok(tape);
}
END_TEST

/* Columns of scales 1e-2 to 1e2 around means far from 0, dense or sparse, two classes or three: the
 * weights are those that Newton's method finds. In the columns' own coordinates L-BFGS takes many
 * times the iterations, or ends before. */
START_TEST(test_columns_as_they_are)
{
    enum { N = 150, D = 4 };
    static const double scale[D] = {0.01, 1, 10, 100}, mean[D] = {0.2, 40, 0, -3e3};
    const wg_head *head = _i % 2 == 0 ? &wg_head_sigmoid : &wg_head_softmax;
    problem p = iris_as(tape, false, head, 0, 0), q = iris_as(tape, false, head, 0, 0);
    double x[N * D];
    int64_t start[N + 1] = {0}, column[N * D];
    for (int64_t i = 0; i < N * D; i++) {
        x[i] = mean[i % D] + scale[i % D] * wg_at(p.X, i);
        column[i] = i % D;
        start[i / D + 1] = i + 1;
    }
    wg_dataset dense = {.X = wg_constant(tape, WG_F64, WG_SHAPE(N, D), x), .y = p.y}, d = dense;
    if (_i >= 2)
        d = (wg_dataset){.sparse = wg_csr_new(tape, WG_F64, N, D, start, column, x), .y = p.y};
    const wg_fit_options o = {.C = 1};
    wg_minimizer_options lbfgs = {.tolerance = 1e-11};
    wg_fit_result r = wg_fit_minimize(&p.model, &d, &o, &lbfgs);
    wg_minimizer_options newton = {.method = WG_NEWTON_EXACT, .tolerance = 1e-11};
    ck_assert_int_eq(wg_fit_minimize(&q.model, &dense, &o, &newton).stop, WG_FIT_CONVERGED);
    expect_ok(tape);
    ck_assert_int_eq(r.stop, WG_FIT_CONVERGED);
    ck_assert_int_lt(r.epochs, _i % 2 == 0 ? 50 : 500);
    for (int64_t i = 0; i < wg_size(p.model.params[0]); i++)
        wgt_assert_close(wg_at(p.model.params[0], i), wg_at(q.model.params[0], i), 1e-6, 1e-6);
}
END_TEST

/* Rows that are computed from an input, and labels likewise. */
START_TEST(test_rows_of_an_input)
{
    problem p = iris(tape), q = iris(tape);
    wg_tensor *X = wg_input(tape, "X", WG_F64, WG_SHAPE(150, 4), p.X->data);
    wg_tensor *y = wg_input(tape, "y", WG_I64, WG_SHAPE(150), p.y->data);
    wg_fit_options o = {.epochs = 5, .validation = _i == 0 ? 0 : 0.2};
    wg_fit_result a = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    wg_fit_result b = wg_fit_minimize(
        &q.model, &(wg_dataset){.X = wg_scale(X, 1), .y = wg_reshape(y, WG_SHAPE(150))}, &o, NULL);
    expect_ok(tape);
    wgt_assert_that(a.best_loss, ==, b.best_loss);
}
END_TEST

/* From a file, block by block, the same bits; and the same checkpoint, of the same data. */
START_TEST(test_streamed_rows)
{
    problem p = iris(tape), q = iris(tape);
    const wg_dataset held = {.X = wg_shift(wg_scale(p.X, _i % 2 ? 1e3 : 1), 7), .y = p.y};
    wg_npy_write(held.X, path);
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_F64);
    const wg_dataset streamed = {.X = wg_npy_stream_rows(s, 0, WG_END), .y = p.y};
    char checkpoint[WGT_PATH];
    wgt_file_new(checkpoint);
    wg_fit_options o = {.l2 = 0.01, .epochs = 10, .checkpoint = checkpoint};
    const wg_minimizer_options m = {.method = _i / 2 ? WG_NEWTON : WG_LBFGS};
    wg_fit_minimize(&p.model, &held, &o, &m);
    wg_fit_minimize(&q.model, &streamed, &o, &m);
    o.resume = true;
    o.epochs = 12;
    wg_fit_minimize(&q.model, &held, &o, &m);
    wg_fit_minimize(&p.model, &streamed, &o, &m);
    expect_ok(tape);
    for (int i = 0; i < 2; i++)
        wgt_assert_same_bytes(p.model.params[i]->data, q.model.params[i]->data,
                              (size_t)p.model.params[i]->size * sizeof(double));
    wg_fit(&p.model, &streamed, NULL);
    wgt_assert_status(tape, WG_E_VALUE, "fit: streamed rows are trained all at once");
    wg_npy_stream_close(s);
    wgt_file_remove(checkpoint);
}
END_TEST

/* The gradient of rows that are read is checked as that of the same rows in memory. */
START_TEST(test_streamed_rows_are_checked)
{
    problem p = iris(tape), q = iris(tape);
    wg_npy_write(p.X, path);
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_F64);
    const wg_dataset streamed = {.X = wg_npy_stream_rows(s, 0, WG_END), .y = p.y};
    const wg_fit_options o = {.epochs = 5, .balanced = true, .check_every = 2};
    const wg_dataset held = {.X = p.X, .y = p.y};
    const wg_fit_result a = wg_fit_minimize(&p.model, &held, &o, NULL);
    const wg_fit_result b = wg_fit_minimize(&q.model, &streamed, &o, NULL);
    expect_ok(tape);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(b.first_check[i].verdict, WG_CHECK_PASSED);
        ck_assert_int_eq(b.last_check[i].verdict, WG_CHECK_PASSED);
        wgt_assert_that(a.last_check[i].value, ==, b.last_check[i].value);
    }
    wg_npy_stream_close(s);
}
END_TEST

/* A number that is none is named; a file that becomes shorter ends the training. */
START_TEST(test_streamed_rows_that_fail)
{
    problem p = iris(tape);
    double x[600];
    wg_read(p.X, x, sizeof x);
    x[4 * 140 + 2] = (double)NAN;
    wg_npy_write(wg_constant(tape, WG_F64, WG_SHAPE(150, 4), x), path);
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_F64);
    const wg_dataset data = {.X = wg_npy_stream_rows(s, 0, WG_END), .y = p.y};
    const wg_mark mark = wg_tape_mark(tape);
    wg_fit_minimize(&p.model, &data, NULL, NULL);
    wgt_assert_status(tape, WG_E_NOT_FINITE, "fit: row 141, column 3 is nan");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(truncate(path, 1000), 0);
    wg_fit_minimize(&p.model, &data, NULL, NULL);
    wgt_assert_status(tape, WG_E_IO, "the file became shorter");
    wg_npy_stream_close(s);
}
END_TEST

/* ---- When it stops. -------------------------------------------------------------------------- */

enum { MOST = 4096 };

/* All parameters as doubles, one behind the other. */
static int weights(const problem *p, double values[])
{
    int n = 0;
    for (int i = 0; i < p->model.n_params; i++)
        for (int64_t j = 0; j < wg_size(p->model.params[i]); j++)
            values[n++] = wg_at(p->model.params[i], j);
    return n;
}

typedef struct watch {
    const problem *p;
    double best[MOST];
    int64_t best_epoch, stop_at;
} watch;

static bool watching(const wg_fit_epoch *epoch, void *user)
{
    watch *w = user;
    ck_assert_double_finite(epoch->loss);
    ck_assert_double_nan(epoch->accuracy);
    ck_assert_double_nan(epoch->rate);
    if (epoch->best) {
        weights(w->p, w->best);
        w->best_epoch = epoch->epoch;
    }
    return epoch->epoch != w->stop_at;
}

START_TEST(test_best_weights_are_restored)
{
    static double after[MOST];
    problem p = iris_as(tape, false, &wg_head_softmax, 16, 0); /* overfits */
    watch w = {.p = &p};
    wg_fit_options o = {
        .validation = 0.3, .patience = 6, .on_epoch = watching, .on_epoch_user = &w};
    wg_fit_result r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    expect_ok(tape);
    ck_assert_int_eq(r.stop, WG_FIT_PATIENCE);
    ck_assert_int_eq(r.epochs, r.best_epoch + 6);
    ck_assert_int_eq(r.best_epoch, w.best_epoch);
    wgt_assert_that(wg_at(r.validation_loss, r.best_epoch - 1), ==, r.best_loss);
    int n = weights(&p, after);
    ck_assert_mem_eq(after, w.best, (size_t)n * sizeof *after);
}
END_TEST

START_TEST(test_other_stops)
{
    problem p = iris(tape);
    watch w = {.p = &p, .stop_at = 3};
    wg_fit_options o = {.on_epoch = watching, .on_epoch_user = &w};
    wg_fit_result r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    ck_assert_int_eq(r.stop, WG_FIT_CALLBACK);
    ck_assert_int_eq(r.epochs, 3);
    r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &(wg_fit_options){.epochs = 2},
                        NULL);
    ck_assert_int_eq(r.stop, WG_FIT_EPOCHS);
    ck_assert_int_eq(r.epochs, 2);
    /* a fall of less than min_delta is none */
    o = (wg_fit_options){.l2 = 0.01, .patience = 1, .min_delta = 1e-3};
    r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
    ck_assert_int_eq(r.stop, WG_FIT_PATIENCE);
    wgt_assert_that(wg_at(r.loss, r.epochs - 1), >, wg_at(r.loss, r.epochs - 2) - 1e-3);
    r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &(wg_fit_options){.l2 = 0.01},
                        &(wg_minimizer_options){.tolerance = 1e-3, .history = 3});
    ck_assert_int_eq(r.stop, WG_FIT_CONVERGED);
    wgt_assert_that(r.optimum.gradient_norm, <=, 1e-3);
    expect_ok(tape);
    for (int64_t i = 0; i < 2;
         i++) /* the last gradient's, of each parameter: the optimum's at first */
        for (int64_t k = 0; k < r.epochs; k++)
            wgt_assert_that(wg_at(r.gradient_norm, 2 * k + i), >, 0);
    const double last = hypot(wg_at(r.gradient_norm, 2 * r.epochs - 2),
                              wg_at(r.gradient_norm, 2 * r.epochs - 1));
    wgt_assert_that(last, >=, r.optimum.gradient_norm);
    wgt_assert_that(last, <, 10 * r.optimum.gradient_norm);
}
END_TEST

/* ---- The same bits, whatever happens on the way. --------------------------------------------- */

/* The rows over and over: so many are several blocks. */
static void repeat(problem *p, int64_t n)
{
    int64_t *row = malloc((size_t)n * sizeof *row);
    for (int64_t i = 0; i < n; i++)
        row[i] = i % 150;
    wg_tensor *rows = wg_constant(p->X->tape, WG_I64, WG_SHAPE(n), row);
    p->X = wg_gather_rows(p->X, rows);
    p->y = wg_gather_rows(p->y, rows);
    free(row);
}

/* Trains on a tape of its own, to the end or until after iteration stop_at; weights and history
 * into values. */
static int trained(bool f32, int threads, int64_t stop_at, bool resume, double values[MOST])
{
    wg_pool *pool = threads > 0 ? wg_pool_new(threads, NULL) : NULL;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.pool = pool});
    problem p = iris_as(t, f32, &wg_head_softmax, 5, 0);
    watch w = {.p = &p, .stop_at = stop_at};
    if (threads > 0)
        repeat(&p, 40000);
    wg_fit_options o = {.epochs = threads > 0 ? 3 : 40,
                        .l2 = 1e-3,
                        .seed = 5,
                        .validation = 0.2,
                        .patience = 30,
                        .balanced = true,
                        .on_epoch = watching,
                        .on_epoch_user = &w,
                        .checkpoint = path,
                        .resume = resume};
    wg_fit_result r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o,
                                      &(wg_minimizer_options){.history = 4});
    expect_ok(t);
    int n = weights(&p, values);
    for (int64_t i = 0; i < r.epochs; i++) {
        values[n++] = wg_at(r.loss, i);
        values[n++] = wg_at(r.validation_loss, i);
    }
    values[n++] = (double)r.best_epoch;
    wg_tape_free(t);
    wg_pool_free(pool);
    return n;
}

START_TEST(test_resumed_is_bit_identical)
{
    static double whole[MOST], part[MOST], rest[MOST];
    int n = trained(_i == 1, 0, 0, false, whole);
    for (int64_t stop_at = 1; stop_at < 20; stop_at += 3) {
        ck_assert_int_ne(trained(_i == 1, 0, stop_at, false, part), n);
        ck_assert_int_eq(trained(_i == 1, 0, 0, true, rest), n);
        ck_assert_mem_eq(whole, rest, (size_t)n * sizeof *whole);
    }
}
END_TEST

START_TEST(test_threads)
{
    static double one[MOST], other[MOST];
    int n = trained(_i == 1, 1, 0, false, one);
    for (int threads = 2; threads <= 3; threads++) {
        ck_assert_int_eq(trained(_i == 1, threads, 0, false, other), n);
        ck_assert_mem_eq(one, other, (size_t)n * sizeof *one);
    }
}
END_TEST

/* One column and many classes: matrices of a row a row and a column a class are few: with softmax
 * none, since blocks are cut by the widest of a row's numbers; the targets of one-vs-rest are
 * one. */
START_TEST(test_memory_of_many_classes)
{
    enum { N = 4000, K = 400 };
    static double x[N];
    static int64_t y[N];
    const wg_head *head = _i == 0 ? &wg_head_softmax : &wg_head_one_vs_rest;
    const double matrix = 8.0 * N * K, most = _i == 0 ? 0.9 : 1.9;
    wgt_memory m = {0};
    wg_tape *t = wgt_tape(&m);
    for (int i = 0; i < N; i++) {
        x[i] = (double)(i % K) / K;
        y[i] = i % K;
    }
    wg_dataset data = {.X = wg_constant(t, WG_F64, WG_SHAPE(N, 1), x),
                       .y = wg_constant(t, WG_I64, WG_SHAPE(N), y)};
    wg_mlp *mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){1, K}, .n_sizes = 2});
    wg_fit_model model = wg_mlp_fit_model(mlp, head);
    wg_fit_minimize(&model, &data, &(wg_fit_options){.epochs = 2}, NULL);
    expect_ok(t);
    if (!WGT_ARENA_TINY)
        wgt_assert_that((double)m.peak, <, most * matrix);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_foreign_checkpoints)
{
    static double before[MOST], after[MOST];
    problem p = iris(tape);
    wg_fit_options o = {.epochs = 2, .checkpoint = path};
    wg_mark mark = wg_tape_mark(tape);
    for (int k = 0; k < 3; k++) {
        o.resume = false;
        if (k == 0)
            wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o); /* Adam's */
        else
            wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o,
                            &(wg_minimizer_options){.history = 3});
        expect_ok(tape);
        int n = weights(&p, before);
        o.resume = true;
        o.l2 = k == 1 ? 0.5 : 0;
        wg_fit_result r = k == 2 ? wg_fit(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o)
                                 : wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o,
                                                   NULL);
        ck_assert_int_eq(r.stop, WG_FIT_ERROR);
        wgt_assert_status(tape, WG_E_FORMAT, "of another training");
        wg_tape_rewind(tape, mark);
        weights(&p, after);
        ck_assert_mem_eq(before, after, (size_t)n * sizeof *after);
        o.l2 = 0;
    }
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

START_TEST(test_refused)
{
    problem p = iris(tape), drops = iris_as(tape, false, &wg_head_softmax, 4, 0.5);
    static const wg_schedule schedule = {.kind = WG_SCHEDULE_COSINE, .rate = 0.1, .period = 4};
    const struct {
        const problem *p;
        wg_fit_options o;
        wg_minimizer_options l;
        const char *word;
    } cases[] = {
        {&p, {.batch = 32}, {0}, "option batch"},
        {&p, {.optimizer = wg_adam_new(p.model.params, 2, NULL)}, {0}, "option optimizer"},
        {&p, {.schedule = &schedule}, {0}, "option schedule"},
        {&drops, {0}, {0}, "dropout"},
        {&p, {0}, {.iterations = 5}, "iterations (epochs)"},
        {&p, {0}, {.value_tolerance = 1}, "value_tolerance"},
        {&p, {0}, {.history = -1}, "history"},
        {&p, {.epochs = -1}, {0}, "epochs"},
        {&p, {.l2 = -1}, {0}, "l2"},
        {&p, {.resume = true}, {0}, "checkpoint is NULL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wg_mark mark = wg_tape_mark(tape);
        wg_fit_result r = wg_fit_minimize(&cases[i].p->model, &(wg_dataset){.X = p.X, .y = p.y},
                                          &cases[i].o, &cases[i].l);
        ck_assert_int_eq(r.stop, WG_FIT_ERROR);
        ck_assert_ptr_null(r.loss);
        wgt_assert_status(tape, WG_E_VALUE, cases[i].word);
        wg_tape_rewind(tape, mark);
    }
    wg_mark mark = wg_tape_mark(tape);
    static const char *const names[] = {"fit: lbfgs takes", "fit: newton takes",
                                        "fit: newton takes", "fit: proximal takes",
                                        "fit: minimizer takes"};
    static const wg_minimizer_method methods[] = {WG_LBFGS, WG_NEWTON, WG_NEWTON_EXACT, WG_PROXIMAL,
                                                  (wg_minimizer_method)77};
    for (int i = 0; i < 5; i++) {
        wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &(wg_fit_options){.batch = 32},
                        &(wg_minimizer_options){.method = methods[i]});
        wgt_assert_status(tape, WG_E_VALUE, names[i]);
        wg_tape_rewind(tape, mark);
    }
    wg_tensor *bad = wg_scale(p.X, (double)INFINITY);
    ck_assert_int_eq(wg_fit_minimize(&p.model, &(wg_dataset){.X = bad, .y = p.y}, NULL, NULL).stop,
                     WG_FIT_ERROR);
    wgt_assert_status(tape, WG_E_NOT_FINITE, "fit: row 1, column 1 is -inf");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_fit_minimize(NULL, &(wg_dataset){.X = p.X, .y = p.y}, NULL, NULL).stop,
                     WG_FIT_ERROR);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
    ck_assert_int_eq(wg_fit_minimize(&p.model, &(wg_dataset){.X = NULL, .y = p.y}, NULL, NULL).stop,
                     WG_FIT_ERROR);
}
END_TEST

/* Every allocation fails in turn: an error, nothing leaked, and no history. */
START_TEST(test_memory)
{
    bool done = false;
    for (int64_t k = 1; !done; k += 3) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        problem p = iris(t);
        expect_ok(t);
        m.fail_at = m.calls + k;
        wg_fit_options o = {.epochs = 2, .validation = 0.2, .balanced = true, .checkpoint = path};
        wg_fit_result r = wg_fit_minimize(&p.model, &(wg_dataset){.X = p.X, .y = p.y}, &o, NULL);
        done = m.failed == 0;
        ck_assert_int_eq(r.stop, done ? WG_FIT_EPOCHS : WG_FIT_ERROR);
        ck_assert_int_eq(wg_tape_status(t), done ? WG_OK : WG_E_NOMEM);
        wg_tape_free(t);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

Suite *suite_fit_minimize(void)
{
    Suite *s = suite_create("fit_minimize");
    TCase *c = tcase_create("fit_lbfgs");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, wgt_file_setup, wgt_file_teardown);
    tcase_add_loop_test(c, test_columns_as_they_are, 0, 4);
    tcase_add_loop_test(c, test_optimum, 0, 6);
    tcase_add_loop_test(c, test_rows_of_an_input, 0, 2);
    tcase_add_loop_test(c, test_streamed_rows, 0, 4);
    tcase_add_test(c, test_streamed_rows_are_checked);
    tcase_add_test(c, test_streamed_rows_that_fail);
    tcase_add_test(c, test_best_weights_are_restored);
    tcase_add_test(c, test_other_stops);
    tcase_add_loop_test(c, test_resumed_is_bit_identical, 0, 2);
    tcase_add_loop_test(c, test_threads, 0, 2);
    tcase_add_loop_test(c, test_memory_of_many_classes, 0, 2);
    tcase_add_test(c, test_foreign_checkpoints);
    tcase_add_test(c, test_refused);
    tcase_add_test(c, test_memory);
    suite_add_tcase(s, c);
    return s;
}
