#ifndef WG_AUTOGRAD_TAPE_H
#define WG_AUTOGRAD_TAPE_H

#include "autograd/allocator.h"
#include "autograd/pool.h"
#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Called at the moment of an error, with what wg_tape_status and wg_tape_message will say. It must
 * not call the library on this tape. */
typedef void wg_error_callback(wg_status status, const char *message, void *user);

/* A matrix product of the user's own, a CBLAS perhaps: C = op(A) op(B), all row-major, C (m, n)
 * overwritten, op(A) (m, k) stored as it is or transposed, likewise op(B) (k, n); m, n, k >= 1;
 * lda, ldb, ldc are the lengths of stored rows; f32 or f64. On a tape with a pool it is called from
 * several threads at once. */
typedef void wg_gemm(wg_dtype dtype, bool transpose_a, bool transpose_b, int64_t m, int64_t n,
                     int64_t k, const void *a, int64_t lda, const void *b, int64_t ldb, void *c,
                     int64_t ldc, void *user);

struct wg_ranks; /* autograd/ranks/ranks.h */

typedef struct wg_tape_options {
    wg_allocator allocator;      /* all zero (default): libc's malloc */
    wg_error_callback *on_error; /* default NULL: none */
    void *on_error_user;         /* handed to it */
    uint64_t seed;               /* of the random numbers; any value; default 0 */
    bool check_finite; /* a NaN or infinity that an op makes is WG_E_NOT_FINITE; default false */
    bool allow_stale;  /* reading a value that is older than its leaves gives the old one, and is no
                          error; default false: WG_E_STALE */
    bool strict_grad;  /* a gradient by what y does not depend on is WG_E_VALUE; default false */
    wg_pool *pool;   /* threads to share the work; default NULL: none. Outlives the tape, serves one
                        * tape at a time; results are the same bits with and without it */
    wg_gemm *gemm;   /* takes the place of the library's matrix product; default NULL: none */
    void *gemm_user; /* handed to it */
    /* processes that share the rows of full-batch training; default NULL: none. Outlives the tape;
     * results are the same bits with one rank and with many */
    const struct wg_ranks *ranks;
} wg_tape_options;

/* wg_tape_new: an empty tape; NULL options are the defaults. The caller frees it with wg_tape_free,
 * which frees everything that was ever made on it. Never NULL: without memory the result is a
 * static inert tape whose status is WG_E_NOMEM, with an allocator that lacks a function one of
 * WG_E_NULL. A tape belongs to one thread at a time; tapes of different threads have nothing to do
 * with one another, since the library has no state of its own. */
wg_tape *wg_tape_new(const wg_tape_options *options);
void wg_tape_free(wg_tape *t);

/* wg_tape_copy: a new tape with the same nodes in the same places, floats being of `dtype` (f32,
 * f64, wide), every value computed anew from the leaves' converted values. That is how an f32
 * model's gradient is checked at full precision: wg_tape_copy(t, WG_F64). The copy borrows nothing
 * from t: what inputs borrowed is copied, too. Ops that cast to a float dtype cast to `dtype` in
 * the copy.
 * In wide floats (autograd/wide.h) what is discrete (comparisons, floor, argmax, casts to i64)
 * keeps the values that it has on t, so that no rounding switches a branch; all else is computed by
 * reference kernels, slowly. Attributes keep their bits: rules hold numbers such as 1/n there, and
 * rounded as a kernel of f32 rounds them they would make a right gradient wrong by 1e-8. For the
 * same reason a cast to f32 is no rounding: a stair has no derivative. The caller frees it.
 * t is read, no more: several threads may copy it at once while none changes it, as where each
 * predicts on a tape of its own.
 * Never NULL; errors are the copy's own status: WG_E_NULL, WG_E_NOMEM, WG_E_DTYPE (dtype is i64, or
 * an op, a user's perhaps, does not exist in `dtype`), and t's status if it has one. */
wg_tape *wg_tape_copy(const wg_tape *t, wg_dtype dtype);

/* wg_tape_counterpart: the tensor of `copy` that stands where x stands on its own tape. Where there
 * is none: the inert tensor, and WG_E_NULL on the copy. */
wg_tensor *wg_tape_counterpart(wg_tape *copy, const wg_tensor *x);

/* wg_tape_options_of: the options that the tape was made with, the allocator filled in; all zero
 * where there is no tape. */
const wg_tape_options *wg_tape_options_of(const wg_tape *t);

/* wg_tape_status, wg_tape_message: the first error since the tape was made or rewound; WG_OK and ""
 * if there was none. The message names the op, the operands and their shapes. NULL: WG_E_NULL. */
wg_status wg_tape_status(const wg_tape *t);
const char *wg_tape_message(const wg_tape *t);

/* wg_tape_size: how many nodes (leaves, values, gradients) the tape holds. */
int64_t wg_tape_size(const wg_tape *t);

/* A place on the tape. Good until the tape is rewound to an older one. Marks between which nothing
 * was put on the tape are one place. */
typedef struct wg_mark {
    const wg_tape *tape;
    uint64_t serial; /* of the tape's marks; 0: the empty tape */
    int64_t size;    /* nodes on the tape */
    wg_status status;
} wg_mark;

/* wg_tape_mark, wg_tape_rewind: rewinding drops everything younger than the mark (nodes,
 * parameters, tables, optimizers) and takes the status back to what it was, so that work can go on
 * after an error; parameters that are older keep their newest values. Returns the status
 * from before: an error since the mark is told here for the last time. A loop that rewinds, and has
 * no other use for the error, keeps it with its message for the look at the end by
 *
 *     if (wg_tape_status(t) != WG_OK)
 *         break;
 *     wg_tape_rewind(t, mark);
 *
 * A mark that went with a rewind to an older one, or is of another tape, is WG_E_TAPE and drops
 * nothing. A place takes some bytes of the tape; where there are none, WG_E_NOMEM is recorded, and
 * the mark is good once: rewinding to it takes that back. */
wg_mark wg_tape_mark(wg_tape *t);
wg_status wg_tape_rewind(wg_tape *t, wg_mark mark);

/* wg_tape_take: memory that lives as long as a node recorded now would, aligned to 64 bytes and
 * zeroed; NULL, and WG_E_NOMEM on the tape, where there is none. */
void *wg_tape_take(wg_tape *t, size_t size);

/* wg_tape_copy_text: a copy of a string in such memory. */
char *wg_tape_copy_text(wg_tape *t, const char *text);

/* wg_temporary, wg_temporary_free: memory for n items of a kind from the tape's allocator; n = 0
 * gives memory, too. NULL, and WG_E_NOMEM on the tape, where there is none. */
void *wg_temporary(wg_tape *t, int64_t n, size_t item);
void wg_temporary_free(wg_tape *t, void *memory);

/* wg_temporary_grow: at least `need` items in *memory, doubling; false leaves it as it was. */
bool wg_temporary_grow(wg_tape *t, void **memory, int64_t *capacity, int64_t need, size_t item);

/* wg_replay: compute anew, in recording order, every node that parameters and inputs reach, whether
 * stale or not: what stands in the memory that inputs borrow is read again. What
 * C's own `if` and loops decided while the tape was recorded stays decided, whatever the new values
 * are: a choice that follows the values is an op, wg_where.
 * Allocates nothing. Returns the tape's status: WG_E_INDEX for a wrong label, WG_E_NOT_FINITE. */
wg_status wg_replay(wg_tape *t);

/* wg_replay_to: the same for those nodes alone that the n tensors ys are computed from. */
wg_status wg_replay_to(wg_tensor *const ys[], int n);

#ifdef __cplusplus
}
#endif
#endif
