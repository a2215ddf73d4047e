/* index.c: elements and rows taken and added up by index. */
#include "ops/index.h"
#include "autograd/compile/c_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/arithmetic.h"
#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/kernels/copy.h"
#include "ops/kernels/index.h"
#include "ops/layout.h"
#include "ops/slice.h"

/* ---- Indices --------------------------------------------------------------------------------- */

/* Are all values of an i64 operand in 0..n-1? */
static bool index_in_range(const wg_tensor *y, int operand, int64_t n, const char *what)
{
    const wg_tensor *x = y->operand[operand];
    const int64_t *index = x->data;
    for (int64_t i = 0; i < x->size; i++)
        if (index[i] < 0 || index[i] >= n)
            return wg_op_fail(y, WG_E_INDEX, "%s %" PRId64 " at %" PRId64 " is outside 0..%" PRId64,
                              what, index[i], i, n - 1);
    return true;
}

static bool index_is_i64(const wg_tensor *y, int operand)
{
    return y->operand[operand]->dtype == WG_I64 ||
           wg_op_fail(y, WG_E_DTYPE, "operand %d is to be i64", operand);
}

/* ---- gather_rows ----------------------------------------------------------------------------- */

static bool gather_rows_shape(wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape, *index = &y->operand[1]->shape;
    if (!index_is_i64(y, 1))
        return false;
    if (x->ndim < 1)
        return wg_op_fail(y, WG_E_SHAPE, "the table has no rows");
    if (index->ndim + x->ndim - 1 > WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "the result would have over %d axes", WG_MAX_DIMS);
    y->dtype = y->operand[0]->dtype;
    y->shape = *index;
    for (int i = 1; i < x->ndim; i++)
        y->shape.dim[y->shape.ndim++] = x->dim[i];
    return true;
}

static bool gather_rows_check(const wg_tensor *y)
{
    return index_in_range(y, 1, y->operand[0]->shape.dim[0], "index");
}

static int64_t gather_rows_chunks(const wg_tensor *y)
{
    return y->operand[1]->size;
}

static void gather_rows_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *index = y->operand[1];
    const int64_t *row = index->data;
    int64_t bytes = y->size / index->size * (int64_t)wg_dtype_size(y->dtype);
    for (int64_t i = piece->begin; i < piece->end; i++)
        memcpy((char *)y->data + i * bytes, (const char *)y->operand[0]->data + row[i] * bytes,
               (size_t)bytes);
}

static wg_tensor *gather_rows_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? wg_scatter_add_rows(dy, y->operand[1], y->operand[0]->shape.dim[0]) : NULL;
}

/* All gathers from one table are one: of their indices one behind the other. */
static wg_tensor *gather_rows_vjp_parts(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    const wg_shape *table = &ys[0]->operand[0]->shape;
    wg_tape *t = ys[0]->tape;
    wg_tensor **index = wg_temporary(t, 2 * (int64_t)n, sizeof *index);
    if (index == NULL)
        return wg_gather_rows(NULL, NULL); /* the error is recorded */
    wg_tensor **dy = index + n;
    wg_shape shape = *table;
    for (int k = 0; k < n; k++) {
        shape.dim[0] = ys[k]->operand[1]->size;
        index[k] = wg_reshape(ys[k]->operand[1], WG_SHAPE(shape.dim[0]));
        dy[k] = wg_reshape(dys[k], shape.ndim, shape.dim);
    }
    wg_tensor *all = n > 1 ? wg_concat(index, n, 0) : ys[0]->operand[1];
    wg_tensor *dx = wg_scatter_add_rows(n > 1 ? wg_concat(dy, n, 0) : dys[0], all, table->dim[0]);
    wg_temporary_free(t, index);
    return dx;
}

/* Loops over n indices and rows of `width` elements; arrays: 0 what the rows are in, 1 one row, 2
 * the indices. */
static void index_rows_nest(wg_c_nest *nest, int64_t n, int64_t width)
{
    wg_c_nest_init(nest, 3);
    wg_c_nest_add(nest, n, (const int64_t[]){width, 0, 1});
    wg_c_nest_add(nest, width, (const int64_t[]){1, 1, 0});
}

