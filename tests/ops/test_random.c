/* uniform, normal, categorical. */
#include <math.h>

#include "autograd/check/gradcheck.h"
#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "tests/support/suites.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

enum { N = 40000 };

static wg_tensor *step_input(const int64_t *step)
{
    return wg_input(t, "step", WG_I64, WG_SCALAR, step);
}

/* How many entries of x differ from `was`, which becomes them. */
static int64_t moved(const wg_tensor *x, double *was)
{
    int64_t count = 0;
    for (int64_t i = 0; i < wg_size(x); i++) {
        count += wg_at(x, i) != was[i];
        was[i] = wg_at(x, i);
    }
    return count;
}

/* Mean and variance of N draws, to 5 standard deviations of each. */
static void assert_moments(wg_tensor *x, double mean, double variance, double fourth)
{
    double sum = 0, square = 0;
    for (int64_t i = 0; i < N; i++) {
        sum += wg_at(x, i) - mean;
        square += (wg_at(x, i) - mean) * (wg_at(x, i) - mean);
    }
    wgt_assert_close(sum / N, 0, 0, 5 * sqrt(variance / N));
    wgt_assert_close(square / N, variance, 0, 5 * sqrt((fourth - variance * variance) / N));
}

START_TEST(moments)
{
    const wg_dtype dtype = _i == 0 ? WG_F32 : WG_F64;
    wg_tensor *step = wg_full(t, WG_I64, WG_SCALAR, 3);
    wg_tensor *u = wg_uniform(dtype, WG_SHAPE(N), 1, 2, step);
    wg_tensor *z = wg_normal(dtype, WG_SHAPE(N), 1, 3, step);
    for (int64_t i = 0; i < N; i++) {
        wgt_assert_that(wg_at(u, i), >=, 0);
        wgt_assert_that(wg_at(u, i), <, 1);
        wgt_assert_that(fabs(wg_at(z, i)), <, 8.6);
    }
    assert_moments(u, 0.5, 1 / 12.0, 1 / 80.0);
    assert_moments(z, 0, 1, 3);
    ck_assert_int_eq(wg_dtype_of(z), dtype);
}
END_TEST

/* Classes come in proportion to their weights, which need not sum to 1; never one of weight 0. */
START_TEST(shares)
{
    const double weight[4] = {3, 0, 1, 4};
    wg_tensor *p = wg_constant(t, WG_F64, WG_SHAPE(1, 4), weight);
    wg_tensor *y = wg_categorical(wg_broadcast_to(p, WG_SHAPE(N, 4)), 1, 2,
                                  wg_full(t, WG_I64, WG_SHAPE(1), 5));
    int64_t count[4] = {0};
    ck_assert_int_eq(wg_dtype_of(y), WG_I64);
    for (int64_t i = 0; i < N; i++)
        count[wg_data_i64(y)[i]]++;
    for (int k = 0; k < 4; k++) {
        const double share = weight[k] / 8;
        wgt_assert_close((double)count[k], N * share, 0, 5 * sqrt(N * share * (1 - share)));
    }
}
END_TEST

/* A replay at another step draws anew, at the same step the same; seeds and keys differ, too. A
 * program draws what the tape drew. */
START_TEST(draws_follow_the_step)
{
    static double u_was[1000], z_was[1000], a_was[1000];
    const int64_t steps[] = {7, 8, 7};
    wg_tensor *step = step_input(&steps[0]);
    wg_tensor *p = wg_constant_uniform(t, WG_F64, WG_SHAPE(1000, 2), 1, 2, 9);
    wg_tensor *out[] = {wg_uniform(WG_F64, WG_SHAPE(1000), 1, 2, step),
                        wg_normal(WG_F64, WG_SHAPE(1000), 1, 2, step),
                        wg_categorical(p, 1, 2, step)};
    double *const was[] = {u_was, z_was, a_was};
    wg_program *program = wg_compile(out, 3, NULL);
    for (int round = 0; round < 3; round++) {
        wg_bind(step, &steps[round]);
        wg_replay(t);
        wg_program_run(program);
        for (int k = 0; k < 3; k++) {
            const int64_t count = moved(out[k], was[k]);
            wgt_assert_that(count, >=, k == 2 ? 400 : 1000); /* half the classes change */
            ck_assert_int_eq(moved(wg_program_output(program, k), was[k]), 0);
        }
    }
    wg_tensor *others[] = {wg_uniform(WG_F64, WG_SHAPE(1000), 2, 2, step),
                           wg_uniform(WG_F64, WG_SHAPE(1000), 1, 3, step)};
    for (int k = 0; k < 2; k++)
        ck_assert_int_eq(moved(others[k], u_was), 1000);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
}
END_TEST

