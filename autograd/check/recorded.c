/* Owns recorded tensors as a function of some of them: what moves, what is held, and how it is
 * evaluated. */
#include "autograd/check/recorded_internal.h"

#include "autograd/tape.h"

#include <math.h>
#include <string.h>

/* What moves when x does: not what the user detached from it. A detach that was recorded since the
 * check began is part of a derivative rule, and such a rule claims to know how its op moves. */
static bool recorded_moves(const wg_tensor *y, const char *moves, int64_t since)
{
    bool any = false;
    for (int i = 0; i < y->n_operands; i++)
        any = any || moves[y->operand[i]->index] != 0;
    return any && !((y->op->flags & WG_OP_DETACHED) && y->index < since);
}

/* x's entry k, moved to one side by next to nothing, but by enough to show, if a double or a wide
 * float can: beyond 2^50 or so it stays where it is. */
static void recorded_nudge(const wg_tensor *x, int64_t k, int side, void *to)
{
#if WG_HAS_WIDE
    if (x->dtype == WG_WIDE) {
        const wg_wide here = ((const wg_wide *)x->data)[k], size = here < 0 ? -here : here;
        const wg_wide step = (size == 0 ? 1 : size) * (wg_wide)0x1p30 * WG_WIDE_EPSILON;
        ((wg_wide *)to)[k] = here + side * WG_F(wide, fmin)(step, WG_K(wide, 0.01));
        return;
    }
#endif
    const double here = ((const double *)x->data)[k], size = fabs(here);
    ((double *)to)[k] = here + side * fmin(size == 0 ? 1e-10 : size * 1e-10, 0.01);
}

/* a[i] - b[i], taken in their dtype. */
static double recorded_difference(const wg_tensor *a, const wg_tensor *b, int64_t i)
{
#if WG_HAS_WIDE
    if (a->dtype == WG_WIDE)
        return (double)(((const wg_wide *)a->data)[i] - ((const wg_wide *)b->data)[i]);
#endif
    return wg_element(a, i) - wg_element(b, i);
}

/* y's entries, [3][size of y], computed left of its operand i, there, and right of it: does one
 * move on both sides, and not by a jump? */
static bool recorded_slides(const wg_tensor *y, char *value)
{
    wg_tensor side[3] = {*y, *y, *y};
    for (int k = 0; k < 3; k++)
        side[k].data = value + (size_t)k * (size_t)y->size * wg_dtype_size(y->dtype);
    for (int64_t k = 0; k < y->size; k++) {
        const double left = recorded_difference(&side[1], &side[0], k);
        const double right = recorded_difference(&side[2], &side[1], k);
        const double most = 1e-4 * fmax(1, fabs(wg_element(&side[1], k)));
        if (left != 0 && right != 0 && fabs(left) < most && fabs(right) < most)
            return true;
    }
    return false;
}

/* An op may declare a zero gradient and yet be no step function: then its value moves on both sides
 * of its operands, however little they do. True: operand i of y says so. Leaves y as it was. */
static bool recorded_moves_smoothly(wg_tensor *y, int i)
{
    wg_tape *t = y->tape;
    wg_tensor *x = y->operand[i];
    const size_t element = wg_dtype_size(y->dtype), out = (size_t)y->size * element;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    void *moved = wg_arena_take(&t->scratch, (size_t)x->size * element, WG_ALIGNMENT);
    char *value = wg_arena_take(&t->scratch, 3 * out, WG_ALIGNMENT);
    void *held = x->data, *result = y->data;
    bool smooth = moved != NULL && value != NULL;
    for (int side = 0; side < 3 && smooth; side++) {
        for (int64_t k = 0; k < x->size; k++)
            recorded_nudge(x, k, side - 1, moved);
        x->data = moved;
        y->data = value + (size_t)side * out;
        smooth = wg_node_run(y);
        x->data = held;
    }
    y->data = result;
    smooth = smooth && recorded_slides(y, value);
    wg_arena_rewind(&t->scratch, empty);
    return smooth;
}

/* What is discrete keeps its value: no step of x's switches a branch, and a stair is flat, where
 * steps are longer than the stair's, too. */
static bool recorded_is_held(wg_tensor *y)
{
    if (!wg_is_discrete(y))
        return false;
    for (int i = 0; i < y->n_operands && y->size > 0; i++)
        if (y->dtype != WG_I64 && y->operand[i]->dtype == y->dtype && recorded_moves_smoothly(y, i))
            return false;
    return true;
}

