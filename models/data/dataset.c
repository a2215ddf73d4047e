/* Datasets: dense tensors, sparse rows or a table behind one argument. */
#include "models/data/dataset_internal.h"

#include "autograd/op.h"
#include "ops/index.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { DATASET_ROWS = 256, DATASET_BYTES = 1 << 16 }; /* of streamed ones, looked at at a time */

wg_tensor *wg_dataset_values(const wg_dataset *data)
{
    return data == NULL ? NULL : data->sparse != NULL ? data->sparse->value : data->X;
}

wg_tape *wg_dataset_tape(const wg_dataset *data)
{
    const wg_tensor *values = wg_dataset_values(data);
    if (values != NULL)
        return values->tape;
    if (data == NULL)
        return NULL;
    return data->table != NULL ? data->table->tape : data->y != NULL ? data->y->tape : NULL;
}

wg_dataset wg_dataset_numbers(const wg_dataset *data)
{
    wg_dataset d = {.X = NULL};
    if (data != NULL)
        d = *data;
    if (d.X == NULL && d.sparse == NULL && d.table != NULL)
        d.X = wg_table_features(d.table);
    return d;
}

wg_dataset wg_dataset_with_y(const wg_dataset *data, bool numbers)
{
    wg_dataset d = wg_dataset_numbers(data);
    if (d.y == NULL && d.table != NULL)
        d.y = numbers ? wg_table_targets(d.table) : wg_table_classes(d.table);
    return d;
}

int64_t wg_dataset_rows(const wg_dataset *data)
{
    if (data != NULL && data->sparse != NULL)
        return data->sparse->rows;
    if (data != NULL && data->X == NULL && data->table != NULL)
        return data->table->rows;
    const wg_tensor *X = data != NULL ? data->X : NULL;
    return wg_is_inert(X) || X->shape.ndim == 0 ? 0 : X->shape.dim[0];
}

int64_t wg_dataset_columns(const wg_dataset *data)
{
    if (data != NULL && data->sparse != NULL)
        return data->sparse->columns;
    const wg_table *table = data != NULL ? data->table : NULL;
    const wg_tensor *X = data != NULL ? data->X : NULL;
    const int64_t own = table != NULL ? table->columns : 0;
    const int64_t strings = table != NULL ? table->string_columns : 0;
    return X == NULL ? own + strings : X->shape.ndim > 1 ? X->shape.dim[1] : 0;
}

/* One of the table's tensors stays one of the table's. */
static wg_tensor *dataset_take_y(const wg_dataset *data, const wg_table *taken, wg_tensor *rows)
{
    const wg_table *table = data->table;
    if (table != NULL && data->y == table->classes)
        return taken->classes;
    if (table != NULL && data->y == table->targets)
        return taken->targets;
    if (table != NULL && data->y == table->labels)
        return taken->labels;
    return wg_gather_rows(data->y, rows);
}

wg_dataset wg_dataset_take(const wg_dataset *data, wg_tensor *rows)
{
    wg_dataset d = {.X = NULL};
    if (data == NULL)
        return d;
    if (data->table != NULL)
        d.table = wg_table_take(data->table, rows);
    if (data->X != NULL && data->table != NULL && data->X == data->table->features)
        d.X = d.table->features;
    else if (data->X != NULL)
        d.X = wg_is_streamed(data->X) ? wg_streamed_take(data->X, rows)
                                      : wg_gather_rows(data->X, rows);
    if (data->y != NULL)
        d.y = dataset_take_y(data, d.table, rows);
    if (data->sparse != NULL)
        d.sparse = wg_csr_take_rows(data->sparse, wg_data_i64(rows), wg_size(rows));
    return d;
}

/* The row and column, counted from 0, of entry i of x, which are the values from `first` on: rows,
 * or, of sparse ones, entries. */
static void dataset_position(const wg_dataset *d, const wg_tensor *x, int64_t first, int64_t i,
                             int64_t *row, int64_t *column)
{
    if (d->sparse == NULL) {
        int64_t width = x->size / x->shape.dim[0];
        *row = first + i / width;
        *column = i % width;
        return;
    }
    const int64_t *start = d->sparse->start->data;
    for (*row = 0; start[*row + 1] <= first + i;)
        (*row)++;
    int64_t room = 0;
    const int64_t *at = wg_rows_at(x->tape, d->sparse->column, first + i, 1, &room);
    *column = at != NULL ? *at : 0;
}

bool wg_dataset_piece_finite(const wg_dataset *data, const wg_tensor *x, int64_t first,
                             bool missing, const char *who)
{
    int64_t row, column;
    for (int64_t i = 0; x->data != NULL && i < x->size; i++) {
        double value = wg_element(x, i);
        if (isfinite(value) || (missing && isnan(value)))
            continue;
        char name[96] = "";
        dataset_position(data, x, first, i, &row, &column);
        if (data->table != NULL && data->X == data->table->features && data->sparse == NULL)
            snprintf(name, sizeof name, " (%.80s)", data->table->column_names[column]);
        wg_fail(x->tape, WG_E_NOT_FINITE, "%s: row %" PRId64 ", column %" PRId64 "%s is %g", who,
                row + 1, column + 1, name, isnan(value) ? fabs(value) : value);
        return false;
    }
    return true;
}

bool wg_dataset_finite(const wg_dataset *data, bool missing, const char *who)
{
    const wg_tensor *x = wg_dataset_values(data);
    if (wg_is_inert(x) || !wg_is_streamed(x))
        return wg_is_inert(x) || wg_dataset_piece_finite(data, x, 0, missing, who);
    const int64_t many = DATASET_BYTES / ((int64_t)wg_row_bytes(x) + 1);
    const int64_t rows = many > DATASET_ROWS ? many : DATASET_ROWS;
    void *room = wg_rows_room(x, rows);
    bool finite = room != NULL;
    for (int64_t row = 0, n, all = x->shape.dim[0]; finite && row < all; row += n) {
        n = all - row < rows ? all - row : rows;
        const wg_tensor piece = wg_rows_piece(x, row, n, room);
        finite = piece.data != NULL && wg_dataset_piece_finite(data, &piece, row, missing, who);
    }
    wg_temporary_free(x->tape, room);
    return finite;
}
