#ifndef WG_MODELS_OPTIM_MINIMIZE_H
#define WG_MODELS_OPTIM_MINIMIZE_H

#include "autograd/compile/blocks.h"
#include "autograd/tape.h"
#include "models/optim/state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Minimizing whole objectives, in double, whatever the dtype of the parameters is:
 *
 *     wg_optimum o = wg_minimize(loss, params, n, &(wg_minimizer_options){.method = WG_NEWTON});
 */

/* A function to be minimized. value_and_gradient is required; the second derivatives are asked for
 * by Newton's methods, at the x of the last value_and_gradient. Anything may be behind it: a
 * recorded loss (wg_objective_new), or a caller's own code. */
typedef struct wg_objective {
    wg_tape *tape; /* where work memory comes from and errors are recorded; an error there stops the
                      minimizer */
    int64_t n;     /* variables, >= 1 */
    /* the relative error of a value, in which a descent cannot be told from an ascent, and of the
     * sums behind second derivatives; default 0 stands for 2^-46 */
    double noise;

    /* f(x), and its gradient to g; where f(x) is infinite or NaN, a line search takes shorter
     * steps. */
    double (*value_and_gradient)(const double x[], double g[], void *user);
    void (*hessian_product)(const double v[], double hv[], void *user); /* hv = H v */
    void (*hessian)(double h[], void *user);                            /* [n, n] */
    void *user;
} wg_objective;

/* wg_objective_new: a loss of one element as a function of n parameters, one after the other,
 * row-major. Records and compiles the gradient and, with `curvature`, the Hessian-vector product
 * along a tangent; the result is good until the tape is rewound past that. A call writes the
 * parameters. f32 parameters take x rounded; noise is then 2^-17.
 * Errors, on the tape: those of wg_grad, wg_hvp and wg_compile; WG_E_VALUE (no parameter). */
wg_objective wg_objective_new(wg_tensor *loss, wg_tensor *const params[], int n, bool curvature);

/* wg_objective_blocks: the same of a loss that is summed over row blocks: for whole data sets,
 * since the data are read once an evaluation, nothing as long as they are is kept, and the threads
 * of the tape's pool take part, and its ranks, with the same bits for any number of them. With
 * `curvature` the products are summed up likewise; the Hessian is n of them. Noise as above, by the
 * dtype of the first parameter. Errors, on the tape: WG_E_VALUE (no parameter, or one that is
 * computed), those of wg_blocks_derived. */
wg_objective wg_objective_blocks(wg_blocks *blocks, bool curvature);

/* Why a minimizer stopped. */
#define WG_STOP_LIST(X)                                                                            \
    X(WG_STOP_GRADIENT, "the gradient is as small as was asked for")                               \
    X(WG_STOP_VALUE, "the value falls no more than was asked for")                                 \
    X(WG_STOP_ITERATIONS, "as many iterations as were asked for")                                  \
    X(WG_STOP_LINE_SEARCH, "no step along the gradient lowers the value")                          \
    X(WG_STOP_NOT_FINITE, "the value or the gradient is NaN, infinite, or too large")              \
    X(WG_STOP_ERROR, "an error, which the tape has")

#define WG_STOP_ENUM(code, text) code,
typedef enum wg_stop { WG_STOP_LIST(WG_STOP_ENUM) } wg_stop;
#undef WG_STOP_ENUM

/* wg_stop_text: the reason in words; "?" for a number that is none. */
const char *wg_stop_text(wg_stop stop);

/* What a minimizer reached. */
typedef struct wg_optimum {
    wg_stop stop;
    int64_t iterations, evaluations; /* evaluations: calls of value_and_gradient */
    int64_t products;                /* calls of hessian_product, or of hessian */
    double start, value;             /* f where it began, and ended */
    double gradient_norm; /* the largest |element| of the gradient, or of the least subgradient */
} wg_optimum;

/* How the step from x is found. The first three take a step t d with t from a line search with
 * strong Wolfe conditions that begins at 1 (L-BFGS's first: at a step of length 1).
 * Sources: Liu, Nocedal 1989, "On the limited memory BFGS method for large scale optimization",
 *   alg. 2.1, scaling M3; Nocedal, Wright 2006, "Numerical optimization", alg. 7.1 (NEWTON) and 3.3
 *   (its shift c); Higham 1990, "Analysis of the Cholesky decomposition of a semi-definite matrix";
 *   Beck, Teboulle 2009, "A fast iterative shrinkage-thresholding algorithm", sec. 4; O'Donoghue,
 *   Candes 2015, "Adaptive restart for accelerated gradient schemes", sec. 3.2. */
