/* Reverse mode: the walk from y back to the xs, which records the gradient. */
#include "autograd/grad.h"

#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One of the cotangents that meet at a node. */
typedef struct grad_term {
    wg_tensor *cotangent;    /* of the node; or of its part: */
    wg_tensor *part;         /* a consumer that waits for vjp_parts; NULL: none */
    struct grad_term *later; /* of a consumer recorded later, or a later operand of the same one */
} grad_term;

typedef struct grad_node {
    grad_term
        term; /* the first of them, in recording order of the consumers; in the end, their sum */
    int n_terms;
    bool leads; /* is one of the xs, or is computed from one through floats */
} grad_node;

/* The walk covers the nodes [first, last] of the tape; all its memory is the tape's scratch. */
typedef struct grad_walk {
    wg_tape *t;
    int64_t first, last;
    grad_node *node; /* [last - first + 1] */
} grad_walk;

/* What is differentiated, with its cotangents, and with respect to what. */
typedef struct grad_task {
    wg_tensor *const *ys, *const *dys; /* [m] */
    int m;
    wg_tensor *const *xs; /* [n] */
    int n;
} grad_task;

static grad_node *grad_at(const grad_walk *w, const wg_tensor *x)
{
    return x->index >= w->first && x->index <= w->last ? &w->node[x->index - w->first] : NULL;
}

/* ---- What is asked for ---------------------------------------------------------------------------- */

/* "x 3", or "y" where there is one only (number < 0). */
static char *grad_role(const char *what, int number, char *text, size_t size)
{
    if (number < 0)
        snprintf(text, size, "%s", what);
    else
        snprintf(text, size, "%s %d", what, number);
    return text;
}

/* Is x fit to be a y, a cotangent or an x? */
static bool grad_belongs(wg_tape *t, const wg_tensor *x, const char *what, int number)
{
    char role[32];
    if (x != NULL && x->tape == t && x != &t->inert && x->dtype != WG_I64)
        return true;
    grad_role(what, number, role, sizeof role);
    if (x == NULL)
        wg_fail(t, WG_E_NULL, "grad: %s is NULL", role);
    else if (wg_is_inert(x))
        wg_fail(t, WG_E_NULL, "grad: %s is what an earlier error returned", role);
    else if (x->tape != t)
        wg_fail(t, WG_E_TAPE, "grad: %s is of another tape", role);
    else
        wg_fail(t, WG_E_DTYPE, "grad: %s is i64 and has no derivative: %s", role,
                wg_tensor_text(x).s);
    return false;
}

static bool grad_is_fresh(wg_tape *t, const wg_tensor *y)
{
    if (t->written)
        wg_stale_spread(t);
    if (!(y->state & WG_NODE_STALE))
        return true;
    wg_fail(t, WG_E_STALE, "grad: %s is older than the leaves it was computed from: replay first",
            wg_tensor_text(y).s);
    return false;
}

static bool grad_seed_fits(wg_tape *t, const wg_tensor *y, const wg_tensor *dy, int number)
{
    if (!grad_belongs(t, y, "y", number) || !grad_is_fresh(t, y) ||
        !grad_belongs(t, dy, "the cotangent", number) || !grad_is_fresh(t, dy))
        return false;
    if (dy->dtype == y->dtype && wg_shape_same(&dy->shape, &y->shape))
        return true;
    wg_fail(t, dy->dtype == y->dtype ? WG_E_SHAPE : WG_E_DTYPE,
            "grad: the cotangent %s %s is not like y %s %s", wg_tensor_text(dy).s,
            wg_dtype_name(dy->dtype), wg_tensor_text(y).s, wg_dtype_name(y->dtype));
    return false;
}

static bool grad_fits(wg_tape *t, const grad_task *task)
{
    for (int i = 0; i < task->m; i++)
        if (!grad_seed_fits(t, task->ys[i], task->dys[i], task->m > 1 ? i : -1))
            return false;
    for (int i = 0; i < task->n; i++)
        if (!grad_belongs(t, task->xs[i], "x", i))
            return false;
    return true;
}

