#ifndef WG_MODELS_FILES_SAFETENSORS_H
#define WG_MODELS_FILES_SAFETENSORS_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Files of named tensors and texts, which Python's safetensors and PyTorch read and write, too.
 * Source: the format's description at https://github.com/huggingface/safetensors (README). */

/* ---- Writing. ------------------------------------------------------------------------------------ */

typedef struct wg_safetensors_entry {
    const char *name; /* UTF-8; NULL: the tensor's own (that of a parameter) */
    const wg_tensor *tensor;
} wg_safetensors_entry;

typedef struct wg_safetensors_text {
    const char *key, *value; /* UTF-8 */
} wg_safetensors_text;

/* wg_safetensors_write: n tensors and n_texts texts (the file's __metadata__) as one file. f32, f64 and
 * i64 are F32, F64 and I64. Tensors are stored by alignment (I64, F64, F32) and then by name, texts in
 * the order given, and the header is padded with blanks to 8 bytes: the layout of the format's own
 * writer. So the same content is the same bytes.
 *   The file is written beside its destination and renamed: after an error, or a kill at any moment, it
 *   is what it was.
 * Returns the tape's status. Errors, on the tape: WG_E_IO, WG_E_NULL, WG_E_TAPE (a tensor of another
 *   tape), WG_E_STALE, WG_E_NOMEM, WG_E_VALUE (no value; a name that is no UTF-8, stands twice or is
 *   __metadata__; a header of over 100 MB). */
wg_status wg_safetensors_write(wg_tape *t, const char *path, const wg_safetensors_entry entries[],
                               int64_t n, const wg_safetensors_text texts[], int64_t n_texts);

/* ---- Reading. ------------------------------------------------------------------------------------ */

/* A file that was read. It and its tensors, which are constants, belong to the tape.
 * Of NULL, and of what a failed read returned: inert tensors, 0 and NULL. */
typedef struct wg_safetensors wg_safetensors;

/* wg_safetensors_read: the whole file, onto the tape. Strict: the header is at most 100 MB and within
 * the file, JSON and UTF-8 without duplicate keys or unknown ones, and the tensors' places cover what
 * lies behind it exactly, without gaps and overlaps. Types other than F32, F64 and I64, and more than 8
 * dimensions, are refused by name.
 * Never NULL. Errors, on the tape: WG_E_IO, WG_E_NOMEM, WG_E_NULL, and WG_E_FORMAT, which names file and
 *   place: "m.safetensors: byte 57: ',' or '}' wanted, found ..." or "... tensor 'w': ...". */
wg_safetensors *wg_safetensors_read(wg_tape *t, const char *path);

/* wg_safetensors_count, wg_safetensors_name: how many tensors there are, and the name of number i, in
 * rising order of bytes; NULL for an i that is none. */
int64_t wg_safetensors_count(const wg_safetensors *file);
const char *wg_safetensors_name(const wg_safetensors *file, int64_t i);

/* wg_safetensors_tensor: the tensor of that name, with that name; WG_E_VALUE, on the tape, and the inert
 * tensor where there is none. wg_safetensors_has: is there one? */
wg_tensor *wg_safetensors_tensor(const wg_safetensors *file, const char *name);
bool wg_safetensors_has(const wg_safetensors *file, const char *name);

/* wg_safetensors_text_of: the text with that key; NULL where there is none.
 * wg_safetensors_text_count, wg_safetensors_text_at: all texts, in rising order of keys; {NULL, NULL}
 * for an i that is none. */
const char *wg_safetensors_text_of(const wg_safetensors *file, const char *key);
int64_t wg_safetensors_text_count(const wg_safetensors *file);
wg_safetensors_text wg_safetensors_text_at(const wg_safetensors *file, int64_t i);

/* wg_safetensors_load_into: write into n parameters what the file holds under their names. All or
 * nothing: names, shapes and dtypes are compared before the first is written. Tensors of the file that
 * no parameter asks for are let pass.
 * Returns the tape's status. Errors, on the file's tape: WG_E_VALUE (no such name; no parameter),
 *   WG_E_SHAPE, WG_E_DTYPE, WG_E_TAPE (a parameter of another tape), WG_E_NULL. */
wg_status wg_safetensors_load_into(const wg_safetensors *file, wg_tensor *const params[], int n);

#ifdef __cplusplus
}
#endif
#endif
