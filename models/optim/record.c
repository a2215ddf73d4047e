/* An optimizer's step recorded as ops, for programs that are written as C. */
#include "models/optim/record.h"

#include "models/optim/optimizer_internal.h"
#include "ops/elementwise.h"

#include <stdio.h>

static const char *record_refused(const wg_optimizer *o)
{
    return o->rule->record == NULL ? "this optimizer"
           : o->clip_norm > 0      ? "clipping by norm"
           : o->average != NULL    ? "an average"
                                   : NULL;
}

static void record_update(wg_recorded_step *step, wg_tensor *param, wg_tensor *value)
{
    step->param[step->n] = param;
    step->value[step->n++] = value;
}

/* A parameter of the tape that begins with `data`. */
static wg_tensor *record_state(wg_tape *t, const char *name, const wg_tensor *like,
                               const void *data)
{
    wg_tensor *x = wg_param(t, name, like->dtype, like->shape.ndim, like->shape.dim);
    if (!wg_is_inert(x))
        wg_write(x, data, (size_t)like->size * wg_dtype_size(like->dtype));
    return x;
}

/* What parameters of one dtype share that have made as many steps: the number of the step, as a
 * number of that dtype, and what the rule makes of it alone. */
typedef struct record_counter {
    wg_dtype dtype;
    int64_t count;
    wg_tensor *steps, *shared[2];
} record_counter;

/* k = 1, 2, ... */
static wg_tensor *record_steps(const wg_optimizer *o, const record_counter *c,
                               wg_recorded_step *step)
{
    const double count = (double)c->count;
    const float count_f32 = (float)c->count;
    const wg_tensor like = {.dtype = c->dtype, .size = 1};
    const void *data = c->dtype == WG_F32 ? (const void *)&count_f32 : &count;
    wg_tensor *steps = record_state(o->tape, o->steps_name, &like, data);
    wg_tensor *next = wg_shift(steps, 1);
    record_update(step, steps, next);
    return next;
}

/* Parameter i's among the n that there are, or a new one. */
static record_counter *record_counter_of(const wg_optimizer *o, int i, record_counter *counter,
                                         int *n, wg_recorded_step *step)
{
    int k = 0;
    while (k < *n && (counter[k].dtype != o->param[i]->dtype || counter[k].count != o->count[i]))
        k++;
    if (k == *n) {
        counter[k] = (record_counter){.dtype = o->param[i]->dtype, .count = o->count[i]};
        if (o->rule->record_counts)
            counter[k].steps = record_steps(o, &counter[k], step);
        ++*n;
    }
    return &counter[k];
}

/* g on its way into the rule, and p. */
static void record_change(const wg_optimizer *o, int i, wg_optimizer_record_job *job)
{
    if (o->clip_value > 0)
        job->g = wg_clamp(job->g, -o->clip_value, o->clip_value);
    if (o->decay[i] == 0)
        return;
    if (o->decoupled)
        job->p = wg_scale(job->p, 1 - job->rate * o->decay[i]);
    else
        job->g = wg_add(job->g, wg_scale(job->p, o->decay[i]));
}

static void record_param(const wg_optimizer *o, int i, wg_optimizer_record_job job,
                         wg_recorded_step *step)
{
    job.p = o->param[i];
    job.rate = o->rate * o->factor[i];
    for (int k = 0; k < WG_OPTIMIZER_SLOTS; k++) {
        const int at = i * WG_OPTIMIZER_SLOTS + k;
        if (o->state[at] != NULL)
            job.state[k] = record_state(o->tape, o->name[at], o->param[i], o->state[at]);
    }
    record_change(o, i, &job);
    wg_tensor *next = o->rule->record(o->options, &job);
    record_update(step, o->param[i], next);
    for (int k = 0; k < WG_OPTIMIZER_SLOTS; k++)
        if (job.state[k] != NULL)
            record_update(step, job.state[k], job.next[k]);
}

static bool record_gradients_fit(const wg_optimizer *o, wg_tensor *const grads[])
{
    for (int i = 0; i < o->n; i++)
        if (!wg_optimizer_gradient_fits(o, i, grads[i]))
            return false;
    return true;
}

wg_recorded_step wg_optimizer_record(const wg_optimizer *o, wg_tensor *const grads[])
{
    wg_recorded_step step = {.n = 0}, none = step;
    if (o == NULL || o->tape == NULL)
        return none;
    wg_tape *t = o->tape;
    if (grads == NULL)
        wg_fail(t, WG_E_NULL, "%s: the list of gradients is NULL", o->rule->name);
    else if (record_refused(o) != NULL)
        wg_fail(t, WG_E_VALUE, "%s: %s is not recorded", o->rule->name, record_refused(o));
    const size_t most = (size_t)o->n * (2 + WG_OPTIMIZER_SLOTS);
    step.param = wg_tape_take(t, most * sizeof *step.param);
    step.value = wg_tape_take(t, most * sizeof *step.value);
    record_counter *counter = wg_tape_take(t, (size_t)o->n * sizeof *counter);
    if (wg_tape_status(t) != WG_OK || !record_gradients_fit(o, grads))
        return none;
    int counters = 0;
    for (int i = 0; i < o->n; i++) {
        record_counter *c = record_counter_of(o, i, counter, &counters, &step);
        record_param(
            o, i, (wg_optimizer_record_job){.g = grads[i], .steps = c->steps, .shared = c->shared},
            &step);
    }
    return wg_tape_status(t) == WG_OK ? step : none;
}
