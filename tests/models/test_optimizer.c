/* First-order optimizers: traces against PyTorch's, state that is saved and restored, clipping,
 * decay. */
#include "models/wengert.h"
#include "tests/models/optimizer_golden.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 7, IN = 4, OUT = 3, SIZE = IN * OUT + OUT, STEPS = 20 };

/* ---- Traces. --------------------------------------------------------------------------------- */

/* The golden file's problem: loss = mean((tanh(X W + b) - Y)^2). */
typedef struct problem {
    wg_tensor *param[2], *loss, *grad[2];
} problem;

static problem problem_new(wg_tape *t, wg_dtype dtype)
{
    static double v[3 + ROWS * IN + SIZE + ROWS * OUT];
    wgt_golden("problem", sizeof v / sizeof *v, v);
    const double *X = v + 3, *W = X + ROWS * IN, *b = W + IN * OUT, *Y = b + OUT;
    problem p;
    p.param[0] = wg_param(t, "W", dtype, WG_SHAPE(IN, OUT));
    p.param[1] = wg_param(t, "b", dtype, WG_SHAPE(OUT));
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < wg_size(p.param[k]); i++) {
            const double value = k == 0 ? W[i] : b[i];
            if (dtype == WG_F32)
                ((float *)wg_edit(p.param[k]))[i] = (float)value;
            else
                ((double *)wg_edit(p.param[k]))[i] = value;
        }
    wg_tensor *rows = wg_cast(wg_constant(t, WG_F64, WG_SHAPE(ROWS, IN), X), dtype);
    wg_tensor *target = wg_cast(wg_constant(t, WG_F64, WG_SHAPE(ROWS, OUT), Y), dtype);
    p.loss = wg_mse(wg_tanh(wg_add(wg_matmul(rows, p.param[0]), p.param[1])), target, WG_MEAN);
    wg_grad(p.loss, p.param, 2, p.grad);
    return p;
}

static void problem_read(const problem *p, double values[SIZE])
{
    for (int i = 0; i < SIZE; i++)
        values[i] = i < IN * OUT ? wg_at(p->param[0], i) : wg_at(p->param[1], i - IN * OUT);
}

static void problem_steps(const problem *p, wg_optimizer *o, int steps)
{
    for (int i = 0; i < steps; i++) {
        wg_optimizer_step(o, p->grad);
        wg_replay_to(p->grad, 2);
    }
}

enum kind { SGD, ADAGRAD, RMSPROP, ADAM, ADAMW };

typedef struct trace {
    const char *name;
    enum kind kind;
    wg_sgd_options sgd;
    wg_adagrad_options adagrad;
    wg_rmsprop_options rmsprop;
    wg_adam_options adam;
    double norm, value;
    double factor; /* of the second parameter's rate; 0: 1 */
} trace;

