/* What platforms do each in their way with files: opening, replacing, syncing. */
#include "models/files/platform_internal.h"

#include <errno.h>

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <io.h>
#include <windows.h>

int wg_replace_file(const char *from, const char *to)
{
    if (MoveFileExA(from, to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
        return 0;
    errno = GetLastError() == ERROR_ACCESS_DENIED ? EACCES : EIO;
    return -1;
}

void wg_read_waiting(int file)
{
    (void)file;
}

ssize_t wg_read_at(int file, void *bytes, size_t size, int64_t at)
{
    OVERLAPPED place = {.Offset = (DWORD)at, .OffsetHigh = (DWORD)(at >> 32)};
    DWORD got = 0;
    if (ReadFile((HANDLE)_get_osfhandle(file), bytes, (DWORD)size, &got, &place) ||
        GetLastError() == ERROR_HANDLE_EOF)
        return (ssize_t)got;
    errno = EIO;
    return -1;
}

void wg_read_ahead(int file, int64_t at, int64_t size)
{
    (void)file;
    (void)at;
    (void)size;
}

int wg_open_directory(const char *path)
{
    (void)path;
    errno = EINVAL;
    return -1;
}

#else

void wg_read_waiting(int file)
{
    (void)fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK);
}

ssize_t wg_read_at(int file, void *bytes, size_t size, int64_t at)
{
    return pread(file, bytes, size, (off_t)at);
}

void wg_read_ahead(int file, int64_t at, int64_t size)
{
#ifdef POSIX_FADV_WILLNEED
    (void)posix_fadvise(file, (off_t)at, (off_t)size, POSIX_FADV_WILLNEED);
#else
    (void)file;
    (void)at;
    (void)size;
#endif
}

int wg_open_directory(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

#endif
