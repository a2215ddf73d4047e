#ifndef WG_MODELS_OPTIM_PROXIMAL_H
#define WG_MODELS_OPTIM_PROXIMAL_H

#include "models/optim/minimize.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_proximal_options {
    double l1, l2; /* factors of sum |w| and of sum w^2 / 2, >= 0; default 0 */
    bool
        penalize_all; /* default false: parameters of fewer than two dimensions (biases) are free */
    int64_t iterations; /* at most, >= 1; default 0 stands for 10000 */
    double tolerance;   /* of the subgradient, > 0; default 0 stands for 1e-8 */
} wg_proximal_options;

/* wg_proximal_minimize: the parameters that minimize
 *   loss + l1 sum |w| + (l2 / 2) sum w^2,
 * the sums over the elements of penalized parameters, from where they are, for a convex recorded loss. Elements
 * that the penalty keeps at 0 are 0 exactly. In scikit-learn's terms, n being the rows:
 *   ElasticNet(alpha, l1_ratio):  loss = (1/2) mean squared error, l1 = alpha * l1_ratio,
 *                                 l2 = alpha * (1 - l1_ratio);
 *   LogisticRegression(C, l1_ratio, penalty="elasticnet"):  loss = mean log loss without a penalty,
 *                                 l1 = l1_ratio / (n C), l2 = (1 - l1_ratio) / (n C).
 * By accelerated proximal gradient steps with backtracking, which start anew where they overshoot. Converged is
 * where the least subgradient's largest |element| is at most the tolerance: with h the derivative of loss and l2
 * term, h + l1 sign(w) where w != 0, and what |h| exceeds l1 by where w = 0. The result's gradient_norm is
 * that, its value has the penalties in it.
 * Leaves nothing on the tape; the loss is up to date after it, what else depends on the parameters needs a
 * replay.
 * Errors: WG_E_VALUE (options) and those of wg_objective_new, on the tape; stop is then WG_STOP_ERROR.
 * Source: Beck, Teboulle 2009, "A fast iterative shrinkage-thresholding algorithm", sec. 4; O'Donoghue, Candes
 *   2015, "Adaptive restart for accelerated gradient schemes", sec. 3.2. */
wg_optimum wg_proximal_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                                const wg_proximal_options *options);

/* wg_proximal_run: the same for any smooth convex objective, from x[n] on, with factors of its own for each
 * variable: f(x) + sum_i l1[i] |x_i| + l2[i] x_i^2 / 2. Of the options, iterations and tolerance count. The
 * minimum is left in x, and the last evaluation is at that x. */
wg_optimum wg_proximal_run(const wg_objective *objective, double x[], const double l1[],
                           const double l2[], const wg_proximal_options *options);

#ifdef __cplusplus
}
#endif
#endif
