/* Caches of text files: what they were made of, when they are made anew, and what all have in
 * them. */
#include "models/files/cache_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "models/files/archive_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CACHE_SAMPLES = 16, CACHE_SAMPLE = 4096 };

bool wg_cache_fail(const wg_cache_way *way, const char *reason)
{
    wg_fail(way->tape, WG_E_FORMAT, "%s: as a cache of %s: %s", way->path, way->of, reason);
    return false;
}

/* ---- What it was made of. -------------------------------------------------------------------- */

static bool cache_fail_of(const wg_cache_way *way, wg_status status, const char *reason)
{
    wg_fail(way->tape, status, "%s: %s", way->of, reason);
    return false;
}

/* Size, time of the last write, and a sample of the bytes; then the options. */
static bool cache_identify(wg_cache_way *way, const wg_window *w, uint64_t options)
{
    const wg_reader *r = &w->reader;
    struct stat about;
    char bytes[CACHE_SAMPLE];
    uint64_t hash = WG_HASH_START;
    if (r->memory != NULL || strcmp(way->of, "-") == 0)
        return cache_fail_of(way, WG_E_VALUE, "a cache is of a file, not of a pipe");
    if (fstat(r->file, &about) != 0)
        return cache_fail_of(way, WG_E_IO, strerror(errno));
    for (int64_t i = 0; i < CACHE_SAMPLES; i++) {
        ssize_t got;
        do
            got = wg_read_at(r->file, bytes, sizeof bytes, w->size / CACHE_SAMPLES * i);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return cache_fail_of(way, WG_E_IO, strerror(errno));
        hash = wg_hash_bytes(hash, bytes, (size_t)got);
    }
    snprintf(way->identity, WG_CACHE_IDENTITY,
             "%" PRId64 " %" PRId64 ".%09ld %016" PRIx64 " %016" PRIx64, w->size,
             (int64_t)about.st_mtime, (long)WG_WRITTEN_NS(&about), hash, options);
    return true;
}

/* ---- Read, or made first. -------------------------------------------------------------------- */

static void cache_read_or_make(wg_cache_way *way)
{
    struct stat about;
    bool stale = stat(way->path, &about) != 0;
    const wg_mark mark = wg_tape_mark(way->tape);
    if (stale && errno != ENOENT)
        wg_fail(way->tape, WG_E_IO, "%s: %s", way->path, strerror(errno));
    else if (stale)
        way->made = "it was not there";
    else
        way->read(way->user, way->identity, &stale);
    if (!stale || wg_tape_status(way->tape) != WG_OK)
        return;
    if (way->made == NULL)
        way->made = "it was of another file, or of other options";
    wg_tape_rewind(way->tape, mark);
    if (way->make(way->user, way->identity))
        way->read(way->user, way->identity, &stale);
    if (stale)
        wg_cache_fail(way, "it changes while it is read");
}

void wg_cache_use(wg_cache_way *way, bool fits, const wg_window *w, uint64_t options)
{
    if (way->path == NULL)
        wg_fail(way->tape, WG_E_NULL, "a cache has no name");
    else if (strcmp(way->path, "-") == 0)
        wg_fail(way->tape, WG_E_VALUE, "-: a cache is a file, not a pipe");
    fits = fits && wg_tape_status(way->tape) == WG_OK && cache_identify(way, w, options);
    /* The first rank makes it; others may have one each. */
    for (int turn = 0; turn < 2; turn++) {
        if (fits && wg_tape_status(way->tape) == WG_OK && (wg_ranks_number(way->tape) > 0) == turn)
            cache_read_or_make(way);
        if (wg_ranks_agree(way->tape, 0, "") != WG_OK)
            break;
    }
}

/* ---- What is in it. -------------------------------------------------------------------------- */

/* The array, and what stands behind it; the reader's file becomes that of the rows. */
static bool cache_open_rows(wg_cache_file *c, const wg_cache_way *way, wg_reader *reader,
                            wg_archive *a)
{
    wg_npy_array array;
    if (!wg_npy_header(reader, false, &array))
        return false;
    const int64_t bytes = wg_elements_bytes(&array.shape, array.element.size);
    if (array.shape.ndim != 2 || array.fortran || array.shape.dim[0] < 1 ||
        array.shape.dim[1] < 1 || array.dtype == WG_I64 || array.element.kind != WG_STORED_FLOAT ||
        reader->memory != NULL || strcmp(way->path, "-") == 0 || bytes < 0)
        return wg_cache_fail(way, "it is no such file");
    if (bytes > reader->left)
        return wg_cache_fail(way, "it ends in its rows");
    if (!wg_reader_skip(reader, bytes) || !wg_archive_read(a, reader))
        return false;
    c->n = array.shape.dim[0];
    c->width = array.shape.dim[1];
    c->rows = wg_npy_stream_of(reader, &array);
    return true;
}

bool wg_cache_open(wg_cache_file *c, const wg_cache_way *way, const char *format,
                   const char *identity, bool *stale)
{
    wg_tape *t = way->tape;
    wg_reader reader;
    *c = (wg_cache_file){.rows = NULL};
    if (!wg_reader_open(&reader, t, way->path))
        return false;
    wg_archive *a = wg_archive_new(t);
    wg_archive_set_path(a, way->path);
    c->archive = a;
    if (!cache_open_rows(c, way, &reader, a)) {
        wg_reader_close(&reader);
        return false;
    }
    const char *is = wg_archive_string(a, "format"), *of = wg_archive_string(a, "identity");
    if (is == NULL || strcmp(is, format) != 0)
        return wg_cache_fail(way, "it is of another format");
    *stale = identity != NULL && (of == NULL || strcmp(of, identity) != 0);
    return wg_tape_status(t) == WG_OK && !*stale;
}

static char *cache_name(char name[WG_CACHE_NAME], const char *what, int64_t i)
{
    snprintf(name, WG_CACHE_NAME, "%s.%" PRId64, what, i);
    return name;
}

void wg_cache_put_texts(wg_archive *a, const char *what, const char *const *text, int64_t n)
{
    char name[WG_CACHE_NAME];
    wg_archive_put_integer(a, what, n);
    for (int64_t i = 0; i < n; i++)
        wg_archive_put_string(a, cache_name(name, what, i), text[i]);
}

const char **wg_cache_texts(wg_tape *t, const wg_archive *a, const char *what, int64_t *n)
{
    char name[WG_CACHE_NAME];
    if (!wg_archive_integer(a, "cache", what, 0, wg_archive_count(a), n))
        return NULL;
    const char **text = wg_tape_take(t, ((size_t)*n + 1) * sizeof *text);
    for (int64_t i = 0; text != NULL && i < *n; i++) {
        text[i] = wg_archive_string(a, cache_name(name, what, i));
        if (text[i] == NULL) {
            wg_archive_fail(a, "cache: '%s' is missing", name);
            return NULL;
        }
    }
    return text;
}

bool wg_cache_text(const wg_cache_way *way, double number, const char *const *list, int64_t n,
                   const char **text)
{
    if (!(number >= 0 && number < (double)n && number == floor(number)))
        return wg_cache_fail(way, "a row has a text that is not there");
    *text = list[(int64_t)number];
    return true;
}
