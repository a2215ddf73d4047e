/* Fields of CSV files: separators, quotes, records, and errors that name a field. */
#include "models/files/csv_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

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

static bool csv_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- The separator. -------------------------------------------------------------------------- */

enum { CSV_LINES = 20 }; /* looked at, at most */

/* How many separators c, outside quotes, stand in each of the first lines; 0 where that differs, -1
 * where there is no line. *first: in the first line. Blanks separate what is not blank. */
static int64_t csv_regular(const char *text, char c, int64_t *first)
{
    int64_t count = 0, lines = 0;
    bool quoted = false, seen = false, blank = false, regular = true;
    for (*first = -1; lines < CSV_LINES; text++) {
        quoted = *text == '"' ? !quoted : quoted && *text != '\0';
        if (!quoted && (csv_is_line_end(*text) || *text == '\0')) {
            regular &= !seen || *first < 0 || count == *first;
            if (seen && lines++ == 0)
                *first = count;
            count = 0;
            seen = blank = false;
            if (*text == '\0')
                break;
            continue;
        }
        count += !quoted && (c == ' ' ? blank && seen && !csv_is_blank(*text) : *text == c);
        blank = csv_is_blank(*text);
        seen |= !blank || c == '\t';
    }
    return regular ? *first : 0;
}

char wg_csv_separator(const char *text)
{
    static const char candidates[] = ",;\t|";
    char best = '\0', there = '\0';
    int64_t most = 0, first;
    for (const char *c = candidates; *c != '\0'; c++) {
        int64_t count = csv_regular(text, *c, &first);
        if (there == '\0' && first > 0)
            there = *c;
        if (count > most) {
            most = count;
            best = *c;
        }
    }
    if (best != '\0' || there != '\0')
        return best != '\0' ? best : there;
    return csv_regular(text, ' ', &first) > 0 ? ' ' : ',';
}

/* ---- Records. -------------------------------------------------------------------------------- */

/* Steps over LF, CRLF or CR. */
static void csv_step_line(wg_csv_scanner *s)
{
    s->at += s->at[0] == '\r' && s->at[1] == '\n' ? 2 : 1;
    s->line++;
}

/* Steps over blanks, but for a tab that separates. */
static void csv_step_blanks(wg_csv_scanner *s)
{
    while (*s->at == ' ' || (*s->at == '\t' && s->separator != '\t'))
        s->at++;
}

/* At the first byte behind a byte order mark of text without a NUL byte but the one behind its end.
 * The array of fields stays, if there was one. */
static void csv_scanner_init(wg_csv_scanner *s, wg_tape *t, const char *path, char separator,
                             const wg_window *window)
{
    wg_csv_field *field = s->field;
    int64_t capacity = s->capacity;
    *s = (wg_csv_scanner){.tape = t, .path = path, .separator = separator};
    s->field = field;
    s->capacity = capacity;
    s->at = window->text + (strncmp(window->text, WG_BOM, 3) == 0 ? 3 : 0);
    s->end = window->end;
    s->line = 1;
    for (const char *c = "\r\n\""; *c != '\0'; c++)
        s->stops[(unsigned char)*c] = true;
    s->stops['\0'] = s->stops[(unsigned char)separator] = true;
    s->stops['\t'] |= separator == ' ';
}

void wg_csv_scanner_clear(wg_csv_scanner *s)
{
    wg_temporary_free(s->tape, s->field);
    s->field = NULL;
}

/* Moves the text between quotes to the front of itself, doubled quotes made single. Afterwards
 * s->at is behind the closing quote and the blanks after it. */
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
    *s->at++ = ' '; /* the closing quote; *to may be it */
    if (s->separator != ' ')
        csv_step_blanks(s);
    *to = '\0'; /* before s->at, which stays as it is */
    if (*s->at != '"' && s->stops[(unsigned char)*s->at])
        return true;
    return csv_fields_fail(s, s->line, "text behind a closing quote");
}

