/* Ops that move, repeat or add up elements by place: reshape, permute, broadcast_to, sum_to,
 * diagonal. */
#include "ops/layout.h"

#include "autograd/grad.h"
#include "ops/arithmetic.h"
#include "ops/diagonal.h"
#include "ops/slice.h"
#include "tests/support/assert.h"
#include "tests/support/linear.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

static const wg_dtype dtypes[] = {WG_F32, WG_F64, WG_I64};

/* Runs one failing call on a fresh tape that has x (5, 3) and m (3, 5), and looks at what is
 * said. */
#define ASSERT_FAILS(call, status, message)                                                        \
    do {                                                                                           \
        wg_tape *t = wg_tape_new(NULL);                                                            \
        wg_tensor *x = wgt_counting(t, WG_SHAPE(5, 3));                                            \
        wg_tensor *m = wg_rename(wg_full(t, WG_F64, WG_SHAPE(3, 5), 1), "m");                      \
        (void)x, (void)m;                                                                          \
        int64_t before = wg_tape_size(t);                                                          \
        ck_assert(wg_is_inert(call));                                                              \
        wgt_assert_status(t, status, message);                                                     \
        ck_assert_int_le(wg_tape_size(t), before + 1); /* operands may be made in the call */      \
        ck_assert(wg_is_inert(call));                  /* and the inert tensor goes through */     \
        wg_tape_free(t);                                                                           \
    } while (0)

/* ---- reshape, squeeze, expand_dims ----------------------------------------------------------- */

START_TEST(test_reshape_is_a_view)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 6));
    wg_tensor *y = wg_reshape(x, WG_SHAPE(3, -1));
    wg_tensor *z = wg_reshape(y, WG_SHAPE(-1));
    wgt_assert_tensor(y, WG_SHAPE(3, 4), wg_data_f64(x));
    wgt_assert_tensor(z, WG_SHAPE(12), wg_data_f64(x));
    ck_assert_ptr_eq(wg_data_f64(z), wg_data_f64(x));
    ((double *)wg_edit(x))[7] = -1;
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_that(wg_at(z, 7), ==, -1);
    wgt_assert_linear(x, z);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_reshape_follows_a_bound_input)
{
    wg_tape *t = wgt_strict_tape();
    const double first[] = {1, 2, 3, 4}, second[] = {5, 6, 7, 8};
    wg_tensor *x = wg_input(t, "X", WG_F64, WG_SHAPE(4), first);
    wg_tensor *y = wg_t(wg_reshape(x, WG_SHAPE(2, 2)));
    ck_assert_int_eq(wg_bind(x, second), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_tensor(y, WG_SHAPE(2, 2), (double[]){5, 7, 6, 8});
    wg_tape_free(t);
}
END_TEST

START_TEST(test_reshape_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *one = wg_reshape(wg_scalar(t, WG_I64, 3), WG_SHAPE(1, 1));
    ck_assert_int_eq(wg_item_i64(wg_reshape(one, WG_SCALAR)), 3);
    wg_tensor *none = wg_full(t, WG_F32, WG_SHAPE(0, 3), 0);
    ck_assert_int_eq(wg_dim(wg_reshape(none, WG_SHAPE(-1, 3)), 0), 0);
    ck_assert_int_eq(wg_ndim(wg_reshape(none, WG_SHAPE(5, 0, 2))), 3);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_reshape_errors)
{
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(4, 4)), WG_E_SHAPE,
                 "reshape: 15 elements do not make the shape (4, 4): x (5, 3)");
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(4, -1)), WG_E_SHAPE, "(4, -1)");
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(-1, -1)), WG_E_SHAPE, "(-1, -1)");
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(0, -1)), WG_E_SHAPE, "(0, -1)");
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(-5, -3)), WG_E_SHAPE, "(-5, -3)");
    ASSERT_FAILS(wg_reshape(x, WG_SHAPE(INT64_MAX, INT64_MAX, -1)), WG_E_SHAPE, "15 elements");
    ASSERT_FAILS(wg_reshape(x, 9, (int64_t[9]){1}), WG_E_SHAPE, "ndim 9 is outside 0..8: x (5, 3)");
    ASSERT_FAILS(wg_reshape(x, -1, NULL), WG_E_SHAPE, "ndim -1");
    ASSERT_FAILS(wg_reshape(x, 2, NULL), WG_E_NULL, "reshape: the sizes are NULL");
    ck_assert(wg_is_inert(wg_reshape(NULL, WG_SHAPE(1))));
}
END_TEST

