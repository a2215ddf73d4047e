/* Rows of .npy files that are read when they are wanted. */
#include "models/files/npy_internal.h"

#include "autograd/op.h"
#include "ops/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define STREAM_CHUNK 8192 /* bytes decoded at a time */

struct wg_npy_stream {
    wg_tape *tape; /* NULL: inert */
    const char *path;
    int file; /* -1: closed */
    wg_npy_array array;
    int64_t row;   /* elements of one */
    int64_t taken; /* so many of its first are given out */
    bool plain;    /* the file's bytes are the values */
};

static wg_npy_stream *stream_none(void)
{
    static const wg_npy_stream inert = {.file = -1};
    return (wg_npy_stream *)(uintptr_t)&inert;
}

/* ---- Reading rows. --------------------------------------------------------------------------- */

static const char *stream_bytes(const wg_npy_stream *s, int64_t at, int64_t size, void *to)
{
    char *bytes = to;
    while (size > 0) {
        const size_t most = size < ((int64_t)1 << 30) ? (size_t)size : (size_t)1 << 30;
        const ssize_t got = wg_read_at(s->file, bytes, most, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? strerror(errno) : "the file became shorter";
        bytes += got;
        at += got;
        size -= got;
    }
    return NULL;
}

static const char *stream_decoded(const wg_npy_stream *s, int64_t at, int64_t n, void *to)
{
    unsigned char chunk[STREAM_CHUNK];
    const wg_stored e = s->array.element;
    const int64_t at_once = STREAM_CHUNK / e.size, width = (int64_t)wg_dtype_size(s->array.dtype);
    for (int64_t i = 0; i < n; i += at_once) {
        const int64_t part = n - i < at_once ? n - i : at_once;
        const char *wrong = stream_bytes(s, at + i * e.size, part * e.size, chunk);
        if (wrong != NULL)
            return wrong;
        if (wg_elements_decode(chunk, part, e, s->array.dtype, (char *)to + i * width) < part)
            return "a number is not exact";
    }
    return NULL;
}

static const char *stream_elements(const wg_npy_stream *s, int64_t at, int64_t n, void *to)
{
    return s->plain ? stream_bytes(s, at, n * s->array.element.size, to)
                    : stream_decoded(s, at, n, to);
}

/* The first columns of n rows. What is left of the room takes whole rows, which are then moved
 * together: no other room is needed, and few reads. */
static const char *stream_narrow(const wg_npy_stream *s, int64_t at, int64_t n, char *to)
{
    const size_t width = wg_dtype_size(s->array.dtype);
    const size_t taken = (size_t)s->taken * width, row = (size_t)s->row * width;
    while (n > 0) {
        const int64_t whole = n * s->taken / s->row;
        const char *wrong = stream_elements(s, at, whole > 0 ? whole * s->row : s->taken, to);
        if (wrong != NULL)
            return wrong;
        for (int64_t i = 1; i < whole; i++)
            memmove(to + (size_t)i * taken, to + (size_t)i * row, taken);
        const int64_t done = whole > 0 ? whole : 1;
        at += done * s->row * s->array.element.size;
        to += (size_t)done * taken;
        n -= done;
    }
    return NULL;
}

const char *wg_npy_stream_read(const wg_npy_stream *s, int64_t first, int64_t n, void *to)
{
    if (s->file < 0)
        return "the file is closed";
    if (first < 0 || n > s->array.shape.dim[0] || first > s->array.shape.dim[0] - n)
        return "the file has no such rows";
    const int64_t bytes = s->row * s->array.element.size, at = s->array.begin + first * bytes;
    const char *wrong = s->taken < s->row ? stream_narrow(s, at, n, to)
                                          : stream_elements(s, at, n * s->row, to);
    wg_read_ahead(s->file, at + n * bytes, n * bytes);
    return wrong;
}

static const char *stream_read(void *user, int64_t first, int64_t n, void *to)
{
    return wg_npy_stream_read(user, first, n, to);
}

/* ---- Opening. -------------------------------------------------------------------------------- */

static bool stream_dtype(wg_npy_stream *s, wg_dtype dtype)
{
    const bool whole = s->array.dtype == WG_I64;
    const wg_dtype is = whole ? WG_F64 : s->array.dtype;
    if (dtype == WG_DTYPE_DEFAULT)
        dtype = is;
    if (dtype != WG_F32 && dtype != WG_F64)
        wg_fail(s->tape, WG_E_DTYPE, "%s: rows are read as f32 or f64", s->path);
    else if (!whole && dtype != is)
        wg_fail(s->tape, WG_E_DTYPE, "%s: floats are read as they are, %s", s->path,
                wg_dtype_name(is));
    s->array.dtype = dtype;
    return wg_tape_status(s->tape) == WG_OK;
}

static void stream_set_row(wg_npy_stream *s)
{
    s->row = s->taken = wg_shape_size(&s->array.shape) / s->array.shape.dim[0];
    s->plain = wg_elements_are_values(s->array.element, s->array.dtype);
}

/* The header, held against the file. */
static bool stream_begin(wg_npy_stream *s, wg_reader *reader, wg_dtype dtype)
{
    wg_npy_array *a = &s->array;
    if (!wg_npy_header(reader, false, a) || !stream_dtype(s, dtype))
        return false;
    if (reader->memory != NULL || strcmp(s->path, "-") == 0)
        wg_fail(s->tape, WG_E_VALUE, "%s: a file wanted, not a pipe", s->path);
    else if (a->fortran && a->shape.ndim > 1)
        wg_fail(s->tape, WG_E_VALUE,
                "%s: rows do not lie together in Fortran order: "
                "numpy.ascontiguousarray",
                s->path);
    else if (a->shape.ndim < 1 || a->shape.dim[0] < 1)
        wg_fail(s->tape, WG_E_VALUE, "%s: the file has no rows", s->path);
    else if (wg_elements_bytes(&a->shape, a->element.size) != reader->left)
        wg_fail(s->tape, WG_E_FORMAT,
                "%s: byte %" PRId64 ": %" PRId64 " bytes are left, %" PRId64 " wanted", s->path,
                a->begin, reader->left, wg_elements_bytes(&a->shape, a->element.size));
    if (wg_tape_status(s->tape) != WG_OK)
        return false;
    stream_set_row(s);
    return true;
}

wg_npy_stream *wg_npy_stream_open(wg_tape *t, const char *path, wg_dtype dtype)
{
    wg_reader reader;
    wg_npy_stream *s = wg_tape_take(t, sizeof *s);
    if (s == NULL || !wg_reader_open(&reader, t, path))
        return stream_none();
    *s = (wg_npy_stream){.tape = t, .path = wg_tape_copy_text(t, path), .file = -1};
    if (s->path == NULL || !stream_begin(s, &reader, dtype)) {
        wg_reader_close(&reader);
        return stream_none();
    }
    s->file = reader.file; /* which stays open */
    return s;
}

wg_npy_stream *wg_npy_stream_of(wg_reader *reader, const wg_npy_array *array)
{
    wg_npy_stream *s = wg_tape_take(reader->tape, sizeof *s);
    const char *path = wg_tape_copy_text(reader->tape, reader->path);
    if (s == NULL || path == NULL) {
        wg_reader_close(reader);
        return stream_none();
    }
    *s = (wg_npy_stream){.tape = reader->tape, .path = path, .file = reader->file, .array = *array};
    stream_set_row(s);
    return s;
}

wg_dtype wg_npy_stream_dtype(const wg_npy_stream *s)
{
    return s->array.dtype;
}

void wg_npy_stream_narrow(wg_npy_stream *s, int64_t columns)
{
    if (s->tape == NULL)
        return;
    s->taken = columns;
    s->array.shape.dim[1] = columns;
}

void wg_npy_stream_close(wg_npy_stream *s)
{
    if (s == NULL || s->tape == NULL || s->file < 0)
        return;
    close(s->file);
    s->file = -1;
}

wg_tensor *wg_npy_stream_rows(const wg_npy_stream *s, int64_t first, int64_t end)
{
    if (s == NULL || s->tape == NULL)
        return wg_fail(NULL, WG_E_NULL, "npy: the stream is NULL or inert");
    wg_shape shape = s->array.shape;
    if (end == WG_END)
        end = shape.dim[0];
    if (first < 0 || end < first || end > shape.dim[0])
        return wg_fail(s->tape, WG_E_INDEX, "%s: rows %" PRId64 " to %" PRId64 " of %" PRId64,
                       s->path, first, end, shape.dim[0]);
    shape.dim[0] = end - first;
    const wg_stream stream = {.read = stream_read, .user = (void *)(uintptr_t)s, .first = first};
    return wg_streamed(s->tape, s->path, s->array.dtype, shape.ndim, shape.dim, &stream);
}
