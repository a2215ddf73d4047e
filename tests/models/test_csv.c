/* The CSV reader and the table it makes: good files, bad files, every truncation, every
 * allocation. */
#include "autograd/rng.h"
#include "autograd/tape.h"
#include "models/files/bytes_internal.h"
#include "models/files/csv.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static wg_table *read_text(const char *text, const wg_csv_options *options)
{
    wgt_file_put(path, text, strlen(text));
    return wg_csv_read(tape, path, options);
}

/* The table's features and f64 labels are these. */
static void expect(const wg_table *table, int64_t n, int64_t d, const double *X, const double *y)
{
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(table->rows, n);
    ck_assert_int_eq(table->columns, d);
    const wg_tensor *features = wg_table_features(table);
    ck_assert_int_eq(wg_ndim(features), 2);
    wgt_assert_same_bytes(wg_data_f64(features), X, (size_t)(n * d) * sizeof *X);
    if (y == NULL)
        return;
    const wg_tensor *labels = wg_table_labels(table);
    ck_assert_int_eq(wg_ndim(labels), 2);
    ck_assert_int_eq(wg_dim(labels, 1), 1);
    wgt_assert_same_bytes(wg_data_f64(labels), y, (size_t)n * sizeof *y);
}

START_TEST(test_plain)
{
    const double X[] = {1, 2.5, -3e2, 0.1}, y[] = {1, 0};
    const wg_table *table = read_text("a,b,label\n1,2.5,1\n-3e2,.1,0\n", NULL);
    expect(table, 2, 2, X, y);
    ck_assert_str_eq(table->column_names[0], "a");
    ck_assert_str_eq(table->column_names[1], "b");
    ck_assert_ptr_null(table->column_names[2]);
    ck_assert_str_eq(table->label_name, "label");
    ck_assert_int_eq(table->class_count, 2);
    ck_assert_str_eq(table->class_names[0], "0");
    ck_assert_str_eq(table->class_names[1], "1");
    ck_assert_ptr_null(table->class_names[2]);
    const int64_t classes[] = {1, 0};
    wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), classes, sizeof classes);
}
END_TEST

/* All of these are the same table. */
START_TEST(test_same_table)
{
    static const char *const texts[] = {
        "a,b,label\n1,2,1\n3,4,0",
        "a,b,label\r\n1,2,1\r\n3,4,0\r\n",
        "a,b,label\r1,2,1\r3,4,0\r",
        "\357\273\277a,b,label\n1,2,1\n3,4,0\n",
        "\"a\",\"b\",\"label\"\n\"1\",\"2\",\"1\"\n\"3\",\"4\",\"0\"",
        "a,b,label\n\n1,2,1\n\r\n\n3,4,0\n\n\n",
        "a,b,label\n 1\t, 2,1\n3 ,4 ,\t0\n",
        "a,b,label\n1.,+2,1\n3.0,4e0,-0e5\n",
    };
    const double X[] = {1, 2, 3, 4};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const wg_table *table = read_text(texts[i], NULL);
        expect(table, 2, 2, X, NULL);
        wgt_assert_that(wg_at(wg_table_labels(table), 0), ==, 1);
        wgt_assert_that(wg_at(wg_table_labels(table), 1), ==, 0);
        ck_assert_str_eq(table->column_names[0], "a");
    }
}
END_TEST

START_TEST(test_quotes)
{
    const wg_table *table = read_text(
        "\"x \"\"1\"\"\",\"a,b\",kind\n1,2,\"one, or \"\"two\"\"\"\n3,4,\"line\nbreak\"\n"
        "5,6,\"\r\n\"\n7,8,plain\n",
        NULL);
    const double X[] = {1, 2, 3, 4, 5, 6, 7, 8};
    expect(table, 4, 2, X, NULL);
    ck_assert_str_eq(table->column_names[0], "x \"1\"");
    ck_assert_str_eq(table->column_names[1], "a,b");
    ck_assert_int_eq(table->class_count, 4);
    ck_assert_str_eq(table->class_names[0], "\r\n");
    ck_assert_str_eq(table->class_names[1], "line\nbreak");
    ck_assert_str_eq(table->class_names[2], "one, or \"two\"");
    ck_assert_str_eq(table->class_names[3], "plain");
}
END_TEST

