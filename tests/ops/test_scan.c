/* Loops that are one node, against the same loops unrolled. */
#include "ops/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "autograd/body_internal.h"
#include "autograd/check/gradcheck.h"
#include "autograd/compile/blocks.h"
#include "autograd/compile/program.h"
#include "autograd/compile/write.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/print/print.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/slice.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"

#include "tests/ops/on_tape.h"

enum { STEPS = 7, UNITS = 3, WIDTH = 2 };

/* ---- Bodies ---------------------------------------------------------------------------------- */

/* An LSTM cell: carries h and c (1, UNITS), x (1, WIDTH), params W, U and b; gives out h. */
static void lstm(wg_scan_step *s, void *user)
{
    wg_tensor *gate[4],
        *at = wg_add(wg_add(wg_matmul(s->x[0], s->param[0]), wg_matmul(s->carry[0], s->param[1])),
                     s->param[2]);
    (void)user;
    wg_split(at, 1, 4, NULL, gate);
    s->next[1] = wg_add(wg_mul(wg_sigmoid(gate[0]), s->carry[1]),
                        wg_mul(wg_sigmoid(gate[1]), wg_tanh(gate[2])));
    s->next[0] = s->y[0] = wg_mul(wg_sigmoid(gate[3]), wg_tanh(s->next[1]));
}

/* A choice, and a row taken by an index: carry (1, UNITS), xs (1, UNITS) and i64 (1), params a
 * table (5, UNITS) and a number; gives out the carry before and a number. */
static void chooses(wg_scan_step *s, void *user)
{
    wg_tensor *row = wg_gather_rows(s->param[0], s->x[1]);
    wg_tensor *up = wg_greater(s->x[0], s->carry[0]);
    (void)user;
    s->next[0] = wg_where(up, wg_mul(row, s->carry[0]), wg_sub(s->x[0], wg_mul(row, s->param[1])));
    s->y[0] = s->carry[0];
    s->y[1] = wg_sum(wg_square(s->next[0]));
}

/* Two carries that change places; no xs. */
static void swaps(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = s->carry[1];
    s->next[1] = wg_mul(s->carry[0], s->param[0]);
}

typedef struct problem {
    wg_scan_loop loop;
    wg_tensor *carry[2], *x[2], *param[3];
    wg_tensor *wrt[6];
    int n_wrt;
} problem;

static wg_tensor *draw(wg_tape *on, wg_dtype dtype, const char *name, int ndim, const int64_t *dim)
{
    wg_tensor *x = wg_param(on, name, dtype, ndim, dim);
    ck_assert_int_eq(wg_fill_normal(x, 0, 0.7, (uint64_t)name[0] + 256 * (uint64_t)name[1]), WG_OK);
    return x;
}

static void problem_init(problem *p, wg_tape *on, wg_dtype dtype, int which)
{
    static const int64_t rows[STEPS] = {4, 0, 2, 2, 1, 3, 0};
    *p = (problem){.loop = {.steps = STEPS}};
    wg_scan_loop *l = &p->loop;
    l->carries = p->carry;
    l->xs = p->x;
    l->params = p->param;
    p->carry[0] = draw(on, dtype, "h0", WG_SHAPE(1, UNITS));
    l->n_carries = 1;
    if (which == 0) {
        l->body = lstm;
        p->carry[1] = draw(on, dtype, "c0", WG_SHAPE(1, UNITS));
        p->x[0] = draw(on, dtype, "x", WG_SHAPE(STEPS, 1, WIDTH));
        p->param[0] = draw(on, dtype, "W", WG_SHAPE(WIDTH, 4 * UNITS));
        p->param[1] = draw(on, dtype, "U", WG_SHAPE(UNITS, 4 * UNITS));
        p->param[2] = draw(on, dtype, "b", WG_SHAPE(4 * UNITS));
        l->n_carries = 2;
        l->n_xs = l->n_ys = 1;
        l->n_params = 3;
    } else if (which == 1) {
        l->body = chooses;
        p->x[0] = draw(on, dtype, "x", WG_SHAPE(STEPS, 1, UNITS));
        p->x[1] = wg_constant(on, WG_I64, WG_SHAPE(STEPS, 1), rows);
        p->param[0] = draw(on, dtype, "T", WG_SHAPE(5, UNITS));
        p->param[1] = draw(on, dtype, "s", WG_SCALAR);
        l->n_xs = l->n_params = l->n_ys = 2;
    } else {
        l->body = swaps;
        p->carry[1] = draw(on, dtype, "c0", WG_SHAPE(1, UNITS));
        p->param[0] = draw(on, dtype, "p", WG_SHAPE(1, UNITS));
        l->n_carries = 2;
        l->n_params = 1;
    }
    for (int k = 0; k < l->n_carries; k++)
        p->wrt[p->n_wrt++] = p->carry[k];
    p->wrt[p->n_wrt] = p->x[0];
    p->n_wrt += l->n_xs > 0;
    for (int k = 0; k < l->n_params; k++)
        p->wrt[p->n_wrt++] = p->param[k];
}

