#ifndef EXAMPLES_JUDGE_H
#define EXAMPLES_JUDGE_H

#include <wengert.h>

enum { JUDGED_METRICS = 8 };

/* Some rows, with what a model predicts of them. */
typedef struct judged {
    const char *name; /* "test" */
    wg_dataset rows;
    wg_tensor *truth, *predicted;
    wg_tensor *p;                         /* [rows, k]; NULL: no classes, or too large to be kept */
    double metric[JUDGED_METRICS], brier; /* the head's; brier: of classes */
    int n_metrics;
} judged;

/* judge: of rows that the estimator takes; placed: they stand as in their file. Probabilities of more than two
 * classes are kept where they are at most `most` bytes. */
judged judge(const char *name, const wg_estimator *e, const wg_dataset *rows, bool placed,
             int64_t most);

#endif
