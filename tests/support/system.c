/* Calls of the system that fail, stop half-way or end the process on order. */
#include "tests/support/system.h"

#include <stdio.h>
#include <string.h>

static wgt_fault *fault;

void wgt_fault_begin(wgt_fault *f)
{
    f->calls = 0;
    memset(f->trace, 0, sizeof f->trace);
    fault = f;
}

void wgt_fault_end(void)
{
    fault = NULL;
}

#if defined(__APPLE__) || !WGT_POSIX /* the linker has no --wrap, or there is less */

bool wgt_faults_work(void)
{
    return false;
}

#else

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

bool wgt_faults_work(void)
{
    return true;
}

static bool inside; /* a call; what libc itself calls on the way is not counted */

/* Is it this call's turn? */
static bool is_due(char letter)
{
    if (fault == NULL || inside || (fault->only != NULL && strchr(fault->only, letter) == NULL))
        return false;
    if (fault->calls < WGT_TRACE - 1)
        fault->trace[fault->calls] = letter;
    fault->calls++;
    return fault->at > 0 &&
           (fault->calls == fault->at || (fault->from_then && fault->calls > fault->at));
}

/* What happens before the call; does it fail? */
static bool fails(bool due)
{
    if (due && fault->kind == WGT_KILL_BEFORE)
        _exit(WGT_KILLED);
    if (due && fault->kind == WGT_FAIL)
        errno = fault->error;
    return due && fault->kind == WGT_FAIL;
}

static void after(bool due)
{
    if (due && fault->kind == WGT_KILL_AFTER)
        _exit(WGT_KILLED);
}

static size_t part(size_t size)
{
    return fault != NULL && fault->halves ? size - size / 2 : size;
}

/* A function in place of libc's: its letter, what it returns where it fails, and its call. */
#define WRAP(letter, type, failed, name, parameters, arguments)                                    \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        const bool due = is_due(letter);                                                           \
        const bool outer = inside;                                                                 \
        const bool fail = fails(due);                                                              \
        inside = true;                                                                             \
        const type result = fail ? failed : __real_##name arguments;                               \
        inside = outer;                                                                            \
        after(due);                                                                                \
        return result;                                                                             \
    }

typedef DIR *directory;
WRAP('r', ssize_t, -1, read, (int file, void *to, size_t size), (file, to, part(size)))
WRAP('R', ssize_t, -1, pread, (int file, void *to, size_t size, off_t at),
     (file, to, part(size), at))
WRAP('S', off_t, -1, lseek, (int file, off_t by, int from), (file, by, from))
WRAP('w', ssize_t, -1, write, (int file, const void *from, size_t size), (file, from, part(size)))
WRAP('s', int, -1, fsync, (int file), (file))
WRAP('n', int, -1, rename, (const char *from, const char *to), (from, to))
WRAP('u', int, -1, unlink, (const char *name), (name))
WRAP('f', int, -1, fstat, (int file, struct stat *about), (file, about))
WRAP('l', int, -1, lstat, (const char *name, struct stat *about), (name, about))
WRAP('t', int, -1, stat, (const char *name, struct stat *about), (name, about))
WRAP('k', ssize_t, -1, readlink, (const char *name, char *to, size_t size), (name, to, size))
WRAP('m', int, -1, fchmod, (int file, mode_t mode), (file, mode))
WRAP('d', directory, NULL, opendir, (const char *name), (name))
WRAP('p', int, EAGAIN, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument))

/* With a mode where one is given. */
int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = flags & O_CREAT ? (mode_t)va_arg(rest, int) : 0;
    va_end(rest);
    const bool due = is_due('o');
    const int file = fails(due) ? -1 : __real_open(name, flags, mode);
    after(due);
    return file;
}

/* One that fails has closed. */
#define WRAP_CLOSE(letter, name, parameters, arguments)                                            \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        const bool due = is_due(letter), fail = fails(due), outer = inside;                        \
        inside = true;                                                                             \
        const int error = errno, result = __real_##name arguments;                                 \
        inside = outer;                                                                            \
        if (fail)                                                                                  \
            errno = error;                                                                         \
        after(due);                                                                                \
        return fail ? -1 : result;                                                                 \
    }

WRAP_CLOSE('c', close, (int file), (file))
WRAP_CLOSE('D', closedir, (DIR * list), (list))

#endif
