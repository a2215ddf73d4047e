/* cumsum.c: running sums along an axis, from either end. */
#include "ops/cumsum.h"
#include "autograd/compile/c_writer.h"

#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/kernels/index.h"

typedef struct cumsum_attrs {
    int axis, reverse;
} cumsum_attrs;

static bool cumsum_shape(wg_tensor *y)
{
    const cumsum_attrs *attrs = y->attrs;
    y->dtype = y->operand[0]->dtype;
    y->shape = y->operand[0]->shape;
    return wg_axis_fits(y, y->operand[0], attrs->axis);
}

static wgk_rows cumsum_rows(const wg_tensor *y)
{
    const cumsum_attrs *attrs = y->attrs;
    return wg_axes_rows(y, 1u << attrs->axis);
}

static int64_t cumsum_chunks(const wg_tensor *y)
{
    return cumsum_rows(y).n_rows;
}

static void cumsum_forward(const wg_tensor *y, const wg_piece *piece)
{
    const cumsum_attrs *attrs = y->attrs;
    const void *x = y->operand[0]->data;
    wgk_rows rows = cumsum_rows(y);
    wgk_cumsum(&rows, wg_kernel_type(y), attrs->reverse, x, piece->begin, piece->end, y->data);
}

static wg_tensor *cumsum_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    const cumsum_attrs *attrs = y->attrs;
    (void)i;
    return wg_cumsum(dy, attrs->axis, !attrs->reverse);
}

static void cumsum_describe(const wg_tensor *y, char *text, size_t size)
{
    const cumsum_attrs *attrs = y->attrs;
    wg_describe_axes(text, size, 1, &attrs->axis);
    if (attrs->reverse)
        wg_describe_add(text, size, "reverse");
}

static void cumsum_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const cumsum_attrs *attrs = y->attrs;
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &y->shape, 1u << attrs->axis);
    if (attrs->reverse && along.n_loops > 0) {
        along.start[0] = (along.size[0] - 1) * along.stride[0][0];
        along.stride[0][0] = -along.stride[0][0];
    }
    wg_c_open(c, &rows);
    wg_c_line(c, "%T sum = 0;");
    wg_c_open(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0);
    wg_c_sum(c, "sum", 0, at.s);
    wg_c_line(c, "%y = sum;", at.s);
    wg_c_close(c, &along);
    wg_c_close(c, &rows);
}

static const wg_op wg_op_cumsum = {
    .name = "cumsum",
    .formula = WG_OP_TEXT("y_i = x_0 + ... + x_i, or x_i + ... + x_(n-1)"),
    .source = WG_OP_TEXT("Knuth, The Art of Computer Programming 2, sec. 4.2.2 (two-sum)"),
    .arity = 1,
    .flags = WG_OP_WIDE,
    .attr_size = sizeof(cumsum_attrs),
    .describe = cumsum_describe,
    .shape = cumsum_shape,
    .forward = cumsum_forward,
    .vjp = cumsum_vjp,
    .chunks = cumsum_chunks,
    .write_c = WG_WRITES_C(cumsum_write_c),
};

wg_tensor *wg_cumsum(wg_tensor *x, int axis, bool reverse)
{
    cumsum_attrs attrs = {0, reverse};
    if (!wg_is_inert(x) && wg_axes_index(x, "cumsum", &axis))
        attrs.axis = axis;
    return wg_apply(&wg_op_cumsum, &x, 1, &attrs);
}

const wg_op *const wg_ops_cumsum[] = {&wg_op_cumsum, NULL};
