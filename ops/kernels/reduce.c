/* reduce.c: sums, extremes, norms and logsumexp of rows. */
#include "ops/kernels/reduce.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "ops/kernels/cpu.h"
#include "ops/kernels/vector_math.h"

/* ---- Sums ------------------------------------------------------------------------------------ */

enum { SUM_LANES = 8, SUM_TILE = 64 };

/* s + c is the sum so far: s rounded, c what the roundings lost. */
typedef struct sum_lanes {
    double s[SUM_LANES], c[SUM_LANES];
} sum_lanes;

/* s + x exactly is the new *s and what is added to *c (Knuth's two-sum: no branch on
 * magnitudes). */
static inline void sum_add(double *s, double *c, double x)
{
    double t = *s + x;
    double from_x = t - *s;
    double lost = (*s - (t - from_x)) + (x - from_x);
    *s = t;
    *c += lost;
}

/* Infinities make c NaN (inf - inf) while s is what plain addition gives. */
static double sum_end(double s, double c)
{
    double sum = s + c;
    return isnan(sum) ? s : sum;
}

typedef double sum_vector __attribute__((vector_size(SUM_LANES * sizeof(double))));

#define SUM_T     float
#define SUM(name) sum_baseline_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_baseline_##name##_f64
#include "ops/kernels/sum_body.inc"

#ifdef WGK_ISA_X86

#include "ops/kernels/isa_avx2.inc"

#define SUM_T     float
#define SUM(name) sum_avx2_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_avx2_##name##_f64
#include "ops/kernels/sum_body.inc"

#include "ops/kernels/isa_end.inc"

#include "ops/kernels/isa_avx512.inc"

#define SUM_T     float
#define SUM(name) sum_avx512_##name##_f32
#include "ops/kernels/sum_body.inc"

#define SUM_T     double
#define SUM(name) sum_avx512_##name##_f64
#include "ops/kernels/sum_body.inc"

#include "ops/kernels/isa_end.inc"

#define SUM_RUN(call, ...)                                                                         \
    switch (wgk_cpu_isa()) {                                                                       \
    case WGK_ISA_AVX512: sum_avx512_##call(__VA_ARGS__); break;                                    \
    case WGK_ISA_AVX2: sum_avx2_##call(__VA_ARGS__); break;                                        \
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
        sum_add(&s, &c, lanes->s[lane]);
        c += lanes->c[lane];
    }
    return sum_end(s, c);
}

double wgk_sum(int64_t n, const double *x)
{
    sum_lanes lanes = {{0}, {0}};
    sum_part(&lanes, n, x);
    return sum_lanes_end(&lanes);
}

static void sum_put(bool f32, void *y, int64_t row, double value)
{
    if (f32)
        ((float *)y)[row] = (float)value;
    else
        ((double *)y)[row] = value;
}

static double sum_row(const wgk_rows *rows, bool f32, const void *x, int64_t row)
{
    double part[WGK_ROWS_PART];
    sum_lanes lanes = {{0}, {0}};
    if (rows->contiguous)
        sum_part_of(&lanes, rows->row_size, f32, x, wgk_rows_start(rows, row));
    else
        for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
            int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
            wgk_rows_load(rows, row, from, n, f32, x, part);
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
        sum[j] = sum_end(s[j], c[j]);
}

/* Few columns of a matrix are summed several lines at once, as if the matrix had `fold` times the
 * columns: as many as fill vectors, if they can. */
static int64_t sum_fold(const wgk_rows *rows)
{
    const int64_t side = rows->kept.size[0], most = side > 0 ? SUM_TILE / side : 0;
    if (rows->kept.ndim != 1 || rows->along.ndim != 1 || rows->along.stride[0] != side || most < 2)
        return 1;
    for (int64_t fold = most; fold > 1; fold--)
        if (fold * side % SUM_LANES == 0)
            return fold;
    return most;
}

/* Columns [begin, begin + n) of a matrix; line k belongs to the sums k modulo fold, whatever
 * columns are asked for. */
