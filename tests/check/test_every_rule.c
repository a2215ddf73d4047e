/* Wrong rules, planted in every op that has a rule, operand by operand: what is caught, and is the
 * op named? Errors of 1e-10, by wide differences, and all that people get wrong, by default.
 * WGT_ALL=1: all, in every variant of the test table, else some, in the first that suit. */
#include "autograd/check/gradcheck.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "tests/ops/op_table.h"
#include "tests/support/suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if WG_HAS_WIDE

enum {
    MOST = 64,
    SOME = 1,
    STEP = 5
}; /* entries of an operand or result; variants of an op; rules */

/* What a wrong rule makes of the right one's g. */
typedef wg_tensor *spoil(wg_tensor *g, wg_tensor *y, wg_tensor *dy, int i);

static _Thread_local struct {
    const wg_op *right;
    wg_op op;
    int operand; /* whose rule is wrong */
    spoil *how;
    bool used; /* it gave something else than the right one */
} planted;

static int64_t largest_entry(const wg_tensor *g)
{
    int64_t at = 0;
    for (int64_t i = 1; i < g->size; i++)
        at = fabs(wg_element(g, i)) > fabs(wg_element(g, at)) ? i : at;
    return at;
}

static double largest(const wg_tensor *g)
{
    return fabs(wg_element(g, largest_entry(g)));
}

/* Zeros but for `most` at entry `at`, or everywhere where at < 0. */
static wg_tensor *error_like(const wg_tensor *g, int64_t at, double error)
{
    wg_tensor *e = wg_zeros_like(g);
    for (int64_t i = 0; i < wg_size(e); i++)
        if (at < 0 || at == i)
            wg_set_element(e, i, error);
    return e;
}

/* The right rule, of another cotangent. */
static wg_tensor *of(wg_tensor *dy, wg_tensor *y, int i)
{
    wg_tensor *g = planted.right->vjp(y, dy, i);
    return g != NULL ? g : wg_zeros_like(y->operand[i]);
}

/* What it gives another operand of the same shape; else g. */
static wg_tensor *of_another(wg_tensor *g, wg_tensor *y, wg_tensor *dy, int i)
{
    const int other = (i + 1) % y->n_operands;
    const wg_tensor *x = y->operand[other];
    const bool fits = other != i && x->dtype == WG_F64 && wg_shape_same(&x->shape, &g->shape);
    wg_tensor *o = fits ? planted.right->vjp(y, dy, other) : NULL;
    return o != NULL ? o : g;
}

/* g's entries in another order: place k takes the one from place first + k stride. */
static wg_tensor *reordered(wg_tensor *g, int64_t first, int64_t stride)
{
    const int64_t n = g->size, last = n > 1 ? n - 1 : 1;
    wg_tensor *place = wg_full(g->tape, WG_I64, WG_SHAPE(n), 0);
    for (int64_t k = 0; k < n; k++)
        ((int64_t *)place->data)[k] = (n + first + k * stride % last) % n;
    wg_tensor *flat = wg_gather(wg_reshape(g, WG_SHAPE(n)), 0, place);
    return wg_reshape(flat, g->shape.ndim, g->shape.dim);
}

static wg_tensor *transposed_of(wg_tensor *g)
{
    return g->shape.ndim == 2 ? reordered(g, 0, g->shape.dim[1]) : reordered(g, -1, 1);
}

static wg_tensor *less(wg_tensor *g, wg_tensor *dy)
{
    return dy->size == g->size && dy->dtype == g->dtype
               ? wg_sub(g, wg_reshape(dy, g->shape.ndim, g->shape.dim))
               : g;
}

static wg_tensor *every_second(wg_tensor *g)
{
    wg_tensor *e = error_like(g, -1, 1);
    for (int64_t k = 1; k < g->size; k += 2)
        wg_set_element(e, k, 0.5);
    return wg_mul(g, e);
}

static wg_tensor *all_alike(wg_tensor *dy)
{
    return wg_broadcast_to(wg_mean(dy), dy->shape.ndim, dy->shape.dim);
}

/* g with `more` of itself at its largest entry. */
static wg_tensor *one_more(wg_tensor *g, double more)
{
    return wg_add(g, wg_mul(g, error_like(g, largest_entry(g), more)));
}

#define SPOIL(name, wrong)                                                                         \
    static wg_tensor *name(wg_tensor *g, wg_tensor *y, wg_tensor *dy, int i)                       \
    {                                                                                              \
        (void)g, (void)y, (void)dy, (void)i;                                                       \
        return wrong;                                                                              \
    }

