/* Text from files: as a message may show it, UTF-8, what begins like a compressed file, and decimal
 * numbers, whatever the locale. */
#include "models/files/bytes_internal.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

const char *wg_compressed(const void *bytes, size_t size)
{
    static const struct {
        const char *magic, *name;
    } known[] = {{"\x1F\x8B", "gzip"},
                 {"BZh", "bzip2"},
                 {"\xFD"
                  "7zXZ",
                  "xz"},
                 {"PK\3\4", "zip"},
                 {"\x28\xB5\x2F\xFD", "zstd"}};
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

static const char *number_skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the decimal number that starts here, or NULL where there is none. strtod alone would
 * take hexadecimal numbers and the names of NaNs as well. */
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
