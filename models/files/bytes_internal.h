#ifndef WG_MODELS_FILES_BYTES_INTERNAL_H
#define WG_MODELS_FILES_BYTES_INTERNAL_H

/* What all formats are read and written with: bytes, arrays of numbers, text, JSON. */

#include "autograd/tape.h"
#include "models/files/platform_internal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* ---- Text from files. ------------------------------------------------------------------------ */

#define WG_SHOWN 48 /* bytes of what a file holds that an error shows, NUL included */

/* wg_shown: `size` bytes as a message may show them: cut, without control characters. Returns
 * shown. */
const char *wg_shown(const char *text, size_t size, char shown[WG_SHOWN]);

/* wg_utf8_invalid: the first byte that is not part of valid UTF-8 (overlong forms, surrogates and
 * what is above U+10FFFF are not), or size where all are. */
size_t wg_utf8_invalid(const char *bytes, size_t size);

/* wg_foreign: what a file that begins with these bytes is, and what helps, "a gzip file: gunzip -c
 * FILE.gz > FILE, or into a pipe"; NULL where that is not known. */
const char *wg_foreign(const void *bytes, size_t size);

/* ---- Numbers. -------------------------------------------------------------------------------- */

typedef enum wg_number_kind {
    WG_NUMBER_NONE,     /* the text is no number */
    WG_NUMBER_FINITE,   /* correctly rounded; what is too small to be told from zero is zero */
    WG_NUMBER_INFINITE, /* "inf" or "infinity", in any case, with or without a sign */
    WG_NUMBER_TOO_LARGE /* a decimal number beyond the largest double */
} wg_number_kind;

/* wg_number_read: reads a decimal number, [+-]digits[.digits][e[+-]digits] with a digit before or
 * after the point, which may have blanks around it and nothing else. Hexadecimal numbers and NaN
 * are no numbers here. *value is set where the kind is not NONE. */
wg_number_kind wg_number_read(const char *text, double *value);

/* wg_number_loses: is the text, of which wg_number_read made the value, an integer from 2^53 on
 * that the double is not? From 2^64 on every text of digits alone counts as one. */
bool wg_number_loses(const char *text, double value);

/* ---- Different texts. ------------------------------------------------------------------------ */

/* Different texts, numbered in the order in which they come. */
typedef struct wg_texts {
    wg_tape *tape;
    bool kept;         /* on the tape, longer than this lives */
    const char **text; /* [n] */
    int64_t n, capacity;
    int64_t *slot; /* [slots], a power of two: the tree of those whose hash leads here */
    int64_t slots;
    struct texts_fork *fork; /* [forks], of all trees */
    int64_t forks, fork_capacity;
    struct texts_block *block; /* the newest */
} wg_texts;

/* wg_texts_number: that of a text, which is copied where it is new; -1: no memory.
 * wg_texts_clear: all but what is kept. */
int64_t wg_texts_number(wg_texts *x, const char *text);
void wg_texts_clear(wg_texts *x);

#ifndef WG_NO_FILES

/* ---- Checksums. ------------------------------------------------------------------------------ */

/* The CRC-32 of bytes as they come. */
typedef struct wg_crc {
    uint32_t sum;
    uint32_t table[8][256]; /* what a byte does to the sum, k bytes on */
} wg_crc;

/* wg_crc_start: of no bytes. wg_crc_add: of `size` more. */
void wg_crc_start(wg_crc *c);
void wg_crc_add(wg_crc *c, const void *bytes, size_t size);

/* ---- Reading. -------------------------------------------------------------------------------- */

/* The one way in which bytes of a file come into the library. A reader knows how many bytes the
 * file still holds, so that a format can compare a declared size with them before it allocates.
 * All functions record WG_E_IO on the tape, naming the file and the reason, and return false. */
typedef struct wg_reader {
    wg_tape *tape;
    const char *path;    /* the caller's; must outlive the reader */
    int file;            /* descriptor; -1: closed */
    bool own;            /* which is open, and no standard input: it is closed in the end */
    int64_t left;        /* bytes between here and the end that the file had when it was opened */
    int64_t begin, size; /* where it was then, and what was left */
    char *memory, *at;   /* of a pipe: all of its bytes, and those that are left; else NULL */
    wg_crc *crc;         /* the caller's, to which what is taken is added; or NULL */
} wg_reader;