/* ---- The walk ------------------------------------------------------------------------------------- */

/* Cotangents pass through floats, and not through ops whose gradient is declared zero. */
static void grad_mark_leading(grad_walk *w)
{
    for (int64_t i = w->first; i <= w->last; i++) {
        const wg_tensor *y = w->t->node[i];
        grad_node *node = &w->node[i - w->first];
        if (y->dtype == WG_I64 || (y->op->flags & WG_OP_ZERO_GRADIENT))
            continue;
        for (int k = 0; k < y->n_operands && !node->leads; k++) {
            const grad_node *x = grad_at(w, y->operand[k]);
            node->leads = x != NULL && x->leads && y->operand[k]->dtype != WG_I64;
        }
    }
}

static bool grad_walk_init(grad_walk *w, wg_tape *t, const grad_task *task)
{
    w->t = t;
    w->first = t->size - 1;
    w->last = 0;
    for (int i = 0; i < task->n; i++)
        w->first = task->xs[i]->index < w->first ? task->xs[i]->index : w->first;
    for (int i = 0; i < task->m; i++)
        w->last = task->ys[i]->index > w->last ? task->ys[i]->index : w->last;
    if (w->first > w->last)
        w->first = w->last;
    size_t bytes = (size_t)(w->last - w->first + 1) * sizeof *w->node;
    w->node = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    if (w->node == NULL) {
        wg_fail(t, WG_E_NOMEM, "grad: out of memory for %zu bytes", bytes);
        return false;
    }
    memset(w->node, 0, bytes);
    for (int i = 0; i < task->n; i++) {
        grad_node *x = grad_at(w, task->xs[i]);
        if (x != NULL)
            x->leads = true;
    }
    grad_mark_leading(w);
    return true;
}

/* Consumers are met from the last to the first, so a new term goes to the front: those that it goes
 * before move out of the node. */
static bool grad_add_term(grad_walk *w, grad_node *node, wg_tensor *cotangent, wg_tensor *part)
{
    grad_term *later = NULL;
    if (node->n_terms++ > 0) {
        later = wg_arena_take(&w->t->scratch, sizeof *later, sizeof(void *));
        if (later == NULL) {
            wg_fail(w->t, WG_E_NOMEM, "grad: out of memory");
            return false;
        }
        *later = node->term;
    }
    node->term = (grad_term){cotangent, part, later};
    return true;
}

/* What a rule returns is checked: a user's op may be wrong. */
static bool grad_rule_refuse(wg_tape *t, const wg_tensor *y, const wg_tensor *dx, int i)
{
    char got[WG_SHAPE_TEXT], want[WG_SHAPE_TEXT];
    const wg_tensor *x = y->operand[i];
    if (t->status != WG_OK)
        return false;
    if (dx == NULL || dx == &t->inert || dx->tape != t)
        wg_fail(t, WG_E_TAPE, "grad: the rule of %s gave no tensor of this tape for operand %d",
                y->op->name, i);
    else
        wg_fail(t, WG_E_SHAPE, "grad: the rule of %s gave operand %d a cotangent %s %s, not %s %s",
                y->op->name, i, wg_shape_text(&dx->shape, got, sizeof got),
                wg_dtype_name(dx->dtype), wg_shape_text(&x->shape, want, sizeof want),
                wg_dtype_name(x->dtype));
    return false;
}

static inline bool grad_rule_fits(wg_tape *t, const wg_tensor *y, const wg_tensor *dx, int i)
{
    const wg_tensor *x = y->operand[i];
    return (t->status == WG_OK && dx != NULL && dx != &t->inert && dx->tape == t &&
            dx->dtype == x->dtype && wg_shape_same(&dx->shape, &x->shape)) ||
           grad_rule_refuse(t, y, dx, i);
}

