/* Losses in row blocks as objectives of the minimizers. */
#include "models/optim/minimize_internal.h"
#include "models/wengert.h"
#include "tests/models/optima.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static wg_tensor *sum_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const wgt_model *m = user;
    (void)t;
    wg_tensor *z = wg_linear(rows[0], m->param[0], m->param[1]);
    if (m->optimum->softmax)
        return wg_cross_entropy_opt(z, rows[1], &(wg_cross_entropy_options){.reduction = WG_SUM});
    return wg_bce_with_logits_opt(z, rows[1], &(wg_bce_options){.reduction = WG_SUM});
}

/* The objective of model i, in blocks of so many rows. */
static wg_blocks *blocks_of(wgt_model *m, int64_t rows)
{
    const double n = (double)wg_dim(m->X, 0);
    wg_tensor *data[] = {m->X, m->y};
    wg_tensor *penalty = m->optimum->penalized
                             ? wg_scale(wg_sum(wg_square(m->param[0])), 1 / (2 * n))
                             : NULL;
    return wg_blocks_new(data, 2, m->param, 2, sum_loss, m,
                         &(wg_blocks_options){rows, 1 / n, penalty});
}

static wg_optimum minimize(const wg_objective *f, wgt_model *m, double x[])
{
    wg_params_to_vector(m->param, 2, x);
    return wg_minimizer_run(wg_minimizer_new(f, &(wg_minimizer_options){.tolerance = 1e-10}), x);
}

/* ---- The optima, whatever the blocks and the threads. ---------------------------------------- */

enum { MOST = 64 }; /* parameters of any of the models */

START_TEST(test_objective_blocks_optima)
{
    const int64_t rows[] = {0, 1, 7, 64};
    for (size_t k = 0; k < 4; k++) {
        wg_tape *t = wg_tape_new(NULL);
        wgt_model m = wgt_model_new(t, _i);
        const wg_objective f = wg_objective_blocks(blocks_of(&m, rows[k]), false);
        double x[MOST];
        ck_assert_int_eq(f.n, wg_params_size(m.param, 2));
        const wg_optimum found = minimize(&f, &m, x);
        ck_assert_int_eq(wg_replay(t), WG_OK);
        wgt_assert_optimum(&m, &found, 1e-10);
        wgt_assert_that(found.iterations, <, 200);
        wgt_assert_that(found.evaluations, <, 250);
        wg_tape_free(t);
    }
}
END_TEST

START_TEST(test_objective_blocks_threads)
{
    double first[MOST];
    for (int threads = 1; threads <= 4; threads++) {
        wg_pool *pool = wg_pool_new(threads, NULL);
        wg_tape *t = wg_tape_new(&(wg_tape_options){.pool = pool});
        wgt_model m = wgt_model_new(t, _i);
        const wg_objective f = wg_objective_blocks(blocks_of(&m, 16), false);
        double x[MOST] = {0};
        ck_assert_int_eq(minimize(&f, &m, x).stop, WG_STOP_GRADIENT);
        if (threads == 1)
            memcpy(first, x, sizeof x);
        wgt_assert_same_bytes(x, first, (size_t)f.n * sizeof *x);
        wg_tape_free(t);
        wg_pool_free(pool);
    }
}
END_TEST

/* ---- The same function as that of a recorded loss. ------------------------------------------- */

/* Of n terms whose absolute values add up to less than 100 n (|x| <= 2, |X| < 13, d <= 30) each sum
 * is off by less than eps (log2(n) + 4) 100 n, and is then divided by n; the terms have some eps of
 * their own. */
START_TEST(test_objective_blocks_agree)
{
    wg_tape *t = wg_tape_new(NULL);
    wgt_model m = wgt_model_new(t, _i);
    const wg_objective whole = wg_objective_new(m.loss, m.param, 2, false);
    const wg_objective blocks = wg_objective_blocks(blocks_of(&m, 50), false);
    wgt_assert_that(whole.n, ==, blocks.n);
    wgt_assert_that(whole.noise, ==, blocks.noise);
    ck_assert_ptr_eq(whole.tape, blocks.tape);
    double x[MOST], g[MOST], h[MOST];
    for (uint64_t k = 0; k < 10; k++) {
        for (int64_t i = 0; i < whole.n; i++)
            x[i] = 2 - 4 * wg_random_uniform(1, k, (uint64_t)i);
        const double value = whole.value_and_gradient(x, g, whole.user);
        const double bound = 20 * 0x1p-52 * 100;
        wgt_assert_close(blocks.value_and_gradient(x, h, blocks.user), value, 0, bound);
        for (int64_t i = 0; i < whole.n; i++)
            wgt_assert_close(h[i], g[i], 0, bound);
    }
    wg_tape_free(t);
}
END_TEST

