#include "models/files/safetensors.h"

#include "autograd/op.h"
#include "models/files/elements_internal.h"
#include "models/files/json_internal.h"
#include "models/files/safetensors_internal.h"
#include "models/files/text_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of the file. */
typedef struct safetensors_place {
    const char *name;
    wg_dtype dtype;
    wg_shape shape;
    int64_t begin, end; /* bytes behind the header */
    wg_tensor *tensor;
} safetensors_place;

struct wg_safetensors {
    wg_tape *tape; /* NULL: what a failed read returned */
    const char *path;
    safetensors_place *place; /* [n], sorted by name once all is read */
    int64_t n;
    wg_safetensors_text *text; /* [n_texts], sorted by key */
    int64_t n_texts;
};

/* The header while it is read; strings are in its text. */
typedef struct safetensors_header {
    wg_json json;
    safetensors_place *place; /* [n] */
    wg_safetensors_text *text;
    int64_t n, place_capacity, n_texts, text_capacity;
    bool has_texts;
} safetensors_header;

static const wg_safetensors safetensors_inert = {.n = 0};

static bool safetensors_fail(wg_tape *t, const char *path, const char *name, const char *reason)
{
    char shown[WG_SHOWN];
    wg_fail(t, WG_E_FORMAT, "%s: tensor '%s': %s", path, wg_shown(name, strlen(name), shown),
            reason);
    return false;
}

/* ---- The header: one tensor. ------------------------------------------------------------------ */

static bool safetensors_dtype(wg_json *j, wg_dtype *dtype)
{
    char *name;
    char *start = j->at;
    if (!wg_json_string(j, &name))
        return false;
    for (int i = WG_F32; i <= WG_I64; i++) {
        *dtype = (wg_dtype)i;
        if (strcmp(name, wg_safetensors_dtype(*dtype)) == 0)
            return true;
    }
    char shown[WG_SHOWN];
    wg_fail(j->tape, WG_E_FORMAT,
            "%s: byte %" PRId64 ": dtype %s is not read; F32, F64 and I64 are", j->path,
            j->from + (start - j->text), wg_shown(name, strlen(name), shown));
    return false;
}

static bool safetensors_shape(wg_json *j, wg_shape *shape)
{
    bool more, first = true;
    *shape = (wg_shape){.ndim = 0};
    if (!wg_json_open(j, '['))
        return false;
    for (;;) {
        if (!wg_json_next(j, ']', &first, &more))
            return false;
        if (!more)
            return true;
        if (shape->ndim == WG_MAX_DIMS)
            return wg_json_fail(j, "at most 8 dimensions");
        if (!wg_json_size(j, &shape->dim[shape->ndim++]))
            return false;
    }
}

static bool safetensors_offsets(wg_json *j, safetensors_place *place)
{
    bool more, first = true;
    if (!wg_json_open(j, '[') || !wg_json_size(j, &place->begin))
        return false;
    first = false;
    if (!wg_json_next(j, ']', &first, &more))
        return false;
    if (!more)
        return wg_json_fail(j, "a second offset");
    if (!wg_json_size(j, &place->end) || !wg_json_next(j, ']', &first, &more))
        return false;
    return !more || wg_json_fail(j, "two offsets");
}

static bool safetensors_field(wg_json *j, safetensors_place *place, bool seen[3])
{
    static const char *const names[] = {"dtype", "shape", "data_offsets"};
    char *name, *start = j->at;
    int which = 0;
    if (!wg_json_key(j, &name))
        return false;
    while (which < 3 && strcmp(name, names[which]) != 0)
        which++;
    if (which == 3 || seen[which]) {
        j->at = start;
        return wg_json_fail(j, "dtype, shape and data_offsets, each once,");
    }
    seen[which] = true;
    return which == 0   ? safetensors_dtype(j, &place->dtype)
           : which == 1 ? safetensors_shape(j, &place->shape)
                        : safetensors_offsets(j, place);
}

static bool safetensors_place_read(wg_json *j, safetensors_place *place)
{
    bool more, first = true, seen[3] = {false};
    if (!wg_json_open(j, '{'))
        return false;
    for (;;) {
        if (!wg_json_next(j, '}', &first, &more))
            return false;
        if (!more)
            break;
        if (!safetensors_field(j, place, seen))
            return false;
    }
    return (seen[0] && seen[1] && seen[2]) ||
           wg_json_fail(j, "dtype, shape and data_offsets before this");
}

/* ---- The header: all of it. ------------------------------------------------------------------- */

