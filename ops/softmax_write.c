/* Softmax and its relatives as C: a row's largest entry, the sum of the others' terms, the
 * result. */
#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/softmax_internal.h"

#include <stdio.h>
#include <string.h>

/* x - most, where that is a number or the row has a NaN, which makes all of it NaN; where the
 * largest of a row is infinite, the others do not count. */
static const char softmax_shift[] = "static %s @%s(%s x, %s most)\n"
                                    "{\n"
                                    "    if (most - most == 0 || x != x || most != most)\n"
                                    "        return x - most;\n"
                                    "    return x == most && most > 0 ? 0 : -INFINITY;\n"
                                    "}\n";

static wg_text softmax_write_shift(wg_c_writer *c, const wg_tensor *x)
{
    char text[sizeof softmax_shift + 32];
    const bool f32 = x->dtype == WG_F32;
    const char *type = f32 ? "float" : "double", *name = f32 ? "shiftf" : "shift";
    snprintf(text, sizeof text, softmax_shift, type, name, type, type);
    return wg_c_helper(c, name, text);
}

wg_text wg_softmax_write_top(wg_c_writer *c, const wg_tensor *x, const wg_c_nest *rows,
                             wg_c_nest *along)
{
    const wg_text shift = softmax_write_shift(c, x);
    wg_c_line(c, "%T most = -INFINITY, rest = 0;");
    wg_c_line(c, "int top = 0;");
    wg_c_open_one(c, along);
    const wg_text e = wg_c_element(c, x, wg_c_at(rows, along, 0).s), at = wg_c_at(along, NULL, 1);
    wg_c_line(c, "if (%s > most || %s != %s) {", e.s, e.s, e.s);
    wg_c_line(c, "most = %s;", e.s);
    wg_c_line(c, "top = %s;", at.s);
    wg_c_line(c, "}");
    wg_c_close_one(c, along);
    wg_c_open_one(c, along);
    wg_c_line(c, "if (%s != top)", at.s);
    wg_c_line(c, "    rest += exp%F(%s(%s, most));", shift.s, e.s);
    wg_c_close_one(c, along);
    return shift;
}

/* softmax and log_softmax */
void wg_softmax_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const bool logarithm = strcmp(y->op->name, "log_softmax") == 0;
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &y->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    const wg_text shift = wg_softmax_write_top(c, y->operand[0], &rows, &along);
    const char *as = !logarithm ? "%y = exp%F(%s(%a, most)) / (1 + rest);"
                                : "%y = %s(%a, most) - rest;";
    if (logarithm)
        wg_c_line(c, "rest = log1p%F(rest);");
    wg_c_open_one(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0);
    wg_c_line(c, as, at.s, shift.s, at.s);
    wg_c_close_one(c, &along);
    wg_c_close(c, &rows);
}

/* Less u at the largest term, as the kernel has it. */
void wg_log_softmax_jvp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &y->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    const wg_text shift = wg_softmax_write_top(c, y->operand[1], &rows, &along);
    wg_c_line(c, "%T first = 0, sum = 0;");
    wg_c_open_one(c, &along);
    const wg_text at = wg_c_at(&rows, &along, 0), number = wg_c_at(&along, NULL, 1);
    wg_c_line(c, "if (%s == top)", number.s);
    wg_c_line(c, "    first = %a;", at.s);
    wg_c_close_one(c, &along);
    wg_c_open_one(c, &along);
    wg_c_line(c, "sum += exp%F(%s(%b, most)) / (1 + rest) * (%a - first);", shift.s, at.s, at.s);
    wg_c_close_one(c, &along);
    wg_c_open_one(c, &along);
    wg_c_line(c, "%y = %a - first - sum;", at.s, at.s);
    wg_c_close_one(c, &along);
    wg_c_close(c, &rows);
}

void wg_softmax_write_soft(wg_c_writer *c, const wg_tensor *x, const wg_tensor *q,
                           const wg_c_nest *rows, wg_c_nest *along, const char *factor)
{
    const wg_text shift = wg_softmax_write_top(c, x, rows, along);
    wg_c_line(c, "%T sum = 0;");
    wg_c_line(c, "int used = 0;");
    wg_c_open(c, along);
    const wg_text at = wg_c_at(rows, along, 0);
    const wg_text e = wg_c_element(c, q, at.s), logit = wg_c_element(c, x, at.s);
    wg_c_line(c, "sum += %s;", e.s);
    wg_c_line(c, "used |= %s != 0;", e.s);
    wg_c_close(c, along);
    wg_c_open_one(c, along);
    wg_c_line(c, "%y = used ? %s(exp%F(%s(%s, most)) / (1 + rest) * sum - %s) : 0;", at.s, factor,
              shift.s, logit.s, e.s);
    wg_c_close_one(c, along);
}

void wg_log_softmax_vjp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &y->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    wg_softmax_write_soft(c, y->operand[1], y->operand[0], &rows, &along, "-");
    wg_c_close(c, &rows);
}

void wg_logsumexp_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &x->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    wg_softmax_write_top(c, x, &rows, &along);
    wg_c_line(c, "%y = most + log1p%F(rest);", wg_c_at(&rows, NULL, 1).s);
    wg_c_close(c, &rows);
}
