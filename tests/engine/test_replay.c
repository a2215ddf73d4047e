/* Replay: staleness, new leaf values, what runs and what does not. */
#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>

static wg_tape *t;

static void set_up(void)
{
    t = wgt_tape(NULL);
}

static void tear_down(void)
{
    wg_tape_free(t);
}

static void write(wg_tensor *x, double value)
{
    ck_assert_int_eq(wg_write(x, &value, sizeof value), WG_OK);
}

/* Recording on x, or differentiating it, is refused; then the tape is well again. */
static void is_stale(wg_tensor *x)
{
    wg_tensor *g;
    const wg_mark mark = wg_tape_mark(t);
    ck_assert(wg_is_inert(wgt_cube(x)));
    wgt_assert_status(t, WG_E_STALE, "cube: ");
    wgt_assert_status(t, WG_E_STALE, "replay first");
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
    ck_assert_int_eq(wg_grad(x, &x, 1, &g), WG_E_STALE);
    ck_assert(wg_is_inert(g));
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_tape_status(t), WG_OK);
}

static void is_fresh(wg_tensor *x)
{
    const wg_mark mark = wg_tape_mark(t);
    wgt_cube(x);
    wgt_assert_status(t, WG_OK, "");
    wg_tape_rewind(t, mark);
}

START_TEST(test_new_value_of_a_parameter)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wgt_cube(x);
    write(x, 3);
    is_stale(y);
    is_fresh(x);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    wgt_assert_same_bits(wg_item(y), 27);
    is_fresh(y);
}
END_TEST

START_TEST(test_message_names_what_is_stale)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wg_rename(wgt_cube(x), "y");
    write(x, 3);
    wgt_sine(y);
    wgt_assert_status(t, WG_E_STALE, "sine: y () is older than the leaves it was computed from");
}
END_TEST

/* Every way of writing a leaf makes stale what was computed from it, and nothing else. */
START_TEST(test_what_makes_stale)
{
    const double one = 1, two = 2;
    wg_tensor *w = wgt_scalar_param(t, "w", 1), *x = wg_input(t, "x", WG_F64, WG_SCALAR, &one);
    wg_tensor *of_w = wgt_cube(w), *of_x = wgt_cube(x), *of_both = wgt_product(of_w, of_x);
    wg_edit(w);
    is_stale(of_w), is_stale(of_both), is_fresh(of_x);
    wg_replay(t);
    is_fresh(of_both);
    wg_fill_uniform(w, 0, 1, 1);
    is_stale(of_w), is_fresh(of_x);
    wg_replay(t);
    wg_bind(x, &two);
    is_stale(of_x), is_stale(of_both), is_fresh(of_w);
    wg_replay(t);
    wgt_assert_same_bits(wg_item(of_x), 8);
    is_fresh(of_both);
}
END_TEST

/* A node recorded after the write reads the new value, and is fresh. */
START_TEST(test_recorded_after_the_write)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *before = wgt_cube(x);
    write(x, 3);
    wg_tensor *after = wgt_cube(x);
    wgt_assert_same_bits(wg_item(after), 27);
    is_fresh(after);
    is_stale(before);
}
END_TEST

/* What was written since is not read in silence, by any reader. */
START_TEST(test_stale_reads_are_errors)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wgt_cube(x);
    write(x, 3);
    const wg_mark mark = wg_tape_mark(t);
    double value = 1;
    for (int reader = 0; reader < 4; reader++) {
        if (reader == 0)
            ck_assert_double_nan(wg_item(y));
        else if (reader == 1)
            ck_assert_double_nan(wg_at(y, 0));
        else if (reader == 2)
            ck_assert_ptr_null(wg_data_f64(y));
        else
            ck_assert_int_eq(wg_read(y, &value, sizeof value), WG_E_STALE);
        wgt_assert_status(t, WG_E_STALE, "read before the step, or replay after it");
        wg_tape_rewind(t, mark);
    }
    ck_assert_double_eq(value, 1);
    wgt_assert_same_bits(wg_item(x), 3);
    wg_replay(t);
    wgt_assert_same_bits(wg_item(y), 27);
    wgt_assert_status(t, WG_OK, "");
}
END_TEST

START_TEST(test_stale_reads_can_be_allowed)
{
    wg_tape *lax = wg_tape_new(&(wg_tape_options){.allow_stale = true});
    wg_tensor *x = wgt_scalar_param(lax, "x", 2), *y = wgt_cube(x);
    *(double *)wg_edit(x) = 3;
    wgt_assert_same_bits(wg_item(y), 8);
    ck_assert(wg_is_stale(y));
    wgt_assert_status(lax, WG_OK, "");
    wg_tape_free(lax);
}
END_TEST

/* Views, and views of views, have the values that the leaf has now; what is computed from them has
 * not. */
START_TEST(test_views_are_as_fresh_as_their_leaf)
{
    const double first[] = {1, 2, 3}, second[] = {4, 5, 6};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(3), first);
    wg_tensor *tail = wgt_tail(x, 1), *last = wgt_tail(tail, 1), *y = wgt_cube(last);
    wg_bind(x, second);
    ck_assert(!wg_is_stale(tail) && !wg_is_stale(last));
    wgt_assert_same_bits(wg_at(tail, 0), 5);
    wgt_assert_same_bits(wg_at(last, 0), 6);
    ck_assert(wg_is_stale(y));
}
END_TEST

