#ifndef WG_OPS_LAYOUT_INTERNAL_H
#define WG_OPS_LAYOUT_INTERNAL_H

#include "ops/layout.h"

/* wg_spread_over: y, which is x reduced over the axes (bit i for axis i), kept or not, broadcast to
 * the shape of x. */
wg_tensor *wg_spread_over(wg_tensor *y, const wg_tensor *x, uint32_t axes);

#endif
