/* Decimal numbers in text, whatever the locale. */
#include "models/files/text_internal.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

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

static const char *number_skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static const char *number_skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the decimal number that starts here, or NULL where there is none. strtod alone would take
 * hexadecimal numbers and the names of NaNs as well. */
static const char *number_end(const char *at)
{
    if (*at == '+' || *at == '-')
        at++;
    const char *whole = at;
    at = number_skip_digits(at);
    int64_t digits = at - whole;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = number_skip_digits(fraction);
        digits += at - fraction;
    }
    if (digits == 0)
        return NULL;
    if (*at == 'e' || *at == 'E') {
        const char *exponent = at + 1;
        if (*exponent == '+' || *exponent == '-')
            exponent++;
        at = number_skip_digits(exponent);
        if (at == exponent)
            return NULL;
    }
    return at;
}

static wg_number_kind number_infinite(const char *at, double *value)
{
    bool negative = *at == '-';
    if (*at == '+' || *at == '-')
        at++;
    size_t length = strncasecmp(at, "infinity", 8) == 0 ? 8
                    : strncasecmp(at, "inf", 3) == 0    ? 3
                                                        : 0;
    if (length == 0 || *number_skip_blanks(at + length) != '\0')
        return WG_NUMBER_NONE;
    *value = negative ? -HUGE_VAL : HUGE_VAL;
    return WG_NUMBER_INFINITE;
}

wg_number_kind wg_number_read(const char *text, double *value)
{
    const char *start = number_skip_blanks(text);
    const char *end = number_end(start);
    if (end == NULL)
        return number_infinite(start, value);
    if (*number_skip_blanks(end) != '\0')
        return WG_NUMBER_NONE;
    *value = strtod(start, NULL);
    return isinf(*value) ? WG_NUMBER_TOO_LARGE : WG_NUMBER_FINITE;
}
