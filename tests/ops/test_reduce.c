/* Reductions: values, gradients, conventions, accuracy, errors. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/compare.h"
#include "ops/kernels/reduce.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

/* An index of x (row-major) as the index of y, which is x reduced over the axes in the mask. */
static int64_t reduced_index(const wg_tensor *x, int64_t at, unsigned mask)
{
    int64_t index = 0, step = 1;
    for (int i = x->shape.ndim - 1; i >= 0; i--) {
        int64_t place = at % x->shape.dim[i];
        at /= x->shape.dim[i];
        if (!((mask >> i) & 1u)) {
            index += place * step;
            step *= x->shape.dim[i];
        }
    }
    return index;
}

/* Every subset of the axes of a (2, 3, 1, 4) tensor, in every dtype, against plain loops. */
START_TEST(every_subset_of_axes)
{
    enum { N = 24 };
    const wg_dtype dtypes[] = {WG_F64, WG_F32, WG_I64};
    wg_dtype dtype = dtypes[_i / 16];
    unsigned mask = (unsigned)_i % 16;
    double values[N], sum[N] = {0}, largest[N], smallest[N];
    int64_t integers[N];
    float floats[N];
    int axes[4], n = 0;
    for (int i = 0; i < N; i++) {
        integers[i] = (i * 7 + 3) % 11 - 5;
        values[i] = (double)integers[i];
        floats[i] = (float)values[i];
    }
    for (int i = 3; i >= 0; i--) /* in any order, and from either end */
        if ((mask >> i) & 1u)
            axes[n++] = i % 2 ? i - 4 : i;
    const void *data = dtype == WG_F64   ? (void *)values
                       : dtype == WG_F32 ? (void *)floats
                                         : integers;
    wg_tensor *x = wg_input(t, "x", dtype, WG_SHAPE(2, 3, 1, 4), data);
    wg_tensor *s = wg_sum_over(x, n, axes, false), *kept = wg_sum_over(x, n, axes, true);
    wg_tensor *high = wg_amax_over(x, n, axes, true), *low = wg_amin_over(x, n, axes, false);
    wg_tensor *product = wg_prod_over(x, n, axes, false);
    double factor[N];
    for (int i = 0; i < N; i++)
        largest[i] = -DBL_MAX, smallest[i] = DBL_MAX, factor[i] = 1;
    for (int64_t i = 0; i < N; i++) {
        int64_t at = reduced_index(x, i, mask);
        sum[at] += values[i];
        factor[at] *= values[i];
        largest[at] = fmax(largest[at], values[i]);
        smallest[at] = fmin(smallest[at], values[i]);
    }
    int64_t size = wg_size(s);
    ck_assert_int_eq(wg_ndim(s), 4 - n);
    ck_assert_int_eq(wg_ndim(kept), 4);
    ck_assert_int_eq(wg_dtype_of(s), dtype);
    assert_values(s, size, sum);
    assert_values(kept, size, sum);
    assert_values(high, size, largest);
    assert_values(low, size, smallest);
    assert_values(product, size, factor);
}
END_TEST

START_TEST(mean_var_std)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 4), VALUES(1, 2, 3, 4, 2, 2, 2, 10));
    assert_values(wg_mean(x), 1, VALUES(3.25));
    assert_values(wg_mean_over(x, WG_AXES(-1), false), 2, VALUES(2.5, 4));
    assert_values(wg_var_over(x, 1, WG_AXES(1), false), 2, VALUES(5.0 / 3, 16));
    assert_values(wg_var_over(x, 0, WG_AXES(1), true), 2, VALUES(1.25, 12));
    assert_values(wg_std_over(x, 1, WG_AXES(1), false), 2, VALUES(sqrt(5.0 / 3), 4));
    assert_values(wg_var(wg_sum_over(x, WG_AXES(1), false)), 1, VALUES(18));
    wg_tensor *huge = wg_constant(t, WG_F64, WG_SHAPE(3), VALUES(0, 3e300, 6e300));
    assert_values(wg_std(huge), 1, VALUES(3e300));
    assert_values(wg_var(wg_scalar(t, WG_F64, 3)), 1, VALUES(nan(""))); /* no degree of freedom */
}
END_TEST

