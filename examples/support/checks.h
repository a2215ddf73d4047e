#ifndef EXAMPLES_CHECKS_H
#define EXAMPLES_CHECKS_H

#include "train_arguments.h"

/* What train can know before a training, which may take long. All print what is wrong.
 * check_fail: "train: what which"; false.
 * check_files: can the results be written, each to a file of its own?
 * check_names: can a saved model keep the table's names, and will predict tell its columns apart?
 * check_texts: can a saved model keep the table's strings?
 * check_numbers: is no column of strings, of those found, one of numbers with commas, currencies or units?
 * check_test_rows: have those of a test file as many columns, and labels: numbers, or classes that the data has, too?
 * check_strings: do the training rows have all strings of the test rows? */
bool check_fail(const char *what, const char *which);
bool check_files(const train_arguments *a);
bool check_names(const train_arguments *a, const wg_table *table);
bool check_texts(const train_arguments *a, const wg_table *table);
bool check_numbers(const train_arguments *a, const wg_table *table);
bool check_test_rows(const char *path, const wg_dataset *all, const wg_dataset *tested,
                     bool numbers);
bool check_strings(const train_arguments *a, const wg_table *trained, const wg_table *tested);

#endif
