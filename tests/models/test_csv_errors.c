/* The CSV reader on bad files: what each message says, every truncation, every allocation. */
#include "autograd/tape.h"
#include "models/files/csv.h"
#include "tests/models/csv_text.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const none[] = {NULL}; /* no column of strings: all hold numbers */

/* Bad files: what the message says behind "<path>". */
static const struct {
    const char *text;
    wg_csv_options options;
    wg_status status;
    const char *message;
} bad_files[] = {
    {"", {0}, WG_E_FORMAT, ": the file is empty"},
    {"\xEF\xBB\xBF\n\r\n", {0}, WG_E_FORMAT, ": the file is empty"},
    {"a,b\n", {0}, WG_E_FORMAT, ": a header without rows"},
    {"a,b\n1,2\n", {.separator = '\xA7'}, WG_E_VALUE, ": the separator is not of ASCII"},
    {"a,b,c\n1,2,3\n",
     {.limits.columns = 2},
     WG_E_FORMAT,
     ": 3 columns are more than the limit of 2"},
    {"a,b\nabc,1\n", {.strings = none}, WG_E_FORMAT, ":2: column 1 (a): 'abc' is not a number"},
    {"PAR1x,y\n1,2\n", {0}, WG_E_FORMAT, ": byte 0: is a Parquet file; write it as CSV or NPY"},
    {"\xD0\xCF\x11\xE0,y\n1,2\n", {0}, WG_E_FORMAT, ": byte 0: is an old Excel file; save it as"},
    {"<html>,y\n1,2\n", {0}, WG_E_FORMAT, ": byte 0: is a web page, not a table"},
    {"x,y,x\n1,2,3\n",
     {.drop = (const char *const[]){"x", NULL}},
     WG_E_VALUE,
     ": columns 1 and 3 are both 'x'"},
    {"a,b,c\n1,2,3\n\n1,2x,3\n",
     {0},
     WG_E_FORMAT,
     ":4: column 2 (b): '2x' is not a number, as others are: a missing value"},
    {"a,b,c\n1,-,3\n\n1,2,3\n", {0}, WG_E_FORMAT, ":2: column 2 (b): '-' is not a number, as"},
    {"a,b,c\n1,2,3\n\n1,2x,3\n",
     {.strings = none},
     WG_E_FORMAT,
     ":4: column 2 (b): '2x' is not a number (nor in the list of strings)"},
    {"a,b,c\n1,2,3\n1,2\n", {0}, WG_E_FORMAT, ":3: 2 fields, the first row has 3"},
    {"a,b,c\n1,2,3,4,5\n", {0}, WG_E_FORMAT, ":2: 5 fields, the first row has 3"},
    {"a,b\n\"x\ny\",1\n",
     {.strings = none},
     WG_E_FORMAT,
     ":2: column 1 (a): 'x?y' is not a number"},
    {"a,b\n\"1\n\",1\nz,1\n",
     {.strings = none},
     WG_E_FORMAT,
     ":2: column 1 (a): '1?' is not a number"},
    {"a,b\n1,\"2\n3,4\n", {0}, WG_E_FORMAT, ":2: the quote that opens here is never closed"},
    {"a,b\n1,\"2\"\"\n", {0}, WG_E_FORMAT, ":2: the quote that opens here is never closed"},
    {"a,b\n1,\"2\"x\n", {0}, WG_E_FORMAT, ":2: text behind a closing quote"},
    {"a,b\n1,\"\n\n2\" x\n", {0}, WG_E_FORMAT, ":4: text behind a closing quote"},
    {"a,b\r\n1,2\"\r\n", {0}, WG_E_FORMAT, ":2: a quote inside a field without quotes"},
    {"a,b\r\n1,1\r\n,2\r\n", {0}, WG_E_FORMAT, ":3: column 1 (a): '' is a missing value"},
    {"a,b\r1,1\r1,NA\r", {0}, WG_E_FORMAT, ":3: column 2 (b): 'NA' is a missing label"},
    {"a,b\n1,?\n",
     {.missing = WG_CSV_MISSING_KEEP},
     WG_E_FORMAT,
     ":2: column 2 (b): '?' is a missing label"},
    {"a,b\n?,1\n1,?\n",
     {.missing = WG_CSV_MISSING_DROP},
     WG_E_FORMAT,
     ": every row has a missing value"},
    {"a,b\n?,1\nx,?\n",
     {.missing = WG_CSV_MISSING_DROP, .strings = none},
     WG_E_FORMAT,
     ":3: column 1 (a): 'x' is not a number"},
    {"a,b\n1e999,1\n", {0}, WG_E_FORMAT, ":2: column 1 (a): '1e999' is too large for f64"},
    {"a,b\n1e39,1\n", {.f32 = true}, WG_E_FORMAT, ":2: column 1 (a): '1e39' is too large for f32"},
    {"a,b\n1,1e39\n", {.f32 = true}, WG_E_FORMAT, ":2: column 2 (b): '1e39' is too large for f32"},
    {"a,b\n-inf,1\n", {0}, WG_E_FORMAT, ":2: column 1 (a): '-inf' is not finite"},
    {"a,b\n1,2\n", {.columns = (const char *const[]){"c", NULL}}, WG_E_VALUE, ": no column is 'c'"},
    {"a,b\n1,2\n",
     {.drop = (const char *const[]){"b", NULL}},
     WG_E_VALUE,
     ": column 'b' is the label, and in option drop"},
    {"a b\n\"1\"\n", {0}, WG_E_FORMAT, ": one column"},
    {"a;b\n1;2\n", {.separator = ','}, WG_E_FORMAT, ": one column"},
    {"a,b\n1,2\n", {.separator = '"'}, WG_E_VALUE, ": the separator is"},
    {"a,b\n1,2\n", {.separator = '\n'}, WG_E_VALUE, ": the separator is"},
    {"a,b\n1,2\n", {.separator = '.'}, WG_E_VALUE, ": the separator is"},
    {"a,b\n1,2\n", {.label_column = 3}, WG_E_VALUE, ": label column 3 of 2 columns"},
    {"a,b\n1,2\n", {.label_column = -3}, WG_E_VALUE, ": label column -3 of 2 columns"},
    {"a,b\n1,2\n", {.label_column = INT64_MIN}, WG_E_VALUE, ": label column"},
    {"a,b\n1,2\n", {.label = "c"}, WG_E_VALUE, ": no column is 'c'"},
    {"a,b,a\n1,2,3\n", {.label = "a"}, WG_E_VALUE, ": columns 1 and 3 are both 'a'"},
};