START_TEST(test_squeeze_and_expand)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3));
    wg_tensor *y = wg_expand_dims(x, WG_AXES(0, -1));
    wgt_assert_tensor(y, WG_SHAPE(1, 2, 3, 1), wg_data_f64(x));
    wgt_assert_tensor(wg_expand_dims(x, WG_AXES(1)), WG_SHAPE(2, 1, 3), wg_data_f64(x));
    wgt_assert_tensor(wg_squeeze(y, WG_AXES(-1, 0)), WG_SHAPE(2, 3), wg_data_f64(x));
    wgt_assert_tensor(wg_squeeze(y, WG_NO_AXES), WG_SHAPE(1, 2, 3, 1), wg_data_f64(x));
    ck_assert_int_eq(wg_ndim(wg_squeeze(wg_full(t, WG_F64, WG_SHAPE(1), 2), WG_AXES(0))), 0);
    ck_assert_ptr_eq(wg_data_f64(y), wg_data_f64(x));
    wgt_assert_linear(x, wg_squeeze(y, WG_AXES(0)));
    wg_tape_free(t);
}
END_TEST

START_TEST(test_squeeze_errors)
{
    ASSERT_FAILS(wg_squeeze(x, WG_AXES(0)), WG_E_SHAPE, "squeeze: an axis has another size than 1");
    ASSERT_FAILS(wg_squeeze(x, WG_AXES(2)), WG_E_VALUE, "squeeze: there is no axis 2: x (5, 3)");
    ASSERT_FAILS(wg_squeeze(x, 1, NULL), WG_E_NULL, "squeeze");
    ASSERT_FAILS(wg_expand_dims(x, WG_AXES(0, 0)), WG_E_VALUE,
                 "expand_dims: given twice: axis 0: x (5, 3)");
    ASSERT_FAILS(wg_expand_dims(x, WG_AXES(3)), WG_E_VALUE, "expand_dims");
    ASSERT_FAILS(wg_expand_dims(x, INT_MAX, NULL), WG_E_SHAPE, "over 8 axes");
    ASSERT_FAILS(wg_expand_dims(x, INT_MIN, NULL), WG_E_SHAPE, "over 8 axes");
    ASSERT_FAILS(wg_expand_dims(x, WG_AXES(INT_MIN)), WG_E_VALUE, "expand_dims");
    ASSERT_FAILS(wg_squeeze(x, WG_AXES(INT_MAX)), WG_E_VALUE, "squeeze");
    ASSERT_FAILS(wg_transpose(x, INT_MIN, INT_MAX), WG_E_VALUE, "transpose");
    ASSERT_FAILS(wg_stack(&x, 1, INT_MAX), WG_E_VALUE, "stack");
    ASSERT_FAILS(wg_expand_dims(x, WG_AXES(0, 1, 2, 3, 4, 5, 6)), WG_E_SHAPE, "over 8 axes");
    ASSERT_FAILS(wg_expand_dims(x, 1, NULL), WG_E_NULL, "expand_dims");
}
END_TEST

/* ---- permute --------------------------------------------------------------------------------- */

/* y[i_p0, ..] = x[i_0, ..], element by element. */
static void assert_permuted(const wg_tensor *x, const wg_tensor *y, const int *order)
{
    int ndim = wg_ndim(x);
    int64_t step[WG_MAX_DIMS], below = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        step[i] = below;
        below *= wg_dim(x, i);
    }
    for (int i = 0; i < ndim; i++)
        ck_assert_int_eq(wg_dim(y, i), wg_dim(x, order[i]));
    for (int64_t place = 0; place < wg_size(y); place++) {
        int64_t rest = place, from = 0;
        for (int i = ndim - 1; i >= 0; i--) {
            from += rest % wg_dim(y, i) * step[order[i]];
            rest /= wg_dim(y, i);
        }
        wgt_assert_that(wg_at(y, place), ==, wg_at(x, from));
    }
}

