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

/* A node that the ys are computed from. */
typedef struct wg_grad_node {
    wg_tensor *x; /* x->walk is this */
    const struct grad_walk *walk;
    struct wg_grad_node *outer;         /* what x->walk was: a rule may take a gradient, too */
    struct wg_grad_node *older, *newer; /* neighbours in the walk, by recording order */
    /* The first of them, in recording order of the consumers; in the end, their sum. */
    grad_term term;
    int n_terms;
    bool leads; /* is one of the xs, or is computed from one through floats */
} grad_node;

/* The walk goes over the nodes that the ys are computed from, through floats, and that are no older
 * than the oldest x: it costs what they cost, whatever else is on the tape. Its memory is the
 * tape's scratch. */
typedef struct grad_walk {
    wg_tape *t;
    int64_t first; /* index of the oldest x */
    grad_node *oldest, *newest;
    /* [n] nodes reached whose operands are not yet: [0] is the newest, and [i] is newer than
     * [2 i + 1] and [2 i + 2] */
    grad_node **heap;
    int64_t n, capacity;
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
    return x->walk != NULL && x->walk->walk == w ? x->walk : NULL;
}

static inline void *grad_take(const grad_walk *w, int64_t n, size_t item)
{
    void *memory = wg_arena_take(&w->t->scratch, (size_t)n * item, sizeof(void *));
    if (memory == NULL)
        wg_fail(w->t, WG_E_NOMEM, "grad: out of memory for %zu bytes", (size_t)n * item);
    return memory;
}

/* ---- What is asked for ----------------------------------------------------------------------- */

/* Is x fit to be a y, a cotangent or an x? */
static bool grad_belongs(wg_tape *t, const wg_tensor *x, const char *role, int number)
{
    if (!wg_belongs(t, x, "grad", role, number))
        return false;
    if (x->dtype != WG_I64)
        return true;
    wg_fail(t, WG_E_DTYPE, "grad: i64 has no derivative: %s", wg_tensor_text(x).s);
    return false;
}

