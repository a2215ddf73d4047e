#ifndef WG_MODELS_ESTIMATOR_H
#define WG_MODELS_ESTIMATOR_H

#include "models/data/pipeline.h"
#include "models/files/table.h"
#include "models/train/fit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A classifier in one call: preparation of the data, model, training; and what one wants of it after that.
 *
 *     wg_estimator *e = wg_estimator_fit(X, y, &(wg_estimator_options){.model = "logistic"});
 *     printf("accuracy %.4f\n", wg_estimator_score(e, X_test, y_test));
 *     wg_estimator_save(e, "model.safetensors");
 */
typedef struct wg_estimator wg_estimator;

typedef struct wg_estimator_options {
    /* "logistic" (two classes), "softmax", "one_vs_rest" or "mlp" (softmax on its logits); default NULL:
     * "softmax". The first three are MLPs without hidden layers. */
    const char *model;
    const int64_t *hidden; /* [n_hidden], sizes of an MLP's hidden layers, each > 0; default {64} */
    int n_hidden;          /* >= 0; 0, with hidden NULL: the default */
    const char *activation; /* of an MLP, see wg_activation; default NULL: relu */
    double dropout;         /* of an MLP, in [0, 1); default 0 */
    bool layer_norm;        /* of an MLP; default false */

    /* "lbfgs" (all rows at once, to the optimum, see models/train/fit_lbfgs.h: an epoch is an iteration; takes no
     * rate, batch, schedule or dropout), "sgd", "momentum" (SGD with Nesterov's momentum 0.9), "rmsprop",
     * "adam" or "adamw"; default NULL: lbfgs, for an MLP adam. */
    const char *optimizer;
    double rate; /* of all but lbfgs, > 0; default 0 stands for the optimizer's own default */
    double
        C; /* the penalty ||W||^2 / (2 n C) on the mean loss, as scikit-learn's C; > 0; infinity: none;
                    default 0 stands for 1, for an MLP for infinity */

    wg_pipeline_options pipeline; /* steps; default: none but standardization ... */
    bool raw;                     /* ... and with raw = true, none at all */

    uint64_t seed;      /* of the first weights and of the training; default 0 */
    wg_fit_options fit; /* epochs, batch, validation, weights, checkpoints ...; its seed, l2 and
                           optimizer are set from the fields above */

    int64_t classes;                /* k >= 2; default 0: the largest label + 1, at least 2 */
    const char *const *class_names; /* [k], copied; default NULL: "0", "1", ... */
    const char *label_name;         /* of the column of labels, copied; default NULL: "label" */
} wg_estimator_options;

/* wg_estimator_fit: fits the preparation on X, and the model on what comes of it. NULL options are the
 * defaults. What it makes belongs to X's tape.
 * Shape:  X [n, d], f32 or f64; y [n] i64.
 * Errors, on the tape: WG_E_VALUE (options), those of wg_pipeline_fit and wg_fit. The result is then an inert
 *   estimator, never NULL. */
wg_estimator *wg_estimator_fit(wg_tensor *X, wg_tensor *y, const wg_estimator_options *options);

/* wg_estimator_fit_table: fits on a table's columns of numbers and, one-hot encoded, of texts; classes, their
 * names and the label's are the table's, and so are the names of the columns, which are saved.
 * Errors, on the table's tape: as above; WG_E_VALUE (options classes, class_names or label_name; no label). */
wg_estimator *wg_estimator_fit_table(const wg_table *table, const wg_estimator_options *options);

/* wg_estimator_predict, _predict_proba: classes, i64 [m], and probabilities [m, k] of rows X [m, d], as they
 * come from a file, recorded on the tape. wg_estimator_score: the share of rows whose class is y's; leaves nothing
 * on the tape. Errors: WG_E_NULL (an inert estimator), WG_E_SHAPE and WG_E_DTYPE (other columns than were
 * fitted), on X's tape. */
wg_tensor *wg_estimator_predict(const wg_estimator *e, wg_tensor *X);
wg_tensor *wg_estimator_predict_proba(const wg_estimator *e, wg_tensor *X);
double wg_estimator_score(const wg_estimator *e, wg_tensor *X, const wg_tensor *y);

