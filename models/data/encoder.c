/* One-hot encoding of string columns. */
#include "models/data/encoder_internal.h"

#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "models/files/archive_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENCODER_LIMIT = 1 << 26 }; /* bytes that are always allowed by default */

static const wg_encoder encoder_inert = {.tape = NULL};

static wg_encoder *encoder_none(void)
{
    return (wg_encoder *)(uintptr_t)&encoder_inert; /* no function takes one that it could write */
}

/* ---- Fitting. -------------------------------------------------------------------------------- */

static int encoder_rising(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts n strings and moves the different ones to the front. Returns how many there are. */
static int64_t encoder_distinct(const char **list, int64_t n)
{
    int64_t kept = 0;
    qsort(list, (size_t)n, sizeof *list, encoder_rising);
    for (int64_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(list[i], list[kept - 1]) != 0)
            list[kept++] = list[i];
    return kept;
}

/* An encoder with room for `total` categories; inert after an error. */
static wg_encoder *encoder_new(wg_tape *t, int64_t columns, int64_t total, bool ignore_unknown)
{
    wg_encoder *e = wg_tape_take(t, sizeof *e);
    int64_t *start = wg_tape_take(t, ((size_t)columns + 1) * sizeof *start);
    char **category = wg_tape_take(t, (size_t)total * sizeof *category);
    if (e == NULL || start == NULL || category == NULL)
        return encoder_none();
    *e = (wg_encoder){t, columns, start, category, ignore_unknown, 0};
    return e;
}

/* list [columns, n] is room for the strings by column, start [columns + 1] for where they begin. */
static wg_encoder *encoder_fit(wg_tape *t, const char *const *string, int64_t n, int64_t columns,
                               bool ignore_unknown, const char **list, int64_t *start)
{
    int64_t total = 0;
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < n; i++)
            list[total + i] = string[i * columns + j];
        start[j] = total;
        total += encoder_distinct(list + total, n);
    }
    start[columns] = total;
    wg_encoder *e = encoder_new(t, columns, total, ignore_unknown);
    if (e->tape == NULL)
        return e;
    memcpy(e->start, start, ((size_t)columns + 1) * sizeof *start);
    for (int64_t i = 0; i < total; i++)
        e->category[i] = wg_tape_copy_text(t, list[i]);
    return wg_tape_status(t) == WG_OK ? e : encoder_none();
}

/* n * columns, where all of these strings are there; -1, and an error, where not. */
static int64_t encoder_size(wg_tape *t, const char *const *string, int64_t n, int64_t columns)
{
    int64_t size = -1;
    if (n < 0 || columns < 0 || columns == INT64_MAX || !wg_size_multiply(n, columns, &size)) {
        wg_fail(t, WG_E_VALUE, "encoder: %" PRId64 " rows of %" PRId64 " strings", n, columns);
        return -1;
    }
    for (int64_t i = 0; i < size; i++)
        if (string == NULL || string[i] == NULL) {
            wg_fail(t, WG_E_NULL, "encoder: no string at row %" PRId64 ", column %" PRId64,
                    i / columns + 1, i % columns + 1);
            return -1;
        }
    return size;
}

/* On what this rank has. */
static wg_encoder *encoder_fit_own(wg_tape *t, const char *const *string, int64_t n,
                                   int64_t columns, bool ignore_unknown)
{
    int64_t size = encoder_size(t, string, n, columns);
    if (size < 0)
        return encoder_none();
    const char **list = wg_temporary(t, size, sizeof *list);
    int64_t *start = wg_temporary(t, columns + 1, sizeof *start);
    wg_encoder *e = encoder_none();
    if (list != NULL && start != NULL)
        e = encoder_fit(t, string, n, columns, ignore_unknown, list, start);
    wg_temporary_free(t, list);
    wg_temporary_free(t, start);
    return e;
}

/* ---- Categories of all ranks: each is sent behind its column's number. ----------------------- */

