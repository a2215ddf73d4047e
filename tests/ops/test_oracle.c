/* Values, gradients and Hessian-vector products against PyTorch's, which
 * tests/oracle/make_oracle.py wrote down: every op by itself and random graphs of 3 to 12 ops.
 *
 * The bound is 1e-11 of the largest entry of each tensor. The file's cases are drawn so that
 * PyTorch's round-off, measured in single precision and scaled to double, is at most 1e-12 of that
 * entry. Ours is of the same kind but not the same: other orders of sums, other rules. Its share,
 * PyTorch's, and what a single draw of rounding errors may have missed are given a factor of 10. */
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/tape_internal.h"
#include "models/wengert.h"
#include "ops/registry.h"
#include "tests/ops/oracle.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CASES "tests/oracle/cases.txt"
#define BOUND 1e-11
enum { LEAST = 3000, NODES = 64, OPS = 256 };

static wgt_cases cases;

static void setup(void)
{
    cases = wgt_cases_read(CASES);
}

static void teardown(void)
{
    wgt_cases_free(&cases);
}

/* ---- A case on a tape ------------------------------------------------------------------------ */

/* Lines [begin, end) of a case: node are its leaves and ops, x the leaves with derivatives. */
typedef struct task {
    wg_tape *t;
    int begin, end;
    wg_tensor *node[NODES], *x[NODES], *v[NODES], *g[NODES], *h[NODES];
    wg_tensor *c; /* NULL: the result is i64 */
    int nodes, xs, vs;
    int64_t values; /* this many of the tape's nodes are no derivatives */
} task;

/* A constant of the numbers in 64ths. */
static wg_tensor *in_64ths(wg_tape *t, const wgt_line *l, int ndim, const int64_t *dim)
{
    double value[NODES * 4];
    ck_assert_int_le(l->n_numbers, NODES * 4);
    for (int i = 0; i < l->n_numbers; i++)
        value[i] = l->number[i] / 64;
    return wg_constant(t, WG_F64, ndim, dim, value);
}

static wg_tensor *indices(wg_tape *t, const wgt_line *l)
{
    int64_t value[NODES];
    ck_assert_int_le(l->n_numbers, NODES);
    for (int i = 0; i < l->n_numbers; i++)
        value[i] = (int64_t)l->number[i];
    return wg_constant(t, WG_I64, l->n_integers, l->integer, value);
}

/* Leaves are parameters: the values computed from them can be differentiated and replayed. */
static wg_tensor *parameter(wg_tape *t, const wgt_line *l)
{
    wg_tensor *x = wg_param(t, NULL, WG_F64, l->n_integers, l->integer);
    double *value = wg_edit(x);
    ck_assert_int_eq(wg_size(x), l->n_numbers);
    for (int i = 0; i < l->n_numbers; i++)
        value[i] = l->number[i] / 64;
    return x;
}

static wg_tensor *operation(const task *j, const wgt_line *l)
{
    for (int i = 0; i < l->n_integers; i++)
        ck_assert_msg(l->integer[i] >= 0 && l->integer[i] < j->nodes, "line %d: no operand %d",
                      l->place, (int)l->integer[i]);
    wg_tensor *y = wgt_case_op(l, j->node);
    ck_assert_msg(y != NULL, "line %d: no row for %s in tests/ops/oracle_ops.c", l->place, l->name);
    return y;
}

/* The value of a leaf or an op. */
static wg_tensor *node_of(task *j, const wgt_line *l)
{
    if (wgt_line_is(l, "op"))
        return operation(j, l);
    if (wgt_line_is(l, "f"))
        return in_64ths(j->t, l, l->n_integers, l->integer);
    if (wgt_line_is(l, "k"))
        return indices(j->t, l);
    ck_assert_msg(wgt_line_is(l, "x"), "line %d: %s is nothing known", l->place, l->kind);
    return j->x[j->xs++] = parameter(j->t, l);
}

static bool wanted_line(const wgt_line *l)
{
    return wgt_line_is(l, "y") || wgt_line_is(l, "g") || wgt_line_is(l, "h");
}

/* Leaves stand before what is computed from them, c and v behind all nodes. */
static void record(task *j)
{
    for (int i = j->begin + 1; i < j->end; i++) {
        const wgt_line *l = &cases.line[i];
        ck_assert_int_lt(j->nodes, NODES);
        if (wgt_line_is(l, "c")) {
            const wg_shape *shape = &j->node[j->nodes - 1]->shape;
            j->c = in_64ths(j->t, l, shape->ndim, shape->dim);
        } else if (wgt_line_is(l, "v")) {
            const wg_shape *shape = &j->x[j->vs]->shape;
            j->v[j->vs++] = in_64ths(j->t, l, shape->ndim, shape->dim);
        } else if (!wanted_line(l)) {
            j->node[j->nodes++] = node_of(j, l);
        }
    }
    j->values = wg_tape_size(j->t);
    ck_assert_int_eq(j->vs, j->c == NULL ? 0 : j->xs);
}

