/* What ops write themselves as C with: lines, loops, indices, helpers. */
#include "autograd/compile/c_writer_internal.h"

#include "autograd/number_text_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Text ------------------------------------------------------------------------------------ */

void wg_c_add(wg_c_text *text, const char *s, size_t size)
{
    if (text->s == NULL || size >= text->room - text->size) {
        size_t room = 2 * (text->size + size) + 1024;
        char *longer = wg_arena_take(&text->tape->scratch, room, 1);
        if (longer == NULL) {
            wg_fail(text->tape, WG_E_NOMEM, "write: out of memory");
            return;
        }
        if (text->size > 0)
            memcpy(longer, text->s, text->size);
        text->s = longer;
        text->room = room;
    }
    memcpy(text->s + text->size, s, size);
    text->size += size;
    text->s[text->size] = '\0';
}

void wg_c_print(wg_c_text *text, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = wg_format_list(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof line)
        wg_c_add(text, line, (size_t)size);
    else
        wg_fail(text->tape, WG_E_VALUE, "write: a line is too long");
}

/* ---- Values ---------------------------------------------------------------------------------- */

wg_c_value *wg_c_value_of(const wg_c_writer *c, const wg_tensor *x)
{
    return &c->value[x - c->node];
}

wg_text wg_c_text_of(const wg_c_writer *c, const char *format, ...)
{
    wg_text text;
    va_list arguments;
    va_start(arguments, format);
    const int length = wg_format_list(text.s, sizeof text.s, format, arguments);
    va_end(arguments);
    if (length >= (int)sizeof text.s)
        wg_fail(c->tape, WG_E_VALUE, "write: a text of %d characters is too long: %.40s...", length,
                text.s);
    return text;
}

const char *wg_c_type(const wg_c_writer *c, wg_dtype dtype)
{
    return dtype == WG_F32 ? "float" : dtype == WG_F64 ? "double" : c->common->i64;
}

