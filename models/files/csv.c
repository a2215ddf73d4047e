#include "models/files/csv.h"

#include "autograd/op.h"
#include "models/files/csv_fields_internal.h"
#include "models/files/number_internal.h"
#include "models/files/reader_internal.h"
#include "models/files/table_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef enum csv_kind { CSV_NUMBER, CSV_TEXT, CSV_LABEL } csv_kind;

/* A file while it is read. Columns are those of the file; those of a kind stay in the file's order. */
typedef struct csv_file {
    wg_tape *tape;
    const char *path;
    wg_csv_options options; /* with the defaults filled in */
    wg_csv_scanner scanner;
    int64_t columns, label; /* label: column from 0; -1: none */
    csv_kind *kind;         /* [columns], on the tape */
    int64_t numbers, texts; /* how many columns are of the kind */
    const char **names;     /* [columns], on the tape */
    int64_t rows;
    double *values; /* [rows, numbers], NaN where missing */
    int64_t values_capacity;
    const char **text; /* [rows, texts], into the file's bytes */
    int64_t text_capacity;
    const char **label_text; /* [rows], into the file's bytes */
    int64_t label_text_capacity;
    double *label_value; /* [rows], as far as labels_are_numbers */
    int64_t label_value_capacity;
    bool labels_are_numbers;
} csv_file;

static const char *const csv_missing_texts[] = {"",    "?",    "NA",   "N/A",  "NaN",
                                                "nan", "null", "NULL", "None", NULL};

/* ---- Errors. --------------------------------------------------------------------------------- */

#define CSV_SHOWN 48 /* bytes of a field that an error shows, NUL included */

/* The field as a message may show it: cut, and without control characters. */
static const char *csv_shown(const char *text, char shown[CSV_SHOWN])
{
    size_t i = 0;
    for (; text[i] != '\0' && i < CSV_SHOWN - 4; i++)
        shown[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
    strcpy(shown + i, text[i] != '\0' ? "..." : "");
    return shown;
}

static bool csv_fail_field(const csv_file *f, int64_t column, const char *reason)
{
    const wg_csv_field *field = &f->scanner.field[column];
    char shown[CSV_SHOWN];
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": column %" PRId64 " (%s): '%s' %s", f->path,
            field->line, column + 1, f->names[column], csv_shown(field->text, shown), reason);
    return false;
}

static bool csv_fail(const csv_file *f, wg_status status, const char *reason)
{
    wg_fail(f->tape, status, "%s: %s", f->path, reason);
    return false;
}

/* ---- The options and the first row. ---------------------------------------------------------- */

static bool csv_set_options(csv_file *f, const wg_csv_options *options)
{
    if (options != NULL)
        f->options = *options;
    wg_csv_options *o = &f->options;
    if (o->separator == '\0')
        o->separator = ',';
    if (o->missing_texts == NULL)
        o->missing_texts = csv_missing_texts;
    if (strchr("\"\r\n+-.0123456789", o->separator) != NULL)
        return csv_fail(f, WG_E_VALUE, "the separator is a quote, a line end or part of a number");
    if ((unsigned)o->header > WG_CSV_HEADER_ABSENT || (unsigned)o->missing > WG_CSV_MISSING_KEEP)
        return csv_fail(f, WG_E_VALUE, "option header or missing is none of its enumerators");
    return true;
}

static bool csv_all_numbers(const csv_file *f)
{
    double value;
    for (int64_t j = 0; j < f->columns; j++)
        if (wg_number_read(f->scanner.field[j].text, &value) == WG_NUMBER_NONE)
            return false;
    return true;
}

/* The columns' names, copied or made up. */
static bool csv_set_names(csv_file *f)
{
    bool absent = f->options.header == WG_CSV_HEADER_ABSENT;
    f->columns = f->scanner.count;
    f->names = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->names);
    for (int64_t j = 0; f->names != NULL && j < f->columns; j++) {
        char made[32];
        snprintf(made, sizeof made, "x%" PRId64, j + 1);
        f->names[j] = wg_tape_copy_text(f->tape, absent ? made : f->scanner.field[j].text);
        if (f->names[j] == NULL)
            return false;
    }
    return f->names != NULL;
}

