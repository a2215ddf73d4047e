/* Tables from CSV files: which column is what, rows, missing values. */
#include "models/files/csv.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"
#include "models/files/csv_fields_internal.h"
#include "models/files/table_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum csv_kind { CSV_NUMBER, CSV_STRING, CSV_LABEL, CSV_SKIP } csv_kind;

typedef struct csv_column {
    const char *name;
    csv_kind kind;
    bool found;             /* the kind was told from the file, and may turn out to be another */
    bool indicated;         /* option indicators names it */
    bool several;           /* more than one text that is no number was seen */
    int64_t missing;        /* how many values */
    int64_t numbers, other; /* found: fields that are numbers, and that are not */
    const char *text;       /* found: the first that is not, */
    int64_t line;           /* and where it is */
} csv_column;

/* A file while it is read. Columns are those of the file; those of a kind stay in the file's order. */
typedef struct csv_file {
    wg_tape *tape;
    const char *path;
    wg_csv_options options; /* with the defaults filled in */
    wg_csv_scanner scanner;
    const char *bytes; /* [size + 1], as in the file */
    char *work;        /* [size + 1], a copy that the scanner cuts */
    int64_t size;
    bool header;
    csv_column *column; /* [columns], on the tape */
    int64_t columns;
    int64_t label;                        /* column from 0; -1: none */
    int64_t numbers, strings, indicators; /* how many columns are of the kind */
    int64_t rows, records;                /* rows: those that are kept */
    double *values;                       /* [rows, numbers], NaN where missing */
    const char **string;                  /* [rows, strings], into the work */
    const char **label_text;              /* [rows], into the work */
    double *label_value;                  /* [rows], as far as labels_are_numbers */
    int64_t values_capacity, string_capacity, label_text_capacity, label_value_capacity;
    bool labels_are_numbers;
} csv_file;

static const char *const csv_missing_texts[] = {"",    "?",    "NA",   "N/A",  "n/a", "NaN",
                                                "nan", "null", "NULL", "None", NULL};

/* ---- Errors. --------------------------------------------------------------------------------- */

static bool csv_fail_text(const csv_file *f, int64_t column, const char *text, int64_t line,
                          const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": column %" PRId64 " (%s): '%s' %s", f->path, line,
            column + 1, f->column[column].name, wg_shown(text, strlen(text), shown), reason);
    return false;
}

static bool csv_fail_field(const csv_file *f, int64_t column, const char *reason)
{
    const wg_csv_field *field = &f->scanner.field[column];
    return csv_fail_text(f, column, field->text, field->line, reason);
}

static bool csv_fail(const csv_file *f, wg_status status, const char *reason)
{
    wg_fail(f->tape, status, "%s: %s", f->path, reason);
    return false;
}

/* ---- The options and the first rows. --------------------------------------------------------- */

static bool csv_set_options(csv_file *f, const wg_csv_options *options)
{
    if (options != NULL)
        f->options = *options;
    wg_csv_options *o = &f->options;
    if (o->missing_texts == NULL)
        o->missing_texts = csv_missing_texts;
    if (o->separator != '\0' && strchr("\"\r\n+-.0123456789", o->separator) != NULL)
        return csv_fail(f, WG_E_VALUE, "the separator is a quote, a line end or part of a number");
    if ((unsigned)o->header > WG_CSV_HEADER_ABSENT || (unsigned)o->missing > WG_CSV_MISSING_KEEP)
        return csv_fail(f, WG_E_VALUE, "option header or missing is none of its enumerators");
    return wg_limits_fill(f->tape, f->path, &o->limits, f->size);
}

/* Does the text stand for a missing value? */
static bool csv_is_missing(const csv_file *f, const char *text)
{
    for (const char *const *missing = f->options.missing_texts; *missing != NULL; missing++)
        if (**missing == *text && strcmp(*missing, text) == 0)
            return true;
    return false;
}

