#ifndef EXAMPLES_SUMMARY_H
#define EXAMPLES_SUMMARY_H

#include <wengert.h>

#include "judge.h"
#include "train_arguments.h"

/* What train says of data, model and results, as text. */

/* summary_data: file, classes with their counts, columns by their kind, missing values.
 * summary_fit: the model, and how its training ended. summary_epoch: the epoch whose weights the model has.
 * summary_checks: how many entries of the gradient agreed with differences, where that was checked.
 * summary_metrics: a line of the head's metrics.
 * summary_classes: precision, recall, F1 and support of each class, ROC AUC, Brier score. */
void summary_data(const train_arguments *a, const wg_dataset *data, bool numbers);
void summary_fit(const train_arguments *a, const wg_estimator *e, int64_t trained, int64_t tested);
int64_t summary_epoch(const train_arguments *a, const wg_estimator *e);
void summary_checks(const wg_estimator *e);
void summary_metrics(const wg_estimator *e, const judged *r);
void summary_classes(const wg_estimator *e, const judged *r);

/* summary_class_counts: count[k] of rows of the table's classes. summary_roc_auc: of two classes, of more the mean of
 * each against the others; NaN where a class has no row. It needs r->p. */
void summary_class_counts(const wg_table *table, int64_t count[]);
double summary_roc_auc(const judged *r, int64_t classes);

#endif
