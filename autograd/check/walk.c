/* Owns the look at rules as the gradient asks them: about cotangents that are recorded, of several
 * operands and parts at once. What they give must be what they give for the same values alone. */
#include "autograd/check/gradcheck_internal.h"
#include "autograd/grad.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What moves and the xs, all their entries one after the other: what the gradient has there, and
 * what comes of rules that are asked, each alone, about constants of the same values. */
typedef struct walk_sums {
    const wg_recorded *r;
    int64_t n;          /* xs and nodes */
    wg_tensor **node;   /* [n], the xs first */
    wg_tensor **g, **c; /* [n] cotangents, as recorded, and constants that hold them */
    int64_t *first;     /* [n] of the entries */
    double *sum, *size; /* of the terms, and of their sizes */
} walk_sums;

static wg_tensor *walk_constant(const wg_tensor *g)
{
    wg_tensor *c = wg_zeros_like(g);
    if (!wg_is_inert(c) && g->size > 0)
        memcpy(c->data, g->data, (size_t)g->size * wg_dtype_size(g->dtype));
    return c;
}

static bool walk_begin(walk_sums *w, const wg_recorded *r)
{
    wg_arena *scratch = &r->t->scratch;
    *w = (walk_sums){.r = r, .n = r->n_xs + r->n};
    const size_t n = (size_t)w->n;
    int64_t size = 0;
    w->node = wg_arena_take(scratch, 3 * n * sizeof *w->node, sizeof(void *));
    w->first = wg_arena_take(scratch, n * sizeof *w->first, sizeof *w->first);
    if (w->node == NULL || w->first == NULL)
        return false;
    w->g = w->node + n;
    w->c = w->g + n;
    for (int64_t k = 0; k < w->n; k++) {
        w->node[k] = k < r->n_xs ? r->xs[k] : r->node[k - r->n_xs];
        w->first[k] = size;
        size += w->node[k]->size;
    }
    w->sum = wg_arena_take(scratch, 2 * (size_t)size * sizeof *w->sum, WG_ALIGNMENT);
    if (w->sum == NULL ||
        wg_vjp_many(r->ys, r->cotangents, r->m, w->node, (int)w->n, w->g) != WG_OK)
        return false;
    for (int64_t k = 0; k < w->n; k++)
        w->c[k] = walk_constant(w->g[k]);
    w->size = w->sum + size;
    memset(w->sum, 0, 2 * (size_t)size * sizeof *w->sum);
    return r->t->status == WG_OK;
}

static void walk_add(walk_sums *w, int64_t k, const wg_tensor *term)
{
    for (int64_t i = 0; k >= 0 && term != NULL && i < w->node[k]->size; i++) {
        w->sum[w->first[k] + i] += wg_element(term, i);
        w->size[w->first[k] + i] += fabs(wg_element(term, i));
    }
}

/* What the rule of the walk's node j says of its operand i about a cotangent; NULL: nothing. */
static wg_tensor *walk_ask(const walk_sums *w, int64_t j, int i, wg_tensor *dy)
{
    wg_tensor *y = w->node[j];
    wg_tensor *dx = (y->op->flags & WG_OP_ZERO_GRADIENT) ? NULL : wg_check_rule_alone(y, dy, i);
    return dx != NULL && y->tape->status == WG_OK && dx->dtype == y->operand[i]->dtype &&
                   dx->data != NULL && dx->size == y->operand[i]->size
               ? dx
               : NULL;
}

/* Adds up what the nodes give their operands, and the ys' own cotangents. */
static void walk_add_all(walk_sums *w)
{
    const wg_recorded *r = w->r;
    for (int q = 0; q < r->m; q++)
        walk_add(w, wg_recorded_place(r, r->ys[q]), r->cotangents[q]);
    for (int64_t j = r->n_xs; j < w->n; j++)
        for (int i = 0; i < w->node[j]->n_operands; i++) {
            const int64_t k = wg_recorded_place(r, w->node[j]->operand[i]);
            if (k >= 0)
                walk_add(w, k, walk_ask(w, j, i, w->c[j]));
        }
}

/* Is the recorded cotangent of node k another than what was added up, by more than rounding makes
 * of the terms? */
static bool walk_is_other(const walk_sums *w, int64_t k)
{
    for (int64_t i = 0; i < w->node[k]->size; i++) {
        const int64_t at = w->first[k] + i;
        const double gap = fabs(wg_element(w->g[k], i) - w->sum[at]);
        if (isfinite(gap) && gap > 1e-9 * w->size[at] + DBL_MIN)
            return true;
    }
    return false;
}

/* Of all that give node k its cotangent: the op whose rule tells a recorded cotangent from a
 * constant one; or one that is asked about more than an operand at once; or any. */
static const char *walk_culprit(walk_sums *w, int64_t k)
{
    const char *op = NULL;
    for (int64_t j = w->r->n_xs; j < w->n; j++)
        for (int i = 0; i < w->node[j]->n_operands; i++) {
            if (w->node[j]->operand[i] != w->node[k])
                continue;
            const wg_op *here = w->node[j]->op;
            const wg_tensor *by_constant = walk_ask(w, j, i, w->c[j]);
            const wg_tensor *by_recorded = walk_ask(w, j, i, w->g[j]);
            if (by_constant != NULL && by_recorded != NULL &&
                !wg_check_same_bits(by_constant, by_recorded))
                return here->name;
            if (op == NULL || here->vjp_all != NULL || here->vjp_parts != NULL)
                op = here->name;
        }
    return op;
}

/* Of n xs from the given one on. */
static const char *walk_find(const wg_check_session *s, const wg_check_claim *c, int from, int n)
{
    const char *wrong = NULL;
    wg_tape *t = s->t;
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_recorded r;
    walk_sums w;
    if (wg_recorded_begin(&r, s, c, s->xs + from, n)) {
        const bool begun = walk_begin(&w, &r);
        if (begun)
            walk_add_all(&w);
        for (int64_t k = w.n - 1; begun && k >= 0 && wrong == NULL && t->status == WG_OK; k--)
            if (walk_is_other(&w, k))
                wrong = walk_culprit(&w, k);
        wg_recorded_end(&r);
    }
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_rewind(t, mark);
    return wrong;
}

/* All xs at once, as the gradient does, where they are different tensors. */
const char *wg_check_wrong_in_walk(const wg_check_session *s, const wg_check_claim *c)
{
    const int step = wg_check_independent(s) ? s->n : 1;
    const char *wrong = NULL;
    for (int i = 0; i < s->n && wrong == NULL; i += step)
        wrong = walk_find(s, c, i, step);
    return wrong;
}
