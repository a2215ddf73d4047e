/* csr.c: matrices in compressed sparse rows: made, and parts of them. */
#include "ops/sparse_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- The matrix. ----------------------------------------------------------------------------- */

static const wg_csr csr_inert = {NULL, NULL, NULL, 0, 0};

/* The way around the cast's warning is safe: no function writes a matrix that it is given. */
wg_csr *wg_csr_none(void)
{
    return (wg_csr *)(uintptr_t)&csr_inert;
}

static wg_csr *csr_fail(wg_tape *t, wg_status status, const char *reason)
{
    wg_fail(t, status, "csr: %s", reason);
    return wg_csr_none();
}

static wg_csr *csr_build(wg_tape *t, wg_dtype dtype, int64_t rows, int64_t columns,
                         const int64_t *start, const int64_t *column, const void *value)
{
    int64_t entries = start[rows];
    wg_csr *a = wg_tape_take(t, sizeof *a);
    if (a == NULL)
        return csr_fail(t, WG_E_NOMEM, "out of memory");
    a->rows = rows;
    a->columns = columns;
    a->value = wg_constant(t, dtype, WG_SHAPE(entries), value);
    a->start = wg_constant(t, WG_I64, WG_SHAPE(rows + 1), start);
    a->column = wg_constant(t, WG_I64, WG_SHAPE(entries), column);
    return wg_tape_status(t) == WG_OK ? a : csr_fail(t, WG_E_NOMEM, "out of memory");
}

wg_csr *wg_csr_new(wg_tape *t, wg_dtype dtype, int64_t rows, int64_t columns, const int64_t *start,
                   const int64_t *column, const void *value)
{
    int64_t at;
    char text[96];
    if (start == NULL)
        return csr_fail(t, WG_E_NULL, "start is NULL");
    if (rows < 0 || columns < 0)
        return csr_fail(t, WG_E_VALUE, "a negative size");
    if (!wg_dtype_asked(t, "csr", &dtype))
        return wg_csr_none();
    if (dtype == WG_I64)
        return csr_fail(t, WG_E_DTYPE, "f32 or f64 wanted");
    if (start[rows] > 0 && (column == NULL || value == NULL))
        return csr_fail(t, WG_E_NULL, "column or value is NULL");
    const char *wrong = wg_sparse_wrong(rows, columns, start[rows], start, column, &at);
    if (wrong == NULL)
        return csr_build(t, dtype, rows, columns, start, column, value);
    snprintf(text, sizeof text, "%s %" PRId64, wrong, at);
    return csr_fail(t, WG_E_INDEX, text);
}

/* ---- Parts of it. ---------------------------------------------------------------------------- */

static bool csr_is_inert(const wg_csr *a)
{
    return a == NULL || a->value == NULL;
}

/* starts[n + 1] of the rows taken; false where there is no such row, or too many entries. */
static bool csr_take_starts(const wg_csr *a, const int64_t *row, int64_t n, int64_t *starts)
{
    const int64_t *start = a->start->data;
    starts[0] = 0;
    for (int64_t i = 0; i < n; i++)
        if (row[i] < 0 || row[i] >= a->rows ||
            !wg_size_add(starts[i], start[row[i] + 1] - start[row[i]], &starts[i + 1]))
            return false;
    return true;
}

static void csr_take_entries(const wg_csr *a, const int64_t *row, int64_t n, const wg_csr *part)
{
    const int64_t *start = a->start->data, *to = part->start->data;
    size_t size = wg_dtype_size(a->value->dtype);
    for (int64_t i = 0; i < n; i++) {
        size_t entries = (size_t)(to[i + 1] - to[i]);
        if (entries == 0)
            continue;
        memcpy((int64_t *)part->column->data + to[i],
               (const int64_t *)a->column->data + start[row[i]], entries * sizeof *start);
        memcpy((char *)part->value->data + (size_t)to[i] * size,
               (const char *)a->value->data + (size_t)start[row[i]] * size, entries * size);
    }
}

