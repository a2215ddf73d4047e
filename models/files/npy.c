/* NumPy's arrays: .npy files. */
#include "models/files/npy_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NPY_MAGIC      "\x93NUMPY"
#define NPY_MAGIC_SIZE 6
#define NPY_LONGEST    (1 << 20) /* bytes of a header; NumPy's own limit is 10000 */

/* The header while it is read: a Python dictionary of three entries. */
typedef struct npy_header {
    wg_tape *tape;
    const char *path;
    const char *text, *at, *end; /* [end] is NUL */
    int64_t from;                /* the byte of the file where the text begins */
    bool seen[3];                /* descr, fortran_order, shape */
    bool any;                    /* a type that is not read is no error */
    wg_npy_array array;
} npy_header;

/* ---- Errors. --------------------------------------------------------------------------------- */

static bool npy_fail(const npy_header *h, const char *at, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(h->tape, WG_E_FORMAT, "%s: byte %" PRId64 ": %s, found '%s'", h->path,
            h->from + (at - h->text), reason, wg_shown(at, (size_t)(h->end - at), shown));
    return false;
}

static wg_tensor *npy_refuse(const wg_reader *reader, int64_t at, const char *reason)
{
    return wg_fail(reader->tape, WG_E_FORMAT, "%s: byte %" PRId64 ": %s", reader->path, at, reason);
}

/* ---- The words of the header. ---------------------------------------------------------------- */

static void npy_skip_blanks(npy_header *h)
{
    while (*h->at == ' ' || *h->at == '\t' || *h->at == '\n' || *h->at == '\r')
        h->at++;
}

static bool npy_is(npy_header *h, char c)
{
    npy_skip_blanks(h);
    if (*h->at != c)
        return false;
    h->at++;
    return true;
}

static bool npy_word(npy_header *h, const char *word)
{
    npy_skip_blanks(h);
    size_t length = strlen(word);
    if (strncmp(h->at, word, length) != 0)
        return false;
    h->at += length;
    return true;
}

/* A string without escapes, which none of those that are read here needs. */
static bool npy_string(npy_header *h, const char **text, size_t *length)
{
    npy_skip_blanks(h);
    char quote = *h->at;
    const char *close = quote == '\'' || quote == '"' ? strchr(h->at + 1, quote) : NULL;
    if (close == NULL)
        return npy_fail(h, h->at, "a string wanted");
    *text = h->at + 1;
    *length = (size_t)(close - *text);
    h->at = close + 1;
    return true;
}

static bool npy_integer(npy_header *h, int64_t *value)
{
    npy_skip_blanks(h);
    const char *start = h->at;
    *value = 0;
    for (; *h->at >= '0' && *h->at <= '9'; h->at++)
        if (!wg_size_multiply(*value, 10, value) || !wg_size_add(*value, *h->at - '0', value))
            return npy_fail(h, start, "a size is too large");
    if (h->at == start)
        return npy_fail(h, start, "a size wanted");
    if (*h->at == 'L') /* how Python 2 wrote some integers */
        h->at++;
    return true;
}

/* ---- The three entries. ---------------------------------------------------------------------- */

