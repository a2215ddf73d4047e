#ifndef WG_AUTOGRAD_C_FUNCTION_INTERNAL_H
#define WG_AUTOGRAD_C_FUNCTION_INTERNAL_H

#include "autograd/compile/c_writer.h"
#include "autograd/compile/program_internal.h"

/* With these an op that runs a body writes it as C: a static function before all that calls it.
 * Arrays are given by their addresses, an element that is only read by its value. */

/* An argument: what the body reads, what it writes, or both: the output goes where the input is. */
typedef struct wg_c_argument {
    const char *name;       /* wanted; then the one that it has */
    const wg_tensor *input; /* as it was recorded; NULL: nothing is read here */
    int output;             /* of the program; -1: nothing is written here */
    bool used;              /* written: there is such an argument */
} wg_c_argument;

typedef struct wg_c_function {
    struct wg_c_function *next;
    uint64_t key; /* what it computes: bodies of one key share a function */
    const char *name;
    bool empty;                    /* it would do nothing, and was not written */
    bool fails;                    /* it returns 1 where an index is out of range */
    const wg_c_argument *argument; /* [n_arguments] */
    int n_arguments;
    int64_t room[WG_DTYPES]; /* elements of its workspace */
} wg_c_function;

/* wg_c_function_find: the function with this key; NULL: there is none yet.
 * wg_c_function_write: write the program as one. All its inputs and outputs are arguments, which
 * lie in the tape's scratch, as do their names. NULL: an error was recorded. */
const wg_c_function *wg_c_function_find(const wg_c_writer *c, uint64_t key);
const wg_c_function *wg_c_function_write(wg_c_writer *c, uint64_t key, const wg_program *p,
                                         wg_c_argument *argument, int n);

/* wg_c_call: a call of the function, inside a loop or not; given[i], for argument i: an address, or
 * a value. It returns where the function fails. */
void wg_c_call(wg_c_writer *c, const wg_c_function *f, const wg_text given[], bool in_loop);

/* wg_c_address: of the element at an index.
 * wg_c_spread: the address of n elements that have x's value, which is a constant's and the same
 * everywhere, in the workspace: no such array is in the file. wg_c_is_spread: is x so? */
wg_text wg_c_address(const wg_c_writer *c, const wg_tensor *x, const char *index);
bool wg_c_is_spread(const wg_c_writer *c, const wg_tensor *x);
wg_text wg_c_spread(wg_c_writer *c, const wg_tensor *x, int64_t n);

/* wg_c_counter: the type of a variable that counts to n. */
const char *wg_c_counter(const wg_c_writer *c, int64_t n);

#endif
