/* Tables of labels and sparse rows from files in the format of SVMlight and LIBSVM. */
#include "models/files/svmlight_internal.h"

#include "autograd/op.h"
#include "models/files/table_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef wg_svmlight_file svmlight_file;

enum { SVMLIGHT_HELD = 8192 }; /* entries, before some are put */

static bool svmlight_fail(const svmlight_file *f, const char *text, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": '%s' %s", f->path, f->line,
            wg_shown(text, strlen(text), shown), reason);
    return false;
}

/* ---- Words. ---------------------------------------------------------------------------------- */

static bool svmlight_ends(char c)
{
    return (unsigned char)c <= '#' &&
           (c == ' ' || c == '\n' || c == '\0' || c == '\t' || c == '\r' || c == '#');
}

/* The next word of the line; NULL where there is none, and f->at is at the line's end. A comment
 * ends a line. */
static char *svmlight_word(svmlight_file *f)
{
    while (*f->at == ' ' || *f->at == '\t')
        f->at++;
    if (*f->at == '#')
        f->at += strcspn(f->at, "\r\n");
    return svmlight_ends(*f->at) ? NULL : f->at;
}

/* Cuts off the word that begins at f->at, and returns the byte that stood behind it. */
static char svmlight_cut(svmlight_file *f)
{
    while (!svmlight_ends(*f->at))
        f->at++;
    char behind = *f->at;
    *f->at = '\0';
    return behind;
}

static void svmlight_step_line(svmlight_file *f)
{
    f->at += f->at[0] == '\r' && f->at[1] == '\n' ? 2 : 1;
    f->line++;
}

static bool svmlight_number(const svmlight_file *f, const char *text, double *value)
{
    switch (wg_number_read(text, value)) {
    case WG_NUMBER_NONE: return svmlight_fail(f, text, "is not a number");
    case WG_NUMBER_TOO_LARGE: return svmlight_fail(f, text, "is too large for f64");
    case WG_NUMBER_INFINITE: return svmlight_fail(f, text, "is not finite");
    case WG_NUMBER_FINITE: break;
    }
    return !(f->options.f32 && isinf((float)*value)) ||
           svmlight_fail(f, text, "is too large for f32");
}

/* Digits alone, and a number that an i64 holds. */
static bool svmlight_index(const svmlight_file *f, const char *text, int64_t *index)
{
    *index = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9')
            return svmlight_fail(f, text,
                                 strcmp(text, "qid") == 0
                                     ? "marks queries of a ranking, which is not read"
                                     : "is not the number of a feature");
        if (*index < INT64_MAX / 10 - 1)
            *index = 10 * *index + (*c - '0');
        else if (!wg_size_multiply(*index, 10, index) || !wg_size_add(*index, *c - '0', index))
            return svmlight_fail(f, text, "is too large for the number of a feature");
    }
    return *text != '\0' || svmlight_fail(f, text, "is not the number of a feature");
}

/* ---- Lines. ---------------------------------------------------------------------------------- */

/* From the file's number of a feature to a column from 0, which must lie behind the row's last. */
static bool svmlight_column(const svmlight_file *f, const char *text, int64_t *column)
{
    if (!svmlight_index(f, text, column))
        return false;
    if (!f->options.zero_based && (*column)-- == 0)
        return svmlight_fail(f, text, "is no feature: they count from 1 (option zero_based)");
    if (*column == INT64_MAX || (f->options.columns > 0 && *column >= f->options.columns))
        return svmlight_fail(f, text, "is a feature beyond option columns");
    if (f->options.columns == 0 && *column >= f->options.limits.columns) {
        char reason[128];
        snprintf(reason, sizeof reason,
                 "is a feature beyond the limit of %" PRId64
                 " for a file of this size (option columns or limits.columns)",
                 f->options.limits.columns);
        return svmlight_fail(f, text, reason);
    }
    if (f->entries == f->start[f->rows])
        return true;
    int64_t last = f->column[f->held - 1];
    if (*column == last)
        return svmlight_fail(f, text, "is a feature that the line has twice");
    return *column > last || svmlight_fail(f, text, "is a feature behind a later one");
}

static bool svmlight_reserve_entry(svmlight_file *f)
{
    int64_t need = f->held + 1;
    return wg_temporary_grow(f->tape, (void **)&f->column, &f->column_capacity, need,
                             sizeof *f->column) &&
           wg_temporary_grow(f->tape, (void **)&f->value, &f->value_capacity, need,
                             sizeof *f->value);
}

