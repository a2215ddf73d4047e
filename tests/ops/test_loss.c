/* Losses: closed forms to the last bits, edges, gradients of gradients; errors of all losses. What
 * softmax cross-entropy computes: test_cross_entropy.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/rng.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/softmax.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

#define LABELS(...) ((const int64_t[]){__VA_ARGS__})

static const double inf = HUGE_VAL;

/* ---- Binary cross-entropy -------------------------------------------------------------------- */

static wg_tensor *bce_none(wg_tensor *z, wg_tensor *y)
{
    return wg_bce_with_logits_opt(z, y, &(wg_bce_options){.reduction = WG_NONE});
}

START_TEST(bce_edges)
{
    enum { N = 14 };
    wg_tensor *z = wgt_param(
        t, "z", WG_SHAPE(N),
        VALUES(0, 1e4, 1e4, -1e4, -1e4, inf, inf, -inf, -inf, nan(""), 1e300, 700, -700, 5e-324));
    wg_tensor *y = wg_constant(t, WG_F64, WG_SHAPE(N),
                               VALUES(0.5, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0.25, 1, 0, 1));
    wg_tensor *l = bce_none(z, y);
    const double log2 = log(2), tail = exp(-700);
    assert_values(
        l, N, VALUES(log2, 1e4, 0, 0, 1e4, inf, 0, 0, inf, nan(""), 0.75e300, tail, tail, log2));
    assert_values(wgt_gradient(l, z), N,
                  VALUES(0, 1, 0, 0, -1, 1, 0, 0, -1, nan(""), 0.75, -tail, tail, -0.5));
}
END_TEST

START_TEST(bce_reductions)
{
    wg_tensor *z = wg_constant(t, WG_F64, WG_SHAPE(2, 1), VALUES(0, 0));
    wg_tensor *y = wg_constant(t, WG_F64, WG_SHAPE(2, 1), VALUES(1, 0));
    const double log2 = log(2);
    assert_values(wg_bce_with_logits(z, y), 1, VALUES(log2));
    assert_values(wg_bce_with_logits_opt(z, y, &(wg_bce_options){.reduction = WG_SUM}), 1,
                  VALUES(2 * log2));
    wg_bce_options o = {.reduction = WG_NONE, .positive_weight = 3};
    assert_values(wg_bce_with_logits_opt(z, y, &o), 2, VALUES(3 * log2, log2));
    ck_assert_int_eq(wg_ndim(wg_bce_with_logits_opt(z, y, &o)), 2);
}
END_TEST

START_TEST(bce_derivatives)
{
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(2, 3), 1);
    wg_tensor *y = wgt_param(t, "y", WG_SHAPE(2, 3), VALUES(0, 1, 0.3, 0.9, 0, 1));
    wg_bce_options o = {.reduction = _i % 2 ? WG_MEAN : WG_NONE,
                        .positive_weight = _i < 2 ? 0 : 2.5};
    wgt_assert_derivatives(wg_bce_with_logits_opt(z, y, &o), (wg_tensor *[]){z, y}, 2);
}
END_TEST

/* ---- Against long double --------------------------------------------------------------------- */

enum { ROWS = 500, WIDTH = 20, CLASSES = 5 };

/* A model's data: X, weights, targets, as doubles that are exact in the dtype of the test. */
typedef struct problem {
    double x[ROWS * WIDTH], w[WIDTH * CLASSES];
    int64_t label[ROWS];
    int classes;
} problem;

static problem *problem_new(double scale, int classes, bool f32)
{
    problem *p = malloc(sizeof *p);
    p->classes = classes;
    for (int i = 0; i < ROWS * WIDTH; i++)
        p->x[i] = wg_random_normal(3, 1, (uint64_t)i);
    for (int i = 0; i < WIDTH * classes; i++)
        p->w[i] = scale * wg_random_normal(3, 2, (uint64_t)i);
    for (int i = 0; i < ROWS * WIDTH && f32; i++)
        p->x[i] = (double)(float)p->x[i];
    for (int i = 0; i < WIDTH * classes && f32; i++)
        p->w[i] = (double)(float)p->w[i];
    for (int i = 0; i < ROWS; i++)
        p->label[i] = wg_random_below(3, 3, (uint64_t)i, classes > 1 ? classes : 2);
    return p;
}

