/* The svmlight reader: good files, bad files, every truncation, every allocation. */
#include "autograd/op.h"
#include "models/files/svmlight.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static wg_csr *X;

static wg_table *read_text(const char *text, const wg_svmlight_options *options)
{
    wgt_file_put(path, text, strlen(text));
    return wg_svmlight_read(tape, path, options, &X);
}

static bool read_any(wg_tape *t, const char *from)
{
    wg_csr *features;
    const wg_table *table = wg_svmlight_read(t, from, NULL, &features);
    ck_assert_ptr_nonnull(table);
    ck_assert_ptr_nonnull(features);
    ck_assert_int_eq(features->rows, table->rows);
    wgt_assert_that((features->value == NULL), ==, (table->rows == 0));
    return table->rows > 0;
}

static const char good[] = "# a comment\r\n+1 1:0.5 3:-2e1 # and another\r\n"
                           "\r\n-1\t2:1.25\r\n  -1 # no feature\r\n+1 1:1 4:.5";

START_TEST(test_good)
{
    const double dense[] = {0.5, 0, -20, 0, 0, 1.25, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0.5};
    const double labels[] = {1, 0, 0, 1}, targets[] = {1, -1, -1, 1};
    const int64_t classes[] = {1, 0, 0, 1}, start[] = {0, 2, 3, 3, 5};
    const wg_table *table = read_text(good, NULL);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    wgt_assert_that(X->rows, ==, 4);
    wgt_assert_that(X->columns, ==, 4);
    wgt_assert_that(wg_size(X->value), ==, 5);
    wgt_assert_same_bytes(wg_data_i64(X->start), start, sizeof start);
    wgt_assert_same_bytes(wg_data_f64(wg_csr_dense(X)), dense, sizeof dense);
    ck_assert_int_eq(table->rows, 4);
    ck_assert_int_eq(table->columns, 0);
    wgt_assert_same_bytes(wg_data_f64(wg_table_labels(table)), labels, sizeof labels);
    wgt_assert_same_bytes(wg_data_f64(wg_table_targets(table)), targets, sizeof targets);
    wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), classes, sizeof classes);
    ck_assert_str_eq(table->class_names[0], "-1");
    ck_assert_str_eq(table->class_names[1], "+1");
}
END_TEST

/* Some editors begin a text with a byte order mark. */
START_TEST(test_byte_order_mark)
{
    const wg_table *table = read_text("\xEF\xBB\xBF+1 2:3\n-1 1:4\n", NULL);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    wgt_assert_that(X->rows, ==, 2);
    wgt_assert_that(X->columns, ==, 2);
    ck_assert_str_eq(table->class_names[1], "+1");
}
END_TEST

START_TEST(test_options)
{
    const float values[] = {0.1f, 2};
    read_text("1.5 0:0.1 5:2\n", &(wg_svmlight_options){.zero_based = true, .f32 = true});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    wgt_assert_that(X->rows, ==, 1);
    wgt_assert_that(X->columns, ==, 6);
    wgt_assert_same_bytes(wg_data_f32(X->value), values, sizeof values);
    const wg_table *table = read_text("3 1:1\n4 2:1#x\n5\n", &(wg_svmlight_options){.columns = 7});
    wgt_assert_that(X->rows, ==, 3);
    wgt_assert_that(X->columns, ==, 7);
    ck_assert_int_eq(table->class_count, 3);
    wgt_assert_that(
        wg_item(wg_constant(tape, WG_F64, WG_SHAPE(1), wg_data_f64(wg_table_labels(table)))), ==,
        3);
    wg_svmlight_read(tape, path, NULL, NULL); /* labels alone */
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    read_text("1 1:1\n", &(wg_svmlight_options){.columns = -1});
    wgt_assert_status(tape, WG_E_VALUE, "option columns is negative");
    ck_assert_ptr_null(X->value);
    wgt_assert_that(X->columns, ==, 0);
}
END_TEST

/* A feature number costs nothing but itself. */
START_TEST(test_huge_feature)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    const char *text = "1 9223372036854775807:1\n";
    wgt_file_put(path, text, strlen(text));
    wg_svmlight_read(t, path, &(wg_svmlight_options){.limits.columns = INT64_MAX}, &X);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wgt_assert_that(X->columns, ==, INT64_MAX);
    wgt_assert_that(memory.peak, <, 100000);
    ck_assert(wg_is_inert(wg_csr_dense(X)));
    wg_tape_free(t);
}
END_TEST

