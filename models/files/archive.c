#include "models/files/archive.h"

#include "autograd/op.h"
#include "models/files/number_internal.h"
#include "models/files/reader_internal.h"
#include "models/files/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const wg_archive archive_inert = {NULL, NULL, NULL, 0, 0, 0, 0, NULL};

/* Never written: its tape is NULL. */
static wg_archive *archive_none(void)
{
    return (wg_archive *)(uintptr_t)&archive_inert;
}

wg_archive *wg_archive_new(wg_tape *t)
{
    wg_archive *d = wg_tape_take(t, sizeof *d);
    if (d == NULL)
        return archive_none();
    d->tape = t;
    return d;
}

void wg_archive_fail(const wg_archive *d, const char *format, ...)
{
    char message[512];
    va_list arguments;
    if (d == NULL)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    wg_fail(d->tape, WG_E_FORMAT, "%.300s%s%s", d->path != NULL ? d->path : "",
            d->path != NULL ? ": " : "", message);
}

wg_tensor *wg_archive_tensor(const wg_archive *d, const char *name)
{
    for (int64_t i = 0; d != NULL && i < d->tensors; i++)
        if (strcmp(d->tensor[i].name, name) == 0)
            return d->tensor[i].tensor;
    return NULL;
}

const char *wg_archive_text(const wg_archive *d, const char *name)
{
    for (int64_t i = 0; d != NULL && i < d->texts; i++)
        if (strcmp(d->text[i].name, name) == 0)
            return d->text[i].text;
    return NULL;
}

/* A list with room for one more: the list itself, or a copy of twice its room. */
static void *archive_grow(wg_tape *t, void *list, int64_t n, int64_t *room, size_t item)
{
    if (n < *room)
        return list;
    int64_t wanted = n > 0 ? 2 * n : 16;
    void *grown = wg_tape_take(t, (size_t)wanted * item);
    if (grown == NULL)
        return NULL;
    if (n > 0)
        memcpy(grown, list, (size_t)n * item);
    *room = wanted;
    return grown;
}

static bool archive_open(const wg_archive *d, const char *name, const void *value)
{
    wg_tape *t = d != NULL ? d->tape : NULL;
    if (t == NULL || name == NULL || value == NULL)
        wg_fail(t, WG_E_NULL, "description: nothing to put, or nowhere");
    return t != NULL && wg_tape_status(t) == WG_OK;
}

static wg_status archive_twice(const wg_archive *d, const char *name)
{
    wg_fail(d->tape, WG_E_VALUE, "description: there is a '%s' already", name);
    return wg_tape_status(d->tape);
}

wg_status wg_archive_put_tensor(wg_archive *d, const char *name, wg_tensor *x)
{
    if (!archive_open(d, name, wg_is_inert(x) ? NULL : x))
        return wg_tape_status(d != NULL ? d->tape : NULL);
    if (wg_archive_tensor(d, name) != NULL)
        return archive_twice(d, name);
    if (x->tape != d->tape) {
        wg_fail(d->tape, WG_E_TAPE, "description: '%s' is of another tape", name);
        return wg_tape_status(d->tape);
    }
    wg_named_tensor *list = archive_grow(d->tape, d->tensor, d->tensors, &d->tensor_room,
                                         sizeof *list);
    char *copy = wg_tape_copy_text(d->tape, name);
    if (list != NULL)
        d->tensor = list;
    if (list != NULL && copy != NULL)
        d->tensor[d->tensors++] = (wg_named_tensor){copy, x};
    return wg_tape_status(d->tape);
}

wg_status wg_archive_put_text(wg_archive *d, const char *name, const char *text)
{
    if (!archive_open(d, name, text))
        return wg_tape_status(d != NULL ? d->tape : NULL);
    if (wg_archive_text(d, name) != NULL)
        return archive_twice(d, name);
    wg_named_text *list = archive_grow(d->tape, d->text, d->texts, &d->text_room, sizeof *list);
    char *copy = wg_tape_copy_text(d->tape, name), *value = wg_tape_copy_text(d->tape, text);
    if (list != NULL)
        d->text = list;
    if (list != NULL && copy != NULL && value != NULL)
        d->text[d->texts++] = (wg_named_text){copy, value};
    return wg_tape_status(d->tape);
}

wg_status wg_archive_put_integer(wg_archive *d, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    return wg_archive_put_text(d, name, text);
}

