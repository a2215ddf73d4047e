/* At kinks: what lies among the derivatives to both sides passes, what lies outside fails, also
 * where entries tie; where kinks meet, conventions are told as such, and hide no wrong rule. */
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

#if WG_HAS_WIDE

/* What a JVP leaves on the tape has no values: points next to a kink do without. */
START_TEST(beside_a_jvp)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0, -1, 2});
    wg_tensor *v = wg_ones_like(x), *y = wg_jvp(wg_sum(wg_square(wg_relu(x))), &x, &v, 1);
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(wg_sum(wg_relu(x)), &x, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* ---- Rules that are right but at the kink, where they give `kink_value` ----------------------- */

static _Thread_local double kink_value;

static wg_tensor *zero(const wg_tensor *x)
{
    return wg_full(x->tape, x->dtype, WG_SCALAR, 0);
}
static wg_tensor *relu_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *z = zero(x), *there = wg_scale(dy, kink_value);
    return wg_where(wg_greater(x, z), dy, wg_where(wg_equal(x, z), there, z));
}
static wg_tensor *abs_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *z = zero(x), *there = wg_scale(dy, kink_value);
    return wg_where(wg_greater(x, z), dy, wg_where(wg_equal(x, z), there, wg_neg(dy)));
}
static wg_tensor *maximum_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *a = y->operand[i], *b = y->operand[1 - i], *there = wg_scale(dy, kink_value);
    return wg_where(wg_greater(a, b), dy, wg_where(wg_equal(a, b), there, zero(a)));
}
static wg_tensor *amax_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = wg_op_find("amax")->vjp(y, dy, i), *ties = wg_equal(y->operand[i], y);
    wg_tensor *two = wg_equal(wg_sum(ties), wg_full(y->tape, y->dtype, WG_SCALAR, 2));
    return wg_where(two, wg_scale(g, 2 * kink_value), g);
}
static wg_tensor *norm_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *none = wg_equal(y, zero(x)), *one = wg_ones_like(y);
    wg_tensor *there = wg_scale(wg_mul(dy, wg_ones_like(x)), kink_value);
    return wg_where(none, there, wg_mul(dy, wg_div(x, wg_where(none, one, y))));
}

static wg_tensor *tied(const char *name, wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int),
                       wg_tensor *a, wg_tensor *b)
{
    static _Thread_local wg_op op;
    op = *wg_op_find(name);
    op.name = "tied";
    op.vjp = rule;
    const wg_tensor *like = strcmp(name, "amax") == 0    ? wg_amax(a)
                            : strcmp(name, "norm2") == 0 ? wg_norm(a, 2)
                                                         : NULL;
    return wg_apply(&op, (wg_tensor *[]){a, b}, op.arity, like != NULL ? like->attrs : NULL);
}

typedef struct tie_case {
    const char *op;
    wg_tensor *(*rule)(wg_tensor *, wg_tensor *, int);
    double at, x[4]; /* what the rule gives at the kink */
    bool right;
} tie_case;

static const tie_case tie_cases[] = {
    {"relu", relu_rule, 0, {0, 0, 1.5, -1}, true},
    {"relu", relu_rule, 1, {0, 0, 1.5, -1}, true},
    {"relu", relu_rule, 1.001, {0, 0, 1.5, -1}, false},
    {"relu", relu_rule, -0.1, {0, 0, 1.5, -1}, false},
    {"abs", abs_rule, -1, {0, 2, 1.5, -1}, true},
    {"abs", abs_rule, -1.5, {0, 2, 1.5, -1}, false},
    {"maximum", maximum_rule, 0.5, {0, 0, 1.5, -1}, true},
    {"maximum", maximum_rule, 1, {0, 0, 1.5, -1}, false},   /* both sides get all of it */
    {"maximum", maximum_rule, 0, {0, 0, 1.5, -1}, false},   /* or none */
    {"maximum", maximum_rule, 0.6, {0, 0, 1.5, -1}, false}, /* or 1.2 together */
    {"amax", amax_rule, 0.5, {1.5, 0.25, 1.5, -1}, true},
    {"amax", amax_rule, 1, {1.5, 0.25, 1.5, -1}, false},
    {"amax", amax_rule, 0, {1.5, 0.25, 1.5, -1}, false},
    {"norm2", norm_rule, 0.4, {0}, true},
    {"norm2", norm_rule, 0.9, {0}, false}, /* each entry is below 1, their norm is 1.8 */
#if WG_WIDE_BITS > 100
    {"relu", relu_rule, 1 + 1e-10, {0, 0, 1.5, -1}, false},
#endif
};

