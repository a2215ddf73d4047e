/* Wrong rules that the values of a gradient alone do not show: right at one cotangent only, at one
 * time, in one dtype, where nothing ties, or beside large shares. And right ones of the kind. */
#include "autograd/check/gradcheck.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

typedef wg_tensor *rule(wg_tensor *y, wg_tensor *dy, int i);

static wg_tensor *param(wg_tape *t, int n, const double *x)
{
    return wgt_param(t, "x", WG_SHAPE(n), x);
}

/* The node once more with another rule; without a wide form where only doubles are wanted. */
static wg_tensor *with_rule(const wg_tensor *y, rule *vjp, bool doubles)
{
    static _Thread_local wg_op op;
    op = *y->op;
    op.name = "planted";
    op.vjp = vjp;
    op.vjp_parts = NULL;
    if (doubles) {
        op.map[WG_WIDE] = NULL;
        op.flags &= ~(unsigned)WG_OP_WIDE;
    }
    return wg_apply(&op, y->operand, y->n_operands, y->attrs);
}

static void must_fail(wg_tensor *y, wg_tensor *const xs[], int n, const char *what)
{
    wg_check_report r[2];
    bool blamed = false;
    const wg_check_verdict v = wg_gradcheck(y, xs, NULL, n, NULL, r);
    for (int i = 0; i < n; i++)
        blamed = blamed || (r[i].blame != NULL && strcmp(r[i].blame, "planted") == 0);
    ck_assert_msg(v == WG_CHECK_FAILED && blamed, "%s: %s", what, wg_check_verdict_name(v));
}

static void must_pass(wg_tensor *y, wg_tensor *x, const char *what)
{
    wg_check_report r;
    const wg_check_verdict v = wg_gradcheck(y, &x, NULL, 1, NULL, &r);
    ck_assert_msg(v == WG_CHECK_PASSED, "%s: %s, %s", what, wg_check_verdict_name(v),
                  r.note != NULL ? r.note : "no note");
}

/* ---- Ties, where there are doubles only ------------------------------------------------------ */

static wg_tensor *all_that_tie(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    return wg_mul(wg_cast(wg_equal(x, y), x->dtype), dy);
}
static wg_tensor *none_that_tie(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_cast(wg_greater(y->operand[i], y->operand[1 - i]), y->dtype), dy);
}

static wg_tensor *maximum_of_both(wg_tensor *x)
{
    return wg_maximum(x, wg_scale(x, 1));
}
static wg_tensor *norm_twice(wg_tensor *x)
{
    return wg_hypot(x, wg_scale(x, 2));
}

START_TEST(ties_in_double)
{
    wg_tensor *(*const f[])(wg_tensor *) = {wg_amax, wg_amin, maximum_of_both,
                                            wg_abs,  wg_relu, norm_twice};
    const double x[][4] = {{1, 3, 2, 3}, {1, 1, 2, 3}, {1, 3, 0, -2},
                           {0, 1, 0, 2}, {0, 1, 0, 2}, {0, 1, 0, 2}};
    const int n_wrong = 3;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *a = param(t, 4, x[_i]), *y = f[_i](a);
    if (_i < n_wrong)
        must_fail(wg_square(with_rule(y, all_that_tie, true)), &a, 1, "all that tie");
    if (_i == 2)
        must_fail(wg_square(with_rule(y, none_that_tie, true)), &a, 1, "none that ties");
    ck_assert_int_ne(
        wg_gradcheck(wg_square(with_rule(y, y->op->vjp, true)), &a, NULL, 1, NULL, NULL),
        WG_CHECK_FAILED);
    wg_tape_free(t);
}
END_TEST

/* |a| - |b|, with the derivatives to the right at 0: along (1, -1) they say 2, where it does not
 * move at all; next to 0 it does as they say. */
static void difference_of_sizes(int64_t n, void *y, const void *const x[], const int64_t stride[],
                                const void *attrs)
{
    const double *a = x[0], *b = x[1];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = fabs(a[i * stride[0]]) - fabs(b[i * stride[1]]);
}
static wg_tensor *to_the_right(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *down = wg_less(x, wg_zeros_like(x));
    wg_tensor *g = wg_scale(dy, i == 0 ? 1 : -1);
    return wg_where(down, wg_neg(g), g);
}

