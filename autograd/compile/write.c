/* A program as a C file: its types, constants, functions. */
#include "autograd/compile/write_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const wg_dtype write_dtypes[] = {WG_F64, WG_F32, WG_I64};

/* ---- Types ----------------------------------------------------------------------------------- */

static bool write_is_input(const wg_c_program *w, int64_t i)
{
    return w->p->node[i].op == &wg_op_input && !w->fact[i].computed;
}

static bool write_is_state(const wg_c_program *w, int64_t i)
{
    return wg_write_in_state(w, &w->p->node[i]) && !w->fact[i].computed;
}

typedef bool write_kind(const wg_c_program *w, int64_t i);

static int64_t write_count(const wg_c_program *w, write_kind *is)
{
    int64_t n = 0;
    for (int64_t i = 0; i < w->p->n_nodes; i++)
        n += is(w, i);
    return n;
}

static int64_t write_fields(const wg_c_program *w)
{
    int64_t n = 0;
    for (int i = 0; i < w->p->n_outputs; i++)
        n += w->target[i] != NULL;
    return n;
}

static bool write_has_work(const wg_c_program *w)
{
    return w->size[WG_F64] + w->size[WG_F32] + w->size[WG_I64] > 0 || w->strings != NULL;
}

static void write_declare(const wg_c_program *w, wg_c_text *h, const wg_tensor *x, const char *name,
                          bool pointer)
{
    char shape[WG_SHAPE_TEXT];
    const char *type = wg_c_type(&w->c, x->dtype);
    if (x->size == 1)
        wg_c_print(h, "    %s %s;\n", type, name);
    else if (pointer)
        wg_c_print(h, "    const %s *%s; /* %s */\n", type, name,
                   wg_shape_text(&x->shape, shape, sizeof shape));
    else
        wg_c_print(h, "    %s %s[%" PRId64 "]; /* %s */\n", type, name, x->size > 0 ? x->size : 1,
                   wg_shape_text(&x->shape, shape, sizeof shape));
}

static void write_struct(const wg_c_program *w, wg_c_text *h, write_kind *is, const char *kind)
{
    if (write_count(w, is) == 0)
        return;
    wg_c_print(h, "typedef struct %s_%s {\n", w->c.common->prefix, kind);
    for (int64_t i = 0; i < w->p->n_nodes; i++)
        if (&w->p->node[i] == w->strings && is == write_is_input)
            wg_c_print(h, "    const char *const *%s; /* %" PRId64 " strings */\n",
                       w->strings_field, w->options.strings->columns);
        else if (is(w, i))
            write_declare(w, h, &w->p->node[i], wg_write_field(w->c.value[i].name),
                          is == write_is_input);
    wg_c_print(h, "} %s_%s;\n\n", w->c.common->prefix, kind);
}

static void write_outputs_struct(const wg_c_program *w, wg_c_text *h)
{
    if (write_fields(w) == 0)
        return;
    wg_c_print(h, "typedef struct %s_outputs {\n", w->c.common->prefix);
    for (int i = 0; i < w->p->n_outputs; i++)
        if (w->target[i] != NULL)
            write_declare(w, h, w->p->result[i], wg_write_field(w->target[i]), false);
    wg_c_print(h, "} %s_outputs;\n\n", w->c.common->prefix);
}

static void write_work_struct(const wg_c_program *w, wg_c_text *h)
{
    if (!write_has_work(w))
        return;
    wg_c_print(h, "typedef struct %s_work {\n", w->c.common->prefix);
    for (int d = 0; d < 3; d++)
        if (w->size[write_dtypes[d]] > 0)
            wg_c_print(h, "    %s %s[%" PRId64 "];\n", wg_c_type(&w->c, write_dtypes[d]),
                       wg_dtype_name(write_dtypes[d]), w->size[write_dtypes[d]]);
    if (w->strings != NULL)
        write_declare(w, h, w->strings, wg_write_field(wg_c_value_of(&w->c, w->strings)->name),
                      false);
    wg_c_print(h, "} %s_work;\n\n", w->c.common->prefix);
}

/* ---- Functions ------------------------------------------------------------------------------- */

static void write_signature(const wg_c_program *w, wg_c_text *text)
{
    const char *p = w->c.common->prefix, *comma = "";
    wg_c_print(text, "int %s_run(", p);
    if (write_count(w, write_is_input) > 0) {
        wg_c_print(text, "const %s_inputs *in", p);
        comma = ", ";
    }
    if (write_count(w, write_is_state) > 0) {
        wg_c_print(text, "%s%s_state *state", comma, p);
        comma = ", ";
    }
    if (write_fields(w) > 0) {
        wg_c_print(text, "%s%s_outputs *out", comma, p);
        comma = ", ";
    }
    if (write_has_work(w))
        wg_c_print(text, "%s%s_work *work", comma, p);
    wg_c_print(text, ")");
}

