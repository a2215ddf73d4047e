#ifndef EXAMPLES_ROUNDING_H
#define EXAMPLES_ROUNDING_H

#include "train_arguments.h"

/* rounding_warn: of columns whose numbers the training could hardly tell apart: ids of more digits than a double has,
 * and numbers that lie far from 0 for their spread. Prints the first of each kind by its name, and what helps. */
void rounding_warn(const train_arguments *a, const wg_dataset *data);

#endif
