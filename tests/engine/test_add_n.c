/* The sum of the cotangents that meet at a node. */
#include "autograd/grad.h"
#include "autograd/op.h"
#include "autograd/rng.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *t;

static void set_up(void)
{
    t = wgt_tape(NULL);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

static wg_tensor *sum_of(const double *terms, int n)
{
    wg_tensor *x[2000];
    for (int i = 0; i < n; i++)
        x[i] = wg_scalar(t, WG_F64, terms[i]);
    return wg_add_n(x, n);
}

START_TEST(test_one_is_itself)
{
    wg_tensor *x = wg_scalar(t, WG_F64, 3);
    ck_assert_ptr_eq(wg_add_n(&x, 1), x);
    ck_assert(wg_is_inert(wg_add_n(&x, 0)));
    x = NULL;
    ck_assert(wg_is_inert(wg_add_n(&x, 1)));
}
END_TEST

START_TEST(test_error_does_not_grow)
{
    double terms[2000];
    wgt_sum want = {0};
    for (int i = 0; i < 2000; i++) {
        terms[i] = wg_random_uniform(1, 1, (uint64_t)i);
        wgt_sum_add(&want, (long double)terms[i]);
    }
    wgt_assert_ulps(wg_item(sum_of(terms, 2000)), (double)wgt_sum_value(&want), 1);
    const double cancels[] = {1, 1e100, 1, -1e100};
    wgt_assert_same_bits(wg_item(sum_of(cancels, 4)), 2);
}
END_TEST

START_TEST(test_f32_is_summed_in_double)
{
    wg_tensor *x[1001];
    x[0] = wg_scalar(t, WG_F32, 1);
    for (int i = 1; i <= 1000; i++)
        x[i] = wg_scalar(t, WG_F32, 0x1p-25);
    const float want = (float)(1 + 1000 * 0x1p-25);
    wgt_assert_same_bits(wg_item(wg_add_n(x, 1001)), (double)want);
}
END_TEST

START_TEST(test_special_values)
{
    const double inf = (double)INFINITY;
    wgt_assert_close(wg_item(sum_of((double[]){inf, 1, 2}, 3)), inf, 0, 0);
    wgt_assert_close(wg_item(sum_of((double[]){1, 2, -inf}, 3)), -inf, 0, 0);
    ck_assert_double_nan(wg_item(sum_of((double[]){inf, 1, -inf}, 3)));
    ck_assert_double_nan(wg_item(sum_of((double[]){1, (double)NAN, 2}, 3)));
    ck_assert_double_nan(wg_item(sum_of((double[]){inf, -inf}, 2)));
}
END_TEST

/* More than one tile, and any cut: each element is what it is alone. */
START_TEST(test_pieces)
{
    enum { N = 300, TERMS = 5 };
    wg_tensor *x[TERMS];
    for (int k = 0; k < TERMS; k++) {
        x[k] = wg_param(t, NULL, WG_F64, WG_SHAPE(3, N / 3));
        wg_fill_normal(x[k], 0, 1, (uint64_t)k);
    }
    for (int n = 2; n <= TERMS; n += 3) {
        wg_tensor *y = wg_add_n(x, n);
        double whole[N];
        wg_read(y, whole, sizeof whole);
        for (int64_t length = 1; length < N; length += 13) {
            for (int64_t i = 0; i < N; i++)
                ((double *)y->data)[i] = (double)NAN;
            for (int64_t at = 0; at < N; at += length)
                y->op->forward(y, &(wg_piece){at, at + length < N ? at + length : N, NULL});
            wgt_assert_same_bytes(y->data, whole, sizeof whole);
        }
        for (int64_t i = 0; i < N; i++) {
            double terms[TERMS];
            for (int k = 0; k < n; k++)
                terms[k] = wg_at(x[k], i);
            wgt_assert_same_bits(whole[i], wg_item(sum_of(terms, n)));
        }
    }
}
END_TEST

START_TEST(test_gradient)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *g[2];
    wg_tensor *square = wgt_product(x, x), *y = wg_add_n((wg_tensor *[]){x, square, x}, 3);
    ck_assert_int_eq(wg_grad(y, (wg_tensor *[]){x, square}, 2, g), WG_OK);
    wgt_assert_same_bits(wg_item(g[0]), 1 + 4 + 1);
    wgt_assert_same_bits(wg_item(g[1]), 1);
}
END_TEST

START_TEST(test_refused)
{
    const wg_mark mark = wg_tape_mark(t);
    wg_tensor *a = wg_full(t, WG_F64, WG_SHAPE(2), 1), *b = wg_full(t, WG_F64, WG_SHAPE(1, 2), 1);
    ck_assert(wg_is_inert(wg_add_n((wg_tensor *[]){a, b}, 2)));
    wgt_assert_status(t, WG_E_SHAPE, "add_n: shapes differ: constant#0 (2,) x constant#1 (1, 2)");
    wg_tape_rewind(t, mark);
    a = wg_scalar(t, WG_F64, 1);
    b = wg_scalar(t, WG_F32, 1);
    ck_assert(wg_is_inert(wg_add_n((wg_tensor *[]){a, b}, 2)));
    wgt_assert_status(t, WG_E_DTYPE, "add_n: dtypes differ");
    wg_tape_rewind(t, mark);
    a = wg_scalar(t, WG_I64, 1);
    ck_assert(wg_is_inert(wg_add_n((wg_tensor *[]){a, a}, 2)));
    wgt_assert_status(t, WG_E_DTYPE, "add_n");
}
END_TEST

Suite *suite_add_n(void)
{
    Suite *suite = suite_create("add_n");
    TCase *cases = tcase_create("add_n");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_one_is_itself);
    tcase_add_test(cases, test_error_does_not_grow);
    tcase_add_test(cases, test_f32_is_summed_in_double);
    tcase_add_test(cases, test_special_values);
    tcase_add_test(cases, test_pieces);
    tcase_add_test(cases, test_gradient);
    tcase_add_test(cases, test_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
