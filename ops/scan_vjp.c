/* scan_vjp.c: the derivative of a loop: a loop in the other direction, whose body is the VJP of the
 * body. */
#include "ops/scan_internal.h"

#include <stdio.h>
#include <string.h>

#include "autograd/grad.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "ops/slice.h"

/* Its carries are the carries' cotangents. Its rows are the carries before each step, the xs, the
 * ys' cotangents, and, where all carries are kept, those of the kept ones; its params are the
 * params and the sums' cotangents; it gives out the xs' cotangents and sums up those of the params.
 * Inputs and outputs of the body, by what they are for, in this order. */
enum { BACK_CARRY, BACK_KEPT, BACK_X, BACK_DY, BACK_DKEPT, BACK_PARAM, BACK_DSUM };

typedef struct scan_input {
    wg_tensor *leaf; /* in the body */
    int kind, number;
} scan_input;

typedef struct scan_back {
    wg_tensor *y, *dy;
    const wg_scan_attrs *a;
    const bool *wanted;
    int n_params;
    wg_tape *body;      /* on which it is recorded */
    wg_tensor **twin;   /* of the nodes of y's body */
    scan_input *input;  /* [n_inputs] candidates */
    wg_tensor **output; /* [n_outputs] cotangents of the inputs of y's body; NULL: unwanted */
    int n_inputs;
    wg_tensor *kept; /* y, or, where that keeps no carries, the same that does */
} scan_back;

static int back_count(const scan_back *b)
{
    return (int)(b->a->carries + b->a->xs) + b->n_params;
}

static void *back_take(const scan_back *b, int64_t n, size_t item)
{
    wg_tape *t = b->y->tape;
    void *memory = wg_arena_take(&t->scratch, (size_t)n * item, sizeof(void *));
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    else
        memset(memory, 0, (size_t)n * item);
    return memory;
}

/* ---- The body -------------------------------------------------------------------------------- */

/* Names are for readers: "h", or what it is for; "dh", a cotangent. */
static void back_name(wg_tensor *x, const char *before, const wg_tensor *of, const char *other)
{
    char name[64];
    if (x->name != NULL)
        return;
    snprintf(name, sizeof name, "%s%.60s", before,
             of != NULL && of->name != NULL ? of->name : other);
    wg_rename(x, name);
}

static wg_tensor *back_add(scan_back *b, int kind, int number, wg_tensor *leaf)
{
    static const char *const is[] = {"carry", "carry", "x", "dy", "dcarry", "param", "dsum"};
    if (kind == BACK_CARRY)
        back_name(leaf, "d", b->twin[number], is[kind]);
    else
        back_name(leaf, "", NULL, is[kind]);
    b->input[b->n_inputs++] = (scan_input){leaf, kind, number};
    return leaf;
}

/* A cotangent of output k of y's body. */
static wg_tensor *back_cotangent(scan_back *b, int kind, int number, int k)
{
    const int64_t size = wg_scan_size(b->y, k);
    return back_add(b, kind, number, wg_placeholder(b->body, NULL, b->y->dtype, 1, &size));
}

/* Candidates, in the order of operands, carries first; dys[k]: the cotangent of output k. */
static void back_inputs(scan_back *b, wg_tensor *dys[])
{
    const int carries = (int)b->a->carries, xs = (int)b->a->xs, ys = (int)b->a->ys;
    for (int k = 0; k < carries; k++)
        dys[k] = back_cotangent(b, BACK_CARRY, k, k);
    for (int k = 0; k < carries; k++)
        back_add(b, BACK_KEPT, k, b->twin[k]);
    for (int k = 0; k < xs; k++)
        back_add(b, BACK_X, k, b->twin[carries + k]);
    for (int k = 0; k < ys; k++)
        dys[carries + k] = back_cotangent(b, BACK_DY, k, carries + k);
    for (int k = 0; k < carries && b->a->keep; k++)
        back_cotangent(b, BACK_DKEPT, k, k);
    for (int k = 0; k < b->n_params; k++)
        back_add(b, BACK_PARAM, k, b->twin[carries + xs + k]);
    for (int k = carries + ys; k < wg_scan_outputs(b->a); k++)
        dys[k] = back_cotangent(b, BACK_DSUM, k, k);
}

/* The next carry: the cotangent of the carry before the step, and what reaches it from outside. */
static wg_tensor *back_next(const scan_back *b, int k, wg_tensor *g)
{
    wg_tensor *next = wg_scan_flat(g);
    for (int i = 0; i < b->n_inputs; i++)
        if (b->input[i].kind == BACK_DKEPT && b->input[i].number == k)
            next = wg_add(next, b->input[i].leaf);
    return next;
}

