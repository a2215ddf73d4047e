/* Writing files so that they are entirely old or entirely new: temporary files, sync, rename. */
#include "models/files/file.h"

#include "models/files/bytes_internal.h"

#include "autograd/op.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
    WRITER_NAMES = 100,   /* tried for the temporary file */
    WRITER_LINKS = 40,    /* symbolic links followed, as Linux does */
    WRITER_STALE = 3600,  /* seconds without a write after which a temporary file is nobody's */
    WRITER_DIGITS = 16,   /* hexadecimal, in a temporary file's name */
    WRITER_LONGEST = 255, /* bytes of a name, as nearly all file systems have it */
    WRITER_STICKY = 01000 /* S_ISVTX, which POSIX declares with XSI alone */
};

/* ---- Opening. -------------------------------------------------------------------------------- */

static bool writer_fail(wg_writer *w, const char *reason)
{
    if (!w->failed)
        wg_fail(w->tape, WG_E_IO, "%s: %s", w->path[0] != '\0' ? w->path : "''", reason);
    w->failed = true;
    return false;
}

/* The directory of w->target: its path into `directory`. */
static void writer_directory_of(const wg_writer *w, char directory[PATH_MAX])
{
    const char *slash = strrchr(w->target, '/');
    size_t length = slash == NULL ? 0 : slash == w->target ? 1 : (size_t)(slash - w->target);
    memcpy(directory, slash == NULL ? "." : w->target, slash == NULL ? 2 : length);
    if (slash != NULL)
        directory[length] = '\0';
}

/* The name of w->target in its directory. */
static const char *writer_base(const wg_writer *w)
{
    const char *slash = strrchr(w->target, '/');
    return slash != NULL ? slash + 1 : w->target;
}

/* May the link at w->target be followed? In a directory such as /tmp, where anybody may put one,
 * only the user's own links and those of the directory's owner: as Linux has it (sysctl
 * fs.protected_symlinks). */
static bool writer_trusts(wg_writer *w, const struct stat *link)
{
    char path[PATH_MAX];
    struct stat directory;
    writer_directory_of(w, path);
    if (stat(path, &directory) != 0)
        return writer_fail(w, strerror(errno));
    bool shared = (directory.st_mode & WRITER_STICKY) != 0 && (directory.st_mode & S_IWOTH) != 0;
    return !shared || link->st_uid == geteuid() || link->st_uid == directory.st_uid ||
           writer_fail(w, "is a symbolic link of another user in a directory open to all");
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

/* Finds where the rename has to go, and the mode of the file there, whose permissions the new one
 * takes over; 0 where there is none. Renaming over a symbolic link would replace the link and leave
 * what it points to. */
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
            if (!writer_trusts(w, &about) || !writer_follow(w))
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

/* A number that two processes, two writers or two moments hardly share. It need not be a secret:
 * O_EXCL keeps what is there already. Source: Steele, Lea, Flood 2014, "Fast splittable
 * pseudorandom number generators" (the mixing function). */
static uint64_t writer_random(const wg_writer *w, int attempt)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t x = (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    x ^= ((uint64_t)getpid() << 40) ^ ((uint64_t)(uintptr_t)w << 16) ^ (uint64_t)attempt;
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* "model.0123456789abcdef.tmp", of the file "model": how much of the file's name leaves room for
 * the rest, in whole characters of UTF-8. */
static size_t writer_stem(const char *of)
{
    const size_t most = WRITER_LONGEST - WRITER_DIGITS - strlen("..tmp");
    size_t length = strlen(of);
    if (length <= most)
        return length;
    for (length = most; length > 0 && ((unsigned char)of[length] & 0xC0) == 0x80;)
        length--;
    return length;
}

static bool writer_is_temporary(const char *name, const char *of)
{
    const size_t length = writer_stem(of);
    if (strncmp(name, of, length) != 0 || name[length] != '.')
        return false;
    name += length + 1;
    return strspn(name, "0123456789abcdef") == WRITER_DIGITS &&
           strcmp(name + WRITER_DIGITS, ".tmp") == 0;
}

/* Removes the temporary files for this destination that were last written an hour before the new
 * one was made: those of processes that were killed. That it cannot is no error. */
static void writer_clean(const wg_writer *w)
{
    char path[PATH_MAX];
    struct stat own, other;
    writer_directory_of(w, path);
    DIR *directory = fstat(w->file, &own) == 0 ? opendir(path) : NULL;
    if (directory == NULL)
        return;
    const char *base = writer_base(w);
    const size_t used = (size_t)(base - w->target);
    memcpy(path, w->target, used);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!writer_is_temporary(entry->d_name, base) ||
            used + strlen(entry->d_name) >= sizeof path)
            continue;
        strcpy(path + used, entry->d_name);
        if (lstat(path, &other) == 0 && S_ISREG(other.st_mode) &&
            difftime(own.st_mtime, other.st_mtime) > WRITER_STALE)
            unlink(path);
    }
    closedir(directory);
}

