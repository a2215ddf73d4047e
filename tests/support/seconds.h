/* What computing takes, whatever else the machine does. */
#ifndef WGT_SUPPORT_SECONDS_H
#define WGT_SUPPORT_SECONDS_H

#include <math.h>
#include <stdlib.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

/* Of this process, whatever else runs: clock() of Windows is the time on the wall. */
static inline double cpu_seconds(void)
{
#ifdef _WIN32
    FILETIME made, ended, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &made, &ended, &kernel, &user);
    return ((double)kernel.dwLowDateTime + user.dwLowDateTime +
            4294967296.0 * ((double)kernel.dwHighDateTime + user.dwHighDateTime)) *
           1e-7;
#elif defined(__wasi__) /* has no such clock */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#else
    return (double)clock() / CLOCKS_PER_SEC;
#endif
}

/* What takes 0.2 s where nothing looks on, and minutes where it grows with the square of its size;
 * sanitizers, on a busy machine, slow it down a hundredfold. */
static inline double most_seconds(void)
{
    const char *slower = getenv("CK_TIMEOUT_MULTIPLIER");
    return 5 * (slower != NULL ? fmax(1, atof(slower)) : 1);
}

#endif
