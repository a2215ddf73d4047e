/* The statements of a written function and its constants; and bodies, which are functions of their
 * own. */
#include "autograd/compile/write_internal.h"
#include "autograd/print/formula_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Constants ------------------------------------------------------------------------------- */

bool wg_write_is_constant(const wg_c_program *w, int64_t i)
{
    const wg_tensor *x = &w->p->node[i];
    return !w->fact[i].computed && x->op != &wg_op_input && !wg_write_in_state(w, x);
}

static void function_put_number(wg_c_text *text, const wg_tensor *x, int64_t i)
{
    const wg_text number = wg_c_constant(x, i);
    size_t parentheses = number.s[0] == '(' ? 1 : 0; /* which a list does not need */
    wg_c_add(text, number.s + parentheses, strlen(number.s) - 2 * parentheses);
}

void wg_write_table(const wg_c_program *w, const wg_tensor *x, const char *name)
{
    wg_c_text *text = &w->c.common->tables;
    wg_c_print(text, "static const %s %s[%" PRId64 "] = {", wg_c_type(&w->c, x->dtype), name,
               x->size);
    for (int64_t i = 0; i < x->size; i++) {
        wg_c_add(text, i % 6 == 0 ? "\n    " : " ", i % 6 == 0 ? 5 : 1);
        function_put_number(text, x, i);
        wg_c_add(text, ",", 1);
    }
    wg_c_print(text, "\n};\n\n");
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* The first word of statements, of *n letters; NULL: there is none. Comments are passed over, and
 * what stands behind "->". */
static const char *function_next(const char *s, size_t *n)
{
    const char *begin = s;
    for (bool field = false; s != NULL && *s != '\0';
         field = s != NULL && s - begin > 1 && s[-1] == '>' && s[-2] == '-') {
        for (*n = 0; wg_formula_is_word(s[*n]);)
            ++*n;
        if (*n > 0 && !field)
            return s;
        if (s[0] == '/' && s[1] == '*')
            s = strstr(s, "*/");
        else
            s += *n > 0 ? *n : 1;
    }
    return NULL;
}

bool wg_write_mentions(const char *text, const char *word)
{
    const size_t length = strlen(word);
    size_t n;
    for (const char *s = function_next(text, &n); s != NULL; s = function_next(s + n, &n))
        if (n == length && memcmp(s, word, n) == 0)
            return true;
    return false;
}

/* The name of a node's table. */
typedef struct function_name {
    const char *s;
    size_t n;
    int64_t node;
} function_name;

static int function_name_order(const void *a, const void *b)
{
    const function_name *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? -1 : 1) : memcmp(x->s, y->s, x->n);
}

/* wanted[node], of n names, for those that the statements have. */
static void function_mark(const char *text, function_name *name, int64_t n, bool *wanted)
{
    function_name word = {0};
    qsort(name, (size_t)n, sizeof *name, function_name_order);
    for (word.s = function_next(text, &word.n); word.s != NULL;
         word.s = function_next(word.s + word.n, &word.n)) {
        const function_name *found = bsearch(&word, name, (size_t)n, sizeof *name,
                                             function_name_order);
        if (found != NULL)
            wanted[found->node] = true;
    }
}

/* What is broadcast to no elements is read nowhere, and is no table. */
static void function_tables(const wg_c_program *w)
{
    const int64_t nodes = w->p->n_nodes;
    function_name *name = wg_temporary(w->c.tape, nodes, sizeof *name + sizeof(bool));
    if (name == NULL)
        return;
    bool *wanted = (bool *)(name + nodes);
    int64_t n = 0;
    for (int64_t i = 0; i < nodes; i++) {
        wanted[i] = false;
        if (wg_write_is_constant(w, i) && !w->c.value[i].single)
            name[n++] = (function_name){w->c.value[i].name, strlen(w->c.value[i].name), i};
    }
    function_mark(w->c.body.s, name, n, wanted);
    for (int64_t i = 0; i < nodes; i++)
        if (wanted[i])
            wg_write_table(w, &w->p->node[i], w->c.value[i].name);
    wg_temporary_free(w->c.tape, name);
}

