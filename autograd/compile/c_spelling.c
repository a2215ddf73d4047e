/* How names and numbers are spelled in C. */
#include "autograd/compile/c_writer_internal.h"
#include "autograd/number_text_internal.h"
#include "autograd/print/formula_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Names ----------------------------------------------------------------------------------- */

/* Keywords of C and C++, names that compilers define, and what the headers declare. */
static const char names_taken[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl"
    " concept const constexpr continue default delete do double else enum explicit export extern"
    " false float for friend goto if inline int long mutable namespace new noexcept not not_eq"
    " nullptr operator or or_eq private protected public register reinterpret_cast requires"
    " restrict return short signed sizeof static static_assert static_cast struct switch template"
    " this thread_local throw true try typedef typeid typename typeof union unsigned using virtual"
    " void volatile wchar_t while xor xor_eq char8_t char16_t char32_t co_await co_return co_yield"
    " consteval constinit const_cast decltype dynamic_cast typeof_unqual linux unix i386 arm near"
    " far int32_t int64_t uint32_t uint64_t size_t math_errhandling acos acosh asin asinh atan "
    "atan2 atanh cbrt ceil copysign"
    " cos cosh erf erfc exp exp2 expm1 fabs fdim floor fma fmax fmin fmod fpclassify frexp gamma"
    " hypot ilogb isfinite isgreater isinf isless isnan isnormal isunordered j0 j1 jn ldexp lgamma"
    " llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter nexttoward"
    " pow remainder remquo rint round scalbln scalbn signbit signgam significand sin sinh sqrt tan"
    " tanh tgamma trunc y0 y1 yn memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy"
    " strlen main index ";

/* What a written function declares itself: its arguments, loops, and what ops need on the way; and
 * what stands behind "NAME_". */
static const char names_own[] = " in out state work run init inputs outputs names i j k m n p q r "
                                "s t sum most at first rest top"
                                " scale label term used stream ";

static bool names_has(const char *words, const char *name, size_t length)
{
    char word[80];
    snprintf(word, sizeof word, " %.*s ", (int)(length < 76 ? length : 76), name);
    return strstr(words, word) != NULL;
}

/* With "exp" go "expf" and "expl". */
static bool names_is_taken(const char *name)
{
    const size_t length = strlen(name);
    return names_has(names_taken, name, length) ||
           (length > 1 && strchr("fl", name[length - 1]) != NULL &&
            names_has(names_taken, name, length - 1));
}

bool wg_c_is_own(const char *name)
{
    return names_has(names_own, name, strlen(name));
}

/* Capitals alone may be a macro: NAN, M_E, INT64_MAX; so may M_PIl. */
static bool names_is_macro(const char *name)
{
    int capitals = 0;
    if (strncmp(name, "M_", 2) == 0)
        return true;
    for (const char *s = name; *s != '\0'; s++) {
        if (*s >= 'a' && *s <= 'z')
            return false;
        capitals += *s >= 'A' && *s <= 'Z';
    }
    return capitals > 1 || strcmp(name, "I") == 0;
}

wg_text wg_c_identifier(const char *name)
{
    wg_text text = {""};
    size_t n = 0;
    for (const char *s = name; *s != '\0' && n < 48; s++) {
        bool letter = *s != '_' && wg_formula_is_word(*s);
        if (n == 0 && letter && *s >= '0' && *s <= '9')
            text.s[n++] = 'v';
        if (letter)
            text.s[n++] = *s;
        else if (n > 0 && text.s[n - 1] != '_')
            text.s[n++] = '_';
    }
    while (n > 0 && text.s[n - 1] == '_')
        n--;
    text.s[n] = '\0';
    if (n == 0)
        strcpy(text.s, "value");
    if (names_is_macro(text.s))
        for (char *s = text.s; *s != '\0'; s++)
            *s = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
    if (names_is_taken(text.s))
        strcat(text.s, "_");
    return text;
}

/* Is it a header of C's, or of what libc's own include, whatever the case, which not all systems
 * tell? Then <math.h>, say, may find it in place of the right one. */
static bool names_header_is_taken(const char *name)
{
    static const char taken[] =
        " assert.h complex.h ctype.h errno.h features.h fenv.h float.h inttypes.h iso646.h limits.h"
        " locale.h math.h setjmp.h signal.h stdalign.h stdarg.h stdatomic.h stdbool.h stdckdint.h"
        " stdbit.h stddef.h stdint.h stdio.h stdlib.h stdnoreturn.h string.h tgmath.h threads.h"
        " time.h uchar.h wchar.h wctype.h ";
    char word[24] = " ";
    size_t n = 1;
    for (; *name != '\0' && n < sizeof word - 2; name++)
        word[n++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
    word[n] = ' ';
    word[n + 1] = '\0';
    return *name == '\0' && strstr(taken, word) != NULL;
}

const char *wg_c_header_refused(const char *name)
{
    if (name[0] == '\0' || strlen(name) >= 256 || strpbrk(name, "\"\\\n\r") != NULL ||
        strstr(name, "??") != NULL)
        return "cannot be included";
    return names_header_is_taken(name) ? "is a header of the system's" : NULL;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

/* The fewest digits that are read back as the value: nine, or seventeen, always do. */
static void number_digits(char *text, size_t size, wg_dtype dtype, double value)
{
    for (int digits = 1; digits <= 17; digits++) {
        wg_format(text, size, "%.*g", digits, value);
        if (wg_scans_as(text, value, dtype == WG_F32))
            break;
    }
}

wg_text wg_c_number(wg_dtype dtype, double value)
{
    wg_text text;
    if (dtype == WG_F32)
        value = (double)(float)value;
    if (isnan(value))
        return (wg_text){"NAN"};
    if (isinf(value))
        return value > 0 ? (wg_text){"INFINITY"} : (wg_text){"(-INFINITY)"};
    char digits[64];
    number_digits(digits, sizeof digits, dtype, value);
    bool point = strpbrk(digits, ".e") != NULL;
    snprintf(text.s, sizeof text.s, signbit(value) ? "(%s%s%s)" : "%s%s%s", digits,
             point ? "" : ".0", dtype == WG_F32 ? "f" : "");
    return text;
}

wg_text wg_c_integer(int64_t value)
{
    wg_text text;
    if (value == INT64_MIN)
        return (wg_text){"INT64_MIN"};
    snprintf(text.s, sizeof text.s, value < 0 ? "(%" PRId64 ")" : "%" PRId64, value);
    return text;
}

wg_text wg_c_constant(const wg_tensor *x, int64_t i)
{
    return x->dtype == WG_I64 ? wg_c_integer(((const int64_t *)x->data)[i])
                              : wg_c_number(x->dtype, wg_element(x, i));
}