static void differentiate(task *j)
{
    wg_tensor *y = j->node[j->nodes - 1];
    if (j->c == NULL || j->xs == 0)
        return;
    wg_vjp(y, j->c, j->x, j->xs, j->g);
    wg_hvp(wg_sum(wg_mul(y, j->c)), j->x, j->v, j->xs, j->h);
}

/* Records the case at line `begin` on the tape. */
static task task_at(wg_tape *t, int begin)
{
    task j = {.t = t, .begin = begin, .end = wgt_case_end(&cases, begin)};
    record(&j);
    differentiate(&j);
    ck_assert_msg(wg_tape_status(t) == WG_OK, "line %d: case %s: %s", cases.line[begin].place,
                  cases.line[begin].name, wg_tape_message(t));
    return j;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* max |got - want| / max |want|; 0 where both are zero; infinite where only `want` is zero, where
 * got is no number, and where the sizes differ. One number 0 stands for zeros. */
static double disagreement(const wg_tensor *got, const wgt_line *want)
{
    const int n = want->n_numbers;
    const bool zeros = n == 1 && want->number[0] == 0;
    if (wg_is_inert(got) || (!zeros && wg_size(got) != n))
        return HUGE_VAL;
    double largest = 0, apart = 0;
    for (int i = 0; i < wg_size(got); i++) {
        const double w = zeros ? 0 : want->number[i], d = fabs(wg_at(got, i) - w);
        largest = fmax(largest, fabs(w));
        apart = d >= apart || isnan(d) ? d : apart;
        if (isnan(d))
            return HUGE_VAL;
    }
    return apart == 0 ? 0 : apart / largest;
}

static bool same_shape(const wg_tensor *y, const wgt_line *l)
{
    if (wg_ndim(y) != l->n_integers)
        return false;
    for (int i = 0; i < l->n_integers; i++) {
        if (wg_dim(y, i) != l->integer[i])
            return false;
    }
    return true;
}

/* What a y, g or h line is about; *gs and *hs count the lines met so far. */
static const wg_tensor *subject(const task *j, const wgt_line *l, int *gs, int *hs)
{
    if (wgt_line_is(l, "y"))
        return j->node[j->nodes - 1];
    int *count = wgt_line_is(l, "g") ? gs : hs;
    ck_assert_int_lt(*count, j->xs);
    return (count == gs ? j->g : j->h)[(*count)++];
}

/* What is known of all comparisons so far. */
typedef struct tally {
    double worst;
    const wgt_line *at; /* the line of the worst, and the case it belongs to */
    const char *name;
    int tensors;
} tally;

static void compare(const task *j, tally *all)
{
    int gs = 0, hs = 0;
    for (int i = j->begin; i < j->end; i++) {
        const wgt_line *l = &cases.line[i];
        if (!wanted_line(l))
            continue;
        const wg_tensor *got = subject(j, l, &gs, &hs);
        const bool fits = !wgt_line_is(l, "y") || same_shape(got, l);
        const double d = fits ? disagreement(got, l) : HUGE_VAL;
        all->tensors++;
        if (d > all->worst || all->at == NULL) {
            all->worst = d;
            all->at = l;
            all->name = cases.line[j->begin].name;
        }
    }
    ck_assert_msg(gs == (j->c == NULL ? 0 : j->xs) && gs == hs, "line %d: derivatives are missing",
                  cases.line[j->begin].place);
}

static tally compare_case(int begin)
{
    tally one = {0};
    wg_tape *t = wg_tape_new(NULL);
    const task j = task_at(t, begin);
    compare(&j, &one);
    wg_tape_free(t);
    return one;
}

START_TEST(every_case_agrees)
{
    tally all = {0};
    int n = 0, wrong = 0;
    for (int at = 0; at < cases.n; at = wgt_case_end(&cases, at), n++) {
        const tally one = compare_case(at);
        if (one.worst > BOUND && wrong++ < 20)
            printf("oracle: case %s, %s of line %d: %.2g\n", one.name, one.at->kind, one.at->place,
                   one.worst);
        const int tensors = all.tensors + one.tensors;
        all = one.worst > all.worst ? one : all;
        all.tensors = tensors;
    }
    ck_assert_int_ge(n, LEAST);
    ck_assert_ptr_nonnull(all.at);
    printf("oracle: %d cases, %d tensors, the worst %.2g apart (%s of %s, line %d)\n", n,
           all.tensors, all.worst, all.at->kind, all.name, all.at->place);
    fflush(stdout);
    ck_assert_msg(wrong == 0, "%d cases are further apart than %g", wrong, BOUND);
}
END_TEST

/* One number a little off is found: every y, g and h of every 20th case, its largest entry. */
START_TEST(a_wrong_number_is_found)
{
    int n = 0, planted = 0;
    for (int at = 0; at < cases.n; at = wgt_case_end(&cases, at)) {
        for (int i = at; n % 20 == 0 && i < wgt_case_end(&cases, at); i++) {
            const wgt_line *l = &cases.line[i];
            int k = 0;
            for (int m = 0; m < l->n_numbers; m++)
                k = fabs(l->number[m]) > fabs(l->number[k]) ? m : k;
            if (!wanted_line(l) || l->n_numbers == 0 || l->number[k] == 0)
                continue;
            const double right = l->number[k];
            l->number[k] = right * (1 + 3e-11);
            const tally found = compare_case(at);
            ck_assert_msg(found.worst > BOUND && found.at == l, "line %d", l->place);
            l->number[k] = right;
            planted++;
        }
        n++;
    }
    ck_assert_int_ge(planted, LEAST / 20);
}
END_TEST

/* ---- Which ops the cases reach --------------------------------------------------------------- */

/* Ops without a case of their own, and why. */
typedef struct exception {
    const char *name;
    bool met; /* the derivatives of some case must record it */
    const char *why;
} exception;

static const exception exceptions[] = {
    {"parameter", true, "a leaf"},
    {"input", false, "a leaf, as parameter to all ops"},
    {"constant", true, "a leaf"},
    {"abstract", false, "a leaf without a value"},
    {"streamed", false, "a leaf without a value"},
    {"body", false, "a leaf that stands for a function"},
    {"scan", false, "a loop over other ops, checked against itself unrolled"},
    {"add_n", true, "the engine's sum of cotangents"},
    {"tie_share", true, "the engine's own: part of the rules of amax and amin"},
    {"log_softmax_jvp", true, "part of the rules of softmax and log_softmax"},
    {"log_softmax_vjp", true, "log_softmax's rule"},
    {"assemble", true, "slice's rule"},
    {"csr_sampled", true, "part of csr_matmul's rule"},
    {"bce_grad", true, "part of bce_with_logits' rule"},
    {"cross_entropy_grad", true, "part of cross_entropy's rule"},
    {"soft_cross_entropy_grad", true, "part of cross_entropy's rule"},
    {"dropout", false, "PyTorch's random numbers are others"},
    {"uniform", false, "PyTorch's random numbers are others"},
    {"categorical", false, "PyTorch's random numbers are others"},
};

static const exception *exception_of(const char *name)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        if (strcmp(exceptions[i].name, name) == 0)
            return &exceptions[i];
    }
    return NULL;
}

