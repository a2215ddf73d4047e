/* Joins: ops of a chain that one kernel computes. */
#include "autograd/compile/program_internal.h"

#include "autograd/grad.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "tests/ops/on_tape.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Every kernel ---------------------------------------------------------------------------- */

/* Normal numbers, and among them those that are special: two operands meet in every pair. */
static wg_tensor *special(wg_dtype dtype, int64_t n, uint64_t key)
{
    static const double value[] = {0, -0.0, HUGE_VAL, -HUGE_VAL, (double)NAN, 1, -1, 3e38, 1e-45};
    enum { N = sizeof value / sizeof *value };
    wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(n));
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, key), WG_OK);
    wg_edit(x);
    for (int64_t i = 0; i < n; i += 3)
        wg_set_element(x, i, value[(key % 2 ? i / 3 : i / (3 * N)) % N]);
    return x;
}

/* NaN is as good as any other. */
static void assert_same_numbers(const wg_tensor *got, const wg_tensor *want)
{
    ck_assert_int_eq(wg_size(got), wg_size(want));
    for (int64_t i = 0; i < wg_size(want); i++) {
        const double a = wg_at(got, i), b = wg_at(want, i);
        ck_assert_msg((isnan(a) && isnan(b)) || wgt_same_bits(a, b), "element %lld: %a and %a",
                      (long long)i, a, b);
    }
}

/* Steps' links, all in all. */
static int links(const wg_program *p)
{
    int n = 0;
    for (int64_t s = 0; s < p->n_steps; s++)
        n += p->work[s].n_links;
    return n;
}

static wg_tensor *node(const wg_op *op, wg_tensor *const x[], int n)
{
    const double c = -0.3;
    return wg_apply(op, x, n, op->attr_size > 0 ? &c : NULL);
}

/* The join of a node that reads new leaves. */
static wg_tensor *joined(const wg_join *join, wg_dtype dtype, int64_t size)
{
    wg_tensor *y[2];
    const int n = join->outer->arity < 0 ? 2 : join->outer->arity;
    for (int k = 0; k < n; k++) {
        const uint64_t key = 2 * (uint64_t)k;
        wg_tensor *x[] = {special(dtype, size, key + 1), special(dtype, size, key + 2)};
        y[k] = join->which >> k & 1 ? node(join->inner, x, join->inner->arity) : x[k];
    }
    return node(join->outer, y, n);
}

static int try_joins(const wg_join *join, wg_dtype dtype, int64_t size)
{
    int n = 0;
    for (; join != NULL && join->inner != NULL; join++, n++) {
        wg_tensor *y = joined(join, dtype, size);
        wg_program *p = wg_compile(&y, 1, NULL);
        ck_assert_int_eq(links(p), 1);
        ck_assert(p->work[0].link->join->map[dtype] == join->map[dtype]);
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        assert_same_numbers(wg_program_output(p, 0), y);
    }
    return n;
}

/* Of one element, of a kernel's fast loops and their ends, of one tile and of several. */
START_TEST(test_every_join)
{
    const int64_t sizes[] = {1, 2, 14, 33, 2049, 5000};
    int n = 0;
    for (int i = 0; wg_op_at(i) != NULL; i++)
        n += try_joins(wg_op_at(i)->joins, _i % 2 ? WG_F32 : WG_F64, sizes[_i / 2]);
    ck_assert_int_ge(n, 37);
}
END_TEST

/* ---- What is not joined ---------------------------------------------------------------------- */

static wg_tensor *x[4]; /* [14] */

static void setup_leaves(void)
{
    setup();
    for (int k = 0; k < 4; k++) {
        x[k] = wg_param(t, "x", WG_F64, WG_SHAPE(14));
        ck_assert_int_eq(wg_fill_normal(x[k], 0, 1, (uint64_t)k), WG_OK);
    }
}

static wg_program *assert_links(wg_tensor *const outputs[], int n, int want)
{
    wg_program *p = wg_compile(outputs, n, NULL);
    ck_assert_int_eq(links(p), want);
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(wg_fill_normal(x[k], 0, 1, (uint64_t)k + 10), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int i = 0; i < n; i++)
        wgt_assert_same_values(wg_program_output(p, i), outputs[i]);
    return p;
}

/* What is read twice, by one op or two, or is an output, is stored, or has a tile. */
START_TEST(test_values_that_others_read)
{
    wg_tensor *e = wg_mul(x[0], x[1]);
    wg_tensor *twice = wg_add(e, e), *again = wg_mul(wg_exp(wg_add(e, x[2])), e);
    assert_links(&twice, 1, 2);
    assert_links(&again, 1, 4);
    assert_links((wg_tensor *[]){wg_add(e, x[2]), e}, 2, 2);
}
END_TEST