/* The node whose memory y has. */
static const wg_tensor *recorded_base(const wg_tensor *y)
{
    while (y->op->flags & WG_OP_VIEW)
        y = y->operand[0];
    return y;
}

enum { RECORDED_MOVES = 1, RECORDED_IS_X };

/* Sorts y into what moves, what is discrete, and views that do not move although
 * their memory does. */
static void recorded_sort(wg_recorded *r, wg_tensor *y, char *moves, int64_t since)
{
    bool any = moves[y->index] == 0 && recorded_moves(y, moves, since);
    if (any && recorded_is_held(y)) {
        r->branch[r->n_branches++] = y;
        any = false;
    }
    const wg_tensor *base = recorded_base(y);
    if (any) {
        moves[y->index] = RECORDED_MOVES;
        r->node[r->n++] = y;
    } else if (moves[y->index] == 0 && base != y && moves[base->index] == RECORDED_MOVES)
        r->held[r->n_held++] = (wg_recorded_hold){y, y->data};
}

/* What is discrete in loops whose operands move. */
static void recorded_add_loops(wg_recorded *r, const wg_check_session *s, const char *moves,
                               int64_t last)
{
    for (int64_t i = 0; i < s->n_loops; i++) {
        const wg_tensor *all = s->loop[i]->operand[0];
        bool any = false;
        for (int k = 0; k < all->n_operands; k++) {
            const int64_t at = all->operand[k]->index;
            any = any || (at <= last && moves[at] != 0);
        }
        if (any)
            r->branch[r->n_branches++] = s->loop[i];
    }
}

