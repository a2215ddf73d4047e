/* Leaves: making, reading and writing them, and every mistake one can make. */
#include "autograd/tape_internal.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/sparse.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *t;
static wg_mark start;

static void set_up(void)
{
    t = wgt_tape(NULL);
    start = wg_tape_mark(t);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

/* The condition holds, and computing it leaves this error; then the tape is as it was. */
#define complains(condition, code, part)                                                           \
    do {                                                                                           \
        ck_assert(condition);                                                                      \
        wgt_assert_status(t, code, part);                                                          \
        wg_tape_rewind(t, start);                                                                  \
        ck_assert_int_eq(wg_tape_status(t), WG_OK);                                                \
    } while (0)
#define refused(builder, code, part) complains(wg_is_inert(builder), code, part)

START_TEST(test_param)
{
    char name[] = "weights";
    wg_tensor *w = wg_param(t, name, WG_F32, WG_SHAPE(3, 2));
    name[0] = '?'; /* it was copied */
    ck_assert_str_eq(w->name, "weights");
    ck_assert_int_eq(wg_ndim(w), 2);
    ck_assert_int_eq(wg_size(w), 6);
    ck_assert_int_eq(wg_dim(w, 0), 3);
    ck_assert_int_eq(wg_dim(w, -1), 2);
    ck_assert_int_eq(wg_dtype_of(w), WG_F32);
    for (int64_t i = 0; i < 6; i++)
        wgt_assert_same_bits(wg_at(w, i), 0);
    wg_tensor *line = wg_param(t, "line", WG_F32, WG_SHAPE(16));
    ck_assert_uint_eq((uintptr_t)wg_data_f32(w) % 8, 0);
    ck_assert_uint_eq((uintptr_t)wg_data_f32(line) % 64,
                      0); /* as all values of a cache line or more */
    ck_assert_ptr_null(wg_param(t, NULL, WG_F64, WG_SCALAR)->name);
    wgt_assert_status(t, WG_OK, "");
}
END_TEST

START_TEST(test_input_borrows_constant_copies)
{
    double values[] = {1, 2};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(2), values);
    wg_tensor *c = wg_constant(t, WG_F64, WG_SHAPE(2), values);
    values[1] = 7;
    ck_assert_ptr_eq(wg_data_f64(x), values);
    wgt_assert_same_bits(wg_at(x, 1), 7);
    wgt_assert_same_bits(wg_at(c, 1), 2);
}
END_TEST

START_TEST(test_full)
{
    wgt_assert_same_bits(wg_at(wg_full(t, WG_F64, WG_SHAPE(3), 0.1), 2), 0.1);
    wgt_assert_same_bits(wg_item(wg_scalar(t, WG_F32, 0.1)), (double)0.1f);
    ck_assert_int_eq(wg_item_i64(wg_scalar(t, WG_I64, -2.9)), -2);
    ck_assert_int_eq(wg_item_i64(wg_scalar(t, WG_I64, -0x1p63)), INT64_MIN);
    ck_assert_double_nan(wg_item(wg_scalar(t, WG_F64, (double)NAN)));
    wgt_assert_status(t, WG_OK, "");
    refused(wg_scalar(t, WG_I64, 0x1p63), WG_E_VALUE, "9.22337e+18");
    refused(wg_scalar(t, WG_I64, (double)NAN), WG_E_VALUE, "nan");
}
END_TEST

START_TEST(test_like)
{
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2, 1));
    wg_tensor *ones = wg_ones_like(x), *zeros = wg_zeros_like(x);
    ck_assert_int_eq(wg_dtype_of(ones), WG_F32);
    ck_assert(wg_shape_same(&ones->shape, &x->shape));
    wgt_assert_same_bits(wg_at(ones, 1), 1);
    wgt_assert_same_bits(wg_at(zeros, 1), 0);
    ck_assert_int_eq(wg_dtype_of(wg_scalar_like(x, 0.5)), WG_F32);
    wgt_assert_same_bits(wg_item(wg_scalar_like(x, 0.5)), 0.5);
    ck_assert(wg_is_inert(wg_scalar_like(NULL, 1)));
    ck_assert(wg_is_inert(wg_ones_like(NULL)));
    refused(wg_zeros_like(&t->inert), WG_E_NULL, "constant");
}
END_TEST

