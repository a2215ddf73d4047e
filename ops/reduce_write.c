/* Reductions as C: rows of operand 0 along the axes, a result for each. */
#include "autograd/compile/c_writer.h"
#include "ops/axes_internal.h"
#include "ops/reduce_internal.h"

#include <string.h>

void wg_sum_rows_write_c(wg_c_writer *c, const wg_shape *shape, uint32_t axes, int64_t divisor)
{
    wg_c_nest rows, along;
    wg_c_rows(&rows, &along, shape, axes);
    if (along.n_loops == 0) { /* one term */
        wg_c_open_one(c, &rows);
        wg_c_line(c, "%y = %a;", wg_c_at(&rows, NULL, 1).s, wg_c_at(&rows, NULL, 0).s);
        wg_c_close_one(c, &rows);
        return;
    }
    wg_c_open(c, &rows);
    wg_c_line(c, "%T sum = 0;");
    wg_c_open_one(c, &along);
    wg_c_sum(c, "sum", 0, wg_c_at(&rows, &along, 0).s);
    wg_c_close_one(c, &along);
    if (divisor == 1)
        wg_c_line(c, "%y = sum;", wg_c_at(&rows, NULL, 1).s);
    else
        wg_c_line(c, "%y = sum / %N;", wg_c_at(&rows, NULL, 1).s, (double)divisor);
    wg_c_close(c, &rows);
}

void wg_sum_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    (void)row;
    wg_sum_rows_write_c(c, &y->operand[0]->shape, wg_axes_of(y), 1);
}

void wg_mean_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    (void)row;
    wg_sum_rows_write_c(c, &y->operand[0]->shape, wg_axes_of(y), wg_axes_operand_rows(y).row_size);
}

/* The first extreme of a row, or its first NaN: the entry, or its number in the row. */
void wg_extreme_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    const bool number = strncmp(y->op->name, "arg", 3) == 0;
    const char *above = strstr(y->op->name, "max") != NULL ? ">" : "<";
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &x->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    wg_c_line(c, "%A most = %a;", wg_c_at(&rows, NULL, 0).s);
    if (number)
        wg_c_line(c, "%T at = 0;");
    wg_c_open(c, &along);
    const wg_text e = wg_c_element(c, x, wg_c_at(&rows, &along, 0).s);
    if (x->dtype == WG_I64)
        wg_c_line(c, "if (%s %s most) {", e.s, above);
    else
        wg_c_line(c, "if (%s %s most || (%s != %s && most == most)) {", e.s, above, e.s, e.s);
    wg_c_line(c, "most = %s;", e.s);
    if (number)
        wg_c_line(c, "at = %s;", wg_c_at(&along, NULL, 1).s);
    wg_c_line(c, "}");
    wg_c_close(c, &along);
    wg_c_line(c, number ? "%y = at;" : "%y = most;", wg_c_at(&rows, NULL, 1).s);
    wg_c_close(c, &rows);
}

void wg_tie_share_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &x->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    wg_c_line(c, "const %T most = %b;", wg_c_at(&rows, NULL, 1).s);
    wg_c_line(c, "%T sum = 0;");
    wg_c_open_one(c, &along);
    wg_text e = wg_c_element(c, x, wg_c_at(&rows, &along, 0).s);
    wg_c_line(c, "sum += %s == most || (%s != %s && most != most) ? 1 : 0;", e.s, e.s, e.s);
    wg_c_close_one(c, &along);
    wg_c_open_one(c, &along);
    wg_c_line(c, "%y = %s == most || (%s != %s && most != most) ? 1 / sum : 0;",
              wg_c_at(&rows, &along, 0).s, e.s, e.s, e.s);
    wg_c_close_one(c, &along);
    wg_c_close(c, &rows);
}

/* Scaled by the largest entry, where that is one to divide by: no square overflows, and not all of
 * them underflow. */
void wg_norm2_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
{
    const wg_tensor *x = y->operand[0];
    wg_c_nest rows, along;
    (void)row;
    wg_c_rows(&rows, &along, &x->shape, wg_axes_of(y));
    wg_c_open(c, &rows);
    wg_c_line(c, "%T most = 0, sum = 0;");
    wg_c_open_one(c, &along);
    wg_text e = wg_c_element(c, x, wg_c_at(&rows, &along, 0).s);
    wg_c_line(c, "most = fmax%F(most, fabs%F(%s));", e.s);
    wg_c_close_one(c, &along);
    wg_c_line(c, "const %T scale = most > 0 && most < INFINITY ? most : 1;");
    wg_c_open_one(c, &along);
    wg_c_line(c, "sum += (%s / scale) * (%s / scale);", e.s, e.s);
    wg_c_close_one(c, &along);
    wg_c_line(c, "%y = scale * sqrt%F(sum);", wg_c_at(&rows, NULL, 1).s);
    wg_c_close(c, &rows);
}