START_TEST(norms)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 2), VALUES(3, -4, 0, 0));
    assert_values(wg_norm_over(x, 1, WG_AXES(1), false), 2, VALUES(7, 0));
    assert_values(wg_norm_over(x, 2, WG_AXES(1), false), 2, VALUES(5, 0));
    assert_values(wg_norm_over(x, (double)INFINITY, WG_AXES(1), false), 2, VALUES(4, 0));
    assert_values(wg_norm(wg_scale(x, 0x1p1000), 2), 1, VALUES(5 * 0x1p1000));
    assert_values(wg_norm(wg_scale(x, 0x1p-1060), 2), 1, VALUES(5 * 0x1p-1060));
    wg_tensor *odd = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(HUGE_VAL, -HUGE_VAL));
    assert_values(wg_norm(odd, 2), 1, VALUES(HUGE_VAL));
    wg_norm(x, 3);
    wgt_assert_status(t, WG_E_VALUE, "norm: the order is 3");
}
END_TEST

START_TEST(nothing)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 0), NULL);
    assert_values(wg_sum(x), 1, VALUES(0));
    assert_values(wg_prod(x), 1, VALUES(1));
    assert_values(wg_mean(x), 1, VALUES(nan("")));
    assert_values(wg_logsumexp(x), 1, VALUES(-HUGE_VAL));
    assert_values(wg_norm(x, 2), 1, VALUES(0));
    assert_values(wg_norm(x, 1), 1, VALUES(0));
    assert_values(wg_sum_over(x, WG_AXES(1), false), 2, VALUES(0, 0));
    assert_values(wg_prod_over(x, WG_AXES(1), true), 2, VALUES(1, 1));
    assert_values(wg_sum_over(x, WG_AXES(0), false), 0, VALUES(0));
    assert_values(wg_amax_over(x, WG_AXES(0), false), 0, VALUES(0));
    wg_mark mark = wg_tape_mark(t);
    wg_amax_over(x, WG_AXES(1), false);
    wgt_assert_status(t, WG_E_SHAPE, "amax: there is no extreme of nothing");
    wg_tape_rewind(t, mark);
    wg_argmin(x);
    wgt_assert_status(t, WG_E_SHAPE, "argmin: there is no extreme of nothing");
}
END_TEST

START_TEST(scalars)
{
    wg_tensor *x = wgt_scalar_param(t, "x", -3);
    assert_values(wg_sum(x), 1, VALUES(-3));
    assert_values(wg_prod(x), 1, VALUES(-3));
    assert_values(wg_amax(x), 1, VALUES(-3));
    assert_values(wg_argmax(x), 1, VALUES(0));
    assert_values(wg_sum_over(x, WG_NO_AXES, true), 1, VALUES(-3));
    assert_values(wgt_gradient(wg_norm(x, 2), x), 1, VALUES(-1));
    assert_values(wgt_gradient(wg_logsumexp(x), x), 1, VALUES(1));
}
END_TEST

START_TEST(places_of_extremes)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 4), VALUES(1, 5, 5, 0, -1, -7, 3, -7));
    assert_values(wg_argmax_over(x, 1, false), 2, VALUES(1, 2));
    assert_values(wg_argmin_over(x, 1, true), 2, VALUES(3, 1));
    assert_values(wg_argmax_over(x, 0, false), 4, VALUES(0, 0, 0, 0));
    assert_values(wg_argmax(x), 1, VALUES(1));
    assert_values(wg_argmin(x), 1, VALUES(5));
    ck_assert_int_eq(wg_dtype_of(wg_argmax(x)), WG_I64);
    wg_tensor *n = wg_constant(t, WG_F64, WG_SHAPE(4), VALUES(1, nan(""), HUGE_VAL, nan("")));
    assert_values(wg_argmax(n), 1, VALUES(1));
    assert_values(wg_argmin(n), 1, VALUES(1));
    assert_values(wg_amax(n), 1, VALUES(nan("")));
    int64_t big[] = {INT64_MAX - 1, INT64_MAX, INT64_MIN};
    wg_tensor *i = wg_constant(t, WG_I64, WG_SHAPE(3), big);
    wgt_assert_that(wg_item_i64(wg_amax(i)), ==, INT64_MAX);
    wgt_assert_that(wg_item_i64(wg_argmax(i)), ==, 1);
    wgt_assert_that(wg_item_i64(wg_amin(i)), ==, INT64_MIN);
    wgt_assert_that(wg_item_i64(wg_argmin(i)), ==, 2);
}
END_TEST

