#ifndef WG_MODELS_TRAIN_FIT_H
#define WG_MODELS_TRAIN_FIT_H

#include "models/link.h"
#include "models/mlp.h"
#include "models/optim/minimize.h"
#include "models/optim/optimizer.h"
#include "models/optim/schedule.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_fit: trains a classifier by mini-batches, on compiled programs.
 *
 *     wg_mlp *mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){64, 64, 10}, .n_sizes = 3, .dtype = WG_F32});
 *     wg_fit_model model = wg_fit_mlp(mlp, WG_LINK_SOFTMAX);
 *     wg_fit_result r = wg_fit(&model, X, y, &(wg_fit_options){.validation = 0.1, .patience = 10});
 */

/* What is trained: anything that records logits. */
typedef struct wg_fit_model {
    wg_link link;
    wg_tensor *const *params; /* [n_params]; checkpoints need names for them, all different */
    int n_params;

    /* The logits for rows X, recorded on X's tape: called for one row, for a full batch, for the last, smaller one, and
     * for the validation rows (training = false). */
    wg_tensor *(*logits)(void *user, wg_tensor *X, bool training);
    /* The same for sparse rows, see wg_fit_lbfgs_csr; NULL: the model takes none. */
    wg_tensor *(*logits_csr)(void *user, const wg_csr *X, bool training);
    /* Called before each step, where a step's loss is its own (dropout); NULL: nothing to do. */
    void (*set_step)(void *user, int64_t step);
    void *user;
} wg_fit_model;

/* wg_fit_mlp: an MLP as such a model; its last size is the columns of the logits. */
wg_fit_model wg_fit_mlp(wg_mlp *mlp, wg_link link);

/* What is known after an epoch; numbers that there are not are NaN. */
typedef struct wg_fit_epoch {
    int64_t epoch, epochs; /* 1, 2, ... of at most so many */
    double loss; /* mean over the epoch's batches, each before its step; with the penalty */
    double
        accuracy; /* of the same batches, as the loss sees them: before their steps, with dropout */
    double validation_loss, validation_accuracy; /* after the epoch; without the penalty */
    double rate;                                 /* of the epoch's last step */
    bool best;                                   /* the lowest monitored loss so far */
} wg_fit_epoch;

/* Called after every epoch; false ends the training. It may read tensors; what it records on the tape is
 * dropped at the end. */
typedef bool wg_fit_callback(const wg_fit_epoch *epoch, void *user);

typedef struct wg_fit_options {
    int64_t epochs; /* at most, > 0; default 0 stands for 100 */
    int64_t batch;  /* rows of a batch, > 0; default 0 stands for 32; more than there are: all */
    uint64_t seed;  /* of the order of the rows and of the validation split; default 0 */
    wg_optimizer *optimizer; /* made for the model's parameters; default NULL: Adam, rate 0.001 */
    const wg_schedule *schedule; /* its rate by the optimizer's step; default NULL: it stays */
    double l2; /* L >= 0: the penalty L/2 * ||W||^2 of all parameters of two or more dimensions is
                  added to the loss; default 0 */

    double
        validation; /* share of the rows, stratified, that is not trained on but judged by, in [0, 1);
                          default 0: none */
    int64_t
        patience; /* stop when the monitored loss (of validation rows, or else of training) has not
                          fallen for so many epochs, and take the parameters of the best epoch; default
                          0: never, and the last epoch's parameters stay */
    double
        min_delta; /* to have fallen is to be lower than the best by more than this, >= 0; default 0 */

    /* Weights of rows: the product of the three, scaled so that their mean over the training rows is 1.
     * Validation rows are not weighted. */
    bool balanced; /* default false; true: n / (k * rows of the class), as in scikit-learn */
    const double *class_weights;     /* [k], each >= 0; default NULL: all 1 */
    const wg_tensor *sample_weights; /* [n], f32 or f64, each >= 0; default NULL: all 1 */

    wg_fit_callback *on_epoch; /* default NULL */
    void *on_epoch_user;       /* handed to it */

    const char
        *checkpoint; /* file to keep the state in, written whole or not at all; default NULL */
    int64_t checkpoint_every; /* epochs; default 0 stands for 1 */
    bool
        resume; /* default false; true: go on from that file, which must be there, and arrive at the same
                    bits as if the training had never been stopped. Model, data, optimizer and options
                    must be the same, but for epochs, patience and the callback: other rows, labels or weights,
                    layers, kinds of optimizer and first rates are noticed; other attributes of ops and other
                    numbers of optimizers are not. */
} wg_fit_options;

typedef enum wg_fit_stop {
    WG_FIT_EPOCHS,    /* as many epochs as were asked for */
    WG_FIT_PATIENCE,  /* no better for `patience` epochs */
    WG_FIT_CALLBACK,  /* the callback said so */
    WG_FIT_CONVERGED, /* of wg_fit_lbfgs: there is no lower loss */
    WG_FIT_ERROR      /* the tape has an error */
} wg_fit_stop;

typedef struct wg_fit_result {
    wg_fit_stop stop;
    int64_t epochs;     /* that were made, those before a resumption included */
    int64_t best_epoch; /* 1, 2, ...: with the lowest monitored loss */
    double best_loss;
    /* The history, [epochs], f64 constants, as in wg_fit_epoch; NULL after an error. */
    wg_tensor *loss, *accuracy, *rate;
    wg_tensor *validation_loss, *validation_accuracy; /* NULL also without a validation split */
    wg_optimum optimum;                               /* of wg_fit_lbfgs; else 0 */
} wg_fit_result;

/* wg_fit: see above. NULL options are the defaults. Leaves nothing on the tape but the history. The result is a
 * function of model, data, options and seeds: the same bits for any number of threads.
 * Shape:  X [n, ...] f32 or f64, y [n] i64: classes from 0 on.
 * Errors, on the tape: WG_E_VALUE (options), WG_E_SHAPE, WG_E_DTYPE, WG_E_INDEX (a label), WG_E_NOT_FINITE
 *   (the loss of a batch), WG_E_NULL, WG_E_NOMEM; resuming: those of wg_archive_load and WG_E_FORMAT (a
 *   checkpoint of another training; nothing has then been written). */
wg_fit_result wg_fit(const wg_fit_model *model, wg_tensor *X, wg_tensor *y,
                     const wg_fit_options *options);

#ifdef __cplusplus
}
#endif
#endif
