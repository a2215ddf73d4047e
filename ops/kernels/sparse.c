/* sparse.c: products with sparse rows, compensated. */
#include "ops/kernels/sparse.h"

#include <math.h>
#include <string.h>

#define SPARSE_TILE 16 /* columns of y summed together: their sums stay in the first cache */

static inline double sparse_load(const void *x, int64_t i, bool f32)
{
    return f32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

/* sum + rest, but an infinite sum, whose rest is NaN, stays. */
static inline void sparse_store(void *y, int64_t i, double sum, double rest, bool f32)
{
    double total = isnan(rest) ? sum : sum + rest;
    if (f32)
        ((float *)y)[i] = (float)total;
    else
        ((double *)y)[i] = total;
}

/* Adds term to *sum, and to *rest what the rounding of that lost (Knuth's two-sum). */
static inline void sparse_add(double term, double *sum, double *rest)
{
    double before = *sum, after = before + term, part = after - before;
    *rest += (before - (after - part)) + (term - part);
    *sum = after;
}

static inline void sparse_row(const wgk_csr *a, bool f32, int64_t k, const void *b, int64_t r,
                              int64_t from, int64_t n, void *y)
{
    double sum[SPARSE_TILE] = {0}, rest[SPARSE_TILE] = {0};
    for (int64_t p = a->start[r]; p < a->start[r + 1]; p++) {
        double value = sparse_load(a->value, p, f32);
        int64_t row = a->column[p] * k + from;
        for (int64_t j = 0; j < n; j++)
            sparse_add(value * sparse_load(b, row + j, f32), &sum[j], &rest[j]);
    }
    for (int64_t j = 0; j < n; j++)
        sparse_store(y, r * k + from + j, sum[j], rest[j], f32);
}

static inline void sparse_rows(const wgk_csr *a, bool f32, int64_t k, const void *b, int64_t begin,
                               int64_t end, void *y)
{
    for (int64_t r = begin; r < end; r++)
        for (int64_t from = 0; from < k; from += SPARSE_TILE)
            sparse_row(a, f32, k, b, r, from, k - from < SPARSE_TILE ? k - from : SPARSE_TILE, y);
}

/* Constants where they are called, so that each compiler makes a loop for each type. */
void wgk_csr_times(const wgk_csr *a, bool f32, int64_t k, const void *b, int64_t begin, int64_t end,
                   void *y)
{
    if (f32)
        sparse_rows(a, true, k, b, begin, end, y);
    else
        sparse_rows(a, false, k, b, begin, end, y);
}

/* The first entry in [p, end) whose column is not below `column`. */
static int64_t sparse_find(const int64_t *columns, int64_t p, int64_t end, int64_t column)
{
    while (p < end) {
        int64_t middle = p + (end - p) / 2;
        if (columns[middle] < column)
            p = middle + 1;
        else
            end = middle;
    }
    return p;
}

/* Each piece walks all rows, and in each those entries alone whose columns are its own. */
static inline void sparse_columns(const wgk_csr *a, bool f32, int64_t k, const void *b,
                                  int64_t begin, int64_t end, double *sum, double *rest)
{
    for (int64_t r = 0; r < a->rows; r++) {
        int64_t last = a->start[r + 1];
        int64_t p = begin > 0 ? sparse_find(a->column, a->start[r], last, begin) : a->start[r];
        for (; p < last && a->column[p] < end; p++) {
            double value = sparse_load(a->value, p, f32);
            int64_t to = (a->column[p] - begin) * k;
            for (int64_t j = 0; j < k; j++)
                sparse_add(value * sparse_load(b, r * k + j, f32), &sum[to + j], &rest[to + j]);
        }
    }
}

void wgk_csr_transposed_times(const wgk_csr *a, bool f32, int64_t k, const void *b, int64_t begin,
                              int64_t end, void *y, double *workspace)
{
    int64_t n = (end - begin) * k;
    if (n == 0)
        return;
    double *sum = workspace, *rest = workspace + n;
    memset(workspace, 0, 2 * (size_t)n * sizeof *workspace);
    if (f32)
        sparse_columns(a, true, k, b, begin, end, sum, rest);
    else
        sparse_columns(a, false, k, b, begin, end, sum, rest);
    for (int64_t i = 0; i < n; i++)
        sparse_store(y, begin * k + i, sum[i], rest[i], f32);
}

static inline void sparse_sample(const wgk_csr *a, bool f32, int64_t k, const void *u,
                                 const void *v, int64_t begin, int64_t end, void *y)
{
    for (int64_t r = begin; r < end; r++)
        for (int64_t p = a->start[r]; p < a->start[r + 1]; p++) {
            double sum = 0, rest = 0;
            for (int64_t j = 0; j < k; j++)
                sparse_add(sparse_load(u, r * k + j, f32) *
                               sparse_load(v, a->column[p] * k + j, f32),
                           &sum, &rest);
            sparse_store(y, p, sum, rest, f32);
        }
}

void wgk_csr_sampled(const wgk_csr *a, bool f32, int64_t k, const void *u, const void *v,
                     int64_t begin, int64_t end, void *y)
{
    if (f32)
        sparse_sample(a, true, k, u, v, begin, end, y);
    else
        sparse_sample(a, false, k, u, v, begin, end, y);
}
