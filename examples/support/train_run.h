#ifndef EXAMPLES_TRAIN_RUN_H
#define EXAMPLES_TRAIN_RUN_H

#include <wengert.h>

/* The program train; ranks NULL: alone. Returns the exit status. */
int train_run(int argc, char **argv, const wg_ranks *ranks);

#endif
