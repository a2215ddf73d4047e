/* Standardization: mean and deviation by column, fitted and applied. */
#include "models/data/scaler_internal.h"

#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "ops/arithmetic.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const wg_scaler scaler_inert = {NULL, NULL, NULL};

/* No function takes a scaler that it could write. */
static wg_scaler *scaler_none(void)
{
    return (wg_scaler *)(uintptr_t)&scaler_inert;
}

/* What the columns are summed up from. */
typedef struct scaler_rows {
    const wg_tensor *X; /* [n, d] */
    const double *mean; /* [d] */
    void *room;         /* for WG_RANKS_BLOCK rows of a streamed X */
} scaler_rows;

/* sum[j] += sum_i (x_ij - mean_j), sum[d + j] += sum_i (x_ij - mean_j)^2, of n rows x. */
static void scaler_add_rows(const wg_tensor *x, int64_t n, const double *mean, double sum[])
{
    const int64_t d = x->shape.dim[1];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < d; j++) {
            double z = wg_element(x, i * d + j) - mean[j];
            sum[j] += z;
            sum[d + j] += z * z;
        }
}

static void scaler_add(int64_t first, int64_t end, double sum[], void *user)
{
    const scaler_rows *r = user;
    for (int64_t row = first, n; row < end; row += n) {
        n = end - row < WG_RANKS_BLOCK ? end - row : WG_RANKS_BLOCK;
        const wg_tensor piece = wg_rows_piece(r->X, row, n, r->room);
        if (piece.data == NULL)
            return;
        scaler_add_rows(&piece, n, r->mean, sum);
    }
}

/* sums: room for 2 d numbers. The second pass corrects the mean by what rounding took from the
 * first, and the squares by the same. */
static void scaler_moments(const wg_tensor *X, double rows, double *mean, double *variance,
                           double *sums, void *room)
{
    const int64_t d = X->shape.dim[1];
    scaler_rows r = {X, mean, room};
    memset(mean, 0, (size_t)d * sizeof *mean);
    wg_ranks_sum_rows(X->tape, X->shape.dim[0], 2 * d, scaler_add, &r, sums);
    for (int64_t j = 0; j < d; j++)
        mean[j] = sums[j] / rows;
    wg_ranks_sum_rows(X->tape, X->shape.dim[0], 2 * d, scaler_add, &r, sums);
    for (int64_t j = 0; j < d; j++) {
        variance[j] = (sums[d + j] - sums[j] * sums[j] / rows) / rows;
        mean[j] += sums[j] / rows;
    }
}

bool wg_column_moments(wg_tensor *X, double mean[], double variance[], double *rows)
{
    wg_tape *t = X->tape;
    const int64_t d = X->shape.dim[1];
    double *sums = wg_temporary(t, 2 * d, sizeof *sums);
    *rows = (double)wg_ranks_rows(t, X->shape.dim[0], NULL);
    X = wg_ranks_share(X);
    void *room = wg_rows_room(X, WG_RANKS_BLOCK);
    if (wg_ranks_agree(t, 0, "") == WG_OK && d > 0) /* rows of nothing may be very many */
        scaler_moments(X, *rows, mean, variance, sums, room);
    wg_temporary_free(t, room);
    wg_temporary_free(t, sums);
    return wg_tape_status(t) == WG_OK;
}

/* The deviations of variances, in place. The test is scikit-learn's: a variance that rounding alone
 * explains is that of a constant, and so is one of which the dtype makes nothing; one that
 * overflows stays infinite. */
static void scaler_deviations(int64_t d, double rows, const double *mean, double *scale,
                              wg_dtype dtype)
{
    for (int64_t j = 0; j < d; j++) {
        const double variance = scale[j], noise = rows * mean[j] * DBL_EPSILON;
        const bool constant = isfinite(variance) &&
                              variance <= rows * DBL_EPSILON * variance + noise * noise;
        scale[j] = constant ? 1 : sqrt(variance);
        if (dtype == WG_F32 && (float)scale[j] == 0)
            scale[j] = 1;
    }
}

/* rest: room for d numbers. */
static wg_scaler *scaler_new(const wg_tensor *X, const double *mean, const double *scale,
                             double *rest)
{
    wg_tape *t = X->tape;
    int64_t d = X->shape.dim[1];
    bool rounded = false;
    for (int64_t j = 0; j < d; j++) {
        rest[j] = X->dtype == WG_F32 ? (mean[j] - (double)(float)mean[j]) / scale[j] : 0;
        rounded |= rest[j] != 0;
    }
    wg_tensor *r = rounded ? wg_constant_from(t, X->dtype, WG_SHAPE(d), rest) : NULL;
    wg_tensor *m = wg_constant_from(t, X->dtype, WG_SHAPE(d), mean);
    wg_tensor *s = wg_constant_from(t, X->dtype, WG_SHAPE(d), scale);
    wg_scaler *scaler = wg_tape_take(t, sizeof *scaler);
    if (scaler == NULL || wg_tape_status(t) != WG_OK)
        return scaler_none();
    *scaler = (wg_scaler){m, s, r};
    return scaler;
}

