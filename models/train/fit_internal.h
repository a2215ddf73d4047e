#ifndef WG_MODELS_TRAIN_FIT_INTERNAL_H
#define WG_MODELS_TRAIN_FIT_INTERNAL_H

#include "autograd/compile/blocks.h"
#include "autograd/compile/program.h"
#include "autograd/ranks/ranks.h"
#include "models/data/dataset_internal.h"
#include "models/data/split.h"
#include "models/train/fit.h"

/* Rows as wg_fit takes them, all of one split. */
typedef struct wg_fit_rows {
    int64_t n, k;          /* training rows, of all ranks; what the head says, see wg_head_k */
    wg_dataset train;      /* X or sparse rows alone; of ranks each has its own, here and below */
    wg_tensor *labels;     /* the truth as it is predicted: classes, or numbers [n, k] */
    wg_tensor *targets;    /* see wg_head_targets */
    wg_tensor *weights;    /* [n] of X's dtype; NULL: all 1 */
    wg_dataset validation; /* and the same of validation rows; labels NULL: there are none */
    wg_tensor *validation_labels, *validation_targets;
    wg_tensor *validation_rows; /* [m]: their positions in the data */
    uint64_t ops;               /* see wg_fit_identity_of_outputs */
} wg_fit_rows;

/* wg_fit_rows_fit: can the model be trained on these data? Sets k and ops. wg_fit_rows_new: splits,
 * encodes and weights the data. False after an error, which the tape has. */
bool wg_fit_rows_fit(wg_fit_rows *rows, const wg_fit_model *model, const wg_dataset *data,
                     const wg_fit_options *options);
bool wg_fit_rows_new(wg_fit_rows *rows, const wg_fit_model *model, const wg_dataset *data,
                     const wg_fit_options *options);

/* wg_fit_split_rows: which of this rank's rows are trained on, and which tested by, where a part of
 * all ranks' rows is to be; both rising. y: this rank's. */
wg_train_test wg_fit_split_rows(wg_tensor *y, const wg_train_test_options *split);

/* wg_fit_outputs: what the model makes of rows. wg_fit_predicts_classes: does its head? */
wg_tensor *wg_fit_outputs(const wg_fit_model *model, const wg_dataset *rows, bool training);
bool wg_fit_predicts_classes(const wg_fit_model *model);

/* The columns of the history. */
enum { FIT_LOSS, FIT_ACCURACY, FIT_VALIDATION_LOSS, FIT_VALIDATION_SCORE, FIT_RATE, FIT_COLUMNS };

/* Where a training is: this, the parameters and the optimizer's state are all that a checkpoint
 * holds. */
typedef struct wg_fit_state {
    int64_t epoch, best_epoch; /* epochs made; 0: none */
    double best_loss;
    double *history; /* [room, width]: FIT_COLUMNS, and the norms of the parameters' gradients */
    int64_t width;
    int64_t room;
    void **best; /* [n_params]: copies of the best epoch's values; NULL: nobody will ask for them */
} wg_fit_state;

/* Room for that many epochs of history, which grows: most trainings end long before the last epoch.
 * False, and WG_E_NOMEM, where there is none. */
static inline bool wg_fit_make_room(wg_tape *t, wg_fit_state *state, int64_t epochs)
{
    void *history = state->history;
    const bool done = wg_temporary_grow(t, &history, &state->room, epochs,
                                        (size_t)state->width * sizeof *state->history);
    state->history = history;
    return done;
}

/* What tells trainings apart: a checkpoint of another one is refused. */
typedef struct wg_fit_identity {
    int64_t rows, batch;
    uint64_t seed;
    double l1, l2, validation;
    double rate;        /* of the optimizer before the first step; 0: of a method without one */
    uint64_t data, ops; /* hashes: of rows, labels and weights; of what the model is made of */
} wg_fit_identity;

/* A training while it runs. What goes on between epochs is the same for all methods; a method has
 * its own state, and goes through an epoch. */
typedef struct wg_fit_run wg_fit_run;
struct wg_fit_run {
    /* The method: */
    void *method;
    /* Trains for one epoch, and fills in the row but for FIT_VALIDATION...; false: there is no
     * more to be gained. */
    bool (*epoch)(wg_fit_run *run, double row[]);
    /* What a checkpoint keeps of it, see wg_optimizer_state; false where there is no entry i. */
    bool (*entry)(void *method, int64_t i, wg_state_entry *entry);
    uint64_t method_hash; /* of its options: all ranks must have the same */
    wg_fit_options o;     /* epochs and batch filled in; of batch 0 a method without batches */

    wg_tape *tape;
    wg_mark mark; /* where it began */
    const wg_fit_model *model;
    wg_fit_rows rows;
    double l1, l2; /* factors of sum |W| and ||W||^2 / 2, of the options l2, C and l1_ratio */
    wg_program *validation; /* outputs: loss and predictions of the validation rows; NULL: none,
                               or shared */
    struct wg_fit_shared *shared; /* validation rows that ranks share; NULL: none */
    bool stopping;                /* by option stop, of any rank */
    wg_fit_identity identity;
    wg_fit_state state;
    wg_check_report *check[2]; /* [n_params]: the first and the last one; NULL: none yet */
    wg_fit_stop stop;
};

