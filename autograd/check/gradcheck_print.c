/* Owns the checks of recorded gradients that print what they find; verdict_print.c says how. */
#include "autograd/check/gradcheck_internal.h"

static wg_check_verdict check_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[],
                                    wg_tensor *const gs[], int n,
                                    const wg_gradcheck_options *options, bool second)
{
    size_t rows = n > 1 ? (size_t)n : 1; /* the reason why nothing was checked needs one, too */
    wg_allocator a = wg_allocator_default();
    if (!wg_is_inert(y))
        a = y->tape->options.allocator;
    wg_check_report *reports = a.allocate(rows * sizeof *reports, a.user);
    if (reports == NULL)
        return WG_CHECK_INVALID;
    wg_check_verdict verdict = second ? wg_gradcheck_second(y, xs, n, options, reports)
                                      : wg_gradcheck(y, xs, gs, n, options, reports);
    if (n < 1)
        wg_check_invalid(reports, 1, "there is no x");
    wg_check_report_print(stream, reports, rows);
    a.release(reports, a.user);
    return verdict;
}

wg_check_verdict wg_gradcheck_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[],
                                    wg_tensor *const gs[], int n,
                                    const wg_gradcheck_options *options)
{
    return check_print(stream, y, xs, gs, n, options, false);
}

wg_check_verdict wg_gradcheck_second_print(FILE *stream, wg_tensor *y, wg_tensor *const xs[], int n,
                                           const wg_gradcheck_options *options)
{
    return check_print(stream, y, xs, NULL, n, options, true);
}
