/* The locale of a thread, which platforms set each in their way. */
#include "autograd/platform_locale_internal.h"

#include <string.h>

#ifdef _WIN32

static bool locale_is_c(void)
{
    return strcmp(localeconv()->decimal_point, ".") == 0;
}

bool wg_c_locale_enter(wg_c_locale *locale)
{
    const char *name = setlocale(LC_NUMERIC, NULL);
    *locale = (wg_c_locale){.entered = !locale_is_c()};
    if (!locale->entered)
        return true;
    if (name == NULL || strlen(name) >= sizeof locale->name)
        return false;
    strcpy(locale->name, name);
    locale->before = _configthreadlocale(_ENABLE_PER_THREAD_LOCALE);
    if (setlocale(LC_NUMERIC, "C") != NULL)
        return true;
    _configthreadlocale(locale->before);
    return false;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    if (!locale->entered)
        return;
    setlocale(LC_NUMERIC, locale->name);
    _configthreadlocale(locale->before);
}

#else

#include <langinfo.h>

static bool locale_is_c(void)
{
    return strcmp(nl_langinfo(RADIXCHAR), ".") == 0;
}

bool wg_c_locale_enter(wg_c_locale *locale)
{
    *locale = (wg_c_locale){.entered = !locale_is_c()};
    if (!locale->entered)
        return true;
    locale->c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale->c == (locale_t)0)
        return false;
    locale->before = uselocale(locale->c);
    return true;
}

void wg_c_locale_leave(wg_c_locale *locale)
{
    if (!locale->entered)
        return;
    uselocale(locale->before);
    freelocale(locale->c);
}

#endif
