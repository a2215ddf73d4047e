/* Owns comparisons of values: with a closed form; of f64 and f32 rules, each alone, with wide and
 * f64 ones; and of the gradient of a tape with f32 with that in f64. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"
#include "autograd/rng.h"
#include "autograd/tape.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Equal infinities do not differ; a NaN differs by NaN. */
static double compare_gap(double a, double b)
{
    return a == b ? 0 : fabs(a - b);
}

double wg_compare_closed_form(const wg_tensor *g, const double *closed, double scale,
                              int64_t *worst)
{
    if (wg_is_inert(g) || g->data == NULL || closed == NULL)
        return (double)NAN;
    double largest = 0, gap = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < g->size && !isnan(gap); i++) {
        double here = compare_gap(wg_at(g, i), closed[i]);
        largest = isfinite(closed[i]) ? fmax(largest, fabs(closed[i])) : largest;
        if (!(here <= gap)) {
            gap = here;
            at = i;
        }
    }
    if (worst != NULL)
        *worst = at;
    return gap == 0 ? 0 : gap / (scale > 0 ? scale : largest);
}

/* The largest |single - full| over the largest |full|; over f32's smallest normal number where all
 * is less. */
static double single_gap(const wg_tensor *single, const wg_tensor *full)
{
    double largest = (double)FLT_MIN;
    for (int64_t i = 0; i < full->size; i++)
        if (isfinite(wg_element(full, i)))
            largest = fmax(largest, fabs(wg_element(full, i)));
    return wg_compare_closed_form(single, full->data, largest, NULL);
}

/* ---- Rules, each alone ----------------------------------------------------------------------- */

/* A node on a tape where its operands are leaves, with a cotangent. */
typedef struct compare_alone {
    wg_tensor *y, *c;
} compare_alone;

/* Below the normal numbers there are next to no digits, and no measure. */
static bool compare_is_subnormal(double value, wg_dtype dtype)
{
    return value != 0 && fabs(value) < (dtype == WG_F32 ? (double)FLT_MIN : DBL_MIN);
}

static compare_alone compare_record(wg_tape *t, const wg_tensor *x)
{
    const size_t n = (size_t)x->n_operands;
    wg_tensor **operand = wg_arena_take(&t->scratch, n * sizeof *operand, sizeof(void *));
    if (operand == NULL)
        return (compare_alone){wg_fail(t, WG_E_NOMEM, "check: out of memory"), NULL};
    for (size_t k = 0; k < n; k++) {
        const wg_tensor *from = x->operand[k];
        operand[k] = wg_full(t, from->dtype, from->shape.ndim, from->shape.dim, 0);
        if (t->status == WG_OK && from->size > 0)
            memcpy(operand[k]->data, from->data, (size_t)from->size * wg_dtype_size(from->dtype));
        for (int64_t i = 0; i < wg_size(operand[k]) && from->dtype != WG_I64; i++)
            if (compare_is_subnormal(wg_element(operand[k], i), from->dtype))
                wg_set_element(operand[k], i, 0);
    }
    wg_tensor *y = wg_apply(x->op, operand, x->n_operands, x->attrs), *c = wg_zeros_like(y);
    for (int64_t i = 0; i < wg_size(c); i++)
        if (!compare_is_subnormal(wg_element(y, i), y->dtype))
            wg_set_element(c, i, wg_random_normal(1, WG_CHECK_LOCAL, (uint64_t)i));
    return (compare_alone){y, c};
}

/* Moves all leaves of floats by some roundings of f32, or of f64 where they are wide, and y with
 * them. */
static void compare_nudge(wg_tape *t, wg_tensor *y)
{
    const double share = y->dtype == WG_WIDE ? 0x1p-36 : 0x1p-22;
    for (int64_t k = 0; k < t->size; k++)
        for (int64_t i = 0; i < t->node[k]->size && t->node[k] != y; i++)
            if (t->node[k]->dtype == y->dtype) {
                const double draw = 2 * wg_random_uniform(1, (uint64_t)k, (uint64_t)i) - 1;
                wg_set_element(t->node[k], i, wg_element(t->node[k], i) * (1 + share * draw));
            }
    if (!(y->op->flags & WG_OP_VIEW))
        wg_node_run(y);
}

/* Are two tensors that rules gave alike in shape, but for their dtypes, and floats? */
static bool compare_is_like(const wg_tensor *a, const wg_tensor *b)
{
    return a != NULL && b != NULL && !wg_is_inert(a) && !wg_is_inert(b) && a->dtype != WG_I64 &&
           b->dtype != WG_I64 && a->size == b->size;
}

