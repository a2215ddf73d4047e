#ifndef WG_AUTOGRAD_CHECK_APPEAL_INTERNAL_H
#define WG_AUTOGRAD_CHECK_APPEAL_INTERNAL_H

#include "autograd/check/function_internal.h"
#include "autograd/check/recorded_internal.h"

#define WG_AROUND_POINTS 2
typedef struct wg_around wg_around;

/* The claims of a session, once more on a wide copy of its tape, which is made when it is first
 * needed. */
typedef struct wg_appeal {
    const wg_check_session *s;
    wg_check_record *record;
    const void *context;
    bool tried, open, no_memory;
    bool derived; /* the gradients are: rules that hold, each by itself, prove them */
    bool ruled;   /* `rules` is known, of this input */
    wg_check_outcome rules;
    bool doubtful;                    /* the last claim judged is unresolved in wide floats, too */
    bool apart;                       /* a claim in double is not the wide one */
    bool switches;                    /* a branch of the input changes at the point itself */
    bool looked_around, wrong_around; /* a claim at a kink is, and of this input */
    wg_around *around[WG_AROUND_POINTS]; /* of this input; NULL: none */
    char why[WG_MESSAGE_SIZE];           /* there is no wide copy; "" as long as there may be */
    bool looked;                         /* `narrow` is known */
    const char *narrow; /* the op for whose kernel the wide copy decides nothing; NULL: none */
    int input;
    wg_recorded *doubles;    /* the same input in double */
    const double *direction; /* [n] or NULL: entries are judged */
#if WG_HAS_WIDE
    wg_check_session w;
    wg_check_claim claim;
    bool begun, finite; /* the input is */
    wg_recorded r;
    wg_wide_line line;
    wg_wide *claimed;
    wg_arena_mark empty;
#endif
} wg_appeal;

/* wg_appeal_init: nothing is copied yet; s, record and context outlive the appeal. */
void wg_appeal_init(wg_appeal *a, const wg_check_session *s, wg_check_record *record,
                    const void *context);

/* wg_appeal_end: frees the wide copy, if one was made. */
void wg_appeal_end(wg_appeal *a);

/* wg_appeal_input: what follows is about input i; direction [n], or NULL for entries. */
void wg_appeal_input(wg_appeal *a, int i, wg_recorded *doubles, const double *direction);
void wg_appeal_input_end(wg_appeal *a);

/* wg_appeal_recorded: input i as it is recorded on the wide copy, at x and to be ended by
 * wg_appeal_input_end; NULL: there is none. */
const wg_recorded *wg_appeal_recorded(wg_appeal *a, int i, wg_recorded *doubles);

/* wg_appeal_judge: of wg_check_decide; `appeal` is the wg_appeal. */
bool wg_appeal_judge(size_t index, wg_check_entry *e, void *appeal);

/* wg_appeal_tiny: a step of the entry too small for a branch to change but at the point itself. */
double wg_appeal_tiny(const wg_recorded *r, size_t entry);

/* wg_appeal_is_cheap: is the tape so small that a wide copy costs little? */
bool wg_appeal_is_cheap(const wg_appeal *a);

/* wg_appeal_screen: what is found of the claims for all xs along one random direction. */
wg_check_outcome wg_appeal_screen(wg_appeal *a, uint64_t seed);

/* wg_look: of wg_check_decide; the second look at an entry as it was judged. wg_look_end: of an
 * input's. wg_look_screens: do all claims pass along one random direction, and at a kink next to x,
 * too? */
void wg_look(wg_check_entry *e, void *appeal);
void wg_look_end(wg_appeal *a);
bool wg_look_screens(wg_appeal *a, uint64_t seed);

/* wg_look_blame: where a claim at a kink is wrong next to x: the op whose rule is wrong at all
 * points there, as input i moves; NULL: none is. */
const char *wg_look_blame(wg_appeal *a, int i, const wg_check_options *options);

#endif