/* The same loop, every step a part of the tape. */
static void unroll(const wg_scan_loop *l, wg_tensor *last[], wg_tensor *ys[])
{
    wg_tensor *x[2], *next[4], *y[2], *all[2][STEPS];
    for (int k = 0; k < l->n_carries; k++)
        last[k] = l->carries[k];
    for (int64_t i = 0; i < l->steps; i++) {
        const int64_t row = l->reverse ? l->steps - 1 - i : i;
        for (int k = 0; k < l->n_xs; k++)
            x[k] = wg_reshape(wg_slice(l->xs[k], 0, row, row + 1), l->xs[k]->shape.ndim - 1,
                              l->xs[k]->shape.dim + 1);
        l->body(&(wg_scan_step){last, x, l->params, next, y}, l->user);
        for (int k = 0; k < l->n_carries; k++)
            last[k] = next[k];
        for (int k = 0; k < l->n_ys; k++)
            all[k][row] = y[k];
    }
    for (int k = 0; k < l->n_ys; k++)
        ys[k] = wg_stack(all[k], (int)l->steps, 0);
}

/* A number that depends on all that a loop gives. */
static wg_tensor *total(const wg_scan_loop *l, wg_tensor *const last[], wg_tensor *const ys[])
{
    wg_tensor *sum = wg_scalar(l->carries[0]->tape, l->carries[0]->dtype, 0);
    for (int k = 0; k < l->n_carries; k++)
        sum = wg_add(sum, wg_sum(wg_mul(last[k], wg_add(last[k], last[0]))));
    for (int k = 0; k < l->n_ys; k++)
        sum = wg_add(sum, wg_mean(wg_sin(ys[k])));
    return sum;
}

static void assert_like(const wg_tensor *a, const wg_tensor *b, double ulps)
{
    const double eps = b->dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
    double largest = 0;
    ck_assert_msg(wg_tape_status(a->tape) == WG_OK, "%s", wg_tape_message(a->tape));
    ck_assert(wg_shape_same(&a->shape, &b->shape));
    ck_assert_int_eq(a->dtype, b->dtype);
    for (int64_t i = 0; i < b->size; i++)
        largest = fmax(largest, fabs(wg_at(b, i)));
    for (int64_t i = 0; i < b->size; i++)
        ck_assert_msg(fabs(wg_at(a, i) - wg_at(b, i)) <= ulps * eps * largest ||
                          (isnan(wg_at(a, i)) && isnan(wg_at(b, i))),
                      "%g and %g at %d", wg_at(a, i), wg_at(b, i), (int)i);
}

/* ---- Values and derivatives ------------------------------------------------------------------ */

enum { BODIES = 3, DTYPES = 2, WAYS = 2, KEEPS = 4, CASES = BODIES * DTYPES * WAYS * KEEPS };
static const int64_t snapshots[KEEPS] = {0, 1, 3, 4};

static void case_init(problem *p, int i)
{
    problem_init(p, t, i / BODIES % DTYPES ? WG_F32 : WG_F64, i % BODIES);
    p->loop.reverse = i / (BODIES * DTYPES) % WAYS;
    p->loop.snapshots = snapshots[i / (BODIES * DTYPES * WAYS)];
}

/* Values have the same bits; gradients differ by a few roundings of their terms: the sums over
 * STEPS steps and the meeting of at most three cotangents. */
