/* Objectives over all rows, block of rows by block of rows: made, and read. */
#include "autograd/compile/blocks_internal.h"
#include "autograd/grad.h"
#include "autograd/hash.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define BLOCKS_BYTES ((int64_t)512 << 10) /* rows of the widest tensor in one block */
#define BLOCKS_SUMS  ((int64_t)1 << 20)   /* sums of all lanes together, about */

static const wg_blocks blocks_inert = {.tape = NULL};

static wg_blocks *blocks_none(void)
{
    return (wg_blocks *)(uintptr_t)&blocks_inert;
}

/* ---- What is given --------------------------------------------------------------------------- */

static bool blocks_tensor_fits(wg_tape *t, const wg_tensor *x, const char *what, int i)
{
    if (!wg_is_inert(x) && x->tape == t)
        return true;
    wg_fail(t, wg_is_inert(x) ? WG_E_NULL : WG_E_TAPE, "blocks: %s %d is no tensor of this tape",
            what, i);
    return false;
}

static bool blocks_rows_fit(wg_tape *t, wg_tensor *const rows[], int n)
{
    for (int i = 0; i < n; i++) {
        const wg_tensor *x = rows[i];
        if (!blocks_tensor_fits(t, x, "rows", i))
            return false;
        if (x->shape.ndim == 0 || x->shape.dim[0] != rows[0]->shape.dim[0])
            wg_fail(t, WG_E_SHAPE, "blocks: %s has other rows than the first", wg_tensor_text(x).s);
        else if (((x->state & WG_NODE_ABSTRACT) && !wg_is_streamed(x)) ||
                 ((x->state & WG_NODE_LIVE) && x->n_operands > 0))
            wg_fail(t, WG_E_VALUE, "blocks: %s is neither a leaf nor a constant",
                    wg_tensor_text(x).s);
    }
    return t->status == WG_OK;
}

static bool blocks_fit(wg_tape *t, wg_tensor *const rows[], int n_rows, wg_tensor *const params[],
                       int n_params, wg_block_loss *loss, const wg_blocks_options *o)
{
    if (n_rows < 1 || n_params < 0)
        wg_fail(t, WG_E_VALUE, "blocks: %d rows, %d parameters", n_rows, n_params);
    else if (loss == NULL || (params == NULL && n_params > 0))
        wg_fail(t, WG_E_NULL, "blocks: the %s NULL", loss == NULL ? "loss is" : "parameters are");
    else if (o->rows < 0 || !isfinite(o->scale))
        wg_fail(t, WG_E_VALUE, "blocks: blocks of %" PRId64 " rows, scale %g", o->rows, o->scale);
    for (int i = 0; t->status == WG_OK && i < n_params; i++)
        blocks_tensor_fits(t, params[i], "parameter", i);
    return t->status == WG_OK && blocks_rows_fit(t, rows, n_rows);
}

/* What must be the same on all ranks: dtypes and shapes, but for how many rows there are. */
static uint64_t blocks_hash(wg_tensor *const rows[], int n_rows, wg_tensor *const params[],
                            int n_params)
{
    uint64_t hash = wg_hash_word(WG_HASH_START, (uint64_t)n_rows);
    for (int i = 0; i < n_rows + n_params; i++) {
        const wg_tensor *x = i < n_rows ? rows[i] : params[i - n_rows];
        hash = wg_hash_word(hash, 2 * (uint64_t)x->dtype + wg_is_streamed(x));
        for (int k = i < n_rows; k < x->shape.ndim; k++)
            hash = wg_hash_word(hash, (uint64_t)x->shape.dim[k]);
    }
    return hash;
}

/* ---- Making ---------------------------------------------------------------------------------- */

static int64_t blocks_choose_rows(const wg_blocks *b, int64_t n)
{
    int64_t widest = 1;
    for (int i = 0; i < b->n_rows; i++)
        if ((int64_t)wg_row_bytes(b->rows[i]) > widest)
            widest = (int64_t)wg_row_bytes(b->rows[i]);
    int64_t rows = b->options.rows > 0 ? b->options.rows : BLOCKS_BYTES / widest;
    rows = rows > 0 ? rows : 1;
    return rows < n ? rows : n;
}

/* Stand-ins for the tape, so that workers' errors do not meet there. */
static bool blocks_hosts(wg_blocks *b)
{
    b->host = wg_tape_take(b->tape, (size_t)b->n_workers * sizeof *b->host);
    for (int i = 0; b->host != NULL && i < b->n_workers; i++) {
        b->host[i].options = b->tape->options;
        b->host[i].stands_for = b->tape;
        b->host[i].options.pool = NULL;
        b->host[i].options.ranks = NULL;
        b->host[i].options.on_error = NULL;
        b->host[i].inert = b->tape->inert;
        b->host[i].inert.tape = &b->host[i];
    }
    return b->host != NULL;
}

