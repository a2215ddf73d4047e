/* split.c: all parts of a tensor along an axis at once (split, unstack), recorded as slices. */
#include "ops/axes_internal.h"
#include "ops/layout_internal.h"
#include "ops/slice_internal.h"

/* Do the n sizes (NULL: equal ones) make up the size of the axis? */
static bool split_fits(const wg_tensor *x, int axis, int n, const int64_t *sizes)
{
    int64_t size = x->shape.dim[axis], total = 0;
    if (sizes == NULL)
        return size % n == 0 || wg_layout_fail(x, WG_E_SHAPE, "split", "the parts cannot be equal");
    for (int i = 0; i < n; i++)
        if (sizes[i] < 0 || !wg_size_add(total, sizes[i], &total))
            return wg_layout_fail(x, WG_E_SHAPE, "split", "a size is negative or too large");
    return total == size ||
           wg_layout_fail(x, WG_E_SHAPE, "split", "the sizes do not make up the axis");
}

static bool split_can(const wg_tensor *x, const char *op, int *axis, int n, wg_tensor *const *parts)
{
    if (wg_is_inert(x))
        return false;
    if (n < 1)
        return wg_layout_fail(x, WG_E_VALUE, op, "at least one part is needed");
    if (parts == NULL)
        return wg_layout_fail(x, WG_E_NULL, op, "the list of parts is NULL");
    return wg_axes_index(x, op, axis);
}

/* After an error every part is inert. */
static wg_status split_end(wg_tensor *x, bool done, int n, wg_tensor *parts[])
{
    for (int i = 0; !done && parts != NULL && i < n; i++)
        parts[i] = wg_slice(x, 0, 0, 0);
    return x != NULL ? wg_tape_status(x->tape) : WG_E_NULL;
}

wg_status wg_split(wg_tensor *x, int axis, int n, const int64_t *sizes, wg_tensor *parts[])
{
    int64_t begin = 0;
    bool fits = split_can(x, "split", &axis, n, parts) && split_fits(x, axis, n, sizes);
    for (int i = 0; fits && i < n; i++) {
        const int64_t size = sizes != NULL ? sizes[i] : x->shape.dim[axis] / n;
        parts[i] = wg_slice(x, axis, begin, begin + size);
        begin += size;
        fits = !wg_is_inert(parts[i]);
    }
    return split_end(x, fits, n, parts);
}

wg_status wg_unstack(wg_tensor *x, int axis, int n, wg_tensor *parts[])
{
    bool fits = split_can(x, "unstack", &axis, n, parts) &&
                (x->shape.dim[axis] == n ||
                 wg_layout_fail(x, WG_E_SHAPE, "unstack", "the axis has another size"));
    for (int i = 0; fits && i < n; i++) {
        parts[i] = wg_slice_at(x, axis, i);
        fits = !wg_is_inert(parts[i]);
    }
    return split_end(x, fits, n, parts);
}
