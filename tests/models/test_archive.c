/* Archives: the map; safetensors files, the layout of the format's own writer, everything that is
 * refused. */
#include "autograd/op.h"
#include "models/files/archive_internal.h"
#include "models/files/params.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What takes 0.2 s where nothing looks on, and minutes where it grows with the square of its size;
 * sanitizers, on a busy machine, slow it down a hundredfold. */
#if defined(__SANITIZE_ADDRESS__)
#define MOST_SECONDS 60.0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOST_SECONDS 60.0
#endif
#endif
#ifndef MOST_SECONDS
#define MOST_SECONDS 5.0
#endif

static char bytes[4096];

static bool read_any(wg_tape *t, const char *from)
{
    const wg_archive *a = wg_archive_load(t, from);
    ck_assert_ptr_nonnull(a);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next)
        ck_assert(e->string != NULL || e->type != NULL || !wg_is_inert(e->tensor));
    return t != NULL && wg_tape_status(t) == WG_OK;
}

/* Puts together a file of this header and `size` bytes 0, 1, 2, ...; returns its size. */
static size_t make(const char *header, size_t size)
{
    const size_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)((uint64_t)length >> (8 * i) & 255);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < size; i++)
        bytes[8 + length + i] = (char)i;
    return 8 + length + size;
}

static const wg_archive *load(void)
{
    const wg_archive *a = wg_archive_load(tape, path);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    return a;
}

/* ---- A file as PyTorch's save_file lays it out: metadata first, larger types first, blanks. -- */

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

/* ---- The map. -------------------------------------------------------------------------------- */

START_TEST(test_archive)
{
    wg_archive *a = wg_archive_new(tape);
    char name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "t%d", i);
        wg_archive_put_tensor(a, name, wg_scalar(tape, WG_F64, i));
        wg_archive_put_real(a, name, i / 7.0);
    }
    wg_archive_put_integer(a, "least", INT64_MIN);
    ck_assert_int_eq(wg_tape_status(tape), WG_OK);
    ck_assert_int_eq(wg_archive_count(a), 101);
    for (int i = 0; i < 50; i++) {
        double real;
        snprintf(name, sizeof name, "t%d", i);
        wgt_assert_that(wg_item(wg_archive_tensor(a, name)), ==, i);
        ck_assert(wg_archive_real(a, "test", name, 0, 8, &real));
        wgt_assert_same_bits(real, i / 7.0);
    }
    int64_t integer = 0;
    ck_assert(wg_archive_integer(a, "test", "least", INT64_MIN, 0, &integer));
    wgt_assert_that(integer, ==, INT64_MIN);
    ck_assert_ptr_null(wg_archive_string(a, "t50"));
    ck_assert_ptr_null(wg_archive_tensor(NULL, "t50"));
}
END_TEST

START_TEST(test_archive_errors)
{
    static const char *const wrong[] = {
        "",   "-", "1.5", " 1", "9223372036854775808", "abc", "11", "-9223372036854775809",
        "+1", "1 "};
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_string(a, "name", "text");
    wg_mark mark = wg_tape_mark(tape);
    int64_t integer;
    double real;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wg_archive *one = wg_archive_new(tape);
        wg_archive_put_string(one, "n", wrong[i]);
        ck_assert(!wg_archive_integer(one, "test", "n", 0, 10, &integer));
        expect_error(mark, WG_E_FORMAT, "test: 'n' is no number, or out of its range: '");
    }
    ck_assert(!wg_archive_real(a, "test", "name", 0, 1, &real));
    expect_error(mark, WG_E_FORMAT, "'text'");
    ck_assert(!wg_archive_real(a, "test", "other", 0, 1, &real));
    expect_error(mark, WG_E_FORMAT, "test: 'other' is missing");
    wg_archive_put_string(a, "name", "again");
    expect_error(mark, WG_E_VALUE, "archive: there is a 'name' already");
    wg_archive_put_string(a, "null", NULL);
    expect_error(mark, WG_E_NULL, "archive: ");
    wg_archive_put_tensor(a, "null", NULL);
    expect_error(mark, WG_E_NULL, "archive: ");
    wg_tape *other = wg_tape_new(NULL);
    wg_archive_put_tensor(a, "far", wg_scalar(other, WG_F64, 1));
    expect_error(mark, WG_E_TAPE, "archive: 'far' is of another tape");
    wg_tape_free(other);
    ck_assert_int_eq(wg_archive_put_string(NULL, "a", "b"), WG_E_NULL);
}
END_TEST

/* ---- Writing. -------------------------------------------------------------------------------- */