/* output[i]: the cotangent of input i of y's body, of carries always. One that depends on no input
 * is zero. */
static void back_derive(scan_back *b, wg_tensor *const dys[])
{
    const int n = back_count(b), m = wg_scan_outputs(b->a);
    const wg_tape *from = wg_body_of(b->y->operand[0]);
    wg_tensor **ys = back_take(b, m, sizeof *ys), **xs = back_take(b, 2 * (int64_t)n, sizeof *xs);
    int asked = 0;
    for (int k = 0; ys != NULL && k < m; k++)
        ys[k] = b->twin[from->size - m + k];
    for (int i = 0; xs != NULL && i < n; i++)
        if (i < b->a->carries || b->wanted[1 + i])
            xs[asked++] = b->twin[i];
    if (ys == NULL || xs == NULL || wg_vjp_many(ys, dys, m, xs, asked, xs + n) != WG_OK)
        return;
    for (int i = 0, at = 0; i < n; i++) {
        if (i >= b->a->carries && !b->wanted[1 + i])
            continue;
        wg_tensor *g = xs[n + at++];
        if (i < b->a->carries)
            b->output[i] = back_next(b, i, g);
        else if (g->state & WG_NODE_LIVE) {
            back_name(g, "d", b->twin[i], i < b->a->carries + b->a->xs ? "x" : "param");
            b->output[i] = g;
        }
    }
}

/* y's body once more, with its VJP. */
static bool back_record(scan_back *b)
{
    const wg_tape *from = wg_body_of(b->y->operand[0]);
    wg_tensor **dys = back_take(b, wg_scan_outputs(b->a), sizeof *dys);
    b->twin = back_take(b, from->size, sizeof *b->twin);
    b->input = back_take(b, 3 * b->a->carries + back_count(b) + wg_scan_outputs(b->a),
                         sizeof *b->input);
    b->output = back_take(b, back_count(b), sizeof *b->output);
    if (dys == NULL || b->twin == NULL || b->input == NULL || b->output == NULL)
        return false;
    for (int64_t i = 0; i < from->size && wg_tape_status(b->body) == WG_OK; i++)
        b->twin[i] = wg_copy_node(b->body, from->node[i], WG_DTYPE_DEFAULT, b->twin);
    if (wg_tape_status(b->body) == WG_OK) {
        back_inputs(b, dys);
        back_derive(b, dys);
    }
    if (wg_tape_status(b->body) != WG_OK)
        wg_fail(b->y->tape, wg_tape_status(b->body), "scan: %s", wg_tape_message(b->body));
    return wg_tape_status(b->y->tape) == WG_OK;
}

/* ---- What of it is needed -------------------------------------------------------------------- */

static int back_list(const scan_back *b, const bool *alive, wg_tensor **list)
{
    int n = 0;
    for (int i = 0; i < back_count(b); i++)
        if (b->output[i] != NULL && (i >= b->a->carries || alive[i]))
            list[n++] = b->output[i];
    return n;
}

/* A carry lives where its last value is wanted, or where something reads it that is needed.
 * needed[]: of the body's nodes. Returns how many outputs there are. */
static int back_mark(const scan_back *b, bool *alive, bool *needed, wg_tensor **list)
{
    bool grows = true;
    int n = 0;
    for (int k = 0; k < b->a->carries; k++)
        alive[k] = b->wanted[1 + k];
    while (grows) {
        grows = false;
        n = back_list(b, alive, list);
        wg_mark_needed(b->body, list, n, b->body->size - 1, needed);
        for (int k = 0; k < b->a->carries; k++)
            if (!alive[k] && needed[b->input[k].leaf->index])
                grows = alive[k] = true;
    }
    return n;
}

/* ---- On the tape ----------------------------------------------------------------------------- */

/* y with its carries kept. */
static wg_tensor *back_kept(scan_back *b)
{
    wg_scan_attrs kept = *b->a;
    kept.keep = 1;
    if (b->kept == NULL)
        b->kept = b->a->keep ? b->y : wg_apply(b->y->op, b->y->operand, b->y->n_operands, &kept);
    return b->kept;
}

/* A part of n rows, like what the body was recorded for. */
static wg_tensor *back_rows(const scan_back *b, wg_tensor *part, const wg_tensor *leaf)
{
    const wg_shape shape = wg_scan_rows_shape(b->a->n, &leaf->shape);
    if (shape.ndim > WG_MAX_DIMS)
        return wg_fail(b->y->tape, WG_E_SHAPE, "scan: a carry of 8 dimensions");
    return wg_reshape(part, shape.ndim, shape.dim);
}

