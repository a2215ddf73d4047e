/* Tables: what readers of rows make. Features, string columns, labels and the classes among
 * them. */
#include "models/files/table_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double table_exact = 0x1p53; /* from here on doubles are not all integers */

static const char *const table_no_names[] = {NULL}; /* lists end with NULL */

static const wg_table table_inert = {
    .path = "",
    .column_names = table_no_names,
    .string_names = table_no_names,
    .class_names = table_no_names,
    .label_name = "",
};

/* The way around the cast's warning is safe: no function takes a table that it could write. */
wg_table *wg_table_inert(void)
{
    return (wg_table *)(uintptr_t)&table_inert;
}

bool wg_limits_fill(wg_tape *t, const char *path, wg_limits *limits, int64_t bytes)
{
    if (limits->columns < 0 || limits->classes < 0) {
        wg_fail(t, WG_E_VALUE, "%s: a limit is negative", path);
        return false;
    }
    if (limits->columns == 0)
        limits->columns = bytes / 5 > 1 << 17 ? bytes / 5 : 1 << 17;
    if (limits->classes == 0)
        limits->classes = bytes / 1000 > 1024 ? bytes / 1000 : 1024;
    return true;
}

/* ---- Classes: sort the labels, number the groups of equal ones. ------------------------------ */

typedef struct table_label {
    const char *text;
    double value;
    int64_t row;
} table_label;

static int table_order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Without a plus, and without zeros that say nothing. */
static const char *table_digits(const char *text)
{
    text += strspn(text, " \t+");
    return text + strspn(text, "0");
}

int wg_label_order(const char *a, double a_value, const char *b, double b_value)
{
    int order = (a_value > b_value) - (a_value < b_value);
    if (order != 0 || fabs(a_value) < table_exact)
        return order;
    return strcmp(table_digits(a), table_digits(b));
}

static int table_by_value(const void *a, const void *b)
{
    const table_label *p = a, *q = b;
    int order = wg_label_order(p->text, p->value, q->text, q->value);
    return order != 0 ? order : table_order(p->row, q->row);
}

static int table_by_text(const void *a, const void *b)
{
    const table_label *p = a, *q = b;
    int order = strcmp(p->text, q->text);
    return order != 0 ? order : table_order(p->row, q->row);
}

static bool table_same_class(const table_label *p, const table_label *q, bool numbers)
{
    return numbers ? wg_label_order(p->text, p->value, q->text, q->value) == 0
                   : strcmp(p->text, q->text) == 0;
}

static void table_sort(table_label *labels, int64_t n, const wg_table_parts *parts)
{
    bool numbers = parts->label_value != NULL;
    for (int64_t i = 0; i < n; i++)
        labels[i] = (table_label){parts->label_text[i], numbers ? parts->label_value[i] : 0, i};
    qsort(labels, (size_t)n, sizeof *labels, numbers ? table_by_value : table_by_text);
}

/* How many classes there are; class_of_row[n] and, where not NULL, the first label of each
 * class. */
static int64_t table_number(const table_label *labels, int64_t n, bool numbers,
                            int64_t *class_of_row, const char **first)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || !table_same_class(&labels[i - 1], &labels[i], numbers)) {
            if (first != NULL)
                first[count] = labels[i].text;
            count++;
        }
        class_of_row[labels[i].row] = count - 1;
    }
    return count;
}

static bool table_find_classes(wg_table *table, const wg_table_parts *parts, table_label *labels,
                               int64_t *class_of_row)
{
    wg_tape *t = table->tape;
    int64_t n = table->rows;
    bool numbers = parts->label_value != NULL;
    table_sort(labels, n, parts);
    table->class_count = table_number(labels, n, numbers, class_of_row, NULL);
    const char **names = wg_tape_take(t, ((size_t)table->class_count + 1) * sizeof *names);
    if (names == NULL)
        return false;
    table_number(labels, n, numbers, class_of_row, names);
    for (int64_t i = 0; i < table->class_count; i++) {
        names[i] = wg_tape_copy_text(t, names[i]);
        if (names[i] == NULL)
            return false;
    }
    table->class_names = names;
    table->classes = wg_constant(t, WG_I64, WG_SHAPE(n), class_of_row);
    return true;
}

/* ---- Labels as numbers. ---------------------------------------------------------------------- */

static wg_tensor *table_column(const wg_table *table, const double *values)
{
    return wg_constant_from(table->tape, wg_dtype_of(table->features), WG_SHAPE(table->rows, 1),
                            values);
}