START_TEST(two_kinks_at_0_in_double)
{
    wg_op op = *wg_op_find("hypot");
    op.name = "planted";
    op.formula = op.notation = NULL;
    op.vjp = to_the_right;
    memset(op.map, 0, sizeof op.map);
    op.map[WG_F64] = difference_of_sizes;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *xs[] = {param(t, 2, (double[]){0, 1}), param(t, 2, (double[]){0, 2})};
    wg_check_report r[2];
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_apply(&op, xs, 2, NULL)), xs, NULL, 2, NULL, r),
                     WG_CHECK_PASSED);
    ck_assert_uint_eq(r[0].kink + r[1].kink, 2);
    wg_tape_free(t);
}
END_TEST

/* ---- Shares ---------------------------------------------------------------------------------- */

#if WG_HAS_WIDE
static wg_tensor *minus_cos(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_neg(wg_mul(dy, wg_cos(y->operand[i])));
}
static wg_tensor *nothing(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)dy, (void)i;
    return NULL;
}

/* sin(p) + share sin(q), where only the rule of the second sine is wrong, p and q two xs or two
 * entries of one. */
START_TEST(small_shares)
{
    rule *const rules[] = {minus_cos, nothing};
    for (double share = 1e-6; share > 1e-14; share /= 10) {
        if (WG_WIDE_BITS != 113 && share < 1e-9) /* below the digits that there are */
            break;
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *xs[] = {param(t, 1, (double[]){0.4}), param(t, 1, (double[]){0.7})};
        wg_tensor *x = param(t, 4, (double[]){0.3, 0.4, 0.5, 0.6});
        wg_tensor *small = with_rule(wg_sin(xs[1]), rules[_i], false);
        must_fail(wg_add(wg_sin(xs[0]), wg_scale(small, share)), xs, 2, "two xs");
        small = with_rule(wg_sin(wg_slice(x, 0, 3, 4)), rules[_i], false);
        must_fail(wg_add(wg_sum(wg_sin(wg_slice(x, 0, 0, 3))), wg_sum(wg_scale(small, share))), &x,
                  1, "two entries");
        wg_tape_free(t);
    }
}
END_TEST
#endif

/* ---- Parts ----------------------------------------------------------------------------------- */

static wg_tensor *parts_twice(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    return wg_scale(wg_op_find("slice")->vjp_parts(ys, dys, n), 2);
}
static wg_tensor *parts_lost(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    return wg_op_find("slice")->vjp_parts(ys, dys, n > 1 ? n - 1 : n);
}

static wg_tensor *part(wg_tensor *x,
                       wg_tensor *(*parts)(wg_tensor *const *, wg_tensor *const *, int))
{
    static _Thread_local wg_op op;
    const wg_tensor *s = wg_slice(x, 0, 1, 3);
    op = *s->op;
    op.name = "planted";
    op.vjp_parts = parts;
    return wg_apply(&op, &x, 1, s->attrs);
}

START_TEST(wrong_parts)
{
    wgt_memory memory = {0};
    wg_tape *t = wgt_tape(&memory);
    wg_tensor *x = param(t, 4, (double[]){1, 2, 3, 4});
    must_fail(wg_sum(wg_square(part(x, parts_twice))), &x, 1, "twice");
    must_fail(wg_sum(wg_mul(wg_square(part(x, parts_lost)), part(x, parts_lost))), &x, 1, "lost");
    must_pass(wg_sum(wg_square(part(x, wg_op_find("slice")->vjp_parts))), x, "slice");
    wg_tape_free(t);
}
END_TEST

/* Every part at the first one's place: right for one part, and for one that is there twice. */
static wg_tensor *parts_at_the_first(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    wg_tensor *sum = NULL, *rows = ys[0]->operand[1];
    for (int k = 0; k < n; k++) {
        wg_tensor *g = wg_scatter_add_rows(dys[k], rows, wg_dim(ys[0]->operand[0], 0));
        sum = sum != NULL ? wg_add(sum, g) : g;
    }
    return sum;
}

