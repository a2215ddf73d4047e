/* index.h: sums by index, and running sums. Elements are of every type; f32 is added in double,
 * and what each addition loses is kept and added at the end; i64 wraps. Indices are in range:
 * the caller has looked. Results do not depend on how the work is cut. */
#ifndef WG_OPS_KERNELS_INDEX_H
#define WG_OPS_KERNELS_INDEX_H

#include "ops/kernels/copy.h"
#include "ops/kernels/rows.h"

/* Rows put into a table of rows of `width` elements. */
typedef struct wgk_scatter {
    int64_t n; /* rows that are put, and indices */
    int64_t width;
    const int64_t *index; /* [n], the row of y that row i of x goes to */
} wgk_scatter;

/* Bytes of workspace for at most `rows` rows of y. */
size_t wgk_scatter_workspace(wgk_type type, int64_t n, int64_t rows, int64_t width);

/* Rows [begin, end) of y [rows, width] = the sum of the rows of x [n, width] that belong there, in
 * the order of x; 0 where there are none. Workspace as above for end - begin rows, aligned to 8. */
void wgk_scatter_rows(const wgk_scatter *s, wgk_type type, const void *x, int64_t begin,
                      int64_t end, void *y, void *workspace);

/* A line of an array of indices, and the line of a table that they point into; strides in
 * elements. */
typedef struct wgk_line {
    int64_t n, stride; /* of the indices, and of the values beside them */
    int64_t table_n, table_stride;
} wgk_line;

/* y[index[i*stride]*table_stride] = the sum of x[i*stride] over these i, in their order; every
 * element of y's line is written. Workspace: 2 * table_n numbers
 * of the type that is computed in (wgk_real_size). */
void wgk_scatter_line(const wgk_line *line, wgk_type type, const int64_t *index, const void *x,
                      void *y, void *workspace);

/* Parts of an array of n elements: wgk_add_placed adds what `copy` would move from x to sums, which
 * begin as zeros, at the place of element `start`; wgk_totals makes y of the sums. Workspace: 2 * n
 * numbers, as above: the sums, and what their roundings lost. */
void wgk_add_placed(const wgk_copy *copy, wgk_type type, const void *x, int64_t n, int64_t start,
                    void *workspace);
void wgk_totals(int64_t n, wgk_type type, const void *workspace, void *y);

/* y[i*stride] = x[index[i*stride]*table_stride], elements of `size` bytes (4, 8 or 16). */
void wgk_gather_line(const wgk_line *line, size_t size, const int64_t *index, const void *x,
                     void *y);

/* Rows [begin, end): y_i = x_0 + ... + x_i; reverse: x_i + ... + x_(n-1). y has the shape of x. */
void wgk_cumsum(const wgk_rows *rows, wgk_type type, bool reverse, const void *x, int64_t begin,
                int64_t end, void *y);

#endif
