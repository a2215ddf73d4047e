#include "models/files/writer_internal.h"

#include "autograd/op.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITER_NAMES 100 /* so many names are tried for the temporary file */
#define WRITER_LINKS 40  /* so many symbolic links are followed, as Linux does */

/* ---- The system's calls. --------------------------------------------------------------------- */

static int writer_open(const char *path, int flags, mode_t mode, void *user)
{
    (void)user;
    return open(path, flags | O_CLOEXEC, mode);
}

static ssize_t writer_write(int file, const void *bytes, size_t size, void *user)
{
    (void)user;
    return write(file, bytes, size);
}

static int writer_sync(int file, void *user)
{
    (void)user;
    return fsync(file);
}

static int writer_close(int file, void *user)
{
    (void)user;
    return close(file);
}

static int writer_rename(const char *from, const char *to, void *user)
{
    (void)user;
    return rename(from, to);
}

static int writer_remove(const char *path, void *user)
{
    (void)user;
    return unlink(path);
}

static const wg_writer_calls writer_system = {
    writer_open, writer_write, writer_sync, writer_close, writer_rename, writer_remove, NULL};

/* ---- Opening. -------------------------------------------------------------------------------- */

static bool writer_fail(wg_writer *w, const char *reason)
{
    if (!w->failed)
        wg_fail(w->tape, WG_E_IO, "%.300s: %s", w->path, reason);
    w->failed = true;
    return false;
}

/* Puts into w->target what the symbolic link there points to. */
static bool writer_follow(wg_writer *w)
{
    char link[PATH_MAX];
    ssize_t length = readlink(w->target, link, sizeof link);
    if (length < 0)
        return writer_fail(w, strerror(errno));
    char *slash = strrchr(w->target, '/');
    size_t directory = link[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - w->target);
    if (directory + (size_t)length >= sizeof w->target)
        return writer_fail(w, strerror(ENAMETOOLONG));
    memcpy(w->target + directory, link, (size_t)length);
    w->target[directory + (size_t)length] = '\0';
    return true;
}

/* Finds where the rename has to go, and the mode of the file there, whose permissions the new one takes
 * over; 0 where there is none. Renaming over a symbolic link would replace the link and leave what it points to. */
static bool writer_find_target(wg_writer *w, mode_t *mode)
{
    struct stat about;
    int links = 0;
    *mode = 0;
    if (strlen(w->path) >= sizeof w->target)
        return writer_fail(w, strerror(ENAMETOOLONG));
    strcpy(w->target, w->path);
    if (w->target[0] == '\0')
        return writer_fail(w, strerror(ENOENT));
    while (lstat(w->target, &about) == 0) {
        if (S_ISLNK(about.st_mode) && links++ == WRITER_LINKS)
            return writer_fail(w, strerror(ELOOP));
        if (S_ISLNK(about.st_mode)) {
            if (!writer_follow(w))
                return false;
            continue;
        }
        *mode = about.st_mode;
        if (S_ISREG(about.st_mode))
            return true;
        return writer_fail(w, S_ISDIR(about.st_mode) ? "is a directory" : "is not a regular file");
    }
    return errno == ENOENT || writer_fail(w, strerror(errno));
}

/* O_EXCL: a file that is there is nobody's but its owner's. */
static bool writer_create(wg_writer *w, mode_t mode)
{
    for (int i = 0; i < WRITER_NAMES; i++) {
        int length = snprintf(w->temporary, sizeof w->temporary, "%s.%ld-%d.tmp", w->target,
                              (long)getpid(), i);
        if (length < 0 || (size_t)length >= sizeof w->temporary)
            return writer_fail(w, strerror(ENAMETOOLONG));
        w->file = w->calls.open(w->temporary, O_WRONLY | O_CREAT | O_EXCL, mode, w->calls.user);
        if (w->file >= 0)
            return true;
        if (errno != EEXIST)
            return writer_fail(w, strerror(errno));
    }
    return writer_fail(w, "too many temporary files lie beside it");
}

