#include "models/fit.h"

#include "autograd/grad.h"
#include "autograd/op.h"
#include "autograd/program.h"
#include "models/batches.h"
#include "models/fit_internal.h"
#include "models/metrics.h"
#include "models/reader_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The loss and the gradients of a batch of one size, compiled. */
typedef struct fit_graph {
    wg_program *program;
    wg_tensor *loss;                     /* the program's */
    wg_tensor **gradient;                /* [n_params] */
    const wg_tensor *predicted, *labels; /* [rows], i64 */
} fit_graph;

typedef struct fit_run {
    wg_tape *tape;
    const wg_fit_model *model;
    wg_fit_options o; /* defaults filled in */
    wg_optimizer *optimizer;
    wg_fit_rows rows;
    wg_batches *batches;
    fit_graph full, rest; /* rest.program: NULL where every batch is full */
    wg_program *held; /* outputs: loss and predicted classes of the validation rows; NULL: none */
    wg_fit_identity identity;
    wg_fit_state state;
} fit_run;

/* ---- An MLP as a model. ----------------------------------------------------------------------------- */

static wg_tensor *fit_mlp_logits(void *user, wg_tensor *X, bool training)
{
    return wg_mlp_forward(user, X, training);
}

static void fit_mlp_set_step(void *user, int64_t step)
{
    wg_mlp_set_step(user, step);
}

wg_fit_model wg_fit_mlp(wg_mlp *mlp, wg_link link)
{
    return (wg_fit_model){.link = link,
                          .params = wg_mlp_params(mlp),
                          .n_params = wg_mlp_param_count(mlp),
                          .logits = fit_mlp_logits,
                          .set_step = fit_mlp_set_step,
                          .user = mlp};
}

/* ---- Before the first epoch. ------------------------------------------------------------------------ */

static size_t fit_bytes(const wg_tensor *x)
{
    return (size_t)x->size * wg_dtype_size(x->dtype);
}

static bool fit_options_fit(fit_run *run, const wg_fit_options *options)
{
    if (options != NULL)
        run->o = *options;
    wg_fit_options *o = &run->o;
    o->epochs = o->epochs != 0 ? o->epochs : 100;
    o->batch = o->batch != 0 ? o->batch : 32;
    o->checkpoint_every = o->checkpoint_every != 0 ? o->checkpoint_every : 1;
    if (o->epochs < 1 || o->epochs > INT32_MAX || o->batch < 1)
        wg_fail(run->tape, WG_E_VALUE, "fit: %" PRId64 " epochs with batches of %" PRId64 " rows",
                o->epochs, o->batch);
    else if (o->patience < 0 || !(o->min_delta >= 0) || o->checkpoint_every < 1)
        wg_fail(run->tape, WG_E_VALUE, "fit: patience, min_delta or checkpoint_every is negative");
    else if (o->resume && o->checkpoint == NULL)
        wg_fail(run->tape, WG_E_VALUE, "fit: nothing to resume from: checkpoint is NULL");
    return wg_tape_status(run->tape) == WG_OK;
}

/* Room for the state of the run; the history's is the caller's to release. */
static bool fit_new_state(fit_run *run)
{
    wg_tape *t = run->tape;
    wg_fit_state *s = &run->state;
    s->best_loss = (double)INFINITY;
    s->room = run->o.epochs;
    s->history = wg_temporary(t, s->room, FIT_COLUMNS * sizeof *s->history);
    s->best = wg_tape_take(t, (size_t)run->model->n_params * sizeof *s->best);
    for (int i = 0; s->best != NULL && i < run->model->n_params; i++) {
        s->best[i] = wg_tape_take(t, fit_bytes(run->model->params[i]) + 1);
        if (s->best[i] != NULL)
            memcpy(s->best[i], run->model->params[i]->data, fit_bytes(run->model->params[i]));
    }
    return s->history != NULL && wg_tape_status(t) == WG_OK;
}

enum { FIT_X, FIT_TARGETS, FIT_LABELS, FIT_WEIGHTS, FIT_INPUTS };

/* Records and compiles loss, gradients and predicted classes on a batch's inputs; no weights: NULL. */
static fit_graph fit_record(const fit_run *run, wg_tensor *const input[FIT_INPUTS])
{
    int n = run->model->n_params;
    size_t bytes = ((size_t)n + 2) * sizeof(wg_tensor *);
    wg_tensor **outputs = wg_tape_take(run->tape, bytes);
    fit_graph g = {.gradient = wg_tape_take(run->tape, bytes), .labels = input[FIT_LABELS]};
    if (wg_tape_status(run->tape) != WG_OK)
        return g;
    wg_tensor *Z = run->model->logits(run->model->user, input[FIT_X], true);
    outputs[0] = wg_fit_loss_of(run->model, Z, input[FIT_TARGETS], input[FIT_WEIGHTS], run->o.l2);
    wg_grad(outputs[0], run->model->params, n, outputs + 1);
    outputs[n + 1] = wg_link_predict(run->model->link, Z);
    g.program = wg_compile(outputs, n + 2, NULL);
    g.loss = wg_program_output(g.program, 0);
    g.predicted = wg_program_output(g.program, n + 1);
    for (int i = 0; i < n; i++)
        g.gradient[i] = wg_program_output(g.program, i + 1);
    return g;
}

