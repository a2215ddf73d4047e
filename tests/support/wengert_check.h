/* For tests written with Check: is the gradient of a recorded y right? Header only; installed
 * beside wengert.h.
 *
 *     START_TEST(my_loss)
 *     {
 *         ...
 *         wg_tensor *xs[] = {w, b};
 *         ck_assert_gradient(loss, xs, 2);
 *     }
 */
#ifndef WENGERT_CHECK_H
#define WENGERT_CHECK_H

#include <check.h>
#include <stdio.h>
#include <wengert.h>

/* ck_assert_gradient: fails the test unless the gradient of y by the n xs passes wg_gradcheck; the
 * message is the table that wg_gradcheck_print gives. What is vacuous or unresolved has not
 * passed. */
#define ck_assert_gradient(y, xs, n)                                                               \
    do {                                                                                           \
        char wengert_check_text[4096];                                                             \
        ck_assert_msg(                                                                             \
            wengert_check_gradient(y, xs, n, wengert_check_text, sizeof wengert_check_text),       \
            "gradient of " #y ":\n%s", wengert_check_text);                                        \
    } while (0)

/* wengert_check_gradient: the same as a truth; text takes the table, as far as size bytes hold
 * it. */
static inline int wengert_check_gradient(wg_tensor *y, wg_tensor *const *xs, int n, char *text,
                                         size_t size)
{
    FILE *file = tmpfile();
    wg_check_verdict verdict;
    text[0] = '\0';
    if (file == NULL)
        return wg_gradcheck(y, xs, NULL, n, NULL, NULL) == WG_CHECK_PASSED;
    verdict = wg_gradcheck_print(file, y, xs, NULL, n, NULL);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    return verdict == WG_CHECK_PASSED;
}

#endif
