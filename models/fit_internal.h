#ifndef WG_MODELS_FIT_INTERNAL_H
#define WG_MODELS_FIT_INTERNAL_H

#include "autograd/tape.h"
#include "models/fit.h"

/* Rows as wg_fit takes them, all of one split. */
typedef struct wg_fit_rows {
    int64_t n, classes;
    wg_tensor *X, *labels, *targets;                /* targets: see wg_link_targets */
    wg_tensor *weights;                             /* [n] of X's dtype; NULL: all 1 */
    wg_tensor *held_X, *held_targets, *held_labels; /* validation rows; NULL: none */
} wg_fit_rows;

/* wg_fit_rows_new: splits, encodes and weights X and y; false after an error, which the tape has. */
bool wg_fit_rows_new(wg_fit_rows *rows, const wg_fit_model *model, wg_tensor *X, wg_tensor *y,
                     const wg_fit_options *options);

/* wg_fit_loss: the loss to be minimised, (), with the penalty l2/2 * ||W||^2. wg_fit_loss_of: the same, of
 * logits Z that have been recorded. */
wg_tensor *wg_fit_loss_of(const wg_fit_model *model, wg_tensor *Z, wg_tensor *targets,
                          wg_tensor *weights, double l2);
wg_tensor *wg_fit_loss(const wg_fit_model *model, wg_tensor *X, wg_tensor *targets,
                       wg_tensor *weights, double l2);

/* The columns of the history. */
enum { FIT_LOSS, FIT_ACCURACY, FIT_HELD_LOSS, FIT_HELD_ACCURACY, FIT_RATE, FIT_COLUMNS };

/* Where a training is: this, the parameters and the optimizer's state are all that a checkpoint holds. */
typedef struct wg_fit_state {
    int64_t epoch, best_epoch; /* epochs made; 0: none */
    double best_loss;
    double *history; /* [room, FIT_COLUMNS] */
    int64_t room;
    void **best; /* [n_params]: copies of the best epoch's values */
} wg_fit_state;

/* What tells trainings apart: a checkpoint of another one is refused. */
typedef struct wg_fit_identity {
    int64_t rows, batch;
    uint64_t seed;
    double l2, validation;
} wg_fit_identity;

/* wg_fit_checkpoint_write, _read: leave nothing on the tape but errors. A checkpoint that does not fit changes
 * nothing. Return the tape's status. */
wg_status wg_fit_checkpoint_write(wg_tape *t, const char *path, const wg_fit_identity *identity,
                                  const wg_fit_state *state, wg_tensor *const params[], int n,
                                  wg_optimizer *optimizer);
wg_status wg_fit_checkpoint_read(wg_tape *t, const char *path, const wg_fit_identity *identity,
                                 wg_fit_state *state, wg_tensor *const params[], int n,
                                 wg_optimizer *optimizer);

#endif
