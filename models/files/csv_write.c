/* Tables and tensors as CSV files. */
#include "models/files/csv.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is written, and where to. */
typedef struct csv_output {
    wg_tape *tape;
    const char *path;
    const wg_csv_part *part;
    int n;
    char separator;
    bool header;
    wg_writer *writer;
} csv_output;

/* ---- What can be written. -------------------------------------------------------------------- */

static bool csv_output_fail(const csv_output *o, wg_status status, int part, const char *reason)
{
    wg_fail(o->tape, status, "%s: part %d, %s, %s", o->path, part + 1,
            wg_tensor_text(o->part[part].values).s, reason);
    return false;
}

static bool csv_output_check_strings(const csv_output *o, int i)
{
    const wg_csv_part *part = &o->part[i];
    if (part->strings == NULL)
        return true;
    if (part->values->dtype != WG_I64)
        return csv_output_fail(o, WG_E_DTYPE, i, "has strings, whose indices are to be i64");
    const int64_t *index = part->values->data;
    for (int64_t k = 0; k < part->values->size; k++)
        if (index[k] < 0 || index[k] >= part->n_strings)
            return csv_output_fail(o, WG_E_INDEX, i, "has an index for which there is no string");
    return true;
}

static bool csv_output_empty(const csv_output *o)
{
    wg_fail(o->tape, WG_E_VALUE, "csv: no columns to write");
    return false;
}

static bool csv_output_check(const csv_output *o)
{
    int64_t columns = 0;
    if (o->n < 1 || o->part == NULL)
        return csv_output_empty(o);
    if (strchr("\"\r\n+-.0123456789", o->separator) != NULL) {
        wg_fail(o->tape, WG_E_VALUE,
                "csv: the separator is a quote, a line end or part of a number");
        return false;
    }
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *x = o->part[i].values;
        if (!wg_elements_writable(o->tape, o->path, x))
            return false;
        if (x->shape.ndim < 1 || x->shape.ndim > 2)
            return csv_output_fail(o, WG_E_SHAPE, i, "is not (rows) or (rows, columns)");
        if (x->shape.dim[0] != o->part[0].values->shape.dim[0])
            return csv_output_fail(o, WG_E_SHAPE, i, "has not as many rows as the first");
        if (!csv_output_check_strings(o, i))
            return false;
        columns += x->shape.ndim == 1 || x->shape.dim[1] > 0;
    }
    return columns > 0 || csv_output_empty(o);
}

/* ---- Fields. --------------------------------------------------------------------------------- */

static bool csv_output_quotes(const csv_output *o, const char *text)
{
    size_t length = strlen(text);
    const char other = o->separator == ' ' ? '\t' : o->separator; /* blanks and tabs are one */
    const char special[] = {o->separator, other, '"', '\r', '\n', '\0'};
    return length == 0 || strpbrk(text, special) != NULL || strchr(" \t", text[0]) != NULL ||
           strchr(" \t", text[length - 1]) != NULL;
}

static void csv_output_text(const csv_output *o, const char *text)
{
    if (!csv_output_quotes(o, text)) {
        wg_writer_text(o->writer, text);
        return;
    }
    wg_writer_put(o->writer, "\"", 1);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            wg_writer_put(o->writer, "\"", 1);
        wg_writer_put(o->writer, text, 1);
    }
    wg_writer_put(o->writer, "\"", 1);
}

static void csv_output_real(const csv_output *o, double value, wg_dtype dtype)
{
    wg_writer_text(o->writer, isnan(value) ? "NaN" : wg_number_text(value, dtype).s);
}

static void csv_output_value(const csv_output *o, const wg_csv_part *part, int64_t i)
{
    char text[32];
    const wg_tensor *x = part->values;
    if (x->dtype == WG_F32 || x->dtype == WG_F64)
        csv_output_real(o, wg_element(x, i), x->dtype);
    else if (part->strings != NULL)
        csv_output_text(o, part->strings[((const int64_t *)x->data)[i]]);
    else {
        snprintf(text, sizeof text, "%" PRId64, ((const int64_t *)x->data)[i]);
        wg_writer_text(o->writer, text);
    }
}

/* ---- Rows. ----------------------------------------------------------------------------------- */

