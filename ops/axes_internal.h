#ifndef WG_OPS_AXES_INTERNAL_H
#define WG_OPS_AXES_INTERNAL_H

#include "autograd/op.h"
#include "ops/kernels/rows.h"

/* Attributes of ops that work along some axes: bit i of `axes` stands for axis i. */
typedef struct wg_axes_attrs {
    uint32_t axes;
    uint32_t keep; /* reductions: leave the axes in the shape, with size 1 */
} wg_axes_attrs;

/* wg_axes_mask: the n axes of x as bits. An axis that there is not, or twice, is WG_E_VALUE with the
 * op's name on the tape of x, and false. x must not be inert. */
bool wg_axes_mask(const wg_tensor *x, const char *op, int n, const int *axes, uint32_t *mask);

/* wg_axes_place: makes *axis one that counts from the first. Errors as wg_axes_mask. */
bool wg_axes_place(const wg_tensor *x, const char *op, int *axis);

/* wg_axes_all: all axes of x; 0 where x is inert. */
uint32_t wg_axes_all(const wg_tensor *x);

/* wg_axes_describe: of an op whose attributes are wg_axes_attrs. */
void wg_axes_describe(const wg_tensor *y, char *text, size_t size);

/* wg_axes_rows: x seen as rows along the axes. */
wgk_rows wg_axes_rows(const wg_tensor *x, uint32_t axes);

/* wg_axes_expand: y, which is x reduced over the axes, kept or not, broadcast to the shape of x. */
wg_tensor *wg_axes_expand(wg_tensor *y, const wg_tensor *x, uint32_t axes);

/* wg_axes_sum, wg_axes_norm2, wg_axes_softmax: sum, 2-norm and softmax over axes given as bits. */
wg_tensor *wg_axes_sum(wg_tensor *x, uint32_t axes, bool keep);
wg_tensor *wg_axes_norm2(wg_tensor *x, uint32_t axes, bool keep);
wg_tensor *wg_axes_softmax(wg_tensor *x, uint32_t axes);

#endif
