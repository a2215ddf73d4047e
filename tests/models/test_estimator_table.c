/* Estimators on tables with columns of texts: from a CSV file to a saved model and back. */
#include "models/data/encoder_internal.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char model[WGT_PATH];

static void setup(void)
{
    wgt_file_setup();
    wgt_file_new(model);
}

static void teardown(void)
{
    wgt_file_remove(model);
    wgt_file_teardown();
}

static const char *const texts[] = {"colour", "size", NULL};

static const char shirts[] = "colour,width,kind,size,height\n"
                             "red,1,a,L,2\nblue,3,b,M,4\nred,5,a,XL,6\ngreen,2,c,M,1\n"
                             "blue,4,b,L,2\ngreen,1,c,XL,3\nred,2,a,M,5\nblue,1,b,XL,1\n";

static wg_table *read_as(wg_tape *t, const char *text, const wg_csv_options *options)
{
    wgt_file_put(path, text, strlen(text));
    return wg_csv_read(t, path, options);
}

static wg_table *read_shirts(wg_tape *t, const char *text)
{
    return read_as(t, text, &(wg_csv_options){.label = "kind", .strings = texts});
}

static const wg_pipeline_step degree_2 = {.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = 2}};

static wg_estimator *fitted(int i)
{
    const wg_estimator_options o[] = {
        {.model = "softmax"},
        {.model = "one_vs_rest", .pipeline = {.steps = &degree_2, .n_steps = 1}},
        {.model = "mlp", .fit = {.epochs = 3}, .pipeline.encoder.ignore_unknown = true},
    };
    return wg_estimator_fit(&(wg_dataset){.table = read_shirts(tape, shirts)}, &o[i]);
}

/* Numbers are filled in by what the training rows say, also in rows that are predicted; a missing
 * text is a category of its own. */
START_TEST(test_missing)
{
    static const char holes[] = "colour,width,kind,size,height\nred,1,a,L,2\nblue,,b,M,4\n"
                                ",5,a,XL,6\ngreen,2,b,,1\n";
    static const char filled[] = "colour,width,kind,size,height\nred,2,a,L,2\n";
    static const char hole[] = "colour,width,kind,size,height\nred,,a,L,2\n";
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_IMPUTE, .imputer = {.median = true}},
                                      {.kind = WG_STEP_STANDARDIZE}};
    const wg_csv_options keep = {.label = "kind", .strings = texts, .missing = WG_CSV_MISSING_KEEP};
    const wg_dataset data = {.table = read_as(tape, holes, &keep)};
    wg_estimator *e = wg_estimator_fit(
        &data, &(wg_estimator_options){.pipeline = {.steps = steps, .n_steps = 2}});
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    e = wg_estimator_load(tape, model, NULL);
    const wg_dataset one = {.table = read_as(tape, hole, &keep)};
    const wg_dataset other = {.table = read_as(tape, filled, &keep)};
    const wg_tensor *P = wg_estimator_predict_proba(e, &one);
    const char *const *name = wg_pipeline_names(e->pipeline, e->column_names, e->string_names);
    const char *const names[] = {"width",      "height", "colour=", "colour=blue", "colour=green",
                                 "colour=red", "size=",  "size=L",  "size=M",      "size=XL"};
    for (int i = 0; i < 10; i++)
        ck_assert_str_eq(name[i], names[i]);
    ck_assert_ptr_null(name[10]);
    wgt_assert_that(wg_at(P, 0), ==, wg_at(wg_estimator_predict_proba(e, &other), 0));
    expect_ok(tape);
    wg_estimator_fit(&data, NULL);
    wgt_assert_status(tape, WG_E_NOT_FINITE, "row 2, column 1 (width) is nan");
}
END_TEST

/* A row with a NaN has no class, rather than the first one: by table, tensor and sparse rows, it is
 * refused by its row and column, unless the pipeline fills it in (as above). */
