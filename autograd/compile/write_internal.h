#ifndef WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H
#define WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H

#include "autograd/compile/c_writer_internal.h"
#include "autograd/compile/program_internal.h"
#include "autograd/compile/write.h"

typedef struct wg_write_slot {
    const char *name; /* NULL: empty */
    int count;        /* how often it was wanted */
} wg_write_slot;

/* A program that is being written. Its values are where the program's own memory plan does not have
 * them: an output in its struct, an updated parameter in its own place, one element
 * in a variable. */
typedef struct wg_c_program {
    wg_c_writer c;
    const wg_program *p;
    wg_c_options options;
    wg_program_fact *fact; /* [n_nodes] */
    int64_t *step;         /* [n_steps] its last node */
    int64_t n_steps;
    const wg_tensor **update;  /* [n_outputs] the leaf that takes the output; NULL: none */
    bool *direct;              /* [n_outputs] its step writes it where it belongs */
    const char **field;        /* [n_outputs] of NAME_outputs; NULL: none */
    const wg_tensor *strings;  /* the node of options.strings; NULL: none */
    const char *strings_field; /* of NAME_inputs, where its strings are */
    const char **loaded; /* [n_nodes] the variable that an element is loaded to; NULL: none yet */
    int64_t *place;      /* [n_nodes] in NAME_work; -1: nowhere */
    int64_t size[WG_DTYPES]; /* elements of NAME_work */
    wg_write_slot *slot;     /* [slots] all names that are given, so that none is given twice */
    int64_t slots;           /* a power of two */
} wg_c_program;

/* wg_write_plan: steps, and where each value is. wg_write_name: "h", or "h_2" where it is given
 * already, on the tape's scratch. Both: an error is recorded where memory lacks. */
bool wg_write_plan(wg_c_program *w);
const char *wg_write_name(wg_c_program *w, const char *wanted);

/* wg_write_is_uniform: are all elements of x, which has a value, the same bits? */
bool wg_write_is_uniform(const wg_tensor *x);

/* wg_write_field: "w" of "state->w".  wg_write_step: the statements of a step. */
const char *wg_write_field(const char *name);
void wg_write_step(wg_c_program *w, int64_t step);

/* wg_write_in_state: is x a parameter in NAME_state? */
bool wg_write_in_state(const wg_c_program *w, const wg_tensor *x);

#endif
