#ifndef WG_MODELS_FILES_ARCHIVE_H
#define WG_MODELS_FILES_ARCHIVE_H

#include "autograd/tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An archive: a map of names to strings, numbers and tensors, kept in rising order of names (by
 * byte), and saved as one safetensors file. Whatever is saved (a model, the preparation of its
 * data, a checkpoint) puts its parts under names of its own into one archive, and is made from one:
 *
 *     wg_archive *a = wg_archive_new(t);
 *     wg_pipeline_save(pipeline, a);
 *     wg_mlp_save(mlp, a);
 *     wg_archive_save(a, "model.safetensors");
 *
 * A string and a tensor may have the same name. The archive and its strings belong to the tape;
 * do not rewind to a mark before it while it is in use. */
typedef struct wg_archive wg_archive;

/* To be read. Either a string or a tensor; both are NULL for a tensor of a file whose type the
 * library does not read (then `type` is the file's name for it, else NULL). */
typedef struct wg_archive_entry {
    const char *name;
    const char *string;
    wg_tensor *tensor;
    const char *type;
    const struct wg_archive_entry *next; /* of the next name; NULL behind the last */
} wg_archive_entry;

/* wg_archive_new: an empty one, on the tape; never NULL: after WG_E_NOMEM an inert one. */
wg_archive *wg_archive_new(wg_tape *t);

/* ---- Putting. Returns the tape's status. --------------------------------------------------------
 * Errors, on the tape: WG_E_VALUE (there is one of that name, and nothing changes), WG_E_NULL,
 *   WG_E_TAPE, WG_E_NOMEM. */

/* wg_archive_put_tensor: the tensor itself, no copy; name NULL: the tensor's own.
 */
wg_status wg_archive_put_tensor(wg_archive *a, const char *name, wg_tensor *x);

/* wg_archive_put_string: name and string are copied. */
wg_status wg_archive_put_string(wg_archive *a, const char *name, const char *string);

/* wg_archive_put_integer: a whole number, as a string of its digits. */
wg_status wg_archive_put_integer(wg_archive *a, const char *name, int64_t value);

/* wg_archive_put_real: a number, as a string in the C locale that keeps its bits. */
wg_status wg_archive_put_real(wg_archive *a, const char *name, double value);

/* ---- Getting. -------------------------------------------------------------------------------- */

/* wg_archive_tensor: by name; NULL where there is none, without an error. */
wg_tensor *wg_archive_tensor(const wg_archive *a, const char *name);

/* wg_archive_string: likewise the string. */
const char *wg_archive_string(const wg_archive *a, const char *name);

/* wg_archive_integer: a whole number in [low, high], which must be there, for `who`. False, and
 * WG_E_FORMAT, where it is not: "m.safetensors: pipeline: 'pipeline.columns' is missing". */
bool wg_archive_integer(const wg_archive *a, const char *who, const char *name, int64_t low,
                        int64_t high, int64_t *value);

/* wg_archive_real: likewise any number. */
bool wg_archive_real(const wg_archive *a, const char *who, const char *name, double low,
                     double high, double *value);

/* wg_archive_first: the entry of the least name, NULL where there is none:
 *     for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) */
const wg_archive_entry *wg_archive_first(const wg_archive *a);

/* ---- Files: safetensors. --------------------------------------------------------------------- */

#ifndef WG_NO_FILES

/* wg_archive_save: all of it as one file, strings as the file's __metadata__. f32, f64 and i64 are
 * F32, F64 and I64, stored by alignment (I64, F64, F32) and then by name, the header padded with
 * blanks to 8 bytes: the layout of the format's own writer. The same content is the same bytes.
 *   The file is written beside its destination and renamed: after an error, or a kill at any
 *   moment, it is what it was.
 * Returns the tape's status. Errors, on the tape: WG_E_IO, WG_E_NULL, WG_E_STALE, WG_E_VALUE (a
 * tensor without a value; a name or string that is not UTF-8; a tensor called __metadata__; a
 * header of over 100 MB). */
wg_status wg_archive_save(const wg_archive *a, const char *path);

/* wg_archive_load: the whole file, onto the tape; its tensors are constants with their names.
 * Strict: the header is at most 100 MB and within the file, JSON and UTF-8 without duplicate or
 * unknown keys, and the tensors cover what lies behind it exactly, without gaps and overlaps. F16
 * and BF16 become f32, all integers and BOOL i64 (a U64 that is none is an error); a tensor of
 * another type is an entry without a value. More than 8 dimensions are refused by name.
 * Never NULL: after an error an inert archive. Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_NULL,
 * and WG_E_FORMAT, which names file and place: "m.safetensors: byte 57: ',' or '}' wanted, found
 * ...".
 * Source: Hugging Face, safetensors, "Format". */
wg_archive *wg_archive_load(wg_tape *t, const char *path);

#endif /* WG_NO_FILES */

#ifdef __cplusplus
}
#endif
#endif
