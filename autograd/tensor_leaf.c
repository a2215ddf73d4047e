/* Leaves: making parameters, inputs and constants, and writing them. */
#include "autograd/tape_internal.h"

#include "autograd/rng.h"

#include <math.h>
#include <string.h>

enum { LEAF_PIECE = 4096 }; /* bytes */

const wg_op wg_op_parameter = {.name = "parameter",
                               .formula = WG_OP_TEXT("x"),
                               .flags = WG_OP_LEAF,
                               .plan_size = sizeof(wg_tensor *)};
const wg_op wg_op_input = {.name = "input", .formula = WG_OP_TEXT("x"), .flags = WG_OP_LEAF};
const wg_op wg_op_constant = {.name = "constant", .formula = WG_OP_TEXT("x"), .flags = WG_OP_LEAF};
const wg_op wg_op_streamed = {.name = "streamed",
                              .formula = WG_OP_TEXT("x"),
                              .flags = WG_OP_LEAF,
                              .plan_size = sizeof(wg_stream)};
const wg_op wg_op_abstract = {.name = "abstract", .formula = WG_OP_TEXT("x"), .flags = WG_OP_LEAF};

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

/* ---- What gives a leaf its value, from what its maker was given ------------------------------ */

typedef bool leaf_filler(wg_tensor *x, const void *from);

static bool leaf_is_given(const wg_tensor *x, const void *data)
{
    return data != NULL || x->size == 0 || wg_op_fail(x, WG_E_NULL, "the data are NULL");
}

static bool leaf_zeros(wg_tensor *x, const void *from)
{
    (void)from;
    if (x->dtype == WG_I64)
        return wg_op_fail(x, WG_E_DTYPE, "i64; derivatives need f32 or f64");
    if (!wg_node_value(x))
        return false;
    memset(x->data, 0, (size_t)x->size * wg_dtype_size(x->dtype));
    x->state = WG_NODE_LIVE;
    return true;
}

/* Values that a tape borrows are never written, though `data` has no const. */
static bool leaf_borrow(wg_tensor *x, const void *from)
{
    static const double empty = 0;
    union {
        const void *constant;
        void *variable;
    } pointer = {.constant = from != NULL ? from : &empty};
    if (!leaf_is_given(x, from))
        return false;
    x->data = pointer.variable;
    x->state = WG_NODE_LIVE;
    return true;
}

static bool leaf_copy(wg_tensor *x, const void *from)
{
    if (!leaf_is_given(x, from) || !wg_node_value(x))
        return false;
    if (x->size > 0)
        memcpy(x->data, from, (size_t)x->size * wg_dtype_size(x->dtype));
    return true;
}

/* All elements become the first one: what is filled is copied behind itself, in pieces that stay in
 * cache. */
static void leaf_repeat(const wg_tensor *x)
{
    const size_t all = (size_t)x->size * wg_dtype_size(x->dtype);
    for (size_t n, done = wg_dtype_size(x->dtype); done < all; done += n) {
        n = done < LEAF_PIECE ? done : LEAF_PIECE;
        n = n < all - done ? n : all - done;
        memcpy((char *)x->data + done, x->data, n);
    }
}

static bool leaf_fill(wg_tensor *x, const void *from)
{
    const double value = *(const double *)from;
    /* 2^63 itself is no i64; the comparison is false for NaN. */
    if (x->dtype == WG_I64 && !(value >= -0x1p63 && value < 0x1p63))
        return wg_op_fail(x, WG_E_VALUE, "%g is no i64", value);
    if (!wg_node_value(x))
        return false;
    if (x->size > 0)
        wg_set_element(x, 0, value);
    leaf_repeat(x);
    return true;
}

static bool leaf_nothing(wg_tensor *x, const void *from)
{
    (void)from;
    x->state = WG_NODE_ABSTRACT;
    return true;
}

static bool leaf_later(wg_tensor *x, const void *from)
{
    (void)from;
    x->state = WG_NODE_LIVE | WG_NODE_ABSTRACT;
    return true;
}

static bool leaf_stream(wg_tensor *x, const void *from)
{
    const wg_stream *stream = from;
    if (stream == NULL || stream->read == NULL)
        return wg_op_fail(x, WG_E_NULL, "there is nothing to read from");
    if (x->shape.ndim < 1)
        return wg_op_fail(x, WG_E_SHAPE, "rows wanted");
    *(wg_stream *)x->plan = *stream;
    x->state = WG_NODE_ABSTRACT;
    return true;
}

/* ---- Making leaves --------------------------------------------------------------------------- */

