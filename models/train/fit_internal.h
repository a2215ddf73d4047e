#ifndef WG_MODELS_TRAIN_FIT_INTERNAL_H
#define WG_MODELS_TRAIN_FIT_INTERNAL_H

#include "autograd/compile/program.h"
#include "models/files/archive.h"
#include "models/train/fit.h"

/* Features: one of the two. */
typedef struct wg_fit_features {
    wg_tensor *dense;     /* [n, ...] */
    const wg_csr *sparse; /* [n, d]; NULL: dense */
} wg_fit_features;

/* wg_fit_values: the tensor that has their dtype and tape; may be NULL or inert.
 * wg_fit_logits: what the model makes of them. */
wg_tensor *wg_fit_values(wg_fit_features X);
wg_tensor *wg_fit_logits(const wg_fit_model *model, wg_fit_features X, bool training);

/* Rows as wg_fit takes them, all of one split. */
typedef struct wg_fit_rows {
    int64_t n, classes;
    wg_fit_features X, held_X;
    wg_tensor *labels, *targets;           /* targets: see wg_link_targets */
    wg_tensor *weights;                    /* [n] of X's dtype; NULL: all 1 */
    wg_tensor *held_labels, *held_targets; /* validation rows; NULL: none */
    uint64_t ops;                          /* see wg_fit_identity_of_logits */
} wg_fit_rows;

/* wg_fit_rows_new: splits, encodes and weights X and y; false after an error, which the tape has. */
bool wg_fit_rows_new(wg_fit_rows *rows, const wg_fit_model *model, wg_fit_features X, wg_tensor *y,
                     const wg_fit_options *options);

/* wg_fit_penalty: l2/2 * ||W||^2, (), of all parameters of two or more dimensions; NULL where there is none.
 * wg_fit_loss_of: the loss of logits Z, with it. */
wg_tensor *wg_fit_penalty(const wg_fit_model *model, double l2);
wg_tensor *wg_fit_loss_of(const wg_fit_model *model, wg_tensor *Z, wg_tensor *targets,
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
    double rate;        /* of the optimizer before the first step; 0: of a method without one */
    uint64_t data, ops; /* hashes: of rows, labels and weights; of what the model is made of */
} wg_fit_identity;

/* A training while it runs. What goes on between epochs is the same for all methods; a method has its own state,
 * and goes through an epoch. */
typedef struct wg_fit_run wg_fit_run;
struct wg_fit_run {
    /* The method: */
    void *method;
    /* Trains for one epoch, and fills in the row but for FIT_HELD...; false: there is no more to be gained. */
    bool (*epoch)(wg_fit_run *run, double row[FIT_COLUMNS]);
    /* What a checkpoint keeps of it, see wg_optimizer_state; false where there is no entry i. */
    bool (*entry)(void *method, int64_t i, wg_state_entry *entry);
    wg_fit_options o; /* epochs and batch filled in; of batch 0 a method without batches */

    wg_tape *tape;
    wg_mark mark; /* where it began */
    const wg_fit_model *model;
    wg_fit_rows rows;
    wg_program *held; /* outputs: loss and predicted classes of the validation rows; NULL: none */
    wg_fit_identity identity;
    wg_fit_state state;
    wg_fit_stop stop;
};

/* wg_fit_start: everything but the method. wg_fit_resume: takes the checkpoint, if it is asked for, into the
 * parameters and the method, before anything is recorded, since to write parameters makes stale what is.
 * wg_fit_loop: all epochs. False after an error, which the tape has. wg_fit_end: to be called in any case. */
bool wg_fit_start(wg_fit_run *run, const wg_fit_model *model, wg_fit_features X, wg_tensor *y);
bool wg_fit_resume(wg_fit_run *run);
void wg_fit_loop(wg_fit_run *run);
wg_fit_result wg_fit_end(wg_fit_run *run);

/* wg_fit_identity_of: of a run that has its rows; the rate is the method's to fill in. wg_fit_identity_of_logits: a
 * hash of the ops' names on the way from the logits back to X (or to a leaf), by first operands. wg_fit_identity_fits: false, and
 * WG_E_FORMAT, where the description is of another training. */
wg_fit_identity wg_fit_identity_of(const wg_fit_run *run);
uint64_t wg_fit_identity_of_logits(const wg_tensor *Z, const wg_tensor *X);
void wg_fit_identity_put(const wg_fit_identity *id, wg_archive *a);
bool wg_fit_identity_fits(const wg_fit_identity *id, const wg_archive *a);

/* wg_fit_checkpoint_write, _read: leave nothing on the tape but errors. A checkpoint that does not fit changes
 * nothing. Return the tape's status. */
wg_status wg_fit_checkpoint_write(wg_fit_run *run);
wg_status wg_fit_checkpoint_read(wg_fit_run *run);

#endif