/* Which arguments the statements have. */
static void function_arguments(const wg_c_program *w)
{
    const int64_t most = w->n_arguments;
    function_name *name = wg_temporary(w->c.tape, most, sizeof *name + sizeof(bool));
    if (name == NULL)
        return;
    bool *wanted = (bool *)(name + most);
    int64_t n = 0;
    for (int64_t i = 0; i < most; i++) {
        wanted[i] = false;
        if (w->argument[i].used)
            name[n++] = (function_name){w->argument[i].name, strlen(w->argument[i].name), i};
    }
    function_mark(w->c.body.s, name, n, wanted);
    for (int64_t i = 0; i < most; i++)
        w->argument[i].used = wanted[i];
    wg_temporary_free(w->c.tape, name);
}

/* ---- Statements ------------------------------------------------------------------------------ */

/* Output i, which no step could write where it belongs. */
static void function_copy(wg_c_program *w, int i)
{
    const wg_tensor *r = w->p->result[i], *x = w->update[i];
    const char *to = x != NULL ? wg_c_value_of(&w->c, x)->name : w->target[i];
    wg_c_nest all;
    if (r->size == 0)
        return;
    wg_c_each(&all, r->size);
    wg_c_open_one(&w->c, &all);
    const wg_text at = wg_c_at(&all, NULL, 0);
    w->c.y = r;
    if (r->size == 1)
        wg_c_line(&w->c, "%s = %y;", to, at.s);
    else
        wg_c_line(&w->c, "%s[%s] = %y;", to, at.s, at.s);
    wg_c_close_one(&w->c, &all);
}

/* The node whose memory output i is in. */
static const wg_tensor *function_source(const wg_c_program *w, int i)
{
    return &w->p->node[wg_program_root(w->p, w->fact, w->p->result[i])];
}

/* Is there a copy to be made yet that reads the parameter that output i goes to? */
static bool function_is_awaited(const wg_c_program *w, int i)
{
    for (int k = 0; w->update[i] != NULL && k < w->p->n_outputs; k++)
        if (k != i && !w->direct[k] && function_source(w, k) == w->update[i])
            return true;
    return false;
}

/* A parameter is written once its old value is where it is wanted. */
static void function_last_copies(wg_c_program *w)
{
    int left = 0;
    for (int i = 0; i < w->p->n_outputs; i++)
        left += !w->direct[i];
    for (int before = left + 1; left < before && left > 0;) {
        before = left;
        for (int i = 0; i < w->p->n_outputs; i++) {
            if (w->direct[i] || function_is_awaited(w, i))
                continue;
            if (function_source(w, i) != w->update[i])
                function_copy(w, i);
            w->direct[i] = true;
            left--;
        }
    }
    if (left > 0)
        wg_fail(w->c.tape, WG_E_VALUE,
                "write: parameters take one another's values in a circle: update them with copies");
}

void wg_write_statements(wg_c_program *w)
{
    w->c.depth = 1;
    for (int64_t s = 0; s < w->n_steps && w->c.tape->status == WG_OK; s++)
        wg_write_count_step(w, s);
    for (int64_t s = 0; s < w->n_steps && w->c.tape->status == WG_OK; s++)
        wg_write_step(w, s);
    w->c.n_loops = 0;
    function_last_copies(w);
    function_tables(w);
}

