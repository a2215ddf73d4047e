/* A training's state as a file, and back, all or nothing; not that of another training. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"

#ifdef WG_NO_FILES

wg_status wg_fit_checkpoint_write(wg_fit_run *run)
{
    return wg_tape_status(run->tape);
}

wg_status wg_fit_checkpoint_read(wg_fit_run *run)
{
    return wg_tape_status(run->tape);
}

#else

#include "models/files/archive_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- The identity. --------------------------------------------------------------------------- */

enum { IDENTITY_DIGITS = 17 }; /* 64 bits in hexadecimal, and the NUL */

static const char *identity_text(char text[IDENTITY_DIGITS], uint64_t hash)
{
    snprintf(text, IDENTITY_DIGITS, "%016" PRIx64, hash);
    return text;
}

static void identity_put(const wg_fit_identity *id, wg_archive *a)
{
    char text[IDENTITY_DIGITS];
    wg_archive_put_integer(a, "fit.rows", id->rows);
    wg_archive_put_integer(a, "fit.batch", id->batch);
    wg_archive_put_integer(a, "fit.seed.high", (int64_t)(id->seed >> 32));
    wg_archive_put_integer(a, "fit.seed.low", (int64_t)(id->seed & UINT32_MAX));
    wg_archive_put_real(a, "fit.l1", id->l1);
    wg_archive_put_real(a, "fit.l2", id->l2);
    wg_archive_put_real(a, "fit.validation", id->validation);
    wg_archive_put_real(a, "fit.rate", id->rate);
    wg_archive_put_string(a, "fit.data", identity_text(text, id->data));
    wg_archive_put_string(a, "fit.ops", identity_text(text, id->ops));
}

/* ---- Is it the same? ------------------------------------------------------------------------- */

static bool identity_is(const wg_archive *a, const char *name, int64_t wanted)
{
    int64_t found;
    if (!wg_archive_integer(a, "checkpoint", name, 0, INT64_MAX, &found))
        return false;
    if (found != wanted)
        wg_archive_fail(a, "checkpoint: of another training: '%s' is %" PRId64 ", not %" PRId64,
                        name, found, wanted);
    return found == wanted;
}

static bool identity_is_real(const wg_archive *a, const char *name, double wanted)
{
    double found;
    if (!wg_archive_real(a, "checkpoint", name, 0, HUGE_VAL, &found))
        return false;
    if (found != wanted)
        wg_archive_fail(a, "checkpoint: of another training: '%s' is %.17g, not %.17g", name, found,
                        wanted);
    return found == wanted;
}

/* what: in words, since a hash tells nobody anything. */
static bool identity_is_hash(const wg_archive *a, const char *name, uint64_t wanted,
                             const char *what)
{
    char text[IDENTITY_DIGITS];
    const char *found = wg_archive_string(a, name);
    if (found != NULL && strcmp(found, identity_text(text, wanted)) == 0)
        return true;
    wg_archive_fail(a, "checkpoint: of another training: %s", what);
    return false;
}

static bool identity_fits(const wg_fit_identity *id, const wg_archive *a)
{
    return identity_is(a, "fit.rows", id->rows) && identity_is(a, "fit.batch", id->batch) &&
           identity_is(a, "fit.seed.high", (int64_t)(id->seed >> 32)) &&
           identity_is(a, "fit.seed.low", (int64_t)(id->seed & UINT32_MAX)) &&
           identity_is_real(a, "fit.l1", id->l1) && identity_is_real(a, "fit.l2", id->l2) &&
           identity_is_real(a, "fit.validation", id->validation) &&
           identity_is_real(a, "fit.rate", id->rate) &&
           identity_is_hash(a, "fit.ops", id->ops, "the model's ops, or its head, are others") &&
           identity_is_hash(a, "fit.data", id->data,
                            "the rows, their labels or their weights are others");
}

/* ---- The archive. ---------------------------------------------------------------------------- */

/* A checkpoint is an archive: the parameters by their names, the best ones as "fit.best.NAME", the
 * method's entries by theirs, "fit.history", and numbers as strings. */
enum { CHECKPOINT_NAME = 256 };

static const char checkpoint_format[] = "wengert checkpoint 6";

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
    identity_put(&run->identity, a);
    wg_archive_put_integer(a, "fit.epoch", state->epoch);
    wg_archive_put_integer(a, "fit.best_epoch", state->best_epoch);
    wg_archive_put_real(a, "fit.best_loss", state->best_loss);
    wg_archive_put_tensor(
        a, "fit.history",
        wg_constant(t, WG_F64, WG_SHAPE(state->epoch, state->width), state->history));
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

static bool checkpoint_take_state(const wg_archive *a, wg_fit_state *state)
{
    wg_fit_state read = {0};
    const char *who = "checkpoint";
    if (!wg_archive_integer(a, who, "fit.epoch", 1, INT32_MAX, &read.epoch) ||
        !wg_archive_integer(a, who, "fit.best_epoch", 1, read.epoch, &read.best_epoch) ||
        !wg_archive_real(a, who, "fit.best_loss", -HUGE_VAL, HUGE_VAL, &read.best_loss))
        return false;
    wg_shape shape = {2, {read.epoch, state->width}};
    const wg_tensor *history = checkpoint_tensor(a, "fit.history", WG_F64, &shape);
    if (history == NULL || !wg_fit_make_room(wg_archive_tape(a), state, read.epoch))
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
        !checkpoint_tensors_fit(a, run) || !identity_fits(&run->identity, a) ||
        !checkpoint_take_state(a, &run->state))
        return wg_tape_status(t);
    checkpoint_copy(a, run);
    wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}

#endif
