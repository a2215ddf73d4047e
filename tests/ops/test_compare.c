/* Comparisons, where, cast. */
#include "tests/ops/elementwise.h"
#include "tests/support/suites.h"

static wgt_binary *const relation[] = {wg_equal,      wg_not_equal, wg_less,
                                       wg_less_equal, wg_greater,   wg_greater_equal};

/* One row a pair, one column a relation, in the order above. */
static const struct {
    double a, b;
    int holds[6];
} pairs[] = {
    {1, 1, {1, 0, 0, 1, 0, 1}},       {1, 2, {0, 1, 1, 1, 0, 0}},     {2, 1, {0, 1, 0, 0, 1, 1}},
    {0.0, -0.0, {1, 0, 0, 1, 0, 1}},  {INF, INF, {1, 0, 0, 1, 0, 1}}, {QNAN, 1, {0, 1, 0, 0, 0, 0}},
    {QNAN, QNAN, {0, 1, 0, 0, 0, 0}},
};

START_TEST(relations)
{
    for (int r = 0; r < 6; r++) {
        double d[7];
        float s[3];
        wgt_binary_at(relation[r], pairs[_i].a, pairs[_i].b, d);
        wgt_assert_that(d[0], ==, pairs[_i].holds[r]);
        wgt_assert_that(d[1], ==, 0);
        wgt_assert_that(d[2], ==, 0);
        wgt_binary_f32_at(relation[r], (float)pairs[_i].a, (float)pairs[_i].b, s);
        wgt_assert_that(s[0], ==, (float)pairs[_i].holds[r]);
    }
}
END_TEST

START_TEST(relations_of_integers)
{
    const int64_t a_at[] = {1, INT64_MAX}, b_at[] = {1, INT64_MAX - 1}; /* equal as doubles */
    const int64_t want[6][2] = {{1, 0}, {0, 1}, {0, 0}, {1, 0}, {0, 1}, {1, 1}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = wg_constant(t, WG_I64, WG_SHAPE(2), a_at);
    wg_tensor *b = wg_constant(t, WG_I64, WG_SHAPE(2), b_at);
    for (int r = 0; r < 6; r++)
        wgt_assert_same_bytes(wg_data_i64(relation[r](a, b)), want[r], sizeof want[r]);
    wg_tape_free(t);
}
END_TEST

/* The branch not taken is infinite, and so is the cotangent: neither is multiplied by 0. */
START_TEST(where_selects)
{
    const double c_at[] = {1, 0, QNAN, -0.0}, a_at[] = {1, INF, 3, INF}, b_at[] = {INF, 6, INF, 8};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *c = wg_param(t, "c", WG_F64, WG_SHAPE(4)),
              *a = wg_param(t, "a", WG_F64, WG_SHAPE(4));
    wg_tensor *b = wg_param(t, "b", WG_F64, WG_SHAPE(4)), *x[] = {c, a, b}, *g[3];
    wg_write(c, c_at, sizeof c_at);
    wg_write(a, a_at, sizeof a_at);
    wg_write(b, b_at, sizeof b_at);
    wg_tensor *y = wg_where(c, a, b);
    const double dy_at[] = {INF, 2, INF, 4}, want[] = {1, 6, 3, 8}, none[] = {0, 0, 0, 0};
    const double ga[] = {INF, 0, INF, 0}, gb[] = {0, 2, 0, 4};
    wgt_assert_all_close(wg_data_f64(y), want, 4, 0, 0);
    wg_vjp(y, wg_constant(t, WG_F64, WG_SHAPE(4), dy_at), x, 3, g);
    wgt_assert_all_close(wg_data_f64(g[0]), none, 4, 0, 0);
    wgt_assert_all_close(wg_data_f64(g[1]), ga, 4, 0, 0);
    wgt_assert_all_close(wg_data_f64(g[2]), gb, 4, 0, 0);
    wg_tape_free(t);
}
END_TEST

/* c (2, 1), a (3), b (): all three broadcast, and cotangents return to their shapes. */
START_TEST(where_broadcasts)
{
    const int64_t c_at[] = {1, 0};
    const double a_at[] = {1, 2, 3}, want[] = {1, 2, 3, 0, 0, 0}, ga[] = {1, 1, 1};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *c = wg_constant(t, WG_I64, WG_SHAPE(2, 1), c_at);
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(3)), *b = wg_param(t, "b", WG_F64, WG_SCALAR);
    wg_write(a, a_at, sizeof a_at);
    wg_tensor *y = wg_where(c, a, b), *x[] = {a, b}, *g[2];
    wgt_assert_all_close(wg_data_f64(y), want, 6, 0, 0);
    wg_vjp(y, wg_ones_like(y), x, 2, g);
    wgt_assert_all_close(wg_data_f64(g[0]), ga, 3, 0, 0);
    wgt_assert_that(wg_item(g[1]), ==, 3);
    wg_tape_free(t);
}
END_TEST

