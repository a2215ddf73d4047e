#ifndef WG_MODELS_INITIALIZE_H
#define WG_MODELS_INITIALIZE_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* First values of a layer's parameters, by name. Draws are functions of (the tape's seed, key,
 * place), so they depend neither on order nor on other layers: give each parameter a key of its
 * own.
 *
 * For a weight (out, in), with U uniform on an interval and N normal:
 *   zeros            0
 *   xavier_uniform   U(+-(6 / (in + out))^(1/2))       Glorot, Bengio 2010, eq. 16
 *   xavier_normal    N(0, 2 / (in + out))              the same, eq. 12
 *   he_uniform       U(+-(6 / in)^(1/2))               He et al. 2015, eq. 10, for relu
 *   he_normal        N(0, 2 / in)                      the same
 *   torch            U(+-in^(-1/2))                    PyTorch's nn.Linear
 * Biases are 0; those of torch U(+-in^(-1/2)), too. */

/* wg_initialize_weight: fills a parameter (out, in).
 * Errors: WG_E_VALUE (no such name, no parameter), WG_E_SHAPE (no matrix), WG_E_NULL, on the tape;
 *         nothing is then written. Returns the tape's status. */
wg_status wg_initialize_weight(wg_tensor *weight, const char *how, uint64_t key);

/* wg_initialize_bias: fills the bias of a layer with `fan_in` inputs. Errors: as above, but for
 * shapes. */
wg_status wg_initialize_bias(wg_tensor *bias, const char *how, int64_t fan_in, uint64_t key);

#ifdef __cplusplus
}
#endif
#endif
