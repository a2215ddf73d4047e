/* NPY files: NumPy's own bytes, everything that is refused, every truncation, every allocation. */
#include "autograd/op.h"
#include "models/files/archive_internal.h"
#include "models/files/bytes_internal.h"
#include "models/files/npy.h"
#include "ops/slice.h"
#include "tests/support/assert.h"
#include "tests/support/files.h"
#include "tests/support/fixture.h"
#include "tests/support/suites.h"
#include "tests/support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char bytes[70000];

static bool read_npy(wg_tape *t, const char *from)
{
    const wg_tensor *x = wg_npy_read(t, from);
    ck_assert_ptr_nonnull(x);
    return !wg_is_inert(x);
}

/* A file of that version, header and data in `bytes`; its size. */
static size_t make(int version, const char *header, const void *data, size_t size)
{
    const size_t digits = version == 1 ? 2 : 4, length = strlen(header);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)version;
    bytes[7] = 0;
    for (size_t i = 0; i < digits; i++)
        bytes[8 + i] = (unsigned char)(length >> (8 * i));
    memcpy(bytes + 8 + digits, header, length);
    if (size > 0)
        memcpy(bytes + 8 + digits + length, data, size);
    return 8 + digits + length + size;
}

static wg_tensor *read_made(int version, const char *header, const void *data, size_t size)
{
    wgt_file_put(path, bytes, make(version, header, data, size));
    return wg_npy_read(tape, path);
}

/* numpy.save of numpy.array([[1, 2.5, -3], [0.1, inf, nan]]), as NumPy 1.24 writes it. */
static const char numpy_header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
                                   "                                                          \n";
static const unsigned char numpy_data[] = {
    0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0,    0,    0,    0,    0,    0,    4,    0x40,
    0, 0, 0, 0, 0, 0, 8,    0xC0, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F,
    0, 0, 0, 0, 0, 0, 0xF0, 0x7F, 0,    0,    0,    0,    0,    0,    0xF8, 0x7F};

START_TEST(test_numpys_file)
{
    const double want[] = {1, 2.5, -3, 0.1, HUGE_VAL};
    ck_assert_uint_eq(strlen(numpy_header), 118);
    for (int version = 1; version <= 3; version++) {
        const wg_tensor *x = read_made(version, numpy_header, numpy_data, sizeof numpy_data);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(wg_ndim(x), 2);
        ck_assert_int_eq(wg_dim(x, 0), 2);
        ck_assert_int_eq(wg_dim(x, 1), 3);
        wgt_assert_same_bytes(wg_data_f64(x), want, sizeof want);
        ck_assert_double_nan(wg_at(x, 5));
    }
}
END_TEST

