/* Caches of svmlight files: the entries of all rows as pairs, column and value, behind them where
 * rows begin, and labels. */
#include "models/files/archive_internal.h"
#include "models/files/cache_internal.h"
#include "models/files/svmlight_internal.h"
#include "models/files/table_internal.h"

#include "autograd/hash.h"
#include "autograd/op.h"

#include <math.h>
#include <string.h>

enum { PAIRS = 512 }; /* at a time */

static const char pairs_format[] = "wengert sparse rows 1";

typedef struct pairs_use {
    wg_cache_way way;
    wg_svmlight_file f;
    wg_writer writer;
    wg_svmlight_cache *cache;
} pairs_use;

/* ---- Making it. ------------------------------------------------------------------------------ */

static uint64_t pairs_options(const wg_svmlight_options *o)
{
    const int64_t numbers[] = {o->columns, o->limits.columns, o->limits.classes, o->zero_based,
                               o->f32};
    uint64_t hash = WG_HASH_START;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        hash = wg_hash_word(hash, (uint64_t)numbers[i]);
    return hash;
}

static bool pairs_put(wg_svmlight_file *f)
{
    pairs_use *use = f->user;
    double pair[2 * PAIRS];
    for (int64_t i = 0, n; i < f->held; i += n) {
        n = f->held - i < PAIRS ? f->held - i : PAIRS;
        for (int64_t k = 0; k < n; k++) {
            pair[2 * k] = (double)f->column[i + k];
            pair[2 * k + 1] = f->value[i + k];
        }
        wg_elements_write(&use->writer, &(wg_tensor){.data = pair, .dtype = WG_F64, .size = 2 * n});
    }
    f->held = 0;
    return !use->writer.failed;
}

/* What the rows are. Of more labels than can be classes none is named. */
static bool pairs_put_archive(const wg_svmlight_file *f, wg_writer *w, const char *identity)
{
    wg_tape *t = f->tape;
    const wg_mark mark = wg_tape_mark(t);
    const bool named = f->labels.n <= f->label_limit;
    wg_archive *a = wg_archive_new(t);
    wg_archive_put_string(a, "format", pairs_format);
    wg_archive_put_string(a, "identity", identity);
    wg_archive_put_integer(a, "columns", f->options.columns > 0 ? f->options.columns : f->columns);
    wg_archive_put_integer(a, "rounded", f->rounded);
    wg_archive_put_integer(a, "zero_based", f->options.zero_based);
    wg_archive_put_integer(a, "f32", f->options.f32);
    wg_archive_put_tensor(a, "start", wg_constant(t, WG_I64, WG_SHAPE(f->rows + 1), f->start));
    wg_archive_put_tensor(a, "label", wg_constant(t, WG_F64, WG_SHAPE(f->rows), f->label));
    wg_cache_put_texts(a, "class", f->labels.text, named ? f->labels.n : 0);
    if (named)
        wg_archive_put_tensor(a, "class_of_row",
                              wg_constant(t, WG_I64, WG_SHAPE(f->rows), f->label_text));
    if (wg_tape_status(t) != WG_OK || !wg_archive_write(a, w))
        return false;
    return wg_tape_rewind(t, mark) == WG_OK;
}

static bool pairs_make(void *user, const char *identity)
{
    pairs_use *use = user;
    wg_svmlight_file *f = &use->f;
    wg_writer *w = &use->writer;
    if (!wg_writer_open(w, f->tape, use->way.path))
        return false;
    wg_npy_put_header(w, WG_F64, &(wg_shape){2, {0, 0}}); /* until it is known */
    f->put = pairs_put;
    f->user = use;
    f->label_limit = f->options.limits.classes;
    bool done = wg_svmlight_parse(f);
    if (done && (f->entries == 0 || f->columns > INT64_C(1) << 53)) {
        wg_fail(f->tape, WG_E_VALUE, "%s: %s features for a cache", f->path,
                f->entries == 0 ? "no" : "too large");
        done = false;
    }
    if (done && pairs_put_archive(f, w, identity)) {
        wg_writer_back(w);
        wg_npy_put_header(w, WG_F64, &(wg_shape){2, {f->entries, 2}});
        wg_writer_close(w);
    } else
        wg_writer_abandon(w);
    return wg_tape_status(f->tape) == WG_OK;
}

