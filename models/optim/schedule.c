/* Learning rates as functions of the step, or of the losses so far. */
#include "models/optim/schedule.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* C11 has no name for it. */
static const double schedule_pi = 3.14159265358979323846;

static bool schedule_fits(const wg_schedule *s)
{
    return s->rate >= 0 && isfinite(s->rate) && s->period >= 0 && s->factor >= 0 &&
           isfinite(s->factor) && s->least >= 0 && isfinite(s->least) && s->warm_up >= 0 &&
           s->patience >= 0 && s->cooldown >= 0 && s->threshold >= 0 && s->threshold < 1;
}

static double schedule_cosine(const wg_schedule *s, double share)
{
    return share >= 1 ? s->least
                      : s->least + (s->rate - s->least) * (1 + cos(schedule_pi * share)) / 2;
}

double wg_schedule_rate(const wg_schedule *s, int64_t step)
{
    if (s == NULL || !schedule_fits(s))
        return (double)NAN;
    if (step < 0)
        step = 0;
    if (step < s->warm_up)
        return s->rate * ((double)step + 1) / (double)s->warm_up;
    const int64_t since = step - s->warm_up, period = s->period != 0 ? s->period : 1;
    const int64_t periods = since / period;
    const double factor = s->factor != 0 ? s->factor : 0.1;
    switch (s->kind) {
    case WG_SCHEDULE_CONSTANT: return s->rate;
    case WG_SCHEDULE_STEP: return s->rate * pow(factor, (double)periods);
    case WG_SCHEDULE_EXPONENTIAL: return s->rate * pow(factor, (double)since / (double)period);
    case WG_SCHEDULE_PLATEAU: break; /* no function of the step */
    case WG_SCHEDULE_COSINE: return schedule_cosine(s, (double)since / (double)period);
    }
    return (double)NAN;
}

double wg_schedule_plateau(const wg_schedule *s, const double loss[], int64_t stride, int64_t n)
{
    if (s == NULL || !schedule_fits(s) || s->kind != WG_SCHEDULE_PLATEAU)
        return (double)NAN;
    const double factor = s->factor != 0 ? s->factor : 0.1;
    const double share = 1 - (s->threshold != 0 ? s->threshold : 1e-4);
    const int64_t patience = s->patience != 0 ? s->patience : 10;
    double rate = s->rate, best = (double)INFINITY;
    int64_t waited = 0, cooling = 0;
    for (int64_t i = 0; i < n; i++) {
        const bool falls = loss[i * stride] < best * share;
        best = falls ? loss[i * stride] : best;
        waited = falls || cooling > 0 ? 0 : waited + 1;
        cooling -= cooling > 0;
        if (waited <= patience)
            continue;
        const double next = fmax(rate * factor, s->least);
        rate = rate - next > 1e-8 ? next : rate;
        cooling = s->cooldown;
        waited = 0;
    }
    return rate;
}
