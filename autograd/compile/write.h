#ifndef WG_AUTOGRAD_COMPILE_WRITE_H
#define WG_AUTOGRAD_COMPILE_WRITE_H

#include "autograd/compile/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A parameter that takes the value of an output at the end of a run: w <- w - rate * g, recorded as
 * ops. Outputs are made of the values from before the run. An output goes to one parameter. */
typedef struct wg_c_update {
    const wg_tensor *param;
    int output; /* of the parameter's dtype and shape */
} wg_c_update;

/* An input that one-hot encodes columns of strings: NAME_inputs has a string a column instead, and
 * NAME_run makes the input's elements: 1 where the string is the element's, else 0. */
typedef struct wg_c_strings {
    const wg_tensor *input; /* f32 or f64, start[columns] elements */
    int64_t columns;
    const int64_t *start;      /* [columns + 1], from 0: column j's elements are start[j] ... */
    const char *const *string; /* [start[columns]], that the elements stand for */
    bool ignore_unknown;       /* of a string that is none of its column's: default false:
                                    NAME_run returns 1; true: the column's elements are 0 */
} wg_c_strings;

typedef struct wg_c_options {
    const char *name;   /* of the functions and types, made an identifier; default "model" */
    const char *header; /* file name of the header, for the source's #include; default NAME.h */
    const wg_c_update *updates; /* [n_updates]; default none */
    int n_updates;              /* >= 0 */
    bool state;                 /* default false: without updates parameters are constants of the
                                 file; true: they are in NAME_state */
    const char *const *names; /* strings that the file has as NAME_names, NULL behind the last: the
                                 names of classes; default NULL: none */
    const wg_c_strings *strings; /* default NULL: none */
    const char *about;           /* lines that end the header's first comment; default NULL: none */
    bool int32;                  /* default false: i64 is int64_t; true: int32_t */
} wg_c_options;

/* A program as C99. Both texts lie on the program's tape. */
typedef struct wg_c_file {
    const char *source, *header;
} wg_c_file;

/* wg_program_to_c: the program as one C file that needs no library, no memory but what its caller
 * gives it, and of the standard headers <math.h>, <stdint.h> and <string.h> alone:
 *
 *     int NAME_run(const NAME_inputs *in, NAME_state *state, NAME_outputs *out, NAME_work *work);
 *     void NAME_init(NAME_state *state);
 *
 * in     the program's inputs: those of one element by value, others as pointers to dense row-major
 *        arrays
 * state  with updates, or where it is asked for: all parameters that the program reads or updates,
 *        owned by the caller; NAME_init gives them the values that they have now. Else they are
 *        constants of the file.
 * out    the outputs, but for those that are updates
 * work   values on the way; nothing is kept in it between runs. sizeof(NAME_work) bytes
 *
 * A struct that would be empty is left out, of the arguments, too. NAME_run returns 0, or 1 where
 * an index or label is out of range, or a string is not known; then nothing that it was to compute
 * is of use, and parameters may be updated in part. A file of f32 values has no double in it. Where
 * memory of i64 is 32 bits, constants must fit. `source` includes the header by its name. The same
 * program gives the same bytes. Sums are added in order: results are those of the program up to
 * rounding.
 * Errors, on the tape: WG_E_NULL, WG_E_VALUE (a header's name with a quote, backslash, line end or
 * two question marks, or that of a header of C's, such as math.h; strings of an input that the
 * program does not have; updates that do not fit, or of parameters that are to take one another's
 * values in a circle, unless these are copied; an op that cannot write itself: its name; a constant
 * that 32 bits do not hold), WG_E_NOMEM. Then
 * texts are "". */
wg_status wg_program_to_c(const wg_program *program, const wg_c_options *options, wg_c_file *file);

#ifdef __cplusplus
}
#endif
#endif
