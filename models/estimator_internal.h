#ifndef WG_MODELS_ESTIMATOR_INTERNAL_H
#define WG_MODELS_ESTIMATOR_INTERNAL_H

#include "autograd/op.h"
#include "models/estimator.h"

/* What a model's name stands for. */
typedef struct wg_estimator_kind {
    const char *name;
    wg_link link;
    bool hidden; /* may it have hidden layers? */
} wg_estimator_kind;

struct wg_estimator {
    wg_tape *tape; /* NULL: inert */
    const wg_estimator_kind *kind;
    wg_pipeline *pipeline;
    wg_mlp *mlp;
    int64_t classes;
    const char **class_name; /* [classes] */
    const char *label_name;
    wg_fit_result result;
};

/* wg_estimator_inert: what a failed constructor returns.  wg_estimator_kind_of: by name; NULL: there is none. */
wg_estimator *wg_estimator_inert(void);
const wg_estimator_kind *wg_estimator_kind_of(const char *name);

#endif
