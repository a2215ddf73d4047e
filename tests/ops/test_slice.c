/* Ops that take tensors apart and put them together: slice, split, pad, concat, stack. */
#include "ops/slice.h"

#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "ops/arithmetic.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/linear.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static const wg_dtype dtypes[] = {WG_F32, WG_F64, WG_I64};

/* Runs one failing call on a fresh tape that has x (5, 3), m (3, 5) and k (5, 3) i64. */
#define ASSERT_FAILS(call, status, message)                                                        \
    do {                                                                                           \
        wg_tape *t = wg_tape_new(NULL);                                                            \
        wg_tensor *x = wgt_counting(t, WG_SHAPE(5, 3));                                            \
        wg_tensor *m = wg_rename(wg_full(t, WG_F64, WG_SHAPE(3, 5), 1), "m");                      \
        wg_tensor *k = wg_rename(wg_full(t, WG_I64, WG_SHAPE(5, 3), 1), "k");                      \
        (void)x, (void)m, (void)k;                                                                 \
        int64_t before = wg_tape_size(t);                                                          \
        ck_assert(wg_is_inert(call));                                                              \
        wgt_assert_status(t, status, message);                                                     \
        ck_assert_int_eq(wg_tape_size(t), before);                                                 \
        ck_assert(wg_is_inert(call)); /* and the inert tensor goes through */                      \
        wg_tape_free(t);                                                                           \
    } while (0)

/* ---- slice ----------------------------------------------------------------------------------- */

/* What Python's x[begin:end] takes from a list of n elements: the first, and how many. */
static void python_slice(int64_t n, int64_t begin, int64_t end, int64_t *first, int64_t *count)
{
    bool started = false;
    *first = *count = 0;
    for (int64_t i = 0; i < n; i++) {
        bool after = begin < 0 ? i >= begin + n : i >= begin;
        bool before = end < 0 ? i < end + n : i < end;
        if (after && before && !started) {
            *first = i;
            started = true;
        }
        *count += after && before;
    }
}

static const int64_t places[] = {INT64_MIN, -9, -5, -2, -1, 0, 1, 3, 4, 5, 9, WG_END};

/* Every pair of places, on every axis of x (5, 5, 5). */
START_TEST(test_slice_as_python)
{
    enum { PLACES = sizeof places / sizeof places[0] };
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting_of(t, dtypes[_i], WG_SHAPE(5, 5, 5));
    const int64_t step[] = {25, 5, 1};
    for (int axis = 0; axis < 3; axis++)
        for (int p = 0; p < PLACES * PLACES; p++) {
            int64_t first, count;
            wg_tensor *y = wg_slice(x, axis - 3 * (p % 2), places[p / PLACES], places[p % PLACES]);
            python_slice(5, places[p / PLACES], places[p % PLACES], &first, &count);
            ck_assert_int_eq(wg_dim(y, axis), count);
            ck_assert_int_eq(wg_size(y), count * 25);
            for (int64_t i = 0; i < wg_size(y); i++) {
                int64_t inner = step[axis], line = count * inner;
                int64_t from = i / line * 5 * inner + first * inner + i % line;
                wgt_assert_that(wg_at(y, i), ==, wg_at(x, from));
            }
            if (axis > 0 && count > 0 && count < 5)
                wgt_assert_pieces(y);
        }
    wg_tape_free(t);
}
END_TEST

