/* The CSV writer: what it writes, and that wg_csv_read gives it back. */
#include "autograd/op.h"
#include "models/files/csv.h"
#include "tests/support/assert.h"
#include "tests/support/comma.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_text(const char *want)
{
    size_t size;
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    char *got = wgt_file_get(path, &size);
    ck_assert_str_eq(got, want);
    free(got);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}

START_TEST(test_written)
{
    const double X[] = {1, 0.1, -0.0, 1e300, HUGE_VAL, (double)NAN};
    const float p[] = {0.1f, 16777216, 1.0f / 3};
    const int64_t k[] = {2, 0, 1};
    const char *const names[] = {"a, b", "say \"x\""}, *const label[] = {" kind"};
    const char *const texts[] = {"plain", "", "line\nbreak"};
    const wg_csv_part parts[] = {
        {.values = wg_constant(tape, WG_F64, WG_SHAPE(3, 2), X), .names = names},
        {.values = wg_constant(tape, WG_F32, WG_SHAPE(3, 1), p)},
        {.values = wg_constant(tape, WG_I64, WG_SHAPE(3), k)},
        {wg_constant(tape, WG_I64, WG_SHAPE(3), k), label, texts, 3},
    };
#if WGT_POSIX
    const locale_t before = uselocale((locale_t)0);
#endif
    ck_assert_int_eq(wg_csv_write(tape, path, parts, 4, NULL), WG_OK);
#if WGT_POSIX
    ck_assert(uselocale((locale_t)0) == before);
#endif
    check_text("\"a, b\",\"say \"\"x\"\"\",x3,x4,\" kind\"\n"
               "1,0.1,0.1,2,\"line\nbreak\"\n"
               "-0,1e+300,16777216,0,plain\n"
               "inf,NaN,0.33333334,1,\"\"\n");
    const wg_csv_write_options options = {.separator = ';', .no_header = true};
    ck_assert_int_eq(wg_csv_write(tape, path, parts + 1, 2, &options), WG_OK);
    check_text("0.1;2\n16777216;0\n0.33333334;1\n");
}
END_TEST

/* Doubles and floats of all sizes come back bit for bit, in a locale that writes a comma, too. */
static void round_trip(void)
{
    enum { N = 2000 };
    static double values[N];
    static float narrow[N];
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < N; i++) {
        do {
            bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
            memcpy(&values[i], &bits, sizeof bits);
            memcpy(&narrow[i], &bits, sizeof *narrow);
        } while (!isfinite(values[i]) || !isfinite(narrow[i]));
        if (i % 5 == 0)
            values[i] = (double)(int64_t)bits / 0x1p40;
    }
    values[0] = 5e-324, values[1] = -0.0, values[2] = 1.7976931348623157e308;
    const wg_csv_part parts[] = {{.values = wg_constant(tape, WG_F64, WG_SHAPE(N), values)},
                                 {.values = wg_constant(tape, WG_F32, WG_SHAPE(N), narrow)}};
    ck_assert_int_eq(wg_csv_write(tape, path, parts, 2, NULL), WG_OK);
    const wg_csv_options bare = {.no_label = true}, f32 = {.label_column = 1};
    const wg_table *table = wg_csv_read(tape, path, &bare);
    for (int64_t i = 0; i < N; i++) {
        wgt_assert_same_bits(wg_at(wg_table_features(table), 2 * i), values[i]);
        wgt_assert_that((float)wg_at(wg_table_features(table), 2 * i + 1), ==, narrow[i]);
    }
    table = wg_csv_read(tape, path, &f32);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
}

START_TEST(test_round_trip)
{
    round_trip();
    if (wgt_comma_begin()) {
        round_trip();
        wgt_comma_end(); /* the caller's locale is as it was */
    }
}
END_TEST

START_TEST(test_table)
{
    static const char text[] =
        "\"a,b\",c,kind\n1,2.5,\"x \"\"y\"\"\"\n3,4,z\n5,6,\"x \"\"y\"\"\"\n";
    wgt_file_put(path, text, sizeof text - 1);
    const wg_table *table = wg_csv_read(tape, path, NULL);
    ck_assert_int_eq(wg_csv_write_table(table, path, NULL), WG_OK);
    check_text("\"a,b\",c,kind\n1,2.5,\"x \"\"y\"\"\"\n3,4,z\n5,6,\"x \"\"y\"\"\"\n");
    table = wg_csv_read(tape, path, NULL);
    ck_assert_int_eq(table->rows, 3);
    ck_assert_int_eq(wg_csv_write_table(NULL, path, NULL), WG_E_NULL);
}
END_TEST

START_TEST(test_table_with_texts)
{
    static const char text[] =
        "size,y,width,colour\nL,1,2,\"light, blue\"\nM,0,3,?\n\"x \",1,4,red\n";
    const char *const texts[] = {"size", "colour", NULL};
    const wg_csv_options keep = {.label = "y", .strings = texts, .missing = WG_CSV_MISSING_KEEP};
    wgt_file_put(path, text, sizeof text - 1);
    const wg_table *table = wg_csv_read(tape, path, &keep);
    int64_t nodes = wg_tape_size(tape);
    ck_assert_int_eq(wg_csv_write_table(table, path, NULL), WG_OK);
    ck_assert_int_eq(wg_tape_size(tape), nodes);
    check_text("width,size,colour,y\n2,L,\"light, blue\",1\n3,M,\"\",0\n4,\"x \",red,1\n");
    const wg_table *again = wg_csv_read(tape, path, &keep);
    for (int i = 0; i < 6; i++)
        ck_assert_str_eq(again->strings[i], table->strings[i]);
    /* texts alone, without a label */
    const char *const both[] = {"a", "b", NULL};
    const wg_csv_options bare = {.no_label = true, .strings = both};
    wgt_file_put(path, "a,b\nx,y\n", 8);
    ck_assert_int_eq(wg_csv_write_table(wg_csv_read(tape, path, &bare), path, NULL), WG_OK);
    check_text("a,b\nx,y\n");
}
END_TEST

