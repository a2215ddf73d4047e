/* Every known way to fool the checker: wrong rules that once passed, right ones that were once accused. */
#include "models/wengert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

static wg_check_verdict check(wg_tensor *y, wg_tensor *x, wg_check_report *r)
{
    return wg_gradcheck(y, &x, NULL, 1, NULL, r);
}

/* ---- False passes --------------------------------------------------------------------------------- */

static wg_tensor *rule_nothing(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return NULL;
}
static wg_tensor *rule_forgets(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)dy;
    return wg_cos(y->operand[i]);
}
static wg_tensor *rule_squares(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_square(dy), wg_cos(y->operand[i]));
}
static wg_tensor *rule_normalizes(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_div(dy, wg_abs(dy)), wg_cos(y->operand[i]));
}

static wg_tensor *wrong_sine(wg_tensor *x, wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int))
{
    static wg_op op;
    op = *wg_op_find("sin");
    op.name = "wrong_sine";
    op.vjp = rule;
    return wg_apply(&op, &x, 1, NULL);
}

/* Its period divides every power of two: differences at such steps do not see it. */
START_TEST(a_period_of_all_steps)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *s = wrong_sine(wg_scale(x, 1024 * 3.14159265358979323846), rule_nothing);
    wg_check_report r;
    ck_assert_int_eq(check(wg_add(wg_sum(wg_square(x)), wg_sum(s)), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    wg_tape_free(t);
}
END_TEST

START_TEST(not_linear_in_the_cotangent)
{
    wg_tensor *(*const rules[])(wg_tensor *, wg_tensor *, int) = {rule_forgets, rule_squares,
                                                                  rule_normalizes};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *one = wgt_param(t, "one", WG_SHAPE(1), (double[]){0.7});
    wg_check_report r;
    ck_assert_int_eq(check(wg_sum(wrong_sine(x, rules[_i])), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    ck_assert_int_eq(check(wrong_sine(one, rules[_i]), one, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong_sine");
    wg_tape_free(t);
}
END_TEST

/* x^3 x: the cube's derivative, 3 x^2, is kept as a number, and the second derivative claims 6 x^2. */
static wg_tensor *rule_captures(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    double value[3];
    for (int64_t k = 0; k < 3; k++)
        value[k] = 3 * wg_at(x, k) * wg_at(x, k);
    return wg_mul(dy, wg_constant(x->tape, WG_F64, WG_SHAPE(3), value));
}

static void cube_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                     const void *attrs)
{
    const double *a = x[0];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * a[i * stride[0]] * a[i * stride[0]];
}

START_TEST(a_captured_value)
{
    static wg_op cube;
    cube = *wg_op_find("square");
    cube.name = "cube";
    cube.vjp = rule_captures;
    cube.map[WG_F64] = cube_map;
    cube.map[WG_WIDE] = NULL;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0.5, -1.25, 2});
    wg_tensor *y = wg_sum(wg_mul(wg_apply(&cube, &x, 1, NULL), x));
    ck_assert_int_eq(check(y, x, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, NULL), WG_CHECK_FAILED);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* Alternates by 1e-6; depends on where its work is cut. */
static int impure_calls;

static void alternating_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                            const void *attrs)
{
    const double *a = x[0], more = impure_calls++ % 2 == 0 ? 1 : 1 + 1e-6;
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = more * a[i * stride[0]] * a[i * stride[0]];
}

static void cut_map(int64_t n, void *y, const void *const x[], const int64_t stride[],
                    const void *attrs)
{
    const double *a = x[0];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * a[i * stride[0]] * (i == 0 && n < 4 ? 1 + 1e-9 : 1);
}

START_TEST(an_impure_op)
{
    static wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), (double[]){0.5, -1.25, 2, 1});
    op = *wg_op_find("square");
    op.name = "impure";
    op.map[WG_F64] = _i == 0 ? alternating_map : cut_map;
    op.map[WG_WIDE] = NULL;
    wg_check_report r;
    ck_assert_int_eq(check(wg_sum(wg_apply(&op, &x, 1, NULL)), x, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "impure");
    wg_tape_free(t);
}
END_TEST

/* ---- False accusations ---------------------------------------------------------------------------- */

typedef struct accused {
    const char *what;
    wg_tensor *(*f)(wg_tensor *);
    int n;
    double x[4];
} accused;

static wg_tensor *entropy(wg_tensor *p)
{
    wg_tensor *q = wg_shift(wg_neg(p), 1);
    return wg_neg(wg_add(wg_mul(p, wg_log(p)), wg_mul(q, wg_log(q))));
}
static wg_tensor *log1p_over(wg_tensor *x)
{
    return wg_div(wg_log1p(x), x);
}
static wg_tensor *fast_sine(wg_tensor *x)
{
    return wg_sin(wg_scale(x, 1e6));
}
static wg_tensor *gap_of_logits(wg_tensor *x)
{
    return wg_sub(wg_logsumexp(x), wg_amax(x));
}
static wg_tensor *jensen_shannon(wg_tensor *x)
{
    wg_tensor *p = wg_softmax(x, -1), *q = wg_softmax(wg_neg(x), -1);
    wg_tensor *m = wg_scale(wg_add(p, q), 0.5);
    return wg_scale(wg_add(wg_sum(wg_sub(wg_xlogy(p, p), wg_xlogy(p, m))),
                           wg_sum(wg_sub(wg_xlogy(q, q), wg_xlogy(q, m)))),
                    0.5);
}
static wg_tensor *z_scores(wg_tensor *x)
{
    wg_tensor *centred = wg_sub(x, wg_mean(x));
    wg_tensor *z = wg_div(centred, wg_sqrt(wg_mean(wg_square(centred))));
    return wg_mul(z, wg_square(z));
}
static wg_tensor *relu_pair(wg_tensor *x)
{
    return wg_sub(wg_relu(x), wg_relu(wg_neg(x)));
}
static wg_tensor *steep_relu(wg_tensor *x)
{
    return wg_scale(wg_relu(x), 3);
}

static const accused accused_cases[] = {
    {"entropy", entropy, 4, {1e-12, 1e-9, 1e-6, 1e-3}},
    {"log1p(x)/x", log1p_over, 1, {1e-5}},
    {"sin at 1e12", wg_sin, 2, {1e12, 3e11}},
    {"asin next to 1", wg_asin, 1, {1 - 1e-13}},
    {"sin(1e6 x)", fast_sine, 2, {0.7, -1.3}},
    {"logsumexp - amax", gap_of_logits, 2, {41, 0}},
    {"Jensen-Shannon", jensen_shannon, 3, {-30, 25, 40}},
    {"exp at -740", wg_exp, 1, {-740}},
    {"z-scores", z_scores, 4, {1e8, 1e8 + 1e-4, 1e8 + 2.5e-4, 1e8 + 3e-4}},
    {"relu at 0", steep_relu, 3, {0, 1, -1}},
    {"relu at 0 alone", steep_relu, 1, {0}},
    {"relu(x) - relu(-x)", relu_pair, 2, {0, 2}},
};

START_TEST(right_but_hard)
{
    const accused *c = &accused_cases[_i];
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(c->n), c->x), *y = c->f(x);
    wg_check_report r;
    const wg_gradcheck_options along = {.directions = 4};
    wg_check_verdict v = check(y, x, &r);
    if (c->f == relu_pair)
        ck_assert_int_eq(v, WG_CHECK_UNRESOLVED); /* two conventions meet: said, not accused */
    else if (WG_WIDE_BITS == 113)                 /* 64 bits may leave it open */
        ck_assert_msg(v == WG_CHECK_PASSED, "%s: %s at [%zu], %g for %g", c->what,
                      wg_check_verdict_name(v), r.worst.index, r.worst.claimed,
                      r.worst.numeric.value);
    ck_assert_msg(v != WG_CHECK_FAILED, "%s is accused", c->what);
    v = wg_gradcheck(y, &x, NULL, 1, &along, &r);
    ck_assert_msg(v != WG_CHECK_FAILED, "%s: accused along a direction: %g for %g", c->what,
                  r.worst.claimed, r.worst.numeric.value);
    wg_tape_free(t);
}
END_TEST

Suite *suite_fooled(void)
{
    Suite *suite = suite_create("fooled");
    TCase *tc = tcase_create("false passes");
    tcase_add_test(tc, a_period_of_all_steps);
    tcase_add_loop_test(tc, not_linear_in_the_cotangent, 0, 3);
    tcase_add_test(tc, a_captured_value);
    tcase_add_loop_test(tc, an_impure_op, 0, 2);
    suite_add_tcase(suite, tc);
    TCase *right = tcase_create("false accusations");
    tcase_add_loop_test(right, right_but_hard, 0,
                        (int)(sizeof accused_cases / sizeof *accused_cases));
    suite_add_tcase(suite, right);
    return suite;
}