START_TEST(rules_at_ties)
{
    const tie_case *c = &tie_cases[_i];
    const wg_check_verdict want = c->right ? WG_CHECK_PASSED : WG_CHECK_FAILED;
    const wg_gradcheck_options o[] = {{0}, {.precision = WG_CHECK_WIDE}, {.directions = 3}};
    wg_tape *t = wg_tape_new(NULL);
    kink_value = c->at;
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), c->x);
    wg_tensor *b = wgt_param(t, "b", WG_SHAPE(4), (double[]){0, 1, 1.5, -2});
    wg_tensor *y = tied(c->op, c->rule, wg_sinh(x), wg_sinh(b));
    wg_tensor *sum = wg_add(wg_sum(wg_sin(y)), wg_sum(wg_square(x)));
    for (int k = 0; k < 3; k++)
        for (int whole = 0; whole < 2; whole++) {
            wg_check_report r;
            const wg_check_verdict v = wg_gradcheck(whole ? sum : y, &x, NULL, 1, &o[k], &r);
            ck_assert_msg(v == want, "%s, %g at the kink: %s", c->op, c->at,
                          wg_check_verdict_name(v));
            ck_assert(c->right || strcmp(r.blame, "tied") == 0);
        }
    ck_assert_int_eq(wg_gradcheck_taylor(sum, x, 2, NULL, NULL), want);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* ---- Where kinks meet ------------------------------------------------------------------------ */

static wg_tensor *relu_pair(wg_tensor *x)
{
    return wg_sub(wg_relu(x), wg_relu(wg_neg(x)));
}
static wg_tensor *own_condition(wg_tensor *x)
{
    return wg_where(x, wg_scale(x, 2), wg_mul(x, x));
}
static wg_tensor *two_ties(wg_tensor *x)
{
    return wg_maximum(wg_maximum(x, wg_scale(x, 2)), wg_scale(x, 3));
}
static wg_tensor *smaller_power(wg_tensor *x)
{
    return wg_minimum(wg_square(x), wg_abs(x));
}

static void count(const wg_check_entry *e, const wg_check_report *input, void *told)
{
    (void)input;
    *(int *)told += e != NULL;
}

START_TEST(kinks_meet)
{
    int told = 0;
    const wg_gradcheck_options o = {.check = {.listen = count, .listener = &told}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(2, 2), (double[]){1, -2, 0, 3}), *g;
    wg_tensor *pair = wg_sum(relu_pair(x));
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(pair, &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_int_eq(told, 4);
    ck_assert_uint_eq(r.meet, 1);
    ck_assert_uint_eq(r.kink, 1);
    ck_assert_uint_eq(r.worst.index, 2);
    ck_assert_str_eq(r.worst.op, "relu");
    ck_assert_ptr_nonnull(strstr(r.note, "kinks meet"));
    /* The same gradient, given. */
    ck_assert_int_eq(wg_grad(pair, &x, 1, &g), WG_OK);
    ck_assert_int_eq(wg_gradcheck(pair, &x, &g, 1, NULL, &r), WG_CHECK_PASSED);
    ck_assert_uint_eq(r.meet, 1);
    wg_tensor *wrong = wg_scale(g, 1.001);
    ck_assert_int_eq(wg_gradcheck(pair, &x, &wrong, 1, NULL, &r), WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

START_TEST(kinks_meet_in_every_mode)
{
    wg_tensor *(*const f[])(wg_tensor *) = {relu_pair, own_condition, two_ties, smaller_power};
    const wg_gradcheck_options o[] = {{0}, {.precision = WG_CHECK_WIDE}, {.directions = 3}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), (double[]){1, -2, 0, 3});
    wg_tensor *y = wg_sum(f[_i](wg_affine(x, 1.5, 0)));
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o[k], NULL), WG_CHECK_PASSED);
        const wg_check_verdict v = wg_gradcheck_second(y, &x, 1, &o[k], NULL);
        ck_assert_msg(v == WG_CHECK_PASSED || v == WG_CHECK_VACUOUS, "second order: %s",
                      wg_check_verdict_name(v));
    }
    ck_assert_int_eq(wg_gradcheck_taylor(y, x, 2, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    wg_tape_free(t);
}
END_TEST

/* Right but for one entry, by the share given: the largest of them are 1. */
static _Thread_local double off_by;

static wg_tensor *sine_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *error = wg_ones_like(dy);
    for (int64_t k = 0; k < wg_size(error); k++)
        wg_set_element(error, k, k == 2 ? 1 + off_by : 1);
    return wg_mul(error, wg_op_find("sin")->vjp(y, dy, i));
}