START_TEST(test_label_choice)
{
    const char *text = "y,a,b\n1,2,3\n0,5,6\n";
    const double last[] = {1, 2, 0, 5}, first[] = {2, 3, 5, 6}, all[] = {1, 2, 3, 0, 5, 6};
    const double b[] = {0, 1}, y[] = {1, 0}; /* two labels, 3 and 6, are 0 and 1 */
    expect(read_text(text, NULL), 2, 2, last, b);
    expect(read_text(text, &(wg_csv_options){.label_column = -1}), 2, 2, last, b);
    expect(read_text(text, &(wg_csv_options){.label_column = 1}), 2, 2, first, y);
    expect(read_text(text, &(wg_csv_options){.label_column = -3}), 2, 2, first, y);
    const wg_table *named = read_text(text, &(wg_csv_options){.label = "y"});
    expect(named, 2, 2, first, y);
    ck_assert_str_eq(named->label_name, "y");
    ck_assert_str_eq(named->column_names[0], "a");
    ck_assert_str_eq(named->column_names[1], "b");
    const wg_table *bare = read_text(text, &(wg_csv_options){.no_label = true});
    expect(bare, 2, 3, all, NULL);
    ck_assert_str_eq(bare->label_name, "");
    ck_assert_int_eq(bare->class_count, 0);
    ck_assert_double_nan(wg_item(wg_table_labels(bare)));
    wgt_assert_status(tape, WG_E_VALUE, "without a label column");
}
END_TEST

START_TEST(test_header_and_separator)
{
    const double X[] = {1, 2, 4, 5}, y[] = {0, 1};
    const wg_csv_options absent = {.header = WG_CSV_HEADER_ABSENT};
    const wg_table *table = read_text("1,2,3\n4,5,6\n", &absent);
    expect(table, 2, 2, X, y);
    ck_assert_str_eq(table->column_names[1], "x2");
    const wg_csv_options any = {.header = WG_CSV_HEADER_PRESENT, .separator = ';'};
    table = read_text("0;1;2\n1;2;3\n4;5;6\n", &any);
    expect(table, 2, 2, X, y);
    ck_assert_str_eq(table->column_names[1], "1");
    expect(read_text("a\tb\tc\n1\t2\t3\n4\t5\t6\n", &(wg_csv_options){.separator = '\t'}), 2, 2, X,
           y);
}
END_TEST

/* The same table, told from the file alone. */
START_TEST(test_recognized)
{
    static const char *const texts[] = {
        "a;b;c\n1;2;x\n3;4;y\n",
        "a\tb\tc\n1\t2\tx\n3\t4\ty\n",
        "a|b|c\n1|2|x\n3|4|y\n",
        "  a b  c\n1   2 x  \n 3 \t4   y\n",
        "a, b , c\n1, 2, x\n   \n3 ,4, \"y\" \n",
        "\"a\";\"b\";\"c\"\n1;2;\"x\"\n3;4;\"y\"\n",
        "1,2,x\n3,4,y\n",
        " 1, 2, x\n 3, 4, y\n",
    };
    const double X[] = {1, 2, 3, 4}, y[] = {0, 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const wg_table *table = read_text(texts[i], NULL);
        expect(table, 2, 2, X, y);
        ck_assert_str_eq(table->class_names[1], "y");
        ck_assert_str_eq(table->column_names[1], i < 6 ? "b" : "x2");
    }
    expect(read_text("a b c\n1 2 0\n3 4 1\n", &(wg_csv_options){.separator = ' '}), 2, 2, X, y);
}
END_TEST