/* int is the type of indices where it holds them. */
const char *wg_write_index_type(const wg_program *p)
{
    for (int64_t i = 0; i < p->n_nodes; i++)
        if (p->node[i].size > INT32_MAX)
            return "int64_t";
    return "int";
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

enum { FUNCTION_COLUMNS = 98 };

/* A list, of which lines behind the first begin with `indent`. */
typedef struct function_list {
    wg_c_text text;
    const char *indent;
    size_t column; /* where the next item begins */
    bool any;
} function_list;

static void function_item(function_list *l, const char *item)
{
    wg_c_text *text = &l->text;
    const bool full = l->any && l->column + strlen(item) > FUNCTION_COLUMNS;
    const char *before = full ? l->indent : l->any ? " " : "";
    wg_c_print(text, "%s%s%s%s", l->any ? "," : "", full ? "\n" : "", before, item);
    l->column = (full ? 0 : l->column + l->any) + strlen(before) + strlen(item);
    l->any = true;
}

static const wg_dtype function_dtypes[] = {WG_F64, WG_F32, WG_I64};

/* The node that an argument is, as it is read or, where it is not, written. */
static const wg_tensor *function_node(const wg_c_program *w, const wg_c_argument *a)
{
    const wg_tensor *leaf = a->input != NULL ? wg_write_leaf_of(w, a->input) : NULL;
    return leaf != NULL ? leaf : w->p->result[a->output];
}

/* "const double *x", "double x", "double *y" */
static void function_declare(const wg_c_program *w, const wg_c_argument *a, function_list *l)
{
    const wg_tensor *x = function_node(w, a);
    const char *type = wg_c_type(&w->c, x->dtype), *to = a->output < 0 ? "const " : "";
    const bool value = x->size == 1 && a->output < 0;
    wg_text text;
    snprintf(text.s, sizeof text.s, value ? "%s%s %.100s" : "%s%s *%.100s", value ? "" : to, type,
             a->name);
    function_item(l, text.s);
}

static void function_signature(const wg_c_program *w, const wg_c_function *f, wg_c_text *to)
{
    wg_text text;
    function_list l = {.text.tape = w->c.tape, .indent = "    "};
    wg_c_print(&l.text, "static %s %s(", f->fails ? "int" : "void", f->name);
    l.column = l.text.size;
    for (int i = 0; i < f->n_arguments; i++)
        if (f->argument[i].used)
            function_declare(w, &f->argument[i], &l);
    for (int d = 0; d < 3; d++)
        if (f->room[function_dtypes[d]] > 0) {
            snprintf(text.s, sizeof text.s, "%s *%.100s", wg_c_type(&w->c, function_dtypes[d]),
                     w->work[function_dtypes[d]]);
            function_item(&l, text.s);
        }
    wg_c_print(&l.text, ")\n");
    if (l.text.s != NULL)
        wg_c_add(to, l.text.s, l.text.size);
}

/* " Reads h (1, 4), x (1, 2)." */
static void function_say(const wg_c_program *w, const wg_c_function *f, const char *verb,
                         bool reads, bool writes, wg_c_text *to)
{
    char shape[WG_SHAPE_TEXT];
    wg_text text;
    function_list l = {.text.tape = w->c.tape, .indent = " *   "};
    wg_c_print(&l.text, "\n * %s ", verb);
    l.column = l.text.size - 1;
    for (int i = 0; i < f->n_arguments; i++) {
        const wg_c_argument *a = &f->argument[i];
        const wg_tensor *x = a->used ? function_node(w, a) : NULL;
        const bool is_read = x != NULL && (a->output < 0 || x != w->p->result[a->output]);
        if (x == NULL || is_read != reads || (a->output >= 0) != writes)
            continue;
        snprintf(text.s, sizeof text.s, "%.100s %s", a->name,
                 wg_shape_text(&x->shape, shape, sizeof shape));
        function_item(&l, text.s);
    }
    if (l.any && l.text.s != NULL)
        wg_c_add(to, l.text.s, l.text.size);
}

static void function_put(const wg_c_program *w, const wg_c_function *f)
{
    wg_c_text *to = &w->c.common->helpers;
    wg_c_print(to, "/* A step of scan.");
    function_say(w, f, "Reads", true, false, to);
    function_say(w, f, "Writes", false, true, to);
    function_say(w, f, "Updates", true, true, to);
    wg_c_print(to, " */\n");
    function_signature(w, f, to);
    wg_c_print(to, "{\n");
    wg_c_add(to, w->c.body.s, w->c.body.size);
    wg_c_print(to, "%s}\n\n", f->fails ? "    return 0;\n" : "");
}

const wg_c_function *wg_c_function_find(const wg_c_writer *c, uint64_t key)
{
    const wg_c_function *f = c->common->function;
    while (f != NULL && f->key != key)
        f = f->next;
    return f;
}

static wg_c_program function_program(const wg_c_writer *c, const wg_program *p,
                                     wg_c_argument *argument, int n)
{
    return (wg_c_program){.p = p,
                          .argument = argument,
                          .n_arguments = n,
                          .formula.tape = c->tape,
                          .shared.tape = c->tape,
                          .c = {.tape = c->tape,
                                .common = c->common,
                                .index = wg_write_index_type(p),
                                .node = p->node,
                                .body.tape = c->tape}};
}

const wg_c_function *wg_c_function_write(wg_c_writer *c, uint64_t key, const wg_program *p,
                                         wg_c_argument *argument, int n)
{
    wg_c_program w = function_program(c, p, argument, n);
    wg_c_function *f = wg_arena_take(&c->tape->scratch, sizeof *f, WG_ALIGNMENT);
    if (f == NULL)
        return wg_fail(c->tape, WG_E_NOMEM, "write: out of memory"), NULL;
    if (!wg_write_plan(&w))
        return NULL;
    wg_write_statements(&w);
    *f = (wg_c_function){c->common->function, key, .argument = argument, .n_arguments = n};
    f->empty = w.c.body.s == NULL;
    f->fails = !f->empty && strstr(w.c.body.s, "return 1;") != NULL;
    f->name = f->empty ? "" : wg_write_name_outside(&w, "step");
    function_arguments(&w);
    memcpy(f->room, w.size, sizeof f->room);
    if (!f->empty && c->tape->status == WG_OK)
        function_put(&w, f);
    c->common->function = f;
    return c->tape->status == WG_OK ? f : NULL;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

/* n elements behind those that have places, and what this step has taken already. */
static wg_text function_take(wg_c_writer *c, wg_dtype dtype, int64_t n)
{
    wg_c_program *w = (wg_c_program *)(void *)c; /* its first member */
    const int64_t at = w->planned[dtype] + w->taken[dtype];
    const wg_text text = at > 0 ? wg_c_text_of(c, "%s + %" PRId64, w->work[dtype], at)
                                : wg_c_text_of(c, "%s", w->work[dtype]);
    w->taken[dtype] += n;
    if (w->size[dtype] < w->planned[dtype] + w->taken[dtype])
        w->size[dtype] = w->planned[dtype] + w->taken[dtype];
    return text;
}

void wg_c_call(wg_c_writer *c, const wg_c_function *f, const wg_text given[], bool in_loop)
{
    function_list l = {.text.tape = c->tape, .indent = in_loop ? "            " : "        "};
    wg_c_print(&l.text, "%s%s(", f->fails ? "if (" : "", f->name);
    l.column = l.text.size + strlen(l.indent) - 4;
    for (int i = 0; i < f->n_arguments; i++)
        if (f->argument[i].used)
            function_item(&l, given[i].s);
    for (int d = 0; d < 3; d++)
        if (f->room[function_dtypes[d]] > 0)
            function_item(&l, function_take(c, function_dtypes[d], f->room[function_dtypes[d]]).s);
    if (l.text.s == NULL)
        return;
    wg_c_line(c, f->fails ? "%s%s))" : "%s%s);", in_loop ? "    " : "", l.text.s);
    if (f->fails)
        wg_c_line(c, "%s    return 1;", in_loop ? "    " : "");
}

wg_text wg_c_address(const wg_c_writer *c, const wg_tensor *x, const char *index)
{
    const wg_c_value *v = wg_c_value_of(c, x);
    const bool first = strcmp(index, "0") == 0;
    char offset[32] = "";
    if (v->offset > 0)
        snprintf(offset, sizeof offset, " + %" PRId64, v->offset);
    if (v->single)
        return wg_c_text_of(c, "&%s", v->name);
    return wg_c_text_of(c, "%s%s%s%s", v->name, offset, first ? "" : " + ", first ? "" : index);
}

bool wg_c_is_spread(const wg_c_writer *c, const wg_tensor *x)
{
    return x->size > 1 && wg_c_value_of(c, x)->single;
}

wg_text wg_c_spread(wg_c_writer *c, const wg_tensor *x, int64_t n)
{
    const wg_text at = function_take(c, x->dtype, n);
    wg_c_nest all;
    wg_c_each(&all, n);
    wg_c_open_one(c, &all);
    wg_c_line(c, "(%s)[%s] = %s;", at.s, wg_c_at(&all, NULL, 0).s, wg_c_element(c, x, "0").s);
    wg_c_close_one(c, &all);
    return at;
}
