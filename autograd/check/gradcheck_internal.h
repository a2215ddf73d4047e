/* What the files behind gradcheck.h share. */
#ifndef WG_AUTOGRAD_CHECK_GRADCHECK_INTERNAL_H
#define WG_AUTOGRAD_CHECK_GRADCHECK_INTERNAL_H

#include "autograd/check/recorded_internal.h"

/* wg_check_recorded: checks gs, the claimed gradients of such a function by the session's xs. */
wg_check_verdict wg_check_recorded(wg_check_session *s, wg_tensor *const ys[],
                                   wg_tensor *const cotangents[], int m, wg_tensor *const gs[],
                                   const wg_gradcheck_options *options, wg_check_report reports[]);

/* wg_check_single: where a copy was checked, compares the gradients claimed on it with those of the user's
 * tape: given ones, or what y's cotangent c gives. Sets `single` in the reports; what differs much is
 * unresolved. */
wg_check_verdict wg_check_single(wg_check_session *s, wg_tensor *y, const wg_tensor *c,
                                 wg_tensor *const given[], wg_tensor *const claimed[],
                                 wg_check_report reports[]);

#endif