wg_text wg_c_element(const wg_c_writer *c, const wg_tensor *x, const char *index)
{
    const wg_c_value *v = wg_c_value_of(c, x);
    if (x->size == 0) /* there is none to be read */
        return x->dtype == WG_I64 ? (wg_text){"0"} : wg_c_number(x->dtype, 0);
    if (v->local != NULL || v->single)
        return wg_c_text_of(c, "%s", v->local != NULL ? v->local : v->name);
    if (v->offset == 0)
        return wg_c_text_of(c, "%s[%s]", v->name, index);
    if (strcmp(index, "0") == 0)
        return wg_c_text_of(c, "%s[%" PRId64 "]", v->name, v->offset);
    return wg_c_text_of(c, "%s[%" PRId64 " + %s]", v->name, v->offset, index);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void line_indent(wg_c_writer *c, int depth)
{
    for (int i = 0; i < depth; i++)
        wg_c_add(&c->body, "    ", 4);
}

/* What %<code> stands for, of the codes that take an argument. */
static wg_text line_argument(wg_c_writer *c, char code, va_list *arguments)
{
    wg_text text = {""};
    if (code >= 'a' && code <= 'd')
        return wg_c_element(c, c->y->operand[code - 'a'], va_arg(*arguments, const char *));
    if (code == 'y')
        return wg_c_element(c, c->y, va_arg(*arguments, const char *));
    if (code == 'N')
        return wg_c_number(c->y->dtype, va_arg(*arguments, double));
    if (code == 'i')
        snprintf(text.s, sizeof text.s, "%" PRId64, va_arg(*arguments, int64_t));
    else if (code == 'T')
        snprintf(text.s, sizeof text.s, "%s", wg_c_type(c, c->y->dtype));
    else if (code == 'A')
        snprintf(text.s, sizeof text.s, "%s", wg_c_type(c, c->y->operand[0]->dtype));
    else if (code == 'I')
        snprintf(text.s, sizeof text.s, "%s", c->common->i64);
    else if (code == 'F')
        snprintf(text.s, sizeof text.s, "%s", c->y->dtype == WG_F32 ? "f" : "");
    else
        text.s[0] = code;
    return text;
}

static void line_put(wg_c_writer *c, const char *format, va_list *arguments)
{
    for (const char *s = format; *s != '\0';) {
        size_t plain = strcspn(s, "%");
        wg_c_add(&c->body, s, plain);
        s += plain;
        if (*s == '\0' || s[1] == '\0')
            break;
        if (s[1] == 's') {
            const char *string = va_arg(*arguments, const char *);
            wg_c_add(&c->body, string, strlen(string));
        } else {
            const wg_text text = line_argument(c, s[1], arguments);
            wg_c_add(&c->body, text.s, strlen(text.s));
        }
        s += 2;
    }
}

void wg_c_line(wg_c_writer *c, const char *format, ...)
{
    va_list arguments;
    size_t length = strlen(format);
    if (wg_tape_status(c->tape) != WG_OK) /* nothing is written after an error: names may be NULL */
        return;
    if (format[0] == '}')
        c->depth--;
    line_indent(c, c->depth);
    va_start(arguments, format);
    line_put(c, format, &arguments);
    va_end(arguments);
    wg_c_add(&c->body, "\n", 1);
    if (length > 0 && format[length - 1] == '{')
        c->depth++;
}

/* ---- Loops ----------------------------------------------------------------------------------- */

void wg_c_nest_init(wg_c_nest *nest, int n_arrays)
{
    nest->n_loops = 0;
    nest->n_arrays = n_arrays;
    for (int k = 0; k < n_arrays; k++)
        nest->start[k] = 0;
}

/* Does every array walk the two innermost loops as one? */
static bool nest_joins(const wg_c_nest *nest, int64_t size, const int64_t *stride)
{
    bool joins = nest->n_loops > 0;
    for (int k = 0; joins && k < nest->n_arrays; k++)
        joins = nest->stride[k][nest->n_loops - 1] == size * stride[k];
    return joins;
}

void wg_c_nest_add(wg_c_nest *nest, int64_t size, const int64_t *stride)
{
    if (size == 1)
        return;
    int loop = nest->n_loops;
    if (nest_joins(nest, size, stride))
        nest->size[--loop] *= size;
    else {
        nest->size[loop] = size;
        nest->n_loops++;
    }
    for (int k = 0; k < nest->n_arrays; k++)
        nest->stride[k][loop] = stride[k];
}

void wg_c_each(wg_c_nest *nest, int64_t n)
{
    wg_c_nest_init(nest, 1);
    wg_c_nest_add(nest, n, (const int64_t[]){1});
}

void wg_c_rows(wg_c_nest *rows, wg_c_nest *along, const wg_shape *shape, uint32_t axes)
{
    int64_t stride[WG_MAX_DIMS], own[WG_MAX_DIMS], next[3] = {1, 1, 1};
    for (int i = shape->ndim - 1; i >= 0; i--) {
        int kind = (axes >> i) & 1u ? 1 : 0;
        stride[i] = next[2];
        own[i] = next[kind];
        next[2] *= shape->dim[i];
        next[kind] *= shape->dim[i];
    }
    wg_c_nest_init(rows, 2);
    wg_c_nest_init(along, 2);
    for (int i = 0; i < shape->ndim; i++)
        wg_c_nest_add((axes >> i) & 1u ? along : rows, shape->dim[i],
                      (const int64_t[]){stride[i], own[i]});
}

/* i, j, k, ... and, behind them, i1, j1, ... */
static wg_text loop_variable(int number)
{
    static const char letter[] = "ijkmnpqrst";
    const int letters = (int)sizeof letter - 1;
    wg_text text;
    if (number < letters)
        snprintf(text.s, sizeof text.s, "%c", letter[number]);
    else
        snprintf(text.s, sizeof text.s, "%c%d", letter[number % letters], number / letters);
    return text;
}

const char *wg_c_counter(const wg_c_writer *c, int64_t n)
{
    return n > INT32_MAX ? "int64_t" : c->index;
}

static void loop_open(wg_c_writer *c, wg_c_nest *nest, bool braces)
{
    nest->first = c->n_loops;
    if (nest->n_loops == 0 && braces)
        wg_c_line(c, "{");
    for (int i = 0; i < nest->n_loops; i++) {
        const wg_text v = loop_variable(c->n_loops++);
        const char *end = braces && i + 1 == nest->n_loops ? " {" : "";
        line_indent(c, c->depth++);
        wg_c_print(&c->body, "for (%s %s = 0; %s < %" PRId64 "; %s++)%s\n",
                   wg_c_counter(c, nest->size[i]), v.s, v.s, nest->size[i], v.s, end);
    }
}

static void loop_close(wg_c_writer *c, const wg_c_nest *nest, bool braces)
{
    if (braces)
        wg_c_line(c, "}");
    c->depth -= nest->n_loops - (braces && nest->n_loops > 0 ? 1 : 0);
    c->n_loops = nest->first;
}

void wg_c_open(wg_c_writer *c, wg_c_nest *nest)
{
    loop_open(c, nest, true);
}

void wg_c_close(wg_c_writer *c, const wg_c_nest *nest)
{
    loop_close(c, nest, true);
}

void wg_c_open_one(wg_c_writer *c, wg_c_nest *nest)
{
    loop_open(c, nest, false);
}

void wg_c_close_one(wg_c_writer *c, const wg_c_nest *nest)
{
    loop_close(c, nest, false);
}

/* ---- Indices --------------------------------------------------------------------------------- */

/* No index is cut off: two nests have 16 loops, each of 27 characters at most. */
static void text_append(wg_text *text, const char *s)
{
    size_t used = strlen(text->s), size = strlen(s), room = sizeof text->s - 1 - used;
    size = size < room ? size : room;
    memcpy(text->s + used, s, size);
    text->s[used + size] = '\0';
}

static void index_add(wg_text *text, const char *term)
{
    if (text->s[0] != '\0')
        text_append(text, " + ");
    text_append(text, term);
}

static void index_add_loops(wg_text *text, const wg_c_nest *nest, int k)
{
    for (int i = 0; i < nest->n_loops; i++) {
        wg_text term = loop_variable(nest->first + i);
        size_t used = strlen(term.s);
        if (nest->stride[k][i] == 0)
            continue;
        if (nest->stride[k][i] != 1)
            snprintf(term.s + used, sizeof term.s - used, " * %" PRId64, nest->stride[k][i]);
        index_add(text, term.s);
    }
}

wg_text wg_c_at(const wg_c_nest *outer, const wg_c_nest *inner, int k)
{
    wg_text text = {""}, term;
    int64_t start = outer->start[k] + (inner != NULL ? inner->start[k] : 0);
    if (start != 0) {
        snprintf(term.s, sizeof term.s, "%" PRId64, start);
        index_add(&text, term.s);
    }
    index_add_loops(&text, outer, k);
    if (inner != NULL)
        index_add_loops(&text, inner, k);
    return text.s[0] != '\0' ? text : (wg_text){"0"};
}

wg_c_nest wg_c_inside(const wg_c_nest *outer, const wg_c_nest *inner)
{
    wg_c_nest both = *outer;
    both.n_loops += inner->n_loops;
    for (int i = 0; i < inner->n_loops; i++) {
        both.size[outer->n_loops + i] = inner->size[i];
        for (int k = 0; k < both.n_arrays; k++)
            both.stride[k][outer->n_loops + i] = inner->stride[k][i];
    }
    for (int k = 0; k < both.n_arrays; k++)
        both.start[k] += inner->start[k];
    return both;
}

void wg_c_sum(wg_c_writer *c, const char *sum, int k, const char *index)
{
    const wg_text term = wg_c_element(c, c->y->operand[k], index);
    if (c->y->dtype != WG_I64)
        wg_c_line(c, "%s += %s;", sum, term.s);
    else
        wg_c_line(c, "%s = (%I)((u%I)%s + (u%I)%s);", sum, sum, term.s);
}

void wg_c_fill(wg_c_writer *c, double value)
{
    const bool whole = c->y->dtype == WG_I64;
    wg_c_nest all;
    if (whole && !wg_c_i64_fits(c, c->y, (int64_t)value))
        return;
    wg_c_each(&all, c->y->size);
    wg_c_open_one(c, &all);
    if (value == 0 && !signbit(value))
        wg_c_line(c, "%y = 0;", wg_c_at(&all, NULL, 0).s);
    else if (whole)
        wg_c_line(c, "%y = %s;", wg_c_at(&all, NULL, 0).s, wg_c_integer((int64_t)value).s);
    else
        wg_c_line(c, "%y = %N;", wg_c_at(&all, NULL, 0).s, value);
    wg_c_close_one(c, &all);
}

void wg_c_strided(wg_c_nest *nest, int ndim, const int64_t *dim, const int64_t *to,
                  const int64_t *from)
{
    wg_c_nest_init(nest, 2);
    for (int i = 0; i < ndim; i++)
        wg_c_nest_add(nest, dim[i], (const int64_t[]){to[i], from[i]});
}

void wg_c_copy(wg_c_writer *c, wg_c_nest *nest, const wg_tensor *x)
{
    wg_c_open_one(c, nest);
    wg_c_line(c, "%y = %s;", wg_c_at(nest, NULL, 0).s,
              wg_c_element(c, x, wg_c_at(nest, NULL, 1).s).s);
    wg_c_close_one(c, nest);
}

wg_text wg_c_i64_limit(const wg_c_writer *c, wg_dtype dtype)
{
    return wg_c_number(dtype, strcmp(c->common->i64, "int32_t") == 0 ? 0x1p31 : 0x1p63);
}

/* ---- Checks, helpers ------------------------------------------------------------------------- */

/* Does what an earlier check left say all that this one would? */
static bool check_is_known(const wg_c_value *v, int64_t n, const int64_t *except)
{
    return v->below > 0 && v->below <= n &&
           (!v->excepted || (except != NULL && *except == v->except));
}

bool wg_c_i64_fits(const wg_c_writer *c, const wg_tensor *x, int64_t value)
{
    if (strcmp(c->common->i64, "int64_t") == 0 || (value >= INT32_MIN && value <= INT32_MAX))
        return true;
    wg_fail(c->tape, WG_E_VALUE, "write: %" PRId64 " in %s is not of 32 bits", value,
            wg_tensor_text(x).s);
    return false;
}

void wg_c_check(wg_c_writer *c, const wg_tensor *x, int64_t n, const int64_t *except)
{
    wg_c_value *v = wg_c_value_of(c, x);
    wg_c_nest all;
    if (except != NULL && !wg_c_i64_fits(c, c->y, *except))
        return;
    if (!(x->state & WG_NODE_LIVE)) /* constants were looked at when they were used */
        return;
    if (check_is_known(v, n, except))
        return;
    wg_c_each(&all, x->size);
    wg_c_open_one(c, &all);
    const wg_text e = wg_c_element(c, x, wg_c_at(&all, NULL, 0).s);
    if (except != NULL)
        wg_c_line(c, "if ((%s < 0 || %s >= %i) && %s != %i)", e.s, e.s, n, e.s, *except);
    else
        wg_c_line(c, "if (%s < 0 || %s >= %i)", e.s, e.s, n);
    wg_c_line(c, "    return 1;");
    wg_c_close_one(c, &all);
    v->below = n;
    v->excepted = except != NULL;
    v->except = except != NULL ? *except : 0;
}

wg_text wg_c_helper(wg_c_writer *c, const char *name, const char *text)
{
    wg_text full, head;
    wg_c_text written = {.tape = c->tape};
    snprintf(full.s, sizeof full.s, "%.100s__%.90s", c->common->prefix, name);
    snprintf(head.s, sizeof head.s, " %.200s(", full.s);
    for (const char *s = text; *s != '\0';) {
        size_t plain = strcspn(s, "@");
        wg_c_add(&written, s, plain);
        s += plain;
        if (*s == '@') {
            wg_c_print(&written, "%s__", c->common->prefix);
            s++;
        }
    }
    wg_c_add(&written, "\n", 1);
    if (written.s == NULL ||
        (c->common->helpers.s != NULL && strstr(c->common->helpers.s, written.s) != NULL))
        return full;
    if (c->common->helpers.s != NULL && strstr(c->common->helpers.s, head.s) != NULL)
        wg_fail(c->tape, WG_E_VALUE, "write: %s writes another function %s than there is",
                c->y->op->name, name);
    wg_c_add(&c->common->helpers, written.s, written.size);
    return full;
}
