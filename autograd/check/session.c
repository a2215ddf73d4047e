/* Owns the session, in which a tape is checked and left as it was. */
#include "autograd/body_internal.h"
#include "autograd/check/gradcheck_internal.h"

#include "autograd/rng.h"
#include "autograd/tape.h"

#include <math.h>
#include <string.h>

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

/* Is there f32 between the xs and y, or a loop that holds anything? */
static bool check_needs_copy(const wg_tensor *y, wg_tensor *const xs[], int n)
{
    bool needed = false;
    int64_t first = y->index;
    int64_t last = first;
    for (int i = 0; i < n; i++) {
        first = xs[i]->index < first ? xs[i]->index : first;
        last = xs[i]->index > last ? xs[i]->index : last;
    }
    for (int64_t i = first; i <= last && !needed; i++)
        needed = y->tape->node[i]->dtype == WG_F32 || wg_body_holds(y->tape->node[i]);
    return needed;
}

/* What is discrete in loops, recorded on the copy: there the loops themselves hold it. */
static bool check_loops(wg_check_session *s)
{
    wg_tape *t = s->t;
    s->loop = wg_tape_take(t, (size_t)s->user->size * sizeof *s->loop);
    for (int64_t i = 0; s->loop != NULL && i < s->user->size && t->status == WG_OK; i++) {
        const wg_tensor *x = s->user->node[i];
        if (!wg_body_holds(x) || x->op->holds->size(t, x, true) == 0)
            continue;
        wg_tensor **operand = wg_tape_take(t, (size_t)x->n_operands * sizeof *operand);
        for (int k = 0; operand != NULL && k < x->n_operands; k++)
            operand[k] = wg_tape_counterpart(t, x->operand[k]);
        if (operand != NULL)
            s->loop[s->n_loops++] = x->op->holds->record(t, x, operand, WG_F64, true);
    }
    return t->status == WG_OK;
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
    s->y = s->copied ? wg_tape_counterpart(s->t, y) : s->t->node[y->index];
    for (int i = 0; i < n; i++)
        s->xs[i] = s->copied ? wg_tape_counterpart(s->t, xs[i]) : xs[i];
    return s->t->status == WG_OK;
}

/* The tape to work on. A copy takes its options from the user's tape, so these
 * are changed first. */
static void check_open(wg_check_session *s, wg_tape *user, bool copied)
{
    s->user = user;
    s->options = user->options;
    user->options.check_finite = user->options.strict_grad = false;
    user->options.on_error = NULL;
    s->copied = copied;
    s->given = NULL;
    s->loop = NULL;
    s->n_loops = 0;
    s->t = copied ? wg_tape_copy_part(user, WG_F64, user->size, NULL, true) : user;
    if (copied && s->t->status == WG_OK)
        check_loops(s);
    s->mark = wg_tape_mark(s->t);
    s->scratch = wg_arena_height(&s->t->scratch);
}

bool wg_check_session_begin(wg_check_session *s, wg_tensor *y, wg_tensor *const xs[], int n,
                            const char **why)
{
    if ((*why = check_misfit(y, xs, n)) != NULL)
        return false;
    check_open(s, y->tape, check_needs_copy(y, xs, n));
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

/* Which of the user's first `size` nodes the check is about; NULL without memory. */
static bool *check_needed(const wg_check_session *s, int64_t size)
{
    wg_arena *scratch = &s->user->scratch;
    const size_t n = (size_t)s->n, n_given = s->given != NULL ? n : 0;
    wg_tensor **root = wg_arena_take(scratch, (1 + n + n_given) * sizeof *root, sizeof(void *));
    bool *needed = wg_arena_take(scratch, (size_t)size, 1);
    if (root == NULL || needed == NULL)
        return NULL;
    root[0] = s->user->node[s->caller_y->index];
    memcpy(root + 1, s->caller, n * sizeof *root);
    if (n_given > 0)
        memcpy(root + 1 + n, s->given, n_given * sizeof *root);
    wg_mark_needed(s->user, root, (int)(1 + n + n_given), size - 1, needed);
    return needed;
}

bool wg_check_session_wide(wg_check_session *w, const wg_check_session *s)
{
    const int64_t size = s->copied ? s->user->size : s->mark.size;
    *w = (wg_check_session){.user = s->user, .copied = true, .options = s->user->options};
    wg_arena_mark empty = wg_arena_height(&s->user->scratch);
    w->t = wg_tape_copy_part(s->user, WG_WIDE, size, check_needed(s, size), true);
    wg_arena_rewind(&s->user->scratch, empty);
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

wg_check_verdict wg_check_fail(wg_check_report reports[], int n, const char *note,
                               const char *blame)
{
    for (int i = 0; i < n && reports != NULL; i++) {
        reports[i].verdict = WG_CHECK_FAILED;
        reports[i].note = note;
        reports[i].blame = blame;
    }
    return WG_CHECK_FAILED;
}

void *wg_check_run_on(wg_tensor *x, void *const values[], wg_arena *scratch)
{
    wg_tensor y = *x,
              *operand = wg_arena_take(scratch, (size_t)x->n_operands * sizeof *operand, 16);
    wg_tensor **list = wg_arena_take(scratch, (size_t)x->n_operands * sizeof *list, 16);
    y.data = wg_arena_take(scratch, (size_t)x->size * wg_dtype_size(x->dtype), WG_ALIGNMENT);
    if (operand == NULL || list == NULL || y.data == NULL)
        return NULL;
    for (int k = 0; k < x->n_operands; k++) {
        operand[k] = *x->operand[k];
        operand[k].data = values[k] != NULL ? values[k] : operand[k].data;
        list[k] = &operand[k];
    }
    y.operand = list;
    if (wg_node_run(&y))
        return y.data;
    x->tape->status = WG_OK;
    x->tape->message[0] = '\0';
    return NULL;
}

wg_tensor *wg_check_random_like(const wg_tensor *x, uint64_t seed, int key, int i)
{
    wg_tensor *v = wg_zeros_like(x);
    for (int64_t k = 0; k < wg_size(v); k++)
        wg_set_element(
            v, k, wg_random_normal(seed, (uint64_t)key + WG_CHECK_KEYS * (uint64_t)i, (uint64_t)k));
    return v;
}

/* Second derivatives commute only then: a rule may write the derivative by either of the two, as
 * that of exp does. False without memory, too. */
bool wg_check_independent(const wg_check_session *s)
{
    bool independent = true;
    for (int i = 0; i < s->n && independent; i++) {
        const wg_tensor *x = s->xs[i];
        wg_arena_mark empty = wg_arena_height(&s->t->scratch);
        bool *needed = wg_arena_take(&s->t->scratch, (size_t)x->index + 1, 1);
        if (needed != NULL)
            wg_mark_needed(s->t, x->operand, x->n_operands, x->index, needed);
        for (int k = 0; k < s->n && independent; k++) {
            const int64_t other = s->xs[k]->index;
            independent = needed != NULL && (k == i || other != x->index) &&
                          (other >= x->index || !needed[other]);
        }
        wg_arena_rewind(&s->t->scratch, empty);
    }
    return independent;
}