/* As in tests/oracle/make_optimizers.py. */
static const trace traces[] = {
    {"sgd", SGD, .sgd = {.rate = 0.1}},
    {"sgd_momentum", SGD, .sgd = {.rate = 0.1, .momentum = 0.9}},
    {"sgd_dampening", SGD, .sgd = {.rate = 0.1, .momentum = 0.9, .dampening = 0.4}},
    {"sgd_nesterov", SGD, .sgd = {.rate = 0.1, .momentum = 0.8, .nesterov = true}},
    {"sgd_decay", SGD, .sgd = {.rate = 0.1, .momentum = 0.9, .weight_decay = 0.3}},
    {"sgd_decay_all", SGD, .sgd = {.rate = 0.1, .weight_decay = 0.3, .decay_all = true}},
    {"sgd_clip_norm", SGD, .sgd = {.rate = 0.1, .momentum = 0.9, .weight_decay = 0.3},
     .norm = 0.05},
    {"sgd_clip_value", SGD, .sgd = {.rate = 0.1}, .value = 0.01},
    {"sgd_clip_both", SGD, .sgd = {.rate = 0.1}, .norm = 0.1, .value = 0.02},
    {"sgd_rates", SGD, .sgd = {.rate = 0.1, .momentum = 0.9}, .factor = 0.25},
    {"adagrad", ADAGRAD, .norm = 0},
    {"adagrad_all", ADAGRAD,
     .adagrad =
         {.rate = 0.3, .rate_decay = 0.1, .start = 0.05, .epsilon = 1e-3, .weight_decay = 0.1}},
    {"rmsprop", RMSPROP, .norm = 0},
    {"rmsprop_alpha", RMSPROP, .rmsprop = {.rate = 0.02, .alpha = 0.7, .epsilon = 1e-3}},
    {"rmsprop_centered", RMSPROP, .rmsprop = {.centered = true}},
    {"rmsprop_momentum", RMSPROP, .rmsprop = {.momentum = 0.9}},
    {"rmsprop_all", RMSPROP, .rmsprop = {.momentum = 0.5, .centered = true, .weight_decay = 0.1}},
    {"adam", ADAM, .norm = 0},
    {"adam_betas", ADAM, .adam = {.rate = 0.05, .beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3}},
    {"adam_decay", ADAM, .adam = {.rate = 0.05, .weight_decay = 0.2}},
    {"adam_amsgrad", ADAM, .adam = {.rate = 0.3, .beta2 = 0.5, .amsgrad = true}},
    {"adamw", ADAMW, .norm = 0},
    {"adamw_decay_all", ADAMW, .adam = {.rate = 0.05, .weight_decay = 0.5, .decay_all = true}},
    {"adamw_rates", ADAMW, .adam = {.rate = 0.05, .weight_decay = 0.5, .decay_all = true},
     .factor = 4},
    {"adamw_amsgrad", ADAMW,
     .adam = {.rate = 0.3, .beta2 = 0.5, .weight_decay = 0.1, .amsgrad = true}},
};
enum { TRACES = sizeof traces / sizeof traces[0] };

static wg_optimizer *optimizer_of(const trace *c, wg_tensor *const params[], int n)
{
    wg_optimizer *o = c->kind == SGD       ? wg_sgd_new(params, n, &c->sgd)
                      : c->kind == ADAGRAD ? wg_adagrad_new(params, n, &c->adagrad)
                      : c->kind == RMSPROP ? wg_rmsprop_new(params, n, &c->rmsprop)
                      : c->kind == ADAM    ? wg_adam_new(params, n, &c->adam)
                                           : wg_adamw_new(params, n, &c->adam);
    wg_optimizer_set_clip(o, c->norm, c->value);
    if (c->factor != 0 && n > 1)
        wg_optimizer_set_param(o, params[1], c->factor,
                               c->kind == ADAMW ? c->adam.weight_decay : c->sgd.weight_decay);
    return o;
}

/* The two sums of a gradient may differ by a few units in the last place, 1e-16, and the 20 steps,
 * whose map has derivatives of a few units at most, carry that on: 1e-12 leaves a wrong formula no
 * room. */
START_TEST(test_traces)
{
    const trace *c = &traces[_i];
    static double want[STEPS * SIZE];
    double got[SIZE];
    char words[64];
    snprintf(words, sizeof words, "trace %s", c->name);
    wgt_golden(words, STEPS * SIZE, want);
    const problem p = problem_new(tape, WG_F64);
    wg_optimizer *o = optimizer_of(c, p.param, 2);
    for (int k = 0; k < STEPS; k++) {
        problem_steps(&p, o, 1);
        problem_read(&p, got);
        expect_ok(tape);
        for (int i = 0; i < SIZE; i++)
            ck_assert_msg(wgt_close(got[i], want[k * SIZE + i], 1e-12, 1e-12),
                          "%s, step %d, element %d: got %.17g, want %.17g", c->name, k + 1, i,
                          got[i], want[k * SIZE + i]);
    }
}
END_TEST