/* Rows of the first record being a header, for 0, and data. */
START_TEST(test_header_recognized)
{
    static const struct {
        const char *text;
        int64_t rows;
    } cases[] = {{"a,b\nx,p\n", 1},     {"p,p\nx,p\n", 2},      {"1,b\nx,p\nz,p\n", 3},
                 {"a,?\nx,p\n", 2},     {"0,1,b\n2,3,4\n", 1},  {"1,2\n3,4\n", 2},
                 {"5.1,s\n4.9,s\n", 2}, {"a,b\nNA,1\n1,0\n", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const wg_csv_options o = {.missing = WG_CSV_MISSING_KEEP, .no_label = true};
        ck_assert_int_eq(read_text(cases[i].text, &o)->rows, cases[i].rows);
    }
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

#ifdef WGT_POSIX
/* What comes through a pipe, and through the standard input. */
START_TEST(test_pipe)
{
    const double X[] = {1, 2, 3, 4}, y[] = {0, 1};
    const char *text = "a,b,c\n1,2,0\n3,4,1\n";
    int ends[2];
    char name[64];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    expect(wg_csv_read(tape, name, NULL), 2, 2, X, y);
    close(ends[0]);
    wgt_file_put(path, text, strlen(text));
    const int before = dup(STDIN_FILENO), file = open(path, O_RDONLY);
    ck_assert_int_ge(dup2(file, STDIN_FILENO), 0);
    expect(wg_csv_read(tape, "-", NULL), 2, 2, X, y);
    dup2(before, STDIN_FILENO);
    close(before);
    close(file);
}
END_TEST
#endif

START_TEST(test_packed)
{
    wgt_file_put(path, "\x1F\x8B\b\0a,b\n1,2\n", 12);
    wg_csv_read(tape, path, NULL);
    wgt_assert_status(tape, WG_E_FORMAT, "is a gzip file; unpack it first: gunzip -c FILE.gz");
}
END_TEST

START_TEST(test_classes)
{
    /* Numbers in numeric order, where "10" stands behind "9" and "1.0" is "1". */
    const int64_t numeric[] = {2, 1, 0, 1}, bytes[] = {0, 2, 1, 0};
    const wg_table *table = read_text("a,c\n1,10\n1,9\n1,-1\n1,9.0\n", NULL);
    wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), numeric, sizeof numeric);
    ck_assert_int_eq(table->class_count, 3);
    ck_assert_str_eq(table->class_names[1], "9");
    /* One text makes all of them texts: order of bytes, in which "10" stands before "9". */
    table = read_text("a,c\n1,10\n1,x\n1,9\n1,10\n", NULL);
    wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), bytes, sizeof bytes);
    ck_assert_str_eq(table->class_names[0], "10");
    ck_assert_str_eq(table->class_names[2], "x");
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_ptr_null(wg_data_f64(wg_table_labels(table)));
    wgt_assert_status(tape, WG_E_VALUE, "strings of 3 classes");
    wgt_assert_contains(wg_tape_message(tape), "wg_table_classes");
}
END_TEST

/* Ids that are one double are two classes; 1e3 and 1000 are one. */
START_TEST(test_large_labels)
{
    static const char *const files[] = {
        "a,c\n1,9007199254740993\n1,9007199254740992\n1,+09007199254740992\n1,9007199254740993\n",
        ("a,c\n1,-123456789012345678901234568\n1,-123456789012345678901234567\n"
         "1,-123456789012345678901234567\n1,-123456789012345678901234568\n"),
        "a,c\n1,1e3\n1,999\n1,999.0\n1,1000\n"};
    const int64_t classes[] = {1, 0, 0, 1};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const wg_table *table = read_text(files[i], NULL);
        ck_assert_int_eq(table->class_count, 2);
        wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), classes, sizeof classes);
    }
    const wg_table *table = read_text(files[0], &(wg_csv_options){.f32 = true});
    ck_assert_int_eq(table->class_count, 2);
}
END_TEST

/* Two values are two classes, whatever they are; their names stay, and the numbers can be had. */
START_TEST(test_two_values)
{
    static const struct {
        const char *text;
        double value[2];
        const char *name[2];
    } cases[] = {{"a,c\n1,1\n2,-1\n3,1\n", {-1, 1}, {"-1", "1"}},
                 {"a,c\n1,4\n2,2\n3,4\n", {2, 4}, {"2", "4"}},
                 {"a,c\n1,1\n2,0\n3,1\n", {0, 1}, {"0", "1"}}};
    const double X[] = {1, 2, 3}, y[] = {1, 0, 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const wg_table *table = read_text(cases[i].text, NULL);
        expect(table, 3, 1, X, y);
        for (int k = 0; k < 2; k++)
            ck_assert_str_eq(table->class_names[k], cases[i].name[k]);
        for (int64_t k = 0; k < 3; k++)
            wgt_assert_that(wg_at(wg_table_targets(table), k), ==, cases[i].value[k != 1]);
        const int64_t some[] = {1, 0};
        table = wg_table_take(table, wg_constant(tape, WG_I64, WG_SHAPE(2), some));
        wgt_assert_that(wg_at(wg_table_labels(table), 1), ==, 1);
        wgt_assert_that(wg_at(wg_table_targets(table), 1), ==, cases[i].value[1]);
    }
    const double three[] = {1.5, 2, 3.25};
    expect(read_text("a,c\n1,1.5\n2,2\n3,3.25\n", NULL), 3, 1, X, three);
    wg_table_targets(read_text("a,c\n1,x\n2,y\n", NULL));
    wgt_assert_status(tape, WG_E_VALUE, "label column 'c' does not hold numbers alone");
}
END_TEST

START_TEST(test_two_texts)
{
    const double X[] = {1, 2, 3}, y[] = {1, 0, 1};
    const wg_table *table = read_text("a,c\n1,yes\n2,no\n3,yes\n", NULL);
    expect(table, 3, 1, X, y);
    ck_assert_str_eq(table->class_names[1], "yes");
}
END_TEST