/* More labels than can be classes: numbers to predict. */
START_TEST(test_table_of_many_labels)
{
    enum { ROWS = 1500 };
    char *text = malloc(ROWS * 32), *at = text + sprintf(text, "a,y\n");
    for (int i = 0; i < ROWS; i++)
        at += sprintf(at, "%d,%d.5\n", i % 7, 20240000 + i);
    const wg_csv_options o = {.f32 = _i == 1};
    wgt_file_put(path, text, (size_t)(at - text));
    const wg_table *table = wg_csv_read(tape, path, &o);
    wgt_assert_that(table->class_count, >, table->class_limit);
    ck_assert_int_eq(wg_csv_write_table(table, path, NULL), WG_OK);
    check_text(text);
    free(text);
}
END_TEST

/* Blanks and tabs separate fields alike. */
START_TEST(test_blanks)
{
    const char *const texts[] = {"a\tb", "c", "d e"};
    const int64_t k[] = {0, 1, 2};
    const double x[] = {1, 2, 3};
    const wg_csv_part parts[] = {
        {wg_constant(tape, WG_I64, WG_SHAPE(3), k), (const char *const[]){"s"}, texts, 3},
        {.values = wg_constant(tape, WG_F64, WG_SHAPE(3), x)},
        {.values = wg_constant(tape, WG_I64, WG_SHAPE(3), k)}};
    const char separators[] = {' ', '\t', ','};
    for (int i = 0; i < 3; i++) {
        const wg_csv_write_options options = {.separator = separators[i]};
        wg_csv_write(tape, path, parts, 3, &options);
        const wg_table *table = wg_csv_read(tape, path,
                                            &(wg_csv_options){.separator = separators[i]});
        expect_ok(tape);
        for (int j = 0; j < 3; j++)
            ck_assert_str_eq(table->strings[j], texts[j]);
    }
}
END_TEST

/* Tabs before quotes with line ends in them, in a file that is read through more than one window. */
START_TEST(test_blanks_and_quotes)
{
    enum { ROWS = 40000 };
    const wg_csv_options blanks = {.separator = ' ', .header = WG_CSV_HEADER_ABSENT};
    FILE *file = fopen(path, "w");
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d\t\"x\ny%d\"\t%d.5 1\n", i, i % 3, i);
    fclose(file);
    const wg_table *table = wg_csv_read(tape, path, &blanks);
    expect_ok(tape);
    ck_assert_int_eq(table->rows, ROWS);
    ck_assert_int_eq(wg_csv_read(tape, path, NULL)->rows, ROWS);
}
END_TEST

START_TEST(test_refused)
{
    const wg_mark mark = wg_tape_mark(tape);
    const int64_t k[] = {0, 2};
    const char *const texts[] = {"a", "b"};
    const wg_tensor *two = wg_full(tape, WG_F64, WG_SHAPE(2), 1);
    const wg_tensor *none = wg_full(tape, WG_F64, WG_SHAPE(WGT_MANY, 0), 1);
    const struct {
        wg_csv_part part[2];
        int n;
        wg_csv_write_options options;
        wg_status code;
        const char *message;
    } bad[] = {
        {{{.values = two}}, 0, {0}, WG_E_VALUE, "no columns"},
        {{{.values = none}}, 1, {0}, WG_E_VALUE, "no columns"},
        {{{.values = two}}, 1, {.separator = '"'}, WG_E_VALUE, "the separator is"},
        {{{.values = two}}, 1, {.separator = '.'}, WG_E_VALUE, "the separator is"},
        {{{.values = NULL}}, 1, {0}, WG_E_NULL, "a tensor to write is NULL"},
        {{{.values = wg_scalar(tape, WG_F64, 1)}}, 1, {0}, WG_E_SHAPE, "part 1, "},
        {{{.values = two}, {.values = wg_full(tape, WG_F64, WG_SHAPE(3), 1)}},
         2,
         {0},
         WG_E_SHAPE,
         "part 2, "},
        {{{two, NULL, texts, 2}}, 1, {0}, WG_E_DTYPE, "has strings"},
        {{{wg_constant(tape, WG_I64, WG_SHAPE(2), k), NULL, texts, 2}},
         1,
         {0},
         WG_E_INDEX,
         "index"},
    };
    const wg_mark made = wg_tape_mark(tape);
    wgt_file_put(path, "old", 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(wg_csv_write(tape, path, bad[i].part, bad[i].n, &bad[i].options),
                         bad[i].code);
        wgt_assert_status(tape, bad[i].code, bad[i].message);
        wg_tape_rewind(tape, made);
        ck_assert_int_eq(wg_tape_status(tape), WG_OK);
        check_text("old");
    }
    wg_tape_rewind(tape, mark);
}
END_TEST

Suite *suite_csv_write(void)
{
    Suite *suite = suite_create("csv_write");
    TCase *cases = tcase_create("csv_write");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_written);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_table);
    tcase_add_test(cases, test_table_with_texts);
    tcase_add_loop_test(cases, test_table_of_many_labels, 0, 2);
    tcase_add_test(cases, test_blanks);
    tcase_add_test(cases, test_blanks_and_quotes);
    tcase_add_test(cases, test_refused);
    suite_add_tcase(suite, cases);
    return suite;
}
