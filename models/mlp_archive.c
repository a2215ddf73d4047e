/* An MLP in an archive, and from one. */
#include "models/mlp_internal.h"

#include "models/files/archive_internal.h"
#include "models/layers.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

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
            return wg_mlp_inert();
    o->sizes = sizes;
    for (int i = 0; i < o->n_sizes - 1; i++)
        if (!mlp_weight_fits(a, o, i))
            return wg_mlp_inert();
    wg_mlp *mlp = wg_mlp_new(wg_archive_tape(a), o);
    return wg_params_load(mlp->params, a, NULL) == WG_OK ? mlp : wg_mlp_inert();
}

wg_mlp *wg_mlp_load(const wg_archive *a)
{
    wg_mlp_options o = {0};
    if (wg_archive_tape(a) == NULL || wg_tape_status(wg_archive_tape(a)) != WG_OK ||
        !mlp_read_options(a, &o))
        return wg_mlp_inert();
    int64_t *sizes = wg_temporary(wg_archive_tape(a), o.n_sizes, sizeof *sizes);
    if (sizes == NULL)
        return wg_mlp_inert();
    wg_mlp *mlp = mlp_from(a, &o, sizes);
    wg_temporary_free(wg_archive_tape(a), sizes);
    return mlp;
}
