#ifndef WG_MODELS_OPTIM_RECORD_H
#define WG_MODELS_OPTIM_RECORD_H

#include "models/optim/optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An optimizer's step as ops: param[i] takes the value value[i]. */
typedef struct wg_recorded_step {
    /* [n] the optimizer's parameters and its state, which are parameters, too; in any order */
    wg_tensor **param, **value;
    int n;
} wg_recorded_step;

/* wg_optimizer_record: records what a step would make of the parameters and of the optimizer's
 * state, for programs that are written as C (wg_c_options.updates). The optimizer itself makes no
 * step; rate, decays and factors are those that it has now, and so is the state that the recorded
 * parameters begin with. Where a rule counts its steps, parameters that differ in dtype, or in how
 * many steps they have made, have counters of their own. grads: as for wg_optimizer_step, but not
 * NULL.
 * The result lies on the tape. After an error n is 0. Errors: those of the ops, and of gradients
 * in wg_optimizer_step; WG_E_VALUE (clipping by norm, averages, dampening, and AdaGrad, which are
 * not recorded); WG_E_NULL. */
wg_recorded_step wg_optimizer_record(const wg_optimizer *optimizer, wg_tensor *const grads[]);

#ifdef __cplusplus
}
#endif
#endif
