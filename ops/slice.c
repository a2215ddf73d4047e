/* slice.c: parts of tensors (slice, split) and tensors from parts (pad, concat, stack). */
#include "ops/slice.h"

#include <inttypes.h>
#include <string.h>

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/kernels/copy.h"
#include "ops/layout.h"

/* ---- slice ----------------------------------------------------------------------------------- */

/* A part of an array: on axis i the indices begin[i] to begin[i] + size[i], which x has. */
typedef struct slice_box {
    int64_t begin[WG_MAX_DIMS], size[WG_MAX_DIMS];
} slice_box;

static bool slice_shape(wg_tensor *y)
{
    const wg_shape *x = &y->operand[0]->shape;
    const slice_box *box = y->attrs;
    y->dtype = y->operand[0]->dtype;
    y->shape.ndim = x->ndim;
    for (int i = 0; i < x->ndim; i++) {
        if (box->begin[i] < 0 || box->size[i] < 0 || box->begin[i] > x->dim[i] ||
            box->size[i] > x->dim[i] - box->begin[i])
            return wg_op_fail(y, WG_E_VALUE, "the part goes out of the operand on axis %d", i);
        y->shape.dim[i] = box->size[i];
    }
    return true;
}

/* Is the box one piece of x's memory: are all axes whole behind the first that matters? */
static bool slice_is_view(const wg_shape *x, const slice_box *box)
{
    int axis = 0;
    while (axis < x->ndim && x->dim[axis] == 1)
        axis++;
    bool whole = true;
    for (int i = axis + 1; i < x->ndim; i++)
        whole = whole && box->size[i] == x->dim[i];
    return whole;
}

static bool slice_rows_shape(wg_tensor *y)
{
    return slice_shape(y) && (slice_is_view(&y->operand[0]->shape, y->attrs) ||
                              wg_op_fail(y, WG_E_VALUE, "the part is not one piece of memory"));
}

/* How many elements lie before the box's first in an array with these strides. */
static int64_t slice_start(const int64_t *begin, const int64_t *stride, int ndim)
{
    int64_t start = 0;
    for (int i = 0; i < ndim; i++)
        start += begin[i] * stride[i];
    return start;
}

static wgk_copy slice_copy(const wg_tensor *y, int64_t *start)
{
    const wg_tensor *x = y->operand[0];
    const slice_box *box = y->attrs;
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    wgk_dense_strides(x->shape.ndim, x->shape.dim, from);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    *start = slice_start(box->begin, from, x->shape.ndim);
    return wgk_copy_of(y->shape.ndim, y->shape.dim, from, to);
}

static int64_t slice_chunks(const wg_tensor *y)
{
    int64_t start;
    return slice_copy(y, &start).chunks;
}

static void slice_forward(const wg_tensor *y, const wg_piece *piece)
{
    int64_t start;
    size_t size = wg_dtype_size(y->dtype);
    wgk_copy copy = slice_copy(y, &start);
    wgk_copy_run(&copy, size, (const char *)y->operand[0]->data + start * (int64_t)size, y->data,
                 piece->begin, piece->end);
}

static int64_t slice_offset(const wg_tensor *y)
{
    int64_t start;
    slice_copy(y, &start);
    return start * (int64_t)wg_dtype_size(y->dtype);
}

static wg_tensor *slice_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const slice_box *box = y->attrs;
    const wg_shape *x = &y->operand[i]->shape;
    int64_t after[WG_MAX_DIMS];
    for (int axis = 0; axis < x->ndim; axis++)
        after[axis] = x->dim[axis] - box->begin[axis] - box->size[axis];
    return wg_pad(dy, x->ndim, box->begin, x->ndim, after, 0);
}

static void slice_describe(const wg_tensor *y, char *text, size_t size)
{
    char list[WG_SHAPE_TEXT];
    const slice_box *box = y->attrs;
    wg_describe_add(text, size, "from %s", wg_describe_list(list, y->shape.ndim, box->begin));
}

static const wg_op wg_op_slice = {
    .name = "slice",
    .formula = "y[i] = x[begin + i]",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(slice_box),
    .describe = slice_describe,
    .shape = slice_shape,
    .forward = slice_forward,
    .vjp = slice_vjp,
    .chunks = slice_chunks,
};

/* The same where the part is one piece of x's memory. */
static const wg_op wg_op_slice_rows = {
    .name = "slice_rows",
    .formula = "y[i] = x[begin + i], i on the leading axis",
    .arity = 1,
    .flags = WG_OP_VIEW,
    .attr_size = sizeof(slice_box),
    .describe = slice_describe,
    .shape = slice_rows_shape,
    .vjp = slice_vjp,
    .offset = slice_offset,
};

