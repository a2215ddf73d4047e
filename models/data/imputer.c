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
#include <string.h>

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

enum { IMPUTER_ROWS = 256, IMPUTER_NUMBERS = 1 << 23 }; /* streamed, and kept, at a time */

/* The known values of some columns, `first` and those behind it, into known[columns, n]; how many
 * of each into count. X may be streamed: it is read once. */
static void imputer_known(const wg_tensor *X, int64_t first, int64_t columns, double *known,
                          int64_t *count, void *room)
{
    const int64_t n = X->shape.dim[0], d = X->shape.dim[1];
    for (int64_t j = 0; j < columns; j++)
        count[j] = 0;
    for (int64_t row = 0, part; row < n; row += part) {
        part = n - row < IMPUTER_ROWS ? n - row : IMPUTER_ROWS;
        const wg_tensor piece = wg_rows_piece(X, row, part, room);
        for (int64_t i = 0; piece.data != NULL && i < part; i++)
            for (int64_t j = 0; j < columns; j++) {
                const double value = wg_element(&piece, i * d + first + j);
                if (!isnan(value))
                    known[j * n + count[j]++] = value;
            }
    }
}

/* Of one column's known values, of which all ranks' rows are `rows`: the number; *missing: is there
 * a NaN? */
static double imputer_number(wg_tape *t, const double *known, int64_t count, int64_t rows,
                             bool median, bool *missing)
{
    size_t bytes;
    double number = 0;
    double *all = wg_ranks_gather(t, known, (size_t)count * sizeof *known, true, &bytes);
    count = (int64_t)(bytes / sizeof *known);
    *missing = count < rows;
    if (all != NULL && count > 0)
        number = median ? imputer_median(all, count) : imputer_mean(all, count);
    wg_temporary_free(t, all);
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
    else if (!wg_is_streamed(X) && (X->data == NULL || wg_is_stale(X)))
        wg_fail(X->tape, WG_E_STALE, "imputer: replay first: %s", wg_tensor_text(X).s);
    return wg_tape_status(X->tape) == WG_OK;
}

/* What is worked out of X [n, d]. */
typedef struct imputer_work {
    int64_t group;  /* columns at a time */
    double *known;  /* [group, n] */
    int64_t *count; /* [group] */
    void *room;
    double *number;     /* [d] */
    int64_t *indicated; /* [m] */
    int64_t m;
} imputer_work;

static void imputer_work_new(imputer_work *w, const wg_tensor *X)
{
    wg_tape *t = X->tape;
    const int64_t n = X->shape.dim[0], d = X->shape.dim[1];
    const int64_t most = IMPUTER_NUMBERS / (n > 0 ? n : 1);
    w->group = most < 1 ? 1 : most < d ? most : d;
    w->known = wg_temporary(t, w->group * n, sizeof *w->known);
    w->count = wg_temporary(t, w->group, sizeof *w->count);
    w->room = wg_rows_room(X, IMPUTER_ROWS);
    w->number = wg_temporary(t, d, sizeof *w->number);
    w->indicated = wg_temporary(t, d, sizeof *w->indicated);
}

static void imputer_work_free(wg_tape *t, const imputer_work *w)
{
    wg_temporary_free(t, w->known);
    wg_temporary_free(t, w->count);
    wg_temporary_free(t, w->room);
    wg_temporary_free(t, w->number);
    wg_temporary_free(t, w->indicated);
}

