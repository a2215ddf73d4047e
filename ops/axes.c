#include "ops/axes_internal.h"
#include "ops/describe_internal.h"
#include "ops/layout.h"

bool wg_axes_mask(const wg_tensor *x, const char *op, int n, const int *axes, uint32_t *mask)
{
    char text[WG_SHAPE_TEXT + 96];
    int ndim = x->shape.ndim;
    *mask = 0;
    if (n < 0 || (n > 0 && axes == NULL)) {
        wg_fail(x->tape, n < 0 ? WG_E_VALUE : WG_E_NULL, "%s: the axes are %s: %s", op,
                n < 0 ? "fewer than none" : "NULL", wg_tensor_text(x, text, sizeof text));
        return false;
    }
    for (int i = 0; i < n; i++) {
        int axis = axes[i] < 0 ? axes[i] + ndim : axes[i];
        const char *wrong = NULL;
        if (axis < 0 || axis >= ndim)
            wrong = "there is no axis";
        else if ((*mask >> axis) & 1u)
            wrong = "given twice: axis";
        if (wrong != NULL) {
            wg_fail(x->tape, WG_E_VALUE, "%s: %s %d: %s", op, wrong, axes[i],
                    wg_tensor_text(x, text, sizeof text));
            return false;
        }
        *mask |= 1u << axis;
    }
    return true;
}

bool wg_axes_place(const wg_tensor *x, const char *op, int *axis)
{
    uint32_t mask;
    if (!wg_axes_mask(x, op, 1, axis, &mask))
        return false;
    *axis = *axis < 0 ? *axis + x->shape.ndim : *axis;
    return true;
}

uint32_t wg_axes_all(const wg_tensor *x)
{
    return wg_is_inert(x) ? 0 : (1u << x->shape.ndim) - 1;
}

void wg_axes_describe(const wg_tensor *y, char *text, size_t size)
{
    uint32_t axes = ((const wg_axes_attrs *)y->attrs)->axes;
    int axis[WG_MAX_DIMS], n = 0;
    for (int i = 0; i < WG_MAX_DIMS; i++)
        if ((axes >> i) & 1u)
            axis[n++] = i;
    wg_describe_axes(text, size, n, axis);
}

wgk_rows wg_axes_rows(const wg_tensor *x, uint32_t axes)
{
    return wgk_rows_of(x->shape.ndim, x->shape.dim, axes);
}

wg_tensor *wg_axes_expand(wg_tensor *y, const wg_tensor *x, uint32_t axes)
{
    wg_shape kept = x->shape;
    for (int i = 0; i < kept.ndim; i++)
        if ((axes >> i) & 1u)
            kept.dim[i] = 1;
    if (!wg_is_inert(y) && !wg_shape_same(&y->shape, &kept))
        y = wg_reshape(y, kept.ndim, kept.dim);
    return wg_broadcast_to(y, x->shape.ndim, x->shape.dim);
}
