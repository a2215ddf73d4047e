/* rows.h: a dense array seen as rows: the axes that an op works along make up a row, the others
 * number the rows. A row need not be contiguous; it is read and written in parts. */
#ifndef WG_OPS_KERNELS_ROWS_H
#define WG_OPS_KERNELS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ops/kernels/real.h"

enum { WGK_ROWS_AXES = 8, WGK_ROWS_PART = 256, WGK_ROWS_LINES = 64, WGK_ROWS_SHORT = 32 };

/* Some axes of the array, neighbours of the same kind merged into one, in row-major order: so there
 * are at most half as many as the array has. */
typedef struct wgk_axes {
    int ndim;
    int64_t size[WGK_ROWS_AXES / 2], stride[WGK_ROWS_AXES / 2]; /* strides in elements */
} wgk_axes;

/* Invariants: n_rows and row_size are the products of the sizes of `kept` and `along`. */
typedef struct wgk_rows {
    int64_t n_rows, row_size;
    wgk_axes kept, along;
    bool contiguous; /* the elements of a row stand side by side */
} wgk_rows;

/* The array has sizes dim[ndim], ndim <= 8; bit i of `axes` says that axis i lies along the
 * rows. */
wgk_rows wgk_rows_of(int ndim, const int64_t *dim, uint32_t axes);

/* Where row `row` begins, in elements. */
int64_t wgk_rows_start(const wgk_rows *rows, int64_t row);

/* A row is worked on in parts: how many elements the one from `from` on has; 0 behind the last. */
static inline int64_t wgk_rows_part(const wgk_rows *rows, int64_t from)
{
    int64_t left = rows->row_size - from;
    return left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
}

/* Elements [from, from + n) of a row, copied to or from `part`, whose elements are of the type that
 * `type` is computed in: doubles for f32, else the same. */
void wgk_rows_load(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                   const void *x, void *part);
void wgk_rows_store(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                    const void *part, void *x);

/* Elements [from, from + n), n <= WGK_ROWS_PART, to be read only: where they stand, if that is side
 * by side and not in f32, else in `part`. */
const void *wgk_rows_view(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                          const void *x, void *part);

/* ---- Rows taken together --------------------------------------------------------------------- */

/* Short rows, and rows that neighbours lie between (the columns of a matrix), are worked on many at
 * once: line i of n rows has element i of each. Whether a row is, follows from the array alone, so
 * that results do not depend on how the rows are divided among calls. */
typedef struct wgk_lines {
    int64_t n;                         /* rows; at most WGK_ROWS_LINES */
    int64_t start, to_row, to_element; /* in elements: of the first row, and between neighbours */
} wgk_lines;

/* wgk_rows_together: are they taken together?   wgk_rows_lines: the rows from `row` on, before
 * end. */
bool wgk_rows_together(const wgk_rows *rows);
wgk_lines wgk_rows_lines(const wgk_rows *rows, int64_t row, int64_t end);

/* wgk_rows_short: are they short, and one behind the other? Row r begins at r * row_size. */
static inline bool wgk_rows_short(const wgk_rows *rows)
{
    return rows->contiguous && rows->along.ndim == 1 && rows->row_size <= WGK_ROWS_SHORT;
}

/* Line i, read or written; its numbers are of the type that `type` is computed in. */
void wgk_lines_get(const wgk_lines *lines, int64_t i, wgk_type type, const void *x, void *line);
void wgk_lines_put(const wgk_lines *lines, int64_t i, wgk_type type, const void *line, void *x);

/* y[row..row + n) = the n numbers, one for each row. */
static inline void wgk_rows_put(int64_t row, int64_t n, wgk_type type, const void *number, void *y)
{
    wgk_lines_put(&(wgk_lines){n, row, 1, 0}, 0, type, number, y);
}

#endif
