/* A model's outputs, block of rows by block of rows, and those that are not finite. */
#include "outputs.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Finite numbers of a row, large enough, become infinite on their way through a model. */
bool outputs_finite(const wg_tensor *Z, const char *file, const char *part, int64_t first)
{
    const int64_t n = wg_is_inert(Z) ? 0 : wg_size(Z);
    for (int64_t i = 0; i < n; i++) {
        const double z = wg_at(Z, i);
        if (isfinite(z))
            continue;
        char row[32] = "a row";
        if (first >= 0)
            snprintf(row, sizeof row, "row %" PRId64, first + i / (n / wg_dim(Z, 0)) + 1);
        wg_fail(Z->tape, WG_E_NOT_FINITE,
                "%s: %s%s%s%s: the model's output is not finite (%s): numbers of the row are too "
                "large for it",
                file, row, part != NULL ? " of the " : "", part != NULL ? part : "",
                part != NULL ? " rows" : "",
                isnan(z) ? "nan"
                : z > 0  ? "inf"
                         : "-inf");
        return false;
    }
    return !wg_is_inert(Z);
}

/* ---- Blocks ---------------------------------------------------------------------------------------------- */

/* Bytes of what is computed of a block, and of a layer's nodes, about; rows at most. */
enum { BLOCK = 8 << 20, NODES = 1024, ROWS = 1 << 16 };

/* What is made of a row: its columns (streamed and sparse ones are not made of anything), each layer's outputs, twice,
 * and the last ones some more times. Recording a block's nodes takes as long as computing some rows: a block's numbers
 * are as many bytes as they. */
int64_t outputs_rows(const wg_estimator *e, const wg_dataset *rows)
{
    const int n = e->mlp->options.n_sizes;
    int64_t numbers = 4 * e->k + (rows->sparse == NULL ? 2 * e->pipeline->width : 0);
    for (int i = 1; i < n; i++)
        numbers += 2 * e->mlp->options.sizes[i];
    const int64_t fit = (BLOCK + (int64_t)n * NODES) / (int64_t)sizeof(double) / numbers;
    return fit < 1 ? 1 : fit < ROWS ? fit : ROWS;
}

void outputs_put(const wg_tensor *all, int64_t first, const wg_tensor *y)
{
    if (!wg_is_inert(all) && !wg_is_inert(y))
        memcpy((char *)all->data + (size_t)first * wg_row_bytes(all), y->data,
               (size_t)wg_dim(y, 0) * wg_row_bytes(all));
}

wg_dataset outputs_part(wg_tape *t, const wg_dataset *rows, int64_t first, int64_t n)
{
    int64_t *row = wg_tape_take(t, (size_t)n * sizeof *row);
    for (int64_t i = 0; row != NULL && i < n; i++)
        row[i] = first + i;
    return wg_dataset_take(rows, wg_input(t, "rows", WG_I64, WG_SHAPE(n), row));
}

/* Puts a block's outputs where those of all are; false after an error. */
static bool put_block(const wg_estimator *e, const wg_dataset *rows, const char *file,
                      int64_t first, int64_t n, const wg_tensor *all)
{
    wg_tape *t = e->tape;
    const wg_mark mark = wg_tape_mark(t);
    const wg_dataset part = outputs_part(t, rows, first, n);
    const wg_tensor *Z = wg_estimator_outputs(e, &part);
    if (wg_tape_status(t) == WG_E_NOT_FINITE) { /* once more, for a message that counts all rows */
        wg_tape_rewind(t, mark);
        wg_estimator_outputs(e, rows);
        return false;
    }
    const bool all_rows = rows->table == NULL || rows->table->dropped == 0;
    if (!outputs_finite(Z, file, NULL, all_rows ? first : -1))
        return false;
    outputs_put(all, first, Z);
    return wg_tape_rewind(t, mark) == WG_OK;
}

wg_tensor *outputs_of(const wg_estimator *e, const wg_dataset *rows, const char *file)
{
    const int64_t all = wg_dataset_rows(rows), most = outputs_rows(e, rows);
    const int64_t width = e->mlp->options.sizes[e->mlp->options.n_sizes - 1];
    wg_tensor *Z = wg_full(e->tape, e->dtype, WG_SHAPE(all, width), 0);
    for (int64_t row = 0, n; !wg_is_inert(Z) && row < all; row += n) {
        n = all - row < most ? all - row : most;
        if (!put_block(e, rows, file, row, n, Z))
            return wg_fail(e->tape, WG_E_VALUE, "outputs"); /* there is an error already */
    }
    return Z;
}