START_TEST(test_nan_row_is_refused)
{
    static const char rows[] = "width,height,kind\n1,2,a\n2,1,b\n3,,a\n";
    const wg_csv_options keep = {.missing = WG_CSV_MISSING_KEEP};
    const double x[] = {1, 2, 2, 1, 3, (double)NAN};
    wg_tensor *whole = wg_constant(tape, WG_F64, WG_SHAPE(2, 2), x);
    wg_tensor *y = wg_constant(tape, WG_I64, WG_SHAPE(2), &(int64_t[]){0, 1});
    const wg_estimator *e = wg_estimator_fit(&(wg_dataset){.X = whole, .y = y}, NULL);
    const wg_estimator *raw = wg_estimator_fit(&(wg_dataset){.X = whole, .y = y},
                                               &(wg_estimator_options){.raw = true});
    const wg_estimator *named = wg_estimator_fit(
        &(wg_dataset){.table = read_as(tape, "width,height,kind\n1,2,a\n2,1,b\n", NULL)}, NULL);
    const wg_dataset dense = {.X = wg_constant(tape, WG_F64, WG_SHAPE(3, 2), x)};
    const wg_dataset table = {.table = read_as(tape, rows, &keep)};
    const wg_dataset beside = {.X = dense.X,
                               .table = table.table}; /* whose columns have no names */
    const int64_t start[] = {0, 2, 4, 6}, column[] = {0, 1, 0, 1, 0, 1};
    const wg_dataset sparse = {.sparse = wg_csr_new(tape, WG_F64, 3, 2, start, column, x)};
    const struct {
        const wg_estimator *e;
        const wg_dataset *rows;
        const char *says;
    } cases[] = {{e, &dense, "row 3, column 2 is nan"},
                 {named, &table, "row 3, column 2 (height) is nan"},
                 {named, &beside, "row 3, column 2 is nan"},
                 {raw, &sparse, "row 3, column 2 is nan"}};
    expect_ok(tape);
    for (int i = 0; i < 12; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        const wg_estimator *by = cases[i / 3].e;
        const wg_dataset *given = cases[i / 3].rows;
        if (i % 3 == 0)
            ck_assert(wg_is_inert(wg_estimator_predict(by, given)));
        else if (i % 3 == 1)
            ck_assert(wg_is_inert(wg_estimator_predict_proba(by, given)));
        else
            ck_assert(isnan(wg_estimator_score(by, given)));
        wgt_assert_status(tape, WG_E_NOT_FINITE, cases[i / 3].says);
        wg_tape_rewind(tape, mark);
    }
}
END_TEST

/* A file read by the estimator's own options is read as the fitted one was: what separates fields
 * and what is missing, numbers that could be infinite, and columns by their names in any order. */
START_TEST(test_reads_alike)
{
    static const char fitted_on[] = "-999|1|no|a|2\n3|-1|b|b|4\n5|5|no|a|6\n1|2|c|b|1\n";
    static const char again[] = "-999|1|no|a|2\n3|-1|b|b|4\n";
    const char *const missing[] = {"-999", "no", NULL};
    const wg_csv_options o = {.separator = '|',
                              .header = WG_CSV_HEADER_ABSENT,
                              .label = "x4",
                              .missing = WG_CSV_MISSING_KEEP,
                              .missing_texts = missing,
                              .infinite = true,
                              .f32 = true};
    const wg_pipeline_step fill = {.kind = WG_STEP_IMPUTE};
    wg_estimator *e = wg_estimator_fit(
        &(wg_dataset){.table = read_as(tape, fitted_on, &o)},
        &(wg_estimator_options){.pipeline = {.steps = &fill, .n_steps = 1}});
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    for (int loaded = 0; loaded < 2; loaded++) {
        const wg_table *table = read_as(tape, again, e->csv);
        expect_ok(tape);
        ck_assert_int_eq(table->rows, 2);
        ck_assert(isnan(wg_at(table->features, 0)));
        ck_assert_str_eq(table->strings[0], "");
        ck_assert_int_eq(wg_dtype_of(table->features), WG_F32);
        ck_assert_int_eq(e->csv->infinite, true);
        wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = table}), ==, 1);
        e = wg_estimator_load(tape, model, NULL);
    }
    expect_ok(tape);
}
END_TEST

/* Eight names: the list of a CSV's columns ends behind them, whatever is taken next. Rows that are
 * not the table's have none. */
