/* Dtypes, shapes, and their arithmetic: the broadcasting rule, too (ops/broadcast.c repeats the
 * elements). */
#include "autograd/shape.h"

#include "autograd/tape_internal.h"
#include "autograd/wide.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t wg_dtype_size(wg_dtype dtype)
{
    return dtype == WG_F32 ? 4 : dtype == WG_WIDE ? WG_WIDE_SIZE : 8;
}

const char *wg_dtype_name(wg_dtype dtype)
{
    static const char *const names[WG_DTYPES] = {"default", "f32", "f64", "i64", "wide"};
    return (unsigned)dtype < WG_DTYPES ? names[dtype] : "?";
}

bool wg_size_multiply(int64_t a, int64_t b, int64_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

bool wg_size_add(int64_t a, int64_t b, int64_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

/* Sizes of 0 do not hide that the others overflow: (0, 2^62, 2^62) is refused, as in NumPy. */
int64_t wg_shape_size(const wg_shape *shape)
{
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < shape->ndim; i++) {
        if (shape->dim[i] < 0)
            return -1;
        if (shape->dim[i] == 0)
            empty = true;
        else if (!wg_size_multiply(product, shape->dim[i], &product))
            return -1;
    }
    if (product > PTRDIFF_MAX / 16)
        return -1;
    return empty ? 0 : product;
}

bool wg_shape_broadcast(const wg_shape *a, const wg_shape *b, wg_shape *result)
{
    if (wg_shape_same(a, b)) {
        *result = *a;
        return true;
    }
    const wg_shape *longer = a->ndim >= b->ndim ? a : b;
    const wg_shape *shorter = longer == a ? b : a;
    int skip = longer->ndim - shorter->ndim;
    wg_shape both = *longer;
    for (int i = 0; i < shorter->ndim; i++) {
        int64_t p = longer->dim[skip + i], q = shorter->dim[i];
        if (p != q && p != 1 && q != 1)
            return false;
        both.dim[skip + i] = p == 1 ? q : p;
    }
    *result = both;
    return true;
}

char *wg_shape_text(const wg_shape *shape, char *text, size_t size)
{
    char one[32];
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i <= shape->ndim; i++) {
        if (i == shape->ndim)
            snprintf(one, sizeof one, shape->ndim == 0 ? "()" : shape->ndim == 1 ? ",)" : ")");
        else
            snprintf(one, sizeof one, "%s%" PRId64, i == 0 ? "(" : ", ", shape->dim[i]);
        size_t length = strlen(one);
        if (used + length + 1 > size)
            break;
        memcpy(text + used, one, length + 1);
        used += length;
    }
    return text;
}

int64_t wg_broadcast_stride(const wg_shape *x, const wg_shape *y, int axis)
{
    const int own = axis - (y->ndim - x->ndim);
    if (own < 0 || x->dim[own] == 1)
        return 0;
    int64_t stride = 1;
    for (int i = own + 1; i < x->ndim; i++)
        stride *= x->dim[i];
    return stride;
}
