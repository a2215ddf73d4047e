/* Standardization and the split into training and test rows. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static wg_tensor *matrix(int64_t n, int64_t d, const double *values)
{
    return wg_constant(tape, WG_F64, WG_SHAPE(n, d), values);
}

/* Columns: mean 3, squares 4 + 1 + 0 + 9 = 14; constant; mean 0.25, squares 0.75. */
static const double four_rows[] = {1, 0.1, 0, 2, 0.1, 0, 3, 0.1, 0, 6, 0.1, 1};

START_TEST(test_by_hand)
{
    const double mean[] = {3, 0.1, 0.25}, scale[] = {sqrt(14.0 / 4), 1, sqrt(0.75 / 4)};
    wg_tensor *X = matrix(4, 3, four_rows);
    wg_scaler *scaler = wg_scaler_fit(X);
    wgt_assert_all_close(wg_data_f64(scaler->mean), mean, 3, 1e-16, 0);
    wgt_assert_all_close(wg_data_f64(scaler->scale), scale, 3, 1.2e-16, 0);
    wg_tensor *Z = wg_scaler_apply(scaler, X);
    wgt_assert_close(wg_at(Z, 0), -2 / sqrt(3.5), 3e-16, 0);
    wgt_assert_close(wg_at(Z, 1), 0, 0, 1e-16); /* a constant column is divided by 1 */
    wgt_assert_close(wg_at(Z, 11), 0.75 / sqrt(0.1875), 3e-16, 0);
    const double other[] = {3, 1.1, 0.25};
    wg_tensor *row = wg_scaler_apply(scaler, matrix(1, 3, other));
    wgt_assert_close(wg_at(row, 0), 0, 0, 0);
    wgt_assert_close(wg_at(row, 1), 1, 1e-15, 0);
    wgt_assert_same_bytes(wg_data_f64(wg_standardize(X)), wg_data_f64(Z), 12 * sizeof(double));
}
END_TEST

START_TEST(test_f32)
{
    float values[12];
    for (int i = 0; i < 12; i++)
        values[i] = (float)four_rows[i];
    wg_scaler *scaler = wg_scaler_fit(wg_constant(tape, WG_F32, WG_SHAPE(4, 3), values));
    ck_assert_int_eq(wg_dtype_of(scaler->mean), WG_F32);
    wgt_assert_ulps_f32(wg_data_f32(scaler->scale)[0], (float)sqrt(3.5), 0);
    wgt_assert_ulps_f32(wg_data_f32(scaler->scale)[1], 1, 0);
}
END_TEST

/* The mean of f32 rows at 1e7 lies between two f32; so does that of the loaded scaler. */
START_TEST(test_f32_mean_is_not_rounded)
{
    static const double base[] = {1e5, 1e7, 16777214};
    for (size_t k = 0; k < sizeof base / sizeof *base; k++) {
        float values[100];
        for (int i = 0; i < 100; i++)
            values[i] = (float)(base[k] + i % 2);
        wg_tensor *X = wg_constant(tape, WG_F32, WG_SHAPE(100, 1), values);
        const wg_pipeline_step step = {.kind = WG_STEP_STANDARDIZE};
        wg_pipeline *p = wg_pipeline_fit(X, NULL, 0, &(wg_pipeline_options){&step, 1, {0}});
        wg_archive *a = wg_archive_new(tape);
        wg_pipeline_save(p, a);
        const wg_tensor *Z[] = {wg_standardize(X), wg_pipeline_apply(p, X, NULL),
                                wg_pipeline_apply(wg_pipeline_load(a), X, NULL)};
        for (int i = 0; i < 3; i++) {
            wgt_assert_close(wg_at(Z[i], 0), -1, 1e-6, 0);
            wgt_assert_close(wg_at(Z[i], 1), 1, 1e-6, 0);
        }
    }
    ck_assert_ptr_null(wg_scaler_fit(matrix(4, 3, four_rows))->rest);
}
END_TEST

/* 1e9 + {0, 1}: the one-pass formula would lose the variance, 1/4, entirely. */
START_TEST(test_large_offset)
{
    double values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = 1e9 + i % 2;
    wg_scaler *scaler = wg_scaler_fit(matrix(1000, 1, values));
    wgt_assert_close(wg_at(scaler->mean, 0), 1e9 + 0.5, 1e-16, 0);
    wgt_assert_close(wg_at(scaler->scale, 0), 0.5, 1e-15, 0);
}
END_TEST

