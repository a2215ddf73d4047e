#ifndef WG_MODELS_OPTIM_MINIMIZE_H
#define WG_MODELS_OPTIM_MINIMIZE_H

#include "autograd/compile/blocks.h"
#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the minimizers of whole objectives share: L-BFGS (models/optim/lbfgs.h), Newton's methods
 * (models/optim/newton.h) and proximal gradient (models/optim/proximal.h). They work in double, whatever the dtype of
 * the parameters is. */

/* A function to be minimized. value_and_gradient is required; the second derivatives are asked for by
 * Newton's methods, at the x of the last value_and_gradient. Anything may be behind it: a recorded loss
 * (wg_objective_new), or a caller's own code. */
typedef struct wg_objective {
    wg_tape *tape; /* where work memory comes from and errors are recorded; an error there stops the
                      minimizer */
    int64_t n;     /* variables, >= 1 */
    double
        noise; /* the relative error of a value, in which a descent cannot be told from an ascent;
                      default 0 stands for 2^-46 */

    /* f(x), and its gradient to g; where f(x) is infinite or NaN, a line search takes shorter steps. */
    double (*value_and_gradient)(const double x[], double g[], void *user);
    void (*hessian_product)(const double v[], double hv[], void *user); /* hv = H v */
    void (*hessian)(double h[], void *user);                            /* [n, n] */
    void *user;
} wg_objective;

/* wg_objective_new: a loss of one element as a function of n parameters, one after the other, row-major.
 * Records and compiles the gradient and, with `curvature`, the Hessian-vector product along a tangent; the
 * result is good until the tape is rewound past that. A call writes the parameters.
 * f32 parameters take x rounded; noise is then 2^-17.
 * Errors, on the tape: those of wg_grad, wg_hvp and wg_compile; WG_E_VALUE (no parameter). */
wg_objective wg_objective_new(wg_tensor *loss, wg_tensor *const params[], int n, bool curvature);

/* wg_objective_blocks: the same of a loss that is summed over row blocks: for whole data sets, since the data
 * are read once an evaluation, nothing as long as they are is kept, and the threads of the tape's pool take
 * part, with the same bits for any number of them. Without second derivatives. Noise as above, by the dtype
 * of the first parameter. Errors, on the tape: WG_E_VALUE (no parameter, or one that is computed). */
wg_objective wg_objective_blocks(wg_blocks *blocks);

/* wg_params_size: how many elements n parameters have. wg_params_to_vector: their values, one parameter
 * after the other. wg_vector_to_params: and back, rounded to their dtype. */
int64_t wg_params_size(wg_tensor *const params[], int n);
void wg_params_to_vector(wg_tensor *const params[], int n, double x[]);
void wg_vector_to_params(const double x[], wg_tensor *const params[], int n);

/* Why a minimizer stopped. */
#define WG_STOP_LIST(X)                                                                            \
    X(WG_STOP_GRADIENT, "the gradient is as small as was asked for")                               \
    X(WG_STOP_VALUE, "the value falls no more than was asked for")                                 \
    X(WG_STOP_ITERATIONS, "as many iterations as were asked for")                                  \
    X(WG_STOP_LINE_SEARCH, "no step along the gradient lowers the value")                          \
    X(WG_STOP_NOT_FINITE, "the value or the gradient is NaN or infinite")                          \
    X(WG_STOP_ERROR, "an error, which the tape has")

#define WG_STOP_ENUM(code, text) code,
typedef enum wg_stop { WG_STOP_LIST(WG_STOP_ENUM) } wg_stop;
#undef WG_STOP_ENUM

/* wg_stop_name: "WG_STOP_GRADIENT". wg_stop_text: the reason in words. "?" for a number that is none. */
const char *wg_stop_name(wg_stop stop);
const char *wg_stop_text(wg_stop stop);

/* What a minimizer reached. */
typedef struct wg_optimum {
    wg_stop stop;
    int64_t iterations, evaluations; /* evaluations: calls of value_and_gradient */
    int64_t products;                /* calls of hessian_product, or of hessian */
    double value;
    double
        gradient_norm; /* the largest |element| of the gradient; proximal: of the least subgradient */
} wg_optimum;

#ifdef __cplusplus
}
#endif
#endif
