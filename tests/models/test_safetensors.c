/* safetensors: the layout of the format's own writer, everything that is refused, loading. */
#include "autograd/op.h"
#include "models/files/safetensors.h"
#include "tests/models/files.h"
#include "tests/support/assert.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char path[WGT_PATH];
static wg_tape *tape;
static char bytes[4096];

static void setup(void)
{
    wgt_file_new(path);
    tape = wg_tape_new(NULL);
}

static void teardown(void)
{
    wg_tape_free(tape);
    wgt_file_remove(path);
}

static bool read_any(wg_tape *t, const char *from)
{
    const wg_safetensors *file = wg_safetensors_read(t, from);
    ck_assert_ptr_nonnull(file);
    for (int64_t i = 0; i < wg_safetensors_count(file); i++)
        ck_assert(!wg_is_inert(wg_safetensors_tensor(file, wg_safetensors_name(file, i))));
    return t != NULL && wg_tape_status(t) == WG_OK;
}

/* Puts together a file of this header and `size` bytes 0, 1, 2, ...; returns its size. */
static size_t make(const char *header, size_t size)
{
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(length >> (8 * i) & 255);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++)
        bytes[8 + length + i] = (char)i;
    return 8 + length + size;
}

/* ---- A file as PyTorch's save_file lays it out: metadata first, larger types first, blanks. --------- */

static const char torch_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
    "\"fc1.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
    "\"fc1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[16,40]}} ";
static const unsigned char torch_data[] = {0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0,
                                           0x80, 0x3F, 0,    0,    0,    0xC0, 0,    0,    0, 0x3F,
                                           0,    0,    0x80, 0x3E, 0,    0,    0,    0x3E, 0, 0,
                                           0x40, 0x40, 0,    0,    0x80, 0xFF, 0,    0,    0, 0x80};

static size_t make_torch(void)
{
    const size_t size = make(torch_header, sizeof torch_data);
    memcpy(bytes + size - sizeof torch_data, torch_data, sizeof torch_data);
    return size;
}

START_TEST(test_torch_file)
{
    const float weight[] = {0.5f, 0.25f, 0.125f, 3, -HUGE_VALF, -0.0f}, bias[] = {1, -2};
    ck_assert_uint_eq(strlen(torch_header) % 8, 0);
    wgt_file_put(path, bytes, make_torch());
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_safetensors_count(file), 3);
    ck_assert_str_eq(wg_safetensors_name(file, 0), "fc1.bias");
    ck_assert_str_eq(wg_safetensors_name(file, 2), "steps");
    ck_assert_ptr_null(wg_safetensors_name(file, 3));
    ck_assert_ptr_null(wg_safetensors_name(file, -1));
    const wg_tensor *w = wg_safetensors_tensor(file, "fc1.weight");
    wgt_assert_that(wg_ndim(w), ==, 2);
    wgt_assert_that(wg_dim(w, 0), ==, 2);
    wgt_assert_that(wg_dim(w, 1), ==, 3);
    ck_assert_str_eq(w->name, "fc1.weight");
    wgt_assert_same_bytes(wg_data_f32(w), weight, sizeof weight);
    wgt_assert_same_bytes(wg_data_f32(wg_safetensors_tensor(file, "fc1.bias")), bias, sizeof bias);
    ck_assert_int_eq(wg_item_i64(wg_safetensors_tensor(file, "steps")), -2);
    ck_assert(wg_safetensors_has(file, "steps"));
    ck_assert(!wg_safetensors_has(file, "step"));
    ck_assert_str_eq(wg_safetensors_text_of(file, "format"), "pt");
    ck_assert_ptr_null(wg_safetensors_text_of(file, "more"));
    ck_assert_int_eq(wg_safetensors_text_count(file), 1);
    ck_assert_str_eq(wg_safetensors_text_at(file, 0).key, "format");
    ck_assert_ptr_null(wg_safetensors_text_at(file, 1).key);
    ck_assert(wg_is_inert(wg_safetensors_tensor(file, "fc2.weight")));
    wgt_assert_status(tape, WG_E_VALUE, "there is no tensor 'fc2.weight'");
}
END_TEST

/* ---- Writing. --------------------------------------------------------------------------------------- */

