#ifndef WG_MODELS_OPTIMIZER_H
#define WG_MODELS_OPTIMIZER_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An optimizer moves parameters against their gradient. It is made for a list of parameters, belongs to
 * their tape, and allocates nothing in a step. A step marks stale what depends on the parameters: call
 * wg_replay or wg_replay_to before the gradients are read again. */
typedef struct wg_optimizer wg_optimizer;

/* wg_optimizer_step: one step by the optimizer's formula, in the parameters' dtype.
 * grads[i] has the shape and dtype of params[i] and is not one of the parameters; grads = NULL: what
 *   wg_backward left beside the parameters (a parameter without any is left as it is).
 * Errors: WG_E_STALE (no replay since the last step), WG_E_SHAPE, WG_E_DTYPE, WG_E_TAPE, WG_E_NULL, on the
 *   tape, and then no parameter has been written. Returns the tape's status. */
wg_status wg_optimizer_step(wg_optimizer *optimizer, wg_tensor *const grads[]);

/* wg_optimizer_steps: how many steps were made. */
int64_t wg_optimizer_steps(const wg_optimizer *optimizer);

/* wg_optimizer_rate, wg_optimizer_set_rate: the learning rate; finite and >= 0, else WG_E_VALUE. */
double wg_optimizer_rate(const wg_optimizer *optimizer);
wg_status wg_optimizer_set_rate(wg_optimizer *optimizer, double rate);

typedef struct wg_sgd_options {
    double rate; /* finite, > 0; default 0 stands for 0.01 */
} wg_sgd_options;

/* wg_sgd_new: gradient descent: p <- p - rate * g. NULL options are the defaults. Never NULL: after an
 * error (on the tape: WG_E_VALUE, an operand that is no parameter; WG_E_TAPE, WG_E_NULL, WG_E_NOMEM) the
 * result is an inert optimizer, whose steps do nothing. */
wg_optimizer *wg_sgd_new(wg_tensor *const params[], int n, const wg_sgd_options *options);

#ifdef __cplusplus
}
#endif
#endif
