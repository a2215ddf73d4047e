/* Loops written as C, against the program that runs them. */
#include "tests/compile/written.h"

#include "autograd/grad.h"
#include "models/optim/record.h"
#include "ops/activations.h"
#include "ops/arithmetic.h"
#include "ops/constants.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/matmul.h"
#include "ops/random.h"
#include "ops/reduce.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/ops/loops.h"
#include "tests/ops/op_table.h"
#include "tests/support/assert.h"
#include "tests/support/seconds.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 32 };

/* What may be off is a sum of k <= 12 terms in a step (2 k u: 12 ulps), and some five functions on
 * the way through it, 4 ulps each. (5 ulps were seen.) */
enum { ULPS = 32 };

/* A tape and a program of it, whose inputs are no struct: all leaves are parameters. */
typedef struct written_case {
    wg_tape *tape;
    wg_tensor *output[OUTPUTS];
    int n, n_exact; /* the first ones are the same bits */
    wg_program *program;
} written_case;

static void case_add(written_case *c, wg_tensor *const x[], int n)
{
    for (int i = 0; i < n; i++)
        c->output[c->n++] = x[i];
}

/* Gradients of y, and their product with the xs' own values differentiated: Hessian times x. */
static void case_derive(written_case *c, wg_tensor *y, wg_tensor *const x[], int n)
{
    wg_tensor *g[OUTPUTS], *h[OUTPUTS], *dot[OUTPUTS];
    wg_grad(y, x, n, g);
    for (int i = 0; i < n; i++)
        dot[i] = wg_sum(wg_mul(g[i], wg_detach(x[i])));
    wg_grad(wg_add_n(dot, n), x, n, h);
    case_add(c, g, n);
    case_add(c, h, n);
}

static int case_write(written_case *c, wgt_written *w)
{
    c->program = wg_compile(c->output, c->n, NULL);
    ck_assert_msg(wg_program_run(c->program) == WG_OK, "%s", wg_tape_message(c->tape));
    return wgt_written_add(w, c->program, false);
}

/* Entries are those of the program within ULPS of the output's largest. */
static void case_compare(const written_case *c, const wgt_written *w, int number)
{
    const void *bytes;
    size_t offset = 0;
    ck_assert_int_eq(wgt_written_run(w, number, NULL, &bytes), 0);
    for (int i = 0; i < c->n; i++) {
        const wg_tensor *want = wg_program_output(c->program, i);
        const double eps = want->dtype == WG_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
        const void *data = wgt_written_output(bytes, &offset, want->dtype, want->size);
        wg_tensor got = *want;
        memcpy(&got.data, &data, sizeof data);
        double largest = 0;
        for (int64_t k = 0; k < want->size; k++)
            largest = fmax(largest, fabs(wg_element(want, k)));
        for (int64_t k = 0; k < want->size; k++)
            ck_assert_msg(fabs(wg_element(&got, k) - wg_element(want, k)) <=
                              (i < c->n_exact ? 0 : ULPS) * eps * largest,
                          "case %d, output %d, entry %d is %.17g, not %.17g", number, i, (int)k,
                          wg_element(&got, k), wg_element(want, k));
    }
}

/* With one compiler, or, where the environment has WGT_EVERY_COMPILER, with each; frees the
 * cases. */
static void compare_all(written_case *list, int n, wgt_written *w, int compiler)
{
    for (int k = 0; k < WGT_COMPILERS; k++)
        if ((k == compiler || getenv("WGT_EVERY_COMPILER") != NULL) &&
            wgt_written_compile(w, wgt_compilers[k]))
            for (int i = 0; i < n; i++)
                case_compare(&list[i], w, i);
    for (int i = 0; i < n; i++)
        wg_tape_free(list[i].tape);
    wgt_written_free(w);
}

/* ---- The loops of the suites of scan --------------------------------------------------------- */

/* Three bodies, two dtypes, both ways, snapshots; values, gradients and their derivatives: half of
 * the loops, of each kind some; with WGT_ALL all. The last body moves and multiplies. */
