#ifndef WG_MODELS_OPTIM_NEWTON_H
#define WG_MODELS_OPTIM_NEWTON_H

#include "models/optim/minimize.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the step d with H d = -g is found. */
typedef enum wg_newton_method {
    WG_NEWTON_CG,   /* by conjugate gradients, from products H v alone: for many parameters */
    WG_NEWTON_EXACT /* by factoring H, [n, n]: for up to a few hundred; for linear models with a log
                       loss this is iteratively reweighted least squares */
} wg_newton_method;

typedef struct wg_newton_options {
    wg_newton_method method; /* default WG_NEWTON_CG */
    int64_t iterations;      /* at most, >= 1; default 0 stands for 100 */
    double tolerance;        /* of the largest |element| of the gradient, > 0; default 0: 1e-8 */
    int64_t products; /* CG: of an iteration, at most, >= 1; default 0 stands for 10 n, at least
                                100 */
} wg_newton_options;

/* wg_newton_minimize: the parameters that minimize a recorded loss, from where they are: x <- x + t d, with t
 * from a line search with strong Wolfe conditions that begins at 1.
 *   CG: products ||H d + g|| <= min(1/10, sqrt ||g||) ||g||, so that convergence is superlinear; where
 *     curvature is not positive along a direction, the step ends before it.
 *   EXACT: H by a Cholesky factorization with pivots. Where H is singular (equal shifts of all biases of a
 *     softmax model change nothing) d is the shortest of the solutions, so that such directions are never
 *     moved along; where H is indefinite, H + c I takes its place, with c raised until it is not.
 * Leaves nothing on the tape; the loss is up to date after it, what else depends on the parameters needs a
 * replay.
 * Errors: WG_E_VALUE (options) and those of wg_objective_new, on the tape; stop is then WG_STOP_ERROR.
 * Source: Nocedal, Wright 2006, "Numerical optimization", alg. 7.1 (CG) and 3.3 (c); Higham 1990,
 *   "Analysis of the Cholesky decomposition of a semi-definite matrix". */
wg_optimum wg_newton_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                              const wg_newton_options *options);

/* wg_newton_run: the same for any objective, from x[n] on; the minimum is left there, and the last
 * evaluation is at that x. The objective has hessian_product or hessian, as the method asks.
 * Takes n to n^2 numbers from the tape, which are not given back before the tape is rewound. There is no
 * state between iterations but x: a run that is resumed from x goes on as it would have. */
wg_optimum wg_newton_run(const wg_objective *objective, double x[],
                         const wg_newton_options *options);

#ifdef __cplusplus
}
#endif
#endif
