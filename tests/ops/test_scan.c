/* Loops that are one node: values and derivatives are those of the same loops unrolled. */
#include "ops/scan.h"

#include "autograd/check/gradcheck.h"
#include "autograd/derivatives/derivatives.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/layout.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "tests/ops/loops.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"

#include "tests/ops/on_tape.h"

/* ---- Values and derivatives ------------------------------------------------------------------ */

/* Values have the same bits; gradients differ by a few roundings of their terms: the sums over
 * WGT_LOOP_STEPS steps and the meeting of at most three cotangents. */
START_TEST(as_unrolled)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *want_last[2], *want[2], *g[6], *want_g[6];
    wgt_loop_case(&p, t, _i);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    wgt_loop_unroll(&p.loop, want_last, want);
    for (int k = 0; k < p.loop.n_carries; k++)
        wgt_loop_like(last[k], want_last[k], 0);
    for (int k = 0; k < p.loop.n_ys; k++)
        wgt_loop_like(ys[k], want[k], 0);
    wg_grad(wgt_loop_total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
    wg_grad(wgt_loop_total(&p.loop, want_last, want), p.wrt, p.n_wrt, want_g);
    for (int k = 0; k < p.n_wrt; k++)
        wgt_loop_like(g[k], want_g[k], 16);
}
END_TEST

/* The gradient of <gradient, random>, and the JVP. */
START_TEST(second_derivatives_as_unrolled)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *y[2], *g[6], *h[2][6], *v[6], *jv[2];
    wgt_loop_case(&p, t, _i);
    for (int k = 0; k < p.n_wrt; k++)
        v[k] = wg_cast(wgt_random_like(p.wrt[k], 5 + (uint64_t)k), p.wrt[k]->dtype);
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
        else
            wgt_loop_unroll(&p.loop, last, ys);
        y[way] = wgt_loop_total(&p.loop, last, ys);
        jv[way] = wg_jvp(y[way], p.wrt, v, p.n_wrt);
        wg_grad(y[way], p.wrt, p.n_wrt, g);
        wg_tensor *inner = wg_sum(wg_mul(g[0], v[0]));
        for (int k = 1; k < p.n_wrt; k++)
            inner = wg_add(inner, wg_sum(wg_mul(g[k], v[k])));
        wg_grad(inner, p.wrt, p.n_wrt, h[way]);
    }
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    wgt_loop_like(jv[0], jv[1], 64);
    for (int k = 0; k < p.n_wrt; k++)
        wgt_loop_like(h[0][k], h[1][k], 64);
}
END_TEST

/* Third derivatives, along random directions. */
START_TEST(third_derivatives_as_unrolled)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *d[2];
    wgt_loop_init(&p, t, WG_F64, _i);
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
        else
            wgt_loop_unroll(&p.loop, last, ys);
        d[way] = wgt_loop_total(&p.loop, last, ys);
        for (int order = 0; order < 3; order++) {
            wg_tensor *g[6], *sum = NULL;
            wg_grad(d[way], p.wrt, p.n_wrt, g);
            for (int k = 0; k < p.n_wrt; k++) {
                wg_tensor *c = wgt_random_like(p.wrt[k], 9 + (uint64_t)k);
                wg_tensor *part = wg_sum(wg_mul(c, g[k]));
                sum = sum == NULL ? part : wg_add(sum, part);
            }
            d[way] = sum;
        }
    }
    wgt_loop_like(d[0], d[1], 512);
}
END_TEST

/* A gradient by one thing alone asks for no more of the body. */
START_TEST(by_one_operand)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *g, *all[6];
    wgt_loop_init(&p, t, WG_F64, _i);
    wg_scan(&p.loop, last, ys);
    wg_tensor *y = wgt_loop_total(&p.loop, last, ys);
    wg_grad(y, p.wrt, p.n_wrt, all);
    for (int k = 0; k < p.n_wrt; k++) {
        wg_grad(y, &p.wrt[k], 1, &g);
        wgt_loop_like(g, all[k], 0);
    }
}
END_TEST

START_TEST(checks_pass)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2];
    wgt_loop_case(&p, t, _i);
    wg_scan(&p.loop, last, ys);
    wg_tensor *y = wgt_loop_total(&p.loop, last, ys);
    ck_assert_int_eq(wg_gradcheck(y, p.wrt, NULL, p.n_wrt, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, p.wrt, p.n_wrt, NULL, NULL), WG_CHECK_PASSED);
}
END_TEST

/* ---- What a body may do ---------------------------------------------------------------------- */

static wg_tensor *sum_of(wg_tensor *x)
{
    return wg_sum(wg_mul(x, x));
}

/* Next carries that are a param, an x and a param behind a wall, and a derivative made inside; y
 * that is a carry. */
static void passes_on(wg_scan_step *s, void *user)
{
    wg_tensor *one = wg_ones_like(s->carry[3]);
    (void)user;
    s->next[0] = s->param[0];
    s->next[1] = s->x[0];
    s->next[2] = wg_add(s->param[1], wg_detach(s->carry[0]));
    s->next[3] = wg_jvp(wg_mul(wg_sin(s->carry[3]), s->carry[2]), &s->carry[3], &one, 1);
    s->y[0] = s->carry[1];
}

