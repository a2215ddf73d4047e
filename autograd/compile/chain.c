/* Chains of elementwise ops: nodes of one size that are computed together, tile by tile. A tile of
 * a value is made, read and forgotten in cache, by the same kernels on the same elements, so that
 * the bits are the same; what others read as well is stored besides.
 *
 * A chain runs when its last node would. A node joins the chain that reads it first, so all that
 * read it run no earlier; and all that a chain reads is in it, or in one whose last node is older
 * than its own, which has run. */
#include "autograd/compile/program_internal.h"

#define CHAIN_LINKS      256   /* at most */
#define CHAIN_WORKSPACE  32768 /* bytes for the tiles of all links: they stay in the first cache */
#define CHAIN_TILE_MOST  2048  /* elements: more does not lower the cost of a call */
#define CHAIN_TILE_LEAST 256   /* fewer raise it, more than the first cache does */

/* ---- Finding chains -------------------------------------------------------------------------- */

const wg_chain_limits wg_chain_run_limits = {1, CHAIN_LINKS, false};
const wg_chain_limits wg_chain_written_limits = {2, 24, true};

static bool chain_takes(const wg_tensor *y, const wg_chain_limits *limits)
{
    if (y->size < limits->shortest || (limits->written && y->op->write_c != NULL))
        return false;
    return y->op->part != NULL && (limits->written || y->n_operands <= WG_ELEMENTWISE_OPERANDS);
}

/* A matrix of which one row at a time can be computed, whatever the others are. */
static bool chain_takes_rows(const wg_tensor *y, const wg_chain_limits *limits)
{
    bool matrices = limits->written && (y->op->flags & WG_OP_ROWS) && y->shape.ndim == 2;
    for (int k = 0; matrices && k < y->n_operands; k++)
        matrices = y->operand[k]->shape.ndim == 2;
    return matrices && y->size >= limits->shortest;
}

/* Does the view have all elements of its operand, in their order? */
static bool chain_is_whole(const wg_tensor *view)
{
    return view->size == view->operand[0]->size && view->dtype == view->operand[0]->dtype;
}

/* The value that x, maybe through views, is in another shape. */
static const wg_tensor *chain_base(const wg_tensor *x)
{
    while ((x->op->flags & WG_OP_VIEW) && x->n_operands > 0 && chain_is_whole(x))
        x = x->operand[0];
    return x;
}

/* Can y, inside a chain, read x from a tile? What a check reads must be in memory. */
static bool chain_reads_tile(const wg_program_fact *fact, const wg_tensor *x, const wg_tensor *y,
                             const wg_chain_limits *limits)
{
    const wg_tensor *base = limits->written ? x : chain_base(x);
    const bool takes = chain_takes(base, limits) || (!fact->pinned && chain_takes_rows(x, limits));
    return fact->computed && takes && chain_takes(y, limits) && y->op->check == NULL &&
           (limits->written ? wg_shape_same(&x->shape, &y->shape) : x->size == y->size);
}

/* Tells x that the chain that ends at node `chain` reads it, from a tile or not. */
static void chain_tell(wg_program_fact *x, int64_t chain, bool tile)
{
    x->many = x->many || (x->first >= 0 && x->first != chain);
    if (x->first < 0 || chain < x->first) {
        x->first = chain;
        x->tiled = tile;
    } else if (chain == x->first)
        x->tiled = x->tiled && tile;
}

/* A view is read where its readers are. */
static void chain_tell_viewed(const wg_program *p, wg_program_fact *fact, const wg_tensor *y)
{
    const wg_program_fact *f = &fact[y - p->node];
    wg_program_fact *x = &fact[y->operand[0] - p->node];
    if (f->first < 0)
        return;
    chain_tell(x, f->first, f->tiled && chain_is_whole(y));
    x->many = x->many || f->many;
}

static void chain_tell_operands(const wg_program *p, wg_program_fact *fact, const wg_tensor *y,
                                const wg_chain_limits *limits)
{
    const int64_t chain = fact[y - p->node].chain;
    for (int k = 0; k < y->n_operands; k++) {
        wg_program_fact *x = &fact[y->operand[k] - p->node];
        chain_tell(x, chain, chain_reads_tile(x, y->operand[k], y, limits));
    }
}

/* May node i join the chain that reads it first? */
static bool chain_joins(const wg_program *p, const wg_program_fact *fact, int64_t i,
                        const wg_chain_limits *limits)
{
    const wg_program_fact *f = &fact[i];
    if (f->first < 0 || !f->tiled || (limits->written && f->many))
        return false;
    const wg_program_fact *last = &fact[f->first];
    return last->links < limits->links && !(last->rows && chain_takes_rows(&p->node[i], limits));
}

