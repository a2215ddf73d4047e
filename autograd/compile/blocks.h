#ifndef WG_AUTOGRAD_COMPILE_BLOCKS_H
#define WG_AUTOGRAD_COMPILE_BLOCKS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A full-batch objective: a sum over all rows of some data, with its gradient, computed block of
 * rows by block of rows. A block stays in cache while its loss and its gradient are computed, so
 * that the data are read from memory once; and what is kept on the way is as large as a block, not
 * as the data.
 *
 *     static wg_tensor *loss(wg_tape *t, wg_tensor *const rows[], void *user)
 *     {
 *         const struct model *m = user;
 *         wg_tensor *z = wg_add(wg_matmul(rows[0], m->w), m->b);
 *         return wg_bce_with_logits_opt(z, rows[1], &(wg_bce_options){.reduction = WG_SUM});
 *     }
 *     ...
 *     wg_tensor *rows[] = {X, y}, *params[] = {m.w, m.b};
 *     wg_blocks *objective = wg_blocks_new(rows, 2, params, 2, loss, &m, NULL);
 *     wg_blocks_run(objective);
 *     wg_item(wg_blocks_value(objective)); ... wg_blocks_gradient(objective, 0) ...
 */
typedef struct wg_blocks wg_blocks;

/* The loss of a block: a tensor of one element, the *sum* over the rows of what each contributes,
 * from the block's rows, which stand for those that wg_blocks_new was given, and from parameters.
 * It is called once for a full block and once for a shorter last one, and must build the same for
 * both, whatever the values: the rows are placeholders, which have none. */
typedef wg_tensor *wg_block_loss(wg_tape *t, wg_tensor *const rows[], void *user);

typedef struct wg_blocks_options {
    /* Rows of a block, >= 1; default 0: as many as make the widest tensor's block half a megabyte,
     * which is half of a second-level cache or less. */
    int64_t rows;
    /* Factor of the sum over the rows (1/n: the mean), finite; default 0 stands for 1. */
    double scale;
    /* Of one element, computed from parameters; added once, not scaled; default NULL: none. */
    wg_tensor *penalty;
} wg_blocks_options;

/* wg_blocks_new: value = scale * sum_blocks loss(block) + penalty, and its gradient with respect to
 * n_params parameters.
 * rows: n_rows inputs, parameters or constants of one tape, with as many rows each (axis 0). They
 *   are not copied, and may be bound to other memory of the same shape. Those of wg_streamed are
 *   read block by block: what is kept of them is a block a thread.
 * Sums over blocks are in double: blocks are grouped into up to 64 shards, in which they are added
 *   up in order, compensated where the loss is f64, and shards are the leaves of a binary tree. All
 *   that depends on sizes alone: the same bits with any number of threads, and of ranks. Threads
 *   are those of the tape's pool; each has values of its own.
 * On a tape with ranks each gives its part of the rows, one row at least, and the same parameters;
 *   what does not lie where its shard is summed up moves there now (what is written to rows later
 *   may then not be seen). All ranks make it, and run it, together.
 * The result lives on the tape. Never NULL: after an error, recorded on the tape, it is inert.
 * Errors:
 *   WG_E_NULL, WG_E_TAPE, WG_E_SHAPE (other numbers of rows; a loss or penalty of more than one
 *   element), WG_E_VALUE, WG_E_DTYPE, WG_E_NOMEM, and those of wg_grad. NULL options are the
 *   defaults. */
wg_blocks *wg_blocks_new(wg_tensor *const rows[], int n_rows, wg_tensor *const params[],
                         int n_params, wg_block_loss *loss, void *user,
                         const wg_blocks_options *options);

/* What is summed up over the blocks beside their losses y: n results, of the shapes and dtypes of
 * the parameters xs, recorded on the tape. As wg_grad, which is the default. */
typedef wg_status wg_block_derive(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *results[],
                                  void *user);

/* wg_blocks_derived: the same sum once more, of the same rows, with what `derive` makes of a
 * block's loss, and of the penalty, in place of the gradient: products of the Hessian with a
 * vector, say. Errors: as wg_blocks_new. */
wg_blocks *wg_blocks_derived(const wg_blocks *blocks, wg_block_derive *derive, void *user);

/* wg_blocks_run: compute value and gradient from the values that parameters and rows have now.
 * Allocates nothing. Errors: as wg_program_run; WG_E_IO (rows that cannot be read); the message
 * ends with the block's first row. */
wg_status wg_blocks_run(wg_blocks *blocks);

/* wg_blocks_value: (), in f64 whatever the loss is in. wg_blocks_gradient: with respect to
 * parameter i, in its shape and dtype. The same tensors after every run; leaves of the tape, NaN
 * before the first run, and stale when a parameter or a row was written since (as
 * wg_program_output). Inert for an inert object. */
wg_tensor *wg_blocks_value(const wg_blocks *blocks);
wg_tensor *wg_blocks_gradient(const wg_blocks *blocks, int i);

/* wg_blocks_param: parameter i, as wg_blocks_new was given it; inert where there is none.
 * wg_blocks_params: how many there are; 0 for an inert object. */
wg_tensor *wg_blocks_param(const wg_blocks *blocks, int i);
int wg_blocks_params(const wg_blocks *blocks);

#ifdef __cplusplus
}
#endif
#endif
