/* layout.c: ops that give elements another shape, another order, or repeat them and add them up. */
#include "ops/layout_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/kernels/copy.h"
#include "ops/kernels/reduce.h"

/* ---- Lists that builders are given ----------------------------------------------------------- */

/* A shape as an attribute: without padding. */
typedef struct layout_sizes {
    int64_t ndim, dim[WG_MAX_DIMS];
} layout_sizes;

typedef struct layout_order {
    int axis[WG_MAX_DIMS]; /* axis i of y is axis[i] of x */
} layout_order;

/* Records an error about a builder's arguments; false. */
static bool layout_fail(const wg_tensor *x, wg_status status, const char *op, const char *what)
{
    wg_fail(x->tape, status, "%s: %s: %s", op, what, wg_tensor_text(x).s);
    return false;
}

static bool layout_sizes_init(layout_sizes *sizes, const wg_tensor *x, const char *op, int ndim,
                              const int64_t *dim)
{
    char what[64];
    if (ndim < 0 || ndim > WG_MAX_DIMS) {
        snprintf(what, sizeof what, "ndim %d is outside 0..%d", ndim, WG_MAX_DIMS);
        return layout_fail(x, WG_E_SHAPE, op, what);
    }
    if (ndim > 0 && dim == NULL)
        return layout_fail(x, WG_E_NULL, op, "the sizes are NULL");
    memset(sizes, 0, sizeof *sizes);
    sizes->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        sizes->dim[i] = dim[i];
    return true;
}

static wg_shape layout_shape_of(const layout_sizes *sizes)
{
    wg_shape shape = {.ndim = (int)sizes->ndim};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = sizes->dim[i];
    return shape;
}

/* Gives y its operand's dtype and the shape of its attributes. */
static bool layout_take(wg_tensor *y)
{
    const layout_sizes *sizes = y->attrs;
    if (sizes->ndim < 0 || sizes->ndim > WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "ndim %" PRId64 " is outside 0..%d", sizes->ndim,
                          WG_MAX_DIMS);
    y->dtype = y->operand[0]->dtype;
    y->shape = layout_shape_of(sizes);
    return true;
}

/* The axes of an array of `like`'s ndim as bits. */
static bool layout_mask(const wg_tensor *like, const char *op, int n, const int *axes,
                        uint32_t *mask)
{
    if (n > 0 && axes == NULL)
        return layout_fail(like, WG_E_NULL, op, "the axes are NULL");
    return wg_axes_mask(like, op, n, axes, mask);
}

/* ---- reshape --------------------------------------------------------------------------------- */

/* Sets the size that is -1 to what the others leave; *shape has at most one. */
static bool reshape_infer(wg_tensor *y, int64_t size)
{
    int64_t known = 1;
    int unknown = -1;
    for (int i = 0; i < y->shape.ndim; i++) {
        if (y->shape.dim[i] != -1) {
            if (!wg_size_multiply(known, y->shape.dim[i], &known))
                return false;
        } else if (unknown >= 0)
            return false;
        else
            unknown = i;
    }
    if (unknown < 0)
        return true;
    if (known <= 0)
        return false;
    y->shape.dim[unknown] = size / known; /* the caller sees whether there is a remainder */
    return true;
}

static bool reshape_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    char text[WG_SHAPE_TEXT];
    if (!layout_take(y))
        return false;
    const wg_shape wanted = y->shape;
    return (reshape_infer(y, x->size) && wg_shape_size(&y->shape) == x->size) ||
           wg_op_fail(y, WG_E_SHAPE, "%" PRId64 " elements do not make the shape %s", x->size,
                      wg_shape_text(&wanted, text, sizeof text));
}

static wg_tensor *reshape_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const wg_shape *shape = &y->operand[i]->shape;
    return wg_reshape(dy, shape->ndim, shape->dim);
}

static const wg_op wg_op_reshape = {
    .name = "reshape",
    .formula = "y = x, with another shape",
    .arity = 1,
    .flags = WG_OP_VIEW,
    .attr_size = sizeof(layout_sizes),
    .shape = reshape_shape,
    .vjp = reshape_vjp,
};

