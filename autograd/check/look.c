/* Owns the second look at an entry as it was judged: each rule alone, and the claims once more at
 * points next to x, where no kinks meet. */
#include "autograd/check/appeal_internal.h"
#include "autograd/check/gradcheck_internal.h"
#include "autograd/rng.h"

#include <math.h>

/* ---- Points next to x ------------------------------------------------------------------------ */

struct wg_around {
    wg_tape *t; /* the user's in f64, moved; this, too, is in its memory */
    wg_check_session s;
    wg_appeal appeal;
};

/* Moves what the xs are computed from, themselves where they are leaves, by some millionth, and all
 * that follows from it; false: an op refuses that, or there is no memory. */
static bool around_move(wg_tape *t, wg_tensor *const xs[], int n, uint64_t point)
{
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, (size_t)t->size, 1);
    bool moved = needed != NULL;
    if (moved)
        wg_mark_needed(t, xs, n, t->size - 1, needed);
    for (int64_t i = 0; i < t->size && moved; i++) {
        wg_tensor *y = t->node[i];
        if (y->state & WG_NODE_ABSTRACT)
            continue;
        if (!(y->op->flags & WG_OP_LEAF))
            moved = wg_node_run(y);
        else if (needed[i] && y->dtype == WG_F64)
            for (int64_t k = 0; k < y->size; k++) {
                const double here = wg_element(y, k),
                             size = here != 0 && isfinite(here) ? fabs(here) : 1;
                const double draw = wg_random_normal(point, (uint64_t)i, (uint64_t)k);
                wg_set_element(y, k, here + 1e-6 * size * draw);
            }
    }
    wg_arena_rewind(&t->scratch, empty);
    return moved;
}

/* Point number `point`, at which n xs from the given one on are moved; NULL: there is none. */
static wg_around *around_begin(wg_appeal *a, int from, int n, uint64_t point)
{
    const wg_check_session *s = a->s;
    const char *why;
    wg_tape *t = wg_tape_copy_part(s->user, WG_F64, s->copied ? s->user->size : s->mark.size, NULL,
                                   true);
    wg_around *around = wg_tape_take(t, sizeof *around);
    wg_tensor **xs = wg_tape_take(t, (size_t)s->n * sizeof *xs);
    bool begun = around != NULL && xs != NULL && t->status == WG_OK;
    for (int i = 0; i < s->n && begun; i++)
        xs[i] = wg_tape_counterpart(t, s->caller[i]);
    if (begun && around_move(t, xs + from, n, point) &&
        wg_check_session_begin(&around->s, wg_tape_counterpart(t, s->caller_y), xs, s->n, &why)) {
        around->t = t;
        wg_appeal_init(&around->appeal, &around->s, a->record, a->context);
        return around;
    }
    a->no_memory = a->no_memory || t->status == WG_E_NOMEM;
    wg_tape_free(t);
    return NULL;
}

static void around_end(wg_appeal *a, wg_around *around)
{
    if (around == NULL)
        return;
    a->no_memory = a->no_memory || around->appeal.no_memory;
    wg_appeal_input_end(&around->appeal);
    wg_appeal_end(&around->appeal);
    wg_check_session_end(&around->s);
    wg_tape_free(around->t);
}

/* The worst of what is found of entry or direction `index` there; UNRESOLVED where there is no such
 * point. */
static wg_check_outcome around_judge(wg_appeal *a, size_t index)
{
    wg_check_outcome worst = WG_ENTRY_AGREES;
    for (int k = 0; k < WG_AROUND_POINTS && !a->looked_around; k++) {
        a->around[k] = around_begin(a, a->input, 1, (uint64_t)k + 1);
        if (a->around[k] != NULL)
            wg_appeal_input(&a->around[k]->appeal, a->input, NULL, a->direction);
    }
    a->looked_around = true;
    for (int k = 0; k < WG_AROUND_POINTS; k++) {
        wg_check_entry e = {.outcome = WG_ENTRY_UNRESOLVED};
        if (a->around[k] == NULL || !wg_appeal_judge(index, &e, &a->around[k]->appeal) ||
            !isfinite(e.claimed)) /* 0 * inf next to x is not x's */
            e.outcome = WG_ENTRY_UNRESOLVED;
        worst = e.outcome > worst ? e.outcome : worst;
    }
    return worst;
}

void wg_look_end(wg_appeal *a)
{
    for (int k = 0; k < WG_AROUND_POINTS; k++) {
        around_end(a, a->around[k]);
        a->around[k] = NULL;
    }
    a->looked_around = false;
}

