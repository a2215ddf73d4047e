/* Outputs of programs as leaves of the tape: what is computed from them by ops, replays, views and
 * other programs, and when it is stale. */
#include "autograd/compile/program.h"

#include "autograd/rng.h"
#include "ops/elementwise.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/registry.h"
#include "ops/slice.h"
#include "tests/ops/on_tape.h"
#include "tests/support/assert.h"
#include "tests/support/seconds.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static void write(wg_tensor *x, double value)
{
    ck_assert_int_eq(wg_write(x, &value, sizeof value), WG_OK);
}

START_TEST(test_outputs_that_are_leaves)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(4)), *c = wg_full(t, WG_F64, WG_SHAPE(4), 5);
    wg_tensor *y = wg_square(x);
    wg_tensor *outputs[] = {x, c, wg_slice(x, 0, 1, 3), wg_reshape(c, WG_SHAPE(2, 2)), y, y};
    wg_program *p = wg_compile(outputs, 6, NULL);
    ck_assert_int_eq(wg_program_steps(p), 1);
    ck_assert_int_eq(wg_fill_normal(x, 0, 1, 1), WG_OK);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int i = 0; i < 6; i++)
        wgt_assert_same_values(wg_program_output(p, i), outputs[i]);
}
END_TEST

/* Outputs are leaves: stale when a leaf was written since, and what is recorded on them follows. */
START_TEST(test_outputs_on_the_tape)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *unrelated = wgt_scalar_param(t, "u", 2);
    wg_tensor *y = wgt_cube(x);
    wg_program *p = wg_compile(&y, 1, NULL);
    wg_tensor *out = wg_program_output(p, 0), *on_it = wgt_cube(out);
    wgt_assert_same_bits(wg_item(on_it), 512);
    write(unrelated, 1);
    ck_assert(!wg_is_stale(out));
    ck_assert(!wg_is_stale(on_it));
    write(x, 1);
    ck_assert(wg_is_stale(out));
    ck_assert(wg_is_stale(on_it));
    const wg_mark mark = wg_tape_mark(t);
    ck_assert(wg_is_inert(wgt_cube(out)));
    wgt_assert_status(t, WG_E_STALE, "output");
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert(!wg_is_stale(out));
    ck_assert(wg_is_stale(on_it));
    wgt_assert_same_bits(wg_item(out), 1);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_same_bits(wg_item(on_it), 1);
}
END_TEST

/* Compiled while the tape was stale: so is the output, until the first run. */
START_TEST(test_compiled_from_a_stale_tape)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wgt_cube(x);
    write(x, 3);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert(wg_is_stale(wg_program_output(p, 0)));
    wg_program_run(p);
    ck_assert(!wg_is_stale(wg_program_output(p, 0)));
    wgt_assert_same_bits(wg_item(wg_program_output(p, 0)), 27);
}
END_TEST

/* ---- Programs of programs' outputs ----------------------------------------------------------- */

/* y = 27 x^3 by two programs: the second reads the first one's output. */
typedef struct programs {
    wg_tensor *x;
    wg_program *first, *second;
    wg_tensor *out, *on_it, *last; /* of the first; recorded on that; of the second */
} programs;

static programs programs_new(double value)
{
    programs p = {.x = wgt_scalar_param(t, "x", value)};
    wg_tensor *y = wg_scale(p.x, 3);
    p.first = wg_compile(&y, 1, NULL);
    p.out = wg_program_output(p.first, 0);
    p.on_it = wgt_cube(p.out);
    p.second = wg_compile(&p.on_it, 1, NULL);
    p.last = wg_program_output(p.second, 0);
    return p;
}

