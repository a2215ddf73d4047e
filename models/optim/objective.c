/* A recorded loss, and a loss in row blocks, as functions of their parameters. */
#include "models/optim/minimize_internal.h"

#include "autograd/compile/program.h"
#include "autograd/derivatives/derivatives.h"
#include "autograd/grad.h"
#include "autograd/ranks/ranks.h"

#include <math.h>
#include <string.h>

typedef struct objective_loss {
    wg_tensor *loss, **param;
    int n;
    wg_program *gradient; /* outputs: the loss, then its gradient by each parameter */
    wg_program *product;  /* outputs: H v; NULL: not asked for */
    void **tangent;       /* [n]: v, the memory of inputs of the tape */
} objective_loss;

/* ---- Between vectors and tensors. ------------------------------------------------------------ */

double *wg_vector_new(wg_tape *t, int64_t n)
{
    int64_t bytes;
    if (n < 0 || !wg_size_multiply(n, (int64_t)sizeof(double), &bytes)) {
        wg_fail(t, WG_E_VALUE, "minimizer: so many parameters are too many to be counted");
        return NULL;
    }
    return wg_tape_take(t, (size_t)bytes);
}

static void objective_load(const wg_tensor *from, double to[])
{
    for (int64_t i = 0; i < from->size; i++)
        to[i] = wg_element(from, i);
}

static void objective_store(const double from[], int64_t n, wg_dtype dtype, void *to)
{
    for (int64_t i = 0; i < n; i++)
        if (dtype == WG_F32)
            ((float *)to)[i] = (float)from[i];
        else
            ((double *)to)[i] = from[i];
}

int64_t wg_params_size(wg_tensor *const params[], int n)
{
    int64_t size = 0;
    for (int i = 0; i < n; i++)
        size += wg_size(params[i]);
    return size;
}

void wg_params_to_vector(wg_tensor *const params[], int n, double x[])
{
    for (int i = 0; i < n; i++)
        if (!wg_is_inert(params[i])) {
            objective_load(params[i], x);
            x += params[i]->size;
        }
}

/* And back, rounded to their dtype. */
static void objective_set_params(const double x[], wg_tensor *const params[], int n)
{
    for (int i = 0; i < n; i++) {
        void *data = wg_edit(params[i]);
        if (data != NULL) {
            objective_store(x, params[i]->size, params[i]->dtype, data);
            x += params[i]->size;
        }
    }
}

double *wg_params_penalized(wg_tape *t, wg_tensor *const params[], int n)
{
    double *factor = wg_vector_new(t, wg_params_size(params, n));
    int64_t at = 0;
    for (int i = 0; factor != NULL && i < n; i++)
        for (int64_t k = 0; k < wg_size(params[i]); k++)
            factor[at++] = params[i]->shape.ndim >= 2 ? 1 : 0;
    return factor;
}

/* All outputs of a program from `first` on, n of them, one after the other. */
static void objective_outputs(const wg_program *program, int first, int n, double to[])
{
    for (int i = 0; i < n; i++) {
        const wg_tensor *output = wg_program_output(program, first + i);
        objective_load(output, to);
        to += output->size;
    }
}

/* ---- What the objective calls. --------------------------------------------------------------- */

static double objective_value(const double x[], double g[], void *user)
{
    const objective_loss *l = user;
    objective_set_params(x, l->param, l->n);
    if (wg_program_run(l->gradient) != WG_OK)
        return (double)NAN;
    objective_outputs(l->gradient, 1, l->n, g);
    return wg_item(wg_program_output(l->gradient, 0));
}

/* v into the tangents' memory. */
static void objective_set_tangents(const double v[], wg_tensor *const params[], int n,
                                   void *const tangent[])
{
    for (int i = 0; i < n; i++) {
        objective_store(v, params[i]->size, params[i]->dtype, tangent[i]);
        v += params[i]->size;
    }
}

static void objective_product(const double v[], double hv[], void *user)
{
    const objective_loss *l = user;
    objective_set_tangents(v, l->param, l->n, l->tangent);
    if (wg_program_run(l->product) == WG_OK)
        objective_outputs(l->product, 0, l->n, hv);
}

static void objective_hessian(double h[], void *user)
{
    const objective_loss *l = user;
    wg_tape *t = l->loss->tape;
    const wg_mark mark = wg_tape_mark(t);
    wg_replay_to(&l->loss, 1);
    wg_tensor *matrix = wg_hessian(l->loss, l->param, l->n);
    if (wg_is_inert(matrix))
        return; /* the tape keeps the error */
    objective_load(matrix, h);
    wg_tape_rewind(t, mark);
}

