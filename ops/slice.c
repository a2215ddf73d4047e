/* slice.c: parts of a tensor, and a tensor from parts (concat, stack, assemble): each is the
 * derivative of the other. */
#include "autograd/compile/c_writer.h"
#include "ops/slice_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/layout_internal.h"

/* ---- slice ----------------------------------------------------------------------------------- */

/* A part of an array: on axis i the indices begin[i] to begin[i] + size[i], which x has. */
typedef struct slice_box {
    int64_t begin[WG_MAX_DIMS], size[WG_MAX_DIMS];
    int64_t dropped; /* 0: none; else 1 + an axis of size 1 that y does not have */
} slice_box;

static bool slice_shape(wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    const slice_box *box = y->attrs;
    y->dtype = y->operand[0]->dtype;
    for (int i = 0; i < x->ndim; i++) {
        if (box->begin[i] < 0 || box->size[i] < 0 || box->begin[i] > x->dim[i] ||
            box->size[i] > x->dim[i] - box->begin[i])
            return wg_op_fail(y, WG_E_VALUE, "the part goes out of the operand on axis %d", i);
        if (i + 1 != box->dropped)
            y->shape.dim[y->shape.ndim++] = box->size[i];
    }
    return box->dropped == 0 ||
           (box->dropped <= x->ndim && y->shape.ndim == x->ndim - 1 &&
            box->size[box->dropped - 1] == 1) ||
           wg_op_fail(y, WG_E_VALUE, "the axis to drop has another size than 1");
}

/* Is the box one piece of x's memory: are all axes whole behind the first that matters? */
static bool slice_is_view(const wg_shape *x, const slice_box *box)
{
    int axis = x->ndim - 1;
    while (axis > 0 && box->size[axis] == x->dim[axis])
        axis--;
    bool single = true;
    for (int i = 0; i < axis; i++)
        single = single && box->size[i] == 1;
    return single;
}

static bool slice_rows_shape(wg_tensor *y)
{
    return slice_shape(y) && (slice_is_view(&y->operand[0]->shape, y->attrs) ||
                              wg_op_fail(y, WG_E_VALUE, "the part is not one piece of memory"));
}

/* The strides of x, and how many elements lie before the box. */
static int64_t slice_start(const wg_tensor *y, int64_t stride[WG_MAX_DIMS])
{
    const wg_shape *x = &y->operand[0]->shape;
    const slice_box *box = y->attrs;
    int64_t start = 0;
    wgk_dense_strides(x->ndim, x->dim, stride);
    for (int i = 0; i < x->ndim; i++)
        start += box->begin[i] * stride[i];
    return start;
}

static void slice_plan(const wg_tensor *y)
{
    const slice_box *box = y->attrs;
    int64_t stride[WG_MAX_DIMS], start = slice_start(y, stride);
    wg_strided_plan(y, y->operand[0]->shape.ndim, box->size, stride, start);
}

static int64_t slice_offset(const wg_tensor *y)
{
    int64_t stride[WG_MAX_DIMS];
    return slice_start(y, stride) * (int64_t)wg_dtype_size(y->dtype);
}

/* g, which has y's shape, with the axis that y does not have. */
static wg_tensor *slice_undropped(const wg_tensor *y, wg_tensor *g)
{
    const slice_box *box = y->attrs;
    return box->dropped == 0 ? g : wg_reshape(g, y->operand[0]->shape.ndim, box->size);
}

static wg_tensor *slice_refused(wg_tensor *x);
static wg_tensor *assemble(const wg_tensor *whole, wg_tensor *const ys[], wg_tensor *const dys[],
                           int n);

static wg_tensor *slice_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return assemble(y->operand[i], &y, &dy, 1);
}

