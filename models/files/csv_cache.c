/* Caches of CSV files: their rows as one array of numbers, an NPY file, with an archive behind it
 * that says what they are and what they were made of. */
#include "models/files/archive_internal.h"
#include "models/files/csv_internal.h"
#include "models/files/npy_internal.h"
#include "models/files/table_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "ops/slice.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A row: the columns of numbers; the label as a number, NaN where it is none, and the number of its
 * text, -1 where that is not kept; the numbers of the texts of string columns. */
enum {
    CACHE_ROWS = 256,
    CACHE_NAME = 48,
    CACHE_SAMPLES = 16,
    CACHE_SAMPLE = 4096,
    CACHE_IDENTITY = 96
};

static const char cache_format[] = "wengert rows 1";

static bool cache_fail(const wg_csv_file *f, const char *cache, const char *reason)
{
    wg_fail(f->tape, WG_E_FORMAT, "%s: as a cache of %s: %s", cache, f->path, reason);
    return false;
}

/* ---- What it was made of. -------------------------------------------------------------------- */

static uint64_t cache_mix_text(uint64_t hash, const char *text)
{
    return text != NULL ? wg_hash_bytes(hash, text, strlen(text) + 1) : wg_hash_word(hash, 1);
}

static uint64_t cache_mix_list(uint64_t hash, const char *const *list)
{
    hash = wg_hash_word(hash, list != NULL);
    for (; list != NULL && *list != NULL; list++)
        hash = cache_mix_text(hash, *list);
    return wg_hash_word(hash, 0);
}

static uint64_t cache_options(const wg_csv_options *o)
{
    const int64_t numbers[] = {o->separator,      (int64_t)o->header,  o->no_label,
                               o->label_column,   (int64_t)o->missing, o->limits.columns,
                               o->limits.classes, o->infinite,         o->f32};
    uint64_t hash = cache_mix_text(WG_HASH_START, o->label);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash = wg_hash_word(hash, (uint64_t)numbers[i]);
    hash = cache_mix_list(cache_mix_list(hash, o->columns), o->drop);
    return cache_mix_list(cache_mix_list(hash, o->strings), o->missing_texts);
}

/* Size, time of the last write, and a sample of the bytes; then the options. */
static bool cache_identity(const wg_csv_file *f, const wg_csv_options *o, char text[CACHE_IDENTITY])
{
    const wg_reader *r = &f->window.reader;
    struct stat about;
    char bytes[CACHE_SAMPLE];
    uint64_t hash = WG_HASH_START;
    if (r->memory != NULL || strcmp(f->path, "-") == 0)
        return wg_csv_fail(f, WG_E_VALUE, "a cache is of a file, not of a pipe");
    if (fstat(r->file, &about) != 0)
        return wg_csv_fail(f, WG_E_IO, strerror(errno));
    for (int64_t i = 0; i < CACHE_SAMPLES; i++) {
        ssize_t got;
        do
            got = wg_read_at(r->file, bytes, sizeof bytes, f->window.size / CACHE_SAMPLES * i);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return wg_csv_fail(f, WG_E_IO, strerror(errno));
        hash = wg_hash_bytes(hash, bytes, (size_t)got);
    }
    snprintf(text, CACHE_IDENTITY, "%" PRId64 " %" PRId64 ".%09ld %016" PRIx64 " %016" PRIx64,
             f->window.size, (int64_t)about.st_mtime, (long)WG_WRITTEN_NS(&about), hash,
             cache_options(o));
    return true;
}

/* ---- Making it. ------------------------------------------------------------------------------ */

typedef struct cache_making {
    const char *path;
    wg_writer writer;
    int64_t width;
    double *room; /* [CACHE_ROWS, width] */
} cache_making;

static wg_dtype cache_dtype(const wg_csv_file *f)
{
    return f->options.f32 ? WG_F32 : WG_F64;
}

