/* Chains of elementwise ops: nodes of one size that are computed together, tile by tile. */
#include "autograd/compile/program_internal.h"

/* A tile of a value is made, read and forgotten in cache, by the same kernels on the same elements,
 * so that the bits are the same; what others read as well is stored besides. The sum of all
 * elements may be a link as well: it takes tile after tile.
 *
 * A chain runs when its last node would. A node joins the chain that reads it first, so all that
 * read it run no earlier; and all that a chain reads is in it, or in one whose last node is older
 * than its own, which has run. */

#define CHAIN_LINKS      256   /* at most */
#define CHAIN_WRITTEN    24    /* of a loop that is written: one that can be read */
#define CHAIN_WORKSPACE  32768 /* bytes for the tiles of all links: they stay in the first cache */
#define CHAIN_PIECE      32768 /* elements at least, of work that threads share */
#define CHAIN_TILE_MOST  2048  /* elements: more does not lower the cost of a call */
#define CHAIN_TILE_LEAST 512   /* fewer raise it, more than the first cache does */

/* ---- Finding chains -------------------------------------------------------------------------- */

const wg_chain_limits wg_chain_run_limits = {1, CHAIN_LINKS, false};
const wg_chain_limits wg_chain_written_limits = {2, CHAIN_WRITTEN, true};

static bool chain_takes(const wg_tensor *y, const wg_chain_limits *limits)
{
    if (y->size < limits->shortest || (limits->written && y->op->write_c != NULL))
        return false;
    return y->op->part != NULL && (limits->written || y->n_operands <= WG_ELEMENTWISE_OPERANDS);
}

/* Into how many pieces work on so many elements is cut. */
static int64_t chain_pieces(const wg_program *p, int64_t size)
{
    return p->pool != NULL && size >= 2 * CHAIN_PIECE ? size / CHAIN_PIECE : 1;
}

/* Is y a reduction of all of its operand that may be the end of a chain? It goes from tile to tile,
 * so that such a chain is not cut. */
static bool chain_folds(const wg_program *p, const wg_tensor *y, const wg_chain_limits *limits)
{
    return !limits->written && y->op->fold != NULL && y->op->check == NULL && y->size == 1 &&
           y->dtype != WG_I64 && y->operand[0]->size > 1 &&
           chain_pieces(p, y->operand[0]->size) == 1;
}

/* How many elements a chain with y has. */
static int64_t chain_size(const wg_program_fact *fact, const wg_tensor *y)
{
    return fact->folds ? y->operand[0]->size : y->size;
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
static bool chain_reads_tile(const wg_program *p, const wg_program_fact *fact, const wg_tensor *x,
                             const wg_tensor *y, const wg_chain_limits *limits)
{
    const wg_program_fact *f = &fact[x - p->node], *reader = &fact[y - p->node];
    const bool takes = chain_takes(limits->written ? x : chain_base(x), limits) ||
                       (!f->pinned && chain_takes_rows(x, limits));
    return f->computed && takes && (chain_takes(y, limits) || reader->folds) &&
           y->op->check == NULL &&
           (limits->written ? wg_shape_same(&x->shape, &y->shape)
                            : x->size == chain_size(reader, y));
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
        chain_tell(x, chain, chain_reads_tile(p, fact, y->operand[k], y, limits));
    }
}

/* The chain that node i joins: the one that reads it first, if all that do so there can read tiles;
 * a reduction, which nothing reads there: the step that runs next, if it is a chain of its size.
 * -1: none. */
static int64_t chain_to_join(const wg_program *p, const wg_program_fact *fact, int64_t i,
                             int64_t next, const wg_chain_limits *limits)
{
    const wg_program_fact *f = &fact[i];
    const wg_tensor *y = &p->node[i];
    const int64_t chain = f->folds ? next : f->first;
    if (chain < 0 || (f->folds ? chain == f->first : !f->tiled || (limits->written && f->many)))
        return -1;
    const wg_program_fact *last = &fact[chain];
    if (f->folds && (!(last->folds || chain_takes(&p->node[chain], limits)) ||
                     chain_size(last, &p->node[chain]) != chain_size(f, y)))
        return -1;
    const bool room = last->links < limits->links && !(last->rows && chain_takes_rows(y, limits));
    return room ? chain : -1;
}

static void chain_join(const wg_program *p, wg_program_fact *fact, int64_t i, int64_t chain,
                       const wg_chain_limits *limits)
{
    wg_program_fact *f = &fact[i], *last = &fact[chain];
    f->sunk = true;
    f->chain = chain;
    f->next = last->head;
    last->head = i;
    last->links++;
    last->rows = last->rows || chain_takes_rows(&p->node[i], limits);
}