static void imputer_work_do(imputer_work *w, const wg_tensor *X, int64_t rows,
                            const wg_imputer_options *o)
{
    wg_tape *t = X->tape;
    const int64_t n = X->shape.dim[0], d = X->shape.dim[1];
    for (int64_t j = 0; wg_tape_status(t) == WG_OK && j < d; j++) {
        const int64_t k = j % w->group;
        bool missing;
        if (k == 0)
            imputer_known(X, j, d - j < w->group ? d - j : w->group, w->known, w->count, w->room);
        w->number[j] = imputer_number(t, w->known + k * n, w->count[k], rows, o->median, &missing);
        if (missing && o->indicate)
            w->indicated[w->m++] = j;
    }
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
    const int64_t d = X->shape.dim[1], rows = wg_ranks_rows(t, X->shape.dim[0], NULL);
    imputer_work w = {.m = 0};
    imputer_work_new(&w, X);
    wg_imputer *room = wg_tape_take(t, sizeof *room), *made = imputer_none();
    if (wg_ranks_agree(t, 0, "") == WG_OK)
        imputer_work_do(&w, X, rows, &o);
    if (wg_tape_status(t) == WG_OK) {
        *room = (wg_imputer){wg_constant_from(t, X->dtype, WG_SHAPE(d), w.number),
                             w.m > 0 ? wg_constant(t, WG_I64, WG_SHAPE(w.m), w.indicated) : NULL};
        made = wg_tape_status(t) == WG_OK ? room : made;
    }
    imputer_work_free(t, &w);
    return made;
}

/* ---- Streamed rows. -------------------------------------------------------------------------- */

typedef struct imputer_stream {
    wg_stream of;
    const wg_imputer *by;
    int64_t columns, indicated;
} imputer_stream;

/* Row by row from the last one on, since rows become wider: elements of so many bytes. */
static void imputer_stream_fill(const imputer_stream *s, int64_t n, size_t size, char *x)
{
    const int64_t d = s->columns, m = s->indicated;
    wg_tensor row = {.dtype = s->by->fill->dtype};
    for (int64_t i = n - 1; i >= 0; i--) {
        row.data = memmove(x + (size_t)(i * (d + m)) * size, x + (size_t)(i * d) * size,
                           (size_t)d * size);
        for (int64_t k = 0; k < m; k++)
            wg_set_element(&row, d + k,
                           isnan(wg_element(&row, wg_data_i64(s->by->indicated)[k])) ? 1 : 0);
        for (int64_t j = 0; j < d; j++)
            if (isnan(wg_element(&row, j)))
                wg_set_element(&row, j, wg_element(s->by->fill, j));
    }
}

static const char *imputer_stream_read(void *user, int64_t first, int64_t n, void *to)
{
    const imputer_stream *s = user;
    const char *wrong = s->of.read(s->of.user, first, n, to);
    if (wrong == NULL)
        imputer_stream_fill(s, n, wg_dtype_size(s->by->fill->dtype), to);
    return wrong;
}

static wg_tensor *imputer_stream_of(const wg_imputer *imputer, wg_tensor *X)
{
    wg_tape *t = X->tape;
    const int64_t m = imputer->indicated != NULL ? imputer->indicated->size : 0;
    if (X->shape.ndim != 2 || X->dtype != imputer->fill->dtype ||
        X->shape.dim[1] != imputer->fill->size)
        return wg_fail(t, WG_E_SHAPE, "imputer: other columns were fitted: %s",
                       wg_tensor_text(X).s);
    imputer_stream *s = wg_tape_take(t, sizeof *s);
    if (s == NULL)
        return wg_fail(t, WG_E_NOMEM, "imputer");
    *s = (imputer_stream){*(const wg_stream *)X->plan, imputer, X->shape.dim[1], m};
    return wg_streamed(t, X->name, X->dtype, WG_SHAPE(X->shape.dim[0], X->shape.dim[1] + m),
                       &(wg_stream){.read = imputer_stream_read, .user = s, .first = s->of.first});
}

wg_tensor *wg_imputer_apply(const wg_imputer *imputer, wg_tensor *X)
{
    if (imputer == NULL || imputer->fill == NULL || wg_is_inert(X))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "imputer: an inert one, or no X");
    if (wg_is_streamed(X))
        return imputer_stream_of(imputer, X);
    wg_tensor *missing = wg_not_equal(X, X); /* NaN alone is not itself */
    wg_tensor *filled = wg_where(missing, imputer->fill, X);
    if (imputer->indicated == NULL)
        return filled;
    wg_tensor *columns = wg_t(wg_gather_rows(wg_t(missing), imputer->indicated));
    return wg_concat((wg_tensor *[]){filled, columns}, 2, 1);
}
