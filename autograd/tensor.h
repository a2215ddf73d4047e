#ifndef WG_AUTOGRAD_TENSOR_H
#define WG_AUTOGRAD_TENSOR_H

#include "autograd/shape.h"
#include "autograd/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wg_tape wg_tape;
typedef struct wg_tensor wg_tensor;

/* ---- Leaves: tensors that no op computes. All are owned by the tape. ----------------------------
 *
 * Errors of all builders below: WG_E_NOMEM, WG_E_SHAPE (ndim over 8, a negative size, a size that
 * overflows), WG_E_DTYPE, WG_E_NULL, recorded on the tape; the result is then the inert tensor. */

/* wg_param: a parameter, zeros of the given shape; f32 or f64. `name` is copied. Gradients are
 * taken with respect to parameters, optimizers write them, wg_replay takes their new values. */
wg_tensor *wg_param(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim);

/* wg_input: a leaf that borrows `data` (row-major, of the given shape and dtype), which must
 * outlive its use and is never written. `data` may be NULL where the shape has no elements.
 * The caller may write to that memory: wg_replay and wg_program_run read it anew. The tape does not
 * see it, though: until then what was computed keeps its old values, and reading those, or
 * recording on them beside the input's new ones, is no error. wg_bind to the same memory makes them
 * stale. */
wg_tensor *wg_input(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim,
                    const void *data);

/* wg_placeholder: an input that has no memory yet. It and what is recorded on it have shapes and no
 * values: a tape of them, gradients and all, takes the memory of its nodes, and nothing is computed
 * before it is needed. Errors of shapes come as always. Programs (wg_compile) compute the values
 * when each of their placeholders has memory, by wg_program_bind or wg_bind; until then a run is
 * WG_E_NULL. What was recorded on it has no value on the tape, before and after: it reads as NaN.
 *
 *     wg_tensor *X = wg_placeholder(t, "X", WG_F32, WG_SHAPE(128, 784));
 *     ... the loss of X, and wg_grad ...
 *     wg_program *p = wg_compile(outputs, n, NULL);
 *     wg_program_bind(p, X, batch);  wg_program_run(p); */
wg_tensor *wg_placeholder(wg_tape *t, const char *name, wg_dtype dtype, int ndim,
                          const int64_t *dim);

/* wg_bind: let an input borrow other memory of the same shape and dtype. What was computed from the
 * old values becomes stale. Errors: WG_E_VALUE where x is no input, WG_E_NULL. */
wg_status wg_bind(wg_tensor *input, const void *data);

/* Rows that are in no memory: a file's, say. `read` copies rows `first` to first + n - 1 to `to`,
 * row-major, and returns NULL, or what went wrong, a text that stays ("is too short"). Several
 * threads may call it at once. */
typedef struct wg_stream {
    const char *(*read)(void *user, int64_t first, int64_t n, void *to);
    void *user;
    int64_t first; /* the number that `read` has for the tensor's row 0 */

    /* Where such rows are in memory; NULL where they are not, or not all together, and are read.
     * NULL in its place: none ever are. */
    const void *(*at)(void *user, int64_t first, int64_t n);
} wg_stream;

/* wg_streamed: a leaf of such rows (axis 0), as wg_blocks_new takes them: read block by block, at
 * every run. It has a shape and no value, and neither has what is recorded on it. */
wg_tensor *wg_streamed(wg_tape *t, const char *name, wg_dtype dtype, int ndim, const int64_t *dim,
                       const wg_stream *stream);

/* wg_constant: a copy of `data`. Nodes that depend on constants alone are never run again. */
wg_tensor *wg_constant(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, const void *data);

/* wg_constant_from: a constant of dtype f32 or f64 from doubles, rounded. Errors: WG_E_DTYPE,
 * WG_E_NULL, those of wg_constant. */
wg_tensor *wg_constant_from(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim,
                            const double values[]);

/* wg_full: a constant with every element `value` (f32: rounded, i64: truncated; WG_E_VALUE where an
 * i64 cannot hold it). wg_scalar is wg_full of zero dimensions. */
wg_tensor *wg_full(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double value);
wg_tensor *wg_scalar(wg_tape *t, wg_dtype dtype, double value);

/* wg_constant_normal, wg_constant_uniform: random constants, f32 or f64: draws as those of
 * wg_fill_normal and wg_fill_uniform. Errors: WG_E_DTYPE, those of wg_constant. */