/* The parts that wait for the first one's rule become one term, in its place. */
static bool grad_join_parts(grad_walk *w, grad_node *node, grad_term *first)
{
    wg_tensor *(*const rule)(wg_tensor *const *, wg_tensor *const *,
                             int) = first->part->op->vjp_parts;
    const size_t bytes = 2 * (size_t)node->n_terms * sizeof(wg_tensor *);
    wg_tensor **y = wg_arena_take(&w->t->scratch, bytes, sizeof(void *));
    if (y == NULL) {
        wg_fail(w->t, WG_E_NOMEM, "grad: out of memory for %zu bytes", bytes);
        return false;
    }
    wg_tensor **dy = y + node->n_terms;
    int n = 0;
    for (grad_term *term = first, *kept = NULL; term != NULL; term = term->later) {
        const bool joins = term->part != NULL && term->part->op->vjp_parts == rule;
        if (joins) {
            y[n] = term->part;
            dy[n++] = term->cotangent;
        }
        if (joins && kept != NULL)
            kept->later = term->later;
        else
            kept = term;
    }
    node->n_terms -= n - 1;
    first->cotangent = rule(y, dy, n);
    first->part = NULL;
    return grad_rule_fits(w->t, y[0], first->cotangent, 0);
}

/* The sum of the terms takes their place; one term is itself. */
static bool grad_sum_terms(grad_walk *w, grad_node *node)
{
    if (node->n_terms == 1 && node->term.part == NULL)
        return true;
    for (grad_term *term = &node->term; term != NULL; term = term->later)
        if (term->part != NULL && !grad_join_parts(w, node, term))
            return false;
    if (node->n_terms == 1)
        return true;
    size_t bytes = (size_t)node->n_terms * sizeof(wg_tensor *);
    wg_tensor **list = wg_arena_take(&w->t->scratch, bytes, sizeof(void *));
    if (list == NULL) {
        wg_fail(w->t, WG_E_NOMEM, "grad: out of memory for %zu bytes", bytes);
        return false;
    }
    int n = 0;
    for (const grad_term *term = &node->term; term != NULL; term = term->later)
        list[n++] = term->cotangent;
    node->term = (grad_term){wg_add_n(list, n), NULL, NULL};
    return w->t->status == WG_OK;
}

/* Asks y's rule for the cotangents of the operands that lead to the xs: from the last to the first, as
 * consumers are met, so that the terms of an operand given twice stand in order, too. */
static bool grad_through(grad_walk *w, wg_tensor *y, wg_tensor *dy)
{
    for (int i = y->n_operands - 1; i >= 0; i--) {
        grad_node *x = grad_at(w, y->operand[i]);
        if (x == NULL || !x->leads || y->operand[i]->dtype == WG_I64)
            continue;
        if (y->op->vjp == NULL) {
            wg_fail(w->t, WG_E_NO_RULE,
                    "grad: %s has neither a derivative rule nor a declared zero gradient: %s",
                    y->op->name, wg_tensor_text(y).s);
            return false;
        }
        const bool waits = i == 0 && y->op->vjp_parts != NULL;
        wg_tensor *dx = waits ? dy : y->op->vjp(y, dy, i);
        if (dx == NULL && w->t->status == WG_OK)
            continue;
        if ((!waits && !grad_rule_fits(w->t, y, dx, i)) ||
            !grad_add_term(w, x, dx, waits ? y : NULL))
            return false;
    }
    return true;
}

/* A y that is older than all xs, or does not lead to one, has nothing to give. */
static bool grad_seed(grad_walk *w, const grad_task *task)
{
    for (int i = task->m - 1; i >= 0; i--) {
        grad_node *y = grad_at(w, task->ys[i]);
        if (y != NULL && y->leads && !grad_add_term(w, y, task->dys[i], NULL))
            return false;
    }
    return true;
}

static bool grad_walk_run(grad_walk *w)
{
    for (int64_t i = w->last; i >= w->first; i--) {
        grad_node *node = &w->node[i - w->first];
        if (node->n_terms > 0 &&
            (!grad_sum_terms(w, node) || !grad_through(w, w->t->node[i], node->term.cotangent)))
            return false;
    }
    return true;
}

static wg_tensor *grad_of_unused(wg_tape *t, const wg_tensor *x)
{
    if (!t->options.strict_grad)
        return wg_zeros_like(x);
    return wg_fail(t, WG_E_VALUE, "grad: y does not depend on %s", wg_tensor_text(x).s);
}

