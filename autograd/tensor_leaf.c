/* Leaves: making parameters, inputs and constants, and writing them. */
#include "autograd/tape_internal.h"

#include "autograd/rng.h"

#include <math.h>
#include <string.h>

const wg_op wg_op_parameter = {.name = "parameter", .formula = "x", .flags = WG_OP_LEAF};
const wg_op wg_op_input = {.name = "input", .formula = "x", .flags = WG_OP_LEAF};
const wg_op wg_op_constant = {.name = "constant", .formula = "x", .flags = WG_OP_LEAF};
const wg_op wg_op_abstract = {.name = "abstract", .formula = "x", .flags = WG_OP_LEAF};

/* ---- Making leaves -------------------------------------------------------------------------------- */

bool wg_dtype_asked(wg_tape *t, const char *who, wg_dtype *dtype)
{
    if (*dtype == WG_DTYPE_DEFAULT)
        *dtype = WG_F64;
    if (*dtype == WG_WIDE && !(t != NULL && t->wide))
        wg_fail(t, WG_E_DTYPE, "%s: wide floats exist only on copies made by wg_tape_copy", who);
    else if ((unsigned)*dtype >= WG_DTYPES)
        wg_fail(t, WG_E_DTYPE, "%s: %d is no dtype", who, (int)*dtype);
    else
        return true;
    return false;
}

static bool leaf_shape(wg_tensor *x, wg_dtype dtype, int ndim, const int64_t *dim)
{
    if (!wg_dtype_asked(x->tape, x->name != NULL ? x->name : x->op->name, &dtype))
        return false;
    if (ndim < 0 || ndim > WG_MAX_DIMS)
        return wg_op_fail(x, WG_E_SHAPE, "%d dimensions, outside 0..%d", ndim, WG_MAX_DIMS);
    if (ndim > 0 && dim == NULL)
        return wg_op_fail(x, WG_E_NULL, "the sizes are NULL");
    x->dtype = dtype;
    x->shape.ndim = ndim;
    for (int i = 0; i < ndim; i++)
        x->shape.dim[i] = dim[i];
    return wg_node_size(x);
}

/* A leaf with its name, shape and size, not yet pushed; NULL where that fails. */
static wg_tensor *leaf_new(wg_tape *t, const wg_op *op, const char *name, wg_dtype dtype, int ndim,
                           const int64_t *dim)
{
    wg_tensor *x = wg_node_new(t, op, NULL, 0, NULL);
    if (x == NULL)
        return NULL;
    if (name != NULL && (x->name = wg_tape_copy_text(t, name)) == NULL)
        return NULL;
    return leaf_shape(x, dtype, ndim, dim) ? x : NULL;
}

/* What a builder does once its leaf is complete, or has failed. */
static wg_tensor *leaf_finish(wg_tape *t, wg_tensor *x, bool complete, wg_arena_mark height)
{
    if (complete && wg_node_push(x))
        return x;
    wg_arena_rewind(&t->arena, height);
    return &t->inert;
}

static bool leaf_is_float(const wg_tensor *x)
{
    return x->dtype != WG_I64 || wg_op_fail(x, WG_E_DTYPE, "i64; derivatives need f32 or f64");
}

static bool leaf_zeros(wg_tensor *x)
{
    if (!wg_node_value(x))
        return false;
    memset(x->data, 0, (size_t)x->size * wg_dtype_size(x->dtype));
    return true;
}

wg_tensor *wg_param(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "parameter: the tape is NULL");
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = leaf_new(t, &wg_op_parameter, name, dtype, ndim, dim);
    bool complete = x != NULL && leaf_is_float(x) && leaf_zeros(x);
    if (complete)
        x->state = WG_NODE_LIVE;
    return leaf_finish(t, x, complete, height);
}

/* Values that a tape borrows are never written, though `data` has no const. */
static void leaf_borrow(wg_tensor *x, const void *data)
{
    static const double empty = 0;
    union {
        const void *constant;
        void *variable;
    } pointer = {.constant = data != NULL ? data : &empty};
    x->data = pointer.variable;
}