static void sum_folded(const wgk_rows *rows, int64_t fold, bool f32, const void *x, int64_t begin,
                       int64_t n, double sum[SUM_TILE])
{
    const int64_t side = rows->kept.size[0], count = rows->row_size, whole = count / fold;
    double s[SUM_TILE] = {0}, c[SUM_TILE] = {0};
    if (n == side) {
        sum_lines(whole, fold * side, fold * side, f32, x, 0, s, c);
        sum_lines(1, 0, (count - whole * fold) * side, f32, x, whole * fold * side, s, c);
    } else {
        for (int64_t g = 0; g < fold; g++)
            sum_lines((count - g + fold - 1) / fold, fold * side, n, f32, x, g * side + begin,
                      s + g * side, c + g * side);
    }
    for (int64_t j = 0; j < n; j++) {
        double s_all = 0, c_all = 0;
        for (int64_t g = 0; g < fold; g++) {
            sum_add(&s_all, &c_all, s[g * side + j]);
            c_all += c[g * side + j];
        }
        sum[j] = sum_end(s_all, c_all);
    }
}

static void sum_columns(const wgk_rows *rows, bool f32, const void *x, double divisor,
                        int64_t begin, int64_t end, void *y)
{
    const int64_t side = rows->kept.size[rows->kept.ndim - 1], fold = sum_fold(rows);
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
            sum_put(f32, y, begin + j, sum[j] / divisor);
        begin += n;
    }
}

void wgk_reduce_sum(const wgk_rows *rows, bool f32, const void *x, double divisor, int64_t begin,
                    int64_t end, void *y)
{
    bool columns = rows->kept.ndim > 0 && rows->kept.stride[rows->kept.ndim - 1] == 1;
    if (columns && rows->along.ndim > 0) {
        sum_columns(rows, f32, x, divisor, begin, end, y);
        return;
    }
    for (int64_t row = begin; row < end; row++)
        sum_put(f32, y, row, sum_row(rows, f32, x, row) / divisor);
}

void wgk_reduce_sum_i64(const wgk_rows *rows, const int64_t *x, int64_t begin, int64_t end,
                        int64_t *y)
{
    int64_t part[WGK_ROWS_PART];
    for (int64_t row = begin; row < end; row++) {
        uint64_t sum = 0; /* unsigned: wraps */
        for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
            int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
            wgk_rows_get(rows, row, from, n, sizeof *part, x, part);
            for (int64_t i = 0; i < n; i++)
                sum += (uint64_t)part[i];
        }
        y[row] = (int64_t)sum;
    }
}

/* ---- Extremes -------------------------------------------------------------------------------- */

/* An entry of a row and its index. */
typedef struct extreme {
    double value;
    int64_t index;
} extreme;

/* The first largest of sign*x, or the first NaN. */
static extreme extreme_of_row(const wgk_rows *rows, bool f32, const void *x, double sign,
                              int64_t row)
{
    double part[WGK_ROWS_PART];
    extreme best = {0, -1};
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
        for (int64_t i = 0; i < n; i++) {
            if (best.index < 0 || sign * at[i] > sign * best.value || isnan(at[i]))
                best = (extreme){at[i], from + i};
            if (isnan(best.value))
                return best;
        }
    }
    return best;
}

void wgk_reduce_argmax(const wgk_rows *rows, bool f32, const void *x, int sign, int64_t begin,
                       int64_t end, int64_t *y)
{
    for (int64_t row = begin; row < end; row++)
        y[row] = extreme_of_row(rows, f32, x, sign, row).index;
}

void wgk_reduce_amax(const wgk_rows *rows, bool f32, const void *x, int sign, int64_t begin,
                     int64_t end, void *y)
{
    for (int64_t row = begin; row < end; row++)
        sum_put(f32, y, row, extreme_of_row(rows, f32, x, sign, row).value);
}

static int64_t extreme_of_row_i64(const wgk_rows *rows, const int64_t *x, int sign, int64_t row,
                                  int64_t *value)
{
    int64_t part[WGK_ROWS_PART], index = -1;
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        wgk_rows_get(rows, row, from, n, sizeof *part, x, part);
        for (int64_t i = 0; i < n; i++)
            if (index < 0 || (sign > 0 ? part[i] > *value : part[i] < *value)) {
                *value = part[i];
                index = from + i;
            }
    }
    return index;
}

void wgk_reduce_argmax_i64(const wgk_rows *rows, const int64_t *x, int sign, int64_t begin,
                           int64_t end, int64_t *y)
{
    int64_t value = 0;
    for (int64_t row = begin; row < end; row++)
        y[row] = extreme_of_row_i64(rows, x, sign, row, &value);
}