START_TEST(parts_that_differ)
{
    wg_op op = *wg_op_find("gather_rows");
    op.name = "planted";
    op.vjp_parts = parts_at_the_first;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3, 1), (double[]){1, 2, 3}), *y = NULL;
    for (int64_t k = 0; k < 2; k++) {
        wg_tensor *rows = wg_constant(t, WG_I64, WG_SHAPE(2), (int64_t[]){k, 2});
        wg_tensor *part = wg_exp(wg_apply(&op, (wg_tensor *[]){x, rows}, 2, NULL));
        y = y != NULL ? wg_mul(y, part) : part;
    }
    must_fail(y, &x, 1, "two parts");
    wg_tape_free(t);
}
END_TEST

/* ---- Rules for all operands ------------------------------------------------------------------ */

/* Wrong where one operand alone is wanted. */
static void twice_if_alone(wg_tensor *y, wg_tensor *dy, const bool wanted[], wg_tensor *dx[])
{
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            dx[i] = wg_scale(wg_mul(dy, y->operand[1 - i]), wanted[1 - i] ? 1 : 2);
}

START_TEST(wrong_alone)
{
    wg_op op = *wg_op_find("mul");
    op.name = "planted";
    op.vjp_all = twice_if_alone;
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = param(t, 2, (double[]){1, 2});
    wg_tensor *c = wg_constant(t, WG_F64, WG_SHAPE(2), (double[]){3, 4});
    must_fail(wg_exp(wg_apply(&op, (wg_tensor *[]){x, c}, 2, NULL)), &x, 1, "one operand");
    wg_tape_free(t);
}
END_TEST

/* a b c, wrong where two of the three are wanted: neither all nor one alone shows that. */
static void twice_if_two(wg_tensor *y, wg_tensor *dy, const bool wanted[], wg_tensor *dx[])
{
    const bool two = wanted[0] + wanted[1] + wanted[2] == 2;
    for (int i = 0; i < 3; i++)
        if (wanted[i]) {
            wg_tensor *others = wg_mul(y->operand[(i + 1) % 3], y->operand[(i + 2) % 3]);
            dx[i] = wg_scale(wg_mul(dy, others), two ? 2 : 1);
        }
}
static void product_of_three(int64_t n, void *y, const void *const x[], const int64_t stride[],
                             const void *attrs)
{
    const double *a = x[0], *b = x[1], *c = x[2];
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((double *)y)[i] = a[i * stride[0]] * b[i * stride[1]] * c[i * stride[2]];
}

START_TEST(wrong_for_two_of_three)
{
    wg_op op = {.name = "planted",
                .arity = 3,
                .flags = WG_OP_ELEMENTWISE,
                .shape = wg_elementwise_shape,
                .forward = wg_elementwise_forward,
                .vjp_all = twice_if_two,
                .vjp = wg_op_find("mul")->vjp,
                .map = {[WG_F64] = product_of_three}};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *xs[] = {param(t, 2, (double[]){1, 2}), param(t, 2, (double[]){3, -4})};
    wg_tensor *c = wg_constant(t, WG_F64, WG_SHAPE(2), (double[]){0.5, 0.3});
    must_fail(wg_exp(wg_apply(&op, (wg_tensor *[]){xs[0], xs[1], c}, 3, NULL)), xs, 2, "two");
    wg_tape_free(t);
}
END_TEST

/* ---- One entry of many ----------------------------------------------------------------------- */

static wg_tensor *one_row_wrong(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = wg_scatter_add_rows(dy, y->operand[1], wg_dim(y->operand[0], 0));
    wg_tensor *off = wg_ones_like(g);
    (void)i;
    wg_set_element(off, 302, 1.5);
    return wg_mul(g, off);
}

