/* Programs written as C: integers, which wrap around, and what is drawn. */
#include "tests/compile/written.h"

#include "ops/arithmetic.h"
#include "ops/cumsum.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

/* Sums of integers wrap around by unsigned numbers; what pads them is an integer. */
START_TEST(test_integers_wrap)
{
    static const int64_t x[4] = {INT64_MAX, 1, 2, INT64_MIN}, at[4] = {1, 0, 1, 1};
    enum { N = 4 };
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *i = wg_input(t, "x", WG_I64, WG_SHAPE(4), x);
    wg_tensor *index = wg_constant(t, WG_I64, WG_SHAPE(4), at);
    wg_tensor *const out[N] = {wg_sum(i), wg_cumsum(i, 0, true), wg_scatter_add_rows(i, index, 2),
                               wg_pad(i, WG_SHAPE(1), WG_SHAPE(0), 1.5)};
    wg_program *p = wg_compile(out, N, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    ck_assert(!wgt_contains(wgt_written_text(w), "+="));
    const void *bytes;
    const int64_t *const in = x;
    if (wgt_written_compile(w, wgt_compilers[0])) {
        size_t offset = 0;
        ck_assert_int_eq(wgt_written_run(w, 0, &in, &bytes), 0);
        for (int k = 0; k < N; k++) {
            const wg_tensor *want = wg_program_output(p, k);
            const int64_t *got = wgt_written_output(bytes, &offset, WG_I64, wg_size(want));
            ck_assert_mem_eq(got, wg_data_i64(want), (size_t)wg_size(want) * sizeof *got);
        }
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* Draws of a step that is an input, alone or with the rows before: the library's bits. */
START_TEST(test_draws_of_a_step)
{
    enum { STEPS = 3, DRAWS = 5 };
    static const int64_t step[STEPS][2] = {{0, 0}, {1, 5}, {INT64_MAX, 1000000}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *one = wg_input(t, "one", WG_I64, WG_SCALAR, step[0]);
    wg_tensor *two = wg_input(t, "two", WG_I64, WG_SHAPE(2), step[0]);
    wg_tensor *p = wg_full(t, WG_F64, WG_SHAPE(4, 3), 1.0 / 3), *x = wg_softmax(p, 1);
    wg_tensor *const out[DRAWS] = {wg_uniform(WG_F64, WG_SHAPE(4, 3), 7, 1, one),
                                   wg_uniform(WG_F32, WG_SHAPE(4, 3), 7, 2, two),
                                   wg_uniform(WG_F64, WG_SHAPE(4, 3), 7, 3, two),
                                   wg_dropout(x, 0.5, 7, 4, two), wg_categorical(x, 7, 5, one)};
    wg_program *program = wg_compile(out, DRAWS, NULL);
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, program, false);
    for (int s = 0; s < STEPS && wgt_written_compile(w, wgt_compilers[0]); s++) {
        const struct {
            int64_t one;
            const int64_t *two;
        } in = {step[s][0], step[s]};
        const void *bytes;
        size_t offset = 0;
        wg_program_bind(program, one, step[s]);
        wg_program_bind(program, two, step[s]);
        ck_assert_int_eq(wg_program_run(program), WG_OK);
        ck_assert_int_eq(wgt_written_run(w, 0, &in, &bytes), 0);
        for (int k = 0; k < DRAWS; k++) {
            const wg_tensor *want = wg_program_output(program, k);
            const size_t size = (size_t)wg_size(want) * wg_dtype_size(wg_dtype_of(want));
            ck_assert_mem_eq(wgt_written_output(bytes, &offset, wg_dtype_of(want), wg_size(want)),
                             want->data, size);
        }
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* Sums, products and powers of integers of inputs wrap around, one by one as well. */
START_TEST(test_integers_by_entries_wrap)
{
    enum { N = 3, SIZE = 4 };
    static const int64_t x[SIZE] = {INT64_MAX, 3, INT64_MIN, -7}, y[SIZE] = {1, -4, -1, INT64_MAX};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_input(t, "a", WG_I64, WG_SHAPE(SIZE), x);
    wg_tensor *b = wg_input(t, "b", WG_I64, WG_SHAPE(SIZE), y);
    wg_tensor *const out[N] = {wg_add(a, b), wg_sub(a, b), wg_mul(a, b)};
    wg_program *p = wg_compile(out, N, NULL);
    ck_assert_msg(wg_program_run(p) == WG_OK, "%s", wg_tape_message(t));
    wgt_written *w = wgt_written_new();
    wgt_written_add(w, p, false);
    const int64_t *const in[2] = {x, y};
    const void *bytes;
    size_t offset = 0;
    if (wgt_written_compile(w, wgt_compilers[0])) {
        ck_assert_int_eq(wgt_written_run(w, 0, in, &bytes), 0);
        for (int k = 0; k < N; k++)
            ck_assert_mem_eq(wgt_written_output(bytes, &offset, WG_I64, SIZE),
                             wg_data_i64(wg_program_output(p, k)), sizeof x);
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

Suite *suite_write_numbers(void)
{
    Suite *s = suite_create("write_numbers");
    TCase *tc = tcase_create("numbers");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_integers_wrap);
    tcase_add_test(tc, test_draws_of_a_step);
    tcase_add_test(tc, test_integers_by_entries_wrap);
    suite_add_tcase(s, tc);
    return s;
}
