/* The command line of train. */
#include "train_arguments.h"

#include <math.h>

int train_arguments_read(int argc, char **argv, train_arguments *a)
{
    *a = (train_arguments){.test = 0.2, .degree = 1, .threads = 1};
    wg_estimator_options *e = &a->e;
    wg_fit_options *f = &e->fit;
    const double most = 1e15, big = HUGE_VAL, tiny = 1e-300;
    const option options[] = {
        {"--model", "logistic|softmax|one_vs_rest|regression|mlp", OPTION_CHOICE, &e->model, 0, 0,
         "default softmax"},
        {"--label", "COLUMN", OPTION_TEXT, &a->rows.label, 0, 0,
         "to predict; default: the last one"},
        {"--category", "COLUMN,COLUMN", OPTION_TEXTS, &a->categories, 0, 0,
         "columns of strings, one-hot encoded; default: those that hold not only numbers"},
        {"--ignore-unknown", NULL, OPTION_FLAG, &a->ignore_unknown, 0, 0,
         "strings that no training row has are no error, but none of the known ones"},
        {"--separator", "C", OPTION_CHAR, &a->rows.separator, 0, 0,
         "between the fields of a row, or tab; default: as the file has it"},
        {"--no-header", NULL, OPTION_FLAG, &a->rows.no_header, 0, 0,
         "columns are x1, x2, ..., the file's first row is data"},
        {"--drop-missing", NULL, OPTION_FLAG, &a->rows.drop_missing, 0, 0,
         "leave out rows in which a value is missing"},
        {"--hidden", "64,32", OPTION_WHOLES, &a->hidden, 1, 1e6, "an mlp's layers; default 64"},
        {"--activation", "NAME", OPTION_TEXT, &e->activation, 0, 0, "of an mlp; default relu"},
        {"--dropout", "P", OPTION_REAL, &e->dropout, 0, 0.99, "of an mlp; default 0"},
        {"--optimizer", "lbfgs|newton|sgd|momentum|adagrad|rmsprop|adam|adamw", OPTION_CHOICE,
         &e->optimizer, 0, 0, "default lbfgs (all rows at once), for an mlp adam"},
        {"--penalty", "l2|l1|elastic_net", OPTION_CHOICE, &e->penalty, 0, 0,
         "default: l2; by proximal gradient where it has L1"},
        {"--rate", "R", OPTION_REAL, &e->rate, tiny, big, "default: the optimizer's own"},
        {"--penalty-c", "C", OPTION_REAL, &e->C, tiny, big,
         "L2 penalty as in scikit-learn; default 1, for an mlp none"},
        {"--degree", "D", OPTION_WHOLE, &a->degree, 1, 10, "polynomial features; default 1: none"},
        {"--epochs", "N", OPTION_WHOLE, &f->epochs, 1, 1e9, "at most; default 100, for lbfgs 1000"},
        {"--batch", "N", OPTION_WHOLE, &f->batch, 1, most, "rows of a batch; default 32"},
        {"--test", "SHARE", OPTION_REAL, &a->test, 0, 0.99,
         "of the rows, held back; default 0.2; 0: none"},
        {"--validation", "SHARE", OPTION_REAL, &f->validation, 0, 0.99,
         "of the training rows, to judge epochs by; default 0: none"},
        {"--patience", "N", OPTION_WHOLE, &f->patience, 1, most,
         "stop after N epochs without improvement; take the best weights"},
        {"--balanced", NULL, OPTION_FLAG, &f->balanced, 0, 0, "every class counts alike"},
        {"--seed", "N", OPTION_WHOLE, &e->seed, 0, most, "default 0"},
        {"--threads", "N", OPTION_WHOLE, &a->threads, 1, 256, "default 1; the same results"},
        {"--checkpoint", "FILE", OPTION_TEXT, &f->checkpoint, 0, 0, "the state after each epoch"},
        {"--resume", NULL, OPTION_FLAG, &f->resume, 0, 0, "go on from the checkpoint"},
        {"--save", "FILE", OPTION_TEXT, &a->save, 0, 0, "the model, for predict"},
        {"--plot", "FILE.svg", OPTION_TEXT, &a->plot, 0, 0, "loss and accuracy by epoch"},
        {"--confusion", "FILE.svg", OPTION_TEXT, &a->confusion, 0, 0, "of test (or all) rows"},
        {"--pr", "FILE.svg", OPTION_TEXT, &a->curve, 0, 0,
         "precision and recall of the second of two classes"},
    };
    const command c = {
        "train", "DATA",
        "Trains a model on a CSV file, or on an svmlight file (.svm, .svmlight, "
        ".libsvm), which stays\nsparse, is not standardized, and trained on by lbfgs. "
        "Results go to standard output, progress to\nstandard error.",
        options, sizeof options / sizeof *options};
    int status = options_read(&c, argc, argv, &a->data);
    e->hidden = a->hidden.number;
    e->n_hidden = a->hidden.n;
    if (a->categories.n > 0)
        a->rows.categories = a->categories.text;
    a->steps[0].kind = a->steps[2].kind = WG_STEP_STANDARDIZE;
    a->steps[1].kind = WG_STEP_POLYNOMIAL;
    a->steps[1].polynomial.degree = (int)a->degree;
    if (a->degree > 1)
        e->pipeline = (wg_pipeline_options){.steps = a->steps, .n_steps = 3};
    e->pipeline.encoder.ignore_unknown = a->ignore_unknown;
    const rows_options *r = &a->rows;
    if (status < 0 && rows_are_sparse(a->data) &&
        (r->label != NULL || r->categories != NULL || r->separator != 0 || r->no_header ||
         r->drop_missing))
        return options_fail(
            &c,
            "label, category, separator, no-header and drop-missing are for CSV files:", a->data);
    if (status < 0 && f->resume && f->checkpoint == NULL)
        return options_fail(&c, "wants --checkpoint FILE:", "--resume");
    return status;
}
