/* Runs: calls of one kernel, each on one element, that one call makes. */
#include "autograd/compile/program_internal.h"

/* A scalar's call has a level: one more than the highest of what it reads, so that those of one
 * level may be in any order, and those of one kernel are a run. Any other call stands in a level of
 * its own, above all before it and below all behind it: only what lies between two of them is
 * sorted. A value whose call moves has memory of its own, that nothing else is ever in. */

#define RUN_LEAST 4  /* calls: fewer are made one by one */
#define RUN_LOOKS 16 /* runs of a level that are looked at, the newest first */

/* Calls of one kernel in one level; lists are linked through numbers, -1 ends them. */
typedef struct run_group {
    wg_call call;        /* one of them */
    const void *attrs;   /* that they share */
    int64_t width;       /* addresses of each */
    int64_t older;       /* the run before it in its level */
    int64_t first, last; /* of its calls */
    int64_t n;
} run_group;

typedef struct runs {
    const wg_program_fact *fact;
    run_group *run; /* [n_runs] */
    int64_t n_runs;
    int64_t *newest;    /* run of each level, which begin at 1 */
    int64_t *next;      /* of each call: the one behind it in its run */
    int64_t *level;     /* of each node's value, if a scalar's call makes it; else 0 */
    int64_t top, floor; /* the highest level; that of the last call that stays where it is */
    int64_t scalars, grouped, addresses;
} runs;

static wg_tensor *run_node(const wg_step_work *work, int i)
{
    return work->link != NULL ? work->link[i].y : work->y;
}

static bool run_takes(const wg_step_work *work, int i, const wg_call *call)
{
    const wg_join *join = work->link != NULL ? work->link[i].join : NULL;
    return call->map != NULL && call->n == 1 && (run_node(work, i)->op->flags & WG_OP_RUNS) &&
           (join == NULL || (join->inner->flags & WG_OP_RUNS));
}

static int64_t run_level(const wg_program *p, const runs *r, const wg_step_work *work, int i)
{
    const wg_tensor *joined[WG_ELEMENTWISE_OPERANDS] = {NULL};
    int64_t level = r->floor;
    if (work->link != NULL)
        wg_link_operands(&work->link[i], joined);
    for (int k = 0; k < wg_call_operands(work, i); k++) {
        const wg_tensor *x = work->link != NULL ? joined[k] : work->y->operand[k];
        const int64_t of = r->level[wg_program_root(p, r->fact, x)];
        level = of > level ? of : level;
    }
    return level + 1;
}

/* Four operands take the place of attributes. */
static const void *run_attrs(const wg_step_work *work, int i, const wg_call *call)
{
    const wg_chain_link *link = work->link != NULL ? &work->link[i] : NULL;
    return link != NULL && link->join != NULL ? wg_link_attrs(link) : call->x[WG_CALL_ATTRS];
}

/* The run of a level that a call belongs to: a new one where there is none. */
static run_group *run_of(runs *r, int64_t level, const wg_call *call, const void *attrs, int width)
{
    int64_t i = r->newest[level];
    for (int looks = 0; i >= 0 && looks < RUN_LOOKS; looks++, i = r->run[i].older)
        if (r->run[i].call.map == call->map && r->run[i].attrs == attrs)
            return &r->run[i];
    r->run[r->n_runs] = (run_group){*call, attrs, width, r->newest[level], -1, -1, 0};
    r->newest[level] = r->n_runs;
    return &r->run[r->n_runs++];
}

static void run_add(runs *r, run_group *to, int64_t i)
{
    const int64_t more = to->n + 1 == RUN_LEAST ? RUN_LEAST : to->n >= RUN_LEAST;
    *(to->n++ == 0 ? &to->first : &r->next[to->last]) = i;
    r->next[i] = -1;
    to->last = i;
    r->grouped += more;
    r->addresses += more * to->width;
}