static void table_number_labels(wg_table *table, const wg_table_parts *parts,
                                const int64_t *class_of_row, double *values)
{
    int64_t n = table->rows;
    if (parts->label_value != NULL)
        table->targets = table_column(table, parts->label_value);
    if (table->class_count == 2 || parts->label_value == NULL) {
        for (int64_t i = 0; i < n; i++)
            values[i] = (double)class_of_row[i];
        table->labels = table->class_count <= 2 ? table_column(table, values) : NULL;
    } else {
        table->labels = table->targets;
    }
}

static bool table_set_labels(wg_table *table, const wg_table_parts *parts)
{
    wg_tape *t = table->tape;
    int64_t n = table->rows;
    table_label *labels = wg_temporary(t, n, sizeof *labels);
    int64_t *class_of_row = labels != NULL ? wg_temporary(t, n, sizeof *class_of_row) : NULL;
    double *values = class_of_row != NULL ? wg_temporary(t, n, sizeof *values) : NULL;
    bool done = values != NULL && table_find_classes(table, parts, labels, class_of_row);
    if (done)
        table_number_labels(table, parts, class_of_row, values);
    wg_temporary_free(t, values);
    wg_temporary_free(t, class_of_row);
    wg_temporary_free(t, labels);
    return done;
}

/* Numbers of which there are too many to be classes: all are one that is not given out. */
static bool table_set_targets(wg_table *table, const wg_table_parts *parts)
{
    table->targets = table->labels = table_column(table, parts->label_value);
    table->classes = wg_full(table->tape, WG_I64, WG_SHAPE(table->rows), 0);
    table->class_count = table->class_limit + 1;
    return wg_tape_status(table->tape) == WG_OK;
}

/* ---- All of it. ------------------------------------------------------------------------------ */

wg_table *wg_table_new(wg_tape *t, const wg_table_parts *parts)
{
    wg_table *table = wg_tape_take(t, sizeof *table);
    if (table == NULL)
        return wg_table_inert();
    const bool named = parts->column_names != NULL, strings = parts->string_names != NULL;
    *table = (wg_table){
        .tape = t,
        .path = wg_tape_copy_text(t, parts->path),
        .features = parts->features,
        .rows = wg_dim(parts->features, 0),
        .columns = wg_dim(parts->features, 1),
        .column_names = named ? parts->column_names : table_no_names,
        .missing = parts->missing,
        .strings = parts->string_columns > 0 ? parts->string : NULL,
        .string_columns = parts->string_columns,
        .string_names = strings ? parts->string_names : table_no_names,
        .string_missing = parts->string_missing,
        .dropped = parts->dropped,
        .rounded = parts->rounded,
        .csv = parts->csv,
        .zero_based = parts->zero_based,
        .separator = parts->separator,
        .class_limit = parts->class_limit,
        .label_name = parts->label_name != NULL ? parts->label_name : "",
        .class_names = table_no_names,
    };
    if (parts->label_text != NULL ? !table_set_labels(table, parts)
                                  : parts->label_value != NULL && !table_set_targets(table, parts))
        return wg_table_inert();
    return wg_tape_status(t) == WG_OK ? table : wg_table_inert();
}

/* ---- Reading. -------------------------------------------------------------------------------- */

static bool table_is_inert(const wg_table *table)
{
    return table == NULL || table->tape == NULL;
}

static wg_tensor *table_nothing(const wg_table *table, const char *what)
{
    if (table == NULL)
        return wg_fail(NULL, WG_E_NULL, "%s of a table that is NULL", what);
    if (table->tape == NULL)
        return wg_fail(NULL, WG_E_VALUE, "%s of an inert table", what);
    return wg_fail(table->tape, WG_E_VALUE, "%s: %s of a table without a label column", table->path,
                   what);
}

wg_tensor *wg_table_features(const wg_table *table)
{
    return table_is_inert(table) ? table_nothing(table, "features") : table->features;
}

wg_tensor *wg_table_labels(const wg_table *table)
{
    if (table_is_inert(table) || table->classes == NULL)
        return table_nothing(table, "labels");
    if (table->labels != NULL)
        return table->labels;
    return wg_fail(table->tape, WG_E_VALUE,
                   "%s: label column '%s' holds strings of %" PRId64
                   " classes, and numbers can stand for two at most: use wg_table_classes",
                   table->path, table->label_name, table->class_count);
}

wg_tensor *wg_table_targets(const wg_table *table)
{
    if (table_is_inert(table) || table->classes == NULL)
        return table_nothing(table, "targets");
    if (table->targets != NULL)
        return table->targets;
    return wg_fail(table->tape, WG_E_VALUE, "%s: label column '%s' does not hold numbers alone",
                   table->path, table->label_name);
}

