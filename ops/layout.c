/* layout.c: ops that give elements another shape or another order, and detach. */
#include "autograd/compile/c_writer.h"
#include "ops/layout_internal.h"

#include <inttypes.h>
#include <string.h>

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"

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
    if (!wg_sizes_take(y, y->attrs))
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
    .formula = WG_OP_TEXT("y = x, with another shape"),
    .notation = WG_OP_TEXT("reshape(x) = x"),
    .arity = 1,
    .flags = WG_OP_VIEW,
    .attr_size = sizeof(wg_sizes),
    .shape = reshape_shape,
    .vjp = reshape_vjp,
};

wg_tensor *wg_reshape(wg_tensor *x, int ndim, const int64_t *dim)
{
    wg_sizes sizes = {0, {0}};
    if (!wg_is_inert(x))
        wg_sizes_init(&sizes, x, "reshape", ndim, dim); /* after an error wg_apply is inert */
    return wg_apply(&wg_op_reshape, &x, 1, &sizes);
}

wg_tensor *wg_squeeze(wg_tensor *x, int n_axes, const int *axes)
{
    uint32_t mask = 0;
    int64_t dim[WG_MAX_DIMS];
    int ndim = 0;
    if (wg_is_inert(x) || !wg_axes_mask(x, "squeeze", n_axes, axes, &mask))
        return wg_reshape(x, WG_SCALAR);
    for (int i = 0; i < x->shape.ndim; i++) {
        if (!((mask >> i) & 1u))
            dim[ndim++] = x->shape.dim[i];
        else if (x->shape.dim[i] != 1)
            wg_layout_fail(x, WG_E_SHAPE, "squeeze", "an axis has another size than 1");
    }
    return wg_reshape(x, ndim, dim);
}

wg_tensor *wg_expand_dims(wg_tensor *x, int n_axes, const int *axes)
{
    uint32_t mask = 0;
    int64_t dim[WG_MAX_DIMS] = {0};
    if (wg_is_inert(x))
        return wg_reshape(x, WG_SCALAR);
    if (n_axes < 0 || n_axes > WG_MAX_DIMS - x->shape.ndim)
        wg_layout_fail(x, WG_E_SHAPE, "expand_dims", "the result would have over 8 axes");
    else
        wg_axes_mask_of(x, "expand_dims", x->shape.ndim + n_axes, n_axes, axes, &mask);
    if (wg_tape_status(x->tape) != WG_OK)
        return wg_reshape(x, WG_SCALAR);
    for (int i = 0, from = 0; i < x->shape.ndim + n_axes; i++)
        dim[i] = (mask >> i) & 1u ? 1 : x->shape.dim[from++];
    return wg_reshape(x, x->shape.ndim + n_axes, dim);
}

/* ---- permute --------------------------------------------------------------------------------- */

typedef struct layout_order {
    int axis[WG_MAX_DIMS]; /* axis i of y is axis[i] of x */
} layout_order;

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

static void permute_plan(const wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    const layout_order *order = y->attrs;
    int64_t stride[WG_MAX_DIMS], from[WG_MAX_DIMS];
    wgk_dense_strides(x->ndim, x->dim, stride);
    for (int i = 0; i < y->shape.ndim; i++)
        from[i] = stride[order->axis[i]];
    wg_strided_plan(y, y->shape.ndim, y->shape.dim, from, 0);
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
    .formula = WG_OP_TEXT("y[i_p0, i_p1, ...] = x[i_0, i_1, ...]"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(layout_order),
    .describe = permute_describe,
    .shape = permute_shape,
    WG_STRIDED(permute_plan),
    .vjp = permute_vjp,
};

wg_tensor *wg_permute(wg_tensor *x, int n_axes, const int *axes)
{
    layout_order order = {{0}};
    uint32_t mask = 0;
    if (wg_is_inert(x))
        return wg_apply(&wg_op_permute, &x, 1, &order);
    if (n_axes != x->shape.ndim)
        wg_layout_fail(x, WG_E_VALUE, "permute", "as many axes are needed as there are");
    else if (wg_axes_mask(x, "permute", n_axes, axes, &mask))
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
        wg_layout_fail(x, WG_E_SHAPE, "t", "a matrix is needed");
    return wg_apply(&wg_op_permute, &x, 1, &order);
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

static void detach_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    wg_c_nest nest;
    (void)row;
    wg_c_strided(&nest, 1, &y->size, (const int64_t[]){1}, (const int64_t[]){1});
    wg_c_copy(c, &nest, y->operand[0]);
}

/* A copy, so that checks can hold it at its value while x moves. */
static const wg_op wg_op_detach = {
    .name = "detach",
    .formula = WG_OP_TEXT("y = x, with no derivative"),
    .arity = 1,
    .flags = WG_OP_ZERO_GRADIENT | WG_OP_DETACHED | WG_OP_WIDE,
    .shape = detach_shape,
    .forward = detach_forward,
    .chunks = wg_size,
    .write_c = WG_WRITES_C(detach_write_c),
};

wg_tensor *wg_detach(wg_tensor *x)
{
    return wg_apply(&wg_op_detach, &x, 1, NULL);
}

const wg_op *const wg_ops_layout[] = {
    &wg_op_reshape,
    &wg_op_permute,
    &wg_op_detach,
    NULL,
};
