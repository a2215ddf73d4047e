/* Where a loop's outputs are, in its body and in its result. */
#include "ops/layout.h"
#include "ops/scan_internal.h"
#include "ops/slice.h"

int64_t wg_scan_rows(const wg_scan_attrs *a, int k)
{
    if (k < a->carries)
        return a->keep ? a->n + 1 : 1;
    return k < a->carries + a->ys ? a->n : 1;
}

wg_tensor *wg_scan_flat_output(const wg_tensor *y, int k)
{
    const wg_tape *body = wg_body_of(y->operand[0]);
    return body->node[body->size - wg_scan_outputs(y->attrs) + k];
}

const wg_tensor *wg_scan_output(const wg_tensor *y, int k)
{
    return wg_scan_flat_output(y, k)->operand[0];
}

int64_t wg_scan_size(const wg_tensor *y, int k)
{
    return wg_scan_flat_output(y, k)->size;
}

int64_t wg_scan_start(const wg_tensor *y, int k)
{
    int64_t start = 0;
    while (k-- > 0)
        start += wg_scan_rows(y->attrs, k) * wg_scan_size(y, k);
    return start;
}

wg_tensor *wg_scan_part(wg_tensor *y, wg_tensor *packed, int k, int64_t first, int64_t rows)
{
    const int64_t size = wg_scan_size(y, k), start = wg_scan_start(y, k) + first * size;
    return wg_slice(packed, 0, start, start + rows * size);
}

wg_shape wg_scan_rows_shape(int64_t n, const wg_shape *row)
{
    wg_shape shape = {.ndim = 1 + row->ndim, .dim = {n}};
    for (int i = 1; i < shape.ndim && i < WG_MAX_DIMS; i++)
        shape.dim[i] = row->dim[i - 1];
    return shape;
}

wg_tensor *wg_scan_flat(wg_tensor *x)
{
    return wg_reshape(x, WG_SHAPE(wg_size(x)));
}
