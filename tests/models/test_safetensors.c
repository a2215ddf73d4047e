/* Safetensors files as they are read: other writers' layouts and types; everything that is refused. */
#include "models/files/params.h"
#include "tests/models/archive_bytes.h"
#include "tests/support/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_torch_file)
{
    const float weight[] = {0.5f, 0.25f, 0.125f, 3, -HUGE_VALF, -0.0f}, bias[] = {1, -2};
    ck_assert_uint_eq(strlen(torch_header) % 8, 0);
    wgt_file_put(path, bytes, make_torch());
    const wg_archive *a = load();
    ck_assert_int_eq(wg_archive_count(a), 4);
    const wg_archive_entry *e = wg_archive_first(a);
    ck_assert_str_eq(e->name, "fc1.bias");
    ck_assert_str_eq(e->next->next->name, "format");
    ck_assert_str_eq(e->next->next->string, "pt");
    ck_assert_ptr_null(e->next->next->tensor);
    ck_assert_str_eq(e->next->next->next->name, "steps");
    ck_assert_ptr_null(e->next->next->next->next);
    const wg_tensor *w = wg_archive_tensor(a, "fc1.weight");
    wgt_assert_that(wg_ndim(w), ==, 2);
    wgt_assert_that(wg_dim(w, 0), ==, 2);
    wgt_assert_that(wg_dim(w, 1), ==, 3);
    ck_assert_str_eq(w->name, "fc1.weight");
    wgt_assert_same_bytes(wg_data_f32(w), weight, sizeof weight);
    wgt_assert_same_bytes(wg_data_f32(wg_archive_tensor(a, "fc1.bias")), bias, sizeof bias);
    ck_assert_int_eq(wg_item_i64(wg_archive_tensor(a, "steps")), -2);
    ck_assert_ptr_null(wg_archive_tensor(a, "step"));
    ck_assert_str_eq(wg_archive_string(a, "format"), "pt");
    ck_assert_ptr_null(wg_archive_string(a, "more"));
    ck_assert_ptr_null(wg_archive_tensor(a, "format"));
}
END_TEST

/* Names in rising, falling or any order, sharing long beginnings: the time is linear in the
 * file. */
START_TEST(test_hostile_header)
{
    enum { SIZE = 4000000 };
    double seconds[2];
    char *text = malloc(SIZE + 64);
    ck_assert_ptr_nonnull(text);
    for (int half = 0; half < 2; half++) {
        size_t most = half == 0 ? SIZE : SIZE / 2, at = 8;
        at += (size_t)sprintf(text + at, "{\"__metadata__\":{");
        for (int i = 0; at < most - 40; i++)
            at += (size_t)sprintf(text + at, "%s\"shared%08d\":\"\"", i > 0 ? "," : "",
                                  _i == 0 ? i : 99999999 - i);
        at += (size_t)sprintf(text + at, "}}");
        for (int i = 0; i < 8; i++)
            text[i] = (char)((uint64_t)(at - 8) >> (8 * i) & 255);
        wgt_file_put(path, text, at);
        const double start = cpu_seconds();
        load();
        seconds[half] = cpu_seconds() - start;
    }
    free(text);
    ck_assert_msg(seconds[0] < 4 * seconds[1] + 0.5, "%g s, half of it %g s", seconds[0],
                  seconds[1]);
    ck_assert_msg(seconds[0] < most_seconds(), "%g s", seconds[0]);
}
END_TEST

/* ---- Refused. -------------------------------------------------------------------------------- */

#define ONE(fields) "{\"w\":{" fields "}}"
#define F32         "\"dtype\":\"F32\","