START_TEST(test_types)
{
    static const struct {
        const char *type;
        const char *data;
        size_t size;
        wg_dtype dtype;
        double want;
    } types[] = {
        {"<f4", "\0\0\x20\x40", 4, WG_F32, 2.5},
        {"<i8", "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, WG_I64, -2},
        {"<i4", "\0\0\0\x80", 4, WG_I64, -2147483648.0},
        {"<i2", "\xFF\x7F", 2, WG_I64, 32767},
        {"|i1", "\x80", 1, WG_I64, -128},
        {"|u1", "\xFF", 1, WG_I64, 255},
        {"<u2", "\xFF\xFF", 2, WG_I64, 65535},
        {"<u4", "\xFF\xFF\xFF\xFF", 4, WG_I64, 4294967295.0},
        {"<u8", "\1\0\0\0\0\0\0\x40", 8, WG_I64, 0x1p62},
        {"|b1", "\1", 1, WG_I64, 1},
        {">f8", "\xC0\x04\0\0\0\0\0\0", 8, WG_F64, -2.5},
        {">f4", "\x40\x20\0\0", 4, WG_F32, 2.5},
        {">i2", "\x80\0", 2, WG_I64, -32768},
        {">u4", "\0\0\1\0", 4, WG_I64, 256},
        {"<f2", "\0\x41", 2, WG_F32, 2.5},
        {">f2", "\xC1\0", 2, WG_F32, -2.5},
        {"<f2", "\1\0", 2, WG_F32, 0x1p-24},
        {"<f2", "\xFF\x83", 2, WG_F32, -1023 * 0x1p-24},
        {"<f2", "\xFF\x7B", 2, WG_F32, 65504},
        {"<f2", "\0\xFC", 2, WG_F32, -HUGE_VAL},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char header[100];
        snprintf(header, sizeof header, "{'descr':\"%s\",'shape':(1L,),'fortran_order':False}",
                 types[i].type);
        const wg_tensor *x = read_made(1, header, types[i].data, types[i].size);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(wg_dtype_of(x), types[i].dtype);
        wgt_assert_same_bits(wg_item(x), types[i].want);
    }
}
END_TEST

/* The first index runs fastest. */
START_TEST(test_fortran)
{
    const char *header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }";
    const double want[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
    const wg_tensor *x = read_made(1, header, "\0\1\2\3\4\5\6\7\10\11\12\13", 12);
    ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
    ck_assert_int_eq(wg_dim(x, 1), 3);
    for (int64_t i = 0; i < 12; i++)
        wgt_assert_that(wg_at(x, i), ==, want[i]);
    x = read_made(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 0), }", "", 0);
    ck_assert_int_eq(wg_dim(x, 0), 2);
}
END_TEST

START_TEST(test_shapes)
{
    const char *start = "{'descr': '<i2', 'fortran_order': False, 'shape': ";
    static const struct {
        const char *shape;
        int ndim;
        int64_t size;
    } shapes[] = {{"()}", 0, 1},      {"(2,), }", 1, 2},    {"(0,)}", 1, 0},
                  {"(1, 2,)}", 2, 2}, {"(3, 0, 5)}", 3, 0}, {"(1,1,1,1,1,1,1,2)}", 8, 2}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char header[200];
        snprintf(header, sizeof header, "%s%s", start, shapes[i].shape);
        const wg_tensor *x = read_made(1, header, "\1\0\2\0", (size_t)shapes[i].size * 2);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(wg_ndim(x), shapes[i].ndim);
        ck_assert_int_eq(wg_size(x), shapes[i].size);
        if (shapes[i].size == 2)
            wgt_assert_that(wg_at(x, 1), ==, 2);
    }
}
END_TEST

#define HEADER(descr, order, shape)                                                                \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