/* A condition keeps its truth on the way to another dtype. */
START_TEST(conditions_of_other_dtypes)
{
    const double c_at[] = {1e-300, 0, QNAN, 0.5}, want[] = {1, 0, 1, 1};
    const int64_t ones_at[] = {1, 1, 1, 1}, zeros_at[] = {0, 0, 0, 0}, want_i64[] = {1, 0, 1, 1};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *c = wg_constant(t, WG_F64, WG_SHAPE(4), c_at);
    wg_tensor *one = wg_scalar(t, WG_F32, 1), *zero = wg_scalar(t, WG_F32, 0);
    wg_tensor *y = wg_where(c, one, zero);
    ck_assert_int_eq(wg_dtype_of(y), WG_F32);
    for (int i = 0; i < 4; i++)
        wgt_assert_that(wg_at(y, i), ==, want[i]);
    wg_tensor *ones = wg_constant(t, WG_I64, WG_SHAPE(4), ones_at);
    y = wg_where(c, ones, wg_constant(t, WG_I64, WG_SHAPE(4), zeros_at));
    wgt_assert_same_bytes(wg_data_i64(y), want_i64, sizeof want_i64);
    const wg_mark mark = wg_tape_mark(t);
    wg_where(c, one, wg_scalar(t, WG_F64, 0));
    wgt_assert_status(t, WG_E_DTYPE, "where: ");
    wg_tape_rewind(t, mark);
    wg_where(NULL, one, zero);
    wgt_assert_status(t, WG_E_NULL, "where: ");
    wg_tape_rewind(t, mark);
    wg_where(c, NULL, zero);
    wgt_assert_status(t, WG_E_NULL, "where: ");
    wg_tape_free(t);
}
END_TEST

START_TEST(casts)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_scalar(t, WG_F64, 0.1);
    ck_assert_ptr_eq(wg_cast(x, WG_F64), x);
    wgt_assert_that((float)wg_item(wg_cast(x, WG_F32)), ==, 0.1F);
    wgt_assert_that(wg_item(wg_cast(wg_cast(x, WG_F32), WG_F64)), ==, (double)0.1F);
    wgt_assert_that(wg_item(wg_cast(wg_scalar(t, WG_F64, 1e300), WG_F32)), ==, INF);
    wgt_assert_that(wg_item_i64(wg_cast(wg_scalar(t, WG_F64, -2.75), WG_I64)), ==, -2);
    wgt_assert_that(wg_item_i64(wg_cast(wg_scalar(t, WG_F32, 2.75), WG_I64)), ==, 2);
    wgt_assert_that(wg_item_i64(wg_cast(wg_scalar(t, WG_F64, -0x1p63), WG_I64)), ==, INT64_MIN);
    wgt_assert_that(wg_item(wg_cast(wg_cast(wg_scalar(t, WG_F64, 7), WG_I64), WG_F32)), ==, 7);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* The cotangent goes back in the operand's dtype; through an i64 none goes. */
START_TEST(cast_derivative)
{
    wg_tape *t = wg_tape_new(NULL);
    const float three = 3;
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SCALAR), *g;
    wg_write(x, &three, sizeof three);
    wg_grad(wg_square(wg_cast(x, WG_F64)), &x, 1, &g);
    wgt_assert_that(wg_dtype_of(g), ==, WG_F32);
    wgt_assert_that(wg_item(g), ==, 6);
    wg_grad(wg_cast(wg_cast(x, WG_I64), WG_F32), &x, 1, &g);
    wgt_assert_that(wg_item(g), ==, 0);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

START_TEST(unfit_casts)
{
    static const double unfit[] = {QNAN, INF, 0x1p63, -0x1.0000000000001p63};
    wg_tape *t = wg_tape_new(NULL);
    const wg_mark mark = wg_tape_mark(t);
    const double values[] = {1, unfit[_i]};
    wg_cast(wg_rename(wg_constant(t, WG_F64, WG_SHAPE(2), values), "x"), WG_I64);
    wgt_assert_status(t, WG_E_VALUE, "cast: element 1 is ");
    wgt_assert_status(t, WG_E_VALUE, "x (2,)");
    wg_tape_rewind(t, mark);
    wg_cast(wg_scalar(t, WG_F64, 1), (wg_dtype)7);
    wgt_assert_status(t, WG_E_DTYPE, "cast: ");
    wg_tape_free(t);
}
END_TEST

Suite *suite_compare(void)
{
    Suite *s = suite_create("compare");
    TCase *c = tcase_create("compare");
    tcase_add_loop_test(c, relations, 0, sizeof pairs / sizeof pairs[0]);
    tcase_add_test(c, relations_of_integers);
    tcase_add_test(c, where_selects);
    tcase_add_test(c, where_broadcasts);
    tcase_add_test(c, conditions_of_other_dtypes);
    tcase_add_test(c, casts);
    tcase_add_test(c, cast_derivative);
    tcase_add_loop_test(c, unfit_casts, 0, 4);
    suite_add_tcase(s, c);
    return s;
}