START_TEST(test_ends_of_names)
{
    const char *const text = "a,b,c,d,e,f,g,h,y\n1,2,3,4,5,6,7,8,0\n2,1,3,4,5,7,6,8,1\n"
                             "1,2,3,4,5,6,7,9,0\n2,1,3,4,5,7,6,9,1\n";
    wg_table *table = read_as(tape, text, NULL);
    const wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table}, NULL);
    ck_assert_str_eq(e->csv->columns[7], "h");
    ck_assert_ptr_null(e->csv->columns[8]);
    ck_assert_int_eq(read_as(tape, text, e->csv)->columns, 8);
    wg_tensor *X = wg_square(wg_table_features(table));
    e = wg_estimator_fit(&(wg_dataset){.X = X, .table = table}, NULL);
    ck_assert_ptr_null(e->column_names);
    expect_ok(tape);
}
END_TEST

/* Rows X beside a table with strings: the strings are not learned from, so they are neither named
 * nor saved. */
START_TEST(test_strings_that_are_not_used)
{
    const wg_table *table = read_shirts(tape, shirts);
    const wg_dataset data = {.table = table, .X = wg_table_features(table)};
    wg_estimator *e = wg_estimator_fit(&data, NULL);
    const double score = wg_estimator_score(e, &data);
    ck_assert_int_eq(wg_dataset_columns(&data), 2);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    for (int loaded = 0; loaded < 2; loaded++) {
        ck_assert_str_eq(e->column_names[1], "height");
        ck_assert_ptr_null(e->column_names[2]);
        ck_assert_ptr_null(e->string_names[0]);
        const wg_table *again = read_as(tape, shirts, e->csv);
        ck_assert_int_eq(again->string_columns, 0);
        wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = again}), ==, score);
        e = wg_estimator_load(tape, model, NULL);
    }
    expect_ok(tape);
}
END_TEST

/* Labels of one's own beside a table, which may have none: its classes and label are not theirs. */
START_TEST(test_own_labels)
{
    const int64_t own[] = {1, 0, 1, 0, 0, 0, 1, 0};
    const wg_csv_options bare = {.columns = (const char *const[]){"width", "height", NULL},
                                 .no_label = true};
    const wg_table *tables[] = {read_shirts(tape, shirts), read_as(tape, shirts, &bare)};
    wg_dataset data = {.table = tables[_i % 2], .y = wg_constant(tape, WG_I64, WG_SHAPE(8), own)};
    const char *const names[] = {"no", "yes", NULL};
    wg_estimator *e = wg_estimator_fit(
        &data, &(wg_estimator_options){.class_names = _i < 2 ? NULL : names});
    const double score = wg_estimator_score(e, &data);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    for (int loaded = 0; loaded < 2; loaded++) {
        ck_assert_int_eq(e->class_count, 2);
        ck_assert_str_eq(e->class_names[1], _i < 2 ? "1" : "yes");
        ck_assert_str_eq(e->label_name, "label");
        ck_assert(e->csv->no_label);
        data.table = read_as(tape, shirts, e->csv);
        wgt_assert_that(wg_estimator_score(e, &data), ==, score);
        e = wg_estimator_load(tape, model, NULL);
    }
    expect_ok(tape);
}
END_TEST

START_TEST(test_reads_by_name)
{
    static const char moved[] = "size,height,kind,width,colour\nL,2,a,1,red\nM,4,b,3,blue\n";
    static const char unmoved[] = "colour,width,kind,size,height\nred,1,a,L,2\nblue,3,b,M,4\n";
    const wg_estimator *e = fitted(0);
    const wg_dataset a = {.table = read_as(tape, moved, e->csv)};
    const wg_dataset b = {.table = read_as(tape, unmoved, e->csv)};
    wgt_assert_same_bytes(wg_data_f64(wg_estimator_predict_proba(e, &a)),
                          wg_data_f64(wg_estimator_predict_proba(e, &b)), 6 * sizeof(double));
    expect_ok(tape);
}
END_TEST

/* ---- What is fitted. ------------------------------------------------------------------------- */

