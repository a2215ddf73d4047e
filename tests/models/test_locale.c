/* Numbers in a program whose locale has a decimal comma: all that the library prints and writes is
 * byte for byte what it is in the C locale, and is read back. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/comma.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT = 1 << 20 };

/* Writes something to the stream; files of its own it may leave at `path`. */
typedef void write_all(FILE *out);

/* What it writes, to be freed. */
static char *text_of(write_all *write)
{
    char *text = calloc(TEXT, 1);
    FILE *out = tmpfile();
    ck_assert(text != NULL && out != NULL);
    write(out);
    rewind(out);
    ck_assert_uint_lt(fread(text, 1, TEXT, out), TEXT);
    fclose(out);
    return text;
}

static void same_in_both(write_all *write)
{
    char *point = text_of(write);
    if (!wgt_comma_begin()) {
        fprintf(stderr, "locale: SKIPPED: there is no decimal comma here, nor can be\n");
    } else {
        char *comma = text_of(write);
        wgt_comma_end();
        ck_assert_uint_gt(strlen(point), 20);
        for (size_t i = 0; point[i] != '\0' || comma[i] != '\0'; i++)
            ck_assert_msg(point[i] == comma[i], "of the first %zu bytes: %.60s, but %.60s", i,
                          point + (i > 30 ? i - 30 : 0), comma + (i > 30 ? i - 30 : 0));
        free(comma);
    }
    free(point);
}

/* The file's bytes as text: other than letters and the like, their codes. */
static void put_file(FILE *out, const char *name)
{
    size_t size;
    char *bytes = wgt_file_get(name, &size);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < size; i++)
        if (bytes[i] >= ' ' && bytes[i] <= '~')
            fputc(bytes[i], out);
        else
            fprintf(out, "<%u>", (unsigned)(unsigned char)bytes[i]);
    free(bytes);
    unlink(name);
}

/* ---- Tensors, tapes, formulas, programs. ----------------------------------------------------- */

/* A parameter "x, y" of values that need a point. */
static wg_tensor *sample(wg_tape *t, wg_dtype dtype)
{
    wg_tensor *x = wg_param(t, "x, y", dtype, WG_SHAPE(3));
    wg_fill_normal(x, 0, 1, 1);
    return x;
}

static void put_printed(FILE *out)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_print(out, wg_constant_from(t, WG_F64, WG_SHAPE(2), ((double[]){1.0 / 3, 2.5})));
    wg_print(out, wg_constant_from(t, WG_F64, WG_SHAPE(2), ((double[]){1e-9 / 3, 2.5e7})));
    wg_print(out, wg_scalar(t, WG_F64, 0.1));
    wg_print(out, sample(t, WG_F32));
    wg_tensor *x = sample(t, WG_F64), *g;
    wg_tensor *y = wg_sum(wg_mul(wg_tanh(wg_scale(x, 0.125)), wg_clamp(wg_selu(x), -0.25, 0.75)));
    wg_grad(y, &x, 1, &g);
    wg_tape_print(out, t);
    wg_tape_dot(out, t, &y, 1);
    wg_print_formula(out, y);
    wg_print_formula(out, g);
    wg_tape_free(t);
}

START_TEST(printed)
{
    same_in_both(put_printed);
}
END_TEST

/* Formulas of every activation, with their constants, as mathematics and as C. */
static void put_programs(FILE *out)
{
    static const char *const names[] = {"relu",     "tanh", "sigmoid",    "gelu",     "gelu_tanh",
                                        "silu",     "elu",  "leaky_relu", "softplus", "mish",
                                        "softsign", "selu", "relu6",      "hardswish"};
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = sample(t, i % 2 == 0 ? WG_F64 : WG_F32), *y[2];
        y[0] = wg_sum(wg_scale(wg_activation(names[i / 2], x), 0.3));
        wg_grad(y[0], &x, 1, &y[1]);
        wg_print_formula(out, y[0]);
        wg_print_formula(out, y[1]);
        const wg_program *p = wg_compile(y, 2, NULL);
        wg_c_file file = {0};
        ck_assert_int_eq(wg_program_to_c(p, &(wg_c_options){.name = "q"}, &file), WG_OK);
        wg_program_print(out, p);
        fputs(file.source, out);
        fputs(file.header, out);
        wg_tape_free(t);
    }
}

START_TEST(programs)
{
    same_in_both(put_programs);
}
END_TEST

/* ---- Checks, audits, errors. ----------------------------------------------------------------- */

