#include "models/files/reader_internal.h"

#include "autograd/op.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READER_CHUNK ((int64_t)1 << 30) /* bytes asked of one read(); Linux gives at most 2^31 */

static bool reader_fail(const wg_reader *reader, const char *reason)
{
    wg_fail(reader->tape, WG_E_IO, "%s: %s", reader->path, reason);
    return false;
}

/* O_NONBLOCK: opening a pipe that nobody writes to must not wait; regular files do not mind. */
bool wg_reader_open(wg_reader *reader, wg_tape *t, const char *path)
{
    *reader = (wg_reader){.tape = t, .path = path, .file = -1};
    if (path == NULL) {
        wg_fail(t, WG_E_NULL, "a file to read has no name");
        return false;
    }
    reader->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat about;
    if (reader->file < 0 || fstat(reader->file, &about) != 0) {
        reader_fail(reader, strerror(errno));
    } else if (!S_ISREG(about.st_mode)) {
        reader_fail(reader, S_ISDIR(about.st_mode) ? "is a directory" : "is not a regular file");
    } else {
        reader->left = about.st_size;
        return true;
    }
    wg_reader_close(reader);
    return false;
}

bool wg_reader_take(wg_reader *reader, void *bytes, int64_t size)
{
    if (size < 0 || size > reader->left) {
        wg_fail(reader->tape, WG_E_IO, "%s: %" PRId64 " bytes wanted, %" PRId64 " left",
                reader->path, size, reader->left);
        return false;
    }
    char *at = bytes;
    while (size > 0) {
        ssize_t got = read(reader->file, at, (size_t)(size < READER_CHUNK ? size : READER_CHUNK));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return reader_fail(reader, strerror(errno));
        if (got == 0)
            return reader_fail(reader, "became shorter while it was read");
        at += got;
        size -= got;
        reader->left -= got;
    }
    return true;
}

void wg_reader_close(wg_reader *reader)
{
    if (reader->file >= 0)
        close(reader->file);
    reader->file = -1;
    reader->left = 0;
}

char *wg_reader_whole(wg_tape *t, const char *path, int64_t *size)
{
    wg_reader reader;
    if (!wg_reader_open(&reader, t, path))
        return NULL;
    *size = reader.left;
    char *bytes = reader.left < INT64_MAX ? wg_temporary(t, reader.left + 1, 1) : NULL;
    if (bytes != NULL && !wg_reader_take(&reader, bytes, *size)) {
        wg_temporary_free(t, bytes);
        bytes = NULL;
    }
    if (bytes != NULL)
        bytes[*size] = '\0';
    wg_reader_close(&reader);
    return bytes;
}
