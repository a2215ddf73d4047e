/* Errors are values: recording one, its words, and the tapes and tensors that stand for failure. */
#include "autograd/tape_internal.h"

#include "autograd/number_text_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- Tapes that have an error from the start ------------------------------------------------- */

/* What failed builders return is no tensor, but has what every tensor has. */
static const wg_op error_op = {.name = "inert", .formula = WG_OP_TEXT("x"), .flags = WG_OP_LEAF};

#define ERROR_TAPE(which, code, text)                                                              \
    {                                                                                              \
        .status = (code), .message = text,                                                         \
        .inert = {.tape = &error_tape[which], .op = &error_op, .index = -1, .dtype = WG_F64},      \
    }

/* Stand for 'no memory', 'no tape' and 'no way to memory', for every thread. They are never
 * written: their status is an error from the start, and nothing is recorded on a tape that has
 * one. */
static wg_tape error_tape[3] = {
    ERROR_TAPE(0, WG_E_NOMEM, "tape: out of memory"),
    ERROR_TAPE(1, WG_E_NULL, "the tape is NULL"),
    ERROR_TAPE(2, WG_E_NULL, "tape: the allocator lacks reallocate or release"),
};
#undef ERROR_TAPE

wg_tape *wg_inert_tape(void)
{
    return &error_tape[0];
}

wg_tape *wg_null_tape(void)
{
    return &error_tape[1];
}

wg_tape *wg_misallocated_tape(void)
{
    return &error_tape[2];
}

bool wg_tape_is_real(const wg_tape *t)
{
    return t != NULL && t != &error_tape[0] && t != &error_tape[1] && t != &error_tape[2];
}

wg_tape *wg_first_tape(wg_tensor *const operands[], int n)
{
    wg_tape *t = wg_null_tape();
    for (int i = 0; operands != NULL && i < n; i++) {
        if (operands[i] == NULL)
            continue;
        if (wg_tape_is_real(operands[i]->tape))
            return operands[i]->tape;
        if (t == wg_null_tape())
            t = operands[i]->tape;
    }
    return t;
}

/* ---- Text as a terminal may show it ---------------------------------------------------------- */

static bool error_goes_on(char c) /* is it a byte of UTF-8 behind a character's first? */
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* How many bytes follow this one in a character of UTF-8. */
static int error_following(unsigned char c)
{
    return c >= 0xC2 && c < 0xE0 ? 1 : c >= 0xE0 && c < 0xF0 ? 2 : c >= 0xF0 && c < 0xF5 ? 3 : 0;
}

/* "?" for control characters, with which a file's bytes would write on a terminal what they like:
 * those of ASCII, and U+0080 to U+009F, in UTF-8 (0xC2 first) or a byte that is no part of it. */
static void error_clean(char *text)
{
    unsigned char first = 0; /* of the character that `left` more bytes belong to */
    for (int left = 0; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        const bool goes_on = left > 0 && error_goes_on(*text), high = c >= 0x80 && c < 0xA0;
        if (goes_on && high && first == 0xC2)
            text[-1] = '?';
        if (c < ' ' || c == 127 || (high && (!goes_on || first == 0xC2)))
            *text = '?';
        left = goes_on ? left - 1 : error_following(c);
        first = goes_on ? first : c;
    }
}

/* "nan" for "-nan", as printf shows a NaN whose sign says nothing. */
static void error_unsign(char *text)
{
    for (char *at = text; (at = strstr(at, "-nan")) != NULL; at++) {
        const bool begins = at == text || strchr(" (='", at[-1]) != NULL;
        if (begins && strchr(" ),;:'", at[4]) != NULL) /* or the end */
            memmove(at, at + 1, strlen(at));
    }
}

/* The text's begin and end with "..." between them; characters of UTF-8 stay whole. */
static void error_shorten(const char *text, char *shown, size_t size)
{
    const size_t length = strlen(text);
    if (length < size) {
        memcpy(shown, text, length + 1);
        return;
    }
    size_t head = (size - 4) / 2, tail = length - (size - 4 - head);
    while (head > 0 && error_goes_on(text[head]))
        head--;
    while (error_goes_on(text[tail]))
        tail++;
    memcpy(shown, text, head);
    memcpy(shown + head, "...", 3);
    memcpy(shown + head + 3, text + tail, length - tail + 1);
}

wg_text wg_shown_text(const char *text)
{
    enum { SHOWN = 60 };
    wg_text shown = {""};
    error_shorten(text != NULL ? text : "NULL", shown.s, SHOWN + 1);
    error_clean(shown.s);
    return shown;
}

/* ---- Recording an error ---------------------------------------------------------------------- */