/* wg_estimator_logits: what both are made of, see models/link.h. */
wg_tensor *wg_estimator_logits(const wg_estimator *e, wg_tensor *X);

/* The same of a table's rows. Its columns must be those that were fitted, in that order, where their names are
 * known; the label may be missing, but for the score.
 * wg_estimator_classes: the classes [n], i64, of the table's labels, as the estimator numbers them, by their
 * names; -1 where it does not know the label, which the score counts as wrong.
 * Errors: as above, and WG_E_VALUE: "estimator: test.csv: column 3 of numbers is 'width', but 'height' was
 * fitted"; a text that was not there at the fit, unless options.pipeline.encoder ignores it. */
wg_tensor *wg_estimator_predict_table(const wg_estimator *e, const wg_table *table);
wg_tensor *wg_estimator_predict_proba_table(const wg_estimator *e, const wg_table *table);
double wg_estimator_score_table(const wg_estimator *e, const wg_table *table);
wg_tensor *wg_estimator_logits_table(const wg_estimator *e, const wg_table *table);
wg_tensor *wg_estimator_classes(const wg_estimator *e, const wg_table *table);

/* The same of sparse rows, see ops/sparse.h: those of wg_svmlight_read, say, with y = wg_table_classes(table) and
 * class_names = wg_table_class_names(table). They are taken as they are: no standardization, which would fill in the
 * zeros, nor other steps. The optimizer is lbfgs, also for an MLP, whose first layer is a sparse product. Saved in
 * the same format. Prediction takes rows of no more columns than were fitted: those that are not there are zero;
 * and dense rows, too.
 * Shape:  X [n, d], y [n].
 * Errors: as above; WG_E_VALUE (options optimizer and pipeline), WG_E_SHAPE (more columns; an estimator that
 * prepares its rows). */
wg_estimator *wg_estimator_fit_csr(const wg_csr *X, wg_tensor *y,
                                   const wg_estimator_options *options);
wg_tensor *wg_estimator_predict_csr(const wg_estimator *e, const wg_csr *X);
wg_tensor *wg_estimator_predict_proba_csr(const wg_estimator *e, const wg_csr *X);
double wg_estimator_score_csr(const wg_estimator *e, const wg_csr *X, const wg_tensor *y);
wg_tensor *wg_estimator_logits_csr(const wg_estimator *e, const wg_csr *X);

/* wg_estimator_save: one file that is enough to predict: architecture, weights, preparation, names of classes;
 * see wg_archive_save. Returns the tape's status. wg_estimator_load: from it, onto a tape; it predicts
 * the same bits. Errors, on the tape: those of wg_archive_save and _read; WG_E_FORMAT (another kind of file,
 * parts that are missing or do not fit together); the result is then inert. */
wg_status wg_estimator_save(const wg_estimator *e, const char *path);
wg_estimator *wg_estimator_load(wg_tape *t, const char *path);

/* wg_estimator_fit_result: of the training; zero for one that was loaded. */
wg_fit_result wg_estimator_fit_result(const wg_estimator *e);

/* wg_estimator_model, _label_name: as in the options; "" for an inert one. wg_estimator_columns: d.
 * wg_estimator_text_columns: of texts. wg_estimator_column_names, _text_names: their names, ended by NULL, as
 * wg_csv_options takes them; NULL: unknown (fitted on tensors, or an older file).
 * wg_estimator_class_count: k. wg_estimator_class_name: "" for an i that is none. wg_estimator_dtype: of X.
 * wg_estimator_mlp: the network inside, see models/mlp.h; NULL for an inert one. */
const char *wg_estimator_model(const wg_estimator *e);
const char *wg_estimator_label_name(const wg_estimator *e);
int64_t wg_estimator_columns(const wg_estimator *e);
int64_t wg_estimator_text_columns(const wg_estimator *e);
const char *const *wg_estimator_column_names(const wg_estimator *e);
const char *const *wg_estimator_text_names(const wg_estimator *e);
int64_t wg_estimator_class_count(const wg_estimator *e);
const char *wg_estimator_class_name(const wg_estimator *e, int64_t i);
wg_dtype wg_estimator_dtype(const wg_estimator *e);
wg_mlp *wg_estimator_mlp(const wg_estimator *e);

#ifdef __cplusplus
}
#endif
#endif
