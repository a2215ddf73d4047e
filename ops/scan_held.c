/* A loop for checks: what its body detaches, or what there is discrete, is held in every step at
 * the value that it had, as a row of one more of the xs. */
#include "ops/scan_internal.h"

#include <string.h>

#include "ops/compare.h"
#include "ops/layout.h"
#include "ops/slice.h"

enum { HELD_STILL, HELD_MOVES, HELD_KEPT };

/* A body that is recorded after another one, and what becomes of that one's nodes. */
typedef struct held_body {
    const wg_tensor *y; /* the loop */
    const wg_tape *from;
    wg_tape *body;
    wg_tensor **twin; /* [size of from] */
    char *kind;       /* [size of from] */
    wg_dtype dtype;   /* of the floats */
} held_body;

/* ---- What is held ---------------------------------------------------------------------------- */

/* Sorted as nodes of a tape are (autograd/check/recorded.c): all floats that come in move. What is
 * detached is still where only the discrete is asked for. */
static char held_sort_node(const wg_tensor *x, const char *kind, bool discrete)
{
    const unsigned flags = x->op->flags;
    bool moves = x->op == &wg_op_input && x->dtype != WG_I64;
    for (int k = 0; k < x->n_operands; k++)
        moves = moves || kind[x->operand[k]->index] == HELD_MOVES;
    if (!moves || (flags & (WG_OP_VIEW | WG_OP_LEAF)) != 0)
        return moves ? HELD_MOVES : HELD_STILL;
    if (flags & WG_OP_DETACHED)
        return discrete ? HELD_STILL : HELD_KEPT;
    return x->dtype == WG_I64 || (flags & WG_OP_ZERO_GRADIENT) != 0 ? HELD_KEPT : HELD_MOVES;
}

