/* The different texts of a file, numbered: any bytes, and texts that are made for the hash. */
#include "autograd/hash.h"
#include "autograd/tape.h"
#include "models/files/bytes_internal.h"
#include "tests/support/assert.h"
#include "tests/support/seconds.h"
#include "tests/support/suites.h"

#include <string.h>

enum { UNITS = 14, TEXTS = 1 << UNITS };

/* Text i: for each bit of i two words, of which some bits are flipped where it is 1; in both words such
 * that the hash stays what it was, whatever it began with. */
static void text_of(int i, bool same_hash, char text[16 * UNITS + 1])
{
    for (int u = 0; u < UNITS; u++) {
        uint64_t word[] = {UINT64_C(0x6162636465666768), UINT64_C(0x6162636465666768)};
        if (i >> u & 1) {
            word[0] ^= same_hash ? UINT64_C(1) << 63 : 1;
            word[1] ^= same_hash ? UINT64_C(1) << 63 | UINT64_C(1) << 31 : 0;
        }
        memcpy(text + 16 * u, word, sizeof word);
    }
    text[16 * UNITS] = '\0';
}

/* The processor's seconds that it takes to number all of them, twice. */
static double number_texts(wg_tape *t, bool same_hash)
{
    char text[16 * UNITS + 1], first[16 * UNITS + 1];
    wg_texts x = {.tape = t};
    const double start = cpu_seconds();
    text_of(0, same_hash, first);
    for (int k = 0; k < 2 * TEXTS; k++) {
        text_of(k % TEXTS, same_hash, text);
        ck_assert_int_eq(wg_texts_number(&x, text), k % TEXTS);
        ck_assert_str_eq(x.text[k % TEXTS], text);
        if (same_hash)
            ck_assert(wg_hash_bytes(WG_HASH_START, text, sizeof text - 1) ==
                      wg_hash_bytes(WG_HASH_START, first, sizeof text - 1));
    }
    const double end = cpu_seconds();
    ck_assert_int_eq(x.n, TEXTS);
    wg_texts_clear(&x);
    return end - start;
}

/* A file may be made for the hash: time still grows with its size, not with its square. */
START_TEST(test_texts_of_one_hash)
{
    wg_tape *t = wg_tape_new(NULL);
    const double apart = number_texts(t, false), together = number_texts(t, true);
    ck_assert_msg(together < 10 * apart + 0.5, "%g s, of any texts %g s", together, apart);
    wg_tape_free(t);
}
END_TEST

/* Beginnings of one another, the empty text, bytes from 1 to 255. */
START_TEST(test_texts)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_texts x = {.tape = t};
    char text[300];
    for (int twice = 0; twice < 2; twice++) {
        for (int i = 0; i < 254; i++) {
            memset(text, 255, sizeof text);
            text[i] = '\0';
            ck_assert_int_eq(wg_texts_number(&x, text), 2 * i);
            text[i] = (char)(i + 1);
            text[i + 1] = '\0';
            ck_assert_int_eq(wg_texts_number(&x, text), 2 * i + 1);
        }
    }
    wg_texts_clear(&x);
    wg_tape_free(t);
}
END_TEST

Suite *suite_texts(void)
{
    Suite *suite = suite_create("texts");
    TCase *cases = tcase_create("texts");
    tcase_add_test(cases, test_texts);
    tcase_add_test(cases, test_texts_of_one_hash);
    suite_add_tcase(suite, cases);
    return suite;
}