/* ---- Making it. ------------------------------------------------------------------------------ */

static bool objective_record_gradient(objective_loss *l, wg_tape *t)
{
    wg_tensor **outputs = wg_tape_take(t, (size_t)(l->n + 1) * sizeof *outputs);
    if (outputs == NULL)
        return false;
    outputs[0] = l->loss;
    if (wg_grad(l->loss, l->param, l->n, outputs + 1) != WG_OK)
        return false;
    l->gradient = wg_compile(outputs, l->n + 1, NULL);
    return wg_tape_status(t) == WG_OK;
}

/* Inputs [n] of the parameters' shapes, whose memory is tangent[n]; NULL: an error was recorded. */
static wg_tensor **objective_new_tangents(wg_tape *t, wg_tensor *const params[], int n,
                                          void **tangent)
{
    wg_tensor **v = wg_tape_take(t, (size_t)n * sizeof *v);
    for (int i = 0; v != NULL && i < n; i++) {
        const wg_tensor *p = params[i];
        tangent[i] = wg_tape_take(t, (size_t)p->size * wg_dtype_size(p->dtype));
        v[i] = wg_input(t, NULL, p->dtype, p->shape.ndim, p->shape.dim, tangent[i]);
    }
    return wg_tape_status(t) == WG_OK ? v : NULL;
}

static bool objective_record_product(objective_loss *l, wg_tape *t)
{
    wg_tensor **hv = wg_tape_take(t, (size_t)l->n * sizeof *hv);
    l->tangent = wg_tape_take(t, (size_t)l->n * sizeof *l->tangent);
    if (hv == NULL || l->tangent == NULL)
        return false;
    wg_tensor **v = objective_new_tangents(t, l->param, l->n, l->tangent);
    if (v == NULL)
        return false;
    if (wg_hvp(l->loss, l->param, v, l->n, hv) != WG_OK)
        return false;
    l->product = wg_compile(hv, l->n, NULL);
    return wg_tape_status(t) == WG_OK;
}

/* Are these n >= 1 parameters of the tape? False: an error there. */
static bool objective_params_fit(wg_tape *t, wg_tensor *const params[], int n)
{
    if (n < 1)
        wg_fail(t, WG_E_VALUE, "objective: there is no parameter");
    for (int i = 0; i < n && wg_tape_status(t) == WG_OK; i++)
        if (wg_is_inert(params[i]) || params[i]->tape != t)
            wg_fail(t, wg_is_inert(params[i]) ? WG_E_NULL : WG_E_TAPE,
                    "objective: parameter %d is none of the loss's tape", i);
        else if (params[i]->op != &wg_op_parameter)
            wg_fail(t, WG_E_VALUE, "objective: tensor %d is no parameter", i);
    return wg_tape_status(t) == WG_OK;
}

double wg_objective_noise(wg_dtype dtype)
{
    return dtype == WG_F32 ? 0x1p-17 : 0x1p-46;
}

static objective_loss *objective_record(wg_tensor *loss, wg_tensor *const params[], int n,
                                        bool curvature)
{
    wg_tape *t = loss->tape;
    objective_loss *l = wg_tape_take(t, sizeof *l);
    if (l == NULL)
        return NULL;
    *l = (objective_loss){.loss = loss, .n = n};
    l->param = wg_tape_take(t, (size_t)n * sizeof *l->param);
    if (l->param == NULL)
        return NULL;
    memcpy(l->param, params, (size_t)n * sizeof *l->param);
    return objective_record_gradient(l, t) && (!curvature || objective_record_product(l, t)) ? l
                                                                                             : NULL;
}

wg_objective wg_objective_new(wg_tensor *loss, wg_tensor *const params[], int n, bool curvature)
{
    wg_objective f = {.tape = loss != NULL ? loss->tape : NULL};
    if (wg_is_inert(loss)) {
        wg_fail(f.tape, WG_E_NULL, "objective: the loss is NULL or inert");
        return f;
    }
    objective_loss *l = objective_params_fit(f.tape, params, n)
                            ? objective_record(loss, params, n, curvature)
                            : NULL;
    if (l == NULL)
        return f;
    f.n = wg_params_size(params, n);
    f.noise = wg_objective_noise(loss->dtype);
    f.value_and_gradient = objective_value;
    f.hessian_product = curvature ? objective_product : NULL;
    f.hessian = objective_hessian;
    f.user = l;
    return f;
}

