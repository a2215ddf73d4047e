/* Arrays of numbers as binary formats store them, into tensors and out of them. */
#include "models/files/bytes_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <string.h>

#define ELEMENTS_CHUNK 8192 /* bytes decoded or encoded at a time */

/* ---- Bytes to numbers. ----------------------------------------------------------------------- */

uint64_t wg_little_u64(const unsigned char *bytes, int64_t size)
{
    uint64_t value = 0;
    for (int64_t i = size - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t elements_big_u64(const unsigned char *bytes, int64_t size)
{
    uint64_t value = 0;
    for (int64_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t elements_bits(const unsigned char *bytes, wg_stored e)
{
    return e.big ? elements_big_u64(bytes, e.size) : wg_little_u64(bytes, e.size);
}

/* The bits of the f32 that a float of 2 bytes is. */
static uint64_t elements_widen(uint64_t bits, wg_stored_kind kind)
{
    uint64_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (kind == WG_STORED_BFLOAT)
        return bits << 16;
    if (exponent == 31) /* infinite, or NaN with its payload */
        return sign | 0x7F800000 | fraction << 13;
    if (exponent > 0)
        return sign | (exponent + 112) << 23 | fraction << 13;
    float value = (float)fraction * 0x1p-24f;
    uint32_t narrow;
    memcpy(&narrow, &value, sizeof narrow);
    return sign | narrow;
}

static double elements_float(uint64_t bits, int64_t size)
{
    if (size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return (double)value;
}

/* False where the bits are no i64, or no bool. */
static bool elements_integer(uint64_t bits, wg_stored e, int64_t *value)
{
    if (e.kind == WG_STORED_SIGNED && e.size < 8) {
        uint64_t sign = (uint64_t)1 << (8 * e.size - 1);
        *value = (int64_t)(bits ^ sign) - (int64_t)sign;
        return true;
    }
    memcpy(value, &bits, sizeof bits);
    return e.kind == WG_STORED_SIGNED || *value >= 0;
}

/* ---- Storing them. --------------------------------------------------------------------------- */

/* An integer as element i of the dtype; false where it would not be exact. */
static bool elements_store_integer(int64_t value, wg_dtype dtype, void *to, int64_t i)
{
    const int64_t exact = dtype == WG_F32 ? INT64_C(1) << 24 : INT64_C(1) << 53;
    if (dtype == WG_I64) {
        ((int64_t *)to)[i] = value;
        return true;
    }
    if (value > exact || value < -exact)
        return false;
    if (dtype == WG_F32)
        ((float *)to)[i] = (float)value;
    else
        ((double *)to)[i] = (double)value;
    return true;
}

/* A float keeps its bits where the dtype is its own; NaNs, too. */
static void elements_store_float(uint64_t bits, int64_t size, wg_dtype dtype, void *to, int64_t i)
{
    uint32_t narrow = (uint32_t)bits;
    if (size == 8 && dtype == WG_F64)
        memcpy((double *)to + i, &bits, sizeof bits);
    else if (size == 4 && dtype == WG_F32)
        memcpy((float *)to + i, &narrow, sizeof narrow);
    else if (dtype == WG_F64)
        ((double *)to)[i] = elements_float(bits, size);
    else
        ((float *)to)[i] = (float)elements_float(bits, size);
}

static bool elements_store(uint64_t bits, wg_stored e, wg_dtype dtype, void *to, int64_t i)
{
    if (e.kind == WG_STORED_FLOAT || e.kind == WG_STORED_BFLOAT) {
        bool half = e.size == 2;
        elements_store_float(half ? elements_widen(bits, e.kind) : bits, half ? 4 : e.size, dtype,
                             to, i);
        return true;
    }
    int64_t value;
    return !(e.kind == WG_STORED_BOOL && bits > 1) && elements_integer(bits, e, &value) &&
           elements_store_integer(value, dtype, to, i);
}

/* ---- Reading. -------------------------------------------------------------------------------- */

int64_t wg_elements_bytes(const wg_shape *shape, int64_t element_size)
{
    int64_t n = wg_shape_size(shape), bytes;
    return n >= 0 && wg_size_multiply(n, element_size, &bytes) ? bytes : -1;
}

static bool elements_little(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

bool wg_elements_are_values(wg_stored e, wg_dtype dtype)
{
    const wg_stored_kind kind = dtype == WG_I64 ? WG_STORED_SIGNED : WG_STORED_FLOAT;
    return e.kind == kind && (size_t)e.size == wg_dtype_size(dtype) && e.big != elements_little();
}

int64_t wg_elements_decode(const void *bytes, int64_t n, wg_stored e, wg_dtype dtype, void *to)
{
    const unsigned char *at = bytes;
    for (int64_t i = 0; i < n; i++, at += e.size)
        if (!elements_store(elements_bits(at, e), e, dtype, to, i))
            return i;
    return n;
}

static bool elements_decode(wg_reader *reader, wg_stored e, wg_tensor *x, int64_t from)
{
    unsigned char chunk[ELEMENTS_CHUNK];
    const int64_t at_once = ELEMENTS_CHUNK / e.size;
    char *to = x->data;
    if (wg_elements_are_values(e, x->dtype))
        return wg_reader_take(reader, to, x->size * e.size);
    for (int64_t i = 0; i < x->size; i += at_once) {
        const int64_t n = x->size - i < at_once ? x->size - i : at_once;
        if (!wg_reader_take(reader, chunk, n * e.size))
            return false;
        const int64_t done = wg_elements_decode(chunk, n, e, x->dtype, to);
        to += n * (int64_t)wg_dtype_size(x->dtype);
        if (done == n)
            continue;
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte %" PRId64 ": element %" PRId64 " (0x%" PRIx64 ") is no exact %s",
                reader->path, from + (i + done) * e.size, i + done,
                elements_bits(chunk + done * e.size, e), wg_dtype_name(x->dtype));
        return false;
    }
    return true;
}

/* The constant is given its values here, before anybody else has seen it. */
wg_tensor *wg_elements_take(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from)
{
    wg_tensor *x = wg_full(reader->tape, dtype, shape->ndim, shape->dim, 0);
    if (wg_is_inert(x) || elements_decode(reader, element, x, from))
        return x;
    return wg_fail(reader->tape, WG_E_IO, "%s: cannot be read", reader->path);
}

wg_tensor *wg_elements_read(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from)
{
    int64_t bytes = wg_elements_bytes(shape, element.size);
    char text[WG_SHAPE_TEXT];
    wg_shape_text(shape, text, sizeof text);
    if (bytes == reader->left)
        return wg_elements_take(reader, element, shape, dtype, from);
    if (bytes < 0)
        return wg_fail(reader->tape, WG_E_FORMAT, "%s: the shape %s is too large to be",
                       reader->path, text);
    return wg_fail(reader->tape, WG_E_FORMAT,
                   "%s: byte %" PRId64 ": the shape %s takes %" PRId64 " bytes, but %" PRId64
                   " are left",
                   reader->path, from, text, bytes, reader->left);
}

bool wg_elements_from_fortran(wg_tensor *x)
{
    size_t size = wg_dtype_size(x->dtype);
    int64_t index[WG_MAX_DIMS] = {0}, step[WG_MAX_DIMS] = {0}, at = 0;
    char *copy = wg_temporary(x->tape, x->size, size);
    if (copy == NULL)
        return false;
    if (x->size > 0)
        memcpy(copy, x->data, (size_t)x->size * size);
    for (int k = 0; k < x->shape.ndim && x->size > 0; k++)
        step[k] = k == 0 ? 1 : step[k - 1] * x->shape.dim[k - 1];
    for (int64_t i = 0; i < x->size; i++) {
        memcpy((char *)x->data + (size_t)i * size, copy + (size_t)at * size, size);
        for (int k = x->shape.ndim - 1; k >= 0; k--) { /* the next in C order */
            at += step[k];
            if (++index[k] < x->shape.dim[k])
                break;
            at -= step[k] * x->shape.dim[k];
            index[k] = 0;
        }
    }
    wg_temporary_free(x->tape, copy);
    return true;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

bool wg_elements_writable(wg_tape *t, const char *path, const wg_tensor *x)
{
    const char *file = path != NULL ? path : "a file";
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (wg_is_inert(x))
        wg_fail(t, WG_E_NULL, "%s: a tensor to write is %s", file, wg_tensor_text(x).s);
    else if (x->tape != t)
        wg_fail(t, WG_E_TAPE, "%s: %s, which is to be written, is of another tape", file,
                wg_tensor_text(x).s);
    else if (wg_is_stale(x))
        wg_fail(t, WG_E_STALE, "%s: %s is older than the leaves it was computed from: replay first",
                file, wg_tensor_text(x).s);
    else if (x->dtype == WG_WIDE)
        wg_fail(t, WG_E_DTYPE, "%s: no file holds wide floats: %s", file, wg_tensor_text(x).s);
    else if (x->data == NULL)
        wg_fail(t, WG_E_VALUE, "%s: %s has no value to write", file, wg_tensor_text(x).s);
    return wg_tape_status(t) == WG_OK;
}

static uint64_t elements_bits_of(const wg_tensor *x, int64_t i)
{
    uint64_t bits = 0;
    uint32_t narrow;
    if (x->dtype == WG_F32) {
        memcpy(&narrow, (const float *)x->data + i, sizeof narrow);
        return narrow;
    }
    memcpy(&bits, (const char *)x->data + 8 * i, sizeof bits);
    return bits;
}

void wg_elements_write(wg_writer *w, const wg_tensor *x)
{
    unsigned char chunk[ELEMENTS_CHUNK];
    size_t size = wg_dtype_size(x->dtype), used = 0;
    const bool little = elements_little(); /* the bytes are in order already */
    if (little)
        wg_writer_put(w, x->data, (size_t)x->size * size);
    for (int64_t i = 0; !little && i < x->size; i++) {
        uint64_t bits = elements_bits_of(x, i);
        for (size_t k = 0; k < size; k++)
            chunk[used++] = (unsigned char)(bits >> (8 * k));
        if (used == sizeof chunk) {
            wg_writer_put(w, chunk, used);
            used = 0;
        }
    }
    wg_writer_put(w, chunk, used);
}
