/* The statements of a step: chains of elementwise ops as one loop, other ops as they write
 * themselves. */
#include "autograd/compile/write_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool wg_write_is_place(const char *name)
{
    return strpbrk(name, ">[") != NULL;
}

const char *wg_write_field(const char *name)
{
    const char *arrow = strstr(name, "->");
    return arrow != NULL ? arrow + 2 : name;
}

/* ---- Comments, declarations ------------------------------------------------------------------ */

/* No text may end a comment, begin one inside it, or be other than ASCII. */
static void steps_say(wg_c_text *text, const char *s)
{
    for (; *s != '\0'; s++) {
        bool plain = *s >= ' ' && *s <= '~';
        wg_c_add(text, plain ? s : "?", 1);
        if ((s[0] == '*' && s[1] == '/') || (s[0] == '/' && s[1] == '*'))
            wg_c_add(text, " ", 1);
    }
}

static void steps_say_op(wg_c_program *w, const wg_tensor *y)
{
    char attributes[WG_SHAPE_TEXT] = "";
    if (y->op->describe != NULL && !(y->op->flags & WG_OP_ELEMENTWISE))
        y->op->describe(y, attributes, sizeof attributes);
    steps_say(&w->c.body, y->op->name);
    if (attributes[0] != '\0') {
        wg_c_print(&w->c.body, " (");
        steps_say(&w->c.body, attributes);
        wg_c_print(&w->c.body, ")");
    }
}

static void steps_say_value(wg_c_program *w, const wg_tensor *x, int64_t last);

/* "add(matmul(x, w), b)": what is computed inside the chain that ends at `last` is spelt out. */
static void steps_say_call(wg_c_program *w, const wg_tensor *y, int64_t last)
{
    steps_say_op(w, y);
    wg_c_print(&w->c.body, "(");
    const int first = y->n_operands > 0 && y->operand[0]->op == &wg_op_body;
    for (int k = first; k < y->n_operands; k++) {
        wg_c_print(&w->c.body, k > first ? ", " : "");
        steps_say_value(w, y->operand[k], last);
    }
    wg_c_print(&w->c.body, ")");
}

static void steps_say_value(wg_c_program *w, const wg_tensor *x, int64_t last)
{
    char shape[WG_SHAPE_TEXT];
    const wg_program_fact *f = &w->fact[x - w->p->node];
    if (f->sunk && f->chain == last && w->c.depth < 8) {
        w->c.depth++;
        steps_say_call(w, x, last);
        w->c.depth--;
    } else if (f->sunk || x->size == 1)
        wg_c_print(&w->c.body, "%s", wg_write_field(wg_c_value_of(&w->c, x)->name));
    else
        wg_c_print(&w->c.body, "%s %s", wg_write_field(wg_c_value_of(&w->c, x)->name),
                   wg_shape_text(&x->shape, shape, sizeof shape));
}

static bool steps_is_formula(const wg_tensor *y)
{
    return y->op->write_c == NULL;
}

/* "h (1, 32) = relu(add(matmul(x (1, 784), w (784, 32)), b (32,)))", and an op's formula where it
 * is not what the loop says anyway. */
static void steps_comment(wg_c_program *w, int64_t last)
{
    char shape[WG_SHAPE_TEXT];
    const wg_tensor *y = &w->p->node[last];
    if (steps_is_formula(y) && y->size == 1)
        return;
    wg_c_print(&w->c.body, "%s    /* %s %s = ", w->c.body.size == 0 ? "" : "\n",
               wg_write_field(wg_c_value_of(&w->c, y)->name),
               wg_shape_text(&y->shape, shape, sizeof shape));
    steps_say_call(w, y, last);
    if (!steps_is_formula(y) && y->op->formula != NULL) {
        wg_c_print(&w->c.body, "\n     * ");
        steps_say(&w->c.body, y->op->formula);
    }
    wg_c_print(&w->c.body, " */\n");
}