static int write_names_count(const wg_c_program *w)
{
    int n = 0;
    while (w->options.names != NULL && w->options.names[n] != NULL)
        n++;
    return n;
}

/* A string of C: what is not plain is written as an octal escape, which ends after three digits. */
static void write_string(wg_c_text *text, const char *s)
{
    wg_c_add(text, "\"", 1);
    for (; *s != '\0'; s++)
        if (*s >= ' ' && *s <= '~' && *s != '"' && *s != '\\' && *s != '?')
            wg_c_add(text, s, 1);
        else
            wg_c_print(text, "\\%03o", (unsigned)(unsigned char)*s);
    wg_c_add(text, "\"", 1);
}

/* A list of strings that are seen outside functions; longer ones than the literals that every
 * compiler of C99 takes are arrays of their own. */
enum { WRITE_LITERAL = 4095 };

static void write_string_array(const wg_c_program *w, wg_c_text *text, const char *name, int64_t i,
                               const char *s)
{
    if (strlen(s) <= WRITE_LITERAL)
        return;
    wg_c_print(text, "static const char %s_%s_%" PRId64 "[] = {", w->c.common->prefix, name, i);
    for (size_t k = 0; k == 0 || s[k - 1] != '\0'; k++)
        wg_c_print(text, "%s'\\%03o',", k % 12 == 0 ? "\n    " : " ",
                   (unsigned)(unsigned char)s[k]);
    wg_c_print(text, "\n};\n\n");
}

static void write_string_item(const wg_c_program *w, wg_c_text *text, const char *name, int64_t i,
                              const char *s)
{
    if (strlen(s) <= WRITE_LITERAL)
        write_string(text, s);
    else
        wg_c_print(text, "%s_%s_%" PRId64, w->c.common->prefix, name, i);
}

/* ---- Columns of strings ---------------------------------------------------------------------- */

static const char write_encode[] = "static int @encode(const char *const *string, %s *hot)\n"
                                   "{\n"
                                   "    for (int i = 0; i < %" PRId64 "; i++) {\n"
                                   "        int known = 0;\n"
                                   "        for (int j = @first[i]; j < @first[i + 1]; j++) {\n"
                                   "            hot[j] = 0;\n"
                                   "            if (strcmp(string[i], @string[j]) == 0) {\n"
                                   "                hot[j] = 1;\n"
                                   "                known = 1;\n"
                                   "            }\n"
                                   "        }\n"
                                   "        if (!known)\n"
                                   "            return 1;\n"
                                   "    }\n"
                                   "    return 0;\n"
                                   "}\n";

/* The same where an unknown string is no error. */
static const char write_encode_any[] =
    "static void @encode(const char *const *string, %s *hot)\n"
    "{\n"
    "    for (int i = 0; i < %" PRId64 "; i++)\n"
    "        for (int j = @first[i]; j < @first[i + 1]; j++)\n"
    "            hot[j] = strcmp(string[i], @string[j]) == 0 ? 1 : 0;\n"
    "}\n";

/* All strings, and each column's first. */
static void write_string_tables(const wg_c_program *w, wg_c_text *text)
{
    const wg_c_strings *s = w->options.strings;
    if (w->strings == NULL)
        return;
    for (int64_t i = 0; i < w->strings->size; i++)
        write_string_array(w, text, "_string", i, s->string[i]);
    wg_c_print(text, "static const char *const %s__string[%" PRId64 "] = {", w->c.common->prefix,
               w->strings->size);
    for (int64_t i = 0; i < w->strings->size; i++) {
        wg_c_print(text, "\n    ");
        write_string_item(w, text, "_string", i, s->string[i]);
        wg_c_print(text, ",");
    }
    wg_c_print(text, "\n};\n\nstatic const int %s__first[%" PRId64 "] = {", w->c.common->prefix,
               s->columns + 1);
    for (int64_t j = 0; j <= s->columns; j++)
        wg_c_print(text, "%s%" PRId64, j > 0 ? ", " : "", s->start[j]);
    wg_c_print(text, "};\n\n");
}

static void write_strings(wg_c_program *w)
{
    char text[sizeof write_encode + 64];
    if (w->strings == NULL)
        return;
    const wg_c_strings *s = w->options.strings;
    const char *type = wg_c_type(&w->c, w->strings->dtype);
    if (s->ignore_unknown)
        snprintf(text, sizeof text, write_encode_any, type, s->columns);
    else
        snprintf(text, sizeof text, write_encode, type, s->columns);
    const wg_text encode = wg_c_helper(&w->c, "encode", text);
    const char *field = w->strings_field, *hot = wg_c_value_of(&w->c, w->strings)->name;
    wg_c_line(&w->c, "/* 1 where an element's string is that of its column. */");
    wg_c_line(&w->c, s->ignore_unknown ? "%s(in->%s, %s);" : "if (%s(in->%s, %s))", encode.s, field,
              hot);
    if (!s->ignore_unknown)
        wg_c_line(&w->c, "    return 1;");
}

