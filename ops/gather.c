/* gather.c: elements along an axis taken and added up by index. */
#include "ops/arithmetic.h"
#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/index_internal.h"
#include "ops/kernels/copy.h"
#include "ops/kernels/index.h"

#include <string.h>

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
    if (!wg_index_is_i64(y, 1) || !gather_axis_fits(y) ||
        !index_lines_fit(y, &index->shape, &x->shape, gather_axis(y)))
        return false;
    y->dtype = x->dtype;
    y->shape = index->shape;
    return true;
}

static bool gather_check(const wg_tensor *y)
{
    return wg_index_in_range(y, 1, y->operand[0]->shape.dim[gather_axis(y)], "index");
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
    wg_c_line(c, "%y = %a;", at.s,
              wg_index_table_at(c, index, at.s, gather_lines(y).line.table_stride,
                                wg_c_at(&nest, NULL, 1).s)
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
    if (!wg_index_is_i64(y, 1))
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
    return wg_index_in_range(y, 1, y->shape.dim[attrs->axis], "index");
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
    const wg_text to = wg_index_table_at(c, index, at.s, scatter_lines(y).line.table_stride,
                                         wg_c_at(&nest, NULL, 1).s);
    wg_c_sum(c, wg_c_element(c, y, to.s).s, 0, at.s);
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

const wg_op *const wg_ops_gather[] = {&wg_op_gather, &wg_op_scatter_add, NULL};
