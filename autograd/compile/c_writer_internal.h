#ifndef WG_AUTOGRAD_C_WRITER_INTERNAL_H
#define WG_AUTOGRAD_C_WRITER_INTERNAL_H

#include "autograd/compile/c_function_internal.h"
#include "autograd/tape_internal.h"

/* A text that grows. */
typedef struct wg_c_text {
    wg_tape *tape; /* whose scratch it grows in */
    char *s;       /* NUL-terminated; NULL: empty, or no memory */
    size_t size, room;
} wg_c_text;

void wg_c_add(wg_c_text *text, const char *s, size_t size);
void wg_c_print(wg_c_text *text, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* How a node's value is named in the file. */
typedef struct wg_c_value {
    const char *name;  /* of the array, or of the one element; NULL: it has none yet */
    const char *local; /* of its element inside an elementwise loop; NULL: none */
    int64_t offset;    /* of a view, in elements */
    bool single;       /* the name is that of an element */
    int64_t below;     /* its elements are known to be in 0..below-1; 0: nothing is known */
    bool excepted;     /* or to be `except` */
    int64_t except;
} wg_c_value;

/* What the functions of a file share. */
typedef struct wg_c_common {
    const char *prefix;             /* of all names that are seen outside functions */
    const char *i64;                /* the type that i64 becomes */
    wg_c_text helpers, tables;      /* functions and constants before NAME_run */
    struct wg_c_function *function; /* bodies that are written, the last one first */
    struct wg_c_program *run;       /* NAME_run, which gives names outside functions, too */
} wg_c_common;

struct wg_c_writer {
    wg_tape *tape;
    wg_c_common *common;
    const char *index;     /* the type of loop variables */
    const wg_tensor *node; /* the program's: value[i] names node[i] */
    wg_c_value *value;
    const wg_tensor *y; /* whose op is writing itself */
    wg_c_text body;
    int depth, n_loops;
};

/* wg_c_value_of: of a program's node. */
wg_c_value *wg_c_value_of(const wg_c_writer *c, const wg_tensor *x);

/* wg_c_i64_fits: can the file hold this i64, which is in x? False: an error was recorded. */
bool wg_c_i64_fits(const wg_c_writer *c, const wg_tensor *x, int64_t value);

const char *wg_c_type(const wg_c_writer *c, wg_dtype dtype);

/* wg_c_number: a constant of the dtype that is read back as exactly this value. */
wg_text wg_c_number(wg_dtype dtype, double value);
wg_text wg_c_integer(int64_t value);
wg_text wg_c_constant(const wg_tensor *x, int64_t i);

/* wg_c_is_own: does the text of a written function, or of an op in it, use this name itself? */
bool wg_c_is_own(const char *name);

/* wg_c_header_refused: why #include "NAME" is not to be written; NULL: it may be. */
const char *wg_c_header_refused(const char *name);

/* wg_c_formula: y = its op's formula, on elements that are given by name. False, and an error on
 * the tape, where the formula is no such expression.
 * wg_c_formula_uses: how often operand k occurs in it. */
bool wg_c_formula(wg_c_writer *c, const wg_tensor *y, const char *const element[], wg_c_text *text);
int wg_c_formula_uses(const wg_tensor *y, int k);

#endif
