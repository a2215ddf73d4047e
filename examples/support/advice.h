#ifndef EXAMPLES_ADVICE_H
#define EXAMPLES_ADVICE_H

#include <wengert.h>

#include "rows.h"

/* advise: after an error, which option of the program helps, on standard error; of a column that there is not,
 * the columns that there are, the nearest names first. */
void advise(bool train, const wg_tape *t, const char *data, const rows_options *options);

#endif
