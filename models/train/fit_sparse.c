/* Sparse rows, in memory or streamed: dealt to the ranks where they are due, their columns'
 * moments, and blocks of them. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "ops/arithmetic.h"
#include "ops/cumsum.h"
#include "ops/layout.h"
#include "ops/slice.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- Dealt. ---------------------------------------------------------------------------------- */

/* Rows as they are dealt. */
typedef struct sparse_rows {
    int64_t n, columns, all; /* this rank's rows, of `all` */
    wg_tensor *length;       /* [n], i64: entries of each */
    wg_tensor *column, *value;
    int64_t *start; /* [n + 1] */
} sparse_rows;

/* The rows that fall to this rank in blocks of so many. */
static bool sparse_deal(sparse_rows *s, const wg_csr *rows, int64_t block)
{
    wg_tape *t = rows->value->tape;
    const int64_t *start = wg_data_i64(rows->start);
    int64_t first, end, entries = 0;
    const bool streamed = wg_is_streamed(rows->value);
    *s = (sparse_rows){.columns = rows->columns};
    s->all = wg_ranks_rows(t, rows->rows, NULL);
    wg_ranks_range_of(t, s->all, block, &first, &end);
    s->n = end - first;
    int64_t *length = wg_tape_take(t, (size_t)rows->rows * sizeof *length);
    s->start = wg_tape_take(t, ((size_t)s->n + 1) * sizeof *s->start);
    for (int64_t i = 0; length != NULL && i < rows->rows; i++)
        length[i] = start[i + 1] - start[i];
    s->length = wg_ranks_deal(wg_input(t, "lengths", WG_I64, WG_SHAPE(rows->rows), length), s->n);
    for (int64_t i = 0; s->start != NULL && i < wg_size(s->length); i++)
        s->start[i + 1] = entries += wg_data_i64(s->length)[i];
    wg_ranks_agree(t, 2 * (uint64_t)s->columns + streamed, "sparse columns");
    s->column = wg_ranks_deal(rows->column, entries);
    s->value = wg_ranks_deal(rows->value, entries);
    return wg_ranks_agree(t, 0, "") == WG_OK;
}

/* Entries of the fullest block of so many rows. */
static int64_t sparse_fullest(const sparse_rows *s, int64_t block)
{
    int64_t most = 0;
    for (int64_t row = 0, n, entries; row < s->n; row += n) {
        n = s->n - row < block ? s->n - row : block;
        entries = s->start[row + n] - s->start[row];
        most = entries > most ? entries : most;
    }
    return most;
}

/* ---- Moments. -------------------------------------------------------------------------------- */

typedef struct sparse_sums {
    const sparse_rows *rows;
    void *column, *value; /* room for the entries of WG_RANKS_BLOCK rows, where they are streamed */
    const double *mean;   /* NULL: the first pass */
} sparse_sums;

/* Of n entries: the sum of those of each column, and their number; then the sum of their squares
 * around the mean. */
static void sparse_add_entries(const sparse_sums *s, int64_t n, const int64_t *column,
                               const wg_tensor *value, double sum[])
{
    const int64_t d = s->rows->columns;
    for (int64_t p = 0; p < n; p++) {
        const int64_t j = column[p];
        if (j < 0 || j >= d) { /* a file may have changed */
            wg_fail(s->rows->length->tape, WG_E_INDEX, "fit: a row has a column %" PRId64, j);
            return;
        }
        const double x = wg_element(value, p), r = s->mean != NULL ? x - s->mean[j] : x;
        sum[j] += s->mean != NULL ? r * r : r;
        if (s->mean == NULL)
            sum[d + j]++;
    }
}

static void sparse_add(int64_t first, int64_t end, double sum[], void *user)
{
    const sparse_sums *s = user;
    const sparse_rows *rows = s->rows;
    for (int64_t row = first, n; row < end; row += n) {
        n = end - row < WG_RANKS_BLOCK ? end - row : WG_RANKS_BLOCK;
        const int64_t from = rows->start[row], entries = rows->start[row + n] - from;
        if (entries == 0)
            continue;
        const wg_tensor column = wg_rows_piece(rows->column, from, entries, s->column);
        const wg_tensor value = wg_rows_piece(rows->value, from, entries, s->value);
        if (column.data == NULL || value.data == NULL)
            return;
        sparse_add_entries(s, entries, column.data, &value, sum);
    }
}