START_TEST(test_slice_of_rows_is_a_view)
{
    wg_tape *t = wgt_strict_tape();
    const float first[] = {1, 2, 3, 4, 5, 6, 7, 8}, second[] = {-1, -2, -3, -4, -5, -6, -7, -8};
    wg_tensor *x = wg_input(t, "X", WG_F32, WG_SHAPE(4, 2), first);
    wg_tensor *y = wg_slice(x, 0, 1, 4);
    wg_tensor *z = wg_slice(wg_reshape(y, WG_SHAPE(1, 6)), 1, -2, WG_END); /* a view of views */
    ck_assert_ptr_eq(wg_data_f32(y), first + 2);
    ck_assert_ptr_eq(wg_data_f32(z), first + 6);
    ck_assert_ptr_ne(wg_data_f32(wg_slice(x, 1, 0, 1)), first);
    ck_assert_int_eq(wg_bind(x, second), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_ptr_eq(wg_data_f32(z), second + 6);
    wgt_assert_that(wg_at(z, 1), ==, -8);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_slice_derivative)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(4, 3, 2));
    wgt_assert_linear(x, wg_slice(x, 0, 1, 3));
    wgt_assert_linear(x, wg_slice(x, 1, 1, 3));
    wgt_assert_linear(x, wg_slice(wg_slice(x, 2, 1, 2), 0, 2, WG_END));
    wg_tensor *none = wg_slice(x, 1, 2, 2), *g;
    ck_assert_int_eq(wg_vjp(none, wg_zeros_like(none), &x, 1, &g), WG_OK);
    for (int64_t i = 0; i < wg_size(g); i++)
        wgt_assert_that(wg_at(g, i), ==, 0);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_slice_derivative_errors)
{
    ASSERT_FAILS(wg_slice(x, 2, 0, 1), WG_E_VALUE, "slice: there is no axis 2: x (5, 3)");
    ck_assert(wg_is_inert(wg_slice(NULL, 0, 0, 1)));
}
END_TEST

/* ---- split ----------------------------------------------------------------------------------- */

START_TEST(test_split)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 6)), *parts[3];
    ck_assert_int_eq(wg_split(x, -1, 3, NULL, parts), WG_OK);
    wgt_assert_tensor(parts[1], WG_SHAPE(2, 2), (double[]){3, 4, 9, 10});
    wgt_assert_linear(x, wg_concat(parts, 3, 1));
    ck_assert_int_eq(wg_split(x, 1, 3, (int64_t[]){1, 0, 5}, parts), WG_OK);
    wgt_assert_tensor(parts[0], WG_SHAPE(2, 1), (double[]){1, 7});
    ck_assert_int_eq(wg_size(parts[1]), 0);
    wgt_assert_tensor(wg_concat(parts, 3, 1), WG_SHAPE(2, 6), wg_data_f64(x));
    wg_tape_free(t);
}
END_TEST

static void assert_split_fails(int axis, int n, const int64_t *sizes, wg_status status,
                               const char *message)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 6)), *parts[4] = {NULL, NULL, NULL, NULL};
    ck_assert_int_eq(wg_split(x, axis, n, sizes, parts), status);
    wgt_assert_status(t, status, message);
    for (int i = 0; i < n; i++) {
        ck_assert_ptr_nonnull(parts[i]);
        ck_assert(wg_is_inert(parts[i]));
    }
    ck_assert_int_eq(wg_tape_size(t), 1);
    wg_tape_free(t);
}

START_TEST(test_split_errors)
{
    assert_split_fails(1, 4, NULL, WG_E_SHAPE, "split: the parts cannot be equal: x (2, 6)");
    assert_split_fails(1, 2, (int64_t[]){3, 4}, WG_E_SHAPE, "do not make up the axis");
    assert_split_fails(1, 2, (int64_t[]){7, -1}, WG_E_SHAPE, "negative");
    assert_split_fails(1, 3, (int64_t[]){INT64_MAX, INT64_MAX, 8}, WG_E_SHAPE, "too large");
    assert_split_fails(2, 1, NULL, WG_E_VALUE, "split: there is no axis 2");
    assert_split_fails(1, 0, NULL, WG_E_VALUE, "at least one part");
    wg_tensor *part;
    ck_assert_int_eq(wg_split(NULL, 0, 1, NULL, &part), WG_E_NULL);
    ck_assert_ptr_nonnull(part);
    ck_assert(wg_is_inert(part));
}
END_TEST

