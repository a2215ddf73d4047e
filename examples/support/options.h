#ifndef EXAMPLES_OPTIONS_H
#define EXAMPLES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* A program's command line as a table, from which it is read and --help is printed. */

typedef enum option_kind {
    OPTION_FLAG,   /* bool: true where it is given */
    OPTION_TEXT,   /* const char * */
    OPTION_CHAR,   /* char: a text of one, or `tab` */
    OPTION_CHOICE, /* const char *, one of those that `value` names, with bars between them */
    OPTION_REAL,   /* double from low to high */
    OPTION_WHOLE,  /* int64_t from low to high */
    OPTION_WHOLES, /* option_list of numbers from low to high, with commas between them */
    OPTION_REALS,  /* likewise */
    OPTION_TEXTS   /* option_list of texts, likewise */
} option_kind;

enum { OPTION_MOST = 64 };

typedef struct option_list {
    int n;
    int64_t number[OPTION_MOST];
    double real[OPTION_MOST];
    const char *text[OPTION_MOST + 2]; /* [n], and NULL; there is room for one more */
} option_list;

typedef struct option {
    const char *name, *value; /* "--rate", "R"; a flag has no value */
    option_kind kind;
    void *to;         /* left as it is where the option is not given */
    double low, high; /* both within 2^53 for whole numbers */
    const char *help;
} option;

typedef struct command {
    const char *operands; /* "MODEL DATA": as many words as there are operands */
    const char *about;    /* a line or more for --help */
    const option *options;
    int n_options;
} command;

/* options_read: reads `--name value`, `--name=value`, --help, --version, and the operands, all of which must be there, in any
 * order; after `--` all are operands. Returns -1 to go on, or the exit status: 0 after --help and --version, which are printed on
 * standard output, 2 after a line on standard error that says what is wrong. Lists of texts are cut in argv. */
int options_read(const command *c, int argc, char **argv, const char **operand);

/* options_program: what this program was called by, without folders, once options_read or options_called knows.
 * options_called: for programs that read their options themselves. */
const char *options_program(void);
void options_called(const char *by);

/* options_complain: a line on standard error, "train: " and what the format says, a message as wg_fail would record it:
 * without control characters, and with the middle left out where it is very long. */
#ifdef __GNUC__
__attribute__((format(printf, 1, 2)))
#endif
void options_complain(const char *format, ...);

/* options_fail: the same line for what only the program can know; returns 2. */
int options_fail(const char *what, const char *which);

/* options_same_file: are both one path, or two of one file? */
bool options_same_file(const char *a, const char *b);

/* options_writable: whether the file can be written, so far as that can be told without touching it: it is a file
 * that may be written, or its directory is there and may be, and it is not the file of data; prints why not.
 * path NULL: true; data NULL: none. */
bool options_writable(const char *path, const char *data);

/* options_writable_beside: the same beside another file that is read: "the model". */
bool options_writable_beside(const char *path, const char *read, const char *what);

/* options_finish: whether all of standard output was written; prints why not. */
bool options_finish(void);

#endif
