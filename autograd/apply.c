/* Recording: a node is made, sized, given memory, run, and pushed. */
#include "autograd/tape_internal.h"

#include <inttypes.h>
#include <string.h>

static inline wg_tape *apply_tape(wg_tensor *const operands[], int n)
{
    if (n > 0 && operands != NULL && operands[0] != NULL && operands[0]->tape->status == WG_OK)
        return operands[0]->tape; /* the others have an error from the start */
    return wg_first_tape(operands, n);
}

static size_t apply_round(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

/* A node, its list of operands, its attributes and its plan are one piece of memory. */
wg_tensor *wg_node_new(wg_tape *t, const wg_op *op, wg_tensor *const operands[], int n,
                       const void *attrs)
{
    size_t attrs_start = apply_round(sizeof(wg_tensor) + (size_t)n * sizeof(wg_tensor *));
    size_t plan_start = apply_round(attrs_start + op->attr_size);
    char *memory = wg_arena_take(&t->arena, plan_start + op->plan_size, 16);
    if (memory == NULL) {
        wg_fail(t, WG_E_NOMEM, "%s: out of memory for a node", op->name);
        return NULL;
    }
    wg_tensor *y = (wg_tensor *)(void *)memory;
    y->tape = t; /* field by field: as one assignment it is rep stos, which takes 40 ns */
    y->op = op;
    y->operand = (wg_tensor **)(void *)(y + 1);
    y->attrs = op->attr_size > 0 ? memory + attrs_start : NULL;
    y->plan = op->plan_size > 0 ? memory + plan_start : NULL;
    y->data = NULL;
    y->grad = NULL;
    y->walk = NULL;
    y->name = NULL;
    y->index = y->size = y->chunks = y->written = 0;
    y->n_operands = n;
    y->dtype = WG_DTYPE_DEFAULT;
    y->shape = (wg_shape){0};
    unsigned state = 0;
    for (int i = 0; i < n; i++) {
        y->operand[i] = operands[i];
        state |= operands[i]->state;
    }
    y->state = state & (WG_NODE_LIVE | WG_NODE_ABSTRACT);
    if (op->attr_size > 0 && attrs != NULL) /* they are there; gcc does not see it */
        memcpy(memory + attrs_start, attrs, op->attr_size);
    return y;
}

bool wg_node_size(wg_tensor *y)
{
    y->size = wg_shape_size(&y->shape);
    if (y->size >= 0)
        return true;
    char shape[WG_SHAPE_TEXT];
    wg_shape_text(&y->shape, shape, sizeof shape);
    return wg_op_fail(y, WG_E_SHAPE, "a result of shape %s: too large or negative", shape);
}

/* Values of fewer bytes than a cache line stand close together. */
bool wg_node_value(wg_tensor *y)
{
    size_t bytes = (size_t)y->size * wg_dtype_size(y->dtype);
    y->data = wg_arena_take(&y->tape->arena, bytes,
                            bytes >= WG_ALIGNMENT ? WG_ALIGNMENT
                            : y->dtype == WG_WIDE ? 16
                                                  : 8);
    if (y->data != NULL)
        return true;
    return wg_op_fail(y, WG_E_NOMEM, "out of memory for %zu bytes", bytes);
}

bool wg_node_push(wg_tensor *y)
{
    wg_tape *t = y->tape;
    if (t->size == t->capacity) {
        int64_t capacity = t->capacity > 0 ? 2 * t->capacity : 64;
        const wg_allocator *a = &t->options.allocator;
        size_t bytes = (size_t)capacity * sizeof *t->node;
        wg_tensor **node = t->node == NULL ? a->allocate(bytes, a->user)
                                           : a->reallocate(t->node, bytes, a->user);
        if (node == NULL)
            return wg_op_fail(y, WG_E_NOMEM, "out of memory for a tape of %" PRId64 " nodes",
                              capacity);
        t->node = node;
        t->capacity = capacity;
    }
    y->index = t->size;
    t->node[t->size++] = y;
    return true;
}

static inline bool apply_has_map(const wg_tensor *y)
{
    return y->n_operands > 0 && y->op->map[y->operand[0]->dtype] != NULL;
}

/* What a user's op does not say, or says wrongly, of maps and of how its work is cut. */
static bool apply_cut_fails(const wg_tensor *y)
{
    const wg_op *op = y->op;
    const bool elementwise = op->flags & WG_OP_ELEMENTWISE;
    if (elementwise && !apply_has_map(y))
        return wg_op_fail(y, WG_E_DTYPE, "the op has no map for this dtype");
    if (apply_has_map(y) && y->n_operands > WG_ELEMENTWISE_OPERANDS)
        return wg_op_fail(y, WG_E_VALUE, "more than %d operands", WG_ELEMENTWISE_OPERANDS);
    if (op->chunks == NULL && !elementwise)
        return wg_op_fail(y, WG_E_VALUE,
                          "the op has a %s, is not WG_OP_ELEMENTWISE, and does not say how its "
                          "work is cut (chunks)",
                          op->part != NULL ? "part" : "map");
    return wg_op_fail(y, WG_E_VALUE, "the op's work has %" PRId64 " chunks, but %s wanted",
                      y->chunks, elementwise ? "one an element (wg_size)" : "at least one");
}

/* Into how many chunks y's work is cut: elementwise ops by elements, all that have a map or a part
 * by what they say. */
static inline bool apply_cut(wg_tensor *y)
{
    const wg_op *op = y->op;
    bool fits;
    if (op->flags & WG_OP_ELEMENTWISE) {
        y->chunks = op->chunks == wg_size || op->chunks == NULL ? y->size : op->chunks(y);
        return (y->chunks == y->size && op->map[y->operand[0]->dtype] != NULL &&
                y->n_operands <= WG_ELEMENTWISE_OPERANDS) ||
               apply_cut_fails(y);
    }
    y->chunks = op->chunks != NULL ? op->chunks(y) : 1;
    if (op->chunks == NULL)
        fits = op->part == NULL && !apply_has_map(y);
    else
        fits = (y->chunks > 0 || y->size == 0) &&
               (y->n_operands <= WG_ELEMENTWISE_OPERANDS || !apply_has_map(y));
    return fits || apply_cut_fails(y);
}

static bool apply_check_input(const wg_tensor *y)
{
    y->tape->checks_inputs = true;
    return wg_node_check_input(y);
}

static bool apply_value(wg_tensor *y)
{
    if (y->op->plan_size > 0)
        y->op->plan(y);
    if (y->tape->status != WG_OK || !apply_cut(y)) /* no memory for what the plan keeps */
        return false;
    if (y->state & WG_NODE_ABSTRACT)
        return true;
    if (!(y->op->flags & WG_OP_VIEW) && !wg_node_value(y))
        return false;
    return (y->op->workspace == NULL || wg_node_workspace(y)) &&
           (y->op->check_input == NULL || apply_check_input(y)) && wg_node_run(y);
}

/* ---- Recording ------------------------------------------------------------------------------- */

static bool apply_operand_fits(const wg_tape *t, const wg_tensor *x)
{
    return x != NULL && x->tape == t && x != &t->inert && !(x->state & WG_NODE_STALE);
}

/* A user's op may lack what every op has. */
static bool apply_op_fits(wg_tape *t, const wg_op *op, const void *attrs)
{
    if (op == NULL)
        wg_fail(t, WG_E_NULL, "apply: the op is NULL");
    else if (op->name == NULL)
        wg_fail(t, WG_E_NULL, "apply: the op has no name");
    else if (op->shape == NULL || (op->forward == NULL && !(op->flags & WG_OP_VIEW)))
        wg_fail(t, WG_E_VALUE, "%s: the op has no %s", op->name,
                op->shape == NULL ? "shape rule" : "forward function");
    else if (op->plan_size > 0 && op->plan == NULL)
        wg_fail(t, WG_E_VALUE, "%s: the op does not fill its plan", op->name);
    else if (attrs == NULL && op->attr_size > 0)
        wg_fail(t, WG_E_NULL, "%s: the attributes are NULL", op->name);
    else
        return true;
    return false;
}

static bool apply_fits(wg_tape *t, const wg_op *op, wg_tensor *const operands[], int n)
{
    if (t->written)
        wg_stale_spread(t);
    if (op->arity == WG_VARIADIC ? n < 1 : n != op->arity) {
        wg_fail(t, WG_E_VALUE, "%s: %d operands given, %s%d wanted", op->name, n,
                op->arity == WG_VARIADIC ? "at least " : "",
                op->arity == WG_VARIADIC ? 1 : op->arity);
        return false;
    }
    for (int i = 0; i < n; i++)
        if (!apply_operand_fits(t, operands[i]) &&
            !(wg_belongs(t, operands[i], op->name, "operand", i) &&
              wg_must_be_fresh(operands[i], op->name)))
            return false;
    return true;
}

/* On a wide copy every op must know wide floats: a user's may take them for doubles. */
static bool apply_serves_wide(const wg_tensor *y)
{
    const wg_op *op = y->op;
    return (op->flags & (WG_OP_VIEW | WG_OP_WIDE)) ||
           ((op->flags & WG_OP_ELEMENTWISE) && op->map[y->operand[0]->dtype] != NULL) ||
           wg_op_fail(y, WG_E_DTYPE, "the op has no wide form");
}

/* Flat, since calls would be a tenth of what recording a scalar costs. */
__attribute__((flatten)) wg_tensor *wg_apply(const wg_op *op, wg_tensor *const operands[], int n,
                                             const void *attrs)
{
    wg_tape *t = apply_tape(operands, n);
    if (t->status != WG_OK || !apply_op_fits(t, op, attrs) || !apply_fits(t, op, operands, n))
        return &t->inert;
    wg_arena_mark height = wg_arena_height(&t->arena);
    wg_tensor *y = wg_node_new(t, op, operands, n, attrs);
    if (y != NULL && op->shape(y) && (!t->wide || apply_serves_wide(y)) && wg_node_size(y) &&
        apply_value(y) && wg_node_push(y))
        return y;
    if (t->status == WG_OK)
        wg_op_fail(y, WG_E_VALUE, "the op refuses its operands and does not say why");
    wg_arena_rewind(&t->arena, height);
    return &t->inert;
}
