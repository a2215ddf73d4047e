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
#define MEMORY_LOOKS                                                                               \
    16 /* gaps of a bin that are looked at: taking and giving cost the same at any length */

typedef struct memory_region {
    int64_t granule;       /* sizes are rounded up to it */
    int64_t top;           /* bytes so far */
    memory_part *part;     /* there is room for two a node */
    int64_t n_parts, last; /* last: the one that ends at the top; -1: none */
    int64_t spare;         /* parts that were joined with others, linked by `older`; -1: none */
    int64_t newest[MEMORY_BINS]; /* gap of each bin; -1: none */
} memory_region;

/* Values of fewer bytes than a cache line stand close together; the others start at a line each. */
typedef struct memory_plan {
    wg_program *p;
    const wg_program_fact *fact; /* [n_nodes] */
    int64_t *place;              /* [n_nodes] bytes from the start of its region; -1: has none */
    int64_t *part;               /* [n_nodes] of its region, until it is given back */
    int64_t *dead;               /* [n_steps] first node that no later step reads; -1: none */
    int64_t *next_dead;          /* [n_nodes] the next one of the same step; -1: none */
    memory_region small, large;
} memory_plan;

static int64_t memory_bytes(const wg_tensor *y)
{
    return y->size * (int64_t)wg_dtype_size(y->dtype);
}

static memory_region *memory_region_of(memory_plan *m, const wg_tensor *y)
{
    return memory_bytes(y) < WG_ALIGNMENT ? &m->small : &m->large;
}

/* A value of no elements gets an address, too. */
static int64_t memory_rounded(const memory_region *r, const wg_tensor *y)
{
    int64_t bytes = memory_bytes(y);
    return bytes > 0 ? (bytes + r->granule - 1) / r->granule * r->granule : r->granule;
}

/* ---- A region ------------------------------------------------------------------------------------- */

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

/* The smallest gap that is large enough, among the newest of its own bin, or else of the next one that has
 * any; -1: none. */
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

/* ---- All values ----------------------------------------------------------------------------------- */

static bool memory_plan_init(memory_plan *m, wg_program *p, const wg_program_fact *fact)
{
    wg_arena *scratch = &p->tape->scratch;
    size_t n = (size_t)p->n_nodes;
    *m = (memory_plan){.p = p, .fact = fact, .small.granule = 8, .large.granule = WG_ALIGNMENT};
    m->place = wg_arena_take(scratch, n * sizeof *m->place, WG_ALIGNMENT);
    m->part = wg_arena_take(scratch, n * sizeof *m->part, WG_ALIGNMENT);
    m->next_dead = wg_arena_take(scratch, n * sizeof *m->next_dead, WG_ALIGNMENT);
    m->dead = wg_arena_take(scratch, (size_t)p->n_steps * sizeof *m->dead, WG_ALIGNMENT);
    memory_part *small = wg_arena_take(scratch, 2 * n * sizeof *small, WG_ALIGNMENT);
    memory_part *large = wg_arena_take(scratch, 2 * n * sizeof *large, WG_ALIGNMENT);
    memory_region_init(&m->small, small);
    memory_region_init(&m->large, large);
    if (m->place == NULL || m->part == NULL || m->next_dead == NULL || m->dead == NULL ||
        small == NULL || large == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return false;
    }
    return true;
}

/* Lists, for each step, the values that it is the last to read. */
static void memory_list_dead(memory_plan *m)
{
    wg_program *p = m->p;
    for (int64_t s = 0; s < p->n_steps; s++)
        m->dead[s] = -1;
    for (int64_t i = 0; i < p->n_nodes; i++) {
        const wg_program_fact *f = &m->fact[i];
        m->place[i] = -1;
        if (f->last_step < 0 || f->pinned || p->options.keep_buffers)
            continue;
        m->next_dead[i] = m->dead[f->last_step];
        m->dead[f->last_step] = i;
    }
}

/* The value of a step is placed before what the step reads is given back: they never overlap. */
static void memory_place_all(memory_plan *m)
{
    wg_program *p = m->p;
    for (int64_t s = 0; s < p->n_steps; s++) {
        const wg_tensor *y = p->work[s].y;
        memory_region *r = memory_region_of(m, y);
        int64_t part = memory_take(r, memory_rounded(r, y));
        m->part[y - p->node] = part;
        m->place[y - p->node] = r->part[part].start;
        for (int64_t i = m->dead[s]; i != -1; i = m->next_dead[i]) {
            if (m->place[i] >= 0)
                memory_give(memory_region_of(m, &p->node[i]), m->part[i]);
        }
    }
}

static void memory_hand_out(const memory_plan *m, int64_t large_start)
{
    wg_program *p = m->p;
    for (int64_t i = 0; i < p->n_nodes; i++)
        if (m->place[i] >= 0)
            p->node[i].data = p->memory + m->place[i] +
                              (memory_bytes(&p->node[i]) < WG_ALIGNMENT ? 0 : large_start);
}

bool wg_program_place(wg_program *p, const wg_program_fact *fact)
{
    memory_plan m;
    if (!memory_plan_init(&m, p, fact))
        return false;
    memory_list_dead(&m);
    memory_place_all(&m);
    int64_t large_start = (m.small.top + WG_ALIGNMENT - 1) / WG_ALIGNMENT * WG_ALIGNMENT;
    p->memory_size = (size_t)(large_start + m.large.top);
    p->memory = wg_tape_take(p->tape, p->memory_size);
    if (p->memory == NULL)
        return false;
    memory_hand_out(&m, large_start);
    return true;
}