START_TEST(test_loops)
{
    static written_case list[WGT_LOOP_CASES];
    wgt_written *w = wgt_written_new();
    const int n = getenv("WGT_ALL") != NULL ? WGT_LOOP_CASES : WGT_LOOP_CASES / 2;
    for (int i = 0; i < n; i++) {
        wgt_loop p;
        wg_tensor *last[2], *ys[2];
        written_case *c = &list[i];
        c->tape = wg_tape_new(NULL);
        wgt_loop_case(&p, c->tape, i * 5 % WGT_LOOP_CASES);
        wg_scan(&p.loop, last, ys);
        case_add(c, last, p.loop.n_carries);
        case_add(c, ys, p.loop.n_ys);
        c->n_exact = p.loop.n_xs == 0 ? c->n : 0;
        case_derive(c, wgt_loop_total(&p.loop, last, ys), p.wrt, p.n_wrt);
        const size_t before = strlen(wgt_written_text(w));
        ck_assert_int_eq(case_write(c, w), i);
        if (wg_dtype_of(last[0]) == WG_F32)
            ck_assert_ptr_null(strstr(wgt_written_text(w) + before, "double"));
    }
    compare_all(list, n, w, 0);
}
END_TEST

/* ---- Strange bodies -------------------------------------------------------------------------- */

/* Carries that change places, one that stays, one that becomes an x; y is an x, and a constant. */
static void moves(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = s->carry[1];
    s->next[1] = s->carry[0];
    s->next[2] = s->carry[2];
    s->next[3] = s->x[0];
    s->y[0] = s->carry[3];
    s->y[1] = s->x[0];
    s->y[2] = wg_full(s->x[0]->tape, WG_F64, WG_SHAPE(2), 0.5);
    s->y[3] = s->next[0];
}

/* One element everywhere. */
static void one(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_add(wg_mul(s->carry[0], s->param[0]), s->x[0]);
    s->next[1] = wg_div(s->carry[1], wg_add(s->next[0], s->param[1]));
    s->y[0] = wg_mul(s->next[0], s->next[1]);
}

/* Nothing in a carry and in a y. */
static void nothing(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_mul(wg_mul(s->carry[0], s->param[0]), wg_sum(s->x[0]));
    s->next[1] = wg_add(s->carry[1], s->carry[1]);
    s->y[0] = wg_slice(s->x[0], 0, 1, 1);
}

/* A loop over the x of a step, inside one over steps. */
static void inner(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_tanh(wg_add(wg_mul(s->carry[0], s->param[0]), s->x[0]));
}

static void outer(wg_scan_step *s, void *user)
{
    (void)user;
    wg_tensor *rows = wg_stack((wg_tensor *[]){s->x[0], wg_mul(s->x[0], s->carry[0])}, 2, 0);
    wg_scan(&(wg_scan_loop){.body = inner,
                            .carries = s->carry,
                            .xs = &rows,
                            .params = s->param,
                            .n_carries = 1,
                            .n_xs = 1,
                            .n_params = 1},
            s->next, NULL);
    s->y[0] = wg_square(s->next[0]);
}

/* Draws that differ from step to step, and labels. */
static void draws(wg_scan_step *s, void *user)
{
    (void)user;
    wg_tensor *kept = wg_dropout(s->carry[0], 0.4, 7, 1, s->x[1]);
    s->next[0] = wg_add(wg_mul(kept, s->param[0]), wg_gather_rows(s->param[1], s->x[0]));
    s->y[0] = wg_softmax(s->next[0], 1);
}

typedef struct strange {
    wg_scan_body *body;
    int n_carries, n_xs, n_params, n_ys;
    int ndim;       /* of carries and of a row of the xs; params are as carries */
    int64_t dim[2]; /* their shape */
    bool exact;
} strange;

static const strange stranges[] = {
    {moves, 4, 1, 0, 4, 1, {2}, true},     {one, 2, 1, 2, 1, 0, {0}, false},
    {nothing, 2, 1, 1, 1, 1, {2}, false},  {outer, 1, 1, 1, 1, 1, {2}, false},
    {draws, 1, 2, 2, 1, 2, {1, 3}, false},
};