START_TEST(test_stale_until_both_ran)
{
    const programs p = programs_new(1);
    wgt_assert_same_bits(wg_item(p.last), 27);
    write(p.x, 2);
    ck_assert(wg_is_stale(p.out) && wg_is_stale(p.on_it) && wg_is_stale(p.last));
    /* of what is stale nothing fresh is computed */
    ck_assert_int_eq(wg_program_run(p.second), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_int_eq(wg_replay_to(&p.on_it, 1), WG_OK);
    ck_assert(wg_is_stale(p.out) && wg_is_stale(p.on_it) && wg_is_stale(p.last));
    ck_assert_int_eq(wg_program_run(p.first), WG_OK);
    ck_assert(!wg_is_stale(p.out) && wg_is_stale(p.on_it) && wg_is_stale(p.last));
    ck_assert_int_eq(wg_program_run(p.second), WG_OK);
    ck_assert(!wg_is_stale(p.last) && wg_is_stale(p.on_it));
    wgt_assert_same_bits(wg_item(p.last), 216);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_same_bits(wg_item(p.on_it), 216);
}
END_TEST

/* The first runs again, and nothing was written: the second has not seen that run. */
START_TEST(test_stale_after_another_run)
{
    const programs p = programs_new(1);
    ck_assert_int_eq(wg_program_run(p.first), WG_OK);
    ck_assert(wg_is_stale(p.last));
    ck_assert_int_eq(wg_program_run(p.second), WG_OK);
    ck_assert(!wg_is_stale(p.last));
}
END_TEST

/* An output that is an input's memory moves with it, and who reads it follows. */
START_TEST(test_outputs_that_move)
{
    const double a[] = {1, 2}, b[] = {100, 200};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(2), a), *y = wg_reshape(x, WG_SHAPE(2, 1));
    wg_program *first = wg_compile(&y, 1, NULL);
    wg_tensor *out = wg_program_output(first, 0), *view = wg_reshape(out, WG_SHAPE(2));
    wg_tensor *z = wg_scale(out, 2);
    wg_program *second = wg_compile(&z, 1, NULL);
    ck_assert_int_eq(wg_program_bind(first, x, b), WG_OK);
    ck_assert(wg_is_stale(view) && wg_is_stale(z));
    ck_assert_int_eq(wg_program_run(first), WG_OK);
    ck_assert_int_eq(wg_program_run(second), WG_OK);
    wgt_assert_same_bits(wg_at(wg_program_output(second, 0), 1), 400);
    wgt_assert_same_bits(wg_at(view, 1), 200);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_same_bits(wg_at(z, 1), 400);
}
END_TEST

/* Something else was written, of which nobody asked yet: the first output is asked about while the
 * second is made. */
START_TEST(test_made_after_a_write)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *other = wgt_scalar_param(t, "other", 2);
    wg_tensor *y[] = {wg_square(x), wg_neg(x)};
    write(other, 1);
    wg_program *p = wg_compile(y, 2, NULL);
    wg_tensor *out = wg_program_output(p, 0), *on_it = wg_neg(out);
    write(other, 2);
    ck_assert(!wg_is_stale(out) && !wg_is_stale(on_it));
    wgt_assert_same_bits(wg_item(on_it), -4);
    ck_assert(wg_is_inert(wg_add(out, NULL)));
    wgt_assert_status(t, WG_E_NULL, "add: ");
}
END_TEST

/* ---- In any order ---------------------------------------------------------------------------- */

/* Three programs, each of which reads what those before it made. */
enum { PROGRAMS = 3, VALUES = 9, ACTIONS = 40, SEQUENCES = 300 };

typedef struct chain {
    wg_tensor *a, *b, *x[VALUES];
    double a_now, b_now;
    wg_program *p[PROGRAMS];
} chain;

static wg_tensor *output_of(chain *c, int i, wg_tensor *y)
{
    c->p[i] = wg_compile(&y, 1, NULL);
    return wg_program_output(c->p[i], 0);
}

static chain chain_new(void)
{
    chain c = {
        .a = wgt_scalar_param(t, "a", 1), .b = wgt_scalar_param(t, "b", 2), .a_now = 1, .b_now = 2};
    wg_tensor **x = c.x;
    x[0] = wg_scale(c.a, 2);
    x[1] = output_of(&c, 0, x[0]);
    x[2] = wg_add(x[1], c.b);
    x[3] = wg_scale(x[2], 3);
    x[4] = output_of(&c, 1, x[3]);
    x[5] = wg_reshape(x[4], WG_SCALAR);
    x[6] = wg_mul(x[5], x[1]);
    x[7] = output_of(&c, 2, x[6]);
    x[8] = wg_add(x[7], c.a);
    return c;
}