/* Averages against PyTorch's AveragedModel, through the same bound; twice swapped is as before. */
START_TEST(test_average)
{
    static double want[STEPS * SIZE];
    double got[SIZE], before[SIZE], after[SIZE];
    wgt_golden("average sgd", STEPS * SIZE, want);
    const problem p = problem_new(tape, WG_F64);
    wg_optimizer *o = wg_sgd_new(p.param, 2, &(wg_sgd_options){.rate = 0.1});
    ck_assert_int_eq(wg_optimizer_set_average(o, 0.8), WG_OK);
    for (int k = 0; k < STEPS; k++) {
        problem_steps(&p, o, 1);
        problem_read(&p, before);
        wg_optimizer_swap_average(o);
        problem_read(&p, got);
        wg_optimizer_swap_average(o);
        problem_read(&p, after);
        wg_replay_to(p.grad, 2);
        expect_ok(tape);
        wgt_assert_same_bytes(after, before, sizeof before);
        wgt_assert_all_close(got, want + k * SIZE, SIZE, 1e-12, 1e-12);
    }
    ck_assert_int_eq(wg_optimizer_set_average(o, 0.8), WG_E_VALUE);
}
END_TEST

START_TEST(test_average_errors)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1);
    wg_optimizer *o = wg_sgd_new(&p, 1, NULL);
    const wg_mark mark = wg_tape_mark(tape);
    ck_assert_int_eq(wg_optimizer_swap_average(o), WG_E_VALUE);
    wgt_assert_status(tape, WG_E_VALUE, "there is no average yet");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_optimizer_set_average(o, 1), WG_E_VALUE);
    ck_assert_int_eq(wg_optimizer_set_average(NULL, 0.5), WG_E_NULL);
    ck_assert_int_eq(wg_optimizer_swap_average(NULL), WG_E_NULL);
    wg_tape_rewind(tape, mark);
}
END_TEST

/* ---- What a step must not do. ---------------------------------------------------------------- */

/* v - u^2 of (nearly) constant gradients is round-off, of either sign. */
START_TEST(test_centered_stays_finite)
{
    const wg_dtype dtype = _i % 2 == 0 ? WG_F32 : WG_F64;
    const double wobble = _i < 2 ? 0 : 1e-5;
    for (int k = 0; k < 100; k++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *p = wg_param(t, "p", dtype, WG_SCALAR), *g = wg_param(t, "g", dtype, WG_SCALAR);
        wg_optimizer *o = wg_rmsprop_new(&p, 1,
                                         &(wg_rmsprop_options){.rate = 1e-3, .centered = true});
        for (int i = 0; i < 2000; i++) {
            const double value = .00137 * (k + 1) * (1 + wobble * sin(1.7 * i));
            wg_fill_uniform(g, value, value, 0);
            wg_optimizer_step(o, &g);
        }
        ck_assert_msg(isfinite(wg_item(p)), "constant gradient %d: %g", k, wg_item(p));
        wg_tape_free(t);
    }
}
END_TEST

/* A gradient in the memory of a parameter would be read after that was written. */
START_TEST(test_gradients_in_parameters)
{
    wg_tensor *a = wgt_param(tape, "a", WG_SHAPE(2), (const double[]){1, 2});
    wg_tensor *b = wgt_param(tape, "b", WG_SHAPE(2), (const double[]){10, 20});
    wg_tensor *xs[] = {a, b}, *g[2] = {wg_reshape(b, WG_SHAPE(2)), wg_reshape(a, WG_SHAPE(2))};
    wg_tensor *ra = wg_reshape(a, WG_SHAPE(2, 1)), *rb = wg_reshape(b, WG_SHAPE(2, 1));
    if (_i == 1)
        wg_vjp_many((wg_tensor *[]){ra, rb}, (wg_tensor *[]){rb, ra}, 2, xs, 2, g);
    if (_i == 2)
        g[0] = a;
    wg_optimizer *o = wg_sgd_new(xs, 2, &(wg_sgd_options){.rate = 1});
    ck_assert_int_eq(wg_optimizer_step(o, g), WG_E_VALUE);
    wgt_assert_status(tape, WG_E_VALUE, "sgd: gradient 0 is in the memory of parameter");
    wgt_assert_that(wg_at(a, 0), ==, 1);
    wgt_assert_that(wg_at(b, 1), ==, 20);
}
END_TEST

