#ifndef WG_MODELS_FILES_PLATFORM_INTERNAL_H
#define WG_MODELS_FILES_PLATFORM_INTERNAL_H

/* The system's files, as POSIX has them; where a platform lacks a call or a flag, it is made up
 * here and in platform.c, under POSIX's name; the locale is in autograd/platform_locale.c. */

#include "autograd/platform_locale_internal.h"

#include <stdbool.h>
#include <stdint.h>

#ifndef WG_NO_FILES

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef _WIN32
/* No symbolic links are followed, no permissions taken over, no pipe is opened without waiting for
 * its writer; bytes are never translated. */
#define O_CLOEXEC   (_O_NOINHERIT | _O_BINARY)
#define O_NONBLOCK  0
#define O_NOCTTY    0
#define S_ISLNK(m)  0
#define S_ISSOCK(m) 0
#ifndef SSIZE_MAX
#define SSIZE_MAX INT_MAX
#endif
#define lstat(path, about)         stat(path, about)
#define readlink(path, text, size) (errno = EINVAL, (ssize_t)-1)
#define fchmod(file, mode)         0
#define geteuid()                  0
#define fsync(file)                _commit(file)
#define rename(from, to)           wg_replace_file(from, to)
int wg_replace_file(const char *from, const char *to); /* replaces what is there, as POSIX's does */
#endif

#ifdef __wasi__ /* has neither users nor permissions */
#define fchmod(file, mode) 0
#define geteuid()          0
#endif

/* The part of the time of the last write that is below a second, in nanoseconds. */
#if defined(_WIN32)
#define WG_WRITTEN_NS(about) 0L
#elif defined(__APPLE__)
#define WG_WRITTEN_NS(about) ((about)->st_mtimespec.tv_nsec)
#else
#define WG_WRITTEN_NS(about) ((about)->st_mtim.tv_nsec)
#endif

/* wg_read_waiting: read() from now on waits for a pipe's writer. */
void wg_read_waiting(int file);

/* wg_read_at: as pread; the file's position may move. Threads may call it at once. */
ssize_t wg_read_at(int file, void *bytes, size_t size, int64_t at);

/* wg_read_ahead: those bytes will be wanted soon. */
void wg_read_ahead(int file, int64_t at, int64_t size);

/* wg_open_directory: to be synced; -1 with EINVAL where the platform syncs renames itself. */
int wg_open_directory(const char *path);

#endif /* WG_NO_FILES */

#endif
