#ifndef WG_MODELS_OPTIM_MINIMIZE_INTERNAL_H
#define WG_MODELS_OPTIM_MINIMIZE_INTERNAL_H

#include "autograd/op.h"
#include "models/optim/minimize.h"

/* Vectors of n doubles. add: y <- y + a x; largest: max |x_i|, NaN where one is. */
double wg_vector_dot(int64_t n, const double x[], const double y[]);
void wg_vector_add(int64_t n, double a, const double x[], double y[]);
double wg_vector_largest(int64_t n, const double x[]);

/* wg_vector_new: n zeros on the objective's tape; NULL after an error. */
double *wg_vector_new(const wg_objective *f, int64_t n);

/* wg_objective_params_fit: are these n >= 1 parameters of the tape? False: an error there.
 * wg_objective_noise: of a value that is computed in this dtype. */
bool wg_objective_params_fit(wg_tape *t, wg_tensor *const params[], int n);
double wg_objective_noise(wg_dtype dtype);

/* A place of a descent, and where it may go next. */
typedef struct wg_descent {
    const wg_objective *f;
    double value;
    double *x, *gradient;           /* [n]: here; x is the caller's */
    double *direction;              /* [n] */
    double *trial, *trial_gradient; /* [n]: the last point that was evaluated */
    int64_t evaluations;
} wg_descent;

/* wg_descent_new: takes the vectors but x; false after an error on the tape. */
bool wg_descent_new(wg_descent *d, const wg_objective *f);

/* wg_descent_at: evaluates the objective at x. */
void wg_descent_at(wg_descent *d, double x[]);

/* wg_descent_stops: is there a reason to end before iteration i, counted from 0? */
bool wg_descent_stops(const wg_descent *d, double tolerance, int64_t i, int64_t most,
                      wg_stop *stop);

/* wg_line_search: a step t from `first` on such that trial = x + t direction satisfies the strong Wolfe
 * conditions, with its gradient; *value is the value there. False, *value untouched: there is none. Where
 * the search ends early, a step that lowers the value enough is taken though the derivative is still steep. */
bool wg_line_search(wg_descent *d, double first, double *value);

/* wg_descent_move: trial becomes x. */
void wg_descent_move(wg_descent *d, double value);

#endif