/* The last element of any of many parameters, some of them empty and in any order, is found. */
START_TEST(test_a_gradient_in_one_of_many)
{
    enum { N = 9 };
    wg_tensor *p[N], *g[N];
    for (int i = 0; i < N; i++)
        p[(4 * i + 3) % N] = wg_param(tape, "p", WG_F64, WG_SHAPE(i % 3, 1));
    for (int i = 0; i < N; i++)
        g[i] = wg_zeros_like(p[i]);
    wg_optimizer *o = wg_sgd_new(p, N, NULL);
    ck_assert_int_eq(wg_optimizer_step(o, g), WG_OK);
    for (int i = 0; i < N; i++) {
        wg_mark mark = wg_tape_mark(tape);
        const int64_t last = wg_dim(p[i], 0) - 1;
        for (int k = 0; last >= 0 && k < N; k++) {
            wg_tensor *own = g[k];
            if (wg_dim(p[k], 0) == 1) {
                g[k] = wg_slice(p[i], 0, last, last + 1);
                ck_assert_int_eq(wg_optimizer_step(o, g), WG_E_VALUE);
                wg_tape_rewind(tape, mark);
            }
            g[k] = own;
        }
    }
    ck_assert_int_eq(wg_optimizer_step(o, g), WG_OK);
}
END_TEST

START_TEST(test_parameter_twice)
{
    wg_tensor *w = wgt_scalar_param(tape, "w", 1), *v = wgt_scalar_param(tape, "v", 1);
    wg_tensor *ws[] = {w, v, w};
    wg_optimizer *o = wg_sgd_new(ws, 3, NULL);
    wgt_assert_status(tape, WG_E_VALUE, "sgd: the parameter w () is given twice");
    ck_assert_int_eq(wg_optimizer_steps(o), 0);
}
END_TEST

/* In f32 each of the steps rounds a few times, which its derivatives, up to 2, may double: 20 steps
 * of numbers below 4 stay within 20 * 2^-20; amsgrad's are 0.3 long, and divided by small
 * numbers. */
START_TEST(test_traces_f32)
{
    const trace *c = &traces[_i];
    double got[SIZE], want[SIZE];
    const problem narrow = problem_new(tape, WG_F32), wide = problem_new(tape, WG_F64);
    problem_steps(&narrow, optimizer_of(c, narrow.param, 2), STEPS);
    problem_steps(&wide, optimizer_of(c, wide.param, 2), STEPS);
    expect_ok(tape);
    problem_read(&narrow, got);
    problem_read(&wide, want);
    wgt_assert_all_close(got, want, SIZE, 0, 20 * 0x1p-20);
}
END_TEST

/* ---- State. ---------------------------------------------------------------------------------- */

/* 7 steps, then everything moved to a new optimizer on a new tape, then 13 steps: the bits of 20
 * steps. */
