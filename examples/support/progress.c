#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

progress progress_new(void)
{
    return (progress){.live = isatty(STDERR_FILENO)};
}

const char *progress_step(double rate)
{
    return isnan(rate) ? "iteration" : "epoch";
}

/* A live line must not wrap; where there is little room, the rate is left out. */
bool progress_show(const wg_fit_epoch *e, void *user)
{
    progress *p = user;
    char accuracy[32] = "", held[64] = "", rate[32] = "", line[256];
    if (!isnan(e->accuracy))
        snprintf(accuracy, sizeof accuracy, "  accuracy %.4f", e->accuracy);
    if (!isnan(e->validation_loss))
        snprintf(held, sizeof held, "  validation %#.6g, %.4f", e->validation_loss,
                 e->validation_score);
    if (!isnan(e->rate) && (!p->live || held[0] == '\0'))
        snprintf(rate, sizeof rate, "  rate %g", e->rate);
    snprintf(line, sizeof line, "%s %" PRId64 "/%" PRId64 "  loss %#.6g%s%s%s",
             progress_step(e->rate), e->epoch, e->epochs, e->loss, accuracy, held, rate);
    fprintf(stderr, p->live ? "\r%.79s\033[K" : "%s\n", line);
    p->begun = true;
    return true;
}

void progress_end(const progress *p)
{
    if (p->live && p->begun)
        fputc('\n', stderr);
}
