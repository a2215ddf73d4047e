/* Loops that are one node, and hold in every step what their bodies detach or decide: right
 * gradients pass as those of the unrolled loop do, branches that change at the point are kinks, and
 * wrong rules inside are found. */
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

#if WG_HAS_WIDE

/* ---- Bodies ---------------------------------------------------------------------------------- */

/* c is the carry, (3); x a row, (3). What comes back is the next carry. */
typedef wg_tensor *held_body(wg_tensor *c, wg_tensor *x);

static wg_tensor *half(wg_tensor *c, wg_tensor *x)
{
    return wg_add(wg_scale(c, 0.5), wg_mul(x, x));
}
static wg_tensor *detach(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_mul(x, wg_detach(wg_tanh(c))));
}
static wg_tensor *detach_in_condition(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_where(wg_greater(wg_detach(c), wg_detach(x)), wg_sin(c), x));
}
static wg_tensor *where(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_where(wg_greater(c, wg_shift(x, 0.31)), wg_sin(c), wg_exp(x)));
}
static wg_tensor *floors(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_mul(wg_sub(wg_scale(c, 10), wg_floor(wg_scale(c, 10))), x));
}
static wg_tensor *rounds(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_mul(wg_round(wg_scale(c, 7)), wg_sin(x)));
}
static wg_tensor *cast(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *whole = wg_cast(wg_cast(wg_scale(c, 7), WG_I64), c->dtype);
    return wg_add(half(c, x), wg_mul(whole, wg_sin(x)));
}
static wg_tensor *argmax(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *most = wg_reshape(wg_argmax(c), WG_SHAPE(1));
    return wg_add(half(c, x), wg_mul(wg_gather(c, 0, most), wg_sin(x)));
}
static wg_tensor *dropout(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x),
                  wg_dropout(wg_sin(c), 0.4, 3, 1, wg_cast(wg_slice(c, 0, 0, 1), WG_I64)));
}
static wg_tensor *sign(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_mul(wg_sign(wg_sin(wg_scale(c, 3))), wg_tanh(c)));
}

/* A loop inside of the loop, whose body holds, and whose start is held, too. */
static held_body *inner_body;

static void inner(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = inner_body(s->carry[0], s->param[0]);
}
static wg_tensor *nested(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *last, *start = wg_add(c, wg_detach(wg_sin(x)));
    inner_body = where;
    wg_scan(&(wg_scan_loop){.body = inner,
                            .n_carries = 1,
                            .carries = &start,
                            .n_params = 1,
                            .params = &x,
                            .steps = 3},
            &last, NULL);
    return wg_scale(last, 0.3);
}

static const struct {
    const char *name;
    held_body *body;
} bodies[] = {{"detach", detach}, {"detach in a condition", detach_in_condition},
              {"where", where},   {"floor", floors},
              {"round", rounds},  {"cast", cast},
              {"argmax", argmax}, {"dropout", dropout},
              {"sign", sign},     {"nested", nested}};
enum { BODIES = sizeof bodies / sizeof *bodies, STEPS = 6 };

static void step(wg_scan_step *s, void *user)
{
    held_body *const *body = user;
    s->next[0] = (*body)(s->carry[0], s->x[0]);
    s->y[0] = wg_sin(s->next[0]);
}

/* ---- The loop and the checks ------------------------------------------------------------------ */

typedef struct held_loop {
    wg_tape *t;
    wg_tensor *x[2], *y; /* the first carry and the rows */
} held_loop;

static void draw(const held_loop *l, double (*number)(uint64_t, uint64_t, uint64_t), uint64_t seed)
{
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < l->x[k]->size; i++)
            wg_set_element(l->x[k], i, number(seed, (uint64_t)k, (uint64_t)i));
}

static void begin(held_loop *l, held_body *body, wg_dtype dtype, int64_t snapshots, bool reverse)
{
    wg_tensor *last, *ys;
    l->t = wg_tape_new(NULL);
    l->x[0] = wg_param(l->t, "c", dtype, WG_SHAPE(3));
    l->x[1] = wg_param(l->t, "x", dtype, WG_SHAPE(STEPS, 3));
    draw(l, wg_random_normal, 7);
    wg_replay(l->t);
    wg_scan(&(wg_scan_loop){.body = step,
                            .user = &body,
                            .n_carries = 1,
                            .carries = l->x,
                            .n_xs = 1,
                            .xs = l->x + 1,
                            .n_ys = 1,
                            .snapshots = snapshots,
                            .reverse = reverse},
            &last, &ys);
    l->y = wg_add(wg_sum(wg_mul(last, last)), wg_sum(ys));
    ck_assert_str_eq(wg_tape_message(l->t), "");
}

