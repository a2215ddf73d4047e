/* Ranks that are processes of one machine, with a pair of sockets between every two. */
#ifndef WGT_SUPPORT_RANKS_H
#define WGT_SUPPORT_RANKS_H

#include "autograd/ranks/ranks.h"

#include <sys/types.h>

enum { WGT_RANKS = 16 }; /* at most */

/* What a rank has sent and taken. It lies in memory that all of them and the test share. */
typedef struct wgt_traffic {
    int64_t sent, taken;   /* messages */
    size_t longest, bytes; /* of those sent */
} wgt_traffic;

/* One rank's part: returns its exit status. It asserts nothing: it writes to memory that is shared
 * (wgt_shared) what the test is to see. */
typedef int wgt_rank_work(const wg_ranks *ranks, void *user);

typedef struct wgt_ranks {
    int n;
    pid_t pid[WGT_RANKS];
    int status[WGT_RANKS]; /* as of waitpid */
    wgt_traffic *traffic;  /* [n], shared */
} wgt_ranks;

/* wgt_ranks_start: n processes begin. wgt_ranks_wait: until all have ended, at most that many
 * seconds: then the rest is killed, and the result is false. wgt_ranks_run: both, and all must end
 * with status 0. */
wgt_ranks wgt_ranks_start(int n, wgt_rank_work *work, void *user);
bool wgt_ranks_wait(wgt_ranks *ranks, int seconds);
void wgt_ranks_run(int n, wgt_rank_work *work, void *user);

/* wgt_shared: zeroed memory that forked processes share with this one; it stays. */
void *wgt_shared(size_t size);

#endif
