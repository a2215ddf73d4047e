#ifndef WG_MODELS_DATA_BATCHES_H
#define WG_MODELS_DATA_BATCHES_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mini-batches: rows of some tensors, taken in a random order that is new in each epoch, are copied
 * into inputs of the tape, on which the model is recorded once and then replayed.
 *
 * Where the batch size does not divide the number of rows, the last batch of an epoch is smaller.
 * It has inputs of its own, and is trained on by a second model with the same parameters, recorded
 * on them:
 *
 *     const wg_batches_options o = {.size = 32};
 *     wg_batches *batches = wg_batches_new((wg_tensor *[]){X, y}, 2, &o);
 *     wg_tensor *Xb = wg_batches_input(batches, 0), *Xs = wg_batches_short_input(batches, 0);
 *     ...
 *     for (wg_batches_start(batches, epoch); (rows = wg_batches_next(batches)) > 0;)
 *         ... replay and step with the gradients of one model or the other ...
 *
 * A caller who would rather leave those rows out for this epoch sets drop_short. */
typedef struct wg_batches wg_batches;

typedef struct wg_batches_options {
    /* rows of a batch, > 0; more than there are: all of them; default 0 stands for 32 */
    int64_t size;
    uint64_t seed;   /* any value; default 0 */
    bool in_order;   /* default false; true: the rows' own order, in every epoch */
    bool drop_short; /* default false; true: no batch of fewer rows at the end of an epoch */
} wg_batches_options;

/* wg_batches_new: batches of the rows of n tensors ([rows, ...], the same number of rows each, any
 * dtype; their values are read at every wg_batches_next). It belongs to their tape. The inputs hold
 * the first rows until the first batch. Never NULL: after an error (on the tape: WG_E_SHAPE,
 * WG_E_VALUE, WG_E_TAPE, WG_E_STALE, WG_E_NULL, WG_E_NOMEM) the result is inert: its inputs are,
 * and there is no batch. */
wg_batches *wg_batches_new(wg_tensor *const sources[], int n, const wg_batches_options *options);

/* wg_batches_input: the input that source i's rows come to, [size, ...]. */
wg_tensor *wg_batches_input(const wg_batches *batches, int i);

/* wg_batches_short_input: the one for the rows of the last batch, [short size, ...]; NULL where
 * every batch is full. */
wg_tensor *wg_batches_short_input(const wg_batches *batches, int i);

/* wg_batches_start: begins an epoch; its order is a function of the seed and the epoch's number
 * alone. */
void wg_batches_start(wg_batches *batches, int64_t epoch);

/* wg_batches_next: copies the next rows into the inputs, which makes stale what is computed from
 * them.
 * Returns how many: as many as the inputs have, or for the last batch the short inputs, which then
 * hold them; 0 at the end of the epoch, and after an error. Allocates nothing. */
int64_t wg_batches_next(wg_batches *batches);

#ifdef __cplusplus
}
#endif
#endif
