/* Lists of parameters: saved in archives and loaded, under other names, too; nothing or all. */
#include "models/files/archive.h"
#include "models/files/params.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <string.h>

/* A layer, and a string, through a file. */
static const wg_archive *saved(void)
{
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(
        a, "fc1.weight",
        wg_constant(tape, WG_F32, WG_SHAPE(2, 3), (const float[]){0, 1, 2, 3, 4, 5}));
    wg_archive_put_tensor(a, "fc1.bias",
                          wg_constant(tape, WG_F32, WG_SHAPE(2), (const float[]){-1, -2}));
    wg_archive_put_string(a, "format", "pt");
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    return wg_archive_load(tape, path);
}

START_TEST(test_params)
{
    static const char *const map[] = {"w", "weight", "b", "bias", NULL};
    wg_params *p = wg_params_new(tape);
    wg_tensor *w = wg_params_add(p, wg_param(tape, "w", WG_F32, WG_SHAPE(2, 3)));
    wg_tensor *b = wg_params_add(p, wg_param(tape, "b", WG_F32, WG_SHAPE(2)));
    ck_assert_int_eq(p->n, 2);
    ck_assert_ptr_eq(p->param[0], w);
    ck_assert_ptr_eq(wg_params_get(p, "b"), b);
    ck_assert_ptr_null(wg_params_get(p, "c"));
    const wg_params_names names = {.prefix = "fc1.", .map = map};
    ck_assert_int_eq(wg_params_load(p, saved(), &names), WG_OK);
    wgt_assert_that(wg_at(w, 3), ==, 3);
    wgt_assert_that(wg_at(b, 1), ==, -2);
    wg_archive *a = wg_archive_new(tape);
    ck_assert_int_eq(wg_params_save(p, a, NULL), WG_OK);
    ck_assert_int_eq(wg_params_save(p, a, &names), WG_OK);
    ck_assert_ptr_eq(wg_archive_tensor(a, "w"), w);
    ck_assert_ptr_eq(wg_archive_tensor(a, "fc1.bias"), b);
    ck_assert_int_eq(wg_params_save(p, a, &names), WG_E_VALUE);
}
END_TEST

/* The first parameter is right and is not written where the second is wrong. */
START_TEST(test_params_nothing)
{
    const wg_archive *a = saved();
    const struct {
        wg_tensor *param;
        const char *message;
    } wrong[] = {
        {wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(3, 2)),
         "fc1.weight (2, 3) for the parameter fc1.weight (3, 2)"},
        {wg_param(tape, "fc1.weight", WG_F64, WG_SHAPE(2, 3)),
         "fc1.weight (2, 3) is f32, the parameter fc1.weight (2, 3) is f64: make it of "
         "the same dtype, WG_F32"},
        {wg_param(tape, "fc2.weight", WG_F32, WG_SHAPE(2, 3)),
         "there is no tensor 'fc2.weight' for the parameter fc2.weight (2, 3)"},
        {wg_param(tape, "format", WG_F32, WG_SHAPE(2)), "there is no tensor 'format'"},
    };
    wg_tensor *bias = wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_params *p = wg_params_new(tape);
        wg_params_add(p, bias);
        wg_params_add(p, wrong[i].param);
        ck_assert_int_eq(wg_params_load(p, a, NULL), WG_E_FORMAT);
        wgt_assert_status(tape, WG_E_FORMAT, wrong[i].message);
        wgt_assert_status(tape, WG_E_FORMAT, path);
        wg_tape_rewind(tape, mark);
        wgt_assert_that(wg_at(bias, 0), ==, 0);
        wgt_assert_that(wg_at(bias, 1), ==, 0);
    }
}
END_TEST

START_TEST(test_params_errors)
{
    char longest[600];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    wg_tape *other = wg_tape_new(NULL);
    const struct {
        wg_tensor *param;
        wg_status code;
        const char *message;
    } wrong[] = {
        {wg_param(tape, NULL, WG_F32, WG_SHAPE(2, 3)), WG_E_VALUE, "is no parameter with a name"},
        {wg_rename(wg_full(tape, WG_F32, WG_SHAPE(2, 3), 0), "w"), WG_E_VALUE,
         "params: w (2, 3) is no parameter with a name"},
        {wg_param(other, "w", WG_F32, WG_SHAPE(2, 3)), WG_E_TAPE, "of another tape"},
        {NULL, WG_E_NULL, "params: nothing to add"},
        {wg_param(tape, longest, WG_F32, WG_SHAPE(1)), WG_E_VALUE, "...' is too long"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_params *p = wg_params_new(tape);
        const wg_tensor *added = wg_params_add(p, wrong[i].param);
        ck_assert(wg_is_inert(added) == (wg_tape_status(tape) != WG_OK));
        wg_params_save(p, wg_archive_new(tape), NULL);
        wgt_assert_status(tape, wrong[i].code, wrong[i].message);
        wg_tape_rewind(tape, mark);
    }
    const wg_mark mark = wg_tape_mark(tape);
    wg_params *p = wg_params_new(tape);
    ck_assert_int_eq(wg_params_load(p, wg_archive_new(other), NULL), WG_E_TAPE);
    wg_tape_rewind(tape, mark);
    p = wg_params_new(tape);
    ck_assert_int_eq(wg_params_load(p, NULL, NULL), WG_E_NULL);
    ck_assert_int_eq(wg_params_save(NULL, NULL, NULL), WG_E_NULL);
    ck_assert(wg_is_inert(wg_params_add(NULL, NULL)));
    ck_assert_int_eq(wg_params_new(NULL)->n, 0);
    wg_tape_free(other);
}
END_TEST

Suite *suite_params(void)
{
    Suite *suite = suite_create("params");
    TCase *cases = tcase_create("params");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_params);
    tcase_add_test(cases, test_params_nothing);
    tcase_add_test(cases, test_params_errors);
    suite_add_tcase(suite, cases);
    return suite;
}