static wg_tensor *back_operand(scan_back *b, const scan_input *in)
{
    wg_tensor *y = b->y, *dy = b->dy;
    const wg_scan_attrs *a = b->a;
    const int k = in->number, carries = (int)a->carries;
    const int64_t before = a->reverse ? 1 : 0;
    switch (in->kind) {
    case BACK_CARRY: return wg_scan_part(y, dy, k, wg_scan_last_row(a), 1);
    case BACK_KEPT: {
        wg_tensor *kept = back_kept(b);
        if (wg_is_inert(kept))
            return kept;
        return back_rows(b, wg_scan_part(kept, kept, k, before, a->n), in->leaf);
    }
    case BACK_X: return y->operand[1 + carries + k];
    case BACK_DY: return back_rows(b, wg_scan_part(y, dy, carries + k, 0, a->n), in->leaf);
    case BACK_DKEPT: return back_rows(b, wg_scan_part(y, dy, k, before, a->n), in->leaf);
    case BACK_PARAM: return y->operand[1 + carries + (int)a->xs + k];
    default: return wg_scan_part(y, dy, k, 0, 1); /* BACK_DSUM */
    }
}

static wg_tensor *back_apply(scan_back *b, const bool *needed, wg_tensor *const outputs[], int n,
                             const wg_scan_attrs *attrs)
{
    wg_tape *t = b->y->tape;
    wg_tensor **leaf = back_take(b, b->n_inputs + 1, sizeof *leaf);
    wg_tensor **operand = back_take(b, b->n_inputs + 1, sizeof *operand);
    int inputs = 0;
    for (int i = 0; leaf != NULL && operand != NULL && i < b->n_inputs; i++)
        if (needed[b->input[i].leaf->index]) {
            leaf[inputs++] = b->input[i].leaf;
            operand[inputs] = back_operand(b, &b->input[i]);
        }
    if (wg_tape_status(t) != WG_OK)
        return &t->inert;
    operand[0] = wg_body_end(t, "scan", b->body, leaf, inputs, outputs, n, wg_scan_flat);
    return wg_apply(b->y->op, operand, inputs + 1, attrs);
}

/* The loop back; which of its outputs is whose cotangent follows from the order of both. */
static void back_finish(scan_back *b, wg_tensor *dx[])
{
    const int count = back_count(b), carries = (int)b->a->carries, xs = (int)b->a->xs;
    bool *alive = back_take(b, carries + 1, sizeof *alive);
    bool *needed = back_take(b, b->body->size + 1, sizeof *needed);
    wg_tensor **list = back_take(b, count, sizeof *list);
    if (alive == NULL || needed == NULL || list == NULL)
        return;
    const int n = back_mark(b, alive, needed, list);
    wg_scan_attrs attrs = {.n = b->a->n, .reverse = !b->a->reverse};
    /* A living carry that nothing needs to read is one all the same. */
    for (int k = 0; k < carries; k++) {
        needed[b->input[k].leaf->index] = alive[k];
        attrs.carries += alive[k];
    }
    for (int i = 0; i < b->n_inputs; i++)
        attrs.xs += needed[b->input[i].leaf->index] && b->input[i].kind >= BACK_KEPT &&
                    b->input[i].kind <= BACK_DKEPT;
    for (int i = carries; i < count; i++) {
        attrs.ys += b->output[i] != NULL && i < carries + xs;
        attrs.sums += b->output[i] != NULL && i >= carries + xs;
    }
    if (n == 0)
        return;
    wg_tensor *back = back_apply(b, needed, list, n, &attrs);
    for (int i = 0, k = 0; i < count && !wg_is_inert(back); i++) {
        const wg_shape *shape = &b->y->operand[1 + i]->shape;
        if (b->output[i] == NULL || (i < carries && !alive[i]))
            continue;
        if (b->wanted[1 + i])
            dx[1 + i] = wg_reshape(wg_scan_part(back, back, k, 0, wg_scan_rows(&attrs, k)),
                                   shape->ndim, shape->dim);
        k++;
    }
}

void wg_scan_vjp_all(wg_tensor *y, wg_tensor *dy, const bool wanted[], wg_tensor *dx[])
{
    wg_tape *t = y->tape;
    scan_back b = {.y = y, .dy = dy, .a = y->attrs, .wanted = wanted};
    b.n_params = y->n_operands - 1 - (int)(b.a->carries + b.a->xs);
    b.body = wg_body_new(t);
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    if (wg_tape_status(t) == WG_OK && back_record(&b))
        back_finish(&b, dx);
    wg_arena_rewind(&t->scratch, empty);
    wg_tape_free(b.body);
}

wg_tensor *wg_scan_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    return wg_vjp_of_all(y, dy, i, true);
}
