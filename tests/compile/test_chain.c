/* Chains of a program: elementwise ops, views and reductions that are one step. */
#include "autograd/compile/program.h"

#include "autograd/grad.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/ops/on_tape.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdlib.h>

static void fill(wg_tensor *x, uint64_t key)
{
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, key), WG_OK);
}

START_TEST(test_chains)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(50, 40)),
              *b = wg_param(t, "b", WG_F64, WG_SHAPE(40));
    fill(x, 1), fill(b, 2);
    wg_tensor *shared = wg_tanh(wg_add(x, b));
    wg_tensor *end = wg_mul(wg_square(shared), wg_cast(wg_exp(wg_cast(shared, WG_F32)), WG_F64));
    wg_tensor *outputs[] = {wg_sum(end), wg_sum(wg_matmul_t(shared, true, shared, false))};
    wg_program *p = wg_compile(outputs, 2, NULL);
    /* add tanh; cast exp; square cast mul sum, for what a cast checks is stored; matmul, sum */
    ck_assert_int_eq(wg_program_steps(p), 5);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 0), outputs[0]);
    wgt_assert_same_values(wg_program_output(p, 1), outputs[1]);
}
END_TEST

static void program_has_steps(wg_tensor *const outputs[], int n, int steps)
{
    wg_program *p = wg_compile(outputs, n, NULL);
    ck_assert_int_eq(wg_program_steps(p), steps);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    for (int i = 0; i < n; i++)
        wgt_assert_same_values(wg_program_output(p, i), outputs[i]);
}

/* What others read, too, is a further output of the chain, of one tile or of many. */
START_TEST(test_a_chain_stores_what_others_read)
{
    const int64_t sizes[] = {3, 100, 5000};
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(sizes[_i]));
    fill(x, 1);
    wg_tensor *shared = wg_exp(x), *last = wg_square(wg_sin(shared));
    wg_tensor *outputs[] = {wg_sum(last), wg_sum(shared), shared};
    program_has_steps(outputs, 3, 1); /* exp sin square sum sum */
    wg_tensor *later = wg_mul(shared, wg_broadcast_to(outputs[0], WG_SHAPE(sizes[_i])));
    program_has_steps(&later, 1, 2); /* exp is stored for mul, which waits for the sum */
}
END_TEST

/* Sums and means of all elements are links: they take tile after tile, of which the last may be
 * short. */
START_TEST(test_reductions_in_a_chain)
{
    const int64_t sizes[] = {2, 7, 64, 65, 2047, 2048, 2049, 5000, 70000};
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(sizes[i], 1));
        fill(x, 1);
        wg_tensor *y = wg_sin(x);
        wg_tensor *outputs[] = {wg_mean(wg_square(y)), wg_sum_over(y, WG_AXES(0, 1), true), y};
        program_has_steps(outputs, 3, 1);
        wg_tensor *g, *loss = wg_sum(wg_mul(y, wg_exp(y)));
        ck_assert_int_eq(wg_grad(loss, &x, 1, &g), WG_OK);
        program_has_steps((wg_tensor *[]){loss, g}, 2, 1); /* forward and backward */
    }
}
END_TEST

/* A view of all elements, and a sum of cotangents, are read and made tile by tile. */
START_TEST(test_views_and_sums_in_a_chain)
{
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(60, 50)),
              *b = wg_param(t, "b", WG_F32, WG_SHAPE(50));
    fill(x, 1), fill(b, 2);
    wg_tensor *flat = wg_reshape(wg_exp(wg_mul(x, b)), WG_SHAPE(3000));
    wg_tensor *terms[] = {flat, wg_sin(flat), wg_cos(flat), wg_neg(flat)};
    wg_tensor *y = wg_reshape(wg_square(wg_add_n(terms, 4)), WG_SHAPE(50, 60));
    program_has_steps(&y, 1, 1);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_uint_eq(wg_program_memory(p), 3000 * sizeof(float) + 32); /* of whole lines */
    wg_tensor *part = wg_neg(wg_slice(flat, 0, 0, 1500)); /* not all of it: from memory */
    program_has_steps(&part, 1, 2);
}
END_TEST