START_TEST(test_empty_leaves)
{
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(0, 3));
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(0), NULL);
    wg_tensor *c = wg_constant(t, WG_I64, WG_SHAPE(2, 0), NULL);
    ck_assert_int_eq(wg_size(w) + wg_size(x) + wg_size(c), 0);
    ck_assert_int_eq(wg_write(w, NULL, 0), WG_OK);
    ck_assert_int_eq(wg_read(x, NULL, 0), WG_OK);
    ck_assert_int_eq(wg_bind(x, NULL), WG_OK);
    ck_assert_int_eq(wg_fill_normal(w, 0, 1, 0), WG_OK);
    ck_assert_ptr_nonnull(wg_data_f64(w));
    complains(isnan(wg_item(w)), WG_E_SHAPE, "item: w (0, 3) has 0 elements");
}
END_TEST

START_TEST(test_bad_shapes)
{
    const int64_t nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, big = INT64_C(1) << 40;
    refused(wg_param(t, "w", WG_F64, 9, nine), WG_E_SHAPE, "parameter w: 9 dimensions");
    refused(wg_input(t, "x", WG_F64, -1, nine, nine), WG_E_SHAPE, "input x: -1 dimensions");
    refused(wg_constant(t, WG_F64, 9, nine, nine), WG_E_SHAPE, "constant: 9 dimensions");
    refused(wg_full(t, WG_F64, WG_SHAPE(3, -2), 0), WG_E_SHAPE,
            "constant: a result of shape (3, -2)");
    refused(wg_param(t, "w", WG_F32, WG_SHAPE(big, big)), WG_E_SHAPE, "parameter w");
    refused(wg_param(t, "w", WG_F32, 2, NULL), WG_E_NULL, "parameter w: the sizes are NULL");
    refused(wg_abstract(t, WG_F32, 2, NULL), WG_E_NULL, "abstract");
    ck_assert_int_eq(wg_size(wg_param(t, "w", WG_F64, 8, nine)), 1);
}
END_TEST

START_TEST(test_bad_dtypes)
{
    refused(wg_param(t, "w", WG_I64, WG_SHAPE(2)), WG_E_DTYPE, "parameter w");
    refused(wg_param(t, "w", (wg_dtype)5, WG_SHAPE(2)), WG_E_DTYPE, "5 is no dtype");
    refused(wg_full(t, (wg_dtype)-1, WG_SHAPE(2), 0), WG_E_DTYPE, "-1 is no dtype");
    refused(wg_param(t, "w", WG_WIDE, WG_SHAPE(2)), WG_E_DTYPE,
            "w: wide floats exist only on copies");
    refused(wg_abstract(t, WG_WIDE, WG_SCALAR), WG_E_DTYPE, "abstract: wide floats");
    refused(wg_cast(wg_scalar(t, WG_F64, 1), WG_WIDE), WG_E_DTYPE, "cast: wide floats");
    wg_csr_new(t, WG_WIDE, 0, 0, (int64_t[]){0}, NULL, NULL);
    refused(&t->inert, WG_E_DTYPE, "csr: wide floats");
}
END_TEST

/* The dtype of zeroed options is f64. */
START_TEST(test_default_dtype)
{
    wg_tensor *w = wg_param(t, "w", WG_DTYPE_DEFAULT, WG_SHAPE(2));
    ck_assert_int_eq(wg_dtype_of(w), WG_F64);
    ck_assert_ptr_eq(wg_cast(w, WG_DTYPE_DEFAULT), w);
    ck_assert_int_eq(wg_dtype_of(wg_cast(wg_cast(w, WG_F32), WG_DTYPE_DEFAULT)), WG_F64);
    ck_assert_int_eq(wg_dtype_of(wg_one_hot(wg_scalar(t, WG_I64, 1), 3, WG_DTYPE_DEFAULT)), WG_F64);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
}
END_TEST

