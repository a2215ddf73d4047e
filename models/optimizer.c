#include "models/optimizer_internal.h"

#include "autograd/grad.h"

#include <math.h>
#include <string.h>

static const wg_optimizer optimizer_inert = {.tape = NULL};

/* Whatever writes an optimizer first looks whether it is inert. */
static wg_optimizer *optimizer_none(void)
{
    return (wg_optimizer *)(uintptr_t)&optimizer_inert;
}

static bool optimizer_is_inert(const wg_optimizer *o)
{
    return o == NULL || o->tape == NULL;
}

/* ---- Making. --------------------------------------------------------------------------------- */

/* The tape of the parameters, or NULL after an error. */
static wg_tape *optimizer_tape(const char *name, wg_tensor *const params[], int n)
{
    wg_tape *t = NULL;
    for (int i = 0; i < n; i++) {
        if (params[i] != NULL && t == NULL)
            t = params[i]->tape;
        if (wg_is_inert(params[i]))
            wg_fail(t, WG_E_NULL, "%s: parameter %d is NULL or inert", name, i);
        else if (params[i]->tape != t)
            wg_fail(t, WG_E_TAPE, "%s: parameters of two tapes", name);
        else if (params[i]->op != &wg_op_parameter)
            wg_fail(t, WG_E_VALUE, "%s: tensor %d is no parameter", name, i);
        if (wg_tape_status(t) != WG_OK)
            return NULL;
    }
    return t;
}

static bool optimizer_take_state(wg_optimizer *o)
{
    int slots = o->rule->slots;
    if (slots == 0)
        return true;
    o->state = wg_tape_take(o->tape, (size_t)o->n * (size_t)slots * sizeof *o->state);
    for (int i = 0; o->state != NULL && i < o->n * slots; i++) {
        const wg_tensor *p = o->param[i / slots];
        o->state[i] = wg_tape_take(o->tape, (size_t)p->size * wg_dtype_size(p->dtype));
    }
    return wg_tape_status(o->tape) == WG_OK;
}

static void *optimizer_copy(wg_tape *t, const void *from, size_t size)
{
    void *copy = size > 0 ? wg_tape_take(t, size) : NULL;
    if (copy != NULL)
        memcpy(copy, from, size);
    return copy;
}

static bool optimizer_rate_fits(wg_tape *t, const char *name, double rate)
{
    if (isfinite(rate) && rate >= 0)
        return true;
    wg_fail(t, WG_E_VALUE, "%s: a learning rate of %g", name, rate);
    return false;
}

wg_optimizer *wg_optimizer_new(const wg_optimizer_rule *rule, wg_tensor *const params[], int n,
                               double rate, const void *options, size_t options_size)
{
    wg_tape *t = optimizer_tape(rule->name, params, n);
    if (t == NULL || !optimizer_rate_fits(t, rule->name, rate))
        return optimizer_none();
    wg_optimizer *o = wg_tape_take(t, sizeof *o);
    if (o == NULL)
        return optimizer_none();
    *o = (wg_optimizer){.tape = t, .rule = rule, .n = n, .rate = rate};
    o->options = optimizer_copy(t, options, options_size);
    o->param = optimizer_copy(t, params, (size_t)n * sizeof *o->param);
    return wg_tape_status(t) == WG_OK && optimizer_take_state(o) ? o : optimizer_none();
}

/* ---- Stepping. ------------------------------------------------------------------------------- */

/* The gradient of parameter i, or NULL where wg_backward left none. */
static wg_tensor *optimizer_gradient(const wg_optimizer *o, wg_tensor *const grads[], int i)
{
    return grads != NULL ? grads[i] : wg_grad_of(o->param[i]);
}

static bool optimizer_gradient_fits(const wg_optimizer *o, int i, const wg_tensor *g)
{
    const wg_tensor *p = o->param[i];
    if (wg_is_inert(g)) {
        wg_fail(o->tape, WG_E_NULL, "%s: gradient %d is NULL or inert", o->rule->name, i);
        return false;
    }
    wg_status wrong = g->tape != p->tape                     ? WG_E_TAPE
                      : !wg_shape_same(&g->shape, &p->shape) ? WG_E_SHAPE
                      : g->dtype != p->dtype                 ? WG_E_DTYPE
                      : g->data == NULL                      ? WG_E_NULL
                      : wg_is_stale(g)                       ? WG_E_STALE
                                                             : WG_OK;
    char text_p[WG_SHAPE_TEXT + 96], text_g[WG_SHAPE_TEXT + 96];
    if (wrong != WG_OK)
        wg_fail(o->tape, wrong, "%s: %s: parameter %s with gradient %s%s", o->rule->name,
                wg_status_text(wrong), wg_tensor_text(p, text_p, sizeof text_p),
                wg_tensor_text(g, text_g, sizeof text_g),
                wrong == WG_E_STALE ? " (replay first)" : "");
    return wrong == WG_OK;
}

static void optimizer_update(const wg_optimizer *o, int i, const wg_tensor *g)
{
    wg_tensor *p = o->param[i];
    void *values = wg_edit(p);
    void **state = o->state != NULL ? o->state + i * o->rule->slots : NULL;
    if (p->dtype == WG_F32)
        o->rule->update_f32(o, p->size, values, g->data, (float *const *)state);
    else
        o->rule->update_f64(o, p->size, values, g->data, (double *const *)state);
}

wg_status wg_optimizer_step(wg_optimizer *o, wg_tensor *const grads[])
{
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    if (wg_tape_status(o->tape) != WG_OK)
        return wg_tape_status(o->tape);
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *g = optimizer_gradient(o, grads, i);
        if (g == NULL && grads == NULL)
            continue;
        if (!optimizer_gradient_fits(o, i, g))
            return wg_tape_status(o->tape);
    }
    for (int i = 0; i < o->n; i++) {
        const wg_tensor *g = optimizer_gradient(o, grads, i);
        if (g != NULL)
            optimizer_update(o, i, g);
    }
    o->steps++;
    return WG_OK;
}

int64_t wg_optimizer_steps(const wg_optimizer *o)
{
    return optimizer_is_inert(o) ? 0 : o->steps;
}

double wg_optimizer_rate(const wg_optimizer *o)
{
    return optimizer_is_inert(o) ? (double)NAN : o->rate;
}

wg_status wg_optimizer_set_rate(wg_optimizer *o, double rate)
{
    if (optimizer_is_inert(o))
        return WG_E_NULL;
    if (optimizer_rate_fits(o->tape, o->rule->name, rate))
        o->rate = rate;
    return wg_tape_status(o->tape);
}