START_TEST(as_unrolled)
{
    problem p;
    wg_tensor *last[2], *ys[2], *want_last[2], *want[2], *g[6], *want_g[6];
    case_init(&p, _i);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    unroll(&p.loop, want_last, want);
    for (int k = 0; k < p.loop.n_carries; k++)
        assert_like(last[k], want_last[k], 0);
    for (int k = 0; k < p.loop.n_ys; k++)
        assert_like(ys[k], want[k], 0);
    wg_grad(total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
    wg_grad(total(&p.loop, want_last, want), p.wrt, p.n_wrt, want_g);
    for (int k = 0; k < p.n_wrt; k++)
        assert_like(g[k], want_g[k], 16);
}
END_TEST

/* The gradient of <gradient, random>, and the JVP. */
START_TEST(second_derivatives_as_unrolled)
{
    problem p;
    wg_tensor *last[2], *ys[2], *y[2], *g[6], *h[2][6], *v[6], *jv[2];
    case_init(&p, _i);
    for (int k = 0; k < p.n_wrt; k++)
        v[k] = wg_cast(wgt_random_like(p.wrt[k], 5 + (uint64_t)k), p.wrt[k]->dtype);
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
        else
            unroll(&p.loop, last, ys);
        y[way] = total(&p.loop, last, ys);
        jv[way] = wg_jvp(y[way], p.wrt, v, p.n_wrt);
        wg_grad(y[way], p.wrt, p.n_wrt, g);
        wg_tensor *inner = wg_sum(wg_mul(g[0], v[0]));
        for (int k = 1; k < p.n_wrt; k++)
            inner = wg_add(inner, wg_sum(wg_mul(g[k], v[k])));
        wg_grad(inner, p.wrt, p.n_wrt, h[way]);
    }
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    assert_like(jv[0], jv[1], 64);
    for (int k = 0; k < p.n_wrt; k++)
        assert_like(h[0][k], h[1][k], 64);
}
END_TEST

