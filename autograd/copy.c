/* Copies of a tape in another float type. */
#include "autograd/body_internal.h"

#include <string.h>

/* x's values to a tensor of as many elements, converted where that has another dtype. */
static void copy_values(const wg_tensor *x, wg_tensor *to)
{
    if (to->dtype == x->dtype && x->size > 0)
        memcpy(to->data, x->data, (size_t)x->size * wg_dtype_size(x->dtype));
    for (int64_t i = 0; i < x->size && to->dtype != x->dtype; i++)
        wg_set_element(to, i, wg_element(x, i));
}

static wg_tensor *copy_body(wg_tape *t, const wg_tensor *leaf, wg_dtype dtype)
{
    const wg_tape *from = wg_body_of(leaf);
    wg_tape *body = wg_body_within(t);
    if (body == NULL)
        return &t->inert;
    for (int64_t i = 0; i < from->size && body->status == WG_OK; i++)
        wg_copy_node(body, from->node[i], dtype, body->node);
    return wg_body_settle(t, NULL, body);
}

static wg_tensor *copy_leaf(wg_tape *copy, const wg_tensor *x, wg_dtype to)
{
    const wg_dtype dtype = x->dtype == WG_I64 || to == WG_DTYPE_DEFAULT ? x->dtype : to;
    const int ndim = x->shape.ndim;
    const int64_t *dim = x->shape.dim;
    wg_tensor *leaf;
    if (x->op == &wg_op_body)
        return copy_body(copy, x, to);
    if (x->op == &wg_op_abstract || x->op == &wg_op_streamed)
        return wg_abstract(copy, dtype, ndim, dim);
    if (x->state & WG_NODE_ABSTRACT)
        return wg_placeholder(copy, x->name, dtype, ndim, dim);
    if (x->op == &wg_op_parameter)
        leaf = wg_param(copy, x->name, dtype, ndim, dim);
    else if (x->op == &wg_op_input)
        leaf = wg_input(copy, x->name, dtype, ndim, dim,
                        wg_tape_take(copy, (size_t)x->size * wg_dtype_size(dtype)));
    else
        leaf = wg_full(copy, dtype, ndim, dim, 0);
    if (copy->status == WG_OK)
        copy_values(x, leaf);
    return leaf;
}

