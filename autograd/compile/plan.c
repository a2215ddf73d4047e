/* The steps of a program's nodes, and what each needs. Which nodes are needed is said in
 * program.c; chain.c makes one step of many. */
#include "autograd/compile/program_internal.h"

/* ---- Facts ----------------------------------------------------------------------------------- */

/* Operands come first, so that a view of a view takes one look. */
static void plan_root(const wg_program *p, wg_program_fact *fact, int64_t i)
{
    const wg_tensor *y = &p->node[i];
    fact[i].root = i;
    if ((y->op->flags & WG_OP_VIEW) && y->n_operands > 0) {
        const wg_program_fact *x = &fact[y->operand[0] - p->node];
        fact[i].root = x->root;
        fact[i].offset = x->offset + (y->op->offset != NULL ? (int64_t)y->op->offset(y) : 0);
    }
}

wg_program_fact *wg_program_facts(const wg_program *p)
{
    wg_program_fact *fact = wg_arena_take(&p->tape->scratch, (size_t)p->n_nodes * sizeof *fact,
                                          WG_ALIGNMENT);
    if (fact == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return NULL;
    }
    for (int64_t i = 0; i < p->n_nodes; i++) {
        fact[i] = (wg_program_fact){.computed = wg_program_computes(&p->node[i]),
                                    .first = -1,
                                    .chain = i,
                                    .head = i,
                                    .next = -1,
                                    .links = 1,
                                    .step = -1,
                                    .last_step = -1};
        plan_root(p, fact, i);
    }
    for (int i = 0; i < p->n_outputs; i++)
        fact[wg_program_root(p, fact, p->result[i])].pinned = true;
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
            fact[wg_program_root(p, fact, p->node[i].operand[k])].last_step = step;
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

static void plan_calls(wg_program *p)
{
    for (int64_t s = 0; s < p->n_steps; s++) {
        wg_step_work *work = &p->work[s];
        if (work->band != NULL)
            work->calls = s == work->band->begin;
        else
            work->calls = plan_has_calls(work) ? work->n_links : 1;
        p->n_calls += work->calls;
    }
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
    plan_calls(p);
    if (joins && !wg_runs_find(p, fact))
        return false;
    if (p->call == NULL)
        p->call = wg_tape_take(p->tape, (size_t)p->n_calls * sizeof *p->call);
    return p->call != NULL && wg_program_place(p, fact) && plan_workspace(p);
}
