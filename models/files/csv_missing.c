/* Missing values of a CSV file: columns that tell where they were, means and medians in their
 * place. */
#include "models/files/center_internal.h"
#include "models/files/csv_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Puts mean or median into a column of numbers, the `at`th; known [rows] is room for the others. */
static bool csv_fill_column(wg_csv_file *f, int64_t column, int64_t at, double *known)
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
    double fill = f->options.missing == WG_CSV_MISSING_MEAN ? wg_mean_of(known, n)
                                                            : wg_median_of(known, n);
    for (int64_t i = 0; i < f->rows; i++)
        if (isnan(f->values[i * d + at]))
            f->values[i * d + at] = fill;
    return true;
}

bool wg_csv_fill_missing(wg_csv_file *f)
{
    wg_csv_missing how = f->options.missing;
    if (how != WG_CSV_MISSING_MEAN && how != WG_CSV_MISSING_MEDIAN)
        return true;
    double *known = wg_temporary(f->tape, f->rows, sizeof *known);
    int64_t at = 0;
    bool done = known != NULL;
    for (int64_t j = 0; done && j < f->columns; j++) {
        if (f->column[j].kind != WG_CSV_NUMBER)
            continue;
        done = f->column[j].missing == 0 || csv_fill_column(f, j, at, known);
        at++;
    }
    wg_temporary_free(f->tape, known);
    return done;
}

bool wg_csv_indicate(wg_csv_file *f)
{
    int64_t at = 0, d = f->numbers, width, cells;
    for (int64_t j = 0; j < f->columns; j++)
        f->indicators += f->column[j].indicated && f->column[j].kind == WG_CSV_NUMBER;
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
    for (int64_t j = 0, k = d; j < f->columns; at += f->column[j++].kind == WG_CSV_NUMBER)
        if (f->column[j].indicated && f->column[j].kind == WG_CSV_NUMBER) {
            for (int64_t i = 0; i < f->rows; i++)
                wide[i * width + k] = isnan(f->values[i * d + at]);
            k++;
        }
    wg_temporary_free(f->tape, f->values);
    f->values = wide;
    f->numbers = width;
    return true;
}
