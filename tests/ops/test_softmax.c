/* softmax and log_softmax: values, gradients, edges, errors. */
#include <float.h>
#include <math.h>

#include "autograd/derivatives/derivatives.h"
#include "ops/functions.h"
#include "ops/layout.h"
#include "ops/softmax.h"
#include "tests/support/assert.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

/* softmax(log k) is k / sum. */
START_TEST(closed_form)
{
    double z[] = {log(1), log(2), log(5), log(3), log(3), log(2)};
    const double want[] = {1.0 / 8, 2.0 / 8, 5.0 / 8, 3.0 / 8, 3.0 / 8, 2.0 / 8};
    float narrow[6];
    for (int i = 0; i < 6; i++)
        narrow[i] = (float)z[i];
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(2, 3), z);
    wg_tensor *f = wg_constant(t, WG_F32, WG_SHAPE(2, 3), narrow);
    assert_near(wg_softmax(x, -1), 6, want, 4 * DBL_EPSILON);
    assert_near(wg_softmax(f, 1), 6, want, 3 * (double)FLT_EPSILON);
    wg_tensor *columns = wg_softmax(wg_t(x), 0);
    assert_near(wg_t(columns), 6, want, 4 * DBL_EPSILON);
    wg_tensor *logs = wg_log_softmax(wg_reshape(x, WG_SHAPE(2, 3, 1)), 1);
    assert_near(wg_exp(logs), 6, want, 8 * DBL_EPSILON);
}
END_TEST

START_TEST(edges)
{
    const double inf = HUGE_VAL;
    wg_tensor *x = wg_constant(t, WG_F64, WG_SHAPE(7, 3),
                               VALUES(-inf, -inf, -inf, inf, 1, -inf, inf, inf, 0, 1e4, -1e4, 1e4,
                                      1e300, -1e300, 0, 5, nan(""), inf, 0, -inf, 0));
    const double half = 0.5, log2 = log(2);
    assert_near(wg_softmax(x, 1), 21,
                VALUES(0, 0, 0, 1, 0, 0, half, half, 0, half, 0, half, 1, 0, 0, nan(""), nan(""),
                       nan(""), half, 0, half),
                0);
    assert_near(wg_log_softmax(x, 1), 21,
                VALUES(-inf, -inf, -inf, 0, -inf, -inf, -log2, -log2, -inf, -log2, -2e4 - log2,
                       -log2, 0, -2e300, -1e300, nan(""), nan(""), nan(""), -log2, -inf, -log2),
                4 * DBL_EPSILON);
    wg_tensor *sure = wg_constant(t, WG_F64, WG_SHAPE(2), VALUES(0, -100));
    assert_near(wg_log_softmax(sure, 0), 2, VALUES(-exp(-100), -100), 4 * DBL_EPSILON);
}
END_TEST

START_TEST(empty_and_tiny)
{
    wg_tensor *none = wg_constant(t, WG_F64, WG_SHAPE(0, 3), NULL);
    wg_tensor *no_class = wg_constant(t, WG_F64, WG_SHAPE(3, 0), NULL);
    ck_assert_int_eq(wg_size(wg_softmax(none, 1)), 0);
    ck_assert_int_eq(wg_size(wg_log_softmax(no_class, 1)), 0);
    wg_tensor *one = wg_constant(t, WG_F64, WG_SHAPE(2, 1), VALUES(3, -7));
    assert_near(wg_softmax(one, 1), 2, VALUES(1, 1), 0);
    assert_near(wg_log_softmax(one, 1), 2, VALUES(0, 0), 0);
}
END_TEST

START_TEST(derivatives)
{
    wg_tensor *x = wgt_random_param(t, "x", WG_SHAPE(2, 3, 4), 5);
    wg_tensor *y = _i < 3 ? wg_softmax(x, _i) : wg_log_softmax(x, _i - 3);
    wgt_assert_derivatives(y, &x, 1);
}
END_TEST

/* One entry is nearly certain: p = 1/(1 + e), q = e/(1 + e), e = exp(-gap), and 1 - p would be
 * 0. */
static const double gaps[] = {1, 30, 40, 300, 700};

static wg_tensor *certain_rows(void)
{
    double z[2 * sizeof gaps / sizeof *gaps];
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        z[2 * i] = gaps[i] - 3;
        z[2 * i + 1] = -3;
    }
    return wgt_param(t, "z", WG_SHAPE(sizeof gaps / sizeof *gaps, 2), z);
}

/* Of softmax and log_softmax, and the JVP of the latter: what is nearly nothing keeps its
 * digits. */
START_TEST(certain_rows_keep_their_tails)
{
    wg_tensor *z = certain_rows(), *g, *s, *j;
    wg_tensor *first = wg_constant(t, WG_F64, WG_SHAPE(1, 2), VALUES(1, 0));
    first = wg_broadcast_to(first, 2, z->shape.dim);
    wg_vjp(wg_softmax(z, 1), first, &z, 1, &s);
    wg_vjp(wg_log_softmax(z, 1), first, &z, 1, &g);
    j = wg_jvp(wg_log_softmax(z, 1), &z, &first, 1);
    for (int i = 0; i < (int)(sizeof gaps / sizeof *gaps); i++) {
        const double e = exp(-gaps[i]), q = e / (1 + e), p = 1 / (1 + e);
        wgt_assert_close(wg_at(s, 2 * i), p * q, 1e-14, 0);
        wgt_assert_close(wg_at(s, 2 * i + 1), -p * q, 1e-14, 0);
        wgt_assert_close(wg_at(g, 2 * i), q, 1e-14, 0);
        wgt_assert_close(wg_at(g, 2 * i + 1), -q, 1e-14, 0);
        wgt_assert_close(wg_at(j, 2 * i), q, 1e-14, 0);
        wgt_assert_close(wg_at(j, 2 * i + 1), -p, 1e-14, 0);
    }
}
END_TEST

START_TEST(errors)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2, 3));
    wg_mark mark = wg_tape_mark(t);
    wg_softmax(x, 2);
    wgt_assert_status(t, WG_E_VALUE, "softmax: there is no axis 2: x (2, 3)");
    wg_tape_rewind(t, mark);
    wg_log_softmax(wg_scalar(t, WG_F64, 1), -1);
    wgt_assert_status(t, WG_E_VALUE, "log_softmax: there is no axis -1");
    wg_tape_rewind(t, mark);
    wg_softmax(wg_full(t, WG_I64, WG_SHAPE(2), 1), 0);
    wgt_assert_status(t, WG_E_DTYPE, "softmax: f32 or f64 wanted");
    ck_assert(wg_is_inert(wg_softmax(NULL, 0)));
}
END_TEST

Suite *suite_softmax(void)
{
    Suite *s = suite_create("softmax");
    TCase *c = tcase_create("softmax");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, closed_form);
    tcase_add_test(c, edges);
    tcase_add_test(c, empty_and_tiny);
    tcase_add_loop_test(c, derivatives, 0, 6);
    tcase_add_test(c, certain_rows_keep_their_tails);
    tcase_add_test(c, errors);
    suite_add_tcase(s, c);
    return s;
}
