#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <signal.h>
#include <wengert.h>

/* The progress of a training on standard error: on a terminal a line that lives; elsewhere the first ten epochs,
 * then each tenth, each hundredth ..., and the last. */
typedef struct progress {
    bool live, quiet, shown; /* shown: the last line was printed */
    int64_t rows;            /* that an epoch goes through */
    int64_t first;           /* epoch of this run, which may go on from a checkpoint; 0: none yet */
    double begun;            /* seconds */
    char line[256];          /* the last one */
} progress;

progress progress_new(int64_t rows, bool quiet);

/* progress_show: as wg_fit_options.on_epoch, with a progress as its user. */
bool progress_show(const wg_fit_epoch *e, void *user);

/* progress_end: the last line, if it was not printed, so that others may follow. */
void progress_end(const progress *p);

/* progress_step: what an epoch is called: minimizers of the whole loss have no rate, and make iterations. */
const char *progress_step(double rate);

/* progress_interrupt: what Ctrl-C sets, for wg_fit_options.stop; a second Ctrl-C ends the program at once. */
const volatile sig_atomic_t *progress_interrupt(void);

#endif
