#include "tests/support/assert.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool wgt_close(double got, double want, double rel, double abs)
{
    if (!(rel >= 0) || !(abs >= 0))
        return false;
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(got) || isinf(want))
        return got == want;
    return fabs(got - want) <= fmax(abs, rel * fabs(want));
}

/* The distance in units of the tolerance; infinite where only exactness would have passed. */
static double excess(double got, double want, double rel, double abs)
{
    const double ratio = fabs(got - want) / fmax(abs, rel * fabs(want));
    return isnan(ratio) ? (double)INFINITY : ratio;
}

size_t wgt_worst(const double *got, const double *want, size_t n, double rel, double abs)
{
    size_t worst = n;
    double most = 0;
    for (size_t i = 0; i < n; i++) {
        if (wgt_close(got[i], want[i], rel, abs))
            continue;
        const double e = excess(got[i], want[i], rel, abs);
        if (worst == n || e > most) {
            worst = i;
            most = e;
        }
    }
    return worst;
}

/* Maps doubles to integers in the order of the reals, -0 and 0 to the same one. */
static int64_t ordered(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT64_MIN - bits : bits;
}

static int32_t ordered_f32(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits < 0 ? INT32_MIN - bits : bits;
}

uint64_t wgt_ulps(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : UINT64_MAX;
    const int64_t i = ordered(a), j = ordered(b);
    return i > j ? (uint64_t)i - (uint64_t)j : (uint64_t)j - (uint64_t)i;
}

uint64_t wgt_ulps_f32(float a, float b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b) ? 0 : UINT64_MAX;
    const int64_t i = ordered_f32(a), j = ordered_f32(b);
    return (uint64_t)(i > j ? i - j : j - i);
}

bool wgt_same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

size_t wgt_first_difference(const void *a, const void *b, size_t size)
{
    const unsigned char *p = a, *q = b;
    for (size_t i = 0; i < size; i++) {
        if (p[i] != q[i])
            return i;
    }
    return size;
}

bool wgt_contains(const char *message, const char *part)
{
    return message != NULL && strstr(message, part) != NULL;
}

wgt_number wgt_integer(intmax_t x)
{
    return (wgt_number){.kind = WGT_INTEGER, .integer = x, .real = (long double)x};
}

wgt_number wgt_natural(uintmax_t x)
{
    return x <= INTMAX_MAX
               ? wgt_integer((intmax_t)x)
               : (wgt_number){.kind = WGT_NATURAL, .natural = x, .real = (long double)x};
}

wgt_number wgt_real(long double x)
{
    return (wgt_number){.kind = WGT_REAL, .real = x};
}

wgt_number wgt_real_f32(float x)
{
    return wgt_real((long double)x);
}

wgt_number wgt_real_f64(double x)
{
    return wgt_real((long double)x);
}

/* -1, 0, 1 for a < b, a = b, a > b; 2 where one is NaN.  Naturals are those above every integer. */
static int order(wgt_number a, wgt_number b)
{
    if (a.kind == WGT_INTEGER && b.kind == WGT_INTEGER)
        return (a.integer > b.integer) - (a.integer < b.integer);
    if (a.kind == WGT_NATURAL && b.kind == WGT_NATURAL)
        return (a.natural > b.natural) - (a.natural < b.natural);
    if (isnan(a.real) || isnan(b.real))
        return 2;
    return (a.real > b.real) - (a.real < b.real);
}

bool wgt_holds(wgt_number a, const char *op, wgt_number b)
{
    const int o = order(a, b);
    switch (op[0]) {
    case '=': return o == 0;
    case '!': return o != 0;
    case '<': return o == -1 || (o == 0 && op[1] == '=');
    default: return o == 1 || (o == 0 && op[1] == '=');
    }
}

const char *wgt_digits(char *text, size_t size, wgt_number x)
{
    if (x.kind == WGT_INTEGER)
        snprintf(text, size, "%jd", x.integer);
    else if (x.kind == WGT_NATURAL)
        snprintf(text, size, "%ju", x.natural);
    else if (x.real == (long double)(double)x.real)
        snprintf(text, size, "%.17Lg", x.real);
    else
        snprintf(text, size, "%.36Lg", x.real);
    return text;
}

const char *wgt_describe(char *text, size_t size, double got, double want)
{
    snprintf(text, size, "got %.17g, want %.17g, difference %.3g, %llu ulps", got, want, got - want,
             (unsigned long long)wgt_ulps(got, want));
    return text;
}
