/* Status codes, their names and texts. */
#include "autograd/status.h"
#include "models/version.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

START_TEST(test_names_follow_the_enum)
{
    ck_assert_int_eq(WG_OK, 0);
    ck_assert_str_eq(wg_status_name(WG_OK), "WG_OK");
    ck_assert_str_eq(wg_status_name(WG_E_SHAPE), "WG_E_SHAPE");
    ck_assert_str_eq(wg_status_name(WG_E_FORMAT), "WG_E_FORMAT");
    ck_assert_str_eq(wg_status_text(WG_OK), "no error");
    ck_assert_str_eq(wg_status_text(WG_E_NOMEM), "out of memory");
}
END_TEST

START_TEST(test_unknown_codes)
{
    ck_assert_str_eq(wg_status_name((wg_status)(WG_E_RANKS + 1)), "?");
    ck_assert_str_eq(wg_status_text((wg_status)(WG_E_RANKS + 1)), "unknown status");
    ck_assert_str_eq(wg_status_name((wg_status)-1), "?");
    ck_assert_str_eq(wg_status_text((wg_status)-1), "unknown status");
}
END_TEST

START_TEST(test_version_is_that_of_the_headers)
{
    ck_assert_str_eq(wg_version(), WG_VERSION);
}
END_TEST

Suite *suite_status(void)
{
    Suite *suite = suite_create("status");
    TCase *names = tcase_create("names");
    tcase_add_test(names, test_names_follow_the_enum);
    tcase_add_test(names, test_unknown_codes);
    tcase_add_test(names, test_version_is_that_of_the_headers);
    suite_add_tcase(suite, names);
    return suite;
}