/* How often each op of the registry is in the values, and in the derivatives, of all cases. */
typedef struct reach {
    int values[OPS], derivatives[OPS];
} reach;

static int place_of(const wg_op *op)
{
    for (int i = 0; i < OPS && wg_op_at(i) != NULL; i++) {
        if (wg_op_at(i) == op)
            return i;
    }
    ck_abort_msg("%s is not in the registry", op->name);
}

static void reach_of_case(int begin, reach *r)
{
    wg_tape *t = wg_tape_new(NULL);
    const task j = task_at(t, begin);
    for (int64_t i = 0; i < t->size; i++)
        (i < j.values ? r->values : r->derivatives)[place_of(t->node[i]->op)]++;
    wg_tape_free(t);
}

START_TEST(every_op_has_a_case)
{
    reach r = {0};
    for (int at = 0; at < cases.n; at = wgt_case_end(&cases, at))
        reach_of_case(at, &r);
    for (int i = 0; wg_op_at(i) != NULL; i++) {
        const char *name = wg_op_at(i)->name;
        const exception *e = exception_of(name);
        ck_assert_msg(e != NULL || r.values[i] > 0, "%s has no case in " CASES, name);
        ck_assert_msg(e == NULL || e->met == (r.values[i] + r.derivatives[i] > 0),
                      "%s is an exception (%s), but %s", name, e == NULL ? "" : e->why,
                      e != NULL && e->met ? "no case records it" : "a case records it");
    }
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        ck_assert_msg(wg_op_find(exceptions[i].name) != NULL, "%s is no op", exceptions[i].name);
}
END_TEST

Suite *suite_oracle(void)
{
    Suite *s = suite_create("oracle");
    TCase *c = tcase_create("oracle");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, every_case_agrees);
    tcase_add_test(c, a_wrong_number_is_found);
    tcase_add_test(c, every_op_has_a_case);
    suite_add_tcase(s, c);
    return s;
}