/* By hand: the columns of numbers, then the texts' columns of 0 and 1. */
START_TEST(test_encodes)
{
    const wg_table *table = read_shirts(tape, shirts);
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table}, NULL);
    expect_ok(tape);
    wg_encoder *encoder = wg_encoder_fit(tape, table->strings, 8, 2, NULL);
    wg_tensor *Z = wg_encoder_apply(encoder, table->strings, 8, WG_F64);
    wg_tensor *X = wg_concat((wg_tensor *[]){wg_standardize(wg_table_features(table)), Z}, 2, 1);
    wg_estimator *f = wg_estimator_fit(&(wg_dataset){.X = X, .y = wg_table_classes(table)},
                                       &(wg_estimator_options){.raw = true});
    wgt_assert_same_bits(e->fit.best_loss, f->fit.best_loss);
    const wg_tensor *P = wg_estimator_predict_proba(e, &(wg_dataset){.table = table});
    wgt_assert_same_bytes(wg_data_f64(P),
                          wg_data_f64(wg_estimator_predict_proba(f, &(wg_dataset){.X = X})),
                          24 * sizeof(double));
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = table}), ==, 1);
    ck_assert_int_eq(e->columns, 2);
    ck_assert_int_eq(e->string_columns, 2);
    ck_assert_str_eq(e->label_name, "kind");
    ck_assert_int_eq(e->class_count, 3);
    ck_assert_str_eq(e->class_names[2], "c");
    ck_assert_str_eq(e->column_names[1], "height");
    ck_assert_ptr_null(e->column_names[2]);
    ck_assert_str_eq(e->string_names[0], "colour");
    ck_assert_ptr_null(f->column_names);
    ck_assert_ptr_null(f->string_names);
    expect_ok(tape);
}
END_TEST

/* Columns of texts alone, and of numbers alone. */
START_TEST(test_one_kind_of_columns)
{
    const wg_csv_options o = {.strings = texts, .label = "kind"};
    const wg_table *words = read_as(tape, "colour,size,kind\nr,L,a\nb,M,b\nr,M,a\nb,L,b\n", &o);
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = words},
                                       &(wg_estimator_options){.model = "logistic"});
    expect_ok(tape);
    ck_assert_int_eq(e->columns, 0);
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = words}), ==, 1);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    e = wg_estimator_load(tape, model, NULL);
    expect_ok(tape);
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = words}), ==, 1);
    const wg_table *iris = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    wg_tensor *X = wg_table_features(iris), *y = wg_table_classes(iris);
    e = wg_estimator_fit(&(wg_dataset){.table = iris}, NULL);
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = iris}), ==,
                    wg_estimator_score(wg_estimator_fit(&(wg_dataset){.X = X, .y = y}, NULL),
                                       &(wg_dataset){.X = X, .y = y}));
    ck_assert_int_eq(e->string_columns, 0);
    ck_assert_ptr_null(e->string_names[0]);
    expect_ok(tape);
}
END_TEST

START_TEST(test_loaded_predicts_the_same_bits)
{
    wg_estimator *e = fitted(_i);
    expect_ok(tape);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    wg_tape *t = wg_tape_new(NULL);
    wg_estimator *l = wg_estimator_load(t, model, NULL);
    expect_ok(t);
    ck_assert_str_eq(l->column_names[0], "width");
    ck_assert_str_eq(l->column_names[1], "height");
    ck_assert_ptr_null(l->column_names[2]);
    /* the model's own list says which columns are texts; the label is not needed */
    const wg_csv_options o = {.no_label = true, .strings = l->string_names};
    const wg_table *own = read_shirts(tape, shirts);
    const char *bare = "size,height,width,colour\nM,2,3,red\nXL,5,1,green\n";
    const wg_table *other = read_as(t, bare, &o);
    ck_assert(
        wg_is_inert(wg_estimator_predict(l, &(wg_dataset){.table = other}))); /* another order */
    ck_assert_int_eq(wg_tape_status(t), WG_E_VALUE);
    wg_tape_free(t);

    t = wg_tape_new(NULL);
    l = wg_estimator_load(t, model, NULL);
    const wg_table *again = read_shirts(t, shirts);
    size_t bytes = (size_t)wg_size(wg_estimator_predict_proba(e, &(wg_dataset){.table = own})) *
                   sizeof(double);
    ck_assert_mem_eq(wg_estimator_predict_proba(e, &(wg_dataset){.table = own})->data,
                     wg_estimator_predict_proba(l, &(wg_dataset){.table = again})->data, bytes);
    ck_assert_mem_eq(wg_estimator_predict(e, &(wg_dataset){.table = own})->data,
                     wg_estimator_predict(l, &(wg_dataset){.table = again})->data,
                     8 * sizeof(int64_t));
    wgt_assert_that(wg_estimator_score(e, &(wg_dataset){.table = own}), ==,
                    wg_estimator_score(l, &(wg_dataset){.table = again}));
    expect_ok(t);
    expect_ok(tape);
    wg_tape_free(t);
}
END_TEST

