/* Threads that cannot be started: the linker puts this in place of pthread_create (--wrap). */
#ifndef WGT_SUPPORT_THREADS_H
#define WGT_SUPPORT_THREADS_H

/* The call of pthread_create that fails with EAGAIN, counted from 1; 0: none.  Set before the calls. */
void wgt_thread_fails_at(int call);

/* So many calls have been made since; -1 where the linker cannot do it. */
int wgt_thread_calls(void);

#endif