static bool recorded_list(wg_recorded *r, const wg_check_session *s)
{
    const int64_t since = s->mark.size;
    int64_t first = r->xs[0]->index, last = first;
    for (int i = 0; i < r->n_xs; i++) {
        first = r->xs[i]->index < first ? r->xs[i]->index : first;
        last = r->xs[i]->index > last ? r->xs[i]->index : last;
    }
    for (int k = 0; k < r->m; k++)
        last = r->ys[k]->index > last ? r->ys[k]->index : last;
    const size_t most = (size_t)(last - first), all = (size_t)last + 1;
    const size_t nodes = 2 * most + (size_t)s->n_loops;
    r->node = wg_arena_take(&r->t->scratch, nodes * sizeof *r->node, sizeof(void *));
    r->held = wg_arena_take(&r->t->scratch, most * sizeof *r->held, sizeof(void *));
    char *moves = wg_arena_take(&r->t->scratch, all, 1);
    bool *needed = wg_arena_take(&r->t->scratch, all, 1);
    if (r->node == NULL || r->held == NULL || moves == NULL || needed == NULL)
        return false;
    r->branch = r->node + most;
    wg_mark_needed(r->t, r->ys, r->m, last, needed);
    memset(moves, 0, all);
    for (int i = 0; i < r->n_xs; i++)
        moves[r->xs[i]->index] = RECORDED_IS_X;
    for (int64_t i = first + 1; i <= last; i++)
        if (needed[i])
            recorded_sort(r, r->t->node[i], moves, since);
    recorded_add_loops(r, s, moves, last);
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

int64_t wg_recorded_place(const wg_recorded *r, const wg_tensor *x)
{
    int64_t low = 0, high = r->n;
    for (int i = 0; i < r->n_xs; i++)
        if (r->xs[i] == x)
            return i;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (r->node[middle]->index < x->index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->n && r->node[low] == x ? r->n_xs + low : -1;
}

bool wg_recorded_run(const wg_recorded *r)
{
    for (int64_t i = 0; i < r->n; i++)
        if (!wg_node_run(r->node[i]))
            return false;
    return true;
}

/* Gives the xs copies of what they hold. */
static bool recorded_borrow(wg_recorded *r)
{
    const size_t element = wg_dtype_size(r->xs[0]->dtype);
    for (int i = 0; i < r->n_xs; i++)
        r->size += r->xs[i]->size;
    const size_t bytes = (size_t)r->size * element;
    r->borrowed = wg_arena_take(&r->t->scratch, (size_t)r->n_xs * sizeof *r->borrowed,
                                sizeof(void *));
    r->values = wg_arena_take(&r->t->scratch, bytes, WG_ALIGNMENT);
    r->origin = wg_arena_take(&r->t->scratch, bytes, WG_ALIGNMENT);
    if (r->borrowed == NULL || r->values == NULL || r->origin == NULL)
        return false;
    char *values = r->values, *origin = r->origin;
    for (int i = 0; i < r->n_xs; i++) {
        const size_t part = (size_t)r->xs[i]->size * element;
        if (part > 0) {
            memcpy(origin, r->xs[i]->data, part);
            memcpy(values, r->xs[i]->data, part);
        }
        r->borrowed[i] = r->xs[i]->data;
        r->xs[i]->data = values;
        values += part;
        origin += part;
    }
    return true;
}

/* Copies of what moves, back and forth, are cheaper than computing it once more. */
static void recorded_copy(const wg_recorded *r, bool back)
{
    char *kept = r->kept;
    for (int64_t i = 0; i < r->n; i++) {
        wg_tensor *y = r->node[i];
        const size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
        if (y->op->flags & WG_OP_VIEW)
            wg_node_view(y); /* what it looks at may have been borrowed */
        if (bytes == 0 || (y->op->flags & WG_OP_VIEW) || y->data == NULL)
            continue;
        memcpy(back ? y->data : kept, back ? kept : y->data, bytes);
        kept += bytes;
    }
}

#define RECORDED_KEPT (1 << 20) /* bytes at most; beyond them all is computed again */

static bool recorded_keep(wg_recorded *r)
{
    size_t bytes = 0;
    for (int64_t i = 0; i < r->n && bytes <= RECORDED_KEPT; i++)
        bytes += (size_t)r->node[i]->size * wg_dtype_size(r->node[i]->dtype);
    if (bytes > RECORDED_KEPT)
        return true;
    r->kept = wg_arena_take(&r->t->scratch, bytes + 1, WG_ALIGNMENT);
    if (r->kept != NULL)
        recorded_copy(r, false);
    return r->kept != NULL;
}

#undef RECORDED_KEPT

bool wg_recorded_begin(wg_recorded *r, const wg_check_session *s, const wg_check_claim *c,
                       wg_tensor *const xs[], int n_xs)
{
    *r = (wg_recorded){
        .t = s->t, .ys = c->ys, .cotangents = c->cotangents, .m = c->m, .xs = xs, .n_xs = n_xs};
    if (recorded_list(r, s) && recorded_keep(r) && recorded_hold(r) && recorded_borrow(r))
        return true;
    recorded_release(r);
    return false;
}

/* The same values in, the same bits out: what was computed from the xs is as it was. */
void wg_recorded_end(wg_recorded *r)
{
    for (int i = 0; i < r->n_xs; i++)
        r->xs[i]->data = r->borrowed[i];
    if (r->kept != NULL)
        recorded_copy(r, true);
    else
        wg_recorded_run(r);
    recorded_release(r);
}

bool wg_recorded_evaluate(const wg_recorded *r)
{
    if (wg_recorded_run(r))
        return true;
    r->t->status = WG_OK;
    r->t->message[0] = '\0';
    return false;
}

double wg_recorded_value(const double *x, void *recorded)
{
    wg_recorded *r = recorded;
    (void)x; /* is r->values */
    if (!wg_recorded_evaluate(r))
        return (double)NAN;
    long double sum = 0;
    for (int k = 0; k < r->m; k++) {
        const double *y = r->ys[k]->data, *c = r->cotangents[k]->data;
        for (int64_t i = 0; i < r->ys[k]->size; i++)
            sum += (long double)c[i] * (long double)y[i];
    }
    return (double)sum;
}

#if WG_HAS_WIDE
wg_wide wg_recorded_sum_wide(const wg_recorded *r)
{
    wg_wide sum = 0;
    for (int k = 0; k < r->m; k++) {
        const wg_wide *y = r->ys[k]->data, *c = r->cotangents[k]->data;
        for (int64_t i = 0; i < r->ys[k]->size; i++)
            sum += c[i] * y[i];
    }
    return sum;
}

wg_wide wg_recorded_value_wide(const wg_wide *x, void *recorded)
{
    (void)x;
    return wg_recorded_evaluate(recorded) ? wg_recorded_sum_wide(recorded) : (wg_wide)NAN;
}
#endif
