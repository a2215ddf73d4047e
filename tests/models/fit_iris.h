#ifndef WGT_MODELS_FIT_IRIS_H
#define WGT_MODELS_FIT_IRIS_H

#include "models/wengert.h"
#include "tests/support/support.h"

#include <string.h>

enum { PARAMS = 4, MOST = 16 * 32 };

/* A small problem: iris, standardized, and an MLP 4-16-3 with dropout, in f32. */
typedef struct problem {
    wg_tensor *X, *y;
    wg_mlp *mlp;
    wg_fit_model model;
} problem;

static inline problem iris(wg_tape *t, double dropout)
{
    wg_table *data = wg_csv_read(t, "examples/data/iris.csv", &(wg_csv_options){.f32 = true});
    problem p = {.X = wg_standardize(wg_table_features(data)), .y = wg_table_classes(data)};
    p.mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){4, 16, 3},
                                            .n_sizes = 3,
                                            .dtype = WG_F32,
                                            .dropout = dropout,
                                            .seed = 7});
    p.model = wg_mlp_fit_model(p.mlp, &wg_head_softmax);
    return p;
}

/* All parameters, one behind the other. */
static inline int weights(const problem *p, float values[MOST])
{
    int n = 0;
    for (int i = 0; i < p->model.n_params; i++) {
        const wg_tensor *x = p->model.params[i];
        memcpy(values + n, wg_data_f32(x), (size_t)wg_size(x) * sizeof *values);
        n += (int)wg_size(x);
    }
    return n;
}

typedef struct watch {
    const problem *p;
    float best[MOST];
    int64_t best_epoch;
    int64_t stop_at;
} watch;

static inline bool watching(const wg_fit_epoch *epoch, void *user)
{
    watch *w = user;
    if (epoch->best) {
        weights(w->p, w->best);
        w->best_epoch = epoch->epoch;
    }
    return epoch->epoch != w->stop_at;
}

#endif
