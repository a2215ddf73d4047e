/* The tape as a table and as a graph for Graphviz. */
#include "autograd/print/print.h"

#include "autograd/body_internal.h"
#include "autograd/number_text_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define GRAPH_VALUES 4   /* so many elements are printed */
#define GRAPH_TEXT   256 /* bytes of described attributes */

static void graph_print_name(FILE *stream, const wg_tensor *x)
{
    if (x->name != NULL)
        fputs(wg_shown_text(x->name).s, stream);
    else
        fprintf(stream, "%s#%" PRId64, x->op->name, x->index);
}

static void graph_print_value(FILE *stream, const wg_tensor *x)
{
    if (x->state & WG_NODE_ABSTRACT) {
        fputs("(no value)", stream);
        return;
    }
    for (int64_t i = 0; i < x->size && i < GRAPH_VALUES; i++) {
        fputs(i == 0 ? "" : " ", stream);
        if (x->dtype == WG_I64)
            fprintf(stream, "%" PRId64, ((const int64_t *)x->data)[i]);
        else
            wg_format_to(stream, "%.6g", x->dtype == WG_WIDE ? (double)NAN : wg_element(x, i));
    }
    fputs(x->size > GRAPH_VALUES ? " ..." : "", stream);
    fputs(wg_is_stale(x) ? "  (stale)" : "", stream);
}

/* What the op says of its attributes; "" where that is nothing. Returns text. */
static char *graph_attributes(const wg_tensor *x, char text[GRAPH_TEXT])
{
    text[0] = '\0';
    if (x->op->describe != NULL)
        x->op->describe(x, text, GRAPH_TEXT);
    return text;
}

static void graph_print_node(FILE *stream, const wg_tensor *x, int depth)
{
    char shape[WG_SHAPE_TEXT], attributes[GRAPH_TEXT];
    fprintf(stream, "%*s#%-5" PRId64 " %-18s %-14s %s  ", 4 * depth, "", x->index, x->op->name,
            wg_shape_text(&x->shape, shape, sizeof shape), wg_dtype_name(x->dtype));
    if (x->name != NULL)
        fprintf(stream, "\"%s\" ", wg_shown_text(x->name).s);
    for (int k = 0; k < x->n_operands; k++) {
        fputs(k == 0 ? "" : ", ", stream);
        graph_print_name(stream, x->operand[k]);
    }
    if (*graph_attributes(x, attributes) != '\0')
        fprintf(stream, "; %s", attributes);
    fputs(x->n_operands > 0 || *attributes != '\0' ? "  = " : "= ", stream);
    graph_print_value(stream, x);
    fputc('\n', stream);
}

/* The nodes of a body stand behind its leaf, further to the right. */
static void graph_print_nodes(FILE *stream, const wg_tape *t, int depth)
{
    for (int64_t i = 0; i < t->size; i++) {
        graph_print_node(stream, t->node[i], depth);
        if (t->node[i]->op == &wg_op_body)
            graph_print_nodes(stream, wg_body_of(t->node[i]), depth + 1);
    }
}

static wg_status graph_stream_status(FILE *stream)
{
    return fflush(stream) != 0 || ferror(stream) ? WG_E_IO : WG_OK;
}

wg_status wg_tape_print(FILE *stream, const wg_tape *t)
{
    if (stream == NULL || t == NULL)
        return WG_E_NULL;
    graph_print_nodes(stream, t, 0);
    if (t->status != WG_OK)
        fprintf(stream, "%s: %s\n", wg_status_name(t->status), t->message);
    return graph_stream_status(stream);
}

/* Inside a quoted string of DOT, quotes and backslashes are escaped. */
static void graph_dot_text(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', stream);
        fputc(*text == '\n' ? ' ' : *text, stream);
    }
}

/* Nodes are n3; those of the body that stands at 3 are n3_0, n3_1, ... */
static void graph_dot_node(FILE *stream, const wg_tensor *x, const char *within)
{
    char shape[WG_SHAPE_TEXT], attributes[GRAPH_TEXT];
    bool leaf = (x->op->flags & WG_OP_LEAF) != 0;
    fprintf(stream, "  n%s%" PRId64 " [label=\"", within, x->index);
    graph_dot_text(stream, x->name != NULL ? wg_shown_text(x->name).s : x->op->name);
    if (x->name != NULL && !leaf)
        fprintf(stream, "\\n%s", x->op->name);
    if (*graph_attributes(x, attributes) != '\0') {
        fputs("\\n", stream);
        graph_dot_text(stream, attributes);
    }
    fprintf(stream, "\\n%s%s\", shape=%s%s];\n", wg_shape_text(&x->shape, shape, sizeof shape),
            wg_is_stale(x) ? "\\n(stale)" : "", leaf ? "box" : "ellipse",
            x->op == &wg_op_parameter ? ", style=filled, fillcolor=\"#cfe3f5\"" : "");
    for (int k = 0; k < x->n_operands; k++)
        fprintf(stream, "  n%s%" PRId64 " -> n%s%" PRId64 ";\n", within, x->operand[k]->index,
                within, x->index);
}

/* The nodes, all or those that are needed; a body is a box of its own. */
static void graph_dot_nodes(FILE *stream, const wg_tape *t, const bool *needed, const char *within)
{
    char inside[GRAPH_TEXT];
    for (int64_t i = 0; i < t->size; i++) {
        if (needed != NULL && !needed[i])
            continue;
        graph_dot_node(stream, t->node[i], within);
        if (t->node[i]->op != &wg_op_body)
            continue;
        snprintf(inside, sizeof inside, "%s%" PRId64 "_", within, i);
        fprintf(stream, "  subgraph cluster_%s {\n  label=\"body\";\n", inside);
        graph_dot_nodes(stream, wg_body_of(t->node[i]), NULL, inside);
        fputs("  }\n", stream);
    }
}

wg_status wg_tape_dot(FILE *stream, const wg_tape *t, wg_tensor *const outputs[], int n)
{
    if (stream == NULL || t == NULL || (outputs == NULL && n > 0))
        return WG_E_NULL;
    for (int i = 0; i < n; i++)
        if (wg_is_inert(outputs[i]) || outputs[i]->tape != t)
            return wg_is_inert(outputs[i]) ? WG_E_NULL : WG_E_TAPE;
    const wg_allocator *a = &t->options.allocator;
    bool *needed = wg_tape_is_real(t) ? a->allocate((size_t)t->size + 1, a->user) : NULL;
    if (needed == NULL)
        return WG_E_NOMEM;
    if (n > 0)
        wg_mark_needed(t, outputs, n, t->size - 1, needed);
    else
        memset(needed, true, (size_t)t->size);
    fputs("digraph tape {\n  rankdir=TB;\n  node [fontname=\"Helvetica\", fontsize=10];\n", stream);
    graph_dot_nodes(stream, t, needed, "");
    fputs("}\n", stream);
    a->release(needed, a->user);
    return graph_stream_status(stream);
}
