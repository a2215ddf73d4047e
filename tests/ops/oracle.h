/* The case language of tests/oracle/cases.txt: what another library says to graphs of our ops.
 * tests/oracle/make_oracle.py writes the file and tells what its lines mean. */
#ifndef WGT_OPS_ORACLE_H
#define WGT_OPS_ORACLE_H

#include "autograd/tensor.h"

/* A line "KIND [NAME] [INTEGERS] [: NUMBERS]"; comments and empty lines are left out. */
typedef struct wgt_line {
    const char *kind;
    const char *name; /* of a case, of an op; else "" */
    int64_t *integer; /* [n_integers]: a shape, or operands */
    double *number;   /* [n_numbers] */
    int n_integers, n_numbers;
    int place; /* in the file, from 1 */
} wgt_line;

typedef struct wgt_cases {
    wgt_line *line; /* [n] */
    int n;
    char *text;
    int64_t *integers;
    double *numbers;
} wgt_cases;

/* Reads the file; what cannot be read fails the running test. */
wgt_cases wgt_cases_read(const char *path);
void wgt_cases_free(wgt_cases *cases);

/* The line behind a case that starts at line `at`: the next "case" line, or cases->n. */
int wgt_case_end(const wgt_cases *cases, int at);

bool wgt_line_is(const wgt_line *line, const char *kind);

/* Records the op of an "op" line on node[operands]; NULL where the language has no such op. */
wg_tensor *wgt_case_op(const wgt_line *line, wg_tensor *const node[]);

#endif
