#ifndef WG_MODELS_FILES_READER_INTERNAL_H
#define WG_MODELS_FILES_READER_INTERNAL_H

#include "autograd/tape.h"

/* The one way in which bytes of a file come into the library. A reader knows how many bytes the file
 * still holds, so that a format can compare a declared size with them before it allocates.
 * All functions record WG_E_IO on the tape, naming the file and the reason, and return false. */
typedef struct wg_reader {
    wg_tape *tape;
    const char *path;  /* the caller's; must outlive the reader */
    int file;          /* descriptor; -1: closed */
    int64_t left;      /* bytes between here and the end that the file had when it was opened */
    char *memory, *at; /* of a pipe: all of its bytes, and those that are left; else NULL */
} wg_reader;

/* wg_reader_open: opens a regular file, a pipe or, as "-", the standard input; directories and devices
 * are refused. After false there is nothing to close. */
bool wg_reader_open(wg_reader *reader, wg_tape *t, const char *path);

/* wg_reader_take: the next `size` bytes, exactly; more than are left is an error and reads nothing. */
bool wg_reader_take(wg_reader *reader, void *bytes, int64_t size);

/* wg_reader_skip: the same, and the bytes are of no use. */
bool wg_reader_skip(wg_reader *reader, int64_t size);

/* wg_reader_close: may be called twice. */
void wg_reader_close(wg_reader *reader);

/* wg_reader_refuses: is a file that begins with these bytes a compressed one? Then WG_E_FORMAT, which
 * names what packed it and the cure. */
bool wg_reader_refuses(wg_tape *t, const char *path, const void *bytes, int64_t size);

/* wg_reader_text: a whole text in memory of the tape's allocator, with a NUL behind its last byte and
 * none before; the caller releases it. NULL after an error: WG_E_FORMAT, too, where it is no text. */
char *wg_reader_text(wg_tape *t, const char *path, int64_t *size);

#endif
