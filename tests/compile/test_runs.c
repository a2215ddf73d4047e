/* Runs: calls of one kernel, each on one element, that one call makes. */
#include "autograd/compile/program_internal.h"

#include "autograd/grad.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/elementwise.h"
#include "ops/functions.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/ops/on_tape.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <string.h>

enum { LEAVES = 24 };

static wg_tensor *leaves; /* [LEAVES] */

static wg_tensor *leaf(int i)
{
    return wg_reshape(wg_slice(leaves, 0, i, i + 1), WG_SCALAR);
}

static void take_leaves(wg_dtype dtype)
{
    leaves = wg_param(t, "x", dtype, WG_SHAPE(LEAVES));
    ck_assert_int_eq(wg_fill_normal(leaves, 0, 1, 1), WG_OK);
}

/* New values, in the program and on the tape: the same bits. */
static wg_program *assert_same(wg_tensor *const outputs[], int n, const wg_compile_options *options)
{
    wg_program *p = wg_compile(outputs, n, options);
    for (uint64_t key = 2; key < 4; key++) {
        ck_assert_int_eq(wg_fill_normal(leaves, 0, 1, key), WG_OK);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        ck_assert_int_eq(wg_replay(t), WG_OK);
        for (int i = 0; i < n; i++)
            wgt_assert_same_values(wg_program_output(p, i), outputs[i]);
    }
    return p;
}

static int64_t runs(const wg_program *p)
{
    int64_t n = 0;
    for (int64_t i = 0; i < p->n_calls; i++)
        n += p->call[i].map != NULL && p->call[i].n < 0;
    return n;
}

/* ---- What is sorted -------------------------------------------------------------------------- */

/* An op of any of the x[n], many of which are shared: joins, attributes, and libm. */
static wg_tensor *any_op(uint64_t *seed, wg_tensor *const x[], int n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    const uint64_t r = *seed >> 33;
    wg_tensor *a = x[r % (uint64_t)n], *b = x[r / 64 % (uint64_t)n], *c = x[r / 4096 % (uint64_t)n];
    switch (r / 262144 % 10) {
    case 0: return wg_add(a, b);
    case 1: return wg_sub(a, b);
    case 2: return wg_mul(a, b);
    case 3: return wg_sub(wg_mul(a, b), wg_mul(b, c));
    case 4: return wg_add(c, wg_mul(a, b));
    case 5: return wg_neg(a);
    case 6: return wg_tanh(a);
    case 7: return wg_scale(a, 0.5);
    case 8: return wg_scale(wg_sub(a, c), 0.25);
    default: return wg_sigmoid(wg_add_n((wg_tensor *[]){a, b, c, a, b}, 5));
    }
}

/* Rounds of scalar ops; between two rounds, what is no scalar's call: a sum, a product, a view. */
START_TEST(test_any_scalars)
{
    enum { ROUNDS = 3, OPS = 300 };
    wg_tensor *x[LEAVES + ROUNDS * (OPS + 1)], *outputs[3];
    uint64_t seed = (uint64_t)_i;
    int n = LEAVES;
    take_leaves(_i % 2 ? WG_F32 : WG_F64);
    for (int i = 0; i < LEAVES; i++)
        x[i] = leaf(i);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < OPS; i++, n++)
            x[n] = any_op(&seed, x, n);
        x[n] = wg_tanh(wg_mean(wg_mul(leaves, wg_stack((wg_tensor *[]){x[n - 1]}, 1, 0))));
        n++;
    }
    outputs[0] = wg_mean(wg_stack(x + n - OPS, OPS, 0));
    outputs[1] = x[LEAVES + 3];
    wg_grad(outputs[0], &leaves, 1, &outputs[2]);
    const wg_program *p = assert_same(outputs, 3, NULL);
    ck_assert_int_gt(runs(p), 0);
    assert_same(outputs, 3, &(wg_compile_options){.keep_buffers = true});
    assert_same(outputs, 3, &(wg_compile_options){.keep_values = true});
}
END_TEST

/* Each of 40 products has a call of its own no more, and joins stay joins. */
START_TEST(test_calls)
{
    wg_tensor *y[40];
    take_leaves(WG_F64);
    for (int i = 0; i < 20; i++) {
        wg_tensor *a = leaf(i), *b = leaf(i + 1), *c = leaf(i + 2);
        y[2 * i] = wg_mul(a, c);
        y[2 * i + 1] = wg_sub(wg_mul(a, b), wg_mul(b, c));
    }
    const wg_program *p = assert_same(y, 40, NULL);
    ck_assert_int_eq(p->n_steps, 40);
    ck_assert_int_eq(p->n_calls, 2);
}
END_TEST

/* ---- What is not ----------------------------------------------------------------------------- */

/* Scalars of which each needs the one before; ops with other attributes. */
START_TEST(test_nothing_to_sort)
{
    wg_tensor *y[20];
    take_leaves(WG_F64);
    for (int i = 0; i < 20; i++)
        y[i] = wg_tanh(wg_mul(i > 0 ? y[i - 1] : leaf(0), leaf(1)));
    const wg_program *p = assert_same(y + 19, 1, NULL);
    ck_assert_ptr_null(p->place);
    for (int i = 0; i < 20; i++)
        y[i] = wg_scale(leaf(i), i);
    p = assert_same(y, 20, NULL);
    ck_assert_ptr_null(p->place);
}
END_TEST

/* A kernel of another's, which knows of no run. */
static void twice_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                      const void *attrs)
{
    (void)attrs;
    ck_assert_int_ge(n, 0);
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = 2 * ((const double *)x[0])[i * stride[0]];
}

static wg_tensor *twice_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)i;
    return wg_scale(dy, 2);
}

static const wg_op twice_op = {.name = "twice",
                               .formula = "twice(x) = 2 * x",
                               .arity = 1,
                               .flags = WG_OP_ELEMENTWISE,
                               .shape = wg_elementwise_shape,
                               .forward = wg_elementwise_forward,
                               .part = wg_elementwise_part,
                               .vjp = twice_vjp,
                               .chunks = wg_size,
                               .map = {[WG_F64] = twice_map}};

/* In tiles, read and written by calls that are in runs. */
START_TEST(test_kernels_of_others)
{
    wg_tensor *y[20], *outputs[2];
    take_leaves(WG_F64);
    for (int i = 0; i < 20; i++) {
        wg_tensor *x = wg_tanh(wg_mul(leaf(i), leaf(i + 1)));
        y[i] = i > 15 ? wg_tanh(wg_apply(&twice_op, (wg_tensor *[]){x}, 1, NULL)) : x;
    }
    outputs[0] = wg_sum(wg_stack(y, 20, 0));
    wg_grad(outputs[0], &leaves, 1, &outputs[1]);
    ck_assert_int_gt(runs(assert_same(outputs, 2, NULL)), 0);
}
END_TEST

Suite *suite_runs(void)
{
    Suite *s = suite_create("runs");
    TCase *tc = tcase_create("runs");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, test_any_scalars, 0, 12);
    tcase_add_test(tc, test_calls);
    tcase_add_test(tc, test_nothing_to_sort);
    tcase_add_test(tc, test_kernels_of_others);
    suite_add_tcase(s, tc);
    return s;
}
