/* Caches of CSV files: their rows as one array of numbers, an NPY file, with an archive behind it
 * that says what they are and what they were made of. */
#include "models/files/archive_internal.h"
#include "models/files/cache_internal.h"
#include "models/files/csv_internal.h"
#include "models/files/table_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"
#include "ops/slice.h"

#include <math.h>
#include <string.h>

/* A row: the columns of numbers; the label as a number, NaN where it is none, and the number of its
 * text, -1 where that is not kept; the numbers of the texts of string columns. */
enum { CACHE_ROWS = 256 };

static const int64_t cache_most_f32 = 1 << 24; /* texts: floats hold all integers up to here */

static const char cache_format[] = "wengert rows 1";

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
    if (f->options.f32 && (f->labels.n > cache_most_f32 || f->texts.n > cache_most_f32))
        return wg_csv_fail(f, WG_E_VALUE,
                           "more different labels or strings than a cache of f32 can number");
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

static void cache_put_columns(wg_archive *a, const wg_csv_file *f, wg_csv_kind kind,
                              const char *what, const char *missing)
{
    const char *const *names;
    const int64_t *count, n = kind == WG_CSV_NUMBER ? f->numbers : f->strings;
    if (!wg_csv_list(f, kind, &names, &count))
        return;
    wg_cache_put_texts(a, what, names, n);
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
    wg_cache_put_texts(a, "class", f->labels.text, named ? f->labels.n : 0);
    wg_cache_put_texts(a, "string", f->texts.text, f->texts.n);
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
    f->user = NULL;
    wg_temporary_free(f->tape, c.room);
    return wg_tape_status(f->tape) == WG_OK;
}

/* ---- Reading it. ----------------------------------------------------------------------------- */

/* A cache while it is read. */
typedef struct cache_reading {
    const wg_cache_way *way;
    const wg_csv_file *f;
    wg_cache_file of;
    int64_t columns, string_columns, classes, strings;
    const char **class, **text; /* [classes], [strings] */
    bool numbers;               /* labels are */
    double *class_value;        /* [classes]: NaN where it is no number */
    double *value;              /* [rows]: labels */
    int64_t *label;             /* [rows]: which class */
    const char **string;        /* [rows, string_columns], on the tape */
} cache_reading;

/* How many were missing of each of n columns. */
static const int64_t *cache_missing(const cache_reading *c, const char *what, int64_t n)
{
    const wg_tensor *x = wg_archive_tensor(c->of.archive, what);
    if (x != NULL && x->dtype == WG_I64 && x->size == n)
        return x->data;
    wg_archive_fail(c->of.archive, "cache: '%s' is missing, or not what fits", what);
    return NULL;
}

/* The label of row i, as the rows have it: its value, and the number of its class. A class's value
 * is that of its text: f32 rounds the one in the rows, and what differs would be one class. */
static bool cache_keep_label(cache_reading *c, int64_t i, double value, double number)
{
    const char *text;
    if (c->label != NULL) {
        if (!wg_cache_text(c->way, number, c->class, c->classes, &text))
            return false;
        c->label[i] = (int64_t)number;
        value = c->class_value[c->label[i]];
    }
    c->value[i] = value;
    return !c->numbers || isfinite(value) ||
           wg_cache_fail(c->way, "a label is not the number that it says");
}

/* What stays in memory of n rows, of which `first` is the first. */
static bool cache_keep(cache_reading *c, int64_t first, int64_t n, const wg_tensor *rows)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = i * c->of.width + c->columns;
        if (c->value != NULL &&
            !cache_keep_label(c, first + i, wg_element(rows, at), wg_element(rows, at + 1)))
            return false;
        at += c->value != NULL ? 2 : 0;
        for (int64_t k = 0; k < c->string_columns; k++)
            if (!wg_cache_text(c->way, wg_element(rows, at + k), c->text, c->strings,
                               &c->string[(first + i) * c->string_columns + k]))
                return false;
    }
    return true;
}

static bool cache_keep_all(cache_reading *c, wg_dtype dtype)
{
    wg_tape *t = c->f->tape;
    wg_tensor rows = {.dtype = dtype};
    void *room = wg_temporary(t, c->of.width, CACHE_ROWS * wg_dtype_size(dtype));
    rows.data = room;
    for (int64_t row = 0, n; room != NULL && wg_tape_status(t) == WG_OK && row < c->of.n;
         row += n) {
        n = c->of.n - row < CACHE_ROWS ? c->of.n - row : CACHE_ROWS;
        const char *wrong = wg_npy_stream_read(c->of.rows, row, n, room);
        if (wrong != NULL)
            wg_fail(t, WG_E_IO, "%s: %s", c->way->path, wrong);
        else
            cache_keep(c, row, n, &rows);
    }
    wg_temporary_free(t, room);
    return wg_tape_status(t) == WG_OK;
}

static void cache_class_values(cache_reading *c)
{
    double *value = c->class_value;
    for (int64_t k = 0; value != NULL && k < c->classes; k++)
        if (wg_number_read(c->class[k], value + k) != WG_NUMBER_FINITE)
            value[k] = (double)NAN;
}

