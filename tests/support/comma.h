/* A locale that writes 0,5: no machine need have one installed. */
#ifndef WGT_SUPPORT_COMMA_H
#define WGT_SUPPORT_COMMA_H

#include <stdbool.h>

/* wgt_comma_begin: the program's numbers have a decimal comma from here on, and thousands that are
 * set off; false where there is no such locale and none can be made: musl, WASI.
 * wgt_comma_end: they are C's again; fails the running test where they had a point. */
bool wgt_comma_begin(void);
void wgt_comma_end(void);

#endif