wg_tensor *wg_reshape(wg_tensor *x, int ndim, const int64_t *dim)
{
    layout_sizes sizes = {0, {0}};
    if (!wg_is_inert(x))
        layout_sizes_init(&sizes, x, "reshape", ndim, dim); /* after an error wg_apply is inert */
    return wg_apply(&wg_op_reshape, &x, 1, &sizes);
}

wg_tensor *wg_squeeze(wg_tensor *x, int n_axes, const int *axes)
{
    uint32_t mask = 0;
    int64_t dim[WG_MAX_DIMS];
    int ndim = 0;
    if (wg_is_inert(x) || !layout_mask(x, "squeeze", n_axes, axes, &mask))
        return wg_reshape(x, WG_SCALAR);
    for (int i = 0; i < x->shape.ndim; i++) {
        if (!((mask >> i) & 1u))
            dim[ndim++] = x->shape.dim[i];
        else if (x->shape.dim[i] != 1)
            layout_fail(x, WG_E_SHAPE, "squeeze", "an axis has another size than 1");
    }
    return wg_reshape(x, ndim, dim);
}

/* The axes of the result, as bits. */
static bool expand_dims_mask(const wg_tensor *x, int n, const int *axes, uint32_t *mask)
{
    if (n < 0 || n > WG_MAX_DIMS - x->shape.ndim)
        return layout_fail(x, WG_E_SHAPE, "expand_dims", "the result would have over 8 axes");
    if (n > 0 && axes == NULL)
        return layout_fail(x, WG_E_NULL, "expand_dims", "the axes are NULL");
    int ndim = x->shape.ndim + n;
    *mask = 0;
    for (int i = 0; i < n; i++) {
        int axis = axes[i] < 0 ? axes[i] + ndim : axes[i];
        if (axis < 0 || axis >= ndim || (*mask >> axis) & 1u)
            return layout_fail(x, WG_E_VALUE, "expand_dims",
                               "an axis that the result does not have, or given twice");
        *mask |= 1u << axis;
    }
    return true;
}

wg_tensor *wg_expand_dims(wg_tensor *x, int n_axes, const int *axes)
{
    uint32_t mask = 0;
    int64_t dim[WG_MAX_DIMS] = {0};
    if (wg_is_inert(x))
        return wg_reshape(x, WG_SCALAR);
    if (!expand_dims_mask(x, n_axes, axes, &mask))
        return wg_reshape(x, WG_SCALAR);
    int ndim = x->shape.ndim + n_axes;
    for (int i = 0, from = 0; i < ndim; i++)
        dim[i] = (mask >> i) & 1u ? 1 : x->shape.dim[from++];
    return wg_reshape(x, ndim, dim);
}

/* ---- permute --------------------------------------------------------------------------------- */

static bool permute_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    const layout_order *order = y->attrs;
    uint32_t seen = 0;
    y->dtype = x->dtype;
    y->shape.ndim = x->shape.ndim;
    for (int i = 0; i < y->shape.ndim; i++) {
        if (!wg_axis_fits(y, x, order->axis[i]))
            return false;
        seen |= 1u << order->axis[i];
        y->shape.dim[i] = x->shape.dim[order->axis[i]];
    }
    return seen == (1u << y->shape.ndim) - 1 || wg_op_fail(y, WG_E_VALUE, "an axis is given twice");
}

static wgk_copy permute_copy(const wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    const layout_order *order = y->attrs;
    int64_t stride[WG_MAX_DIMS], from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    wgk_dense_strides(x->shape.ndim, x->shape.dim, stride);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    for (int i = 0; i < y->shape.ndim; i++)
        from[i] = stride[order->axis[i]];
    return wgk_copy_of(y->shape.ndim, y->shape.dim, from, to);
}

static int64_t permute_chunks(const wg_tensor *y)
{
    return permute_copy(y).chunks;
}

static void permute_forward(const wg_tensor *y, const wg_piece *piece)
{
    wgk_copy copy = permute_copy(y);
    wgk_copy_run(&copy, wg_dtype_size(y->dtype), y->operand[0]->data, y->data, piece->begin,
                 piece->end);
}

static wg_tensor *permute_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const layout_order *order = y->attrs;
    int inverse[WG_MAX_DIMS];
    (void)i;
    for (int axis = 0; axis < y->shape.ndim; axis++)
        inverse[order->axis[axis]] = axis;
    return wg_permute(dy, y->shape.ndim, inverse);
}

