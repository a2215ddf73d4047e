/* Trains a classifier on a CSV file, judges it on test rows, and saves it for build/predict.
 *
 *     $ build/train examples/data/iris.csv --model softmax --test 0.2 --save iris.safetensors
 *     data         examples/data/iris.csv: 150 rows, 4 columns, 3 classes of species
 *     model        softmax, 120 training rows, 30 test rows
 *     iterations   27, loss 0.231130, converged
 *     train        accuracy 0.9750, log loss 0.1451
 *     test         accuracy 0.9667, log loss 0.1207
 *
 * Results are on standard output, progress on standard error: a line an epoch, or on a terminal one that lives.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <wengert.h>

#include "charts.h"
#include "progress.h"
#include "train_arguments.h"

/* What the estimator wants to know of the data. */
static bool describe(wg_tape *t, const wg_table *data, wg_estimator_options *e)
{
    e->classes = wg_table_class_count(data);
    e->label_name = wg_table_label_name(data);
    const char **names = wg_tape_take(t, (size_t)(e->classes + 1) * sizeof *names);
    for (int64_t i = 0; names != NULL && i < e->classes; i++)
        names[i] = wg_table_class_name(data, i);
    e->class_names = names;
    return wg_tape_status(t) == WG_OK;
}

/* What can be known before the training. */
static bool fits(const train_arguments *a)
{
    if (a->curve == NULL || a->e.classes == 2)
        return true;
    fprintf(stderr, "train: --pr: %s has %" PRId64 " classes, not two\n", a->data, a->e.classes);
    return false;
}

/* Some of the rows, with what is predicted of them. */
typedef struct part {
    wg_tensor *X, *y, *p;
} part;

static part part_take(const part *all, wg_tensor *rows)
{
    return (part){.X = wg_gather_rows(all->X, rows), .y = wg_gather_rows(all->y, rows)};
}

static void judge(const wg_estimator *e, const char *what, part *r)
{
    r->p = wg_estimator_predict_proba(e, r->X);
    printf("%-12s accuracy %.4f, log loss %.4f\n", what, wg_estimator_score(e, r->X, r->y),
           wg_log_loss(r->p, r->y));
}

static void report(const train_arguments *a, const wg_estimator *e, const wg_table *data,
                   part *trained, part *held)
{
    wg_fit_result r = wg_estimator_fit_result(e);
    printf("data         %s: %" PRId64 " rows, %" PRId64 " columns, %" PRId64 " classes of %s\n",
           a->data, wg_table_rows(data), wg_table_columns(data), wg_table_class_count(data),
           wg_table_label_name(data));
    printf("model        %s, %" PRId64 " training rows, %" PRId64 " test rows\n",
           wg_estimator_model(e), wg_size(trained->y), wg_table_rows(data) - wg_size(trained->y));
    int64_t taken = a->e.fit.patience > 0 ? r.best_epoch : r.epochs;
    printf("%-12s %" PRId64 ", loss %.6f", isnan(wg_at(r.rate, 0)) ? "iterations" : "epochs",
           r.epochs, wg_at(r.loss, taken - 1));
    if (taken < r.epochs)
        printf(" at the best one, %" PRId64, taken);
    puts(r.stop == WG_FIT_CONVERGED ? ", converged" : "");
    judge(e, "train", trained);
    if (held->X != NULL)
        judge(e, "test", held);
}

static bool draw(const train_arguments *a, const wg_estimator *e, const part *r)
{
    wg_fit_result result = wg_estimator_fit_result(e);
    int64_t k = wg_estimator_class_count(e);
    if (a->plot != NULL && !chart_history(a->plot, &result, progress_step(wg_at(result.rate, 0))))
        return false;
    if (a->confusion != NULL &&
        !chart_confusion(a->confusion, wg_confusion_matrix(wg_estimator_predict(e, r->X), r->y, k),
                         a->e.class_names))
        return false;
    return a->curve == NULL || chart_precision_recall(a->curve, wg_slice(r->p, 1, 1, 2),
                                                      wg_reshape(r->y, WG_SHAPE(wg_size(r->y), 1)),
                                                      wg_estimator_class_name(e, 1));
}

/* Returns false after a failure that the tape may not know of. */
static bool train(wg_tape *t, train_arguments *a)
{
    progress shown = progress_new();
    wg_table *data = wg_csv_read(t, a->data, &(wg_csv_options){.label = a->label});
    part trained = {.X = wg_table_features(data), .y = wg_table_classes(data)}, held = {NULL};
    if (!describe(t, data, &a->e) || !fits(a))
        return false;
    if (a->test > 0) {
        wg_train_test_options split = {.test = a->test, .seed = a->e.seed, .stratify = trained.y};
        wg_train_test rows = wg_train_test_split(t, wg_table_rows(data), &split);
        held = part_take(&trained, rows.test);
        trained = part_take(&trained, rows.train);
    }
    a->e.fit.on_epoch = progress_show;
    a->e.fit.on_epoch_user = &shown;
    wg_estimator *e = wg_estimator_fit(trained.X, trained.y, &a->e);
    progress_end(&shown);
    if (wg_tape_status(t) != WG_OK)
        return false;
    report(a, e, data, &trained, &held);
    if (a->save != NULL && wg_estimator_save(e, a->save) != WG_OK)
        return false;
    return draw(a, e, held.X != NULL ? &held : &trained);
}

int main(int argc, char **argv)
{
    train_arguments a;
    int status = train_arguments_read(argc, argv, &a);
    if (status >= 0)
        return status;
    wg_pool *pool = a.threads > 1 ? wg_pool_new((int)a.threads, NULL) : NULL;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = a.e.seed, .pool = pool});
    bool done = train(t, &a);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "train: %s\n", wg_tape_message(t));
    done = done && wg_tape_status(t) == WG_OK && options_finish("train");
    wg_tape_free(t);
    wg_pool_free(pool);
    return done ? 0 : 1;
}
