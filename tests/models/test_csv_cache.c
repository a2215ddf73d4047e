/* Caches of CSV files: the same tables and the same models as in memory, made when they must be,
 * left alone when they are none; by ranks, one of which is killed. */
#include "autograd/op.h"
#include "models/files/csv_internal.h"
#include "models/wengert.h"
#include "tests/models/cache_ranks.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
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

static char cache[WGT_PATH];

static void setup(void)
{
    wgt_file_setup();
    wgt_file_new(cache);
}

static void teardown(void)
{
    wgt_file_remove(cache);
    wgt_file_teardown();
}

static void put(const char *text)
{
    wgt_file_put(path, text, strlen(text));
}

/* ---- The same table. ------------------------------------------------------------------------- */

static void expect_same_tensor(const wg_tensor *x, const wg_tensor *want)
{
    ck_assert_int_eq(x == NULL, want == NULL);
    if (x == NULL)
        return;
    double *values = calloc((size_t)want->size + 1, sizeof *values);
    const void *data = x->data;
    ck_assert_int_eq(x->dtype, want->dtype);
    ck_assert(wg_shape_same(&x->shape, &want->shape));
    if (wg_is_streamed(x)) {
        const wg_stream *s = x->plan;
        ck_assert_ptr_null(s->read(s->user, s->first, x->shape.dim[0], values));
        data = values;
    }
    wgt_assert_same_bytes(data, want->data, (size_t)want->size * wg_dtype_size(want->dtype));
    free(values);
}

static void expect_same_names(const char *const *x, const char *const *want)
{
    for (; *want != NULL; x++, want++)
        ck_assert_str_eq(*x, *want);
    ck_assert_ptr_null(*x);
}

static void expect_same(const wg_table *x, const wg_table *want)
{
    expect_ok(tape);
    ck_assert_int_eq(x->rows, want->rows);
    ck_assert_int_eq(x->dropped, want->dropped);
    ck_assert_int_eq(x->rounded, want->rounded);
    ck_assert_int_eq(x->separator, want->separator);
    ck_assert_int_eq(x->string_columns, want->string_columns);
    ck_assert_str_eq(x->label_name, want->label_name);
    ck_assert_str_eq(x->path, want->path);
    expect_same_names(x->column_names, want->column_names);
    expect_same_names(x->string_names, want->string_names);
    expect_same_names(x->class_names, want->class_names);
    for (int64_t j = 0; j < want->columns; j++)
        ck_assert_int_eq(x->missing[j], want->missing[j]);
    for (int64_t j = 0; j < want->string_columns; j++)
        ck_assert_int_eq(x->string_missing[j], want->string_missing[j]);
    for (int64_t i = 0; i < want->rows * want->string_columns; i++)
        ck_assert_str_eq(x->strings[i], want->strings[i]);
    expect_same_tensor(x->features, want->features);
    expect_same_tensor(x->labels, want->labels);
    expect_same_tensor(x->targets, want->targets);
    expect_same_tensor(x->classes, want->classes);
}

static const char mixed[] = "id;w;colour;h;y\n1;2.5;red;0.25;b\n2;NA;blue;-1e30;a\n3;1;;7;b\n"
                            "9007199254740993;3;\"r;d\";0.1;a\n5;4;red;?;b\n";

