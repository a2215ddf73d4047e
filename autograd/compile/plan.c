/* The steps of a program's nodes, and what each is given. Which nodes are needed is said in
 * program.c; chain.c makes one step of many. */
#include "autograd/compile/program_internal.h"

/* ---- Facts ----------------------------------------------------------------------------------- */

static bool plan_is_computed(const wg_tensor *y)
{
    return (y->state & WG_NODE_LIVE) && y->n_operands > 0;
}

wg_program_fact *wg_program_facts(const wg_program *p)
{
    wg_program_fact *fact = wg_arena_take(&p->tape->scratch, (size_t)p->n_nodes * sizeof *fact,
                                          WG_ALIGNMENT);
    if (fact == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return NULL;
    }
    for (int64_t i = 0; i < p->n_nodes; i++)
        fact[i] = (wg_program_fact){.computed = plan_is_computed(&p->node[i]),
                                    .first = -1,
                                    .chain = i,
                                    .head = i,
                                    .next = -1,
                                    .links = 1,
                                    .step = -1,
                                    .last_step = -1};
    for (int i = 0; i < p->n_outputs; i++)
        fact[wg_view_root(p->result[i]) - p->node].pinned = true;
    return fact;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

bool wg_program_is_step(const wg_program *p, const wg_program_fact *fact, int64_t i)
{
    return fact[i].computed && !fact[i].sunk && !(p->node[i].op->flags & WG_OP_VIEW);
}

void wg_program_note_reads(const wg_program *p, wg_program_fact *fact, int64_t last, int64_t step)
{
    for (int64_t i = fact[last].head; i != -1; i = fact[i].next) {
        fact[i].step = step;
        for (int k = 0; k < p->node[i].n_operands; k++)
            fact[wg_view_root(p->node[i].operand[k]) - p->node].last_step = step;
    }
}

/* Is the chain one tile, which the caller alone computes? Then its links are calls one by one. */
static bool plan_has_calls(const wg_step_work *work)
{
    bool calls = work->link != NULL && work->piece_chunks >= work->chunks && work->size > 0 &&
                 work->size <= work->tile;
    for (int i = 0; calls && i < work->n_links; i++)
        calls = work->link[i].y->op->check == NULL;
    return calls;
}

/* A sum of more cotangents than a call has room for has their addresses as its plan. */
static bool plan_long_sum(const wg_program *p, wg_tensor *y)
{
    if (y->op != &wg_op_add_n || y->n_operands <= WG_CALL_OPERANDS)
        return true;
    wg_add_n_call *sum = wg_tape_take(p->tape,
                                      sizeof *sum + (size_t)y->n_operands * sizeof *sum->term);
    if (sum != NULL)
        sum->n = y->n_operands;
    y->plan = sum;
    return sum != NULL;
}

static bool plan_steps(wg_program *p, wg_program_fact *fact)
{
    for (int64_t i = 0; i < p->n_nodes; i++)
        if (fact[i].computed && !plan_long_sum(p, &p->node[i]))
            return false;
    for (int64_t i = 0; i < p->n_nodes; i++)
        p->n_steps += wg_program_is_step(p, fact, i);
    p->work = wg_tape_take(p->tape, (size_t)p->n_steps * sizeof *p->work);
    if (p->work == NULL)
        return false;
    int64_t s = 0;
    for (int64_t i = 0; i < p->n_nodes; i++) {
        if (!wg_program_is_step(p, fact, i))
            continue;
        wg_step_work *work = &p->work[s];
        work->y = &p->node[i];
        work->chunks = work->y->chunks;
        work->piece_chunks = wg_node_piece_chunks(work->y, work->chunks, p->pool);
        wg_program_note_reads(p, fact, i, s++);
        if (fact[i].links > 1 && !wg_chain_init(p, fact, i, work))
            return false;
    }
    return true;
}

static bool plan_calls(wg_program *p)
{
    for (int64_t s = 0; s < p->n_steps; s++) {
        wg_step_work *work = &p->work[s];
        if (work->band != NULL)
            work->calls = s == work->band->begin;
        else
            work->calls = plan_has_calls(work) ? work->n_links : 1;
        p->n_calls += work->calls;
    }
    p->call = wg_tape_take(p->tape, (size_t)p->n_calls * sizeof *p->call);
    return p->call != NULL;
}

static size_t plan_step_workspace(const wg_step_work *work)
{
    return work->link != NULL ? work->workspace : wg_node_workspace_size(work->y);
}

static bool plan_workspace(wg_program *p)
{
    for (int64_t s = 0; s < p->n_steps; s++) {
        size_t need = plan_step_workspace(&p->work[s]);
        p->workspace_size = need > p->workspace_size ? need : p->workspace_size;
    }
    p->workspace_size = (p->workspace_size + WG_ALIGNMENT - 1) & ~(size_t)(WG_ALIGNMENT - 1);
    p->workspace = wg_tape_take(p->tape, p->workspace_size * (size_t)wg_pool_threads(p->pool));
    return p->workspace != NULL;
}

bool wg_program_plan(wg_program *p)
{
    wg_program_fact *fact = wg_program_facts(p);
    if (fact == NULL)
        return false;
    const bool joins = !p->options.keep_values && !p->tape->options.check_finite && !p->tape->wide;
    if (joins)
        wg_chain_find(p, fact, &wg_chain_run_limits);
    if (!plan_steps(p, fact))
        return false;
    if (joins && !p->options.keep_buffers && p->pool == NULL && !wg_bands_find(p, fact))
        return false;
    return plan_calls(p) && wg_program_place(p, fact) && plan_workspace(p);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

/* Steps of 0 and 1, for every choice of them: the first of three is the lowest bit. */
static const int64_t plan_step_choices[8][WG_CALL_OPERANDS] = {
    {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}};

/* Has every operand y's size or one element? Then its stride is 1 or 0, and no walk over axes is
 * needed: bit k of *which. */
static bool plan_is_flat(const wg_tensor *y, unsigned *which)
{
    *which = 0;
    for (int k = 0; k < y->n_operands; k++) {
        if (y->operand[k]->size != y->size && y->operand[k]->size != 1)
            return false;
        *which |= y->operand[k]->size == y->size ? 1u << k : 0;
    }
    return true;
}

/* The kernel that computes all of y in one call, given steps and attributes; NULL: none does. */
static wg_map *plan_map(const wg_tensor *y, wg_call *call)
{
    unsigned which;
    if (y->op->check != NULL || y->size == 0)
        return NULL;
    if (y->op == &wg_op_add_n && y->n_operands > WG_CALL_OPERANDS) {
        call->x[WG_CALL_ATTRS] = y->plan;
        return wg_add_n_map(y);
    }
    if (y->n_operands > WG_CALL_OPERANDS || !plan_is_flat(y, &which))
        return NULL;
    call->x[WG_CALL_ATTRS] = y->attrs;
    call->step = plan_step_choices[which];
    const bool elementwise = (y->op->flags & WG_OP_ELEMENTWISE) && y->op->part != NULL;
    return elementwise ? y->op->map[y->operand[0]->dtype] : wg_add_n_map(y);
}

/* Where the call finds the addresses of y's operands. */
static const void **plan_operands(const wg_tensor *y, wg_call *call)
{
    return y->n_operands > WG_CALL_OPERANDS ? ((wg_add_n_call *)y->plan)->term : call->x;
}

/* Is all of y one call of a kernel, with operands in memory but where a tile is given? */
static bool plan_call(const wg_tensor *y, wg_call *call)
{
    *call = (wg_call){.n = y->size, .y = y->data};
    call->map = plan_map(y, call);
    for (int k = 0; call->map != NULL && k < y->n_operands; k++)
        plan_operands(y, call)[k] = y->operand[k]->data;
    return call->map != NULL;
}

/* The same for a link. */
static bool plan_call_link(const wg_chain_link *link, wg_call *call)
{
    const wg_tensor *x[WG_ELEMENTWISE_OPERANDS];
    if (link->join == NULL)
        return plan_call(link->y, call);
    *call = (wg_call){.n = link->y->size, .map = link->join->map[link->y->dtype]};
    call->x[WG_CALL_ATTRS] = wg_link_attrs(link);
    wg_link_operands(link, x);
    for (int k = 0; k < link->n_operands; k++)
        call->x[k] = x[k]->data;
    return true;
}

/* What no kernel does: link n of a step, or what n says besides. */
static wg_call plan_other(const wg_step_work *work, int64_t n)
{
    return (wg_call){.n = n, .x = {[WG_CALL_ATTRS] = work}};
}

/* What is in tiles is in the workspace of the caller, who is worker 0. */
static void plan_settle_link(const wg_program *p, wg_call *call, const wg_step_work *work, int i)
{
    const wg_chain_link *link = &work->link[i];
    if (!plan_call_link(link, call)) {
        *call = plan_other(work, i);
        return;
    }
    call->y = wg_chain_tile(link, 0, p->workspace);
    for (int k = 0; k < link->n_operands; k++)
        if (link->source[k] >= 0)
            plan_operands(link->y, call)[k] = wg_chain_tile(&work->link[link->source[k]], 0,
                                                            p->workspace);
}

static void plan_settle_step(const wg_program *p, wg_call *call, const wg_step_work *work)
{
    if (work->band != NULL)
        *call = plan_other(work, -2);
    else if (work->link != NULL && work->calls == work->n_links)
        for (int i = 0; i < work->n_links; i++)
            plan_settle_link(p, call + i, work, i);
    else if (work->link != NULL || work->piece_chunks < work->chunks ||
             p->tape->options.check_finite || !plan_call(work->y, call))
        *call = plan_other(work, -1);
}

void wg_program_settle(wg_program *p)
{
    for (int64_t i = 0; i < p->n_nodes; i++) {
        wg_tensor *y = &p->node[i];
        if ((y->op->flags & WG_OP_VIEW) && plan_is_computed(y))
            wg_node_view(y);
    }
    wg_call *call = p->call;
    for (int64_t s = 0; s < p->n_steps; call += p->work[s++].calls)
        if (p->work[s].calls > 0)
            plan_settle_step(p, call, &p->work[s]);
    p->settled = true;
}
