/* NPZ files: NumPy's own bytes, types that are not read, checksums, every truncation, Python's own
 * reader. */
#include "models/files/archive_internal.h"
#include "models/files/bytes_internal.h"
#include "models/files/npy.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_npz(wg_tape *t, const char *from)
{
    const wg_archive *a = wg_npz_read(t, from);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        ck_assert(!wg_is_inert(e->tensor));
    return t != NULL && wg_tape_status(t) == WG_OK;
}

static wg_archive *two_arrays(void)
{
    const double x[] = {1, 2, 3, 4, 5, 6};
    const int64_t y[] = {1, 0, 1};
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, "y", wg_constant(tape, WG_I64, WG_SHAPE(3), y));
    wg_archive_put_tensor(a, "X", wg_constant(tape, WG_F64, WG_SHAPE(3, 2), x));
    return a;
}

START_TEST(test_npz)
{
    size_t size;
    ck_assert_int_eq(wg_npz_write(two_arrays(), path), WG_OK);
    const wg_archive *a = wg_npz_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_archive_count(a), 2);
    wgt_assert_that(wg_at(wg_archive_tensor(a, "X"), 3), ==, 4);
    ck_assert_str_eq(wg_archive_tensor(a, "y")->name, "y");
    char *whole = wgt_file_get(path, &size);
    wgt_check_good(read_npz, path, whole, size);
    /* up to the directory, whose content is not looked at */
    const size_t directory = size - 22 - 2 * (46 + 5) + 4;
    wgt_check_truncated(read_npz, path, whole, directory);
    wgt_check_memory(read_npz, path, whole, size);
    wgt_check_bytes(read_npz, path, whole, 60);
    /* a type that is not read, by accident, hides nothing */
    char *type = whole + 30 + 5 + 10 + 11;
    ck_assert_mem_eq(type, "<f8", 3);
    memcpy(type, "<c8", 3);
    wgt_check_bad(read_npz, path, whole, size, WG_E_FORMAT, "'X' is damaged: its bytes are not");
    memcpy(type, "<f8", 3);
    whole[size - 22 - 2 * (46 + 5) - 1] ^= 1; /* the last byte of y */
    wgt_check_bad(read_npz, path, whole, size, WG_E_FORMAT, "'y' is damaged: its bytes are not");
    whole[8] = 8;
    wgt_check_bad(read_npz, path, whole, size, WG_E_FORMAT, "'X.npy' is compressed: numpy.savez");
    memcpy(whole + 30, "X.xml", 5); /* behind its header */
    wgt_check_bad(read_npz, path, whole, size, WG_E_FORMAT, "'X.xml' is no array: a zip file");
    free(whole);
}
END_TEST

/* What numpy.savez writes, byte for byte: sizes are in an extra field. */
START_TEST(test_numpys_npz)
{
    static const char npz[] =
        "PK\3\4\x2D\0\0\0\0\0\0\0!\0\x90\x08\x76\x50\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\5\0\x14\0"
        "x.npy\1\0\x10\0\x45\0\0\0\0\0\0\0\x45\0\0\0\0\0\0\0"
        "\x93NUMPY\1\0\x37\0{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}\1\2\3\4"
        "PK\1\2";
    wgt_file_put(path, npz, sizeof npz - 1);
    const wg_tensor *x = wg_archive_tensor(wg_npz_read(tape, path), "x");
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    wgt_assert_that(wg_at(x, 3), ==, 4);
}
END_TEST

/* Arrays of types that are not read are entries without a value: what is beside them is read. So
 * are extra fields skipped: one of a byte, and two bytes that are none. */