/* 16 bytes stand behind each header. */
static const struct {
    const char *header, *message;
} bad_headers[] = {
    {"", "byte 8: '{' wanted, found the end of the header"},
    {" {}", "byte 8: '{' wanted"},
    {"[]", "'{' wanted"},
    {"{", "byte 9: a string wanted, found the end of the header"},
    {"{}x", "byte 10: the end of the header wanted, found 'x'"},
    {"{}", "16 bytes behind the header, but the tensors take 0"},
    {"{\"w\"}", "':' wanted"},
    {"{\"w\":3}", "'{' wanted"},
    {"{w:{}}", "a string wanted"},
    {"{\"w\":{}}", "dtype, shape and data_offsets before this wanted"},
    {ONE(F32 "\"shape\":[4]"), "dtype, shape and data_offsets before this wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0,16],"), "a string wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0,16]") ",", "the end of the header wanted"},
    {"{\"w\":{" F32 "\"shape\":[4],\"data_offsets\":[0,16]},}", "a string wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0,16],\"more\":1"), "each once, wanted"},
    {ONE(F32 F32 "\"shape\":[4],\"data_offsets\":[0,16]"), "each once, wanted"},
    {ONE("\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,16]"), "which takes 8 bytes"},
    {ONE("\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,12]"),
     "16 bytes behind the header, but the tensors take 12"},
    {ONE("\"dtype\":\"F8_E4M3\",\"shape\":[4],\"data_offsets\":[0,20]"), "but the file has 16"},
    {ONE("\"dtype\":4,\"shape\":[4],\"data_offsets\":[0,16]"), "a string wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0]"), "a second offset wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0,16,16]"), "two offsets wanted"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[]"), "a size"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[16,0]"), "tensor 'w': at 16 to 0"},
    {ONE(F32 "\"shape\":[4],\"data_offsets\":[0,12]"), "at 0 to 12, of shape (4,), which takes 16"},
    {ONE(F32 "\"shape\":[2],\"data_offsets\":[0,8]"),
     "16 bytes behind the header, but the tensors take 8"},
    {ONE(F32 "\"shape\":[2],\"data_offsets\":[8,16]"), "but 0 is where it must begin"},
    {ONE(F32 "\"shape\":[8],\"data_offsets\":[0,32]"), "but the file has 16"},
    {ONE(F32 "\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]"),
     "(4611686018427387904, 4), which is too large to be"},
    {ONE(F32 "\"shape\":[1000000000000],\"data_offsets\":[0,4000000000000]"),
     WGT_BY_POINTERS("but the file has 16", "(1000000000000,), which is too large to be")},
    {ONE(F32 "\"shape\":[9223372036854775808],\"data_offsets\":[0,16]"), "a size below 2^63"},
    {ONE(F32 "\"shape\":[-4],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {ONE(F32 "\"shape\":[4.0],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {ONE(F32 "\"shape\":[4e0],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {ONE(F32 "\"shape\":[04],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {ONE(F32 "\"shape\":[4,],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {ONE(F32 "\"shape\":[2 2],\"data_offsets\":[0,16]"), "',' or ']' wanted"},
    {ONE(F32 "\"shape\":[1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,16]"), "at most 8 dimensions"},
    {ONE(F32 "\"shape\":[[4]],\"data_offsets\":[0,16]"), "a size (digits alone"},
    {"{\"w\":{" F32 "\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"w\":{" F32 "\"shape\":[2],\"data_offsets\":[8,16]}}",
     "tensor 'w': is there twice"},
    {"{\"a\":{" F32 "\"shape\":[4],\"data_offsets\":[0,16]},"
     "\"b\":{" F32 "\"shape\":[4],\"data_offsets\":[0,16]}}",
     "tensor 'b': at 0 to 16, of shape (4,), but 16 is where it must begin"},
    {"{\"a\":{" F32 "\"shape\":[3],\"data_offsets\":[0,12]},"
     "\"b\":{" F32 "\"shape\":[2],\"data_offsets\":[8,16]}}",
     "tensor 'b': at 8 to 16, of shape (2,), but 12 is where it must begin"},
    {"{\"a\":{" F32 "\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"b\":{" F32 "\"shape\":[2],\"data_offsets\":[8,16]}}",
     "but 4 is where it must begin"},
    {"{\"__metadata__\":{\"a\":1}}", "a string wanted"},
    {"{\"__metadata__\":[]}", "'{' wanted"},
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "string 'a': is there twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", "one __metadata__ wanted"},
    {"{\"\xC3\x28\":{}}", "byte 10: UTF-8 wanted"},
    {"{\"\xC0\xAF\":{}}", "byte 10: UTF-8 wanted"},
    {"{\"\xED\xA0\x80\":{}}", "byte 10: UTF-8 wanted"},
    {"{\"\xF4\x90\x80\x80\":{}}", "byte 10: UTF-8 wanted"},
    {"{\"a\nb\":{}}", "a character or the string's end wanted"},
    {"{\"a\\x\":{}}", "an escape wanted"},
    {"{\"a\\u00g0\":{}}", "four hexadecimal digits wanted"},
    {"{\"a\\u0000\":{}}", "a character other than"},
    {"{\"a\\ud800\":{}}", "both halves of a surrogate pair"},
    {"{\"a\\udc00\":{}}", "both halves of a surrogate pair"},
    {"{\"a\\udc00\\udc00\":{}}", "both halves of a surrogate pair"},
    {"{\"a\\ud800\\u0041\":{}}", "the second half of a surrogate pair"},
    {"{\"a", "a character or the string's end wanted, found the end of the header"},
    {"{\"a\\", "an escape wanted, found the end of the header"},
    {"{\"a\\u00", "four hexadecimal digits wanted"},
};