static const struct table_case {
    const char *text; /* NULL: iris */
    wg_csv_options o;
} tables[] = {
    {NULL, {.separator = '\0'}},
    {NULL, {.f32 = true}},
    {NULL, {.no_label = true}},
    {mixed, {.missing = WG_CSV_MISSING_KEEP}},
    {mixed, {.missing = WG_CSV_MISSING_DROP}},
    {mixed, {.missing = WG_CSV_MISSING_KEEP, .f32 = true, .label = "id"}},
    {mixed,
     {.missing = WG_CSV_MISSING_KEEP,
      .columns = (const char *const[]){"colour", "w", NULL},
      .label = "id"}},
    {"a,b,y\nx,y,1\ny,x,0\n", {.separator = ','}}, /* no numbers */
    {"1 2 1.0\n3 4 1\n5 6 2\n", {.separator = '\0'}},
    {"a,y\n1,2.5\n2,3.5\n3,1e9\n", {.separator = '\0'}},
    /* Different labels that are one float. */
    {"a,y\n1,20240101\n2,20240102\n3,20240103\n4,20240104\n", {.f32 = true}},
    {"a,y\n1,0.1\n2,0.10000000001\n3,0.1\n", {.f32 = true}},
    {"a,y\n1,20240104\n,none\n2,20240103\n,20240103.5\n",
     {.missing = WG_CSV_MISSING_DROP, .f32 = true}},
};

START_TEST(test_same_table)
{
    const struct table_case *c = &tables[_i];
    const char *from = c->text != NULL ? path : "examples/data/iris.csv";
    if (c->text != NULL)
        put(c->text);
    const wg_table *want = wg_csv_read(tape, from, &c->o);
    expect_ok(tape);
    for (int k = 0; k < 2; k++) {
        wg_csv_cache a = wg_csv_cache_open(tape, from, cache, &c->o);
        expect_same(a.table, want);
        ck_assert_int_eq(a.made == NULL, k == 1);
        ck_assert_int_eq(wgt_file_beside(cache), 1);
        wg_csv_cache_close(&a);
        wg_csv_cache_close(&a);
    }
}
END_TEST

/* NumPy reads the rows, and does not mind what is behind them. */
START_TEST(test_is_npy)
{
    size_t size;
    wg_csv_cache a = wg_csv_cache_open(tape, "examples/data/iris.csv", cache, NULL);
    expect_ok(tape);
    char *bytes = wgt_file_get(cache, &size);
    wgt_file_put(path, bytes, 128 + 150 * 6 * 8);
    const wg_tensor *rows = wg_npy_read(tape, path);
    ck_assert_int_eq(wg_dim(rows, 0), 150);
    ck_assert_int_eq(wg_dim(rows, 1), 6);
    wgt_assert_same_bits(wg_at(rows, 0), 5.1);
    wgt_assert_same_bits(wg_at(rows, 149 * 6 + 5), 2);
    free(bytes);
    wg_csv_cache_close(&a);
}
END_TEST

/* ---- The same model. ------------------------------------------------------------------------- */

enum { MODEL_ROWS = 3000 };

static char *model_text(void)
{
    char *text = malloc(MODEL_ROWS * 64), *at = text + sprintf(text, "a,colour,b,kind,c,y\n");
    for (int i = 0; i < MODEL_ROWS; i++) {
        at += sprintf(at, "%.17g,%s,", sin(i) * 100, i % 11 == 0 ? "" : i % 3 ? "red" : "blue");
        at += i % 7 == 0 ? sprintf(at, ",") : sprintf(at, "%.9g,", cos(3 * i));
        at += sprintf(at, "k%d,%d,%s\n", i % 5, i * i % 101, (i * 7919) % 13 < 6 ? "yes" : "no");
    }
    return text;
}

static const wg_pipeline_step imputed[] = {{.kind = WG_STEP_IMPUTE, .imputer.indicate = true},
                                           {.kind = WG_STEP_STANDARDIZE}};
static const wg_pipeline_step by_median[] = {{.kind = WG_STEP_IMPUTE, .imputer.median = true}};

static const struct model_case {
    wg_csv_missing missing;
    wg_pipeline_options pipeline;
    const char *optimizer, *label;
    bool f32;
} models[] = {
    {WG_CSV_MISSING_DROP, {0}, "lbfgs", "y", false},
    {WG_CSV_MISSING_KEEP, {.steps = imputed, .n_steps = 2}, "lbfgs", "y", false},
    {WG_CSV_MISSING_KEEP, {.steps = imputed, .n_steps = 2}, "newton", "kind", true},
    {WG_CSV_MISSING_KEEP, {.steps = by_median, .n_steps = 1}, "proximal", "y", false},
};

