#ifndef WG_MODELS_OPTIM_NEWTON_INTERNAL_H
#define WG_MODELS_OPTIM_NEWTON_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

/* wg_semidefinite_factor: P' A P = L L' for a symmetric A [n, n], positive semidefinite up to round-off:
 * A is overwritten with L [n, rank] in its lower triangle, rows of n; order[i] is the row of A that row i
 * of L belongs to. Returns the rank, or -1 where A has a negative eigenvalue or a NaN. */
int64_t wg_semidefinite_factor(int64_t n, double a[], int64_t order[]);

/* wg_semidefinite_solve: the shortest x with A x = b, from L and the order; b must be in A's range (what is
 * not is left out). work: n + rank + rank^2 numbers. */
void wg_semidefinite_solve(int64_t n, int64_t rank, const double l[], const int64_t order[],
                           const double b[], double x[], double work[]);

#endif