/* X as an input, w as a parameter, of a dtype; *memory holds X. */
static void problem_leaves(const problem *p, wg_dtype dtype, void **memory, wg_tensor **x,
                           wg_tensor **w)
{
    size_t n = ROWS * WIDTH, m = (size_t)(WIDTH * p->classes);
    *memory = malloc(n * sizeof(double));
    *w = wg_param(t, "w", dtype, WG_SHAPE(WIDTH, p->classes));
    void *weights = wg_edit(*w);
    for (size_t i = 0; i < n; i++)
        if (dtype == WG_F32)
            ((float *)*memory)[i] = (float)p->x[i];
        else
            ((double *)*memory)[i] = p->x[i];
    for (size_t i = 0; i < m; i++)
        if (dtype == WG_F32)
            ((float *)weights)[i] = (float)p->w[i];
        else
            ((double *)weights)[i] = p->w[i];
    *x = wg_input(t, "X", dtype, WG_SHAPE(ROWS, WIDTH), *memory);
}

/* The residuals p - y of a row, without cancellation. */
static void problem_residuals(const problem *p, int row, long double r[CLASSES])
{
    long double z[CLASSES], sum = 0;
    for (int k = 0; k < p->classes; k++) {
        z[k] = 0;
        for (int j = 0; j < WIDTH; j++)
            z[k] += (long double)p->x[row * WIDTH + j] * (long double)p->w[j * p->classes + k];
    }
    if (p->classes == 1) {
        r[0] = p->label[row] ? -1 / (1 + expl(z[0])) : 1 / (1 + expl(-z[0]));
        return;
    }
    for (int k = 0; k < p->classes; k++)
        sum += expl(z[k]);
    long double others = 0;
    for (int k = 0; k < p->classes; k++) {
        r[k] = expl(z[k]) / sum;
        others += k == p->label[row] ? 0 : r[k];
    }
    r[p->label[row]] = -others;
}

/* The largest |g - X^T(p - y)/n| over the largest |X|^T|p - y|/n. */
static double problem_error(const problem *p, const wg_tensor *g)
{
    long double want[WIDTH * CLASSES] = {0}, size[WIDTH * CLASSES] = {0}, r[CLASSES];
    for (int i = 0; i < ROWS; i++) {
        problem_residuals(p, i, r);
        for (int j = 0; j < WIDTH; j++)
            for (int k = 0; k < p->classes; k++) {
                long double term = (long double)p->x[i * WIDTH + j] * r[k] / ROWS;
                want[j * p->classes + k] += term;
                size[j * p->classes + k] += fabsl(term);
            }
    }
    long double worst = 0, largest = 0;
    for (int i = 0; i < WIDTH * p->classes; i++) {
        worst = fmaxl(worst, fabsl((long double)wg_at(g, i) - want[i]));
        largest = fmaxl(largest, size[i]);
    }
    return (double)(worst / largest);
}

static const double scales[] = {0, 0.3, 3, 30}; /* of the weights: logits up to some hundreds */

START_TEST(regression_gradients)
{
    wg_dtype dtype = _i & 1 ? WG_F32 : WG_F64;
    int classes = _i & 2 ? CLASSES : 1;
    problem *p = problem_new(scales[_i / 4], classes, dtype == WG_F32);
    wg_tensor *x, *w, *g;
    void *memory;
    problem_leaves(p, dtype, &memory, &x, &w);
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(ROWS), p->label);
    wg_tensor *y = wg_reshape(wg_cast(labels, dtype), WG_SHAPE(ROWS, 1));
    wg_tensor *z = wg_matmul(x, w);
    wg_tensor *loss = classes > 1 ? wg_cross_entropy(z, labels) : wg_bce_with_logits(z, y);
    ck_assert_int_eq(wg_grad(loss, &w, 1, &g), WG_OK);
    wgt_assert_close(problem_error(p, g), 0, 0, dtype == WG_F32 ? 1e-6 : 1e-14);
    free(memory);
    free(p);
}
END_TEST

