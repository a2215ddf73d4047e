/* What an estimator is given: rows of a dataset, a table's columns and classes by their names. */
#include "models/estimator_internal.h"

#include "autograd/compile/program.h"
#include "autograd/op.h"
#include "models/data/encoder_internal.h"
#include "models/files/bytes_internal.h"
#include "models/files/table_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* No memory holds weights for more, and sizes computed from it do not overflow. */
#define ESTIMATOR_COLUMNS (INT64_C(1) << 48)

enum { ESTIMATOR_ROWS = 256 }; /* of streamed ones, at a time */

/* ---- To be fitted on. ------------------------------------------------------------------------ */

/* Is y what the table says of its rows? Else its classes and label are not what is learned. */
static bool estimator_y_is_of_table(const wg_dataset *given)
{
    const wg_table *table = given->table;
    return given->y == NULL || given->y == table->classes || given->y == table->targets ||
           given->y == table->labels;
}

bool wg_estimator_data_of(const wg_dataset *given, bool numbers, bool missing,
                          wg_estimator_data *data)
{
    wg_dataset d = wg_dataset_with_y(given, numbers);
    wg_tape *t = wg_dataset_tape(&d);
    const wg_tensor *values = wg_dataset_values(&d);
    *data = (wg_estimator_data){.d = d, .X = d.X};
    if (wg_is_inert(values) || wg_is_inert(d.y))
        wg_fail(t, WG_E_NULL, "estimator: rows or labels are NULL or inert");
    else if (d.sparse != NULL && d.sparse->columns > ESTIMATOR_COLUMNS)
        wg_fail(t, WG_E_SHAPE, "estimator: %" PRId64 " columns are too many", d.sparse->columns);
    if (t == NULL || wg_tape_status(t) != WG_OK || !wg_dataset_finite(&d, missing, "estimator"))
        return false;
    if (d.sparse != NULL)
        data->X = wg_constant(t, values->dtype, WG_SHAPE(0, d.sparse->columns), &(double){0});
    else if (d.table != NULL && given->X == NULL) {
        data->strings = d.table->strings;
        data->string_columns = d.table->string_columns;
    }
    if (d.table != NULL && estimator_y_is_of_table(given))
        data->labels = d.table;
    return wg_tape_status(t) == WG_OK;
}

/* ---- Are these the columns that were fitted? ------------------------------------------------- */

static const char *estimator_quoted(const char *name, char quoted[WG_SHOWN + 2])
{
    char shown[WG_SHOWN];
    if (name == NULL)
        return "nothing";
    snprintf(quoted, WG_SHOWN + 2, "'%s'", wg_shown(name, strlen(name), shown));
    return quoted;
}

/* Both lists are ended by NULL. */
static bool estimator_names_fit(const wg_table *table, const char *kind, const char *const *fitted,
                                const char *const *found)
{
    char found_text[WG_SHOWN + 2], fitted_text[WG_SHOWN + 2];
    for (int64_t j = 0; fitted != NULL; j++) {
        if (found[j] == NULL && fitted[j] == NULL)
            return true;
        if (found[j] != NULL && fitted[j] != NULL && strcmp(found[j], fitted[j]) == 0)
            continue;
        wg_fail(table->tape, WG_E_VALUE,
                "estimator: %s: column %" PRId64 " of %s is %s, but %s was fitted", table->path,
                j + 1, kind, estimator_quoted(found[j], found_text),
                estimator_quoted(fitted[j], fitted_text));
        return false;
    }
    return true;
}

/* By name and file: a row's number would be one of a table that may hold some of the file's rows
 * only. */
static bool estimator_strings_known(const wg_estimator *e, const wg_table *table)
{
    char text[WG_SHOWN + 2], column[WG_SHOWN + 2];
    int64_t columns = table->string_columns;
    int64_t unknown = wg_encoder_unknown(e->pipeline->encoder, table->strings,
                                         columns > 0 ? table->rows : 0);
    if (unknown < 0)
        return true;
    wg_fail(table->tape, WG_E_VALUE,
            "estimator: %s: column %s: %s was not there at the fit (option ignore_unknown would "
            "take it)",
            table->path, estimator_quoted(table->string_names[unknown % columns], column),
            estimator_quoted(table->strings[unknown], text));
    return false;
}

static bool estimator_table_fits(const wg_estimator *e, const wg_table *table)
{
    if (!estimator_names_fit(table, "strings", e->string_names, table->string_names) ||
        !estimator_names_fit(table, "numbers", e->column_names, table->column_names))
        return false;
    if (table->string_columns != e->string_columns) {
        wg_fail(table->tape, WG_E_SHAPE,
                "estimator: %s: %" PRId64 " string columns, but %" PRId64 " were fitted",
                table->path, table->string_columns, e->string_columns);
        return false;
    }
    return estimator_strings_known(e, table);
}