enum { STRANGE = sizeof stranges / sizeof *stranges, WAYS = 8 };

static wg_tensor *strange_leaf(wg_tape *t, int k, int ndim, const int64_t *dim)
{
    static const char *const names[] = {"for", "*/ x", "f64", "step", "", "t", "step", "y"};
    return wgt_draw_like(wg_full(t, WG_F64, ndim, dim, 0), names[k], (uint64_t)k + 3);
}

/* Five steps, one, none; both directions; snapshots, where carries are not kept. */
static void strange_make(written_case *c, const strange *s, int way)
{
    static const int64_t indices[5] = {1, 0, 2, 2, 0}, snapshots[] = {0, 2};
    const int64_t n = way < 4 ? 5 : way < 6 ? 1 : 0;
    const bool labels = s->body == draws;
    const int floats = s->n_carries + s->n_params + !labels;
    wg_tensor *leaf[8], *last[4], *ys[4], *xs[2];
    wg_tape *t = c->tape = wg_tape_new(NULL);
    for (int k = 0; k < floats; k++) {
        int64_t dim[3] = {n, s->dim[0], s->dim[1]};
        const bool x = !labels && k == floats - 1;
        if (labels && k == 2)
            dim[1] = 3; /* a table */
        if (s->body == nothing && k == 1)
            dim[1] = 0;
        leaf[k] = strange_leaf(t, k, s->ndim + x, dim + !x);
    }
    xs[0] = labels ? wg_constant(t, WG_I64, WG_SHAPE(n, 1), indices) : leaf[floats - 1];
    xs[1] = wg_arange(t, WG_I64, 0, (double)n, 1);
    wg_scan(&(wg_scan_loop){.body = s->body,
                            .carries = leaf,
                            .xs = xs,
                            .params = leaf + s->n_carries,
                            .n_carries = s->n_carries,
                            .n_xs = s->n_xs,
                            .n_params = s->n_params,
                            .n_ys = s->n_ys,
                            .reverse = way % 2,
                            .snapshots = snapshots[way / 2 % 2]},
            last, ys);
    case_add(c, last, s->n_carries);
    case_add(c, ys, s->n_ys);
    c->n_exact = s->exact ? c->n : 0;
    wg_tensor *total = wg_scalar(t, WG_F64, 0);
    for (int i = 0; i < c->n; i++)
        total = wg_add(total, wg_sum(wg_square(c->output[i])));
    case_derive(c, total, leaf, floats);
}

START_TEST(test_strange_bodies)
{
    static written_case list[STRANGE * WAYS];
    wgt_written *w = wgt_written_new();
    for (int i = 0; i < STRANGE * WAYS; i++) {
        strange_make(&list[i], &stranges[i / WAYS], i % WAYS);
        ck_assert_int_eq(case_write(&list[i], w), i);
    }
    compare_all(list, STRANGE * WAYS, w, 1);
}
END_TEST

static void decays(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_tanh(wg_add(wg_mul(s->carry[0], s->param[0]), s->x[0]));
}

/* A carry of zeros, rows and params of one number everywhere: they are no tables of the file. */
START_TEST(test_operands_of_one_number)
{
    enum { CASES = 4 };
    static written_case list[CASES];
    wgt_written *w = wgt_written_new();
    for (int i = 0; i < CASES; i++) {
        const wg_dtype dtype = i % 2 == 0 ? WG_F64 : WG_F32;
        wg_tape *t = list[i].tape = wg_tape_new(NULL);
        wg_tensor *x = wg_param(t, "x", dtype, WG_SHAPE(5, 3)), *last;
        wg_tensor *zeros = wg_full(t, dtype, WG_SHAPE(3), 0);
        wg_tensor *p = wg_full(t, dtype, WG_SHAPE(3), 0.75);
        wg_fill_normal(x, 0, 1, 1);
        wg_tensor *rows = i < 2 ? x : wg_full(t, dtype, WG_SHAPE(5, 3), -0.5);
        wg_tensor *start = i < 2 ? zeros : wg_slice(x, 0, 0, 1);
        start = wg_reshape(start, WG_SHAPE(3));
        wg_scan(&(wg_scan_loop){.body = decays,
                                .carries = &start,
                                .xs = &rows,
                                .params = &p,
                                .n_carries = 1,
                                .n_xs = 1,
                                .n_params = 1},
                &last, NULL);
        case_add(&list[i], &last, 1);
        case_derive(&list[i], wg_sum(wg_square(last)), &x, 1);
        ck_assert_int_eq(case_write(&list[i], w), i);
    }
    compare_all(list, CASES, w, 0);
}
END_TEST

