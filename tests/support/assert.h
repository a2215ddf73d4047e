/* Asserts on floating-point numbers and on a tape's status.
 *
 * Each assert is a comparison that can be tested by itself (the functions below) and a macro that
 * fails the running test with what was found, what was wanted and how far apart they are. */
#ifndef WGT_SUPPORT_ASSERT_H
#define WGT_SUPPORT_ASSERT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* |got - want| <= max(abs, rel * |want|), the boundary included; a tolerance of 0 is legal, a
 * negative or NaN one never passes.  Two NaNs are close, and infinities of the same sign. */
bool wgt_close(double got, double want, double rel, double abs);

/* The index of the entry furthest from its want, in units of its tolerance, or n when all are
 * close.  A NaN that was not wanted is further than anything else. */
size_t wgt_worst(const double *got, const double *want, size_t n, double rel, double abs);

/* How many doubles (floats) lie between the two; 0 for -0 and 0, the largest value where one of
 * them is NaN and the other is not. */
uint64_t wgt_ulps(double a, double b);
uint64_t wgt_ulps_f32(float a, float b);

/* The same bits: tells 0 from -0 and one NaN from another. */
bool wgt_same_bits(double a, double b);

/* The first byte that differs, or size when none does. */
size_t wgt_first_difference(const void *a, const void *b, size_t size);

/* message contains part; a NULL message contains nothing. */
bool wgt_contains(const char *message, const char *part);

/* A number of any type, kept as it is, so that a comparison prints what it compared. */
typedef struct wgt_number {
    enum { WGT_INTEGER, WGT_NATURAL, WGT_REAL } kind;
    intmax_t integer;
    uintmax_t natural;
    long double real;
} wgt_number;

wgt_number wgt_integer(intmax_t x);
wgt_number wgt_natural(uintmax_t x);
wgt_number wgt_real(long double x);
wgt_number wgt_real_f32(float x);
wgt_number wgt_real_f64(double x);
#define WGT_NUMBER(x)                                                                              \
    _Generic((x), float                                                                            \
             : wgt_real_f32, double                                                                \
             : wgt_real_f64, long double                                                           \
             : wgt_real, unsigned long                                                             \
             : wgt_natural, unsigned long long                                                     \
             : wgt_natural, default                                                                \
             : wgt_integer)(x)

/* a op b as on paper, whatever their types: -1 is less than 1u.  op: == != < <= > >=.  A NaN is
 * only != to others. */
bool wgt_holds(wgt_number a, const char *op, wgt_number b);

/* The digits of x in `text`, which is returned. */
const char *wgt_digits(char *text, size_t size, wgt_number x);

/* "got ..., want ..., difference ..., ... ulps" in `text`, which is returned. */
const char *wgt_describe(char *text, size_t size, double got, double want);

enum { WGT_TEXT = 256, WGT_DIGITS = 64 };