static bool safetensors_texts(safetensors_header *h)
{
    wg_json *j = &h->json;
    bool more, first = true;
    char *key, *value;
    if (h->has_texts)
        return wg_json_fail(j, "one " WG_SAFETENSORS_METADATA);
    h->has_texts = true;
    if (!wg_json_open(j, '{'))
        return false;
    for (;;) {
        if (!wg_json_next(j, '}', &first, &more))
            return false;
        if (!more)
            return true;
        if (!wg_json_key(j, &key) || !wg_json_string(j, &value) ||
            !wg_temporary_grow(j->tape, (void **)&h->text, &h->text_capacity, h->n_texts + 1,
                               sizeof *h->text))
            return false;
        h->text[h->n_texts++] = (wg_safetensors_text){key, value};
    }
}

static bool safetensors_entry(safetensors_header *h)
{
    char *name;
    if (!wg_json_key(&h->json, &name))
        return false;
    if (strcmp(name, WG_SAFETENSORS_METADATA) == 0)
        return safetensors_texts(h);
    if (!wg_temporary_grow(h->json.tape, (void **)&h->place, &h->place_capacity, h->n + 1,
                           sizeof *h->place))
        return false;
    safetensors_place *place = &h->place[h->n++];
    *place = (safetensors_place){.name = name};
    return safetensors_place_read(&h->json, place);
}

static bool safetensors_entries(safetensors_header *h)
{
    bool more, first = true;
    if (*h->json.at != '{') /* not even a blank before it */
        return wg_json_fail(&h->json, "'{'");
    if (!wg_json_open(&h->json, '{'))
        return false;
    for (;;) {
        if (!wg_json_next(&h->json, '}', &first, &more))
            return false;
        if (!more)
            return wg_json_end(&h->json);
        if (!safetensors_entry(h))
            return false;
    }
}

/* ---- Does it all fit together? ---------------------------------------------------------------- */

static int safetensors_by_place(const void *a, const void *b)
{
    const safetensors_place *p = a, *q = b;
    int order = (p->begin > q->begin) - (p->begin < q->begin);
    if (order == 0)
        order = (p->end > q->end) - (p->end < q->end);
    return order != 0 ? order : strcmp(p->name, q->name);
}

static int safetensors_by_name(const void *a, const void *b)
{
    const safetensors_place *p = a, *q = b;
    return strcmp(p->name, q->name);
}

static int safetensors_by_key(const void *a, const void *b)
{
    const wg_safetensors_text *p = a, *q = b;
    return strcmp(p->key, q->key);
}

static bool safetensors_names_differ(safetensors_header *h)
{
    const wg_json *j = &h->json;
    if (h->n > 0)
        qsort(h->place, (size_t)h->n, sizeof *h->place, safetensors_by_name);
    for (int64_t i = 1; i < h->n; i++)
        if (strcmp(h->place[i - 1].name, h->place[i].name) == 0)
            return safetensors_fail(j->tape, j->path, h->place[i].name, "is there twice");
    if (h->n_texts > 0)
        qsort(h->text, (size_t)h->n_texts, sizeof *h->text, safetensors_by_key);
    for (int64_t i = 1; i < h->n_texts; i++)
        if (strcmp(h->text[i - 1].key, h->text[i].key) == 0)
            return safetensors_fail(j->tape, j->path, h->text[i].key, "is the key of two texts");
    return true;
}

/* In the order of their places, each tensor begins where the one before it ends, and is as long as its
 * shape says. */
static bool safetensors_tiles(safetensors_header *h, int64_t size)
{
    const wg_json *j = &h->json;
    char reason[256], shape[WG_SHAPE_TEXT];
    int64_t at = 0;
    if (h->n > 0)
        qsort(h->place, (size_t)h->n, sizeof *h->place, safetensors_by_place);
    for (int64_t i = 0; i < h->n; i++) {
        const safetensors_place *p = &h->place[i];
        int64_t bytes = wg_elements_bytes(&p->shape, (int64_t)wg_dtype_size(p->dtype));
        snprintf(reason, sizeof reason, "at %" PRId64 " to %" PRId64 ", of shape %s", p->begin,
                 p->end, wg_shape_text(&p->shape, shape, sizeof shape));
        size_t used = strlen(reason);
        if (bytes < 0 || p->end - p->begin != bytes)
            snprintf(reason + used, sizeof reason - used, ", which takes %" PRId64 " bytes", bytes);
        else if (p->begin != at)
            snprintf(reason + used, sizeof reason - used,
                     ", but %" PRId64 " is where it must begin", at);
        else if (p->end > size)
            snprintf(reason + used, sizeof reason - used, ", but the file has %" PRId64, size);
        else {
            at = p->end;
            continue;
        }
        return safetensors_fail(j->tape, j->path, p->name, reason);
    }
    if (at == size)
        return true;
    wg_fail(j->tape, WG_E_FORMAT,
            "%s: %" PRId64 " bytes behind the header, but the tensors take %" PRId64, j->path, size,
            at);
    return false;
}