/* ---- Reading it. ----------------------------------------------------------------------------- */

typedef struct pairs_stream {
    const wg_npy_stream *rows;
    int64_t columns;
    wg_dtype dtype; /* of what is read of each pair: i64 is the column */
} pairs_stream;

/* Element i of what is read; false: it is none. */
static bool pairs_take(const pairs_stream *s, const double pair[2], void *to, int64_t i)
{
    if (s->dtype == WG_F32)
        ((float *)to)[i] = (float)pair[1];
    else if (s->dtype == WG_F64)
        ((double *)to)[i] = pair[1];
    else if (pair[0] >= 0 && pair[0] < (double)s->columns && pair[0] == floor(pair[0]))
        ((int64_t *)to)[i] = (int64_t)pair[0];
    else
        return false;
    return true;
}

static const char *pairs_read(void *user, int64_t first, int64_t n, void *to)
{
    const pairs_stream *s = user;
    double pair[2 * PAIRS];
    for (int64_t i = 0, part; i < n; i += part) {
        part = n - i < PAIRS ? n - i : PAIRS;
        const char *wrong = wg_npy_stream_read(s->rows, first + i, part, pair);
        if (wrong != NULL)
            return wrong;
        for (int64_t k = 0; k < part; k++)
            if (!pairs_take(s, pair + 2 * k, to, i + k))
                return "a column that is none";
    }
    return NULL;
}

static wg_tensor *pairs_streamed(wg_tape *t, const wg_cache_file *c, int64_t columns,
                                 wg_dtype dtype)
{
    pairs_stream *s = wg_tape_take(t, sizeof *s);
    if (s == NULL)
        return NULL;
    *s = (pairs_stream){c->rows, columns, dtype};
    return wg_streamed(t, dtype == WG_I64 ? "columns" : "values", dtype, WG_SHAPE(c->n),
                       &(wg_stream){.read = pairs_read, .user = s});
}

/* Do rows begin where the ones before end, and the last one at the last entry? */
static bool pairs_starts_fit(const wg_tensor *start, int64_t entries)
{
    const int64_t *at = start->data;
    bool fits = at[0] == 0 && at[start->size - 1] == entries;
    for (int64_t i = 1; fits && i < start->size; i++)
        fits = at[i] >= at[i - 1];
    return fits;
}

static const wg_tensor *pairs_tensor(const pairs_use *use, const wg_cache_file *c, const char *what,
                                     wg_dtype dtype, int64_t n)
{
    const wg_tensor *x = wg_archive_tensor(c->archive, what);
    if (x != NULL && x->dtype == dtype && x->shape.ndim == 1 && x->size > 0 &&
        (n < 0 || x->size == n))
        return x;
    wg_cache_fail(&use->way, "its rows are others than it says");
    return NULL;
}

/* Does each row have one of the classes? */
static bool pairs_classes_fit(const pairs_use *use, const wg_tensor *number,
                              const char *const *class, int64_t classes)
{
    const char *text;
    for (int64_t i = 0; i < number->size; i++)
        if (!wg_cache_text(&use->way, wg_element(number, i), class, classes, &text))
            return false;
    return true;
}

/* What is said of all rows, and where they begin. */
static bool pairs_parts(const pairs_use *use, const wg_cache_file *c, wg_table_parts *parts,
                        wg_csr *features)
{
    const wg_archive *a = c->archive;
    int64_t zero_based, f32;
    *features = (wg_csr){.start = wg_archive_tensor(a, "start")};
    *parts = (wg_table_parts){.path = use->f.path, .label_name = "label"};
    parts->class_limit = use->f.options.limits.classes;
    parts->label_text = wg_cache_texts(use->way.tape, a, "class", &parts->labels);
    if (parts->label_text == NULL ||
        !wg_archive_integer(a, "cache", "columns", 1, INT64_MAX / 8, &features->columns) ||
        !wg_archive_integer(a, "cache", "rounded", 0, INT64_MAX, &parts->rounded) ||
        !wg_archive_integer(a, "cache", "zero_based", 0, 1, &zero_based) ||
        !wg_archive_integer(a, "cache", "f32", 0, 1, &f32) ||
        pairs_tensor(use, c, "start", WG_I64, -1) == NULL)
        return false;
    if (c->width != 2 || wg_npy_stream_dtype(c->rows) != WG_F64 ||
        !pairs_starts_fit(features->start, c->n))
        return wg_cache_fail(&use->way, "its rows are others than it says");
    features->rows = features->start->size - 1;
    parts->zero_based = zero_based == 1;
    parts->features = wg_constant(use->way.tape, f32 ? WG_F32 : WG_F64, WG_SHAPE(features->rows, 0),
                                  &(double){0});
    return true;
}

