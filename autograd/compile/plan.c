/* What a program consists of: which nodes run, in which steps, and what each step is given. */
#include "autograd/compile/program_internal.h"

/* ---- Facts ----------------------------------------------------------------------------------- */

/* A view of a constant has no operands here, and is its own root. */
const wg_tensor *wg_program_root(const wg_tensor *y)
{
    while ((y->op->flags & WG_OP_VIEW) && y->n_operands > 0)
        y = y->operand[0];
    return y;
}

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
                                    .sink = -1,
                                    .chain = i,
                                    .head = i,
                                    .next = -1,
                                    .links = 1,
                                    .last_step = -1};
    for (int i = 0; i < p->n_outputs; i++)
        fact[wg_program_root(p->result[i]) - p->node].pinned = true;
    return fact;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

bool wg_program_is_step(const wg_program *p, const wg_program_fact *fact, int64_t i)
{
    return fact[i].computed && !fact[i].sunk && !(p->node[i].op->flags & WG_OP_VIEW);
}

void wg_program_note_reads(const wg_program *p, wg_program_fact *fact, int64_t last, int64_t step)
{
    for (int64_t i = fact[last].head; i != -1; i = fact[i].next)
        for (int k = 0; k < p->node[i].n_operands; k++)
            fact[wg_program_root(p->node[i].operand[k]) - p->node].last_step = step;
}

static bool plan_steps(wg_program *p, wg_program_fact *fact)
{
    for (int64_t i = 0; i < p->n_nodes; i++)
        p->n_steps += wg_program_is_step(p, fact, i);
    p->step = wg_tape_take(p->tape, (size_t)p->n_steps * sizeof *p->step);
    p->work = wg_tape_take(p->tape, (size_t)p->n_steps * sizeof *p->work);
    if (p->step == NULL || p->work == NULL)
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

static size_t plan_step_workspace(const wg_step_work *work)
{
    return work->link != NULL ? wg_chain_workspace(work) : wg_node_workspace_size(work->y);
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
    if (!p->options.keep_values && !p->tape->options.check_finite)
        wg_chain_find(p, fact, &wg_chain_run_limits);
    return plan_steps(p, fact) && wg_program_place(p, fact) && plan_workspace(p);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

/* Steps of 0 and 1, for every choice of them: the first of three is the lowest bit. */
static const int64_t plan_step_choices[8][WG_STEP_OPERANDS] = {
    {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}};

/* Has every operand y's size or one element? Then its stride is 1 or 0, and no walk over axes is
 * needed. */
static bool plan_is_flat(const wg_tensor *y, int64_t step[])
{
    for (int k = 0; k < y->n_operands; k++) {
        step[k] = y->operand[k]->size == y->size;
        if (step[k] == 0 && y->operand[k]->size != 1)
            return false;
    }
    return true;
}

/* Is all of this step one call of a kernel, by the caller alone? */
static bool plan_is_call(const wg_program *p, const wg_step_work *work, int64_t step[])
{
    const wg_tensor *y = work->y;
    return work->link == NULL && y->op->part != NULL && (y->op->flags & WG_OP_ELEMENTWISE) &&
           y->op->check == NULL && y->size > 0 && y->n_operands <= WG_STEP_OPERANDS &&
           work->piece_chunks >= work->chunks && !p->tape->options.check_finite &&
           plan_is_flat(y, step);
}

static void plan_settle_step(const wg_program *p, wg_step *step, const wg_step_work *work)
{
    const wg_tensor *y = work->y;
    int64_t choice[WG_ELEMENTWISE_OPERANDS];
    *step = (wg_step){.y = y->data};
    if (!plan_is_call(p, work, choice))
        return;
    step->map = y->op->map[y->operand[0]->dtype];
    step->n = y->size;
    step->attrs = y->attrs;
    unsigned which = 0;
    for (int k = 0; k < y->n_operands; k++) {
        step->x[k] = y->operand[k]->data;
        which |= choice[k] != 0 ? 1u << k : 0;
    }
    step->step = plan_step_choices[which];
}

void wg_program_settle(wg_program *p)
{
    for (int64_t i = 0; i < p->n_nodes; i++) {
        wg_tensor *y = &p->node[i];
        if ((y->op->flags & WG_OP_VIEW) && plan_is_computed(y))
            wg_node_view(y);
    }
    for (int64_t s = 0; s < p->n_steps; s++)
        plan_settle_step(p, &p->step[s], &p->work[s]);
    p->settled = true;
}