static void chain_act(chain *c, int action, int which, double value)
{
    const wg_mark mark = wg_tape_mark(t);
    if (action == 0)
        write(c->a, c->a_now = value);
    else if (action == 1)
        write(c->b, c->b_now = value);
    else if (action < 5)
        ck_assert_int_eq(wg_program_run(c->p[action - 2]), WG_OK);
    else if (action == 5)
        ck_assert_int_eq(wg_replay(t), WG_OK);
    else if (action == 6)
        ck_assert_int_eq(wg_replay_to(&c->x[which], 1), WG_OK);
    else { /* what is recorded on a stale value is an error, and no other is */
        const bool stale = wg_is_stale(c->x[which]);
        ck_assert_int_eq(wg_is_inert(wg_neg(c->x[which])), stale);
        wg_tape_rewind(t, mark);
    }
}

/* What is fresh is right; all: and all is fresh. */
static void chain_is_right(const chain *c, bool all)
{
    const double y = 2 * c->a_now, s = y + c->b_now, m = 3 * s * y;
    const double want[VALUES] = {y, y, s, 3 * s, 3 * s, 3 * s, m, m, m + c->a_now};
    for (int i = 0; i < VALUES; i++) {
        const bool stale = wg_is_stale(c->x[i]);
        ck_assert(!(stale && all));
        if (!stale)
            wgt_assert_same_bits(wg_item(c->x[i]), want[i]);
    }
}

START_TEST(test_any_order)
{
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++) {
        const wg_mark empty = wg_tape_mark(t);
        chain c = chain_new();
        for (uint64_t i = 0; i < ACTIONS; i++) {
            const double draw = wg_random_uniform(seed, 1, i);
            chain_act(&c, (int)(8 * draw), (int)(VALUES * wg_random_uniform(seed, 2, i)),
                      floor(10 * wg_random_uniform(seed, 3, i)));
            if (wg_random_uniform(seed, 4, i) < 0.5) /* to ask may change what is noted */
                chain_is_right(&c, false);
        }
        for (int i = 0; i < PROGRAMS; i++) {
            chain_act(&c, 5, 0, 0);
            chain_act(&c, 2 + i, 0, 0);
        }
        chain_act(&c, 5, 0, 0);
        chain_is_right(&c, true);
        wg_tape_rewind(t, empty);
    }
}
END_TEST

/* A view of an output is as fresh as that, whoever asked in between. */
START_TEST(test_views_of_outputs)
{
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(1)), *y = wg_scale(x, 10);
    wg_program *p = wg_compile(&y, 1, NULL);
    wg_tensor *view = wg_reshape(wg_program_output(p, 0), WG_SCALAR), *on_it = wg_scale(view, 2);
    write(x, 5);
    ck_assert(wg_is_stale(view));
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert(!wg_is_stale(view) && wg_is_stale(on_it));
    wgt_assert_same_bits(wg_item(view), 50);
}
END_TEST

/* A run that failed leaves nothing that looks fresh, after a rewind neither. */
START_TEST(test_stale_after_a_failed_run)
{
    int64_t label[] = {0, 1};
    wg_tensor *k = wg_input(t, "k", WG_I64, WG_SHAPE(2), label);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(2)), *y = wg_gather_rows(x, k);
    wg_program *p = wg_compile(&y, 1, NULL);
    wg_tensor *out = wg_program_output(p, 0), *on_it = wg_scale(out, 10);
    const wg_mark mark = wg_tape_mark(t);
    label[1] = 7;
    ck_assert_int_eq(wg_program_run(p), WG_E_INDEX);
    wg_tape_rewind(t, mark);
    ck_assert(wg_is_stale(out) && wg_is_stale(on_it));
    ck_assert(wg_is_inert(wg_scale(out, 2)));
    wgt_assert_status(t, WG_E_STALE, "run its program first");
}
END_TEST