static void fit_record_batches(fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    wg_tensor *source[FIT_INPUTS] = {r->X, r->targets, r->labels, r->weights};
    int n = r->weights != NULL ? FIT_INPUTS : FIT_WEIGHTS;
    run->batches = wg_batches_new(source, n,
                                  &(wg_batches_options){.size = run->o.batch, .seed = run->o.seed});
    wg_tensor *full[FIT_INPUTS] = {NULL}, *rest[FIT_INPUTS] = {NULL};
    bool has_rest = wg_batches_short_size(run->batches) > 0;
    for (int i = 0; i < n; i++) {
        full[i] = wg_batches_input(run->batches, i);
        rest[i] = has_rest ? wg_batches_short_input(run->batches, i) : NULL;
    }
    run->full = fit_record(run, full);
    if (has_rest)
        run->rest = fit_record(run, rest);
}

static void fit_record_held(fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    if (r->held_X == NULL)
        return;
    wg_tensor *Z = run->model->logits(run->model->user, r->held_X, false);
    wg_tensor *outputs[] = {wg_link_loss(run->model->link, Z, r->held_targets, NULL),
                            wg_link_predict(run->model->link, Z)};
    run->held = wg_compile(outputs, 2, NULL);
}

/* A checkpoint is read before anything is recorded, since writing parameters makes stale what is. */
static bool fit_prepare(fit_run *run, wg_tensor *X, wg_tensor *y)
{
    const wg_fit_model *m = run->model;
    if (!wg_fit_rows_new(&run->rows, m, X, y, &run->o) || !fit_new_state(run))
        return false;
    run->optimizer = run->o.optimizer != NULL ? run->o.optimizer
                                              : wg_adam_new(m->params, m->n_params, NULL);
    run->identity = (wg_fit_identity){.rows = run->rows.n,
                                      .batch = run->o.batch,
                                      .seed = run->o.seed,
                                      .l2 = run->o.l2,
                                      .validation = run->o.validation};
    if (run->o.resume)
        wg_fit_checkpoint_read(run->tape, run->o.checkpoint, &run->identity, &run->state, m->params,
                               m->n_params, run->optimizer);
    if (wg_tape_status(run->tape) != WG_OK)
        return false;
    fit_record_batches(run);
    fit_record_held(run);
    return wg_tape_status(run->tape) == WG_OK;
}

/* ---- An epoch. -------------------------------------------------------------------------------------- */

static void fit_step(fit_run *run, const fit_graph *g)
{
    int64_t step = wg_optimizer_steps(run->optimizer);
    if (run->model->set_step != NULL)
        run->model->set_step(run->model->user, step);
    if (run->o.schedule != NULL)
        wg_optimizer_set_rate(run->optimizer, wg_schedule_rate(run->o.schedule, step));
    wg_program_run(g->program);
    double loss = wg_item(g->loss);
    if (wg_tape_status(run->tape) == WG_OK && !isfinite(loss))
        wg_fail(run->tape, WG_E_NOT_FINITE,
                "fit: the loss is %g in epoch %" PRId64 "; a smaller rate may help", loss,
                run->state.epoch + 1);
    wg_optimizer_step(run->optimizer, g->gradient);
}

/* How many rows of the batch were predicted right. */
static int64_t fit_right(const fit_graph *g)
{
    const int64_t *predicted = wg_data_i64(g->predicted), *label = wg_data_i64(g->labels);
    int64_t right = 0;
    for (int64_t i = 0; predicted != NULL && label != NULL && i < wg_size(g->labels); i++)
        right += predicted[i] == label[i];
    return right;
}

/* Trains on all batches once; the means of their losses and accuracies to the history's row. */
static void fit_batches(fit_run *run, double row[FIT_COLUMNS])
{
    double sum = 0;
    int64_t rows, seen = 0, right = 0;
    wg_batches_start(run->batches, run->state.epoch + 1);
    while ((rows = wg_batches_next(run->batches)) > 0) {
        const fit_graph *g = rows == wg_batches_size(run->batches) ? &run->full : &run->rest;
        fit_step(run, g);
        sum += wg_item(g->loss) * (double)rows;
        right += fit_right(g);
        seen += rows;
    }
    row[FIT_LOSS] = sum / (double)seen;
    row[FIT_ACCURACY] = (double)right / (double)seen;
    row[FIT_RATE] = wg_optimizer_rate(run->optimizer);
}

/* The validation rows' part of the history's row. */
static void fit_judge(fit_run *run, double row[FIT_COLUMNS])
{
    row[FIT_HELD_LOSS] = row[FIT_HELD_ACCURACY] = (double)NAN;
    if (run->held == NULL)
        return;
    wg_program_run(run->held);
    row[FIT_HELD_LOSS] = wg_item(wg_program_output(run->held, 0));
    row[FIT_HELD_ACCURACY] = wg_accuracy(wg_program_output(run->held, 1), run->rows.held_labels);
}

