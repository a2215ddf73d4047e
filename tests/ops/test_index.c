/* Ops that take and put elements by index, and running sums. */
#include "ops/index.h"

#include "autograd/grad.h"
#include "ops/compare.h"
#include "ops/cumsum.h"
#include "tests/support/assert.h"
#include "tests/support/linear.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>

static const wg_dtype dtypes[] = {WG_F32, WG_F64, WG_I64};

static wg_tensor *indices(wg_tape *t, int ndim, const int64_t *dim, const int64_t *values)
{
    return wg_rename(wg_constant(t, WG_I64, ndim, dim, values), "idx");
}

/* Runs one failing call on a fresh tape with table (5, 3), idx (4,), flat (2, 3) and one (i64,
 * 0-d). */
#define ASSERT_FAILS(call, status, message)                                                        \
    do {                                                                                           \
        wg_tape *t = wg_tape_new(NULL);                                                            \
        wg_tensor *table = wg_rename(wgt_counting(t, WG_SHAPE(5, 3)), "table");                    \
        wg_tensor *idx = indices(t, WG_SHAPE(4), (int64_t[]){0, 4, 2, 7});                         \
        wg_tensor *flat = indices(t, WG_SHAPE(2, 3), (int64_t[]){0, 1, 2, 0, -1, 2});              \
        wg_tensor *one = wg_scalar(t, WG_I64, 1);                                                  \
        (void)table, (void)idx, (void)flat, (void)one;                                             \
        int64_t before = wg_tape_size(t);                                                          \
        ck_assert(wg_is_inert(call));                                                              \
        wgt_assert_status(t, status, message);                                                     \
        ck_assert_int_eq(wg_tape_size(t), before);                                                 \
        ck_assert(wg_is_inert(call)); /* and the inert tensor goes through */                      \
        wg_tape_free(t);                                                                           \
    } while (0)

/* ---- Rows ------------------------------------------------------------------------------------ */

START_TEST(test_gather_rows)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting_of(t, dtypes[_i], WG_SHAPE(4, 2));
    wg_tensor *idx = indices(t, WG_SHAPE(2, 3), (int64_t[]){3, 0, 3, 1, 1, 0});
    wg_tensor *y = wg_gather_rows(x, idx);
    const double want[] = {7, 8, 1, 2, 7, 8, 3, 4, 3, 4, 1, 2};
    wgt_assert_that(wg_ndim(y), ==, 3);
    wgt_assert_that(wg_dim(y, 1), ==, 3);
    wgt_assert_that(wg_dim(y, 2), ==, 2);
    for (int64_t i = 0; i < 12; i++)
        wgt_assert_that(wg_at(y, i), ==, want[i]);
    wgt_assert_pieces(y);
    wg_tensor *back = wg_scatter_add_rows(y, idx, 5);
    const double sums[] = {2, 4, 6, 8, 0, 0, 14, 16, 0, 0};
    wgt_assert_that(wg_ndim(back), ==, 2);
    wgt_assert_that(wg_dim(back, 0), ==, 5);
    for (int64_t i = 0; i < 10; i++)
        wgt_assert_that(wg_at(back, i), ==, sums[i]);
    wgt_assert_pieces(back);
    wg_tape_free(t);
}
END_TEST

