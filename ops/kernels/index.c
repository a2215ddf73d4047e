/* index.c: sums by index, and running sums, compensated. */
#include "ops/kernels/index.h"

#include <string.h>

/* ---- Rows ------------------------------------------------------------------------------------ */

enum { SCATTER_TILE = 64, SCATTER_FEW = 4096 };

/* Do the sums of so many rows of y fit into a first-level cache, or nearly? */
static bool scatter_is_few(int64_t width, int64_t rows)
{
    return rows <= SCATTER_FEW && width <= SCATTER_FEW && rows * width <= SCATTER_FEW;
}

/* A part of the rows may be few where all are not. */
size_t wgk_scatter_workspace(wgk_type type, int64_t n, int64_t rows, int64_t width)
{
    const size_t lists = ((size_t)n + (size_t)rows) * sizeof(int64_t);
    const size_t few = 2 * SCATTER_FEW * wgk_real_size(type);
    if (scatter_is_few(width, rows))
        return 2 * (size_t)(rows * width) * wgk_real_size(type);
    return lists > few ? lists : few;
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

/* ---- By type --------------------------------------------------------------------------------- */

#define ELEMENT f32
#define REAL    f64
#include "ops/kernels/index_body.inc"

#define ELEMENT f64
#define REAL    f64
#include "ops/kernels/index_body.inc"

#define ELEMENT i64
#define REAL    i64
#include "ops/kernels/index_body.inc"

#if WG_HAS_WIDE
#define ELEMENT wide
#define REAL    wide
#include "ops/kernels/index_body.inc"
#endif

void wgk_scatter_rows(const wgk_scatter *s, wgk_type type, const void *x, int64_t begin,
                      int64_t end, void *y, void *workspace)
{
    WGK_RUN_OWN_ALL(scatter_rows, type, s, x, begin, end, y, workspace);
}

void wgk_scatter_line(const wgk_line *line, wgk_type type, const int64_t *index, const void *x,
                      void *y, void *workspace)
{
    WGK_RUN_OWN_ALL(scatter_line, type, line, index, x, y, workspace);
}

void wgk_add_placed(const wgk_copy *copy, wgk_type type, const void *x, int64_t n, int64_t start,
                    void *workspace)
{
    WGK_RUN_OWN_ALL(add_placed, type, copy, x, n, start, workspace);
}

void wgk_totals(int64_t n, wgk_type type, const void *workspace, void *y)
{
    WGK_RUN_OWN_ALL(totals, type, n, workspace, y);
}

void wgk_cumsum(const wgk_rows *rows, wgk_type type, bool reverse, const void *x, int64_t begin,
                int64_t end, void *y)
{
    WGK_RUN_OWN_ALL(cumsum, type, rows, type, reverse, x, begin, end, y);
}

static inline void index_gather_line(const wgk_line *line, size_t size, const int64_t *index,
                                     const char *x, char *y)
{
    for (int64_t i = 0; i < line->n; i++) {
        const size_t at = (size_t)(i * line->stride);
        memcpy(y + at * size, x + (size_t)(index[at] * line->table_stride) * size, size);
    }
}

/* A constant size makes memcpy one instruction. */
void wgk_gather_line(const wgk_line *line, size_t size, const int64_t *index, const void *x,
                     void *y)
{
    if (size == 4)
        index_gather_line(line, 4, index, x, y);
    else if (size == 8)
        index_gather_line(line, 8, index, x, y);
    else
        index_gather_line(line, 16, index, x, y);
}