/* "label[i] * 10 + j": the element of a table that an index and its place in the row say. */
static wg_text index_table_at(const wg_c_writer *c, const wg_tensor *index, const char *at,
                              int64_t stride, const char *place)
{
    wg_text text;
    snprintf(text.s, sizeof text.s, "%.170s * %" PRId64 " + %.80s", wg_c_element(c, index, at).s,
             stride, place);
    return text;
}

static void gather_rows_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0], *index = y->operand[1];
    const int64_t width = y->size / index->size;
    wg_c_nest nest;
    (void)row;
    wg_c_check(c, index, x->shape.dim[0], NULL);
    index_rows_nest(&nest, index->size, width);
    wg_c_open_one(c, &nest);
    wg_c_line(
        c, "%y = %a;", wg_c_at(&nest, NULL, 0).s,
        index_table_at(c, index, wg_c_at(&nest, NULL, 2).s, width, wg_c_at(&nest, NULL, 1).s).s);
    wg_c_close_one(c, &nest);
}

static const wg_op wg_op_gather_rows = {
    .name = "gather_rows",
    .formula = WG_OP_TEXT("y[i, ..] = x[index[i], ..]"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .shape = gather_rows_shape,
    .check = gather_rows_check,
    .forward = gather_rows_forward,
    .vjp = gather_rows_vjp,
    .vjp_parts = gather_rows_vjp_parts,
    .chunks = gather_rows_chunks,
    .write_c = WG_WRITES_C(gather_rows_write_c),
};

wg_tensor *wg_gather_rows(wg_tensor *x, wg_tensor *index)
{
    return wg_apply(&wg_op_gather_rows, (wg_tensor *[]){x, index}, 2, NULL);
}

/* ---- scatter_add_rows ------------------------------------------------------------------------ */

typedef struct scatter_rows_attrs {
    int64_t rows;
} scatter_rows_attrs;

static bool scatter_rows_shape(wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape, *index = &y->operand[1]->shape;
    const scatter_rows_attrs *attrs = y->attrs;
    if (!index_is_i64(y, 1))
        return false;
    if (attrs->rows < 0)
        return wg_op_fail(y, WG_E_VALUE, "%" PRId64 " rows", attrs->rows);
    for (int i = 0; i < index->ndim; i++)
        if (i >= x->ndim || x->dim[i] != index->dim[i])
            return wg_op_fail(y, WG_E_SHAPE, "the shape does not begin with that of the index");
    if (x->ndim - index->ndim + 1 > WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "the result would have over %d axes", WG_MAX_DIMS);
    y->dtype = y->operand[0]->dtype;
    y->shape.dim[y->shape.ndim++] = attrs->rows;
    for (int i = index->ndim; i < x->ndim; i++)
        y->shape.dim[y->shape.ndim++] = x->dim[i];
    return true;
}

static int64_t scatter_rows_chunks(const wg_tensor *y)
{
    return y->shape.dim[0];
}

static bool scatter_rows_check(const wg_tensor *y)
{
    return index_in_range(y, 1, scatter_rows_chunks(y), "index");
}

static size_t scatter_rows_workspace(const wg_tensor *y)
{
    const int64_t rows = y->shape.dim[0];
    return rows == 0 ? 0
                     : wgk_scatter_workspace(wg_kernel_type(y), y->operand[1]->size, rows,
                                             y->size / rows);
}

static void scatter_rows_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0], *index = y->operand[1];
    wgk_scatter s = {index->size, y->size / y->shape.dim[0], index->data};
    wgk_scatter_rows(&s, wg_kernel_type(y), x->data, piece->begin, piece->end, y->data,
                     piece->workspace);
}

static wg_tensor *scatter_rows_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? wg_gather_rows(dy, y->operand[1]) : NULL;
}

