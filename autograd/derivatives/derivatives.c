/* Derivatives made from the one rule of each op: JVP, HVP, Jacobian, Hessian. */
#include "autograd/derivatives/derivatives.h"

#include "autograd/grad.h"
#include "autograd/tape_internal.h"

#include <string.h>

/* Room for n tensors in the tape's scratch; NULL, with the error recorded, where there is none. */
static wg_tensor **derivatives_list(wg_tape *t, int n)
{
    size_t bytes = (size_t)n * sizeof(wg_tensor *);
    wg_tensor **list = wg_arena_take(&t->scratch, bytes, sizeof(void *));
    if (list == NULL)
        wg_fail(t, WG_E_NOMEM, "derivatives: out of memory for %zu bytes", bytes);
    return list;
}

static bool derivatives_fit(wg_tape *t, const char *what, wg_tensor *const xs[], int n)
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

/* Derivatives of a derivative: where that does not depend on an x, although y does, strict_grad has
 * nothing to say. */
static wg_status derivatives_again(wg_tensor *const ys[], wg_tensor *const dys[], int m,
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
    return derivatives_again(&dx, &v, 1, &u, 1, &back) != WG_OK ||
           !(back->state & WG_NODE_ABSTRACT);
}

/* The JVP of y came out abstract, or a cotangent did not: whose rule did it? jv where none did. */
static wg_tensor *jvp_not_linear(wg_tensor *y, wg_tensor *jv)
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
    return !(jv->state & WG_NODE_ABSTRACT)
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
 * of y. */
static wg_tensor *jvp_record(wg_tape *t, wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[],
                             int n)
{
    wg_tensor *u = wg_abstract(t, y->dtype, y->shape.ndim, y->shape.dim), *jv;
    wg_tensor **gs = derivatives_list(t, n);
    if (gs == NULL || wg_vjp(y, u, xs, n, gs) != WG_OK)
        return &t->inert;
    const bool forgets = jvp_forgets(t, gs, n, u->index);
    if (derivatives_again(gs, vs, n, &u, 1, &jv) != WG_OK)
        return &t->inert;
    return forgets || (jv->state & WG_NODE_ABSTRACT) ? jvp_not_linear(y, jv) : jv;
}

wg_tensor *wg_jvp(wg_tensor *y, wg_tensor *const xs[], wg_tensor *const vs[], int n)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "jvp: y is NULL or inert");
    wg_tape *t = y->tape;
    if (!derivatives_fit(t, "jvp", xs, n) || !derivatives_tangents_fit(t, "jvp", xs, vs, n))
        return &t->inert;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor *jv = jvp_record(t, y, xs, vs, n);
    wg_arena_rewind(&t->scratch, empty);
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
    if (!derivatives_fit(t, "hvp", xs, n) || !derivatives_tangents_fit(t, "hvp", xs, vs, n))
        return t->status;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = derivatives_list(t, n);
    if (gs != NULL && wg_grad(y, xs, n, gs) == WG_OK)
        derivatives_again(gs, vs, n, xs, n, hvs);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}

/* ---- Whole matrices -------------------------------------------------------------------------- */

/* d(ys)/d(xs) as a matrix: the VJP is recorded once, with a cotangent leaf for each y, and replayed
 * for each row with one entry of one cotangent set. */
typedef struct jacobian_rows {
    wg_tape *t;
    wg_tensor *const *ys, *const *xs;
    int m, n;
    bool again;            /* the ys are derivatives themselves */
    wg_tensor **cotangent; /* [m] inputs, zero but for the row's entry */
    wg_tensor **product;   /* [n] */
    wg_plan plan;
} jacobian_rows;

static int64_t jacobian_sizes(wg_tensor *const list[], int n)
{
    int64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += list[i]->size;
    return sum;
}