static bool cache_begin(wg_csv_file *f)
{
    cache_making *c = f->user;
    const wg_shape none = {2, {0, 0}};
    wg_writer_abandon(&c->writer);
    wg_temporary_free(f->tape, c->room);
    c->room = NULL;
    c->width = f->numbers + f->strings + (f->label >= 0 ? 2 : 0);
    if (c->width == 0)
        return wg_csv_fail(f, WG_E_VALUE, "no columns are left for a cache");
    c->room = wg_temporary(f->tape, c->width, CACHE_ROWS * sizeof *c->room);
    if (c->room == NULL || !wg_writer_open(&c->writer, f->tape, c->path))
        return false;
    wg_npy_put_header(&c->writer, cache_dtype(f), &none); /* until it is known */
    return true;
}

/* Row i of those that are held. */
static void cache_row(const wg_csv_file *f, int64_t i, double *row)
{
    for (int64_t j = 0; j < f->numbers; j++)
        *row++ = f->values[i * f->numbers + j];
    if (f->label >= 0) {
        *row++ = f->label_value[i];
        *row++ = (double)f->label_text[i];
    }
    for (int64_t k = 0; k < f->strings; k++)
        *row++ = (double)f->string[i * f->strings + k];
}

static bool cache_put(wg_csv_file *f)
{
    cache_making *c = f->user;
    const wg_tensor rows = {.data = c->room, .dtype = cache_dtype(f), .size = f->held * c->width};
    for (int64_t i = 0; i < f->held; i++)
        cache_row(f, i, c->room + i * c->width);
    for (int64_t i = 0; f->options.f32 && i < rows.size; i++) {
        const float narrow = (float)c->room[i]; /* float i lies at or before double i */
        memcpy((char *)c->room + (size_t)i * sizeof narrow, &narrow, sizeof narrow);
    }
    wg_elements_write(&c->writer, &rows);
    f->held = 0;
    return !c->writer.failed;
}

static char *cache_name(char name[CACHE_NAME], const char *what, int64_t i)
{
    snprintf(name, CACHE_NAME, "%s.%" PRId64, what, i);
    return name;
}

static void cache_put_texts(wg_archive *a, const char *what, const char *const *text, int64_t n)
{
    char name[CACHE_NAME];
    wg_archive_put_integer(a, what, n);
    for (int64_t i = 0; i < n; i++)
        wg_archive_put_string(a, cache_name(name, what, i), text[i]);
}

static void cache_put_columns(wg_archive *a, const wg_csv_file *f, wg_csv_kind kind,
                              const char *what, const char *missing)
{
    const char *const *names;
    const int64_t *count, n = kind == WG_CSV_NUMBER ? f->numbers : f->strings;
    if (!wg_csv_list(f, kind, &names, &count))
        return;
    cache_put_texts(a, what, names, n);
    wg_archive_put_tensor(a, missing, wg_constant(f->tape, WG_I64, WG_SHAPE(n), count));
}

/* What the rows are. Of more labels than can be classes, which are numbers, none is named. */
static bool cache_put_archive(const wg_csv_file *f, wg_writer *w, const char *identity)
{
    const wg_mark mark = wg_tape_mark(f->tape);
    const bool named = f->labels.n <= f->label_limit;
    const char separator[] = {f->options.separator, '\0'};
    wg_archive *a = wg_archive_new(f->tape);
    wg_archive_put_string(a, "format", cache_format);
    wg_archive_put_string(a, "identity", identity);
    wg_archive_put_string(a, "separator", separator);
    wg_archive_put_integer(a, "dropped", f->records - f->rows);
    wg_archive_put_integer(a, "rounded", f->rounded);
    wg_archive_put_integer(a, "numbers", f->labels_are_numbers);
    if (f->label >= 0)
        wg_archive_put_string(a, "label", f->column[f->label].name);
    cache_put_columns(a, f, WG_CSV_NUMBER, "column", "missing");
    cache_put_columns(a, f, WG_CSV_STRING, "string_column", "string_missing");
    cache_put_texts(a, "class", f->labels.text, named ? f->labels.n : 0);
    cache_put_texts(a, "string", f->texts.text, f->texts.n);
    if (wg_tape_status(f->tape) != WG_OK || !wg_archive_write(a, w))
        return false;
    return wg_tape_rewind(f->tape, mark) == WG_OK;
}