static const struct {
    const char *text, *message;
} bad_files[] = {
    {"", ": the file has no line with a label"},
    {"# only\n\n", ": the file has no line with a label"},
    {"1 1:1\n1 qid:3 1:1\n", ":2: 'qid' marks queries of a ranking, which is not read"},
    {"1 2:1 2:3\n", ":1: '2' is a feature that the line has twice"},
    {"1 3:1 2:3\n", ":1: '2' is a feature behind a later one"},
    {"1 0:1\n", ":1: '0' is no feature: they count from 1 (option zero_based)"},
    {"1 1\n", ":1: '1' is not feature:value"},
    {"1 1:\n", ":1: '' is not a number"},
    {"1 :1\n", ":1: '' is not the number of a feature"},
    {"1 1:1:1\n", ":1: '1:1' is not a number"},
    {"1 -1:1\n", ":1: '-1' is not the number of a feature"},
    {"1 1.5:1\n", ":1: '1.5' is not the number of a feature"},
    {"1 a:1\n", ":1: 'a' is not the number of a feature"},
    {"1 1:x\n", ":1: 'x' is not a number"},
    {"1 1:nan\n", ":1: 'nan' is not a number"},
    {"1 1:inf\n", ":1: 'inf' is not finite"},
    {"1 1:1e999\n", ":1: '1e999' is too large for f64"},
    {"1,2 1:1\n", ":1: '1,2' is not a number"},
    {"x 1:1\n", ":1: 'x' is not a number"},
    {"1:1 2:2\n", ":1: '1:1' is not a number"},
    {"\n\n1 99999999999999999999:1\n", ":3: '99999999999999999999' is too large"},
    {"\xEF\xBB\xBF", ": the file has no line with a label"},
    {"\xEF\xBB"
     "1 1:1\n",
     "is not a number"},
    {"BZh91AY", "is a bzip2 file; unpack it first"},
    {"1 1000000000:1\n0 1:1\n",
     ":1: '1000000000' is a feature beyond the limit of 131072 for a file of this size (option "},
    {"0 10000000:1\n1 1:1\n", ":1: '10000000' is a feature beyond the limit"},
};

START_TEST(test_bad_file)
{
    wgt_check_bad(read_any, path, bad_files[_i].text, strlen(bad_files[_i].text), WG_E_FORMAT,
                  bad_files[_i].message);
}
END_TEST

START_TEST(test_limits)
{
    const wg_mark mark = wg_tape_mark(tape);
    read_text("1 3:1\n", &(wg_svmlight_options){.columns = 2});
    wgt_assert_status(tape, WG_E_FORMAT, ":1: '3' is a feature beyond option columns");
    wg_tape_rewind(tape, mark);
    read_text("1 3:1e39\n", &(wg_svmlight_options){.f32 = true});
    wgt_assert_status(tape, WG_E_FORMAT, ":1: '1e39' is too large for f32");
    wg_tape_rewind(tape, mark);
    read_text("1 9223372036854775807:1\n", &(wg_svmlight_options){.zero_based = true});
    wgt_assert_status(tape, WG_E_FORMAT, "is a feature beyond");
    wg_tape_rewind(tape, mark);
    read_text("1 1000000000:1\n0 1:1\n", &(wg_svmlight_options){.limits.columns = 1 << 30});
    wgt_assert_that(X->columns, ==, 1000000000);
    read_text("1 2000000000:1\n0 1:1\n", &(wg_svmlight_options){.columns = 2000000000});
    wgt_assert_that(X->columns, ==, 2000000000);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    read_text("1 1:1\n", &(wg_svmlight_options){.limits.classes = -1});
    wgt_assert_status(tape, WG_E_VALUE, "a limit is negative");
    wgt_check_bad(read_any, path, "1 1:1\n\0", 7, WG_E_FORMAT, ":2: a NUL byte");
}
END_TEST

/* A text that ends too early is a shorter text, perhaps with fewer digits: the lines before its
 * end, or an error that names the file. */
START_TEST(test_truncated)
{
    int readable = 0;
    for (size_t size = 0; size < sizeof good; size++) {
        const wg_mark mark = wg_tape_mark(tape);
        wgt_file_put(path, good, size);
        const wg_table *table = wg_svmlight_read(tape, path, NULL, &X);
        if (wg_tape_status(tape) != WG_OK)
            wgt_assert_status(tape, WG_E_FORMAT, path);
        else
            readable++;
        wgt_assert_that(X->rows, ==, table->rows);
        wgt_assert_that(X->rows, <=, 4);
        wg_tape_rewind(tape, mark);
    }
    ck_assert_int_gt(readable, 20);
}
END_TEST