/* 16 bytes of data stand behind each header. */
static const struct {
    const char *header, *message;
} bad_headers[] = {
    {HEADER("'|O'", "False", "(2,)"), ": byte 21: objects (pickled Python) are never read"},
    {HEADER("[('a', '<f8'), ('b', '<f8')]", "False", "(1,)"), ": byte 20: structured types"},
    {HEADER("'>f8'", "True", "(3,)"), "the shape (3,) takes 24 bytes, but 16 are left"},
    {HEADER("'<c16'", "False", "(1,)"), "complex numbers are not read"},
    {HEADER("'<f3'", "False", "(8,)"), "floats of this size are not read"},
    {HEADER("'<f16'", "False", "(1,)"), "floats of this size are not read"},
    {HEADER("'<U4'", "False", "(1,)"), "strings are not read"},
    {HEADER("'|S16'", "False", "(1,)"), "strings are not read"},
    {HEADER("'<M8[ns]'", "False", "(2,)"), "times are not read"},
    {HEADER("'|V16'", "False", "(1,)"), "structured or raw bytes are not read"},
    {HEADER("'<f9'", "False", "(2,)"), "floats of this size are not read"},
    {HEADER("'=f8'", "False", "(2,)"), "floats of this size are not read"},
    {HEADER("''", "False", "(2,)"), "an element type wanted"},
    {HEADER("'<b1'", "False", "(3,)"), "takes 3 bytes, but 16 are left"},
    {HEADER("'<f8'", "False", "(3,)"), "the shape (3,) takes 24 bytes, but 16 are left"},
    {HEADER("'<f8'", "False", "(1,)"), "the shape (1,) takes 8 bytes, but 16 are left"},
    {HEADER("'<f8'", "False", "(2)"), "',' wanted in a tuple of one"},
    {HEADER("'<f8'", "False", "(-2,)"), "a size wanted"},
    {HEADER("'<f8'", "False", "(2"), "a size wanted"},
    {HEADER("'<f8'", "False", "(2 2)"), "',' or ')' wanted"},
    {HEADER("'<f8'", "False", "[2]"), "a shape wanted"},
    {HEADER("'<f8'", "False", "(4294967296, 4294967296)"), "is too large to be"},
    {HEADER("'<f8'", "False", "(9223372036854775808,)"), "a size is too large"},
    {HEADER("'<f8'", "False", "(0, 9223372036854775807, 3)"), "is too large to be"},
    {HEADER("'<f8'", "False", "(1000000000000,)"),
     WGT_BY_POINTERS("takes 8000000000000 bytes, but 16 are left", "is too large to be")},
    {HEADER("'<f8'", "False", "(1,1,1,1,1,1,1,1,2)"), "at most 8 dimensions are read"},
    {HEADER("'<f8'", "0", "(2,)"), "True or False wanted"},
    {HEADER("'<f8'", "False", "(2,), 'shape': (2,)"), "an entry stands here twice"},
    {HEADER("'<f8'", "False", "(2,), 'more': 1"), "descr, fortran_order or shape wanted"},
    {HEADER("'<f8", "False", "(2,)"), "found '<f8, 'fortran_order"},
    {HEADER("f8", "False", "(2,)"), "a string wanted"},
    {"{'descr': '<f8', 'shape': (2,)}", "descr, fortran_order and shape wanted"},
    {"{'descr' '<f8'}", "':' wanted"},
    {"{'descr': '<f8' 'shape': (2,)}", "',' or '}' wanted"},
    {"['descr']", "'{' wanted"},
    {"", "'{' wanted"},
    {HEADER("'<f8'", "False", "(2,)") "x", "the end of the header wanted"},
};

START_TEST(test_bad_header)
{
    const size_t size = make(1, bad_headers[_i].header, "0123456789abcdef", 16);
    wgt_check_bad(read_npy, path, bytes, size, WG_E_FORMAT, bad_headers[_i].message);
}
END_TEST

static void check_start(const char *start, size_t size, const char *message)
{
    memset(bytes, ' ', 200);
    memcpy(bytes, start, size);
    wgt_check_bad(read_npy, path, bytes, 200, WG_E_FORMAT, message);
}

START_TEST(test_bad_start)
{
    check_start("\x93NUMPX\1", 8, "byte 0: is no .npy file");
    check_start("\x93NUMPY\4", 8, "byte 6: version 4.0 of the format");
    check_start("\x93NUMPY\0", 8, "byte 6: version 0.0");
    check_start("\x93NUMPY\1\1", 8, "version 1.1");
    check_start("PK\3\4", 4, "is an .npz archive, which wg_npz_read reads");
    check_start("\x1F\x8B", 2, "is a gzip file");
    check_start("\x93NUMPY\1\0\xFF\xFF", 10, "byte 8: a header of 65535 bytes, but 190 are left");
    check_start("\x93NUMPY\2\0\xFF\xFF\xFF\xFF", 12, "a header of 4294967295 bytes");
    check_start("\x93NUMPY\1\0\6\0{'a\0'}", 16, "byte 13: a text wanted, not a NUL byte");
    const size_t size = make(1, HEADER("'|b1'", "False", "(2,)"), "\1\2", 2);
    wgt_check_bad(read_npy, path, bytes, size, WG_E_FORMAT, "element 1 (0x2) is no exact i64");
    const size_t unsigned_size = make(1, HEADER("'<u8'", "False", "(1,)"), "\0\0\0\0\0\0\0\x80", 8);
    wgt_check_bad(read_npy, path, bytes, unsigned_size, WG_E_FORMAT,
                  "element 0 (0x8000000000000000) is no exact i64");
}
END_TEST