static bool scaler_fits(const wg_tensor *X)
{
    if (wg_is_inert(X))
        return false;
    if (X->shape.ndim != 2 || X->shape.dim[0] == 0)
        wg_fail(X->tape, WG_E_SHAPE, "scaler: (n, d) with n > 0 expected: %s", wg_tensor_text(X).s);
    else if (X->dtype == WG_I64)
        wg_fail(X->tape, WG_E_DTYPE, "scaler: f32 or f64 expected: %s is i64", wg_tensor_text(X).s);
    else if (!wg_is_streamed(X) && (X->data == NULL || wg_is_stale(X)))
        wg_fail(X->tape, WG_E_STALE, "scaler: replay first: %s", wg_tensor_text(X).s);
    return wg_tape_status(X->tape) == WG_OK;
}

wg_scaler *wg_scaler_fit(wg_tensor *X)
{
    const bool fits = scaler_fits(X);
    wg_tape *t = X != NULL ? X->tape : NULL;
    if (wg_ranks_agree(t, fits ? (uint64_t)X->shape.dim[1] : 0, "columns") != WG_OK || !fits)
        return scaler_none();
    const int64_t d = X->shape.dim[1]; /* a row of it lies in memory: 3 d is a number */
    double rows, *memory = wg_temporary(t, 3 * d, sizeof *memory);
    wg_scaler *scaler = scaler_none();
    if (wg_ranks_agree(t, 0, "") == WG_OK && wg_column_moments(X, memory, memory + d, &rows)) {
        scaler_deviations(d, rows, memory, memory + d, X->dtype);
        scaler = scaler_new(X, memory, memory + d, memory + 2 * d);
    }
    wg_temporary_free(t, memory);
    return scaler;
}

/* ---- Streamed rows. -------------------------------------------------------------------------- */

typedef struct scaler_stream {
    wg_stream of;
    const wg_scaler *by;
} scaler_stream;

/* The arithmetic is that of wg_scaler_apply, in the rows' dtype. */
static void scaler_stream_f32(const wg_scaler *s, int64_t n, float *x)
{
    const float *mean = s->mean->data, *scale = s->scale->data;
    const float *rest = s->rest != NULL ? s->rest->data : NULL;
    for (int64_t i = 0, d = s->mean->size; i < n; i++, x += d) {
        for (int64_t j = 0; j < d; j++)
            x[j] = (x[j] - mean[j]) / scale[j];
        for (int64_t j = 0; rest != NULL && j < d; j++)
            x[j] -= rest[j];
    }
}

static void scaler_stream_f64(const wg_scaler *s, int64_t n, double *x)
{
    const double *mean = s->mean->data, *scale = s->scale->data;
    for (int64_t i = 0, d = s->mean->size; i < n; i++, x += d)
        for (int64_t j = 0; j < d; j++)
            x[j] = (x[j] - mean[j]) / scale[j];
}

static const char *scaler_stream_read(void *user, int64_t first, int64_t n, void *to)
{
    const scaler_stream *s = user;
    const char *wrong = s->of.read(s->of.user, first, n, to);
    if (wrong == NULL && s->by->mean->dtype == WG_F32)
        scaler_stream_f32(s->by, n, to);
    else if (wrong == NULL)
        scaler_stream_f64(s->by, n, to);
    return wrong;
}

static wg_tensor *scaler_stream_of(const wg_scaler *scaler, wg_tensor *X)
{
    wg_tape *t = X->tape;
    const wg_tensor *mean = scaler->mean;
    scaler_stream *s = wg_tape_take(t, sizeof *s);
    if (s == NULL || wg_is_inert(mean) || wg_is_inert(scaler->scale) || X->shape.ndim != 2 ||
        X->shape.dim[1] != mean->size || X->dtype != mean->dtype)
        return wg_fail(t, WG_E_SHAPE, "scaler: it was fitted to other columns than %s",
                       wg_tensor_text(X).s);
    *s = (scaler_stream){*(const wg_stream *)X->plan, scaler};
    return wg_streamed(t, X->name, X->dtype, X->shape.ndim, X->shape.dim,
                       &(wg_stream){.read = scaler_stream_read, .user = s, .first = s->of.first});
}

/* ---- Applying it. ---------------------------------------------------------------------------- */

wg_tensor *wg_scaler_apply(const wg_scaler *scaler, wg_tensor *X)
{
    if (scaler == NULL)
        scaler = &scaler_inert;
    if (!wg_is_inert(X) && wg_is_streamed(X))
        return scaler_stream_of(scaler, X);
    wg_tensor *z = wg_div(wg_sub(X, scaler->mean), scaler->scale);
    return scaler->rest != NULL ? wg_sub(z, scaler->rest) : z;
}

wg_tensor *wg_standardize(wg_tensor *X)
{
    if (wg_is_inert(X))
        return X != NULL ? X : wg_fail(NULL, WG_E_NULL, "standardize: X is NULL");
    return wg_scaler_apply(wg_scaler_fit(X), X);
}