START_TEST(test_permute_every_order)
{
    const int n = 4;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting_of(t, dtypes[_i], WG_SHAPE(3, 4, 2, 5));
    for (int code = 0; code < 256; code++) {
        int order[] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        int seen = 0;
        for (int i = 0; i < n; i++)
            seen |= 1 << order[i];
        if (seen != 15)
            continue;
        wg_tensor *y = wg_permute(x, n, order);
        assert_permuted(x, y, order);
        wgt_assert_pieces(y);
    }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_permute_across_blocks)
{
    wg_tape *t = wgt_strict_tape();
    for (int d = 0; d < 3; d++) {
        wg_tensor *x = wgt_counting_of(t, dtypes[d], WG_SHAPE(13, 71));
        wg_tensor *y = wg_t(x), *z = wg_transpose(y, 0, -1);
        assert_permuted(x, y, (int[]){1, 0});
        assert_permuted(x, z, (int[]){0, 1});
        wgt_assert_pieces(y);
        wgt_assert_pieces(wg_t(y));
    }
    wg_tensor *x = wgt_counting_of(t, WG_F64, WG_SHAPE(2, 1, 3, 2, 2, 1, 5, 2));
    wg_tensor *y = wg_permute(x, WG_AXES(7, -2, 5, 4, 3, 2, 1, 0));
    assert_permuted(x, y, (int[]){7, 6, 5, 4, 3, 2, 1, 0});
    wg_tape_free(t);
}
END_TEST

START_TEST(test_permute_derivative_and_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3, 4));
    wgt_assert_linear(x, wg_permute(x, WG_AXES(1, 2, 0)));
    wgt_assert_linear(x, wg_transpose(x, 1, 2));
    ck_assert_int_eq(wg_size(wg_t(wg_full(t, WG_F32, WG_SHAPE(0, 3), 0))), 0);
    wgt_assert_that(wg_item(wg_permute(wg_scalar(t, WG_F64, 2), WG_NO_AXES)), ==, 2);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_permute_errors)
{
    ASSERT_FAILS(wg_permute(x, WG_AXES(0)), WG_E_VALUE, "permute: as many axes");
    ASSERT_FAILS(wg_permute(x, WG_AXES(0, 0)), WG_E_VALUE,
                 "permute: given twice: axis 0: x (5, 3)");
    ASSERT_FAILS(wg_permute(x, WG_AXES(0, 2)), WG_E_VALUE, "permute: there is no axis 2");
    ASSERT_FAILS(wg_permute(x, 2, NULL), WG_E_NULL, "permute");
    ASSERT_FAILS(wg_transpose(x, 0, 2), WG_E_VALUE, "transpose: there is no axis 2");
    ASSERT_FAILS(wg_t(wg_scalar(x->tape, WG_F64, 1)), WG_E_SHAPE, "t: a matrix is needed");
    ck_assert(wg_is_inert(wg_t(NULL)));
}
END_TEST

/* ---- broadcast_to, sum_to -------------------------------------------------------------------- */

typedef struct pair_of_shapes {
    wg_shape small, large;
} pair_of_shapes;

static const pair_of_shapes pairs[] = {
    {{0, {0}}, {0, {0}}},
    {{0, {0}}, {1, {7}}},
    {{0, {0}}, {3, {2, 3, 4}}},
    {{1, {1}}, {2, {5, 3}}},
    {{1, {3}}, {2, {5, 3}}},
    {{2, {5, 1}}, {2, {5, 3}}},
    {{2, {1, 3}}, {2, {5, 3}}},
    {{2, {5, 3}}, {2, {5, 3}}},
    {{3, {2, 1, 4}}, {3, {2, 3, 4}}},
    {{3, {1, 3, 1}}, {4, {2, 2, 3, 4}}},
    {{2, {2, 1}}, {4, {3, 1, 2, 5}}},
    {{5, {1, 2, 1, 3, 1}}, {6, {2, 3, 2, 2, 3, 3}}},
    {{1, {70}}, {2, {2, 70}}},
    {{2, {70, 1}}, {2, {70, 9}}},
};

