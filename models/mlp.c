/* Multilayer perceptrons: parameters, forward, what training sees of them, archives. */
#include "models/mlp.h"

#include "autograd/op.h"
#include "autograd/rng.h"
#include "models/files/archive_internal.h"
#include "models/initialize.h"
#include "models/layers.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "ops/normalize.h"
#include "ops/random.h"
#include "ops/sparse.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

typedef struct wg_mlp_layer {
    wg_tensor *weight, *bias; /* (out, in), (out) */
    wg_tensor *gain, *shift;  /* of layer norm, (out); NULL: none */
    uint64_t key;             /* of dropout */
} wg_mlp_layer;

static const wg_params mlp_no_params = {.tape = NULL};
static const wg_mlp mlp_inert = {.params = &mlp_no_params};

/* Functions that take a model to write it look at its tape first. */
static wg_mlp *mlp_none(void)
{
    return (wg_mlp *)(uintptr_t)&mlp_inert;
}

static bool mlp_is_inert(const wg_mlp *mlp)
{
    return mlp == NULL || mlp->tape == NULL;
}

/* ---- Making one. ----------------------------------------------------------------------------- */

static bool mlp_options_fit(wg_tape *t, const wg_mlp_options *o)
{
    if (o->sizes == NULL || o->n_sizes < 2)
        wg_fail(t, WG_E_VALUE, "mlp: at least two sizes wanted");
    for (int i = 0; o->sizes != NULL && i < o->n_sizes; i++)
        if (o->sizes[i] < 1)
            wg_fail(t, WG_E_VALUE, "mlp: size %d is %lld", i, (long long)o->sizes[i]);
    if (!wg_activation_known(o->activation))
        wg_fail(t, WG_E_VALUE, "mlp: there is no activation '%s'", o->activation);
    if (!(o->dropout >= 0 && o->dropout < 1))
        wg_fail(t, WG_E_VALUE, "mlp: dropout is %g, but from 0 to less than 1 wanted", o->dropout);
    wg_dtype dtype = o->dtype;
    if (wg_dtype_asked(t, "mlp", &dtype) && dtype == WG_I64)
        wg_fail(t, WG_E_DTYPE, "mlp: f32 or f64 wanted");
    return wg_tape_status(t) == WG_OK;
}

/* The tape's own copies, and names for defaults. */
static wg_mlp_options mlp_own_options(wg_tape *t, const wg_mlp_options *options)
{
    wg_mlp_options o = *options;
    if (o.dtype == WG_DTYPE_DEFAULT)
        o.dtype = WG_F64;
    int64_t *sizes = wg_tape_take(t, (size_t)o.n_sizes * sizeof *sizes);
    if (sizes != NULL)
        memcpy(sizes, options->sizes, (size_t)o.n_sizes * sizeof *sizes);
    o.sizes = sizes;
    o.activation = wg_tape_copy_text(t, o.activation);
    o.init = wg_tape_copy_text(t, o.init);
    return o;
}

/* Parameter "fc1.weight", noted in the list. */
static wg_tensor *mlp_add(const wg_mlp *mlp, wg_params *params, const char *kind, int layer,
                          const char *part, int ndim, const int64_t *dim)
{
    char name[64];
    snprintf(name, sizeof name, "%s%d.%s", kind, layer + 1, part);
    return wg_params_add(params, wg_param(mlp->tape, name, mlp->options.dtype, ndim, dim));
}

static void mlp_fill_ones(wg_tensor *p)
{
    wg_fill_uniform(p, 1, 1, 0);
}

/* Streams of random numbers: three a layer. */
static void mlp_add_layer(wg_mlp *mlp, wg_params *params, int i)
{
    const wg_mlp_options *o = &mlp->options;
    int64_t in = o->sizes[i], out = o->sizes[i + 1];
    wg_mlp_layer *layer = &mlp->layer[i];
    uint64_t stream = 3 * (uint64_t)i;
    layer->weight = mlp_add(mlp, params, "fc", i, "weight", WG_SHAPE(out, in));
    layer->bias = mlp_add(mlp, params, "fc", i, "bias", WG_SHAPE(out));
    layer->key = wg_random_bits(o->seed, stream, 0);
    wg_initialize_weight(layer->weight, o->init, wg_random_bits(o->seed, stream + 1, 0));
    wg_initialize_bias(layer->bias, o->init, in, wg_random_bits(o->seed, stream + 2, 0));
    if (!o->layer_norm || i == o->n_sizes - 2)
        return;
    layer->gain = mlp_add(mlp, params, "norm", i, "weight", WG_SHAPE(out));
    layer->shift = mlp_add(mlp, params, "norm", i, "bias", WG_SHAPE(out));
    mlp_fill_ones(layer->gain);
}

static void mlp_add_step(wg_mlp *mlp)
{
    if (mlp->options.dropout == 0)
        return;
    mlp->step_value = wg_tape_take(mlp->tape, sizeof *mlp->step_value);
    mlp->step = wg_input(mlp->tape, "mlp.step", WG_I64, WG_SCALAR, mlp->step_value);
}

