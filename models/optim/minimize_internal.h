#ifndef WG_MODELS_OPTIM_MINIMIZE_INTERNAL_H
#define WG_MODELS_OPTIM_MINIMIZE_INTERNAL_H

#include "autograd/op.h"
#include "models/optim/minimize.h"

/* Vectors of n doubles. add: y <- y + a x; largest: max |x_i|, NaN where one is. */
double wg_vector_dot(int64_t n, const double x[], const double y[]);
void wg_vector_add(int64_t n, double a, const double x[], double y[]);
double wg_vector_largest(int64_t n, const double x[]);

/* wg_vector_new: n zeros on the tape; NULL after an error. */
double *wg_vector_new(wg_tape *t, int64_t n);

/* wg_params_size: how many elements n parameters have. wg_params_to_vector: their values, one
 * parameter after the other.
 * wg_params_penalized: [wg_params_size] on the tape, 1 for elements of parameters of two or more
 * dimensions (weights), 0 for others; NULL after an error. */
int64_t wg_params_size(wg_tensor *const params[], int n);
void wg_params_to_vector(wg_tensor *const params[], int n, double x[]);
double *wg_params_penalized(wg_tape *t, wg_tensor *const params[], int n);

/* wg_objective_noise: of a value that is computed in this dtype. */
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

/* wg_line_search: a step t from `first` on such that trial = x + t direction satisfies the strong
 * Wolfe conditions, with its gradient; *value is the value there. False, *value untouched: there is
 * none. Where the search ends early, a step that lowers the value enough is taken though the
 * slope is still steep. */
bool wg_line_search(wg_descent *d, double first, double *value);

/* wg_descent_move: trial becomes x. */
void wg_descent_move(wg_descent *d, double value);

/* One method: how it steps. */
typedef struct wg_minimizer_rule {
    const char *name;
    int64_t iterations; /* what 0 stands for */
    /* Takes memory and looks at the objective; false after an error. */
    bool (*take)(wg_minimizer *m);
    /* From x to a lower point; false: there is none, or an error, which the tape has. */
    bool (*step)(wg_minimizer *m);
    /* What tells how far x is from a minimum; NULL: the largest |element| of the gradient. */
    double (*residual)(const wg_minimizer *m);
    /* What the value might have fallen by in the last step, where it may rise for a while; NULL:
     * what it fell by. */
    double (*gain)(const wg_minimizer *m);
    bool (*state)(wg_minimizer *m, int64_t i, wg_state_entry *entry); /* NULL: there is none */
} wg_minimizer_rule;

struct wg_minimizer {
    const wg_minimizer_rule *rule;
    wg_objective f; /* tape NULL: inert. PROXIMAL: with the l2 term */
    wg_objective given;
    wg_minimizer_options o; /* defaults filled in */
    wg_descent descent;     /* of f */
    void *work;             /* the rule's */
    int64_t products;
};

extern const wg_minimizer_rule wg_lbfgs_rule, wg_newton_rule, wg_newton_exact_rule,
    wg_proximal_rule;

/* wg_semidefinite_factor: P' A P = L L' for a symmetric A [n, n], positive semidefinite up to
 * round-off: A is overwritten with L [n, rank] in its lower triangle, rows of n; order[i] is the
 * row of A that row i of L belongs to. noise: the error of an element A_ij, relative to
 * sqrt(A_ii A_jj); 0: that of doubles. work: n numbers. Returns the rank, or -1 where A has a
 * negative eigenvalue or a NaN. */
int64_t wg_semidefinite_factor(int64_t n, double a[], double noise, int64_t order[], double work[]);

/* wg_semidefinite_solve: the shortest x with A x = b, from L and the order; b must be in A's range
 * (what is not is left out). work: n (n + 2) numbers. */
void wg_semidefinite_solve(int64_t n, int64_t rank, const double l[], const int64_t order[],
                           const double b[], double x[], double work[]);

#endif