static void passes(const char *name, const held_loop *l, wg_tensor *const gs[],
                   const wg_gradcheck_options *options)
{
    wg_check_report r[2];
    const wg_check_verdict verdict = wg_gradcheck(l->y, l->x, gs, 2, options, r);
    ck_assert_msg(verdict == WG_CHECK_PASSED, "%s: %s; blame %s; note %s; %s", name,
                  wg_check_verdict_name(verdict), r[0].blame, r[0].note, wg_tape_message(l->t));
    ck_assert_uint_eq(r[0].agree + r[1].agree, r[0].entries + r[1].entries);
}

/* In every precision, derived and given, both ways round. */
START_TEST(right_gradients_pass)
{
    for (int way = 0; way < 4; way++)
        for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++) {
            held_loop l;
            wg_tensor *g[2];
            const wg_gradcheck_options o = {.precision = (wg_check_precision)precision};
            begin(&l, bodies[_i].body, way == 3 ? WG_F32 : WG_F64, way == 1 ? 2 : 0, way == 2);
            const int64_t size = l.t->size;
            passes(bodies[_i].name, &l, NULL, &o);
            ck_assert_int_eq(l.t->size, size);
            wg_grad(l.y, l.x, 2, g);
            passes(bodies[_i].name, &l, g, &o);
            wg_tape_free(l.t);
        }
}
END_TEST

START_TEST(right_second_derivatives_pass)
{
    held_loop l;
    begin(&l, bodies[_i].body, WG_F64, 0, false);
    wg_check_report r[2];
    const wg_check_verdict verdict = wg_gradcheck_second(l.y, l.x, 2, NULL, r);
    ck_assert_msg(verdict == WG_CHECK_PASSED, "%s: %s; blame %s; note %s", bodies[_i].name,
                  wg_check_verdict_name(verdict), r[0].blame, r[0].note);
    wg_tape_free(l.t);
}
END_TEST

/* ---- At the point itself ----------------------------------------------------------------------- */

/* 0.3 * 10 is 3 in f64 and less in wide floats: a wide copy takes what f64 decided. */
static wg_tensor *rounded(wg_tensor *c, wg_tensor *x)
{
    (void)x;
    return wg_add(wg_mul(wg_floor(wg_scale(c, 10)), c), wg_scale(c, -2));
}
static wg_tensor *relu_by_hand(wg_tensor *c, wg_tensor *x)
{
    return wg_where(wg_greater(c, x), c, wg_scale(x, 2));
}
static wg_tensor *jump(wg_tensor *c, wg_tensor *x)
{
    return wg_where(wg_greater(c, x), wg_sin(c), wg_shift(wg_sin(c), 1));
}

static void all_at(held_loop *l, held_body *body, double value)
{
    begin(l, body, WG_F64, 0, false);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < l->x[k]->size; i++)
            ((double *)wg_edit(l->x[k]))[i] = value;
    ck_assert_int_eq(wg_replay(l->t), WG_OK);
}

static void take_first(const wg_check_entry *e, const wg_check_report *input, void *user)
{
    if (e->index == 0 && strcmp(input->name, "c") == 0)
        *(double *)user = e->claimed;
}

/* What is judged in wide floats is the gradient that f64 has, not that of another branch. */
START_TEST(decisions_are_those_of_f64)
{
    for (int precision = WG_CHECK_AUTO; precision <= WG_CHECK_DOUBLE; precision++) {
        held_loop l;
        wg_tensor *g[2];
        wg_check_report r[2];
        double claimed = (double)NAN;
        const wg_gradcheck_options o = {.precision = (wg_check_precision)precision,
                                        .check = {.listen = take_first, .listener = &claimed}};
        all_at(&l, rounded, 0.3);
        wg_grad(l.y, l.x, 2, g);
        const double want = wg_at(g[0], 0);
        wg_gradcheck(l.y, l.x, NULL, 2, &o, r);
        ck_assert_int_eq(r[0].verdict, WG_CHECK_PASSED);
        ck_assert_double_eq_tol(claimed, want, 1e-9 * fabs(want));
        wg_tape_free(l.t);
    }
}
END_TEST

