#ifndef WG_MODELS_TRAIN_FIT_H
#define WG_MODELS_TRAIN_FIT_H

#include "models/data/dataset.h"
#include "models/optim/minimize.h"
#include "models/optim/optimizer.h"
#include "models/optim/schedule.h"
#include "models/train/head.h"

#include <signal.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_check_report wg_check_report; /* see autograd/check/function.h */

/* wg_fit: trains a model by mini-batches, on compiled programs.
 *
 *     wg_mlp_options layers = {.sizes = (int64_t[]){64, 64, 10}, .n_sizes = 3};
 *     wg_fit_model model = wg_mlp_fit_model(wg_mlp_new(t, &layers), &wg_head_softmax);
 *     wg_fit_result r = wg_fit(&model, &(wg_dataset){.X = X, .y = y},
 *                              &(wg_fit_options){.validation = 0.1, .patience = 10});
 */

/* What is trained: anything that records outputs, and a head that reads them. */
typedef struct wg_fit_model {
    const wg_head *head;
    wg_tensor *const *params; /* [n_params]; checkpoints need names for them, all different */
    int n_params;

    /* The outputs (logits) Z for rows->X, or, where takes_sparse, for rows->sparse: recorded on
     * their tape. Called for one row, for a full batch, for the last, smaller one, and for the
     * validation rows (training = false). */
    wg_tensor *(*outputs)(void *user, const wg_dataset *rows, bool training);
    bool takes_sparse;
    /* params[0] [h, d] and params[1] [h] are weights and bias of a linear layer of the rows
     * themselves: then L-BFGS and Newton's methods see the columns centred and of one scale, and do
     * not stop short where they are not. Default false. */
    bool linear_first;
    /* Called before each step, where a step's loss is its own (dropout); NULL: nothing to do. */
    void (*set_step)(void *user, int64_t step);
    void *user;
} wg_fit_model;

/* What is known after an epoch; what does not apply is NaN. */
typedef struct wg_fit_epoch {
    int64_t epoch, epochs; /* 1, 2, ... of at most `epochs` */
    double loss;     /* mean over the epoch's batches, each before its step; with the penalty */
    double accuracy; /* of classes, in the same batches, as the loss sees them: with dropout */
    double validation_loss;  /* after the epoch; without the penalty */
    double validation_score; /* the head's first metric: accuracy, or R2 */
    double rate;             /* of the epoch's last step */
    bool best;               /* the lowest monitored loss so far */
} wg_fit_epoch;

/* Called after every epoch; false ends the training. It may read tensors; what it records on the
 * tape is dropped at the end. */
typedef bool wg_fit_callback(const wg_fit_epoch *epoch, void *user);

typedef struct wg_fit_options {
    int64_t epochs; /* at most, > 0; default 0 stands for 100 */
    int64_t batch;  /* rows of a batch, > 0; default 0 stands for 32; more than there are: all */
    uint64_t seed;  /* of the order of the rows and of the validation split; default 0 */
    wg_optimizer *optimizer; /* made for the model's parameters, in their order, else WG_E_VALUE;
                                default NULL: Adam, rate 0.001 */
    /* its rate by the optimizer's step, PLATEAU's by the monitored losses of the epochs; default
     * NULL: it stays */
    const wg_schedule *schedule;
    double l2; /* L >= 0: the penalty L/2 * ||W||^2 of all parameters of two or more dimensions
                  (weights, not biases) is added to the loss; default 0 */
    double C;  /* > 0: the same by scikit-learn's name: L = 1/(n C), n the training rows without the
                  validation rows; default 0: none; then l2 must be 0, where C is given */
    /* a in [0, 1]: the penalty is L (a sum |W| + (1 - a)/2 ||W||^2), as scikit-learn's elastic
     * net; default 0: no L1. Of wg_fit_minimize with WG_PROXIMAL alone */
    double l1_ratio;

    /* share of the rows, stratified by class, that is not trained on but judged by, in [0, 1);
     * default 0: none */
    double validation;
    int64_t patience; /* stop when the monitored loss (of validation rows, or else of training) has
                         not fallen for so many epochs, and take the parameters of the best epoch;
                         default 0: never, and the last epoch's parameters stay */
    double min_delta; /* to have fallen is to be lower than the best by more than this, >= 0,
                         finite */

    /* Weights of rows: the product of the three, scaled so that their mean over the training rows
     * is 1. Validation rows are not weighted. The first two are for classes. */
    bool balanced; /* default false; true: n / (k * rows of the class), as in scikit-learn */
    const double *class_weights;     /* [k], each >= 0; default NULL: all 1 */
    const wg_tensor *sample_weights; /* [n], f32 or f64, each >= 0; default NULL: all 1 */

    wg_fit_callback *on_epoch; /* default NULL */
    void *on_epoch_user;       /* handed to it */

    /* A signal's handler may set it: what is not 0 ends the training after the step it is in, with
     * the parameters of the best epoch, of which a part counts as one, but is no checkpoint;
     * default NULL. */
    const volatile sig_atomic_t *stop;
    int64_t check_every; /* epochs, >= 0: the gradient of the loss of the first 32 training rows is
                            checked, as by wg_gradcheck, before the first epoch, after so many each,
                            and after the last; a wrong one is WG_E_VALUE; default 0: never */

    /* file to keep the state in, written whole or not at all; default NULL */
    const char *checkpoint;
    int64_t checkpoint_every; /* epochs; default 0 stands for 1 */
    bool resume; /* default false; true: go on from that file, which must be there, and arrive at
                    the same bits as if the training had never been stopped. Model, data, optimizer
                    and options must be the same, but for epochs, patience and the callback. Noticed
                    are other rows, labels or weights, other ops of the model with other attributes
                    and shapes, another head, kind of optimizer or first rate; other numbers of
                    optimizers are not. */
} wg_fit_options;

