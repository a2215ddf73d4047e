/* Text files as a window that moves over them, whole records at a time. */
#include "models/files/bytes_internal.h"

#include "autograd/op.h"

#include <inttypes.h>
#include <string.h>

enum { WINDOW_BYTES = 1 << 18 };

/* ---- Where records end. ---------------------------------------------------------------------- */

/* Behind the last line end of n bytes; 0: there is none. LF may follow a CR that is the last. */
static int64_t window_lines(const char *text, int64_t n)
{
    while (n > 0 && text[n - 1] != '\n' && !(text[n - 1] == '\r' && text[n] != '\0'))
        n--;
    return n;
}

/* May a quote behind this byte open a field? */
static bool window_separates(const wg_window *w, char c)
{
    if (w->separator == ' ') /* blanks and tabs are one */
        return c == ' ' || c == '\t';
    return w->separator != '\0' ? c == w->separator : strchr(",;\t| ", c) != NULL;
}

/* The same where line ends between quotes do not count. A quote opens at the begin of a field,
 * where blanks may stand before it. */
static int64_t window_quoted_lines(const wg_window *w, const char *text, int64_t n)
{
    const bool first = wg_window_place(w) == 0;
    int64_t end = 0;
    bool quoted = false, fresh = true;
    for (int64_t i = first && strncmp(text, WG_BOM, 3) == 0 ? 3 : 0; i < n; i++) {
        const char c = text[i];
        if (c == '"' && quoted && text[i + 1] == '"') {
            i++;
        } else if (c == '"') {
            quoted = !quoted && fresh;
            fresh = false;
        } else if (quoted) {
            continue;
        } else if (c == '\n' || c == '\r') {
            fresh = true;
            if (c == '\n' || text[i + 1] != '\0')
                end = i + 1;
        } else if (c != ' ' && c != '\t')
            fresh = window_separates(w, c);
        else
            fresh = fresh || window_separates(w, c);
    }
    return end;
}

/* ---- The window. ----------------------------------------------------------------------------- */

bool wg_window_open(wg_window *w, wg_tape *t, const char *path)
{
    *w = (wg_window){.size = 0};
    if (!wg_reader_open(&w->reader, t, path))
        return false;
    w->size = w->reader.size;
    return true;
}

void wg_window_close(wg_window *w)
{
    wg_temporary_free(w->reader.tape, w->memory);
    w->memory = w->text = w->end = NULL;
    wg_reader_close(&w->reader);
}

bool wg_window_restart(wg_window *w)
{
    w->held = 0;
    w->text = w->end = NULL;
    return wg_reader_rewind(&w->reader);
}

int64_t wg_window_place(const wg_window *w)
{
    return w->reader.size - w->reader.left - w->held;
}

/* The line that byte `at` is on, the first being on `line`. */
static int64_t window_line(const char *text, const char *at, int64_t line)
{
    for (const char *c = text; c < at; c++)
        line += *c == '\n' || (*c == '\r' && c[1] != '\n');
    return line;
}

/* More of the file behind what is held; a NUL behind it all. */
static bool window_read(wg_window *w, int64_t line)
{
    wg_reader *r = &w->reader;
    const bool first = r->left == w->size;
    const int64_t have = w->held > WINDOW_BYTES ? w->held : WINDOW_BYTES; /* doubles, if need be */
    const int64_t more = r->left < have ? r->left : have;
    if (!wg_temporary_grow(r->tape, (void **)&w->memory, &w->capacity, w->held + more + 1, 1) ||
        !wg_reader_take(r, w->memory + w->held, more))
        return false;
    char *from = w->memory + w->held;
    const char *nul = memchr(from, '\0', (size_t)more);
    w->held += more;
    w->memory[w->held] = '\0';
    if (first && wg_reader_refuses(r->tape, r->path, w->memory, w->held))
        return false;
    if (nul == NULL)
        return true;
    wg_fail(r->tape, WG_E_FORMAT,
            "%s:%" PRId64 ": a NUL byte: not text, or UTF-16 instead of UTF-8", r->path,
            window_line(w->memory, nul, line));
    return false;
}

/* How many bytes are whole records; 0: none is yet. */
static int64_t window_records(const wg_window *w)
{
    if (w->reader.left == 0)
        return w->held;
    return w->quotes && memchr(w->memory, '"', (size_t)w->held) != NULL
               ? window_quoted_lines(w, w->memory, w->held)
               : window_lines(w->memory, w->held);
}

bool wg_window_next(wg_window *w, int64_t line)
{
    if (w->end != NULL) {
        *w->end = w->behind;
        w->held -= w->end - w->memory;
        memmove(w->memory, w->end, (size_t)w->held);
    }
    int64_t whole = 0;
    do {
        if (!window_read(w, line))
            return false;
        whole = window_records(w);
    } while (whole == 0 && w->reader.left > 0);
    w->text = w->memory;
    w->end = w->memory + whole;
    w->behind = *w->end;
    *w->end = '\0';
    return true;
}
