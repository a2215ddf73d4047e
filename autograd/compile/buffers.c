#include "autograd/compile/program_internal.h"

#include <string.h>

/* Where each value of a program lies: values that are not needed at the same time share memory. */

/* A gap between values, in bytes from the start of its region. */
typedef struct memory_gap {
    int64_t start, size;
} memory_gap;

typedef struct memory_region {
    int64_t granule; /* sizes are rounded up to it */
    int64_t top;     /* bytes so far */
    memory_gap *gap; /* [n_gaps] by start, none next to another; there is room for one a node */
    int64_t n_gaps;
} memory_region;

/* Values of fewer bytes than a cache line stand close together; the others start at a line each. */
typedef struct memory_plan {
    wg_program *p;
    const wg_program_fact *fact; /* [n_nodes] */
    int64_t *place;              /* [n_nodes] bytes from the start of its region; -1: has none */
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

static void memory_remove_gap(memory_region *r, int64_t i)
{
    r->n_gaps--;
    memmove(&r->gap[i], &r->gap[i + 1], (size_t)(r->n_gaps - i) * sizeof *r->gap);
}

/* From the smallest gap that is large enough, or from the top. */
static int64_t memory_take(memory_region *r, int64_t size)
{
    int64_t best = -1;
    for (int64_t i = 0; i < r->n_gaps && (best < 0 || r->gap[best].size > size); i++)
        if (r->gap[i].size >= size && (best < 0 || r->gap[i].size < r->gap[best].size))
            best = i;
    if (best < 0) {
        r->top += size;
        return r->top - size;
    }
    int64_t start = r->gap[best].start;
    r->gap[best].start += size;
    r->gap[best].size -= size;
    if (r->gap[best].size == 0)
        memory_remove_gap(r, best);
    return start;
}

/* What is given back grows together with the gaps beside it. */
static void memory_give(memory_region *r, int64_t start, int64_t size)
{
    int64_t i = r->n_gaps;
    while (i > 0 && r->gap[i - 1].start > start)
        i--;
    if (i > 0 && r->gap[i - 1].start + r->gap[i - 1].size == start) {
        r->gap[--i].size += size;
    } else {
        memmove(&r->gap[i + 1], &r->gap[i], (size_t)(r->n_gaps - i) * sizeof *r->gap);
        r->gap[i] = (memory_gap){start, size};
        r->n_gaps++;
    }
    if (i + 1 < r->n_gaps && r->gap[i].start + r->gap[i].size == r->gap[i + 1].start) {
        r->gap[i].size += r->gap[i + 1].size;
        memory_remove_gap(r, i + 1);
    }
}

/* ---- All values ----------------------------------------------------------------------------------- */

static bool memory_plan_init(memory_plan *m, wg_program *p, const wg_program_fact *fact)
{
    wg_arena *scratch = &p->tape->scratch;
    size_t n = (size_t)p->n_nodes;
    *m = (memory_plan){.p = p, .fact = fact, .small.granule = 8, .large.granule = WG_ALIGNMENT};
    m->place = wg_arena_take(scratch, n * sizeof *m->place, WG_ALIGNMENT);
    m->next_dead = wg_arena_take(scratch, n * sizeof *m->next_dead, WG_ALIGNMENT);
    m->dead = wg_arena_take(scratch, (size_t)p->n_steps * sizeof *m->dead, WG_ALIGNMENT);
    m->small.gap = wg_arena_take(scratch, (n + 1) * sizeof *m->small.gap, WG_ALIGNMENT);
    m->large.gap = wg_arena_take(scratch, (n + 1) * sizeof *m->large.gap, WG_ALIGNMENT);
    if (m->place == NULL || m->next_dead == NULL || m->dead == NULL || m->small.gap == NULL ||
        m->large.gap == NULL) {
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
        m->place[y - p->node] = memory_take(r, memory_rounded(r, y));
        for (int64_t i = m->dead[s]; i != -1; i = m->next_dead[i]) {
            memory_region *own = memory_region_of(m, &p->node[i]);
            if (m->place[i] >= 0)
                memory_give(own, m->place[i], memory_rounded(own, &p->node[i]));
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
