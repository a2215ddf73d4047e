#ifndef WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H
#define WG_AUTOGRAD_COMPILE_WRITE_INTERNAL_H

#include "autograd/compile/c_function_internal.h"
#include "autograd/compile/c_writer_internal.h"
#include "autograd/compile/program_internal.h"
#include "autograd/compile/write.h"

/* A name that is given. */
typedef struct wg_write_slot {
    struct wg_write_slot *next; /* in its slot */
    const char *name;
    int count; /* how often it was wanted */
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

/* A program that is being written as a function: NAME_run, or a body that a loop runs. Its values
 * are where the program's own memory plan does not have them: an output in its struct, or at its
 * argument; an updated parameter in its own place; one element in a variable. */
typedef struct wg_c_program {
    wg_c_writer c;
    const wg_program *p;
    wg_c_options options;
    wg_program_fact *fact; /* [n_nodes] */
    int64_t *step;         /* [n_steps] its last node */
    int64_t n_steps;
    const wg_tensor **update; /* [n_outputs] the leaf that takes the output; NULL: none */
    bool *direct;             /* [n_outputs] its step writes it where it belongs */
    const char **target;      /* [n_outputs] "out->loss", or of an argument; NULL: updates */
    wg_c_argument *argument;  /* [n_arguments] of a body's function; NULL: NAME_run */
    int n_arguments;
    const wg_tensor *strings;  /* the node of options.strings; NULL: none */
    const char *strings_field; /* of NAME_inputs, where its strings are */
    const char **loaded; /* [n_nodes] the variable that an element is loaded to; NULL: none yet */
    int64_t *place;      /* [n_nodes] in the workspace; -1: nowhere */
    const char *work[WG_DTYPES]; /* "work->f64", or of an argument */
    int64_t size[WG_DTYPES];     /* elements of the workspace */
    int64_t planned[WG_DTYPES];  /* those that have places */
    int64_t taken[WG_DTYPES];    /* behind them, by the step that is being written */
    wg_write_slot **slot;        /* [slots] all names that are given, so that none is given twice */
    wg_write_call **call;        /* [slots] */
    wg_c_text formula, shared;   /* of the link that is being written */
    int64_t slots;               /* a power of two */
} wg_c_program;

/* wg_write_plan: steps, and where each value is. wg_write_name: "h", or "h_2" where it is given
 * already, on the tape's scratch. wg_write_name_outside: "NAME_h", of what is outside functions.
 * An error is recorded where memory lacks. */
bool wg_write_plan(wg_c_program *w);
const char *wg_write_name(wg_c_program *w, const char *wanted);
const char *wg_write_name_outside(wg_c_program *w, const char *wanted);

/* wg_write_leaf_of: the program's copy of a parameter or input; NULL: it does not read it. */
const wg_tensor *wg_write_leaf_of(const wg_c_program *w, const wg_tensor *leaf);

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

/* wg_write_is_place: is it the name of memory, not of a variable: "out->loss", "y[0]"?
 * wg_write_field: "w" of "state->w".
 * wg_write_count_step: count the calls of a step outside of loops.
 * wg_write_step: the statements of a step. */
bool wg_write_is_place(const char *name);
const char *wg_write_field(const char *name);
void wg_write_count_step(wg_c_program *w, int64_t step);
void wg_write_step(wg_c_program *w, int64_t step);

/* wg_write_statements: all that the function does, to the body's text, and the tables of its
 * constants.  wg_write_table: one.  wg_write_is_constant: is node i one?
 * wg_write_index_type: of what a program's loops count with.
 * wg_write_mentions: does a text of statements have this word, or the word before "->" or "["? */
void wg_write_statements(wg_c_program *w);
void wg_write_table(const wg_c_program *w, const wg_tensor *x, const char *name);
bool wg_write_is_constant(const wg_c_program *w, int64_t i);
const char *wg_write_index_type(const wg_program *p);
bool wg_write_mentions(const char *text, const char *word);

/* wg_write_in_state: is x a parameter in NAME_state? */
bool wg_write_in_state(const wg_c_program *w, const wg_tensor *x);

#endif
