/* The CSV reader and the table it makes, of good files; bad ones: test_csv_errors.c. */
#include "autograd/hash.h"
#include "autograd/rng.h"
#include "autograd/tape.h"
#include "models/files/bytes_internal.h"
#include "models/files/csv.h"
#include "tests/models/csv_text.h"
#include "tests/support/assert.h"
#include "tests/support/comma.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

/* Where each record stands, lines of blanks and line ends of all kinds between them. */
START_TEST(test_places)
{
    static const char text[] =
        "\xEF\xBB\xBF \r\na,b,y\n \t\n1,\"2\",\"p\nq\" \r\n\r\r 3,4 ,r\n  \n\t";
    static const char *const records[] = {"a,b,y", "1,\"2\",\"p\nq\" ", " 3,4 ,r"};
    const wg_table *table = read_text(text, &(wg_csv_options){.places = true});
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(table->rows, 2);
    for (int i = 0; i < 3; i++) {
        const wg_csv_place p = table->places[i];
        ck_assert_int_eq(p.end - p.begin, (int64_t)strlen(records[i]));
        ck_assert_int_eq(memcmp(text + p.begin, records[i], strlen(records[i])), 0);
    }
    const int64_t second[] = {1};
    const wg_table *some = wg_table_take(table, wg_constant(tape, WG_I64, WG_SHAPE(1), second));
    ck_assert_ptr_null(some->places);
    ck_assert_ptr_null(read_text(text, NULL)->places);
}
END_TEST

/* Rows that are left out have none, and the file moves through the window. */
START_TEST(test_places_of_many)
{
    enum { ROWS = 60000 };
    char *text = malloc(ROWS * 12), *at = text;
    int64_t begin[ROWS], n = 0;
    ck_assert_ptr_nonnull(text);
    for (int i = 0; i < ROWS; i++) {
        begin[n] = at - text;
        n += i % 3 != 0;
        at += sprintf(at, i % 3 != 0 ? "%d,%d\n" : "%d,\n\n", i, i % 2);
    }
    const wg_csv_options o = {.places = true, .missing = WG_CSV_MISSING_DROP};
    const wg_table *table = read_text(text, &o);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(table->rows, n);
    ck_assert_int_eq(table->places[0].end, 0);
    for (int64_t i = 0; i < n; i++)
        ck_assert_int_eq(table->places[1 + i].begin, begin[i]);
    free(text);
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

#if WGT_POSIX
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
    if (wgt_comma_begin()) {
        round_trip();
        wgt_comma_end(); /* the caller's locale is as it was */
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

/* ---- Larger than what is read at a time. ----------------------------------------------------- */

enum { LONG_ROWS = 40000, LONG_FIELD = 700000 };

/* Quoted texts with separators, quotes and line ends in them, the first one behind a byte order
 * mark; one is longer than any window. */
static char *long_text(const char *end)
{
    char *text = malloc(LONG_ROWS * 40 + LONG_FIELD), *at = text;
    at += sprintf(at, "\xEF\xBB\xBF\"i%s\",s,y%s", end, end);
    for (int i = 0; i < LONG_ROWS; i++) {
        at += sprintf(at, "%d.5,", i);
        if (i == LONG_ROWS / 2)
            memset(at, 'x', LONG_FIELD);
        at += i == LONG_ROWS / 2 ? LONG_FIELD
              : i % 3 == 0       ? sprintf(at, " \"a\"\"%d,%s\" ", i % 7, end)
                                 : sprintf(at, "b%d", i % 5);
        at += sprintf(at, ",%d%s", i % 2, i + 1 < LONG_ROWS ? end : "");
    }
    return text;
}

static void expect_long(const wg_table *table, const char *end)
{
    char text[16];
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(table->rows, LONG_ROWS);
    for (int i = 0; i < LONG_ROWS; i++) {
        ck_assert(wg_at(table->features, i) == i + 0.5);
        ck_assert_int_eq(wg_data_i64(table->classes)[i], i % 2);
        snprintf(text, sizeof text, i % 3 == 0 ? "a\"%d,%s" : "b%d", i % 3 == 0 ? i % 7 : i % 5,
                 end);
        if (i == LONG_ROWS / 2)
            ck_assert_uint_eq(strspn(table->strings[i], "x"), LONG_FIELD);
        else
            ck_assert_str_eq(table->strings[i], text);
    }
}

START_TEST(test_windows)
{
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    char *text = long_text(ends[_i]);
    const wg_mark mark = wg_tape_mark(tape);
    expect_long(read_text(text, NULL), ends[_i]);
    char *quote = strstr(text + strlen(text) - 100, ",b") + 1, was = *quote;
    *quote = '"'; /* one too many */
    read_text(text, NULL);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(tape), "quote"));
    wg_tape_rewind(tape, mark);
    *quote = was;
    text[strlen(text) / 3] = '"'; /* one that opens no field does not have the rest read at once */
    read_text(text, NULL);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(tape), "quote"));
    free(text);
}
END_TEST

START_TEST(test_nul_far_behind)
{
    char *text = long_text("\n");
    const size_t size = strlen(text);
    text[size - 1] = '\0';
    wgt_file_put(path, text, size);
    wg_csv_read(tape, path, NULL);
    ck_assert_int_eq(wg_tape_status(tape), WG_E_FORMAT);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(tape), ":53336: a NUL byte"));
    free(text);
}
END_TEST

Suite *suite_csv(void)
{
    Suite *suite = suite_create("csv");
    TCase *cases = tcase_create("csv");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_plain);
    tcase_add_test(cases, test_places);
    tcase_add_test(cases, test_places_of_many);
    tcase_add_test(cases, test_same_table);
    tcase_add_test(cases, test_quotes);
    tcase_add_test(cases, test_label_choice);
    tcase_add_test(cases, test_header_and_separator);
    tcase_add_test(cases, test_recognized);
    tcase_add_test(cases, test_header_recognized);
#if WGT_POSIX
    tcase_add_test(cases, test_pipe);
#endif
    tcase_add_test(cases, test_packed);
    tcase_add_test(cases, test_classes);
    tcase_add_test(cases, test_two_texts);
    tcase_add_test(cases, test_large_labels);
    tcase_add_test(cases, test_two_values);
    tcase_add_test(cases, test_missing);
    tcase_add_test(cases, test_f32);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_numbers);
    tcase_add_test(cases, test_numbers_are_rounded_correctly);
    tcase_add_test(cases, test_infinite);
    tcase_add_test(cases, test_data_sets);
    tcase_add_loop_test(cases, test_windows, 0, 3);
    tcase_add_test(cases, test_nul_far_behind);
    suite_add_tcase(suite, cases);
    return suite;
}
