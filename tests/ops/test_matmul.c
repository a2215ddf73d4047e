/* matmul, dot, outer: values against plain loops, gradients, batches, one axis, errors. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/grad.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

/* Entry (i, j) of op(x), for x stored [rows, columns] from `start` on. */
static double entry(const wg_tensor *x, int64_t start, int64_t columns, bool transpose, int64_t i,
                    int64_t j)
{
    return wg_at(x, start + (transpose ? j * columns + i : i * columns + j));
}

START_TEST(transposes_and_sizes)
{
    const int64_t sizes[][3] = {{1, 1, 1},    {3, 2, 4}, {17, 1, 33}, {1, 40, 3},
                                {65, 9, 300}, {2, 5, 0}, {0, 3, 2}};
    const int64_t m = sizes[_i / 8][0], n = sizes[_i / 8][1], k = sizes[_i / 8][2];
    bool ta = _i & 1, tb = _i & 2;
    wg_dtype dtype = _i & 4 ? WG_F32 : WG_F64;
    wg_tensor *a = wg_param(t, "a", dtype, WG_SHAPE(ta ? k : m, ta ? m : k));
    wg_tensor *b = wg_param(t, "b", dtype, WG_SHAPE(tb ? n : k, tb ? k : n));
    wg_fill_normal(a, 0, 1, 1);
    wg_fill_normal(b, 0, 1, 2);
    wg_tensor *y = wg_matmul_t(a, ta, b, tb);
    ck_assert_int_eq(wg_dim(y, 0), m);
    ck_assert_int_eq(wg_dim(y, 1), n);
    double eps = dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            long double sum = 0, size = 0;
            for (int64_t p = 0; p < k; p++) {
                long double term = (long double)entry(a, 0, wg_dim(a, 1), ta, i, p) *
                                   (long double)entry(b, 0, wg_dim(b, 1), tb, p, j);
                sum += term;
                size += fabsl(term);
            }
            wgt_assert_close(wg_at(y, i * n + j), (double)sum, 0,
                             (double)(k + 4) * eps * (double)size); /* gemm.h states this bound */
        }
}
END_TEST

/* (2, 1, 3, 4) x (5, 4, 2): matrix (i, j) is a[i, 0] b[j]. */
START_TEST(batches_broadcast)
{
    wg_tensor *a = wgt_random_param(t, "a", WG_SHAPE(2, 1, 3, 4), 1);
    wg_tensor *b = wgt_random_param(t, "b", WG_SHAPE(5, 4, 2), 2);
    wg_tensor *y = wg_matmul(a, b);
    ck_assert_int_eq(wg_ndim(y), 4);
    for (int64_t at = 0; at < wg_size(y); at++) {
        int64_t c = at % 2, r = at / 2 % 3, j = at / 6 % 5, i = at / 30;
        double sum = 0, size = 0;
        for (int64_t p = 0; p < 4; p++) {
            double term = entry(a, i * 12, 4, false, r, p) * entry(b, j * 8, 2, false, p, c);
            sum += term;
            size += fabs(term);
        }
        wgt_assert_close(wg_at(y, at), sum, 0, 8 * DBL_EPSILON * size);
    }
}
END_TEST

static const struct {
    int rank_a, rank_b;
    int64_t a[4], b[4];
    bool ta, tb;
} derivative_cases[] = {
    {2, 2, {3, 4}, {4, 2}, false, false},
    {2, 2, {4, 3}, {4, 2}, true, false},
    {2, 2, {3, 4}, {2, 4}, false, true},
    {2, 2, {4, 3}, {2, 4}, true, true},
    {1, 1, {4}, {4}, false, false},
    {2, 1, {3, 4}, {4}, false, false},
    {2, 1, {4, 3}, {4}, true, true},
    {1, 2, {4}, {4, 2}, false, false},
    {1, 2, {4}, {2, 4}, true, true},
    {3, 2, {2, 3, 4}, {4, 2}, false, false},
    {3, 2, {2, 3, 4}, {2, 4}, false, true},
    {3, 2, {2, 4, 3}, {4, 2}, true, false},
    {2, 3, {3, 4}, {2, 4, 2}, false, false},
    {3, 3, {2, 3, 4}, {1, 4, 2}, false, false},
    {4, 3, {2, 1, 3, 4}, {2, 4, 2}, false, false},
    {3, 1, {2, 3, 4}, {4}, false, false},
    {1, 3, {4}, {2, 4, 3}, false, false},
    {3, 3, {2, 4, 3}, {2, 2, 4}, true, true},
};
enum { SLOPE_CASES = sizeof derivative_cases / sizeof *derivative_cases };

