/* The tape as a table and as a graph for Graphviz. */
#include "autograd/print/print.h"
#include "autograd/tape_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static wg_tape *t;
static FILE *file;
static char text[8192];

static void set_up(void)
{
    t = wgt_tape(NULL);
    file = tmpfile();
    ck_assert_ptr_nonnull(file);
}

static void tear_down(void)
{
    fclose(file);
    wg_tape_free(t);
}

/* All that was written so far. */
static const char *written(void)
{
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    rewind(file);
    return text;
}

static const char *printed(void)
{
    ck_assert_int_eq(wg_tape_print(file, t), WG_OK);
    return written();
}

START_TEST(test_print)
{
    const double values[] = {1, 2.5, -3, 4, 5};
    wg_tensor *w = wgt_param(t, "w", WG_SHAPE(5), values);
    wgt_scaled(w, 2);
    wg_scalar(t, WG_I64, 7);
    wg_abstract(t, WG_F32, WG_SHAPE(0, 2));
    ck_assert_str_eq(printed(),
                     "#0     parameter          (5,)           f64  \"w\" = 1 2.5 -3 4 ...\n"
                     "#1     scaled             (5,)           f64  w  = 2 5 -6 8 ...\n"
                     "#2     constant           ()             i64  = 7\n"
                     "#3     abstract           (0, 2)         f32  = (no value)\n");
}
END_TEST

/* A name may come from a stranger's file. */
START_TEST(test_print_name_of_control_bytes)
{
    wg_tensor *x = wgt_scalar_param(t, "a\033[31m\nb", 2);
    wgt_scaled(x, 2);
    wg_tape_print(file, t);
    wg_tape_dot(file, t, NULL, 0);
    wg_print_formula(file, wgt_scaled(x, 3));
    ck_assert_ptr_nonnull(strstr(written(), "\"a?[31m?b\" = 2"));
    ck_assert_ptr_null(strchr(written(), '\033'));
}
END_TEST

START_TEST(test_print_operands_and_stale)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    wgt_product(wgt_cube(x), x);
    wgt_assert_lacks(printed(), "(stale)");
    wg_edit(x);
    wgt_assert_contains(printed(), "cube#1, x  = 16  (stale)\n");
    wg_replay(t);
    ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
    wgt_assert_lacks(printed(), "(stale)");
}
END_TEST

/* What NumPy prints of the same arrays. */
START_TEST(test_print_as_numpy)
{
    const double mixed[] = {1, 2.5, -3, 0, 1e-3, 7},
                 wide[] = {1e-9, 2, (double)NAN, -(double)INFINITY};
    const double cut[] = {1.0 / 3, 0.7433432, 0.743343201234, 100};
    const float narrow[] = {0.1f, 0.25f, 3};
    const int64_t whole[] = {1, -20, 300};
    wg_print(file, wg_constant(t, WG_F64, WG_SHAPE(2, 3), mixed));
    wg_print(file, wg_constant(t, WG_F64, WG_SHAPE(4), wide));
    wg_print(file, wg_constant(t, WG_F64, WG_SHAPE(4), cut));
    wg_print(file, wg_constant(t, WG_F32, WG_SHAPE(3), narrow));
    wg_print(file, wg_constant(t, WG_I64, WG_SHAPE(3), whole));
    wg_print(file, wg_full(t, WG_F64, WG_SHAPE(2, 2, 2), 1.5));
    wg_print(file, wg_full(t, WG_F64, WG_SHAPE(0), 1));
    wg_print(file, wg_full(t, WG_F64, WG_SHAPE(WGT_MANY, 0), 1));
    wg_print(file, wg_scalar(t, WG_F64, 3));
    wg_print(file, wg_scalar(t, WG_F64, 1.0 / 3));
    wg_print(file, wg_full(t, WG_F64, WG_SHAPE(2000), 1));
    wg_print(file, wg_full(t, WG_F64, WG_SHAPE(25), 1.25));
    ck_assert_str_eq(written(),
                     "[[ 1.0e+00  2.5e+00 -3.0e+00]\n"
                     " [ 0.0e+00  1.0e-03  7.0e+00]]\n"
                     "[1.e-09 2.e+00    nan   -inf]\n"
                     "[  0.33333333   0.7433432    0.7433432  100.        ]\n"
                     "[0.1  0.25 3.  ]\n"
                     "[  1 -20 300]\n"
                     "[[[1.5 1.5]\n"
                     "  [1.5 1.5]]\n"
                     "\n"
                     " [[1.5 1.5]\n"
                     "  [1.5 1.5]]]\n"
                     "[]\n"
                     "[]\n"
                     "3.0\n"
                     "0.3333333333333333\n"
                     "[1. 1. 1. ... 1. 1. 1.]\n"
                     "[1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25\n"
                     " 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25 1.25]\n");
    ck_assert_int_eq(wg_print(NULL, wg_scalar(t, WG_F64, 3)), WG_E_NULL);
    ck_assert_int_eq(wg_print(file, NULL), WG_E_NULL);
}
END_TEST