wg_tensor *wg_constant_normal(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double mean,
                              double deviation, uint64_t key);
wg_tensor *wg_constant_uniform(wg_tape *t, wg_dtype dtype, int ndim, const int64_t *dim, double low,
                               double high, uint64_t key);

/* wg_zeros_like, wg_ones_like: a constant with x's shape and dtype. wg_scalar_like: with x's dtype
 * and zero dimensions, to compute with x: wg_less(x, wg_scalar_like(x, 0.5)). */
wg_tensor *wg_zeros_like(const wg_tensor *x);
wg_tensor *wg_ones_like(const wg_tensor *x);
wg_tensor *wg_scalar_like(const wg_tensor *x, double value);

/* wg_rename: give x a name that messages, prints and graphs use (copied); returns x. */
wg_tensor *wg_rename(wg_tensor *x, const char *name);

/* ---- Reading. Of an inert tensor: NaN, INT64_MIN, size 0, NULL; never a plausible number. -------
 * So does a tensor without a value. Of a stale tensor: the same, and WG_E_STALE on the tape: read
 * before the step that writes the parameters, or replay after it; the tape's option allow_stale
 * allows the old values. A view of a leaf (wg_reshape, wg_squeeze) is as fresh as the leaf. */

/* wg_is_stale: was a leaf that x is computed from written since x was computed? Inert: no. */
bool wg_is_stale(const wg_tensor *x);

/* wg_ndim: the number of dimensions, 0 to WG_MAX_DIMS; 0 of an inert x. */
int wg_ndim(const wg_tensor *x);

/* wg_size: the number of elements, 1 for zero dimensions; 0 of an inert x. */
int64_t wg_size(const wg_tensor *x);

/* wg_dtype_of: the type of the elements. */
wg_dtype wg_dtype_of(const wg_tensor *x);

/* wg_dim: the size along an axis; negative axes count from the last. An axis out of range: 0, and
 * WG_E_VALUE on the tape. */
int64_t wg_dim(const wg_tensor *x, int axis);

/* wg_item: the value of a tensor of one element, as a double. More or fewer elements: NaN, and
 * WG_E_SHAPE on the tape. wg_item_i64 is for i64 (WG_E_DTYPE otherwise). */
double wg_item(const wg_tensor *x);
int64_t wg_item_i64(const wg_tensor *x);

/* wg_at: element i in row-major order, as a double; WG_E_INDEX on the tape where there is none. */
double wg_at(const wg_tensor *x, int64_t i);

/* wg_data_f32, _f64, _i64: the values, row-major; NULL, and WG_E_DTYPE on the tape, for another
 * dtype. The values behind a pointer kept over a write of leaves are not checked: they are the old
 * ones until a replay. The pointer is good until the tape drops the tensor or the input is bound to
 * other memory. Memory that the tape took is aligned to 64 bytes where the values take as many,
 * else to 8. */
const float *wg_data_f32(const wg_tensor *x);
const double *wg_data_f64(const wg_tensor *x);
const int64_t *wg_data_i64(const wg_tensor *x);

/* wg_read: copy all values, row-major, in x's dtype; `bytes` must be their size exactly. */
wg_status wg_read(const wg_tensor *x, void *values, size_t bytes);

/* ---- Writing. Only parameters can be written; what was computed from them becomes stale. After an
 * error on the tape nothing is written, as nothing is recorded. ------------------------------- */

/* wg_write: copy `bytes` bytes, which must be the parameter's size exactly, into a parameter.
 * Errors: WG_E_VALUE (no parameter, or another size), WG_E_NULL. */
wg_status wg_write(wg_tensor *param, const void *values, size_t bytes);

/* wg_edit: the parameter's memory, to be written at once; NULL, and WG_E_VALUE on the tape, where x
 * is no parameter. Call it anew for every round of writing: it marks dependents stale. */
void *wg_edit(wg_tensor *param);

/* wg_fill_normal, wg_fill_uniform: fill a parameter with draws from N(mean, deviation^2), or from
 * [low, high). Element i is a pure function of (the tape's seed, key, i): give each parameter a key
 * of its own. Errors: as wg_edit. */
wg_status wg_fill_normal(wg_tensor *param, double mean, double deviation, uint64_t key);
wg_status wg_fill_uniform(wg_tensor *param, double low, double high, uint64_t key);

#ifdef __cplusplus
}
#endif
#endif
