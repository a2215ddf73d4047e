/* For suites that record on one tape: t is made before each test and freed behind it; what the
 * entries of a result are to be is written VALUES(1, 2). Included once by a suite. */
#ifndef WGT_OPS_ON_TAPE_H
#define WGT_OPS_ON_TAPE_H

#include <float.h>

#include "tests/support/assert.h"
#include "tests/support/support.h"

#define VALUES(...) ((const double[]){__VA_ARGS__})

static wg_tape *t;

static inline void setup(void)
{
    t = wg_tape_new(NULL);
}

static inline void teardown(void)
{
    wg_tape_free(t);
}

/* x has the n entries, each to `rel` of itself. */
static inline void assert_near(const wg_tensor *x, int64_t n, const double *want, double rel)
{
    ck_assert_msg(wg_tape_status(t) == WG_OK, "%s", wg_tape_message(t));
    ck_assert_int_eq(wg_size(x), n);
    for (int64_t i = 0; i < n; i++)
        wgt_assert_close(wg_at(x, i), want[i], rel, 0);
}

/* The same to four units in the last place. */
static inline void assert_values(const wg_tensor *x, int64_t n, const double *want)
{
    assert_near(x, n, want, 4 * DBL_EPSILON);
}

#endif
