/* Softmax cross-entropy: edges, options, ignored and weightless rows, accuracy, derivatives. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "autograd/derivatives/derivatives.h"
#include "autograd/rng.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

#define LABELS(...) ((const int64_t[]){__VA_ARGS__})

static const double inf = HUGE_VAL;

static wg_tensor *ce_none(wg_tensor *z, wg_tensor *labels)
{
    return wg_cross_entropy_opt(z, labels, &(wg_cross_entropy_options){.reduction = WG_NONE});
}

static wg_tensor *edge_logits(void)
{
    return wgt_param(t, "z", WG_SHAPE(9, 3),
                     VALUES(0, 0, 0, 1e4, -1e4, 0, 1e4, -1e4, 0, inf, 0, 0, inf, 0, 0, -inf, 0, 0,
                            -inf, -inf, -inf, 1, nan(""), 2, 50, 0, -inf));
}

static const double edge_losses[] = {0, 0, 2e4, 0, HUGE_VAL, HUGE_VAL, HUGE_VAL, (double)NAN, 0};

static const double edge_derivatives[] = {
    0,  0,  0,   0,   0, 0,  1, -1,          0,           0,           0, 0, 1, 0,
    -1, -1, 0.5, 0.5, 0, -1, 0, (double)NAN, (double)NAN, (double)NAN, 0, 0, 0};

/* Row 0 is a third each; row 8 is nearly certain, with a loss of log1p(exp(-50)). */
static void edge_wants(double losses[9], double derivatives[27])
{
    memcpy(losses, edge_losses, sizeof edge_losses);
    memcpy(derivatives, edge_derivatives, sizeof edge_derivatives);
    const double rest = exp(-50);
    losses[0] = log(3), losses[8] = rest;
    derivatives[0] = -2.0 / 3, derivatives[1] = derivatives[2] = 1.0 / 3;
    derivatives[24] = -rest, derivatives[25] = rest;
}

START_TEST(cross_entropy_edges)
{
    double losses[9], derivatives[27], targets[27] = {0};
    const int64_t labels[] = {0, 0, 1, 0, 2, 0, 1, 0, 0};
    edge_wants(losses, derivatives);
    for (int i = 0; i < 9; i++)
        targets[3 * i + labels[i]] = 1;
    wg_tensor *z = edge_logits();
    wg_tensor *y = _i == 0 ? wg_constant(t, WG_I64, WG_SHAPE(9), labels)
                           : wg_constant(t, WG_F64, WG_SHAPE(9, 3), targets);
    wg_tensor *l = ce_none(z, y);
    assert_values(l, 9, losses);
    assert_values(wgt_gradient(l, z), 27, derivatives);
}
END_TEST

/* Nearly certain rows with nearly certain targets: neither 1 - p nor 1 - q may round to 0. */
START_TEST(tiny_soft_derivatives)
{
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(2, 2), VALUES(60, 0, 40, 0));
    wg_tensor *q = wg_constant(t, WG_F64, WG_SHAPE(2, 2), VALUES(1, 1e-20, 1, 1e-20));
    const double first = 1e-20 - exp(-60), second = 1e-20 - exp(-40); /* to within 1e-17 of it */
    assert_values(wgt_gradient(ce_none(z, q), z), 4, VALUES(first, -first, second, -second));
}
END_TEST

