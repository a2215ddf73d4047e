/* Text of charts and pages: UTF-8, escaped for XML, and about how wide it is. */
#include "svg.h"

#include <string.h>

/* The bytes of the UTF-8 character at text, 0 where XML has none: overlong forms, surrogates, U+FFFE and
 * U+FFFF. */
static int utf8_length(const unsigned char *text)
{
    int n = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    for (int i = 1; i < n; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) ||
        (text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90) ||
        text[0] > 0xf4)
        return 0;
    return n;
}

bool svg_is_utf8(const char *text)
{
    for (int n; *text != '\0'; text += n)
        if ((n = utf8_length((const unsigned char *)text)) == 0)
            return false;
    return true;
}

/* Widths are those of common sans-serif faces, rounded up, as shares of the font's size. */
double svg_text_width(const char *text, double size)
{
    double width = 0;
    for (int n; *text != '\0'; text += n > 0 ? n : 1) {
        n = utf8_length((const unsigned char *)text);
        width += n > 2                               ? 1
                 : n == 2                            ? 0.7
                 : strchr("iIjlft.,:;|!'() ", *text) ? 0.39
                 : strchr("mwMW@%", *text)           ? 1
                 : *text >= 'A' && *text <= 'Z'      ? 0.77
                                                     : 0.64;
    }
    return width * size;
}

void svg_put_text(FILE *file, const char *text)
{
    for (int n; *text != '\0'; text += n > 0 ? n : 1) {
        n = utf8_length((const unsigned char *)text);
        if (*text == '<')
            fputs("&lt;", file);
        else if (*text == '>')
            fputs("&gt;", file);
        else if (*text == '&')
            fputs("&amp;", file);
        else if (n == 0 || (n == 1 && (*text < 0x20 || *text == 0x7f)))
            fputc('?', file);
        else
            fwrite(text, 1, (size_t)n, file);
    }
}
