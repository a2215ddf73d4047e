/* Gradients and Hessians of logistic and softmax regression against their closed forms,
 *     dL/dW = X^T (P - Y) / n,   dL/db = sum_i (P - Y)_i / n,   H = X^T diag(p (1 - p)) X / n,
 * computed by loops in long double that share nothing with the library, on every data set and on
 * random ones, at zero, random and trained weights.
 *
 * Near the optimum the gradient is nothing but cancellation, so differences are measured against
 * the largest entry of |X|^T |P - Y| / n, the size of what is added up. The bounds are 1e-14 (90
 * units of 2^-53) and 1e-6 (17 of 2^-24): a few round-offs in the logits, in p and in the sum. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A model as both kinds have it: weights [d, k] and biases [k]; k = 1 is logistic regression. */
typedef struct task {
    wg_tape *tape;
    wg_tensor *X, *classes;
    wg_tensor *param[2], *gradient[2], *loss;
    int64_t n, d, k;
} task;

static const struct {
    const char *name;
    bool logistic;
} data_sets[] = {{"breast_cancer", true}, {"linear_1000", true}, {"two_class_300", true},
                 {"moons_400", true},     {"toy_5", true},       {"iris", false},
                 {"digits", false},       {"random", true},      {"random", false}};
enum { DATA_SETS = sizeof data_sets / sizeof *data_sets };

/* Random rows of very different scale, and random classes. */
static void random_data(wg_tape *t, wg_dtype dtype, int64_t k, wg_tensor **X, wg_tensor **classes)
{
    enum { N = 257, D = 7 };
    static double x[N * D];
    static float x32[N * D];
    static int64_t c[N];
    for (uint64_t i = 0; i < N * D; i++) {
        x[i] = wg_random_normal(3, 1, i) * (i % D == 2 ? 4 : 1) + (i % D == 4 ? 2 : 0);
        x32[i] = (float)x[i];
    }
    for (uint64_t i = 0; i < N; i++)
        c[i] = wg_random_below(3, 2, i, k);
    *X = wg_constant(t, dtype, WG_SHAPE(N, D), dtype == WG_F32 ? (void *)x32 : (void *)x);
    *classes = wg_constant(t, WG_I64, WG_SHAPE(N), c);
}

static task task_new(int set, wg_dtype dtype)
{
    task j = {.tape = wg_tape_new(&(wg_tape_options){.seed = 7})};
    wg_tensor *y;
    bool logistic = data_sets[set].logistic;
    if (data_sets[set].name[0] == 'r') {
        j.k = logistic ? 2 : 5;
        random_data(j.tape, dtype, j.k, &j.X, &j.classes);
        y = wg_reshape(wg_cast(j.classes, dtype), WG_SHAPE(-1, 1));
    } else {
        char path[96];
        snprintf(path, sizeof path, "examples/data/%s.csv", data_sets[set].name);
        wg_table *data = wg_csv_read(j.tape, path, &(wg_csv_options){.f32 = dtype == WG_F32});
        j.X = wg_standardize(wg_table_features(data));
        j.classes = wg_table_classes(data);
        j.k = data->class_count;
        y = logistic ? wg_table_labels(data) : NULL;
    }
    if (logistic) {
        wg_linear_model m = wg_logistic_new(j.X, y, NULL);
        j.param[0] = m.W, j.param[1] = m.b, j.loss = m.loss, j.k = 1;
    } else {
        wg_linear_model m = wg_softmax_regression_new(j.X, j.classes, j.k, NULL);
        j.param[0] = m.W, j.param[1] = m.b, j.loss = m.loss;
    }
    wg_grad(j.loss, j.param, 2, j.gradient);
    j.n = wg_dim(j.X, 0), j.d = wg_dim(j.X, 1);
    ck_assert_msg(wg_tape_status(j.tape) == WG_OK, "%s", wg_tape_message(j.tape));
    return j;
}

static long double feature(const task *j, int64_t i, int64_t f)
{
    return f < j->d ? (long double)wg_at(j->X, i * j->d + f) : 1;
}

