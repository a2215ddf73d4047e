/* What every training does, whatever its method: validation, patience, checkpoints, history. */
#include "models/train/fit_internal.h"

#include "autograd/compile/program.h"
#include "autograd/op.h"
#include "ops/arithmetic.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { FIT_HISTORY = 1000 }; /* epochs that there is room for at first */

/* ---- Before the first epoch. ----------------------------------------------------------------- */

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
    else if (o->patience < 0 || !(o->min_delta >= 0) || o->checkpoint_every < 1 ||
             o->check_every < 0)
        wg_fail(run->tape, WG_E_VALUE,
                "fit: patience, min_delta, checkpoint_every or check_every is negative");
    else if (isinf(o->min_delta)) /* no loss is ever lower by that: the first epoch would be best */
        wg_fail(run->tape, WG_E_VALUE, "fit: min_delta = inf, by which no loss falls");
    else if (o->resume && o->checkpoint == NULL)
        wg_fail(run->tape, WG_E_VALUE, "fit: nothing to resume from: checkpoint is NULL");
    return wg_tape_status(run->tape) == WG_OK;
}

/* Copies of the parameters, which patience goes back to, now or after a resumption; so does who is
 * stopped, if by another rank. */
static void fit_new_best(wg_fit_run *run)
{
    wg_fit_state *s = &run->state;
    if (run->o.patience == 0 && run->o.checkpoint == NULL && run->o.stop == NULL &&
        !wg_fit_is_shared(run->tape))
        return;
    s->best = wg_tape_take(run->tape, (size_t)run->model->n_params * sizeof *s->best);
    for (int i = 0; s->best != NULL && i < run->model->n_params; i++) {
        s->best[i] = wg_tape_take(run->tape, fit_bytes(run->model->params[i]) + 1);
        if (s->best[i] != NULL)
            memcpy(s->best[i], run->model->params[i]->data, fit_bytes(run->model->params[i]));
    }
}

/* Room for the state of the run; the history's is the caller's to release. */
static void fit_new_state(wg_fit_run *run)
{
    wg_fit_state *s = &run->state;
    s->best_loss = (double)INFINITY;
    s->room = run->o.epochs < FIT_HISTORY ? run->o.epochs : FIT_HISTORY;
    s->width = FIT_COLUMNS + run->model->n_params;
    s->history = wg_temporary(run->tape, s->room, (size_t)s->width * sizeof *s->history);
    fit_new_best(run);
}

static bool fit_model_fits(wg_tape *t, const wg_fit_model *m)
{
    if (m == NULL || m->n_params < 1 || m->params == NULL || m->outputs == NULL)
        wg_fail(t, WG_E_NULL, "fit: a model without parameters or outputs");
    else if (m->head == NULL || m->head->name == NULL || m->head->loss == NULL ||
             (m->head->predict == NULL && m->head->kind != WG_HEAD_NUMBERS))
        wg_fail(t, WG_E_NULL, "fit: no head, or one without name, loss or predict");
    return wg_tape_status(t) == WG_OK;
}

bool wg_fit_start(wg_fit_run *run, const wg_fit_model *model, const wg_dataset *data)
{
    run->tape = wg_dataset_tape(data);
    run->model = model;
    run->stop = WG_FIT_ERROR;
    run->mark = wg_tape_mark(run->tape);
    const bool fits = run->tape != NULL && wg_tape_status(run->tape) == WG_OK &&
                      fit_model_fits(run->tape, model) && fit_options_fit(run) &&
                      wg_fit_rows_fit(&run->rows, model, data, &run->o);
    if (wg_ranks_agree(run->tape, fits ? wg_fit_identity_of_rank(run) : 0, "options or model") !=
            WG_OK ||
        !wg_fit_rows_new(&run->rows, model, data, &run->o))
        return false;
    fit_new_state(run);
    if (wg_ranks_agree(run->tape, 0, "") != WG_OK)
        return false;
    const double both = run->o.C > 0 ? 1 / ((double)run->rows.n * run->o.C) : run->o.l2;
    run->l1 = both * run->o.l1_ratio;
    run->l2 = both - run->l1;
    run->identity = wg_fit_identity_of(run);
    return wg_tape_status(run->tape) == WG_OK;
}

bool wg_fit_resume(wg_fit_run *run)
{
    if (wg_tape_status(run->tape) == WG_OK && run->o.resume)
        wg_fit_checkpoint_read(run);
    const uint64_t hash = wg_fit_identity_of_params(run->model) + (uint64_t)run->state.epoch;
    return wg_ranks_agree(run->tape, hash, "checkpoint") == WG_OK;
}

