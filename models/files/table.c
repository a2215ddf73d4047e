/* Tables: what readers of rows make. Features, string columns, labels and the classes among
 * them. */
#include "models/files/table_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"
#include "ops/slice.h"

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

/* ---- Classes: sort the different labels, number the groups of equal ones. -------------------- */

typedef struct table_label {
    const char *text;
    double value;
    int64_t number, row; /* the first that has it; -1: none has */
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

/* The labels that rows have, sorted; returns how many. */
static int64_t table_sort(table_label *labels, int64_t rows, const wg_table_parts *parts)
{
    const bool numbers = parts->label_value != NULL;
    int64_t n = 0;
    for (int64_t k = 0; k < parts->labels; k++)
        labels[k] = (table_label){parts->label_text[k], 0, k, -1};
    for (int64_t i = 0; i < rows; i++) {
        table_label *l = &labels[parts->label_number[i]];
        if (l->row < 0) {
            l->row = i;
            l->value = numbers ? parts->label_value[i] : 0;
        }
    }
    for (int64_t k = 0; k < parts->labels; k++)
        if (labels[k].row >= 0)
            labels[n++] = labels[k];
    qsort(labels, (size_t)n, sizeof *labels, numbers ? table_by_value : table_by_text);
    return n;
}

/* How many classes n labels are; the class of each into class_of[number], and the first label of
 * each class into first[n]. */
static int64_t table_number(const table_label *labels, int64_t n, bool numbers, int64_t *class_of,
                            const char **first)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i == 0 || !table_same_class(&labels[i - 1], &labels[i], numbers))
            first[count++] = labels[i].text;
        class_of[labels[i].number] = count - 1;
    }
    return count;
}

/* Room: labels, class_of and name [parts->labels]. */
static bool table_find_classes(wg_table *table, const wg_table_parts *parts, table_label *labels,
                               int64_t *class_of, const char **name)
{
    wg_tape *t = table->tape;
    const int64_t n = table_sort(labels, table->rows, parts);
    table->class_count = table_number(labels, n, parts->label_value != NULL, class_of, name);
    const char **names = wg_tape_take(t, ((size_t)table->class_count + 1) * sizeof *names);
    for (int64_t i = 0; names != NULL && i < table->class_count; i++)
        names[i] = wg_tape_copy_text(t, name[i]);
    wg_tensor *classes = wg_full(t, WG_I64, WG_SHAPE(table->rows), 0);
    if (wg_tape_status(t) != WG_OK)
        return false;
    for (int64_t i = 0; i < table->rows; i++)
        ((int64_t *)classes->data)[i] = class_of[parts->label_number[i]];
    table->class_names = names;
    table->classes = classes;
    return true;
}

/* ---- Labels as numbers. ---------------------------------------------------------------------- */

/* A column of these, or, NULL, of the rows' classes. */
static wg_tensor *table_column(const wg_table *table, const double *values)
{
    wg_tensor *x = wg_full(table->tape, wg_dtype_of(table->features), WG_SHAPE(table->rows, 1), 0);
    for (int64_t i = 0; !wg_is_inert(x) && i < table->rows; i++)
        wg_set_element(x, i, values != NULL ? values[i] : wg_element(table->classes, i));
    return x;
}

/* Is each value the number of its row's class? */
static bool table_values_are_classes(const wg_table *table, const double *values)
{
    int64_t i = 0;
    while (values != NULL && i < table->rows && values[i] == wg_element(table->classes, i))
        i++;
    return values != NULL && i == table->rows;
}

static void table_number_labels(wg_table *table, const double *values)
{
    const bool few = table->class_count == 2 || (values == NULL && table->class_count < 2);
    table->targets = values != NULL ? table_column(table, values) : NULL;
    table->labels = few && !table_values_are_classes(table, values) ? table_column(table, NULL)
                                                                    : table->targets;
}

