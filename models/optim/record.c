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

/* k = 1, 2, ...: the number of the step, which is kept as a number of the parameters' dtype. */
static wg_tensor *record_steps(const wg_optimizer *o, wg_recorded_step *step)
{
    wg_tape *t = o->tape;
    const double count = o->n > 0 ? (double)o->count[0] : 0;
    const float count_f32 = (float)count;
    wg_tensor like = {.dtype = o->n > 0 ? o->param[0]->dtype : WG_F64, .size = 1};
    wg_tensor *steps = record_state(t, o->steps_name, &like,
                                    like.dtype == WG_F32 ? (const void *)&count_f32 : &count);
    wg_tensor *next = wg_shift(steps, 1);
    record_update(step, steps, next);
    return next;
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
    const size_t most = (size_t)o->n * (1 + WG_OPTIMIZER_SLOTS) + 1;
    step.param = wg_tape_take(t, most * sizeof *step.param);
    step.value = wg_tape_take(t, most * sizeof *step.value);
    if (wg_tape_status(t) != WG_OK)
        return none;
    wg_tensor *shared[2] = {NULL, NULL};
    wg_optimizer_record_job job = {.shared = shared};
    job.steps = o->rule->record_counts ? record_steps(o, &step) : NULL;
    for (int i = 0; i < o->n; i++) {
        job.g = grads[i];
        record_param(o, i, job, &step);
    }
    return wg_tape_status(t) == WG_OK ? step : none;
}
