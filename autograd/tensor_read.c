/* Reading tensors: shapes and values, one at a time or all at once. */
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

int wg_ndim(const wg_tensor *x)
{
    return x != NULL ? x->shape.ndim : 0;
}

int64_t wg_size(const wg_tensor *x)
{
    return x != NULL ? x->size : 0;
}

wg_dtype wg_dtype_of(const wg_tensor *x)
{
    return x != NULL ? x->dtype : WG_F64;
}

int64_t wg_dim(const wg_tensor *x, int axis)
{
    if (wg_is_inert(x))
        return 0;
    int place = axis < 0 ? axis + x->shape.ndim : axis;
    if (place >= 0 && place < x->shape.ndim)
        return x->shape.dim[place];
    wg_fail(x->tape, WG_E_VALUE, "dim: there is no axis %d: %s", axis, wg_tensor_text(x).s);
    return 0;
}

/* Has x a value, and not an old one? */
static bool tensor_read_has_value(const wg_tensor *x)
{
    if (wg_is_inert(x) || x->data == NULL)
        return false;
    if (x->tape->options.allow_stale || !wg_is_stale(x))
        return true;
    wg_fail(x->tape, WG_E_STALE,
            "%s is older than the leaves it was computed from: read before the step, or replay "
            "after it",
            wg_tensor_text(x).s);
    return false;
}

static bool tensor_read_one(const wg_tensor *x)
{
    if (!tensor_read_has_value(x))
        return false;
    if (x->size == 1)
        return true;
    wg_fail(x->tape, WG_E_SHAPE, "item: %s has %" PRId64 " elements, not one", wg_tensor_text(x).s,
            x->size);
    return false;
}

double wg_item(const wg_tensor *x)
{
    return tensor_read_one(x) ? wg_element(x, 0) : (double)NAN;
}

double wg_at(const wg_tensor *x, int64_t i)
{
    if (!tensor_read_has_value(x))
        return (double)NAN;
    if (i >= 0 && i < x->size)
        return wg_element(x, i);
    wg_fail(x->tape, WG_E_INDEX, "at: there is no element %" PRId64 ": %s", i, wg_tensor_text(x).s);
    return (double)NAN;
}

static const void *tensor_read_data(const wg_tensor *x, wg_dtype dtype)
{
    if (!tensor_read_has_value(x))
        return NULL;
    if (x->dtype == dtype)
        return x->data;
    wg_fail(x->tape, WG_E_DTYPE, "data: %s is %s, not %s", wg_tensor_text(x).s,
            wg_dtype_name(x->dtype), wg_dtype_name(dtype));
    return NULL;
}

int64_t wg_item_i64(const wg_tensor *x)
{
    const int64_t *data = tensor_read_one(x) ? tensor_read_data(x, WG_I64) : NULL;
    return data != NULL ? *data : INT64_MIN;
}

const float *wg_data_f32(const wg_tensor *x)
{
    return tensor_read_data(x, WG_F32);
}

const double *wg_data_f64(const wg_tensor *x)
{
    return tensor_read_data(x, WG_F64);
}

const int64_t *wg_data_i64(const wg_tensor *x)
{
    return tensor_read_data(x, WG_I64);
}

wg_status wg_read(const wg_tensor *x, void *values, size_t bytes)
{
    if (!tensor_read_has_value(x))
        return x != NULL && x->tape->status != WG_OK ? x->tape->status : WG_E_NULL;
    size_t size = (size_t)x->size * wg_dtype_size(x->dtype);
    if (bytes != size)
        wg_fail(x->tape, WG_E_VALUE, "read: room for %zu bytes, not %zu: %s", bytes, size,
                wg_tensor_text(x).s);
    else if (values == NULL && size > 0)
        wg_fail(x->tape, WG_E_NULL, "read: the destination is NULL");
    else if (size > 0)
        memcpy(values, x->data, size);
    return x->tape->status;
}