/* Third derivatives, along random directions. */
START_TEST(third_derivatives_as_unrolled)
{
    problem p;
    wg_tensor *last[2], *ys[2], *d[2];
    problem_init(&p, t, WG_F64, _i);
    for (int way = 0; way < 2; way++) {
        if (way == 0)
            ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
        else
            unroll(&p.loop, last, ys);
        d[way] = total(&p.loop, last, ys);
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
    assert_like(d[0], d[1], 512);
}
END_TEST

/* A gradient by one thing alone asks for no more of the body. */
START_TEST(by_one_operand)
{
    problem p;
    wg_tensor *last[2], *ys[2], *g, *all[6];
    problem_init(&p, t, WG_F64, _i);
    wg_scan(&p.loop, last, ys);
    wg_tensor *y = total(&p.loop, last, ys);
    wg_grad(y, p.wrt, p.n_wrt, all);
    for (int k = 0; k < p.n_wrt; k++) {
        wg_grad(y, &p.wrt[k], 1, &g);
        assert_like(g, all[k], 0);
    }
}
END_TEST

START_TEST(checks_pass)
{
    problem p;
    wg_tensor *last[2], *ys[2];
    case_init(&p, _i);
    wg_scan(&p.loop, last, ys);
    wg_tensor *y = total(&p.loop, last, ys);
    ck_assert_int_eq(wg_gradcheck(y, p.wrt, NULL, p.n_wrt, NULL, NULL), WG_CHECK_PASSED);
    ck_assert_int_eq(wg_gradcheck_second(y, p.wrt, p.n_wrt, NULL, NULL), WG_CHECK_PASSED);
}
END_TEST

/* ---- Programs, replay, copies ---------------------------------------------------------------- */

START_TEST(replayed_and_compiled)
{
    problem p;
    wg_tensor *last[2], *ys[2], *g[7], *held;
    case_init(&p, _i);
    wg_scan(&p.loop, last, ys);
    g[p.n_wrt] = total(&p.loop, last, ys);
    wg_grad(g[p.n_wrt], p.wrt, p.n_wrt, g);
    wg_program *first = wg_compile(g, p.n_wrt + 1, NULL), *second = wg_compile(g, 1, NULL);
    wg_fill_normal(p.carry[0], 0, 1, 77);
    ck_assert(wg_is_stale(g[0]));
    ck_assert_int_eq(wg_program_run(first), WG_OK);
    ck_assert_int_eq(wg_program_run(second), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int k = 0; k <= p.n_wrt; k++)
        assert_like(wg_program_output(first, k), g[k], 0);
    assert_like(wg_program_output(second, 0), g[0], 0);
    held = wg_mul(g[0], wg_ones_like(g[0]));
    ck_assert(!wg_is_stale(held));
}
END_TEST

/* A copy has a body of its own; widened and back it computes the same. */
START_TEST(copied)
{
    problem p;
    wg_tensor *last[2], *ys[2], *g[6];
    problem_init(&p, t, WG_F32, _i);
    wg_scan(&p.loop, last, ys);
    wg_grad(total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
    wg_tape *same = wg_tape_copy(t, WG_F32), *f64 = wg_tape_copy(t, WG_F64);
    ck_assert_msg(wg_tape_status(f64) == WG_OK, "%s", wg_tape_message(f64));
    for (int k = 0; k < p.n_wrt; k++) {
        wg_tensor *exact = wg_tape_counterpart(f64, g[k]);
        assert_like(wg_tape_counterpart(same, g[k]), g[k], 0);
        ck_assert_int_eq(exact->dtype, WG_F64);
        for (int64_t i = 0; i < exact->size; i++)
            wgt_assert_close(wg_at(g[k], i), wg_at(exact, i), 1e-4, 1e-5);
    }
#if WG_HAS_WIDE
    wg_tape *wide = wg_tape_copy(f64, WG_WIDE);
    ck_assert_msg(wg_tape_status(wide) == WG_OK, "%s", wg_tape_message(wide));
    for (int k = 0; k < p.n_wrt; k++)
        for (int64_t i = 0; i < g[k]->size; i++)
            wgt_assert_close(wg_at(wg_tape_counterpart(f64, g[k]), i),
                             wg_at(wg_tape_counterpart(wide, g[k]), i), 1e-12, 1e-14);
    wg_tape_free(wide);
#endif
    wg_tape_free(same);
    wg_tape_free(f64);
}
END_TEST

/* What a body computes is its identity: names, addresses and dead code are no part of it. */
static int64_t extra;

static void doubles(wg_scan_step *s, void *user)
{
    const double *factor = user;
    if (extra)
        wg_exp(s->carry[0]);
    s->next[0] = wg_mul(s->carry[0], wg_scalar(s->carry[0]->tape, WG_F64, *factor));
}

static uint64_t identity(double factor)
{
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(2), 1), *last;
    wg_scan(
        &(wg_scan_loop){
            .body = doubles, .user = &factor, .carries = &x, .n_carries = 1, .steps = 3},
        &last, NULL);
    const wg_tensor *scan = last->operand[0]->operand[0];
    ck_assert_str_eq(scan->op->name, "scan");
    return *(const uint64_t *)scan->operand[0]->attrs;
}

START_TEST(identified)
{
    extra = 0;
    const uint64_t two = identity(2);
    extra = 1;
    ck_assert_uint_eq(identity(2), two);
    ck_assert_uint_ne(identity(3), two);
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
        wrt[k] = draw(t, WG_F64, (const char *[]){"a", "b", "c", "d", "p", "q"}[k],
                      WG_SHAPE(UNITS));
    wrt[6] = draw(t, WG_F64, "x", WG_SHAPE(4, UNITS));
    for (int i = 0; i < 8; i++) {
        const wg_scan_loop l = {passes_on, NULL, wrt, wrt + 6, wrt + 4,   4,
                                1,         2,    1,   4,       i % 2 > 0, i / 2};
        for (int way = 0; way < 2; way++) {
            if (way == 0)
                ck_assert_msg(wg_scan(&l, last, ys) == WG_OK, "%s", wg_tape_message(t));
            else
                unroll(&l, last, ys);
            y[way] = wg_add(total(&l, last, ys), wg_sum(last[2]));
            wg_grad(y[way], wrt, 7, g);
            wg_tensor *squares = sum_of(g[0]);
            for (int k = 1; k < 7; k++)
                squares = wg_add(squares, sum_of(g[k]));
            wg_grad(wg_add(squares, y[way]), wrt, 7, h[way]);
        }
        assert_like(y[0], y[1], 0);
        for (int k = 0; k < 7; k++)
            assert_like(h[0][k], h[1][k], 64);
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
    wg_tensor *last, *ys, *W = draw(t, WG_F64, "W", WG_SHAPE(UNITS));
    for (int i = 0; i < 8; i++) {
        wg_tensor *h = draw(t, WG_F64, "h", WG_SHAPE(UNITS)),
                  *x = draw(t, WG_F64, "x", WG_SHAPE(5, UNITS));
        const wg_scan_loop l = {adds_up, NULL, &h, &x, &W, 1, 1, 1, 1, 0, i % 2 > 0, i / 2};
        ck_assert_int_eq(wg_scan(&l, &last, &ys), WG_OK);
        ck_assert_msg(wg_scan(&l, &h, &x) == WG_OK, "%s", wg_tape_message(t));
        assert_like(h, last, 0);
        assert_like(x, ys, 0);
    }
}
END_TEST

/* ---- Edges ----------------------------------------------------------------------------------- */

START_TEST(no_steps)
{
    problem p;
    wg_tensor *last[2], *ys[2], *g[6];
    problem_init(&p, t, WG_F64, 0);
    p.x[0] = wg_slice(p.x[0], 0, 0, 0);
    p.loop.steps = 0;
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    assert_like(last[0], p.carry[0], 0);
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
    wg_tensor *x = draw(t, WG_F64, "x", WG_SHAPE(4, 3)), *w = draw(t, WG_F64, "w", WG_SHAPE(3));
    wg_tensor *both[] = {x, w}, *y, *g[2], *want[2];
    for (int round = 0; round < 3; round++) {
        const wg_mark mark = wg_tape_mark(t);
        wg_scan(
            &(wg_scan_loop){
                .body = maps, .xs = &x, .n_xs = 1, .params = &w, .n_params = 1, .n_ys = 1},
            NULL, &y);
        wg_grad(wg_sum(wg_square(y)), both, 2, g);
        wg_tensor *plain = wg_mul(wg_tanh(x), w);
        assert_like(y, plain, 0);
        wg_grad(wg_sum(wg_square(plain)), both, 2, want);
        assert_like(g[0], want[0], 0);
        assert_like(g[1], want[1], 4);
        wg_tape_rewind(t, mark);
    }
}
END_TEST

START_TEST(printed)
{
    problem p;
    wg_tensor *last[2], *ys[2];
    char text[256];
    problem_init(&p, t, WG_F64, 0);
    wg_scan(&p.loop, last, ys);
    const wg_tensor *scan = last[0]->operand[0]->operand[0];
    text[0] = '\0';
    scan->op->describe(scan, text, sizeof text);
    ck_assert_str_eq(text, "7 steps, 2 carries kept, 1 ys");
    char listed[16384];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(wg_tape_print(file, t), WG_OK);
    ck_assert_int_eq(wg_tape_dot(file, t, last, 1), WG_OK);
    rewind(file);
    listed[fread(listed, 1, sizeof listed - 1, file)] = '\0';
    fclose(file);
    ck_assert_ptr_nonnull(strstr(listed, "nodes  = \n    #0     input              (1, 3)"));
    ck_assert_ptr_nonnull(strstr(listed, "  subgraph cluster_6_ {\n  label=\"body\";\n  n6_0 ["));
    ck_assert_ptr_nonnull(strstr(listed, "  n6_0 -> n6_"));
    ck_assert_ptr_nonnull(strstr(listed, "  n6 -> n7;"));
}
END_TEST

/* ---- Mistakes -------------------------------------------------------------------------------- */

static wg_tensor *outside;

static void leaks(wg_scan_step *s, void *user)
{
    s->next[0] = user != NULL ? wg_mul(outside, s->carry[0]) : wg_mul(s->carry[0], outside);
}

static void makes_params(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_mul(s->carry[0], wg_param(s->carry[0]->tape, "p", WG_F64, WG_SHAPE(2)));
}

static void forgets(wg_scan_step *s, void *user)
{
    (void)s, (void)user;
}

static void grows(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_concat((wg_tensor *[]){s->carry[0], s->carry[0]}, 2, 0);
}

static void counts(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_cast(s->carry[0], WG_I64);
}

static void fails(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_matmul(s->carry[0], wg_full(s->carry[0]->tape, WG_F64, WG_SHAPE(3, 2), 1));
}

static void makes_matrix(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_matmul(wg_hessian(sum_of(s->carry[0]), s->carry, 1), s->carry[0]);
}

START_TEST(mistakes)
{
    wg_tensor *x = wg_full(t, WG_F64, WG_SHAPE(2), 1), *xs = wg_full(t, WG_F64, WG_SHAPE(3, 2), 1);
    wg_tensor *last;
    const wg_mark start = wg_tape_mark(t);
    outside = wg_full(t, WG_F64, WG_SHAPE(2), 1);
    wg_scan_loop good = {.carries = &x, .n_carries = 1, .steps = 2};
    const struct {
        wg_scan_body *body;
        void *user;
        int n_xs;
        int64_t steps;
        wg_status status;
        const char *message;
    } row[] = {
        {leaks, NULL, 0, 2, WG_E_TAPE, "mul: operand 1 is from outside of the loop's body"},
        {leaks, &x, 0, 2, WG_E_TAPE, "pass it in"},
        {makes_params, NULL, 0, 2, WG_E_VALUE, "scan: p"},
        {forgets, NULL, 0, 2, WG_E_VALUE, "scan: the body does not set next 0"},
        {grows, NULL, 0, 2, WG_E_SHAPE, "scan: next 0 is not like its carry"},
        {counts, NULL, 0, 2, WG_E_DTYPE, "scan: next 0 is i64"},
        {fails, NULL, 0, 2, WG_E_SHAPE, "scan: matmul"},
        {makes_matrix, NULL, 0, 2, WG_E_VALUE, "has no value: a loop's body takes wg_jvp"},
        {NULL, NULL, 0, 2, WG_E_NULL, "scan: the body is NULL"},
        {forgets, NULL, 0, -1, WG_E_VALUE, "scan: a number is negative"},
        {forgets, NULL, 0, 0, WG_E_VALUE, "scan: neither xs nor steps"},
        {forgets, NULL, 1, 2, WG_E_SHAPE, "scan: x 0 has no 2 rows"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        const wg_mark mark = wg_tape_mark(t);
        wg_scan_loop loop = good;
        loop.body = row[i].body;
        loop.user = row[i].user;
        loop.xs = &xs;
        loop.n_xs = row[i].n_xs;
        loop.steps = row[i].steps;
        ck_assert_int_eq(wg_scan(&loop, &last, NULL), row[i].status);
        ck_assert(wg_is_inert(last));
        ck_assert_msg(strstr(wg_tape_message(t), row[i].message) != NULL, "%s", wg_tape_message(t));
        wg_tape_rewind(t, mark);
    }
    good.body = fails;
    good.steps = INT64_MAX;
    good.snapshots = INT64_MAX - 1; /* no sum of the two overflows */
    ck_assert_int_eq(wg_scan(&good, &last, NULL), WG_E_SHAPE);
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_scan(NULL, &last, NULL), WG_E_NULL);
}
END_TEST

/* An index out of range in the third step, and a value that is not finite, stop the loop. */
START_TEST(a_step_fails)
{
    problem p;
    wg_tensor *last[2], *ys[2];
    static const int64_t rows[STEPS] = {4, 0, 9, 2, 1, 3, 0};
    problem_init(&p, t, WG_F64, 1);
    p.x[1] = wg_input(t, "rows", WG_I64, WG_SHAPE(STEPS, 1), rows);
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_E_INDEX);
    wg_tape_rewind(t, mark);
    static const int64_t good[STEPS] = {0};
    wg_bind(p.x[1], good);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    wg_program *program = wg_compile(ys, 2, NULL);
    wg_program_bind(program, p.x[1], rows);
    const wg_mark before = wg_tape_mark(t);
    ck_assert_int_eq(wg_program_run(program), WG_E_INDEX);
    wg_tape_rewind(t, before);
    wg_program_bind(program, p.x[1], good);
    ck_assert_int_eq(wg_program_run(program), WG_OK);
    assert_like(wg_program_output(program, 0), ys[0], 0);
}
END_TEST

/* ---- Checks, threads, memory, C -------------------------------------------------------------- */

/* A sine whose rule is off by one part in a thousand. */
static wg_tensor *wrong_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_scale(wg_mul(dy, wg_cos(y->operand[i])), 1.001);
}