/* Everything that the table of a failed reader gives is inert. */
static void expect_inert(const wg_table *table)
{
    ck_assert_ptr_nonnull(table);
    ck_assert_double_nan(wg_item(wg_table_features(table)));
    ck_assert_double_nan(wg_item(wg_table_labels(table)));
    ck_assert_int_eq(wg_size(wg_table_classes(table)), 0);
    ck_assert_int_eq(table->rows, 0);
    ck_assert_int_eq(table->columns, 0);
    ck_assert_int_eq(table->class_count, 0);
    ck_assert_ptr_null(table->class_names[0]);
    ck_assert_ptr_null(table->column_names[0]);
    ck_assert_str_eq(table->label_name, "");
}

START_TEST(test_bad_file)
{
    const wg_mark mark = wg_tape_mark(tape);
    expect_inert(read_text(bad_files[_i].text, &bad_files[_i].options));
    char want[256];
    snprintf(want, sizeof want, "%s%s", path, bad_files[_i].message);
    wgt_assert_status(tape, bad_files[_i].status, want);
    expect_inert(read_text("a,b\n1,2\n", NULL)); /* the first error stays ... */
    wgt_assert_status(tape, bad_files[_i].status, want);
    wg_tape_rewind(tape, mark); /* ... until the tape is rewound */
    ck_assert_int_eq(read_text("a,b\n1,2\n", NULL)->rows, 1);
}
END_TEST

START_TEST(test_nul_byte)
{
    wgt_file_put(path, "a,b\n1,2\n\0,3\n", 12);
    expect_inert(wg_csv_read(tape, path, NULL));
    wgt_assert_status(tape, WG_E_FORMAT, ":3: a NUL byte");
}
END_TEST

START_TEST(test_long_text_is_cut)
{
    char text[400] = "a,b\n";
    memset(text + 4, 'z', 300);
    strcpy(text + 304, ",1\n");
    expect_inert(read_text(text, &(wg_csv_options){.strings = none}));
    wgt_assert_status(tape, WG_E_FORMAT, "zzz...' is not a number");
}
END_TEST

