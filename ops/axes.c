/* axes.c: lists of axes as bits, as attributes and as text; the shapes of ops along axes. */
#include "ops/axes_internal.h"

#include "ops/describe_internal.h"

bool wg_axes_mask_of(const wg_tensor *x, const char *op, int ndim, int n, const int *axes,
                     uint32_t *mask)
{
    *mask = 0;
    if (n < 0 || (n > 0 && axes == NULL)) {
        wg_fail(x->tape, n < 0 ? WG_E_VALUE : WG_E_NULL, "%s: the axes are %s: %s", op,
                n < 0 ? "fewer than none" : "NULL", wg_tensor_text(x).s);
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
            wg_fail(x->tape, WG_E_VALUE, "%s: %s %d: %s", op, wrong, axes[i], wg_tensor_text(x).s);
            return false;
        }
        *mask |= 1u << axis;
    }
    return true;
}

bool wg_axes_mask(const wg_tensor *x, const char *op, int n, const int *axes, uint32_t *mask)
{
    return wg_axes_mask_of(x, op, x->shape.ndim, n, axes, mask);
}

bool wg_axes_index(const wg_tensor *x, const char *op, int *axis)
{
    uint32_t mask;
    if (!wg_axes_mask(x, op, 1, axis, &mask))
        return false;
    *axis = *axis < 0 ? *axis + x->shape.ndim : *axis;
    return true;
}

wgk_rows wg_axes_rows(const wg_tensor *x, uint32_t axes)
{
    return wgk_rows_of(x->shape.ndim, x->shape.dim, axes);
}

wgk_rows wg_axes_operand_rows(const wg_tensor *y)
{
    return wg_axes_rows(y->operand[0], wg_axes_of(y));
}

bool wg_axes_by_rows(const wg_tensor *y, int k)
{
    return y->operand[k]->shape.ndim > 0 && (wg_axes_of(y) & 1u) == 0;
}

void wg_axes_describe(const wg_tensor *y, char *text, size_t size)
{
    const uint32_t axes = wg_axes_of(y);
    int axis[WG_MAX_DIMS], n = 0;
    for (int i = 0; i < WG_MAX_DIMS; i++)
        if ((axes >> i) & 1u)
            axis[n++] = i;
    wg_describe_axes(text, size, n, axis);
}

static uint32_t axes_all(const wg_tensor *x)
{
    return (1u << x->shape.ndim) - 1;
}

wg_tensor *wg_axes_record(const wg_op *op, wg_tensor *x, int n, const int *axes, bool keep)
{
    wg_axes_attrs attrs = {0, keep};
    if (!wg_is_inert(x))
        wg_axes_mask(x, op->name, n, axes, &attrs.axes); /* on failure wg_apply is inert */
    return wg_apply(op, &x, 1, &attrs);
}

wg_tensor *wg_axes_record_all(const wg_op *op, wg_tensor *x)
{
    wg_axes_attrs attrs = {wg_is_inert(x) ? 0 : axes_all(x), false};
    return wg_apply(op, &x, 1, &attrs);
}

wg_shape wg_axes_without(const wg_shape *x, uint32_t axes, bool keep)
{
    wg_shape shape = {.ndim = 0};
    for (int i = 0; i < x->ndim; i++) {
        bool reduced = (axes >> i) & 1u;
        if (!reduced || keep)
            shape.dim[shape.ndim++] = reduced ? 1 : x->dim[i];
    }
    return shape;
}

bool wg_axis_fits(const wg_tensor *y, const wg_tensor *x, int64_t axis)
{
    return (axis >= 0 && axis < x->shape.ndim) ||
           wg_op_fail(y, WG_E_VALUE, "there is no such axis");
}

static bool axes_same(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    const wg_axes_attrs *attrs = y->attrs;
    y->dtype = x->dtype;
    y->shape = x->shape;
    return (attrs->axes & ~axes_all(x)) == 0 ||
           wg_op_fail(y, WG_E_VALUE, "the axes are not all axes of the operand");
}

bool wg_axes_reduced(wg_tensor *y)
{
    const wg_axes_attrs *attrs = y->attrs;
    if (!axes_same(y))
        return false;
    y->shape = wg_axes_without(&y->operand[0]->shape, attrs->axes, attrs->keep);
    return true;
}

static bool axes_floats(const wg_tensor *y)
{
    return y->operand[0]->dtype != WG_I64 ||
           wg_op_fail(y, WG_E_DTYPE, "f32 or f64 wanted (wg_cast converts)");
}

bool wg_axes_reduced_floats(wg_tensor *y)
{
    return axes_floats(y) && wg_axes_reduced(y);
}

bool wg_axes_same_floats(wg_tensor *y)
{
    return axes_floats(y) && axes_same(y);
}