START_TEST(test_bad_header)
{
    const size_t size = make(bad_headers[_i].header, 16);
    wgt_check_bad(read_any, path, bytes, size, WG_E_FORMAT, bad_headers[_i].message);
}
END_TEST

START_TEST(test_bad_length)
{
    make("{}      ", 0);
    bytes[7] = (char)0x80;
    wgt_check_bad(read_any, path, bytes, 16, WG_E_FORMAT,
                  "byte 0: a header of 9223372036854775816 bytes");
    bytes[7] = 0, bytes[0] = 9;
    wgt_check_bad(read_any, path, bytes, 16, WG_E_FORMAT,
                  "byte 0: a header of 9 bytes, but 8 are left and 100000000 the most");
    bytes[0] = 8;
    wgt_check_good(read_any, path, bytes, 16);
}
END_TEST

/* JSON in every form that it may have. */
START_TEST(test_other_json)
{
    wgt_file_put(path, bytes,
                 make("{ \"\\u0077\\ud83d\\ude00\\/\\n\" :\t{\"data_offsets\" : [ 0 , 16 ],\r\n"
                      "\"shape\":[ 2,\n1 ] , \"dtype\":\"\\u0046\\u00364\"} ,\"__metadata__\":{}"
                      ",\"\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[16,16]}}\n ",
                      16));
    const wg_archive *a = load();
    ck_assert_int_eq(wg_size(wg_archive_tensor(a, "w\xF0\x9F\x98\x80/\n")), 2);
    ck_assert_int_eq(wg_size(wg_archive_tensor(a, "")), 0);
    ck_assert_ptr_nonnull(wg_archive_tensor(a, ""));
}
END_TEST

/* Other types become f32 and i64; what is not read at all does not keep the rest from being
 * read. */
START_TEST(test_types)
{
    const char *header = "{\"a\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},"
                         "\"b\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[2,4]},"
                         "\"c\":{\"dtype\":\"C64\",\"shape\":[],\"data_offsets\":[4,12]},"
                         "\"d\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[12,14]},"
                         "\"e\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[14,15]},"
                         "\"f\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[15,17]}}";
    static const char data[] = "\0\xC1\x20\x40........\xFF\1\1\xFE\xFF";
    const size_t size = make(header, 17);
    memcpy(bytes + size - 17, data, 17);
    wgt_file_put(path, bytes, size);
    wg_archive *a = wg_archive_load(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_dtype_of(wg_archive_tensor(a, "a")), WG_F32);
    wgt_assert_that(wg_item(wg_archive_tensor(a, "a")), ==, -2.5);
    wgt_assert_that(wg_item(wg_archive_tensor(a, "b")), ==, 2.5);
    ck_assert_ptr_null(wg_archive_tensor(a, "c"));
    ck_assert_str_eq(wg_archive_type(a, "c"), "C64");
    ck_assert_ptr_null(wg_archive_type(a, "d"));
    wgt_assert_that(wg_at(wg_archive_tensor(a, "d"), 0), ==, 255);
    wgt_assert_that(wg_item(wg_archive_tensor(a, "e")), ==, 1);
    wgt_assert_that(wg_item(wg_archive_tensor(a, "f")), ==, -2);
    const wg_mark mark = wg_tape_mark(tape);
    wg_params *p = wg_params_new(tape);
    wg_params_add(p, wg_param(tape, "c", WG_F32, WG_SHAPE(2)));
    ck_assert_int_eq(wg_params_load(p, a, NULL), WG_E_FORMAT);
    wgt_assert_status(tape, WG_E_FORMAT, "tensor 'c' is of type C64, which is not read");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_archive_save(a, path), WG_E_VALUE);
    wgt_assert_status(tape, WG_E_VALUE, "'c' is of a type that is not written");
}
END_TEST

START_TEST(test_everything_wrong)
{
    const size_t size = make_torch();
    wgt_check_truncated(read_any, path, bytes, size);
    wgt_check_bad(read_any, path, bytes, size + 1, WG_E_FORMAT, "41 bytes behind the header");
    wgt_check_memory(read_any, path, bytes, size);
    wgt_check_bytes(read_any, path, bytes, size);
    wgt_check_unreadable(read_any);
}
END_TEST

Suite *suite_safetensors(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *cases = tcase_create("safetensors");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_torch_file);
    tcase_add_loop_test(cases, test_hostile_header, 0, 2);
    tcase_add_loop_test(cases, test_bad_header, 0, (int)(sizeof bad_headers / sizeof *bad_headers));
    tcase_add_test(cases, test_bad_length);
    tcase_add_test(cases, test_other_json);
    tcase_add_test(cases, test_types);
    tcase_add_test(cases, test_everything_wrong);
    suite_add_tcase(suite, cases);
    return suite;
}