static bool leaf_input(wg_tensor *x, const void *data)
{
    if (data == NULL && x->size > 0)
        return wg_op_fail(x, WG_E_NULL, "the data are NULL");
    leaf_borrow(x, data);
    x->state = WG_NODE_LIVE;
    return true;
}

wg_tensor *wg_input(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim,
                    const void *data)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "input: the tape is NULL");
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = leaf_new(t, &wg_op_input, name, dtype, ndim, dim);
    return leaf_finish(t, x, x != NULL && leaf_input(x, data), height);
}

static bool leaf_copy(wg_tensor *x, const void *data)
{
    if (data == NULL && x->size > 0)
        return wg_op_fail(x, WG_E_NULL, "the data are NULL");
    if (!wg_node_value(x))
        return false;
    if (x->size > 0)
        memcpy(x->data, data, (size_t)x->size * wg_dtype_size(x->dtype));
    return true;
}

wg_tensor *wg_constant(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, const void *data)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "constant: the tape is NULL");
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = leaf_new(t, &wg_op_constant, NULL, dtype, ndim, dim);
    return leaf_finish(t, x, x != NULL && leaf_copy(x, data), height);
}

static bool leaf_fill(wg_tensor *x, double value)
{
    /* 2^63 itself is no i64; the comparison is false for NaN. */
    if (x->dtype == WG_I64 && !(value >= -0x1p63 && value < 0x1p63))
        return wg_op_fail(x, WG_E_VALUE, "%g is no i64", value);
    if (!wg_node_value(x))
        return false;
    for (int64_t i = 0; i < x->size; i++)
        switch (x->dtype) {
        case WG_F32: ((float *)x->data)[i] = (float)value; break;
        case WG_F64: ((double *)x->data)[i] = value; break;
        case WG_I64: ((int64_t *)x->data)[i] = (int64_t)value; break;
#if WG_HAS_WIDE
        case WG_WIDE: ((wg_wide *)x->data)[i] = (wg_wide)value; break;
#endif
        default: break;
        }
    return true;
}

wg_tensor *wg_full(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double value)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "constant: the tape is NULL");
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = leaf_new(t, &wg_op_constant, NULL, dtype, ndim, dim);
    return leaf_finish(t, x, x != NULL && leaf_fill(x, value), height);
}

static void leaf_store(wg_tensor *x, int64_t i, double value)
{
    if (x->dtype == WG_F32)
        ((float *)x->data)[i] = (float)value;
    else
        ((double *)x->data)[i] = value;
}

/* A constant of zeros, f32 or f64, that is yet to be filled. */
static wg_tensor *leaf_real(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim)
{
    wg_tensor *x = wg_full(t, dtype, ndim, dim, 0);
    if (wg_is_inert(x) || x->dtype != WG_I64)
        return x;
    return wg_fail(t, WG_E_DTYPE, "constant: doubles, to be f32 or f64, wanted");
}

wg_tensor *wg_constant_from(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim,
                            const double values[])
{
    wg_tensor *x = leaf_real(t, dtype, ndim, dim);
    if (wg_is_inert(x))
        return x;
    if (values == NULL && x->size > 0)
        return wg_fail(t, WG_E_NULL, "constant: the values are NULL");
    for (int64_t i = 0; i < x->size; i++)
        leaf_store(x, i, values[i]);
    return x;
}

wg_tensor *wg_scalar(wg_tape *t, wg_dtype dtype, double value)
{
    return wg_full(t, dtype, WG_SCALAR, value);
}

static wg_tensor *leaf_full_like(const wg_tensor *x, double value)
{
    if (wg_is_inert(x))
        return wg_fail(x != NULL ? x->tape : NULL, WG_E_NULL, "constant: like an inert tensor");
    return wg_full(x->tape, x->dtype, x->shape.ndim, x->shape.dim, value);
}

wg_tensor *wg_zeros_like(const wg_tensor *x)
{
    return leaf_full_like(x, 0);
}

wg_tensor *wg_ones_like(const wg_tensor *x)
{
    return leaf_full_like(x, 1);
}