/* A place behind the first part of a row, and one NaN behind a larger entry. */
START_TEST(extremes_of_long_rows)
{
    enum { N = 1000 };
    double values[N] = {0};
    values[700] = 2;
    values[300] = -1;
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(N), values);
    assert_values(wg_argmax(x), 1, VALUES(700));
    assert_values(wg_argmin(x), 1, VALUES(300));
    values[900] = nan("");
    assert_values(wg_argmin(x), 1, VALUES(900));
    wg_tensor *column = wg_reshape(x, WG_SHAPE(N / 2, 2));
    assert_values(wg_argmax_over(column, 0, false), 2, VALUES(450, 0));
}
END_TEST

START_TEST(ties_are_split_evenly)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2, 4), VALUES(5, 1, 5, 5, 2, 2, 0, nan("")));
    assert_values(wgt_gradient(wg_amax_over(x, WG_AXES(1), false), x), 8,
                  VALUES(1.0 / 3, 0, 1.0 / 3, 1.0 / 3, 0, 0, 0, 1));
    assert_values(wgt_gradient(wg_amin_over(x, WG_AXES(0), false), x), 8,
                  VALUES(0, 1, 0, 0, 1, 0, 1, 1));
    double row[40] = {[3] = 5, [30] = 5}, share[40] = {[3] = 0.5, [30] = 0.5};
    wg_tensor *lon = wgt_param(t, "long", WG_SHAPE(40), row);
    assert_values(wgt_gradient(wg_amax(lon), lon), 40, share);
    wg_tensor *z = wgt_param(t, "z", WG_SHAPE(3), VALUES(-2, 2, 0));
    assert_values(wgt_gradient(wg_norm(z, (double)INFINITY), z), 3, VALUES(-0.5, 0.5, 0));
    assert_values(wgt_gradient(wg_amin(z), z), 3, VALUES(1, 0, 0));
    wg_tensor *infinite = wg_full(t, WG_F64, WG_SCALAR, HUGE_VAL), *g;
    wg_vjp(wg_amin(z), infinite, &z, 1, &g);
    assert_values(g, 3, VALUES(HUGE_VAL, 0, 0));
}
END_TEST

/* Rows of every short length give what columns do, which are taken otherwise: NaN, infinities,
 * zeros of both signs and ties among them; so do their ties, found by the gradient. Rows are taken
 * four at a time: of each four one has a tie, at the end and at any other place. */
START_TEST(short_rows_are_like_columns)
{
    const int64_t size = _i / 2, n = 4 * (4 + size) + 3;
    const wg_dtype dtype = _i % 2 ? WG_F32 : WG_F64;
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(n, size));
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, 1), WG_OK);
    double *v = wg_edit(x);
    v[0] = (double)NAN, v[6 * size - 1] = (double)NAN, v[7 * size - 1] = (double)INFINITY,
    v[8 * size - 1] = -(double)INFINITY;
    for (int64_t i = 8 * size; i < 16 * size; i++)
        v[i] = i < 11 * size ? (i % 2 ? 1 : 2) : (i % 3 ? 1 : i % 2 ? 0 : -0.0);
    for (int64_t q = 0; q < size; q++) {
        double *row = v + (16 + 4 * q + q % 4) * size;
        row[q] = row[size - 1] = q % 2 ? 9 : -9;
    }
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wg_tensor *rows = wg_cast(x, dtype), *columns = wg_transpose(rows, 0, 1), *g[2], *y[2];
    wg_tensor *(*const reduce[])(wg_tensor *, int, const int *, bool) = {wg_amax_over, wg_amin_over,
                                                                         wg_sum_over};
    wg_tensor *(*const place[])(wg_tensor *, int, bool) = {wg_argmax_over, wg_argmin_over};
    for (int k = 0; k < 2; k++)
        wgt_assert_same_values(wg_cast(place[k](rows, 1, false), WG_F64),
                               wg_cast(place[k](columns, 0, false), WG_F64));
    for (size_t k = 0; k < 3; k++) {
        y[0] = reduce[k](rows, WG_AXES(1), false);
        y[1] = reduce[k](columns, WG_AXES(0), false);
        wgt_assert_same_values(y[0], y[1]);
        for (int i = 0; i < 2; i++)
            ck_assert_int_eq(wg_vjp(y[i], y[0], i == 0 ? &rows : &columns, 1, &g[i]), WG_OK);
        wgt_assert_same_values(g[0], wg_transpose(g[1], 0, 1));
    }
}
END_TEST