static void wrong_body(wg_scan_step *s, void *user)
{
    wg_tensor *a = wg_tanh(wg_mul(s->carry[0], s->param[0]));
    s->next[0] = wg_apply(user, &a, 1, NULL);
}

static void wrong_in_nested(wg_scan_step *s, void *user)
{
    wg_scan(&(wg_scan_loop){.body = wrong_body,
                            .user = user,
                            .carries = s->carry,
                            .n_carries = 1,
                            .params = s->param,
                            .n_params = 1,
                            .steps = 2},
            s->next, NULL);
}

START_TEST(the_op_inside_is_blamed)
{
    wg_tensor *x = draw(t, WG_F64, "x", WG_SHAPE(3)), *w = draw(t, WG_F64, "w", WG_SHAPE(3));
    wg_tensor *both[] = {x, w}, *last;
    wg_op sine = *wg_op_find("sin");
    wg_check_report reports[2];
    sine.name = "wrong sine";
    sine.vjp = wrong_vjp;
    ck_assert_int_eq(wg_scan(&(wg_scan_loop){.body = _i ? wrong_in_nested : wrong_body,
                                             .user = &sine,
                                             .carries = &x,
                                             .n_carries = 1,
                                             .params = &w,
                                             .n_params = 1,
                                             .steps = 3},
                             &last, NULL),
                     WG_OK);
    ck_assert_int_eq(wg_gradcheck(last, both, NULL, 2, NULL, reports), WG_CHECK_FAILED);
    ck_assert_str_eq(reports[0].blame, "wrong sine");
    ck_assert_str_eq(reports[1].blame, "wrong sine");
}
END_TEST

