/* Recorded gradients printed as mathematics: they are the closed forms. */
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <string.h>

static wg_tape *t;
static wg_tensor *X, *y, *w, *b;
static FILE *file;
static char text[4096];

static void set_up(void)
{
    const double labels[] = {1, 0, 1, 0, 1, 1};
    t = wg_tape_new(NULL);
    X = wg_rename(wg_constant_normal(t, WG_F64, WG_SHAPE(6, 2), 0, 1, 1), "X");
    y = wg_rename(wg_constant(t, WG_F64, WG_SHAPE(6, 1), labels), "y");
    w = wg_param(t, "w", WG_F64, WG_SHAPE(2, 1));
    b = wg_param(t, "b", WG_F64, WG_SHAPE(1));
    file = tmpfile();
    ck_assert_ptr_nonnull(file);
}

static void tear_down(void)
{
    fclose(file);
    wg_tape_free(t);
}

static void prints(const wg_tensor *x, const char *want)
{
    rewind(file);
    ck_assert_int_eq(wg_print_formula(file, x), WG_OK);
    const size_t n = (size_t)ftell(file);
    rewind(file);
    text[fread(text, 1, n < sizeof text ? n : sizeof text - 1, file)] = '\0';
    ck_assert_str_eq(text, want);
}

static wg_tensor *gradient(wg_tensor *loss, wg_tensor *x)
{
    wg_tensor *g;
    wg_grad(loss, &x, 1, &g);
    return g;
}

START_TEST(gradients_are_closed_forms)
{
    const int64_t classes[] = {0, 1, 1, 0, 2, 0};
    wg_tensor *z = wg_add(wg_matmul(X, w), b), *W = wg_param(t, "W", WG_F64, WG_SHAPE(2, 3));
    wg_tensor *labels = wg_rename(wg_constant(t, WG_I64, WG_SHAPE(6), classes), "labels");
    wg_tensor *loss = wg_bce_with_logits(z, y);
    prints(gradient(loss, w), "t(X)·(sigmoid(X·w + b) - y)/6\n");
    prints(gradient(loss, b), "sum(sigmoid(X·w + b) - y)/6\n");
    prints(gradient(wg_cross_entropy(wg_matmul(X, W), labels), W),
           "t(X)·(softmax(X·W) - onehot(labels))/6\n");
    prints(gradient(wg_mse(wg_tanh(wg_matmul(X, w)), y, WG_MEAN), w),
           "t(X)·((tanh(X·w) - y)·(1 - tanh(X·w)^2))/3\n");
    prints(gradient(wg_mse(wg_matmul(X, w), y, WG_SUM), w), "2·t(X)·(X·w - y)\n");
}
END_TEST

START_TEST(arithmetic)
{
    wg_tensor *v = wg_affine(w, -3, -2);
    prints(v, "-3·w - 2\n");
    prints(wg_sub(wg_square(v), wg_sub(w, wg_div(v, wg_add(w, b)))),
           "(-3·w - 2)^2 - (w - (-3·w - 2)/(w + b))\n");
    prints(wg_scale(wg_reciprocal(wg_neg(w)), 0.25), "-1/w/4\n");
    prints(wg_mul(w, wg_matmul_t(X, true, y, false)), "w·(t(X)·y)\n");
    prints(wg_softmax(w, 0), "softmax(w; axis 0)\n");
    prints(wg_maximum(w, b), "maximum(w, b)\n");
    prints(wg_full(t, WG_F64, WG_SHAPE(2), 0.5), "1/2\n");
    prints(w, "w\n");
}
END_TEST

/* What is used twice, has a name, or is long is told once, on a line of its own. */
START_TEST(lines)
{
    wg_tensor *z = wg_rename(wg_matmul(X, w), "z");
    prints(wg_exp(z), "z = X·w\nexp(z)\n");
    wg_tensor *x = wg_softplus(wg_sin(wg_add(w, b)));
    char want[200];
    snprintf(want, sizeof want, "softplus#%d = softplus(sin(w + b))\n%s", (int)x->index,
             "maximum(softplus#8, exp(softplus#8))\n");
    prints(wg_maximum(x, wg_exp(x)), want);
    for (int i = 0; i < 40; i++)
        x = wg_mul(x, wg_exp(x));
    rewind(file);
    ck_assert_int_eq(wg_print_formula(file, x), WG_OK);
    ck_assert_int_lt(ftell(file), 4000);
}
END_TEST

/* Of many terms and operands the first are told, and all are counted. */
START_TEST(many_terms)
{
    static wg_tensor *many[20000];
    char want[400] = "w";
    for (int i = 0; i < 20000; i++)
        many[i] = w;
    for (int i = 1; i < 20; i++)
        strcat(want, " + w");
    strcat(want, " + ... (20000 terms)\n");
    prints(wg_add_n(many, 20000), want);
    prints(wg_concat(many, 21, 0),
           "concat(w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w, w"
           ", ... (21 operands); axis 0)\n");
}
END_TEST

START_TEST(errors)
{
    ck_assert_int_eq(wg_print_formula(NULL, w), WG_E_NULL);
    ck_assert_int_eq(wg_print_formula(file, NULL), WG_E_NULL);
    ck_assert_int_eq(wg_print_formula(file, wg_matmul(w, w)), WG_E_NULL);
}
END_TEST

Suite *suite_print_formula(void)
{
    Suite *suite = suite_create("print_formula");
    TCase *cases = tcase_create("print_formula");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, gradients_are_closed_forms);
    tcase_add_test(cases, arithmetic);
    tcase_add_test(cases, lines);
    tcase_add_test(cases, many_terms);
    tcase_add_test(cases, errors);
    suite_add_tcase(suite, cases);
    return suite;
}
