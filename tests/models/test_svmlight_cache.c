/* Caches of svmlight files: the same rows and the same models as in memory, made when they must be, left
 * alone when they are none; by ranks, one of which is killed. */
#include "autograd/op.h"
#include "models/files/svmlight_internal.h"
#include "models/wengert.h"
#include "tests/models/cache_ranks.h"
#include "tests/support/assert.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"
#include "tests/support/system.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Rows of no entry, of few, and of many; more than a piece of pairs. */
static void put_rows(const char *to, int rows)
{
    FILE *file = fopen(to, "w");
    for (int i = 0; i < rows; i++) {
        fprintf(file, "%d", (i * 7919) % 13 < 6 ? 1 : i % 3 ? -1 : 4);
        for (int k = 0, j = 1 + i % 5; k < (i % 10 == 0 ? 0 : i % 97 == 0 ? 40 : 1 + i % 4); k++) {
            fprintf(file, " %d:%.9g", j, sin(i + k));
            j += 1 + (i + k) % 3;
        }
        fputc('\n', file);
    }
    fclose(file);
}

/* ---- The same rows, and models. -------------------------------------------------------------- */

static void expect_same_tensor(const wg_tensor *x, const wg_tensor *want)
{
    ck_assert_int_eq(x->dtype, want->dtype);
    ck_assert(wg_shape_same(&x->shape, &want->shape));
    wgt_assert_same_bytes(x->data, want->data, (size_t)want->size * wg_dtype_size(want->dtype));
}

static void expect_same_rows(const wg_csr *x, const wg_csr *want)
{
    const wg_csr *loaded = wg_csr_load_rows(x, 0, x->rows);
    expect_ok(tape);
    ck_assert(x->rows == want->rows && x->columns == want->columns);
    expect_same_tensor(loaded->start, want->start);
    expect_same_tensor(loaded->column, want->column);
    expect_same_tensor(loaded->value, want->value);
}

START_TEST(test_same_rows)
{
    const wg_svmlight_options o = {
        .zero_based = _i == 1, .f32 = _i == 2, .columns = _i == 3 ? 500 : 0};
    wg_csr *want;
    put_rows(path, 700);
    const wg_table *table = wg_svmlight_read(tape, path, &o, &want);
    for (int k = 0; k < 2; k++) {
        wg_svmlight_cache c = wg_svmlight_cache_open(tape, path, cache, &o);
        expect_ok(tape);
        ck_assert_int_eq(c.made == NULL, k == 1);
        expect_same_rows(c.features, want);
        expect_same_tensor(c.table->classes, table->classes);
        expect_same_tensor(c.table->targets, table->targets);
        ck_assert_str_eq(c.table->class_names[2], table->class_names[2]);
        ck_assert_int_eq(c.table->zero_based, _i == 1);
        const int64_t row[] = {699, 0, 97, 98, 99, 100, 3, 3, 10};
        const wg_csr *part = wg_csr_take_rows(c.features, row, 9);
        expect_same_rows(part, wg_csr_take_rows(want, row, 9));
        expect_same_rows(wg_csr_take_rows(part, row + 1, 1), wg_csr_take_rows(want, row, 1));
        ck_assert_int_eq(wgt_file_beside(cache), 1);
        wg_svmlight_cache_close(&c);
        wg_svmlight_cache_close(&c);
    }
}
END_TEST

START_TEST(test_same_model)
{
    const wg_svmlight_options read = {.f32 = _i == 2};
    const wg_estimator_options o = {.optimizer = _i == 1   ? "newton"
                                                 : _i == 3 ? "proximal"
                                                           : "lbfgs",
                                    .fit.epochs = 6};
    wg_csr *X;
    put_rows(path, 3000);
    const wg_table *table = wg_svmlight_read(tape, path, &read, &X);
    wg_svmlight_cache c = wg_svmlight_cache_open(tape, path, cache, &read);
    const wg_dataset of[] = {{.table = table, .sparse = X},
                             {.table = c.table, .sparse = c.features}};
    const wg_estimator *e[2];
    for (int k = 0; k < 2; k++)
        e[k] = wg_estimator_fit(&of[k], &o);
    expect_ok(tape);
    for (int i = 0; i < 2; i++)
        expect_same_tensor(e[1]->mlp->params->param[i], e[0]->mlp->params->param[i]);
    expect_same_tensor(wg_estimator_predict(e[1], &of[1]), wg_estimator_predict(e[0], &of[0]));
    wg_svmlight_cache_close(&c);
}
END_TEST

/* The last block is smaller than others, of the size of rows that are no block: their entries have
 * more than a block's room. */
