#ifndef WG_OPS_INDEX_INTERNAL_H
#define WG_OPS_INDEX_INTERNAL_H

#include "autograd/compile/c_writer.h"
#include "ops/index.h"

/* wg_index_in_range: are all values of an i64 operand in 0..n-1?
 * wg_index_is_i64: is an operand of that dtype? If not, both fail for the op that makes y. */
bool wg_index_in_range(const wg_tensor *y, int operand, int64_t n, const char *what);
bool wg_index_is_i64(const wg_tensor *y, int operand);

/* wg_index_table_at: "label[i] * 10 + j": the element of a table that an index and its place in the
 * row say. */
wg_text wg_index_table_at(const wg_c_writer *c, const wg_tensor *index, const char *at,
                          int64_t stride, const char *place);

#endif