static void scatter_add_rows_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *index = y->operand[1];
    const int64_t width = y->size / y->shape.dim[0];
    wg_c_nest nest;
    (void)row;
    wg_c_check(c, index, y->shape.dim[0], NULL);
    wg_c_fill(c, 0);
    index_rows_nest(&nest, index->size, width);
    wg_c_open_one(c, &nest);
    wg_c_line(
        c, "%y += %a;",
        index_table_at(c, index, wg_c_at(&nest, NULL, 2).s, width, wg_c_at(&nest, NULL, 1).s).s,
        wg_c_at(&nest, NULL, 0).s);
    wg_c_close_one(c, &nest);
}

static const wg_op wg_op_scatter_add_rows = {
    .name = "scatter_add_rows",
    .formula = WG_OP_TEXT("y[r, ..] = sum of x[i, ..] over index[i] = r"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(scatter_rows_attrs),
    .shape = scatter_rows_shape,
    .check = scatter_rows_check,
    .forward = scatter_rows_forward,
    .vjp = scatter_rows_vjp,
    .chunks = scatter_rows_chunks,
    .workspace = scatter_rows_workspace,
    .write_c = WG_WRITES_C(scatter_add_rows_write_c),
};

wg_tensor *wg_scatter_add_rows(wg_tensor *x, wg_tensor *index, int64_t rows)
{
    scatter_rows_attrs attrs = {rows};
    return wg_apply(&wg_op_scatter_add_rows, (wg_tensor *[]){x, index}, 2, &attrs);
}

/* ---- Lines: an array of indices beside a table ----------------------------------------------- */

/* The lines of the indices along the axis, and where the same lines are in the table, whose other
 * sizes may be larger. */
typedef struct index_lines {
    int ndim, axis;
    int64_t dim[WG_MAX_DIMS], stride[WG_MAX_DIMS], table_stride[WG_MAX_DIMS];
    int64_t n_lines;
    wgk_line line;
} index_lines;

static index_lines index_lines_of(const wg_shape *index, const wg_shape *table, int axis)
{
    index_lines lines = {.ndim = index->ndim, .axis = axis, .n_lines = 1};
    wgk_dense_strides(index->ndim, index->dim, lines.stride);
    wgk_dense_strides(table->ndim, table->dim, lines.table_stride);
    for (int i = 0; i < index->ndim; i++) {
        lines.dim[i] = i == axis ? 1 : index->dim[i];
        lines.n_lines *= lines.dim[i];
    }
    lines.line = (wgk_line){index->dim[axis], lines.stride[axis], table->dim[axis],
                            lines.table_stride[axis]};
    return lines;
}

/* Where line number `at` begins in the indices and in the table. */
static void index_lines_start(const index_lines *lines, int64_t at, int64_t *start,
                              int64_t *table_start)
{
    *start = *table_start = 0;
    for (int i = lines->ndim - 1; i >= 0; i--) {
        *start += at % lines->dim[i] * lines->stride[i];
        *table_start += at % lines->dim[i] * lines->table_stride[i];
        at /= lines->dim[i];
    }
}

/* Rank equal, and no size but the axis's own larger than the table's. */
static bool index_lines_fit(const wg_tensor *y, const wg_shape *index, const wg_shape *table,
                            int axis)
{
    if (index->ndim != table->ndim)
        return wg_op_fail(y, WG_E_SHAPE, "the index has another ndim");
    for (int i = 0; i < index->ndim; i++)
        if (i != axis && index->dim[i] > table->dim[i])
            return wg_op_fail(y, WG_E_SHAPE, "the index is larger on axis %d", i);
    return true;
}

/* ---- gather ---------------------------------------------------------------------------------- */

typedef struct gather_attrs {
    int64_t axis;
} gather_attrs;

static int gather_axis(const wg_tensor *y)
{
    const gather_attrs *attrs = y->attrs;
    return (int)attrs->axis;
}

static bool gather_axis_fits(const wg_tensor *y)
{
    const gather_attrs *attrs = y->attrs;
    return wg_axis_fits(y, y->operand[0], attrs->axis);
}

static bool gather_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0], *index = y->operand[1];
    if (!index_is_i64(y, 1) || !gather_axis_fits(y) ||
        !index_lines_fit(y, &index->shape, &x->shape, gather_axis(y)))
        return false;
    y->dtype = x->dtype;
    y->shape = index->shape;
    return true;
}

