#ifndef WG_MODELS_FILES_CACHE_INTERNAL_H
#define WG_MODELS_FILES_CACHE_INTERNAL_H

#include "models/files/archive.h"
#include "models/files/bytes_internal.h"
#include "models/files/npy_internal.h"

/* A cache of a text file: its rows as an array [n, width] of floats, an NPY file, and behind it an
 * archive that says what they are and what they were made of. */

enum { WG_CACHE_IDENTITY = 96, WG_CACHE_NAME = 48 };

/* How a kind of cache is read and made. */
typedef struct wg_cache_way {
    wg_tape *tape;
    const char *of, *path; /* the file, and its cache */
    char identity[WG_CACHE_IDENTITY];
    const char *made; /* why it was; NULL: it was there */
    void *user;

    /* *stale: the cache is of another identity, and nothing was kept of it. Errors are on the
     * tape. */
    void (*read)(void *user, const char *identity, bool *stale);
    bool (*make)(void *user, const char *identity);
} wg_cache_way;

/* wg_cache_use: reads the cache of a file, w, whose options have that hash, where it is there and
 * fits; else makes it first. Every rank of a tape is to call it, with fits = false after an error,
 * and closes what was read where the tape has one then. */
void wg_cache_use(wg_cache_way *way, bool fits, const wg_window *w, uint64_t options);

/* wg_cache_fail: records "cache: as a cache of file: the reason". Always false. */
bool wg_cache_fail(const wg_cache_way *way, const char *reason);

/* An open cache. */
typedef struct wg_cache_file {
    const wg_archive *archive;
    wg_npy_stream *rows;
    int64_t n, width;
} wg_cache_file;

/* wg_cache_open: of that format. After true, or an error behind it, the caller closes the rows.
 * *stale as above; an identity of NULL is anyone's. */
bool wg_cache_open(wg_cache_file *c, const wg_cache_way *way, const char *format,
                   const char *identity, bool *stale);

/* Lists of texts in the archive. wg_cache_texts: on the tape, NULL behind the last; NULL after an
 * error. */
void wg_cache_put_texts(wg_archive *a, const char *what, const char *const *text, int64_t n);
const char **wg_cache_texts(wg_tape *t, const wg_archive *a, const char *what, int64_t *n);

/* wg_cache_text: the text of a list that a number stands for. */
bool wg_cache_text(const wg_cache_way *way, double number, const char *const *list, int64_t n,
                   const char **text);

#endif
