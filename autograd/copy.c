/* A copy of a tape in another float dtype. */
#include "autograd/copy.h"

#include "autograd/tape_internal.h"

#include <string.h>

static wg_dtype copy_dtype(const wg_tensor *x, wg_dtype dtype)
{
    return x->dtype == WG_I64 ? WG_I64 : dtype;
}

/* Values of x converted into memory of the dtype: [size]. */
static void copy_values(const wg_tensor *x, wg_dtype dtype, void *to)
{
    if (dtype == x->dtype) {
        if (x->size > 0)
            memcpy(to, x->data, (size_t)x->size * wg_dtype_size(dtype));
        return;
    }
    for (int64_t i = 0; i < x->size; i++)
        if (dtype == WG_F64)
            ((double *)to)[i] = (double)((const float *)x->data)[i];
        else
            ((float *)to)[i] = (float)((const double *)x->data)[i];
}

static wg_tensor *copy_leaf(wg_tape *copy, const wg_tensor *x, wg_dtype to)
{
    wg_dtype dtype = copy_dtype(x, to);
    int ndim = x->shape.ndim;
    const int64_t *dim = x->shape.dim;
    if (x->op == &wg_op_abstract)
        return wg_abstract(copy, dtype, ndim, dim);
    if (x->op == &wg_op_input) {
        void *values = wg_tape_take(copy, (size_t)x->size * wg_dtype_size(dtype));
        if (values != NULL)
            copy_values(x, dtype, values);
        return wg_input(copy, x->name, dtype, ndim, dim, values);
    }
    wg_tensor *leaf = x->op == &wg_op_parameter ? wg_param(copy, x->name, dtype, ndim, dim)
                                                : wg_full(copy, dtype, ndim, dim, 0);
    if (copy->status == WG_OK)
        copy_values(x, dtype, leaf->data);
    return leaf;
}

/* Attributes, with the dtype of the copy where they hold one. */
static const void *copy_attrs(wg_tape *copy, const wg_tensor *y, wg_dtype to)
{
    if (y->op->dtype_attr == 0 || y->dtype == WG_I64)
        return y->attrs;
    char *attrs = wg_arena_take(&copy->scratch, y->op->attr_size, WG_ALIGNMENT);
    if (attrs == NULL) {
        wg_fail(copy, WG_E_NOMEM, "copy: out of memory");
        return NULL;
    }
    memcpy(attrs, y->attrs, y->op->attr_size);
    memcpy(attrs + y->op->dtype_attr - 1, &to, sizeof to);
    return attrs;
}

static wg_tensor *copy_node(wg_tape *copy, const wg_tensor *y, wg_dtype to)
{
    size_t bytes = (size_t)y->n_operands * sizeof(wg_tensor *);
    wg_tensor **operand = wg_arena_take(&copy->scratch, bytes, sizeof(void *));
    if (operand == NULL)
        return wg_fail(copy, WG_E_NOMEM, "copy: out of memory");
    for (int i = 0; i < y->n_operands; i++)
        operand[i] = copy->node[y->operand[i]->index];
    const void *attrs = copy_attrs(copy, y, to);
    return wg_apply(y->op, operand, y->n_operands, attrs);
}

static void copy_all(wg_tape *copy, const wg_tape *t, wg_dtype dtype)
{
    for (int64_t i = 0; i < t->size && copy->status == WG_OK; i++) {
        const wg_tensor *x = t->node[i];
        wg_arena_mark empty = wg_arena_height(&copy->scratch);
        bool leaf = (x->op->flags & WG_OP_LEAF) != 0;
        wg_tensor *twin = leaf ? copy_leaf(copy, x, dtype) : copy_node(copy, x, dtype);
        wg_arena_rewind(&copy->scratch, empty);
        if (x->name != NULL && twin->name == NULL)
            wg_rename(twin, x->name);
    }
    copy->written = false; /* parameters were written before anything was computed from them */
}

wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype)
{
    wg_tape *copy = wg_tape_new(t != NULL ? &t->options : NULL);
    if (!wg_tape_is_real(copy))
        return copy;
    if (t == NULL)
        wg_fail(copy, WG_E_NULL, "copy: the tape is NULL");
    else if (t->status != WG_OK)
        wg_fail(copy, t->status, "%s", t->message);
    else if (dtype != WG_F32 && dtype != WG_F64)
        wg_fail(copy, WG_E_DTYPE, "copy: f32 or f64 is needed, not %s", wg_dtype_name(dtype));
    else
        copy_all(copy, t, dtype);
    return copy;
}

wg_tensor *wg_twin(wg_tape *copy, const wg_tensor *x)
{
    if (copy == NULL || wg_is_inert(x) || x->index >= copy->size)
        return wg_fail(copy, WG_E_NULL, "twin: there is no such tensor in the copy");
    return copy->node[x->index];
}
