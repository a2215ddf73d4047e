/* reduce.c: sums, extremes and norms of rows; sums of doubles in lanes of vectors. */
#include "ops/kernels/reduce.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "autograd/cpu_internal.h"
#include "ops/kernels/vector_math.h"

#ifdef WG_ISA_X86
#include <immintrin.h>
#endif

/* ---- Sums ------------------------------------------------------------------------------------ */

/* In lanes s + c is the sum so far: s rounded, c what the roundings lost. */
enum { SUM_LANES = WGK_SUM_LANES, SUM_TILE = 64 };
typedef wgk_sum_lanes sum_lanes;

/* Compiled for size, the set that every machine has does without vectors. */
#ifdef __OPTIMIZE_SIZE__
#define SUM_WIDTH 0
#else
#define SUM_WIDTH 2
#endif

#define SUM_T     float
#define SUM(name) sum_baseline_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_baseline_##name##_f64
#include "ops/kernels/sum_body.inc"
#undef SUM_WIDTH

#ifdef WG_ISA_X86

#include "ops/kernels/isa_avx2.inc"

#define SUM_WIDTH 4

#define SUM_T     float
#define SUM(name) sum_avx2_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_avx2_##name##_f64
#include "ops/kernels/sum_body.inc"

#undef SUM_WIDTH
#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define SUM_WIDTH 8

#define SUM_T     float
#define SUM(name) sum_avx512_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_avx512_##name##_f64
#include "ops/kernels/sum_body.inc"

#undef SUM_WIDTH
#include "ops/kernels/isa_end.inc"

#define SUM_RUN(call, ...)                                                                         \
    switch (wg_cpu_isa()) {                                                                        \
    case WG_ISA_AVX512: sum_avx512_##call(__VA_ARGS__); break;                                     \
    case WG_ISA_AVX2: sum_avx2_##call(__VA_ARGS__); break;                                         \
    default: sum_baseline_##call(__VA_ARGS__); break;                                              \
    }
#else
#define SUM_RUN(call, ...) sum_baseline_##call(__VA_ARGS__);
#endif

static void sum_part(sum_lanes *lanes, int64_t n, const double *x)
{
    SUM_RUN(part_f64, lanes, n, x)
}

/* Elements from `at` on, n of them, side by side. */
static void sum_part_of(sum_lanes *lanes, int64_t n, bool f32, const void *x, int64_t at)
{
    if (f32)
        SUM_RUN(part_f32, lanes, n, (const float *)x + at)
    else
        SUM_RUN(part_f64, lanes, n, (const double *)x + at)
}

void wgk_sum_add(wgk_sum_lanes *lanes, wgk_type type, int64_t n, const void *x)
{
    sum_part_of(lanes, n, type == WGK_F32, x, 0);
}

static void sum_lines(int64_t count, int64_t stride, int64_t n, bool f32, const void *x, int64_t at,
                      double *s, double *c)
{
    if (f32)
        SUM_RUN(lines_f32, count, stride, n, (const float *)x + at, s, c)
    else
        SUM_RUN(lines_f64, count, stride, n, (const double *)x + at, s, c)
}

static double sum_lanes_end(const sum_lanes *lanes)
{
    double s = 0, c = 0;
    for (int lane = 0; lane < SUM_LANES; lane++) {
        wgk_two_sum_f64(lanes->s[lane], &s, &c);
        c += lanes->c[lane];
    }
    return wgk_total_f64(s, c);
}

void wgk_sum_end(const wgk_sum_lanes *lanes, wgk_type type, double divisor, void *y)
{
    wgk_put_f64(type, y, 0, sum_lanes_end(lanes) / divisor);
}

double wgk_sum_f64(int64_t n, const double *x)
{
    sum_lanes lanes = {{0}, {0}};
    sum_part(&lanes, n, x);
    return sum_lanes_end(&lanes);
}

static double sum_row(const wgk_rows *rows, bool f32, const void *x, int64_t row)
{
    double part[WGK_ROWS_PART];
    sum_lanes lanes = {{0}, {0}};
    if (rows->contiguous)
        sum_part_of(&lanes, rows->row_size, f32, x, wgk_rows_start(rows, row));
    else
        for (int64_t from = 0, n; (n = wgk_rows_part(rows, from)) > 0; from += n) {
            wgk_rows_load(rows, row, from, n, f32 ? WGK_F32 : WGK_F64, x, part);
            sum_part(&lanes, n, part);
        }
    return sum_lanes_end(&lanes);
}

