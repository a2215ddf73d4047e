/* diagonal.c: the diagonals of matrices, and matrices with a diagonal. */
#include "ops/diagonal.h"
#include "autograd/compile/c_writer.h"

#include <inttypes.h>
#include <string.h>

#include "ops/layout_internal.h"

/* What lies between neighbours on each axis of a diagonal, in the array of matrices that it is
 * of. */
static void diagonal_strides(const wg_shape *matrices, int64_t *stride)
{
    wgk_dense_strides(matrices->ndim, matrices->dim, stride);
    stride[matrices->ndim - 2] = matrices->dim[matrices->ndim - 1] + 1;
}

static int64_t diagonal_length(const wg_shape *matrices)
{
    int64_t n = matrices->dim[matrices->ndim - 2], m = matrices->dim[matrices->ndim - 1];
    return n < m ? n : m;
}

static bool diagonal_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    if (x->shape.ndim < 2)
        return wg_op_fail(y, WG_E_SHAPE, "a matrix is needed");
    y->dtype = x->dtype;
    y->shape = x->shape;
    y->shape.ndim--;
    y->shape.dim[y->shape.ndim] = 0;
    y->shape.dim[y->shape.ndim - 1] = diagonal_length(&x->shape);
    return true;
}

static void diagonal_plan(const wg_tensor *y)
{
    int64_t from[WG_MAX_DIMS];
    diagonal_strides(&y->operand[0]->shape, from);
    wg_strided_plan(y, y->shape.ndim, y->shape.dim, from, 0);
}

static wg_tensor *diagonal_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const wg_shape *x = &y->operand[i]->shape;
    return wg_diagonal_embed(dy, x->dim[x->ndim - 2], x->dim[x->ndim - 1]);
}

static const wg_op wg_op_diagonal = {
    .name = "diagonal",
    .formula = WG_OP_TEXT("y[.., i] = x[.., i, i]"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .shape = diagonal_shape,
    WG_STRIDED(diagonal_plan),
    .vjp = diagonal_vjp,
};

wg_tensor *wg_diagonal(wg_tensor *x)
{
    return wg_apply(&wg_op_diagonal, &x, 1, NULL);
}

typedef struct diagonal_sizes {
    int64_t n, m;
} diagonal_sizes;

static bool diagonal_embed_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    const diagonal_sizes *sizes = y->attrs;
    int ndim = x->shape.ndim;
    if (ndim < 1 || ndim == WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "ndim must be 1..%d", WG_MAX_DIMS - 1);
    y->dtype = x->dtype;
    y->shape = x->shape;
    y->shape.ndim = ndim + 1;
    y->shape.dim[ndim - 1] = sizes->n;
    y->shape.dim[ndim] = sizes->m;
    return diagonal_length(&y->shape) == x->shape.dim[ndim - 1] ||
           wg_op_fail(y, WG_E_SHAPE, "is no diagonal of %" PRId64 " rows and %" PRId64 " columns",
                      sizes->n, sizes->m);
}

static void diagonal_embed_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    (void)piece;
    diagonal_strides(&y->shape, to);
    wgk_dense_strides(x->shape.ndim, x->shape.dim, from);
    wgk_copy copy = wgk_copy_of(x->shape.ndim, x->shape.dim, from, to);
    memset(y->data, 0, (size_t)y->size * wg_dtype_size(y->dtype));
    wgk_copy_run(&copy, wg_dtype_size(y->dtype), x->data, y->data, 0, copy.chunks);
}

static wg_tensor *diagonal_embed_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y;
    (void)i;
    return wg_diagonal(dy);
}

static void diagonal_embed_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    wg_c_nest nest;
    (void)row;
    diagonal_strides(&y->shape, to);
    wgk_dense_strides(x->shape.ndim, x->shape.dim, from);
    wg_c_fill(c, 0);
    wg_c_strided(&nest, x->shape.ndim, x->shape.dim, to, from);
    wg_c_copy(c, &nest, x);
}

static const wg_op wg_op_diagonal_embed = {
    .name = "diagonal_embed",
    .formula = WG_OP_TEXT("y[.., i, i] = x[.., i], else 0"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(diagonal_sizes),
    .shape = diagonal_embed_shape,
    .forward = diagonal_embed_forward,
    .vjp = diagonal_embed_vjp,
    .write_c = WG_WRITES_C(diagonal_embed_write_c),
};

wg_tensor *wg_diagonal_embed(wg_tensor *x, int64_t n, int64_t m)
{
    diagonal_sizes sizes = {n, m};
    return wg_apply(&wg_op_diagonal_embed, &x, 1, &sizes);
}

const wg_op *const wg_ops_diagonal[] = {&wg_op_diagonal, &wg_op_diagonal_embed, NULL};
