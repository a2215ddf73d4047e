/* The checker's own test: it catches every planted bug and names its op, and it accuses no right
 * one. */
#include "autograd/check/gradcheck.h"
#include "models/wengert.h"
#include "ops/random.h"
#include "tests/check/planted.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Planted bugs ---------------------------------------------------------------------------- */

static wg_check_verdict check(const wgt_planted *bug, bool right, wg_check_report reports[3])
{
    wg_tensor *xs[3];
    wg_tape *t = wgt_strict_tape();
    wg_tensor *loss = wgt_planted_loss(t, bug, right, xs);
    wg_check_verdict verdict = bug->order == 1 ? wg_gradcheck(loss, xs, NULL, 3, NULL, reports)
                                               : wg_gradcheck_second(loss, xs, 3, NULL, reports);
    if (bug->order == 2) /* then the first derivative is right, and the check of it says so */
        ck_assert_int_eq(wg_gradcheck(loss, xs, NULL, 3, NULL, NULL), WG_CHECK_PASSED);
    wg_tape_free(t);
    return verdict;
}

static bool blamed_rightly(const wg_check_report *r)
{
    return r->verdict != WG_CHECK_FAILED || (r->blame != NULL && strcmp(r->blame, "planted") == 0);
}

START_TEST(planted_bugs_are_caught)
{
    int caught = 0, ops = 0;
    for (const wgt_planted *bug = wgt_planted_bugs; bug->op != NULL; bug++) {
        wg_check_report reports[3];
        ck_assert_msg(check(bug, true, reports) == WG_CHECK_PASSED, "%s is right", bug->op);
        ck_assert_msg(check(bug, false, reports) == WG_CHECK_FAILED, "%s: %s", bug->op, bug->bug);
        for (int i = 0; i < 3; i++)
            ck_assert_msg(blamed_rightly(&reports[i]), "%s: %s: %s is blamed", bug->op, bug->bug,
                          reports[i].blame);
        bool seen = false;
        for (const wgt_planted *other = wgt_planted_bugs; other < bug; other++)
            seen = seen || strcmp(other->op, bug->op) == 0;
        ops += !seen;
        caught++;
    }
    printf("planted: %d wrong rules of %d ops, all caught, the right op blamed\n", caught, ops);
    fflush(stdout);
    ck_assert_int_ge(caught, 40);
    ck_assert_int_ge(ops, 20);
}
END_TEST

/* ---- Right derivatives
 * ---------------------------------------------------------------------------------- Random graphs
 * of built-in ops. Each parameter goes through one op of its own first; those that stand on a kink
 * go through an op that has one there, and are used nowhere else: a convention such as relu'(0) = 0
 * is a derivative between those of the two sides for one kink, not for the difference of two. What
 * follows is made of tensors that broadcast with [3, 4]. */

typedef struct dice {
    uint64_t seed, rolled;
} dice;

static int roll(dice *d, int sides)
{
    return (int)wg_random_below(d->seed, 0xd1ce, d->rolled++, sides);
}

static double draw(dice *d)
{
    return wg_random_normal(d->seed, 0xd1ce, d->rolled++);
}

enum { ORDINARY, TINY, LARGE, KINK, KINDS };

/* On the kinks of relu, abs, clamp and the like, and near them. */
static double kink_value(dice *d)
{
    static const double kinks[] = {0, 0, 1, -1, 2}, off[] = {0, 0, 1e-12, -1e-9, 1e-6, -1e-4, 0.3};
    return kinks[roll(d, 5)] + off[roll(d, 7)];
}

static wg_tensor *roll_parameter(dice *d, wg_tape *t, int kind)
{
    static const struct {
        int ndim;
        int64_t dim[2];
    } shapes[] = {{2, {3, 4}}, {2, {3, 4}}, {1, {4}}, {2, {3, 1}}, {2, {1, 4}}, {0, {0}}};
    int s = roll(d, 6);
    wg_tensor *x = wg_param(t, NULL, WG_F64, shapes[s].ndim, shapes[s].dim);
    double *values = wg_edit(x), scale = kind == TINY ? 1e-8 : kind == LARGE ? 1e8 : 1;
    for (int64_t i = 0; i < wg_size(x); i++)
        values[i] = kind == KINK ? kink_value(d) : scale * draw(d);
    return x;
}

static double most(const wg_tensor *x)
{
    double size = 0;
    for (int64_t i = 0; i < wg_size(x); i++)
        size = fmax(size, fabs(wg_at(x, i)));
    return size;
}

/* Brings values that grew too large for an exp back to about 1. */
static wg_tensor *tame(wg_tensor *x)
{
    double size = most(x);
    return size > 20 ? wg_scale(x, 1 / size) : x;
}

