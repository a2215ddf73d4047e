/* Tables from CSV files: options, which column is what, and the table. */
#include "models/files/csv_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"
#include "models/files/table_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const csv_missing_texts[] = {"",    "?",    "NA",   "N/A",  "n/a", "NaN",
                                                "nan", "null", "NULL", "None", NULL};

/* ---- The options and the first rows. --------------------------------------------------------- */

/* A copy of the list, NULL behind the last, on the tape. */
static const char *const *csv_keep_texts(wg_tape *t, const char *const *texts)
{
    size_t n = 0;
    while (texts != NULL && texts[n] != NULL)
        n++;
    const char **kept = texts != NULL ? wg_tape_take(t, (n + 1) * sizeof *kept) : NULL;
    for (size_t i = 0; kept != NULL && i < n; i++)
        kept[i] = wg_tape_copy_text(t, texts[i]);
    return kept;
}

/* How other files can be read as this one, on the tape; NULL: no memory. */
static const wg_csv_options *csv_keep_options(wg_tape *t, const wg_csv_options *o)
{
    wg_csv_options *kept = wg_tape_take(t, sizeof *kept);
    if (kept != NULL)
        *kept = (wg_csv_options){.separator = o->separator,
                                 .header = o->header,
                                 .missing = o->missing,
                                 .missing_texts = csv_keep_texts(t, o->missing_texts),
                                 .infinite = o->infinite,
                                 .f32 = o->f32};
    return wg_tape_status(t) == WG_OK ? kept : NULL;
}

static bool csv_set_options(wg_csv_file *f, const wg_csv_options *options)
{
    if (options != NULL)
        f->options = *options;
    f->given = csv_keep_options(f->tape, &f->options);
    if (f->given == NULL)
        return false;
    wg_csv_options *o = &f->options;
    if (o->missing_texts == NULL)
        o->missing_texts = csv_missing_texts;
    for (const char *const *text = o->missing_texts; *text != NULL; text++)
        f->missing_begins[(unsigned char)**text] = true;
    if (o->separator != '\0' && strchr("\"\r\n+-.0123456789", o->separator) != NULL)
        return wg_csv_fail(f, WG_E_VALUE,
                           "the separator is a quote, a line end or part of a number");
    if ((unsigned char)o->separator > 127) /* a part of a character, of UTF-8, say */
        return wg_csv_fail(f, WG_E_VALUE, "the separator is not of ASCII");
    if ((unsigned)o->header > WG_CSV_HEADER_ABSENT || (unsigned)o->missing > WG_CSV_MISSING_KEEP)
        return wg_csv_fail(f, WG_E_VALUE, "option header or missing is none of its enumerators");
    return wg_limits_fill(f->tape, f->path, &o->limits, f->window.size);
}

/* Judging by the texts alone: are these the names of columns? */
static bool csv_are_names(const wg_csv_file *f)
{
    for (int64_t j = 0; j < f->columns; j++) {
        const char *name = f->column[j].name;
        if (wg_csv_is_number(name) || wg_csv_is_missing(f, name))
            return false;
        for (int64_t k = 0; k < j && k < 100; k++)
            if (strcmp(name, f->column[k].name) == 0)
                return false;
    }
    return true;
}

/* Is the first row, which f->column holds as names, a header? The scanner holds the second one. */
static bool csv_has_header(const wg_csv_file *f)
{
    if (f->options.header != WG_CSV_HEADER_AUTO)
        return f->options.header == WG_CSV_HEADER_PRESENT;
    for (int64_t j = 0; j < f->columns && j < f->scanner.count; j++)
        if (!wg_csv_is_number(f->column[j].name) && !wg_csv_is_missing(f, f->column[j].name) &&
            wg_csv_is_number(f->scanner.field[j].text))
            return true;
    return csv_are_names(f);
}

/* What is kept of a column is many times the comma that asks for it. */
static bool csv_columns_fit(const wg_csv_file *f)
{
    char reason[160];
    if (f->scanner.count <= f->options.limits.columns)
        return true;
    snprintf(reason, sizeof reason,
             "%" PRId64 " columns are more than the limit of %" PRId64
             " for a file of this size (option limits.columns)",
             f->scanner.count, f->options.limits.columns);
    return wg_csv_fail(f, WG_E_FORMAT, reason);
}

