#ifndef WG_MODELS_DATA_BATCHES_H
#define WG_MODELS_DATA_BATCHES_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mini-batches: rows of some tensors, taken in a random order that is new in each epoch, are copied
 * into inputs of the tape, and a loss that is recorded on these once is computed anew:
 *
 *     static wg_tensor *loss_of(wg_tensor *const batch[], void *params)
 *     {
 *         return wg_bce_with_logits(logits(batch[0], params), batch[1]);
 *     }
 *     ...
 *     wg_batches *batches = wg_batches_new(
 *         (wg_tensor *[]){X, y}, 2,
 *         &(wg_batches_options){.loss = loss_of, .params = params, .n_params = 2, .user = params});
 *     for (int epoch = 0; epoch < 10; epoch++)
 *         for (wg_batches_start(batches, epoch); wg_batches_next(batches) > 0;)
 *             wg_optimizer_step(sgd, wg_batches_grads(batches));
 *
 * Where the batch size does not divide the number of rows, the last batch of an epoch is smaller:
 * it has inputs and a graph of its own, on the same parameters. A caller who would rather leave
 * those rows out for this epoch sets drop_short. */
typedef struct wg_batches wg_batches;

/* Records the loss, of one element, of a batch: the inputs stand in the order of the sources. It is
 * called for full batches, and for the short one where there is one. */
typedef wg_tensor *wg_batch_loss(wg_tensor *const batch[], void *user);

typedef struct wg_batches_options {
    /* rows of a batch, > 0; more than there are: all of them; default 0 stands for 32 */
    int64_t size;
    uint64_t seed;   /* any value; default 0 */
    bool in_order;   /* default false; true: the rows' own order, in every epoch */
    bool drop_short; /* default false; true: no batch of fewer rows at the end of an epoch */
    /* What wg_batches_next computes: this loss, and its gradients with respect to the n_params
     * params, compiled; default NULL: nothing, the inputs are the caller's to record on */
    wg_batch_loss *loss;
    wg_tensor *const *params;
    int n_params;
    void *user; /* handed to it */
} wg_batches_options;

/* wg_batches_new: batches of the rows of n tensors ([rows, ...], the same number of rows each, any
 * dtype; their values are read at every wg_batches_next). It belongs to their tape. The inputs hold
 * the first rows until the first batch. Never NULL: after an error (on the tape: WG_E_SHAPE,
 * WG_E_VALUE, WG_E_TAPE, WG_E_STALE, WG_E_NULL, WG_E_NOMEM, those of wg_grad and of what `loss`
 * records) the result is inert: its inputs are,
 * and there is no batch. */
wg_batches *wg_batches_new(wg_tensor *const sources[], int n, const wg_batches_options *options);

/* wg_batches_input: the input that source i's rows come to, [size, ...]. */
wg_tensor *wg_batches_input(const wg_batches *batches, int i);

/* wg_batches_short_input: the one for the rows of the last batch, [short size, ...]; where every
 * batch is full, wg_batches_input: what is recorded on it is then the same once more. */
wg_tensor *wg_batches_short_input(const wg_batches *batches, int i);

/* wg_batches_loss, wg_batches_grads: of the batch that wg_batches_next gave last (before the first:
 * of the first rows), to be read before a step writes the parameters. Without a loss among the
 * options: the inert tensor, NULL, and WG_E_VALUE on the tape. */
wg_tensor *wg_batches_loss(const wg_batches *batches);
wg_tensor *const *wg_batches_grads(const wg_batches *batches);

/* wg_batches_start: begins an epoch; its order is a function of the seed and the epoch's number
 * alone. */
void wg_batches_start(wg_batches *batches, int64_t epoch);

/* wg_batches_next: copies the next rows into the inputs, which makes stale what is computed from
 * them, and computes the loss and the gradients: bind what else they depend on before.
 * Returns how many: as many as the inputs have, or for the last batch the short inputs, which then
 * hold them; 0 at the end of the epoch, and after an error. Allocates nothing. */
int64_t wg_batches_next(wg_batches *batches);

#ifdef __cplusplus
}
#endif
#endif
