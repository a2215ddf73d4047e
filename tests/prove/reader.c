/* For Frama-C's Eva: the bounded reader with any file or pipe of up to MOST bytes behind it: a read
 * gives any bytes, as many as were asked or fewer, or fails, and memory may be there or not. MOST
 * is small so that every way to read a file in pieces is gone through. */
#include "autograd/tape_internal.h"
#include "models/files/bytes_internal.h"

#include <__fc_builtin.h>
#include <errno.h>
#include <stdlib.h>

enum { MOST = 2 };

static wg_tape tape;
static int64_t given; /* bytes that were read */

/* ---- What stands below them. ----------------------------------------------------------------- */

wg_tensor *wg_fail(wg_tape *t, wg_status status, const char *format, ...)
{
    if (t->status == WG_OK)
        t->status = status;
    return &t->inert;
}

bool wg_tape_is_real(const wg_tape *t)
{
    return t != NULL;
}

void wg_read_waiting(int file)
{
}

const char *wg_foreign(const void *bytes, size_t size)
{
    return size > 1 && Frama_C_interval(0, 1) ? "a gzip file" : NULL;
}

static void *allocate(size_t size, void *user)
{
    return malloc(size);
}

static void *reallocate(void *memory, size_t size, void *user)
{
    return realloc(memory, size);
}

static void release(void *memory, void *user)
{
    free(memory);
}

int open(const char *path, int flags, ...)
{
    return Frama_C_interval(-1, 9);
}

int close(int file)
{
    return Frama_C_interval(-1, 0);
}

off_t lseek(int file, off_t by, int from)
{
    return given;
}

int fstat(int file, struct stat *about)
{
    about->st_mode = Frama_C_unsigned_int_interval(0, UINT_MAX);
    about->st_size = Frama_C_long_interval(0, MOST);
    //@ split about->st_size;
    return Frama_C_interval(-1, 0);
}

/* Interrupted calls are left out: they are asked again, and change nothing. */
ssize_t read(int file, void *bytes, size_t size)
{
    const long left = MOST - given;
    const ssize_t got = Frama_C_long_interval(-1, (long)size < left ? (long)size : left);
    //@ split got;
    given += got > 0 ? got : 0;
    //@ split given;
    for (ssize_t i = 0; i < got; i++)
        ((char *)bytes)[i] = (char)Frama_C_char_interval(CHAR_MIN, CHAR_MAX);
    errno = EIO;
    return got;
}

/* ---- What is asked of them. ------------------------------------------------------------------- */

/* What the reader thinks is left and what the file holds may differ: files shrink. */
static void take(void)
{
    char bytes[MOST];
    wg_reader r = {.tape = &tape, .path = "file", .file = 3};
    r.left = Frama_C_long_long_interval(0, MOST);
    const int64_t size = Frama_C_long_long_interval(-1, INT64_MAX);
    //@ split r.left;
    given = 0;
    wg_reader_take(&r, bytes, size);
    /*@ assert 0 <= r.left <= MOST; */
    wg_reader_close(&r);
}

/* All of it, twice where it can be. */
static void whole(void)
{
    char bytes[MOST + 1];
    wg_reader r;
    given = 0;
    if (!wg_reader_open(&r, &tape, Frama_C_interval(0, 1) ? "file" : "-"))
        return;
    if (r.left <= MOST && wg_reader_take(&r, bytes, r.left) && wg_reader_rewind(&r))
        wg_reader_refuses(&tape, "file", bytes, r.left);
    wg_reader_close(&r);
}

int main(void)
{
    tape.options.allocator = (wg_allocator){allocate, reallocate, release, NULL};
    take();
    whole();
    return 0;
}