/* Sums n <= SUM_TILE neighbouring rows from x[start] on, so that memory is read in its order. */
static void sum_tile(const wgk_rows *rows, bool f32, const void *x, int64_t start, int64_t n,
                     double sum[SUM_TILE])
{
    const wgk_axes *along = &rows->along;
    const int inner = along->ndim - 1;
    const int64_t count = along->size[inner], stride = along->stride[inner];
    double s[SUM_TILE] = {0}, c[SUM_TILE] = {0};
    int64_t index[WGK_ROWS_AXES] = {0}, at = start;
    for (int64_t k = 0; k < rows->row_size; k += count) {
        sum_lines(count, stride, n, f32, x, at, s, c);
        for (int axis = inner - 1; axis >= 0; axis--) { /* to the next index, with carries */
            at += along->stride[axis];
            if (++index[axis] < along->size[axis])
                break;
            at -= along->size[axis] * along->stride[axis];
            index[axis] = 0;
        }
    }
    for (int64_t j = 0; j < n; j++)
        sum[j] = wgk_total_f64(s[j], c[j]);
}

/* Few columns of a matrix are summed several lines at once, as if the matrix had `fold` times the
 * columns: as many as fill vectors, if they can. */
static int64_t sum_fold_of(const wgk_rows *rows)
{
    const int64_t side = rows->kept.size[rows->kept.ndim - 1];
    const int64_t most = side > 0 ? SUM_TILE / side : 0;
    if (rows->along.ndim != 1 || rows->along.stride[0] != side || most < 2)
        return 1;
    for (int64_t fold = most; fold > 1; fold--)
        if (fold * side % SUM_LANES == 0)
            return fold;
    return most;
}

/* Rows [begin, begin + n), columns of one matrix; line k belongs to the sums k modulo fold,
 * whatever columns are asked for. */
static void sum_folded(const wgk_rows *rows, int64_t fold, bool f32, const void *x, int64_t begin,
                       int64_t n, double sum[SUM_TILE])
{
    const int64_t side = rows->along.stride[0], count = rows->row_size, whole = count / fold;
    const int64_t at = wgk_rows_start(rows, begin);
    double s[SUM_TILE] = {0}, c[SUM_TILE] = {0};
    if (n == side) {
        sum_lines(whole, fold * side, fold * side, f32, x, at, s, c);
        sum_lines(1, 0, (count - whole * fold) * side, f32, x, at + whole * fold * side, s, c);
    } else {
        for (int64_t g = 0; g < fold; g++)
            sum_lines((count - g + fold - 1) / fold, fold * side, n, f32, x, at + g * side,
                      s + g * side, c + g * side);
    }
    for (int64_t j = 0; j < n; j++) {
        double s_all = 0, c_all = 0;
        for (int64_t g = 0; g < fold; g++) {
            wgk_two_sum_f64(s[g * side + j], &s_all, &c_all);
            c_all += c[g * side + j];
        }
        sum[j] = wgk_total_f64(s_all, c_all);
    }
}

static void sum_columns(const wgk_rows *rows, bool f32, const void *x, double divisor,
                        int64_t begin, int64_t end, void *y)
{
    const int64_t side = rows->kept.size[rows->kept.ndim - 1], fold = sum_fold_of(rows);
    double sum[SUM_TILE];
    while (begin < end) {
        int64_t n = side - begin % side; /* rows up to the end of this run of neighbours */
        n = n < end - begin ? n : end - begin;
        n = n < SUM_TILE ? n : SUM_TILE;
        if (fold > 1)
            sum_folded(rows, fold, f32, x, begin, n, sum);
        else
            sum_tile(rows, f32, x, wgk_rows_start(rows, begin), n, sum);
        for (int64_t j = 0; j < n; j++)
            wgk_put_f64(f32 ? WGK_F32 : WGK_F64, y, begin + j, sum[j] / divisor);
        begin += n;
    }
}

/* ---- By type --------------------------------------------------------------------------------- */

#define REDUCE_NORM_LEAST (T)0x1p-400
#define REDUCE_NORM_MOST  (T)0x1p400

#define REAL f64
#define REDUCE_FLOATS
#include "ops/kernels/reduce_body.inc"

#define REAL i64
#define REDUCE_SUM_PLAIN
#undef REDUCE_FLOATS
#include "ops/kernels/reduce_body.inc"

#if WG_HAS_WIDE
#define REAL wide
#define REDUCE_FLOATS
#include "ops/kernels/reduce_body.inc"
#endif

/* Short rows one behind the other. */
static void sum_short(const wgk_rows *rows, bool f32, const void *x, double divisor, int64_t begin,
                      int64_t end, void *y)
{
    const int64_t size = rows->row_size;
    double sum[SUM_TILE];
    for (int64_t row = begin; row < end; row += SUM_TILE) {
        const int64_t n = end - row < SUM_TILE ? end - row : SUM_TILE;
        if (f32)
            SUM_RUN(rows_f32, n, size, (const float *)x + row * size, sum)
        else
            SUM_RUN(rows_f64, n, size, (const double *)x + row * size, sum)
        for (int64_t r = 0; r < n && divisor != 1; r++)
            sum[r] /= divisor;
        wgk_rows_put(row, n, f32 ? WGK_F32 : WGK_F64, sum, y);
    }
}

