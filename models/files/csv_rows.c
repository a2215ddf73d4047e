/* The rows of a CSV file: fields as their column's kind says, and what the columns turn out to
 * be. */
#include "models/files/csv_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { CSV_PUT = 256 }; /* rows at a time */

/* A field that is no number, where the kind was found: the column is judged at the end. */
static void csv_note(wg_csv_file *f, int64_t column)
{
    wg_csv_column *c = &f->column[column];
    const wg_csv_field *field = &f->scanner.field[column];
    if (c->other++ == 0) {
        c->text = wg_tape_copy_text(f->tape, field->text);
        c->line = field->line;
    }
    c->several |= c->text != NULL && strcmp(c->text, field->text) != 0;
}

static bool csv_read_number(wg_csv_file *f, int64_t column, double *value)
{
    wg_csv_column *c = &f->column[column];
    switch (wg_number_read(f->scanner.field[column].text, value)) {
    case WG_NUMBER_NONE:
        *value = (double)NAN;
        if (!c->found)
            return wg_csv_fail_field(f, column, "is not a number (nor in the list of strings)");
        csv_note(f, column);
        return true;
    case WG_NUMBER_TOO_LARGE: return wg_csv_fail_field(f, column, "is too large for f64");
    case WG_NUMBER_INFINITE:
        if (f->options.infinite)
            break;
        return wg_csv_fail_field(f, column, "is not finite");
    case WG_NUMBER_FINITE: break;
    }
    c->numbers++;
    f->rounded += wg_number_loses(f->scanner.field[column].text, *value);
    if (f->options.f32 && isinf((float)*value))
        return wg_csv_fail_field(f, column, "is too large for f32");
    return true;
}

/* The number of a label. Of more than can be classes none are kept: they may be numbers. */
static bool csv_number_label(wg_csv_file *f, const char *text, bool number)
{
    int64_t *at = &f->label_text[f->held];
    *at = -1;
    if (f->label_limit == 0 || f->labels.n <= f->label_limit)
        return (*at = wg_texts_number(&f->labels, text)) >= 0;
    return (number && f->labels_are_numbers) ||
           wg_csv_fail_field(f, f->label,
                             "is one label of too many (option limits.classes): a column of ids?");
}

/* The label of the row. */
static bool csv_read_label(wg_csv_file *f, bool *missing, bool *number)
{
    const char *text = f->scanner.field[f->label].text;
    double *value = &f->label_value[f->held];
    *missing = wg_csv_is_missing(f, text);
    if (*missing)
        return f->options.missing == WG_CSV_MISSING_DROP ||
               wg_csv_fail_field(f, f->label, "is a missing label");
    *number = wg_number_read(text, value) == WG_NUMBER_FINITE;
    if (*number && f->options.f32 && isinf((float)*value))
        return wg_csv_fail_field(f, f->label, "is too large for f32");
    if (!*number)
        *value = (double)NAN;
    return csv_number_label(f, text, *number);
}

static bool csv_read_missing(wg_csv_file *f, int64_t column)
{
    f->column[column].missing++;
    return f->options.missing != WG_CSV_MISSING_ERROR ||
           wg_csv_fail_field(f, column, "is a missing value");
}

static bool csv_read_value(wg_csv_file *f, int64_t column, double *value, bool *missing)
{
    *missing = wg_csv_is_missing(f, f->scanner.field[column].text);
    if (!*missing)
        return csv_read_number(f, column, value);
    *value = (double)NAN;
    return csv_read_missing(f, column);
}

/* A string as it stands; "" where it is missing. */
static bool csv_read_string(wg_csv_file *f, int64_t column, int64_t *string, bool *missing)
{
    const char *text = f->scanner.field[column].text;
    *missing = wg_csv_is_missing(f, text);
    *string = wg_texts_number(&f->texts, *missing ? "" : text);
    if (*string < 0 || *missing)
        return *string >= 0 && csv_read_missing(f, column);
    if (f->label_limit > 0 && f->texts.n > f->label_limit)
        return wg_csv_fail_field(
            f, column,
            "is one string of too many (option limits.classes): is it a column "
            "of names or ids, to leave out?");
    wg_csv_column *c = &f->column[column];
    if (c->found && wg_csv_is_number(text))
        c->numbers++;
    else if (c->found)
        csv_note(f, column);
    return true;
}

