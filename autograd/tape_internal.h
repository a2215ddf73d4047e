#ifndef WG_AUTOGRAD_TAPE_INTERNAL_H
#define WG_AUTOGRAD_TAPE_INTERNAL_H

#include "autograd/arena_internal.h"
#include "autograd/op.h"

#include <float.h>

#if FLT_EVAL_METHOD != 0
#error "excess precision: build with -msse2 -mfpmath=sse (x86), -fexcess-precision=fast (s390x)"
#endif

#define WG_MESSAGE_SIZE 512

/* A node can be given something younger than itself: a gradient beside it, a new name. Rewinding
 * past that gives it back what it had. */
typedef struct wg_undo {
    struct wg_undo *older;
    int64_t n;
    struct wg_undo_entry {
        wg_tensor *x;
        wg_tensor *grad;
        const char *name;
    } entry[];
} wg_undo;

/* What a tape keeps for the messages of its ranks (autograd/ranks/). */
typedef struct wg_wire {
    uint64_t operation; /* how many things the ranks have done together */
    void *send, *receive;
    int64_t send_room, receive_room; /* bytes */
    bool lost;                       /* an exchange has failed: there will be no other */
} wg_wire;

/* What a mark stands for. It lies on the tape itself, so that a rewind to an older one drops it. */
typedef struct wg_place {
    struct wg_place *older;
    uint64_t serial;
    int64_t size;
    wg_undo *undo;
    wg_arena_mark height; /* above the place */
} wg_place;

/* Invariants: node[i]->index == i, and operands have smaller indices; what lies in `arena` behind a
 * node was made after it; a tensor whose state has no WG_NODE_ABSTRACT has data, not NULL. */
struct wg_tape {
    wg_tape_options options; /* the allocator is filled in */
    wg_tape *owner;          /* of a body: the tape that it is for; NULL: this is none */
    wg_tape *stands_for; /* of what takes a worker's errors: the tape with the memory; NULL: none */
    wg_arena arena;      /* nodes, values, and all else that rewinding drops */
    wg_arena scratch;    /* empty between calls */
    wg_tensor **node;    /* [capacity], [0, size) in recording order */
    int64_t size, capacity;
    void *workspace; /* for each worker, what the ops recorded so far need at most for one piece */
    size_t workspace_size; /* of one worker: a multiple of WG_ALIGNMENT */
    wg_tensor *param;      /* the newest; each one's plan is the parameter before it */
    wg_undo *undo;         /* newest first */
    wg_place *place;       /* of the marks that are good, newest first */
    uint64_t marks;        /* made so far */
    uint64_t unplaced;     /* the mark that found no memory; nothing was recorded since. 0: none */
    int64_t before;        /* of a copy that holds loops: nodes that stand before the copied ones */
    bool wide;             /* a copy in wide floats: only there are leaves of WG_WIDE made */
    bool written;          /* a leaf was written, and staleness is not yet spread ... */
    int64_t written_first; /* ... from the first of them on */
    bool checks_inputs;    /* an op with a check_input was recorded: replays ask it first */
    bool has_outputs;      /* of programs or blocks: replays ask whether they are stale */
    int64_t clock;         /* counts the writes of leaves */
    wg_wire wire;          /* to the other ranks */
    wg_status status;
    wg_tensor inert; /* what failing builders return */
    char message[WG_MESSAGE_SIZE];
};

/* wg_inert_tape: the tape that stands for 'no memory'; wg_null_tape: for 'no tape was given';
 * wg_misallocated_tape: for 'an allocator that lacks a function'. They are never written, so that
 * any thread may meet them. wg_tape_is_real: is t none of them? */
wg_tape *wg_inert_tape(void);
wg_tape *wg_null_tape(void);
wg_tape *wg_misallocated_tape(void);
bool wg_tape_is_real(const wg_tape *t);

/* wg_belongs: is x a tensor of t? Where it is not, an error is recorded: "grad: x 3 is of another
 * tape", and no number where that is negative. */
bool wg_belongs(wg_tape *t, const wg_tensor *x, const char *who, const char *role, int number);

/* wg_undo_note: note what the xs have now, before it is changed. False: an error was recorded. */
bool wg_undo_note(wg_tape *t, wg_tensor *const xs[], int n);

/* wg_broadcast_stride: from one index of y's axis to the next in x, which broadcasts to y, in
 * elements; 0 where x is repeated. */
int64_t wg_broadcast_stride(const wg_shape *x, const wg_shape *y, int axis);

/* wg_node_new: a node with operands and attributes copied, no value, not yet on the tape; NULL
 * without memory. wg_node_size sets `size` from the shape; wg_node_value gives it memory;
 * wg_node_push puts it on the tape. All three record an error and return false where they fail. */
wg_tensor *wg_node_new(wg_tape *t, const wg_op *op, wg_tensor *const operands[], int n,
                       const void *attrs);
