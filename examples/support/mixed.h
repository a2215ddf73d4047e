#ifndef EXAMPLES_MIXED_H
#define EXAMPLES_MIXED_H

#include <wengert.h>

/* mixed: a user's op that is not elementwise, Y = A B + A^2, with the square taken of each entry, for A, B [n, n]
 * of f64. Its one attribute is the bug in its derivative rule. */
typedef enum mixed_bug {
    MIXED_RIGHT,
    MIXED_SIGN,     /* of the square's derivative */
    MIXED_SCALE,    /* the square's derivative is a thousandth too large */
    MIXED_DROP,     /* the square is forgotten */
    MIXED_ZERO,     /* B is said to have no derivative */
    MIXED_TRANSPOSE /* B is not transposed */
} mixed_bug;

extern const char *const mixed_bugs[]; /* their names */

wg_tensor *mixed(wg_tensor *a, wg_tensor *b, mixed_bug bug);

#endif
