/* Products with derivatives, made from the one rule of each op: JVP and HVP. */
#include "autograd/derivatives/derivatives_internal.h"

#include "autograd/grad.h"
#include "autograd/tape_internal.h"

#include <stddef.h>

wg_tensor **wg_derivatives_list(wg_tape *t, int n)
{
    size_t bytes = (size_t)n * sizeof(wg_tensor *);
    wg_tensor **list = wg_arena_take(&t->scratch, bytes, sizeof(void *));
    if (list == NULL)
        wg_fail(t, WG_E_NOMEM, "derivatives: out of memory for %zu bytes", bytes);
    return list;
}

bool wg_derivatives_fit(wg_tape *t, const char *what, wg_tensor *const xs[], int n)
{
    if (t->status == WG_OK && xs == NULL && n > 0)
        wg_fail(t, WG_E_NULL, "%s: the list of xs is NULL", what);
    if (t->status != WG_OK)
        return false;
    for (int i = 0; i < n; i++)
        if (!wg_belongs(t, xs[i], what, "x", i))
            return false;
    if (n < 1)
        wg_fail(t, WG_E_VALUE, "%s: there is no x", what);
    return n >= 1;
}

static bool derivatives_tangent_fits(wg_tape *t, const char *what, const wg_tensor *x,
                                     const wg_tensor *v, int i)
{
    if (!wg_belongs(t, v, what, "tangent", i))
        return false;
    if (v->dtype == x->dtype && wg_shape_same(&v->shape, &x->shape))
        return true;
    wg_fail(t, v->dtype == x->dtype ? WG_E_SHAPE : WG_E_DTYPE,
            "%s: the tangent %s %s is not like x %s %s", what, wg_tensor_text(v).s,
            wg_dtype_name(v->dtype), wg_tensor_text(x).s, wg_dtype_name(x->dtype));
    return false;
}

static bool derivatives_tangents_fit(wg_tape *t, const char *what, wg_tensor *const xs[],
                                     wg_tensor *const vs[], int n)
{
    if (vs == NULL)
        wg_fail(t, WG_E_NULL, "%s: the list of tangents is NULL", what);
    for (int i = 0; i < n && t->status == WG_OK; i++)
        derivatives_tangent_fits(t, what, xs[i], vs[i], i);
    return t->status == WG_OK;
}

wg_status wg_derivatives_again(wg_tensor *const ys[], wg_tensor *const dys[], int m,
                               wg_tensor *const xs[], int n, wg_tensor *gs[])
{
    wg_tape *t = xs[0]->tape;
    bool strict = t->options.strict_grad;
    t->options.strict_grad = false;
    wg_status status = wg_vjp_many(ys, dys, m, xs, n, gs);
    t->options.strict_grad = strict;
    return status;
}

/* ---- Products -------------------------------------------------------------------------------- */

/* Is x a value other than zero although it should depend on an abstract cotangent? */
static bool jvp_is_detached(const wg_tensor *x)
{
    bool zero = true;
    for (int64_t i = 0; i < x->size && !(x->state & WG_NODE_ABSTRACT); i++)
        zero = zero && wg_element(x, i) == 0;
    return !zero;
}

/* Does x depend on u? What depends on it is abstract; in the body of a loop, all is. */
static bool jvp_depends(wg_tensor *x, const wg_tensor *u)
{
    wg_tape *t = x->tape;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool depends = x->state & WG_NODE_ABSTRACT;
    bool *needed = depends ? wg_arena_take(&t->scratch, (size_t)t->size, 1) : NULL;
    if (needed != NULL) {
        wg_mark_needed(t, &x, 1, t->size - 1, needed);
        depends = needed[u->index];
    } else if (depends)
        wg_fail(t, WG_E_NOMEM, "jvp: out of memory");
    wg_arena_rewind(&t->scratch, empty);
    return depends;
}

/* Does y's rule for operand i compute with its cotangent? Then the transpose of what it records,
 * which must not depend on the cotangent, is as abstract as the cotangent. Or does it forget it?
 * Leaves nodes on the tape. */
static bool jvp_rule_is_linear(wg_tensor *y, int i)
{
    wg_tape *t = y->tape;
    if (y->operand[i]->dtype == WG_I64 || y->op->vjp == NULL)
        return true;
    wg_tensor *u = wg_abstract(t, y->dtype, y->shape.ndim, y->shape.dim), *back;
    wg_tensor *dx = y->op->vjp(y, u, i);
    if (dx == NULL || t->status != WG_OK)
        return true;
    if (jvp_is_detached(dx))
        return false;
    wg_tensor *v = wg_zeros_like(dx);
    return wg_derivatives_again(&dx, &v, 1, &u, 1, &back) != WG_OK || !jvp_depends(back, u);
}

