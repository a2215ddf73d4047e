/* Tables with columns of texts, and some of a table's rows. */
#include "models/wengert.h"
#include "tests/models/csv_text.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const two[] = {"size", "colour", NULL};

static void expect_texts(const wg_table *table, int64_t n, const char *const *text)
{
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(table->rows, n);
    for (int64_t i = 0; i < n * table->string_columns; i++)
        ck_assert_str_eq(table->strings[i], text[i]);
}

/* ---- Columns of texts. ----------------------------------------------------------------------- */

static const char shirts[] = "colour,width,kind,size,height\n"
                             "red,1,a,L,2\n"
                             "\"light, blue\",3,b,12,4\n"
                             "\" red\",5,a,XL,6\n";

START_TEST(test_texts)
{
    const wg_table *table = read_text(shirts, &(wg_csv_options){.label = "kind", .strings = two});
    expect_texts(table, 3, (const char *[]){"red", "L", "light, blue", "12", " red", "XL"});
    ck_assert_int_eq(table->string_columns, 2);
    ck_assert_str_eq(table->string_names[0], "colour"); /* the file's order */
    ck_assert_str_eq(table->string_names[1], "size");
    ck_assert_ptr_null(table->string_names[2]);
    ck_assert_int_eq(table->columns, 2);
    ck_assert_str_eq(table->column_names[0], "width");
    ck_assert_str_eq(table->column_names[1], "height");
    const double X[] = {1, 2, 3, 4, 5, 6};
    wgt_assert_same_bytes(wg_data_f64(wg_table_features(table)), X, sizeof X);
    const int64_t classes[] = {0, 1, 0};
    wgt_assert_same_bytes(wg_data_i64(wg_table_classes(table)), classes, sizeof classes);
    ck_assert_str_eq(table->label_name, "kind");
}
END_TEST

START_TEST(test_texts_alone)
{
    const char *const names[] = {"x1", "x3", "x1", NULL}; /* once more is as good as once */
    const wg_csv_options o = {.header = WG_CSV_HEADER_ABSENT, .strings = names, .label_column = 2};
    const wg_table *table = read_text("r,0,s\nt,1,r\n", &o);
    expect_texts(table, 2, (const char *[]){"r", "s", "t", "r"});
    ck_assert_int_eq(table->columns, 0);
    ck_assert_int_eq(table->string_columns, 2);
    ck_assert_int_eq(wg_size(wg_table_features(table)), 0);
    const wg_table *none = read_text("a,b\n1,2\n", &(wg_csv_options){.strings = two + 2});
    ck_assert_ptr_null(none->strings);
    ck_assert_int_eq(none->string_columns, 0);
    ck_assert_int_eq(none->columns, 1);
}
END_TEST

START_TEST(test_missing_texts)
{
    const char *text = "colour,size,w,y\nred, NA ,1,0\n?,L,,1\nblue,M,3,1\n";
    wg_csv_options o = {.strings = two, .missing = WG_CSV_MISSING_DROP};
    expect_texts(read_text(text, &o), 1, (const char *[]){"blue", "M"});
    o.missing = WG_CSV_MISSING_KEEP;
    const wg_table *kept = read_text(text, &o);
    expect_texts(kept, 3, (const char *[]){"red", "", "", "L", "blue", "M"});
    ck_assert_double_nan(wg_at(wg_table_features(kept), 1));
}
END_TEST