wg_tensor *wg_table_classes(const wg_table *table)
{
    if (table_is_inert(table) || table->classes == NULL)
        return table_nothing(table, "classes");
    if (table->class_count <= table->class_limit)
        return table->classes;
    return wg_fail(table->tape, WG_E_VALUE,
                   "%s: label column '%s' holds %" PRId64
                   " different labels, and the limit is %" PRId64
                   " (option limits.classes): is it a column of ids, or of numbers to predict?",
                   table->path, table->label_name, table->class_count, table->class_limit);
}

/* ---- Some of its rows. ----------------------------------------------------------------------- */

static bool table_rows_fit(const wg_table *table, const wg_tensor *rows)
{
    wg_tape *t = table->tape;
    int64_t n = table->rows;
    if (wg_is_inert(rows)) {
        wg_fail(t, WG_E_NULL, "rows of a table: NULL, or an inert tensor");
        return false;
    }
    if (rows->tape != t)
        wg_fail(t, WG_E_TAPE, "rows of a table: %s is of another tape", wg_tensor_text(rows).s);
    else if (rows->dtype != WG_I64)
        wg_fail(t, WG_E_DTYPE, "rows of a table: i64 wanted: %s", wg_tensor_text(rows).s);
    else if (rows->shape.ndim != 1)
        wg_fail(t, WG_E_SHAPE, "rows of a table: [m] wanted: %s", wg_tensor_text(rows).s);
    else if (rows->data == NULL || wg_is_stale(rows))
        wg_fail(t, WG_E_STALE, "rows of a table: replay first: %s", wg_tensor_text(rows).s);
    for (int64_t i = 0; wg_tape_status(t) == WG_OK && i < rows->size; i++) {
        int64_t row = ((const int64_t *)rows->data)[i];
        if (row < 0 || row >= n)
            wg_fail(t, WG_E_INDEX, "rows of a table: there is no row %" PRId64 " of %" PRId64, row,
                    n);
    }
    return wg_tape_status(t) == WG_OK;
}

/* Rows of `bytes` each. */
static void table_take_bytes(const void *from, size_t bytes, const wg_tensor *rows, void *to)
{
    const int64_t *row = rows->data;
    for (int64_t i = 0; bytes > 0 && i < rows->size; i++)
        memcpy((char *)to + (size_t)i * bytes, (const char *)from + (size_t)row[i] * bytes, bytes);
}

/* A constant of these rows of x [n, ...]; NULL where x is, or after an error. */
static wg_tensor *table_take_tensor(const wg_tensor *x, const wg_tensor *rows)
{
    if (x == NULL)
        return NULL;
    if (wg_is_streamed(x))
        return wg_streamed_take(x, rows);
    int64_t n = x->shape.dim[0], width = n > 0 ? x->size / n : 0, size = -1;
    wg_shape shape = x->shape;
    shape.dim[0] = rows->size;
    wg_size_multiply(rows->size, width, &size);
    void *values = wg_temporary(x->tape, size, wg_dtype_size(x->dtype));
    if (values == NULL)
        return NULL;
    table_take_bytes(x->data, (size_t)width * wg_dtype_size(x->dtype), rows, values);
    wg_tensor *taken = wg_constant(x->tape, x->dtype, shape.ndim, shape.dim, values);
    wg_temporary_free(x->tape, values);
    return taken;
}

wg_table *wg_table_take(const wg_table *table, const wg_tensor *rows)
{
    if (table_is_inert(table) || !table_rows_fit(table, rows)) {
        table_nothing(table, "rows");
        return wg_table_inert();
    }
    wg_tape *t = table->tape;
    wg_table *taken = wg_tape_take(t, sizeof *taken);
    if (taken == NULL)
        return wg_table_inert();
    *taken = *table;
    taken->rows = rows->size;
    taken->features = table_take_tensor(table->features, rows);
    taken->targets = table_take_tensor(table->targets, rows);
    taken->labels = table->labels == table->targets ? taken->targets
                                                    : table_take_tensor(table->labels, rows);
    taken->classes = table_take_tensor(table->classes, rows);
    if (table->strings != NULL) {
        size_t row = (size_t)table->string_columns * sizeof(char *);
        const char **string = wg_tape_take(t, (size_t)rows->size * row);
        if (string != NULL)
            table_take_bytes(table->strings, row, rows, string);
        taken->strings = string;
    }
    return wg_tape_status(t) == WG_OK ? taken : wg_table_inert();
}
