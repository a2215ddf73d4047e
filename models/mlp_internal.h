#ifndef WG_MODELS_MLP_INTERNAL_H
#define WG_MODELS_MLP_INTERNAL_H

#include "models/mlp.h"

/* wg_mlp_inert: the model that a failed constructor returns. */
wg_mlp *wg_mlp_inert(void);

#endif