START_TEST(derivatives_at_zero)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3));
    assert_values(wgt_gradient(wg_norm(x, 1), x), 3, VALUES(0, 0, 0));
    assert_values(wgt_gradient(wg_norm(x, 2), x), 3, VALUES(0, 0, 0));
    assert_values(wgt_gradient(wg_norm(x, (double)INFINITY), x), 3, VALUES(0, 0, 0));
    assert_values(wgt_gradient(wg_std(x), x), 3, VALUES(0, 0, 0));
    assert_values(wgt_gradient(wg_prod(x), x), 3, VALUES(0, 0, 0));
}
END_TEST

/* The product of the others, exactly, and its own gradient. */
START_TEST(prod_with_zeros)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(5), VALUES(2, 0, 3, 5, -1));
    wg_tensor *g = wgt_gradient(wg_prod(x), x);
    assert_values(g, 5, VALUES(0, -30, 0, 0, 0));
    wg_tensor *first = wg_sum(
        wg_mul(g, wg_constant(t, WG_F64, WG_SHAPE(5), VALUES(1, 0, 0, 0, 0))));
    assert_values(wgt_gradient(first, x), 5, VALUES(0, -15, 0, 0, 0));
}
END_TEST

/* 11 columns leave one without a partner in two rounds. */
START_TEST(prod_of_eleven)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(11), VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    assert_values(wg_prod(x), 1, VALUES(39916800));
    wgt_assert_that(wg_at(wgt_gradient(wg_prod(x), x), 10), ==, 3628800);
}
END_TEST

START_TEST(logsumexp_edges)
{
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(5, 3),
                             VALUES(-HUGE_VAL, -HUGE_VAL, -HUGE_VAL, 1, HUGE_VAL, 2, 1e4, 1e4, -1e4,
                                    -1e4, -1e4, -HUGE_VAL, 1, nan(""), HUGE_VAL));
    wg_tensor *y = wg_logsumexp_over(x, WG_AXES(1), false);
    assert_values(y, 5, VALUES(-HUGE_VAL, HUGE_VAL, 1e4 + log(2), -1e4 + log(2), nan("")));
    assert_values(wgt_gradient(y, x), 15,
                  VALUES(0, 0, 0, 0, 1, 0, 0.5, 0.5, 0, 0.5, 0.5, 0, nan(""), nan(""), nan("")));
    wg_tensor *small = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(0, -50));
    assert_values(wg_logsumexp(small), 1, VALUES(exp(-50))); /* log(1 + 2e-22) would be 0 */
}
END_TEST

START_TEST(derivatives)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(2, 3, 4), 1);
    wg_tensor *y = NULL;
    switch (_i) {
    case 0: y = wg_square(wg_sum_over(x, WG_AXES(0, 2), false)); break;
    case 1: y = wg_square(wg_mean_over(x, WG_AXES(1), true)); break;
    case 2: y = wg_prod_over(x, WG_AXES(0, 2), false); break;
    case 3: y = wg_prod_over(x, WG_AXES(1), true); break;
    case 4: y = wg_square(wg_amax_over(x, WG_AXES(2), false)); break;
    case 5: y = wg_square(wg_amin_over(x, WG_AXES(0, 1), true)); break;
    case 6: y = wg_var_over(x, 1, WG_AXES(0, 2), false); break;
    case 7: y = wg_std_over(x, 0, WG_AXES(1), false); break;
    case 8: y = wg_square(wg_norm_over(x, 1, WG_AXES(1), false)); break;
    case 9: y = wg_norm_over(x, 2, WG_AXES(0, 2), false); break;
    case 10: y = wg_square(wg_norm_over(x, (double)INFINITY, WG_AXES(1), true)); break;
    case 11: y = wg_logsumexp_over(x, WG_AXES(0, 2), false); break;
    case 12: y = wg_logsumexp(x); break;
    default: break;
    }
    wgt_assert_derivatives(y, &x, 1);
}
END_TEST