static void permute_describe(const wg_tensor *y, char *text, size_t size)
{
    const layout_order *order = y->attrs;
    wg_describe_axes(text, size, y->shape.ndim, order->axis);
}

static const wg_op wg_op_permute = {
    .name = "permute",
    .formula = "y[i_p0, i_p1, ...] = x[i_0, i_1, ...]",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(layout_order),
    .describe = permute_describe,
    .shape = permute_shape,
    .forward = permute_forward,
    .vjp = permute_vjp,
    .chunks = permute_chunks,
};

wg_tensor *wg_permute(wg_tensor *x, int n_axes, const int *axes)
{
    layout_order order = {{0}};
    uint32_t mask = 0;
    if (wg_is_inert(x))
        return wg_apply(&wg_op_permute, &x, 1, &order);
    if (n_axes != x->shape.ndim)
        layout_fail(x, WG_E_VALUE, "permute", "as many axes are needed as there are");
    else if (layout_mask(x, "permute", n_axes, axes, &mask))
        for (int i = 0; i < n_axes; i++)
            order.axis[i] = axes[i] < 0 ? axes[i] + n_axes : axes[i];
    return wg_apply(&wg_op_permute, &x, 1, &order);
}

wg_tensor *wg_transpose(wg_tensor *x, int axis, int other)
{
    layout_order order = {{0}};
    if (wg_is_inert(x) || !wg_axes_index(x, "transpose", &axis) ||
        !wg_axes_index(x, "transpose", &other))
        return wg_apply(&wg_op_permute, &x, 1, &order);
    for (int i = 0; i < x->shape.ndim; i++)
        order.axis[i] = i;
    order.axis[axis] = other;
    order.axis[other] = axis;
    return wg_apply(&wg_op_permute, &x, 1, &order);
}

wg_tensor *wg_t(wg_tensor *x)
{
    layout_order order = {{1, 0}};
    if (!wg_is_inert(x) && x->shape.ndim != 2)
        layout_fail(x, WG_E_SHAPE, "t", "a matrix is needed");
    return wg_apply(&wg_op_permute, &x, 1, &order);
}

/* ---- broadcast_to, sum_to -------------------------------------------------------------------- */

/* The stride in x for each axis of `to`, to which x broadcasts: 0 where x is repeated. */
static void broadcast_strides(const wg_shape *x, const wg_shape *to, int64_t *stride)
{
    int64_t own[WG_MAX_DIMS];
    int missing = to->ndim - x->ndim;
    wgk_dense_strides(x->ndim, x->dim, own);
    for (int i = 0; i < to->ndim; i++)
        stride[i] = i < missing || x->dim[i - missing] == 1 ? 0 : own[i - missing];
}

static bool broadcast_goes(const wg_shape *from, const wg_shape *to)
{
    wg_shape both;
    return wg_shape_broadcast(from, to, &both) && wg_shape_same(&both, to);
}

static bool broadcast_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    char wanted[WG_SHAPE_TEXT];
    if (!layout_take(y))
        return false;
    return broadcast_goes(&x->shape, &y->shape) ||
           wg_op_fail(y, WG_E_SHAPE, "does not broadcast to %s",
                      wg_shape_text(&y->shape, wanted, sizeof wanted));
}

static wgk_copy broadcast_copy(const wg_tensor *y)
{
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    broadcast_strides(&y->operand[0]->shape, &y->shape, from);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    return wgk_copy_of(y->shape.ndim, y->shape.dim, from, to);
}

static int64_t broadcast_chunks(const wg_tensor *y)
{
    return broadcast_copy(y).chunks;
}

static void broadcast_forward(const wg_tensor *y, const wg_piece *piece)
{
    wgk_copy copy = broadcast_copy(y);
    wgk_copy_run(&copy, wg_dtype_size(y->dtype), y->operand[0]->data, y->data, piece->begin,
                 piece->end);
}

static wg_tensor *broadcast_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_sum_to(dy, y->operand[i]);
}

static const wg_op wg_op_broadcast_to = {
    .name = "broadcast_to",
    .formula = "y = x, repeated to a shape",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(layout_sizes),
    .shape = broadcast_shape,
    .forward = broadcast_forward,
    .vjp = broadcast_vjp,
    .chunks = broadcast_chunks,
};

