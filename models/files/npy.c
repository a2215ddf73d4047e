/* NumPy's files: arrays (.npy), and archives of them (.npz). */
#include "models/files/npy.h"

#include "autograd/op.h"
#include "models/files/archive_internal.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NPY_MAGIC      "\x93NUMPY"
#define NPY_MAGIC_SIZE 6
#define NPZ_ENTRY      "PK\3\4"
#define NPZ_DIRECTORY  "PK\1\2"
#define NPZ_END        "PK\5\6"
#define NPY_LONGEST    (1 << 20) /* bytes of a header; NumPy's own limit is 10000 */

/* The header while it is read: a Python dictionary of three entries. */
typedef struct npy_header {
    wg_tape *tape;
    const char *path;
    const char *text, *at, *end; /* [end] is NUL */
    int64_t from;                /* the byte of the file where the text begins */
    bool seen[3];                /* descr, fortran_order, shape */
    bool fortran;
    wg_stored element;
    wg_dtype dtype;
    wg_shape shape;
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
        h->element = (wg_stored){types[i].kind, type[2] - '0', false};
        h->dtype = types[i].dtype;
        h->element.big = type[0] == '>';
        if (type[0] == '<' || type[0] == '>' || (h->element.size == 1 && type[0] == '|'))
            return true;
    }
    return npy_fail(h, type, npy_refused(type, length));
}

static bool npy_descr(npy_header *h)
{
    const char *type;
    size_t length;
    npy_skip_blanks(h);
    if (*h->at == '[')
        return npy_fail(h, h->at, "structured types are not read");
    return npy_string(h, &type, &length) && npy_type(h, type, length);
}

static bool npy_order(npy_header *h)
{
    h->fortran = npy_word(h, "True");
    return h->fortran || npy_word(h, "False") || npy_fail(h, h->at, "True or False wanted");
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
        if (h->shape.ndim == WG_MAX_DIMS)
            return npy_fail(h, h->at, "at most 8 dimensions are read");
        if (!npy_integer(h, &h->shape.dim[h->shape.ndim++]))
            return false;
        comma = npy_is(h, ',');
    }
    return !(h->shape.ndim == 1 && !comma) ||
           npy_fail(h, h->at - 1, "',' wanted in a tuple of one");
}

static bool npy_entry(npy_header *h)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    bool (*const read[])(npy_header *) = {npy_descr, npy_order, npy_shape};
    const char *name;
    size_t length;
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

static wg_tensor *npy_array(wg_reader *reader, char *text, int64_t length, int64_t from)
{
    npy_header h = {.tape = reader->tape, .path = reader->path, .from = from};
    if (!wg_reader_take(reader, text, length))
        return wg_fail(reader->tape, WG_E_IO, "%s: cannot be read", reader->path);
    text[length] = '\0';
    h.text = h.at = text;
    h.end = text + length;
    if (!npy_dictionary(&h))
        return wg_fail(reader->tape, WG_E_FORMAT, "%s: no header", reader->path);
    wg_tensor *x = wg_elements_read(reader, h.element, &h.shape, h.dtype, from + length);
    return wg_is_inert(x) || !h.fortran || h.shape.ndim < 2 || wg_elements_from_fortran(x)
               ? x
               : wg_fail(reader->tape, WG_E_NOMEM, "%s: no memory", reader->path);
}