START_TEST(one_row_of_many)
{
    enum { ROWS = 400 };
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(ROWS, 1));
    wg_tensor *rows = wg_full(t, WG_I64, WG_SHAPE(ROWS), 0);
    wg_fill_normal(x, 0, 1, 1);
    for (int64_t i = 0; i < ROWS; i++)
        wg_set_element(rows, i, (double)(7 * i % ROWS));
    wg_tensor *y = wg_square(with_rule(wg_gather_rows(x, rows), one_row_wrong, false));
    must_fail(wg_sum(y), &x, 1, "one row");
    must_pass(wg_sum(wg_square(wg_gather_rows(x, rows))), x, "gather_rows");
    wg_tape_free(t);
}
END_TEST

/* ---- Cotangents ------------------------------------------------------------------------------ */

static wg_tensor *clipped(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_clamp(dy, -100, 100), wg_cos(y->operand[i]));
}
static wg_tensor *flushed(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *bound = wg_full(y->tape, y->dtype, WG_SCALAR, 1e-4);
    wg_tensor *kept = wg_mul(dy, wg_cast(wg_greater(wg_abs(dy), bound), y->dtype));
    return wg_mul(kept, wg_cos(y->operand[i]));
}

/* Whether the gradient is right at the scale of y or not. */
START_TEST(cut_cotangents)
{
    rule *const rules[] = {clipped, flushed};
    for (int e = -6; e <= 3; e += 3) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
        wg_tensor *y = with_rule(wg_sin(x), rules[_i % 2], _i > 1);
        must_fail(wg_sum(wg_scale(y, pow(10, e))), &x, 1, "a cut cotangent");
        must_pass(wg_sum(wg_scale(wg_sin(x), pow(10, e))), x, "sin");
        wg_tape_free(t);
    }
}
END_TEST

/* ---- Rules that are no functions ------------------------------------------------------------- */

/* Of more than values: how the cotangent was recorded. */
static wg_tensor *by_op_of_dy(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), dy->op == &wg_op_add_n ? 2 : 1);
}
static wg_tensor *by_place_of_dy(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), dy->n_operands > 0 ? 1.01 : 1);
}

START_TEST(more_than_values)
{
    rule *const rules[] = {by_op_of_dy, by_place_of_dy};
    for (int doubles = 0; doubles < 2; doubles++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
        wg_tensor *s = with_rule(wg_sin(x), rules[_i], doubles);
        must_fail(wg_sum(wg_add(wg_mul(s, wg_exp(s)), wg_square(s))), &x, 1, "where terms meet");
        wg_tape_free(t);
    }
}
END_TEST

static int rule_calls;

static wg_tensor *every_other(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = wg_mul(dy, wg_cos(y->operand[i]));
    return rule_calls++ % 2 == 0 ? g : wg_scale(g, 1 + 1e-5);
}
static wg_tensor *drifting(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), 1 + 1e-5 * rule_calls++);
}
START_TEST(not_a_function)
{
    rule *const rules[] = {every_other, drifting};
    for (int first = 0; first < 3; first++)
        for (int doubles = 0; doubles < 2; doubles++) {
            wg_tape *t = wg_tape_new(NULL);
            wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
            wg_tensor *one = with_rule(wg_sin(x), rules[_i], doubles);
            rule_calls = first;
            must_fail(wg_sum(one), &x, 1, "once");
            must_fail(wg_sum(wg_mul(one, with_rule(wg_sin(x), rules[_i], doubles))), &x, 1,
                      "twice");
            wg_tape_free(t);
        }
}
END_TEST

static wg_tensor *wrong_at_first(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), rule_calls++ == 0 ? 1.5 : 1);
}
static wg_tensor *right_at_first(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), rule_calls++ == 0 ? 1 : 1.5);
}

/* The state is gone when the rule is asked again; that there was one is seen. */
START_TEST(another_at_first)
{
    rule *const rules[] = {wrong_at_first, right_at_first};
    for (int doubles = 0; doubles < 2; doubles++) {
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
        wg_tensor *y = wg_sum(wg_exp(with_rule(wg_sin(x), rules[_i], doubles)));
        wg_check_report r;
        rule_calls = 0;
        ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, NULL, &r), WG_CHECK_FAILED);
        ck_assert_ptr_nonnull(r.note != NULL ? r.note : r.blame);
        wg_tape_free(t);
    }
}
END_TEST

/* ---- Second order ---------------------------------------------------------------------------- */

