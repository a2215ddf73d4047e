/* Archives: the map, and what is written of it. */
#include "autograd/op.h"
#include "tests/models/archive_bytes.h"
#include "tests/support/suites.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The map. -------------------------------------------------------------------------------- */

START_TEST(test_archive)
{
    wg_archive *a = wg_archive_new(tape);
    char name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "t%d", i);
        wg_archive_put_tensor(a, name, wg_scalar(tape, WG_F64, i));
        wg_archive_put_real(a, name, i / 7.0);
    }
    wg_archive_put_integer(a, "least", INT64_MIN);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_int_eq(wg_archive_count(a), 101);
    for (int i = 0; i < 50; i++) {
        double real;
        snprintf(name, sizeof name, "t%d", i);
        wgt_assert_that(wg_item(wg_archive_tensor(a, name)), ==, i);
        ck_assert(wg_archive_real(a, "test", name, 0, 8, &real));
        wgt_assert_same_bits(real, i / 7.0);
    }
    int64_t integer = 0;
    ck_assert(wg_archive_integer(a, "test", "least", INT64_MIN, 0, &integer));
    wgt_assert_that(integer, ==, INT64_MIN);
    ck_assert_ptr_null(wg_archive_string(a, "t50"));
    ck_assert_ptr_null(wg_archive_tensor(NULL, "t50"));
}
END_TEST

START_TEST(test_archive_errors)
{
    static const char *const wrong[] = {
        "",   "-", "1.5", " 1", "9223372036854775808", "abc", "11", "-9223372036854775809",
        "+1", "1 "};
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_string(a, "name", "text");
    wg_mark mark = wg_tape_mark(tape);
    int64_t integer;
    double real;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wg_archive *one = wg_archive_new(tape);
        wg_archive_put_string(one, "n", wrong[i]);
        ck_assert(!wg_archive_integer(one, "test", "n", 0, 10, &integer));
        expect_error(mark, WG_E_FORMAT, "test: 'n' is no number, or out of its range: '");
    }
    ck_assert(!wg_archive_real(a, "test", "name", 0, 1, &real));
    expect_error(mark, WG_E_FORMAT, "'text'");
    ck_assert(!wg_archive_real(a, "test", "other", 0, 1, &real));
    expect_error(mark, WG_E_FORMAT, "test: 'other' is missing");
    wg_archive_put_string(a, "name", "again");
    expect_error(mark, WG_E_VALUE, "archive: there is a 'name' already");
    wg_archive_put_string(a, "null", NULL);
    expect_error(mark, WG_E_NULL, "archive: ");
    wg_archive_put_tensor(a, "null", NULL);
    expect_error(mark, WG_E_NULL, "archive: ");
    wg_tape *other = wg_tape_new(NULL);
    wg_archive_put_tensor(a, "far", wg_scalar(other, WG_F64, 1));
    expect_error(mark, WG_E_TAPE, "archive: 'far' is of another tape");
    wg_tape_free(other);
    ck_assert_int_eq(wg_archive_put_string(NULL, "a", "b"), WG_E_NULL);
}
END_TEST

/* ---- Writing. -------------------------------------------------------------------------------- */

static wg_status write_model(void)
{
    const float weight[] = {0.5f, 0.25f, 0.125f, 3, -HUGE_VALF, -0.0f}, bias[] = {1, -2};
    const int64_t steps = -2;
    wg_tensor *w = wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(2, 3));
    wg_tensor *b = wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2));
    wg_write(w, weight, sizeof weight);
    wg_write(b, bias, sizeof bias);
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, NULL, w);
    wg_archive_put_tensor(a, NULL, b);
    wg_archive_put_tensor(a, "steps", wg_constant(tape, WG_I64, WG_SCALAR, &steps));
    wg_archive_put_string(a, "format", "pt");
    return wg_archive_save(a, path);
}

/* The same content is the same bytes as those of the format's own writer. */
START_TEST(test_written_bytes)
{
    size_t size;
    const size_t want = make_torch();
    ck_assert_int_eq(write_model(), WG_OK);
    char *got = wgt_file_get(path, &size);
    ck_assert_uint_eq(size, want);
    wgt_assert_same_bytes(got, bytes, want);
    free(got);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}
END_TEST

