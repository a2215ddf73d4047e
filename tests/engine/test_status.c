/* Status codes, their names and texts. */
#include "autograd/op.h"
#include "autograd/status.h"
#include "autograd/tape_internal.h"
#include "models/files/bytes_internal.h"
#include "models/version.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"

#include <math.h>
#include <string.h>

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

/* ---- Messages. ------------------------------------------------------------------------------- */

static void check_message(const char *text, const char *recorded)
{
    wg_tape *t = wg_tape_new(NULL);
    wg_fail(t, WG_E_VALUE, "%s", text);
    ck_assert_str_eq(wg_tape_message(t), recorded);
    wg_tape_free(t);
}

/* What a file holds does not write on a terminal what it likes; NaN has no sign. */
START_TEST(test_messages_are_clean)
{
    check_message("a\033[31mb\a\r\n\tc\x7F", "a?[31mb????c?");
    check_message("\xC2\x9B"
                  "31m, \x9B"
                  "31m, \xC3\x9Bt\xC3\xA9",
                  "??31m, ?31m, \xC3\x9Bt\xC3\xA9");
    /* behind a whole character, a stray byte, and one that UTF-8 does not have */
    check_message("\x9B\x9B, \xC3\xA9\x9B, \xFF\x9B, \xE2\x82\xAC\x85",
                  "??, \xC3\xA9?, \xFF?, \xE2\x82\xAC?");
    check_message("-nan and (-nan), x=-nan: a-nan, -nancy", "nan and (nan), x=nan: a-nan, -nancy");
    check_message("loss is -nan", "loss is nan");
}
END_TEST

/* Of one that is too long the begin and the end stay, and all characters are whole. */
START_TEST(test_long_messages)
{
    static char name[20001], path[601];
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xC3\xA9", 2);
    memset(path, 'p', sizeof path - 1);
    wg_tape *t = wg_tape_new(NULL);
    wg_fail(t, WG_E_FORMAT, "%s:%d: column 2 (%s): '%s' is none", path, 3, name, "abc");
    const char *message = wg_tape_message(t), *middle = strstr(message, "...");
    ck_assert_uint_lt(strlen(message), WG_MESSAGE_SIZE);
    ck_assert_uint_gt(strlen(message), WG_MESSAGE_SIZE - 8);
    ck_assert_ptr_nonnull(middle);
    ck_assert_uint_eq(strspn(message, "p"), (size_t)(middle - message));
    ck_assert_uint_eq(wg_utf8_invalid(message, strlen(message)), strlen(message));
    ck_assert_str_eq(message + strlen(message) - 16, "): 'abc' is none");
    wg_tape_free(t);
}
END_TEST

START_TEST(test_shown_text)
{
    char text[62];
    memset(text, 'a', sizeof text);
    text[61] = '\0';
    ck_assert_str_eq(wg_shown_text("short\033").s, "short?");
    ck_assert_str_eq(wg_shown_text(NULL).s, "NULL");
    ck_assert_uint_eq(strlen(wg_shown_text(text).s), 60);
    ck_assert_ptr_nonnull(strstr(wg_shown_text(text).s, "a...a"));
    text[60] = '\0';
    ck_assert_str_eq(wg_shown_text(text).s, text);
}
END_TEST

START_TEST(test_number_text)
{
    static const struct {
        double value;
        wg_dtype dtype;
        const char *text;
    } cases[] = {{59000184, WG_F64, "59000184"},
                 {59000184, WG_F32, "59000184"},
                 {0.1, WG_F64, "0.1"},
                 {(double)0.1f, WG_F32, "0.1"},
                 {0.1 + 0.2, WG_F64, "0.30000000000000004"},
                 {1e15, WG_F64, "1e+15"},
                 {-0.0, WG_F64, "-0"},
                 {0x1p-1074, WG_F64, "4.94065645841247e-324"},
                 {-HUGE_VAL, WG_F32, "-inf"},
                 {-(double)NAN, WG_F64, "nan"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(wg_number_text(cases[i].value, cases[i].dtype).s, cases[i].text);
}
END_TEST

Suite *suite_status(void)
{
    Suite *suite = suite_create("status");
    TCase *names = tcase_create("names");
    tcase_add_test(names, test_names_follow_the_enum);
    tcase_add_test(names, test_unknown_codes);
    tcase_add_test(names, test_version_is_that_of_the_headers);
    tcase_add_test(names, test_messages_are_clean);
    tcase_add_test(names, test_long_messages);
    tcase_add_test(names, test_shown_text);
    tcase_add_test(names, test_number_text);
    suite_add_tcase(suite, names);
    return suite;
}