START_TEST(test_state_resumes)
{
    const trace *c = &traces[_i];
    wg_tape *other = wg_tape_new(NULL);
    const problem p = problem_new(tape, WG_F64), q = problem_new(other, WG_F64);
    wg_optimizer *o = optimizer_of(c, p.param, 2), *resumed = optimizer_of(c, q.param, 2);
    wg_optimizer_set_average(o, 0.9);
    wg_optimizer_set_average(resumed, 0.9);
    wg_optimizer_set_rate(o, 0.02);
    problem_steps(&p, o, 7);
    for (int k = 0; k < 2; k++)
        wg_write(q.param[k], p.param[k]->data, (size_t)wg_size(p.param[k]) * sizeof(double));
    wg_state_entry from, to;
    int64_t entries = 0;
    for (; wg_optimizer_state(o, entries, &from); entries++) {
        ck_assert(wg_optimizer_state(resumed, entries, &to));
        ck_assert_str_eq(from.name, to.name);
        wgt_assert_that(from.dtype, ==, to.dtype);
        ck_assert(wg_shape_same(&from.shape, &to.shape));
        memcpy(to.data, from.data, (size_t)wg_shape_size(&from.shape) * wg_dtype_size(from.dtype));
    }
    wgt_assert_that(entries, >=, 3);
    ck_assert(!wg_optimizer_state(resumed, entries, &to));
    wg_replay(other);
    problem_steps(&p, o, 13);
    problem_steps(&q, resumed, 13);
    expect_ok(tape);
    double got[SIZE], want[SIZE];
    problem_read(&p, want);
    problem_read(&q, got);
    wgt_assert_same_bytes(got, want, sizeof want);
    ck_assert_int_eq(wg_optimizer_steps(resumed), 20);
    wg_optimizer_swap_average(o);
    wg_optimizer_swap_average(resumed);
    problem_read(&p, want);
    problem_read(&q, got);
    wgt_assert_same_bytes(got, want, sizeof want);
    wg_tape_free(other);
}
END_TEST

START_TEST(test_state_names)
{
    static const char *const names[] = {
        "adam.rate",         "adam.steps",     "adam.counts",       "adam.exp_avg.W",
        "adam.exp_avg_sq.W", "adam.exp_avg.1", "adam.exp_avg_sq.1", "adam.exp_avg.2",
        "adam.exp_avg_sq.2", "adam.exp_avg.3", "adam.exp_avg_sq.3"}; /* "2" is another's index */
    wg_tensor *params[] = {
        wg_param(tape, "W", WG_F32, WG_SHAPE(2, 3)), wg_param(tape, "b", WG_F64, WG_SHAPE(3)),
        wg_param(tape, "b", WG_F64, WG_SHAPE(4)), wg_param(tape, "2", WG_F64, WG_SHAPE(4))};
    wg_optimizer *adam = wg_adam_new(params, 4, NULL);
    wg_state_entry entry;
    for (int i = 0; i < 11; i++) {
        ck_assert(wg_optimizer_state(adam, i, &entry));
        ck_assert_str_eq(entry.name, names[i]);
    }
    ck_assert(!wg_optimizer_state(adam, 11, &entry));
    ck_assert(!wg_optimizer_state(adam, -1, &entry));
    ck_assert(!wg_optimizer_state(NULL, 0, &entry));
    ck_assert(wg_optimizer_state(adam, 3, &entry));
    wgt_assert_that(entry.dtype, ==, WG_F32);
    wgt_assert_that(entry.shape.ndim, ==, 2);
    wgt_assert_that(entry.shape.dim[1], ==, 3);
    ck_assert(wg_optimizer_state(adam, 2, &entry));
    wgt_assert_that(entry.dtype, ==, WG_I64);
    ck_assert_int_eq(entry.shape.dim[0], 4);
}
END_TEST

/* A parameter whose first gradient comes late begins with k = 1, as in PyTorch: its first step is
 * as long as the rate. */
START_TEST(test_counts_are_the_parameter_s)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1);
    wg_backward(wg_square(p));
    wg_tensor *q = wgt_scalar_param(tape, "q", 1);
    wg_optimizer *adam = wg_adam_new((wg_tensor *[]){p, q}, 2, &(wg_adam_options){.rate = 0.25});
    for (int i = 0; i < 3; i++) {
        wg_optimizer_step(adam, NULL);
        wg_replay(tape);
    }
    wgt_assert_that(wg_item(q), ==, 1);
    wg_backward(wg_square(q));
    wg_optimizer_step(adam, NULL);
    expect_ok(tape);
    wgt_assert_close(wg_item(q), 0.75, 1e-8, 0); /* epsilon's share is 1e-8 / 2 */
}
END_TEST

/* ---- Decay and clipping. --------------------------------------------------------------------- */

