/* Missing values: what takes their place, fitted and applied. */
#include "models/data/imputer.h"

#include "autograd/op.h"
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

/* Of one column: the number; *missing: is there a NaN? known has room for n. */
static double imputer_number(const wg_tensor *X, int64_t column, bool median, double *known,
                             bool *missing)
{
    int64_t n = X->shape.dim[0], d = X->shape.dim[1], count = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = wg_element(X, i * d + column);
        if (!isnan(value))
            known[count++] = value;
    }
    *missing = count < n;
    if (count == 0)
        return 0;
    return median ? imputer_median(known, count) : imputer_mean(known, count);
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
    if (!imputer_fits(X))
        return imputer_none();
    wg_tape *t = X->tape;
    int64_t d = X->shape.dim[1], m = 0;
    double *known = wg_temporary(t, X->shape.dim[0], sizeof *known);
    double *number = wg_temporary(t, d, sizeof *number);
    int64_t *indicated = wg_temporary(t, d, sizeof *indicated);
    wg_imputer *made = imputer_none();
    for (int64_t j = 0; indicated != NULL && number != NULL && known != NULL && j < d; j++) {
        bool missing;
        number[j] = imputer_number(X, j, o.median, known, &missing);
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
