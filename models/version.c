/* Which version of the library this is. */
#include "models/version.h"

#define VERSION_TEXT_(a, b, c) #a "." #b "." #c
#define VERSION_TEXT(a, b, c)  VERSION_TEXT_(a, b, c)

_Static_assert(sizeof WG_VERSION ==
                   sizeof VERSION_TEXT(WG_VERSION_MAJOR, WG_VERSION_MINOR, WG_VERSION_PATCH),
               "the numbers and the text are one version");

const char *wg_version(void)
{
    return WG_VERSION;
}