/* ---- One function for two loops, and errors in it -------------------------------------------- */

static int count_of(const char *text, const char *part)
{
    int n = 0;
    for (const char *s = text; (s = strstr(s, part)) != NULL; s++)
        n++;
    return n;
}

static void takes_rows(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = wg_add(s->carry[0], wg_gather_rows(s->param[0], s->x[0]));
}

static wg_tensor *taken(wg_tensor *carry, wg_tensor *table, wg_tensor *rows, bool reverse)
{
    wg_tensor *last = NULL;
    wg_scan(&(wg_scan_loop){.body = takes_rows,
                            .carries = &carry,
                            .xs = &rows,
                            .params = &table,
                            .n_carries = 1,
                            .n_xs = 1,
                            .n_params = 1,
                            .reverse = reverse},
            &last, NULL);
    return last;
}

START_TEST(test_a_shared_function_and_an_index)
{
    static int32_t rows32[4] = {0, 2, 1, 1};
    static int64_t rows[4] = {0, 2, 1, 1};
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *table = wgt_draw_like(wg_full(t, WG_F64, WG_SHAPE(3, 2), 0), "table", 1);
    wg_tensor *at = wg_input(t, "rows", WG_I64, WG_SHAPE(4, 1), rows);
    wg_tensor *zero = wg_full(t, WG_F64, WG_SHAPE(1, 2), 0);
    wg_tensor *out[] = {taken(zero, table, at, false),
                        taken(wg_full(t, WG_F64, WG_SHAPE(1, 2), 1), wg_neg(table), at, true)};
    wg_program *p = wg_compile(out, 2, NULL);
    wgt_written *w = wgt_written_new();
    ck_assert_int_eq(wg_program_run(p), WG_OK);
    ck_assert_int_eq(wgt_written_add(w, p, true), 0);
    ck_assert_int_eq(count_of(wgt_written_text(w), "static int c0_step"), 1);
    ck_assert_int_eq(count_of(wgt_written_text(w), "if (c0_step("), 2);
    const void *in[] = {rows32}, *bytes;
    if (wgt_written_compile(w, wgt_compilers[0])) {
        ck_assert_int_eq(wgt_written_run(w, 0, in, &bytes), 0);
        for (int i = 0; i < 4; i++)
            ck_assert_double_eq(((const double *)bytes)[i],
                                wg_at(wg_program_output(p, i / 2), i % 2));
        rows32[3] = 3;
        ck_assert_int_eq(wgt_written_run(w, 0, in, &bytes), 1);
        rows32[3] = -1;
        ck_assert_int_eq(wgt_written_run(w, 0, in, &bytes), 1);
    }
    wgt_written_free(w);
    wg_tape_free(t);
}
END_TEST

/* ---- Training -------------------------------------------------------------------------------- */

static void rnn(wg_scan_step *s, void *user)
{
    (void)user;
    s->next[0] = s->y[0] = wg_tanh(
        wg_add(wg_matmul(s->x[0], s->param[0]), wg_matmul(s->carry[0], s->param[1])));
}

enum { TIMES = 6, TRAINED = 10 };

/* A recurrent network with Adam: the losses of ten steps are the library's, and the gradients are
 * added up where they belong, not stored. */