START_TEST(derivatives)
{
    wg_tensor *a = wgt_random_param(t, "a", derivative_cases[_i].rank_a, derivative_cases[_i].a, 3);
    wg_tensor *b = wgt_random_param(t, "b", derivative_cases[_i].rank_b, derivative_cases[_i].b, 4);
    wg_tensor *y = wg_matmul_t(a, derivative_cases[_i].ta, b, derivative_cases[_i].tb);
    ck_assert_msg(!wg_is_inert(y), "%s", wg_tape_message(t));
    wgt_assert_derivatives(y, (wg_tensor *[]){a, b}, 2);
}
END_TEST

START_TEST(one_operand_twice)
{
    wg_tensor *a = wgt_random_param(t, "a", WG_SHAPE(3, 3), 5);
    wgt_assert_derivatives(wg_matmul_t(a, true, a, false), &a, 1);
}
END_TEST

/* One matrix on the right of a stack: its gradient is one product, without a batch to sum over. */
START_TEST(stack_times_matrix_is_folded)
{
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(4, 3, 5), 1);
    wg_tensor *w = wgt_random_param(t, "w", WG_SHAPE(5, 2), 6);
    wg_tensor *s = wg_sum(wg_matmul(x, w)), *g;
    wg_grad(s, &w, 1, &g);
    ck_assert_str_eq(g->op->name, "matmul");
    ck_assert_int_eq(wg_ndim(g), 2);
    for (int64_t i = 0; i < 10; i++)
        wgt_assert_that(wg_at(g, i), ==, 12);
}
END_TEST

START_TEST(vectors)
{
    wg_tensor *a = wgt_param(t, "a", WG_SHAPE(3), VALUES(1, 2, 3));
    wg_tensor *b = wgt_param(t, "b", WG_SHAPE(3), VALUES(4, 5, -6));
    wg_tensor *m = wg_constant(t, WG_F64, WG_SHAPE(2, 3), VALUES(1, 0, 0, 1, 1, 1));
    assert_values(wg_dot(a, b), 1, VALUES(-4));
    ck_assert_int_eq(wg_ndim(wg_dot(a, b)), 0);
    assert_values(wg_matmul(m, a), 2, VALUES(1, 6));
    ck_assert_int_eq(wg_ndim(wg_matmul(m, a)), 1);
    assert_values(wg_matmul_t(a, false, m, true), 2, VALUES(1, 6));
    assert_values(wg_outer(a, b), 9, VALUES(4, 5, -6, 8, 10, -12, 12, 15, -18));
    assert_values(wgt_gradient(wg_dot(a, b), a), 3, VALUES(4, 5, -6));
    assert_values(wgt_gradient(wg_outer(a, b), b), 3, VALUES(6, 6, 6));
}
END_TEST

START_TEST(nothing_inside)
{
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(2, 0));
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(0, 3));
    assert_values(wg_matmul(a, b), 6, VALUES(0, 0, 0, 0, 0, 0));
    ck_assert_int_eq(wg_size(wgt_gradient(wg_matmul(a, b), a)), 0);
    wg_tensor *no_batch = wg_param(t, "c", WG_F64, WG_SHAPE(0, 4, 2));
    wg_tensor *w = wgt_random_param(t, "w", WG_SHAPE(2, 3), 1);
    wg_tensor *y = wg_matmul(no_batch, w);
    ck_assert_int_eq(wg_size(y), 0);
    assert_values(wgt_gradient(y, w), 6, VALUES(0, 0, 0, 0, 0, 0));
}
END_TEST

