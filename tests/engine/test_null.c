/* NULL where a list, a model or a text belongs: an error with a message, never a crash. */
#include "autograd/op.h"
#include "models/optim/optimizer.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *tape;
static wg_tensor *x;

static void setup(void)
{
    tape = wg_tape_new(NULL);
    x = wg_param(tape, "x", WG_F64, WG_SHAPE(3, 2));
}

static void teardown(void)
{
    wg_tape_free(tape);
}

/* What was recorded on the tape, which then goes back to where it was. */
static void expect(wg_mark mark, wg_status status, const char *words)
{
    wgt_assert_status(tape, status, words);
    wg_tape_rewind(tape, mark);
}

START_TEST(axes)
{
    const wg_mark mark = wg_tape_mark(tape);
#define REFUSED(call, name)                                                                        \
    do {                                                                                           \
        ck_assert(wg_is_inert(call));                                                              \
        expect(mark, WG_E_NULL, name ": the axes are NULL");                                       \
    } while (0)
    REFUSED(wg_sum_over(x, 2, NULL, false), "sum");
    REFUSED(wg_mean_over(x, 1, NULL, true), "mean");
    REFUSED(wg_amax_over(x, 1, NULL, false), "amax");
    REFUSED(wg_logsumexp_over(x, 1, NULL, false), "logsumexp");
    REFUSED(wg_prod_over(x, 1, NULL, false), "prod");
    REFUSED(wg_var_over(x, 1, 1, NULL, false), "var");
    REFUSED(wg_std_over(x, 1, 1, NULL, false), "std");
    REFUSED(wg_norm_over(x, 2, 1, NULL, false), "norm");
    REFUSED(wg_squeeze(x, 1, NULL), "squeeze");
#undef REFUSED
    ck_assert(wg_is_inert(wg_sum_over(x, -1, NULL, false)));
    expect(mark, WG_E_VALUE, "sum: the axes are fewer than none: x (3, 2)");
}
END_TEST

/* There is no tape that could hold the error: the result is inert. */
START_TEST(lists_of_tensors)
{
    ck_assert_int_eq(wg_optimizer_step(wg_sgd_new(NULL, 1, NULL), NULL), WG_E_NULL);
    ck_assert_int_eq(wg_optimizer_step(wg_rmsprop_new(NULL, 1, NULL), NULL), WG_E_NULL);
    ck_assert_int_eq(wg_optimizer_step(wg_adam_new(NULL, 2, NULL), NULL), WG_E_NULL);
    ck_assert_int_eq(wg_optimizer_step(wg_adamw_new(NULL, 2, NULL), NULL), WG_E_NULL);
    ck_assert_int_eq(wg_batches_next(wg_batches_new(NULL, 2, NULL)), 0);
    ck_assert_double_nan(wg_global_norm(NULL, 2));
    const wg_tensor none = wg_rows_piece(wg_constant(tape, WG_F64, WG_SHAPE(0, 3), NULL), 0, 0,
                                         NULL);
    ck_assert_int_eq(none.size, 0);
    wg_tensor *stacked = wg_stack(NULL, 2, 0);
    ck_assert(wg_is_inert(stacked));
    FILE *file = tmpfile();
    ck_assert_int_eq(wg_tape_dot(file, tape, NULL, 1), WG_E_NULL);
    fclose(file);
}
END_TEST

START_TEST(results)
{
    const wg_mark mark = wg_tape_mark(tape);
    wg_tensor *y = wg_sum(wg_square(x)), *hv[1];
    ck_assert_int_eq(wg_vjp_many(&y, NULL, 1, &x, 1, hv), WG_E_NULL);
    expect(mark, WG_E_NULL, "grad: the list of cotangents is NULL");
    y = wg_sum(wg_square(x));
    ck_assert_int_eq(wg_hvp(y, &x, &x, 1, NULL), WG_E_NULL);
    expect(mark, WG_E_NULL, "hvp: the list of results is NULL");
    ck_assert_int_eq(wg_hvp(NULL, &x, &x, 1, hv), WG_E_NULL);
    ck_assert(wg_is_inert(hv[0]));
    ck_assert_double_nan(wg_compare_closed_form(x, NULL, 0, NULL));
}
END_TEST

START_TEST(models)
{
    const wg_mark mark = wg_tape_mark(tape);
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        ck_assert(wg_is_inert(call));                                                              \
        expect(mark, WG_E_NULL, "linear model: none");                                             \
    } while (0)
    REFUSED(wg_linear_model_logits(NULL, x));
    REFUSED(wg_linear_model_predict(NULL, x));
#undef REFUSED
    ck_assert_double_nan(wg_linear_model_score(NULL, x, x));
}
END_TEST

START_TEST(texts)
{
    ck_assert_ptr_null(wg_op_find(NULL));
}
END_TEST

Suite *suite_null(void)
{
    Suite *s = suite_create("null");
    TCase *c = tcase_create("null");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, axes);
    tcase_add_test(c, lists_of_tensors);
    tcase_add_test(c, results);
    tcase_add_test(c, models);
    tcase_add_test(c, texts);
    suite_add_tcase(s, c);
    return s;
}
