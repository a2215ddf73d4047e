/* The command line of train. */
#include "train_arguments.h"

#include "spool.h"

#include <math.h>
#include <string.h>

static const char about[] =
    "Trains a model on the rows of a file and judges it on rows held back. DATA is CSV, svmlight\n"
    "(rows stay sparse, are not standardized, and trained on by lbfgs), IDX or NPY with --labels\n"
    "FILE, or NPZ with arrays X and y; it is told by its look. '-' is the standard input. Results\n"
    "go to standard output, progress to standard error. Ctrl-C ends the training after the step,\n"
    "keeps the best weights, judges and saves them; a second one ends at once.\n"
    "--cv K deals the training rows into K parts, the rows of each class evenly, and judges each "
    "part by\n"
    "a model of the others, from which alone means, deviations and filled in values are taken. It "
    "prints\n"
    "of each metric the mean of the K parts and, behind +-, their standard deviation. Of several\n"
    "--penalty-c the one with the lowest mean log loss (of regression: RMSE) is chosen, and all "
    "training\n"
    "rows are trained on with it.";

static const char models[] = "logistic|softmax|one_vs_rest|regression|mlp";
static const char optimizers[] = "lbfgs|newton|proximal|sgd|momentum|adagrad|rmsprop|adam|adamw";
static const char activations[] = "relu|tanh|sigmoid|gelu|gelu_tanh|silu|elu|leaky_relu|softplus|"
                                  "mish|selu|relu6|hardswish|softsign|"
                                  "identity";

/* ---- What follows from the options -------------------------------------------------------------------- */

static const char *const *names_of(const option_list *list)
{
    return list->n > 0 ? list->text : NULL;
}

static void set_rows(train_arguments *a)
{
    rows_options *r = &a->rows;
    r->categories = a->categories.n == 1 && strcmp(a->categories.text[0], "auto") == 0
                        ? NULL
                        : names_of(&a->categories);
    r->columns = names_of(&a->columns);
    r->drop = names_of(&a->drop);
    if (a->missing_texts.n > 0) {
        a->missing_texts.text[a->missing_texts.n++] = "";
        a->missing_texts.text[a->missing_texts.n] = NULL;
        r->missing_texts = a->missing_texts.text;
    }
    if (a->missing != NULL)
        r->missing = strcmp(a->missing, "drop") == 0    ? WG_CSV_MISSING_DROP
                     : strcmp(a->missing, "error") == 0 ? WG_CSV_MISSING_ERROR
                                                        : WG_CSV_MISSING_KEEP;
}

/* Missing values, standardization, polynomial features, which are standardized once more. */
static void set_pipeline(train_arguments *a)
{
    int n = 0;
    if (a->rows.missing == WG_CSV_MISSING_KEEP)
        a->steps[n++] = (wg_pipeline_step){
            .kind = WG_STEP_IMPUTE,
            .imputer = {.median = strcmp(a->missing, "median") == 0, .indicate = a->indicate}};
    if (!a->raw)
        a->steps[n++].kind = WG_STEP_STANDARDIZE;
    if (a->degree > 1) {
        a->steps[n].kind = WG_STEP_POLYNOMIAL;
        a->steps[n++].polynomial.degree = (int)a->degree;
        if (!a->raw)
            a->steps[n++].kind = WG_STEP_STANDARDIZE;
    }
    a->e.raw = a->raw;
    if (n > 1 || (n == 1 && a->raw))
        a->e.pipeline = (wg_pipeline_options){.steps = a->steps, .n_steps = n};
    a->e.pipeline.encoder.ignore_unknown = a->ignore_unknown;
    a->e.pipeline.encoder.limit = INT64_MAX; /* what it makes counts as all memory does: --memory */
}

/* ---- What does not go together ------------------------------------------------------------------------ */

