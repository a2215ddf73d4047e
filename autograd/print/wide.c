/* How wide values are read: as a double and the rest, and as text with all digits. */
#include "autograd/print/print.h"

#include "autograd/number_text_internal.h"
#include "autograd/tape_internal.h"

#include <math.h>
#include <stdio.h>

#if WG_HAS_WIDE

static const wg_wide *wide_at(const wg_tensor *x, int64_t i)
{
    return wg_is_inert(x) || x->data == NULL || x->dtype != WG_WIDE || i < 0 || i >= x->size
               ? NULL
               : (const wg_wide *)x->data + i;
}

double wg_wide_split(const wg_tensor *x, int64_t i, double *rest)
{
    const wg_wide *value = wide_at(x, i);
    double head = value != NULL ? (double)*value : (double)NAN;
    *rest = value != NULL && isfinite(head) ? (double)(*value - (wg_wide)head) : (double)NAN;
    return head;
}

/* Digits one by one from the value scaled to [1, 10): all that are shown but the last few are
 * right. */
static void wide_digits(wg_wide x, int exponent, char *text, size_t size)
{
    char digits[WG_WIDE_DIGITS + 2];
    for (int i = 0; i < WG_WIDE_DIGITS; i++) {
        int digit = (int)x;
        digit = digit > 9 ? 9 : digit;
        digits[i] = (char)('0' + digit);
        x = (x - digit) * 10;
    }
    digits[WG_WIDE_DIGITS] = '\0';
    snprintf(text, size, "%c.%se%+d", digits[0], digits + 1, exponent);
}

char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size)
{
    const wg_wide *value = wide_at(x, i);
    if (value == NULL || !isfinite((double)(*value / WG_WIDE_MAX)) || *value == 0) {
        wg_format(text, size, "%g", value != NULL ? (double)*value : (double)NAN);
        return text;
    }
    const wg_wide size10 = WG_F(wide, fabs)(*value);
    int exponent = (int)WG_F(wide, floor)(WG_F(wide, log10)(size10));
    wg_wide scaled = size10 / WG_F(wide, pow)((wg_wide)10, (wg_wide)exponent);
    exponent += scaled >= 10 ? 1 : scaled < 1 ? -1 : 0;
    scaled = size10 / WG_F(wide, pow)((wg_wide)10, (wg_wide)exponent);
    const bool negative = *value < 0 && size > 1;
    if (negative)
        text[0] = '-';
    wide_digits(scaled, exponent, text + negative, size - negative);
    return text;
}

#else

double wg_wide_split(const wg_tensor *x, int64_t i, double *rest)
{
    (void)x;
    (void)i;
    *rest = (double)NAN;
    return (double)NAN;
}

char *wg_wide_text(const wg_tensor *x, int64_t i, char *text, size_t size)
{
    (void)x;
    (void)i;
    snprintf(text, size, "nan");
    return text;
}

#endif