START_TEST(test_missing_data)
{
    refused(wg_input(t, "x", WG_F64, WG_SHAPE(2), NULL), WG_E_NULL, "input x");
    refused(wg_constant(t, WG_F64, WG_SHAPE(2), NULL), WG_E_NULL, "constant");
    ck_assert(wg_is_inert(wg_param(NULL, "w", WG_F64, WG_SCALAR)));
    ck_assert(wg_is_inert(wg_input(NULL, "x", WG_F64, WG_SCALAR, NULL)));
    ck_assert(wg_is_inert(wg_constant(NULL, WG_F64, WG_SCALAR, NULL)));
    ck_assert(wg_is_inert(wg_scalar(NULL, WG_F64, 1)));
    ck_assert(wg_is_inert(wg_abstract(NULL, WG_F64, WG_SCALAR)));
}
END_TEST

START_TEST(test_no_memory_for_values)
{
    wgt_memory memory = {0};
    wg_tape *small = wgt_tape(&memory);
    memory.fail_at = 3; /* the first block of nodes is had, that of the values is not */
    ck_assert(wg_is_inert(wg_param(small, "w", WG_F64, WG_SHAPE(10000))));
    wgt_assert_status(small, WG_E_NOMEM,
                      WGT_ARENA_TINY ? "" : "parameter w: out of memory for 80000 bytes");
    wg_tape_free(small);
}
END_TEST

START_TEST(test_rename)
{
    wg_tensor *x = wg_scalar(t, WG_F64, 1);
    ck_assert_ptr_eq(wg_rename(x, "one"), x);
    ck_assert_str_eq(x->name, "one");
    ck_assert_ptr_eq(wg_rename(x, NULL), x);
    ck_assert(wg_is_inert(wg_rename(NULL, "one")));
}
END_TEST

/* A name given after the mark is dropped with all that is younger, and the former one is back. */
START_TEST(test_rename_then_rewind)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SCALAR), *c = wg_scalar(t, WG_F64, 1);
    const wg_mark mark = wg_tape_mark(t);
    wg_rename(x, "z");
    wg_rename(wg_rename(c, "first"), "second");
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_size(wg_full(t, WG_F64, WG_SHAPE(100), 1e300)), 100); /* where they were */
    ck_assert_str_eq(x->name, "x");
    ck_assert_ptr_null(c->name);
}
END_TEST

START_TEST(test_name_survives_later_mark)
{
    wg_tensor *x = wg_scalar(t, WG_F64, 1);
    wg_rename(x, "kept");
    wg_tape_rewind(t, wg_tape_mark(t));
    ck_assert_str_eq(x->name, "kept");
}
END_TEST

START_TEST(test_reading)
{
    const int64_t k[] = {3, -4};
    wg_tensor *x = wg_constant(t, WG_I64, WG_SHAPE(2), k);
    int64_t copy[2];
    ck_assert_int_eq(wg_read(x, copy, sizeof copy), WG_OK);
    wgt_assert_same_bytes(copy, k, sizeof k);
    wgt_assert_same_bytes(wg_data_i64(x), k, sizeof k);
    wgt_assert_same_bits(wg_at(x, 1), -4);
}
END_TEST

START_TEST(test_reading_mistakes)
{
    float room[2];
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(2));
    start = wg_tape_mark(t);
    complains(isnan(wg_item(x)), WG_E_SHAPE, "item: x (2,) has 2 elements");
    complains(isnan(wg_at(x, 2)), WG_E_INDEX, "at: there is no element 2: x (2,)");
    complains(isnan(wg_at(x, -1)), WG_E_INDEX, "no element -1");
    complains(wg_dim(x, 1) == 0, WG_E_VALUE, "dim: there is no axis 1: x (2,)");
    complains(wg_dim(x, -2) == 0, WG_E_VALUE, "axis -2");
    complains(wg_data_f64(x) == NULL, WG_E_DTYPE, "x (2,) is f32, not f64");
    complains(wg_data_i64(x) == NULL, WG_E_DTYPE, "not i64");
    complains(wg_read(x, room, 4) == WG_E_VALUE, WG_E_VALUE, "read: room for 4 bytes, not 8");
    complains(wg_read(x, NULL, 8) == WG_E_NULL, WG_E_NULL, "read");
    wg_tensor *one = wg_scalar(t, WG_F32, 1);
    complains(wg_item_i64(one) == INT64_MIN, WG_E_DTYPE, "f32, not i64");
}
END_TEST