/* wg_reader_open: opens a regular file, a pipe or, as "-", the standard input; directories and
 * devices are refused. After false there is nothing to close. */
bool wg_reader_open(wg_reader *reader, wg_tape *t, const char *path);

/* wg_reader_take: the next `size` bytes, exactly; more than are left is an error and reads
 * nothing. */
bool wg_reader_take(wg_reader *reader, void *bytes, int64_t size);

/* wg_reader_skip: the same, and the bytes are of no use. */
bool wg_reader_skip(wg_reader *reader, int64_t size);

/* wg_reader_close: may be called twice. */
void wg_reader_close(wg_reader *reader);

/* wg_reader_refuses: is a file that begins with these bytes of a kind that is not read? Then
 * WG_E_FORMAT, which names the kind and the cure. */
bool wg_reader_refuses(wg_tape *t, const char *path, const void *bytes, int64_t size);

/* wg_reader_rewind: back to where it was opened. */
bool wg_reader_rewind(wg_reader *reader);

#define WG_BOM "\xEF\xBB\xBF" /* with which a text in UTF-8 may begin */

/* A text file as a window on it, which holds whole records and moves on: memory for a part of the
 * file is enough to read it all. */
typedef struct wg_window {
    wg_reader reader;
    int64_t size;     /* bytes of the file */
    bool quotes;      /* a line end between quotes ends no record */
    char separator;   /* behind which a quote opens; 0: not known yet */
    char *text, *end; /* the records; *end is NUL, and none is before it */
    char *memory;     /* [capacity], of which `held` bytes are of the file */
    char behind;      /* the byte that stood at end */
    int64_t capacity, held;
} wg_window;

/* wg_window_open: at the file's begin, with nothing in it. wg_window_close: may be called twice. */
bool wg_window_open(wg_window *w, wg_tape *t, const char *path);
void wg_window_close(wg_window *w);

/* wg_window_next: on to the records behind, which begin on that line; none (text == end) at the
 * file's end. What the window held is gone. False after an error, which is on the tape:
 * WG_E_FORMAT, too, where it is no text. wg_window_restart: back to the file's begin, with nothing
 * in it. */
bool wg_window_next(wg_window *w, int64_t line);
bool wg_window_restart(wg_window *w);

/* wg_window_place: how many bytes of the file are before w->text. */
int64_t wg_window_place(const wg_window *w);

/* ---- Writing. -------------------------------------------------------------------------------- */

/* The one way in which bytes leave the library for a file that is to last. They go to a temporary
 * file beside the destination, which is synced and then renamed over it: whenever the process or
 * the machine stops, the destination is what it was or what it was to become, entirely. A process
 * that is killed may leave the temporary file behind, which a later save removes; a failure does
 * not.
 *
 * The first error is recorded on the tape, naming the file and the reason; what follows it does
 * nothing, so that writing needs one check, that of wg_writer_close. */

#define WG_WRITER_BUFFER 8192

typedef struct wg_writer {
    wg_tape *tape;
    const char *path; /* as the caller gave it, for messages; must outlive the writer */
    int file;         /* descriptor of the temporary file; -1: none is open */
    bool failed, counting;
    int64_t counted;
    wg_crc *crc;           /* the caller's, to which what is counted is added; or NULL */
    size_t used;           /* bytes of `buffer` */
    char target[PATH_MAX]; /* the destination, symbolic links followed */
    char temporary[PATH_MAX];
    char buffer[WG_WRITER_BUFFER];
} wg_writer;

/* wg_writer_open: begins the temporary file. A destination that is no regular file is refused; one
 * that there is lends the new file its permissions. False after an error, on the tape, or where the
 * tape had one already; then there is nothing to close. */
bool wg_writer_open(wg_writer *w, wg_tape *t, const char *path);

/* wg_writer_put: appends bytes. wg_writer_text: appends a string without its NUL. */
void wg_writer_put(wg_writer *w, const void *bytes, size_t size);
void wg_writer_text(wg_writer *w, const char *text);

/* wg_writer_count: from true on, what is put is counted and not written; false ends that, and
 * returns the bytes counted. For formats that write a length before what it is the length of. */
int64_t wg_writer_count(wg_writer *w, bool on);

/* wg_writer_back: what is put from here on replaces what the file begins with. */
void wg_writer_back(wg_writer *w);

/* wg_writer_close: flushes, syncs, renames, syncs the directory. Returns the tape's status. After
 * an error the destination is what it was; but for one case, which the message tells: that only the
 * directory could not be synced. */
