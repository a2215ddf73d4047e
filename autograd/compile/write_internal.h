#ifndef WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H
#define WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H

#include "autograd/compile/c_writer_internal.h"
#include "autograd/compile/program_internal.h"
#include "autograd/compile/write.h"

typedef struct wg_write_slot {
    const char *name; /* NULL: empty */
    int count;        /* how often it was wanted */
} wg_write_slot;

/* A call of a function that stands in statements. */
typedef struct wg_write_call {
    struct wg_write_call *next; /* in its slot */
    int64_t scope;              /* where it may be shared */
    const char *text;           /* "exp(-fabs(z))" */
    size_t length;
    const char *name; /* of the variable that has its value; NULL: none yet */
    int count;        /* how often it is made */
} wg_write_call;

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
    int64_t size[WG_DTYPES];   /* elements of NAME_work */
    wg_write_slot *slot;       /* [slots] all names that are given, so that none is given twice */
    wg_write_call **call;      /* [slots] */
    wg_c_text formula, shared; /* of the link that is being written */
    int64_t slots;             /* a power of two */
} wg_c_program;

/* wg_write_plan: steps, and where each value is. wg_write_name: "h", or "h_2" where it is given
 * already, on the tape's scratch. Both: an error is recorded where memory lacks. */
bool wg_write_plan(wg_c_program *w);
const char *wg_write_name(wg_c_program *w, const char *wanted);

/* wg_write_is_uniform: are all elements of x, which has a value, the same bits? */
bool wg_write_is_uniform(const wg_tensor *x);

/* Calls in statements of one scope: a loop's body, which is named by its step, or all of the
 * function outside of loops. First all of these are counted, then written.
 * wg_write_count_calls: those in a text of this type; returns how many of them are now known to be
 * shared; integers call nothing.
 * wg_write_share_calls: the text with a variable in the place of each shared call,
 * which is declared before where it is not yet. */
#define WG_WRITE_FUNCTION ((int64_t)-1)

int wg_write_count_calls(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *text);
void wg_write_share_calls(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *text,
                          wg_c_text *to);

/* wg_write_field: "w" of "state->w".
 * wg_write_count_step: count the calls of a step outside of loops.
 * wg_write_step: the statements of a step. */
const char *wg_write_field(const char *name);
void wg_write_count_step(wg_c_program *w, int64_t step);
void wg_write_step(wg_c_program *w, int64_t step);

/* wg_write_in_state: is x a parameter in NAME_state? */
bool wg_write_in_state(const wg_c_program *w, const wg_tensor *x);

#endif
