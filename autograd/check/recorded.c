/* Owns the session, in which a tape is checked and left as it was, and recorded tensors as functions. */
#include "autograd/check/recorded_internal.h"

#include "autograd/copy.h"
#include "autograd/rng.h"

#include <math.h>
#include <string.h>

/* ---- The session --------------------------------------------------------------------------------- */

static const char *check_misfit_x(const wg_tensor *y, const wg_tensor *x)
{
    if (wg_is_inert(x))
        return "an x is NULL or inert";
    if (x->tape != y->tape)
        return "an x is of another tape";
    if (x->dtype == WG_I64)
        return "an x is i64";
    return x->state & WG_NODE_ABSTRACT ? "an x has no value" : NULL;
}

static const char *check_misfit(const wg_tensor *y, wg_tensor *const xs[], int n)
{
    const char *why = NULL;
    if (y == NULL)
        return "y is NULL";
    if (y->tape->status != WG_OK)
        return y->tape->message; /* why y, and the xs with it, are inert, if they are */
    if (wg_is_inert(y))
        return "y is what an earlier error returned";
    if (y->dtype == WG_I64)
        return "y is i64";
    if (y->state & WG_NODE_ABSTRACT)
        return "y has no value";
    if (wg_is_stale(y))
        return "y is out of date: replay first";
    if (n < 1 || xs == NULL)
        return "there is no x";
    for (int i = 0; i < n && why == NULL; i++)
        why = check_misfit_x(y, xs[i]);
    return why;
}

/* Is there f32 between the xs and y? */
static bool check_has_f32(const wg_tensor *y, wg_tensor *const xs[], int n)
{
    bool f32 = false;
    int64_t first = y->index, last = y->index;
    for (int i = 0; i < n; i++) {
        first = xs[i]->index < first ? xs[i]->index : first;
        last = xs[i]->index > last ? xs[i]->index : last;
    }
    for (int64_t i = first; i <= last; i++)
        f32 = f32 || y->tape->node[i]->dtype == WG_F32;
    return f32;
}

/* The twins of y and the xs on the session's tape. */
static bool check_adopt(wg_check_session *s, const wg_tensor *y, wg_tensor *const xs[], int n)
{
    s->xs = wg_arena_take(&s->t->scratch, (size_t)n * sizeof *s->xs, sizeof(void *));
    if (s->xs == NULL)
        return false;
    s->n = n;
    s->caller = xs;
    s->caller_y = y;
    s->y = s->copied ? wg_twin(s->t, y) : s->t->node[y->index];
    for (int i = 0; i < n; i++)
        s->xs[i] = s->copied ? wg_twin(s->t, xs[i]) : xs[i];
    return s->t->status == WG_OK;
}

/* The tape to work on. A copy takes its options from the user's tape, so these are changed first. */
static void check_open(wg_check_session *s, wg_tape *user, bool copied)
{
    s->user = user;
    s->options = user->options;
    user->options.check_finite = user->options.strict_grad = false;
    user->options.on_error = NULL;
    s->copied = copied;
    s->t = copied ? wg_tape_copy(user, WG_F64) : user;
    s->mark = wg_tape_mark(s->t);
    s->scratch = wg_arena_height(&s->t->scratch);
}

bool wg_check_session_begin(wg_check_session *s, wg_tensor *y, wg_tensor *const xs[], int n,
                            const char **why)
{
    if ((*why = check_misfit(y, xs, n)) != NULL)
        return false;
    check_open(s, y->tape, check_has_f32(y, xs, n));
    if (s->t->status == WG_OK && check_adopt(s, y, xs, n))
        return true;
    *why = s->t->status == WG_OK ? "out of memory"
                                 : wg_check_why(s, "an op of the tape has no f64");
    wg_check_session_end(s);
    return false;
}

void wg_check_session_end(wg_check_session *s)
{
    s->user->options = s->options;
    if (s->copied) {
        wg_tape_free(s->t);
        return;
    }
    wg_arena_rewind(&s->t->scratch, s->scratch);
    wg_tape_rewind(s->t, s->mark);
}

bool wg_check_session_wide(wg_check_session *w, const wg_check_session *s)
{
    *w = (wg_check_session){.user = s->user, .copied = true, .options = s->user->options};
    w->t = wg_tape_copy_part(s->user, WG_WIDE, s->copied ? s->user->size : s->mark.size);
    w->mark = wg_tape_mark(w->t);
    w->scratch = wg_arena_height(&w->t->scratch);
    return w->t->status == WG_OK && check_adopt(w, s->caller_y, s->caller, s->n);
}

const char *wg_check_why(const wg_check_session *s, const char *otherwise)
{
    if (s->t->status == WG_E_NOMEM)
        return "out of memory";
    return s->t->status == WG_OK ? NULL : otherwise;
}

wg_check_verdict wg_check_invalid(wg_check_report reports[], int n, const char *why)
{
    for (int i = 0; i < n && reports != NULL; i++)
        reports[i] = (wg_check_report){.verdict = WG_CHECK_INVALID, .blame = why};
    return WG_CHECK_INVALID;
}