/* O_EXCL: a file that is there is nobody's but its owner's. */
static bool writer_create(wg_writer *w, mode_t mode)
{
    const char *base = writer_base(w);
    const int stem = (int)((size_t)(base - w->target) + writer_stem(base));
    for (int i = 0; i < WRITER_NAMES; i++) {
        int length = snprintf(w->temporary, sizeof w->temporary, "%.*s.%0*" PRIx64 ".tmp", stem,
                              w->target, WRITER_DIGITS, writer_random(w, i));
        if (length < 0 || (size_t)length >= sizeof w->temporary)
            return writer_fail(w, strerror(ENAMETOOLONG));
        w->file = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (w->file >= 0)
            return true;
        if (errno != EEXIST)
            return writer_fail(w, strerror(errno));
    }
    return writer_fail(w, "no name for a temporary file beside it is free");
}

bool wg_writer_open(wg_writer *w, wg_tape *t, const char *path)
{
    w->tape = t;
    w->path = path;
    w->file = -1;
    w->failed = true;
    w->counting = false;
    w->counted = 0;
    w->crc = NULL;
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
    writer_clean(w);
    if (mode != 0) /* open() took it less the process's mask; that it cannot be had is no error */
        (void)!fchmod(w->file, mode & 0777);
    return true;
}

/* ---- Writing. -------------------------------------------------------------------------------- */

static void writer_send(wg_writer *w, const char *bytes, size_t size)
{
    while (size > 0 && !w->failed) {
        size_t part = size < SSIZE_MAX / 2 ? size : SSIZE_MAX / 2;
        ssize_t sent = write(w->file, bytes, part);
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
    if (w->counting && w->crc != NULL)
        wg_crc_add(w->crc, bytes, size);
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

void wg_writer_back(wg_writer *w)
{
    writer_flush(w);
    if (!w->failed && lseek(w->file, 0, SEEK_SET) < 0)
        writer_fail(w, strerror(errno));
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

/* On some file systems a signal interrupts it. */
static int writer_sync(int file)
{
    int result;
    do
        result = fsync(file);
    while (result != 0 && errno == EINTR);
    return result;
}

/* A close that fails has closed; what it tells is that bytes were lost, but for a signal that
 * came. */
static void writer_close_file(wg_writer *w)
{
    if (w->file >= 0 && close(w->file) != 0 && errno != EINTR)
        writer_fail(w, strerror(errno));
    w->file = -1;
}

/* A rename lasts once its directory is synced. File systems that cannot do that say EINVAL. */
static void writer_sync_directory(wg_writer *w)
{
    char reason[192], directory[PATH_MAX];
    writer_directory_of(w, directory);
    int file = wg_open_directory(directory);
    int wrong = file < 0 || writer_sync(file) != 0 ? errno : 0;
    if (file >= 0)
        close(file);
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
    unlink(w->temporary);
}

wg_status wg_writer_close(wg_writer *w)
{
    if (w->file < 0)
        return wg_tape_status(w->tape);
    writer_flush(w);
    if (!w->failed && writer_sync(w->file) != 0)
        writer_fail(w, strerror(errno));
    writer_close_file(w);
    if (!w->failed && rename(w->temporary, w->target) != 0)
        writer_fail(w, strerror(errno));
    if (w->failed)
        unlink(w->temporary);
    else
        writer_sync_directory(w);
    return wg_tape_status(w->tape);
}

/* ---- All at once. ---------------------------------------------------------------------------- */

wg_status wg_file_write(wg_tape *t, const char *path, const void *bytes, int64_t size)
{
    wg_writer w;
    if (size < 0)
        wg_fail(t, WG_E_VALUE, "%s: %" PRId64 " bytes to write", path != NULL ? path : "", size);
    else if (bytes == NULL && size > 0)
        wg_fail(t, WG_E_NULL, "%s: bytes to write are NULL", path != NULL ? path : "");
    if (!wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    wg_writer_put(&w, bytes, (size_t)size);
    return wg_writer_close(&w);
}