static bool grad_seed_fits(wg_tape *t, const wg_tensor *y, const wg_tensor *dy, int number)
{
    if (!grad_belongs(t, y, "y", number) || !wg_must_be_fresh(y, "grad") ||
        !grad_belongs(t, dy, "the cotangent", number) || !wg_must_be_fresh(dy, "grad"))
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

/* ---- The walk -------------------------------------------------------------------------------- */

static inline bool grad_heap_push(grad_walk *w, grad_node *node)
{
    if (w->n == w->capacity) {
        grad_node **heap = grad_take(w, 2 * w->n + 16, sizeof *heap);
        if (heap == NULL)
            return false;
        if (w->n > 0)
            memcpy(heap, w->heap, (size_t)w->n * sizeof *heap);
        w->heap = heap;
        w->capacity = 2 * w->n + 16;
    }
    int64_t i = w->n++;
    for (; i > 0 && w->heap[(i - 1) / 2]->x->index < node->x->index; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = node;
    return true;
}

static grad_node *grad_heap_pop(grad_walk *w)
{
    grad_node *newest = w->heap[0], *last = w->heap[--w->n];
    int64_t i = 0;
    for (int64_t child; (child = 2 * i + 1) < w->n; i = child) {
        if (child + 1 < w->n && w->heap[child + 1]->x->index > w->heap[child]->x->index)
            child++;
        if (w->heap[child]->x->index < last->x->index)
            break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = last;
    return newest;
}

static inline bool grad_reach_first(grad_walk *w, wg_tensor *x)
{
    grad_node *node = grad_take(w, 1, sizeof *node);
    if (node == NULL)
        return false;
    *node = (grad_node){.x = x, .walk = w, .outer = x->walk};
    if (!grad_heap_push(w, node))
        return false;
    x->walk = node;
    return true;
}

static inline bool grad_reach(grad_walk *w, wg_tensor *x)
{
    return x->dtype == WG_I64 || x->index < w->first || grad_at(w, x) != NULL ||
           grad_reach_first(w, x);
}

/* Cotangents pass through floats, and not through ops whose gradient is declared zero. */
static bool grad_passes(const wg_tensor *y)
{
    return !(y->op->flags & WG_OP_ZERO_GRADIENT);
}

/* Every node is reached by a newer one, so they leave the heap from the newest to the oldest. */
static bool grad_reach_all(grad_walk *w, const grad_task *task)
{
    for (int i = 0; i < task->m; i++)
        if (!grad_reach(w, task->ys[i]))
            return false;
    while (w->n > 0) {
        grad_node *node = grad_heap_pop(w);
        node->newer = w->oldest;
        *(w->oldest != NULL ? &w->oldest->older : &w->newest) = node;
        w->oldest = node;
        const wg_tensor *y = node->x;
        for (int k = grad_passes(y) ? y->n_operands : 0; k-- > 0;)
            if (!grad_reach(w, y->operand[k]))
                return false;
    }
    return true;
}

static void grad_mark_leading(const grad_walk *w, const grad_task *task)
{
    for (int i = 0; i < task->n; i++) {
        grad_node *x = grad_at(w, task->xs[i]);
        if (x != NULL)
            x->leads = true;
    }
    for (grad_node *node = w->oldest; node != NULL; node = node->newer) {
        const wg_tensor *y = node->x;
        for (int k = grad_passes(y) ? y->n_operands : 0; k-- > 0 && !node->leads;) {
            const grad_node *x = grad_at(w, y->operand[k]);
            node->leads = x != NULL && x->leads;
        }
    }
}

static bool grad_walk_init(grad_walk *w, wg_tape *t, const grad_task *task)
{
    *w = (grad_walk){.t = t, .first = t->size};
    for (int i = 0; i < task->n; i++)
        w->first = task->xs[i]->index < w->first ? task->xs[i]->index : w->first;
    if (!grad_reach_all(w, task))
        return false;
    grad_mark_leading(w, task);
    return true;
}

/* Also a walk that failed, which may have nodes in the heap. */
static void grad_walk_end(grad_walk *w)
{
    for (int64_t i = 0; i < w->n; i++)
        w->heap[i]->x->walk = w->heap[i]->outer;
    for (grad_node *node = w->newest; node != NULL; node = node->older)
        node->x->walk = node->outer;
}

/* Consumers are met from the last to the first, so a new term goes to the front: those that it goes
 * before move out of the node. */
static bool grad_add_term(grad_walk *w, grad_node *node, wg_tensor *cotangent, wg_tensor *part)
{
    grad_term *later = NULL;
    if (node->n_terms++ > 0) {
        later = grad_take(w, 1, sizeof *later);
        if (later == NULL)
            return false;
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
    wg_tensor **y = grad_take(w, 2 * (int64_t)node->n_terms, sizeof *y), **dy;
    if (y == NULL)
        return false;
    dy = y + node->n_terms;
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
    wg_tensor **list = grad_take(w, node->n_terms, sizeof *list);
    if (list == NULL)
        return false;
    int n = 0;
    for (const grad_term *term = &node->term; term != NULL; term = term->later)
        list[n++] = term->cotangent;
    node->term = (grad_term){wg_add_n(list, n), NULL, NULL};
    return w->t->status == WG_OK;
}

static inline bool grad_asks(const grad_walk *w, const wg_tensor *y, int i)
{
    const grad_node *x = grad_at(w, y->operand[i]);
    return x != NULL && x->leads;
}

/* All cotangents from one call of the rule. */
static bool grad_through_all(grad_walk *w, wg_tensor *y, wg_tensor *dy)
{
    const int n = y->n_operands;
    bool *wanted = grad_take(w, n, sizeof *wanted);
    wg_tensor **dx = grad_take(w, n, sizeof *dx);
    if (wanted == NULL || dx == NULL)
        return false;
    for (int i = 0; i < n; i++) {
        wanted[i] = grad_asks(w, y, i);
        dx[i] = NULL;
    }
    y->op->vjp_all(y, dy, wanted, dx);
    for (int i = n - 1; i >= 0 && w->t->status == WG_OK; i--) {
        grad_node *x = grad_at(w, y->operand[i]);
        if (x != NULL && dx[i] != NULL &&
            (!grad_rule_fits(w->t, y, dx[i], i) || !grad_add_term(w, x, dx[i], NULL)))
            return false;
    }
    return w->t->status == WG_OK;
}

wg_tensor *wg_vjp_of_all(wg_tensor *y, wg_tensor *dy, int i, bool alone)
{
    wg_tape *t = y->tape;
    wg_tensor *found = NULL;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    const size_t n = (size_t)y->n_operands;
    wg_tensor **dx = wg_arena_take(&t->scratch, n * sizeof *dx, sizeof(void *));
    bool *wanted = wg_arena_take(&t->scratch, n, 1);
    for (size_t k = 0; dx != NULL && wanted != NULL && k < n; k++) {
        dx[k] = NULL;
        wanted[k] = y->operand[k]->dtype != WG_I64 && (!alone || k == (size_t)i);
    }
    if (dx != NULL && wanted != NULL) {
        y->op->vjp_all(y, dy, wanted, dx);
        found = dx[i];
    } else
        wg_fail(t, WG_E_NOMEM, "%s: out of memory", y->op->name);
    wg_arena_rewind(&t->scratch, empty);
    return t->status == WG_OK ? found : &t->inert;
}

/* Asks y's rule for the cotangents of the operands that lead to the xs: from the last to the first,
 * as consumers are met, so that the terms of an operand given twice stand in order, too. */
static bool grad_through(grad_walk *w, wg_tensor *y, wg_tensor *dy)
{
    if (!grad_passes(y)) /* it is one of the xs */
        return true;
    if (y->op->vjp_all != NULL)
        return grad_through_all(w, y, dy);
    for (int i = y->n_operands - 1; i >= 0; i--) {
        grad_node *x = grad_at(w, y->operand[i]);
        if (!grad_asks(w, y, i))
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
    for (grad_node *node = w->newest; node != NULL; node = node->older)
        if (node->n_terms > 0 &&
            (!grad_sum_terms(w, node) || !grad_through(w, node->x, node->term.cotangent)))
            return false;
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
    grad_walk_end(&w);
    wg_arena_rewind(&t->scratch, empty);
    for (int i = 0; i < task->n && t->status != WG_OK; i++)
        gs[i] = &t->inert;
    return t->status;
}

wg_status wg_vjp_many(wg_tensor *const ys[], wg_tensor *const dys[], int m, wg_tensor *const xs[],
                      int n, wg_tensor *gs[])
{
    wg_tape *t = wg_first_tape(ys, m);
    if (dys == NULL && m > 0 && wg_tape_is_real(t)) {
        wg_fail(t, WG_E_NULL, "grad: the list of cotangents is NULL");
        return t->status;
    }
    return grad_do(t, &(grad_task){ys, dys, m, xs, n}, gs);
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
        else if (y->dtype != WG_I64) /* which wg_vjp refuses */
            one = wg_ones_like(y);
    }
    return wg_vjp(y, one, xs, n, gs);
}

/* ---- Backward -------------------------------------------------------------------------------- */

/* How many parameters are older than y; the newest n of them to `list`, in recording order. */
static int backward_params(const wg_tensor *y, wg_tensor *list[], int n)
{
    int found = 0;
    for (wg_tensor *x = y->tape->param; x != NULL; x = *(wg_tensor **)x->plan)
        if (x->index < y->index && ++found <= n)
            list[n - found] = x;
    return found;
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
    const int n = backward_params(y, NULL, 0);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **list = wg_arena_take(&t->scratch, 2 * (size_t)n * sizeof *list, sizeof(void *));
    if (list == NULL)
        return wg_fail(t, WG_E_NOMEM, "backward: out of memory")->tape->status;
    backward_params(y, list, n);
    if (wg_grad(y, list, n, list + n) == WG_OK)
        backward_leave(t, list, n, list + n);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}

wg_tensor *wg_grad_of(const wg_tensor *param)
{
    return param != NULL ? param->grad : NULL;
}