wg_mlp *wg_mlp_new(wg_tape *t, const wg_mlp_options *options)
{
    if (t == NULL || options == NULL) {
        wg_fail(t, WG_E_NULL, "mlp: no tape or no options");
        return mlp_none();
    }
    wg_mlp_options o = *options;
    o.activation = o.activation != NULL ? o.activation : "relu";
    o.init = o.init != NULL ? o.init : "torch";
    if (wg_tape_status(t) != WG_OK || !mlp_options_fit(t, &o))
        return mlp_none();
    size_t layers = (size_t)o.n_sizes - 1;
    wg_mlp *mlp = wg_tape_take(t, sizeof *mlp);
    wg_mlp_layer *layer = wg_tape_take(t, layers * sizeof *layer);
    wg_params *params = wg_params_new(t);
    o = mlp_own_options(t, &o);
    if (wg_tape_status(t) != WG_OK)
        return mlp_none();
    *mlp = (wg_mlp){.tape = t, .options = o, .layer = layer, .params = params};
    for (int i = 0; i < o.n_sizes - 1; i++)
        mlp_add_layer(mlp, params, i);
    mlp_add_step(mlp);
    return wg_tape_status(t) == WG_OK ? mlp : mlp_none();
}

/* ---- Using it. ------------------------------------------------------------------------------- */

static wg_tensor *mlp_hidden(const wg_mlp *mlp, int i, wg_tensor *x, bool training)
{
    const wg_mlp_layer *layer = &mlp->layer[i];
    if (layer->gain != NULL)
        x = wg_layer_norm(x, layer->gain, layer->shift, 1e-5);
    x = wg_activation(mlp->options.activation, x);
    if (training && mlp->step != NULL)
        x = wg_dropout(x, mlp->options.dropout, mlp->options.seed, layer->key, mlp->step);
    return x;
}

/* What follows the first linear layer, which has given x. */
static wg_tensor *mlp_rest(const wg_mlp *mlp, wg_tensor *x, bool training)
{
    for (int i = 0; i < mlp->options.n_sizes - 2; i++) {
        const wg_mlp_layer *next = &mlp->layer[i + 1];
        x = wg_linear(mlp_hidden(mlp, i, x, training), next->weight, next->bias);
    }
    return x;
}

wg_tensor *wg_mlp_forward(const wg_mlp *mlp, wg_tensor *X, bool training)
{
    if (mlp_is_inert(mlp))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "mlp: an inert model");
    if (!wg_is_inert(X) && X->dtype != mlp->options.dtype)
        return wg_fail(X->tape, WG_E_DTYPE,
                       "mlp: the rows are %s and the model %s: .dtype = wg_dtype_of(X) in its "
                       "options, or wg_cast the rows",
                       wg_dtype_name(X->dtype), wg_dtype_name(mlp->options.dtype));
    return mlp_rest(mlp, wg_linear(X, mlp->layer[0].weight, mlp->layer[0].bias), training);
}

static wg_tensor *mlp_forward_csr(const wg_mlp *mlp, const wg_csr *X, bool training)
{
    if (mlp_is_inert(mlp) || X == NULL)
        return wg_fail(mlp_is_inert(mlp) ? NULL : mlp->tape, WG_E_NULL,
                       "mlp: an inert model, or no rows");
    wg_csr wide = *X;
    if (wide.columns < mlp->options.sizes[0])
        wide.columns = mlp->options.sizes[0];
    wg_tensor *product = wg_csr_matmul(&wide, false, wg_transpose(mlp->layer[0].weight, 0, 1));
    return mlp_rest(mlp, wg_add(product, mlp->layer[0].bias), training);
}

wg_status wg_mlp_set_step(wg_mlp *mlp, int64_t step)
{
    if (mlp_is_inert(mlp))
        return WG_E_NULL;
    if (mlp->step == NULL)
        return wg_tape_status(mlp->tape);
    *mlp->step_value = step;
    return wg_bind(mlp->step, mlp->step_value);
}

/* ---- Training it. ---------------------------------------------------------------------------- */

static wg_tensor *mlp_outputs(void *user, const wg_dataset *rows, bool training)
{
    return rows->sparse != NULL ? mlp_forward_csr(user, rows->sparse, training)
                                : wg_mlp_forward(user, rows->X, training);
}

static void mlp_step(void *user, int64_t step)
{
    wg_mlp_set_step(user, step);
}

wg_fit_model wg_mlp_fit_model(wg_mlp *mlp, const wg_head *head)
{
    if (mlp == NULL)
        mlp = mlp_none();
    return (wg_fit_model){.head = head,
                          .params = mlp->params->param,
                          .n_params = mlp->params->n,
                          .outputs = mlp_outputs,
                          .takes_sparse = true,
                          .linear_first = true,
                          .set_step = mlp->step != NULL ? mlp_step : NULL,
                          .user = mlp};
}

/* ---- Into an archive and back. --------------------------------------------------------------- */