static wg_tensor *positive(dice *d, wg_tensor *x)
{
    switch (roll(d, 3)) {
    case 0: return wg_shift(wg_square(x), 0.3);
    case 1: return wg_shift(wg_softplus(x), 0.2);
    default: return wg_exp(wg_tanh(x));
    }
}

static wg_tensor *all_rows(wg_tensor *x)
{
    return wg_broadcast_to(x, WG_SHAPE(3, 4));
}

/* No two entries alike, so that what has kinks at ties (amax, a deviation of 0) is at none. */
static wg_tensor *unlike(wg_tensor *x)
{
    static const double pattern[12] = {0.31, -0.17, 0.83, 0.05, -0.6,  0.44,
                                       0.72, -0.9,  0.21, 0.57, -0.38, 0.96};
    return wg_add(x, wg_constant(x->tape, WG_F64, WG_SHAPE(3, 4), pattern));
}

static wg_tensor *first_op_at_kink(dice *d, wg_tensor *x)
{
    wg_tensor *one = wg_scalar(x->tape, WG_F64, 1), *target = wg_ones_like(x);
    switch (roll(d, 15)) {
    case 0: return wg_relu(x);
    case 1: return wg_abs(x);
    case 2: return wg_clamp(x, -1, 1);
    case 3: return wg_maximum(x, one);
    case 4: return wg_minimum(one, x);
    case 5: return wg_leaky_relu(x, 0.1);
    case 6: return wg_elu(x, 0.5);
    case 7: return wg_amax_over(all_rows(x), WG_AXES(roll(d, 2)), true);
    case 8: return wg_amin(x);
    case 9: return wg_norm(x, 1);
    case 10: return wg_norm(x, (double)INFINITY);
    case 11: return wg_huber(x, target, 1, WG_NONE);
    case 12: return wg_hinge(x, target, WG_NONE);
    case 13: return wg_mae(x, target, WG_NONE);
    default: return wg_norm_over(all_rows(x), 2, WG_AXES(1), true);
    }
}

/* Ops for numbers of any size; jumps (floor, comparisons) stand here alone, where nothing is a
 * whole number. */
static wg_tensor *first_op(dice *d, wg_tensor *x)
{
    wg_tensor *third = wg_scalar(x->tape, WG_F64, 1.0 / 3);
    switch (roll(d, 14)) {
    case 0: return wg_square(x);
    case 1: return wg_log(wg_abs(x));
    case 2: return wg_reciprocal(x);
    case 3: return wg_sqrt(wg_abs(x));
    case 4: return wg_rsqrt(wg_abs(x));
    case 5: return wg_hypot(x, third);
    case 6: return wg_atan(x);
    case 7: return wg_log1p(wg_abs(x));
    case 8: return wg_div(x, wg_shift(wg_abs(x), 1));
    case 9: return wg_softplus(x);
    case 10: return wg_logaddexp(x, third);
    case 11: return wg_where(wg_greater(x, third), wg_sin(third), x);
    case 12: return wg_add(wg_floor(wg_atan(x)), wg_atan(x));
    default: return x;
    }
}

static wg_tensor *smooth_op(dice *d, wg_tensor *x)
{
    switch (roll(d, 24)) {
    case 0: return wg_exp(x);
    case 1: return wg_expm1(x);
    case 2: return wg_log(positive(d, x));
    case 3: return wg_log1p(positive(d, x));
    case 4: return wg_sqrt(positive(d, x));
    case 5: return wg_rsqrt(positive(d, x));
    case 6: return wg_reciprocal(positive(d, x));
    case 7: return wg_pow_scalar(positive(d, x), 1.7);
    case 8: return wg_sin(x);
    case 9: return wg_cos(x);
    case 10: return wg_tan(wg_tanh(x));
    case 11: return wg_asin(wg_scale(wg_tanh(x), 0.9));
    case 12: return wg_acos(wg_scale(wg_tanh(x), 0.9));
    case 13: return wg_atan(x);
    case 14: return wg_sinh(wg_scale(x, 0.2));
    case 15: return wg_cosh(wg_scale(x, 0.2));
    case 16: return wg_tanh(x);
    case 17: return wg_erf(x);
    case 18: return wg_sigmoid(x);
    case 19: return wg_softplus(x);
    case 20: return wg_log_sigmoid(x);
    case 21: return wg_gelu(x);
    case 22: return wg_silu(x);
    default: return wg_gelu_tanh(x);
    }
}