static wg_status write_model(void)
{
    const float weight[] = {0.5f, 0.25f, 0.125f, 3, -HUGE_VALF, -0.0f}, bias[] = {1, -2};
    const int64_t steps = -2;
    wg_tensor *w = wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(2, 3));
    wg_tensor *b = wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2));
    wg_write(w, weight, sizeof weight);
    wg_write(b, bias, sizeof bias);
    const wg_safetensors_entry entries[] = {
        {NULL, w}, {NULL, b}, {"steps", wg_constant(tape, WG_I64, WG_SCALAR, &steps)}};
    const wg_safetensors_text text = {"format", "pt"};
    return wg_safetensors_write(tape, path, entries, 3, &text, 1);
}

/* The same content is the same bytes as those of the format's own writer. */
START_TEST(test_written_bytes)
{
    size_t size;
    const size_t want = make_torch();
    ck_assert_int_eq(write_model(), WG_OK);
    char *got = wgt_file_get(path, &size);
    ck_assert_uint_eq(size, want);
    wgt_assert_same_bytes(got, bytes, want);
    free(got);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}
END_TEST

/* What a program that knows the format's description alone finds in the file. */
START_TEST(test_independent_decoder)
{
    char command[300], got[1000] = "";
    const double x[] = {0.1, -1e300};
    const wg_safetensors_entry entries[] = {
        {"z", wg_constant(tape, WG_F64, WG_SHAPE(2, 1), x)},
        {"a \"\\\n\xC3\xA9", wg_full(tape, WG_F32, WG_SHAPE(2), 1.5)},
        {"n", wg_full(tape, WG_I64, WG_SHAPE(3), -7)},
        {"empty", wg_full(tape, WG_F64, WG_SHAPE(0, 4), 0)},
    };
    const wg_safetensors_text texts[] = {{"k2", "\t\x01 {\"a\": 1}"}, {"k1", "\xF0\x9F\x98\x80"}};
    if (system("python3 -c '' 2> /dev/null") != 0)
        return; /* the bytes are tested above, with or without Python */
    ck_assert_int_eq(wg_safetensors_write(tape, path, entries, 4, texts, 2), WG_OK);
    snprintf(command, sizeof command,
             "PYTHONIOENCODING=utf-8 python3 -B tests/decode_safetensors.py %s", path);
    FILE *output = popen(command, "r");
    ck_assert_ptr_nonnull(output);
    const size_t length = fread(got, 1, sizeof got - 1, output);
    got[length] = '\0';
    ck_assert_int_eq(pclose(output), 0);
    ck_assert_str_eq(got, "text k1 = \xF0\x9F\x98\x80\n"
                          "text k2 = \t\x01 {\"a\": 1}\n"
                          "n I64 (3,) -7 -7 -7\n"
                          "empty F64 (0, 4)\n"
                          "z F64 (2, 1) 0.10000000000000001 -1.0000000000000001e+300\n"
                          "a \"\\\n\xC3\xA9 F32 (2,) 1.5 1.5\n");
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert(wg_safetensors_has(file, entries[1].name));
    ck_assert_str_eq(wg_safetensors_text_of(file, "k2"), texts[0].value);
    ck_assert_str_eq(wg_safetensors_text_of(file, "k1"), texts[1].value);
}
END_TEST

