/* Computing the value of a node, in pieces that the threads of a pool share. */
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <math.h>

/* Work is cut where an op says that it can be, into pieces whose bounds follow from shapes alone:
 * results do not depend on the number of threads. */

/* What one piece reads or writes, at least, unless the op knows better. */
#define FORWARD_PIECE_ELEMENTS 32768

static int64_t forward_grain(const wg_tensor *y, int64_t chunks)
{
    if (y->op->piece_chunks != NULL) {
        const int64_t asked = y->op->piece_chunks(y);
        return asked > 0 ? asked : 1; /* a user's op may be wrong */
    }
    int64_t largest = y->size;
    for (int i = 0; i < y->n_operands; i++)
        if (y->operand[i]->size > largest)
            largest = y->operand[i]->size;
    int64_t pieces = largest / FORWARD_PIECE_ELEMENTS;
    return pieces > 1 ? (chunks + pieces - 1) / pieces : chunks;
}

int64_t wg_node_piece_chunks(const wg_tensor *y, int64_t chunks, const wg_pool *pool)
{
    return pool != NULL && chunks > 1 ? forward_grain(y, chunks) : chunks;
}

size_t wg_node_workspace_size(const wg_tensor *y)
{
    size_t need = y->op->workspace != NULL ? y->op->workspace(y) : 0;
    return (need + WG_ALIGNMENT - 1) & ~(size_t)(WG_ALIGNMENT - 1);
}

/* Every worker of the pool has a workspace of its own: somewhere, also where 0 bytes are needed,
 * since ops compute with its address. */
bool wg_node_workspace(const wg_tensor *y)
{
    wg_tape *t = y->tape;
    size_t need = wg_node_workspace_size(y);
    if (t->workspace != NULL && need <= t->workspace_size)
        return true;
    const wg_allocator *a = &t->options.allocator;
    size_t bytes = need * (size_t)wg_pool_threads(t->options.pool) + WG_ALIGNMENT;
    void *workspace = a->allocate(bytes, a->user);
    if (workspace == NULL)
        return wg_op_fail(y, WG_E_NOMEM, "out of memory for %zu bytes of workspace", bytes);
    if (t->workspace != NULL)
        a->release(t->workspace, a->user);
    t->workspace = workspace;
    t->workspace_size = need;
    return true;
}

static void *forward_workspace(const wg_tape *t, int worker)
{
    if (t->workspace == NULL)
        return NULL;
    uintptr_t start = (uintptr_t)t->workspace;
    size_t skip = (WG_ALIGNMENT - start % WG_ALIGNMENT) % WG_ALIGNMENT;
    return (char *)t->workspace + skip + (size_t)worker * t->workspace_size;
}

typedef struct forward_job {
    const wg_tensor *y;
    int64_t chunks, piece_chunks;
} forward_job;

static void forward_piece(int64_t piece, int worker, void *context)
{
    const forward_job *job = context;
    int64_t begin = piece * job->piece_chunks, left = job->chunks - begin;
    wg_piece part = {begin, begin + (left < job->piece_chunks ? left : job->piece_chunks),
                     forward_workspace(job->y->tape, worker)};
    job->y->op->forward(job->y, &part);
}

static void forward_all(const wg_tensor *y)
{
    const wg_tape *t = y->tape;
    int64_t piece_chunks = wg_node_piece_chunks(y, y->chunks, t->options.pool);
    if (piece_chunks >= y->chunks)
        y->op->forward(y, &(wg_piece){0, y->chunks, forward_workspace(t, 0)});
    else
        wg_pool_run(t->options.pool, (y->chunks + piece_chunks - 1) / piece_chunks, forward_piece,
                    &(forward_job){y, y->chunks, piece_chunks});
}

bool wg_node_is_finite(const wg_tensor *y)
{
    for (int64_t i = 0; i < y->size && y->dtype != WG_I64; i++) {
        double value = wg_element(y, i);
        if (!isfinite(value))
            return wg_op_fail(y, WG_E_NOT_FINITE, "the result is %g at %" PRId64, value, i);
    }
    return true;
}

void wg_node_view(wg_tensor *y)
{
    char *base = y->operand[0]->data; /* NULL: a program's tensor without elements */
    y->data = base != NULL && y->op->offset != NULL ? base + y->op->offset(y) : base;
}

const wg_tensor *wg_view_root(const wg_tensor *y)
{
    while ((y->op->flags & WG_OP_VIEW) && y->n_operands > 0)
        y = y->operand[0];
    return y;
}

/* A user's op may refuse and not say why. */
static bool forward_check(const wg_tensor *y, bool (*check)(const wg_tensor *))
{
    if (check(y))
        return true;
    if (y->tape->status == WG_OK)
        wg_op_fail(y, WG_E_VALUE, "the op refuses its operands and does not say why");
    return false;
}

bool wg_node_check(const wg_tensor *y)
{
    return y->op->check == NULL || forward_check(y, y->op->check);
}

bool wg_node_check_input(const wg_tensor *y)
{
    return forward_check(y, y->op->check_input);
}

bool wg_node_run(wg_tensor *y)
{
    const wg_op *op = y->op;
    if (op->flags & WG_OP_VIEW) {
        wg_node_view(y);
        return true;
    }
    if (!wg_node_check(y))
        return false;
    if (y->size > 0)
        forward_all(y);
    return y->tape->status == WG_OK && (!y->tape->options.check_finite || wg_node_is_finite(y));
}
