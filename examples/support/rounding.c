/* Warnings of columns whose numbers lose their differences when they are computed with. */
#include "rounding.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A column's numbers, summed up less the first of them, so that the squares stay exact enough. */
typedef struct spread {
    double first, sum, squares, most;
    int64_t count;
    bool whole;
} spread;

static void add(spread *s, double x, int64_t times)
{
    if (isnan(x) || times == 0)
        return;
    if (s->count == 0)
        s->first = x;
    s->count += times;
    s->sum += (double)times * (x - s->first);
    s->squares += (double)times * (x - s->first) * (x - s->first);
    s->most = fabs(x) > s->most ? fabs(x) : s->most;
    s->whole = s->whole && (!(fabs(x) < 0x1p52) || (double)(int64_t)x == x);
}

static double mean(const spread *s)
{
    return s->first + s->sum / (double)s->count;
}

static double deviation(const spread *s)
{
    const double n = (double)s->count;
    return sqrt(fmax(s->squares / n - s->sum / n * (s->sum / n), 0));
}

static void add_dense(const wg_tensor *X, spread s[])
{
    const int64_t d = wg_dim(X, 1);
    for (int64_t i = 0; i < wg_size(X); i += d)
        for (int64_t j = 0; j < d; j++)
            add(&s[j], wg_element(X, i + j), 1);
}

static void add_sparse(const wg_csr *A, spread s[])
{
    enum { PIECE = 1 << 13 };
    void *columns = wg_rows_room(A->column, PIECE), *values = wg_rows_room(A->value, PIECE);
    for (int64_t i = 0, n; i < wg_size(A->value); i += n) {
        n = wg_size(A->value) - i < PIECE ? wg_size(A->value) - i : PIECE;
        const wg_tensor column = wg_rows_piece(A->column, i, n, columns);
        const wg_tensor value = wg_rows_piece(A->value, i, n, values);
        for (int64_t k = 0; column.data != NULL && value.data != NULL && k < n; k++)
            add(&s[((const int64_t *)column.data)[k]], wg_element(&value, k), 1);
    }
    wg_temporary_free(A->value->tape, values);
    wg_temporary_free(A->value->tape, columns);
    for (int64_t j = 0; j < A->columns; j++)
        add(&s[j], 0, A->rows - s[j].count);
}

/* By two passes over the file; a deviation of 1 may be that of a constant. */
static void add_stream(wg_tape *t, wg_tensor *X, spread s[])
{
    const wg_scaler *fitted = wg_scaler_fit(X);
    for (int64_t j = 0; wg_tape_status(t) == WG_OK && j < wg_dim(X, 1); j++) {
        const double m = wg_at(fitted->mean, j), scale = wg_at(fitted->scale, j);
        if (scale != 1)
            s[j] = (spread){m, 0, scale * scale, fabs(m), 1, false};
    }
}

/* ---- Telling ------------------------------------------------------------------------------------------- */

static void tell_place(const wg_dataset *data, int64_t column, int64_t others)
{
    if (data->sparse != NULL)
        fprintf(stderr, "feature %" PRId64, column + !data->table->zero_based);
    else
        fprintf(stderr, "column '%s'", wg_shown_text(data->table->column_names[column]).s);
    if (others > 0)
        fprintf(stderr, " (and %" PRId64 " more)", others);
}

/* Integers that the file has, but f64 has not; f32 has none of them, and what the file had is not known. */
static void tell_ids(const wg_dataset *data, const spread s[], int64_t columns, bool f32)
{
    int64_t n = 0, first = 0;
    for (int64_t j = columns - 1; j >= 0; j--)
        if (s[j].most >= 0x1p53) {
            n++;
            first = j;
        }
    if (n == 0 || (data->table->rounded == 0 && !f32))
        return;
    fprintf(stderr, "%s: warning: ", options_program());
    tell_place(data, first, n - 1);
    fprintf(stderr, ": integers beyond 2^53 lose their last digits%s\n",
            data->table->csv != NULL
                ? "; ids are for --drop, or for --category where few rows have as many"
                : "; ids are better left out");
}