/* Memory for a block of each streamed one, for each worker. */
static bool blocks_readers(wg_blocks *b)
{
    const size_t n = (size_t)b->n_workers * (size_t)b->n_rows;
    b->read = wg_tape_take(b->tape, n * sizeof *b->read);
    for (size_t k = 0; b->read != NULL && k < n; k++) {
        const wg_tensor *x = b->rows[k % (size_t)b->n_rows];
        b->read[k] = wg_is_streamed(x)
                         ? wg_tape_take(b->tape, (size_t)b->full.rows * wg_row_bytes(x))
                         : NULL;
    }
    return b->tape->status == WG_OK;
}

/* Without values: a block's rows are bound before it runs. What is recorded on them stays on the
 * tape, where a replay shall not look for rows that are long somewhere else. */
static bool blocks_inputs(wg_blocks *b, wg_blocks_size *size)
{
    size->input = wg_tape_take(b->tape, (size_t)b->n_rows * sizeof *size->input);
    for (int i = 0; size->input != NULL && i < b->n_rows; i++) {
        const wg_tensor *x = b->rows[i];
        wg_shape shape = x->shape;
        shape.dim[0] = size->rows;
        size->input[i] = wg_placeholder(b->tape, x->name, x->dtype, shape.ndim, shape.dim);
    }
    return b->tape->status == WG_OK;
}

/* y and its gradient with respect to the parameters, or what else is derived from it: [1 +
 * n_params], in the tape's scratch. */
static wg_tensor **blocks_differentiate(const wg_blocks *b, wg_tensor *y)
{
    wg_tape *t = b->tape;
    wg_tensor **result = wg_arena_take(&t->scratch, (size_t)(1 + b->n_params) * sizeof *result,
                                       WG_ALIGNMENT);
    if (result == NULL) {
        wg_fail(t, WG_E_NOMEM, "blocks: out of memory");
        return NULL;
    }
    result[0] = y;
    return b->derive(y, b->param, b->n_params, result + 1, b->derive_user) == WG_OK ? result : NULL;
}

/* Blocks follow one another in memory, where there are several, but for those of a stream. */
static void blocks_follow(const wg_blocks *b, const wg_blocks_size *size, wg_program *p)
{
    for (int i = 0; b->shards.blocks > 1 && i < p->n_inputs; i++)
        for (int k = 0; k < b->n_rows; k++)
            if (p->input[i].input == size->input[k] && !wg_is_streamed(b->rows[k]))
                p->input[i].twin->state |= WG_NODE_FOLLOWED;
}

static bool blocks_size_init(wg_blocks *b, wg_blocks_size *size)
{
    wg_tape *t = b->tape;
    if (!blocks_inputs(b, size))
        return false;
    wg_tensor **result = blocks_differentiate(b, b->loss(t, size->input, b->user));
    size->worker = wg_tape_take(t, (size_t)b->n_workers * sizeof *size->worker);
    if (result == NULL || size->worker == NULL)
        return false;
    for (int i = 0; i < b->n_workers; i++) {
        wg_program *p = wg_program_make(t, t, result, 1 + b->n_params, &b->host[i], NULL);
        if (p == NULL)
            return false;
        blocks_follow(b, size, p);
        size->worker[i] = p;
    }
    return true;
}

static bool blocks_penalty(wg_blocks *b)
{
    if (b->options.penalty == NULL)
        return true;
    if (!blocks_tensor_fits(b->tape, b->options.penalty, "the penalty of parameters", b->n_params))
        return false;
    wg_tensor **result = blocks_differentiate(b, b->options.penalty);
    if (result != NULL)
        b->penalty = wg_program_make(b->tape, b->tape, result, 1 + b->n_params, b->tape, NULL);
    return b->penalty != NULL;
}

static double *blocks_new_sums(const wg_blocks *b)
{
    return wg_tape_take(b->tape, (size_t)b->n_sums * sizeof(double));
}

/* A worker's: levels below that of a lane. */
static void blocks_new_levels(const wg_blocks *b, wg_blocks_sums *sums)
{
    sums->rest = b->compensated ? blocks_new_sums(b) : NULL;
    for (int level = 0, width = 1; width < b->width; width *= 2)
        sums->level[level++] = blocks_new_sums(b);
}

/* Lanes as small as memory allows, so that all workers are busy to the end. */
static void blocks_choose_width(wg_blocks *b)
{
    const wg_shards *s = &b->shards;
    int most = 1;
    while (2 * most < s->count && s->count / most * b->n_sums > BLOCKS_SUMS)
        most *= 2;
    b->width = wg_shards_width(s, most);
    b->n_lanes = (s->end - s->first) / b->width;
}

