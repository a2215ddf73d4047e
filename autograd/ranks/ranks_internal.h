#ifndef WG_AUTOGRAD_RANKS_INTERNAL_H
#define WG_AUTOGRAD_RANKS_INTERNAL_H

#include "autograd/ranks/ranks.h"
#include "autograd/tape_internal.h"

/* wg_ranks_of: the tape's; NULL where it has none, or is alone. */
const wg_ranks *wg_ranks_of(const wg_tape *t);

/* wg_ranks_begin: a new operation, with messages of at most n bytes. False: they are lost. */
bool wg_ranks_begin(wg_tape *t, size_t n);

/* wg_ranks_message: sends n_send bytes and takes n_receive, as the ranks' exchange does; what was
 * taken is in *payload, good until the next message. An error of the partner's becomes the tape's.
 * False: they are lost, or the message is refused. */
bool wg_ranks_message(wg_tape *t, int partner, const void *send, size_t n_send, size_t n_receive,
                      const void **payload);

/* wg_ranks_hand_out: data[n] of rank 0 to all, as a part of an operation. */
bool wg_ranks_hand_out(wg_tape *t, void *data, size_t n);

/* Rows in blocks, and blocks in shards, whose bounds depend on the numbers of rows alone. The
 * shards are the leaves of a binary tree. A rank has some that follow one another. */
enum { WG_SHARDS = 64 };

typedef struct wg_shards {
    int64_t rows, block, blocks; /* rows in all, and of a block; blocks, a shorter last one too */
    int count;            /* of shards: the largest power of two <= WG_SHARDS, blocks; or 0 */
    int first, end;       /* this rank's */
    int owner[WG_SHARDS]; /* [count]: the rank that has it */
} wg_shards;

wg_shards wg_shards_of(const wg_tape *t, int64_t rows, int64_t block);

/* wg_shards_block: the first block of a shard; of shard `count`: how many blocks there are.
 * wg_shards_row: its first row. */
int64_t wg_shards_block(const wg_shards *s, int shard);
int64_t wg_shards_row(const wg_shards *s, int shard);

/* wg_shards_width: how many shards, a power of two <= most, make a subtree such that this rank's
 * are whole subtrees. */
int wg_shards_width(const wg_shards *s, int most);

/* wg_shards_sum: node[i][n] has the sums of the rank's i-th subtree of `width` shards; node[0]
 * takes the sums of all, on every rank (and is there for a rank without shards, too). False after
 * an error. */
bool wg_shards_sum(wg_tape *t, const wg_shards *s, double *const node[], int width, int64_t n);

/* wg_ranks_count: how many rows the ranks have in all; rank r's, n here, go to count[r], where that
 * is not NULL: [size]. -1 after an error. */
int64_t wg_ranks_count(wg_tape *t, int64_t n, double count[]);

/* wg_ranks_move: the rows of the whole that belong to this rank's shards, x being the rows that it
 * holds, and count what the ranks hold; x itself where nobody has to move any, else streamed, where
 * those that stay are not copied. Inert after an error. */
wg_tensor *wg_ranks_move(wg_tensor *x, const double count[], const wg_shards *s);

#endif