/* Records the part of x; x must not be inert, and the box must lie in it. */
static wg_tensor *slice_apply(wg_tensor *x, const slice_box *box)
{
    return wg_apply(slice_is_view(&x->shape, box) ? &wg_op_slice_rows : &wg_op_slice, &x, 1, box);
}

static slice_box slice_box_all(const wg_tensor *x)
{
    slice_box box = {{0}, {0}};
    for (int i = 0; i < x->shape.ndim; i++)
        box.size[i] = x->shape.dim[i];
    return box;
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
    slice_box box = {{0}, {0}};
    if (wg_is_inert(x) || !wg_axes_index(x, "slice", &axis))
        return wg_apply(&wg_op_slice, &x, 1, &box);
    int64_t n = x->shape.dim[axis];
    int64_t first = slice_index(begin, n), last = slice_index(end, n);
    box = slice_box_all(x);
    box.begin[axis] = first;
    box.size[axis] = last > first ? last - first : 0;
    return slice_apply(x, &box);
}

/* ---- split ----------------------------------------------------------------------------------- */

static bool split_fail(const wg_tensor *x, wg_status status, const char *what)
{
    wg_fail(x->tape, status, "split: %s: %s", what, wg_tensor_text(x).s);
    return false;
}

/* Do the n sizes (NULL: equal ones) make up the size of the axis? */
static bool split_fits(const wg_tensor *x, int axis, int n, const int64_t *sizes)
{
    int64_t size = x->shape.dim[axis], total = 0;
    if (sizes == NULL)
        return size % n == 0 || split_fail(x, WG_E_SHAPE, "the parts cannot be equal");
    for (int i = 0; i < n; i++)
        if (sizes[i] < 0 || !wg_size_add(total, sizes[i], &total))
            return split_fail(x, WG_E_SHAPE, "a size is negative or too large");
    return total == size || split_fail(x, WG_E_SHAPE, "the sizes do not make up the axis");
}

static bool split_can(const wg_tensor *x, int *axis, int n, const int64_t *sizes,
                      wg_tensor *const *parts)
{
    if (wg_is_inert(x))
        return false;
    if (n < 1)
        return split_fail(x, WG_E_VALUE, "at least one part is needed");
    if (parts == NULL)
        return split_fail(x, WG_E_NULL, "the list of parts is NULL");
    return wg_axes_index(x, "split", axis) && split_fits(x, *axis, n, sizes);
}

wg_status wg_split(wg_tensor *x, int axis, int n, const int64_t *sizes, wg_tensor *parts[])
{
    int64_t begin = 0;
    bool fits = split_can(x, &axis, n, sizes, parts);
    for (int i = 0; fits && i < n; i++) {
        int64_t size = sizes != NULL ? sizes[i] : x->shape.dim[axis] / n;
        parts[i] = wg_slice(x, axis, begin, begin + size);
        begin += size;
        fits = !wg_is_inert(parts[i]);
    }
    for (int i = 0; !fits && parts != NULL && i < n; i++)
        parts[i] = wg_slice(x, axis, 0, 0); /* after an error nothing but the inert tensor */
    return x != NULL ? wg_tape_status(x->tape) : WG_E_NULL;
}

/* ---- pad ------------------------------------------------------------------------------------- */

typedef struct pad_attrs {
    int64_t before[WG_MAX_DIMS], after[WG_MAX_DIMS];
    double value;
} pad_attrs;

static bool pad_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    const pad_attrs *pad = y->attrs;
    y->dtype = x->dtype;
    y->shape = x->shape;
    /* 2^63 itself is no i64; the comparison is false for NaN. */
    if (x->dtype == WG_I64 && !(pad->value >= -0x1p63 && pad->value < 0x1p63))
        return wg_op_fail(y, WG_E_VALUE, "%g is no i64", pad->value);
    for (int i = 0; i < x->shape.ndim; i++) {
        int64_t *size = &y->shape.dim[i];
        if (pad->before[i] < 0 || pad->after[i] < 0)
            return wg_op_fail(y, WG_E_VALUE, "a count is negative on axis %d", i);
        if (!wg_size_add(*size, pad->before[i], size) || !wg_size_add(*size, pad->after[i], size))
            return wg_op_fail(y, WG_E_SHAPE, "the result is too large on axis %d", i);
    }
    return true;
}