static bool gather_check(const wg_tensor *y)
{
    return index_in_range(y, 1, y->operand[0]->shape.dim[gather_axis(y)], "index");
}

static index_lines gather_lines(const wg_tensor *y)
{
    return index_lines_of(&y->shape, &y->operand[0]->shape, gather_axis(y));
}

static int64_t gather_chunks(const wg_tensor *y)
{
    return gather_lines(y).n_lines;
}

static void gather_forward(const wg_tensor *y, const wg_piece *piece)
{
    const char *x = y->operand[0]->data;
    const int64_t *index = y->operand[1]->data;
    int64_t start, table_start, size = (int64_t)wg_dtype_size(y->dtype);
    index_lines lines = gather_lines(y);
    for (int64_t at = piece->begin; at < piece->end; at++) {
        index_lines_start(&lines, at, &start, &table_start);
        wgk_gather_line(&lines.line, (size_t)size, index + start, x + table_start * size,
                        (char *)y->data + start * size);
    }
}

static wg_tensor *gather_vjp(wg_tensor *y, wg_tensor *dy, int i);

/* Loops over all indices; arrays: 0 the indices, 1 the table, but for what the index says. */
static void index_lines_nest(wg_c_nest *nest, const wg_shape *index, const wg_shape *table,
                             int axis)
{
    int64_t own[WG_MAX_DIMS], other[WG_MAX_DIMS];
    wgk_dense_strides(index->ndim, index->dim, own);
    wgk_dense_strides(table->ndim, table->dim, other);
    other[axis] = 0;
    wg_c_strided(nest, index->ndim, index->dim, own, other);
}

static void gather_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0], *index = y->operand[1];
    const int axis = gather_axis(y);
    wg_c_nest nest;
    (void)row;
    wg_c_check(c, index, x->shape.dim[axis], NULL);
    index_lines_nest(&nest, &index->shape, &x->shape, axis);
    wg_c_open_one(c, &nest);
    const wg_text at = wg_c_at(&nest, NULL, 0);
    wg_c_line(
        c, "%y = %a;", at.s,
        index_table_at(c, index, at.s, gather_lines(y).line.table_stride, wg_c_at(&nest, NULL, 1).s)
            .s);
    wg_c_close_one(c, &nest);
}

static const wg_op wg_op_gather = {
    .name = "gather",
    .formula = WG_OP_TEXT("y[.., i, ..] = x[.., index[.., i, ..], ..]"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(gather_attrs),
    .describe = wg_describe_axis,
    .shape = gather_shape,
    .check = gather_check,
    .forward = gather_forward,
    .vjp = gather_vjp,
    .chunks = gather_chunks,
    .write_c = WG_WRITES_C(gather_write_c),
};

wg_tensor *wg_gather(wg_tensor *x, int axis, wg_tensor *index)
{
    gather_attrs attrs = {0};
    if (!wg_is_inert(x) && wg_axes_index(x, "gather", &axis))
        attrs.axis = axis;
    return wg_apply(&wg_op_gather, (wg_tensor *[]){x, index}, 2, &attrs);
}

/* ---- scatter_add ----------------------------------------------------------------------------- */

/* The op itself scatters into zeros: x is [index's shape], y has the sizes given. */
typedef struct scatter_attrs {
    int64_t axis, ndim, dim[WG_MAX_DIMS];
} scatter_attrs;

static bool scatter_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0], *index = y->operand[1];
    const scatter_attrs *attrs = y->attrs;
    if (attrs->ndim != x->shape.ndim)
        return wg_op_fail(y, WG_E_SHAPE, "the index has another ndim than the result");
    if (!wg_axis_fits(y, x, attrs->axis))
        return false;
    y->dtype = x->dtype;
    y->shape.ndim = (int)attrs->ndim;
    memcpy(y->shape.dim, attrs->dim, (size_t)attrs->ndim * sizeof *attrs->dim);
    if (!index_is_i64(y, 1))
        return false;
    if (!wg_shape_same(&x->shape, &index->shape))
        return wg_op_fail(y, WG_E_SHAPE, "the index has another shape");
    return index_lines_fit(y, &index->shape, &y->shape, (int)attrs->axis);
}