/* One value of many elements' is not an operand of theirs. */
START_TEST(test_operands_that_are_repeated)
{
    wg_tensor *one = wg_sum(x[0]), *y[2];
    y[0] = wg_add(wg_mul(x[1], one), x[2]);
    y[1] = wg_add(wg_mul(x[1], x[3]), one);
    for (int i = 0; i < 2; i++) {
        wg_program *p = assert_links(&y[i], 1, 2);
        ck_assert_int_eq(p->n_steps, 2);
    }
}
END_TEST

/* Operands of the inner op wait for the outer one, their tiles with them. */
START_TEST(test_tiles_that_wait)
{
    wg_tensor *a = wg_exp(x[0]), *b = wg_sin(x[1]), *e = wg_mul(a, b), *y = x[2];
    for (int i = 0; i < 6; i++)
        y = wg_cos(wg_tanh(y)); /* would take the tiles of a and b */
    y = wg_sub(y, e);
    assert_links(&y, 1, 15);
}
END_TEST

/* A kernel takes in no kernel: sums of products from the left. */
START_TEST(test_long_sums)
{
    wg_tensor *y = wg_mul(x[0], x[1]);
    for (int i = 0; i < 5; i++)
        y = (i % 2 ? wg_add : wg_sub)(y, wg_mul(x[i % 4], x[(i + 1) % 4]));
    assert_links(&y, 1, 5);
}
END_TEST

START_TEST(test_a_join_is_printed)
{
    char text[256] = "";
    wg_tensor *y = wg_exp(wg_add(wg_mul(x[0], x[1]), wg_mul(x[2], x[3])));
    wg_program *p = assert_links(&y, 1, 2);
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(wg_program_print(file, p), WG_OK);
    rewind(file);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, file));
    fclose(file);
    ck_assert_ptr_nonnull(strstr(text, "  mul, mul, add, exp\n"));
}
END_TEST

/* ---- Programs at random ---------------------------------------------------------------------- */

static wg_tensor *draw(wg_tensor *const made[], int n, uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t r = *state >> 33;
    return made[r % 3 == 0 ? r / 3 % (uint64_t)n
                           : (uint64_t)n - 1 - r / 3 % (n < 4 ? (uint64_t)n : 4)];
}

/* Nodes of the ops that have joins, their gradient, and outputs among them. */
START_TEST(test_random_programs)
{
    enum { NODES = 40, SIZES = 4 };
    static const int64_t sizes[SIZES] = {1, 5, 70, 4100};
    uint64_t state = (uint64_t)_i;
    wg_tensor *made[4 + NODES], *leaf[4], *outputs[6];
    for (int k = 0; k < 4; k++) {
        leaf[k] = made[k] = wg_param(t, "x", _i % 2 ? WG_F32 : WG_F64,
                                     WG_SHAPE(sizes[_i / 2 % SIZES]));
        ck_assert_int_eq(wg_fill_normal(leaf[k], 0, 0.7, (uint64_t)(4 * _i + k)), WG_OK);
    }
    for (int i = 4; i < 4 + NODES; i++) {
        wg_tensor *a = draw(made, i, &state), *b = draw(made, i, &state);
        switch (state >> 60) {
        case 0: made[i] = wg_tanh(a); break;
        case 1: made[i] = wg_sigmoid(a); break;
        case 2:
        case 3: made[i] = wg_scale(a, 0.7); break;
        case 4:
        case 5:
        case 6: made[i] = wg_add(a, b); break;
        case 7:
        case 8:
        case 9: made[i] = wg_sub(a, b); break;
        default: made[i] = wg_mul(wg_tanh(a), b); break;
        }
    }
    outputs[0] = wg_sum(wg_tanh(made[3 + NODES]));
    outputs[1] = draw(made, 4 + NODES, &state);
    ck_assert_int_eq(wg_grad(outputs[0], leaf, 4, outputs + 2), WG_OK);
    wg_program *p = wg_compile(outputs, 6, NULL);
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(wg_fill_normal(leaf[k], 0, 0.7, (uint64_t)(4 * _i + k + 1)), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int i = 0; i < 6; i++)
        assert_same_numbers(wg_program_output(p, i), outputs[i]);
}
END_TEST

Suite *suite_join(void)
{
    Suite *suite = suite_create("join");
    TCase *kernels = tcase_create("kernels"), *chains = tcase_create("chains");
    tcase_add_checked_fixture(kernels, setup, teardown);
    tcase_add_loop_test(kernels, test_every_join, 0, 12);
    tcase_add_loop_test(kernels, test_random_programs, 0, 200);
    suite_add_tcase(suite, kernels);
    tcase_add_checked_fixture(chains, setup_leaves, teardown);
    tcase_add_test(chains, test_values_that_others_read);
    tcase_add_test(chains, test_operands_that_are_repeated);
    tcase_add_test(chains, test_tiles_that_wait);
    tcase_add_test(chains, test_long_sums);
    tcase_add_test(chains, test_a_join_is_printed);
    suite_add_tcase(suite, chains);
    return suite;
}