static char *held_sort(wg_tape *t, const wg_tape *from, bool discrete)
{
    char *kind = wg_arena_take(&t->scratch, (size_t)from->size, 1);
    if (kind == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    for (int64_t i = 0; kind != NULL && i < from->size; i++)
        kind[i] = held_sort_node(from->node[i], kind, discrete);
    return kind;
}

/* Elements that a node adds to a step's row: its own, or those of all its steps. */
static int64_t held_share(wg_tape *t, const wg_tensor *x, char kind, bool discrete)
{
    if (kind == HELD_MOVES && x->op->holds == &wg_scan_holds)
        return ((const wg_scan_attrs *)x->attrs)->n * x->op->holds->size(t, x, discrete);
    return kind == HELD_KEPT ? x->size : 0;
}

static int64_t held_size(wg_tape *t, const wg_tensor *y, bool discrete)
{
    const wg_tape *from = wg_body_of(y->operand[0]);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    const char *kind = held_sort(t, from, discrete);
    int64_t size = 0;
    for (int64_t i = 0; kind != NULL && i < from->size; i++)
        size += held_share(t, from->node[i], kind[i], discrete);
    wg_arena_rewind(&t->scratch, empty);
    return size;
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

static bool held_begin(held_body *h, wg_tape *t, const wg_tensor *y, wg_dtype dtype, bool discrete)
{
    const wg_tape *from = wg_body_of(y->operand[0]);
    *h = (held_body){.y = y, .from = from, .body = wg_body_new(t), .dtype = dtype};
    h->kind = held_sort(t, from, discrete);
    h->twin = wg_arena_take(&t->scratch, (size_t)from->size * sizeof *h->twin, sizeof(void *));
    if (h->twin == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    if (t->status != WG_OK)
        wg_tape_free(h->body);
    return t->status == WG_OK;
}

static wg_dtype held_dtype(const held_body *h, wg_dtype dtype)
{
    return dtype == WG_I64 || h->dtype == WG_DTYPE_DEFAULT ? dtype : h->dtype;
}

/* A list of x's operands' twins; NULL: an error was recorded. */
static wg_tensor **held_operands(const held_body *h, const wg_tensor *x)
{
    const size_t n = (size_t)x->n_operands;
    wg_tensor **list = wg_arena_take(&h->body->scratch, n * sizeof *list, sizeof(void *));
    if (list == NULL)
        wg_fail(h->body, WG_E_NOMEM, "scan: out of memory");
    for (int k = 0; list != NULL && k < x->n_operands; k++)
        list[k] = h->twin[x->operand[k]->index];
    return list;
}

/* The leaf on t. One more input, where it is not NULL, comes behind the xs; one more output behind
 * the ys. */
static wg_tensor *held_end(held_body *h, wg_tape *t, wg_tensor *input, wg_tensor *output)
{
    const wg_scan_attrs *a = h->y->attrs;
    const int inputs = h->y->n_operands - 1, outputs = wg_scan_outputs(a);
    const int xs = (int)(a->carries + a->xs), ys = (int)(a->carries + a->ys);
    const size_t most = (size_t)inputs + (size_t)outputs + 2;
    wg_tensor **in = wg_arena_take(&t->scratch, most * sizeof *in, sizeof(void *));
    if (in == NULL)
        return wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    int n = 0, m = 0;
    for (int k = 0; k <= inputs; k++) {
        if (k == xs && input != NULL)
            in[n++] = input;
        if (k < inputs)
            in[n++] = h->twin[k];
    }
    wg_tensor **out = in + n;
    for (int k = 0; k <= outputs; k++) {
        if (k == ys && output != NULL)
            out[m++] = output;
        if (k < outputs)
            out[m++] = h->twin[wg_scan_output(h->y, k)->index];
    }
    return wg_body_end(t, "scan", h->body, in, n, out, m, wg_scan_flat);
}

/* ---- Recording what is held ------------------------------------------------------------------ */

/* The row of a step, in one dimension. */
static wg_tensor *held_row(held_body *h, bool discrete)
{
    const wg_dtype dtype = held_dtype(h, h->y->dtype);
    wg_tape *body = h->body;
    wg_tensor **part = wg_arena_take(&body->scratch, (size_t)h->from->size * sizeof *part,
                                     sizeof(void *));
    int n = 0;
    if (part == NULL)
        return wg_fail(body, WG_E_NOMEM, "scan: out of memory");
    for (int64_t i = 0; i < h->from->size && body->status == WG_OK; i++) {
        const wg_tensor *x = h->from->node[i];
        h->twin[i] = wg_copy_node(body, x, h->dtype, h->twin);
        if (held_share(body, x, h->kind[i], discrete) == 0)
            continue;
        if (h->kind[i] == HELD_KEPT)
            part[n++] = wg_scan_flat(wg_cast(h->twin[i], dtype));
        else
            part[n++] = x->op->holds->record(body, x, held_operands(h, x), h->dtype, discrete);
    }
    return wg_concat(part, n, 0);
}

static wg_tensor *held_record(wg_tape *t, const wg_tensor *y, wg_tensor *const operand[],
                              wg_dtype dtype, bool discrete)
{
    wg_scan_attrs a = *(const wg_scan_attrs *)y->attrs;
    const int k = (int)(a.carries + a.ys);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor *rows = &t->inert;
    held_body h;
    a.ys++;
    a.keep = 0;
    if (t->status == WG_OK && held_begin(&h, t, y, dtype, discrete)) {
        const size_t n = (size_t)y->n_operands;
        wg_tensor *row = held_row(&h, discrete), *leaf = held_end(&h, t, NULL, row);
        wg_tensor **list = wg_arena_take(&t->scratch, n * sizeof *list, sizeof(void *));
        if (list == NULL)
            wg_fail(t, WG_E_NOMEM, "scan: out of memory");
        else {
            memcpy(list, operand, n * sizeof *list);
            list[0] = leaf;
            wg_tensor *loop = wg_apply(y->op, list, y->n_operands, &a);
            rows = wg_is_inert(loop) ? loop : wg_scan_part(loop, loop, k, 0, a.n);
        }
        wg_tape_free(h.body);
    }
    wg_arena_rewind(&t->scratch, empty);
    return rows;
}

/* ---- The loop that holds it ------------------------------------------------------------------ */

/* x's twin, of the part of the row that begins at *at, which moves on. */
static wg_tensor *held_twin(held_body *h, const wg_tensor *x, wg_tensor *row, int64_t *at)
{
    const int64_t share = held_share(h->body, x, h->kind[x->index], false);
    if (share == 0)
        return wg_copy_node(h->body, x, h->dtype, h->twin);
    wg_tensor *part = wg_slice(row, 0, *at, *at + share);
    *at += share;
    if (h->kind[x->index] == HELD_KEPT)
        return wg_reshape(wg_cast(part, held_dtype(h, x->dtype)), x->shape.ndim, x->shape.dim);
    const int64_t n = ((const wg_scan_attrs *)x->attrs)->n;
    wg_tensor *leaf = x->op->holds->body(h->body, x, h->dtype);
    wg_tensor **operand = held_operands(h, x);
    return x->op->holds->apply(x, operand, leaf, wg_reshape(part, WG_SHAPE(n, share / n)));
}

static wg_tensor *held_leaf(wg_tape *t, const wg_tensor *y, wg_dtype dtype)
{
    const int64_t size = held_size(t, y, false);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor *leaf = &t->inert;
    held_body h;
    int64_t at = 0;
    if (t->status == WG_OK && held_begin(&h, t, y, dtype, false)) {
        wg_tensor *row = wg_placeholder(h.body, NULL, held_dtype(&h, y->dtype), WG_SHAPE(size));
        for (int64_t i = 0; i < h.from->size && h.body->status == WG_OK; i++)
            h.twin[i] = held_twin(&h, h.from->node[i], row, &at);
        leaf = held_end(&h, t, row, NULL);
        wg_tape_free(h.body);
    }
    wg_arena_rewind(&t->scratch, empty);
    return leaf;
}

static wg_tensor *held_apply(const wg_tensor *y, wg_tensor *const operand[], wg_tensor *leaf,
                             wg_tensor *rows)
{
    wg_tape *t = leaf->tape;
    wg_scan_attrs a = *(const wg_scan_attrs *)y->attrs;
    const size_t n = (size_t)y->n_operands, before = (size_t)(1 + a.carries + a.xs++);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    wg_tensor **list = wg_arena_take(&t->scratch, (n + 1) * sizeof *list, sizeof(void *));
    wg_tensor *loop = &t->inert;
    if (list == NULL || operand == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    else {
        memcpy(list, operand, before * sizeof *list);
        memcpy(list + before + 1, operand + before, (n - before) * sizeof *list);
        list[0] = leaf;
        list[before] = rows;
        loop = wg_apply(y->op, list, (int)n + 1, &a);
    }
    wg_arena_rewind(&t->scratch, empty);
    return loop;
}

/* ---- The ops of a step ----------------------------------------------------------------------- */

/* Where input k's value in a step is: behind the step before, or in a row of an operand. */
static const char *held_value(const wg_tensor *y, int64_t k, int64_t row, const wg_tape *before)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tensor *x = y->operand[1 + k], *input = wg_body_of(y->operand[0])->node[k];
    if (k < a->carries && before != NULL)
        return before->node[before->size - wg_scan_outputs(a) + k]->data;
    const bool rows = k >= a->carries && k < a->carries + a->xs;
    return (const char *)x->data +
           (rows ? row * input->size : 0) * (int64_t)wg_dtype_size(x->dtype);
}

static bool held_step(const wg_tensor *y, int64_t step, const wg_tape *before, wg_tape *t)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tape *body = wg_body_of(y->operand[0]);
    const int64_t row = a->reverse ? a->n - 1 - step : step;
    t->wide = y->tape->wide;
    for (int64_t i = 0; i < body->size && step < a->n && t->status == WG_OK; i++) {
        const wg_tensor *x = body->node[i];
        if (x->op != &wg_op_input) {
            wg_copy_node(t, x, WG_DTYPE_DEFAULT, t->node);
            continue;
        }
        const wg_tensor *value = wg_full(t, x->dtype, x->shape.ndim, x->shape.dim, 0);
        if (t->status == WG_OK && x->size > 0)
            memcpy(value->data, held_value(y, i, row, before),
                   (size_t)x->size * wg_dtype_size(x->dtype));
    }
    return step < a->n;
}

const wg_op_holds wg_scan_holds = {held_size, held_record, held_leaf, held_apply, held_step};
