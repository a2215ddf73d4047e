#ifndef WGT_FUZZ_HARNESS_H
#define WGT_FUZZ_HARNESS_H

#include "autograd/tape.h"

/* Reads the file onto the tape, and uses what was read. */
void fuzz_read(wg_tape *t, const char *path);

#endif
