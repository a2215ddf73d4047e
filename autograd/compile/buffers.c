/* Where each value of a program lies: values that are not needed at the same time share memory. */
#include "autograd/compile/program_internal.h"

#include <string.h>

/* A stretch of a region: a value, or a gap. None of two neighbours is a gap. */
typedef struct memory_part {
    int64_t start, size;   /* bytes; start from that of the region */
    int64_t before, after; /* its neighbours; -1: none */
    int64_t newer, older;  /* gaps: the others of the same bin; -1: none */
    bool gap;
} memory_part;

#define MEMORY_BINS 64 /* bin k has the gaps of 2^k bytes to 2^(k+1) - 1 */
/* Gaps of a bin that are looked at: taking and giving cost the same at any length. */
#define MEMORY_LOOKS 16

typedef struct memory_region {
    int64_t top;           /* bytes so far */
    memory_part *part;     /* there is room for two a value */
    int64_t n_parts, last; /* last: the one that ends at the top; -1: none */
    int64_t spare;         /* parts that were joined with others, linked by `older`; -1: none */
    int64_t newest[MEMORY_BINS]; /* gap of each bin; -1: none */
} memory_region;

/* ---- A region -------------------------------------------------------------------------------- */

static void memory_region_init(memory_region *r, memory_part *part)
{
    r->part = part;
    r->last = r->spare = -1;
    for (int bin = 0; bin < MEMORY_BINS; bin++)
        r->newest[bin] = -1;
}

static int memory_bin(int64_t size)
{
    return 63 - __builtin_clzll((unsigned long long)size);
}

static void memory_list_gap(memory_region *r, int64_t i)
{
    memory_part *p = &r->part[i];
    int64_t *newest = &r->newest[memory_bin(p->size)];
    p->gap = true;
    p->newer = -1;
    p->older = *newest;
    if (*newest >= 0)
        r->part[*newest].newer = i;
    *newest = i;
}

static void memory_unlist_gap(memory_region *r, int64_t i)
{
    memory_part *p = &r->part[i];
    p->gap = false;
    if (p->older >= 0)
        r->part[p->older].newer = p->newer;
    if (p->newer >= 0)
        r->part[p->newer].older = p->older;
    else
        r->newest[memory_bin(p->size)] = p->older;
}

/* A new part that follows `before`. */
static int64_t memory_insert(memory_region *r, int64_t before, int64_t start, int64_t size)
{
    int64_t i = r->spare >= 0 ? r->spare : r->n_parts++;
    if (i == r->spare)
        r->spare = r->part[i].older;
    int64_t after = before >= 0 ? r->part[before].after : -1;
    r->part[i] = (memory_part){start, size, before, after, -1, -1, false};
    if (before >= 0)
        r->part[before].after = i;
    if (after >= 0)
        r->part[after].before = i;
    else
        r->last = i;
    return i;
}

/* Part i takes in the one after it. */
static void memory_join(memory_region *r, int64_t i)
{
    int64_t gone = r->part[i].after, after = r->part[gone].after;
    r->part[i].size += r->part[gone].size;
    r->part[i].after = after;
    if (after >= 0)
        r->part[after].before = i;
    else
        r->last = i;
    r->part[gone].older = r->spare;
    r->spare = gone;
}

/* The smallest gap that is large enough, among the newest of its own bin, or else of the next one
 * that has any; -1: none. */
static int64_t memory_find(const memory_region *r, int64_t size)
{
    int64_t best = -1;
    for (int bin = memory_bin(size); bin < MEMORY_BINS && best < 0; bin++) {
        int64_t i = r->newest[bin];
        for (int looks = 0; i >= 0 && looks < MEMORY_LOOKS; looks++, i = r->part[i].older)
            if (r->part[i].size >= size && (best < 0 || r->part[i].size < r->part[best].size))
                best = i;
    }
    return best;
}

/* From a gap, or from the top. */
static int64_t memory_take(memory_region *r, int64_t size)
{
    int64_t i = memory_find(r, size);
    if (i < 0) {
        r->top += size;
        return memory_insert(r, r->last, r->top - size, size);
    }
    memory_unlist_gap(r, i);
    int64_t left = r->part[i].size - size;
    r->part[i].size = size;
    if (left > 0)
        memory_list_gap(r, memory_insert(r, i, r->part[i].start + size, left));
    return i;
}

/* What is given back grows together with the gaps beside it. */
static void memory_give(memory_region *r, int64_t i)
{
    int64_t before = r->part[i].before, after = r->part[i].after;
    if (after >= 0 && r->part[after].gap) {
        memory_unlist_gap(r, after);
        memory_join(r, i);
    }
    if (before >= 0 && r->part[before].gap) {
        memory_unlist_gap(r, before);
        memory_join(r, before);
        i = before;
    }
    memory_list_gap(r, i);
}

/* ---- All values ------------------------------------------------------------------------------ */

/* list[s]: the first of the stretches that step s is the last to need; -1: none; next[i]: the one
 * after stretch i. */
static void memory_list_dead(const wg_stretch *x, int64_t n, int64_t *list, int64_t *next,
                             int64_t n_steps)
{
    for (int64_t s = 0; s < n_steps; s++)
        list[s] = -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i].dies < n_steps) {
            next[i] = list[x[i].dies];
            list[x[i].dies] = i;
        }
}

