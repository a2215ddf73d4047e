#ifndef EXAMPLES_IDENTIFIERS_H
#define EXAMPLES_IDENTIFIERS_H

#include "train_arguments.h"

/* identifiers_warn: of columns that tell rows apart rather than say something of them: numbers that count the rows,
 * as pandas and R write them in front, and strings of which most stand in one row alone. */
void identifiers_warn(const train_arguments *a, const wg_dataset *data);

#endif
