/* Files of rows, whatever their format is, as a dataset. */
#include "rows.h"

#include "options.h"
#include "spool.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- What it looks like ------------------------------------------------------------------------------ */

/* IDX: two zeros, a type, a number of axes. */
static const char *format_of_bytes(const unsigned char at[4])
{
    if (memcmp(at, "\x93NUM", 4) == 0)
        return "npy";
    if (memcmp(at, "PK\3\4", 4) == 0)
        return "npz";
    if (at[0] == 0x1f && at[1] == 0x8b)
        return "gzip";
    return at[0] == 0 && at[1] == 0 && at[2] >= 8 && at[2] <= 14 && at[3] >= 1 ? "idx" : NULL;
}

static bool ends_as_sparse(const char *path)
{
    static const char *const endings[] = {".svm", ".svmlight", ".libsvm"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (n >= strlen(endings[i]) && strcmp(path + n - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

/* Of a file, or of the standard input that spool has made one. */
static bool read_begin(const char *path, unsigned char begin[4])
{
    struct stat about;
    bool standard = strcmp(path, "-") == 0, whole;
    if ((standard ? fstat(STDIN_FILENO, &about) : stat(path, &about)) != 0 ||
        !S_ISREG(about.st_mode))
        return false;
    if (standard) {
        spool_rewind(path);
        whole = read(STDIN_FILENO, begin, 4) == 4;
        spool_rewind(path);
        return whole;
    }
    FILE *file = fopen(path, "rb");
    whole = file != NULL && fread(begin, 1, 4, file) == 4;
    if (file != NULL)
        fclose(file);
    return whole;
}

/* What cannot be looked into is CSV unless option format says otherwise. */
const char *rows_format(const char *path, const rows_options *o)
{
    unsigned char begin[4];
    if (o->format != NULL)
        return o->format;
    if (!read_begin(path, begin))
        return "csv";
    const char *found = format_of_bytes(begin);
    if (found != NULL)
        return found;
    return ends_as_sparse(path) || wg_svmlight_recognized(path) ? "svmlight" : "csv";
}

/* ---- Formats ----------------------------------------------------------------------------------------- */

static void tell_made(const wg_tape *t, const char *cache, const char *why)
{
    if (why != NULL && wg_tape_status(t) == WG_OK && wg_ranks_number(t) == 0)
        options_complain("%s: made, for %s", cache, why);
}

static wg_dataset read_csv(wg_tape *t, const char *path, const rows_options *o)
{
    wg_csv_options csv = {.separator = o->separator,
                          .label = o->label,
                          .no_label = o->no_label,
                          .columns = o->columns,
                          .drop = o->drop,
                          .strings = o->categories,
                          .header = o->no_header ? WG_CSV_HEADER_ABSENT : WG_CSV_HEADER_AUTO,
                          .missing = o->missing,
                          .missing_texts = o->missing_texts,
                          .f32 = o->f32,
                          .places = o->places};
    if (o->cache == NULL)
        return (wg_dataset){.table = wg_csv_read(t, path, &csv)};
    const wg_csv_cache cache = wg_csv_cache_open(t, path, o->cache,
                                                 &csv); /* to the program's end */
    tell_made(t, o->cache, cache.made);
    return (wg_dataset){.table = cache.table};
}

bool rows_streamed(const rows_options *o)
{
    return o->stream || o->cache != NULL;
}

/* The first `width` columns alone; what stands in others is left out, which is told. */
static wg_csr *first_columns(const char *path, const wg_csr *all, int64_t width)
{
    wg_tape *t = all->value->tape;
    const int64_t *start = wg_data_i64(all->start), *column = wg_data_i64(all->column);
    const size_t size = all->value->dtype == WG_F32 ? sizeof(float) : sizeof(double);
    const int64_t entries = start[all->rows];
    int64_t *starts = wg_tape_take(t, ((size_t)all->rows + 1) * sizeof *starts), n = 0;
    int64_t *columns = wg_tape_take(t, (size_t)entries * sizeof *columns);
    char *values = wg_tape_take(t, (size_t)entries * size);
    if (starts == NULL || columns == NULL || values == NULL)
        return wg_csr_none();
    starts[0] = 0;
    for (int64_t row = 0; row < all->rows; row++) {
        for (int64_t i = start[row]; i < start[row + 1] && column[i] < width; i++, n++) {
            columns[n] = column[i];
            memcpy(values + (size_t)n * size, (const char *)all->value->data + (size_t)i * size,
                   size);
        }
        starts[row + 1] = n;
    }
    if (n < entries)
        options_complain("%s: %" PRId64 " entries were left out, of features beyond the %" PRId64
                         " that were trained on",
                         path, entries - n, width);
    return wg_csr_new(t, all->value->dtype, all->rows, width, starts, columns, values);
}

/* Rows for a model may have features that it does not know, as far as numbers go. */
static wg_dataset read_svmlight(wg_tape *t, const char *path, const rows_options *o)
{
    wg_csr *sparse = NULL;
    wg_svmlight_options options = {.zero_based = o->zero_based, .f32 = o->f32};
    if (o->cache != NULL) { /* to the program's end */
        const wg_svmlight_cache cache = wg_svmlight_cache_open(t, path, o->cache, &options);
        tell_made(t, o->cache, cache.made);
        return (wg_dataset){.table = cache.table, .sparse = cache.features};
    }
    if (o->width > 0)
        options.limits.columns = INT64_MAX;
    wg_table *table = wg_svmlight_read(t, path, &options, &sparse);
    if (wg_tape_status(t) == WG_OK && o->width > 0)
        sparse = first_columns(path, sparse, o->width);
    return (wg_dataset){.table = table, .sparse = sparse};
}

/* y, or, where some labels are NaN and not all, these as another one: rows to be left out bring no class. */
static wg_tensor *fill_labels(wg_tensor *y)
{
    const int64_t n = wg_size(y);
    int64_t given = 0, missing = 0;
    for (int64_t i = 0; i < n; i++)
        missing += isnan(wg_at(y, i));
    while (given < n && isnan(wg_at(y, given)))
        given++;
    double *filled = missing > 0 && given < n ? wg_tape_take(y->tape, (size_t)n * sizeof *filled)
                                              : NULL;
    for (int64_t i = 0; filled != NULL && i < n; i++)
        filled[i] = wg_at(y, isnan(wg_at(y, i)) ? given : i);
    return filled != NULL ? wg_constant_from(y->tape, y->dtype, WG_SHAPE(n), filled) : y;
}

/* An entry that no model takes; row < 0: there is none. */
typedef struct odd_entry {
    int64_t row, column;
    double value;
} odd_entry;

/* The first one of rows `first` to `end` - 1, which are read some at a time where they are streamed. */
static odd_entry find_odd(const wg_tensor *X, bool missing, int64_t first, int64_t end)
{
    enum { BYTES = 1 << 20 };
    const int64_t columns = wg_size(X) / wg_dim(X, 0), most = 1 + BYTES / (8 * columns + 1);
    void *room = wg_rows_room(X, most);
    for (int64_t row = first, n; row < end; row += n) {
        n = end - row < most ? end - row : most;
        const wg_tensor piece = wg_rows_piece(X, row, n, room);
        for (int64_t i = 0; piece.data != NULL && i < n * columns; i++) {
            const double value = wg_element(&piece, i);
            if (isfinite(value) || (missing && isnan(value)))
                continue;
            wg_temporary_free(X->tape, room);
            return (odd_entry){row + i / columns, i % columns, value};
        }
    }
    wg_temporary_free(X->tape, room);
    return (odd_entry){.row = -1};
}

/* Are all entries such that a model takes them? Asked before rows are left out or dealt to parts, so that it is the
 * file's row that is named. Of a stream each rank reads a part, and all are told. */
static bool entries_fit(const char *path, const rows_options *o, const wg_tensor *X)
{
    wg_tape *t = X->tape;
    const int64_t rows = wg_dim(X, 0);
    if (wg_tape_status(t) != WG_OK || rows == 0 || wg_size(X) == 0)
        return wg_tape_status(t) == WG_OK;
    const int64_t rank = o->stream ? wg_ranks_number(t) : 0,
                  size = o->stream ? wg_ranks_size(t) : 1;
    odd_entry odd = find_odd(X, o->missing != WG_CSV_MISSING_ERROR, rows * rank / size,
                             rows * (rank + 1) / size);
    size_t bytes = sizeof odd;
    odd_entry *all = size > 1 ? wg_ranks_gather(t, &odd, sizeof odd, true, &bytes) : NULL;
    for (size_t i = bytes / sizeof odd; all != NULL && i-- > 0;)
        odd = all[i].row >= 0 ? all[i] : odd;
    wg_temporary_free(t, all);
    if (wg_tape_status(t) == WG_OK && odd.row >= 0)
        wg_fail(t, WG_E_NOT_FINITE, "%s: row %" PRId64 ", column %" PRId64 " (x%" PRId64 ") is %g",
                path, odd.row + 1, odd.column + 1, odd.column + 1,
                isnan(odd.value) ? fabs(odd.value) : odd.value);
    return wg_tape_status(t) == WG_OK;
}

/* Rows of arrays; those with a NaN are left out where that is asked for. */
static wg_dataset table_of(const char *path, const rows_options *o, wg_tensor *X, wg_tensor *y,
                           const char *name)
{
    if (!o->stream && (o->f32 || o->f64))
        X = wg_cast(X, o->f32 ? WG_F32 : WG_F64);
    if (!entries_fit(path, o, X))
        return (wg_dataset){.table = NULL};
    const bool drop = o->missing == WG_CSV_MISSING_DROP;
    wg_tensor *labels = drop && y != NULL ? fill_labels(y) : y;
    wg_table *all = wg_table_of(path, X, labels, name);
    if (!drop || (all->missing == NULL && labels == y) || wg_tape_status(X->tape) != WG_OK)
        return (wg_dataset){.table = all};
    int64_t n = 0, *kept = wg_tape_take(X->tape, (size_t)all->rows * sizeof *kept);
    for (int64_t row = 0; kept != NULL && row < all->rows; row++) {
        bool whole = y == NULL || !isnan(wg_at(y, row));
        for (int64_t j = 0; j < all->columns; j++)
            whole = whole && !isnan(wg_at(all->features, row * all->columns + j));
        kept[n] = row;
        n += whole;
    }
    wg_table *some = wg_table_take(all, wg_constant(X->tape, WG_I64, WG_SHAPE(n), kept));
    if (wg_tape_status(X->tape) == WG_OK)
        some->dropped = all->rows - n;
    return (wg_dataset){.table = some};
}

static wg_tensor *read_array(wg_tape *t, const char *path, bool idx, wg_dtype dtype)
{
    return idx ? wg_idx_read(t, path, dtype) : wg_npy_read(t, path);
}

/* The file stays open to the program's end. */
static wg_tensor *stream_array(wg_tape *t, const char *path, const rows_options *o)
{
    return wg_npy_stream_rows(wg_npy_stream_open(t, path, o->f32 ? WG_F32 : WG_DTYPE_DEFAULT), 0,
                              WG_END);
}

/* The rows in one file, their labels in another. */
static wg_dataset read_arrays(wg_tape *t, const char *path, const rows_options *o, bool idx)
{
    wg_tensor *X = o->stream ? stream_array(t, path, o)
                             : read_array(t, path, idx, o->f32 ? WG_F32 : WG_F64);
    wg_tensor *y = o->labels != NULL && !o->no_label ? read_array(t, o->labels, idx, WG_I64) : NULL;
    if (wg_tape_status(t) != WG_OK)
        return (wg_dataset){.table = NULL};
    return table_of(path, o, wg_rename(X, "X"), y != NULL ? wg_rename(y, "y") : NULL, "label");
}

static const wg_archive_entry *find_entry(const wg_archive *a, const char *name)
{
    const wg_archive_entry *e = wg_archive_first(a);
    while (e != NULL && strcmp(e->name, name) != 0)
        e = e->next;
    return e;
}

/* The first of these that there is; *name: what it is called. */
static wg_tensor *find_array(wg_tape *t, const char *path, const wg_archive *a,
                             const char *const names[], const char **name)
{
    const wg_archive_entry *e = NULL;
    for (int i = 0; e == NULL && names[i] != NULL; i++)
        e = find_entry(a, *name = names[i]);
    if (e != NULL && e->tensor == NULL)
        wg_fail(t, WG_E_FORMAT, "%s: array %s is of type %s, which is not read", path, e->name,
                e->type);
    return e != NULL ? e->tensor : NULL;
}

/* Arrays by the names that people give them. */
static wg_dataset read_npz(wg_tape *t, const char *path, const rows_options *o)
{
    static const char *const of_rows[] = {"X",        "x",      "X_train", "x_train", "data",
                                          "features", "images", "arr_0",   NULL};
    static const char *const of_labels[] = {"y",     "Y",      "y_train", "target", "targets",
                                            "label", "labels", "arr_1",   NULL};
    const wg_archive *a = wg_npz_read(t, path);
    const char *const own[] = {o->label, NULL}, *name = "label", *of_X;
    wg_tensor *X = find_array(t, path, a, of_rows, &of_X);
    wg_tensor *y = o->no_label ? NULL
                               : find_array(t, path, a, o->label != NULL ? own : of_labels, &name);
    if (wg_tape_status(t) == WG_OK && (X == NULL || (y == NULL && !o->no_label)))
        wg_fail(t, WG_E_VALUE, "%s: no array is called %s", path,
                X == NULL          ? "X, x_train, data or features"
                : o->label != NULL ? o->label
                                   : "y, y_train, target or labels: option label names it");
    if (wg_tape_status(t) != WG_OK)
        return (wg_dataset){.table = NULL};
    return table_of(path, o, X, y, name);
}

wg_dataset rows_read(wg_tape *t, const char *path, const rows_options *o)
{
    const char *format = rows_format(path, o);
    spool_rewind(path);
    if (strcmp(format, "svmlight") == 0)
        return read_svmlight(t, path, o);
    if (strcmp(format, "npz") == 0)
        return read_npz(t, path, o);
    if (strcmp(format, "npy") == 0 || strcmp(format, "idx") == 0)
        return read_arrays(t, path, o, *format == 'i');
    return read_csv(t, path, o);
}

const char *const *rows_columns(wg_tape *t, const char *const numbers[],
                                const char *const strings[])
{
    size_t n = 0, k = 0;
    while (numbers != NULL && numbers[n] != NULL)
        n++;
    while (strings != NULL && strings[k] != NULL)
        k++;
    if (numbers == NULL || strings == NULL || n + k == 0)
        return NULL;
    const char **names = wg_tape_take(t, (n + k + 1) * sizeof *names);
    if (names == NULL)
        return NULL;
    memcpy(names, numbers, n * sizeof *names);
    memcpy(names + n, strings, k * sizeof *names);
    names[n + k] = NULL;
    return names;
}

/* ---- Texts ------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void rows_sort_texts(const char **text, size_t n)
{
    qsort(text, n, sizeof *text, by_text);
}

void rows_sort_column(const wg_table *table, int64_t column, const char **text)
{
    for (int64_t i = 0; i < table->rows; i++)
        text[i] = table->strings[i * table->string_columns + column];
    rows_sort_texts(text, (size_t)table->rows);
}

bool rows_have_text(const char *const *text, size_t n, const char *one)
{
    return bsearch(&one, text, n, sizeof *text, by_text) != NULL;
}
