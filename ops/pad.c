/* pad.c: a tensor with a border of one value. */
#include <inttypes.h>
#include <string.h>

#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/kernels/copy.h"
#include "ops/slice_internal.h"

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

/* Where the writing stands. */
typedef struct pad_job {
    const wg_tensor *x, *y;
    int last; /* the last axis on which there is padding: behind it, y's memory is x's */
    int64_t stride[WG_MAX_DIMS], size; /* of y; bytes of an element */
    char value[16];                    /* such an element */
    const char *from;
    char *to;
} pad_job;

static void pad_fill(pad_job *job, int64_t n)
{
    wgk_fill(n, (size_t)job->size, job->value, job->to);
    job->to += n * job->size;
}

/* Writes every element of y once, from the first to the last. */
static void pad_axis(pad_job *job, int axis)
{
    const pad_attrs *pad = job->y->attrs;
    const int64_t n = job->x->shape.dim[axis], bytes = n * job->stride[axis] * job->size;
    pad_fill(job, pad->before[axis] * job->stride[axis]);
    for (int64_t i = 0; axis < job->last && i < n; i++)
        pad_axis(job, axis + 1);
    if (axis == job->last && bytes > 0) {
        memcpy(job->to, job->from, (size_t)bytes);
        job->from += bytes;
        job->to += bytes;
    }
    pad_fill(job, pad->after[axis] * job->stride[axis]);
}

static void pad_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_tensor *x = y->operand[0];
    const pad_attrs *pad = y->attrs;
    const size_t size = wg_dtype_size(y->dtype);
    pad_job job = {.x = x, .y = y, .size = (int64_t)size, .from = x->data, .to = y->data};
    (void)piece;
    if (y->shape.ndim == 0) {
        memcpy(y->data, x->data, size);
        return;
    }
    for (int i = 0; i < y->shape.ndim; i++)
        job.last = pad->before[i] > 0 || pad->after[i] > 0 ? i : job.last;
    wgk_dense_strides(y->shape.ndim, y->shape.dim, job.stride);
    wg_put(y, 0, pad->value); /* in y's dtype; written again with the rest */
    memcpy(job.value, y->data, size);
    pad_axis(&job, 0);
}

static wg_tensor *pad_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const pad_attrs *pad = y->attrs;
    return wg_slice_box(dy, pad->before, y->operand[i]->shape.dim);
}

static void pad_describe(const wg_tensor *y, char *text, size_t size)
{
    char list[WG_SHAPE_TEXT];
    const pad_attrs *pad = y->attrs;
    wg_describe_add(text, size, "before %s, value %g",
                    wg_describe_list(list, y->shape.ndim, pad->before), pad->value);
}

static void pad_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    const pad_attrs *pad = y->attrs;
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    wg_c_nest nest;
    (void)row;
    wgk_dense_strides(x->shape.ndim, x->shape.dim, from);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    wg_c_fill(c, pad->value);
    wg_c_strided(&nest, x->shape.ndim, x->shape.dim, to, from);
    for (int i = 0; i < y->shape.ndim; i++)
        nest.start[0] += pad->before[i] * to[i];
    wg_c_copy(c, &nest, x);
}

static const wg_op wg_op_pad = {
    .name = "pad",
    .formula = WG_OP_TEXT("y[before + i] = x[i], else value"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(pad_attrs),
    .describe = pad_describe,
    .shape = pad_shape,
    .forward = pad_forward,
    .vjp = pad_vjp,
    .write_c = WG_WRITES_C(pad_write_c),
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

const wg_op *const wg_ops_pad[] = {&wg_op_pad, NULL};