/* l and the mean from the formula, with every option. */
START_TEST(cross_entropy_options)
{
    enum { N = 4, C = 3 };
    const int64_t labels[N] = {2, 0, 9, 1};
    const double weights[C] = {0.5, 2, 1.25};
    double e = _i & 1 ? 0.1 : 0, total = 0, divisor = 0, want[N];
    bool weighted = _i & 2;
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(N, C), 9);
    wg_tensor *w = wg_constant(t, WG_F64, WG_SHAPE(C), weights);
    wg_cross_entropy_options o = {WG_NONE, weighted ? w : NULL, e, true, 9};
    for (int i = 0; i < N; i++) {
        long double sum = 0;
        want[i] = 0;
        for (int k = 0; k < C; k++)
            sum += expl((long double)wg_at(z, i * C + k));
        for (int k = 0; k < C && labels[i] != 9; k++) {
            double q = (weighted ? weights[k] : 1) * ((1 - e) * (labels[i] == k) + e / C);
            want[i] += q * (double)(logl(sum) - (long double)wg_at(z, i * C + k));
        }
        total += want[i];
        divisor += labels[i] == 9 ? 0 : weighted ? weights[labels[i]] : 1;
    }
    for (int nll = 0; nll < 2; nll++) {
        wg_tensor *in = nll ? wg_log_softmax(z, 1) : z;
        wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(N), labels);
        o.reduction = WG_NONE;
        wg_tensor *l = nll ? wg_nll(in, y, &o) : wg_cross_entropy_opt(in, y, &o);
        wgt_assert_all_close(wg_data_f64(l), want, N, 1e-14, 1e-15);
        o.reduction = WG_MEAN;
        l = nll ? wg_nll(in, y, &o) : wg_cross_entropy_opt(in, y, &o);
        wgt_assert_close(wg_item(l), total / divisor, 1e-14, 0);
        o.reduction = WG_SUM;
        l = nll ? wg_nll(in, y, &o) : wg_cross_entropy_opt(in, y, &o);
        wgt_assert_close(wg_item(l), total, 1e-14, 0);
    }
}
END_TEST

/* A row that is ignored has no loss and no derivative, whatever its logits are. */
START_TEST(ignored_rows)
{
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(3, 2), VALUES(0, 0, nan(""), inf, 0, 0));
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(3), LABELS(0, -1, 1));
    wg_cross_entropy_options o = {.ignore = true, .ignored_label = -1};
    wg_tensor *l = wg_cross_entropy_opt(z, y, &o);
    assert_values(l, 1, VALUES(log(2)));
    assert_values(wgt_gradient(l, z), 6, VALUES(-0.25, 0.25, 0, 0, 0.25, -0.25));
    wg_tensor *none = wg_constant(t, WG_I64, WG_SHAPE(3), LABELS(-1, -1, -1));
    assert_values(wg_cross_entropy_opt(z, none, &o), 1, VALUES(nan(""))); /* a mean over nothing */
}
END_TEST

/* Few classes are computed in groups of rows, many row by row: classes of probability 0 that are
 * added change the way, and the numbers by rounding: in a single row z - largest, here between -16
 * and 0, is off by up to 2^-50, and its exponential by 4 eps; groups are within 12. 19 rows: a
 * group and a part of one, with ignored rows in both. */
START_TEST(groups_and_single_rows)
{
    enum { ROWS = 19, FEW = 10, MANY = 70 };
    static double few[ROWS * FEW], many[ROWS * MANY], derivative[ROWS * MANY];
    int64_t labels[ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
        labels[i] = i % 8 == 5 ? -1 : i * 7 % FEW;
        for (int64_t k = 0; k < MANY; k++)
            many[i * MANY + k] = k < FEW ? 3 * wg_random_normal(1, 2, (uint64_t)(i * FEW + k))
                                         : -inf;
        memcpy(few + i * FEW, many + i * MANY, FEW * sizeof *few);
    }
    wg_cross_entropy_options o = {.ignore = true, .ignored_label = -1, .reduction = WG_NONE};
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(ROWS), labels);
    wg_tensor *z = wgt_param(t, "few", WG_SHAPE(ROWS, FEW), few);
    wg_tensor *wide = wgt_param(t, "many", WG_SHAPE(ROWS, MANY), many);
    wg_tensor *l = wg_cross_entropy_opt(z, y, &o), *l_wide = wg_cross_entropy_opt(wide, y, &o);
    assert_values(l, ROWS, l_wide->data);
    const double *g = wgt_gradient(wg_sum(l), z)->data;
    for (int64_t i = 0; i < ROWS * MANY; i++)
        derivative[i] = i % MANY < FEW ? g[i / MANY * FEW + i % MANY] : 0;
    const double *g_wide = wgt_gradient(wg_sum(l_wide), wide)->data;
    for (int64_t i = 0; i < ROWS * MANY; i++)
        wgt_assert_close(g_wide[i], derivative[i], 16 * DBL_EPSILON, 0);
}
END_TEST