void wg_fit_sparse_moments(const wg_csr *csr, double mean[], double variance[])
{
    wg_tape *t = csr->value->tape;
    const int64_t d = csr->columns;
    sparse_rows rows;
    double *sum = wg_temporary(t, 3 * d, sizeof *sum);
    sparse_sums s = {.rows = &rows};
    if (sparse_deal(&rows, csr, WG_RANKS_BLOCK)) {
        const int64_t most = sparse_fullest(&rows, WG_RANKS_BLOCK);
        s.column = wg_rows_room(rows.column, most);
        s.value = wg_rows_room(rows.value, most);
    }
    if (wg_ranks_agree(t, 0, "") == WG_OK) {
        const double n = (double)rows.all;
        wg_ranks_sum_rows(t, rows.n, 2 * d, sparse_add, &s, sum);
        for (int64_t j = 0; j < d; j++)
            mean[j] = sum[j] / n;
        s.mean = mean;
        wg_ranks_sum_rows(t, rows.n, d, sparse_add, &s, sum + 2 * d);
        for (int64_t j = 0; j < d; j++)
            variance[j] = sum[2 * d + j] / n + (n - sum[d + j]) / n * mean[j] * mean[j];
    }
    wg_temporary_free(t, s.value);
    wg_temporary_free(t, s.column);
    wg_temporary_free(t, sum);
}

/* ---- Blocks. ---------------------------------------------------------------------------------
 * A block of rows has as much room for entries as the fullest one of the whole: three streamed
 * tensors, of lengths [n], columns and values [n, e], in which the block's entries stand one behind
 * the other, whichever row they are of; what is behind them is of no row. */

typedef struct sparse_stream {
    const sparse_rows *rows;
    int64_t room; /* e */
} sparse_stream;

static const char *sparse_read_length(void *user, int64_t first, int64_t n, void *to)
{
    const sparse_stream *s = user;
    memcpy(to, wg_data_i64(s->rows->length) + first, (size_t)n * sizeof(int64_t));
    return NULL;
}

/* The entries of n rows of x, and zeros to the end of the room. */
static const char *sparse_read(const sparse_stream *s, const wg_tensor *x, int64_t first, int64_t n,
                               void *to)
{
    const int64_t from = s->rows->start[first], used = s->rows->start[first + n] - from;
    const size_t width = wg_dtype_size(x->dtype);
    const wg_stream *stream = wg_is_streamed(x) ? x->plan : NULL;
    const char *wrong = NULL;
    if (used > n * s->room)
        return "rows that are no block";
    if (stream != NULL)
        wrong = stream->read(stream->user, stream->first + from, used, to);
    else
        memcpy(to, (const char *)x->data + (size_t)from * width, (size_t)used * width);
    memset((char *)to + (size_t)used * width, 0, (size_t)(n * s->room - used) * width);
    return wrong;
}

/* Where they are in memory, with as many behind them as the room has. */
static const void *sparse_at(const sparse_stream *s, const wg_tensor *x, int64_t first, int64_t n)
{
    const int64_t from = s->rows->start[first];
    return wg_is_streamed(x) || n * s->room > x->size - from
               ? NULL
               : (const char *)x->data + (size_t)from * wg_dtype_size(x->dtype);
}

static const void *sparse_at_column(void *user, int64_t first, int64_t n)
{
    const sparse_stream *s = user;
    return sparse_at(s, s->rows->column, first, n);
}

static const void *sparse_at_value(void *user, int64_t first, int64_t n)
{
    const sparse_stream *s = user;
    return sparse_at(s, s->rows->value, first, n);
}

static const char *sparse_read_column(void *user, int64_t first, int64_t n, void *to)
{
    const sparse_stream *s = user;
    return sparse_read(s, s->rows->column, first, n, to);
}

static const char *sparse_read_value(void *user, int64_t first, int64_t n, void *to)
{
    const sparse_stream *s = user;
    return sparse_read(s, s->rows->value, first, n, to);
}

/* Rows of a block: so many that they have half a megabyte of entries, but that there are 64 blocks;
 * and more where their entries would be less than twice the columns, since each block adds up a
 * gradient of all columns. Blocks are even, or a full row in a short last one would ask for as much
 * room in each row of all others. Of the data alone. */
static int64_t sparse_block(wg_tape *t, const wg_csr *rows)
{
    double all[2] = {(double)rows->rows, (double)rows->value->size};
    wg_ranks_sum(t, all, 2);
    const double rows_of_entry = all[0] / fmax(all[1], 1), share = ceil(all[0] / 64);
    const double block = fmax(2 * (double)rows->columns * rows_of_entry,
                              fmin((1 << 15) * rows_of_entry, share));
    const double count = fmax(all[0], 1), blocks = ceil(count / fmin(fmax(ceil(block), 1), count));
    return (int64_t)ceil(count / blocks);
}

