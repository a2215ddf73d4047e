#ifndef EXAMPLES_FOLDS_H
#define EXAMPLES_FOLDS_H

#include <wengert.h>

/* folds_choose: cross-validation with k parts (stratified by class, unless classes is NULL) for each of n strengths
 * C of the penalty: prints the mean and the standard deviation of the head's metrics, and returns the C whose last metric
 * (log loss, RMSE) is the lowest; n = 0: of the options as they are. NaN after an error, which the tape has. */
double folds_choose(const wg_dataset *data, const wg_estimator_options *options, int64_t k,
                    const wg_tensor *classes, const double C[], int n);

#endif