START_TEST(test_a_network_is_trained)
{
    static double rows[TIMES * 2];
    wg_tape *t = wg_tape_new(NULL);
    for (int i = 0; i < TIMES * 2; i++)
        rows[i] = sin(i);
    wg_tensor *x = wg_input(t, "x", WG_F64, WG_SHAPE(TIMES, 1, 2), rows);
    wg_tensor *h = wg_full(t, WG_F64, WG_SHAPE(1, 3), 0), *hs, *g[2];
    wg_tensor *w[] = {wgt_draw_like(wg_full(t, WG_F64, WG_SHAPE(2, 3), 0), "W", 1),
                      wgt_draw_like(wg_full(t, WG_F64, WG_SHAPE(3, 3), 0), "U", 2)};
    wg_scan(&(wg_scan_loop){.body = rnn,
                            .carries = &h,
                            .xs = &x,
                            .params = w,
                            .n_carries = 1,
                            .n_xs = 1,
                            .n_params = 2,
                            .n_ys = 1},
            NULL, &hs);
    wg_tensor *out[16] = {wg_rename(wg_mean(wg_square(hs)), "loss")};
    ck_assert_int_eq(wg_grad(out[0], w, 2, g), WG_OK);
    wg_optimizer *adam = wg_adam_new(w, 2, &(wg_adam_options){.rate = 0.05});
    const wg_recorded_step step = wg_optimizer_record(adam, g);
    wg_c_update update[16];
    for (int k = 0; k < step.n; k++) {
        out[1 + k] = step.value[k];
        update[k] = (wg_c_update){step.param[k], 1 + k};
    }
    wgt_written *file = wgt_written_new();
    wgt_written_add_updates(file, wg_compile(out, 1 + step.n, NULL), update, step.n);
    if (wgt_written_compile(file, wgt_compilers[1]))
        for (int s = 0; s < TRAINED; s++) {
            const void *in[] = {rows}, *bytes;
            ck_assert_int_eq(wgt_written_run(file, 0, in, &bytes), 0);
            ck_assert(wgt_close(*(const double *)bytes, wg_item(out[0]), 1e-13, 0));
            ck_assert_int_eq(wg_optimizer_step(adam, g), WG_OK);
            ck_assert_int_eq(wg_replay(t), WG_OK);
        }
    wgt_written_free(file);
    wg_tape_free(t);
}
END_TEST

static void product_of_all(wg_scan_step *s, void *user)
{
    wg_tensor *z = s->carry[0];
    for (int i = 0; i < *(const int *)user; i++)
        z = wg_mul(z, s->param[i]);
    s->next[0] = z;
}

/* A body is written with its arguments in proportion to them. */
START_TEST(test_time_of_many_parameters)
{
    enum { MANY = 4000 };
    static wg_tensor *w[MANY], *g[MANY];
    int many = MANY;
    wg_c_file file;
    wg_tape *t = wgt_strict_tape();
    for (int i = 0; i < MANY; i++)
        w[i] = wgt_scalar_param(t, NULL, 1);
    wg_tensor *h = wg_scalar(t, WG_F64, 1), *last;
    wg_scan(&(wg_scan_loop){.body = product_of_all,
                            .user = &many,
                            .carries = &h,
                            .params = w,
                            .n_carries = 1,
                            .n_params = MANY,
                            .steps = 2},
            &last, NULL);
    ck_assert_int_eq(wg_grad(last, w, MANY, g), WG_OK);
    wg_program *p = wg_compile(g, MANY, NULL);
    const double begin = cpu_seconds();
    ck_assert_int_eq(wg_program_to_c(p, NULL, &file), WG_OK);
    ck_assert_double_lt(cpu_seconds() - begin, most_seconds());
    wg_tape_free(t);
}
END_TEST

Suite *suite_write_scan(void)
{
    Suite *s = suite_create("write_scan");
    TCase *tc = tcase_create("write_scan");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, test_loops);
    tcase_add_test(tc, test_strange_bodies);
    tcase_add_test(tc, test_operands_of_one_number);
    tcase_add_test(tc, test_a_shared_function_and_an_index);
    tcase_add_test(tc, test_a_network_is_trained);
    tcase_add_test(tc, test_time_of_many_parameters);
    suite_add_tcase(s, tc);
    return s;
}
