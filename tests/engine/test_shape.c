/* Shapes: sizes with overflow, broadcasting, text. */
#include "autograd/shape.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <string.h>

/* A shape from WG_SHAPE(...) or WG_SCALAR. */
static wg_shape shape_of(int ndim, const int64_t *dim)
{
    wg_shape shape = {.ndim = ndim};
    for (int i = 0; i < ndim; i++)
        shape.dim[i] = dim[i];
    return shape;
}

static int64_t size_of(int ndim, const int64_t *dim)
{
    const wg_shape shape = shape_of(ndim, dim);
    return wg_shape_size(&shape);
}

START_TEST(test_dtypes)
{
    ck_assert_uint_eq(wg_dtype_size(WG_F32), 4);
    ck_assert_uint_eq(wg_dtype_size(WG_F64), 8);
    ck_assert_uint_eq(wg_dtype_size(WG_I64), 8);
    ck_assert_str_eq(wg_dtype_name(WG_F32), "f32");
    ck_assert_str_eq(wg_dtype_name(WG_F64), "f64");
    ck_assert_str_eq(wg_dtype_name(WG_I64), "i64");
    ck_assert_str_eq(wg_dtype_name(WG_WIDE), "wide");
    ck_assert_str_eq(wg_dtype_name((wg_dtype)7), "?");
}
END_TEST

START_TEST(test_checked_arithmetic)
{
    int64_t result;
    ck_assert(wg_size_multiply(INT64_C(1) << 31, INT64_C(1) << 31, &result));
    ck_assert_int_eq(result, INT64_C(1) << 62);
    ck_assert(!wg_size_multiply(INT64_C(1) << 32, INT64_C(1) << 31, &result));
    ck_assert(wg_size_add(INT64_MAX - 1, 1, &result));
    ck_assert_int_eq(result, INT64_MAX);
    ck_assert(!wg_size_add(INT64_MAX, 1, &result));
}
END_TEST

START_TEST(test_size)
{
    ck_assert_int_eq(size_of(WG_SCALAR), 1);
    ck_assert_int_eq(size_of(WG_SHAPE(5)), 5);
    ck_assert_int_eq(size_of(WG_SHAPE(2, 3, 4, 1, 1, 1, 1, 2)), 48);
    ck_assert_int_eq(size_of(WG_SHAPE(3, 0, 5)), 0);
}
END_TEST

START_TEST(test_size_refused)
{
    const int64_t big = INT64_C(1) << 62;
    ck_assert_int_eq(size_of(WG_SHAPE(-1)), -1);
    ck_assert_int_eq(size_of(WG_SHAPE(0, -1)), -1);
    ck_assert_int_eq(size_of(WG_SHAPE(INT64_MIN)), -1);
    ck_assert_int_eq(size_of(WG_SHAPE(big, 4)), -1);
    ck_assert_int_eq(size_of(WG_SHAPE(0, big, big)), -1); /* the zero hides no overflow */
    const int64_t most = PTRDIFF_MAX / 16; /* 16 bytes each, and pointers still have differences */
    ck_assert_int_eq(size_of(WG_SHAPE(most + 1)), -1);
    ck_assert_int_eq(size_of(WG_SHAPE(most)), most);
}
END_TEST

START_TEST(test_same)
{
    const wg_shape a = shape_of(WG_SHAPE(2, 3)), b = shape_of(WG_SHAPE(2, 3));
    const wg_shape c = shape_of(WG_SHAPE(3, 2)), d = shape_of(WG_SHAPE(2, 3, 1));
    ck_assert(wg_shape_same(&a, &b));
    ck_assert(!wg_shape_same(&a, &c));
    ck_assert(!wg_shape_same(&a, &d));
    wg_shape rest = a;
    rest.dim[5] = 9; /* behind the ndim */
    ck_assert(wg_shape_same(&a, &rest));
}
END_TEST