static void maps_rows(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_tanh(wg_add(wg_mul(s->carry[0], s->param[0]), wg_mul(s->x[0], s->param[1])));
    s->y[0] = wg_mul(s->next[0], s->x[0]);
}

/* A loss over rows, each a sequence: the loop runs over the second axis, turned to the front. */
static wg_tensor *row_loss(wg_tape *on, wg_tensor *const rows[], void *user)
{
    wg_tensor *const *param = user, *last, *ys;
    const int64_t n = wg_dim(rows[0], 0);
    wg_tensor *x = wg_reshape(wg_t(rows[0]), WG_SHAPE(5, n, 1)), *h = wg_zeros_like(rows[1]);
    struct {
        wg_tensor *carry[1], *param[2];
    } o = {{h}, {param[0], param[1]}};
    (void)on;
    wg_scan(&(wg_scan_loop){.body = maps_rows,
                            .carries = o.carry,
                            .n_carries = 1,
                            .xs = &x,
                            .n_xs = 1,
                            .params = o.param,
                            .n_params = 2,
                            .n_ys = 1},
            &last, &ys);
    return wg_add(wg_sum(wg_square(wg_sub(last, rows[1]))), wg_sum(ys));
}

/* Blocks of rows in three threads, each with a program that runs the loop: as in one, and as
 * the whole batch. */
