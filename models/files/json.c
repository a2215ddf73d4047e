/* JSON: a strict reader that its caller steps through, and strings as JSON. */
#include "models/files/bytes_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <string.h>

bool wg_json_fail(const wg_json *j, const char *wanted)
{
    char shown[WG_SHOWN];
    const char *found = wg_shown(j->at, (size_t)(j->end - j->at), shown);
    wg_fail(j->tape, WG_E_FORMAT, "%s: byte %" PRId64 ": %s wanted, found %s%s%s", j->path,
            j->from + (j->at - j->text), wanted, j->at < j->end ? "'" : "the end of the header",
            found, j->at < j->end ? "'" : "");
    return false;
}

bool wg_json_init(wg_json *j, wg_tape *t, const char *path, char *text, int64_t size, int64_t from)
{
    *j = (wg_json){t, path, text, text, text + size, from};
    *j->end = '\0';
    size_t valid = wg_utf8_invalid(text, (size_t)size);
    j->at = text + valid;
    if (j->at < j->end)
        return wg_json_fail(j, "UTF-8");
    j->at = text;
    return true;
}

static void json_skip_blanks(wg_json *j)
{
    while (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r')
        j->at++;
}

bool wg_json_open(wg_json *j, char bracket)
{
    json_skip_blanks(j);
    if (*j->at != bracket)
        return wg_json_fail(j, bracket == '{' ? "'{'" : "'['");
    j->at++;
    return true;
}

bool wg_json_next(wg_json *j, char close, bool *first, bool *more)
{
    json_skip_blanks(j);
    *more = *j->at != close;
    if (!*more || !*first) {
        if (*more && *j->at != ',')
            return wg_json_fail(j, close == '}' ? "',' or '}'" : "',' or ']'");
        j->at++;
    }
    *first = false;
    return true;
}

/* ---- Strings. -------------------------------------------------------------------------------- */

/* Four hexadecimal digits at j->at. */
static bool json_hex(wg_json *j, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = j->at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return wg_json_fail(j, "four hexadecimal digits");
        *code = *code << 4 | (uint32_t)digit;
    }
    j->at += 4;
    return true;
}

/* What stands behind \u, of which two may make one character. */
static bool json_code_point(wg_json *j, uint32_t *code)
{
    uint32_t low;
    if (!json_hex(j, code))
        return false;
    if (*code == 0)
        return wg_json_fail(j, "a character other than \\u0000");
    if (*code < 0xD800 || *code > 0xDFFF)
        return true;
    if (*code > 0xDBFF || j->at[0] != '\\' || j->at[1] != 'u')
        return wg_json_fail(j, "both halves of a surrogate pair");
    j->at += 2;
    if (!json_hex(j, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return wg_json_fail(j, "the second half of a surrogate pair");
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* UTF-8 of a code point, which is shorter than its escape was. */
static char *json_encode(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(leads[more] | code >> (6 * more));
    while (more-- > 0)
        *to++ = (char)(0x80 | (code >> (6 * more) & 0x3F));
    return to;
}

/* What stands behind a backslash; *to is where it goes. */
static bool json_escape(wg_json *j, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    if (*j->at == 'u') {
        j->at++;
        if (!json_code_point(j, &code))
            return false;
        *to = json_encode(*to, code);
        return true;
    }
    const char *name = *j->at != '\0' ? strchr(names, *j->at) : NULL;
    if (name == NULL)
        return wg_json_fail(j, "an escape");
    *(*to)++ = values[name - names];
    j->at++;
    return true;
}

bool wg_json_string(wg_json *j, char **text)
{
    json_skip_blanks(j);
    if (*j->at != '"')
        return wg_json_fail(j, "a string");
    char *to = ++j->at;
    *text = to;
    while (*j->at != '"') {
        if ((unsigned char)*j->at < ' ')
            return wg_json_fail(j, "a character or the string's end");
        if (*j->at != '\\') {
            *to++ = *j->at++;
            continue;
        }
        j->at++;
        if (!json_escape(j, &to))
            return false;
    }
    j->at++;
    *to = '\0'; /* on the closing quote, or before it */
    return true;
}

bool wg_json_key(wg_json *j, char **text)
{
    if (!wg_json_string(j, text))
        return false;
    json_skip_blanks(j);
    if (*j->at != ':')
        return wg_json_fail(j, "':'");
    j->at++;
    return true;
}

/* ---- Numbers, the end, writing. -------------------------------------------------------------- */

bool wg_json_size(wg_json *j, int64_t *value)
{
    json_skip_blanks(j);
    char *start = j->at;
    *value = 0;
    for (; *j->at >= '0' && *j->at <= '9'; j->at++) {
        if (wg_size_multiply(*value, 10, value) && wg_size_add(*value, *j->at - '0', value))
            continue;
        j->at = start;
        return wg_json_fail(j, "a size below 2^63");
    }
    int64_t digits = j->at - start;
    bool whole = *j->at == '\0' || strchr(".eE+-", *j->at) == NULL;
    if (digits > 0 && whole && (digits == 1 || *start != '0'))
        return true;
    j->at = start;
    return wg_json_fail(j, "a size (digits alone, without a leading 0)");
}

bool wg_json_end(wg_json *j)
{
    json_skip_blanks(j);
    return j->at == j->end || wg_json_fail(j, "the end of the header");
}

void wg_json_write(wg_writer *w, const char *text)
{
    char escape[8];
    wg_writer_put(w, "\"", 1);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            wg_writer_put(w, "\\", 1);
        if ((unsigned char)*text >= ' ') {
            wg_writer_put(w, text, 1);
            continue;
        }
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*text);
        wg_writer_text(w, escape);
    }
    wg_writer_put(w, "\"", 1);
}
