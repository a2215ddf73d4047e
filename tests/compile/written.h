/* Programs written as C, compiled together, loaded and run beside the library. */
#ifndef WGT_COMPILE_WRITTEN_H
#define WGT_COMPILE_WRITTEN_H

#include "autograd/compile/write.h"

/* gcc and clang where they are, else a message. What is large is given to one of them, unless the
 * environment has WGT_EVERY_COMPILER. */
enum { WGT_COMPILERS = 2 };
extern const char *const wgt_compilers[WGT_COMPILERS];

typedef struct wgt_written wgt_written;

/* wgt_written_new: none so far.  wgt_written_free. */
wgt_written *wgt_written_new(void);
void wgt_written_free(wgt_written *w);

/* wgt_written_add_updates: the same with updates; every run goes on from the state that the last
 * one left. */
int wgt_written_add_updates(wgt_written *w, const wg_program *p, const wg_c_update *updates, int n);

/* wgt_written_add: write the program, with its parameters in NAME_state; an error fails the test.
 * Returns its number. */
int wgt_written_add(wgt_written *w, const wg_program *p, bool int32);

/* wgt_written_compile: by `compiler`, with all that it warns of as errors, and load it. False:
 * there is no such compiler here, or what it makes cannot be loaded (a cross build). Errors of the
 * compiler fail the test. */
bool wgt_written_compile(wgt_written *w, const char *compiler);

/* wgt_written_run: run number i on the inputs, the bytes of its struct, or NULL; *out: the bytes of
 * its outputs, good until the next run of it. Returns what the function returns. */
int wgt_written_run(const wgt_written *w, int i, const void *in, const void **out);

/* wgt_written_text: the source of number i. */
const char *wgt_written_text(const wgt_written *w);

/* wgt_written_output: where the next output of this dtype and size begins in the outputs' bytes;
 * *offset goes on behind it. */
const void *wgt_written_output(const void *out, size_t *offset, wg_dtype dtype, int64_t size);

/* wgt_has_compiler: does a command of this name compile here? */
bool wgt_has_compiler(const char *compiler);

#endif