/* Do two nodes that a rule recorded in two dtypes say the same: the op, its attributes, where its
 * operands stand; or, of leaves, the values? */
static bool compare_is_same_node(const wg_tensor *a, const wg_tensor *b)
{
    bool same = wg_check_is_op(a->op, b->op) && a->n_operands == b->n_operands &&
                wg_shape_same(&a->shape, &b->shape) &&
                (a->op->attr_size == 0 || memcmp(a->attrs, b->attrs, a->op->attr_size) == 0);
    for (int k = 0; k < a->n_operands && same; k++)
        same = a->operand[k]->index == b->operand[k]->index;
    const bool values = a->n_operands == 0 && a->data != NULL && b->data != NULL;
    for (int64_t i = 0; i < a->size && same && values; i++)
        same = compare_gap(wg_element(a, i), wg_element(b, i)) == 0;
    return same;
}

/* Then their results differ by the kernels and by rounding alone, and digits that are lost on the
 * way make no rule wrong. */
static bool compare_says_the_same(const wg_tape *a, int64_t from, const wg_tape *b)
{
    bool same = a->size == b->size;
    for (int64_t i = from; i < a->size && same; i++)
        same = compare_is_same_node(a->node[i], b->node[i]);
    return same;
}

/* The same measure as that of a kernel, but of all entries together: a rule is several kernels. */
static bool compare_gives_other(const compare_alone at[3], int i)
{
    const wg_tensor *g[3];
    const bool wide = at[1].y->dtype == WG_WIDE;
    double largest = 0, gap = 0, near = 0;
    const int64_t from = at[0].y->tape->size;
    for (int k = 0; k < 3; k++)
        g[k] = wg_check_rule(at[k].y, at[k].c, i);
    if (!compare_is_like(g[0], g[1]) || !compare_is_like(g[1], g[2]) ||
        (g[0]->index == g[1]->index && compare_says_the_same(at[0].y->tape, from, at[1].y->tape)))
        return false;
    for (int64_t j = 0; j < g[0]->size; j++) {
        const double here = wg_element(g[0], j), full = wg_element(g[1], j),
                     beside = wg_element(g[2], j);
        if (!isfinite(here) || !isfinite(full) || !isfinite(beside))
            return false;
        largest = fmax(largest, fabs(full));
        gap = fmax(gap, fabs(here - full));
        near = fmax(near, fabs(beside - full));
    }
    return gap > (wide ? 1e-7 : 1e-3) * largest + 64 * near + (double)FLT_MIN;
}

/* Does the node's rule give something else than that of its twin in a larger dtype, for the same
 * values? */
static bool compare_rule_is_off(const wg_tensor *x, wg_dtype full, bool *no_memory)
{
    wg_tape *t[3] = {wg_tape_new(&x->tape->options), NULL, NULL};
    compare_alone at[3] = {compare_record(t[0], x)};
    bool ready = t[0]->status == WG_OK, off = false;
    for (int k = 1; k < 3; k++) {
        t[k] = wg_tape_copy(t[0], full);
        if ((ready = ready && t[k]->status == WG_OK))
            at[k] = (compare_alone){t[k]->node[at[0].y->index], t[k]->node[at[0].c->index]};
    }
    if (ready)
        compare_nudge(t[2], at[2].y);
    for (int i = 0; i < x->n_operands && ready && !off; i++)
        off = x->operand[i]->dtype == x->dtype && compare_gives_other(at, i);
    for (int k = 0; k < 3; k++) {
        *no_memory = *no_memory || t[k]->status == WG_E_NOMEM;
        off = off && t[k]->status == WG_OK;
    }
    for (int k = 0; k < 3; k++)
        wg_tape_free(t[k]);
    return off;
}

/* The first op that y is computed with whose rule is off in the dtype; NULL: none is. */
static const char *compare_wrong_rule(wg_tensor *y, wg_dtype dtype, wg_dtype full, bool *no_memory)
{
    wg_tape *t = y->tape;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, (size_t)y->index + 1, 1);
    const char *wrong = NULL;
    *no_memory = needed == NULL;
    if (needed != NULL)
        wg_mark_needed(t, &y, 1, y->index, needed);
    for (int64_t i = 0; needed != NULL && i <= y->index && wrong == NULL; i++) {
        const wg_tensor *x = t->node[i];
        if (needed[i] && x->dtype == dtype && x->n_operands > 0 && x->op->vjp != NULL &&
            compare_rule_is_off(x, full, no_memory))
            wrong = x->op->name;
    }
    wg_arena_rewind(&t->scratch, empty);
    return wrong;
}

