/* Polynomial features, one-hot texts, and the pipeline: as scikit-learn has them
 * (oracle/make_preprocess.py), saved and restored, errors, memory. Standardization:
 * test_scaler.c. */
#include "models/data/encoder_internal.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The golden file. ------------------------------------------------------------------------ */

enum { LONGEST = 2048, ROWS = 16 };

static int64_t next_line(FILE *file, double *values)
{
    static char line[1 << 16];
    int64_t n = 0;
    do {
        if (fgets(line, sizeof line, file) == NULL)
            return 0;
    } while (line[0] == '#');
    for (char *at = line, *end;; at = end, n++) {
        double value = strtod(at, &end);
        if (end == at)
            return n;
        ck_assert_int_lt(n, LONGEST);
        values[n] = value;
    }
}

/* Two columns: the number of a row's first entry, and its sign. */
static void texts_of(const double *X, int64_t n, int64_t d, const char **text)
{
    static char numbers[ROWS][16];
    for (int64_t i = 0; i < n; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%g", X[i * d]);
        text[2 * i] = numbers[i];
        text[2 * i + 1] = X[i * d] < 0 ? "negative" : "positive";
    }
}

/* Each of at most 8 rows adds a rounding to mean and variance, on each side, and the entries are
 * below 81 in size, the deviations above 1/20: an absolute error of some 2^-53 * 81 * 20 * 16 at
 * most. */
static const double round_off = 3e-12;

static void compare_case(const double *head, const double *X, const double *Z, const double *S,
                         const double *H)
{
    int64_t n = (int64_t)head[0], d = (int64_t)head[1], width = (int64_t)head[5];
    int64_t hot = (int64_t)head[6];
    const char *text[2 * ROWS];
    wg_polynomial_options o = {(int)head[2], head[3] != 0, head[4] != 0};
    wg_tensor *x = wg_constant(tape, WG_F64, WG_SHAPE(n, d), X);
    wg_tensor *z = wg_polynomial(x, &o);
    expect_ok(tape);
    ck_assert_int_eq(wg_polynomial_columns(d, &o), width);
    ck_assert_int_eq(wg_dim(z, 1), width);
    wgt_assert_same_bytes(wg_data_f64(z), Z,
                          (size_t)(n * width) * sizeof *Z); /* the same products */
    texts_of(X, n, d, text);
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_POLYNOMIAL, .polynomial = o},
                                      {.kind = WG_STEP_STANDARDIZE}};
    const wg_pipeline_options options = {.steps = steps, .n_steps = 2};
    wg_tensor *half = wg_constant(tape, WG_F64, WG_SHAPE(n / 2, d), X);
    wg_pipeline *numbers = wg_pipeline_fit(half, NULL, 0, &options);
    wg_pipeline *both = wg_pipeline_fit(x, text, 2, NULL);
    expect_ok(tape);
    ck_assert_int_eq(numbers->width, width);
    ck_assert_int_eq(both->width, d + hot);
    wgt_assert_all_close(wg_data_f64(wg_pipeline_apply(numbers, x, NULL)), S, n * width, 0,
                         round_off);
    wg_tensor *h = wg_slice(wg_pipeline_apply(both, x, text), 1, d, WG_END);
    wgt_assert_same_bytes(wg_data_f64(h), H, (size_t)(n * hot) * sizeof *H);
    expect_ok(tape);
}

START_TEST(test_golden)
{
    static double values[5][LONGEST];
    FILE *file = fopen("tests/oracle/preprocess.txt", "r");
    ck_assert_ptr_nonnull(file);
    int cases = 0;
    for (; next_line(file, values[0]) == 7; cases++) {
        for (int i = 1; i < 5; i++)
            ck_assert_int_gt(next_line(file, values[i]), 0);
        compare_case(values[0], values[1], values[2], values[3], values[4]);
    }
    fclose(file);
    ck_assert_int_eq(cases, 36);
}
END_TEST

/* ---- Polynomials. ---------------------------------------------------------------------------- */

/* A count by recursion: combinations of `degree` of d columns, with or without repetition. */
static int64_t combinations(int64_t d, int degree, bool repeat)
{
    if (degree == 0)
        return 1;
    return d == 0 ? 0
                  : combinations(d - 1, degree, repeat) +
                        combinations(repeat ? d : d - 1, degree - 1, repeat);
}

