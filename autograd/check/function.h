/* Is this the gradient of that function? A claimed gradient against differences, with error bars.
 *
 * Works on any C function of a vector; knows nothing of tapes. Nothing here allocates, and x is
 * moved in place while f is evaluated and restored bit for bit. Work is counted in evaluations of
 * f: an entry that agrees clearly costs 4 (2 with points = 3), sometimes 8; one that does not is
 * examined at all steps that can tell, some 80 to 320, before it is pronounced wrong.
 *
 * An entry agrees when  |a - n| <= bars * (truncation + round-off) + rtol * max(|a|, |n|),
 * a the claimed and n the numerical value; at a kink n is the interval between the one-sided
 * derivatives. An entry whose bar is too wide (see `resolution`) is unresolved, unless it is off by
 * more than eight times that. The limits: what f does only at steps where its own rounding drowns
 * the difference, or only at a scale far below max(unit, |x_i|) around x_i = 0, cannot be seen;
 * `unit` helps with that. */
#ifndef WG_AUTOGRAD_CHECK_FUNCTION_H
#define WG_AUTOGRAD_CHECK_FUNCTION_H

#include "autograd/shape.h"
#include "autograd/wide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A scalar function of a vector. It must be a pure function of x: the same x gives
 * the same bits. */
typedef double wg_function(const double *x, void *user);

#if WG_HAS_WIDE
/* The same in wide floats. */
typedef wg_wide wg_wide_function(const wg_wide *x, void *user);
#endif

/* A derivative and what is known of its error. */
typedef struct wg_difference {
    double value;
    double truncation; /* estimated error of the formula */
    double roundoff;   /* estimated error from the noise in f */
    double step;       /* k of the stencil (values at +-k and +-2k) that the value comes from */
    double noise;      /* noise in one value of f (standard deviation, or eps |f| if larger) */
    double left,
        right;   /* one-sided derivatives; at a kink the interval of admissible derivatives */
    bool kink;   /* left and right keep disagreeing as the step shrinks; value is their mean */
    bool finite; /* false: no stencil, not even a one-sided one, had finite values */
    bool flat;   /* f never moved, at any step */
} wg_difference;

/* In order of severity: a report's worst entry is one of the severest outcome there is. */
typedef enum wg_check_outcome {
    WG_ENTRY_AGREES,
    WG_ENTRY_KINK,       /* claimed value lies between the one-sided derivatives */
    WG_ENTRY_UNRESOLVED, /* the error bar is too wide to tell */
    WG_ENTRY_DISAGREES
} wg_check_outcome;

typedef enum wg_check_verdict {
    WG_CHECK_PASSED,
    WG_CHECK_FAILED,     /* an entry disagrees, or the claimed value is NaN or infinite */
    WG_CHECK_VACUOUS,    /* nothing was tested: no entries, or zero on both sides everywhere */
    WG_CHECK_UNRESOLVED, /* too many entries are unresolved */
    WG_CHECK_NOT_FINITE, /* f(x) itself is NaN or infinite */
    WG_CHECK_INVALID     /* a NULL argument or an option out of its range */
} wg_check_verdict;

/* One entry (or one direction) as it was judged. */
typedef struct wg_check_entry {
    size_t index; /* entry of x, or number of the direction */
    wg_check_outcome outcome;
    double claimed;
    wg_difference numeric; /* value, truncation, round-off, step, one-sided derivatives */
    bool wide;             /* decided in wide floats */
    bool rules; /* of recorded gradients: differences of y cannot tell; those of each op alone say
                 * that its rule is right */
    bool meet;  /* of recorded gradients: kinks meet, whose rules are right each by itself, and
                 * what they make is no derivative of y; next to x it is */
    const char *op; /* of recorded gradients: whose kink it is, or what no step resolves; or NULL */
    double excess; /* |a - n| over the tolerance: above 1 is disagreement; inf if a is not finite */
} wg_check_entry;

typedef struct wg_check_report wg_check_report;

/* Told of every entry as it is judged; `input` is the report so far: its name, its shape. */
typedef void wg_check_listener(const wg_check_entry *e, const wg_check_report *input, void *user);

