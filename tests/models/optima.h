/* Models whose optima are known to all digits: mean loss with the penalty of C = 1. */
#ifndef WGT_MODELS_OPTIMA_H
#define WGT_MODELS_OPTIMA_H

#include "models/optim/minimize.h"

typedef struct wgt_optimum {
    const char *path;
    bool standardized, softmax, penalized;
    double mean_loss, objective; /* as printed, with a unit of `unit` in their last place */
    double unit, accuracy;
} wgt_optimum;

enum { WGT_OPTIMA = 4 };
extern const wgt_optimum wgt_optima[WGT_OPTIMA];

/* The model on the tape, parameters zero. */
typedef struct wgt_model {
    const wgt_optimum *optimum;
    wg_tensor *X, *y, *param[2], *loss, *mean_loss, *logits;
} wgt_model;

wgt_model wgt_model_new(wg_tape *t, int i);

/* The minimizer stopped at the optimum, with a gradient of at most `tolerance`, <= 1e-10. */
void wgt_assert_optimum(const wgt_model *m, const wg_optimum *found, double tolerance);

/* Every allocation fails in turn: a clear status, no leak, and after a rewind the next try
 * succeeds. */
void wgt_assert_survives_no_memory(wg_optimum (*minimize)(wg_tensor *loss,
                                                          wg_tensor *const params[], int n));

/* Rosenbrock's valley of n variables, minimum 0 at (1, ..., 1), and its start (-1.2, 1, ...). With
 * Hessian-vector products and the Hessian. 2 <= n <= 16. */
wg_objective wgt_rosenbrock(wg_tape *t, int64_t n);
void wgt_rosenbrock_start(int64_t n, double x[]);

#endif