/* r[k]: the probabilities of row i. */
static void probabilities(const task *j, int64_t i, long double *r)
{
    long double largest = 0, sum = 0; /* 0: also the logit that logistic regression leaves out */
    for (int64_t c = 0; c < j->k; c++) {
        r[c] = (long double)wg_at(j->param[1], c);
        for (int64_t f = 0; f < j->d; f++)
            r[c] += feature(j, i, f) * (long double)wg_at(j->param[0], c * j->d + f);
        if (r[c] > largest)
            largest = r[c];
    }
    for (int64_t c = 0; c < j->k; c++)
        sum += r[c] = expl(r[c] - largest);
    if (j->k == 1)
        sum += expl(-largest);
    for (int64_t c = 0; c < j->k; c++)
        r[c] /= sum;
}

/* entry[k * d + k]: the gradient, row by row of W, biases last. Returns the largest entry of |X|^T
 * |P - Y| / n. */
static double closed_gradient(const task *j, long double *entry)
{
    int64_t m = (j->d + 1) * j->k;
    wgt_sum sum[700] = {{0}};
    long double size[700] = {0}, r[16], largest = 0;
    ck_assert_int_le(m, 700);
    for (int64_t i = 0; i < j->n; i++) {
        probabilities(j, i, r);
        int64_t label = wg_data_i64(j->classes)[i];
        for (int64_t c = 0; c < j->k; c++)
            r[c] -= j->k == 1 ? label == 1 : label == c;
        for (int64_t e = 0; e < m; e++) {
            long double term = (e < j->k * j->d ? feature(j, i, e % j->d) * r[e / j->d]
                                                : r[e - j->k * j->d]) /
                               (long double)j->n;
            wgt_sum_add(&sum[e], term);
            size[e] += fabsl(term);
        }
    }
    for (int64_t e = 0; e < m; e++) {
        entry[e] = wgt_sum_value(&sum[e]);
        if (size[e] > largest)
            largest = size[e];
    }
    return (double)largest;
}

static void compare_gradient(const task *j, const char *name, const char *where, double bound)
{
    static long double closed[700];
    double scale = closed_gradient(j, closed), worst = 0;
    wg_replay(j->tape);
    int64_t weights = j->d * j->k;
    for (int64_t e = 0; e < weights + j->k; e++) {
        const wg_tensor *g = j->gradient[e >= weights];
        double entry = wg_at(g, e >= weights ? e - weights : e);
        double difference = (double)fabsl((long double)entry - closed[e]) / scale;
        if (!(difference <= worst))
            worst = difference; /* a NaN stays */
    }
    ck_assert_msg(worst <= bound, "%s, %s weights: %.3g of the largest entry %.3g", name, where,
                  worst, scale);
}

static void train(task *j, int steps)
{
    wg_optimizer *sgd = wg_sgd_new(j->param, 2, &(wg_sgd_options){.rate = 0.5});
    for (int step = 0; step < steps; step++) {
        wg_replay(j->tape);
        wg_optimizer_step(sgd, j->gradient);
    }
    wg_replay(j->tape);
    ck_assert_msg(wg_tape_status(j->tape) == WG_OK, "%s", wg_tape_message(j->tape));
}

static void check_gradient(int set, wg_dtype dtype, double bound)
{
    task j = task_new(set, dtype);
    compare_gradient(&j, data_sets[set].name, "zero", bound);
    wg_fill_normal(j.param[0], 0, 0.5, 1);
    wg_fill_normal(j.param[1], 0, 0.5, 2);
    compare_gradient(&j, data_sets[set].name, "random", bound);
    train(&j, 60);
    compare_gradient(&j, data_sets[set].name, "trained", bound);
    wg_tape_free(j.tape);
}

START_TEST(test_gradient_f64)
{
    check_gradient(_i, WG_F64, 1e-14);
}
END_TEST

