#ifndef WG_OPS_REGISTRY_H
#define WG_OPS_REGISTRY_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The builders of ops, by header:
 *
 *     arithmetic.h   add sub mul div div_or_zero weigh neg scale shift affine square reciprocal abs
 *                    sign floor ceil round maximum minimum clamp
 *     functions.h    exp expm1 log log1p log2 log10 sqrt rsqrt pow pow_scalar sin cos tan asin acos
 *                    atan sinh cosh tanh asinh acosh atanh erf erfc hypot atan2 logaddexp xlogy
 *     activations.h  sigmoid softplus log_sigmoid relu leaky_relu elu relu6 selu softsign hardswish
 *                    mish gelu gelu_tanh silu
 *     compare.h      equal not_equal less less_equal greater greater_equal where cast
 *     layout.h       reshape squeeze expand_dims permute transpose t broadcast_to sum_to detach
 *     slice.h        slice split unstack pad concat stack
 *     index.h        gather_rows scatter_add_rows gather scatter_add one_hot
 *     reduce.h       sum mean prod amax amin argmax argmin var std norm, each with _over;
 *                    cosine_similarity
 *     softmax.h      softmax log_softmax logsumexp
 *     cumsum.h       cumsum
 *     diagonal.h     diagonal diagonal_embed
 *     random.h       dropout uniform normal categorical
 *     normalize.h    layer_norm
 *     matmul.h       matmul matmul_t dot outer
 *     sparse.h       csr_matmul
 *     loss.h         bce_with_logits cross_entropy nll hinge kl_divergence mse mae huber
 *     constants.h    arange linspace eye
 *     scan.h         scan
 *
 * Some record several ops; the rules of derivatives have ops of their own besides (relu_grad). */

/* wg_op_at: built-in op number i, from 0 on without gaps, in an order that is fixed for a version;
 * NULL behind the last. The leaves and the engine's own op are among them. */
const wg_op *wg_op_at(int i);

/* wg_op_find: the built-in op of that name; NULL where there is none. */
const wg_op *wg_op_find(const char *name);

#ifdef __cplusplus
}
#endif
#endif
