/* The linear layer, and activations by name. */
#include "models/layers.h"

#include "autograd/op.h"
#include "ops/elementwise.h"
#include "ops/matmul.h"

#include <string.h>

static wg_tensor *layers_fail(const wg_tensor *x, const char *wanted)
{
    return wg_fail(x->tape, WG_E_SHAPE, "linear: %s wanted: %s", wanted, wg_tensor_text(x).s);
}

/* A bias that broadcasts all the same, (n, 1) say, would be a model that nobody meant. */
wg_tensor *wg_linear(wg_tensor *X, wg_tensor *W, wg_tensor *b)
{
    if (!wg_is_inert(W) && W->shape.ndim != 2)
        return layers_fail(W, "a weight (out, in)");
    if (!wg_is_inert(W) && !wg_is_inert(b) &&
        (b->shape.ndim != 1 || b->shape.dim[0] != W->shape.dim[0]))
        return layers_fail(b, "a bias (out)");
    wg_tensor *y = wg_matmul_t(X, false, W, true);
    return b != NULL ? wg_add(y, b) : y;
}

static wg_tensor *layers_identity(wg_tensor *x)
{
    return x;
}

static wg_tensor *layers_leaky_relu(wg_tensor *x)
{
    return wg_leaky_relu(x, 0.01);
}

static wg_tensor *layers_elu(wg_tensor *x)
{
    return wg_elu(x, 1);
}

static const struct {
    const char *name;
    wg_tensor *(*apply)(wg_tensor *x);
} layers_activations[] = {
    {"identity", layers_identity},
    {"relu", wg_relu},
    {"leaky_relu", layers_leaky_relu},
    {"elu", layers_elu},
    {"gelu", wg_gelu},
    {"gelu_tanh", wg_gelu_tanh},
    {"silu", wg_silu},
    {"sigmoid", wg_sigmoid},
    {"tanh", wg_tanh},
    {"softplus", wg_softplus},
    {"mish", wg_mish},
    {"selu", wg_selu},
    {"relu6", wg_relu6},
    {"hardswish", wg_hardswish},
    {"softsign", wg_softsign},
};

enum { LAYERS_ACTIVATIONS = sizeof layers_activations / sizeof *layers_activations };

/* Its index in the table; LAYERS_ACTIVATIONS: none. */
static int layers_find(const char *name)
{
    int i = 0;
    while (i < LAYERS_ACTIVATIONS &&
           (name == NULL || strcmp(name, layers_activations[i].name) != 0))
        i++;
    return i;
}

bool wg_activation_known(const char *name)
{
    return layers_find(name) < LAYERS_ACTIVATIONS;
}

wg_tensor *wg_activation(const char *name, wg_tensor *x)
{
    int i = layers_find(name);
    if (i < LAYERS_ACTIVATIONS)
        return layers_activations[i].apply(x);
    return wg_fail(x != NULL ? x->tape : NULL, WG_E_VALUE, "activation: there is no '%s'",
                   name != NULL ? name : "");
}