int64_t wg_stretches_place(wg_tape *t, wg_stretch *x, int64_t n, int64_t n_steps)
{
    memory_region r = {.top = 0};
    int64_t *dead = wg_arena_take(&t->scratch, (size_t)n_steps * sizeof *dead, WG_ALIGNMENT);
    int64_t *next = wg_arena_take(&t->scratch, (size_t)n * sizeof *next, WG_ALIGNMENT);
    int64_t *part = wg_arena_take(&t->scratch, (size_t)n * sizeof *part, WG_ALIGNMENT);
    memory_part *parts = wg_arena_take(&t->scratch, 2 * (size_t)n * sizeof *parts, WG_ALIGNMENT);
    if (dead == NULL || next == NULL || part == NULL || parts == NULL) {
        wg_fail(t, WG_E_NOMEM, "compile: out of memory");
        return -1;
    }
    memory_region_init(&r, parts);
    memory_list_dead(x, n, dead, next, n_steps);
    for (int64_t s = 0, i = 0; s < n_steps; s++) {
        for (; i < n && x[i].born == s; i++) {
            part[i] = memory_take(&r, x[i].size);
            x[i].start = r.part[part[i]].start;
        }
        for (int64_t k = dead[s]; k != -1; k = next[k])
            memory_give(&r, part[k]);
    }
    return r.top;
}

/* Values of fewer bytes than a cache line stand close together, scalars that calls make in another
 * order apart from others; those of more start at a line each. */
enum { MEMORY_SMALL, MEMORY_SORTED, MEMORY_LARGE, MEMORY_KINDS };
static const int64_t memory_granule[MEMORY_KINDS] = {8, 8, WG_ALIGNMENT};

/* The values of one kind, from `start` on. */
typedef struct memory_values {
    int64_t n, start;
    wg_stretch *x;     /* [n] */
    wg_tensor **value; /* [n] */
} memory_values;

static int64_t memory_bytes(const wg_tensor *y)
{
    return y->size * (int64_t)wg_dtype_size(y->dtype);
}

static int memory_kind(const wg_tensor *y, const wg_program_fact *f)
{
    return f->sorted ? MEMORY_SORTED : memory_bytes(y) < WG_ALIGNMENT ? MEMORY_SMALL : MEMORY_LARGE;
}

/* Of a value that a band alone reads, as many rows as it takes at a time. */
static int64_t memory_needed(const wg_tensor *y, const wg_program_fact *f)
{
    const int64_t bytes = memory_bytes(y);
    return f->band != NULL ? bytes / f->band->rows * f->band->at_once : bytes;
}

/* All of a band is as one step. */
static int64_t memory_first(const wg_program *p, int64_t step)
{
    return p->work[step].band != NULL ? p->work[step].band->begin : step;
}

static int64_t memory_last(const wg_program *p, int64_t step)
{
    return p->work[step].band != NULL ? p->work[step].band->end - 1 : step;
}

/* The values of one kind, in the order of steps. A value of no elements gets an address, too; one
 * that nothing reads dies at once. */
static int64_t memory_list(const wg_program *p, const wg_program_fact *fact, int kind,
                           wg_stretch *x, wg_tensor **value)
{
    int64_t n = 0, granule = p->tape->wide ? WG_ALIGNMENT : memory_granule[kind];
    for (int64_t s = 0; s < p->n_steps; s++)
        for (int64_t i = fact[p->work[s].y - p->node].head; i != -1; i = fact[i].next) {
            wg_tensor *y = &p->node[i];
            const wg_program_fact *f = &fact[i];
            if (memory_kind(y, f) != kind || !wg_program_is_stored(f))
                continue;
            int64_t bytes = (memory_needed(y, f) + granule - 1) / granule * granule;
            bool kept = f->pinned || p->options.keep_buffers || f->last_step < 0 || f->sorted;
            value[n] = y;
            x[n++] = (wg_stretch){bytes > 0 ? bytes : granule, memory_first(p, s),
                                  kept ? p->n_steps : memory_last(p, f->last_step), 0};
        }
    return n;
}

/* Values of one kind, behind `total` bytes for others: their places, until there is memory, are
 * counted from its start. Returns the bytes for all; -1: an error was recorded. */
static int64_t memory_place(const wg_program *p, const wg_program_fact *fact, int kind,
                            int64_t total, memory_values *v)
{
    wg_arena *scratch = &p->tape->scratch;
    v->x = wg_arena_take(scratch, (size_t)p->n_nodes * sizeof *v->x, WG_ALIGNMENT);
    v->value = wg_arena_take(scratch, (size_t)p->n_nodes * sizeof *v->value, WG_ALIGNMENT);
    if (v->x == NULL || v->value == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return -1;
    }
    v->n = memory_list(p, fact, kind, v->x, v->value);
    const int64_t size = wg_stretches_place(p->tape, v->x, v->n, p->n_steps);
    v->start = total;
    return size < 0 ? -1 : total + (size + WG_ALIGNMENT - 1) / WG_ALIGNMENT * WG_ALIGNMENT;
}

bool wg_program_place(wg_program *p, const wg_program_fact *fact)
{
    memory_values values[MEMORY_KINDS];
    int64_t total = 0;
    for (int kind = 0; kind < MEMORY_KINDS && total >= 0; kind++)
        total = memory_place(p, fact, kind, total, &values[kind]);
    if (total < 0)
        return false;
    p->memory_size = (size_t)total;
    p->memory = wg_tape_take(p->tape, p->memory_size);
    for (int kind = 0; p->memory != NULL && kind < MEMORY_KINDS; kind++)
        for (int64_t i = 0; i < values[kind].n; i++)
            values[kind].value[i]->data = p->memory + values[kind].start + values[kind].x[i].start;
    return p->memory != NULL;
}