static void write_names(const wg_c_program *w, wg_c_text *text)
{
    const int n = write_names_count(w);
    if (n == 0)
        return;
    for (int i = 0; i < n; i++)
        write_string_array(w, text, "_name", i, w->options.names[i]);
    wg_c_print(text, "const char *const %s_names[%d] = {", w->c.common->prefix, n);
    for (int i = 0; i < n; i++) {
        wg_c_print(text, "%s", i > 0 ? ", " : "");
        write_string_item(w, text, "_name", i, w->options.names[i]);
    }
    wg_c_print(text, "};\n\n");
}

/* The lines of a comment; nothing in them begins or ends one, or is a trigraph. */
static void write_about(wg_c_text *h, const char *about)
{
    char last = '\n';
    for (; about != NULL && *about != '\0'; last = *about++) {
        const char pair[] = {last, *about, '\0'};
        if (last == '\n')
            wg_c_print(h, "\n * ");
        else if (strstr("*/*", pair) != NULL || strcmp(pair, "?\?") == 0)
            wg_c_print(h, " ");
        if (*about != '\n')
            wg_c_print(h, "%c", (unsigned char)*about < ' ' ? ' ' : *about);
    }
}

static void write_header(const wg_c_program *w, wg_c_text *h)
{
    const char *p = w->c.common->prefix;
    wg_c_print(h, "/* %s, written by Wengert.", p);
    write_about(h, w->options.about);
    wg_c_print(h, " */\n#ifndef %s_H\n#define %s_H\n\n", p, p);
    wg_c_print(h, "#include <stdint.h>\n\n");
    wg_c_print(h, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
    write_struct(w, h, write_is_input, "inputs");
    write_struct(w, h, write_is_state, "state");
    write_outputs_struct(w, h);
    write_work_struct(w, h);
    if (write_count(w, write_is_state) > 0)
        wg_c_print(
            h, "/* Gives the parameters their first values. */\nvoid %s_init(%s_state *state);\n\n",
            p, p);
    const bool fails = w->c.body.s != NULL && strstr(w->c.body.s, "return 1;") != NULL;
    const bool unknown = w->strings != NULL && !w->options.strings->ignore_unknown;
    wg_c_print(h, "/* Computes %s from %s. Returns 0%s%s.%s */\n",
               write_fields(w) > 0 ? "out" : "new parameters",
               write_count(w, write_is_input) > 0 ? "in" : "the parameters",
               fails ? "; 1 where an index or a label is out of range" : "",
               unknown ? ",\n * or a string is not known" : "",
               write_has_work(w) ? "\n * Nothing is kept in work between calls." : "");
    write_signature(w, h);
    if (write_names_count(w) > 0)
        wg_c_print(h, ";\n\n/* Of the classes. */\nextern const char *const %s_names[%d]", p,
                   write_names_count(w));
    wg_c_print(h, ";\n\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}

/* Compilers warn of arguments that are not read, as where nothing has elements. */
static void write_unused(wg_c_program *w, const char *name, bool given)
{
    if (given && !wg_write_mentions(w->c.body.s, name))
        wg_c_line(&w->c, "(void)%s;", name);
}

/* ---- Functions' bodies ----------------------------------------------------------------------- */

static void write_first_value(wg_c_program *w, const wg_tensor *x, const char *name)
{
    wg_c_writer *c = &w->c;
    char table[256];
    wg_c_nest all;
    if (!wg_write_is_uniform(x)) {
        snprintf(table, sizeof table, "%.100s_%.100s", c->common->prefix, wg_write_field(name));
        wg_write_table(w, x, table);
        wg_c_line(c, "memcpy(%s, %s, sizeof %s);", name, table, name);
        return;
    }
    c->y = x;
    wg_c_each(&all, x->size);
    wg_c_open_one(c, &all);
    wg_c_line(c, "%y = %s;", wg_c_at(&all, NULL, 0).s, wg_c_constant(x, 0).s);
    wg_c_close_one(c, &all);
}

/* The text of NAME_init's body; NAME_run's is written. */
static wg_c_text write_init(wg_c_program *w)
{
    const wg_c_text run = w->c.body;
    w->c.body = (wg_c_text){.tape = w->c.tape};
    w->c.depth = 1;
    for (int64_t i = 0; i < w->p->n_nodes; i++)
        if (write_is_state(w, i) && w->p->node[i].size > 0)
            write_first_value(w, &w->p->node[i], w->c.value[i].name);
    write_unused(w, "state", true);
    const wg_c_text init = w->c.body;
    w->c.body = run;
    return init;
}

static void write_run(wg_c_program *w)
{
    w->c.depth = 1;
    write_strings(w);
    wg_write_statements(w);
    write_unused(w, "in", write_count(w, write_is_input) > 0);
    write_unused(w, "state", write_count(w, write_is_state) > 0);
    write_unused(w, "out", write_fields(w) > 0);
    write_unused(w, "work", write_has_work(w));
    wg_c_line(&w->c, "return 0;");
}

/* ---- The file -------------------------------------------------------------------------------- */

static const char write_pragma[] =
    "#ifdef __clang__\n#pragma STDC FP_CONTRACT OFF /* results as without fused products */\n"
    "#endif\n\n";

static void write_append(wg_c_text *text, const wg_c_text *part)
{
    if (part->s != NULL)
        wg_c_add(text, part->s, part->size);
}

static void write_source(wg_c_program *w, wg_c_text *text)
{
    const wg_c_common *common = w->c.common;
    const wg_c_text init = write_init(w); /* which has tables */
    wg_c_print(text, "/* %s, written by Wengert. */\n#include \"%s\"\n\n", common->prefix,
               w->options.header);
    wg_c_print(text, "#include <math.h>\n#include <string.h>\n\n%s", write_pragma);
    write_names(w, text);
    write_string_tables(w, text);
    write_append(text, &common->tables);
    write_append(text, &common->helpers);
    if (write_count(w, write_is_state) > 0) {
        wg_c_print(text, "void %s_init(%s_state *state)\n{\n", common->prefix, common->prefix);
        write_append(text, &init);
        wg_c_print(text, "}\n\n");
    }
    write_signature(w, text);
    wg_c_print(text, "\n{\n");
    write_append(text, &w->c.body);
    wg_c_print(text, "}\n");
}

/* Programs that are made on the way go with what the tape held before. */
static void write_all(wg_c_program *w, wg_c_file *file)
{
    wg_tape *t = w->c.tape;
    wg_c_text source = {.tape = t}, header = {.tape = t};
    const wg_arena_mark before = wg_arena_height(&t->arena);
    if (wg_write_plan(w)) {
        write_run(w);
        write_source(w, &source);
        write_header(w, &header);
    }
    wg_arena_rewind(&t->arena, before);
    char *text = t->status == WG_OK ? wg_tape_take(t, source.size + header.size + 2) : NULL;
    if (text == NULL)
        return;
    memcpy(text, source.s, source.size + 1);
    memcpy(text + source.size + 1, header.s, header.size + 1);
    *file = (wg_c_file){text, text + source.size + 1};
}

static bool write_options_fit(const wg_c_program *w)
{
    const wg_c_options *o = &w->options;
    const char *refused = wg_c_header_refused(o->header);
    if ((o->updates == NULL && o->n_updates > 0) || o->n_updates < 0)
        wg_fail(w->p->tape, WG_E_VALUE, "write: %d updates, which are missing", o->n_updates);
    else if (refused != NULL)
        wg_fail(w->p->tape, WG_E_VALUE, "write: \"%s\" %s", o->header, refused);
    return w->p->tape->status == WG_OK;
}

wg_status wg_program_to_c(const wg_program *p, const wg_c_options *options, wg_c_file *file)
{
    if (file != NULL)
        *file = (wg_c_file){"", ""};
    if (p == NULL || p->tape == NULL || file == NULL)
        return WG_E_NULL;
    wg_tape *t = p->tape;
    if (t->status != WG_OK)
        return t->status;
    wg_c_program w = {.p = p};
    wg_text header;
    if (options != NULL)
        w.options = *options;
    const wg_text prefix = wg_c_identifier(w.options.name != NULL ? w.options.name : "model");
    snprintf(header.s, sizeof header.s, "%.200s.h", prefix.s);
    if (w.options.header == NULL)
        w.options.header = header.s;
    if (!write_options_fit(&w))
        return t->status;
    wg_c_common common = {.prefix = prefix.s,
                          .i64 = w.options.int32 ? "int32_t" : "int64_t",
                          .helpers.tape = t,
                          .tables.tape = t,
                          .run = &w};
    w.c = (wg_c_writer){.tape = t,
                        .common = &common,
                        .index = wg_write_index_type(p),
                        .node = p->node,
                        .body.tape = t};
    w.formula.tape = w.shared.tape = t;
    wg_arena_mark empty = wg_arena_height(&t->scratch);
    write_all(&w, file);
    wg_arena_rewind(&t->scratch, empty);
    return t->status;
}