START_TEST(test_unstack)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3, 2)), *parts[3];
    ck_assert_int_eq(wg_unstack(x, -2, 3, parts), WG_OK);
    wgt_assert_tensor(parts[1], WG_SHAPE(2, 2), (double[]){3, 4, 9, 10});
    wgt_assert_tensor(wg_stack(parts, 3, 1), WG_SHAPE(2, 3, 2), wg_data_f64(x));
    wgt_assert_linear(x, wg_mul(parts[0], wg_full(t, WG_F64, WG_SHAPE(2, 2), 3)));
    ck_assert_int_eq(wg_unstack(x, 0, 2, parts), WG_OK);
    wgt_assert_tensor(parts[1], WG_SHAPE(3, 2), (double[]){7, 8, 9, 10, 11, 12});
    ck_assert_ptr_eq(wg_data_f64(parts[1]), wg_data_f64(x) + 6); /* a view */
    wgt_assert_linear(x, wg_stack(parts, 2, 1));
    ck_assert_int_eq(wg_unstack(x, 1, 2, parts), WG_E_SHAPE);
    wgt_assert_status(t, WG_E_SHAPE, "unstack: the axis has another size: x (2, 3, 2)");
    ck_assert(wg_is_inert(parts[1]));
    wg_tape_free(t);
}
END_TEST

/* ---- Parts of one tensor meet in one node ---------------------------------------------------- */

static const char *op_name(const wg_tensor *x)
{
    return x->op->name;
}

/* Parts that make up x are put together, as they were taken apart; others are assembled. */
START_TEST(test_parts_meet)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(4, 3)), *parts[4], *dy[4], *g;
    for (int k = 0; k < 4; k++)
        dy[k] = wg_full(t, WG_F64, WG_SHAPE(3), k);
    wg_unstack(x, 0, 4, parts);
    ck_assert_int_eq(wg_vjp_many(parts, dy, 4, &x, 1, &g), WG_OK);
    ck_assert_str_eq(op_name(g), "stack");
    ck_assert_int_eq(wg_vjp_many(parts, dy, 3, &x, 1, &g), WG_OK);
    ck_assert_str_eq(op_name(g), "assemble");
    wgt_assert_tensor(g, WG_SHAPE(4, 3), (double[]){0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0});
    wg_split(x, 1, 2, (int64_t[]){1, 2}, parts);
    dy[0] = wg_full(t, WG_F64, WG_SHAPE(4, 1), 5);
    dy[1] = wg_full(t, WG_F64, WG_SHAPE(4, 2), 6);
    ck_assert_int_eq(wg_vjp_many(parts, dy, 2, &x, 1, &g), WG_OK);
    ck_assert_str_eq(op_name(g), "concat");
    wgt_assert_tensor(g, WG_SHAPE(4, 3), (double[]){5, 6, 6, 5, 6, 6, 5, 6, 6, 5, 6, 6});
    wg_tape_free(t);
}
END_TEST

/* The same in whatever order the parts were taken; and where they meet, they add up. */
START_TEST(test_parts_meet_in_any_order)
{
    const int64_t begin[] = {2, 0, 3, 1};
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(4, 2)), *part[4], *dy[4], *g;
    for (int k = 0; k < 4; k++) {
        part[k] = wg_slice(x, 0, begin[k], begin[k] + 1);
        dy[k] = wg_full(t, WG_F64, WG_SHAPE(1, 2), 1 + (double)begin[k]);
    }
    ck_assert_int_eq(wg_vjp_many(part, dy, 4, &x, 1, &g), WG_OK);
    ck_assert_str_eq(op_name(g), "concat");
    wgt_assert_tensor(g, WG_SHAPE(4, 2), (double[]){1, 1, 2, 2, 3, 3, 4, 4});
    ck_assert_int_eq(wg_vjp_many(part, dy, 3, &x, 1, &g), WG_OK);
    ck_assert_str_eq(op_name(g), "assemble");
    wgt_assert_tensor(g, WG_SHAPE(4, 2), (double[]){1, 1, 0, 0, 3, 3, 4, 4});
    ck_assert_uint_eq(g->op->workspace(g), 0);
    part[3] = wg_slice(x, 0, 0, 1);
    ck_assert_int_eq(wg_vjp_many(part, dy, 4, &x, 1, &g), WG_OK);
    wgt_assert_tensor(g, WG_SHAPE(4, 2), (double[]){3, 3, 0, 0, 3, 3, 4, 4});
    ck_assert_uint_gt(g->op->workspace(g), 0);
    wg_tape_free(t);
}
END_TEST

