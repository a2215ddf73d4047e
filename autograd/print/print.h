#ifndef WG_AUTOGRAD_PRINT_PRINT_H
#define WG_AUTOGRAD_PRINT_PRINT_H

#include "autograd/tape.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* wg_print: a tensor's values as NumPy prints an array: up to 8 digits behind the point, as many as
 * are needed; of more than 1000 elements three at each edge of an axis; "(stale)" behind values
 * that are. Errors, returned: WG_E_NULL (a tensor without values), WG_E_DTYPE (wide), WG_E_IO. */
wg_status wg_print(FILE *stream, const wg_tensor *x);

/* wg_wide_text: element i of a wide tensor with all its digits, "1.0000...e+0", in `text` of `size`
 * bytes, which it returns; "nan" where x is not wide or has no such element. */
char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size);

/* wg_wide_split: the same element as a double and, in *rest, what the double lacks. */
double wg_wide_split(const wg_tensor *x, int64_t i, double *rest);

/* wg_print_formula: what y is computed by, as mathematics: of a logistic regression's gradient
 * "t(X)·(sigmoid(X·w + b) - y)/300". Leaves by their names, or as "input#3"; · is the product of
 * numbers, of entries, and of matrices; numbers that multiply are brought together; changes of
 * shape alone are not told. A value that is used more than once, has a name, or is long has a line
 * of its own before. Other ops are called by name, attributes behind a semicolon. Of more than 20
 * terms or operands the first 20 are told.
 * Errors, returned: WG_E_NULL, WG_E_NOMEM, WG_E_IO. */
wg_status wg_print_formula(FILE *stream, const wg_tensor *y);

/* wg_tape_print: the tape as a table, a line a node: place, op, shape, dtype, operands, attributes,
 * and the value (all of it up to four elements). Nodes that are stale or have no value say so.
 * Errors: WG_E_NULL, WG_E_IO where the stream reports one; they are returned, not recorded. */
wg_status wg_tape_print(FILE *stream, const wg_tape *t);

/* wg_tape_dot: the tape as a graph for Graphviz (dot -Tsvg): leaves are boxes, parameters shaded,
 * an arrow from each operand to the node that reads it. With outputs (n > 0) only what they are
 * computed from. Errors: as wg_tape_print; WG_E_TAPE where an output is not of this tape. */
wg_status wg_tape_dot(FILE *stream, const wg_tape *t, wg_tensor *const outputs[], int n);

#ifdef __cplusplus
}
#endif
#endif