/* ---- Classes by their names. ----------------------------------------------------------------- */

START_TEST(test_classes)
{
    wg_estimator *e = fitted(0);
    /* of three classes one, and one that is unknown */
    const wg_table *some = read_shirts(tape, "colour,width,kind,size,height\n"
                                             "green,2,c,M,1\nblue,1,zz,XL,1\ngreen,1,c,XL,3\n");
    const int64_t want[] = {2, -1, 2};
    wgt_assert_same_bytes(wg_data_i64(wg_estimator_targets(e, &(wg_dataset){.table = some})), want,
                          sizeof want);
    int64_t size = wg_tape_size(tape);
    wgt_assert_close(wg_estimator_score(e, &(wg_dataset){.table = some}), 2.0 / 3, 0, 1e-15);
    ck_assert_int_eq(wg_tape_size(tape), size);
    const wg_table *numbers = read_as(tape, "a,y\n1,1\n2,2\n3,10\n4,10\n", NULL);
    e = wg_estimator_fit(&(wg_dataset){.table = numbers}, NULL);
    const wg_table *floats = read_as(tape, "a,y\n1,10.0\n2,2.00\n3,3\n", NULL);
    const int64_t as_numbers[] = {2, 1, -1};
    wgt_assert_same_bytes(wg_data_i64(wg_estimator_targets(e, &(wg_dataset){.table = floats})),
                          as_numbers, sizeof as_numbers);
    const wg_table *mixed = read_as(tape, "a,y\n1,01\n2,1\n3,x\n", NULL);
    e = wg_estimator_fit(&(wg_dataset){.table = mixed}, NULL); /* texts: 01 is not 1 */
    const wg_table *one = read_as(tape, "a,y\n1,1\n2,1.0\n", NULL);
    ck_assert_int_eq(wg_data_i64(wg_estimator_targets(e, &(wg_dataset){.table = one}))[0], 1);
    expect_ok(tape);
}
END_TEST

/* ---- Other columns. -------------------------------------------------------------------------- */

static const char *const one_text[] = {"size", NULL};
static const char *const no_text[] = {NULL};

static const struct {
    const char *text;
    const char *const *texts;
    const char *message;
} other_columns[] = {
    {"size,width,kind,colour,height\nL,1,a,red,2\n", texts,
     "column 1 of strings is 'size', but 'colour' was fitted"},
    {"colour,height,kind,size,width\nred,1,a,L,2\n", texts,
     "column 1 of numbers is 'height', but 'width' was fitted"},
    {"colour,width,kind,size,breadth\nred,1,a,L,2\n", texts,
     "column 2 of numbers is 'breadth', but 'height' was fitted"},
    {"colour,width,kind,size\nred,1,a,L\n", texts,
     "column 2 of numbers is nothing, but 'height' was fitted"},
    {"colour,width,kind,size,height,age\nred,1,a,L,2,3\n", texts,
     "column 3 of numbers is 'age', but nothing was fitted"},
    {"width,kind,size,height\n1,a,L,2\n", one_text,
     "column 1 of strings is 'size', but 'colour' was fitted"},
    {"width,kind,height\n1,a,2\n", no_text,
     "column 1 of strings is nothing, but 'colour' was fitted"},
};

START_TEST(test_other_columns)
{
    wg_estimator *e = fitted(0);
    expect_ok(tape);
    const wg_csv_options o = {.label = "kind", .strings = other_columns[_i].texts};
    const wg_table *table = read_as(tape, other_columns[_i].text, &o);
    ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.table = table})));
    ck_assert_ptr_nonnull(strstr(wg_tape_message(tape), path));
    ck_assert_msg(strstr(wg_tape_message(tape), other_columns[_i].message) != NULL, "%s",
                  wg_tape_message(tape));
    ck_assert_double_nan(wg_estimator_score(e, &(wg_dataset){.table = table}));
}
END_TEST