/* Rows too long to be summed side by side: each by the list of what goes there. */
START_TEST(test_scatter_long_rows)
{
    enum { N = 7, ROWS = 3, WIDTH = 4100 };
    static const int64_t to[N] = {2, 0, 2, 2, 0, 2, 0};
    wg_tape *t = wgt_strict_tape();
    static double values[N * WIDTH];
    for (int i = 0; i < N * WIDTH; i++)
        values[i] = i % 1000;
    wg_tensor *x = wg_cast(wg_constant(t, WG_F64, WG_SHAPE(N, WIDTH), values), dtypes[_i]);
    wg_tensor *y = wg_scatter_add_rows(x, indices(t, WG_SHAPE(N), to), ROWS);
    for (int64_t column = 0; column < WIDTH; column++) {
        double sums[ROWS] = {0};
        for (int i = 0; i < N; i++)
            sums[to[i]] += values[i * WIDTH + column];
        for (int row = 0; row < ROWS; row++)
            wgt_assert_that(wg_at(y, row * WIDTH + column), ==, sums[row]);
    }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_rows_derivative_and_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(4, 3));
    wg_tensor *idx = indices(t, WG_SHAPE(4), (int64_t[]){2, 0, 2, 2});
    wgt_assert_linear(x, wg_gather_rows(x, idx));
    wgt_assert_linear(x, wg_scatter_add_rows(x, idx, 3));
    const int64_t crowd[] = {2, 0, 1, 0, 2, 1, 1, 0, 2, 2, 0, 1};
    wg_tensor *many = wgt_counting_of(t, WG_F32, WG_SHAPE(12, 2));
    wgt_assert_pieces(wg_scatter_add_rows(many, indices(t, WG_SHAPE(12), crowd), 4));
    wg_tensor *row = wg_gather_rows(x, wg_scalar(t, WG_I64, 1)); /* a 0-d index takes one row */
    wgt_assert_tensor(row, WG_SHAPE(3), (double[]){4, 5, 6});
    wgt_assert_tensor(wg_scatter_add_rows(row, wg_scalar(t, WG_I64, 1), 2), WG_SHAPE(2, 3),
                      (double[]){0, 0, 0, 4, 5, 6});
    wgt_assert_linear(x, wg_scatter_add_rows(x, wg_scalar(t, WG_I64, 1), 2));
    wg_tensor *none = wg_gather_rows(x, indices(t, WG_SHAPE(0, 2), NULL));
    wgt_assert_that(wg_size(none), ==, 0);
    wgt_assert_that(wg_ndim(none), ==, 3);
    wg_tensor *zeros = wg_scatter_add_rows(none, indices(t, WG_SHAPE(0, 2), NULL), 2);
    wgt_assert_tensor(zeros, WG_SHAPE(2, 3), (double[]){0, 0, 0, 0, 0, 0});
    wg_tape_free(t);
}
END_TEST

START_TEST(test_rows_errors)
{
    ASSERT_FAILS(wg_gather_rows(table, idx), WG_E_INDEX,
                 "gather_rows: index 7 at 3 is outside 0..4: table (5, 3) x idx (4,)");
    ASSERT_FAILS(wg_gather_rows(table, flat), WG_E_INDEX, "index -1 at 4 is outside 0..4");
    ASSERT_FAILS(wg_gather_rows(table, table), WG_E_DTYPE,
                 "operand 1 is to be i64: table (5, 3) f64");
    ASSERT_FAILS(wg_gather_rows(one, idx), WG_E_SHAPE, "gather_rows: the table has no rows");
    ASSERT_FAILS(wg_gather_rows(NULL, idx), WG_E_NULL, "gather_rows: operand 0 is NULL");
    ASSERT_FAILS(wg_gather_rows(table, NULL), WG_E_NULL, "gather_rows: operand 1 is NULL");
    ASSERT_FAILS(wg_scatter_add_rows(table, idx, 3), WG_E_SHAPE, "does not begin with that");
    ASSERT_FAILS(wg_scatter_add_rows(flat, flat, -1), WG_E_VALUE, "scatter_add_rows: -1 rows");
    ASSERT_FAILS(wg_scatter_add_rows(flat, flat, 2), WG_E_INDEX, "index 2 at 2 is outside 0..1");
    ASSERT_FAILS(wg_scatter_add_rows(idx, idx, 0), WG_E_INDEX, "index 0 at 0 is outside 0..-1");
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *full = wg_full(t, WG_F64, WG_SHAPE(1, 1, 1, 1, 1, 1, 2, 3), 0);
    ck_assert(wg_is_inert(wg_scatter_add_rows(full, wg_scalar(t, WG_I64, 1), 2)));
    wgt_assert_status(t, WG_E_SHAPE, "the result would have over 8 axes");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_indices_are_checked_in_a_replay)
{
    wg_tape *t = wg_tape_new(NULL);
    const int64_t good[] = {1, 0}, bad[] = {0, 2};
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 1));
    wg_tensor *idx = wg_input(t, "idx", WG_I64, WG_SHAPE(2), good);
    wgt_assert_tensor(wg_gather_rows(x, idx), WG_SHAPE(2, 1), (double[]){2, 1});
    ck_assert_int_eq(wg_bind(idx, bad), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_E_INDEX);
    wgt_assert_status(t, WG_E_INDEX, "gather_rows: index 2 at 1 is outside 0..1: x (2, 1) x idx");
    wg_tape_free(t);
}
END_TEST

