#ifndef WG_MODELS_FILES_WRITER_INTERNAL_H
#define WG_MODELS_FILES_WRITER_INTERNAL_H

#include "autograd/tape.h"

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

/* The one way in which bytes leave the library for a file that is to last. They go to a temporary file
 * beside the destination, which is synced and then renamed over it: whenever the process or the machine
 * stops, the destination is what it was or what it was to become, entirely. A process that is killed may
 * leave the temporary file behind, which a later save removes; a failure does not.
 *
 * The first error is recorded on the tape, naming the file and the reason; what follows it does
 * nothing, so that writing needs one check, that of wg_writer_close. */

/* What the writer asks of the system, in the forms of POSIX. Tests put calls in place that fail or do
 * not return. */
typedef struct wg_writer_calls {
    int (*open)(const char *path, int flags, mode_t mode, void *user);
    ssize_t (*write)(int file, const void *bytes, size_t size, void *user);
    int (*sync)(int file, void *user);
    int (*close)(int file, void *user);
    int (*rename)(const char *from, const char *to, void *user);
    int (*remove)(const char *path, void *user);
    void *user;
} wg_writer_calls;

#define WG_WRITER_BUFFER 8192

typedef struct wg_writer {
    wg_tape *tape;
    const char *path; /* as the caller gave it, for messages; must outlive the writer */
    wg_writer_calls calls;
    int file; /* descriptor of the temporary file; -1: none is open */
    bool failed, counting;
    int64_t counted;
    uint32_t sum;          /* of what is counted */
    size_t used;           /* bytes of `buffer` */
    char target[PATH_MAX]; /* the destination, symbolic links followed */
    char temporary[PATH_MAX];
    char buffer[WG_WRITER_BUFFER];
} wg_writer;

/* wg_writer_open: begins the temporary file; calls NULL: the system's. A destination that is no regular
 * file is refused; one that there is lends the new file its permissions. False after an error, on the
 * tape, or where the tape had one already; then there is nothing to close. */
bool wg_writer_open(wg_writer *w, wg_tape *t, const char *path, const wg_writer_calls *calls);

/* wg_writer_put: appends bytes. wg_writer_text: appends a string without its NUL. */
void wg_writer_put(wg_writer *w, const void *bytes, size_t size);
void wg_writer_text(wg_writer *w, const char *text);

/* wg_writer_count: from true on, what is put is counted and not written; false ends that, and returns the
 * bytes counted. For formats that write a length before what it is the length of. */
int64_t wg_writer_count(wg_writer *w, bool on);

/* wg_writer_sum: the CRC-32 of the bytes counted so far, as zip has it. */
uint32_t wg_writer_sum(const wg_writer *w);

/* wg_writer_close: flushes, syncs, renames, syncs the directory. Returns the tape's status. After an
 * error the destination is what it was; but for one case, which the message tells: that only the
 * directory could not be synced. */
wg_status wg_writer_close(wg_writer *w);

/* wg_writer_abandon: removes the temporary file; the destination is what it was. */
void wg_writer_abandon(wg_writer *w);

#endif
