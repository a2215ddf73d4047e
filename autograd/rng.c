/* Random numbers without state. */
#include "autograd/rng.h"

#include <math.h>

/* Philox-4x32-10. The constants are those of the paper (sec. 4.3): two odd multipliers, and the key
 * increments from the golden ratio and sqrt(3) - 1. */
static void rng_philox(uint32_t counter[4], uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * counter[0];
        uint64_t product1 = (uint64_t)0xCD9E8D57u * counter[2];
        uint32_t next0 = (uint32_t)(product1 >> 32) ^ counter[1] ^ key0;
        uint32_t next2 = (uint32_t)(product0 >> 32) ^ counter[3] ^ key1;
        counter[1] = (uint32_t)product1;
        counter[3] = (uint32_t)product0;
        counter[0] = next0;
        counter[2] = next2;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

/* The generator's key is the seed; its counter is (i, key). */
static void rng_block(uint64_t seed, uint64_t key, uint64_t i, uint64_t bits[2])
{
    uint32_t counter[4] = {(uint32_t)i, (uint32_t)(i >> 32), (uint32_t)key, (uint32_t)(key >> 32)};
    rng_philox(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
    bits[0] = (uint64_t)counter[1] << 32 | counter[0];
    bits[1] = (uint64_t)counter[3] << 32 | counter[2];
}

uint64_t wg_random_bits(uint64_t seed, uint64_t key, uint64_t i)
{
    uint64_t bits[2];
    rng_block(seed, key, i, bits);
    return bits[0];
}

double wg_random_uniform(uint64_t seed, uint64_t key, uint64_t i)
{
    return (double)(wg_random_bits(seed, key, i) >> 11) * 0x1p-53;
}

/* log's argument is in (0, 1], so the radius is finite: at most sqrt(2 * 53 * log 2) = 8.57. */
double wg_random_normal(uint64_t seed, uint64_t key, uint64_t i)
{
    uint64_t bits[2];
    rng_block(seed, key, i, bits);
    double u = (double)((bits[0] >> 11) + 1) * 0x1p-53;
    double v = (double)(bits[1] >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* The high half of bits * n; of 2^64 numbers, the bias moves at most n. */
int64_t wg_random_below(uint64_t seed, uint64_t key, uint64_t i, int64_t n)
{
    if (n <= 0)
        return 0;
    uint64_t bits = wg_random_bits(seed, key, i), m = (uint64_t)n;
    uint64_t low = (bits & 0xFFFFFFFFu) * (m & 0xFFFFFFFFu);
    uint64_t mid1 = (bits >> 32) * (m & 0xFFFFFFFFu) + (low >> 32);
    uint64_t mid2 = (bits & 0xFFFFFFFFu) * (m >> 32) + (mid1 & 0xFFFFFFFFu);
    return (int64_t)((bits >> 32) * (m >> 32) + (mid1 >> 32) + (mid2 >> 32));
}

/* The last index that rounding may leave over is one whose probability is not 0. */
int64_t wg_random_categorical(uint64_t seed, uint64_t key, uint64_t i, const double p[], int64_t n)
{
    double sum = 0, u = wg_random_uniform(seed, key, i);
    int64_t last = 0;
    for (int64_t k = 0; k < n; k++)
        sum += p[k];
    u *= sum;
    for (int64_t k = 0; k < n; k++) {
        if (p[k] > 0 && u < p[k])
            return k;
        if (p[k] > 0)
            last = k;
        u -= p[k];
    }
    return last;
}

void wg_random_permutation(uint64_t seed, uint64_t key, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t j = wg_random_below(seed, key, (uint64_t)i, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