START_TEST(in_threads)
{
    enum { ROWS = 400 };
    wg_tensor *whole[2];
    double value[2], slope[2];
    for (int threads = 1; threads <= 3; threads += 2) {
        wg_pool *pool = wg_pool_new(threads, NULL);
        wg_tape *on = wg_tape_new(&(wg_tape_options){.pool = pool});
        wg_tensor *rows[] = {draw(on, WG_F64, "X", WG_SHAPE(ROWS, 5)),
                             draw(on, WG_F64, "y", WG_SHAPE(ROWS, 1))};
        wg_tensor *param[] = {draw(on, WG_F64, "u", WG_SHAPE(1)),
                              draw(on, WG_F64, "v", WG_SHAPE(1))};
        wg_blocks *b = wg_blocks_new(rows, 2, param, 2, row_loss, param,
                                     &(wg_blocks_options){.rows = 7});
        ck_assert_int_eq(wg_blocks_run(b), WG_OK);
        value[threads / 2] = wg_item(wg_blocks_value(b));
        slope[threads / 2] = wg_item(wg_blocks_gradient(b, 0));
        wg_tensor *y = row_loss(on, rows, param);
        wg_grad(y, param, 2, whole);
        wgt_assert_close(value[threads / 2], wg_item(y), 1e-12, 0);
        wgt_assert_close(slope[threads / 2], wg_item(whole[0]), 1e-11, 0);
        wg_tape_free(on);
        wg_pool_free(pool);
    }
    ck_assert(value[0] == value[1] && slope[0] == slope[1]);
}
END_TEST

