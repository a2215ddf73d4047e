/* Loops on a tape: programs, replays, copies, printing; mistakes, threads, lack of memory. */
#include "ops/scan.h"

#include <string.h>

#include "autograd/check/gradcheck.h"
#include "autograd/compile/blocks.h"
#include "autograd/compile/program.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/print/print.h"
#include "autograd/tape_internal.h"
#include "ops/arithmetic.h"
#include "ops/compare.h"
#include "ops/functions.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/registry.h"
#include "ops/scan_internal.h"
#include "ops/slice.h"
#include "tests/ops/loops.h"
#include "tests/support/derivatives.h"
#include "tests/support/suites.h"

#include "tests/ops/on_tape.h"

/* ---- Programs, replay, copies ---------------------------------------------------------------- */

START_TEST(replayed_and_compiled)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *g[7], *held;
    wgt_loop_case(&p, t, _i);
    wg_scan(&p.loop, last, ys);
    g[p.n_wrt] = wgt_loop_total(&p.loop, last, ys);
    wg_grad(g[p.n_wrt], p.wrt, p.n_wrt, g);
    wg_program *first = wg_compile(g, p.n_wrt + 1, NULL), *second = wg_compile(g, 1, NULL);
    wg_fill_normal(p.carry[0], 0, 1, 77);
    ck_assert(wg_is_stale(g[0]));
    ck_assert_int_eq(wg_program_run(first), WG_OK);
    ck_assert_int_eq(wg_program_run(second), WG_OK);
    ck_assert_int_eq(wg_replay(t), WG_OK);
    for (int k = 0; k <= p.n_wrt; k++)
        wgt_loop_like(wg_program_output(first, k), g[k], 0);
    wgt_loop_like(wg_program_output(second, 0), g[0], 0);
    held = wg_mul(g[0], wg_ones_like(g[0]));
    ck_assert(!wg_is_stale(held));
}
END_TEST

/* A copy has a body of its own; widened and back it computes the same. */
START_TEST(copied)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *g[6];
    wgt_loop_init(&p, t, WG_F32, _i);
    wg_scan(&p.loop, last, ys);
    wg_grad(wgt_loop_total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
    wg_tape *same = wg_tape_copy(t, WG_F32), *f64 = wg_tape_copy(t, WG_F64);
    ck_assert_msg(wg_tape_status(f64) == WG_OK, "%s", wg_tape_message(f64));
    for (int k = 0; k < p.n_wrt; k++) {
        wg_tensor *exact = wg_tape_counterpart(f64, g[k]);
        wgt_loop_like(wg_tape_counterpart(same, g[k]), g[k], 0);
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

START_TEST(printed)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2];
    char text[256];
    wgt_loop_init(&p, t, WG_F64, 0);
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

static void returns_outside(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = outside;
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

static wg_tensor *sum_of(wg_tensor *x)
{
    return wg_sum(wg_mul(x, x));
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
        {returns_outside, NULL, 0, 2, WG_E_TAPE, "scan: next 0 is no tensor of the body"},
        {forgets, NULL, 0, 2, WG_E_VALUE, "scan: the body does not set next 0"},
        {grows, NULL, 0, 2, WG_E_SHAPE, "scan: next 0 is not like its carry"},
        {counts, NULL, 0, 2, WG_E_DTYPE, "scan: next 0 is i64"},
        {fails, NULL, 0, 2, WG_E_SHAPE, "scan: matmul"},
        {makes_matrix, NULL, 0, 2, WG_E_VALUE, "has no value, which wg_jvp does not ask for"},
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
    ck_assert_int_eq(wg_scan(&(wg_scan_loop){.body = forgets, .xs = &xs, .n_xs = 1}, NULL, NULL),
                     WG_E_VALUE);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(t), "scan: no carries and no ys"));
    wg_tape_rewind(t, start);
    wg_tensor *deep = wg_full(t, WG_F64, WG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), 1);
    good.carries = &deep;
    good.steps = 2;
    ck_assert_int_eq(wg_scan(&good, &last, NULL), WG_E_SHAPE);
    ck_assert_ptr_nonnull(strstr(wg_tape_message(t), "a carry of 8 dimensions"));
    wg_tape_rewind(t, start);
    ck_assert_int_eq(wg_scan(NULL, &last, NULL), WG_E_NULL);
}
END_TEST