/* Row by row, the gradient of the gradient against X^T diag(p q) X / n. */
START_TEST(logistic_hessian)
{
    problem *p = problem_new(scales[_i], 1, false);
    wg_tensor *x, *w, *g, *row;
    void *memory;
    long double want[WIDTH * WIDTH] = {0}, largest = 0, r[CLASSES];
    problem_leaves(p, WG_F64, &memory, &x, &w);
    for (int i = 0; i < ROWS; i++) {
        problem_residuals(p, i, r);
        long double d = fabsl(r[0]) * (1 - fabsl(r[0])) / ROWS;
        for (int j = 0; j < WIDTH * WIDTH; j++)
            want[j] += d * (long double)p->x[i * WIDTH + j / WIDTH] *
                       (long double)p->x[i * WIDTH + j % WIDTH];
    }
    for (int j = 0; j < WIDTH * WIDTH; j++)
        largest = fmaxl(largest, fabsl(want[j]));
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(ROWS, 1), p->label);
    wg_tensor *loss = wg_bce_with_logits(wg_matmul(x, w), wg_cast(labels, WG_F64));
    wg_grad(loss, &w, 1, &g);
    for (int i = 0; i < WIDTH; i++) {
        double unit[WIDTH] = {0};
        unit[i] = 1;
        wg_vjp(g, wg_constant(t, WG_F64, WG_SHAPE(WIDTH, 1), unit), &w, 1, &row);
        for (int j = 0; j < WIDTH; j++)
            wgt_assert_close(wg_at(row, j), (double)want[i * WIDTH + j], 0,
                             1e-13 * (double)largest);
    }
    free(memory);
    free(p);
}
END_TEST

/* ---- The others ------------------------------------------------------------------------------ */

START_TEST(regression_values)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), VALUES(1, -3, 0.5, 2));
    wg_tensor *y = wg_constant(t, WG_F64, WG_SHAPE(4), VALUES(0, 0, 0, 2));
    assert_values(wg_mse(x, y, WG_MEAN), 1, VALUES(10.25 / 4));
    assert_values(wg_mse(x, y, WG_NONE), 4, VALUES(1, 9, 0.25, 0));
    assert_values(wg_mae(x, y, WG_MEAN), 1, VALUES(4.5 / 4));
    assert_values(wg_mae(x, y, WG_SUM), 1, VALUES(4.5));
    assert_values(wgt_gradient(wg_mae(x, y, WG_SUM), x), 4, VALUES(1, -1, 1, 0));
    assert_values(wg_huber(x, y, 1, WG_MEAN), 1, VALUES((0.5 + 2.5 + 0.125) / 4));
    assert_values(wg_huber(x, y, 2, WG_NONE), 4, VALUES(0.5, 4, 0.125, 0));
    assert_values(wgt_gradient(wg_huber(x, y, 2, WG_NONE), x), 4, VALUES(1, -2, 0.5, 0));
}
END_TEST