START_TEST(test_replay_to)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *a = wgt_cube(x), *b = wgt_sine(a);
    wg_tensor *c = wgt_scaled(x, 10), *d = wgt_product(a, c);
    write(x, 3);
    const int64_t runs = wgt_runs();
    ck_assert_int_eq(wg_replay_to(&b, 1), WG_OK);
    ck_assert_int_eq(wgt_runs() - runs, 2); /* a and b */
    wgt_assert_same_bits(wg_item(b), sin(27.0));
    is_fresh(a), is_fresh(b), is_stale(c), is_stale(d);
    ck_assert_int_eq(wg_replay_to((wg_tensor *[]){c, d}, 2), WG_OK);
    wgt_assert_same_bits(wg_item(d), 27 * 30);
    is_fresh(d);
}
END_TEST

START_TEST(test_replay_to_mistakes)
{
    wg_tape *other = wgt_tape(NULL);
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *z = wgt_scalar_param(other, "z", 2), *none = NULL;
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_int_eq(wg_replay_to((wg_tensor *[]){x, z}, 2), WG_E_TAPE);
    wgt_assert_status(t, WG_E_TAPE, "replay: output 1");
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_replay_to((wg_tensor *[]){x, NULL}, 2), WG_E_NULL);
    wg_tape_rewind(t, mark);
    ck_assert_int_eq(wg_replay_to((wg_tensor *[]){x, &t->inert}, 2), WG_E_NULL);
    ck_assert_int_eq(wg_replay_to(&none, 1), WG_E_NULL);
    ck_assert_int_eq(wg_replay_to(NULL, 1), WG_E_NULL);
    wg_tape_free(other);
}
END_TEST

START_TEST(test_constants_never_run_again)
{
    wg_tensor *c = wg_scalar(t, WG_F64, 2), *x = wgt_scalar_param(t, "x", 1);
    wg_tensor *of_c = wgt_cube(wgt_cube(c)), *y = wgt_product(of_c, x);
    const int64_t runs = wgt_runs();
    write(x, 3);
    wg_replay(t);
    wg_replay_to(&y, 1);
    wg_replay_to(&of_c, 1);
    ck_assert_int_eq(wgt_runs() - runs, 2);
    wgt_assert_same_bits(wg_item(y), 3 * 512);
}
END_TEST

START_TEST(test_the_gradient_is_replayed)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *y = wgt_cube(x), *g, *gg;
    wg_grad(y, &x, 1, &g);
    wg_grad(g, &x, 1, &gg);
    for (int k = -3; k <= 3; k++) {
        write(x, k);
        is_stale(g);
        wg_replay_to((wg_tensor *[]){g, gg}, 2);
        wgt_assert_same_bits(wg_item(g), 3.0 * k * k);
        wgt_assert_close(wg_item(gg), 6.0 * k, 0, 0);
    }
}
END_TEST

START_TEST(test_replay_gives_the_same_bits)
{
    double first[50], again[50];
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SHAPE(50)), *g;
    wg_fill_normal(x, 0, 1, 1);
    wg_tensor *y = wgt_total(wgt_product(wgt_sine(x), wgt_cube(x)));
    wg_grad(y, &x, 1, &g);
    const double value = wg_item(y);
    wg_read(g, first, sizeof first);
    wg_fill_normal(x, 5, 1, 2);
    wg_replay(t);
    wg_fill_normal(x, 0, 1, 1);
    wg_replay(t);
    wg_read(g, again, sizeof again);
    wgt_assert_same_bits(wg_item(y), value);
    wgt_assert_same_bytes(first, again, sizeof first);
}
END_TEST

START_TEST(test_replay_allocates_nothing)
{
    wgt_memory memory = {0};
    wg_tape *own = wgt_tape(&memory);
    wg_tensor *x = wg_param(own, "x", WG_F64, WG_SHAPE(1000)), *y = x, *g;
    for (int i = 0; i < 300; i++)
        y = wgt_sine(y);
    wg_grad(wgt_total(y), &x, 1, &g);
    const int64_t calls = memory.calls;
    for (int i = 0; i < 3; i++) {
        wg_fill_uniform(x, 0, 1, (uint64_t)i);
        wg_replay(own);
    }
    ck_assert_int_eq(memory.calls, calls);
    wg_replay_to(&g, 1); /* its plan is made in memory that the next call finds again */
    const int64_t planned = memory.calls;
    for (int i = 0; i < 3; i++)
        wg_replay_to(&g, 1);
    ck_assert_int_eq(memory.calls, planned);
    wgt_assert_status(own, WG_OK, "");
    wg_tape_free(own);
}
END_TEST