/* By its look, whatever its name. */
START_TEST(test_recognized)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {{good, true},       {"3\n1 2:1\n", true},   {"-1.5 qid:2 7:1e3 # x\n", true},
                 {"", false},        {"1\n2\n", false},      {"a,b\n1,2\n", false},
                 {"1 2 3\n", false}, {"1 a:2\n", false},     {"x 1:2\n", false},
                 {"1 2:x\n", false}, {"12:30 1:1\n", false}, {"1 :1\n", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wgt_file_put(path, cases[i].text, strlen(cases[i].text));
        ck_assert_msg(wg_svmlight_recognized(path) == cases[i].is, "%s", cases[i].text);
    }
    char text[6000] = "1";
    for (size_t used = 1; used < sizeof text - 20;)
        used += (size_t)sprintf(text + used, " %zu:0.125", used);
    wgt_file_put(path, text, strlen(text));
    ck_assert(wg_svmlight_recognized(path));
    ck_assert_ptr_nonnull(freopen(path, "r", stdin));
    ck_assert(wg_svmlight_recognized("-"));
    ck_assert_int_eq(getchar(), '1'); /* nothing is taken */
    ck_assert(!wg_svmlight_recognized("."));
    ck_assert(!wg_svmlight_recognized(NULL));
}
END_TEST

START_TEST(test_everything_wrong)
{
    wgt_check_memory(read_any, path, good, sizeof good - 1);
    wgt_check_bytes(read_any, path, good, sizeof good - 1);
    wgt_check_unreadable(read_any);
}
END_TEST

/* Small texts of nasty characters: no crash, and either a table or an error. */
START_TEST(test_random_texts)
{
    static const char characters[] = "1112::: #\n\r\t.-e0q";
    uint64_t state = 1;
    for (int round = 0; round < 4000; round++) {
        char text[40];
        const size_t size = 1 + (size_t)round % (sizeof text - 2);
        for (size_t i = 0; i < size; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[i] = characters[(state >> 33) % (sizeof characters - 1)];
        }
        text[size] = '\0';
        const wg_mark mark = wg_tape_mark(tape);
        read_text(text, &(wg_svmlight_options){.zero_based = round % 2 == 0});
        if (wg_tape_status(tape) != WG_OK)
            wgt_assert_status(tape, WG_E_FORMAT, path);
        else
            ck_assert_int_gt(X->rows, 0);
        wg_tape_rewind(tape, mark);
    }
}
END_TEST

/* A file larger than what is read at a time. */
START_TEST(test_windows)
{
    enum { LONG = 60000 };
    char *text = malloc(LONG * 32), *at = text;
    for (int i = 0; i < LONG; i++)
        at += sprintf(at, "%d %d:%d.5 7:1%s", i % 3, i % 5 + 1, i, i % 2 ? "\r\n" : " # 9\n");
    const wg_table *table = read_text(text, NULL);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    wgt_assert_that(X->rows, ==, LONG);
    wgt_assert_that(wg_size(X->value), ==, 2 * LONG);
    for (int i = 0; i < LONG; i++) {
        wgt_assert_that(wg_data_i64(X->column)[2 * i], ==, i % 5);
        wgt_assert_same_bits(wg_at(X->value, 2 * i), i + 0.5);
        wgt_assert_that(wg_data_i64(table->classes)[i], ==, i % 3);
    }
    free(text);
}
END_TEST

Suite *suite_svmlight(void)
{
    Suite *suite = suite_create("svmlight");
    TCase *cases = tcase_create("svmlight");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_good);
    tcase_add_test(cases, test_byte_order_mark);
    tcase_add_test(cases, test_options);
    tcase_add_test(cases, test_huge_feature);
    tcase_add_loop_test(cases, test_bad_file, 0, (int)(sizeof bad_files / sizeof *bad_files));
    tcase_add_test(cases, test_limits);
    tcase_add_test(cases, test_truncated);
    tcase_add_test(cases, test_recognized);
    tcase_add_test(cases, test_everything_wrong);
    tcase_add_test(cases, test_random_texts);
    tcase_add_test(cases, test_windows);
    suite_add_tcase(suite, cases);
    return suite;
}
