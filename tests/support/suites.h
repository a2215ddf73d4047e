/* The suites that the runner knows: one for each tests/FOLDER/test_<name>.c. suites.inc is written by
 * the Makefile into the build directory, one line WGT_SUITE(name) for each. */
#ifndef WGT_SUPPORT_SUITES_H
#define WGT_SUPPORT_SUITES_H

#include <check.h>

/* Every test that a suite adds is counted, and the runner fails unless as many ran: Check itself is
 * content with none.  (A START_TEST that is never added is an unused variable, which compilers warn
 * of.) */
void wgt_count_tests(const char *name, int start, int end);

#undef tcase_add_test
#undef tcase_add_loop_test
#define tcase_add_test(tc, test)                                                                   \
    (wgt_count_tests(#test, 0, 1), tcase_add_test_raise_signal(tc, test, 0))
#define tcase_add_loop_test(tc, test, start, end)                                                  \
    (wgt_count_tests(#test, start, end), tcase_add_loop_test_raise_signal(tc, test, 0, start, end))

#define WGT_SUITE(name) Suite *suite_##name(void);
#include "suites.inc"
#undef WGT_SUITE

#endif