/* The one place where errors are recorded. */
static void fail_record(wg_tape *t, wg_status status, const char *message)
{
    if (t->status != WG_OK)
        return;
    t->status = status;
    if (message != t->message)
        snprintf(t->message, sizeof t->message, "%s", message);
    error_clean(t->message);
    error_unsign(t->message);
    if (t->options.on_error != NULL)
        t->options.on_error(status, t->message, t->options.on_error_user);
}

/* A message that is too long for its room, with its begin and its end, which says what was found;
 * without memory it stays as it is, cut. */
static WG_PRINTF(4, 0) void fail_form_long(const wg_tape *t, char message[WG_MESSAGE_SIZE],
                                           int length, const char *format, va_list arguments)
{
    const wg_allocator *from = &t->options.allocator;
    const size_t size = (size_t)length + 1;
    char *whole = from->allocate != NULL ? from->allocate(size, from->user) : NULL;
    if (whole == NULL)
        return;
    wg_format_list(whole, size, format, arguments);
    error_shorten(whole, message, WG_MESSAGE_SIZE);
    from->release(whole, from->user);
}

wg_tensor *wg_fail(wg_tape *t, wg_status status, const char *format, ...)
{
    if (t == NULL)
        t = wg_null_tape();
    char message[WG_MESSAGE_SIZE];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = wg_format_list(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length >= WG_MESSAGE_SIZE && t->status == WG_OK)
        fail_form_long(t, message, length, format, again);
    va_end(again);
    fail_record(t, status, message);
    return &t->inert;
}

wg_text wg_tensor_text(const wg_tensor *x)
{
    wg_text text;
    char shape[WG_SHAPE_TEXT];
    if (x == NULL)
        snprintf(text.s, sizeof text.s, "NULL");
    else if (wg_is_inert(x))
        snprintf(text.s, sizeof text.s, "an inert tensor");
    else if (x->name != NULL)
        snprintf(text.s, sizeof text.s, "%.60s %s", wg_shown_text(x->name).s,
                 wg_shape_text(&x->shape, shape, sizeof shape));
    else
        snprintf(text.s, sizeof text.s, "%s#%" PRId64 " %s", x->op->name, x->index,
                 wg_shape_text(&x->shape, shape, sizeof shape));
    return text;
}

/* " x "-separated, as many as fit; dtypes are shown where they are what is wrong. Of many operands
 * those that are like the first are "...": the odd one is to be seen. */
static void fail_operands(const wg_tensor *y, wg_status status, char *text, size_t size)
{
    enum { MANY = 6 };
    const wg_tensor *first = y->n_operands > MANY ? y->operand[0] : NULL;
    size_t used = strlen(text);
    bool left_out = false;
    for (int i = 0; i < y->n_operands && used < size; i++) {
        const wg_tensor *x = y->operand[i];
        const char *dtype = status == WG_E_DTYPE ? wg_dtype_name(x->dtype) : "";
        const bool alike = i > 0 && first != NULL && x->dtype == first->dtype &&
                           wg_shape_same(&x->shape, &first->shape);
        if (!alike)
            snprintf(text + used, size - used, "%s%s%s%s", i == 0 ? ": " : " x ",
                     wg_tensor_text(x).s, *dtype ? " " : "", dtype);
        else if (!left_out)
            snprintf(text + used, size - used, " x ...");
        left_out = alike;
        used += strlen(text + used);
    }
}

bool wg_op_fail(const wg_tensor *y, wg_status status, const char *format, ...)
{
    char message[WG_MESSAGE_SIZE];
    bool named = (y->op->flags & WG_OP_LEAF) && y->name != NULL;
    snprintf(message, sizeof message, "%s%s%s: ", y->op->name, named ? " " : "",
             named ? wg_shown_text(y->name).s : "");
    size_t used = strlen(message);
    va_list arguments;
    va_start(arguments, format);
    wg_format_list(message + used, sizeof message - used, format, arguments);
    va_end(arguments);
    fail_operands(y, status, message, sizeof message);
    fail_record(y->tape, status, message);
    return false;
}

bool wg_belongs(wg_tape *t, const wg_tensor *x, const char *who, const char *role, int number)
{
    if (!wg_is_inert(x) && x->tape == t)
        return true;
    char place[16] = "";
    if (number >= 0)
        snprintf(place, sizeof place, " %d", number);
    wg_fail(t, wg_is_inert(x) ? WG_E_NULL : WG_E_TAPE, "%s: %s%s is %s", who, role, place,
            x == NULL        ? "NULL"
            : wg_is_inert(x) ? "what an earlier error returned"
            : t->owner != NULL || x->tape->owner != NULL
                ? "from outside of the loop's body, which uses what it is given alone: pass it in"
                : "of another tape");
    return false;
}
