/* Polynomial features: products of columns up to a degree. */
#include "models/data/polynomial.h"

#include "autograd/op.h"
#include "ops/arithmetic.h"
#include "ops/slice.h"

#include <inttypes.h>

static wg_polynomial_options polynomial_options(const wg_polynomial_options *options)
{
    wg_polynomial_options o = {0};
    if (options != NULL)
        o = *options;
    o.degree = o.degree != 0 ? o.degree : 2;
    return o;
}

/* (d + degree over the smaller of them): products with repetition; all /= k leaves nothing. */
static bool polynomial_repeated(int64_t d, int64_t degree, int64_t *all)
{
    const int64_t least = d < degree ? d : degree, most = d < degree ? degree : d;
    for (int64_t k = 1, factor; k <= least; k++) {
        if (!wg_size_add(most, k, &factor) || !wg_size_multiply(*all, factor, all))
            return false;
        *all /= k;
    }
    return true;
}

/* The sum of (d over k). */
static bool polynomial_interactions(int64_t d, int64_t degree, int64_t *all)
{
    int64_t of_degree = 1;
    for (int64_t k = 1; k <= d && k <= degree; k++) {
        if (!wg_size_multiply(of_degree, d - k + 1, &of_degree))
            return false;
        of_degree /= k;
        if (!wg_size_add(*all, of_degree, all))
            return false;
    }
    return true;
}

/* That of degree 0 is the bias. */
int64_t wg_polynomial_columns(int64_t d, const wg_polynomial_options *options)
{
    const wg_polynomial_options o = polynomial_options(options);
    int64_t all = 1;
    if (o.degree < 1 || d < 0 ||
        !(o.interaction_only ? polynomial_interactions : polynomial_repeated)(d, o.degree, &all))
        return -1;
    return o.include_bias ? all : all - 1;
}

/* The products of one degree. Those whose first factor is column f or a later one stand at
 * [start[f], columns). */
typedef struct polynomial_block {
    wg_tensor *products; /* [n, columns] */
    int64_t *start;      /* [d + 1]; start[d] = columns */
} polynomial_block;

/* One degree more: column f times the products whose first factor is f or later (interaction_only:
 * later), for each f. part[d] is room. False: there is none. */
static bool polynomial_raise(wg_tensor *X, polynomial_block *block, bool interaction_only,
                             wg_tensor **part)
{
    int64_t d = X->shape.dim[1], columns = block->start[d], at = 0;
    int parts = 0;
    for (int64_t f = 0; f < d; f++) {
        int64_t from = block->start[interaction_only ? f + 1 : f];
        block->start[f] = at;
        if (from == columns)
            continue;
        part[parts++] = wg_mul(wg_slice(block->products, 1, from, columns),
                               wg_slice(X, 1, f, f + 1));
        at += columns - from;
    }
    block->start[d] = at;
    block->products = parts > 0 ? wg_concat(part, parts, 1) : NULL;
    return parts > 0;
}

/* part[d] and start[d + 1] are room, and so is degree[o->degree + 1]. */
static wg_tensor *polynomial_join(wg_tensor *X, const wg_polynomial_options *o, wg_tensor **part,
                                  int64_t *start, wg_tensor **degree)
{
    int64_t n = X->shape.dim[0], d = X->shape.dim[1];
    int joined = 0;
    if (o->include_bias)
        degree[joined++] = wg_full(X->tape, X->dtype, WG_SHAPE(n, 1), 1);
    for (int64_t f = 0; f <= d; f++)
        start[f] = f;
    polynomial_block block = {X, start};
    degree[joined++] = X;
    for (int k = 2; k <= o->degree && wg_tape_status(X->tape) == WG_OK; k++) {
        if (!polynomial_raise(X, &block, o->interaction_only, part))
            break;
        degree[joined++] = block.products;
    }
    return joined > 1 ? wg_concat(degree, joined, 1) : X;
}

static bool polynomial_fits(const wg_tensor *X, const wg_polynomial_options *o)
{
    if (X->shape.ndim != 2)
        wg_fail(X->tape, WG_E_SHAPE, "polynomial: (n, d) wanted: %s", wg_tensor_text(X).s);
    else if (o->degree < 1)
        wg_fail(X->tape, WG_E_VALUE, "polynomial: the degree is %d", o->degree);
    else if (X->dtype == WG_I64)
        wg_fail(X->tape, WG_E_DTYPE, "polynomial: f32 or f64 wanted: %s is i64",
                wg_tensor_text(X).s);
    else if (wg_polynomial_columns(X->shape.dim[1], o) < 0)
        wg_fail(X->tape, WG_E_SHAPE, "polynomial: too many columns of degree %d of %s", o->degree,
                wg_tensor_text(X).s);
    return wg_tape_status(X->tape) == WG_OK;
}

/* Degrees are made one by one, which takes long where the last does not fit into memory: is there
 * room for all? */
static bool polynomial_has_room(const wg_tensor *X, const wg_polynomial_options *o)
{
    int64_t columns = wg_polynomial_columns(X->shape.dim[1], o), size;
    if (!wg_size_multiply(columns, X->shape.dim[0], &size))
        size = INT64_MAX;
    void *room = wg_temporary(X->tape, size, wg_dtype_size(X->dtype));
    wg_temporary_free(X->tape, room);
    return room != NULL;
}

wg_tensor *wg_polynomial(wg_tensor *X, const wg_polynomial_options *options)
{
    wg_polynomial_options o = polynomial_options(options);
    if (wg_is_inert(X) || !polynomial_fits(X, &o) || !polynomial_has_room(X, &o))
        return wg_fail(X != NULL ? X->tape : NULL, WG_E_NULL, "polynomial: no X");
    wg_tape *t = X->tape;
    int64_t d = X->shape.dim[1];
    if ((o.interaction_only || d == 0) && o.degree > d) /* none has more factors */
        o.degree = d > 0 ? (int)d : 1;
    wg_tensor **part = wg_temporary(t, d, sizeof *part);
    int64_t *start = wg_temporary(t, d + 1, sizeof *start);
    wg_tensor **degree = wg_temporary(t, (int64_t)o.degree + 1, sizeof *degree);
    wg_tensor *joined = NULL;
    if (part != NULL && start != NULL && degree != NULL)
        joined = polynomial_join(X, &o, part, start, degree);
    wg_temporary_free(t, part);
    wg_temporary_free(t, start);
    wg_temporary_free(t, degree);
    return joined != NULL ? joined : wg_fail(t, WG_E_NOMEM, "polynomial");
}