/* Sums near 3e10 are rounded, the same way again and again; the second pass takes that back. */
START_TEST(test_mean_is_corrected)
{
    double values[1000];
    wgt_sum sum = {0};
    for (int i = 0; i < 1000; i++) {
        values[i] = 1e8 / 3 + 0.1 * (i % 3);
        wgt_sum_add(&sum, (long double)values[i] - 3e7L);
    }
    wg_scaler *scaler = wg_scaler_fit(matrix(1000, 1, values));
    wgt_assert_ulps(wg_at(scaler->mean, 0), (double)(3e7L + wgt_sum_value(&sum) / 1000), 0);
}
END_TEST

/* A constant whose sum is rounded looks as if it varied a little. */
START_TEST(test_constant_column)
{
    double values[1000];
    for (int i = 0; i < 1000; i++)
        values[i] = 1e8 + 0.1;
    wg_scaler *scaler = wg_scaler_fit(matrix(1000, 1, values));
    wgt_assert_same_bits(wg_at(scaler->scale, 0), 1);
    values[5] = (double)NAN;
    wg_scaler *broken = wg_scaler_fit(matrix(1000, 1, values));
    ck_assert_double_nan(wg_at(broken->mean, 0));
    ck_assert_double_nan(wg_at(broken->scale, 0));
}
END_TEST

/* A deviation that f32 makes nothing of is no scale. */
START_TEST(test_least_numbers)
{
    wg_tensor *X = wg_full(tape, WG_F32, WG_SHAPE(1000, 1), 0);
    ((float *)X->data)[7] = 0x1p-149F;
    wgt_assert_same_bits(wg_at(wg_scaler_fit(X)->scale, 0), 1);
}
END_TEST

/* On an input the scaler is replayed, and derivatives pass: 1 / scale. */
/* What there are no columns of may have any number of rows. */
START_TEST(test_rows_of_nothing)
{
    wg_tensor *X = wg_full(tape, WG_F64, WG_SHAPE(WGT_MANY, 0), 1);
    ck_assert_int_eq(wg_size(wg_standardize(X)), 0);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

START_TEST(test_on_input)
{
    double row[] = {1, 1, 1};
    wg_scaler *scaler = wg_scaler_fit(matrix(4, 3, four_rows));
    wg_tensor *x = wg_input(tape, "x", WG_F64, WG_SHAPE(1, 3), row), *g;
    wg_tensor *z = wg_scaler_apply(scaler, x);
    wg_grad(wg_sum(z), &x, 1, &g);
    wgt_assert_close(wg_at(g, 0), 1 / sqrt(3.5), 3e-16, 0);
    row[0] = 3;
    wg_bind(x, row);
    wg_replay(tape);
    wgt_assert_close(wg_at(z, 0), 0, 0, 0);
}
END_TEST

START_TEST(test_scaler_errors)
{
    const wg_mark mark = wg_tape_mark(tape);
    wg_scaler *none = wg_scaler_fit(wg_constant(tape, WG_F64, WG_SHAPE(3), four_rows));
    wgt_assert_status(tape, WG_E_SHAPE, "scaler: (n, d) with n > 0 expected: ");
    ck_assert_ptr_nonnull(none);
    ck_assert_double_nan(wg_item(none->mean));
    ck_assert_double_nan(wg_item(none->scale));
    wg_tape_rewind(tape, mark);
    wg_scaler_fit(matrix(0, 3, NULL));
    wgt_assert_status(tape, WG_E_SHAPE, "(0, 3)");
    wg_tape_rewind(tape, mark);
    wg_scaler_fit(wg_full(tape, WG_I64, WG_SHAPE(2, 2), 1));
    wgt_assert_status(tape, WG_E_DTYPE, "is i64");
    wg_tape_rewind(tape, mark);
    wg_tensor *p = wg_param(tape, "p", WG_F64, WG_SHAPE(2, 2)), *twice = wg_scale(p, 2);
    wg_fill_uniform(p, 0, 1, 0);
    wg_scaler_fit(twice);
    wgt_assert_status(tape, WG_E_STALE, "replay first");
    wg_tape_rewind(tape, mark);
    wg_scaler_apply(NULL, matrix(4, 3, four_rows));
    ck_assert_int_eq(wg_tape_status(tape), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    wg_tensor *wide = wg_scaler_apply(wg_scaler_fit(matrix(4, 3, four_rows)),
                                      matrix(3, 4, four_rows));
    ck_assert(wg_is_inert(wide));
    wgt_assert_status(tape, WG_E_SHAPE, "");
    ck_assert(wg_is_inert(wg_standardize(NULL)));
}
END_TEST

START_TEST(test_scaler_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        const double *data = four_rows;
        wg_tensor *X = wg_constant(t, WG_F64, WG_SHAPE(4, 3), data);
        memory.fail_at = memory.calls + fail_at;
        wg_tensor *Z = wg_standardize(X);
        if (memory.failed > 0) {
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
            ck_assert(wg_is_inert(Z));
        }
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.failed == 0)
            break;
    }
}
END_TEST

