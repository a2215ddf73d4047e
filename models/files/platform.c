/* What platforms do each in their way with files: opening, replacing, syncing. */
#include "models/files/platform_internal.h"

#include <errno.h>

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
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

int wg_open_directory(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

#endif