/* What is not read here, by the letter that NumPy has for it. */
static const char *npy_refused(const char *type, size_t length)
{
    static const struct {
        char kind;
        const char *reason;
    } kinds[] = {
        {'O', "objects (pickled Python) are never read"},
        {'c', "complex numbers are not read"},
        {'S', "strings are not read"},
        {'a', "strings are not read"},
        {'U', "strings are not read"},
        {'M', "times are not read"},
        {'m', "times are not read"},
        {'V', "structured or raw bytes are not read"},
        {'f', "floats of this size are not read (2, 4 and 8 bytes are)"},
    };
    for (size_t i = 0; length > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (type[1] == kinds[i].kind)
            return kinds[i].reason;
    return "an element type wanted";
}

/* A type that is not read: an error, or noted by its name. */
static bool npy_unread(npy_header *h, const char *at, const char *name, size_t length,
                       const char *reason)
{
    if (!h->any)
        return npy_fail(h, at, reason);
    h->array.element = (wg_stored){.size = 0};
    snprintf(h->array.type, sizeof h->array.type, "%.*s", length < 15 ? (int)length : 15, name);
    return true;
}

/* Goes behind a structured type, a list of tuples: its last bracket. */
static bool npy_structured(npy_header *h)
{
    const char *start = h->at;
    int depth = 0;
    do {
        const size_t quoted = *h->at == '\'' || *h->at == '"' ? strcspn(h->at + 1, "'\"") + 1 : 0;
        depth += (*h->at == '[') - (*h->at == ']');
        h->at += quoted;
    } while (*h->at != '\0' && h->at++ < h->end && depth > 0);
    return npy_unread(h, start, "structured", 10, "structured types are not read");
}

static bool npy_type(npy_header *h, const char *type, size_t length)
{
    static const struct {
        const char *name;
        wg_stored_kind kind;
        wg_dtype dtype;
    } types[] = {
        {"f2", WG_STORED_FLOAT, WG_F32},    {"f4", WG_STORED_FLOAT, WG_F32},
        {"f8", WG_STORED_FLOAT, WG_F64},    {"i1", WG_STORED_SIGNED, WG_I64},
        {"i2", WG_STORED_SIGNED, WG_I64},   {"i4", WG_STORED_SIGNED, WG_I64},
        {"i8", WG_STORED_SIGNED, WG_I64},   {"u1", WG_STORED_UNSIGNED, WG_I64},
        {"u2", WG_STORED_UNSIGNED, WG_I64}, {"u4", WG_STORED_UNSIGNED, WG_I64},
        {"u8", WG_STORED_UNSIGNED, WG_I64}, {"b1", WG_STORED_BOOL, WG_I64},
    };
    for (size_t i = 0; length == 3 && i < sizeof types / sizeof *types; i++) {
        if (memcmp(type + 1, types[i].name, 2) != 0)
            continue;
        h->array.element = (wg_stored){types[i].kind, type[2] - '0', false};
        h->array.dtype = types[i].dtype;
        h->array.element.big = type[0] == '>';
        if (type[0] == '<' || type[0] == '>' || (h->array.element.size == 1 && type[0] == '|'))
            return true;
    }
    return npy_unread(h, type, type, length, npy_refused(type, length));
}

static bool npy_descr(npy_header *h)
{
    const char *type = NULL;
    size_t length = 0;
    npy_skip_blanks(h);
    if (*h->at == '[')
        return npy_structured(h);
    return npy_string(h, &type, &length) && npy_type(h, type, length);
}

static bool npy_order(npy_header *h)
{
    h->array.fortran = npy_word(h, "True");
    return h->array.fortran || npy_word(h, "False") || npy_fail(h, h->at, "True or False wanted");
}

/* (), (3,), (3, 4) and, with a comma behind its last size, (3, 4,). */
static bool npy_shape(npy_header *h)
{
    if (!npy_is(h, '('))
        return npy_fail(h, h->at, "a shape wanted");
    bool comma = true;
    while (!npy_is(h, ')')) {
        if (!comma)
            return npy_fail(h, h->at, "',' or ')' wanted");
        if (h->array.shape.ndim == WG_MAX_DIMS)
            return npy_fail(h, h->at, "at most 8 dimensions are read");
        if (!npy_integer(h, &h->array.shape.dim[h->array.shape.ndim++]))
            return false;
        comma = npy_is(h, ',');
    }
    return !(h->array.shape.ndim == 1 && !comma) ||
           npy_fail(h, h->at - 1, "',' wanted in a tuple of one");
}

static bool npy_entry(npy_header *h)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    bool (*const read[])(npy_header *) = {npy_descr, npy_order, npy_shape};
    const char *name = NULL;
    size_t length = 0;
    if (!npy_string(h, &name, &length))
        return false;
    if (!npy_is(h, ':'))
        return npy_fail(h, h->at, "':' wanted");
    for (int i = 0; i < 3; i++) {
        if (length != strlen(names[i]) || memcmp(name, names[i], length) != 0)
            continue;
        if (h->seen[i])
            return npy_fail(h, name, "an entry stands here twice");
        h->seen[i] = true;
        return read[i](h);
    }
    return npy_fail(h, name, "descr, fortran_order or shape wanted");
}

static bool npy_dictionary(npy_header *h)
{
    const char *nul = memchr(h->text, '\0', (size_t)(h->end - h->text));
    if (nul != NULL)
        return npy_fail(h, nul, "a text wanted, not a NUL byte");
    if (!npy_is(h, '{'))
        return npy_fail(h, h->at, "'{' wanted");
    bool comma = true;
    while (!npy_is(h, '}')) {
        if (!comma)
            return npy_fail(h, h->at, "',' or '}' wanted");
        if (!npy_entry(h))
            return false;
        comma = npy_is(h, ',');
    }
    if (!h->seen[0] || !h->seen[1] || !h->seen[2])
        return npy_fail(h, h->at - 1, "descr, fortran_order and shape wanted before the end");
    npy_skip_blanks(h);
    return h->at == h->end || npy_fail(h, h->at, "the end of the header wanted");
}

/* ---- Reading. -------------------------------------------------------------------------------- */

static bool npy_parse(wg_reader *reader, bool any, char *text, int64_t length, int64_t from,
                      wg_npy_array *array)
{
    npy_header h = {.tape = reader->tape, .path = reader->path, .from = from, .any = any};
    if (!wg_reader_take(reader, text, length))
        return false;
    text[length] = '\0';
    h.text = h.at = text;
    h.end = text + length;
    h.array.begin = from + length;
    const bool parsed = npy_dictionary(&h);
    *array = h.array;
    return parsed;
}