/* What computing does to a column, and what helps; NULL: no harm. Whole numbers are exact in f32 up to 2^24, and
 * standardizing takes the mean away exactly. What is one number in f32 may have been several in the file. */
static const char *harm(const spread *s, bool raw, bool f32, bool sparse, const char **cure)
{
    const double epsilon = f32 ? (double)FLT_EPSILON : DBL_EPSILON;
    const double size = s->count > 0 ? fabs(mean(s)) : 0, sd = s->count > 0 ? deviation(s) : 0;
    const bool exact = s->whole && s->most <= (f32 ? 0x1p23 : 0x1p53);
    *cure = f32 ? "in f64 they keep more" : "take a number near them away from all of them";
    if (s->most > (raw && f32 ? 1e18 : 1e150)) {
        if (!f32)
            *cure = "divide all of them by one that is as large";
        return "are so large that their squares overflow";
    }
    if (f32 && sd == 0 && s->most >= 0x1p16)
        return "are all the same";
    if (sd == 0 || size == 0)
        return NULL;
    if (!raw && (double)s->count * size * DBL_EPSILON >= sd) /* as the scaler judges */
        return "differ so little that they count as constant, and are not scaled";
    if (epsilon * size <= 1e-3 * sd || (!raw && exact))
        return NULL;
    if (raw && !f32 && !sparse)
        *cure = "without --raw they keep them";
    return "lose all but 2 digits or less of their differences";
}

/* asked: f32 was an option, and is not the file's own type. */
static void tell_far(const wg_dataset *data, const spread s[], int64_t columns, bool raw, bool f32,
                     bool asked)
{
    const bool sparse = data->sparse != NULL;
    const char *cure;
    int64_t n = 0, first = 0;
    for (int64_t j = columns - 1; j >= 0; j--)
        if (harm(&s[j], raw, f32, sparse, &cure) != NULL) {
            n++;
            first = j;
        }
    if (n == 0)
        return;
    fprintf(stderr, "%s: warning: ", options_program());
    tell_place(data, first, n - 1);
    const char *what = harm(&s[first], raw, f32, sparse, &cure);
    fprintf(stderr, ": in %s its numbers, around %g, %s; %s%s\n", f32 ? "f32" : "f64",
            isfinite(mean(&s[first])) ? mean(&s[first]) : s[first].most, what, cure,
            asked ? " (without --f32)" : "");
}

void rounding_warn(const train_arguments *a, const wg_dataset *data)
{
    wg_tape *t = data->table->tape;
    wg_tensor *X = wg_table_features(data->table);
    const int64_t columns = data->sparse != NULL ? data->sparse->columns : wg_dim(X, 1);
    const bool f32 = wg_dtype_of(data->sparse != NULL ? data->sparse->value : X) == WG_F32;
    const wg_mark mark = wg_tape_mark(t);
    if (wg_ranks_number(t) > 0 &&
        (data->sparse != NULL || !rows_streamed(&a->rows))) /* one tells */
        return;
    spread *s = wg_tape_take(t, (size_t)columns * sizeof *s);
    if (s == NULL)
        return;
    for (int64_t j = 0; j < columns; j++)
        s[j] = (spread){.whole = true};
    if (data->sparse != NULL)
        add_sparse(data->sparse, s);
    else if (rows_streamed(&a->rows))
        add_stream(t, X, s);
    else
        add_dense(X, s);
    if (wg_ranks_number(t) == 0) {
        tell_ids(data, s, columns, f32);
        tell_far(data, s, columns, a->raw || data->sparse != NULL, f32, a->rows.f32);
    }
    if (wg_tape_status(t) == WG_OK)
        wg_tape_rewind(t, mark);
}
