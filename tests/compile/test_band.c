/* Bands of a program: steps that go through the rows of the first axis together. */
#include "autograd/compile/program.h"

#include "autograd/grad.h"
#include "ops/elementwise.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "tests/ops/on_tape.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static wg_tensor *normal(const char *name, int ndim, const int64_t *dim, uint64_t key)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, key), WG_OK);
    return x;
}

/* Is the line of a step in the program's print said to be of a band? */
static int steps_in_bands(const wg_program *p)
{
    char line[256];
    int n = 0;
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(wg_program_print(file, p), WG_OK);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        n += strstr(line, "rows at a time") != NULL;
    fclose(file);
    return n;
}

/* The same values as recorded, twice, with other values of x before the second run. */
static void runs_like_the_tape(wg_tensor *const outputs[], int n, wg_tensor *x, int in_bands)
{
    const wg_compile_options apart = {.keep_buffers = true};
    wg_program *p = wg_compile(outputs, n, NULL), *q = wg_compile(outputs, n, &apart);
    ck_assert_int_eq(steps_in_bands(p), in_bands);
    ck_assert_int_eq(steps_in_bands(q), 0);
    for (int run = 0; run < 2; run++) {
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        for (int i = 0; i < n; i++)
            wgt_assert_same_values(wg_program_output(p, i), outputs[i]);
        ck_assert_int_eq(wg_fill_normal(x, 0, 1, 77), WG_OK);
        ck_assert_int_eq(wg_replay(t), WG_OK);
    }
    if (in_bands > 0)
        ck_assert_uint_lt(wg_program_memory(p), wg_program_memory(q) * 2 / 3);
}

/* A mixture: differences that broadcast, products of matrices, sums of squares, and their
 * gradients. 13 and 7 rows are no multiple of what is taken at a time. */
START_TEST(test_a_mixture)
{
    const int64_t k = _i == 0 ? 13 : 70, n = _i == 0 ? 900 : 211, d = 10;
    wg_tensor *x = normal("x", WG_SHAPE(n, d), 1), *mean = normal("mean", WG_SHAPE(k, 1, d), 2);
    wg_tensor *factor = normal("factor", WG_SHAPE(k, d, d), 3), *g[2];
    wg_tensor *z = wg_matmul(wg_sub(x, mean), factor);
    wg_tensor *each = wg_scale(wg_sum_over(wg_square(z), WG_AXES(2), false), -0.5);
    wg_tensor *y = wg_sum(wg_logsumexp_over(each, WG_AXES(0), false));
    ck_assert_int_eq(wg_grad(y, (wg_tensor *[]){mean, factor}, 2, g), WG_OK);
    runs_like_the_tape((wg_tensor *[]){y, g[0], g[1]}, 3, x, 11);
}
END_TEST

