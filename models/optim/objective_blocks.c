/* A loss in row blocks as a function of its parameters. */
#include "models/optim/minimize_internal.h"

#include <math.h>

typedef struct objective_sum {
    wg_blocks *blocks;
    wg_tensor **param, **gradient; /* [n] */
    int n;
} objective_sum;

static double objective_sum_value(const double x[], double g[], void *user)
{
    const objective_sum *s = user;
    wg_vector_to_params(x, s->param, s->n);
    if (wg_blocks_run(s->blocks) != WG_OK)
        return (double)NAN;
    wg_params_to_vector(s->gradient, s->n, g);
    return wg_item(wg_blocks_value(s->blocks));
}

static objective_sum *objective_sum_new(wg_tape *t, wg_blocks *blocks)
{
    const int n = wg_blocks_params(blocks);
    objective_sum *s = wg_tape_take(t, sizeof *s);
    wg_tensor **list = wg_tape_take(t, 2 * (size_t)n * sizeof *list);
    if (s == NULL || list == NULL)
        return NULL;
    *s = (objective_sum){.blocks = blocks, .param = list, .gradient = list + n, .n = n};
    for (int i = 0; i < n; i++) {
        s->param[i] = wg_blocks_param(blocks, i);
        s->gradient[i] = wg_blocks_gradient(blocks, i);
    }
    return wg_objective_params_fit(t, s->param, n) ? s : NULL;
}

wg_objective wg_objective_blocks(wg_blocks *blocks)
{
    const wg_tensor *value = wg_blocks_value(blocks);
    if (wg_is_inert(value))
        return (wg_objective){.tape = NULL}; /* the tape that has the error is not known here */
    objective_sum *s = objective_sum_new(value->tape, blocks);
    if (s == NULL)
        return (wg_objective){.tape = value->tape};
    return (wg_objective){.tape = value->tape,
                          .n = wg_params_size(s->param, s->n),
                          .noise = wg_objective_noise(s->param[0]->dtype),
                          .value_and_gradient = objective_sum_value,
                          .user = s};
}