/* A name for a value that lies in NAME_work, or is a variable that its op is going to set. */
static void steps_declare(wg_c_program *w, int64_t i)
{
    const wg_tensor *y = &w->p->node[i];
    const char *type = wg_c_type(&w->c, y->dtype), *name = w->c.value[i].name;
    if (w->place[i] >= 0)
        wg_c_line(&w->c, w->place[i] > 0 ? "%s *const %s = %s + %i;" : "%s *const %s = %s;", type,
                  name, w->work[y->dtype], w->place[i]);
    else if (y->size == 1 && !steps_is_formula(y) && !wg_write_is_place(name))
        wg_c_line(&w->c, "%s %s;", type, name);
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* A chain's loops, and which of their arrays each operand is. */
typedef struct steps_chain {
    int64_t last;
    const wg_tensor *rows;  /* the link that is computed row by row; NULL: none */
    wg_c_nest outer, inner; /* outer: the rows, where there are such */
    int n_arrays;
    const wg_tensor *array[WG_C_ARRAYS]; /* an operand that is walked so; array 0: y */
    bool counting;
    int statements; /* of its body: counted before they are written */
} steps_chain;

static bool steps_walks_as(const wg_tensor *x, const wg_tensor *other, const wg_tensor *rows)
{
    return (x == rows) == (other == rows) && wg_shape_same(&x->shape, &other->shape);
}

static int steps_array(const steps_chain *chain, const wg_tensor *x)
{
    for (int k = 0; k < chain->n_arrays; k++)
        if (steps_walks_as(x, chain->array[k], chain->rows))
            return k;
    return -1;
}

static void steps_nests(const wg_c_program *w, steps_chain *chain)
{
    const wg_tensor *y = &w->p->node[chain->last];
    int64_t stride[WG_C_ARRAYS];
    wg_c_nest_init(&chain->outer, chain->n_arrays);
    wg_c_nest_init(&chain->inner, chain->n_arrays);
    for (int axis = 0; axis < y->shape.ndim; axis++) {
        bool outer = chain->rows != NULL && axis == 0;
        for (int k = 0; k < chain->n_arrays; k++)
            stride[k] = outer && chain->array[k] == chain->rows
                            ? 0
                            : wg_broadcast_stride(&chain->array[k]->shape, &y->shape, axis);
        wg_c_nest_add(outer ? &chain->outer : &chain->inner, y->shape.dim[axis], stride);
    }
}

/* Is x computed inside the chain? */
static bool steps_is_link(const wg_c_program *w, const steps_chain *chain, const wg_tensor *x)
{
    const wg_program_fact *f = &w->fact[x - w->p->node];
    return f->sunk && f->chain == chain->last && x != chain->rows;
}

/* Of ops with many operands, of as many shapes as there are, a loop may read too much. */
static void steps_add_array(const wg_c_program *w, steps_chain *chain, const wg_tensor *x)
{
    if (steps_array(chain, x) >= 0)
        return;
    if (chain->n_arrays < WG_C_ARRAYS)
        chain->array[chain->n_arrays++] = x;
    else
        wg_fail(w->c.tape, WG_E_VALUE, "write: operands of more than %d shapes in one loop: %s",
                WG_C_ARRAYS - 1, wg_tensor_text(&w->p->node[chain->last]).s);
}

static void steps_find(const wg_c_program *w, steps_chain *chain)
{
    const wg_tensor *node = w->p->node;
    chain->n_arrays = 1;
    chain->array[0] = &node[chain->last];
    chain->rows = NULL;
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next)
        if (node[i].op->flags & WG_OP_ROWS)
            chain->rows = &node[i];
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next)
        for (int k = 0; &node[i] != chain->rows && k < node[i].n_operands; k++)
            if (!steps_is_link(w, chain, node[i].operand[k]))
                steps_add_array(w, chain, node[i].operand[k]);
    steps_nests(w, chain);
}

static wg_text steps_index(const steps_chain *chain, const wg_tensor *x)
{
    int k = steps_array(chain, x);
    k = k < 0 ? 0 : k; /* there were too many, which is an error by now */
    return chain->rows != NULL ? wg_c_at(&chain->outer, &chain->inner, k)
                               : wg_c_at(&chain->inner, NULL, k);
}

/* How often the chain's formulas name x. */
static int steps_uses(const wg_c_program *w, const steps_chain *chain, const wg_tensor *x)
{
    int uses = 0;
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next)
        for (int k = 0; &w->p->node[i] != chain->rows && k < w->p->node[i].n_operands; k++)
            if (w->p->node[i].operand[k] == x)
                uses += wg_c_formula_uses(&w->p->node[i], k);
    return uses;
}