/* ---- Reading. -------------------------------------------------------------------------------- */

/* Reads the tensors, which lie behind each other, and leaves them sorted by name. */
static bool safetensors_values(wg_reader *reader, safetensors_place *place, int64_t n, int64_t from)
{
    for (int64_t i = 0; i < n; i++) {
        safetensors_place *p = &place[i];
        wg_element element = {p->dtype == WG_I64 ? WG_ELEMENT_SIGNED : WG_ELEMENT_FLOAT,
                              (int64_t)wg_dtype_size(p->dtype), false};
        p->tensor = wg_elements_take(reader, element, &p->shape, p->dtype, from + p->begin);
        wg_rename(p->tensor, p->name); /* which copies the name */
        if (wg_tape_status(reader->tape) != WG_OK)
            return false;
        p->name = p->tensor->name;
    }
    if (n > 0)
        qsort(place, (size_t)n, sizeof *place, safetensors_by_name);
    return wg_tape_status(reader->tape) == WG_OK;
}

/* n items copied onto the tape; NULL without memory. */
static void *safetensors_keep(wg_tape *t, const void *items, int64_t n, size_t size)
{
    void *kept = wg_tape_take(t, (size_t)n * size);
    if (kept != NULL && n > 0)
        memcpy(kept, items, (size_t)n * size);
    return kept;
}

/* The handle, once the header is known to be right. */
static wg_safetensors *safetensors_finish(wg_reader *reader, const safetensors_header *h,
                                          int64_t from)
{
    wg_tape *t = reader->tape;
    wg_safetensors *file = wg_tape_take(t, sizeof *file);
    safetensors_place *place = safetensors_keep(t, h->place, h->n, sizeof *place);
    wg_safetensors_text *text = safetensors_keep(t, h->text, h->n_texts, sizeof *text);
    char *path = wg_tape_copy_text(t, reader->path);
    if (file == NULL || place == NULL || text == NULL || path == NULL)
        return NULL;
    for (int64_t i = 0; i < h->n_texts; i++) {
        text[i].key = wg_tape_copy_text(t, text[i].key);
        text[i].value = wg_tape_copy_text(t, text[i].value);
        if (text[i].key == NULL || text[i].value == NULL)
            return NULL;
    }
    *file = (wg_safetensors){t, path, place, h->n, text, h->n_texts};
    return safetensors_values(reader, place, h->n, from) ? file : NULL;
}

static wg_safetensors *safetensors_parse(wg_reader *reader, char *text, int64_t length)
{
    safetensors_header h = {.n = 0};
    wg_safetensors *file = NULL;
    if (wg_reader_take(reader, text, length) &&
        wg_json_init(&h.json, reader->tape, reader->path, text, length, 8) &&
        safetensors_entries(&h) && safetensors_names_differ(&h) &&
        safetensors_tiles(&h, reader->left))
        file = safetensors_finish(reader, &h, 8 + length);
    wg_temporary_free(reader->tape, h.place);
    wg_temporary_free(reader->tape, h.text);
    return file;
}

static wg_safetensors *safetensors_file(wg_reader *reader)
{
    unsigned char bytes[8];
    if (reader->left < 8) {
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte %" PRId64 ": the file ends in the header's length", reader->path,
                reader->left);
        return NULL;
    }
    if (!wg_reader_take(reader, bytes, 8))
        return NULL;
    uint64_t length = wg_little_u64(bytes, 8);
    if (length > WG_SAFETENSORS_HEADER || (int64_t)length > reader->left) {
        wg_fail(reader->tape, WG_E_FORMAT,
                "%s: byte 0: a header of %" PRIu64 " bytes, but %" PRId64
                " are left and %d the most: no safetensors file?",
                reader->path, length, reader->left, WG_SAFETENSORS_HEADER);
        return NULL;
    }
    char *text = wg_temporary(reader->tape, (int64_t)length + 1, 1);
    wg_safetensors *file = text != NULL ? safetensors_parse(reader, text, (int64_t)length) : NULL;
    wg_temporary_free(reader->tape, text);
    return file;
}

/* The way around the cast's warning is safe: no function writes a file that it is given. */
wg_safetensors *wg_safetensors_read(wg_tape *t, const char *path)
{
    wg_reader reader;
    wg_safetensors *file = NULL;
    if (wg_tape_status(t) == WG_OK && wg_reader_open(&reader, t, path)) {
        file = safetensors_file(&reader);
        wg_reader_close(&reader);
    }
    return file != NULL ? file : (wg_safetensors *)(uintptr_t)&safetensors_inert;
}

