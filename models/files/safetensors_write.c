#include "autograd/op.h"
#include "models/files/elements_internal.h"
#include "models/files/json_internal.h"
#include "models/files/safetensors_internal.h"
#include "models/files/text_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- What can be written. -------------------------------------------------------------------- */

static bool safetensors_write_fail(wg_tape *t, const char *path, const char *name,
                                   const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(t, WG_E_VALUE, "%s: '%s' %s", path, wg_shown(name, strlen(name), shown), reason);
    return false;
}

static bool safetensors_write_text_fits(wg_tape *t, const char *path, const char *text)
{
    if (text == NULL) {
        wg_fail(t, WG_E_NULL, "%s: a name or text to write is NULL", path);
        return false;
    }
    return wg_utf8_invalid(text, strlen(text)) == strlen(text) ||
           safetensors_write_fail(t, path, text, "is not UTF-8");
}

/* Sets the names that were left to the tensors. */
static bool safetensors_write_entry_fits(wg_tape *t, const char *path, wg_safetensors_entry *entry)
{
    if (!wg_elements_writable(t, path, entry->tensor))
        return false;
    if (entry->name == NULL)
        entry->name = entry->tensor->name;
    if (!safetensors_write_text_fits(t, path, entry->name))
        return false;
    return strcmp(entry->name, WG_SAFETENSORS_METADATA) != 0 ||
           safetensors_write_fail(t, path, entry->name, "is no name for a tensor");
}

static bool safetensors_write_texts_fit(wg_tape *t, const char *path,
                                        const wg_safetensors_text texts[], int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!safetensors_write_text_fits(t, path, texts[i].key) ||
            !safetensors_write_text_fits(t, path, texts[i].value))
            return false;
        for (int64_t k = 0; k < i; k++)
            if (strcmp(texts[i].key, texts[k].key) == 0)
                return safetensors_write_fail(t, path, texts[i].key, "is a key of two texts");
    }
    return true;
}

/* ---- Order. ---------------------------------------------------------------------------------- */

static int safetensors_write_rank(wg_dtype dtype)
{
    return dtype == WG_I64 ? 0 : dtype == WG_F64 ? 1 : 2;
}

static int safetensors_write_order(const void *a, const void *b)
{
    const wg_safetensors_entry *p = a, *q = b;
    int order = safetensors_write_rank(p->tensor->dtype) - safetensors_write_rank(q->tensor->dtype);
    return order != 0 ? order : strcmp(p->name, q->name);
}

static int safetensors_write_by_name(const void *a, const void *b)
{
    const wg_safetensors_entry *p = a, *q = b;
    return strcmp(p->name, q->name);
}

/* Copies, completes, checks and sorts the entries. */
static bool safetensors_write_prepare(wg_tape *t, const char *path, wg_safetensors_entry *sorted,
                                      int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!safetensors_write_entry_fits(t, path, &sorted[i]))
            return false;
    qsort(sorted, (size_t)n, sizeof *sorted, safetensors_write_by_name);
    for (int64_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0)
            return safetensors_write_fail(t, path, sorted[i].name, "is the name of two tensors");
    qsort(sorted, (size_t)n, sizeof *sorted, safetensors_write_order);
    return true;
}

/* ---- The header. ----------------------------------------------------------------------------- */

static void safetensors_write_texts(wg_writer *w, const wg_safetensors_text texts[], int64_t n)
{
    wg_json_write(w, WG_SAFETENSORS_METADATA);
    for (int64_t i = 0; i < n; i++) {
        wg_writer_text(w, i == 0 ? ":{" : ",");
        wg_json_write(w, texts[i].key);
        wg_writer_text(w, ":");
        wg_json_write(w, texts[i].value);
    }
    wg_writer_text(w, "}");
}

/* "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]} */
static void safetensors_write_place(wg_writer *w, const wg_safetensors_entry *entry, int64_t *at)
{
    char text[64];
    const wg_tensor *x = entry->tensor;
    wg_json_write(w, entry->name);
    snprintf(text, sizeof text, ":{\"dtype\":\"%s\",\"shape\":[", wg_safetensors_dtype(x->dtype));
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

static void safetensors_write_header(wg_writer *w, const wg_safetensors_entry *sorted, int64_t n,
                                     const wg_safetensors_text texts[], int64_t n_texts)
{
    int64_t at = 0;
    wg_writer_text(w, "{");
    if (n_texts > 0)
        safetensors_write_texts(w, texts, n_texts);
    for (int64_t i = 0; i < n; i++) {
        if (i > 0 || n_texts > 0)
            wg_writer_text(w, ",");
        safetensors_write_place(w, &sorted[i], &at);
    }
    wg_writer_text(w, "}");
}

/* The header's length stands before it: it is written once to be counted, once to be kept. */
static void safetensors_write_all(wg_writer *w, const wg_safetensors_entry *sorted, int64_t n,
                                  const wg_safetensors_text texts[], int64_t n_texts)
{
    unsigned char length[8];
    wg_writer_count(w, true);
    safetensors_write_header(w, sorted, n, texts, n_texts);
    int64_t text = wg_writer_count(w, false), padded = (text + 7) & ~(int64_t)7;
    if (padded > WG_SAFETENSORS_HEADER) {
        wg_fail(w->tape, WG_E_VALUE, "%s: a header of %" PRId64 " bytes, but %d are the most",
                w->path, padded, WG_SAFETENSORS_HEADER);
        wg_writer_abandon(w);
        return;
    }
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    wg_writer_put(w, length, sizeof length);
    safetensors_write_header(w, sorted, n, texts, n_texts);
    wg_writer_put(w, "       ", (size_t)(padded - text));
    for (int64_t i = 0; i < n; i++)
        wg_elements_write(w, sorted[i].tensor);
}

wg_status wg_safetensors_write(wg_tape *t, const char *path, const wg_safetensors_entry entries[],
                               int64_t n, const wg_safetensors_text texts[], int64_t n_texts)
{
    wg_writer w;
    const char *file = path != NULL ? path : "a file";
    if (wg_tape_status(t) != WG_OK)
        return wg_tape_status(t);
    if (n < 0 || n_texts < 0 || (n > 0 && entries == NULL) || (n_texts > 0 && texts == NULL)) {
        wg_fail(t, WG_E_NULL, "%s: no list of tensors or texts to write", file);
        return wg_tape_status(t);
    }
    if (!safetensors_write_texts_fit(t, file, texts, n_texts))
        return wg_tape_status(t);
    wg_safetensors_entry *sorted = wg_temporary(t, n, sizeof *sorted);
    if (sorted != NULL && n > 0)
        memcpy(sorted, entries, (size_t)n * sizeof *sorted);
    if (sorted != NULL && safetensors_write_prepare(t, file, sorted, n) &&
        wg_writer_open(&w, t, path, NULL)) {
        safetensors_write_all(&w, sorted, n, texts, n_texts);
        wg_writer_close(&w);
    }
    wg_temporary_free(t, sorted);
    return wg_tape_status(t);
}
