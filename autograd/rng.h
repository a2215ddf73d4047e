#ifndef WG_AUTOGRAD_RNG_H
#define WG_AUTOGRAD_RNG_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Random numbers without state: number i of stream `key` under `seed` is a function of these three,
 * so draws do not depend on order, on threads or on who else draws. Philox-4x32-10: Salmon, Moraes,
 * Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". */

/* wg_random_bits: 64 random bits. */
uint64_t wg_random_bits(uint64_t seed, uint64_t key, uint64_t i);

/* wg_random_uniform: a multiple of 2^-53 in [0, 1). */
double wg_random_uniform(uint64_t seed, uint64_t key, uint64_t i);

/* wg_random_normal: standard normal (Box and Muller 1958); finite, |value| < 8.6. */
double wg_random_normal(uint64_t seed, uint64_t key, uint64_t i);

/* wg_random_below: an integer in [0, n), each equally likely; 0 for n <= 0. */
int64_t wg_random_below(uint64_t seed, uint64_t key, uint64_t i, int64_t n);

/* wg_random_categorical: an index of p[n], drawn with a probability in proportion to p, whose
 * entries are >= 0 and not all 0; 0 for n <= 0. */
int64_t wg_random_categorical(uint64_t seed, uint64_t key, uint64_t i, const double p[], int64_t n);

/* wg_random_permutation: 0..n-1 shuffled (Fisher and Yates) into order[n]. */
void wg_random_permutation(uint64_t seed, uint64_t key, int64_t n, int64_t *order);

#ifdef __cplusplus
}
#endif
#endif