/* feature:value */
static bool svmlight_entry(svmlight_file *f, char *word)
{
    char behind = svmlight_cut(f), *colon = word;
    while (*colon != ':' && colon < f->at)
        colon++;
    if (colon == f->at)
        return svmlight_fail(f, word, "is not feature:value");
    if (!svmlight_reserve_entry(f))
        return false;
    *colon = '\0';
    int64_t *column = &f->column[f->held];
    if (!svmlight_column(f, word, column) || !svmlight_number(f, colon + 1, &f->value[f->held]))
        return false;
    f->rounded += wg_number_loses(colon + 1, f->value[f->held]);
    if (*column >= f->columns)
        f->columns = *column + 1;
    f->entries++;
    f->held++;
    *f->at = behind;
    return true;
}

static bool svmlight_reserve_row(svmlight_file *f)
{
    int64_t need = f->rows + 1;
    return wg_temporary_grow(f->tape, (void **)&f->start, &f->start_capacity, need + 1,
                             sizeof *f->start) &&
           wg_temporary_grow(f->tape, (void **)&f->label, &f->label_capacity, need,
                             sizeof *f->label) &&
           wg_temporary_grow(f->tape, (void **)&f->label_text, &f->text_capacity, need,
                             sizeof *f->label_text);
}

static bool svmlight_line(svmlight_file *f, char *label)
{
    if (!svmlight_reserve_row(f))
        return false;
    f->start[0] = 0;
    char behind = svmlight_cut(f);
    f->label_text[f->rows] = f->label_limit > 0 && f->labels.n > f->label_limit
                                 ? 0 /* too many to be told apart */
                                 : wg_texts_number(&f->labels, label);
    if (f->label_text[f->rows] < 0 || !svmlight_number(f, label, &f->label[f->rows]))
        return false;
    *f->at = behind;
    for (char *word = svmlight_word(f); word != NULL; word = svmlight_word(f))
        if (!svmlight_entry(f, word))
            return false;
    f->rows++;
    f->start[f->rows] = f->entries;
    if (*f->at != '\0')
        svmlight_step_line(f);
    return f->put == NULL || f->held < SVMLIGHT_HELD || f->put(f);
}

/* On to the next lines of the file; *f->at is NUL where there are none. */
static bool svmlight_next(svmlight_file *f)
{
    if (*f->at != '\0')
        return true;
    const bool read = wg_window_next(&f->window, f->line);
    f->at = f->window.text;
    return read;
}

static bool svmlight_lines(svmlight_file *f)
{
    while (svmlight_next(f) && *f->at != '\0') {
        char *label = svmlight_word(f);
        if (label != NULL ? !svmlight_line(f, label) : false)
            return false;
        if (label == NULL && *f->at != '\0')
            svmlight_step_line(f);
    }
    if (f->rows > 0 || wg_tape_status(f->tape) != WG_OK)
        return wg_tape_status(f->tape) == WG_OK && (f->put == NULL || f->put(f));
    wg_fail(f->tape, WG_E_FORMAT, "%s: the file has no line with a label", f->path);
    return false;
}

/* ---- The table and the matrix. --------------------------------------------------------------- */

/* Labels in a table without columns; doubles become floats in place where f32 is asked for. */
static wg_table *svmlight_finish(svmlight_file *f, wg_csr **features)
{
    const double none = 0;
    wg_tape *t = f->tape;
    wg_dtype dtype = f->options.f32 ? WG_F32 : WG_F64;
    int64_t columns = f->options.columns > 0 ? f->options.columns : f->columns;
    wg_table_parts parts = {
        .path = f->path,
        .features = wg_constant(t, dtype, WG_SHAPE(f->rows, 0), &none),
        .label_name = "label",
        .label_text = f->labels.text,
        .label_number = f->label_text,
        .labels = f->labels.n,
        .label_value = f->label,
        .zero_based = f->options.zero_based,
        .rounded = f->rounded,
        .class_limit = f->options.limits.classes,
    };
    for (int64_t i = 0; f->options.f32 && i < f->entries; i++) {
        float narrow = (float)f->value[i]; /* float i lies at or before double i */
        memcpy((char *)f->value + (size_t)i * sizeof narrow, &narrow, sizeof narrow);
    }
    wg_table *table = wg_tape_status(t) == WG_OK ? wg_table_new(t, &parts) : wg_table_inert();
    *features = wg_csr_new(t, dtype, f->rows, columns, f->start, f->column, f->value);
    return wg_tape_status(t) == WG_OK ? table : wg_table_inert();
}