/* Up to 1000 elements are printed. */
START_TEST(test_print_all)
{
    for (int64_t n = 1000; n <= 1001; n++) {
        wg_print(file, wg_full(t, WG_F64, WG_SHAPE(n), 1));
        ck_assert_int_eq(strstr(written(), "...") != NULL, n > 1000);
        ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
    }
}
END_TEST

START_TEST(test_print_error)
{
    wg_scalar(t, WG_I64, 1e30);
    ck_assert_str_eq(printed(), "WG_E_VALUE: constant: 1e+30 is no i64\n");
}
END_TEST

START_TEST(test_dot)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wg_rename(wgt_product(x, x), "y");
    wgt_sine(x);
    ck_assert_int_eq(wg_tape_dot(file, t, &y, 1), WG_OK);
    const char *dot = written();
    wgt_assert_contains(dot, "digraph tape {\n");
    wgt_assert_contains(dot, "  n0 [label=\"x\\n()\", shape=box, style=filled");
    wgt_assert_contains(dot, "  n1 [label=\"y\\nproduct\\n()\", shape=ellipse];\n");
    wgt_assert_contains(dot, "  n0 -> n1;\n  n0 -> n1;\n}\n");
    wgt_assert_lacks(dot, "sine"); /* y does not need it */
    ck_assert_int_eq(wg_tape_dot(file, t, NULL, 0), WG_OK);
    wgt_assert_contains(written(), "sine");
}
END_TEST

START_TEST(test_dot_escapes)
{
    wgt_scalar_param(t, "a \"b\" \\ c\nd", 2);
    ck_assert_int_eq(wg_tape_dot(file, t, NULL, 0), WG_OK);
    wgt_assert_contains(written(), "label=\"a \\\"b\\\" \\\\ c?d\\n()\"");
}
END_TEST

START_TEST(test_dot_is_accepted)
{
    if (system("command -v dot > /dev/null 2>&1") != 0)
        return; /* no Graphviz here */
    wg_tensor *x = wgt_scalar_param(t, "a \"b\" \\ c\nd", 2);
    wgt_cube(wgt_product(x, x));
    FILE *pipe = popen("dot -Tplain > /dev/null 2>&1", "w");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_int_eq(wg_tape_dot(pipe, t, NULL, 0), WG_OK);
    ck_assert_int_eq(pclose(pipe), 0);
}
END_TEST

START_TEST(test_mistakes)
{
    wgt_memory memory = {0};
    wg_tape *other = wgt_tape(&memory);
    wg_tensor *z = wgt_scalar_param(other, "z", 1), *none = NULL, *inert = &t->inert;
    ck_assert_int_eq(wg_tape_print(NULL, t), WG_E_NULL);
    ck_assert_int_eq(wg_tape_print(file, NULL), WG_E_NULL);
    ck_assert_int_eq(wg_tape_dot(NULL, t, NULL, 0), WG_E_NULL);
    ck_assert_int_eq(wg_tape_dot(file, NULL, NULL, 0), WG_E_NULL);
    ck_assert_int_eq(wg_tape_dot(file, t, &z, 1), WG_E_TAPE);
    ck_assert_int_eq(wg_tape_dot(file, t, &none, 1), WG_E_NULL);
    ck_assert_int_eq(wg_tape_dot(file, t, &inert, 1), WG_E_NULL);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(wg_tape_dot(file, other, NULL, 0), WG_E_NOMEM);
    ck_assert_str_eq(written(), "");
    wgt_assert_status(t, WG_OK, ""); /* returned, not recorded */
    wg_tape_free(other);
}
END_TEST

START_TEST(test_full_disk)
{
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        return;
    wgt_scalar_param(t, "x", 2);
    ck_assert_int_eq(wg_tape_print(full, t), WG_E_IO);
    ck_assert_int_eq(wg_tape_dot(full, t, NULL, 0), WG_E_IO);
    fclose(full);
}
END_TEST

Suite *suite_graph(void)
{
    Suite *suite = suite_create("graph");
    TCase *cases = tcase_create("graph");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_print);
    tcase_add_test(cases, test_print_name_of_control_bytes);
    tcase_add_test(cases, test_print_operands_and_stale);
    tcase_add_test(cases, test_print_as_numpy);
    tcase_add_test(cases, test_print_all);
    tcase_add_test(cases, test_print_error);
    tcase_add_test(cases, test_dot);
    tcase_add_test(cases, test_dot_escapes);
    tcase_add_test(cases, test_dot_is_accepted);
    tcase_add_test(cases, test_mistakes);
    tcase_add_test(cases, test_full_disk);
    suite_add_tcase(suite, cases);
    return suite;
}
