#ifndef WG_AUTOGRAD_COMPILE_PROGRAM_INTERNAL_H
#define WG_AUTOGRAD_COMPILE_PROGRAM_INTERNAL_H

#include "autograd/compile/program.h"
#include "autograd/run_internal.h"
#include "autograd/tape_internal.h"

#define WG_CALL_OPERANDS 3 /* of an op whose kernel is called directly */

/* A call of a kernel, with all that it is given worked out: a cache line. A step is one, or, where
 * it is a chain of a single tile, one for each link. Attributes stand behind the operands, in the
 * place of the fourth, which joins alone have. */
typedef struct wg_call {
    wg_map *map; /* NULL: the attributes are a wg_step_work, n its link, -1: all, -2: the band */
    int64_t n;
    void *y;
    const int64_t *step; /* [WG_CALL_OPERANDS] */
    const void *x[WG_CALL_OPERANDS + 1];
} wg_call;

#define WG_CALL_ATTRS WG_CALL_OPERANDS /* which x they are */

/* An op of an elementwise chain, or several that one kernel computes. */
typedef struct wg_chain_link {
    wg_tensor *y;
    const wg_join *join;       /* the kernel of y and of */
    const wg_tensor *inner[2]; /* these; NULL: y's op alone */
    int64_t slot;              /* where in the workspace a tile of y is kept; -1: y has memory */
    bool folds;                /* a reduction: y has memory, and the slot its state */
    int n_operands;
    int source[WG_ELEMENTWISE_OPERANDS]; /* the link whose tile is operand k; -1: it has memory */
} wg_chain_link;

/* Steps [begin, end) that go through their rows together. */
typedef struct wg_band {
    int64_t begin, end;
    int64_t rows, at_once;
    wg_tensor **moved; /* [n_moved] what has memory for `at_once` rows, and views of that */
    int64_t n_moved;
} wg_band;

/* What a step does, in full. */
typedef struct wg_step_work {
    wg_tensor *y;        /* the node, or the last one of a chain */
    wg_chain_link *link; /* [n_links] in recording order; NULL: no chain */
    int n_links;
    int calls;                    /* of kernels; 0: the first step of the band makes it */
    wg_band *band;                /* NULL: none */
    int64_t chunks, piece_chunks; /* how the work is cut */
    int64_t size, tile;           /* elements of a chain, and those that are computed together */
    size_t workspace;             /* bytes for the tiles of a chain */
} wg_step_work;

/* An input, and what stands for it in the program. */
typedef struct wg_program_input {
    const wg_tensor *input;
    wg_tensor *twin;
    bool bound; /* to memory of its own */
} wg_program_input;

/* What keeps outputs up to date: they are stale where one of the leaves was
 * written after `ran_at`, or is a stale output itself. */
typedef struct wg_freshness {
    const wg_tensor **leaf; /* [n_leaves] of the tape */
    int64_t n_leaves;
    int64_t ran_at;   /* the tape's clock when the outputs were last computed; -1: they are stale */
    bool follows;     /* one of the leaves is an output */
    bool stale;       /* a leaf is newer: what was found ... */
    int64_t asked_at; /* ... when the clock said so; -1: not yet */
} wg_freshness;

/* wg_fresh_add: one leaf more, for which there is room. wg_fresh_end: the outputs are stale from
 * now on. */
void wg_fresh_add(wg_freshness *fresh, const wg_tensor *leaf);
void wg_fresh_end(wg_tape *t, wg_freshness *fresh);

/* wg_is_output: is x the output of a program or of blocks? */
bool wg_is_output(const wg_tensor *x);

/* wg_output_new: a leaf of the tape with y's dtype, shape and name, whose value in `data` is
 * written by what `fresh`, which outlives it, belongs to. NULL: an error was recorded. */
wg_tensor *wg_output_new(wg_tape *t, wg_freshness *fresh, const wg_tensor *y, wg_dtype dtype,
                         void *data);

/* wg_outputs_written: n outputs have new values. What is recorded on them is stale where the tape
 * has grown beyond `size` nodes. wg_output_spoil: make a value NaN (i64: INT64_MIN). */
void wg_outputs_written(wg_tape *t, wg_freshness *fresh, wg_tensor *const outputs[], int n,
                        int64_t size);
void wg_output_spoil(const wg_tensor *y);

/* Nodes of the program are copies of the tape's, whose operands are such copies, too: ops run on
 * them as they do on the tape. Invariant: every copy that has memory knows it (`data`) once the
 * program is `settled`. */