static void reduce_sum_f64(const wgk_rows *rows, wgk_type type, const void *x, double divisor,
                           int64_t begin, int64_t end, void *y)
{
    const bool columns = rows->kept.ndim > 0 && rows->kept.stride[rows->kept.ndim - 1] == 1;
    const bool f32 = type == WGK_F32;
    if (columns && rows->along.ndim > 0) {
        sum_columns(rows, f32, x, divisor, begin, end, y);
        return;
    }
    if (rows->kept.ndim > 0 && wgk_rows_short(rows)) {
        sum_short(rows, f32, x, divisor, begin, end, y);
        return;
    }
    for (int64_t row = begin; row < end; row++)
        wgk_put_f64(f32 ? WGK_F32 : WGK_F64, y, row, sum_row(rows, f32, x, row) / divisor);
}

/* ---- Extremes of four rows at a time --------------------------------------------------------- */

/* Rows one behind the other, of four numbers at least: each is a few vectors, of which the last may
 * have some numbers of the one before it. What is rare is noted, and done by the loops above: a
 * NaN; an extreme of 0, which may have either sign; ties. */
#ifdef WG_ISA_X86
#include "ops/kernels/isa_avx2.inc"

static inline __m256d fours_get(wgk_type type, const void *x, int64_t i)
{
    return type == WGK_F32 ? _mm256_cvtps_pd(_mm_loadu_ps((const float *)x + i))
                           : _mm256_loadu_pd((const double *)x + i);
}

static inline void fours_put(wgk_type type, void *y, int64_t i, __m256d v)
{
    if (type == WGK_F32)
        _mm_storeu_ps((float *)y + i, _mm256_cvtpd_ps(v));
    else
        _mm256_storeu_pd((double *)y + i, v);
}

/* Lane r: all lanes of vector r. */
#define FOURS_PAIR(both, a, b) both(_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b))
#define FOURS_HALVES(both, a, b)                                                                   \
    both(_mm256_permute2f128_pd(a, b, 0x20), _mm256_permute2f128_pd(a, b, 0x31))
#define FOURS(both, a, b, c, d) FOURS_HALVES(both, FOURS_PAIR(both, a, b), FOURS_PAIR(both, c, d))

/* The largest of each lane, with the sign bits of `flip` turned over; nan: there was one. */
static inline __m256d fours_largest(wgk_type type, int64_t size, const void *x, int64_t row,
                                    __m256d flip, __m256d *nan)
{
    const int64_t last = (row + 1) * size - 4;
    __m256d best = _mm256_xor_pd(fours_get(type, x, last), flip);
    *nan = _mm256_or_pd(*nan, _mm256_cmp_pd(best, best, _CMP_UNORD_Q));
    for (int64_t i = row * size; i < last; i += 4) {
        const __m256d v = _mm256_xor_pd(fours_get(type, x, i), flip);
        *nan = _mm256_or_pd(*nan, _mm256_cmp_pd(v, v, _CMP_UNORD_Q));
        best = _mm256_max_pd(best, v);
    }
    return best;
}

static inline void fours_amax(const wgk_type type, const wgk_rows *rows, const void *x, int sign,
                              int64_t begin, int64_t end, void *y)
{
    const __m256d zero = _mm256_setzero_pd(), flip = _mm256_set1_pd(sign > 0 ? 0.0 : -0.0);
    const int64_t size = rows->row_size;
    for (int64_t row = begin; row < end; row += 4) {
        __m256d nan = zero;
        const __m256d a = fours_largest(type, size, x, row, flip, &nan),
                      b = fours_largest(type, size, x, row + 1, flip, &nan),
                      c = fours_largest(type, size, x, row + 2, flip, &nan),
                      d = fours_largest(type, size, x, row + 3, flip, &nan);
        const __m256d most = FOURS(_mm256_max_pd, a, b, c, d);
        if (_mm256_movemask_pd(_mm256_or_pd(nan, _mm256_cmp_pd(most, zero, _CMP_EQ_OQ))) != 0)
            reduce_amax_f64(rows, type, x, sign, row, row + 4, y);
        else
            fours_put(type, y, row, _mm256_xor_pd(most, flip));
    }
}

/* y[i..i + 4) = 1 where x is the value, else 0. */
static inline __m256d fours_equal(wgk_type type, const void *x, int64_t i, __m256d value, void *y)
{
    const __m256d equal = _mm256_cmp_pd(fours_get(type, x, i), value, _CMP_EQ_OQ);
    const __m256d share = _mm256_and_pd(equal, _mm256_set1_pd(1));
    fours_put(type, y, i, share);
    return share;
}

