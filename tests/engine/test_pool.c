/* The thread pool: every piece once, workers apart, many jobs, and what makes none. */
#include "autograd/pool.h"

#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECES = 5000, WORKERS = 256 };

typedef struct job {
    atomic_int done[PIECES];  /* how often each piece was done */
    atomic_int busy[WORKERS]; /* pieces that a worker has in hand */
    int64_t pieces;
    int threads;
    atomic_int wrong; /* a piece or worker that there is not, or two pieces on one worker */
    int64_t spin;
} job;

static void work(int64_t piece, int worker, void *context)
{
    job *j = context;
    if (piece < 0 || piece >= j->pieces || worker < 0 || worker >= j->threads) {
        atomic_fetch_add(&j->wrong, 1);
        return;
    }
    if (atomic_fetch_add(&j->busy[worker], 1) != 0)
        atomic_fetch_add(&j->wrong, 1);
    for (volatile int64_t i = 0; i < j->spin; i++)
        continue;
    atomic_fetch_add(&j->done[piece], 1);
    atomic_fetch_sub(&j->busy[worker], 1);
}

static void run(wg_pool *pool, job *j, int64_t pieces)
{
    memset(j, 0, sizeof *j);
    j->pieces = pieces;
    j->threads = wg_pool_threads(pool);
    wg_pool_run(pool, pieces, work, j);
    for (int64_t i = 0; i < pieces; i++)
        ck_assert_int_eq(atomic_load(&j->done[i]), 1);
    ck_assert_int_eq(atomic_load(&j->wrong), 0);
}

START_TEST(test_every_piece_once)
{
    static job j;
    const int threads[] = {1, 2, 3, 4, 8, 16};
    const int64_t pieces[] = {0, 1, 2, 3, 7, 100, PIECES};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        wg_pool *pool = wg_pool_new(threads[i], NULL);
        ck_assert_int_eq(wg_pool_threads(pool), threads[i]);
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++)
            run(pool, &j, pieces[k]);
        wg_pool_free(pool);
    }
}
END_TEST

/* Jobs in quick succession: a worker that comes late to one must not touch the next. */
START_TEST(test_many_jobs)
{
    static job j;
    wg_pool *pool = wg_pool_new(4, NULL);
    for (int i = 0; i < 3000; i++)
        run(pool, &j, 1 + i % 9);
    wg_pool_free(pool);
}
END_TEST

/* Long enough for workers to fall asleep between jobs, and to be woken. */
START_TEST(test_sleepers_are_woken)
{
    static job j;
    wg_pool *pool = wg_pool_new(3, NULL);
    for (int i = 0; i < 30; i++) {
        for (volatile int64_t k = 0; k < 2000000; k++)
            continue;
        run(pool, &j, 50);
    }
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_no_pool)
{
    static job j;
    ck_assert_int_eq(wg_pool_threads(NULL), 1);
    run(NULL, &j, 100);
    wg_pool_free(NULL);
    ck_assert_ptr_null(wg_pool_new(-1, NULL));
    ck_assert_ptr_null(wg_pool_new(257, NULL));
    wg_pool *all = wg_pool_new(0, NULL);
    ck_assert_int_ge(wg_pool_threads(all), 1);
    wg_pool_free(all);
}
END_TEST

/* One piece for each of four workers: none goes on before all have come. */
static void wait_for_four(int64_t piece, int worker, void *context)
{
    atomic_int *here = context;
    (void)piece;
    (void)worker;
    atomic_fetch_add(here, 1);
    while (atomic_load(here) < 4)
        sched_yield();
}

/* A forked child has no workers: it does its pieces alone, and frees its copy. All workers have
 * started before: one that is starting may hold a lock of the allocator's (AddressSanitizer's, say),
 * which a child would wait for in vain. */
START_TEST(test_forked_child_works_alone)
{
    static job j;
    atomic_int here = 0;
    wg_pool *pool = wg_pool_new(4, NULL);
    wg_pool_run(pool, 4, wait_for_four, &here);
    run(pool, &j, 100);
    for (int i = 0; i < 8; i++) {
        const pid_t child = fork();
        if (child == 0) {
            run(pool, &j, 100);
            wg_pool_free(pool);
            _exit(0);
        }
        int status = -1;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    run(pool, &j, 100);
    wg_pool_free(pool);
}
END_TEST

static void *run_many(void *pool)
{
    job *j = malloc(sizeof *j);
    for (int i = 0; j != NULL && i < 500; i++)
        run(pool, j, 1 + i % 50);
    free(j);
    return NULL;
}

/* Two threads with one pool, against the rules: one of them works alone, and both get all pieces
 * done. */
START_TEST(test_two_callers)
{
    wg_pool *pool = wg_pool_new(3, NULL);
    pthread_t other;
    ck_assert_int_eq(pthread_create(&other, NULL, run_many, pool), 0);
    run_many(pool);
    pthread_join(other, NULL);
    wg_pool_free(pool);
}
END_TEST

START_TEST(test_failing_memory)
{
    wg_pool *pool = NULL;
    for (int64_t at = 1; pool == NULL; at++) {
        wgt_memory m = {.fail_at = at};
        const wg_allocator a = wgt_allocator(&m);
        pool = wg_pool_new(1, &a);
        if (pool == NULL) {
            ck_assert_int_eq(m.blocks, 0);
            continue;
        }
        ck_assert_int_gt(at, 1);
        wg_pool_free(pool);
        ck_assert_int_eq(m.blocks, 0);
    }
}
END_TEST

Suite *suite_pool(void)
{
    Suite *suite = suite_create("pool");
    TCase *cases = tcase_create("pool");
    tcase_add_test(cases, test_every_piece_once);
    tcase_add_test(cases, test_many_jobs);
    tcase_add_test(cases, test_sleepers_are_woken);
    tcase_add_test(cases, test_no_pool);
    tcase_add_test(cases, test_forked_child_works_alone);
    tcase_add_test(cases, test_two_callers);
    tcase_add_test(cases, test_failing_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