/* From the last node to the first: all that read a node are met before it. */
void wg_chain_find(const wg_program *p, wg_program_fact *fact, const wg_chain_limits *limits)
{
    int64_t next = -1; /* the step that runs before all others that there are so far */
    for (int64_t i = p->n_nodes - 1; i >= 0; i--) {
        const wg_tensor *y = &p->node[i];
        if (!fact[i].computed)
            continue;
        if (y->op->flags & WG_OP_VIEW) {
            chain_tell_viewed(p, fact, y);
            continue;
        }
        fact[i].folds = chain_folds(p, y, limits);
        const int64_t chain = chain_to_join(p, fact, i, next, limits);
        if (chain >= 0)
            chain_join(p, fact, i, chain, limits);
        else
            next = i;
        chain_tell_operands(p, fact, y, limits);
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

/* Tiles are values that need memory from one link to another; an element has 8 bytes there,
 * whatever its dtype. Lists those of work's links; `which` has their numbers. */
static int chain_list_tiles(const wg_program *p, const wg_program_fact *fact, wg_step_work *work,
                            wg_stretch *x, int *which)
{
    int n = 0;
    for (int i = 0; i < work->n_links; i++) {
        wg_chain_link *link = &work->link[i];
        for (int k = 0; k < link->n_operands; k++)
            if (link->source[k] >= 0)
                x[work->link[link->source[k]].slot].dies = i;
        if (wg_program_is_stored(&fact[link->y - p->node]))
            continue;
        link->slot = n;
        which[n] = i;
        x[n++] = (wg_stretch){8, i, i, 0};
    }
    return n;
}

/* Gives tiles, and states of reductions, their slots in the workspace. */
static bool chain_place(const wg_program *p, const wg_program_fact *fact, wg_step_work *work)
{
    wg_tape *t = p->tape;
    wg_stretch *x = wg_arena_take(&t->scratch, (size_t)work->n_links * sizeof *x, WG_ALIGNMENT);
    int *which = wg_arena_take(&t->scratch, (size_t)work->n_links * sizeof *which, WG_ALIGNMENT);
    if (x == NULL || which == NULL) {
        wg_fail(t, WG_E_NOMEM, "compile: out of memory");
        return false;
    }
    const int n = chain_list_tiles(p, fact, work, x, which);
    const int64_t bytes = wg_stretches_place(t, x, n, work->n_links);
    if (bytes < 0)
        return false;
    work->tile = chain_tile_size(bytes, work->size);
    for (int i = 0; i < n; i++)
        work->link[which[i]].slot = x[i].start * work->tile;
    int64_t end = bytes * work->tile;
    for (int i = 0; i < work->n_links; i++)
        if (fact[work->link[i].y - p->node].folds) {
            work->link[i].slot = end;
            end += WG_FOLD_STATE;
        }
    work->workspace = (size_t)end;
    return true;
}

bool wg_chain_init(const wg_program *p, wg_program_fact *fact, int64_t last, wg_step_work *work)
{
    work->y = &p->node[last];
    work->size = work->chunks = chain_size(&fact[last], work->y);
    const int64_t pieces = chain_pieces(p, work->size);
    work->piece_chunks = (work->size + pieces - 1) / pieces;
    work->link = wg_tape_take(p->tape, (size_t)fact[last].links * sizeof *work->link);
    if (work->link == NULL)
        return false;
    for (int64_t i = fact[last].head; i != -1; i = fact[i].next) {
        wg_chain_link *link = &work->link[work->n_links];
        *link = (wg_chain_link){.y = &p->node[i], .slot = -1, .folds = fact[i].folds};
        fact[i].link = work->n_links++;
        link->n_operands = link->folds ? 1 : link->y->n_operands;
        for (int k = 0; k < link->n_operands; k++)
            link->source[k] = chain_source(p, fact, last, link->y->operand[k]);
    }
    return wg_links_join(p, work) && chain_place(p, fact, work);
}

/* ---- Running it ------------------------------------------------------------------------------ */

bool wg_chain_check(const wg_step_work *work)
{
    for (int i = 0; i < work->n_links; i++)
        if (!wg_node_check(work->link[i].y))
            return false;
    return true;
}

void *wg_chain_tile(const wg_chain_link *link, int64_t begin, void *workspace)
{
    return link->slot >= 0 && !link->folds ? (char *)workspace + link->slot
                                           : (char *)link->y->data + chain_bytes(link->y, begin);
}

static void chain_fold(const wg_step_work *work, const wg_chain_link *link, int64_t begin,
                       int64_t end, void *workspace)
{
    const wg_tensor *x = link->y->operand[0];
    const int from = link->source[0];
    const void *tile = from >= 0 ? wg_chain_tile(&work->link[from], begin, workspace)
                                 : (const char *)x->data + chain_bytes(x, begin);
    link->y->op->fold(link->y, begin, end, tile, (char *)workspace + link->slot);
}

/* tile[k] is operand k of the kernel, or NULL: that is in memory. */
static void chain_run_join(const wg_chain_link *link, int64_t begin, int64_t end, void *out,
                           const void *tile[])
{
    const wg_tensor *x[WG_ELEMENTWISE_OPERANDS];
    wg_link_operands(link, x);
    for (int k = 0; k < link->n_operands; k++)
        if (tile[k] == NULL)
            tile[k] = (const char *)x[k]->data + chain_bytes(x[k], begin);
    link->join->map[link->y->dtype](end - begin, out, tile, NULL, wg_link_attrs(link));
}

void wg_chain_run_link(const wg_step_work *work, int64_t i, int64_t begin, int64_t end,
                       void *workspace)
{
    const wg_chain_link *link = &work->link[i];
    const void *tile[WG_ELEMENTWISE_OPERANDS];
    if (link->folds) {
        chain_fold(work, link, begin, end, workspace);
        return;
    }
    for (int k = 0; k < link->n_operands; k++) {
        int from = link->source[k];
        tile[k] = from >= 0 ? wg_chain_tile(&work->link[from], begin, workspace) : NULL;
    }
    void *out = wg_chain_tile(link, begin, workspace);
    if (link->join != NULL)
        chain_run_join(link, begin, end, out, tile);
    else
        link->y->op->part(link->y, begin, end, out, tile);
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
