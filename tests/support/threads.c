/* pthread_create, which fails on order. */
#include "tests/support/threads.h"

#include <errno.h>
#include <pthread.h>

static int fails_at, calls;

void wgt_thread_fails_at(int call)
{
    fails_at = call;
    calls = 0;
}

#ifdef __APPLE__
int wgt_thread_calls(void)
{
    return -1;
}
#else
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    if (++calls == fails_at)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, run, argument);
}

int wgt_thread_calls(void)
{
    return calls;
}
#endif
