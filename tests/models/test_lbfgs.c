/* L-BFGS, its line search, and losses as objectives. */
#include "models/wengert.h"
#include "tests/models/optima.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

/* ---- Optima. --------------------------------------------------------------------------------- */

static const double tolerances[] = {1e-10, 1e-14};

START_TEST(test_lbfgs_optima)
{
    const wgt_model m = wgt_model_new(tape, _i / 2);
    const int64_t size = wg_tape_size(tape);
    const wg_minimizer_options options = {.tolerance = tolerances[_i % 2]};
    const wg_optimum found = wg_minimize(m.loss, m.param, 2, &options);
    ck_assert_int_eq(wg_tape_size(tape), size); /* nothing is left behind */
    wgt_assert_optimum(&m, &found, options.tolerance);
    wgt_assert_that(found.iterations, <, 200);
    wgt_assert_that(found.evaluations, <, 250);
}
END_TEST

/* Without a penalty, all digits of the parameters that are known. */
START_TEST(test_lbfgs_parameters)
{
    const wgt_model m = wgt_model_new(tape, 3);
    ck_assert_ptr_nonnull(wg_edit(m.param[0])); /* the loss is stale, and replayed first */
    wg_minimize(m.loss, m.param, 2, &(wg_minimizer_options){.tolerance = 1e-12});
    wgt_assert_close(wg_at(m.param[0], 0), 1.00126071, 0, 5.1e-9);
    wgt_assert_close(wg_at(m.param[0], 1), 4.18331065, 0, 5.1e-9);
    wgt_assert_close(wg_item(m.param[1]), -0.88586683, 0, 5.1e-9);
}
END_TEST

START_TEST(test_lbfgs_rosenbrock)
{
    static const int64_t sizes[] = {2, 3, 10, 16};
    const int64_t n = sizes[_i];
    const wg_objective f = wgt_rosenbrock(tape, n);
    double x[16];
    wgt_rosenbrock_start(n, x);
    wg_minimizer *l = wg_minimizer_new(&f,
                                       &(wg_minimizer_options){.tolerance = 1e-10, .history = 5});
    const wg_optimum found = wg_minimizer_run(l, x);
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_that(found.evaluations, <, 400);
    if (found.value < 1) /* for n >= 4 there is a second minimum, near (-1, 1, ..., 1) */
        for (int64_t i = 0; i < n; i++)
            wgt_assert_close(x[i], 1, 0, 1e-9);
    else
        wgt_assert_close(x[0], -1, 0, 0.1);
}
END_TEST

/* f32: x is rounded, and the gradient is as small as that lets it be. */
START_TEST(test_lbfgs_f32)
{
    wg_table *data = wg_csv_read(tape, "examples/data/breast_cancer.csv",
                                 &(wg_csv_options){.f32 = true});
    wg_linear_model m = wg_logistic_new(wg_standardize(wg_table_features(data)),
                                        wg_table_labels(data), &(wg_linear_model_options){.C = 1});
    wg_tensor *params[] = {m.W, m.b};
    const wg_optimum found = wg_minimize(m.loss, params, 2,
                                         &(wg_minimizer_options){.tolerance = 1e-5});
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(found.value, wgt_optima[0].objective, 1e-5, 0);
}
END_TEST

/* ---- Stopping. ------------------------------------------------------------------------------- */

static double bowl(const double x[], double g[], void *user)
{
    (void)user;
    g[0] = 2 * (x[0] - 3);
    g[1] = 20 * x[1];
    return (x[0] - 3) * (x[0] - 3) + 10 * x[1] * x[1];
}

/* The sign of the gradient is wrong: there is no step that lowers the value. */
static double liar(const double x[], double g[], void *user)
{
    const double value = bowl(x, g, user);
    g[0] = -g[0];
    g[1] = -g[1];
    return value;
}

/* -log x + x: infinite or NaN for x <= 0, minimum 1 at 1. */
static double fence(const double x[], double g[], void *user)
{
    (void)user;
    g[0] = 1 - 1 / x[0];
    return x[0] - log(x[0]);
}

static double cliff(const double x[], double g[], void *user)
{
    (void)x;
    (void)user;
    g[0] = 1;
    return (double)NAN;
}

static wg_optimum run(double (*f)(const double[], double[], void *), int64_t n, double x[],
                      wg_minimizer_options options)
{
    const wg_objective objective = {.tape = tape, .n = n, .value_and_gradient = f};
    return wg_minimizer_run(wg_minimizer_new(&objective, &options), x);
}