START_TEST(test_fullest_first)
{
    wg_csr *X;
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1005; i++) {
        fprintf(file, "%d", i % 2);
        for (int j = 1; j <= (i < 5 ? 20 : 1); j++)
            fprintf(file, " %d:%d", j, i * j % 7);
        fputc('\n', file);
    }
    fclose(file);
    const wg_table *table = wg_svmlight_read(tape, path, NULL, &X);
    wg_svmlight_cache c = wg_svmlight_cache_open(tape, path, cache, NULL);
    const wg_estimator *memory = wg_estimator_fit(&(wg_dataset){.table = table, .sparse = X}, NULL);
    const wg_estimator *disk = wg_estimator_fit(
        &(wg_dataset){.table = c.table, .sparse = c.features}, NULL);
    expect_ok(tape);
    expect_same_tensor(disk->mlp->params->param[0], memory->mlp->params->param[0]);
    wg_svmlight_cache_close(&c);
}
END_TEST

/* ---- When it is made. ------------------------------------------------------------------------ */

static const char *made(const wg_svmlight_options *o)
{
    wg_svmlight_cache c = wg_svmlight_cache_open(tape, path, cache, o);
    wg_svmlight_cache_close(&c);
    return c.made;
}

START_TEST(test_stale)
{
    put("1 1:2\n0 2:1\n");
    ck_assert_str_eq(made(NULL), "it was not there");
    ck_assert_ptr_null(made(NULL));
    ck_assert_ptr_nonnull(made(&(wg_svmlight_options){.f32 = true}));
    put("1 1:2\n0 2:3\n"); /* as long */
    ck_assert_ptr_nonnull(made(NULL));
    ck_assert_ptr_null(made(NULL));
    expect_ok(tape);
}
END_TEST

/* What is no cache, or one of another kind, is left alone, and so is a cache while the file is none. */
START_TEST(test_refused)
{
    const wg_mark mark = wg_tape_mark(tape);
    size_t size, then;
    put("1 1:2\n0 2:1\n");
    wgt_file_put(cache, "1 1:2\n", 6);
    made(NULL);
    expect_error(mark, WG_E_FORMAT, "is no .npy file");
    unlink(cache);
    wg_csv_cache other = wg_csv_cache_open(tape, "examples/data/iris.csv", cache, NULL);
    wg_csv_cache_close(&other);
    made(NULL);
    expect_error(mark, WG_E_FORMAT, "it is of another format");
    unlink(cache);
    made(NULL);
    char *was = wgt_file_get(cache, &size);
    put("1 1:2\n0 2:x\n");
    made(NULL);
    expect_error(mark, WG_E_FORMAT, ":2: 'x' is not a number");
    char *is = wgt_file_get(cache, &then);
    ck_assert_uint_eq(size, then);
    wgt_assert_same_bytes(is, was, size);
    free(is);
    free(was);
    put("1\n0\n");
    made(NULL);
    expect_error(mark, WG_E_VALUE, "no features for a cache");
    ck_assert_int_eq(wgt_file_beside(cache), 1);
}
END_TEST

/* More labels than can be classes are numbers. */
START_TEST(test_limit)
{
    const wg_mark mark = wg_tape_mark(tape);
    const double numbers[] = {5, 6, 7, 6};
    put("5 1:1\n6 1:2\n7 2:3\n6 1:1\n");
    wg_svmlight_cache c = wg_svmlight_cache_open(tape, path, cache,
                                                 &(wg_svmlight_options){.limits.classes = 2});
    expect_ok(tape);
    wgt_assert_same_bytes(wg_data_f64(wg_table_targets(c.table)), numbers, sizeof numbers);
    wg_table_classes(c.table);
    wg_svmlight_cache_close(&c);
    expect_error(mark, WG_E_VALUE, "different labels");
}
END_TEST

static bool load(wg_tape *t, const char *from)
{
    wg_svmlight_cache c;
    const wg_table *table = wg_svmlight_cache_load(&c, t, from);
    ck_assert_ptr_nonnull(table);
    wg_svmlight_cache_close(&c);
    return table->rows > 0;
}

START_TEST(test_everything_wrong)
{
    size_t size;
    put("1 1:2\n0 2:1 5:0.5\n");
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
    put_rows(path, 3000);
    wgt_cache_ranks(path, cache, true, 10, 3000000);
}
END_TEST

#endif

Suite *suite_svmlight_cache(void)
{
    Suite *suite = suite_create("svmlight_cache");
    TCase *cases = tcase_create("svmlight_cache");
    tcase_set_timeout(cases, 120);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, test_same_rows, 0, 4);
    tcase_add_loop_test(cases, test_same_model, 0, 4);
    tcase_add_test(cases, test_fullest_first);
    tcase_add_test(cases, test_stale);
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_limit);
    tcase_add_test(cases, test_everything_wrong);
#if WGT_POSIX
    tcase_add_test(cases, test_ranks_killed);
#endif
    suite_add_tcase(suite, cases);
    return suite;
}
