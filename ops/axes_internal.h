#ifndef WG_OPS_AXES_INTERNAL_H
#define WG_OPS_AXES_INTERNAL_H

#include "autograd/op.h"
#include "ops/kernels/rows.h"

_Static_assert((int)WGK_F32 == WG_F32 && (int)WGK_F64 == WG_F64 && (int)WGK_I64 == WG_I64 &&
                   (int)WGK_WIDE == WG_WIDE,
               "kernels number the types as wg_dtype does");

/* wg_kernel_type: x's dtype, as kernels call it. */
static inline wgk_type wg_kernel_type(const wg_tensor *x)
{
    return (wgk_type)x->dtype;
}

/* Attributes of ops that work along some axes: bit i of `axes` stands for axis i. */
typedef struct wg_axes_attrs {
    uint32_t axes;
    uint32_t keep; /* reductions: leave the axes in the shape, with size 1 */
} wg_axes_attrs;

/* wg_put: makes element i of y `value`. */
static inline void wg_put(const wg_tensor *y, int64_t i, double value)
{
    switch (y->dtype) {
    case WG_F32: ((float *)y->data)[i] = (float)value; break;
    case WG_I64: ((int64_t *)y->data)[i] = (int64_t)value; break;
#if WG_HAS_WIDE
    case WG_WIDE: ((wg_wide *)y->data)[i] = (wg_wide)value; break;
#endif
    default: ((double *)y->data)[i] = value; break;
    }
}

/* wg_axes_mask: the n axes of x as bits. An axis that x does not have, or one given twice, is
 * WG_E_VALUE with the op's name on the tape of x, and false. x must not be inert. */
bool wg_axes_mask(const wg_tensor *x, const char *op, int n, const int *axes, uint32_t *mask);

/* wg_axes_mask_of: the same for an array of ndim axes, which x is to become. */
bool wg_axes_mask_of(const wg_tensor *x, const char *op, int ndim, int n, const int *axes,
                     uint32_t *mask);

/* wg_axes_index: makes *axis one that counts from the first. Errors as wg_axes_mask. */
bool wg_axes_index(const wg_tensor *x, const char *op, int *axis);

/* wg_axes_describe: of an op whose attributes are wg_axes_attrs. */
void wg_axes_describe(const wg_tensor *y, char *text, size_t size);

/* wg_axes_rows: x seen as rows along the axes. */
wgk_rows wg_axes_rows(const wg_tensor *x, uint32_t axes);

/* ---- For ops whose attributes are wg_axes_attrs ---------------------------------------------- */

/* WG_AXES_OP: the descriptor wg_op_<op>; the fields behind the formula are those that differ. */
#define WG_AXES_OP(op, operands, text, ...)                                                        \
    static const wg_op wg_op_##op = {.name = WG_OP_TEXT(#op),                                      \
                                     .formula = WG_OP_TEXT(text),                                  \
                                     .arity = operands,                                            \
                                     .attr_size = sizeof(wg_axes_attrs),                           \
                                     .describe = wg_axes_describe,                                 \
                                     .by_rows = wg_axes_by_rows,                                   \
                                     __VA_ARGS__};

/* wg_axes_by_rows: is the first axis none of y's?
 * wg_axes_of: y's axes.   wg_axes_operand_rows: operand 0 as rows along them. */
static inline uint32_t wg_axes_of(const wg_tensor *y)
{
    return ((const wg_axes_attrs *)y->attrs)->axes;
}
bool wg_axes_by_rows(const wg_tensor *y, int k);
wgk_rows wg_axes_operand_rows(const wg_tensor *y);

/* wg_axes_record: records an op of one operand over the n axes; wg_axes_record_all: over all. */
wg_tensor *wg_axes_record(const wg_op *op, wg_tensor *x, int n, const int *axes, bool keep);
wg_tensor *wg_axes_record_all(const wg_op *op, wg_tensor *x);

/* wg_axes_without: the shape x without the axes, or with size 1 there. */
wg_shape wg_axes_without(const wg_shape *x, uint32_t axes, bool keep);

/* wg_axis_fits: is axis one of x's, counted from the first? If not, WG_E_VALUE for the op that
 * makes y: attributes may come from anybody who calls wg_apply. */
bool wg_axis_fits(const wg_tensor *y, const wg_tensor *x, int64_t axis);

/* wg_axes_reduced: a shape rule: x's shape and dtype without the axes, or with size 1 there;
 * WG_E_VALUE for attributes that name no axes of x. wg_axes_reduced_floats: for floats alone. */
bool wg_axes_reduced(wg_tensor *y);
bool wg_axes_reduced_floats(wg_tensor *y);

/* wg_axes_same_floats: likewise, and the shape stays as it is. */
bool wg_axes_same_floats(wg_tensor *y);

#endif