/* Are the boxes, one behind the other along the axis, all of x, and do they drop the same axis? */
static bool slice_tiles(wg_tensor *const ys[], int n, int axis)
{
    const wg_shape *x = &ys[0]->operand[0]->shape;
    const int64_t dropped = ((const slice_box *)ys[0]->attrs)->dropped;
    int64_t at = 0;
    for (int k = 0; k < n; k++) {
        const slice_box *box = ys[k]->attrs;
        for (int i = 0; i < x->ndim; i++)
            if (box->begin[i] != (i == axis ? at : 0) || (i != axis && box->size[i] != x->dim[i]))
                return false;
        if (box->dropped != dropped)
            return false;
        at += box->size[axis];
    }
    return at == x->dim[axis] && (dropped == 0 || dropped == axis + 1);
}

/* The first axis on which the first part is not whole. */
static int slice_axis(const wg_tensor *y)
{
    const slice_box *box = y->attrs;
    int axis = 0;
    while (axis < y->operand[0]->shape.ndim - 1 &&
           box->size[axis] == y->operand[0]->shape.dim[axis])
        axis++;
    return axis;
}

typedef struct slice_part {
    wg_tensor *y, *dy;
} slice_part;

/* By where they begin, then by their places on the tape. */
static int slice_order(const wg_tensor *y, const wg_tensor *z)
{
    const int64_t *at = ((const slice_box *)y->attrs)->begin;
    const int64_t *other = ((const slice_box *)z->attrs)->begin;
    for (int i = 0; i < y->operand[0]->shape.ndim; i++)
        if (at[i] != other[i])
            return at[i] < other[i] ? -1 : 1;
    return y->index < z->index ? -1 : 1;
}

static int slice_part_order(const void *a, const void *b)
{
    return slice_order(((const slice_part *)a)->y, ((const slice_part *)b)->y);
}

/* Slices in order that make up all of x are put together again; others are added in their
 * places. */
static wg_tensor *slice_join(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    const wg_tensor *x = ys[0]->operand[0];
    const int axis = slice_axis(ys[0]);
    if (n == 1 || x->shape.ndim == 0 || !slice_tiles(ys, n, axis))
        return assemble(x, ys, dys, n);
    return ((const slice_box *)ys[0]->attrs)->dropped > 0 ? wg_stack(dys, n, axis)
                                                          : wg_concat(dys, n, axis);
}

static wg_tensor *slice_join_sorted(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    wg_tape *t = ys[0]->tape;
    slice_part *part = wg_temporary(t, n, 2 * sizeof *part);
    if (part == NULL)
        return slice_refused(NULL);
    wg_tensor **y = (wg_tensor **)(part + n), **dy = y + n;
    for (int k = 0; k < n; k++)
        part[k] = (slice_part){ys[k], dys[k]};
    qsort(part, (size_t)n, sizeof *part, slice_part_order);
    for (int k = 0; k < n; k++) {
        y[k] = part[k].y;
        dy[k] = part[k].dy;
    }
    wg_tensor *dx = slice_join(y, dy, n);
    wg_temporary_free(t, part);
    return dx;
}

static wg_tensor *slice_vjp_parts(wg_tensor *const ys[], wg_tensor *const dys[], int n)
{
    for (int k = 1; k < n; k++)
        if (slice_order(ys[k - 1], ys[k]) > 0)
            return slice_join_sorted(ys, dys, n);
    return slice_join(ys, dys, n);
}

static void slice_describe(const wg_tensor *y, char *text, size_t size)
{
    char list[WG_SHAPE_TEXT];
    const slice_box *box = y->attrs;
    const int ndim = y->operand[0]->shape.ndim;
    wg_describe_add(text, size, "from %s", wg_describe_list(list, ndim, box->begin));
}