/* The losses of logits in float against those of the same logits in double, which are exact here.
 * `bounds` in units of FLT_EPSILON: for the losses, and for the derivatives (loss.h of the
 * kernels). */
static void assert_float_losses(wg_tensor *z, wg_tensor *labels, const double bounds[2])
{
    wg_tensor *loss[2], *derivative[2];
    for (int wide = 0; wide < 2; wide++) {
        wg_tensor *x = wide ? wg_cast(z, WG_F64) : z, *y = wg_cast(labels, x->dtype);
        loss[wide] = wg_dim(z, 1) == 1
                         ? wg_bce_with_logits_opt(x, wg_reshape(y, z->shape.ndim, z->shape.dim),
                                                  &(wg_bce_options){.reduction = WG_NONE})
                         : wg_cross_entropy_opt(x, labels,
                                                &(wg_cross_entropy_options){.reduction = WG_NONE});
        derivative[wide] = wgt_gradient(wg_sum(loss[wide]), x);
    }
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    for (int64_t i = 0; i < wg_size(loss[0]); i++)
        wgt_assert_close(wg_at(loss[0], i), wg_at(loss[1], i), bounds[0] * (double)FLT_EPSILON,
                         (double)FLT_MIN);
    for (int64_t i = 0; i < wg_size(derivative[0]); i++)
        wgt_assert_close(wg_at(derivative[0], i), wg_at(derivative[1], i),
                         bounds[1] * (double)FLT_EPSILON, (double)FLT_MIN);
}

static const double float_scales[] = {1e-3, 0.3, 3, 30};

START_TEST(float_accuracy)
{
    enum { ROWS = 1000 };
    static const int64_t classes[] = {1, 2, 10, 64};
    int64_t labels[ROWS];
    const int64_t c = classes[_i % 4];
    for (int64_t i = 0; i < ROWS; i++)
        labels[i] = i * 7 % (c > 1 ? c : 2);
    wg_tensor *z = wg_param(t, "z", WG_F32, WG_SHAPE(ROWS, c));
    ck_assert_int_eq(wg_fill_normal(z, 0, float_scales[_i / 4], 5), WG_OK);
    assert_float_losses(z, wg_constant(t, WG_I64, WG_SHAPE(ROWS), labels),
                        c == 1 ? (const double[]){4, 4} : (const double[]){8, 8});
}
END_TEST

/* Targets between 0 and 1, and a weight: the bounds of ops/kernels/loss.h, where the derivative's
 * is of the sum of its two terms' magnitudes. */
START_TEST(targets_between)
{
    enum { N = 2000 };
    const wg_dtype dtype = _i % 2 ? WG_F64 : WG_F32;
    const double epsilon = dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double bound = (dtype == WG_F32 ? 4 : 10) * epsilon;
    const long double bound_dz = (long double)(dtype == WG_F32 ? 5 * epsilon : 8 * epsilon);
    wg_tensor *z = wg_param(t, "z", dtype, WG_SHAPE(N)), *y = wg_param(t, "y", dtype, WG_SHAPE(N));
    wg_fill_normal(z, 0, float_scales[_i / 2], 5);
    wg_fill_uniform(y, 0, 1, 6);
    wg_tensor *l = wg_bce_with_logits_opt(
        z, y, &(wg_bce_options){.reduction = WG_NONE, .positive_weight = 2.5});
    wg_tensor *dz = wgt_gradient(wg_sum(l), z);
    for (int64_t i = 0; i < N; i++) {
        const long double x = (long double)wg_at(z, i), target = (long double)wg_at(y, i);
        const long double c = 1 - target, w = 2.5L * target, p = 1 / (1 + expl(-x));
        const long double q = 1 / (1 + expl(x)), tail = log1pl(expl(-fabsl(x)));
        const long double want = c * (fmaxl(x, 0) + tail) + w * (fmaxl(-x, 0) + tail);
        wgt_assert_close(wg_at(l, i), (double)want, bound, 0);
        const long double error = fabsl((long double)wg_at(dz, i) - (c * p - w * q));
        ck_assert_ldouble_le(error, bound_dz * (c * p + w * q));
    }
}
END_TEST

