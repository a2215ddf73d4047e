/* Names and texts of the error codes. */
#include "autograd/status.h"

#include <stddef.h>

#define STATUS_NAME(code, text) #code,
static const char *const status_names[] = {WG_STATUS_LIST(STATUS_NAME)};
#undef STATUS_NAME

#define STATUS_TEXT(code, text) text,
static const char *const status_texts[] = {WG_STATUS_LIST(STATUS_TEXT)};
#undef STATUS_TEXT

static size_t status_known(wg_status status)
{
    return (size_t)status < sizeof status_names / sizeof *status_names;
}

const char *wg_status_name(wg_status status)
{
    return status_known(status) ? status_names[status] : "?";
}

const char *wg_status_text(wg_status status)
{
    return status_known(status) ? status_texts[status] : "unknown status";
}
