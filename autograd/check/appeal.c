/* Owns the appeal: what double leaves in doubt is decided on a wide copy of the tape. */
#include "autograd/check/appeal_internal.h"

#include "autograd/rng.h"

#include <stdio.h>
#include <string.h>

void wg_appeal_init(wg_appeal *a, const wg_check_session *s, wg_check_record *record,
                    const void *context)
{
    *a = (wg_appeal){.s = s, .record = record, .context = context};
    if (!WG_HAS_WIDE) {
        a->tried = true;
        snprintf(a->why, sizeof a->why, "this platform has no floats wider than double");
    }
}

#if WG_HAS_WIDE

/* Values on the tape must be those at x, from which discrete ones are taken. */
static bool appeal_open(wg_appeal *a)
{
    if (a->tried)
        return a->open;
    a->tried = true;
    if (a->doubles != NULL)
        wg_recorded_run(a->doubles);
    const char *why = NULL;
    if (wg_check_session_wide(&a->w, a->s))
        why = a->record(&a->w, a->context, &a->claim);
    else
        why = a->w.t->status != WG_OK ? a->w.t->message : "out of memory";
    a->open = why == NULL;
    if (why != NULL) {
        snprintf(a->why, sizeof a->why, "%s", why);
        a->no_memory = a->w.t->status == WG_E_NOMEM || strcmp(why, "out of memory") == 0;
        wg_check_session_end(&a->w);
    }
    return a->open;
}

void wg_appeal_input(wg_appeal *a, int i, const wg_recorded *doubles, const double *direction)
{
    a->input = i;
    a->doubles = doubles;
    a->direction = direction;
    a->begun = false;
}

static wg_wide *appeal_copy(wg_appeal *a, const void *values, size_t n)
{
    wg_wide *copy = wg_arena_take(&a->w.t->scratch, n * sizeof *copy, WG_ALIGNMENT);
    if (copy != NULL && n > 0)
        memcpy(copy, values, n * sizeof *copy);
    return copy;
}

static bool appeal_begin(wg_appeal *a)
{
    if (a->begun || !appeal_open(a))
        return a->begun && a->finite;
    const wg_tensor *g = a->claim.gs[a->input];
    const size_t n = (size_t)g->size;
    a->empty = wg_arena_height(&a->w.t->scratch);
    a->claimed = appeal_copy(a, g->data, n);
    if (a->claimed == NULL || !wg_recorded_begin(&a->r, &a->w, &a->claim, a->w.xs[a->input])) {
        a->no_memory = true;
        return false;
    }
    a->begun = true;
    wg_wide *origin = appeal_copy(a, a->r.values, n);
    a->line = (wg_wide_line){.f = wg_recorded_value_wide,
                             .user = &a->r,
                             .x = a->r.values,
                             .n = n,
                             .origin = origin,
                             .seed = 1};
    a->no_memory = a->no_memory || origin == NULL;
    a->finite = origin != NULL && wg_wide_line_begin(&a->line);
    return a->finite;
}

void wg_appeal_input_end(wg_appeal *a)
{
    if (!a->begun)
        return;
    wg_recorded_end(&a->r);
    wg_arena_rewind(&a->w.t->scratch, a->empty);
    a->begun = false;
}

void wg_appeal_end(wg_appeal *a)
{
    if (a->open)
        wg_check_session_end(&a->w);
}

bool wg_appeal_judge(size_t index, wg_check_entry *e, void *appeal)
{
    wg_appeal *a = appeal;
    wg_check_entry judged;
    if (!appeal_begin(a))
        return false;
    wg_wide claimed = 0;
    a->line.direction = a->direction;
    a->line.entry = index;
    for (size_t i = 0; i < a->line.n && a->direction != NULL; i++)
        claimed += a->claimed[i] * (wg_wide)a->direction[i];
    wg_wide_judge(&a->line, index, a->direction != NULL ? claimed : a->claimed[index], &judged);
    if (judged.outcome == WG_ENTRY_UNRESOLVED)
        a->doubtful = true;
    else
        *e = judged;
    return judged.outcome != WG_ENTRY_UNRESOLVED;
}

const wg_recorded *wg_appeal_recorded(wg_appeal *a, int i, const wg_recorded *doubles)
{
    wg_appeal_input(a, i, a->tried ? NULL : doubles, NULL);
    if (!appeal_begin(a))
        return NULL;
    wg_recorded_run(&a->r);
    return &a->r;
}

#define APPEAL_CHEAP 65536 /* elements of all nodes and their operands */

bool wg_appeal_is_cheap(const wg_appeal *a)
{
    const wg_tape *t = a->s->user;
    const int64_t size = a->s->copied ? t->size : a->s->mark.size;
    int64_t elements = 0;
    for (int64_t i = 0; i < size; i++) {
        elements += t->node[i]->size;
        for (int k = 0; k < t->node[i]->n_operands; k++)
            elements += t->node[i]->operand[k]->size;
    }
    return elements <= APPEAL_CHEAP;
}

bool wg_appeal_screen(wg_appeal *a, uint64_t seed)
{
    wg_check_entry e = {.outcome = WG_ENTRY_AGREES};
    if (!appeal_begin(a))
        return true;
    double *v = wg_arena_take(&a->w.t->scratch, a->line.n * sizeof *v, WG_ALIGNMENT);
    for (size_t i = 0; v != NULL && i < a->line.n; i++) {
        const double size = (double)WG_F(wide, fabs)(a->line.x[i]);
        const double scale = size > 0 ? size : (double)a->line.unit;
        v[i] = scale * wg_random_normal(seed, WG_CHECK_SCREEN, i);
    }
    const double *before = a->direction;
    a->direction = v;
    const bool judged = v != NULL && wg_appeal_judge(0, &e, a);
    a->no_memory = a->no_memory || v == NULL;
    a->direction = before;
    return !judged || e.outcome != WG_ENTRY_DISAGREES;
}

#undef APPEAL_CHEAP

#else

void wg_appeal_input(wg_appeal *a, int i, const wg_recorded *doubles, const double *direction)
{
    (void)a, (void)i, (void)doubles, (void)direction;
}

void wg_appeal_input_end(wg_appeal *a)
{
    (void)a;
}

void wg_appeal_end(wg_appeal *a)
{
    (void)a;
}

const wg_recorded *wg_appeal_recorded(wg_appeal *a, int i, const wg_recorded *doubles)
{
    (void)a, (void)i, (void)doubles;
    return NULL;
}

bool wg_appeal_judge(size_t index, wg_check_entry *e, void *appeal)
{
    (void)index, (void)e, (void)appeal;
    return false;
}

bool wg_appeal_is_cheap(const wg_appeal *a)
{
    (void)a;
    return false;
}

bool wg_appeal_screen(wg_appeal *a, uint64_t seed)
{
    (void)a, (void)seed;
    return true;
}

#endif
