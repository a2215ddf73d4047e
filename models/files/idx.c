/* Arrays from IDX files, the format of MNIST. */
#include "models/files/idx.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>

static const struct idx_type {
    unsigned char code;
    wg_stored_kind kind;
    int64_t size;
} idx_types[] = {
    {0x08, WG_STORED_UNSIGNED, 1}, {0x09, WG_STORED_SIGNED, 1}, {0x0B, WG_STORED_SIGNED, 2},
    {0x0C, WG_STORED_SIGNED, 4},   {0x0D, WG_STORED_FLOAT, 4},  {0x0E, WG_STORED_FLOAT, 8},
};

static const struct idx_type *idx_type_of(unsigned char code)
{
    for (size_t i = 0; i < sizeof idx_types / sizeof *idx_types; i++)
        if (idx_types[i].code == code)
            return &idx_types[i];
    return NULL;
}

static bool idx_fail(const wg_reader *reader, int64_t at, const char *reason)
{
    wg_fail(reader->tape, WG_E_FORMAT, "%s: byte %" PRId64 ": %s", reader->path, at, reason);
    return false;
}

/* Two bytes of zero, the type's code, the number of dimensions. NULL after an error. */
static const struct idx_type *idx_magic(wg_reader *reader, int *ndim)
{
    unsigned char magic[4] = {0};
    int64_t known = reader->left < 4 ? reader->left : 4;
    if (!wg_reader_take(reader, magic, known))
        return NULL;
    const struct idx_type *type = idx_type_of(magic[2]);
    *ndim = magic[3];
    if (wg_reader_refuses(reader->tape, reader->path, magic, known))
        return NULL;
    if (known < 4)
        idx_fail(reader, known, "the file ends in its first four bytes");
    else if (magic[0] != 0 || magic[1] != 0)
        idx_fail(reader, 0, "is no IDX file: it does not begin with two zero bytes");
    else if (type == NULL || *ndim < 1 || *ndim > WG_MAX_DIMS)
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte 2: type 0x%02x with %d dimensions; 0x08, 0x09, 0x0b to 0x0e with 1 to %d "
                "are read",
                reader->path, magic[2], magic[3], WG_MAX_DIMS);
    else
        return type;
    return NULL;
}

/* Each size is 4 bytes, the most significant first. */
static bool idx_shape(wg_reader *reader, int ndim, wg_shape *shape)
{
    unsigned char size[4];
    *shape = (wg_shape){.ndim = ndim};
    for (int i = 0; i < ndim; i++) {
        if (reader->left < 4)
            return idx_fail(reader, 4 + 4 * i + reader->left, "the file ends in its sizes");
        if (!wg_reader_take(reader, size, 4))
            return false;
        for (int k = 0; k < 4; k++)
            shape->dim[i] = shape->dim[i] << 8 | size[k];
    }
    return true;
}

static wg_tensor *idx_file(wg_reader *reader, wg_dtype dtype)
{
    int ndim;
    wg_shape shape;
    const struct idx_type *type = idx_magic(reader, &ndim);
    if (type == NULL || !idx_shape(reader, ndim, &shape))
        return wg_fail(reader->tape, WG_E_IO, "%s: cannot be read", reader->path);
    if (type->kind == WG_STORED_FLOAT && dtype == WG_I64)
        return wg_fail(reader->tape, WG_E_DTYPE,
                       "%s: byte 2: holds floats, which are read as f32 or "
                       "f64, not i64",
                       reader->path);
    return wg_elements_read(reader, (wg_stored){type->kind, type->size, true}, &shape, dtype,
                            4 + 4 * shape.ndim);
}

wg_tensor *wg_idx_read(wg_tape *t, const char *path, wg_dtype dtype)
{
    wg_reader reader;
    if (!wg_dtype_asked(t, path != NULL ? path : "NULL", &dtype))
        return wg_fail(t, WG_E_DTYPE, "a file cannot be read");
    if (wg_tape_status(t) != WG_OK || !wg_reader_open(&reader, t, path))
        return wg_fail(t, WG_E_IO, "a file cannot be read");
    wg_tensor *x = idx_file(&reader, dtype);
    wg_reader_close(&reader);
    return x;
}
