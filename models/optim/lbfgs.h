#ifndef WG_MODELS_OPTIM_LBFGS_H
#define WG_MODELS_OPTIM_LBFGS_H

#include "models/optim/minimize.h"
#include "models/optim/state.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_lbfgs_options {
    int64_t history;    /* pairs (s, y) kept, >= 1; default 0 stands for 10 */
    int64_t iterations; /* of a run, at most, >= 1; default 0 stands for 1000 */
    double tolerance; /* of the largest |element| of the gradient, > 0; default 0 stands for 1e-8 */
    double value_tolerance; /* stop where f falls by no more than this times max(|f|, 1); >= 0;
                               default 0: never */
} wg_lbfgs_options;

/* wg_lbfgs_minimize: the parameters that minimize a recorded loss, from where they are:
 *   x <- x + t d,  d = -H g,
 * with H the inverse of the Hessian as the last pairs s = change of x, y = change of g say it, and t from a
 * line search with strong Wolfe conditions. Leaves nothing on the tape; the loss is up to date after it,
 * what else depends on the parameters needs a replay.
 * Errors: WG_E_VALUE (options) and those of wg_objective_new, on the tape; stop is then WG_STOP_ERROR.
 * Source: Liu, Nocedal 1989, "On the limited memory BFGS method for large scale optimization", alg. 2.1,
 *   with the scaling M3. */
wg_optimum wg_lbfgs_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                             const wg_lbfgs_options *options);

/* The same for any objective, and to be stopped and gone on with: what a run has learnt of the curvature
 * is kept for the next. */
typedef struct wg_lbfgs wg_lbfgs;

/* wg_lbfgs_new: on the objective's tape; what the objective calls must live as long. Never NULL: after an
 * error (on the tape: WG_E_VALUE, WG_E_NOMEM) the result is inert: runs do nothing and say WG_STOP_ERROR. */
wg_lbfgs *wg_lbfgs_new(const wg_objective *objective, const wg_lbfgs_options *options);

/* wg_lbfgs_run: minimize from x[n] on, and leave the minimum there; the last evaluation is at that x. So
 * many runs of one iteration are the same bits as one run of so many iterations. */
wg_optimum wg_lbfgs_run(wg_lbfgs *lbfgs, double x[]);

/* wg_lbfgs_state: what a checkpoint must keep besides x: "lbfgs.pairs", "lbfgs.s", "lbfgs.y"; false where
 * there is no entry i. */
bool wg_lbfgs_state(wg_lbfgs *lbfgs, int64_t i, wg_state_entry *entry);

#ifdef __cplusplus
}
#endif
#endif