static const wg_op wg_op_slice = {
    .name = "slice",
    .formula = WG_OP_TEXT("y[i] = x[begin + i]"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(slice_box),
    .describe = slice_describe,
    .shape = slice_shape,
    WG_STRIDED(slice_plan),
    .vjp = slice_vjp,
    .vjp_parts = slice_vjp_parts,
};

/* The same where the part is one piece of x's memory. */
static const wg_op wg_op_slice_rows = {
    .name = "slice_rows",
    .formula = WG_OP_TEXT("y[i] = x[begin + i], i on the leading axis"),
    .arity = 1,
    .flags = WG_OP_VIEW,
    .attr_size = sizeof(slice_box),
    .describe = slice_describe,
    .shape = slice_rows_shape,
    .vjp = slice_vjp,
    .vjp_parts = slice_vjp_parts,
    .offset = slice_offset,
};

/* Records the part of x; x must not be inert, and the box must lie in it. */
static wg_tensor *slice_apply(wg_tensor *x, const slice_box *box)
{
    return wg_apply(slice_is_view(&x->shape, box) ? &wg_op_slice_rows : &wg_op_slice, &x, 1, box);
}

/* What a builder returns where x is inert or its arguments were refused. */
static wg_tensor *slice_refused(wg_tensor *x)
{
    return wg_apply(&wg_op_slice, &x, 1, &(slice_box){{0}, {0}, 0});
}

wg_tensor *wg_slice_box(wg_tensor *x, const int64_t *begin, const int64_t *size)
{
    slice_box box = {{0}, {0}, 0};
    if (wg_is_inert(x))
        return slice_refused(x);
    memcpy(box.begin, begin, (size_t)x->shape.ndim * sizeof *begin);
    memcpy(box.size, size, (size_t)x->shape.ndim * sizeof *size);
    return slice_apply(x, &box);
}

/* The indices [begin, end) of the axis; dropped: the axis is left out. */
static wg_tensor *slice_along(wg_tensor *x, int axis, int64_t begin, int64_t end, bool dropped)
{
    slice_box box = {{0}, {0}, dropped ? axis + 1 : 0};
    memcpy(box.size, x->shape.dim, (size_t)x->shape.ndim * sizeof *box.size);
    box.begin[axis] = begin;
    box.size[axis] = end > begin ? end - begin : 0;
    return slice_apply(x, &box);
}

wg_tensor *wg_slice_at(wg_tensor *x, int axis, int64_t index)
{
    return wg_is_inert(x) ? slice_refused(x) : slice_along(x, axis, index, index + 1, true);
}

/* Python's rule for an index of a slice in 0..n. */
static int64_t slice_index(int64_t index, int64_t n)
{
    if (index < 0)
        index += n;
    return index < 0 ? 0 : index > n ? n : index;
}

wg_tensor *wg_slice(wg_tensor *x, int axis, int64_t begin, int64_t end)
{
    if (wg_is_inert(x) || !wg_axes_index(x, "slice", &axis))
        return slice_refused(x);
    const int64_t n = x->shape.dim[axis];
    return slice_along(x, axis, slice_index(begin, n), slice_index(end, n), false);
}

/* ---- concat, stack --------------------------------------------------------------------------- */

/* Both put rows side by side: y is [outer, width], and operand i has [outer, width_i] of it, outer
 * being the sizes of y before the axis. */
typedef struct concat_attrs {
    int64_t axis; /* of y; not negative */
} concat_attrs;

static int64_t concat_outer(const wg_tensor *y)
{
    const concat_attrs *attrs = y->attrs;
    int64_t outer = 1;
    for (int i = 0; i < attrs->axis; i++)
        outer *= y->shape.dim[i];
    return outer;
}

static void concat_forward(const wg_tensor *y, const wg_piece *piece)
{
    int64_t size = (int64_t)wg_dtype_size(y->dtype), outer = concat_outer(y);
    int64_t width = y->size / outer * size, column = 0;
    for (int k = 0; k < y->n_operands; k++) {
        const wg_tensor *x = y->operand[k];
        int64_t own = x->size / outer * size;
        for (int64_t i = piece->begin; i < piece->end; i++)
            memcpy((char *)y->data + i * width + column, (const char *)x->data + i * own,
                   (size_t)own);
        column += own;
    }
}

static bool concat_dtypes(wg_tensor *y)
{
    y->dtype = y->operand[0]->dtype;
    for (int i = 1; i < y->n_operands; i++)
        if (y->operand[i]->dtype != y->dtype)
            return wg_op_fail(y, WG_E_DTYPE, "dtypes differ (wg_cast converts)");
    return true;
}

static bool concat_shape(wg_tensor *y)
{
    const concat_attrs *attrs = y->attrs;
    int axis = (int)attrs->axis;
    if (!wg_axis_fits(y, y->operand[0], attrs->axis))
        return false;
    y->shape = y->operand[0]->shape;
    for (int i = 1; i < y->n_operands; i++) {
        wg_shape shape = y->operand[i]->shape;
        int64_t size = shape.dim[axis];
        shape.dim[axis] = y->shape.dim[axis];
        if (!wg_shape_same(&shape, &y->shape))
            return wg_op_fail(y, WG_E_SHAPE, "sizes differ on another axis than %d", axis);
        if (!wg_size_add(y->shape.dim[axis], size, &y->shape.dim[axis]))
            return wg_op_fail(y, WG_E_SHAPE, "the result is too large");
    }
    return concat_dtypes(y);
}

/* Where each operand begins on the axis; NULL where all have the first one's size. */
typedef struct concat_plan {
    int64_t *begin;
} concat_plan;

static void concat_plan_fill(const wg_tensor *y)
{
    const int axis = (int)((const concat_attrs *)y->attrs)->axis;
    concat_plan *plan = y->plan;
    bool even = true;
    for (int k = 1; k < y->n_operands; k++)
        even = even && y->operand[k]->shape.dim[axis] == y->operand[0]->shape.dim[axis];
    plan->begin = even ? NULL : wg_tape_take(y->tape, (size_t)y->n_operands * sizeof(int64_t));
    for (int64_t k = 0, at = 0; plan->begin != NULL && k < y->n_operands; k++) {
        plan->begin[k] = at;
        at += y->operand[k]->shape.dim[axis];
    }
}

static wg_tensor *concat_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const int axis = (int)((const concat_attrs *)y->attrs)->axis;
    const concat_plan *plan = y->plan;
    const int64_t size = y->operand[i]->shape.dim[axis];
    const int64_t begin = plan->begin != NULL ? plan->begin[i] : i * size;
    return wg_slice(dy, axis, begin, begin + size);
}

