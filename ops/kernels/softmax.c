/* softmax.c: softmax, log_softmax, logsumexp and softmax cross-entropy of rows of any length. */
#include "ops/kernels/softmax.h"

#include "autograd/cpu_internal.h"

enum { SOFTMAX_BLOCK = 16384 }; /* elements of a block of rows taken together */

/* As many rows as fill a second-level cache at most, where rows are taken together. */
static int64_t softmax_rows_at_once(const wgk_rows *rows)
{
    if (!wgk_rows_together(rows))
        return 1;
    const int64_t fit = rows->row_size > 0 ? SOFTMAX_BLOCK / rows->row_size : WGK_ROWS_LINES;
    return fit < 4 ? 4 : fit < WGK_ROWS_LINES ? fit : WGK_ROWS_LINES;
}

size_t wgk_softmax_workspace(const wgk_rows *rows, wgk_type type, int count)
{
    const size_t block = (size_t)(rows->row_size * softmax_rows_at_once(rows));
    return (size_t)count * block * wgk_real_size(type);
}

static bool softmax_is_ignored(const int64_t *ignored, int64_t label)
{
    return ignored != NULL && label == *ignored;
}

/* name: a function, `body` compiled for wider vectors, too. The bits are the same. */
#define SOFTMAX_INLINE __attribute__((always_inline))
#if defined(WG_ISA_X86) && !defined(__OPTIMIZE_SIZE__)
#define SOFTMAX_SETS(name, parameters, body, arguments)                                            \
    SOFTMAX_SETS_OF(name, parameters, body, arguments)
#define SOFTMAX_SETS_OF(name, parameters, body, arguments)                                         \
    static void name##_baseline parameters                                                         \
    {                                                                                              \
        body;                                                                                      \
    }                                                                                              \
    __attribute__((target("avx2"))) static void name##_avx2 parameters                             \
    {                                                                                              \
        body;                                                                                      \
    }                                                                                              \
    static void name parameters                                                                    \
    {                                                                                              \
        (wg_cpu_isa() >= WG_ISA_AVX2 ? name##_avx2 : name##_baseline) arguments;                   \
    }
#else
#define SOFTMAX_SETS(name, parameters, body, arguments)                                            \
    static void name parameters                                                                    \
    {                                                                                              \
        body;                                                                                      \
    }
#endif

#define REAL f64
#include "ops/kernels/softmax_body.inc"

#if WG_HAS_WIDE
#define REAL wide
#include "ops/kernels/softmax_body.inc"
#endif

#undef SOFTMAX_INLINE
#undef SOFTMAX_SETS
#undef SOFTMAX_SETS_OF

void wgk_softmax(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                 void *y, void *workspace)
{
    WGK_RUN(softmax, type, rows, type, x, begin, end, y, workspace);
}

void wgk_log_softmax(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                     void *y, void *workspace)
{
    WGK_RUN(log_softmax, type, rows, type, x, begin, end, y, workspace);
}

void wgk_logsumexp(const wgk_rows *rows, wgk_type type, const void *x, int64_t begin, int64_t end,
                   void *y, void *workspace)
{
    WGK_RUN(logsumexp, type, rows, type, x, begin, end, y, workspace);
}

void wgk_log_softmax_jvp(const wgk_rows *rows, wgk_type type, const void *u, const void *x,
                         int64_t begin, int64_t end, void *y, void *workspace)
{
    WGK_RUN(log_softmax_jvp, type, rows, type, u, x, begin, end, y, workspace);
}

void wgk_cross_entropy(const wgk_rows *rows, wgk_type type, const void *z, const int64_t *label,
                       const int64_t *ignored, int64_t begin, int64_t end, void *l, void *workspace)
{
    WGK_RUN(cross_entropy, type, rows, type, z, label, ignored, begin, end, l, workspace);
}

void wgk_cross_entropy_grad(const wgk_rows *rows, wgk_type type, const void *dl, const void *z,
                            const int64_t *label, const int64_t *ignored, int64_t begin,
                            int64_t end, void *dz, void *workspace)
{
    WGK_RUN(cross_entropy_grad, type, rows, type, dl, z, label, ignored, begin, end, dz, workspace);
}

void wgk_soft_cross_entropy(const wgk_rows *rows, wgk_type type, const void *z, const void *q,
                            int64_t begin, int64_t end, void *l, void *workspace)
{
    WGK_RUN(soft_cross_entropy, type, rows, type, z, q, begin, end, l, workspace);
}

void wgk_soft_cross_entropy_grad(const wgk_rows *rows, wgk_type type, const void *dl, const void *z,
                                 const void *q, int64_t begin, int64_t end, void *dz,
                                 void *workspace)
{
    WGK_RUN(soft_cross_entropy_grad, type, rows, type, dl, z, q, begin, end, dz, workspace);
}