/* Any bits, sizes around those of the buffers, many tensors. */
START_TEST(test_round_trip)
{
    enum { MANY = 40 };
    static double values[5000];
    char names[MANY][16];
    wg_safetensors_entry entries[MANY];
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 5000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&values[i], &bits, sizeof bits);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i * 7 % MANY);
        entries[i] = (wg_safetensors_entry){
            names[i], wg_constant(tape, (wg_dtype)(WG_F32 + i % 3),
                                  WG_SHAPE(i % 4 == 0 ? 1000 + i : i, i % 5 == 0 ? 1 : 2), values)};
    }
    ck_assert_int_eq(wg_safetensors_write(tape, path, entries, MANY, NULL, 0), WG_OK);
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_safetensors_count(file), MANY);
    for (int i = 0; i < MANY; i++) {
        const wg_tensor *x = wg_safetensors_tensor(file, names[i]), *y = entries[i].tensor;
        wgt_assert_that(x->dtype, ==, y->dtype);
        ck_assert(wg_shape_same(&x->shape, &y->shape));
        wgt_assert_same_bytes(x->data, y->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
    ck_assert_int_eq(wg_safetensors_write(tape, path, NULL, 0, NULL, 0), WG_OK);
    ck_assert_int_eq(wg_safetensors_count(wg_safetensors_read(tape, path)), 0);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
}
END_TEST

static void check_not_written(wg_safetensors_entry one, wg_safetensors_text text, wg_status code,
                              const char *part)
{
    size_t size;
    const wg_mark mark = wg_tape_mark(tape);
    const wg_safetensors_entry entries[] = {{"a", wg_scalar(tape, WG_F64, 1)}, one};
    const wg_safetensors_text texts[] = {{"key", "value"}, text};
    wgt_file_put(path, "old", 3);
    ck_assert_int_eq(wg_safetensors_write(tape, path, entries, 2, texts, 2), code);
    wgt_assert_status(tape, code, part);
    char *kept = wgt_file_get(path, &size);
    ck_assert_str_eq(kept, "old");
    free(kept);
    ck_assert_int_eq(wgt_file_beside(path), 1);
    wg_tape_rewind(tape, mark);
}

START_TEST(test_not_written)
{
    const wg_tensor *x = wg_scalar(tape, WG_F64, 1);
    const wg_safetensors_text fine = {"k", "v"};
    check_not_written((wg_safetensors_entry){"a", x}, fine, WG_E_VALUE,
                      "'a' is the name of two tensors");
    check_not_written((wg_safetensors_entry){"\xC3", x}, fine, WG_E_VALUE, "is not UTF-8");
    check_not_written((wg_safetensors_entry){"__metadata__", x}, fine, WG_E_VALUE,
                      "'__metadata__' is no name for a tensor");
    check_not_written((wg_safetensors_entry){NULL, x}, fine, WG_E_NULL, "is NULL");
    check_not_written((wg_safetensors_entry){"b", NULL}, fine, WG_E_NULL, "is NULL");
    check_not_written((wg_safetensors_entry){"b", wg_abstract(tape, WG_F64, WG_SCALAR)}, fine,
                      WG_E_VALUE, "has no value");
    check_not_written((wg_safetensors_entry){"b", x}, (wg_safetensors_text){"key", "2"}, WG_E_VALUE,
                      "'key' is a key of two texts");
    check_not_written((wg_safetensors_entry){"b", x}, (wg_safetensors_text){"k", "\xED\xA0\x80"},
                      WG_E_VALUE, "is not UTF-8");
    check_not_written((wg_safetensors_entry){"b", x}, (wg_safetensors_text){"k", NULL}, WG_E_NULL,
                      "is NULL");
    wg_tape *other = wg_tape_new(NULL);
    check_not_written((wg_safetensors_entry){"b", wg_scalar(other, WG_F64, 1)}, fine, WG_E_TAPE,
                      "is of another tape");
    wg_tape_free(other);
    wg_tensor *w = wgt_scalar_param(tape, "w", 2), *y = wgt_cube(w);
    wg_write(w, &(double){3}, sizeof(double));
    const wg_safetensors_entry stale = {"y", y};
    ck_assert_int_eq(wg_safetensors_write(tape, path, &stale, 1, NULL, 0), WG_E_STALE);
}
END_TEST

/* ---- Refused. --------------------------------------------------------------------------------------- */

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
    {ONE("\"dtype\":\"BF16\",\"shape\":[8],\"data_offsets\":[0,16]"), "dtype BF16 is not read"},
    {ONE("\"dtype\":\"F16\",\"shape\":[8],\"data_offsets\":[0,16]"), "byte 22: dtype F16 is not"},
    {ONE("\"dtype\":\"f32\",\"shape\":[4],\"data_offsets\":[0,16]"), "dtype f32 is not read"},
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
    {ONE(F32 "\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]"), "which takes -1 bytes"},
    {ONE(F32 "\"shape\":[1000000000000],\"data_offsets\":[0,4000000000000]"),
     "but the file has 16"},
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
    {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "'a': is the key of two texts"},
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
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_size(wg_safetensors_tensor(file, "w\xF0\x9F\x98\x80/\n")), 2);
    ck_assert_int_eq(wg_size(wg_safetensors_tensor(file, "")), 0);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
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

/* What a failed read returns, and NULL. */
START_TEST(test_inert)
{
    const wg_safetensors *file = wg_safetensors_read(tape, "/nowhere");
    for (int i = 0; i < 2; i++, file = NULL) {
        ck_assert_int_eq(wg_safetensors_count(file), 0);
        ck_assert_int_eq(wg_safetensors_text_count(file), 0);
        ck_assert_ptr_null(wg_safetensors_name(file, 0));
        ck_assert_ptr_null(wg_safetensors_text_of(file, "a"));
        ck_assert_ptr_null(wg_safetensors_text_at(file, 0).key);
        ck_assert(!wg_safetensors_has(file, "a"));
        ck_assert_double_nan(wg_item(wg_safetensors_tensor(file, "a")));
        ck_assert_int_eq(wg_safetensors_load_into(file, NULL, 0), WG_E_NULL);
    }
}
END_TEST