/* The length of the header's text; -1 after an error. *from: the byte where it begins. */
static int64_t npy_header_length(wg_reader *reader, int64_t *from)
{
    unsigned char start[NPY_MAGIC_SIZE + 2 + 4];
    int64_t whole = reader->left, first = NPY_MAGIC_SIZE + 2;
    int64_t known = whole < first ? whole : first;
    if (!wg_reader_take(reader, start, known))
        return -1;
    if (known >= 4 && memcmp(start, NPZ_ENTRY, 4) == 0)
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

static wg_tensor *npy_file(wg_reader *reader)
{
    int64_t from = 0, length = npy_header_length(reader, &from);
    if (length < 0)
        return npy_refuse(reader, 0, "cannot be read");
    if (length > reader->left || length > NPY_LONGEST)
        return wg_fail(reader->tape, WG_E_FORMAT,
                       "%s: byte 8: a header of %" PRId64 " bytes, but %" PRId64
                       " are left and %d the most that is read",
                       reader->path, length, reader->left, NPY_LONGEST);
    char *text = wg_temporary(reader->tape, length + 1, 1);
    wg_tensor *x = text != NULL ? npy_array(reader, text, length, from)
                                : npy_refuse(reader, from, "no memory");
    wg_temporary_free(reader->tape, text);
    return x;
}

wg_tensor *wg_npy_read(wg_tape *t, const char *path)
{
    wg_reader reader;
    if (wg_tape_status(t) != WG_OK || !wg_reader_open(&reader, t, path))
        return wg_fail(t, WG_E_IO, "a file cannot be read");
    wg_tensor *x = npy_file(&reader);
    wg_reader_close(&reader);
    return x;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

enum { NPY_HEADER = 512 }; /* holds the header of any shape */

/* The header and its padding: what stands before the array is a multiple of 64 bytes, and ends with a
 * line end. Returns its size. */
static size_t npy_format(const wg_tensor *x, char header[NPY_HEADER])
{
    static const char *const types[WG_DTYPES] = {
        [WG_F32] = "<f4", [WG_F64] = "<f8", [WG_I64] = "<i8"};
    char shape[WG_SHAPE_TEXT];
    int text = snprintf(header + 10, NPY_HEADER - 10,
                        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", types[x->dtype],
                        wg_shape_text(&x->shape, shape, sizeof shape));
    size_t used = 10 + (size_t)text, size = (used + 1 + 63) & ~(size_t)63;
    memset(header + used, ' ', size - 1 - used);
    header[size - 1] = '\n';
    memcpy(header, NPY_MAGIC "\1\0", 8);
    header[8] = (char)((size - 10) & 255);
    header[9] = (char)((size - 10) >> 8);
    return size;
}

wg_status wg_npy_write(const wg_tensor *x, const char *path)
{
    wg_tape *t = x != NULL ? x->tape : NULL;
    wg_writer w;
    char header[NPY_HEADER];
    if (!wg_elements_writable(t, path, x) || !wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    wg_writer_put(&w, header, npy_format(x, header));
    wg_elements_write(&w, x);
    return wg_writer_close(&w);
}

/* ---- Archives: zip files of arrays that are stored as they are. ------------------------------ */

enum { NPZ_LOCAL = 30, NPZ_CENTRAL = 46, NPZ_NAME = 65535, NPZ_ZIP64 = 1, NPZ_DEFLATED = 8 };

/* One file of the archive, once its header was read: its name, without .npy, and its size. */
typedef struct npz_entry {
    char name[NPZ_NAME + 1];
    int64_t size;
} npz_entry;

static bool npz_refuse(const wg_reader *reader, const char *name, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(reader->tape, WG_E_FORMAT, "%s: '%s' %s", reader->path,
            wg_shown(name, strlen(name), shown), reason);
    return false;
}

/* The size that extra fields of `length` bytes give for a file of 4 GiB or more, or that might be. */
static bool npz_large(wg_reader *reader, npz_entry *entry, int64_t length)
{
    unsigned char field[4], sizes[16];
    while (length >= 4 && wg_reader_take(reader, field, 4)) {
        int64_t bytes = (int64_t)wg_little_u64(field + 2, 2);
        length -= 4 + bytes;
        if (length < 0 || bytes > reader->left)
            return npz_refuse(reader, entry->name, "has an extra field that is too long");
        if (wg_little_u64(field, 2) == NPZ_ZIP64 && bytes >= 16) {
            if (!wg_reader_take(reader, sizes, 16))
                return false;
            entry->size = (int64_t)wg_little_u64(sizes + 8, 8);
            bytes -= 16;
        }
        if (!wg_reader_skip(reader, bytes))
            return false;
    }
    return wg_tape_status(reader->tape) == WG_OK && wg_reader_skip(reader, length);
}

/* Reads a file's header; false at the archive's directory, too, which says nothing new. */
static bool npz_next(wg_reader *reader, npz_entry *entry)
{
    unsigned char h[NPZ_LOCAL];
    if (reader->left < 4 || !wg_reader_take(reader, h, 4))
        return npz_refuse(reader, "", "the archive has no directory at its end");
    if (memcmp(h, NPZ_DIRECTORY, 4) == 0 || memcmp(h, NPZ_END, 4) == 0)
        return false;
    if (memcmp(h, NPZ_ENTRY, 4) != 0)
        return npz_refuse(reader, "", "is no .npz archive, or a broken one");
    int64_t name, extra;
    if (reader->left < NPZ_LOCAL - 4 || !wg_reader_take(reader, h + 4, NPZ_LOCAL - 4))
        return npz_refuse(reader, "", "the archive ends in a header");
    name = (int64_t)wg_little_u64(h + 26, 2);
    extra = (int64_t)wg_little_u64(h + 28, 2);
    if (reader->left < name + extra || !wg_reader_take(reader, entry->name, name))
        return npz_refuse(reader, "", "the archive ends in a header");
    entry->name[name] = '\0';
    entry->size = (int64_t)wg_little_u64(h + 18, 4);
    if (!npz_large(reader, entry, extra))
        return false;
    if (wg_little_u64(h + 8, 2) == NPZ_DEFLATED)
        return npz_refuse(reader, entry->name, "is compressed: numpy.savez stores as it is");
    if (wg_little_u64(h + 8, 2) != 0 || (h[6] & 9) != 0)
        return npz_refuse(reader, entry->name, "is packed in a way that is not read");
    if (entry->size < 0 || entry->size > reader->left)
        return npz_refuse(reader, entry->name, "is longer than the file");
    if (name > 4 && strcmp(entry->name + name - 4, ".npy") == 0)
        entry->name[name - 4] = '\0';
    return true;
}

/* Reads the array as if the file ended behind it. */
static bool npz_array(wg_reader *reader, const npz_entry *entry, wg_archive *a)
{
    int64_t behind = reader->left - entry->size;
    reader->left = entry->size;
    wg_tensor *x = wg_rename(npy_file(reader), entry->name);
    reader->left += behind;
    if (wg_tape_status(reader->tape) != WG_OK)
        return false;
    if (wg_utf8_invalid(entry->name, strlen(entry->name)) < strlen(entry->name))
        return npz_refuse(reader, entry->name, "is a name that is not UTF-8");
    return wg_archive_put(a, &(wg_archive_entry){.name = entry->name, .tensor = x}) ||
           npz_refuse(reader, entry->name, "is there twice");
}

wg_archive *wg_npz_read(wg_tape *t, const char *path)
{
    wg_reader reader;
    if (wg_tape_status(t) != WG_OK || !wg_reader_open(&reader, t, path))
        return wg_archive_inert();
    wg_archive *a = wg_archive_new(t);
    npz_entry *entry = wg_temporary(t, 1, sizeof *entry);
    wg_archive_set_path(a, path);
    while (entry != NULL && wg_tape_status(t) == WG_OK && npz_next(&reader, entry))
        if (!npz_array(&reader, entry, a))
            break;
    wg_temporary_free(t, entry);
    wg_reader_close(&reader);
    return wg_tape_status(t) == WG_OK ? a : wg_archive_inert();
}

static void npz_number(unsigned char *to, int64_t value, int size)
{
    for (int i = 0; i < size; i++)
        to[i] = (unsigned char)((uint64_t)value >> (8 * i));
}

static void npz_array_bytes(wg_writer *w, const wg_tensor *x)
{
    char header[NPY_HEADER];
    wg_writer_put(w, header, npy_format(x, header));
    wg_elements_write(w, x);
}

/* A file's header, at its own place or, central, in the directory; at: where it begins. The date is the
 * first that zip knows, so that the same content is the same bytes. Returns the size of the file. */
static int64_t npz_header(wg_writer *w, const wg_archive_entry *e, bool central, int64_t at)
{
    unsigned char h[NPZ_CENTRAL] = {0}, *part = h + (central ? 6 : 4);
    wg_writer_count(w, true);
    npz_array_bytes(w, e->tensor);
    uint32_t sum = wg_writer_sum(w);
    int64_t size = wg_writer_count(w, false), name = (int64_t)strlen(e->name) + 4;
    memcpy(h, central ? NPZ_DIRECTORY : NPZ_ENTRY, 4);
    npz_number(h + 4, 20, 2); /* the version that made it, or that it needs: 2.0 */
    npz_number(part, 20, 2);
    npz_number(part + 2, 0x800, 2); /* names are UTF-8 */
    npz_number(part + 8, 0x21, 2);  /* 1 January 1980 */
    npz_number(part + 10, sum, 4);
    npz_number(part + 14, size, 4);
    npz_number(part + 18, size, 4);
    npz_number(part + 22, name, 2);
    if (central)
        npz_number(h + 42, at, 4);
    wg_writer_put(w, h, central ? NPZ_CENTRAL : NPZ_LOCAL);
    wg_writer_text(w, e->name);
    wg_writer_text(w, ".npy");
    return size;
}

/* Can the entries be written? The size of a file, and of all, must fit in 32 bits. */
static bool npz_fits(wg_tape *t, const wg_archive *a, const char *path)
{
    int64_t all = 0, n = 0;
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        if (e->string == NULL && !wg_elements_writable(t, path, e->tensor))
            return false;
        int64_t bytes = e->string != NULL
                            ? 0
                            : wg_elements_bytes(&e->tensor->shape,
                                                (int64_t)wg_dtype_size(e->tensor->dtype));
        all += bytes + 2 * (int64_t)strlen(e->name) + NPY_HEADER + 100;
        n += e->string == NULL;
        if (e->string == NULL && strlen(e->name) <= NPZ_NAME - 4 && n <= 65535 && bytes >= 0 &&
            all <= INT32_MAX)
            continue;
        wg_fail(t, WG_E_VALUE, "%s: '%.60s' %s", path, e->name,
                e->string != NULL ? "is a string, and .npz holds arrays alone"
                                  : "is too much for an .npz archive of 2 GiB");
        return false;
    }
    return true;
}

static void npz_directory(wg_writer *w, const wg_archive *a)
{
    unsigned char end[22] = NPZ_END;
    int64_t at = 0, n = 0, size = 0;
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next, n++) {
        int64_t name = (int64_t)strlen(e->name) + 4;
        at += NPZ_LOCAL + name + npz_header(w, e, true, at);
        size += NPZ_CENTRAL + name;
    }
    npz_number(end + 8, n, 2);
    npz_number(end + 10, n, 2);
    npz_number(end + 12, size, 4);
    npz_number(end + 16, at, 4);
    wg_writer_put(w, end, sizeof end);
}

wg_status wg_npz_write(const wg_archive *a, const char *path)
{
    wg_tape *t = wg_archive_tape(a);
    wg_writer w;
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return wg_tape_status(t);
    if (!npz_fits(t, a, path != NULL ? path : "a file") || !wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        npz_header(&w, e, false, 0);
        npz_array_bytes(&w, e->tensor);
    }
    npz_directory(&w, a);
    return wg_writer_close(&w);
}