/* A function of overlapping and of repeated parts, of x itself, and of rows taken by index. */
static wg_tensor *of_parts(wg_tensor *x)
{
    const int64_t rows[] = {3, 0, 3, 1};
    wg_tensor *index = wg_constant(x->tape, WG_I64, WG_SHAPE(4), rows), *column[3];
    wg_tensor *y = wg_mul(wg_slice(x, 0, 0, 3), wg_slice(x, 0, 1, 4));
    y = wg_add(y, wg_square(wg_slice(x, 0, 1, 4)));
    wg_unstack(x, 1, 3, column);
    wg_tensor *z = wg_mul(column[2], wg_mul(column[0], column[2]));
    wg_tensor *taken = wg_mul(wg_gather_rows(x, index), x);
    taken = wg_mul(taken, wg_gather_rows(x, wg_slice(index, 0, 1, 2)));
    y = wg_add(wg_sum(y), wg_sum(wg_mul(z, wg_sum_over(taken, WG_AXES(1), false))));
    return wg_mul(y, wg_sum(wg_square(wg_slice(wg_slice(x, 0, 2, 3), 1, 1, 3))));
}

START_TEST(test_parts_have_derivatives)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(4, 3), 1);
    wgt_assert_derivatives(of_parts(x), &x, 1);
    wg_tape_free(t);
}
END_TEST

/* Compiled and replayed, the gradient of the gradient is the same bits. */
START_TEST(test_parts_compiled)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(4, 3), 2), *g, *h;
    ck_assert_int_eq(wg_grad(of_parts(x), &x, 1, &g), WG_OK);
    ck_assert_int_eq(wg_grad(wg_sum(wg_square(g)), &x, 1, &h), WG_OK);
    wg_program *p = wg_compile((wg_tensor *[]){g, h}, 2, NULL);
    *(double *)wg_edit(x) = 2;
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int k = 0; k < 2; k++)
        ck_assert_mem_eq(wg_program_output(p, k)->data, (k == 0 ? g : h)->data,
                         12 * sizeof(double));
    wg_tape_free(t);
}
END_TEST

/* The cotangent of x costs what x costs, and not what n tensors of its size do. */
START_TEST(test_parts_are_linear)
{
    enum { PARTS = 500, SIZE = 16 };
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(PARTS * SIZE)), *y = wg_sum(x), *g;
    for (int64_t k = PARTS - 1; k >= 0; k--)
        y = wg_add(y, wg_sum(wg_square(wg_slice(x, 0, k * SIZE, (k + 1) * SIZE))));
    ck_assert_int_eq(wg_grad(y, &x, 1, &g), WG_OK);
    int whole = 0;
    for (int64_t i = 0; i < wg_tape_size(t); i++)
        whole += t->node[i]->size == x->size;
    wgt_assert_that(whole, <=, 4); /* x, what wg_sum gives, the parts together, and all of it */
    wg_tape_free(t);
}
END_TEST

/* ---- pad ------------------------------------------------------------------------------------- */

