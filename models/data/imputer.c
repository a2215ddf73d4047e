/* Missing values: what takes their place, fitted and applied. */
#include "models/data/imputer.h"

#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "ops/compare.h"
#include "ops/index.h"
#include "ops/layout.h"
#include "ops/slice.h"

#include <math.h>
#include <stdlib.h>

static const wg_imputer imputer_inert = {NULL, NULL};

/* No function takes an imputer that it could write. */
static wg_imputer *imputer_none(void)
{
    return (wg_imputer *)(uintptr_t)&imputer_inert;
}

/* The second sum takes back what the first one lost to rounding. */
static double imputer_mean(const double *values, int64_t n)
{
    double mean = 0;
    for (int pass = 0; pass < 2; pass++) {
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += values[i] - mean;
        mean += sum / (double)n;
    }
    return mean;
}

static int imputer_order(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double imputer_median(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof *values, imputer_order);
    return n % 2 == 1 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
}

/* Of one column, of all ranks' `rows` rows: the number; *missing: is there a NaN? known has room
 * for n. */
static double imputer_number(const wg_tensor *X, int64_t rows, int64_t column, bool median,
                             double *known, bool *missing)
{
    int64_t n = X->shape.dim[0], d = X->shape.dim[1], count = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = wg_element(X, i * d + column);
        if (!isnan(value))
            known[count++] = value;
    }
    size_t bytes;
    double number = 0;
    double *all = wg_ranks_gather(X->tape, known, (size_t)count * sizeof *known, true, &bytes);
    count = (int64_t)(bytes / sizeof *known);
    *missing = count < rows;
    if (all != NULL && count > 0)
        number = median ? imputer_median(all, count) : imputer_mean(all, count);
    wg_temporary_free(X->tape, all);
    return number;
}

static bool imputer_fits(const wg_tensor *X)
{
    if (wg_is_inert(X))
        return false;
    if (X->shape.ndim != 2)
        wg_fail(X->tape, WG_E_SHAPE, "imputer: (n, d) wanted: %s", wg_tensor_text(X).s);
    else if (X->dtype == WG_I64)
        wg_fail(X->tape, WG_E_DTYPE, "imputer: f32 or f64 wanted: %s is i64", wg_tensor_text(X).s);
    else if (X->data == NULL || wg_is_stale(X))
        wg_fail(X->tape, WG_E_STALE, "imputer: replay first: %s", wg_tensor_text(X).s);
    return wg_tape_status(X->tape) == WG_OK;
}

wg_imputer *wg_imputer_fit(const wg_tensor *X, const wg_imputer_options *options)
{
    wg_imputer_options o = {0};
    if (options != NULL)
        o = *options;
    const bool fits = imputer_fits(X);
    wg_tape *t = X != NULL ? X->tape : NULL;
    if (wg_ranks_agree(t, fits ? (uint64_t)X->shape.dim[1] : 0, "columns") != WG_OK || !fits)
        return imputer_none();
    int64_t d = X->shape.dim[1], m = 0, rows = wg_ranks_rows(t, X->shape.dim[0], NULL);
    double *known = wg_temporary(t, X->shape.dim[0], sizeof *known);
    double *number = wg_temporary(t, d, sizeof *number);
    int64_t *indicated = wg_temporary(t, d, sizeof *indicated);
    wg_imputer *made = imputer_none();
    wg_ranks_agree(t, 0, "");
    for (int64_t j = 0; wg_tape_status(t) == WG_OK && j < d; j++) {
        bool missing;
        number[j] = imputer_number(X, rows, j, o.median, known, &missing);
        if (missing && o.indicate)
            indicated[m++] = j;
    }
    wg_imputer *room = wg_tape_take(t, sizeof *room);
    if (wg_tape_status(t) == WG_OK) {
        *room = (wg_imputer){wg_constant_from(t, X->dtype, WG_SHAPE(d), number),
                             m > 0 ? wg_constant(t, WG_I64, WG_SHAPE(m), indicated) : NULL};
        made = wg_tape_status(t) == WG_OK ? room : made;
    }
    wg_temporary_free(t, indicated);
    wg_temporary_free(t, number);
    wg_temporary_free(t, known);
    return made;
}

wg_tensor *wg_imputer_apply(const wg_imputer *imputer, wg_tensor *X)
{
    if (imputer == NULL || imputer->fill == NULL || wg_is_inert(X))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "imputer: an inert one, or no X");
    wg_tensor *missing = wg_not_equal(X, X); /* NaN alone is not itself */
    wg_tensor *filled = wg_where(missing, imputer->fill, X);
    if (imputer->indicated == NULL)
        return filled;
    wg_tensor *columns = wg_t(wg_gather_rows(wg_t(missing), imputer->indicated));
    return wg_concat((wg_tensor *[]){filled, columns}, 2, 1);
}