/* Nothing that reads gives a plausible number. */
static void reads_as_nothing(wg_tensor *x)
{
    double room = 5;
    ck_assert_double_nan(wg_item(x));
    ck_assert_double_nan(wg_at(x, 0));
    ck_assert_int_eq(wg_item_i64(x), INT64_MIN);
    ck_assert_ptr_null(wg_data_f32(x));
    ck_assert_ptr_null(wg_data_f64(x));
    ck_assert_ptr_null(wg_data_i64(x));
    ck_assert_int_ne(wg_read(x, &room, sizeof room), WG_OK);
    wgt_assert_same_bits(room, 5);
}

static void has_no_shape(wg_tensor *x)
{
    ck_assert_int_eq(wg_ndim(x), 0);
    ck_assert_int_eq(wg_size(x), 0);
    ck_assert_int_eq(wg_dim(x, 0), 0);
    ck_assert_ptr_null(wg_edit(x));
    ck_assert_int_ne(wg_write(x, "12345678", 8), WG_OK);
    ck_assert_int_ne(wg_bind(x, "12345678"), WG_OK);
    ck_assert_int_ne(wg_fill_normal(x, 0, 1, 0), WG_OK);
    ck_assert_int_ne(wg_fill_uniform(x, 0, 1, 0), WG_OK);
}

START_TEST(test_inert_reads_as_nothing)
{
    wg_tensor *inert = wg_param(t, "w", WG_F64, WG_SHAPE(-1));
    reads_as_nothing(inert);
    has_no_shape(inert);
    wg_tape_rewind(t, start); /* the tape is well again, the tensor is not */
    reads_as_nothing(inert);
    has_no_shape(inert);
    reads_as_nothing(NULL);
    has_no_shape(NULL);
    reads_as_nothing(wg_scalar(NULL, WG_F64, 1));
    wgt_assert_status(t, WG_OK, "");
}
END_TEST

START_TEST(test_abstract_reads_as_nothing)
{
    reads_as_nothing(wg_abstract(t, WG_F64, WG_SCALAR));
    reads_as_nothing(wg_abstract(t, WG_I64, WG_SCALAR));
    ck_assert_int_eq(wg_dim(wg_abstract(t, WG_F64, WG_SHAPE(4, 2)), 1), 2);
}
END_TEST

START_TEST(test_writing)
{
    const double values[] = {4, 5};
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(2));
    ck_assert_int_eq(wg_write(w, values, sizeof values), WG_OK);
    wgt_assert_same_bytes(wg_data_f64(w), values, sizeof values);
    ((double *)wg_edit(w))[0] = -1;
    wgt_assert_same_bits(wg_at(w, 0), -1);
    ck_assert_int_eq(wg_write(w, wg_data_f64(w), sizeof values), WG_OK); /* onto itself */
}
END_TEST

START_TEST(test_writing_mistakes)
{
    const double values[] = {4, 5};
    wg_tensor *w = wg_param(t, "w", WG_F64, WG_SHAPE(2));
    wg_tensor *c = wg_scalar(t, WG_F64, 1), *s = wgt_sine(w);
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(2), values);
    start = wg_tape_mark(t);
    complains(wg_write(w, values, 8) == WG_E_VALUE, WG_E_VALUE, "parameter w: 8 bytes");
    complains(wg_write(w, NULL, 16) == WG_E_NULL, WG_E_NULL, "parameter w");
    complains(wg_write(c, values, 8) == WG_E_VALUE, WG_E_VALUE, "constant");
    complains(wg_edit(s) == NULL, WG_E_VALUE, "sine: only a parameter can be written");
    complains(wg_edit(x) == NULL, WG_E_VALUE, "input x: only a parameter");
    complains(wg_fill_uniform(x, 0, 1, 2) == WG_E_VALUE, WG_E_VALUE, "input x");
    complains(wg_bind(w, values) == WG_E_VALUE, WG_E_VALUE, "parameter w: only an input");
    complains(wg_bind(x, NULL) == WG_E_NULL, WG_E_NULL, "input x");
    ck_assert_ptr_eq(wg_data_f64(x), values);
    wgt_assert_same_bits(wg_at(w, 0), 0);
}
END_TEST