static bool csv_is_number(const char *text)
{
    double value;
    return wg_number_read(text, &value) != WG_NUMBER_NONE;
}

/* Are these the names of columns, for all that they say themselves? */
static bool csv_are_names(const csv_file *f)
{
    for (int64_t j = 0; j < f->columns; j++) {
        const char *name = f->column[j].name;
        if (csv_is_number(name) || csv_is_missing(f, name))
            return false;
        for (int64_t k = 0; k < j && k < 100; k++)
            if (strcmp(name, f->column[k].name) == 0)
                return false;
    }
    return true;
}

/* Is the first row, which f->column holds as names, a header? The scanner holds the second one. */
static bool csv_has_header(const csv_file *f)
{
    if (f->options.header != WG_CSV_HEADER_AUTO)
        return f->options.header == WG_CSV_HEADER_PRESENT;
    for (int64_t j = 0; j < f->columns && j < f->scanner.count; j++)
        if (!csv_is_number(f->column[j].name) && !csv_is_missing(f, f->column[j].name) &&
            csv_is_number(f->scanner.field[j].text))
            return true;
    return csv_are_names(f);
}

/* Takes the scanner's record for the columns' names. */
static bool csv_set_names(csv_file *f)
{
    f->columns = f->scanner.count;
    f->column = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->column);
    for (int64_t j = 0; f->column != NULL && j < f->columns; j++) {
        f->column[j].name = wg_tape_copy_text(f->tape, f->scanner.field[j].text);
        if (f->column[j].name == NULL)
            return false;
    }
    return f->column != NULL;
}

static bool csv_make_names(csv_file *f)
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

/* The one column of that name; -1, and an error, where there is none or more than one. */
static int64_t csv_find_name(const csv_file *f, const char *name)
{
    int64_t found = -1;
    for (int64_t j = 0; j < f->columns; j++) {
        if (strcmp(f->column[j].name, name) != 0)
            continue;
        if (found >= 0) {
            wg_fail(f->tape, WG_E_VALUE, "%s: columns %" PRId64 " and %" PRId64 " are both '%s'",
                    f->path, found + 1, j + 1, name);
            return -1;
        }
        found = j;
    }
    if (found < 0)
        wg_fail(f->tape, WG_E_VALUE, "%s: no column is '%s'", f->path, name);
    return found;
}