struct wg_program {
    wg_tape *tape;       /* NULL: the program is inert */
    const wg_tape *from; /* that the nodes are copied from: the tape, or a body of it */
    /* To which the copies belong: the tape, or a stand-in that takes a worker's errors. */
    wg_tape *host;
    wg_pool *pool; /* of the tape; NULL: the caller alone works */
    wg_compile_options options;

    wg_tensor *node; /* [n_nodes] operands before what reads them */
    int64_t n_nodes;
    wg_freshness fresh;
    wg_program_input *input; /* [n_inputs] */
    int n_inputs;
    wg_tensor **checks; /* [n_checks] those that look at an input before each run */
    int n_checks;
    wg_tensor **result; /* [n_outputs] copies */
    wg_tensor **output; /* [n_outputs] leaves of the tape; NULL where nobody was to have any */
    int n_outputs;

    wg_step_work *work; /* [n_steps] */
    int64_t n_steps;
    wg_call *call; /* [n_calls] those of all steps; in their order, where they are not sorted */
    int64_t n_calls;
    wg_run_address *run; /* of all runs */
    int64_t *place;      /* of a step's call: in `call`, or ~ that in `run`; NULL: not sorted */

    char *memory; /* values */
    size_t memory_size, tape_memory_size;
    char *workspace;       /* for each worker */
    size_t workspace_size; /* of one */

    bool settled;      /* steps have the addresses that inputs are bound to now */
    int64_t tape_size; /* nodes on the tape when the program was made */
};

/* wg_program_make: a program for tensors of `from`, which is t or a body, with memory of t, whose
 * copies belong to `host`; it works without the pool where that is not t, and makes no outputs on
 * the tape. For row blocks: each worker has one; and for bodies: each node that runs one. NULL: an
 * error was recorded on t. */
wg_program *wg_program_make(wg_tape *t, const wg_tape *from, wg_tensor *const outputs[], int n,
                            wg_tape *host, const wg_compile_options *options);

/* wg_program_execute: run the steps. False: an error was recorded on the host. */
bool wg_program_execute(wg_program *p);

/* wg_program_rebind: read an input's values from `data`. */
void wg_program_rebind(wg_program *p, const wg_tensor *input, const void *data);

/* ---- Making one: plan.c, calls.c, runs.c, buffers.c, chain.c, join.c ------------------------- */

/* What is known of a node while a program is made. */
typedef struct wg_program_fact {
    bool computed;     /* by the program */
    bool pinned;       /* its memory is never used again: an output is in it */
    bool sunk;         /* computed inside a chain, of which it is not the last */
    bool many;         /* several chains and steps read it */
    bool folds;        /* a reduction that can be in a chain */
    bool tiled;        /* all that reads it in the first of them can read a tile */
    int64_t root;      /* whose memory it is in (wg_view_root): itself, unless it is a view */
    int64_t offset;    /* bytes into that */
    int64_t first;     /* the last node of the first of them; -1: none was met */
    int64_t chain;     /* the last node of the chain that it belongs to: itself, at first */
    int64_t head;      /* of the last node of a chain: its first link */
    int64_t next;      /* of a link: the next one; -1: none */
    int links;         /* of the last node of a chain: how many */
    int link;          /* which one it is */
    bool rows;         /* of the last node of a chain: one link is computed row by row */
    int64_t step;      /* that computes it; -1: none */
    int64_t last_step; /* that reads it; -1: none */
    bool sorted;       /* a scalar whose call has another place: its memory is no one else's */
    wg_band *band;     /* which alone reads it, and of which it has few rows; NULL: none */
} wg_program_fact;

/* wg_program_facts: what is known from nodes and outputs alone, in the tape's scratch; NULL: an
 * error was recorded. */
wg_program_fact *wg_program_facts(const wg_program *p);

/* wg_program_computes: is y no leaf of a program? */
static inline bool wg_program_computes(const wg_tensor *y)
{
    return (y->state & WG_NODE_LIVE) && y->n_operands > 0;
}

/* wg_program_root: the node whose memory x is in. */
static inline int64_t wg_program_root(const wg_program *p, const wg_program_fact *fact,
                                      const wg_tensor *x)
{
    return fact[x - p->node].root;
}

/* wg_program_is_step: views are computed, but not by a step: they have an address, no more. */
bool wg_program_is_step(const wg_program *p, const wg_program_fact *fact, int64_t i);