/* A policy gradient: draws are held, the rest has its derivative, in wide floats as well. */
START_TEST(policy_gradient)
{
    const wg_cross_entropy_options each = {.reduction = WG_NONE};
    wg_tensor *W = wg_param(t, "W", WG_F64, WG_SHAPE(1, 3));
    wg_tensor *step = wg_full(t, WG_I64, WG_SCALAR, 1), *g;
    wg_fill_normal(W, 0, 1, 1);
    wg_tensor *z = wg_broadcast_to(W, WG_SHAPE(64, 3));
    wg_tensor *a = wg_categorical(wg_softmax(z, 1), 1, 0, step);
    wg_tensor *r = wg_sub(wg_uniform(WG_F64, WG_SHAPE(64), 1, 1, step), wg_cast(a, WG_F64));
    wg_tensor *loss = wg_mean(wg_mul(r, wg_cross_entropy_opt(z, a, &each)));
    ck_assert_int_eq(wg_grad(loss, &W, 1, &g), WG_OK);
    for (int k = 0; k < 3; k++) { /* the mean of r ([k = a] - p_k), sign turned */
        double want = 0;
        for (int64_t i = 0; i < 64; i++)
            want -= wg_at(r, i) * ((wg_data_i64(a)[i] == k) - wg_at(wg_softmax(W, 1), k)) / 64;
        wgt_assert_close(wg_at(g, k), want, 0, 1e-14);
    }
    ck_assert_int_eq(wg_gradcheck(loss, &W, &g, 1, NULL, NULL), WG_CHECK_PASSED);
}
END_TEST

static void assert_error(wg_mark mark, wg_status code, const char *part)
{
    wgt_assert_status(t, code, part);
    wg_tape_rewind(t, mark);
}

START_TEST(errors)
{
    wg_tensor *step = wg_full(t, WG_I64, WG_SCALAR, 3), *one = wg_full(t, WG_F64, WG_SCALAR, 1);
    const wg_mark mark = wg_tape_mark(t);
    wg_uniform(WG_F64, WG_SHAPE(2), 1, 2, one);
    assert_error(mark, WG_E_DTYPE, "uniform: a step of i64 wanted");
    wg_uniform(WG_F64, WG_SHAPE(2), 1, 2, wg_full(t, WG_I64, WG_SHAPE(3), 1));
    assert_error(mark, WG_E_SHAPE, "uniform: a step of one element, or (step, row), wanted");
    wg_uniform(WG_I64, WG_SHAPE(2), 1, 2, step);
    assert_error(mark, WG_E_DTYPE, "uniform: f32 or f64 wanted");
    wg_normal(WG_F64, WG_SHAPE(-2), 1, 2, step);
    assert_error(mark, WG_E_SHAPE, "uniform");
    wg_uniform(WG_F64, 9, NULL, 1, 2, step);
    assert_error(mark, WG_E_SHAPE, "uniform: ndim 9");
    wg_categorical(one, 1, 2, step);
    assert_error(mark, WG_E_SHAPE, "categorical: a last axis of classes wanted");
    wg_categorical(step, 1, 2, step);
    assert_error(mark, WG_E_DTYPE, "categorical: probabilities of f32 or f64 wanted");
    wg_categorical(wg_full(t, WG_F64, WG_SHAPE(2, 0), 1), 1, 2, step);
    assert_error(mark, WG_E_SHAPE, "categorical: a last axis of classes wanted");
    wg_categorical(wg_full(t, WG_F64, WG_SHAPE(2, 3), 0), 1, 2, step);
    assert_error(mark, WG_E_VALUE, "categorical: the probabilities of row 0 sum to 0");
    wg_categorical(wg_full(t, WG_F32, WG_SHAPE(2, 3), 3e38), 1, 2, step);
    assert_error(mark, WG_E_VALUE, "categorical: the probabilities of row 0 sum to 9e+38");
    ck_assert(wg_is_inert(wg_uniform(WG_F64, WG_SHAPE(2), 1, 2, NULL)));
    ck_assert(wg_is_inert(wg_normal(WG_F64, WG_SHAPE(2), 1, 2, NULL)));
    ck_assert(wg_is_inert(wg_categorical(NULL, 1, 2, step)));
    ck_assert_int_eq(wg_tape_status(t), WG_E_NULL);
}
END_TEST

/* A replay, and a program, check the probabilities again. */
START_TEST(probabilities_are_checked_again)
{
    const double good[] = {1, 2, 0, 1}, bad[] = {1, 2, 0, -1};
    wg_tensor *p = wg_input(t, "p", WG_F64, WG_SHAPE(2, 2), good);
    wg_tensor *y = wg_categorical(p, 1, 2, wg_full(t, WG_I64, WG_SCALAR, 3));
    wg_program *program = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_bind(p, bad);
    if (_i == 0)
        wg_replay(t);
    else
        wg_program_run(program);
    wgt_assert_status(t, WG_E_VALUE, "categorical: the probability of class 1 in row 1 is -1");
}
END_TEST

Suite *suite_random(void)
{
    Suite *s = suite_create("random");
    TCase *c = tcase_create("random");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, moments, 0, 2);
    tcase_add_test(c, shares);
    tcase_add_test(c, draws_follow_the_step);
    tcase_add_test(c, policy_gradient);
    tcase_add_test(c, errors);
    tcase_add_loop_test(c, probabilities_are_checked_again, 0, 2);
    suite_add_tcase(s, c);
    return s;
}