START_TEST(test_same_model)
{
    const struct model_case *c = &models[_i];
    const wg_csv_options read = {.missing = c->missing, .label = c->label, .f32 = c->f32};
    const wg_estimator_options o = {
        .pipeline = c->pipeline, .optimizer = c->optimizer, .fit.epochs = 6};
    char *text = model_text();
    put(text);
    free(text);
    wg_csv_cache a = wg_csv_cache_open(tape, path, cache, &read);
    const wg_dataset of[] = {{.table = wg_csv_read(tape, path, &read)}, {.table = a.table}};
    const wg_estimator *e[2];
    for (int k = 0; k < 2; k++)
        e[k] = wg_estimator_fit(&of[k], &o);
    expect_ok(tape);
    for (int i = 0; i < 2; i++)
        expect_same_tensor(e[1]->mlp->params->param[i], e[0]->mlp->params->param[i]);
    expect_same_tensor(wg_estimator_predict(e[1], &of[1]), wg_estimator_predict(e[0], &of[0]));
    expect_ok(tape);
    wg_csv_cache_close(&a);
}
END_TEST

/* ---- When it is made. ------------------------------------------------------------------------ */

static const char *made(const wg_csv_options *o)
{
    wg_csv_cache a = wg_csv_cache_open(tape, path, cache, o);
    wg_csv_cache_close(&a);
    return a.made;
}

START_TEST(test_stale)
{
    const wg_csv_options other = {.label_column = 1};
    put("a,y\n1,0\n2,1\n");
    ck_assert_str_eq(made(NULL), "it was not there");
    ck_assert_ptr_null(made(NULL));
    ck_assert_ptr_nonnull(made(&other));
    ck_assert_ptr_nonnull(made(NULL));
    put("a,y\n1,0\n3,1\n"); /* as long */
    ck_assert_ptr_nonnull(made(NULL));
    ck_assert_ptr_null(made(NULL));
    expect_ok(tape);
    ck_assert_int_eq(wgt_file_beside(cache), 1);
}
END_TEST