/* ---- Rows that are streamed. ----------------------------------------------------------------- */

/* Some rows of a matrix: where their entries are in it. */
typedef struct csr_taken {
    wg_stream of;
    size_t width; /* bytes of an entry */
    int64_t n;
    const int64_t *row, *start, *to; /* [n]; where its rows begin, and where these do [n + 1] */
} csr_taken;

/* The row that has the entry. */
static int64_t csr_row_of(const csr_taken *s, int64_t entry)
{
    int64_t low = 0;
    for (int64_t high = s->n - 1; low < high;) {
        const int64_t middle = low + (high - low) / 2;
        if (s->to[middle + 1] <= entry)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Rows that follow one another are read at once. */
static const char *csr_read_taken(void *user, int64_t first, int64_t n, void *to)
{
    const csr_taken *s = user;
    const char *wrong = NULL;
    if (first < 0 || n > s->to[s->n] || first > s->to[s->n] - n)
        return "there are no such entries";
    for (int64_t i = csr_row_of(s, first), part; wrong == NULL && n > 0; n -= part, i++) {
        const int64_t from = s->start[s->row[i]] + first - s->to[i];
        while (i + 1 < s->n && s->to[i + 1] - first < n && s->row[i + 1] == s->row[i] + 1)
            i++;
        part = s->to[i + 1] - first < n ? s->to[i + 1] - first : n;
        wrong = s->of.read(s->of.user, s->of.first + from, part, to);
        to = (char *)to + (size_t)part * s->width;
        first += part;
    }
    return wrong;
}

/* n entries of x by that stream. */
static wg_tensor *csr_stream(const wg_tensor *x, int64_t n, wg_stream stream)
{
    return wg_streamed(x->tape, x->name, x->dtype, WG_SHAPE(n), &stream);
}

/* Entries of x, of the rows that `taken` tells; those of rows that follow one another are a part of
 * x's stream, which ranks may move over the rest of it. */
static wg_tensor *csr_stream_taken(const wg_tensor *x, csr_taken taken)
{
    wg_stream stream = *(const wg_stream *)x->plan;
    const int64_t entries = taken.to[taken.n];
    int64_t i = 1;
    while (i < taken.n && taken.row[i] == taken.row[i - 1] + 1)
        i++;
    if (taken.n > 0 && i == taken.n) {
        stream.first += taken.start[taken.row[0]];
        return csr_stream(x, entries, stream);
    }
    csr_taken *s = wg_tape_take(x->tape, sizeof *s);
    if (s == NULL)
        return wg_fail(x->tape, WG_E_NOMEM, "csr: out of memory");
    *s = taken;
    s->of = stream;
    s->width = wg_dtype_size(x->dtype);
    return csr_stream(x, entries, (wg_stream){.read = csr_read_taken, .user = s});
}

/* The rows of a streamed matrix; part->start is there. */
static wg_csr *csr_take_streams(const wg_csr *a, const int64_t *row, int64_t n, wg_csr *part)
{
    wg_tape *t = a->value->tape;
    int64_t *rows = wg_tape_take(t, (size_t)n * sizeof *rows);
    if (rows == NULL)
        return csr_fail(t, WG_E_NOMEM, "out of memory");
    if (n > 0)
        memcpy(rows, row, (size_t)n * sizeof *rows);
    const csr_taken taken = {.n = n, .row = rows, .start = a->start->data, .to = part->start->data};
    part->column = csr_stream_taken(a->column, taken);
    part->value = csr_stream_taken(a->value, taken);
    return wg_tape_status(t) == WG_OK ? part : wg_csr_none();
}

wg_csr *wg_csr_load_rows(const wg_csr *a, int64_t first, int64_t n)
{
    if (csr_is_inert(a))
        return csr_fail(NULL, WG_E_NULL, "rows of NULL");
    wg_tape *t = a->value->tape;
    if (first < 0 || n < 0 || n > a->rows || first > a->rows - n)
        return csr_fail(t, WG_E_INDEX, "there are no such rows to load");
    const int64_t *start = (const int64_t *)a->start->data + first, entries = start[n] - start[0];
    int64_t *starts = wg_temporary(t, n + 1, sizeof *starts);
    void *columns = wg_rows_room(a->column, entries), *values = wg_rows_room(a->value, entries);
    wg_csr *loaded = wg_csr_none();
    for (int64_t i = 0; starts != NULL && i <= n; i++)
        starts[i] = start[i] - start[0];
    if (wg_tape_status(t) == WG_OK) {
        const void *column = wg_rows_at(t, a->column, start[0], entries, columns);
        const void *value = wg_rows_at(t, a->value, start[0], entries, values);
        if (wg_tape_status(t) == WG_OK)
            loaded = wg_csr_new(t, a->value->dtype, n, a->columns, starts, column, value);
    }
    wg_temporary_free(t, values);
    wg_temporary_free(t, columns);
    wg_temporary_free(t, starts);
    return loaded;
}

/* ---- Rows that are taken. -------------------------------------------------------------------- */

wg_csr *wg_csr_take_rows(const wg_csr *a, const int64_t *row, int64_t n)
{
    if (csr_is_inert(a) || (row == NULL && n > 0))
        return csr_fail(csr_is_inert(a) ? NULL : a->value->tape, WG_E_NULL, "rows of NULL");
    wg_tape *t = a->value->tape;
    if (n < 0 || n > INT64_MAX - 1)
        return csr_fail(t, WG_E_VALUE, "a number of rows that cannot be");
    wg_tensor *start = wg_full(t, WG_I64, WG_SHAPE(n + 1), 0);
    if (wg_is_inert(start))
        return csr_fail(t, WG_E_NOMEM, "out of memory");
    if (!csr_take_starts(a, row, n, start->data))
        return csr_fail(t, WG_E_INDEX, "there is no such row to take");
    int64_t entries = ((const int64_t *)start->data)[n];
    wg_csr *part = wg_tape_take(t, sizeof *part);
    if (part != NULL && wg_is_streamed(a->value)) {
        *part = (wg_csr){.start = start, .rows = n, .columns = a->columns};
        return csr_take_streams(a, row, n, part);
    }
    wg_tensor *column = wg_full(t, WG_I64, WG_SHAPE(entries), 0);
    wg_tensor *value = wg_full(t, a->value->dtype, WG_SHAPE(entries), 0);
    if (part == NULL || wg_tape_status(t) != WG_OK)
        return csr_fail(t, WG_E_NOMEM, "out of memory");
    *part = (wg_csr){value, start, column, n, a->columns};
    csr_take_entries(a, row, n, part);
    return part;
}

wg_tensor *wg_csr_dense(const wg_csr *a)
{
    if (csr_is_inert(a))
        return wg_fail(NULL, WG_E_NULL, "csr: dense of NULL");
    if (wg_is_streamed(a->value))
        return wg_fail(a->value->tape, WG_E_VALUE, "csr: dense of streamed rows: wg_csr_load_rows");
    wg_tensor *dense = wg_full(a->value->tape, a->value->dtype, WG_SHAPE(a->rows, a->columns), 0);
    if (wg_is_inert(dense))
        return dense;
    const int64_t *start = a->start->data, *column = a->column->data;
    size_t size = wg_dtype_size(a->value->dtype);
    for (int64_t r = 0; r < a->rows; r++)
        for (int64_t p = start[r]; p < start[r + 1]; p++)
            memcpy((char *)dense->data + (size_t)(r * a->columns + column[p]) * size,
                   (const char *)a->value->data + (size_t)p * size, size);
    return dense;
}

wg_tensor *wg_csr_matmul(const wg_csr *a, bool transpose, wg_tensor *b)
{
    if (a == NULL)
        a = &csr_inert;
    return wg_sparse_matmul(a->value, a->start, a->column, a->columns, transpose, b);
}