/* No step can be told from a gradient whose square overflows. */
static double steep(const double x[], double gradient[], void *user)
{
    (void)user;
    gradient[0] = gradient[1] = 1e300;
    return 1e300 * (x[0] + x[1]);
}

START_TEST(test_lbfgs_stops)
{
    double x[] = {-5, 2};
    wg_optimum found = run(bowl, 2, x, (wg_minimizer_options){.iterations = 1});
    wgt_assert_that(found.stop, ==, WG_STOP_ITERATIONS);
    wgt_assert_that(found.iterations, ==, 1);
    wgt_assert_that(found.value, <, 104);
    found = run(bowl, 2, x, (wg_minimizer_options){.value_tolerance = 0.5});
    wgt_assert_that(found.stop, ==, WG_STOP_VALUE);
    found = run(bowl, 2, x, (wg_minimizer_options){.tolerance = 1e-12});
    wgt_assert_that(found.stop, ==, WG_STOP_GRADIENT);
    wgt_assert_that(found.gradient_norm, <=, 1e-12);
    wgt_assert_close(x[0], 3, 1e-12, 0);
    found = run(bowl, 2, x, (wg_minimizer_options){.tolerance = 1e-8});
    wgt_assert_that(found.stop, ==, WG_STOP_GRADIENT);
    wgt_assert_that(found.evaluations, ==, 1);
    wgt_assert_that(found.iterations, ==, 0);
    double y[] = {1, 1};
    found = run(liar, 2, y, (wg_minimizer_options){.tolerance = 1e-8});
    wgt_assert_that(found.stop, ==, WG_STOP_LINE_SEARCH);
    wgt_assert_that(y[0], ==, 1);
    wgt_assert_that(y[1], ==, 1);
    wgt_assert_that(found.value, ==, 14);
    double z = 1000;
    found = run(fence, 1, &z, (wg_minimizer_options){.tolerance = 1e-10});
    wgt_assert_that(found.stop, ==, WG_STOP_GRADIENT);
    wgt_assert_close(z, 1, 1e-9, 0);
    found = run(cliff, 1, &z, (wg_minimizer_options){.tolerance = 1e-10});
    wgt_assert_that(found.stop, ==, WG_STOP_NOT_FINITE);
    found = run(steep, 2, y, (wg_minimizer_options){.tolerance = 1e-10});
    wgt_assert_that(found.stop, ==, WG_STOP_NOT_FINITE);
    ck_assert_str_eq(wg_stop_text(WG_STOP_GRADIENT), "the gradient is as small as was asked for");
    ck_assert_str_eq(wg_stop_text((wg_stop)99), "?");
}
END_TEST

/* ---- The line search. ------------------------------------------------------------------------ */

/* Along every step that L-BFGS takes, both strong Wolfe conditions hold, whatever the first step
 * was. */
START_TEST(test_line_search_wolfe)
{
    const wg_objective f = wgt_rosenbrock(tape, 2);
    for (int k = -6; k <= 6; k++) {
        wg_minimizer *l = wg_minimizer_new(&f, &(wg_minimizer_options){.iterations = 1});
        double x[2], g[2], h[2], d[2];
        wgt_rosenbrock_start(2, x);
        x[0] *= ldexp(1, k);
        const double y[] = {x[0], x[1]}, before = f.value_and_gradient(x, g, f.user);
        const wg_optimum found = wg_minimizer_run(l, x);
        const double after = f.value_and_gradient(x, h, f.user);
        ck_assert_int_eq(found.stop, WG_STOP_ITERATIONS);
        d[0] = x[0] - y[0];
        d[1] = x[1] - y[1];
        const double derivative = g[0] * d[0] + g[1] * d[1], end = h[0] * d[0] + h[1] * d[1];
        wgt_assert_that(derivative, <, 0);
        wgt_assert_that(after, <=, before + 1e-4 * derivative);
        wgt_assert_that(fabs(end), <=, -0.9 * derivative);
        wgt_assert_that(after, ==, found.value);
    }
}
END_TEST

/* The least value is told at the start alone; elsewhere *user more. */
static double noisy(const double x[], double g[], void *user)
{
    g[0] = 2 * x[0];
    return x[0] == 1e-3 ? 1 : 1 + *(double *)user;
}

