/* Streamed rows: rows wherever they are, and streams of some rows of another. */
#include "autograd/tape_internal.h"

#include <inttypes.h>

/* ---- Rows, wherever they are ----------------------------------------------------------------- */

bool wg_is_streamed(const wg_tensor *x)
{
    return x->op == &wg_op_streamed;
}

size_t wg_row_bytes(const wg_tensor *x)
{
    size_t bytes = wg_dtype_size(x->dtype);
    for (int i = 1; i < x->shape.ndim; i++)
        bytes *= (size_t)x->shape.dim[i];
    return bytes;
}

const void *wg_rows_at(wg_tape *t, const wg_tensor *x, int64_t first, int64_t n, void *room)
{
    if (!wg_is_streamed(x))
        return x->data != NULL ? (const char *)x->data + (size_t)first * wg_row_bytes(x) : NULL;
    const wg_stream *stream = x->plan;
    const void *at = stream->at != NULL ? stream->at(stream->user, stream->first + first, n) : NULL;
    if (at != NULL)
        return at;
    const char *wrong = stream->read(stream->user, stream->first + first, n, room);
    if (wrong == NULL)
        return room;
    wg_fail(t, WG_E_IO, "%s, rows from %" PRId64 " on: %s", wg_tensor_text(x).s,
            stream->first + first, wrong);
    return NULL;
}

wg_tensor wg_rows_piece(const wg_tensor *x, int64_t first, int64_t n, void *room)
{
    wg_tensor piece = *x;
    piece.size = x->shape.dim[0] > 0 ? n * (x->size / x->shape.dim[0]) : 0;
    piece.shape.dim[0] = n;
    piece.data = (void *)(uintptr_t)wg_rows_at(x->tape, x, first, n, room);
    return piece;
}

void *wg_rows_room(const wg_tensor *x, int64_t n)
{
    return wg_temporary(x->tape, wg_is_streamed(x) ? n : 0, wg_row_bytes(x));
}

/* ---- Some rows of a stream ------------------------------------------------------------------- */

typedef struct stream_taken {
    wg_stream of;
    size_t row_bytes;
    int64_t n;
    const int64_t *row; /* [n] */
} stream_taken;

/* Rows that follow one another are read at once. */
static const char *stream_read_taken(void *user, int64_t first, int64_t n, void *to)
{
    const stream_taken *s = user;
    if (first < 0 || n > s->n || first > s->n - n)
        return "there are no such rows";
    for (int64_t i = 0, end; i < n; i = end) {
        const int64_t *row = s->row + first;
        for (end = i + 1; end < n && row[end] == row[end - 1] + 1;)
            end++;
        const char *wrong = s->of.read(s->of.user, s->of.first + row[i], end - i,
                                       (char *)to + (size_t)i * s->row_bytes);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

/* Do they follow one another, all of them? */
static bool stream_is_range(const int64_t row[], int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (row[i] != row[i - 1] + 1)
            return false;
    return n > 0;
}

static bool stream_has_rows(const wg_tensor *x, const wg_tensor *rows)
{
    wg_tape *t = x->tape;
    if (wg_is_inert(rows) || rows->dtype != WG_I64 || rows->shape.ndim != 1 || rows->data == NULL)
        wg_fail(t, WG_E_SHAPE, "rows of a stream: i64 [m] wanted: %s", wg_tensor_text(rows).s);
    for (int64_t i = 0; t->status == WG_OK && i < rows->size; i++) {
        const int64_t row = ((const int64_t *)rows->data)[i];
        if (row < 0 || row >= x->shape.dim[0])
            wg_fail(t, WG_E_INDEX, "rows of a stream: there is no row %" PRId64 ": %s", row,
                    wg_tensor_text(x).s);
    }
    return t->status == WG_OK;
}

wg_tensor *wg_streamed_take(const wg_tensor *x, const wg_tensor *rows)
{
    wg_tape *t = x->tape;
    wg_shape shape = x->shape;
    if (!stream_has_rows(x, rows))
        return &t->inert;
    shape.dim[0] = rows->size;
    wg_stream stream = *(const wg_stream *)x->plan;
    if (stream_is_range(rows->data, rows->size)) {
        stream.first += *(const int64_t *)rows->data;
        return wg_streamed(t, x->name, x->dtype, shape.ndim, shape.dim, &stream);
    }
    stream_taken *taken = wg_tape_take(t, sizeof *taken);
    if (taken == NULL)
        return &t->inert;
    *taken = (stream_taken){stream, wg_row_bytes(x), rows->size, rows->data};
    return wg_streamed(t, x->name, x->dtype, shape.ndim, shape.dim,
                       &(wg_stream){.read = stream_read_taken, .user = taken});
}