static bool csv_find_label(csv_file *f)
{
    f->label = -1;
    if (f->options.no_label)
        return true;
    if (f->columns == 1)
        return csv_fail(f, WG_E_FORMAT,
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

/* The columns of a list become of the kind. The label is none of them. */
static bool csv_set_kind_of(csv_file *f, const char *const *names, csv_kind kind, const char *what)
{
    for (; names != NULL && *names != NULL; names++) {
        int64_t j = csv_find_name(f, *names);
        if (j < 0)
            return false;
        if (j == f->label) {
            wg_fail(f->tape, WG_E_VALUE, "%s: column '%s' is the label, and in option %s", f->path,
                    *names, what);
            return false;
        }
        f->column[j].kind = kind;
    }
    return true;
}

static bool csv_set_indicators(csv_file *f)
{
    const char *const *name = f->options.indicators;
    for (; name != NULL && *name != NULL; name++) {
        int64_t j = csv_find_name(f, *name);
        if (j < 0)
            return false;
        f->column[j].indicated = true;
    }
    return true;
}

/* Which column is what, as far as options and the first row of data, which the scanner holds, say. */
static bool csv_set_kinds(csv_file *f)
{
    const wg_csv_options *o = &f->options;
    if (!csv_find_label(f))
        return false;
    for (int64_t j = 0; j < f->columns; j++)
        f->column[j].kind = o->columns != NULL ? CSV_SKIP : CSV_NUMBER;
    if (!csv_set_kind_of(f, o->columns, CSV_NUMBER, "columns") ||
        !csv_set_kind_of(f, o->drop, CSV_SKIP, "drop") ||
        !csv_set_kind_of(f, o->strings, CSV_STRING, "strings") || !csv_set_indicators(f))
        return false;
    if (f->label >= 0)
        f->column[f->label].kind = CSV_LABEL;
    for (int64_t j = 0; o->strings == NULL && j < f->columns && j < f->scanner.count; j++) {
        const char *text = f->scanner.field[j].text;
        f->column[j].found = f->column[j].kind == CSV_NUMBER;
        if (f->column[j].found && !csv_is_number(text) && !csv_is_missing(f, text))
            f->column[j].kind = CSV_STRING;
    }
    return true;
}

/* Back to the file's first byte, in text that nothing was cut from. */
static void csv_restart(csv_file *f)
{
    memcpy(f->work, f->bytes, (size_t)f->size + 1);
    wg_csv_scanner_init(&f->scanner, f->tape, f->path, f->options.separator, f->work, f->size);
}

/* Looks at the first two records. */
static bool csv_look(csv_file *f)
{
    if (f->options.separator == '\0')
        f->options.separator = wg_csv_separator(f->bytes);
    csv_restart(f);
    if (!wg_csv_record(&f->scanner))
        return false;
    if (f->scanner.count == 0)
        return csv_fail(f, WG_E_FORMAT, "the file is empty");
    if (!csv_set_names(f) || !wg_csv_record(&f->scanner))
        return false;
    f->header = csv_has_header(f);
    if (!f->header) {
        csv_restart(f);
        if (!csv_make_names(f) || !wg_csv_record(&f->scanner))
            return false;
    }
    return csv_set_kinds(f);
}

/* ---- Rows. ----------------------------------------------------------------------------------- */

/* A field that is no number, where the kind was found: the column is judged at the end. */
static void csv_note(csv_file *f, int64_t column)
{
    csv_column *c = &f->column[column];
    const wg_csv_field *field = &f->scanner.field[column];
    if (c->other++ == 0) {
        c->text = field->text;
        c->line = field->line;
    }
    c->several |= strcmp(c->text, field->text) != 0;
}

static bool csv_read_number(csv_file *f, int64_t column, double *value)
{
    csv_column *c = &f->column[column];
    switch (wg_number_read(f->scanner.field[column].text, value)) {
    case WG_NUMBER_NONE:
        *value = (double)NAN;
        if (!c->found)
            return csv_fail_field(f, column, "is not a number (nor in the list of strings)");
        csv_note(f, column);
        return true;
    case WG_NUMBER_TOO_LARGE: return csv_fail_field(f, column, "is too large for f64");
    case WG_NUMBER_INFINITE:
        if (f->options.infinite)
            break;
        return csv_fail_field(f, column, "is not finite");
    case WG_NUMBER_FINITE: break;
    }
    c->numbers++;
    if (f->options.f32 && isinf((float)*value))
        return csv_fail_field(f, column, "is too large for f32");
    return true;
}

/* The label of row f->rows. */
static bool csv_read_label(csv_file *f, bool *missing, bool *number)
{
    const char *text = f->scanner.field[f->label].text;
    double *value = &f->label_value[f->rows];
    f->label_text[f->rows] = text;
    *missing = csv_is_missing(f, text);
    if (*missing)
        return f->options.missing == WG_CSV_MISSING_DROP ||
               csv_fail_field(f, f->label, "is a missing label");
    *number = wg_number_read(text, value) == WG_NUMBER_FINITE;
    if (*number && f->options.f32 && isinf((float)*value))
        return csv_fail_field(f, f->label, "is too large for f32");
    return true;
}

static bool csv_read_missing(csv_file *f, int64_t column)
{
    f->column[column].missing++;
    return f->options.missing != WG_CSV_MISSING_ERROR ||
           csv_fail_field(f, column, "is a missing value");
}

static bool csv_read_value(csv_file *f, int64_t column, double *value, bool *missing)
{
    *missing = csv_is_missing(f, f->scanner.field[column].text);
    if (!*missing)
        return csv_read_number(f, column, value);
    *value = (double)NAN;
    return csv_read_missing(f, column);
}

/* A string as it stands; "" where it is missing. */
static bool csv_read_string(csv_file *f, int64_t column, const char **string, bool *missing)
{
    *string = f->scanner.field[column].text;
    *missing = csv_is_missing(f, *string);
    if (*missing) {
        *string = "";
        return csv_read_missing(f, column);
    }
    csv_column *c = &f->column[column];
    if (c->found && csv_is_number(*string))
        c->numbers++;
    else if (c->found)
        csv_note(f, column);
    return true;
}

static bool csv_reserve_row(csv_file *f)
{
    int64_t rows = f->rows + 1, values, strings;
    if (!wg_size_multiply(rows, f->numbers, &values))
        values = INT64_MAX; /* which growing refuses */
    if (!wg_size_multiply(rows, f->strings, &strings))
        strings = INT64_MAX;
    return wg_temporary_grow(f->tape, (void **)&f->values, &f->values_capacity, values,
                             sizeof *f->values) &&
           wg_temporary_grow(f->tape, (void **)&f->string, &f->string_capacity, strings,
                             sizeof *f->string) &&
           wg_temporary_grow(f->tape, (void **)&f->label_text, &f->label_text_capacity, rows,
                             sizeof *f->label_text) &&
           wg_temporary_grow(f->tape, (void **)&f->label_value, &f->label_value_capacity, rows,
                             sizeof *f->label_value);
}

static bool csv_check_length(const csv_file *f)
{
    const wg_csv_scanner *s = &f->scanner;
    if (s->count == f->columns)
        return true;
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": %" PRId64 " fields, the first row has %" PRId64,
            f->path, s->field[0].line, s->count, f->columns);
    return false;
}

/* Appends the scanner's record to the rows, or drops it. */
static bool csv_read_row(csv_file *f)
{
    if (!csv_check_length(f) || !csv_reserve_row(f))
        return false;
    double *value = f->numbers > 0 ? f->values + f->rows * f->numbers : NULL;
    const char **string = f->strings > 0 ? f->string + f->rows * f->strings : NULL;
    bool number = true, drop = false;
    for (int64_t j = 0; j < f->columns; j++) {
        bool missing = false, read = true;
        switch (f->column[j].kind) {
        case CSV_NUMBER: read = csv_read_value(f, j, value++, &missing); break;
        case CSV_STRING: read = csv_read_string(f, j, string++, &missing); break;
        case CSV_LABEL: read = csv_read_label(f, &missing, &number); break;
        case CSV_SKIP: break;
        }
        if (!read)
            return false;
        drop |= missing && f->options.missing == WG_CSV_MISSING_DROP;
    }
    if (drop)
        return true;
    f->labels_are_numbers &= number;
    f->rows++;
    return true;
}

/* All rows, from the file's first byte. */
static bool csv_read_rows(csv_file *f)
{
    f->numbers = f->strings = f->rows = f->records = 0;
    f->labels_are_numbers = true;
    for (int64_t j = 0; j < f->columns; j++) {
        csv_column *c = &f->column[j];
        c->missing = c->numbers = c->other = 0;
        f->numbers += c->kind == CSV_NUMBER;
        f->strings += c->kind == CSV_STRING;
    }
    csv_restart(f);
    if ((f->header && !wg_csv_record(&f->scanner)) || !wg_csv_record(&f->scanner))
        return false;
    for (; f->scanner.count > 0; f->records++)
        if (!csv_read_row(f) || !wg_csv_record(&f->scanner))
            return false;
    return true;
}

/* Is what was found of the columns what they turned out to be? *again: some are strings after all. */
static bool csv_judge(csv_file *f, bool *again)
{
    *again = false;
    for (int64_t j = 0; j < f->columns; j++) {
        csv_column *c = &f->column[j];
        if (!c->found || c->other == 0)
            continue;
        if (c->numbers > 0 && !c->several)
            return csv_fail_text(f, j, c->text, c->line,
                                 "is not a number, as others are: a missing value "
                                 "(missing_texts), or a column of strings?");
        *again |= c->kind == CSV_NUMBER;
        c->kind = CSV_STRING;
        c->found = false;
    }
    return true;
}

static bool csv_read_all(csv_file *f)
{
    bool again;
    if (!csv_look(f) || !csv_read_rows(f) || !csv_judge(f, &again) || (again && !csv_read_rows(f)))
        return false;
    if (f->rows > 0)
        return true;
    return csv_fail(f, WG_E_FORMAT,
                    f->records > 0 ? "every row has a missing value" : "a header without rows");
}

/* ---- Missing values. ------------------------------------------------------------------------- */

/* The mean of n values. The second sum takes back what the first one lost to rounding. */
static double csv_mean(const double *values, int64_t n)
{
    double mean = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += values[i] - mean;
        mean += sum / (double)n;
    }
    return mean;
}