static wg_tensor *pair_op(dice *d, wg_tensor *a, wg_tensor *b)
{
    switch (roll(d, 13)) {
    case 0: return wg_add(a, b);
    case 1: return wg_sub(a, b);
    case 2: return wg_mul(a, b);
    case 3: return wg_div(a, positive(d, b));
    case 4: return wg_maximum(a, unlike(b));
    case 5: return wg_minimum(a, unlike(b));
    case 6: return wg_hypot(a, positive(d, b));
    case 7: return wg_logaddexp(a, b);
    case 8: return wg_xlogy(a, positive(d, b));
    case 9: return wg_pow(positive(d, a), wg_tanh(b));
    case 10: return wg_matmul(all_rows(a), wg_matmul_t(all_rows(a), true, all_rows(b), false));
    case 11: return wg_mse(all_rows(a), all_rows(b), WG_NONE);
    default:
        return wg_bce_with_logits_opt(all_rows(a), wg_sigmoid(all_rows(b)),
                                      &(wg_bce_options){.reduction = WG_NONE});
    }
}

static wg_tensor *whole_op(dice *d, wg_tensor *x)
{
    static const int64_t rows[] = {2, 0, 2};
    int axis = roll(d, 2);
    wg_tensor *k = wg_constant(x->tape, WG_I64, WG_SHAPE(3), rows), *gain, *parts[2];
    wg_tensor *step = wg_full(x->tape, WG_I64, WG_SCALAR, 4);
    x = unlike(all_rows(x));
    switch (roll(d, 20)) {
    case 0: return wg_softmax(x, axis);
    case 1: return wg_log_softmax(x, axis);
    case 2: return wg_sum_over(x, WG_AXES(axis), true);
    case 3: return wg_mean_over(x, WG_AXES(axis), true);
    case 4: return wg_logsumexp_over(x, WG_AXES(axis), true);
    case 5: return wg_amax_over(x, WG_AXES(axis), true);
    case 6: return wg_norm_over(x, 2, WG_AXES(axis), true);
    case 7: return wg_var_over(x, 1, WG_AXES(axis), true);
    case 8: return wg_std_over(wg_mul(x, x), 0, WG_AXES(axis), true);
    case 9: return wg_prod_over(x, WG_AXES(axis), true);
    case 10: return wg_cumsum(x, axis, false);
    case 11: return wg_gather_rows(x, k);
    case 12: return wg_scatter_add_rows(x, k, 3);
    case 13: return wg_t(wg_reshape(x, WG_SHAPE(4, 3)));
    case 14: return wg_pad(wg_slice(x, 1, 1, 3), WG_SHAPE(0, 2), WG_SHAPE(0, 0), 0.5);
    case 15: return wg_dropout(x, 0.4, 1, 2, step);
    case 16:
        parts[0] = wg_slice(x, 1, 2, 4), parts[1] = wg_slice(x, 1, 1, 3);
        return wg_concat(parts, 2, 1);
    case 17:
        gain = wg_full(x->tape, WG_F64, WG_SHAPE(4), 1.5);
        return wg_layer_norm(x, gain, gain, 1e-3);
    case 18:
        return wg_reshape(
            wg_cross_entropy_opt(x, k, &(wg_cross_entropy_options){.reduction = WG_NONE}),
            WG_SHAPE(3, 1));
    default: return wg_mul(x, wg_detach(wg_sin(x)));
    }
}

enum { PARAMETERS = 3, MOST_OPS = 9 };

/* A graph on parameters of some kind; its loss is of order 1, of order 1e-7 or 1e9, or of order 1
 * beside a constant of 1e9, which leaves differences seven digits: then what happens at the scale
 * of 1e-8 drowns, as function.h says, and no parameter is so tiny. */
static wg_tensor *roll_graph(dice *d, wg_tape *t, int kinds, wg_tensor *xs[PARAMETERS])
{
    wg_tensor *pool[PARAMETERS + MOST_OPS], *first[PARAMETERS];
    int n = 0, ops = 2 + roll(d, MOST_OPS - 1), size = roll(d, 5);
    for (; n < PARAMETERS; n++) {
        int kind = roll(d, kinds);
        if (kind == TINY && size == 2)
            kind = ORDINARY;
        xs[n] = roll_parameter(d, t, kind);
        first[n] = kind == KINK ? first_op_at_kink(d, xs[n]) : first_op(d, xs[n]);
        pool[n] = first[n] = tame(first[n]);
    }
    for (int i = 0; i < ops; i++, n++) {
        wg_tensor *a = pool[n - 1 - roll(d, 3)], *b = pool[roll(d, n)];
        int family = roll(d, 3);
        pool[n] = tame(family == 0   ? smooth_op(d, a)
                       : family == 1 ? pair_op(d, a, b)
                                     : whole_op(d, a));
    }
    wg_tensor *loss = wg_mean(wg_sin(pool[n - 1]));
    for (int i = 0; i < PARAMETERS; i++)
        loss = wg_add(loss, wg_mean(wg_mul(wg_cos(pool[n - 1 - i]), first[i])));
    switch (size) {
    case 0: return wg_scale(loss, 1e-7);
    case 1: return wg_scale(loss, 1e9);
    case 2: return wg_shift(loss, 1e9);
    default: return loss;
    }
}

