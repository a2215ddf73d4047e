/* Coordinates in which a first linear layer sees columns that are centred and of one scale, so that
 * minimizers do not stop short where they are not. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "models/optim/minimize_internal.h"

#include <math.h>

/* ---- What the columns are like. -------------------------------------------------------------- */

/* The scale is the root of the Hessian's diagonal for a log loss, but for a factor that all have:
 * the variance, and where a column hardly varies the penalty. stored: zeros, [columns]. */
static void coordinates_measure(wg_fit_coordinates *c, const wg_dataset *d, double l2,
                                double *stored)
{
    const wg_tensor *X = wg_dataset_values(d);
    const int64_t *column = d->sparse != NULL ? wg_data_i64(d->sparse->column) : NULL;
    const double n = (double)wg_dataset_rows(d);
    for (int64_t i = 0; i < X->size; i++) {
        const int64_t j = column != NULL ? column[i] : i % c->columns;
        c->mean[j] += wg_element(X, i) / n;
        stored[j]++;
    }
    for (int64_t i = 0; i < X->size; i++) {
        const int64_t j = column != NULL ? column[i] : i % c->columns;
        const double r = wg_element(X, i) - c->mean[j];
        c->scale[j] += r * r / n;
    }
    for (int64_t j = 0; j < c->columns; j++) {
        const double zeros = (n - stored[j]) / n * c->mean[j] * c->mean[j];
        c->scale[j] = sqrt(c->scale[j] + zeros + 4 * l2);
        if (isfinite(c->mean[j]) && isfinite(c->scale[j]) && c->scale[j] > 0)
            continue;
        c->mean[j] = 0;
        c->scale[j] = 1;
    }
}

bool wg_fit_coordinates_new(wg_fit_coordinates *c, const wg_fit_run *run)
{
    const wg_fit_model *model = run->model;
    const wg_dataset *d = &run->rows.train;
    *c = (wg_fit_coordinates){.columns = 0};
    if (!model->linear_first || (d->sparse == NULL && d->X->shape.ndim != 2))
        return true;
    const wg_tensor *W = model->params[0];
    c->outputs = W->shape.dim[0];
    c->columns = W->shape.dim[1];
    c->mean = wg_vector_new(run->tape, c->columns);
    c->scale = wg_vector_new(run->tape, c->columns);
    double *stored = wg_temporary(run->tape, c->columns, sizeof *stored);
    if (stored != NULL && wg_tape_status(run->tape) == WG_OK) {
        for (int64_t j = 0; j < c->columns; j++)
            c->mean[j] = c->scale[j] = stored[j] = 0;
        coordinates_measure(c, d, run->l2, stored);
    }
    wg_temporary_free(run->tape, stored);
    return wg_tape_status(run->tape) == WG_OK;
}

/* ---- There and back. ------------------------------------------------------------------------- */

void wg_fit_coordinates_from(const wg_fit_coordinates *c, double x[])
{
    double *W = x, *b = x + c->outputs * c->columns;
    for (int64_t o = 0; o < c->outputs; o++)
        for (int64_t j = 0; j < c->columns; j++, W++) {
            b[o] += *W * c->mean[j];
            *W *= c->scale[j];
        }
}

void wg_fit_coordinates_to(const wg_fit_coordinates *c, double x[])
{
    double *W = x, *b = x + c->outputs * c->columns;
    for (int64_t o = 0; o < c->outputs; o++)
        for (int64_t j = 0; j < c->columns; j++, W++) {
            *W /= c->scale[j];
            b[o] -= *W * c->mean[j];
        }
}

void wg_fit_coordinates_gradient(const wg_fit_coordinates *c, double g[])
{
    double *W = g;
    const double *b = g + c->outputs * c->columns;
    for (int64_t o = 0; o < c->outputs; o++)
        for (int64_t j = 0; j < c->columns; j++, W++)
            *W = (*W - b[o] * c->mean[j]) / c->scale[j];
}

/* T' H T, T being what _to does: T' from the left, twice, with a transposition after each. */
void wg_fit_coordinates_hessian(const wg_fit_coordinates *c, double h[], int64_t n)
{
    for (int twice = 0; c->columns > 0 && twice < 2; twice++) {
        for (int64_t i = 0; i < n; i++)
            wg_fit_coordinates_gradient(c, h + i * n);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < i; j++) {
                const double swap = h[i * n + j];
                h[i * n + j] = h[j * n + i];
                h[j * n + i] = swap;
            }
    }
}
