/* Numbers as text, with a point in every locale. */
#include "autograd/number_text_internal.h"

#include "autograd/op.h"
#include "autograd/platform_locale_internal.h"

#include <math.h>
#include <stdlib.h>

int wg_format_list(char *text, size_t size, const char *format, va_list arguments)
{
    wg_c_locale locale;
    const bool entered = wg_c_locale_enter(&locale);
    const int length = vsnprintf(text, size, format, arguments);
    if (entered)
        wg_c_locale_leave(&locale);
    return length;
}

int wg_format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = wg_format_list(text, size, format, arguments);
    va_end(arguments);
    return length;
}

int wg_format_to(FILE *out, const char *format, ...)
{
    wg_c_locale locale;
    va_list arguments;
    const bool entered = wg_c_locale_enter(&locale);
    va_start(arguments, format);
    const int length = vfprintf(out, format, arguments);
    va_end(arguments);
    if (entered)
        wg_c_locale_leave(&locale);
    return length;
}

double wg_scan_double(const char *text, char **end)
{
    wg_c_locale locale;
    const bool entered = wg_c_locale_enter(&locale);
    const double value = strtod(text, end);
    if (entered)
        wg_c_locale_leave(&locale);
    return value;
}

bool wg_scans_as(const char *text, double value, bool as_float)
{
    wg_c_locale locale;
    const bool entered = wg_c_locale_enter(&locale);
    const bool same = as_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
    if (entered)
        wg_c_locale_leave(&locale);
    return same;
}

/* From those that any number needs to those that tell all of them apart. */
wg_text wg_number_text(double value, wg_dtype dtype)
{
    const bool f32 = dtype == WG_F32;
    wg_text text = {"nan"};
    for (int digits = f32 ? 6 : 15; !isnan(value) && digits <= (f32 ? 9 : 17); digits++) {
        wg_format(text.s, sizeof text.s, "%.*g", digits, value);
        if (wg_scans_as(text.s, value, f32))
            break;
    }
    return text;
}