START_TEST(test_columns)
{
    for (int64_t d = 0; d <= 8; d++)
        for (int degree = 1; degree <= 6; degree++)
            for (int only = 0; only < 2; only++) {
                int64_t want = 1;
                for (int k = 1; k <= degree; k++)
                    want += combinations(d, k, !only);
                wg_polynomial_options o = {degree, only, true};
                ck_assert_int_eq(wg_polynomial_columns(d, &o), want);
            }
    ck_assert_int_eq(wg_polynomial_columns(2, NULL), 5);
    ck_assert_int_eq(wg_polynomial_columns(-1, NULL), -1);
    ck_assert_int_eq(wg_polynomial_columns(INT64_MAX, NULL), -1);
    const wg_polynomial_options most = {.degree = INT_MAX}; /* no loop over degrees */
    ck_assert_int_eq(wg_polynomial_columns(1, &most), INT_MAX);
    ck_assert_int_eq(wg_polynomial_columns(2, &most),
                     (INT64_C(1) << 30) * ((INT64_C(1) << 31) + 1) - 1);
    ck_assert_int_eq(wg_polynomial_columns(3, &(wg_polynomial_options){.degree = -1}), -1);
    ck_assert_int_eq(wg_polynomial_columns(1000, &(wg_polynomial_options){.degree = 60}), -1);
}
END_TEST

/* Many degrees that fit into memory, and a last one that does not: an error at once. */
START_TEST(test_polynomial_without_room)
{
    wg_tensor *X = wg_full(tape, WG_F64, WG_SHAPE(1000, 64), 1);
    const int64_t size = wg_tape_size(tape);
    ck_assert(wg_is_inert(wg_polynomial(X, &(wg_polynomial_options){.degree = 12})));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NOMEM);
    ck_assert_int_eq(wg_tape_size(tape), size); /* none was made */
}
END_TEST

/* Degrees above the number of columns add nothing: neither products nor room for them. */
START_TEST(test_polynomial_degrees_of_none)
{
    wgt_memory m = {0};
    wg_tape *t = wgt_tape(&m);
    const wg_polynomial_options o = {.degree = 1 << 24, .interaction_only = true};
    ck_assert_int_eq(wg_dim(wg_polynomial(wg_full(t, WG_F64, WG_SHAPE(3, 2), 2), &o), 1), 3);
    ck_assert_int_eq(wg_dim(wg_polynomial(wg_full(t, WG_F64, WG_SHAPE(3, 0), 2),
                                          &(wg_polynomial_options){1 << 24, false, true}),
                            1),
                     1);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_uint_lt(m.peak, 1 << 20);
    wg_tape_free(t);
}
END_TEST

/* Derivatives pass through, new values too. */
START_TEST(test_polynomial_on_parameter)
{
    const double x[] = {2, 3}, other[] = {-1, 5}, dx[] = {1 + 2 * 2 + 3, 1 + 2 + 2 * 3};
    wg_tensor *X = wgt_param(tape, "X", WG_SHAPE(1, 2), x), *g;
    wg_tensor *Z = wg_polynomial(X, NULL);
    wg_grad(wg_sum(Z), &X, 1, &g);
    wgt_assert_all_close(wg_data_f64(g), dx, 2, 0, 0);
    wg_write(X, other, sizeof other);
    wg_replay(tape);
    wgt_assert_close(wg_at(Z, 3), -5, 0, 0);
    expect_ok(tape);
}
END_TEST