START_TEST(branches_that_change_are_kinks)
{
    held_loop l;
    wg_check_report r[2];
    all_at(&l, _i == 0 ? relu_by_hand : jump, 0.75);
    wg_gradcheck(l.y, l.x, NULL, 2, NULL, r);
    ck_assert_uint_eq(r[0].disagree + r[1].disagree, 0);
    ck_assert_uint_gt(r[0].kink, 0);
    ck_assert_int_eq(r[0].worst.outcome, WG_ENTRY_KINK);
    ck_assert_str_eq(r[0].worst.op, "scan");
    wg_tape_free(l.t);
}
END_TEST

/* ---- What is wrong inside ---------------------------------------------------------------------- */

static _Thread_local wg_op inside;
static _Thread_local int later;

static wg_tensor *wrong_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_op_find("sin")->vjp(y, dy, i), 1.001);
}
static wg_tensor *wrong_body(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *bad = wg_apply(&inside, &c, 1, NULL);
    return wg_add(half(c, x), wg_mul(wg_detach(wg_tanh(c)), bad));
}
static wg_tensor *passes_through(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y, (void)i;
    return dy;
}

/* A rule beside what is held, and one of what is: that gives a derivative where there is none. */
START_TEST(wrong_rules_are_found)
{
    held_loop l;
    wg_check_report r[2];
    inside = *wg_op_find(_i == 0 ? "sin" : "detach");
    inside.name = "bad";
    inside.vjp = _i == 0 ? wrong_rule : passes_through;
    inside.flags &= ~(_i == 0 ? 0u : (unsigned)WG_OP_ZERO_GRADIENT);
    begin(&l, wrong_body, WG_F64, 0, false);
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, NULL, 2, NULL, r), WG_CHECK_FAILED);
    ck_assert_str_eq(r[0].blame, _i == 0 ? "bad" : "scan");
    wg_tape_free(l.t);
}
END_TEST

/* ---- Kinks inside ------------------------------------------------------------------------------ */

/* x as the difference of two relus, whose conventions make nothing of it at 0. */
static wg_tensor *kinks_meet(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_sub(wg_relu(c), wg_relu(wg_neg(c))));
}
/* Kinks of the second derivative. */
static wg_tensor *squared_kink(wg_tensor *c, wg_tensor *x)
{
    return wg_add(wg_mul(c, wg_relu(x)), wg_square(wg_sub(wg_relu(c), wg_detach(wg_amax(c)))));
}

static void all_zero(held_loop *l, held_body *body)
{
    begin(l, body, WG_F64, 0, false);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < l->x[k]->size; i++)
            ((double *)wg_edit(l->x[k]))[i] = 0;
    ck_assert_int_eq(wg_replay(l->t), WG_OK);
}

START_TEST(kinks_that_meet_inside_are_no_error)
{
    const wg_gradcheck_options o[] = {{0}, {.precision = WG_CHECK_WIDE}, {.directions = 3}};
    for (int k = 0; k < 3; k++) {
        held_loop l;
        all_zero(&l, _i == 0 ? kinks_meet : squared_kink);
        for (int order = 1; order <= 2; order++) {
            wg_check_report r[2];
            const wg_check_verdict v = order == 1 ? wg_gradcheck(l.y, l.x, NULL, 2, &o[k], r)
                                                  : wg_gradcheck_second(l.y, l.x, 2, &o[k], r);
            const bool open = WG_WIDE_BITS < 113 && v == WG_CHECK_UNRESOLVED;
            ck_assert_msg(v == WG_CHECK_PASSED || v == WG_CHECK_VACUOUS || open,
                          "order %d, way %d: %s, %s, %s", order, k, wg_check_verdict_name(v),
                          r[0].note, r[1].note);
        }
        wg_tape_free(l.t);
    }
}
END_TEST

