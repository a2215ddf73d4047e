/* The locale of a thread, which platforms set each in their way. */
#include "models/files/platform_internal.h"

#ifdef _WIN32

#include <string.h>

bool wg_c_locale_enter(wg_c_locale *locale)
{
    locale->before = _configthreadlocale(_ENABLE_PER_THREAD_LOCALE);
    const char *name = setlocale(LC_NUMERIC, NULL);
    if (name == NULL || strlen(name) >= sizeof locale->name)
        return false;
    strcpy(locale->name, name);
    return setlocale(LC_NUMERIC, "C") != NULL;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    setlocale(LC_NUMERIC, locale->name);
    _configthreadlocale(locale->before);
}

#else

bool wg_c_locale_enter(wg_c_locale *locale)
{
    locale->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale->c == (locale_t)0)
        return false;
    locale->before = uselocale(locale->c);
    return true;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    uselocale(locale->before);
    freelocale(locale->c);
}

#endif