wg_status wg_archive_put_real(wg_archive *d, const char *name, double value)
{
    wg_c_locale c;
    char text[40] = "";
    if (!wg_c_locale_enter(&c)) {
        wg_fail(d != NULL ? d->tape : NULL, WG_E_NOMEM, "description: no locale");
        return wg_tape_status(d != NULL ? d->tape : NULL);
    }
    snprintf(text, sizeof text, "%.17g", value);
    wg_c_locale_leave(&c);
    return wg_archive_put_text(d, name, text);
}

/* The text of a number that must be there; NULL, and an error, where it is not. */
static const char *archive_needed(const wg_archive *d, const char *who, const char *name)
{
    const char *text = wg_archive_text(d, name);
    if (text == NULL)
        wg_archive_fail(d, "%s: '%s' is missing", who, name);
    return text;
}

static bool archive_no_number(const wg_archive *d, const char *who, const char *name,
                              const char *text)
{
    wg_archive_fail(d, "%s: '%s' is no number, or out of its range: '%.40s'", who, name, text);
    return false;
}

bool wg_archive_integer(const wg_archive *d, const char *who, const char *name, int64_t low,
                        int64_t high, int64_t *value)
{
    const char *text = archive_needed(d, who, name);
    if (text == NULL)
        return false;
    int64_t number = 0;
    const char *at = text + (*text == '-');
    bool fits = *at != '\0';
    for (; fits && *at != '\0'; at++)
        fits = *at >= '0' && *at <= '9' && wg_size_multiply(number, 10, &number) &&
               wg_size_add(number, *at - '0', &number);
    if (*text == '-')
        number = -number;
    if (!fits || number < low || number > high)
        return archive_no_number(d, who, name, text);
    *value = number;
    return true;
}

bool wg_archive_real(const wg_archive *d, const char *who, const char *name, double low,
                     double high, double *value)
{
    const char *text = archive_needed(d, who, name);
    if (text == NULL)
        return false;
    wg_c_locale c;
    if (!wg_c_locale_enter(&c)) {
        wg_fail(d->tape, WG_E_NOMEM, "description: no locale");
        return false;
    }
    double number = (double)NAN;
    wg_number_kind kind = wg_number_read(text, &number);
    wg_c_locale_leave(&c);
    if (kind != WG_NUMBER_FINITE || !(number >= low && number <= high))
        return archive_no_number(d, who, name, text);
    *value = number;
    return true;
}

/* ---- As a file. ------------------------------------------------------------------------------------- */

wg_status wg_archive_write(const wg_archive *d, const char *path)
{
    wg_tape *t = d != NULL ? d->tape : NULL;
    if (t == NULL || wg_tape_status(t) != WG_OK)
        return t == NULL ? WG_E_NULL : wg_tape_status(t);
    wg_safetensors_entry *entry = wg_temporary(t, d->tensors, sizeof *entry);
    wg_safetensors_text *text = wg_temporary(t, d->texts, sizeof *text);
    if (entry != NULL && text != NULL) {
        for (int64_t i = 0; i < d->tensors; i++)
            entry[i] = (wg_safetensors_entry){d->tensor[i].name, d->tensor[i].tensor};
        for (int64_t i = 0; i < d->texts; i++)
            text[i] = (wg_safetensors_text){d->text[i].name, d->text[i].text};
        wg_safetensors_write(t, path, entry, d->tensors, text, d->texts);
    }
    wg_temporary_free(t, entry);
    wg_temporary_free(t, text);
    return wg_tape_status(t);
}

wg_archive *wg_archive_read(wg_tape *t, const char *path)
{
    const wg_safetensors *file = wg_safetensors_read(t, path);
    wg_archive *d = wg_archive_new(t);
    if (wg_tape_status(t) == WG_OK)
        d->path = wg_tape_copy_text(t, path);
    for (int64_t i = 0; i < wg_safetensors_count(file); i++) {
        const char *name = wg_safetensors_name(file, i);
        wg_archive_put_tensor(d, name, wg_safetensors_tensor(file, name));
    }
    for (int64_t i = 0; i < wg_safetensors_text_count(file); i++) {
        wg_safetensors_text text = wg_safetensors_text_at(file, i);
        wg_archive_put_text(d, text.key, text.value);
    }
    return wg_tape_status(t) == WG_OK ? d : archive_none();
}