/* Conventions are no excuse: the entry at which kinks meet has a wrong rule on its way, too. */
START_TEST(a_wrong_rule_where_kinks_meet)
{
    static const double errors[] = {0.5, -1e-3, 1e-6, 1e-10};
    static _Thread_local wg_op op;
    const wg_gradcheck_options o[] = {{0}, {.precision = WG_CHECK_WIDE}, {.directions = 3}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(4), (double[]){1, -2, 0, 3});
    op = *wg_op_find("sin");
    op.name = "wrong";
    op.vjp = sine_rule;
    off_by = errors[_i];
    wg_tensor *s = wg_apply(&op, &x, 1, NULL);
    wg_tensor *y = wg_sum(wg_add(relu_pair(x), s)), *chain = wg_sum(relu_pair(s));
    for (int k = 0; k < 3; k++) {
        wg_check_report r;
        ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o[k], &r), WG_CHECK_FAILED);
        ck_assert_str_eq(r.blame, "wrong");
        ck_assert_int_eq(wg_gradcheck(chain, &x, NULL, 1, &o[k], &r), WG_CHECK_FAILED);
    }
    wg_tape_free(t);
}
END_TEST

/* Nor are they for a rule that is wrong at its own kink. */
START_TEST(a_wrong_convention_where_kinks_meet)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){1, 0, -2}), *y;
    wg_check_report r;
    kink_value = _i == 0 ? 1.5 : 1;
    if (_i == 0)
        y = wg_sub(tied("relu", relu_rule, x, NULL), wg_relu(wg_neg(x)));
    else
        y = tied("maximum", maximum_rule, x, wg_scale(x, 1)); /* each of two x gets all */
    ck_assert_int_eq(wg_gradcheck(wg_sum(y), &x, NULL, 1, NULL, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "tied");
    wg_tape_free(t);
}
END_TEST

/* A mask of infinities, which x does not reach, and a condition that does not move: no rule of
 * theirs is asked, one behind them is. */
START_TEST(masks_of_infinities)
{
    static _Thread_local wg_op op;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), (double[]){0, 2, -1});
    const double mask[] = {-HUGE_VAL, 1, HUGE_VAL}, taken[] = {0, 1, 0};
    wg_tensor *masked = wg_where(wg_constant(t, WG_F64, WG_SHAPE(3), taken),
                                 wg_constant(t, WG_F64, WG_SHAPE(3), mask), x);
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(wg_sum(relu_pair(masked)), &x, NULL, 1, NULL, &r),
                     WG_CHECK_PASSED);
    ck_assert_uint_eq(r.meet, 1);
    op = *wg_op_find("sin");
    op.name = "wrong";
    op.vjp = sine_rule;
    off_by = 1e-3;
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_apply(&op, &masked, 1, NULL)), &x, NULL, 1, NULL, &r),
                     WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "wrong");
    wg_tape_free(t);
}
END_TEST

/* Between the derivatives to both sides at the kink, and too little just right of it. */
static wg_tensor *late_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *z = zero(x), *near = wg_scalar_like(x, 1e-3);
    wg_tensor *right = wg_where(wg_greater(x, near), dy, wg_scale(dy, 0.7));
    return wg_where(wg_greater(x, z), right, wg_where(wg_equal(x, z), wg_scale(dy, 0.5), z));
}

/* Three quarters of the entries are right of it at one of the two points next to x, or at both. */
START_TEST(a_wrong_rule_next_to_a_kink)
{
    enum { N = 64 };
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(N));
    wg_tensor *y = wg_sum(tied("relu", late_rule, wg_scale(x, 2), NULL));
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "tied");
    ck_assert_ptr_nonnull(strstr(r.note, "next to it a rule is wrong"));
    ck_assert_uint_ge(r.disagree, N * 2 / 3);
    ck_assert_uint_eq(r.disagree + r.kink, N);
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_relu(x)), &x, NULL, 1, NULL, &r), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

#endif

Suite *suite_kinks(void)
{
    Suite *suite = suite_create("kinks");
    TCase *tc = tcase_create("kinks");
#if WG_HAS_WIDE
    tcase_add_loop_test(tc, rules_at_ties, 0, (int)(sizeof tie_cases / sizeof *tie_cases));
    tcase_add_test(tc, beside_a_jvp);
    tcase_add_test(tc, kinks_meet);
    tcase_add_loop_test(tc, kinks_meet_in_every_mode, 0, 4);
    tcase_add_loop_test(tc, a_wrong_rule_where_kinks_meet, 0, 4);
    tcase_add_loop_test(tc, a_wrong_convention_where_kinks_meet, 0, 2);
    tcase_add_test(tc, a_wrong_rule_next_to_a_kink);
    tcase_add_test(tc, masks_of_infinities);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
