/* What platforms do each in their way with files: opening, replacing, syncing; the locale of a thread. */
#include "models/files/platform_internal.h"

#include <errno.h>

#ifdef _WIN32

#include <string.h>
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

bool wg_c_locale_enter(wg_c_locale *locale)
{
    locale->before = _configthreadlocale(_ENABLE_PER_THREAD_LOCALE);
    const char *name = setlocale(LC_NUMERIC, NULL);
    if (name == NULL || strlen(name) >= sizeof locale->name)
        return false;
    strcpy(locale->name, name);
    return setlocale(LC_NUMERIC, "C") != NULL;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    setlocale(LC_NUMERIC, locale->name);
    _configthreadlocale(locale->before);
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

bool wg_c_locale_enter(wg_c_locale *locale)
{
    locale->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale->c == (locale_t)0)
        return false;
    locale->before = uselocale(locale->c);
    return true;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    uselocale(locale->before);
    freelocale(locale->c);
}

#endif