static int csv_rising(const void *a, const void *b)
{
    const double *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

static double csv_median(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof *values, csv_rising);
    return n % 2 == 1 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
}

/* Puts mean or median into a column of numbers, the `at`th; known [rows] is room for the others. */
static bool csv_fill_column(csv_file *f, int64_t column, int64_t at, double *known)
{
    int64_t d = f->numbers, n = 0;
    for (int64_t i = 0; i < f->rows; i++)
        if (!isnan(f->values[i * d + at]))
            known[n++] = f->values[i * d + at];
    if (n == 0) {
        wg_fail(f->tape, WG_E_FORMAT, "%s: column %" PRId64 " (%s) has no value to fill in from",
                f->path, column + 1, f->column[column].name);
        return false;
    }
    double fill = f->options.missing == WG_CSV_MISSING_MEAN ? csv_mean(known, n)
                                                            : csv_median(known, n);
    for (int64_t i = 0; i < f->rows; i++)
        if (isnan(f->values[i * d + at]))
            f->values[i * d + at] = fill;
    return true;
}

static bool csv_fill_missing(csv_file *f)
{
    wg_csv_missing how = f->options.missing;
    if (how != WG_CSV_MISSING_MEAN && how != WG_CSV_MISSING_MEDIAN)
        return true;
    double *known = wg_temporary(f->tape, f->rows, sizeof *known);
    int64_t at = 0;
    bool done = known != NULL;
    for (int64_t j = 0; done && j < f->columns; j++) {
        if (f->column[j].kind != CSV_NUMBER)
            continue;
        done = f->column[j].missing == 0 || csv_fill_column(f, j, at, known);
        at++;
    }
    wg_temporary_free(f->tape, known);
    return done;
}

