#include "tests/models/cache_ranks.h"

#include "autograd/hash.h"
#include "autograd/op.h"
#include "models/wengert.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/system.h"

#if WGT_POSIX
#include "tests/support/ranks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Shared by the ranks and the test. */
typedef struct job {
    char file[WGT_PATH], cache[WGT_PATH], checkpoint[WGT_PATH + 8];
    bool svmlight, resume;
    uint64_t hash[WGT_RANKS];
    char message[WGT_RANKS][400];
} job;

static uint64_t trained(wg_tape *t, const wg_ranks *r, const wg_dataset *all, const job *j)
{
    const int64_t rows = wg_dataset_rows(all), first = rows * r->rank / r->size;
    const int64_t n = rows * (r->rank + 1) / r->size - first;
    int64_t *row = calloc((size_t)n + 1, sizeof *row);
    for (int64_t i = 0; i < n; i++)
        row[i] = first + i;
    const wg_dataset part = wg_dataset_take(all, wg_constant(t, WG_I64, WG_SHAPE(n), row));
    const wg_estimator *e = wg_estimator_fit(
        &part, &(wg_estimator_options){
                   .fit = {.epochs = 12, .checkpoint = j->checkpoint, .resume = j->resume}});
    uint64_t hash = 0;
    for (int i = 0; wg_tape_status(t) == WG_OK && i < 2; i++) {
        const wg_tensor *p = e->mlp->params->param[i];
        hash = wg_hash_bytes(hash, p->data, (size_t)p->size * sizeof(double));
    }
    free(row);
    return hash;
}

/* Each trains on its part of the cache's rows. */
static int train(const wg_ranks *r, void *user)
{
    job *j = user;
    wg_csv_cache csv = {.table = NULL};
    wg_svmlight_cache sparse = {.table = NULL};
    wg_pool *pool = wg_pool_new(1 + r->rank % 2, NULL);
    wg_tape *t = wg_tape_new(&(wg_tape_options){.ranks = r, .pool = pool});
    if (j->svmlight)
        sparse = wg_svmlight_cache_open(t, j->file, j->cache, NULL);
    else
        csv = wg_csv_cache_open(t, j->file, j->cache, NULL);
    j->hash[r->rank] = trained(t, r,
                               j->svmlight
                                   ? &(wg_dataset){.table = sparse.table, .sparse = sparse.features}
                                   : &(wg_dataset){.table = csv.table},
                               j);
    const int status = (int)wg_tape_status(t);
    snprintf(j->message[r->rank], sizeof *j->message, "%.399s", wg_tape_message(t));
    wg_svmlight_cache_close(&sparse);
    wg_csv_cache_close(&csv);
    wg_tape_free(t);
    wg_pool_free(pool);
    return status;
}

static void same_on_all(job *j, int ranks, uint64_t want)
{
    memset(j->hash, 0, sizeof j->hash);
    wgt_ranks_run(ranks, train, j);
    for (int i = 0; i < ranks; i++)
        ck_assert_msg(j->hash[i] == want, "%d ranks: other bits on rank %d", ranks, i);
}

static void kill_one(job *j, int ranks, int victim, long nanoseconds)
{
    unlink(j->cache);
    unlink(j->checkpoint);
    j->resume = false;
    memset(j->message, 0, sizeof j->message);
    wgt_ranks r = wgt_ranks_start(ranks, train, j);
    nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
    kill(r.pid[victim], SIGKILL);
    ck_assert(wgt_ranks_wait(&r, 60));
    for (int k = 0; k < ranks; k++)
        ck_assert_msg(k == victim || r.status[k] == 0 || j->message[k][0] != '\0',
                      "rank %d has no message", k);
}

void wgt_cache_ranks(const char *file, const char *cache, bool svmlight, int kills, long pause)
{
    job *j = wgt_shared(sizeof *j);
    j->svmlight = svmlight;
    snprintf(j->file, sizeof j->file, "%s", file);
    snprintf(j->cache, sizeof j->cache, "%s", cache);
    snprintf(j->checkpoint, sizeof j->checkpoint, "%s.state", cache);
    ck_assert_int_eq(train(&(wg_ranks){.size = 1}, j), 0);
    const uint64_t want = j->hash[0];
    for (int ranks = 1; ranks <= 8; ranks += ranks < 3 ? 1 : ranks == 3 ? 2 : 3) {
        unlink(cache);
        same_on_all(j, ranks, want);
    }
    for (int i = 0; i < kills; i++) {
        const int ranks = 2 + i % 3;
        kill_one(j, ranks, i % ranks, pause * (i + 1));
        j->resume = access(j->checkpoint, F_OK) == 0;
        same_on_all(j, 1 + (i + 1) % 4, want);
    }
}
#endif
