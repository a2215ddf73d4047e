/* The bytes of an input as a stream of small numbers; zeros when they are used up. */
#ifndef WGT_FUZZ_BYTES_H
#define WGT_FUZZ_BYTES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_stream {
    const uint8_t *at, *end;
} fuzz_stream;

static inline int fuzz_left(const fuzz_stream *s)
{
    return s->at < s->end;
}

static inline int fuzz_byte(fuzz_stream *s)
{
    return s->at < s->end ? *s->at++ : 0;
}

static inline int fuzz_below(fuzz_stream *s, int n)
{
    return n > 0 ? fuzz_byte(s) % n : 0;
}

/* Small multiples of an eighth most of the time, now and then zeros, infinities, NaN, extremes. */
static inline double fuzz_value(fuzz_stream *s)
{
    static const double special[] = {0.0,   -0.0,   HUGE_VAL, -HUGE_VAL, (double)NAN, 5e-324,
                                     1e308, -1e308, 1e-38,    0x1p63,    -0x1p63,     1e10};
    const int b = fuzz_byte(s);
    return b < 12 ? special[b] : (b - 134) / 16.0;
}

static inline void fuzz_raw(fuzz_stream *s, void *to, size_t size)
{
    unsigned char *p = to;
    for (size_t i = 0; i < size; i++)
        p[i] = (unsigned char)fuzz_byte(s);
}

#endif
