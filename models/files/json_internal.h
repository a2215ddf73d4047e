#ifndef WG_MODELS_FILES_JSON_INTERNAL_H
#define WG_MODELS_FILES_JSON_INTERNAL_H

#include "models/files/writer_internal.h"

/* A strict reader of JSON that its caller steps through: the caller says what it wants next, so there is
 * no tree, no recursion and no depth. Strings are decoded in place and live as long as the text.
 * All functions record WG_E_FORMAT with file, byte, what was wanted and what was found, and return
 * false. Source: RFC 8259. */
typedef struct wg_json {
    wg_tape *tape;
    const char *path;
    char *text, *at, *end; /* *end is NUL and belongs to the caller's memory, too */
    int64_t from;          /* the byte of the file where the text begins */
} wg_json;

/* wg_json_init: at the text's begin; false where it is not UTF-8. */
bool wg_json_init(wg_json *j, wg_tape *t, const char *path, char *text, int64_t size, int64_t from);

/* wg_json_fail: records the error that `wanted` names, at the place where the reader is. */
bool wg_json_fail(const wg_json *j, const char *wanted);

/* wg_json_open: reads '{' or '['. wg_json_next: for (first = true; wg_json_next(j, '}', &first, &more)
 * && more;) steps over the comma before each element; more is false where the closing bracket was read.
 * A comma before it is an error. */
bool wg_json_open(wg_json *j, char bracket);
bool wg_json_next(wg_json *j, char close, bool *first, bool *more);

/* wg_json_string: a string, ended by NUL; one that holds \u0000 or half a surrogate pair is an error.
 * wg_json_key: a string and the colon. */
bool wg_json_string(wg_json *j, char **text);
bool wg_json_key(wg_json *j, char **text);

/* wg_json_size: a number from 0 to INT64_MAX of digits alone. */
bool wg_json_size(wg_json *j, int64_t *value);

/* wg_json_end: nothing is left but white space. */
bool wg_json_end(wg_json *j);

/* wg_json_write: text as a string of JSON, with its quotes. */
void wg_json_write(wg_writer *w, const char *text);

#endif
