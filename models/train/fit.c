/* Training by mini-batches. */
#include "models/train/fit.h"

#include "autograd/compile/program.h"
#include "autograd/grad.h"
#include "autograd/op.h"
#include "models/data/batches.h"
#include "models/optim/optimizer_internal.h"
#include "models/train/fit_internal.h"

#include <inttypes.h>
#include <math.h>

/* The loss and the gradients of a batch of one size, compiled. */
typedef struct fit_graph {
    wg_program *program;
    wg_tensor *loss;                     /* the program's */
    wg_tensor **gradient;                /* [n_params] */
    const wg_tensor *predicted, *labels; /* [rows], i64; predicted NULL: they are no classes */
} fit_graph;

/* Training by mini-batches. */
typedef struct fit_batches {
    wg_optimizer *optimizer;
    wg_batches *batches;
    fit_graph full, rest; /* rest.program: NULL where every batch is full */
} fit_batches;

/* ---- Before the first epoch. ----------------------------------------------------------------- */

enum { FIT_X, FIT_TARGETS, FIT_LABELS, FIT_WEIGHTS, FIT_INPUTS };

/* Records and compiles loss, gradients and predicted classes on a batch's inputs; no weights:
 * NULL. */
static fit_graph fit_record(const wg_fit_run *run, wg_tensor *const input[FIT_INPUTS])
{
    int n = run->model->n_params;
    size_t bytes = ((size_t)n + 2) * sizeof(wg_tensor *);
    wg_tensor **outputs = wg_tape_take(run->tape, bytes);
    fit_graph g = {.gradient = wg_tape_take(run->tape, bytes), .labels = input[FIT_LABELS]};
    if (wg_tape_status(run->tape) != WG_OK)
        return g;
    const wg_dataset batch = {.X = input[FIT_X]};
    bool classes = wg_fit_predicts_classes(run->model);
    wg_tensor *Z = wg_fit_outputs(run->model, &batch, true);
    outputs[0] = wg_fit_loss_of(run, Z, input[FIT_TARGETS], input[FIT_WEIGHTS]);
    wg_grad(outputs[0], run->model->params, n, outputs + 1);
    outputs[n + 1] = classes ? run->model->head->predict(Z) : NULL;
    g.program = wg_compile(outputs, n + (classes ? 2 : 1), NULL);
    g.loss = wg_program_output(g.program, 0);
    g.predicted = classes ? wg_program_output(g.program, n + 1) : NULL;
    for (int i = 0; i < n; i++)
        g.gradient[i] = wg_program_output(g.program, i + 1);
    return g;
}

static void fit_record_batches(wg_fit_run *run)
{
    fit_batches *b = run->method;
    const wg_fit_rows *r = &run->rows;
    wg_tensor *source[FIT_INPUTS] = {r->train.X, r->targets, r->labels, r->weights};
    int n = r->weights != NULL ? FIT_INPUTS : FIT_WEIGHTS;
    b->batches = wg_batches_new(source, n,
                                &(wg_batches_options){.size = run->o.batch, .seed = run->o.seed});
    wg_tensor *full[FIT_INPUTS] = {NULL}, *rest[FIT_INPUTS] = {NULL};
    bool has_rest = wg_batches_short_input(b->batches, 0) != wg_batches_input(b->batches, 0);
    for (int i = 0; i < n; i++) {
        full[i] = wg_batches_input(b->batches, i);
        rest[i] = has_rest ? wg_batches_short_input(b->batches, i) : NULL;
    }
    b->full = fit_record(run, full);
    if (has_rest)
        b->rest = fit_record(run, rest);
}

static bool fit_entry(void *method, int64_t i, wg_state_entry *entry)
{
    const fit_batches *b = method;
    return wg_optimizer_state(b->optimizer, i, entry);
}

/* The schedule's rate: of the step, or, for PLATEAU, of the epochs' losses, which a checkpoint
 * keeps. */
static double fit_rate(const wg_fit_run *run, int64_t step)
{
    const wg_schedule *s = run->o.schedule;
    const int column = run->rows.validation_labels != NULL ? FIT_VALIDATION_LOSS : FIT_LOSS;
    if (s->kind != WG_SCHEDULE_PLATEAU)
        return wg_schedule_rate(s, step);
    return wg_schedule_plateau(s, run->state.history + column, run->state.width, run->state.epoch);
}

/* Gradients are given to it in the model's order. */
static bool fit_optimizer_fits(const wg_optimizer *o, const wg_fit_model *m)
{
    bool same = o->n == m->n_params;
    for (int i = 0; i < o->n && same; i++)
        same = o->param[i] == m->params[i];
    if (!same)
        wg_fail(m->params[0]->tape, WG_E_VALUE,
                "fit: the optimizer is not made for the model's %d parameters, in their order",
                m->n_params);
    return same;
}

