#ifndef WG_MODELS_OPTIM_SCHEDULE_H
#define WG_MODELS_OPTIM_SCHEDULE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A learning rate as a function of the step (or of the epoch: of whatever is counted), and of
 * nothing else, so that a run that is resumed has the rates of one that was never stopped:
 *
 *     wg_optimizer_set_rate(adam, wg_schedule_rate(&schedule, wg_optimizer_steps(adam)));
 */
typedef enum wg_schedule_kind {
    WG_SCHEDULE_CONSTANT,    /* rate */
    WG_SCHEDULE_STEP,        /* rate * factor^floor(s / period) */
    WG_SCHEDULE_EXPONENTIAL, /* rate * factor^(s / period) */
    WG_SCHEDULE_COSINE,      /* least + (rate - least) (1 + cos(pi s / period)) / 2, then least */
    WG_SCHEDULE_PLATEAU      /* reduced where the loss stops falling: see wg_schedule_plateau */
} wg_schedule_kind;

typedef struct wg_schedule {
    wg_schedule_kind kind; /* default WG_SCHEDULE_CONSTANT */
    double rate;           /* the first rate, after the warm-up; >= 0 */
    int64_t period;        /* steps; > 0; default 0 stands for 1 */
    double factor;         /* > 0; default 0 stands for 0.1 */
    double least;          /* COSINE, PLATEAU: the last rate; >= 0; default 0 */
    /* steps that come first, with rate * (step + 1) / warm_up; >= 0; default 0 */
    int64_t warm_up;
    int64_t patience; /* PLATEAU: epochs without a fall that are allowed, > 0; default 0: 10 */
    int64_t cooldown; /* PLATEAU: epochs after a reduction that do not count, >= 0; default 0 */
    double threshold; /* PLATEAU: a fall is one below (1 - threshold) of the best loss; in
                         [0, 1); default 0 stands for 1e-4 */
} wg_schedule;

/* wg_schedule_rate: the rate of step 0, 1, 2, ...; in the formulas s = step - warm_up. A negative
 * step is taken for 0. Without warm-up: PyTorch's StepLR, ExponentialLR (period 1) and
 * CosineAnnealingLR.
 * Edges:  an argument out of its range: NaN, which wg_optimizer_set_rate refuses.
 * Source: cosine: Loshchilov, Hutter 2017, "SGDR", eq. 5; warm-up: Goyal et al. 2017, "Accurate,
 *   large minibatch SGD", sec. 2.2. */
double wg_schedule_rate(const wg_schedule *schedule, int64_t step);

/* wg_schedule_plateau: the rate after the n epochs whose losses were loss[0], loss[stride], ...:
 * begins with `rate`, and is multiplied by `factor`, down to `least`, after more than `patience`
 * epochs without a fall: PyTorch's ReduceLROnPlateau (mode min, relative threshold; reductions of
 * 1e-8 or less are not made). A function of the losses alone, and so are the rates of a run that is
 * resumed. A NaN is no fall.
 * Edges:  an argument out of its range: NaN. The warm-up is left out. */
double wg_schedule_plateau(const wg_schedule *schedule, const double loss[], int64_t stride,
                           int64_t n);

#ifdef __cplusplus
}
#endif
#endif
