#ifndef WG_MODELS_FILES_TEXT_INTERNAL_H
#define WG_MODELS_FILES_TEXT_INTERNAL_H

#include "models/files/bytes_internal.h"

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- Text from files. ------------------------------------------------------------------------------ */

#define WG_SHOWN 48 /* bytes of what a file holds that an error shows, NUL included */

/* wg_shown: `size` bytes as a message may show them: cut, without control characters. Returns shown. */
const char *wg_shown(const char *text, size_t size, char shown[WG_SHOWN]);

/* wg_utf8_invalid: the first byte that is not part of valid UTF-8 (overlong forms, surrogates and what
 * is above U+10FFFF are not), or size where all are. */
size_t wg_utf8_invalid(const char *bytes, size_t size);

/* wg_compressed: what a file that begins with these bytes was compressed or packed by, "gzip"; NULL
 * where that is not known. */
const char *wg_compressed(const void *bytes, size_t size);

/* ---- Numbers. -------------------------------------------------------------------------------------- */

/* Numbers in files are written with a point, whatever the user's locale says. strtod rounds correctly
 * but asks LC_NUMERIC for the decimal separator; so numbers are read between enter and leave, which
 * give the calling thread (and no other) the C locale. */
typedef struct wg_c_locale {
    locale_t c, before;
} wg_c_locale;

bool wg_c_locale_enter(wg_c_locale *locale); /* false: no memory, and nothing to leave */
void wg_c_locale_leave(wg_c_locale *locale);

typedef enum wg_number_kind {
    WG_NUMBER_NONE,     /* the text is no number */
    WG_NUMBER_FINITE,   /* correctly rounded; what is too small to be told from zero is zero */
    WG_NUMBER_INFINITE, /* "inf" or "infinity", in any case, with or without a sign */
    WG_NUMBER_TOO_LARGE /* a decimal number beyond the largest double */
} wg_number_kind;

/* wg_number_read: reads a decimal number, [+-]digits[.digits][e[+-]digits] with a digit before or
 * after the point, which may have blanks around it and nothing else. Hexadecimal numbers and NaN are
 * no numbers here. *value is set where the kind is not NONE. */
wg_number_kind wg_number_read(const char *text, double *value);

/* ---- JSON. ----------------------------------------------------------------------------------------- */

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
