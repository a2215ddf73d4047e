/* index.c: sums by index, and running sums, compensated. */
#include "ops/kernels/index.h"

#include <math.h>
#include <string.h>

/* ---- A sum and what its roundings lost ------------------------------------------------------- */

/* Knuth, TAOCP 2, sec. 4.2.2, theorem B: the error of one addition, exactly. */
static inline void index_two_sum(double *sum, double *lost, double x)
{
    double t = *sum + x, part = t - *sum;
    *lost += (*sum - (t - part)) + (x - part);
    *sum = t;
}

/* Infinities make what was lost NaN, while the sum is what plain addition gives. */
static inline double index_total(double sum, double lost)
{
    return isnan(lost) ? sum : sum + lost;
}

static inline double index_get(bool f32, const void *x, int64_t i)
{
    return f32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static inline void index_put(bool f32, void *y, int64_t i, double value)
{
    if (f32)
        ((float *)y)[i] = (float)value;
    else
        ((double *)y)[i] = value;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

enum { SCATTER_TILE = 64 };

size_t wgk_scatter_workspace(int64_t n, int64_t rows)
{
    return ((size_t)n + (size_t)rows) * sizeof(int64_t);
}

/* For each row of y a list of what goes there: first[row - begin], and then next[i] until -1. The
 * lists are made from the last to the first, so they run from the first to the last. */
typedef struct scatter_lists {
    int64_t *first, *next;
} scatter_lists;

static scatter_lists scatter_lists_of(const wgk_scatter *s, int64_t begin, int64_t end,
                                      void *workspace)
{
    scatter_lists lists = {workspace, (int64_t *)workspace + (end - begin)};
    for (int64_t row = begin; row < end; row++)
        lists.first[row - begin] = -1;
    for (int64_t i = s->n - 1; i >= 0; i--) {
        int64_t row = s->index[i];
        if (row < begin || row >= end)
            continue;
        lists.next[i] = lists.first[row - begin];
        lists.first[row - begin] = i;
    }
    return lists;
}

/* Columns [column, column + n) of one row of y. */
static void scatter_tile(const wgk_scatter *s, bool f32, const void *x, const int64_t *next,
                         int64_t first, int64_t row, int64_t column, int64_t n, void *y)
{
    double sum[SCATTER_TILE] = {0}, lost[SCATTER_TILE] = {0};
    for (int64_t i = first; i >= 0; i = next[i])
        for (int64_t j = 0; j < n; j++)
            index_two_sum(&sum[j], &lost[j], index_get(f32, x, i * s->width + column + j));
    for (int64_t j = 0; j < n; j++)
        index_put(f32, y, row * s->width + column + j, index_total(sum[j], lost[j]));
}

void wgk_scatter_rows(const wgk_scatter *s, bool f32, const void *x, int64_t begin, int64_t end,
                      void *y, void *workspace)
{
    scatter_lists lists = scatter_lists_of(s, begin, end, workspace);
    for (int64_t row = begin; row < end; row++)
        for (int64_t column = 0; column < s->width; column += SCATTER_TILE) {
            int64_t left = s->width - column, n = left < SCATTER_TILE ? left : SCATTER_TILE;
            scatter_tile(s, f32, x, lists.next, lists.first[row - begin], row, column, n, y);
        }
}

/* Unsigned: sums wrap. */
static inline int64_t index_add_i64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

void wgk_scatter_rows_i64(const wgk_scatter *s, const int64_t *x, int64_t begin, int64_t end,
                          int64_t *y, void *workspace)
{
    scatter_lists lists = scatter_lists_of(s, begin, end, workspace);
    for (int64_t row = begin; row < end; row++) {
        int64_t *to = y + row * s->width;
        memset(to, 0, (size_t)s->width * sizeof *to);
        for (int64_t i = lists.first[row - begin]; i >= 0; i = lists.next[i])
            for (int64_t j = 0; j < s->width; j++)
                to[j] = index_add_i64(to[j], x[i * s->width + j]);
    }
}

/* ---- Lines ----------------------------------------------------------------------------------- */

void wgk_scatter_line(const wgk_line *line, bool f32, const int64_t *index, const void *x, void *y,
                      double *workspace)
{
    double *sum = workspace, *lost = workspace + line->table_n;
    memset(workspace, 0, 2 * (size_t)line->table_n * sizeof *workspace);
    for (int64_t i = 0; i < line->n; i++) {
        int64_t at = index[i * line->stride];
        index_two_sum(&sum[at], &lost[at], index_get(f32, x, i * line->stride));
    }
    for (int64_t k = 0; k < line->table_n; k++)
        index_put(f32, y, k * line->table_stride, index_total(sum[k], lost[k]));
}

void wgk_scatter_line_i64(const wgk_line *line, const int64_t *index, const int64_t *x, int64_t *y)
{
    for (int64_t i = 0; i < line->n; i++) {
        int64_t *to = &y[index[i * line->stride] * line->table_stride];
        *to = index_add_i64(*to, x[i * line->stride]);
    }
}

void wgk_gather_line(const wgk_line *line, size_t size, const int64_t *index, const void *x,
                     void *y)
{
    for (int64_t i = 0; i < line->n; i++) {
        int64_t at = i * line->stride, from = index[at] * line->table_stride;
        if (size == 4)
            memcpy((char *)y + at * 4, (const char *)x + from * 4, 4);
        else
            memcpy((char *)y + at * 8, (const char *)x + from * 8, 8);
    }
}

/* ---- Running sums ---------------------------------------------------------------------------- */

/* The parts of a row, in the order in which they are added up. */
typedef struct cumsum_part {
    int64_t from, n;
} cumsum_part;

static cumsum_part cumsum_part_after(const wgk_rows *rows, bool reverse, int64_t done)
{
    int64_t left = rows->row_size - done, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
    return (cumsum_part){reverse ? left - n : done, n};
}

static void cumsum_row(const wgk_rows *rows, bool f32, bool reverse, const void *x, int64_t row,
                       void *y)
{
    double part[WGK_ROWS_PART], sum = 0, lost = 0;
    for (int64_t done = 0; done < rows->row_size;) {
        cumsum_part p = cumsum_part_after(rows, reverse, done);
        wgk_rows_load(rows, row, p.from, p.n, f32, x, part);
        for (int64_t i = 0; i < p.n; i++) {
            double *at = &part[reverse ? p.n - 1 - i : i];
            index_two_sum(&sum, &lost, *at);
            *at = index_total(sum, lost);
        }
        wgk_rows_store(rows, row, p.from, p.n, f32, part, y);
        done += p.n;
    }
}

void wgk_cumsum(const wgk_rows *rows, bool f32, bool reverse, const void *x, int64_t begin,
                int64_t end, void *y)
{
    for (int64_t row = begin; row < end; row++)
        cumsum_row(rows, f32, reverse, x, row, y);
}

void wgk_cumsum_i64(const wgk_rows *rows, bool reverse, const int64_t *x, int64_t begin,
                    int64_t end, int64_t *y)
{
    int64_t part[WGK_ROWS_PART];
    for (int64_t row = begin; row < end; row++) {
        int64_t sum = 0;
        for (int64_t done = 0; done < rows->row_size;) {
            cumsum_part p = cumsum_part_after(rows, reverse, done);
            wgk_rows_get(rows, row, p.from, p.n, sizeof *part, x, part);
            for (int64_t i = 0; i < p.n; i++) {
                int64_t *at = &part[reverse ? p.n - 1 - i : i];
                *at = sum = index_add_i64(sum, *at);
            }
            wgk_rows_put(rows, row, p.from, p.n, sizeof *part, part, y);
            done += p.n;
        }
    }
}