/* The same for a row; returns how many are equal, in four parts. */
static inline __m256d fours_count(wgk_type type, int64_t size, const void *x, int64_t row,
                                  const void *extremes, __m256d fresh, void *y)
{
    const int64_t last = (row + 1) * size - 4;
    const __m256d value = _mm256_set1_pd(wgk_get_f64(type, extremes, row));
    __m256d count = _mm256_and_pd(fours_equal(type, x, last, value, y), fresh);
    for (int64_t i = row * size; i < last; i += 4)
        count = _mm256_add_pd(count, fours_equal(type, x, i, value, y));
    return count;
}

static inline void fours_ties(const wgk_type type, const wgk_rows *rows, const void *x,
                              const void *extremes, int64_t begin, int64_t end, void *y)
{
    const int64_t size = rows->row_size, again = -size & 3; /* what the last vector has again */
    const __m256d fresh = _mm256_cmp_pd(_mm256_setr_pd(0, 1, 2, 3), _mm256_set1_pd((double)again),
                                        _CMP_GE_OQ);
    for (int64_t row = begin; row < end; row += 4) {
        const __m256d a = fours_count(type, size, x, row, extremes, fresh, y),
                      b = fours_count(type, size, x, row + 1, extremes, fresh, y),
                      c = fours_count(type, size, x, row + 2, extremes, fresh, y),
                      d = fours_count(type, size, x, row + 3, extremes, fresh, y);
        const __m256d count = FOURS(_mm256_add_pd, a, b, c, d);
        if (_mm256_movemask_pd(_mm256_cmp_pd(count, _mm256_set1_pd(1), _CMP_NEQ_UQ)) != 0)
            reduce_ties_f64(rows, type, x, extremes, row, row + 4, y);
    }
}

#undef FOURS
#undef FOURS_HALVES
#undef FOURS_PAIR

#define FOURS_OF(f, parameters, ...)                                                               \
    static void reduce_##f parameters                                                              \
    {                                                                                              \
        if (type == WGK_F32)                                                                       \
            f(WGK_F32, __VA_ARGS__);                                                               \
        else                                                                                       \
            f(WGK_F64, __VA_ARGS__);                                                               \
    }

FOURS_OF(fours_amax,
         (wgk_type type, const wgk_rows *rows, const void *x, int sign, int64_t begin, int64_t end,
          void *y),
         rows, x, sign, begin, end, y)
FOURS_OF(fours_ties,
         (wgk_type type, const wgk_rows *rows, const void *x, const void *extremes, int64_t begin,
          int64_t end, void *y),
         rows, x, extremes, begin, end, y)
#undef FOURS_OF

#include "ops/kernels/isa_end.inc"

/* The rows from `begin` on that are done so: where the others begin. */
#define REDUCE_FOURS(f, type, rows, begin, end, ...)                                               \
    if (((type) == WGK_F32 || (type) == WGK_F64) && (rows)->contiguous &&                          \
        (rows)->along.ndim == 1 && (rows)->row_size >= 4 && wg_cpu_isa() >= WG_ISA_AVX2) {         \
        const int64_t fours_ = (begin) + ((end) - (begin)) / 4 * 4;                                \
        reduce_##f(type, rows, __VA_ARGS__, begin, fours_, y);                                     \
        begin = fours_;                                                                            \
    }
#else
#define REDUCE_FOURS(...)
#endif

void wgk_reduce_sum(const wgk_rows *rows, wgk_type type, const void *x, double divisor,
                    int64_t begin, int64_t end, void *y)
{
    WGK_RUN_ALL(reduce_sum, type, rows, type, x, divisor, begin, end, y);
}

void wgk_reduce_argmax(const wgk_rows *rows, wgk_type type, const void *x, int sign, int64_t begin,
                       int64_t end, int64_t *y)
{
    WGK_RUN_ALL(reduce_argmax, type, rows, type, x, sign, begin, end, y);
}

void wgk_reduce_amax(const wgk_rows *rows, wgk_type type, const void *x, int sign, int64_t begin,
                     int64_t end, void *y)
{
    REDUCE_FOURS(fours_amax, type, rows, begin, end, x, sign)
    WGK_RUN_ALL(reduce_amax, type, rows, type, x, sign, begin, end, y);
}

void wgk_reduce_ties(const wgk_rows *rows, wgk_type type, const void *x, const void *extremes,
                     int64_t begin, int64_t end, void *y)
{
    REDUCE_FOURS(fours_ties, type, rows, begin, end, x, extremes)
    WGK_RUN(reduce_ties, type, rows, type, x, extremes, begin, end, y);
}

void wgk_reduce_norm(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                     void *y)
{
    WGK_RUN(reduce_norm, type, rows, type, x, begin, end, y);
}
