#ifndef WG_OPS_LAYOUT_INTERNAL_H
#define WG_OPS_LAYOUT_INTERNAL_H

#include "autograd/op.h"
#include "ops/kernels/copy.h"
#include "ops/layout.h"

/* wg_spread_over: y, which is x reduced over the axes (bit i for axis i), kept or not, broadcast to
 * the shape of x. */
wg_tensor *wg_spread_over(wg_tensor *y, const wg_tensor *x, uint32_t axes);

/* wg_layout_fail: an error about a builder's arguments: "op: what: x (2, 3)". Always false. */
bool wg_layout_fail(const wg_tensor *x, wg_status status, const char *op, const char *what);

/* ---- A shape as an attribute ----------------------------------------------------------------- */

typedef struct wg_sizes {
    int64_t ndim, dim[WG_MAX_DIMS]; /* no padding */
} wg_sizes;

/* wg_sizes_init: from what a builder was given; false, with an error recorded, where that is none.
 * wg_sizes_shape: as a shape.
 * wg_sizes_take: for shape rules: gives y its operand 0's dtype, and the shape. */
bool wg_sizes_init(wg_sizes *sizes, const wg_tensor *x, const char *op, int ndim,
                   const int64_t *dim);
wg_shape wg_sizes_shape(const wg_sizes *sizes);
bool wg_sizes_take(wg_tensor *y, const wg_sizes *sizes);

/* ---- Ops that copy elements of operand 0 from regular places --------------------------------- */

typedef struct wg_strided {
    wgk_copy copy;
    int64_t start; /* of operand 0, in elements */
} wg_strided;

/* wg_strided_plan: y's elements, as an array dim[ndim], are operand 0's from `start` on at the
 * strides from[ndim], in elements.   WG_STRIDED: what the descriptor has of it. */
void wg_strided_plan(const wg_tensor *y, int ndim, const int64_t *dim, const int64_t *from,
                     int64_t start);
void wg_strided_forward(const wg_tensor *y, const wg_piece *piece);
int64_t wg_strided_chunks(const wg_tensor *y);
void wg_strided_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row);
#define WG_STRIDED(fill)                                                                           \
    .plan_size = sizeof(wg_strided), .plan = fill, .forward = wg_strided_forward,                  \
    .chunks = wg_strided_chunks, .write_c = WG_WRITES_C(wg_strided_write_c)

#endif
