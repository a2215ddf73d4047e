/* A loop as C: its body is a function of a step, which is called for every row. */
#include "autograd/compile/c_function_internal.h"
#include "autograd/hash.h"
#include "ops/arithmetic.h"
#include "ops/layout.h"
#include "ops/scan_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The function's arguments, in this order: carries; where they are kept, those behind the step; xs,
 * params, ys, sums. A carry that is not kept and a sum are updated where they are, in y. */
enum { STEP_CARRY, STEP_NEXT, STEP_X, STEP_PARAM, STEP_Y, STEP_SUM };

typedef struct scan_part {
    int kind, number; /* of its kind */
} scan_part;

/* Argument i. */
static scan_part scan_part_of(const wg_tensor *y, int i)
{
    const wg_scan_attrs *a = y->attrs;
    const int params = y->n_operands - 1 - (int)(a->carries + a->xs);
    const int n[] = {(int)a->carries, a->keep ? (int)a->carries : 0, (int)a->xs, params, (int)a->ys,
                     (int)a->sums};
    int kind = STEP_CARRY;
    for (; kind < STEP_SUM && i >= n[kind]; kind++)
        i -= n[kind];
    return (scan_part){kind, i};
}

static int scan_parts(const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    return y->n_operands - 1 + (int)(a->ys + a->sums + (a->keep ? a->carries : 0));
}

/* Where it is among the body's inputs, and among its outputs; -1: nowhere. */
static int scan_input_of(const wg_scan_attrs *a, scan_part part)
{
    switch (part.kind) {
    case STEP_CARRY: return part.number;
    case STEP_X: return (int)a->carries + part.number;
    case STEP_PARAM: return (int)(a->carries + a->xs) + part.number;
    default: return -1;
    }
}

static int scan_output_of(const wg_scan_attrs *a, scan_part part)
{
    switch (part.kind) {
    case STEP_CARRY: return a->keep ? -1 : part.number;
    case STEP_NEXT: return part.number;
    case STEP_Y: return (int)a->carries + part.number;
    case STEP_SUM: return (int)(a->carries + a->ys) + part.number;
    default: return -1;
    }
}

/* ---- The function ---------------------------------------------------------------------------- */

/* The body once more, with sums that are added to. */
typedef struct scan_step_body {
    wg_tape *tape;
    wg_tensor **twin;        /* of the nodes of y's body */
    wg_tensor **output;      /* [outputs] */
    wg_tensor **sum;         /* [sums] what they are added to */
    wg_c_argument *argument; /* [parts] */
} scan_step_body;

static void *step_take(wg_tape *t, int64_t n, size_t size)
{
    void *memory = wg_arena_take(&t->scratch, (size_t)n * size, sizeof(void *));
    if (memory == NULL)
        wg_fail(t, WG_E_NOMEM, "scan: out of memory");
    return memory;
}

static bool step_body_take(const wg_tensor *y, scan_step_body *b)
{
    const wg_scan_attrs *a = y->attrs;
    wg_tape *t = y->tape;
    b->twin = step_take(t, wg_body_of(y->operand[0])->size, sizeof(wg_tensor *));
    b->output = step_take(t, wg_scan_outputs(a), sizeof(wg_tensor *));
    b->sum = step_take(t, a->sums, sizeof(wg_tensor *));
    b->argument = step_take(t, scan_parts(y), sizeof *b->argument);
    return wg_tape_status(t) == WG_OK;
}

/* A carry that becomes what another one was is copied first: all are updated in their places. */
static wg_tensor *step_next(const scan_step_body *b, int k, wg_tensor *next)
{
    const wg_tensor *root = wg_view_root(next);
    return root->op == &wg_op_input && root != b->twin[k] ? wg_detach(next) : next;
}

