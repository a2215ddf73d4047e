/* Ranks over sockets. */
#include "tests/support/ranks.h"

#include "tests/support/suites.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct link_end {
    int rank, size;
    int fd[WGT_RANKS]; /* to rank i; -1: none */
    wgt_traffic *traffic;
} link_end;

/* MAP_ANONYMOUS is no part of POSIX 2008: a file without a name does. */
void *wgt_shared(size_t size)
{
    const char *dir = getenv("TMPDIR");
    char name[512];
    snprintf(name, sizeof name, "%s/wengert_shared_XXXXXX", dir != NULL ? dir : "/tmp");
    const int fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    close(fd);
    return memory;
}

/* ---- Messages: the length, then the bytes ---------------------------------------------------- */

static bool link_put(int fd, const void *data, size_t n)
{
    for (const char *at = data; n > 0;) {
        const ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool link_get(int fd, void *data, size_t n)
{
    for (char *at = data; n > 0;) {
        const ssize_t taken = recv(fd, at, n, 0);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken <= 0)
            return false;
        at += taken;
        n -= (size_t)taken;
    }
    return true;
}

static bool link_send(const link_end *e, int partner, const void *data, size_t n)
{
    wgt_traffic *t = e->traffic;
    if (n == 0)
        return true;
    t->sent++;
    t->bytes += n;
    t->longest = n > t->longest ? n : t->longest;
    return link_put(e->fd[partner], &n, sizeof n) && link_put(e->fd[partner], data, n);
}

static bool link_receive(const link_end *e, int partner, void *data, size_t n)
{
    size_t length;
    if (n == 0)
        return true;
    e->traffic->taken++;
    return link_get(e->fd[partner], &length, sizeof length) && length == n &&
           link_get(e->fd[partner], data, n);
}

/* The lower rank speaks first. */
static bool link_exchange(void *user, int partner, const void *out, size_t n_out, void *in,
                          size_t n_in)
{
    const link_end *e = user;
    return e->rank < partner
               ? link_send(e, partner, out, n_out) && link_receive(e, partner, in, n_in)
               : link_receive(e, partner, in, n_in) && link_send(e, partner, out, n_out);
}

/* ---- Processes ------------------------------------------------------------------------------- */

/* Where coverage is counted: what a process that is about to end has reached. */
void __gcov_exit(void) __attribute__((weak));

typedef int link_pairs[WGT_RANKS][WGT_RANKS]; /* [i][j]: i's end of what it shares with j */

static void link_open(link_pairs fd, int n)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++) {
            int pair[2];
            ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            fd[i][j] = pair[0];
            fd[j][i] = pair[1];
        }
}

/* All but those of one rank, so that an end is seen where a rank has ended. */
static void link_close(link_pairs fd, int n, int but)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            if (i != j && i != but)
                close(fd[i][j]);
}

wgt_ranks wgt_ranks_start(int n, wgt_rank_work *work, void *user)
{
    wgt_ranks r = {.n = n, .traffic = wgt_shared((size_t)n * sizeof *r.traffic)};
    link_pairs fd;
    link_open(fd, n);
    for (int i = 0; i < n; i++) {
        r.pid[i] = fork();
        ck_assert_int_ge(r.pid[i], 0);
        if (r.pid[i] != 0)
            continue;
        link_end end = {.rank = i, .size = n, .traffic = &r.traffic[i]};
        link_close(fd, n, i);
        memcpy(end.fd, fd[i], sizeof end.fd);
        const wg_ranks ranks = {.rank = i, .size = n, .exchange = link_exchange, .user = &end};
        const int status = work(&ranks, user);
        if (__gcov_exit != NULL)
            __gcov_exit();
        _exit(status);
    }
    link_close(fd, n, -1);
    return r;
}

bool wgt_ranks_wait(wgt_ranks *r, int seconds)
{
    const time_t end = time(NULL) + seconds;
    bool all = true;
    for (int i = 0; i < r->n; i++) {
        pid_t ended;
        while ((ended = waitpid(r->pid[i], &r->status[i], WNOHANG)) == 0 && time(NULL) < end)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        if (ended != 0)
            continue;
        all = false;
        kill(r->pid[i], SIGKILL);
        waitpid(r->pid[i], &r->status[i], 0);
    }
    return all;
}

void wgt_ranks_run(int n, wgt_rank_work *work, void *user)
{
    wgt_ranks r = wgt_ranks_start(n, work, user);
    ck_assert(wgt_ranks_wait(&r, 300));
    for (int i = 0; i < n; i++)
        ck_assert_msg(r.status[i] == 0, "rank %d of %d ended with %d", i, n, r.status[i]);
}
