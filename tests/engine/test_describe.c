/* What printed tapes and graphs say of attributes. */
#include "models/wengert.h"
#include "ops/describe_internal.h"
#include "ops/registry.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

static wg_tape *t;
static FILE *file;
static char text[4096];

static void set_up(void)
{
    t = wgt_tape(NULL);
    file = tmpfile();
    ck_assert_ptr_nonnull(file);
}

static void tear_down(void)
{
    wgt_assert_status(t, WG_OK, "");
    fclose(file);
    wg_tape_free(t);
}

static wg_tensor *leaf(const char *name, int ndim, const int64_t *dim)
{
    wg_tensor *x = wg_param(t, name, WG_F64, ndim, dim);
    wg_fill_normal(x, 0, 1, 1);
    return x;
}

/* What the op of y says. */
static void assert_says(const wg_tensor *y, const char *want)
{
    text[0] = '\0';
    if (y->op->describe != NULL)
        y->op->describe(y, text, sizeof text);
    ck_assert_str_eq(text, want);
}

START_TEST(axes_and_places)
{
    wg_tensor *x = leaf("x", WG_SHAPE(2, 3, 4));
    assert_says(wg_sum_over(x, WG_AXES(-1), false), "axis 2");
    assert_says(wg_amax_over(x, WG_AXES(2, 0), true), "axes (0, 2)");
    assert_says(wg_sum(wg_scalar(t, WG_F64, 1)), "");
    assert_says(wg_softmax(x, 1), "axis 1");
    assert_says(wg_permute(x, 3, (int[]){2, 0, 1}), "axes (2, 0, 1)");
    assert_says(wg_slice(x, 1, 1, 3), "from (0, 1, 0)");
    assert_says(wg_slice(x, 0, 1, 2), "from (1, 0, 0)");
    assert_says(wg_pad(x, WG_SHAPE(0, 1, 0), WG_SHAPE(0, 0, 2), -1), "before (0, 1, 0), value -1");
    assert_says(wg_concat((wg_tensor *[]){x, x}, 2, -1), "axis 2");
    assert_says(wg_stack((wg_tensor *[]){x, x}, 2, 3), "axis 3");
    assert_says(wg_cumsum(x, 1, false), "axis 1");
    assert_says(wg_cumsum(x, 0, true), "axis 0, reverse");
    assert_says(wg_reshape(x, WG_SHAPE(6, 4)), "");
}
END_TEST

START_TEST(numbers_and_switches)
{
    wg_tensor *a = leaf("a", WG_SHAPE(3, 3));
    wg_tensor *step = wg_scalar(t, WG_I64, 0);
    const int64_t start[] = {0, 1}, column[] = {2};
    const double value[] = {3};
    wg_csr *row = wg_csr_new(t, WG_F64, 1, 3, start, column, value);
    assert_says(wg_scale(a, 2.5), "c 2.5");
    assert_says(wg_clamp(a, -1, 1), "low -1, high 1");
    assert_says(wg_matmul(a, a), "");
    assert_says(wg_matmul_t(a, true, a, false), "a transposed");
    assert_says(wg_matmul_t(a, true, a, true), "a transposed, b transposed");
    assert_says(wg_csr_matmul(row, false, a), "");
    assert_says(wg_csr_matmul(row, true, wg_slice(a, 0, 0, 1)), "A transposed");
    assert_says(wg_dropout(a, 0.25, 1, 7, step), "rate 0.25, key 7");
    assert_says(wg_uniform(WG_F64, WG_SHAPE(2), 1, 8, step), "key 8");
    assert_says(wg_categorical(wg_ones_like(a), 1, 9, step), "key 9");
}
END_TEST

START_TEST(losses)
{
    wg_tensor *z = leaf("z", WG_SHAPE(2, 3)), *y = wg_zeros_like(z);
    wg_tensor *labels = wg_constant(t, WG_I64, WG_SHAPE(2), (const int64_t[]){1, 2});
    const wg_bce_options heavy = {.reduction = WG_NONE, .positive_weight = 2};
    const wg_cross_entropy_options some = {
        .reduction = WG_NONE, .ignore = true, .ignored_label = 2};
    const wg_cross_entropy_options smooth = {.smoothing = 0.1, .ignore = true, .ignored_label = 2};
    assert_says(wg_bce_with_logits_opt(z, y, &(wg_bce_options){.reduction = WG_NONE}),
                "positive_weight 1");
    assert_says(wg_bce_with_logits_opt(z, y, &heavy), "positive_weight 2");
    assert_says(wg_cross_entropy_opt(z, labels, &some), "ignored label 2");
    wg_cross_entropy_opt(z, labels, &smooth);
    ck_assert_int_eq(wg_tape_print(file, t), WG_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    wgt_assert_contains(text, "; smoothing 0.1, ignored label 2  = ");
}
END_TEST

START_TEST(in_tables_and_graphs)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2, 3));
    wg_rename(wg_sum_over(x, WG_AXES(1), false), "rows");
    ck_assert_int_eq(wg_tape_print(file, t), WG_OK);
    ck_assert_int_eq(wg_tape_dot(file, t, NULL, 0), WG_OK);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    wgt_assert_contains(text, "f64  \"rows\" x; axis 1  = 0 0\n");
    wgt_assert_contains(text, "[label=\"rows\\nsum\\naxis 1\\n(2,)\", shape=ellipse];");
}
END_TEST

START_TEST(what_does_not_fit_is_cut)
{
    char small[12] = "", list[WG_SHAPE_TEXT];
    const int64_t numbers[] = {1, 2};
    wg_describe_add(small, sizeof small, "from %s", wg_describe_list(list, 2, numbers));
    ck_assert_str_eq(small, "from (1, 2)");
    wg_describe_add(small, sizeof small, "more");
    ck_assert_str_eq(small, "from (1, 2)");
    small[8] = '\0';
    wg_describe_add(small, sizeof small, "more");
    ck_assert_str_eq(small, "from (1,, m");
}
END_TEST

/* The shape shows what the others' attributes hold. */
START_TEST(every_op_with_attributes_describes_them)
{
    const char *const silent =
        " reshape broadcast_to sum_to assemble scatter_add_rows one_hot cast diagonal_embed ";
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const wg_op *op = wg_op_at(i);
        char name[64];
        snprintf(name, sizeof name, " %s ", op->name);
        ck_assert_msg((op->attr_size > 0 && strstr(silent, name) == NULL) == (op->describe != NULL),
                      "%s", op->name);
    }
}
END_TEST

Suite *suite_describe(void)
{
    Suite *suite = suite_create("describe");
    TCase *cases = tcase_create("describe");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, axes_and_places);
    tcase_add_test(cases, numbers_and_switches);
    tcase_add_test(cases, losses);
    tcase_add_test(cases, in_tables_and_graphs);
    tcase_add_test(cases, what_does_not_fit_is_cut);
    tcase_add_test(cases, every_op_with_attributes_describes_them);
    suite_add_tcase(suite, cases);
    return suite;
}
