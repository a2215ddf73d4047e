#ifndef WG_MODELS_OPTIMIZER_INTERNAL_H
#define WG_MODELS_OPTIMIZER_INTERNAL_H

#include "autograd/op.h"
#include "models/optimizer.h"

/* What one kind of optimizer is: how it moves one parameter. State that lives from step to step is
 * `slots` arrays for each parameter, of its size and dtype, zero at first. */
typedef struct wg_optimizer_rule {
    const char *name;
    int slots;
    void (*update_f32)(const wg_optimizer *o, int64_t n, float *p, const float *g,
                       float *const s[]);
    void (*update_f64)(const wg_optimizer *o, int64_t n, double *p, const double *g,
                       double *const s[]);
} wg_optimizer_rule;

struct wg_optimizer {
    wg_tape *tape; /* NULL: inert */
    const wg_optimizer_rule *rule;
    const void *options; /* the rule's, on the tape; NULL: none beside the rate */
    wg_tensor **param;   /* [n] */
    void **state;        /* [n * slots] */
    int n;
    double rate;
    int64_t steps; /* made before this one */
};

/* wg_optimizer_new: an optimizer on the parameters' tape, its options copied. Inert after an error. */
wg_optimizer *wg_optimizer_new(const wg_optimizer_rule *rule, wg_tensor *const params[], int n,
                               double rate, const void *options, size_t options_size);

#endif