/* Many rows into one: n equal terms, so the exact sum is n*x; see test_layout.c for the bound.
 * Wider than the kernel's tile. */
START_TEST(test_scatter_rows_is_accurate)
{
    const int64_t n = 100000, width = 67;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(n, 1), 0.1);
    wg_tensor *to = wg_full(t, WG_I64, WG_SHAPE(n), 1);
    wgt_assert_ulps(wg_at(wg_scatter_add_rows(x, to, 3), 1), 0.1 * (double)n, 1);
    wg_tensor *f = wg_full(t, WG_F32, WG_SHAPE(500, width), 0.1);
    wg_tensor *y = wg_scatter_add_rows(f, wg_full(t, WG_I64, WG_SHAPE(500), 0), 1);
    for (int64_t i = 0; i < width; i++)
        wgt_assert_ulps_f32(wg_data_f32(y)[i], (float)((double)0.1f * 500), 1);
    wg_tape_free(t);
}
END_TEST

/* ---- Along an axis --------------------------------------------------------------------------- */

static int64_t at3(const int64_t *dim, int64_t i, int64_t j, int64_t k)
{
    return (i * dim[1] + j) * dim[2] + k;
}

/* x (3, 4, 5); the index is smaller on one other axis, and has 6 entries along its own. */
static wg_tensor *some_index(wg_tape *t, int axis, int64_t *dim, int64_t range)
{
    int64_t values[120];
    const int64_t sizes[3][3] = {{6, 4, 4}, {2, 6, 5}, {3, 3, 6}};
    for (int i = 0; i < 3; i++)
        dim[i] = sizes[axis][i];
    for (int64_t i = 0; i < 120; i++)
        values[i] = i * i % 7 % range;
    return wg_constant(t, WG_I64, 3, dim, values);
}

START_TEST(test_gather_and_scatter)
{
    const int64_t xs[] = {3, 4, 5};
    int axis = _i % 3;
    int64_t ks[3];
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting_of(t, dtypes[_i / 3], 3, xs);
    wg_tensor *index = some_index(t, axis, ks, xs[axis]);
    wg_tensor *y = wg_gather(x, axis, index);
    wg_tensor *z = wg_scatter_add(x, axis - 3, index, y);
    double want[60];
    for (int i = 0; i < 60; i++)
        want[i] = wg_at(x, i);
    for (int64_t i = 0; i < ks[0]; i++)
        for (int64_t j = 0; j < ks[1]; j++)
            for (int64_t k = 0; k < ks[2]; k++) {
                int64_t place[] = {i, j, k}, here = at3(ks, i, j, k);
                place[axis] = wg_data_i64(index)[here];
                int64_t there = at3(xs, place[0], place[1], place[2]);
                wgt_assert_that(wg_at(y, here), ==, wg_at(x, there));
                want[there] += wg_at(y, here);
            }
    for (int i = 0; i < 60; i++)
        wgt_assert_that(wg_at(z, i), ==, want[i]);
    wgt_assert_pieces(y);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_gather_derivative)
{
    int64_t ks[3];
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(3, 4, 5));
    wg_tensor *index = some_index(t, _i, ks, wg_dim(x, _i));
    wgt_assert_linear(x, wg_gather(x, _i, index));
    wg_tensor *source = wgt_counting(t, 3, ks), *zeros = wg_zeros_like(x);
    wgt_assert_linear(source, wg_scatter_add(zeros, _i, index, source));
    wg_tensor *none = wg_zeros_like(source);
    wgt_assert_linear(x, wg_scatter_add(x, _i, index, none));
    wg_tape_free(t);
}
END_TEST

START_TEST(test_gather_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3));
    ck_assert_int_eq(wg_size(wg_gather(x, 1, indices(t, WG_SHAPE(2, 0), NULL))), 0);
    wg_tensor *none = indices(t, WG_SHAPE(0, 3), NULL);
    wgt_assert_tensor(wg_scatter_add(x, 0, none, wg_full(t, WG_F64, WG_SHAPE(0, 3), 0)),
                      WG_SHAPE(2, 3), wg_data_f64(x));
    wg_tape_free(t);
}
END_TEST

