#ifndef EXAMPLES_CHARTS_H
#define EXAMPLES_CHARTS_H

#include <wengert.h>

#include "svg.h"

/* Pictures of a training and of what came of it, each a file; the title names the data. They return whether it
 * was written, and print on standard error why not. */

/* chart_history: loss and, below it, accuracy by epoch, or by iteration where that is what `step` says: then from
 * before the first one on. */
bool chart_history(const char *path, const char *data, const wg_fit_result *r, const char *step);

/* chart_confusion: counts C [k, k], i64, of the classes, each row (the true class) shaded by its
 * shares. */
bool chart_confusion(const char *path, const char *data, const wg_tensor *C,
                     const char *const names[]);

/* chart_precision_recall: of the class `name`: its probabilities p against truth, 0 or 1; with the threshold of the
 * best F1. */
bool chart_precision_recall(const char *path, const char *data, const wg_tensor *p,
                            const wg_tensor *truth, const char *name);

/* The same, and others, smaller, as a part of a page that is open: the caller sees to its errors.
 *   P [n, k] are probabilities, truth [n] the classes; of two classes the second is drawn, of more each
 *   against the others, the first eight. */
bool chart_history_to(FILE *file, const wg_fit_result *r, const char *step);
bool chart_gradient_norms(FILE *file, const wg_fit_result *r, wg_tensor *const params[],
                          const char *step);
bool chart_confusion_to(FILE *file, const wg_tensor *C, const char *const names[]);
bool chart_roc(FILE *file, wg_tensor *P, wg_tensor *truth, int64_t k, const char *const names[]);
bool chart_recall(FILE *file, wg_tensor *P, wg_tensor *truth, int64_t k, const char *const names[]);
bool chart_calibration(FILE *file, wg_tensor *P, const wg_tensor *truth, int64_t k);
bool chart_numbers(FILE *file, const wg_tensor *predicted, const wg_tensor *truth);

/* chart_matrix: the matrix as part of a plot with bare axes, one unit to a class: from `left` on, rows from k
 * down to 0; with the columns' names, and the rows' where left is 0. */
void chart_matrix(svg_plot *p, double left, const wg_tensor *C, const char *const names[]);

#endif