bool wg_svmlight_open(wg_svmlight_file *f, wg_tape *t, const char *path,
                      const wg_svmlight_options *options)
{
    *f = (wg_svmlight_file){.tape = t, .path = path, .labels.tape = t};
    if (options != NULL)
        f->options = *options;
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (f->options.columns < 0)
        wg_fail(t, WG_E_VALUE, "svmlight: option columns is negative");
    return f->options.columns >= 0 && wg_window_open(&f->window, t, path) &&
           wg_limits_fill(t, path, &f->options.limits, f->window.size);
}

bool wg_svmlight_parse(wg_svmlight_file *f)
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale)) {
        wg_fail(f->tape, WG_E_NOMEM, "%s: no memory for the C locale", f->path);
        return false;
    }
    f->line = 1;
    bool done = wg_window_next(&f->window, 1);
    if (done) { /* behind an UTF-8 byte order mark */
        f->at = f->window.text + (strncmp(f->window.text, WG_BOM, 3) == 0 ? 3 : 0);
        done = svmlight_lines(f);
    }
    wg_c_locale_leave(&locale);
    return done;
}

void wg_svmlight_close(wg_svmlight_file *f)
{
    wg_window_close(&f->window);
    wg_texts_clear(&f->labels);
    wg_temporary_free(f->tape, f->start);
    wg_temporary_free(f->tape, f->column);
    wg_temporary_free(f->tape, f->value);
    wg_temporary_free(f->tape, f->label);
    wg_temporary_free(f->tape, f->label_text);
}

wg_table *wg_svmlight_read(wg_tape *t, const char *path, const wg_svmlight_options *options,
                           wg_csr **features)
{
    svmlight_file file;
    wg_csr *unused;
    wg_table *table = wg_table_inert();
    if (features == NULL)
        features = &unused;
    *features = wg_csr_none();
    if (wg_svmlight_open(&file, t, path, options) && wg_svmlight_parse(&file))
        table = svmlight_finish(&file, features);
    if (wg_tape_status(t) != WG_OK)
        *features = wg_csr_none();
    wg_svmlight_close(&file);
    return table;
}

/* ---- Recognizing one. ------------------------------------------------------------------------ */

/* Is the word feature:value, or the qid of a ranking? It is cut at its colon. */
static bool svmlight_is_entry(char *word)
{
    double value;
    char *colon = strchr(word, ':');
    if (colon == NULL || colon == word)
        return false;
    *colon = '\0';
    return (strspn(word, "0123456789") == (size_t)(colon - word) || strcmp(word, "qid") == 0) &&
           wg_number_read(colon + 1, &value) != WG_NUMBER_NONE;
}

/* One line, without its comment; *entries counts. */
static bool svmlight_is_line(char *line, int64_t *entries)
{
    double value;
    bool label = true;
    line[strcspn(line, "#")] = '\0';
    for (char *word = line + strspn(line, " \t"); *word != '\0'; label = false) {
        size_t length = strcspn(word, " \t");
        char *next = word + length + strspn(word + length, " \t");
        word[length] = '\0';
        if (label ? wg_number_read(word, &value) == WG_NUMBER_NONE : !svmlight_is_entry(word))
            return false;
        *entries += !label;
        word = next;
    }
    return true;
}

bool wg_svmlight_recognized(const char *path)
{
    char text[4097];
    struct stat about;
    bool standard = path != NULL && strcmp(path, "-") == 0;
    int file = standard       ? STDIN_FILENO
               : path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
                              : -1;
    ssize_t got = file >= 0 && fstat(file, &about) == 0 && S_ISREG(about.st_mode)
                      ? read(file, text, sizeof text - 1)
                      : -1;
    if (standard && got > 0)
        (void)lseek(file, (off_t)-got, SEEK_CUR);
    else if (file >= 0 && !standard)
        close(file);
    if (got <= 0)
        return false;
    text[got] = '\0';
    int64_t entries = 0;
    bool whole = (size_t)got < sizeof text - 1; /* else the last word may be cut */
    for (char *line = text; *line != '\0';) {
        char *end = line + strcspn(line, "\r\n");
        bool last = *end == '\0';
        char *cut = last && !whole ? strrchr(line, ' ') : end;
        *(cut != NULL ? cut : line) = '\0';
        if (!svmlight_is_line(line, &entries))
            return false;
        line = last ? end : end + 1;
    }
    return entries > 0;
}