/* Widens the rows by a column of 0 and 1 for each number that is to have one, before it is filled in. */
static bool csv_indicate(csv_file *f)
{
    int64_t at = 0, d = f->numbers, width, cells;
    for (int64_t j = 0; j < f->columns; j++)
        f->indicators += f->column[j].indicated && f->column[j].kind == CSV_NUMBER;
    if (f->indicators == 0)
        return true;
    width = d + f->indicators;
    if (!wg_size_multiply(f->rows, width, &cells))
        cells = INT64_MAX;
    double *wide = wg_temporary(f->tape, cells, sizeof *wide);
    if (wide == NULL)
        return false;
    for (int64_t i = 0; i < f->rows; i++)
        memcpy(wide + i * width, f->values + i * d, (size_t)d * sizeof *wide);
    for (int64_t j = 0, k = d; j < f->columns; at += f->column[j++].kind == CSV_NUMBER)
        if (f->column[j].indicated && f->column[j].kind == CSV_NUMBER) {
            for (int64_t i = 0; i < f->rows; i++)
                wide[i * width + k] = isnan(f->values[i * d + at]);
            k++;
        }
    wg_temporary_free(f->tape, f->values);
    f->values = wide;
    f->numbers = width;
    return true;
}

/* ---- The table. ------------------------------------------------------------------------------ */

