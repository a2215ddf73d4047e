/* Where the values of a program that is written as C are, and how they are called. */
#include "autograd/compile/write_internal.h"
#include "autograd/hash.h"

#include <stdio.h>
#include <string.h>

static void *write_take(wg_c_program *w, int64_t n, size_t size)
{
    void *memory = wg_arena_take(&w->c.tape->scratch, (size_t)n * size, WG_ALIGNMENT);
    if (memory == NULL)
        wg_fail(w->c.tape, WG_E_NOMEM, "write: out of memory");
    else
        memset(memory, 0, (size_t)n * size);
    return memory;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static const char *write_keep(wg_c_program *w, const char *text)
{
    char *copy = write_take(w, (int64_t)strlen(text) + 1, 1);
    return copy != NULL ? strcpy(copy, text) : "";
}

static const char *write_join(wg_c_program *w, const char *a, const char *b)
{
    wg_text text;
    snprintf(text.s, sizeof text.s, "%.100s%.100s", a, b);
    return write_keep(w, text.s);
}

/* The name, if it is given. */
static wg_write_slot *write_find(wg_c_program *w, const char *name, wg_write_slot ***first)
{
    const uint64_t hash = wg_hash_bytes(WG_HASH_START, name, strlen(name));
    *first = &w->slot[hash & (uint64_t)(w->slots - 1)];
    wg_write_slot *slot = **first;
    while (slot != NULL && strcmp(slot->name, name) != 0)
        slot = slot->next;
    return slot;
}

/* A name for C that hides none of the file's: they begin with "NAME_". */
static wg_text write_free_name(const wg_c_program *w, const char *wanted)
{
    wg_text name = wg_c_identifier(wanted), own;
    const char *prefix = w->c.common->prefix;
    const size_t length = strlen(prefix);
    if (wg_c_is_own(name.s))
        strcat(name.s, "_");
    if (strncmp(name.s, prefix, length) != 0 || name.s[length] != '_')
        return name;
    snprintf(own.s, sizeof own.s, "v_%.60s", name.s);
    return own;
}

/* The name, or "h_2" where it is given already. */
static const char *write_claim(wg_c_program *w, wg_text name)
{
    char base[64];
    snprintf(base, sizeof base, "%.56s", name.s);
    const bool ends = base[0] != '\0' && base[strlen(base) - 1] == '_'; /* as in "exp_" */
    wg_write_slot **first, *given = write_find(w, name.s, &first), *slot = given;
    while (slot != NULL) {
        snprintf(name.s, sizeof name.s, ends ? "%s%d" : "%s_%d", base, ++given->count);
        slot = write_find(w, name.s, &first);
    }
    slot = write_take(w, 1, sizeof *slot);
    if (slot == NULL)
        return "";
    *slot = (wg_write_slot){*first, write_keep(w, name.s), 1};
    *first = slot;
    return slot->name;
}

const char *wg_write_name(wg_c_program *w, const char *wanted)
{
    return write_claim(w, write_free_name(w, wanted));
}

const char *wg_write_name_outside(wg_c_program *w, const char *wanted)
{
    const char *name = wg_write_name(w->c.common->run, wanted);
    return write_join(w, w->c.common->prefix, write_join(w, "_", name));
}

/* A field of NAME_inputs or NAME_outputs hides nothing: "in->label" is not "label". */
static const char *write_field_of(wg_c_program *w, const wg_tensor *x)
{
    return write_claim(w, wg_c_identifier(x->name != NULL ? x->name : x->op->name));
}

static const char *write_name_of(wg_c_program *w, const wg_tensor *x)
{
    return wg_write_name(w, x->name != NULL ? x->name : x->op->name);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* Nothing needs what only values of no elements are computed from. */
static bool *write_needed(wg_c_program *w)
{
    const wg_program *p = w->p;
    bool *needed = write_take(w, p->n_nodes, sizeof *needed);
    for (int i = 0; needed != NULL && i < p->n_outputs; i++)
        needed[p->result[i] - p->node] = true;
    for (int64_t i = p->n_nodes - 1; needed != NULL && i >= 0; i--)
        for (int k = 0; needed[i] && p->node[i].size > 0 && k < p->node[i].n_operands; k++)
            needed[p->node[i].operand[k] - p->node] = true;
    return needed;
}

static bool write_steps(wg_c_program *w)
{
    const wg_program *p = w->p;
    w->fact = wg_program_facts(p);
    if (w->fact == NULL)
        return false;
    wg_chain_find(p, w->fact, &wg_chain_written_limits);
    w->step = write_take(w, p->n_nodes, sizeof *w->step);
    const bool *needed = write_needed(w);
    if (w->step == NULL || needed == NULL)
        return false;
    for (int64_t i = 0; i < p->n_nodes; i++)
        if (needed[i] && wg_program_is_step(p, w->fact, i)) {
            wg_program_note_reads(p, w->fact, i, w->n_steps);
            w->step[w->n_steps++] = i;
        }
    return true;
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

bool wg_write_in_state(const wg_c_program *w, const wg_tensor *x)
{
    return x->op == &wg_op_parameter && (w->options.state || w->options.n_updates > 0);
}

bool wg_write_is_uniform(const wg_tensor *x)
{
    const size_t size = wg_dtype_size(x->dtype);
    for (int64_t i = 1; i < x->size; i++)
        if (memcmp(x->data, (const char *)x->data + (size_t)i * size, size) != 0)
            return false;
    return true;
}

/* A constant whose elements are one value is that value wherever an element is read: no table. */
static bool write_is_literal(const wg_c_program *w, const wg_tensor *x)
{
    return x->op != &wg_op_input && !wg_write_in_state(w, x) && x->size > 0 &&
           wg_write_is_uniform(x);
}

/* Of a body's function: what x is given by. */
static wg_c_argument *write_argument_of(const wg_c_program *w, const wg_tensor *x)
{
    int i = 0;
    while (w->argument[i].input == NULL || w->argument[i].input->index != x->index)
        i++;
    return &w->argument[i];
}

/* The place of one element is "y[0]"; a value is given as it is. */
static const char *write_argument_name(wg_c_program *w, wg_c_argument *a, bool place)
{
    a->name = wg_write_name(w, a->name);
    a->used = true;
    return place ? write_join(w, a->name, "[0]") : a->name;
}

static void write_leaf(wg_c_program *w, wg_c_value *v, const wg_tensor *x)
{
    v->single = x->size == 1 || write_is_literal(w, x);
    for (int64_t i = 0; x->dtype == WG_I64 && x->op != &wg_op_input && i < x->size; i++)
        if (!wg_c_i64_fits(&w->c, x, ((const int64_t *)x->data)[i]))
            return;
    if (x == w->strings) {
        w->strings_field = write_field_of(w, x);
        v->name = write_join(w, "work->", wg_write_name(w, "hot"));
        v->single = false;
    } else if (x->op == &wg_op_input && w->argument != NULL) {
        wg_c_argument *a = write_argument_of(w, x);
        v->name = write_argument_name(w, a, v->single && a->output >= 0);
    } else if (x->op == &wg_op_input)
        v->name = write_join(w, "in->", write_field_of(w, x));
    else if (wg_write_in_state(w, x))
        v->name = write_join(w, "state->", write_name_of(w, x));
    else if (v->single)
        v->name = write_keep(w, wg_c_constant(x, 0).s);
    else
        v->name = wg_write_name_outside(w, x->name != NULL ? x->name : x->op->name);
}

/* ---- Outputs --------------------------------------------------------------------------------- */

const wg_tensor *wg_write_leaf_of(const wg_c_program *w, const wg_tensor *param)
{
    for (int64_t k = 0; k < w->p->n_nodes; k++)
        if (w->p->node[k].index == param->index && w->p->node[k].op == param->op)
            return &w->p->node[k];
    return NULL;
}

static bool write_is_updated(const wg_c_program *w, const wg_tensor *leaf)
{
    for (int i = 0; i < w->p->n_outputs; i++)
        if (w->update[i] == leaf)
            return true;
    return false;
}

/* What is read where an output goes to is updated. */
static bool write_find_argument_updates(wg_c_program *w)
{
    for (int i = 0; i < w->n_arguments; i++)
        if (w->argument[i].output >= 0 && w->argument[i].input != NULL)
            w->update[w->argument[i].output] = wg_write_leaf_of(w, w->argument[i].input);
    return true;
}

static bool write_find_updates(wg_c_program *w)
{
    if (w->argument != NULL)
        return write_find_argument_updates(w);
    wg_tape *t = w->c.tape;
    for (int i = 0; i < w->options.n_updates; i++) {
        const wg_c_update *u = &w->options.updates[i];
        if (u->param == NULL || u->param->tape != w->p->tape || u->param->op != &wg_op_parameter ||
            u->output < 0 || u->output >= w->p->n_outputs ||
            !wg_shape_same(&u->param->shape, &w->p->result[u->output]->shape) ||
            u->param->dtype != w->p->result[u->output]->dtype) {
            wg_fail(t, WG_E_VALUE, "write: update %d is no output for a parameter of its shape", i);
            return false;
        }
        const wg_tensor *leaf = wg_write_leaf_of(w, u->param);
        if (leaf == NULL || w->update[u->output] != NULL || write_is_updated(w, leaf)) {
            wg_fail(t, WG_E_VALUE, "write: update %d: %s %s", i,
                    leaf == NULL ? "the program does not read" : "another one has the output, or",
                    wg_tensor_text(u->param).s);
            return false;
        }
        w->update[u->output] = leaf;
    }
    return true;
}

/* Does step s read leaf x otherwise than element by element, each one where y's is? */
static bool write_reads_across(const wg_c_program *w, int64_t s, const wg_tensor *x)
{
    const wg_program *p = w->p;
    for (int64_t i = w->fact[w->step[s]].head; i != -1; i = w->fact[i].next) {
        const wg_tensor *y = &p->node[i];
        bool across = !(y->op->flags & WG_OP_ELEMENTWISE) && y->op != &wg_op_add_n;
        for (int k = 0; k < y->n_operands; k++)
            if (wg_program_root(p, w->fact, y->operand[k]) == x - p->node &&
                (across || y->operand[k] != x || !wg_shape_same(&x->shape, &y->shape)))
                return true;
    }
    return false;
}

/* May the step that computes r write over leaf x? Nothing may read x later; outputs that are x
 * itself are copied at the end. */
static bool write_can_replace(const wg_c_program *w, const wg_tensor *r, const wg_tensor *x,
                              int64_t s)
{
    if (w->fact[x - w->p->node].last_step > s || write_reads_across(w, s, x))
        return false;
    for (int i = 0; i < w->p->n_outputs; i++)
        if (wg_program_root(w->p, w->fact, w->p->result[i]) == x - w->p->node ||
            (w->p->result[i] == r && w->update[i] != x))
            return false;
    return true;
}

/* The step that computes r, alone or as a link of a chain; -1: none. */
static int64_t write_step_of(const wg_c_program *w, const wg_tensor *r)
{
    const wg_program_fact *f = &w->fact[r - w->p->node];
    const int64_t last = f->sunk ? f->chain : r - w->p->node;
    for (int64_t s = 0; s < w->n_steps; s++)
        if (w->step[s] == last)
            return s;
    return -1;
}

/* Gives output i's value the place where it belongs, if its step can write there. */
static void write_place_output(wg_c_program *w, int i)
{
    const wg_tensor *r = w->p->result[i], *x = w->update[i];
    wg_c_value *v = wg_c_value_of(&w->c, r);
    int64_t s = write_step_of(w, r);
    if (s < 0 || v->name != NULL || (x != NULL && !write_can_replace(w, r, x, s)))
        return;
    v->name = x != NULL ? wg_c_value_of(&w->c, x)->name : w->target[i];
    v->single = r->size == 1;
    w->direct[i] = true;
}

static const char *write_target(wg_c_program *w, int i)
{
    const wg_tensor *r = w->p->result[i];
    for (int k = 0; k < w->n_arguments; k++)
        if (w->argument[k].output == i)
            return write_argument_name(w, &w->argument[k], r->size == 1);
    return write_join(w, "out->", write_field_of(w, r));
}

static void write_outputs(wg_c_program *w)
{
    for (int i = 0; i < w->p->n_outputs; i++)
        if (w->update[i] == NULL)
            w->target[i] = write_target(w, i);
    for (int i = 0; i < w->p->n_outputs; i++)
        write_place_output(w, i);
}

/* ---- Values on the way ----------------------------------------------------------------------- */

/* Does link i of the chain that ends at `last` need memory of its own? A product by rows needs a
 * row. */
static bool write_is_stored(const wg_c_program *w, int64_t i, int64_t last)
{
    const wg_tensor *y = &w->p->node[i];
    if (w->c.value[i].name != NULL || y->size == 1)
        return false;
    return i == last || w->fact[i].pinned || (y->op->flags & WG_OP_ROWS);
}

static int64_t write_list(const wg_c_program *w, wg_dtype dtype, wg_stretch *x, int64_t *node)
{
    int64_t n = 0;
    for (int64_t s = 0; s < w->n_steps; s++)
        for (int64_t i = w->fact[w->step[s]].head; i != -1; i = w->fact[i].next) {
            const wg_tensor *y = &w->p->node[i];
            const wg_program_fact *f = &w->fact[i];
            if (y->dtype != dtype || !write_is_stored(w, i, w->step[s]))
                continue;
            bool row = f->sunk && !f->pinned, kept = f->pinned || f->last_step < 0;
            int64_t size = row ? y->shape.dim[1] : y->size > 0 ? y->size : 1;
            node[n] = i;
            x[n++] = (wg_stretch){size, s, row ? s : kept ? w->n_steps : f->last_step, 0};
        }
    return n;
}

static bool write_place(wg_c_program *w, wg_dtype dtype)
{
    wg_stretch *x = write_take(w, w->p->n_nodes, sizeof *x);
    int64_t *node = write_take(w, w->p->n_nodes, sizeof *node);
    if (x == NULL || node == NULL)
        return false;
    int64_t n = write_list(w, dtype, x, node);
    w->size[dtype] = wg_stretches_place(w->c.tape, x, n, w->n_steps);
    w->planned[dtype] = w->size[dtype];
    for (int64_t i = 0; i < n; i++)
        w->place[node[i]] = x[i].start;
    return w->size[dtype] >= 0;
}

static void write_name_rest(wg_c_program *w)
{
    for (int64_t i = 0; i < w->p->n_nodes; i++) {
        const wg_tensor *y = &w->p->node[i];
        wg_c_value *v = &w->c.value[i];
        if (v->name != NULL)
            continue;
        const int64_t root = wg_program_root(w->p, w->fact, y);
        if (root != i) {
            *v = w->c.value[root];
            v->offset += w->fact[i].offset / (int64_t)wg_dtype_size(y->dtype);
            continue;
        }
        v->name = write_name_of(w, y);
        v->single = y->size == 1;
    }
}

/* The program's input for strings, which has as many elements as there are strings. */
static bool write_find_strings(wg_c_program *w)
{
    const wg_c_strings *s = w->options.strings;
    if (s == NULL)
        return true;
    if (s->input != NULL && s->input->tape == w->p->tape && s->input->op == &wg_op_input &&
        s->input->dtype != WG_I64)
        w->strings = wg_write_leaf_of(w, s->input);
    if (w->strings == NULL || s->columns < 0 || s->start == NULL ||
        (s->string == NULL && w->strings->size > 0) || s->start[s->columns] != w->strings->size) {
        wg_fail(
            w->c.tape, WG_E_VALUE,
            "write: strings are not of an input of the program, or not as many as its elements");
        return false;
    }
    return true;
}

/* Where the workspace is. */
static void write_work(wg_c_program *w)
{
    static const wg_dtype dtypes[] = {WG_F64, WG_F32, WG_I64};
    for (int d = 0; d < 3; d++) {
        const char *name = wg_dtype_name(dtypes[d]);
        w->work[dtypes[d]] = w->argument != NULL ? wg_write_name(w, name)
                                                 : write_join(w, "work->", name);
    }
}

bool wg_write_plan(wg_c_program *w)
{
    const wg_program *p = w->p;
    for (w->slots = 16; w->slots < 4 * (p->n_nodes + p->n_outputs);)
        w->slots *= 2;
    w->slot = write_take(w, w->slots, sizeof *w->slot);
    w->call = write_take(w, w->slots, sizeof *w->call);
    w->loaded = write_take(w, p->n_nodes, sizeof *w->loaded);
    w->place = write_take(w, p->n_nodes, sizeof *w->place);
    w->c.value = write_take(w, p->n_nodes, sizeof *w->c.value);
    w->update = write_take(w, p->n_outputs, sizeof *w->update);
    w->direct = write_take(w, p->n_outputs, sizeof *w->direct);
    w->target = write_take(w, p->n_outputs, sizeof *w->target);
    if (w->c.tape->status != WG_OK || !write_steps(w) || !write_find_updates(w) ||
        !write_find_strings(w))
        return false;
    write_work(w);
    for (int64_t i = 0; i < p->n_nodes; i++) {
        w->place[i] = -1;
        if (!w->fact[i].computed)
            write_leaf(w, &w->c.value[i], &p->node[i]);
    }
    write_outputs(w);
    if (!write_place(w, WG_F32) || !write_place(w, WG_F64) || !write_place(w, WG_I64))
        return false;
    write_name_rest(w);
    return w->c.tape->status == WG_OK;
}