/* ---- Loading. --------------------------------------------------------------------------------------- */

START_TEST(test_load)
{
    wgt_file_put(path, bytes, make_torch());
    wg_tensor *params[] = {wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(2, 3)),
                           wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2))};
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    ck_assert_int_eq(wg_safetensors_load_into(file, params, 2), WG_OK);
    wgt_assert_that(wg_at(params[0], 3), ==, 3);
    wgt_assert_that(wg_at(params[1], 1), ==, -2);
}
END_TEST

/* The first parameter is right and is not written where the second is wrong. */
START_TEST(test_load_nothing)
{
    wgt_file_put(path, bytes, make_torch());
    const wg_safetensors *file = wg_safetensors_read(tape, path);
    wg_tensor *bias = wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2));
    wg_tape *other = wg_tape_new(NULL);
    const struct {
        wg_tensor *param;
        wg_status code;
        const char *message;
    } wrong[] = {
        {wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(3, 2)), WG_E_SHAPE,
         "fc1.weight (2, 3) for the parameter fc1.weight (3, 2)"},
        {wg_param(tape, "fc1.weight", WG_F64, WG_SHAPE(2, 3)), WG_E_DTYPE,
         "fc1.weight (2, 3) is f32, the parameter f64"},
        {wg_param(tape, "fc2.weight", WG_F32, WG_SHAPE(2, 3)), WG_E_VALUE,
         "there is no tensor 'fc2.weight'"},
        {wg_param(tape, NULL, WG_F32, WG_SHAPE(2, 3)), WG_E_VALUE, "is no parameter with a name"},
        {wg_rename(wg_full(tape, WG_F32, WG_SHAPE(2, 3), 0), "fc1.weight"), WG_E_VALUE,
         "is no parameter with a name"},
        {wg_param(other, "fc1.weight", WG_F32, WG_SHAPE(2, 3)), WG_E_TAPE, "of another tape"},
        {NULL, WG_E_NULL, "a parameter to load is NULL"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_tensor *params[] = {bias, wrong[i].param};
        ck_assert_int_eq(wg_safetensors_load_into(file, params, 2), wrong[i].code);
        wgt_assert_status(tape, wrong[i].code, wrong[i].message);
        wg_tape_rewind(tape, mark);
        wgt_assert_that(wg_at(bias, 0), ==, 0);
        wgt_assert_that(wg_at(bias, 1), ==, 0);
    }
    wg_tape_free(other);
}
END_TEST

/* A write that has no memory for its list leaves the file as it was. */
START_TEST(test_write_without_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        size_t size;
        wg_tape *t = wgt_tape(&memory);
        const wg_safetensors_entry entry = {"x", wg_full(t, WG_F64, WG_SHAPE(3), 1)};
        wgt_file_put(path, "old", 3);
        memory.fail_at = memory.calls + fail_at;
        const wg_status status = wg_safetensors_write(t, path, &entry, 1, NULL, 0);
        ck_assert_int_eq(status, memory.failed > 0 ? WG_E_NOMEM : WG_OK);
        char *kept = wgt_file_get(path, &size);
        ck_assert((strcmp(kept, "old") == 0) == (status != WG_OK));
        free(kept);
        const bool done = memory.failed == 0;
        wg_tape_free(t);
        ck_assert_int_eq(memory.blocks, 0);
        ck_assert_int_eq(wgt_file_beside(path), 1);
        if (done)
            break;
    }
}
END_TEST

Suite *suite_safetensors(void)
{
    Suite *suite = suite_create("safetensors");
    TCase *cases = tcase_create("safetensors");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, test_torch_file);
    tcase_add_test(cases, test_written_bytes);
    tcase_add_test(cases, test_independent_decoder);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_not_written);
    tcase_add_loop_test(cases, test_bad_header, 0, (int)(sizeof bad_headers / sizeof *bad_headers));
    tcase_add_test(cases, test_bad_length);
    tcase_add_test(cases, test_other_json);
    tcase_add_test(cases, test_everything_wrong);
    tcase_add_test(cases, test_inert);
    tcase_add_test(cases, test_load);
    tcase_add_test(cases, test_load_nothing);
    tcase_add_test(cases, test_write_without_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