/* From the last node to the first: all that read a node are met before it. */
void wg_chain_find(const wg_program *p, wg_program_fact *fact, const wg_chain_limits *limits)
{
    for (int64_t i = p->n_nodes - 1; i >= 0; i--) {
        wg_program_fact *f = &fact[i];
        if (!f->computed)
            continue;
        if (p->node[i].op->flags & WG_OP_VIEW) {
            chain_tell_viewed(p, fact, &p->node[i]);
            continue;
        }
        if (chain_joins(p, fact, i, limits)) {
            wg_program_fact *last = &fact[f->first];
            f->sunk = true;
            f->chain = f->first;
            f->next = last->head;
            last->head = i;
            last->links++;
            last->rows = last->rows || chain_takes_rows(&p->node[i], limits);
        }
        chain_tell_operands(p, fact, &p->node[i], limits);
    }
}

/* ---- Making one ------------------------------------------------------------------------------ */

/* The link whose tile is x; -1: x is in memory. */
static int chain_source(const wg_program *p, const wg_program_fact *fact, int64_t last,
                        const wg_tensor *x)
{
    const wg_program_fact *f = &fact[chain_base(x) - p->node];
    return f->chain == last && !wg_program_is_stored(f) ? f->link : -1;
}

static int64_t chain_bytes(const wg_tensor *y, int64_t elements)
{
    return elements * (int64_t)wg_dtype_size(y->dtype);
}

/* How many elements are computed together, where one element of all tiles that are needed at a
 * time takes so many bytes. */
static int64_t chain_tile_size(int64_t bytes, int64_t size)
{
    int64_t tile = bytes > 0 ? CHAIN_WORKSPACE / bytes / 64 * 64 : CHAIN_TILE_MOST;
    tile = tile > CHAIN_TILE_MOST ? CHAIN_TILE_MOST : tile;
    tile = tile < CHAIN_TILE_LEAST ? CHAIN_TILE_LEAST : tile;
    return tile < size ? tile : size > 0 ? size : 1;
}

/* Tiles share the workspace as values share memory: by when they are read last. The unit is an
 * element of 8 bytes, whatever the dtype. */
static bool chain_place(wg_tape *t, wg_step_work *work, const wg_program *p,
                        const wg_program_fact *fact)
{
    wg_stretch *x = wg_arena_take(&t->scratch, (size_t)work->n_links * sizeof *x, WG_ALIGNMENT);
    int *which = wg_arena_take(&t->scratch, (size_t)work->n_links * sizeof *which, WG_ALIGNMENT);
    if (x == NULL || which == NULL)
        return wg_fail(t, WG_E_NOMEM, "compile: out of memory") == NULL;
    int n = 0;
    for (int i = 0; i < work->n_links; i++)
        if (!wg_program_is_stored(&fact[work->link[i].y - p->node])) {
            work->link[i].slot = n;
            which[n] = i;
            x[n++] = (wg_stretch){8, i, i, 0};
        }
    for (int i = 0; i < work->n_links; i++)
        for (int k = 0; k < work->link[i].y->n_operands; k++)
            if (work->link[i].source[k] >= 0)
                x[work->link[work->link[i].source[k]].slot].dies = i;
    const int64_t bytes = wg_stretches_place(t, x, n, work->n_links);
    work->tile = chain_tile_size(bytes, work->y->size);
    for (int i = 0; i < n; i++)
        work->link[which[i]].slot = x[i].start * work->tile;
    work->workspace = (size_t)(bytes * work->tile);
    return bytes >= 0;
}

bool wg_chain_init(const wg_program *p, wg_program_fact *fact, int64_t last, wg_step_work *work)
{
    work->y = &p->node[last];
    work->link = wg_tape_take(p->tape, (size_t)fact[last].links * sizeof *work->link);
    if (work->link == NULL)
        return false;
    for (int64_t i = fact[last].head; i != -1; i = fact[i].next) {
        wg_chain_link *link = &work->link[work->n_links];
        *link = (wg_chain_link){.y = &p->node[i], .slot = -1};
        fact[i].link = work->n_links++;
        for (int k = 0; k < link->y->n_operands; k++)
            link->source[k] = chain_source(p, fact, last, link->y->operand[k]);
    }
    return chain_place(p->tape, work, p, fact);
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

void *wg_chain_tile(const wg_chain_link *link, int64_t begin, void *workspace)
{
    return link->slot >= 0 ? (char *)workspace + link->slot
                           : (char *)link->y->data + chain_bytes(link->y, begin);
}

void wg_chain_run_link(const wg_step_work *work, int64_t i, int64_t begin, int64_t end,
                       void *workspace)
{
    const wg_chain_link *link = &work->link[i];
    const void *tile[WG_ELEMENTWISE_OPERANDS];
    for (int k = 0; k < link->y->n_operands; k++) {
        int from = link->source[k];
        tile[k] = from >= 0 ? wg_chain_tile(&work->link[from], begin, workspace) : NULL;
    }
    link->y->op->part(link->y, begin, end, wg_chain_tile(link, begin, workspace), tile);
}

void wg_chain_run(const wg_step_work *work, const wg_piece *piece)
{
    for (int64_t begin = piece->begin; begin < piece->end; begin += work->tile) {
        const int64_t left = piece->end - begin,
                      end = begin + (left < work->tile ? left : work->tile);
        for (int i = 0; i < work->n_links; i++)
            wg_chain_run_link(work, i, begin, end, piece->workspace);
    }
}