/* A state that a program makes is not read where it is made. */
START_TEST(test_bound_to_the_program_itself)
{
    const double start[] = {5, 2, 3, 4};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(4), start), *y = wg_square(x);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wg_program_bind(p, x, wg_data_f64(wg_program_output(p, 0))), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "the program's own memory, which its run writes: copy it");
}
END_TEST

static bool refuses(const wg_tensor *y)
{
    return *(const double *)y->operand[0]->data >= 0;
}

/* An op of a user that does not say why it refuses; and a chain that has it. */
START_TEST(test_a_silent_check)
{
    static wg_op op;
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *first = wg_square(x);
    op = _i == 0 ? wgt_op_sine : *wg_op_find("sin");
    op.check = refuses;
    wg_tensor *y = wg_add(wg_apply(&op, &x, 1, NULL), first);
    wg_program *p = wg_compile(&y, 1, NULL);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    write(x, -1);
    ck_assert_int_eq(wg_program_run(p), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE, "the op refuses its operands and does not say why");
}
END_TEST

/* As many outputs as leaves, each of which is looked at once, not once for each of them; and leaves
 * are written as the tape grows, of which only the rest is newer. */
START_TEST(test_time_of_many_outputs)
{
    enum { N = 20000, STEPS = 5 };
    static wg_tensor *x[N], *y[N];
    const double begin = cpu_seconds();
    for (int i = 0; i < N; i++) {
        x[i] = wgt_scalar_param(t, NULL, i);
        y[i] = wg_neg(x[i]);
    }
    wg_program *p = wg_compile(y, N, NULL);
    for (int step = 0, stale = 0; step < STEPS; step++, stale = 0) {
        ck_assert_int_eq(wg_program_run(p), WG_OK);
        for (int i = 0; i < N; i++)
            stale += wg_is_stale(wg_program_output(p, i));
        ck_assert_int_eq(stale, 0);
        write(x[step], 1);
        ck_assert(wg_is_stale(wg_program_output(p, N - 1)));
    }
    ck_assert_double_lt(cpu_seconds() - begin, most_seconds() / 10);
}
END_TEST

/* Labels that a program computes are looked at again before each run, and each replay. */
START_TEST(test_labels_that_are_outputs)
{
    int64_t label[] = {0, 1};
    wg_tensor *k = wg_input(t, "k", WG_I64, WG_SHAPE(2), label),
              *moved = wg_reshape(k, WG_SHAPE(2));
    wg_program *first = wg_compile(&moved, 1, NULL);
    wg_tensor *y = wg_gather_rows(wg_param(t, "x", WG_F64, WG_SHAPE(2)),
                                  wg_program_output(first, 0));
    wg_program *second = wg_compile(&y, 1, NULL);
    const wg_mark mark = wg_tape_mark(t);
    label[0] = 9;
    ck_assert_int_eq(wg_program_run(first), WG_OK);
    ck_assert_int_eq(wg_program_run(second), WG_E_INDEX);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_replay(t), WG_E_INDEX);
}
END_TEST

Suite *suite_outputs(void)
{
    Suite *suite = suite_create("outputs");
    TCase *cases = tcase_create("outputs");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_outputs_that_are_leaves);
    tcase_add_test(cases, test_outputs_on_the_tape);
    tcase_add_test(cases, test_compiled_from_a_stale_tape);
    tcase_add_test(cases, test_stale_until_both_ran);
    tcase_add_test(cases, test_stale_after_another_run);
    tcase_add_test(cases, test_outputs_that_move);
    tcase_add_test(cases, test_views_of_outputs);
    tcase_add_test(cases, test_stale_after_a_failed_run);
    tcase_add_test(cases, test_bound_to_the_program_itself);
    tcase_add_loop_test(cases, test_a_silent_check, 0, 2);
    tcase_add_test(cases, test_made_after_a_write);
    tcase_add_test(cases, test_any_order);
    tcase_add_test(cases, test_time_of_many_outputs);
    tcase_add_test(cases, test_labels_that_are_outputs);
    suite_add_tcase(suite, cases);
    return suite;
}