static int64_t csv_output_columns(const wg_csv_part *part)
{
    return part->values->shape.ndim == 2 ? part->values->shape.dim[1] : 1;
}

/* The name of column j of a part, which is number `place` of the file from 1. */
static void csv_output_name(const csv_output *o, const wg_csv_part *part, int64_t j, int64_t place)
{
    char made[32];
    snprintf(made, sizeof made, "x%" PRId64, place);
    csv_output_text(o, part->names != NULL && part->names[j] != NULL ? part->names[j] : made);
}

/* Row `row`, or, where it is negative, the names. */
static void csv_output_row(const csv_output *o, int64_t row)
{
    int64_t place = 0;
    for (int i = 0; i < o->n; i++) {
        int64_t columns = csv_output_columns(&o->part[i]);
        for (int64_t j = 0; j < columns; j++) {
            if (place++ > 0)
                wg_writer_put(o->writer, &o->separator, 1);
            if (row < 0)
                csv_output_name(o, &o->part[i], j, place);
            else
                csv_output_value(o, &o->part[i], row * columns + j);
        }
    }
    wg_writer_put(o->writer, "\n", 1);
}

static wg_status csv_output_file(const csv_output *o)
{
    wg_c_locale locale;
    if (!wg_writer_open(o->writer, o->tape, o->path))
        return wg_tape_status(o->tape);
    if (!wg_c_locale_enter(&locale)) {
        wg_writer_abandon(o->writer);
        wg_fail(o->tape, WG_E_NOMEM, "%s: no memory for the C locale", o->path);
        return wg_tape_status(o->tape);
    }
    if (o->header)
        csv_output_row(o, -1);
    for (int64_t i = 0; i < o->part[0].values->shape.dim[0]; i++)
        csv_output_row(o, i);
    wg_c_locale_leave(&locale);
    return wg_writer_close(o->writer);
}

wg_status wg_csv_write(wg_tape *t, const char *path, const wg_csv_part parts[], int n,
                       const wg_csv_write_options *options)
{
    wg_writer writer;
    csv_output o = {t, path, parts, n, ',', options == NULL || !options->no_header, &writer};
    if (options != NULL && options->separator != '\0')
        o.separator = options->separator;
    if (wg_tape_status(t) != WG_OK || !csv_output_check(&o))
        return wg_tape_status(t);
    return csv_output_file(&o);
}

/* The string columns: each cell's index is its place. */
static wg_csv_part csv_output_strings(wg_tape *t, const wg_table *table)
{
    int64_t n = table->rows, columns = table->string_columns, cells = n * columns;
    wg_csv_part part = {.names = table->string_names, .strings = table->strings};
    int64_t *place = wg_temporary(t, cells, sizeof *place);
    for (int64_t i = 0; place != NULL && i < cells; i++)
        place[i] = i;
    part.values = place != NULL ? wg_constant(t, WG_I64, WG_SHAPE(n, columns), place) : NULL;
    part.n_strings = cells;
    wg_temporary_free(t, place);
    return part;
}

/* Labels as they stood in the file, of however many classes; as numbers where there were too many
 * for a cache to keep. */
static wg_csv_part csv_output_labels(const wg_table *table, const char *const *name)
{
    if (table->class_names[0] == NULL)
        return (wg_csv_part){.values = table->targets, .names = name};
    return (wg_csv_part){table->classes, name, table->class_names, table->class_count};
}

wg_status wg_csv_write_table(const wg_table *table, const char *path,
                             const wg_csv_write_options *options)
{
    if (table == NULL || table->tape == NULL)
        return WG_E_NULL;
    wg_tape *t = table->tape;
    wg_csv_part parts[3] = {{.values = wg_table_features(table), .names = table->column_names}};
    const char *label = table->label_name;
    int n = 1;
    if (!wg_elements_writable(t, path, parts[0].values))
        return wg_tape_status(t);
    wg_mark mark = wg_tape_mark(t);
    if (table->string_columns > 0)
        parts[n++] = csv_output_strings(t, table);
    if (table->class_count > 0)
        parts[n++] = csv_output_labels(table, &label);
    wg_status status = wg_csv_write(t, path, parts, n, options);
    if (status == WG_OK)
        wg_tape_rewind(t, mark);
    return status;
}