START_TEST(test_npz_of_other_types)
{
    static const struct {
        const char *descr, *type;
    } others[] = {{"'<U1'", "<U1"},
                  {"'|O'", "|O"},
                  {"'<c16'", "<c16"},
                  {"[('a', '<f4'), ('b', [('c]', '|u1')], (2,))]", "structured"}};
    char npz[512], header[128];
    size_t n = 0;
    wg_crc crc;
    for (int i = 0; i < 2; i++) { /* z, of that type, and then x */
        const int length = snprintf(header, sizeof header,
                                    "{'descr': %s, 'fortran_order': False, 'shape': (4,)}",
                                    i == 0 ? others[_i].descr : "'|u1'");
        const int size = 10 + length + 4;
        memcpy(npz + n, "PK\3\4\x14\0\0\0\0\0\0\0!\0", 14);
        memset(npz + n + 14, 0, 16);
        npz[n + 18] = npz[n + 22] = (char)size;
        npz[n + 26] = 5;
        npz[n + 28] = 7;
        memcpy(npz + n + 30, i == 0 ? "z.npy" : "x.npy", 5);
        memcpy(npz + n + 35, "xx\1\0yzz", 7);
        n += 42;
        memcpy(npz + n, "\x93NUMPY\1\0", 8);
        npz[n + 8] = (char)length;
        npz[n + 9] = 0;
        memcpy(npz + n + 10, header, (size_t)length);
        memcpy(npz + n + 10 + length, "\1\2\3\4", 4);
        wg_crc_start(&crc);
        wg_crc_add(&crc, npz + n, (size_t)size);
        for (int k = 0; k < 4; k++)
            npz[n - 28 + (size_t)k] = (char)(crc.sum >> 8 * k);
        n += (size_t)size;
    }
    memcpy(npz + n, "PK\1\2", 4);
    wgt_file_put(path, npz, n + 4);
    const wg_archive *a = wg_npz_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_ptr_null(wg_archive_tensor(a, "z"));
    ck_assert_str_eq(wg_archive_type(a, "z"), others[_i].type);
    wgt_assert_that(wg_at(wg_archive_tensor(a, "x"), 3), ==, 4);
    ck_assert_int_eq(wg_npz_write(a, path), WG_E_NULL); /* without a value */
}
END_TEST

/* The check value of the CRC catalogue, and the same sum however the bytes come. */
START_TEST(test_crc)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    wg_crc crc;
    wg_crc_start(&crc);
    ck_assert_uint_eq(crc.sum, 0);
    wg_crc_add(&crc, "123456789", 9);
    ck_assert_uint_eq(crc.sum, 0xCBF43926);
    for (size_t cut = 0; cut < sizeof text; cut++) {
        crc.sum = 0;
        wg_crc_add(&crc, text, cut);
        wg_crc_add(&crc, text + cut, sizeof text - 1 - cut);
        ck_assert_uint_eq(crc.sum, 0x414FA339);
    }
}
END_TEST

/* Python's own reader finds the arrays, and their sums right. */
START_TEST(test_npz_for_python)
{
    char command[400];
    if (system("python3 -c '' 2> /dev/null") != 0)
        return;
    ck_assert_int_eq(wg_npz_write(two_arrays(), path), WG_OK);
    snprintf(command, sizeof command,
             "python3 -c \"import zipfile; z = zipfile.ZipFile('%s'); assert z.testzip() is None; "
             "assert z.namelist() == ['X.npy', 'y.npy']; assert z.read('y.npy')[-24] == 1\"",
             path);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

/* NumPy reads ".npy" as an array without a name. */
START_TEST(test_no_name)
{
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, "", wg_scalar(tape, WG_F64, 7));
    ck_assert_int_eq(wg_npz_write(a, path), WG_OK);
    wgt_assert_same_bits(wg_item(wg_archive_tensor(wg_npz_read(tape, path), "")), 7);
}
END_TEST

START_TEST(test_npz_not_written)
{
    wg_archive *a = two_arrays();
    wgt_file_put(path, "old", 3);
    wg_archive_put_string(a, "s", "text");
    ck_assert_int_eq(wg_npz_write(a, path), WG_E_VALUE);
    wgt_assert_status(tape, WG_E_VALUE, "'s' is a string, and .npz holds arrays alone");
    ck_assert_int_eq(wgt_file_beside(path), 1);
    ck_assert_int_eq(wg_npz_write(NULL, path), WG_E_NULL);
}
END_TEST

Suite *suite_npz(void)
{
    Suite *suite = suite_create("npz");
    TCase *cases = tcase_create("npz");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_npz);
    tcase_add_test(cases, test_numpys_npz);
    tcase_add_test(cases, test_crc);
    tcase_add_loop_test(cases, test_npz_of_other_types, 0, 4);
    tcase_add_test(cases, test_npz_for_python);
    tcase_add_test(cases, test_npz_not_written);
    tcase_add_test(cases, test_no_name);
    suite_add_tcase(suite, cases);
    return suite;
}
