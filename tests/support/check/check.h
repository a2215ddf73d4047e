/* Stands in for Check (https://libcheck.github.io/check) where it cannot be had: cross-compiled for
 * another architecture, or with musl; `make CHECK=own`.  As much of its interface as the tests use,
 * by the same names: each test runs in a process of its own, with a time limit and checked
 * fixtures. */
#ifndef OWN_CHECK_H
#define OWN_CHECK_H

#include <stdint.h>

#include "autograd/status.h"

typedef struct Suite Suite;
typedef struct TCase TCase;
typedef struct SRunner SRunner;
typedef struct TTest {
    const char *name;
    void (*run)(int i);
} TTest;
typedef void (*SFun)(void);
enum print_output { CK_SILENT, CK_NORMAL };

#define START_TEST(name)                                                                           \
    static void name##_run(int _i);                                                                \
    static const TTest name##_test = {#name, name##_run};                                          \
    static const TTest *name = &name##_test;                                                       \
    static void name##_run(int _i __attribute__((unused)))
#define END_TEST

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void suite_add_tcase(Suite *suite, TCase *tcase);
void tcase_add_checked_fixture(TCase *tcase, SFun setup, SFun teardown);
void tcase_set_timeout(TCase *tcase, double seconds);
void tcase_add_loop(TCase *tcase, const TTest *test, int start, int end);
#define tcase_add_test_raise_signal(tcase, test, signal) tcase_add_loop(tcase, test, 0, 1)
#define tcase_add_loop_test_raise_signal(tcase, test, signal, start, end)                          \
    tcase_add_loop(tcase, test, start, end)
#define tcase_add_test(tcase, test)                  tcase_add_loop(tcase, test, 0, 1)
#define tcase_add_loop_test(tcase, test, start, end) tcase_add_loop(tcase, test, start, end)

SRunner *srunner_create(Suite *suite);
void srunner_add_suite(SRunner *runner, Suite *suite);
void srunner_run(SRunner *runner, const char *suite, const char *tcase, enum print_output mode);
int srunner_ntests_run(SRunner *runner);
int srunner_ntests_failed(SRunner *runner);
void srunner_print(SRunner *runner, enum print_output mode);
void srunner_free(SRunner *runner);

/* Ends the running test. */
_Noreturn void own_check_fail(const char *file, int line, const char *format, ...) WG_PRINTF(3, 4);
_Noreturn void own_check_fail_real(const char *file, int line, const char *what, long double x,
                                   long double y);

#define ck_abort_msg(...)     own_check_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert(x)          ((x) ? (void)0 : own_check_fail(__FILE__, __LINE__, "%s", #x))
#define ck_assert_msg(x, ...) ((x) ? (void)0 : own_check_fail(__FILE__, __LINE__, __VA_ARGS__))

