/* rows.c: rows of a dense array along any axes, copied and converted in parts. */
#include "ops/kernels/rows.h"

#include <string.h>

/* An axis of size 1 is dropped; one that continues the axis before it is merged with it. */
static void rows_add_axis(wgk_axes *axes, int64_t size, int64_t stride)
{
    int last = axes->ndim - 1;
    if (size == 1)
        return;
    if (last >= 0 && axes->stride[last] == size * stride) {
        axes->size[last] *= size;
        axes->stride[last] = stride;
        return;
    }
    axes->size[axes->ndim] = size;
    axes->stride[axes->ndim++] = stride;
}

wgk_rows wgk_rows_of(int ndim, const int64_t *dim, uint32_t axes)
{
    wgk_rows rows; /* not cleared: that would take longer than a short row */
    int64_t stride[WGK_ROWS_AXES], below = 1;
    rows.n_rows = rows.row_size = 1;
    rows.kept.ndim = rows.along.ndim = 0;
    for (int i = ndim - 1; i >= 0; i--) {
        stride[i] = below;
        below *= dim[i];
    }
    for (int i = 0; i < ndim; i++) {
        bool along = (axes >> i) & 1u;
        rows_add_axis(along ? &rows.along : &rows.kept, dim[i], stride[i]);
        *(along ? &rows.row_size : &rows.n_rows) *= dim[i];
    }
    rows.contiguous = rows.along.ndim == 0 || (rows.along.ndim == 1 && rows.along.stride[0] == 1);
    return rows;
}

/* Element number `at` of the axes: where it lies; index[] receives its index on each axis. */
static int64_t rows_offset(const wgk_axes *axes, int64_t at, int64_t index[WGK_ROWS_AXES])
{
    int64_t offset = 0;
    for (int i = axes->ndim - 1; i >= 0; i--) {
        index[i] = at % axes->size[i];
        at /= axes->size[i];
        offset += index[i] * axes->stride[i];
    }
    return offset;
}

int64_t wgk_rows_start(const wgk_rows *rows, int64_t row)
{
    int64_t index[WGK_ROWS_AXES];
    return rows_offset(&rows->kept, row, index);
}

/* n elements of `size` bytes; a constant size makes memcpy one instruction. */
static inline void rows_copy_size(char *to, int64_t to_stride, const char *from,
                                  int64_t from_stride, int64_t n, size_t size)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(to + i * to_stride * (int64_t)size, from + i * from_stride * (int64_t)size, size);
}

static void rows_copy(char *to, int64_t to_stride, const char *from, int64_t from_stride, int64_t n,
                      size_t size)
{
    if (to_stride == 1 && from_stride == 1)
        memcpy(to, from, (size_t)n * size);
    else if (size == 4)
        rows_copy_size(to, to_stride, from, from_stride, n, 4);
    else if (size == 8)
        rows_copy_size(to, to_stride, from, from_stride, n, 8);
    else
        rows_copy_size(to, to_stride, from, from_stride, n, 16);
}

/* Where a run of the row begins, and how long it is: the innermost axis up to its end, or n. */
typedef struct rows_run {
    int64_t offset, n, stride;
} rows_run;

static rows_run rows_next_run(const wgk_rows *rows, int64_t start, int64_t from, int64_t n)
{
    const wgk_axes *along = &rows->along;
    int64_t index[WGK_ROWS_AXES];
    rows_run run = {start + rows_offset(along, from, index), n, 1};
    if (along->ndim > 0) {
        int last = along->ndim - 1;
        int64_t left = along->size[last] - index[last];
        run.n = n < left ? n : left;
        run.stride = along->stride[last];
    }
    return run;
}

static void rows_get(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, size_t size,
                     const void *x, void *part)
{
    int64_t start = wgk_rows_start(rows, row);
    for (char *to = part; n > 0;) {
        rows_run run = rows_next_run(rows, start, from, n);
        const char *at = (const char *)x + (size_t)run.offset * size;
        rows_copy(to, 1, at, run.stride, run.n, size);
        to += (size_t)run.n * size;
        from += run.n;
        n -= run.n;
    }
}