START_TEST(zero_weights)
{
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(2, 2), VALUES(0, -inf, 0, 0));
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(2), LABELS(1, 0));
    wg_tensor *w = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(1, 0));
    wg_tensor *l = wg_cross_entropy_opt(z, y, &(wg_cross_entropy_options){.weights = w});
    assert_values(l, 1, VALUES(log(2)));
    assert_values(wgt_gradient(l, z), 4, VALUES(0, 0, -0.5, 0.5));
}
END_TEST

/* The Hessian of a row is diag(p) - p p', whose entries for a certain row are as small as the
 * others' probabilities: p q, with 1 - p computed and not subtracted. At a gap of 40: 4.248e-18. */
START_TEST(certain_rows_hessian)
{
    static const double gaps[] = {1, 30, 40, 300, 700};
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        const double e = exp(-gaps[i]), pq = e / ((1 + e) * (1 + e));
        wg_tensor *z = wgt_param(t, "z", WG_SHAPE(1, 2), VALUES(gaps[i], 0));
        wg_tensor *label = wg_constant(t, WG_I64, WG_SHAPE(1), LABELS(0));
        wg_tensor *soft = wg_constant(t, WG_F64, WG_SHAPE(1, 2), VALUES(1, 0));
        wg_tensor *ls[] = {wg_cross_entropy(z, label), wg_cross_entropy(z, soft),
                           wg_nll(wg_log_softmax(z, 1), label, NULL)};
        for (int k = 0; k < 3; k++) {
            wg_tensor *h = wg_hessian(ls[k], &z, 1);
            for (int j = 0; j < 4; j++)
                wgt_assert_close(wg_at(h, j), j == 0 || j == 3 ? pq : -pq, 1e-14, 0);
        }
    }
}
END_TEST

static void assert_finite(const wg_tensor *x, const char *what, int turn)
{
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    for (int64_t i = 0; i < wg_size(x); i++)
        ck_assert_msg(isfinite(wg_at(x, i)), "%s %d: entry %d is %g", what, turn, (int)i,
                      wg_at(x, i));
}

/* Rows that are ignored, or whose class or soft labels have no weight, may hold anything: losses,
 * derivatives by logits and by weights, and Hessians are as if they were not there. */
START_TEST(rows_without_weight_may_hold_nan)
{
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(4, 3),
                             VALUES(1, 2, 3, nan(""), inf, 0, nan(""), nan(""), nan(""), 0, 2, 1));
    wg_tensor *w = wgt_param(t, "w", WG_SHAPE(3), VALUES(0.5, 2, 0));
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(4), LABELS(0, -5, 2, 1));
    wg_tensor *ignored = wg_constant(t, WG_I64, WG_SHAPE(4), LABELS(0, -5, -5, 1));
    wg_tensor *soft = wg_constant(t, WG_F64, WG_SHAPE(4, 3),
                                  VALUES(0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0.2, 0.3, 0.5));
    const bool by_weights = _i & 1, smooth = _i & 2, nll = _i & 4, is_soft = _i & 8;
    wg_cross_entropy_options o = {.reduction = WG_SUM,
                                  .weights = by_weights ? w : NULL,
                                  .smoothing = smooth && !is_soft ? 0.1 : 0,
                                  .ignore = !is_soft,
                                  .ignored_label = is_soft ? 0 : -5};
    wg_tensor *in = nll ? wg_log_softmax(z, 1) : z, *g[2];
    wg_tensor *y = is_soft ? soft : by_weights && !smooth ? labels : ignored;
    wg_tensor *l = nll ? wg_nll(in, y, &o) : wg_cross_entropy_opt(in, y, &o);
    assert_finite(l, "loss", _i);
    wg_grad(l, (wg_tensor *[]){z, w}, 2, g);
    assert_finite(g[0], "dz", _i);
    assert_values(wg_slice(g[0], 0, 1, 3), 6, VALUES(0, 0, 0, 0, 0, 0));
    if (y == ignored) /* else a weight's derivative is the loss of its rows: NaN */
        assert_finite(g[1], "dw", _i);
    assert_finite(wg_hessian(l, &z, 1), "Hessian", _i);
}
END_TEST

