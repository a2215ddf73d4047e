#ifndef WG_MODELS_MLP_H
#define WG_MODELS_MLP_H

#include "models/files/params.h"
#include "models/train/fit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A multilayer perceptron: linear layers, and between them, in this order, layer norm (if asked
 * for), an activation, and dropout (if asked for, and in training). What comes out of the last
 * layer are logits: no activation is applied to them. Parameters have PyTorch's layout and names:
 * fc1.weight (out, in), fc1.bias (out), norm1.weight, norm1.bias, fc2.weight, ...
 *
 *     wg_mlp *mlp = wg_mlp_new(t, &(wg_mlp_options){.sizes = (int64_t[]){2, 32, 2}, .n_sizes = 3});
 *     wg_tensor *loss = wg_cross_entropy(wg_mlp_forward(mlp, X, true), y);
 *     wg_tensor *test = wg_cross_entropy(wg_mlp_forward(mlp, X_test, false), y_test);
 */
typedef struct wg_mlp_options {
    const int64_t *sizes;   /* [n_sizes], each > 0: columns of X, hidden units ..., logits */
    int n_sizes;            /* >= 2; there are n_sizes - 1 linear layers */
    const char *activation; /* of the hidden layers, see wg_activation; default NULL: relu */
    double dropout;   /* share of hidden units that a training step drops, in [0, 1); default 0 */
    bool layer_norm;  /* default false; true: with gain and bias, epsilon 1e-5 */
    const char *init; /* of the parameters, see models/initialize.h; default NULL: torch */
    wg_dtype dtype;   /* that of the rows, wg_dtype_of(X); default f64, which tables are, too */
    uint64_t seed;    /* with the tape's seed, of the parameters; alone, of dropout; default 0 */
} wg_mlp_options;

/* The first members are to be read, the rest is the library's own. */
typedef struct wg_mlp {
    wg_tape *tape;          /* NULL: inert */
    wg_mlp_options options; /* as given; no size or name is the caller's memory, and no default 0 */
    const wg_params *params; /* in the order in which they stand above; none of an inert model */

    struct wg_mlp_layer *layer; /* [n_sizes - 1] */
    wg_tensor *step;            /* an i64 input that borrows step_value; NULL: no dropout */
    int64_t *step_value;
} wg_mlp;

/* wg_mlp_new: the parameters on the tape, with their first values; the model is recorded by
 * wg_mlp_forward. A layer's draws do not depend on other layers.
 * Errors, on the tape: WG_E_VALUE (an option), WG_E_DTYPE, WG_E_NULL, WG_E_NOMEM. Never NULL: the
 *   model is then inert, and so is what is made with it. */
wg_mlp *wg_mlp_new(wg_tape *t, const wg_mlp_options *options);

/* wg_mlp_forward: the logits for X, recorded on the tape; as often as wanted, for training rows
 * and others.
 * Shape:  X (..., sizes[0]) of the model's dtype -> (..., sizes[n_sizes - 1]).
 * Errors: those of wg_linear, wg_layer_norm, wg_dropout; WG_E_NULL for an inert model. */
wg_tensor *wg_mlp_forward(const wg_mlp *mlp, wg_tensor *X, bool training);

/* wg_mlp_set_step: which training step it is; what dropout drops is a function of (seed, layer,
 * step), so it is set before each. What was recorded for training becomes stale. Without dropout:
 * nothing to do. Returns the tape's status. */
wg_status wg_mlp_set_step(wg_mlp *mlp, int64_t step);

/* wg_mlp_fit_model: an MLP as what wg_fit trains; its last size is the columns of its outputs. Of
 * sparse rows the first layer is a sparse product, without the zeros; columns beyond theirs are
 * zero. */
wg_fit_model wg_mlp_fit_model(wg_mlp *mlp, const wg_head *head);

/* wg_mlp_save: the options as strings "mlp.sizes.0", "mlp.activation", ..., the parameters by their
 * names. Returns the tape's status. */
wg_status wg_mlp_save(const wg_mlp *mlp, wg_archive *a);

/* wg_mlp_load: a new model on the archive's tape, with these options and values; inert after an
 * error. Errors, on the tape: WG_E_FORMAT (a string that is missing or wrong, a parameter that is
 *   missing or has another shape or dtype), those of wg_mlp_new. */
wg_mlp *wg_mlp_load(const wg_archive *a);

#ifdef __cplusplus
}
#endif
#endif