static void step_record(const wg_tensor *y, const scan_step_body *b)
{
    const wg_scan_attrs *a = y->attrs;
    const wg_tape *from = wg_body_of(y->operand[0]);
    const int outputs = wg_scan_outputs(a), sums = outputs - (int)a->sums;
    for (int64_t i = 0; i < from->size - outputs && wg_tape_status(b->tape) == WG_OK; i++)
        b->twin[i] = wg_copy_node(b->tape, from->node[i], WG_DTYPE_DEFAULT, b->twin);
    for (int k = 0; k < outputs && wg_tape_status(b->tape) == WG_OK; k++) {
        wg_tensor *made = b->twin[wg_scan_output(y, k)->index];
        b->output[k] = k < a->carries && !a->keep ? step_next(b, k, made) : made;
        if (k < sums)
            continue;
        b->sum[k - sums] = wg_placeholder(b->tape, NULL, y->dtype, made->shape.ndim,
                                          made->shape.dim);
        b->output[k] = wg_add(b->sum[k - sums], made);
    }
}

static const char *step_name(const wg_tensor *named, const char *other)
{
    return named != NULL && named->name != NULL ? named->name : other;
}

static wg_c_argument step_argument(const wg_tensor *y, const scan_step_body *b, scan_part part)
{
    static const char *const names[] = {"carry", "next", "x", "param", "y", "sums"};
    const wg_scan_attrs *a = y->attrs;
    const int in = scan_input_of(a, part), out = scan_output_of(a, part);
    const wg_tensor *input = part.kind == STEP_SUM ? b->sum[part.number]
                             : in >= 0             ? b->twin[in]
                                                   : NULL;
    const wg_tensor *named = part.kind == STEP_SUM || part.kind == STEP_Y
                                 ? b->twin[wg_scan_output(y, out)->index]
                                 : input;
    return (wg_c_argument){step_name(named, names[part.kind]), input, out, false};
}

static const wg_c_function *step_write(wg_c_writer *c, const wg_tensor *y, uint64_t key)
{
    wg_tape *t = y->tape;
    const wg_c_function *f = NULL;
    scan_step_body b = {.tape = wg_body_new(t)};
    if (wg_tape_status(t) == WG_OK && step_body_take(y, &b)) {
        step_record(y, &b);
        if (wg_tape_status(b.tape) != WG_OK)
            wg_fail(t, wg_tape_status(b.tape), "scan: %s", wg_tape_message(b.tape));
        const wg_program *p = wg_program_make(t, b.tape, b.output, wg_scan_outputs(y->attrs), t,
                                              NULL);
        for (int i = 0; p != NULL && i < scan_parts(y); i++)
            b.argument[i] = step_argument(y, &b, scan_part_of(y, i));
        if (p != NULL)
            f = wg_c_function_write(c, key, p, b.argument, scan_parts(y));
    }
    wg_tape_free(b.tape);
    return f;
}

/* What a body computes: its hash knows ops by name alone. */
static uint64_t step_hash(uint64_t hash, const wg_tensor *leaf)
{
    const wg_tape *body = wg_body_of(leaf);
    hash = wg_hash_word(hash, *(const uint64_t *)leaf->attrs);
    for (int64_t i = 0; i < body->size; i++)
        hash = body->node[i]->op == &wg_op_body
                   ? step_hash(hash, body->node[i])
                   : wg_hash_word(hash, (uint64_t)(uintptr_t)body->node[i]->op);
    return hash;
}

static const wg_c_function *scan_function(wg_c_writer *c, const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const int64_t roles[] = {a->carries, a->xs, a->ys, a->sums, a->keep};
    const uint64_t key = wg_hash_bytes(step_hash(WG_HASH_START, y->operand[0]), roles,
                                       sizeof roles);
    const wg_c_function *f = wg_c_function_find(c, key);
    return f != NULL ? f : step_write(c, y, key);
}

/* ---- The loop -------------------------------------------------------------------------------- */

/* start + row(t) * size, for the step's row, or the one behind it. */
static wg_text scan_row(int64_t start, int64_t size, bool behind)
{
    wg_text text;
    char first[32] = "", times[32] = "";
    start += behind ? size : 0;
    if (start > 0)
        snprintf(first, sizeof first, "%" PRId64 " + ", start);
    if (size != 1)
        snprintf(times, sizeof times, " * %" PRId64, size);
    snprintf(text.s, sizeof text.s, "%st%s", first, times);
    return text;
}