START_TEST(test_gradient_f32)
{
    /* a sum of products in f32, added up in blocks of at most 256 rows: at most 256 * 2^-24 =
     * 1.5e-5 off, and where the roundings are as good as random, about its square root's share:
     * 1e-6 */
    check_gradient(_i, WG_F32, 2e-6);
}
END_TEST

/* hessian[m * m] with m = d + 1, the bias last. Returns the largest entry of |X|^T diag(p(1-p)) |X|
 * / n. */
static double closed_hessian(const task *j, long double *hessian)
{
    int64_t m = j->d + 1;
    static long double size[40 * 40];
    long double p, largest = 0;
    ck_assert_int_le(m, 40);
    for (int64_t e = 0; e < m * m; e++)
        hessian[e] = size[e] = 0;
    for (int64_t i = 0; i < j->n; i++) {
        probabilities(j, i, &p);
        for (int64_t e = 0; e < m * m; e++) {
            long double term = p * (1 - p) * feature(j, i, e / m) * feature(j, i, e % m) /
                               (long double)j->n;
            hessian[e] += term;
            size[e] += fabsl(term);
        }
    }
    for (int64_t e = 0; e < m * m; e++)
        if (size[e] > largest)
            largest = size[e];
    return (double)largest;
}

/* The gradient of <gradient, c>, with c the unit vectors one after the other. */
static void compare_hessian(task *j, const char *name, const char *where)
{
    static long double closed[40 * 40];
    double scale = closed_hessian(j, closed), unit[40] = {0}, worst = 0;
    int64_t m = j->d + 1;
    wg_mark mark = wg_tape_mark(j->tape);
    wg_tensor *c = wg_input(j->tape, "c", WG_F64, WG_SHAPE(m), unit);
    wg_tensor *cw = wg_reshape(wg_slice(c, 0, 0, j->d), WG_SHAPE(1, j->d));
    wg_tensor *cb = wg_slice(c, 0, j->d, m);
    wg_tensor *pw = wg_sum(wg_mul(j->gradient[0], cw)), *pb = wg_sum(wg_mul(j->gradient[1], cb));
    wg_tensor *row[2];
    wg_grad(wg_add(pw, pb), j->param, 2, row);
    for (int64_t i = 0; i < m; i++) {
        for (int64_t f = 0; f < m; f++)
            unit[f] = f == i;
        wg_bind(c, unit);
        wg_replay_to(row, 2);
        for (int64_t f = 0; f < m; f++) {
            double entry = f < j->d ? wg_at(row[0], f) : wg_item(row[1]);
            double difference = (double)fabsl((long double)entry - closed[i * m + f]) / scale;
            if (!(difference <= worst))
                worst = difference;
        }
    }
    ck_assert_msg(wg_tape_status(j->tape) == WG_OK, "%s", wg_tape_message(j->tape));
    ck_assert_msg(worst <= 1e-13, "%s, %s weights: %.3g of the largest entry %.3g", name, where,
                  worst, scale);
    wg_tape_rewind(j->tape, mark);
}

START_TEST(test_hessian)
{
    if (!data_sets[_i].logistic)
        return;
    task j = task_new(_i, WG_F64);
    compare_hessian(&j, data_sets[_i].name, "zero");
    wg_fill_normal(j.param[0], 0, 0.5, 1);
    wg_fill_normal(j.param[1], 0, 0.5, 2);
    wg_replay(j.tape);
    compare_hessian(&j, data_sets[_i].name, "random");
    train(&j, 60);
    compare_hessian(&j, data_sets[_i].name, "trained");
    wg_tape_free(j.tape);
}
END_TEST

Suite *suite_closed_form(void)
{
    Suite *suite = suite_create("closed_form");
    TCase *cases = tcase_create("closed form");
    tcase_add_loop_test(cases, test_gradient_f64, 0, DATA_SETS);
    tcase_add_loop_test(cases, test_gradient_f32, 0, DATA_SETS);
    tcase_add_loop_test(cases, test_hessian, 0, DATA_SETS);
    suite_add_tcase(suite, cases);
    return suite;
}