wg_status wg_writer_close(wg_writer *w);

/* wg_writer_abandon: removes the temporary file; the destination is what it was. */
void wg_writer_abandon(wg_writer *w);

/* ---- Arrays of numbers. ---------------------------------------------------------------------- */

/* Arrays of numbers as binary formats store them, whatever byte order the machine has. */

typedef enum wg_stored_kind {
    WG_STORED_SIGNED, /* two's complement */
    WG_STORED_UNSIGNED,
    WG_STORED_BOOL,  /* a byte, 0 or 1 */
    WG_STORED_FLOAT, /* IEEE 754; 2, 4 or 8 bytes */
    WG_STORED_BFLOAT /* the upper half of a float of 4 bytes */
} wg_stored_kind;

typedef struct wg_stored {
    wg_stored_kind kind;
    int64_t size; /* bytes: 1, 2, 4 or 8 */
    bool big;     /* the most significant byte comes first */
} wg_stored;

/* wg_elements_read: the rest of the file as a constant of the given shape and dtype; floats as f32
 * or f64, integers as i64 or, where every value is exact in them, f32 or f64. The rest must be as
 * long as the shape says, which is seen before anything is allocated. After an error, which is on
 * the tape with the file and the byte, the result is the inert tensor. `from`: where in the file
 * the array begins. */
wg_tensor *wg_elements_read(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from);

/* wg_elements_take: the next of them, without the look at the rest of the file; size bytes of it
 * are known to be there. */
wg_tensor *wg_elements_take(wg_reader *reader, wg_stored element, const wg_shape *shape,
                            wg_dtype dtype, int64_t from);

/* wg_elements_are_values: are their bytes those of elements of the dtype on this machine? */
bool wg_elements_are_values(wg_stored element, wg_dtype dtype);

/* wg_elements_decode: n of them that lie at `bytes`, to elements of the dtype. The first that is
 * none, or not exact in it; n where all are. */
int64_t wg_elements_decode(const void *bytes, int64_t n, wg_stored e, wg_dtype dtype, void *to);

/* wg_elements_from_fortran: puts values that were taken in Fortran order, the first index running
 * fastest, into C order. False without memory. */
bool wg_elements_from_fortran(wg_tensor *x);

/* wg_elements_bytes: bytes that the shape takes; -1 where they overflow. */
int64_t wg_elements_bytes(const wg_shape *shape, int64_t element_size);

/* wg_elements_write: a tensor's values, the least significant byte first. */
void wg_elements_write(wg_writer *w, const wg_tensor *x);

/* wg_elements_writable: has x a value that can be written to the file now? If not, an error is on
 * the tape: WG_E_NULL, WG_E_TAPE, WG_E_STALE, WG_E_VALUE (no value). */
bool wg_elements_writable(wg_tape *t, const char *path, const wg_tensor *x);

/* wg_little_u64: the number that 8 bytes are, the least significant first. */
uint64_t wg_little_u64(const unsigned char *bytes, int64_t size);

/* ---- JSON. ----------------------------------------------------------------------------------- */

/* A strict reader of JSON that its caller steps through: the caller says what it wants next, so
 * there is no tree, no recursion and no depth. Strings are decoded in place and live as long as the
 * text.
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

/* wg_json_open: reads '{' or '['. */
bool wg_json_open(wg_json *j, char bracket);

/* wg_json_next: steps over the comma before each element, from first = true on:
 *     while (wg_json_next(j, '}', &first, &more) && more) ...
 * more is false where the closing bracket was read, and true after an error; a comma before the
 * bracket is one. */
bool wg_json_next(wg_json *j, char close, bool *first, bool *more);

/* wg_json_string: a string, ended by NUL; one that holds \u0000 or half a surrogate pair is an
 * error.
 * wg_json_key: a string and the colon. */
bool wg_json_string(wg_json *j, char **text);
bool wg_json_key(wg_json *j, char **text);

/* wg_json_size: a number from 0 to INT64_MAX of digits alone. */
bool wg_json_size(wg_json *j, int64_t *value);

/* wg_json_end: nothing is left but white space. */
bool wg_json_end(wg_json *j);

/* wg_json_write: text as a string of JSON, with its quotes. */
void wg_json_write(wg_writer *w, const char *text);

#endif /* WG_NO_FILES */

#endif