/* What a program that knows the format's description alone finds in the file. */
START_TEST(test_independent_decoder)
{
    char command[300], got[1000] = "";
    const double x[] = {0.1, -1e300};
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, "z", wg_constant(tape, WG_F64, WG_SHAPE(2, 1), x));
    wg_archive_put_tensor(a, "a \"\\\n\xC3\xA9", wg_full(tape, WG_F32, WG_SHAPE(2), 1.5));
    wg_archive_put_tensor(a, "n", wg_full(tape, WG_I64, WG_SHAPE(3), -7));
    wg_archive_put_tensor(a, "empty", wg_full(tape, WG_F64, WG_SHAPE(0, 4), 0));
    wg_archive_put_string(a, "k2", "\t\x01 {\"a\": 1}");
    wg_archive_put_string(a, "k1", "\xF0\x9F\x98\x80");
    if (system("python3 -c '' 2> /dev/null") != 0)
        return; /* the bytes are tested above, with or without Python */
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    snprintf(command, sizeof command,
             "PYTHONIOENCODING=utf-8 python3 -B tests/decode_safetensors.py %s", path);
    FILE *output = popen(command, "r");
    ck_assert_ptr_nonnull(output);
    const size_t length = fread(got, 1, sizeof got - 1, output);
    got[length] = '\0';
    ck_assert_int_eq(pclose(output), 0);
    ck_assert_str_eq(got, "text k1 = \xF0\x9F\x98\x80\n"
                          "text k2 = \t\x01 {\"a\": 1}\n"
                          "n I64 (3,) -7 -7 -7\n"
                          "empty F64 (0, 4)\n"
                          "z F64 (2, 1) 0.10000000000000001 -1.0000000000000001e+300\n"
                          "a \"\\\n\xC3\xA9 F32 (2,) 1.5 1.5\n");
    const wg_archive *again = load();
    ck_assert_int_eq(wg_archive_count(again), 6);
    ck_assert_ptr_nonnull(wg_archive_tensor(again, "a \"\\\n\xC3\xA9"));
    ck_assert_str_eq(wg_archive_string(again, "k2"), wg_archive_string(a, "k2"));
    ck_assert_str_eq(wg_archive_string(again, "k1"), wg_archive_string(a, "k1"));
}
END_TEST

/* Any bits, sizes around those of the buffers, many tensors. */
START_TEST(test_round_trip)
{
    enum { MANY = 40 };
    static double values[5000];
    wg_archive *a = wg_archive_new(tape);
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 5000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&values[i], &bits, sizeof bits);
    }
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i * 7 % MANY);
        wg_archive_put_tensor(a, name,
                              wg_constant(tape, (wg_dtype)(WG_F32 + i % 3),
                                          WG_SHAPE(i % 4 == 0 ? 1000 + i : i, i % 5 == 0 ? 1 : 2),
                                          values));
    }
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    const wg_archive *again = load();
    ck_assert_int_eq(wg_archive_count(again), MANY);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        const wg_tensor *x = wg_archive_tensor(again, e->name), *y = e->tensor;
        wgt_assert_that(x->dtype, ==, y->dtype);
        ck_assert(wg_shape_same(&x->shape, &y->shape));
        wgt_assert_same_bytes(x->data, y->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
    ck_assert_int_eq(wg_archive_save(wg_archive_new(tape), path), WG_OK);
    ck_assert_int_eq(wg_archive_count(load()), 0);
}
END_TEST

/* 100,000 entries, put in no order, are written and read in time that is linear but for a
 * logarithm. */
START_TEST(test_many)
{
    enum { MANY = 100000 };
    char name[32];
    wg_archive *a = wg_archive_new(tape);
    const double start = cpu_seconds();
    for (int64_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "entry %" PRId64, i * 61673 % MANY);
        if (i % 2 == 0)
            wg_archive_put_integer(a, name, i);
        else
            wg_archive_put_tensor(a, name, wg_scalar(tape, WG_F64, (double)i));
    }
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    const wg_archive *again = load();
    int64_t value;
    for (int64_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "entry %" PRId64, i * 61673 % MANY);
        if (i % 2 == 0)
            ck_assert(wg_archive_integer(again, "test", name, i, i, &value));
        else
            wgt_assert_that(wg_item(wg_archive_tensor(again, name)), ==, (double)i);
    }
    double seconds = cpu_seconds() - start;
    ck_assert_int_eq(wg_archive_count(again), MANY);
    const wg_archive_entry *e = wg_archive_first(again);
    for (; e->next != NULL; e = e->next)
        ck_assert_int_lt(strcmp(e->name, e->next->name), 0);
    ck_assert_msg(seconds < most_seconds(), "%g s", seconds);
}
END_TEST