/* The JVP of y came out abstract, or a cotangent did not: whose rule did it? jv where none did. */
static wg_tensor *jvp_not_linear(wg_tensor *y, wg_tensor *jv, const wg_tensor *u)
{
    wg_tape *t = y->tape;
    for (int64_t k = y->index; k >= 0; k--)
        for (int i = 0; i < t->node[k]->n_operands; i++) {
            wg_mark mark = wg_tape_mark(t);
            bool linear = t->node[k]->dtype == WG_I64 || jvp_rule_is_linear(t->node[k], i);
            wg_tape_rewind(t, mark);
            if (!linear)
                return wg_fail(t, WG_E_NO_RULE,
                               "jvp: the rule of %s is not linear in its cotangent: %s",
                               t->node[k]->op->name, wg_tensor_text(t->node[k]).s);
        }
    return !jvp_depends(jv, u)
               ? jv
               : wg_fail(t, WG_E_NO_RULE, "jvp: a rule is not linear in its cotangent: %s",
                         wg_tensor_text(y).s);
}

/* Does a cotangent of the xs, or one of several that meet at a node recorded since, not depend on
 * y's? */
static bool jvp_forgets(const wg_tape *t, wg_tensor *const gs[], int n, int64_t since)
{
    bool forgets = false;
    for (int i = 0; i < n; i++)
        forgets = forgets || jvp_is_detached(gs[i]);
    for (int64_t k = since; k < t->size; k++)
        for (int i = 0; i < t->node[k]->n_operands && t->node[k]->op == &wg_op_add_n; i++)
            forgets = forgets || jvp_is_detached(t->node[k]->operand[i]);
    return forgets;
}

/* The xs' cotangents are linear in y's, u; the transpose of that map takes tangents of x to those
 * of y: one copy of it for each of the k lists of tangents. */
static wg_status jvp_record(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *const vs[],
                            int k, wg_tensor *jvs[])
{
    wg_tape *t = y->tape;
    wg_tensor *u = wg_abstract(t, y->dtype, y->shape.ndim, y->shape.dim);
    wg_tensor **gs = wg_derivatives_list(t, n);
    if (gs == NULL || wg_vjp(y, u, xs, n, gs) != WG_OK)
        return t->status;
    const bool forgets = jvp_forgets(t, gs, n, u->index);
    for (int j = 0; j < k && t->status == WG_OK; j++)
        if (wg_derivatives_again(gs, vs + (ptrdiff_t)j * n, n, &u, 1, &jvs[j]) == WG_OK &&
            (forgets || jvp_depends(jvs[j], u)))
            jvs[j] = jvp_not_linear(y, jvs[j], u);
    return t->status;
}

wg_status wg_jvp_many(wg_tensor *y, wg_tensor *const xs[], int n, wg_tensor *const vs[], int k,
                      wg_tensor *jvs[])
{
    wg_tape *t = wg_first_tape(&y, 1);
    for (int j = 0; j < k && jvs != NULL; j++)
        jvs[j] = &t->inert;
    if (wg_is_inert(y) || jvs == NULL)
        wg_fail(t, WG_E_NULL, "jvp: %s",
                jvs == NULL ? "the list of results is NULL" : "y is NULL or inert");
    if (!wg_derivatives_fit(t, "jvp", xs, n))
        return t->status;
    if (k < 1)
        wg_fail(t, WG_E_VALUE, "jvp: %d lists of tangents: at least 1 is needed", k);
    for (int j = 0; j < k; j++)
        if (!derivatives_tangents_fit(t, "jvp", xs, vs == NULL ? NULL : vs + (ptrdiff_t)j * n, n))
            return t->status;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    if (jvp_record(y, xs, n, vs, k, jvs) != WG_OK)
        for (int j = 0; j < k; j++)
            jvs[j] = &t->inert;
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}

wg_tensor *wg_jvp(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[], int n)
{
    wg_tensor *jv;
    wg_jvp_many(y, xs, n, vs, 1, &jv);
    return jv;
}

wg_status wg_hvp(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[], int n,
                 wg_tensor *hvs[])
{
    wg_tape *t = wg_first_tape(&y, 1);
    for (int i = 0; i < n && hvs != NULL; i++)
        hvs[i] = &t->inert;
    if (hvs == NULL) {
        wg_fail(t, WG_E_NULL, "hvp: the list of results is NULL");
        return t->status;
    }
    if (!wg_derivatives_fit(t, "hvp", xs, n) || !derivatives_tangents_fit(t, "hvp", xs, vs, n))
        return t->status;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = wg_derivatives_list(t, n);
    if (gs != NULL && wg_grad(y, xs, n, gs) == WG_OK)
        wg_derivatives_again(gs, vs, n, xs, n, hvs);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}
