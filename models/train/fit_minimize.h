#ifndef WG_MODELS_TRAIN_FIT_MINIMIZE_H
#define WG_MODELS_TRAIN_FIT_MINIMIZE_H

#include "models/optim/minimize.h"
#include "models/train/fit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_fit_minimize: wg_fit by all rows at once, to the optimum: mean loss + penalty, by L-BFGS,
 * Newton's methods, or proximal gradient. With L-BFGS and proximal gradient the rows go through the
 * model in blocks that stay in cache, on the threads of the tape's pool; so a row's outputs must
 * depend on no other row. Sparse rows, and Newton's methods, take all rows through the model at
 *   once. An epoch is an iteration (of L-BFGS: about 1.1 evaluations of loss and gradient).
 * options.epochs: 0 stands for 1000, of PROXIMAL for 10000. The loss of an epoch is the one after
 * it; accuracy and rate there are none: NaN. Validation, patience and min_delta, weights, the
 * callback, checkpoint and resume are as in wg_fit. Refused, WG_E_VALUE: options batch, optimizer
 * and schedule; a model with set_step (dropout): its loss would change between evaluations.
 *   minimizer: see models/optim/minimize.h; NULL: L-BFGS. Its iterations and value_tolerance must
 * be 0: epochs, min_delta and patience say when to stop. options.l1_ratio > 0 needs WG_PROXIMAL.
 * The result's stop is WG_FIT_CONVERGED where the tolerance is reached, or round-off hides any
 * lower loss; and `optimum` is filled in, over the iterations of this call. A start at the optimum
 * is one epoch of no iteration. Shape and errors: those of wg_fit; WG_E_NOT_FINITE: the loss or its
 * gradient, at the first parameters. */
wg_fit_result wg_fit_minimize(const wg_fit_model *model, const wg_dataset *data,
                              const wg_fit_options *options, const wg_minimizer_options *minimizer);

#ifdef __cplusplus
}
#endif
#endif
