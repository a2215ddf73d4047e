/* Owns the check that derivative rules are functions, linear in their cotangent; and what checks
 * need to ask a rule alone. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"
#include "autograd/rng.h"

#include <float.h>
#include <math.h>

wg_tensor *wg_check_rule_alone(wg_tensor *y, wg_tensor *dy, int i)
{
    return y->op->vjp_all != NULL ? wg_vjp_of_all(y, dy, i, true) : wg_check_rule(y, dy, i);
}

wg_tensor *wg_check_rule(wg_tensor *y, wg_tensor *dy, int i)
{
    if (y->op->vjp_all != NULL)
        return wg_vjp_of_all(y, dy, i, false);
    if (i == 0 && y->op->vjp_parts != NULL)
        return y->op->vjp_parts(&y, &dy, 1);
    return y->op->vjp != NULL ? y->op->vjp(y, dy, i) : NULL;
}

/* A constant that holds g, and a normal draw where that is 0 or not finite. */
static wg_tensor *linear_cotangent(const wg_tensor *node, const wg_tensor *g)
{
    wg_tensor *c = wg_check_random_like(node, 0, WG_CHECK_LOCAL, 1);
    for (int64_t j = 0; j < wg_size(c); j++) {
        const double here = wg_element(g, j);
        if (here != 0 && isfinite(here))
            wg_set_element(c, j, here);
    }
    return c;
}

wg_tensor **wg_check_cotangents(wg_tape *t, const wg_check_claim *c, wg_tensor *const nodes[],
                                int64_t n)
{
    wg_tensor **gs = wg_arena_take(&t->scratch, (size_t)n * sizeof *gs, sizeof(void *));
    wg_mark mark = wg_tape_mark(t);
    if (gs == NULL || n == 0)
        return NULL;
    if (wg_vjp_many(c->ys, c->cotangents, c->m, nodes, (int)n, gs) == WG_OK)
        for (int64_t k = 0; k < n; k++)
            gs[k] = linear_cotangent(nodes[k], gs[k]);
    if (t->status == WG_OK)
        return gs;
    if (t->status == WG_E_NO_RULE) /* such an op made no claim: that is no error */
        wg_tape_rewind(t, mark);
    return NULL;
}

/* A rule may cut off what is large, or forget what is small or negative. Powers of two: rounding
 * does not tell multiples apart, but below the normal numbers. */
static const double linear_factor[] = {-0x1p-30, 0x1p30};
enum { LINEAR_FACTORS = sizeof linear_factor / sizeof *linear_factor };

static wg_tensor *linear_times(const wg_tensor *c, double factor)
{
    wg_tensor *times = wg_zeros_like(c);
    for (int64_t k = 0; k < wg_size(times); k++)
        ((double *)times->data)[k] = factor * ((const double *)c->data)[k];
    return times;
}

/* a = factor b? */
static bool linear_is_multiple(const wg_tensor *a, const wg_tensor *b, double factor)
{
    double largest = 0, gap = 0;
    for (int64_t i = 0; i < b->size; i++) {
        const double want = factor * wg_element(b, i), got = wg_element(a, i);
        if (!isfinite(want) || !isfinite(got))
            continue;
        largest = fmax(largest, fabs(want));
        gap = fmax(gap, fabs(want - got));
    }
    return gap <= 1e-12 * largest + DBL_MIN;
}

/* Rounding below the normal numbers, where 2^-30 of c may be nothing at all, may be carried on to
 * large ones: then nothing can be said. */
static bool linear_is_normal(const wg_tensor *c, const wg_tensor *times)
{
    for (int64_t k = 0; k < wg_size(times); k++)
        if (wg_element(c, k) != 0 && !isnormal(wg_element(times, k)))
            return false;
    return true;
}

/* The same within: a value recorded since the tape had `size` nodes. */
static bool linear_loses_digits(const wg_tape *t, int64_t size)
{
    for (int64_t i = size; i < t->size; i++) {
        const wg_tensor *x = t->node[i];
        for (int64_t k = 0; x->dtype == WG_F64 && x->data != NULL && k < x->size; k++)
            if (fpclassify(wg_element(x, k)) == FP_SUBNORMAL)
                return true;
    }
    return false;
}

/* ---- Rules alone ----------------------------------------------------------------------------- */

static bool linear_is_like(const wg_tensor *a, const wg_tensor *b)
{
    return a->dtype == WG_F64 && b->dtype == WG_F64 && a->data != NULL && b->data != NULL &&
           a->size == b->size;
}

/* What is wrong with y's rule for operand i, asked more than once about the cotangent c; NULL:
 * nothing. */