#ifndef _WIN32 /* whose files have whole seconds here */
static void write_at(const char *text, long nanoseconds)
{
    const struct timespec at = {1700000000, nanoseconds}, times[] = {at, at};
    put(text);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* An edit within a second, of the same length, where no sample is taken. */
START_TEST(test_stale_within_a_second)
{
    enum { SIZE = 96004 };
    char *text = malloc(SIZE + 1);
    memcpy(text, "a,y\n", 4);
    for (int i = 4; i < SIZE; i += 8)
        memcpy(text + i, i % 16 == 4 ? "1,0\n2,1\n" : "3,1\n4,0\n", 8);
    text[SIZE] = '\0';
    write_at(text, 100000000);
    ck_assert_str_eq(made(NULL), "it was not there");
    memcpy(text + 5004, "9", 1); /* samples are 4096 long, and begin every 6000 */
    write_at(text, 100000000);
    ck_assert_ptr_null(made(NULL));
    write_at(text, 900000000);
    ck_assert_ptr_nonnull(made(NULL));
    free(text);
}
END_TEST
#endif

/* What is no cache is left alone, and so is a cache while the file is no table. */
START_TEST(test_refused)
{
    const wg_mark mark = wg_tape_mark(tape);
    size_t size, then;
    put("a,y\n1,0\n2,1\n");
    wgt_file_put(cache, "1,2\n", 4);
    made(NULL);
    expect_error(mark, WG_E_FORMAT, "is no .npy file");
    wg_npy_write(wg_full(tape, WG_F64, WG_SHAPE(2, 3), 1), cache);
    made(NULL);
    expect_error(mark, WG_E_FORMAT, "ends in the header's length");
    unlink(cache);
    made(NULL);
    char *was = wgt_file_get(cache, &size);
    put("a,y\n1,0\n2,\n");
    made(NULL);
    expect_error(mark, WG_E_FORMAT, "is a missing label");
    char *is = wgt_file_get(cache, &then);
    ck_assert_uint_eq(size, then);
    wgt_assert_same_bytes(is, was, size);
    free(is);
    free(was);
    wg_csv_cache_open(tape, path, NULL, NULL);
    expect_error(mark, WG_E_NULL, "no name");
    wg_csv_cache_open(tape, path, "-", NULL);
    expect_error(mark, WG_E_VALUE, "-: a cache is a file, not a pipe");
    ck_assert_int_ne(access("-", F_OK), 0);
    wg_csv_cache_open(tape, "no such file", cache, NULL);
    expect_error(mark, WG_E_IO, "no such file");
    ck_assert_int_eq(wgt_file_beside(cache), 1);
}
END_TEST

START_TEST(test_limits)
{
    const wg_mark mark = wg_tape_mark(tape);
    const wg_csv_options o = {.limits.classes = 2, .label = "y"};
    put("a,y\n1,0\n2,1\n3,2\n4,9\n");
    wg_csv_cache a = wg_csv_cache_open(tape, path, cache, &o);
    const double numbers[] = {0, 1, 2, 9};
    expect_ok(tape);
    wgt_assert_same_bytes(wg_data_f64(wg_table_targets(a.table)), numbers, sizeof numbers);
    wg_table_classes(a.table);
    wg_csv_cache_close(&a);
    expect_error(mark, WG_E_VALUE, "different labels");
    put("a,y\n1,p\n2,q\n3,r\n4,s\n");
    made(&o);
    expect_error(mark, WG_E_FORMAT, "one label of too many");
    put("a,y\np,1\nq,2\nr,1\ns,1\n");
    made(&o);
    expect_error(mark, WG_E_FORMAT, "one string of too many");
}
END_TEST

static bool load(wg_tape *t, const char *from)
{
    wg_csv_cache c;
    const wg_table *table = wg_csv_cache_load(&c, t, from);
    ck_assert_ptr_nonnull(table);
    wg_csv_cache_close(&c);
    return table->rows > 0;
}

START_TEST(test_everything_wrong)
{
    size_t size;
    put("a,s,y\n1,u,0\n2,v,1\n");
    made(NULL);
    expect_ok(tape);
    char *bytes = wgt_file_get(cache, &size);
    wgt_check_good(load, path, bytes, size);
    wgt_check_truncated(load, path, bytes, size);
    wgt_check_bytes(load, path, bytes, size);
    wgt_check_memory(load, path, bytes, size);
    wgt_check_unreadable(load);
    free(bytes);
}
END_TEST

#if WGT_POSIX

/* ---- Ranks. ---------------------------------------------------------------------------------- */

START_TEST(test_ranks_killed)
{
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 5000; i++)
        fprintf(file, "%.9g,%.9g,%d,k%d,c%d\n", sin(i), cos(7 * i), i % 17, i * i % 5,
                (int)(3 * sin(i) + 3) % 3);
    fclose(file);
    wgt_cache_ranks(path, cache, false, 30, 1500000);
}
END_TEST

#endif

Suite *suite_csv_cache(void)
{
    Suite *suite = suite_create("csv_cache");
    TCase *cases = tcase_create("csv_cache");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, test_same_table, 0, (int)(sizeof tables / sizeof *tables));
    tcase_add_test(cases, test_is_npy);
    tcase_add_loop_test(cases, test_same_model, 0, (int)(sizeof models / sizeof *models));
    tcase_add_test(cases, test_stale);
#ifndef _WIN32
    tcase_add_test(cases, test_stale_within_a_second);
#endif
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_limits);
    tcase_add_test(cases, test_everything_wrong);
#if WGT_POSIX
    tcase_add_test(cases, test_ranks_killed);
#endif
    suite_add_tcase(suite, cases);
    return suite;
}
