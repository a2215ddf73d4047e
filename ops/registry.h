#ifndef WG_OPS_REGISTRY_H
#define WG_OPS_REGISTRY_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_op_at: built-in op number i, from 0 on without gaps, in an order that is fixed for a version;
 * NULL behind the last. The leaves and the engine's own op are among them. */
const wg_op *wg_op_at(int i);

/* wg_op_find: the built-in op of that name; NULL where there is none. */
const wg_op *wg_op_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