START_TEST(test_everything_wrong)
{
    const size_t size = make(1, numpy_header, numpy_data, sizeof numpy_data);
    wgt_check_truncated(read_npy, path, bytes, size);
    wgt_check_memory(read_npy, path, bytes, size);
    unsigned char whole[400];
    memcpy(whole, bytes, size);
    wgt_check_bytes(read_npy, path, whole, 128 + 2);
    whole[size] = 0;
    wgt_check_bad(read_npy, path, whole, size + 1, WG_E_FORMAT, "takes 48 bytes, but 49 are left");
    wgt_check_unreadable(read_npy);
}
END_TEST

/* ---- Streams. -------------------------------------------------------------------------------- */

/* Rows first to end - 1 as the stream gives them, against those of wg_npy_read, cast. */
static void expect_streamed(wg_npy_stream *s, int64_t first, int64_t end)
{
    const wg_tensor *x = wg_npy_stream_rows(s, first, end), *whole = wg_npy_read(tape, path);
    expect_ok(tape);
    ck_assert_ptr_null(x->data);
    const wg_stream *stream = x->plan;
    const int64_t width = x->size / x->shape.dim[0];
    double values[64];
    ck_assert_ptr_null(stream->read(stream->user, stream->first, x->shape.dim[0], values));
    for (int64_t i = 0; i < x->size; i++)
        wgt_assert_same_bits(x->dtype == WG_F32 ? (double)((const float *)values)[i] : values[i],
                             wg_at(whole, first * width + i));
}

START_TEST(test_streams)
{
    static const char *const types[] = {"<f8", "<f4", ">f8", ">f4", "|u1", "<i4"};
    static const int64_t sizes[] = {8, 4, 8, 4, 1, 4};
    const unsigned char data[96] = {1, 2, 3, 4, 0x40, 0x41, 0x3F, 0x3E};
    char header[128];
    for (int i = 0; i < 6; i++) {
        snprintf(header, sizeof header,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (4, 3), }", types[i]);
        wgt_file_put(path, bytes, make(1, header, data, (size_t)(12 * sizes[i])));
        wg_npy_stream *s = wg_npy_stream_open(tape, path, i > 3 ? WG_F64 : WG_DTYPE_DEFAULT);
        expect_streamed(s, 0, WG_END);
        expect_streamed(s, 1, 3);
        wg_npy_stream_close(s);
        wg_npy_stream_close(s);
        const wg_stream *closed = wg_npy_stream_rows(s, 0, 1)->plan;
        ck_assert_str_eq(closed->read(closed->user, 0, 1, header), "the file is closed");
    }
}
END_TEST

START_TEST(test_streams_refused)
{
    static const struct {
        const char *descr, *fortran, *shape;
        wg_dtype dtype;
        wg_status status;
        const char *part;
    } bad[] = {
        {"<f8", "True", "(4, 3)", WG_DTYPE_DEFAULT, WG_E_VALUE, "Fortran order"},
        {"<f8", "False", "()", WG_DTYPE_DEFAULT, WG_E_VALUE, "no rows"},
        {"<f8", "False", "(0, 3)", WG_DTYPE_DEFAULT, WG_E_VALUE, "no rows"},
        {"<f8", "False", "(4, 4)", WG_DTYPE_DEFAULT, WG_E_FORMAT, "96 bytes are left, 128 wanted"},
        {"<f8", "False", "(4, 3)", WG_F32, WG_E_DTYPE, "floats are read as they are, f64"},
        {"<f8", "False", "(4, 3)", WG_I64, WG_E_DTYPE, "f32 or f64"},
        {"<U8", "False", "(4, 3)", WG_DTYPE_DEFAULT, WG_E_FORMAT, "strings are not read"},
    };
    const unsigned char data[96] = {0};
    char header[128];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                 bad[i].descr, bad[i].fortran, bad[i].shape);
        wgt_file_put(path, bytes, make(1, header, data, sizeof data));
        const wg_mark mark = wg_tape_mark(tape);
        wg_npy_stream *s = wg_npy_stream_open(tape, path, bad[i].dtype);
        wgt_assert_status(tape, bad[i].status, bad[i].part);
        ck_assert(wg_is_inert(wg_npy_stream_rows(s, 0, WG_END)));
        wg_npy_stream_close(s);
        wg_tape_rewind(tape, mark);
    }
    wg_npy_stream_open(tape, NULL, WG_F64);
    wgt_assert_status(tape, WG_E_NULL, "no name");
}
END_TEST