START_TEST(passed_on_as_unrolled)
{
    wg_tensor *wrt[7], *last[4], *ys[1], *y[2], *g[7], *h[2][7];
    for (int k = 0; k < 6; k++)
        wrt[k] = wgt_loop_param(t, WG_F64, (const char *[]){"a", "b", "c", "d", "p", "q"}[k],
                                WG_SHAPE(UNITS));
    wrt[6] = wgt_loop_param(t, WG_F64, "x", WG_SHAPE(4, UNITS));
    for (int i = 0; i < 8; i++) {
        const wg_scan_loop l = {passes_on, NULL, wrt, wrt + 6, wrt + 4,   4,
                                1,         2,    1,   4,       i % 2 > 0, i / 2};
        for (int way = 0; way < 2; way++) {
            if (way == 0)
                ck_assert_msg(wg_scan(&l, last, ys) == WG_OK, "%s", wg_tape_message(t));
            else
                wgt_loop_unroll(&l, last, ys);
            y[way] = wg_add(wgt_loop_total(&l, last, ys), wg_sum(last[2]));
            wg_grad(y[way], wrt, 7, g);
            wg_tensor *squares = sum_of(g[0]);
            for (int k = 1; k < 7; k++)
                squares = wg_add(squares, sum_of(g[k]));
            wg_grad(wg_add(squares, y[way]), wrt, 7, h[way]);
        }
        wgt_loop_like(y[0], y[1], 0);
        for (int k = 0; k < 7; k++)
            wgt_loop_like(h[0][k], h[1][k], 64);
    }
}
END_TEST

static void adds_up(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_add(wg_mul(s->carry[0], s->param[0]), s->x[0]);
    s->y[0] = wg_scale(s->next[0], 2);
}

/* Results may be written over the lists of the operands: h = scan(h). */
START_TEST(results_over_operands)
{
    wg_tensor *last, *ys, *W = wgt_loop_param(t, WG_F64, "W", WG_SHAPE(UNITS));
    for (int i = 0; i < 8; i++) {
        wg_tensor *h = wgt_loop_param(t, WG_F64, "h", WG_SHAPE(UNITS)),
                  *x = wgt_loop_param(t, WG_F64, "x", WG_SHAPE(5, UNITS));
        const wg_scan_loop l = {adds_up, NULL, &h, &x, &W, 1, 1, 1, 1, 0, i % 2 > 0, i / 2};
        ck_assert_int_eq(wg_scan(&l, &last, &ys), WG_OK);
        ck_assert_msg(wg_scan(&l, &h, &x) == WG_OK, "%s", wg_tape_message(t));
        wgt_loop_like(h, last, 0);
        wgt_loop_like(x, ys, 0);
    }
}
END_TEST

/* ---- Edges ----------------------------------------------------------------------------------- */

START_TEST(no_steps)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *g[6];
    wgt_loop_init(&p, t, WG_F64, 0);
    p.x[0] = wg_slice(p.x[0], 0, 0, 0);
    p.loop.steps = 0;
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    wgt_loop_like(last[0], p.carry[0], 0);
    ck_assert_int_eq(wg_dim(ys[0], 0), 0);
    ck_assert_int_eq(wg_grad(wg_sum(wg_add(last[0], last[1])), p.wrt, p.n_wrt, g), WG_OK);
    for (int64_t i = 0; i < UNITS; i++)
        ck_assert(wg_at(g[0], i) == 1 && wg_at(g[1], i) == 1);
    ck_assert(wg_at(g[4], 0) == 0);
}
END_TEST

static void maps(wg_scan_step *s, void *user)
{
    (void)user;
    s->y[0] = wg_mul(wg_tanh(s->x[0]), s->param[0]);
}

/* A loop without carries is a map; what was rewound leaves nothing. */
START_TEST(no_carries)
{
    wg_tensor *x = wgt_loop_param(t, WG_F64, "x", WG_SHAPE(4, 3)),
              *w = wgt_loop_param(t, WG_F64, "w", WG_SHAPE(3));
    wg_tensor *both[] = {x, w}, *y, *g[2], *want[2];
    for (int round = 0; round < 3; round++) {
        const wg_mark mark = wg_tape_mark(t);
        wg_scan(
            &(wg_scan_loop){
                .body = maps, .xs = &x, .n_xs = 1, .params = &w, .n_params = 1, .n_ys = 1},
            NULL, &y);
        wg_grad(wg_sum(wg_square(y)), both, 2, g);
        wg_tensor *plain = wg_mul(wg_tanh(x), w);
        wgt_loop_like(y, plain, 0);
        wg_grad(wg_sum(wg_square(plain)), both, 2, want);
        wgt_loop_like(g[0], want[0], 0);
        wgt_loop_like(g[1], want[1], 4);
        wg_tape_rewind(t, mark);
    }
}
END_TEST

Suite *suite_scan(void)
{
    Suite *s = suite_create("scan");
    TCase *tc = tcase_create("scan");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, as_unrolled, 0, WGT_LOOP_CASES);
    tcase_add_loop_test(tc, second_derivatives_as_unrolled, 0, WGT_LOOP_CASES);
    tcase_add_loop_test(tc, third_derivatives_as_unrolled, 0, WGT_LOOP_BODIES);
    tcase_add_loop_test(tc, by_one_operand, 0, WGT_LOOP_BODIES);
    tcase_add_loop_test(tc, checks_pass, 0, WGT_LOOP_CASES);
    tcase_add_test(tc, passed_on_as_unrolled);
    tcase_add_test(tc, results_over_operands);
    tcase_add_test(tc, no_steps);
    tcase_add_test(tc, no_carries);
    suite_add_tcase(s, tc);
    return s;
}
