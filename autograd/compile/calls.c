/* The calls of kernels that steps consist of, and the addresses that they are given. */
#include "autograd/compile/program_internal.h"

/* Steps of 0 and 1, for every choice of them: the first of three is the lowest bit. */
static const int64_t call_step_choices[8][WG_CALL_OPERANDS] = {
    {0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}};

/* Has every operand y's size or one element? Then its stride is 1 or 0, and no walk over axes is
 * needed: bit k of *which. */
static bool call_is_flat(const wg_tensor *y, unsigned *which)
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
static wg_map *call_map(const wg_tensor *y, wg_call *call)
{
    unsigned which;
    if (y->op->check != NULL || y->size == 0)
        return NULL;
    if (y->op == &wg_op_add_n && y->n_operands > WG_CALL_OPERANDS) {
        call->x[WG_CALL_ATTRS] = y->plan;
        return wg_add_n_map(y);
    }
    if (y->n_operands > WG_CALL_OPERANDS || !call_is_flat(y, &which))
        return NULL;
    call->x[WG_CALL_ATTRS] = y->attrs;
    call->step = call_step_choices[which];
    const bool elementwise = (y->op->flags & WG_OP_ELEMENTWISE) && y->op->part != NULL;
    return elementwise ? y->op->map[y->operand[0]->dtype] : wg_add_n_map(y);
}

/* Where the call finds the addresses of y's operands. */
static const void **call_operands(const wg_tensor *y, wg_call *call)
{
    return y->n_operands > WG_CALL_OPERANDS ? ((wg_add_n_call *)y->plan)->term : call->x;
}

/* Is all of y one call of a kernel, with operands in memory but where a tile is given? */
static bool call_of(const wg_tensor *y, wg_call *call)
{
    *call = (wg_call){.n = y->size, .y = y->data};
    call->map = call_map(y, call);
    for (int k = 0; call->map != NULL && k < y->n_operands; k++)
        call_operands(y, call)[k] = y->operand[k]->data;
    return call->map != NULL;
}

/* The same for a link. */
static bool call_of_link(const wg_chain_link *link, wg_call *call)
{
    const wg_tensor *x[WG_ELEMENTWISE_OPERANDS];
    if (link->join == NULL)
        return call_of(link->y, call);
    *call = (wg_call){.n = link->y->size, .map = link->join->map[link->y->dtype]};
    call->x[WG_CALL_ATTRS] = wg_link_attrs(link);
    wg_link_operands(link, x);
    for (int k = 0; k < link->n_operands; k++)
        call->x[k] = x[k]->data;
    return true;
}

/* What no kernel does: link n of a step, or what n says besides. */
static wg_call call_other(const wg_step_work *work, int64_t n)
{
    return (wg_call){.n = n, .x = {[WG_CALL_ATTRS] = work}};
}

wg_call wg_program_call(const wg_program *p, const wg_step_work *work, int i)
{
    wg_call call;
    if (work->band != NULL)
        return call_other(work, -2);
    if (work->link != NULL && work->calls == work->n_links)
        return call_of_link(&work->link[i], &call) ? call : call_other(work, i);
    if (work->link != NULL || work->piece_chunks < work->chunks || p->tape->options.check_finite ||
        !call_of(work->y, &call))
        return call_other(work, -1);
    return call;
}

/* What is in tiles is in the workspace of the caller, who is worker 0. */
static void call_find_tiles(const wg_program *p, const wg_step_work *work,
                            const wg_chain_link *link, wg_call *call)
{
    call->y = wg_chain_tile(link, 0, p->workspace);
    for (int k = 0; k < link->n_operands; k++)
        if (link->source[k] >= 0)
            call_operands(link->y, call)[k] = wg_chain_tile(&work->link[link->source[k]], 0,
                                                            p->workspace);
}

/* Call i of a step to its place. */
static void call_store(wg_program *p, const wg_step_work *work, int i, int64_t place)
{
    wg_call call = wg_program_call(p, work, i);
    if (work->link != NULL && call.map != NULL)
        call_find_tiles(p, work, &work->link[i], &call);
    if (place >= 0) {
        p->call[place] = call;
        return;
    }
    wg_run_address *run = &p->run[~place];
    run->y = call.y;
    for (int k = 0; k < wg_call_operands(work, i); k++)
        run[1 + k].x = call.x[k];
}

void wg_program_settle(wg_program *p)
{
    for (int64_t i = 0; i < p->n_nodes; i++) {
        wg_tensor *y = &p->node[i];
        if ((y->op->flags & WG_OP_VIEW) && wg_program_computes(y))
            wg_node_view(y);
    }
    int64_t n = 0;
    for (int64_t s = 0; s < p->n_steps; s++)
        for (int i = 0; i < p->work[s].calls; i++, n++)
            call_store(p, &p->work[s], i, p->place != NULL ? p->place[n] : n);
    p->settled = true;
}
