/* strided.c: what ops that move elements share: shapes as attributes, and planned strided
 * copies. */
#include "ops/layout_internal.h"

#include "autograd/compile/c_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool wg_layout_fail(const wg_tensor *x, wg_status status, const char *op, const char *what)
{
    wg_fail(x->tape, status, "%s: %s: %s", op, what, wg_tensor_text(x).s);
    return false;
}

bool wg_sizes_init(wg_sizes *sizes, const wg_tensor *x, const char *op, int ndim,
                   const int64_t *dim)
{
    char what[64];
    if (ndim < 0 || ndim > WG_MAX_DIMS) {
        snprintf(what, sizeof what, "ndim %d is outside 0..%d", ndim, WG_MAX_DIMS);
        return wg_layout_fail(x, WG_E_SHAPE, op, what);
    }
    if (ndim > 0 && dim == NULL)
        return wg_layout_fail(x, WG_E_NULL, op, "the sizes are NULL");
    memset(sizes, 0, sizeof *sizes);
    sizes->ndim = ndim;
    for (int i = 0; i < ndim; i++)
        sizes->dim[i] = dim[i];
    return true;
}

wg_shape wg_sizes_shape(const wg_sizes *sizes)
{
    wg_shape shape = {.ndim = (int)sizes->ndim};
    for (int i = 0; i < shape.ndim; i++)
        shape.dim[i] = sizes->dim[i];
    return shape;
}

bool wg_sizes_take(wg_tensor *y, const wg_sizes *sizes)
{
    if (sizes->ndim < 0 || sizes->ndim > WG_MAX_DIMS)
        return wg_op_fail(y, WG_E_SHAPE, "ndim %" PRId64 " is outside 0..%d", sizes->ndim,
                          WG_MAX_DIMS);
    y->dtype = y->operand[0]->dtype;
    y->shape = wg_sizes_shape(sizes);
    return true;
}

void wg_strided_plan(const wg_tensor *y, int ndim, const int64_t *dim, const int64_t *from,
                     int64_t start)
{
    wg_strided *plan = y->plan;
    int64_t to[WG_MAX_DIMS];
    wgk_dense_strides(ndim, dim, to);
    *plan = (wg_strided){wgk_copy_of(ndim, dim, from, to), start};
}

void wg_strided_forward(const wg_tensor *y, const wg_piece *piece)
{
    const wg_strided *plan = y->plan;
    const size_t size = wg_dtype_size(y->dtype);
    wgk_copy_run(&plan->copy, size, (const char *)y->operand[0]->data + plan->start * (int64_t)size,
                 y->data, piece->begin, piece->end);
}

int64_t wg_strided_chunks(const wg_tensor *y)
{
    return ((const wg_strided *)y->plan)->copy.chunks;
}

void wg_strided_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_strided *plan = y->plan;
    wg_c_nest nest;
    (void)row;
    wg_c_strided(&nest, plan->copy.ndim, plan->copy.dim, plan->copy.to, plan->copy.from);
    nest.start[1] = plan->start;
    wg_c_copy(c, &nest, y->operand[0]);
}