START_TEST(special_values)
{
    wg_tensor *a = wg_constant(t, WG_F64, WG_SHAPE(2, 2), VALUES(0, 1, HUGE_VAL, 1));
    wg_tensor *b = wg_constant(t, WG_F64, WG_SHAPE(2, 2), VALUES(HUGE_VAL, 2, nan(""), 3));
    assert_values(wg_matmul(a, b), 4, VALUES(nan(""), 3, nan(""), HUGE_VAL));
}
END_TEST

START_TEST(pieces_give_the_same_bits)
{
    wg_tensor *a = wgt_random_param(t, "a", WG_SHAPE(3, 300, 60), 1);
    wg_tensor *b = wgt_random_param(t, "b", WG_SHAPE(3, 60, 1024), 2);
    wg_tensor *y = wg_matmul(a, b);
    const int64_t chunks = y->op->chunks(y);
    size_t bytes = (size_t)y->size * sizeof(double);
    void *whole = malloc(bytes), *workspace = malloc(y->op->workspace(y) + 1);
    ck_assert_int_eq(wg_read(y, whole, bytes), WG_OK);
    ck_assert_int_ge(chunks, 6); /* pieces end within a matrix, and go over its end */
    for (int64_t length = 1; length < chunks; length++) {
        memset(y->data, 0, bytes);
        for (int64_t i = (chunks - 1) / length * length; i >= 0; i -= length)
            y->op->forward(y, &(wg_piece){i, i + length < chunks ? i + length : chunks, workspace});
        wgt_assert_same_bytes(y->data, whole, bytes);
    }
    free(whole);
    free(workspace);
}
END_TEST

START_TEST(errors)
{
    wg_tensor *x = wg_param(t, "X", WG_F64, WG_SHAPE(64, 784));
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(785, 10));
    wg_tensor *f = wg_param(t, "f", WG_F32, WG_SHAPE(784, 10));
    wg_tensor *batch = wg_param(t, "batch", WG_F64, WG_SHAPE(3, 2, 4));
    wg_tensor *other = wg_param(t, "other", WG_F64, WG_SHAPE(2, 4, 5));
    wg_tensor *i = wg_full(t, WG_I64, WG_SHAPE(2, 2), 1);
    wg_mark mark = wg_tape_mark(t);
    wg_matmul(x, w);
    wgt_assert_status(t, WG_E_SHAPE, "matmul: inner sizes differ: X (64, 784) x w (785, 10)");
    wg_tape_rewind(t, mark);
    static const char *const words[] = {"differ (the first is transposed): X",
                                        "differ (the second is transposed): X",
                                        "differ (both are transposed): X"};
    for (int k = 1; k <= 3; k++) {
        wg_matmul_t(x, k & 1, w, k >> 1);
        wgt_assert_status(t, WG_E_SHAPE, words[k - 1]);
        wg_tape_rewind(t, mark);
    }
    wg_matmul(x, f);
    wgt_assert_status(t, WG_E_DTYPE, "matmul: dtypes differ: X (64, 784) f64 x f (784, 10) f32");
    wg_tape_rewind(t, mark);
    wg_matmul(i, i);
    wgt_assert_status(t, WG_E_DTYPE, "matmul: f32 or f64 wanted");
    wg_tape_rewind(t, mark);
    wg_matmul(x, wg_scalar(t, WG_F64, 2));
    wgt_assert_status(t, WG_E_SHAPE, "matmul: an operand has no axes");
    wg_tape_rewind(t, mark);
    wg_matmul(batch, other);
    wgt_assert_status(t, WG_E_SHAPE, "matmul: batch axes do not broadcast: batch (3, 2, 4) x");
    wg_tape_rewind(t, mark);
    wg_dot(x, w);
    wgt_assert_status(t, WG_E_SHAPE, "dot: two tensors of one axis wanted: X (64, 784) x w");
    wg_tape_rewind(t, mark);
    wg_outer(x, w);
    wgt_assert_status(t, WG_E_SHAPE, "outer: two tensors of one axis wanted");
    wg_tape_rewind(t, mark);
    wg_outer(x, NULL);
    ck_assert_int_eq(wg_tape_status(t), WG_E_NULL);
    ck_assert(wg_is_inert(wg_matmul(NULL, NULL)));
    ck_assert(wg_is_inert(wg_dot(NULL, x)));
}
END_TEST