static const char *steps_loaded_name(wg_c_program *w, const wg_tensor *x)
{
    wg_text name;
    const char **loaded = &w->loaded[x - w->p->node];
    if (*loaded == NULL) {
        snprintf(name.s, sizeof name.s, "%.48s_i", x->name != NULL ? x->name : x->op->name);
        *loaded = wg_write_name(w, name.s);
    }
    return *loaded;
}

/* Elements that are named more than once are loaded to variables first. */
static void steps_load(wg_c_program *w, steps_chain *chain)
{
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next)
        for (int k = 0; &w->p->node[i] != chain->rows && k < w->p->node[i].n_operands; k++) {
            const wg_tensor *x = w->p->node[i].operand[k];
            wg_c_value *v = wg_c_value_of(&w->c, x);
            if (v->single || v->local != NULL || steps_is_link(w, chain, x) ||
                w->p->node[chain->last].size == 1 || steps_uses(w, chain, x) < 2)
                continue;
            const char *name = steps_loaded_name(w, x);
            chain->statements += chain->counting;
            if (!chain->counting)
                wg_c_line(&w->c, "const %s %s = %s;", wg_c_type(&w->c, x->dtype), name,
                          wg_c_element(&w->c, x, steps_index(chain, x).s).s);
            v->local = name;
        }
}

/* w->formula: what link i is, in terms of what has names. */
static bool steps_formula(wg_c_program *w, const steps_chain *chain, int64_t i)
{
    const wg_tensor *y = &w->p->node[i];
    wg_text text[WG_ELEMENTWISE_OPERANDS];
    const char **element = wg_arena_take(&w->c.tape->scratch,
                                         (size_t)y->n_operands * sizeof *element, WG_ALIGNMENT);
    wg_text *own = y->n_operands <= WG_ELEMENTWISE_OPERANDS
                       ? text
                       : wg_arena_take(&w->c.tape->scratch, (size_t)y->n_operands * sizeof *own,
                                       WG_ALIGNMENT);
    if (element == NULL || own == NULL) {
        wg_fail(w->c.tape, WG_E_NOMEM, "write: out of memory");
        return false;
    }
    for (int k = 0; k < y->n_operands; k++) {
        const wg_tensor *x = y->operand[k];
        bool link = steps_is_link(w, chain, x);
        own[k] = link ? wg_c_element(&w->c, x, "")
                      : wg_c_element(&w->c, x, steps_index(chain, x).s);
        element[k] = own[k].s;
    }
    w->formula.size = 0;
    return wg_c_formula(&w->c, y, element, &w->formula) && w->formula.size > 0;
}

/* Where a chain's calls are shared. */
static int64_t steps_scope(const wg_c_program *w, const steps_chain *chain)
{
    const bool looped = w->p->node[chain->last].size != 1 || chain->rows != NULL;
    return looped ? chain->last : WG_WRITE_FUNCTION;
}

static void steps_write_link(wg_c_program *w, const steps_chain *chain, int64_t i, const char *name)
{
    const wg_tensor *y = &w->p->node[i];
    const bool variable = i != chain->last || (y->size == 1 && !wg_write_is_place(name));
    wg_text left = {""};
    if (variable)
        snprintf(left.s, sizeof left.s, "const %s %.100s", wg_c_type(&w->c, y->dtype), name);
    else
        left = wg_c_element(&w->c, y, steps_index(chain, y).s);
    w->shared.size = 0;
    wg_write_share_calls(w, steps_scope(w, chain), y->dtype, w->formula.s, &w->shared);
    if (w->shared.size > 0)
        wg_c_line(&w->c, "%s = %s;", left.s, w->shared.s);
}

/* Is link i kept, though it is not the last? It is stored when all have read what
 * was there before. */
static bool steps_is_kept(const wg_c_program *w, const steps_chain *chain, int64_t i)
{
    return i != chain->last && w->fact[i].pinned;
}

static void steps_store_kept(wg_c_program *w, const steps_chain *chain)
{
    const wg_text at = steps_index(chain, &w->p->node[chain->last]);
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next) {
        const char *local = w->c.value[i].local;
        if (!steps_is_kept(w, chain, i))
            continue;
        w->c.value[i].local = NULL;
        wg_c_line(&w->c, "%s = %s;", wg_c_element(&w->c, &w->p->node[i], at.s).s, local);
    }
}