START_TEST(hinge_and_kl_values)
{
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(4), VALUES(1, -3, 0.5, 2));
    wg_tensor *y = wg_constant(t, WG_F64, WG_SHAPE(4), VALUES(1, 1, -1, 1));
    wg_tensor *l = wg_hinge(z, y, WG_NONE);
    assert_values(l, 4, VALUES(0, 4, 1.5, 0));
    assert_values(wgt_gradient(l, z), 4, VALUES(0, -1, 1, 0));
    assert_values(wg_hinge(z, y, WG_MEAN), 1, VALUES(5.5 / 4));
    wg_tensor *log_p = wgt_param(t, "log_p", WG_SHAPE(2, 2), VALUES(log(0.5), log(0.5), 0, -inf));
    wg_tensor *q = wg_constant(t, WG_F64, WG_SHAPE(2, 2), VALUES(0.25, 0.75, 1, 0));
    double first = 0.25 * log(0.5) + 0.75 * log(1.5);
    assert_values(wg_kl_divergence(log_p, q, WG_NONE), 2, VALUES(first, 0));
    assert_values(wg_kl_divergence(log_p, q, WG_MEAN), 1, VALUES(first / 2));
    assert_values(wgt_gradient(wg_kl_divergence(log_p, q, WG_MEAN), log_p), 4,
                  VALUES(-0.125, -0.375, -0.5, 0));
}
END_TEST

START_TEST(other_derivatives)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(3, 2), 1);
    wg_tensor *y = wgt_random_param(t, "y", WG_SHAPE(3, 2), 2);
    wg_tensor *l = NULL;
    const wg_reduction reduction = _i % 2 ? WG_NONE : WG_SUM;
    switch (_i / 2) {
    case 0: l = wg_mse(x, y, reduction); break;
    case 1: l = wg_huber(x, y, 0.7, reduction); break;
    case 2: l = wg_hinge(x, y, reduction); break;
    case 3: l = wg_square(wg_mae(x, y, reduction)); break;
    default: l = wg_kl_divergence(x, wg_softmax(y, 1), reduction); break;
    }
    wgt_assert_derivatives(l, (wg_tensor *[]){x, y}, 2);
}
END_TEST

/* ---- Errors ---------------------------------------------------------------------------------- */

static void assert_error(wg_mark mark, wg_status code, const char *part)
{
    wgt_assert_status(t, code, part);
    wg_tape_rewind(t, mark);
}

START_TEST(targets_do_not_broadcast)
{
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(8, 1));
    wg_tensor *y = wg_param(t, "y", WG_F64, WG_SHAPE(8));
    wg_tensor *short_y = wg_param(t, "y", WG_F64, WG_SHAPE(7));
    wg_tensor *labels = wg_full(t, WG_I64, WG_SHAPE(8, 1), 0);
    wg_mark mark = wg_tape_mark(t);
    wg_bce_with_logits(z, y);
    assert_error(
        mark, WG_E_SHAPE,
        "bce_with_logits: losses do not broadcast: reshape the targets to (8, 1): z (8, 1) "
        "x y (8,)");
    wg_bce_with_logits(z, short_y);
    assert_error(mark, WG_E_SHAPE, "make the targets of shape (8, 1)");
    wg_mse(z, y, WG_MEAN);
    assert_error(mark, WG_E_SHAPE,
                 "mse: losses do not broadcast: give both one shape (wg_reshape)");
    wg_hinge(z, short_y, WG_MEAN);
    assert_error(mark, WG_E_SHAPE, "hinge: losses do not broadcast: give both one shape: z (8, 1)");
    wg_cross_entropy(z, labels);
    assert_error(mark, WG_E_SHAPE,
                 "cross_entropy: one label for each row wanted, reshape the labels "
                 "to (8,)");
    wg_cross_entropy(z, y);
    assert_error(mark, WG_E_SHAPE, "soft labels must have the logits' shape");
    wg_kl_divergence(z, y, WG_MEAN);
    assert_error(mark, WG_E_SHAPE, "kl_divergence: losses do not broadcast");
    wg_nll(z, y, NULL);
    assert_error(mark, WG_E_SHAPE, "nll: losses do not broadcast");
}
END_TEST

