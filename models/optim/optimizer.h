#ifndef WG_MODELS_OPTIM_OPTIMIZER_H
#define WG_MODELS_OPTIM_OPTIMIZER_H

#include "autograd/tensor.h"
#include "models/optim/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An optimizer moves parameters against their gradient. It is made for a list of parameters,
 * belongs to their tape, and allocates nothing in a step. A step marks stale what depends on the
 * parameters: call wg_replay or wg_replay_to before the gradients are read again.
 *
 * Formulas and defaults are PyTorch's. In them p is a parameter, g its gradient after clipping, r
 * the rate, and k = 1, 2, ... counts the steps in which p had a gradient. All is elementwise, in
 * p's dtype; numbers that are the same for all elements are computed in double. */
typedef struct wg_optimizer wg_optimizer;

/* wg_optimizer_step: one step by the optimizer's formula.
 * grads[i] has the shape and dtype of params[i] and is read only, since a replay may need it; a
 *   tensor in the memory of a parameter (itself, or a view) is refused, WG_E_VALUE: the step would
 *   change it. grads = NULL: what wg_backward left beside the parameters (a parameter without any
 *   is left as it is; where none has any: WG_E_VALUE).
 * Errors: WG_E_STALE (no replay since the last step), WG_E_SHAPE, WG_E_DTYPE, WG_E_TAPE, WG_E_NULL,
 *   WG_E_NOT_FINITE (clipping by norm, and the norm is NaN or infinite), on the tape, and then no
 *   parameter has been written. Returns the tape's status. */
wg_status wg_optimizer_step(wg_optimizer *optimizer, wg_tensor *const grads[]);

/* wg_optimizer_steps: how many steps were made. */
int64_t wg_optimizer_steps(const wg_optimizer *optimizer);

/* wg_optimizer_rate: the learning rate r; NaN of an inert optimizer. */
double wg_optimizer_rate(const wg_optimizer *optimizer);

/* wg_optimizer_set_rate: another one; finite and >= 0, else WG_E_VALUE. Rates that follow a
 * schedule: models/optim/schedule.h. */
wg_status wg_optimizer_set_rate(wg_optimizer *optimizer, double rate);

/* wg_optimizer_set_clip: from now on gradients are clipped on their way into the formula: first all
 * are multiplied by min(1, norm / (|g| + 1e-6)), |g| being the 2-norm of all elements of all
 * gradients, then each element is clamped to [-value, value]. 0: not clipped. The gradients
 * themselves keep their values.
 * Errors: WG_E_VALUE (negative or NaN).
 * Source: Pascanu, Mikolov, Bengio 2013, "On the difficulty of training
 * recurrent neural networks". */
wg_status wg_optimizer_set_clip(wg_optimizer *optimizer, double norm, double value);

/* wg_global_norm: (sum of the squares of all elements of the n tensors)^(1/2), in double. To clip
 * by it, see wg_optimizer_set_clip.
 * Edges:  squares that overflow a double give infinity; NaN stays NaN; NULL tensors count as
 *         nothing; a NULL list of n > 0 tensors gives NaN.
 * Errors: an inert, stale, abstract or i64 tensor: NaN, and WG_E_NULL, WG_E_STALE or WG_E_DTYPE, on
 *         its tape. */
double wg_global_norm(wg_tensor *const xs[], int n);

/* Weight decay, the field `weight_decay` of all options, is a factor d >= 0 for each parameter:
 *   coupled (SGD, RMSProp, Adam):  g <- g + d p, after clipping and before the formula;
 *   decoupled (AdamW):             p <- p - r d p, before the formula.
 * It is for parameters of two or more dimensions (weights); those of fewer (biases, gains) have d =
 * 0 unless `decay_all` is set.
 * PyTorch decays all parameters: `decay_all` is its rule.
 *
 * wg_optimizer_set_param: one parameter of the list moves at the rate f r (f = 1 at first; 0 holds
 * it still) and has the decay d; both finite and >= 0. So all rates follow a schedule together, as
 * those of PyTorch's parameter groups do.
 * Errors: WG_E_VALUE (a number; not in the list). */
wg_status wg_optimizer_set_param(wg_optimizer *optimizer, const wg_tensor *param, double factor,
                                 double decay);

/* wg_optimizer_set_average: from now on every step ends with a <- c a + (1 - c) p for each
 * parameter, an exponential average of its values; the first step has a <- p. c in [0, 1), say
 * 0.999. (PyTorch: AveragedModel with that avg_fn.) To be asked for once, before a checkpoint's
 * state is restored.
 * Errors: WG_E_VALUE (c; there is an average already), WG_E_NOMEM. */
wg_status wg_optimizer_set_average(wg_optimizer *optimizer, double decay);

/* wg_optimizer_swap_average: parameters and averages change places: to judge or save by the
 * averages, and once more before the next step.
 * Errors: WG_E_VALUE (there is no average). */
wg_status wg_optimizer_swap_average(wg_optimizer *optimizer);

/* wg_optimizer_state: what a checkpoint must keep besides the parameters, entry by entry: false
 * where there is no entry i. Names are "adam.rate", "adam.steps", "adam.counts" (each parameter's
 * k), and "adam.exp_avg.fc1.weight" with the parameter's name; a parameter without a name, or whose
 * name another one has, goes by its index in the list: "adam.exp_avg.3"; with averages
 * "adam.average.fc1.weight" and "adam.averaged", the steps in them. Clipping, decay and factors are
 * options and are not in it. An optimizer made with the same options and parameters has the same
 * entries. */
