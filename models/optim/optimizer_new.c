/* Making an optimizer: looking at what was given, and taking the memory of its state
 * from the tape. */
#include "models/optim/optimizer_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const wg_optimizer optimizer_inert = {.tape = NULL};

/* Whatever writes an optimizer first looks whether it is inert. */
static wg_optimizer *optimizer_none(void)
{
    return (wg_optimizer *)(uintptr_t)&optimizer_inert;
}

double wg_option(double given, double otherwise)
{
    return given != 0 ? given : otherwise;
}

/* The tape of the parameters, or NULL after an error. */
static wg_tape *optimizer_tape(const char *name, wg_tensor *const params[], int n)
{
    wg_tape *t = NULL;
    if (params == NULL) {
        wg_fail(t, WG_E_NULL, "%s: the list of parameters is NULL", name);
        return NULL;
    }
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

static bool optimizer_in_range(wg_tape *t, const char *name, const wg_optimizer_range *range)
{
    if (range->value >= 0 && range->value < range->below)
        return true;
    wg_fail(t, WG_E_VALUE, "%s: %s is %g, outside [0, %g)", name, range->name, range->value,
            range->below);
    return false;
}

static bool optimizer_options_fit(wg_tape *t, const wg_optimizer_plan *plan)
{
    const char *name = plan->rule->name;
    const wg_optimizer_range all[] = {{"learning rate", plan->rate, HUGE_VAL},
                                      {"weight decay", plan->weight_decay, HUGE_VAL}};
    for (int i = 0; i < 2; i++)
        if (!optimizer_in_range(t, name, &all[i]))
            return false;
    for (int i = 0; i < 5 && plan->range[i].name != NULL; i++)
        if (!optimizer_in_range(t, name, &plan->range[i]))
            return false;
    if (plan->wrong != NULL)
        wg_fail(t, WG_E_VALUE, "%s: %s", name, plan->wrong);
    return plan->wrong == NULL;
}

static void *optimizer_copy(wg_tape *t, const void *from, size_t size)
{
    void *copy = wg_tape_take(t, size);
    if (copy != NULL)
        memcpy(copy, from, size);
    return copy;
}

static int optimizer_address_order(const void *a, const void *b)
{
    const wg_tensor *p = *(wg_tensor *const *)a, *q = *(wg_tensor *const *)b;
    if (p->data != q->data)
        return (uintptr_t)p->data < (uintptr_t)q->data ? -1 : 1;
    return ((uintptr_t)p > (uintptr_t)q) - ((uintptr_t)p < (uintptr_t)q);
}

/* Sorts the parameters by address; false where one is given twice, and would move twice a step. */
static bool optimizer_sort(wg_optimizer *o)
{
    qsort(o->by_address, (size_t)o->n, sizeof *o->by_address, optimizer_address_order);
    for (int i = 1; i < o->n; i++)
        if (o->by_address[i] == o->by_address[i - 1]) {
            wg_fail(o->tape, WG_E_VALUE, "%s: the parameter %s is given twice", o->rule->name,
                    wg_tensor_text(o->by_address[i]).s);
            return false;
        }
    return true;
}

/* ---- Names of the state. --------------------------------------------------------------------- */

const char *wg_optimizer_text(const wg_optimizer *o, const char *what, int param)
{
    const char *of = param < 0 ? "" : o->label[param];
    size_t size = strlen(o->rule->name) + strlen(what) + strlen(of) + 3;
    char *text = wg_tape_take(o->tape, size);
    if (text != NULL)
        snprintf(text, size, "%s.%s%s%s", o->rule->name, what, *of != '\0' ? "." : "", of);
    return text;
}

typedef struct optimizer_name {
    const char *name; /* "": it has none */
    int param;
} optimizer_name;

static int optimizer_name_order(const void *a, const void *b)
{
    return strcmp(((const optimizer_name *)a)->name, ((const optimizer_name *)b)->name);
}

/* Names of digits alone might be the index of another one. */
static bool optimizer_is_name(const char *name)
{
    return name[strspn(name, "0123456789")] != '\0';
}

/* A parameter goes by its name, or, where that is not its alone and would make two entries one, by
 * its index. */
static bool optimizer_set_labels(wg_optimizer *o)
{
    optimizer_name *list = wg_temporary(o->tape, o->n, sizeof *list);
    if (list == NULL)
        return false;
    for (int i = 0; i < o->n; i++)
        list[i] = (optimizer_name){o->param[i]->name != NULL ? o->param[i]->name : "", i};
    qsort(list, (size_t)o->n, sizeof *list, optimizer_name_order);
    for (int i = 0; i < o->n; i++) {
        bool alone = optimizer_is_name(list[i].name) &&
                     (i == 0 || strcmp(list[i - 1].name, list[i].name) != 0) &&
                     (i == o->n - 1 || strcmp(list[i + 1].name, list[i].name) != 0);
        char number[16];
        snprintf(number, sizeof number, "%d", list[i].param);
        o->label[list[i].param] = alone ? list[i].name : wg_tape_copy_text(o->tape, number);
    }
    wg_temporary_free(o->tape, list);
    return wg_tape_status(o->tape) == WG_OK;
}

static void optimizer_start(void *state, const wg_tensor *p, double value)
{
    for (int64_t i = 0; value != 0 && state != NULL && i < p->size; i++)
        if (p->dtype == WG_F32)
            ((float *)state)[i] = (float)value;
        else
            ((double *)state)[i] = value;
}

static void optimizer_take_state(wg_optimizer *o, const wg_optimizer_plan *plan)
{
    for (int i = 0; i < o->n; i++)
        for (int s = 0; s < WG_OPTIMIZER_SLOTS; s++) {
            int k = i * WG_OPTIMIZER_SLOTS + s;
            const wg_tensor *p = o->param[i];
            if (!plan->use[s] || wg_tape_status(o->tape) != WG_OK)
                continue;
            o->state[k] = wg_tape_take(o->tape, (size_t)p->size * wg_dtype_size(p->dtype));
            o->name[k] = wg_optimizer_text(o, o->rule->slot[s], i);
            optimizer_start(o->state[k], p, s == 0 ? plan->start : 0);
        }
}

static bool optimizer_fill(wg_optimizer *o, const wg_optimizer_plan *plan,
                           wg_tensor *const params[])
{
    size_t n = (size_t)o->n;
    o->options = optimizer_copy(o->tape, plan->options, plan->options_size);
    o->param = optimizer_copy(o->tape, params, n * sizeof *o->param);
    o->by_address = optimizer_copy(o->tape, params, n * sizeof *o->by_address);
    o->label = wg_tape_take(o->tape, n * sizeof *o->label);
    o->count = wg_tape_take(o->tape, n * sizeof *o->count);
    o->decay = wg_tape_take(o->tape, n * sizeof *o->decay);
    o->state = wg_tape_take(o->tape, n * WG_OPTIMIZER_SLOTS * sizeof *o->state);
    o->name = wg_tape_take(o->tape, n * WG_OPTIMIZER_SLOTS * sizeof *o->name);
    o->factor = wg_tape_take(o->tape, n * sizeof *o->factor);
    o->rate_name = wg_optimizer_text(o, "rate", -1);
    o->steps_name = wg_optimizer_text(o, "steps", -1);
    o->counts_name = wg_optimizer_text(o, "counts", -1);
    if (wg_tape_status(o->tape) != WG_OK || !optimizer_sort(o) || !optimizer_set_labels(o))
        return false;
    for (int i = 0; i < o->n; i++) {
        o->factor[i] = 1;
        if (plan->decay_all || params[i]->shape.ndim >= 2)
            o->decay[i] = plan->weight_decay;
    }
    optimizer_take_state(o, plan);
    return wg_tape_status(o->tape) == WG_OK;
}

wg_optimizer *wg_optimizer_new(const wg_optimizer_plan *plan, wg_tensor *const params[], int n)
{
    wg_tape *t = optimizer_tape(plan->rule->name, params, n);
    if (t == NULL || !optimizer_options_fit(t, plan))
        return optimizer_none();
    wg_optimizer *o = wg_tape_take(t, sizeof *o);
    if (o == NULL)
        return optimizer_none();
    *o = (wg_optimizer){
        .tape = t, .rule = plan->rule, .n = n, .rate = plan->rate, .decoupled = plan->decoupled};
    return optimizer_fill(o, plan, params) ? o : optimizer_none();
}
