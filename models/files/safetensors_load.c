/* The safetensors format, read: archives from files. archive.c owns what is in memory. */
#include "models/files/archive_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of the file. */
typedef struct load_place {
    const char *name, *type; /* in the header's text */
    wg_stored stored;        /* size 0: of a type that is not read */
    wg_dtype dtype;
    wg_shape shape;
    int64_t begin, end; /* bytes behind the header */
} load_place;

/* The header while it is read; its strings go into the archive at once. */
typedef struct load_header {
    wg_json json;
    wg_archive *archive;
    load_place *place; /* [n] */
    int64_t n, capacity;
    bool has_strings;
} load_header;

static bool load_fail(const wg_json *j, const char *what, const char *name, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(j->tape, WG_E_FORMAT, "%s: %s '%s': %s", j->path, what,
            wg_shown(name, strlen(name), shown), reason);
    return false;
}

/* ---- The header: one tensor. ----------------------------------------------------------------- */

/* What is read of the format's types, and as what; others are skipped. */
static bool load_type(wg_json *j, load_place *place)
{
    static const struct {
        const char *name;
        wg_stored_kind kind;
        int64_t size;
        wg_dtype dtype;
    } types[] = {
        {"F32", WG_STORED_FLOAT, 4, WG_F32},    {"F64", WG_STORED_FLOAT, 8, WG_F64},
        {"I64", WG_STORED_SIGNED, 8, WG_I64},   {"F16", WG_STORED_FLOAT, 2, WG_F32},
        {"BF16", WG_STORED_BFLOAT, 2, WG_F32},  {"I32", WG_STORED_SIGNED, 4, WG_I64},
        {"I16", WG_STORED_SIGNED, 2, WG_I64},   {"I8", WG_STORED_SIGNED, 1, WG_I64},
        {"U64", WG_STORED_UNSIGNED, 8, WG_I64}, {"U32", WG_STORED_UNSIGNED, 4, WG_I64},
        {"U16", WG_STORED_UNSIGNED, 2, WG_I64}, {"U8", WG_STORED_UNSIGNED, 1, WG_I64},
        {"BOOL", WG_STORED_BOOL, 1, WG_I64},
    };
    char *name;
    if (!wg_json_string(j, &name))
        return false;
    place->type = name;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0) {
            place->stored = (wg_stored){types[i].kind, types[i].size, false};
            place->dtype = types[i].dtype;
        }
    return true;
}

static bool load_shape(wg_json *j, wg_shape *shape)
{
    bool more, first = true;
    *shape = (wg_shape){.ndim = 0};
    if (!wg_json_open(j, '['))
        return false;
    while (wg_json_next(j, ']', &first, &more) && more) {
        if (shape->ndim == WG_MAX_DIMS)
            return wg_json_fail(j, "at most 8 dimensions");
        if (!wg_json_size(j, &shape->dim[shape->ndim++]))
            return false;
    }
    return !more;
}

static bool load_offsets(wg_json *j, load_place *place)
{
    bool more, first = true;
    if (!wg_json_open(j, '[') || !wg_json_size(j, &place->begin))
        return false;
    first = false;
    if (!wg_json_next(j, ']', &first, &more))
        return false;
    if (!more)
        return wg_json_fail(j, "a second offset");
    if (!wg_json_size(j, &place->end) || !wg_json_next(j, ']', &first, &more))
        return false;
    return !more || wg_json_fail(j, "two offsets");
}

static bool load_field(wg_json *j, load_place *place, bool seen[3])
{
    static const char *const names[] = {"dtype", "shape", "data_offsets"};
    char *name, *start = j->at;
    int which = 0;
    if (!wg_json_key(j, &name))
        return false;
    while (which < 3 && strcmp(name, names[which]) != 0)
        which++;
    if (which == 3 || seen[which]) {
        j->at = start;
        return wg_json_fail(j, "dtype, shape and data_offsets, each once,");
    }
    seen[which] = true;
    return which == 0   ? load_type(j, place)
           : which == 1 ? load_shape(j, &place->shape)
                        : load_offsets(j, place);
}

static bool load_place_read(wg_json *j, load_place *place)
{
    bool more, first = true, seen[3] = {false};
    if (!wg_json_open(j, '{'))
        return false;
    while (wg_json_next(j, '}', &first, &more) && more)
        if (!load_field(j, place, seen))
            return false;
    if (more)
        return false;
    return (seen[0] && seen[1] && seen[2]) ||
           wg_json_fail(j, "dtype, shape and data_offsets before this");
}

/* ---- The header: all of it. ------------------------------------------------------------------ */

static bool load_strings(load_header *h)
{
    wg_json *j = &h->json;
    bool more, first = true;
    char *key, *value;
    if (h->has_strings)
        return wg_json_fail(j, "one " WG_ARCHIVE_METADATA);
    h->has_strings = true;
    if (!wg_json_open(j, '{'))
        return false;
    while (wg_json_next(j, '}', &first, &more) && more) {
        if (!wg_json_key(j, &key) || !wg_json_string(j, &value))
            return false;
        if (!wg_archive_put(h->archive, &(wg_archive_entry){.name = key, .string = value}))
            return load_fail(j, "string", key, "is there twice");
    }
    return !more;
}

