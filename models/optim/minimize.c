/* What the minimizers share: vectors, descents, and why one stopped. */
#include "models/optim/minimize_internal.h"

#include <math.h>
#include <string.h>

#define MINIMIZE_NAME(code, text) #code,
#define MINIMIZE_TEXT(code, text) text,
static const char *const minimize_names[] = {WG_STOP_LIST(MINIMIZE_NAME)};
static const char *const minimize_texts[] = {WG_STOP_LIST(MINIMIZE_TEXT)};

static bool minimize_knows(wg_stop stop)
{
    return (unsigned)stop < sizeof minimize_names / sizeof *minimize_names;
}

const char *wg_stop_name(wg_stop stop)
{
    return minimize_knows(stop) ? minimize_names[stop] : "?";
}

const char *wg_stop_text(wg_stop stop)
{
    return minimize_knows(stop) ? minimize_texts[stop] : "?";
}

/* ---- Vectors. --------------------------------------------------------------------------------- */

double wg_vector_dot(int64_t n, const double x[], const double y[])
{
    double sum[4] = {0};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += x[i + k] * y[i + k];
    for (; i < n; i++)
        sum[0] += x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void wg_vector_add(int64_t n, double a, const double x[], double y[])
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

double wg_vector_largest(int64_t n, const double x[])
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(x[i]) <= largest))
            largest = fabs(x[i]);
    return largest;
}

double *wg_vector_new(const wg_objective *f, int64_t n)
{
    int64_t bytes;
    if (n < 0 || !wg_size_multiply(n, (int64_t)sizeof(double), &bytes)) {
        wg_fail(f->tape, WG_E_VALUE, "minimizer: a vector of %lld", (long long)n);
        return NULL;
    }
    return wg_tape_take(f->tape, (size_t)bytes);
}

/* ---- Descents. -------------------------------------------------------------------------------- */

bool wg_descent_new(wg_descent *d, const wg_objective *f)
{
    *d = (wg_descent){.f = f};
    if (f->n < 1 || f->value_and_gradient == NULL)
        wg_fail(f->tape, WG_E_VALUE, "minimizer: an objective without variables or value");
    d->gradient = wg_vector_new(f, f->n);
    d->direction = wg_vector_new(f, f->n);
    d->trial = wg_vector_new(f, f->n);
    d->trial_gradient = wg_vector_new(f, f->n);
    return wg_tape_status(f->tape) == WG_OK;
}

void wg_descent_at(wg_descent *d, double x[])
{
    d->x = x;
    d->value = d->f->value_and_gradient(x, d->gradient, d->f->user);
    d->evaluations++;
}

bool wg_descent_stops(const wg_descent *d, double tolerance, int64_t i, int64_t most, wg_stop *stop)
{
    const double norm = wg_vector_largest(d->f->n, d->gradient);
    const bool error = wg_tape_status(d->f->tape) != WG_OK;
    const bool finite = isfinite(d->value) && isfinite(norm);
    if (!error && finite && norm > tolerance && i < most)
        return false;
    *stop = error               ? WG_STOP_ERROR
            : !finite           ? WG_STOP_NOT_FINITE
            : norm <= tolerance ? WG_STOP_GRADIENT
                                : WG_STOP_ITERATIONS;
    return true;
}

void wg_descent_move(wg_descent *d, double value)
{
    const size_t bytes = (size_t)d->f->n * sizeof(double);
    memcpy(d->x, d->trial, bytes);
    memcpy(d->gradient, d->trial_gradient, bytes);
    d->value = value;
}
