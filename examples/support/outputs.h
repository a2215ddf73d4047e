#ifndef EXAMPLES_OUTPUTS_H
#define EXAMPLES_OUTPUTS_H

#include <wengert.h>

/* outputs_finite: are these finite, a model's outputs of rows from `first` on? If not, the error is on the tape and
 * names the file, the row and what was found; of the part of the file's rows that `part` names ("test"), if it is not NULL. */
bool outputs_finite(const wg_tensor *Z, const char *file, const char *part, int64_t first);

#endif