static bool blocks_lanes(wg_blocks *b)
{
    wg_tape *t = b->tape;
    b->n_sums = 1;
    b->compensated = b->full.worker[0]->result[0]->dtype == WG_F64;
    for (int i = 0; i < b->n_params; i++) {
        b->n_sums += b->param[i]->size;
        b->compensated = b->compensated || b->param[i]->dtype == WG_F64;
    }
    blocks_choose_width(b);
    const int64_t n = b->n_lanes > 0 ? b->n_lanes : 1;
    b->lane = wg_tape_take(t, (size_t)n * sizeof *b->lane);
    b->sum = wg_tape_take(t, (size_t)n * sizeof *b->sum);
    b->sums = wg_tape_take(t, (size_t)b->n_workers * sizeof *b->sums);
    for (int64_t i = 0; b->sum != NULL && i < n; i++)
        b->sum[i] = blocks_new_sums(b);
    for (int i = 0; b->sums != NULL && i < b->n_workers; i++)
        blocks_new_levels(b, &b->sums[i]);
    return t->status == WG_OK;
}

static wg_tensor *blocks_output(wg_blocks *b, const wg_tensor *like, wg_dtype dtype)
{
    void *data = wg_tape_take(b->tape, (size_t)like->size * wg_dtype_size(dtype));
    wg_tensor *x = data != NULL ? wg_output_new(b->tape, &b->fresh, like, dtype, data) : NULL;
    if (x != NULL)
        wg_output_spoil(x);
    return x;
}

static bool blocks_outputs(wg_blocks *b)
{
    const wg_tensor value = {.size = 1, .name = "value"};
    b->output = wg_tape_take(b->tape, (size_t)(1 + b->n_params) * sizeof *b->output);
    if (b->output == NULL || (b->output[0] = blocks_output(b, &value, WG_F64)) == NULL)
        return false;
    for (int i = 0; i < b->n_params; i++)
        if ((b->output[1 + i] = blocks_output(b, b->param[i], b->param[i]->dtype)) == NULL)
            return false;
    b->tape_size = b->tape->size;
    return true;
}

static void blocks_add_leaves(wg_blocks *b, const wg_program *p)
{
    for (int64_t i = 0; p != NULL && i < p->fresh.n_leaves; i++)
        wg_fresh_add(&b->fresh, p->fresh.leaf[i]);
}

static bool blocks_leaves(wg_blocks *b)
{
    const wg_program *of[] = {b->full.worker != NULL ? b->full.worker[0] : NULL,
                              b->last.worker != NULL ? b->last.worker[0] : NULL, b->penalty};
    int64_t n = b->n_rows;
    for (int i = 0; i < 3; i++)
        n += of[i] != NULL ? of[i]->fresh.n_leaves : 0;
    wg_fresh_end(b->tape, &b->fresh);
    b->fresh.leaf = wg_tape_take(b->tape, (size_t)n * sizeof *b->fresh.leaf);
    if (b->fresh.leaf == NULL)
        return false;
    for (int i = 0; i < b->n_rows; i++)
        wg_fresh_add(&b->fresh, b->rows[i]);
    for (int i = 0; i < 3; i++)
        blocks_add_leaves(b, of[i]);
    return true;
}

/* The blocks of the whole, and which of them are this rank's. */
static void blocks_share(wg_blocks *b)
{
    wg_tape *t = b->tape;
    const int64_t n = wg_ranks_count(t, b->rows[0]->shape.dim[0], b->held);
    b->full.rows = blocks_choose_rows(b, n);
    b->shards = wg_shards_of(t, n, b->full.rows);
    b->first_row = wg_shards_row(&b->shards, b->shards.first);
    b->last.rows = b->full.rows > 0 ? n % b->full.rows : 0;
}

static bool blocks_sizes(wg_blocks *b)
{
    return blocks_hosts(b) && blocks_size_init(b, &b->full) &&
           (b->last.rows == 0 || blocks_size_init(b, &b->last)) && blocks_penalty(b) &&
           blocks_lanes(b);
}

/* Recorded first, on what each rank was given; moved then, and only if all got so far. */
static bool blocks_build(wg_blocks *b)
{
    wg_tape *t = b->tape;
    blocks_share(b);
    if (t->status == WG_OK)
        blocks_sizes(b);
    wg_ranks_agree(t, 0, "");
    for (int i = 0; t->status == WG_OK && i < b->n_rows; i++)
        b->rows[i] = wg_ranks_move(b->rows[i], b->held, &b->shards);
    if (t->status == WG_OK && blocks_readers(b) && blocks_leaves(b))
        blocks_outputs(b);
    return wg_ranks_agree(t, 0, "") == WG_OK;
}