/* Notes the epoch's parameters where they are the best so far. */
static bool fit_keep_best(fit_run *run, const double row[FIT_COLUMNS])
{
    wg_fit_state *s = &run->state;
    double monitored = row[run->held != NULL ? FIT_HELD_LOSS : FIT_LOSS];
    if (!(monitored < s->best_loss - run->o.min_delta))
        return false;
    s->best_loss = monitored;
    s->best_epoch = s->epoch;
    for (int i = 0; i < run->model->n_params; i++)
        memcpy(s->best[i], run->model->params[i]->data, fit_bytes(run->model->params[i]));
    return true;
}

/* One epoch; false where the callback wants no more. */
static bool fit_epoch(fit_run *run)
{
    wg_fit_state *s = &run->state;
    double *row = s->history + FIT_COLUMNS * s->epoch;
    fit_batches(run, row);
    fit_judge(run, row);
    if (wg_tape_status(run->tape) != WG_OK)
        return false;
    s->epoch++;
    bool best = fit_keep_best(run, row);
    if (run->o.checkpoint != NULL && s->epoch % run->o.checkpoint_every == 0)
        wg_fit_checkpoint_write(run->tape, run->o.checkpoint, &run->identity, s, run->model->params,
                                run->model->n_params, run->optimizer);
    if (run->o.on_epoch == NULL)
        return true;
    wg_fit_epoch epoch = {.epoch = s->epoch,
                          .epochs = run->o.epochs,
                          .loss = row[FIT_LOSS],
                          .accuracy = row[FIT_ACCURACY],
                          .validation_loss = row[FIT_HELD_LOSS],
                          .validation_accuracy = row[FIT_HELD_ACCURACY],
                          .rate = row[FIT_RATE],
                          .best = best};
    return run->o.on_epoch(&epoch, run->o.on_epoch_user);
}

static bool fit_is_tired(const fit_run *run)
{
    const wg_fit_state *s = &run->state;
    return run->o.patience > 0 && s->epoch - s->best_epoch >= run->o.patience;
}

static wg_fit_stop fit_loop(fit_run *run)
{
    wg_fit_stop stop = WG_FIT_EPOCHS;
    while (stop == WG_FIT_EPOCHS && run->state.epoch < run->o.epochs)
        if (fit_is_tired(run))
            stop = WG_FIT_PATIENCE;
        else if (!fit_epoch(run))
            stop = WG_FIT_CALLBACK;
    for (int i = 0; run->o.patience > 0 && i < run->model->n_params; i++)
        wg_write(run->model->params[i], run->state.best[i], fit_bytes(run->model->params[i]));
    return wg_tape_status(run->tape) == WG_OK ? stop : WG_FIT_ERROR;
}

/* ---- All of it. ------------------------------------------------------------------------------------- */

static wg_tensor *fit_column(const fit_run *run, int column, double *room)
{
    int64_t n = run->state.epoch;
    for (int64_t i = 0; i < n; i++)
        room[i] = run->state.history[FIT_COLUMNS * i + column];
    return wg_constant(run->tape, WG_F64, WG_SHAPE(n), room);
}

static void fit_history(const fit_run *run, wg_fit_result *result)
{
    double *room = wg_temporary(run->tape, run->state.epoch, sizeof *room);
    if (room == NULL)
        return;
    result->loss = fit_column(run, FIT_LOSS, room);
    result->accuracy = fit_column(run, FIT_ACCURACY, room);
    result->rate = fit_column(run, FIT_RATE, room);
    if (run->held != NULL) {
        result->validation_loss = fit_column(run, FIT_HELD_LOSS, room);
        result->validation_accuracy = fit_column(run, FIT_HELD_ACCURACY, room);
    }
    wg_temporary_free(run->tape, room);
}

static wg_fit_result fit_finish(fit_run *run, wg_fit_stop stop, wg_mark mark)
{
    wg_fit_result result = {.stop = stop,
                            .epochs = run->state.epoch,
                            .best_epoch = run->state.best_epoch,
                            .best_loss = run->state.best_loss};
    if (stop != WG_FIT_ERROR) {
        wg_tape_rewind(run->tape, mark);
        fit_history(run, &result);
    }
    if (wg_tape_status(run->tape) != WG_OK)
        return (wg_fit_result){.stop = WG_FIT_ERROR};
    return result;
}

wg_fit_result wg_fit(const wg_fit_model *model, wg_tensor *X, wg_tensor *y,
                     const wg_fit_options *options)
{
    wg_fit_result failed = {.stop = WG_FIT_ERROR};
    wg_tape *t = X != NULL ? X->tape : NULL;
    if (model == NULL || model->n_params < 1 || model->params == NULL || model->logits == NULL)
        wg_fail(t, WG_E_NULL, "fit: a model without parameters or logits");
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return failed;
    wg_mark mark = wg_tape_mark(t);
    fit_run run = {.tape = t, .model = model};
    wg_fit_result result = failed;
    if (fit_options_fit(&run, options) && fit_prepare(&run, X, y)) {
        wg_fit_stop stop = fit_loop(&run);
        result = fit_finish(&run, stop, mark);
    }
    wg_temporary_free(t, run.state.history);
    return result;
}
