#ifndef WG_AUTOGRAD_RANKS_H
#define WG_AUTOGRAD_RANKS_H

#include "autograd/tape.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Processes that train one model together: each runs the same program, on a tape with these
 * options, and holds a part of the rows. The whole are rank 0's rows, then rank 1's, and so on; the
 * results are the same bits for any number of ranks and any parts. MPI is the usual
 * transport: see examples/train_mpi.c. */
typedef struct wg_ranks {
    int rank, size; /* this process, 0 <= rank < size; how many there are */

    /* Sends n_send bytes to the partner, another rank, and takes n_receive bytes from it, both at
     * once; either may be 0: nothing is then sent, or taken. The partner calls it with the numbers
     * the other way round. False where that fails: the partner has ended, or its message is longer
     * or shorter; it is then never called again. Called by the tape's thread alone. */
    bool (*exchange)(void *user, int partner, const void *send, size_t n_send, void *receive,
                     size_t n_receive);
    void *user; /* handed to it */
} wg_ranks;

/* What ranks do together. All ranks call the same function in the same order, with the same n. A
 * tape that has an error takes part in them, too, so that nobody waits in vain: its error is then
 * everybody's, "rank 2: ...". Without ranks, or with one, there is nothing to be done. Messages are
 * checked: a rank that is gone, or out of step, or speaks another version, is WG_E_RANKS. All
 * return the tape's status. */

/* wg_ranks_number: this process's rank; 0 where there are none. wg_ranks_size: how many there are;
 * 1 where there are none. */
int wg_ranks_number(const wg_tape *t);
int wg_ranks_size(const wg_tape *t);

/* wg_ranks_agree: is the hash the same everywhere, and nobody has an error? WG_E_RANKS: "rank 3 has
 * other WHAT than rank 2". */
wg_status wg_ranks_agree(wg_tape *t, uint64_t hash, const char *what);

/* wg_ranks_sum: x[i] becomes the sum of the ranks' x[i], added in an order that depends on how many
 * they are: the same for any number only where it is exact, as for integers below 2^53. */
wg_status wg_ranks_sum(wg_tape *t, double x[], int64_t n);

/* wg_ranks_vote: both at once, of n <= WG_RANKS_VOTES numbers. */
enum { WG_RANKS_VOTES = 4 };
wg_status wg_ranks_vote(wg_tape *t, uint64_t hash, const char *what, double x[], int n);

/* wg_ranks_broadcast: what rank 0 has in data[n] comes to all. */
wg_status wg_ranks_broadcast(wg_tape *t, void *data, size_t n);

/* wg_ranks_gather: the ranks' bytes, rank 0's first, in memory of wg_temporary, which the caller
 * frees, and their number in *total: on rank 0, and, where everywhere is true, on all; NULL on the
 * others, and after an error. n may be another on each rank. */
void *wg_ranks_gather(wg_tape *t, const void *data, size_t n, bool everywhere, size_t *total);

/* wg_ranks_rows: of rows of which this rank has n, how many there are in all; in *first, where that
 * is not NULL, how many the ranks before it have. 0 after an error. */
int64_t wg_ranks_rows(wg_tape *t, int64_t n, int64_t *first);

/* wg_ranks_share: x's rows where wg_ranks_sum_rows adds them up: those of the whole that fall to
 * this rank; x itself where no rank has to move any, else an input of the tape. Inert after an
 * error. wg_ranks_range: which of n rows of the whole are those, [*first, *end): who reads them at
 * once spares the moving. */
wg_tensor *wg_ranks_share(wg_tensor *x);
void wg_ranks_range(const wg_tape *t, int64_t n, int64_t *first, int64_t *end);

/* wg_ranks_range_of: the same in blocks of so many rows, >= 1, as wg_blocks_new has them.
 * wg_ranks_deal: x's rows, streamed or not, dealt anew so that this rank has `due` of them: those
 * behind what is due to the ranks before it. WG_E_RANKS: that is not as many as there are. */
void wg_ranks_range_of(const wg_tape *t, int64_t n, int64_t block, int64_t *first, int64_t *end);
wg_tensor *wg_ranks_deal(wg_tensor *x, int64_t due);

/* Adds to sum[n] what this rank's rows from `first` to `end` - 1 contribute. They are whole blocks
 * of WG_RANKS_BLOCK rows, but for the last block of the whole. */
typedef void wg_rows_sum(int64_t first, int64_t end, double sum[], void *user);

enum { WG_RANKS_BLOCK = 256 };

/* wg_ranks_sum_rows: sum[n] over the rows of all ranks, this one's `rows` being as wg_ranks_share
 * gives them. Added up in shards, and these in a tree, all by the number of rows alone: the same
 * bits for any number of ranks. WG_E_VALUE: these rows do not fall to this rank. */
wg_status wg_ranks_sum_rows(wg_tape *t, int64_t rows, int64_t n, wg_rows_sum *add, void *user,
                            double sum[]);

#ifdef __cplusplus
}
#endif
#endif
