/* What the parts of the function checker share. Nobody else includes this. */
#ifndef WG_AUTOGRAD_CHECK_FUNCTION_INTERNAL_H
#define WG_AUTOGRAD_CHECK_FUNCTION_INTERNAL_H

#include "autograd/check/difference_internal.h"

#if WG_HAS_WIDE

/* A line through x in wide floats: entry i, or a direction. Fill in the first group, call
 * wg_wide_line_begin, then change `entry` freely. */
typedef struct wg_wide_line {
    wg_wide_function *f;
    void *user;
    wg_wide *x; /* [n], moved in place and restored */
    size_t n, entry;
    const double *direction; /* [n] or NULL */
    const wg_wide *origin;   /* [n], a copy of x; NULL without a direction: none is looked around */
    uint64_t seed;           /* of the steps' mantissas */
    wg_wide rounded;         /* the size of what f rounds, where that is more than |f| */

    wg_wide value, unit; /* f(x), the largest |x| */
    size_t evaluations;
} wg_wide_line;

/* wg_wide_line_begin: the value is f(x); false where that is not finite. wg_wide_judge: judges a
 * claim, within two evaluations where the first step confirms it. wg_wide_confirms: does one
 * forward step confirm it already? *sharp: to the tolerance, with no more for rounding. */
bool wg_wide_line_begin(wg_wide_line *line, wg_wide value);
void wg_wide_judge(wg_wide_line *line, size_t index, wg_wide claimed, wg_check_entry *e);
bool wg_wide_confirms(wg_wide_line *line, wg_wide claimed, bool *sharp);

#endif

/* Wide differences of 64 bits step over the treads of a double: there no stair hides anything. */
#define WG_STAIR_SHOWS (WG_HAS_WIDE && WG_WIDE_BITS > 100)
#if WG_STAIR_SHOWS

#define WG_STAIR_TINY 0x1p-70 /* less than all treads */

/* wg_wide_is_stair: does f, of t near 0, stand still between risers of more than `least`, as where
 * it passes through a float, a double or a long double? Some 250 evaluations. *riser: the highest;
 * at: where two of them are. */
typedef wg_wide wg_wide_of(wg_wide t, void *user);
bool wg_wide_is_stair(wg_wide_of *f, void *user, wg_wide least, wg_wide *riser, wg_wide at[2]);

#endif

/* Who looks further. judge sets *e for claim `index`, decided in wide floats, or returns false: it
 * cannot. look sees every entry that was judged and may change its outcome. NULL: nobody. */
typedef struct wg_check_decide {
    bool (*judge)(size_t index, wg_check_entry *e, void *user);
    void (*look)(wg_check_entry *e, void *user);
    void *user;
    bool all;       /* every entry is decided so */
    bool *doubtful; /* set where the judge looked and could not tell: double must not accuse then */
    const char *name; /* of the input */
    wg_shape shape;
} wg_check_decide;

/* wg_check_index_text: "[2, 2]", or "direction 3" where the shape has no
 * dimensions. Returns text. */
#define WG_CHECK_INDEX_TEXT 192
char *wg_check_index_text(const wg_shape *shape, size_t index, char text[WG_CHECK_INDEX_TEXT]);

/* wg_check_csv_text: a field of CSV, quoted where that is needed. */
void wg_check_csv_text(FILE *out, const char *text);

/* A check in progress. */
typedef struct wg_check_state {
    wg_check_options options; /* defaults filled in */
    wg_check_report report;
    wg_line line;
    size_t largest_entry;          /* of the claimed gradient */
    bool claims, below;            /* some claimed value is not zero; or is, to f's last digit */
    const wg_check_decide *decide; /* or NULL */
    double lump;                   /* coarseness of f along other entries, once it is known */
    bool lump_known;
    bool infinite; /* some entry or direction was not finite */
} wg_check_state;

/* Fills in the options and evaluates f(x). False: the verdict is already in the report. */
bool wg_check_begin(wg_check_state *c, wg_function *f, void *user, double *x, const double *claimed,
                    size_t n, const wg_check_options *options);

/* The parts of that which wide checks need, too: options (false: the verdict is in the report), an
 * entry counted, the report handed over as it is. */
bool wg_check_prepare(wg_check_state *c, const wg_check_options *options, bool complete, size_t n);
void wg_check_doubt(const wg_check_state *c, wg_check_entry *e);
void wg_check_count(wg_check_state *c, const wg_check_entry *e);
wg_check_verdict wg_check_hand_over(const wg_check_state *c, wg_check_report *report);

/* wg_check_tell: who looks further, and what the input is called; its shape, where that is not
 * told, is the one given. */
void wg_check_tell(wg_check_state *c, const wg_check_decide *decide, wg_shape shape);

/* wg_check_function and wg_check_directions, with a judge. */
wg_check_verdict wg_check_function_by(wg_function *f, void *user, double *x, const double *claimed,
                                      size_t n, const wg_check_options *options,
                                      const wg_check_decide *decide, wg_check_report *report);
wg_check_verdict wg_check_directions_by(wg_function *f, void *user, double *x,
                                        const double *claimed, size_t n, size_t directions,
                                        double *work, const wg_check_options *options,
                                        const wg_check_decide *decide, wg_check_report *report);

/* Judges the claimed derivative along c->line and adds the result to the report. */
void wg_check_line(wg_check_state *c, size_t index, double claimed);

/* Decides the verdict and hands the report over. */
wg_check_verdict wg_check_end(wg_check_state *c, wg_check_report *report);

#endif