/* Integers that doubles round are counted, in whatever format they come; fractions are not. */
START_TEST(test_rounded)
{
    static const char ids[] = "id,x,y\n9007199254740992,1,0\n9007199254740993,1e30,1\n"
                              "-1234567890123456789,9007199254740993.5,0\n"
                              "18446744073709551616,12345678901234567890.0,1\n";
    static const char sparse[] = "0 1:9007199254740994 2:9007199254740993\n1 1:1e17 2:5\n";
    const int64_t whole[] = {1, INT64_MAX, INT64_MIN, (INT64_C(1) << 53) + 1};
    ck_assert_int_eq(read_text(ids, NULL)->rounded, 3);
    ck_assert_int_eq(read_text(ids, &(wg_csv_options){.f32 = true})->rounded, 3);
    const char *const drop[] = {"id", NULL};
    ck_assert_int_eq(read_text(ids, &(wg_csv_options){.drop = drop})->rounded, 0);
    wgt_file_put(path, sparse, sizeof sparse - 1);
    ck_assert_int_eq(wg_svmlight_read(tape, path, NULL, NULL)->rounded, 1);
    wg_tensor *X = wg_constant(tape, WG_I64, WG_SHAPE(2, 2), whole);
    const wg_table *table = wg_table_of("ids.npy", X, NULL, NULL);
    ck_assert_int_eq(table->rounded, 2);
    ck_assert_int_eq(wg_table_of("x.npy", wg_cast(X, WG_F64), NULL, NULL)->rounded, 0);
    table = wg_table_of("none.npy", wg_constant(tape, WG_F64, WG_SHAPE(0, 5), NULL), NULL, NULL);
    ck_assert_int_eq(table->columns, 5);
    ck_assert_str_eq(table->column_names[4], "x5");
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

/* Columns of strings are found: those in which something is no number, wherever it stands; numbers
 * with one odd text among them are not taken for strings. */
START_TEST(test_found)
{
    const wg_table *table = read_text("a,b,c,d,y\n1,x,1,?,0\n2,y,2,3,1\n3,z,u,4,0\n4,x,v,5,1\n",
                                      &(wg_csv_options){.missing = WG_CSV_MISSING_KEEP});
    expect_texts(table, 4, (const char *[]){"x", "1", "y", "2", "z", "u", "x", "v"});
    ck_assert_str_eq(table->string_names[1], "c");
    const double X[] = {1, (double)NAN, 2, 3, 3, 4, 4, 5};
    wgt_assert_same_bytes(wg_data_f64(wg_table_features(table)), X, sizeof X);
    ck_assert_int_eq(table->missing[1], 1);
    ck_assert_int_eq(table->missing[0], 0);
    read_text("a,y\n1,0\n2,1\n-,1\n", NULL);
    wgt_assert_status(tape, WG_E_FORMAT, ":4: column 1 (a): '-' is not a number, as others are");
}
END_TEST

/* Columns are chosen and left out; missing values are counted and pointed at. */
START_TEST(test_columns_and_missing)
{
    const char *text = "id,a,b,s,y\n7,1,NA,p,0\n8,,4,q,1\n9,5,6,,1\n10,7,9,p,0\n";
    const char *const id[] = {"id", NULL}, *const some[] = {"s", "a", NULL};
    wg_csv_options o = {.drop = id, .missing = WG_CSV_MISSING_KEEP};
    const wg_table *table = read_text(text, &o);
    expect_texts(table, 4, (const char *[]){"p", "q", "", "p"});
    const double X[] = {1, (double)NAN, (double)NAN, 4, 5, 6, 7, 9};
    wgt_assert_same_bytes(wg_data_f64(wg_table_features(table)), X, sizeof X);
    ck_assert_int_eq(table->string_missing[0], 1);
    ck_assert_int_eq(table->dropped, 0);
    o = (wg_csv_options){.columns = some, .missing = WG_CSV_MISSING_DROP};
    table = read_text(text, &o);
    expect_texts(table, 2, (const char *[]){"p", "p"});
    ck_assert_int_eq(table->columns, 1);
    ck_assert_int_eq(table->dropped, 2);
    ck_assert_int_eq(table->missing[0], 1);
}
END_TEST

/* A column of ids is no label, unless the limit says so; as numbers to predict it may hold any. */
START_TEST(test_class_limit)
{
    static char text[20000];
    size_t used = (size_t)sprintf(text, "a,y\n");
    for (int i = 0; i < 1100; i++)
        used += (size_t)sprintf(text + used, "1,%d\n", i);
    const wg_table *table = read_text(text, &(wg_csv_options){.limits.classes = 1100});
    ck_assert_int_eq(wg_size(wg_table_classes(table)), 1100);
    table = read_text(text, NULL);
    ck_assert_int_eq(wg_size(wg_table_targets(table)), 1100);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert(wg_is_inert(wg_table_classes(table)));
    wgt_assert_status(tape, WG_E_VALUE, "'y' holds 1100 different labels, and the limit is 1024 (");
}
END_TEST

static const char *const unknown[] = {"colour", "weight", NULL};
static const char *const label[] = {"y", NULL};
static const char *const colour[] = {"colour", NULL};
static const char *const only_size[] = {"size", NULL};

static const struct {
    const char *text;
    wg_csv_options options;
    wg_status status;
    const char *message;
} bad_files[] = {
    {"colour,y\nred,1\n", {.strings = unknown}, WG_E_VALUE, ": no column is 'weight'"},
    {"colour,y\nred,1\n",
     {.strings = label},
     WG_E_VALUE,
     ": column 'y' is the label, and in option strings"},
    {"colour,size,y\nred,2,1\n",
     {.strings = colour, .drop = colour},
     WG_E_VALUE,
     ": column 'colour' is in option strings, but option drop leaves it out"},
    {"colour,size,y\nred,2,1\n",
     {.strings = colour, .columns = only_size},
     WG_E_VALUE,
     ": column 'colour' is in option strings, but not in option columns"},
    {"colour,weight,y\nred,2,1\n",
     {.strings = colour, .columns = unknown, .drop = colour},
     WG_E_VALUE,
     ": column 'colour' is in option strings, but option drop leaves it out"},
    {"colour,colour,y\nred,red,1\n",
     {.strings = colour},
     WG_E_VALUE,
     ": columns 1 and 2 are both 'colour'"},
    {"colour,y\nred,1\n",
     {.strings = colour + 1},
     WG_E_FORMAT,
     ":2: column 1 (colour): 'red' is not a number (nor in the list of strings)"},
    {"colour,y\n?,1\n",
     {.strings = colour},
     WG_E_FORMAT,
     ":2: column 1 (colour): '?' is a missing value"},
    {"colour,y\nNA,1\n",
     {.strings = colour, .missing = WG_CSV_MISSING_DROP},
     WG_E_FORMAT,
     ": every row has a missing value"},
};

static void expect_inert(const wg_table *table)
{
    ck_assert_int_eq(table->rows, 0);
    ck_assert_int_eq(table->string_columns, 0);
    ck_assert_ptr_null(table->strings);
    ck_assert_ptr_null(table->string_names[0]);
}

START_TEST(test_find_class)
{
    const char *const classes[] = {"-1", "+1", "1e2", "9007199254740993", "red", "1.0"};
    static const struct {
        const char *name;
        int64_t found;
    } cases[] = {{"1", 1},     {"1.0", 5},
                 {"1.00", 1},  {"-1.0", 0},
                 {" 100 ", 2}, {"9007199254740992", -1},
                 {"red", 4},   {"+9007199254740993", 3},
                 {"Red", -1},  {"0x1", -1},
                 {"nan", -1},  {"", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(wg_class_find(classes, 6, cases[i].name), cases[i].found);
    ck_assert_int_eq(wg_class_find(NULL, 0, "1"), -1);
}
END_TEST

START_TEST(test_bad_texts)
{
    expect_inert(read_text(bad_files[_i].text, &bad_files[_i].options));
    char want[256];
    snprintf(want, sizeof want, "%s%s", path, bad_files[_i].message);
    wgt_assert_status(tape, bad_files[_i].status, want);
}
END_TEST

/* ---- Some rows. ------------------------------------------------------------------------------ */

static wg_tensor *rows_of(int64_t n, const int64_t *row)
{
    return wg_constant(tape, WG_I64, WG_SHAPE(n), row);
}

START_TEST(test_of_arrays)
{
    const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const int64_t y[] = {7, -1, 7}, big[] = {9007199254740993, 9007199254740992, 1};
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(3, 2, 2), x);
    const wg_table *table = wg_table_of("x.npy", X, wg_constant(tape, WG_I64, WG_SHAPE(3), y),
                                        "kind");
    ck_assert_int_eq(table->rows, 3);
    ck_assert_int_eq(table->columns, 4);
    ck_assert_str_eq(table->column_names[3], "x4");
    ck_assert_str_eq(table->label_name, "kind");
    ck_assert_int_eq(table->class_count, 2);
    ck_assert_str_eq(table->class_names[0], "-1");
    wgt_assert_that(wg_at(wg_table_labels(table), 0), ==, 1);
    wgt_assert_that(wg_at(wg_table_features(table), 11), ==, 12);
    table = wg_table_of("x.npy", wg_cast(X, WG_I64), wg_constant(tape, WG_I64, WG_SHAPE(3), big),
                        "id");
    ck_assert_int_eq(table->class_count, 3); /* also beyond 2^53 */
    ck_assert_int_eq(wg_dtype_of(wg_table_features(table)), WG_F64);
    ck_assert_int_eq(wg_table_of("x.npy", X, NULL, "")->class_count, 0);
    ck_assert_ptr_null(table->missing);
    const double holes[] = {1, (double)NAN, 3, (double)NAN, 5, 6};
    table = wg_table_of("x.npy", wg_constant(tape, WG_F64, WG_SHAPE(2, 3), holes), NULL, "");
    ck_assert_int_eq(table->missing[0], 1);
    ck_assert_int_eq(table->missing[1], 1);
    ck_assert_int_eq(table->missing[2], 0);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    wg_table_of("x.npy", X, wg_constant(tape, WG_I64, WG_SHAPE(2), y), "kind");
    wgt_assert_status(tape, WG_E_SHAPE, "x.npy: a label to each row wanted");
}
END_TEST

START_TEST(test_take)
{
    bool f32 = _i == 1;
    const wg_table *table = read_text(
        shirts, &(wg_csv_options){.label = "kind", .strings = two, .f32 = f32});
    const wg_table *some = wg_table_take(table, rows_of(4, (int64_t[]){2, 0, 2, 0}));
    const char *const text[] = {" red", "XL", "red", "L", " red", "XL", "red", "L"};
    expect_texts(some, 4, text);
    const double X[] = {5, 6, 1, 2};
    for (int i = 0; i < 8; i++)
        wgt_assert_that(wg_at(wg_table_features(some), i), ==, X[i % 4]);
    ck_assert_int_eq(wg_dtype_of(wg_table_features(some)), f32 ? WG_F32 : WG_F64);
    /* class b is not there, and still a class */
    ck_assert_int_eq(some->class_count, 2);
    ck_assert_str_eq(some->class_names[1], "b");
    wgt_assert_that(wg_at(wg_table_labels(some), 3), ==, 0);
    ck_assert_int_eq(wg_data_i64(wg_table_classes(some))[0], 0);
    ck_assert_str_eq(some->string_names[1], "size");
    ck_assert_str_eq(some->column_names[1], "height");
    ck_assert_str_eq(some->label_name, "kind");
    const wg_table *other = wg_table_take(some, rows_of(1, (int64_t[]){3}));
    expect_texts(other, 1, text + 6);
    const wg_table *none = wg_table_take(table, rows_of(0, (int64_t[]){0}));
    ck_assert_int_eq(none->rows, 0);
    ck_assert_int_eq(none->columns, 2);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

START_TEST(test_take_of_other_tables)
{
    const wg_csv_options bare = {.no_label = true};
    const wg_table *table = wg_table_take(read_text("a,b\n1,2\n3,4\n", &bare),
                                          rows_of(1, (int64_t[]){1}));
    wgt_assert_that(wg_at(wg_table_features(table), 1), ==, 4);
    ck_assert_int_eq(table->class_count, 0);
    ck_assert_ptr_null(table->strings);
    table = read_text("a,b\n1,x\n2,y\n3,z\n", NULL);
    wg_train_test split = wg_train_test_split(tape, 3, &(wg_train_test_options){.test = 0.3});
    const wg_table *train = wg_table_take(table, split.train);
    const wg_table *test = wg_table_take(table, split.test);
    ck_assert_int_eq(train->rows + test->rows, 3);
    for (int64_t i = 0; i < train->rows; i++)
        ck_assert_int_eq((int64_t)wg_at(wg_table_features(train), i),
                         wg_data_i64(wg_table_classes(train))[i] + 1);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

START_TEST(test_bad_take)
{
    const wg_table *table = read_text(shirts, &(wg_csv_options){.label = "kind", .strings = two});
    wg_tape *t = wg_tape_new(NULL);
    const struct {
        const wg_tensor *rows;
        wg_status status;
    } bad[] = {
        {NULL, WG_E_NULL},
        {rows_of(2, (int64_t[]){0, 3}), WG_E_INDEX},
        {rows_of(1, (int64_t[]){-1}), WG_E_INDEX},
        {wg_constant(tape, WG_I64, WG_SHAPE(1, 1), (int64_t[]){0}), WG_E_SHAPE},
        {wg_full(tape, WG_F64, WG_SHAPE(1), 0), WG_E_DTYPE},
        {wg_constant(t, WG_I64, WG_SHAPE(1), (int64_t[]){0}), WG_E_TAPE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_mark mark = wg_tape_mark(tape);
        expect_inert(wg_table_take(table, bad[i].rows));
        wgt_assert_status(tape, bad[i].status, "rows of a table");
        wg_tape_rewind(tape, mark);
    }
    expect_inert(wg_table_take(NULL, bad[1].rows));
    expect_inert(wg_table_take(wg_csv_read(t, "/nowhere", NULL), bad[1].rows));
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* ---- Whatever call for memory fails, once or from then on. ----------------------------------- */

static bool read_and_take(wg_tape *t, const char *from)
{
    const wg_table *table = wg_csv_read(t, from,
                                        &(wg_csv_options){.label = "kind", .strings = two});
    wg_tensor *rows = wg_constant(t, WG_I64, WG_SHAPE(2), (int64_t[]){1, 0});
    return wg_table_take(table, rows)->rows > 0;
}

START_TEST(test_files)
{
    const size_t size = sizeof shirts - 1;
    wgt_check_good(read_and_take, path, shirts, size);
    wgt_check_memory(read_and_take, path, shirts, size);
}
END_TEST

Suite *suite_table(void)
{
    Suite *s = suite_create("table");
    TCase *c = tcase_create("table");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(c, test_texts);
    tcase_add_test(c, test_texts_alone);
    tcase_add_test(c, test_missing_texts);
    tcase_add_test(c, test_rounded);
    tcase_add_test(c, test_found);
    tcase_add_test(c, test_class_limit);
    tcase_add_test(c, test_find_class);
    tcase_add_test(c, test_columns_and_missing);
    tcase_add_loop_test(c, test_bad_texts, 0, (int)(sizeof bad_files / sizeof *bad_files));
    tcase_add_test(c, test_of_arrays);
    tcase_add_loop_test(c, test_take, 0, 2);
    tcase_add_test(c, test_take_of_other_tables);
    tcase_add_test(c, test_bad_take);
    tcase_add_test(c, test_files);
    suite_add_tcase(s, c);
    return s;
}