START_TEST(test_pad)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 2));
    wg_tensor *y = wg_pad(x, WG_SHAPE(1, 0), WG_SHAPE(0, 2), -9);
    wgt_assert_tensor(y, WG_SHAPE(3, 4), (double[]){-9, -9, -9, -9, 1, 2, -9, -9, 3, 4, -9, -9});
    wgt_assert_linear(x, wg_pad(x, WG_SHAPE(1, 0), WG_SHAPE(0, 2), 0));
    wgt_assert_linear(x, wg_pad(x, WG_SHAPE(0, 3), WG_SHAPE(0, 1), 0));
    wgt_assert_linear(x, wg_pad(x, WG_SHAPE(2, 0), WG_SHAPE(1, 0), 0));
    wg_tensor *k = wg_pad(wgt_counting_of(t, WG_I64, WG_SHAPE(2)), WG_SHAPE(1), WG_SHAPE(0), 7);
    wgt_assert_that(wg_data_i64(k)[0], ==, 7);
    wgt_assert_that(wg_data_i64(k)[2], ==, 2);
    wg_tensor *f = wg_pad(wg_full(t, WG_F32, WG_SHAPE(0), 0), WG_SHAPE(1), WG_SHAPE(1),
                          (double)NAN);
    wgt_assert_that(wg_size(f), ==, 2);
    ck_assert_double_nan(wg_at(f, 1));
    wgt_assert_that(wg_item(wg_pad(wg_scalar(t, WG_F64, 5), WG_SCALAR, WG_SCALAR, 1)), ==, 5);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_pad_errors)
{
    ASSERT_FAILS(wg_pad(x, WG_SHAPE(1), WG_SHAPE(1, 1), 0), WG_E_SHAPE,
                 "pad: 1 and 2 counts for 2 axes: x (5, 3)");
    ASSERT_FAILS(wg_pad(x, WG_SHAPE(1, -1), WG_SHAPE(1, 1), 0), WG_E_VALUE, "pad: a count is neg");
    ASSERT_FAILS(wg_pad(x, 2, NULL, WG_SHAPE(1, 1), 0), WG_E_NULL, "pad: the counts are NULL");
    ASSERT_FAILS(wg_pad(x, WG_SHAPE(0, INT64_MAX), WG_SHAPE(0, 1), 0), WG_E_SHAPE, "too large");
    ASSERT_FAILS(wg_pad(x, WG_SHAPE(0, INT64_MAX / 4), WG_SHAPE(0, 1), 0), WG_E_SHAPE,
                 "too large or negative");
    ASSERT_FAILS(wg_pad(k, WG_SHAPE(1, 1), WG_SHAPE(1, 1), (double)NAN), WG_E_VALUE,
                 "nan is no i64");
    ASSERT_FAILS(wg_pad(k, WG_SHAPE(1, 1), WG_SHAPE(1, 1), 0x1p63), WG_E_VALUE, "is no i64");
    ck_assert(wg_is_inert(wg_pad(NULL, WG_SCALAR, WG_SCALAR, 0)));
}
END_TEST

/* ---- concat, stack --------------------------------------------------------------------------- */

START_TEST(test_concat)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *a = wgt_counting_of(t, dtypes[_i], WG_SHAPE(2, 3, 2));
    wg_tensor *b = wg_slice(a, 1, 0, 1), *none = wg_slice(a, 1, 0, 0);
    wg_tensor *y = wg_concat((wg_tensor *[]){b, none, a, b}, 4, -2);
    const double want[] = {1, 2, 1, 2, 3, 4, 5, 6, 1, 2, 7, 8, 7, 8, 9, 10, 11, 12, 7, 8};
    wgt_assert_that(y->shape.ndim, ==, 3);
    wgt_assert_that(wg_dim(y, 1), ==, 5);
    for (int64_t i = 0; i < 20; i++)
        wgt_assert_that(wg_at(y, i), ==, want[i]);
    wgt_assert_pieces(y);
    wg_tensor *z = wg_stack((wg_tensor *[]){a, a}, 2, 1);
    wgt_assert_that(z->shape.ndim, ==, 4);
    wgt_assert_that(wg_dim(z, 1), ==, 2);
    wgt_assert_that(wg_dim(z, 2), ==, 3);
    wgt_assert_that(wg_at(z, 6), ==, 1);
    wgt_assert_that(wg_at(z, 11), ==, 6);
    wgt_assert_that(wg_at(z, 12), ==, 7);
    wgt_assert_pieces(z);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_concat_derivative)
{
    wg_tape *t = wgt_strict_tape();
    wg_tensor *x = wgt_counting(t, WG_SHAPE(2, 3));
    wg_tensor *twice = wg_add(x, x);
    wg_tensor *list[] = {x, twice, x};
    wgt_assert_linear(x, wg_concat(list, 3, 0));
    wgt_assert_linear(x, wg_concat(list, 3, 1));
    wgt_assert_linear(x, wg_stack(list, 3, 0));
    wgt_assert_linear(x, wg_stack(list, 3, 1));
    wgt_assert_linear(x, wg_stack(list, 2, -1));
    wg_tensor *s = wg_scalar(t, WG_F64, 3), *pair[] = {s, s};
    wgt_assert_tensor(wg_stack(pair, 2, 0), WG_SHAPE(2), (double[]){3, 3});
    wg_tape_free(t);
}
END_TEST