START_TEST(more_and_fewer_axes)
{
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(2, 3, 4), 3);
    wg_tensor *y = wg_constant(t, WG_I64, WG_SHAPE(2, 3), LABELS(0, 1, 2, 3, 0, 1));
    wg_tensor *flat = wg_cross_entropy(wg_reshape(z, WG_SHAPE(6, 4)), wg_reshape(y, WG_SHAPE(6)));
    assert_values(wg_cross_entropy(z, y), 1, VALUES(wg_item(flat)));
    wg_tensor *one = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(0, 0));
    wg_tensor *label = wg_full(t, WG_I64, WG_SCALAR, 1);
    assert_values(wg_cross_entropy(one, label), 1, VALUES(log(2)));
    wg_tensor *no_rows = wg_constant(t, WG_F64, WG_SHAPE(0, 4), NULL);
    wg_tensor *no_labels = wg_constant(t, WG_I64, WG_SHAPE(0), NULL);
    assert_values(wg_cross_entropy(no_rows, no_labels), 1, VALUES(nan("")));
}
END_TEST

START_TEST(cross_entropy_derivatives)
{
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(4, 3), 1);
    wg_tensor *soft = wgt_param(t, "t", WG_SHAPE(4, 3),
                                VALUES(0.2, 0.3, 0.5, 1, 0, 0, 0, 0.9, 0.1, 0.4, 0.4, 0.2));
    wg_tensor *w = wgt_param(t, "w", WG_SHAPE(3), VALUES(0.5, 2, 1.5));
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(4), LABELS(2, 0, -5, 1));
    bool index = _i & 1, nll = _i & 8;
    wg_cross_entropy_options o = {.reduction = _i & 16 ? WG_MEAN : WG_NONE,
                                  .weights = _i & 2 ? w : NULL,
                                  .smoothing = _i & 4 ? 0.2 : 0,
                                  .ignore = index,
                                  .ignored_label = -5};
    wg_tensor *in = nll ? wg_log_softmax(z, 1) : z, *y = index ? labels : soft;
    wg_tensor *l = nll ? wg_nll(in, y, &o) : wg_cross_entropy_opt(in, y, &o);
    wgt_assert_derivatives(l, (wg_tensor *[]){z, w, soft}, 3);
}
END_TEST

START_TEST(plain_labels_derivatives)
{
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(4, 3), 1);
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(4), LABELS(2, 0, 0, 1));
    wgt_assert_derivatives(wg_cross_entropy(z, labels), &z, 1);
}
END_TEST

Suite *suite_cross_entropy(void)
{
    Suite *suite = suite_create("cross_entropy");
    TCase *cases = tcase_create("cross_entropy");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, cross_entropy_edges, 0, 2);
    tcase_add_test(cases, tiny_soft_derivatives);
    tcase_add_loop_test(cases, cross_entropy_options, 0, 4);
    tcase_add_test(cases, ignored_rows);
    tcase_add_test(cases, groups_and_single_rows);
    tcase_add_loop_test(cases, float_accuracy, 0, 16);
    tcase_add_loop_test(cases, targets_between, 0, 8);
    tcase_add_test(cases, zero_weights);
    tcase_add_test(cases, certain_rows_hessian);
    tcase_add_loop_test(cases, rows_without_weight_may_hold_nan, 0, 16);
    tcase_add_test(cases, more_and_fewer_axes);
    tcase_add_loop_test(cases, cross_entropy_derivatives, 0, 32);
    tcase_add_test(cases, plain_labels_derivatives);
    suite_add_tcase(suite, cases);
    return suite;
}