/* How many bytes they are; written to `to` where that is not NULL. */
static size_t encoder_pack(const wg_encoder *e, char *to)
{
    size_t used = 0;
    for (int64_t j = 0; j < e->columns; j++)
        for (int64_t i = e->start[j]; i < e->start[j + 1]; i++) {
            const size_t size = strlen(e->category[i]) + 1;
            if (to != NULL) {
                memcpy(to + used, &j, sizeof j);
                memcpy(to + used + sizeof j, e->category[i], size);
            }
            used += sizeof j + size;
        }
    return used;
}

/* The packed strings by column, count[columns] so many, into string[row * columns + column], where
 * that is not NULL. False: they are none. */
static bool encoder_unpack(const char *packed, size_t size, int64_t columns, int64_t count[],
                           const char **string)
{
    memset(count, 0, (size_t)columns * sizeof *count);
    while (size > 0) {
        int64_t j = -1;
        const char *end = NULL;
        if (size > sizeof j) {
            memcpy(&j, packed, sizeof j);
            end = memchr(packed + sizeof j, '\0', size - sizeof j);
        }
        if (j < 0 || j >= columns || end == NULL)
            return false;
        if (string != NULL)
            string[count[j] * columns + j] = packed + sizeof j;
        count[j]++;
        size -= (size_t)(end + 1 - packed);
        packed = end + 1;
    }
    return true;
}

/* Fits on the packed strings as on rows, of which there are as many as the longest column has; what
 * others lack is filled up with what they have. */
static wg_encoder *encoder_fit_packed(const wg_encoder *own, const char *packed, size_t size,
                                      int64_t count[])
{
    wg_tape *t = own->tape;
    int64_t rows = 0;
    bool fits = encoder_unpack(packed, size, own->columns, count, NULL);
    for (int64_t j = 0; j < own->columns; j++) {
        rows = count[j] > rows ? count[j] : rows;
        fits = fits && count[j] > 0;
    }
    const char **string = fits ? wg_temporary(t, rows, (size_t)own->columns * sizeof *string)
                               : NULL;
    wg_encoder *e = encoder_none();
    if (!fits)
        wg_fail(t, WG_E_RANKS, "encoder: strings of another rank are none");
    if (string != NULL) {
        encoder_unpack(packed, size, own->columns, count, string);
        for (int64_t j = 0; j < own->columns; j++)
            for (int64_t i = count[j]; i < rows; i++)
                string[i * own->columns + j] = string[j];
        e = encoder_fit_own(t, string, rows, own->columns, own->ignore_unknown);
    }
    wg_temporary_free(t, string);
    return e;
}

static wg_encoder *encoder_join(wg_encoder *own)
{
    wg_tape *t = own->tape;
    size_t size = encoder_pack(own, NULL), all;
    char *mine = wg_temporary(t, (int64_t)size, 1);
    int64_t *count = wg_temporary(t, own->columns, sizeof *count);
    wg_encoder *e = encoder_none();
    if (wg_ranks_agree(t, 0, "") == WG_OK) {
        encoder_pack(own, mine);
        char *packed = wg_ranks_gather(t, mine, size, true, &all);
        if (packed != NULL)
            e = encoder_fit_packed(own, packed, all, count);
        wg_temporary_free(t, packed);
    }
    wg_temporary_free(t, count);
    wg_temporary_free(t, mine);
    return e;
}

wg_encoder *wg_encoder_fit(wg_tape *t, const char *const *string, int64_t n, int64_t columns,
                           const wg_encoder_options *options)
{
    wg_encoder *e = encoder_none();
    if (options != NULL && options->limit < 0)
        wg_fail(t, WG_E_VALUE, "encoder: option limit is negative");
    if (wg_tape_status(t) == WG_OK)
        e = encoder_fit_own(t, string, n, columns, options != NULL && options->ignore_unknown);
    if (wg_ranks_agree(t, (uint64_t)columns, "string columns") != WG_OK)
        return encoder_none();
    if (wg_ranks_size(t) > 1 && columns > 0)
        e = encoder_join(e);
    if (e->tape != NULL && options != NULL)
        e->limit = options->limit;
    return e;
}

/* ---- Using it. ------------------------------------------------------------------------------- */

