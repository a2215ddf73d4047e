#ifndef EXAMPLES_OUTPUT_H
#define EXAMPLES_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* Files of results, written entirely or not at all: until output_close one is in memory alone. One at a time is
 * open. */

/* output_open: NULL: prints why not. */
FILE *output_open(const char *path);

/* output_close: writes the file, if it is complete; else the one that was there stays. Returns whether it was
 * written; prints why not. */
bool output_close(FILE *file, bool complete);

#endif