START_TEST(test_polynomial_edges)
{
    wg_tensor *none = wg_constant(tape, WG_F32, WG_SHAPE(3, 0), NULL);
    wg_tensor *rows = wg_constant(tape, WG_F32, WG_SHAPE(0, 3), NULL);
    ck_assert_int_eq(wg_dim(wg_polynomial(none, NULL), 1), 0);
    ck_assert_int_eq(wg_dim(wg_polynomial(none, &(wg_polynomial_options){0, false, true}), 1), 1);
    ck_assert_int_eq(wg_dim(wg_polynomial(rows, NULL), 1), 9);
    expect_ok(tape);
    wg_mark mark = wg_tape_mark(tape);
    wg_polynomial(rows, &(wg_polynomial_options){.degree = -2});
    expect_error(mark, WG_E_VALUE, "polynomial: the degree is -2");
    wg_polynomial(wg_full(tape, WG_F64, WG_SHAPE(3), 0), NULL);
    expect_error(mark, WG_E_SHAPE, "polynomial: (n, d) wanted: ");
    wg_polynomial(wg_full(tape, WG_I64, WG_SHAPE(3, 1), 0), NULL);
    expect_error(mark, WG_E_DTYPE, "polynomial: f32 or f64 wanted");
    wg_polynomial(wg_full(tape, WG_F64, WG_SHAPE(1, 1000), 0),
                  &(wg_polynomial_options){.degree = 60});
    expect_error(mark, WG_E_SHAPE, "polynomial: too many columns of degree 60");
    ck_assert(wg_is_inert(wg_polynomial(NULL, NULL)));
}
END_TEST

/* ---- Texts. ---------------------------------------------------------------------------------- */

static const char *const fruit[] = {"pear", "red",   "apple",        "",
                                    "pear", "green", "\xC3\x84pfel", ""};