/* Their labels: numbers, and the classes that these are where all were kept. */
static bool pairs_labels(const pairs_use *use, const wg_cache_file *c, wg_table_parts *parts,
                         int64_t n)
{
    const wg_tensor *label = pairs_tensor(use, c, "label", WG_F64, n);
    if (label == NULL)
        return false;
    parts->label_value = label->data;
    if (parts->labels == 0) {
        parts->label_text = NULL;
        return true;
    }
    const wg_tensor *number = pairs_tensor(use, c, "class_of_row", WG_I64, n);
    if (number == NULL || !pairs_classes_fit(use, number, parts->label_text, parts->labels))
        return false;
    parts->label_number = number->data;
    return true;
}

static void pairs_table(const pairs_use *use, const wg_cache_file *c)
{
    wg_tape *t = use->way.tape;
    wg_table_parts parts;
    wg_csr *features = wg_tape_take(t, sizeof *features);
    if (features == NULL || !pairs_parts(use, c, &parts, features) ||
        !pairs_labels(use, c, &parts, features->rows))
        return;
    features->column = pairs_streamed(t, c, features->columns, WG_I64);
    features->value = pairs_streamed(t, c, features->columns, parts.features->dtype);
    use->cache->table = wg_table_new(t, &parts);
    use->cache->features = features;
}

static void pairs_open(void *user, const char *identity, bool *stale)
{
    pairs_use *use = user;
    wg_cache_file c;
    if (wg_cache_open(&c, &use->way, pairs_format, identity, stale))
        pairs_table(use, &c);
    if (wg_tape_status(use->way.tape) == WG_OK && !*stale)
        use->cache->rows = c.rows;
    else
        wg_npy_stream_close(c.rows);
}

/* ---- Both. ----------------------------------------------------------------------------------- */

static void pairs_lose(wg_svmlight_cache *c)
{
    wg_svmlight_cache_close(c);
    *c = (wg_svmlight_cache){.table = wg_table_inert(), .features = wg_csr_none()};
}

wg_table *wg_svmlight_cache_load(wg_svmlight_cache *cache, wg_tape *t, const char *path)
{
    pairs_use use = {.way = {.tape = t, .of = "a file", .path = path}, .cache = cache};
    bool stale = false;
    use.f.path = "a file";
    *cache = (wg_svmlight_cache){.table = wg_table_inert(), .features = wg_csr_none()};
    if (wg_limits_fill(t, path, &use.f.options.limits, 0))
        pairs_open(&use, NULL, &stale);
    if (wg_tape_status(t) != WG_OK)
        pairs_lose(cache);
    return cache->table;
}

wg_svmlight_cache wg_svmlight_cache_open(wg_tape *t, const char *path, const char *cache,
                                         const wg_svmlight_options *options)
{
    static const wg_svmlight_options none = {.columns = 0};
    wg_svmlight_cache c = {.table = wg_table_inert(), .features = wg_csr_none()};
    pairs_use use = {
        .way = {.tape = t, .of = path, .path = cache, .read = pairs_open, .make = pairs_make},
        .cache = &c};
    use.way.user = &use;
    const bool fits = wg_svmlight_open(&use.f, t, path, options);
    wg_cache_use(&use.way, fits, &use.f.window, pairs_options(options != NULL ? options : &none));
    wg_svmlight_close(&use.f);
    c.made = use.way.made;
    if (wg_tape_status(t) != WG_OK)
        pairs_lose(&c);
    return c;
}

void wg_svmlight_cache_close(wg_svmlight_cache *cache)
{
    if (cache != NULL)
        wg_npy_stream_close(cache->rows);
}