/* Values that differ by less than the noise are equal: by default a few roundings. */
START_TEST(test_line_search_noise)
{
    double above[] = {1e-6, 1e-6, 1e-15};
    const double noise[] = {1e-5, 0, 0};
    for (int k = 0; k < 3; k++) {
        double x = 1e-3;
        const wg_objective f = {.tape = tape,
                                .n = 1,
                                .value_and_gradient = noisy,
                                .user = &above[k],
                                .noise = noise[k]};
        const wg_minimizer_options o = {.tolerance = 1e-9};
        ck_assert_int_eq(wg_minimizer_run(wg_minimizer_new(&f, &o), &x).stop,
                         k == 1 ? WG_STOP_LINE_SEARCH : WG_STOP_GRADIENT);
    }
}
END_TEST

/* ---- Going on. ------------------------------------------------------------------------------- */

/* Single iterations, moved to a new object each time through the state, are the bits of one run. */
START_TEST(test_lbfgs_resumes)
{
    const wg_objective f = wgt_rosenbrock(tape, 6);
    const wg_minimizer_options one = {.history = 3, .iterations = 1},
                               many = {.history = 3, .iterations = 17};
    double x[6], y[6];
    wgt_rosenbrock_start(6, x);
    wgt_rosenbrock_start(6, y);
    wg_minimizer_run(wg_minimizer_new(&f, &many), x);
    wg_minimizer *last = wg_minimizer_new(&f, &one);
    wg_minimizer_run(last, y);
    for (int k = 1; k < 17; k++) {
        wg_minimizer *next = wg_minimizer_new(&f, &one);
        wg_state_entry from, to;
        int64_t i = 0;
        for (; wg_minimizer_state(last, i, &from); i++) {
            ck_assert(wg_minimizer_state(next, i, &to));
            memcpy(to.data, from.data, (size_t)wg_shape_size(&from.shape) * 8);
        }
        ck_assert_int_eq(i, 3);
        wg_minimizer_run(next, y);
        last = next;
    }
    wgt_assert_same_bytes(y, x, sizeof x);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    wg_state_entry pairs;
    wg_minimizer_state(last, 0, &pairs);
    ((int64_t *)pairs.data)[1] = 1000; /* a state that is none */
    ck_assert_int_eq(wg_minimizer_run(last, y).stop, WG_STOP_ERROR);
    wgt_assert_status(tape, WG_E_VALUE, "pairs");
}
END_TEST

static double square(const double x[], double g[], void *user)
{
    const int64_t n = *(const int64_t *)user;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = x[i];
        sum += x[i] * x[i] / 2;
    }
    return sum;
}

/* Ten pairs by default, fewer of long vectors: 128 MB of them, but three. */
START_TEST(test_lbfgs_history)
{
    static const struct {
        int64_t n, asked, pairs;
    } of[] = {{1000, 0, 10}, {1 << 20, 0, 8}, {1 << 22, 0, 3}, {1 << 20, 1, 1}, {1000, 20, 20}};
    int64_t n = of[_i].n;
    const wg_objective f = {.tape = tape, .n = n, .value_and_gradient = square, .user = &n};
    wg_minimizer *l = wg_minimizer_new(&f, &(wg_minimizer_options){.history = of[_i].asked});
    wg_state_entry s;
    ck_assert(wg_minimizer_state(l, 1, &s));
    ck_assert_int_eq(s.shape.dim[0], of[_i].pairs);
    ck_assert_int_eq(s.shape.dim[1], n);
}
END_TEST

/* The same path whatever the unit of the value is: curvature is no matter of size. */
static double unit; /* of the value */

static double bowls(const double x[], double g[], void *user)
{
    static const double bend[] = {1, 3, 10, 30, 100, 1000};
    double sum = 0;
    (void)user;
    for (int i = 0; i < 6; i++) {
        g[i] = 2 * unit * bend[i] * (x[i] - i - 1);
        sum += unit * bend[i] * (x[i] - i - 1) * (x[i] - i - 1);
    }
    return sum;
}

START_TEST(test_lbfgs_units)
{
    static const double units[] = {0x1p33, 0x1p47, 0x1p60, 0x1p300};
    double x[2][6] = {{0}};
    wg_optimum found[2];
    for (int k = 0; k < 2; k++) {
        unit = k == 0 ? 1 : units[_i];
        /* From a length of 1 at most on: the first step is the same. */
        found[k] = run(bowls, 6, x[k], (wg_minimizer_options){.tolerance = 1e-9 * unit});
        ck_assert_int_eq(found[k].stop, WG_STOP_GRADIENT);
    }
    ck_assert_int_eq(found[1].iterations, found[0].iterations);
    wgt_assert_all_close(x[1], x[0], 6, 1e-9, 0);
}
END_TEST