/* Attributes, with the dtype of the copy where they hold one. */
static const void *copy_attrs(wg_tape *copy, const wg_tensor *y, wg_dtype to)
{
    if (y->op->dtype_attr == 0 || y->dtype == WG_I64 || to == WG_DTYPE_DEFAULT)
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

static wg_tensor *copy_applied(wg_tape *copy, const wg_tensor *y, wg_dtype to,
                               wg_tensor *const twin[])
{
    size_t bytes = (size_t)y->n_operands * sizeof(wg_tensor *);
    wg_tensor **operand = wg_arena_take(&copy->scratch, bytes, sizeof(void *));
    if (operand == NULL)
        return wg_fail(copy, WG_E_NOMEM, "copy: out of memory");
    for (int i = 0; i < y->n_operands; i++)
        operand[i] = twin[y->operand[i]->index];
    const void *attrs = copy_attrs(copy, y, to);
    return wg_apply(y->op, operand, y->n_operands, attrs);
}

wg_tensor *wg_copy_node(wg_tape *copy, const wg_tensor *x, wg_dtype dtype, wg_tensor *const twin[])
{
    const bool leaf = (x->op->flags & WG_OP_LEAF) != 0;
    wg_arena_mark empty = wg_arena_height(&copy->scratch);
    wg_tensor *y = leaf ? copy_leaf(copy, x, dtype) : copy_applied(copy, x, dtype, twin);
    wg_arena_rewind(&copy->scratch, empty);
    if (!leaf && dtype == WG_WIDE && copy->status == WG_OK && wg_is_discrete(x))
        copy_values(x, y);
    if (x->name != NULL && y->name == NULL)
        wg_rename(y, x->name);
    return y;
}

bool wg_is_discrete(const wg_tensor *x)
{
    const unsigned constant = WG_OP_ZERO_GRADIENT, copied = WG_OP_VIEW | WG_OP_LEAF;
    return !(x->state & WG_NODE_ABSTRACT) && !(x->op->flags & copied) &&
           (x->dtype == WG_I64 || (x->op->flags & constant) != 0);
}

/* ---- Loops that hold what their bodies do ---------------------------------------------------- */

/* The rows that x holds, run once more on a tape of their own, as a constant of the copy; the body
 * that is given them stands behind it. */
static void copy_held_rows(wg_tape *copy, const wg_tensor *x, wg_dtype dtype)
{
    const int64_t size = x->op->holds->size(copy, x, false);
    if (copy->status != WG_OK)
        return;
    wg_tape_options alone = x->tape->options;
    alone.on_error = NULL;
    alone.check_finite = false;
    wg_tape *t = wg_tape_new(&alone);
    wg_tensor **operand = wg_tape_take(t, (size_t)x->n_operands * sizeof *operand);
    for (int k = 1; k < x->n_operands && operand != NULL; k++) {
        const wg_tensor *from = x->operand[k];
        operand[k] = wg_input(t, NULL, from->dtype, from->shape.ndim, from->shape.dim, from->data);
    }
    wg_tensor *rows = &t->inert;
    if (operand != NULL)
        rows = x->op->holds->record(t, x, operand, WG_DTYPE_DEFAULT, false);
    if (t->status != WG_OK)
        wg_fail(copy, t->status, "%s", t->message);
    else {
        wg_tensor *constant = wg_full(copy, dtype, WG_SHAPE(rows->size / size, size), 0);
        if (copy->status == WG_OK)
            copy_values(rows, constant);
        x->op->holds->body(copy, x, dtype);
    }
    wg_tape_free(t);
}

/* Of every loop that holds anything, before all that is copied: loop[i] becomes where its rows
 * are. */
static void copy_loops(wg_tape *copy, const wg_tape *t, wg_dtype dtype, int64_t size,
                       const bool *needed, int64_t *loop)
{
    for (int64_t i = 0; i < size; i++) {
        loop[i] = -1;
        if (copy->status != WG_OK || (needed != NULL && !needed[i]) || !wg_body_holds(t->node[i]))
            continue;
        loop[i] = copy->size;
        copy_held_rows(copy, t->node[i], dtype);
    }
    copy->before = copy->size;
}

static wg_tensor *copy_loop(wg_tape *copy, const wg_tensor *x, int64_t rows)
{
    wg_tensor *const *twin = copy->node + copy->before, *y = &copy->inert;
    wg_arena_mark empty = wg_arena_height(&copy->scratch);
    wg_tensor **operand = wg_arena_take(&copy->scratch, (size_t)x->n_operands * sizeof *operand,
                                        sizeof(void *));
    if (operand == NULL)
        wg_fail(copy, WG_E_NOMEM, "copy: out of memory");
    else {
        for (int k = 0; k < x->n_operands; k++)
            operand[k] = twin[x->operand[k]->index];
        y = x->op->holds->apply(x, operand, copy->node[rows + 1], copy->node[rows]);
    }
    wg_arena_rewind(&copy->scratch, empty);
    return y;
}

/* loop: [size], or NULL where loops hold nothing. */
static void copy_all(wg_tape *copy, const wg_tape *t, wg_dtype dtype, int64_t size,
                     const bool *needed, int64_t *loop)
{
    if (loop != NULL)
        copy_loops(copy, t, dtype, size, needed, loop);
    for (int64_t i = 0; i < size && copy->status == WG_OK; i++) {
        const wg_tensor *x = t->node[i];
        if (needed != NULL && !needed[i])
            wg_full(copy, dtype, WG_SHAPE(0), 0);
        else if (loop != NULL && loop[i] >= 0)
            copy_loop(copy, x, loop[i]);
        else /* the first node finds no list */
            wg_copy_node(copy, x, dtype, copy->before > 0 ? copy->node + copy->before : copy->node);
    }
    copy->written = false; /* parameters were written before anything was computed from them */
}

wg_tape *wg_tape_copy_part(const wg_tape *t, wg_dtype dtype, int64_t size, const bool *needed,
                           bool holds)
{
    wg_tape *copy = wg_tape_new(t != NULL ? &t->options : NULL);
    if (!wg_tape_is_real(copy))
        return copy;
    if (t == NULL)
        wg_fail(copy, WG_E_NULL, "copy: the tape is NULL");
    else if (t->status != WG_OK)
        wg_fail(copy, t->status, "%s", t->message);
    else if (dtype == WG_WIDE && !WG_HAS_WIDE)
        wg_fail(copy, WG_E_DTYPE, "copy: this platform has no floats wider than double");
    else if (dtype != WG_F32 && dtype != WG_F64 && dtype != WG_WIDE)
        wg_fail(copy, WG_E_DTYPE, "copy: f32, f64 or wide is needed, not %s", wg_dtype_name(dtype));
    else {
        copy->wide = dtype == WG_WIDE;
        copy->options.check_finite &= dtype != WG_WIDE;
        wg_arena_mark empty = wg_arena_height(&copy->scratch);
        int64_t *loop = NULL;
        if (holds)
            loop = wg_arena_take(&copy->scratch, (size_t)size * sizeof *loop, sizeof *loop);
        if (holds && loop == NULL)
            wg_fail(copy, WG_E_NOMEM, "copy: out of memory");
        else
            copy_all(copy, t, dtype, size, needed, loop);
        wg_arena_rewind(&copy->scratch, empty);
    }
    return copy;
}

wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype)
{
    return wg_tape_copy_part(t, dtype, t != NULL ? t->size : 0, NULL, false);
}

wg_tensor *wg_tape_counterpart(wg_tape *copy, const wg_tensor *x)
{
    if (copy == NULL || copy->status != WG_OK || wg_is_inert(x) ||
        x->index >= copy->size - copy->before)
        return wg_fail(copy, WG_E_NULL, "counterpart: the copy has no such tensor");
    return copy->node[copy->before + x->index];
}