wg_tensor *wg_abstract(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "abstract: the tape is NULL");
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = leaf_new(t, &wg_op_abstract, NULL, dtype, ndim, dim);
    if (x != NULL)
        x->state = WG_NODE_ABSTRACT;
    return leaf_finish(t, x, x != NULL, height);
}

wg_tensor *wg_rename(wg_tensor *x, const char *name)
{
    if (wg_is_inert(x) || name == NULL)
        return x != NULL ? x : &wg_null_tape()->inert;
    char *copy = wg_tape_copy_text(x->tape, name);
    if (copy != NULL && wg_undo_note(x->tape, &x, 1))
        x->name = copy;
    return x;
}

/* ---- Writing leaves ------------------------------------------------------------------------------- */

/* The status of an attempt to write x that did nothing: never WG_OK. */
static wg_status leaf_not_written(const wg_tensor *x)
{
    return x != NULL && x->tape->status != WG_OK ? x->tape->status : WG_E_NULL;
}

wg_status wg_bind(wg_tensor *input, const void *data)
{
    if (wg_is_inert(input) || input->tape->status != WG_OK)
        return leaf_not_written(input);
    if (input->op != &wg_op_input)
        wg_op_fail(input, WG_E_VALUE, "only an input can be bound to other memory");
    else if (leaf_input(input, data))
        wg_leaf_written(input);
    return input->tape->status;
}

void *wg_edit(wg_tensor *param)
{
    if (wg_is_inert(param) || param->tape->status != WG_OK)
        return NULL;
    if (param->op != &wg_op_parameter) {
        wg_op_fail(param, WG_E_VALUE, "only a parameter can be written");
        return NULL;
    }
    wg_leaf_written(param);
    return param->data;
}

wg_status wg_write(wg_tensor *param, const void *values, size_t bytes)
{
    if (wg_is_inert(param))
        return leaf_not_written(param);
    size_t size = (size_t)param->size * wg_dtype_size(param->dtype);
    if (bytes != size)
        wg_op_fail(param, WG_E_VALUE, "%zu bytes given for a parameter of %zu", bytes, size);
    else if (values == NULL && size > 0)
        wg_op_fail(param, WG_E_NULL, "the values are NULL");
    else {
        void *data = wg_edit(param);
        if (data != NULL && size > 0)
            memmove(data, values, size); /* the values may be the parameter's own */
    }
    return param->tape->status;
}

static void leaf_fill_normal(wg_tensor *x, double mean, double deviation, uint64_t key)
{
    uint64_t seed = x->tape->options.seed;
    for (int64_t i = 0; i < x->size; i++)
        leaf_store(x, i, mean + deviation * wg_random_normal(seed, key, (uint64_t)i));
}

static void leaf_fill_uniform(wg_tensor *x, double low, double high, uint64_t key)
{
    uint64_t seed = x->tape->options.seed;
    for (int64_t i = 0; i < x->size; i++)
        leaf_store(x, i, low + (high - low) * wg_random_uniform(seed, key, (uint64_t)i));
}

wg_status wg_fill_normal(wg_tensor *param, double mean, double deviation, uint64_t key)
{
    if (wg_edit(param) == NULL)
        return leaf_not_written(param);
    leaf_fill_normal(param, mean, deviation, key);
    return param->tape->status;
}

wg_status wg_fill_uniform(wg_tensor *param, double low, double high, uint64_t key)
{
    if (wg_edit(param) == NULL)
        return leaf_not_written(param);
    leaf_fill_uniform(param, low, high, key);
    return param->tape->status;
}

wg_tensor *wg_constant_normal(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double mean,
                              double deviation, uint64_t key)
{
    wg_tensor *x = leaf_real(t, dtype, ndim, dim);
    if (!wg_is_inert(x))
        leaf_fill_normal(x, mean, deviation, key);
    return x;
}

wg_tensor *wg_constant_uniform(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double low,
                               double high, uint64_t key)
{
    wg_tensor *x = leaf_real(t, dtype, ndim, dim);
    if (!wg_is_inert(x))
        leaf_fill_uniform(x, low, high, key);
    return x;
}