typedef enum wg_minimizer_method {
    WG_LBFGS,  /* d = -H g, H the inverse of the Hessian as the last changes of x and g tell it */
    WG_NEWTON, /* H d = -g by conjugate gradients, from products H v alone, until
                * ||H d + g|| <= min(1/10, sqrt ||g||) ||g||; where curvature is not positive along
                * a direction, or no more than round-off, d ends before it */
    /* H d = -g by a Cholesky factorization of H [n, n] with pivots: for up to a few hundred
     * variables; for linear models with a log loss this is iteratively reweighted least squares.
     * Where H is singular (equal shifts of all biases of a softmax model change nothing) d is the
     * shortest solution; where H is indefinite, H + c I takes its place, with c raised until it is
     * not. */
    WG_NEWTON_EXACT,
    /* Accelerated proximal gradient steps with backtracking, restarted where they overshoot:
     * for convex f with penalties l1 and l2. */
    WG_PROXIMAL
} wg_minimizer_method;

typedef struct wg_minimizer_options {
    wg_minimizer_method method; /* default WG_LBFGS */
    int64_t iterations; /* of a run, at most, >= 1; default 0 stands for 1000, for Newton's methods
                                   100, for PROXIMAL 10000 */
    double tolerance;   /* of the largest |element| of the gradient, for PROXIMAL of the least
                         subgradient; > 0; default 0 stands for 1e-8 */
    double value_tolerance; /* stop where f falls by at most this times max(|f|, 1), for PROXIMAL
                               by a step without acceleration, too; >= 0; default 0: never */
    int64_t history;  /* LBFGS: pairs (s, y) of n doubles each kept, >= 1; default 0 stands for
                               10; where n > 2^23 / 10 for 2^23 / n, which are 128 MB, but for 3 */
    int64_t products; /* NEWTON: of an iteration, at most, >= 1; default 0 stands for 10 n, at least
                               100 */
    double l1, l2;    /* PROXIMAL: f + l1 sum |x| + (l2 / 2) sum x^2; >= 0, finite; default 0 */
    /* PROXIMAL: [n], factors >= 0 of l1 and l2 for each variable, copied; default NULL: all 1;
     * of wg_minimize: 0 for parameters of fewer than two dimensions (biases), else 1 */
    const double *penalized;
} wg_minimizer_options;

/* wg_minimize: the parameters that minimize a recorded loss, from where they are. Leaves nothing on
 * the tape; the loss is up to date after it, what else depends on the parameters needs a replay.
 * PROXIMAL: elements that the penalty keeps at 0 are 0 exactly; the result's gradient_norm is that
 * of the subgradient, g + l1 sign(w) where w != 0, and what |g| exceeds l1 by where w = 0 (g with
 * the l2 term); its value has the penalties in it. In scikit-learn's terms, n being the rows:
 *   ElasticNet(alpha, l1_ratio):  loss = (1/2) mean squared error, l1 = alpha * l1_ratio,
 *                                 l2 = alpha * (1 - l1_ratio);
 *   LogisticRegression(C, l1_ratio, penalty="elasticnet"):  loss = mean log loss without a penalty,
 *                                 l1 = l1_ratio / (n C), l2 = (1 - l1_ratio) / (n C).
 * Errors: WG_E_VALUE (options) and those of wg_objective_new, on the tape; stop is then
 * WG_STOP_ERROR. */
wg_optimum wg_minimize(wg_tensor *loss, wg_tensor *const params[], int n,
                       const wg_minimizer_options *options);

/* The same for any objective, in runs that can be resumed: what one has learnt is kept for the
 * next. NEWTON needs the objective's hessian_product, NEWTON_EXACT its hessian. */
typedef struct wg_minimizer wg_minimizer;

/* wg_minimizer_new: on the objective's tape; what the objective calls must live as long. Never
 * NULL: after an error (on the tape: WG_E_VALUE, WG_E_NOMEM) the result is inert: runs do nothing
 * and say WG_STOP_ERROR. */
wg_minimizer *wg_minimizer_new(const wg_objective *objective, const wg_minimizer_options *options);

/* wg_minimizer_run: minimize from x[n] on, and leave the minimum there; the last evaluation is at
 * that x. Ten runs of one iteration give the same bits as one run of ten. */
wg_optimum wg_minimizer_run(wg_minimizer *minimizer, double x[]);

/* wg_minimizer_state: what a checkpoint must keep besides x: "lbfgs.pairs", "lbfgs.s", "lbfgs.y";
 * "proximal.numbers", "proximal.from"; nothing for Newton's methods. False where there is no entry
 * i. */
bool wg_minimizer_state(wg_minimizer *minimizer, int64_t i, wg_state_entry *entry);

#ifdef __cplusplus
}
#endif
#endif
