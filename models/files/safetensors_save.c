/* The safetensors format, written: archives to files, in the layout of its own writer. archive.c
 * owns what is in memory. */
#include "models/files/archive_internal.h"

#include "autograd/op.h"
#include "models/files/bytes_internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- What can be written. -------------------------------------------------------------------- */

static bool save_fail(wg_tape *t, const char *path, const char *name, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(t, WG_E_VALUE, "%s: '%s' %s", path, wg_shown(name, strlen(name), shown), reason);
    return false;
}

static bool save_utf8(wg_tape *t, const char *path, const char *text)
{
    return wg_utf8_invalid(text, strlen(text)) == strlen(text) ||
           save_fail(t, path, text, "is not UTF-8");
}

static bool save_fits(wg_tape *t, const char *path, const wg_archive_entry *e)
{
    if (!save_utf8(t, path, e->name))
        return false;
    if (e->string != NULL)
        return save_utf8(t, path, e->string);
    if (e->tensor == NULL || e->tensor->dtype == WG_WIDE)
        return save_fail(t, path, e->name, "is of a type that is not written");
    return wg_elements_writable(t, path, e->tensor) &&
           (strcmp(e->name, WG_ARCHIVE_METADATA) != 0 ||
            save_fail(t, path, e->name, "is no name for a tensor"));
}

/* ---- The header. ----------------------------------------------------------------------------- */

/* Tensors are stored in the order of their alignment, then of their names. */
enum { SAVE_DTYPES = 3 };
static const wg_dtype save_order[] = {WG_I64, WG_F64, WG_F32};

static void save_strings(wg_writer *w, const wg_archive_entry *e, bool *more)
{
    for (; e != NULL; e = e->next) {
        if (e->string == NULL)
            continue;
        if (!*more)
            wg_json_write(w, WG_ARCHIVE_METADATA);
        wg_writer_text(w, *more ? "," : ":{");
        wg_json_write(w, e->name);
        wg_writer_text(w, ":");
        wg_json_write(w, e->string);
        *more = true;
    }
    if (*more)
        wg_writer_text(w, "}");
}

static const char *save_dtype_name(wg_dtype dtype)
{
    return dtype == WG_F32 ? "F32" : dtype == WG_F64 ? "F64" : "I64";
}

/* "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} */
static void save_place(wg_writer *w, const wg_archive_entry *e, int64_t *at)
{
    char text[64];
    const wg_tensor *x = e->tensor;
    wg_json_write(w, e->name);
    snprintf(text, sizeof text, ":{\"dtype\":\"%s\",\"shape\":[", save_dtype_name(x->dtype));
    wg_writer_text(w, text);
    for (int i = 0; i < x->shape.ndim; i++) {
        snprintf(text, sizeof text, "%s%" PRId64, i > 0 ? "," : "", x->shape.dim[i]);
        wg_writer_text(w, text);
    }
    int64_t end = *at + x->size * (int64_t)wg_dtype_size(x->dtype);
    snprintf(text, sizeof text, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", *at, end);
    wg_writer_text(w, text);
    *at = end;
}

static void save_header(wg_writer *w, const wg_archive_entry *first)
{
    int64_t at = 0;
    bool more = false;
    wg_writer_text(w, "{");
    save_strings(w, first, &more);
    for (int i = 0; i < SAVE_DTYPES; i++)
        for (const wg_archive_entry *e = first; e != NULL; e = e->next) {
            if (e->tensor == NULL || e->tensor->dtype != save_order[i])
                continue;
            if (more)
                wg_writer_text(w, ",");
            save_place(w, e, &at);
            more = true;
        }
    wg_writer_text(w, "}");
}

/* The header's length stands before it: it is written once to be counted, once to be kept. */
static bool save_counted_header(wg_writer *w, const wg_archive_entry *first)
{
    unsigned char length[8];
    wg_writer_count(w, true);
    save_header(w, first);
    int64_t text = wg_writer_count(w, false), padded = (text + 7) & ~(int64_t)7;
    if (padded > WG_ARCHIVE_HEADER) {
        wg_fail(w->tape, WG_E_VALUE, "%s: a header of %" PRId64 " bytes, but %d are the most",
                w->path, padded, WG_ARCHIVE_HEADER);
        return false;
    }
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    wg_writer_put(w, length, sizeof length);
    save_header(w, first);
    wg_writer_put(w, "       ", (size_t)(padded - text));
    return true;
}

bool wg_archive_write(const wg_archive *a, wg_writer *w)
{
    const wg_archive_entry *first = wg_archive_first(a);
    for (const wg_archive_entry *e = first; e != NULL; e = e->next)
        if (!save_fits(w->tape, w->path, e))
            return false;
    if (!save_counted_header(w, first))
        return false;
    for (int i = 0; i < SAVE_DTYPES; i++)
        for (const wg_archive_entry *e = first; e != NULL; e = e->next)
            if (e->tensor != NULL && e->tensor->dtype == save_order[i])
                wg_elements_write(w, e->tensor);
    return true;
}

wg_status wg_archive_save(const wg_archive *a, const char *path)
{
    wg_tape *t = wg_archive_tape(a);
    wg_writer w;
    if (t == NULL || wg_tape_status(t) != WG_OK || !wg_writer_open(&w, t, path))
        return wg_tape_status(t);
    if (wg_archive_write(a, &w))
        return wg_writer_close(&w);
    wg_writer_abandon(&w);
    return wg_tape_status(t);
}