/* On the tape, with lists of its own. */
static wg_blocks *blocks_take(const wg_blocks *made)
{
    wg_tape *t = made->tape;
    wg_blocks *b = wg_tape_take(t, sizeof *b);
    wg_tensor **list = wg_tape_take(t, (size_t)(made->n_rows + made->n_params) * sizeof *list);
    double *held = wg_tape_take(t, (size_t)wg_ranks_size(t) * sizeof *held);
    if (b == NULL || list == NULL || held == NULL)
        return NULL;
    *b = *made;
    b->n_workers = wg_pool_threads(t->options.pool);
    b->held = held;
    b->rows = list;
    b->param = list + b->n_rows;
    for (int i = 0; i < b->n_rows; i++)
        b->rows[i] = made->rows[i];
    for (int i = 0; i < b->n_params; i++)
        b->param[i] = made->param[i];
    return b;
}

static wg_status blocks_gradient(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *results[],
                                 void *user)
{
    (void)user;
    return wg_grad(y, xs, n, results);
}

/* b: what it is to be made of. */
static wg_blocks *blocks_make(wg_blocks made)
{
    wg_tape *t = made.tape;
    const bool fits = t->status == WG_OK && blocks_fit(t, made.rows, made.n_rows, made.param,
                                                       made.n_params, made.loss, &made.options);
    wg_blocks *b = fits ? blocks_take(&made) : NULL;
    const uint64_t hash = fits ? blocks_hash(made.rows, made.n_rows, made.param, made.n_params) : 0;
    if (wg_ranks_agree(t, hash, "rows or parameters") != WG_OK)
        return blocks_none();
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool built = blocks_build(b);
    wg_arena_rewind(&t->scratch, empty);
    return built ? b : blocks_none();
}

static wg_blocks blocks_asked(wg_tensor *const rows[], int n_rows, wg_tensor *const params[],
                              int n_params, wg_block_loss *loss, void *user,
                              const wg_blocks_options *options)
{
    wg_blocks b = {.tape = wg_first_tape(rows, n_rows),
                   .n_rows = n_rows,
                   .n_params = n_params,
                   .rows = (wg_tensor **)(uintptr_t)rows,
                   .param = (wg_tensor **)(uintptr_t)params,
                   .loss = loss,
                   .user = user,
                   .derive = blocks_gradient};
    if (options != NULL)
        b.options = *options;
    if (b.options.scale == 0)
        b.options.scale = 1;
    return b;
}

wg_blocks *wg_blocks_new(wg_tensor *const rows[], int n_rows, wg_tensor *const params[],
                         int n_params, wg_block_loss *loss, void *user,
                         const wg_blocks_options *options)
{
    return blocks_make(blocks_asked(rows, n_rows, params, n_params, loss, user, options));
}

wg_blocks *wg_blocks_derived(const wg_blocks *blocks, wg_block_derive *derive, void *user)
{
    if (wg_blocks_is_inert(blocks))
        return blocks_none();
    if (derive == NULL) {
        wg_fail(blocks->tape, WG_E_NULL, "blocks: the function that derives is NULL");
        return blocks_none();
    }
    wg_blocks b = blocks_asked(blocks->rows, blocks->n_rows, blocks->param, blocks->n_params,
                               blocks->loss, blocks->user, &blocks->options);
    b.options.rows = blocks->full.rows;
    b.derive = derive;
    b.derive_user = user;
    return blocks_make(b);
}

/* ---- Reading --------------------------------------------------------------------------------- */

wg_tensor *wg_blocks_value(const wg_blocks *b)
{
    return wg_blocks_is_inert(b) ? &wg_null_tape()->inert : b->output[0];
}

static wg_tensor *blocks_pick(const wg_blocks *b, wg_tensor *const list[], int i)
{
    if (i >= 0 && i < b->n_params)
        return list[i];
    return wg_fail(b->tape, WG_E_INDEX, "blocks: there is no parameter %d of %d", i, b->n_params);
}

wg_tensor *wg_blocks_gradient(const wg_blocks *b, int i)
{
    return wg_blocks_is_inert(b) ? &wg_null_tape()->inert : blocks_pick(b, b->output + 1, i);
}

wg_tensor *wg_blocks_param(const wg_blocks *b, int i)
{
    return wg_blocks_is_inert(b) ? &wg_null_tape()->inert : blocks_pick(b, b->param, i);
}

int wg_blocks_params(const wg_blocks *b)
{
    return b != NULL ? b->n_params : 0;
}