/* Along a direction that crosses a kink at x a wide range passes, but not at a point next to it. */
bool wg_look_screens(wg_appeal *a, uint64_t seed)
{
    const wg_check_outcome here = wg_appeal_screen(a, seed);
    if (here == WG_ENTRY_AGREES || here == WG_ENTRY_DISAGREES || !a->derived)
        return here != WG_ENTRY_DISAGREES;
    wg_around *around = around_begin(a, 0, a->s->n, 1);
    const bool passes = around == NULL ||
                        wg_appeal_screen(&around->appeal, seed) != WG_ENTRY_DISAGREES;
    around_end(a, around);
    return passes;
}

const char *wg_look_blame(wg_appeal *a, int i, const wg_check_options *options)
{
    const char *blame = NULL;
    for (int k = 0; k < WG_AROUND_POINTS && a->wrong_around; k++) {
        wg_around *around = around_begin(a, i, 1, (uint64_t)k + 1);
        const wg_recorded *wide = NULL;
        if (around != NULL)
            wide = wg_appeal_recorded(&around->appeal, i, NULL);
        const char *here = wide != NULL ? wg_check_blame(wide, options) : NULL;
        around_end(a, around);
        if (here == NULL || (k > 0 && here != blame))
            return NULL;
        blame = here;
    }
    return blame;
}

/* ---- The second look ------------------------------------------------------------------------- */

/* Each rule is looked at alone. */
static wg_check_outcome look_rules(wg_appeal *a)
{
    if (!a->ruled) {
        const wg_recorded *wide = wg_appeal_recorded(a, a->input, a->doubles);
        a->rules = wide != NULL ? wg_check_rules(wide) : WG_ENTRY_UNRESOLVED;
        a->ruled = true;
    }
    return a->rules;
}

/* Differences of the whole cannot tell, and do not contradict. */
static void look_prove(wg_appeal *a, wg_check_entry *e)
{
    if (!a->derived || !isfinite(e->claimed))
        return;
    const wg_check_outcome rules = look_rules(a);
    if (rules != WG_ENTRY_AGREES && rules != WG_ENTRY_KINK)
        return;
    e->outcome = rules;
    e->rules = true;
}

/* Differences of the whole contradict. Where kinks meet they may: each rule keeps its op's
 * convention, and the chain of these is in general no derivative of y (Bolte and Pauwels 2021,
 * "Conservative set valued fields, automatic differentiation", Math. Programming 188), but almost
 * everywhere, and so next to x. True: that is what happened. */
static bool look_kinks_meet(wg_appeal *a, wg_check_entry *e)
{
    if (!a->derived || !isfinite(e->claimed) || look_rules(a) != WG_ENTRY_KINK ||
        around_judge(a, e->index) != WG_ENTRY_AGREES)
        return false;
    e->outcome = WG_ENTRY_KINK;
    e->rules = e->meet = true;
    return true;
}

/* Between the derivatives to both sides of a kink any claim passes: next to x one does. */
static bool look_is_wrong_around(wg_appeal *a, const wg_check_entry *e)
{
    return a->derived && wg_appeal_is_cheap(a) && around_judge(a, e->index) == WG_ENTRY_DISAGREES;
}

/* An accusation stands where all that lies between moves smoothly at its steps, and no kinks meet.
 * A kink is named. */
void wg_look(wg_check_entry *e, void *appeal)
{
    wg_appeal *a = appeal;
    wg_recorded *r = a->doubles;
    bool open = e->outcome == WG_ENTRY_UNRESOLVED;
#if WG_HAS_WIDE
    r = e->wide ? &a->r : r;
#endif
    if ((e->outcome == WG_ENTRY_DISAGREES && isfinite(e->claimed)) || e->outcome == WG_ENTRY_KINK) {
        const bool wrong = e->outcome == WG_ENTRY_DISAGREES;
        const double gap = wrong ? fabs(e->claimed - e->numeric.value) : 0;
        const wg_check_near near = wg_check_look_near(r, e->index, a->direction, e->numeric.step,
                                                      gap);
        e->op = wrong ? near.rough : near.kink;
        if (wrong && look_kinks_meet(a, e))
            e->op = near.kink != NULL ? near.kink : near.rough;
        else if (wrong && near.rough != NULL)
            e->outcome = WG_ENTRY_UNRESOLVED;
        open = e->outcome == WG_ENTRY_UNRESOLVED && near.rounds;
    }
    if (e->outcome == WG_ENTRY_AGREES && a->switches && a->direction == NULL) {
        const double step = wg_appeal_tiny(a->doubles, e->index);
        e->op = wg_check_branch(a->doubles, e->index, NULL, step);
        e->outcome = e->op != NULL ? WG_ENTRY_KINK : WG_ENTRY_AGREES;
    }
    if (open)
        look_prove(a, e);
    if (e->outcome == WG_ENTRY_KINK && !e->rules && look_is_wrong_around(a, e)) {
        e->outcome = WG_ENTRY_DISAGREES;
        a->wrong_around = true;
    }
}
