/* Copies of a tape in another float type, and how wide values are read. */
#include "autograd/copy.h"

#include "autograd/tape_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static wg_dtype copy_dtype(const wg_tensor *x, wg_dtype dtype)
{
    return x->dtype == WG_I64 ? WG_I64 : dtype;
}

/* Values of x converted into memory of the dtype: [size]. */
static void copy_values(const wg_tensor *x, wg_dtype dtype, void *to)
{
    if (dtype == x->dtype && x->size > 0)
        memcpy(to, x->data, (size_t)x->size * wg_dtype_size(dtype));
    for (int64_t i = 0; i < x->size && dtype != x->dtype; i++)
        switch (dtype) {
        case WG_F32: ((float *)to)[i] = (float)wg_element(x, i); break;
        case WG_F64: ((double *)to)[i] = wg_element(x, i); break;
#if WG_HAS_WIDE
        case WG_WIDE: ((wg_wide *)to)[i] = (wg_wide)wg_element(x, i); break;
#endif
        default: break;
        }
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

bool wg_is_discrete(const wg_tensor *x)
{
    const unsigned constant = WG_OP_ZERO_GRADIENT, copied = WG_OP_VIEW | WG_OP_LEAF;
    return !(x->state & WG_NODE_ABSTRACT) && !(x->op->flags & copied) &&
           (x->dtype == WG_I64 || (x->op->flags & constant) != 0);
}

static void copy_all(wg_tape *copy, const wg_tape *t, wg_dtype dtype, int64_t size)
{
    for (int64_t i = 0; i < size && copy->status == WG_OK; i++) {
        const wg_tensor *x = t->node[i];
        wg_arena_mark empty = wg_arena_height(&copy->scratch);
        bool leaf = (x->op->flags & WG_OP_LEAF) != 0;
        wg_tensor *twin = leaf ? copy_leaf(copy, x, dtype) : copy_node(copy, x, dtype);
        wg_arena_rewind(&copy->scratch, empty);
        if (!leaf && dtype == WG_WIDE && copy->status == WG_OK && wg_is_discrete(x))
            copy_values(x, twin->dtype, twin->data);
        if (x->name != NULL && twin->name == NULL)
            wg_rename(twin, x->name);
    }
    copy->written = false; /* parameters were written before anything was computed from them */
}

wg_tape *wg_tape_copy_part(const wg_tape *t, wg_dtype dtype, int64_t size)
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
        copy_all(copy, t, dtype, size);
    }
    return copy;
}

wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype)
{
    return wg_tape_copy_part(t, dtype, t != NULL ? t->size : 0);
}

wg_tensor *wg_twin(wg_tape *copy, const wg_tensor *x)
{
    if (copy == NULL || wg_is_inert(x) || x->index >= copy->size)
        return wg_fail(copy, WG_E_NULL, "twin: there is no such tensor in the copy");
    return copy->node[x->index];
}

/* ---- Reading wide values --------------------------------------------------------------------------- */

#if WG_HAS_WIDE

static const wg_wide *copy_wide_at(const wg_tensor *x, int64_t i)
{
    return wg_is_inert(x) || x->data == NULL || x->dtype != WG_WIDE || i < 0 || i >= x->size
               ? NULL
               : (const wg_wide *)x->data + i;
}

double wg_wide_split(const wg_tensor *x, int64_t i, double *rest)
{
    const wg_wide *value = copy_wide_at(x, i);
    double head = value != NULL ? (double)*value : (double)NAN;
    *rest = value != NULL && isfinite(head) ? (double)(*value - (wg_wide)head) : (double)NAN;
    return head;
}

/* Digits one by one from the value scaled to [1, 10): all that are shown but the last few are right. */
static void copy_wide_digits(wg_wide x, int exponent, char *text, size_t size)
{
    char digits[WG_WIDE_DIGITS + 2];
    for (int i = 0; i < WG_WIDE_DIGITS; i++) {
        int digit = (int)x;
        digit = digit > 9 ? 9 : digit;
        digits[i] = (char)('0' + digit);
        x = (x - digit) * 10;
    }
    digits[WG_WIDE_DIGITS] = '\0';
    snprintf(text, size, "%c.%se%+d", digits[0], digits + 1, exponent);
}

char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size)
{
    const wg_wide *value = copy_wide_at(x, i);
    if (value == NULL || !isfinite((double)(*value / WG_WIDE_MAX)) || *value == 0) {
        snprintf(text, size, "%g", value != NULL ? (double)*value : (double)NAN);
        return text;
    }
    const wg_wide size10 = WG_F(wide, fabs)(*value);
    int exponent = (int)WG_F(wide, floor)(WG_F(wide, log10)(size10));
    wg_wide scaled = size10 / WG_F(wide, pow)((wg_wide)10, (wg_wide)exponent);
    exponent += scaled >= 10 ? 1 : scaled < 1 ? -1 : 0;
    scaled = size10 / WG_F(wide, pow)((wg_wide)10, (wg_wide)exponent);
    const bool negative = *value < 0 && size > 1;
    if (negative)
        text[0] = '-';
    copy_wide_digits(scaled, exponent, text + negative, size - negative);
    return text;
}

#else

double wg_wide_split(const wg_tensor *x, int64_t i, double *rest)
{
    (void)x;
    (void)i;
    *rest = (double)NAN;
    return (double)NAN;
}

char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size)
{
    (void)x;
    (void)i;
    snprintf(text, size, "nan");
    return text;
}

#endif
