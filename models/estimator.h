#ifndef WG_MODELS_ESTIMATOR_H
#define WG_MODELS_ESTIMATOR_H

#include "models/data/pipeline.h"
#include "models/heads.h"
#include "models/mlp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Preparation of the data, model, training in one call; and what one wants of it after that.
 *
 *     wg_dataset data = {.table = wg_csv_read(t, "iris.csv", NULL)};
 *     wg_estimator *e = wg_estimator_fit(&data, &(wg_estimator_options){.model = "softmax"});
 *     printf("accuracy %.4f\n", wg_estimator_score(e, &test));
 *     wg_estimator_save(e, "model.safetensors");
 *
 * Its members are to be read. In an inert one, which a failed call returns, all are 0, NULL or
 * "". */
typedef struct wg_estimator {
    wg_tape *tape;     /* NULL: inert */
    const char *model; /* as in the options */
    const wg_head *head;
    wg_pipeline *pipeline;
    wg_mlp *mlp;    /* the network, see models/mlp.h; linear models have one, too */
    wg_dtype dtype; /* of X and the network */
    int64_t columns, string_columns; /* of the rows that it takes */

    /* Names of the columns, NULL behind the last, as wg_csv_options takes them; NULL: unknown
     * (fitted on tensors, or an older file). */
    const char *const *column_names, *const *string_names;
    const char *label_name;

    /* How wg_csv_read reads rows as the table was read that was fitted: separator, header and
     * missing texts as it was asked to, the columns by their names, in their order; missing values
     * are kept; no_label where the labels were not the table's and options.label_name is not set.
     * NULL: unknown, as the names are.
     *     wg_csv_read(t, "new.csv", e->csv)
     * Where the rows have no label: a copy of it, with label = NULL and no_label = true. */
    const struct wg_csv_options *csv;
    bool zero_based; /* of sparse rows: as wg_svmlight_read was asked to */

    int64_t k;                      /* classes, or numbers that a row is predicted */
    int64_t class_count;            /* k, or 0 of numbers */
    const char *const *class_names; /* [class_count], and NULL behind the last; NULL of numbers */
    wg_fit_result fit;              /* of the training; zero for one that was loaded */
} wg_estimator;

typedef struct wg_estimator_options {
    /* "logistic" (two classes), "softmax", "one_vs_rest", "regression", or "linear": without hidden
     * layers; "mlp": with some. Default NULL: softmax; linear where there is a head. */
    const char *model;
    const wg_head *head;    /* of linear and mlp; default NULL: for mlp softmax, else the model's */
    const int64_t *hidden;  /* [n_hidden], of an MLP's hidden layers, each > 0; default {64} */
    int n_hidden;           /* >= 0; 0, with hidden NULL: the default */
    const char *activation; /* of an MLP, see wg_activation; default NULL: relu */
    double dropout;         /* of an MLP, in [0, 1); default 0 */
    bool layer_norm;        /* of an MLP; default false */

    /* "lbfgs" (all rows at once, to a gradient of 1e-11, in f32 1e-8, see wg_fit_minimize: an epoch
     * is an iteration; takes no rate, batch, schedule or dropout), "newton" and "proximal" (the
     * same), "sgd", "adagrad", "momentum" (SGD with Nesterov's momentum 0.9), "rmsprop", "adam" or
     * "adamw"; default NULL: lbfgs, for an MLP adam. */
    const char *optimizer;
    double rate; /* of all but lbfgs, > 0; default 0 stands for the optimizer's own default */
    double C;    /* the penalty ||W||^2 / (2 n C) on the mean loss of n training rows, as
                    scikit-learn's C; > 0; infinity: none;
                    default 0 stands for 1, for an MLP for infinity */

    /* "l2", "l1" (weights that are 0 exactly; C as scikit-learn's: the penalty is sum |W| / (n C))
     * or "elastic_net"; default NULL: l2. The last two are trained by "proximal". */
    const char *penalty;
    double l1_ratio; /* of elastic_net: the share of L1, in (0, 1]; default 0 stands for 0.5 */

    wg_pipeline_options pipeline; /* steps; default: none but standardization ... */
    bool raw;                     /* ... and with raw = true, none at all */

    uint64_t seed;      /* of the first weights and of the training; default 0 */
    wg_fit_options fit; /* epochs, batch, validation, weights, checkpoints ...; its seed, l2, C
                           and optimizer are set from the fields above */

    /* Of classes, where the labels are not those of a table, which says so: */
    int64_t classes;                /* k >= 2; default 0: the largest label + 1, at least 2 */
    const char *const *class_names; /* [k], copied; default NULL: "0", "1", ... */
    const char *label_name;         /* of the column of labels, copied; default NULL: "label" */
} wg_estimator_options;