/* Element i is a function of seed, key and i alone: not of the shape, nor of what was drawn
 * before. */
START_TEST(test_fill)
{
    wg_tensor *a = wg_param(t, "a", WG_F64, WG_SHAPE(100));
    wg_tensor *b = wg_param(t, "b", WG_F32, WG_SHAPE(2, 10));
    wg_fill_normal(a, 1, 2, 5);
    wg_fill_normal(b, 1, 2, 5);
    for (int64_t i = 0; i < 20; i++) {
        const float rounded = (float)wg_at(a, i);
        wgt_assert_same_bits(wg_at(b, i), (double)rounded);
    }
    const double first = wg_at(a, 0);
    wg_fill_uniform(a, -3, -1, 6);
    for (int64_t i = 0; i < 100; i++) {
        wgt_assert_that(wg_at(a, i), >=, -3);
        wgt_assert_that(wg_at(a, i), <, -1);
    }
    wg_fill_normal(a, 1, 2, 5);
    wgt_assert_same_bits(wg_at(a, 0), first);
    wg_tape *other = wg_tape_new(&(wg_tape_options){.seed = 1});
    wg_tensor *c = wg_param(other, "c", WG_F64, WG_SHAPE(100));
    wg_fill_normal(c, 1, 2, 5);
    ck_assert_double_ne(wg_at(c, 0), first);
    wg_tape_free(other);
}
END_TEST

/* The same draws as of a parameter that is filled. */
START_TEST(test_random_constants)
{
    wg_tensor *w = wg_param(t, "w", WG_F32, WG_SHAPE(3, 4));
    const wg_tensor *n = wg_constant_normal(t, WG_F32, WG_SHAPE(3, 4), 1, 2, 7);
    wg_fill_normal(w, 1, 2, 7);
    for (int i = 0; i < 12; i++)
        wgt_assert_that(wg_at(n, i), ==, wg_at(w, i));
    const wg_tensor *u = wg_constant_uniform(t, WG_F64, WG_SHAPE(100), -1, 3, 8);
    for (int i = 0; i < 100; i++)
        ck_assert(wg_at(u, i) >= -1 && wg_at(u, i) < 3);
    ck_assert(wg_is_inert(wg_constant_normal(t, WG_I64, WG_SHAPE(2), 0, 1, 1)));
    wgt_assert_status(t, WG_E_DTYPE, "f32 or f64");
}
END_TEST

Suite *suite_tensor(void)
{
    Suite *suite = suite_create("tensor");
    TCase *making = tcase_create("making");
    tcase_add_checked_fixture(making, set_up, tear_down);
    tcase_add_test(making, test_random_constants);
    tcase_add_test(making, test_param);
    tcase_add_test(making, test_input_borrows_constant_copies);
    tcase_add_test(making, test_full);
    tcase_add_test(making, test_like);
    tcase_add_test(making, test_empty_leaves);
    tcase_add_test(making, test_bad_shapes);
    tcase_add_test(making, test_bad_dtypes);
    tcase_add_test(making, test_default_dtype);
    tcase_add_test(making, test_missing_data);
    tcase_add_test(making, test_no_memory_for_values);
    tcase_add_test(making, test_rename);
    tcase_add_test(making, test_rename_then_rewind);
    tcase_add_test(making, test_name_survives_later_mark);
    suite_add_tcase(suite, making);
    TCase *using = tcase_create("reading and writing");
    tcase_add_checked_fixture(using, set_up, tear_down);
    tcase_add_test(using, test_reading);
    tcase_add_test(using, test_reading_mistakes);
    tcase_add_test(using, test_inert_reads_as_nothing);
    tcase_add_test(using, test_abstract_reads_as_nothing);
    tcase_add_test(using, test_writing);
    tcase_add_test(using, test_writing_mistakes);
    tcase_add_test(using, test_fill);
    suite_add_tcase(suite, using);
    return suite;
}
