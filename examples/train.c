/* Trains a model on a CSV file, or a sparse one on an svmlight file, judges it on test rows, and
 * saves it for build/predict.
 *
 *     $ build/train examples/data/iris.csv --save iris.safetensors
 *     data         examples/data/iris.csv: 150 rows, 4 columns, 3 classes of species
 *     model        softmax, 120 training rows, 30 test rows
 *     iterations   27, loss 0.231130, converged
 *     train        accuracy 0.9750, log loss 0.1451
 *     test         accuracy 0.9667, log loss 0.1207
 *
 *     $ build/train examples/data/digits.csv --model mlp --hidden 64,64 --validation 0.1 --patience 5
 *     data         examples/data/digits.csv: 1797 rows, 64 columns, 10 classes of digit
 *     model        mlp, 1437 training rows, 360 test rows
 *     epochs       24, loss 0.007918 at the best one, 19
 *     train        accuracy 0.9979, log loss 0.0147
 *     test         accuracy 0.9833, log loss 0.0612
 *
 * Results are on standard output, progress on standard error: a line an epoch, or on a terminal one that lives.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wengert.h>

#include "support/charts.h"
#include "support/picture.h"
#include "support/progress.h"
#include "support/train_arguments.h"

/* Some of the rows, with what is predicted of them. */
typedef struct part {
    wg_dataset rows;
    wg_tensor *truth, *predicted, *p; /* p: NULL: no classes */
} part;

/* A line of the head's metrics: accuracy and log loss, or R2 and RMSE. */
static void judge(const wg_estimator *e, const char *what, part *r)
{
    const wg_head *head = e->head;
    r->truth = wg_estimator_targets(e, &r->rows);
    r->predicted = wg_estimator_predict(e, &r->rows);
    r->p = head->probabilities != NULL ? wg_estimator_predict_proba(e, &r->rows) : NULL;
    printf("%-12s", what);
    for (int i = 0; i < head->n_metrics; i++)
        printf("%s %s %.4f", i > 0 ? "," : "", head->metrics[i].name,
               head->metrics[i].value(r->predicted, r->p, r->truth));
    putchar('\n');
}

static void report(const train_arguments *a, const wg_estimator *e, const wg_dataset *data,
                   part *trained, part *tested)
{
    wg_fit_result r = e->fit;
    int64_t n = wg_dataset_rows(data), taken = a->e.fit.patience > 0 ? r.best_epoch : r.epochs;
    int64_t k = e->class_count;
    printf("data         %s: %" PRId64 " rows, %" PRId64 " columns, ", a->data, n,
           wg_dataset_columns(data));
    if (k > 0)
        printf("%" PRId64 " classes of %s\n", k, e->label_name);
    else
        printf("%s in numbers\n", e->label_name);
    printf("model        %s, %" PRId64 " training rows, %" PRId64 " test rows\n", e->model,
           wg_dataset_rows(&trained->rows), n - wg_dataset_rows(&trained->rows));
    printf("%-12s %" PRId64 ", loss %.6f", isnan(wg_at(r.rate, 0)) ? "iterations" : "epochs",
           r.optimum.iterations == 0 && isnan(wg_at(r.rate, 0)) ? 0 : r.epochs,
           wg_at(r.loss, taken - 1));
    if (taken < r.epochs)
        printf(" at the best one, %" PRId64, taken);
    puts(r.stop == WG_FIT_CONVERGED ? ", converged" : "");
    judge(e, "train", trained);
    if (tested->rows.table != NULL)
        judge(e, "test", tested);
}

static bool draw(const train_arguments *a, const wg_estimator *e, const part *r)
{
    wg_fit_result result = e->fit;
    int64_t k = e->class_count;
    if (a->plot != NULL && !chart_history(a->plot, &result, progress_step(wg_at(result.rate, 0))))
        return false;
    if (a->confusion != NULL &&
        !chart_confusion(a->confusion, wg_confusion_matrix(r->predicted, r->truth, k), e))
        return false;
    return a->curve == NULL ||
           chart_precision_recall(a->curve, wg_slice(r->p, 1, 1, 2),
                                  wg_reshape(r->truth, WG_SHAPE(wg_size(r->truth), 1)),
                                  e->class_names[1]);
}

/* Before the training, which may take long. */
static bool can_write(const train_arguments *a)
{
    const char *const path[] = {a->save, a->plot, a->confusion, a->curve, a->e.fit.checkpoint};
    for (size_t i = 0; i < sizeof path / sizeof *path; i++)
        if (!options_writable("train", path[i], a->data))
            return false;
    for (size_t i = 1; i <= 3; i++)
        if (path[i] != NULL && !picture_is_svg(path[i]))
            return false;
    return true;
}

/* What to do about some errors. */
static void advise(const wg_tape *t, const char *data)
{
    const char *message = wg_tape_message(t);
    if (wg_tape_status(t) == WG_E_FORMAT && strstr(message, "not a number") != NULL &&
        !rows_are_sparse(data))
        fputs("train: strings other than the label are for --category COLUMN\n", stderr);
    if (wg_tape_status(t) == WG_E_FORMAT && strstr(message, "another separator") != NULL)
        fputs("train: fields that no comma separates are for --separator CHARACTER\n", stderr);
}

/* Returns false after a failure that the tape may not know of. */
static bool train(wg_tape *t, train_arguments *a)
{
    progress shown = progress_new();
    wg_dataset data = rows_read(t, a->data, &a->rows);
    part trained = {.rows = data}, tested = {.rows = {.X = NULL}};
    bool numbers = a->e.model != NULL && strcmp(a->e.model, "regression") == 0;
    int64_t k = data.table->class_count;
    if (wg_tape_status(t) == WG_OK && a->curve != NULL && k != 2) {
        fprintf(stderr, "train: --pr: %s has %" PRId64 " classes, not two\n", a->data, k);
        return false;
    }
    if (numbers && (a->curve != NULL || a->confusion != NULL)) {
        fputs("train: --confusion and --pr are for classes, not for regression\n", stderr);
        return false;
    }
    if (wg_tape_status(t) == WG_OK && a->test > 0) {
        wg_train_test_options split = {.test = a->test,
                                       .seed = a->e.seed,
                                       .stratify = numbers ? NULL : wg_table_classes(data.table)};
        wg_train_test which = wg_train_test_split(t, wg_dataset_rows(&data), &split);
        trained.rows = wg_dataset_take(&data, which.train);
        tested.rows = wg_dataset_take(&data, which.test);
    }
    a->e.fit.on_epoch = progress_show;
    a->e.fit.on_epoch_user = &shown;
    wg_estimator *e = wg_estimator_fit(&trained.rows, &a->e);
    progress_end(&shown);
    if (wg_tape_status(t) != WG_OK)
        return false;
    report(a, e, &data, &trained, &tested);
    if (a->save != NULL && wg_estimator_save(e, a->save) != WG_OK)
        return false;
    return draw(a, e, a->test > 0 ? &tested : &trained);
}

int main(int argc, char **argv)
{
    train_arguments a;
    int status = train_arguments_read(argc, argv, &a);
    if (status >= 0)
        return status;
    wg_pool *pool = a.threads > 1 ? wg_pool_new((int)a.threads, NULL) : NULL;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = a.e.seed, .pool = pool});
    bool done = can_write(&a) && train(t, &a);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "train: %s\n", wg_tape_message(t));
    advise(t, a.data);
    done = done && wg_tape_status(t) == WG_OK && options_finish("train");
    wg_tape_free(t);
    wg_pool_free(pool);
    return done ? 0 : 1;
}