/* Each of two that tie gets all, or a relu 1.5 at 0: no convention. */
static wg_tensor *all_that_tie(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_mul(wg_cast(wg_greater_equal(y->operand[i], y->operand[1 - i]), y->dtype), dy);
}
static wg_tensor *too_steep(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i], *zero = wg_zeros_like(x);
    wg_tensor *at = wg_where(wg_equal(x, zero), wg_scale(dy, 1.5), zero);
    return wg_where(wg_greater(x, zero), dy, at);
}
static wg_tensor *wrong_kink(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *two[] = {c, later == 0 ? wg_scale(c, 1) : x};
    wg_tensor *bad = wg_apply(&inside, two, later < 2 ? 2 : 1, NULL);
    return wg_sub(wg_add(half(c, x), bad), wg_relu(wg_neg(c)));
}

START_TEST(a_wrong_convention_inside_fails)
{
    held_loop l;
    wg_check_report r[2];
    inside = *wg_op_find(_i < 2 ? "maximum" : "relu");
    inside.name = "bad";
    inside.vjp = _i < 2 ? all_that_tie : too_steep;
    later = _i;
    all_zero(&l, wrong_kink);
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, NULL, 2, NULL, r), WG_CHECK_FAILED);
    ck_assert_str_eq(r[0].verdict == WG_CHECK_FAILED ? r[0].blame : r[1].blame, "bad");
    wg_tape_free(l.t);
}
END_TEST

/* ---- Digits that are lost inside ------------------------------------------------------------- */

/* In f32 the steps part from those of f64, and decide otherwise. */
static wg_tensor *chaos(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *z = wg_mul(wg_scale(c, 3.9), wg_shift(wg_neg(c), 1));
    return wg_where(wg_greater(z, wg_scalar_like(z, 0.5)), z, wg_add(z, wg_scale(x, 1e-3)));
}
static void rough_tanh(int64_t n, void *y, const void *const x[], const int64_t stride[],
                       const void *attrs)
{
    (void)attrs;
    for (int64_t i = 0; i < n; i++)
        ((float *)y)[i] = 1.01F * tanhf(((const float *)x[0])[i * stride[0]]);
}
static wg_tensor *rough(wg_tensor *c, wg_tensor *x)
{
    return wg_add(half(c, x), wg_apply(&inside, &c, 1, NULL));
}

static void long_loop(held_loop *l, held_body *body, int64_t steps)
{
    wg_tensor *last;
    l->t = wg_tape_new(NULL);
    l->x[0] = wg_param(l->t, "c", WG_F32, WG_SHAPE(3));
    l->x[1] = wg_param(l->t, "x", WG_F32, WG_SHAPE(steps, 3));
    draw(l, wg_random_uniform, 8);
    wg_scan(&(wg_scan_loop){.body = step,
                            .user = &body,
                            .n_carries = 1,
                            .carries = l->x,
                            .n_xs = 1,
                            .xs = l->x + 1,
                            .n_ys = 1},
            &last, &l->y);
    l->y = wg_add(wg_sum(l->y), wg_sum(last));
}

START_TEST(kernels_of_f32_are_compared_step_by_step)
{
    held_loop l;
    wg_check_report r[2];
    long_loop(&l, chaos, 60);
    ck_assert_int_ne(wg_gradcheck(l.y, l.x, NULL, 2, NULL, r), WG_CHECK_FAILED);
    ck_assert_double_gt(r[0].single, 0.1);
    wg_tape_free(l.t);
    inside = *wg_op_find("tanh");
    inside.name = "bad";
    inside.map[WG_F32] = rough_tanh;
    long_loop(&l, rough, 5);
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, NULL, 2, NULL, r), WG_CHECK_FAILED);
    ck_assert_str_eq(r[0].blame, "bad");
    wg_tape_free(l.t);
}
END_TEST

/* Two that tie in f32 and not in f64: a gradient given is right where it was taken. */
static wg_tensor *largest(wg_tensor *c, wg_tensor *x)
{
    return wg_add(wg_scale(c, 0.5), wg_amax(wg_add(c, x)));
}

START_TEST(a_given_gradient_of_f32)
{
    held_loop l;
    wg_tensor *g[2];
    begin(&l, largest, WG_F32, 0, false);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < l.x[k]->size; i++)
            ((float *)wg_edit(l.x[k]))[i] = k == 0 ? 0x1p24F : i == 1 ? 0.25F : 0;
    wg_replay(l.t);
    wg_grad(l.y, l.x, 2, g);
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, g, 2, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(l.t);
}
END_TEST