/* The columns of a kind, NULL behind the last, and how much of each was missing. */
static bool csv_list(const csv_file *f, csv_kind kind, int64_t n, const char *const **names,
                     const int64_t **missing)
{
    const char **name = wg_tape_take(f->tape, ((size_t)n + 1) * sizeof *name);
    int64_t *count = name != NULL ? wg_tape_take(f->tape, (size_t)n * sizeof *count) : NULL;
    int64_t at = 0;
    for (int64_t j = 0; count != NULL && j < f->columns; j++)
        if (f->column[j].kind == kind) {
            name[at] = f->column[j].name;
            count[at++] = f->column[j].missing;
        }
    for (int64_t j = 0; count != NULL && j < f->columns; j++)
        if (kind == CSV_NUMBER && f->column[j].kind == kind && f->column[j].indicated) {
            size_t size = strlen(f->column[j].name) + sizeof "_missing";
            char *made = wg_tape_take(f->tape, size);
            if (made == NULL)
                return false;
            snprintf(made, size, "%s_missing", f->column[j].name);
            name[at++] = made;
        }
    *names = name;
    *missing = count;
    return count != NULL;
}

static wg_table *csv_table(csv_file *f)
{
    wg_table_parts parts = {
        .path = f->path,
        .features = wg_constant_from(f->tape, f->options.f32 ? WG_F32 : WG_F64,
                                     WG_SHAPE(f->rows, f->numbers), f->values),
        .string_columns = f->strings,
        .string = f->string,
        .label_name = f->label >= 0 ? f->column[f->label].name : NULL,
        .label_text = f->label >= 0 ? f->label_text : NULL,
        .label_value = f->labels_are_numbers ? f->label_value : NULL,
        .dropped = f->records - f->rows,
        .class_limit = f->options.limits.classes,
    };
    if (!csv_list(f, CSV_NUMBER, f->numbers, &parts.column_names, &parts.missing) ||
        !csv_list(f, CSV_STRING, f->strings, &parts.string_names, &parts.string_missing))
        return wg_table_inert();
    return wg_table_new(f->tape, &parts);
}

static wg_table *csv_parse(csv_file *f)
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale)) {
        csv_fail(f, WG_E_NOMEM, "no memory for the C locale");
        return wg_table_inert();
    }
    f->scanner.tape = f->tape;
    bool done = csv_read_all(f) && csv_indicate(f) && csv_fill_missing(f);
    wg_c_locale_leave(&locale);
    wg_table *table = done ? csv_table(f) : wg_table_inert();
    wg_csv_scanner_clear(&f->scanner);
    wg_temporary_free(f->tape, f->values);
    wg_temporary_free(f->tape, f->string);
    wg_temporary_free(f->tape, f->label_text);
    wg_temporary_free(f->tape, f->label_value);
    return table;
}

wg_table *wg_csv_read(wg_tape *t, const char *path, const wg_csv_options *options)
{
    csv_file file = {.tape = t, .path = path, .label = -1};
    if (wg_tape_status(t) != WG_OK)
        return wg_table_inert();
    char *bytes = wg_reader_text(t, path, &file.size);
    file.bytes = bytes;
    file.work = bytes != NULL ? wg_temporary(t, file.size + 1, 1) : NULL;
    wg_table *table = file.work != NULL && csv_set_options(&file, options) ? csv_parse(&file)
                                                                           : wg_table_inert();
    wg_temporary_free(t, file.work);
    wg_temporary_free(t, bytes);
    return table;
}