static void check_not_saved(wg_archive *a, wg_status code, const char *part)
{
    size_t size;
    wgt_file_put(path, "old", 3);
    ck_assert_int_eq(wg_archive_save(a, path), code);
    wgt_assert_status(tape, code, part);
    char *kept = wgt_file_get(path, &size);
    ck_assert_str_eq(kept, "old");
    free(kept);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}

/* What may be put, but not be saved. */
START_TEST(test_not_saved)
{
    wg_tensor *x = wg_scalar(tape, WG_F64, 1), *w = wgt_scalar_param(tape, "w", 2);
    const struct {
        const char *name, *string;
        wg_tensor *tensor;
        wg_status code;
        const char *part;
    } wrong[] = {
        {"\xC3", NULL, x, WG_E_VALUE, "'\xC3' is not UTF-8"},
        {"__metadata__", NULL, x, WG_E_VALUE, "'__metadata__' is no name for a tensor"},
        {"b", NULL, wg_abstract(tape, WG_F64, WG_SCALAR), WG_E_VALUE, "has no value"},
        {"\xC3", "v", NULL, WG_E_VALUE, "is not UTF-8"},
        {"k", "\xED\xA0\x80", NULL, WG_E_VALUE, "is not UTF-8"},
        {"y", NULL, wgt_cube(w), WG_E_STALE, "replay first"},
    };
    wg_write(w, &(double){3}, sizeof(double));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_archive *a = wg_archive_new(tape);
        wg_archive_put_tensor(a, "a", x);
        if (wrong[i].string != NULL)
            wg_archive_put_string(a, wrong[i].name, wrong[i].string);
        else
            wg_archive_put_tensor(a, wrong[i].name, wrong[i].tensor);
        check_not_saved(a, wrong[i].code, wrong[i].part);
        wg_tape_rewind(tape, mark);
    }
    ck_assert_int_eq(wg_archive_save(NULL, path), WG_E_NULL);
    ck_assert_int_eq(wg_archive_save(wg_archive_new(tape), NULL), WG_E_NULL);
}
END_TEST

/* What a failed load returns, and NULL. */
START_TEST(test_inert)
{
    wg_archive *a = wg_archive_load(tape, "/nowhere");
    for (int i = 0; i < 2; i++, a = NULL) {
        ck_assert_int_eq(wg_archive_count(a), 0);
        ck_assert_ptr_null(wg_archive_first(a));
        ck_assert_ptr_null(wg_archive_tensor(a, "a"));
        ck_assert_ptr_null(wg_archive_string(a, "a"));
        ck_assert_ptr_null(wg_archive_tape(a));
        ck_assert_int_eq(wg_archive_put_string(a, "a", "b"), WG_E_NULL);
        ck_assert_int_eq(wg_archive_save(a, path), WG_E_NULL);
    }
}
END_TEST

/* A write that has no memory for its list leaves the file as it was. */
START_TEST(test_write_without_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        size_t size;
        wg_tape *t = wgt_tape(&memory);
        wg_archive *a = wg_archive_new(t);
        wg_archive_put_tensor(a, "x", wg_full(t, WG_F64, WG_SHAPE(3), 1));
        wgt_file_put(path, "old", 3);
        memory.fail_at = memory.calls + fail_at;
        wg_archive_put_string(a, "k", "v");
        const wg_status status = wg_archive_save(a, path);
        ck_assert_int_eq(status, memory.failed > 0 ? WG_E_NOMEM : WG_OK);
        char *kept = wgt_file_get(path, &size);
        ck_assert((strcmp(kept, "old") == 0) == (status != WG_OK));
        free(kept);
        const bool done = memory.failed == 0;
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        ck_assert_int_eq(wgt_file_beside(path), 1);
        if (done)
            break;
    }
}
END_TEST

Suite *suite_archive(void)
{
    Suite *suite = suite_create("archive");
    TCase *cases = tcase_create("archive");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_archive);
    tcase_add_test(cases, test_archive_errors);
    tcase_add_test(cases, test_written_bytes);
    tcase_add_test(cases, test_independent_decoder);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_many);
    tcase_add_test(cases, test_not_saved);
    tcase_add_test(cases, test_inert);
    tcase_add_test(cases, test_write_without_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