static bool csv_plain(wg_csv_scanner *s)
{
    char *start = s->at, *end = start;
    while (!s->stops[(unsigned char)*end])
        end++;
    s->at = end;
    if (*end == '"')
        return csv_fields_fail(s, s->line, "a quote inside a field without quotes");
    s->field[s->count].text = start;
    if (end > start && csv_is_blank(end[-1])) {
        while (end > start && csv_is_blank(end[-1]))
            end--;
        *end = '\0';
    }
    return true;
}

/* Reads one field and what ends it, and says in *more whether the record goes on. */
static bool csv_field(wg_csv_scanner *s, bool *more)
{
    if (!wg_temporary_grow(s->tape, (void **)&s->field, &s->capacity, s->count + 1,
                           sizeof *s->field))
        return false;
    csv_step_blanks(s);
    s->field[s->count].line = s->line;
    if (!(*s->at == '"' ? csv_quoted(s) : csv_plain(s)))
        return false;
    s->count++;
    char *stop = s->at;
    *more = stop < s->end && !csv_is_line_end(*stop);
    if (*more)
        s->at++;
    if (*more && s->separator == ' ') { /* blanks at the end of a line separate nothing */
        csv_step_blanks(s);
        *more = s->at < s->end && !csv_is_line_end(*s->at);
    }
    s->stop = s->at;
    if (!*more && s->at < s->end)
        csv_step_line(s);
    *stop = '\0';
    return true;
}

/* The next record; count = 0 at the end of the text. */
static bool csv_record(wg_csv_scanner *s)
{
    s->count = 0;
    s->begin = s->at;
    csv_step_blanks(s);
    while (s->at < s->end && csv_is_line_end(*s->at)) {
        csv_step_line(s);
        s->begin = s->at;
        csv_step_blanks(s);
    }
    bool more = s->at < s->end;
    while (more)
        if (!csv_field(s, &more))
            return false;
    return true;
}

/* ---- Of a file: what its fields are, and errors that name them. ------------------------------ */

bool wg_csv_restart(wg_csv_file *f)
{
    f->window.quotes = true;
    f->window.separator = f->options.separator;
    if (!wg_window_restart(&f->window) || !wg_window_next(&f->window, 1))
        return false;
    csv_scanner_init(&f->scanner, f->tape, f->path, f->options.separator, &f->window);
    return true;
}

bool wg_csv_next(wg_csv_file *f)
{
    wg_csv_scanner *s = &f->scanner;
    while (csv_record(s)) {
        if (s->count > 0)
            return true;
        if (!wg_window_next(&f->window, s->line))
            return false;
        s->at = f->window.text;
        s->end = f->window.end;
        if (s->at == s->end)
            return true;
    }
    return false;
}

wg_csv_place wg_csv_place_of(const wg_csv_file *f)
{
    const int64_t text = wg_window_place(&f->window);
    return (wg_csv_place){text + (f->scanner.begin - f->window.text),
                          text + (f->scanner.stop - f->window.text)};
}

bool wg_csv_is_missing(const wg_csv_file *f, const char *text)
{
    const char *const *missing = f->options.missing_texts;
    if (!f->missing_begins[(unsigned char)*text])
        return false;
    while (*missing != NULL && strcmp(*missing, text) != 0)
        missing++;
    return *missing != NULL;
}

bool wg_csv_is_number(const char *text)
{
    double value;
    return wg_number_read(text, &value) != WG_NUMBER_NONE;
}

bool wg_csv_fail_text(const wg_csv_file *f, int64_t column, const char *text, int64_t line,
                      const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(f->tape, WG_E_FORMAT, "%s:%" PRId64 ": column %" PRId64 " (%s): '%s' %s", f->path, line,
            column + 1, wg_shown_text(f->column[column].name).s,
            wg_shown(text, strlen(text), shown), reason);
    return false;
}

bool wg_csv_fail_field(const wg_csv_file *f, int64_t column, const char *reason)
{
    const wg_csv_field *field = &f->scanner.field[column];
    return wg_csv_fail_text(f, column, field->text, field->line, reason);
}

bool wg_csv_fail(const wg_csv_file *f, wg_status status, const char *reason)
{
    wg_fail(f->tape, status, "%s: %s", f->path, reason);
    return false;
}