/* Where element `place` of the large shape comes from in the small one. */
static int64_t place_in_small(const pair_of_shapes *p, int64_t place)
{
    int missing = p->large.ndim - p->small.ndim;
    int64_t from = 0, step = 1;
    for (int i = p->large.ndim - 1; i >= 0; i--) {
        int64_t here = place % p->large.dim[i];
        place /= p->large.dim[i];
        if (i < missing)
            continue;
        from += p->small.dim[i - missing] == 1 ? 0 : here * step;
        step *= p->small.dim[i - missing];
    }
    return from;
}

START_TEST(test_broadcast_to)
{
    const pair_of_shapes *p = &pairs[_i];
    wg_tape *t = wgt_strict_tape();
    for (int d = 0; d < 3; d++) {
        wg_tensor *x = wgt_counting_of(t, dtypes[d], p->small.ndim, p->small.dim);
        wg_tensor *y = wg_broadcast_to(x, p->large.ndim, p->large.dim);
        ck_assert(wg_shape_same(&y->shape, &p->large));
        for (int64_t i = 0; i < wg_size(y); i++)
            wgt_assert_that(wg_at(y, i), ==, wg_at(x, place_in_small(p, i)));
        if (y != x)
            wgt_assert_pieces(y);
    }
    wg_tensor *x = wgt_counting(t, p->small.ndim, p->small.dim);
    wgt_assert_linear(x, wg_broadcast_to(x, p->large.ndim, p->large.dim));
    wg_tape_free(t);
}
END_TEST

/* Runs of every short length, from some place in one to some place in another; what is behind them
 * is left alone. */
START_TEST(test_repeated_runs)
{
    const int64_t times = _i, size = 5 * times;
    wg_tape *t = wgt_strict_tape();
    for (int d = 0; d < 3; d++) {
        wg_tensor *x = wgt_counting_of(t, dtypes[d], WG_SHAPE(5, 1));
        wg_tensor *y = wg_broadcast_to(x, WG_SHAPE(5, times));
        const size_t element = wg_dtype_size(y->dtype);
        char out[5 * 40 * 8 + 8], behind = 0x5a;
        for (int64_t begin = 0; begin < size; begin++) {
            const int64_t end = begin < size - begin ? size - begin : begin;
            const size_t bytes = (size_t)(end - begin) * element;
            wgt_assert_that(wg_at(y, begin), ==, wg_at(x, begin / times));
            out[bytes] = behind;
            y->op->part(y, begin, end, out, NULL);
            wgt_assert_same_bytes(out, (const char *)y->data + (size_t)begin * element, bytes);
            ck_assert_int_eq(out[bytes], behind);
        }
    }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_sum_to)
{
    const pair_of_shapes *p = &pairs[_i];
    wg_tape *t = wgt_strict_tape();
    for (int d = 0; d < 3; d++) {
        double want[WGT_LINEAR_MOST] = {0};
        wg_tensor *x = wgt_counting_of(t, dtypes[d], p->large.ndim, p->large.dim);
        wg_tensor *like = wgt_counting_of(t, WG_F32, p->small.ndim, p->small.dim);
        wg_tensor *y = wg_sum_to(x, like);
        ck_assert(wg_shape_same(&y->shape, &p->small));
        for (int64_t i = 0; i < wg_size(x); i++)
            want[place_in_small(p, i)] += wg_at(x, i);
        for (int64_t i = 0; i < wg_size(y); i++)
            wgt_assert_that(wg_at(y, i), ==, want[i]);
        if (y != x)
            wgt_assert_pieces(y);
    }
    wg_tensor *x = wgt_counting(t, p->large.ndim, p->large.dim);
    wgt_assert_linear(x, wg_sum_to(x, wgt_counting_of(t, WG_F64, p->small.ndim, p->small.dim)));
    wg_tape_free(t);
}
END_TEST