START_TEST(test_decay_of_one_parameter)
{
    wg_tensor *W = wg_param(tape, "W", WG_F64, WG_SHAPE(1, 1));
    wg_tensor *b = wg_param(tape, "b", WG_F64, WG_SHAPE(1)), *c = wgt_scalar_param(tape, "c", 8);
    wg_tensor *params[] = {W, b, c};
    wg_fill_uniform(W, 8, 8, 0);
    wg_fill_uniform(b, 8, 8, 0);
    wg_tensor *none[] = {wg_zeros_like(W), wg_zeros_like(b), wg_zeros_like(c)};
    wg_optimizer *sgd = wg_sgd_new(params, 3, &(wg_sgd_options){.rate = 0.5, .weight_decay = 0.5});
    wg_optimizer_set_param(sgd, W, 1, 0.25);
    wg_optimizer_set_param(sgd, b, 1, 1);
    wg_optimizer_step(sgd, none);
    wgt_assert_that(wg_item(W), ==, 7);
    wgt_assert_that(wg_item(b), ==, 4);
    wgt_assert_that(wg_item(c), ==, 8);
    wg_optimizer *adamw = wg_adamw_new(params, 3, &(wg_adam_options){.rate = 0.5});
    wg_optimizer_step(adamw, none);
    expect_ok(tape);
    wgt_assert_that(wg_item(W), ==, 7 * (1 - 0.5 * 0.01));
    wgt_assert_that(wg_item(b), ==, 4);
    ck_assert_int_eq(wg_optimizer_set_param(sgd, none[0], 1, 1), WG_E_VALUE);
    wgt_assert_status(tape, WG_E_VALUE, "none of its parameters");
}
END_TEST

START_TEST(test_clip)
{
    const double values[] = {3, -4};
    wg_tensor *p = wgt_param(tape, "p", WG_SHAPE(2), values);
    wg_tensor *g = wg_constant(tape, WG_F64, WG_SHAPE(2), values);
    wg_tensor *parts[] = {g, NULL, wg_full(tape, WG_F32, WG_SHAPE(12), 1)};
    wgt_assert_that(wg_global_norm(&g, 1), ==, 5);
    wgt_assert_that(wg_global_norm(NULL, 0), ==, 0);
    wgt_assert_close(wg_global_norm(parts, 3), sqrt(37), 1e-15, 0);
    wg_optimizer *sgd = wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = 1});
    wg_optimizer_set_clip(sgd, 0, 3.5);
    wg_optimizer_step(sgd, &g);
    wgt_assert_that(wg_at(p, 0), ==, 0);
    wgt_assert_that(wg_at(p, 1), ==, -0.5);
    wgt_assert_that(wg_at(g, 0), ==, 3);
    wgt_assert_that(wg_at(g, 1), ==, -4); /* a replay may need them */
    wg_optimizer_set_clip(sgd, 2.5, 0);
    wg_optimizer_step(sgd, &g);
    wgt_assert_close(wg_at(p, 0), -1.5, 3e-7, 0);
    wg_optimizer_set_clip(sgd, 6, 0); /* more than there is: nothing is clipped */
    wg_optimizer_step(sgd, &g);
    expect_ok(tape);
    wgt_assert_close(wg_at(p, 0), -4.5, 3e-7, 0);
}
END_TEST

/* A norm that is not finite moves nothing; a NaN without clipping by norm is the caller's. */
START_TEST(test_clip_not_finite)
{
    const double values[] = {1, (double)NAN};
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SHAPE(2));
    wg_tensor *g = wg_constant(tape, WG_F64, WG_SHAPE(2), values);
    wg_optimizer *sgd = wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = 1});
    wg_optimizer_set_clip(sgd, 0, 0.5);
    ck_assert_int_eq(wg_optimizer_step(sgd, &g), WG_OK);
    wgt_assert_that(wg_at(p, 0), ==, -0.5);
    ck_assert_double_nan(wg_at(p, 1));
    wg_optimizer_set_clip(sgd, 1, 0);
    ck_assert_int_eq(wg_optimizer_step(sgd, &g), WG_E_NOT_FINITE);
    wgt_assert_that(wg_at(p, 0), ==, -0.5);
    wgt_assert_that(wg_optimizer_steps(sgd), ==, 1);
}
END_TEST