/* ---- An epoch. ------------------------------------------------------------------------------- */

static void fit_record_validation(wg_fit_run *run)
{
    const wg_fit_rows *r = &run->rows;
    const wg_head *head = run->model->head;
    if (r->validation_labels == NULL)
        return;
    if (wg_fit_is_shared(run->tape)) {
        wg_fit_shared_new(run);
        return;
    }
    wg_tensor *Z = wg_fit_outputs(run->model, &r->validation, false);
    wg_tensor *outputs[] = {head->loss(Z, r->validation_targets, NULL, WG_MEAN),
                            head->predict != NULL ? head->predict(Z) : Z};
    run->validation = wg_compile(outputs, 2, NULL);
}

/* A loss that is no number cannot be stopped by: an error, which names the first row to blame. */
static void fit_blame_row(wg_fit_run *run, double loss)
{
    wg_tensor *Z = wg_fit_outputs(run->model, &run->rows.validation, false);
    int64_t i = 0, m = wg_size(Z), width = m / run->rows.validation_rows->size;
    while (i < m && isfinite(wg_element(Z, i)))
        i++;
    if (wg_tape_status(run->tape) != WG_OK)
        return;
    const int64_t *row = run->rows.validation_rows->data;
    if (i < m)
        wg_fail(run->tape, WG_E_NOT_FINITE,
                "fit: the validation loss is %g in epoch %" PRId64 ": row %" PRId64
                " of those given has the output %g",
                loss, run->state.epoch + 1, row[i / width] + 1, wg_element(Z, i));
    else
        wg_fail(run->tape, WG_E_NOT_FINITE, "fit: the validation loss is %g in epoch %" PRId64,
                loss, run->state.epoch + 1);
}

static bool fit_validates(const wg_fit_run *run)
{
    return run->validation != NULL || run->shared != NULL;
}

/* The validation rows' part of the history's row. */
static void fit_judge(wg_fit_run *run, double row[])
{
    const wg_head *head = run->model->head;
    row[FIT_VALIDATION_LOSS] = row[FIT_VALIDATION_SCORE] = (double)NAN;
    if (run->shared != NULL)
        wg_fit_shared_judge(run, &row[FIT_VALIDATION_LOSS], &row[FIT_VALIDATION_SCORE]);
    if (run->validation == NULL || wg_program_run(run->validation) != WG_OK)
        return;
    row[FIT_VALIDATION_LOSS] = wg_item(wg_program_output(run->validation, 0));
    if (!isfinite(row[FIT_VALIDATION_LOSS]))
        fit_blame_row(run, row[FIT_VALIDATION_LOSS]);
    else if (head->n_metrics > 0)
        row[FIT_VALIDATION_SCORE] = head->metrics[0].value(wg_program_output(run->validation, 1),
                                                           NULL, run->rows.validation_labels);
}

/* Notes the epoch's parameters where they are the best so far. */
static bool fit_keep_best(wg_fit_run *run, const double row[])
{
    wg_fit_state *s = &run->state;
    double monitored = row[fit_validates(run) ? FIT_VALIDATION_LOSS : FIT_LOSS];
    if (!(monitored < s->best_loss - run->o.min_delta))
        return false;
    s->best_loss = monitored;
    s->best_epoch = s->epoch;
    for (int i = 0; s->best != NULL && i < run->model->n_params; i++)
        memcpy(s->best[i], run->model->params[i]->data, fit_bytes(run->model->params[i]));
    return true;
}

/* Tells the callback; does it want more? */
static bool fit_tell(const wg_fit_run *run, const double row[], bool best)
{
    wg_fit_epoch epoch = {.epoch = run->state.epoch,
                          .epochs = run->o.epochs,
                          .loss = row[FIT_LOSS],
                          .accuracy = row[FIT_ACCURACY],
                          .validation_loss = row[FIT_VALIDATION_LOSS],
                          .validation_score = row[FIT_VALIDATION_SCORE],
                          .rate = row[FIT_RATE],
                          .best = best};
    return run->o.on_epoch == NULL || run->o.on_epoch(&epoch, run->o.on_epoch_user);
}

static bool fit_save(wg_fit_run *run)
{
    bool due = run->o.checkpoint != NULL && run->state.epoch % run->o.checkpoint_every == 0 &&
               !wg_fit_stopped(run) && wg_ranks_number(run->tape) == 0;
    return !due || wg_fit_checkpoint_write(run) == WG_OK;
}

