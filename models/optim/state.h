#ifndef WG_MODELS_OPTIM_STATE_H
#define WG_MODELS_OPTIM_STATE_H

#include "autograd/shape.h"

/* A piece of what an optimizer remembers from step to step, for checkpoints: to save it, keep the
 * values under the name; to restore it, write them back into an optimizer made with the same
 * options. */
typedef struct wg_state_entry {
    const char *name; /* ends with the optimizer, as `data` does */
    wg_dtype dtype;
    wg_shape shape;
    void *data; /* row-major, of the shape; the optimizer's own memory */
} wg_state_entry;

#endif
