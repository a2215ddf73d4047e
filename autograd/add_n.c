/* The sum of the cotangents that meet at a node. */
#include "autograd/cpu_internal.h"
#include "autograd/run_internal.h"
#include "autograd/tape_internal.h"

#include <math.h>
#include <string.h>

static bool add_n_shape(wg_tensor *y)
{
    const wg_tensor *x = y->operand[0];
    if (x->dtype == WG_I64)
        return wg_op_fail(y, WG_E_DTYPE, "f32 or f64 is needed");
    for (int i = 1; i < y->n_operands; i++) {
        if (y->operand[i]->dtype != x->dtype)
            return wg_op_fail(y, WG_E_DTYPE, "dtypes differ");
        if (!wg_shape_same(&y->operand[i]->shape, &x->shape))
            return wg_op_fail(y, WG_E_SHAPE, "shapes differ");
    }
    y->dtype = x->dtype;
    y->shape = x->shape;
    return true;
}

/* Terms: at[k] is where element `begin` of term k is; where `at` is NULL, tile[k]; where that is
 * NULL, too, it is in the operand's memory. */
typedef struct add_n_terms {
    int n;
    const void *const *at;
    wg_tensor *const *operand; /* [n] */
    const void *const *tile;   /* [n]; NULL: none */
    int64_t begin;
} add_n_terms;

#define ADD_N_ROOM 64

/* Where element `begin` is of the terms from k on: of all, or of those that there is room for.
 * Returns of how many. */
static inline int add_n_find(const add_n_terms *terms, int k, size_t size, const void **room,
                             const void *const **at)
{
    int n = terms->n - k;
    *at = terms->at;
    if (terms->at != NULL)
        return n;
    *at = room;
    n = n < ADD_N_ROOM ? n : ADD_N_ROOM;
    for (int i = 0; i < n; i++) {
        const void *tile = terms->tile != NULL ? terms->tile[k + i] : NULL;
        room[i] = tile != NULL
                      ? tile
                      : (const char *)terms->operand[k + i]->data + terms->begin * (int64_t)size;
    }
    return n;
}

/* An infinite sum has a rest of NaN, which must not replace it. */
static inline double add_n_total(double sum, double rest)
{
    return sum + (isnan(rest) ? 0 : rest); /* selects between numbers that are there: no branch */
}

/* Elements from i on, ADD_N_BLOCK of them, to out: sum and what the rounding of each addition lost
 * (Knuth's two-sum) stay in registers, `lanes` in each: compilers keep wider vectors than the set
 * has in memory.  add_n_one: element i alone. */
#ifdef __OPTIMIZE_SIZE__
#define ADD_N_BLOCK 2 /* the same bits by less code */
#else
#define ADD_N_BLOCK 8
#endif

/* Terms that are asked for before their turn: many lie far apart, where no processor expects
 * them. */
#define ADD_N_AHEAD 16

