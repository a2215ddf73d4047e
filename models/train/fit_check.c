/* The gradient of a training, checked while it runs: option check_every. */
#include "models/train/fit_internal.h"

#include "autograd/op.h"

#ifdef WG_NO_CHECK

bool wg_fit_check(wg_fit_run *run, bool last)
{
    (void)last;
    if (run->o.check_every != 0)
        wg_fail(run->tape, WG_E_VALUE,
                "fit: check_every: this library has no checks (WG_NO_CHECK)");
    return wg_tape_status(run->tape) == WG_OK;
}

void wg_fit_check_take(const wg_fit_run *run, wg_fit_result *result)
{
    (void)run;
    (void)result;
}

void wg_fit_check_end(wg_fit_run *run)
{
    (void)run;
}

#else

#include "autograd/check/gradcheck.h"
#include "ops/index.h"

#include <inttypes.h>
#include <string.h>

enum { FIT_CHECK_ROWS = 32, FIT_CHECK_ENTRIES = 1000, FIT_CHECK_DIRECTIONS = 4 };
enum { FIT_CHECK_BYTES = 1 << 20 }; /* of the rows; a check makes some twenty copies of them */

/* How many; a rank may have none. */
static int64_t fit_check_rows(const wg_fit_run *run)
{
    const int64_t n = run->rows.targets->shape.dim[0];
    const wg_tensor *X = run->rows.train.X;
    const int64_t width = X != NULL && X->size > 0 ? (int64_t)wg_row_bytes(X) : 1;
    const int64_t fit = FIT_CHECK_BYTES / width;
    const int64_t most = fit > FIT_CHECK_ROWS ? FIT_CHECK_ROWS : fit > 0 ? fit : 1;
    return n < most ? n : most;
}

/* The first n rows, in memory: a check asks for values, which streamed ones have not. */
static wg_dataset fit_check_take(const wg_dataset *from, int64_t n)
{
    wg_dataset rows = {.X = NULL};
    if (from->sparse != NULL) {
        rows.sparse = wg_csr_load_rows(from->sparse, 0, n);
        return rows;
    }
    const wg_tensor *X = from->X;
    void *room = wg_rows_room(X, n);
    if (wg_tape_status(X->tape) == WG_OK) {
        const wg_tensor piece = wg_rows_piece(X, 0, n, room);
        if (piece.data != NULL)
            rows.X = wg_constant(X->tape, X->dtype, X->shape.ndim, piece.shape.dim, piece.data);
    }
    wg_temporary_free(X->tape, room);
    return rows;
}

/* The loss of the first training rows, with the penalty, at the parameters' present values. */
static wg_tensor *fit_check_loss(const wg_fit_run *run)
{
    int64_t row[FIT_CHECK_ROWS], n = fit_check_rows(run);
    for (int64_t i = 0; i < n; i++)
        row[i] = i;
    wg_tensor *which = wg_constant(run->tape, WG_I64, WG_SHAPE(n), row);
    const wg_dataset rows = fit_check_take(&run->rows.train, n);
    if (wg_tape_status(run->tape) != WG_OK)
        return NULL;
    wg_tensor *weights = run->rows.weights != NULL ? wg_gather_rows(run->rows.weights, which)
                                                   : NULL;
    return wg_fit_loss_of(run, wg_fit_outputs(run->model, &rows, true),
                          wg_gather_rows(run->rows.targets, which), weights);
}

/* Large parameters along some directions, small ones entry by entry. */
static size_t fit_check_directions(const wg_fit_model *model)
{
    for (int i = 0; i < model->n_params; i++)
        if (model->params[i]->size > FIT_CHECK_ENTRIES)
            return FIT_CHECK_DIRECTIONS;
    return 0;
}

static bool fit_check_judge(const wg_fit_run *run, const wg_check_report *report)
{
    for (int i = 0; i < run->model->n_params; i++) {
        wg_check_verdict v = report[i].verdict;
        if (v != WG_CHECK_FAILED && v != WG_CHECK_NOT_FINITE && v != WG_CHECK_INVALID)
            continue;
        const char *name = run->model->params[i]->name;
        wg_fail(run->tape, WG_E_VALUE, "fit: the gradient of %s %s after epoch %" PRId64 ": %s",
                name != NULL ? name : "a parameter",
                v == WG_CHECK_INVALID ? "cannot be checked" : "is wrong", run->state.epoch,
                report[i].blame != NULL ? report[i].blame : wg_check_verdict_name(v));
        return false;
    }
    return true;
}

/* Into the reports, whose texts do not outlive the check but for the names. */
static bool fit_check_now(wg_fit_run *run, wg_check_report *report)
{
    wg_mark mark = wg_tape_mark(run->tape);
    int n = run->model->n_params;
    wg_tensor *loss = fit_check_loss(run);
    if (wg_tape_status(run->tape) != WG_OK)
        return false;
    wg_gradcheck_options o = {.directions = fit_check_directions(run->model)};
    wg_gradcheck(loss, run->model->params, NULL, n, &o, report);
    if (!fit_check_judge(run, report))
        return false;
    for (int i = 0; i < n; i++) {
        report[i].name = run->model->params[i]->name;
        report[i].blame = report[i].note = NULL;
    }
    wg_tape_rewind(run->tape, mark);
    return true;
}

bool wg_fit_check(wg_fit_run *run, bool last)
{
    int64_t every = run->o.check_every;
    if (wg_tape_status(run->tape) != WG_OK)
        return false;
    if (every == 0 || fit_check_rows(run) == 0 ||
        (!last && run->check[0] != NULL && run->state.epoch % every != 0))
        return true;
    wg_check_report **report = &run->check[run->check[0] != NULL];
    if (*report == NULL)
        *report = wg_temporary(run->tape, run->model->n_params, sizeof **report);
    return *report != NULL && fit_check_now(run, *report);
}

void wg_fit_check_take(const wg_fit_run *run, wg_fit_result *result)
{
    const wg_check_report **to[] = {&result->first_check, &result->last_check};
    size_t bytes = (size_t)run->model->n_params * sizeof(wg_check_report);
    for (int i = 0; i < 2 && run->check[i] != NULL; i++) {
        wg_check_report *kept = wg_tape_take(run->tape, bytes);
        if (kept != NULL)
            memcpy(kept, run->check[i], bytes);
        *to[i] = kept;
    }
}

void wg_fit_check_end(wg_fit_run *run)
{
    wg_temporary_free(run->tape, run->check[0]);
    wg_temporary_free(run->tape, run->check[1]);
}

#endif
