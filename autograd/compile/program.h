#ifndef WG_AUTOGRAD_COMPILE_PROGRAM_H
#define WG_AUTOGRAD_COMPILE_PROGRAM_H

#include "autograd/tensor.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A program computes some tensors of a tape from its parameters and inputs, again and again. It is
 * made of the part of the tape that those tensors depend on: what nothing needs is dropped, what
 * depends on constants alone is taken as it is, memory is used again as soon as nothing reads it
 * any more, and chains of elementwise ops run tile by tile in cache. Results are the same bits as
 * those of wg_replay, but for the sign of a NaN.
 *
 *     wg_tensor *outputs[] = {loss, g_w, g_b};
 *     wg_program *step = wg_compile(outputs, 3, NULL);
 *     wg_tensor *grads[] = {wg_program_output(step, 1), wg_program_output(step, 2)};
 *     for (...) {
 *         wg_program_bind(step, X, rows);
 *         wg_program_run(step);
 *         wg_optimizer_step(sgd, grads);
 *     }
 *
 * A program lives on the tape: it goes when the tape is freed or rewound past it. */
typedef struct wg_program wg_program;

typedef struct wg_compile_options {
    /* Default false: a value's memory is used again once nothing reads it; true: every value has
     * memory of its own. */
    bool keep_buffers;
    /* Default false: the values inside a chain of elementwise ops are never stored; true: every op
     * stores its value. */
    bool keep_values;
} wg_compile_options;

/* wg_compile: a program for n tensors of one tape; options NULL: the defaults. It takes what memory
 * it needs from the tape now, and none later. The tape's parameters are shared: what an optimizer
 * writes is seen by the next run. Nothing is run. Never NULL: after an error, recorded on the tape,
 * the result is an inert program, whose runs do nothing. Errors: WG_E_NULL, WG_E_TAPE, WG_E_VALUE
 * (an output that depends on what never has a value: wg_abstract, wg_streamed), WG_E_NOMEM. n < 1,
 * which is inert, too, names no tape to record an error on. */
wg_program *wg_compile(wg_tensor *const outputs[], int n, const wg_compile_options *options);

/* wg_program_run: compute the outputs from the values that parameters and inputs have now.
 * Allocates nothing. Returns the tape's status; on one that has an error already it does nothing.
 * Errors: what ops find in their operands' values (WG_E_INDEX for a label), WG_E_NOT_FINITE on a
 * tape with check_finite. Outputs that are computed are then NaN (i64: INT64_MIN), and stale until
 * a run succeeds. An inert program: WG_E_NULL. */
wg_status wg_program_run(wg_program *program);

/* wg_program_bind: let the program read an input's values from other memory of the same shape and
 * dtype, without copying them. The tape's own input keeps what it has. An input that was never
 * given here follows wg_bind. Outputs are stale until the next run. An input that no output needs
 * is ignored.
 * Errors, on the tape: WG_E_VALUE (no input; an output of this program, or other memory that it
 * writes as it runs), WG_E_NULL, WG_E_TAPE. Returns the tape's status. */
wg_status wg_program_bind(wg_program *program, const wg_tensor *input, const void *data);

/* wg_program_output: output i as a tensor, for wg_item, wg_data_f32, wg_optimizer_step; the same
 * tensor after every run. It is a leaf of the tape: no gradient flows through it, and it is stale
 * where the program has not run since a parameter or input was written. Until the first run it has
 * the value that the tape computed. An i out of range: the inert tensor, and WG_E_INDEX on the
 * tape. */
wg_tensor *wg_program_output(const wg_program *program, int i);

/* wg_program_memory: bytes that the program holds for values: its outputs and what is computed on
 * the way. */
size_t wg_program_memory(const wg_program *program);

/* wg_program_steps: how many steps a run takes; a chain that runs tile by tile is one. */
int64_t wg_program_steps(const wg_program *program);

/* wg_program_print: the program as a table, a line a step, and what memory it takes.
 * Errors: WG_E_NULL, WG_E_IO where the stream reports one; they are returned, not recorded. */
wg_status wg_program_print(FILE *stream, const wg_program *program);

#ifdef __cplusplus
}
#endif
#endif