/* Of unknown names only the numbers of columns count. */
START_TEST(test_unnamed)
{
    const wg_table *iris = wg_csv_read(tape, "examples/data/iris.csv", NULL);
    wg_estimator *e = wg_estimator_fit(
        &(wg_dataset){.X = wg_table_features(iris), .y = wg_table_classes(iris)}, NULL);
    ck_assert_int_eq(wg_estimator_save(e, model), WG_OK);
    e = wg_estimator_load(tape, model, NULL);
    expect_ok(tape);
    ck_assert_ptr_null(e->column_names);
    ck_assert_double_finite(wg_log_loss(wg_estimator_predict_proba(e, &(wg_dataset){.table = iris}),
                                        wg_table_classes(iris)));
    expect_ok(tape);
    wg_mark mark = wg_tape_mark(tape);
    ck_assert(
        wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.table = read_shirts(tape, shirts)})));
    wgt_assert_status(tape, WG_E_SHAPE, "2 string columns, but 0 were fitted");
    wg_tape_rewind(tape, mark);
    const char *short_rows = "a,b,c\n1,2,0\n";
    ck_assert(wg_is_inert(
        wg_estimator_predict(e, &(wg_dataset){.table = read_as(tape, short_rows, NULL)})));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_SHAPE);
}
END_TEST

START_TEST(test_unknown_texts)
{
    const char *yellow = "colour,width,kind,size,height\nred,1,a,L,2\nyellow,1,a,L,2\n";
    wg_estimator *strict = fitted(0), *lenient = fitted(2);
    expect_ok(tape);
    const wg_table *table = read_shirts(tape, yellow);
    ck_assert_double_finite(
        wg_at(wg_estimator_predict_proba(lenient, &(wg_dataset){.table = table}), 3));
    expect_ok(tape);
    ck_assert_int_eq(wg_estimator_save(lenient, model), WG_OK);
    lenient = wg_estimator_load(tape, model, NULL);
    ck_assert_double_finite(
        wg_at(wg_estimator_predict_proba(lenient, &(wg_dataset){.table = table}), 3));
    expect_ok(tape);
    ck_assert(wg_is_inert(wg_estimator_predict(strict, &(wg_dataset){.table = table})));
    wgt_assert_status(tape, WG_E_VALUE, "column 'colour': 'yellow' was not there");
}
END_TEST

/* ---- Files. ---------------------------------------------------------------------------------- */

static bool load(wg_tape *t, const char *file)
{
    return wg_estimator_load(t, file, NULL)->columns > 0;
}

/* The file with one text in place of another of the same length. */
static void replaced(const char *what, const char *by)
{
    size_t size, length = strlen(what);
    char *bytes = wgt_file_get(model, &size);
    bool found = false;
    ck_assert_uint_eq(strlen(by), length);
    for (size_t i = 0; !found && i + length < size; i++)
        if (memcmp(bytes + i, what, length) == 0) {
            memcpy(bytes + i, by, length);
            found = true;
        }
    ck_assert_msg(found, "%s", what);
    wgt_file_put(path, bytes, size);
    wg_tape *t = wg_tape_new(NULL);
    ck_assert_msg(!load(t, path), "%s", by);
    ck_assert_msg(wg_tape_status(t) == WG_E_FORMAT, "%s: %s", by, wg_tape_message(t));
    wg_tape_free(t);
    free(bytes);
}

START_TEST(test_bad_files)
{
    ck_assert_int_eq(wg_estimator_save(fitted(0), model), WG_OK);
    replaced("\"estimator.columns\":\"2\"", "\"estimator.columns\":\"1\"");
    replaced("\"estimator.columns\":\"2\"", "\"estimator.columns\":\"9\"");
    replaced("\"estimator.columns\":\"2\"", "\"estimator.columns\":\"x\"");
    replaced("\"estimator.texts\":\"2\"", "\"estimator.texts\":\"3\"");
    replaced("\"estimator.texts\":\"2\"", "\"estimator.textz\":\"2\"");
    replaced("\"estimator.text.1\"", "\"estimator.text.7\"");
    replaced("\"estimator.column.0\"", "\"estimator.colunm.0\"");
    replaced("\"pipeline.texts\":\"2\"", "\"pipeline.texts\":\"0\"");
    size_t size;
    char *bytes = wgt_file_get(model, &size);
    wgt_check_good(load, path, bytes, size);
    wgt_check_truncated(load, path, bytes, size);
    wgt_check_memory(load, path, bytes, size);
    free(bytes);
}
END_TEST

