#include "models/files/csv_fields_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <string.h>

static bool csv_fields_fail(const wg_csv_scanner *s, int64_t line, const char *reason)
{
    wg_fail(s->tape, WG_E_FORMAT, "%s:%" PRId64 ": %s", s->path, line, reason);
    return false;
}

static bool csv_is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Steps over LF, CRLF or CR. */
static void csv_step_line(wg_csv_scanner *s)
{
    s->at += s->at[0] == '\r' && s->at[1] == '\n' ? 2 : 1;
    s->line++;
}

static int64_t csv_count_lines(const char *from, const char *to)
{
    int64_t lines = 1;
    for (; from < to; from++)
        lines += *from == '\n' || (*from == '\r' && from[1] != '\n');
    return lines;
}

bool wg_csv_scanner_init(wg_csv_scanner *s, wg_tape *t, const char *path, char separator,
                         char *bytes, int64_t size)
{
    *s = (wg_csv_scanner){.tape = t, .path = path, .separator = separator};
    s->at = bytes;
    s->end = bytes + size;
    s->line = 1;
    const char *nul = memchr(bytes, '\0', (size_t)size);
    if (nul != NULL)
        return csv_fields_fail(s, csv_count_lines(bytes, nul),
                               "a NUL byte: not text, or UTF-16 instead of UTF-8");
    if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        s->at += 3;
    return true;
}

void wg_csv_scanner_clear(wg_csv_scanner *s)
{
    wg_temporary_free(s->tape, s->field);
    s->field = NULL;
}

/* Moves the text between quotes to the front of itself, doubled quotes made single. Afterwards s->at is
 * behind the closing quote. */
static bool csv_quoted(wg_csv_scanner *s)
{
    int64_t opened = s->line;
    char *to = s->at++;
    s->field[s->count].text = to;
    for (;;) {
        if (s->at == s->end)
            return csv_fields_fail(s, opened, "the quote that opens here is never closed");
        if (s->at[0] == '"' && s->at[1] != '"')
            break;
        if (s->at[0] == '"')
            s->at++;
        if (s->at[0] == '\n' || (s->at[0] == '\r' && s->at[1] != '\n'))
            s->line++;
        *to++ = *s->at++;
    }
    s->at++;
    char next = *s->at;
    *to = '\0'; /* before the closing quote, or on it: *s->at stays as it is */
    if (s->at == s->end || next == s->separator || csv_is_line_end(next))
        return true;
    return csv_fields_fail(s, s->line, "text behind a closing quote");
}

static bool csv_plain(wg_csv_scanner *s)
{
    s->field[s->count].text = s->at;
    for (; s->at < s->end && *s->at != s->separator && !csv_is_line_end(*s->at); s->at++)
        if (*s->at == '"')
            return csv_fields_fail(s, s->line, "a quote inside a field without quotes");
    return true;
}

/* Reads one field and what ends it, and says in *more whether the record goes on. */
static bool csv_field(wg_csv_scanner *s, bool *more)
{
    if (!wg_temporary_grow(s->tape, (void **)&s->field, &s->capacity, s->count + 1,
                           sizeof *s->field))
        return false;
    s->field[s->count].line = s->line;
    if (!(*s->at == '"' ? csv_quoted(s) : csv_plain(s)))
        return false;
    s->count++;
    char *stop = s->at;
    *more = stop < s->end && *stop == s->separator;
    if (*more)
        s->at++;
    else if (stop < s->end)
        csv_step_line(s);
    *stop = '\0';
    return true;
}

bool wg_csv_record(wg_csv_scanner *s)
{
    s->count = 0;
    while (s->at < s->end && csv_is_line_end(*s->at))
        csv_step_line(s);
    bool more = s->at < s->end;
    while (more)
        if (!csv_field(s, &more))
            return false;
    return true;
}
