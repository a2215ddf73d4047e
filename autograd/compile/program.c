/* Programs: how one is made, bound, run, and printed. */
#include "autograd/compile/program_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const wg_program program_inert = {.tape = NULL};

/* Whatever writes a program first looks whether it is inert. */
static wg_program *program_none(void)
{
    return (wg_program *)(uintptr_t)&program_inert;
}

static bool program_is_inert(const wg_program *p)
{
    return p == NULL || p->tape == NULL;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

static bool program_fits(wg_tape *t, const wg_tape *from, wg_tensor *const outputs[], int n,
                         int64_t *last)
{
    *last = -1;
    if (n < 1)
        wg_fail(t, WG_E_VALUE, "compile: %d outputs", n);
    for (int i = 0; i < n && t->status == WG_OK; i++) {
        const wg_tensor *y = outputs[i];
        if (wg_is_inert(y) || y->tape != from)
            wg_fail(t, y == NULL || y->tape == t ? WG_E_NULL : WG_E_TAPE,
                    "compile: output %d is no tensor of this tape", i);
        else if (y->index > *last)
            *last = y->index;
    }
    return t->status == WG_OK;
}

/* Who needs a node. One element that outputs alone need (a loss that is printed) is computed last:
 * it stands in the way of no chain. Reductions do not where they can be a part of one. */
enum { NEEDED_NOT, NEEDED_LAST, NEEDED };

static bool program_is_last(const wg_program *p, const wg_tensor *y, unsigned char needed)
{
    return needed == NEEDED_LAST && y->size == 1 && (y->state & WG_NODE_LIVE) &&
           y->n_operands > 0 && (y->op->fold == NULL || p->pool != NULL);
}

/* What depends on constants alone is a leaf of the program. */
static int64_t program_mark_needed(const wg_program *p, wg_tensor *const outputs[], int64_t last,
                                   unsigned char *needed, int64_t *n_operands)
{
    int64_t count = 0;
    memset(needed, NEEDED_NOT, (size_t)last + 1);
    for (int i = 0; i < p->n_outputs; i++)
        needed[outputs[i]->index] = NEEDED_LAST;
    *n_operands = 0;
    for (int64_t i = last; i >= 0; i--) {
        const wg_tensor *y = p->from->node[i];
        if (needed[i] == NEEDED_NOT)
            continue;
        count++;
        const unsigned char how = program_is_last(p, y, needed[i]) ? NEEDED_LAST : NEEDED;
        for (int k = 0; (y->state & WG_NODE_LIVE) && k < y->n_operands; k++, ++*n_operands)
            if (needed[y->operand[k]->index] < how)
                needed[y->operand[k]->index] = how;
    }
    return count;
}

/* Whose memory is where the tape's leaf has it when the program runs: an input's is bound, an
 * output's may be that of what its own program was bound to. */
static bool program_follows(const wg_tensor *leaf)
{
    return leaf->op == &wg_op_input || wg_is_output(leaf);
}

static wg_tensor *program_copy_node(wg_program *p, wg_tensor *twin, const wg_tensor *y,
                                    wg_tensor **operand, wg_tensor *const twins[])
{
    *twin = *y;
    twin->tape = p->host;
    twin->state &= ~(unsigned)WG_NODE_ABSTRACT; /* a body's; the program computes it */
    if ((y->state & WG_NODE_ABSTRACT) && !(y->state & WG_NODE_LIVE))
        wg_fail(p->tape, WG_E_VALUE, "compile: outputs depend on what never has a value: %s",
                wg_tensor_text(y).s);
    if (!(y->state & WG_NODE_LIVE)) {
        twin->operand = NULL;
        twin->n_operands = 0;
        return twin;
    }
    twin->operand = operand;
    for (int k = 0; k < y->n_operands; k++)
        twin->operand[k] = twins[y->operand[k]->index];
    if (y->n_operands > 0) {
        twin->data = NULL;
        p->tape_memory_size += y->op->flags & WG_OP_VIEW
                                   ? 0
                                   : ((size_t)y->size * wg_dtype_size(y->dtype) + WG_ALIGNMENT -
                                      1) /
                                         WG_ALIGNMENT * WG_ALIGNMENT;
    } else {
        wg_fresh_add(&p->fresh, y);
        if (program_follows(y))
            p->input[p->n_inputs++] = (wg_program_input){y, twin, false};
    }
    return twin;
}

static bool program_copy_nodes(wg_program *p, wg_tensor *const outputs[], int64_t last,
                               const unsigned char *needed, int64_t n_operands)
{
    wg_tape *t = p->tape;
    size_t count = (size_t)p->n_nodes;
    wg_tensor **twins = wg_arena_take(&t->scratch, (size_t)(last + 1) * sizeof(wg_tensor *),
                                      WG_ALIGNMENT);
    wg_tensor **operand = wg_tape_take(t, (size_t)n_operands * sizeof(wg_tensor *));
    p->node = wg_tape_take(t, count * sizeof *p->node);
    p->fresh.leaf = wg_tape_take(t, count * sizeof *p->fresh.leaf);
    p->input = wg_tape_take(t, count * sizeof *p->input);
    p->result = wg_tape_take(t, (size_t)p->n_outputs * sizeof *p->result);
    if (twins == NULL)
        wg_fail(t, WG_E_NOMEM, "compile: out of memory");
    if (t->status != WG_OK)
        return false;
    int64_t place = 0;
    for (int at_end = 0; at_end < 2; at_end++)
        for (int64_t i = 0; i <= last; i++) {
            const wg_tensor *y = p->from->node[i];
            if (needed[i] == NEEDED_NOT || program_is_last(p, y, needed[i]) != at_end)
                continue;
            twins[i] = program_copy_node(p, &p->node[place++], y, operand, twins);
            operand += y->state & WG_NODE_LIVE ? y->n_operands : 0;
        }
    for (int i = 0; i < p->n_outputs; i++)
        p->result[i] = twins[outputs[i]->index];
    return t->status == WG_OK;
}

/* Plans that forward writes to. */
static bool program_own_plans(const wg_program *p)
{
    wg_tape *t = p->tape;
    for (int64_t i = 0; i < p->n_nodes && t->status == WG_OK; i++) {
        wg_tensor *y = &p->node[i];
        if (!(y->op->flags & WG_OP_OWN_PLAN) || y->n_operands == 0)
            continue;
        y->plan = wg_tape_take(t, y->op->plan_size);
        if (y->plan != NULL)
            y->op->plan(y);
    }
    return t->status == WG_OK;
}

/* A loss and its gradient look at the same targets once. Inputs of a body are what others computed;
 * constants were looked at when y was recorded. */
static bool program_has_check(const wg_program *p, const wg_tensor *y)
{
    if (y->op->check_input == NULL || y->n_operands == 0 || p->from != p->tape ||
        !program_follows(wg_view_root(y->operand[y->n_operands - 1])))
        return false;
    for (int i = 0; i < p->n_checks; i++) {
        const wg_tensor *z = p->checks[i];
        if (z->op->check_input == y->op->check_input &&
            z->operand[z->n_operands - 1] == y->operand[y->n_operands - 1])
            return false;
    }
    return true;
}

static bool program_find_checks(wg_program *p)
{
    int64_t most = 0;
    for (int64_t i = 0; i < p->n_nodes; i++)
        most += p->node[i].op->check_input != NULL;
    p->checks = wg_tape_take(p->tape, (size_t)most * sizeof *p->checks);
    for (int64_t i = 0; p->checks != NULL && i < p->n_nodes; i++)
        if (program_has_check(p, &p->node[i]))
            p->checks[p->n_checks++] = &p->node[i];
    return p->checks != NULL;
}

static bool program_build(wg_program *p, wg_tensor *const outputs[], int64_t last)
{
    wg_tape *t = p->tape;
    int64_t n_operands;
    unsigned char *needed = wg_arena_take(&t->scratch, (size_t)last + 1, 1);
    if (needed == NULL) {
        wg_fail(t, WG_E_NOMEM, "compile: out of memory");
        return false;
    }
    p->n_nodes = program_mark_needed(p, outputs, last, needed, &n_operands);
    return program_copy_nodes(p, outputs, last, needed, n_operands) && program_own_plans(p) &&
           program_find_checks(p) && wg_program_plan(p);
}

/* The first placeholder that has no memory yet; NULL: there is none. */
static const wg_tensor *program_unbound(const wg_program *p)
{
    for (int i = 0; i < p->n_inputs; i++)
        if (p->input[i].twin->data == NULL && p->input[i].twin->size > 0)
            return p->input[i].input;
    return NULL;
}

wg_program *wg_program_make(wg_tape *t, const wg_tape *from, wg_tensor *const outputs[], int n,
                            wg_tape *host, const wg_compile_options *options)
{
    int64_t last;
    if (t->status != WG_OK || !program_fits(t, from, outputs, n, &last))
        return NULL;
    wg_program *p = wg_tape_take(t, sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (wg_program){.tape = t,
                      .from = from,
                      .host = host,
                      .n_outputs = n,
                      .fresh = {.ran_at = -1, .asked_at = -1}};
    p->pool = host == t ? t->options.pool : NULL;
    if (options != NULL)
        p->options = *options;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    bool built = program_build(p, outputs, last);
    wg_arena_rewind(&t->scratch, empty);
    if (!built)
        return NULL;
    wg_program_settle(p);
    p->settled = program_unbound(p) == NULL;
    return p;
}

/* ---- Outputs --------------------------------------------------------------------------------- */

static bool program_is_own(const wg_program *p, const void *data)
{
    return (uintptr_t)data >= (uintptr_t)p->memory &&
           (uintptr_t)data < (uintptr_t)p->memory + p->memory_size;
}

static void program_show_results(wg_program *p)
{
    for (int i = 0; i < p->n_outputs; i++)
        p->output[i]->data = p->result[i]->data;
}

/* A leaf of the tape, with the value that the tape computed, if it did. */
static wg_tensor *program_output_new(wg_program *p, const wg_tensor *y, const wg_tensor *result)
{
    if (program_is_own(p, result->data) && y->data != NULL)
        memcpy(result->data, y->data, (size_t)y->size * wg_dtype_size(y->dtype));
    return wg_output_new(p->tape, &p->fresh, y, y->dtype, result->data);
}

/* They are as fresh as what they stand for, which is asked before there are any: the question goes
 * over the tape. */
static bool program_outputs(wg_program *p, wg_tensor *const outputs[])
{
    bool stale = false;
    for (int i = 0; i < p->n_outputs; i++)
        stale |= wg_is_stale(outputs[i]) || (outputs[i]->state & WG_NODE_ABSTRACT);
    p->fresh.ran_at = p->tape->clock;
    p->output = wg_tape_take(p->tape, (size_t)p->n_outputs * sizeof *p->output);
    for (int i = 0; p->output != NULL && i < p->n_outputs; i++) {
        p->output[i] = program_output_new(p, outputs[i], p->result[i]);
        if (p->output[i] == NULL)
            return false;
    }
    p->tape_size = p->tape->size;
    if (stale)
        wg_fresh_end(p->tape, &p->fresh);
    return p->output != NULL;
}

wg_program *wg_compile(wg_tensor *const outputs[], int n, const wg_compile_options *options)
{
    wg_tape *t = wg_first_tape(outputs, n);
    if (t->status != WG_OK)
        return program_none();
    int64_t size = t->size;
    wg_program *p = wg_program_make(t, t, outputs, n, t, options);
    if (p != NULL && program_outputs(p, outputs))
        return p;
    t->size = size; /* outputs that were pushed already */
    return program_none();
}

wg_tensor *wg_program_output(const wg_program *p, int i)
{
    if (program_is_inert(p))
        return &wg_null_tape()->inert;
    if (i >= 0 && i < p->n_outputs)
        return p->output[i];
    return wg_fail(p->tape, WG_E_INDEX, "program: there is no output %d of %d", i, p->n_outputs);
}

/* ---- Inputs ---------------------------------------------------------------------------------- */

static wg_program_input *program_find_input(const wg_program *p, const wg_tensor *input)
{
    for (int i = 0; i < p->n_inputs; i++)
        if (p->input[i].input == input)
            return &p->input[i];
    return NULL;
}

/* What a program reads is never written, though `data` has no const. */
static void program_read_from(wg_program *p, wg_program_input *input, const void *data)
{
    union {
        const void *constant;
        void *variable;
    } pointer = {.constant = data};
    if (data == NULL || input->twin->data == data) /* NULL: there are no elements */
        return;
    input->twin->data = pointer.variable;
    p->settled = false;
}

void wg_program_rebind(wg_program *p, const wg_tensor *input, const void *data)
{
    wg_program_input *mine = program_find_input(p, input);
    if (mine == NULL)
        return;
    mine->bound = true;
    program_read_from(p, mine, data);
}

wg_status wg_program_bind(wg_program *p, const wg_tensor *input, const void *data)
{
    if (program_is_inert(p))
        return WG_E_NULL;
    wg_tape *t = p->tape;
    if (t->status != WG_OK)
        return t->status;
    if (wg_is_inert(input) || (data == NULL && input->size > 0))
        wg_fail(t, WG_E_NULL, "program: the %s", data == NULL ? "data are NULL" : "input is NULL");
    else if (input->tape != t)
        wg_fail(t, WG_E_TAPE, "program: the input is of another tape");
    else if (input->op != &wg_op_input)
        wg_op_fail(input, WG_E_VALUE, "only an input can be bound to other memory");
    else if (program_is_own(p, data))
        wg_op_fail(input, WG_E_VALUE, "the program's own memory, which its run writes: copy it");
    else {
        wg_program_rebind(p, input, data);
        wg_fresh_end(t, &p->fresh);
    }
    return t->status;
}

static bool program_follow_tape(wg_program *p)
{
    for (int i = 0; i < p->n_inputs; i++)
        if (!p->input[i].bound)
            program_read_from(p, &p->input[i], p->input[i].input->data);
    if (p->settled)
        return true;
    const wg_tensor *missing = program_unbound(p);
    if (missing != NULL) {
        wg_fail(p->host, WG_E_NULL, "program: a placeholder has no memory yet: bind it: %s",
                wg_tensor_text(missing).s);
        return false;
    }
    wg_program_settle(p);
    if (p->output != NULL)
        program_show_results(p);
    return true;
}

/* ---- Running --------------------------------------------------------------------------------- */

typedef struct program_job {
    const wg_program *p;
    const wg_step_work *work;
} program_job;

static void program_run_piece(int64_t piece, int worker, void *context)
{
    const program_job *job = context;
    const wg_step_work *work = job->work;
    int64_t begin = piece * work->piece_chunks, left = work->chunks - begin;
    wg_piece part = {begin, begin + (left < work->piece_chunks ? left : work->piece_chunks),
                     job->p->workspace + (size_t)worker * job->p->workspace_size};
    wg_step_run(work, &part);
}

static bool program_check(const wg_step_work *work)
{
    if (work->link != NULL)
        return wg_chain_check(work);
    return wg_node_check(work->y);
}

static bool program_run_work(const wg_program *p, const wg_step_work *work)
{
    if (!program_check(work))
        return false;
    program_job job = {p, work};
    if (work->y->size > 0 && work->piece_chunks >= work->chunks)
        program_run_piece(0, 0, &job);
    else if (work->y->size > 0)
        wg_pool_run(p->pool, (work->chunks + work->piece_chunks - 1) / work->piece_chunks,
                    program_run_piece, &job);
    return p->host->status == WG_OK &&
           (!p->tape->options.check_finite || wg_node_is_finite(work->y));
}

static bool program_run_other(const wg_program *p, const wg_call *call)
{
    const wg_step_work *work = call->x[WG_CALL_ATTRS];
    if (call->n == -1)
        return program_run_work(p, work);
    if (call->n < 0)
        wg_band_run(p, work->band);
    else
        wg_chain_run_link(work, call->n, 0, work->size, p->workspace);
    return p->host->status == WG_OK;
}

static inline bool program_run_call(const wg_program *p, const wg_call *c)
{
    if (c->map == NULL)
        return program_run_other(p, c);
    c->map(c->n, c->y, c->x, c->step, c->x[WG_CALL_ATTRS]);
    return true;
}

/* Four calls at a time, each from a place of its own: steps often repeat in twos and fours
 * (the ops of a layer, those of its gradient), and then each place calls the same kernel again and
 * again, which processors predict. */
bool wg_program_execute(wg_program *p)
{
    if (!program_follow_tape(p))
        return false;
    for (int i = 0; i < p->n_checks; i++)
        if (!wg_node_check_input(p->checks[i]))
            return false;
    const wg_call *c = p->call, *end = c + p->n_calls;
    for (; end - c >= 4; c += 4)
        if (!program_run_call(p, c) || !program_run_call(p, c + 1) || !program_run_call(p, c + 2) ||
            !program_run_call(p, c + 3))
            return false;
    for (; c < end; c++)
        if (!program_run_call(p, c))
            return false;
    return true;
}

wg_status wg_program_run(wg_program *p)
{
    if (program_is_inert(p))
        return WG_E_NULL;
    if (p->tape->status != WG_OK)
        return p->tape->status;
    if (wg_program_execute(p)) {
        wg_outputs_written(p->tape, &p->fresh, p->output, p->n_outputs, p->tape_size);
        return WG_OK;
    }
    wg_fresh_end(p->tape, &p->fresh);
    for (int i = 0; i < p->n_outputs; i++)
        if (program_is_own(p, p->result[i]->data))
            wg_output_spoil(p->result[i]);
    return p->tape->status;
}

/* ---- Reports --------------------------------------------------------------------------------- */

size_t wg_program_memory(const wg_program *p)
{
    return p != NULL ? p->memory_size : 0;
}

int64_t wg_program_steps(const wg_program *p)
{
    return p != NULL ? p->n_steps : 0;
}

/* Ops that stand before the last one. */
static void program_print_link(FILE *stream, const wg_chain_link *link, const wg_tensor *last)
{
    for (int i = 0; i < 2 && link->inner[i] != NULL; i++)
        fprintf(stream, "%s, ", link->inner[i]->op->name);
    if (link->y != last)
        fprintf(stream, "%s, ", link->y->op->name);
}

static void program_print_step(FILE *stream, const wg_step_work *work, int64_t step)
{
    char shape[WG_SHAPE_TEXT];
    const wg_tensor *y = work->y;
    fprintf(stream, "%6" PRId64 "  %-18s %s  ", step, wg_shape_text(&y->shape, shape, sizeof shape),
            wg_dtype_name(y->dtype));
    for (int i = 0; i < work->n_links; i++)
        program_print_link(stream, &work->link[i], y);
    fprintf(stream, "%s", y->op->name);
    if (work->band != NULL)
        fprintf(stream, "  %" PRId64 " of %" PRId64 " rows at a time", work->band->at_once,
                work->band->rows);
    fputc('\n', stream);
}

wg_status wg_program_print(FILE *stream, const wg_program *p)
{
    if (stream == NULL || program_is_inert(p))
        return WG_E_NULL;
    for (int64_t s = 0; s < p->n_steps; s++)
        program_print_step(stream, &p->work[s], s);
    fprintf(stream, "%" PRId64 " steps, %zu bytes of values, %zu on the tape\n", p->n_steps,
            p->memory_size, p->tape_memory_size);
    return ferror(stream) ? WG_E_IO : WG_OK;
}