typedef enum wg_fit_stop {
    WG_FIT_EPOCHS,    /* as many epochs as were asked for */
    WG_FIT_PATIENCE,  /* no better for `patience` epochs */
    WG_FIT_CALLBACK,  /* the callback said so */
    WG_FIT_STOPPED,   /* by option stop */
    WG_FIT_CONVERGED, /* of wg_fit_minimize: there is no lower loss */
    WG_FIT_ERROR      /* the tape has an error */
} wg_fit_stop;

/* wg_fit_stop_name: "epochs", "patience", "callback", "stopped", "converged" or "error". */
const char *wg_fit_stop_name(wg_fit_stop stop);

typedef struct wg_fit_result {
    wg_fit_stop stop;
    int64_t epochs;     /* that were made, those before a resumption included; >= 1 */
    int64_t best_epoch; /* 1, 2, ...: with the lowest monitored loss */
    double best_loss;
    /* The history, [epochs], f64 constants, as in wg_fit_epoch; NULL after an error. */
    wg_tensor *loss, *accuracy, *rate;
    wg_tensor *validation_loss, *validation_score; /* NULL also without a validation split */
    wg_tensor *gradient_norm; /* [epochs, n_params]: Euclidean, of the epoch's last gradient */
    /* Of option check_every, [n_params]: before the first epoch (of this call), after the last;
     * NULL: none. All passed, or are unresolved, or vacuous. */
    const wg_check_report *first_check, *last_check;
    wg_optimum optimum; /* of wg_fit_minimize; else 0 */
} wg_fit_result;

/* wg_fit: see above. NULL options are the defaults. Leaves nothing on the tape but the history.
 * The result is a function of model, data, options and seeds: the same bits for any number of
 * threads.
 * Shape:  X [n, ...] f32 or f64, y as the head says. Of a table its numbers; string columns are
 *   WG_E_VALUE (see models/estimator.h).
 * Errors, on the tape: WG_E_VALUE (options), WG_E_SHAPE, WG_E_DTYPE, WG_E_INDEX (a label),
 *   WG_E_NOT_FINITE (numbers to be learned, with their row; the loss of a batch, or of the
 *   validation rows, with the first row to blame), WG_E_STALE, WG_E_NULL, WG_E_NOMEM; resuming:
 *   those of wg_archive_load and WG_E_FORMAT (a checkpoint of another training; nothing has then
 *   been written). */
wg_fit_result wg_fit(const wg_fit_model *model, const wg_dataset *data,
                     const wg_fit_options *options);

/* wg_fit_minimize: wg_fit by all rows at once, to the optimum: mean loss + penalty, by L-BFGS,
 * Newton's methods, or proximal gradient. The rows go through the model in blocks that stay in
 * cache, on the threads of the tape's pool; so a row's outputs must depend on no other row. Sparse
 * rows go through it all at once. An epoch is an iteration (of L-BFGS: about 1.1 evaluations of
 * loss and gradient).
 * options.epochs: 0 stands for 1000, of PROXIMAL for 10000. The loss of an epoch is the one after
 * it; accuracy and rate there are none: NaN. Validation, patience and min_delta, weights, the
 * callback, checkpoint and resume are as in wg_fit. On a tape with ranks each gives its part of the
 * rows, one at least, and the rest as if it had all: the same bits for any number of ranks, and a
 * training may be resumed by another number. Rank 0 writes the checkpoint, all read it; a rank
 * with other options, or another model, is refused at the start (WG_E_RANKS). Their rows are
 * dense. Refused, WG_E_VALUE: options batch, optimizer and schedule; a model with set_step
 * (dropout): its loss would change between evaluations.
 *   minimizer: see models/optim/minimize.h; NULL: L-BFGS. Its iterations and value_tolerance must
 * be 0: epochs, min_delta and patience say when to stop. options.l1_ratio > 0 needs WG_PROXIMAL.
 * The tolerance is of the gradient; with linear_first, but for PROXIMAL, of that with respect to
 * weights of standardized columns.
 * The result's stop is WG_FIT_CONVERGED where the tolerance is reached, or round-off hides any
 * lower loss; and `optimum` is filled in, over the iterations of this call. A start at the optimum
 * is one epoch of no iteration. Shape and errors: those of wg_fit; WG_E_NOT_FINITE: the loss or its
 * gradient, at the first parameters. */
wg_fit_result wg_fit_minimize(const wg_fit_model *model, const wg_dataset *data,
                              const wg_fit_options *options, const wg_minimizer_options *minimizer);

#ifdef __cplusplus
}
#endif
#endif
