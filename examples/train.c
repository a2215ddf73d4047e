/* Trains a classifier on a CSV file, judges it on test rows, and saves it for build/predict.
 *
 *     $ build/train examples/data/iris.csv --model softmax --test 0.2 --save iris.safetensors
 *     data         examples/data/iris.csv: 150 rows, 4 columns, 3 classes of species
 *     model        softmax, 120 training rows, 30 test rows
 *     iterations   27, loss 0.231130
 *     train        accuracy 0.9750, log loss 0.1451
 *     test         accuracy 0.9667, log loss 0.1207
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wengert.h>

#include "svg.h"

static const char usage[] =
    "usage: train DATA.csv [options]\n"
    "  --model NAME        logistic, softmax (default), one_vs_rest or mlp\n"
    "  --label COLUMN      name of the column to predict; default: the last one\n"
    "  --hidden 64,32      an mlp's hidden layers; default 64\n"
    "  --activation NAME   of an mlp; default relu\n"
    "  --optimizer NAME    lbfgs (default; not for mlp), sgd, momentum, rmsprop, adam (mlp's "
    "default), adamw\n"
    "  --rate R            learning rate; default: the optimizer's own\n"
    "  --penalty-c C       L2 penalty as in scikit-learn; default 1, for an mlp none\n"
    "  --degree D          polynomial features up to degree D\n"
    "  --epochs N          default 100         --batch N        rows of a batch, default 32\n"
    "  --test SHARE        of rows held back for testing; default 0.2; 0: none\n"
    "  --validation SHARE  of training rows to judge epochs by\n"
    "  --patience N        stop after N epochs without improvement; keep the best weights\n"
    "  --balanced          every class counts alike\n"
    "  --seed N            default 0           --threads N      default 1; the same results\n"
    "  --checkpoint FILE   state after each epoch; --resume goes on from it\n"
    "  --save FILE         the model, for predict\n"
    "  --plot FILE.svg     the loss by epoch\n";

typedef struct arguments {
    const char *data, *label, *save, *plot;
    double test, degree, epochs, batch, patience, seed, threads;
    int64_t hidden[16];
    wg_estimator_options e;
} arguments;

static int fail_usage(const char *what, const char *which)
{
    fprintf(stderr, "train: %s '%s'; see train --help\n", what, which);
    return 2;
}

/* Numbers in [low, high], whole ones where `whole`. */
static bool read_number(const char *text, double low, double high, bool whole, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= low && *value <= high &&
           (!whole || *value == (double)(int64_t)*value);
}

static bool read_hidden(const char *text, arguments *a)
{
    char *end;
    for (a->e.n_hidden = 0; a->e.n_hidden < 16; text = end + 1) {
        errno = 0;
        long long size = strtoll(text, &end, 10);
        if (end == text || errno != 0 || size < 1 || (*end != '\0' && *end != ','))
            return false;
        a->hidden[a->e.n_hidden++] = size;
        if (*end == '\0')
            return true;
    }
    return false;
}

/* Returns -1 to go on, or the exit status. */
static int read_arguments(int argc, char **argv, arguments *a)
{
    const struct {
        const char *name, **text;
    } texts[] = {{"--model", &a->e.model},
                 {"--label", &a->label},
                 {"--optimizer", &a->e.optimizer},
                 {"--activation", &a->e.activation},
                 {"--save", &a->save},
                 {"--plot", &a->plot},
                 {"--checkpoint", &a->e.fit.checkpoint}};
    const struct {
        const char *name;
        double *value, low, high;
        bool whole;
    } numbers[] = {{"--rate", &a->e.rate, 1e-300, 1e300, false},
                   {"--penalty-c", &a->e.C, 1e-300, HUGE_VAL, false},
                   {"--test", &a->test, 0, 0.99, false},
                   {"--validation", &a->e.fit.validation, 0, 0.99, false},
                   {"--degree", &a->degree, 1, 10, true},
                   {"--epochs", &a->epochs, 1, 1e9, true},
                   {"--batch", &a->batch, 1, 1e9, true},
                   {"--patience", &a->patience, 1, 1e9, true},
                   {"--seed", &a->seed, 0, 9e15, true},
                   {"--threads", &a->threads, 1, 256, true}};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool known = false;
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
            return fputs(usage, stdout) < 0;
        if (strcmp(name, "--balanced") == 0 || strcmp(name, "--resume") == 0) {
            *(name[2] == 'b' ? &a->e.fit.balanced : &a->e.fit.resume) = true;
            continue;
        }
        if (name[0] != '-' && a->data == NULL) {
            a->data = name;
            continue;
        }
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (strcmp(name, texts[k].name) == 0 && value != NULL) {
                *texts[k].text = value;
                known = true;
            }
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (strcmp(name, numbers[k].name) == 0 && value != NULL) {
                known = read_number(value, numbers[k].low, numbers[k].high, numbers[k].whole,
                                    numbers[k].value);
                if (!known)
                    return fail_usage(name, value);
            }
        if (strcmp(name, "--hidden") == 0 && value != NULL) {
            known = read_hidden(value, a);
            a->e.hidden = a->hidden;
        }
        if (!known)
            return fail_usage("unknown, or without its value:", name);
        i++;
    }
    return a->data != NULL ? -1 : fail_usage("missing:", "DATA.csv");
}

/* A live line on a terminal, a line an epoch elsewhere. */
static bool show_epoch(const wg_fit_epoch *e, void *live)
{
    fprintf(stderr, "%sepoch %" PRId64 "/%" PRId64 "  loss %.6f", *(bool *)live ? "\r" : "",
            e->epoch, e->epochs, e->loss);
    if (e->validation_loss == e->validation_loss)
        fprintf(stderr, "  validation loss %.6f, accuracy %.4f", e->validation_loss,
                e->validation_accuracy);
    fputs(*(bool *)live && e->epoch < e->epochs ? "\033[K" : "\n", stderr);
    return true;
}

