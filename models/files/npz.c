/* NumPy's archives: .npz, zip files of arrays that are stored as they are. */
#include "models/files/npy_internal.h"

#include "autograd/op.h"
#include "models/files/archive_internal.h"

#include <inttypes.h>
#include <string.h>

#define NPZ_DIRECTORY "PK\1\2"
#define NPZ_END       "PK\5\6"

enum { NPZ_LOCAL = 30, NPZ_CENTRAL = 46, NPZ_NAME = 65535, NPZ_ZIP64 = 1, NPZ_DEFLATED = 8 };

/* One file of the archive, once its header was read: its name, without .npy, its size and its
 * CRC-32. */
typedef struct npz_entry {
    char name[NPZ_NAME + 1];
    int64_t size;
    uint32_t sum;
} npz_entry;

/* The file of this name; NULL: the archive. */
static bool npz_refuse(const wg_reader *reader, const char *name, const char *reason)
{
    char shown[WG_SHOWN];
    if (name == NULL) {
        wg_fail(reader->tape, WG_E_FORMAT, "%s: %s", reader->path, reason);
        return false;
    }
    wg_fail(reader->tape, WG_E_FORMAT, "%s: '%s' %s", reader->path,
            wg_shown(name, strlen(name), shown), reason);
    return false;
}

/* The size that extra fields of `length` bytes give for a file of 4 GiB or more, or that might
 * be. */
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
        return npz_refuse(reader, NULL, "the archive has no directory at its end");
    if (memcmp(h, NPZ_DIRECTORY, 4) == 0 || memcmp(h, NPZ_END, 4) == 0)
        return false;
    if (memcmp(h, WG_NPZ_ENTRY, 4) != 0)
        return npz_refuse(reader, NULL, "no .npz archive, or a broken one");
    int64_t name, extra;
    if (reader->left < NPZ_LOCAL - 4 || !wg_reader_take(reader, h + 4, NPZ_LOCAL - 4))
        return npz_refuse(reader, NULL, "the archive ends in a header");
    name = (int64_t)wg_little_u64(h + 26, 2);
    extra = (int64_t)wg_little_u64(h + 28, 2);
    if (reader->left < name + extra || !wg_reader_take(reader, entry->name, name))
        return npz_refuse(reader, NULL, "the archive ends in a header");
    entry->name[name] = '\0';
    entry->sum = (uint32_t)wg_little_u64(h + 14, 4);
    entry->size = (int64_t)wg_little_u64(h + 18, 4);
    if (!npz_large(reader, entry, extra))
        return false;
    if (name < 4 || strcmp(entry->name + name - 4, ".npy") != 0)
        return npz_refuse(reader, entry->name,
                          "is no array: a zip file, of Excel's perhaps; unpack it, or save it as "
                          "CSV");
    if (wg_little_u64(h + 8, 2) == NPZ_DEFLATED)
        return npz_refuse(reader, entry->name, "is compressed: numpy.savez stores as it is");
    if (wg_little_u64(h + 8, 2) != 0 || (h[6] & 9) != 0)
        return npz_refuse(reader, entry->name, "is packed in a way that is not read");
    if (entry->size < 0 || entry->size > reader->left)
        return npz_refuse(reader, entry->name, "is longer than the file");
    entry->name[name - 4] = '\0';
    return true;
}

/* Reads the array as if the file ended behind it, or goes past one of a type that is not read. */
static bool npz_array(wg_reader *reader, const npz_entry *entry, wg_archive *a)
{
    wg_archive_entry e = {.name = entry->name};
    wg_npy_array array;
    wg_crc crc;
    int64_t behind = reader->left - entry->size;
    reader->left = entry->size;
    reader->crc = &crc;
    wg_crc_start(&crc);
    const bool header = wg_npy_header(reader, true, &array);
    if (header && array.element.size > 0)
        e.tensor = wg_rename(wg_npy_take(reader, &array), entry->name);
    else if (header && wg_reader_skip(reader, reader->left))
        e.type = array.type;
    reader->crc = NULL;
    reader->left += behind;
    if (wg_tape_status(reader->tape) != WG_OK)
        return false;
    if (crc.sum != entry->sum)
        return npz_refuse(reader, entry->name, "is damaged: its bytes are not those of its CRC-32");
    if (wg_utf8_invalid(entry->name, strlen(entry->name)) < strlen(entry->name))
        return npz_refuse(reader, entry->name, "is a name that is not UTF-8");
    return wg_archive_put(a, &e) || npz_refuse(reader, entry->name, "is there twice");
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

/* A file's header, where it stands or, central, in the directory; at: where it begins. The date is
 * the first that zip knows, so that the same content is the same bytes. w->crc is used. Returns the
 * size of the file. */
static int64_t npz_header(wg_writer *w, const wg_archive_entry *e, bool central, int64_t at)
{
    unsigned char h[NPZ_CENTRAL] = {0}, *part = h + (central ? 6 : 4);
    w->crc->sum = 0;
    wg_writer_count(w, true);
    wg_npy_put(w, e->tensor);
    int64_t size = wg_writer_count(w, false), name = (int64_t)strlen(e->name) + 4;
    memcpy(h, central ? NPZ_DIRECTORY : WG_NPZ_ENTRY, 4);
    npz_number(h + 4, 20, 2); /* the version that made it, or that it needs: 2.0 */
    npz_number(part, 20, 2);
    npz_number(part + 2, 0x800, 2); /* names are UTF-8 */
    npz_number(part + 8, 0x21, 2);  /* 1 January 1980 */
    npz_number(part + 10, w->crc->sum, 4);
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
        all += bytes + 2 * (int64_t)strlen(e->name) + WG_NPY_HEADER + 100;
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
    wg_crc crc;
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return wg_tape_status(t);
    if (!npz_fits(t, a, path != NULL ? path : "a file") || !wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    w.crc = &crc;
    wg_crc_start(&crc);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        npz_header(&w, e, false, 0);
        wg_npy_put(&w, e->tensor);
    }
    npz_directory(&w, a);
    return wg_writer_close(&w);
}