/* Does the estimator take unprepared rows, and this number of columns? */
static bool estimator_sparse_fits(const wg_estimator *e, wg_tape *t, const wg_csr *X)
{
    if (e->pipeline->n_steps > 0 || e->string_columns > 0)
        wg_fail(t, WG_E_SHAPE,
                "estimator: it prepares its rows, which sparse rows cannot be: wg_csr_dense");
    else if (X->columns > e->columns)
        wg_fail(t, WG_E_SHAPE,
                "estimator: sparse rows of %" PRId64 " columns, but %" PRId64 " were fitted",
                X->columns, e->columns);
    return wg_tape_status(t) == WG_OK;
}

/* ---- Using it. ------------------------------------------------------------------------------- */

static wg_tensor *estimator_outputs_of(const wg_estimator *e, wg_tensor *prepared)
{
    const wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    return model.outputs(model.user, &(wg_dataset){.X = prepared}, false);
}

/* Outputs of streamed sparse rows, block of rows by block of rows. */
static wg_tensor *estimator_outputs_sparse(const wg_estimator *e, const wg_csr *rows)
{
    wg_tape *t = rows->value->tape;
    const wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    const int64_t width = e->mlp->options.sizes[e->mlp->options.n_sizes - 1];
    wg_tensor *outputs = wg_full(t, e->dtype, WG_SHAPE(rows->rows, width), 0);
    for (int64_t row = 0, n; wg_tape_status(t) == WG_OK && row < rows->rows; row += n) {
        const wg_mark mark = wg_tape_mark(t);
        n = rows->rows - row < ESTIMATOR_ROWS ? rows->rows - row : ESTIMATOR_ROWS;
        const wg_csr *block = wg_csr_load_rows(rows, row, n);
        const wg_tensor *Z = wg_tape_status(t) == WG_OK
                                 ? model.outputs(model.user, &(wg_dataset){.sparse = block}, false)
                                 : NULL;
        if (wg_is_inert(Z))
            break;
        memcpy((char *)outputs->data + (size_t)row * wg_row_bytes(Z), Z->data,
               (size_t)n * wg_row_bytes(Z));
        wg_tape_rewind(t, mark);
    }
    return outputs;
}

/* Outputs of streamed rows, block of rows by block of rows; the last block has old rows behind its
 * own. Strings are encoded as they stream, and the numbers beside them have been looked at. */
static wg_tensor *estimator_outputs_streamed(const wg_estimator *e, const wg_dataset *d,
                                             const char *const *strings)
{
    wg_tape *t = d->X->tape;
    const bool prepared = e->string_columns > 0, missing = e->pipeline->imputer != NULL;
    wg_tensor *X = prepared ? wg_pipeline_apply(e->pipeline, d->X, strings) : d->X;
    if (wg_is_inert(X))
        return X;
    const int64_t all = X->shape.dim[0], most = all < ESTIMATOR_ROWS ? all : ESTIMATOR_ROWS;
    wg_shape shape = X->shape;
    shape.dim[0] = most;
    void *room = wg_tape_take(t, (size_t)most * wg_row_bytes(X));
    if (room != NULL)
        memset(room, 0, (size_t)most * wg_row_bytes(X));
    wg_tensor *block = wg_input(t, X->name, X->dtype, shape.ndim, shape.dim, room);
    wg_tensor *Z = estimator_outputs_of(e, prepared ? block
                                                    : wg_pipeline_apply(e->pipeline, block, NULL));
    wg_program *program = wg_compile(&Z, 1, NULL);
    char *outputs = wg_tape_take(t, (size_t)all * wg_row_bytes(Z));
    for (int64_t row = 0, n; wg_tape_status(t) == WG_OK && row < all; row += n) {
        n = all - row < most ? all - row : most;
        const wg_tensor piece = wg_rows_piece(X, row, n, room);
        if (piece.data == NULL ||
            (!prepared && !wg_dataset_piece_finite(d, &piece, row, missing, "estimator")))
            break;
        if (piece.data != room)
            memcpy(room, piece.data, (size_t)n * wg_row_bytes(X));
        wg_program_bind(program, block, room);
        if (wg_program_run(program) == WG_OK)
            memcpy(outputs + (size_t)row * wg_row_bytes(Z), wg_program_output(program, 0)->data,
                   (size_t)n * wg_row_bytes(Z));
    }
    shape = Z->shape;
    shape.dim[0] = all;
    return wg_input(t, "outputs", Z->dtype, shape.ndim, shape.dim, outputs);
}

