/* IDX files: each type, everything that is refused, every truncation, every allocation. */
#include "autograd/op.h"
#include "models/files/idx.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <string.h>

static bool read_f32(wg_tape *t, const char *from)
{
    const wg_tensor *x = wg_idx_read(t, from, WG_F32);
    ck_assert_ptr_nonnull(x);
    return !wg_is_inert(x);
}

static bool read_i64(wg_tape *t, const char *from)
{
    return !wg_is_inert(wg_idx_read(t, from, WG_I64));
}

/* Two images of 2 by 3 bytes. */
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,   2, 0,   0,
                                       0, 3, 0, 1, 2, 3, 4, 5, 6, 7, 128, 9, 254, 255};

START_TEST(test_images)
{
    const double want[] = {0, 1, 2, 3, 4, 5, 6, 7, 128, 9, 254, 255};
    wgt_file_put(path, images, sizeof images);
    for (int dtype = WG_F32; dtype <= WG_I64; dtype++) {
        const wg_tensor *x = wg_idx_read(tape, path, (wg_dtype)dtype);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(wg_dtype_of(x), dtype);
        ck_assert_int_eq(wg_ndim(x), 3);
        wgt_assert_that(wg_dim(x, 0), ==, 2);
        wgt_assert_that(wg_dim(x, 1), ==, 2);
        wgt_assert_that(wg_dim(x, 2), ==, 3);
        for (int i = 0; i < 12; i++)
            wgt_assert_that(wg_at(x, i), ==, want[i]);
    }
}
END_TEST

START_TEST(test_types)
{
    static const struct {
        unsigned char code;
        const char *data;
        size_t size;
        double want;
    } types[] = {
        {8, "\xFF", 1, 255},
        {9, "\xFF", 1, -1},
        {0x0B, "\x80\1", 2, -32767},
        {0x0C, "\xFF\xFF\xFF\xFE", 4, -2},
        {0x0D, "\x40\x20\0\0", 4, 2.5},
        {0x0E, "\xC0\4\0\0\0\0\0\0", 8, -2.5},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        unsigned char bytes[16] = {0, 0, types[i].code, 1, 0, 0, 0, 1};
        memcpy(bytes + 8, types[i].data, types[i].size);
        wgt_file_put(path, bytes, 8 + types[i].size);
        wgt_assert_same_bits(wg_item(wg_idx_read(tape, path, WG_F64)), types[i].want);
        wgt_assert_same_bits(wg_item(wg_idx_read(tape, path, WG_F32)), types[i].want);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    }
}
END_TEST

#define BAD(text, message)                                                                         \
    {                                                                                              \
        text, sizeof text - 1, message                                                             \
    }
static const struct {
    const char *bytes;
    size_t size;
    const char *message;
} bad_files[] = {
    BAD("", "byte 0: the file ends"),
    BAD("\1\0\x08\1\0\0\0\1x", "byte 0: is no IDX file"),
    BAD("\0\1\x08\1\0\0\0\1x", "byte 0: is no IDX file"),
    BAD("\0\0\x0A\1\0\0\0\1x", "byte 2: type 0x0a with 1 dimensions"),
    BAD("\0\0\x08\0x", "byte 2: type 0x08 with 0 dimensions"),
    BAD("\0\0\x08\x09"
        "000000000000000000000000000000000000000000",
        "type 0x08 with 9 dimensions"),
    BAD("\0\0\x08\1\0\0\0\2x", "byte 8: the shape (2,) takes 2 bytes, but 1 are left"),
    BAD("\0\0\x08\1\0\0\0\1xy", "takes 1 bytes, but 2 are left"),
    BAD("\0\0\x08\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx", "is too large to be"),
    BAD("\0\0\x08\1\xFF\xFF\xFF\xFFx",
        WGT_BY_POINTERS("takes 4294967295 bytes, but 1 are left", "is too large to be")),
    BAD("\0\0\x0E\1\x20\0\0\0x", WGT_BY_POINTERS("takes 4294967296 bytes", "is too large to be")),
    BAD("\0\0\x08\2\0\0\0\0\0\0", "byte 10: the file ends in its sizes"),
    BAD("\0\0\x0C\1\0\0\0\1\1\0\0\1", "byte 8: element 0 (0x1000001) is no exact f32"),
    BAD("\x1F\x8B\x08\0", "byte 0: is a gzip file; unpack it first"),
};

START_TEST(test_bad_file)
{
    wgt_check_bad(read_f32, path, bad_files[_i].bytes, bad_files[_i].size, WG_E_FORMAT,
                  bad_files[_i].message);
}
END_TEST

START_TEST(test_everything_wrong)
{
    const unsigned char floats[] = {0, 0, 0x0D, 1, 0, 0, 0, 1, 0, 0, 0, 0};
    wgt_check_truncated(read_f32, path, images, sizeof images);
    wgt_check_memory(read_f32, path, images, sizeof images);
    wgt_check_bytes(read_f32, path, images, sizeof images);
    wgt_check_unreadable(read_f32);
    wgt_check_bad(read_i64, path, floats, sizeof floats, WG_E_DTYPE, "holds floats");
    wgt_file_put(path, images, sizeof images);
    wg_idx_read(tape, path, (wg_dtype)7);
    wgt_assert_status(tape, WG_E_DTYPE, "7 is no dtype");
}
END_TEST

Suite *suite_idx(void)
{
    Suite *suite = suite_create("idx");
    TCase *cases = tcase_create("idx");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_images);
    tcase_add_test(cases, test_types);
    tcase_add_loop_test(cases, test_bad_file, 0, (int)(sizeof bad_files / sizeof *bad_files));
    tcase_add_test(cases, test_everything_wrong);
    suite_add_tcase(suite, cases);
    return suite;
}
