#ifndef WG_MODELS_FILES_ARCHIVE_H
#define WG_MODELS_FILES_ARCHIVE_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What has to be saved of a model, of the preparation of its data, of anything: tensors and texts by name,
 * whatever the file's format. Parts describe themselves into one description, each under names of its
 * own, and are restored from one:
 *
 *     wg_archive *d = wg_archive_new(t);
 *     wg_pipeline_describe(pipeline, d);
 *     wg_mlp_describe(mlp, d);
 */
typedef struct wg_named_tensor {
    const char *name;
    wg_tensor *tensor;
} wg_named_tensor;

typedef struct wg_named_text {
    const char *name, *text;
} wg_named_text;

/* To be read; the functions below write it. */
typedef struct wg_archive {
    wg_tape *tape;
    wg_named_tensor *tensor; /* [tensors], in the order in which they were put */
    wg_named_text *text;     /* [texts] */
    int64_t tensors, texts;
    int64_t tensor_room, text_room;
    const char *path; /* of the file that it was read from; NULL: of none */
} wg_archive;

/* wg_archive_new: an empty one, on the tape; never NULL: after WG_E_NOMEM an inert one. */
wg_archive *wg_archive_new(wg_tape *t);

/* wg_archive_put_tensor, _put_text: adds one; names and texts are copied. Returns the tape's status.
 * Errors: WG_E_VALUE (there is one of that name), WG_E_NULL, WG_E_TAPE, WG_E_NOMEM, on the tape. */
wg_status wg_archive_put_tensor(wg_archive *d, const char *name, wg_tensor *x);
wg_status wg_archive_put_text(wg_archive *d, const char *name, const char *text);

/* wg_archive_put_integer, _put_real: a number as text, in the C locale; reals read back bit for bit. */
wg_status wg_archive_put_integer(wg_archive *d, const char *name, int64_t value);
wg_status wg_archive_put_real(wg_archive *d, const char *name, double value);

/* wg_archive_tensor, wg_archive_text: by name; NULL where there is none, without an error. */
wg_tensor *wg_archive_tensor(const wg_archive *d, const char *name);
const char *wg_archive_text(const wg_archive *d, const char *name);

/* wg_archive_integer, _real: a text that must be there and be a number in [low, high], for `who`.
 * False, and wg_archive_fail, where it is not: "m.safetensors: pipeline: 'pipeline.columns' is missing". */
bool wg_archive_integer(const wg_archive *d, const char *who, const char *name, int64_t low,
                        int64_t high, int64_t *value);
bool wg_archive_real(const wg_archive *d, const char *who, const char *name, double low,
                     double high, double *value);

/* wg_archive_fail: for a part that finds something missing or wrong: WG_E_FORMAT on the tape, the file's name in
 * front of the message, if there is one. */
void wg_archive_fail(const wg_archive *d, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* wg_archive_write: all of it as one file, in the format of models/files/safetensors.h; whole or not at all.
 * wg_archive_read: from such a file, onto the tape; after an error, an inert one.
 * Errors, on the tape: those of wg_safetensors_write and wg_safetensors_read. */
wg_status wg_archive_write(const wg_archive *d, const char *path);
wg_archive *wg_archive_read(wg_tape *t, const char *path);

#ifdef __cplusplus
}
#endif
#endif