/* wgt_assert_that(calls, <, 3) */
#define wgt_assert_that(a, op, b)                                                                  \
    do {                                                                                           \
        const wgt_number wgt_a = WGT_NUMBER(a), wgt_b = WGT_NUMBER(b);                             \
        char wgt_left[WGT_DIGITS], wgt_right[WGT_DIGITS];                                          \
        if (!wgt_holds(wgt_a, #op, wgt_b))                                                         \
            ck_abort_msg("%s %s %s: %s %s %s", #a, #op, #b,                                        \
                         wgt_digits(wgt_left, WGT_DIGITS, wgt_a), #op,                             \
                         wgt_digits(wgt_right, WGT_DIGITS, wgt_b));                                \
    } while (0)

#define wgt_assert_contains(text, part)                                                            \
    do {                                                                                           \
        const char *const wgt_whole = (text), *const wgt_part = (part);                            \
        if (!wgt_contains(wgt_whole, wgt_part))                                                    \
            ck_abort_msg("\"%s\" lacks \"%s\"", wgt_whole ? wgt_whole : "(null)", wgt_part);       \
    } while (0)

#define wgt_assert_lacks(text, part)                                                               \
    do {                                                                                           \
        const char *const wgt_whole = (text), *const wgt_part = (part);                            \
        if (wgt_contains(wgt_whole, wgt_part))                                                     \
            ck_abort_msg("\"%s\" has \"%s\"", wgt_whole, wgt_part);                                \
    } while (0)

#define wgt_assert_close(got, want, rel, abs)                                                      \
    do {                                                                                           \
        const double wgt_got = (got), wgt_want = (want);                                           \
        char wgt_text[WGT_TEXT];                                                                   \
        if (!wgt_close(wgt_got, wgt_want, (rel), (abs)))                                           \
            ck_abort_msg("%s: %s", #got, wgt_describe(wgt_text, WGT_TEXT, wgt_got, wgt_want));     \
    } while (0)

/* got and want: arrays of n doubles. */
#define wgt_assert_all_close(got, want, n, rel, abs)                                               \
    do {                                                                                           \
        const double *const wgt_got = (got), *const wgt_want = (want);                             \
        const size_t wgt_n = (size_t)(n), wgt_at = wgt_worst(wgt_got, wgt_want, wgt_n, rel, abs);  \
        char wgt_text[WGT_TEXT];                                                                   \
        if (wgt_at < wgt_n)                                                                        \
            ck_abort_msg("%s, worst at [%zu] of %zu: %s", #got, wgt_at, wgt_n,                     \
                         wgt_describe(wgt_text, WGT_TEXT, wgt_got[wgt_at], wgt_want[wgt_at]));     \
    } while (0)

#define wgt_assert_ulps(got, want, most)                                                           \
    do {                                                                                           \
        const double wgt_got = (got), wgt_want = (want);                                           \
        char wgt_text[WGT_TEXT];                                                                   \
        if (wgt_ulps(wgt_got, wgt_want) > (uint64_t)(most))                                        \
            ck_abort_msg("%s: %s", #got, wgt_describe(wgt_text, WGT_TEXT, wgt_got, wgt_want));     \
    } while (0)

/* Two floats: the distance is counted in floats, wgt_describe's in doubles is not shown. */
#define wgt_assert_ulps_f32(got, want, most)                                                       \
    do {                                                                                           \
        const float wgt_got = (got), wgt_want = (want);                                            \
        const uint64_t wgt_far = wgt_ulps_f32(wgt_got, wgt_want);                                  \
        if (wgt_far > (uint64_t)(most))                                                            \
            ck_abort_msg("%s: got %.9g, want %.9g, %llu ulps", #got, (double)wgt_got,              \
                         (double)wgt_want, (unsigned long long)wgt_far);                           \
    } while (0)

#define wgt_assert_same_bits(got, want)                                                            \
    do {                                                                                           \
        const double wgt_got = (got), wgt_want = (want);                                           \
        char wgt_text[WGT_TEXT];                                                                   \
        if (!wgt_same_bits(wgt_got, wgt_want))                                                     \
            ck_abort_msg("%s: other bits: %s", #got,                                               \
                         wgt_describe(wgt_text, WGT_TEXT, wgt_got, wgt_want));                     \
    } while (0)

/* got and want: any two pieces of memory of `size` bytes. */
#define wgt_assert_same_bytes(got, want, size)                                                     \
    do {                                                                                           \
        const size_t wgt_size = (size_t)(size);                                                    \
        const size_t wgt_at = wgt_first_difference((got), (want), wgt_size);                       \
        if (wgt_at < wgt_size)                                                                     \
            ck_abort_msg("%s: byte %zu of %zu differs", #got, wgt_at, wgt_size);                   \
    } while (0)

/* Tensors of one size and dtype, f32 or f64, with the same bits.  Needs autograd/tensor.h. */
#define wgt_assert_same_values(got, want)                                                          \
    do {                                                                                           \
        ck_assert_int_eq(wg_size(got), wg_size(want));                                             \
        ck_assert_int_eq(wg_dtype_of(got), wg_dtype_of(want));                                     \
        if (wg_dtype_of(got) == WG_F32)                                                            \
            wgt_assert_same_bytes(wg_data_f32(got), wg_data_f32(want),                             \
                                  (size_t)wg_size(got) * sizeof(float));                           \
        else                                                                                       \
            wgt_assert_same_bytes(wg_data_f64(got), wg_data_f64(want),                             \
                                  (size_t)wg_size(got) * sizeof(double));                          \
    } while (0)

/* The tape's status is `code` and its message contains `part`.  Needs autograd/tape.h. */
#define wgt_assert_status(tape, code, part)                                                        \
    do {                                                                                           \
        const wg_tape *const wgt_tape = (tape);                                                    \
        const char *const wgt_message = wg_tape_message(wgt_tape);                                 \
        const wg_status wgt_got = wg_tape_status(wgt_tape), wgt_want = (code);                     \
        if (wgt_got != wgt_want)                                                                   \
            ck_abort_msg("status %s, want %s; the message is \"%s\"", wg_status_name(wgt_got),     \
                         wg_status_name(wgt_want), wgt_message);                                   \
        if (!wgt_contains(wgt_message, (part)))                                                    \
            ck_abort_msg("message \"%s\" lacks \"%s\"", wgt_message, (part));                      \
    } while (0)

#endif
