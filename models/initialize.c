/* First values of a layer's parameters, by name. */
#include "models/initialize.h"

#include "autograd/op.h"

#include <math.h>
#include <string.h>

/* The variance is gain / (in + out), or gain / in; a uniform draw's bound is sqrt(3 variance). */
typedef struct initialize_rule {
    const char *name;
    double gain;
    bool normal, both_fans, bias;
} initialize_rule;

static const initialize_rule initialize_rules[] = {
    {"zeros", 0, false, false, false},       {"xavier_uniform", 2, false, true, false},
    {"xavier_normal", 2, true, true, false}, {"he_uniform", 2, false, false, false},
    {"he_normal", 2, true, false, false},    {"torch", 1.0 / 3, false, false, true},
};

enum { INITIALIZE_RULES = sizeof initialize_rules / sizeof *initialize_rules };

/* The rule for a parameter; NULL, and an error on the tape, where there is none. */
static const initialize_rule *initialize_find(const wg_tensor *x, const char *how)
{
    if (wg_is_inert(x)) {
        wg_fail(x != NULL ? x->tape : NULL, WG_E_NULL, "initialize: no parameter");
        return NULL;
    }
    for (int i = 0; how != NULL && i < INITIALIZE_RULES; i++)
        if (strcmp(how, initialize_rules[i].name) == 0)
            return &initialize_rules[i];
    wg_fail(x->tape, WG_E_VALUE, "initialize: there is no '%s'", how != NULL ? how : "");
    return NULL;
}

static wg_status initialize_fill(wg_tensor *x, const initialize_rule *rule, double fan,
                                 uint64_t key)
{
    if (rule->gain == 0 || x->size == 0)
        return wg_fill_uniform(x, 0, 0, key);
    double variance = rule->gain / fan, bound = sqrt(3 * variance);
    return rule->normal ? wg_fill_normal(x, 0, sqrt(variance), key)
                        : wg_fill_uniform(x, -bound, bound, key);
}

wg_status wg_initialize_weight(wg_tensor *weight, const char *how, uint64_t key)
{
    const initialize_rule *rule = initialize_find(weight, how);
    if (rule == NULL)
        return wg_tape_status(weight != NULL ? weight->tape : NULL);
    if (weight->shape.ndim != 2) {
        wg_fail(weight->tape, WG_E_SHAPE, "initialize: a weight (out, in) wanted: %s",
                wg_tensor_text(weight).s);
        return wg_tape_status(weight->tape);
    }
    double out = (double)weight->shape.dim[0], in = (double)weight->shape.dim[1];
    return initialize_fill(weight, rule, rule->both_fans ? in + out : in, key);
}

wg_status wg_initialize_bias(wg_tensor *bias, const char *how, int64_t fan_in, uint64_t key)
{
    static const initialize_rule zeros = {.name = "zeros"};
    const initialize_rule *rule = initialize_find(bias, how);
    if (rule == NULL)
        return wg_tape_status(bias != NULL ? bias->tape : NULL);
    return initialize_fill(bias, rule->bias && fan_in > 0 ? rule : &zeros, (double)fan_in, key);
}
