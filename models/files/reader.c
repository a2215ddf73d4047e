/* Reading files: the bytes of a file, of a pipe, of the standard input; what is left is always
 * known. */
#include "models/files/bytes_internal.h"

#include "autograd/op.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define READER_CHUNK ((int64_t)1 << 30) /* bytes asked of one read(); Linux gives at most 2^31 */

static bool reader_fail(const wg_reader *reader, const char *reason)
{
    const char *path = reader->path[0] != '\0' ? reader->path : "''";
    wg_fail(reader->tape, WG_E_IO, "%s: %s", path, reason);
    return false;
}

/* Why it could not be opened. Windows opens no directory, and says that it may not. */
static bool reader_fail_closed(const wg_reader *reader, int error)
{
    struct stat about;
    const bool directory = error == EACCES && stat(reader->path, &about) == 0 &&
                           S_ISDIR(about.st_mode);
    return reader_fail(reader, directory ? "is a directory" : strerror(error));
}

/* Up to size bytes; 0 at the end, -1 after an error. */
static int64_t reader_some(const wg_reader *reader, void *bytes, int64_t size)
{
    ssize_t got;
    do
        got = read(reader->file, bytes, (size_t)(size < READER_CHUNK ? size : READER_CHUNK));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        reader_fail(reader, strerror(errno));
    return got;
}

/* A pipe's bytes, all of them, so that it is known how many there are. */
static bool reader_drain(wg_reader *reader)
{
    int64_t capacity = 0, got = 1;
    wg_read_waiting(reader->file);
    while (got > 0) {
        if (!wg_temporary_grow(reader->tape, (void **)&reader->memory, &capacity,
                               reader->left + 65536, 1))
            return false;
        got = reader_some(reader, reader->memory + reader->left, capacity - reader->left);
        reader->left += got > 0 ? got : 0;
    }
    reader->at = reader->memory;
    return got == 0;
}

/* O_NONBLOCK: opening a pipe that nobody writes to must not wait; regular files do not mind. */
bool wg_reader_open(wg_reader *reader, wg_tape *t, const char *path)
{
    *reader = (wg_reader){.tape = t, .path = path, .file = -1};
    if (path == NULL) {
        wg_fail(t, WG_E_NULL, "a file to read has no name");
        return false;
    }
    const bool standard = strcmp(path, "-") == 0;
    reader->file = standard ? STDIN_FILENO
                            : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    reader->own = reader->file >= 0 && !standard;
    struct stat about;
    if (reader->file < 0 || fstat(reader->file, &about) != 0) {
        reader_fail_closed(reader, errno);
    } else if (S_ISREG(about.st_mode)) {
        const off_t at = standard ? lseek(reader->file, 0, SEEK_CUR) : 0;
        reader->begin = at > 0 ? at : 0;
        reader->left = about.st_size > at ? about.st_size - at : 0;
        reader->size = reader->left;
        return true;
    } else if (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || standard) {
        if (reader_drain(reader)) {
            reader->size = reader->left;
            return true;
        }
    } else {
        reader_fail(reader, S_ISDIR(about.st_mode) ? "is a directory" : "is a device, not a file");
    }
    wg_reader_close(reader);
    return false;
}

/* The next `size` bytes of an open file. */
static bool reader_fill(wg_reader *reader, char *to, int64_t size)
{
    while (size > 0) {
        int64_t got = reader_some(reader, to, size);
        if (got < 0)
            return false;
        if (got == 0)
            return reader_fail(reader, "became shorter while it was read");
        to += got;
        size -= got;
        reader->left -= got;
    }
    return true;
}

static bool reader_has(const wg_reader *reader, int64_t size)
{
    if (size >= 0 && size <= reader->left)
        return true;
    wg_fail(reader->tape, WG_E_IO, "%s: %" PRId64 " bytes wanted, %" PRId64 " left", reader->path,
            size, reader->left);
    return false;
}

bool wg_reader_take(wg_reader *reader, void *bytes, int64_t size)
{
    if (!reader_has(reader, size))
        return false;
    if (reader->memory != NULL && size > 0) {
        memcpy(bytes, reader->at, (size_t)size);
        reader->at += size;
        reader->left -= size;
    } else if (!reader_fill(reader, bytes, size))
        return false;
    if (reader->crc != NULL)
        wg_crc_add(reader->crc, bytes, (size_t)size);
    return true;
}

/* Bytes of no use but for their sum. */
static bool reader_sum(wg_reader *reader, int64_t size)
{
    char bytes[4096];
    for (int64_t part; size > 0; size -= part) {
        part = size < (int64_t)sizeof bytes ? size : (int64_t)sizeof bytes;
        if (!wg_reader_take(reader, bytes, part))
            return false;
    }
    return true;
}

bool wg_reader_skip(wg_reader *reader, int64_t size)
{
    if (!reader_has(reader, size))
        return false;
    if (reader->crc != NULL)
        return reader_sum(reader, size);
    if (reader->memory == NULL && lseek(reader->file, (off_t)size, SEEK_CUR) < 0)
        return reader_fail(reader, strerror(errno));
    if (reader->memory != NULL)
        reader->at += size;
    reader->left -= size;
    return true;
}

bool wg_reader_rewind(wg_reader *reader)
{
    if (reader->memory == NULL && lseek(reader->file, (off_t)reader->begin, SEEK_SET) < 0)
        return reader_fail(reader, strerror(errno));
    reader->at = reader->memory;
    reader->left = reader->size;
    return true;
}

void wg_reader_close(wg_reader *reader)
{
    if (reader->own)
        close(reader->file);
    reader->own = false;
    wg_temporary_free(reader->tape, reader->memory);
    reader->memory = NULL;
    reader->file = -1;
    reader->left = 0;
}

bool wg_reader_refuses(wg_tape *t, const char *path, const void *bytes, int64_t size)
{
    const char *foreign = wg_foreign(bytes, (size_t)size);
    if (foreign == NULL)
        return false;
    wg_fail(t, WG_E_FORMAT, "%s: byte 0: is %s", path, foreign);
    return true;
}
