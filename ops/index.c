/* index.c: rows taken and added up by index. */
#include "ops/axes_internal.h"
#include "ops/index_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/kernels/index.h"
#include "ops/layout.h"
#include "ops/slice.h"

/* ---- Indices --------------------------------------------------------------------------------- */

bool wg_index_in_range(const wg_tensor *y, int operand, int64_t n, const char *what)
{
    const wg_tensor *x = y->operand[operand];
    const int64_t *index = x->data;
    for (int64_t i = 0; i < x->size; i++)
        if (index[i] < 0 || index[i] >= n)
            return wg_op_fail(y, WG_E_INDEX, "%s %" PRId64 " at %" PRId64 " is outside 0..%" PRId64,
                              what, index[i], i, n - 1);
    return true;
}

bool wg_index_is_i64(const wg_tensor *y, int operand)
{
    return y->operand[operand]->dtype == WG_I64 ||
           wg_op_fail(y, WG_E_DTYPE, "operand %d is to be i64", operand);
}

/* ---- gather_rows ----------------------------------------------------------------------------- */

static bool gather_rows_shape(wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape, *index = &y->operand[1]->shape;
    if (!wg_index_is_i64(y, 1))
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
    return wg_index_in_range(y, 1, y->operand[0]->shape.dim[0], "index");
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

wg_text wg_index_table_at(const wg_c_writer *c, const wg_tensor *index, const char *at,
                          int64_t stride, const char *place)
{
    return wg_c_text_of(c, "%s * %" PRId64 " + %s", wg_c_element(c, index, at).s, stride, place);
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
        wg_index_table_at(c, index, wg_c_at(&nest, NULL, 2).s, width, wg_c_at(&nest, NULL, 1).s).s);
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
    if (!wg_index_is_i64(y, 1))
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
    return wg_index_in_range(y, 1, scatter_rows_chunks(y), "index");
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
    const wg_text at = wg_index_table_at(c, index, wg_c_at(&nest, NULL, 2).s, width,
                                         wg_c_at(&nest, NULL, 1).s);
    wg_c_sum(c, wg_c_element(c, y, at.s).s, 0, wg_c_at(&nest, NULL, 0).s);
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

const wg_op *const wg_ops_index[] = {&wg_op_gather_rows, &wg_op_scatter_add_rows, NULL};
