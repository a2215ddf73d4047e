#ifndef WG_MODELS_FILES_NUMBER_INTERNAL_H
#define WG_MODELS_FILES_NUMBER_INTERNAL_H

#include <locale.h>
#include <stdbool.h>

/* Numbers in files are written with a point, whatever the user's locale says. strtod rounds correctly
 * but asks LC_NUMERIC for the decimal separator; so numbers are read between enter and leave, which
 * give the calling thread (and no other) the C locale. */
typedef struct wg_c_locale {
    locale_t c, before;
} wg_c_locale;

bool wg_c_locale_enter(wg_c_locale *locale); /* false: no memory, and nothing to leave */
void wg_c_locale_leave(wg_c_locale *locale);

typedef enum wg_number_kind {
    WG_NUMBER_NONE,     /* the text is no number */
    WG_NUMBER_FINITE,   /* correctly rounded; what is too small to be told from zero is zero */
    WG_NUMBER_INFINITE, /* "inf" or "infinity", in any case, with or without a sign */
    WG_NUMBER_TOO_LARGE /* a decimal number beyond the largest double */
} wg_number_kind;

/* wg_number_read: reads a decimal number, [+-]digits[.digits][e[+-]digits] with a digit before or
 * after the point, which may have blanks around it and nothing else. Hexadecimal numbers and NaN are
 * no numbers here. *value is set where the kind is not NONE. */
wg_number_kind wg_number_read(const char *text, double *value);

#endif