/* Sums whose terms cancel: exact to the last bit but one, along rows and down columns. */
START_TEST(sums_are_accurate)
{
    enum { N = 20000 };
    double *values = malloc(sizeof(double) * 2 * N);
    float *floats = malloc(sizeof(float) * 2 * N);
    wgt_sum want[2] = {{0, 0}, {0, 0}};
    for (int i = 0; i < 2 * N; i++) {
        values[i] = wg_random_uniform(1, 1, (uint64_t)i) * (i % 3 ? 1 : 1e6);
        floats[i] = (float)values[i];
        wgt_sum_add(&want[i % 2], (long double)values[i]);
    }
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(N, 2), values);
    wg_tensor *columns = wg_sum_over(x, WG_AXES(0), false);
    wg_tensor *rows = wg_sum_over(wg_t(x), WG_AXES(1), false);
    for (int i = 0; i < 2; i++) {
        wgt_assert_ulps(wg_at(columns, i), (double)wgt_sum_value(&want[i]), 1);
        wgt_assert_ulps(wg_at(rows, i), (double)wgt_sum_value(&want[i]), 1);
    }
    wg_tensor *f = wg_input(t, "f", WG_F32, WG_SHAPE(N, 2), floats);
    const double total = (double)(wgt_sum_value(&want[0]) +
                                  wgt_sum_value(&want[1])); /* of values not rounded: 2^-24 */
    wgt_assert_close(wg_item(wg_sum(f)), total, 1.2e-7, 0);
    wgt_assert_close(wg_item(wg_mean(f)), total / (2 * N), 1.2e-7, 0);
    free(values);
    free(floats);
}
END_TEST

/* [lines, n]: the second half of each column takes away what the first half adds, numbers of so
 * many magnitudes that compensated sums lose digits: what is left shows the order of the
 * additions. */
static void fill_cancelling(int64_t lines, int64_t n, double *x)
{
    for (int64_t i = 0; i < lines * n; i++) {
        const int64_t k = i / n, mirror = lines - 1 - k;
        x[i] = k > mirror ? -x[mirror * n + i % n]
                          : ldexp(wg_random_normal(1, 2, (uint64_t)i),
                                  (int)wg_random_below(1, 3, (uint64_t)i, 200));
    }
}

/* Columns [0, n) at once and in two pieces: the same bits. */
static void sum_whole_and_in_pieces(const wgk_rows *rows, const double *x, int64_t n, double *whole,
                                    double *pieces)
{
    wgk_reduce_sum(rows, false, x, 1, 0, n, whole);
    wgk_reduce_sum(rows, false, x, 1, n / 3, n, pieces);
    wgk_reduce_sum(rows, false, x, 1, 0, n / 3, pieces);
    ck_assert_mem_eq(whole, pieces, (size_t)n * sizeof *whole);
}

/* Columns of a matrix have the same bits however they are divided among calls: lines are folded for
 * up to 32 columns, in ways that depend on their number. Sums of these integers fit a long
 * double. */