#define LIST(...) ((wg_tensor *[]){__VA_ARGS__})

START_TEST(test_concat_errors)
{
    ASSERT_FAILS(wg_concat(LIST(x, m), 2, 0), WG_E_SHAPE,
                 "concat: sizes differ on another axis than 0: x (5, 3) x m (3, 5)");
    ASSERT_FAILS(wg_concat(LIST(x, k), 2, 0), WG_E_DTYPE, "concat: dtypes differ");
    ASSERT_FAILS(wg_concat(LIST(x, x), 2, 2), WG_E_VALUE, "concat: there is no axis 2: x (5, 3)");
    ASSERT_FAILS(wg_concat(LIST(x, NULL), 2, 0), WG_E_NULL, "concat: operand 1 is NULL");
    ASSERT_FAILS(wg_stack(LIST(x, m), 2, 0), WG_E_SHAPE, "stack: shapes differ: x (5, 3) x m");
    ASSERT_FAILS(wg_stack(LIST(x, k), 2, 0), WG_E_DTYPE, "stack: dtypes differ");
    ASSERT_FAILS(wg_stack(LIST(x, x, x, x, m, x, x), 7, 0), WG_E_SHAPE,
                 "stack: shapes differ: x (5, 3) x ... x m (3, 5) x ...");
    ASSERT_FAILS(wg_stack(LIST(x, x), 2, 3), WG_E_VALUE, "stack: the result has no such axis");
    ASSERT_FAILS(wg_stack(LIST(x, x), 2, -4), WG_E_VALUE, "stack: the result has no such axis");
    ck_assert(wg_is_inert(wg_concat(NULL, 2, 0)));
    wg_tape *t = wg_tape_new(NULL);
    ck_assert(wg_is_inert(wg_concat(LIST(wg_scalar(t, WG_F64, 1)), 0, 9))); /* none is looked at */
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
    ck_assert(wg_is_inert(wg_stack(NULL, 0, 0)));
}
END_TEST

Suite *suite_slice(void)
{
    Suite *s = suite_create("slice");
    TCase *c = tcase_create("slice");
    tcase_add_loop_test(c, test_slice_as_python, 0, 3);
    tcase_add_test(c, test_slice_of_rows_is_a_view);
    tcase_add_test(c, test_slice_derivative);
    tcase_add_test(c, test_slice_derivative_errors);
    tcase_add_test(c, test_split);
    tcase_add_test(c, test_split_errors);
    tcase_add_test(c, test_unstack);
    tcase_add_test(c, test_parts_meet);
    tcase_add_test(c, test_parts_meet_in_any_order);
    tcase_add_test(c, test_parts_have_derivatives);
    tcase_add_test(c, test_parts_compiled);
    tcase_add_test(c, test_parts_are_linear);
    tcase_add_test(c, test_pad);
    tcase_add_test(c, test_pad_errors);
    tcase_add_loop_test(c, test_concat, 0, 3);
    tcase_add_test(c, test_concat_derivative);
    tcase_add_test(c, test_concat_errors);
    suite_add_tcase(s, c);
    return s;
}