/* wg_estimator_fit: fits the preparation on the rows, and the model on what comes of it. NULL
 * options are the defaults. What it makes belongs to the data's tape.
 *   Dense rows X [n, d], f32 or f64, with y as the head says: classes i64 [n], or numbers
 *     [n], [n, k].
 *   A table: its columns of numbers and, one-hot encoded, of strings (not where X is given, too);
 *     classes, their names and the label's are the table's, unless y is given and is none of the
 *     table's tensors; the names of the columns are the table's, and saved.
 *   Sparse rows: taken as they are: no standardization, which would fill in the zeros, nor other
 *     steps. The optimizer is one of all rows at once, also for an MLP, whose first layer is a
 *     sparse product. Ranks share them, too, but judge no validation rows of them.
 *   On a tape with ranks each gives its part of the rows, one at least: preparation, classes and
 *     model are of all rows, and the same on each. The optimizer is one of all rows at once.
 * Errors, on the tape: WG_E_VALUE (options; no label), WG_E_NOT_FINITE (a number of the rows, named
 *   with row and column; NaN is missing where WG_STEP_IMPUTE is the first step), those of
 *   wg_pipeline_fit and wg_fit. The result is then an inert estimator, never NULL. */
wg_estimator *wg_estimator_fit(const wg_dataset *data, const wg_estimator_options *options);

/* wg_estimator_predict: of rows as they come from a file: classes, i64 [m], or numbers [m, k];
 * recorded on the tape. The class of a row whose outputs hold a NaN, since its numbers are too
 * large, is -1, which is none: of rows that one does not know, look before it is an index.
 *   A table's columns must be those that were fitted, in that order, where their names are known;
 * the label may be missing. Sparse rows may have fewer columns than were fitted: those that are not
 * there are zero.
 * Errors: WG_E_NULL (an inert estimator), WG_E_SHAPE and WG_E_DTYPE (other columns than were
 *   fitted), WG_E_NOT_FINITE (a number of the rows, named), WG_E_VALUE: "estimator: test.csv:
 *   column 3 of numbers is 'width', but 'height' was fitted"; a string that was not there at the
 *   fit, unless options.pipeline.encoder ignores it. */
wg_tensor *wg_estimator_predict(const wg_estimator *e, const wg_dataset *rows);

/* wg_estimator_predict_proba: the same as probabilities [m, k]. */
wg_tensor *wg_estimator_predict_proba(const wg_estimator *e, const wg_dataset *rows);

/* wg_estimator_outputs: the same before the head reads it: Z of models/train/head.h. */
wg_tensor *wg_estimator_outputs(const wg_estimator *e, const wg_dataset *rows);

/* wg_estimator_targets: the truth of rows as it is predicted. Classes of a table are found by their
 * names; -1 where the estimator does not know the label, which the score counts as wrong.
 * Errors: WG_E_NULL, WG_E_VALUE (no label). */
wg_tensor *wg_estimator_targets(const wg_estimator *e, const wg_dataset *rows);

/* wg_estimator_score: the head's first metric of prediction and truth: accuracy, or R2; leaves
 * nothing on the tape. NaN after an error: those of predict and targets. */
double wg_estimator_score(const wg_estimator *e, const wg_dataset *rows);

#ifndef WG_NO_FILES

/* wg_estimator_save: one file that is enough to predict: architecture, weights, preparation, names
 * of classes. Of ranks, which all call it, rank 0 writes it. Returns the tape's status.
 * Errors: those of wg_archive_save; WG_E_NOT_FINITE: a weight that is NaN or infinite, named. */
wg_status wg_estimator_save(const wg_estimator *e, const char *path);

/* wg_estimator_load: from such a file, onto a tape; it predicts the same bits. heads: the user's
 * own among which the model's may be, ended by NULL; NULL: none.
 * Errors, on the tape: those of wg_archive_load; WG_E_FORMAT (another kind of file, parts that are
 *   missing or do not fit together, numbers that are not finite, a head that is not known); the
 *   result is then inert. */
wg_estimator *wg_estimator_load(wg_tape *t, const char *path, const wg_head *const heads[]);

/* wg_estimator_write_c: what the estimator predicts of one row as a C file that needs no library,
 * and its header: see wg_program_write_c. The preparation is in it. NAME_inputs has x [columns] of
 * numbers, and strings [string_columns] where such columns were fitted: the header's first comment
 * says which is which. NaN is missing, and filled in where the preparation does so; "" is the
 * missing string; no string may be NULL. NAME_outputs has `predicted` (of classes: -1, which is
 * none, where the outputs hold a NaN) and, of classes, `probabilities`; NAME_names are the
 * classes'. Leaves nothing on the tape.
 * Returns the tape's status. Errors: WG_E_NULL (an inert one), those of wg_program_write_c. */
wg_status wg_estimator_write_c(const wg_estimator *e, const char *path);

#endif /* WG_NO_FILES */

#ifdef __cplusplus
}
#endif
#endif
