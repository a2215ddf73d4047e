/* Joins: a link of a chain and those that it alone reads become one, where a kernel of their ops
 * is known. */
#include "autograd/compile/program_internal.h"

/* What is in between is in a register, and has no tile. The kernel runs where the outer one would
 * have run; operands of the inner ones are kept until then, for tiles are placed later, and what is
 * in memory stays there until the step has run. */

static const wg_join *join_listed(const wg_join *list, const wg_op *inner, const wg_tensor *y,
                                  unsigned which)
{
    for (; list != NULL && list->inner != NULL; list++)
        if (list->inner == inner && list->outer == y->op && list->which == which &&
            list->map[y->dtype] != NULL)
            return list;
    return NULL;
}

/* Do all operands have as many elements as y? */
static bool join_is_flat(const wg_tensor *y)
{
    for (int k = 0; k < y->n_operands; k++)
        if (y->operand[k]->size != y->size)
            return false;
    return true;
}

/* The kernel of link y and its operands `which`, of which each is one that it alone reads; NULL:
 * there is none. */
static const wg_join *join_find(const wg_step_work *work, const wg_chain_link *link, unsigned which)
{
    const wg_op *inner = NULL;
    for (int k = 0; k < link->n_operands; k++) {
        const wg_op *op = which >> k & 1 ? work->link[link->source[k]].y->op : inner;
        if (inner != NULL && op != inner)
            return NULL;
        inner = op;
    }
    const wg_join *join = join_listed(link->y->op->joins, inner, link->y, which);
    return join != NULL ? join : join_listed(inner->joins, inner, link->y, which);
}

/* The kernel that takes in as many operands as any does. */
static const wg_join *join_best(const wg_step_work *work, const wg_chain_link *link,
                                const int *reads)
{
    unsigned can = 0;
    if (link->folds || link->n_operands > 2 || !join_is_flat(link->y))
        return NULL;
    for (int k = 0; k < link->n_operands; k++) {
        const wg_chain_link *from = link->source[k] >= 0 ? &work->link[link->source[k]] : NULL;
        if (from != NULL && reads[link->source[k]] == 1 && from->join == NULL &&
            join_is_flat(from->y))
            can |= 1u << k;
    }
    for (unsigned which = can; which != 0; which = (which - 1) & can) {
        const wg_join *join = join_find(work, link, which);
        if (join != NULL)
            return join;
    }
    return NULL;
}

/* Operands of the inner links come first. */
static void join_make(wg_step_work *work, wg_chain_link *link, const wg_join *join)
{
    const wg_chain_link outer = *link;
    link->join = join;
    link->n_operands = 0;
    for (int k = 0, m = 0; k < outer.n_operands; k++) {
        if (!(join->which >> k & 1))
            continue;
        wg_chain_link *inner = &work->link[outer.source[k]];
        link->inner[m++] = inner->y;
        for (int j = 0; j < inner->n_operands; j++)
            link->source[link->n_operands++] = inner->source[j];
    }
    for (int k = 0; k < outer.n_operands; k++)
        if (!(join->which >> k & 1))
            link->source[link->n_operands++] = outer.source[k];
}

/* Takes away links that nothing reads any more, `reads` being -1; that becomes each one's new
 * number. */
static void join_close_up(wg_step_work *work, int *reads)
{
    int n = 0;
    for (int i = 0; i < work->n_links; i++) {
        if (reads[i] < 0)
            continue;
        wg_chain_link *link = &work->link[n];
        *link = work->link[i];
        for (int k = 0; k < link->n_operands; k++)
            if (link->source[k] >= 0)
                link->source[k] = reads[link->source[k]];
        reads[i] = n++;
    }
    work->n_links = n;
}

bool wg_links_join(const wg_program *p, wg_step_work *work)
{
    int *reads = wg_arena_take(&p->tape->scratch, (size_t)work->n_links * sizeof *reads,
                               WG_ALIGNMENT); /* of each link's tile */
    if (reads == NULL) {
        wg_fail(p->tape, WG_E_NOMEM, "compile: out of memory");
        return false;
    }
    for (int i = 0; i < work->n_links; i++) {
        wg_chain_link *link = &work->link[i];
        reads[i] = 0;
        for (int k = 0; k < link->n_operands; k++)
            if (link->source[k] >= 0)
                reads[link->source[k]]++;
    }
    for (int i = 0; i < work->n_links; i++) {
        wg_chain_link *link = &work->link[i];
        const wg_join *join = join_best(work, link, reads);
        if (join == NULL)
            continue;
        for (int k = 0; k < link->n_operands; k++)
            if (join->which >> k & 1)
                reads[link->source[k]] = -1;
        join_make(work, link, join);
    }
    join_close_up(work, reads);
    return true;
}

void wg_link_operands(const wg_chain_link *link, const wg_tensor *x[WG_ELEMENTWISE_OPERANDS])
{
    int n = 0;
    const unsigned which = link->join != NULL ? link->join->which : 0;
    for (int i = 0; i < 2 && link->inner[i] != NULL; i++)
        for (int k = 0; k < link->inner[i]->n_operands; k++)
            x[n++] = link->inner[i]->operand[k];
    for (int k = 0; n < link->n_operands; k++)
        if (!(which >> k & 1))
            x[n++] = link->y->operand[k];
}