START_TEST(test_missing)
{
    const char *text = "a,b,c\n1,NA,0\n,4,1\n5, ? ,1\n7,8,0\n";
    const double dropped[] = {7, 8}, y_dropped[] = {0};
    expect(read_text(text, &(wg_csv_options){.missing = WG_CSV_MISSING_DROP}), 1, 2, dropped,
           y_dropped);
    const wg_tensor *kept = wg_table_features(
        read_text(text, &(wg_csv_options){.missing = WG_CSV_MISSING_KEEP}));
    ck_assert_double_nan(wg_at(kept, 1));
    ck_assert_double_nan(wg_at(kept, 2));
    ck_assert_double_nan(wg_at(kept, 5));
    wgt_assert_that(wg_at(kept, 0), ==, 1);
    wgt_assert_that(wg_at(kept, 7), ==, 8);
    const char *const texts[] = {"-", NULL};
    const wg_csv_options own = {.missing = WG_CSV_MISSING_DROP, .missing_texts = texts};
    expect(read_text("a,b,c\n1,-,0\n7,8,0\n2,3,-\n", &own), 1, 2, dropped, y_dropped);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

START_TEST(test_f32)
{
    const wg_csv_options f32 = {.f32 = true};
    const wg_table *table = read_text("a,b,c\n0.1,1e-50,1\n16777217,3,0\n", &f32);
    const float X[] = {0.1f, 0, 16777216, 3}, y[] = {1, 0};
    wgt_assert_same_bytes(wg_data_f32(wg_table_features(table)), X, sizeof X);
    wgt_assert_same_bytes(wg_data_f32(wg_table_labels(table)), y, sizeof y);
}
END_TEST

/* Doubles of all sizes, written with 17 digits, come back bit for bit; also in a locale that writes
 * a comma for a point, if this machine has one. */
static void round_trip(void)
{
    enum { N = 2000 };
    static double values[2 * N];
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "a,b,c\n");
    char text[2][40];
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 2 * N; i++) {
        do {
            bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
            memcpy(&values[i], &bits, sizeof bits);
        } while (!isfinite(values[i]));
        if (i % 7 == 0)
            values[i] = (double)(int64_t)bits / 0x1p40;
        if (i == 0)
            values[i] = 5e-324;
        if (i == 1)
            values[i] = -0.0;
        snprintf(text[i % 2], sizeof text[0], "%.17g", values[i]);
        char *comma = strchr(text[i % 2], ',');
        if (comma != NULL)
            *comma = '.';
        if (i % 2 == 1)
            fprintf(file, "%s,%s,1\n", text[0], text[1]);
    }
    fclose(file);
    expect(wg_csv_read(tape, path, NULL), N, 2, values, NULL);
}

START_TEST(test_round_trip)
{
    round_trip();
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR"};
    for (size_t i = 0; i < sizeof commas / sizeof *commas; i++) {
        if (setlocale(LC_ALL, commas[i]) == NULL || localeconv()->decimal_point[0] != ',')
            continue; /* musl takes any name, and has one locale */
        round_trip();
        ck_assert_str_eq(localeconv()->decimal_point, ","); /* the caller's locale is as it was */
        setlocale(LC_ALL, "C");
    }
}
END_TEST

START_TEST(test_numbers)
{
    static const char *const bad[] = {"",    " ",      "-",       ".",   "e5",  "1e",
                                      "1e+", "0x10",   "1_0",     "1,0", "--1", "1 2",
                                      "nan", "NAN(1)", "infinit", "in",  "1f",  "\302\2401"};
    double value = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(wg_number_read(bad[i], &value) == WG_NUMBER_NONE, "'%s'", bad[i]);
    ck_assert_int_eq(wg_number_read("-inf", &value), WG_NUMBER_INFINITE);
    ck_assert(isinf(value));
    wgt_assert_that(value, <, 0);
    ck_assert_int_eq(wg_number_read("+Infinity ", &value), WG_NUMBER_INFINITE);
    ck_assert_int_eq(wg_number_read("1e309", &value), WG_NUMBER_TOO_LARGE);
    ck_assert_int_eq(wg_number_read("1e-999", &value), WG_NUMBER_FINITE);
    wgt_assert_same_bits(value, 0);
    /* halfway between 1 and its successor, and a hair above: to even, and up */
    ck_assert_int_eq(wg_number_read("1.00000000000000011102230246251565404", &value),
                     WG_NUMBER_FINITE);
    wgt_assert_same_bits(value, 1);
    wg_number_read("1.00000000000000011102230246251565405", &value);
    wgt_assert_same_bits(value, nextafter(1, 2));
}
END_TEST

