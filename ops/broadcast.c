/* broadcast.c: elements repeated to a shape, and the reverse, sums over what is repeated. Which
 * shapes go together is wg_shape_broadcast's rule, in autograd/shape.c. */
#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/elementwise.h"
#include "ops/kernels/reduce.h"
#include "ops/layout_internal.h"
#include "ops/reduce_internal.h"

#include <string.h>

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
    if (!wg_sizes_take(y, y->attrs))
        return false;
    return broadcast_goes(&x->shape, &y->shape) ||
           wg_op_fail(y, WG_E_SHAPE, "does not broadcast to %s",
                      wg_shape_text(&y->shape, wanted, sizeof wanted));
}

static void broadcast_plan(const wg_tensor *y)
{
    int64_t from[WG_MAX_DIMS];
    broadcast_strides(&y->operand[0]->shape, &y->shape, from);
    wg_strided_plan(y, y->shape.ndim, y->shape.dim, from, 0);
}

/* How often each element of x is repeated at a stretch, where y is x so repeated; 0: it is not. */
static int64_t broadcast_repeats(const wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    int64_t times = 1;
    int axis = y->shape.ndim, own = x->ndim;
    for (; axis > 0 && (own == 0 || x->dim[own - 1] == 1); axis--, own -= own > 0)
        times *= y->shape.dim[axis - 1];
    return y->operand[0]->size * times == y->size ? times : 0;
}

/* Tile by tile it is the elementwise y = x, or each element of x many times. */
#define BROADCAST_OF(T)                                                                            \
    static void broadcast_map_##T(int64_t n, void *out, const void *const operand[],               \
                                  const int64_t stride[], const void *attrs)                       \
    {                                                                                              \
        const T *x = operand[0];                                                                   \
        T *y = out;                                                                                \
        (void)attrs;                                                                               \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = x[i * stride[0]];                                                               \
    }                                                                                              \
                                                                                                   \
    /* Short runs are written in one size of a few: the next run overwrites what is too many. */   \
    static inline void broadcast_run_##T(T value, int64_t n, int64_t room, T *y)                   \
    {                                                                                              \
        if (n <= 4 && room >= 4)                                                                   \
            for (int i = 0; i < 4; i++)                                                            \
                y[i] = value;                                                                      \
        else if (n <= 8 && room >= 8)                                                              \
            for (int i = 0; i < 8; i++)                                                            \
                y[i] = value;                                                                      \
        else if (n <= 16 && room >= 16)                                                            \
            for (int i = 0; i < 16; i++)                                                           \
                y[i] = value;                                                                      \
        else                                                                                       \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = value;                                                                      \
    }                                                                                              \
                                                                                                   \
    static void broadcast_repeat_##T(const T *x, int64_t times, int64_t begin, int64_t end, T *y)  \
    {                                                                                              \
        int64_t left = times - begin % times;                                                      \
        for (x += begin / times; begin < end; x++, left = times) {                                 \
            const int64_t room = end - begin, n = left < room ? left : room;                       \
            broadcast_run_##T(*x, n, room, y);                                                     \
            y += n;                                                                                \
            begin += n;                                                                            \
        }                                                                                          \
    }

BROADCAST_OF(float)
BROADCAST_OF(double)
BROADCAST_OF(int64_t)

#undef BROADCAST_OF

static void broadcast_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                           const void *const tile[])
{
    const void *x = y->operand[0]->data;
    const int64_t times = broadcast_repeats(y);
    if (times == 0 || (tile != NULL && tile[0] != NULL))
        wg_elementwise_part(y, begin, end, out, tile);
    else if (y->dtype == WG_F32)
        broadcast_repeat_float(x, times, begin, end, out);
    else if (y->dtype == WG_F64)
        broadcast_repeat_double(x, times, begin, end, out);
    else
        broadcast_repeat_int64_t(x, times, begin, end, out);
}

static wg_tensor *broadcast_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_sum_to(dy, y->operand[i]);
}

static const wg_op wg_op_broadcast_to = {
    .name = "broadcast_to",
    .formula = WG_OP_TEXT("y = x, repeated to a shape"),
    .notation = WG_OP_TEXT("broadcast_to(x) = x"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_sizes),
    .shape = broadcast_shape,
    WG_STRIDED(broadcast_plan),
    .vjp = broadcast_vjp,
    .map = {[WG_F32] = broadcast_map_float,
            [WG_F64] = broadcast_map_double,
            [WG_I64] = broadcast_map_int64_t},
    .part = broadcast_part,
};

wg_tensor *wg_broadcast_to(wg_tensor *x, int ndim, const int64_t *dim)
{
    wg_sizes sizes = {0, {0}};
    if (!wg_is_inert(x) && wg_sizes_init(&sizes, x, "broadcast_to", ndim, dim)) {
        wg_shape shape = wg_sizes_shape(&sizes);
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
    if (!wg_sizes_take(y, y->attrs))
        return false;
    return broadcast_goes(&y->shape, &x->shape) ||
           wg_op_fail(y, WG_E_SHAPE, "%s does not broadcast to this shape",
                      wg_shape_text(&y->shape, wanted, sizeof wanted));
}

/* The axes that are repeated; one of size 1 may count as such or not. */
static uint32_t sum_to_axes(const wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    int missing = x->ndim - y->shape.ndim;
    uint32_t axes = 0;
    for (int i = 0; i < x->ndim; i++)
        if (i < missing || y->shape.dim[i - missing] != x->dim[i])
            axes |= 1u << i;
    return axes;
}

static void sum_to_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wgk_rows rows = wg_axes_rows(y->operand[0], sum_to_axes(y));
    const void *x = y->operand[0]->data;
    wgk_reduce_sum(&rows, wg_kernel_type(y), x, 1, piece->begin, piece->end, y->data);
}

static bool sum_to_by_rows(const wg_tensor *y, int k)
{
    return y->operand[k]->shape.ndim > 0 && (sum_to_axes(y) & 1u) == 0;
}

static wg_tensor *sum_to_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const wg_shape *shape = &y->operand[i]->shape;
    return wg_broadcast_to(dy, shape->ndim, shape->dim);
}

static void sum_to_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    (void)row;
    wg_sum_rows_write_c(c, &y->operand[0]->shape, sum_to_axes(y), 1);
}

static const wg_op wg_op_sum_to = {
    .name = "sum_to",
    .formula = WG_OP_TEXT("y = sum of x over the axes that broadcasting y would repeat"),
    .notation = WG_OP_TEXT("sum_to(x) = sum(x)"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_sizes),
    .shape = sum_to_shape,
    .forward = sum_to_forward,
    .vjp = sum_to_vjp,
    .chunks = wg_size,
    .by_rows = sum_to_by_rows,
    .write_c = WG_WRITES_C(sum_to_write_c),
};

wg_tensor *wg_sum_to(wg_tensor *x, const wg_tensor *like)
{
    const bool given = !wg_is_inert(x) && !wg_is_inert(like);
    if (given &&
        wg_shape_same(&x->shape, &like->shape)) /* the rules ask for it after each broadcast */
        return x;
    wg_sizes sizes = {0, {0}};
    if (given)
        wg_sizes_init(&sizes, x, "sum_to", like->shape.ndim, like->shape.dim);
    else if (!wg_is_inert(x))
        wg_layout_fail(x, WG_E_NULL, "sum_to", "the tensor whose shape is wanted is NULL or inert");
    return wg_apply(&wg_op_sum_to, &x, 1, &sizes);
}

const wg_op *const wg_ops_broadcast[] = {&wg_op_broadcast_to, &wg_op_sum_to, NULL};
