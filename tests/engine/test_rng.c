/* Random numbers: the paper's known answers, moments, ranges, permutations. */
#include "autograd/op.h"
#include "autograd/rng.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The vectors of the authors' distribution (Random123, kat_vectors, philox4x32 10): words of the
 * counter, of the key, and the first two of the answer.  Here the counter is (i, key), low words
 * first, the generator's key is the seed, and wg_random_bits are words 0 and 1. */
static const struct {
    uint32_t counter[4], key[2], answer[2];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb}},
};

static uint64_t join(const uint32_t word[2])
{
    return (uint64_t)word[1] << 32 | word[0];
}

START_TEST(test_known_answers)
{
    const uint64_t got = wg_random_bits(join(known[_i].key), join(known[_i].counter + 2),
                                        join(known[_i].counter));
    ck_assert_uint_eq(got, join(known[_i].answer));
}
END_TEST

START_TEST(test_uniform)
{
    enum { N = 100000 };
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < N; i++) {
        const double u = wg_random_uniform(1, 2, i);
        wgt_assert_that(u, >=, 0);
        wgt_assert_that(u, <, 1);
        wgt_assert_same_bits(u * 0x1p53, floor(u * 0x1p53));
        sum += u - 0.5;
        squares += (u - 0.5) * (u - 0.5);
    }
    /* Five standard errors: sqrt(1/12/N), and sqrt((1/80 - 1/144)/N). */
    wgt_assert_close(sum / N, 0, 0, 5 * sqrt(1.0 / 12 / N));
    wgt_assert_close(squares / N, 1.0 / 12, 0, 5 * sqrt((1.0 / 80 - 1.0 / 144) / N));
}
END_TEST

/* Of [low, high) rounding to f32 makes high; the width of a range may overflow. */
START_TEST(test_uniform_constants)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_tensor *x = wg_constant_uniform(t, WG_F32, WG_SHAPE(100), 16777215, 16777216, 1);
    for (int i = 0; i < 100; i++)
        ck_assert_double_lt(wg_at(x, i), 16777216);
    x = wg_constant_uniform(t, WG_F64, WG_SHAPE(100), -DBL_MAX, DBL_MAX, 1);
    for (int i = 0; i < 100; i++)
        ck_assert_double_lt(fabs(wg_at(x, i)), DBL_MAX);
    wg_tape_free(t);
}
END_TEST

START_TEST(test_normal)
{
    enum { N = 100000 };
    double moment[5] = {0};
    for (uint64_t i = 0; i < N; i++) {
        const double z = wg_random_normal(3, 4, i);
        wgt_assert_that(fabs(z), <, 8.6);
        for (int k = 1; k <= 4; k++)
            moment[k] += pow(z, k) / N;
    }
    /* Moments 0, 1, 0, 3, whose variances over N are 1, 2, 15, 96. */
    const double want[] = {0, 0, 1, 0, 3}, variance[] = {0, 1, 2, 15, 96};
    for (int k = 1; k <= 4; k++)
        wgt_assert_close(moment[k], want[k], 0, 5 * sqrt(variance[k] / N));
}
END_TEST

START_TEST(test_streams_differ)
{
    int equal = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        equal += wg_random_bits(0, 0, i) == wg_random_bits(0, 1, i);
        equal += wg_random_bits(0, 0, i) == wg_random_bits(1, 0, i);
        equal += wg_random_bits(0, 0, i) == wg_random_bits(0, 0, i + 1);
    }
    ck_assert_int_eq(equal, 0);
}
END_TEST