static wg_tensor *leaf_new(wg_tape *t, const wg_op *op, const char *name, wg_dtype dtype, int ndim,
                           const int64_t *dim, leaf_filler *fill, const void *from)
{
    if (t == NULL || t->status != WG_OK)
        return wg_fail(t, WG_E_NULL, "%s: the tape is NULL", op->name);
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *x = wg_node_new(t, op, NULL, 0, NULL);
    if (x != NULL && (name == NULL || (x->name = wg_tape_copy_text(t, name)) != NULL) &&
        leaf_shape(x, dtype, ndim, dim) && fill(x, from) && wg_node_push(x))
        return x;
    wg_arena_rewind(&t->arena, height);
    return &t->inert;
}

wg_tensor *wg_param(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim)
{
    wg_tensor *x = leaf_new(t, &wg_op_parameter, name, dtype, ndim, dim, leaf_zeros, NULL);
    if (!wg_is_inert(x)) {
        *(wg_tensor **)x->plan = t->param;
        t->param = x;
    }
    return x;
}

wg_tensor *wg_input(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim,
                    const void *data)
{
    return leaf_new(t, &wg_op_input, name, dtype, ndim, dim, leaf_borrow, data);
}

wg_tensor *wg_streamed(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim,
                       const wg_stream *stream)
{
    return leaf_new(t, &wg_op_streamed, name, dtype, ndim, dim, leaf_stream, stream);
}

wg_tensor *wg_constant(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, const void *data)
{
    return leaf_new(t, &wg_op_constant, NULL, dtype, ndim, dim, leaf_copy, data);
}

wg_tensor *wg_full(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double value)
{
    return leaf_new(t, &wg_op_constant, NULL, dtype, ndim, dim, leaf_fill, &value);
}

wg_tensor *wg_abstract(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim)
{
    return leaf_new(t, &wg_op_abstract, NULL, dtype, ndim, dim, leaf_nothing, NULL);
}

wg_tensor *wg_placeholder(wg_tape *t, const char *name, wg_dtype dtype, int ndim,
                          const int64_t *dim)
{
    return leaf_new(t, &wg_op_input, name, dtype, ndim, dim, leaf_later, NULL);
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
    if (x->dtype == WG_F64 && x->size > 0)
        memcpy(x->data, values, (size_t)x->size * sizeof *values);
    for (int64_t i = 0; x->dtype != WG_F64 && i < x->size; i++)
        wg_set_element(x, i, values[i]);
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

wg_tensor *wg_scalar_like(const wg_tensor *x, double value)
{
    if (wg_is_inert(x))
        return wg_fail(x != NULL ? x->tape : NULL, WG_E_NULL, "constant: like an inert tensor");
    return wg_scalar(x->tape, x->dtype, value);
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

/* ---- Writing leaves -------------------------------------------------------------------------- */

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
    else if (leaf_borrow(input, data))
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

/* Of [a, b), of which rounding may make b; b - a may overflow. */
static double leaf_uniform(double u, double a, double b, wg_dtype dtype)
{
    const double x = isfinite(b - a) ? a + (b - a) * u : a * (1 - u) + b * u;
    if (!(a < b))
        return x;
    if (dtype == WG_F32 && (double)(float)x >= b)
        return (double)nextafterf((float)b, -HUGE_VALF);
    return x >= b ? nextafter(b, -HUGE_VAL) : x;
}

/* Draws from N(a, b^2), or from [a, b). */
static void leaf_draw(wg_tensor *x, bool normal, double a, double b, uint64_t key)
{
    const uint64_t seed = x->tape->options.seed;
    for (int64_t i = 0; i < x->size; i++)
        wg_set_element(
            x, i,
            normal ? a + b * wg_random_normal(seed, key, (uint64_t)i)
                   : leaf_uniform(wg_random_uniform(seed, key, (uint64_t)i), a, b, x->dtype));
}

static wg_status leaf_draw_param(wg_tensor *param, bool normal, double a, double b, uint64_t key)
{
    if (wg_edit(param) == NULL)
        return leaf_not_written(param);
    leaf_draw(param, normal, a, b, key);
    return param->tape->status;
}

wg_status wg_fill_normal(wg_tensor *param, double mean, double deviation, uint64_t key)
{
    return leaf_draw_param(param, true, mean, deviation, key);
}

wg_status wg_fill_uniform(wg_tensor *param, double low, double high, uint64_t key)
{
    return leaf_draw_param(param, false, low, high, key);
}

wg_tensor *wg_constant_normal(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double mean,
                              double deviation, uint64_t key)
{
    wg_tensor *x = leaf_real(t, dtype, ndim, dim);
    if (!wg_is_inert(x))
        leaf_draw(x, true, mean, deviation, key);
    return x;
}

wg_tensor *wg_constant_uniform(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double low,
                               double high, uint64_t key)
{
    wg_tensor *x = leaf_real(t, dtype, ndim, dim);
    if (!wg_is_inert(x))
        leaf_draw(x, false, low, high, key);
    return x;
}