bool wg_node_size(wg_tensor *y);
bool wg_node_value(wg_tensor *y);
bool wg_node_push(wg_tensor *y);

/* wg_node_workspace: see that the tape has the workspace that y's op needs, for every worker:
 * replay allocates nothing. False: an error was recorded. */
bool wg_node_workspace(const wg_tensor *y);

/* What wg_node_run does, piece by piece: the workspace that y's op needs, in bytes, rounded to the
 * alignment; how many of the chunks of its work make a piece (all of them where there is nothing to
 * share); whether its value is finite. */
size_t wg_node_workspace_size(const wg_tensor *y);
int64_t wg_node_piece_chunks(const wg_tensor *y, int64_t chunks, const wg_pool *pool);
bool wg_node_is_finite(const wg_tensor *y);

/* wg_add_n_map: a kernel for y, an add_n of at least two operands, all of stride 1; NULL: none.
 * Where they are more than three, it is given their addresses as `attrs`. */
typedef struct wg_add_n_call {
    int n;
    const void *term[]; /* [n] */
} wg_add_n_call;

wg_map *wg_add_n_map(const wg_tensor *y);

/* wg_node_view: point a view at its operand's memory. */
void wg_node_view(wg_tensor *y);

/* wg_view_root: the node whose memory y's value is in: y, or what it is a view of. In a program a
 * view of a constant has no operands, and is its own. */
const wg_tensor *wg_view_root(const wg_tensor *y);

/* wg_node_run: compute y's value from its operands' values. False: an error was recorded.
 * wg_node_check: what the op's check says, which is asked before y is computed.
 * wg_node_check_input: what its check_input says, which there is. */
bool wg_node_run(wg_tensor *y);
bool wg_node_check(const wg_tensor *y);
bool wg_node_check_input(const wg_tensor *y);

/* wg_stale_spread: carry staleness from written leaves to all that depends on them. */
void wg_stale_spread(wg_tape *t);

/* wg_must_be_fresh: is x not stale? Where it is, WG_E_STALE in the name of `who`. */
bool wg_must_be_fresh(const wg_tensor *x, const char *who);

/* wg_mark_needed: set needed[0..last] to whether a node is one of the ys (which stand at last or
 * before), or one of them is computed from it. */
void wg_mark_needed(const wg_tape *t, wg_tensor *const ys[], int n, int64_t last, bool *needed);

/* The nodes to run so that some outputs follow new values of some tensors, in recording order. */
typedef struct wg_plan {
    wg_tape *t;
    wg_tensor **node; /* [n], in the tape's scratch */
    int64_t n;
} wg_plan;

/* wg_plan_init: the nodes that `to` needs and that are computed from `from` (NULL: from any
 * parameter or input; else the tensors themselves hold what the caller gives them and are not run).
 * The plan is good until the caller rewinds the tape's scratch. wg_plan_run runs them. False: an
 * error was recorded. */
bool wg_plan_init(wg_plan *plan, wg_tensor *const from[], int n_from, wg_tensor *const to[],
                  int n_to);
bool wg_plan_run(const wg_plan *plan);

/* wg_tape_copy_part: wg_tape_copy of the first `size` nodes; an empty constant stands for those
 * that are not needed (NULL: all are), so that none of them needs a form in this dtype. holds: what
 * the bodies of loops hold (wg_op_holds) keeps the values that it has on t, step by step. */
wg_tape *wg_tape_copy_part(const wg_tape *t, wg_dtype dtype, int64_t size, const bool *needed,
                           bool holds);

/* wg_copy_node: x on `copy`, floats being of `dtype` (WG_DTYPE_DEFAULT: of the dtypes they have);
 * twin[i] is the copy of the operand with index i. */
wg_tensor *wg_copy_node(wg_tape *copy, const wg_tensor *x, wg_dtype dtype, wg_tensor *const twin[]);

/* wg_vjp_of_all: what the rule of an op with vjp_all gives for operand i, where no other leads to
 * an x (alone), or where all of floats do. NULL: zero. */
wg_tensor *wg_vjp_of_all(wg_tensor *y, wg_tensor *dy, int i, bool alone);

/* wg_is_discrete: does x change in jumps only, as comparisons, floor and all of i64 do? A wide copy
 * takes such values from the original, so that rounding switches no branch. */
bool wg_is_discrete(const wg_tensor *x);

/* wg_leaf_written: note that a leaf has a new value. wg_stale_from: that one has, or is stale, from
 * node `first` on. */
void wg_leaf_written(wg_tensor *leaf);
void wg_stale_from(wg_tape *t, int64_t first);

/* wg_first_tape: the tape of the first operand that has a real one; else of the first that stands
 * for an error but wg_null_tape(), which it is where there is none at all. */
wg_tape *wg_first_tape(wg_tensor *const operands[], int n);

#endif