#define ADD_N_OF(T, set, target, lanes)                                                            \
    target static void add_n_block_##set##_##T(const add_n_terms *terms, int64_t i, T *out)        \
    {                                                                                              \
        enum { N = ADD_N_BLOCK / (lanes) };                                                        \
        typedef T inputs __attribute__((vector_size((lanes) * sizeof(T))));                        \
        typedef double vector __attribute__((vector_size((lanes) * sizeof(double))));              \
        vector s[N] = {{0}}, rest[N] = {{0}};                                                      \
        const void *room[ADD_N_ROOM], *const *at;                                                  \
        for (int from = 0, n; from < terms->n; from += n) {                                        \
            n = add_n_find(terms, from, sizeof(T), room, &at);                                     \
            for (int k = 0; k < n; k++) {                                                          \
                if (k + ADD_N_AHEAD < n)                                                           \
                    __builtin_prefetch((const T *)at[k + ADD_N_AHEAD] + i + ADD_N_BLOCK - 1);      \
                for (int j = 0; j < N; j++) {                                                      \
                    inputs in;                                                                     \
                    memcpy(&in, (const T *)at[k] + i + j * (lanes), sizeof in);                    \
                    const vector b = __builtin_convertvector(in, vector);                          \
                    const vector t = s[j] + b, part = t - s[j];                                    \
                    rest[j] += (s[j] - (t - part)) + (b - part);                                   \
                    s[j] = t;                                                                      \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        for (int j = 0; j < ADD_N_BLOCK; j++)                                                      \
            out[j] = (T)add_n_total(s[j / (lanes)][j % (lanes)], rest[j / (lanes)][j % (lanes)]);  \
    }                                                                                              \
                                                                                                   \
    target static void add_n_one_##set##_##T(const add_n_terms *terms, int64_t i, T *out)          \
    {                                                                                              \
        double s = 0, rest = 0;                                                                    \
        const void *room[ADD_N_ROOM], *const *at;                                                  \
        for (int from = 0, n; from < terms->n; from += n) {                                        \
            n = add_n_find(terms, from, sizeof(T), room, &at);                                     \
            for (int k = 0; k < n; k++) {                                                          \
                const double b = (double)((const T *)at[k])[i], t = s + b, part = t - s;           \
                rest += (s - (t - part)) + (b - part);                                             \
                s = t;                                                                             \
            }                                                                                      \
        }                                                                                          \
        *out = (T)add_n_total(s, rest);                                                            \
    }                                                                                              \
                                                                                                   \
    /* The last block may take elements of the one before once more. */                            \
    target static void add_n_many_##set##_##T(const add_n_terms *terms, int64_t end, void *to)     \
    {                                                                                              \
        T *out = to;                                                                               \
        const int64_t n = end - terms->begin;                                                      \
        for (int64_t i = 0; n < ADD_N_BLOCK && i < n; i++)                                         \
            add_n_one_##set##_##T(terms, i, out + i);                                              \
        for (int64_t i = 0; n >= ADD_N_BLOCK && i < n; i += ADD_N_BLOCK) {                         \
            const int64_t at = i <= n - ADD_N_BLOCK ? i : n - ADD_N_BLOCK;                         \
            add_n_block_##set##_##T(terms, at, out + at);                                          \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    target static wg_map add_n_two_##set##_##T, add_n_three_##set##_##T;                           \
    WG_RUN(add_n_two_run_##set##_##T, add_n_two_##set##_##T)                                       \
    WG_RUN(add_n_three_run_##set##_##T, add_n_three_##set##_##T)                                   \
                                                                                                   \
    /* Two terms, the common case: one rounding, nothing to compensate. */                         \
    target static void add_n_two_##set##_##T(int64_t n, void *out, const void *const x[],          \
                                             const int64_t stride[], const void *attrs)            \
    {                                                                                              \
        if (n < 0) {                                                                               \
            add_n_two_run_##set##_##T(n, x, stride, attrs);                                        \
            return;                                                                                \
        }                                                                                          \
        const T *a = x[0], *b = x[1];                                                              \
        T *restrict y = out;                                                                       \
        (void)stride, (void)attrs;                                                                 \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = a[i] + b[i];                                                                    \
    }                                                                                              \
                                                                                                   \
    target static void add_n_three_##set##_##T(int64_t n, void *out, const void *const x[],        \
                                               const int64_t stride[], const void *attrs)          \
    {                                                                                              \
        if (n < 0) {                                                                               \
            add_n_three_run_##set##_##T(n, x, stride, attrs);                                      \
            return;                                                                                \
        }                                                                                          \
        const T *a = x[0], *b = x[1], *c = x[2];                                                   \
        T *restrict y = out;                                                                       \
        (void)stride, (void)attrs;                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const double p = 0.0 + (double)a[i], q = (double)b[i], r = (double)c[i];               \
            const double s = p + q, from_q = s - p, t = s + r, from_r = t - s;                     \
            const double rest = (p - (s - from_q)) + (q - from_q);                                 \
            const double both = rest + ((s - (t - from_r)) + (r - from_r));                        \
            y[i] = (T)(t + (both == both ? both : 0));                                             \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    target static void add_n_call_##set##_##T(int64_t n, void *out, const void *const x[],         \
                                              const int64_t stride[], const void *attrs)           \
    {                                                                                              \
        const wg_add_n_call *call = attrs;                                                         \
        const add_n_terms terms = {call->n, call->term, NULL, NULL, 0};                            \
        (void)stride, (void)x;                                                                     \
        add_n_many_##set##_##T(&terms, n, out);                                                    \
    }

ADD_N_OF(float, baseline, , 2)
ADD_N_OF(double, baseline, , 2)
#ifdef WG_ISA_X86
#define ADD_N_TARGET __attribute__((target("avx2")))
ADD_N_OF(float, avx2, ADD_N_TARGET, ADD_N_BLOCK > 4 ? 4 : 2)
ADD_N_OF(double, avx2, ADD_N_TARGET, ADD_N_BLOCK > 4 ? 4 : 2)
#undef ADD_N_TARGET
#endif

#undef ADD_N_OF
#undef ADD_N_BLOCK
#undef ADD_N_AHEAD

/* Of two terms, of three, and of as many as there are. */
typedef struct add_n_kernels {
    wg_map *two, *three, *call;
    void (*many)(const add_n_terms *terms, int64_t end, void *out);
} add_n_kernels;

#define ADD_N_KERNELS(set)                                                                         \
    {                                                                                              \
        {add_n_two_##set##_float, add_n_three_##set##_float, add_n_call_##set##_float,             \
         add_n_many_##set##_float},                                                                \
        {                                                                                          \
            add_n_two_##set##_double, add_n_three_##set##_double, add_n_call_##set##_double,       \
                add_n_many_##set##_double                                                          \
        }                                                                                          \
    }

static const add_n_kernels *add_n_kernels_of(const wg_tensor *y)
{
    static const add_n_kernels baseline[] = ADD_N_KERNELS(baseline);
#ifdef WG_ISA_X86
    static const add_n_kernels avx2[] = ADD_N_KERNELS(avx2);
    if (wg_cpu_isa() >= WG_ISA_AVX2)
        return &avx2[y->dtype == WG_F64];
#endif
    return &baseline[y->dtype == WG_F64];
}

#undef ADD_N_KERNELS

#if WG_HAS_WIDE
/* Wide sums need no compensation. */
static void add_n_wide(const wg_tensor *y, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        wg_wide sum = 0;
        for (int k = 0; k < y->n_operands; k++)
            sum += ((const wg_wide *)y->operand[k]->data)[i];
        ((wg_wide *)y->data)[i] = sum;
    }
}
#endif

static wg_map *add_n_few(const wg_tensor *y)
{
    const add_n_kernels *kernels = add_n_kernels_of(y);
    return y->n_operands == 2 ? kernels->two : kernels->three;
}

wg_map *wg_add_n_map(const wg_tensor *y)
{
    if (y->op != &wg_op_add_n || y->n_operands < 2 || y->dtype == WG_WIDE)
        return NULL;
    return y->n_operands > 3 ? add_n_kernels_of(y)->call : add_n_few(y);
}

static void add_n_part(const wg_tensor *y, int64_t begin, int64_t end, void *out,
                       const void *const tile[])
{
    const add_n_terms terms = {y->n_operands, NULL, y->operand, tile, begin};
    const size_t size = wg_dtype_size(y->dtype);
    if (y->n_operands == 2 || y->n_operands == 3) {
        const void *x[ADD_N_ROOM], *const *at;
        add_n_find(&terms, 0, size, x, &at);
        add_n_few(y)(end - begin, out, at, NULL, NULL);
    } else
        add_n_kernels_of(y)->many(&terms, end, out);
}

static void add_n_forward(const wg_tensor *y, const wg_piece *piece)
{
#if WG_HAS_WIDE
    if (y->dtype == WG_WIDE) {
        add_n_wide(y, piece->begin, piece->end);
        return;
    }
#endif
    const int64_t size = (int64_t)wg_dtype_size(y->dtype);
    add_n_part(y, piece->begin, piece->end, (char *)y->data + piece->begin * size, NULL);
}

static wg_tensor *add_n_vjp(wg_tensor *y, wg_tensor *dy, int i)
{
    (void)y;
    (void)i;
    return dy;
}

const wg_op wg_op_add_n = {
    .name = "add_n",
    .formula = WG_OP_TEXT("y = x0 + x1 + ..."),
    .source = WG_OP_TEXT("Knuth, The Art of Computer Programming 2, sec. 4.2.2 (two-sum)"),
    .arity = WG_VARIADIC,
    .flags = WG_OP_WIDE | WG_OP_RUNS,
    .shape = add_n_shape,
    .forward = add_n_forward,
    .part = add_n_part,
    .vjp = add_n_vjp,
    .chunks = wg_size,
};

wg_tensor *wg_add_n(wg_tensor *const x[], int n)
{
    return n == 1 && !wg_is_inert(x[0]) ? x[0] : wg_apply(&wg_op_add_n, x, n, NULL);
}