/* Zero in a field means its default; so does a NULL pointer to the whole. */
typedef struct wg_check_options {
    int points;        /* 5, or 3 for half the evaluations; default 5 */
    double step;       /* first inner step k over max(unit, |x_i|), rounded down to a power of
                          * two; default 2^-10 (2^-17 for 3 points), in [2^-50, 1/16] */
    double unit;       /* length scale of entries smaller than it; default 1, > 0 */
    double bars;       /* error bars that a difference may be off; default 4, >= 1 */
    double rtol;       /* relative tolerance on top of the bars; default 1e-7, in (0, 1e-2] */
    double resolution; /* an entry is unresolved if truncation + round-off exceeds
                          * resolution * max(|a|, |n|); default 1e-3, in (0, 0.1] */
    double negligible; /* ... unless it is below negligible * largest; default 1e-9, in (0, 1e-3] */
    double largest;    /* size of the gradient that `negligible` refers to; default (and at least)
                          * the largest |a| of this call; pass it when x is one input of several */
    double unresolved; /* share of unresolved entries above which the check has not passed;
                          * default 0.1, in (0, 1) */
    uint64_t seed;     /* of random directions; default 1 */
    wg_check_listener
        *listen;    /* wg_check_entry_csv, or one's own that picks what failed; NULL: none */
    void *listener; /* its user */
} wg_check_options;

struct wg_check_report {
    /* Of the input, for printing; NULL until the caller sets it: a check overwrites the report. */
    const char *name;
    wg_shape shape; /* of the input, by which an entry's index is told; no dimensions: directions */
    const char *blame; /* where the error enters; likewise */
    const char *note;  /* what else there is to say; NULL: nothing */
    /* The op that passes through a narrower float where it is computed in wide ones, so that double
     * decided; NULL: none was met, and unless wg_gradcheck sets it. */
    const char *narrow;
    wg_check_verdict verdict;
    size_t entries; /* judged: agree + kink + unresolved + disagree */
    size_t agree;
    size_t kink;
    size_t unresolved;
    size_t disagree;
    size_t wide;          /* of these, decided in wide floats */
    size_t rules;         /* of these, decided op by op */
    size_t meet;          /* of these, where kinks meet */
    wg_check_entry worst; /* severest outcome, then largest excess; meaningless if entries is 0 */
    double value;         /* f(x) */
    double largest;       /* largest |claimed| or |numeric|, at least the option */
    size_t evaluations;   /* of f, in total */
    double single;        /* how far an f32 gradient is from the one in f64 that was checked, as a
                           * share of the largest; 0 unless wg_gradcheck sets it */
};

/* wg_check_function: every entry of a claimed gradient.
 * Shape:   x, claimed [n]. f is called with this x.
 * Edges:   claimed NaN -> disagrees; claimed inf -> disagrees, or is unresolved where the
 *          derivatives of f grow without bound that way (sqrt at 0); an infinite x_i cannot be
 *          moved: unresolved, and so are directions then; f(x) not finite -> NOT_FINITE; n = 0 ->
 *          VACUOUS.
 * Returns: report->verdict. `report` is overwritten, may be NULL. `options` may be NULL. */
wg_check_verdict wg_check_function(wg_function *f, void *user, double *x, const double *claimed,
                                   size_t n, const wg_check_options *options,
                                   wg_check_report *report);

#if WG_HAS_WIDE
/* wg_check_function_wide: every entry of a claimed gradient, in wide floats: central differences at
 * steps of about eps^(1/3), eps^(1/2.4), eps^(1/2) and smaller of |x_i| (x_i = 0: of the largest
 * |x|, or 1), eps the wide epsilon. The first two neighbouring steps that agree decide, and what
 * they differ by is the bar; the tolerance is the bar plus 1e-12 (64 bits: 5e-12) of the
 * derivative. Where no two agree to a thousandth the entry is unresolved. f must be wide all the
 * way: what passes through a double stands still at these steps. Of the options `unresolved` and
 * `seed` count. */
wg_check_verdict wg_check_function_wide(wg_wide_function *f, void *user, wg_wide *x,
                                        const wg_wide *claimed, size_t n,
                                        const wg_check_options *options, wg_check_report *report);
#endif

/* wg_check_directions: `directions` random directions v instead of n entries: claimed . v against
 * the derivative along v. For inputs too large to check entry by entry.
 * v_i is normal, times max(unit, |x_i|) / sqrt(n). The report counts directions, not entries.
 * work [2n] is the caller's, overwritten. */