/* Which of column j's categories this is; -1: none. */
static int64_t encoder_find(const wg_encoder *e, int64_t j, const char *text)
{
    int64_t low = e->start[j], high = e->start[j + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strcmp(text, e->category[middle]);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

int64_t wg_encoder_unknown(const wg_encoder *encoder, const char *const *string, int64_t n)
{
    if (encoder == NULL || encoder->tape == NULL || encoder->ignore_unknown || string == NULL)
        return -1;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < encoder->columns; j++) {
            const char *given = string[i * encoder->columns + j];
            if (given != NULL && encoder_find(encoder, j, given) < 0)
                return i * encoder->columns + j;
        }
    return -1;
}

static bool encoder_knows(const wg_encoder *e, const char *const *string, int64_t n)
{
    const int64_t unknown = wg_encoder_unknown(e, string, n);
    if (unknown >= 0)
        wg_fail(e->tape, WG_E_VALUE,
                "encoder: row %" PRId64 ", column %" PRId64 ": '%.60s' was not there at the fit",
                unknown / e->columns + 1, unknown % e->columns + 1, string[unknown]);
    return unknown < 0;
}

/* Into columns `from` on of x [n, ...], zero so far. */
static void encoder_write(const wg_encoder *e, const char *const *string, wg_tensor *x,
                          int64_t from)
{
    const int64_t n = x->shape.dim[0], width = x->shape.dim[1];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < e->columns; j++) {
            int64_t at = encoder_find(e, j, string[i * e->columns + j]);
            if (at >= 0)
                wg_set_element(x, i * width + from + at, 1);
        }
}

/* Is the matrix of 0 and 1 within the limit? Its size is the product of two that
 * a file controls: 99 KB of 10,000 categories are 800 MB. */
static bool encoder_within_limit(const wg_encoder *e, const char *const *string, int64_t n,
                                 int64_t width, wg_dtype dtype)
{
    int64_t limit = e->limit, bytes;
    for (int64_t i = 0; e->limit == 0 && i < n * e->columns; i++)
        limit += 40 * ((int64_t)strlen(string[i]) + 1);
    if (e->limit == 0 && limit < ENCODER_LIMIT)
        limit = ENCODER_LIMIT;
    if (wg_size_multiply(n * width, (int64_t)wg_dtype_size(dtype), &bytes) && bytes <= limit)
        return true;
    wg_fail(e->tape, WG_E_VALUE,
            "encoder: %" PRId64 " rows of %" PRId64
            " categories are more than the limit of %" PRId64
            " bytes (wg_encoder_options.limit): is one a column of names or ids, to leave out?",
            n, width, limit);
    return false;
}

/* The columns behind `from` others, which are zero. */
static wg_tensor *encoder_apply(const wg_encoder *e, const char *const *string, int64_t n,
                                int64_t from, wg_dtype dtype)
{
    wg_tape *t = e->tape;
    int64_t width = wg_encoder_width(e), size;
    if (encoder_size(t, string, n, e->columns) < 0 || !wg_size_multiply(n, width, &size))
        return wg_fail(t, WG_E_VALUE, "encoder: %" PRId64 " rows of %" PRId64 " columns", n, width);
    if (!encoder_within_limit(e, string, n, width, dtype) || !encoder_knows(e, string, n))
        return wg_fail(t, WG_E_VALUE, "encoder");
    wg_tensor *x = wg_full(t, dtype, WG_SHAPE(n, from + width), 0);
    if (!wg_is_inert(x))
        encoder_write(e, string, x, from);
    return x;
}

wg_tensor *wg_encoder_apply(const wg_encoder *encoder, const char *const *string, int64_t n,
                            wg_dtype dtype)
{
    if (encoder == NULL || encoder->tape == NULL)
        return wg_fail(NULL, WG_E_NULL, "encoder: an inert encoder");
    wg_tape *t = encoder->tape;
    if (!wg_dtype_asked(t, "encoder", &dtype) || dtype == WG_I64)
        return wg_fail(t, WG_E_DTYPE, "encoder: f32 or f64 wanted");
    return encoder_apply(encoder, string, n, 0, dtype);
}

