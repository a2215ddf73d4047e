#ifndef WG_AUTOGRAD_CHECK_RECORDED_INTERNAL_H
#define WG_AUTOGRAD_CHECK_RECORDED_INTERNAL_H

#include "autograd/check/gradcheck.h"
#include "autograd/tape_internal.h"

/* What a check must leave as it was found, and the f64 tape that it works on: the user's own, or a
 * copy of one that has f32. */
typedef struct wg_check_session {
    wg_tape *user, *t;
    bool copied;
    const wg_tensor *caller_y;
    wg_mark mark; /* what is older was recorded by the user */
    wg_arena_mark scratch;
    wg_tape_options options; /* the user's; meanwhile there is no callback, and nothing is strict */
    wg_tensor *y;
    wg_tensor **xs;           /* [n] */
    wg_tensor *const *caller; /* [n], the xs on the user's tape, which outlives a copy */
    wg_tensor *const *given;  /* [n], the gradients given, on the user's tape; NULL: none are */
    int n;
    wg_tensor **loop; /* [n_loops] what is discrete in the bodies of loops, as it comes out of their
                       * operands here: parts of all that these record */
    int64_t n_loops;
} wg_check_session;

/* wg_check_session_begin: false where the arguments are not fit to be checked; *why then says so.
 * After true, wg_check_session_end must be called. */
bool wg_check_session_begin(wg_check_session *s, wg_tensor *y, wg_tensor *const xs[], int n,
                            const char **why);
void wg_check_session_end(wg_check_session *s);

/* wg_check_session_wide: another session about the same, on a wide copy of what y, the xs and the
 * gradients given are computed from; it ends before s does.
 * False: there is none, and w->t, which the caller frees, says why. */
bool wg_check_session_wide(wg_check_session *w, const wg_check_session *s);

/* What is checked: gs, the claimed gradients of sum_k <cotangents[k], ys[k]> by
 * the session's xs. */
typedef struct wg_check_claim {
    wg_tensor *const *ys, *const *cotangents; /* [m] */
    int m;
    wg_tensor *const *gs; /* [n of the session] */
} wg_check_claim;

/* wg_check_record: records a claim on the session's tape; NULL, or why there is none. */
typedef const char *wg_check_record(wg_check_session *s, const void *context, wg_check_claim *c);

/* A view that keeps its values while the memory it looks at moves. */
typedef struct wg_recorded_hold {
    wg_tensor *x;
    void *data; /* where it looks */
} wg_recorded_hold;

/* Recorded tensors as a function of some of them: f(xs) = sum_k <cotangents[k], ys[k]>. While it
 * lasts, the xs' values are copies, one after the other, that may be moved. */
typedef struct wg_recorded {
    wg_tape *t;
    wg_tensor *const *ys, *const *cotangents; /* [m] */
    int m, n_xs;
    wg_tensor *const *xs; /* [n_xs] */
    void **borrowed;      /* [n_xs]: what they held before */
    int64_t size;         /* of the xs together */
    void *values,
        *origin;      /* [size], in their dtype: what they hold meanwhile, and what they held */
    wg_tensor **node; /* [n], in recording order: what moves with the xs */
    /* [n_branches]: what is discrete and depends on them, and keeps its value; views, of what is
     * discrete in a loop, which itself is computed from what was held. */
    wg_tensor **branch;
    void *kept; /* what the nodes held before, one after the other; NULL: it is computed again */
    wg_recorded_hold *held; /* [n_held] */
    int64_t n, n_branches, n_held;
} wg_recorded;

/* wg_recorded_begin: false: out of memory; then there is nothing to end. */
bool wg_recorded_begin(wg_recorded *r, const wg_check_session *s, const wg_check_claim *c,
                       wg_tensor *const xs[], int n_xs);
void wg_recorded_end(wg_recorded *r);
double wg_recorded_value(const double *x, void *recorded); /* a wg_function */
#if WG_HAS_WIDE
wg_wide wg_recorded_value_wide(const wg_wide *x, void *recorded);
wg_wide wg_recorded_sum_wide(const wg_recorded *r); /* of what the ys hold */
#endif

/* wg_recorded_place: where x is among the xs (0 on) and the nodes (n_xs on); -1: nowhere. */
int64_t wg_recorded_place(const wg_recorded *r, const wg_tensor *x);

/* wg_recorded_run: computes what moves from the values; false: an op refuses them, and the tape has
 * its error. wg_recorded_evaluate: the same; that is no error of the tape's. */
bool wg_recorded_run(const wg_recorded *r);
bool wg_recorded_evaluate(const wg_recorded *r);

/* Keys of the random numbers that checks draw, for input i: key + WG_CHECK_KEYS * i. */
enum {
    WG_CHECK_COTANGENT = 0xc07a,
    WG_CHECK_TANGENT,
    WG_CHECK_SECOND_TANGENT,
    WG_CHECK_LOCAL,
    WG_CHECK_SCREEN,
    WG_CHECK_NEARBY
};
#define WG_CHECK_KEYS 16

/* The widest float of a check, and element i of values that are wide or f64 as one; 0 for
 * others. */
#if WG_HAS_WIDE
typedef wg_wide wg_check_real;
#else
typedef double wg_check_real;
#endif

static inline wg_check_real wg_check_real_at(const void *values, int64_t i, wg_dtype dtype)
{
#if WG_HAS_WIDE
    if (dtype == WG_WIDE)
        return ((const wg_wide *)values)[i];
#endif
    return dtype == WG_F64 ? (wg_check_real)((const double *)values)[i] : 0;
}

static inline void wg_check_real_set(void *values, int64_t i, wg_dtype dtype, wg_check_real value)
{
#if WG_HAS_WIDE
    if (dtype == WG_WIDE) {
        ((wg_wide *)values)[i] = value;
        return;
    }
#endif
    if (dtype == WG_F64)
        ((double *)values)[i] = (double)value;
}

/* wg_check_run_on: runs x's op on other operands' values: operand k has those of values[k], or its
 * own where that is NULL. The result, in scratch; NULL without memory or where the op refuses
 * them. */
void *wg_check_run_on(wg_tensor *x, void *const values[], wg_arena *scratch);

/* wg_check_random_like: a constant of normal draws, shaped as x. */
wg_tensor *wg_check_random_like(const wg_tensor *x, uint64_t seed, int key, int i);

/* wg_check_why: NULL where the session's tape has no error, "out of memory", or the other reason
 * given. */
const char *wg_check_why(const wg_check_session *s, const char *otherwise);

/* wg_check_fail: sets all reports to WG_CHECK_FAILED. */
wg_check_verdict wg_check_fail(wg_check_report reports[], int n, const char *note,
                               const char *blame);

/* wg_check_invalid: sets all reports to WG_CHECK_INVALID with a reason. */
wg_check_verdict wg_check_invalid(wg_check_report reports[], int n, const char *why);

#endif
