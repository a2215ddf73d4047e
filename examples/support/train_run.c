/* What train does, in one process or in several. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wengert.h>

#include "advice.h"
#include "budget.h"
#include "charts.h"
#include "checks.h"
#include "coefficients.h"
#include "folds.h"
#include "identifiers.h"
#include "progress.h"
#include "report.h"
#include "rounding.h"
#include "same_file.h"
#include "summary.h"
#include "train_arguments.h"
#include "train_run.h"

enum { INTERRUPTED = 130 };                      /* the exit status after Ctrl-C */
enum { MEMORY_LEAST = 64, MEMORY_ASKED = 1024 }; /* MB: always allowed; with --hidden, --degree */

/* ---- Before the training ------------------------------------------------------------------------------ */

/* The file's rows, all of them, and those that are trained on and tested by. */
typedef struct parts {
    wg_dataset all, trained, tested; /* tested.table NULL: none */
    bool numbers;                    /* are predicted, not classes */
} parts;

/* Do the labels rather look like numbers to predict than like classes: fractions, or many of few rows? */
static bool label_counts(const wg_table *table)
{
    const int64_t k = table->class_count;
    bool fractions = false;
    for (int64_t i = 0; table->targets != NULL && i < table->rows; i++)
        fractions = fractions || wg_at(table->targets, i) != floor(wg_at(table->targets, i));
    return table->targets != NULL && k > 2 && (fractions || (k > 10 && 10 * k > table->rows));
}

/* Of the rows the model and its pictures are possible. */
static bool choose_model(train_arguments *a, parts *r)
{
    int64_t k = r->all.table->class_count;
    r->numbers = a->e.model != NULL && strcmp(a->e.model, "regression") == 0;
    if (wg_dataset_rows(&r->all) == 0)
        return check_fail(a->data, "holds no rows");
    if (r->numbers && (a->curve != NULL || a->confusion != NULL))
        return check_fail("--confusion and --pr are for classes, not for regression", "");
    if (r->numbers)
        return true;
    if (k < 2)
        return check_fail("there is one class alone:", r->all.table->class_names[0]);
    if (a->curve != NULL && k != 2) {
        options_complain("--pr: %s has %" PRId64 " classes, not two", a->data, k);
        return false;
    }
    if (a->e.model == NULL && label_counts(r->all.table)) {
        options_complain("%s: %s holds %" PRId64 " different numbers: --model regression predicts "
                         "numbers, --model softmax classes",
                         a->data, wg_shown_text(r->all.table->label_name).s, k);
        return false;
    }
    if (wg_is_inert(wg_table_classes(r->all.table))) /* too many, which have no names then */
        return false;
    if (a->e.model == NULL && k == 2)
        a->e.model = "logistic";
    return true;
}