/* Views follow an input to its new memory. */
START_TEST(test_views_follow)
{
    const double one[] = {1, 2, 3}, two[] = {4, 5, 6};
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(3), one);
    wg_tensor *view = wgt_tail(wgt_tail(x, 1), 1), *y = wgt_total(view);
    wg_bind(x, two);
    is_stale(y);
    wg_replay(t);
    wgt_assert_same_bits(wg_item(y), 6);
    ck_assert_ptr_eq(wg_data_f64(view), two + 2);
}
END_TEST

/* What has no value cannot be out of date. */
START_TEST(test_abstract_is_never_stale)
{
    wg_tensor *x = wgt_scalar_param(t, "x", 2), *u = wg_abstract(t, WG_F64, WG_SCALAR);
    wg_tensor *y = wgt_product(x, u), *g;
    write(x, 3);
    wg_replay(t);
    ck_assert_int_eq(wg_grad(wgt_product(y, x), &u, 1, &g), WG_OK);
    wgt_assert_same_bits(wg_item(g), 9);
}
END_TEST

/* A label out of range is found when it is replayed, too; other data heal it. */
START_TEST(test_check_on_replay)
{
    const int64_t good = 1, bad = 3;
    const double values[] = {10, 20, 30};
    wg_tensor *x = wgt_param(t, "x", WG_SHAPE(3), values);
    wg_tensor *k = wg_input(t, "k", WG_I64, WG_SCALAR, &good), *y = wgt_select(x, k);
    const wg_mark mark = wg_tape_mark(t);
    wg_bind(k, &bad);
    ck_assert_int_eq(wg_replay(t), WG_E_INDEX);
    wgt_assert_status(t, WG_E_INDEX, "select: there is no element 3: x (3,) x k ()");
    ck_assert_double_nan(wg_item(y));
    wg_tape_rewind(t, mark);
    is_stale(y);
    wg_bind(k, &(int64_t){2});
    ck_assert_int_eq(wg_replay_to(&y, 1), WG_OK);
    wgt_assert_same_bits(wg_item(y), 30);
}
END_TEST

static bool check_silent(const wg_tensor *y)
{
    return *(const double *)y->operand[0]->data >= 0;
}

/* An op that refuses its operands and does not say why is an error none the less. */
START_TEST(test_silent_check)
{
    wg_op op = wgt_op_sine;
    op.check = check_silent;
    wg_tensor *x = wgt_scalar_param(t, "x", 2);
    ck_assert(!wg_is_inert(wg_apply(&op, &x, 1, NULL)));
    write(x, -1);
    ck_assert_int_eq(wg_replay(t), WG_E_VALUE);
    wgt_assert_status(t, WG_E_VALUE,
                      "sine: the op refuses its operands and does not say why: x ()");
}
END_TEST

START_TEST(test_check_finite_on_replay)
{
    wg_tape *checked = wg_tape_new(&(wg_tape_options){.check_finite = true});
    wg_tensor *x = wgt_scalar_param(checked, "x", 2);
    wgt_reciprocal(x);
    write(x, 0);
    ck_assert_int_eq(wg_replay(checked), WG_E_NOT_FINITE);
    wgt_assert_status(checked, WG_E_NOT_FINITE, "reciprocal: the result is inf at 0: x ()");
    wg_tape_free(checked);
}
END_TEST

/* What an input borrows may be written by its owner: a replay and a program read it anew. */
START_TEST(test_borrowed_memory_is_read_anew)
{
    double value = 2;
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SCALAR, &value), *y = wgt_cube(x);
    wg_program *p = wg_compile(&y, 1, NULL);
    value = 3;
    ck_assert_double_eq(wg_item(y), 8); /* nothing was told */
    ck_assert_int_eq(wg_replay(t), WG_OK);
    ck_assert_double_eq(wg_item(y), 27);
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_double_eq(wg_item(wg_program_output(p, 0)), 27);
    value = 4;
    wg_bind(x, &value);
    ck_assert(wg_is_stale(y));
}
END_TEST

Suite *suite_replay(void)
{
    Suite *suite = suite_create("replay");
    TCase *cases = tcase_create("replay");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, test_new_value_of_a_parameter);
    tcase_add_test(cases, test_borrowed_memory_is_read_anew);
    tcase_add_test(cases, test_message_names_what_is_stale);
    tcase_add_test(cases, test_what_makes_stale);
    tcase_add_test(cases, test_recorded_after_the_write);
    tcase_add_test(cases, test_replay_to);
    tcase_add_test(cases, test_stale_reads_are_errors);
    tcase_add_test(cases, test_stale_reads_can_be_allowed);
    tcase_add_test(cases, test_views_are_as_fresh_as_their_leaf);
    tcase_add_test(cases, test_replay_to_mistakes);
    tcase_add_test(cases, test_constants_never_run_again);
    tcase_add_test(cases, test_the_gradient_is_replayed);
    tcase_add_test(cases, test_replay_gives_the_same_bits);
    tcase_add_test(cases, test_replay_allocates_nothing);
    tcase_add_test(cases, test_views_follow);
    tcase_add_test(cases, test_abstract_is_never_stale);
    tcase_add_test(cases, test_check_on_replay);
    tcase_add_test(cases, test_silent_check);
    tcase_add_test(cases, test_check_finite_on_replay);
    suite_add_tcase(suite, cases);
    return suite;
}