/* The length of the header's text; -1 after an error. *from: the byte where it begins. */
static int64_t npy_header_length(wg_reader *reader, int64_t *from)
{
    unsigned char start[NPY_MAGIC_SIZE + 2 + 4];
    int64_t whole = reader->left, first = NPY_MAGIC_SIZE + 2;
    int64_t known = whole < first ? whole : first;
    if (!wg_reader_take(reader, start, known))
        return -1;
    if (known >= 4 && memcmp(start, WG_NPZ_ENTRY, 4) == 0)
        npy_refuse(reader, 0, "is an .npz archive, which wg_npz_read reads");
    else if (wg_reader_refuses(reader->tape, reader->path, start, known))
        return -1;
    else if (known < NPY_MAGIC_SIZE || memcmp(start, NPY_MAGIC, NPY_MAGIC_SIZE) != 0)
        npy_refuse(reader, 0, "is no .npy file: it does not begin with \\x93NUMPY");
    else if (known < first)
        npy_refuse(reader, known, "the file ends in the version");
    else if (start[6] < 1 || start[6] > 3 || start[7] != 0)
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte 6: version %d.%d of the format; 1.0, 2.0 and 3.0 are read", reader->path,
                start[6], start[7]);
    if (wg_tape_status(reader->tape) != WG_OK)
        return -1;
    int64_t digits = start[6] == 1 ? 2 : 4;
    *from = first + digits;
    if (reader->left < digits) {
        npy_refuse(reader, first, "the file ends in the header's length");
        return -1;
    }
    return wg_reader_take(reader, start + first, digits)
               ? (int64_t)wg_little_u64(start + first, digits)
               : -1;
}

bool wg_npy_header(wg_reader *reader, bool any, wg_npy_array *array)
{
    int64_t from = 0, length = npy_header_length(reader, &from);
    if (length < 0)
        return false;
    if (length > reader->left || length > NPY_LONGEST) {
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte 8: a header of %" PRId64 " bytes, but %" PRId64
                " are left and %d the most that is read",
                reader->path, length, reader->left, NPY_LONGEST);
        return false;
    }
    char *text = wg_temporary(reader->tape, length + 1, 1);
    const bool parsed = text != NULL && npy_parse(reader, any, text, length, from, array);
    wg_temporary_free(reader->tape, text);
    return parsed;
}

wg_tensor *wg_npy_take(wg_reader *reader, const wg_npy_array *a)
{
    wg_tensor *x = wg_elements_read(reader, a->element, &a->shape, a->dtype, a->begin);
    return wg_is_inert(x) || !a->fortran || a->shape.ndim < 2 || wg_elements_from_fortran(x)
               ? x
               : wg_fail(reader->tape, WG_E_NOMEM, "%s: no memory", reader->path);
}

wg_tensor *wg_npy_read(wg_tape *t, const char *path)
{
    wg_reader reader;
    wg_npy_array a;
    if (wg_tape_status(t) != WG_OK || !wg_reader_open(&reader, t, path))
        return wg_fail(t, WG_E_IO, "a file cannot be read");
    wg_tensor *x = wg_npy_header(&reader, false, &a)
                       ? wg_npy_take(&reader, &a)
                       : wg_fail(t, WG_E_FORMAT, "%s: no header", path);
    wg_reader_close(&reader);
    return x;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

/* The header and its padding: what stands before the array is a multiple of 64 bytes, and ends with
 * a line end. Returns its size. */
static size_t npy_format(wg_dtype dtype, const wg_shape *of, char header[WG_NPY_HEADER])
{
    static const char *const types[WG_DTYPES] = {
        [WG_F32] = "<f4", [WG_F64] = "<f8", [WG_I64] = "<i8"};
    char shape[WG_SHAPE_TEXT];
    int text = snprintf(header + 10, WG_NPY_HEADER - 10,
                        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", types[dtype],
                        wg_shape_text(of, shape, sizeof shape));
    size_t used = 10 + (size_t)text, size = (used + 1 + 63) & ~(size_t)63;
    memset(header + used, ' ', size - 1 - used);
    header[size - 1] = '\n';
    memcpy(header, NPY_MAGIC "\1\0", 8);
    header[8] = (char)((size - 10) & 255);
    header[9] = (char)((size - 10) >> 8);
    return size;
}

void wg_npy_put_header(wg_writer *w, wg_dtype dtype, const wg_shape *shape)
{
    char header[WG_NPY_HEADER];
    wg_writer_put(w, header, npy_format(dtype, shape, header));
}

void wg_npy_put(wg_writer *w, const wg_tensor *x)
{
    wg_npy_put_header(w, x->dtype, &x->shape);
    wg_elements_write(w, x);
}

wg_status wg_npy_write(const wg_tensor *x, const char *path)
{
    wg_tape *t = x != NULL ? x->tape : NULL;
    wg_writer w;
    if (!wg_elements_writable(t, path, x) || !wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    wg_npy_put(&w, x);
    return wg_writer_close(&w);
}