/* A file that is cut while it is open, and rows that it does not have. */
START_TEST(test_streams_fail)
{
    const double data[12] = {0};
    double values[12];
    wgt_file_put(
        path, bytes,
        make(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 3)}", data, sizeof data));
    wg_npy_stream *s = wg_npy_stream_open(tape, path, WG_F64);
    const wg_stream *stream = wg_npy_stream_rows(s, 0, WG_END)->plan;
    ck_assert_str_eq(stream->read(s, 3, 2, values), "the file has no such rows");
    ck_assert_str_eq(stream->read(s, -1, 1, values), "the file has no such rows");
    ck_assert_str_eq(stream->read(s, INT64_MAX, 2, values), "the file has no such rows");
    ck_assert_int_eq(truncate(path, 140), 0);
    ck_assert_str_eq(stream->read(s, 0, 4, values), "the file became shorter");
    wg_npy_stream_close(s);
    ck_assert(wg_is_inert(wg_npy_stream_rows(s, 2, 5)));
    wgt_assert_status(tape, WG_E_INDEX, "rows 2 to 5 of 4");
}
END_TEST

/* The bytes that numpy.save writes, up to the blanks that it leaves for a first axis that may
 * grow. */
START_TEST(test_written_bytes)
{
    const float values[] = {1, 2, 3};
    static const char want[] =
        "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
        "                                                            \n"
        "\0\0\x80\x3F\0\0\0\x40\0\0\x40\x40";
    size_t size;
    ck_assert_int_eq(wg_npy_write(wg_constant(tape, WG_F32, WG_SHAPE(3), values), path), WG_OK);
    char *got = wgt_file_get(path, &size);
    ck_assert_uint_eq(size, 128 + 12);
    ck_assert_uint_eq(sizeof want - 1, 128 + 12);
    wgt_assert_same_bytes(got, want, sizeof want - 1);
    free(got);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}
END_TEST

START_TEST(test_round_trip)
{
    static double large[3000];
    const int64_t integers[] = {INT64_MIN, INT64_MAX, 0};
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 3000; i++) { /* any bits, NaNs of all kinds among them */
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&large[i], &bits, sizeof bits);
    }
    wg_tensor *const tensors[] = {
        wg_constant(tape, WG_F64, WG_SHAPE(30, 4, 25), large),
        wg_constant(tape, WG_F32, WG_SHAPE(6000), large),
        wg_constant(tape, WG_I64, WG_SHAPE(3), integers),
        wg_scalar(tape, WG_F64, -0.0),
        wg_full(tape, WG_F32, WG_SHAPE(3, 0, 2), 0),
        wg_full(tape, WG_I64, WG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), 7),
    };
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        ck_assert_int_eq(wg_npy_write(tensors[i], path), WG_OK);
        const wg_tensor *x = wg_npy_read(tape, path);
        ck_assert_msg(wg_tape_status(tape) == WG_OK, "%s", wg_tape_message(tape));
        ck_assert_int_eq(x->dtype, tensors[i]->dtype);
        ck_assert(wg_shape_same(&x->shape, &tensors[i]->shape));
        wgt_assert_same_bytes(x->data, tensors[i]->data, (size_t)x->size * wg_dtype_size(x->dtype));
    }
}
END_TEST