static index_lines scatter_lines(const wg_tensor *y)
{
    const scatter_attrs *attrs = y->attrs;
    return index_lines_of(&y->operand[1]->shape, &y->shape, (int)attrs->axis);
}

static bool scatter_check(const wg_tensor *y)
{
    const scatter_attrs *attrs = y->attrs;
    return index_in_range(y, 1, y->shape.dim[attrs->axis], "index");
}

static size_t scatter_workspace(const wg_tensor *y)
{
    const scatter_attrs *attrs = y->attrs;
    return 2 * (size_t)y->shape.dim[attrs->axis] * wgk_real_size(wg_kernel_type(y));
}

static void scatter_forward(const wg_tensor *y, const wg_piece *piece)
{
    const char *x = y->operand[0]->data;
    const int64_t *index = y->operand[1]->data;
    int64_t start, table_start, size = (int64_t)wg_dtype_size(y->dtype);
    index_lines lines = scatter_lines(y);
    memset(y->data, 0, (size_t)y->size * (size_t)size);
    for (int64_t at = 0; at < lines.n_lines; at++) {
        index_lines_start(&lines, at, &start, &table_start);
        wgk_scatter_line(&lines.line, wg_kernel_type(y), index + start, x + start * size,
                         (char *)y->data + table_start * size, piece->workspace);
    }
}

static wg_tensor *scatter_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const scatter_attrs *attrs = y->attrs;
    return i == 0 ? wg_gather(dy, (int)attrs->axis, y->operand[1]) : NULL;
}

static void scatter_add_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const scatter_attrs *attrs = y->attrs;
    const wg_tensor *index = y->operand[1];
    wg_c_nest nest;
    (void)row;
    wg_c_check(c, index, y->shape.dim[attrs->axis], NULL);
    wg_c_fill(c, 0);
    index_lines_nest(&nest, &index->shape, &y->shape, (int)attrs->axis);
    wg_c_open_one(c, &nest);
    const wg_text at = wg_c_at(&nest, NULL, 0);
    wg_c_line(c, "%y += %a;",
              index_table_at(c, index, at.s, scatter_lines(y).line.table_stride,
                             wg_c_at(&nest, NULL, 1).s)
                  .s,
              at.s);
    wg_c_close_one(c, &nest);
}

static const wg_op wg_op_scatter_add = {
    .name = "scatter_add",
    .formula = WG_OP_TEXT("y[.., r, ..] = sum of x[.., i, ..] over index[.., i, ..] = r"),
    .arity = 2,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(scatter_attrs),
    .describe = wg_describe_axis,
    .shape = scatter_shape,
    .check = scatter_check,
    .forward = scatter_forward,
    .vjp = scatter_vjp,
    .workspace = scatter_workspace,
    .write_c = WG_WRITES_C(scatter_add_write_c),
};

/* Scatters into zeros of the shape of x. */
static wg_tensor *scatter_apply(const wg_tensor *like, int axis, wg_tensor *index, wg_tensor *x)
{
    scatter_attrs attrs = {axis, like->shape.ndim, {0}};
    memcpy(attrs.dim, like->shape.dim, sizeof attrs.dim);
    return wg_apply(&wg_op_scatter_add, (wg_tensor *[]){x, index}, 2, &attrs);
}

static wg_tensor *gather_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? scatter_apply(y->operand[0], gather_axis(y), y->operand[1], dy) : NULL;
}

wg_tensor *wg_scatter_add(wg_tensor *x, int axis, wg_tensor *index, wg_tensor *source)
{
    if (wg_is_inert(x))
        return wg_apply(&wg_op_scatter_add, (wg_tensor *[]){x, index}, 2, NULL);
    if (!wg_axes_index(x, "scatter_add", &axis))
        axis = 0;
    return wg_add(x, scatter_apply(x, axis, index, source));
}

const wg_op *const wg_ops_index[] = {
    &wg_op_gather_rows, &wg_op_scatter_add_rows, &wg_op_gather, &wg_op_scatter_add, NULL,
};
