#ifndef WG_AUTOGRAD_C_WRITER_H
#define WG_AUTOGRAD_C_WRITER_H

#include "autograd/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* With these an op writes itself as C, in its field write_c: statements that compute y from its
 * operands. Arrays lie dense and row-major; what has one element is a variable. Here is all of a
 * row-wise maximum:
 *
 *     static void rowmax_write_c(wg_c_writer *c, const wg_tensor *y, const wg_c_nest *row)
 *     {
 *         wg_c_nest rows, along;
 *         wg_c_rows(&rows, &along, &y->operand[0]->shape, 1u << 1);
 *         wg_c_open(c, &rows);
 *         wg_c_line(c, "%y = %a;", wg_c_at(&rows, NULL, 1).s, wg_c_at(&rows, NULL, 0).s);
 *         wg_c_open(c, &along);
 *         wg_c_line(c, "if (%a > %y)", wg_c_at(&rows, &along, 0).s, wg_c_at(&rows, NULL, 1).s);
 *         wg_c_line(c, "    %y = %a;", wg_c_at(&rows, NULL, 1).s, wg_c_at(&rows, &along, 0).s);
 *         wg_c_close(c, &along);
 *         wg_c_close(c, &rows);
 *     }
 */

/* wg_c_line: one line of the file, indented; a format of its own:
 *     %y %a %b %c %d   an element of y, of operand 0, 1, 2, 3; takes its index, a string
 *     %T %A %I         y's type, operand 0's, and what stands for i64
 *     %F               what functions of y's type have behind their names: "f", ""
 *     %N               a double as a constant of y's type        %i    an int64_t
 *     %s               a string                                  %%    a percent sign
 * A line that ends with { opens a block, one that starts with } closes it. */
void wg_c_line(wg_c_writer *c, const char *format, ...);

/* wg_c_element: the element of y, or of an operand, at an index. */
wg_text wg_c_element(const wg_c_writer *c, const wg_tensor *x, const char *index);

/* wg_c_text_of: a part of a line, an index say, printed as by printf. One that does not fit is
 * WG_E_VALUE on the tape: cut off, it would be other C. */
wg_text wg_c_text_of(const wg_c_writer *c, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* ---- Loops ----------------------------------------------------------------------------------- */

enum { WG_C_ARRAYS = 96 };

/* Loops inside one another, and how each of some arrays is walked by them. Axes of size 1 have no
 * loop, and those that all arrays walk as one are one. */
struct wg_c_nest {
    int n_loops, n_arrays;
    int first; /* number of the outermost loop's variable, once it is open */
    int64_t size[WG_MAX_DIMS];
    int64_t start[WG_C_ARRAYS]; /* elements before the first */
    int64_t stride[WG_C_ARRAYS][WG_MAX_DIMS];
};

/* wg_c_nest_init: no loops, n arrays.  wg_c_nest_add: a loop inside those that there are; array k
 * goes stride[k] elements on with each turn. */
void wg_c_nest_init(wg_c_nest *nest, int n_arrays);
void wg_c_nest_add(wg_c_nest *nest, int64_t size, const int64_t *stride);

/* wg_c_each: over all of y's elements; the one array is y.
 * wg_c_rows: `rows` over the axes of the shape that are not in `axes`, `along` over those that are.
 * Arrays
 *   of `rows`: 0 the shape's, 1 one with an element a row. Of `along`: 0 the same, 1 a row on its
 *   own. */
void wg_c_each(wg_c_nest *nest, int64_t n);
void wg_c_rows(wg_c_nest *rows, wg_c_nest *along, const wg_shape *shape, uint32_t axes);

/* wg_c_open, wg_c_close: the loops, or a mere block where there is none; loops are closed in
 * reverse order.
 * wg_c_open_one, wg_c_close_one: the same without braces, for a body of one statement. */
void wg_c_open(wg_c_writer *c, wg_c_nest *nest);
void wg_c_close(wg_c_writer *c, const wg_c_nest *nest);
void wg_c_open_one(wg_c_writer *c, wg_c_nest *nest);
void wg_c_close_one(wg_c_writer *c, const wg_c_nest *nest);

/* wg_c_at: "i * 10 + j", where array k is in these loops; inner NULL: there are no more. */
wg_text wg_c_at(const wg_c_nest *outer, const wg_c_nest *inner, int k);

/* wg_c_inside: the loops of `inner`, opened right inside those of `outer`, and these, as one. */
wg_c_nest wg_c_inside(const wg_c_nest *outer, const wg_c_nest *inner);

/* wg_c_sum: sum += operand k at the index, both of y's type; i64 wraps around, by unsigned numbers.
 * wg_c_fill: y = the value, all of it, truncated where y is i64.
 * wg_c_strided: loops over dim[ndim] that walk two arrays, y and another, with these strides.
 * wg_c_copy: y = x, both walked by the nest, as arrays 0 and 1. */
void wg_c_sum(wg_c_writer *c, const char *sum, int k, const char *index);
void wg_c_fill(wg_c_writer *c, double value);
void wg_c_strided(wg_c_nest *nest, int ndim, const int64_t *dim, const int64_t *to,
                  const int64_t *from);
void wg_c_copy(wg_c_writer *c, wg_c_nest *nest, const wg_tensor *x);

/* wg_c_i64_limit: 2^63 as a constant of a float type: all i64 are below; 2^31 where they have 32
 * bits. */
wg_text wg_c_i64_limit(const wg_c_writer *c, wg_dtype dtype);

/* wg_c_identifier: a name for C made of any text: letters, digits, _; no keyword, macro, or
 * function of libm. The result is cut to fit. What is written for a file "my model.c" begins with
 * "my_model_". */
wg_text wg_c_identifier(const char *name);

/* ---- What functions share -------------------------------------------------------------------- */

/* wg_c_check: leave the function where an element of an i64 tensor is outside 0..n-1, and is not
 * *except (NULL: there is none). Left out where an earlier check of x has said as much. */
void wg_c_check(wg_c_writer *c, const wg_tensor *x, int64_t n, const int64_t *except);

/* wg_c_helper: write a static function before all others, once; in the text @ stands for "NAME__",
 * which no tensor's name begins with. Returns its full name. Two texts of one name are an error,
 * WG_E_VALUE: what differs by type is "shift" and "shiftf". */
wg_text wg_c_helper(wg_c_writer *c, const char *name, const char *text);

#ifdef __cplusplus
}
#endif
#endif
