/* arange, linspace, eye: NumPy's values, edges, errors. */
#include <math.h>

#include "autograd/tape.h"
#include "ops/constants.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include "tests/ops/on_tape.h" /* last: its t is no global of the others */

static void assert_exact(const wg_tensor *x, wg_dtype dtype, int64_t n, const double *want)
{
    ck_assert_int_eq(wg_dtype_of(x), dtype);
    assert_near(x, n, want, 0);
}

START_TEST(ranges)
{
    assert_exact(wg_arange(t, WG_DTYPE_DEFAULT, 1, 2, 0.25), WG_F64, 4, VALUES(1, 1.25, 1.5, 1.75));
    assert_exact(wg_arange(t, WG_F32, 3, 0, -2), WG_F32, 2, VALUES(3, 1));
    assert_exact(wg_arange(t, WG_I64, -1, 2.5, 1), WG_I64, 4, VALUES(-1, 0, 1, 2));
    assert_exact(wg_arange(t, WG_I64, 2, 2, 1), WG_I64, 0, NULL);
    assert_exact(wg_arange(t, WG_F64, 2, 1, 1), WG_F64, 0, NULL);
    assert_exact(wg_linspace(t, WG_F64, 2, 3, 5), WG_F64, 5, VALUES(2, 2.25, 2.5, 2.75, 3));
    assert_exact(wg_linspace(t, WG_DTYPE_DEFAULT, 5, -1, 3), WG_F64, 3, VALUES(5, 2, -1));
    assert_exact(wg_linspace(t, WG_F32, 7, 9, 1), WG_F32, 1, VALUES(7));
    assert_exact(wg_linspace(t, WG_F64, 7, 9, 0), WG_F64, 0, NULL);
    ck_assert_double_eq(wg_at(wg_linspace(t, WG_F64, 0.1, 0.7, 50), 49), 0.7);
}
END_TEST

START_TEST(identity)
{
    assert_exact(wg_eye(t, WG_F64, 2, 3), WG_F64, 6, VALUES(1, 0, 0, 0, 1, 0));
    assert_exact(wg_eye(t, WG_I64, 2, 1), WG_I64, 2, VALUES(1, 0));
    assert_exact(wg_eye(t, WG_DTYPE_DEFAULT, 0, 3), WG_F64, 0, NULL);
    ck_assert_int_eq(wg_ndim(wg_eye(t, WG_F32, 4, 4)), 2);
}
END_TEST

#define FAILS(call, status, words)                                                                 \
    do {                                                                                           \
        const wg_mark mark = wg_tape_mark(t);                                                      \
        ck_assert_int_eq(wg_size(call), 0);                                                        \
        wgt_assert_status(t, status, words);                                                       \
        wg_tape_rewind(t, mark);                                                                   \
    } while (0)

START_TEST(errors)
{
    FAILS(wg_arange(t, WG_F64, 0, 1, 0), WG_E_VALUE, "arange: finite numbers");
    FAILS(wg_arange(t, WG_F64, 0, HUGE_VAL, 1), WG_E_VALUE, "arange: finite numbers");
    FAILS(wg_arange(t, WG_F64, 0, 1, nan("")), WG_E_VALUE, "arange: finite numbers");
    FAILS(wg_arange(t, WG_I64, 0.5, 3, 1), WG_E_VALUE, "arange: a whole start");
    FAILS(wg_arange(t, WG_I64, 1e19, 1e19 + 8192, 4096), WG_E_VALUE, "arange: numbers of 64 bits");
    FAILS(wg_arange(t, WG_I64, 0, 1e19, 0x1p62), WG_E_VALUE, "arange: numbers of 64 bits");
    FAILS(wg_arange(t, WG_F64, 0, 1e300, 1e-9), WG_E_SHAPE, "arange: ");
    FAILS(wg_arange(t, WG_WIDE, 0, 1, 1), WG_E_DTYPE, "wide");
    FAILS(wg_linspace(t, WG_F64, 0, nan(""), 2), WG_E_VALUE, "linspace: finite");
    FAILS(wg_linspace(t, WG_I64, 0, 1, 2), WG_E_DTYPE, "linspace: f32 or f64");
    FAILS(wg_linspace(t, WG_F64, 0, 1, -1), WG_E_SHAPE, "");
    FAILS(wg_eye(t, WG_F64, -1, 1), WG_E_SHAPE, "");
}
END_TEST

Suite *suite_constants(void)
{
    Suite *s = suite_create("constants");
    TCase *tc = tcase_create("constants");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, ranges);
    tcase_add_test(tc, identity);
    tcase_add_test(tc, errors);
    suite_add_tcase(s, tc);
    return s;
}
