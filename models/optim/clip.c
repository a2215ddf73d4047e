/* The norm of all gradients. */
#include "models/optim/clip.h"

#include "autograd/op.h"

#include <math.h>

/* Eight sums side by side, so that one addition need not wait for the one before. */
#define CLIP_SQUARES(name, real)                                                                   \
    static double name(int64_t n, const real *x)                                                   \
    {                                                                                              \
        double sum[8] = {0};                                                                       \
        int64_t i = 0;                                                                             \
        for (; i + 8 <= n; i += 8)                                                                 \
            for (int k = 0; k < 8; k++)                                                            \
                sum[k] += (double)x[i + k] * (double)x[i + k];                                     \
        for (; i < n; i++)                                                                         \
            sum[0] += (double)x[i] * (double)x[i];                                                 \
        return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));  \
    }

CLIP_SQUARES(clip_squares_f32, float)
CLIP_SQUARES(clip_squares_f64, double)

static double clip_squares(const wg_tensor *x)
{
    wg_status wrong = wg_is_inert(x) || x->data == NULL ? WG_E_NULL
                      : x->dtype == WG_I64              ? WG_E_DTYPE
                      : wg_is_stale(x)                  ? WG_E_STALE
                                                        : WG_OK;
    if (wrong != WG_OK) {
        wg_fail(x->tape, wrong, "global norm: %s: %s", wg_status_text(wrong), wg_tensor_text(x).s);
        return (double)NAN;
    }
    return x->dtype == WG_F32 ? clip_squares_f32(x->size, x->data)
                              : clip_squares_f64(x->size, x->data);
}

double wg_global_norm(wg_tensor *const xs[], int n)
{
    double sum = 0;
    if (xs == NULL && n > 0)
        return (double)NAN;
    for (int i = 0; i < n; i++)
        if (xs[i] != NULL)
            sum += clip_squares(xs[i]);
    return sqrt(sum);
}