static wg_status write_model(void)
{
    const float weight[] = {0.5f, 0.25f, 0.125f, 3, -HUGE_VALF, -0.0f}, bias[] = {1, -2};
    const int64_t steps = -2;
    wg_tensor *w = wg_param(tape, "fc1.weight", WG_F32, WG_SHAPE(2, 3));
    wg_tensor *b = wg_param(tape, "fc1.bias", WG_F32, WG_SHAPE(2));
    wg_write(w, weight, sizeof weight);
    wg_write(b, bias, sizeof bias);
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, NULL, w);
    wg_archive_put_tensor(a, NULL, b);
    wg_archive_put_tensor(a, "steps", wg_constant(tape, WG_I64, WG_SCALAR, &steps));
    wg_archive_put_string(a, "format", "pt");
    return wg_archive_save(a, path);
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
    wg_archive *a = wg_archive_new(tape);
    wg_archive_put_tensor(a, "z", wg_constant(tape, WG_F64, WG_SHAPE(2, 1), x));
    wg_archive_put_tensor(a, "a \"\\\n\xC3\xA9", wg_full(tape, WG_F32, WG_SHAPE(2), 1.5));
    wg_archive_put_tensor(a, "n", wg_full(tape, WG_I64, WG_SHAPE(3), -7));
    wg_archive_put_tensor(a, "empty", wg_full(tape, WG_F64, WG_SHAPE(0, 4), 0));
    wg_archive_put_string(a, "k2", "\t\x01 {\"a\": 1}");
    wg_archive_put_string(a, "k1", "\xF0\x9F\x98\x80");
    if (system("python3 -c '' 2> /dev/null") != 0)
        return; /* the bytes are tested above, with or without Python */
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
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
    const wg_archive *again = load();
    ck_assert_int_eq(wg_archive_count(again), 6);
    ck_assert_ptr_nonnull(wg_archive_tensor(again, "a \"\\\n\xC3\xA9"));
    ck_assert_str_eq(wg_archive_string(again, "k2"), wg_archive_string(a, "k2"));
    ck_assert_str_eq(wg_archive_string(again, "k1"), wg_archive_string(a, "k1"));
}
END_TEST

/* Any bits, sizes around those of the buffers, many tensors. */
START_TEST(test_round_trip)
{
    enum { MANY = 40 };
    static double values[5000];
    wg_archive *a = wg_archive_new(tape);
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 5000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&values[i], &bits, sizeof bits);
    }
    for (int i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i * 7 % MANY);
        wg_archive_put_tensor(a, name,
                              wg_constant(tape, (wg_dtype)(WG_F32 + i % 3),
                                          WG_SHAPE(i % 4 == 0 ? 1000 + i : i, i % 5 == 0 ? 1 : 2),
                                          values));
    }
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    const wg_archive *again = load();
    ck_assert_int_eq(wg_archive_count(again), MANY);
    for (const wg_archive_entry *e = wg_archive_first(a); e != NULL; e = e->next) {
        const wg_tensor *x = wg_archive_tensor(again, e->name), *y = e->tensor;
        wgt_assert_that(x->dtype, ==, y->dtype);
        ck_assert(wg_shape_same(&x->shape, &y->shape));
        wgt_assert_same_bytes(x->data, y->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
    ck_assert_int_eq(wg_archive_save(wg_archive_new(tape), path), WG_OK);
    ck_assert_int_eq(wg_archive_count(load()), 0);
}
END_TEST

/* 100,000 entries, put in no order, are written and read in time that is linear but for a
 * logarithm. */
START_TEST(test_many)
{
    enum { MANY = 100000 };
    char name[32];
    wg_archive *a = wg_archive_new(tape);
    clock_t start = clock();
    for (int64_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "entry %" PRId64, i * 61673 % MANY);
        if (i % 2 == 0)
            wg_archive_put_integer(a, name, i);
        else
            wg_archive_put_tensor(a, name, wg_scalar(tape, WG_F64, (double)i));
    }
    ck_assert_int_eq(wg_archive_save(a, path), WG_OK);
    const wg_archive *again = load();
    int64_t value;
    for (int64_t i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "entry %" PRId64, i * 61673 % MANY);
        if (i % 2 == 0)
            ck_assert(wg_archive_integer(again, "test", name, i, i, &value));
        else
            wgt_assert_that(wg_item(wg_archive_tensor(again, name)), ==, (double)i);
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    ck_assert_int_eq(wg_archive_count(again), MANY);
    const wg_archive_entry *e = wg_archive_first(again);
    for (; e->next != NULL; e = e->next)
        ck_assert_int_lt(strcmp(e->name, e->next->name), 0);
    ck_assert_msg(seconds < MOST_SECONDS, "%g s", seconds);
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
        clock_t start = clock();
        load();
        seconds[half] = (double)(clock() - start) / CLOCKS_PER_SEC;
    }
    free(text);
    ck_assert_msg(seconds[0] < 4 * seconds[1] + 0.5, "%g s, half of it %g s", seconds[0],
                  seconds[1]);
    ck_assert_msg(seconds[0] < MOST_SECONDS, "%g s", seconds[0]);
}
END_TEST