START_TEST(test_lbfgs_of_nothing)
{
    wg_tensor *x = wg_param(tape, "x", WG_F64, WG_SHAPE(0));
    wg_minimize(wg_sum(wg_square(x)), &x, 1, NULL);
    wgt_assert_status(tape, WG_E_VALUE, "an objective without variables");
}
END_TEST

/* What was learnt leads uphill (a state of another function): it is forgotten, and the descent goes
 * on. */
START_TEST(test_lbfgs_forgets)
{
    const wg_objective f = wgt_rosenbrock(tape, 2);
    wg_minimizer *l = wg_minimizer_new(&f, &(wg_minimizer_options){.iterations = 5});
    double x[2];
    wgt_rosenbrock_start(2, x);
    wg_minimizer_run(l, x);
    wg_state_entry y;
    ck_assert(wg_minimizer_state(l, 2, &y));
    for (int64_t i = 0; i < wg_shape_size(&y.shape); i++)
        ((double *)y.data)[i] *= -1;
    const double before = wg_minimizer_run(l, x).value;
    wgt_assert_that(before, <, 4);
    wgt_assert_that(wg_minimizer_run(l, x).value, <, before);
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

START_TEST(test_lbfgs_errors)
{
    const wg_mark mark = wg_tape_mark(tape);
    wg_tensor *p = wgt_scalar_param(tape, "p", 1), *loss = wg_square(p), *c = wg_ones_like(p);
#define REFUSED(call, code, words)                                                                 \
    do {                                                                                           \
        const wg_mark here = wg_tape_mark(tape);                                                   \
        const wg_optimum found = (call);                                                           \
        ck_assert(found.stop == WG_STOP_ERROR && isnan(found.value));                              \
        wgt_assert_status(tape, code, words);                                                      \
        wg_tape_rewind(tape, here);                                                                \
    } while (0)
    REFUSED(wg_minimize(loss, &p, 0, NULL), WG_E_VALUE, "there is no parameter");
    REFUSED(wg_minimize(loss, &c, 1, NULL), WG_E_VALUE, "tensor 0 is no parameter");
    REFUSED(wg_minimize(loss, &p, 1, &(wg_minimizer_options){.history = -1}), WG_E_VALUE,
            "history -1");
    REFUSED(wg_minimize(loss, &p, 1, &(wg_minimizer_options){.tolerance = (double)NAN}), WG_E_VALUE,
            "lbfgs");
    REFUSED(wg_minimize(loss, &p, 1, &(wg_minimizer_options){.tolerance = (double)INFINITY}),
            WG_E_VALUE, "lbfgs");
    REFUSED(wg_minimize(wg_add(p, wg_full(tape, WG_F64, WG_SHAPE(2), 1)), &p, 1, NULL), WG_E_SHAPE,
            "");
#undef REFUSED
    wgt_assert_that(wg_item(p), ==, 1);
    ck_assert_int_eq(wg_minimize(NULL, &p, 1, NULL).stop, WG_STOP_ERROR);
    ck_assert_int_eq(wg_minimizer_run(NULL, NULL).stop, WG_STOP_ERROR);
    wg_state_entry entry;
    ck_assert(!wg_minimizer_state(NULL, 0, &entry));
    wg_tape_rewind(tape, mark);
}
END_TEST

static wg_optimum minimize(wg_tensor *loss, wg_tensor *const params[], int n)
{
    return wg_minimize(loss, params, n, NULL);
}

START_TEST(test_lbfgs_memory)
{
    wgt_assert_survives_no_memory(minimize);
}
END_TEST

Suite *suite_lbfgs(void)
{
    Suite *suite = suite_create("lbfgs");
    TCase *tests = tcase_create("lbfgs");
    tcase_add_checked_fixture(tests, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_loop_test(tests, test_lbfgs_optima, 0, 2 * WGT_OPTIMA);
    tcase_add_test(tests, test_lbfgs_parameters);
    tcase_add_loop_test(tests, test_lbfgs_rosenbrock, 0, 4);
    tcase_add_test(tests, test_lbfgs_f32);
    tcase_add_test(tests, test_lbfgs_stops);
    tcase_add_test(tests, test_line_search_wolfe);
    tcase_add_test(tests, test_line_search_noise);
    tcase_add_test(tests, test_lbfgs_resumes);
    tcase_add_loop_test(tests, test_lbfgs_history, 0, 5);
    tcase_add_loop_test(tests, test_lbfgs_units, 0, 4);
    tcase_add_test(tests, test_lbfgs_of_nothing);
    tcase_add_test(tests, test_lbfgs_forgets);
    tcase_add_test(tests, test_lbfgs_errors);
    tcase_add_test(tests, test_lbfgs_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
