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
    const char **column_names, **text_names; /* both ended by NULL; NULL: of unknown names */
    wg_fit_result result;
};

/* What is fitted on. */
typedef struct wg_estimator_data {
    wg_tensor *X;            /* [n, d]; of sparse rows: none, [0, d] */
    const wg_csr *sparse;    /* [n, d]; NULL: dense */
    const char *const *text; /* [n, text_columns] */
    int64_t text_columns;
    wg_tensor *y; /* [n] */
} wg_estimator_data;

/* wg_estimator_fit_data: wg_estimator_fit with texts. wg_estimator_logits_of: wg_estimator_logits with texts,
 * as many columns of them as were fitted. */
wg_estimator *wg_estimator_fit_data(const wg_estimator_data *data,
                                    const wg_estimator_options *options);
wg_tensor *wg_estimator_logits_of(const wg_estimator *e, wg_tensor *X, const char *const *text);

/* wg_estimator_inert: what a failed constructor returns.  wg_estimator_kind_of: by name; NULL: there is none. */
wg_estimator *wg_estimator_inert(void);
const wg_estimator_kind *wg_estimator_kind_of(const char *name);

#endif