/* ---- Errors. --------------------------------------------------------------------------------- */

START_TEST(test_errors)
{
    const wg_table *table = read_shirts(tape, shirts);
    const wg_estimator_options bad[] = {
        {.classes = 3},         {.class_names = texts},
        {.label_name = "kind"}, {.model = "logistic"},
        {.rate = 0.1},          {.dropout = 0.1, .model = "mlp", .optimizer = "lbfgs"},
        {.fit.batch = 4},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wg_mark mark = wg_tape_mark(tape);
        wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table}, &bad[i]);
        ck_assert_msg(wg_tape_status(tape) == WG_E_VALUE, "case %zu: %s", i, wg_tape_message(tape));
        ck_assert_int_eq(e->string_columns, 0);
        ck_assert_ptr_null(e->string_names);
        ck_assert(wg_is_inert(wg_estimator_predict(e, &(wg_dataset){.table = table})));
        wg_tape_rewind(tape, mark);
    }
    wg_mark mark = wg_tape_mark(tape);
    wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table}, NULL);
    const wg_csv_options bare = {.no_label = true};
    ck_assert_double_nan(
        wg_estimator_score(e, &(wg_dataset){.table = read_as(tape, "a,b\n1,2\n", &bare)}));
    wg_tape_rewind(tape, mark);
    wg_estimator_fit(&(wg_dataset){.table = read_as(tape, "a,b\n1,2\n", &bare)}, NULL);
    wgt_assert_status(tape, WG_E_VALUE, "without a label column");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_estimator_fit(&(wg_dataset){.table = NULL}, NULL)->columns, 0);
    ck_assert(wg_is_inert(wg_estimator_predict(NULL, &(wg_dataset){.table = table})));
    ck_assert(wg_is_inert(wg_estimator_targets(NULL, &(wg_dataset){.table = table})));
    ck_assert_double_nan(wg_estimator_score(NULL, &(wg_dataset){.table = NULL}));
}
END_TEST

/* Every allocation of fitting, scoring and saving fails in turn. */
START_TEST(test_memory)
{
    bool done = false;
    for (int64_t k = 1; !done; k += 2) {
        wgt_memory m = {0};
        wg_tape *t = wgt_tape(&m);
        const wg_table *table = read_shirts(t, shirts);
        expect_ok(t);
        m.fail_at = m.calls + k;
        wg_estimator *e = wg_estimator_fit(&(wg_dataset){.table = table},
                                           &(wg_estimator_options){.fit.epochs = 2});
        double score = wg_estimator_score(e, &(wg_dataset){.table = table});
        wg_status saved = wg_estimator_save(e, model);
        done = m.failed == 0;
        ck_assert_int_eq(wg_tape_status(t), done ? WG_OK : WG_E_NOMEM);
        ck_assert(done ? score > 0.5 && saved == WG_OK : saved != WG_OK);
        wg_tape_free(t);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

Suite *suite_estimator_table(void)
{
    Suite *s = suite_create("estimator_table");
    TCase *c = tcase_create("estimator_table");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, test_missing);
    tcase_add_test(c, test_nan_row_is_refused);
    tcase_add_test(c, test_reads_alike);
    tcase_add_test(c, test_ends_of_names);
    tcase_add_test(c, test_strings_that_are_not_used);
    tcase_add_loop_test(c, test_own_labels, 0, 4);
    tcase_add_test(c, test_reads_by_name);
    tcase_add_test(c, test_encodes);
    tcase_add_test(c, test_one_kind_of_columns);
    tcase_add_loop_test(c, test_loaded_predicts_the_same_bits, 0, 3);
    tcase_add_test(c, test_classes);
    tcase_add_loop_test(c, test_other_columns, 0,
                        (int)(sizeof other_columns / sizeof *other_columns));
    tcase_add_test(c, test_unnamed);
    tcase_add_test(c, test_unknown_texts);
    tcase_add_test(c, test_bad_files);
    tcase_add_test(c, test_errors);
    tcase_add_test(c, test_memory);
    suite_add_tcase(s, c);
    return s;
}