/* What a check reads is in memory, though its op is a link. */
START_TEST(test_a_check_inside_a_chain)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(1000));
    fill(x, 1);
    wg_tensor *whole = wg_cast(wg_scale(x, 10), WG_I64);
    wg_tensor *y = wg_neg(wg_square(wg_cast(whole, WG_F64)));
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_lt(wg_program_steps(p), 5);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 0), y);
    double *w = wg_edit(x);
    w[700] = 1e18;
    ck_assert_int_eq(wg_program_run(p), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "cast: element 700 is 1e+19");
}
END_TEST

/* So is what the first link of a chain reads that is called link by link. */
START_TEST(test_a_check_begins_a_chain)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){1, 2, 3});
    wg_tensor *y = wg_neg(wg_square(wg_cast(wg_cast(x, WG_I64), WG_F64)));
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wg_edit(x);
    ((double *)x->data)[1] = 1e19;
    ck_assert_int_eq(wg_program_run(p), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "cast: element 1 is 1e+19");
}
END_TEST

START_TEST(test_long_chains_are_cut)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(5000)), *y = x;
    fill(x, 1);
    for (int i = 0; i < 600; i++)
        y = wg_sin(y);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_gt(wg_program_steps(p), 1);
    ck_assert_int_lt(wg_program_steps(p), 20);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 0), y);
}
END_TEST

/* Targets out of their domain, of one tile or of many, from a loss or its gradient alone: the check
 * runs before the chain, and does not keep logits out of it. Constants were looked at before. */
START_TEST(test_a_failed_check_of_an_input)
{
    const int64_t n = _i & 1 ? 3 : 5000;
    const bool single = _i & 2;
    const wg_dtype dtype = single ? WG_F32 : WG_F64;
    void *good = calloc((size_t)n, sizeof(double)), *bad = calloc((size_t)n, sizeof(double));
    if (single)
        ((float *)bad)[2] = -1;
    else
        ((double *)bad)[2] = -1;
    wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(n)), *g, *loss, *constant;
    fill(x, 1);
    wg_tensor *y = wg_input(t, "y", dtype, WG_SHAPE(n), good), *z = wg_sin(wg_square(x));
    wg_tensor *of = wg_shift(wg_scale(y, 0.5), 0.25); /* computed: not looked at */
    loss = wg_bce_with_logits_opt(z, y, &(wg_bce_options){.reduction = WG_SUM});
    constant = wg_sum(wg_bce_with_logits_opt(z, wg_full(t, dtype, WG_SHAPE(n), 0),
                                             &(wg_bce_options){.reduction = WG_NONE}));
    ck_assert_int_eq(wg_grad(loss, &x, 1, &g), WG_OK);
    program_has_steps(&loss, 1, 1);
    program_has_steps(&constant, 1, 1);
    wg_tensor *smooth = wg_bce_with_logits_opt(z, of, &(wg_bce_options){.reduction = WG_SUM});
    program_has_steps(&smooth, 1, 1);
    wg_tensor *outputs[] = {loss, g};
    for (int i = 0; i < 2; i++) {
        wg_program *p = wg_compile(&outputs[i], 1, NULL);
        const wg_mark mark = wg_tape_mark(t);
        wg_program_bind(p, y, bad);
        ck_assert_int_eq(wg_program_run(p), WG_E_VALUE);
        wgt_assert_status(t, WG_E_VALUE, "bce_with_logits: target -1 at 2 is outside [0, 1]: y (");
        wg_tape_rewind(t, mark);
        wg_program_bind(p, y, good);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        wgt_assert_same_values(wg_program_output(p, 0), outputs[i]);
    }
    free(good);
    free(bad);
}
END_TEST

Suite *suite_chain(void)
{
    Suite *suite = suite_create("chain");
    TCase *cases = tcase_create("chain");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_chains);
    tcase_add_loop_test(cases, test_a_chain_stores_what_others_read, 0, 3);
    tcase_add_loop_test(cases, test_reductions_in_a_chain, 0, 2);
    tcase_add_test(cases, test_views_and_sums_in_a_chain);
    tcase_add_test(cases, test_a_check_inside_a_chain);
    tcase_add_test(cases, test_a_check_begins_a_chain);
    tcase_add_loop_test(cases, test_a_failed_check_of_an_input, 0, 4);
    tcase_add_test(cases, test_long_chains_are_cut);
    suite_add_tcase(suite, cases);
    return suite;
}
