#ifndef WG_MODELS_OPTIM_OPTIMIZER_INTERNAL_H
#define WG_MODELS_OPTIM_OPTIMIZER_INTERNAL_H

#include "autograd/op.h"
#include "models/optim/optimizer.h"

enum {
    WG_OPTIMIZER_SLOTS = 3,   /* arrays of state that a rule may have for a parameter */
    WG_OPTIMIZER_NUMBERS = 6, /* what `prepare` may fill */
};

/* A parameter's step as ops: the rule gets p, g, its state, the number of the step (a tensor of
 * zero dimensions) and the rate, and leaves what the state becomes in `next`. */
typedef struct wg_optimizer_record_job {
    wg_tensor *p, *g, *steps;
    /* [2] made for the first parameter, NULL before: what is the same for all of one `steps`. */
    wg_tensor **shared;
    wg_tensor *state[WG_OPTIMIZER_SLOTS],
        *next[WG_OPTIMIZER_SLOTS]; /* NULL for what is not in use */
    double rate;
} wg_optimizer_record_job;

/* What one kind of optimizer is: how it moves one parameter. Clipping and weight decay are done
 * before it sees the gradient. */
typedef struct wg_optimizer_rule {
    const char *name;
    const char *slot[WG_OPTIMIZER_SLOTS]; /* names of the arrays of state */

    /* c: the numbers of this step that are the same for all elements; rate: the parameter's;
     * k = 1, 2, ... counts its steps. */
    void (*prepare)(const void *options, double rate, int64_t k, double c[]);

    /* n elements of a parameter p, its gradient g and its state s[slot], NULL for a slot that is
     * not in use. No two of them overlap. */
    void (*update_f32)(int64_t n, float *p, const float *g, float *const s[], const double c[]);
    void (*update_f64)(int64_t n, double *p, const double *g, double *const s[], const double c[]);

    /* The same as ops; returns what p becomes. NULL: it cannot be recorded. record_counts: it needs
     * the number of the step. */
    wg_tensor *(*record)(const void *options, wg_optimizer_record_job *job);
    bool record_counts;
} wg_optimizer_rule;

struct wg_optimizer {
    wg_tape *tape; /* NULL: inert */
    const wg_optimizer_rule *rule;
    const void *options;    /* the rule's, on the tape, defaults filled in */
    wg_tensor **param;      /* [n] */
    wg_tensor **by_address; /* [n]: the same, by where their values are */
    const char **label;     /* [n]: what they are called in the names of their state */
    void **state;      /* [n * WG_OPTIMIZER_SLOTS], NULL for what is not in use; zero at first */
    const char **name; /* [n * WG_OPTIMIZER_SLOTS], of the states */
    const char *rate_name, *steps_name, *counts_name, *averaged_name;
    int64_t *count;            /* [n]: steps in which the parameter had a gradient */
    double *decay;             /* [n] */
    double *factor;            /* [n]: of the rate */
    void **average;            /* [n]: averages of the parameters; NULL: not asked for */
    const char **average_name; /* [n] */
    double average_decay;
    int64_t averaged; /* steps that are in the averages */
    bool decoupled;
    int n;
    double clip_norm, clip_value; /* 0: none */
    double rate;
    int64_t steps;
};

/* An option that must be in [0, below). */
typedef struct wg_optimizer_range {
    const char *name;
    double value, below;
} wg_optimizer_range;

/* What all kinds of optimizers are made from. */
typedef struct wg_optimizer_plan {
    const wg_optimizer_rule *rule;
    const void *options; /* copied */
    size_t options_size;
    wg_optimizer_range range[5]; /* up to the first without a name */
    const char *wrong;           /* what else is wrong with the options; NULL: nothing */
    bool use[WG_OPTIMIZER_SLOTS];
    double start; /* what the first slot's state begins with; the others' with 0 */
    double rate, weight_decay;
    bool decoupled, decay_all;
} wg_optimizer_plan;

/* wg_optimizer_new: an optimizer on the parameters' tape. Inert after an error. */
wg_optimizer *wg_optimizer_new(const wg_optimizer_plan *plan, wg_tensor *const params[], int n);

/* wg_optimizer_text: "adam.exp_avg.fc1.weight", or "adam.rate" where param < 0, on the tape; NULL
 * without memory. */
const char *wg_optimizer_text(const wg_optimizer *o, const char *what, int param);

/* wg_optimizer_gradient_fits: can g be the gradient of parameter i? If not, an error is on the
 * tape. */
bool wg_optimizer_gradient_fits(const wg_optimizer *o, int i, const wg_tensor *g);

/* wg_optimizer_average_step: takes the parameters into their averages, which there are. */
void wg_optimizer_average_step(wg_optimizer *o);

/* wg_option: the value given, or what 0 stands for. */
double wg_option(double given, double otherwise);

/* wg_sum_of_squares: of n f32 or f64 numbers, in double. */
double wg_sum_of_squares(wg_dtype dtype, int64_t n, const void *x);

#endif