bool wg_writer_open(wg_writer *w, wg_tape *t, const char *path, const wg_writer_calls *calls)
{
    w->tape = t;
    w->path = path;
    w->calls = calls != NULL ? *calls : writer_system;
    w->file = -1;
    w->failed = true;
    w->counting = false;
    w->counted = 0;
    w->used = 0;
    if (wg_tape_status(t) != WG_OK)
        return false;
    if (path == NULL) {
        wg_fail(t, WG_E_NULL, "a file to write has no name");
        return false;
    }
    w->failed = false;
    mode_t mode;
    if (!writer_find_target(w, &mode) || !writer_create(w, mode != 0 ? mode & 0777 : 0666))
        return false;
    if (mode != 0) /* open() took it less the process's mask; that it cannot be had is no error */
        (void)!fchmod(w->file, mode & 0777);
    return true;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

static void writer_send(wg_writer *w, const char *bytes, size_t size)
{
    while (size > 0 && !w->failed) {
        size_t part = size < SSIZE_MAX / 2 ? size : SSIZE_MAX / 2;
        ssize_t sent = w->calls.write(w->file, bytes, part, w->calls.user);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0) {
            writer_fail(w, sent < 0 ? strerror(errno) : "no byte could be written");
            return;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void writer_flush(wg_writer *w)
{
    writer_send(w, w->buffer, w->used);
    w->used = 0;
}

void wg_writer_put(wg_writer *w, const void *bytes, size_t size)
{
    if (w->counting)
        w->counted += (int64_t)size;
    if (w->failed || w->counting || size == 0)
        return;
    if (size > sizeof w->buffer - w->used)
        writer_flush(w);
    if (size > sizeof w->buffer) {
        writer_send(w, bytes, size);
        return;
    }
    memcpy(w->buffer + w->used, bytes, size);
    w->used += size;
}

void wg_writer_text(wg_writer *w, const char *text)
{
    wg_writer_put(w, text, strlen(text));
}

int64_t wg_writer_count(wg_writer *w, bool on)
{
    int64_t counted = w->counted;
    w->counting = on;
    w->counted = 0;
    return counted;
}

/* ---- Closing. -------------------------------------------------------------------------------- */

/* A close that fails has closed; what it tells is that bytes were lost. */
static void writer_close_file(wg_writer *w)
{
    if (w->file >= 0 && w->calls.close(w->file, w->calls.user) != 0)
        writer_fail(w, strerror(errno));
    w->file = -1;
}

/* Cuts w->target to its directory. */
static const char *writer_directory(wg_writer *w)
{
    char *slash = strrchr(w->target, '/');
    if (slash == NULL)
        return ".";
    slash[slash == w->target ? 1 : 0] = '\0';
    return w->target;
}

/* A rename lasts once its directory is synced. File systems that cannot do that say EINVAL. */
static void writer_sync_directory(wg_writer *w)
{
    char reason[192];
    int file = w->calls.open(writer_directory(w), O_RDONLY, 0, w->calls.user);
    int wrong = file < 0 || w->calls.sync(file, w->calls.user) != 0 ? errno : 0;
    if (file >= 0)
        w->calls.close(file, w->calls.user);
    if (wrong == 0 || wrong == EINVAL)
        return;
    snprintf(reason, sizeof reason, "is written, but its directory could not be synced: %s",
             strerror(wrong));
    writer_fail(w, reason);
}

void wg_writer_abandon(wg_writer *w)
{
    if (w->file < 0)
        return;
    w->failed = true; /* and no error is recorded from here on */
    writer_close_file(w);
    w->calls.remove(w->temporary, w->calls.user);
}

wg_status wg_writer_close(wg_writer *w)
{
    if (w->file < 0)
        return wg_tape_status(w->tape);
    writer_flush(w);
    if (!w->failed && w->calls.sync(w->file, w->calls.user) != 0)
        writer_fail(w, strerror(errno));
    writer_close_file(w);
    if (!w->failed && w->calls.rename(w->temporary, w->target, w->calls.user) != 0)
        writer_fail(w, strerror(errno));
    if (w->failed)
        w->calls.remove(w->temporary, w->calls.user);
    else
        writer_sync_directory(w);
    return wg_tape_status(w->tape);
}