START_TEST(test_encoder)
{
    const double want[] = {0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
    wg_encoder *e = wg_encoder_fit(tape, fruit, 4, 2, NULL);
    ck_assert_int_eq(e->columns, 2);
    ck_assert_int_eq(wg_encoder_width(e), 6);
    ck_assert_int_eq(e->start[1], 3);
    ck_assert_str_eq(e->category[2], "\xC3\x84pfel"); /* bytes above ASCII come last */
    ck_assert_str_eq(e->category[4], "green");
    wgt_assert_all_close(wg_data_f64(wg_encoder_apply(e, fruit, 4, WG_F64)), want, 24, 0, 0);
    wg_tensor *narrow = wg_encoder_apply(e, fruit + 2, 1, WG_F32);
    for (int64_t i = 0; i < 6; i++)
        wgt_assert_that(wg_at(narrow, i), ==, want[6 + i]);
    expect_ok(tape);
}
END_TEST

START_TEST(test_encoder_unknown)
{
    static const char *const other[] = {"apple", "blue"}, *const none[] = {"apple", NULL};
    wg_encoder *strict = wg_encoder_fit(tape, fruit, 4, 2, NULL);
    wg_encoder *lenient = wg_encoder_fit(tape, fruit, 4, 2,
                                         &(wg_encoder_options){.ignore_unknown = true});
    const double want[] = {1, 0, 0, 0, 0, 0};
    wgt_assert_all_close(wg_data_f64(wg_encoder_apply(lenient, other, 1, WG_F64)), want, 6, 0, 0);
    wg_mark mark = wg_tape_mark(tape);
    wg_encoder_apply(strict, other, 1, WG_F64);
    expect_error(mark, WG_E_VALUE, "encoder: row 1, column 2: 'blue' was not there at the fit");
    wg_encoder_apply(strict, none, 1, WG_F64);
    expect_error(mark, WG_E_NULL, "encoder: no string at row 1, column 2");
    wg_encoder_apply(strict, other, 1, WG_I64);
    expect_error(mark, WG_E_DTYPE, "encoder: ");
    wg_encoder_apply(strict, other, -1, WG_F64);
    expect_error(mark, WG_E_VALUE, "encoder: -1 rows");
    ck_assert_int_eq(wg_encoder_width(wg_encoder_fit(tape, none, 1, 2, NULL)), 0);
    expect_error(mark, WG_E_NULL, "encoder: ");
    ck_assert(wg_is_inert(wg_encoder_apply(NULL, other, 1, WG_F64)));
    ck_assert_int_eq(wg_encoder_width(wg_encoder_fit(NULL, other, 1, 2, NULL)), 0);
}
END_TEST

/* ---- The pipeline. --------------------------------------------------------------------------- */

static const wg_pipeline_step three_steps[] = {
    {.kind = WG_STEP_STANDARDIZE},
    {.kind = WG_STEP_POLYNOMIAL, .polynomial = {3, true, true}},
    {.kind = WG_STEP_STANDARDIZE}};
static const double eight[] = {1, 2, -3, 0.5, 2.5, 7, 1e3, -1e-3};

/* Four rows of two numbers and two texts, f32 or f64. */
static wg_tensor *four_rows(wg_tape *t, wg_dtype dtype)
{
    float narrow[8];
    for (int i = 0; i < 8; i++)
        narrow[i] = (float)eight[i];
    return wg_constant(t, dtype, WG_SHAPE(4, 2),
                       dtype == WG_F32 ? (const void *)narrow : (const void *)eight);
}

static wg_pipeline *fit(wg_tensor *X)
{
    return wg_pipeline_fit(X, fruit, 2,
                           &(wg_pipeline_options){three_steps, 3, {.ignore_unknown = true}});
}

/* The steps are fitted one behind the other, and leave nothing but their scalers. */
START_TEST(test_steps)
{
    wg_tensor *X = four_rows(tape, WG_F64);
    const int64_t before = wg_tape_size(tape);
    wg_pipeline *p = fit(X);
    ck_assert_int_eq(wg_tape_size(tape), before + 4);
    wg_tensor *Z = wg_polynomial(wg_standardize(X), &three_steps[1].polynomial);
    wg_tensor *want = wg_standardize(Z), *got = wg_pipeline_apply(p, X, fruit);
    expect_ok(tape);
    ck_assert_int_eq(wg_dim(got, 1), 4 + 6);
    ck_assert_int_eq(p->columns, 2);
    ck_assert_int_eq(p->string_columns, 2);
    for (int64_t i = 0; i < 16; i++)
        wgt_assert_same_bits(wg_at(got, i / 4 * 10 + i % 4), wg_at(want, i));
}
END_TEST

/* Of 1, NaN, 4, 10, of a column of NaN alone, and of 7 and 8; by mean and median; with indicators; saved and
 * restored. */
START_TEST(test_imputer)
{
    const double x[] = {1, (double)NAN, 7,           (double)NAN, (double)NAN, 8,
                        4, (double)NAN, (double)NAN, 10,          (double)NAN, (double)NAN};
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(4, 3), x);
    const double expected[2][3] = {{5, 0, 7.5}, {4, 0, 7.5}};
    for (int median = 0; median < 2; median++) {
        const wg_pipeline_step steps[] = {
            {.kind = WG_STEP_IMPUTE, .imputer = {.median = median == 1, .indicate = true}},
            {.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = 1}}};
        const wg_pipeline_options o = {.steps = steps, .n_steps = 2};
        const wg_pipeline *p = wg_pipeline_fit(X, NULL, 0, &o);
        ck_assert_ptr_nonnull(p->imputer);
        ck_assert_int_eq(p->width, 6);
        wg_archive *a = wg_archive_new(tape);
        wg_pipeline_save(p, a);
        const wg_pipeline *again = wg_pipeline_load(a);
        const wg_tensor *Z = wg_pipeline_apply(p, X, NULL),
                        *same = wg_pipeline_apply(again, X, NULL);
        expect_ok(tape);
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 3; j++) {
                double given = x[3 * i + j], filled = isnan(given) ? expected[median][j] : given;
                wgt_assert_that(wg_at(Z, 6 * i + j), ==, filled);
            }
            for (int j = 0; j < 3; j++)
                wgt_assert_that(wg_at(Z, 6 * i + 3 + j), ==, isnan(x[3 * i + j]) ? 1 : 0);
        }
        ck_assert(memcmp(wg_data_f64(Z), wg_data_f64(same), 24 * sizeof(double)) == 0);
    }
    const wg_pipeline_step mean = {.kind = WG_STEP_IMPUTE};
    const int64_t far = 3; /* a column that there is not */
    wg_archive *a = wg_archive_new(tape);
    wg_pipeline_save(
        wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){.steps = &mean, .n_steps = 1}), a);
    wg_archive_put_tensor(a, "pipeline.0.indicated", wg_constant(tape, WG_I64, WG_SHAPE(1), &far));
    wg_mark mark = wg_tape_mark(tape);
    wg_pipeline_load(a);
    expect_error(mark, WG_E_FORMAT, "'pipeline.0");
    const wg_pipeline_step late[] = {{.kind = WG_STEP_STANDARDIZE}, {.kind = WG_STEP_IMPUTE}};
    wg_pipeline_fit(wg_scale(wg_full(tape, WG_F64, WG_SHAPE(2, 1), 1), 1), NULL, 0,
                    &(wg_pipeline_options){.steps = late, .n_steps = 2});
    wgt_assert_status(tape, WG_E_VALUE, "missing values come first");
}
END_TEST

