/* Coordinates in which a first linear layer sees columns that are centred and of one scale, so that
 * minimizers do not stop short where they are not. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"
#include "models/data/scaler_internal.h"
#include "models/optim/minimize_internal.h"

#include <math.h>

/* ---- What the columns are like. -------------------------------------------------------------- */

/* The scale is the root of the Hessian's diagonal for a log loss, but for a factor that all have:
 * the variance, and where a column hardly varies the penalty. */
static void coordinates_set(wg_fit_coordinates *c, double l2)
{
    for (int64_t j = 0; j < c->columns; j++) {
        c->scale[j] = sqrt(c->scale[j] + 4 * l2);
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
    double rows;
    if (wg_ranks_agree(run->tape, 0, "") == WG_OK) {
        if (d->sparse != NULL)
            wg_fit_sparse_moments(d->sparse, c->mean, c->scale);
        else
            wg_column_moments(d->X, c->mean, c->scale, &rows);
        coordinates_set(c, run->l2);
    }
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
