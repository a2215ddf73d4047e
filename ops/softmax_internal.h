#ifndef WG_OPS_SOFTMAX_INTERNAL_H
#define WG_OPS_SOFTMAX_INTERNAL_H

#include "ops/softmax.h"

/* With p = softmax(x) over the axes (bit i for axis i), exact in the tails of rows that are nearly
 * certain:
 * wg_log_softmax_jvp: u - sum(p*u).   wg_softmax_times: p * (u - sum(p*u)), J u with J softmax's
 * Jacobian, which is symmetric. */
wg_tensor *wg_log_softmax_jvp(wg_tensor *u, wg_tensor *x, uint32_t axes);
wg_tensor *wg_softmax_times(wg_tensor *x, wg_tensor *u, uint32_t axes);

#endif