/* Room for what stays in memory. */
static bool cache_room(cache_reading *c, bool label)
{
    wg_tape *t = c->f->tape;
    if (label)
        c->value = wg_temporary(t, c->of.n, sizeof *c->value);
    if (label && c->classes > 0) {
        c->label = wg_temporary(t, c->of.n, sizeof *c->label);
        c->class_value = wg_temporary(t, c->classes, sizeof *c->class_value);
        cache_class_values(c);
    }
    if (c->string_columns > 0)
        c->string = wg_tape_take(t,
                                 (size_t)c->of.n * (size_t)c->string_columns * sizeof *c->string);
    return wg_tape_status(t) == WG_OK;
}

/* Columns that are streamed; a matrix without columns has no rows to read. */
static wg_tensor *cache_features(const cache_reading *c, wg_dtype dtype)
{
    if (c->columns == 0)
        return wg_constant(c->f->tape, dtype, WG_SHAPE(c->of.n, 0), &(double){0});
    if (c->columns < c->of.width)
        wg_npy_stream_narrow(c->of.rows, c->columns);
    return wg_npy_stream_rows(c->of.rows, 0, WG_END);
}

static wg_table *cache_table(cache_reading *c, wg_dtype dtype)
{
    const wg_archive *a = c->of.archive;
    const char *separator = wg_archive_string(a, "separator");
    int64_t numbers;
    wg_table_parts parts = {.path = c->f->path,
                            .csv = c->f->given,
                            .class_limit = c->f->options.limits.classes,
                            .separator = separator != NULL ? *separator : ',',
                            .label_name = wg_archive_string(a, "label")};
    parts.column_names = wg_cache_texts(c->f->tape, a, "column", &c->columns);
    parts.string_names = wg_cache_texts(c->f->tape, a, "string_column", &c->string_columns);
    c->class = wg_cache_texts(c->f->tape, a, "class", &c->classes);
    c->text = wg_cache_texts(c->f->tape, a, "string", &c->strings);
    if (wg_tape_status(c->f->tape) != WG_OK ||
        !wg_archive_integer(a, "cache", "dropped", 0, INT64_MAX, &parts.dropped) ||
        !wg_archive_integer(a, "cache", "rounded", 0, INT64_MAX, &parts.rounded) ||
        !wg_archive_integer(a, "cache", "numbers", 0, 1, &numbers))
        return wg_table_inert();
    const bool label = parts.label_name != NULL;
    c->numbers = numbers == 1;
    parts.missing = cache_missing(c, "missing", c->columns);
    parts.string_missing = cache_missing(c, "string_missing", c->string_columns);
    if (c->of.width != c->columns + c->string_columns + (label ? 2 : 0) ||
        (label && c->classes == 0 && !c->numbers))
        wg_cache_fail(c->way, "its rows are others than it says");
    if (wg_tape_status(c->f->tape) != WG_OK || !cache_room(c, label) || !cache_keep_all(c, dtype))
        return wg_table_inert();
    parts.features = cache_features(c, dtype);
    parts.string_columns = c->string_columns;
    parts.string = c->string;
    parts.label_text = c->label != NULL ? c->class : NULL;
    parts.label_number = c->label;
    parts.labels = c->classes;
    parts.label_value = c->numbers ? c->value : NULL;
    return wg_table_new(c->f->tape, &parts);
}

/* ---- Both. ----------------------------------------------------------------------------------- */

typedef struct cache_use {
    wg_cache_way way;
    wg_csv_file f;
    wg_csv_cache *cache;
} cache_use;

static void cache_read(void *user, const char *identity, bool *stale)
{
    cache_use *use = user;
    cache_reading c = {.way = &use->way, .f = &use->f};
    if (wg_cache_open(&c.of, &use->way, cache_format, identity, stale))
        use->cache->table = cache_table(&c, wg_npy_stream_dtype(c.of.rows));
    if (wg_tape_status(use->way.tape) == WG_OK && !*stale)
        use->cache->rows = c.of.rows;
    else
        wg_npy_stream_close(c.of.rows);
    wg_temporary_free(use->way.tape, c.value);
    wg_temporary_free(use->way.tape, c.label);
    wg_temporary_free(use->way.tape, c.class_value);
}

static bool cache_remake(void *user, const char *identity)
{
    cache_use *use = user;
    return cache_make(&use->f, use->way.path, identity);
}

wg_table *wg_csv_cache_load(wg_csv_cache *cache, wg_tape *t, const char *path)
{
    cache_use use = {.way = {.tape = t, .of = "a file", .path = path}, .cache = cache};
    bool stale = false;
    use.f = (wg_csv_file){.tape = t, .path = "a file", .label = -1};
    *cache = (wg_csv_cache){.table = wg_table_inert()};
    if (wg_limits_fill(t, path, &use.f.options.limits, 0))
        cache_read(&use, NULL, &stale);
    return cache->table;
}

wg_csv_cache wg_csv_cache_open(wg_tape *t, const char *path, const char *cache,
                               const wg_csv_options *options)
{
    static const wg_csv_options none = {.separator = '\0'};
    wg_csv_cache c = {.table = wg_table_inert()};
    cache_use use = {
        .way = {.tape = t, .of = path, .path = cache, .read = cache_read, .make = cache_remake},
        .cache = &c};
    use.way.user = &use;
    const bool fits = wg_csv_open(&use.f, t, path, options);
    wg_cache_use(&use.way, fits, &use.f.window, cache_options(options != NULL ? options : &none));
    wg_csv_close(&use.f);
    c.made = use.way.made;
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