/* A loop, its gradient, a copy and a program, with memory that fails once or from then on. */
static bool runs_with_failing_memory(int64_t fail_at, bool from_then)
{
    wgt_memory m = {0};
    wg_tape *on = wgt_tape(&m);
    problem p;
    wg_tensor *last[2], *ys[2], *g[6];
    problem_init(&p, on, WG_F64, 0);
    p.loop.snapshots = 2;
    const wg_mark mark = wg_tape_mark(on);
    m.fail_at = m.calls + fail_at;
    m.from_then = from_then;
    wg_scan(&p.loop, last, ys);
    wg_grad(total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
    wg_program *program = wg_compile(g, p.n_wrt, NULL);
    wg_tape *copy = wg_tape_copy(on, WG_F32);
    const bool made = m.failed == 0;
    m.fail_at = 0;
    ck_assert_int_eq(wg_tape_status(copy), made ? WG_OK : WG_E_NOMEM);
    if (wg_tape_status(on) != WG_OK) {
        ck_assert_int_eq(wg_tape_status(on), WG_E_NOMEM);
        ck_assert_int_eq(wg_program_run(program), WG_E_NULL);
        wg_tape_rewind(on, mark);
        ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    } else
        ck_assert_int_eq(wg_program_run(program), WG_OK);
    wg_tape_free(copy);
    wg_tape_free(on);
    ck_assert_int_eq(m.blocks, 0);
    return made;
}

START_TEST(failing_memory)
{
    int64_t at = 1;
    while (!runs_with_failing_memory(at, _i == 1))
        at++;
    ck_assert_int_gt(at, 10);
}
END_TEST

START_TEST(not_written_as_c)
{
    problem p;
    wg_tensor *last[2], *ys[2];
    problem_init(&p, t, WG_F64, 0);
    wg_scan(&p.loop, last, ys);
    wg_program *program = wg_compile(last, 1, NULL);
    wg_c_file file;
    ck_assert_int_eq(wg_program_to_c(program, NULL, &file), WG_E_VALUE);
    ck_assert_msg(strstr(wg_tape_message(t), "scan") != NULL, "%s", wg_tape_message(t));
}
END_TEST

Suite *suite_scan(void)
{
    Suite *s = suite_create("scan");
    TCase *tc = tcase_create("scan");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, as_unrolled, 0, CASES);
    tcase_add_loop_test(tc, second_derivatives_as_unrolled, 0, CASES);
    tcase_add_loop_test(tc, third_derivatives_as_unrolled, 0, BODIES);
    tcase_add_loop_test(tc, by_one_operand, 0, BODIES);
    tcase_add_loop_test(tc, checks_pass, 0, CASES);
    tcase_add_loop_test(tc, replayed_and_compiled, 0, CASES);
    tcase_add_loop_test(tc, copied, 0, BODIES);
    tcase_add_test(tc, identified);
    tcase_add_test(tc, passed_on_as_unrolled);
    tcase_add_test(tc, results_over_operands);
    tcase_add_test(tc, no_steps);
    tcase_add_test(tc, no_carries);
    tcase_add_test(tc, printed);
    tcase_add_test(tc, mistakes);
    tcase_add_test(tc, a_step_fails);
    tcase_add_loop_test(tc, the_op_inside_is_blamed, 0, 2);
    tcase_add_test(tc, in_threads);
    tcase_add_loop_test(tc, failing_memory, 0, 2);
    tcase_add_test(tc, not_written_as_c);
    suite_add_tcase(s, tc);
    return s;
}