/* f32 parameters take x rounded, value and gradient are those at the rounded x. */
START_TEST(test_objective_blocks_f32)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_table *data = wg_csv_read(t, "examples/data/breast_cancer.csv",
                                 &(wg_csv_options){.f32 = true});
    wgt_model m = {&wgt_optima[0],
                   wg_standardize(wg_table_features(data)),
                   wg_table_labels(data),
                   {0},
                   NULL,
                   NULL,
                   NULL};
    m.param[0] = wg_param(t, "w", WG_F32, WG_SHAPE(1, wg_dim(m.X, 1)));
    m.param[1] = wg_param(t, "b", WG_F32, WG_SHAPE(1));
    const wg_objective f = wg_objective_blocks(blocks_of(&m, 0), false);
    double x[MOST] = {0};
    wgt_assert_that(f.noise, >, 0x1p-24);
    wg_minimizer *l = wg_minimizer_new(&f, &(wg_minimizer_options){.tolerance = 1e-5});
    const wg_optimum found = wg_minimizer_run(l, x);
    ck_assert_int_eq(found.stop, WG_STOP_GRADIENT);
    wgt_assert_close(found.value, wgt_optima[0].objective, 1e-5, 0);
    wgt_assert_that(wg_at(m.param[0], 3), ==, (double)(float)x[3]);
    wg_tape_free(t);
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

static wg_tensor *square_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    (void)t;
    return wg_sum(wg_square(wg_sub(rows[0], user)));
}

START_TEST(test_objective_blocks_errors)
{
    wg_tape *t = wg_tape_new(NULL);
    const double data[] = {1, 2, 3, 6};
    wg_tensor *p = wgt_scalar_param(t, "p", 0), *computed = wg_scale(p, 2);
    wg_tensor *rows = wg_input(t, "x", WG_F64, WG_SHAPE(4), data);
    const wg_mark mark = wg_tape_mark(t);
    wg_tensor *params[] = {computed};
    wg_objective f = wg_objective_blocks(wg_blocks_new(&rows, 1, params, 1, square_loss, p, NULL),
                                         false);
    wgt_assert_status(t, WG_E_VALUE, "tensor 0 is no parameter");
    ck_assert(f.value_and_gradient == NULL);
    wg_tape_rewind(t, mark);
    f = wg_objective_blocks(wg_blocks_new(&rows, 1, NULL, 0, square_loss, p, NULL), false);
    wgt_assert_status(t, WG_E_VALUE, "there is no parameter");
    wg_tape_rewind(t, mark);
    f = wg_objective_blocks(wg_blocks_new(&rows, 1, &p, 1, NULL, NULL, NULL), false);
    wgt_assert_status(t, WG_E_NULL, "");
    ck_assert_int_eq(wg_minimizer_run(wg_minimizer_new(&f, NULL), &(double){0}).stop,
                     WG_STOP_ERROR);
    f = wg_objective_blocks(NULL, false);
    ck_assert_int_eq(wg_minimizer_run(wg_minimizer_new(&f, NULL), &(double){0}).stop,
                     WG_STOP_ERROR);
    wg_tape_rewind(t, mark);
    wg_blocks *b = wg_blocks_new(&rows, 1, &p, 1, square_loss, p, NULL);
    wgt_assert_that(wg_blocks_params(b), ==, 1);
    ck_assert_ptr_eq(wg_blocks_param(b, 0), p);
    ck_assert(wg_is_inert(wg_blocks_param(b, 1)));
    wgt_assert_status(t, WG_E_INDEX, "no parameter 1 of 1");
    wgt_assert_that(wg_blocks_params(NULL), ==, 0);
    ck_assert(wg_is_inert(wg_blocks_param(NULL, 0)));
    wg_tape_free(t);
}
END_TEST

static wg_optimum minimize_in_blocks(wg_tensor *loss, wg_tensor *const params[], int n)
{
    static const double data[] = {1, 1, 1, 1};
    wg_tensor *rows = wg_input(loss->tape, "x", WG_F64, WG_SHAPE(4, 1), data);
    wg_blocks *b = wg_blocks_new(&rows, 1, params, n, square_loss, params[0],
                                 &(wg_blocks_options){.rows = 3});
    const wg_objective f = wg_objective_blocks(b, false);
    double x[70] = {0};
    return wg_minimizer_run(wg_minimizer_new(&f, NULL), x);
}

START_TEST(test_objective_blocks_memory)
{
    wgt_assert_survives_no_memory(minimize_in_blocks);
}
END_TEST

Suite *suite_objective(void)
{
    Suite *suite = suite_create("objective");
    TCase *tests = tcase_create("objective");
    tcase_add_loop_test(tests, test_objective_blocks_optima, 0, WGT_OPTIMA);
    tcase_add_loop_test(tests, test_objective_blocks_threads, 0, WGT_OPTIMA);
    tcase_add_loop_test(tests, test_objective_blocks_agree, 0, WGT_OPTIMA);
    tcase_add_test(tests, test_objective_blocks_f32);
    tcase_add_test(tests, test_objective_blocks_errors);
    tcase_add_test(tests, test_objective_blocks_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