static void check_not_written(const wg_tensor *x, wg_status code, const char *part)
{
    size_t size;
    wg_npy_write(x, path);
    wgt_assert_status(tape, code, part);
    char *kept = wgt_file_get(path, &size);
    ck_assert_str_eq(kept, "old");
    free(kept);
    ck_assert_int_eq(wgt_file_beside(path), 1);
}

START_TEST(test_not_written)
{
    const wg_mark mark = wg_tape_mark(tape);
    wgt_file_put(path, "old", 3);
    wg_tensor *w = wgt_scalar_param(tape, "w", 2), *y = wgt_cube(w);
    wg_write(w, &(double){3}, sizeof(double));
    check_not_written(y, WG_E_STALE, "replay first");
    wg_tape_rewind(tape, mark);
    check_not_written(wg_abstract(tape, WG_F64, WG_SHAPE(2)), WG_E_VALUE, "has no value to write");
    check_not_written(wg_scalar(tape, WG_F64, 1), WG_E_VALUE, "has no value to write");
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_npy_write(NULL, path), WG_E_NULL);
    ck_assert_int_eq(wg_npy_write(wg_scalar(tape, WG_F64, 1), NULL), WG_E_NULL);
    wg_tape_rewind(tape, mark);
    ck_assert_int_eq(wg_npy_write(wg_scalar(tape, WG_F64, 1), "/nowhere/x.npy"), WG_E_IO);
    wgt_assert_status(tape, WG_E_IO, "/nowhere/x.npy: No such file");
}
END_TEST

/* No file holds wide floats. */
START_TEST(test_wide)
{
    wg_tensor *x = wgt_scalar_param(tape, "x", 1);
    wg_tape *wide = wg_tape_copy(tape, WG_WIDE);
    if (wg_tape_status(wide) == WG_OK) {
        ck_assert_int_eq(wg_npy_write(wg_tape_counterpart(wide, x), path), WG_E_DTYPE);
        wgt_assert_status(wide, WG_E_DTYPE, "no file holds wide floats");
    }
    wg_tape_free(wide);
}
END_TEST

/* Where the standard input is closed, files take its descriptor, and give it back. */
START_TEST(test_closed_input)
{
    const int kept = dup(STDIN_FILENO);
    ck_assert_int_eq(wg_npy_write(wg_scalar(tape, WG_F64, 1), path), WG_OK);
    close(STDIN_FILENO);
    for (int i = 0; i < 2; i++)
        ck_assert(!wg_is_inert(wg_npy_read(tape, path)));
    const int next = dup(kept);
    ck_assert_int_eq(next, STDIN_FILENO);
    close(kept);
}
END_TEST

Suite *suite_npy(void)
{
    Suite *suite = suite_create("npy");
    TCase *cases = tcase_create("npy");
    tcase_add_checked_fixture(cases, wgt_file_setup, wgt_file_teardown);
    tcase_add_test(cases, test_numpys_file);
    tcase_add_test(cases, test_types);
    tcase_add_test(cases, test_shapes);
    tcase_add_loop_test(cases, test_bad_header, 0, (int)(sizeof bad_headers / sizeof *bad_headers));
    tcase_add_test(cases, test_bad_start);
    tcase_add_test(cases, test_everything_wrong);
    tcase_add_test(cases, test_streams);
    tcase_add_test(cases, test_streams_refused);
    tcase_add_test(cases, test_streams_fail);
    tcase_add_test(cases, test_written_bytes);
    tcase_add_test(cases, test_round_trip);
    tcase_add_test(cases, test_fortran);
    tcase_add_test(cases, test_not_written);
    tcase_add_test(cases, test_wide);
    tcase_add_test(cases, test_closed_input);
    suite_add_tcase(suite, cases);
    return suite;
}