static void grad_collect(const grad_walk *w, const grad_task *task, wg_tensor *gs[])
{
    for (int i = 0; i < task->n; i++) {
        const grad_node *x = grad_at(w, task->xs[i]);
        gs[i] = x != NULL ? x->term.cotangent : NULL;
        if (gs[i] == NULL)
            gs[i] = grad_of_unused(w->t, task->xs[i]);
    }
}

static wg_status grad_do(wg_tape *t, const grad_task *task, wg_tensor *gs[])
{
    for (int i = 0; gs != NULL && i < task->n; i++)
        gs[i] = &t->inert;
    if (t->status == WG_OK && task->n > 0 && (task->xs == NULL || gs == NULL))
        wg_fail(t, WG_E_NULL, "grad: the list of %s is NULL", gs == NULL ? "gradients" : "xs");
    if (t->status != WG_OK || !grad_fits(t, task))
        return t->status;
    grad_walk w;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    if (grad_walk_init(&w, t, task) && grad_seed(&w, task) && grad_walk_run(&w))
        grad_collect(&w, task, gs);
    wg_arena_rewind(&t->scratch, empty);
    for (int i = 0; i < task->n && t->status != WG_OK; i++)
        gs[i] = &t->inert;
    return t->status;
}

wg_status wg_vjp_many(wg_tensor *const ys[], wg_tensor *const dys[], int m, wg_tensor *const xs[],
                      int n, wg_tensor *gs[])
{
    return grad_do(wg_first_tape(ys, m), &(grad_task){ys, dys, m, xs, n}, gs);
}

wg_status wg_vjp(wg_tensor *y, wg_tensor *dy, wg_tensor *const xs[], int n, wg_tensor *gs[])
{
    wg_tensor *const known[] = {y, dy, n > 0 && xs != NULL ? xs[0] : NULL};
    return grad_do(wg_first_tape(known, 3), &(grad_task){&y, &dy, 1, xs, n}, gs);
}

wg_status wg_grad(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *gs[])
{
    wg_tensor *one = y;
    if (!wg_is_inert(y) && y->tape->status == WG_OK) {
        if (y->size != 1)
            wg_fail(y->tape, WG_E_SHAPE, "grad: y has %" PRId64 " elements, not one: %s", y->size,
                    wg_tensor_text(y).s);
        else if (grad_belongs(y->tape, y, "y", -1))
            one = wg_ones_like(y);
    }
    return wg_vjp(y, one, xs, n, gs);
}

/* ---- Backward ------------------------------------------------------------------------------------- */

static bool grad_is_parameter_before(const wg_tensor *x, const wg_tensor *y)
{
    return x->op == &wg_op_parameter && x->index < y->index;
}

/* Leaves the gradients beside their parameters. */
static void backward_leave(wg_tape *t, wg_tensor *const param[], int n, wg_tensor *const grad[])
{
    if (!wg_undo_note(t, param, n))
        return;
    for (int i = 0; i < n; i++)
        param[i]->grad = grad[i];
}

wg_status wg_backward(wg_tensor *y)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "backward: y is NULL or inert")
            ->tape->status;
    wg_tape *t = y->tape;
    int n = 0;
    for (int64_t i = 0; i < y->index; i++)
        n += grad_is_parameter_before(t->node[i], y);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **list = wg_arena_take(&t->scratch, 2 * (size_t)n * sizeof *list, sizeof(void *));
    if (list == NULL)
        return wg_fail(t, WG_E_NOMEM, "backward: out of memory")->tape->status;
    n = 0;
    for (int64_t i = 0; i < y->index; i++)
        if (grad_is_parameter_before(t->node[i], y))
            list[n++] = t->node[i];
    if (wg_grad(y, list, n, list + n) == WG_OK)
        backward_leave(t, list, n, list + n);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}

wg_tensor *wg_grad_of(const wg_tensor *param)
{
    return param != NULL ? param->grad : NULL;
}
