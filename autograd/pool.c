/* A pool of threads that share the pieces of one job at a time. */
#include "autograd/pool.h"

#include "autograd/platform_internal.h"

#include <stdbool.h>

#define POOL_LARGEST 256

#if defined(WG_NO_THREADS) || defined(__wasi__)

/* A pool of the caller alone, whatever was asked for. */
struct wg_pool {
    wg_allocator allocator;
    int threads;
};

static bool pool_start(wg_pool *pool, int threads)
{
    (void)pool, (void)threads;
    return true;
}

static void pool_stop(wg_pool *pool)
{
    (void)pool;
}

static bool pool_share(wg_pool *pool, int64_t pieces, wg_pool_work *work, void *context)
{
    (void)pool, (void)pieces, (void)work, (void)context;
    return false;
}

#else

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <unistd.h>

#define POOL_SPINS 4000 /* looks for new work, some 10 us in all, before a worker goes to sleep */

typedef struct pool_worker {
    wg_pool *pool;
    pthread_t thread;
} pool_worker;

/* The caller opens a job, works on it with all others who come, closes it when no piece is left,
 * and waits for those who came. A worker that sleeps through a job is not waited for. `gate` holds,
 * in one word, whether the job is open and how many workers are in it: only while it is open do
 * workers enter, so job fields may be written while the gate is 0. */
struct wg_pool {
    wg_allocator allocator;
    int threads;
    pid_t process;    /* that has the threads: a forked child has none of them */
    atomic_bool busy; /* with a job: another one is done by its caller alone */

    wg_pool_work *work;
    void *context;
    int64_t pieces;
    atomic_int_fast64_t next; /* piece to be taken */
    atomic_uint gate;         /* POOL_OPEN + number of workers inside */
    atomic_uint jobs;         /* opened so far */
    atomic_int sleeper;       /* workers asleep, or about to be */
    atomic_bool quit;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pool_worker worker[POOL_LARGEST]; /* [1, threads) */
};

#define POOL_OPEN (1U << 16)

static void pool_take_pieces(wg_pool *pool, int worker)
{
    for (;;) {
        int64_t piece = atomic_fetch_add(&pool->next, 1);
        if (piece >= pool->pieces)
            return;
        pool->work(piece, worker, pool->context);
    }
}

static bool pool_enter(wg_pool *pool)
{
    unsigned gate = atomic_load(&pool->gate);
    while (gate & POOL_OPEN)
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1))
            return true;
    return false;
}

static void pool_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Until there is a job that this worker has not seen, or the end. The sleeper is counted before it
 * looks a last time, and wakers look for sleepers after they have opened a job: one of the two sees
 * the other. */
static void pool_wait(wg_pool *pool, unsigned seen)
{
    for (int i = 0; i < POOL_SPINS; i++) {
        if (atomic_load(&pool->jobs) != seen || atomic_load(&pool->quit))
            return;
        pool_relax();
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeper, 1);
    while (atomic_load(&pool->jobs) == seen && !atomic_load(&pool->quit))
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleeper, 1);
    pthread_mutex_unlock(&pool->mutex);
}

static void *pool_main(void *argument)
{
    const pool_worker *self = argument;
    wg_pool *pool = self->pool;
    unsigned seen = 0;
    while (!atomic_load(&pool->quit)) {
        pool_wait(pool, seen);
        seen = atomic_load(&pool->jobs);
        if (pool_enter(pool)) {
            pool_take_pieces(pool, (int)(self - pool->worker));
            atomic_fetch_sub(&pool->gate, 1);
        }
    }
    return NULL;
}

static void pool_wake_sleepers(wg_pool *pool)
{
    if (atomic_load(&pool->sleeper) == 0)
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void pool_run_shared(wg_pool *pool, int64_t pieces, wg_pool_work *work, void *context)
{
    pool->work = work;
    pool->context = context;
    pool->pieces = pieces;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->gate, POOL_OPEN);
    atomic_fetch_add(&pool->jobs, 1);
    pool_wake_sleepers(pool);
    pool_take_pieces(pool, 0);
    atomic_fetch_sub(&pool->gate, POOL_OPEN);
    while (atomic_load(&pool->gate) != 0)
        pool_relax();
}

/* False: the caller does the work alone. */
static bool pool_share(wg_pool *pool, int64_t pieces, wg_pool_work *work, void *context)
{
    if (pool == NULL || pool->threads == 1 || pieces <= 1 || pool->process != getpid() ||
        atomic_exchange(&pool->busy, true))
        return false;
    pool_run_shared(pool, pieces, work, context);
    atomic_store(&pool->busy, false);
    return true;
}

/* False: the system gives no more threads; pool->threads are running. */
static bool pool_start(wg_pool *pool, int threads)
{
    pool->process = getpid();
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (; pool->threads < threads; pool->threads++) {
        pool_worker *worker = &pool->worker[pool->threads];
        worker->pool = pool;
        if (pthread_create(&worker->thread, NULL, pool_main, worker) != 0)
            return false;
    }
    return true;
}

static void pool_stop(wg_pool *pool)
{
    if (pool->process != getpid())
        return;
    atomic_store(&pool->quit, true);
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 1; i < pool->threads; i++)
        pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
}

#endif

wg_pool *wg_pool_new(int threads, const wg_allocator *allocator)
{
    const bool given = allocator != NULL && allocator->allocate != NULL;
    wg_allocator a = given ? *allocator : wg_allocator_default();
    if (threads == 0) {
        const long online = wg_processors();
        threads = online > POOL_LARGEST ? POOL_LARGEST : (int)online;
    }
    if (threads < 1 || threads > POOL_LARGEST)
        return NULL;
    wg_pool *pool = a.allocate(sizeof *pool, a.user);
    if (pool == NULL)
        return NULL;
    *pool = (wg_pool){.allocator = a, .threads = 1};
    if (pool_start(pool, threads))
        return pool;
    wg_pool_free(pool);
    return NULL;
}

void wg_pool_free(wg_pool *pool)
{
    if (pool == NULL)
        return;
    pool_stop(pool);
    pool->allocator.release(pool, pool->allocator.user);
}

int wg_pool_threads(const wg_pool *pool)
{
    return pool != NULL ? pool->threads : 1;
}

void wg_pool_run(wg_pool *pool, int64_t pieces, wg_pool_work *work, void *context)
{
    const bool shared = pool_share(pool, pieces, work, context);
    for (int64_t piece = 0; !shared && piece < pieces; piece++)
        work(piece, 0, context);
}