/* Of sin, wrong where its x is below 0, as it is in later steps alone. */
static wg_tensor *wrong_below_0(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *x = y->operand[i];
    wg_tensor *more = wg_where(wg_less(x, wg_zeros_like(x)), wg_scale(dy, 1.5), dy);
    return wg_mul(more, wg_cos(x));
}
static wg_tensor *later_body(wg_tensor *c, wg_tensor *x)
{
    wg_tensor *sum = wg_add(wg_scale(c, -2), x);
    return wg_apply(&inside, later == 0 ? &x : &sum, 1, NULL);
}

START_TEST(a_wrong_rule_in_later_steps_is_named)
{
    held_loop l;
    wg_check_report r[2];
    inside = *wg_op_find("sin");
    inside.name = "bad";
    inside.vjp = wrong_below_0;
    later = _i;
    begin(&l, later_body, WG_F64, 0, false);
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < l.x[k]->size; i++)
            ((double *)wg_edit(l.x[k]))[i] = k == 0 ? -0.5 : i < 9 || _i == 1 ? 0.4 : -0.4;
    wg_replay(l.t);
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, NULL, 2, NULL, r), WG_CHECK_FAILED);
    ck_assert_str_eq(r[1].blame, "bad");
    wg_tape_free(l.t);
}
END_TEST

/* What is detached counts as a constant: a gradient that moves it is none. */
START_TEST(a_given_gradient_that_moves_what_is_held_fails)
{
    held_loop l, other;
    wg_tensor *g[2], *given[2];
    begin(&l, detach, WG_F64, 0, false);
    begin(&other, half, WG_F64, 0, false);
    wg_grad(other.y, other.x, 2, g);
    for (int k = 0; k < 2; k++) {
        given[k] = wg_zeros_like(l.x[k]);
        memcpy(given[k]->data, g[k]->data, (size_t)g[k]->size * sizeof(double));
    }
    ck_assert_int_eq(wg_gradcheck(l.y, l.x, given, 2, NULL, NULL), WG_CHECK_FAILED);
    wg_tape_free(l.t);
    wg_tape_free(other.t);
}
END_TEST
/* NaN in what a loop holds, and in its derivatives on either tape: no rule is wrong for that. */
static void of_negative(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_minimum(wg_floor(wg_rsqrt(s->carry[0])), s->param[0]);
}

START_TEST(nan_is_held)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(3)), *last;
    for (int i = 0; i < 3; i++)
        wg_set_element(x, i, -6.375 + 3 * i);
    wg_scan(&(wg_scan_loop){.body = of_negative,
                            .n_carries = 1,
                            .carries = &x,
                            .n_params = 1,
                            .params = &x,
                            .steps = 3},
            &last, NULL);
    ck_assert_int_eq(wg_gradcheck(wg_sum(wg_sigmoid(last)), &x, NULL, 1, NULL, NULL),
                     WG_CHECK_NOT_FINITE);
    wg_tape_free(t);
}
END_TEST

#endif

Suite *suite_loops(void)
{
    Suite *suite = suite_create("loops");
    TCase *tc = tcase_create("loops");
#if WG_HAS_WIDE
    tcase_add_loop_test(tc, right_gradients_pass, 0, BODIES);
    tcase_add_loop_test(tc, right_second_derivatives_pass, 0, BODIES);
    tcase_add_test(tc, decisions_are_those_of_f64);
    tcase_add_loop_test(tc, branches_that_change_are_kinks, 0, 2);
    tcase_add_loop_test(tc, wrong_rules_are_found, 0, 2);
    tcase_add_loop_test(tc, a_wrong_rule_in_later_steps_is_named, 0, 2);
    tcase_add_loop_test(tc, kinks_that_meet_inside_are_no_error, 0, 2);
    tcase_add_loop_test(tc, a_wrong_convention_inside_fails, 0, 3);
    tcase_add_test(tc, kernels_of_f32_are_compared_step_by_step);
    tcase_add_test(tc, a_given_gradient_of_f32);
    tcase_add_test(tc, a_given_gradient_that_moves_what_is_held_fails);
    tcase_add_test(tc, nan_is_held);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