START_TEST(test_broadcast_edges)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(1, 3));
    ck_assert_ptr_eq(wg_broadcast_to(x, WG_SHAPE(1, 3)), x);
    ck_assert_ptr_eq(wg_sum_to(x, wg_ones_like(x)), x);
    wg_tensor *none = wg_broadcast_to(x, WG_SHAPE(0, 3)); /* repeated zero times */
    ck_assert_int_eq(wg_size(none), 0);
    wgt_assert_tensor(wg_sum_to(none, x), WG_SHAPE(1, 3), (double[]){0, 0, 0});
    wg_tensor *dx, *dy = wg_zeros_like(none);
    ck_assert_int_eq(wg_vjp(none, dy, &x, 1, &dx), WG_OK);
    wgt_assert_tensor(dx, WG_SHAPE(1, 3), (double[]){0, 0, 0});
    wg_tape_free(t);
}
END_TEST

START_TEST(test_broadcast_errors)
{
    ASSERT_FAILS(wg_broadcast_to(x, WG_SHAPE(5, 4)), WG_E_SHAPE,
                 "broadcast_to: does not broadcast to (5, 4): x (5, 3)");
    ASSERT_FAILS(wg_broadcast_to(x, WG_SHAPE(3)), WG_E_SHAPE, "does not broadcast to (3,)");
    ASSERT_FAILS(wg_broadcast_to(x, WG_SHAPE(-1, 5, 3)), WG_E_SHAPE, "(-1, 5, 3)");
    ASSERT_FAILS(wg_broadcast_to(x, WG_SHAPE(INT64_MAX / 4, 5, 3)), WG_E_SHAPE, "broadcast_to");
    ASSERT_FAILS(wg_broadcast_to(x, 2, NULL), WG_E_NULL, "broadcast_to");
    ASSERT_FAILS(wg_sum_to(x, m), WG_E_SHAPE, "sum_to: (3, 5) does not broadcast to this");
}
END_TEST

START_TEST(test_sum_to_errors)
{
    ASSERT_FAILS(wg_sum_to(x, NULL), WG_E_NULL, "sum_to");
    ck_assert(wg_is_inert(wg_sum_to(NULL, NULL)));
    ck_assert(wg_is_inert(wg_broadcast_to(NULL, WG_SHAPE(2))));
}
END_TEST

/* 0.1 (not a binary fraction) n times, over an axis whose elements are neighbours and over one
 * whose elements are not. n*x is one rounding from the sum of n equal x, and a sum that is exact up
 * to its last rounding, as the contract has it, is another: 1 ulp. Plain summation is off by far
 * more. */
START_TEST(test_sum_to_is_accurate)
{
    const int64_t n = 300000;
    wg_tape *t = wgt_strict_tape();
    wg_tensor *along = wg_full(t, WG_F64, WG_SHAPE(2, n), 0.1);
    wg_tensor *across = wg_full(t, WG_F64, WG_SHAPE(n, 2), 0.1);
    wg_tensor *a = wg_sum_to(along, wg_full(t, WG_F64, WG_SHAPE(2, 1), 0));
    wg_tensor *b = wg_sum_to(across, wg_full(t, WG_F64, WG_SHAPE(2), 0));
    wgt_assert_ulps(wg_at(a, 1), 0.1 * (double)n, 1);
    wgt_assert_ulps(wg_at(b, 1), 0.1 * (double)n, 1);
    wg_tensor *c = wg_sum_to(wg_full(t, WG_F32, WG_SHAPE(n, 2), 0.1),
                             wg_full(t, WG_F32, WG_SHAPE(2), 0));
    wgt_assert_ulps_f32((float)wg_at(c, 0), (float)((double)0.1f * (double)n), 1);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_sum_to_infinities)
{
    const double values[] = {1, HUGE_VAL,    2, HUGE_VAL, 1,     HUGE_VAL,
                             0, (double)NAN, 1, 1e308,    1e308, 0};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(4, 3), values);
    wg_tensor *y = wg_sum_to(x, wg_full(t, WG_F64, WG_SHAPE(4, 1), 0));
    wgt_assert_that(wg_at(y, 0), ==, HUGE_VAL);
    wgt_assert_that(wg_at(y, 1), ==, HUGE_VAL);
    wgt_assert_that(wg_at(y, 3), ==, HUGE_VAL);
    ck_assert_double_nan(wg_at(y, 2));
    wg_tape_free(t);
}
END_TEST

