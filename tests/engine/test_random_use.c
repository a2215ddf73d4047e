/* A tape used at random: ops, gradients, writes, replays, marks and rewinds, names, mistakes, and
 * memory that fails now and then.  Every fresh value is what its operands say. */
#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <string.h>

enum { ACTIONS = 1500, MARKS = 8, LARGEST = 200 };

typedef struct user {
    uint64_t seed, drawn;
    wgt_memory memory;
    wg_tape *t;
    wg_mark mark[MARKS]; /* each older than the next */
    int marks;
} user;

static int64_t draw(user *u, int64_t n)
{
    return wg_random_below(u->seed, 1, u->drawn++, n);
}

/* Any node, or now and then a mistake. */
static wg_tensor *any(user *u)
{
    if (u->t->size == 0 || draw(u, 200) == 0)
        return draw(u, 2) == 0 ? NULL : &u->t->inert;
    return u->t->node[draw(u, u->t->size)];
}

static void record(user *u)
{
    switch (draw(u, 6)) {
    case 0: wgt_scalar_param(u->t, "p", (double)draw(u, 5)); break;
    case 1: wg_full(u->t, WG_F64, WG_SHAPE(draw(u, 300)), 1); break;
    case 2: wgt_product(any(u), any(u)); break;
    case 3: wgt_scaled(any(u), 0.5); break;
    case 4: wgt_total(any(u)); break;
    case 5: wgt_sine(any(u)); break;
    }
}

static void differentiate(user *u)
{
    wg_tensor *xs[3] = {any(u), any(u), any(u)}, *gs[3], *y = any(u);
    if (draw(u, 2) == 0)
        wg_backward(y);
    else if (wg_vjp(y, y, xs, 3, gs) == WG_OK) {
        for (int i = 0; i < 3; i++)
            ck_assert(wg_shape_same(&gs[i]->shape, &xs[i]->shape));
    }
}

/* What nodes are called here: names are copied, and outlive rewinds and failed allocations. */
static bool is_name(const char *name)
{
    return name == NULL || strcmp(name, "p") == 0 || strcmp(name, "a name") == 0;
}

static void write_or_name(user *u)
{
    wg_tensor *x = any(u);
    if (draw(u, 2) == 0)
        wg_rename(x, "a name");
    else if (!wg_is_inert(x) && x->op == &wg_op_parameter)
        wg_fill_uniform(x, 0, 1, u->drawn);
}

static void replay(user *u)
{
    wg_tensor *ys[] = {any(u), any(u)};
    if (draw(u, 2) == 0)
        wg_replay(u->t);
    else
        wg_replay_to(ys, 2);
}

static void mark_or_rewind(user *u)
{
    if (u->marks > 1 && (u->marks == MARKS || draw(u, 2) != 0)) {
        wg_tape_rewind(u->t, u->mark[--u->marks]);
        return;
    }
    u->mark[u->marks] = wg_tape_mark(u->t);
    if (wg_tape_status(u->t) == WG_OK)
        u->marks++;
    else /* without memory it is good once, to take its error back */
        ck_assert_int_eq(wg_tape_rewind(u->t, u->mark[u->marks]), WG_E_NOMEM);
    ck_assert_int_eq(wg_tape_status(u->t), WG_OK);
}

static void act(user *u)
{
    u->memory.fail_at = draw(u, 4) == 0 ? u->memory.calls + 1 : 0;
    switch (draw(u, 10)) {
    default: record(u); break;
    case 6: differentiate(u); break;
    case 7: write_or_name(u); break;
    case 8: replay(u); break;
    case 9: mark_or_rewind(u); break;
    }
    if (wg_tape_status(u->t) != WG_OK || u->t->size > LARGEST) {
        while (u->marks > 1 && (u->mark[u->marks - 1].status != WG_OK || draw(u, 2) == 0))
            u->marks--;
        wg_tape_rewind(u->t, u->t->size > LARGEST ? u->mark[0] : u->mark[u->marks - 1]);
        if (u->t->size == 0)
            u->marks = 1;
        wgt_assert_status(u->t, WG_OK, "");
    }
}

static double expected(const wg_tensor *y)
{
    const double a = wg_at(y->operand[0], 0);
    if (y->op == &wgt_op_product)
        return a * wg_at(y->operand[1], 0);
    return y->op == &wgt_op_scaled ? a * *(const double *)y->attrs : sin(a);
}

static void check_all(const user *u)
{
    if (u->t->written)
        wg_stale_spread(u->t);
    for (int64_t i = 0; i < u->t->size; i++) {
        const wg_tensor *y = u->t->node[i];
        const wg_op *op = y->op;
        ck_assert_int_eq(y->index, i);
        for (int k = 0; k < y->n_operands; k++)
            ck_assert_int_lt(y->operand[k]->index, i);
        ck_assert(y->grad == NULL || y->grad->index < u->t->size);
        ck_assert(is_name(y->name));
        if (y->size == 0 || (y->state & WG_NODE_STALE))
            continue;
        if (op == &wgt_op_product || op == &wgt_op_scaled || op == &wgt_op_sine)
            wgt_assert_close(wg_at(y, 0), expected(y), 0, 0);
    }
}

START_TEST(test_random_use)
{
    user u = {.seed = (uint64_t)_i};
    u.t = wgt_tape(&u.memory);
    u.mark[u.marks++] = wg_tape_mark(u.t);
    for (int i = 0; i < ACTIONS; i++) {
        act(&u);
        if (i % 5 == 0)
            check_all(&u);
    }
    wg_tape_free(u.t);
    ck_assert_int_eq(u.memory.blocks, 0);
}
END_TEST

Suite *suite_random_use(void)
{
    Suite *suite = suite_create("random_use");
    TCase *cases = tcase_create("random use");
    tcase_add_loop_test(cases, test_random_use, 0, 8);
    suite_add_tcase(suite, cases);
    return suite;
}