static int rising(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Rows of a stream are taken in the file's order. */
static wg_tensor *in_order(wg_tape *t, const train_arguments *a, wg_tensor *rows)
{
    const int64_t n = wg_size(rows);
    int64_t *row = rows_streamed(&a->rows) ? wg_tape_take(t, (size_t)n * sizeof *row) : NULL;
    if (row == NULL || wg_tape_status(t) != WG_OK)
        return rows;
    memcpy(row, wg_data_i64(rows), (size_t)n * sizeof *row);
    qsort(row, (size_t)n, sizeof *row, rising);
    return wg_input(t, "rows", WG_I64, WG_SHAPE(n), row);
}

static bool split(wg_tape *t, const train_arguments *a, parts *r)
{
    r->trained = r->all;
    if (a->test_file != NULL) {
        rows_options o = a->rows;
        o.columns = rows_columns(t, r->all.table->column_names, r->all.table->string_names);
        o.categories = r->all.table->string_names;
        if (r->all.table->csv != NULL) /* by its name, wherever it stands */
            o.label = r->all.table->label_name;
        o.drop = NULL;
        o.cache = NULL;
        o.f32 = wg_dtype_of(wg_table_features(r->all.table)) == WG_F32;
        o.f64 = !o.f32;
        o.width = r->all.sparse != NULL ? wg_dataset_columns(&r->all) : 0;
        r->tested = rows_read(t, a->test_file, &o);
        return wg_tape_status(t) == WG_OK &&
               check_test_rows(a->test_file, &r->all, &r->tested, r->numbers);
    }
    if (a->test == 0)
        return true;
    wg_train_test which = wg_train_test_split(
        t, wg_dataset_rows(&r->all),
        &(wg_train_test_options){.test = a->test,
                                 .seed = a->e.seed,
                                 .stratify = r->numbers ? NULL : wg_table_classes(r->all.table)});
    r->trained = wg_dataset_take(&r->all, in_order(t, a, which.train));
    r->tested = wg_dataset_take(&r->all, in_order(t, a, which.test));
    return wg_tape_status(t) == WG_OK;
}

/* This rank's part of the training rows; every rank has read the same file, and predicts all rows of it. Where
 * there are many, those that fall to it, which then do not move. */
static wg_dataset shared(wg_tape *t, const wg_dataset *rows)
{
    const int64_t all = wg_dataset_rows(rows), rank = wg_ranks_number(t), size = wg_ranks_size(t);
    if (size == 1)
        return *rows;
    int64_t first = all * rank / size, end = all * (rank + 1) / size;
    if (size <= 64 && all >= 64 * WG_RANKS_BLOCK)
        wg_ranks_range(t, all, &first, &end);
    int64_t n = end - first, *row = wg_tape_take(t, (size_t)n * sizeof *row);
    for (int64_t i = 0; row != NULL && i < n; i++)
        row[i] = first + i;
    return wg_dataset_take(rows, wg_constant(t, WG_I64, WG_SHAPE(n), row));
}

static bool prepare(wg_tape *t, train_arguments *a, parts *r)
{
    *r = (parts){.numbers = false};
    if (!same_file(t, a->data, rows_streamed(&a->rows)) || !same_file(t, a->rows.labels, false) ||
        !same_file(t, a->test_file, false))
        return false;
    r->all = rows_read(t, a->data, &a->rows);
    if (wg_tape_status(t) != WG_OK || !choose_model(a, r))
        return false;
    summary_data(a, &r->all, r->numbers);
    fflush(stdout);
    const wg_dataset part = r->all.sparse == NULL && rows_streamed(&a->rows) ? shared(t, &r->all)
                                                                             : r->all;
    rounding_warn(a, &part);
    identifiers_warn(a, &r->all);
    return check_names(a, r->all.table) && check_texts(a, r->all.table) &&
           check_numbers(a, r->all.table) && split(t, a, r) &&
           check_strings(a, r->trained.table, r->tested.table);
}

static bool cross_validate(wg_tape *t, train_arguments *a, const parts *r)
{
    if (a->folds == 0)
        return true;
    if (wg_tape_options_of(t)->ranks != NULL)
        return check_fail("--cv is for one process", "");
    const wg_tensor *classes = r->numbers ? NULL : wg_table_classes(r->trained.table);
    if (a->folds > wg_dataset_rows(&r->trained))
        return check_fail("--cv has more parts than there are training rows", "");
    double C = folds_choose(&r->trained, a, classes);
    if (wg_tape_status(t) == WG_OK && a->C.n > 1)
        printf("chosen       C %g\n", a->e.C = C);
    return wg_tape_status(t) == WG_OK;
}

/* ---- After it ------------------------------------------------------------------------------------------ */

static bool draw(const train_arguments *a, const wg_estimator *e, const judged *r)
{
    int64_t k = e->class_count;
    if (a->plot != NULL &&
        !chart_history(a->plot, a->data, &e->fit, progress_step(wg_at(e->fit.rate, 0))))
        return false;
    if (a->confusion != NULL &&
        !chart_confusion(a->confusion, a->data, wg_confusion_matrix(r->predicted, r->truth, k),
                         e->class_names))
        return false;
    return a->curve == NULL ||
           chart_precision_recall(a->curve, a->data, wg_slice(r->p, 1, 1, 2),
                                  wg_reshape(r->truth, WG_SHAPE(wg_size(r->truth), 1)),
                                  e->class_names[1]);
}

/* Saved first: what can be told of it later can be told by predict, too. */
static bool finish(wg_tape *t, const train_arguments *a, const wg_estimator *e, const parts *r)
{
    if (a->save != NULL && wg_estimator_save(e, a->save) != WG_OK)
        return false;
    if (wg_ranks_number(t) > 0) /* one judges */
        return true;
    bool tests = r->tested.table != NULL;
    coefficients weights = coefficients_of(t, e);
    const bool placed = !tests || a->test_file != NULL; /* not dealt to parts */
    judged trained = judge("train", e, &r->trained, placed, a->room);
    judged tested = tests ? judge("test", e, &r->tested, placed, a->room) : trained;
    if (wg_tape_status(t) != WG_OK)
        return false;
    summary_fit(a, e, wg_dataset_rows(&r->trained), tests ? wg_dataset_rows(&r->tested) : 0);
    if (!a->quiet)
        summary_checks(e);
    summary_metrics(e, &trained);
    if (tests)
        summary_metrics(e, &tested);
    if (!a->quiet) {
        summary_classes(e, &tested);
        coefficients_print(&weights, e);
    }
    const report page = {a, e, &r->all, &trained, tests ? &tested : NULL, &weights};
    return wg_tape_status(t) == WG_OK && draw(a, e, &tested) &&
           (a->report == NULL || report_write(a->report, &page));
}

/* Is there memory for a check of the gradient that nobody asked for? It takes some thirty copies of it. */
static bool check_is_small(const train_arguments *a, const parts *r)
{
    const int64_t k = r->numbers ? 1 : r->all.table->class_count;
    return wg_dataset_columns(&r->trained) <= a->room / 30 / (int64_t)sizeof(double) / k;
}

/* Returns the exit status; a failure may be one that the tape does not know of. */
static int train(wg_tape *t, train_arguments *a)
{
    parts r;
    if (!check_files(a) || !prepare(t, a, &r))
        return 1;
    a->fitting = true;
    if (!cross_validate(t, a, &r))
        return 1;
    progress shown = progress_new(wg_dataset_rows(&r.trained), a->quiet);
    a->e.fit.on_epoch = progress_show;
    a->e.fit.on_epoch_user = &shown;
    a->e.fit.stop = progress_interrupt();
    if (a->page && a->e.fit.check_every == 0 && check_is_small(a, &r))
        a->e.fit.check_every = INT64_MAX; /* at the start and at the end */
    const wg_dataset part = shared(t, &r.trained);
    const wg_estimator *e = wg_estimator_fit(&part, &a->e);
    progress_end(&shown);
    if (wg_tape_status(t) != WG_OK || !finish(t, a, e, &r))
        return 1;
    if (e->fit.stop != WG_FIT_STOPPED)
        return 0;
    options_complain("stopped by Ctrl-C; the best weights so far were kept");
    return INTERRUPTED;
}

/* Does the message begin with the file's name? */
static bool is_of(const char *file, const char *message)
{
    return file != NULL && strncmp(message, file, strlen(file)) == 0;
}

/* For the files that are read, and what is asked of them. */
static budget budget_of(const train_arguments *a)
{
    const char *const given[] = {a->data, a->test_file, a->rows.labels,
                                 a->e.fit.resume ? a->e.fit.checkpoint : NULL};
    const char *files[sizeof given / sizeof *given + 1] = {NULL};
    for (size_t i = 0, n = 0; i < sizeof given / sizeof *given; i++)
        if (given[i] != NULL)
            files[n++] = given[i];
    const int64_t least = a->hidden.n > 0 || a->degree > 1 ? MEMORY_ASKED : MEMORY_LEAST;
    const int64_t each = a->threads > 1 ? a->threads : 0; /* a thread's own room, in MB */
    return budget_new(a->memory, least + each, files);
}

int train_run(int argc, char **argv, const wg_ranks *ranks)
{
    train_arguments a;
    int status = train_arguments_read(argc, argv, &a);
    if (status >= 0)
        return status;
    a.page = a.report != NULL;
    if (ranks != NULL && ranks->rank > 0) {
        a.quiet = true;
        a.plot = a.confusion = a.curve = a.report = NULL;
    }
    wg_pool *pool = a.threads > 1 ? wg_pool_new((int)a.threads, NULL) : NULL;
    budget memory = budget_of(&a);
    a.room = memory.limit / 8;
    wg_tape *t = wg_tape_new(&(wg_tape_options){
        .allocator = budget_allocator(&memory), .seed = a.e.seed, .pool = pool, .ranks = ranks});
    status = train(t, &a);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "%s: %s\n", options_program(), wg_tape_message(t));
    if (wg_tape_status(t) != WG_OK)
        budget_explain(&memory, a.data);
    advise(a.fitting ? ADVISED_FIT : ADVISED_TRAIN, t,
           is_of(a.test_file, wg_tape_message(t)) ? a.test_file : a.data, &a.rows);
    if (wg_tape_status(t) != WG_OK || !options_finish())
        status = 1;
    wg_tape_free(t);
    wg_pool_free(pool);
    return status;
}
