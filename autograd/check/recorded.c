#include "autograd/check/gradcheck_internal.h"

#include <math.h>
#include <string.h>

/* What moves when x does: not what the user detached from it. A detach that was recorded since the check
 * began is part of a derivative rule, and such a rule claims to know how its op moves. */
static bool recorded_moves(const wg_tensor *y, const bool *moves, int64_t since)
{
    bool any = false;
    for (int i = 0; i < y->n_operands; i++)
        any = any || moves[y->operand[i]->index];
    return any && !((y->op->flags & WG_OP_DETACHED) && y->index < since);
}

/* The node whose memory y has. */
static const wg_tensor *recorded_base(const wg_tensor *y)
{
    while (y->op->flags & WG_OP_VIEW)
        y = y->operand[0];
    return y;
}

/* Lists what moves, and the views that do not although their memory does. */
static bool recorded_list(wg_recorded *r, const bool *needed, bool *moves, int64_t last,
                          int64_t since)
{
    wg_tape *t = r->x->tape;
    int64_t first = r->x->index, most = last - first;
    r->node = wg_arena_take(&t->scratch, (size_t)most * sizeof *r->node, sizeof(void *));
    r->held = wg_arena_take(&t->scratch, (size_t)most * sizeof *r->held, sizeof(void *));
    if (r->node == NULL || r->held == NULL)
        return false;
    memset(moves, 0, (size_t)last + 1);
    moves[first] = true;
    for (int64_t i = first + 1; i <= last; i++) {
        wg_tensor *y = t->node[i];
        moves[i] = needed[i] && recorded_moves(y, moves, since);
        const wg_tensor *base = recorded_base(y);
        if (moves[i])
            r->node[r->n++] = y;
        else if (needed[i] && base != y && base != r->x && moves[base->index])
            r->held[r->n_held++] = (wg_recorded_hold){y, y->data};
    }
    return true;
}

static bool recorded_hold(wg_recorded *r)
{
    for (int64_t i = 0; i < r->n_held; i++) {
        wg_tensor *x = r->held[i].x;
        size_t bytes = (size_t)x->size * wg_dtype_size(x->dtype);
        void *copy = wg_arena_take(&x->tape->scratch, bytes, WG_ALIGNMENT);
        if (copy == NULL) {
            r->n_held = i;
            return false;
        }
        if (bytes > 0)
            memcpy(copy, x->data, bytes);
        x->data = copy;
    }
    return true;
}

static void recorded_release(wg_recorded *r)
{
    for (int64_t i = 0; i < r->n_held; i++)
        r->held[i].x->data = r->held[i].data;
}

static bool recorded_run(const wg_recorded *r)
{
    for (int64_t i = 0; i < r->n; i++)
        if (!wg_node_run(r->node[i]))
            return false;
    return true;
}

bool wg_recorded_begin(wg_recorded *r, const wg_check_session *s, wg_tensor *const ys[],
                       wg_tensor *const cotangents[], int m, wg_tensor *x)
{
    *r = (wg_recorded){.ys = ys, .cotangents = cotangents, .m = m, .x = x, .borrowed = x->data};
    size_t bytes = (size_t)x->size * sizeof(double);
    int64_t last = x->index;
    for (int k = 0; k < m; k++)
        last = ys[k]->index > last ? ys[k]->index : last;
    r->values = wg_arena_take(&s->t->scratch, bytes, WG_ALIGNMENT);
    bool *needed = wg_arena_take(&s->t->scratch, 2 * ((size_t)last + 1), 1);
    if (r->values == NULL || needed == NULL)
        return false;
    wg_mark_needed(s->t, ys, m, last, needed);
    if (!recorded_list(r, needed, needed + last + 1, last, s->mark.size) || !recorded_hold(r)) {
        recorded_release(r);
        return false;
    }
    if (bytes > 0)
        memcpy(r->values, x->data, bytes);
    x->data = r->values;
    return true;
}

/* The same values in, the same bits out: what was computed from x is as it was. */
void wg_recorded_end(wg_recorded *r)
{
    r->x->data = r->borrowed;
    recorded_run(r);
    recorded_release(r);
}

/* A point at which the ops refuse to be evaluated has no value; that is no error of the tape's. */
double wg_recorded_value(const double *x, void *recorded)
{
    wg_recorded *r = recorded;
    (void)x; /* is r->values */
    if (!recorded_run(r)) {
        r->x->tape->status = WG_OK;
        r->x->tape->message[0] = '\0';
        return (double)NAN;
    }
    long double sum = 0;
    for (int k = 0; k < r->m; k++) {
        const double *y = r->ys[k]->data, *c = r->cotangents[k]->data;
        for (int64_t i = 0; i < r->ys[k]->size; i++)
            sum += (long double)c[i] * (long double)y[i];
    }
    return (double)sum;
}