#define OWN_CHECK_OP(T, format, x, op, y)                                                          \
    do {                                                                                           \
        const T wgt_x = (x), wgt_y = (y);                                                          \
        if (!(wgt_x op wgt_y))                                                                     \
            own_check_fail(__FILE__, __LINE__, "%s: " format " %s " format, #x " " #op " " #y,     \
                           wgt_x, #op, wgt_y);                                                     \
    } while (0)
#define ck_assert_int_eq(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, ==, y)
#define ck_assert_int_ne(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, !=, y)
#define ck_assert_int_lt(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, <, y)
#define ck_assert_int_le(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, <=, y)
#define ck_assert_int_gt(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, >, y)
#define ck_assert_int_ge(x, y)  OWN_CHECK_OP(intmax_t, "%jd", x, >=, y)
#define ck_assert_uint_eq(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, ==, y)
#define ck_assert_uint_ne(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, !=, y)
#define ck_assert_uint_lt(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, <, y)
#define ck_assert_uint_le(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, <=, y)
#define ck_assert_uint_gt(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, >, y)
#define ck_assert_uint_ge(x, y) OWN_CHECK_OP(uintmax_t, "%ju", x, >=, y)

#define OWN_CHECK_REAL(T, x, op, y)                                                                \
    do {                                                                                           \
        const T wgt_x = (x), wgt_y = (y);                                                          \
        if (!(wgt_x op wgt_y))                                                                     \
            own_check_fail_real(__FILE__, __LINE__, #x " " #op " " #y, wgt_x, wgt_y);              \
    } while (0)
#define ck_assert_double_eq(x, y)  OWN_CHECK_REAL(double, x, ==, y)
#define ck_assert_double_ne(x, y)  OWN_CHECK_REAL(double, x, !=, y)
#define ck_assert_double_lt(x, y)  OWN_CHECK_REAL(double, x, <, y)
#define ck_assert_double_le(x, y)  OWN_CHECK_REAL(double, x, <=, y)
#define ck_assert_double_gt(x, y)  OWN_CHECK_REAL(double, x, >, y)
#define ck_assert_double_ge(x, y)  OWN_CHECK_REAL(double, x, >=, y)
#define ck_assert_ldouble_lt(x, y) OWN_CHECK_REAL(long double, x, <, y)
#define ck_assert_ldouble_le(x, y) OWN_CHECK_REAL(long double, x, <=, y)
#define ck_assert_ldouble_gt(x, y) OWN_CHECK_REAL(long double, x, >, y)
#define ck_assert_ldouble_eq(x, y) OWN_CHECK_REAL(long double, x, ==, y)
#define ck_assert_double_nan(x)                                                                    \
    do {                                                                                           \
        const double wgt_nan = (x);                                                                \
        if (wgt_nan == wgt_nan)                                                                    \
            own_check_fail_real(__FILE__, __LINE__, #x " is not NaN", wgt_nan, 0);                 \
    } while (0)
#define ck_assert_double_finite(x)                                                                 \
    do {                                                                                           \
        const double wgt_finite = (x);                                                             \
        if (!(wgt_finite - wgt_finite == 0))                                                       \
            own_check_fail_real(__FILE__, __LINE__, #x " is not finite", wgt_finite, 0);           \
    } while (0)
#define ck_assert_double_eq_tol(x, y, most)                                                        \
    do {                                                                                           \
        const double wgt_x = (x), wgt_y = (y);                                                     \
        if (!((wgt_x > wgt_y ? wgt_x - wgt_y : wgt_y - wgt_x) < (most)))                           \
            own_check_fail_real(__FILE__, __LINE__, #x " == " #y " within " #most, wgt_x, wgt_y);  \
    } while (0)

#define OWN_CHECK_PTR(x, op, y)                                                                    \
    do {                                                                                           \
        const void *const wgt_x = (x), *const wgt_y = (y);                                         \
        if (!(wgt_x op wgt_y))                                                                     \
            own_check_fail(__FILE__, __LINE__, "%s: %p and %p", #x " " #op " " #y, wgt_x, wgt_y);  \
    } while (0)
#define ck_assert_ptr_eq(x, y)   OWN_CHECK_PTR(x, ==, y)
#define ck_assert_ptr_ne(x, y)   OWN_CHECK_PTR(x, !=, y)
#define ck_assert_ptr_null(x)    OWN_CHECK_PTR(x, ==, (const void *)0)
#define ck_assert_ptr_nonnull(x) OWN_CHECK_PTR(x, !=, (const void *)0)

void own_check_strings(const char *file, int line, const char *what, const char *x, const char *y);
void own_check_bytes(const char *file, int line, const char *what, const void *x, const void *y,
                     uintmax_t size);
#define ck_assert_str_eq(x, y) own_check_strings(__FILE__, __LINE__, #x " is " #y, x, y)
#define ck_assert_mem_eq(x, y, size)                                                               \
    own_check_bytes(__FILE__, __LINE__, #x " is " #y, x, y, (uintmax_t)(size))

#endif
