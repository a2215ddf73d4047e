/* Which values are older than the leaves that they were computed from. Writing a leaf only notes
 * it; the first question after that goes once over the tape from there on, since operands are older
 * than what is computed from them, and all others look at a bit. */
#include "autograd/tape_internal.h"

void wg_stale_from(wg_tape *t, int64_t first)
{
    t->written_first = t->written && t->written_first < first ? t->written_first : first;
    t->written = true;
}

void wg_leaf_written(wg_tensor *leaf)
{
    leaf->state |= WG_NODE_WRITTEN;
    leaf->written = ++leaf->tape->clock;
    wg_stale_from(leaf->tape, leaf->index);
}

static bool stale_leaf(const wg_tensor *x)
{
    return x->op->stale != NULL && x->op->stale(x);
}

/* A view of a leaf is as fresh as the leaf: it follows it to other memory, and is written, too. */
static void stale_follow(wg_tensor *y, unsigned operands)
{
    if ((y->op->flags & WG_OP_VIEW) && !(operands & WG_NODE_STALE)) {
        wg_node_view(y);
        y->state &= ~(unsigned)WG_NODE_STALE; /* as of the output of a program that had not run */
        y->state |= WG_NODE_WRITTEN;
    } else {
        y->state |= WG_NODE_STALE;
    }
}

void wg_stale_spread(wg_tape *t)
{
    for (int64_t i = t->written_first; i < t->size; i++) {
        wg_tensor *y = t->node[i];
        unsigned operands = 0;
        for (int k = 0; k < y->n_operands; k++)
            operands |= y->operand[k]->state;
        if (stale_leaf(y))
            y->state |= WG_NODE_STALE;
        else if ((operands & (WG_NODE_STALE | WG_NODE_WRITTEN)) && !(y->state & WG_NODE_ABSTRACT))
            stale_follow(y, operands);
    }
    for (int64_t i = t->written_first; i < t->size; i++)
        t->node[i]->state &= ~(unsigned)WG_NODE_WRITTEN;
    t->written = false;
}

bool wg_is_stale(const wg_tensor *x)
{
    if (wg_is_inert(x))
        return false;
    if (x->n_operands == 0 && !(x->state & WG_NODE_FOLLOWS))
        return stale_leaf(x);
    if (x->tape->written)
        wg_stale_spread(x->tape);
    return (x->state & WG_NODE_STALE) != 0;
}

bool wg_must_be_fresh(const wg_tensor *x, const char *who)
{
    if (!wg_is_stale(x))
        return true;
    wg_fail(x->tape, WG_E_STALE, "%s: %s is older than the leaves it was computed from: %s first",
            who, wg_tensor_text(x).s, x->n_operands == 0 ? "run its program" : "replay");
    return false;
}