START_TEST(test_gather_errors)
{
    ASSERT_FAILS(wg_gather(table, 0, flat), WG_E_INDEX, "gather: index -1 at 4 is outside 0..4");
    ASSERT_FAILS(wg_gather(table, 0, idx), WG_E_SHAPE, "gather: the index has another ndim");
    ASSERT_FAILS(wg_gather(flat, 1, table), WG_E_DTYPE, "gather: operand 1 is to be i64");
    ASSERT_FAILS(wg_gather(table, 2, flat), WG_E_VALUE, "gather: there is no axis 2: table (5, 3)");
    ASSERT_FAILS(wg_gather(one, 0, one), WG_E_VALUE, "gather: there is no axis 0");
    ASSERT_FAILS(wg_gather(idx, 0, NULL), WG_E_NULL, "gather");
    ASSERT_FAILS(wg_scatter_add(table, 0, flat, table), WG_E_SHAPE, "the index has another shape");
    ASSERT_FAILS(wg_scatter_add(idx, 0, flat, flat), WG_E_SHAPE, "the index has another ndim");
    ASSERT_FAILS(wg_scatter_add(table, 1, flat, flat), WG_E_INDEX, "scatter_add: index -1 at 4");
    ASSERT_FAILS(wg_scatter_add(NULL, 0, flat, flat), WG_E_NULL, "scatter_add");
    ASSERT_FAILS(wg_scatter_add(table, 5, flat, flat), WG_E_VALUE,
                 "scatter_add: there is no axis 5");
}
END_TEST

START_TEST(test_index_larger_than_the_table)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3));
    wg_tensor *index = wg_full(t, WG_I64, WG_SHAPE(3, 3), 0);
    ck_assert(wg_is_inert(wg_gather(x, 1, index)));
    wgt_assert_status(t, WG_E_SHAPE, "gather: the index is larger on axis 0: x (2, 3)");
    wg_tape_free(t);
}
END_TEST

/* ---- one_hot --------------------------------------------------------------------------------- */

START_TEST(test_one_hot)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *y = wg_one_hot(indices(t, WG_SHAPE(2, 2), (int64_t[]){2, 0, 1, 2}), 3, dtypes[_i]);
    const double want[] = {0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    wgt_assert_that(wg_ndim(y), ==, 3);
    wgt_assert_that(wg_dim(y, 2), ==, 3);
    wgt_assert_that(wg_dtype_of(y), ==, dtypes[_i]);
    for (int64_t i = 0; i < 12; i++)
        wgt_assert_that(wg_at(y, i), ==, want[i]);
    wgt_assert_pieces(y);
    ck_assert_int_eq(wg_size(wg_one_hot(indices(t, WG_SHAPE(0), NULL), 3, WG_F32)), 0);
    wgt_assert_that(wg_at(wg_one_hot(wg_scalar(t, WG_I64, 1), 2, WG_F32), 1), ==, 1);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_one_hot_errors)
{
    ASSERT_FAILS(wg_one_hot(idx, 5, WG_F32), WG_E_INDEX,
                 "one_hot: label 7 at 3 is none of 5 classes: idx (4,)");
    ASSERT_FAILS(wg_one_hot(table, 5, WG_F32), WG_E_DTYPE, "one_hot");
    ASSERT_FAILS(wg_one_hot(idx, -1, WG_F32), WG_E_VALUE, "one_hot: -1 classes");
    ASSERT_FAILS(wg_one_hot(idx, 3, (wg_dtype)9), WG_E_DTYPE, "one_hot: 9 is no dtype");
    ck_assert(wg_is_inert(wg_one_hot(NULL, 3, WG_F32)));
}
END_TEST

/* ---- cumsum ---------------------------------------------------------------------------------- */