static wg_text scan_index(int64_t i)
{
    wg_text text;
    snprintf(text.s, sizeof text.s, "%" PRId64, i);
    return text;
}

/* A row of operand k, or all of it. */
static wg_text scan_given_operand(wg_c_writer *c, const wg_tensor *y, int k, bool row)
{
    const wg_tensor *x = y->operand[k];
    const int64_t n = ((const wg_scan_attrs *)y->attrs)->n, size = row ? x->size / n : x->size;
    if (size == 1)
        return wg_c_element(c, x, row ? "t" : "0");
    if (wg_c_is_spread(c, x))
        return wg_c_spread(c, x, size);
    return wg_c_address(c, x, row ? scan_row(0, size, false).s : "0");
}

static wg_text scan_given(wg_c_writer *c, const wg_tensor *y, scan_part part)
{
    const wg_scan_attrs *a = y->attrs;
    if (part.kind == STEP_X || part.kind == STEP_PARAM)
        return scan_given_operand(c, y, 1 + scan_input_of(a, part), part.kind == STEP_X);
    const int k = part.kind == STEP_CARRY ? part.number : scan_output_of(a, part);
    const int64_t start = wg_scan_start(y, k), size = wg_scan_size(y, k);
    if (part.kind == STEP_SUM || (part.kind == STEP_CARRY && !a->keep))
        return wg_c_address(c, y, scan_index(start).s);
    const bool behind = part.kind != STEP_Y && (part.kind == STEP_NEXT) == !a->reverse;
    const wg_text at = scan_row(start, size, behind);
    return size == 1 && part.kind == STEP_CARRY ? wg_c_element(c, y, at.s)
                                                : wg_c_address(c, y, at.s);
}

/* Carries before the first step, and sums of none, which are behind one another. */
static void scan_write_begin(wg_c_writer *c, const wg_tensor *y)
{
    const wg_scan_attrs *a = y->attrs;
    const int sums = (int)(a->carries + a->ys);
    wg_c_nest all;
    for (int k = 0; k < a->carries; k++) {
        const int64_t size = wg_scan_size(y, k), row = a->keep && a->reverse ? a->n : 0;
        wg_c_strided(&all, 1, &size, (const int64_t[]){1}, (const int64_t[]){1});
        all.start[0] = wg_scan_start(y, k) + row * size;
        if (size > 0)
            wg_c_copy(c, &all, y->operand[1 + k]);
    }
    wg_c_each(&all, y->size - wg_scan_start(y, sums));
    all.start[0] = wg_scan_start(y, sums);
    if (all.start[0] == y->size)
        return;
    wg_c_open_one(c, &all);
    wg_c_line(c, "%y = 0;", wg_c_at(&all, NULL, 0).s);
    wg_c_close_one(c, &all);
}

static void scan_write_steps(wg_c_writer *c, const wg_tensor *y, const wg_c_function *f)
{
    const int64_t n = ((const wg_scan_attrs *)y->attrs)->n;
    wg_text *given = step_take(y->tape, f->n_arguments, sizeof *given);
    if (given == NULL)
        return;
    for (int i = 0; i < f->n_arguments; i++)
        if (f->argument[i].used)
            given[i] = scan_given(c, y, scan_part_of(y, i));
    const char *type = wg_c_counter(c, n);
    if (((const wg_scan_attrs *)y->attrs)->reverse)
        wg_c_line(c, "for (%s t = %i; t >= 0; t--)", type, n - 1);
    else
        wg_c_line(c, "for (%s t = 0; t < %i; t++)", type, n);
    wg_c_call(c, f, given, true);
}

void wg_scan_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    (void)row;
    scan_write_begin(c, y);
    if (((const wg_scan_attrs *)y->attrs)->n == 0)
        return;
    const wg_c_function *f = scan_function(c, y);
    if (f != NULL && !f->empty)
        scan_write_steps(c, y, f);
}