START_TEST(test_unreadable)
{
    const wg_mark mark = wg_tape_mark(tape);
    expect_inert(wg_csv_read(tape, "/nowhere/at all.csv", NULL));
    wgt_assert_status(tape, WG_E_IO, "/nowhere/at all.csv: ");
    wg_tape_rewind(tape, mark);
    expect_inert(wg_csv_read(tape, ".", NULL));
    wgt_assert_status(tape, WG_E_IO, ".: is a directory");
    wg_tape_rewind(tape, mark);
#if WGT_POSIX
    expect_inert(wg_csv_read(tape, "/dev/null", NULL));
    wgt_assert_status(tape, WG_E_IO, "is a device, not a file");
    wg_tape_rewind(tape, mark);
    unlink(path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_inert(wg_csv_read(tape, path, NULL));
    wgt_assert_status(tape, WG_E_FORMAT, "the file is empty"); /* nobody writes; there is no wait */
    wg_tape_rewind(tape, mark);
#endif
    expect_inert(wg_csv_read(tape, NULL, NULL));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
    expect_inert(wg_csv_read(NULL, path, NULL));
    ck_assert_double_nan(wg_item(wg_table_features(NULL)));
}
END_TEST

/* A file that ends too early gives the rows before its end, the last one perhaps with fewer digits,
 * or an error that names the file. */
START_TEST(test_truncated)
{
    static const char good[] = "\xEF\xBB\xBF\"a\",b b,\"la\"\"bel\"\r\n12,-3.5e1,\"x, y\"\r\n"
                               "\"4\",56,z\r\n\r\n7,8,\"x, y\"";
    const double X[] = {12, -35, 4, 56, 7, 8};
    int readable = 0;
    for (size_t size = 0; size < sizeof good; size++) {
        const wg_mark mark = wg_tape_mark(tape);
        wgt_file_put(path, good, size);
        const wg_table *table = wg_csv_read(tape, path, NULL);
        if (wg_tape_status(tape) != WG_OK) {
            wgt_assert_status(tape, WG_E_FORMAT, path);
        } else {
            readable++;
            const int64_t rows = table->rows;
            wgt_assert_that(rows, >=, 1);
            wgt_assert_that(rows, <=, 3);
            wgt_assert_that(table->columns, ==, 2);
            wgt_assert_same_bytes(wg_data_f64(wg_table_features(table)), X,
                                  (size_t)rows * 2 * sizeof *X);
        }
        wg_tape_rewind(tape, mark);
    }
    ck_assert_int_gt(readable, 3);
}
END_TEST

/* Whatever call for memory fails, once or from then on: an error, nothing leaked, and a second try
 * that succeeds. */
START_TEST(test_no_memory)
{
    wgt_file_put(path, "a,b,c\n1,2,x\n3,?,y\n5,6,z\n", 24);
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        const wg_mark mark = wg_tape_mark(t);
        const int64_t before = memory.calls;
        const wg_csv_options keep = {.missing = WG_CSV_MISSING_KEEP};
        memory.fail_at = before + fail_at;
        memory.from_then = _i == 1;
        const wg_table *table = wg_csv_read(t, path, &keep);
        const bool failed = memory.failed > 0;
        if (failed) {
            wgt_assert_status(t, WG_E_NOMEM, "");
            expect_inert(table);
            memory.fail_at = 0;
            wg_tape_rewind(t, mark);
            table = wg_csv_read(t, path, &keep);
        }
        ck_assert_int_eq(wg_tape_status(t), WG_OK);
        ck_assert_int_eq(table->rows, 3);
        wgt_assert_that(wg_at(wg_table_features(table), 4), ==, 5);
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (!failed) {
            ck_assert_int_gt(fail_at, 6);
            break;
        }
    }
}
END_TEST

/* Small texts of nasty characters: no crash, and either a table or an error. */
START_TEST(test_random_texts)
{
    static const char characters[] = "\"\",,\n\r1a.-e \n,;\"2";
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
        const wg_csv_options options = {.header = (wg_csv_header)(round % 3),
                                        .missing = (wg_csv_missing)(round % 3),
                                        .no_label = round % 5 == 0};
        const wg_table *table = read_text(text, &options);
        if (wg_tape_status(tape) == WG_OK)
            ck_assert_int_eq(wg_size(wg_table_features(table)), table->rows * table->columns);
        else
            wgt_assert_status(tape, WG_E_FORMAT, path);
        wg_tape_rewind(tape, mark);
    }
}
END_TEST

Suite *suite_csv_errors(void)
{
    Suite *suite = suite_create("csv_errors");
    TCase *cases = tcase_create("csv_errors");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_loop_test(cases, test_bad_file, 0, (int)(sizeof bad_files / sizeof *bad_files));
    tcase_add_test(cases, test_nul_byte);
    tcase_add_test(cases, test_long_text_is_cut);
    tcase_add_test(cases, test_unreadable);
    tcase_add_test(cases, test_truncated);
    tcase_add_loop_test(cases, test_no_memory, 0, 2);
    tcase_add_test(cases, test_random_texts);
    suite_add_tcase(suite, cases);
    return suite;
}