/* Wrong in an entry, in which the derivative of what it says is right. */
static wg_tensor *without_the_last(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *keep = wg_ones_like(dy);
    wg_set_element(keep, 2, 0);
    return wg_mul(wg_mul(dy, keep), wg_cos(y->operand[i]));
}

START_TEST(hessian_of_a_wrong_gradient)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
    for (int doubles = 0; doubles < 2; doubles++) {
        wg_tensor *y = wg_sum(with_rule(wg_sin(x), without_the_last, doubles));
        wg_check_report r;
        ck_assert_int_eq(wg_gradcheck_second(y, &x, 1, NULL, &r), WG_CHECK_FAILED);
        ck_assert_str_eq(r.blame, "planted");
        ck_assert_int_eq(wg_gradcheck_taylor(y, x, 3, NULL, NULL), WG_CHECK_FAILED);
    }
    ck_assert_int_eq(wg_gradcheck_second(wg_sum(wg_sin(x)), &x, 1, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST

/* ---- In one dtype ---------------------------------------------------------------------------- */

#if WG_HAS_WIDE
static wg_tensor *wrong_in_f64(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), y->dtype == WG_F64 ? 2 : 1);
}
static wg_tensor *wrong_in_wide(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), y->dtype == WG_WIDE ? 2 : 1);
}

static wg_tensor *wrong_in_f32(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), y->dtype == WG_F32 ? 1.005 : 1);
}

START_TEST(somewhat_wrong_in_f32)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(3));
    wg_write(x, (float[]){0.5F, -1.25F, 2}, 3 * sizeof(float));
    must_fail(wg_sum(wg_square(with_rule(wg_sin(x), wrong_in_f32, false))), &x, 1, "0.5 %");
    must_pass(wg_sum(wg_square(wg_sin(x))), x, "sin");
    wg_tape_free(t);
}
END_TEST

START_TEST(in_one_dtype)
{
    rule *const rules[] = {wrong_in_f64, wrong_in_wide};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
    wg_tensor *y = wg_sum(wg_square(with_rule(wg_sin(x), rules[_i], false))), *g;
    must_fail(y, &x, 1, "derived");
    wg_check_report r;
    wg_grad(y, &x, 1, &g);
    ck_assert_int_eq(wg_gradcheck(y, &x, &g, 1, NULL, &r), WG_CHECK_FAILED);
    ck_assert_str_eq(r.blame, "planted");
    wg_tape_free(t);
}
END_TEST

static wg_tensor *nearly_in_f64(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), y->dtype == WG_F64 ? 1 + 1e-5 : 1);
}
/* Of the same ops, but not the same one of them. */
static wg_tensor *another_in_f64(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *right = wg_mul(dy, wg_cos(y->operand[i])), *wrong = wg_neg(right);
    return y->dtype == WG_F64 ? wrong : right;
}
static wg_tensor *from_y(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)i;
    return wg_mul(dy, wg_shift(wg_neg(wg_square(y)), 1));
}

/* A rule that says something else in f64 is told from one that says the same and loses digits. */
START_TEST(a_little_in_one_dtype)
{
    for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++) {
        const wg_gradcheck_options o = {.precision = (wg_check_precision)precision};
        wg_tape *t = wg_tape_new(NULL);
        wg_tensor *x = param(t, 3, (double[]){0.5, -1.25, 2});
        wg_tensor *far = param(t, 2, (double[]){18.5, -22});
        rule *const wrong[] = {nearly_in_f64, another_in_f64};
        wg_check_report r;
        for (int k = 0; k < 2; k++) {
            wg_tensor *y = wg_sum(wg_square(with_rule(wg_sin(x), wrong[k], false)));
            ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_FAILED);
            ck_assert_str_eq(r.blame, "planted");
        }
        wg_tensor *y = wg_sum(with_rule(wg_tanh(far), from_y, false));
        ck_assert_int_ne(wg_gradcheck(y, &far, NULL, 1, &o, &r), WG_CHECK_FAILED);
        wg_tape_free(t);
    }
}
END_TEST

/* ---- Kernels that lose digits on the way ----------------------------------------------------- */