/* Operand after operand: its [outer, width_i] into y's [outer, width]. */
static void concat_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const int64_t outer = concat_outer(y);
    int64_t column = 0;
    (void)row;
    for (int k = 0; outer > 0 && k < y->n_operands; k++) {
        const wg_tensor *x = y->operand[k];
        const int64_t width = x->size / outer, dim[] = {outer, width};
        wg_c_nest nest;
        wg_c_strided(&nest, 2, dim, (const int64_t[]){y->size / outer, 1},
                     (const int64_t[]){width, 1});
        nest.start[0] = column;
        wg_c_copy(c, &nest, x);
        column += width;
    }
}

static const wg_op wg_op_concat = {
    .name = "concat",
    .formula = WG_OP_TEXT("y = x0, x1, ... along an axis"),
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(concat_attrs),
    .describe = wg_describe_axis,
    .shape = concat_shape,
    .plan_size = sizeof(concat_plan),
    .plan = concat_plan_fill,
    .forward = concat_forward,
    .vjp = concat_vjp,
    .chunks = concat_outer,
    .write_c = WG_WRITES_C(concat_write_c),
};

wg_tensor *wg_concat(wg_tensor *const xs[], int n, int axis)
{
    concat_attrs attrs = {0};
    if (n > 0 && xs != NULL && !wg_is_inert(xs[0]) && wg_axes_index(xs[0], "concat", &axis))
        attrs.axis = axis;
    return wg_apply(&wg_op_concat, xs, xs != NULL ? n : 0, &attrs);
}

