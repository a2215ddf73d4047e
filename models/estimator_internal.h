#ifndef WG_MODELS_ESTIMATOR_INTERNAL_H
#define WG_MODELS_ESTIMATOR_INTERNAL_H

#include "autograd/op.h"
#include "models/estimator.h"

/* What a model's name stands for. */
typedef struct wg_estimator_kind {
    const char *name;
    const wg_head *head; /* NULL: the options say */
    bool hidden;         /* may it have hidden layers? */
} wg_estimator_kind;

struct wg_estimator {
    wg_tape *tape; /* NULL: inert */
    const wg_estimator_kind *kind;
    const wg_head *head;
    wg_pipeline *pipeline;
    wg_mlp *mlp;
    int64_t k;               /* see wg_head_k */
    const char **class_name; /* [k]; NULL: of numbers */
    const char *label_name;
    const char **column_names, **text_names; /* both ended by NULL; NULL: of unknown names */
    wg_fit_result result;
};

/* wg_estimator_is_inert: is it what a failed constructor returned, or NULL? */
static inline bool wg_estimator_is_inert(const wg_estimator *e)
{
    return e == NULL || e->tape == NULL;
}

/* What is fitted on, or predicted of. */
typedef struct wg_estimator_data {
    wg_dataset d;            /* as given, with X and y from the table */
    wg_tensor *X;            /* [n, d]; of sparse rows: none, [0, d] */
    const char *const *text; /* [n, text_columns] */
    int64_t text_columns;
} wg_estimator_data;

/* wg_estimator_data_of: of training rows; false after an error, on the tape if there is one.
 * wg_estimator_take_names: those of the table, if there is one. */
bool wg_estimator_data_of(const wg_dataset *data, bool numbers, wg_estimator_data *result);
void wg_estimator_take_names(wg_estimator *e, const wg_dataset *data);

/* wg_estimator_train: the model on data that the pipeline has been fitted on. */
void wg_estimator_train(wg_estimator *e, const wg_estimator_data *data,
                        const wg_estimator_options *options);

/* wg_estimator_inert: what a failed constructor returns.
 * wg_estimator_kind_of: by name; NULL: there is none. */
wg_estimator *wg_estimator_inert(void);
const wg_estimator_kind *wg_estimator_kind_of(const char *name);

#endif