/* A user's product: plain loops that count their calls. */
static void counting_gemm(wg_dtype dtype, bool ta, bool tb, int64_t m, int64_t n, int64_t k,
                          const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                          int64_t ldc, void *user)
{
    const double *A = a, *B = b;
    ck_assert_int_eq(dtype, WG_F64);
    wgt_assert_that(m, >, 0);
    wgt_assert_that(n, >, 0);
    wgt_assert_that(k, >, 0);
    ++*(int *)user;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t p = 0; p < k; p++)
                sum += (ta ? A[p * lda + i] : A[i * lda + p]) *
                       (tb ? B[j * ldb + p] : B[p * ldb + j]);
            ((double *)c)[i * ldc + j] = sum;
        }
}

/* A batch and its gradients, with and without the hook; k = 0 does not reach it. */
START_TEST(the_users_product_takes_the_place)
{
    int calls = 0;
    wg_tape *u = wg_tape_new(&(wg_tape_options){.gemm = counting_gemm, .gemm_user = &calls});
    wg_tensor *y[2], *g[2][2];
    for (int i = 0; i < 2; i++) {
        wg_tape *on = i == 0 ? t : u;
        wg_tensor *a = wg_param(on, "a", WG_F64, WG_SHAPE(3, 5, 4));
        wg_tensor *b = wg_param(on, "b", WG_F64, WG_SHAPE(3, 6, 4));
        wg_fill_normal(a, 0, 1, 1);
        wg_fill_normal(b, 0, 1, 2);
        y[i] = wg_matmul_t(a, false, b, true);
        wg_vjp(y[i], y[i], (wg_tensor *[]){a, b}, 2, g[i]);
        wg_matmul(wg_param(on, "p", WG_F64, WG_SHAPE(2, 0)),
                  wg_param(on, "q", WG_F64, WG_SHAPE(0, 2)));
        ck_assert_msg(wg_tape_status(on) == WG_OK, "%s", wg_tape_message(on));
    }
    ck_assert_int_eq(calls, 9);
    for (int64_t i = 0; i < wg_size(y[0]); i++)
        wgt_assert_close(wg_at(y[1], i), wg_at(y[0], i), 0, 1e-14 * 8);
    for (int64_t i = 0; i < wg_size(g[0][0]); i++)
        wgt_assert_close(wg_at(g[1][0], i), wg_at(g[0][0], i), 0, 1e-13 * 8);
    for (int64_t i = 0; i < wg_size(g[0][1]); i++)
        wgt_assert_close(wg_at(g[1][1], i), wg_at(g[0][1], i), 0, 1e-13 * 8);
    wg_tape_free(u);
}
END_TEST

Suite *suite_matmul(void)
{
    Suite *s = suite_create("matmul");
    TCase *c = tcase_create("matmul");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, transposes_and_sizes, 0, 56);
    tcase_add_test(c, batches_broadcast);
    tcase_add_loop_test(c, derivatives, 0, SLOPE_CASES);
    tcase_add_test(c, one_operand_twice);
    tcase_add_test(c, stack_times_matrix_is_folded);
    tcase_add_test(c, vectors);
    tcase_add_test(c, nothing_inside);
    tcase_add_test(c, special_values);
    tcase_add_test(c, pieces_give_the_same_bits);
    tcase_add_test(c, the_users_product_takes_the_place);
    tcase_add_test(c, errors);
    suite_add_tcase(s, c);
    return s;
}
