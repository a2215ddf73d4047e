/* Text from files: as a message may show it, UTF-8, what begins like a file of another kind, and
 * decimal numbers, whatever the locale. */
#include "models/files/bytes_internal.h"

#include "autograd/number_text_internal.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *wg_shown(const char *text, size_t size, char shown[WG_SHOWN])
{
    size_t i = 0;
    for (; i < size && i < WG_SHOWN - 4; i++)
        shown[i] = (unsigned char)text[i] < ' ' || text[i] == 127 ? '?' : text[i];
    strcpy(shown + i, i < size ? "..." : "");
    return shown;
}

/* Bytes of the sequence that begins so, and the least code point that needs as many; 0: none
 * does. */
static size_t text_sequence(unsigned char lead, uint32_t *code, uint32_t *least)
{
    size_t length = lead < 0x80             ? 1
                    : (lead & 0xE0) == 0xC0 ? 2
                    : (lead & 0xF0) == 0xE0 ? 3
                    : (lead & 0xF8) == 0xF0 ? 4
                                            : 0;
    static const uint32_t leasts[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    *code = lead & masks[length];
    *least = leasts[length];
    return length;
}

size_t wg_utf8_invalid(const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t code, least;
        size_t length = text_sequence((unsigned char)bytes[at], &code, &least);
        if (length == 0 || length > size - at)
            return at;
        for (size_t i = 1; i < length; i++) {
            unsigned char next = (unsigned char)bytes[at + i];
            if ((next & 0xC0) != 0x80)
                return at;
            code = code << 6 | (next & 0x3F);
        }
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return at;
        at += length;
    }
    return size;
}

const char *wg_foreign(const void *bytes, size_t size)
{
    static const struct {
        const char *magic, *name;
    } known[] = {
        {"\x1F\x8B", "a gzip file; unpack it first: gunzip -c FILE.gz > FILE, or into a pipe"},
        {"BZh", "a bzip2 file; unpack it first"},
        {"\xFD"
         "7zXZ",
         "an xz file; unpack it first"},
        {"PK\3\4", "a zip file, of Excel's perhaps; unpack it, or save it as CSV"},
        {"\x28\xB5\x2F\xFD", "a zstd file; unpack it first"},
        {"\xD0\xCF\x11\xE0", "an old Excel file; save it as CSV"},
        {"PAR1", "a Parquet file; write it as CSV or NPY"},
        {"ARROW1", "an Arrow file; write it as CSV or NPY"},
        {"\x89HDF", "an HDF5 file; write it as CSV or NPY"},
        {"SQLite format 3", "an SQLite file; write its table as CSV"},
        {"%PDF-", "a PDF file, not a table"},
        {"\x89PNG", "a PNG file, not a table"},
        {"<!DOCTYPE", "a web page, not a table"},
        {"<html", "a web page, not a table"},
        {"version https://git-lfs", "a pointer of Git LFS, not the data: git lfs pull"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].magic);
        if (size >= length && memcmp(bytes, known[i].magic, length) == 0)
            return known[i].name;
    }
    return NULL;
}

/* ---- Numbers. -------------------------------------------------------------------------------- */

static const char *number_skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* A decimal number as it is scanned: (-1)^negative * digits * 10^exponent, where the first 19
 * significant digits suffice to say it. */
typedef struct number_decimal {
    uint64_t digits;
    int64_t exponent;
    bool negative, exact; /* exact: no digit but zeros was left out, the exponent is a small one */
} number_decimal;

/* Digits from here on, up to the first byte that is none; the first 19 significant ones count. */
static const char *number_scan_digits(const char *at, number_decimal *d)
{
    uint64_t digits = d->digits;
    for (; *at >= '0' && *at <= '9' && digits < UINT64_C(1000000000000000000); at++)
        digits = 10 * digits + (uint64_t)(*at - '0');
    d->digits = digits;
    for (; *at >= '0' && *at <= '9'; at++) {
        d->exact &= *at == '0';
        d->exponent++;
    }
    return at;
}

/* What follows an e: at most 4 digits count. NULL where there are none. */
static const char *number_scan_exponent(const char *at, number_decimal *d)
{
    const bool negative = *at == '-';
    at += *at == '+' || *at == '-';
    const char *start = at;
    int64_t exponent = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        exponent = exponent < 10000 ? 10 * exponent + (*at - '0') : exponent;
    d->exact &= exponent < 10000;
    d->exponent += negative ? -exponent : exponent;
    return at > start ? at : NULL;
}

