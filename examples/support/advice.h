#ifndef EXAMPLES_ADVICE_H
#define EXAMPLES_ADVICE_H

#include <wengert.h>

#include "rows.h"

/* Who asks: train in a fit has split off the rows that it tests by. */
typedef enum advised { ADVISED_PREDICT, ADVISED_TRAIN, ADVISED_FIT } advised;

/* advise: after an error, which option of the program helps, on standard error; of an unknown column,
 * the columns of the file, the nearest names first. */
void advise(advised who, const wg_tape *t, const char *data, const rows_options *options);

#endif