START_TEST(columns_in_pieces)
{
    enum { LINES = 103, MOST = 70 };
    static double x[LINES * MOST], lossy[LINES * MOST], whole[MOST], pieces[MOST];
    for (int i = 0; i < LINES * MOST; i++)
        x[i] = rint(wg_random_normal(1, 1, (uint64_t)i) * 0x1p20) * (i % 3 ? 1 : 0x1p33);
    for (int64_t n = 1; n <= MOST; n++) {
        const wgk_rows rows = wgk_rows_of(2, (int64_t[]){LINES, n}, 1);
        fill_cancelling(LINES, n, lossy);
        sum_whole_and_in_pieces(&rows, lossy, n, whole, pieces);
        sum_whole_and_in_pieces(&rows, x, n, whole, pieces);
        for (int64_t j = 0; j < n; j++) {
            wgt_sum want = {0};
            for (int64_t k = 0; k < LINES; k++)
                wgt_sum_add(&want, (long double)x[k * n + j]);
            wgt_assert_ulps(whole[j], (double)wgt_sum_value(&want), 1);
        }
    }
}
END_TEST

START_TEST(sums_of_infinities)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(3, 2),
                               VALUES(1, HUGE_VAL, HUGE_VAL, -HUGE_VAL, 2, 3));
    assert_values(wg_sum_over(x, WG_AXES(1), false), 3, VALUES(HUGE_VAL, nan(""), 5));
    assert_values(wg_sum_over(x, WG_AXES(0), false), 2, VALUES(HUGE_VAL, nan("")));
}
END_TEST

/* Pieces of any size give the same bits as the whole. */
START_TEST(pieces_give_the_same_bits)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(7, 5, 90), 3);
    wg_tensor *narrow = wg_reshape(x, WG_SHAPE(35, 9, 10));
    wg_tensor *ys[] = {
        wg_sum_over(x, WG_AXES(1), false),       wg_sum_over(x, WG_AXES(0, 2), false),
        wg_amax_over(x, WG_AXES(0), false),      wg_norm_over(x, 2, WG_AXES(2), false),
        wg_logsumexp_over(x, WG_AXES(0), false), wg_sum_over(narrow, WG_AXES(1), false),
        wg_sum_over(narrow, WG_AXES(2), false),  wg_amin_over(narrow, WG_AXES(2), false)};
    for (int k = 0; k < 8; k++) {
        wg_tensor *y = ys[k];
        size_t bytes = (size_t)y->size * sizeof(double);
        void *whole = malloc(bytes);
        ck_assert_int_eq(wg_read(y, whole, bytes), WG_OK);
        void *workspace = y->op->workspace != NULL ? malloc(y->op->workspace(y)) : NULL;
        for (int64_t chunks = y->op->chunks(y), i = 0; i < chunks; i += 3)
            y->op->forward(y, &(wg_piece){i, i + 3 < chunks ? i + 3 : chunks, workspace});
        free(workspace);
        wgt_assert_same_bytes(y->data, whole, bytes);
        free(whole);
    }
}
END_TEST

/* PyTorch: the cosine of the angle; 0 against a zero vector; scales make no difference. */
START_TEST(cosine_similarity)
{
    wg_tensor *a = wgt_param(t, "a", WG_SHAPE(3, 2), VALUES(3, 4, 0, 0, 1e200, 1e200));
    wg_tensor *b = wgt_param(t, "b", WG_SHAPE(1, 2), VALUES(4, 3));
    wg_tensor *y = wg_cosine_similarity(a, b, -1, 0);
    assert_values(y, 3, VALUES(24.0 / 25, 0, 7 / (5 * sqrt(2))));
    assert_values(wg_cosine_similarity(b, b, 1, 0), 1, VALUES(1));
    /* below epsilon the length is epsilon */
    wg_tensor *tiny = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(3e-3, 4e-3));
    assert_values(wg_cosine_similarity(tiny, tiny, 0, 0.1), 1, VALUES(25e-6 / 0.01));
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(2, 3, 4), 5);
    wg_tensor *z = wgt_random_param(t, "z", WG_SHAPE(3, 1), 6);
    for (int axis = 0; axis < 3; axis++)
        wgt_assert_derivatives(wg_cosine_similarity(x, z, axis, 1e-3), (wg_tensor *[]){x, z}, 2);
    wg_cosine_similarity(a, b, 0, -1);
    wgt_assert_status(t, WG_E_VALUE, "cosine_similarity: epsilon is -1");
}
END_TEST