START_TEST(test_restore)
{
    const wg_dtype dtype = _i == 0 ? WG_F32 : WG_F64;
    wg_tensor *X = four_rows(tape, dtype);
    wg_pipeline *p = fit(X);
    wg_archive *a = wg_archive_new(tape);
    ck_assert_int_eq(wg_pipeline_save(p, a), WG_OK);
    ck_assert_str_eq(wg_archive_string(a, "pipeline.1"), "polynomial");
    ck_assert_str_eq(wg_archive_string(a, "encoder.0.1"), "pear");
    ck_assert_int_eq(wg_size(wg_archive_tensor(a, "pipeline.2.scale")), 4);
    wg_pipeline *again = wg_pipeline_load(a);
    wg_tensor *x = wg_pipeline_apply(p, X, fruit), *b = wg_pipeline_apply(again, X, fruit);
    expect_ok(tape);
    ck_assert_int_eq(wg_size(b), 40);
    wgt_assert_same_bytes(b->data, x->data, 40 * wg_dtype_size(dtype));
}
END_TEST

/* No text or tensor may be missing, and wrong ones are found. */
START_TEST(test_restore_wrong)
{
    wg_archive *a = wg_archive_new(tape);
    wg_pipeline_save(fit(four_rows(tape, WG_F64)), a);
    expect_ok(tape);
    wg_mark mark = wg_tape_mark(tape);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        for (int k = 0; k < 3; k++) {
            /* the encoder's strings may be any, in order */
            bool any = strncmp(e->name, "encoder", 7) == 0 &&
                       strchr(e->name + strlen("encoder."), '.') != NULL;
            if (e->string != NULL && k > (any ? 0 : 1))
                continue;
            const wg_archive *wrong = wgt_archive_changed(
                a, e, k == 0 ? NULL : e->name, e->string != NULL ? "99999999999999999999" : NULL,
                e->string != NULL ? NULL
                                  : wg_full(tape, k == 1 ? WG_F32 : WG_F64, WG_SHAPE(4 + k), 1));
            ck_assert_msg(wg_pipeline_load(wrong)->width == 0, "%s", e->name);
            expect_error(mark, WG_E_FORMAT, e->string != NULL ? ": '" : "pipeline: 'pipeline.");
        }
    ck_assert_int_eq(wg_pipeline_load(a)->width, 10);
    expect_ok(tape);
}
END_TEST

START_TEST(test_restore_out_of_order)
{
    wg_archive *a = wg_archive_new(tape);
    wg_encoder_save(wg_encoder_fit(tape, fruit, 4, 2, NULL), a);
    const wg_archive_entry *e = wg_archive_first(a);
    while (strcmp(e->name, "encoder.0.0") != 0)
        e = e->next;
    a = wgt_archive_changed(a, e, e->name, "pear", NULL); /* twice now */
    ck_assert_int_eq(wg_encoder_width(wg_encoder_load(a)), 0);
    wgt_assert_status(tape, WG_E_FORMAT, "encoder: 'encoder.0.1' is missing or out of order");
}
END_TEST