static void recorded_put(wg_tensor *x, int64_t i, double value)
{
#if WG_HAS_WIDE
    if (x->dtype == WG_WIDE) {
        ((wg_wide *)x->data)[i] = (wg_wide)value;
        return;
    }
#endif
    ((double *)x->data)[i] = value;
}

wg_tensor *wg_check_random_like(const wg_tensor *x, uint64_t seed, int key, int i)
{
    wg_tensor *v = wg_zeros_like(x);
    for (int64_t k = 0; k < wg_size(v); k++)
        recorded_put(v, k,
                     wg_random_normal(seed, (uint64_t)(key + WG_CHECK_KEYS * i), (uint64_t)k));
    return v;
}

/* ---- Recorded tensors as a function -------------------------------------------------------------- */

/* What moves when x does: not what the user detached from it. A detach that was recorded since the check
 * began is part of a derivative rule, and such a rule claims to know how its op moves. */
static bool recorded_moves(const wg_tensor *y, const bool *moves, int64_t since)
{
    bool any = false;
    for (int i = 0; i < y->n_operands; i++)
        any = any || moves[y->operand[i]->index];
    return any && !((y->op->flags & WG_OP_DETACHED) && y->index < since);
}

#if WG_HAS_WIDE

/* An op may declare a zero gradient and yet be no step function: then its value moves on both sides of its
 * operands, however little they do. True: operand i of y says so. Leaves y as it was. */
static bool recorded_moves_smoothly(wg_tensor *y, int i)
{
    wg_tape *t = y->tape;
    wg_tensor *x = y->operand[i];
    const wg_wide tiny = 0x1p30 * WG_WIDE_EPSILON;
    const size_t bytes = (size_t)x->size * sizeof(wg_wide), out = (size_t)y->size * sizeof(wg_wide);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_wide *moved = wg_arena_take(&t->scratch, bytes, WG_ALIGNMENT);
    wg_wide *value = wg_arena_take(&t->scratch, 3 * out, WG_ALIGNMENT);
    void *held = x->data, *result = y->data;
    bool smooth = false;
    for (int side = 0; side < 3 && moved != NULL && value != NULL; side++) {
        for (int64_t k = 0; k < x->size; k++) {
            const wg_wide here = ((const wg_wide *)held)[k];
            moved[k] = here + (side - 1) * tiny * (here == 0 ? 1 : here);
        }
        x->data = moved;
        y->data = value + side * y->size;
        wg_node_run(y);
    }
    for (int64_t k = 0; k < y->size && moved != NULL && value != NULL; k++)
        smooth = smooth ||
                 (value[k] != value[k + y->size] && value[k + y->size] != value[k + 2 * y->size]);
    x->data = held;
    y->data = result;
    wg_arena_rewind(&t->scratch, empty);
    return smooth;
}

#endif

/* On a wide tape what is discrete keeps its value. */
static bool recorded_is_held(wg_tensor *y)
{
    if (!y->tape->wide || !wg_is_discrete(y))
        return false;
#if WG_HAS_WIDE
    for (int i = 0; i < y->n_operands && y->dtype == WG_WIDE; i++)
        if (y->operand[i]->dtype == WG_WIDE && y->size > 0 && recorded_moves_smoothly(y, i))
            return false;
#endif
    return true;
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
        moves[i] = needed[i] && recorded_moves(y, moves, since) && !recorded_is_held(y);
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

bool wg_recorded_run(const wg_recorded *r)
{
    for (int64_t i = 0; i < r->n; i++)
        if (!wg_node_run(r->node[i]))
            return false;
    return true;
}

bool wg_recorded_begin(wg_recorded *r, const wg_check_session *s, const wg_check_claim *c,
                       wg_tensor *x)
{
    wg_tensor *const *const ys = c->ys;
    const int m = c->m;
    *r = (wg_recorded){.ys = ys, .cotangents = c->cotangents, .m = m, .x = x, .borrowed = x->data};
    size_t bytes = (size_t)x->size * wg_dtype_size(x->dtype);
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
    wg_recorded_run(r);
    recorded_release(r);
}

/* A point at which the ops refuse to be evaluated has no value; that is no error of the tape's. */
static bool recorded_evaluate(wg_recorded *r)
{
    if (wg_recorded_run(r))
        return true;
    r->x->tape->status = WG_OK;
    r->x->tape->message[0] = '\0';
    return false;
}

double wg_recorded_value(const double *x, void *recorded)
{
    wg_recorded *r = recorded;
    (void)x; /* is r->values */
    if (!recorded_evaluate(r))
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
wg_wide wg_recorded_value_wide(const wg_wide *x, void *recorded)
{
    wg_recorded *r = recorded;
    (void)x;
    if (!recorded_evaluate(r))
        return (wg_wide)NAN;
    wg_wide sum = 0;
    for (int k = 0; k < r->m; k++) {
        const wg_wide *y = r->ys[k]->data, *c = r->cotangents[k]->data;
        for (int64_t i = 0; i < r->ys[k]->size; i++)
            sum += c[i] * y[i];
    }
    return sum;
}
#endif