/* Of rows that are all held. */
static bool csv_places(const wg_csv_file *f)
{
    return f->options.places && f->put == NULL;
}

static bool csv_reserve_row(wg_csv_file *f)
{
    int64_t rows = f->held + 1, values, strings;
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
                             sizeof *f->label_value) &&
           (!csv_places(f) || wg_temporary_grow(f->tape, (void **)&f->place, &f->place_capacity,
                                                rows + 1, sizeof *f->place));
}

static bool csv_check_length(const wg_csv_file *f)
{
    const wg_csv_scanner *s = &f->scanner;
    if (s->count == f->columns)
        return true;
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": %" PRId64 " fields, the first row has %" PRId64,
            f->path, s->field[0].line, s->count, f->columns);
    return false;
}

/* Appends the scanner's record to the rows, or drops it. */
static bool csv_read_row(wg_csv_file *f)
{
    if (!csv_check_length(f) || !csv_reserve_row(f))
        return false;
    const int64_t numbers = f->held * f->numbers, strings = f->held * f->strings;
    bool number = true, drop = false;
    for (int64_t j = 0; j < f->columns; j++) {
        bool missing = false, read = true;
        const int64_t place = f->column[j].place;
        switch (f->column[j].kind) {
        case WG_CSV_NUMBER:
            read = csv_read_value(f, j, &f->values[numbers + place], &missing);
            break;
        case WG_CSV_STRING:
            read = csv_read_string(f, j, &f->string[strings + place], &missing);
            break;
        case WG_CSV_LABEL: read = csv_read_label(f, &missing, &number); break;
        case WG_CSV_SKIP: break;
        }
        if (!read)
            return false;
        drop |= missing && f->options.missing == WG_CSV_MISSING_DROP;
    }
    if (drop)
        return true;
    if (csv_places(f))
        f->place[f->held + 1] = wg_csv_place_of(f);
    f->labels_are_numbers &= number;
    f->rows++;
    f->held++;
    return f->put == NULL || f->held < CSV_PUT || f->put(f);
}

bool wg_csv_read_rows(wg_csv_file *f)
{
    f->numbers = f->strings = f->rows = f->records = f->rounded = f->held = 0;
    wg_texts_clear(&f->labels);
    wg_texts_clear(&f->texts);
    f->labels_are_numbers = true;
    for (int64_t j = 0; j < f->columns; j++) {
        wg_csv_column *c = &f->column[f->order[j]];
        c->missing = c->numbers = c->other = 0;
        c->place = c->kind == WG_CSV_NUMBER   ? f->numbers++
                   : c->kind == WG_CSV_STRING ? f->strings++
                                              : 0;
    }
    if ((f->begin != NULL && !f->begin(f)) || !wg_csv_restart(f) || (f->header && !wg_csv_next(f)))
        return false;
    const wg_csv_place header = f->header ? wg_csv_place_of(f) : (wg_csv_place){0, 0};
    if (!wg_csv_next(f))
        return false;
    for (; f->scanner.count > 0; f->records++)
        if (!csv_read_row(f) || !wg_csv_next(f))
            return false;
    if (f->place != NULL)
        f->place[0] = header;
    return f->put == NULL || f->put(f);
}

bool wg_csv_judge(wg_csv_file *f, bool *again)
{
    *again = false;
    for (int64_t j = 0; j < f->columns; j++) {
        wg_csv_column *c = &f->column[j];
        if (!c->found || c->other == 0)
            continue;
        if (c->numbers > 0 && !c->several)
            return wg_csv_fail_text(f, j, c->text, c->line,
                                    "is not a number, as others are: a missing value "
                                    "(missing_texts), or a column of strings?");
        *again |= c->kind == WG_CSV_NUMBER;
        c->kind = WG_CSV_STRING;
        c->found = false;
    }
    return true;
}