static void pad_fill(const wg_tensor *y, double value)
{
    if (y->size == 0)
        return;
    wg_put(y, 0, value);
    wgk_fill(y->size - 1, wg_dtype_size(y->dtype), y->data,
             (char *)y->data + wg_dtype_size(y->dtype));
}

static void pad_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    const pad_attrs *pad = y->attrs;
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    size_t size = wg_dtype_size(y->dtype);
    (void)piece;
    pad_fill(y, pad->value);
    wgk_dense_strides(x->shape.ndim, x->shape.dim, from);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    int64_t start = slice_start(pad->before, to, y->shape.ndim);
    wgk_copy copy = wgk_copy_of(x->shape.ndim, x->shape.dim, from, to);
    wgk_copy_run(&copy, size, x->data, (char *)y->data + start * (int64_t)size, 0, copy.chunks);
}

static wg_tensor *pad_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    slice_box box = slice_box_all(y->operand[i]);
    const pad_attrs *pad = y->attrs;
    memcpy(box.begin, pad->before, sizeof box.begin);
    return slice_apply(dy, &box);
}

static void pad_describe(const wg_tensor *y, char *text, size_t size)
{
    char list[WG_SHAPE_TEXT];
    const pad_attrs *pad = y->attrs;
    wg_describe_add(text, size, "before %s, value %g",
                    wg_describe_list(list, y->shape.ndim, pad->before), pad->value);
}

static const wg_op wg_op_pad = {
    .name = "pad",
    .formula = "y[before + i] = x[i], else value",
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(pad_attrs),
    .describe = pad_describe,
    .shape = pad_shape,
    .forward = pad_forward,
    .vjp = pad_vjp,
};

wg_tensor *wg_pad(wg_tensor *x, int n_before, const int64_t *before, int n_after,
                  const int64_t *after, double value)
{
    pad_attrs pad = {.value = value};
    if (wg_is_inert(x))
        return wg_apply(&wg_op_pad, &x, 1, &pad);
    if (n_before != x->shape.ndim || n_after != x->shape.ndim)
        return wg_fail(x->tape, WG_E_SHAPE, "pad: %d and %d counts for %d axes: %s", n_before,
                       n_after, x->shape.ndim, wg_tensor_text(x).s);
    if (x->shape.ndim > 0 && (before == NULL || after == NULL))
        return wg_fail(x->tape, WG_E_NULL, "pad: the counts are NULL: %s", wg_tensor_text(x).s);
    for (int i = 0; i < x->shape.ndim; i++) {
        pad.before[i] = before[i];
        pad.after[i] = after[i];
    }
    return wg_apply(&wg_op_pad, &x, 1, &pad);
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

static wg_tensor *concat_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const concat_attrs *attrs = y->attrs;
    int axis = (int)attrs->axis;
    int64_t begin = 0;
    for (int k = 0; k < i; k++)
        begin += y->operand[k]->shape.dim[axis];
    return wg_slice(dy, axis, begin, begin + y->operand[i]->shape.dim[axis]);
}

static const wg_op wg_op_concat = {
    .name = "concat",
    .formula = "y = x0, x1, ... along an axis",
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(concat_attrs),
    .describe = wg_describe_axis,
    .shape = concat_shape,
    .forward = concat_forward,
    .vjp = concat_vjp,
    .chunks = concat_outer,
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
    const concat_attrs *attrs = y->attrs;
    int axis = (int)attrs->axis;
    return wg_squeeze(wg_slice(dy, axis, i, i + 1), 1, &axis);
}

static const wg_op wg_op_stack = {
    .name = "stack",
    .formula = "y[.., k, ..] = xk[.., ..]",
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(concat_attrs),
    .describe = wg_describe_axis,
    .shape = stack_shape,
    .forward = concat_forward,
    .vjp = stack_vjp,
    .chunks = concat_outer,
};

wg_tensor *wg_stack(wg_tensor *const xs[], int n, int axis)
{
    concat_attrs attrs = {axis};
    if (n > 0 && xs != NULL && !wg_is_inert(xs[0]) && axis < 0)
        attrs.axis = axis + xs[0]->shape.ndim + 1;
    return wg_apply(&wg_op_stack, xs, xs != NULL ? n : 0, &attrs);
}

const wg_op *const wg_ops_slice[] = {
    &wg_op_slice, &wg_op_slice_rows, &wg_op_pad, &wg_op_concat, &wg_op_stack, NULL,
};