static bool cache_make(wg_csv_file *f, const char *path, const char *identity)
{
    cache_making c = {.path = path, .writer = {.file = -1}};
    f->begin = cache_begin;
    f->put = cache_put;
    f->user = &c;
    f->label_limit = f->options.limits.classes;
    if (wg_csv_parse(f) && cache_put_archive(f, &c.writer, identity)) {
        wg_writer_back(&c.writer);
        wg_npy_put_header(&c.writer, cache_dtype(f), &(wg_shape){2, {f->rows, c.width}});
        wg_writer_close(&c.writer);
    } else
        wg_writer_abandon(&c.writer);
    wg_temporary_free(f->tape, c.room);
    return wg_tape_status(f->tape) == WG_OK;
}

/* ---- Reading it. ----------------------------------------------------------------------------- */

/* A cache while it is read. */
typedef struct cache_reading {
    const wg_csv_file *f;
    const char *path;
    const wg_archive *archive;
    wg_npy_stream *rows;
    int64_t n, width; /* rows, and numbers of each */
    int64_t columns, string_columns, classes, strings;
    const char **class, **text; /* [classes], [strings] */
    double *value;              /* [n]: labels */
    const char **label;         /* [n] */
    const char **string;        /* [n, string_columns], on the tape */
} cache_reading;

/* The n texts, on the tape, NULL behind the last. */
static const char **cache_texts(const cache_reading *c, const char *what, int64_t *n)
{
    char name[CACHE_NAME];
    if (!wg_archive_integer(c->archive, "cache", what, 0, wg_archive_count(c->archive), n))
        return NULL;
    const char **text = wg_tape_take(c->f->tape, ((size_t)*n + 1) * sizeof *text);
    for (int64_t i = 0; text != NULL && i < *n; i++) {
        text[i] = wg_archive_string(c->archive, cache_name(name, what, i));
        if (text[i] == NULL) {
            wg_archive_fail(c->archive, "cache: '%s' is missing", name);
            return NULL;
        }
    }
    return text;
}

/* How many were missing of each of n columns. */
static const int64_t *cache_missing(const cache_reading *c, const char *what, int64_t n)
{
    const wg_tensor *x = wg_archive_tensor(c->archive, what);
    if (x != NULL && x->dtype == WG_I64 && x->size == n)
        return x->data;
    wg_archive_fail(c->archive, "cache: '%s' is missing, or not what fits", what);
    return NULL;
}

/* The text that a number stands for. */
static bool cache_text(const cache_reading *c, double number, const char *const *list, int64_t n,
                       const char **text)
{
    if (!(number >= 0 && number < (double)n && number == floor(number)))
        return cache_fail(c->f, c->path, "a row has a text that is not there");
    *text = list[(int64_t)number];
    return true;
}

/* What stays in memory of n rows, of which `first` is the first. */
static bool cache_keep(cache_reading *c, int64_t first, int64_t n, const wg_tensor *rows)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i * c->width + c->columns;
        if (c->value != NULL)
            c->value[first + i] = wg_element(rows, at);
        if (c->label != NULL &&
            !cache_text(c, wg_element(rows, at + 1), c->class, c->classes, &c->label[first + i]))
            return false;
        at += c->value != NULL ? 2 : 0;
        for (int64_t k = 0; k < c->string_columns; k++)
            if (!cache_text(c, wg_element(rows, at + k), c->text, c->strings,
                            &c->string[(first + i) * c->string_columns + k]))
                return false;
    }
    return true;
}

static bool cache_keep_all(cache_reading *c, wg_dtype dtype)
{
    wg_tape *t = c->f->tape;
    wg_tensor rows = {.dtype = dtype};
    void *room = wg_temporary(t, c->width, CACHE_ROWS * wg_dtype_size(dtype));
    rows.data = room;
    for (int64_t row = 0, n; room != NULL && wg_tape_status(t) == WG_OK && row < c->n; row += n) {
        n = c->n - row < CACHE_ROWS ? c->n - row : CACHE_ROWS;
        const char *wrong = wg_npy_stream_read(c->rows, row, n, room);
        if (wrong != NULL)
            wg_fail(t, WG_E_IO, "%s: %s", c->path, wrong);
        else
            cache_keep(c, row, n, &rows);
    }
    wg_temporary_free(t, room);
    return wg_tape_status(t) == WG_OK;
}

