/* A training's state as a file, and back, all or nothing; and what tells one training from another,
 * so that it is not gone on from with other data or options. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"

#ifdef WG_NO_FILES

/* Refuses checkpoints before anything is trained. */
wg_fit_identity wg_fit_identity_of(const wg_fit_run *run)
{
    if (run->o.checkpoint != NULL)
        wg_fail(run->tape, WG_E_VALUE, "fit: checkpoint: this library has no files (WG_NO_FILES)");
    return (wg_fit_identity){0};
}

void wg_fit_identity_of_outputs(const wg_head *head, wg_tensor *Z, const wg_tensor *X,
                                uint64_t *hash)
{
    (void)head;
    (void)Z;
    (void)X;
    *hash = 0;
}

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

/* ---- Hashes. --------------------------------------------------------------------------------- */

enum { IDENTITY_DIGITS = 17 }; /* 64 bits in hexadecimal, and the NUL */

/* FNV-1a on words in place of bytes: a change of one word always changes the hash, since both
 * steps can be undone; the shift carries high bits down, which multiplication never does. It is no
 * defence against a forger.
 * Source: Fowler, Noll and Vo, draft-eastlake-fnv, sec. 2. */
static uint64_t identity_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static const uint64_t identity_start = UINT64_C(0xcbf29ce484222325);

/* Values as doubles or i64, so that the hash does not depend on the order of bytes. NULL: no
 * tensor. */
static uint64_t identity_mix_tensor(uint64_t hash, const wg_tensor *x)
{
    if (wg_is_inert(x) || x->data == NULL)
        return identity_mix(hash, 0);
    hash = identity_mix(hash, (uint64_t)x->dtype);
    for (int i = 0; i < x->shape.ndim; i++)
        hash = identity_mix(hash, (uint64_t)x->shape.dim[i]);
    for (int64_t i = 0; i < x->size; i++) {
        double value = wg_element(x, i);
        uint64_t word;
        memcpy(&word, &value, sizeof word);
        if (x->dtype == WG_I64)
            word = (uint64_t)((const int64_t *)x->data)[i];
        hash = identity_mix(hash, word);
    }
    return hash;
}

static uint64_t identity_mix_rows(uint64_t hash, const wg_dataset *rows)
{
    if (rows->sparse == NULL)
        return identity_mix_tensor(hash, rows->X);
    hash = identity_mix(hash, (uint64_t)rows->sparse->columns);
    hash = identity_mix_tensor(hash, rows->sparse->start);
    hash = identity_mix_tensor(hash, rows->sparse->column);
    return identity_mix_tensor(hash, rows->sparse->value);
}

static uint64_t identity_of_data(const wg_fit_rows *r)
{
    uint64_t hash = identity_mix_rows(identity_start, &r->train);
    hash = identity_mix_tensor(hash, r->labels);
    hash = identity_mix_tensor(hash, r->weights);
    hash = identity_mix_tensor(hash, r->validation_labels);
    return r->validation_labels != NULL ? identity_mix_rows(hash, &r->validation) : hash;
}

/* ---- The graph. ------------------------------------------------------------------------------ */

static uint64_t identity_mix_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; byte != NULL && i < n; i++)
        hash = identity_mix(hash, byte[i]);
    return identity_mix(hash, n);
}

/* A node as something that follows from older ones; number[]: those of its operands. */
static uint64_t identity_mix_node(uint64_t hash, const wg_tensor *x, const int64_t number[],
                                  bool leaf)
{
    if (!leaf)
        hash = identity_mix_bytes(hash, x->op->name, strlen(x->op->name));
    if (!leaf)
        hash = identity_mix_bytes(hash, x->attrs, x->op->attr_size);
    hash = identity_mix(hash, (uint64_t)x->dtype);
    for (int i = 0; i < x->shape.ndim; i++)
        hash = identity_mix(hash, (uint64_t)x->shape.dim[i]);
    for (int i = 0; !leaf && i < x->n_operands; i++)
        hash = identity_mix(hash, (uint64_t)number[x->operand[i]->index]);
    return hash;
}

/* Operands are older than what is computed from them: one walk back finds the nodes that Z depends
 * on, one forward numbers them. X stands for the rows, however they were come by. */
void wg_fit_identity_of_outputs(const wg_head *head, wg_tensor *Z, const wg_tensor *X,
                                uint64_t *hash)
{
    wg_tape *t = Z->tape;
    int64_t n = Z->index + 1, count = 0;
    const wg_tensor **node = wg_temporary(t, n, sizeof *node);
    int64_t *number = wg_temporary(t, n, sizeof *number);
    if (node != NULL && number != NULL) {
        *hash = identity_mix_bytes(identity_start, head->name, strlen(head->name));
        memset(node, 0, (size_t)n * sizeof *node);
        node[Z->index] = Z;
        for (int64_t i = n - 1; i >= 0; i--)
            for (int j = 0; node[i] != NULL && node[i] != X && j < node[i]->n_operands; j++)
                node[node[i]->operand[j]->index] = node[i]->operand[j];
        for (int64_t i = 0; i < n; i++)
            if (node[i] != NULL) {
                number[i] = count++;
                *hash = identity_mix_node(*hash, node[i], number, node[i] == X);
            }
    }
    wg_temporary_free(t, number);
    wg_temporary_free(t, node);
}

/* ---- The identity. --------------------------------------------------------------------------- */

wg_fit_identity wg_fit_identity_of(const wg_fit_run *run)
{
    bool kept = run->o.checkpoint != NULL; /* or nobody asks */
    return (wg_fit_identity){.rows = run->rows.n,
                             .batch = run->o.batch,
                             .seed = run->o.seed,
                             .l1 = run->l1,
                             .l2 = run->l2,
                             .validation = run->o.validation,
                             .data = kept ? identity_of_data(&run->rows) : 0,
                             .ops = run->rows.ops};
}

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

static const char checkpoint_format[] = "wengert checkpoint 5";

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

/* Room for that many epochs of history. */
static bool checkpoint_make_room(wg_tape *t, wg_fit_state *state, int64_t epochs)
{
    void *history = state->history;
    bool done = wg_temporary_grow(t, &history, &state->room, epochs,
                                  (size_t)state->width * sizeof *state->history);
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
    wg_shape shape = {2, {read.epoch, state->width}};
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
        !checkpoint_tensors_fit(a, run) || !identity_fits(&run->identity, a) ||
        !checkpoint_take_state(a, &run->state))
        return wg_tape_status(t);
    checkpoint_copy(a, run);
    wg_tape_rewind(t, mark);
    return wg_tape_status(t);
}

#endif
