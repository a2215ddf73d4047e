/* What the parts of the function checker share. Nobody else includes this. */
#ifndef WG_AUTOGRAD_CHECK_FUNCTION_INTERNAL_H
#define WG_AUTOGRAD_CHECK_FUNCTION_INTERNAL_H

#include "autograd/check/difference_internal.h"

/* A check in progress. */
typedef struct wg_check_state {
    wg_check_options options; /* defaults filled in */
    wg_check_report report;
    wg_line line;
    size_t largest_entry; /* of the claimed gradient */
    bool claims;          /* some claimed value is not zero */
    double lump;          /* coarseness of f along other entries, once it is known */
    bool lump_known;
} wg_check_state;

/* Fills in the options and evaluates f(x). False: the verdict is already in the report. */
bool wg_check_begin(wg_check_state *c, wg_function *f, void *user, double *x, const double *claimed,
                    size_t n, const wg_check_options *options);

/* Judges the claimed derivative along c->line and adds the result to the report. */
void wg_check_line(wg_check_state *c, size_t index, double claimed);

/* Decides the verdict and hands the report over. */
wg_check_verdict wg_check_end(wg_check_state *c, wg_check_report *report);

#endif