/* The one column of that name; -1, and an error, where there is none or more than one. */
static int64_t csv_find_name(const csv_file *f, const char *name)
{
    int64_t found = -1;
    for (int64_t j = 0; j < f->columns; j++) {
        if (strcmp(f->names[j], name) != 0)
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
    if (f->options.no_label) {
        f->label = -1;
        return true;
    }
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

/* Which column is what. */
static bool csv_set_kinds(csv_file *f)
{
    f->kind = wg_tape_take(f->tape, (size_t)f->columns * sizeof *f->kind); /* zeros: numbers */
    if (f->kind == NULL || !csv_find_label(f))
        return false;
    if (f->label >= 0)
        f->kind[f->label] = CSV_LABEL;
    for (const char *const *name = f->options.texts; name != NULL && *name != NULL; name++) {
        int64_t column = csv_find_name(f, *name);
        if (column < 0)
            return false;
        if (column == f->label) {
            wg_fail(f->tape, WG_E_VALUE, "%s: column '%s' of texts is the label", f->path, *name);
            return false;
        }
        f->texts += f->kind[column] == CSV_NUMBER; /* a name may be given twice */
        f->kind[column] = CSV_TEXT;
    }
    f->numbers = f->columns - f->texts - (f->label >= 0);
    return true;
}

/* Reads the first record, which says how many columns there are; it stays for the rows where it is
 * data. */
static bool csv_read_header(csv_file *f)
{
    if (!wg_csv_record(&f->scanner))
        return false;
    if (f->scanner.count == 0)
        return csv_fail(f, WG_E_FORMAT, "the file is empty");
    if (!csv_set_names(f) || !csv_set_kinds(f))
        return false;
    if (f->options.header == WG_CSV_HEADER && csv_all_numbers(f))
        return csv_fail(f, WG_E_FORMAT,
                        "the first row is all numbers, no header (option header says otherwise)");
    return f->options.header == WG_CSV_HEADER_ABSENT || wg_csv_record(&f->scanner);
}

/* ---- Rows. ----------------------------------------------------------------------------------- */

/* Is the text, without blanks around it, one of those that stand for a missing value? */
static bool csv_is_missing(const csv_file *f, const char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    for (const char *const *missing = f->options.missing_texts; *missing != NULL; missing++)
        if (strlen(*missing) == length && memcmp(*missing, text, length) == 0)
            return true;
    return false;
}

static bool csv_read_number(const csv_file *f, int64_t column, double *value)
{
    switch (wg_number_read(f->scanner.field[column].text, value)) {
    case WG_NUMBER_NONE:
        return csv_fail_field(f, column, "is not a number (option texts: a column of texts)");
    case WG_NUMBER_TOO_LARGE: return csv_fail_field(f, column, "is too large for f64");
    case WG_NUMBER_INFINITE:
        return f->options.infinite || csv_fail_field(f, column, "is not finite");
    case WG_NUMBER_FINITE: break;
    }
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

static bool csv_read_value(const csv_file *f, int64_t column, double *value, bool *missing)
{
    *missing = csv_is_missing(f, f->scanner.field[column].text);
    if (!*missing)
        return csv_read_number(f, column, value);
    *value = (double)NAN;
    return f->options.missing != WG_CSV_MISSING_ERROR ||
           csv_fail_field(f, column, "is a missing value");
}

/* A text as it stands; "" where it is missing. */
static bool csv_read_text(const csv_file *f, int64_t column, const char **text, bool *missing)
{
    *text = f->scanner.field[column].text;
    *missing = csv_is_missing(f, *text);
    if (!*missing)
        return true;
    *text = "";
    if (f->options.missing == WG_CSV_MISSING_ERROR)
        return csv_fail_field(f, column, "is a missing value");
    return f->options.missing != WG_CSV_MISSING_MEAN ||
           csv_fail_field(f, column, "is a missing value, and texts have no mean");
}

static bool csv_reserve_row(csv_file *f)
{
    int64_t rows = f->rows + 1, values, texts;
    if (!wg_size_multiply(rows, f->numbers, &values))
        values = INT64_MAX; /* which growing refuses */
    if (!wg_size_multiply(rows, f->texts, &texts))
        texts = INT64_MAX;
    return wg_temporary_grow(f->tape, (void **)&f->values, &f->values_capacity, values,
                             sizeof *f->values) &&
           wg_temporary_grow(f->tape, (void **)&f->text, &f->text_capacity, texts,
                             sizeof *f->text) &&
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
    const char **text = f->texts > 0 ? f->text + f->rows * f->texts : NULL;
    bool number = true, drop = false;
    for (int64_t j = 0; j < f->columns; j++) {
        bool missing = false, read = false;
        switch (f->kind[j]) {
        case CSV_NUMBER: read = csv_read_value(f, j, value++, &missing); break;
        case CSV_TEXT: read = csv_read_text(f, j, text++, &missing); break;
        case CSV_LABEL: read = csv_read_label(f, &missing, &number); break;
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

static bool csv_read_rows(csv_file *f)
{
    int64_t records = 0;
    for (; f->scanner.count > 0; records++)
        if (!csv_read_row(f) || !wg_csv_record(&f->scanner))
            return false;
    if (f->rows > 0)
        return true;
    return csv_fail(f, WG_E_FORMAT,
                    records > 0 ? "every row has a missing value" : "a header without rows");
}

/* ---- Missing values, and the table. ---------------------------------------------------------- */

/* The mean of what is not NaN in values[0], values[step], ...; NaN where nothing is. The second sum
 * takes back what the first one lost to rounding. */
static double csv_mean(const double *values, int64_t n, int64_t step)
{
    double mean = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0, count = 0;
        for (int64_t i = 0; i < n; i++) {
            if (isnan(values[i * step]))
                continue;
            sum += values[i * step] - mean;
            count++;
        }
        mean += sum / count;
    }
    return mean;
}

static bool csv_fill_column(csv_file *f, int64_t column, int64_t feature)
{
    int64_t d = f->numbers;
    double mean = csv_mean(f->values + feature, f->rows, d);
    if (isnan(mean)) {
        wg_fail(f->tape, WG_E_FORMAT, "%s: column %" PRId64 " (%s) has no mean to put in", f->path,
                column + 1, f->names[column]);
        return false;
    }
    for (int64_t i = 0; i < f->rows; i++)
        if (isnan(f->values[i * d + feature]))
            f->values[i * d + feature] = mean;
    return true;
}

static bool csv_fill_missing(csv_file *f)
{
    if (f->options.missing != WG_CSV_MISSING_MEAN)
        return true;
    int64_t feature = 0;
    for (int64_t j = 0; j < f->columns; j++)
        if (f->kind[j] == CSV_NUMBER && !csv_fill_column(f, j, feature++))
            return false;
    return true;
}

/* The names of the columns of a kind. */
static const char **csv_names_of(const csv_file *f, csv_kind kind, int64_t n)
{
    const char **names = wg_tape_take(f->tape, (size_t)n * sizeof *names);
    int64_t at = 0;
    for (int64_t j = 0; names != NULL && j < f->columns; j++)
        if (f->kind[j] == kind)
            names[at++] = f->names[j];
    return names;
}

static wg_table *csv_table(csv_file *f)
{
    wg_table_parts parts = {
        .path = f->path,
        .features = wg_real_constant(f->tape, f->options.f32 ? WG_F32 : WG_F64,
                                     WG_SHAPE(f->rows, f->numbers), f->values),
        .column_names = csv_names_of(f, CSV_NUMBER, f->numbers),
        .text_columns = f->texts,
        .text = f->text,
        .text_names = csv_names_of(f, CSV_TEXT, f->texts),
        .label_name = f->label >= 0 ? f->names[f->label] : NULL,
        .label_text = f->label >= 0 ? f->label_text : NULL,
        .label_value = f->labels_are_numbers ? f->label_value : NULL,
    };
    return wg_table_new(f->tape, &parts);
}

static wg_table *csv_parse(csv_file *f, char *bytes, int64_t size)
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale)) {
        csv_fail(f, WG_E_NOMEM, "no memory for the C locale");
        return wg_table_inert();
    }
    bool done = wg_csv_scanner_init(&f->scanner, f->tape, f->path, f->options.separator, bytes,
                                    size) &&
                csv_read_header(f) && csv_read_rows(f) && csv_fill_missing(f);
    wg_c_locale_leave(&locale);
    wg_table *table = done ? csv_table(f) : wg_table_inert();
    wg_csv_scanner_clear(&f->scanner);
    wg_temporary_free(f->tape, f->values);
    wg_temporary_free(f->tape, f->text);
    wg_temporary_free(f->tape, f->label_text);
    wg_temporary_free(f->tape, f->label_value);
    return table;
}

wg_table *wg_csv_read(wg_tape *t, const char *path, const wg_csv_options *options)
{
    csv_file file = {.tape = t, .path = path, .label = -1, .labels_are_numbers = true};
    if (wg_tape_status(t) != WG_OK)
        return wg_table_inert();
    int64_t size;
    char *bytes = wg_reader_whole(t, path, &size);
    if (bytes == NULL)
        return wg_table_inert();
    wg_table *table = csv_set_options(&file, options) ? csv_parse(&file, bytes, size)
                                                      : wg_table_inert();
    wg_temporary_free(t, bytes);
    return table;
}