/* Takes the scanner's record for the columns' names. */
static bool csv_set_names(wg_csv_file *f)
{
    f->columns = f->scanner.count;
    f->column = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->column);
    f->order = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->order);
    for (int64_t j = 0; f->column != NULL && f->order != NULL && j < f->columns; j++) {
        f->column[j].name = wg_tape_copy_text(f->tape, f->scanner.field[j].text);
        if (f->column[j].name == NULL)
            return false;
    }
    return f->column != NULL && f->order != NULL;
}

static bool csv_make_names(wg_csv_file *f)
{
    char made[32];
    for (int64_t j = 0; j < f->columns; j++) {
        snprintf(made, sizeof made, "x%" PRId64, j + 1);
        f->column[j].name = wg_tape_copy_text(f->tape, made);
        if (f->column[j].name == NULL)
            return false;
    }
    return true;
}

/* By name, and by place where that is one. */
static int csv_by_name(const void *a, const void *b)
{
    const wg_csv_name *p = a, *q = b;
    const int order = strcmp(p->name, q->name);
    return order != 0 ? order : (p->column > q->column) - (p->column < q->column);
}

/* A model asks for each of its columns, which may be many: they are sorted once. */
static bool csv_sort_names(wg_csv_file *f)
{
    f->by_name = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->by_name);
    for (int64_t j = 0; f->by_name != NULL && j < f->columns; j++)
        f->by_name[j] = (wg_csv_name){f->column[j].name, j};
    if (f->by_name != NULL)
        qsort(f->by_name, (size_t)f->columns, sizeof *f->by_name, csv_by_name);
    return f->by_name != NULL;
}