/* wg_fit_loss_of: the mean loss of outputs Z, with the penalty. */
wg_tensor *wg_fit_loss_of(const wg_fit_run *run, wg_tensor *Z, wg_tensor *targets,
                          wg_tensor *weights);

/* wg_fit_start: everything but the method. False after an error, which the tape has. */
bool wg_fit_start(wg_fit_run *run, const wg_fit_model *model, const wg_dataset *data);

/* wg_fit_resume: takes the checkpoint, if it is asked for, into the parameters and the method,
 * before anything is recorded, since to write parameters makes stale what is. */
bool wg_fit_resume(wg_fit_run *run);

/* wg_fit_loop: all epochs. */
void wg_fit_loop(wg_fit_run *run);

/* wg_fit_end: what came of it; to be called in any case. */
wg_fit_result wg_fit_end(wg_fit_run *run);

/* wg_fit_stopped: does option stop say so? */
bool wg_fit_stopped(const wg_fit_run *run);

/* wg_fit_check: checks the gradient where option check_every says so, and keeps the reports; false
 * after an error, which the tape has. */
bool wg_fit_check(wg_fit_run *run, bool last);

/* wg_fit_check_take: the reports, to the tape and into the result. */
void wg_fit_check_take(const wg_fit_run *run, wg_fit_result *result);

/* wg_fit_check_end: frees them. */
void wg_fit_check_end(wg_fit_run *run);

/* Sparse rows, of which ranks may have a part each, in blocks that depend on the data alone.
 * wg_fit_sparse_rows: those that are due to this rank in blocks of so many, streamed as their
 * lengths, columns and values; wg_fit_sparse_matrix: the matrix that such a block is.
 * wg_fit_sparse_blocks: the mean loss and the penalty. wg_fit_sparse_moments: mean and variance of
 * the columns [d]. All leave errors on the tape, and have all ranks take part. */
enum { WG_FIT_SPARSE = 3 };
bool wg_fit_sparse_rows(const wg_csr *csr, int64_t block, wg_tensor *rows[WG_FIT_SPARSE]);
wg_csr wg_fit_sparse_matrix(const wg_fit_run *run, wg_tensor *const rows[WG_FIT_SPARSE]);
wg_blocks *wg_fit_sparse_blocks(wg_fit_run *run);
void wg_fit_sparse_moments(const wg_csr *rows, double mean[], double variance[]);

/* Where model.linear_first: a minimizer's variables are params, but for u = w scale of a weight and
 * c = b + W mean of the biases, in which W x + b reads u (x - mean) / scale + c. */
typedef struct wg_fit_coordinates {
    int64_t outputs, columns; /* of the first layer; 0: the variables are the parameters */
    double *mean, *scale;     /* [columns], of the tape */
} wg_fit_coordinates;

/* wg_fit_coordinates_new: of the training rows; false after an error, which the tape has.
 * _from: variables of parameters, in place; _to: the reverse. _gradient, _hessian [n, n]: with
 * respect to the variables, in place of those with respect to the parameters. */
bool wg_fit_coordinates_new(wg_fit_coordinates *c, const wg_fit_run *run);
void wg_fit_coordinates_from(const wg_fit_coordinates *c, double x[]);
void wg_fit_coordinates_to(const wg_fit_coordinates *c, double x[]);
void wg_fit_coordinates_gradient(const wg_fit_coordinates *c, double g[]);
void wg_fit_coordinates_hessian(const wg_fit_coordinates *c, double h[], int64_t n);

/* wg_fit_is_shared: is the tape one with ranks, if only one? Its validation rows are then judged in
 * blocks, and added up in shards.
 * wg_fit_shared_new: shares them. wg_fit_shared_judge: their mean loss, and the head's first
 * metric. wg_fit_shared_goes_on: what ranks agree on after an epoch: that the parameters are the
 * same ones, and whether to stop; does every rank want more? All leave errors on the tape, and have
 * all ranks take part, also with an error. */
bool wg_fit_is_shared(const wg_tape *t);
void wg_fit_shared_new(wg_fit_run *run);
void wg_fit_shared_judge(wg_fit_run *run, double *loss, double *score);
bool wg_fit_shared_goes_on(wg_fit_run *run, bool goes_on);

/* wg_fit_identity_of: of a run that has its rows; the rate is the method's to fill in. */
wg_fit_identity wg_fit_identity_of(const wg_fit_run *run);

/* wg_fit_identity_of_outputs: a hash of the head's name and of the graph that Z is computed by:
 *   ops by name, attributes, dtypes, shapes and operands, up to X. *hash is left alone after an
 *   error. */
void wg_fit_identity_of_outputs(const wg_head *head, wg_tensor *Z, const wg_tensor *X,
                                uint64_t *hash);

/* Hashes of what ranks must have in common. wg_fit_identity_of_rank: options, model, its
 * parameters; wg_fit_identity_of_params: these alone; _of_minimizer: its options. */
uint64_t wg_fit_identity_of_rank(const wg_fit_run *run);
uint64_t wg_fit_identity_of_params(const wg_fit_model *model);
uint64_t wg_fit_identity_of_minimizer(const wg_minimizer_options *o);

/* wg_fit_checkpoint_write, _read: leave nothing on the tape but errors. A checkpoint that does not
 * fit changes nothing. Return the tape's status. */
wg_status wg_fit_checkpoint_write(wg_fit_run *run);
wg_status wg_fit_checkpoint_read(wg_fit_run *run);

#endif