/* What a file asks for is bounded: columns of 0 and 1, columns of a polynomial. */
START_TEST(test_limits)
{
    enum { MANY = 5000 };
    static char names[MANY][12];
    static const char *list[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        list[i] = names[i];
    }
    wg_mark mark = wg_tape_mark(tape);
    wg_encoder *e = wg_encoder_fit(tape, list, MANY, 1, NULL);
    ck_assert(wg_is_inert(wg_encoder_apply(e, list, MANY, WG_F64)));
    expect_error(mark, WG_E_VALUE, "encoder: 5000 rows of 5000 categories are more than the limit");
    /* 65 MB of 0 and 1 are too many for short texts; not where the texts are long */
    static char text[1700000];
    ck_assert(wg_is_inert(
        wg_encoder_apply(wg_encoder_fit(tape, list, 2900, 1, NULL), list, 2900, WG_F64)));
    expect_error(mark, WG_E_VALUE, "encoder: 2900 rows of 2900 categories");
    memset(text, 'x', sizeof text - 1);
    list[0] = text;
    e = wg_encoder_fit(tape, list, 2900, 1, NULL);
    ck_assert_int_eq(wg_size(wg_encoder_apply(e, list, 2900, WG_F64)), 2900 * 2900);
    wg_tape_rewind(tape, mark);
    list[0] = names[0];
    const wg_encoder_options wide = {.limit = 8 * MANY * 1000};
    e = wg_encoder_fit(tape, list, MANY, 1, &wide);
    ck_assert_int_eq(wg_size(wg_encoder_apply(e, list, 1000, WG_F64)), 1000 * MANY);
    wg_encoder_fit(tape, list, 1, 1, &(wg_encoder_options){.limit = -1});
    expect_error(mark, WG_E_VALUE, "encoder: option limit is negative");
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_string(a, "pipeline.dtype", "f64");
    wg_archive_put_integer(a, "pipeline.columns", 3);
    wg_archive_put_integer(a, "pipeline.steps", 1);
    wg_archive_put_integer(a, "pipeline.texts", 0);
    wg_archive_put_string(a, "pipeline.0", "polynomial");
    wg_archive_put_integer(a, "pipeline.0.degree", 1000);
    wg_archive_put_integer(a, "pipeline.0.interaction_only", 0);
    wg_archive_put_integer(a, "pipeline.0.include_bias", 0);
    ck_assert_int_eq(wg_pipeline_load(a)->width, 0);
    expect_error(mark, WG_E_FORMAT, "pipeline: step 0 makes 167668500 columns, more than a model");
}
END_TEST

/* Constant rows are prepared some at a time, whatever the steps: nothing stays but the result, which
 * has the bits of rows that are followed. */
START_TEST(test_rows_by_and_by)
{
    enum { N = 100000, D = 3 };
    static double x[N * D];
    for (int i = 0; i < N * D; i++)
        x[i] = i % 1001 * 0.37 - i % 77;
    wg_tensor *X = wg_constant(tape, WG_F64, WG_SHAPE(N, D), x);
    const wg_pipeline_step steps[] = {{.kind = WG_STEP_STANDARDIZE},
                                      {.kind = WG_STEP_POLYNOMIAL, .polynomial.degree = 2},
                                      {.kind = WG_STEP_STANDARDIZE}};
    const wg_pipeline *p = wg_pipeline_fit(X, NULL, 0,
                                           &(wg_pipeline_options){.steps = steps, .n_steps = 3});
    const int64_t before = wg_tape_size(tape);
    const wg_tensor *Z = wg_pipeline_apply(p, X, NULL);
    ck_assert_int_eq(wg_tape_size(tape), before + 1);
    const wg_tensor *followed = wg_pipeline_apply(p, wg_input(tape, "X", WG_F64, WG_SHAPE(N, D), x),
                                                  NULL);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_int_eq(wg_dim(Z, 1), p->width);
    wgt_assert_same_bytes(wg_data_f64(Z), wg_data_f64(followed), (size_t)wg_size(Z) * sizeof *x);
}
END_TEST

