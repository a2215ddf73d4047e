/* copy.c: strided copies, cut into chunks that use each cache line that they read. */
#include "ops/kernels/copy.h"

#include <string.h>

/* A unit is up to COPY_ROWS rows of the last axis. Where a row's elements lie apart in x,
 * COPY_COLUMNS of them are taken from every row of the unit before the next ones are: when the rows
 * are neighbours in x, as in a transpose, the cache lines that one row reads serve the rows below.
 * Eight of them fit into the ways of a first cache even where their addresses differ by a power of
 * two. */
enum { COPY_ROWS = 32, COPY_COLUMNS = 8 };

/* Axes of size 1 are dropped, one that continues the axis before it is merged with it. */
static void copy_add_axis(wgk_copy *c, int64_t dim, int64_t from, int64_t to)
{
    int last = c->ndim - 1;
    if (dim == 1)
        return;
    if (last >= 0 && c->from[last] == dim * from && c->to[last] == dim * to) {
        c->dim[last] *= dim;
        c->from[last] = from;
        c->to[last] = to;
        return;
    }
    c->dim[c->ndim] = dim;
    c->from[c->ndim] = from;
    c->to[c->ndim++] = to;
}

/* Puts an axis of size 1 before the others. */
static void copy_add_outer(wgk_copy *c)
{
    for (int i = c->ndim++; i > 0; i--) {
        c->dim[i] = c->dim[i - 1];
        c->from[i] = c->from[i - 1];
        c->to[i] = c->to[i - 1];
    }
    c->dim[0] = 1;
    c->from[0] = c->to[0] = 0;
}

static void copy_swap(int64_t *a, int64_t *b)
{
    int64_t held = *a;
    *a = *b;
    *b = held;
}

/* Makes the axis whose elements are neighbours in x the one of the rows. */
static void copy_choose_rows(wgk_copy *c)
{
    int rows = c->ndim - 2;
    for (int i = 0; i < rows; i++)
        if (c->from[i] == 1) {
            copy_swap(&c->dim[i], &c->dim[rows]);
            copy_swap(&c->from[i], &c->from[rows]);
            copy_swap(&c->to[i], &c->to[rows]);
        }
}

wgk_copy wgk_copy_of(int ndim, const int64_t *dim, const int64_t *from, const int64_t *to)
{
    wgk_copy c = {.ndim = 0, .chunks = 1};
    for (int i = 0; i < ndim; i++)
        copy_add_axis(&c, dim[i], from[i], to[i]);
    while (c.ndim < 2)
        copy_add_outer(&c);
    if (c.from[c.ndim - 1] != 1)
        copy_choose_rows(&c);
    for (int i = 0; i < c.ndim - 2; i++)
        c.chunks *= c.dim[i];
    c.chunks *= (c.dim[c.ndim - 2] + COPY_ROWS - 1) / COPY_ROWS;
    return c;
}

/* The strides are 0 and 1, or any. */
static inline void copy_elements(int64_t n, size_t size, const char *x, int64_t from, char *y,
                                 int64_t to)
{
    const int64_t bytes = (int64_t)size;
    char value[16];
    memcpy(value, x, size);
    if (from == 0 && to == 1)
        for (int64_t i = 0; i < n; i++)
            memcpy(y + i * bytes, value, size);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(y + i * to * bytes, x + i * from * bytes, size);
}

/* n > 0. A constant size makes memcpy one instruction, and constant strides let the loop be
 * vectorized. */
static inline void copy_run(int64_t n, size_t size, const char *x, int64_t from, char *y,
                            int64_t to)
{
    if (size == 4)
        copy_elements(n, 4, x, from, y, to);
    else if (size == 8)
        copy_elements(n, 8, x, from, y, to);
    else
        copy_elements(n, 16, x, from, y, to);
}

/* Copies `rows` rows, whose first elements are at x and y. */
static void copy_rows(const wgk_copy *c, int64_t rows, size_t size, const char *x, char *y)
{
    int last = c->ndim - 1;
    int64_t n = c->dim[last], from = c->from[last], to = c->to[last], element = (int64_t)size;
    int64_t x_row = c->from[last - 1] * element, y_row = c->to[last - 1] * element;
    if (from == 1 && to == 1) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(y + i * y_row, x + i * x_row, (size_t)n * size);
        return;
    }
    int64_t width = from > 1 ? COPY_COLUMNS : n;
    for (int64_t j = 0; j < n; j += width) {
        int64_t now = n - j < width ? n - j : width;
        for (int64_t i = 0; i < rows; i++)
            copy_run(now, size, x + i * x_row + j * from * element, from,
                     y + i * y_row + j * to * element, to);
    }
}

void wgk_copy_run(const wgk_copy *c, size_t size, const void *x, void *y, int64_t begin,
                  int64_t end)
{
    int row_axis = c->ndim - 2;
    int64_t rows = c->dim[row_axis], blocks = (rows + COPY_ROWS - 1) / COPY_ROWS;
    if (c->dim[c->ndim - 1] == 0)
        return;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t first = unit % blocks * COPY_ROWS, at = unit / blocks;
        int64_t from = first * c->from[row_axis], to = first * c->to[row_axis];
        for (int i = row_axis - 1; i >= 0; i--) {
            from += at % c->dim[i] * c->from[i];
            to += at % c->dim[i] * c->to[i];
            at /= c->dim[i];
        }
        copy_rows(c, rows - first < COPY_ROWS ? rows - first : COPY_ROWS, size,
                  (const char *)x + from * (int64_t)size, (char *)y + to * (int64_t)size);
    }
}

void wgk_dense_strides(int ndim, const int64_t *dim, int64_t *stride)
{
    int64_t below = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        stride[i] = below;
        below *= dim[i];
    }
}

void wgk_fill(int64_t n, size_t size, const void *value, void *y)
{
    if (n > 0)
        copy_run(n, size, value, 0, y, 1);
}
