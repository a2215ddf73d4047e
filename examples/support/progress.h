#ifndef EXAMPLES_PROGRESS_H
#define EXAMPLES_PROGRESS_H

#include <wengert.h>

/* The progress of a training on standard error: on a terminal a line that lives, elsewhere a line an epoch. */
typedef struct progress {
    bool live, begun;
} progress;

progress progress_new(void);

/* progress_show: as wg_fit_options.on_epoch, with a progress as its user. */
bool progress_show(const wg_fit_epoch *e, void *user);

/* progress_end: ends the live line, so that others may follow. */
void progress_end(const progress *p);

/* progress_step: what an epoch is called: minimizers of the whole loss have no rate, and make iterations. */
const char *progress_step(double rate);

#endif
