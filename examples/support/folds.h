#ifndef EXAMPLES_FOLDS_H
#define EXAMPLES_FOLDS_H

#include <wengert.h>

#include "train_arguments.h"

/* folds_choose: cross-validation (stratified by class, unless classes is NULL) for each strength C of the penalty that
 * was given: prints the mean and the standard deviation of the head's metrics, and returns the C whose last metric
 * (log loss, RMSE) is the lowest; where none was given, of the options as they are. NaN after an error, which the tape
 * has. */
double folds_choose(const wg_dataset *data, const train_arguments *a, const wg_tensor *classes);

#endif