/* ---- What a file holds. ----------------------------------------------------------------------- */

int64_t wg_safetensors_count(const wg_safetensors *file)
{
    return file != NULL ? file->n : 0;
}

const char *wg_safetensors_name(const wg_safetensors *file, int64_t i)
{
    return i >= 0 && i < wg_safetensors_count(file) ? file->place[i].name : NULL;
}

static const safetensors_place *safetensors_find(const wg_safetensors *file, const char *name)
{
    const safetensors_place wanted = {.name = name};
    if (name == NULL || wg_safetensors_count(file) == 0)
        return NULL;
    return bsearch(&wanted, file->place, (size_t)file->n, sizeof wanted, safetensors_by_name);
}

bool wg_safetensors_has(const wg_safetensors *file, const char *name)
{
    return safetensors_find(file, name) != NULL;
}

wg_tensor *wg_safetensors_tensor(const wg_safetensors *file, const char *name)
{
    const safetensors_place *place = safetensors_find(file, name);
    if (place != NULL)
        return place->tensor;
    if (file == NULL || file->tape == NULL)
        return wg_fail(NULL, WG_E_NULL, "safetensors: a tensor of no file");
    return wg_fail(file->tape, WG_E_VALUE, "%s: there is no tensor '%s'", file->path,
                   name != NULL ? name : "NULL");
}

int64_t wg_safetensors_text_count(const wg_safetensors *file)
{
    return file != NULL ? file->n_texts : 0;
}

wg_safetensors_text wg_safetensors_text_at(const wg_safetensors *file, int64_t i)
{
    return i >= 0 && i < wg_safetensors_text_count(file) ? file->text[i]
                                                         : (wg_safetensors_text){NULL, NULL};
}

const char *wg_safetensors_text_of(const wg_safetensors *file, const char *key)
{
    const wg_safetensors_text wanted = {key, NULL};
    if (key == NULL || wg_safetensors_text_count(file) == 0)
        return NULL;
    const wg_safetensors_text *text = bsearch(&wanted, file->text, (size_t)file->n_texts,
                                              sizeof wanted, safetensors_by_key);
    return text != NULL ? text->value : NULL;
}

/* ---- Into parameters. -------------------------------------------------------------------------- */

static bool safetensors_fits(const wg_safetensors *file, const wg_tensor *param)
{
    char text[WG_SHAPE_TEXT + 96], found[WG_SHAPE_TEXT + 96];
    wg_tape *t = file->tape;
    wg_tensor_text(param, text, sizeof text);
    if (wg_is_inert(param))
        wg_fail(t, WG_E_NULL, "%s: a parameter to load is %s", file->path, text);
    else if (param->tape != t)
        wg_fail(t, WG_E_TAPE, "%s: %s, which is to be loaded, is of another tape", file->path,
                text);
    else if (param->op != &wg_op_parameter || param->name == NULL)
        wg_fail(t, WG_E_VALUE, "%s: %s is no parameter with a name", file->path, text);
    if (wg_tape_status(t) != WG_OK)
        return false;
    const wg_tensor *x = wg_safetensors_tensor(file, param->name);
    wg_tensor_text(x, found, sizeof found);
    if (wg_is_inert(x))
        return false;
    if (x->dtype != param->dtype)
        wg_fail(t, WG_E_DTYPE, "%s: %s is %s, the parameter %s", file->path, found,
                wg_dtype_name(x->dtype), wg_dtype_name(param->dtype));
    else if (!wg_shape_same(&x->shape, &param->shape))
        wg_fail(t, WG_E_SHAPE, "%s: %s for the parameter %s", file->path, found, text);
    return wg_tape_status(t) == WG_OK;
}

wg_status wg_safetensors_load_into(const wg_safetensors *file, wg_tensor *const params[], int n)
{
    if (file == NULL || file->tape == NULL)
        return WG_E_NULL;
    if (wg_tape_status(file->tape) == WG_OK && (params == NULL || n < 0))
        wg_fail(file->tape, WG_E_NULL, "%s: no parameters to load", file->path);
    for (int i = 0; i < n && wg_tape_status(file->tape) == WG_OK; i++)
        if (!safetensors_fits(file, params[i]))
            break;
    for (int i = 0; i < n && wg_tape_status(file->tape) == WG_OK; i++) {
        const wg_tensor *x = wg_safetensors_tensor(file, params[i]->name);
        wg_write(params[i], x->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
    return wg_tape_status(file->tape);
}
