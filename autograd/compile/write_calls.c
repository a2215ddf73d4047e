/* Calls of functions that several statements of one scope make: each is made once, and kept in a
 * variable. */
#include "autograd/compile/write_internal.h"
#include "autograd/hash.h"

#include <stdio.h>
#include <string.h>

/* The length of the identifier, or of the digits, that s begins with. */
static size_t calls_word(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
}

/* Functions that are an instruction or two: a variable would only be in the reader's way. */
static bool calls_is_cheap(const char *name, size_t length)
{
    static const char *const cheap[] = {"fabs", "fmax", "fmin",    "floor",
                                        "ceil", "rint", "copysign"};
    for (size_t i = 0; i < sizeof cheap / sizeof *cheap; i++) {
        const size_t n = strlen(cheap[i]);
        if (strncmp(name, cheap[i], n) == 0 && (length == n || (length == n + 1 && name[n] == 'f')))
            return true;
    }
    return false;
}

/* The length of the call that s begins with, up to its closing parenthesis; 0: there is none. */
static size_t calls_length(const char *s)
{
    const size_t word = calls_word(s);
    size_t n = word;
    int open = 0;
    if (word == 0 || s[word] != '(' || calls_is_cheap(s, word))
        return 0;
    do {
        open += (s[n] == '(') - (s[n] == ')');
        n++;
    } while (open > 0 && s[n] != '\0');
    return n;
}

/* Does the same text mean the same value everywhere in a function? Parameters change there, and so
 * do arrays. */
static bool calls_last(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (s[i] == '[' || strncmp(s + i, "state->", 7) == 0)
            return false;
    return true;
}

/* The call in its slot. NULL: it is not shared in this scope, or no memory. */
static wg_write_call *calls_find(wg_c_program *w, int64_t scope, const char *s, size_t length)
{
    if (scope == WG_WRITE_FUNCTION && !calls_last(s, length))
        return NULL;
    const uint64_t hash = wg_hash_bytes(wg_hash_word(WG_HASH_START, (uint64_t)scope), s, length);
    wg_write_call **first = &w->call[hash & (uint64_t)(w->slots - 1)], *call = *first;
    while (call != NULL &&
           !(call->scope == scope && call->length == length && memcmp(call->text, s, length) == 0))
        call = call->next;
    if (call != NULL)
        return call;
    wg_arena *scratch = &w->c.tape->scratch;
    char *text = wg_arena_take(scratch, length + 1, 1);
    call = wg_arena_take(scratch, sizeof *call, WG_ALIGNMENT);
    if (text == NULL || call == NULL) {
        wg_fail(w->c.tape, WG_E_NOMEM, "write: out of memory");
        return NULL;
    }
    memcpy(text, s, length);
    text[length] = '\0';
    *call = (wg_write_call){*first, scope, text, length, NULL, 0};
    return *first = call;
}

int wg_write_count_calls(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *text)
{
    int shared = 0;
    for (const char *s = text; *s != '\0' && dtype != WG_I64;) {
        const size_t word = calls_word(s), length = calls_length(s);
        wg_write_call *call = length > 0 ? calls_find(w, scope, s, length) : NULL;
        const int before = call != NULL ? call->count++ : 0;
        shared += before == 1;
        s += before > 0 ? length : word > 0 ? word : 1; /* what is in it was counted before */
    }
    return shared;
}

/* "exp_z" for exp(-fabs(z)). */
static const char *calls_name(wg_c_program *w, wg_dtype dtype, const char *call, size_t length)
{
    wg_text name;
    const size_t function = calls_word(call) - (dtype == WG_F32);
    const char *s = call + calls_word(call), *argument = "";
    for (size_t n; s < call + length && argument[0] == '\0'; s += n > 0 ? n : 1) {
        n = calls_word(s);
        const bool number = s[0] >= '0' && s[0] <= '9';
        const bool field = s[n] == '-' && s[n + 1] == '>', called = s[n] == '(';
        if (n > 0 && !number && !field && !called && s[-1] != '.')
            argument = s;
    }
    snprintf(name.s, sizeof name.s, "%.*s_%.*s", (int)function, call, (int)calls_word(argument),
             argument);
    return wg_write_name(w, name.s);
}

/* The text [s, s + size), with variables for what is shared. */
static void calls_put(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *s, size_t size,
                      wg_c_text *to);

static void calls_declare(wg_c_program *w, wg_write_call *call, wg_dtype dtype)
{
    wg_c_text value = {.tape = w->c.tape};
    const size_t word = calls_word(call->text);
    wg_c_add(&value, call->text, word);
    calls_put(w, call->scope, dtype, call->text + word, call->length - word, &value);
    if (value.s == NULL)
        return;
    call->name = calls_name(w, dtype, value.s, value.size);
    wg_c_line(&w->c, "const %s %s = %s;", wg_c_type(&w->c, dtype), call->name, value.s);
}

static void calls_put(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *s, size_t size,
                      wg_c_text *to)
{
    const char *end = s + size;
    while (s < end) {
        const size_t word = calls_word(s), length = calls_length(s);
        wg_write_call *call = length > 0 ? calls_find(w, scope, s, length) : NULL;
        if (call != NULL && call->count > 1 && call->name == NULL)
            calls_declare(w, call, dtype);
        if (call != NULL && call->name != NULL) {
            wg_c_add(to, call->name, strlen(call->name));
            s += length;
        } else {
            wg_c_add(to, s, word > 0 ? word : 1);
            s += word > 0 ? word : 1;
        }
    }
}

void wg_write_share_calls(wg_c_program *w, int64_t scope, wg_dtype dtype, const char *text,
                          wg_c_text *to)
{
    calls_put(w, scope, dtype, text, strlen(text), to);
}
