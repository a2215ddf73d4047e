/* Tables of arrays: what NPY and IDX files hold, as rows with names and classes. */
#include "models/files/bytes_internal.h"
#include "models/files/table_internal.h"

#include "autograd/number_text_internal.h"
#include "autograd/op.h"
#include "ops/compare.h"
#include "ops/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TABLE_OF_TEXT = 32, TABLE_OF_SMALL = 256 };

/* "x1", "x2", ...; NULL: no memory. */
static const char **table_of_names(wg_tape *t, int64_t columns)
{
    const char **names = wg_tape_take(t, ((size_t)columns + 1) * sizeof *names);
    char name[TABLE_OF_TEXT];
    for (int64_t j = 0; names != NULL && j < columns; j++) {
        snprintf(name, sizeof name, "x%" PRId64, j + 1);
        names[j] = wg_tape_copy_text(t, name);
    }
    return names;
}

/* The labels as numbers, and the different ones, all temporary. */
typedef struct table_of_labels {
    double *value;   /* [n] */
    int64_t *number; /* [n]: which of the texts */
    wg_texts texts;
} table_of_labels;

static int64_t table_of_number(wg_texts *texts, const wg_tensor *y, int64_t i)
{
    char text[TABLE_OF_TEXT];
    if (y->dtype == WG_I64)
        snprintf(text, sizeof text, "%" PRId64, ((const int64_t *)y->data)[i]);
    else
        wg_format(text, sizeof text, "%.*g", y->dtype == WG_F32 ? 9 : 17, wg_element(y, i));
    return wg_texts_number(texts, text);
}

/* Small whole numbers, as most are, become texts once. */
static bool table_of_labels_new(const wg_tensor *y, table_of_labels *l)
{
    int64_t small[TABLE_OF_SMALL] = {0}; /* 1 + the number */
    l->value = wg_temporary(y->tape, y->size, sizeof *l->value);
    l->number = wg_temporary(y->tape, y->size, sizeof *l->number);
    for (int64_t i = 0; l->number != NULL && l->value != NULL && i < y->size; i++) {
        const double value = l->value[i] = wg_element(y, i);
        const bool is_small = value >= 0 && value < TABLE_OF_SMALL && !signbit(value) &&
                              value == (double)(int)value;
        const int64_t known = is_small ? small[(int)value] - 1 : -1;
        l->number[i] = known >= 0 ? known : table_of_number(&l->texts, y, i);
        if (l->number[i] < 0)
            return false;
        if (is_small)
            small[(int)value] = 1 + l->number[i];
    }
    return l->number != NULL && l->value != NULL;
}

static bool table_of_fits(const char *name, const wg_tensor *X, const wg_tensor *y)
{
    const bool streamed = wg_is_streamed(X) && X->shape.ndim == 2;
    if (X->shape.ndim < 1 || (X->data == NULL && !streamed))
        wg_fail(X->tape, WG_E_SHAPE, "%s: rows wanted: %s", name, wg_tensor_text(X).s);
    else if (y != NULL && (y->data == NULL || y->shape.ndim < 1 || y->size != y->shape.dim[0] ||
                           y->size != X->shape.dim[0]))
        wg_fail(X->tape, WG_E_SHAPE, "%s: a label to each row wanted: rows %s, labels %s", name,
                wg_tensor_text(X).s, wg_tensor_text(y).s);
    for (int64_t i = 0; y != NULL && y->data != NULL && i < y->size; i++)
        if (wg_element(y, i) - wg_element(y, i) != 0) {
            wg_fail(X->tape, WG_E_VALUE, "%s: the label of row %" PRId64 " is %g", name, i + 1,
                    wg_element(y, i));
            break;
        }
    return wg_tape_status(X->tape) == WG_OK;
}

/* How many entries of each column are NaN; NULL: none, or no memory. */
static int64_t *table_of_missing(const wg_tensor *X, int64_t columns)
{
    int64_t *count = NULL;
    for (int64_t i = 0; X->data != NULL && i < X->size; i++) { /* streamed rows are not read */
        if (!isnan(wg_element(X, i)))
            continue;
        if (count == NULL &&
            (count = wg_tape_take(X->tape, (size_t)columns * sizeof *count)) == NULL)
            return NULL;
        count[i % columns]++;
    }
    return count;
}

/* How many integers no double is. */
static int64_t table_of_rounded(const wg_tensor *X)
{
    const int64_t *value = X->dtype == WG_I64 ? X->data : NULL;
    int64_t count = 0;
    for (int64_t i = 0; value != NULL && i < X->size; i++) {
        const double rounded = (double)value[i]; /* INT64_MAX becomes 2^63, which no i64 is */
        count += rounded >= 0x1p63 || (int64_t)rounded != value[i];
    }
    return count;
}

/* Elements of a row, of whose there may be none; -1: an error was recorded. */
static int64_t table_of_columns(const char *name, const wg_tensor *X)
{
    int64_t columns = 1;
    for (int i = 1; i < X->shape.ndim; i++)
        if (!wg_size_multiply(columns, X->shape.dim[i], &columns)) {
            wg_fail(X->tape, WG_E_SHAPE, "%s: too many columns: %s", name, wg_tensor_text(X).s);
            return -1;
        }
    return columns;
}

wg_table *wg_table_of(const char *name, wg_tensor *X, const wg_tensor *y, const char *label_name)
{
    if (wg_is_inert(X) || (y != NULL && wg_is_inert(y)) || name == NULL) {
        wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "table: no rows, or inert ones");
        return wg_table_inert();
    }
    wg_tape *t = X->tape;
    if (!table_of_fits(name, X, y))
        return wg_table_inert();
    const int64_t n = X->shape.dim[0], columns = table_of_columns(name, X);
    if (columns < 0)
        return wg_table_inert();
    wg_limits limits = {0};
    table_of_labels labels = {.texts.tape = t};
    wg_table *table = wg_table_inert();
    const int64_t rounded = table_of_rounded(X);
    if (X->dtype == WG_I64)
        X = wg_cast(X, WG_F64);
    if (X->shape.ndim != 2)
        X = wg_reshape(X, WG_SHAPE(n, columns));
    wg_limits_fill(t, name, &limits, X->size);
    const char **names = table_of_names(t, columns);
    if (label_name != NULL)
        label_name = wg_tape_copy_text(t, label_name);
    const int64_t *missing = X->dtype != WG_I64 ? table_of_missing(X, columns) : NULL;
    if (wg_tape_status(t) == WG_OK && (y == NULL || table_of_labels_new(y, &labels)))
        table = wg_table_new(t, &(wg_table_parts){.path = name,
                                                  .features = X,
                                                  .column_names = names,
                                                  .missing = missing,
                                                  .rounded = rounded,
                                                  .label_name = label_name,
                                                  .label_text = labels.texts.text,
                                                  .label_number = labels.number,
                                                  .labels = labels.texts.n,
                                                  .label_value = labels.value,
                                                  .class_limit = limits.classes});
    wg_temporary_free(t, labels.value);
    wg_temporary_free(t, labels.number);
    wg_texts_clear(&labels.texts);
    return table;
}