static bool fit_prepare(wg_fit_run *run)
{
    const wg_fit_model *m = run->model;
    if (run->l1 > 0) {
        wg_fail(
            run->tape, WG_E_VALUE,
            "fit: l1_ratio is for wg_fit_minimize with WG_PROXIMAL: steps of mini-batches reach "
            "no exact zeros");
        return false;
    }
    fit_batches *b = run->method;
    b->optimizer = run->o.optimizer != NULL ? run->o.optimizer
                                            : wg_adam_new(m->params, m->n_params, NULL);
    if (wg_tape_status(run->tape) != WG_OK || !fit_optimizer_fits(b->optimizer, m))
        return false;
    run->identity.rate = run->o.schedule != NULL ? fit_rate(run, 0)
                                                 : wg_optimizer_rate(b->optimizer);
    if (!wg_fit_resume(run))
        return false;
    fit_record_batches(run);
    return wg_tape_status(run->tape) == WG_OK;
}

/* ---- An epoch. ------------------------------------------------------------------------------- */

/* Loss, gradient and predictions of the batch. */
static void fit_batch(wg_fit_run *run, wg_optimizer *optimizer, const fit_graph *g)
{
    int64_t step = wg_optimizer_steps(optimizer);
    if (run->model->set_step != NULL)
        run->model->set_step(run->model->user, step);
    const wg_schedule *s = run->o.schedule;
    if (s != NULL && s->kind != WG_SCHEDULE_PLATEAU)
        wg_optimizer_set_rate(optimizer, fit_rate(run, step));
    wg_program_run(g->program);
    double loss = wg_item(g->loss);
    if (wg_tape_status(run->tape) == WG_OK && !isfinite(loss))
        wg_fail(run->tape, WG_E_NOT_FINITE,
                "fit: the loss is %g in epoch %" PRId64 "; a smaller rate may help", loss,
                run->state.epoch + 1);
}

/* How many rows of the batch were predicted right. */
static int64_t fit_right(const fit_graph *g)
{
    if (g->predicted == NULL)
        return 0;
    const int64_t *predicted = wg_data_i64(g->predicted), *label = wg_data_i64(g->labels);
    int64_t right = 0;
    for (int64_t i = 0; label != NULL && i < wg_size(g->labels); i++)
        right += predicted[i] == label[i];
    return right;
}

/* Trains on all batches once; the row has the means of their losses and accuracies. */
static bool fit_epoch(wg_fit_run *run, double row[])
{
    const fit_batches *b = run->method;
    double sum = 0;
    int64_t rows, seen = 0, right = 0;
    const int64_t size = wg_dim(wg_batches_input(b->batches, 0), 0);
    const wg_schedule *s = run->o.schedule;
    if (s != NULL && s->kind == WG_SCHEDULE_PLATEAU)
        wg_optimizer_set_rate(b->optimizer, fit_rate(run, 0));
    wg_batches_start(b->batches, run->state.epoch + 1);
    const fit_graph *g = &b->full;
    while ((rows = wg_batches_next(b->batches)) > 0) {
        g = rows == size ? &b->full : &b->rest;
        fit_batch(run, b->optimizer, g);
        sum += wg_item(g->loss) * (double)rows;
        right += fit_right(g);
        wg_optimizer_step(b->optimizer, g->gradient);
        seen += rows;
        if (wg_fit_stopped(run))
            break;
    }
    row[FIT_LOSS] = sum / (double)seen;
    row[FIT_ACCURACY] = b->full.predicted != NULL ? (double)right / (double)seen : (double)NAN;
    row[FIT_RATE] = wg_optimizer_rate(b->optimizer);
    for (int i = 0; i < run->model->n_params; i++)
        row[FIT_COLUMNS + i] = sqrt(
            wg_sum_of_squares(g->gradient[i]->dtype, g->gradient[i]->size, g->gradient[i]->data));
    return true;
}

const char *wg_fit_stop_name(wg_fit_stop stop)
{
    static const char *const names[] = {"epochs",  "patience",  "callback",
                                        "stopped", "converged", "error"};
    return names[(unsigned)stop <= WG_FIT_ERROR ? stop : WG_FIT_ERROR];
}

wg_fit_result wg_fit(const wg_fit_model *model, const wg_dataset *data,
                     const wg_fit_options *options)
{
    fit_batches batches = {.optimizer = NULL};
    wg_fit_run run = {.method = &batches, .epoch = fit_epoch, .entry = fit_entry};
    const wg_dataset d = wg_dataset_numbers(data);
    if (options != NULL)
        run.o = *options;
    run.o.epochs = run.o.epochs != 0 ? run.o.epochs : 100;
    run.o.batch = run.o.batch != 0 ? run.o.batch : 32;
    if (wg_ranks_size(wg_dataset_tape(&d)) > 1)
        wg_fail(wg_dataset_tape(&d), WG_E_VALUE,
                "fit: mini-batches are for one process; ranks share the rows of wg_fit_minimize");
    if (d.sparse != NULL)
        wg_fail(wg_dataset_tape(&d), WG_E_VALUE,
                "fit: sparse rows are trained on by all rows at once (lbfgs), not by batches");
    if (wg_fit_start(&run, model, &d) && fit_prepare(&run))
        wg_fit_loop(&run);
    return wg_fit_end(&run);
}