wg_tensor *wg_estimator_outputs(const wg_estimator *e, const wg_dataset *rows)
{
    wg_tape *t = wg_dataset_tape(rows);
    const wg_dataset d = wg_dataset_numbers(rows);
    bool of_table = d.table != NULL && d.sparse == NULL && rows->X == NULL;
    if (wg_estimator_is_inert(e) || t == NULL || wg_is_inert(wg_dataset_values(&d)))
        return wg_fail(t, WG_E_NULL, "estimator: an inert one, or no rows");
    if (d.sparse != NULL ? !estimator_sparse_fits(e, t, d.sparse)
                         : of_table && !estimator_table_fits(e, d.table))
        return wg_fail(t, WG_E_SHAPE, "estimator: the rows do not fit");
    const bool streamed = wg_is_streamed(wg_dataset_values(&d));
    const bool later = streamed && d.sparse == NULL &&
                       e->string_columns == 0; /* as they are read */
    if (!later && !wg_dataset_finite(&d, e->pipeline->imputer != NULL, "estimator"))
        return wg_fail(t, WG_E_NOT_FINITE, "estimator: rows that are not finite");
    if (streamed && d.sparse != NULL)
        return estimator_outputs_sparse(e, d.sparse);
    if (streamed)
        return estimator_outputs_streamed(e, &d, of_table ? d.table->strings : NULL);
    wg_dataset prepared = {.sparse = d.sparse};
    if (d.sparse == NULL)
        prepared.X = wg_pipeline_apply(e->pipeline, d.X, of_table ? d.table->strings : NULL);
    const wg_fit_model model = wg_mlp_fit_model(e->mlp, e->head);
    return model.outputs(model.user, &prepared, false);
}

wg_tensor *wg_estimator_predict(const wg_estimator *e, const wg_dataset *rows)
{
    wg_tensor *Z = wg_estimator_outputs(e, rows);
    return wg_is_inert(Z) ? Z : wg_head_predict(e->head, Z);
}

wg_tensor *wg_estimator_predict_proba(const wg_estimator *e, const wg_dataset *rows)
{
    wg_tensor *Z = wg_estimator_outputs(e, rows);
    return wg_is_inert(Z) ? Z : wg_head_probabilities(e->head, Z);
}

double wg_estimator_score(const wg_estimator *e, const wg_dataset *rows)
{
    wg_tape *t = wg_dataset_tape(rows);
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *Z = wg_estimator_outputs(e, rows);
    if (wg_is_inert(Z) || e->head->n_metrics == 0)
        return (double)NAN;
    wg_tensor *P = e->head->probabilities != NULL ? e->head->probabilities(Z) : NULL;
    double score = e->head->metrics[0].value(wg_head_predict(e->head, Z), P,
                                             wg_estimator_targets(e, rows));
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
    return score;
}

/* ---- The truth. ------------------------------------------------------------------------------ */

/* The estimator's number of each of the table's classes, -1 where there is none, into number[]. */
static bool estimator_number_classes(const wg_estimator *e, const wg_table *table, int64_t number[])
{
    wg_c_locale locale;
    if (!wg_c_locale_enter(&locale)) {
        wg_fail(table->tape, WG_E_NOMEM, "estimator: no memory for the C locale");
        return false;
    }
    for (int64_t c = 0; c < table->class_count; c++)
        number[c] = wg_class_find(e->class_names, e->k, table->class_names[c]);
    wg_c_locale_leave(&locale);
    return true;
}

static bool estimator_numbers_alike(const int64_t number[], int64_t n)
{
    for (int64_t c = 0; c < n; c++)
        if (number[c] != c)
            return false;
    return true;
}

/* A table's labels as the estimator numbers them. */
static wg_tensor *estimator_classes(const wg_estimator *e, const wg_table *table)
{
    wg_tape *t = table->tape;
    wg_tensor *own = wg_table_classes(table);
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return wg_fail(t, WG_E_NULL, "estimator: no table, or none with labels");
    int64_t n = wg_size(own);
    int64_t *number = wg_temporary(t, table->class_count, sizeof *number);
    wg_tensor *classes = NULL;
    if (number != NULL && estimator_number_classes(e, table, number)) {
        const bool alike = estimator_numbers_alike(number, table->class_count);
        classes = alike ? own : wg_full(t, WG_I64, WG_SHAPE(n), 0);
        for (int64_t i = 0; !alike && !wg_is_inert(classes) && i < n; i++)
            ((int64_t *)classes->data)[i] = number[wg_data_i64(own)[i]];
    }
    wg_temporary_free(t, number);
    return classes != NULL ? classes : wg_fail(t, WG_E_NOMEM, "estimator: classes");
}

wg_tensor *wg_estimator_targets(const wg_estimator *e, const wg_dataset *rows)
{
    wg_tape *t = wg_dataset_tape(rows);
    if (wg_estimator_is_inert(e) || t == NULL)
        return wg_fail(t, WG_E_NULL, "estimator: an inert one, or no rows");
    if (rows->y == NULL && rows->table == NULL)
        return wg_fail(t, WG_E_VALUE, "estimator: the rows have no labels");
    if (e->head->kind != WG_HEAD_NUMBERS)
        return rows->y == NULL ? estimator_classes(e, rows->table) : rows->y;
    const wg_head numbers = {.kind = WG_HEAD_NUMBERS};
    return wg_head_targets(&numbers, wg_dataset_with_y(rows, true).y, e->k, e->dtype);
}
