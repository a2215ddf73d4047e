/* Reading tests/oracle/optimizers.txt and files of the same form. */
#ifndef WGT_MODELS_OPTIMIZER_GOLDEN_H
#define WGT_MODELS_OPTIMIZER_GOLDEN_H

#include <stddef.h>

/* The numbers of the block whose header begins with `words`: those after these words on the
 * header's line, then those of the lines that follow. Fails the running test unless there are
 * exactly n. */
void wgt_golden(const char *words, size_t n, double *values);

/* The same of another file. */
void wgt_golden_of(const char *path, const char *words, size_t n, double *values);

#endif