static bool jacobian_record(jacobian_rows *j)
{
    j->cotangent = derivatives_list(j->t, j->m);
    j->product = derivatives_list(j->t, j->n);
    if (j->cotangent == NULL || j->product == NULL)
        return false;
    for (int k = 0; k < j->m; k++) {
        const wg_tensor *y = j->ys[k];
        void *zeros = wg_tape_take(j->t, (size_t)y->size * wg_dtype_size(y->dtype));
        j->cotangent[k] = wg_input(j->t, NULL, y->dtype, y->shape.ndim, y->shape.dim, zeros);
    }
    wg_status (*vjp)(wg_tensor *const[], wg_tensor *const[], int, wg_tensor *const[], int,
                     wg_tensor *[]) = j->again ? derivatives_again : wg_vjp_many;
    return vjp(j->ys, j->cotangent, j->m, j->xs, j->n, j->product) == WG_OK &&
           wg_plan_init(&j->plan, j->cotangent, j->m, j->product, j->n);
}

static char *jacobian_copy_row(const jacobian_rows *j, char *to)
{
    for (int i = 0; i < j->n; i++) {
        size_t bytes = (size_t)j->product[i]->size * wg_dtype_size(j->product[i]->dtype);
        memcpy(to, j->product[i]->data, bytes);
        to += bytes;
    }
    return to;
}

static void jacobian_fill(jacobian_rows *j, wg_tensor *matrix)
{
    char *to = matrix->data;
    if (!jacobian_record(j))
        return;
    for (int k = 0; k < j->m; k++)
        for (int64_t i = 0; i < j->ys[k]->size; i++) {
            wg_set_element(j->cotangent[k], i, 1);
            if (!wg_plan_run(&j->plan))
                return;
            to = jacobian_copy_row(j, to);
            wg_set_element(j->cotangent[k], i, 0);
        }
}

/* A tape of one dtype gives a matrix of that dtype. */
static bool jacobian_dtypes(wg_tape *t, wg_tensor *const list[], int n, wg_dtype dtype)
{
    for (int i = 0; i < n; i++)
        if (list[i]->dtype != dtype) {
            wg_fail(t, WG_E_DTYPE, "jacobian: dtypes differ: %s and %s", wg_dtype_name(dtype),
                    wg_dtype_name(list[i]->dtype));
            return false;
        }
    return true;
}

/* The matrix is filled, and with it done the VJP is dropped: first what stays, then what goes. */
static wg_tensor *jacobian_matrix(wg_tensor *matrix, wg_tensor *const ys[], int m,
                                  wg_tensor *const xs[], int n, bool again)
{
    wg_tape *t = matrix->tape;
    jacobian_rows j = {.t = t, .ys = ys, .m = m, .xs = xs, .n = n, .again = again};
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    jacobian_fill(&j, matrix);
    wg_arena_rewind(&t->scratch, empty);
    return t->status == WG_OK ? matrix : &t->inert;
}

wg_tensor *wg_jacobian(wg_tensor *y, wg_tensor *const xs[], int n)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "jacobian: y is NULL or inert");
    wg_tape *t = y->tape;
    if (!derivatives_fit(t, "jacobian", xs, n) || !jacobian_dtypes(t, xs, n, y->dtype))
        return &t->inert;
    wg_tensor *matrix = wg_full(t, y->dtype, WG_SHAPE(y->size, jacobian_sizes(xs, n)), 0);
    wg_mark mark = wg_tape_mark(t);
    wg_tensor *result = jacobian_matrix(matrix, &y, 1, xs, n, false);
    if (t->status == WG_OK)
        wg_tape_rewind(t, mark);
    return result;
}

wg_tensor *wg_hessian(wg_tensor *y, wg_tensor *const xs[], int n)
{
    if (wg_is_inert(y))
        return wg_fail(y != NULL ? y->tape : NULL, WG_E_NULL, "hessian: y is NULL or inert");
    wg_tape *t = y->tape;
    if (!derivatives_fit(t, "hessian", xs, n) || !jacobian_dtypes(t, xs, n, y->dtype))
        return &t->inert;
    int64_t size = jacobian_sizes(xs, n);
    wg_tensor *matrix = wg_full(t, y->dtype, WG_SHAPE(size, size), 0);
    wg_mark mark = wg_tape_mark(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **gs = derivatives_list(t, n), *result = &t->inert;
    if (gs != NULL && wg_grad(y, xs, n, gs) == WG_OK)
        result = jacobian_matrix(matrix, gs, n, xs, n, true);
    wg_arena_rewind(&t->scratch, empty);
    if (t->status == WG_OK)
        wg_tape_rewind(t, mark);
    return result;
}
