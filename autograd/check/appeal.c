/* Owns the appeal: what double leaves in doubt is decided on a wide copy of the tape. */
#include "autograd/check/appeal_internal.h"

#include "autograd/check/gradcheck_internal.h"
#include "autograd/rng.h"

#include <math.h>
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

double wg_appeal_tiny(const wg_recorded *r, size_t entry)
{
    const double x = entry < (size_t)r->size ? fabs(((const double *)r->origin)[entry]) : 1;
    return 0x1.3p-40 * (x > 0 && isfinite(x) ? x : 1);
}

void wg_appeal_input(wg_appeal *a, int i, wg_recorded *doubles, const double *direction)
{
    a->input = i;
    a->doubles = doubles;
    a->direction = direction;
    a->switches = a->ruled = a->wrong_around = false;
    if (doubles == NULL || doubles->n_branches == 0)
        return;
    wg_arena *scratch = &doubles->t->scratch;
    wg_arena_mark empty = wg_arena_height(scratch);
    double *v = wg_arena_take(scratch, (size_t)doubles->size * sizeof *v, WG_ALIGNMENT);
    for (int64_t k = 0; v != NULL && k < doubles->size; k++)
        v[k] = wg_appeal_tiny(doubles, (size_t)k) *
               wg_random_normal(1, WG_CHECK_SCREEN, (uint64_t)k);
    a->switches = v != NULL && wg_check_branch(doubles, 0, v, 1) != NULL;
    wg_arena_rewind(scratch, empty);
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

/* The claimed gradients of n inputs from the given one on, as they are before anything moves. */
static bool appeal_claim(wg_appeal *a, int from, int n)
{
    size_t size = 0;
    for (int i = from; i < from + n; i++)
        size += (size_t)a->claim.gs[i]->size;
    wg_wide *to = wg_arena_take(&a->w.t->scratch, size * sizeof *to, WG_ALIGNMENT);
    a->claimed = to;
    for (int i = from; i < from + n && to != NULL; to += a->claim.gs[i++]->size)
        if (a->claim.gs[i]->size > 0)
            memcpy(to, a->claim.gs[i]->data, (size_t)a->claim.gs[i]->size * sizeof *to);
    return a->claimed != NULL;
}

/* Makes n inputs from the given one on the line that is judged. */
static bool appeal_begin(wg_appeal *a, int from, int n)
{
    if (a->begun || !appeal_open(a))
        return a->begun && a->finite;
    a->empty = wg_arena_height(&a->w.t->scratch);
    if (!appeal_claim(a, from, n) ||
        !wg_recorded_begin(&a->r, &a->w, &a->claim, a->w.xs + from, n)) {
        wg_arena_rewind(&a->w.t->scratch, a->empty);
        a->no_memory = true;
        return false;
    }
    a->begun = true;
    a->line = (wg_wide_line){.f = wg_recorded_value_wide,
                             .user = &a->r,
                             .x = a->r.values,
                             .n = (size_t)a->r.size,
                             .origin = a->r.origin,
                             .seed = 1};
    a->finite = wg_wide_line_begin(&a->line, wg_recorded_sum_wide(&a->r));
    return a->finite;
}

/* Where a wide kernel passes through a narrower float steps of wide differences say nothing, and
 * double decides. It is looked for where something is to be decided: a direction that agrees needs
 * no more than the pass in double that follows. */
static bool appeal_decides(wg_appeal *a)
{
    if (!a->looked)
        a->narrow = wg_check_narrow(a->w.t, &a->no_memory);
    a->looked = true;
    return a->narrow == NULL;
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

/* The claim for entry `index`, or the sum of claims along the direction. */
static wg_wide appeal_aim(wg_appeal *a, size_t index, const double *direction)
{
    wg_wide claimed = direction != NULL ? 0 : a->claimed[index];
    a->line.direction = direction;
    a->line.entry = index;
    for (size_t i = 0; i < a->line.n && direction != NULL; i++)
        claimed += a->claimed[i] * (wg_wide)direction[i];
    return claimed;
}

/* What rounding inside y explains is judged once more, at steps at which it does not. */
static void appeal_retry(wg_appeal *a, size_t index, wg_wide claimed, wg_check_entry *e)
{
    const char *op;
    wg_check_entry again;
    const double gap = fabs(e->claimed - e->numeric.value);
    if (e->outcome != WG_ENTRY_DISAGREES || !isfinite(e->claimed))
        return;
    a->line.rounded = (wg_wide)wg_check_rounds(&a->r, e->numeric.step, gap, &op);
    if (op != NULL) {
        wg_wide_judge(&a->line, index, claimed, &again);
        if (again.outcome != WG_ENTRY_DISAGREES)
            *e = again;
    }
    a->line.rounded = 0;
}

bool wg_appeal_judge(size_t index, wg_check_entry *e, void *appeal)
{
    wg_appeal *a = appeal;
    wg_check_entry judged;
    if (!appeal_begin(a, a->input, 1) || !appeal_decides(a))
        return false;
    const wg_wide claimed = appeal_aim(a, index, a->direction);
    wg_wide_judge(&a->line, index, claimed, &judged);
    appeal_retry(a, index, claimed, &judged);
    /* What no double can hold is no difference to a gradient of doubles. */
    if (judged.outcome == WG_ENTRY_DISAGREES && judged.claimed == 0 && judged.numeric.value == 0)
        judged.outcome = WG_ENTRY_AGREES;
    a->doubtful = judged.outcome == WG_ENTRY_UNRESOLVED;
    a->apart = a->apart || fabs(e->claimed - judged.claimed) > 1e-7 * fabs(judged.claimed);
    if (!a->doubtful)
        *e = judged;
    return !a->doubtful;
}

const wg_recorded *wg_appeal_recorded(wg_appeal *a, int i, wg_recorded *doubles)
{
    a->input = i;
    if (!a->tried)
        a->doubles = doubles;
    if (!appeal_begin(a, i, 1))
        return NULL;
    wg_recorded_run(&a->r);
    return appeal_decides(a) ? &a->r : NULL;
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

#undef APPEAL_CHEAP

/* By how much entry i moves in a direction that all move in. */
static double appeal_size(const wg_appeal *a, size_t i)
{
    const double size = fabs((double)a->line.x[i]);
    return size > 0 ? size : (double)a->line.unit;
}

/* Shortens the direction's large shares of the claim to the least that rounding does not hide:
 * beside a large one nothing is seen of what is wrong with a small. False: none is small. */
static bool appeal_level(const wg_appeal *a, double *v)
{
    double least = (double)INFINITY, most = 0;
    for (size_t i = 0; i < a->line.n; i++) {
        const double share = fabs((double)a->claimed[i]) * appeal_size(a, i);
        least = fmin(least, share);
        most = fmax(most, share);
    }
    if (!(least < 0.5 * most) || isinf(most))
        return false;
    least = fmax(least, 1e3 * sqrt((double)WG_WIDE_EPSILON) * most);
    for (size_t i = 0; i < a->line.n; i++)
        v[i] *= fmin(1, least / (fabs((double)a->claimed[i]) * appeal_size(a, i)));
    return true;
}

/* Of a direction along which no entry may be overlooked: 1/2 to 1, of either sign. */
static double appeal_draw(uint64_t seed, size_t i)
{
    const double draw = 2 * wg_random_uniform(seed, WG_CHECK_SCREEN, i) - 1;
    return draw < 0 ? (draw - 1) / 2 : (draw + 1) / 2;
}

/* *sharp: rounding hides nothing at this tolerance. */
static wg_check_outcome appeal_judge_along(wg_appeal *a, const double *v, bool *sharp)
{
    wg_check_entry e = {.outcome = WG_ENTRY_AGREES};
    const wg_wide claimed = appeal_aim(a, 0, v);
    *sharp = false;
    if (!isfinite((double)claimed)) /* x's own entries say so, and points next to x do not matter */
        return WG_ENTRY_UNRESOLVED;
    if (!wg_wide_confirms(&a->line, claimed, sharp))
        wg_wide_judge(&a->line, 0, claimed, &e);
    return e.outcome;
}

/* Along v, and where the shares that entries have in the claim differ much, levelled first: what
 * that sees as sharply, no other direction sees better. */
static wg_check_outcome appeal_judge_levels(wg_appeal *a, double *v, double *level)
{
    bool sharp = false;
    wg_check_outcome small = WG_ENTRY_AGREES;
    memcpy(level, v, a->line.n * sizeof *v);
    if (appeal_level(a, level))
        small = appeal_judge_along(a, level, &sharp);
    if (small == WG_ENTRY_DISAGREES || (small == WG_ENTRY_AGREES && sharp))
        return small;
    const wg_check_outcome all = appeal_judge_along(a, v, &sharp);
    return small > all ? small : all;
}

/* The same for n inputs from the given one on, which move together. */
static wg_check_outcome appeal_screen(wg_appeal *a, int from, int n, uint64_t seed)
{
    wg_check_outcome found = WG_ENTRY_AGREES;
    a->doubles = NULL;
    const bool begun = appeal_begin(a, from, n);
    const size_t size = begun ? a->line.n : 0;
    double *v = begun ? wg_arena_take(&a->w.t->scratch, 2 * size * sizeof *v, WG_ALIGNMENT) : NULL;
    for (size_t i = 0; v != NULL && i < a->line.n; i++)
        v[i] = appeal_size(a, i) * appeal_draw(seed, i);
    a->no_memory = a->no_memory || (begun && v == NULL);
    if (v != NULL)
        found = appeal_judge_levels(a, v, v + size);
    wg_appeal_input_end(a);
    return found;
}

wg_check_outcome wg_appeal_screen(wg_appeal *a, uint64_t seed)
{
    wg_check_outcome worst = WG_ENTRY_AGREES;
    if (wg_check_independent(a->s))
        return appeal_screen(a, 0, a->s->n, seed);
    for (int i = 0; i < a->s->n && worst != WG_ENTRY_DISAGREES; i++) {
        const wg_check_outcome here = appeal_screen(a, i, 1, seed);
        worst = here > worst ? here : worst;
    }
    return worst;
}

#else

void wg_appeal_input_end(wg_appeal *a)
{
    (void)a;
}

void wg_appeal_end(wg_appeal *a)
{
    (void)a;
}

const wg_recorded *wg_appeal_recorded(wg_appeal *a, int i, wg_recorded *doubles)
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

wg_check_outcome wg_appeal_screen(wg_appeal *a, uint64_t seed)
{
    (void)a, (void)seed;
    return WG_ENTRY_AGREES;
}

#endif