/* ---- In row blocks. -------------------------------------------------------------------------- */

typedef struct objective_sum {
    wg_blocks *blocks, *products; /* of the gradient, and of H v; products NULL: not asked for */
    wg_tensor **param;            /* [n] */
    wg_tensor **gradient, **hv;   /* [n] */
    wg_tensor **v;                /* [n] inputs */
    void **tangent;               /* [n]: their memory */
    int n;
} objective_sum;

static double objective_sum_value(const double x[], double g[], void *user)
{
    const objective_sum *s = user;
    objective_set_params(x, s->param, s->n);
    if (wg_blocks_run(s->blocks) != WG_OK)
        return (double)NAN;
    wg_params_to_vector(s->gradient, s->n, g);
    return wg_item(wg_blocks_value(s->blocks));
}

static void objective_sum_product(const double v[], double hv[], void *user)
{
    const objective_sum *s = user;
    objective_set_tangents(v, s->param, s->n, s->tangent);
    if (wg_blocks_run(s->products) == WG_OK)
        wg_params_to_vector(s->hv, s->n, hv);
}

/* Column by column, which are rows: H is symmetric. */
static void objective_sum_hessian(double h[], void *user)
{
    const objective_sum *s = user;
    wg_tape *t = s->param[0]->tape;
    const int64_t n = wg_params_size(s->param, s->n);
    double *unit = wg_temporary(t, n, sizeof *unit);
    if (unit == NULL)
        return;
    memset(unit, 0, (size_t)n * sizeof *unit);
    for (int64_t i = 0; i < n && wg_tape_status(t) == WG_OK; i++) {
        unit[i] = 1;
        objective_sum_product(unit, h + i * n, user);
        unit[i] = 0;
    }
    wg_temporary_free(t, unit);
}

static wg_status objective_sum_derive(wg_tensor *y, wg_tensor *const xs[], int n,
                                      wg_tensor *results[], void *user)
{
    const objective_sum *s = user;
    return wg_hvp(y, xs, s->v, n, results);
}

static bool objective_sum_curvature(objective_sum *s, wg_tape *t)
{
    s->v = objective_new_tangents(t, s->param, s->n, s->tangent);
    if (wg_ranks_agree(t, 0, "") != WG_OK)
        return false;
    s->products = wg_blocks_derived(s->blocks, objective_sum_derive, s);
    for (int i = 0; i < s->n; i++)
        s->hv[i] = wg_blocks_gradient(s->products, i);
    return wg_tape_status(t) == WG_OK;
}

static objective_sum *objective_sum_new(wg_tape *t, wg_blocks *blocks, bool curvature)
{
    const int n = wg_blocks_params(blocks);
    objective_sum *s = wg_tape_take(t, sizeof *s);
    wg_tensor **list = wg_tape_take(t, 3 * (size_t)n * sizeof *list);
    void **tangent = wg_tape_take(t, (size_t)n * sizeof *tangent);
    if (s == NULL || list == NULL || tangent == NULL)
        return NULL;
    *s = (objective_sum){.blocks = blocks,
                         .param = list,
                         .gradient = list + n,
                         .hv = list + 2 * n,
                         .tangent = tangent,
                         .n = n};
    for (int i = 0; i < n; i++) {
        s->param[i] = wg_blocks_param(blocks, i);
        s->gradient[i] = wg_blocks_gradient(blocks, i);
    }
    return objective_params_fit(t, s->param, n) && (!curvature || objective_sum_curvature(s, t))
               ? s
               : NULL;
}

wg_objective wg_objective_blocks(wg_blocks *blocks, bool curvature)
{
    const wg_tensor *value = wg_blocks_value(blocks);
    if (wg_is_inert(value))
        return (wg_objective){.tape = NULL}; /* the tape that has the error is not known here */
    objective_sum *s = objective_sum_new(value->tape, blocks, curvature);
    if (s == NULL)
        return (wg_objective){.tape = value->tape};
    return (wg_objective){.tape = value->tape,
                          .n = wg_params_size(s->param, s->n),
                          .noise = wg_objective_noise(s->param[0]->dtype),
                          .value_and_gradient = objective_sum_value,
                          .hessian_product = curvature ? objective_sum_product : NULL,
                          .hessian = curvature ? objective_sum_hessian : NULL,
                          .user = s};
}