START_TEST(wrong_labels_and_dtypes)
{
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(3, 4));
    wg_tensor *f = wg_param(t, "f", WG_F32, WG_SHAPE(3, 4));
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(3), LABELS(0, 4, 1));
    wg_tensor *minus = wg_constant(t, WG_I64, WG_SHAPE(3), LABELS(0, 1, -1));
    wg_tensor *i = wg_full(t, WG_I64, WG_SHAPE(3, 4), 1);
    wg_mark mark = wg_tape_mark(t);
    wg_cross_entropy(z, y);
    assert_error(mark, WG_E_INDEX, "cross_entropy: label 4 at 1 is none of 4 classes");
    wg_nll(z, minus, NULL);
    assert_error(mark, WG_E_INDEX, "label -1 at 2 is none of 4 classes");
    wg_cross_entropy(z, f);
    assert_error(mark, WG_E_DTYPE, "z (3, 4) f64 x f (3, 4) f32");
    wg_cross_entropy(i, i);
    assert_error(mark, WG_E_DTYPE, "logits of f32 or f64 wanted");
    wg_bce_with_logits(z, i);
    assert_error(mark, WG_E_DTYPE, "bce_with_logits");
    wg_cross_entropy(wg_scalar(t, WG_F64, 1), y);
    assert_error(mark, WG_E_SHAPE, "logits need an axis of classes");
    ck_assert(wg_is_inert(wg_cross_entropy(NULL, y)));
    assert_error(mark, WG_E_NULL, "cross_entropy: operand 0 is NULL");
    ck_assert(wg_is_inert(wg_bce_with_logits(z, NULL)));
    assert_error(mark, WG_E_NULL, "bce_with_logits: operand 1 is NULL");
    ck_assert(wg_is_inert(wg_mse(z, NULL, WG_MEAN)));
    ck_assert(wg_is_inert(wg_nll(NULL, NULL, NULL)));
}
END_TEST

/* Labels of -1 and 1, 1 and 2: the loss had no lower bound. Known targets alone: what is computed, or
 * is a parameter that differences move over the edge, is not asked. */
START_TEST(bce_targets_outside)
{
    wg_tensor *z = wg_param(t, "z", WG_F32, WG_SHAPE(3));
    const double signs[] = {1, 0, -1}, from_1[] = {1, 2, 1}, soft[] = {0, 0.25, 1};
    wg_mark mark = wg_tape_mark(t);
    wg_bce_with_logits(z, wg_constant_from(t, WG_F32, WG_SHAPE(3), signs));
    assert_error(mark, WG_E_VALUE, "bce_with_logits: target -1 at 2 is outside [0, 1]: ");
    wg_bce_with_logits(z, wg_input(t, "y", WG_F32, WG_SHAPE(3), (const float[]){1, 2, 1}));
    assert_error(mark, WG_E_VALUE, "bce_with_logits: target 2 at 1 is outside [0, 1]: y (3,)");
    wg_bce_with_logits(z, wg_full(t, WG_F32, WG_SHAPE(3), 1 + 0x1p-23)); /* "1" says nothing */
    assert_error(mark, WG_E_VALUE, "bce_with_logits: target 1.00000011920928");
    wg_bce_with_logits(z, wg_constant_from(t, WG_F32, WG_SHAPE(3), soft));
    wg_bce_with_logits(z, wg_shift(wg_constant_from(t, WG_F32, WG_SHAPE(3), from_1), -1));
    wg_bce_with_logits(z, wg_shift(z, 3));
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_bce_with_logits(z,
                       wg_reshape(wg_constant_from(t, WG_F32, WG_SHAPE(3, 1), signs), WG_SHAPE(3)));
    assert_error(mark, WG_E_VALUE, "bce_with_logits: target -1 at 2 is outside [0, 1]: ");
}
END_TEST

/* What is bound to an input later is looked at as it was when the loss was recorded, by replays of
 * the loss and of its gradient alone. */
