/* How far a training is, and Ctrl-C. */
#include "progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- Ctrl-C --------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

const volatile sig_atomic_t *progress_interrupt(void)
{
#ifdef SA_RESTART
    struct sigaction once;
    memset(&once, 0, sizeof once);
    once.sa_handler = interrupt;
    once.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &once, NULL);
#else /* Windows, WASI: once, too */
    signal(SIGINT, interrupt);
#endif
    return &interrupted;
}

/* ---- Lines ---------------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

progress progress_new(int64_t rows, bool quiet)
{
    return (progress){
        .live = isatty(STDERR_FILENO), .quiet = quiet, .shown = true, .rows = rows, .begun = now()};
}

const char *progress_step(double rate)
{
    return isnan(rate) ? "iteration" : "epoch";
}

/* "12 s, 3 min left, 24000 rows/s"; what is left is a guess, and none where convergence decides. */
static void describe_time(const progress *p, const wg_fit_epoch *e, char text[80])
{
    double passed = now() - p->begun, epochs = (double)(e->epoch - p->first + 1);
    double left = passed / epochs * (double)(e->epochs - e->epoch);
    int n = snprintf(text, 80, "  %.1f s", passed);
    if (!isnan(e->rate) && e->epoch < e->epochs)
        n += snprintf(text + n, (size_t)(80 - n), left < 100 ? ", %.0f s left" : ", %.0f min left",
                      left < 100 ? left : left / 60);
    snprintf(text + n, (size_t)(80 - n), ", %.3g rows/s",
             passed > 0 ? epochs * (double)p->rows / passed : 0);
}

/* 1 to 10, 20, 30, ... 100, 200, ... */
static bool is_shown(int64_t epoch)
{
    int64_t step = 1;
    while (epoch >= 10 * step)
        step *= 10;
    return epoch % step == 0;
}

/* A live line must not wrap: what stands last is cut off. */
bool progress_show(const wg_fit_epoch *e, void *user)
{
    progress *p = user;
    char accuracy[32] = "", held[64] = "", rate[32] = "", time[80];
    if (p->first == 0)
        p->first = e->epoch;
    describe_time(p, e, time);
    if (!isnan(e->accuracy))
        snprintf(accuracy, sizeof accuracy, "  accuracy %.4f", e->accuracy);
    if (!isnan(e->validation_loss))
        snprintf(held, sizeof held, "  validation %#.6g, %.4f", e->validation_loss,
                 e->validation_score);
    if (!isnan(e->rate) && !p->live)
        snprintf(rate, sizeof rate, "  rate %g", e->rate);
    snprintf(p->line, sizeof p->line, "%s %" PRId64 "/%" PRId64 "  loss %#.6g%s%s%s%s",
             progress_step(e->rate), e->epoch, e->epochs, e->loss, accuracy, held, rate, time);
    p->shown = p->live || is_shown(e->epoch);
    if (p->shown && !p->quiet)
        fprintf(stderr, p->live ? "\r%.79s\033[K" : "%s\n", p->line);
    return true;
}

void progress_end(const progress *p)
{
    if (p->quiet || p->first == 0)
        return;
    if (p->live)
        fputc('\n', stderr);
    else if (!p->shown)
        fprintf(stderr, "%s\n", p->line);
}
