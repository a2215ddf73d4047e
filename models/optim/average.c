/* An exponential average of an optimizer's parameters. */
#include "models/optim/optimizer_internal.h"

#include <math.h>

/* a <- keep a + take p; the first p is taken whole. */
#define AVERAGE_TAKE(name, real)                                                                   \
    static void name(int64_t n, const real *restrict p, real *restrict a, double keep,             \
                     double take)                                                                  \
    {                                                                                              \
        const real k = (real)keep, t = (real)take;                                                 \
        for (int64_t i = 0; i < n; i++)                                                            \
            a[i] = k * a[i] + t * p[i];                                                            \
    }                                                                                              \
                                                                                                   \
    static void name##_swap(int64_t n, real *restrict p, real *restrict a)                         \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const real former = p[i];                                                              \
            p[i] = a[i];                                                                           \
            a[i] = former;                                                                         \
        }                                                                                          \
    }

AVERAGE_TAKE(average_f32, float)
AVERAGE_TAKE(average_f64, double)
#undef AVERAGE_TAKE

void wg_optimizer_average_step(wg_optimizer *o)
{
    const double keep = o->averaged == 0 ? 0 : o->average_decay;
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *p = o->param[i];
        if (p->dtype == WG_F32)
            average_f32(p->size, p->data, o->average[i], keep, 1 - keep);
        else
            average_f64(p->size, p->data, o->average[i], keep, 1 - keep);
    }
    o->averaged++;
}

wg_status wg_optimizer_set_average(wg_optimizer *o, double decay)
{
    if (o == NULL || o->tape == NULL)
        return WG_E_NULL;
    wg_tape *t = o->tape;
    if (!(decay >= 0 && decay < 1) || o->average != NULL) {
        wg_fail(t, WG_E_VALUE, "%s: an average with decay %g%s", o->rule->name, decay,
                o->average != NULL ? ": there is one already" : ", outside [0, 1)");
        return wg_tape_status(t);
    }
    void **average = wg_tape_take(t, (size_t)o->n * sizeof *average);
    o->average_name = wg_tape_take(t, (size_t)o->n * sizeof *o->average_name);
    o->averaged_name = wg_optimizer_text(o, "averaged", -1);
    for (int i = 0; i < o->n && wg_tape_status(t) == WG_OK; i++) {
        average[i] = wg_tape_take(t, (size_t)o->param[i]->size * wg_dtype_size(o->param[i]->dtype));
        o->average_name[i] = wg_optimizer_text(o, "average", i);
    }
    if (wg_tape_status(t) != WG_OK)
        return wg_tape_status(t);
    o->average = average;
    o->average_decay = decay;
    return WG_OK;
}

wg_status wg_optimizer_swap_average(wg_optimizer *o)
{
    if (o == NULL || o->tape == NULL)
        return WG_E_NULL;
    if (o->average == NULL || o->averaged == 0)
        wg_fail(o->tape, WG_E_VALUE, "%s: there is no average yet", o->rule->name);
    for (int i = 0; i < o->n && wg_tape_status(o->tape) == WG_OK; i++) {
        const wg_tensor *p = o->param[i];
        void *data = wg_edit(o->param[i]);
        if (p->dtype == WG_F32)
            average_f32_swap(p->size, data, o->average[i]);
        else
            average_f64_swap(p->size, data, o->average[i]);
    }
    return wg_tape_status(o->tape);
}