START_TEST(bce_targets_outside_in_a_replay)
{
    const float good[] = {1, 0.25F, 0}, bad[] = {1, -1, 0};
    const double good_64[] = {1, 0.25, 0}, bad_64[] = {1, -1, 0};
    const bool single = _i & 1, view = _i & 2;
    const wg_dtype dtype = single ? WG_F32 : WG_F64;
    wg_tensor *z = wg_param(t, "z", dtype, WG_SHAPE(3)), *g;
    wg_tensor *y = wg_input(t, "y", dtype, WG_SHAPE(3), single ? (const void *)good : good_64);
    wg_tensor *l = wg_bce_with_logits(z, view ? wg_reshape(y, WG_SHAPE(3)) : y);
    ck_assert_int_eq(wg_grad(l, &z, 1, &g), WG_OK);
    const wg_mark mark = wg_tape_mark(t);
    for (int i = 0; i < 2; i++) {
        wg_bind(y, single ? (const void *)bad : bad_64);
        ck_assert_int_eq(i ? wg_replay(t) : wg_replay_to(&g, 1), WG_E_VALUE);
        assert_error(mark, WG_E_VALUE, "bce_with_logits: target -1 at 1 is outside [0, 1]: ");
    }
    wg_bind(y, single ? (const void *)good : good_64);
    ck_assert_int_eq(wg_replay(t), WG_OK);
}
END_TEST

START_TEST(wrong_options)
{
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(3, 4));
    wg_tensor *y = wg_full(t, WG_I64, WG_SHAPE(3), 1);
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(3));
    wg_mark mark = wg_tape_mark(t);
    wg_cross_entropy_opt(z, y, &(wg_cross_entropy_options){.smoothing = 1.5});
    assert_error(mark, WG_E_VALUE, "cross_entropy: smoothing must be from 0 to 1");
    wg_cross_entropy_opt(z, y, &(wg_cross_entropy_options){.weights = w});
    assert_error(mark, WG_E_VALUE, "cross_entropy: weights must have one number for each class");
    wg_cross_entropy_opt(z, z, &(wg_cross_entropy_options){.ignore = true});
    assert_error(mark, WG_E_VALUE, "only class indices can be ignored");
    wg_bce_with_logits_opt(z, z, &(wg_bce_options){.positive_weight = -1});
    assert_error(mark, WG_E_VALUE, "bce_with_logits: positive_weight must be > 0");
    wg_huber(z, z, nan(""), WG_MEAN);
    assert_error(mark, WG_E_VALUE, "huber: delta must be > 0");
    wg_mse(z, z, (wg_reduction)7);
    assert_error(mark, WG_E_VALUE, "mse: the reduction is none of");
}
END_TEST

/* Labels that are bound anew are checked when the tape is replayed. */
START_TEST(labels_are_checked_in_replay)
{
    const int64_t good[] = {0, 1}, bad[] = {0, 2};
    wg_tensor *z = wg_param(t, "z", WG_F64, WG_SHAPE(2, 2));
    wg_tensor *y = wg_input(t, "y", WG_I64, WG_SHAPE(2), good);
    wg_cross_entropy(z, y);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wg_bind(y, bad);
    ck_assert_int_eq(wg_replay(t), WG_E_INDEX);
    wgt_assert_status(t, WG_E_INDEX, "label 2 at 1 is none of 2 classes");
}
END_TEST

Suite *suite_loss(void)
{
    Suite *s = suite_create("loss");
    TCase *c = tcase_create("loss");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, bce_edges);
    tcase_add_test(c, bce_reductions);
    tcase_add_loop_test(c, bce_derivatives, 0, 4);
    tcase_add_loop_test(c, regression_gradients, 0, 16);
    tcase_add_loop_test(c, logistic_hessian, 0, 4);
    tcase_add_test(c, regression_values);
    tcase_add_test(c, hinge_and_kl_values);
    tcase_add_loop_test(c, other_derivatives, 0, 10);
    tcase_add_test(c, targets_do_not_broadcast);
    tcase_add_test(c, wrong_labels_and_dtypes);
    tcase_add_test(c, bce_targets_outside);
    tcase_add_loop_test(c, bce_targets_outside_in_a_replay, 0, 4);
    tcase_add_test(c, wrong_options);
    tcase_add_test(c, labels_are_checked_in_replay);
    suite_add_tcase(s, c);
    return s;
}