/* Room for what stays in memory. */
static bool cache_room(cache_reading *c, bool label)
{
    wg_tape *t = c->f->tape;
    if (label)
        c->value = wg_temporary(t, c->n, sizeof *c->value);
    if (label && c->classes > 0)
        c->label = wg_temporary(t, c->n, sizeof *c->label);
    if (c->string_columns > 0)
        c->string = wg_tape_take(t, (size_t)c->n * (size_t)c->string_columns * sizeof *c->string);
    return wg_tape_status(t) == WG_OK;
}

/* Columns that are streamed; a matrix without columns has no rows to read. */
static wg_tensor *cache_features(const cache_reading *c, wg_dtype dtype)
{
    if (c->columns == 0)
        return wg_constant(c->f->tape, dtype, WG_SHAPE(c->n, 0), &(double){0});
    if (c->columns < c->width)
        wg_npy_stream_narrow(c->rows, c->columns);
    return wg_npy_stream_rows(c->rows, 0, WG_END);
}

static wg_table *cache_table(cache_reading *c, wg_dtype dtype)
{
    const wg_archive *a = c->archive;
    const char *separator = wg_archive_string(a, "separator");
    int64_t numbers;
    wg_table_parts parts = {.path = c->f->path,
                            .csv = c->f->given,
                            .class_limit = c->f->options.limits.classes,
                            .separator = separator != NULL ? *separator : ',',
                            .label_name = wg_archive_string(a, "label")};
    parts.column_names = cache_texts(c, "column", &c->columns);
    parts.string_names = cache_texts(c, "string_column", &c->string_columns);
    c->class = cache_texts(c, "class", &c->classes);
    c->text = cache_texts(c, "string", &c->strings);
    if (wg_tape_status(c->f->tape) != WG_OK ||
        !wg_archive_integer(a, "cache", "dropped", 0, INT64_MAX, &parts.dropped) ||
        !wg_archive_integer(a, "cache", "rounded", 0, INT64_MAX, &parts.rounded) ||
        !wg_archive_integer(a, "cache", "numbers", 0, 1, &numbers))
        return wg_table_inert();
    const bool label = parts.label_name != NULL;
    parts.missing = cache_missing(c, "missing", c->columns);
    parts.string_missing = cache_missing(c, "string_missing", c->string_columns);
    if (c->width != c->columns + c->string_columns + (label ? 2 : 0) ||
        (label && c->classes == 0 && numbers == 0))
        cache_fail(c->f, c->path, "its rows are others than it says");
    if (wg_tape_status(c->f->tape) != WG_OK || !cache_room(c, label) || !cache_keep_all(c, dtype))
        return wg_table_inert();
    parts.features = cache_features(c, dtype);
    parts.string_columns = c->string_columns;
    parts.string = c->string;
    parts.label_text = c->label;
    parts.label_value = numbers == 1 ? c->value : NULL;
    return wg_table_new(c->f->tape, &parts);
}

/* Opens the rows, which the caller closes, and reads what stands behind them. */
static bool cache_open(cache_reading *c, const wg_csv_file *f, const char *path)
{
    wg_tape *t = f->tape;
    wg_reader reader;
    wg_npy_array array;
    c->f = f;
    c->path = path;
    if (!wg_reader_open(&reader, t, path))
        return false;
    wg_archive *a = wg_archive_new(t);
    wg_archive_set_path(a, path);
    c->archive = a;
    bool fits = wg_npy_header(&reader, false, &array);
    const int64_t bytes = fits ? wg_elements_bytes(&array.shape, array.element.size) : 0;
    if (fits &&
        (array.shape.ndim != 2 || array.fortran || array.shape.dim[0] < 1 ||
         array.shape.dim[1] < 1 || array.dtype == WG_I64 || array.element.kind != WG_STORED_FLOAT ||
         reader.memory != NULL || strcmp(path, "-") == 0 || bytes < 0))
        fits = cache_fail(f, path, "it is no such file");
    if (fits && bytes > reader.left)
        fits = cache_fail(f, path, "it ends in its rows");
    if (!fits || !wg_reader_skip(&reader, bytes) || !wg_archive_read(a, &reader)) {
        wg_reader_close(&reader);
        return false;
    }
    c->n = array.shape.dim[0];
    c->width = array.shape.dim[1];
    c->rows = wg_npy_stream_of(&reader, &array);
    const char *format = wg_archive_string(a, "format");
    if (format == NULL || strcmp(format, cache_format) != 0)
        cache_fail(f, path, "it is of another format");
    return wg_tape_status(t) == WG_OK;
}