/* ---- Long parameters, errors, memory. -------------------------------------------------------- */

/* Every element moves as it would alone, whatever tile of whatever piece it is in. */
START_TEST(test_tiles)
{
    enum { N = 34 * 512 + 77 };
    wg_tensor *p = wg_param(tape, "p", WG_F32, WG_SHAPE(N));
    wg_tensor *g = wg_param(tape, "g", WG_F32, WG_SHAPE(N));
    wg_fill_normal(p, 0, 1, 1);
    wg_fill_normal(g, 0, 1, 2);
    const trace *c = &traces[_i];
    float start[N];
    memcpy(start, wg_data_f32(p), sizeof start);
    trace unclipped = *c;
    unclipped.norm = 0;
    wg_optimizer *o = optimizer_of(&unclipped, &p, 1);
    for (int k = 0; k < 3; k++)
        wg_optimizer_step(o, &g);
    for (int i = 0; i < N; i += 128) {
        wg_tensor *one = wg_param(tape, NULL, WG_F32, WG_SHAPE(1));
        wg_tensor *derivative = wg_constant(tape, WG_F32, WG_SHAPE(1), wg_data_f32(g) + i);
        wg_write(one, start + i, sizeof(float));
        o = optimizer_of(&unclipped, &one, 1);
        for (int k = 0; k < 3; k++)
            wg_optimizer_step(o, &derivative);
        wgt_assert_that(wg_data_f32(one)[0], ==, wg_data_f32(p)[i]);
    }
    expect_ok(tape);
}
END_TEST

/* The pool's threads take pieces of a parameter; the bits are those of one thread. */
START_TEST(test_pool)
{
    enum { N = 2 * 32 * 512 + 77, PLAIN = 0, POOLED = 1 };
    wg_pool *pool = wg_pool_new(3, NULL);
    wg_tape *tapes[] = {wg_tape_new(NULL), wg_tape_new(&(wg_tape_options){.pool = pool})};
    wg_tensor *p[2];
    for (int i = PLAIN; i <= POOLED; i++) {
        p[i] = wg_param(tapes[i], "p", WG_F32, WG_SHAPE(N));
        wg_tensor *g = wg_param(tapes[i], "g", WG_F32, WG_SHAPE(N));
        wg_fill_normal(p[i], 0, 1, 1);
        wg_fill_normal(g, 0, 1, 2);
        wg_optimizer *o = optimizer_of(&traces[_i], &p[i], 1);
        for (int k = 0; k < 3; k++)
            ck_assert_int_eq(wg_optimizer_step(o, &g), WG_OK);
    }
    ck_assert_mem_eq(wg_data_f32(p[PLAIN]), wg_data_f32(p[POOLED]), N * sizeof(float));
    wg_tape_free(tapes[PLAIN]);
    wg_tape_free(tapes[POOLED]);
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_option_ranges)
{
    wg_tensor *p = wgt_scalar_param(tape, "p", 1);
    const wg_mark mark = wg_tape_mark(tape);
#define REFUSED(made, words)                                                                       \
    do {                                                                                           \
        ck_assert_int_eq(wg_optimizer_step((made), NULL), WG_E_NULL);                              \
        wgt_assert_status(tape, WG_E_VALUE, words);                                                \
        wg_tape_rewind(tape, mark);                                                                \
    } while (0)
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = -1}),
            "sgd: learning rate is -1, outside [0, inf)");
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.rate = (double)NAN}), "learning rate");
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.momentum = -0.5}), "momentum is -0.5");
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.momentum = 0.5, .dampening = 1.5}), "dampening");
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.nesterov = true}), "nesterov needs momentum");
    REFUSED(wg_sgd_new(&p, 1, &(wg_sgd_options){.weight_decay = HUGE_VAL}),
            "weight decay is inf, outside [0, inf)");
    REFUSED(wg_adagrad_new(&p, 1, &(wg_adagrad_options){.start = -1}), "adagrad: start is -1");
    REFUSED(wg_rmsprop_new(&p, 1, &(wg_rmsprop_options){.alpha = 1}),
            "rmsprop: alpha is 1, outside [0, 1)");
    REFUSED(wg_adam_new(&p, 1, &(wg_adam_options){.beta1 = 1}), "adam: beta1 is 1, outside [0, 1)");
    REFUSED(wg_adamw_new(&p, 1, &(wg_adam_options){.beta2 = (double)NAN}), "adamw: beta2 is");
    REFUSED(wg_adam_new(&p, 1, &(wg_adam_options){.epsilon = -1}), "epsilon is -1");
