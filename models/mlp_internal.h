#ifndef WG_MODELS_MLP_INTERNAL_H
#define WG_MODELS_MLP_INTERNAL_H

#include "autograd/op.h"
#include "models/mlp.h"

typedef struct wg_mlp_layer {
    wg_tensor *weight, *bias; /* (out, in), (out) */
    wg_tensor *gain, *shift;  /* of layer norm, (out); NULL: none */
    uint64_t key;             /* of dropout */
} wg_mlp_layer;

struct wg_mlp {
    wg_tape *tape;          /* NULL: inert */
    wg_mlp_options options; /* sizes and names copied, defaults filled in */
    wg_mlp_layer *layer;    /* [n_sizes - 1] */
    wg_tensor **param;      /* [n_params] */
    int n_params;
    wg_tensor *step; /* an i64 input that borrows step_value; NULL: no dropout */
    int64_t *step_value;
};

/* wg_mlp_inert: the model that a failed constructor returns. */
wg_mlp *wg_mlp_inert(void);

#endif
