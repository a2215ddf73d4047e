#ifndef WGT_SUPPORT_PROBLEMS_H
#define WGT_SUPPORT_PROBLEMS_H

#include "autograd/check/function.h"

#include <stdbool.h>

enum { WGT_PROBLEM_MOST = 8 };       /* entries of a problem's x */
enum { WGT_PROBLEM_FUNCTIONS = 38 }; /* f's to draw problems of */

/* phi and its derivative; F(x) = sum of w_i phi((x_i + x_{i+1}) / 2), indices modulo n. */
typedef struct wgt_scalar_row {
    const char *name;
    double (*value)(double);
    double (*derivative)(double);
    double low, high; /* where it is sampled */
    double kink;      /* NaN: smooth */
} wgt_scalar_row;

/* Functions that are not sums of functions of one variable; x and w have n entries. */
typedef struct wgt_vector_row {
    const char *name;
    double (*value)(const double *x, const double *w, size_t n);
    void (*gradient)(const double *x, const double *w, size_t n, double *g);
} wgt_vector_row;

/* F(x) = gain * (f(x / unit) + lift) - drop: losses and inputs of any size, with cancellation. */
typedef struct wgt_problem {
    const wgt_scalar_row *row; /* one of these two */
    const wgt_vector_row *vector;
    size_t n;
    double x[WGT_PROBLEM_MOST], w[WGT_PROBLEM_MOST], gradient[WGT_PROBLEM_MOST];
    double gain, unit, lift, drop;
    bool single; /* the result passes through a float */
} wgt_problem;

/* wgt_draw_below: a random number from 0 to n - 1; one sequence for the whole process. */
size_t wgt_draw_below(size_t n);

/* Regimes. */
enum {
    WGT_PLAIN,
    WGT_TINY_LOSS,
    WGT_HUGE_LOSS,
    WGT_TINY_INPUT,
    WGT_HUGE_INPUT,
    WGT_CANCELLING,
    WGT_LIFTED,
    WGT_SINGLE,
    WGT_REGIMES
};

/* wgt_problem_draw: a problem at a random point, of f number `function`.
 * wgt_problem_approach_kink: moves some entries to a kink, or to within 10^-1 ... 10^-15 of one.
 * wgt_problem_rescale: after the point is chosen: gives it a regime, and its gradient. */
wgt_problem wgt_problem_draw(size_t function);
void wgt_problem_approach_kink(wgt_problem *p);
void wgt_problem_rescale(wgt_problem *p, int regime);

/* wgt_problem_value: F(x); user is the problem. wgt_problem_check: checks a claimed gradient. */
double wgt_problem_value(const double *x, void *user);
wg_check_verdict wgt_problem_check(wgt_problem *p, const double *claimed,
                                   const wg_check_options *options, wg_check_report *r);

/* wgt_problem_name: of f. wgt_problem_text: all about a problem and its report. */
const char *wgt_problem_name(const wgt_problem *p);
void wgt_problem_text(const wgt_problem *p, const wg_check_report *r, char *text, size_t size);

#endif