enum { MLP_SIZES = 1 << 16 }; /* more in a file are no model */

static char *mlp_size_name(char name[40], int i)
{
    snprintf(name, 40, "mlp.sizes.%d", i);
    return name;
}

wg_status wg_mlp_save(const wg_mlp *mlp, wg_archive *a)
{
    if (mlp == NULL || mlp->tape == NULL)
        return wg_archive_put_tensor(a, "mlp", NULL);
    const wg_mlp_options *o = &mlp->options;
    char name[40];
    wg_archive_put_integer(a, "mlp.sizes", o->n_sizes);
    for (int i = 0; i < o->n_sizes; i++)
        wg_archive_put_integer(a, mlp_size_name(name, i), o->sizes[i]);
    wg_archive_put_string(a, "mlp.activation", o->activation);
    wg_archive_put_real(a, "mlp.dropout", o->dropout);
    wg_archive_put_integer(a, "mlp.layer_norm", o->layer_norm);
    wg_archive_put_string(a, "mlp.dtype", wg_dtype_name(o->dtype));
    /* all 64 bits of the seed, as two numbers that are not negative */
    wg_archive_put_integer(a, "mlp.seed.high", (int64_t)(o->seed >> 32));
    wg_archive_put_integer(a, "mlp.seed.low", (int64_t)(o->seed & UINT32_MAX));
    return wg_params_save(mlp->params, a, NULL);
}

/* Reads all but the sizes. */
static bool mlp_read_options(const wg_archive *a, wg_mlp_options *o)
{
    int64_t n, norm, high, low;
    if (!wg_archive_integer(a, "mlp", "mlp.sizes", 2, MLP_SIZES, &n) ||
        !wg_archive_integer(a, "mlp", "mlp.layer_norm", 0, 1, &norm) ||
        !wg_archive_integer(a, "mlp", "mlp.seed.high", 0, UINT32_MAX, &high) ||
        !wg_archive_integer(a, "mlp", "mlp.seed.low", 0, UINT32_MAX, &low) ||
        !wg_archive_real(a, "mlp", "mlp.dropout", 0, 1 - DBL_EPSILON / 2, &o->dropout))
        return false;
    const char *dtype = wg_archive_string(a, "mlp.dtype");
    o->n_sizes = (int)n;
    o->layer_norm = norm == 1;
    o->seed = (uint64_t)high << 32 | (uint64_t)low;
    o->activation = wg_archive_string(a, "mlp.activation");
    o->dtype = dtype != NULL && strcmp(dtype, "f64") == 0 ? WG_F64 : WG_F32;
    o->init = "zeros";
    if (dtype != NULL && wg_activation_known(o->activation) &&
        strcmp(dtype, wg_dtype_name(o->dtype)) == 0)
        return true;
    wg_archive_fail(a, "mlp: 'mlp.activation' or 'mlp.dtype' is missing or unknown");
    return false;
}

/* Is layer i's weight there as the sizes say? What a file declares is compared with the tensors
 * that it holds before memory for a model is taken. */
static bool mlp_weight_fits(const wg_archive *a, const wg_mlp_options *o, int i)
{
    char name[40];
    snprintf(name, sizeof name, "fc%d.weight", i + 1);
    const wg_tensor *x = wg_archive_tensor(a, name);
    if (x != NULL && x->dtype == o->dtype && x->shape.ndim == 2 &&
        x->shape.dim[0] == o->sizes[i + 1] && x->shape.dim[1] == o->sizes[i])
        return true;
    wg_archive_fail(a, "mlp: '%s' (%lld, %lld) %s is missing, or is another", name,
                    (long long)o->sizes[i + 1], (long long)o->sizes[i], wg_dtype_name(o->dtype));
    return false;
}

static wg_mlp *mlp_from(const wg_archive *a, wg_mlp_options *o, int64_t *sizes)
{
    char name[40];
    for (int i = 0; i < o->n_sizes; i++)
        if (!wg_archive_integer(a, "mlp", mlp_size_name(name, i), 1, INT64_MAX, &sizes[i]))
            return mlp_none();
    o->sizes = sizes;
    for (int i = 0; i < o->n_sizes - 1; i++)
        if (!mlp_weight_fits(a, o, i))
            return mlp_none();
    wg_mlp *mlp = wg_mlp_new(wg_archive_tape(a), o);
    return wg_params_load(mlp->params, a, NULL) == WG_OK ? mlp : mlp_none();
}

wg_mlp *wg_mlp_load(const wg_archive *a)
{
    wg_mlp_options o = {0};
    if (wg_archive_tape(a) == NULL || wg_tape_status(wg_archive_tape(a)) != WG_OK ||
        !mlp_read_options(a, &o))
        return mlp_none();
    int64_t *sizes = wg_temporary(wg_archive_tape(a), o.n_sizes, sizeof *sizes);
    if (sizes == NULL)
        return mlp_none();
    wg_mlp *mlp = mlp_from(a, &o, sizes);
    wg_temporary_free(wg_archive_tape(a), sizes);
    return mlp;
}