SPOIL(small_times, wg_add(g, wg_scale(g, 1e-10)))
SPOIL(small_plus, wg_add(g, error_like(g, -1, 1e-10 * largest(g))))
SPOIL(small_times_one, one_more(g, 1e-10))
SPOIL(small_plus_one, wg_add(g, error_like(g, largest_entry(g), 1e-10 * largest(g))))

SPOIL(sign, wg_neg(g))
SPOIL(twice, wg_scale(g, 2))
SPOIL(half, wg_scale(g, 0.5))
SPOIL(thousandth, wg_scale(g, 1.001))
SPOIL(millionth, wg_scale(g, 1 + 1e-6))
SPOIL(nothing, NULL)
SPOIL(zero, wg_scale(g, 0))
SPOIL(offset, wg_shift(g, 1e-3 * largest(g)))
SPOIL(absolute, wg_abs(g))
SPOIL(squared, wg_square(g))
SPOIL(forgets, of(wg_ones_like(dy), y, i))
SPOIL(squares, of(wg_square(dy), y, i))
SPOIL(normalizes, of(wg_div_or_zero(dy, wg_abs(dy)), y, i))
SPOIL(clips, of(wg_clamp(dy, -0.5, 0.5), y, i))
SPOIL(averages, of(all_alike(dy), y, i))
SPOIL(shifted, reordered(g, 1, 1))
SPOIL(transposed, transposed_of(g))
SPOIL(one_zero, one_more(g, -1))
SPOIL(one_twice, one_more(g, 1))
SPOIL(one_sign, one_more(g, -2))
SPOIL(not_summed, wg_scale(g, (double)g->size / (double)(y->size > 0 ? y->size : 1)))
SPOIL(by_operand, wg_mul(g, y->operand[i]))
SPOIL(more_x, wg_add(g, wg_scale(y->operand[i], 1e-2)))
SPOIL(less_dy, less(g, dy))
SPOIL(other_operand, of_another(g, y, dy, i))
SPOIL(half_by_place, every_second(g))

#undef SPOIL

typedef struct spoiled {
    const char *name;
    spoil *how;
    bool small;
} spoiled;

static const spoiled spoils[] = {
    {"times 1 + 1e-10", small_times, true},
    {"plus 1e-10", small_plus, true},
    {"one entry times 1 + 1e-10", small_times_one, true},
    {"one entry plus 1e-10", small_plus_one, true},
    {"sign", sign, false},
    {"twice", twice, false},
    {"half", half, false},
    {"times 1.001", thousandth, false},
    {"times 1 + 1e-6", millionth, false},
    {"nothing", nothing, false},
    {"zero", zero, false},
    {"an offset", offset, false},
    {"|g|", absolute, false},
    {"g^2", squared, false},
    {"forgets the cotangent", forgets, false},
    {"squares the cotangent", squares, false},
    {"normalizes the cotangent", normalizes, false},
    {"clips the cotangent", clips, false},
    {"averages the cotangent", averages, false},
    {"off by one place", shifted, false},
    {"transposed", transposed, false},
    {"one entry is zero", one_zero, false},
    {"one entry twice", one_twice, false},
    {"one entry's sign", one_sign, false},
    {"the mean over broadcast axes", not_summed, false},
    {"times x", by_operand, false},
    {"plus x/100", more_x, false},
    {"less dy", less_dy, false},
    {"another operand's", other_operand, false},
    {"half, at every second place", half_by_place, false},
};

/* ---- Planting -------------------------------------------------------------------------------- */

static bool differs(const wg_tensor *wrong, const wg_tensor *right)
{
    double gap = 0;
    for (int64_t k = 0; k < right->size; k++)
        gap = fmax(gap, fabs((wrong != NULL ? wg_element(wrong, k) : 0) - wg_element(right, k)));
    return isfinite(gap) && gap > 1e-11 * largest(right);
}

static wg_tensor *planted_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = planted.right->vjp(y, dy, i);
    if (i != planted.operand || g == NULL || g->size == 0)
        return g;
    wg_tensor *wrong = planted.how(g, y, dy, i);
    planted.used = planted.used || (largest(g) > 0 && isfinite(largest(g)) && differs(wrong, g));
    return wrong;
}

