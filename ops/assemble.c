/* assemble.c: a tensor from parts, each added in its place; its rule stands beside slice's, in
 * slice.c. */
#include <string.h>

#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/kernels/index.h"
#include "ops/layout_internal.h"
#include "ops/slice_internal.h"

bool wg_assemble_shape(wg_tensor *y)
{
    const wg_tensor *places = y->operand[0];
    if (!wg_sizes_take(y, y->attrs))
        return false;
    if (y->n_operands < 2 || places->op != &wg_op_constant || places->dtype != WG_I64 ||
        places->size != (int64_t)(y->n_operands - 1) * y->shape.ndim)
        return wg_op_fail(y, WG_E_SHAPE, "a place of each part wanted, constants [parts, ndim]");
    y->dtype = y->operand[1]->dtype;
    for (int k = 1; k < y->n_operands; k++) {
        if (y->operand[k]->dtype != y->dtype || y->dtype == WG_I64)
            return wg_op_fail(y, WG_E_DTYPE, "parts of f32 or of f64 wanted");
        if (y->operand[k]->shape.ndim != y->shape.ndim)
            return wg_op_fail(y, WG_E_SHAPE, "part %d has another ndim", k - 1);
    }
    return true;
}

const int64_t *wg_assemble_place(const wg_tensor *y, int part)
{
    return (const int64_t *)y->operand[0]->data + (part - 1) * y->shape.ndim;
}

bool wg_assemble_check(const wg_tensor *y)
{
    for (int k = 1; k < y->n_operands; k++)
        for (int i = 0; i < y->shape.ndim; i++) {
            const int64_t begin = wg_assemble_place(y, k)[i], size = y->operand[k]->shape.dim[i];
            if (begin < 0 || size > y->shape.dim[i] || begin > y->shape.dim[i] - size)
                return wg_op_fail(y, WG_E_INDEX, "part %d goes out of the result on axis %d", k - 1,
                                  i);
        }
    return true;
}

/* Does each part end, on the axis, before the next one begins? */
static bool assemble_in_order(const wg_tensor *y, int axis)
{
    int64_t end = 0;
    for (int k = 1; k < y->n_operands; k++) {
        const int64_t begin = wg_assemble_place(y, k)[axis];
        if (begin < end)
            return false;
        end = begin + y->operand[k]->shape.dim[axis];
    }
    return true;
}

/* Does no part meet another? It is told where they are in order on an axis, as slice's rule puts
 * them. */
static bool assemble_is_apart(const wg_tensor *y)
{
    for (int axis = 0; axis < y->shape.ndim; axis++)
        if (assemble_in_order(y, axis))
            return true;
    return y->n_operands == 2;
}

/* The sums, and what their roundings lost. */
size_t wg_assemble_workspace(const wg_tensor *y)
{
    return assemble_is_apart(y) ? 0 : 2 * (size_t)y->size * wgk_real_size(wg_kernel_type(y));
}

/* How part k lies in y, and where it begins. */
static wgk_copy assemble_copy(const wg_tensor *y, int k, int64_t *start)
{
    const wg_shape *part = &y->operand[k]->shape;
    int64_t from[WG_MAX_DIMS], to[WG_MAX_DIMS];
    wgk_dense_strides(part->ndim, part->dim, from);
    wgk_dense_strides(y->shape.ndim, y->shape.dim, to);
    *start = 0;
    for (int i = 0; i < part->ndim; i++)
        *start += wg_assemble_place(y, k)[i] * to[i];
    return wgk_copy_of(part->ndim, part->dim, from, to);
}

/* Parts that meet nowhere are moved to where they belong. */
static void assemble_move(const wg_tensor *y)
{
    const size_t size = wg_dtype_size(y->dtype);
    int64_t covered = 0, start;
    for (int k = 1; k < y->n_operands; k++)
        covered += y->operand[k]->size;
    if (covered < y->size)
        memset(y->data, 0, (size_t)y->size * size);
    for (int k = 1; k < y->n_operands; k++) {
        const wgk_copy copy = assemble_copy(y, k, &start);
        wgk_copy_run(&copy, size, y->operand[k]->data, (char *)y->data + (size_t)start * size, 0,
                     copy.chunks);
    }
}

void wg_assemble_forward(const wg_tensor *y, const wg_piece *piece)
{
    int64_t start;
    if (assemble_is_apart(y)) {
        assemble_move(y);
        return;
    }
    memset(piece->workspace, 0, wg_assemble_workspace(y));
    for (int k = 1; k < y->n_operands; k++) {
        const wgk_copy copy = assemble_copy(y, k, &start);
        wgk_add_placed(&copy, wg_kernel_type(y), y->operand[k]->data, y->size, start,
                       piece->workspace);
    }
    wgk_totals(y->size, wg_kernel_type(y), piece->workspace, y->data);
}

void wg_assemble_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    wg_c_nest nest;
    (void)row;
    wg_c_fill(c, 0);
    for (int k = 1; k < y->n_operands; k++) {
        int64_t start;
        const wgk_copy copy = assemble_copy(y, k, &start);
        wg_c_strided(&nest, copy.ndim, copy.dim, copy.to, copy.from);
        nest.start[0] = start;
        wg_c_open_one(c, &nest);
        wg_c_sum(c, wg_c_element(c, y, wg_c_at(&nest, NULL, 0).s).s, k, wg_c_at(&nest, NULL, 1).s);
        wg_c_close_one(c, &nest);
    }
}
