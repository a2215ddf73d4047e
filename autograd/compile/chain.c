/* Chains of elementwise ops. A node whose consumers are all elementwise, of its own shape, and in
 * one chain is computed with them, tile by tile: a tile of it is made, read and forgotten in cache,
 * by the same kernels on the same elements, so that the bits are the same.
 *
 * That is legal: all that a chain reads is older than its links, and nothing but links reads a link
 * that is not stored; so all links can be computed when the last of them is. */
#include "autograd/compile/program_internal.h"

#define CHAIN_LINKS     12    /* at most */
#define CHAIN_WORKSPACE 32768 /* bytes for the tiles of all links: they stay in the first cache */
#define CHAIN_TILE      2048  /* elements at most: more does not lower the cost of a call */

/* ---- Finding chains -------------------------------------------------------------------------- */

/* Fewer than 256 elements are in cache anyway. */
const wg_chain_limits wg_chain_run_limits = {256, CHAIN_LINKS, false};
const wg_chain_limits wg_chain_written_limits = {2, 2 * CHAIN_LINKS, true};

static bool chain_takes(const wg_tensor *y, const wg_chain_limits *limits)
{
    if (y->size < limits->shortest || (limits->written && y->op->write_c != NULL))
        return false;
    return ((y->op->flags & WG_OP_ELEMENTWISE) && y->op->part != NULL) ||
           (limits->written && y->op == &wg_op_add_n);
}

/* A matrix of which one row at a time can be computed, whatever the others are. */
static bool chain_takes_rows(const wg_tensor *y, const wg_chain_limits *limits)
{
    bool matrices = limits->written && (y->op->flags & WG_OP_ROWS) && y->shape.ndim == 2;
    for (int k = 0; matrices && k < y->n_operands; k++)
        matrices = y->operand[k]->shape.ndim == 2;
    return matrices && y->size >= limits->shortest;
}

/* Can y, inside a chain, read x from a tile? What a check reads must be in memory. */
static bool chain_can_sink(const wg_program *p, const wg_program_fact *fact, const wg_tensor *x,
                           const wg_tensor *y, const wg_chain_limits *limits)
{
    const wg_program_fact *f = &fact[x - p->node];
    const bool takes = f->pinned ? limits->written && chain_takes(x, limits)
                                 : chain_takes(x, limits) || chain_takes_rows(x, limits);
    return f->computed && takes && chain_takes(y, limits) && y->op->check == NULL &&
           wg_shape_same(&x->shape, &y->shape);
}

/* Tells y's operands that y, of the chain `chain`, reads them. */
static void chain_tell_operands(const wg_program *p, wg_program_fact *fact, const wg_tensor *y,
                                int64_t chain, const wg_chain_limits *limits)
{
    for (int k = 0; k < y->n_operands; k++) {
        wg_program_fact *x = &fact[y->operand[k] - p->node];
        if (!chain_can_sink(p, fact, y->operand[k], y, limits) ||
            (x->sink != -1 && x->sink != chain))
            x->sink = -2;
        else
            x->sink = chain;
    }
}

static bool chain_has_room(const wg_program *p, const wg_program_fact *fact, int64_t i,
                           const wg_chain_limits *limits)
{
    const wg_program_fact *last = &fact[fact[i].sink];
    return last->links < limits->links && !(last->rows && chain_takes_rows(&p->node[i], limits));
}

/* From the last node to the first: all consumers of a node are met before it. */
void wg_chain_find(const wg_program *p, wg_program_fact *fact, const wg_chain_limits *limits)
{
    for (int64_t i = p->n_nodes - 1; i >= 0; i--) {
        wg_program_fact *f = &fact[i];
        if (!f->computed)
            continue;
        if (f->sink >= 0 && chain_has_room(p, fact, i, limits)) {
            wg_program_fact *last = &fact[f->sink];
            f->sunk = true;
            f->chain = f->sink;
            f->next = last->head;
            last->head = i;
            last->links++;
            last->rows = last->rows || chain_takes_rows(&p->node[i], limits);
        }
        chain_tell_operands(p, fact, &p->node[i], f->chain, limits);
    }
}

