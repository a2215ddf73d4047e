/* dropout and layer_norm. */
#include <float.h>
#include <math.h>

#include "ops/elementwise.h"
#include "ops/normalize.h"
#include "ops/random.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

enum { N = 20000 };

static int64_t zeros(const wg_tensor *y)
{
    int64_t count = 0;
    for (int64_t i = 0; i < wg_size(y); i++)
        count += wg_at(y, i) == 0;
    return count;
}

/* Dropped entries are binomial: 5 standard deviations of N*rate. The others are scaled exactly. */
START_TEST(share_and_scale)
{
    const double rates[] = {0, 0.1, 0.5, 0.9};
    const double rate = rates[_i], deviation = sqrt(N * rate * (1 - rate));
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(N), 3);
    wg_tensor *y = wg_dropout(x, rate, 1, 2, wg_full(t, WG_I64, WG_SCALAR, 0));
    wgt_assert_close((double)zeros(y), N * rate, 0, 5 * deviation);
    for (int64_t i = 0; i < N; i++)
        if (wg_at(y, i) != 0)
            wgt_assert_ulps(wg_at(y, i), 3 / (1 - rate), 1);
}
END_TEST

/* How many of two masks' entries differ. */
static int64_t differ(const wg_tensor *a, const wg_tensor *b)
{
    int64_t count = 0;
    for (int64_t i = 0; i < wg_size(a); i++)
        count += wg_at(a, i) != wg_at(b, i);
    return count;
}

/* Other keys, seeds and steps are other masks; the same three are the same one. */
START_TEST(masks_are_functions)
{
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(N), 1);
    wg_tensor *step = wg_full(t, WG_I64, WG_SHAPE(1), 5),
              *next = wg_full(t, WG_I64, WG_SHAPE(1), 6);
    wg_tensor *y = wg_dropout(x, 0.5, 1, 2, step);
    ck_assert_int_eq(differ(y, wg_dropout(x, 0.5, 1, 2, step)), 0);
    wg_tensor *others[] = {wg_dropout(x, 0.5, 9, 2, step), wg_dropout(x, 0.5, 1, 3, step),
                           wg_dropout(x, 0.5, 1, 2, next)};
    for (int k = 0; k < 3; k++)
        wgt_assert_close((double)differ(y, others[k]), N / 2.0, 0, 5 * sqrt(N / 4.0));
}
END_TEST

START_TEST(step_advances_in_replay)
{
    int64_t first[] = {0}, second[] = {1};
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(N), 1);
    wg_tensor *step = wg_input(t, "step", WG_I64, WG_SCALAR, first);
    wg_tensor *y = wg_dropout(x, 0.5, 1, 2, step);
    wg_tensor *fixed = wg_dropout(x, 0.5, 1, 2, wg_full(t, WG_I64, WG_SCALAR, 0));
    wg_bind(step, second);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_that(differ(y, fixed), >, 0);
    wg_bind(step, first);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_int_eq(differ(y, fixed), 0);
}
END_TEST

START_TEST(dropout_derivatives)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(4, 5), 1);
    wg_tensor *step = wg_full(t, WG_I64, WG_SCALAR, 3);
    wgt_assert_derivatives(wg_square(wg_dropout(x, 0.4, 1, 2, step)), &x, 1);
}
END_TEST

START_TEST(dropped_infinities_are_zero)
{
    wg_tensor *x = wg_full(t, WG_F32, WG_SHAPE(100), HUGE_VAL);
    wgt_assert_that(zeros(wg_dropout(x, 0.5, 1, 2, wg_full(t, WG_I64, WG_SCALAR, 0))), >, 20);
}
END_TEST

/* Rows have mean 0 and variance v/(v + epsilon). */
START_TEST(layer_norm_rows)
{
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 4),
                               ((const double[]){1, 2, 3, 4, 1e8, 1e8, 1e8, 1e8}));
    wg_tensor *gain = wg_constant(t, WG_F64, WG_SHAPE(4), ((const double[]){1, 2, 3, 4}));
    wg_tensor *bias = wg_full(t, WG_F64, WG_SHAPE(4), 7);
    wg_tensor *y = wg_layer_norm(x, NULL, NULL, 0.75), *z = wg_layer_norm(x, gain, bias, 0.75);
    for (int i = 0; i < 4; i++) { /* the variance is 1.25 */
        double want = (i - 1.5) / sqrt(2);
        wgt_assert_close(wg_at(y, i), want, 4 * DBL_EPSILON, 0);
        wgt_assert_close(wg_at(z, i), want * (i + 1) + 7, 4 * DBL_EPSILON, 0);
        wgt_assert_that(wg_at(y, 4 + i), ==, 0);
        wgt_assert_that(wg_at(z, 4 + i), ==, 7);
    }
}
END_TEST

START_TEST(layer_norm_derivatives)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(3, 4), 1);
    wg_tensor *gain = wgt_random_param(t, "gain", WG_SHAPE(4), 2);
    wg_tensor *bias = wgt_random_param(t, "bias", WG_SHAPE(4), 3);
    wgt_assert_derivatives(wg_layer_norm(x, gain, bias, 0.1), (wg_tensor *[]){x, gain, bias}, 3);
}
END_TEST

static void assert_error(wg_mark mark, wg_status code, const char *part)
{
    wgt_assert_status(t, code, part);
    wg_tape_rewind(t, mark);
}

START_TEST(errors)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3, 4));
    wg_tensor *step = wg_full(t, WG_I64, WG_SCALAR, 3);
    wg_mark mark = wg_tape_mark(t);
    wg_dropout(x, 1, 1, 2, step);
    assert_error(mark, WG_E_VALUE, "dropout: the rate is 1");
    wg_dropout(x, 0.5, 1, 2, x);
    assert_error(mark, WG_E_DTYPE, "dropout: a step of i64");
    wg_dropout(x, 0.5, 1, 2, wg_full(t, WG_I64, WG_SHAPE(3), 0));
    assert_error(mark, WG_E_SHAPE, "dropout: a step of one element, or (step, row), wanted");
    wg_layer_norm(x, x, NULL, 1);
    assert_error(mark, WG_E_SHAPE,
                 "layer_norm: the gain must be as long as the last axis: x (3, 4)");
    wg_layer_norm(x, NULL, NULL, 0);
    assert_error(mark, WG_E_VALUE, "layer_norm: epsilon is 0");
    ck_assert(wg_is_inert(wg_dropout(NULL, 0.5, 1, 2, step)));
    ck_assert(wg_is_inert(wg_layer_norm(NULL, x, x, 1)));
    ck_assert_int_eq(wg_tape_status(t), WG_E_NULL);
}
END_TEST

Suite *suite_dropout(void)
{
    Suite *s = suite_create("dropout");
    TCase *c = tcase_create("dropout");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, share_and_scale, 0, 4);
    tcase_add_test(c, masks_are_functions);
    tcase_add_test(c, step_advances_in_replay);
    tcase_add_test(c, dropout_derivatives);
    tcase_add_test(c, dropped_infinities_are_zero);
    tcase_add_test(c, layer_norm_rows);
    tcase_add_test(c, layer_norm_derivatives);
    tcase_add_test(c, errors);
    suite_add_tcase(s, c);
    return s;
}