/* wg_program_is_stored: does a computed value have memory, and not tiles alone? */
static inline bool wg_program_is_stored(const wg_program_fact *f)
{
    return !f->sunk || f->pinned || f->many || f->folds;
}

/* wg_program_note_reads: step `step` reads what the chain that ends at node `last` reads. */
void wg_program_note_reads(const wg_program *p, wg_program_fact *fact, int64_t last, int64_t step);

/* wg_program_plan: steps, memory and workspace of a program that has its nodes. False: an error was
 * recorded on the tape. */
bool wg_program_plan(wg_program *p);

/* A value that needs memory from step `born` on, to the end of step `dies`; `start` is where it
 * gets it. A value of a step is placed before what the step needs last is given back: they never
 * overlap. */
typedef struct wg_stretch {
    int64_t size, born, dies, start;
} wg_stretch;

/* wg_stretches_place: places n values, which stand in the order of their birth; a `dies` of n_steps
 * or more means that it is kept. Returns the memory that they take together; -1: an error was
 * recorded. */
int64_t wg_stretches_place(wg_tape *t, wg_stretch *x, int64_t n, int64_t n_steps);

/* wg_program_place: memory for every value that is stored. False: an error was recorded on the
 * tape. */
bool wg_program_place(wg_program *p, const wg_program_fact *fact);

/* wg_program_call: call i of a step, but for addresses in tiles.  wg_call_operands: how many
 * operands it reads. */
wg_call wg_program_call(const wg_program *p, const wg_step_work *work, int i);

static inline int wg_call_operands(const wg_step_work *work, int i)
{
    return work->link != NULL ? work->link[i].n_operands : work->y->n_operands;
}

/* wg_runs_find: sorts calls on one element, where that makes runs, once they are counted and before
 * there is memory. False: an error was recorded on the tape. */
bool wg_runs_find(wg_program *p, wg_program_fact *fact);

/* wg_program_settle: give views and steps the addresses of what they read and write. */
void wg_program_settle(wg_program *p);

/* Programs that run, and programs that are written as C, have chains of other kinds: a written loop
 * may take in a matrix product by rows, and stores nothing on the way but outputs. */
typedef struct wg_chain_limits {
    int64_t shortest; /* elements */
    int links;        /* at most */
    bool written;
} wg_chain_limits;

extern const wg_chain_limits wg_chain_run_limits, wg_chain_written_limits;

/* wg_chain_find: which elementwise nodes are computed inside the chain of what reads them. */
void wg_chain_find(const wg_program *p, wg_program_fact *fact, const wg_chain_limits *limits);

/* wg_chain_init: the links of the chain that ends at node `last`, and their slots in the workspace.
 * False: an error was recorded on the tape. */
bool wg_chain_init(const wg_program *p, wg_program_fact *fact, int64_t last, wg_step_work *work);

/* wg_links_join: makes one link of those that a kernel computes together. False: an error was
 * recorded on the tape.  wg_link_operands: what the link's kernel reads, in its order: x
 * [n_operands]. */
bool wg_links_join(const wg_program *p, wg_step_work *work);
void wg_link_operands(const wg_chain_link *link, const wg_tensor *x[WG_ELEMENTWISE_OPERANDS]);

/* wg_link_attrs: the attributes of its kernel. */
static inline const void *wg_link_attrs(const wg_chain_link *link)
{
    return link->y->attrs != NULL || link->join == NULL ? link->y->attrs : link->inner[0]->attrs;
}

/* wg_bands_find: the bands of a program that has its steps. False: an error was recorded.
 * wg_band_run: runs all of its steps. */
bool wg_bands_find(wg_program *p, wg_program_fact *fact);
void wg_band_run(const wg_program *p, const wg_band *band);

/* wg_chain_check: what the ops' checks say.  wg_chain_run: compute the piece's elements.
 * wg_chain_run_link: elements [begin, end) of link i, of one tile.  wg_chain_tile: where those of a
 * link are, from `begin` on. */
bool wg_chain_check(const wg_step_work *work);
void wg_chain_run(const wg_step_work *work, const wg_piece *piece);
void wg_chain_run_link(const wg_step_work *work, int64_t i, int64_t begin, int64_t end,
                       void *workspace);
void *wg_chain_tile(const wg_chain_link *link, int64_t begin, void *workspace);

/* wg_step_run: compute the piece of a step. */
static inline void wg_step_run(const wg_step_work *work, const wg_piece *piece)
{
    if (work->link != NULL)
        wg_chain_run(work, piece);
    else
        work->y->op->forward(work->y, piece);
}

#endif