const char *wg_check_wrong_rule(const wg_check_session *s, bool *no_memory)
{
    return compare_wrong_rule(s->y, WG_F64, WG_WIDE, no_memory);
}

/* ---- The gradient of f32 --------------------------------------------------------------------- */

/* c, a cotangent on the copy, for y on the user's tape. */
static wg_tensor *single_cotangent(wg_tensor *y, const wg_tensor *c)
{
    wg_tensor *single = wg_zeros_like(y);
    for (int64_t i = 0; i < wg_size(single); i++)
        wg_set_element(single, i, wg_element(c, i));
    return single;
}

/* The first op before y whose values differ from those of its twin; NULL: all are alike. */
static const char *single_first_off(const wg_check_session *s, const wg_tensor *y, double most)
{
    for (int64_t i = 0; i <= y->index; i++) {
        const wg_tensor *x = s->user->node[i], *full = wg_tape_counterpart(s->t, x);
        bool values = x->dtype != WG_I64 && x->data != NULL && full->data != NULL && x->size > 0;
        if (values && !(single_gap(x, full) <= most))
            return x->op->name;
    }
    return NULL;
}

/* most = 0: digits may be lost, as long as every kernel and every rule is right. */
static void single_judge(wg_check_report *report, double gap, double most, const char *off)
{
    report->single = gap;
    if (report->verdict == WG_CHECK_FAILED)
        return;
    if (most > 0 && !(gap <= most)) {
        report->verdict = WG_CHECK_UNRESOLVED;
        report->blame = off != NULL ? off
                                    : "the gradient: its f32 values are far from those in f64";
    } else if (!(gap <= 1e-2) && report->note == NULL)
        report->note = "f32 loses digits between kernels and rules that are right: see wg_audit";
}

/* With gs, the gradient on the user's tape. */
static wg_check_verdict single_compare(wg_check_session *s, wg_tensor *y, wg_tensor *const gs[],
                                       wg_tensor *const claimed[], double most,
                                       wg_check_report reports[])
{
    bool no_memory, far = false;
    const char *rule = NULL, *wrong = wg_check_wrong_single(s->user, y, gs, s->n, &no_memory);
    for (int i = 0; i < s->n; i++)
        far = far || !(single_gap(gs[i], claimed[i]) <= 1e-3);
    /* The loops of f64 that the copy was made for: what these hold has no derivative, and where it
     * is NaN the two may differ in what is. */
    for (int i = 0; i < s->n && far; i++)
        if (s->t->before > 0 && gs[i]->dtype == WG_F64 && single_gap(gs[i], claimed[i]) > 1e-3)
            return wg_check_fail(reports, s->n, "a derivative of what a loop's body detaches",
                                 "scan");
    if (far && wrong == NULL && !no_memory)
        rule = compare_wrong_rule(y, WG_F32, WG_F64, &no_memory);
    if (no_memory)
        return wg_check_invalid(reports, s->n, "out of memory");
    const char *off = most > 0 ? single_first_off(s, y, most) : NULL;
    wg_check_verdict verdict = WG_CHECK_PASSED;
    for (int i = 0; i < s->n; i++) {
        double gap = single_gap(gs[i], claimed[i]);
        verdict = most == 0 || gap <= most ? verdict : WG_CHECK_UNRESOLVED;
        if (reports != NULL)
            single_judge(&reports[i], gap, most, off);
    }
    if (rule != NULL)
        return wg_check_fail(reports, s->n, "an f32 rule does not give what its f64 one does",
                             rule);
    if (wrong == NULL)
        return verdict;
    return wg_check_fail(reports, s->n, "an f32 kernel does not compute what its f64 one does",
                         wrong);
}

wg_check_verdict wg_check_single(wg_check_session *s, wg_tensor *y, const wg_tensor *c,
                                 wg_tensor *const given[], wg_tensor *const claimed[], double most,
                                 wg_check_report reports[])
{
    wg_tape *t = s->user;
    if (!s->copied)
        return WG_CHECK_PASSED;
    if (given != NULL)
        return single_compare(s, y, given, claimed, most, reports);
    wg_check_verdict verdict = WG_CHECK_INVALID;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = wg_arena_take(&t->scratch, (size_t)s->n * sizeof *gs, sizeof(void *));
    wg_tensor *dy = single_cotangent(y, c);
    if (gs != NULL && wg_vjp(y, dy, s->caller, s->n, gs) == WG_OK)
        verdict = single_compare(s, y, gs, claimed, most, reports);
    else
        wg_check_invalid(reports, s->n, "out of memory");
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return verdict;
}