static bool stack_shape(wg_tensor *y)
{
    const concat_attrs *attrs = y->attrs;
    const wg_shape *x = &y->operand[0]->shape;
    if (attrs->axis < 0 || attrs->axis > x->ndim)
        return wg_op_fail(y, WG_E_VALUE, "the result has no such axis");
    if (x->ndim == WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "the result would have over %d axes", WG_MAX_DIMS);
    for (int i = 1; i < y->n_operands; i++)
        if (!wg_shape_same(&y->operand[i]->shape, x))
            return wg_op_fail(y, WG_E_SHAPE, "shapes differ");
    y->shape.ndim = x->ndim + 1;
    for (int i = 0, from = 0; i < y->shape.ndim; i++)
        y->shape.dim[i] = i == attrs->axis ? y->n_operands : x->dim[from++];
    return concat_dtypes(y);
}

static wg_tensor *stack_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_slice_at(dy, (int)((const concat_attrs *)y->attrs)->axis, i);
}

static const wg_op wg_op_stack = {
    .name = "stack",
    .formula = WG_OP_TEXT("y[.., k, ..] = xk[.., ..]"),
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(concat_attrs),
    .describe = wg_describe_axis,
    .shape = stack_shape,
    .forward = concat_forward,
    .vjp = stack_vjp,
    .chunks = concat_outer,
    .write_c = WG_WRITES_C(concat_write_c),
};

wg_tensor *wg_stack(wg_tensor *const xs[], int n, int axis)
{
    concat_attrs attrs = {axis};
    if (n > 0 && xs != NULL && !wg_is_inert(xs[0]) && axis < 0)
        attrs.axis = axis + xs[0]->shape.ndim + 1;
    return wg_apply(&wg_op_stack, xs, xs != NULL ? n : 0, &attrs);
}

/* ---- assemble: operands places [n, ndim] (i64), and n parts ---------------------------------- */

static wg_tensor *assemble_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return i == 0 ? NULL : wg_slice_box(dy, wg_assemble_place(y, i), y->operand[i]->shape.dim);
}

static const wg_op wg_op_assemble = {
    .name = "assemble",
    .formula = WG_OP_TEXT("y = sum_k part k, each in its place, and 0 around it"),
    .source = WG_OP_TEXT("Knuth, The Art of Computer Programming 2, sec. 4.2.2 (two-sum)"),
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(wg_sizes),
    .shape = wg_assemble_shape,
    .check = wg_assemble_check,
    .forward = wg_assemble_forward,
    .vjp = assemble_vjp,
    .workspace = wg_assemble_workspace,
    .write_c = WG_WRITES_C(wg_assemble_write_c),
};

/* Records the cotangent of `whole` from the cotangents dys of its slices ys. */
static wg_tensor *assemble(const wg_tensor *whole, wg_tensor *const ys[], wg_tensor *const dys[],
                           int n)
{
    const int ndim = whole->shape.ndim;
    wg_sizes sizes = {ndim, {0}};
    wg_tensor *places = wg_full(whole->tape, WG_I64, WG_SHAPE(n, ndim), 0);
    wg_tensor **operand = wg_temporary(whole->tape, n + 1, sizeof *operand);
    if (operand == NULL || wg_is_inert(places)) {
        wg_temporary_free(whole->tape, operand);
        return slice_refused(NULL);
    }
    memcpy(sizes.dim, whole->shape.dim, sizeof sizes.dim);
    operand[0] = places;
    for (int k = 0; k < n; k++) {
        const slice_box *box = ys[k]->attrs;
        memcpy((int64_t *)places->data + k * ndim, box->begin, (size_t)ndim * sizeof *box->begin);
        operand[k + 1] = slice_undropped(ys[k], dys[k]);
    }
    wg_tensor *y = wg_apply(&wg_op_assemble, operand, n + 1, &sizes);
    wg_temporary_free(whole->tape, operand);
    return y;
}

const wg_op *const wg_ops_slice[] = {
    &wg_op_slice, &wg_op_slice_rows, &wg_op_concat, &wg_op_stack, &wg_op_assemble, NULL,
};
