#ifndef WG_MODELS_LAYERS_H
#define WG_MODELS_LAYERS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* wg_linear: y = X W^T + b, with PyTorch's layout of W.
 * Shape:  X (..., in), W (out, in), b (out) or NULL -> y (..., out), one dtype.
 * Derivatives: dX = dy W, dW = dy^T X, db = the rows of dy summed.
 * Errors: those of wg_matmul and wg_add, on the tape; WG_E_SHAPE where W is no matrix
 *   or b not (out). */
wg_tensor *wg_linear(wg_tensor *X, wg_tensor *W, wg_tensor *b);

/* wg_activation: an activation by its name: identity, relu, leaky_relu (c = 0.01), elu (c = 1),
 * gelu, gelu_tanh, silu, sigmoid, tanh, softplus, mish, selu, relu6, hardswish, softsign.
 * Shape:  x any -> the same.
 * Errors: WG_E_VALUE, on the tape, for another name; those of the op. */
wg_tensor *wg_activation(const char *name, wg_tensor *x);

/* wg_activation_known: is it the name of one? */
bool wg_activation_known(const char *name);

#ifdef __cplusplus
}
#endif
#endif