/* Room that n rows take, from one on: so many entries a row. */
static int64_t sparse_room_of(const sparse_rows *s, int64_t row, int64_t n)
{
    return n > 0 ? (s->start[row + n] - s->start[row] + n - 1) / n : 0;
}

/* e: the entries of the fullest block, a row of it; of all ranks. A short last block is recorded on
 * as many of each rank's first rows. */
static int64_t sparse_room(const sparse_rows *s, int64_t block)
{
    wg_tape *t = s->length->tape;
    const int64_t last = s->all % block;
    int64_t most = sparse_room_of(s, 0, s->n < last ? s->n : last);
    size_t bytes;
    most = most > 1 ? most : 1;
    for (int64_t row = 0, n; row < s->n; row += n) {
        n = s->n - row < block ? s->n - row : block;
        const int64_t room = sparse_room_of(s, row, n);
        most = room > most ? room : most;
    }
    int64_t *all = wg_ranks_gather(t, &most, sizeof most, true, &bytes);
    for (size_t i = 0; all != NULL && i < bytes / sizeof *all; i++)
        most = all[i] > most ? all[i] : most;
    wg_temporary_free(t, all);
    return most;
}

bool wg_fit_sparse_rows(const wg_csr *csr, int64_t block, wg_tensor *rows[WG_FIT_SPARSE])
{
    wg_tape *t = csr->value->tape;
    sparse_rows *own = wg_tape_take(t, sizeof *own);
    sparse_stream *s = wg_tape_take(t, sizeof *s);
    if (wg_ranks_agree(t, 0, "") != WG_OK || !sparse_deal(own, csr, block))
        return false;
    const int64_t n = own->n, room = sparse_room(own, block);
    *s = (sparse_stream){own, room};
    rows[0] = wg_streamed(t, "lengths", WG_I64, WG_SHAPE(n),
                          &(wg_stream){.read = sparse_read_length, .user = s});
    rows[1] = wg_streamed(
        t, "columns", WG_I64, WG_SHAPE(n, room),
        &(wg_stream){.read = sparse_read_column, .user = s, .at = sparse_at_column});
    rows[2] = wg_streamed(
        t, "values", csr->value->dtype, WG_SHAPE(n, room),
        &(wg_stream){.read = sparse_read_value, .user = s, .at = sparse_at_value});
    return wg_tape_status(t) == WG_OK;
}

wg_csr wg_fit_sparse_matrix(const wg_fit_run *run, wg_tensor *const rows[WG_FIT_SPARSE])
{
    wg_tape *t = run->tape;
    wg_tensor *start[] = {wg_full(t, WG_I64, WG_SHAPE(1), 0), wg_cumsum(rows[0], 0, false)};
    return (wg_csr){.value = wg_reshape(rows[2], WG_SHAPE(wg_size(rows[2]))),
                    .start = wg_concat(start, 2, 0),
                    .column = wg_reshape(rows[1], WG_SHAPE(wg_size(rows[1]))),
                    .rows = wg_size(rows[0]),
                    .columns = run->rows.train.sparse->columns};
}

static wg_tensor *sparse_loss(wg_tape *t, wg_tensor *const rows[], void *user)
{
    const wg_fit_run *run = user;
    const wg_csr matrix = wg_fit_sparse_matrix(run, rows);
    const wg_dataset block = {.sparse = &matrix};
    (void)t;
    return run->model->head->loss(wg_fit_outputs(run->model, &block, true), rows[WG_FIT_SPARSE],
                                  run->rows.weights != NULL ? rows[WG_FIT_SPARSE + 1] : NULL,
                                  WG_SUM);
}

wg_blocks *wg_fit_sparse_blocks(wg_fit_run *run)
{
    wg_tape *t = run->tape;
    const wg_fit_rows *r = &run->rows;
    const wg_fit_model *m = run->model;
    const int64_t block = sparse_block(t, r->train.sparse);
    wg_tensor *list[WG_FIT_SPARSE + 2];
    if (!wg_fit_sparse_rows(r->train.sparse, block, list))
        return NULL;
    const int64_t n = list[0]->shape.dim[0];
    int count = WG_FIT_SPARSE;
    list[count++] = wg_ranks_deal(r->targets, n);
    if (r->weights != NULL)
        list[count++] = wg_ranks_deal(r->weights, n);
    const wg_blocks_options o = {.rows = block,
                                 .scale = 1 / (double)r->n,
                                 .penalty = wg_l2_penalty(m->params, m->n_params, run->l2)};
    return wg_blocks_new(list, count, m->params, m->n_params, sparse_loss, run, &o);
}
