#ifndef WG_AUTOGRAD_STATUS_H
#define WG_AUTOGRAD_STATUS_H

#ifndef __GNUC__ /* which clang defines, too */
#error "Wengert is built with gcc or clang, on Windows with gcc from MinGW-w64"
#endif
#ifdef __FAST_MATH__
#error "Wengert needs NaN and infinity to mean what IEEE 754 says: build without -ffast-math"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Functions that take a format and arguments; on Windows the format is C's, not Microsoft's. */
#ifdef __MINGW32__
#define WG_PRINTF(format_at, arguments_at)                                                         \
    __attribute__((format(gnu_printf, format_at, arguments_at)))
#else
#define WG_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#endif

/* One list yields the enum, the names and the texts: code, what it says. */
#define WG_STATUS_LIST(X)                                                                          \
    X(WG_OK, "no error")                                                                           \
    X(WG_E_NOMEM, "out of memory")                                                                 \
    X(WG_E_NULL, "an operand or argument is NULL")                                                 \
    X(WG_E_TAPE, "operands of two tapes, or a mark that the tape no longer has")                   \
    X(WG_E_SHAPE, "shapes do not fit")                                                             \
    X(WG_E_DTYPE, "dtypes do not fit")                                                             \
    X(WG_E_VALUE, "an argument is out of its range")                                               \
    X(WG_E_INDEX, "an index or label is out of range")                                             \
    X(WG_E_STALE, "a value is older than the leaves it was computed from")                         \
    X(WG_E_NO_RULE, "an op has no derivative rule")                                                \
    X(WG_E_NOT_FINITE, "a value is NaN or infinite")                                               \
    X(WG_E_DIFFERS, "a gradient differs from its reference")                                       \
    X(WG_E_IO, "a file cannot be read or written")                                                 \
    X(WG_E_FORMAT, "a file is not what its format asks for")                                       \
    X(WG_E_RANKS, "the ranks do not work together")

#define WG_STATUS_ENUM(code, text) code,
typedef enum wg_status { WG_STATUS_LIST(WG_STATUS_ENUM) } wg_status;
#undef WG_STATUS_ENUM

/* wg_status_name: the enumerator as a string, "WG_E_SHAPE"; "?" for a number that is none. */
const char *wg_status_name(wg_status status);

/* wg_status_text: what the code says in a few words; "unknown status" for a number that is none. */
const char *wg_status_text(wg_status status);

#ifdef __cplusplus
}
#endif
#endif