/* ---- detach ---------------------------------------------------------------------------------- */

START_TEST(test_detach)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_scalar_param(t, "x", 3), *g;
    wg_tensor *y = wg_mul(x, wg_detach(x));
    ck_assert_int_eq(wg_grad(y, &x, 1, &g), WG_OK);
    wgt_assert_that(wg_item(g), ==, 3); /* not 2 x */
    wg_write(x, &(double){5}, sizeof(double));
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_that(wg_item(y), ==, 25);
    wgt_assert_that(wg_item(g), ==, 5);
    ck_assert_int_eq(wg_grad(g, &x, 1, &g), WG_OK);
    wgt_assert_that(wg_item(g), ==, 0);
    wg_tape_free(t);
}
END_TEST

/* ---- diagonal -------------------------------------------------------------------------------- */

START_TEST(test_diagonal)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3, 4));
    wg_tensor *y = wg_diagonal(x);
    wgt_assert_tensor(y, WG_SHAPE(2, 3), (double[]){1, 6, 11, 13, 18, 23});
    wgt_assert_linear(x, y);
    wg_tensor *d = wgt_counting(t, WG_SHAPE(2));
    wgt_assert_tensor(wg_diagonal_embed(d, 3, 2), WG_SHAPE(3, 2), (double[]){1, 0, 0, 2, 0, 0});
    wgt_assert_linear(d, wg_diagonal_embed(d, 2, 3));
    ck_assert_int_eq(wg_size(wg_diagonal(wg_full(t, WG_F32, WG_SHAPE(0, 3), 1))), 0);
    wg_tensor *square = wg_diagonal_embed(wg_full(t, WG_I64, WG_SHAPE(0), 1), 0, 2);
    ck_assert_int_eq(wg_size(square), 0);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_diagonal_errors)
{
    ASSERT_FAILS(wg_diagonal(wg_full(t, WG_F64, WG_SHAPE(3), 1)), WG_E_SHAPE, "a matrix is needed");
    ASSERT_FAILS(wg_diagonal_embed(wg_scalar(t, WG_F64, 1), 1, 1), WG_E_SHAPE, "ndim must be 1..7");
    ASSERT_FAILS(wg_diagonal_embed(x, 2, 4), WG_E_SHAPE, "is no diagonal of 2 rows and 4 columns");
}
END_TEST

Suite *suite_layout(void)
{
    Suite *s = suite_create("layout");
    TCase *c = tcase_create("layout");
    const int n_pairs = sizeof pairs / sizeof pairs[0];
    tcase_add_test(c, test_reshape_is_a_view);
    tcase_add_test(c, test_reshape_follows_a_bound_input);
    tcase_add_test(c, test_reshape_edges);
    tcase_add_test(c, test_reshape_errors);
    tcase_add_test(c, test_squeeze_and_expand);
    tcase_add_test(c, test_squeeze_errors);
    tcase_add_loop_test(c, test_permute_every_order, 0, 3);
    tcase_add_test(c, test_permute_across_blocks);
    tcase_add_test(c, test_permute_derivative_and_edges);
    tcase_add_test(c, test_permute_errors);
    tcase_add_loop_test(c, test_broadcast_to, 0, n_pairs);
    tcase_add_loop_test(c, test_repeated_runs, 2, 41);
    tcase_add_loop_test(c, test_sum_to, 0, n_pairs);
    tcase_add_test(c, test_broadcast_edges);
    tcase_add_test(c, test_broadcast_errors);
    tcase_add_test(c, test_sum_to_errors);
    tcase_add_test(c, test_sum_to_is_accurate);
    tcase_add_test(c, test_sum_to_infinities);
    tcase_add_test(c, test_detach);
    tcase_add_test(c, test_diagonal);
    tcase_add_test(c, test_diagonal_errors);
    suite_add_tcase(s, c);
    return s;
}