static void steps_forget(wg_c_program *w, int64_t last)
{
    for (int64_t i = w->fact[last].head; i != -1; i = w->fact[i].next) {
        w->c.value[i].local = NULL;
        for (int k = 0; k < w->p->node[i].n_operands; k++)
            wg_c_value_of(&w->c, w->p->node[i].operand[k])->local = NULL;
    }
}

/* The statements of the links; with chain->counting they are counted, and their calls. */
static void steps_write_links(wg_c_program *w, steps_chain *chain)
{
    steps_load(w, chain);
    for (int64_t i = w->fact[chain->last].head; i != -1; i = w->fact[i].next) {
        wg_c_value *v = &w->c.value[i];
        const wg_tensor *y = &w->p->node[i];
        if (y == chain->rows || !steps_formula(w, chain, i))
            continue;
        const char *name = steps_is_kept(w, chain, i) ? steps_loaded_name(w, y) : v->name;
        if (chain->counting)
            chain->statements += 1 + wg_write_count_calls(w, steps_scope(w, chain), y->dtype,
                                                          w->formula.s);
        else
            steps_write_link(w, chain, i, name);
        if (i != chain->last)
            v->local = name;
    }
    if (!chain->counting)
        steps_store_kept(w, chain);
    steps_forget(w, chain->last);
}

/* As the loops will be, so that indices are the same. */
static void steps_count_links(wg_c_program *w, steps_chain *chain)
{
    chain->outer.first = w->c.n_loops;
    chain->inner.first = w->c.n_loops + chain->outer.n_loops;
    chain->counting = true;
    steps_write_links(w, chain);
    chain->counting = false;
}

/* The row that the loops behind it read. */
static void steps_write_row(wg_c_program *w, const steps_chain *chain)
{
    wg_c_nest row = chain->outer;
    row.stride[0][0] = 1;
    w->c.y = chain->rows;
    chain->rows->op->write_c(&w->c, chain->rows, &row);
}

static void steps_write_chain(wg_c_program *w, int64_t last)
{
    static const steps_chain none;
    steps_chain chain = none;
    chain.last = last;
    steps_find(w, &chain);
    for (int64_t i = w->fact[last].head; i != -1; i = w->fact[i].next)
        if (steps_is_kept(w, &chain, i))
            steps_declare(w, i);
    if (steps_scope(w, &chain) != WG_WRITE_FUNCTION)
        steps_count_links(w, &chain);
    const bool braces = chain.statements > 1;
    if (chain.rows != NULL) {
        steps_declare(w, chain.rows - w->p->node);
        if (chain.outer.n_loops > 0)
            wg_c_open(&w->c, &chain.outer);
        else
            wg_c_open_one(&w->c, &chain.outer);
        steps_write_row(w, &chain);
    }
    if (w->p->node[last].size == 1)
        steps_write_links(w, &chain);
    else {
        (braces ? wg_c_open : wg_c_open_one)(&w->c, &chain.inner);
        steps_write_links(w, &chain);
        (braces ? wg_c_close : wg_c_close_one)(&w->c, &chain.inner);
    }
    if (chain.rows != NULL && chain.outer.n_loops > 0)
        wg_c_close(&w->c, &chain.outer);
}

/* ---- A step ---------------------------------------------------------------------------------- */

void wg_write_count_step(wg_c_program *w, int64_t step)
{
    static const steps_chain none;
    steps_chain chain = none;
    chain.last = w->step[step];
    if (w->p->node[chain.last].size != 1 || !steps_is_formula(&w->p->node[chain.last]))
        return;
    steps_find(w, &chain);
    if (steps_scope(w, &chain) == WG_WRITE_FUNCTION)
        steps_count_links(w, &chain);
}

void wg_write_step(wg_c_program *w, int64_t step)
{
    const int64_t last = w->step[step];
    const wg_tensor *y = &w->p->node[last];
    const bool formula = (y->op->flags & WG_OP_ELEMENTWISE) || y->op == &wg_op_add_n;
    if (!formula && y->op->write_c == NULL) {
        wg_fail(w->c.tape, WG_E_VALUE, "write: the op %s has no write_c", y->op->name);
        return;
    }
    if (y->size == 0)
        return;
    w->c.y = y;
    w->c.n_loops = 0;
    memset(w->taken, 0, sizeof w->taken);
    steps_comment(w, last);
    steps_declare(w, last);
    if (steps_is_formula(y))
        steps_write_chain(w, last);
    else
        y->op->write_c(&w->c, y, NULL);
}
