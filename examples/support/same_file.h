#ifndef EXAMPLES_SAME_FILE_H
#define EXAMPLES_SAME_FILE_H

#include <wengert.h>

/* same_file: have all ranks the same bytes in that file? WG_E_RANKS on the tape where not, and false. With `parts`
 * each reads only what is near its part of the rows, and near the next one's, so that two look at every byte. */
bool same_file(wg_tape *t, const char *path, bool parts);

#endif
