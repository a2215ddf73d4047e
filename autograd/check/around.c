/* Owns the look around: the claims of an input once more next to x, where no kinks meet. */
#include "autograd/check/appeal_internal.h"

#include "autograd/rng.h"

#include <math.h>

struct wg_around {
    wg_tape *t; /* the user's in f64, moved; this, too, is in its memory */
    wg_check_session s;
    wg_appeal appeal;
};

/* Moves what x is computed from, x itself where it is a leaf, by some millionth, and all that
 * follows from it; false: an op refuses that, or there is no memory. */
static bool around_move(wg_tape *t, wg_tensor *x, uint64_t point)
{
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool *needed = wg_arena_take(&t->scratch, (size_t)x->index + 1, 1);
    bool moved = needed != NULL;
    if (moved)
        wg_mark_needed(t, &x, 1, x->index, needed);
    for (int64_t i = 0; i < t->size && moved; i++) {
        wg_tensor *y = t->node[i];
        if (!(y->op->flags & WG_OP_LEAF))
            moved = wg_node_run(y);
        else if (i <= x->index && needed[i] && y->dtype == WG_F64)
            for (int64_t k = 0; k < y->size; k++) {
                const double here = wg_element(y, k), size = here != 0 ? fabs(here) : 1;
                const double draw = wg_random_normal(point, (uint64_t)i, (uint64_t)k);
                wg_set_element(y, k, here + 1e-6 * size * draw);
            }
    }
    wg_arena_rewind(&t->scratch, empty);
    return moved;
}

/* Point number `point`; NULL: there is none. */
static wg_around *around_begin(wg_appeal *a, uint64_t point)
{
    const wg_check_session *s = a->s;
    const char *why;
    wg_tape *t = wg_tape_copy_part(s->user, WG_F64, s->copied ? s->user->size : s->mark.size);
    wg_around *around = wg_tape_take(t, sizeof *around);
    wg_tensor **xs = wg_tape_take(t, (size_t)s->n * sizeof *xs);
    bool begun = around != NULL && xs != NULL && t->status == WG_OK;
    for (int i = 0; i < s->n && begun; i++)
        xs[i] = wg_tape_counterpart(t, s->caller[i]);
    if (begun && around_move(t, xs[a->input], point) &&
        wg_check_session_begin(&around->s, wg_tape_counterpart(t, s->caller_y), xs, s->n, &why)) {
        around->t = t;
        wg_appeal_init(&around->appeal, &around->s, a->record, a->context);
        wg_appeal_input(&around->appeal, a->input, NULL, a->direction);
        return around;
    }
    a->no_memory = a->no_memory || t->status == WG_E_NOMEM;
    wg_tape_free(t);
    return NULL;
}

void wg_around_end(wg_appeal *a)
{
    for (int k = 0; k < WG_AROUND_POINTS; k++) {
        wg_around *around = a->around[k];
        if (around == NULL)
            continue;
        a->no_memory = a->no_memory || around->appeal.no_memory;
        wg_appeal_input_end(&around->appeal);
        wg_appeal_end(&around->appeal);
        wg_check_session_end(&around->s);
        wg_tape_free(around->t);
        a->around[k] = NULL;
    }
    a->looked_around = false;
}

bool wg_around_agrees(wg_appeal *a, size_t index)
{
    wg_check_entry e;
    bool agrees = true;
    for (int k = 0; k < WG_AROUND_POINTS && !a->looked_around; k++)
        a->around[k] = around_begin(a, (uint64_t)k + 1);
    a->looked_around = true;
    for (int k = 0; k < WG_AROUND_POINTS && agrees; k++)
        agrees = a->around[k] != NULL && wg_appeal_judge(index, &e, &a->around[k]->appeal) &&
                 e.outcome == WG_ENTRY_AGREES;
    return agrees;
}
