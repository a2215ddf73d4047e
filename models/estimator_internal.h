#ifndef WG_MODELS_ESTIMATOR_INTERNAL_H
#define WG_MODELS_ESTIMATOR_INTERNAL_H

#include "autograd/op.h"
#include "autograd/ranks/ranks.h"
#include "models/data/dataset_internal.h"
#include "models/estimator.h"
#include "models/files/csv.h"

/* What a model's name stands for. */
typedef struct wg_estimator_kind {
    const char *name;
    const wg_head *head; /* NULL: the options say */
    bool hidden;         /* may it have hidden layers? */
} wg_estimator_kind;

/* wg_estimator_is_inert: is it what a failed constructor returned, or NULL? */
static inline bool wg_estimator_is_inert(const wg_estimator *e)
{
    return e == NULL || e->tape == NULL;
}

/* What is fitted on, or predicted of. */
typedef struct wg_estimator_data {
    wg_dataset d;               /* as given, with X and y from the table */
    wg_tensor *X;               /* [n, d]; of sparse rows: none, [0, d] */
    const char *const *strings; /* [n, string_columns] */
    int64_t string_columns;
    const wg_table *labels; /* the table, if y is its labels; NULL: classes are the options' */
} wg_estimator_data;

/* wg_estimator_data_of: of training rows, with NaN where `missing` says so; false after an error,
 * on the tape if there is one. */
bool wg_estimator_data_of(const wg_dataset *data, bool numbers, bool missing,
                          wg_estimator_data *result);

/* wg_estimator_hash: of version, model and names, which must be the same on all ranks.
 * wg_estimator_most_classes: the largest k of all ranks. wg_estimator_join_classes: a table's
 * classes as all ranks' tables have them: names and numbers. Errors are on the tape. */
uint64_t wg_estimator_hash(const wg_estimator *e);
int64_t wg_estimator_most_classes(wg_tape *t, int64_t k);
void wg_estimator_join_classes(wg_estimator_data *data, wg_estimator_options *o);

/* wg_estimator_set_csv: e->csv, once names and dtype are set, from how a table was read; NULL: by
 * default. */
void wg_estimator_set_csv(wg_estimator *e, wg_tape *t, const struct wg_csv_options *read);

/* wg_estimator_inert: what a failed constructor returns. */
wg_estimator *wg_estimator_inert(void);

/* wg_estimator_kind_of: by name; NULL: there is none. */
const wg_estimator_kind *wg_estimator_kind_of(const char *name);

/* wg_estimator_set_pipeline: takes the preparation, and with it the columns. */
void wg_estimator_set_pipeline(wg_estimator *e, wg_pipeline *pipeline);

#endif