/* The one column of that name; -1, and an error, where there is none or more than one. */
static int64_t csv_find_name(wg_csv_file *f, const char *name)
{
    if (f->by_name == NULL && !csv_sort_names(f))
        return -1;
    int64_t low = 0, high = f->columns;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (strcmp(f->by_name[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    const wg_csv_name *found = &f->by_name[low], *end = f->by_name + f->columns;
    if (found == end || strcmp(found->name, name) != 0)
        wg_fail(f->tape, WG_E_VALUE, "%s: no column is '%s'", f->path, wg_shown_text(name).s);
    else if (found + 1 < end && strcmp(found[1].name, name) == 0)
        wg_fail(f->tape, WG_E_VALUE, "%s: columns %" PRId64 " and %" PRId64 " are both '%s'",
                f->path, found->column + 1, found[1].column + 1, wg_shown_text(name).s);
    else
        return found->column;
    return -1;
}

static bool csv_find_label(wg_csv_file *f)
{
    if (f->options.no_label)
        return true;
    if (f->columns == 1 && (f->options.label == NULL || csv_find_name(f, f->options.label) == 0))
        return wg_csv_fail(
            f, WG_E_FORMAT,
            "one column, which cannot be both feature and label: another separator?");
    if (f->options.label != NULL) {
        f->label = csv_find_name(f, f->options.label);
        return f->label >= 0;
    }
    int64_t wanted = f->options.label_column == 0 ? -1 : f->options.label_column;
    f->label = wanted < 0 ? f->columns + wanted : wanted - 1;
    if (f->label >= 0 && f->label < f->columns)
        return true;
    wg_fail(f->tape, WG_E_VALUE, "%s: label column %" PRId64 " of %" PRId64 " columns", f->path,
            wanted, f->columns);
    return false;
}

static void csv_order(wg_csv_file *f, int64_t column, int64_t *ordered)
{
    if (!f->column[column].ordered)
        f->order[(*ordered)++] = column;
    f->column[column].ordered = true;
}

/* Option strings says what columns hold, not that they are read; either guess would train another
 * model than was asked for. */
static bool csv_left_out(wg_csv_file *f, int64_t j)
{
    const bool dropped = f->options.columns == NULL || f->column[j].ordered;
    wg_fail(f->tape, WG_E_VALUE, "%s: column '%s' is in option strings, but %s", f->path,
            wg_shown_text(f->column[j].name).s,
            dropped ? "option drop leaves it out" : "not in option columns");
    return false;
}

/* The columns of a list become of the kind, and the next ones in order, where that is not NULL.
 * The label is none of them. */
static bool csv_set_kind_of(wg_csv_file *f, const char *const *names, wg_csv_kind kind,
                            const char *what, int64_t *ordered)
{
    for (; names != NULL && *names != NULL; names++) {
        int64_t j = csv_find_name(f, *names);
        if (j < 0)
            return false;
        if (j == f->label) {
            wg_fail(f->tape, WG_E_VALUE, "%s: column '%s' is the label, and in option %s", f->path,
                    wg_shown_text(*names).s, what);
            return false;
        }
        if (kind == WG_CSV_STRING && f->column[j].kind == WG_CSV_SKIP)
            return csv_left_out(f, j);
        f->column[j].kind = kind;
        if (ordered != NULL)
            csv_order(f, j, ordered);
    }
    return true;
}

/* Which column is what, as far as options and the first row of data, which the scanner holds,
 * say. */
static bool csv_set_kinds(wg_csv_file *f)
{
    const wg_csv_options *o = &f->options;
    int64_t ordered = 0;
    if (!csv_find_label(f))
        return false;
    for (int64_t j = 0; j < f->columns; j++)
        f->column[j].kind = o->columns != NULL ? WG_CSV_SKIP : WG_CSV_NUMBER;
    if (!csv_set_kind_of(f, o->columns, WG_CSV_NUMBER, "columns", &ordered) ||
        !csv_set_kind_of(f, o->drop, WG_CSV_SKIP, "drop", NULL) ||
        !csv_set_kind_of(f, o->strings, WG_CSV_STRING, "strings", NULL))
        return false;
    for (int64_t j = 0; j < f->columns; j++)
        csv_order(f, j, &ordered);
    if (f->label >= 0)
        f->column[f->label].kind = WG_CSV_LABEL;
    for (int64_t j = 0; o->strings == NULL && j < f->columns && j < f->scanner.count; j++) {
        const char *text = f->scanner.field[j].text;
        f->column[j].found = f->column[j].kind == WG_CSV_NUMBER;
        if (f->column[j].found && !wg_csv_is_number(text) && !wg_csv_is_missing(f, text))
            f->column[j].kind = WG_CSV_STRING;
    }
    return true;
}

/* Looks at the first two records. */
static bool csv_look(wg_csv_file *f)
{
    if (!wg_csv_restart(f))
        return false;
    if (f->options.separator == '\0') {
        f->options.separator = wg_csv_separator(f->window.text);
        if (!wg_csv_restart(f))
            return false;
    }
    if (!wg_csv_next(f))
        return false;
    if (f->scanner.count == 0)
        return wg_csv_fail(f, WG_E_FORMAT, "the file is empty");
    if (!csv_columns_fit(f) || !csv_set_names(f) || !wg_csv_next(f))
        return false;
    f->header = csv_has_header(f);
    if (!f->header && (!wg_csv_restart(f) || !csv_make_names(f) || !wg_csv_next(f)))
        return false;
    return csv_set_kinds(f);
}

/* ---- The table. ------------------------------------------------------------------------------ */

static bool csv_read_all(wg_csv_file *f)
{
    bool again;
    if (!csv_look(f) || !wg_csv_read_rows(f) || !wg_csv_judge(f, &again) ||
        (again && !wg_csv_read_rows(f)))
        return false;
    if (f->rows > 0)
        return true;
    return wg_csv_fail(f, WG_E_FORMAT,
                       f->records > 0 ? "every row has a missing value" : "a header without rows");
}

bool wg_csv_list(const wg_csv_file *f, wg_csv_kind kind, const char *const **names,
                 const int64_t **missing)
{
    const int64_t n = kind == WG_CSV_NUMBER ? f->numbers : f->strings;
    const char **name = wg_tape_take(f->tape, ((size_t)n + 1) * sizeof *name);
    int64_t *count = name != NULL ? wg_tape_take(f->tape, (size_t)n * sizeof *count) : NULL;
    int64_t at = 0;
    for (int64_t i = 0; count != NULL && i < f->columns; i++) {
        const wg_csv_column *c = &f->column[f->order[i]];
        if (c->kind == kind) {
            name[at] = c->name;
            count[at++] = c->missing;
        }
    }
    *names = name;
    *missing = count;
    return count != NULL;
}

/* Those of the header and all rows, on the tape; NULL: nobody asked for them. */
static const wg_csv_place *csv_keep_places(const wg_csv_file *f)
{
    const size_t size = ((size_t)f->rows + 1) * sizeof *f->place;
    wg_csv_place *places = f->place != NULL ? wg_tape_take(f->tape, size) : NULL;
    if (places != NULL)
        memcpy(places, f->place, size);
    return places;
}

static wg_table *csv_table(wg_csv_file *f)
{
    wg_tape *t = f->tape;
    wg_table_parts parts = {
        .path = f->path,
        .features = wg_constant_from(t, f->options.f32 ? WG_F32 : WG_F64,
                                     WG_SHAPE(f->rows, f->numbers), f->values),
        .string_columns = f->strings,
        .label_name = f->label >= 0 ? f->column[f->label].name : NULL,
        .label_text = f->label >= 0 ? f->labels.text : NULL,
        .label_number = f->label_text,
        .labels = f->labels.n,
        .label_value = f->label >= 0 && f->labels_are_numbers ? f->label_value : NULL,
        .dropped = f->records - f->rows,
        .rounded = f->rounded,
        .class_limit = f->options.limits.classes,
        .csv = f->given,
        .separator = f->options.separator,
        .places = csv_keep_places(f),
    };
    const int64_t cells = f->rows * f->strings; /* which are held */
    const char **string = wg_tape_take(t, (size_t)cells * sizeof *string);
    for (int64_t i = 0; string != NULL && i < cells; i++)
        string[i] = f->texts.text[f->string[i]];
    parts.string = string;
    return wg_csv_list(f, WG_CSV_NUMBER, &parts.column_names, &parts.missing) &&
                   wg_csv_list(f, WG_CSV_STRING, &parts.string_names, &parts.string_missing) &&
                   wg_tape_status(t) == WG_OK
               ? wg_table_new(t, &parts)
               : wg_table_inert();
}

bool wg_csv_open(wg_csv_file *f, wg_tape *t, const char *path, const wg_csv_options *options)
{
    f->tape = f->scanner.tape = f->labels.tape = f->texts.tape = t;
    f->texts.kept = true;
    f->path = path;
    f->label = -1;
    return wg_tape_status(t) == WG_OK && wg_window_open(&f->window, t, path) &&
           csv_set_options(f, options);
}

bool wg_csv_parse(wg_csv_file *f)
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale))
        return wg_csv_fail(f, WG_E_NOMEM, "no memory for the C locale");
    const bool done = csv_read_all(f);
    wg_c_locale_leave(&locale);
    return done;
}

void wg_csv_close(wg_csv_file *f)
{
    wg_window_close(&f->window);
    wg_csv_scanner_clear(&f->scanner);
    wg_texts_clear(&f->labels);
    wg_texts_clear(&f->texts);
    wg_temporary_free(f->tape, f->values);
    wg_temporary_free(f->tape, f->string);
    wg_temporary_free(f->tape, f->label_text);
    wg_temporary_free(f->tape, f->label_value);
    wg_temporary_free(f->tape, f->place);
}

wg_table *wg_csv_read(wg_tape *t, const char *path, const wg_csv_options *options)
{
    wg_csv_file file = {.tape = NULL};
    wg_table *table = wg_csv_open(&file, t, path, options) && wg_csv_parse(&file)
                          ? csv_table(&file)
                          : wg_table_inert();
    wg_csv_close(&file);
    return table;
}