/* One epoch; is it to be the last, and why? WG_FIT_EPOCHS: no. Ranks have the same status after
 * what they have summed up or judged together, and so take the same way to the end. A start at the
 * optimum is an epoch, too, so that there always is a history, and a checkpoint. */
static wg_fit_stop fit_one(wg_fit_run *run)
{
    wg_fit_state *s = &run->state;
    const bool fits = wg_fit_make_room(run->tape, s, s->epoch + 1);
    const int64_t at = fits ? s->epoch : s->epoch - 1; /* after an error anywhere */
    double *row = s->history + s->width * at;
    bool more = run->epoch(run, row), counts = more || s->epoch == 0, goes_on = counts;
    if (counts && wg_tape_status(run->tape) == WG_OK)
        fit_judge(run, row);
    if (counts && wg_tape_status(run->tape) == WG_OK) {
        s->epoch++;
        const bool best = fit_keep_best(run, row);
        goes_on = fit_save(run) && wg_fit_check(run, false) && fit_tell(run, row, best);
    }
    goes_on = wg_fit_shared_goes_on(run, goes_on);
    return wg_tape_status(run->tape) != WG_OK ? WG_FIT_ERROR
           : !more                            ? WG_FIT_CONVERGED
           : wg_fit_stopped(run)              ? WG_FIT_STOPPED
           : goes_on                          ? WG_FIT_EPOCHS
                                              : WG_FIT_CALLBACK;
}

bool wg_fit_stopped(const wg_fit_run *run)
{
    return wg_fit_is_shared(run->tape) ? run->stopping : run->o.stop != NULL && *run->o.stop != 0;
}

static bool fit_is_tired(const wg_fit_run *run)
{
    const wg_fit_state *s = &run->state;
    return run->o.patience > 0 && s->epoch - s->best_epoch >= run->o.patience;
}

void wg_fit_loop(wg_fit_run *run)
{
    wg_fit_stop stop = WG_FIT_EPOCHS;
    fit_record_validation(run);
    wg_fit_check(run, false);
    if (wg_ranks_agree(run->tape, 0, "") != WG_OK)
        return;
    while (stop == WG_FIT_EPOCHS && run->state.epoch < run->o.epochs)
        stop = fit_is_tired(run) ? WG_FIT_PATIENCE : fit_one(run);
    bool best = run->o.patience > 0 || stop == WG_FIT_STOPPED;
    for (int i = 0; best && i < run->model->n_params; i++)
        wg_write(run->model->params[i], run->state.best[i], fit_bytes(run->model->params[i]));
    run->stop = wg_fit_check(run, true) ? stop : WG_FIT_ERROR;
}

/* ---- After the last. ------------------------------------------------------------------------- */

static wg_tensor *fit_column(const wg_fit_run *run, int column, double *room)
{
    int64_t n = run->state.epoch;
    for (int64_t i = 0; i < n; i++)
        room[i] = run->state.history[run->state.width * i + column];
    return wg_constant(run->tape, WG_F64, WG_SHAPE(n), room);
}

/* [epochs, n_params]: a contiguous copy of the history's last columns. */
static wg_tensor *fit_norms(const wg_fit_run *run, double *room)
{
    int64_t n = run->state.epoch, columns = run->model->n_params;
    for (int64_t i = 0; i < n; i++)
        memcpy(room + i * columns, run->state.history + run->state.width * i + FIT_COLUMNS,
               (size_t)columns * sizeof *room);
    return wg_constant(run->tape, WG_F64, WG_SHAPE(n, columns), room);
}

static void fit_history(const wg_fit_run *run, wg_fit_result *result)
{
    double *room = wg_temporary(run->tape, run->state.epoch,
                                (size_t)run->state.width * sizeof *room);
    if (room == NULL)
        return;
    result->loss = fit_column(run, FIT_LOSS, room);
    result->accuracy = fit_column(run, FIT_ACCURACY, room);
    result->rate = fit_column(run, FIT_RATE, room);
    result->gradient_norm = fit_norms(run, room);
    if (fit_validates(run)) {
        result->validation_loss = fit_column(run, FIT_VALIDATION_LOSS, room);
        result->validation_score = fit_column(run, FIT_VALIDATION_SCORE, room);
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
        wg_fit_check_take(run, &result);
    }
    wg_fit_check_end(run);
    wg_temporary_free(run->tape, run->state.history);
    return wg_tape_status(run->tape) == WG_OK ? result : (wg_fit_result){.stop = WG_FIT_ERROR};
}
