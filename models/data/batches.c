/* Mini-batches: rows in a shuffled order, gathered epoch by epoch. */
#include "models/data/batches.h"

#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "autograd/op.h"
#include "autograd/rng.h"

#include <inttypes.h>
#include <string.h>

/* Copies of some rows of every source: the inputs of full batches, or of the short one. */
typedef struct batches_buffer {
    int64_t rows;
    wg_tensor **input;   /* [n]; each borrows ... */
    char **memory;       /* [n]: ... this */
    wg_program *program; /* of what is recorded on the inputs; NULL: nothing is */
    wg_tensor **output;  /* the program's: the loss, and its gradients */
} batches_buffer;

struct wg_batches {
    wg_tape *tape; /* NULL: inert */
    wg_batches_options options;
    wg_tensor **source; /* [n] */
    int n;
    int64_t rows, next; /* order[next] is the first row of the next batch */
    int64_t *order;     /* [rows] */
    batches_buffer full, rest;
    const batches_buffer *last; /* where wg_batches_next put rows; at first, full */
};

static const wg_batches batches_inert = {.tape = NULL};

/* Whatever writes a wg_batches first looks whether it is inert. */
static wg_batches *batches_none(void)
{
    return (wg_batches *)(uintptr_t)&batches_inert;
}

static bool batches_is_inert(const wg_batches *b)
{
    return b == NULL || b->tape == NULL;
}

/* ---- Making. --------------------------------------------------------------------------------- */

static bool batches_source_fits(wg_tape *t, const wg_tensor *x, int64_t rows)
{
    if (wg_is_inert(x)) {
        wg_fail(t, WG_E_NULL, "batches: a source is NULL or inert");
        return false;
    }
    if (x->tape != t)
        wg_fail(t, WG_E_TAPE, "batches: sources of two tapes");
    else if (x->shape.ndim == 0 || x->shape.dim[0] != rows || rows == 0)
        wg_fail(t, WG_E_SHAPE, "batches: %" PRId64 " rows expected: %s", rows, wg_tensor_text(x).s);
    else if (x->data == NULL || wg_is_stale(x))
        wg_fail(t, WG_E_STALE, "batches: replay first: %s", wg_tensor_text(x).s);
    return wg_tape_status(t) == WG_OK;
}

static wg_tape *batches_tape(wg_tensor *const sources[], int n, int64_t *rows)
{
    wg_tape *t = n > 0 && sources != NULL && sources[0] != NULL ? sources[0]->tape : NULL;
    *rows = 0;
    if (n <= 0)
        wg_fail(t, WG_E_VALUE, "batches: no sources");
    else if (sources == NULL)
        wg_fail(t, WG_E_NULL, "batches: the list of sources is NULL");
    if (sources == NULL)
        return NULL;
    *rows = n > 0 && !wg_is_inert(sources[0]) && sources[0]->shape.ndim > 0
                ? sources[0]->shape.dim[0]
                : 0;
    for (int i = 0; i < n; i++)
        if (!batches_source_fits(t, sources[i], *rows))
            return NULL;
    return t;
}

static size_t batches_row_bytes(const wg_tensor *x)
{
    return (size_t)(x->size / x->shape.dim[0]) * wg_dtype_size(x->dtype);
}

static void batches_copy_rows(const wg_batches *b, batches_buffer *to, int i, const int64_t *row)
{
    const wg_tensor *x = b->source[i];
    size_t bytes = batches_row_bytes(x);
    for (int64_t k = 0; bytes > 0 && k < to->rows; k++)
        memcpy(to->memory[i] + (size_t)k * bytes, (const char *)x->data + (size_t)row[k] * bytes,
               bytes);
}

/* An input [rows, ...] with memory of its own that holds the first rows. */
static bool batches_new_input(wg_batches *b, batches_buffer *to, int i)
{
    const wg_tensor *x = b->source[i];
    wg_shape shape = x->shape;
    shape.dim[0] = to->rows;
    to->memory[i] = wg_tape_take(b->tape, (size_t)to->rows * batches_row_bytes(x) + 1);
    if (to->memory[i] == NULL)
        return false;
    batches_copy_rows(b, to, i, b->order);
    to->input[i] = wg_input(b->tape, x->name, x->dtype, shape.ndim, shape.dim, to->memory[i]);
    return wg_tape_status(b->tape) == WG_OK;
}

static bool batches_new_buffer(wg_batches *b, batches_buffer *to, int64_t rows)
{
    to->rows = rows;
    if (rows == 0)
        return true;
    to->input = wg_tape_take(b->tape, (size_t)b->n * sizeof *to->input);
    to->memory = wg_tape_take(b->tape, (size_t)b->n * sizeof *to->memory);
    if (wg_tape_status(b->tape) != WG_OK)
        return false;
    for (int i = 0; i < b->n; i++)
        if (!batches_new_input(b, to, i))
            return false;
    return true;
}

static bool batches_set_options(wg_batches *b, const wg_batches_options *options)
{
    if (options != NULL)
        b->options = *options;
    if (b->options.size == 0)
        b->options.size = 32;
    if (b->options.size > b->rows)
        b->options.size = b->rows;
    if (b->options.size > 0)
        return true;
    wg_fail(b->tape, WG_E_VALUE, "batches: a size of %" PRId64, b->options.size);
    return false;
}

/* The error of a loss that is none of the batches' tape would be one of the other tape. */
static bool batches_own(const wg_batches *b, const wg_tensor *loss)
{
    if (loss != NULL && loss->tape == b->tape)
        return true;
    wg_fail(b->tape, loss != NULL ? WG_E_TAPE : WG_E_NULL, "batches: the loss is %s",
            loss != NULL ? "of another tape than the sources" : "NULL");
    return false;
}