/* floor(bits * n / 2^64), by the compiler's wide integers where it has them. */
START_TEST(test_below_is_the_high_half)
{
#ifdef __SIZEOF_INT128__
    __extension__ typedef unsigned __int128 wide;
    const int64_t n[] = {1,        2, 10, 1000003, INT64_C(1) << 32, (INT64_C(1) << 40) + 12345,
                         INT64_MAX};
    for (uint64_t i = 0; i < 7000; i++) {
        const int64_t m = n[i % 7];
        const uint64_t want = (uint64_t)((wide)wg_random_bits(9, 8, i) * (uint64_t)m >> 64);
        ck_assert_int_eq(wg_random_below(9, 8, i, m), (int64_t)want);
        ck_assert_int_lt((int64_t)want, m);
    }
#endif
    ck_assert_int_eq(wg_random_below(9, 8, 7, 0), 0);
    ck_assert_int_eq(wg_random_below(9, 8, 7, -5), 0);
    ck_assert_int_eq(wg_random_below(9, 8, 7, 1), 0);
}
END_TEST

START_TEST(test_below_is_even)
{
    enum { N = 60000, SIDES = 6 };
    int count[SIDES] = {0};
    for (uint64_t i = 0; i < N; i++)
        count[wg_random_below(5, 5, i, SIDES)]++;
    double chi_squared = 0;
    for (int k = 0; k < SIDES; k++) {
        const double off = count[k] - (double)N / SIDES;
        chi_squared += off * off / ((double)N / SIDES);
    }
    ck_assert_double_lt(chi_squared, 25.7); /* exceeded once in 10000, 5 degrees of freedom */
}
END_TEST

START_TEST(test_permutation)
{
    int64_t order[1000], again[1000];
    int seen[1000] = {0}, fixed = 0;
    wg_random_permutation(1, 2, 1000, order);
    wg_random_permutation(1, 2, 1000, again);
    wgt_assert_same_bytes(order, again, sizeof order);
    for (int i = 0; i < 1000; i++)
        seen[order[i]]++, fixed += order[i] == i;
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(seen[i], 1);
    ck_assert_int_lt(fixed, 10); /* one on average */
    wg_random_permutation(1, 2, 0, order);
    ck_assert_int_eq(order[0], again[0]);
}
END_TEST

/* All orders of three come equally often. */
START_TEST(test_permutation_is_even)
{
    enum { N = 60000 };
    int count[27] = {0};
    for (uint64_t key = 0; key < N; key++) {
        int64_t p[3];
        wg_random_permutation(7, key, 3, p);
        count[9 * p[0] + 3 * p[1] + p[2]]++;
    }
    const int orders[] = {5, 7, 11, 15, 19, 21}; /* 012, 021, 102, 120, 201, 210 */
    for (int i = 0; i < 6; i++)                  /* five standard deviations of a binomial */
        wgt_assert_close(count[orders[i]], N / 6.0, 0, 5 * sqrt(N * (1 / 6.0) * (5 / 6.0)));
}
END_TEST

/* In proportion to p, never an entry of 0, whatever the sum is. */
START_TEST(test_categorical)
{
    const double p[] = {0, 2, 0, 6, 0};
    int count[5] = {0};
    for (uint64_t i = 0; i < 4000; i++)
        count[wg_random_categorical(1, 2, i, p, 5)]++;
    ck_assert_int_eq(count[0] + count[2] + count[4], 0);
    ck_assert_int_lt(abs(count[1] - 1000), 110); /* four deviations */
    ck_assert_int_eq(wg_random_categorical(1, 2, 3, p, 0), 0);
}
END_TEST

Suite *suite_rng(void)
{
    Suite *suite = suite_create("rng");
    TCase *cases = tcase_create("rng");
    tcase_add_loop_test(cases, test_known_answers, 0, 3);
    tcase_add_test(cases, test_categorical);
    tcase_add_test(cases, test_uniform);
    tcase_add_test(cases, test_uniform_constants);
    tcase_add_test(cases, test_normal);
    tcase_add_test(cases, test_streams_differ);
    tcase_add_test(cases, test_below_is_the_high_half);
    tcase_add_test(cases, test_below_is_even);
    tcase_add_test(cases, test_permutation);
    tcase_add_test(cases, test_permutation_is_even);
    suite_add_tcase(suite, cases);
    return suite;
}