typedef struct tally {
    size_t graphs, entries, kinks, unresolved;
} tally;

static void tally_reports(tally *sum, const wg_check_report *reports, uint64_t seed)
{
    sum->graphs++;
    for (int i = 0; i < PARAMETERS; i++) {
        const wg_check_report *r = &reports[i];
        if (r->verdict == WG_CHECK_FAILED || r->disagree)
            wg_check_report_print(stderr, reports, PARAMETERS);
        ck_assert_msg(r->verdict != WG_CHECK_FAILED && r->disagree == 0,
                      "graph %llu, input %d: a right gradient is accused", (unsigned long long)seed,
                      i);
        sum->entries += r->entries;
        sum->kinks += r->kink;
        sum->unresolved += r->unresolved;
    }
}

/* A graph may be of no use: a value or a derivative that is not finite is refused, and rightly. */
static bool usable(wg_tensor *loss, wg_tensor *const xs[])
{
    wg_tensor *g[PARAMETERS];
    bool finite = isfinite(wg_item(loss)) && wg_grad(loss, xs, PARAMETERS, g) == WG_OK;
    for (int i = 0; i < PARAMETERS && finite; i++)
        finite = isfinite(wg_item(wg_sum(wg_abs(g[i]))));
    return finite;
}

typedef wg_check_verdict mode(wg_tensor *, wg_tensor *const[], wg_check_report[]);

static wg_check_verdict first_order(wg_tensor *y, wg_tensor *const xs[], wg_check_report reports[])
{
    return wg_gradcheck(y, xs, NULL, PARAMETERS, NULL, reports);
}

static wg_check_verdict second_order(wg_tensor *y, wg_tensor *const xs[], wg_check_report reports[])
{
    return wg_gradcheck_second(y, xs, PARAMETERS, NULL, reports);
}

static tally check_graphs(uint64_t graphs, int kinds, mode *run)
{
    tally sum = {0};
    for (uint64_t seed = 1; seed <= graphs; seed++) {
        dice d = {seed, 0};
        wg_tensor *xs[PARAMETERS];
        wg_check_report reports[PARAMETERS];
        wg_tape *t = wgt_strict_tape();
        wg_tensor *loss = roll_graph(&d, t, kinds, xs);
        if (usable(loss, xs)) {
            run(loss, xs, reports);
            tally_reports(&sum, reports, seed);
        }
        wg_tape_free(t);
    }
    return sum;
}

/* WGT_FEW=1, for emulators and for valgrind: a tenth of the graphs. */
static uint64_t some_graphs(uint64_t n)
{
    return getenv("WGT_FEW") != NULL ? n / 10 : n;
}

/* A fifth of the graphs leave differences seven digits, and a fifth of their entries unresolved. */
START_TEST(right_gradients_are_not_accused)
{
    const uint64_t graphs = some_graphs(1500);
    tally sum = check_graphs(graphs, KINDS, first_order);
    printf("right: %zu entries of %zu random graphs, none accused; %zu at kinks, %zu unresolved\n",
           sum.entries, sum.graphs, sum.kinks, sum.unresolved);
    fflush(stdout);
    ck_assert_uint_ge(sum.graphs, graphs - graphs / 150);
    ck_assert_uint_ge(sum.entries, graphs * 40 / 3);
    ck_assert_uint_ge(sum.kinks, graphs * 4 / 15);
    ck_assert_uint_le(sum.unresolved, sum.entries / 20);
}
END_TEST

/* At a kink there is no second derivative, and a second difference of 1e8 or 1e-8 is mostly
 * rounding. */
START_TEST(right_second_derivatives_are_not_accused)
{
    const uint64_t graphs = some_graphs(500);
    tally sum = check_graphs(graphs, ORDINARY + 1, second_order);
    ck_assert_uint_ge(sum.graphs, graphs - graphs / 50);
    ck_assert_uint_ge(sum.entries, graphs * 15);
    ck_assert_uint_le(sum.unresolved, sum.entries / 20);
}
END_TEST

Suite *suite_planted(void)
{
    Suite *suite = suite_create("planted");
    TCase *bugs = tcase_create("bugs");
    tcase_add_test(bugs, planted_bugs_are_caught);
    suite_add_tcase(suite, bugs);
    TCase *right = tcase_create("right");
    tcase_add_test(right, right_gradients_are_not_accused);
    tcase_add_test(right, right_second_derivatives_are_not_accused);
    suite_add_tcase(suite, right);
    return suite;
}
