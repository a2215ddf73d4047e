/* Relative errors of 1e-10, planted in the rule of every op that has one, operand by operand:
 * multiplied and added, in all entries and in one. Wide differences catch all of them and name the
 * op. WGT_ALL=1: in every variant of the test table, else in the first that suit. */
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

enum { MOST = 64, SOME = 1 }; /* entries of an operand or result; variants of an op */

typedef enum spoil { TIMES, PLUS, TIMES_ONE, PLUS_ONE, SPOILS } spoil;

static const char *const spoil_name[] = {"times 1 + 1e-10", "plus 1e-10",
                                         "one entry times 1 + 1e-10", "one entry plus 1e-10"};

static _Thread_local struct {
    const wg_op *right;
    wg_op op;
    int operand; /* whose rule is wrong */
    spoil how;
    bool used; /* it gave something but zero */
} planted;

static int64_t largest_entry(const wg_tensor *g)
{
    int64_t at = 0;
    for (int64_t i = 1; i < g->size; i++)
        at = fabs(wg_element(g, i)) > fabs(wg_element(g, at)) ? i : at;
    return at;
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

static wg_tensor *planted_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    wg_tensor *g = planted.right->vjp(y, dy, i);
    if (i != planted.operand || g == NULL || g->size == 0)
        return g;
    const int64_t at = planted.how == TIMES_ONE || planted.how == PLUS_ONE ? largest_entry(g) : -1;
    const double largest = fabs(wg_element(g, largest_entry(g)));
    planted.used = planted.used || (largest > 0 && isfinite(largest));
    return planted.how == TIMES || planted.how == TIMES_ONE
               ? wg_add(g, wg_mul(g, error_like(g, at, 1e-10)))
               : wg_add(g, error_like(g, at, 1e-10 * largest));
}

/* c's op once more, with the wrong rule. */
static wg_tensor *plant(const wgt_case *c, int operand, spoil how)
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

typedef struct small_tally {
    int ops, planted, caught;
} small_tally;

static void check_one(const wgt_case *c, int operand, spoil how, small_tally *tally)
{
    static const wg_gradcheck_options wide = {.precision = WG_CHECK_WIDE};
    wg_mark mark = wg_tape_mark(c->tape);
    wg_check_report reports[WGT_OPERANDS];
    const wg_check_verdict verdict = wg_gradcheck(plant(c, operand, how), c->x, NULL, c->n_x, &wide,
                                                  reports);
    bool blamed = false;
    for (int i = 0; i < c->n_x; i++)
        blamed = blamed || (reports[i].blame != NULL && strcmp(reports[i].blame, "planted") == 0);
    tally->planted += planted.used;
    tally->caught += planted.used && verdict == WG_CHECK_FAILED && blamed;
    if (planted.used && !(verdict == WG_CHECK_FAILED && blamed)) {
        printf("%s, operand %d: %s: %s\n", c->name, operand, spoil_name[how],
               wg_check_verdict_name(verdict));
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

static void check_row(const wgt_row *row, small_tally *tally)
{
    const int most = getenv("WGT_ALL") != NULL ? 1000 : SOME;
    int taken = 0, before = tally->planted;
    for (const wgt_variant *v = wgt_variants(row); v->shapes != NULL && taken < most; v++) {
        wgt_case c = wgt_case_new(row, v, WG_F64);
        if (is_small(&c) && is_smooth(&c) && c.y->op->vjp != NULL) {
            taken++;
            for (int i = 0; i < c.y->n_operands; i++)
                for (int how = 0; how < SPOILS; how++)
                    if (c.y->operand[i]->dtype == WG_F64)
                        check_one(&c, i, (spoil)how, tally);
        }
        wgt_case_free(&c);
    }
    tally->ops += tally->planted > before;
}

START_TEST(errors_of_one_in_ten_billion)
{
    small_tally tally = {0, 0, 0};
    for (int i = 0; i < wgt_row_count(); i++)
        if (wgt_row_takes(wgt_row_at(i), WG_F64))
            check_row(wgt_row_at(i), &tally);
    printf("planted: %d errors of 1e-10 in %d ops, %d caught and blamed\n", tally.planted,
           tally.ops, tally.caught);
    fflush(stdout);
    ck_assert_int_ge(tally.ops, 90);
    if (WG_WIDE_BITS == 113) /* what 64 bits leave open is not accused */
        ck_assert_int_eq(tally.caught, tally.planted);
    else
        ck_assert_int_ge(tally.caught, tally.planted * 8 / 10);
}
END_TEST

#endif

Suite *suite_small_errors(void)
{
    Suite *suite = suite_create("small_errors");
    TCase *tc = tcase_create("planted");
#if WG_HAS_WIDE
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, errors_of_one_in_ten_billion);
#endif
    suite_add_tcase(suite, tc);
    return suite;
}
