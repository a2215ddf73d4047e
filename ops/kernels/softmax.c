/* softmax.c: softmax, log_softmax, logsumexp and softmax cross-entropy of rows of any length. */
#include "ops/kernels/softmax.h"

#define REAL f64
#include "ops/kernels/softmax_body.inc"

#if WG_HAS_WIDE
#define REAL wide
#include "ops/kernels/softmax_body.inc"
#endif

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