static bool table_set_labels(wg_table *table, const wg_table_parts *parts)
{
    wg_tape *t = table->tape;
    table_label *labels = wg_temporary(t, parts->labels, sizeof *labels);
    int64_t *class_of = wg_temporary(t, parts->labels, sizeof *class_of);
    const char **name = wg_temporary(t, parts->labels, sizeof *name);
    const bool done = wg_tape_status(t) == WG_OK &&
                      table_find_classes(table, parts, labels, class_of, name);
    if (done)
        table_number_labels(table, parts->label_value);
    wg_temporary_free(t, name);
    wg_temporary_free(t, class_of);
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
        .places = parts->places,
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
                   table->path, wg_shown_text(table->label_name).s, table->class_count);
}

wg_tensor *wg_table_targets(const wg_table *table)
{
    if (table_is_inert(table) || table->classes == NULL)
        return table_nothing(table, "targets");
    if (table->targets != NULL)
        return table->targets;
    return wg_fail(table->tape, WG_E_VALUE, "%s: label column '%s' does not hold numbers alone",
                   table->path, wg_shown_text(table->label_name).s);
}

wg_tensor *wg_table_classes(const wg_table *table)
{
    if (table_is_inert(table) || table->classes == NULL)
        return table_nothing(table, "classes");
    if (table->class_count <= table->class_limit)
        return table->classes;
    return wg_fail(
        table->tape, WG_E_VALUE,
        "%s: label column '%s' holds %" PRId64 " different labels, and the limit is %" PRId64
        " (option limits.classes): is it a column of ids, or of numbers to predict?",
        table->path, wg_shown_text(table->label_name).s, table->class_count, table->class_limit);
}

int64_t wg_class_find(const char *const classes[], int64_t n, const char *name)
{
    double given, own;
    for (int64_t k = 0; k < n; k++)
        if (strcmp(name, classes[k]) == 0)
            return k;
    if (wg_number_read(name, &given) != WG_NUMBER_FINITE)
        return -1;
    for (int64_t k = 0; k < n; k++)
        if (wg_number_read(classes[k], &own) == WG_NUMBER_FINITE &&
            wg_label_order(name, given, classes[k], own) == 0)
            return k;
    return -1;
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

/* How many rows from i on follow one another. */
static int64_t table_run(const wg_tensor *rows, int64_t i)
{
    const int64_t *row = rows->data;
    int64_t end = i + 1;
    while (end < rows->size && row[end] == row[end - 1] + 1)
        end++;
    return end - i;
}

/* Rows of `bytes` each. */
static void table_take_bytes(const void *from, size_t bytes, const wg_tensor *rows, void *to)
{
    const int64_t *row = rows->data;
    for (int64_t i = 0, n; bytes > 0 && i < rows->size; i += n) {
        n = table_run(rows, i);
        memcpy((char *)to + (size_t)i * bytes, (const char *)from + (size_t)row[i] * bytes,
               (size_t)n * bytes);
    }
}

/* These rows of x [n, ...]: a view of it where they follow one another and x stays as it is, else a
 * constant, given its values here, before anybody else has seen it; NULL where x is. */
static wg_tensor *table_take_tensor(wg_tensor *x, const wg_tensor *rows)
{
    if (x == NULL)
        return NULL;
    if (wg_is_streamed(x))
        return wg_streamed_take(x, rows);
    const int64_t *row = rows->data;
    if (rows->size > 0 && (x->state & WG_NODE_LIVE) == 0 && table_run(rows, 0) == rows->size)
        return wg_slice(x, 0, *row, *row + rows->size);
    wg_shape shape = x->shape;
    shape.dim[0] = rows->size;
    wg_tensor *taken = wg_full(x->tape, x->dtype, shape.ndim, shape.dim, 0);
    if (!wg_is_inert(taken))
        table_take_bytes(x->data, wg_row_bytes(x), rows, taken->data);
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
    taken->places = NULL;
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