/* A sigmoid's slope at -95, of which f32 keeps three digits, times a cotangent of 1e12. */
START_TEST(right_where_digits_vanish)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F32, WG_SHAPE(3));
    wg_write(x, (float[]){-95, -96.5F, -101.25F}, 3 * sizeof(float));
    wg_check_report r;
    const wg_check_verdict v = wg_gradcheck(wg_sum(wg_log(wg_shift(wg_sigmoid(x), 1e-12))), &x,
                                            NULL, 1, NULL, &r);
    ck_assert_msg(v != WG_CHECK_FAILED, "%s: %s", r.blame, r.note);
    wg_tape_free(t);
}
END_TEST

/* ---- Constants that are no doubles ----------------------------------------------------------- */

static wg_tensor *gelu_slope(wg_tensor *x)
{
    wg_tensor *g;
    wg_grad(wg_gelu(x), &x, 1, &g);
    return g;
}
static wg_tensor *gelu_tanh_slope(wg_tensor *x)
{
    wg_tensor *g;
    wg_grad(wg_gelu_tanh(x), &x, 1, &g);
    return g;
}
static wg_tensor *mean_of_three(wg_tensor *x)
{
    return wg_mean(wg_concat((wg_tensor *[]){x, wg_sin(x), wg_exp(x)}, 3, 0));
}

/* f(x) - a x, whose derivative is 1e-9 of that of f: there a digit that f's rule lacks is seen. */
START_TEST(all_digits_of_constants)
{
    wg_tensor *(*const f[])(wg_tensor *) = {mean_of_three, wg_log2,        wg_log10,
                                            wg_erf,        wg_erfc,        wg_hardswish,
                                            gelu_slope,    gelu_tanh_slope};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = param(t, 1, (double[]){0.7}), *y = f[_i](x), *g;
    wg_grad(y, &x, 1, &g);
    y = wg_sub(y, wg_scale(x, wg_at(g, 0) * (1 - 1e-9)));
    const wg_gradcheck_options o = {.precision = WG_CHECK_WIDE};
    wg_check_report r;
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, &r), WG_CHECK_PASSED);
    ck_assert_ptr_null(r.note);
    wg_tape_free(t);
}
END_TEST

/* x is subnormal, and a direction is of size 1. */
START_TEST(directions_at_subnormal_numbers)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = param(t, 3, (double[]){1e-310, 5e-324, -2e-320});
    wg_tensor *y = wg_sum(wg_square(wg_scale(x, 1e300)));
    const wg_gradcheck_options o = {.directions = 2};
    ck_assert_int_eq(wg_gradcheck(y, &x, NULL, 1, &o, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
}
END_TEST
#endif

Suite *suite_rules(void)
{
    Suite *suite = suite_create("rules");
    TCase *tc = tcase_create("wrong");
    tcase_add_loop_test(tc, ties_in_double, 0, 6);
    tcase_add_test(tc, two_kinks_at_0_in_double);
#if WG_HAS_WIDE
    tcase_add_loop_test(tc, small_shares, 0, 2);
    tcase_add_loop_test(tc, in_one_dtype, 0, 2);
    tcase_add_test(tc, a_little_in_one_dtype);
    tcase_add_test(tc, somewhat_wrong_in_f32);
    tcase_add_test(tc, right_where_digits_vanish);
    if (WG_WIDE_BITS == 113) {
        tcase_add_loop_test(tc, all_digits_of_constants, 0, 8);
        tcase_add_test(tc, directions_at_subnormal_numbers);
    }
#endif
    tcase_add_test(tc, one_row_of_many);
    tcase_add_test(tc, wrong_parts);
    tcase_add_test(tc, parts_that_differ);
    tcase_add_test(tc, wrong_alone);
    tcase_add_test(tc, wrong_for_two_of_three);
    tcase_add_loop_test(tc, more_than_values, 0, 2);
    tcase_add_loop_test(tc, another_at_first, 0, 2);
    tcase_add_test(tc, hessian_of_a_wrong_gradient);
    tcase_add_loop_test(tc, cut_cotangents, 0, 4);
    tcase_add_loop_test(tc, not_a_function, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