/* Whatever is read the short way is what strtod makes of it: digits in plenty, few, and halfway
 * between doubles; exponents from where one operation suffices to where none does. */
START_TEST(test_numbers_are_rounded_correctly)
{
    char text[64];
    for (uint64_t i = 0; i < 60000; i++) {
        const uint64_t random = wg_random_bits(1, 0, i), digits = random >> (i % 64);
        const int exponent = (int)(random % 61) - 40;
        if (i % 3 == 0)
            snprintf(text, sizeof text, "-%" PRIu64 "e%d", digits, exponent);
        else if (i % 3 == 1)
            snprintf(text, sizeof text, "%" PRIu64 ".%019" PRIu64, digits % 1000, random >> 1);
        else /* an odd number of 54 bits, ten times as much, / 10: a tie */
            snprintf(text, sizeof text, "%" PRIu64 "0e-1",
                     (UINT64_C(1) << 53) + ((random >> 11) | 1));
        double value;
        ck_assert_int_eq(wg_number_read(text, &value), WG_NUMBER_FINITE);
        ck_assert_msg(value == strtod(text, NULL), "%s is not %a", text, value);
    }
}
END_TEST

START_TEST(test_infinite)
{
    const double X[] = {HUGE_VAL, -HUGE_VAL}, y[] = {0, 1};
    expect(read_text("a,c\ninf,0\n-Infinity,1\n", &(wg_csv_options){.infinite = true}), 2, 1, X, y);
}
END_TEST

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
    {"a,b,c\n1,2,3\n",
     {.limits.columns = 2},
     WG_E_FORMAT,
     ": 3 columns are more than the limit of 2"},
    {"a,b\nabc,1\n", {.strings = none}, WG_E_FORMAT, ":2: column 1 (a): 'abc' is not a number"},
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
#ifdef WGT_POSIX
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

START_TEST(test_data_sets)
{
    static const struct {
        const char *name;
        int64_t rows, columns, classes;
    } sets[] = {
        {"breast_cancer", 569, 30, 2},
        {"iris", 150, 4, 3},
        {"digits", 1797, 64, 10},
        {"linear_1000", 1000, 2, 2},
        {"two_class_300", 300, 2, 2},
        {"moons_400", 400, 2, 2},
        {"toy_5", 5, 3, 2},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char name[96];
        snprintf(name, sizeof name, "examples/data/%s.csv", sets[i].name);
        const wg_table *table = wg_csv_read(tape, name, NULL);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(table->rows, sets[i].rows);
        ck_assert_int_eq(table->columns, sets[i].columns);
        ck_assert_int_eq(table->class_count, sets[i].classes);
    }
}
END_TEST

static void add_good(TCase *good)
{
    tcase_add_test(good, test_plain);
    tcase_add_test(good, test_same_table);
    tcase_add_test(good, test_quotes);
    tcase_add_test(good, test_label_choice);
    tcase_add_test(good, test_header_and_separator);
    tcase_add_test(good, test_recognized);
    tcase_add_test(good, test_header_recognized);
#ifdef WGT_POSIX
    tcase_add_test(good, test_pipe);
#endif
    tcase_add_test(good, test_packed);
    tcase_add_test(good, test_classes);
    tcase_add_test(good, test_two_texts);
    tcase_add_test(good, test_large_labels);
    tcase_add_test(good, test_two_values);
    tcase_add_test(good, test_missing);
    tcase_add_test(good, test_f32);
    tcase_add_test(good, test_round_trip);
    tcase_add_test(good, test_numbers);
    tcase_add_test(good, test_numbers_are_rounded_correctly);
    tcase_add_test(good, test_infinite);
    tcase_add_test(good, test_data_sets);
}

static void add_bad(TCase *bad)
{
    tcase_add_loop_test(bad, test_bad_file, 0, (int)(sizeof bad_files / sizeof *bad_files));
    tcase_add_test(bad, test_nul_byte);
    tcase_add_test(bad, test_long_text_is_cut);
    tcase_add_test(bad, test_unreadable);
    tcase_add_test(bad, test_truncated);
    tcase_add_loop_test(bad, test_no_memory, 0, 2);
    tcase_add_test(bad, test_random_texts);
}

Suite *suite_csv(void)
{
    Suite *suite = suite_create("csv");
    TCase *good = tcase_create("good files"), *bad = tcase_create("bad files");
    tcase_add_checked_fixture(good, wgt_file_setup, wgt_file_teardown);
    tcase_add_checked_fixture(bad, wgt_file_setup, wgt_file_teardown);
    add_good(good);
    add_bad(bad);
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, bad);
    return suite;
}