void wgk_reduce_amax_i64(const wgk_rows *rows, const int64_t *x, int sign, int64_t begin,
                         int64_t end, int64_t *y)
{
    for (int64_t row = begin; row < end; row++)
        extreme_of_row_i64(rows, x, sign, row, &y[row]);
}

static bool ties_equal(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static int64_t ties_count(const wgk_rows *rows, bool f32, const void *x, int64_t row, double value)
{
    double part[WGK_ROWS_PART];
    int64_t count = 0;
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
        for (int64_t i = 0; i < n; i++)
            count += ties_equal(at[i], value);
    }
    return count;
}

void wgk_reduce_ties(const wgk_rows *rows, bool f32, const void *x, const void *extreme_of,
                     int64_t begin, int64_t end, void *y)
{
    double part[WGK_ROWS_PART], out[WGK_ROWS_PART];
    for (int64_t row = begin; row < end; row++) {
        double value = f32 ? (double)((const float *)extreme_of)[row]
                           : ((const double *)extreme_of)[row];
        double share = 1 / (double)ties_count(rows, f32, x, row, value);
        for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
            int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
            const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
            for (int64_t i = 0; i < n; i++)
                out[i] = ties_equal(at[i], value) ? share : 0;
            wgk_rows_store(rows, row, from, n, f32, out, y);
        }
    }
}

/* ---- Norm ------------------------------------------------------------------------------------ */

/* The largest |x| of a row; NaN where there is one. */
static double norm_largest(const wgk_rows *rows, bool f32, const void *x, int64_t row)
{
    double part[WGK_ROWS_PART], largest = 0;
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
        for (int64_t i = 0; i < n; i++)
            if (!(fabs(at[i]) <= largest))
                largest = isnan(largest) ? largest : fabs(at[i]);
    }
    return largest;
}

static double norm_of_row(const wgk_rows *rows, bool f32, const void *x, int64_t row)
{
    double largest = norm_largest(rows, f32, x, row);
    if (!(largest > 0 && largest <= DBL_MAX))
        return largest; /* 0, infinity, NaN */
    int exponent = 0;
    if (largest < 0x1p-400 || largest > 0x1p400) /* else neither squares nor their sum go out */
        exponent = -ilogb(largest);
    double part[WGK_ROWS_PART], square[WGK_ROWS_PART];
    sum_lanes lanes = {{0}, {0}};
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
        for (int64_t i = 0; i < n; i++) {
            double scaled = exponent != 0 ? scalbn(at[i], exponent) : at[i];
            square[i] = scaled * scaled;
        }
        sum_part(&lanes, n, square);
    }
    return scalbn(sqrt(sum_lanes_end(&lanes)), -exponent);
}

void wgk_reduce_norm(const wgk_rows *rows, bool f32, const void *x, int64_t begin, int64_t end,
                     void *y)
{
    for (int64_t row = begin; row < end; row++)
        sum_put(f32, y, row, norm_of_row(rows, f32, x, row));
}

/* ---- logsumexp ------------------------------------------------------------------------------- */

static double logsumexp_of_row(const wgk_rows *rows, bool f32, const void *x, int64_t row)
{
    extreme top = extreme_of_row(rows, f32, x, 1, row);
    if (top.index < 0)
        return -HUGE_VAL;
    if (!isfinite(top.value))
        return top.value;
    double part[WGK_ROWS_PART], e[WGK_ROWS_PART];
    sum_lanes lanes = {{0}, {0}};
    for (int64_t from = 0; from < rows->row_size; from += WGK_ROWS_PART) {
        int64_t left = rows->row_size - from, n = left < WGK_ROWS_PART ? left : WGK_ROWS_PART;
        const double *at = wgk_rows_view(rows, row, from, n, f32, x, part);
        for (int64_t i = 0; i < n; i++)
            e[i] = at[i] - top.value;
        wgk_tile_exp_f64(n, e);
        if (top.index >= from && top.index < from + n)
            e[top.index - from] = 0; /* its 1 is what log1p adds */
        sum_part(&lanes, n, e);
    }
    return top.value + log1p(sum_lanes_end(&lanes));
}

void wgk_reduce_logsumexp(const wgk_rows *rows, bool f32, const void *x, int64_t begin, int64_t end,
                          void *y)
{
    for (int64_t row = begin; row < end; row++)
        sum_put(f32, y, row, logsumexp_of_row(rows, f32, x, row));
}