/* Call i of a step, number `at` of all. */
static void runs_sort(const wg_program *p, runs *r, const wg_step_work *work, int i, int64_t at)
{
    const wg_call call = wg_program_call(p, work, i);
    int64_t level = r->top + 1;
    if (run_takes(work, i, &call)) {
        level = run_level(p, r, work, i);
        r->level[run_node(work, i) - p->node] = level;
        r->scalars++;
    } else
        r->floor = level;
    r->top = level > r->top ? level : r->top;
    run_add(r, run_of(r, level, &call, run_attrs(work, i, &call), 1 + wg_call_operands(work, i)),
            at);
}

static bool runs_take(const wg_program *p, runs *r)
{
    wg_arena *scratch = &p->tape->scratch;
    const size_t n = (size_t)p->n_calls, size = sizeof(int64_t);
    *r = (runs){.run = wg_arena_take(scratch, n * sizeof(run_group), WG_ALIGNMENT),
                .newest = wg_arena_take(scratch, (n + 1) * size, WG_ALIGNMENT),
                .next = wg_arena_take(scratch, n * size, WG_ALIGNMENT),
                .level = wg_arena_take(scratch, (size_t)p->n_nodes * size, WG_ALIGNMENT)};
    if (r->run == NULL || r->newest == NULL || r->next == NULL || r->level == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return false;
    }
    for (int64_t i = 0; i <= p->n_calls; i++)
        r->newest[i] = -1;
    for (int64_t i = 0; i < p->n_nodes; i++)
        r->level[i] = 0;
    return true;
}

/* Scalars in tiles get memory, and all get some of their own. */
static void runs_store(const wg_program *p, wg_program_fact *fact, const runs *r)
{
    for (int64_t s = 0; s < p->n_steps; s++)
        for (int i = 0; i < p->work[s].calls; i++) {
            const wg_step_work *work = &p->work[s];
            const int64_t node = run_node(work, i) - p->node;
            if (r->level[node] == 0)
                continue;
            fact[node].many = fact[node].sorted = true;
            if (work->link != NULL)
                work->link[i].slot = -1;
        }
}

/* Places of calls, in the order of levels. */
static void runs_place(wg_program *p, const runs *r)
{
    int64_t calls = 0, addresses = 0;
    for (int64_t level = 1; level <= r->top; level++)
        for (int64_t k = r->newest[level]; k >= 0; k = r->run[k].older) {
            const run_group *from = &r->run[k];
            const bool together = from->n >= RUN_LEAST;
            if (together) {
                wg_call *call = &p->call[calls++];
                *call = from->call;
                call->n = -from->width;
                call->x[0] = &p->run[addresses];
                call->x[1] = &p->run[addresses + from->n * from->width];
            }
            for (int64_t i = from->first; i >= 0; i = r->next[i]) {
                p->place[i] = together ? ~addresses : calls++;
                addresses += together ? from->width : 0;
            }
        }
    p->n_calls = calls;
}

bool wg_runs_find(wg_program *p, wg_program_fact *fact)
{
    runs r;
    if (!runs_take(p, &r))
        return false;
    r.fact = fact;
    for (int64_t s = 0, at = 0; s < p->n_steps; s++)
        for (int i = 0; i < p->work[s].calls; i++)
            runs_sort(p, &r, &p->work[s], i, at++);
    if (2 * r.grouped < r.scalars || r.grouped == 0)
        return true;
    runs_store(p, fact, &r);
    p->run = wg_tape_take(p->tape, (size_t)r.addresses * sizeof *p->run);
    p->place = wg_tape_take(p->tape, (size_t)p->n_calls * sizeof *p->place);
    p->call = wg_tape_take(p->tape, (size_t)(p->n_calls - r.grouped + r.n_runs) * sizeof *p->call);
    if (p->run == NULL || p->place == NULL || p->call == NULL)
        return false;
    runs_place(p, &r);
    return true;
}
