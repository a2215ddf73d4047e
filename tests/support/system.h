/* Calls of the system that fail, stop half-way or end the process on order: the linker puts those
 * of system.c in place of libc's (--wrap), in the library as in the tests. */
#ifndef WGT_SUPPORT_SYSTEM_H
#define WGT_SUPPORT_SYSTEM_H

#include <stdbool.h>

/* Are there processes, pipes and devices with names, locales of a thread? Asked for by #if, which
 * warns where this header was forgotten. */
#if !defined(_WIN32) && !defined(__wasi__)
#define WGT_POSIX 1
#else
#define WGT_POSIX 0
#endif

typedef enum wgt_fault_kind { WGT_FAIL, WGT_KILL_BEFORE, WGT_KILL_AFTER } wgt_fault_kind;

enum { WGT_KILLED = 99, WGT_TRACE = 512 }; /* the process's exit status; calls that a trace holds */

/* A call is a letter: o open, r read, w write, s fsync, c close, n rename, u unlink, f fstat, l
 * lstat, t stat, R pread, S lseek, k readlink, m fchmod, d opendir, D closedir, p pthread_create. */
typedef struct wgt_fault {
    wgt_fault_kind kind;
    int at;           /* this call, counted from 1; 0: none */
    bool from_then;   /* and all that follow it */
    bool halves;      /* reads and writes stop half-way */
    int error;        /* errno after the call that fails */
    const char *only; /* the letters of the calls that are counted; NULL: all */
    int calls;        /* so many there were */
    char trace[WGT_TRACE];
} wgt_fault;

/* wgt_fault_begin: f holds from here on, in the whole process, and counts from 0. wgt_fault_end: no
 * more. */
void wgt_fault_begin(wgt_fault *f);
void wgt_fault_end(void);

/* wgt_faults_work: can this linker do it? */
bool wgt_faults_work(void);

#endif