static bool plot_losses(const char *path, const wg_fit_result *r)
{
    if (r->loss == NULL || r->epochs < 2) {
        fprintf(stderr, "train: no curve to plot: lbfgs has no epochs, and one is too few\n");
        return false;
    }
    double *x = malloc((size_t)r->epochs * sizeof *x), most = 0;
    FILE *file = fopen(path, "w");
    const wg_tensor *held = r->validation_loss;
    for (int64_t i = 0; x != NULL && i < r->epochs; i++) {
        x[i] = (double)(i + 1);
        most = wg_at(r->loss, i) > most ? wg_at(r->loss, i) : most;
        most = held != NULL && wg_at(held, i) > most ? wg_at(held, i) : most;
    }
    bool done = x != NULL && file != NULL;
    if (done) {
        svg_plot p = {.title = "Loss",
                      .x = {.label = "epoch", .from = 1, .to = (double)r->epochs},
                      .y = {.label = "loss", .from = 0, .to = 1.05 * most}};
        svg_begin(&p, file);
        svg_line(&p, 0, "training", x, wg_data_f64(r->loss), (int)r->epochs);
        if (held != NULL)
            svg_line(&p, 1, "validation", x, wg_data_f64(held), (int)r->epochs);
        done = svg_end(&p);
    }
    done = (file == NULL || fclose(file) == 0) && done;
    if (!done)
        fprintf(stderr, "train: %s: cannot be written\n", path);
    free(x);
    return done;
}

static void judge(const wg_estimator *e, const char *what, wg_tensor *X, wg_tensor *y)
{
    printf("%-12s accuracy %.4f, log loss %.4f\n", what, wg_estimator_score(e, X, y),
           wg_log_loss(wg_estimator_predict_proba(e, X), y));
}

/* Trains and reports; false after a failure that the tape may not know of. */
static bool train(wg_tape *t, arguments *a)
{
    wg_table *data = wg_csv_read(t, a->data, &(wg_csv_options){.label = a->label});
    wg_tensor *X = wg_table_features(data), *y = wg_table_classes(data), *X_test = NULL, *y_test;
    int64_t n = wg_table_rows(data), k = wg_table_class_count(data);
    const char **names = wg_tape_take(t, (size_t)(k > 0 ? k : 1) * sizeof *names);
    if (wg_tape_status(t) != WG_OK)
        return false;
    for (int64_t i = 0; i < k; i++)
        names[i] = wg_table_class_name(data, i);
    a->e.class_names = names;
    a->e.classes = k;
    a->e.label_name = wg_table_label_name(data);
    if (a->test > 0) {
        wg_train_test_options split = {.test = a->test, .seed = a->e.seed, .stratify = y};
        wg_train_test rows = wg_train_test_split(t, n, &split);
        X_test = wg_gather_rows(X, rows.test), y_test = wg_gather_rows(y, rows.test);
        X = wg_gather_rows(X, rows.train), y = wg_gather_rows(y, rows.train);
    }
    wg_estimator *e = wg_estimator_fit(X, y, &a->e);
    if (wg_tape_status(t) != WG_OK)
        return false;
    wg_fit_result r = wg_estimator_fit_result(e);
    printf("data         %s: %" PRId64 " rows, %" PRId64 " columns, %" PRId64 " classes of %s\n",
           a->data, n, wg_table_columns(data), k, a->e.label_name);
    printf("model        %s, %" PRId64 " training rows, %" PRId64 " test rows\n",
           wg_estimator_model(e), wg_size(y), n - wg_size(y));
    printf("%-12s %" PRId64 ", loss %.6f\n", r.loss != NULL ? "epochs" : "iterations", r.epochs,
           r.loss != NULL ? wg_at(r.loss, r.epochs - 1) : r.best_loss);
    judge(e, "train", X, y);
    if (X_test != NULL)
        judge(e, "test", X_test, y_test);
    if (a->save != NULL)
        wg_estimator_save(e, a->save);
    return a->plot == NULL || plot_losses(a->plot, &r);
}

int main(int argc, char **argv)
{
    bool live = isatty(STDERR_FILENO);
    arguments a = {.test = 0.2, .threads = 1, .e.fit.on_epoch = show_epoch};
    int status = read_arguments(argc, argv, &a);
    if (status >= 0)
        return status;
    const wg_pipeline_step steps[] = {
        {.kind = WG_STEP_STANDARDIZE},
        {.kind = WG_STEP_POLYNOMIAL, .polynomial = {.degree = (int)a.degree}},
        {.kind = WG_STEP_STANDARDIZE}};
    if (a.degree > 1)
        a.e.pipeline = (wg_pipeline_options){.steps = steps, .n_steps = 3};
    a.e.seed = (uint64_t)a.seed;
    a.e.fit.epochs = (int64_t)a.epochs;
    a.e.fit.batch = (int64_t)a.batch;
    a.e.fit.patience = (int64_t)a.patience;
    a.e.fit.on_epoch_user = &live;
    wg_pool *pool = a.threads > 1 ? wg_pool_new((int)a.threads, NULL) : NULL;
    wg_tape *t = wg_tape_new(&(wg_tape_options){.seed = a.e.seed, .pool = pool});
    bool done = train(t, &a);
    if (wg_tape_status(t) != WG_OK)
        fprintf(stderr, "train: %s\n", wg_tape_message(t));
    done = done && wg_tape_status(t) == WG_OK && fflush(stdout) == 0;
    wg_tape_free(t);
    wg_pool_free(pool);
    return done ? 0 : 1;
}
