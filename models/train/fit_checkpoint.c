/* A training's state as a file, and back: all or nothing. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "models/files/archive_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A checkpoint is an archive: the parameters by their names, the best ones as "fit.best.NAME", the
 * method's entries by theirs, "fit.history", and numbers as strings. */
enum { CHECKPOINT_NAME = 256 };

static const char checkpoint_format[] = "wengert checkpoint 4";

static bool checkpoint_names_fit(wg_tape *t, wg_tensor *const params[], int n)
{
    for (int i = 0; i < n; i++)
        if (params[i]->name == NULL || strlen(params[i]->name) > CHECKPOINT_NAME - 16) {
            wg_fail(t, WG_E_VALUE, "checkpoint: parameter %d has no name, or too long a one", i);
            return false;
        }
    return true;
}

static char *checkpoint_best_name(char name[CHECKPOINT_NAME], const wg_tensor *param)
{
    snprintf(name, CHECKPOINT_NAME, "fit.best.%s", param->name);
    return name;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

static void checkpoint_put_params(wg_archive *a, const wg_fit_run *run)
{
    char name[CHECKPOINT_NAME];
    for (int i = 0; i < run->model->n_params; i++) {
        wg_tensor *p = run->model->params[i];
        wg_archive_put_tensor(a, p->name, p);
        wg_archive_put_tensor(a, checkpoint_best_name(name, p),
                              wg_constant(wg_archive_tape(a), p->dtype, p->shape.ndim, p->shape.dim,
                                          run->state.best[i]));
    }
}

static void checkpoint_put_method(wg_archive *a, const wg_fit_run *run)
{
    wg_state_entry e;
    for (int64_t i = 0; run->entry(run->method, i, &e); i++)
        wg_archive_put_tensor(
            a, e.name, wg_constant(wg_archive_tape(a), e.dtype, e.shape.ndim, e.shape.dim, e.data));
}

wg_status wg_fit_checkpoint_write(wg_fit_run *run)
{
    wg_tape *t = run->tape;
    const wg_fit_state *state = &run->state;
    if (!checkpoint_names_fit(t, run->model->params, run->model->n_params))
        return wg_tape_status(t);
    wg_mark mark = wg_tape_mark(t);
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_string(a, "format", checkpoint_format);
    wg_fit_identity_put(&run->identity, a);
    wg_archive_put_integer(a, "fit.epoch", state->epoch);
    wg_archive_put_integer(a, "fit.best_epoch", state->best_epoch);
    wg_archive_put_real(a, "fit.best_loss", state->best_loss);
    wg_archive_put_tensor(
        a, "fit.history",
        wg_constant(t, WG_F64, WG_SHAPE(state->epoch, FIT_COLUMNS), state->history));
    checkpoint_put_params(a, run);
    checkpoint_put_method(a, run);
    wg_archive_save(a, run->o.checkpoint);
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}

/* ---- Reading: all is compared before the first byte is written. ------------------------------ */

static bool checkpoint_format_fits(const wg_archive *a)
{
    const char *format = wg_archive_string(a, "format");
    if (format != NULL && strcmp(format, checkpoint_format) == 0)
        return true;
    wg_archive_fail(a, "checkpoint: the file is no checkpoint: 'format' is '%.40s'",
                    format != NULL ? format : "");
    return false;
}

/* The tensor of that name, of that dtype and shape; NULL, and an error, where there is none. */
static const wg_tensor *checkpoint_tensor(const wg_archive *a, const char *name, wg_dtype dtype,
                                          const wg_shape *shape)
{
    const wg_tensor *x = wg_archive_tensor(a, name);
    if (x != NULL && x->dtype == dtype && wg_shape_same(&x->shape, shape))
        return x;
    wg_archive_fail(
        a, "checkpoint: of another training: '%s' is missing, or has another shape or dtype", name);
    return NULL;
}

static bool checkpoint_tensors_fit(const wg_archive *a, const wg_fit_run *run)
{
    char name[CHECKPOINT_NAME];
    wg_state_entry e;
    for (int i = 0; i < run->model->n_params; i++) {
        const wg_tensor *p = run->model->params[i];
        if (!checkpoint_tensor(a, p->name, p->dtype, &p->shape) ||
            !checkpoint_tensor(a, checkpoint_best_name(name, p), p->dtype, &p->shape))
            return false;
    }
    for (int64_t i = 0; run->entry(run->method, i, &e); i++)
        if (!checkpoint_tensor(a, e.name, e.dtype, &e.shape))
            return false;
    return true;
}

/* Room for so many epochs of history. */
static bool checkpoint_make_room(wg_tape *t, wg_fit_state *state, int64_t epochs)
{
    void *history = state->history;
    bool done = wg_temporary_grow(t, &history, &state->room, epochs,
                                  FIT_COLUMNS * sizeof *state->history);
    state->history = history;
    return done;
}

static bool checkpoint_take_state(const wg_archive *a, wg_fit_state *state)
{
    wg_fit_state read = {0};
    const char *who = "checkpoint";
    if (!wg_archive_integer(a, who, "fit.epoch", 1, INT32_MAX, &read.epoch) ||
        !wg_archive_integer(a, who, "fit.best_epoch", 1, read.epoch, &read.best_epoch) ||
        !wg_archive_real(a, who, "fit.best_loss", -HUGE_VAL, HUGE_VAL, &read.best_loss))
        return false;
    wg_shape shape = {2, {read.epoch, FIT_COLUMNS}};
    const wg_tensor *history = checkpoint_tensor(a, "fit.history", WG_F64, &shape);
    if (history == NULL || !checkpoint_make_room(wg_archive_tape(a), state, read.epoch))
        return false;
    state->epoch = read.epoch;
    state->best_epoch = read.best_epoch;
    state->best_loss = read.best_loss;
    memcpy(state->history, history->data, (size_t)history->size * sizeof *state->history);
    return true;
}

static void checkpoint_copy(const wg_archive *a, const wg_fit_run *run)
{
    char name[CHECKPOINT_NAME];
    wg_state_entry e;
    for (int i = 0; i < run->model->n_params; i++) {
        wg_tensor *p = run->model->params[i];
        size_t bytes = (size_t)p->size * wg_dtype_size(p->dtype);
        const wg_tensor *best = wg_archive_tensor(a, checkpoint_best_name(name, p));
        wg_write(p, wg_archive_tensor(a, p->name)->data, bytes);
        if (bytes > 0)
            memcpy(run->state.best[i], best->data, bytes);
    }
    for (int64_t i = 0; run->entry(run->method, i, &e); i++) {
        const wg_tensor *x = wg_archive_tensor(a, e.name);
        if (x->size > 0)
            memcpy(e.data, x->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
}

wg_status wg_fit_checkpoint_read(wg_fit_run *run)
{
    wg_tape *t = run->tape;
    if (!checkpoint_names_fit(t, run->model->params, run->model->n_params))
        return wg_tape_status(t);
    wg_mark mark = wg_tape_mark(t);
    const wg_archive *a = wg_archive_load(t, run->o.checkpoint);
    if (wg_tape_status(t) != WG_OK || !checkpoint_format_fits(a) ||
        !checkpoint_tensors_fit(a, run) || !wg_fit_identity_fits(&run->identity, a) ||
        !checkpoint_take_state(a, &run->state))
        return wg_tape_status(t);
    checkpoint_copy(a, run);
    wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}