/* The table; *stale: none, for the identity is another (NULL: none was asked for). */
static wg_table *cache_read(wg_csv_cache *cache, const wg_csv_file *f, const char *path,
                            const char *identity, bool *stale)
{
    cache_reading c = {.f = f};
    wg_table *table = wg_table_inert();
    if (cache_open(&c, f, path)) {
        const char *found = wg_archive_string(c.archive, "identity");
        *stale = identity != NULL && (found == NULL || strcmp(found, identity) != 0);
        if (!*stale)
            table = cache_table(&c, wg_npy_stream_dtype(c.rows));
    }
    if (wg_tape_status(f->tape) == WG_OK && !*stale)
        cache->rows = c.rows;
    else
        wg_npy_stream_close(c.rows);
    wg_temporary_free(f->tape, c.value);
    wg_temporary_free(f->tape, c.label);
    return table;
}

wg_table *wg_csv_cache_load(wg_csv_cache *cache, wg_tape *t, const char *path)
{
    wg_csv_file f = {.tape = t, .path = "a file", .label = -1};
    bool stale = false;
    *cache = (wg_csv_cache){.table = wg_table_inert()};
    if (wg_limits_fill(t, path, &f.options.limits, 0))
        cache->table = cache_read(cache, &f, path, NULL, &stale);
    return cache->table;
}

/* ---- Both. ----------------------------------------------------------------------------------- */

/* Reads it where it is there and fits, else makes it first. */
static void cache_use(wg_csv_cache *cache, wg_csv_file *f, const char *path, const char *identity)
{
    struct stat about;
    bool stale = stat(path, &about) != 0;
    const wg_mark mark = wg_tape_mark(f->tape);
    if (stale && errno != ENOENT)
        wg_fail(f->tape, WG_E_IO, "%s: %s", path, strerror(errno));
    else if (stale)
        cache->made = "it was not there";
    else
        cache->table = cache_read(cache, f, path, identity, &stale);
    if (!stale || wg_tape_status(f->tape) != WG_OK)
        return;
    if (cache->made == NULL)
        cache->made = "it was of another file, or of other options";
    wg_tape_rewind(f->tape, mark);
    if (cache_make(f, path, identity))
        cache->table = cache_read(cache, f, path, identity, &stale);
    if (stale)
        cache_fail(f, path, "it changes while it is read");
}

wg_csv_cache wg_csv_cache_open(wg_tape *t, const char *path, const char *cache,
                               const wg_csv_options *options)
{
    static const wg_csv_options none = {.separator = '\0'};
    wg_csv_cache c = {.table = wg_table_inert()};
    wg_csv_file file = {.tape = NULL};
    char identity[CACHE_IDENTITY];
    if (cache == NULL)
        wg_fail(t, WG_E_NULL, "a cache has no name");
    else if (strcmp(cache, "-") == 0)
        wg_fail(t, WG_E_VALUE, "-: a cache is a file, not a pipe");
    const bool fits = wg_csv_open(&file, t, path, options) &&
                      cache_identity(&file, options != NULL ? options : &none, identity);
    /* The first rank makes it; others may have one each. */
    for (int turn = 0; turn < 2; turn++) {
        if (fits && wg_tape_status(t) == WG_OK && (wg_ranks_number(t) > 0) == turn)
            cache_use(&c, &file, cache, identity);
        if (wg_ranks_agree(t, 0, "") != WG_OK)
            break;
    }
    wg_csv_close(&file);
    if (wg_tape_status(t) != WG_OK) {
        wg_csv_cache_close(&c);
        c.table = wg_table_inert();
    }
    return c;
}

void wg_csv_cache_close(wg_csv_cache *cache)
{
    if (cache != NULL)
        wg_npy_stream_close(cache->rows);
}