static int formats_go(const train_arguments *a)
{
    const rows_options *r = &a->rows;
    const char *format = rows_format(a->data, r);
    bool csv = strcmp(format, "csv") == 0, arrays = *format == 'i' || strcmp(format, "npy") == 0;
    bool of_csv = r->categories != NULL || r->columns != NULL || r->drop != NULL ||
                  r->separator != 0 || r->no_header || a->missing_texts.n > 0 ||
                  (r->label != NULL && strcmp(format, "npz") != 0);
    if (!csv && of_csv && strcmp(format, "gzip") != 0)
        return options_fail("label, category, columns, drop, separator, no-header and "
                            "missing-texts are for CSV files:",
                            a->data);
    if (strcmp(format, "gzip") == 0)
        return -1; /* reading it says more */
    if (!csv && strcmp(format, "svmlight") != 0 && r->cache != NULL)
        return options_fail("--cache is for CSV and svmlight files, not for", a->data);
    if (strcmp(format, "svmlight") != 0 && r->zero_based)
        return options_fail("--zero-based is for svmlight files:", a->data);
    if (strcmp(format, "svmlight") == 0 && (a->missing != NULL || a->degree > 1))
        return options_fail("missing and degree are not for sparse rows:", a->data);
    if (r->stream && strcmp(format, "npy") != 0)
        return options_fail("--stream is for NPY files, not for", a->data);
    if (r->stream && strcmp(a->data, "-") == 0)
        return options_fail("--stream wants a file, not", "a pipe");
    if (arrays && r->labels == NULL)
        return options_fail("wants --labels FILE, the labels of the rows in", a->data);
    if (!arrays && r->labels != NULL)
        return options_fail("--labels is for rows of IDX and NPY files, not for", a->data);
    if (arrays && a->test_file != NULL)
        return options_fail("--test-file is not for IDX and NPY files:", a->test_file);
    return -1;
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (int i = 0; name != NULL && names[i] != NULL; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Models, methods and penalties, and their options. */
static int methods_go(const train_arguments *a)
{
    static const char *const whole_rows[] = {"lbfgs", "newton", "proximal", NULL};
    static const char *const with_l1[] = {"l1", "elastic_net", NULL};
    const wg_estimator_options *e = &a->e;
    bool mlp = is_one_of(e->model, (const char *const[]){"mlp", NULL});
    bool l1 = is_one_of(e->penalty, with_l1);
    bool whole = e->optimizer != NULL ? is_one_of(e->optimizer, whole_rows) : !mlp || l1;
    const char *of_mlp = a->hidden.n > 0         ? "--hidden"
                         : e->activation != NULL ? "--activation"
                         : e->dropout > 0        ? "--dropout"
                                                 : NULL;
    const char *of_steps = e->rate > 0        ? "--rate"
                           : e->fit.batch > 0 ? "--batch"
                           : e->dropout > 0   ? "--dropout"
                                              : NULL;
    if (mlp && e->penalty != NULL && a->C.n == 0)
        return options_fail("wants --penalty-c C, without which an mlp has none:", "--penalty");
    if (!mlp && of_mlp != NULL)
        return options_fail("wants --model mlp:", of_mlp);
    if (whole && of_steps != NULL)
        return options_fail("wants an --optimizer that takes batches, sgd or adam say:", of_steps);
    if (l1 && e->optimizer != NULL && strcmp(e->optimizer, "proximal") != 0)
        return options_fail("L1 is for --optimizer proximal, which is its default, not for",
                            e->optimizer);
    if (e->l1_ratio > 0 && (!l1 || strcmp(e->penalty, "l1") == 0))
        return options_fail("wants --penalty elastic_net:", "--l1-ratio");
    return -1;
}

/* Is the cache also another file that is read or written? */
static bool cache_meets_another(const train_arguments *a)
{
    const char *const other[] = {a->data, a->test_file, a->save, a->e.fit.checkpoint,
                                 a->plot, a->confusion, a->curve};
    for (size_t i = 0; a->rows.cache != NULL && i < sizeof other / sizeof *other; i++)
        if (other[i] != NULL && options_same_file(a->rows.cache, other[i]))
            return true;
    return false;
}

static int options_go(const train_arguments *a)
{
    int status = methods_go(a);
    if (status >= 0)
        return status;
    if (a->e.fit.resume && a->e.fit.checkpoint == NULL)
        return options_fail("wants --checkpoint FILE:", "--resume");
    if (a->C.n > 1 && a->folds == 0)
        return options_fail("wants --cv K, to choose among several:", "--penalty-c");
    if (a->indicate && a->rows.missing != WG_CSV_MISSING_KEEP)
        return options_fail("wants --missing mean or median:", "--indicate");
    if (a->test_file != NULL && a->test > 0)
        return options_fail("--test holds rows back, which does not go with --test-file",
                            a->test_file);
    if (a->test_file != NULL && options_same_file(a->test_file, a->data))
        return options_fail("the test rows would be those that are trained on:", a->test_file);
    if (a->rows.cache != NULL && (strcmp(a->data, "-") == 0 || strcmp(a->rows.cache, "-") == 0))
        return options_fail("--cache wants a file, not", "a pipe");
    if (cache_meets_another(a))
        return options_fail("would be written over by --cache, or write over it:", a->rows.cache);
    if (rows_streamed(&a->rows) && (a->report != NULL || a->degree > 1))
        return options_fail("does not go with --stream and --cache:",
                            a->degree > 1 ? "--degree" : "--report");
    if (rows_streamed(&a->rows) && a->e.fit.validation > 0)
        return options_fail("does not go with --stream and --cache:", "--validation");
    if (a->rows.stream && a->rows.missing != WG_CSV_MISSING_ERROR)
        return options_fail("--missing does not go with", "--stream");
    return formats_go(a);
}

/* ---- Reading it ---------------------------------------------------------------------------------------- */

int train_arguments_read(int argc, char **argv, train_arguments *a)
{
    *a = (train_arguments){.test = -1, .degree = 1, .threads = 1};
    wg_estimator_options *e = &a->e;
    wg_fit_options *f = &e->fit;
    const double most = 1e15, big = HUGE_VAL, tiny = 1e-300;
    const option options[] = {
        /* the file */
        {"--format", "csv|svmlight|idx|npy|npz", OPTION_CHOICE, &a->rows.format, 0, 0,
         "default: as the file looks"},
        {"--label", "COLUMN", OPTION_TEXT, &a->rows.label, 0, 0,
         "to predict; default: the last one; of NPZ the array"},
        {"--labels", "FILE", OPTION_TEXT, &a->rows.labels, 0, 0,
         "of IDX and NPY: what is to be predicted"},
        {"--columns", "COLUMN,COLUMN", OPTION_TEXTS, &a->columns, 0, 0,
         "to use; default: all others"},
        {"--drop", "COLUMN,COLUMN", OPTION_TEXTS, &a->drop, 0, 0,
         "to leave out; '' is the one without a name"},
        {"--category", "COLUMN,COLUMN", OPTION_TEXTS, &a->categories, 0, 0,
         "columns of strings, one-hot encoded; default auto: those that hold not only numbers"},
        {"--ignore-unknown", NULL, OPTION_FLAG, &a->ignore_unknown, 0, 0,
         "strings that no training row has are no error, but none of the known ones"},
        {"--missing", "error|drop|mean|median", OPTION_CHOICE, &a->missing, 0, 0,
         "values: drop the rows, or fill in numbers (strings: a category of their own)"},
        {"--missing-texts", "TEXT,TEXT", OPTION_TEXTS, &a->missing_texts, 0, 0,
         "what is missing, besides nothing at all; default ?,NA,N/A,NaN,null,None ..."},
        {"--indicate", NULL, OPTION_FLAG, &a->indicate, 0, 0,
         "a column more for each with missing values: was it?"},
        {"--zero-based", NULL, OPTION_FLAG, &a->rows.zero_based, 0, 0,
         "svmlight: features count from 0, as scikit-learn writes them"},
        {"--separator", "C", OPTION_CHAR, &a->rows.separator, 0, 0,
         "between the fields of a row, or tab; default: as the file has it"},
        {"--no-header", NULL, OPTION_FLAG, &a->rows.no_header, 0, 0,
         "columns are x1, x2, ..., the file's first row is data"},
        {"--f32", NULL, OPTION_FLAG, &a->rows.f32, 0, 0, "compute in f32; default f64"},
        {"--stream", NULL, OPTION_FLAG, &a->rows.stream, 0, 0,
         "NPY: rows are read whenever they are wanted, for files larger than memory"},
        {"--cache", "FILE", OPTION_TEXT, &a->rows.cache, 0, 0,
         "CSV, svmlight: made once, read in DATA's place; trained on all rows, the model is the "
         "same"},
        {"--raw", NULL, OPTION_FLAG, &a->raw, 0, 0, "columns are not standardized"},
        {"--degree", "D", OPTION_WHOLE, &a->degree, 1, 10, "polynomial features; default 1: none"},
        /* the model */
        {"--model", models, OPTION_CHOICE, &e->model, 0, 0,
         "default logistic for two classes, softmax for more; a label of numbers that seem to be "
         "no "
         "classes (fractions, or many) wants one"},
        {"--hidden", "64,32", OPTION_WHOLES, &a->hidden, 1, 1e6, "an mlp's layers; default 64"},
        {"--activation", activations, OPTION_CHOICE, &e->activation, 0, 0,
         "of an mlp; default relu"},
        {"--dropout", "P", OPTION_REAL, &e->dropout, 0, 0.99, "of an mlp; default 0"},
        {"--penalty", "l2|l1|elastic_net", OPTION_CHOICE, &e->penalty, 0, 0,
         "default: l2; by proximal gradient where it has L1"},
        {"--penalty-c", "C,C", OPTION_REALS, &a->C, tiny, big,
         "as scikit-learn's C (of regression its Ridge's alpha is 1/(2C)), or some to choose from "
         "by --cv; default 1, for an mlp none"},
        {"--l1-ratio", "A", OPTION_REAL, &e->l1_ratio, 1e-6, 1,
         "of elastic_net: the share of L1; default 0.5"},
        /* the training */
        {"--optimizer", optimizers, OPTION_CHOICE, &e->optimizer, 0, 0,
         "default lbfgs (all rows at once), for an mlp adam"},
        {"--rate", "R", OPTION_REAL, &e->rate, tiny, big, "default: the optimizer's own"},
        {"--epochs", "N", OPTION_WHOLE, &f->epochs, 1, 1e9, "at most; default 100, for lbfgs 1000"},
        {"--batch", "N", OPTION_WHOLE, &f->batch, 1, most, "rows of a batch; default 32"},
        {"--validation", "SHARE", OPTION_REAL, &f->validation, 0, 0.99,
         "of the training rows, to judge epochs by; default 0: none"},
        {"--patience", "N", OPTION_WHOLE, &f->patience, 1, most,
         "stop after N epochs without improvement; take the best weights"},
        {"--balanced", NULL, OPTION_FLAG, &f->balanced, 0, 0, "every class counts alike"},
        {"--check-every", "N", OPTION_WHOLE, &f->check_every, 1, 1e9,
         "epochs: check the gradient against differences"},
        {"--seed", "N", OPTION_WHOLE, &e->seed, 0, most, "default 0"},
        {"--threads", "N", OPTION_WHOLE, &a->threads, 1, 256, "default 1; the same results"},
        {"--memory", "MB", OPTION_WHOLE, &a->memory, 1, 1 << 30,
         "that may be taken; default 64 (1024 with --hidden, --degree), or 40 times the "
         "files where that is more"},
        {"--checkpoint", "FILE", OPTION_TEXT, &f->checkpoint, 0, 0, "the state after each epoch"},
        {"--resume", NULL, OPTION_FLAG, &f->resume, 0, 0, "go on from the checkpoint"},
        /* judging, and what is written */
        {"--test", "SHARE", OPTION_REAL, &a->test, 0, 0.99,
         "of the rows, held back; default 0.2; 0: none"},
        {"--test-file", "FILE", OPTION_TEXT, &a->test_file, 0, 0,
         "the test rows, in place of some of DATA's"},
        {"--cv", "K", OPTION_WHOLE, &a->folds, 2, 100, "cross-validation with K parts, see above"},
        {"--save", "FILE", OPTION_TEXT, &a->save, 0, 0,
         "the model, and how DATA is read, for predict"},
        {"--report", "FILE.html", OPTION_TEXT, &a->report, 0, 0, "all of it on one page"},
        {"--plot", "FILE.svg", OPTION_TEXT, &a->plot, 0, 0, "loss and accuracy by epoch"},
        {"--confusion", "FILE.svg", OPTION_TEXT, &a->confusion, 0, 0, "of test (or all) rows"},
        {"--pr", "FILE.svg", OPTION_TEXT, &a->curve, 0, 0,
         "precision and recall of the second of two classes"},
        {"--quiet", NULL, OPTION_FLAG, &a->quiet, 0, 0, "no tables and no progress"},
    };
    const command c = {"DATA", about, options, sizeof options / sizeof *options};
    int status = options_read(&c, argc, argv, &a->data);
    if (status < 0 && (a->data = spool(a->data)) == NULL)
        status = 1;
    e->hidden = a->hidden.number;
    e->n_hidden = a->hidden.n;
    if (a->C.n == 1)
        e->C = a->C.real[0];
    set_rows(a);
    set_pipeline(a);
    if (status < 0)
        status = options_go(a);
    if (a->test < 0)
        a->test = 0.2;
    return status;
}
