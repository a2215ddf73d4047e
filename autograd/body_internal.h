#ifndef WG_AUTOGRAD_BODY_INTERNAL_H
#define WG_AUTOGRAD_BODY_INTERNAL_H

#include "autograd/tape_internal.h"

/* A body is a tape of its own that stands for a function: what an op runs many times. On the tape
 * that owns it, it is a leaf (wg_op_body), operand of the ops that run it, which identifies it by a
 * hash of what it computes, and lives in that tape's memory: rewinding drops it, and copies of the
 * tape have a copy.
 *
 * Its first nodes are its inputs, which have shapes and no values; its last ones are its outputs,
 * each of one dimension: wg_reshape's view of what was given. It is never written again. */

/* wg_body_new: an empty tape to record a body of t's on. The caller frees it. Never NULL. */
wg_tape *wg_body_new(wg_tape *t);

/* wg_body_end: the leaf of t that stands for what was recorded on `body`: outputs as a function of
 * inputs, and what neither needs left out. `flat` makes a tensor one of one dimension. Errors,
 * those of the body among them, are recorded on t in the name of `who`. */
wg_tensor *wg_body_end(wg_tape *t, const char *who, const wg_tape *body, wg_tensor *const inputs[],
                       int n_inputs, wg_tensor *const outputs[], int n_outputs,
                       wg_tensor *(*flat)(wg_tensor *));

/* wg_body_of: what a leaf stands for. */
const wg_tape *wg_body_of(const wg_tensor *leaf);

/* wg_body_within: an empty body in t's memory; NULL: an error was recorded on t.
 * wg_body_settle: its leaf, when it has all its nodes; its error becomes t's, in the name of `who`
 * (NULL: of nobody). */
wg_tape *wg_body_within(wg_tape *t);
wg_tensor *wg_body_settle(wg_tape *t, const char *who, wg_tape *body);

/* What a body holds while its inputs move, as nodes do (wg_is_discrete, WG_OP_DETACHED): its values
 * in each step are a row of one more operand.
 *   size     elements of a row; 0: nothing is held. discrete: what is detached does not count, and
 *            does not move. Scratch is t's.
 *   record   the rows, in one dimension, that y's op gives on t for these operands (the first does
 *            not matter) in this dtype
 *   body     the leaf on t of a body that is given its row
 *   apply    y's op on it, on these operands and on the rows (steps, size)
 * and, to look at the ops in the body,
 *   step     records these on t, an empty tape, at the values of a step; `before` has those of the
 *            step before, or is NULL where this is the first. False: there is no such step. */
struct wg_op_holds {
    int64_t (*size)(wg_tape *t, const wg_tensor *y, bool discrete);
    wg_tensor *(*record)(wg_tape *t, const wg_tensor *y, wg_tensor *const operand[], wg_dtype dtype,
                         bool discrete);
    wg_tensor *(*body)(wg_tape *t, const wg_tensor *y, wg_dtype dtype);
    wg_tensor *(*apply)(const wg_tensor *y, wg_tensor *const operand[], wg_tensor *leaf,
                        wg_tensor *rows);
    bool (*step)(const wg_tensor *y, int64_t step, const wg_tape *before, wg_tape *t);
};

/* wg_body_holds: does x hold anything of its body while that moves? */
bool wg_body_holds(const wg_tensor *x);

#endif