/* Outputs and what others read are there as a whole; views of what is not follow it. */
START_TEST(test_outputs_and_views)
{
    wg_tensor *x = normal("x", WG_SHAPE(50, 40, 100), 1);
    wg_tensor *a = wg_exp(wg_softmax(x, 2)), *flat = wg_reshape(a, WG_SHAPE(50, 4000));
    wg_tensor *b = wg_amax_over(flat, WG_AXES(1), true), *c = wg_sub(flat, b);
    wg_tensor *d = wg_norm_over(wg_reshape(c, WG_SHAPE(50, 40, 100)), 2, WG_AXES(1, 2), false);
    wg_tensor *e = wg_sum_over(a, WG_AXES(0), false);
    runs_like_the_tape((wg_tensor *[]){d}, 1, x, 5);
    wg_program *p = wg_compile((wg_tensor *[]){d, c, e}, 3, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_assert_same_values(wg_program_output(p, 0), d);
    wgt_assert_same_values(wg_program_output(p, 1), c);
    wgt_assert_same_values(wg_program_output(p, 2), e);
}
END_TEST

/* What needs other rows than its own ends a band, square or not: columns, rows that a product sums
 * over, a row of all rows. */
START_TEST(test_rows_that_meet)
{
    wg_tensor *x = normal("x", WG_SHAPE(400, 400), 1), *y = wg_softmax(x, 1);
    wg_tensor *end[] = {
        wg_softmax(y, 0),
        wg_matmul(x, y),
        wg_sub(x, wg_sum_over(y, WG_AXES(0), false)),
        wg_sub(x, wg_reshape(wg_sum_over(y, WG_AXES(1), false), WG_SHAPE(1, 400))),
        wg_sub(x, wg_transpose(y, 0, 1)),
    };
    for (size_t i = 0; i < sizeof end / sizeof *end; i++)
        runs_like_the_tape(&end[i], 1, x, i == 3 ? 2 : 0);
}
END_TEST

/* What fits into cache as it is has no bands. */
START_TEST(test_small_values)
{
    wg_tensor *x = normal("x", WG_SHAPE(50, 100), 1);
    wg_tensor *y = wg_softmax(wg_square(wg_softmax(x, 1)), 1);
    runs_like_the_tape(&y, 1, x, 0);
}
END_TEST

/* Nor have many short vectors, however many bytes they are together, or sums of many. */
START_TEST(test_many_short_vectors)
{
    wg_tensor *x = normal("x", WG_SHAPE(14), 1), *z[1500], *y = x;
    for (int i = 0; i < 1500; i++)
        y = z[i] = i % 5 == 0 ? wg_softmax(wg_reshape(y, WG_SHAPE(14, 1)), 1) : wg_sin(y);
    runs_like_the_tape(&y, 1, x, 0);
    for (int i = 0; i < 1500; i++)
        z[i] = wg_scale(x, i);
    wg_tensor *sums[] = {wg_add_n(z, 1500),     wg_add_n(z + 1, 1499), wg_add_n(z + 2, 1498),
                         wg_add_n(z + 3, 1497), wg_add_n(z + 4, 1496), wg_add_n(z + 5, 1495)};
    runs_like_the_tape(sums, 6, x, 0);
}
END_TEST

/* What an op of one's own finds wrong on its way through a band is the run's error. */
static bool rows_shape(wg_tensor *y)
{
    y->dtype = WG_F64;
    y->shape = y->operand[0]->shape;
    return true;
}

static void rows_forward(const wg_tensor *y, const wg_piece *piece)
{
    const int64_t columns = y->shape.dim[1];
    const double *x = y->operand[0]->data;
    double *to = y->data;
    for (int64_t i = piece->begin * columns; i < piece->end * columns; i++) {
        if (x[i] < 0)
            wg_op_fail(y, WG_E_VALUE, "a number is negative");
        to[i] = 2 * x[i];
    }
}

static int64_t rows_chunks(const wg_tensor *y)
{
    return y->shape.dim[0];
}

static bool rows_by_rows(const wg_tensor *y, int k)
{
    (void)y;
    return k == 0;
}

START_TEST(test_an_op_that_fails)
{
    static const wg_op op = {.name = "rows",
                             .arity = 1,
                             .shape = rows_shape,
                             .forward = rows_forward,
                             .chunks = rows_chunks,
                             .by_rows = rows_by_rows};
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(500, 400));
    wg_tensor *y = wg_softmax(wg_apply(&op, &x, 1, NULL), 1);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(steps_in_bands(p), 2);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    const wg_tensor *output = wg_program_output(p, 0);
    ((double *)wg_edit(x))[70000] = -1;
    ck_assert_int_eq(wg_program_run(p), WG_E_VALUE);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(t), "rows: a number is negative"));
    ck_assert(isnan(((const double *)output->data)[0]));
}
END_TEST

Suite *suite_band(void)
{
    Suite *suite = suite_create("band");
    TCase *cases = tcase_create("band");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, test_a_mixture, 0, 2);
    tcase_add_test(cases, test_outputs_and_views);
    tcase_add_test(cases, test_rows_that_meet);
    tcase_add_test(cases, test_small_values);
    tcase_add_test(cases, test_many_short_vectors);
    tcase_add_test(cases, test_an_op_that_fails);
    suite_add_tcase(suite, cases);
    return suite;
}
