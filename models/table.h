#ifndef WG_MODELS_TABLE_H
#define WG_MODELS_TABLE_H

#include "autograd/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A data set in memory: rows of numbers, and a label to each row. Readers (wg_csv_read) make it. It
 * and everything it holds belongs to the tape it was read on, and goes with it.
 *
 * Of NULL, and of the table that a failed reader returned: inert tensors, 0 and "". */
typedef struct wg_table wg_table;

/* wg_table_features: the columns that are not the label, a constant [rows, columns], row-major, f64 (or
 * f32 where the reader was asked for it). */
wg_tensor *wg_table_features(const wg_table *table);

/* wg_table_labels: the labels as numbers, a constant [rows, 1] of the features' dtype. Labels that are
 * all numbers are what they are; texts of two classes are 0 and 1, the index of the class.
 * Errors: WG_E_VALUE, on the tape: no label column; texts of another number of classes (these are for
 *   wg_table_classes). */
wg_tensor *wg_table_labels(const wg_table *table);

/* wg_table_classes: the index of each row's class, a constant [rows], i64, from 0 to
 * wg_table_class_count - 1. Classes are the different labels in rising order: of their values if all
 * are numbers ("1" and "1.0" are one class), else of their bytes; scikit-learn sorts them so, too.
 * Errors: WG_E_VALUE, on the tape: no label column. */
wg_tensor *wg_table_classes(const wg_table *table);

/* wg_table_class_count, wg_table_class_name: how many classes there are, and the label of class i as it
 * first stands in the file; "" for an i that is none. */
int64_t wg_table_class_count(const wg_table *table);
const char *wg_table_class_name(const wg_table *table, int64_t i);

/* wg_table_rows, wg_table_columns: the shape of the features. */
int64_t wg_table_rows(const wg_table *table);
int64_t wg_table_columns(const wg_table *table);

/* wg_table_column_name: of feature j; "" for a j that is none. wg_table_label_name: of the label. */
const char *wg_table_column_name(const wg_table *table, int64_t j);
const char *wg_table_label_name(const wg_table *table);

#ifdef __cplusplus
}
#endif
#endif