bool wg_optimizer_state(wg_optimizer *optimizer, int64_t i, wg_state_entry *entry);

/* ---- The kinds. ------------------------------------------------------------------------------
 *
 * NULL options are the defaults. Where 0 stands for another default, a tiny number such as 1e-300
 * is taken as it is. Never NULL: after an error the result is an inert optimizer, whose steps do
 * nothing. Errors, on the tape: WG_E_VALUE (an option out of its range, an operand that is no
 *   parameter, a parameter given twice), WG_E_TAPE, WG_E_NULL, WG_E_NOMEM. */

typedef struct wg_sgd_options {
    double rate;         /* r >= 0, finite; default 0 stands for 0.01 */
    double momentum;     /* m >= 0, finite; default 0 */
    double dampening;    /* c in [0, 1]; default 0 */
    bool nesterov;       /* default false; true needs momentum > 0 and dampening = 0 */
    double weight_decay; /* d >= 0, coupled; default 0 */
    bool decay_all;      /* default false: not for parameters of fewer than two dimensions */
} wg_sgd_options;

/* wg_sgd_new: gradient descent: p <- p - r g; with momentum, from a buffer b = 0,
 *   b <- m b + (1 - c) g  (b <- g in the first step),   p <- p - r b,
 *   nesterov: p <- p - r (g + m b).
 * State: momentum_buffer (with momentum).
 * Source: Sutskever, Martens, Dahl, Hinton 2013, "On the importance of initialization and momentum
 *   in deep learning", in PyTorch's form, where r multiplies b. */
wg_optimizer *wg_sgd_new(wg_tensor *const params[], int n, const wg_sgd_options *options);

typedef struct wg_adagrad_options {
    double rate;         /* r >= 0, finite; default 0 stands for 0.01 */
    double rate_decay;   /* c >= 0, finite; default 0 */
    double start;        /* v at first, >= 0, finite; default 0 */
    double epsilon;      /* e >= 0, finite; default 0 stands for 1e-10 */
    double weight_decay; /* d >= 0, coupled; default 0 */
    bool decay_all;      /* default false: not for parameters of fewer than two dimensions */
} wg_adagrad_options;

/* wg_adagrad_new: from v = start,
 *   v <- v + g^2,   p <- p - r / (1 + (k - 1) c) * g / (sqrt(v) + e).
 * State: sum.
 * Source: Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and
 *   stochastic optimization", fig. 1. */
wg_optimizer *wg_adagrad_new(wg_tensor *const params[], int n, const wg_adagrad_options *options);

typedef struct wg_rmsprop_options {
    double rate;         /* r >= 0, finite; default 0 stands for 0.01 */
    double alpha;        /* a in [0, 1); default 0 stands for 0.99 */
    double epsilon;      /* e >= 0, finite; default 0 stands for 1e-8 */
    double momentum;     /* m >= 0, finite; default 0 */
    bool centered;       /* default false */
    double weight_decay; /* d >= 0, coupled; default 0 */
    bool decay_all;      /* default false: not for parameters of fewer than two dimensions */
} wg_rmsprop_options;

/* wg_rmsprop_new: from v = u = b = 0,
 *   v <- a v + (1 - a) g^2,   s = sqrt(v) + e,   p <- p - r g / s;
 *   centered: u <- a u + (1 - a) g and s = sqrt(max(v - u^2, 0)) + e (round-off may make v < u^2,
 *   which gives NaN in PyTorch);
 *   momentum: b <- m b + g / s and p <- p - r b.
 * State: square_avg, grad_avg (centered), momentum_buffer (with momentum).
 * Source: Tieleman, Hinton 2012, lecture 6.5; centered: Graves 2013, "Generating sequences with
 *   recurrent neural networks", eq. 38 to 45. */
wg_optimizer *wg_rmsprop_new(wg_tensor *const params[], int n, const wg_rmsprop_options *options);

typedef struct wg_adam_options {
    double rate;    /* r >= 0, finite; default 0 stands for 0.001 */
    double beta1;   /* in [0, 1); default 0 stands for 0.9 */
    double beta2;   /* in [0, 1); default 0 stands for 0.999 */
    double epsilon; /* e >= 0, finite; default 0 stands for 1e-8 */
    /* d >= 0; default 0: none for Adam (coupled), 0.01 for AdamW (decoupled) */
    double weight_decay;
    bool decay_all; /* default false: not for parameters of fewer than two dimensions */
    bool amsgrad;   /* default false */
} wg_adam_options;

/* wg_adam_new: from u = v = w = 0,
 *   u <- beta1 u + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2,
 *   p <- p - r / (1 - beta1^k) * u / (sqrt(v / (1 - beta2^k)) + e);
 *   amsgrad: w <- max(w, v), and w in place of v in the last line.
 * State: exp_avg, exp_avg_sq, max_exp_avg_sq (amsgrad).
 * Source: Kingma, Ba 2015, "Adam", alg. 1; Reddi, Kale, Kumar 2018, "On the convergence of Adam and
 *   beyond", alg. 2. */
wg_optimizer *wg_adam_new(wg_tensor *const params[], int n, const wg_adam_options *options);

/* wg_adamw_new: the same with decoupled weight decay.
 * Source: Loshchilov, Hutter 2019, "Decoupled weight decay regularization", alg. 2. */
wg_optimizer *wg_adamw_new(wg_tensor *const params[], int n, const wg_adam_options *options);

#ifdef __cplusplus
}
#endif
#endif