#undef REFUSED
    wg_optimizer *sgd = wg_sgd_new(&p, 1, &(wg_sgd_options){.dampening = 1});
    ck_assert_int_eq(wg_optimizer_set_clip(sgd, -1, 0), WG_E_VALUE);
    ck_assert_int_eq(wg_optimizer_set_clip(NULL, 1, 0), WG_E_NULL);
    ck_assert_int_eq(wg_optimizer_set_param(NULL, p, 1, 0), WG_E_NULL);
}
END_TEST

/* A step asks for no memory, and without memory an optimizer is inert and the tape can go on. */
START_TEST(test_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        wg_tensor *p = wg_param(t, "p", WG_F64, WG_SHAPE(3000));
        wg_tensor *g = wg_ones_like(p);
        const wg_mark mark = wg_tape_mark(t);
        memory.fail_at = memory.calls + fail_at;
        wg_optimizer *o = wg_rmsprop_new(&p, 1, &(wg_rmsprop_options){.momentum = 0.5});
        const bool failed = memory.failed > 0;
        ck_assert_int_eq(wg_tape_status(t), failed ? WG_E_NOMEM : WG_OK);
        if (failed) {
            wgt_assert_that(wg_optimizer_step(o, &g), !=, WG_OK);
            wgt_assert_that(wg_at(p, 0), ==, 0);
            wg_tape_rewind(t, mark);
            o = wg_rmsprop_new(&p, 1, NULL);
        }
        const int64_t calls = memory.calls;
        wg_optimizer_set_clip(o, 1, 1);
        ck_assert_int_eq(wg_optimizer_step(o, &g), WG_OK);
        ck_assert_int_eq(memory.calls, calls);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed)
            break;
    }
}
END_TEST

Suite *suite_optimizer(void)
{
    Suite *suite = suite_create("optimizer");
    TCase *tests = tcase_create("optimizer");
    tcase_add_checked_fixture(tests, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_loop_test(tests, test_traces, 0, TRACES);
    tcase_add_loop_test(tests, test_traces_f32, 0, TRACES);
    tcase_add_test(tests, test_average);
    tcase_add_test(tests, test_average_errors);
    tcase_add_loop_test(tests, test_centered_stays_finite, 0, 4);
    tcase_add_loop_test(tests, test_gradients_in_parameters, 0, 3);
    tcase_add_test(tests, test_a_gradient_in_one_of_many);
    tcase_add_test(tests, test_parameter_twice);
    tcase_add_loop_test(tests, test_state_resumes, 0, TRACES);
    tcase_add_loop_test(tests, test_tiles, 0, TRACES);
    tcase_add_loop_test(tests, test_pool, 0, TRACES);
    tcase_add_test(tests, test_state_names);
    tcase_add_test(tests, test_counts_are_the_parameter_s);
    tcase_add_test(tests, test_decay_of_one_parameter);
    tcase_add_test(tests, test_clip);
    tcase_add_test(tests, test_clip_not_finite);
    tcase_add_test(tests, test_option_ranges);
    tcase_add_test(tests, test_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
