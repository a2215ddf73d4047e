#ifndef EXAMPLES_ADVICE_H
#define EXAMPLES_ADVICE_H

#include <wengert.h>

#include "rows.h"

/* advise: after an error, which option of the program helps, on standard error; of an unknown column,
 * the columns of the file, the nearest names first. */
void advise(bool train, const wg_tape *t, const char *data, const rows_options *options);

#endif