/* Records the loss on the inputs, and its gradients. */
static void batches_record(const wg_batches *b, batches_buffer *on)
{
    const wg_batches_options *o = &b->options;
    on->output = wg_tape_take(b->tape, ((size_t)o->n_params + 1) * sizeof *on->output);
    if (on->output == NULL)
        return;
    on->output[0] = o->loss(on->input, o->user);
    if (!batches_own(b, on->output[0]))
        return;
    wg_grad(on->output[0], o->params, o->n_params, on->output + 1);
    on->program = wg_compile(on->output, o->n_params + 1, NULL);
    for (int i = 0; i <= o->n_params; i++)
        on->output[i] = wg_program_output(on->program, i);
}

static bool batches_record_all(wg_batches *b)
{
    if (b->options.loss == NULL)
        return true;
    if (b->options.params == NULL || b->options.n_params < 1) {
        wg_fail(b->tape, WG_E_VALUE, "batches: a loss without parameters (params, n_params)");
        return false;
    }
    batches_record(b, &b->full);
    if (b->rest.rows > 0)
        batches_record(b, &b->rest);
    return wg_tape_status(b->tape) == WG_OK;
}

static bool batches_fill(wg_batches *b, wg_tensor *const sources[],
                         const wg_batches_options *options)
{
    if (!batches_set_options(b, options))
        return false;
    b->source = wg_tape_take(b->tape, (size_t)b->n * sizeof *b->source);
    b->order = wg_tape_take(b->tape, (size_t)b->rows * sizeof *b->order);
    if (wg_tape_status(b->tape) != WG_OK)
        return false;
    memcpy(b->source, sources, (size_t)b->n * sizeof *b->source);
    for (int64_t k = 0; k < b->rows; k++)
        b->order[k] = k;
    int64_t rest = b->options.drop_short ? 0 : b->rows % b->options.size;
    return batches_new_buffer(b, &b->full, b->options.size) &&
           batches_new_buffer(b, &b->rest, rest) && batches_record_all(b);
}

wg_batches *wg_batches_new(wg_tensor *const sources[], int n, const wg_batches_options *options)
{
    int64_t rows;
    wg_tape *t = batches_tape(sources, n, &rows);
    wg_batches *b = wg_tape_take(t, sizeof *b);
    if (b == NULL)
        return batches_none();
    *b = (wg_batches){.tape = t, .n = n, .rows = rows, .next = rows, .last = &b->full};
    return batches_fill(b, sources, options) ? b : batches_none();
}

/* ---- Inputs. --------------------------------------------------------------------------------- */

static wg_tensor *batches_at(const wg_batches *b, const batches_buffer *buffer, int i)
{
    if (batches_is_inert(b) || i < 0 || i >= b->n)
        return wg_fail(b != NULL ? b->tape : NULL, WG_E_VALUE, "batches: there is no source %d", i);
    return buffer->input[i];
}

wg_tensor *wg_batches_input(const wg_batches *b, int i)
{
    return batches_at(b, b != NULL ? &b->full : NULL, i);
}

wg_tensor *wg_batches_short_input(const wg_batches *b, int i)
{
    return batches_at(b, b == NULL ? NULL : b->rest.rows > 0 ? &b->rest : &b->full, i);
}

/* ---- A loss on them. ------------------------------------------------------------------------- */

/* The outputs of the last batch; NULL, and an error: there are none. */
static wg_tensor *const *batches_outputs(const wg_batches *b)
{
    if (!batches_is_inert(b) && b->last->program != NULL)
        return b->last->output;
    wg_fail(b != NULL ? b->tape : NULL, WG_E_VALUE,
            "batches: there is no loss among their options");
    return NULL;
}

wg_tensor *wg_batches_loss(const wg_batches *b)
{
    wg_tensor *const *outputs = batches_outputs(b);
    return outputs != NULL ? outputs[0]
                           : wg_fail(b != NULL ? b->tape : NULL, WG_E_VALUE, "batches: no loss");
}

wg_tensor *const *wg_batches_grads(const wg_batches *b)
{
    wg_tensor *const *outputs = batches_outputs(b);
    return outputs != NULL ? outputs + 1 : NULL;
}

/* ---- Running. -------------------------------------------------------------------------------- */

void wg_batches_start(wg_batches *b, int64_t epoch)
{
    if (batches_is_inert(b))
        return;
    b->next = 0;
    if (!b->options.in_order)
        wg_random_permutation(b->options.seed, (uint64_t)epoch, b->rows, b->order);
}

/* What the next rows go into; NULL at the end of the epoch. */
static batches_buffer *batches_target(wg_batches *b)
{
    int64_t left = b->rows - b->next;
    if (left >= b->full.rows)
        return &b->full;
    return left > 0 && b->rest.rows > 0 ? &b->rest : NULL;
}

int64_t wg_batches_next(wg_batches *b)
{
    if (batches_is_inert(b) || wg_tape_status(b->tape) != WG_OK)
        return 0;
    batches_buffer *to = batches_target(b);
    if (to == NULL)
        return 0;
    for (int i = 0; i < b->n; i++) {
        if (!batches_source_fits(b->tape, b->source[i], b->rows))
            return 0;
        batches_copy_rows(b, to, i, b->order + b->next);
        wg_bind(to->input[i], to->memory[i]);
    }
    b->next += to->rows;
    b->last = to;
    return to->program == NULL || wg_program_run(to->program) == WG_OK ? to->rows : 0;
}