/* ---- Making one ------------------------------------------------------------------------------ */

static int chain_source(const wg_step_work *work, const wg_tensor *x)
{
    for (int i = 0; i < work->n_links; i++)
        if (work->link[i].y == x && work->link[i].slot >= 0)
            return i;
    return -1;
}

static int64_t chain_tile_bytes(const wg_tensor *y, int64_t tile)
{
    return tile * (int64_t)wg_dtype_size(y->dtype);
}

/* Tiles are a multiple of 64 elements, which keeps every slot aligned. */
static void chain_choose_tile(wg_step_work *work)
{
    int64_t element = 0; /* bytes of one element of all that is not stored */
    for (int i = 0; i + 1 < work->n_links; i++)
        element += chain_tile_bytes(work->link[i].y, 1);
    work->tile = CHAIN_WORKSPACE / element / 64 * 64;
    if (work->tile > CHAIN_TILE)
        work->tile = CHAIN_TILE;
    int64_t slot = 0;
    for (int i = 0; i + 1 < work->n_links; i++) {
        work->link[i].slot = slot;
        slot += chain_tile_bytes(work->link[i].y, work->tile);
    }
}

bool wg_chain_init(const wg_program *p, const wg_program_fact *fact, int64_t last,
                   wg_step_work *work)
{
    work->y = &p->node[last];
    work->link = wg_tape_take(p->tape, (size_t)fact[last].links * sizeof *work->link);
    if (work->link == NULL)
        return false;
    for (int64_t i = fact[last].head; i != -1; i = fact[i].next)
        work->link[work->n_links++] = (wg_chain_link){.y = &p->node[i], .slot = -1};
    chain_choose_tile(work);
    for (int i = 0; i < work->n_links; i++) {
        const wg_tensor *y = work->link[i].y;
        for (int k = 0; k < y->n_operands; k++)
            work->link[i].source[k] = chain_source(work, y->operand[k]);
    }
    return true;
}

size_t wg_chain_workspace(const wg_step_work *work)
{
    const wg_chain_link *last = &work->link[work->n_links - 2]; /* the last that has a slot */
    return (size_t)(last->slot + chain_tile_bytes(last->y, work->tile));
}

/* ---- Running it ------------------------------------------------------------------------------ */

bool wg_chain_check(const wg_step_work *work)
{
    for (int i = 0; i < work->n_links; i++) {
        const wg_tensor *y = work->link[i].y;
        if (y->op->check != NULL && !y->op->check(y))
            return false;
    }
    return true;
}

static void *chain_tile(const wg_chain_link *link, int64_t begin, void *workspace)
{
    return link->slot >= 0 ? (char *)workspace + link->slot
                           : (char *)link->y->data + chain_tile_bytes(link->y, begin);
}

static void chain_run_tile(const wg_step_work *work, int64_t begin, int64_t end, void *workspace)
{
    for (int i = 0; i < work->n_links; i++) {
        const wg_chain_link *link = &work->link[i];
        const void *tile[WG_ELEMENTWISE_OPERANDS];
        for (int k = 0; k < link->y->n_operands; k++) {
            int from = link->source[k];
            tile[k] = from >= 0 ? chain_tile(&work->link[from], begin, workspace) : NULL;
        }
        link->y->op->part(link->y, begin, end, chain_tile(link, begin, workspace), tile);
    }
}

void wg_chain_run(const wg_step_work *work, const wg_piece *piece)
{
    for (int64_t begin = piece->begin; begin < piece->end; begin += work->tile) {
        int64_t left = piece->end - begin;
        chain_run_tile(work, begin, begin + (left < work->tile ? left : work->tile),
                       piece->workspace);
    }
}
