/* The manners of a training, whatever its method is: validation, patience, checkpoints, history. */
#include "models/train/fit_internal.h"

#include "autograd/compile/program.h"
#include "autograd/op.h"
#include "models/metrics/metrics.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Before the first epoch. ------------------------------------------------------------------------ */

static size_t fit_bytes(const wg_tensor *x)
{
    return (size_t)x->size * wg_dtype_size(x->dtype);
}

static bool fit_options_fit(wg_fit_run *run)
{
    wg_fit_options *o = &run->o;
    o->checkpoint_every = o->checkpoint_every != 0 ? o->checkpoint_every : 1;
    if (o->epochs < 1 || o->epochs > INT32_MAX || o->batch < 0)
        wg_fail(run->tape, WG_E_VALUE, "fit: %" PRId64 " epochs with batches of %" PRId64 " rows",
                o->epochs, o->batch);
    else if (o->patience < 0 || !(o->min_delta >= 0) || o->checkpoint_every < 1)
        wg_fail(run->tape, WG_E_VALUE, "fit: patience, min_delta or checkpoint_every is negative");
    else if (o->resume && o->checkpoint == NULL)
        wg_fail(run->tape, WG_E_VALUE, "fit: nothing to resume from: checkpoint is NULL");
    return wg_tape_status(run->tape) == WG_OK;
}

/* Room for the state of the run; the history's is the caller's to release. */
static bool fit_new_state(wg_fit_run *run)
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

bool wg_fit_start(wg_fit_run *run, const wg_fit_model *model, wg_fit_features X, wg_tensor *y)
{
    const wg_tensor *values = wg_fit_values(X);
    run->tape = values != NULL ? values->tape : NULL;
    run->model = model;
    run->stop = WG_FIT_ERROR;
    run->mark = wg_tape_mark(run->tape);
    if (model == NULL || model->n_params < 1 || model->params == NULL || model->logits == NULL)
        wg_fail(run->tape, WG_E_NULL, "fit: a model without parameters or logits");
    if (run->tape == NULL || wg_tape_status(run->tape) != WG_OK || !fit_options_fit(run) ||
        !wg_fit_rows_new(&run->rows, model, X, y, &run->o) || !fit_new_state(run))
        return false;
    run->identity = wg_fit_identity_of(run);
    return true;
}

bool wg_fit_resume(wg_fit_run *run)
{
    return wg_tape_status(run->tape) == WG_OK &&
           (!run->o.resume || wg_fit_checkpoint_read(run) == WG_OK);
}

/* ---- An epoch. -------------------------------------------------------------------------------------- */

static void fit_record_held(wg_fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    if (r->held_labels == NULL)
        return;
    wg_tensor *Z = wg_fit_logits(run->model, r->held_X, false);
    wg_tensor *outputs[] = {wg_link_loss(run->model->link, Z, r->held_targets, NULL),
                            wg_link_predict(run->model->link, Z)};
    run->held = wg_compile(outputs, 2, NULL);
}

/* The validation rows' part of the history's row. */
static void fit_judge(wg_fit_run *run, double row[FIT_COLUMNS])
{
    row[FIT_HELD_LOSS] = row[FIT_HELD_ACCURACY] = (double)NAN;
    if (run->held == NULL)
        return;
    wg_program_run(run->held);
    row[FIT_HELD_LOSS] = wg_item(wg_program_output(run->held, 0));
    row[FIT_HELD_ACCURACY] = wg_accuracy(wg_program_output(run->held, 1), run->rows.held_labels);
}

/* Notes the epoch's parameters where they are the best so far. */
static bool fit_keep_best(wg_fit_run *run, const double row[FIT_COLUMNS])
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

/* Tells the callback; does it want more? */
static bool fit_tell(const wg_fit_run *run, const double row[FIT_COLUMNS], bool best)
{
    wg_fit_epoch epoch = {.epoch = run->state.epoch,
                          .epochs = run->o.epochs,
                          .loss = row[FIT_LOSS],
                          .accuracy = row[FIT_ACCURACY],
                          .validation_loss = row[FIT_HELD_LOSS],
                          .validation_accuracy = row[FIT_HELD_ACCURACY],
                          .rate = row[FIT_RATE],
                          .best = best};
    return run->o.on_epoch == NULL || run->o.on_epoch(&epoch, run->o.on_epoch_user);
}

/* One epoch; is it to be the last, and why? WG_FIT_EPOCHS: no. */
static wg_fit_stop fit_one(wg_fit_run *run)
{
    wg_fit_state *s = &run->state;
    double *row = s->history + FIT_COLUMNS * s->epoch;
    bool more = run->epoch(run, row);
    if (more)
        fit_judge(run, row);
    if (wg_tape_status(run->tape) != WG_OK)
        return WG_FIT_ERROR;
    if (!more)
        return WG_FIT_CONVERGED;
    s->epoch++;
    bool best = fit_keep_best(run, row);
    if (run->o.checkpoint != NULL && s->epoch % run->o.checkpoint_every == 0 &&
        wg_fit_checkpoint_write(run) != WG_OK)
        return WG_FIT_ERROR;
    return fit_tell(run, row, best) ? WG_FIT_EPOCHS : WG_FIT_CALLBACK;
}

static bool fit_is_tired(const wg_fit_run *run)
{
    const wg_fit_state *s = &run->state;
    return run->o.patience > 0 && s->epoch - s->best_epoch >= run->o.patience;
}

void wg_fit_loop(wg_fit_run *run)
{
    wg_fit_stop stop = WG_FIT_EPOCHS;
    fit_record_held(run);
    while (stop == WG_FIT_EPOCHS && run->state.epoch < run->o.epochs)
        stop = fit_is_tired(run) ? WG_FIT_PATIENCE : fit_one(run);
    for (int i = 0; run->o.patience > 0 && i < run->model->n_params; i++)
        wg_write(run->model->params[i], run->state.best[i], fit_bytes(run->model->params[i]));
    run->stop = wg_tape_status(run->tape) == WG_OK ? stop : WG_FIT_ERROR;
}

/* ---- After the last. -------------------------------------------------------------------------------- */

static wg_tensor *fit_column(const wg_fit_run *run, int column, double *room)
{
    int64_t n = run->state.epoch;
    for (int64_t i = 0; i < n; i++)
        room[i] = run->state.history[FIT_COLUMNS * i + column];
    return wg_constant(run->tape, WG_F64, WG_SHAPE(n), room);
}

static void fit_history(const wg_fit_run *run, wg_fit_result *result)
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

wg_fit_result wg_fit_end(wg_fit_run *run)
{
    wg_fit_result result = {.stop = run->stop,
                            .epochs = run->state.epoch,
                            .best_epoch = run->state.best_epoch,
                            .best_loss = run->state.best_loss};
    if (run->stop != WG_FIT_ERROR) {
        wg_tape_rewind(run->tape, run->mark);
        fit_history(run, &result);
    }
    wg_temporary_free(run->tape, run->state.history);
    return wg_tape_status(run->tape) == WG_OK ? result : (wg_fit_result){.stop = WG_FIT_ERROR};
}