static void check_not_saved(wg_archive *a, wg_status code, const char *part)
{
    size_t size;
    wgt_file_put(path, "old", 3);
    ck_assert_int_eq(wg_archive_save(a, path), code);
    wgt_assert_status(tape, code, part);
    char *kept = wgt_file_get(path, &size);
    ck_assert_str_eq(kept, "old");
    free(kept);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}

/* What may be put, but not be saved. */
START_TEST(test_not_saved)
{
    wg_tensor *x = wg_scalar(tape, WG_F64, 1), *w = wgt_scalar_param(tape, "w", 2);
    const struct {
        const char *name, *string;
        wg_tensor *tensor;
        wg_status code;
        const char *part;
    } wrong[] = {
        {"\xC3", NULL, x, WG_E_VALUE, "'\xC3' is not UTF-8"},
        {"__metadata__", NULL, x, WG_E_VALUE, "'__metadata__' is no name for a tensor"},
        {"b", NULL, wg_abstract(tape, WG_F64, WG_SCALAR), WG_E_VALUE, "has no value"},
        {"\xC3", "v", NULL, WG_E_VALUE, "is not UTF-8"},
        {"k", "\xED\xA0\x80", NULL, WG_E_VALUE, "is not UTF-8"},
        {"y", NULL, wgt_cube(w), WG_E_STALE, "replay first"},
    };
    wg_write(w, &(double){3}, sizeof(double));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const wg_mark mark = wg_tape_mark(tape);
        wg_archive *a = wg_archive_new(tape);
        wg_archive_put_tensor(a, "a", x);
        if (wrong[i].string != NULL)
            wg_archive_put_string(a, wrong[i].name, wrong[i].string);
        else
            wg_archive_put_tensor(a, wrong[i].name, wrong[i].tensor);
        check_not_saved(a, wrong[i].code, wrong[i].part);
        wg_tape_rewind(tape, mark);
    }
    ck_assert_int_eq(wg_archive_save(NULL, path), WG_E_NULL);
    ck_assert_int_eq(wg_archive_save(wg_archive_new(tape), NULL), WG_E_NULL);
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

/* What a failed load returns, and NULL. */
START_TEST(test_inert)
{
    wg_archive *a = wg_archive_load(tape, "/nowhere");
    for (int i = 0; i < 2; i++, a = NULL) {
        ck_assert_int_eq(wg_archive_count(a), 0);
        ck_assert_ptr_null(wg_archive_first(a));
        ck_assert_ptr_null(wg_archive_tensor(a, "a"));
        ck_assert_ptr_null(wg_archive_string(a, "a"));
        ck_assert_ptr_null(wg_archive_tape(a));
        ck_assert_int_eq(wg_archive_put_string(a, "a", "b"), WG_E_NULL);
        ck_assert_int_eq(wg_archive_save(a, path), WG_E_NULL);
    }
}
END_TEST

/* A write that has no memory for its list leaves the file as it was. */
START_TEST(test_write_without_memory)
{
    for (int64_t fail_at = 1;; fail_at++) {
        wgt_memory memory = {0};
        size_t size;
        wg_tape *t = wgt_tape(&memory);
        wg_archive *a = wg_archive_new(t);
        wg_archive_put_tensor(a, "x", wg_full(t, WG_F64, WG_SHAPE(3), 1));
        wgt_file_put(path, "old", 3);
        memory.fail_at = memory.calls + fail_at;
        wg_archive_put_string(a, "k", "v");
        const wg_status status = wg_archive_save(a, path);
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

Suite *suite_archive(void)
{
    Suite *suite = suite_create("archive");
    TCase *cases = tcase_create("archive");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_archive);
    tcase_add_test(cases, test_archive_errors);
    tcase_add_test(cases, test_torch_file);
    tcase_add_test(cases, test_written_bytes);
    tcase_add_test(cases, test_independent_decoder);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_many);
    tcase_add_loop_test(cases, test_hostile_header, 0, 2);
    tcase_add_test(cases, test_not_saved);
    tcase_add_loop_test(cases, test_bad_header, 0, (int)(sizeof bad_headers / sizeof *bad_headers));
    tcase_add_test(cases, test_bad_length);
    tcase_add_test(cases, test_other_json);
    tcase_add_test(cases, test_types);
    tcase_add_test(cases, test_everything_wrong);
    tcase_add_test(cases, test_inert);
    tcase_add_test(cases, test_write_without_memory);
    suite_add_tcase(suite, cases);
    return suite;
}