START_TEST(test_cumsum)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting_of(t, dtypes[_i], WG_SHAPE(2, 3, 2));
    const double want[] = {1, 2, 4, 6, 9, 12, 7, 8, 16, 18, 27, 30};
    const double back[] = {9, 12, 8, 10, 5, 6, 27, 30, 20, 22, 11, 12};
    wg_tensor *y = wg_cumsum(x, 1, false), *z = wg_cumsum(x, -2, true);
    for (int64_t i = 0; i < 12; i++) {
        wgt_assert_that(wg_at(y, i), ==, want[i]);
        wgt_assert_that(wg_at(z, i), ==, back[i]);
    }
    wgt_assert_pieces(y);
    wgt_assert_pieces(z);
    wg_tensor *line = wgt_counting_of(t, dtypes[_i],
                                      WG_SHAPE(900)); /* several of the kernel's parts */
    wg_tensor *up = wg_cumsum(line, 0, false), *down = wg_cumsum(line, 0, true);
    for (int64_t i = 0; i < 900; i++) {
        wgt_assert_that(wg_at(up, i), ==, (double)((i + 1) * (i + 2) / 2));
        wgt_assert_that(wg_at(down, i), ==, (double)(900 * 901 / 2 - i * (i + 1) / 2));
    }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_cumsum_derivative_and_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3, 2));
    for (int axis = 0; axis < 3; axis++) {
        wgt_assert_linear(x, wg_cumsum(x, axis, false));
        wgt_assert_linear(x, wg_cumsum(x, axis, true));
    }
    ck_assert_int_eq(wg_size(wg_cumsum(wg_full(t, WG_F32, WG_SHAPE(2, 0), 0), 1, false)), 0);
    const double values[] = {1, HUGE_VAL, 2, -HUGE_VAL, 1};
    wg_tensor *y = wg_cumsum(wg_constant(t, WG_F64, WG_SHAPE(5), values), 0, false);
    wgt_assert_that(wg_at(y, 0), ==, 1);
    wgt_assert_that(wg_at(y, 1), ==, HUGE_VAL);
    wgt_assert_that(wg_at(y, 2), ==, HUGE_VAL);
    ck_assert_double_nan(wg_at(y, 3));
    ck_assert_double_nan(wg_at(y, 4));
    const int64_t most[] = {INT64_MAX, 1};
    wg_tensor *wrapped = wg_cumsum(wg_constant(t, WG_I64, WG_SHAPE(2), most), 0, false);
    ck_assert_int_eq(wg_data_i64(wrapped)[1], INT64_MIN);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_cumsum_errors)
{
    ASSERT_FAILS(wg_cumsum(table, 2, false), WG_E_VALUE,
                 "cumsum: there is no axis 2: table (5, 3)");
    ASSERT_FAILS(wg_cumsum(one, 0, false), WG_E_VALUE, "cumsum: there is no axis 0");
    ck_assert(wg_is_inert(wg_cumsum(NULL, 0, true)));
}
END_TEST

/* The bound of test_layout.c, at every place. */
START_TEST(test_cumsum_is_accurate)
{
    const int64_t n = 100000;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *y = wg_cumsum(wg_full(t, WG_F64, WG_SHAPE(n), 0.1), 0, false);
    wg_tensor *f = wg_cumsum(wg_full(t, WG_F32, WG_SHAPE(n), 0.1), 0, true);
    for (int64_t i = 0; i < n; i++) {
        wgt_assert_ulps(wg_data_f64(y)[i], 0.1 * (double)(i + 1), 1);
        wgt_assert_ulps_f32(wg_data_f32(f)[i], (float)((double)0.1f * (double)(n - i)), 1);
    }
    wg_tape_free(t);
}
END_TEST

Suite *suite_index(void)
{
    Suite *s = suite_create("index");
    TCase *c = tcase_create("index");
    tcase_add_loop_test(c, test_gather_rows, 0, 3);
    tcase_add_loop_test(c, test_scatter_long_rows, 0, 3);
    tcase_add_test(c, test_rows_derivative_and_edges);
    tcase_add_test(c, test_rows_errors);
    tcase_add_test(c, test_indices_are_checked_in_a_replay);
    tcase_add_test(c, test_scatter_rows_is_accurate);
    tcase_add_loop_test(c, test_gather_and_scatter, 0, 9);
    tcase_add_loop_test(c, test_gather_derivative, 0, 3);
    tcase_add_test(c, test_gather_edges);
    tcase_add_test(c, test_gather_errors);
    tcase_add_test(c, test_index_larger_than_the_table);
    tcase_add_loop_test(c, test_one_hot, 0, 3);
    tcase_add_test(c, test_one_hot_errors);
    tcase_add_loop_test(c, test_cumsum, 0, 3);
    tcase_add_test(c, test_cumsum_derivative_and_edges);
    tcase_add_test(c, test_cumsum_errors);
    tcase_add_test(c, test_cumsum_is_accurate);
    suite_add_tcase(s, c);
    return s;
}