/* The two broadcast to `want`, in both orders. */
static void broadcasts(wg_shape a, wg_shape b, wg_shape want)
{
    wg_shape got;
    ck_assert(wg_shape_broadcast(&a, &b, &got));
    ck_assert(wg_shape_same(&got, &want));
    ck_assert(wg_shape_broadcast(&b, &a, &got));
    ck_assert(wg_shape_same(&got, &want));
}

START_TEST(test_broadcast)
{
    const wg_shape scalar = shape_of(WG_SCALAR), row = shape_of(WG_SHAPE(3));
    const wg_shape column = shape_of(WG_SHAPE(2, 1)), both = shape_of(WG_SHAPE(2, 3));
    broadcasts(scalar, scalar, scalar);
    broadcasts(scalar, both, both);
    broadcasts(row, column, both);
    broadcasts(both, both, both);
    broadcasts(shape_of(WG_SHAPE(1)), shape_of(WG_SHAPE(0)), shape_of(WG_SHAPE(0)));
    broadcasts(shape_of(WG_SHAPE(4, 1, 3)), column, shape_of(WG_SHAPE(4, 2, 3)));
}
END_TEST

START_TEST(test_broadcast_refused)
{
    const wg_shape a = shape_of(WG_SHAPE(2)), b = shape_of(WG_SHAPE(3));
    const wg_shape none = shape_of(WG_SHAPE(0));
    wg_shape result = shape_of(WG_SHAPE(7));
    ck_assert(!wg_shape_broadcast(&a, &b, &result));
    ck_assert(!wg_shape_broadcast(&none, &b, &result));
    ck_assert_int_eq(result.dim[0], 7); /* untouched */
}
END_TEST

START_TEST(test_broadcast_in_place)
{
    wg_shape a = shape_of(WG_SHAPE(2, 1));
    const wg_shape b = shape_of(WG_SHAPE(5, 1, 3)), want = shape_of(WG_SHAPE(5, 2, 3));
    ck_assert(wg_shape_broadcast(&a, &b, &a));
    ck_assert(wg_shape_same(&a, &want));
}
END_TEST

static const char *text_of(int ndim, const int64_t *dim)
{
    static char text[WG_SHAPE_TEXT];
    const wg_shape shape = shape_of(ndim, dim);
    return wg_shape_text(&shape, text, sizeof text);
}

START_TEST(test_text)
{
    ck_assert_str_eq(text_of(WG_SCALAR), "()");
    ck_assert_str_eq(text_of(WG_SHAPE(5)), "(5,)");
    ck_assert_str_eq(text_of(WG_SHAPE(64, 784)), "(64, 784)");
    const int64_t m = INT64_MIN;
    const char *longest = text_of(WG_SHAPE(m, m, m, m, m, m, m, m));
    ck_assert_uint_eq(strlen(longest), 8 * 20 + 7 * 2 + 2);
}
END_TEST

START_TEST(test_text_cut_off)
{
    const wg_shape shape = shape_of(WG_SHAPE(64, 784));
    char text[6] = "xxxxx";
    ck_assert_str_eq(wg_shape_text(&shape, text, 4), "(64");
    ck_assert_str_eq(text + 4, "x");
    ck_assert_str_eq(wg_shape_text(&shape, text, 1), "");
}
END_TEST

Suite *suite_shape(void)
{
    Suite *suite = suite_create("shape");
    TCase *cases = tcase_create("shape");
    tcase_add_test(cases, test_dtypes);
    tcase_add_test(cases, test_checked_arithmetic);
    tcase_add_test(cases, test_size);
    tcase_add_test(cases, test_size_refused);
    tcase_add_test(cases, test_same);
    tcase_add_test(cases, test_broadcast);
    tcase_add_test(cases, test_broadcast_refused);
    tcase_add_test(cases, test_broadcast_in_place);
    tcase_add_test(cases, test_text);
    tcase_add_test(cases, test_text_cut_off);
    suite_add_tcase(suite, cases);
    return suite;
}