/* ---- The split. ------------------------------------------------------------------------------ */

/* Every row is in one part, once. */
static void expect_partition(wg_train_test rows, int64_t n, int64_t n_test)
{
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_size(rows.test), n_test);
    ck_assert_int_eq(wg_size(rows.train), n - n_test);
    bool seen[512] = {false};
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = i < n_test ? wg_data_i64(rows.test)[i]
                                       : wg_data_i64(rows.train)[i - n_test];
        wgt_assert_that(row, >=, 0);
        wgt_assert_that(row, <, n);
        ck_assert(!seen[row]);
        seen[row] = true;
    }
}

START_TEST(test_split)
{
    const wg_train_test_options seed_1 = {.test = 0.2, .seed = 1},
                                seed_2 = {.test = 0.2, .seed = 2};
    wg_train_test a = wg_train_test_split(tape, 101, &seed_1);
    wg_train_test same = wg_train_test_split(tape, 101, &seed_1);
    wg_train_test other = wg_train_test_split(tape, 101, &seed_2);
    expect_partition(a, 101, 21); /* rounded up */
    expect_partition(other, 101, 21);
    expect_partition(wg_train_test_split(tape, 8, NULL), 8, 2);
    wgt_assert_same_bytes(wg_data_i64(a.train), wg_data_i64(same.train), 80 * sizeof(int64_t));
    ck_assert(memcmp(wg_data_i64(a.train), wg_data_i64(other.train), 80 * sizeof(int64_t)) != 0);
}
END_TEST

/* 100 rows of classes 0 (70), 3 (20) and 9 (9) and 10 (1): a fifth of them is 14, 4, 1.8 and
 * 0.2. */
START_TEST(test_split_stratified)
{
    int64_t classes[100], count[11] = {0};
    for (int i = 0; i < 100; i++)
        classes[i] = i % 10 < 7 ? 0 : i % 10 < 9 ? 3 : i == 9 ? 10 : 9;
    wg_train_test_options options = {.test = 0.2,
                                     .stratify = wg_constant(tape, WG_I64, WG_SHAPE(100), classes)};
    for (uint64_t seed = 0; seed < 20; seed++) {
        options.seed = seed;
        wg_train_test rows = wg_train_test_split(tape, 100, &options);
        expect_partition(rows, 100, 20);
        memset(count, 0, sizeof count);
        for (int64_t i = 0; i < 20; i++)
            count[classes[wg_data_i64(rows.test)[i]]]++;
        wgt_assert_that(count[0], ==, 14);
        wgt_assert_that(count[3], ==, 4);
        wgt_assert_that(count[9], ==, 2);
        wgt_assert_that(count[10], ==, 0);
    }
}
END_TEST

/* Of one row in ten classes each, and of a large share: every class keeps a training row. */
START_TEST(test_split_keeps_a_row_of_each_class)
{
    int64_t classes[30];
    for (int i = 0; i < 30; i++)
        classes[i] = i < 9 ? i : 9;
    wg_train_test_options options = {.test = 0.6,
                                     .stratify = wg_constant(tape, WG_I64, WG_SHAPE(30), classes)};
    for (uint64_t seed = 0; seed < 20; seed++) {
        bool trained[10] = {false};
        options.seed = seed;
        wg_train_test rows = wg_train_test_split(tape, 30, &options);
        expect_partition(rows, 30, 18);
        for (int64_t i = 0; i < 12; i++)
            trained[classes[wg_data_i64(rows.train)[i]]] = true;
        for (int c = 0; c < 10; c++)
            ck_assert_msg(trained[c], "class %d, seed %d", c, (int)seed);
    }
    options.test = 0.7;
    wg_train_test_split(tape, 30, &options);
    wgt_assert_status(tape, WG_E_VALUE, "10 classes cannot each have one of 9 training rows");
}
END_TEST