/* Counts that are not the body's, given to the op itself. */
START_TEST(wrong_counts)
{
    static const int64_t wrong[] = {-1, 99, INT64_MIN, INT64_MAX};
    wgt_loop p;
    wg_tensor *last[2], *ys[2];
    wgt_loop_init(&p, t, WG_F64, 1);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    const wg_tensor *y = NULL;
    for (int64_t i = 0; i < t->size; i++)
        y = t->node[i]->op == &wg_op_scan ? t->node[i] : y;
    ck_assert_ptr_nonnull(y);
    for (int k = 0; k < 16; k++) {
        wg_scan_attrs a = *(const wg_scan_attrs *)y->attrs;
        int64_t *const count[] = {&a.carries, &a.xs, &a.ys, &a.sums};
        *count[k / 4] = wrong[k % 4];
        const wg_mark mark = wg_tape_mark(t);
        wg_apply(y->op, y->operand, y->n_operands, &a);
        wgt_assert_status(t, WG_E_VALUE, "the body has not so many inputs and outputs");
        wg_tape_rewind(t, mark);
    }
}
END_TEST

/* An index out of range in the third step, and a value that is not finite, stop the loop. */
START_TEST(a_step_fails)
{
    wgt_loop p;
    wg_tensor *last[2], *ys[2];
    static const int64_t rows[WGT_LOOP_STEPS] = {4, 0, 9, 2, 1, 3, 0};
    wgt_loop_init(&p, t, WG_F64, 1);
    p.x[1] = wg_input(t, "rows", WG_I64, WG_SHAPE(WGT_LOOP_STEPS, 1), rows);
    const wg_mark mark = wg_tape_mark(t);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_E_INDEX);
    wg_tape_rewind(t, mark);
    static const int64_t good[WGT_LOOP_STEPS] = {0};
    wg_bind(p.x[1], good);
    ck_assert_int_eq(wg_scan(&p.loop, last, ys), WG_OK);
    wg_program *program = wg_compile(ys, 2, NULL);
    wg_program_bind(program, p.x[1], rows);
    const wg_mark before = wg_tape_mark(t);
    ck_assert_int_eq(wg_program_run(program), WG_E_INDEX);
    wg_tape_rewind(t, before);
    wg_program_bind(program, p.x[1], good);
    ck_assert_int_eq(wg_program_run(program), WG_OK);
    wgt_loop_like(wg_program_output(program, 0), ys[0], 0);
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
    wg_tensor *x = wgt_loop_param(t, WG_F64, "x", WG_SHAPE(3)),
              *w = wgt_loop_param(t, WG_F64, "w", WG_SHAPE(3));
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
        wg_tensor *rows[] = {wgt_loop_param(on, WG_F64, "X", WG_SHAPE(ROWS, 5)),
                             wgt_loop_param(on, WG_F64, "y", WG_SHAPE(ROWS, 1))};
        wg_tensor *param[] = {wgt_loop_param(on, WG_F64, "u", WG_SHAPE(1)),
                              wgt_loop_param(on, WG_F64, "v", WG_SHAPE(1))};
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
    wgt_loop p;
    wg_tensor *last[2], *ys[2], *g[6];
    wgt_loop_init(&p, on, WG_F64, 0);
    p.loop.snapshots = 2;
    const wg_mark mark = wg_tape_mark(on);
    m.fail_at = m.calls + fail_at;
    m.from_then = from_then;
    wg_scan(&p.loop, last, ys);
    wg_grad(wgt_loop_total(&p.loop, last, ys), p.wrt, p.n_wrt, g);
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

Suite *suite_scan_tape(void)
{
    Suite *s = suite_create("scan_tape");
    TCase *tc = tcase_create("scan_tape");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, replayed_and_compiled, 0, WGT_LOOP_CASES);
    tcase_add_loop_test(tc, copied, 0, WGT_LOOP_BODIES);
    tcase_add_test(tc, identified);
    tcase_add_test(tc, printed);
    tcase_add_test(tc, mistakes);
    tcase_add_test(tc, wrong_counts);
    tcase_add_test(tc, a_step_fails);
    tcase_add_loop_test(tc, the_op_inside_is_blamed, 0, 2);
    tcase_add_test(tc, in_threads);
    tcase_add_loop_test(tc, failing_memory, 0, 2);
    suite_add_tcase(s, tc);
    return s;
}