wg_tensor *wg_broadcast_to(wg_tensor *x, int ndim, const int64_t *dim)
{
    layout_sizes sizes = {0, {0}};
    if (!wg_is_inert(x) && layout_sizes_init(&sizes, x, "broadcast_to", ndim, dim)) {
        wg_shape shape = layout_shape_of(&sizes);
        if (wg_shape_same(&shape, &x->shape))
            return x;
    }
    return wg_apply(&wg_op_broadcast_to, &x, 1, &sizes);
}

wg_tensor *wg_spread_over(wg_tensor *y, const wg_tensor *x, uint32_t axes)
{
    const wg_shape kept = wg_axes_without(&x->shape, axes, true);
    if (!wg_is_inert(y) && !wg_shape_same(&y->shape, &kept))
        y = wg_reshape(y, kept.ndim, kept.dim);
    return wg_broadcast_to(y, x->shape.ndim, x->shape.dim);
}

static bool sum_to_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    char wanted[WG_SHAPE_TEXT];
    if (!layout_take(y))
        return false;
    return broadcast_goes(&y->shape, &x->shape) ||
           wg_op_fail(y, WG_E_SHAPE, "%s does not broadcast to this shape",
                      wg_shape_text(&y->shape, wanted, sizeof wanted));
}

/* x seen as rows along the axes that are repeated; an axis of size 1 may count as either. */
static wgk_rows sum_to_rows(const wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    int missing = x->ndim - y->shape.ndim;
    uint32_t axes = 0;
    for (int i = 0; i < x->ndim; i++)
        if (i < missing || y->shape.dim[i - missing] != x->dim[i])
            axes |= 1u << i;
    return wgk_rows_of(x->ndim, x->dim, axes);
}

static void sum_to_forward(const wg_tensor *y, const wg_piece *piece)
{
    wgk_rows rows = sum_to_rows(y);
    const void *x = y->operand[0]->data;
    wgk_reduce_sum(&rows, wg_kernel_type(y), x, 1, piece->begin, piece->end, y->data);
}

static wg_tensor *sum_to_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const wg_shape *shape = &y->operand[i]->shape;
    return wg_broadcast_to(dy, shape->ndim, shape->dim);
}

static const wg_op wg_op_sum_to = {
    .name = "sum_to",
    .formula = "y = sum of x over the axes that broadcasting y would repeat",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(layout_sizes),
    .shape = sum_to_shape,
    .forward = sum_to_forward,
    .vjp = sum_to_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_sum_to(wg_tensor *x, const wg_tensor *like)
{
    const bool given = !wg_is_inert(x) && !wg_is_inert(like);
    if (given &&
        wg_shape_same(&x->shape, &like->shape)) /* the rules ask for it after each broadcast */
        return x;
    layout_sizes sizes = {0, {0}};
    if (given)
        layout_sizes_init(&sizes, x, "sum_to", like->shape.ndim, like->shape.dim);
    else if (!wg_is_inert(x))
        layout_fail(x, WG_E_NULL, "sum_to", "the tensor whose shape is wanted is NULL or inert");
    return wg_apply(&wg_op_sum_to, &x, 1, &sizes);
}

/* ---- detach ---------------------------------------------------------------------------------- */

static bool detach_shape(wg_tensor *y)
{
    y->dtype = y->operand[0]->dtype;
    y->shape = y->operand[0]->shape;
    return true;
}

static void detach_forward(const wg_tensor *y, const wg_piece *piece)
{
    int64_t size = (int64_t)wg_dtype_size(y->dtype);
    memcpy((char *)y->data + piece->begin * size,
           (const char *)y->operand[0]->data + piece->begin * size,
           (size_t)((piece->end - piece->begin) * size));
}

/* A copy, so that checks can hold it at its value while x moves. */
static const wg_op wg_op_detach = {
    .name = "detach",
    .formula = "y = x, with no derivative",
    .arity = 1,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_DETACHED | WG_OP_WIDE,
    .shape = detach_shape,
    .forward = detach_forward,
    .chunks = wg_size,
};

wg_tensor *wg_detach(wg_tensor *x)
{
    return wg_apply(&wg_op_detach, &x, 1, NULL);
}

const wg_op *const wg_ops_layout[] = {
    &wg_op_reshape, &wg_op_permute, &wg_op_broadcast_to, &wg_op_sum_to, &wg_op_detach, NULL,
};