/* The end of the decimal number that starts here, or NULL where there is none. strtod alone would
 * take hexadecimal numbers and the names of NaNs as well. */
static const char *number_scan(const char *at, number_decimal *d)
{
    *d = (number_decimal){.negative = *at == '-', .exact = true};
    at += *at == '+' || *at == '-';
    const char *whole = at;
    at = number_scan_digits(whole, d);
    bool any = at > whole;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = number_scan_digits(fraction, d);
        d->exponent -= at - fraction;
        any |= at > fraction;
    }
    if (!any)
        return NULL;
    return *at == 'e' || *at == 'E' ? number_scan_exponent(at + 1, d) : at;
}

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 number_u128;

/* digits / 10^k for digits > 0 and 0 < k <= 27, rounded to nearest, ties to even. With 5^k of b
 * bits, digits moved up to 64 bits, by s, and by 2^(b-1) more, the quotient has 63 or 64 bits; the
 * remainder goes into its last one, so that it is rounded once, when it becomes a double. */
static double number_divided(uint64_t digits, int k)
{
    uint64_t five = 1;
    for (int i = 0; i < k; i++)
        five *= 5;
    const int s = __builtin_clzll(digits), bits = 64 - __builtin_clzll(five);
    const number_u128 dividend = (number_u128)(digits << s) << (bits - 1);
    const uint64_t quotient = (uint64_t)(dividend / five);
    const bool rest = (number_u128)quotient * five != dividend;
    return ldexp((double)(quotient | rest), 1 - bits - s - k);
}
#endif

/* True: *value is d, correctly rounded. Digits and a power of ten that are exact doubles need one
 * operation, which rounds once. Source: Clinger 1990, "How to read floating point numbers
 * accurately", section 4. */
static bool number_small(const number_decimal *d, double *value)
{
    static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int64_t e = d->exponent;
    if (!d->exact)
        return false;
    if (d->digits <= UINT64_C(1) << 53 && e >= -22 && e <= 22)
        *value = e < 0 ? (double)d->digits / ten[-e] : (double)d->digits * ten[e];
#ifdef __SIZEOF_INT128__
    else if (d->digits > 0 && e < 0 && e >= -27)
        *value = number_divided(d->digits, (int)-e);
#endif
    else
        return false;
    if (d->negative)
        *value = -*value;
    return true;
}

/* Does the text begin with that word, in letters of either size? Turkish has its own i. */
static bool number_begins(const char *text, const char *word)
{
    for (; *word != '\0'; text++, word++)
        if (*text != *word && *text != *word - 'a' + 'A')
            return false;
    return true;
}

static wg_number_kind number_infinite(const char *at, double *value)
{
    bool negative = *at == '-';
    if (*at == '+' || *at == '-')
        at++;
    size_t length = number_begins(at, "infinity") ? 8 : number_begins(at, "inf") ? 3 : 0;
    if (length == 0 || *number_skip_blanks(at + length) != '\0')
        return WG_NUMBER_NONE;
    *value = negative ? -HUGE_VAL : HUGE_VAL;
    return WG_NUMBER_INFINITE;
}

wg_number_kind wg_number_read(const char *text, double *value)
{
    const char *start = number_skip_blanks(text);
    number_decimal decimal;
    const char *end = number_scan(start, &decimal);
    if (end == NULL)
        return number_infinite(start, value);
    if (*number_skip_blanks(end) != '\0')
        return WG_NUMBER_NONE;
    if (!number_small(&decimal, value))
        *value = wg_scan_double(start, NULL);
    return isinf(*value) ? WG_NUMBER_TOO_LARGE : WG_NUMBER_FINITE;
}

bool wg_number_loses(const char *text, double value)
{
    if (fabs(value) < 0x1p53)
        return false;
    text = number_skip_blanks(text);
    text += *text == '-' || *text == '+';
    if (*number_skip_blanks(text + strspn(text, "0123456789")) != '\0')
        return false;
    return fabs(value) >= 0x1p64 || strtoull(text, NULL, 10) != (uint64_t)fabs(value);
}
