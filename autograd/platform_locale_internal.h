#ifndef WG_AUTOGRAD_PLATFORM_LOCALE_INTERNAL_H
#define WG_AUTOGRAD_PLATFORM_LOCALE_INTERNAL_H

#include <locale.h>
#include <stdbool.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

/* Numbers are written with a point, whatever the user's locale says, of which libc asks for the
 * decimal separator. So reals are printed and read between enter and leave, which give the calling
 * thread (and no other) a locale with a point; in one that has it they do nothing. One number:
 * number_text_internal.h. */
typedef struct wg_c_locale {
    bool entered;
#ifdef _WIN32
    int before;    /* has the thread a locale of its own? */
    char name[64]; /* the one it had */
#else
    locale_t c, before;
#endif
} wg_c_locale;

bool wg_c_locale_enter(wg_c_locale *locale); /* false: no memory, and nothing to leave */
void wg_c_locale_leave(wg_c_locale *locale);

#endif