wg_tensor *wg_encoder_append(const wg_encoder *encoder, const char *const *string,
                             const wg_tensor *X)
{
    const int64_t n = X->shape.dim[0], from = X->shape.dim[1];
    wg_tensor *x = encoder_apply(encoder, string, n, from, X->dtype);
    for (int64_t i = 0; !wg_is_inert(x) && from > 0 && i < n; i++)
        memcpy((char *)x->data + (size_t)i * wg_row_bytes(x),
               (const char *)X->data + (size_t)i * wg_row_bytes(X), wg_row_bytes(X));
    return x;
}

/* ---- Streamed rows. -------------------------------------------------------------------------- */

/* Of a tensor in memory. */
static const char *encoder_read_memory(void *user, int64_t first, int64_t n, void *to)
{
    const wg_tensor *X = user;
    const size_t row = wg_row_bytes(X);
    if (first < 0 || n > X->shape.dim[0] || first > X->shape.dim[0] - n)
        return "there are no such rows";
    if (row > 0)
        memcpy(to, (const char *)X->data + (size_t)first * row, (size_t)n * row);
    return NULL;
}

typedef struct encoder_stream {
    wg_stream of;
    const wg_encoder *by;
    int64_t *category; /* [n, by->columns]; -1: none */
    int64_t n, before; /* rows that there are categories of, the first of them `before` of.first */
    wg_dtype dtype;
    int64_t numbers, width; /* columns of numbers, and of the categories behind them */
} encoder_stream;

/* Row by row from the last one on, since rows become wider. */
static const char *encoder_stream_read(void *user, int64_t first, int64_t n, void *to)
{
    const encoder_stream *s = user;
    const int64_t own = first - s->of.first + s->before;
    const size_t size = wg_dtype_size(s->dtype), from = (size_t)s->numbers * size;
    const size_t row = from + (size_t)s->width * size;
    if (own < 0 || n > s->n || own > s->n - n)
        return "rows of string columns that another rank has";
    const char *wrong = s->of.read(s->of.user, first, n, to);
    wg_tensor x = {.dtype = s->dtype};
    for (int64_t i = n - 1; wrong == NULL && i >= 0; i--) {
        x.data = memmove((char *)to + (size_t)i * row, (char *)to + (size_t)i * from, from);
        memset((char *)x.data + from, 0, row - from);
        for (int64_t j = 0; j < s->by->columns; j++) {
            const int64_t k = s->category[(own + i) * s->by->columns + j];
            if (k >= 0)
                wg_set_element(&x, s->numbers + k, 1);
        }
    }
    return wrong;
}

wg_tensor *wg_encoder_stream(const wg_encoder *encoder, const char *const *string, wg_tensor *X)
{
    wg_tape *t = X->tape;
    const int64_t n = X->shape.dim[0], width = wg_encoder_width(encoder);
    const int64_t cells = encoder_size(t, string, n, encoder->columns);
    if (cells < 0 || !encoder_knows(encoder, string, n) ||
        (!wg_is_streamed(X) && !encoder_within_limit(encoder, string, n, width, X->dtype)))
        return wg_fail(t, WG_E_VALUE, "encoder");
    encoder_stream *s = wg_tape_take(t, sizeof *s);
    int64_t *category = wg_tape_take(t, (size_t)cells * sizeof *category);
    if (s == NULL || category == NULL)
        return wg_fail(t, WG_E_NOMEM, "encoder");
    for (int64_t i = 0; i < cells; i++)
        category[i] = encoder_find(encoder, i % encoder->columns, string[i]);
    *s = (encoder_stream){.of = wg_is_streamed(X)
                                    ? *(const wg_stream *)X->plan
                                    : (wg_stream){.read = encoder_read_memory, .user = X},
                          .by = encoder,
                          .category = category,
                          .n = n,
                          .dtype = X->dtype,
                          .numbers = X->shape.dim[1],
                          .width = width};
    return wg_streamed(t, X->name, X->dtype, WG_SHAPE(n, X->shape.dim[1] + width),
                       &(wg_stream){.read = encoder_stream_read, .user = s, .first = s->of.first});
}