/* c's op once more, with the wrong rule. */
static wg_tensor *plant(const wgt_case *c, int operand, spoil *how)
{
    planted.right = c->y->op;
    planted.op = *c->y->op;
    planted.op.name = "planted";
    planted.op.vjp = planted_rule;
    planted.op.vjp_parts = NULL;
    planted.operand = operand;
    planted.how = how;
    planted.used = false;
    return wg_apply(&planted.op, c->y->operand, c->y->n_operands, c->y->attrs);
}

typedef struct rule_tally {
    int rows, ops, planted, caught;
} rule_tally;

static void check_one(const wgt_case *c, int operand, const spoiled *how, rule_tally *tally)
{
    const wg_gradcheck_options o = {.precision = how->small ? WG_CHECK_WIDE : WG_CHECK_AUTO};
    wg_mark mark = wg_tape_mark(c->tape);
    wg_check_report reports[WGT_OPERANDS];
    const wg_check_verdict verdict = wg_gradcheck(plant(c, operand, how->how), c->x, NULL, c->n_x,
                                                  &o, reports);
    bool blamed = false;
    for (int i = 0; i < c->n_x; i++)
        blamed = blamed || (reports[i].blame != NULL && strcmp(reports[i].blame, "planted") == 0);
    const bool caught = verdict == WG_CHECK_FAILED && blamed;
    tally->planted += planted.used;
    tally->caught += planted.used && caught;
    if (planted.used && !caught) {
        printf("%s, operand %d: %s: %s, %s\n", c->name, operand, how->name,
               wg_check_verdict_name(verdict), blamed ? "blamed" : "not blamed");
        wg_check_report_print(stdout, reports, (size_t)c->n_x);
    }
    wg_tape_rewind(c->tape, mark);
}

/* At a tie with itself an op with kinks has a whole interval of derivatives. */
static bool is_smooth(const wgt_case *c)
{
    return !(c->y->op->flags & WG_OP_KINKS) || c->y->n_operands < 2 ||
           c->y->operand[0] != c->y->operand[1];
}

static bool is_small(const wgt_case *c)
{
    bool small = c->y->size > 0 && c->y->size <= MOST && c->n_x > 0;
    for (int i = 0; i < c->n_x; i++)
        small = small && c->x[i]->size > 0 && c->x[i]->size <= MOST;
    return small;
}

static void check_operand(const wgt_case *c, int i, bool small, rule_tally *tally)
{
    const int step = small || getenv("WGT_ALL") != NULL ? 1 : STEP;
    for (int k = 0; k < (int)(sizeof spoils / sizeof *spoils); k++)
        if (spoils[k].small == small && (k + tally->rows) % step == 0)
            check_one(c, i, &spoils[k], tally);
}

static void check_row(const wgt_row *row, bool small, rule_tally *tally)
{
    const int most = getenv("WGT_ALL") != NULL ? 1000 : SOME;
    int taken = 0, before = tally->planted;
    tally->rows++;
    for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL && taken < most; v++) {
        wgt_case c = wgt_case_new(row, v, WG_F64);
        if (is_small(&c) && is_smooth(&c) && c.y->op->vjp != NULL) {
            taken++;
            for (int i = 0; i < c.y->n_operands; i++)
                if (c.y->operand[i]->dtype == WG_F64)
                    check_operand(&c, i, small, tally);
        }
        wgt_case_free(&c);
    }
    tally->ops += tally->planted > before;
}

START_TEST(wrong_rules)
{
    rule_tally tally = {0, 0, 0, 0};
    for (int i = 0; i < wgt_row_count(); i++)
        if (wgt_row_takes(wgt_row_at(i), WG_F64))
            check_row(wgt_row_at(i), _i == 0, &tally);
    printf("planted: %d errors%s in %d ops, %d caught and blamed\n", tally.planted,
           _i == 0 ? " of 1e-10" : "", tally.ops, tally.caught);
    fflush(stdout);
    ck_assert_int_ge(tally.ops, 90);
    if (WG_WIDE_BITS == 113) /* what 64 bits leave open is not accused */
        ck_assert_int_eq(tally.caught, tally.planted);
    else
        ck_assert_int_ge(tally.caught, tally.planted * 8 / 10);
}
END_TEST

#endif

Suite *suite_every_rule(void)
{
    Suite *suite = suite_create("every_rule");
    TCase *tc = tcase_create("planted");
#if WG_HAS_WIDE
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, wrong_rules, 0, 2);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
