/* constants.c: constants made from a rule: ranges and the identity matrix. */
#include "ops/constants.h"

#include <math.h>

#include "ops/axes_internal.h"

static wg_tensor *constants_fail(wg_tape *t, const char *who, const char *what)
{
    return wg_fail(t, WG_E_VALUE, "%s: %s", who, what);
}

wg_tensor *wg_arange(wg_tape *t, wg_dtype dtype, double start, double stop, double step)
{
    const double count = ceil((stop - start) / step);
    if (!isfinite(start) || !isfinite(stop) || !isfinite(step) || step == 0)
        return constants_fail(t, "arange", "finite numbers, and a step other than 0, wanted");
    if (dtype == WG_I64 && (start != floor(start) || step != floor(step)))
        return constants_fail(t, "arange", "a whole start and step wanted for i64");
    if (dtype == WG_I64 && !(fabs(start) < 0x1p63 && fabs(stop) <= 0x1p63))
        return constants_fail(t, "arange", "numbers of 64 bits wanted for i64");
    if (!(count < 0x1p53)) /* beyond it, not every index is a double */
        return wg_fail(t, WG_E_SHAPE, "arange: %g numbers are too many", count);
    wg_tensor *y = wg_full(t, dtype, WG_SHAPE(count > 0 ? (int64_t)count : 0), 0);
    for (int64_t i = 0; !wg_is_inert(y) && i < y->size; i++)
        wg_put(y, i, start + (double)i * step);
    return y;
}

wg_tensor *wg_linspace(wg_tape *t, wg_dtype dtype, double start, double stop, int64_t n)
{
    if (!isfinite(start) || !isfinite(stop))
        return constants_fail(t, "linspace", "finite numbers wanted");
    if (dtype == WG_I64)
        return wg_fail(t, WG_E_DTYPE, "linspace: f32 or f64 wanted");
    wg_tensor *y = wg_full(t, dtype, WG_SHAPE(n), start);
    for (int64_t i = 1; !wg_is_inert(y) && i < n; i++) {
        const double part = (double)i / (double)(n - 1); /* 1 for the last, which is stop itself */
        wg_put(y, i, i == n - 1 ? stop : start + part * (stop - start));
    }
    return y;
}

wg_tensor *wg_eye(wg_tape *t, wg_dtype dtype, int64_t n, int64_t m)
{
    wg_tensor *y = wg_full(t, dtype, WG_SHAPE(n, m), 0);
    for (int64_t i = 0; !wg_is_inert(y) && i < n && i < m; i++)
        wg_put(y, i * m + i, 1);
    return y;
}