static const char *linear_fault(wg_tensor *y, wg_tensor *c, int i)
{
    wg_tensor *once = wg_check_rule(y, c, i);
    wg_tensor *again = once != NULL ? wg_check_rule(y, c, i) : NULL;
    if (again == NULL || y->tape->status != WG_OK || !linear_is_like(once, again))
        return NULL;
    if (!wg_check_same_bits(once, again))
        return "a rule gives something else when it is asked again";
    for (int k = 0; k < LINEAR_FACTORS; k++) {
        wg_tensor *times = linear_times(c, linear_factor[k]);
        const int64_t size = y->tape->size;
        wg_tensor *other = linear_is_normal(c, times) ? wg_check_rule(y, times, i) : NULL;
        if (other != NULL && y->tape->status == WG_OK && linear_is_like(once, other) &&
            !linear_is_multiple(other, once, linear_factor[k]) &&
            !linear_loses_digits(y->tape, size))
            return "the gradient is not linear in its cotangent";
    }
    return NULL;
}

/* At a cotangent of size 1, and at that of the tape, where there is one. */
static const char *linear_fault_of(wg_tensor *y, wg_tensor *own)
{
    const char *fault = NULL;
    for (int i = 0; i < y->n_operands && fault == NULL; i++) {
        wg_mark mark = wg_tape_mark(y->tape);
        if (y->operand[i]->dtype == WG_F64)
            fault = linear_fault(y, wg_check_random_like(y, 0, WG_CHECK_LOCAL, 0), i);
        if (y->operand[i]->dtype == WG_F64 && fault == NULL && own != NULL)
            fault = linear_fault(y, own, i);
        wg_tape_rewind(y->tape, mark);
    }
    return fault;
}

/* The op that is to blame, and what for; NULL: none is. */
static const char *linear_find(wg_check_session *s, const wg_check_claim *c, const char **fault,
                               bool *no_memory)
{
    wg_tape *t = s->t;
    const size_t most = (size_t)s->y->index + 1;
    bool *needed = wg_arena_take(&t->scratch, most, 1);
    wg_tensor **node = wg_arena_take(&t->scratch, most * sizeof *node, sizeof(void *));
    int64_t n = 0;
    *no_memory = needed == NULL || node == NULL;
    if (*no_memory)
        return NULL;
    wg_mark_needed(t, &s->y, 1, s->y->index, needed);
    for (int64_t k = 0; k <= s->y->index; k++)
        if (needed[k] && t->node[k]->dtype == WG_F64 && t->node[k]->data != NULL)
            node[n++] = t->node[k];
    wg_tensor **own = wg_check_cotangents(t, c, node, n);
    for (int64_t k = 0; k < n; k++)
        if ((*fault = linear_fault_of(node[k], own != NULL ? own[k] : NULL)) != NULL)
            return node[k]->op->name;
    return NULL;
}

/* ---- The gradient ---------------------------------------------------------------------------- */

/* Is what is derived from multiples of the cotangent a multiple of the claim? */
static bool linear_holds(wg_check_session *s, const wg_check_claim *c, bool *no_memory)
{
    wg_tensor **gs = wg_arena_take(&s->t->scratch, (size_t)s->n * sizeof *gs, sizeof(void *));
    bool holds = true;
    *no_memory = gs == NULL;
    for (int k = 0; k < LINEAR_FACTORS && gs != NULL && holds; k++) {
        wg_tensor *times = linear_times(c->cotangents[0], linear_factor[k]);
        const int64_t size = s->t->size;
        if (wg_vjp(s->y, times, s->xs, s->n, gs) == WG_OK)
            for (int i = 0; i < s->n; i++)
                holds = holds && linear_is_multiple(gs[i], c->gs[i], linear_factor[k]);
        holds = holds || linear_loses_digits(s->t, size);
    }
    return holds;
}

/* Is what is derived once more the claim, bit by bit? */
static bool linear_is_function(wg_check_session *s, const wg_check_claim *c, bool *no_memory)
{
    wg_tensor **gs = wg_arena_take(&s->t->scratch, (size_t)s->n * sizeof *gs, sizeof(void *));
    *no_memory = *no_memory || gs == NULL;
    bool same = true;
    if (gs != NULL && wg_vjp(s->y, c->cotangents[0], s->xs, s->n, gs) == WG_OK)
        for (int i = 0; i < s->n; i++)
            same = same && wg_check_same_bits(gs[i], c->gs[i]);
    return same;
}

wg_check_verdict wg_check_linear(wg_check_session *s, const wg_check_claim *c,
                                 const wg_gradcheck_options *options, wg_check_report reports[])
{
    wg_tape *t = s->t;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool no_memory;
    const char *fault = NULL;
    const bool holds = linear_holds(s, c, &no_memory);
    const char *blame = holds ? NULL : linear_find(s, c, &fault, &no_memory);
    if (!holds && fault == NULL && !linear_is_function(s, c, &no_memory))
        fault = "the gradient is another one when it is derived again";
    no_memory = no_memory || t->status == WG_E_NOMEM;
    for (int i = 0; i < s->n && reports != NULL && fault != NULL; i++) {
        if (reports[i].verdict == WG_CHECK_FAILED)
            continue;
        reports[i].verdict = WG_CHECK_FAILED;
        reports[i].note = fault;
        reports[i].blame = options->no_blame ? NULL : blame;
    }
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    if (no_memory)
        return wg_check_invalid(reports, s->n, "out of memory");
    return fault != NULL ? WG_CHECK_FAILED : WG_CHECK_PASSED;
}