static void put_checks(FILE *out)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = sample(t, WG_F64), *wrong = wg_scale(x, 0.7);
    wg_tensor *y = wg_sum(wg_add(wg_relu(x), wg_exp(wg_scale(x, 0.3))));
    const wg_gradcheck_options told = {.check = {.listen = wg_check_entry_csv, .listener = out}};
    wg_gradcheck_print(out, y, &x, NULL, 1, &told);
    wg_gradcheck_print(out, y, &x, &wrong, 1, NULL);
    wg_check_taylor_report taylor;
    wg_gradcheck_taylor(y, x, 2, NULL, &taylor);
    wg_check_taylor_print(out, &taylor);
    wg_check_sweep_row rows[3];
    ck_assert_int_eq(wg_gradcheck_sweep(y, x, 1, 1e-1, 1e-3, rows, 3), WG_OK);
    wg_check_sweep_print(out, rows, 3);
    wg_check_sweep_csv(out, rows, 3);
    wg_audit_row row[5];
    wg_audit_print(out, &y, 1);
    wg_audit_csv(out, row, wg_audit(&y, 1, row, 5, NULL));
    wg_tape_free(t);
}

START_TEST(checks)
{
    same_in_both(put_checks);
}
END_TEST

static void put_messages(FILE *out)
{
    wg_tape *t = wg_tape_new(NULL);
    const wg_mark mark = wg_tape_mark(t);
    for (int i = 0; i < 3; i++) {
        wg_tensor *x = sample(t, WG_F64);
        if (i == 0)
            wg_clamp(x, 0.5, 0.25);
        else if (i == 1)
            wg_dropout(x, 1.5, 1, 0, NULL);
        else
            wg_archive_put_real(wg_archive_new(t), NULL, 0.5);
        fprintf(out, "%s\n", wg_tape_message(t));
        wg_tape_rewind(t, mark);
    }
    wg_tape_free(t);
}

START_TEST(messages)
{
    same_in_both(put_messages);
}
END_TEST

/* ---- Files. ---------------------------------------------------------------------------------- */

static void put_files(FILE *out)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *X = wg_constant_from(t, WG_F64, WG_SHAPE(4, 1), ((double[]){1.25, 2, 3.5, 4}));
    wg_tensor *y = wg_constant_from(t, WG_F64, WG_SHAPE(4), ((double[]){0.5, 1.5, 0.5, 1.5}));
    const wg_table *table = wg_table_of("a", X, y, "y");
    for (int64_t i = 0; i < table->class_count; i++)
        fprintf(out, "class %s\n", table->class_names[i]);
    ck_assert_int_eq(wg_csv_write_table(table, path, NULL), WG_OK);
    table = wg_csv_read(t, path, NULL);
    fprintf(out, "%d ", (int)(1000 * wg_at(wg_table_features(table), 0)));
    put_file(out, path);
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_real(a, "half", 0.5);
    wg_archive_save(a, path);
    put_file(out, path);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wg_tape_free(t);
}

START_TEST(files)
{
    same_in_both(put_files);
}
END_TEST

/* An estimator of labels with a point: fitted, saved, loaded, used, and written as C. */
static void put_estimator(FILE *out)
{
    char name[WGT_PATH + 4];
    wg_tape *t = wg_tape_new(NULL);
    const double features[] = {1.25, 2, 3.5, 4.75, 0.5, 3.25};
    const double labels[] = {0.5, 0.5, 1.5, 1.5, 0.5, 1.5};
    wg_tensor *X = wg_constant_from(t, WG_F64, WG_SHAPE(6, 1), features);
    wg_tensor *y = wg_constant_from(t, WG_F64, WG_SHAPE(6), labels);
    const wg_dataset data = {.table = wg_table_of("a", X, y, "y")};
    const wg_estimator_options options = {.model = "mlp", .dropout = 0.25, .fit = {.epochs = 2}};
    wg_estimator *e = wg_estimator_fit(&data, &options);
    ck_assert_int_eq(wg_estimator_save(e, path), WG_OK);
    e = wg_estimator_load(t, path, NULL);
    put_file(out, path);
    wg_print(out, wg_estimator_predict_proba(e, &data));
    snprintf(name, sizeof name, "%s.c", path);
    ck_assert_int_eq(wg_estimator_write_c(e, name), WG_OK);
    put_file(out, name);
    strcpy(strrchr(name, '.'), ".h");
    put_file(out, name);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wg_tape_free(t);
}

START_TEST(estimator)
{
    same_in_both(put_estimator);
}
END_TEST

/* With glibc the comma is no matter of what is installed. */
START_TEST(there_is_a_comma)
{
    char text[16];
    const bool begun = wgt_comma_begin();
    snprintf(text, sizeof text, "%.1f", 0.5);
    ck_assert_str_eq(text, begun ? "0,5" : "0.5");
#ifdef __GLIBC__
    ck_assert(begun);
#endif
    if (begun)
        wgt_comma_end();
}
END_TEST

Suite *suite_locale(void)
{
    Suite *suite = suite_create("locale");
    TCase *cases = tcase_create("locale");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, there_is_a_comma);
    tcase_add_test(cases, printed);
    tcase_add_test(cases, programs);
    tcase_add_test(cases, checks);
    tcase_add_test(cases, messages);
    tcase_add_test(cases, files);
    tcase_add_test(cases, estimator);
    suite_add_tcase(suite, cases);
    return suite;
}