static bool load_entry(load_header *h)
{
    char *name;
    if (!wg_json_key(&h->json, &name))
        return false;
    if (strcmp(name, WG_ARCHIVE_METADATA) == 0)
        return load_strings(h);
    if (!wg_temporary_grow(h->json.tape, (void **)&h->place, &h->capacity, h->n + 1,
                           sizeof *h->place))
        return false;
    load_place *place = &h->place[h->n++];
    *place = (load_place){.name = name};
    return load_place_read(&h->json, place);
}

static bool load_entries(load_header *h)
{
    bool more, first = true;
    if (*h->json.at != '{') /* not even a blank before it */
        return wg_json_fail(&h->json, "'{'");
    if (!wg_json_open(&h->json, '{'))
        return false;
    while (wg_json_next(&h->json, '}', &first, &more) && more)
        if (!load_entry(h))
            return false;
    return !more && wg_json_end(&h->json);
}

/* ---- Does it all fit together? --------------------------------------------------------------- */

static int load_by_place(const void *a, const void *b)
{
    const load_place *p = a, *q = b;
    int order = (p->begin > q->begin) - (p->begin < q->begin);
    if (order == 0)
        order = (p->end > q->end) - (p->end < q->end);
    return order != 0 ? order : strcmp(p->name, q->name);
}

/* In the order of their places, each tensor begins where the one before it ends, and is as long as
 * its shape says. */
static bool load_tiles(load_header *h, int64_t size)
{
    const wg_json *j = &h->json;
    char reason[256], shape[WG_SHAPE_TEXT];
    int64_t at = 0;
    if (h->n > 0)
        qsort(h->place, (size_t)h->n, sizeof *h->place, load_by_place);
    for (int64_t i = 0; i < h->n; i++) {
        const load_place *p = &h->place[i];
        int64_t bytes = p->stored.size > 0 ? wg_elements_bytes(&p->shape, p->stored.size)
                                           : p->end - p->begin;
        snprintf(reason, sizeof reason, "at %" PRId64 " to %" PRId64 ", of shape %s", p->begin,
                 p->end, wg_shape_text(&p->shape, shape, sizeof shape));
        size_t used = strlen(reason);
        if (bytes < 0)
            snprintf(reason + used, sizeof reason - used, ", which is too large to be");
        else if (p->end - p->begin != bytes)
            snprintf(reason + used, sizeof reason - used, ", which takes %" PRId64 " bytes", bytes);
        else if (p->begin != at)
            snprintf(reason + used, sizeof reason - used,
                     ", but %" PRId64 " is where it must begin", at);
        else if (p->end > size)
            snprintf(reason + used, sizeof reason - used, ", but the file has %" PRId64, size);
        else {
            at = p->end;
            continue;
        }
        return load_fail(j, "tensor", p->name, reason);
    }
    if (at == size)
        return true;
    wg_fail(j->tape, WG_E_FORMAT,
            "%s: %" PRId64 " bytes behind the header, but the tensors take %" PRId64, j->path, size,
            at);
    return false;
}

/* ---- Reading. -------------------------------------------------------------------------------- */

/* Reads the tensors, which lie behind each other, into the archive. */
static bool load_values(wg_reader *reader, const load_header *h, int64_t from)
{
    for (int64_t i = 0; i < h->n; i++) {
        const load_place *p = &h->place[i];
        wg_archive_entry entry = {.name = p->name};
        if (p->stored.size > 0)
            entry.tensor = wg_rename(
                wg_elements_take(reader, p->stored, &p->shape, p->dtype, from + p->begin), p->name);
        else if (wg_reader_skip(reader, p->end - p->begin))
            entry.type = p->type;
        if (wg_tape_status(reader->tape) != WG_OK)
            return false;
        if (!wg_archive_put(h->archive, &entry))
            return load_fail(&h->json, "tensor", p->name, "is there twice");
    }
    return true;
}

static bool load_parse(wg_reader *reader, char *text, int64_t length, wg_archive *a)
{
    load_header h = {.archive = a};
    bool done = wg_reader_take(reader, text, length) &&
                wg_json_init(&h.json, reader->tape, reader->path, text, length, 8) &&
                load_entries(&h) && load_tiles(&h, reader->left) &&
                load_values(reader, &h, 8 + length);
    wg_temporary_free(reader->tape, h.place);
    return done;
}

bool wg_archive_read(wg_archive *a, wg_reader *reader)
{
    unsigned char bytes[8];
    if (reader->left < 8) {
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte %" PRId64 ": the file ends in the header's length", reader->path,
                reader->left);
        return false;
    }
    if (!wg_reader_take(reader, bytes, 8))
        return false;
    uint64_t length = wg_little_u64(bytes, 8);
    if (length > WG_ARCHIVE_HEADER || (int64_t)length > reader->left) {
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte 0: a header of %" PRIu64 " bytes, but %" PRId64
                " are left and %d the most: no safetensors file?",
                reader->path, length, reader->left, WG_ARCHIVE_HEADER);
        return false;
    }
    char *text = wg_temporary(reader->tape, (int64_t)length + 1, 1);
    bool done = text != NULL && load_parse(reader, text, (int64_t)length, a);
    wg_temporary_free(reader->tape, text);
    return done;
}

wg_archive *wg_archive_load(wg_tape *t, const char *path)
{
    wg_reader reader;
    if (wg_tape_status(t) != WG_OK || !wg_reader_open(&reader, t, path))
        return wg_archive_inert();
    wg_archive *a = wg_archive_new(t);
    wg_archive_set_path(a, path);
    bool done = wg_tape_status(t) == WG_OK && wg_archive_read(a, &reader);
    wg_reader_close(&reader);
    return done ? a : wg_archive_inert();
}