static void rows_put(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, size_t size,
                     const void *part, void *x)
{
    int64_t start = wgk_rows_start(rows, row);
    for (const char *at = part; n > 0;) {
        rows_run run = rows_next_run(rows, start, from, n);
        rows_copy((char *)x + (size_t)run.offset * size, run.stride, at, 1, run.n, size);
        at += (size_t)run.n * size;
        from += run.n;
        n -= run.n;
    }
}

void wgk_rows_load(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                   const void *x, void *part)
{
    if (type != WGK_F32) {
        rows_get(rows, row, from, n, wgk_size(type), x, part);
        return;
    }
    double *wide = part;
    float narrow[WGK_ROWS_PART];
    for (int64_t done = 0; done < n; done += WGK_ROWS_PART) {
        int64_t now = n - done < WGK_ROWS_PART ? n - done : WGK_ROWS_PART;
        rows_get(rows, row, from + done, now, sizeof(float), x, narrow);
        for (int64_t i = 0; i < now; i++)
            wide[done + i] = (double)narrow[i];
    }
}

void wgk_rows_store(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                    const void *part, void *x)
{
    if (type != WGK_F32) {
        rows_put(rows, row, from, n, wgk_size(type), part, x);
        return;
    }
    const double *wide = part;
    float narrow[WGK_ROWS_PART];
    for (int64_t done = 0; done < n; done += WGK_ROWS_PART) {
        int64_t now = n - done < WGK_ROWS_PART ? n - done : WGK_ROWS_PART;
        for (int64_t i = 0; i < now; i++)
            narrow[i] = (float)wide[done + i];
        rows_put(rows, row, from + done, now, sizeof(float), narrow, x);
    }
}

const void *wgk_rows_view(const wgk_rows *rows, int64_t row, int64_t from, int64_t n, wgk_type type,
                          const void *x, void *part)
{
    if (rows->contiguous && type != WGK_F32)
        return (const char *)x + (size_t)(wgk_rows_start(rows, row) + from) * wgk_size(type);
    wgk_rows_load(rows, row, from, n, type, x, part);
    return part;
}

/* ---- Rows taken together --------------------------------------------------------------------- */

bool wgk_rows_together(const wgk_rows *rows)
{
    const wgk_axes *kept = &rows->kept;
    return kept->ndim > 0 && rows->along.ndim == 1 &&
           (rows->row_size <= WGK_ROWS_SHORT || kept->stride[kept->ndim - 1] == 1);
}

wgk_lines wgk_rows_lines(const wgk_rows *rows, int64_t row, int64_t end)
{
    const int last = rows->kept.ndim - 1;
    const int64_t side = rows->kept.size[last], run = side - row % side;
    int64_t n = end - row < run ? end - row : run;
    n = n < WGK_ROWS_LINES ? n : WGK_ROWS_LINES;
    return (wgk_lines){n, wgk_rows_start(rows, row), rows->kept.stride[last],
                       rows->along.stride[0]};
}

void wgk_lines_get(const wgk_lines *lines, int64_t i, wgk_type type, const void *x, void *line)
{
    const int64_t at = lines->start + i * lines->to_element, stride = lines->to_row;
    double *wide = line;
    if (type != WGK_F32)
        rows_copy(line, 1, (const char *)x + (size_t)at * wgk_size(type), stride, lines->n,
                  wgk_size(type));
    else if (stride == 1)
        for (int64_t r = 0; r < lines->n; r++)
            wide[r] = (double)((const float *)x + at)[r];
    else
        for (int64_t r = 0; r < lines->n; r++)
            wide[r] = (double)((const float *)x + at)[r * stride];
}

void wgk_lines_put(const wgk_lines *lines, int64_t i, wgk_type type, const void *line, void *x)
{
    const int64_t at = lines->start + i * lines->to_element, stride = lines->to_row;
    const double *wide = line;
    if (type != WGK_F32)
        rows_copy((char *)x + (size_t)at * wgk_size(type), stride, line, 1, lines->n,
                  wgk_size(type));
    else if (stride == 1)
        for (int64_t r = 0; r < lines->n; r++)
            ((float *)x + at)[r] = (float)wide[r];
    else
        for (int64_t r = 0; r < lines->n; r++)
            ((float *)x + at)[r * stride] = (float)wide[r];
}
