/* reduce.c: sums, extremes and norms of rows; sums of doubles in lanes of vectors. */
#include "ops/kernels/reduce.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "autograd/cpu_internal.h"
#include "ops/kernels/vector_math.h"

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
        for (int64_t r = 0; r < n; r++)
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
    WGK_RUN_ALL(reduce_amax, type, rows, type, x, sign, begin, end, y);
}

void wgk_reduce_ties(const wgk_rows *rows, wgk_type type, const void *x, const void *extremes,
                     int64_t begin, int64_t end, void *y)
{
    WGK_RUN(reduce_ties, type, rows, type, x, extremes, begin, end, y);
}

void wgk_reduce_norm(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                     void *y)
{
    WGK_RUN(reduce_norm, type, rows, type, x, begin, end, y);
}