wg_check_verdict wg_check_directions(wg_function *f, void *user, double *x, const double *claimed,
                                     size_t n, size_t directions, double *work,
                                     const wg_check_options *options, wg_check_report *report);

#define WG_CHECK_TAYLOR_ROWS 12

typedef struct wg_check_taylor_row {
    double t;
    double remainder; /* |f(x + tv) - f(x) - t g.v [- t^2/2 v.Hv]| */
    double rate;      /* log2 of the row before's remainder over this one's; NaN in the first */
} wg_check_taylor_row;

typedef struct wg_check_taylor_report {
    wg_check_verdict verdict;
    int order;      /* the rate that a right derivative gives: 2, or 3 with Hv */
    double rate;    /* fitted over the finest rows above the noise; NaN if there were too few */
    double noise;   /* estimated noise in f; remainders below a few times this mean nothing */
    double claimed; /* g.v, or v.Hv where that alone is not finite */
    bool wide;      /* the rate does not tell: wide differences decided (wg_gradcheck_taylor) */
    wg_check_taylor_row rows[WG_CHECK_TAYLOR_ROWS];
} wg_check_taylor_report;

/* wg_check_taylor: how fast the Taylor remainder along v falls as t halves: t^2 if the gradient g
 * is right, t^3 if g and Hv are right, t if g is wrong. A sharp test of the whole at O(1)
 * evaluations. The first step moves no entry by more than an eighth of max(unit, |x_i|); where the
 * rate is too low finer steps follow, and their rows replace the first.
 * Shape:   x, g, v, hv [n]; hv = H(x) v or NULL; work [n]. Of the options `unit` counts; may be
 *          NULL.
 * Verdict: PASSED if rate >= order - 1/4, or if the remainder is noise from the first step on while
 *          the derivative is not; VACUOUS if there is nothing but noise; UNRESOLVED if the rate is
 *          too low where differences say that the derivative is right, or at a kink; FAILED
 *          otherwise. */
wg_check_verdict wg_check_taylor(wg_function *f, void *user, double *x, const double *g,
                                 const double *v, const double *hv, size_t n, double *work,
                                 const wg_check_options *options, wg_check_taylor_report *report);

typedef struct wg_check_sweep_row {
    double h;
    double error2; /* |(f(h) - f(0))/h - exact| */
    double error3; /* |D3(h) - exact| */
    double error5; /* |D5(h) - exact|, from f at +-h and +-2h */
} wg_check_sweep_row;

/* wg_check_sweep: the V-shaped curves of difference error against step, for one entry of x.
 * rows [count] are written: h goes geometrically from `from` to `to`, both > 0. `exact` is the
 * derivative to compare with. Four evaluations a row. An error that cannot be had (f not finite at
 * h) is NaN.
 * Returns: f(x); if it is not finite, all errors are NaN. NaN, and no row written, if f, x or rows
 *          is NULL or entry >= n. */
double wg_check_sweep(wg_function *f, void *user, double *x, size_t n, size_t entry, double exact,
                      double from, double to, wg_check_sweep_row *rows, size_t count);

/* wg_check_verdict_name: "passed", "failed", "vacuous", "unresolved", "not finite", "invalid". */
const char *wg_check_verdict_name(wg_check_verdict verdict);

/* wg_check_report_print: one row a report, the worst entry under it when there is something to
 * tell, and one line of verdict for the whole. Nothing, where out, or reports with count > 0, is
 * NULL. */
void wg_check_report_print(FILE *out, const wg_check_report *reports, size_t count);

/* wg_check_entry_csv: a listener that writes entries as CSV; stream is a FILE *. Called with e =
 * NULL it writes the line of headers. */
void wg_check_entry_csv(const wg_check_entry *e, const wg_check_report *input, void *stream);

/* wg_check_taylor_print: the remainders, their rates, and the verdict; or why there are none: the
 * claim, f(x) or x is not finite. */
void wg_check_taylor_print(FILE *out, const wg_check_taylor_report *report);

/* wg_check_sweep_print: the errors by step as a table. wg_check_sweep_csv: as CSV. */
void wg_check_sweep_print(FILE *out, const wg_check_sweep_row *rows, size_t count);
void wg_check_sweep_csv(FILE *out, const wg_check_sweep_row *rows, size_t count);

#ifdef __cplusplus
}
#endif

#endif