START_TEST(test_pipeline_errors)
{
    wg_tensor *X = four_rows(tape, WG_F64), *narrow = four_rows(tape, WG_F32);
    wg_tensor *wide = wg_full(tape, WG_F64, WG_SHAPE(4, 3), 0);
    wg_pipeline *p = fit(X);
    const wg_pipeline_step unknown = {.kind = (wg_step_kind)7};
    const wg_pipeline_step degree = {.kind = WG_STEP_POLYNOMIAL, .polynomial = {-1, false, false}};
    wg_mark mark = wg_tape_mark(tape);
    wg_pipeline_apply(p, wide, fruit);
    expect_error(mark, WG_E_SHAPE, "pipeline: (n, 2) wanted: ");
    wg_pipeline_apply(p, narrow, fruit);
    expect_error(mark, WG_E_DTYPE, "pipeline: f64 wanted: ");
    wg_pipeline_apply(p, X, NULL);
    expect_error(mark, WG_E_NULL, "encoder: no string");
    ck_assert(wg_is_inert(wg_pipeline_apply(NULL, X, NULL)));
    expect_error(mark, WG_E_NULL, "pipeline: an inert pipeline");
    wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){.steps = &unknown, .n_steps = 1});
    expect_error(mark, WG_E_VALUE, "pipeline: step 0: an unknown kind");
    wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){.steps = &degree, .n_steps = 1});
    expect_error(mark, WG_E_VALUE,
                 "pipeline: step 0: too many polynomial features: degree -1 of 2 columns");
    wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){.n_steps = 1});
    expect_error(mark, WG_E_VALUE, "pipeline: ");
    wg_pipeline_fit(X, fruit, -1, NULL);
    expect_error(mark, WG_E_VALUE, "pipeline: f32 or f64 (n, d), -1 string columns");
    wg_pipeline_fit(wg_full(tape, WG_F64, WG_SHAPE(0, 2), 0), NULL, 0,
                    &(wg_pipeline_options){three_steps, 3, {false}});
    expect_error(mark, WG_E_SHAPE, "scaler: (n, d) with n > 0");
    const double large[] = {1, 1e308, 2, -1e308};
    wg_pipeline_fit(wg_constant(tape, WG_F64, WG_SHAPE(2, 2), large), NULL, 0,
                    &(wg_pipeline_options){three_steps, 3, {false}});
    expect_error(mark, WG_E_NOT_FINITE, "pipeline: column 2 cannot be standardized");
    ck_assert_int_eq(wg_pipeline_fit(NULL, NULL, 0, NULL)->width, 0);
}
END_TEST

/* Texts alone: X has no columns. */
START_TEST(test_texts_alone)
{
    wg_tensor *X = wg_constant(tape, WG_F32, WG_SHAPE(4, 0), NULL);
    wg_pipeline *p = wg_pipeline_fit(X, fruit, 2, NULL);
    ck_assert_int_eq(wg_dim(wg_pipeline_apply(p, X, fruit), 1), 6);
    expect_ok(tape);
    const wg_mark mark = wg_tape_mark(tape);
    wg_pipeline *beside = wg_pipeline_fit(wg_full(tape, WG_F64, WG_SHAPE(4, 1), 1), fruit, 2, NULL);
    wg_pipeline_apply(beside, wg_neg(wg_abstract(tape, WG_F64, WG_SHAPE(4, 1))), fruit);
    expect_error(mark, WG_E_VALUE, "has no value to stand beside strings");
}
END_TEST

START_TEST(test_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        memory.fail_at = memory.calls + fail_at;
        wg_tensor *X = four_rows(t, WG_F64);
        wg_archive *a = wg_archive_new(t);
        wg_pipeline *p = fit(X);
        wg_pipeline_save(p, a);
        wg_tensor *y = wg_pipeline_apply(wg_pipeline_load(a), X, fruit);
        if (memory.failed > 0)
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
        wgt_assert_that(wg_is_inert(y), ==, (memory.failed > 0));
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.failed == 0)
            break;
        ck_assert_int_lt(fail_at, 200);
    }
}
END_TEST

Suite *suite_preprocess(void)
{
    Suite *suite = suite_create("preprocess");
    TCase *c = tcase_create("preprocess");
    tcase_add_checked_fixture(c, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(c, test_golden);
    tcase_add_test(c, test_columns);
    tcase_add_test(c, test_polynomial_without_room);
    tcase_add_test(c, test_polynomial_degrees_of_none);
    tcase_add_test(c, test_polynomial_on_parameter);
    tcase_add_test(c, test_polynomial_edges);
    tcase_add_test(c, test_encoder);
    tcase_add_test(c, test_encoder_unknown);
    tcase_add_test(c, test_steps);
    tcase_add_test(c, test_imputer);
    tcase_add_loop_test(c, test_restore, 0, 2);
    tcase_add_test(c, test_restore_wrong);
    tcase_add_test(c, test_restore_out_of_order);
    tcase_add_test(c, test_limits);
    tcase_add_test(c, test_rows_by_and_by);
    tcase_add_test(c, test_pipeline_errors);
    tcase_add_test(c, test_texts_alone);
    tcase_add_test(c, test_no_memory);
    suite_add_tcase(suite, c);
    return suite;
}