/* Over every set of five axes: no two of them that are summed or kept need lie side by side. At most 720 terms of
 * size 4: compensated sums are off by an ulp of f32, or 4 of f64 (2 u and n u^2 of the terms). */
START_TEST(sums_over_axes_apart)
{
    static const int64_t dim[5] = {4, 5, 3, 2, 6};
    const wg_dtype dtype = _i % 2 == 0 ? WG_F64 : WG_F32;
    const int set = 1 + _i / 2;
    long double want[720] = {0}, size[720] = {0};
    int axis[5];
    int n = 0;
    for (int k = 0; k < 5; k++)
        if (set >> k & 1)
            axis[n++] = k;
    wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(4, 5, 3, 2, 6));
    wg_fill_normal(x, 0, 1, 7);
    const wg_tensor *y = wg_sum_over(x, n, axis, false);
    for (int64_t i = 0; i < wg_size(x); i++) {
        int64_t at = 0, left = i, below = wg_size(x);
        for (int k = 0; k < 5; k++) {
            below /= dim[k];
            at = set >> k & 1 ? at : at * dim[k] + left / below;
            left %= below;
        }
        want[at] += (long double)wg_at(x, i);
        size[at] += fabsl((long double)wg_at(x, i));
    }
    for (int64_t i = 0; i < wg_size(y); i++) {
        const double bound = (dtype == WG_F64 ? 4 * DBL_EPSILON : (double)FLT_EPSILON) *
                             (double)size[i];
        wgt_assert_close(wg_at(y, i), (double)want[i], 0, bound);
    }
}
END_TEST

START_TEST(errors)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2, 3));
    wg_tensor *i = wg_full(t, WG_I64, WG_SHAPE(2), 1);
    wg_mark mark = wg_tape_mark(t);
    wg_sum_over(x, WG_AXES(2), false);
    wgt_assert_status(t, WG_E_VALUE, "sum: there is no axis 2: x (2, 3)");
    wg_tape_rewind(t, mark);
    wg_amax_over(x, WG_AXES(0, -2), false);
    wgt_assert_status(t, WG_E_VALUE, "amax: given twice: axis -2: x (2, 3)");
    wg_tape_rewind(t, mark);
    wg_prod_over(x, WG_AXES(-3), false);
    wgt_assert_status(t, WG_E_VALUE, "prod: there is no axis -3");
    wg_tape_rewind(t, mark);
    wg_mean(i);
    wgt_assert_status(t, WG_E_DTYPE, "mean: f32 or f64 wanted");
    ck_assert_double_nan(wg_item(wg_std(wg_sum(x))));
    ck_assert(wg_is_inert(wg_prod(NULL)));
    ck_assert(wg_is_inert(wg_sum(NULL)));
    ck_assert(wg_is_inert(wg_norm_over(NULL, 2, WG_AXES(0), true)));
}
END_TEST

Suite *suite_reduce(void)
{
    Suite *s = suite_create("reduce");
    TCase *c = tcase_create("reduce");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, every_subset_of_axes, 0, 48);
    tcase_add_test(c, mean_var_std);
    tcase_add_test(c, cosine_similarity);
    tcase_add_test(c, norms);
    tcase_add_test(c, nothing);
    tcase_add_test(c, scalars);
    tcase_add_test(c, places_of_extremes);
    tcase_add_test(c, extremes_of_long_rows);
    tcase_add_test(c, ties_are_split_evenly);
    tcase_add_loop_test(c, short_rows_are_like_columns, 2, 82);
    tcase_add_test(c, derivatives_at_zero);
    tcase_add_test(c, prod_with_zeros);
    tcase_add_test(c, prod_of_eleven);
    tcase_add_test(c, logsumexp_edges);
    tcase_add_loop_test(c, derivatives, 0, 13);
    tcase_add_test(c, sums_are_accurate);
    tcase_add_test(c, columns_in_pieces);
    tcase_add_test(c, sums_of_infinities);
    tcase_add_test(c, pieces_give_the_same_bits);
    tcase_add_loop_test(c, sums_over_axes_apart, 0, 62);
    tcase_add_test(c, errors);
    suite_add_tcase(s, c);
    return s;
}
