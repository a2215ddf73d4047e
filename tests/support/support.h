/* What several tests share: an allocator that counts and fails on order, and a few user ops, so
 * that the engine's tests need nothing of ops/. */
#ifndef WGT_SUPPORT_SUPPORT_H
#define WGT_SUPPORT_SUPPORT_H

#include "autograd/op.h"

/* ---- An allocator that counts, and fails on order. ------------------------------------------- */

typedef struct wgt_memory {
    int64_t calls;   /* of allocate and reallocate, so far */
    int64_t fail_at; /* this call fails, counted from 1; 0: none */
    bool from_then;  /* and all that follow it */
    int64_t failed;  /* so many calls have failed */
    int64_t blocks;  /* not yet released */
    size_t bytes, peak;
} wgt_memory;

/* An allocator whose user is m, which must outlive it and starts all zero. Its memory is full of
 * NaNs. */
wg_allocator wgt_allocator(wgt_memory *m);

/* A tape on such an allocator; NULL: libc's.  A tape on which an error fails the running test. */
wg_tape *wgt_tape(wgt_memory *m);
wg_tape *wgt_strict_tape(void);

/* With an arena that allocates whatever is taken, each allocation can fail alone; how an arena cuts
 * its blocks is then not asked. */
#ifdef WG_ARENA_TINY
enum { WGT_ARENA_TINY = 1 };
#else
enum { WGT_ARENA_TINY = 0 };
#endif

/* So many rows without columns are an array, and, where pointers have 64 bits, a loop over them would
 * not end. */
#define WGT_MANY ((int64_t)(PTRDIFF_MAX >> 13))

/* ---- A sum of many terms, and what its roundings lost (Neumaier): good to the last digit where a
 * long double is a double, too. ---------------------------------------------------------------- */

typedef struct wgt_sum {
    long double rounded, lost;
} wgt_sum;

void wgt_sum_add(wgt_sum *s, long double term);
long double wgt_sum_value(const wgt_sum *s);

/* ---- Leaves in one line.  Values are copied into parameters. --------------------------------- */

wg_tensor *wgt_param(wg_tape *t, const char *name, int ndim, const int64_t *dim,
                     const double *values);
wg_tensor *wgt_scalar_param(wg_tape *t, const char *name, double value);

/* ---- User ops, f64 unless something else is said.  All but the last four have a rule. -------- */

extern const wg_op wgt_op_sine, wgt_op_cosine, wgt_op_cube, wgt_op_product, wgt_op_scaled,
    wgt_op_total, wgt_op_spread, wgt_op_select, wgt_op_place, wgt_op_tail, wgt_op_step,
    wgt_op_blend, wgt_op_reciprocal;

wg_tensor *wgt_sine(wg_tensor *x);
wg_tensor *wgt_cosine(wg_tensor *x);
wg_tensor *wgt_cube(wg_tensor *x);
wg_tensor *wgt_product(wg_tensor *a, wg_tensor *b); /* of one shape; f32 or f64 */
wg_tensor *wgt_scaled(wg_tensor *x, double factor);
wg_tensor *wgt_total(wg_tensor *x);                             /* the sum of all elements */
wg_tensor *wgt_spread(wg_tensor *x, const wg_shape *shape);     /* x of one element, everywhere */
wg_tensor *wgt_select(wg_tensor *x, wg_tensor *k);              /* x[k] of (n), k an i64 in range */
wg_tensor *wgt_place(wg_tensor *x, wg_tensor *k, int64_t n);    /* zeros (n), and x at k */
wg_tensor *wgt_tail(wg_tensor *x, int64_t from);                /* a view: x[from..] of (n) */
wg_tensor *wgt_step(wg_tensor *x);                              /* x > 0; zero gradient */
wg_tensor *wgt_blend(wg_tensor *a, wg_tensor *b, wg_tensor *c); /* a + 10 b + 100 c, broadcast */
wg_tensor *wgt_reciprocal(wg_tensor *x);                        /* 1/x */

/* How often the forward functions of these ops have run in this thread. */
int64_t wgt_runs(void);

#endif