/* Their numbers come from a file that all ranks read, their categories are here. */
wg_tensor *wg_encoder_share(wg_tensor *X)
{
    wg_tape *t = X->tape;
    const bool streamed = !wg_is_inert(X) && wg_is_streamed(X);
    size_t bytes = 0;
    if (wg_ranks_agree(t, streamed, "rows (streamed, or in memory)") != WG_OK || !streamed)
        return X;
    encoder_stream *s = ((const wg_stream *)X->plan)->user;
    int64_t first, n = wg_ranks_rows(t, s->n, &first);
    const size_t row = (size_t)s->by->columns * sizeof(int64_t);
    void *all = wg_ranks_gather(t, s->category, (size_t)s->n * row, true, &bytes);
    int64_t *kept = wg_tape_take(t, bytes);
    if (all != NULL && kept != NULL && bytes == (size_t)n * row) {
        memcpy(kept, all, bytes);
        s->category = kept;
        s->n = n;
        s->before = first;
    }
    wg_temporary_free(t, all);
    return X;
}

/* ---- All together. --------------------------------------------------------------------------- */

int64_t wg_encoder_width(const wg_encoder *encoder)
{
    return encoder == NULL || encoder->tape == NULL ? 0 : encoder->start[encoder->columns];
}

/* ---- Into an archive and back. --------------------------------------------------------------- */

enum { ENCODER_NAME = 64 };

static char *encoder_column_name(char *name, int64_t j)
{
    snprintf(name, ENCODER_NAME, "encoder.%" PRId64, j);
    return name;
}

static char *encoder_category_name(char *name, int64_t j, int64_t i)
{
    snprintf(name, ENCODER_NAME, "encoder.%" PRId64 ".%" PRId64, j, i);
    return name;
}

wg_status wg_encoder_save(const wg_encoder *encoder, wg_archive *a)
{
    char name[ENCODER_NAME];
    if (encoder == NULL || encoder->tape == NULL)
        return wg_archive_put_string(a, "encoder", NULL);
    wg_archive_put_integer(a, "encoder.ignore_unknown", encoder->ignore_unknown);
    wg_archive_put_integer(a, "encoder.columns", encoder->columns);
    for (int64_t j = 0; j < encoder->columns; j++) {
        char **category = encoder->category + encoder->start[j];
        int64_t count = encoder->start[j + 1] - encoder->start[j];
        wg_archive_put_integer(a, encoder_column_name(name, j), count);
        for (int64_t i = 0; i < count; i++)
            wg_archive_put_string(a, encoder_category_name(name, j, i), category[i]);
    }
    return wg_tape_status(wg_archive_tape(a));
}

/* Column j's categories, which must rise, behind those that are there. */
static bool encoder_read_column(wg_encoder *e, const wg_archive *a, int64_t j)
{
    char name[ENCODER_NAME];
    int64_t count, at = e->start[j], room = wg_archive_count(a) - at;
    if (!wg_archive_integer(a, "encoder", encoder_column_name(name, j), 0, room, &count))
        return false;
    for (int64_t i = 0; i < count; i++) {
        const char *text = wg_archive_string(a, encoder_category_name(name, j, i));
        if (text == NULL || (i > 0 && strcmp(e->category[at + i - 1], text) >= 0)) {
            wg_archive_fail(a, "encoder: '%s' is missing or out of order", name);
            return false;
        }
        e->category[at + i] = wg_tape_copy_text(wg_archive_tape(a), text);
        if (e->category[at + i] == NULL)
            return false;
    }
    e->start[j + 1] = at + count;
    return true;
}

/* No more columns and categories are declared than the archive has entries. */
wg_encoder *wg_encoder_load(const wg_archive *a)
{
    int64_t columns, ignore;
    if (wg_archive_tape(a) == NULL || wg_tape_status(wg_archive_tape(a)) != WG_OK ||
        !wg_archive_integer(a, "encoder", "encoder.columns", 0, wg_archive_count(a), &columns) ||
        !wg_archive_integer(a, "encoder", "encoder.ignore_unknown", 0, 1, &ignore))
        return encoder_none();
    wg_encoder *e = encoder_new(wg_archive_tape(a), columns, wg_archive_count(a), ignore == 1);
    for (int64_t j = 0; j < columns && e->tape != NULL; j++)
        if (!encoder_read_column(e, a, j))
            return encoder_none();
    return e;
}