/* Every size, share and number of classes gives a partition. */
START_TEST(test_split_sizes)
{
    int64_t classes[60];
    for (int64_t n = 2; n <= 60; n++)
        for (int64_t k = 1; k <= 5; k += 2)
            for (double share = 0.1; share < 0.95; share += 0.1) {
                if ((int64_t)ceil(share * (double)n) > n - k) /* a training row of each class */
                    continue;
                const wg_mark mark = wg_tape_mark(tape);
                for (int64_t i = 0; i < n; i++)
                    classes[i] = i * i % k;
                wg_train_test rows = wg_train_test_split(
                    tape, n,
                    &(wg_train_test_options){
                        .test = share,
                        .stratify = wg_constant(tape, WG_I64, WG_SHAPE(n), classes)});
                expect_partition(rows, n, (int64_t)ceil(share * (double)n));
                wg_tape_rewind(tape, mark);
            }
}
END_TEST

START_TEST(test_split_errors)
{
    static const int64_t negative[] = {0, -1, 0};
    const struct {
        int64_t n;
        wg_train_test_options options;
        wg_status status;
    } cases[] = {
        {3, {.test = 1}, WG_E_VALUE},
        {3, {.test = -0.1}, WG_E_VALUE},
        {3, {.test = (double)NAN}, WG_E_VALUE},
        {1, {.test = 0.5}, WG_E_VALUE},
        {0, {.test = 0.5}, WG_E_VALUE},
        {-4, {.test = 0.5}, WG_E_VALUE},
        {4, {.stratify = wg_constant(tape, WG_I64, WG_SHAPE(3), negative)}, WG_E_SHAPE},
        {3, {.stratify = wg_constant(tape, WG_I64, WG_SHAPE(3), negative)}, WG_E_INDEX},
        {3, {.stratify = wg_full(tape, WG_F64, WG_SHAPE(3), 0)}, WG_E_DTYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_train_test rows = wg_train_test_split(tape, cases[i].n, &cases[i].options);
        wgt_assert_status(tape, cases[i].status, "split: ");
        ck_assert(wg_is_inert(rows.train));
        ck_assert(wg_is_inert(rows.test));
        wg_tape_rewind(tape, mark);
    }
    ck_assert(wg_is_inert(wg_train_test_split(NULL, 3, NULL).test));
}
END_TEST

START_TEST(test_split_no_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        wg_tape *t = wgt_tape(&memory);
        wg_tensor *classes = wg_full(t, WG_I64, WG_SHAPE(9), 1);
        memory.fail_at = memory.calls + fail_at;
        wg_train_test rows = wg_train_test_split(t, 9,
                                                 &(wg_train_test_options){.stratify = classes});
        if (memory.failed > 0) {
            ck_assert_int_eq(wg_tape_status(t), WG_E_NOMEM);
            ck_assert(wg_is_inert(rows.train));
            ck_assert(wg_is_inert(rows.test));
        }
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        if (memory.failed == 0)
            break;
        ck_assert_int_lt(fail_at, 100);
    }
}
END_TEST

Suite *suite_scaler(void)
{
    Suite *suite = suite_create("scaler");
    TCase *scaler = tcase_create("scaler"), *split = tcase_create("split");
    tcase_add_checked_fixture(scaler, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_checked_fixture(split, wgt_tape_setup, wgt_tape_teardown);
    tcase_add_test(scaler, test_by_hand);
    tcase_add_test(scaler, test_f32);
    tcase_add_test(scaler, test_large_offset);
    tcase_add_test(scaler, test_f32_mean_is_not_rounded);
    tcase_add_test(scaler, test_mean_is_corrected);
    tcase_add_test(scaler, test_constant_column);
    tcase_add_test(scaler, test_least_numbers);
    tcase_add_test(scaler, test_on_input);
    tcase_add_test(scaler, test_rows_of_nothing);
    tcase_add_test(scaler, test_scaler_errors);
    tcase_add_test(scaler, test_scaler_no_memory);
    tcase_add_test(split, test_split);
    tcase_add_test(split, test_split_stratified);
    tcase_add_test(split, test_split_keeps_a_row_of_each_class);
    tcase_add_test(split, test_split_sizes);
    tcase_add_test(split, test_split_errors);
    tcase_add_test(split, test_split_no_memory);
    suite_add_tcase(suite, scaler);
    suite_add_tcase(suite, split);
    return suite;
}
