/* The derivative of f(x) = x sin(x) at 2: by the tape, by hand, by a difference; then the second
 * derivative, which is the derivative of the derivative, and new values by a replay. A replay runs
 * the ops that were recorded: what an `if` or a loop of C decided on the way stays decided, and a
 * choice that shall follow the values is an op, wg_where.
 *
 * Run as build/01_derivative. Prints:
 *
 *     f(2)   =  1.818594853651
 *     f'(2)  =  0.077003753731   tape
 *     f'(2)  =  0.077003753731   sin(x) + x cos(x)
 *     f'(2)  =  0.077003753706   difference
 *     f''(2) = -2.650888526746   tape
 *     f''(2) = -2.650888526746   2 cos(x) - x sin(x)
 *     f'(3)  = -2.828857481741   tape, replayed
 *     f'(3)  = -2.828857481741   sin(x) + x cos(x)
 */
#include <math.h>
#include <stdio.h>
#include <wengert.h>

/* (f(x + h) - f(x - h)) / 2h, by replaying f with x moved. */
static double difference(wg_tensor *x, wg_tensor *f)
{
    const double at = wg_item(x), h = 1e-5, xs[] = {at + h, at - h};
    double value[2];
    for (int i = 0; i < 2; i++) {
        wg_write(x, &xs[i], sizeof xs[i]);
        wg_replay_to(&f, 1);
        value[i] = wg_item(f);
    }
    wg_write(x, &at, sizeof at);
    wg_replay(x->tape);
    return (value[0] - value[1]) / (xs[0] - xs[1]);
}

int main(void)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_param(t, "x", WG_F64, WG_SCALAR), *first, *second;
    const double two = 2, three = 3;
    wg_write(x, &two, sizeof two);

    wg_tensor *f = wg_mul(x, wg_sin(x)); /* computed at once, and recorded */
    wg_grad(f, &x, 1, &first);           /* appends f' to the tape ... */
    wg_grad(first, &x, 1, &second);      /* ... and f'', of what was appended */

    printf("f(2)   = %15.12f\n", wg_item(f));
    printf("f'(2)  = %15.12f   tape\n", wg_item(first));
    printf("f'(2)  = %15.12f   sin(x) + x cos(x)\n", sin(2) + 2 * cos(2));
    printf("f'(2)  = %15.12f   difference\n", difference(x, f));
    printf("f''(2) = %15.12f   tape\n", wg_item(second));
    printf("f''(2) = %15.12f   2 cos(x) - x sin(x)\n", 2 * cos(2) - 2 * sin(2));

    wg_write(x, &three, sizeof three); /* what depends on x is now stale: reading it is an error */
    wg_replay(t);
    printf("f'(3)  = %15.12f   tape, replayed\n", wg_item(first));
    printf("f'(3)  = %15.12f   sin(x) + x cos(x)\n", sin(3) + 3 * cos(3));

    int failed = wg_tape_status(t) != WG_OK;
    if (failed)
        fprintf(stderr, "%s\n", wg_tape_message(t));
    wg_tape_free(t);
    return failed;
}
